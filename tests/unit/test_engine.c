/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against a naive simulation written here from the definitions of DESIGN.md (dense loops over every synapse, C order), on small random networks of
 * every layer, neuron, encoding and arithmetic; hooks, traces, operation counts and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snnsim/snnsim.h>

enum { MOST = 4096, STEPS = 9 };

/* ---- the naive twin ---- */

typedef struct {
    bool fixed;
    int hook_every;     /* 0: no read errors */
    double value[MOST]; /* activations of the current layer, C order */
    float v[16][MOST];
    int32_t w[16][MOST];
    bool fired[16][MOST];
    uint8_t spikes[16][STEPS][MOST];
    int32_t trace[16][STEPS][MOST]; /* float bits or int32 */
    double out[64];
    uint64_t effective[16], synops[16], row_words[16];
} naive;

/* What the test's hook adds to neuron n of a layer: a fixed pattern. */
static int32_t pattern(int tensor, uint64_t sample, int step, uint32_t n, int every) {
    return every && (n + (uint32_t)step + (uint32_t)tensor) % (uint32_t)every == 0
               ? (int32_t)(n % 7) - 3 + (int32_t)sample
               : 0;
}

typedef struct {
    int every;
    snn_shape out[8]; /* [tensors] */
} hook_setup;

static bool hook_read(void *context, void *scratch, int tensor, uint64_t sample, int step,
                      const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    const hook_setup *setup = context;
    const snn_shape out = setup->out[tensor];
    const uint32_t area = out.height * out.width;
    (void)input, (void)n;
    assert_null(scratch);
    for (int32_t k = (int32_t)snn_shape_size(out) - 1; k >= 0; k--) { /* unsorted on purpose, in two parts */
        const int32_t d = pattern(tensor, sample, step, (uint32_t)k, setup->every);
        if (!d)
            continue;
        if (!snn_grow((void **)&errors->item, &errors->capacity, errors->n + 2, sizeof *errors->item, err))
            return false;
        errors->item[errors->n++] = (snn_sum_error){(uint32_t)k / area, (uint32_t)k % area, d - 5};
        errors->item[errors->n++] = (snn_sum_error){(uint32_t)k / area, (uint32_t)k % area, 5};
    }
    return true;
}

static double weight_q(const snn_tensor *t, uint64_t i) {
    return t->type == SNN_FLOAT32 ? (double)t->value[i] : snn_weight_q(t, i);
}

/* Synaptic sum of output (o, y, x); float tensors add in float, ascending input index. Counts operations on the way. */
static double naive_sum(naive *k, const snn_layer *l, int layer, const snn_tensor *t, uint32_t o, uint32_t y,
                        uint32_t x) {
    double sum = 0;
    float rounded = 0;
    const bool lin = l->type == SNN_LAYER_LINEAR;
    for (uint32_t c = 0; c < l->in.channels; c++)
        for (uint32_t iy = 0; iy < l->in.height; iy++)
            for (uint32_t ix = 0; ix < l->in.width; ix++) {
                const uint32_t in = (c * l->in.height + iy) * l->in.width + ix;
                const int64_t ky = (int64_t)iy + l->padding - (int64_t)y * l->stride,
                              kx = (int64_t)ix + l->padding - (int64_t)x * l->stride;
                if (k->value[in] == 0 || (!lin && (ky < 0 || kx < 0 || ky >= l->kernel || kx >= l->kernel)))
                    continue;
                const uint64_t at =
                    lin ? (uint64_t)o * snn_shape_size(l->in) + in
                        : (((uint64_t)o * l->in.channels + c) * l->kernel + (uint64_t)ky) * l->kernel +
                              (uint64_t)kx;
                sum += k->value[in] * weight_q(t, at);
                const float product = (float)weight_q(t, at) * (float)k->value[in];
                rounded = rounded + product;
                k->synops[layer]++;
                k->row_words[layer] += o == 0 ? (uint64_t)k->value[in] : 0;
                k->effective[layer] += weight_q(t, at) != 0;
            }
    return t->type == SNN_FLOAT32 ? (double)rounded : sum;
}

