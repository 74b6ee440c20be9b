/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The normal distribution against mpmath's values (tests/golden/make_normal_vectors.py), at its edges, and exact bits by digest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/digest.h>
#include <snnsim/portable_math.h>
#include <snnsim/random.h>

#include "../../base/normal_fill.h"
#include "../golden/normal_vectors.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void tails_have_full_relative_accuracy(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(normal_tails); i++) {
        double x = normal_tails[i][0], want = normal_tails[i][1];
        /* Below the normal range of doubles only absolute accuracy is possible. */
        double limit = want > 1e-300 ? 2e-15 * want : 1e-320;
        assert_true(fabs(snn_normal_tail(x) - want) <= limit);
        assert_true(fabs(snn_normal_cdf(-x) - want) <= limit);
    }
}

static void distribution_and_tail_add_up(void **state) {
    (void)state;
    double last = 0;
    for (int i = -40000; i <= 40000; i++) {
        double x = i / 1000.0, p = snn_normal_cdf(x);
        assert_true(fabs(p + snn_normal_tail(x) - 1) <= 3e-16);
        assert_true(p >=
                    last * (1 - 1e-14)); /* ascending, up to rounding at the borders of the approximations */
        last = p;
    }
}

static void edges_of_the_tail(void **state) {
    (void)state;
    assert_true(snn_normal_tail(0) == 0.5 && snn_normal_cdf(0) == 0.5);
    assert_true(snn_normal_tail(INFINITY) == 0 && snn_normal_tail(-INFINITY) == 1);
    assert_true(snn_normal_cdf(INFINITY) == 1 && snn_normal_cdf(-INFINITY) == 0);
    assert_true(snn_normal_tail(1e300) == 0 && snn_normal_tail(-1e300) == 1);
    assert_true(isnan(snn_normal_tail(NAN)) && isnan(snn_normal_cdf(NAN)));
    assert_true(snn_normal_tail(38.4) > 0);
    assert_true(snn_normal_tail(39.5) == 0);
}

static void quantiles_are_accurate(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(normal_quantiles); i++) {
        double z = snn_normal_quantile(normal_quantiles[i][0]), want = normal_quantiles[i][1];
        assert_true(fabs(z - want) <= 2e-15 * fmax(1, fabs(want)));
    }
}

static void quantile_inverts_the_distribution(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < 20000; i++) {
        double p = snn_exp(-700 * snn_random_uniform(&r)) * 0.5;
        double z = snn_normal_quantile(p);
        /* dp/p = z dz: errors of 1e-15 |z| in z, and those of the distribution function */
        assert_true(fabs(snn_normal_cdf(z) / p - 1) <= 4e-15 * (1 + z * z));
    }
    for (int i = 1; i < 1024; i++) /* exact in binary: odd symmetry to the last bit */
        assert_true(snn_normal_quantile(i / 1024.0) == -snn_normal_quantile(1 - i / 1024.0));
}

static void edges_of_the_quantile(void **state) {
    (void)state;
    assert_true(snn_normal_quantile(0) == -INFINITY && snn_normal_quantile(1) == INFINITY);
    assert_true(snn_normal_quantile(0.5) == 0);
    assert_true(isnan(snn_normal_quantile(-0.1)) && isnan(snn_normal_quantile(1.1)));
    assert_true(isnan(snn_normal_quantile(NAN)));
    assert_true(isfinite(snn_normal_quantile(5e-324)));
}

