/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bit search: which few stored bits to flip so that a stolen network is useless.
 *
 *     weights ──candidates──▶ bits that may be keyed ─┐
 *     training samples ──objective──▶ probe ──────────┴──▶ search (one of several) ──▶ prune ──▶ flips
 *
 * All searches stand behind one interface, are deterministic given a seed for any number of threads and ranks, and can be stopped and resumed to the same result. A search
 * proposes sets of candidates a batch at a time; batches are evaluated in parallel.
 */
#ifndef SNNSIM_SEARCH_H
#define SNNSIM_SEARCH_H

#include <signal.h>
#include <snnsim/chips.h>
#include <snnsim/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- candidates: bits that may be keyed ---- */

typedef struct {
    const bool *tensor; /* [tensors] which; NULL: all */
    int bits;           /* the most significant so many of each weight; 0: all */
    /* The decryptor keys at most word_limit bits of a row word (a row of one array, read at once); 0: no limit, map may be NULL. */
    uint32_t word_limit;
    const snn_map *map;
    const snn_flips *exclude; /* never these (rotation); sorted or not; NULL: none */
    /* Each bit is eligible with this probability (1: all), drawn from `seed`: what an attacker who knows the search cannot predict. */
    double eligible;
    uint64_t seed;
    bool
        any_value; /* also what would store a value that no plain weight of the tensor has the size of, where a thief sees it */
} snn_candidate_options;

typedef struct {
    int32_t least, most;
} snn_value_range;

/* Left out: what changes no value, what would store a -0 (the sign of a zero magnitude; in sign-magnitude the one bit whose flip leaves magnitude 0 below a minus), and, but for any_value, what would
 * store a value outside the range of the tensor's plain weights. */
typedef struct {
    uint32_t n;
    snn_flip *flip;      /* [n] ascending (tensor, index, bit) */
    int32_t *dq;         /* [n] what it does to its weight's value when it is flipped alone; never 0 */
    uint32_t *word;      /* [n] row word of each; NULL without a limit */
    uint32_t words;      /* row words of the map */
    uint32_t word_limit; /* 0: none */
    snn_weights *weights;
    snn_value_range *range; /* [tensors] of plain values; NULL with any_value */
    uint64_t pool;          /* bits that could be keyed: those that are not eligible, too */
    uint64_t considered;    /* bits of the chosen layers and significances before anything was left out */
} snn_candidates;

/* Errors: DATA (float tensors, a map or an exclusion of other weights), USAGE (more than 2^32 - 2 candidates, a limit without map, eligible outside 0..1), RUNTIME; CRITERION when nothing is
 * left. */
snn_candidates *snn_candidates_new(const snn_weights *weights, const snn_candidate_options *o,
                                   snn_error *err);
void snn_candidates_free(snn_candidates *c);
/* May these candidates be keyed together: within word_limit, and no -0 stored? item [n] ascending, each once. */
bool snn_candidates_allowed(const snn_candidates *c, const uint32_t *item, uint32_t n);
/* Do flips keep to a decryptor's limit? CRITERION error that names the first row word (array, row, layer) with too many. */
bool snn_flips_place(const snn_map *map, const snn_flips *flips, uint32_t word_limit, snn_error *err);
/* What candidates item [n] (ascending) do to values: delta [n]; returns how many (bits of one weight merge). */
size_t snn_candidates_deltas(const snn_candidates *c, const uint32_t *item, uint32_t n, snn_delta *delta);

/* ---- objective ---- */

typedef struct {
    uint32_t target; /* most samples that may stay right */
    /* Spikes (read-out by membrane: its units) by which a wrong class must lead, or the sample counts as right; >= 0. With 0 it is enough that another class is predicted. A wrong class
     * that fires in every step is beyond the label's reach: it needs no margin. */
    double margin;
    uint32_t largest; /* most samples that may be predicted as one class (collapse); samples: no limit */
    double
        most; /* output of a class that fires in every step; 0: there is no such thing (membranes, samples of several lengths). snn_objective_new finds it */
} snn_goal;

/* Of one set. With several chips (each of which must meet the goal) counts are sums over chips, loss and lead means. Smaller is more damage in all of them. */
typedef struct {
    uint32_t correct; /* predicted = label */
    uint32_t right;   /* of the samples, those whose label is not beaten by the margin */
    uint32_t largest; /* samples predicted as the most frequent class */
    /* Hinge of a sample: max(0, out[label] - best other + margin); 0 when the label cannot catch up (a wrong class fires in every step); 1/2 when the label is predicted by a tie and the margin is 0. The sum of all but the `target` largest hinges, over the number of samples; plus what is beyond
     * goal.largest, per sample. 0 exactly when the goal is met. */
    double loss;
    /* Mean over samples of out[label] - best other: tells sets apart whose loss is the same. */
    double lead;
    double
        guide; /* what a search asked for beside (search_internal.h, snn_guide); 0 without; of a checkpoint only the journal has it */
} snn_score;

