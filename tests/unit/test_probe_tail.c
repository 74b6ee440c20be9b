/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probe that records what comes before the first searched layer, against the twin, which runs everything: recurrent layers, delays, later starts, currents, adaptive thresholds, pools and
 * convolutions before the cut, in both arithmetics, with rebases and for each searched tensor.
 */
#include "published_test.h"

#include "../../sim/net_build.h"
#include "../../sim/weights_internal.h"

enum { SAMPLES = 3, STEPS = 40 };

static snn_layer layer(const char *name, snn_layer_type type, uint32_t outputs, uint32_t kernel) {
    snn_layer l = {.type = type, .out.channels = outputs, .kernel = kernel};
    snprintf(l.name, sizeof l.name, "%s", name);
    l.neuron = (snn_neuron){.type = SNN_NEURON_CUBA,
                            .decay = 0.75f,
                            .current_decay = 0.5f,
                            .threshold = 20,
                            .gain = 1,
                            .current_gain = 1,
                            .adapt = 1.5f,
                            .adapt_decay = 0.5f};
    return l;
}

/* conv (delayed by 2, starts at 1) - pool - recurrent (delay 1) - dense (2) - read-out. */
static snn_net *make_net(snn_neuron_type hidden) {
    snn_error err = {0};
    snn_net *net = snn_net_begin((snn_shape){2, 6, 6}, STEPS, 1000, SNN_ERR_USAGE, &err);
    need(net != NULL, &err);
    snn_layer l[] = {layer("conv", SNN_LAYER_CONV2D, 3, 3),  layer("pool", SNN_LAYER_POOL_SUM, 0, 2),
                     layer("flat", SNN_LAYER_FLATTEN, 0, 0), layer("rec", SNN_LAYER_LINEAR, 9, 0),
                     layer("dense", SNN_LAYER_LINEAR, 7, 0), layer("out", SNN_LAYER_LINEAR, 4, 0)};
    l[0].delay = 2;
    l[0].start = 1;
    l[3].recurrent = true;
    l[3].delay = 1;
    l[3].neuron.type = hidden;
    l[4].delay = 2;
    l[4].neuron.type = SNN_NEURON_LIF;
    l[4].neuron.refractory = 1;
    for (int i = 0; i < 6; i++)
        need(snn_net_append(net, &l[i], i == 3, SNN_ERR_USAGE, &err), &err);
    for (int j = 0; j < 9; j++)
        net->layer[3].bias[j] = (float)(j % 4) - 1;
    need(snn_net_finish(net, SNN_ERR_USAGE, &err), &err);
    return net;
}

static snn_weights *make_weights(const snn_net *net, snn_random *r) {
    snn_error err = {0};
    snn_weights *w = snn_weights_shell_for(net, &err);
    assert_non_null(w);
    for (int t = 0; t < w->tensors; t++) {
        need(snn_tensor_alloc(&w->tensor[t], SNN_CODE_16, 9, SNN_TWOS_COMPLEMENT, 1, &err), &err);
        w->tensor[t].scale[0] = 1;
        for (uint64_t i = 0; i < w->tensor[t].count; i++)
            w->tensor[t].code16[i] =
                (uint16_t)snn_value_code(SNN_TWOS_COMPLEMENT, 9, (int32_t)snn_random_below(r, 25) - 10);
    }
    return w;
}

static void make_samples(snn_spikes *x, snn_random *r) {
    snn_error err = {0};
    uint8_t count[STEPS * 72];
    for (int s = 0; s < SAMPLES; s++) {
        const int steps = STEPS - s; /* of different lengths */
        for (int i = 0; i < steps * 72; i++)
            count[i] = snn_random_below(r, 10) == 0;
        need(snn_spikes_from_counts(&x[s], 72, steps, count, &err), &err);
    }
}

/* Some changes of searched tensors, in order. */
static size_t make_deltas(const snn_weights *w, const bool *searched, snn_random *r, snn_delta *d) {
    size_t n = 0;
    for (int t = 0; t < w->tensors; t++)
        for (uint64_t i = 0; searched[t] && i < w->tensor[t].count; i++)
            if (snn_random_below(r, 12) == 0)
                d[n++] = (snn_delta){(uint32_t)t, (int32_t)snn_random_below(r, 81) - 40, i};
    return n;
}

typedef struct {
    snn_probe *probe;
    snn_probe_workspace *workspace;
    snn_probe_result result;
} one_probe;

static one_probe open_probe(const snn_net *net, const snn_weights *w, const bool *searched, snn_arithmetic a,
                            bool twin, const snn_spikes *x) {
    one_probe p;
    snn_error err = {0};
    const snn_probe_options o = {.arithmetic = a, .simd = snn_simd_best(), .twin = twin};
    p.probe = snn_probe_new(net, w, searched, &o, x, NULL, SAMPLES, &err);
    need(p.probe != NULL, &err);
    assert_string_equal(snn_probe_kind(p.probe), twin ? "twin" : "tail");
    p.workspace = snn_probe_workspace_new(p.probe, &err);
    need(p.workspace && snn_probe_result_init(&p.result, SAMPLES, net->classes, &err), &err);
    return p;
}

