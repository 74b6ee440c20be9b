/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights exchanged in an engine: the same outcome as an engine built with them, operation counts included; what is refused, and what a refusal leaves. */
#include "engine_test.h"

enum { SETS = 3 };

/* In turn with weights of other encodings, scales and sizes of codes, in one workspace, and back to the first ones. */
static void check_exchange(const test_net *n, int bits, snn_engine_options o, uint64_t seed) {
    snn_error err = {0};
    test_work k = test_make(n, bits, seed % 2, seed);
    snn_weights *sets[SETS] = {k.weights};
    test_outcome fresh[SETS];
    for (int i = 0; i < SETS; i++) {
        if (i)
            sets[i] =
                test_weights(k.net, n->weight * (1 + i), bits ? bits - i : 0, i == 1, seed + (uint64_t)i);
        fresh[i] = test_outcome_of(&k, sets[i], &o);
        assert_true(fresh[i].spikes > 0);
        assert_true(i == 0 || strcmp(fresh[i].digest, fresh[0].digest) != 0);
    }
    snn_engine *e = test_engine(&k, sets[0], &o);
    snn_workspace *w = snn_workspace_new(e, &err);
    for (int i = 0; i < 2 * SETS; i++) {
        if (i > 0 && !snn_engine_set_weights(e, sets[i % SETS], &err))
            fail_msg("%s", err.text);
        const test_outcome x = test_run(e, &k, w);
        test_same(&x, &fresh[i % SETS]);
    }
    snn_workspace_free(w);
    snn_engine_free(e);
    for (int i = 1; i < SETS; i++)
        snn_weights_free(sets[i]);
    test_drop(&k);
}

static void test_exchange(void **state) {
    (void)state;
    for (int i = 0; i < TEST_NETS; i++)
        for (int level = 0; level <= (int)snn_simd_best(); level++)
            for (int a = 0; a < 2; a++)
                check_exchange(&test_nets[i], 8 - 2 * a,
                               (snn_engine_options){.arithmetic = (snn_arithmetic)a,
                                                    .simd = (snn_simd)level,
                                                    .density = (snn_density)((i + a) % 3),
                                                    .count_operations = true},
                               400 + (uint64_t)i);
}

static void test_exchange_floats(void **state) {
    (void)state;
    for (int i = 0; i < TEST_NETS; i++)
        check_exchange(&test_nets[i], 0,
                       (snn_engine_options){.simd = snn_simd_best(), .count_operations = true},
                       410 + (uint64_t)i);
}

/* Layers of many sizes around the blocks and tiles that weights are packed by: outputs and inputs below, at and above multiples of 4, 8, 16 and 64. */
static void test_sizes(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 3, 7, 8, 9, 15, 17, 33, 63, 64, 65, 72, 100, 128, 129, 137};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < SIZES; i++) {
        char layers[300];
        snprintf(layers, sizeof layers,
                 "{name=\"a\"; type=\"linear\"; outputs=%u;}, {name=\"b\"; type=\"linear\"; outputs=%u; "
                 "neuron={type=\"li\";};}",
                 sizes[i], sizes[SIZES - 1 - i] > 60 ? 5 : sizes[SIZES - 1 - i]);
        const test_net n = {layers, {1, 1, sizes[(i * 7 + 3) % SIZES]}, 2, 0.9, 1.0};
        test_work k = test_make(&n, 8, true, 500 + (uint64_t)i);
        const snn_engine_options plain = {.simd = SNN_SIMD_PLAIN};
        const test_outcome expected = test_outcome_of(&k, k.weights, &plain);
        for (int level = 1; level <= (int)snn_simd_best(); level++) {
            const snn_engine_options o = {.simd = (snn_simd)level};
            const test_outcome x = test_outcome_of(&k, k.weights, &o);
            test_same(&x, &expected);
        }
        test_drop(&k);
    }
}

/* One spike at a time through one synapse: every code of every width and encoding is what snn_code_value says. */
static void test_codes(void **state) {
    (void)state;
    const test_net n = {"{name=\"b\"; type=\"linear\"; outputs=1; neuron={type=\"li\"; decay=0.0;};}",
                        {1, 1, 1},
                        1,
                        1.0,
                        1.0};
    test_work k = test_make(&n, 8, false, 1);
    snn_error err = {0};
    snn_result r;
    snn_tensor *t = &k.weights->tensor[0];
    const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .simd = snn_simd_best()};
    snn_engine *e = test_engine(&k, k.weights, &o);
    snn_workspace *w = snn_workspace_new(e, &err);
    assert_true(snn_result_init(&r, k.net, TEST_STEPS, &err));
    t->scale[0] = 1;
    for (int bits = 1; bits <= 8; bits++)
        for (int encoding = 0; encoding < 3; encoding++)
            for (uint32_t code = 0; code < 1u << bits; code++) {
                t->bits = bits;
                t->encoding = (snn_encoding)encoding;
                t->code8[0] = (uint8_t)code;
                assert_true(snn_engine_set_weights(e, k.weights, &err) &&
                            snn_engine_run(e, &k.x, 0, w, NULL, &r, &err));
                assert_true(r.out[0] ==
                            (TEST_STEPS - 1) * snn_code_value((snn_encoding)encoding, bits, code));
            }
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    test_drop(&k);
}

