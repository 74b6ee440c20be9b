/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics: intervals against values of tests/golden/metrics.py, sums, and NeuroBench's figures of small networks counted by hand. */
#include <snnsim/metrics.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden_metrics.h"

static void close_to(double a, double b) {
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void wilson_intervals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof golden_wilson / sizeof *golden_wilson; i++) {
        snn_interval w = snn_wilson(golden_wilson[i].hits, golden_wilson[i].n);
        close_to(w.value, (double)golden_wilson[i].hits / (double)golden_wilson[i].n);
        close_to(w.low, golden_wilson[i].low);
        close_to(w.high, golden_wilson[i].high);
    }
    /* small probabilities to full relative accuracy */
    snn_interval w = snn_wilson(1, 1000000);
    assert_true(fabs(w.low / 1.765245767453715e-07 - 1) < 1e-8);
    snn_interval none = snn_wilson(0, 0);
    assert_true(none.value == 0 && none.low == 0 && none.high == 1);
    assert_true(snn_wilson(0, 7).low == 0 && snn_wilson(7, 7).high == 1);
}

/* A result whose prediction after each step is given. */
static void set_result(snn_result *r, int steps, const int32_t *by_step) {
    for (int t = 0; t < steps; t++)
        r->predicted_by_step[t] = by_step[t];
    r->predicted = by_step[steps - 1];
}

/* Metrics of a 3-class, 2-layer, 2-step toy: labels 0 0 0 1 2 2, predicted 0 0 1 1 0 2. */
static snn_metrics *toy(int from, int to) {
    static const int label[6] = {0, 0, 0, 1, 2, 2};
    static const int32_t by_step[6][2] = {{1, 0}, {0, 0}, {0, 1}, {1, 1}, {2, 0}, {2, 2}};
    int32_t predicted[2];
    snn_layer_activity activity[2];
    snn_result r = {
        .classes = 3, .steps = 2, .layers = 2, .predicted_by_step = predicted, .activity = activity};
    snn_metrics *m = snn_metrics_new(3, 2, 2, NULL);
    assert_non_null(m);
    for (int i = from; i < to; i++) {
        uint64_t k = (uint64_t)i + 1;
        activity[0] = (snn_layer_activity){k, 2 * k, 8 * k, 3 * k, 4 * k, 5 * k, 6 * k, 7 * k, 9 * k, 11 * k};
        activity[1] = (snn_layer_activity){10 * k, 20 * k, 80 * k, 30 * k, 40 * k,
                                           50 * k, 60 * k, 70 * k, 90 * k, 110 * k};
        set_result(&r, 2, by_step[i]);
        snn_metrics_add(m, &r, label[i]);
    }
    return m;
}

static void check_toy(const snn_metrics *m) {
    static const uint64_t confusion[9] = {2, 1, 0, 0, 1, 0, 1, 0, 1};
    assert_int_equal(m->samples, 6);
    assert_int_equal(m->correct, 4);
    assert_memory_equal(m->confusion, confusion, sizeof confusion);
    assert_int_equal(m->correct_by_step[0], 5); /* all but the first */
    assert_int_equal(m->correct_by_step[1], 4);
    for (uint64_t l = 0, f = 1; l < 2; l++, f = 10) { /* 1 + ... + 6 = 21 */
        const snn_layer_activity *a = &m->activity[l];
        assert_int_equal(a->inputs, 21 * f);
        assert_int_equal(a->input_counts, 42 * f);
        assert_int_equal(a->row_words, 168 * f);
        assert_int_equal(a->spikes, 63 * f);
        assert_int_equal(a->synops, 84 * f);
        assert_int_equal(a->effective_macs, 105 * f);
        assert_int_equal(a->effective_acs, 126 * f);
        assert_int_equal(a->membrane_updates, 147 * f);
        assert_int_equal(a->recurrent_inputs, 189 * f);
        assert_int_equal(a->recurrent_words, 231 * f);
    }
}

static void sums(void **state) {
    (void)state;
    snn_metrics *m = toy(0, 6);
    check_toy(m);
    snn_interval accuracy = snn_metrics_accuracy(m), expected = snn_wilson(4, 6);
    assert_true(accuracy.value == expected.value && accuracy.low == expected.low &&
                accuracy.high == expected.high);
    snn_metrics_free(m);
    snn_metrics_free(NULL);
}

