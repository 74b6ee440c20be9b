/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The harm that faulty cells do to an array, kept up to date while lines move. */
#include "repair_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- harm of one cell ---- */

/* What a cell with n bits that is stuck reads as: its lowest or its highest level. */
static uint32_t stuck_bits(const snn_map *map, snn_cell_fault fault, uint32_t n) {
    return snn_map_bits(map, fault == SNN_CELL_STUCK_LRS ? (1U << n) - 1 : 0, (int)n);
}

/* What a weight holds and what is read of it with a fault in the cell at logical (row, column); false: no weight is stored there. */
static bool read_weight(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault,
                        uint32_t *code, uint32_t *read) {
    const snn_map_tensor *t = w->tensor;
    uint32_t lane = column / t->cells, first;
    if (lane >= w->tile.outputs || row >= w->tile.rows || fault == SNN_CELL_WORKS)
        return false;
    uint64_t index = (uint64_t)(w->tile.first_output + lane) * t->fan_in + w->tile.first_row + row;
    *code = w->stored->tensor[w->tile.tensor].code8[index];
    uint32_t n = snn_map_cell_bits(w->map, t, column % t->cells, &first);
    uint32_t shift = (uint32_t)t->bits - first - n, mask = ((1U << n) - 1) << shift;
    *read = (*code & ~mask) | stuck_bits(w->map, fault, n) << shift;
    return true;
}

uint32_t snn_repair_change(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault) {
    const snn_map_tensor *t = w->tensor;
    uint32_t code, read;
    if (!read_weight(w, row, column, fault, &code, &read))
        return 0;
    return (uint32_t)abs(snn_code_value(t->encoding, t->bits, read) -
                         snn_code_value(t->encoding, t->bits, code));
}

/* Is a check cell that is stuck wrong? */
static bool check_cell_wrong(snn_repair_work *w, uint32_t row, uint32_t check, snn_cell_fault fault) {
    uint32_t k = check / w->map->check_bits;
    if (fault == SNN_CELL_WORKS || snn_secded_word_bits(w->map, &w->tile, k) == 0)
        return false;
    snn_repair_word *word = &w->word[(size_t)row * w->words + k];
    if (word->check < 0)
        word->check = (int32_t)snn_secded_word_check(&w->code, w->map, w->stored, &w->tile, row, k);
    return ((uint32_t)word->check >> check % w->map->check_bits & 1) != (fault == SNN_CELL_STUCK_LRS);
}

/* ---- a faulty cell and its word ---- */

/* The word that a logical cell belongs to. */
static snn_repair_word *word_of(const snn_repair_work *w, uint32_t row, uint32_t column) {
    const snn_map *map = w->map;
    uint32_t k = map->words == 0                 ? 0
                 : column < map->options.columns ? column / map->options.code_bits
                                                 : (column - map->options.columns) / map->check_bits;
    return &w->word[(size_t)row * w->words + k];
}

static uint64_t harm_of(const snn_repair_work *w, const snn_repair_word *word) {
    return word->wrong > w->harmless ? word->sum : 0;
}

/* Logical place of a faulty cell; false: it stands on no line in use. */
static bool find(const snn_repair_work *w, size_t i, uint32_t *row, uint32_t *column) {
    *row = w->row_of[w->faulty[i].row];
    *column = w->column_of[w->faulty[i].column];
    return *row != SNN_NO_LINE && *row < w->tile.rows && *column != SNN_NO_LINE;
}

/* Adds a wrong cell to its word, or takes it away. */
static void count(snn_repair_work *w, size_t i, uint32_t row, uint32_t column, bool add) {
    snn_repair_word *word = word_of(w, row, column);
    uint64_t before = harm_of(w, word);
    word->wrong += add ? 1U : 0U - 1U; /* modulo 2^32, as below 2^64 */
    word->sum += add ? w->change[i] : 0U - w->change[i];
    uint64_t step = harm_of(w, word) - before;
    w->row_harm[row] += step;
    w->harm += step;
}

/* A faulty cell came to stand where its lines are now, or is about to leave. */
static void arrive(snn_repair_work *w, size_t i) {
    uint32_t row, column, code, read, data = w->map->options.columns;
    snn_cell_fault fault = w->faulty[i].fault;
    if (!find(w, i, &row, &column))
        return;
    w->change[i] = 0;
    if (column >= data)
        w->wrong[i] = check_cell_wrong(w, row, column - data, fault);
    else { /* the sign of a 0 is wrong without a change: words are made of bits, not of values */
        w->wrong[i] = read_weight(w, row, column, fault, &code, &read) && read != code;
        w->change[i] = (uint8_t)snn_repair_change(w, row, column, fault); /* at most 255 with 8 bits */
    }
    if (w->wrong[i])
        count(w, i, row, column, true);
}

static void leave(snn_repair_work *w, size_t i) {
    uint32_t row, column;
    if (w->wrong[i] && find(w, i, &row, &column))
        count(w, i, row, column, false);
    w->wrong[i] = false;
}

/* ---- lines ---- */

static void each_in_row(snn_repair_work *w, uint32_t at, void (*what)(snn_repair_work *, size_t)) {
    for (size_t i = w->row_first[at]; i < w->row_first[at + 1]; i++)
        what(w, w->in_row[i]);
}

static void each_in_column(snn_repair_work *w, uint32_t at, void (*what)(snn_repair_work *, size_t)) {
    for (size_t i = w->column_first[at]; i < w->column_first[at + 1]; i++)
        what(w, w->in_column[i]);
}

