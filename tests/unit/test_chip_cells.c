/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deviates of memory cells: word n of a stream for cell n, from anywhere; refined at the ends; normal; independent of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gsl/gsl_cdf.h>
#include <snnsim/portable_math.h>

#include "../../hw/cells.h"
#include "chip_test.h"

static const snn_cell_stream stream = {0x0123456789abcdefu, SNN_PURPOSE_CELL_RELAX, 0xfedcba9876543210u};

static void a_cell_has_the_word_of_its_number(void **state) {
    (void)state;
    enum { N = 600 };
    uint32_t want[N], got[N + 1];
    snn_random r;
    snn_random_init(&r, stream.seed, stream.purpose, stream.index);
    for (int i = 0; i < N; i++)
        want[i] = snn_random_u32(&r);
    for (uint64_t first = 0; first < 9; first++)
        for (size_t n = 0; n < 40; n++) {
            memset(got, 0xa5, sizeof got);
            snn_cell_words(&stream, first, n, got);
            assert_memory_equal(got, want + first, n * sizeof *got);
            assert_int_equal(got[n], 0xa5a5a5a5u);
        }
    snn_cell_words(&stream, 3, N - 3, got);
    assert_memory_equal(got, want + 3, (N - 3) * sizeof *got);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(snn_cell_word(&stream, i), want[i]);
}

static void the_last_cells_have_words(void **state) {
    (void)state;
    uint32_t word[6];
    snn_cell_words(&stream, SNN_CELLS_MAX - 6, 6, word);
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    uint32_t block[4];
    snn_philox4x32((const uint32_t[4]){UINT32_MAX, SNN_PURPOSE_CELL_RELAX, 0x76543210, 0xfedcba98}, key,
                   block);
    assert_memory_equal(word + 2, block, sizeof block);
    assert_int_equal(snn_cell_word(&stream, SNN_CELLS_MAX - 1), block[3]);
}

static void uniform_deviates_are_refined_at_the_ends(void **state) {
    (void)state;
    assert_true(snn_cell_uniform(&stream, 5, 1) == 1.5 / 4294967296.0);
    assert_true(snn_cell_uniform(&stream, 5, UINT32_MAX - 1) == 1 - 1.5 / 4294967296.0);
    assert_true(snn_cell_uniform(&stream, 5, 0x80000000u) == (2147483648.0 + 0.5) / 4294967296.0);
    for (uint64_t cell = 0; cell < 50;
         cell++) { /* word 2^49 + cell of the stream, from the counter's definition */
        snn_random r;
        snn_random_init(&r, stream.seed, stream.purpose, stream.index);
        r.counter[0] = (uint32_t)(cell / 4);
        r.counter[1] += 0x80000000u; /* block number 2^47 and more: 2^15 in the purpose's upper half */
        uint32_t v = 0;
        for (uint64_t i = 0; i <= cell % 4; i++)
            v = snn_random_u32(&r);
        double within = ((double)v + 0.5) / 18446744073709551616.0;
        assert_true(snn_cell_uniform(&stream, cell, 0) == within);
        assert_true(snn_cell_uniform(&stream, cell, UINT32_MAX) == 1 - within);
        assert_true(snn_cell_normal(&stream, cell, 0) == snn_normal_quantile(within));
    }
    /* the ends join what lies next to them */
    assert_true(snn_cell_uniform(&stream, 1, 0) < snn_cell_uniform(&stream, 1, 1));
    assert_true(snn_cell_uniform(&stream, 1, UINT32_MAX) > snn_cell_uniform(&stream, 1, UINT32_MAX - 1));
    assert_true(snn_cell_uniform(&stream, 1, UINT32_MAX) < 1);
}

static void normals_in_bulk_are_those_of_single_cells(void **state) {
    (void)state;
    enum { N = 3000 };
    double z[N + 1];
    for (uint64_t first = 0; first < 6; first++) {
        z[N] = 77;
        snn_cell_normals(&stream, first, N, z);
        for (uint64_t i = 0; i < N; i++)
            assert_true(z[i] == snn_cell_normal(&stream, first + i, snn_cell_word(&stream, first + i)));
        assert_true(z[N] == 77);
    }
}