static void merging_is_adding(void **state) {
    (void)state;
    snn_metrics *a = toy(0, 2), *b = toy(2, 6);
    snn_metrics_merge(a, b);
    check_toy(a);
    snn_metrics_free(a);
    snn_metrics_free(b);
}

static void balanced_accuracy(void **state) {
    (void)state;
    /* recalls 2/3, 1, 1/2 */
    snn_metrics *m = toy(0, 6);
    snn_interval b = snn_metrics_balanced(m);
    const snn_interval r[3] = {snn_wilson(2, 3), snn_wilson(1, 1), snn_wilson(1, 2)};
    double below = 0, above = 0;
    for (int k = 0; k < 3; k++) {
        below += pow(r[k].value - r[k].low, 2);
        above += pow(r[k].high - r[k].value, 2);
    }
    close_to(b.value, (2.0 / 3 + 1 + 0.5) / 3);
    close_to(b.low, b.value - sqrt(below) / 3);
    close_to(b.high, b.value + sqrt(above) / 3);
    assert_true(b.low > 0.3 && b.low < 0.5 && b.high > 0.8 && b.high < 1);
    snn_metrics_free(m);
    /* class 2 does not occur: it does not count */
    m = toy(0, 4);
    b = snn_metrics_balanced(m);
    close_to(b.value, (2.0 / 3 + 1) / 2);
    close_to(b.low, b.value - sqrt(pow(r[0].value - r[0].low, 2) + pow(1 - r[1].low, 2)) / 2);
    close_to(b.high, b.value + (r[0].high - r[0].value) / 2);
    snn_metrics_free(m);
    m = toy(0, 0);
    b = snn_metrics_balanced(m);
    assert_true(b.value == 0 && b.low == 0 && b.high == 1);
    snn_metrics_free(m);
}

static snn_net *network(const char *layers, snn_shape input) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text, "dataset = { name = \"nmnist\"; }; network = { layers = ( %s ); };", layers);
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    snn_net *net = c ? snn_net_from_config(c, input, &err) : NULL;
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

static double dense(const char *layer, snn_shape input) {
    char text[1024];
    snprintf(text, sizeof text,
             "%s, { name = \"f\"; type = \"flatten\"; }, { name = \"o\"; type = \"linear\"; outputs = 2; }",
             layer);
    snn_net *net = network(text, input);
    double n = snn_layer_dense_operations(&net->layer[0]);
    assert_true(snn_layer_dense_operations(&net->layer[1]) == 0);
    snn_net_free(net);
    return n;
}

/* The example of NeuroBench's documentation is 3x3 = 9; convolutions are counted position by position. */
static double conv_positions(uint32_t c, uint32_t o, uint32_t h, uint32_t w, uint32_t k, uint32_t s,
                             uint32_t p) {
    double n = 0;
    for (uint32_t y = 0; y * s + k <= h + 2 * p; y++)
        for (uint32_t x = 0; x * s + k <= w + 2 * p; x++)
            for (uint32_t ky = 0; ky < k; ky++)
                for (uint32_t kx = 0; kx < k; kx++)
                    n += y * s + ky >= p && y * s + ky < h + p && x * s + kx >= p && x * s + kx < w + p;
    return n * c * o;
}

static void dense_operations(void **state) {
    (void)state;
    assert_true(dense("{ name = \"a\"; type = \"linear\"; outputs = 3; }", (snn_shape){3, 1, 1}) == 9);
    assert_true(dense("{ name = \"a\"; type = \"linear\"; outputs = 5; }", (snn_shape){2, 3, 4}) == 120);
    assert_true(dense("{ name = \"a\"; type = \"pool_max\"; kernel = 2; }", (snn_shape){2, 4, 4}) == 0);
    /* 3x3 on 4x4 with padding 1: per axis 2 + 3 + 3 + 2 = 10 */
    assert_true(dense("{ name = \"a\"; type = \"conv2d\"; channels = 2; kernel = 3; padding = 1; }",
                      (snn_shape){1, 4, 4}) == 200);
    static const uint32_t geometry[][7] = {{2, 3, 6, 6, 3, 1, 1},
                                           {1, 1, 5, 7, 3, 2, 0},
                                           {3, 2, 5, 7, 4, 3, 2},
                                           {1, 2, 2, 3, 5, 1, 2},
                                           {2, 2, 9, 4, 1, 2, 0}};
    for (size_t i = 0; i < sizeof geometry / sizeof *geometry; i++) {
        const uint32_t *g = geometry[i];
        char layer[256];
        snprintf(
            layer, sizeof layer,
            "{ name = \"a\"; type = \"conv2d\"; channels = %u; kernel = %u; stride = %u; padding = %u; }",
            g[1], g[4], g[5], g[6]);
        close_to(dense(layer, (snn_shape){g[0], g[2], g[3]}),
                 conv_positions(g[0], g[1], g[2], g[3], g[4], g[5], g[6]));
    }
}

