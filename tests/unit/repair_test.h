/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of repair share: faulty cells at random, and the harm of an array counted from scratch. */
#ifndef REPAIR_TEST_H
#define REPAIR_TEST_H

#include "../../hw/repair.h"
#include "hw_test.h"

#include <snnsim/random.h>

/* Faulty cells of one array: each with the given chance, half of them stuck at either state. The caller frees. */
static inline snn_faulty_cell *random_faults(const snn_map *m, uint64_t seed, double share, size_t *n) {
    snn_faulty_cell *f = malloc((size_t)m->all_rows * m->all_columns * sizeof *f + 1);
    snn_random r;
    assert_non_null(f);
    *n = 0;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 7);
    for (uint32_t row = 0; row < m->all_rows; row++)
        for (uint32_t column = 0; column < m->all_columns; column++)
            if (snn_random_uniform(&r) < share)
                f[(*n)++] = (snn_faulty_cell){
                    row, column, snn_random_below(&r, 2) ? SNN_CELL_STUCK_LRS : SNN_CELL_STUCK_HRS};
    return f;
}

/* Fault of every physical cell of an array, [all_rows][all_columns]. */
static inline uint8_t *fault_plane(const snn_map *m, const snn_faulty_cell *f, size_t n) {
    uint8_t *plane = calloc((size_t)m->all_rows * m->all_columns, 1);
    assert_non_null(plane);
    for (size_t i = 0; i < n; i++)
        plane[(size_t)f[i].row * m->all_columns + f[i].column] = (uint8_t)f[i].fault;
    return plane;
}

/* Bits that the cell at a logical place gives, when it should hold `bits` of n bits. */
static inline uint32_t test_read(const snn_map *m, const snn_repair *r, const uint8_t *plane,
                                 snn_cell logical, uint32_t bits, uint32_t n) {
    snn_cell at = snn_repair_place(r, logical);
    switch (plane[(size_t)at.row * m->all_columns + at.column]) {
    case SNN_CELL_STUCK_HRS:
        return 0;
    case SNN_CELL_STUCK_LRS: /* the highest level, 2^n - 1, is 10..0 in Gray code */
        return m->options.gray ? 1U << (n - 1) : (1U << n) - 1;
    default:
        return bits;
    }
}

/* Harm of an array where its lines stand now, by looking at every cell. */
static inline uint64_t test_harm(const snn_map *m, const snn_weights *w, const snn_repair *r, uint32_t tile,
                                 const uint8_t *plane) {
    snn_map_tile at = snn_map_tile_at(m, tile);
    const snn_map_tensor *t = &m->tensor[at.tensor];
    snn_secded code;
    if (m->words)
        assert_true(snn_secded_init(&code, m->options.code_bits, NULL));
    uint64_t harm = 0;
    uint32_t used = at.outputs * t->cells, word = m->words ? m->options.code_bits : used;
    for (uint32_t row = 0; row < at.rows; row++)
        for (uint32_t first = 0; first < used; first += word) {
            uint64_t spoilt = 0;
            uint32_t wrong = 0;
            for (uint32_t c = first; c < first + word && c < used; c++) {
                uint64_t index = (uint64_t)(at.first_output + c / t->cells) * t->fan_in + at.first_row + row;
                uint32_t q = w->tensor[at.tensor].code8[index], b,
                         n = snn_map_cell_bits(m, t, c % t->cells, &b);
                uint32_t shift = (uint32_t)t->bits - b - n, mask = (1U << n) - 1;
                uint32_t read = test_read(m, r, plane, (snn_cell){tile, row, c}, q >> shift & mask, n);
                uint32_t p = (q & ~(mask << shift)) | read << shift;
                wrong += p != q;
                spoilt += (uint64_t)abs(snn_code_value(t->encoding, t->bits, p) -
                                        snn_code_value(t->encoding, t->bits, q));
            }
            for (uint32_t i = 0; m->words && i < m->check_bits; i++) {
                uint32_t bit = snn_secded_word_check(&code, m, w, &at, row, first / word) >> i & 1;
                snn_cell cell = {tile, row, m->options.columns + first / word * m->check_bits + i};
                wrong += test_read(m, r, plane, cell, bit, 1) != bit;
            }
            harm += !m->words || wrong > 1 ? spoilt : 0;
        }
    return harm;
}

#endif
