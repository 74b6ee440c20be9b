/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network, exactly: its nodes, the matrix of their equations, and Kirchhoff's law at given voltages. */
#include <string.h>

#include "circuit_exact.h"

void snn_circuit_choose_unknowns(snn_circuit *t, const snn_wires *w) {
    const long cells = (long)t->rows * t->columns;
    t->floating = w->floating;
    t->words = w->row_ohm > 0.0 ? LINE_WIRED : w->driver_ohm > 0.0 || w->floating ? LINE_LUMPED : LINE_FIXED;
    t->bits = w->column_ohm > 0.0 ? LINE_WIRED : w->sense_ohm > 0.0 ? LINE_LUMPED : LINE_FIXED;
    t->row_us = 1e6 / w->row_ohm;
    t->column_us = 1e6 / w->column_ohm;
    t->drive_us = 1e6 / (w->row_ohm + w->driver_ohm);
    t->sense_us = 1e6 / (w->column_ohm + w->sense_ohm);
    t->word_nodes = t->words == LINE_WIRED ? cells : t->words == LINE_LUMPED ? t->rows : 0;
    t->nodes = t->word_nodes + (t->bits == LINE_WIRED ? cells : t->bits == LINE_LUMPED ? t->columns : 0);
}

/* ---- the equations ---- */

static void add_entry(cholmod_triplet *a, long i, long j, double value) {
    ((long *)a->i)[a->nnz] = i;
    ((long *)a->j)[a->nnz] = j;
    ((double *)a->x)[a->nnz] = value;
    a->nnz++;
}

/* A conductance between two nodes, of which either may be a given voltage (-1). Cells have the word line first. */
static void add_conductance(snn_circuit *t, cholmod_triplet *a, long i, long j, double us, bool pinned) {
    if (i >= 0)
        t->weight[i] += pinned ? 0.0 : us;
    if (j >= 0)
        t->weight[j] += us;
    if (i >= 0 &&
        j >=
            0) /* the entry of a pinned row stays, as a zero, so that the pattern is the same for all inputs */
        add_entry(a, i > j ? i : j, i > j ? j : i, pinned ? 0.0 : -us);
}

static void add_lines(snn_circuit *t, cholmod_triplet *a) {
    for (int r = 0; r < t->rows; r++) {
        const bool pinned = is_pinned(t, r);
        for (int c = 0; c < t->columns; c++) {
            const long word = word_node(t, r, c), bit = bit_node(t, r, c);
            add_conductance(t, a, word, bit, (double)t->g[cell_of(t, r, c)], pinned);
            if (t->words == LINE_WIRED && c > 0)
                add_conductance(t, a, word - 1, word, t->row_us, false);
            if (t->bits == LINE_WIRED && r > 0)
                add_conductance(t, a, bit - t->columns, bit, t->column_us, false);
        }
        if (pinned)
            t->weight[word_node(t, r, 0)] = 1.0;
        else if (t->words != LINE_FIXED && !t->cut[r])
            t->weight[word_node(t, r, 0)] += t->drive_us;
    }
    for (int c = 0; c < t->columns && t->bits != LINE_FIXED; c++)
        t->weight[bit_node(t, t->rows - 1, c)] += t->sense_us;
}

cholmod_sparse *snn_circuit_assemble(snn_circuit *t) {
    const size_t n = (size_t)t->nodes, cells = (size_t)t->rows * (size_t)t->columns;
    cholmod_triplet *a = cholmod_l_allocate_triplet(n, n, n + 3 * cells, -1, CHOLMOD_REAL, &t->common);
    if (!a)
        return NULL;
    memset(t->weight, 0, n * sizeof *t->weight);
    add_lines(t, a);
    for (long i = 0; i < t->nodes; i++)
        add_entry(a, i, i, t->weight[i]);
    cholmod_sparse *matrix = cholmod_l_triplet_to_sparse(a, a->nnz, &t->common);
    cholmod_l_free_triplet(&a, &t->common);
    return matrix;
}

void snn_circuit_start(const snn_circuit *t, const double *volts, double *x) {
    memset(x, 0, (size_t)t->nodes * sizeof *x);
    for (int r = 0; r < t->rows; r++)
        if (is_pinned(t, r))
            x[word_node(t, r, 0)] = volts[r];
}

/* Lets a current flow from node i to node j. */
static void flow(double *missing, long i, long j, double ua) {
    if (i >= 0)
        missing[i] -= ua;
    if (j >= 0)
        missing[j] += ua;
}

double snn_circuit_kirchhoff(const snn_circuit *t, const double *volts, const double *x, double *missing) {
    memset(missing, 0, (size_t)t->nodes * sizeof *missing);
    for (int r = 0; r < t->rows; r++) {
        for (int c = 0; c < t->columns; c++) {
            const long word = word_node(t, r, c), bit = bit_node(t, r, c);
            const double v = word_volts(t, volts, x, r, c) - bit_volts(t, x, r, c);
            flow(missing, word, bit, (double)t->g[cell_of(t, r, c)] * v);
            if (t->words == LINE_WIRED && c > 0)
                flow(missing, word - 1, word, t->row_us * (x[word - 1] - x[word]));
            if (t->bits == LINE_WIRED && r > 0)
                flow(missing, bit - t->columns, bit, t->column_us * (x[bit - t->columns] - x[bit]));
        }
        if (is_pinned(t, r))
            missing[word_node(t, r, 0)] = volts[r] - x[word_node(t, r, 0)];
        else if (t->words != LINE_FIXED && !t->cut[r])
            flow(missing, -1, word_node(t, r, 0), t->drive_us * (volts[r] - x[word_node(t, r, 0)]));
    }
    for (int c = 0; c < t->columns && t->bits != LINE_FIXED; c++)
        flow(missing, bit_node(t, t->rows - 1, c), -1, t->sense_us * x[bit_node(t, t->rows - 1, c)]);
    double sum = 0.0;
    for (long i = 0; i < t->nodes; i++)
        sum += fabs(missing[i]);
    return sum;
}

void snn_circuit_columns(const snn_circuit *t, const double *volts, const double *x, double *current_ua) {
    for (int c = 0; c < t->columns; c++)
        current_ua[c] = 0.0;
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++)
            current_ua[c] +=
                (double)t->g[cell_of(t, r, c)] * (word_volts(t, volts, x, r, c) - bit_volts(t, x, r, c));
}
