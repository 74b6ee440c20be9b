/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small random networks, weights and inputs for the tests of the engine's hook and of exchanged weights; runs whose whole outcome is kept. */
#ifndef SNNSIM_ENGINE_TEST_H
#define SNNSIM_ENGINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snnsim/snnsim.h>

enum { TEST_STEPS = 7, TEST_TENSORS = 4, TEST_MOST = 1 << 17 };

typedef struct {
    const char *layers;
    snn_shape input;
    uint32_t most_count;
    double density, weight; /* of the input; spread of the weights */
} test_net;

/* Strides, paddings, kernels of even size, output lines of every kind; between layers counts up to 144 (two list entries each); pools in front. */
static const test_net test_nets[] = {
    {"{name=\"a\"; type=\"linear\"; outputs=37;}, {name=\"b\"; type=\"linear\"; outputs=5;}",
     {2, 7, 5},
     200,
     0.3,
     0.1},
    {"{name=\"a\"; type=\"conv2d\"; channels=20; kernel=3; padding=1;}, {name=\"c\"; type=\"conv2d\"; "
     "channels=18; kernel=4; stride=2; padding=3;}, {name=\"f\"; type=\"flatten\";}, {name=\"b\"; "
     "type=\"linear\"; outputs=4;}",
     {2, 9, 6},
     3,
     0.2,
     0.2},
    {"{name=\"a\"; type=\"conv2d\"; channels=7; kernel=5; stride=3; padding=4; bias=true;}, {name=\"c\"; "
     "type=\"conv2d\"; channels=16; kernel=2; padding=1; bias=true;}, {name=\"d\"; type=\"conv2d\"; "
     "channels=9; kernel=3; stride=2;}, {name=\"b\"; type=\"linear\"; outputs=6; bias=true;}",
     {3, 13, 16},
     140,
     0.15,
     0.1},
    {"{name=\"p\"; type=\"pool_sum\"; kernel=2;}, {name=\"a\"; type=\"conv2d\"; channels=5; kernel=1;}, "
     "{name=\"q\"; type=\"pool_sum\"; kernel=12;}, {name=\"c\"; type=\"conv2d\"; channels=6; kernel=2; "
     "padding=1; neuron={threshold=9.0;};}, {name=\"r\"; type=\"pool_average\"; kernel=2; stride=1;}, "
     "{name=\"b\"; type=\"linear\"; outputs=3;}",
     {1, 48, 24},
     2,
     0.8,
     0.9},
};
enum { TEST_NETS = sizeof test_nets / sizeof *test_nets };

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x;
    int layer_of[TEST_TENSORS]; /* tensor -> layer */
} test_work;

static inline snn_net *test_parse(const char *layers, snn_shape input) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text,
             "network = { layers = (%s); neuron = { type = \"lif\"; decay = 0.3; threshold = 0.3; }; };",
             layers);
    snn_config *c = snn_config_parse(text, "test", &err);
    snn_net *net = c ? snn_net_from_config(c, input, &err) : NULL;
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

/* bits 0: float weights. */
static inline snn_weights *test_weights(const snn_net *net, double spread, int bits, bool per_channel,
                                        uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, seed);
    snn_weights *f = snn_weights_new(net, &err);
    assert_non_null(f);
    for (int t = 0; t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] =
                snn_random_below(&r, 5) ? (float)((2 * snn_random_uniform(&r) - 0.9) * spread) : 0.0f;
    if (!bits)
        return f;
    const snn_quantisation q = {
        .bits = bits, .encoding = (snn_encoding)(seed % 3), .per_channel = per_channel};
    snn_weights *w = snn_weights_quantise(f, &q, NULL, &err);
    if (!w)
        fail_msg("%s", err.text);
    snn_weights_free(f);
    return w;
}

