/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neurons beyond LIF, recurrence, delays, later starts, refractory times, parameters of each neuron and softmax against the networks of tests/golden/make_engine_vectors.py, bit
 * for bit at every SIMD level; samples of every length across the borders of the engine's chunks; hooks, counts, ranges and refusals. */
#include "engine_test.h"

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

/* ---- the hook and the counts ---- */

/* What a hook is told, and what it adds: `dsum` to output (step % outputs) of tensor `tensor`. */
typedef struct {
    const outcome *plain; /* spikes of the network */
    const snn_net *net;
    const snn_spikes *x;
    int tensor;
    int32_t dsum;
    int next[8]; /* step that each tensor is to be asked about */
    uint64_t asked;
} asker;

static bool ask(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                size_t n, snn_sum_errors *errors, snn_error *err) {
    asker *a = context;
    bool recurrent;
    const snn_layer *l = snn_net_tensor_layer(a->net, tensor, &recurrent);
    const int layer = (int)(l - a->net->layer);
    (void)scratch;
    assert_int_equal(sample, 9);
    if (a->next[tensor] == 0)
        a->next[tensor] = (int)l->start;
    assert_int_equal(step, a->next[tensor]++);
    a->asked++;
    if (recurrent && a->plain) {
        size_t found = 0;
        for (uint32_t j = 0; step > 0 && j < l->out.channels; j++)
            if (a->plain->spikes[layer][step - 1][j]) {
                assert_true(found < n && input[found].index == j && input[found].count == 1);
                found++;
            }
        assert_int_equal(found, n);
    }
    if (tensor != a->tensor)
        return true;
    if (!snn_grow((void **)&errors->item, &errors->capacity, 1, sizeof *errors->item, err))
        return false;
    errors->item[errors->n++] = (snn_sum_error){(uint32_t)step % l->out.channels, 0, a->dsum};
    return true;
}

static void run_hooked(const work *k, asker *a, outcome *o) {
    const snn_hook hook = {.context = a, .read = ask};
    memset(a->next, 0, sizeof a->next);
    a->net = k->net;
    run_once(k, snn_simd_best(), &hook, true, o);
}

/* The hook is asked about recurrent tensors, and what it says of one is as good as of the other. */
static void hooked(void **state) {
    (void)state;
    for (int i = 0; i < VECTORS; i++) {
        if (engine_vectors[i].bits == 32)
            continue;
        work k = open_vector(&engine_vectors[i], LONGEST);
        run_once(&k, SNN_SIMD_PLAIN, NULL, true, &first);
        asker a = {.plain = &first, .tensor = -1};
        run_hooked(&k, &a, &other);
        assert_memory_equal(other.spikes, first.spikes, sizeof first.spikes);
        assert_memory_equal(other.membrane, first.membrane, sizeof first.membrane);
        uint64_t expected = 0;
        for (int t = 0; t < k.net->tensors; t++)
            expected += LONGEST - snn_net_tensor_layer(k.net, t, NULL)->start;
        assert_int_equal(a.asked, expected);
        for (int l = 0; l < k.net->layers; l++) {
            if (!k.net->layer[l].recurrent)
                continue;
            asker forward = {.tensor = k.net->layer[l].tensor, .dsum = 40},
                  back = {.tensor = k.net->layer[l].tensor + 1, .dsum = 40};
            static outcome third;
            run_hooked(&k, &forward, &other);
            run_hooked(&k, &back, &third);
            assert_memory_equal(other.membrane, third.membrane, sizeof other.membrane);
            assert_memory_equal(other.spikes, third.spikes, sizeof other.spikes);
            assert_memory_not_equal(other.membrane, first.membrane, sizeof first.membrane);
        }
        drop(&k);
    }
}

