/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neurons beyond LIF, recurrence, delays, later starts, refractory times, parameters of each neuron and softmax against the networks of tests/golden/make_engine_vectors.py, bit
 * for bit at every SIMD level; samples of every length across the borders of the engine's chunks; hooks, counts, ranges and refusals. */
#include "engine_test.h"

#include <float.h>

typedef struct {
    uint64_t spikes;
    const char *digest; /* of spikes and membranes of all steps */
} engine_layer;

typedef struct {
    const char *name, *json;
    int bits; /* 8, 16; 32: float */
    bool per_channel, fixed;
    const float *value;
    const int32_t *q;
    const float *scale;
    const char *input; /* [steps][inputs] */
    const engine_layer *layer;
    int layers;
    const double *out;
} engine_vector;

#include "../golden/engine_vectors.h"

enum {
    VECTORS = sizeof engine_vectors / sizeof *engine_vectors,
    LONGEST = 150,
    MOST_LAYERS = 4,
    MOST_N = 256
};

/* ---- networks ---- */

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes x;
    bool fixed;
} work;

/* As many of the network's time steps as asked for. */
static void read_input(snn_spikes *x, const char *digit, uint32_t inputs, int steps) {
    snn_error err = {0};
    assert_true(snn_spikes_reset(x, inputs, steps, &err));
    for (int t = 0; t < steps; t++)
        for (uint32_t i = 0; i < inputs; i++) {
            const snn_spike s = {i, (uint32_t)(digit[(size_t)t * inputs + i] - '0')};
            if (s.count)
                assert_true(snn_spikes_append(x, t, &s, 1, &err));
        }
}

static snn_weights *read_weights(const engine_vector *v, const snn_net *net) {
    snn_error err = {0};
    snn_weights *w = snn_weights_new(net, &err);
    assert_non_null(w);
    size_t at = 0, scale = 0;
    for (int i = 0; i < w->tensors; i++) {
        snn_tensor *t = &w->tensor[i];
        if (v->value) {
            memcpy(t->value, v->value + at, t->count * sizeof(float));
            at += t->count;
            continue;
        }
        free(t->data);
        t->type = v->bits == 8 ? SNN_CODE_8 : SNN_CODE_16;
        t->bits = v->bits;
        t->encoding = (snn_encoding)(i % 3);
        t->data = snn_alloc(t->count, 2, "codes", &err);
        for (size_t k = 0; k < t->count; k++, at++) {
            const uint32_t code = snn_value_code(t->encoding, v->bits, v->q[at]);
            if (v->bits == 8)
                t->code8[k] = (uint8_t)code;
            else
                t->code16[k] = (uint16_t)code;
        }
        t->scales = v->per_channel ? (uint32_t)t->shape[0] : 1;
        t->scale = snn_alloc(t->scales, sizeof(float), "scales", &err);
        memcpy(t->scale, v->scale + scale, t->scales * sizeof(float));
        scale += t->scales;
    }
    return w;
}

static work open_vector(const engine_vector *v, int steps) {
    snn_error err = {0};
    work k = {.net = snn_net_from_json(v->json, v->name, &err), .fixed = v->fixed};
    if (!k.net)
        fail_msg("%s", err.text);
    assert_int_equal(k.net->fixed, v->fixed);
    k.weights = read_weights(v, k.net);
    read_input(&k.x, v->input, snn_shape_size(k.net->input), steps);
    return k;
}

static void drop(work *k) {
    snn_net_free(k->net);
    snn_weights_free(k->weights);
    snn_spikes_free(&k->x);
}

/* ---- runs ---- */

typedef struct {
    const snn_net *net;
    uint8_t spikes[MOST_LAYERS][LONGEST][MOST_N];
    uint32_t membrane[MOST_LAYERS][LONGEST][MOST_N]; /* bits */
    int steps;
    double out[64];
    snn_layer_activity activity[MOST_LAYERS];
    int predicted;
    uint32_t out_spikes[LONGEST][8];
    int32_t by_step[LONGEST];
} outcome;

static bool trace_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    (void)err;
    outcome *o = context;
    const uint32_t n = snn_shape_size(o->net->layer[layer].out);
    assert_true(n <= MOST_N && step < LONGEST);
    memcpy(o->spikes[layer][step], spikes, n);
    if (membrane)
        memcpy(o->membrane[layer][step], membrane, 4 * (size_t)n);
    return true;
}

static void run(const work *k, const snn_engine *e, snn_workspace *w, outcome *o) {
    snn_error err = {0};
    snn_result r;
    memset(o, 0, sizeof *o);
    o->net = k->net;
    o->steps = k->x.steps;
    bool layer[MOST_LAYERS];
    for (int i = 0; i < MOST_LAYERS; i++)
        layer[i] = true;
    const snn_trace trace = {o, layer, trace_step};
    assert_true(snn_result_init(&r, k->net, LONGEST, &err));
    if (!snn_engine_run(e, &k->x, 9, w, &trace, &r, &err))
        fail_msg("%s", err.text);
    memcpy(o->out, r.out, k->net->classes * sizeof *r.out);
    memcpy(o->activity, r.activity, (size_t)k->net->layers * sizeof *r.activity);
    o->predicted = r.predicted;
    memcpy(o->by_step, r.predicted_by_step, sizeof o->by_step);
    for (int t = 0; t < o->steps; t++)
        memcpy(o->out_spikes[t], r.out_spikes + (size_t)t * k->net->classes,
               k->net->classes * sizeof *r.out_spikes);
    snn_result_free(&r);
}

