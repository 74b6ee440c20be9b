/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The code of the lanes' kernels. A unit defines VECTOR_BYTES (of a register), KERNELS (the table's name) and perhaps WIDEN (of bytes in memory to a register of 16-bit numbers) and includes this file; GCC's vector types keep sums and membranes in registers. */
#include "probe_lanes_kernels.h"

#include "engine_internal.h" /* the range of fixed arithmetic */

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* ---- sums ---- */

enum { NARROW = VECTOR_BYTES / 2, BLOCK = 8 /* registers of partial sums */ };
typedef uint16_t narrow __attribute__((vector_size(VECTOR_BYTES), may_alias));
#ifndef WIDEN
typedef int8_t narrow_row __attribute__((vector_size(VECTOR_BYTES / 2), aligned(1), may_alias));
typedef int16_t signed_narrow __attribute__((vector_size(VECTOR_BYTES), may_alias));
#define WIDEN(p) __builtin_convertvector(*(const narrow_row *)(const void *)(p), signed_narrow)
#endif

/* Partial sums of n terms in the lanes first .. first + registers * NARROW, added to sum. */
INLINE void add_block(const int32_t *base, const lanes_term *term, size_t n, size_t first, int32_t *sum,
                      const int registers) {
    narrow part[BLOCK];
    int16_t flat[BLOCK * NARROW] __attribute__((aligned(64)));
    for (int k = 0; k < registers; k++)
        part[k] = (narrow){0};
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = term[i].row + first;
        const uint16_t weight = (uint16_t)term[i].weight;
        for (int k = 0; k < registers; k++)
            part[k] += (narrow)WIDEN(row + k * NARROW) * weight;
    }
    memcpy(flat, part, (size_t)registers * sizeof *part);
    for (int k = 0; k < registers * NARROW; k++)
        sum[first + (size_t)k] = (int32_t)((uint32_t)base[first + (size_t)k] + (uint32_t)(int32_t)flat[k]);
}

static void add_run(const int32_t *base, const lanes_term *term, size_t n, size_t lanes, int32_t *sum) {
    size_t first = 0;
    for (; first + BLOCK * NARROW <= lanes; first += BLOCK * NARROW)
        add_block(base, term, n, first, sum, BLOCK);
    for (; first < lanes; first += LANES_PAD)
        add_block(base, term, n, first, sum, LANES_PAD / NARROW);
}

static void add_narrow(const int32_t *base, const lanes_term *term, const size_t *cut, size_t cuts,
                       size_t lanes, int32_t *sum) {
    size_t first = 0;
    for (size_t c = 0; c < cuts; c++) {
        add_run(base, term + first, cut[c] - first, lanes, sum);
        base = sum;
        first = cut[c];
    }
}

static void add_wide(const int32_t *base, const lanes_term *term, size_t n, size_t lanes, int32_t *sum) {
    memmove(sum, base, lanes * sizeof *sum);
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = term[i].row;
        const uint32_t weight = (uint32_t)term[i].weight;
        for (size_t k = 0; k < lanes; k++)
            sum[k] = (int32_t)((uint32_t)sum[k] + weight * (uint32_t)(int32_t)row[k]);
    }
}

/* ---- neurons ---- */

enum { WIDTH = VECTOR_BYTES / 4, PARTS = LANES / WIDTH };
typedef float floats __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t ints __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t words __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int8_t bytes __attribute__((vector_size(VECTOR_BYTES / 4), aligned(1), may_alias));

/* Spikes (-1 or 0) of lanes at..at + WIDTH: counts them, writes how they differ from the base. */
INLINE void note(const lanes_run *r, size_t at, ints spike, ints *count, bytes *differ) {
    const bytes change =
        __builtin_convertvector(-spike, bytes) - *(const bytes *)(const void *)(r->spike + at);
    *(bytes *)(void *)(r->change + at) = change;
    *differ |= change;
    *count -= spike;
}

