/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Exponential gaps between rare events by the ziggurat method (Marsaglia and Tsang 2000, doi:10.18637/jss.v005.i08), as integers with a fixed point: no logarithm per gap, the same
 * bits on every machine. One word of a Philox stream gives most gaps: 8 bits choose the layer, 24 the place in it.
 *
 * With E exponential of mean 1, floor(E / rate) cells that are read well before the next error make every cell's read an independent Bernoulli trial with p = 1 - exp(-rate). The place
 * has a grain of 2^-24 of its layer's width, so that probabilities are true to about 1e-7 of themselves.
 */
#ifndef SNNSIM_HW_READ_GAP_H
#define SNNSIM_HW_READ_GAP_H

#include <snnsim/random.h>
#include <stdbool.h>

#define SNN_GAP_LAYERS 256
#define SNN_GAP_WORDS 256 /* most words that are made at a time */
/* Below this rate per cell (1e-16) no run of any length sees an error, and gaps would leave 64 bits. */
#define SNN_GAP_LEAST_RATE 0x1p-53

typedef struct {
    struct {
        uint32_t width;  /* of the layer / 2^25 / rate, fixed point: place 2 j + 1 times it is the gap */
        uint32_t accept; /* places j below this need no further test */
    } layer[SNN_GAP_LAYERS];
    double edge[SNN_GAP_LAYERS + 1], density[SNN_GAP_LAYERS + 1]; /* x of a layer's end, exp(-x) */
    uint64_t tail;                                                /* the tail's begin, fixed point */
    int shift;                                                    /* bits behind the point */
    double unit;                                                  /* 2^-shift */
} snn_gap_table;

/* rate >= SNN_GAP_LEAST_RATE. */
void snn_gap_table_init(snn_gap_table *t, double rate);

/* Words of one stream (seed, purpose, index), made in blocks. */
typedef struct {
    uint64_t seed, index, block; /* next block */
    snn_purpose purpose;
    uint32_t at, n, ahead; /* words at hand; words to make next */
    uint32_t word[SNN_GAP_WORDS];
} snn_gap_source;

/* expected: about how many words will be asked for (affects speed only). */
void snn_gap_start(snn_gap_source *s, uint64_t seed, snn_purpose purpose, uint64_t index, double expected);
void snn_gap_refill(snn_gap_source *s);
static inline uint32_t snn_gap_word(snn_gap_source *s) {
    if (s->at == s->n)
        snn_gap_refill(s);
    return s->word[s->at++];
}

/* The gap of a word that was not accepted at once, and of what follows it. */
uint64_t snn_gap_rest(const snn_gap_table *t, snn_gap_source *s, uint32_t word);

/* E / rate as fixed point with t->shift bits behind the point. */
static inline uint64_t snn_gap_fixed(const snn_gap_table *t, snn_gap_source *s) {
    const uint32_t word = snn_gap_word(s), place = word >> 8;
    if (__builtin_expect(place < t->layer[word & 0xff].accept, 1))
        return (uint64_t)(2 * place + 1) * t->layer[word & 0xff].width;
    return snn_gap_rest(t, s, word);
}
/* Cells read well before the next error. */
static inline uint64_t snn_gap_cells(const snn_gap_table *t, snn_gap_source *s) {
    return snn_gap_fixed(t, s) >> t->shift;
}
static inline double snn_gap_real(const snn_gap_table *t, snn_gap_source *s) {
    return (double)snn_gap_fixed(t, s) * t->unit;
}

#endif