static inline test_work test_make(const test_net *n, int bits, bool per_channel, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    test_work k = {.net = test_parse(n->layers, n->input)};
    snn_random_init(&r, 4, SNN_PURPOSE_TEST, seed);
    k.weights = test_weights(k.net, n->weight, bits, per_channel, seed);
    assert_true(k.net->tensors <= TEST_TENSORS);
    for (int l = 0; l < k.net->layers; l++) {
        const snn_layer *layer = &k.net->layer[l];
        if (layer->tensor >= 0)
            k.layer_of[layer->tensor] = l;
        for (uint32_t o = 0; layer->bias && o < layer->out.channels; o++)
            layer->bias[o] = (float)(snn_random_uniform(&r) - 0.5) * 0.2f;
    }
    const uint32_t size = snn_shape_size(n->input);
    assert_true(snn_spikes_reset(&k.x, size, TEST_STEPS, &err));
    for (int t = 0; t < TEST_STEPS; t++)
        for (uint32_t i = 0; i < size && t != 4; i++) { /* one silent step */
            if (snn_random_uniform(&r) >= n->density)
                continue;
            const snn_spike s = {i, 1 + (snn_random_below(&r, 3) ? 0 : snn_random_below(&r, n->most_count))};
            assert_true(snn_spikes_append(&k.x, t, &s, 1, &err));
        }
    return k;
}

static inline void test_drop(test_work *k) {
    snn_net_free(k->net);
    snn_weights_free(k->weights);
    snn_spikes_free(&k->x);
}

/* What a run leaves: spikes and membranes of every layer and step in one digest, and what is handed out. */
typedef struct {
    char digest[SNN_DIGEST_HEX];
    double out[64];
    snn_layer_activity activity[16];
    uint64_t spikes;
} test_outcome;

typedef struct {
    const snn_net *net;
    snn_digest digest;
} test_tracer;

static inline bool test_trace_step(void *context, int layer, int step, const uint8_t *spikes,
                                   const void *membrane, snn_error *err) {
    (void)err;
    test_tracer *c = context;
    const uint32_t n = snn_shape_size(c->net->layer[layer].out), head[2] = {(uint32_t)layer, (uint32_t)step};
    static int32_t word[TEST_MOST];
    assert_true(n <= TEST_MOST);
    snn_digest_u32(&c->digest, head, 2);
    for (uint32_t i = 0; i < n; i++)
        word[i] = spikes[i];
    snn_digest_u32(&c->digest, (const uint32_t *)word, n);
    if (!membrane)
        return true;
    memcpy(word, membrane, 4 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) /* -0 and +0 are the same membrane */
        word[i] = word[i] == INT32_MIN ? 0 : word[i];
    snn_digest_u32(&c->digest, (const uint32_t *)word, n);
    return true;
}

static inline test_outcome test_run(const snn_engine *e, const test_work *k, snn_workspace *w) {
    snn_error err = {0};
    snn_result r;
    test_tracer c = {.net = k->net};
    bool layer[16] = {false};
    test_outcome o;
    memset(&o, 0, sizeof o);
    for (int i = 0; i < k->net->layers; i++)
        layer[i] = k->net->layer[i].type != SNN_LAYER_FLATTEN;
    snn_digest_init(&c.digest);
    const snn_trace trace = {&c, layer, test_trace_step};
    assert_true(snn_result_init(&r, k->net, TEST_STEPS, &err));
    if (!snn_engine_run(e, &k->x, 3, w, &trace, &r, &err))
        fail_msg("%s", err.text);
    uint8_t digest[SNN_DIGEST_BYTES];
    snn_digest_final(&c.digest, digest);
    snn_digest_hex(digest, o.digest);
    memcpy(o.out, r.out, k->net->classes * sizeof *r.out);
    memcpy(o.activity, r.activity, (size_t)k->net->layers * sizeof *r.activity);
    for (int i = 0; i < k->net->layers; i++)
        o.spikes += r.activity[i].spikes;
    snn_result_free(&r);
    return o;
}

static inline snn_engine *test_engine(const test_work *k, const snn_weights *weights,
                                      const snn_engine_options *o) {
    snn_error err = {0};
    snn_engine *e = snn_engine_new(k->net, weights, o, &err);
    if (!e)
        fail_msg("%s", err.text);
    return e;
}

/* Builds, runs, frees. */
static inline test_outcome test_outcome_of(const test_work *k, const snn_weights *weights,
                                           const snn_engine_options *o) {
    snn_error err = {0};
    snn_engine *e = test_engine(k, weights, o);
    snn_workspace *w = snn_workspace_new(e, &err);
    assert_non_null(w);
    const test_outcome x = test_run(e, k, w);
    snn_workspace_free(w);
    snn_engine_free(e);
    return x;
}

static inline void test_same(const test_outcome *a, const test_outcome *b) {
    assert_string_equal(a->digest, b->digest);
    assert_memory_equal(a->out, b->out, sizeof a->out);
    assert_memory_equal(a->activity, b->activity, sizeof a->activity);
}

#endif
