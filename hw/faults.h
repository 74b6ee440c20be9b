/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stuck cells of one chip: by the device's shares, in clusters or not, or as listed in a file.
 *
 * By shares, a cell of a physical row is drawn anew with probability 1 / m, where m is the device's stuck_cluster, else it has the state of its left neighbour; the first cell of a
 * row is always drawn. A drawn cell is stuck at HRS or LRS with the device's shares. So every cell is stuck with exactly the device's share, a cluster (from one draw to
 * the next) has m cells in the mean, runs of stuck cells have m / (1 - share), and m = 1 makes cells independent. One word of the cell's stream decides both: below
 * share / m it is a draw that says stuck, below 1 / m a draw that says it works; so a cell's state is found by looking left up to the nearest draw, m cells in the mean.
 * Shares are multiples of 2^-32.
 */
#ifndef SNNSIM_HW_FAULTS_H
#define SNNSIM_HW_FAULTS_H

#include "cells.h"
#include "repair.h"

/* Ascending by tile, row, column. */
typedef struct {
    size_t n, capacity;
    snn_faulty_cell *cell;
} snn_fault_list;

typedef struct {
    const snn_map *map;
    snn_cell_stream stream;
    bool by_share;
    /* A word below is: hrs, a draw that says stuck at HRS; any, stuck; draw, a draw. Up to 2^32. first_*: of a row's first cell. */
    uint64_t hrs, any, draw, first_hrs, first_any;
    /* by file: cells of tile t are first[t] .. first[t + 1] - 1 of list */
    size_t *first; /* [tiles + 1]; NULL: not by file */
    snn_fault_list list;
    bool borrowed; /* first and list belong to somebody else */
} snn_faults;

/* Of chip `chip`: by the options' fault map if there is one, else by the device's shares where the effect acts, else none. Errors: DATA (file and place), RUNTIME. */
bool snn_faults_init(snn_faults *f, const snn_map *map, const snn_hw_options *o, uint64_t seed, uint64_t chip,
                     snn_error *err);
/* By the shares of a device. */
void snn_faults_by_share(snn_faults *f, const snn_map *map, const snn_device *d, uint64_t seed,
                         uint64_t chip);
/* From a list that ascends by number of the cell, taking its memory: tile of entry i is tile[i]. For chip files. */
bool snn_faults_from_list(snn_faults *f, const snn_map *map, snn_fault_list *list, const uint32_t *tile,
                          snn_error *err);
/* The faults of a fault map that was read before, which must outlive these. */
void snn_faults_borrow(snn_faults *f, const snn_faults *read);
void snn_faults_free(snn_faults *f);
/* Can there be any? */
bool snn_faults_some(const snn_faults *f);

/* State of one physical cell. */
snn_cell_fault snn_faults_at(const snn_faults *f, const snn_cell *physical);
/* All faulty cells of physical rows first .. first + n - 1 of an array, ascending, appended to the list. 0.6 ns per cell with AVX-512 (all 9.5 M cells of N-MNIST: 6 ms). */
bool snn_faults_of_rows(const snn_faults *f, uint32_t tile, uint32_t first, uint32_t n, snn_fault_list *list,
                        snn_error *err);
bool snn_fault_list_add(snn_fault_list *list, uint32_t row, uint32_t column, snn_cell_fault fault,
                        snn_error *err);

/* Reads a fault map (hw.fault_map): .npy uint8 [arrays][rows][columns] of physical cells, check and spare lines included, 0 works, 1 stuck at HRS, 2 stuck at LRS; or text lines
 * "array row column stuck_hrs|stuck_lrs" in any order, '#' begins a comment. Errors: DATA with file and place. */
bool snn_faults_read(snn_faults *f, const char *path, snn_error *err);

#endif
