/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Benchmark: the networks and inputs of the suite. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 15 };

void bench_work_free(bench_work *w) {
    for (size_t i = 0; w->x && i < w->n; i++)
        snn_spikes_free(&w->x[i]);
    free(w->x);
    snn_net_free(w->net);
    snn_weights_free(w->weights);
    memset(w, 0, sizeof *w);
}

bool bench_load(bench_work *w, const snn_dataset *data, size_t limit, snn_error *err) {
    const size_t count = snn_dataset_count(data);
    snn_dataset_buffer buffer = {0};
    w->n = limit && limit < count ? limit : count;
    w->steps = snn_dataset_about(data)->steps;
    w->x = snn_alloc(w->n, sizeof *w->x, "frames", err);
    bool ok = w->x != NULL;
    for (size_t i = 0; ok && i < w->n; i++)
        ok = snn_dataset_frames(data, i, &buffer, &w->x[i], err);
    snn_dataset_buffer_free(&buffer);
    return ok;
}

/* Hash generator of the golden traces (shared/data/models/snngx_pytorch_gesture/README.md), also used for the random N-MNIST work. */
static uint32_t hash(uint32_t stream, uint32_t i) {
    uint32_t x = i * 0x9E3779B9u + stream * 0x85EBCA6Bu;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

/* Random weights -127..127 times 2^-exponent, as 8-bit codes. */
static bool random_weights(bench_work *w, uint32_t stream, const int *exponent, snn_error *err) {
    const snn_quantisation q = {.bits = 8, .encoding = SNN_SIGN_MAGNITUDE};
    snn_weights *f = snn_weights_new(w->net, err);
    for (int t = 0; f && t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++) {
            const int32_t value = (int32_t)((hash(stream + (uint32_t)t, (uint32_t)i) >> 8) % 255) - 127;
            f->tensor[t].value[i] = (float)value / (float)(1 << exponent[t]);
        }
    w->weights = f ? snn_weights_quantise(f, &q, NULL, err) : NULL;
    snn_weights_free(f);
    return w->weights != NULL;
}

/* Random counts 1..3 at one input in `one_in`; laid out [step][sample][input] as the golden input. */
static bool random_inputs(bench_work *w, uint32_t stream, uint32_t samples, uint32_t one_in, snn_error *err) {
    const uint32_t size = snn_shape_size(w->net->input);
    w->steps = STEPS;
    w->n = samples;
    w->x = snn_alloc(samples, sizeof *w->x, "frames", err);
    uint8_t *count = snn_alloc((size_t)STEPS * size, 1, "frames", err);
    bool ok = w->x && count;
    for (uint32_t s = 0; ok && s < samples; s++) {
        for (uint32_t t = 0; t < STEPS; t++)
            for (uint32_t i = 0; i < size; i++) {
                const uint32_t h = hash(stream, (t * samples + s) * size + i);
                count[t * size + i] = h % one_in ? 0 : (uint8_t)(1 + (h >> 16) % 3);
            }
        ok = snn_spikes_from_counts(&w->x[s], size, STEPS, count, err);
    }
    free(count);
    return ok;
}

static bool config_net(bench_work *w, const snn_config *c, snn_shape input, snn_error *err) {
    w->net = snn_net_from_config(c, input, err);
    return w->net != NULL;
}

static bool model_of(bench_work *w, const char *name, bool *found, snn_error *err) {
    snn_model m = {0};
    snn_error missing = {0};
    *found = snn_model_load(&m, name, &missing);
    if (!*found)
        return true;
    if (!snn_net_equal(w->net, m.net, err)) {
        snn_model_free(&m);
        return false;
    }
    w->weights = m.weights;
    m.weights = NULL;
    snn_model_free(&m);
    return true;
}

bool bench_nmnist(bench_work *w, const char **where, snn_error *err) {
    static const int exponent[2] = {12, 11};
    bool found;
    snn_error missing = {0};
    snn_config *c = snn_config_load("nmnist.cfg", err);
    w->name = "nmnist";
    bool ok = c && config_net(w, c, (snn_shape){2, 34, 34}, err) && model_of(w, "nmnist.h5", &found, err) &&
              (found || random_weights(w, 11, exponent, err));
    snn_dataset *data = ok ? snn_dataset_open(c, SNN_SPLIT_TRAIN, &missing) : NULL;
    *where = data ? "real recordings" : "random inputs of N-MNIST's density";
    ok = ok && (data ? bench_load(w, data, 1000, err) : random_inputs(w, 101, 1000, 17, err));
    snn_dataset_free(data);
    snn_config_free(c);
    return ok;
}

bool bench_golden(bench_work *w, const char **where, snn_error *err) {
    static const int exponent[6] = {9, 12, 12, 12, 13, 12};
    snn_config *c = snn_config_load("gesture.cfg", err);
    w->name = "gesture-golden";
    *where = "the golden traces' random weights and inputs";
    bool ok = c && snn_config_set(c, "network.layers[0].neuron.gain=1.0", err) &&
              config_net(w, c, (snn_shape){2, 32, 32}, err) && random_weights(w, 1, exponent, err) &&
              random_inputs(w, 100, 16, 20, err);
    snn_config_free(c);
    return ok;
}

bool bench_gesture(bench_work *w, const char **where, snn_error *err) {
    bool found = false;
    snn_config *c = snn_config_load("gesture.cfg", err);
    w->name = "gesture";
    *where = NULL;
    bool ok = c && config_net(w, c, (snn_shape){2, 32, 32}, err) && model_of(w, "gesture.h5", &found, err);
    snn_dataset *data = ok && found ? snn_dataset_open(c, SNN_SPLIT_TEST, err) : NULL;
    if (ok && found) {
        *where = "synthetic camera, the shipped model";
        ok = data && bench_load(w, data, 66, err);
    }
    snn_dataset_free(data);
    snn_config_free(c);
    return ok;
}
