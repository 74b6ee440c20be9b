/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network, exactly: matrices that have the wires in them, so that reads become plain sums. */
#include <stdlib.h>
#include <string.h>

#include "circuit_exact.h"

/* Inputs that are solved together: CHOLMOD's simplicial solution walks the factor once for every four. */
#define BATCH 8

static bool transfer(snn_circuit *t, double *volts, double *x, double *current, float *transfer_us,
                     snn_error *err) {
    for (int first = 0; first < t->rows; first += BATCH) {
        const int n = t->rows - first < BATCH ? t->rows - first : BATCH;
        memset(volts, 0, (size_t)n * (size_t)t->rows * sizeof *volts);
        for (int k = 0; k < n; k++)
            volts[(size_t)k * (size_t)t->rows + (size_t)(first + k)] = 1.0;
        if (!snn_circuit_solve_batch(t, (size_t)n, volts, x, err))
            return false;
        for (int k = 0; k < n; k++) {
            snn_circuit_columns(t, volts + (size_t)k * (size_t)t->rows, x + (size_t)k * (size_t)t->nodes,
                                current);
            for (int c = 0; c < t->columns; c++)
                transfer_us[cell_of(t, first + k, c)] = (float)current[c];
        }
    }
    return true;
}

bool snn_circuit_transfer(snn_circuit *t, float *transfer_us, snn_error *err) {
    bool any = !t->factorised;
    for (int r = 0; r < t->rows; r++) {
        any |= t->cut[r];
        t->cut[r] = false;
    }
    if (any && !snn_circuit_factorise(t, err))
        return false;
    double *volts = snn_alloc((size_t)t->rows * BATCH, sizeof *volts, "inputs of a crossbar", err);
    double *x = volts ? snn_alloc((size_t)t->nodes * BATCH, sizeof *x, "voltages of a crossbar", err) : NULL;
    double *current =
        x ? snn_alloc((size_t)t->columns, sizeof *current, "currents of a crossbar", err) : NULL;
    const bool ok = current && transfer(t, volts, x, current, transfer_us, err);
    free(volts);
    free(x);
    free(current);
    return ok;
}

bool snn_circuit_effective(snn_circuit *t, const double *volts, float *effective_us, snn_error *err) {
    for (int r = 0; r < t->rows; r++)
        if (volts[r] == 0.0)
            return snn_fail(err, SNN_ERR_USAGE,
                            "the operating point of a crossbar has 0 V on row %d: effective conductances "
                            "need a voltage on every row",
                            r);
    double *current = snn_alloc((size_t)t->columns, sizeof *current, "currents of a crossbar", err);
    const bool ok = current && snn_circuit_solve(t, volts, current, NULL, err);
    free(current);
    if (!ok)
        return false;
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            const size_t i = cell_of(t, r, c);
            const double v = word_volts(t, volts, t->x, r, c) - bit_volts(t, t->x, r, c);
            effective_us[i] = (float)((double)t->g[i] * v / volts[r]);
        }
    return true;
}
