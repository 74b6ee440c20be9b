/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resistance of word and bit lines in analogue read-out. Rows that do not spike are held at 0 V, so that an array is a linear network: current of column c = sum over the spiking rows r of
 * T(r, c) V with a transfer matrix T that depends on the conductances alone. What the models of hw.analog.wire do about T:
 *
 *   exact   every row of T by the nodal equations (snn_circuit_transfer); reads are then as fast as without wires
 *   static  T(r, c) = s(c) a(r, c) b(r, c) g(r, c): the voltage that reaches the cell along its word line while bit lines are at 0 V, the share of its current that reaches the
 *           sense end along its bit line while word lines are held, and a scale that makes the currents right with all rows driven. Errors against exact: docs/analog.md
 *   sweeps  no T: every read is solved by snn_circuit_fast_read to SNN_CIRCUIT_TOLERANCE
 */
#include "analog_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Relative change of a wire's resistance per kelvin (NeuroSim, rram_devices.md: rho (1 + 0.00451 dT)); the device's wires are meant at 300 K. Where it holds: SNN_WIRE_KELVIN_MIN. */
#define WIRE_PER_KELVIN 0.00451
#define WIRE_KELVIN 300.0
/* Sweeps until the scale is known: one part in 10^6 is far below what the product leaves out. */
#define SCALE_TOLERANCE 1e-6
#define SCALE_SWEEPS 500

bool snn_analog_wires(const snn_analog *a, snn_wires *w) {
    const snn_analog_options *o = &a->o->analog;
    const double factor = 1.0 + WIRE_PER_KELVIN * (a->when.kelvin - WIRE_KELVIN);
    *w = (snn_wires){.row_ohm = a->o->device.row_ohm * factor,
                     .column_ohm = a->o->device.column_ohm * factor,
                     .driver_ohm = o->driver_ohm,
                     .sense_ohm = o->sense_ohm};
    return o->wire != SNN_WIRE_NONE && (a->when.effects >> SNN_EFFECT_WIRE & 1U) != 0 &&
           (a->o->device.row_ohm > 0.0 || a->o->device.column_ohm > 0.0 || w->driver_ohm > 0.0 ||
            w->sense_ohm > 0.0);
}

bool snn_analog_wires_known(const snn_analog *a, snn_error *err) {
    const double kelvin = a->when.kelvin;
    snn_wires w;
    return !snn_analog_wires(a, &w) || (w.row_ohm == 0.0 && w.column_ohm == 0.0) ||
           (kelvin >= SNN_WIRE_KELVIN_MIN && kelvin <= SNN_WIRE_KELVIN_MAX) ||
           snn_fail(err, SNN_ERR_USAGE, "at %g K: resistances of wires are known from %g to %g K", kelvin,
                    SNN_WIRE_KELVIN_MIN, SNN_WIRE_KELVIN_MAX);
}

/* ---- matrices ---- */

/* What making a matrix needs; kept from array to array, as memory that is new each time costs more than the arithmetic. */
struct snn_analog_wiring {
    snn_wires wires;
    int rows, columns;
    snn_circuit *exact; /* static: NULL */
    snn_circuit_fast *fast;
    double *part;    /* [columns] of a word line */
    double *share;   /* [rows][columns] of a bit line's current */
    double *seen;    /* [columns] conductance seen from the sense end, uS */
    double *volts;   /* [rows] 1 V */
    double *current; /* [columns] */
    double *sum;     /* [columns] */
    double *scratch; /* of fast */
};

static bool allocate_static(snn_analog_wiring *k, snn_error *err) {
    const size_t r = (size_t)k->rows, c = (size_t)k->columns;
    float *none = snn_alloc(r * c, sizeof *none, "wires", err); /* until the first array is set */
    k->fast = none != NULL ? snn_circuit_fast_new(k->rows, k->columns, none, &k->wires, err) : NULL;
    free(none);
    return k->fast != NULL && (k->part = snn_alloc(c, sizeof *k->part, "wires", err)) != NULL &&
           (k->share = snn_alloc(r * c, sizeof *k->share, "wires", err)) != NULL &&
           (k->seen = snn_alloc(c, sizeof *k->seen, "wires", err)) != NULL &&
           (k->volts = snn_alloc(r, sizeof *k->volts, "wires", err)) != NULL &&
           (k->current = snn_alloc(c, sizeof *k->current, "wires", err)) != NULL &&
           (k->sum = snn_alloc(c, sizeof *k->sum, "wires", err)) != NULL &&
           (k->scratch = snn_alloc(snn_circuit_fast_scratch(k->fast), sizeof *k->scratch, "wires", err)) !=
               NULL;
}

snn_analog_wiring *snn_analog_wiring_new(const snn_wires *w, snn_wire_model model, int rows, int columns,
                                         snn_error *err) {
    snn_analog_wiring *k = snn_alloc(1, sizeof *k, "wires", err);
    if (k == NULL)
        return NULL;
    k->wires = *w;
    k->rows = rows;
    k->columns = columns;
    if (model == SNN_WIRE_STATIC && !allocate_static(k, err)) {
        snn_analog_wiring_free(k);
        return NULL;
    }
    return k;
}

void snn_analog_wiring_free(snn_analog_wiring *k) {
    if (k == NULL)
        return;
    snn_circuit_free(k->exact);
    snn_circuit_fast_free(k->fast);
    free(k->part);
    free(k->share);
    free(k->seen);
    free(k->volts);
    free(k->current);
    free(k->sum);
    free(k->scratch);
    free(k);
}

