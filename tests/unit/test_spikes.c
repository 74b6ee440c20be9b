/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spike lists: against a plain counting twin, over sizes that take each way of building them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/random.h>
#include <snnsim/spikes.h>

static uint64_t key(uint64_t step, uint64_t index) {
    return step << 32 | index;
}

/* Invariants of a list, and equality with dense counts. */
static void compare(const snn_spikes *s, uint32_t size, int steps, const uint32_t *count) {
    assert_int_equal(s->size, size);
    assert_int_equal(s->steps, steps);
    assert_int_equal(s->first[0], 0);
    uint64_t total = 0;
    for (int t = 0; t < steps; t++) {
        size_t i = s->first[t];
        for (uint32_t x = 0; x < size; x++) {
            uint32_t want = count[(size_t)t * size + x];
            if (!want)
                continue;
            assert_true(i < s->first[t + 1]);
            assert_int_equal(s->spike[i].index, x);
            assert_int_equal(s->spike[i].count, want);
            total += want;
            i++;
        }
        assert_int_equal(i, s->first[t + 1]);
    }
    assert_int_equal(snn_spikes_total(s), total);
}

static void keys_are_sorted_and_counted(void **state) {
    (void)state;
    /* few keys (insertion), some (radix of one and more digits), many (dense); one line, one step, awkward sizes */
    static const struct {
        uint32_t size;
        int steps;
        size_t n;
    } cases[] = {{1, 1, 1},        {1, 1, 1000},      {7, 3, 5},          {2312, 15, 1},    {2312, 15, 47},
                 {2312, 15, 48},   {2312, 15, 49},    {2312, 15, 4000},   {2312, 15, 8669}, {2312, 15, 8670},
                 {2312, 15, 8671}, {2312, 15, 30000}, {2048, 16, 3000},   {2049, 16, 3000}, {1, 65535, 300},
                 {65537, 3, 600},  {100000, 40, 60},  {1 << 20, 5, 3000}, {3, 100, 75},     {5, 2, 3}};
    snn_random r;
    snn_random_init(&r, 7, SNN_PURPOSE_TEST, 1);
    snn_spikes s = {0}; /* one object for all: memory is reused */
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        uint32_t size = cases[c].size;
        int steps = cases[c].steps;
        uint64_t *keys = calloc(cases[c].n, sizeof *keys);
        uint32_t *count = calloc((size_t)size * (size_t)steps, sizeof *count);
        for (size_t i = 0; i < cases[c].n; i++) {
            uint32_t t = snn_random_below(&r, (uint32_t)steps), x = snn_random_below(&r, size);
            if (i % 3 == 0) /* corners and repetitions */
                t = i % 2 ? 0 : (uint32_t)steps - 1, x = i % 4 ? 0 : size - 1;
            keys[i] = key(t, x);
            count[(size_t)t * size + x]++;
        }
        snn_error e = {0};
        assert_true(snn_spikes_from_keys(&s, size, steps, keys, cases[c].n, &e));
        compare(&s, size, steps, count);
        free(keys);
        free(count);
    }
    snn_spikes_free(&s);
}

static void all_keys_equal(void **state) {
    (void)state;
    enum { N = 1000 };
    uint64_t keys[N];
    for (int i = 0; i < N; i++)
        keys[i] = key(2, 70000);
    snn_spikes s = {0};
    assert_true(snn_spikes_from_keys(&s, 70001, 4, keys, N, NULL));
    assert_int_equal(s.first[2], 0);
    assert_int_equal(s.first[3], 1);
    assert_int_equal(s.first[4], 1);
    assert_int_equal(s.spike[0].index, 70000);
    assert_int_equal(s.spike[0].count, N);
    snn_spikes_free(&s);
}

