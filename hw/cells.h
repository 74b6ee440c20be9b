/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random deviates of memory cells. Cell number n of a stream (seed, purpose, index) has the stream's word n: a pure function, whatever is asked for before. The word w
 * gives the uniform deviate (w + 1/2) / 2^32; the outermost words, 0 and 2^32 - 1, would cut the tails of a normal deviate at 6.2 sigma, so there word 2^49 + n of the
 * stream (v) places the deviate within: (v + 1/2) / 2^64 from 0, or from 1. The normal deviate is the quantile of the uniform one.
 *
 * Cost per cell (AVX-512 / AVX2 / plain): words 0.2 / 0.6 / 1.8 ns, normal deviates some 4 / 5 / 9 ns more. Who looks for few cells compares words with integer thresholds and computes
 * deviates of the candidates only.
 */
#ifndef SNNSIM_HW_CELLS_H
#define SNNSIM_HW_CELLS_H

#include <snnsim/random.h>

/* Cell numbers end here: words beyond are for refinement. */
#define SNN_CELLS_MAX ((uint64_t)1 << 34)

typedef struct {
    uint64_t seed;
    snn_purpose purpose;
    uint64_t index; /* the chip, or (chip, sample) packed */
} snn_cell_stream;

/* Words of cells first .. first + n - 1. */
void snn_cell_words(const snn_cell_stream *s, uint64_t first, size_t n, uint32_t *word);
uint32_t snn_cell_word(const snn_cell_stream *s, uint64_t cell);
/* Uniform deviate in (0, 1) of a cell whose word is known. */
double snn_cell_uniform(const snn_cell_stream *s, uint64_t cell, uint32_t word);
/* Standard normal deviates: of a cell whose word is known, and of cells first .. first + n - 1. */
double snn_cell_normal(const snn_cell_stream *s, uint64_t cell, uint32_t word);
void snn_cell_normals(const snn_cell_stream *s, uint64_t first, size_t n, double *z);

#endif
