/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Encryption as a job: section `encrypt` of the config, the samples that the search works with, and what the result is worth on recordings that it has not seen.
 *
 *     config ──options──▶ goal ─┐
 *     training part ──subset──▶ search (search.h) ──▶ flips ──▶ stored weights + key (key.h)
 *     everything else ──judge: plain and thief──▶ verdict          throw-away searches ──▶ variation
 */
#ifndef SNNSIM_ENCRYPT_H
#define SNNSIM_ENCRYPT_H

#include <snnsim/evaluate.h>
#include <snnsim/search.h>
#include <snnsim/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    snn_search_options search; /* its seed is that of the config, else drawn from the system */
    bool seed_given;           /* by the config */
    bool *tensor;              /* [tensors] whose bits may be keyed */
    int tensors;
    int bits;
    uint32_t word_limit;
    double eligible;
    bool any_value;                   /* snn_candidate_options */
    uint32_t variants;                /* of each, as training augments */
    uint32_t samples, random_samples; /* of each class; in all, without regard to class (0: the former) */
    double target;                    /* accuracy; chance + 0.02 already put in */
    double margin, collapse;
    uint32_t chips;
    bool read_noise; /* on these chips reads vary, too */
    uint32_t variation;
} snn_encrypt_options;
/* Errors: USAGE with file:line (no such layer, a key that does nothing for this search, encrypt.chips without hw.device, ...). Free with snn_encrypt_options_free. */
bool snn_encrypt_options_from_config(snn_encrypt_options *o, const snn_config *config, const snn_net *net,
                                     snn_error *err);
void snn_encrypt_options_free(snn_encrypt_options *o);
/* The goal on n samples (on each chip); *target_used: the accuracy that the whole samples allowed stand for. */
snn_goal snn_encrypt_goal(const snn_encrypt_options *o, size_t n, double *target_used);
/* Can it be met: may a class have its share of n samples? Errors: USAGE. */
bool snn_encrypt_goal_check(const snn_goal *goal, size_t n, int classes, snn_error *err);
/* Seed number i of the throw-away searches of snn_variation: depends on the secret seed, but does not tell it (BLAKE2b). */
uint64_t snn_encrypt_other_seed(uint64_t seed, uint32_t i);

/* ---- the encryption subset ---- */

typedef struct {
    size_t n;           /* samples, variants included */
    size_t drawn;       /* recordings */
    size_t *index;      /* [drawn] of the data set they were drawn from, ascending */
    int *label;         /* [n] */
    snn_spikes *sample; /* [n] as drawn; then the first variant of each, ... */
} snn_subset;
/* per_class of each class (random_samples: so many in all, without regard to class, instead), drawn by `seed`, framed. Errors: DATA when a class has too few; what the reader returns. */
bool snn_subset_draw(snn_subset *s, const snn_dataset *training, uint32_t per_class, uint32_t random_samples,
                     uint64_t seed, snn_error *err);
/* Adds `variants` of each sample, augmented as training would do (o), so that what a search finds holds for other recordings, too. Without augmentation in `o`: nothing. */
bool snn_subset_vary(snn_subset *s, snn_shape shape, const snn_train_options *o, uint32_t variants,
                     uint64_t seed, snn_error *err);
void snn_subset_free(snn_subset *s);

/* ---- noisy hardware ---- */

/* Chips that a search measures damage on, for snn_objective_options; their numbers are beyond those that any run has, so that a run tells what encryption is worth on chips that the search has not seen
 * (with hw.fault_map their faults are the same). Behind them stands a chip without any error: bits that ruin only what drift has left of a network would be no encryption against a thief who reads better, or earlier. */
typedef struct snn_noisy_readouts snn_noisy_readouts;
/* Programs `chips` chips with the plain weights and reads them. read_noise false: only what is constant over a run (spread, drift, stuck cells, offsets, hw.cell_error), which the probe can evaluate fast; true: also what varies
 * from read to read, with the draws of the chip that holds the plain weights, by the probe's twin (slow). map must outlive it, and what hw points to. Errors: USAGE (analogue read-out, SEC-DED, repair,
 * hw.chip_file), as snn_chip_program and snn_readout_new. */
snn_noisy_readouts *snn_noisy_readouts_new(const snn_map *map, const snn_hw_options *hw,
                                           const snn_weights *plain, const snn_net *net, uint32_t chips,
                                           bool read_noise, int threads, snn_error *err);
void snn_noisy_readouts_free(snn_noisy_readouts *n);
uint32_t snn_noisy_readouts_count(const snn_noisy_readouts *n);                /* chips + 1 */
const snn_readout *const *snn_noisy_readouts_all(const snn_noisy_readouts *n); /* [chips + 1] */

/* ---- what it is worth ---- */

typedef struct {
    snn_metrics *metrics;
    snn_interval accuracy, balanced; /* 95 % */
    uint64_t *predicted;             /* [classes] how often each class was predicted */
    char digest
        [SNN_DIGEST_HEX]; /* of the output spikes, as snn_evaluation.digest, by numbers of the data set; "" after a merge */
} snn_verdict_part;
typedef struct {
    int classes;
    uint64_t samples, agree; /* agree: the thief's network predicts what the plain one does */
    snn_verdict_part plain, thief;
    snn_interval agreement; /* agree / samples */
} snn_verdict;
/* Both networks on the first `limit` samples (0: all) of `data` but those numbers in skip [skips] (ascending). Of the hooks, progress and stop are used. Errors: as snn_evaluate. */
bool snn_judge(const snn_net *net, const snn_weights *plain, const snn_weights *encrypted,
               const snn_engine_options *engine, const snn_dataset *data, size_t limit, const size_t *skip,
               size_t skips, int threads, const snn_evaluate_hooks *hooks, snn_verdict *out, snn_error *err);
/* *out: over the samples of both. They must be of one network and number of steps. */
bool snn_verdict_merge(const snn_verdict *a, const snn_verdict *b, snn_verdict *out, snn_error *err);
void snn_verdict_free(snn_verdict *v);

/* ---- how much outcomes vary between seeds ---- */

typedef struct {
    uint32_t searches;
    double bits_mean, bits_least, bits_most;
    double
        overlap; /* mean over pairs of searches: share of the bits of the smaller set that the other has too */
    double
        guess; /* mean share of a search's bits that the other searches together contain; who runs more searches finds more: a lower bound */
    bool constant; /* all of these searches came to the same bits: the search has hardly any entropy */
} snn_variation;
/* set [n], each sorted and without repeats. Never includes the key itself: its overlap with what a thief can compute is a secret. Below two searches overlap and guess are NAN. */
bool snn_variation_of(const snn_flips *set, uint32_t n, snn_variation *out, snn_error *err);
/* log2 of n over k: bits of entropy of k positions out of n when each choice is as likely; k <= n. */
double snn_log2_choose(uint64_t n, uint64_t k);

#ifdef __cplusplus
}
#endif
#endif
