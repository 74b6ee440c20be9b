/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of the fitness probe for convolutions, written once for all instruction sets. A file that includes this defines
 *   WIDTH                      neurons of a vector
 *   vector                     WIDTH words: sums, or membranes of either arithmetic
 *   zero, add, load, store     of such vectors; widen: from 16-bit sums
 *   fire_float, fire_fixed     one step of WIDTH neurons: one bit for each that spikes
 *   sum_rows8                  adds the rows of entries [first, end) of a step to `blocks` x 64 sums
 *   KERNELS, LEVEL, POSITION   the table's name, level, and order of outputs within rows
 */
#include "kernel_pair.h"
#include "probe_planes_kernels.h"

enum { VECTORS = SNN_PLANES_BLOCK / WIDTH };

/* One step of 64 neurons. */
INLINE uint64_t fire_block(const snn_planes_neuron *p, uint32_t first, const vector *sum, vector *v,
                           const bool fixed) {
    uint64_t fired = 0;
#pragma GCC unroll 8
    for (int k = 0; k < VECTORS; k++) {
        const uint32_t j = first + (uint32_t)k * WIDTH;
        fired |= (uint64_t)(fixed ? fire_fixed(p, j, sum[k], &v[k]) : fire_float(p, j, sum[k], &v[k]))
                 << (k * WIDTH);
    }
    return fired;
}

/* ---- outputs of one pixel ---- */

/* Codes of more than 8 bits. */
INLINE void sum_rows16(const snn_planes_unit *u, uint32_t first, uint32_t end, vector *sum,
                       const int blocks) {
    int32_t part[2 * SNN_PLANES_BLOCK] = {0};
    for (uint32_t i = first; i < end; i++)
        for (int b = 0; b < blocks; b++) {
            const int16_t *row = u->rows16 + u->entry[i] + (size_t)b * u->block_step;
            for (int j = 0; j < SNN_PLANES_BLOCK; j++)
                part[b * SNN_PLANES_BLOCK + j] += row[j] * u->count[i];
        }
    for (int k = 0; k < blocks * VECTORS; k++)
        sum[k] = add(sum[k], load(part + k * WIDTH));
}

INLINE void base_sums(const snn_planes_unit *u, int step, vector *sum, const int vectors) {
    const size_t at = (size_t)step * u->stride;
#pragma GCC unroll 16
    for (int k = 0; k < vectors; k++)
        sum[k] = u->narrow ? widen(u->narrow + at + (size_t)k * WIDTH)
                 : u->wide ? load(u->wide + at + (size_t)k * WIDTH)
                           : zero();
}

INLINE void walk_unit(const snn_planes_unit *u, uint64_t *any, const int blocks, const bool fixed) {
    vector v[2 * VECTORS], sum[2 * VECTORS];
    for (int k = 0; k < blocks * VECTORS; k++)
        v[k] = zero();
    for (int b = 0; b < blocks; b++)
        any[b] = 0;
    for (int t = 0; t < u->steps; t++) {
        const uint32_t first = u->start[t], end = u->start[t + 1];
        base_sums(u, t, sum, blocks * VECTORS);
        if (u->rows16)
            sum_rows16(u, first, end, sum, blocks);
        else if (end > first)
            sum_rows8(u, t, first, end, sum, blocks);
        if (u->sum)
            for (int k = 0; k < blocks * VECTORS; k++)
                store(u->sum + ((size_t)t * (size_t)blocks * VECTORS + (size_t)k) * WIDTH, sum[k]);
        for (int b = 0; b < blocks; b++) {
            const size_t at = (size_t)t * u->word_step + (size_t)b;
            const uint64_t now = fire_block(u->neuron, u->first + (uint32_t)b * SNN_PLANES_BLOCK,
                                            sum + b * VECTORS, v + b * VECTORS, fixed);
            any[b] |= u->changed[at] = now ^ u->before[at];
        }
        if (u->membrane)
            for (int k = 0; k < blocks * VECTORS; k++)
                store(u->membrane + ((size_t)t * (size_t)blocks * VECTORS + (size_t)k) * WIDTH, v[k]);
    }
}

static void fire_unit(const snn_planes_unit *u, uint64_t *any) {
    if (u->neuron->fixed)
        u->blocks == 2 ? walk_unit(u, any, 2, true) : walk_unit(u, any, 1, true);
    else
        u->blocks == 2 ? walk_unit(u, any, 2, false) : walk_unit(u, any, 1, false);
}

/* ---- pixels of one output ---- */

INLINE uint64_t walk_lanes(const snn_planes_lanes *l, uint32_t first, const bool fixed) {
    vector v[VECTORS], sum[VECTORS];
    uint64_t any = 0;
    for (int k = 0; k < VECTORS; k++)
        v[k] = zero();
    for (int t = 0; t < l->steps; t++) {
        const size_t at = (size_t)t * l->lanes + first;
#pragma GCC unroll 8
        for (int k = 0; k < VECTORS; k++) {
            const size_t i = at + (size_t)k * WIDTH;
            sum[k] = add(l->narrow ? widen(l->narrow + i) : load(l->wide + i), load(l->extra + i));
        }
        const uint64_t now = fire_block(l->neuron, 0, sum, v, fixed);
        const size_t word = at / SNN_PLANES_BLOCK;
        any |= l->changed[word] = (now ^ l->before[word]) & l->alive[word];
        if (l->membrane)
            for (int k = 0; k < VECTORS; k++)
                store(l->membrane + at + (size_t)k * WIDTH, v[k]);
    }
    return any;
}

static uint64_t fire_lanes(const snn_planes_lanes *l) {
    uint64_t any = 0;
    for (uint32_t first = 0; first < l->lanes; first += SNN_PLANES_BLOCK)
        any |= l->neuron->fixed ? walk_lanes(l, first, true) : walk_lanes(l, first, false);
    return any;
}

static void correct(int32_t *extra, const uint16_t *input, int32_t dq, size_t n) {
    for (size_t i = 0; i < n; i++)
        extra[i] += dq * input[i];
}

const snn_planes_kernels KERNELS = {LEVEL, POSITION, fire_unit, fire_lanes, correct};