static void expect(const snn_error *err, snn_code code, const char *words) {
    assert_int_equal(err->code, code);
    if (!strstr(err->text, words))
        fail_msg("'%s' does not say '%s'", err->text, words);
}

/* Wrong weights leave an engine that refuses to run, until right ones come. */
static void test_refused_weights(void **state) {
    (void)state;
    snn_error err = {0};
    test_work k = test_make(&test_nets[1], 8, false, 420), other = test_make(&test_nets[0], 8, false, 420);
    snn_weights *floats = test_weights(k.net, 0.2, 0, false, 1);
    const snn_engine_options o = {.simd = snn_simd_best(), .count_operations = true};
    snn_engine *e = test_engine(&k, k.weights, &o);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(snn_result_init(&r, k.net, TEST_STEPS, &err));
    const test_outcome before = test_run(e, &k, w);
    const snn_weights *wrong[2] = {other.weights, floats};
    for (int i = 0; i < 2; i++) {
        err = (snn_error){0};
        assert_false(snn_engine_set_weights(e, wrong[i], &err));
        expect(&err, SNN_ERR_DATA,
               i ? "layer a: weights of another type than the engine was built for" : "tensor");
        err = (snn_error){0};
        assert_false(snn_engine_run(e, &k.x, 0, w, NULL, &r, &err));
        expect(&err, SNN_ERR_RUNTIME, "no weights since setting them failed");
        assert_true(snn_engine_set_weights(e, k.weights, &err));
        const test_outcome after = test_run(e, &k, w);
        test_same(&after, &before);
    }
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    snn_weights_free(floats);
    test_drop(&k);
    test_drop(&other);
}

/* The range of sums is checked anew with every set of weights: 64 counts on each of 1024 inputs of -128 LSB are 2^23, the most that fixed arithmetic takes, and they
 * are summed exactly at every SIMD level. One LSB more on another input is too much. */
static void test_checked_again(void **state) {
    (void)state;
    enum { CHANNELS = 1025 };
    const test_net n = {"{name=\"a\"; type=\"conv2d\"; channels=1025; kernel=1;}, {name=\"p\"; "
                        "type=\"pool_sum\"; kernel=8;}, {name=\"b\"; type=\"linear\"; outputs=3; "
                        "neuron={type=\"li\"; decay=0.0;};}",
                        {1, 8, 8},
                        1,
                        1.0,
                        0.1};
    test_work k = test_make(&n, 8, false, 420);
    snn_error err = {0};
    for (int t = 0; t < 2; t++) {
        snn_tensor *x = &k.weights->tensor[t];
        x->encoding = SNN_TWOS_COMPLEMENT;
        x->scale[0] = 1;
        memset(x->code8, t ? 0 : 1, x->count);
    }
    uint8_t *middle = k.weights->tensor[1].code8 + CHANNELS; /* output 1 */
    for (int level = 0; level <= (int)snn_simd_best(); level++) {
        const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .simd = (snn_simd)level};
        memset(middle, 0, CHANNELS);
        snn_engine *e = test_engine(&k, k.weights, &o);
        snn_workspace *w = snn_workspace_new(e, &err);
        memset(middle, 0x80, CHANNELS - 1);
        assert_true(snn_engine_set_weights(e, k.weights, &err));
        const test_outcome x = test_run(e, &k, w);
        assert_true(x.out[1] == -(TEST_STEPS - 1) * (double)(1 << 23) && x.out[0] == 0 && x.out[2] == 0);
        for (int q = -1; q <= 1; q += 2) {
            middle[CHANNELS - 1] = (uint8_t)q;
            assert_false(snn_engine_set_weights(e, k.weights, &err));
            expect(&err, SNN_ERR_DATA, "layer b: synaptic sums could exceed 8388608");
        }
        middle[CHANNELS - 1] = 0; /* a refusal is forgotten */
        assert_true(snn_engine_set_weights(e, k.weights, &err));
        snn_workspace_free(w);
        snn_engine_free(e);
    }
    test_drop(&k);
}

