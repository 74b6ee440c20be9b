/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network, fast: the factorised lines, which circuit_fast.c makes and circuit_sweep.c reads. */
#ifndef SNN_CIRCUIT_FAST_H
#define SNN_CIRCUIT_FAST_H

#include "circuit_internal.h"

/* Word lines are solved side by side, LANES at a time, so that the compiler can use vector instructions: values of a word line lie in
 * blocks [rows / LANES][columns][LANES]; values of a bit line lie [rows][columns] already side by side. Rows are padded with rows without cells. */
#define LANES 8

struct snn_circuit_fast {
    int rows, columns;
    snn_wires wires;
    double row_rs, column_rs; /* MOhm of a segment, so that its product with uS has no unit */
    double *g;                /* blocks: conductance, uS */
    double *cell;             /* [rows][columns] the same, side by side for bit lines */
    double *word_m;     /* blocks: share of a current at a cell that reaches the one before; 1 at the first */
    double *word_end;   /* [rows] V/uA at the first cell, driven */
    double *word_float; /* [rows] V/uA at the first cell, floating */
    double *open;       /* [rows][columns] cell current for 1 V at the driver, all bit lines at 0 V, uA */
    double
        *bit_m; /* [rows][columns] share of a current at a cell that reaches the one behind; 1 at the last */
    double *bit_end; /* [columns] V/uA at the last cell */
    double *bit_out; /* [columns] share of the current at the last cell that is sensed */
};

#endif
