/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's inner loops, one table of functions per instruction set. Every variant gives the same bits: synaptic sums are exact
 * integers, membranes are rounded operation by operation. kernel_plain.c is the twin that the others are tested against.
 *
 * Layout shared by all kernels. Channels last: a plane is [y][x][channel], channels padded to a multiple of SNN_PAD.
 * Synaptic weights stand twice:
 *   rows   [input line][outputs]            one row of outputs per input line: what a spike adds ("word line")
 *   dense  [input line / 4][outputs][4]     for kernels that multiply four input bytes at a time
 * Within `rows` the outputs of one row stand at snn_kernels.position(j), an order that suits the byte-interleaving of the instruction set.
 */
#ifndef SNNSIM_SIM_KERNEL_H
#define SNNSIM_SIM_KERNEL_H

#include <snnsim/cpu.h>
#include <snnsim/spikes.h>

#define SNN_PAD 16        /* outputs and channels are padded to this many */
#define SNN_COUNT_MAX 127 /* largest count that one list entry carries; larger ones are split */

/* A run of list entries whose rows start at a common base: row of entry e is base + e * stride (bytes). */
typedef struct {
    const uint32_t *entry;  /* spikes: [n] entries */
    const snn_spike *count; /* counts: [n] entries with counts 1..SNN_COUNT_MAX */
    size_t n;
    const int8_t *base; /* may point before the array: only base + e * stride is read */
} snn_segment;

typedef struct {
    const snn_segment *segment;
    int segments;
    size_t stride;     /* bytes per row = padded outputs */
    uint32_t outputs;  /* padded outputs, multiple of SNN_PAD */
    int32_t magnitude; /* largest |weight|, 1..128: bounds the 16-bit partial sums */
} snn_row_sum;

/* One row of output pixels of a convolution (or `pixels` steps of a linear layer) by dense multiplication. */
typedef struct {
    const uint8_t *input;  /* first input byte of the first pixel */
    size_t pixel_step;     /* bytes from pixel to pixel */
    size_t line_step;      /* bytes from kernel line to kernel line */
    uint32_t lines;        /* kernel lines */
    uint32_t line_bytes;   /* bytes per kernel line, multiple of 4 */
    const int8_t *weights; /* [lines * line_bytes / 4][outputs][4] */
    uint32_t outputs;      /* padded */
    uint32_t pixels;
    int32_t magnitude, largest_input; /* bounds for 16-bit partial sums: |weight|, input byte */
} snn_dense_sum;

typedef struct {
    float decay, threshold;
    const float *factor; /* [n] synaptic sum -> current: scale * gain (per output) */
    const float *bias;   /* [n] or NULL */
    bool subtract, at_threshold, spiking;
} snn_lif_float;

typedef struct {
    int32_t decay;            /* in 1/4096 */
    const int32_t *threshold; /* [n] in 1/64 weight LSB */
    const int32_t *bias;      /* [n] or NULL, in 1/64 weight LSB */
    bool subtract, at_threshold, spiking;
} snn_lif_fixed;

/* What a list of input spikes can do to a sum. */
typedef struct {
    uint32_t largest_index, largest_count; /* 0 for an empty list */
    uint64_t total;                        /* sum of counts */
} snn_list_extent;

typedef struct {
    snn_simd level;
    /* Where output j of a row with `outputs` padded outputs stands. Eight outputs from a multiple of 8 stay together in every order. */
    uint32_t (*position)(uint32_t j, uint32_t outputs);
    /* sum[j] = sum over all entries of row[j] (times count). */
    void (*sum_spikes)(const snn_row_sum *r, int32_t *sum);
    void (*sum_counts)(const snn_row_sum *r, int32_t *sum);
    /* sum[pixel * outputs + j]; */
    void (*sum_dense)(const snn_dense_sum *d, int32_t *sum);
    /* Share of nonzero inputs above which sum_dense is the faster one (measured; affects speed only). */
    float dense_above;
    /* One time step of n neurons (multiple of SNN_PAD). v: in the membrane after the last reset, out after this step's reset. spike [n] 0/1.
     * membrane (or NULL): v before the reset. changed (or NULL): += neurons whose v this step changed (NeuroBench's membrane updates). Returns
     * spikes. */
    uint32_t (*lif_float)(const snn_lif_float *p, uint32_t n, const int32_t *sum, float *v, uint8_t *spike,
                          float *membrane, uint64_t *changed);
    uint32_t (*lif_fixed)(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v, uint8_t *spike,
                          int32_t *membrane, uint64_t *changed);
    /* Indices (plus base) of the nonzero bytes of plane[0..n), n a multiple of SNN_PAD; entry has room for n + 16. Returns how many. */
    size_t (*list_nonzero)(const uint8_t *plane, size_t n, uint32_t base, uint32_t *entry);
    snn_list_extent (*list_extent)(const snn_spike *spike, size_t n);
    /* out[c] = max over a window of k x k pixels; line_step and pixel steps in bytes; channels a multiple of SNN_PAD. Returns the nonzero outputs. */
    uint32_t (*pool_max)(const uint8_t *in, size_t pixel_step, size_t line_step, uint32_t k,
                         uint32_t channels, uint8_t *out);
} snn_kernels;

extern const snn_kernels snn_kernels_plain;
#if defined(__x86_64__)
extern const snn_kernels snn_kernels_avx2;
extern const snn_kernels snn_kernels_avx512;
#endif
/* The table of a level (the level must be supported by this CPU). */
const snn_kernels *snn_kernels_for(snn_simd level);

/* Position of output j when chunks of `widest`, then half of it, ... down to SNN_PAD outputs are interleaved as _mm*_unpack{lo,hi}_epi8 do. */
uint32_t snn_interleaved_position(uint32_t j, uint32_t outputs, uint32_t widest);

/* Neurons driven by float currents (imported networks), portable C at every level; otherwise as lif_float. */
uint32_t snn_plain_lif_current(const snn_lif_float *p, uint32_t n, const float *current, float *v,
                               uint8_t *spike, float *membrane, uint64_t *changed);

/* Fixed neurons whose sums are in 1/64 weight LSB already (analogue read-out), portable C at every level; otherwise as lif_fixed. */
uint32_t snn_plain_lif_fine(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v,
                            uint8_t *spike, int32_t *membrane, uint64_t *changed);

#endif