static void widest_index_and_step(void **state) {
    (void)state;
    enum { N = 100 };
    uint64_t keys[N];
    for (uint32_t i = 0; i < N; i++)
        keys[i] = key(i % 2 ? 2000000 : 1, 0xfffffffeu - i / 2);
    snn_spikes s = {0};
    assert_true(snn_spikes_from_keys(&s, UINT32_MAX, 2000001, keys, N, NULL));
    assert_int_equal(s.first[1], 0);
    assert_int_equal(s.first[2], N / 2);
    assert_int_equal(s.first[2000000], N / 2);
    assert_int_equal(s.first[2000001], N);
    for (uint32_t i = 0; i < N / 2; i++) {
        assert_int_equal(s.spike[i].index, 0xfffffffeu - (N / 2 - 1) + i);
        assert_int_equal(s.spike[i].count, 1);
        assert_int_equal(s.spike[N / 2 + i].index, s.spike[i].index);
    }
    snn_spikes_free(&s);
}

static void nothing(void **state) {
    (void)state;
    snn_spikes s = {0}, copy = {0};
    assert_int_equal(snn_spikes_total(&s), 0);
    assert_true(snn_spikes_copy(&copy, &s, NULL)); /* the all-zero list */
    assert_int_equal(snn_spikes_total(&copy), 0);
    assert_int_equal(copy.first[0], 0);
    assert_true(snn_spikes_from_keys(&s, 10, 3, NULL, 0, NULL));
    for (int t = 0; t <= 3; t++)
        assert_int_equal(s.first[t], 0);
    assert_true(snn_spikes_copy(&copy, &s, NULL));
    assert_int_equal(copy.steps, 3);
    assert_int_equal(copy.first[3], 0);
    assert_true(snn_spikes_reset(&s, 10, 0, NULL)); /* no steps at all */
    assert_int_equal(s.first[0], 0);
    assert_int_equal(snn_spikes_total(&s), 0);
    snn_spikes_free(&s);
    snn_spikes_free(&copy);
    snn_spikes_free(&copy); /* free leaves a valid empty list */
    snn_spikes_free(NULL);
}

static void dense_counts(void **state) {
    (void)state;
    enum { SIZE = 100, STEPS = 7 };
    uint8_t dense[STEPS * SIZE] = {0};
    uint32_t want[STEPS * SIZE] = {0};
    for (int i = 0; i < STEPS * SIZE; i += 3)
        want[i] = dense[i] = (uint8_t)(i % 256);
    dense[STEPS * SIZE - 1] = 255;
    want[STEPS * SIZE - 1] = 255;
    snn_spikes s = {0}, copy = {0};
    assert_true(snn_spikes_from_counts(&s, SIZE, STEPS, dense, NULL));
    compare(&s, SIZE, STEPS, want);
    assert_true(snn_spikes_copy(&copy, &s, NULL));
    compare(&copy, SIZE, STEPS, want);
    assert_ptr_not_equal(copy.spike, s.spike);
    assert_true(snn_spikes_copy(&s, &s, NULL));
    compare(&s, SIZE, STEPS, want);
    snn_spikes_free(&s);
    snn_spikes_free(&copy);
}

static void append_fills_steps_in_order(void **state) {
    (void)state;
    snn_spikes s = {0};
    assert_true(snn_spikes_reset(&s, 10, 4, NULL));
    const snn_spike a[] = {{0, 1}, {3, 2}}, b[] = {{9, 7}}, c[] = {{1, 1}};
    assert_true(snn_spikes_append(&s, 1, a, 2, NULL));
    assert_true(snn_spikes_append(&s, 1, b, 1, NULL));
    assert_true(snn_spikes_append(&s, 2, NULL, 0, NULL));
    assert_true(snn_spikes_append(&s, 3, c, 1, NULL));
    const size_t first[] = {0, 0, 3, 3, 4};
    assert_memory_equal(s.first, first, sizeof first);
    assert_int_equal(s.spike[2].index, 9);
    assert_int_equal(s.spike[3].index, 1);
    assert_int_equal(snn_spikes_total(&s), 11);
    assert_true(snn_spikes_reset(&s, 10, 4, NULL));
    assert_int_equal(s.first[4], 0);
    snn_spikes_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_sorted_and_counted),
        cmocka_unit_test(all_keys_equal),
        cmocka_unit_test(widest_index_and_step),
        cmocka_unit_test(nothing),
        cmocka_unit_test(dense_counts),
        cmocka_unit_test(append_fills_steps_in_order),
    };
    return cmocka_run_group_tests_name("spikes", tests, NULL, NULL);
}
