/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of the probe's lanes, one set per instruction set. A row has `lanes` numbers: [time step][LANES samples], padded to a multiple of LANES_PAD. Sums are integers modulo 2^32,
 * floats are rounded operation by operation on independent lanes, so that every set gives the same bits; probe_lanes_kernels_body.h has the code, compiled once in each of
 * probe_lanes_kernels_plain.c, _avx2.c and _avx512.c.
 */
#ifndef SNNSIM_SIM_PROBE_LANES_KERNELS_H
#define SNNSIM_SIM_PROBE_LANES_KERNELS_H

#include <snnsim/cpu.h>

#include <stdint.h>

#define LANES 16     /* samples of a tile */
#define LANES_PAD 64 /* a row is a multiple of so many numbers: bytes of a cache line */

/* weight x row. */
typedef struct {
    const int8_t *row; /* [lanes] counts, spikes, or changes of spikes */
    int32_t weight;
} lanes_term;

/* s = v > above: the threshold, the number just below it for v >= threshold, what is never reached for neurons that do not spike. */
typedef struct {
    float decay, above, threshold, factor, bias;
    bool biased, subtract;
} lanes_float;

typedef struct {
    int32_t decay, above, threshold, bias;
    bool subtract;
} lanes_fixed;

/* One neuron in all steps and lanes. */
typedef struct {
    int steps;
    const int32_t *sum; /* [steps][LANES] */
    const int32_t *
        live; /* [steps][LANES] -1: the sample has this step; 0: it has ended, there are no spikes any more */
    const int8_t *spike; /* [steps][LANES] of the base */
    int8_t *change;      /* [steps][LANES] out: spikes minus those of the base */
    int32_t *count;      /* [LANES] out: spikes over all steps */
    void *membrane;      /* [steps][LANES] out: float or int32 by arithmetic; or NULL */
} lanes_run;

/* What came of it. */
enum {
    LANES_CHANGED = 1,     /* some spike differs from the base's */
    LANES_OUT_OF_RANGE = 2 /* a fixed membrane left its range */
};

typedef struct {
    /* sum = base + sum of terms 0 .. cut[cuts - 1] - 1. narrow: in each of the runs that end at cut[0] < cut[1] < ... sums of any of the terms stay below 2^15 in magnitude. */
    void (*add_narrow)(const int32_t *base, const lanes_term *term, const size_t *cut, size_t cuts,
                       size_t lanes, int32_t *sum);
    void (*add_wide)(const int32_t *base, const lanes_term *term, size_t n, size_t lanes, int32_t *sum);
    unsigned (*fire_float)(const lanes_float *p, const lanes_run *r);
    unsigned (*fire_fixed)(const lanes_fixed *p, const lanes_run *r);
} lanes_kernels;

extern const lanes_kernels snn_lanes_kernels_plain;
#if defined(__x86_64__)
extern const lanes_kernels snn_lanes_kernels_avx2, snn_lanes_kernels_avx512;
#endif
const lanes_kernels *snn_lanes_kernels_for(snn_simd level);

#endif
