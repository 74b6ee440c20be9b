/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the ledger: the parts of a chip, each adding its rows. ledger.c (the list and its totals), ledger_word.c (what a row word holds), ledger_digital.c, ledger_analog.c
 * (one way of read-out each), ledger_parts.c (what both have).
 */
#ifndef SNNSIM_HW_LEDGER_H
#define SNNSIM_HW_LEDGER_H

#include "constants.h"

#include <snnsim/ledger.h>

#define SNN_LEDGER_FJ 1e-3 /* pJ */

typedef struct {
    const snn_chips_result *run;
    const snn_net *net;
    const snn_map *map;
    const snn_hw_options *options;
    const snn_weights *stored;
    double inferences; /* chips x samples */
    snn_ledger *ledger;
    snn_error *err;
} snn_ledger_job;

/* Appends a row; total = count * unit_value, derivation from the format. */
bool snn_ledger_add(snn_ledger *l, snn_ledger_row row, snn_error *err, const char *derivation, ...)
    SNN_PRINTF(4, 5);

/* ---- ledger_word.c ---- */

typedef enum { SNN_CELL_LOWEST, SNN_CELL_BETWEEN, SNN_CELL_HIGHEST, SNN_CELL_STATES } snn_cell_state;

/* What one read of a row word of a tensor touches: one row in each of the arrays beside each other, in their columns that are in use. Digital read-out. */
typedef struct {
    double cells;                         /* check cells included */
    double comparisons;                   /* levels - 1 of each cell */
    double state[SNN_CELL_STATES];        /* cells by what they hold, mean over rows */
    double microsiemens[SNN_CELL_STATES]; /* mean target conductance of these */
    double words, gates; /* SEC-DED: code words that hold data, XOR gates of their syndromes */
    double switches;     /* placement of the most significant bits: 2-to-1 multiplexers */
} snn_row_word;
bool snn_ledger_word(const snn_ledger_job *j, const snn_map_tensor *t, snn_row_word *w);
/* XOR gates of the syndromes of all code words that an array has columns for. */
bool snn_ledger_array_gates(const snn_ledger_job *j, double *gates);

/* ---- ledger_digital.c, ledger_analog.c ---- */

/* Is this the recurrent tensor of its layer? Its reads are counted apart, and its neurons are those of the layer's other tensor. */
bool snn_ledger_recurrent(const snn_ledger_job *j, const snn_map_tensor *t);
bool snn_ledger_digital(const snn_ledger_job *j, const snn_map_tensor *t);
bool snn_ledger_analog(const snn_ledger_job *j);
/* One read of all row words of one line: array, sense amplifiers, drivers. Needs no run. */
bool snn_ledger_line(const snn_ledger_job *j, const snn_map_tensor *t);

/* ---- ledger_parts.c ---- */

double snn_ledger_constant(snn_constant_index i);
const char *snn_ledger_source(snn_constant_index i); /* "assumption" for what has none */
snn_ledger_row snn_ledger_energy(const char *part, int layer, double count, const char *counted, double pj);
snn_ledger_row snn_ledger_latency(const char *part, int layer, double count, const char *counted, double ns);
/* Word lines of arrays: wire capacitance charged to the read voltage; gates of the access transistors are left out. */
bool snn_ledger_drivers(const snn_ledger_job *j, const char *name, int layer, double lines);
bool snn_ledger_neurons(const snn_ledger_job *j, const snn_map_tensor *t);
bool snn_ledger_programming(const snn_ledger_job *j);
bool snn_ledger_area(const snn_ledger_job *j);

#endif
