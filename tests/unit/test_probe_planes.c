/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fitness probe of networks with convolutions against the plain twin, which rewrites the weights and runs the engine: the same outputs, bit for bit. */
#include "engine_test.h"
#include "golden_gesture.h"

enum { SAMPLES = 3 };

/* Layers, neuron parameters, input. Kernels of all kinds, strides, paddings, pools of each kind, one behind the other, flatten or none, read-out by spikes or membrane. */
typedef struct {
    const char *layers;
    snn_shape input;
    uint32_t most_count;
    double density, weight;
} planes_net;

static const planes_net nets[] = {
    {"{name=\"a\"; type=\"conv2d\"; channels=20; kernel=3; padding=1;}, {name=\"p\"; type=\"pool_max\"; "
     "kernel=2;}, {name=\"b\"; type=\"conv2d\"; channels=70; kernel=3; padding=1;}, {name=\"q\"; "
     "type=\"pool_max\"; kernel=2;}, {name=\"f\"; type=\"flatten\";}, {name=\"c\"; type=\"linear\"; "
     "outputs=33;}, {name=\"d\"; type=\"linear\"; outputs=4;}",
     {2, 9, 8},
     3,
     0.2,
     0.2},
    {"{name=\"a\"; type=\"conv2d\"; channels=7; kernel=5; stride=3; padding=4; bias=true; "
     "neuron={type=\"if\";};}, "
     "{name=\"c\"; type=\"conv2d\"; channels=16; kernel=2; padding=1; bias=true; neuron={reset=\"subtract\"; "
     "gain=0.5;};}, {name=\"d\"; type=\"conv2d\"; channels=9; kernel=3; stride=2; "
     "neuron={at_threshold=true;};}, {name=\"b\"; type=\"linear\"; outputs=6; bias=true; "
     "neuron={type=\"li\"; decay=0.9;};}",
     {3, 13, 16},
     140,
     0.15,
     0.1},
    {"{name=\"p\"; type=\"pool_sum\"; kernel=2;}, {name=\"a\"; type=\"conv2d\"; channels=5; kernel=1;}, "
     "{name=\"q\"; type=\"pool_sum\"; kernel=5; stride=2;}, {name=\"c\"; type=\"conv2d\"; channels=6; "
     "kernel=2; "
     "padding=1; neuron={threshold=2.0;};}, {name=\"r\"; type=\"pool_average\"; kernel=2; stride=1;}, "
     "{name=\"s\"; type=\"pool_max\"; kernel=2; stride=1;}, {name=\"b\"; type=\"linear\"; outputs=3;}",
     {1, 24, 18},
     70,
     0.5,
     0.9},
    {"{name=\"a\"; type=\"linear\"; outputs=150;}, {name=\"b\"; type=\"linear\"; outputs=130; "
     "neuron={reset=\"subtract\";};}, {name=\"c\"; type=\"linear\"; outputs=5;}",
     {2, 7, 5},
     200,
     0.3,
     0.3},
    {"{name=\"a\"; type=\"conv2d\"; channels=4; kernel=3;}, {name=\"p\"; type=\"pool_max\"; kernel=3; "
     "stride=2;}, "
     "{name=\"b\"; type=\"conv2d\"; channels=3; kernel=2; stride=2; neuron={decay=0.5;};}",
     {2, 12, 11},
     2,
     0.3,
     0.5},
    {"{name=\"a\"; type=\"conv2d\"; channels=3; kernel=4; stride=2; padding=3;}, {name=\"b\"; "
     "type=\"conv2d\"; "
     "channels=2; kernel=3; neuron={type=\"li\"; decay=0.7;};}",
     {2, 10, 7},
     3,
     0.3,
     0.4},
};
enum { NETS = sizeof nets / sizeof *nets };

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x[SAMPLES];
} work;

static void random_sample(snn_spikes *x, const planes_net *n, int steps, snn_random *r) {
    snn_error err = {0};
    const uint32_t size = snn_shape_size(n->input);
    assert_true(snn_spikes_reset(x, size, steps, &err));
    for (int t = 0; t < steps; t++)
        for (uint32_t i = 0; i < size && t != 3; i++) { /* one silent step */
            if (snn_random_uniform(r) >= n->density)
                continue;
            const snn_spike s = {i, 1 + (snn_random_below(r, 3) ? 0 : snn_random_below(r, n->most_count))};
            assert_true(snn_spikes_append(x, t, &s, 1, &err));
        }
}

static work make_work(const planes_net *n, int bits, uint64_t seed) {
    static const int steps[SAMPLES] = {7, 4, 9};
    snn_random r;
    work k = {.net = test_parse(n->layers, n->input)};
    snn_random_init(&r, 41, SNN_PURPOSE_TEST, seed);
    k.weights = test_weights(k.net, n->weight, bits, seed % 2, seed);
    for (int l = 0; l < k.net->layers; l++)
        for (uint32_t o = 0; k.net->layer[l].bias && o < k.net->layer[l].out.channels; o++)
            k.net->layer[l].bias[o] = (float)(snn_random_uniform(&r) - 0.5) * 0.2f;
    for (int i = 0; i < SAMPLES; i++)
        random_sample(&k.x[i], n, steps[i], &r);
    return k;
}

static void drop_work(work *k) {
    snn_net_free(k->net);
    snn_weights_free(k->weights);
    for (int i = 0; i < SAMPLES; i++)
        snn_spikes_free(&k->x[i]);
}

