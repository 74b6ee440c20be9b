/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resistive network, exactly: the equations at hand, which circuit_nodes.c sets up, circuit_exact.c solves, and circuit_transfer.c uses. */
#ifndef SNN_CIRCUIT_EXACT_H
#define SNN_CIRCUIT_EXACT_H

#include <math.h>
#include <suitesparse/cholmod.h>

#include "circuit_internal.h"

/* What a line of one direction contributes to the unknowns. */
typedef enum {
    LINE_FIXED,  /* nothing: ideal wires up to an ideal source */
    LINE_LUMPED, /* one node: ideal wires */
    LINE_WIRED   /* one node at every cell */
} line_kind;

struct snn_circuit {
    int rows, columns;
    bool floating;
    line_kind words, bits;
    double row_us, column_us; /* one segment */
    double drive_us,
        sense_us; /* first and last segment with driver and sense resistance; infinite when all is ideal */
    long nodes, word_nodes;
    float *g;            /* [rows][columns] uS */
    double *volts;       /* [rows] of the last solution */
    bool *cut;           /* [rows] rows that float in the factorisation at hand */
    double *x, *missing; /* [nodes] last solution, and the current that is missing there */
    double *weight;      /* [nodes] diagonal while the matrix is built */
    bool factorised;
    cholmod_common common;
    cholmod_factor *factor;
    cholmod_dense *rhs, *solution, *spare, *spare2;
};

static inline size_t cell_of(const snn_circuit *t, int r, int c) {
    return (size_t)r * (size_t)t->columns + (size_t)c;
}

/* Number of the node at the word-line or bit-line end of a cell; -1: the voltage there is given. */
static inline long word_node(const snn_circuit *t, int r, int c) {
    return t->words == LINE_WIRED ? (long)cell_of(t, r, c) : t->words == LINE_LUMPED ? r : -1;
}

static inline long bit_node(const snn_circuit *t, int r, int c) {
    if (t->bits == LINE_FIXED)
        return -1;
    return t->word_nodes + (t->bits == LINE_WIRED ? (long)cell_of(t, r, c) : c);
}

/* A row whose only node is its ideal driver: an unknown all the same, because it is one when the row floats. */
static inline bool is_pinned(const snn_circuit *t, int r) {
    return t->words == LINE_LUMPED && isinf(t->drive_us) && !t->cut[r];
}

static inline double word_volts(const snn_circuit *t, const double *volts, const double *x, int r, int c) {
    return t->words == LINE_FIXED ? volts[r] : x[word_node(t, r, c)];
}

static inline double bit_volts(const snn_circuit *t, const double *x, int r, int c) {
    return t->bits == LINE_FIXED ? 0.0 : x[bit_node(t, r, c)];
}

/* ---- circuit_nodes.c ---- */

/* Which nodes are unknown, and the conductances of segments and ends. */
void snn_circuit_choose_unknowns(snn_circuit *t, const snn_wires *w);

/* The lower triangle of the nodal matrix for the conductances and floating rows at hand; NULL without memory. */
cholmod_sparse *snn_circuit_assemble(snn_circuit *t);

/* Voltages x [nodes] to start from: 0, but what is given. */
void snn_circuit_start(const snn_circuit *t, const double *volts, double *x);

/* What Kirchhoff's current law finds missing [nodes] for the voltages x [nodes], from voltage differences: more exact than the product with the matrix, whose
 * diagonal has rounded small cell conductances into large wire conductances. Returns the sum of the magnitudes. */
double snn_circuit_kirchhoff(const snn_circuit *t, const double *volts, const double *x, double *missing);

/* Column currents as sums of cell currents (for small wire resistance more exact than the drop over the last segment). */
void snn_circuit_columns(const snn_circuit *t, const double *volts, const double *x, double *current_ua);

/* ---- circuit_exact.c ---- */

bool snn_circuit_factorise(snn_circuit *t, snn_error *err);

/* Solves for `inputs` vectors volts [inputs][rows] at once, into x [inputs][nodes]. */
bool snn_circuit_solve_batch(snn_circuit *t, size_t inputs, const double *volts, double *x, snn_error *err);

#endif