static double naive_pool(const naive *k, const snn_layer *l, uint32_t c, uint32_t y, uint32_t x) {
    double most = 0, sum = 0;
    for (uint32_t ky = 0; ky < l->kernel; ky++)
        for (uint32_t kx = 0; kx < l->kernel; kx++) {
            const double v =
                k->value[(c * l->in.height + y * l->stride + ky) * l->in.width + x * l->stride + kx];
            most = v > most ? v : most;
            sum += v;
        }
    return l->type == SNN_LAYER_POOL_MAX ? most : sum;
}

/* One neuron; returns the spike. */
static bool naive_neuron(naive *k, const snn_layer *l, int i, uint32_t n, uint32_t o, double sum, float scale,
                         int step) {
    const snn_neuron *p = &l->neuron;
    if (k->fixed) {
        const int32_t d = (int32_t)lrint(4096.0 * (double)p->decay);
        const double lsb = (double)(scale * p->gain);
        const int32_t theta = (int32_t)floor(64.0 * (double)p->threshold / lsb);
        int32_t v = k->w[i][n];
        if (k->fired[i][n])
            v = p->reset == SNN_RESET_SUBTRACT ? v - theta : 0;
        const int64_t product = (int64_t)v * d;
        v = (int32_t)(product < 0 ? -(-product / 4096) : product / 4096) + 64 * (int32_t)sum;
        if (l->bias)
            v += (int32_t)nearbyint(64.0 * (double)l->bias[o] / (double)scale);
        k->w[i][n] = v;
        k->trace[i][step][n] = v;
        return p->type != SNN_NEURON_LI && (p->at_threshold ? v >= theta : v > theta);
    }
    volatile float current = (float)sum * (scale * p->gain);
    if (l->bias)
        current = current + l->bias[o] * p->gain;
    volatile float v = k->v[i][n];
    const float s = k->fired[i][n];
    if (p->reset == SNN_RESET_SUBTRACT)
        v = v - p->threshold * s;
    v = v * p->decay;
    if (p->reset == SNN_RESET_ZERO)
        v = v * (1.0f - s);
    v = v + current;
    k->v[i][n] = v;
    memcpy(&k->trace[i][step][n], &k->v[i][n], 4);
    return p->type != SNN_NEURON_LI && (p->at_threshold ? v >= p->threshold : v > p->threshold);
}

static void naive_layer(naive *k, const snn_net *net, const snn_weights *w, int i, int step, uint64_t sample,
                        float *input_factor) {
    const snn_layer *l = &net->layer[i];
    static double next[MOST];
    if (l->type == SNN_LAYER_FLATTEN)
        return;
    if (l->type == SNN_LAYER_POOL_AVERAGE)
        *input_factor /= (float)(l->kernel * l->kernel);
    for (uint32_t o = 0, n = 0; o < l->out.channels; o++)
        for (uint32_t y = 0; y < l->out.height; y++)
            for (uint32_t x = 0; x < l->out.width; x++, n++) {
                if (l->tensor < 0) {
                    next[n] = naive_pool(k, l, o, y, x);
                    k->spikes[i][step][n] = (uint8_t)(next[n] > 255 ? 255 : next[n]);
                    continue;
                }
                const snn_tensor *t = &w->tensor[l->tensor];
                double sum =
                    naive_sum(k, l, i, t, o, y, x) + pattern(l->tensor, sample, step, n, k->hook_every);
                const float scale =
                    (t->scales == 0 ? 1.0f : t->scale[t->scales == 1 ? 0 : o]) * *input_factor;
                const bool s = naive_neuron(k, l, i, n, o, sum, scale, step);
                k->fired[i][n] = s;
                next[n] = s;
                k->spikes[i][step][n] = s;
                if (i == net->layers - 1)
                    k->out[n] += l->neuron.type != SNN_NEURON_LI ? s
                                 : k->fixed ? k->w[i][n] / 64.0 * (double)(scale * l->neuron.gain)
                                            : (double)k->v[i][n];
            }
    if (l->tensor >= 0)
        *input_factor = 1.0f;
    memcpy(k->value, next, sizeof next);
}

static void naive_run(naive *k, const snn_net *net, const snn_weights *w, const snn_spikes *x,
                      uint64_t sample) {
    for (int t = 0; t < x->steps; t++) {
        float factor = 1.0f;
        memset(k->value, 0, sizeof k->value);
        for (size_t i = x->first[t]; i < x->first[t + 1]; i++)
            k->value[x->spike[i].index] = x->spike[i].count;
        for (int i = 0; i < net->layers; i++)
            naive_layer(k, net, w, i, t, sample, &factor);
    }
}

