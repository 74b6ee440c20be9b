/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codes and values, flips and deltas, digests, fit to a network. */
#include <snnsim/weights.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/quant_vectors.h"

static snn_net *small_net(void) {
    static const char text[] =
        "dataset = { name = \"nmnist\"; };\n"
        "network = { layers = ( { name = \"conv\"; type = \"conv2d\"; channels = 3; kernel = 2; },\n"
        " { name = \"pool\"; type = \"pool_max\"; kernel = 2; },\n"
        " { name = \"fc\"; type = \"linear\"; outputs = 5; } ); };\n";
    snn_error err;
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    assert_non_null(c);
    snn_net *net =
        snn_net_from_config(c, (snn_shape){2, 5, 5}, &err); /* conv 3x2x2x2 = 24, fc 5x12 = 60 weights */
    snn_config_free(c);
    assert_non_null(net);
    return net;
}

/* Integer weights whose codes count up from `first`. */
static snn_weights *counting(const snn_net *net, int bits, snn_encoding encoding, uint32_t first) {
    snn_error err;
    snn_weights *w = snn_weights_new(net, &err);
    assert_non_null(w);
    for (int i = 0; i < w->tensors; i++)
        for (uint64_t k = 0; k < w->tensor[i].count; k++)
            w->tensor[i].value[k] = 1;
    snn_quantisation q = {.bits = bits > 8 ? 8 : bits, .encoding = encoding};
    snn_weights *coded = snn_weights_quantise(w, &q, NULL, &err);
    snn_weights_free(w);
    assert_non_null(coded);
    for (int i = 0; i < coded->tensors; i++) {
        snn_tensor *t = &coded->tensor[i];
        t->bits = bits;
        t->scale[0] = 0.25f;
        if (bits > 8) {
            t->type = SNN_CODE_16;
            t->data = realloc(t->data, t->count * 2);
            assert_non_null(t->data);
        }
        for (uint64_t k = 0; k < t->count; k++) {
            uint32_t code = (first + (uint32_t)k * (bits > 8 ? 311 : 1)) & ((1u << bits) - 1);
            if (bits > 8)
                t->code16[k] = (uint16_t)code;
            else
                t->code8[k] = (uint8_t)code;
        }
    }
    return coded;
}

static void every_code_has_its_value(void **state) {
    (void)state;
    for (int e = 0; e < 3; e++)
        for (int bits = 1; bits <= 8; bits++)
            for (uint32_t code = 0; code < 1u << bits; code++)
                assert_int_equal(snn_code_value((snn_encoding)e, bits, code),
                                 encoding_values[e][(1 << bits) - 2 + (int)code]);
}

/* Value to code and back, for every value of 1..16 bits; the code is the one without -0. */
static void every_value_has_one_code(void **state) {
    (void)state;
    for (int e = 0; e < 3; e++) {
        for (int bits = 1; bits <= 16; bits++) {
            int32_t most = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
            int32_t least = e == SNN_SIGN_MAGNITUDE || bits == 1 ? -most : -most - 1;
            for (int32_t q = least; q <= most; q++) {
                if (bits == 1 && q == 0)
                    continue;
                uint32_t code = snn_value_code((snn_encoding)e, bits, q);
                assert_true(code >> bits == 0);
                assert_int_equal(snn_code_value((snn_encoding)e, bits, code), q);
            }
            if (bits > 1)
                assert_int_equal(snn_value_code((snn_encoding)e, bits, 0),
                                 e == SNN_OFFSET_BINARY ? 1 << (bits - 1) : 0);
        }
    }
    assert_int_equal(snn_code_value(SNN_SIGN_MAGNITUDE, 8, 0x80), 0);
    assert_int_equal(snn_code_value(SNN_SIGN_MAGNITUDE, 16, 0xffff), -32767);
    assert_int_equal(snn_code_value(SNN_TWOS_COMPLEMENT, 16, 0x8000), -32768);
    assert_int_equal(snn_code_value(SNN_OFFSET_BINARY, 16, 0), -32768);
}

static void encoding_names(void **state) {
    (void)state;
    snn_error err;
    snn_encoding e;
    for (int i = 0; i < 3; i++) {
        assert_true(snn_encoding_parse(snn_encoding_name((snn_encoding)i), &e, &err));
        assert_int_equal(e, i);
    }
    assert_string_equal(snn_encoding_name(SNN_TWOS_COMPLEMENT), "twos_complement");
    assert_false(snn_encoding_parse("gray", &e, &err));
    assert_string_equal(err.text,
                        "unknown encoding 'gray': expected sign_magnitude, twos_complement or offset_binary");
}

