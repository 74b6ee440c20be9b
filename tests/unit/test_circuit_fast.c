/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wires of a crossbar, fast: against the exact solution, the promise of its error bound, and the accuracy that the read-out relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "circuit_test.h"

static const snn_wires all_wires[] = {
    {2, 2, 0, 0, false},   {2, 3, 50, 70, false}, {0, 3, 0, 0, false},  {3, 0, 0, 0, false},
    {0, 3, 50, 0, false},  {3, 0, 0, 50, false},  {0, 0, 50, 0, false}, {0, 0, 0, 50, false},
    {0, 0, 50, 70, false}, {0, 0, 0, 0, false},   {2, 3, 50, 70, true}, {0, 3, 0, 0, true},
    {0, 0, 0, 50, true},   {0, 3, 50, 70, true},  {0, 0, 0, 0, true},   {99, 7, 0, 0, true},
    {7, 99, 0, 0, false},
};
#define WIRES (sizeof all_wires / sizeof *all_wires)

typedef struct {
    snn_circuit_fast *lines;
    double *scratch;
} reader;

/* Scratch starts as NaN, because its contents may not matter. */
static reader make(const crossbar *x) {
    snn_error err = {0};
    reader f = {.lines = snn_circuit_fast_new(x->rows, x->columns, x->g, &x->wires, &err)};
    if (!f.lines)
        fail_msg("%s", err.text);
    const size_t n = snn_circuit_fast_scratch(f.lines);
    f.scratch = malloc(n * sizeof *f.scratch);
    assert_non_null(f.scratch);
    for (size_t i = 0; i < n; i++)
        f.scratch[i] = NAN;
    return f;
}

static void free_reader(reader f) {
    snn_circuit_fast_free(f.lines);
    free(f.scratch);
}

static void exact(crossbar *x) {
    snn_error err = {0};
    if (!snn_circuit_exact(x->rows, x->columns, x->g, x->volts, &x->wires, x->other, NULL, &err))
        fail_msg("%s", err.text);
}

/* Sum of |current - other| over the sum of |other|. */
static double share_wrong(const crossbar *x) {
    double wrong = 0, all = 0;
    for (int c = 0; c < x->columns; c++) {
        wrong += fabs(x->current[c] - x->other[c]);
        all += fabs(x->other[c]);
    }
    return wrong / all;
}

static void converges_to_exact(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {7, 9}, {8, 8}, {9, 7}, {16, 5}, {33, 17}};
    for (size_t w = 0; w < WIRES; w++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            crossbar x = draw_crossbar(20 + i, sizes[i][0], sizes[i][1], all_wires[w], 0.6);
            snn_circuit_stats stats;
            x.volts[x.rows - 1] = 0.25;
            exact(&x);
            reader f = make(&x);
            snn_circuit_fast_read(f.lines, x.volts, 0, SNN_CIRCUIT_SWEEPS, f.scratch, x.current, &stats);
            assert_true(relative_error(x.current, x.other, x.columns) < 1e-12);
            assert_true(stats.imbalance <= 1e-15 && stats.sweeps < SNN_CIRCUIT_SWEEPS &&
                        stats.power_uw == 0.0);
            free_reader(f);
            free_crossbar(x);
        }
}

/* Whatever the number of sweeps, the error is below its bound, and the bound below the error times a small factor. */
static void bound_holds(void **state) {
    (void)state;
    double loosest = 0;
    for (size_t w = 0; w < WIRES; w++)
        for (int sign = 0; sign < 2; sign++) {
            crossbar x = draw_crossbar(30 + w, 40, 24, all_wires[w], 0.5);
            for (int r = 0; r < 40 && sign; r += 3)
                x.volts[r] *= -1;
            exact(&x);
            reader f = make(&x);
            double before = INFINITY;
            for (int sweeps = 0; sweeps < 6; sweeps++) {
                snn_circuit_stats stats;
                snn_circuit_fast_read(f.lines, x.volts, 0, sweeps, f.scratch, x.current, &stats);
                double error = share_wrong(&x), got = 0, all = 0;
                for (int c = 0; c < x.columns;
                     c++) { /* the bound is relative to the currents that were returned */
                    got += fabs(x.current[c]);
                    all += fabs(x.other[c]);
                }
                assert_true(stats.sweeps <= sweeps);
                assert_true(error <= stats.imbalance * got / all + 1e-14);
                assert_true(error < before / 2 || error < 1e-14);
                if (!sign && error > 1e-10)
                    loosest = fmax(loosest, stats.imbalance / error);
                before = error;
            }
            free_reader(f);
            free_crossbar(x);
        }
    assert_true(loosest > 1 && loosest < 100);
}