/* Words 0 and 2^32 - 1 come once in two billion: streams that have one among their first 2^20 words were looked for. */
static void rare_words_are_refined_in_bulk(void **state) {
    (void)state;
    static const struct {
        uint64_t seed, cell;
        uint32_t word;
    } rare[] = {{16252, 40988, 0}, {3929, 344378, UINT32_MAX}};
    for (int i = 0; i < 2; i++) {
        const snn_cell_stream s = {rare[i].seed, SNN_PURPOSE_CELL_RELAX, 0};
        double z[5];
        assert_int_equal(snn_cell_word(&s, rare[i].cell), rare[i].word);
        snn_cell_normals(&s, rare[i].cell - 2, 5, z);
        assert_true(z[2] == snn_cell_normal(&s, rare[i].cell, rare[i].word));
        assert_true(fabs(z[2]) > 6.23 && fabs(z[1]) < 5 && fabs(z[3]) < 5); /* 2^-32 is at 6.23 sigma */
    }
}

static void normals_are_normal(void **state) {
    (void)state;
    enum { N = 200000 };
    double *z = malloc(N * sizeof *z), worst = 0;
    assert_non_null(z);
    snn_cell_normals(&stream, 1000, N, z);
    gsl_sort(z, 1, N);
    for (int i = 0; i < N; i++) {
        double f = gsl_cdf_ugaussian_P(z[i]);
        worst = fmax(worst, fmax(fabs(f - (double)i / N), fabs(f - (i + 1.0) / N)));
    }
    assert_true(worst * sqrt(N) < 1.95); /* Kolmogorov-Smirnov, 0.1 % */
    free(z);
}

/* Deviates of one cell for different effects, of one effect for different cells and chips: correlations within 4.5 / sqrt(n). */
static void deviates_are_independent(void **state) {
    (void)state;
    enum { N = 100000, STREAMS = 8 };
    static const snn_cell_stream s[STREAMS] = {
        {1, SNN_PURPOSE_CELL_PROGRAM, 0},   {1, SNN_PURPOSE_CELL_PULSES, 0}, {1, SNN_PURPOSE_CELL_RELAX, 0},
        {1, SNN_PURPOSE_CELL_VARIATION, 0}, {1, SNN_PURPOSE_CELL_STUCK, 0},  {1, SNN_PURPOSE_CELL_PROGRAM, 1},
        {2, SNN_PURPOSE_CELL_PROGRAM, 0},   {1, SNN_PURPOSE_SLOW, 0}};
    double *z = malloc(STREAMS * (N + 2000) * sizeof *z);
    assert_non_null(z);
    for (int i = 0; i < STREAMS; i++)
        snn_cell_normals(&s[i], 0, N + 2000, z + i * (N + 2000));
    for (int i = 0; i < STREAMS; i++)
        for (int j = 0; j < i; j++)
            assert_true(fabs(correlation(z + i * (N + 2000), z + j * (N + 2000), N)) < 4.5 / sqrt(N));
    static const int lags[] = {1, 2, 3, 4, 5, 8, 64, 256, 1024, 2000};
    for (size_t k = 0; k < sizeof lags / sizeof *lags; k++)
        assert_true(fabs(correlation(z, z + lags[k], N)) < 4.5 / sqrt(N));
    free(z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_has_the_word_of_its_number),
        cmocka_unit_test(the_last_cells_have_words),
        cmocka_unit_test(uniform_deviates_are_refined_at_the_ends),
        cmocka_unit_test(normals_in_bulk_are_those_of_single_cells),
        cmocka_unit_test(rare_words_are_refined_in_bulk),
        cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(deviates_are_independent),
    };
    return cmocka_run_group_tests_name("chip_cells", tests, NULL, NULL);
}
