/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resistive network, exactly: modified nodal analysis, whose matrix is symmetric and positive definite here, through CHOLMOD's simplicial
 * LDL' (Chen, Davis, Hager, Rajamanickam, ACM TOMS 35, 2008, doi:10.1145/1391989.1391995). The simplicial code is plain C without BLAS, so
 * that the bits of a result do not depend on the BLAS library, its threads or the CPU; for these matrices it is also the fastest of
 * SuiteSparse's up to 256 x 256 (docs/circuit.md).
 */
#include <stdlib.h>
#include <string.h>

#include "circuit_exact.h"

/* ---- factorisation ---- */

static bool cholmod_failed(const snn_circuit *t, snn_error *err) {
    if (t->common.status == CHOLMOD_OUT_OF_MEMORY || t->common.status == CHOLMOD_TOO_LARGE)
        return snn_fail(err, SNN_ERR_RUNTIME,
                        "not enough memory to solve the wires of a crossbar of %d x %d cells", t->rows,
                        t->columns);
    return snn_fail(
        err, SNN_ERR_RUNTIME,
        "the wires of a crossbar of %d x %d cells cannot be solved: CHOLMOD status %d (floating rows whose "
        "cells conduct next to nothing?)",
        t->rows, t->columns, t->common.status);
}

static bool analyse(snn_circuit *t, cholmod_sparse *matrix, snn_error *err) {
    if (t->words != LINE_WIRED || t->bits != LINE_WIRED) {
        t->common.method[0].ordering = CHOLMOD_AMD;
        t->factor = cholmod_l_analyze(matrix, &t->common);
        return t->factor || cholmod_failed(t, err);
    }
    long *order = snn_alloc((size_t)t->nodes, sizeof *order, "the elimination order of a crossbar", err);
    if (!order)
        return false;
    snn_circuit_order(t->rows, t->columns, order);
    t->common.method[0].ordering = CHOLMOD_GIVEN;
    t->factor = cholmod_l_analyze_p(matrix, order, NULL, 0, &t->common);
    free(order);
    return t->factor || cholmod_failed(t, err);
}

bool snn_circuit_factorise(snn_circuit *t, snn_error *err) {
    t->factorised = false;
    if (t->nodes > 0) {
        cholmod_sparse *matrix = snn_circuit_assemble(t);
        if (!matrix)
            return cholmod_failed(t, err);
        bool ok = t->factor || analyse(t, matrix, err);
        if (ok) {
            ok = cholmod_l_factorize(matrix, t->factor, &t->common) && t->common.status == CHOLMOD_OK;
            ok = ok || cholmod_failed(t, err);
        }
        cholmod_l_free_sparse(&matrix, &t->common);
        if (!ok)
            return false;
    }
    t->factorised = true;
    return true;
}

/* Factorises again if other rows float than before. A row without any conducting cell need not float: no current flows there either way. */
static bool adapt(snn_circuit *t, const double *volts, snn_error *err) {
    bool changed = false;
    for (int r = 0; r < t->rows; r++) {
        bool cut = false;
        for (int c = 0; c < t->columns && !cut; c++)
            cut = t->floating && volts[r] == 0.0 && t->g[cell_of(t, r, c)] > 0.0F;
        changed |= cut != t->cut[r];
        t->cut[r] = cut;
    }
    return (t->factorised && !changed) || snn_circuit_factorise(t, err);
}

/* ---- solution ---- */

/* rhs to solution, both [nodes] x `inputs`. */
static bool substitute(snn_circuit *t, snn_error *err) {
    return cholmod_l_solve2(CHOLMOD_A, t->factor, t->rhs, NULL, &t->solution, NULL, &t->spare, &t->spare2,
                            &t->common) ||
           cholmod_failed(t, err);
}

static bool make_rhs(snn_circuit *t, size_t inputs, snn_error *err) {
    if (t->rhs && t->rhs->ncol == inputs)
        return true;
    cholmod_l_free_dense(&t->rhs, &t->common);
    t->rhs = cholmod_l_allocate_dense((size_t)t->nodes, inputs, (size_t)t->nodes, CHOLMOD_REAL, &t->common);
    return t->rhs || cholmod_failed(t, err);
}

/* The solution, and one step of iterative refinement. */
#define STEPS 2

bool snn_circuit_solve_batch(snn_circuit *t, size_t inputs, const double *volts, double *x, snn_error *err) {
    const size_t n = (size_t)t->nodes, rows = (size_t)t->rows;
    if (n == 0)
        return true;
    if (!make_rhs(t, inputs, err))
        return false;
    for (size_t k = 0; k < inputs; k++)
        snn_circuit_start(t, volts + k * rows, x + k * n);
    for (int step = 0; step < STEPS; step++) {
        for (size_t k = 0; k < inputs; k++)
            snn_circuit_kirchhoff(t, volts + k * rows, x + k * n, (double *)t->rhs->x + k * n);
        if (!substitute(t, err))
            return false;
        for (size_t i = 0; i < inputs * n; i++)
            x[i] += ((const double *)t->solution->x)[i];
    }
    return true;
}

/* The largest share of the output that a floating row may be found to leak: beyond it rounding has eaten the result. */
#define LEAK_MAX 1e-9

/* Power from the drivers; an error when a floating row has a net current, which would mean that rounding has won. */
static bool power(const snn_circuit *t, double output_ua, double *power_uw, snn_error *err) {
    double leak = 0.0;
    *power_uw = 0.0;
    for (int r = 0; r < t->rows; r++) {
        double row_ua = 0.0;
        for (int c = 0; c < t->columns; c++)
            row_ua += (double)t->g[cell_of(t, r, c)] *
                      (word_volts(t, t->volts, t->x, r, c) - bit_volts(t, t->x, r, c));
        *power_uw += t->volts[r] * row_ua;
        leak += t->cut[r] ? fabs(row_ua) : 0.0;
    }
    if (leak <= LEAK_MAX * output_ua)
        return true;
    return snn_fail(
        err, SNN_ERR_RUNTIME,
        "the wires of a crossbar of %d x %d cells cannot be solved: the cells of a floating row conduct "
        "too little beside its wire",
        t->rows, t->columns);
}