static void tolerance_stops(void **state) {
    (void)state;
    crossbar x = draw_crossbar(40, 64, 48, (snn_wires){3, 3, 100, 100, false}, 0.5);
    reader f = make(&x);
    assert_true(snn_circuit_fast_scratch(f.lines) <= 5 * 64 * 48 + 16 * 48);
    for (double tolerance = 1; tolerance > 1e-12; tolerance /= 7) {
        snn_circuit_stats stats, less, same;
        snn_circuit_fast_read(f.lines, x.volts, tolerance, SNN_CIRCUIT_SWEEPS, f.scratch, x.current, &stats);
        assert_true(stats.imbalance <= tolerance);
        if (stats.sweeps > 0) { /* one sweep less is not enough */
            snn_circuit_fast_read(f.lines, x.volts, 0, stats.sweeps - 1, f.scratch, x.other, &less);
            assert_true(less.imbalance > tolerance && less.sweeps == stats.sweeps - 1);
        }
        snn_circuit_fast_read(f.lines, x.volts, 0, stats.sweeps, f.scratch, x.other, &same);
        assert_memory_equal(x.current, x.other, 48 * sizeof *x.other);
        assert_true(same.imbalance == stats.imbalance);
        /* the bound itself is within the tolerance */
        snn_circuit_fast_read(f.lines, x.volts, stats.imbalance, SNN_CIRCUIT_SWEEPS, f.scratch, x.other,
                              &same);
        assert_int_equal(same.sweeps, stats.sweeps);
    }
    snn_circuit_fast_read(f.lines, x.volts, 1e-3, SNN_CIRCUIT_SWEEPS, f.scratch, x.current,
                          NULL); /* stats may be NULL */
    memset(x.volts, 0, 64 * sizeof *x.volts);
    snn_circuit_stats stats = {.imbalance = 1, .sweeps = 1};
    snn_circuit_fast_read(f.lines, x.volts, 0, SNN_CIRCUIT_SWEEPS, f.scratch, x.current, &stats);
    assert_true(stats.imbalance == 0.0 && stats.sweeps == 0);
    for (int c = 0; c < 48; c++)
        assert_true(x.current[c] == 0.0);
    free_reader(f);
    free_crossbar(x);
}

static void set_is_new(void **state) {
    (void)state;
    for (size_t w = 0; w < WIRES; w++) {
        crossbar x = draw_crossbar(50, 13, 21, all_wires[w], 0.5),
                 y = draw_crossbar(51, 13, 21, all_wires[w], 0.5);
        for (int c = 0; c < 21; c++)
            y.g[5 * 21 + c] = 0; /* a row without cells, that may float */
        y.volts[5] = 0;
        reader f = make(&x), g = make(&y);
        assert_true(snn_circuit_fast_set(f.lines, y.g, NULL));
        snn_circuit_fast_read(f.lines, y.volts, 1e-6, 9, f.scratch, y.current, NULL);
        snn_circuit_fast_read(g.lines, y.volts, 1e-6, 9, g.scratch, y.other, NULL);
        assert_memory_equal(y.current, y.other, 21 * sizeof *y.other);
        exact(&y);
        assert_true(relative_error(y.current, y.other, 21) < 1e-5);
        free_reader(f);
        free_reader(g);
        free_crossbar(x);
        free_crossbar(y);
    }
    snn_circuit_fast_free(NULL);
}

