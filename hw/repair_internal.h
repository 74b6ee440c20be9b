/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of repair: one array with its faulty cells, where its logical lines stand, and the harm that this does (repair_harm.c). Lines are moved one by one or a lane at a
 * time, and the harm follows; repair.c and repair_spares.c try moves and keep those that help.
 *
 * A word is a code word of a row; without SEC-DED a whole row counts as one. Wrong cells of a word do harm from the second one on (SEC-DED), or each of them.
 */
#ifndef SNNSIM_HW_REPAIR_INTERNAL_H
#define SNNSIM_HW_REPAIR_INTERNAL_H

#include "repair.h"

#define SNN_NO_LINE UINT32_MAX /* no logical line stands there */

typedef struct {
    uint32_t wrong; /* cells */
    uint32_t sum;   /* of their changes of q: at most SNN_ARRAY_MAX * 255 */
    int32_t check;  /* stored check bits; -1: not looked up yet */
} snn_repair_word;

typedef struct {
    const snn_map *map;
    const snn_map_tensor *tensor;
    const snn_weights *stored;
    snn_map_tile tile;
    snn_secded code; /* with SEC-DED */
    size_t n;
    const snn_faulty_cell *faulty; /* [n] */
    bool *wrong;                   /* [n] the cell is in use and reads something else than it should */
    uint8_t *change;               /* [n] what that changes of its weight's q */
    size_t *row_first,
        *in_row; /* faulty cells of physical row R: in_row[row_first[R] .. row_first[R + 1] - 1] */
    size_t *column_first, *in_column;
    uint32_t *row, *column; /* physical line of a logical one: the array's part of snn_repair's tables */
    uint32_t *row_of,
        *column_of; /* [all_rows], [all_columns] logical line on a physical one, or SNN_NO_LINE */
    uint32_t words,
        harmless;          /* words of a row; wrong cells of a word that do no harm: 1 with SEC-DED, else 0 */
    snn_repair_word *word; /* [rows in use][words] */
    uint64_t *row_harm;    /* [rows in use] */
    uint64_t harm;         /* of the array */
} snn_repair_work;

/* Faulty cells sorted, every line in its place, harm counted. Errors: RUNTIME (memory). */
bool snn_repair_begin(snn_repair_work *w, const snn_map *map, const snn_weights *stored, uint32_t tile,
                      const snn_faulty_cell *faulty, size_t n, uint32_t *row, uint32_t *column,
                      snn_error *err);
void snn_repair_end(snn_repair_work *w);

/* Change of the weight's value when a fault holds logical data cell (row, column); 0 when it holds what it should, or holds no weight. */
uint32_t snn_repair_change(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault);
/* Harm that would be gone with all faulty cells of a logical row or column. */
uint64_t snn_repair_row_gain(const snn_repair_work *w, uint32_t row);
uint64_t snn_repair_column_gain(const snn_repair_work *w, uint32_t column);

/* Logical row to physical row; logical columns first .. first + n - 1 to physical columns to[]. Targets are free, or among the columns that move. */
void snn_repair_move_row(snn_repair_work *w, uint32_t row, uint32_t to);
void snn_repair_move_columns(snn_repair_work *w, uint32_t first, uint32_t n, const uint32_t *to);

/* Puts lines onto spares as long as that helps (repair_spares.c). Errors: RUNTIME (memory). */
bool snn_repair_use_spares(snn_repair_work *w, snn_error *err);

#endif
