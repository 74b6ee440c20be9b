/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crossbars for the tests of their wires, drawn from fixed streams. */
#ifndef SNN_CIRCUIT_TEST_H
#define SNN_CIRCUIT_TEST_H

#include <math.h>
#include <stdlib.h>

#include <snnsim/circuit.h>
#include <snnsim/random.h>

typedef struct {
    int rows, columns;
    snn_wires wires;
    float *g;        /* [rows][columns] */
    double *volts;   /* [rows] */
    double *current; /* [columns] */
    double *other;   /* [columns] */
} crossbar;

#define GUARD 7.0 /* behind the currents, to see writes beyond them */

/* Conductances of 1 to 40 uS, and a share `on` of the rows at 0.1 to 0.5 V. */
static inline crossbar draw_crossbar(uint64_t seed, int rows, int columns, snn_wires wires, double on) {
    const size_t r = (size_t)rows, c = (size_t)columns;
    crossbar x = {rows,
                  columns,
                  wires,
                  calloc(r * c, sizeof(float)),
                  calloc(r, sizeof(double)),
                  calloc(c + 1, sizeof(double)),
                  calloc(c + 1, sizeof(double))};
    x.current[c] = x.other[c] = GUARD;
    snn_random random;
    snn_random_init(&random, seed, SNN_PURPOSE_TEST, 0);
    for (size_t i = 0; i < r * c; i++)
        x.g[i] = (float)(1 + 39 * snn_random_uniform(&random));
    for (size_t i = 0; i < r; i++) {
        const double volt = 0.1 + 0.4 * snn_random_uniform(&random);
        x.volts[i] = snn_random_uniform(&random) < on ? volt : 0.0;
    }
    return x;
}

static inline void free_crossbar(crossbar x) {
    assert_true(x.current[x.columns] == GUARD && x.other[x.columns] == GUARD);
    free(x.g);
    free(x.volts);
    free(x.current);
    free(x.other);
}

/* Largest |a / b - 1|. */
static inline double relative_error(const double *a, const double *b, int n) {
    double worst = 0.0;
    for (int i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] / b[i] - 1));
    return worst;
}

#endif
