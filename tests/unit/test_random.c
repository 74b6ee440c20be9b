/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random streams: known answers of Random123, independence, and the distributions against GSL's. Seeds are fixed, so that a
 * statistical test either always passes or never. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <snnsim/random.h>

/* Lines "philox4x32 10" of kat_vectors in the Random123 distribution: counter, key, answer. */
static void known_answers(void **state) {
    (void)state;
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
         0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        snn_philox4x32(kat[i], kat[i] + 4, out);
        assert_memory_equal(out, kat[i] + 6, sizeof out);
    }
}

static void stream_layout(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 0x0123456789abcdefu, SNN_PURPOSE_CAMERA, 0xfedcba9876543210u);
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = {block, SNN_PURPOSE_CAMERA, 0x76543210, 0xfedcba98};
        uint32_t want[4];
        snn_philox4x32(counter, key, want);
        for (int i = 0; i < 4; i++)
            assert_int_equal(snn_random_u32(&r), want[i]);
    }
    /* low word first */
    snn_random a = r, b = r;
    uint64_t low = snn_random_u32(&a), high = snn_random_u32(&a);
    assert_true(snn_random_u64(&b) == (low | high << 32));
    b = r;
    assert_true(snn_random_uniform(&b) == (double)((low | high << 32) >> 11) / 9007199254740992.0);
}

static void block_number_carries(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_SEARCH, 5);
    r.counter[0] = UINT32_MAX;
    for (int i = 0; i < 4; i++)
        snn_random_u32(&r);
    const uint32_t counter[4] = {0, SNN_PURPOSE_SEARCH + 0x10000, 5, 0}, key[2] = {1, 0};
    uint32_t want[4];
    snn_philox4x32(counter, key, want);
    assert_int_equal(snn_random_u32(&r), want[0]);
}

static void streams_differ(void **state) {
    (void)state;
    /* Correlation of uniforms between a stream and its neighbours in seed, purpose and index: within 4.5 sigma. */
    enum { N = 20000 };
    for (int other = 0; other < 5; other++) {
        snn_random a, b;
        snn_random_init(&a, 42, SNN_PURPOSE_WEIGHTS, 10);
        snn_random_init(&b,
                        other == 0   ? 43
                        : other == 1 ? 42 + ((uint64_t)1 << 32)
                                     : 42,
                        other == 2 ? SNN_PURPOSE_SHUFFLE : SNN_PURPOSE_WEIGHTS,
                        other == 3   ? 11
                        : other == 4 ? 10 + ((uint64_t)1 << 32)
                                     : 10);
        double sum = 0;
        int equal = 0;
        for (int i = 0; i < N; i++) {
            double x = snn_random_uniform(&a), y = snn_random_uniform(&b);
            equal += x == y;
            sum += (x - 0.5) * (y - 0.5) * 12;
        }
        assert_int_equal(equal, 0);
        assert_true(fabs(sum / sqrt(N)) < 4.5);
    }
}

/* Kolmogorov-Smirnov: sup |F_n - F| * sqrt(n); 1.95 is the 0.1 % point. */
static double kolmogorov(double *x, size_t n, double (*cdf)(double)) {
    gsl_sort(x, 1, n);
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double f = cdf(x[i]);
        worst = fmax(worst, fmax(fabs(f - (double)i / (double)n), fabs(f - (double)(i + 1) / (double)n)));
    }
    return worst * sqrt((double)n);
}

static double uniform_cdf(double x) {
    return x;
}

