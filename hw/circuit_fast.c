/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resistive network, fast: every line factorised on its own, once for a set of conductances; and the currents by sweeps over all lines.
 *
 * With the bit lines' voltages given, every word line is a ladder of its own that one pass up and down solves, and the other way round. Alternating the two
 * (line relaxation) converges, but slowly where wires are long and cells conduct well. Eliminating the word lines leaves a symmetric positive definite system for
 * the bit lines alone, in which the bit lines' ladders are the preconditioner of conjugate gradients: the same two passes a sweep, with about the square root
 * of the number of sweeps.
 *
 * A ladder of segments rs, and at node i a conductance g_i and an injected current y_i, is eliminated from its far end as by Norton's theorem:
 *     e_i = g_i + m_(i+1) e_(i+1)   conductance seen from node i away from the end
 *     m_i = 1 / (1 + rs e_i)        share of a current at i that reaches i-1 (m_0 = 1)
 * and solved by y_i += m_(i+1) y_(i+1) towards the end, v_end = (y r + V) / (1 + e r) at the end (r: last segment and driver or sense resistance), and
 * v_i = m_i (v_(i-1) + rs y_i) back. Nothing is subtracted, so nothing cancels, and ideal wires (rs = 0) need no case of their own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "circuit_fast.h"

/* The far end of a word line is its last cell, and the near end its driver. Lanes of a block beyond the last row have no cells. */
static void factorise_words(snn_circuit_fast *f, double rs, double end) {
    for (int r = 0; r < f->rows; r++) {
        const size_t lane = (size_t)(r / LANES) * (size_t)f->columns * LANES + (size_t)(r % LANES);
        double e = 0.0;
        for (int c = f->columns - 1; c >= 0; c--) {
            const size_t i = lane + (size_t)c * LANES;
            e += f->g[i];
            f->word_m[i] = c > 0 ? 1.0 / (1.0 + rs * e) : 1.0;
            e *= f->word_m[i];
        }
        f->word_end[r] = (end / (1.0 + e * end));
        f->word_float[r] = (e > 0.0 ? 1.0 / e : 0.0);
        /* Share of the driver's voltage that stands at each cell when all bit lines are at 0 V. */
        double v = 1.0 / (1.0 + e * end);
        for (int c = 0; c < f->columns; c++) {
            const size_t i = lane + (size_t)c * LANES;
            v *= f->word_m[i];
            f->open[(size_t)r * (size_t)f->columns + (size_t)c] = (f->g[i] * v);
        }
    }
}

/* The far end of a bit line is row 0, and the near end the sense amplifier. */
static void factorise_bits(snn_circuit_fast *f, const float *g_us, double rs, double end) {
    for (int c = 0; c < f->columns; c++) {
        double e = 0.0;
        for (int r = 0; r < f->rows; r++) {
            const size_t i = (size_t)r * (size_t)f->columns + (size_t)c;
            e += (double)g_us[i];
            f->bit_m[i] = r < f->rows - 1 ? 1.0 / (1.0 + rs * e) : 1.0;
            e *= f->bit_m[i];
        }
        f->bit_end[c] = (end / (1.0 + e * end));
        f->bit_out[c] = (1.0 / (1.0 + e * end));
    }
}

bool snn_circuit_fast_set(snn_circuit_fast *f, const float *g_us, snn_error *err) {
    if (!snn_circuit_check(f->rows, f->columns, g_us, &f->wires, err))
        return false;
    for (int r = 0; r < f->rows; r++)
        for (int c = 0; c < f->columns; c++)
            f->cell[(size_t)r * (size_t)f->columns + (size_t)c] =
                f->g[((size_t)(r / LANES) * (size_t)f->columns + (size_t)c) * LANES + (size_t)(r % LANES)] =
                    g_us[(size_t)r * (size_t)f->columns + (size_t)c];
    /* in MOhm, so that products with uS have no unit */
    factorise_words(f, 1e-6 * f->wires.row_ohm, 1e-6 * (f->wires.row_ohm + f->wires.driver_ohm));
    factorise_bits(f, g_us, 1e-6 * f->wires.column_ohm, 1e-6 * (f->wires.column_ohm + f->wires.sense_ohm));
    return true;
}