/* g times the voltage that reaches each cell of a word line for 1 V at its driver, into share. */
static void word_line(const snn_analog_wiring *k, const float *g, double *share) {
    const double segment = 1e-6 * k->wires.row_ohm, end = 1e-6 * (k->wires.row_ohm + k->wires.driver_ohm);
    double e = 0.0; /* conductance seen from a cell away from the driver, uS */
    for (int c = k->columns - 1; c >= 0; c--) {
        e += (double)g[c];
        k->part[c] = 1.0 / (1.0 + segment * e);
        if (c > 0)
            e *= k->part[c];
    }
    double volts = 1.0 / (1.0 + end * e);
    share[0] = (double)g[0] * volts;
    for (int c = 1; c < k->columns; c++) {
        volts *= k->part[c];
        share[c] = (double)g[c] * volts;
    }
}

/* The same product of voltage share, conductance and current share in g; all bit lines side by side. */
static void multiply_shares(const snn_analog_wiring *k, float *g) {
    const double segment = 1e-6 * k->wires.column_ohm,
                 end = 1e-6 * (k->wires.column_ohm + k->wires.sense_ohm);
    const size_t columns = (size_t)k->columns;
    double *restrict seen = k->seen;
    memset(seen, 0, columns * sizeof *seen);
    for (int r = 0; r < k->rows; r++) {
        float *restrict here = g + (size_t)r * columns;
        double *restrict share = k->share + (size_t)r * columns;
        word_line(k, here, share);
        const bool last = r == k->rows - 1;
        for (size_t c = 0; c < columns; c++) {
            const double e = seen[c] + (double)here[c], part = 1.0 / (1.0 + segment * e);
            here[c] = (float)share[c];
            share[c] = part; /* of a current at this cell, what reaches the next */
            seen[c] = last ? 1.0 / (1.0 + end * e) : e * part;
        }
    }
    for (int r = k->rows - 1; r >= 0; r--) { /* seen: what reaches the sense end */
        float *restrict here = g + (size_t)r * columns;
        const double *restrict share = k->share + (size_t)r * columns;
        const bool last = r == k->rows - 1;
        for (size_t c = 0; c < columns; c++) {
            seen[c] *= last ? 1.0 : share[c];
            here[c] = (float)(here[c] * seen[c]);
        }
    }
}

static void scale(const snn_analog_wiring *k, float *g) {
    snn_circuit_ideal(k->rows, k->columns, g, k->volts, k->sum);
    for (int c = 0; c < k->columns; c++)
        k->sum[c] = k->sum[c] > 0.0 ? k->current[c] / k->sum[c] : 0.0;
    for (int r = 0; r < k->rows; r++)
        for (int c = 0; c < k->columns; c++) {
            const size_t i = (size_t)r * (size_t)k->columns + (size_t)c;
            g[i] = (float)(g[i] * k->sum[c]);
        }
}

static bool wire_static(const snn_analog_wiring *k, float *g, snn_error *err) {
    if (!snn_circuit_fast_set(k->fast, g, err))
        return false;
    for (int r = 0; r < k->rows; r++)
        k->volts[r] = 1.0;
    snn_circuit_fast_read(k->fast, k->volts, SCALE_TOLERANCE, SCALE_SWEEPS, k->scratch, k->current, NULL);
    multiply_shares(k, g);
    scale(k, g);
    return true;
}

static bool wire_exact(snn_analog_wiring *k, float *g, snn_error *err) {
    if (k->exact == NULL)
        k->exact = snn_circuit_new(k->rows, k->columns, g, &k->wires, err);
    else if (!snn_circuit_set(k->exact, g, err))
        return false;
    return k->exact != NULL && snn_circuit_transfer(k->exact, g, err);
}

bool snn_analog_wire_in(snn_analog_wiring *k, float *g, snn_error *err) {
    return k->fast != NULL ? wire_static(k, g, err) : wire_exact(k, g, err);
}

/* ---- at each read ---- */

void snn_analog_wire_read(const snn_analog *a, const snn_analog_tensor *t, uint32_t row_tile,
                          const uint32_t *row, size_t n, double *volts, double *microamp, double *scratch,
                          int32_t *current) {
    const snn_map_tensor *m = t->map;
    const double scale = ldexp(1.0, t->exponent) / t->unit,
                 pedestal = ldexp((double)n * t->pedestal, t->exponent);
    const bool pairs = a->map->options.cell_bits == 0;
    memset(volts, 0, a->map->options.rows * sizeof *volts);
    for (size_t i = 0; i < n; i++)
        volts[row[i]] = 1.0; /* currents in uA for 1 V are conductances in uS */
    for (uint32_t k = 0; k < m->column_tiles; k++) {
        const uint32_t tile = row_tile * m->column_tiles + k;
        const uint32_t first = k * m->lanes, left = m->outputs - first,
                       outputs = left < m->lanes ? left : m->lanes;
        int32_t *to = current + (size_t)first * t->code.inputs;
        snn_circuit_fast_read(t->circuit[tile], volts, SNN_CIRCUIT_TOLERANCE, SNN_CIRCUIT_SWEEPS, scratch,
                              microamp, NULL);
        for (uint32_t c = 0; c < outputs * t->code.inputs; c++) {
            const double g = pairs ? microamp[2 * c] - microamp[2 * c + 1] : microamp[c];
            to[c] = (int32_t)floor(g * scale - pedestal + 0.5);
        }
    }
}