bool snn_circuit_solve(snn_circuit *t, const double *volts, double *current_ua, snn_circuit_stats *stats,
                       snn_error *err) {
    double output = 0.0, power_uw;
    if (!snn_circuit_check_volts(t->rows, volts, err) || !adapt(t, volts, err))
        return false;
    memcpy(t->volts, volts, (size_t)t->rows * sizeof *volts);
    if (!snn_circuit_solve_batch(t, 1, volts, t->x, err))
        return false;
    snn_circuit_columns(t, volts, t->x, current_ua);
    for (int c = 0; c < t->columns; c++)
        output += fabs(current_ua[c]);
    if (!power(t, output, &power_uw, err))
        return false;
    if (stats) {
        const double missing = snn_circuit_kirchhoff(t, volts, t->x, t->missing);
        *stats = (snn_circuit_stats){
            .imbalance = output > 0.0 ? missing / output : 0.0, .sweeps = 1, .power_uw = power_uw};
    }
    return true;
}

void snn_circuit_voltages(const snn_circuit *t, double *word_v, double *bit_v) {
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            if (word_v)
                word_v[cell_of(t, r, c)] = word_volts(t, t->volts, t->x, r, c);
            if (bit_v)
                bit_v[cell_of(t, r, c)] = bit_volts(t, t->x, r, c);
        }
}

/* ---- life ---- */

static void configure_cholmod(cholmod_common *common) {
    cholmod_l_start(common);
    common->print = 0; /* errors are reported through snn_error */
    common->supernodal = CHOLMOD_SIMPLICIAL;
    common->nmethods = 1;
    common->grow0 = common->grow1 = 1.0; /* the factor never grows: no room beside the columns */
    common->grow2 = 0;
}

snn_circuit *snn_circuit_new(int rows, int columns, const float *g_us, const snn_wires *wires,
                             snn_error *err) {
    if (!snn_circuit_check(rows, columns, g_us, wires, err))
        return NULL;
    snn_circuit *t = snn_alloc(1, sizeof *t, "a crossbar's network", err);
    if (!t)
        return NULL;
    configure_cholmod(&t->common);
    t->rows = rows;
    t->columns = columns;
    snn_circuit_choose_unknowns(t, wires);
    const size_t cells = (size_t)rows * (size_t)columns, n = (size_t)t->nodes;
    if (!(t->g = snn_alloc(cells, sizeof *t->g, "a crossbar's cells", err)) ||
        !(t->volts = snn_alloc((size_t)rows, sizeof *t->volts, "a crossbar's rows", err)) ||
        !(t->cut = snn_alloc((size_t)rows, sizeof *t->cut, "a crossbar's rows", err)) ||
        !(t->x = snn_alloc(n, sizeof *t->x, "a crossbar's nodes", err)) ||
        !(t->missing = snn_alloc(n, sizeof *t->missing, "a crossbar's nodes", err)) ||
        !(t->weight = snn_alloc(n, sizeof *t->weight, "a crossbar's nodes", err))) {
        snn_circuit_free(t);
        return NULL;
    }
    memcpy(t->g, g_us, cells * sizeof *t->g);
    if (!t->floating && !snn_circuit_factorise(t, err)) { /* with floating rows, the first input says which */
        snn_circuit_free(t);
        return NULL;
    }
    return t;
}

bool snn_circuit_set(snn_circuit *t, const float *g_us, snn_error *err) {
    const snn_wires ideal = {0};
    if (!snn_circuit_check(t->rows, t->columns, g_us, &ideal, err))
        return false;
    memcpy(t->g, g_us, (size_t)t->rows * (size_t)t->columns * sizeof *t->g);
    t->factorised = false;
    return t->floating || snn_circuit_factorise(t, err);
}

void snn_circuit_free(snn_circuit *t) {
    if (!t)
        return;
    cholmod_l_free_factor(&t->factor, &t->common);
    cholmod_l_free_dense(&t->rhs, &t->common);
    cholmod_l_free_dense(&t->solution, &t->common);
    cholmod_l_free_dense(&t->spare, &t->common);
    cholmod_l_free_dense(&t->spare2, &t->common);
    cholmod_l_finish(&t->common);
    free(t->g);
    free(t->volts);
    free(t->cut);
    free(t->x);
    free(t->missing);
    free(t->weight);
    free(t);
}

void snn_circuit_memory(const snn_circuit *t, size_t *bytes, size_t *peak_bytes) {
    const size_t cells = (size_t)t->rows * (size_t)t->columns, n = (size_t)t->nodes;
    const size_t own = sizeof *t + cells * sizeof *t->g +
                       (size_t)t->rows * (sizeof *t->volts + sizeof *t->cut) + 3 * n * sizeof *t->x;
    *bytes = own + t->common.memory_inuse;
    *peak_bytes = own + t->common.memory_usage;
}

bool snn_circuit_exact(int rows, int columns, const float *g_us, const double *volts, const snn_wires *wires,
                       double *current_ua, snn_circuit_stats *stats, snn_error *err) {
    snn_circuit *t = snn_circuit_new(rows, columns, g_us, wires, err);
    const bool ok = t && snn_circuit_solve(t, volts, current_ua, stats, err);
    snn_circuit_free(t);
    return ok;
}