static void uniform_and_normal(void **state) {
    (void)state;
    enum { N = 200000 };
    double *x = malloc(N * sizeof *x);
    snn_random r;
    snn_random_init(&r, 3, SNN_PURPOSE_TEST, 0);
    double low = 1, high = 0;
    for (int i = 0; i < N; i++) {
        x[i] = snn_random_uniform(&r);
        low = fmin(low, x[i]), high = fmax(high, x[i]);
    }
    assert_true(low >= 0 && high < 1);
    assert_true(kolmogorov(x, N, uniform_cdf) < 1.95);
    double sum[5] = {0};
    for (int i = 0; i < N; i++) {
        x[i] = snn_random_normal(&r);
        for (int k = 1; k < 5; k++)
            sum[k] += pow(x[i], k) / N;
    }
    assert_true(fabs(sum[1]) < 4 / sqrt(N));
    assert_true(fabs(sum[2] - 1) < 4 * sqrt(2.0 / N));
    assert_true(fabs(sum[3]) < 4 * sqrt(15.0 / N));
    assert_true(fabs(sum[4] - 3) < 4 * sqrt(96.0 / N));
    assert_true(kolmogorov(x, N, gsl_cdf_ugaussian_P) < 1.95);
    free(x);
}

static void normal_of_the_extreme_uniform(void **state) {
    (void)state;
    /* The largest value a 53-bit uniform allows is finite: sqrt(-2 log 2^-53) = 8.57. */
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    memset(r.block, 0xff, sizeof r.block);
    r.left = 4;
    double x = snn_random_normal(&r);
    assert_true(fabs(x - 8.571674348652905) < 1e-9);
    memset(r.block, 0, sizeof r.block);
    r.left = 4;
    assert_true(snn_random_normal(&r) == 0);
}

/* Some 25 comparisons are made here: each may fail a sound generator with 1e-5, so that all together do with 0.03 %. With the many
 * draws below, a bias of 1 % of a cell is still far beyond this limit. */
#define P_MIN 1e-5

/* Chi-square of counts against expected ones; cells below 5 are joined to the next. */
static double chi_square_p(const double *seen, const double *expected, int n) {
    double chi = 0, s = 0, e = 0;
    int cells = 0;
    for (int i = 0; i < n; i++) {
        s += seen[i], e += expected[i];
        if (e >= 5 || i == n - 1) {
            if (e > 0)
                chi += (s - e) * (s - e) / e, cells++;
            s = e = 0;
        }
    }
    return gsl_cdf_chisq_Q(chi, cells - 1);
}

static void below_is_fair(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(snn_random_below(&r, 1), 0);
    static const uint32_t bounds[] = {2, 3, 10, 37, 100};
    for (size_t b = 0; b < 5; b++) {
        double seen[100] = {0}, expected[100];
        for (int i = 0; i < 500000; i++) {
            uint32_t x = snn_random_below(&r, bounds[b]);
            assert_true(x < bounds[b]);
            seen[x]++;
        }
        for (uint32_t i = 0; i < bounds[b]; i++)
            expected[i] = 500000.0 / bounds[b];
        assert_true(chi_square_p(seen, expected, (int)bounds[b]) > P_MIN);
    }
    /* Without rejection, n = 3 * 2^30 would give every third value twice as often. */
    double thirds[3] = {0}, expected[3] = {200000, 200000, 200000};
    for (int i = 0; i < 600000; i++)
        thirds[snn_random_below(&r, 3u << 30) % 3]++;
    assert_true(chi_square_p(thirds, expected, 3) > P_MIN);
}

static void poisson_fits(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 6, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(snn_random_poisson(&r, 0), 0);
    static const double means[] = {0.01, 0.5, 3, 9.99, 10, 12.5, 50, 400};
    for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
        enum { CELLS = 1000, N = 100000 };
        double seen[CELLS] = {0}, expected[CELLS], sum = 0, square = 0;
        for (int i = 0; i < N; i++) {
            uint32_t k = snn_random_poisson(&r, means[m]);
            assert_true(k < CELLS);
            seen[k]++;
            sum += k, square += (double)k * k;
        }
        for (int k = 0; k < CELLS; k++)
            expected[k] = N * gsl_ran_poisson_pdf((unsigned)k, means[m]);
        assert_true(chi_square_p(seen, expected, CELLS) > P_MIN);
        double mean = sum / N, variance = square / N - mean * mean;
        assert_true(fabs(mean - means[m]) < 4 * sqrt(means[m] / N));
        assert_true(fabs(variance / means[m] - 1) < 4 * sqrt((2 + 1 / means[m]) / N));
    }
    double sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += snn_random_poisson(&r, 3e9);
    assert_true(fabs(sum / 1000 - 3e9) < 4 * sqrt(3e9 / 1000));
}

