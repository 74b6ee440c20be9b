/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Helpers shared by the tests of training: networks from config text, random inputs, plain settings. */
#ifndef SNNSIM_TESTS_TRAIN_TEST_H
#define SNNSIM_TESTS_TRAIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../sim/train_internal.h"

static inline snn_config *test_config(const char *text) {
    snn_error err = {0};
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    if (c == NULL)
        fail_msg("%s", err.text);
    return c;
}

static inline snn_net *test_net(const snn_config *c, snn_shape input) {
    snn_error err = {0};
    snn_net *net = snn_net_from_config(c, input, &err);
    if (net == NULL)
        fail_msg("%s", err.text);
    return net;
}

static inline snn_train_options test_options(const snn_config *c) {
    snn_error err = {0};
    snn_train_options o;
    if (!snn_train_options_from_config(c, &o, &err))
        fail_msg("%s", err.text);
    return o;
}

/* Uniform weights in +-bound, and biases in 0 .. bound / 4, from a fixed stream. */
static inline snn_weights *test_weights(snn_net *net, double bound, uint64_t index) {
    snn_error err = {0};
    snn_weights *w = snn_weights_new(net, &err);
    assert_non_null(w);
    snn_random r;
    snn_random_init(&r, 7, SNN_PURPOSE_TEST, index);
    for (int i = 0; i < w->tensors; i++)
        for (uint64_t k = 0; k < w->tensor[i].count; k++)
            w->tensor[i].value[k] = (float)((2 * snn_random_uniform(&r) - 1) * bound);
    for (int i = 0; i < net->layers; i++)
        for (uint32_t c = 0; net->layer[i].bias != NULL && c < net->layer[i].out.channels; c++)
            net->layer[i].bias[c] = (float)(snn_random_uniform(&r) * bound / 4);
    return w;
}

/* Another parameter for each neuron, within 30 % of the layer's. */
static inline void test_vary_parameters(snn_net *net) {
    snn_random r;
    snn_random_init(&r, 9, SNN_PURPOSE_TEST, 0);
    for (int i = 0; i < net->layers; i++) {
        snn_layer *l = &net->layer[i];
        const uint32_t n = snn_shape_size(l->out);
        for (int p = 0; l->tensor >= 0 && p < SNN_PARAMS; p++) {
            float *each = malloc(n * sizeof *each);
            for (uint32_t j = 0; j < n; j++)
                each[j] = snn_layer_param(l, (snn_param)p, j) * (float)(0.7 + 0.3 * snn_random_uniform(&r));
            l->each[p] = each;
        }
    }
}

/* `samples` lists in which an input has a count of 1 or 2 with probability `share`. */
static inline snn_spikes *test_inputs(const snn_net *net, int steps, int samples, double share,
                                      uint64_t index) {
    snn_error err = {0};
    uint32_t size = snn_shape_size(net->input);
    snn_spikes *x = calloc((size_t)samples, sizeof *x);
    uint8_t *count = malloc((size_t)steps * size);
    snn_random r;
    snn_random_init(&r, 8, SNN_PURPOSE_TEST, index);
    for (int s = 0; s < samples; s++) {
        for (size_t i = 0; i < (size_t)steps * size; i++)
            count[i] = snn_random_uniform(&r) < share ? (uint8_t)(1 + snn_random_below(&r, 2)) : 0;
        assert_true(snn_spikes_from_counts(&x[s], size, steps, count, &err));
    }
    free(count);
    return x;
}

static inline void test_inputs_free(snn_spikes *x, int samples) {
    for (int s = 0; s < samples; s++)
        snn_spikes_free(&x[s]);
    free(x);
}

/* Do two sets of weights agree bit for bit? */
static inline bool test_same_weights(const snn_weights *a, const snn_weights *b) {
    char x[65], y[65];
    snn_weights_digest(a, x);
    snn_weights_digest(b, y);
    return strcmp(x, y) == 0;
}

#endif