static snn_engine *engine_of(const work *k, snn_simd simd, const snn_hook *hook, bool count) {
    snn_error err = {0};
    const snn_engine_options o = {.arithmetic = k->fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT,
                                  .simd = simd,
                                  .hook = hook,
                                  .count_operations = count};
    snn_engine *e = snn_engine_new(k->net, k->weights, &o, &err);
    if (!e)
        fail_msg("%s", err.text);
    return e;
}

static void run_once(const work *k, snn_simd simd, const snn_hook *hook, bool count, outcome *o) {
    snn_error err = {0};
    snn_engine *e = engine_of(k, simd, hook, count);
    snn_workspace *w = snn_workspace_new(e, &err);
    assert_non_null(w);
    run(k, e, w, o);
    snn_workspace_free(w);
    snn_engine_free(e);
}

/* Spikes and membranes of a layer, as the script digests them. */
static void digest_layer(const outcome *o, int layer, char hex[SNN_DIGEST_HEX]) {
    const uint32_t n = snn_shape_size(o->net->layer[layer].out);
    snn_digest d;
    uint8_t bytes[SNN_DIGEST_BYTES];
    uint32_t word[MOST_N];
    snn_digest_init(&d);
    for (int t = 0; t < o->steps; t++) {
        for (uint32_t j = 0; j < n; j++)
            word[j] = o->spikes[layer][t][j];
        snn_digest_u32(&d, word, n);
        for (uint32_t j = 0; j < n; j++) { /* -0 and +0 are the same membrane */
            word[j] = o->membrane[layer][t][j];
            word[j] = word[j] == UINT32_C(0x80000000) ? 0 : word[j];
        }
        if (o->net->layer[layer].tensor >= 0)
            snn_digest_u32(&d, word, n);
    }
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, hex);
}

static outcome first, other; /* too large for the stack */

static void every_vector(void **state) {
    (void)state;
    for (int i = 0; i < VECTORS; i++) {
        const engine_vector *v = &engine_vectors[i];
        work k = open_vector(v, LONGEST);
        for (int simd = 0; simd <= (int)snn_simd_best(); simd++) {
            run_once(&k, (snn_simd)simd, NULL, simd == 0, &first);
            for (int l = 0; l < v->layers; l++) {
                char hex[SNN_DIGEST_HEX];
                digest_layer(&first, l, hex);
                if (first.activity[l].spikes != v->layer[l].spikes && k.net->layer[l].tensor >= 0)
                    fail_msg("%s, SIMD level %d, layer %d: %llu spikes, expected %llu", v->name, simd, l,
                             (unsigned long long)first.activity[l].spikes,
                             (unsigned long long)v->layer[l].spikes);
                if (strcmp(hex, v->layer[l].digest) != 0)
                    fail_msg("%s, SIMD level %d: layer %d differs", v->name, simd, l);
            }
            for (uint32_t c = 0; c < k.net->classes; c++)
                if (first.out[c] != v->out[c])
                    fail_msg("%s: class %u is %.17g, expected %.17g", v->name, c, first.out[c], v->out[c]);
        }
        drop(&k);
    }
}

/* A workspace starts anew with each sample; a shorter sample does what the longer one does first. */
static void every_length(void **state) {
    (void)state;
    static const int lengths[] = {150, 1, 63, 64, 65, 66, 127, 128, 129, 2, 150};
    snn_error err = {0};
    for (int i = 0; i < VECTORS; i++) {
        work k = open_vector(&engine_vectors[i], LONGEST);
        snn_engine *e = engine_of(&k, snn_simd_best(), NULL, false);
        snn_workspace *w = snn_workspace_new(e, &err);
        assert_non_null(w);
        run(&k, e, w, &first);
        for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
            work part = open_vector(&engine_vectors[i], lengths[n]);
            run(&part, e, w, &other);
            other.net = k.net;
            for (int l = 0; l < k.net->layers; l++)
                for (int t = 0; t < lengths[n]; t++) {
                    assert_memory_equal(other.spikes[l][t], first.spikes[l][t], MOST_N);
                    assert_memory_equal(other.membrane[l][t], first.membrane[l][t], 4 * MOST_N);
                }
            assert_memory_equal(other.by_step, first.by_step, (size_t)lengths[n] * sizeof *other.by_step);
            for (int t = lengths[n]; t < LONGEST; t++)
                assert_int_equal(other.by_step[t], other.predicted);
            drop(&part);
        }
        snn_workspace_free(w);
        snn_engine_free(e);
        drop(&k);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector),
        cmocka_unit_test(every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