INLINE unsigned finish(const lanes_run *r, const ints *count, const bytes *differ) {
    uint8_t any[LANES], some = 0;
    memcpy(r->count, count, LANES * sizeof *r->count);
    memcpy(any, differ, LANES);
    for (int i = 0; i < LANES; i++)
        some |= any[i];
    return some ? LANES_CHANGED : 0;
}

INLINE unsigned float_steps(const lanes_float *p, const lanes_run *r, const bool biased, const bool subtract,
                            const bool kept) {
    const floats zero = {0}, threshold = zero + p->threshold;
    floats v[PARTS];
    ints count[PARTS];
    bytes differ[PARTS];
    for (int k = 0; k < PARTS; k++) {
        v[k] = zero;
        count[k] = (ints){0};
        differ[k] = (bytes){0};
    }
    for (int t = 0; t < r->steps; t++)
        for (int k = 0; k < PARTS; k++) {
            const size_t at = (size_t)t * LANES + (size_t)k * WIDTH;
            floats current =
                __builtin_convertvector(*(const ints *)(const void *)(r->sum + at), floats) * p->factor;
            if (biased)
                current = current + p->bias;
            const floats now = v[k] * p->decay + current;
            const ints spike = (ints)(now > p->above) & *(const ints *)(const void *)(r->live + at);
            if (subtract)
                v[k] = now - (floats)(spike & (ints)threshold);
            else
                v[k] = (floats)(~spike & (ints)now);
            if (kept)
                memcpy((float *)r->membrane + at, &v[k], sizeof v[k]);
            note(r, at, spike, &count[k], &differ[k]);
        }
    return finish(r, count, differ);
}

static unsigned fire_float(const lanes_float *p, const lanes_run *r) {
    if (r->membrane)
        return float_steps(p, r, p->biased, p->subtract, true);
    if (p->biased)
        return p->subtract ? float_steps(p, r, true, true, false) : float_steps(p, r, true, false, false);
    return p->subtract ? float_steps(p, r, false, true, false) : float_steps(p, r, false, false, false);
}

/* v * decay / 4096 rounded toward zero without 64-bit products: |v| = 4096 high + low. */
INLINE words leak(words v, uint32_t decay) {
    const ints none = {0};
    const words sign = (words)((ints)v < none), size = (v ^ sign) - sign;
    const words rest = (size >> 12) * decay + (((size & 4095) * decay) >> 12);
    return (rest ^ sign) - sign;
}

static unsigned fire_fixed(const lanes_fixed *p, const lanes_run *r) {
    words v[PARTS];
    ints count[PARTS], outside = {0};
    bytes differ[PARTS];
    for (int k = 0; k < PARTS; k++) {
        v[k] = (words){0};
        count[k] = (ints){0};
        differ[k] = (bytes){0};
    }
    for (int t = 0; t < r->steps; t++)
        for (int k = 0; k < PARTS; k++) {
            const size_t at = (size_t)t * LANES + (size_t)k * WIDTH;
            const words now = leak(v[k], (uint32_t)p->decay) +
                              *(const words *)(const void *)(r->sum + at) * 64 + (uint32_t)p->bias;
            const ints live = *(const ints *)(const void *)(r->live + at);
            const ints spike = (ints)((ints)now > p->above) & live;
            v[k] = p->subtract ? now - ((words)spike & (uint32_t)p->threshold) : now & ~(words)spike;
            outside |= (((ints)v[k] > SNN_FIXED_MEMBRANE) | ((ints)v[k] < -SNN_FIXED_MEMBRANE)) & live;
            if (r->membrane)
                memcpy((int32_t *)r->membrane + at, &v[k], sizeof v[k]);
            note(r, at, spike, &count[k], &differ[k]);
        }
    int32_t any = 0;
    for (int k = 0; k < WIDTH; k++)
        any |= outside[k];
    return finish(r, count, differ) | (any ? LANES_OUT_OF_RANGE : 0);
}

const lanes_kernels KERNELS = {add_narrow, add_wide, fire_float, fire_fixed};
