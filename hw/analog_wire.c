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

/* Relative change of a wire's resistance per kelvin (NeuroSim, rram_devices.md: rho (1 + 0.00451 dT)); the device's wires are meant at 300 K. */
#define WIRE_PER_KELVIN 0.00451
#define WIRE_KELVIN 300.0
/* Sweeps until the scale is known: one part in 10^6 is far below what the product leaves out. */
#define SCALE_TOLERANCE 1e-6
#define SCALE_SWEEPS 500

bool snn_analog_wires(const snn_analog *a, snn_wires *w) {
    const snn_analog_options *o = &a->o->analog;
    const double warm = 1.0 + WIRE_PER_KELVIN * (a->when.kelvin - WIRE_KELVIN),
                 factor = warm > 0.0 ? warm : 0.0;
    *w = (snn_wires){.row_ohm = a->o->device.row_ohm * factor,
                     .column_ohm = a->o->device.column_ohm * factor,
                     .driver_ohm = o->driver_ohm,
                     .sense_ohm = o->sense_ohm};
    return o->wire != SNN_WIRE_NONE && (a->when.effects >> SNN_EFFECT_WIRE & 1U) != 0 &&
           (w->row_ohm > 0.0 || w->column_ohm > 0.0 || w->driver_ohm > 0.0 || w->sense_ohm > 0.0);
}

/* ---- matrices ---- */

static bool wire_exact(const snn_wires *w, int rows, int columns, float *g, snn_error *err) {
    snn_circuit *c = snn_circuit_new(rows, columns, g, w, err);
    const bool ok = c != NULL && snn_circuit_transfer(c, g, err);
    snn_circuit_free(c);
    return ok;
}

/* part[k] of a line of n cells: voltage at cell k for 1 V at the driver; by reciprocity also the share of a current at cell k that reaches the end, with cell 0 next to it. Cells are `stride`
 * apart from g on. */
static void line_parts(const float *g, ptrdiff_t stride, int n, double segment, double end, double *part) {
    double e = 0.0; /* conductance seen from a cell away from the end, uS */
    for (int k = n - 1; k >= 0; k--) {
        e += (double)g[k * stride];
        part[k] = 1.0 / (1.0 + 1e-6 * segment * e);
        if (k > 0)
            e *= part[k];
    }
    part[0] = 1.0 / (1.0 + 1e-6 * end * e);
    for (int k = 1; k < n; k++)
        part[k] *= part[k - 1];
}

typedef struct {
    double *part;    /* [max(rows, columns)] */
    double *volts;   /* [rows] 1 V */
    double *current; /* [columns] */
    double *sum;     /* [columns] */
    double *scratch;
    float *product; /* [rows][columns] */
} static_work;

static void wire_product(const snn_wires *w, int rows, int columns, const float *g, static_work *k) {
    for (int r = 0; r < rows; r++) {
        line_parts(g + (size_t)r * (size_t)columns, 1, columns, w->row_ohm, w->row_ohm + w->driver_ohm,
                   k->part);
        for (int c = 0; c < columns; c++) {
            const size_t i = (size_t)r * (size_t)columns + (size_t)c;
            k->product[i] = (float)(g[i] * k->part[c]);
        }
    }
    const ptrdiff_t last = (ptrdiff_t)(rows - 1) * columns; /* the cell next to the sense end */
    for (int c = 0; c < columns; c++) {
        line_parts(g + last + c, -(ptrdiff_t)columns, rows, w->column_ohm, w->column_ohm + w->sense_ohm,
                   k->part);
        for (int r = 0; r < rows; r++)
            k->product[(size_t)r * (size_t)columns + (size_t)c] *= (float)k->part[rows - 1 - r];
    }
}

static void wire_scale(int rows, int columns, const snn_circuit_fast *f, static_work *k, float *g) {
    for (int r = 0; r < rows; r++)
        k->volts[r] = 1.0;
    snn_circuit_fast_read(f, k->volts, SCALE_TOLERANCE, SCALE_SWEEPS, k->scratch, k->current, NULL);
    snn_circuit_ideal(rows, columns, k->product, k->volts, k->sum);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const size_t i = (size_t)r * (size_t)columns + (size_t)c;
            g[i] = k->sum[c] > 0.0 ? (float)(k->product[i] * (k->current[c] / k->sum[c])) : 0.0F;
        }
}

static bool wire_static(const snn_wires *w, int rows, int columns, float *g, snn_error *err) {
    const size_t r = (size_t)rows, c = (size_t)columns;
    snn_circuit_fast *f = snn_circuit_fast_new(rows, columns, g, w, err);
    static_work k = {0};
    const bool ok =
        f != NULL && (k.part = snn_alloc(r > c ? r : c, sizeof *k.part, "wires", err)) != NULL &&
        (k.volts = snn_alloc(r, sizeof *k.volts, "wires", err)) != NULL &&
        (k.current = snn_alloc(c, sizeof *k.current, "wires", err)) != NULL &&
        (k.sum = snn_alloc(c, sizeof *k.sum, "wires", err)) != NULL &&
        (k.product = snn_alloc(r * c, sizeof *k.product, "wires", err)) != NULL &&
        (k.scratch = snn_alloc(snn_circuit_fast_scratch(f), sizeof *k.scratch, "wires", err)) != NULL;
    if (ok) {
        wire_product(w, rows, columns, g, &k);
        wire_scale(rows, columns, f, &k, g);
    }
    snn_circuit_fast_free(f);
    free(k.part);
    free(k.volts);
    free(k.current);
    free(k.sum);
    free(k.product);
    free(k.scratch);
    return ok;
}

bool snn_analog_wire_in(const snn_wires *w, snn_wire_model model, int rows, int columns, float *g,
                        snn_error *err) {
    return model == SNN_WIRE_EXACT ? wire_exact(w, rows, columns, g, err)
                                   : wire_static(w, rows, columns, g, err);
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