/* A fast probe and its twin. */
typedef struct {
    snn_probe *probe[2];
    snn_probe_workspace *workspace[2];
    snn_probe_result result[2];
} pair;

static pair make_pair(const snn_net *net, const snn_weights *weights, const bool *searched,
                      const snn_probe_options *options, const snn_spikes *x, size_t n) {
    snn_error err = {0};
    pair p;
    for (int i = 0; i < 2; i++) {
        snn_probe_options o = *options;
        o.twin = i == 1;
        p.probe[i] = snn_probe_new(net, weights, searched, &o, x, NULL, n, &err);
        p.workspace[i] = p.probe[i] ? snn_probe_workspace_new(p.probe[i], &err) : NULL;
        if (!p.workspace[i] || !snn_probe_result_init(&p.result[i], n, net->classes, &err))
            fail_msg("%s", err.text);
    }
    return p;
}

static void drop_pair(pair *p) {
    for (int i = 0; i < 2; i++) {
        snn_probe_workspace_free(p->workspace[i]);
        snn_probe_free(p->probe[i]);
        snn_probe_result_free(&p->result[i]);
    }
}

static void same_answer(pair *p, const snn_delta *d, size_t n) {
    snn_error err = {0};
    for (int i = 0; i < 2; i++)
        if (!snn_probe_eval(p->probe[i], d, n, p->workspace[i], &p->result[i], &err))
            fail_msg("%s", err.text);
    const size_t outputs = p->result[0].samples * p->result[0].classes;
    assert_memory_equal(p->result[0].out, p->result[1].out, outputs * sizeof *p->result[0].out);
    assert_memory_equal(p->result[0].predicted, p->result[1].predicted,
                        p->result[0].samples * sizeof *p->result[0].predicted);
}

/* Random bits of tensors lo .. hi - 1 as deltas; malloc'ed. */
static snn_delta *random_deltas(const snn_weights *w, int lo, int hi, size_t flips, snn_random *r,
                                size_t *n) {
    snn_error err = {0};
    snn_flip *f = calloc(flips + 1, sizeof *f);
    snn_delta *d = calloc(flips + 1, sizeof *d);
    assert_true(f && d);
    for (size_t i = 0; i < flips; i++) {
        f[i].tensor = (uint32_t)lo + snn_random_below(r, (uint32_t)(hi - lo));
        f[i].index = snn_random_below(r, (uint32_t)w->tensor[f[i].tensor].count);
        f[i].bit = snn_random_below(r, (uint32_t)w->tensor[f[i].tensor].bits);
    }
    const snn_flips flip = {flips, f};
    *n = flips;
    if (!snn_weights_deltas(w, &flip, d, n, &err))
        fail_msg("%s", err.text);
    free(f);
    return d;
}

/* One to half the weights of some tensors; few more often than many. */
static snn_delta *random_set(const snn_weights *w, snn_random *r, size_t *n) {
    int lo = (int)snn_random_below(r, (uint32_t)w->tensors), hi = lo + 1;
    if (snn_random_below(r, 3) == 0) {
        lo = 0;
        hi = w->tensors;
    }
    const uint64_t half = w->tensor[lo].count / 2 + 1;
    uint64_t flips = 1;
    for (uint32_t k = snn_random_below(r, 12); k > 0 && flips < half; k--)
        flips *= 2;
    flips = flips < half ? flips : half;
    return random_deltas(w, lo, hi, 1 + snn_random_below(r, (uint32_t)flips), r, n);
}

/* Sets of flips on a base that moves now and then. */
static void compare(const work *k, const snn_probe_options *o, int sets, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 42, SNN_PURPOSE_TEST, seed);
    pair p = make_pair(k->net, k->weights, NULL, o, k->x, SAMPLES);
    snn_weights *base = snn_weights_copy(k->weights, &err);
    same_answer(&p, NULL, 0);
    for (int i = 0; i < sets; i++) {
        size_t n;
        snn_delta *d = random_set(base, &r, &n);
        same_answer(&p, d, n);
        if (i % 16 == 7) {
            for (int j = 0; j < 2; j++)
                if (!snn_probe_rebase(p.probe[j], d, n, &err))
                    fail_msg("%s", err.text);
            for (size_t j = 0; j < n; j++) {
                snn_tensor *t = &base->tensor[d[j].tensor];
                const uint32_t code =
                    snn_value_code(t->encoding, t->bits, snn_weight_q(t, d[j].index) + d[j].dq);
                if (t->type == SNN_CODE_8)
                    t->code8[d[j].index] = (uint8_t)code;
                else
                    t->code16[d[j].index] = (uint16_t)code;
            }
            same_answer(&p, NULL, 0);
        }
        free(d);
    }
    snn_weights_free(base);
    drop_pair(&p);
}

static void test_small_nets(void **state) {
    (void)state;
    static const int bits[3] = {8, 4, 1};
    uint64_t seed = 0;
    for (int n = 0; n < NETS; n++)
        for (int arithmetic = 0; arithmetic < 2; arithmetic++)
            for (int level = 0; level <= (int)snn_simd_best(); level++)
                for (int b = 0; b < 3; b++, seed++) {
                    work k = make_work(&nets[n], bits[b], seed);
                    const snn_probe_options o = {.arithmetic = (snn_arithmetic)arithmetic,
                                                 .simd = (snn_simd)level};
                    compare(&k, &o, 50, seed);
                    drop_work(&k);
                }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_nets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
