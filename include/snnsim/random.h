/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counter-based random streams: Philox4x32-10 (Salmon et al., SC 2011, doi:10.1145/2063384.2063405).
 * A stream is (seed, purpose, index) and is never shared across indices, so results do not depend on the
 * number of threads or ranks. Every function gives the same bits on every CPU.
 */
#ifndef SNNSIM_RANDOM_H
#define SNNSIM_RANDOM_H

#include <gsl/gsl_rng.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a stream is for; part of its key. Numbers are part of the results: never renumber. */
typedef enum {
    SNN_PURPOSE_TEST = 0,
    SNN_PURPOSE_WEIGHTS = 1, /* initial weights; index = tensor */
    SNN_PURPOSE_SHUFFLE = 2, /* order of training samples; index = epoch */
    SNN_PURPOSE_AUGMENT = 3, /* augmentation; index = epoch * samples + sample */
    SNN_PURPOSE_SPLIT = 4,   /* folds and validation split; index = class */
    SNN_PURPOSE_CAMERA = 5,  /* synthetic camera: pixel noise; index = recording */
    SNN_PURPOSE_SUBJECT = 6, /* synthetic camera: traits of a subject; index = subject */
    SNN_PURPOSE_GESTURE = 7, /* synthetic camera: one performance; index = recording */
    SNN_PURPOSE_DEVICE = 8,  /* what a whole chip has: its variation, clusters of faults; index = chip */
    SNN_PURPOSE_READ = 9,    /* read noise; the index packs (chip, tensor, sample, step), see hw */
    SNN_PURPOSE_SEARCH = 10, /* bit search (later issue) */
    /* Deviates of memory cells: word (cell number) of stream (seed, purpose, chip). */
    SNN_PURPOSE_CELL_PROGRAM = 11,
    SNN_PURPOSE_CELL_PULSES = 12,
    SNN_PURPOSE_CELL_RELAX = 13,
    SNN_PURPOSE_CELL_VARIATION = 14,
    SNN_PURPOSE_CELL_STUCK = 15,
    SNN_PURPOSE_CELL_ERROR = 16, /* errors by decree (hw.cell_error) */
    SNN_PURPOSE_SENSE = 17,      /* offsets of sense amplifiers and converters; index = chip */
    SNN_PURPOSE_SLOW = 18, /* noise frozen within a sample: word (cell number), index packs (chip, sample) */
    SNN_PURPOSE_SUBSET = 19,  /* samples that a bit search sees; index = class (number of classes: any) */
    SNN_PURPOSE_VARIANT = 20, /* augmented samples outside of training; index = number of the variant */
    SNN_PURPOSE_KEY_STORE =
        21, /* a decryptor's keys: index 0 ciphers, 1 and more: hash functions, draw by draw */
    SNN_PURPOSE_TRAFFIC = 22, /* drawn traffic of co-simulation; index: 0 reads, 1 exercise */
    SNN_PURPOSE_UPSET = 23    /* wrong mask bits in single reads; the index packs (sample, step, tensor) */
} snn_purpose;

typedef struct {
    uint32_t key[2];     /* from the seed */
    uint32_t counter[4]; /* [0] block number, [1] purpose, [2..3] index */
    uint32_t block[4];   /* output of the current block */
    unsigned left;       /* unused words in block */
} snn_random;

/* Raw Philox4x32-10 block function: out = philox(counter, key). For known-answer tests. */
void snn_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

void snn_random_init(snn_random *r, uint64_t seed, snn_purpose purpose, uint64_t index);
uint32_t snn_random_u32(snn_random *r);
uint64_t snn_random_u64(snn_random *r);
/* [0, 1), 53 bits. */
double snn_random_uniform(snn_random *r);
/* 0 .. n-1 without bias, n >= 1. */
uint32_t snn_random_below(snn_random *r, uint32_t n);
/* Standard normal (Box-Muller with portable log, sin, cos). */
double snn_random_normal(snn_random *r);
/* Poisson with the given mean >= 0 (portable; exact for any mean, time grows with the mean up to a switch to a normal-free method). */
uint32_t snn_random_poisson(snn_random *r, double mean);
/* Fisher-Yates permutation of 0..n-1 into order[n]. */
void snn_random_permutation(snn_random *r, uint32_t *order, uint32_t n);

/* Words 4 * first_block .. 4 * (first_block + blocks) - 1 of the stream (seed, purpose, index), the same that snn_random_u32 gives after snn_random_init, by the fastest kernel of
 * this CPU. first_block + blocks <= 2^32. */
void snn_random_fill(uint64_t seed, snn_purpose purpose, uint64_t index, uint64_t first_block, size_t blocks,
                     uint32_t *out);

/* z[i] = snn_normal_quantile((word[i] + 1/2) / 2^32), the same bits by the fastest kernel of this CPU. */
void snn_random_normals(const uint32_t *word, size_t n, double *z);

/* The same generator as a GSL type, for GSL's distributions. gsl_rng_set seeds (seed, SNN_PURPOSE_TEST, 0);
 * snn_random_gsl_init sets a full stream. */
extern const gsl_rng_type *const snn_gsl_philox;
void snn_random_gsl_init(gsl_rng *rng, uint64_t seed, snn_purpose purpose, uint64_t index);

#ifdef __cplusplus
}
#endif
#endif
