/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every SIMD kernel against its plain twin on random data, with values at the limits of the 16-bit partial sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../sim/kernel.h"
#include <snnsim/random.h>

enum { MOST_OUTPUTS = 1200, ROWS = 300 };

static snn_random rng(uint64_t index) {
    snn_random r;
    snn_random_init(&r, 7, SNN_PURPOSE_TEST, index);
    return r;
}

static bool lacks(int level) {
    return (int)snn_simd_best() < level;
}

/* Fills rows in plain order and in the level's order. magnitude 128: all weights -128 or 127, so that every limit is met. */
static void fill_rows(snn_random *r, int8_t *plain, int8_t *other, const snn_kernels *k, uint32_t outputs,
                      int magnitude) {
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t j = 0; j < outputs; j++) {
            const int q = magnitude == 128
                              ? (snn_random_below(r, 8) ? -128 : 127)
                              : (int)snn_random_below(r, 2 * (uint32_t)magnitude + 1) - magnitude;
            plain[i * outputs + j] = (int8_t)q;
            other[i * outputs + k->position(j, outputs)] = (int8_t)q;
        }
}

static void check_row_sums(const snn_kernels *k, uint32_t outputs, size_t entries, int magnitude,
                           uint32_t largest_count, uint64_t index) {
    snn_random r = rng(index);
    int8_t *plain = malloc(ROWS * MOST_OUTPUTS), *other = malloc(ROWS * MOST_OUTPUTS);
    uint32_t *entry = malloc((entries + 1) * sizeof *entry);
    snn_spike *count = malloc((entries + 1) * sizeof *count);
    int32_t expected[MOST_OUTPUTS], sum[MOST_OUTPUTS];
    fill_rows(&r, plain, other, k, outputs, magnitude);
    for (size_t i = 0; i < entries; i++) {
        entry[i] = snn_random_below(&r, ROWS);
        count[i] = (snn_spike){entry[i], 1 + snn_random_below(&r, largest_count)};
    }
    const size_t cut =
        entries /
        3; /* three segments, the second empty; the last one's base is shifted as for convolutions */
    for (size_t i = cut; i < entries; i++) {
        entry[i] += 5;
        count[i].index += 5;
    }
    for (int counted = 0; counted < 2; counted++) {
        snn_row_sum p = {NULL, 3, outputs, outputs, magnitude};
        snn_segment a[3] = {{entry, count, cut, plain},
                            {entry, count, 0, plain},
                            {entry + cut, count + cut, entries - cut, plain - 5 * (ptrdiff_t)outputs}};
        p.segment = a;
        memset(sum, 0x55, sizeof sum);
        (counted ? snn_kernels_plain.sum_counts : snn_kernels_plain.sum_spikes)(&p, expected);
        a[0].base = a[1].base = other;
        a[2].base = other - 5 * (ptrdiff_t)outputs;
        (counted ? k->sum_counts : k->sum_spikes)(&p, sum);
        assert_memory_equal(sum, expected, outputs * sizeof *sum);
    }
    free(plain);
    free(other);
    free(entry);
    free(count);
}

static void row_sums(int level) {
    static const uint32_t outputs[] = {16,  32,  48,  64,  80,  96,  112,  128, 144,
                                       240, 256, 272, 496, 512, 528, 1024, 1200};
    static const size_t entries[] = {0, 1, 2, 3, 7, 130, 131, 600};
    const snn_kernels *k = snn_kernels_for((snn_simd)level);
    uint64_t index = 0;
    for (size_t o = 0; o < sizeof outputs / sizeof *outputs; o++)
        for (size_t e = 0; e < sizeof entries / sizeof *entries; e++) {
            check_row_sums(k, outputs[o], entries[e], 128, 127, index++);
            check_row_sums(k, outputs[o], entries[e], 128, 1, index++);
            check_row_sums(k, outputs[o], entries[e], 1 + (int)(index % 127), 9, index);
            index++;
        }
}