void snn_repair_move_row(snn_repair_work *w, uint32_t row, uint32_t to) {
    each_in_row(w, w->row[row], leave);
    w->row_of[w->row[row]] = SNN_NO_LINE;
    w->row[row] = to;
    w->row_of[to] = row;
    each_in_row(w, to, arrive);
}

void snn_repair_move_columns(snn_repair_work *w, uint32_t first, uint32_t n, const uint32_t *to) {
    for (uint32_t i = 0; i < n; i++)
        each_in_column(w, w->column[first + i], leave);
    for (uint32_t i = 0; i < n; i++)
        w->column_of[w->column[first + i]] = SNN_NO_LINE;
    for (uint32_t i = 0; i < n; i++) {
        w->column[first + i] = to[i];
        w->column_of[to[i]] = first + i;
    }
    for (uint32_t i = 0; i < n; i++)
        each_in_column(w, to[i], arrive);
}

uint64_t snn_repair_row_gain(const snn_repair_work *w, uint32_t row) {
    return w->row_harm[row];
}

uint64_t snn_repair_column_gain(const snn_repair_work *w, uint32_t column) {
    uint32_t at = w->column[column], row, same;
    uint64_t gain = 0;
    for (size_t i = w->column_first[at]; i < w->column_first[at + 1]; i++) {
        size_t k = w->in_column[i];
        if (!w->wrong[k] || !find(w, k, &row, &same))
            continue;
        const snn_repair_word *word = word_of(w, row, column); /* a word has one cell in a column */
        snn_repair_word without = {.wrong = word->wrong - 1, .sum = word->sum - w->change[k]};
        gain += harm_of(w, word) - harm_of(w, &without);
    }
    return gain;
}

/* ---- beginning and end ---- */

/* Faulty cells by line (counting sort): order[first[l] .. first[l + 1] - 1] are those of line l. */
static void sort_faulty(const snn_repair_work *w, bool by_row, size_t *first, uint32_t lines, size_t *order) {
    for (size_t i = 0; i < w->n; i++)
        first[(by_row ? w->faulty[i].row : w->faulty[i].column) + 1]++;
    for (uint32_t l = 0; l < lines; l++)
        first[l + 1] += first[l];
    for (size_t i = w->n; i-- > 0;) { /* from behind: first[l + 1] goes down to where line l begins */
        uint32_t l = by_row ? w->faulty[i].row : w->faulty[i].column;
        order[--first[l + 1]] = i;
    }
    memmove(first, first + 1, lines * sizeof *first);
    first[lines] = w->n;
}

static bool allocate(snn_repair_work *w, snn_error *err) {
    static const char what[] = "repair";
    size_t rows = w->map->all_rows, columns = w->map->all_columns;
    w->wrong = snn_alloc(w->n, sizeof *w->wrong, what, err);
    w->change = snn_alloc(w->n, sizeof *w->change, what, err);
    w->row_first = snn_alloc(rows + 1, sizeof *w->row_first, what, err);
    w->column_first = snn_alloc(columns + 1, sizeof *w->column_first, what, err);
    w->in_row = snn_alloc(w->n, sizeof *w->in_row, what, err);
    w->in_column = snn_alloc(w->n, sizeof *w->in_column, what, err);
    w->row_of = snn_alloc(rows, sizeof *w->row_of, what, err);
    w->column_of = snn_alloc(columns, sizeof *w->column_of, what, err);
    w->word = snn_alloc((size_t)w->tile.rows * w->words, sizeof *w->word, what, err);
    w->row_harm = snn_alloc(w->tile.rows, sizeof *w->row_harm, what, err);
    return w->wrong && w->change && w->row_first && w->column_first && w->in_row && w->in_column &&
           w->row_of && w->column_of && w->word && w->row_harm;
}

static void begin_in_place(snn_repair_work *w) {
    const snn_map *map = w->map;
    uint32_t rows = map->options.rows, columns = map->options.columns + map->check_columns;
    for (uint32_t i = 0; i < map->all_rows; i++)
        w->row_of[i] = i < rows ? i : SNN_NO_LINE;
    for (uint32_t i = 0; i < map->all_columns; i++)
        w->column_of[i] = i < columns ? i : SNN_NO_LINE;
    for (size_t i = 0; i < (size_t)w->tile.rows * w->words; i++)
        w->word[i].check = -1;
    for (size_t i = 0; i < w->n; i++)
        arrive(w, i);
}

bool snn_repair_begin(snn_repair_work *w, const snn_map *map, const snn_weights *stored, uint32_t tile,
                      const snn_faulty_cell *faulty, size_t n, uint32_t *row, uint32_t *column,
                      snn_error *err) {
    *w = (snn_repair_work){.map = map,
                           .stored = stored,
                           .tile = snn_map_tile_at(map, tile),
                           .n = n,
                           .faulty = faulty,
                           .row = row,
                           .column = column,
                           .words = map->words != 0 ? map->words : 1,
                           .harmless = map->words != 0};
    w->tensor = &map->tensor[w->tile.tensor];
    if ((map->words != 0 && !snn_secded_init(&w->code, map->options.code_bits, err)) || !allocate(w, err)) {
        snn_repair_end(w);
        return false;
    }
    sort_faulty(w, true, w->row_first, map->all_rows, w->in_row);
    sort_faulty(w, false, w->column_first, map->all_columns, w->in_column);
    begin_in_place(w);
    return true;
}

void snn_repair_end(snn_repair_work *w) {
    free(w->wrong);
    free(w->change);
    free(w->row_first);
    free(w->column_first);
    free(w->in_row);
    free(w->in_column);
    free(w->row_of);
    free(w->column_of);
    free(w->word);
    free(w->row_harm);
}