/* ---- random cases ---- */

typedef struct {
    const char *net; /* text of section network */
    snn_shape input;
    uint32_t most_count;
    double density, weight; /* spread of weights */
    double threshold;       /* for the record: in the text */
} net_case;

#define NEURON "neuron = { type = \"lif\"; decay = 0.3; threshold = 0.3; };"
static const net_case cases[] = {
    {"layers = ({name=\"a\"; type=\"linear\"; outputs=70;}, {name=\"b\"; type=\"linear\"; "
     "outputs=11;}); " NEURON,
     {2, 7, 5},
     3,
     0.3,
     0.2,
     0},
    {"layers = ({name=\"a\"; type=\"linear\"; outputs=33; neuron={reset=\"subtract\";};}, {name=\"b\"; "
     "type=\"linear\"; outputs=5; neuron={type=\"li\";};}); " NEURON,
     {1, 40, 1},
     700,
     0.4,
     0.01,
     0},
    {"layers = ({name=\"a\"; type=\"conv2d\"; channels=20; kernel=3; padding=1;}, {name=\"p\"; "
     "type=\"pool_max\"; kernel=2;}, {name=\"c\"; type=\"conv2d\"; channels=64; "
     "kernel=3; padding=1;}, {name=\"f\"; type=\"flatten\";}, {name=\"b\"; type=\"linear\"; "
     "outputs=4;}); " NEURON,
     {2, 8, 8},
     3,
     0.2,
     0.15,
     0},
    {"layers = ({name=\"a\"; type=\"conv2d\"; channels=16; kernel=5; stride=2; padding=2; bias=true;}, "
     "{name=\"c\"; type=\"conv2d\"; channels=24; kernel=2; stride=1; "
     "padding=0; bias=true; neuron={at_threshold=true; gain=0.5;};}, {name=\"q\"; type=\"pool_average\"; "
     "kernel=2; stride=1;}, {name=\"d\"; type=\"conv2d\"; channels=7; "
     "kernel=2; stride=2;}, {name=\"b\"; type=\"linear\"; outputs=6; bias=true;}); " NEURON,
     {3, 11, 9},
     300,
     0.15,
     0.1,
     0},
    {"layers = ({name=\"p\"; type=\"pool_sum\"; kernel=3; stride=2;}, {name=\"m\"; type=\"pool_max\"; "
     "kernel=2; stride=1;}, {name=\"a\"; type=\"conv2d\"; channels=17; kernel=3; "
     "padding=2;}, {name=\"q\"; type=\"pool_sum\"; kernel=2;}, {name=\"c\"; type=\"conv2d\"; channels=16; "
     "kernel=1;}, {name=\"b\"; type=\"linear\"; outputs=3; "
     "neuron={type=\"if\";};}); " NEURON,
     {2, 12, 13},
     90,
     0.2,
     0.1,
     0},
    {"layers = ({name=\"p\"; type=\"pool_average\"; kernel=3; stride=3;}, {name=\"b\"; type=\"linear\"; "
     "outputs=9; neuron={decay=1.0; reset=\"subtract\";};}); " NEURON,
     {1, 9, 9},
     4,
     0.5,
     0.3,
     0},
    /* sums of up to 144 spikes, which take two list entries each, under a convolution */
    {"layers = ({name=\"a\"; type=\"conv2d\"; channels=5; kernel=1;}, {name=\"p\"; type=\"pool_sum\"; "
     "kernel=12;}, {name=\"c\"; type=\"conv2d\"; channels=6; kernel=2; padding=1; "
     "neuron={threshold=9.0;};}, {name=\"b\"; type=\"linear\"; outputs=3;}); " NEURON,
     {1, 24, 24},
     2,
     0.97,
     0.9,
     0},
    /* wide borders, of the input and inside */
    {"layers = ({name=\"a\"; type=\"conv2d\"; channels=16; kernel=5; padding=4;}, {name=\"c\"; "
     "type=\"conv2d\"; channels=5; kernel=4; padding=3; stride=2;}, {name=\"b\"; "
     "type=\"linear\"; outputs=3;}); " NEURON,
     {2, 6, 7},
     3,
     0.3,
     0.2,
     0},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x;
} instance;