snn_circuit_fast *snn_circuit_fast_new(int rows, int columns, const float *g_us, const snn_wires *wires,
                                       snn_error *err) {
    if (!snn_circuit_check(rows, columns, NULL, wires, err))
        return NULL;
    snn_circuit_fast *f = snn_alloc(1, sizeof *f, "a crossbar's lines", err);
    if (!f)
        return NULL;
    const size_t padded = (size_t)((rows + LANES - 1) / LANES) * LANES, cells = padded * (size_t)columns;
    *f = (snn_circuit_fast){.rows = rows, .columns = columns, .wires = *wires};
    f->row_rs = (1e-6 * wires->row_ohm);
    f->column_rs = (1e-6 * wires->column_ohm);
    if (!(f->g = snn_alloc(cells, sizeof *f->g, "a crossbar's cells", err)) ||
        !(f->cell = snn_alloc(cells, sizeof *f->cell, "a crossbar's cells", err)) ||
        !(f->word_m = snn_alloc(cells, sizeof *f->word_m, "a crossbar's word lines", err)) ||
        !(f->bit_m = snn_alloc(cells, sizeof *f->bit_m, "a crossbar's bit lines", err)) ||
        !(f->open = snn_alloc(cells, sizeof *f->open, "a crossbar's cells", err)) ||
        !(f->word_end = snn_alloc(padded, sizeof *f->word_end, "a crossbar's word lines", err)) ||
        !(f->word_float = snn_alloc(padded, sizeof *f->word_float, "a crossbar's word lines", err)) ||
        !(f->bit_end = snn_alloc((size_t)columns, sizeof *f->bit_end, "a crossbar's bit lines", err)) ||
        !(f->bit_out = snn_alloc((size_t)columns, sizeof *f->bit_out, "a crossbar's bit lines", err)) ||
        !snn_circuit_fast_set(f, g_us, err)) {
        snn_circuit_fast_free(f);
        return NULL;
    }
    return f;
}

void snn_circuit_fast_free(snn_circuit_fast *f) {
    if (!f)
        return;
    free(f->g);
    free(f->cell);
    free(f->word_m);
    free(f->bit_m);
    free(f->open);
    free(f->word_end);
    free(f->word_float);
    free(f->bit_end);
    free(f->bit_out);
    free(f);
}

bool snn_circuit_fast_transfer(const snn_circuit_fast *f, double tolerance, int sweeps, float *transfer_us,
                               double *imbalance, snn_error *err) {
    snn_circuit_fast driven = *f; /* shares the lines, holds every row */
    driven.wires.floating = false;
    double worst = 0.0;
    double *scratch =
        snn_alloc(snn_circuit_fast_scratch(f), sizeof *scratch, "work space of a crossbar", err);
    double *volts = scratch ? snn_alloc((size_t)f->rows, sizeof *volts, "inputs of a crossbar", err) : NULL;
    double *current =
        volts ? snn_alloc((size_t)f->columns, sizeof *current, "currents of a crossbar", err) : NULL;
    for (int r = 0; r < f->rows && current; r++) {
        snn_circuit_stats stats;
        volts[r] = 1.0;
        snn_circuit_fast_read(&driven, volts, tolerance, sweeps, scratch, current, &stats);
        volts[r] = 0.0;
        worst = fmax(worst, stats.imbalance);
        for (int c = 0; c < f->columns; c++)
            transfer_us[(size_t)r * (size_t)f->columns + (size_t)c] = (float)current[c];
    }
    const bool ok = current != NULL;
    if (imbalance)
        *imbalance = worst;
    free(scratch);
    free(volts);
    free(current);
    return ok;
}