static void transfer(void **state) {
    (void)state;
    for (size_t w = 0; w < WIRES; w++) {
        crossbar x = draw_crossbar(60, 12, 10, all_wires[w], 0.5);
        float near[120], right[120];
        double imbalance = -1;
        snn_error err = {0};
        reader f = make(&x);
        snn_circuit *t = snn_circuit_new(12, 10, x.g, &x.wires, &err);
        assert_true(t && snn_circuit_transfer(t, right, &err));
        assert_true(snn_circuit_fast_transfer(f.lines, 1e-9, SNN_CIRCUIT_SWEEPS, near, &imbalance, &err));
        assert_true(imbalance >= 0 && imbalance <= 1e-9);
        for (int i = 0; i < 120; i++)
            assert_true(fabsf(near[i] / right[i] - 1) < 2e-7F); /* float */
        assert_true(snn_circuit_fast_transfer(f.lines, 0, 0, near, &imbalance, NULL));
        snn_circuit_fast_transfer(f.lines, 0, 0, near, NULL, NULL);
        assert_true(imbalance > 1e-9 || x.wires.column_ohm + x.wires.sense_ohm == 0.0 ||
                    x.wires.row_ohm + x.wires.driver_ohm == 0.0);
        snn_circuit_free(t);
        free_reader(f);
        free_crossbar(x);
    }
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What the read-out relies on: 128 x 128 cells of 1 to 40 uS, 2 Ohm a segment, few to all rows on. */
static void accuracy_at_the_default(void **state) {
    (void)state;
    enum { n = 128 };
    static const double on[] = {0.02, 0.1, 0.5, 1.0};
    double error[4 * n];
    for (int kind = 0; kind < 4; kind++) {
        crossbar x = draw_crossbar(70 + (uint64_t)kind, n, n, (snn_wires){2, 2, 0, 0, false}, on[kind]);
        x.volts[kind] = 0.3;
        snn_circuit_stats stats;
        exact(&x);
        reader f = make(&x);
        snn_circuit_fast_read(f.lines, x.volts, SNN_CIRCUIT_TOLERANCE, SNN_CIRCUIT_SWEEPS, f.scratch,
                              x.current, &stats);
        assert_true(stats.sweeps <= 2);
        for (int c = 0; c < n; c++)
            error[kind * n + c] = fabs(x.current[c] / x.other[c] - 1);
        snn_circuit_ideal(n, n, x.g, x.volts, x.current);
        assert_true(share_wrong(&x) > 0.1); /* the wires do matter */
        free_reader(f);
        free_crossbar(x);
    }
    qsort(error, 4 * (size_t)n, sizeof *error, by_value);
    assert_true(error[2 * n] <= 0.001 && error[4 * n - 1] <= 0.005); /* asked for: 0.01 and 0.05 */
}

/* The worst case: all cells conduct well, all rows are on, wires are long. */
static void accuracy_at_the_worst(void **state) {
    (void)state;
    crossbar x = draw_crossbar(80, 256, 256, (snn_wires){5, 5, 0, 0, false}, 1.0);
    for (int i = 0; i < 256 * 256; i++)
        x.g[i] = 40;
    snn_circuit_stats stats;
    exact(&x);
    reader f = make(&x);
    snn_circuit_fast_read(f.lines, x.volts, SNN_CIRCUIT_TOLERANCE, SNN_CIRCUIT_SWEEPS, f.scratch, x.current,
                          &stats);
    assert_true(stats.imbalance <= SNN_CIRCUIT_TOLERANCE && stats.sweeps < 10);
    assert_true(relative_error(x.current, x.other, 256) < 0.01);
    free_reader(f);
    free_crossbar(x);
}

/* Threads share the lines, each with scratch of its own; and the bits are those of every other build and machine (of the exact solution, CHOLMOD's
 * build decides on the last one). */
static void same_bits(void **state) {
    (void)state;
    crossbar x = draw_crossbar(90, 24, 20, (snn_wires){2, 3, 50, 70, true}, 0.5);
    double current[4][20];
    bool enough = true;
    reader f = make(&x);
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 4; i++) {
        double *scratch = calloc(snn_circuit_fast_scratch(f.lines), sizeof *scratch);
        if (scratch)
            snn_circuit_fast_read(f.lines, x.volts, 1e-4, 9, scratch, current[i], NULL);
        else
            enough = false;
        free(scratch);
    }
    assert_true(enough);
    for (int i = 1; i < 4; i++)
        assert_memory_equal(current[0], current[i], sizeof current[0]);
    exact(&x);
    static const double fast_bits[3] = {0x1.924ebeb24ac68p+5, 0x1.0b1fe5468f13dp+6, 0x1.4e178472a6788p+6},
                        exact_bits[3] = {0x1.924ebf011bc25p+5, 0x1.0b1fe51b6dbc6p+6, 0x1.4e1784435e2ffp+6};
    for (int i = 0; i < 3; i++)
        if (current[0][i * 9] != fast_bits[i] || fabs(x.other[i * 9] / exact_bits[i] - 1) > 1e-14)
            fail_msg("column %d: %a and %a", i * 9, current[0][i * 9], x.other[i * 9]);
    free_reader(f);
    free_crossbar(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converges_to_exact),
        cmocka_unit_test(bound_holds),
        cmocka_unit_test(tolerance_stops),
        cmocka_unit_test(set_is_new),
        cmocka_unit_test(transfer),
        cmocka_unit_test(accuracy_at_the_default),
        cmocka_unit_test(accuracy_at_the_worst),
        cmocka_unit_test(same_bits),
    };
    return cmocka_run_group_tests_name("circuit_fast", tests, NULL, NULL);
}