static snn_net *parse_net(const char *text, snn_shape input) {
    char buffer[2048];
    snn_error err = {0};
    snprintf(buffer, sizeof buffer, "network = { %s };", text);
    snn_config *c = snn_config_parse(buffer, "test", &err);
    if (!c)
        fail_msg("%s", err.text);
    snn_net *net = snn_net_from_config(c, input, &err);
    if (!net)
        fail_msg("%s", err.text);
    snn_config_free(c);
    return net;
}

static instance make(const net_case *c, int bits, snn_encoding encoding, bool per_channel, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    instance k = {0};
    snn_random_init(&r, 3, SNN_PURPOSE_TEST, seed);
    k.net = parse_net(c->net, c->input);
    snn_weights *f = snn_weights_new(k.net, &err);
    assert_non_null(f);
    for (int t = 0; t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] =
                snn_random_below(&r, 5) ? (float)((2 * snn_random_uniform(&r) - 0.9) * c->weight) : 0.0f;
    for (int l = 0; l < k.net->layers; l++)
        for (uint32_t o = 0; k.net->layer[l].bias && o < k.net->layer[l].out.channels; o++)
            k.net->layer[l].bias[o] = (float)(snn_random_uniform(&r) - 0.5) * 0.2f;
    const snn_quantisation q = {.bits = bits, .encoding = encoding, .per_channel = per_channel};
    k.weights = bits ? snn_weights_quantise(f, &q, NULL, &err) : snn_weights_copy(f, &err);
    if (!k.weights)
        fail_msg("%s", err.text);
    snn_weights_free(f);
    const uint32_t n = snn_shape_size(c->input);
    uint64_t *key = malloc(sizeof *key * STEPS * n * 8);
    size_t keys = 0;
    assert_true(snn_spikes_reset(&k.x, n, 0, &err));
    for (uint64_t t = 0; t < STEPS; t++)
        for (uint32_t i = 0; i < n && t != 4; i++) /* one silent step */
            if (snn_random_uniform(&r) < c->density)
                key[keys++] = t << 32 | i;
    assert_true(snn_spikes_from_keys(&k.x, n, STEPS, key, keys, &err));
    for (size_t i = 0; i < keys; i++)
        k.x.spike[i].count = 1 + (snn_random_below(&r, 3) ? 0 : snn_random_below(&r, c->most_count));
    free(key);
    return k;
}

static void drop(instance *k) {
    snn_net_free(k->net);
    snn_weights_free(k->weights);
    snn_spikes_free(&k->x);
}

typedef struct {
    const naive *expected;
    const snn_net *net;
    int calls;
} compare;

static bool compare_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                         snn_error *err) {
    (void)err;
    compare *c = context;
    const snn_layer *l = &c->net->layer[layer];
    const uint32_t n = snn_shape_size(l->out);
    assert_memory_equal(spikes, c->expected->spikes[layer][step], n);
    assert_int_equal(membrane != NULL, l->tensor >= 0);
    if (membrane)
        for (uint32_t i = 0; i < n; i++) /* -0 and +0 are the same membrane */
            assert_true(
                ((const int32_t *)membrane)[i] == c->expected->trace[layer][step][i] ||
                (((const float *)membrane)[i] == 0 && (c->expected->trace[layer][step][i] & INT32_MAX) == 0));
    c->calls++;
    return true;
}

static void check_operations(const snn_net *net, const naive *k, const snn_result *r, const snn_spikes *x) {
    for (int i = 0; i < net->layers; i++) {
        const snn_layer_activity *a = &r->activity[i];
        if (net->layer[i].tensor < 0)
            continue;
        assert_int_equal(a->synops, k->synops[i]);
        assert_int_equal(a->row_words, k->row_words[i]);
        assert_int_equal(a->effective_macs + a->effective_acs, k->effective[i]);
        if (i == 0)
            assert_int_equal(a->inputs, x->first[x->steps]);
        assert_true(a->membrane_updates >= snn_shape_size(net->layer[i].out));
    }
}