/* The promise is one result on all machines: the bits of 30000 results. The digest is that of GCC 12 and Clang 14 at -O0 to -O3. */
static void bits_are_the_same_everywhere(void **state) {
    (void)state;
    /* at the border of two approximations, which differ in their last bit */
    assert_true(snn_normal_tail(0.67448975) == 0x1.00000001120b1p-2);
    assert_true(snn_normal_tail(-0.67448975) == 0x1.7fffffff76fa8p-1);
    snn_digest d;
    snn_digest_init(&d);
    snn_random r;
    snn_random_init(&r, 2, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < 10000; i++) {
        double x = 80 * snn_random_uniform(&r) - 40, u = snn_random_uniform(&r);
        double out[3] = {snn_normal_tail(x), snn_normal_cdf(x / 8), snn_normal_quantile(u)};
        for (int k = 0; k < 3; k++) {
            uint64_t bits;
            memcpy(&bits, &out[k], sizeof bits);
            snn_digest_u64(&d, bits);
        }
    }
    uint8_t digest[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_final(&d, digest);
    snn_digest_hex(digest, hex);
    assert_string_equal(hex, "28c1e19d17689f82dfef63ed3899fc2cdcab74da7ab8eb4a7555d3b22f1aee09");
}

/* Every kernel gives the quantile's bits, on both sides of the border between its two ways and whatever the length. */
static void kernels_give_the_bits_of_the_quantile(void **state) {
    (void)state;
    enum { MOST = 1100 };
    uint32_t word[MOST];
    double z[MOST + 1];
    snn_random_fill(1, SNN_PURPOSE_TEST, 0, 0, MOST / 4, word);
    const uint32_t edges[] = {0, 1, UINT32_MAX, UINT32_MAX - 1, 0x80000000u, 0x7fffffffu};
    memcpy(word, edges, sizeof edges);
    for (uint32_t i = 0; i < 8; i++) {
        word[20 + i] = SNN_NORMAL_CENTRE_FIRST - 4 + i;
        word[40 + i] = SNN_NORMAL_CENTRE_LAST - 4 + i;
    }
    static const size_t lengths[] = {0, 1, 3, 255, 256, 257, 512, MOST};
    for (int level = 0; level <= (int)snn_simd_best(); level++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            z[lengths[k]] = 77;
            snn_normal_kernel_for((snn_simd)level)(word, lengths[k], z);
            for (size_t i = 0; i < lengths[k]; i++)
                assert_true(z[i] == snn_normal_quantile((word[i] + 0.5) * 0x1p-32));
            assert_true(z[lengths[k]] == 77);
        }
    snn_random_normals(word, MOST, z);
    assert_true(z[MOST - 1] == snn_normal_quantile((word[MOST - 1] + 0.5) * 0x1p-32));
    assert_true(snn_normal_kernel_for(SNN_SIMD_PLAIN) == snn_normal_fill_plain);
#if defined(__x86_64__)
    assert_true(snn_normal_kernel_for(SNN_SIMD_AVX2) == snn_normal_fill_avx2);
    assert_true(snn_normal_kernel_for(SNN_SIMD_AVX512) == snn_normal_fill_avx512);
#endif
}

/* Where the quantile changes its formula, in words. */
static void centre_is_where_the_quantile_has_it(void **state) {
    (void)state;
    assert_true((SNN_NORMAL_CENTRE_FIRST + 0.5) * 0x1p-32 - 0.5 >= -0.425);
    assert_true((SNN_NORMAL_CENTRE_FIRST - 0.5) * 0x1p-32 - 0.5 < -0.425);
    assert_true((SNN_NORMAL_CENTRE_LAST + 0.5) * 0x1p-32 - 0.5 <= 0.425);
    assert_true((SNN_NORMAL_CENTRE_LAST + 1.5) * 0x1p-32 - 0.5 > 0.425);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_have_full_relative_accuracy),
        cmocka_unit_test(distribution_and_tail_add_up),
        cmocka_unit_test(edges_of_the_tail),
        cmocka_unit_test(quantiles_are_accurate),
        cmocka_unit_test(quantile_inverts_the_distribution),
        cmocka_unit_test(edges_of_the_quantile),
        cmocka_unit_test(bits_are_the_same_everywhere),
        cmocka_unit_test(kernels_give_the_bits_of_the_quantile),
        cmocka_unit_test(centre_is_where_the_quantile_has_it),
    };
    return cmocka_run_group_tests_name("normal", tests, NULL, NULL);
}
