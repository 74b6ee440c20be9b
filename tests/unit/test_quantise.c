/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisation: scales at their edges, rounding, saturation, against exact rational arithmetic in Python (tests/golden/make_quant_vectors.py). */
#include "../../sim/weights_internal.h"

#include <snnsim/weights.h>

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/quant_vectors.h"

/* One tensor [rows][columns] around the given memory. */
static snn_tensor tensor_of(float *value, uint64_t rows, uint64_t columns) {
    return (snn_tensor){.name = "t",
                        .type = SNN_FLOAT32,
                        .bits = 32,
                        .dims = 2,
                        .shape = {rows, columns},
                        .count = rows * columns,
                        .value = value};
}

static void numpy_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof quant_vectors / sizeof quant_vectors[0]; i++) {
        const quant_vector *v = &quant_vectors[i];
        float value[QUANT_ROWS * QUANT_COLUMNS];
        memcpy(value, v->weight, sizeof value);
        snn_tensor t = tensor_of(value, QUANT_ROWS, QUANT_COLUMNS);
        snn_weights w = {1, &t};
        snn_quantisation q = {v->bits, (snn_encoding)v->encoding, v->per_channel, v->free_scale, v->truncate};
        snn_quantisation_stats stats;
        snn_error err;
        snn_weights *coded = snn_weights_quantise(&w, &q, &stats, &err);
        assert_non_null(coded);
        const snn_tensor *c = &coded->tensor[0];
        assert_int_equal(c->type, SNN_CODE_8);
        assert_int_equal(c->bits, v->bits);
        assert_int_equal(c->encoding, v->encoding);
        assert_int_equal(c->scales, v->scales);
        assert_memory_equal(c->scale, v->scale, (size_t)v->scales * sizeof(float));
        assert_memory_equal(c->code8, v->code, sizeof v->code);
        assert_int_equal(stats.saturated, v->saturated);
        double squares = 0;
        for (uint64_t k = 0; k < c->count; k++)
            squares += pow(snn_weight_q(c, k) - (double)value[k] / snn_weight_scale(c, k), 2);
        assert_true(fabs(stats.error_rms - sqrt(squares / (double)c->count)) < 1e-12);
        snn_weights_free(coded);
    }
}

static float scale_of(int bits, bool free_scale, float top) {
    float w[] = {top / 2, -top, 0};
    snn_quantisation q = {.bits = bits, .free_scale = free_scale};
    return snn_quantisation_scale(&q, w, 3, 1);
}

/* The power of two changes exactly where max|w| passes M * 2^e. */
static void power_of_two_at_its_edges(void **state) {
    (void)state;
    for (int bits = 2; bits <= 8; bits++) {
        float m = (float)((1 << (bits - 1)) - 1);
        for (int e = -30; e <= 30; e++) {
            float edge = ldexpf(m, e);
            assert_true(scale_of(bits, false, edge) == ldexpf(1, e));
            assert_true(scale_of(bits, false, nextafterf(edge, INFINITY)) == ldexpf(1, e + 1));
            assert_true(scale_of(bits, false, nextafterf(edge, 0)) == ldexpf(1, e));
        }
    }
    assert_true(scale_of(8, false, 0) == 1);
    assert_true(scale_of(8, true, 0) == 1);
    assert_true(scale_of(8, false, 127) == 1 && scale_of(8, false, 64) == 1);
    assert_true(scale_of(8, false, 63.5f) == 0.5f);
}

/* No scale is zero, subnormal or infinite, whatever the weights. */
static void scales_stay_normal(void **state) {
    (void)state;
    assert_true(scale_of(8, false, FLT_MIN) == FLT_MIN);
    assert_true(scale_of(8, false, 1e-45f) == FLT_MIN);
    assert_true(scale_of(8, true, 1e-45f) == FLT_MIN);
    assert_true(scale_of(2, false, FLT_MAX) == 0x1p127f);
    assert_true(scale_of(2, true, FLT_MAX) == FLT_MAX);
    assert_true(scale_of(1, true, 1e-45f) == FLT_MIN);
    assert_true(scale_of(1, false, 1e-45f) == FLT_MIN);
    /* 2^127 is below max|w| / M: the weight saturates and is counted. */
    float top[] = {FLT_MAX, -FLT_MAX};
    snn_tensor t = tensor_of(top, 1, 2);
    snn_weights w = {1, &t};
    snn_quantisation q = {.bits = 2};
    snn_quantisation_stats stats;
    snn_error err;
    snn_weights *coded = snn_weights_quantise(&w, &q, &stats, &err);
    assert_int_equal(stats.saturated, 2);
    assert_int_equal(snn_weight_q(&coded->tensor[0], 1), -1);
    snn_weights_free(coded);
}