/* Sums that reach exactly +-32768 or one weight short of it when they should be spilled: all weights +-m, for magnitudes that divide 32768 and neighbours. */
static void spills(int level) {
    enum { OUTPUTS = 16 + 32 + 64 + 128 + 256 + 512, ENTRIES = 1100 };
    static const int magnitudes[] = {31, 32, 63, 64, 65, 127, 128};
    static int8_t rows[2 * OUTPUTS];
    static uint32_t entry[ENTRIES];
    static snn_spike count[ENTRIES];
    static int32_t sum[OUTPUTS];
    const snn_kernels *k = snn_kernels_for((snn_simd)level);
    for (size_t m = 0; m < sizeof magnitudes / sizeof *magnitudes; m++) {
        for (int j = 0; j < OUTPUTS; j++) {
            rows[j] = (int8_t)(magnitudes[m] == 128 ? 127 : magnitudes[m]);
            rows[OUTPUTS + j] = (int8_t)-magnitudes[m];
        }
        for (uint32_t sign = 0; sign < 2; sign++) {
            for (int i = 0; i < ENTRIES; i++) {
                entry[i] = sign;
                count[i] = (snn_spike){sign, 1 + (uint32_t)i % 4};
            }
            const snn_segment a = {entry, count, ENTRIES, rows};
            const snn_row_sum r = {&a, 1, OUTPUTS, OUTPUTS, magnitudes[m]};
            k->sum_spikes(&r, sum);
            for (int j = 0; j < OUTPUTS; j++)
                assert_int_equal(sum[j], ENTRIES * rows[sign * OUTPUTS]);
            k->sum_counts(&r, sum);
            for (int j = 0; j < OUTPUTS; j++)
                assert_int_equal(sum[j], ENTRIES / 4 * 10 * rows[sign * OUTPUTS]);
        }
    }
}

/* The plain twin itself, by hand. */
static void test_plain_by_hand(void **state) {
    (void)state;
    int8_t rows[4 * 16];
    for (int i = 0; i < 64; i++)
        rows[i] = (int8_t)(i - 30);
    const uint32_t entry[3] = {0, 2, 2};
    const snn_spike count[2] = {{1, 3}, {3, 127}};
    const snn_segment s = {entry, NULL, 3, rows}, c = {NULL, count, 2, rows};
    int32_t sum[16];
    snn_row_sum r = {&s, 1, 16, 16, 34};
    snn_kernels_plain.sum_spikes(&r, sum);
    for (int j = 0; j < 16; j++)
        assert_int_equal(sum[j], (j - 30) + 2 * (j + 2));
    r.segment = &c;
    snn_kernels_plain.sum_counts(&r, sum);
    for (int j = 0; j < 16; j++)
        assert_int_equal(sum[j], 3 * (j - 14) + 127 * (j + 18));
}

static void test_positions(void **state) {
    (void)state;
    for (uint32_t widest = 32; widest <= 64; widest *= 2)
        for (uint32_t outputs = 16; outputs <= 320; outputs += 16) {
            bool seen[320] = {false};
            for (uint32_t j = 0; j < outputs; j++) {
                const uint32_t p = snn_interleaved_position(j, outputs, widest);
                assert_true(p < outputs && !seen[p]);
                seen[p] = true;
                assert_int_equal(p, snn_interleaved_position(j - j % 8, outputs, widest) + j % 8);
            }
        }
    /* as _mm512_unpacklo_epi8 of a whole register yields outputs 0..31 in order */
    assert_int_equal(snn_interleaved_position(0, 64, 64), 0);
    assert_int_equal(snn_interleaved_position(8, 64, 64), 16);
    assert_int_equal(snn_interleaved_position(32, 64, 64), 8);
    assert_int_equal(snn_interleaved_position(63, 64, 64), 63);
}

