/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The harm that faulty cells do to an array, kept up to date while lines move. */
#include "repair_internal.h"

#include <assert.h>
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

uint64_t snn_repair_change(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault) {
    const snn_map_tensor *t = w->tensor;
    uint32_t code, read;
    if (!read_weight(w, row, column, fault, &code, &read))
        return 0;
    return (uint64_t)abs(snn_code_value(t->encoding, t->bits, read) -
                         snn_code_value(t->encoding, t->bits, code));
}

/* Is a data cell that is stuck wrong? The sign of a 0 counts, too: code words are made of bits, not of values. */
static bool data_cell_wrong(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault) {
    uint32_t code, read;
    return read_weight(w, row, column, fault, &code, &read) && read != code;
}

/* Is a check cell that is stuck wrong? */
static bool check_cell_wrong(const snn_repair_work *w, uint32_t row, uint32_t check, snn_cell_fault fault) {
    uint32_t word = check / w->map->check_bits;
    if (fault == SNN_CELL_WORKS || snn_secded_word_bits(w->map, &w->tile, word) == 0)
        return false;
    uint32_t stored = snn_secded_word_check(&w->code, w->map, w->stored, &w->tile, row, word);
    return (stored >> check % w->map->check_bits & 1) != (fault == SNN_CELL_STUCK_LRS);
}

/* ---- harm of one row ---- */

/* Number of the code word that a logical column belongs to. */
static uint32_t word_of(const snn_map *map, uint32_t column) {
    return column < map->options.columns ? column / map->options.code_bits
                                         : (column - map->options.columns) / map->check_bits;
}

/* Counts wrong cells of each word of a logical row into w->wrong, or with `clear` sets these counts back to 0. */
static void count_wrong(const snn_repair_work *w, uint32_t row, bool clear) {
    uint32_t at = w->row[row], data = w->map->options.columns;
    for (size_t i = w->row_first[at]; i < w->row_first[at + 1]; i++) {
        const snn_faulty_cell *f = &w->faulty[w->in_row[i]];
        uint32_t column = w->column_of[f->column];
        if (column == SNN_NO_LINE)
            continue;
        uint32_t *count = &w->wrong[word_of(w->map, column)];
        if (clear)
            *count = 0;
        else
            *count += column < data ? data_cell_wrong(w, row, column, f->fault)
                                    : check_cell_wrong(w, row, column - data, f->fault);
    }
}

/* Adds (or takes away) what the faulty cells of a logical row do. A code word with one wrong cell does no harm. */
static void account_row(snn_repair_work *w, uint32_t row, bool add) {
    uint32_t at = w->row[row];
    bool words = w->map->words != 0;
    if (w->row_first[at] == w->row_first[at + 1])
        return;
    if (words)
        count_wrong(w, row, false);
    for (size_t i = w->row_first[at]; i < w->row_first[at + 1]; i++) {
        const snn_faulty_cell *f = &w->faulty[w->in_row[i]];
        uint32_t column = w->column_of[f->column];
        if (column == SNN_NO_LINE || column >= w->map->options.columns ||
            (words && w->wrong[word_of(w->map, column)] < 2))
            continue;
        uint64_t harm = snn_repair_change(w, row, column, f->fault);
        uint64_t step = add ? harm : 0 - harm; /* modulo 2^64 */
        w->row_harm[row] += step;
        w->column_harm[column] += step;
        w->harm += step;
    }
    if (words)
        count_wrong(w, row, true);
}

/* ---- moves ---- */

void snn_repair_move_row(snn_repair_work *w, uint32_t row, uint32_t to) {
    account_row(w, row, false);
    w->row_of[w->row[row]] = SNN_NO_LINE;
    w->row[row] = to;
    w->row_of[to] = row;
    account_row(w, row, true);
}

