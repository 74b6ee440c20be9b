/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fitness probe of networks with convolutions against the plain twin, which rewrites the weights and runs the engine: the same outputs, bit for bit. */
#include "engine_test.h"

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
    {"{name=\"p\"; type=\"pool_max\"; kernel=2; stride=1;}, {name=\"a\"; type=\"linear\"; outputs=150;}, "
     "{name=\"b\"; type=\"conv2d\"; channels=130; kernel=1; neuron={reset=\"subtract\";};}, {name=\"c\"; "
     "type=\"linear\"; outputs=5;}",
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

/* The same weights in 12 bits, 13 times as large and more: sums beyond 16 bits inside the network too. */
static void widen_codes(snn_weights *w) {
    for (int i = 0; i < w->tensors; i++) {
        snn_tensor *t = &w->tensor[i];
        uint16_t *code = calloc(t->count, sizeof *code);
        assert_non_null(code);
        for (uint64_t k = 0; k < t->count; k++)
            code[k] = (uint16_t)snn_value_code(t->encoding, 12, snn_weight_q(t, k) * 13 + (int32_t)(k % 5));
        free(t->code8);
        t->code16 = code;
        t->type = SNN_CODE_16;
        t->bits = 12;
        for (uint32_t k = 0; k < t->scales; k++)
            t->scale[k] /= 13;
    }
}

static work make_work(const planes_net *n, int bits, uint64_t seed) {
    static const int steps[SAMPLES] = {7, 4, 9};
    snn_random r;
    work k = {.net = test_parse(n->layers, n->input)};
    snn_random_init(&r, 41, SNN_PURPOSE_TEST, seed);
    k.weights = test_weights(k.net, n->weight, bits > 8 ? 8 : bits, seed % 2, seed);
    if (bits > 8)
        widen_codes(k.weights);
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
    assert_string_equal(snn_probe_kind(p.probe[0]), "planes");
    assert_string_equal(snn_probe_kind(p.probe[1]), "twin");
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
    static const int bits[4] = {8, 12, 4, 1};
    uint64_t seed = 0;
    for (int n = 0; n < NETS; n++)
        for (int arithmetic = 0; arithmetic < 2; arithmetic++)
            for (int level = 0; level <= (int)snn_simd_best(); level++)
                for (int b = 0; b < 4; b++, seed++) {
                    work k = make_work(&nets[n], bits[b], seed);
                    const snn_probe_options o = {.arithmetic = (snn_arithmetic)arithmetic,
                                                 .simd = (snn_simd)level};
                    compare(&k, &o, 50, seed);
                    drop_work(&k);
                }
}

/* Only some layers are searched: less is kept. Deltas elsewhere are refused. */
static void test_searched(void **state) {
    (void)state;
    for (int searched = 0; searched < 4; searched++) {
        snn_error err = {0};
        snn_random r;
        work k = make_work(&nets[0], 8, (uint64_t)searched);
        const snn_probe_options o = {.simd = snn_simd_best()};
        bool which[4] = {false};
        which[searched] = true;
        snn_random_init(&r, 43, SNN_PURPOSE_TEST, (uint64_t)searched);
        pair p = make_pair(k.net, k.weights, which, &o, k.x, SAMPLES);
        for (int i = 0; i < 40; i++) {
            size_t n;
            snn_delta *d =
                random_deltas(k.weights, searched, searched + 1, 1 + snn_random_below(&r, 60), &r, &n);
            same_answer(&p, d, n);
            free(d);
        }
        const snn_delta elsewhere = {(uint32_t)(searched + 1) % 4, 0, 0};
        assert_false(snn_probe_eval(p.probe[0], &elsewhere, 1, p.workspace[0], &p.result[0], &err));
        assert_non_null(strstr(err.text, "not searched"));
        drop_pair(&p);
        drop_work(&k);
    }
}

/* Two workspaces in turn, across a rebase, give what one gives. */
static void test_workspaces(void **state) {
    (void)state;
    snn_error err = {0};
    snn_random r;
    work k = make_work(&nets[0], 8, 77);
    const snn_probe_options o = {.simd = snn_simd_best()};
    snn_random_init(&r, 44, SNN_PURPOSE_TEST, 0);
    pair p = make_pair(k.net, k.weights, NULL, &o, k.x, SAMPLES);
    snn_probe_workspace *other = snn_probe_workspace_new(p.probe[0], &err);
    assert_non_null(other);
    for (int i = 0; i < 40; i++) {
        size_t n;
        snn_delta *d = random_deltas(k.weights, 0, 4, 1 + snn_random_below(&r, 3000), &r, &n);
        same_answer(&p, d, n);
        snn_probe_workspace *w = p.workspace[0];
        p.workspace[0] = other;
        other = w;
        if (i == 20) { /* not moved in the copy that deltas are drawn from: take them back at once */
            for (int j = 0; j < 2; j++) {
                assert_true(snn_probe_rebase(p.probe[j], d, n, &err));
                for (size_t m = 0; m < n; m++)
                    d[m].dq = -d[m].dq;
                assert_true(snn_probe_rebase(p.probe[j], d, n, &err));
                for (size_t m = 0; m < n; m++)
                    d[m].dq = -d[m].dq;
            }
        }
        free(d);
    }
    snn_probe_workspace_free(other);
    drop_pair(&p);
    drop_work(&k);
}

/* Samples without steps or spikes, and a single one. */
static void test_empty_samples(void **state) {
    (void)state;
    snn_error err = {0};
    snn_random r;
    work k = make_work(&nets[1], 8, 5);
    const snn_probe_options o = {.simd = snn_simd_best()};
    snn_random_init(&r, 45, SNN_PURPOSE_TEST, 0);
    const uint32_t size = snn_shape_size(nets[1].input);
    assert_true(snn_spikes_reset(&k.x[0], size, 0, &err) && snn_spikes_reset(&k.x[2], size, 6, &err));
    for (int first = 0; first < 3; first++) {
        pair p = make_pair(k.net, k.weights, NULL, &o, k.x + first, (size_t)(first == 0 ? SAMPLES : 1));
        for (int i = 0; i < 10; i++) {
            size_t n;
            snn_delta *d = random_set(k.weights, &r, &n);
            same_answer(&p, d, n);
            free(d);
        }
        drop_pair(&p);
    }
    drop_work(&k);
}

/* Counts that only the plain twin can take, or that could leave the range of fixed arithmetic: still the same answer. */
static void test_large_counts(void **state) {
    (void)state;
    static const uint32_t counts[2] = {70000, 3000};
    for (int i = 0; i < 4; i++) {
        snn_error err = {0};
        snn_random r;
        work k = make_work(&nets[4], 8, 6);
        snn_random_init(&r, 46, SNN_PURPOSE_TEST, 0);
        const snn_probe_options o = {.simd = snn_simd_best(), .arithmetic = (snn_arithmetic)(i / 2)};
        const snn_spike large = {17, counts[i % 2]};
        assert_true(snn_spikes_reset(&k.x[0], snn_shape_size(nets[4].input), 3, &err) &&
                    snn_spikes_append(&k.x[0], 1, &large, 1, &err));
        pair p = make_pair(k.net, k.weights, NULL, &o, k.x, SAMPLES);
        for (int j = 0; j < 10; j++) {
            size_t n;
            snn_delta *d = random_set(k.weights, &r, &n);
            same_answer(&p, d, n);
            if (j == 5)
                assert_true(snn_probe_rebase(p.probe[0], NULL, 0, &err));
            free(d);
        }
        drop_pair(&p);
        drop_work(&k);
    }
}

static bool no_errors(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)context, (void)scratch, (void)tensor, (void)sample, (void)step, (void)input, (void)n, (void)errors,
        (void)err;
    return true;
}