/* 3 inputs -> 5 (bias) -> 2: 15 + 10 weights. */
static snn_weights *small(const snn_net *net, int bits, bool per_channel) {
    snn_weights *w = snn_weights_new(net, NULL), *q;
    assert_non_null(w);
    for (int t = 0; t < w->tensors; t++)
        for (uint64_t i = 0; i < w->tensor[t].count; i++)
            w->tensor[t].value[i] = i % 4 == 0 ? -0.0f : 0.5f * (i % 2 ? 1 : -1);
    snn_quantisation o = {.bits = bits, .encoding = SNN_TWOS_COMPLEMENT, .per_channel = per_channel};
    if (bits == 32)
        return w;
    q = snn_weights_quantise(w, &o, NULL, NULL);
    assert_non_null(q);
    snn_weights_free(w);
    return q;
}

static void neurobench(void **state) {
    (void)state;
    snn_net *net = network("{ name = \"a\"; type = \"linear\"; outputs = 5; bias = true; },"
                           "{ name = \"b\"; type = \"linear\"; outputs = 2; neuron = { type = \"li\"; }; }",
                           (snn_shape){3, 1, 1});
    static const struct {
        int bits;
        bool per_channel;
        uint64_t bytes; /* weights + scales + 5 biases + 7 membranes */
    } footprint[] = {{32, false, 60 + 40 + 20 + 28},
                     {8, false, 15 + 10 + 8 + 20 + 28},
                     {8, true, 15 + 10 + 4 * 7 + 20 + 28},
                     {5, false, 10 + 7 + 8 + 20 + 28},
                     {1, false, 2 + 2 + 8 + 20 + 28}};
    snn_metrics *m = toy(0, 6);
    snn_neurobench n;
    for (size_t i = 0; i < sizeof footprint / sizeof *footprint; i++) {
        snn_weights *w = small(net, footprint[i].bits, footprint[i].per_channel);
        snn_metrics_neurobench(m, net, w, &n);
        assert_int_equal(n.footprint_bytes, footprint[i].bytes);
        close_to(n.connection_sparsity,
                 footprint[i].bits == 1 ? 0 : (4.0 + 3) / 25); /* one bit has no zero */
        snn_weights_free(w);
    }
    /* only the first layer spikes: 63 of 5 neurons x 2 steps x 6 samples (the toy's counts are larger than real ones) */
    close_to(n.activation_sparsity, 1 - 63.0 / 60);
    close_to(n.effective_macs, (105 + 1050) / 6.0);
    close_to(n.effective_acs, (126 + 1260) / 6.0);
    close_to(n.membrane_updates, (147 + 1470) / 6.0);
    close_to(n.dense_step, 25);
    close_to(n.dense_operations, 50);
    close_to(n.effective_macs_step, (105 + 1050) / 12.0);
    close_to(n.effective_acs_step, (126 + 1260) / 12.0);
    snn_metrics_free(m);
    /* without samples everything is a number */
    snn_weights *w = small(net, 8, false);
    m = toy(0, 0);
    snn_metrics_neurobench(m, net, w, &n);
    assert_true(n.activation_sparsity == 0 && n.effective_macs == 0 && n.membrane_updates == 0);
    close_to(n.dense_operations, 50);
    snn_metrics_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilson_intervals),  cmocka_unit_test(sums),
        cmocka_unit_test(merging_is_adding), cmocka_unit_test(balanced_accuracy),
        cmocka_unit_test(dense_operations),  cmocka_unit_test(neurobench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