/* Inputs, synapses and nonzero ones of a linear layer and of its recurrent weights, from the traces alone. */
static void counts(void **state) {
    (void)state;
    for (int i = 0; i < VECTORS; i++) {
        work k = open_vector(&engine_vectors[i], LONGEST);
        run_once(&k, snn_simd_best(), NULL, true, &first);
        for (int l = 0; l < k.net->layers; l++) {
            const snn_layer *x = &k.net->layer[l];
            if (x->type != SNN_LAYER_LINEAR)
                continue;
            uint64_t inputs = 0, back = 0, nonzero = 0, delivered = 0;
            const uint32_t n = snn_shape_size(x->in);
            const int delay = l ? (int)k.net->layer[l - 1].delay : 0;
            for (int t = (int)x->start; t < LONGEST; t++) {
                for (uint32_t j = 0; j < n; j++) {
                    uint32_t count = l && t >= delay ? first.spikes[l - 1][t - delay][j] : 0;
                    if (l == 0)
                        count = (uint32_t)(engine_vectors[i].input[(size_t)t * n + j] - '0');
                    inputs += count > 0;
                    delivered += count;
                    for (uint32_t o = 0; count && o < x->out.channels; o++)
                        nonzero += snn_weight_value(&k.weights->tensor[x->tensor], (uint64_t)o * n + j) != 0;
                }
                for (uint32_t j = 0; x->recurrent && t > 0 && j < x->out.channels; j++) {
                    back += first.spikes[l][t - 1][j];
                    for (uint32_t o = 0; first.spikes[l][t - 1][j] && o < x->out.channels; o++)
                        nonzero += snn_weight_value(&k.weights->tensor[x->tensor + 1],
                                                    (uint64_t)o * x->out.channels + j) != 0;
                }
            }
            const snn_layer_activity *a = &first.activity[l];
            assert_int_equal(a->inputs, inputs + back);
            assert_int_equal(a->recurrent_inputs, back);
            assert_int_equal(a->recurrent_words, back);
            assert_int_equal(a->row_words, delivered + back);
            assert_int_equal(a->input_counts, delivered + back);
            assert_int_equal(a->synops, (inputs + back) * x->out.channels);
            assert_int_equal(a->effective_acs + a->effective_macs, nonzero);
            assert_true(l == 0 || a->effective_macs == 0);
            assert_true(a->membrane_updates >= x->out.channels);
            assert_true(a->membrane_updates <= (uint64_t)x->out.channels * (LONGEST - x->start));
        }
        drop(&k);
    }
}

/* The output's spikes are counted when they arrive. */
static void late_outputs(void **state) {
    (void)state;
    work k = open_vector(&engine_vectors[2], LONGEST);
    assert_int_equal(k.net->layer[1].delay, 1);
    run_once(&k, snn_simd_best(), NULL, false, &first);
    for (int t = 0; t < LONGEST; t++)
        for (uint32_t c = 0; c < k.net->classes; c++)
            assert_int_equal(first.out_spikes[t][c], t ? first.spikes[1][t - 1][c] : 0);
    drop(&k);
}

/* ---- ranges of fixed arithmetic ---- */

/* One input, one neuron (network text of its `neuron`), 16-bit weights of scale 1; steps of the given counts. */
static bool run_one(const char *neuron, float bias, int32_t weight, int32_t back, const uint32_t *count,
                    int steps, int32_t *last, snn_error *err) {
    char json[700];
    const bool recurrent = back != 0;
    snprintf(
        json, sizeof json,
        "{\"format\":2,\"input\":[1,1,1],\"steps\":0,\"step_us\":0,\"readout\":\"sum\",\"fixed\":true,"
        "\"layers\":[{\"name\":\"a\",\"type\":\"linear\",\"outputs\":1,\"bias\":[%.9g],\"recurrent\":%s,"
        "\"delay\":0,\"start\":0,\"neuron\":{\"reset\":\"zero\",\"at_threshold\":false,\"gain\":1,%s}}]}",
        (double)bias, recurrent ? "true" : "false", neuron);
    work k = {.net = snn_net_from_json(json, "test", err), .fixed = true};
    if (!k.net)
        fail_msg("%s", err->text);
    const int32_t q[] = {weight, back};
    const float scale[] = {1, 1};
    const engine_vector v = {.bits = 16, .q = q, .scale = scale};
    k.weights = read_weights(&v, k.net);
    for (int t = 0; t < 1 + recurrent; t++)
        k.weights->tensor[t].encoding = SNN_TWOS_COMPLEMENT,
        k.weights->tensor[t].code16[0] = (uint16_t)snn_value_code(SNN_TWOS_COMPLEMENT, 16, q[t]);
    assert_true(snn_spikes_reset(&k.x, 1, steps, err));
    for (int t = 0; t < steps; t++)
        if (count[t])
            assert_true(snn_spikes_append(&k.x, t, &(snn_spike){0, count[t]}, 1, err));
    snn_engine *e = engine_of(&k, snn_simd_best(), NULL, false);
    snn_workspace *w = snn_workspace_new(e, err);
    snn_result r;
    bool layer[] = {true};
    outcome *o = &other;
    o->net = k.net;
    const snn_trace trace = {o, layer, trace_step};
    assert_true(w && snn_result_init(&r, k.net, steps, err));
    const bool ok = snn_engine_run(e, &k.x, 0, w, &trace, &r, err);
    if (ok)
        *last = (int32_t)o->membrane[0][steps - 1][0];
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
    drop(&k);
    return ok;
}

