/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inner loops of the fitness probe for convolutions, one table for each instruction set; all give the same bits. Neurons come in blocks of 64, one bit of a word
 * each, and keep their membrane in registers over all steps of a sample. Two loops walk neurons: over 64 outputs of one pixel (when inputs changed), and over 64 pixels
 * of one output (when weights changed).
 */
#ifndef SNNSIM_SIM_PROBE_PLANES_KERNELS_H
#define SNNSIM_SIM_PROBE_PLANES_KERNELS_H

#include <snnsim/cpu.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Neurons of one word; the arrays of neuron parameters are padded to a multiple of it. */
#define SNN_PLANES_BLOCK 64
/* Largest |count| of one entry: two of them times 255 stay inside 16 bits. */
#define SNN_PLANES_COUNT 64

typedef struct {
    bool fixed, subtract, at_threshold, spiking;
    float decay, threshold;
    int32_t decay_fixed;
    const float *factor;            /* [outputs] */
    const float *bias;              /* [outputs] or NULL */
    const int32_t *threshold_fixed; /* [outputs] */
    const int32_t *bias_fixed;      /* [outputs] or NULL */
} snn_planes_neuron;

/* Outputs first .. first + 64 * blocks - 1 of one pixel over the steps of a sample: sums = base + rows of the entries times their counts. */
typedef struct {
    const snn_planes_neuron *neuron;
    uint32_t first; /* output */
    int blocks;     /* 1 or 2 */
    int steps;
    const uint8_t
        *rows8; /* [input line][64] values + 128 at snn_planes_kernels.position, of the first block; or ... */
    const int16_t *rows16; /* ... values in natural order */
    size_t block_step;     /* items from one block's rows to the next one's */
    const uint32_t *entry; /* items from the first row of a block */
    const int8_t *count;   /* of each entry; -SNN_PLANES_COUNT .. SNN_PLANES_COUNT */
    const uint32_t
        *start; /* [steps + 1] entries of each step, an even number (the last one may have count 0) */
    const int32_t *total;  /* [steps] sum of their counts */
    uint32_t piece;        /* so many entries (even) cannot overflow 16 bits */
    const int16_t *narrow; /* [steps][stride] base sums at output `first`, or ... */
    const int32_t *wide;   /* ... the same in 32 bits; both NULL: zero */
    size_t stride;
    const uint64_t *before; /* [steps][word_step] spikes of the base, from the first block's word on */
    uint64_t *changed;      /* the same: spikes that differ */
    size_t word_step;
    int32_t *sum;      /* [steps][64 * blocks] new sums, or NULL */
    int32_t *membrane; /* [steps][64 * blocks] after the step, or NULL */
} snn_planes_unit;

/* A changed weight: what it adds to a lane. */
typedef struct {
    const uint16_t *input; /* [steps][input_lanes] its input, shifted to the lanes of the outputs */
    int32_t dq;
} snn_planes_shift;

/* One output of many pixels: `lanes` of them, 64 at a time through all steps. */
typedef struct {
    const snn_planes_neuron *neuron; /* 64 times the same parameters */
    int steps;
    uint32_t lanes;                /* a multiple of 64 */
    const int16_t *narrow;         /* [lanes / 64][steps][64] base sums, or ... */
    const int32_t *const *wide;    /* ... [lanes / 64] where not NULL: [steps][64] in 32 bits */
    const snn_planes_shift *shift; /* [shifts] */
    size_t shifts, input_lanes;
    const uint64_t *alive;  /* [lanes / 64][steps] lanes that are neurons, of samples that have such a step */
    const uint64_t *before; /* the same: spikes of the base */
    uint64_t *changed;      /* the same: spikes that differ */
    int32_t *membrane;      /* [lanes / 64][steps][64] after the step, or NULL */
} snn_planes_lanes;

/* Entries of the windows of one pixel, step by step: some lines of neighbouring input pixels. */
typedef struct {
    const uint32_t
        *entry; /* as snn_planes_unit, relative to the start of the input line; 16 more may be read */
    const int8_t *count;
    const int32_t *before; /* sum of the counts of all entries before */
    const uint32_t
        *first;  /* [steps][pixels + 1] first entry of a pixel, at the first pixel of the first line */
    size_t step; /* pixels + 1 */
    int steps;
    uint32_t lines, width, line; /* lines of so many pixels, pixels from line to line */
    uint32_t shift,
        line_shift; /* items to add to entries of the first line, from line to line (modulo 2^32) */
} snn_planes_field;

/* A row of windows of a 2 x 2 pool over spikes of at most 64 channels. */
typedef struct {
    const uint64_t *bits;    /* first input line of the base; the second one is `line` words behind */
    const uint64_t *changed; /* the same: spikes that differ */
    size_t line;
    const uint64_t *before; /* [windows] pooled, of the base */
    uint64_t *to;           /* [windows] pooled, what differs */
    uint32_t windows;
} snn_planes_pool;

typedef struct {
    snn_simd level;
    /* Where output j of a block of 64 stands in rows8. */
    uint32_t (*position)(uint32_t j);
    /* OR of all changed words of each block into any[blocks]. */
    void (*fire_unit)(const snn_planes_unit *u, uint64_t *any);
    /* Returns the OR of all changed words. */
    uint64_t (*fire_lanes)(const snn_planes_lanes *l);
    /* Copies the entries of all steps behind entry[n] and count[n], each step padded to an even number: fills start [steps + 1] and total [steps]. There must be room
     * for all entries of the field, one more for each step, and 64. Returns n after the last one. */
    size_t (*gather)(const snn_planes_field *f, uint32_t *entry, int8_t *count, size_t n, uint32_t *start,
                     int32_t *total);
    /* Returns the OR of all words that differ. */
    uint64_t (*pool_pairs)(const snn_planes_pool *p);
    /* extra[i] += dq * input[i] */
    void (*correct)(int32_t *extra, const uint16_t *input, int32_t dq, size_t n);
} snn_planes_kernels;

extern const snn_planes_kernels snn_planes_kernels_plain;
#if defined(__x86_64__)
extern const snn_planes_kernels snn_planes_kernels_avx2;
extern const snn_planes_kernels snn_planes_kernels_avx512;
#endif
/* The table of a level (the level must be supported by this CPU). */
const snn_planes_kernels *snn_planes_kernels_for(snn_simd level);

#endif
