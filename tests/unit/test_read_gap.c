/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponential gaps of the ziggurat: their distribution at all rates, layer by layer; words; division by products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "read_test.h"

/* Gaps of a rate follow p (1 - p)^k: chi-square over k (merged so that 40 classes are about even), from 2 million gaps: a rate that is wrong by 1 % is found with power above
 * 0.999 (non-centrality n 0.01^2 = 200 for one degree of freedom, 39 are used: critical value 83 at 1e-4). */
static double fit_of_gaps(const snn_gap_table *t, double rate, uint64_t index) {
    enum { CLASSES = 40, N = 2000000 };
    static double count[CLASSES], expected[CLASSES];
    uint64_t edge[CLASSES + 1] = {0};
    memset(count, 0, sizeof count);
    for (int c = 1; c < CLASSES; c++) {
        edge[c] = (uint64_t)ceil(-log(1 - (double)c / CLASSES) / rate);
        edge[c] = edge[c] > edge[c - 1] ? edge[c] : edge[c - 1];
    }
    edge[CLASSES] = UINT64_MAX;
    for (int c = 0; c < CLASSES; c++)
        expected[c] =
            N * (exp(-rate * (double)edge[c]) - (c + 1 < CLASSES ? exp(-rate * (double)edge[c + 1]) : 0));
    snn_gap_source s;
    snn_gap_start(&s, 5, SNN_PURPOSE_TEST, index, 0);
    for (int i = 0; i < N; i++) {
        const uint64_t gap = snn_gap_cells(t, &s);
        int c = 0;
        for (int step = 32; step; step /= 2)
            if (c + step < CLASSES && edge[c + step] <= gap)
                c += step;
        count[c]++;
    }
    return chi_square(count, expected, CLASSES);
}

static void gaps_are_geometric(void **state) {
    (void)state;
    const double p[] = {0.5, 0.1, 1e-3, 1e-6, 1e-12};
    static snn_gap_table t;
    for (int i = 0; i < 5; i++) {
        const double rate = snn_read_rate(p[i]);
        snn_gap_table_init(&t, rate);
        assert_true(fit_of_gaps(&t, rate, (uint64_t)i) > 1e-4);
        assert_true(fit_of_gaps(&t, rate * 1.01, (uint64_t)i) < 1e-4); /* the test bites */
    }
}

/* Real gaps: mean, variance, third moment of an exponential, the share beyond the tail's begin, and no step at the tail or between layers (chi-square over 64 even classes, 16 of
 * them in the last 1/64). */
static void real_gaps(void **state) {
    (void)state;
    enum { N = 4000000, CLASSES = 64 };
    static snn_gap_table t;
    static double count[CLASSES], expected[CLASSES];
    snn_gap_table_init(&t, 1);
    snn_gap_source s;
    snn_gap_start(&s, 6, SNN_PURPOSE_TEST, 0, 100);
    double sum[4] = {0};
    int tail = 0;
    for (int i = 0; i < N; i++) {
        const double e = snn_gap_real(&t, &s);
        assert_true(e > 0);
        sum[1] += e, sum[2] += e * e, sum[3] += e * e * e;
        tail += e > 7.69711747013104972;
        count[(int)((1 - exp(-e)) * CLASSES)]++;
    }
    for (int c = 0; c < CLASSES; c++)
        expected[c] = (double)N / CLASSES;
    assert_true(chi_square(count, expected, CLASSES) > 1e-4);
    /* five standard deviations of each: sqrt(var / N), var = 1, 20, 684 */
    assert_true(fabs(sum[1] / N - 1) < 5 * sqrt(1.0 / N));
    assert_true(fabs(sum[2] / N - 2) < 5 * sqrt(20.0 / N));
    assert_true(fabs(sum[3] / N - 6) < 5 * sqrt(684.0 / N));
    const double beyond = N * exp(-7.69711747013104972);
    assert_true(fabs(tail - beyond) < 5 * sqrt(beyond));
}