/* The free scale leaves the largest weight the largest code in both roundings. */
static void free_scale_keeps_the_largest(void **state) {
    (void)state;
    uint32_t r = 1;
    for (int i = 0; i < 2000; i++) {
        r = r * 1664525u + 1013904223u;
        float value[] = {(float)(r >> 8) * 1e-7f + 1e-7f, 0};
        value[1] = -value[0];
        snn_tensor t = tensor_of(value, 1, 2);
        snn_weights w = {1, &t};
        snn_quantisation q = {.bits = 2 + i % 7, .free_scale = true, .truncate = i & 8};
        snn_quantisation_stats stats;
        snn_error err;
        snn_weights *coded = snn_weights_quantise(&w, &q, &stats, &err);
        int32_t m = (1 << (q.bits - 1)) - 1;
        assert_int_equal(snn_weight_q(&coded->tensor[0], 0), m);
        assert_int_equal(snn_weight_q(&coded->tensor[0], 1), -m);
        assert_int_equal(stats.saturated, 0);
        snn_weights_free(coded);
    }
}

static void one_bit(void **state) {
    (void)state;
    snn_quantisation power = {.bits = 1}, free_scale = {.bits = 1, .free_scale = true};
    float w[] = {-1, 0.5f, 0, -0.0f, 3};
    assert_true(snn_quantisation_scale(&free_scale, w, 5, 1) == 0.9f);
    assert_true(snn_quantisation_scale(&power, w, 5, 1) == 1);
    float tie[] = {0.75f, -0.75f}, above[] = {0.75f, -0.76f}; /* between 1/2 and 1 */
    assert_true(snn_quantisation_scale(&power, tie, 2, 1) == 0.5f);
    assert_true(snn_quantisation_scale(&power, above, 2, 1) == 1);
    assert_true(snn_quantisation_scale(&power, w, 0, 1) == 1);
    float none[] = {0, -0.0f};
    assert_true(snn_quantisation_scale(&power, none, 2, 1) == 1);
    snn_tensor t = tensor_of(w, 1, 5);
    snn_weights weights = {1, &t};
    snn_quantisation_stats stats;
    snn_error err;
    snn_weights *coded = snn_weights_quantise(&weights, &power, &stats, &err);
    const int32_t q[] = {-1, 1, 1, 1, 1};
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(snn_weight_q(&coded->tensor[0], i), q[i]);
        assert_int_equal(coded->tensor[0].code8[i], q[i] < 0);
    }
    assert_int_equal(stats.saturated, 1);
    assert_true(fabs(stats.error_rms - sqrt((0 + 0.25 + 1 + 1 + 4) / 5)) < 1e-15);
    snn_weights_free(coded);
}

static void stride_skips(void **state) {
    (void)state;
    float w[] = {1, 100, 2, 100, 3, 100};
    snn_quantisation q = {.bits = 3}; /* M = 3 */
    assert_true(snn_quantisation_scale(&q, w, 3, 2) == 1);
    assert_true(snn_quantisation_scale(&q, w, 2, 1) == 64);
    q.bits = 1;
    assert_true(snn_quantisation_scale(&q, w, 3, 2) == 2);
}