typedef struct snn_objective snn_objective;
typedef struct {
    const snn_net *net;
    const snn_weights *weights; /* plain */
    const bool *searched;       /* [tensors]; NULL: all */
    snn_arithmetic arithmetic;
    snn_simd simd;
    int threads; /* >= 1 */
    snn_goal goal;
    /* Modelled chips: fitness is the sum over readouts [chips] of what a thief reads from the chip that holds the encrypted weights (snn_readout_deltas). 0: ideal. */
    const snn_readout *const *readout;
    uint32_t chips;
} snn_objective_options;

/* sample [n], label [n], net and weights are copied; candidates and read-outs must outlive it. Errors: as snn_probe_new; DATA for a label outside the classes, for candidates of other weights or of
 * tensors that are not searched; USAGE for a margin that is negative or not finite, or fewer than two classes. */
snn_objective *snn_objective_new(const snn_objective_options *o, const snn_candidates *candidates,
                                 const snn_spikes *sample, const int *label, size_t n, snn_error *err);
void snn_objective_free(snn_objective *o);
/* Score of outputs as the probe gives them; they are changed in between and put back. scratch [2 * samples] */
snn_score snn_objective_score(const snn_goal *goal, const snn_probe_result *r, const int *label,
                              double *scratch);

/* ---- the search ---- */

typedef enum {
    SNN_SEARCH_GENETIC,  /* ours */
    SNN_SEARCH_SNNGX,    /* the published algorithm */
    SNN_SEARCH_GREEDY,   /* adds the bit that does most damage, one after the other */
    SNN_SEARCH_SALIENCY, /* a rule orders the bits; the shortest prefix that meets the goal */
    SNN_SEARCH_RANDOM,
    SNN_SEARCH_PARETO /* the front of bits against loss */
} snn_search_kind;
typedef enum {
    SNN_RULE_CLASS_RATE, /* the negative weights of one class in the last layer, by |w| x mean rate of their inputs (pytorch_baseline.md); the class with the best result */
    SNN_RULE_RATE,       /* |dq| x scale x mean rate of the input, over all candidates */
    SNN_RULE_MAGNITUDE   /* data-free: |dq| x scale, over all candidates */
} snn_saliency_rule;

typedef struct {
    snn_search_kind kind;
    snn_saliency_rule rule;
    uint64_t seed;
    bool prune; /* afterwards remove every bit that is not needed: the result is 1-minimal */
    /* Budgets of the search itself (prune comes on top: it is short, and a result is worth little without it). The search ends after the first step with which it has used that many
     * evaluations, or that much wall time of this process: result.searched then is the budget of evaluations that gives the same result again. Steps are whole generations, added bits or blocks of
     * some thousand evaluations; where evaluations are dear (convolutions) time ends a search in the middle of a step, too, which then does not count. 0: no budget. */
    uint64_t evaluations;
    double seconds;
    uint32_t most_bits;               /* largest set; 0: no limit */
    uint32_t population, generations; /* 0: the search's own */
    uint32_t eps;                     /* snngx: bits that it wants */
    const char *checkpoint; /* file (0600), NULL: none. Removed by snn_search when the search has ended. */
    bool resume;            /* continue from the checkpoint, if there is one */
    /* The checkpoint stays when the search has ended (the caller removes it when he has saved the result): resuming it gives the result again without a search, or, when a budget had ended it
     * short of the goal, goes on. */
    bool keep;
} snn_search_options;

typedef struct {
    const char *phase; /* "genetic", "prune", ... */
    uint64_t step, evaluations;
    uint32_t bits;   /* of the best set so far */
    snn_score score; /* its */
} snn_search_progress;
typedef struct {
    void *context;
    void (*progress)(void *context,
                     const snn_search_progress *p); /* after each step, by the calling thread */
    const volatile sig_atomic_t *stop; /* nonzero: save the checkpoint and fail with INTERRUPTED */
} snn_search_hooks;

typedef struct {
    uint32_t bits;
    snn_score score;
    snn_flips flips;
} snn_front_point;
typedef struct {
    snn_flips flips; /* sorted by (tensor, index, bit) */
    snn_score score, plain;
    bool met;     /* the goal */
    bool stopped; /* a budget ended it */
    bool
        minimal; /* the goal is met, and with any one bit left out it is not (or the rest may not be keyed: snn_candidates_allowed) */
    uint64_t evaluations; /* of all phases */
    uint64_t searched;    /* of the search itself, without prune: what a budget counts */
    double seconds;       /* of this process; not part of what is promised bit for bit */
    /* The best set that was met for each number of bits, bits ascending from 0, loss strictly descending (every search fills it; the goal's margin counts). */
    snn_front_point *front;
    uint32_t points;
} snn_search_result;

const char *snn_search_name(snn_search_kind k);
/* Searches. The result does not depend on threads, SIMD or ranks. A search that ends without meeting the goal is no error: see met. Errors: INTERRUPTED (checkpoint written), DATA (checkpoint damaged or of
 * another search), RUNTIME. */
bool snn_search(snn_objective *objective, const snn_search_options *options, const snn_search_hooks *hooks,
                snn_search_result *out, snn_error *err);
void snn_search_free(snn_search_result *r);
/* The seed that a checkpoint was made with, for who drew it from the system. *found: is there a file? Errors: DATA naming the file. */
bool snn_search_checkpoint_seed(const char *path, uint64_t *seed, bool *found, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