static void dense(int level) {
    const snn_kernels *k = snn_kernels_for((snn_simd)level);
    static const uint32_t outputs[] = {16, 48, 64, 128, 144};
    for (int round = 0; round < 60; round++) {
        snn_random r = rng(1000 + (uint64_t)round);
        const uint32_t n = outputs[round % 5], lines = 1 + snn_random_below(&r, 5),
                       bytes = 4 * (1 + snn_random_below(&r, 60));
        const uint32_t pixels = 1 + snn_random_below(&r, 9), most = round % 3 == 0   ? 1
                                                                    : round % 3 == 1 ? 9
                                                                                     : 255;
        const size_t pixel_step = 4 * (1 + snn_random_below(&r, 20)), line_step = bytes + pixels * pixel_step;
        const size_t input_size = lines * line_step + pixels * pixel_step + bytes,
                     weight_size = (size_t)lines * bytes * n;
        uint8_t *input = malloc(input_size);
        int8_t *weights = malloc(weight_size);
        for (size_t i = 0; i < input_size; i++)
            input[i] = (uint8_t)(most == 1 ? snn_random_below(&r, 4) > 0 : snn_random_below(&r, most + 1));
        for (size_t i = 0; i < weight_size; i++)
            weights[i] = (int8_t)(snn_random_below(&r, 9) ? -128 : (int)snn_random_below(&r, 256) - 128);
        const snn_dense_sum d = {input,   pixel_step, line_step, lines, bytes,
                                 weights, n,          pixels,    128,   (int32_t)most};
        int32_t *expected = malloc(pixels * n * sizeof *expected), *sum = malloc(pixels * n * sizeof *sum);
        snn_kernels_plain.sum_dense(&d, expected);
        k->sum_dense(&d, sum);
        assert_memory_equal(sum, expected, pixels * n * sizeof *sum);
        /* the twin itself: one output by the definition */
        int64_t one = 0;
        for (uint32_t l = 0; l < lines; l++)
            for (uint32_t i = 0; i < bytes; i++)
                one += input[(pixels - 1) * pixel_step + l * line_step + i] *
                       weights[((l * bytes + i) / 4 * n + n - 1) * 4 + i % 4];
        assert_int_equal(one, expected[pixels * n - 1]);
        free(input);
        free(weights);
        free(expected);
        free(sum);
    }
}

static void neurons(int level) {
    const snn_kernels *k = snn_kernels_for((snn_simd)level);
    enum { N = 80 };
    for (int round = 0; round < 64; round++) {
        snn_random r = rng(2000 + (uint64_t)round);
        float factor[N], bias[N], v[2][N], membrane[2][N];
        int32_t sum[N], fine[N], start[N], w[2][N], threshold[N], bias_fixed[N], trace[2][N];
        uint8_t spike[2][N];
        uint64_t changed[2] = {5, 5};
        for (int j = 0; j < N; j++) {
            factor[j] = 1.0f / (float)(1 << snn_random_below(&r, 9)) * (round % 4 ? 1.0f : 0.9f);
            bias[j] = (float)snn_random_uniform(&r) - 0.5f;
            sum[j] = (int32_t)snn_random_below(&r, 401) - 200;
            v[0][j] = v[1][j] = snn_random_below(&r, 5) ? (float)snn_random_normal(&r) : 0.0f;
            w[0][j] = w[1][j] =
                (int32_t)snn_random_below(&r, round % 2 ? 2000001 : 2001) - (round % 2 ? 1000000 : 1000);
            threshold[j] = (int32_t)snn_random_below(&r, 5000);
            bias_fixed[j] = (int32_t)snn_random_below(&r, 5000) - 2500;
            if (j % 7 == 0) /* exactly at threshold, and exactly unchanged */
                v[0][j] = v[1][j] = 0, sum[j] = 64, factor[j] = 1.0f / 128, bias[j] = 0,
                w[0][j] = w[1][j] = 0, threshold[j] = 4096, bias_fixed[j] = 0;
            if (j % 11 == 0)
                sum[j] = 0, v[0][j] = v[1][j] = 0, bias[j] = 0, w[0][j] = w[1][j] = 0, bias_fixed[j] = 0;
        }
        const bool subtract = round & 1, at = round & 2, spiking = !(round % 8 == 7);
        const snn_lif_float f = {0.3f, 0.5f, factor, round & 4 ? bias : NULL, subtract, at, spiking};
        const snn_lif_fixed x = {1229, threshold, round & 4 ? bias_fixed : NULL, subtract, at, spiking};
        assert_int_equal(snn_kernels_plain.lif_float(&f, N, sum, v[0], spike[0], membrane[0], &changed[0]),
                         k->lif_float(&f, N, sum, v[1], spike[1], membrane[1], &changed[1]));
        assert_memory_equal(v[0], v[1], sizeof v[0]);
        assert_memory_equal(membrane[0], membrane[1], sizeof membrane[0]);
        assert_memory_equal(spike[0], spike[1], N);
        assert_int_equal(changed[0], changed[1]);
        memcpy(start, w[0], sizeof start);
        assert_int_equal(snn_kernels_plain.lif_fixed(&x, N, sum, w[0], spike[0], trace[0], &changed[0]),
                         k->lif_fixed(&x, N, sum, w[1], spike[1], trace[1], &changed[1]));
        assert_memory_equal(w[0], w[1], sizeof w[0]);
        assert_memory_equal(trace[0], trace[1], sizeof trace[0]);
        assert_memory_equal(spike[0], spike[1], N);
        assert_int_equal(changed[0], changed[1]);
        /* the same in 1/64 weight LSB */
        for (int j = 0; j < N; j++)
            fine[j] = 64 * sum[j];
        memcpy(w[0], start, sizeof start);
        changed[0] = 0;
        const uint64_t before = changed[1];
        memcpy(w[1], start, sizeof start);
        assert_int_equal(snn_plain_lif_fine(&x, N, fine, w[0], spike[0], trace[0], &changed[0]),
                         k->lif_fixed(&x, N, sum, w[1], spike[1], trace[1], &changed[1]));
        assert_memory_equal(w[0], w[1], sizeof w[0]);
        assert_memory_equal(trace[0], trace[1], sizeof trace[0]);
        assert_memory_equal(spike[0], spike[1], N);
        assert_int_equal(changed[0], changed[1] - before);
        if (spiking) /* at threshold fires only with >= */
            assert_int_equal(spike[0][7], at);
    }
}

