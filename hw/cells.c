/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random deviates of memory cells, one by one and in bulk. */
#include "cells.h"

#include <snnsim/portable_math.h>

#include <assert.h>
#include <string.h>

#define BLOCK 4      /* words of a Philox block */
#define CHUNK 512    /* words on the way from generator to quantile */
#define REFINE 32768 /* 2^15: upper half of the block number 2^47, where words from 2^49 on are */

/* One block of a stream: number block + 2^32 * high. */
static void philox_block(const snn_cell_stream *s, uint64_t block, uint32_t high, uint32_t out[BLOCK]) {
    const uint32_t key[2] = {(uint32_t)s->seed, (uint32_t)(s->seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)s->purpose + (high << 16), (uint32_t)s->index,
                                 (uint32_t)(s->index >> 32)};
    snn_philox4x32(counter, key, out);
}

uint32_t snn_cell_word(const snn_cell_stream *s, uint64_t cell) {
    uint32_t out[BLOCK];
    assert(cell < SNN_CELLS_MAX);
    philox_block(s, cell / BLOCK, 0, out);
    return out[cell % BLOCK];
}

void snn_cell_words(const snn_cell_stream *s, uint64_t first, size_t n, uint32_t *word) {
    assert(first <= SNN_CELLS_MAX && n <= SNN_CELLS_MAX - first);
    uint32_t out[BLOCK];
    size_t skip = first % BLOCK;
    if (skip != 0 && n > 0) { /* up to the first whole block */
        size_t head = BLOCK - skip < n ? BLOCK - skip : n;
        philox_block(s, first / BLOCK, 0, out);
        memcpy(word, out + skip, head * sizeof *word);
        first += head, word += head, n -= head;
    }
    size_t blocks = n / BLOCK, tail = n % BLOCK;
    snn_random_fill(s->seed, s->purpose, s->index, first / BLOCK, blocks, word);
    if (tail > 0) {
        philox_block(s, first / BLOCK + blocks, 0, out);
        memcpy(word + BLOCK * blocks, out, tail * sizeof *word);
    }
}

double snn_cell_uniform(const snn_cell_stream *s, uint64_t cell, uint32_t word) {
    if (word != 0 && word != UINT32_MAX)
        return ((double)word + 0.5) * 0x1p-32;
    uint32_t out[BLOCK];
    assert(cell < SNN_CELLS_MAX);
    philox_block(s, cell / BLOCK, REFINE, out);
    double within = ((double)out[cell % BLOCK] + 0.5) * 0x1p-64;
    if (word == 0)
        return within;
    return within < 0x1p-53 ? 1 - 0x1p-53 : 1 - within; /* never 1 */
}

double snn_cell_normal(const snn_cell_stream *s, uint64_t cell, uint32_t word) {
    return snn_normal_quantile(snn_cell_uniform(s, cell, word));
}

void snn_cell_normals(const snn_cell_stream *s, uint64_t first, size_t n, double *z) {
    uint32_t word[CHUNK];
    while (n > 0) {
        size_t now = n < CHUNK ? n : CHUNK;
        snn_cell_words(s, first, now, word);
        snn_random_normals(word, now, z);
        for (size_t i = 0; i < now; i++)
            if (word[i] + 1 <= 1) /* 0 or 2^32 - 1 */
                z[i] = snn_cell_normal(s, first + i, word[i]);
        first += now, z += now, n -= now;
    }
}
