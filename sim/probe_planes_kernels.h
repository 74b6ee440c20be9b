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

/* One output of many pixels. */
typedef struct {
    const snn_planes_neuron *neuron; /* 64 times the same parameters */
    int steps;
    uint32_t lanes;         /* a multiple of 64 */
    const int16_t *narrow;  /* [steps][lanes] base sums, or ... */
    const int32_t *wide;    /* ... in 32 bits */
    const int32_t *extra;   /* [steps][lanes] what changed weights add */
    const uint64_t *alive;  /* [steps][lanes / 64] lanes that are neurons, of samples that have such a step */
    const uint64_t *before; /* the same: spikes of the base */
    uint64_t *changed;      /* the same: spikes that differ */
    int32_t *membrane;      /* [steps][lanes] after the step, or NULL */
} snn_planes_lanes;

typedef struct {
    snn_simd level;
    /* Where output j of a block of 64 stands in rows8. */
    uint32_t (*position)(uint32_t j);
    /* OR of all changed words of each block into any[blocks]. */
    void (*fire_unit)(const snn_planes_unit *u, uint64_t *any);
    /* Returns the OR of all changed words. */
    uint64_t (*fire_lanes)(const snn_planes_lanes *l);
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