static void poisson_inversion_ends(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    for (double mean = 0.5; mean < 10;
         mean += 0.25) { /* the largest uniform: a sum short of 1 must not loop for ever */
        memset(r.block, 0xff, sizeof r.block);
        r.left = 4;
        assert_true(snn_random_poisson(&r, mean) <= 200);
    }
}

static void permutations(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 8, SNN_PURPOSE_SHUFFLE, 0);
    uint32_t order[1000];
    bool seen[1000] = {0};
    snn_random_permutation(&r, order, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_true(order[i] < 1000 && !seen[order[i]]);
        seen[order[i]] = true;
    }
    /* all 24 orders of 4 equally often */
    double count[256] = {0};
    for (int i = 0; i < 240000; i++) {
        snn_random_permutation(&r, order, 4);
        count[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6]++;
    }
    double chi = 0;
    int orders = 0;
    for (int i = 0; i < 256; i++)
        if (count[i] > 0)
            chi += (count[i] - 10000) * (count[i] - 10000) / 10000, orders++;
    assert_int_equal(orders, 24);
    assert_true(gsl_cdf_chisq_Q(chi, 23) > P_MIN);
    snn_random_permutation(&r, order, 0);
    snn_random_permutation(&r, order, 1);
    assert_int_equal(order[0], 0);
}

static void gsl_type(void **state) {
    (void)state;
    gsl_rng *g = gsl_rng_alloc(snn_gsl_philox);
    snn_random r;
    gsl_rng_set(g, 77);
    snn_random_init(&r, 77, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(gsl_rng_get(g), snn_random_u32(&r));
    snn_random_gsl_init(g, 0x100000002u, SNN_PURPOSE_DEVICE, 3);
    snn_random_init(&r, 0x100000002u, SNN_PURPOSE_DEVICE, 3);
    for (int i = 0; i < 10; i++)
        assert_true(gsl_rng_uniform(g) == snn_random_uniform(&r));
    assert_int_equal(gsl_rng_min(g), 0);
    assert_int_equal(gsl_rng_max(g), UINT32_MAX);
    assert_string_equal(gsl_rng_name(g), "philox4x32-10");
    double sum = 0;
    for (int i = 0; i < 10000; i++)
        sum += gsl_ran_lognormal(g, 0, 0.5);
    assert_true(fabs(sum / 10000 - exp(0.125)) < 0.03);
    gsl_rng_free(g);
}

/* Values that results depend on: recorded from the first version, whose parts the tests above check one by one. */
static void golden_values(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 2026, SNN_PURPOSE_GESTURE, 3);
    double normal = 0;
    uint64_t poisson = 0, below = 0;
    for (int i = 0; i < 100; i++) {
        normal += snn_random_normal(&r);
        poisson = poisson * 31 + snn_random_poisson(&r, i < 50 ? 4.5 : 45);
        below = below * 31 + snn_random_below(&r, 1000);
    }
    print_message("normal %a poisson 0x%llx below 0x%llx\n", normal, (unsigned long long)poisson,
                  (unsigned long long)below);
    assert_true(normal == 0x1.3eed770d77d9ep+2);
    assert_true(poisson == 0xbde8751e67e20efeu);
    assert_true(below == 0xdb86451f803566bfu);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(stream_layout),
        cmocka_unit_test(block_number_carries),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(uniform_and_normal),
        cmocka_unit_test(normal_of_the_extreme_uniform),
        cmocka_unit_test(below_is_fair),
        cmocka_unit_test(poisson_fits),
        cmocka_unit_test(poisson_inversion_ends),
        cmocka_unit_test(permutations),
        cmocka_unit_test(gsl_type),
        cmocka_unit_test(golden_values),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
