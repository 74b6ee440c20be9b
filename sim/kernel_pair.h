/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the SIMD row sums share: taking two list entries at a time. Each file that includes this compiles it for its own instruction set. */
#ifndef SNNSIM_SIM_KERNEL_PAIR_H
#define SNNSIM_SIM_KERNEL_PAIR_H

#include "kernel.h"

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    const int8_t *a, *b; /* two rows, at the first output of interest */
    uint16_t counts;     /* count of a in the low byte, of b in the high byte */
    int32_t weight;      /* at least their sum: what the pair takes from the budget of a 16-bit partial sum */
} row_pair;

/* Entries i and i + 1 of the segment; without a second one, b is a again with count 0. */
INLINE row_pair take_pair(const snn_segment *g, size_t i, size_t stride, uint32_t first, bool counted) {
    const bool two = i + 1 < g->n;
    const size_t k = two ? i + 1 : i;
    if (!counted)
        return (row_pair){g->base + (size_t)g->entry[i] * stride + first,
                          g->base + (size_t)g->entry[k] * stride + first, two ? 0x0101 : 0x0001, 2};
    const snn_spike x = g->count[i], y = g->count[k];
    const uint32_t second = two ? y.count : 0;
    return (row_pair){g->base + (size_t)x.index * stride + first, g->base + (size_t)y.index * stride + first,
                      (uint16_t)(x.count | second << 8), (int32_t)(x.count + second)};
}

#endif