/* What this way cannot do goes to the plain twin. */
static void test_left_to_twin(void **state) {
    (void)state;
    snn_error err = {0};
    work k = make_work(&nets[0], 8, 8);
    const snn_hook hook = {.read = no_errors};
    const snn_probe_options o = {.hook = &hook}, plain = {.simd = SNN_SIMD_PLAIN};
    snn_probe *p = snn_probe_new(k.net, k.weights, NULL, &o, k.x, NULL, SAMPLES, &err);
    assert_non_null(p);
    assert_string_equal(snn_probe_kind(p), "twin");
    snn_probe_free(p);
    snn_weights *floats = snn_weights_dequantise(k.weights, &err);
    p = snn_probe_new(k.net, floats, NULL, &plain, k.x, NULL, SAMPLES, &err);
    assert_non_null(p);
    assert_string_equal(snn_probe_kind(p), "twin");
    snn_probe_free(p);
    snn_weights_free(floats);
    drop_work(&k);
}

/* The shipped gesture network on recordings of the synthetic camera. */
static void test_gesture(void **state) {
    (void)state;
    enum { N = 3 };
    snn_error err = {0};
    snn_random r;
    snn_model m = {0};
    snn_spikes x[N] = {0};
    snn_dataset_buffer buffer = {0};
    snn_random_init(&r, 47, SNN_PURPOSE_TEST, 0);
    snn_config *c = snn_config_load("configs/gesture.cfg", &err);
    if (!c || !snn_model_load(&m, "models/gesture.h5", &err))
        fail_msg("%s", err.text);
    snn_dataset *data = snn_dataset_open(c, SNN_SPLIT_TRAIN, &err);
    assert_non_null(data);
    for (size_t i = 0; i < N; i++)
        assert_true(snn_dataset_frames(data, 97 * i, &buffer, &x[i], &err));
    for (int arithmetic = 0; arithmetic < 2; arithmetic++) {
        const snn_probe_options o = {.arithmetic = (snn_arithmetic)arithmetic, .simd = snn_simd_best()};
        pair p = make_pair(m.net, m.weights, NULL, &o, x, N);
        assert_string_equal(snn_probe_kind(p.probe[0]), "planes");
        for (int i = 0; i < 24; i++) {
            size_t n;
            const int layer = i % 6;
            snn_delta *d = i < 18   ? random_deltas(m.weights, layer, layer + 1,
                                                  i < 6    ? 1
                                                    : i < 12 ? 17
                                                             : 500,
                                                    &r, &n)
                           : i < 20 ? random_deltas(m.weights, layer, layer + 1,
                                                    m.weights->tensor[layer].count / 2, &r, &n)
                                    : random_deltas(m.weights, 0, 6, 40, &r, &n);
            same_answer(&p, d, n);
            free(d);
        }
        drop_pair(&p);
    }
    for (int i = 0; i < N; i++)
        snn_spikes_free(&x[i]);
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(data);
    snn_config_free(c);
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_nets),   cmocka_unit_test(test_searched),
        cmocka_unit_test(test_workspaces),   cmocka_unit_test(test_empty_samples),
        cmocka_unit_test(test_large_counts), cmocka_unit_test(test_left_to_twin),
        cmocka_unit_test(test_gesture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