static void close_probe(one_probe *p) {
    snn_probe_result_free(&p->result);
    snn_probe_workspace_free(p->workspace);
    snn_probe_free(p->probe);
}

/* Both agree on the base, on changes, and after each of two rebases; returns whether changes had any effect. */
static bool compare(const snn_net *net, const snn_weights *w, const bool *searched, snn_arithmetic a,
                    const snn_spikes *x, snn_random *r) {
    snn_error err = {0};
    snn_delta delta[256];
    one_probe p[2] = {open_probe(net, w, searched, a, false, x), open_probe(net, w, searched, a, true, x)};
    double base[SAMPLES * 4];
    bool differs = false, fires = false;
    for (int k = 0; k < 6; k++) {
        const size_t n = k == 0 ? 0 : make_deltas(w, searched, r, delta);
        for (int i = 0; i < 2; i++)
            need(snn_probe_eval(p[i].probe, delta, n, p[i].workspace, &p[i].result, &err), &err);
        assert_memory_equal(p[0].result.out, p[1].result.out, sizeof base);
        assert_memory_equal(p[0].result.predicted, p[1].result.predicted, SAMPLES * sizeof(int32_t));
        if (k == 0)
            memcpy(base, p[0].result.out, sizeof base);
        for (int i = 0; i < SAMPLES * 4; i++) {
            differs |= base[i] != p[0].result.out[i];
            fires |= base[i] > 0;
        }
        for (int i = 0; i < 2 && k % 2 == 1 && k < 4; i++) {
            for (size_t m = 0; m < n; m++)
                delta[m].dq = delta[m].dq > 0 ? 1 : -1; /* small, so that later ones keep having codes */
            need(snn_probe_rebase(p[i].probe, delta, n, &err), &err);
        }
    }
    close_probe(&p[0]);
    close_probe(&p[1]);
    assert_true(fires);
    return differs;
}

static void agrees(void **state) {
    (void)state;
    static const char *const name[] = {"conv", "rec", "rec_rec", "dense", "out"};
    snn_random r;
    snn_spikes x[SAMPLES] = {0};
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 1);
    make_samples(x, &r);
    for (int kind = 0; kind < 3; kind++) {
        snn_net *net = make_net(kind == 2 ? SNN_NEURON_ALIF : SNN_NEURON_CUBA);
        snn_weights *w = make_weights(net, &r);
        const snn_arithmetic a = kind == 1 ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT;
        assert_int_equal(w->tensors, 5);
        for (int t = 0; t < 5; t++) {
            bool searched[5] = {false};
            assert_string_equal(w->tensor[t].name, name[t]);
            searched[t] = true;
            assert_true(compare(net, w, searched, a, x, &r));
            searched[4] = true;
            compare(net, w, searched, a, x, &r);
        }
        snn_weights_free(w);
        snn_net_free(net);
    }
    for (int s = 0; s < SAMPLES; s++)
        snn_spikes_free(&x[s]);
}

/* Deltas are counted by the whole network; float tensors and hooks stay with the twin. */
static void limits(void **state) {
    (void)state;
    snn_random r;
    snn_error err = {0};
    snn_spikes x[SAMPLES] = {0};
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 2);
    make_samples(x, &r);
    snn_net *net = make_net(SNN_NEURON_CUBA);
    snn_weights *w = make_weights(net, &r);
    const bool last[5] = {[4] = true};
    one_probe p = open_probe(net, w, last, SNN_ARITHMETIC_FLOAT, false, x);
    const snn_delta early = {.tensor = 0, .index = 0, .dq = 1}, far = {.tensor = 4, .index = 28, .dq = 1};
    assert_false(snn_probe_eval(p.probe, &early, 1, p.workspace, &p.result, &err));
    assert_non_null(strstr(err.text, "delta 0 is in tensor 0, which is not searched"));
    assert_false(snn_probe_eval(p.probe, &far, 1, p.workspace, &p.result, &err));
    assert_non_null(strstr(err.text, "weight 28 of layer 'out', which has 28 codes"));
    close_probe(&p);
    snn_tensor_clear(&w->tensor[0]);
    need(snn_tensor_alloc(&w->tensor[0], SNN_FLOAT32, 32, SNN_SIGN_MAGNITUDE, 0, &err), &err);
    const snn_probe_options o = {.simd = snn_simd_best()};
    snn_probe *twin = snn_probe_new(net, w, last, &o, x, NULL, SAMPLES, &err);
    need(twin != NULL, &err);
    assert_string_equal(snn_probe_kind(twin), "twin");
    snn_probe_free(twin);
    snn_weights_free(w);
    snn_net_free(net);
    for (int s = 0; s < SAMPLES; s++)
        snn_spikes_free(&x[s]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