static void new_weights_are_float_zeros(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = small_net();
    snn_weights *w = snn_weights_new(net, &err);
    assert_int_equal(w->tensors, 2);
    assert_string_equal(w->tensor[0].name, "conv");
    assert_string_equal(w->tensor[1].name, "fc");
    assert_int_equal(w->tensor[0].count, 24);
    assert_int_equal(w->tensor[1].count, 60);
    assert_true(w->tensor[1].shape[0] == 5 && w->tensor[1].shape[1] == 12 && w->tensor[1].dims == 2);
    assert_int_equal(w->tensor[0].bits, 32);
    for (uint64_t i = 0; i < 60; i++)
        assert_true(snn_weight_value(&w->tensor[1], i) == 0 && snn_weight_scale(&w->tensor[1], i) == 1);
    assert_true(snn_weights_fit(w, net, &err));
    snn_weights_free(w);
    snn_net_free(net);
}

static void values_and_scales(void **state) {
    (void)state;
    snn_net *net = small_net();
    snn_weights *w = counting(net, 8, SNN_SIGN_MAGNITUDE, 120);
    snn_tensor *t = &w->tensor[0];
    assert_int_equal(snn_weight_q(t, 7), 127);
    assert_int_equal(snn_weight_q(t, 8), 0); /* -0 */
    assert_int_equal(snn_weight_q(t, 9), -1);
    assert_true(snn_weight_value(t, 9) == -0.25f);
    float *scale = malloc(3 * sizeof *scale);
    assert_non_null(scale);
    memcpy(scale, (float[]){1, 2, 4}, 3 * sizeof *scale);
    free(t->scale);
    t->scale = scale;
    t->scales = 3;
    const float expected[] = {1, 1, 2, 2, 4, 4}; /* 8 weights per output channel */
    const uint64_t at[] = {0, 7, 8, 15, 16, 23};
    for (int i = 0; i < 6; i++) {
        assert_true(snn_weight_scale(t, at[i]) == expected[i]);
        assert_true(snn_weight_value(t, at[i]) == (float)snn_weight_q(t, at[i]) * expected[i]);
    }
    snn_weights *copy = NULL;
    snn_error err;
    copy = snn_weights_copy(w, &err);
    assert_memory_equal(copy->tensor[0].scale, scale, 3 * sizeof *scale);
    assert_ptr_not_equal(copy->tensor[0].data, t->data);
    snn_weights_free(copy);
    snn_weights *floats = snn_weights_dequantise(w, &err);
    assert_int_equal(floats->tensor[0].type, SNN_FLOAT32);
    for (uint64_t i = 0; i < t->count; i++)
        assert_true(floats->tensor[0].value[i] == snn_weight_value(t, i));
    snn_weights_free(floats);
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- flips ---- */

static void flips_are_xor(void **state) {
    (void)state;
    const int widths[] = {1, 3, 8, 12, 16};
    snn_error err;
    snn_net *net = small_net();
    for (int k = 0; k < 5; k++) {
        int bits = widths[k];
        snn_weights *w = counting(net, bits, SNN_TWOS_COMPLEMENT, 5);
        snn_flip flip[] = {{1, 0, 59}, {0, (uint32_t)bits - 1, 23}, {1, 0, 0}};
        snn_flips flips = {3, flip};
        snn_weights *x = snn_weights_apply(w, &flips, &err);
        assert_non_null(x);
        uint64_t changed = 0;
        for (int i = 0; i < 2; i++) {
            for (uint64_t j = 0; j < w->tensor[i].count; j++) {
                uint32_t a = bits > 8 ? w->tensor[i].code16[j] : w->tensor[i].code8[j];
                uint32_t b = bits > 8 ? x->tensor[i].code16[j] : x->tensor[i].code8[j];
                uint32_t mask = i == 1 && (j == 59 || j == 0) ? 1u << (bits - 1) : i == 0 && j == 23 ? 1 : 0;
                assert_int_equal(a ^ b, mask);
                changed += a != b;
            }
        }
        assert_int_equal(changed, 3);
        snn_weights *back = snn_weights_apply(x, &flips, &err);
        char d0[65], d1[65], d2[65];
        snn_weights_digest(w, d0);
        snn_weights_digest(x, d1);
        snn_weights_digest(back, d2);
        assert_string_equal(d0, d2);
        assert_string_not_equal(d0, d1);
        snn_weights_free(back);
        snn_weights_free(x);
        snn_weights_free(w);
    }
    snn_net_free(net);
}

static void flips_are_checked(void **state) {
    (void)state;
    const struct {
        snn_flip flip;
        const char *sentence;
    } cases[] = {
        {{2, 0, 0}, "flip 1 is in tensor 2, but there are only 2"},
        {{0, 0, 24}, "flip 1 is at weight 24 of layer 'conv', which has 24"},
        {{1, 4, 59}, "flip 1 is at bit 4 of layer 'fc', whose codes have 4 bits"},
        {{UINT32_MAX, 0, 0}, "flip 1 is in tensor 4294967295"},
        {{0, 0, UINT64_MAX}, "flip 1 is at weight 18446744073709551615"},
    };
    snn_net *net = small_net();
    snn_weights *w = counting(net, 4, SNN_SIGN_MAGNITUDE, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snn_error err;
        snn_delta delta[2];
        size_t n = 2;
        snn_flip flip[] = {{0, 3, 23}, cases[i].flip};
        snn_flips flips = {2, flip};
        assert_null(snn_weights_apply(w, &flips, &err));
        assert_non_null(strstr(err.text, cases[i].sentence));
        assert_int_equal(err.code, SNN_ERR_DATA);
        assert_false(snn_weights_deltas(w, &flips, delta, &n, &err));
        assert_non_null(strstr(err.text, cases[i].sentence));
    }
    snn_error err;
    snn_flip flip = {0, 0, 0};
    snn_flips flips = {1, &flip};
    snn_delta delta;
    size_t n = 0;
    assert_false(snn_weights_deltas(w, &flips, &delta, &n, &err));
    snn_weights *floats = snn_weights_dequantise(w, &err);
    assert_null(snn_weights_apply(floats, &flips, &err));
    assert_non_null(strstr(err.text, "whose weights are floats"));
    snn_weights_free(floats);
    snn_weights_free(w);
    snn_net_free(net);
}

/* Deltas say for every weight what apply does to its value, in every encoding and width. */
static void deltas_agree_with_apply(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = small_net();
    for (int e = 0; e < 3; e++) {
        for (int bits = 1; bits <= 16; bits++) {
            snn_weights *w = counting(net, bits, (snn_encoding)e, 1u << (bits - 1));
            snn_flip flip[200];
            snn_flips flips = {200, flip};
            uint32_t r = 12345;
            for (size_t i = 0; i < 200; i++) { /* many weights are hit several times, some bits twice */
                r = r * 1664525u + 1013904223u;
                uint32_t tensor = r >> 31;
                flip[i] = (snn_flip){tensor, (r >> 8) % (uint32_t)bits, (r >> 12) % w->tensor[tensor].count};
            }
            snn_delta delta[200];
            size_t n = 200, next = 0;
            assert_true(snn_weights_deltas(w, &flips, delta, &n, &err));
            snn_weights *x = snn_weights_apply(w, &flips, &err);
            for (uint32_t i = 0; i < 2; i++) {
                for (uint64_t j = 0; j < w->tensor[i].count; j++) {
                    int32_t dq = snn_weight_q(&x->tensor[i], j) - snn_weight_q(&w->tensor[i], j);
                    if (dq == 0)
                        continue;
                    assert_true(next < n && delta[next].tensor == i && delta[next].index == j);
                    assert_int_equal(delta[next].dq, dq);
                    next++;
                }
            }
            assert_int_equal(next, n);
            snn_weights_free(x);
            snn_weights_free(w);
        }
    }
    snn_net_free(net);
}

static void sign_of_zero_changes_nothing(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = small_net();
    snn_weights *w = counting(net, 8, SNN_SIGN_MAGNITUDE, 0);
    snn_flip flip[] = {{0, 0, 0}, {0, 0, 5}};
    snn_flips flips = {2, flip}, none = {0, NULL};
    snn_delta delta[2];
    size_t n = 2;
    assert_true(snn_weights_deltas(w, &flips, delta, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(delta[0].index, 5);
    assert_int_equal(delta[0].dq, -10);
    assert_true(snn_weights_deltas(w, &none, delta, &n, &err));
    assert_int_equal(n, 0);
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- digest and fit ---- */

static void digest_covers_everything(void **state) {
    (void)state;
    snn_error err;
    snn_net *net = small_net();
    snn_weights *w = counting(net, 8, SNN_SIGN_MAGNITUDE, 3);
    char base[65], other[65];
    snn_weights_digest(w, base);
    /* By Python, from the rule in weights.c (tests/golden/check_model.py --example). */
    assert_string_equal(base, "1ede975548628344c998b8d0ccb95c718a4d581e56022cc0d65a9274e095a5f9");
    for (int what = 0; what < 7; what++) {
        snn_weights *x = snn_weights_copy(w, &err);
        snn_tensor *t = &x->tensor[1];
        switch (what) {
        case 0:
            t->name[1] = 'x';
            break;
        case 1:
            t->shape[0] = 12, t->shape[1] = 5;
            break;
        case 2:
            t->bits = 7;
            break;
        case 3:
            t->encoding = SNN_OFFSET_BINARY;
            break;
        case 4:
            t->scale[0] = 0.5f;
            break;
        case 5:
            t->code8[59] ^= 1;
            break;
        case 6:
            x->tensors = 1;
            break;
        }
        snn_weights_digest(x, other);
        assert_string_not_equal(base, other);
        x->tensors = 2;
        snn_weights_free(x);
    }
    memset(w->tensor[0].name + 5, 'q', SNN_NAME - 6); /* what stands behind the name's end is no part of it */
    snn_weights_digest(w, other);
    assert_string_equal(base, other);
    snn_weights_free(w);
    snn_net_free(net);
}

/* The digest goes over tensors in blocks; the last weight counts at every length. */
static void digest_reaches_the_end(void **state) {
    (void)state;
    const uint64_t lengths[] = {1, 1023, 1024, 1025, 2047, 2048, 2049, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char a[65], b[65];
        float value[4096] = {0};
        uint16_t code[4096] = {0};
        float scale = 1;
        snn_tensor t = {.name = "t",
                        .type = SNN_FLOAT32,
                        .bits = 32,
                        .dims = 1,
                        .shape = {lengths[i]},
                        .count = lengths[i],
                        .value = value};
        snn_weights w = {1, &t};
        snn_weights_digest(&w, a);
        value[lengths[i] - 1] = 1;
        snn_weights_digest(&w, b);
        assert_string_not_equal(a, b);
        t.type = SNN_CODE_16;
        t.bits = 16;
        t.code16 = code;
        t.scales = 1;
        t.scale = &scale;
        snn_weights_digest(&w, a);
        code[lengths[i] - 1] = 0x100;
        snn_weights_digest(&w, b);
        assert_string_not_equal(a, b);
        code[lengths[i] - 1] = 1;
        snn_weights_digest(&w, a);
        assert_string_not_equal(a, b);
    }
}

static void fit_finds_differences(void **state) {
    (void)state;
    snn_net *net = small_net();
    snn_weights *w = counting(net, 8, SNN_SIGN_MAGNITUDE, 3);
    snn_error err;
    snn_tensor *t = &w->tensor[1];
    assert_true(snn_weights_fit(w, net, &err));
    strcpy(t->name, "fd");
    assert_false(snn_weights_fit(w, net, &err));
    assert_string_equal(err.text, "weights of 'fd' stand where the network has layer 'fc'");
    strcpy(t->name, "fc");
    t->shape[1] = 13;
    assert_false(snn_weights_fit(w, net, &err));
    assert_string_equal(err.text, "weights of layer 'fc' have shape 5 x 13, the network needs 5 x 12");
    t->shape[1] = 12;
    t->dims = 4;
    assert_false(snn_weights_fit(w, net, &err));
    t->dims = 2;
    t->bits = 9;
    assert_false(snn_weights_fit(w, net, &err));
    assert_string_equal(err.text, "weights of layer 'fc' have 9 bits: no such code");
    t->bits = 0;
    assert_false(snn_weights_fit(w, net, &err));
    t->bits = 8;
    t->scales = 4;
    assert_false(snn_weights_fit(w, net, &err));
    assert_string_equal(err.text, "weights of layer 'fc' have 4 scales, expected 1 or 5");
    t->scales = 1;
    t->type = SNN_CODE_16;
    assert_false(snn_weights_fit(w, net, &err));
    t->bits = 17;
    assert_false(snn_weights_fit(w, net, &err));
    t->type = SNN_FLOAT32;
    t->bits = 32;
    assert_false(snn_weights_fit(w, net, &err)); /* floats have no scales */
    t->type = SNN_CODE_8;
    t->bits = 8;
    w->tensors = 1;
    assert_false(snn_weights_fit(w, net, &err));
    assert_string_equal(err.text, "1 weight tensors for a network with 2 layers of weights");
    w->tensors = 2;
    assert_true(snn_weights_fit(w, net, NULL));
    snn_weights_free(w);
    snn_net_free(net);
    snn_weights_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_value),
        cmocka_unit_test(every_value_has_one_code),
        cmocka_unit_test(encoding_names),
        cmocka_unit_test(new_weights_are_float_zeros),
        cmocka_unit_test(values_and_scales),
        cmocka_unit_test(flips_are_xor),
        cmocka_unit_test(flips_are_checked),
        cmocka_unit_test(deltas_agree_with_apply),
        cmocka_unit_test(sign_of_zero_changes_nothing),
        cmocka_unit_test(digest_covers_everything),
        cmocka_unit_test(digest_reaches_the_end),
        cmocka_unit_test(fit_finds_differences),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