/* As 16-bit codes of the same values. */
static void widen(snn_tensor *t) {
    uint16_t *code = malloc(t->count * sizeof *code);
    for (uint64_t i = 0; i < t->count; i++)
        code[i] = (uint16_t)snn_value_code(SNN_TWOS_COMPLEMENT, 16, snn_weight_q(t, i));
    free(t->code8);
    t->code16 = code;
    t->type = SNN_CODE_16;
    t->bits = 16;
    t->encoding = SNN_TWOS_COMPLEMENT;
}

static void test_exchange_wide(void **state) {
    (void)state;
    for (int i = 0; i < TEST_NETS; i++) {
        snn_error err = {0};
        test_work k = test_make(&test_nets[i], 8, true, 430 + (uint64_t)i);
        snn_weights *second = test_weights(k.net, test_nets[i].weight * 2, 7, false, 440 + (uint64_t)i);
        snn_weights *sets[2] = {k.weights, second};
        test_outcome expected[2];
        const snn_engine_options o = {.simd = snn_simd_best(), .count_operations = true};
        for (int n = 0; n < 2; n++) {
            expected[n] = test_outcome_of(&k, sets[n], &o);
            for (int t = 0; t < k.net->tensors; t++)
                widen(&sets[n]->tensor[t]);
        }
        snn_engine *e = test_engine(&k, sets[1], &o);
        snn_workspace *w = snn_workspace_new(e, &err);
        for (int n = 0; n < 3; n++) {
            assert_true(snn_engine_set_weights(e, sets[n % 2], &err));
            const test_outcome x = test_run(e, &k, w);
            test_same(&x, &expected[n % 2]);
        }
        snn_workspace_free(w);
        snn_engine_free(e);
        snn_weights_free(second);
        test_drop(&k);
    }
}

/* The weights bound what one step's counts may be: with a single weight of 1 in each output, or none, every input may have the largest count; not with a 2, nor
 * with two of them. */
static void check_bounds(bool wide) {
    static const struct {
        int q[4];
        bool fits;
    } sets[] = {{{0, 0, 2, 0}, false},  {{0, 0, 1, 0}, true},  {{0, 0, 1, -1}, false},
                {{0, 0, 0, 0}, true},   {{1, 0, 0, -1}, true}, {{-1, -1, 0, 0}, false},
                {{0, -2, 0, 0}, false}, {{0, -1, 0, 1}, true}};
    const test_net n = {"{name=\"b\"; type=\"linear\"; outputs=2; neuron={decay=0.0; threshold=1e9;};}",
                        {2, 1, 1},
                        1,
                        1.0,
                        1.0};
    test_work k = test_make(&n, 8, false, 420);
    snn_error err = {0};
    snn_result r;
    snn_tensor *t = &k.weights->tensor[0];
    const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .simd = snn_simd_best()};
    t->encoding = SNN_TWOS_COMPLEMENT;
    t->scale[0] = 1;
    if (wide)
        widen(t);
    for (size_t i = 0; i < k.x.first[TEST_STEPS]; i++)
        k.x.spike[i].count = 1 << 23;
    snn_engine *e = test_engine(&k, k.weights, &o);
    snn_workspace *w = snn_workspace_new(e, &err);
    assert_true(snn_result_init(&r, k.net, TEST_STEPS, &err));
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        for (int i = 0; i < 4; i++)
            if (wide)
                t->code16[i] = (uint16_t)sets[s].q[i];
            else
                t->code8[i] = (uint8_t)sets[s].q[i];
        assert_true(snn_engine_set_weights(e, k.weights, &err));
        err = (snn_error){0};
        assert_int_equal(snn_engine_run(e, &k.x, 0, w, NULL, &r, &err), sets[s].fits);
        if (!sets[s].fits)
            expect(&err, SNN_ERR_DATA, "could drive the sums of the first layer beyond 8388608");
    }
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    test_drop(&k);
}

static void test_bounds_of_weights(void **state) {
    (void)state;
    check_bounds(false);
    check_bounds(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),        cmocka_unit_test(test_exchange_floats),
        cmocka_unit_test(test_sizes),           cmocka_unit_test(test_codes),
        cmocka_unit_test(test_refused_weights), cmocka_unit_test(test_checked_again),
        cmocka_unit_test(test_exchange_wide),   cmocka_unit_test(test_bounds_of_weights),
    };
    return cmocka_run_group_tests_name("engine_weights", tests, NULL, NULL);
}