/* Takes the rows with faulty cells in a physical column out of the account, each once. */
static void touch_column(snn_repair_work *w, uint32_t column) {
    for (size_t i = w->column_first[column]; i < w->column_first[column + 1]; i++) {
        uint32_t row = w->row_of[w->faulty[w->in_column[i]].row];
        if (row == SNN_NO_LINE || row >= w->tile.rows || w->touched[row])
            continue;
        w->touched[row] = true;
        w->list[w->listed++] = row;
        account_row(w, row, false);
    }
}

void snn_repair_move_columns(snn_repair_work *w, uint32_t first, uint32_t n, const uint32_t *to) {
    for (uint32_t i = 0; i < n; i++) {
        touch_column(w, w->column[first + i]);
        touch_column(w, to[i]);
    }
    for (uint32_t i = 0; i < n; i++)
        w->column_of[w->column[first + i]] = SNN_NO_LINE;
    for (uint32_t i = 0; i < n; i++) {
        w->column[first + i] = to[i];
        w->column_of[to[i]] = first + i;
    }
    for (uint32_t i = 0; i < w->listed; i++) {
        w->touched[w->list[i]] = false;
        account_row(w, w->list[i], true);
    }
    w->listed = 0;
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

static bool allocate(snn_repair_work *w, const snn_repair *size, snn_error *err) {
    static const char what[] = "repair";
    size_t rows = w->map->all_rows, columns = w->map->all_columns;
    w->row_first = snn_alloc(rows + 1, sizeof *w->row_first, what, err);
    w->column_first = snn_alloc(columns + 1, sizeof *w->column_first, what, err);
    w->in_row = snn_alloc(w->n, sizeof *w->in_row, what, err);
    w->in_column = snn_alloc(w->n, sizeof *w->in_column, what, err);
    w->row_of = snn_alloc(rows, sizeof *w->row_of, what, err);
    w->column_of = snn_alloc(columns, sizeof *w->column_of, what, err);
    w->row_harm = snn_alloc(size->rows, sizeof *w->row_harm, what, err);
    w->column_harm = snn_alloc(size->columns, sizeof *w->column_harm, what, err);
    w->wrong = snn_alloc(w->map->words, sizeof *w->wrong, what, err);
    w->list = snn_alloc(size->rows, sizeof *w->list, what, err);
    w->touched = snn_alloc(size->rows, sizeof *w->touched, what, err);
    return w->row_first && w->column_first && w->in_row && w->in_column && w->row_of && w->column_of &&
           w->row_harm && w->column_harm && w->wrong && w->list && w->touched;
}

bool snn_repair_begin(snn_repair_work *w, const snn_map *map, const snn_weights *stored, uint32_t tile,
                      const snn_faulty_cell *faulty, size_t n, uint32_t *row, uint32_t *column,
                      snn_error *err) {
    snn_repair size = {.rows = map->options.rows, .columns = map->options.columns + map->check_columns};
    *w = (snn_repair_work){.map = map,
                           .stored = stored,
                           .tile = snn_map_tile_at(map, tile),
                           .n = n,
                           .faulty = faulty,
                           .row = row,
                           .column = column};
    w->tensor = &map->tensor[w->tile.tensor];
    if ((map->words != 0 && !snn_secded_init(&w->code, map->options.code_bits, err)) ||
        !allocate(w, &size, err)) {
        snn_repair_end(w);
        return false;
    }
    sort_faulty(w, true, w->row_first, map->all_rows, w->in_row);
    sort_faulty(w, false, w->column_first, map->all_columns, w->in_column);
    for (uint32_t i = 0; i < map->all_rows; i++)
        w->row_of[i] = i < size.rows ? i : SNN_NO_LINE;
    for (uint32_t i = 0; i < map->all_columns; i++)
        w->column_of[i] = i < size.columns ? i : SNN_NO_LINE;
    for (uint32_t i = 0; i < w->tile.rows; i++)
        account_row(w, i, true);
    return true;
}

void snn_repair_end(snn_repair_work *w) {
    free(w->row_first);
    free(w->column_first);
    free(w->in_row);
    free(w->in_column);
    free(w->row_of);
    free(w->column_of);
    free(w->row_harm);
    free(w->column_harm);
    free(w->wrong);
    free(w->list);
    free(w->touched);
}
