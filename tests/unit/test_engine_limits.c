/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine refuses to be built from: layers too large for a plane, sums and biases beyond the arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <snnsim/snnsim.h>

static snn_net *parse(const char *layers, snn_shape input) {
    char text[1024];
    snn_error err = {0};
    snprintf(text, sizeof text, "network = { layers = ( %s ); };", layers);
    snn_config *c = snn_config_parse(text, "test", &err);
    snn_net *net = c ? snn_net_from_config(c, input, &err) : NULL;
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

/* All weights `value`, in 8 bit. */
static snn_weights *constant(const snn_net *net, float value) {
    snn_error err = {0};
    const snn_quantisation q = {.bits = 8};
    snn_weights *f = snn_weights_new(net, &err);
    assert_non_null(f);
    for (int t = 0; t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] = value;
    snn_weights *w = snn_weights_quantise(f, &q, NULL, &err);
    assert_non_null(w);
    snn_weights_free(f);
    return w;
}

/* words NULL: the engine must be built. */
static void expect(const snn_net *net, const snn_weights *w, snn_arithmetic a, snn_code code,
                   const char *words) {
    snn_error err = {0};
    const snn_engine_options o = {.arithmetic = a, .simd = snn_simd_best(), .count_operations = true};
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    if (!words && !e)
        fail_msg("%s", err.text);
    if (words) {
        assert_null(e);
        assert_int_equal(err.code, code);
        if (!strstr(err.text, words))
            fail_msg("'%s' does not say '%s'", err.text, words);
    }
    snn_engine_free(e);
}

static void test_too_large(void **state) {
    (void)state;
    /* 2^27 pixels of one channel are padded to 16 channels: 2^31 bytes */
    snn_net *net = parse("{name=\"a\"; type=\"conv2d\"; channels=1; kernel=1; stride=1024;}",
                         (snn_shape){1, 8192, 16384});
    snn_weights *w = constant(net, 1);
    expect(net, w, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA,
           "layer a: 1x8192x16384 with padding 0 is too large for one layer");
    snn_net_free(net);
    /* the same behind a pool, where the output is the one that is too large */
    net = parse("{name=\"p\"; type=\"pool_max\"; kernel=1;}, {name=\"a\"; type=\"conv2d\"; channels=1; "
                "kernel=1; stride=1024;}",
                (snn_shape){1, 8192, 16384});
    expect(net, w, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA, "too large for one layer");
    snn_net_free(net);
    snn_weights_free(w);
}

/* `channels` inputs that pooling can drive to 225 each, all on the largest weight. */
static void test_inner_sums(void **state) {
    (void)state;
    char layers[512];
    for (int channels = 293; channels <= 294; channels++) {
        snprintf(layers, sizeof layers,
                 "{name=\"a\"; type=\"conv2d\"; channels=%d; kernel=1;}, {name=\"p\"; type=\"pool_sum\"; "
                 "kernel=15;}, {name=\"b\"; type=\"linear\"; outputs=2;}",
                 channels);
        snn_net *net = parse(layers, (snn_shape){1, 15, 15});
        snn_weights *w = constant(net, 127);
        /* 293 * 225 * 127 = 8,372,475 <= 2^23 < 294 * 225 * 127 */
        expect(net, w, SNN_ARITHMETIC_FIXED, SNN_ERR_DATA,
               channels == 293 ? NULL : "layer b: synaptic sums could exceed 8388608");
        expect(net, w, SNN_ARITHMETIC_FLOAT, SNN_OK, NULL);
        snn_net_free(net);
        snn_weights_free(w);
    }
}

static void test_fixed_bias(void **state) {
    (void)state;
    snn_net *net = parse("{name=\"a\"; type=\"linear\"; outputs=3; bias=true;}", (snn_shape){4, 1, 1});
    snn_weights *w = constant(net, 127); /* scale 1 */
    assert_true(w->tensor[0].scale[0] == 1);
    for (int sign = -1; sign <= 1; sign += 2) {
        net->layer[0].bias[2] = (float)(sign * (1 << 22)); /* 2^22 LSB are 2^28 in 1/64 */
        expect(net, w, SNN_ARITHMETIC_FIXED, SNN_OK, NULL);
        net->layer[0].bias[2] = (float)(sign * ((1 << 22) + 1));
        expect(net, w, SNN_ARITHMETIC_FIXED, SNN_ERR_DATA, "of output 2 is beyond 2^22 weight LSB");
        expect(net, w, SNN_ARITHMETIC_FLOAT, SNN_OK, NULL);
    }
    snn_net_free(net);
    snn_weights_free(w);
}

/* A result has the sizes it was asked for, and serves no other network; a SIMD level that does not exist is refused. */
static void test_results(void **state) {
    (void)state;
    snn_net *net = parse("{name=\"a\"; type=\"linear\"; outputs=3;}", (snn_shape){4, 1, 1});
    snn_weights *w = constant(net, 1);
    snn_error err = {0};
    snn_result r;
    assert_true(snn_result_init(&r, net, 5, &err));
    assert_int_equal(r.classes, 3);
    assert_int_equal(r.steps, 5);
    assert_int_equal(r.layers, 1);
    snn_engine_free(NULL);
    snn_workspace_free(NULL);
    snn_engine_options o = {.simd = SNN_SIMD_LEVELS};
    assert_null(snn_engine_new(net, w, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    o.simd = SNN_SIMD_PLAIN;
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    snn_workspace *space = snn_workspace_new(e, &err);
    snn_spikes x = {0};
    assert_true(space && snn_spikes_reset(&x, 4, 5, &err));
    r.layers = 2; /* made for another network */
    assert_false(snn_engine_run(e, &x, 0, space, NULL, &r, &err));
    assert_non_null(strstr(err.text, "made for another network (3 classes, 2 layers instead of 3, 1)"));
    snn_spikes_free(&x);
    snn_workspace_free(space);
    snn_engine_free(e);
    snn_result_free(&r);
    assert_null(r.out);
    snn_net_free(net);
    snn_weights_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_too_large), cmocka_unit_test(test_inner_sums),
                                       cmocka_unit_test(test_fixed_bias), cmocka_unit_test(test_results)};
    return cmocka_run_group_tests_name("engine_limits", tests, NULL, NULL);
}