#define CUBA(current, decay, threshold)                                                                      \
    "\"type\":\"cuba_lif\",\"decay\":" decay ",\"threshold\":" threshold ",\"current_decay\":" current       \
    ",\"current_gain\":1,\"membrane_bias\":false,\"refractory\":0"

static void fixed_ranges(void **state) {
    (void)state;
    snn_error err = {0};
    int32_t v = 0;
    /* the sum's largest value is the current's, 2^29 */
    const uint32_t full[] = {512, 0}, twice[] = {512, 512}, thrice[] = {512, 512, 1};
    assert_true(run_one(CUBA("1", "0", "1e30"), 0, 16384, 0, full, 2, &v, &err));
    assert_int_equal(v, 1 << 29);
    assert_true(run_one(CUBA("1", "0", "1e30"), 0, -16384, 0, full, 2, &v, &err));
    assert_int_equal(v, -(1 << 29));
    for (int sign = -1; sign <= 1; sign += 2) {
        assert_false(run_one(CUBA("1", "0", "1e30"), (float)sign / 64, sign * 16384, 0, full, 1, &v, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
        assert_non_null(strstr(err.text, "step 0: a membrane or current of layer number 1 leaves the range"));
        /* the membrane's is 2^30 */
        assert_true(run_one(CUBA("0", "1", "1e30"), 0, sign * 16384, 0, twice, 2, &v, &err));
        assert_int_equal(v, sign < 0 ? -(1 << 30) : 1 << 30);
        assert_false(run_one(CUBA("0", "1", "1e30"), 0, sign * 16384, 0, thrice, 3, &v, &err));
        assert_non_null(strstr(err.text, "step 2: a membrane or current"));
    }
    /* a membrane that spikes is reset first */
    assert_true(run_one(CUBA("0", "1", "16777215"), 0, 16384, 0, thrice, 3, &v, &err));
    assert_int_equal(v, 64 * 16384);
    static const char lif[] =
        "\"type\":\"lif\",\"decay\":1,\"threshold\":1e30,\"refractory\":1"; /* not a kernel's */
    assert_true(run_one(lif, 0, 16384, 0, twice, 2, &v, &err));
    assert_int_equal(v, 1 << 30);
    assert_false(run_one(lif, 0, 16384, 0, thrice, 3, &v, &err));
    assert_non_null(strstr(err.text, "step 2: a membrane of layer number 1 leaves the range"));
}

/* Both sums together must stay within 2^23. */
static void ranges_of_recurrent_sums(void **state) {
    (void)state;
    snn_error err = {0};
    int32_t v = 0;
    const uint32_t most[] = {511}, more[] = {512};
    assert_true(run_one(CUBA("0", "0", "1e30"), 0, 16384, 16384, most, 1, &v, &err));
    assert_false(run_one(CUBA("0", "0", "1e30"), 0, 16384, 16384, more, 1, &v, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "512 events in one time step could drive the sums"));
    assert_false(run_one(CUBA("0", "0", "1e30"), 0, 16384, 1, more, 1, &v, &err));
    /* inside the network: 256 inputs of 32767, and 256 from behind */
    snn_net *net = test_parse("{name=\"a\"; type=\"linear\"; outputs=256;}, {name=\"b\"; type=\"linear\"; "
                              "outputs=1; recurrent=true;}",
                              (snn_shape){1, 1, 1});
    for (int beyond = 0; beyond < 2; beyond++) {
        static int32_t q[256 + 256 + 1];
        static const float scale[3] = {1, 1, 1};
        for (int i = 0; i < 256; i++)
            q[i] = 1, q[256 + i] = i % 2 ? 32767 : -32767;
        q[512] = 256 + beyond;
        const engine_vector vector = {.bits = 16, .q = q, .scale = scale};
        snn_weights *w = read_weights(&vector, net);
        const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED};
        snn_engine *e = snn_engine_new(net, w, &o, &err);
        assert_true((e == NULL) == beyond);
        if (beyond)
            assert_string_equal(err.text, "layer b: synaptic sums could exceed 8388608");
        snn_engine_free(e);
        snn_weights_free(w);
    }
    snn_net_free(net);
}

/* Read errors of both tensors are within the limit, their sum is not. */
static bool push(void *context, void *scratch, int tensor, uint64_t sample, int step, const snn_spike *input,
                 size_t n, snn_sum_errors *errors, snn_error *err) {
    const int32_t *dsum = context;
    (void)scratch, (void)sample, (void)step, (void)input, (void)n;
    if (!snn_grow((void **)&errors->item, &errors->capacity, 1, sizeof *errors->item, err))
        return false;
    errors->item[errors->n++] = (snn_sum_error){0, 0, dsum[tensor]};
    return true;
}

static void errors_beyond_the_range(void **state) {
    (void)state;
    static const int32_t dsum[][2] = {
        {(1 << 23) - 1, 1}, {1 << 23, 1}, {-(1 << 23) + 1, -1}, {-(1 << 23), -1}};
    snn_error err = {0};
    snn_net *net =
        test_parse("{name=\"a\"; type=\"linear\"; outputs=1; recurrent=true;}", (snn_shape){1, 1, 1});
    snn_weights *w = test_weights(net, 0.1, 8, false, 1);
    for (int i = 0; i < 4; i++) {
        int32_t pair[2] = {dsum[i][0], dsum[i][1]};
        const snn_hook hook = {.context = pair, .read = push};
        const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .hook = &hook};
        snn_engine *e = snn_engine_new(net, w, &o, &err);
        snn_workspace *space = snn_workspace_new(e, &err);
        snn_spikes x = {0};
        snn_result r;
        assert_true(snn_spikes_reset(&x, 1, 1, &err) && snn_result_init(&r, net, 1, &err));
        assert_true(snn_engine_run(e, &x, 0, space, NULL, &r, &err) == (i % 2 == 0));
        if (i % 2) {
            assert_int_equal(err.code, SNN_ERR_RUNTIME);
            assert_string_equal(err.text, "read errors drive a synaptic sum of layer a beyond 8388608");
        }
        snn_result_free(&r);
        snn_spikes_free(&x);
        snn_workspace_free(space);
        snn_engine_free(e);
    }
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- refusals ---- */

static void refuses(const snn_net *net, const snn_weights *w, snn_arithmetic a, snn_code code,
                    const char *text) {
    snn_error err = {0};
    const snn_engine_options o = {.arithmetic = a};
    assert_null(snn_engine_new(net, w, &o, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
}

static void refusals(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net =
        test_parse("{name=\"a\"; type=\"linear\"; outputs=3; recurrent=true;}", (snn_shape){4, 1, 1});
    snn_weights *w = test_weights(net, 0.1, 8, true, 1), *f = test_weights(net, 0.1, 0, false, 1);
    const snn_engine_options o = {0};
    snn_engine *e = snn_engine_new(net, w, &o, &err);
    assert_non_null(e);
    w->tensor[1].scale[2] *= 2;
    refuses(net, w, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA, "layer a: scale 2 of its weights is");
    assert_false(snn_engine_set_weights(e, w, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    w->tensor[1].scale[2] = w->tensor[0].scale[2];
    assert_true(snn_engine_set_weights(e, w, &err));
    snn_engine_free(e);
    snn_weights mixed = {2, (snn_tensor[]){w->tensor[0], f->tensor[1]}};
    refuses(net, &mixed, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA,
            "only one of its own and its recurrent weights are float");
    mixed.tensor = (snn_tensor[]){f->tensor[0], w->tensor[1]};
    refuses(net, &mixed, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA, "only one of its own");
    refuses(net, f, SNN_ARITHMETIC_FIXED, SNN_ERR_USAGE,
            "float weights: fixed arithmetic needs integer codes");
    /* one scale for each output is one for all when they are equal */
    snn_weights *one = test_weights(net, 0.1, 8, false, 1);
    mixed.tensor = (snn_tensor[]){one->tensor[0], w->tensor[1]};
    for (int i = 0; i < 3; i++)
        w->tensor[1].scale[i] = one->tensor[0].scale[0];
    e = snn_engine_new(net, &mixed, &o, &err);
    assert_non_null(e);
    snn_engine_free(e);
    w->tensor[1].scale[1] *= 2;
    refuses(net, &mixed, SNN_ARITHMETIC_FLOAT, SNN_ERR_DATA, "layer a: scale 1 of its weights is");
    snn_weights_free(one);
    snn_weights_free(w);
    snn_weights_free(f);
    snn_net_free(net);
    net = test_parse("{name=\"a\"; type=\"linear\"; outputs=3; neuron={type=\"alif\";};}",
                     (snn_shape){4, 1, 1});
    w = test_weights(net, 0.1, 8, false, 1);
    refuses(net, w, SNN_ARITHMETIC_FIXED, SNN_ERR_USAGE, "layer a: alif neurons have no fixed arithmetic");
    snn_weights_free(w);
    snn_net_free(net);
}

/* What the tile has not, it is not told about. */
static void tile_refuses(void **state) {
    (void)state;
    static const char *const layer[][2] = {
        {"recurrent=true;", "layer a is recurrent: the tile"},
        {"delay=1;", "layer a delays its spikes"},
        {"start=1;", "layer a starts later"},
        {"neuron={refractory=1;};", "layer a has other neurons"},
        {"neuron={type=\"cuba_lif\";};", "layer a has other neurons"},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof layer / sizeof *layer; i++) {
        snn_error err = {0};
        char text[200];
        snprintf(text, sizeof text, "{name=\"a\"; type=\"linear\"; outputs=3; %s}", layer[i][0]);
        snn_net *net = test_parse(text, (snn_shape){4, 1, 1});
        snn_weights *w = test_weights(net, 0.1, 8, false, 1);
        const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED};
        snn_engine *e = snn_engine_new(net, w, &o, &err);
        snn_fixed_neurons n;
        assert_non_null(e);
        assert_true(snn_engine_fixed(e, 0, &n, &err) == (layer[i][1] == NULL));
        if (layer[i][1]) {
            assert_int_equal(err.code, SNN_ERR_USAGE);
            assert_non_null(strstr(err.text, layer[i][1]));
        }
        snn_engine_free(e);
        snn_weights_free(w);
        snn_net_free(net);
    }
}

/* run.arithmetic, else what the network is made for. */
static void which_arithmetic(void **state) {
    (void)state;
    static const char *const text[] = {"", "run = { arithmetic = \"float\"; };",
                                       "run = { arithmetic = \"fixed\"; };"};
    static const snn_arithmetic expected[3][3] = {
        {SNN_ARITHMETIC_FLOAT, SNN_ARITHMETIC_FLOAT, SNN_ARITHMETIC_FIXED},
        {SNN_ARITHMETIC_FLOAT, SNN_ARITHMETIC_FLOAT, SNN_ARITHMETIC_FLOAT},
        {SNN_ARITHMETIC_FIXED, SNN_ARITHMETIC_FIXED, SNN_ARITHMETIC_FIXED}};
    snn_net any = {0}, loihi = {.fixed = true};
    const snn_net *net[] = {NULL, &any, &loihi};
    for (int i = 0; i < 3; i++) {
        snn_error err = {0};
        snn_config *c = snn_config_parse(text[i], "test", &err);
        assert_non_null(c);
        for (int n = 0; n < 3; n++)
            assert_int_equal(snn_arithmetic_of(c, net[n]), expected[i][n]);
        snn_config_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector),
        cmocka_unit_test(every_length),
        cmocka_unit_test(hooked),
        cmocka_unit_test(counts),
        cmocka_unit_test(late_outputs),
        cmocka_unit_test(fixed_ranges),
        cmocka_unit_test(ranges_of_recurrent_sums),
        cmocka_unit_test(errors_beyond_the_range),
        cmocka_unit_test(refusals),
        cmocka_unit_test(tile_refuses),
        cmocka_unit_test(which_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