static void run_case(const instance *k, snn_simd simd, int force_dense, bool fixed, int hook_every,
                     uint64_t sample) {
    snn_error err = {0};
    hook_setup setup = {.every = hook_every};
    for (int i = 0; i < k->net->layers; i++)
        if (k->net->layer[i].tensor >= 0)
            setup.out[k->net->layer[i].tensor] = k->net->layer[i].out;
    const snn_hook hook = {.context = &setup, .read = hook_read};
    const snn_engine_options o = {.arithmetic = fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT,
                                  .simd = simd,
                                  .density = (snn_density)force_dense,
                                  .hook = hook_every ? &hook : NULL,
                                  .count_operations = true};
    snn_engine *e = snn_engine_new(k->net, k->weights, &o, &err);
    if (!e)
        fail_msg("%s", err.text);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(w && snn_result_init(&r, k->net, STEPS + 2, &err));
    naive *twin = calloc(1, sizeof *twin);
    twin->fixed = fixed;
    twin->hook_every = hook_every;
    naive_run(twin, k->net, k->weights, &k->x, sample);
    bool traced[16];
    int traced_layers = 0;
    for (int i = 0; i < k->net->layers; i++)
        traced_layers += traced[i] = k->net->layer[i].type != SNN_LAYER_FLATTEN;
    for (int again = 0; again < 2; again++) { /* a workspace carries nothing over */
        compare c = {twin, k->net, 0};
        const snn_trace trace = {&c, traced, compare_step};
        if (!snn_engine_run(e, &k->x, sample, w, again ? NULL : &trace, &r, &err))
            fail_msg("%s", err.text);
        assert_int_equal(c.calls, again ? 0 : traced_layers * STEPS);
        int best = 0;
        for (uint32_t n = 0; n < k->net->classes; n++) {
            assert_true(r.out[n] == twin->out[n]);
            best = twin->out[n] > twin->out[best] ? (int)n : best;
        }
        assert_int_equal(r.predicted, best);
        assert_int_equal(r.predicted_by_step[STEPS - 1], best);
        assert_int_equal(r.predicted_by_step[STEPS + 1], best);
        check_operations(k->net, twin, &r, &k->x);
    }
    free(twin);
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
}

static void test_float_arithmetic(void **state) {
    (void)state;
    for (int c = 0; c < CASES; c++)
        for (int bits = 1; bits <= 8; bits += c == 2 ? 1 : 7) {
            instance k =
                make(&cases[c], bits, (snn_encoding)((c + bits) % 3), bits == 8 && c % 2, 10 + (uint64_t)c);
            for (int level = 0; level <= (int)snn_simd_best(); level++)
                for (int dense = 0; dense < 3; dense++)
                    run_case(&k, (snn_simd)level, dense, false, dense == 2 ? 3 : 0, 2);
            drop(&k);
        }
}

static void test_fixed_arithmetic(void **state) {
    (void)state;
    for (int c = 0; c < CASES; c++) {
        instance k = make(&cases[c], c % 2 ? 8 : 5, (snn_encoding)(c % 3), c % 3 == 1, 20 + (uint64_t)c);
        for (int level = 0; level <= (int)snn_simd_best(); level++)
            for (int dense = 1; dense < 3; dense++)
                run_case(&k, (snn_simd)level, dense, true, dense == 2 ? 5 : 0, 1);
        drop(&k);
    }
}

static void test_float_tensors(void **state) {
    (void)state;
    for (int c = 0; c < CASES; c++) {
        instance k = make(&cases[c], 0, SNN_SIGN_MAGNITUDE, false, 30 + (uint64_t)c);
        for (int level = 0; level <= (int)snn_simd_best(); level++)
            run_case(&k, (snn_simd)level, 0, false, 0, 0);
        drop(&k);
    }
}

/* 16-bit codes: the 8-bit ones times 9, in two's complement. */
static void widen(snn_weights *w) {
    for (int t = 0; t < w->tensors; t++) {
        snn_tensor *x = &w->tensor[t];
        uint16_t *code = malloc(x->count * sizeof *code);
        for (uint64_t i = 0; i < x->count; i++)
            code[i] = (uint16_t)snn_value_code(SNN_TWOS_COMPLEMENT, 16, 9 * snn_weight_q(x, i));
        free(x->code8);
        x->code16 = code;
        x->type = SNN_CODE_16;
        x->bits = 16;
        x->encoding = SNN_TWOS_COMPLEMENT;
        for (uint32_t s = 0; s < x->scales; s++)
            x->scale[s] /= 8;
    }
}

