/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Repair of stuck cells in digital read-out: spare rows and columns, and the order of the columns of a lane ("most significant bits away from faulty cells").
 *
 * Decided array by array when a chip is programmed, from its faulty cells and from what is to be stored: a cell that is stuck at what it should hold does no harm.
 * Harm of an array = sum over its weights' wrong cells of |change of q| (a wrong sign counts 2|q|, a wrong bit of significance s counts 2^s); with SEC-DED only cells of words with
 * two or more wrong cells count, as a single one is corrected.
 *
 *   spares    greedy, as in the repair of memories: the row or column that does most harm goes to the spare that lowers the array's harm most (spares may be faulty
 *             themselves), until no spare helps; then spares are given to other lines one by one as long as that lowers the harm. Also with all rows first, and all
 *             columns first; the best of the three stays
 *   placement exact: the assignment of a lane's cells (at most 8) to its columns that has the least harm (dynamic programme over sets of columns); before the spares, and once
 *             more after them
 */
#ifndef SNNSIM_HW_REPAIR_H
#define SNNSIM_HW_REPAIR_H

#include "secded.h"

#include <snnsim/chip.h>

/* Which physical row and column holds a logical one. Without repair both tables are NULL: everything stands where the map says. */
typedef struct {
    uint32_t rows, columns; /* logical lines of an array: rows; data and check columns */
    uint32_t tiles;
    uint32_t *row;                            /* [tiles][rows] */
    uint32_t *column;                         /* [tiles][columns] */
    uint64_t rows_replaced, columns_replaced; /* lines that stand on a spare */
    uint64_t lanes_permuted;
    uint64_t harm_before, harm_after; /* over all arrays that snn_repair_array saw */
} snn_repair;

/* Everything in its place. Tables are allocated when the options have spares or placement. */
bool snn_repair_init(snn_repair *r, const snn_map *map, bool msb_placement, snn_error *err);
void snn_repair_free(snn_repair *r);

static inline snn_cell snn_repair_place(const snn_repair *r, snn_cell logical) {
    if (r->row != NULL) {
        logical.row = r->row[(size_t)logical.tile * r->rows + logical.row];
        logical.column = r->column[(size_t)logical.tile * r->columns + logical.column];
    }
    return logical;
}

/* A faulty physical cell of an array. */
typedef struct {
    uint32_t row, column; /* < all_rows, < all_columns */
    snn_cell_fault fault;
} snn_faulty_cell;

/* Decides the repair of one array (each once, in any order, one thread at a time for each r) from its n faulty cells, each once, in any order. `stored` are the codes that go
 * into the cells, and fit the map. Also keeps the counts. Errors: RUNTIME (memory). */
bool snn_repair_array(snn_repair *r, const snn_map *map, const snn_weights *stored, bool msb_placement,
                      uint32_t tile, const snn_faulty_cell *faulty, size_t n, snn_error *err);

/* Is a table that was read from a file possible: every line within the array, none used twice, columns of a lane or spares only? DATA error naming the array. Sets the counts of
 * lines and lanes from the tables. */
bool snn_repair_check(snn_repair *r, const snn_map *map, snn_error *err);

/* Data bits in use of code word `word` of a row of an array (0: the word lies behind the last lane in use). */
uint32_t snn_secded_word_bits(const snn_map *map, const snn_map_tile *tile, uint32_t word);
/* Check bits that stand beside the data of row `row`, word `word`, of an array that stores `stored`. */
uint32_t snn_secded_word_check(const snn_secded *s, const snn_map *map, const snn_weights *stored,
                               const snn_map_tile *tile, uint32_t row, uint32_t word);

#endif