static void refusals(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        float value[] = {1, 2, 3, bad[i]};
        snn_tensor t = tensor_of(value, 2, 2);
        strcpy(t.name, "fc1");
        snn_weights w = {1, &t};
        snn_quantisation q = {.bits = 8};
        snn_error err;
        assert_null(snn_weights_quantise(&w, &q, NULL, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
        assert_non_null(strstr(err.text, "layer 'fc1': weight 3 is "));
        value[3] = 0;
        q.bits = 9;
        assert_null(snn_weights_quantise(&w, &q, NULL, &err));
        q.bits = 0;
        assert_null(snn_weights_quantise(&w, &q, NULL, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        q.bits = 8;
        snn_weights *coded = snn_weights_quantise(&w, &q, NULL, &err);
        assert_non_null(coded);
        assert_null(snn_weights_quantise(coded, &q, NULL, &err));
        assert_string_equal(err.text, "layer 'fc1': weights are codes of 8 bits already");
        snn_weights_free(coded);
    }
}

static void from_config(void **state) {
    (void)state;
    snn_error err;
    snn_quantisation q;
    snn_config *c = snn_config_parse("dataset = { name = \"nmnist\"; };", "t.cfg", &err);
    assert_non_null(c);
    assert_true(snn_quantisation_from_config(c, &q, &err));
    assert_true(q.bits == 8 && q.encoding == SNN_SIGN_MAGNITUDE && !q.per_channel && !q.free_scale &&
                !q.truncate);
    assert_true(snn_config_set(c, "quant.bits=5", &err));
    assert_true(snn_config_set(c, "quant.encoding=offset_binary", &err));
    assert_true(snn_config_set(c, "quant.scale=free", &err));
    assert_true(snn_config_set(c, "quant.rounding=truncate", &err));
    assert_true(snn_config_set(c, "quant.per_channel=true", &err));
    assert_true(snn_quantisation_from_config(c, &q, &err));
    assert_true(q.bits == 5 && q.encoding == SNN_OFFSET_BINARY && q.per_channel && q.free_scale &&
                q.truncate);
    snn_config_free(c);
}

/* The tensors of a recurrent layer have the scales of both together, in either order of size, row by row or whole; others keep theirs. */
static void recurrent_pair(void **state) {
    (void)state;
    float first[4] = {0.5f, -0.25f, 0.125f, 1}, own[4] = {-3, 0.25f, 0.5f, 0.75f}, next[2] = {0.1f, 0.2f};
    snn_tensor t[3] = {tensor_of(first, 2, 2), tensor_of(own, 2, 2), tensor_of(next, 1, 2)};
    t[1].recurrent = true;
    snn_weights w = {3, t};
    const struct {
        snn_quantisation q;
        float scale[3][2]; /* of tensor 0 and 1 (row 0, row 1), of tensor 2 */
    } expected[] = {
        {{.bits = 8, .free_scale = true},
         {{3.0f / 127, 3.0f / 127}, {3.0f / 127, 3.0f / 127}, {0.2f / 127, 0}}},
        {{.bits = 8, .free_scale = true, .per_channel = true},
         {{3.0f / 127, 1.0f / 127}, {3.0f / 127, 1.0f / 127}, {0.2f / 127, 0}}},
        {{.bits = 4}, {{0.5f, 0.5f}, {0.5f, 0.5f}, {0.03125f, 0}}},
        {{.bits = 1, .free_scale = true}, {{6.375f / 8, 6.375f / 8}, {6.375f / 8, 6.375f / 8}, {0.15f, 0}}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        snn_error err;
        snn_weights *coded = snn_weights_quantise(&w, &expected[i].q, NULL, &err);
        assert_non_null(coded);
        for (int k = 0; k < 3; k++)
            for (uint32_t r = 0; r < coded->tensor[k].scales; r++)
                assert_true(fabsf(coded->tensor[k].scale[r] / expected[i].scale[k][r] - 1) < 1e-6f);
        assert_memory_equal(coded->tensor[0].scale, coded->tensor[1].scale,
                            coded->tensor[0].scales * sizeof(float));
        assert_true(coded->tensor[1].recurrent);
        snn_weights_free(coded);
    }
}

/* Layers of floats get codes, those of codes keep them, and of a recurrent layer it is both or none. */
static void floats_in_place(void **state) {
    (void)state;
    const float value[3][2] = {{0.5f, -0.25f}, {0.1f, -3}, {0.1f, 0.2f}};
    const snn_quantisation q = {.bits = 8};
    snn_error err = {0};
    for (int coded = 0; coded < 3; coded++) { /* this tensor has codes already */
        snn_tensor t[3] = {{.name = "a"}, {.name = "a_rec", .recurrent = true}, {.name = "b"}};
        snn_weights w = {3, t};
        for (int k = 0; k < 3; k++) {
            t[k].dims = 2;
            t[k].shape[0] = 1;
            t[k].shape[1] = t[k].count = 2;
            if (k == coded) {
                assert_true(snn_tensor_alloc(&t[k], SNN_CODE_16, 16, SNN_TWOS_COMPLEMENT, 1, &err));
                t[k].scale[0] = 2;
            } else {
                assert_true(snn_tensor_alloc(&t[k], SNN_FLOAT32, 32, SNN_SIGN_MAGNITUDE, 0, &err));
                memcpy(t[k].value, value[k], sizeof value[k]);
            }
        }
        assert_true(snn_weights_quantise_floats(&w, &q, &err));
        assert_true(t[coded].bits == 16 && t[coded].scale[0] == 2);
        if (coded == 2) {
            assert_true(t[0].bits == 8 && t[1].bits == 8 && t[1].recurrent);
            assert_true(t[0].scale[0] == 0.03125f && t[1].scale[0] == 0.03125f); /* of the 3 */
            assert_true(snn_weight_q(&t[1], 1) == -96 && snn_weight_q(&t[0], 0) == 16);
            assert_true(snn_weights_check_pairs(&w, &err));
            t[1].scale[0] = 0.0625f;
            assert_false(snn_weights_check_pairs(&w, &err));
            assert_string_equal(err.text, "layer a: scale 0 of its weights is 0.03125, of its recurrent ones "
                                          "0.0625: they must be equal, as their sums are added");
        } else {
            assert_int_equal(t[1 - coded].type, SNN_FLOAT32);
            assert_true(t[2].bits == 8 && t[2].scale[0] == 0.001953125f);
            assert_false(snn_weights_check_pairs(&w, &err));
            assert_string_equal(err.text, "layer a: only one of its own and its recurrent weights are float");
        }
        for (int k = 0; k < 3; k++)
            snn_tensor_clear(&t[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_vectors),
        cmocka_unit_test(power_of_two_at_its_edges),
        cmocka_unit_test(scales_stay_normal),
        cmocka_unit_test(free_scale_keeps_the_largest),
        cmocka_unit_test(one_bit),
        cmocka_unit_test(recurrent_pair),
        cmocka_unit_test(floats_in_place),
        cmocka_unit_test(stride_skips),
        cmocka_unit_test(refusals),
        cmocka_unit_test(from_config),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