static void test_wide_codes(void **state) {
    (void)state;
    for (int c = 0; c < CASES; c++) {
        instance k = make(&cases[c], 8, SNN_TWOS_COMPLEMENT, false, 40 + (uint64_t)c);
        widen(k.weights);
        for (int level = 0; level <= (int)snn_simd_best(); level++) {
            run_case(&k, (snn_simd)level, 0, false, 4, 0);
            run_case(&k, (snn_simd)level, 0, true, 0, 0);
        }
        drop(&k);
    }
}

/* ---- refusals ---- */

static snn_engine *engine_for(const instance *k, snn_arithmetic a, const snn_hook *hook, snn_error *err) {
    const snn_engine_options o = {.arithmetic = a, .simd = snn_simd_best(), .hook = hook};
    return snn_engine_new(k->net, k->weights, &o, err);
}

static void expect_run_error(const instance *k, snn_arithmetic a, const snn_hook *hook, const snn_spikes *x,
                             int steps, snn_code code, const char *words) {
    snn_error err = {0};
    snn_engine *e = engine_for(k, a, hook, &err);
    assert_non_null(e);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(snn_result_init(&r, k->net, steps, &err));
    assert_false(snn_engine_run(e, x, 0, w, NULL, &r, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
}

static bool bad_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                     const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)scratch, (void)tensor, (void)sample, (void)step, (void)input, (void)n;
    const snn_sum_error *item = context;
    if (item->channel == UINT32_MAX)
        return snn_fail(err, SNN_ERR_RUNTIME, "the chip is gone");
    if (!snn_grow((void **)&errors->item, &errors->capacity, 2, sizeof *item, err))
        return false;
    errors->item[0] = errors->item[1] = *item;
    errors->n = 2;
    return true;
}

