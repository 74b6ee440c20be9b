/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resistive network, fast: the sweeps of one read (circuit_fast.c says what they solve). Conjugate gradients for
 *     S b = r0,  S = B - g W^-1 g,  preconditioned by B       B, W: all bit lines, all word lines with the cells to the other side at 0 V
 * where b are the bit lines' voltages. Each sweep is one pass over the bit lines (z = B^-1 r) and one over the word lines (w = W^-1 g p); B p follows from r,
 * and the sensed currents follow from the passes, so that no voltage is ever stored.
 * Sums over cells are taken by columns or lanes and then in order: the same on every machine, however the compiler vectorises.
 */
#include <math.h>
#include <string.h>

#include "circuit_fast.h"

/* Vectors of one read; all but the last four are [rows padded][columns]. */
typedef struct {
    double *r;    /* current that is missing at the bit-line node of each cell */
    double *z;    /* voltages that the bit lines take when r flows into them */
    double *p;    /* direction of the step, voltages */
    double *s;    /* B p */
    double *q;    /* S p */
    double *tile; /* [columns][LANES] one block of word lines */
    double *zc;   /* [columns] sensed currents of z */
    double *pc;   /* [columns] sensed currents of p */
    double *sum;  /* [columns] partial sums over rows */
} vectors;

static size_t padded_cells(const snn_circuit_fast *f) {
    return (size_t)((f->rows + LANES - 1) / LANES) * LANES * (size_t)f->columns;
}

size_t snn_circuit_fast_scratch(const snn_circuit_fast *f) {
    return 5 * padded_cells(f) + (LANES + 3) * (size_t)f->columns;
}

static vectors lay_out(const snn_circuit_fast *f, double *scratch) {
    const size_t cells = padded_cells(f), columns = (size_t)f->columns;
    double *at = scratch;
    vectors v = {.r = at, .z = at + cells, .p = at + 2 * cells, .s = at + 3 * cells, .q = at + 4 * cells};
    v.tile = at + 5 * cells;
    v.zc = v.tile + LANES * columns;
    v.pc = v.zc + columns;
    v.sum = v.pc + columns;
    return v;
}

