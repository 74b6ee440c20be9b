/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ledger: what one read of a row word of a layer touches, counted from the map and the stored weights. */
#include "ledger.h"
#include "repair.h"

static void add_cells(snn_row_word *w, snn_cell_state state, double cells, double microsiemens) {
    w->state[state] += cells;
    w->microsiemens[state] += cells * microsiemens;
}

/* Weights of all rows. The last cell of a weight may hold fewer bits: it has its own highest level. */
static void count_weights(const snn_ledger_job *j, const snn_map_tensor *t, snn_row_word *w) {
    const snn_tensor *x = &j->stored->tensor[t->tensor];
    const snn_device *d = &j->options->device;
    for (uint64_t i = 0; i < x->count; i++) {
        uint8_t level[16];
        snn_map_levels(j->map, t, x->code8[i], level);
        for (uint32_t c = 0; c < t->cells; c++) {
            uint32_t first;
            const int top = (1 << snn_map_cell_bits(j->map, t, c, &first)) - 1;
            const double g = d->g_min + (d->g_max - d->g_min) * level[c] / top;
            add_cells(w,
                      level[c] == 0     ? SNN_CELL_LOWEST
                      : level[c] == top ? SNN_CELL_HIGHEST
                                        : SNN_CELL_BETWEEN,
                      1, g);
        }
    }
}

/* XOR gates of the syndrome of a word of n data bits: a check bit and the data bits that it covers. */
static double syndrome_gates(const snn_secded *s, uint32_t n) {
    int gates = 0;
    for (uint32_t i = 0; i < n; i++)
        gates += __builtin_popcount(s->column[i]);
    return gates;
}

static void count_code_words(const snn_ledger_job *j, const snn_map_tensor *t, const snn_secded *s,
                             snn_row_word *w) {
    const snn_map *m = j->map;
    const snn_device *d = &j->options->device;
    for (uint32_t k = 0; k < t->row_tiles * t->column_tiles; k++) {
        const snn_map_tile tile = snn_map_tile_at(m, t->first_tile + k);
        for (uint32_t word = 0; word < m->words; word++) {
            const uint32_t n = snn_secded_word_bits(m, &tile, word);
            if (n == 0)
                break;
            w->words += k < t->column_tiles;
            w->gates += k < t->column_tiles ? syndrome_gates(s, n) : 0;
            int ones = 0;
            for (uint32_t row = 0; row < tile.rows; row++)
                ones += __builtin_popcount(snn_secded_word_check(s, m, j->stored, &tile, row, word));
            add_cells(w, SNN_CELL_HIGHEST, ones, d->g_max);
            add_cells(w, SNN_CELL_LOWEST, (double)tile.rows * m->check_bits - ones, d->g_min);
        }
    }
}

bool snn_ledger_word(const snn_ledger_job *j, const snn_map_tensor *t, snn_row_word *w) {
    *w = (snn_row_word){0};
    count_weights(j, t, w);
    for (uint32_t c = 0; c < t->cells; c++) {
        uint32_t first;
        w->comparisons += t->outputs * ((1 << snn_map_cell_bits(j->map, t, c, &first)) - 1.0);
    }
    if (j->map->options.code_bits != 0) {
        snn_secded s;
        if (!snn_secded_init(&s, j->map->options.code_bits, j->err))
            return false;
        count_code_words(j, t, &s, w);
        w->comparisons += w->words * j->map->check_bits;
    }
    for (int k = 0; k < SNN_CELL_STATES; k++) {
        w->microsiemens[k] = w->state[k] > 0 ? w->microsiemens[k] / w->state[k] : 0;
        w->state[k] /= t->fan_in;
        w->cells += w->state[k];
    }
    w->switches = j->options->msb_placement ? (double)t->outputs * t->cells * (t->cells - 1) : 0;
    return true;
}

bool snn_ledger_array_gates(const snn_ledger_job *j, double *gates) {
    const snn_map *m = j->map;
    *gates = 0;
    if (m->options.code_bits == 0)
        return true;
    snn_secded s;
    if (!snn_secded_init(&s, m->options.code_bits, j->err))
        return false;
    for (uint32_t first = 0; first < m->options.columns; first += m->options.code_bits) {
        const uint32_t left = m->options.columns - first;
        *gates += syndrome_gates(&s, left < s.data_bits ? left : s.data_bits);
    }
    return true;
}