static void test_refusals(void **state) {
    (void)state;
    instance k = make(&cases[0], 8, SNN_SIGN_MAGNITUDE, false, 50),
             f = make(&cases[0], 0, SNN_SIGN_MAGNITUDE, false, 50);
    instance other = make(&cases[1], 8, SNN_SIGN_MAGNITUDE, false, 50);
    snn_error err = {0};
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, NULL, &other.x, STEPS, SNN_ERR_DATA,
                     "a sample has 40 inputs, the network 70");
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, NULL, &k.x, STEPS - 1, SNN_ERR_DATA,
                     "a sample has 9 time steps, 8 were expected");
    assert_null(engine_for(&f, SNN_ARITHMETIC_FIXED, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "fixed arithmetic needs integer codes"));
    snn_sum_error item = {70, 0, 1};
    const snn_hook hook = {.context = &item, .read = bad_hook};
    assert_null(engine_for(&f, SNN_ARITHMETIC_FLOAT, &hook, &err));
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, &hook, &k.x, STEPS, SNN_ERR_RUNTIME,
                     "names channel 70 of pixel 0");
    item = (snn_sum_error){0, 0, INT32_MAX};
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, &hook, &k.x, STEPS, SNN_ERR_RUNTIME,
                     "drive a synaptic sum of layer a beyond");
    item = (snn_sum_error){3, 0, -(1 << 23)};
    expect_run_error(&k, SNN_ARITHMETIC_FIXED, &hook, &k.x, STEPS, SNN_ERR_RUNTIME,
                     "drive a synaptic sum of layer a beyond");
    item.channel = UINT32_MAX;
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, &hook, &k.x, STEPS, SNN_ERR_RUNTIME, "the chip is gone");
    k.x.spike[0].index = 70;
    k.x.first[0] = 0;
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, NULL, &k.x, STEPS, SNN_ERR_DATA, "a spike at input 70 of 70");
    k.x.spike[0] = (snn_spike){0, UINT32_MAX};
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, NULL, &k.x, STEPS, SNN_ERR_DATA,
                     "could drive the sums of the first layer beyond 2147483647");
    assert_null(engine_for(&(instance){k.net, other.weights, k.x}, SNN_ARITHMETIC_FLOAT, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    drop(&k);
    drop(&f);
    drop(&other);
}

/* One synapse of weight 1, input count c: the largest count that float and fixed arithmetic allow is exact, one more is refused. */
static void test_sum_limits(void **state) {
    (void)state;
    const net_case one = {
        "layers = ({name=\"a\"; type=\"linear\"; outputs=1;}); neuron = { type=\"if\"; threshold = 1e20; };",
        {1, 1, 1},
        1,
        1.0,
        1.0,
        0};
    instance k = make(&one, 8, SNN_SIGN_MAGNITUDE, false, 60);
    k.weights->tensor[0].code8[0] = 2;
    k.weights->tensor[0].scale[0] = 1;
    snn_error err = {0};
    snn_spikes x = {0};
    uint64_t key = 0;
    assert_true(snn_spikes_from_keys(&x, 1, 1, &key, 1, &err));
    x.spike[0].count = (1 << 22) + 1;
    expect_run_error(&k, SNN_ARITHMETIC_FIXED, NULL, &x, 1, SNN_ERR_DATA, "beyond 8388608");
    x.spike[0].count = 1 << 22;
    snn_engine *e = engine_for(&k, SNN_ARITHMETIC_FIXED, NULL, &err);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(snn_result_init(&r, k.net, 1, &err) && snn_engine_run(e, &x, 0, w, NULL, &r, &err));
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    /* an integrator without leak leaves the range after a few such steps */
    uint64_t keys[8] = {0};
    for (uint64_t t = 0; t < 8; t++)
        keys[t] = t << 32;
    assert_true(snn_spikes_from_keys(&x, 1, 8, keys, 8, &err));
    for (int t = 0; t < 8; t++)
        x.spike[t].count = 1 << 22;
    expect_run_error(&k, SNN_ARITHMETIC_FIXED, NULL, &x, 8, SNN_ERR_DATA,
                     "step 2: a membrane of layer number 1 leaves the range");
    /* what counts is one step: many steps at the limit are fine as long as the membrane is (here it is reset) */
    k.net->layer[0].neuron.threshold = 1;
    for (int t = 0; t < 8; t++)
        x.spike[t].count = 1 << 22;
    e = engine_for(&k, SNN_ARITHMETIC_FIXED, NULL, &err);
    w = snn_workspace_new(e, &err);
    assert_true(snn_result_init(&r, k.net, 8, &err) && snn_engine_run(e, &x, 0, w, NULL, &r, &err));
    assert_true(r.out[0] == 8);
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    x.spike[7].count++;
    expect_run_error(&k, SNN_ARITHMETIC_FIXED, NULL, &x, 8, SNN_ERR_DATA, "4194305 events in one time step");
    snn_spikes_free(&x);
    drop(&k);
}

static void test_sum_pool_limit(void **state) {
    (void)state;
    const net_case c = {"layers = ({name=\"a\"; type=\"conv2d\"; channels=1; kernel=1;}, {name=\"p\"; "
                        "type=\"pool_sum\"; kernel=16;}, {name=\"b\"; type=\"linear\"; "
                        "outputs=2;}); " NEURON,
                        {1, 16, 16},
                        1,
                        0.5,
                        1.0,
                        0};
    instance k = make(&c, 8, SNN_SIGN_MAGNITUDE, false, 70);
    snn_error err = {0};
    assert_null(engine_for(&k, SNN_ARITHMETIC_FLOAT, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "layer p: sums of 16x16 counts can exceed 255"));
    drop(&k);
}

/* An index outside the network's input is refused before anything reads it, also where pools come first. */
static void test_bad_index_before_pools(void **state) {
    (void)state;
    const net_case c = {"layers = ({name=\"p\"; type=\"pool_max\"; kernel=2;}, {name=\"b\"; type=\"linear\"; "
                        "outputs=2;}); " NEURON,
                        {1, 4, 4},
                        1,
                        0.5,
                        1.0,
                        0};
    instance k = make(&c, 8, SNN_SIGN_MAGNITUDE, false, 90);
    k.x.spike[0].index = 16;
    expect_run_error(&k, SNN_ARITHMETIC_FLOAT, NULL, &k.x, STEPS, SNN_ERR_DATA, "a spike at input 16 of 16");
    drop(&k);
}

static bool silent_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                        const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)scratch, (void)tensor, (void)sample, (void)step, (void)input, (void)n, (void)errors, (void)err;
    ++*(int *)context;
    return true;
}