static double total(const double *x, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static bool floats(const snn_circuit_fast *f, const double *volts, int row) {
    return f->wires.floating && volts[row] == 0.0;
}

/* Adds row `row` to the currents that come down the bit lines (zc), whose shares m go on: y = r + zc. */
static void descend(int columns, const double *restrict r, const double *restrict m, double *restrict y,
                    double *restrict zc) {
    for (int c = 0; c < columns; c++) {
        y[c] = r[c] + zc[c];
        zc[c] = m[c] * y[c];
    }
}

/* The same after r -= alpha q. */
static void step_and_descend(int columns, double alpha, const double *restrict q, double *restrict r,
                             const double *restrict m, double *restrict y, double *restrict zc) {
    for (int c = 0; c < columns; c++) {
        r[c] -= alpha * q[c];
        y[c] = r[c] + zc[c];
        zc[c] = m[c] * y[c];
    }
}

/*
 * Sums a row of r z, and of a bound of the current that is missing once z has been added: cell by cell, g z flows into the word lines, of which the driver
 * takes the same share that it puts there for 1 V (reciprocity), open / g, and the rest comes back through the cells as the new r.
 */
static void measure(int columns, const double *restrict r, const double *restrict z, const double *restrict g,
                    const double *restrict open, double held, double *restrict sum, double *restrict back) {
    for (int c = 0; c < columns; c++) {
        sum[c] += r[c] * z[c];
        back[c] += (g[c] - held * open[c]) * fabs(z[c]);
    }
}

/* Takes the step r -= alpha q (unless it is the first pass), solves the bit lines for r (z, zc), and returns r z and the bound of what is missing. */
static double solve_bits(const snn_circuit_fast *f, const double *volts, vectors v, bool first, double alpha,
                         double *missing) {
    const int columns = f->columns;
    const double rs = f->column_rs;
    double *restrict zc = v.zc, *back = v.tile;
    memset(zc, 0, (size_t)columns * sizeof *zc);
    memset(v.sum, 0, (size_t)columns * sizeof *v.sum);
    memset(back, 0, (size_t)columns * sizeof *back);
    for (int row = 0; row < f->rows; row++) {
        const size_t at = (size_t)row * (size_t)columns;
        if (first)
            descend(columns, v.r + at, f->bit_m + at, v.z + at, zc);
        else
            step_and_descend(columns, alpha, v.q + at, v.r + at, f->bit_m + at, v.z + at, zc);
    }
    for (int row = f->rows - 1; row >= 0; row--) {
        const size_t at = (size_t)row * (size_t)columns;
        double *restrict z = v.z + at;
        const double *restrict m = f->bit_m + at, *restrict below = z + columns;
        if (row == f->rows - 1)
            for (int c = 0; c < columns; c++) { /* bit_m is 1 here: zc is all current at the sense end */
                z[c] = zc[c] * f->bit_end[c];
                zc[c] *= f->bit_out[c];
            }
        else
            for (int c = 0; c < columns; c++)
                z[c] = m[c] * (below[c] + rs * z[c]);
        measure(columns, v.r + at, z, f->cell + at, f->open + at, floats(f, volts, row) ? 0.0 : 1.0, v.sum,
                back);
    }
    *missing = total(back, columns);
    return total(v.sum, columns);
}

/* One block of word lines: tile holds g p and becomes g w. */
static void solve_block(const snn_circuit_fast *f, int block, const double *end, double *restrict tile) {
    const size_t first = (size_t)block * (size_t)f->columns * LANES;
    const double *restrict m = f->word_m + first, *restrict g = f->g + first;
    const double rs = f->row_rs;
    double carry[LANES] = {0};
    for (int c = f->columns - 1; c >= 0; c--)
        for (int k = 0; k < LANES; k++) {
            double y = g[c * LANES + k] * tile[c * LANES + k] + carry[k];
            tile[c * LANES + k] = y;
            carry[k] = m[c * LANES + k] * y;
        }
    for (int k = 0; k < LANES; k++)
        carry[k] *= end[k];
    for (int k = 0; k < LANES; k++)
        tile[k] = g[k] * carry[k];
    for (int c = 1; c < f->columns; c++)
        for (int k = 0; k < LANES; k++) {
            carry[k] = m[c * LANES + k] * (carry[k] + rs * tile[c * LANES + k]);
            tile[c * LANES + k] = g[c * LANES + k] * carry[k];
        }
}

/* p = z + beta p and s = r + beta s, for the `n` rows from `first`; beta 0: nothing is there yet. */
static void turn(const snn_circuit_fast *f, vectors v, double beta, int first, int n) {
    const size_t at = (size_t)first * (size_t)f->columns, count = (size_t)n * (size_t)f->columns;
    if (beta == 0.0) {
        memcpy(v.p + at, v.z + at, count * sizeof *v.p);
        memcpy(v.s + at, v.r + at, count * sizeof *v.s);
        return;
    }
    double *restrict p = v.p + at, *restrict s = v.s + at;
    const double *restrict z = v.z + at, *restrict r = v.r + at;
    for (size_t i = 0; i < count; i++) {
        p[i] = z[i] + beta * p[i];
        s[i] = r[i] + beta * s[i];
    }
}

/* p = z + beta p, s = r + beta s, q = S p; returns p q. */
static double solve_words(const snn_circuit_fast *f, const double *volts, vectors v, double beta) {
    const int columns = f->columns;
    double *restrict sum = v.sum, *restrict tile = v.tile;
    memset(sum, 0, (size_t)columns * sizeof *sum);
    for (int first = 0; first < f->rows; first += LANES) {
        const int n = f->rows - first < LANES ? f->rows - first : LANES;
        const size_t at = (size_t)first * (size_t)columns;
        const double *restrict p = v.p + at, *restrict s = v.s + at;
        double *restrict q = v.q + at;
        double end[LANES] = {0};
        for (int k = 0; k < n; k++)
            end[k] = (floats(f, volts, first + k) ? f->word_float : f->word_end)[first + k];
        turn(f, v, beta, first, n);
        for (int c = 0; c < columns; c++)
            for (int k = 0; k < LANES; k++)
                tile[c * LANES + k] = p[k * columns + c];
        solve_block(f, first / LANES, end, tile);
        for (int c = 0; c < columns; c++)
            for (int k = 0; k < LANES; k++)
                q[k * columns + c] = tile[c * LANES + k];
        for (int k = 0; k < n; k++)
            for (int c = 0; c < columns; c++) {
                q[k * columns + c] = s[k * columns + c] - q[k * columns + c];
                sum[c] += p[k * columns + c] * q[k * columns + c];
            }
    }
    return total(sum, columns);
}

/* Currents into the bit lines while these are at 0 V. */
static void start(const snn_circuit_fast *f, const double *volts, vectors v) {
    const size_t cells = (size_t)f->rows * (size_t)f->columns;
    memset(v.p + cells, 0, (padded_cells(f) - cells) * sizeof *v.p); /* lanes beyond the last row */
    memset(v.pc, 0, (size_t)f->columns * sizeof *v.pc);
    for (int row = 0; row < f->rows; row++) {
        double *restrict r = v.r + (size_t)row * (size_t)f->columns;
        const double *restrict open = f->open + (size_t)row * (size_t)f->columns;
        const double volt = volts[row];
        for (int c = 0; c < f->columns; c++)
            r[c] = open[c] * volt;
    }
}

/* A bound below this would promise more than double precision holds. */
#define ROUNDING 1e-15

void snn_circuit_fast_read(const snn_circuit_fast *f, const double *volts, double tolerance, int sweeps,
                           double *scratch, double *current_ua, snn_circuit_stats *stats) {
    vectors v = lay_out(f, scratch);
    double alpha = 0.0, beta = 0.0, rz_before = 0.0, imbalance;
    int done = 0;
    start(f, volts, v);
    for (int c = 0; c < f->columns; c++)
        current_ua[c] = 0.0;
    for (;;) {
        double missing, output = 0.0;
        const double rz = solve_bits(f, volts, v, done == 0, alpha, &missing);
        for (int c = 0; c < f->columns; c++)
            output += fabs(current_ua[c] + v.zc[c]);
        imbalance = missing > 0.0 ? missing / output : 0.0;
        if (imbalance <= fmax(tolerance, ROUNDING) || done == sweeps)
            break;
        beta = done > 0 ? rz / rz_before : 0.0;
        const double pq = solve_words(f, volts, v, beta);
        if (!(pq > 0.0 && rz > 0.0)) /* rounding has won */
            break;
        rz_before = rz;
        alpha = rz / pq;
        for (int c = 0; c < f->columns; c++) {
            v.pc[c] = v.zc[c] + beta * v.pc[c];
            current_ua[c] += alpha * v.pc[c];
        }
        done++;
    }
    for (int c = 0; c < f->columns; c++) /* a plain relaxation step, for nothing: z is there already */
        current_ua[c] += v.zc[c];
    if (stats)
        *stats = (snn_circuit_stats){.imbalance = imbalance, .sweeps = done};
}
