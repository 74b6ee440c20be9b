/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of repair: one array with its faulty cells, where its logical lines stand, and the harm that this does (repair_harm.c). Lines are moved one by one or a lane at a
 * time, and the harm follows; repair.c and repair_spares.c try moves and keep those that help.
 */
#ifndef SNNSIM_HW_REPAIR_INTERNAL_H
#define SNNSIM_HW_REPAIR_INTERNAL_H

#include "repair.h"

#define SNN_NO_LINE UINT32_MAX /* no logical line stands there */

typedef struct {
    const snn_map *map;
    const snn_map_tensor *tensor;
    const snn_weights *stored;
    snn_map_tile tile;
    snn_secded code; /* with SEC-DED */
    size_t n;
    const snn_faulty_cell *faulty; /* [n] */
    size_t *row_first,
        *in_row; /* faulty cells of physical row R: in_row[row_first[R] .. row_first[R + 1] - 1] */
    size_t *column_first, *in_column;
    uint32_t *row, *column; /* physical line of a logical one: the array's part of snn_repair's tables */
    uint32_t *row_of,
        *column_of; /* [all_rows], [all_columns] logical line on a physical one, or SNN_NO_LINE */
    uint64_t *row_harm, *column_harm; /* of logical lines */
    uint64_t harm;                    /* of the array */
    uint32_t *wrong;                  /* [words] scratch: wrong cells of each word of a row */
    uint32_t *list, listed;           /* [rows] scratch: rows that a move of columns touches */
    bool *touched;                    /* [rows] */
} snn_repair_work;

/* Faulty cells sorted, every line in its place, harm counted. Errors: RUNTIME (memory). */
bool snn_repair_begin(snn_repair_work *w, const snn_map *map, const snn_weights *stored, uint32_t tile,
                      const snn_faulty_cell *faulty, size_t n, uint32_t *row, uint32_t *column,
                      snn_error *err);
void snn_repair_end(snn_repair_work *w);

/* Change of the weight's value when a fault holds logical data cell (row, column); 0 when it holds what it should, or holds no weight. */
uint64_t snn_repair_change(const snn_repair_work *w, uint32_t row, uint32_t column, snn_cell_fault fault);

/* Logical row to physical row; logical columns first .. first + n - 1 (n <= 8) to physical columns to[]. Targets are free, or among the columns that move. */
void snn_repair_move_row(snn_repair_work *w, uint32_t row, uint32_t to);
void snn_repair_move_columns(snn_repair_work *w, uint32_t first, uint32_t n, const uint32_t *to);

/* Puts lines onto spares as long as that helps (repair_spares.c). Errors: RUNTIME (memory). */
bool snn_repair_use_spares(snn_repair_work *w, snn_error *err);

#endif
