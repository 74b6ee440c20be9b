/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of map and repair share: small networks and codes for them. */
#ifndef HW_TEST_H
#define HW_TEST_H

#include <snnsim/map.h>

#include <stdio.h>
#include <stdlib.h>

/* The network of `layers` (libconfig text) for an input of the given shape. */
static inline snn_net *test_net(const char *layers, snn_shape input) {
    char text[2000];
    snprintf(text, sizeof text, "dataset = { name = \"nmnist\"; };\nnetwork = { layers = ( %s ); };\n",
             layers);
    snn_error err;
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    assert_non_null(c);
    snn_net *net = snn_net_from_config(c, input, &err);
    assert_non_null(net);
    snn_config_free(c);
    return net;
}

/* Codes of all values in turn: weight i of tensor t has the code (step * i + t) mod 2^bits. */
static inline snn_weights *test_codes(const snn_net *net, int bits, snn_encoding encoding, uint32_t step) {
    snn_error err;
    snn_weights *w = snn_weights_new(net, &err);
    assert_non_null(w);
    snn_quantisation q = {.bits = bits, .encoding = encoding};
    snn_weights *coded = snn_weights_quantise(w, &q, NULL, &err);
    snn_weights_free(w);
    assert_non_null(coded);
    for (int t = 0; t < coded->tensors; t++)
        for (uint64_t i = 0; i < coded->tensor[t].count; i++)
            coded->tensor[t].code8[i] = (uint8_t)(((uint32_t)i * step + (uint32_t)t) & ((1U << bits) - 1));
    return coded;
}

static inline snn_map *test_map(const snn_net *net, const snn_weights *w, snn_map_options o) {
    snn_error err = {0};
    snn_map *m = snn_map_new(net, w, &o, &err);
    if (m == NULL)
        print_error("%s\n", err.text);
    assert_non_null(m);
    return m;
}

#define LINEAR "{ name = \"fc\"; type = \"linear\"; outputs = 7; }"
/* 2 x 5 x 6 -> 3 channels of 3 x 3 -> 5 of 2 x 2 -> 4 outputs */
#define CONVS                                                                                                \
    "{ name = \"c1\"; type = \"conv2d\"; channels = 3; kernel = 3; padding = 1; },"                          \
    "{ name = \"p\"; type = \"pool_max\"; kernel = 2; },"                                                    \
    "{ name = \"c2\"; type = \"conv2d\"; channels = 5; kernel = 2; },"                                       \
    "{ name = \"f\"; type = \"flatten\"; },"                                                                 \
    "{ name = \"out\"; type = \"linear\"; outputs = 4; }"

#endif