static void planes(int level) {
    const snn_kernels *k = snn_kernels_for((snn_simd)level);
    for (int round = 0; round < 40; round++) {
        snn_random r = rng(3000 + (uint64_t)round);
        const uint32_t n = 16 * (1 + snn_random_below(&r, 12));
        uint8_t plane[9 * 192], out[2][192];
        uint32_t entry[2][192 + 16];
        snn_spike list[192];
        for (size_t i = 0; i < sizeof plane; i++)
            plane[i] = (uint8_t)(snn_random_below(&r, 3) ? 0 : snn_random_below(&r, 256));
        const size_t found = snn_kernels_plain.list_nonzero(plane, n, 100, entry[0]);
        assert_int_equal(k->list_nonzero(plane, n, 100, entry[1]), found);
        assert_memory_equal(entry[0], entry[1], found * sizeof **entry);
        for (size_t i = 0; i < found; i++)
            assert_true(entry[0][i] >= 100 && entry[0][i] < 100 + n && plane[entry[0][i] - 100]);
        const uint32_t window = 1 + snn_random_below(&r, 3);
        assert_int_equal(k->pool_max(plane, n, 3 * n, window, n, out[1]),
                         snn_kernels_plain.pool_max(plane, n, 3 * n, window, n, out[0]));
        assert_memory_equal(out[0], out[1], n);
        for (uint32_t i = 0; i < n; i++)
            list[i] = (snn_spike){snn_random_u32(&r), snn_random_u32(&r)};
        for (uint32_t m = 0; m <= n; m += 1 + n / 9) {
            const snn_list_extent a = snn_kernels_plain.list_extent(list, m), b = k->list_extent(list, m);
            assert_true(a.largest_index == b.largest_index && a.largest_count == b.largest_count &&
                        a.total == b.total);
        }
    }
}

#define LEVEL_TEST(what, level)                                                                              \
    static void test_##what##_##level(void **state) {                                                        \
        (void)state;                                                                                         \
        if (lacks(level)) {                                                                                  \
            print_message("skipped (this CPU has no level %d)\n", level);                                    \
            skip();                                                                                          \
        }                                                                                                    \
        what(level);                                                                                         \
    }
LEVEL_TEST(row_sums, 0)
LEVEL_TEST(row_sums, 1)
LEVEL_TEST(row_sums, 2)
LEVEL_TEST(spills, 0)
LEVEL_TEST(spills, 1)
LEVEL_TEST(spills, 2)
LEVEL_TEST(dense, 1)
LEVEL_TEST(dense, 2)
LEVEL_TEST(neurons, 1)
LEVEL_TEST(neurons, 2)
LEVEL_TEST(planes, 0)
LEVEL_TEST(planes, 1)
LEVEL_TEST(planes, 2)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_by_hand), cmocka_unit_test(test_positions),
        cmocka_unit_test(test_row_sums_0),    cmocka_unit_test(test_row_sums_1),
        cmocka_unit_test(test_row_sums_2),    cmocka_unit_test(test_spills_0),
        cmocka_unit_test(test_spills_1),      cmocka_unit_test(test_spills_2),
        cmocka_unit_test(test_dense_1),       cmocka_unit_test(test_dense_2),
        cmocka_unit_test(test_neurons_1),     cmocka_unit_test(test_neurons_2),
        cmocka_unit_test(test_planes_0),      cmocka_unit_test(test_planes_1),
        cmocka_unit_test(test_planes_2),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