/* Asked once per tensor and step, silent steps too; a hook that never answers changes nothing. */
static void test_hook_without_errors(void **state) {
    (void)state;
    instance k = make(&cases[2], 8, SNN_SIGN_MAGNITUDE, false, 91);
    snn_error err = {0};
    double out[2][64];
    int calls = 0;
    const snn_hook hook = {.context = &calls, .read = silent_hook};
    for (int hooked = 0; hooked < 2; hooked++) {
        snn_engine *e = engine_for(&k, SNN_ARITHMETIC_FLOAT, hooked ? &hook : NULL, &err);
        snn_workspace *w = snn_workspace_new(e, &err);
        snn_result r;
        assert_true(snn_result_init(&r, k.net, STEPS, &err) && snn_engine_run(e, &k.x, 0, w, NULL, &r, &err));
        memcpy(out[hooked], r.out, k.net->classes * sizeof *r.out);
        snn_result_free(&r);
        snn_workspace_free(w);
        snn_engine_free(e);
    }
    assert_int_equal(calls, k.net->tensors * STEPS);
    assert_memory_equal(out[0], out[1], k.net->classes * sizeof **out);
    drop(&k);
}

/* Fixed arithmetic with a scale per output: membranes are compared by what they are worth, not as integers. */
static void test_fixed_membrane_scales(void **state) {
    (void)state;
    const net_case c = {
        "layers = ({name=\"b\"; type=\"linear\"; outputs=2; neuron={type=\"li\"; gain=2.0;};}); "
        "neuron = { decay = 0.0; };",
        {1, 1, 1},
        1,
        1.0,
        1.0,
        0};
    instance k = make(&c, 8, SNN_SIGN_MAGNITUDE, true, 92);
    snn_tensor *t = &k.weights->tensor[0];
    t->code8[0] = 100; /* 100 / 512 < 20 / 16 */
    t->code8[1] = 20;
    t->scale[0] = 1.0f / 512;
    t->scale[1] = 1.0f / 16;
    snn_error err = {0};
    for (int a = 0; a < 2; a++) {
        snn_engine *e = engine_for(&k, (snn_arithmetic)a, NULL, &err);
        snn_workspace *w = snn_workspace_new(e, &err);
        snn_result r;
        assert_true(snn_result_init(&r, k.net, STEPS, &err) && snn_engine_run(e, &k.x, 0, w, NULL, &r, &err));
        /* 8 of the 9 steps have an input (of count 1) */
        assert_true(r.out[0] == 8 * 2 * 100.0 / 512 && r.out[1] == 8 * 2 * 20.0 / 16);
        assert_int_equal(r.predicted, 1);
        snn_result_free(&r);
        snn_workspace_free(w);
        snn_engine_free(e);
    }
    drop(&k);
}

static bool stop_trace(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    (void)context, (void)layer, (void)spikes, (void)membrane;
    return step < 2 || snn_fail(err, SNN_ERR_RUNTIME, "disk full");
}

static void test_trace_can_stop(void **state) {
    (void)state;
    instance k = make(&cases[4], 8, SNN_SIGN_MAGNITUDE, false, 80);
    snn_error err = {0};
    snn_engine *e = engine_for(&k, SNN_ARITHMETIC_FLOAT, NULL, &err);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    assert_true(snn_result_init(&r, k.net, STEPS, &err));
    for (int layer = 0; layer < k.net->layers; layer += 2) {
        bool traced[16] = {false};
        traced[layer] = true;
        const snn_trace trace = {NULL, traced, stop_trace};
        assert_false(snn_engine_run(e, &k.x, 0, w, &trace, &r, &err));
        assert_string_equal(err.text, "disk full");
    }
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    drop(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_arithmetic),
        cmocka_unit_test(test_fixed_arithmetic),
        cmocka_unit_test(test_float_tensors),
        cmocka_unit_test(test_wide_codes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_sum_limits),
        cmocka_unit_test(test_sum_pool_limit),
        cmocka_unit_test(test_trace_can_stop),
        cmocka_unit_test(test_bad_index_before_pools),
        cmocka_unit_test(test_hook_without_errors),
        cmocka_unit_test(test_fixed_membrane_scales),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
