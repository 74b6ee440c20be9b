/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bulk random words: every kernel gives the very words of snn_random_u32, wherever a run starts and ends, from any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/random.h>
#include "../../base/random_fill.h"

#define SEED 0x0123456789abcdefu
#define INDEX 0xfedcba9876543210u

/* Words 4 * first .. of the stream, one by one. */
static void expected(uint64_t first, size_t blocks, uint32_t *out) {
    snn_random r;
    snn_random_init(&r, SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX);
    r.counter[0] = (uint32_t)first;
    for (size_t i = 0; i < 4 * blocks; i++)
        out[i] = snn_random_u32(&r);
}

static void a_level_gives_the_words_of_the_stream(snn_simd level) {
    enum { MOST = 140 };
    static const uint64_t starts[] = {0, 1, 7, 1000003, 0x7fffffff, 0xfffffff0, 0xffffffffu - 130};
    uint32_t want[4 * MOST], got[4 * MOST + 1];
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++)
        for (size_t n = 0; n <= MOST && starts[s] + n <= (uint64_t)1 << 32; n++) {
            const snn_philox_start start = {
                {(uint32_t)SEED, (uint32_t)(SEED >> 32)},
                {(uint32_t)starts[s], SNN_PURPOSE_CELL_PROGRAM, (uint32_t)INDEX, (uint32_t)(INDEX >> 32)}};
            expected(starts[s], n, want);
            memset(got, 0xa5, sizeof got);
            snn_philox_kernel_for(level)(&start, n, got);
            assert_memory_equal(got, want, 16 * n);
            assert_int_equal(got[4 * n], 0xa5a5a5a5u); /* nothing behind the end */
        }
}

static void every_level_gives_the_words_of_the_stream(void **state) {
    (void)state;
    for (int level = 0; level <= (int)snn_simd_best(); level++)
        a_level_gives_the_words_of_the_stream((snn_simd)level);
}

static void levels_have_kernels_of_their_own(void **state) {
    (void)state;
    assert_true(snn_philox_kernel_for(SNN_SIMD_PLAIN) == snn_philox_fill_plain);
#if defined(__x86_64__)
    assert_true(snn_philox_kernel_for(SNN_SIMD_AVX2) == snn_philox_fill_avx2);
    assert_true(snn_philox_kernel_for(SNN_SIMD_AVX512) == snn_philox_fill_avx512);
#endif
}

static void fill_is_keyed_as_a_stream(void **state) {
    (void)state;
    enum { N = 50 };
    uint32_t want[4 * N], got[4 * N];
    expected(11, N, want);
    snn_random_fill(SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX, 11, N, got);
    assert_memory_equal(got, want, sizeof want);
    static const struct {
        uint64_t seed;
        snn_purpose purpose;
        uint64_t index, first;
    } others[] = {{SEED ^ 1, SNN_PURPOSE_CELL_PROGRAM, INDEX, 11},
                  {SEED ^ ((uint64_t)1 << 63), SNN_PURPOSE_CELL_PROGRAM, INDEX, 11},
                  {SEED, SNN_PURPOSE_CELL_RELAX, INDEX, 11},
                  {SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX ^ 1, 11},
                  {SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX ^ ((uint64_t)1 << 63), 11},
                  {SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX, 12}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snn_random_fill(others[i].seed, others[i].purpose, others[i].index, others[i].first, N, got);
        assert_memory_not_equal(got, want, 16);
    }
}

static void the_last_block_and_none(void **state) {
    (void)state;
    uint32_t want[4], got[4] = {1, 2, 3, 4};
    snn_random_fill(SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX, (uint64_t)1 << 32, 0, got);
    assert_int_equal(got[0], 1);
    expected(0xffffffffu, 1, want);
    snn_random_fill(SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX, 0xffffffffu, 1, got);
    assert_memory_equal(got, want, sizeof want);
}

static void threads_do_not_disturb_each_other(void **state) {
    (void)state;
    enum { BLOCKS = 4000 };
    uint32_t *want = malloc(16 * BLOCKS), *got = malloc(16 * BLOCKS);
    assert_true(want != NULL && got != NULL);
    expected(0, BLOCKS, want);
#pragma omp parallel for num_threads(4) schedule(dynamic)
    for (int i = 0; i < BLOCKS / 40; i++)
        snn_random_fill(SEED, SNN_PURPOSE_CELL_PROGRAM, INDEX, (uint64_t)(40 * i), 40, got + 160 * i);
    assert_memory_equal(got, want, 16 * BLOCKS);
    free(want);
    free(got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_gives_the_words_of_the_stream),
        cmocka_unit_test(levels_have_kernels_of_their_own),
        cmocka_unit_test(fill_is_keyed_as_a_stream),
        cmocka_unit_test(the_last_block_and_none),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("random_fill", tests, NULL, NULL);
}