/* The least rate: gaps that fit 64 bits; the first gaps of a stream are always the same. */
static void extremes(void **state) {
    (void)state;
    static snn_gap_table t;
    snn_gap_source s;
    snn_gap_table_init(&t, SNN_GAP_LEAST_RATE);
    snn_gap_start(&s, 7, SNN_PURPOSE_TEST, 0, 0);
    double sum = 0;
    for (int i = 0; i < 100000; i++)
        sum += (double)snn_gap_cells(&t, &s);
    assert_true(fabs(sum / 100000 * SNN_GAP_LEAST_RATE - 1) < 0.02);
    snn_gap_table_init(&t, 64); /* cells that always fail */
    for (int i = 0; i < 100000; i++)
        assert_int_equal(snn_gap_cells(&t, &s), 0);
}

/* Beside the box of a layer a point counts when it lies under exp(-x), and only then: just below and just above the curve, at three places of every layer. */
static void under_the_curve(void **state) {
    (void)state;
    static snn_gap_table t;
    snn_gap_table_init(&t, 1);
    for (uint32_t layer = 1; layer < SNN_GAP_LAYERS; layer++)
        for (int k = 1; k < 4; k++) {
            const uint32_t accept = t.layer[layer].accept;
            const uint32_t place = accept + (uint32_t)((0x1000000 - accept) / 4 * (uint32_t)k);
            const double x = (2.0 * place + 1) * 0x1p-25 * t.edge[layer];
            const double u =
                (exp(-x) - t.density[layer]) / (t.density[layer + 1] - t.density[layer]) * 0x1p32;
            for (int above = 0; above < 2; above++) {
                /* the point, its height, and a word that is accepted at once */
                snn_gap_source s = {.n = 3};
                s.word[0] = (uint32_t)(u + (above ? 5 : -5));
                s.word[1] = 7;
                const uint64_t gap = snn_gap_rest(&t, &s, place << 8 | layer);
                assert_int_equal(s.at, above ? 2 : 1);
                assert_true(gap == (above ? (uint64_t)t.layer[7].width
                                          : (2 * (uint64_t)place + 1) * t.layer[layer].width));
            }
        }
}

/* Words come in the stream's order, whatever the first refill takes. */
static void words_of_the_stream(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++) {
        snn_gap_source s;
        snn_random r;
        snn_gap_start(&s, 8, SNN_PURPOSE_READ, 9, first ? 1000 : 0);
        snn_random_init(&r, 8, SNN_PURPOSE_READ, 9);
        for (int i = 0; i < 300; i++)
            assert_int_equal(snn_gap_word(&s), snn_random_u32(&r));
    }
}

static void rates(void **state) {
    (void)state;
    assert_true(snn_read_rate(0) == 0 && snn_read_rate(1) == 64 && snn_read_rate(2) == 64);
    for (int i = 0; i < 110; i++) {
        const double p = 1e-15 * pow(1.37, i);
        if (p > 0.999)
            break;
        assert_true(fabs(snn_read_rate(p) + log1p(-p)) <= 2e-15 * snn_read_rate(p) + 3e-16);
    }
}

static void division(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 9, SNN_PURPOSE_TEST, 0);
    const uint32_t divisors[] = {1, 2, 3, 5, 7, 8, 9, 4096, 4097, 73728, 65535, 65536, 4294967295u};
    for (size_t i = 0; i < sizeof divisors / sizeof *divisors; i++) {
        const uint32_t d = divisors[i];
        const snn_divider v = snn_divider_make(d);
        const uint64_t most = UINT64_MAX / d - 1;
        for (int k = 0; k < 20000; k++) {
            uint64_t n = snn_random_u64(&r) >> snn_random_below(&r, 64);
            n = n > most ? most : n;
            const uint64_t m = n / d * d; /* just at and before a multiple */
            assert_true(snn_divide(v, n) == n / d);
            assert_true(snn_divide(v, m) == m / d);
            assert_true(m == 0 || snn_divide(v, m - 1) == (m - 1) / d);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_geometric), cmocka_unit_test(real_gaps),
        cmocka_unit_test(extremes),           cmocka_unit_test(words_of_the_stream),
        cmocka_unit_test(under_the_curve),    cmocka_unit_test(rates),
        cmocka_unit_test(division),
    };
    return cmocka_run_group_tests_name("read_gap", tests, NULL, NULL);
}
