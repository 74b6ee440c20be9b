/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network of a crossbar: checks of what callers hand over, and the currents without wires. */
#include <math.h>

#include "circuit_internal.h"

static bool check_ohm(const char *name, double ohm, snn_error *err) {
    if (ohm == 0.0 || (ohm >= SNN_CIRCUIT_OHM_MIN && ohm <= SNN_CIRCUIT_OHM_MAX))
        return true;
    return snn_fail(err, SNN_ERR_USAGE, "%s resistance of %g Ohm: expected 0 or %g to %g", name, ohm,
                    SNN_CIRCUIT_OHM_MIN, SNN_CIRCUIT_OHM_MAX);
}

bool snn_circuit_check(int rows, int columns, const float *g_us, const snn_wires *wires, snn_error *err) {
    if (rows < 1 || columns < 1)
        return snn_fail(err, SNN_ERR_USAGE, "a crossbar of %d x %d cells: expected at least 1 x 1", rows,
                        columns);
    if ((long long)rows * columns > SNN_CIRCUIT_CELLS_MAX)
        return snn_fail(err, SNN_ERR_USAGE,
                        "a crossbar of %d x %d cells is too large to solve its wires: at most %d cells", rows,
                        columns, SNN_CIRCUIT_CELLS_MAX);
    if (!check_ohm("word-line", wires->row_ohm, err) || !check_ohm("bit-line", wires->column_ohm, err) ||
        !check_ohm("driver", wires->driver_ohm, err) || !check_ohm("sense", wires->sense_ohm, err))
        return false;
    if (!g_us)
        return true;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            double g = g_us[(size_t)r * (size_t)columns + (size_t)c];
            if (!(g >= 0.0 && g <= SNN_CIRCUIT_US_MAX))
                return snn_fail(err, SNN_ERR_DATA,
                                "conductance of %g uS in row %d, column %d: expected 0 to %g", g, r, c,
                                SNN_CIRCUIT_US_MAX);
        }
    return true;
}

bool snn_circuit_check_volts(int rows, const double *volts, snn_error *err) {
    for (int r = 0; r < rows; r++)
        if (!(fabs(volts[r]) <= SNN_CIRCUIT_VOLT_MAX))
            return snn_fail(err, SNN_ERR_DATA, "voltage of %g V on row %d: expected at most %g in magnitude",
                            volts[r], r, SNN_CIRCUIT_VOLT_MAX);
    return true;
}

void snn_circuit_ideal(int rows, int columns, const float *g_us, const double *volts, double *current_ua) {
    for (int c = 0; c < columns; c++)
        current_ua[c] = 0.0;
    for (int r = 0; r < rows; r++) {
        const float *g = g_us + (size_t)r * (size_t)columns;
        const double v = volts[r];
        for (int c = 0; c < columns; c++)
            current_ua[c] += (double)g[c] * v;
    }
}
