/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SNNGX gesture network with the generated weights and input of $SNNSIM_DATA/models/snngx_pytorch_gesture (rule in its README.md). */
#ifndef TESTS_GOLDEN_GESTURE_H
#define TESTS_GOLDEN_GESTURE_H

#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>

enum { GOLDEN_STEPS = 15, GOLDEN_SAMPLES = 16, GOLDEN_INPUTS = 2 * 32 * 32 };

static inline uint32_t golden_hash(uint32_t stream, uint32_t i) {
    uint32_t x = i * 0x9E3779B9u + stream * 0x85EBCA6Bu;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

static inline snn_net *golden_net(snn_error *err) {
    snn_config *c = snn_config_load("configs/gesture.cfg", err);
    snn_net *net = c && snn_config_set(c, "network.layers[0].neuron.gain=1.0", err)
                       ? snn_net_from_config(c, (snn_shape){2, 32, 32}, err)
                       : NULL;
    snn_config_free(c);
    return net;
}

/* Codes in the given encoding; the values are the same. */
static inline snn_weights *golden_weights(const snn_net *net, snn_encoding encoding, snn_error *err) {
    static const int exponent[6] = {9, 12, 12, 12, 13, 12};
    const snn_quantisation q = {.bits = 8, .encoding = encoding};
    snn_weights *f = snn_weights_new(net, err);
    for (int t = 0; f && t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] =
                (float)((int32_t)((golden_hash((uint32_t)t + 1, (uint32_t)i) >> 8) % 255) - 127) /
                (float)(1 << exponent[t]);
    snn_weights *w = f ? snn_weights_quantise(f, &q, NULL, err) : NULL;
    snn_weights_free(f);
    return w;
}

static inline bool golden_input(int sample, snn_spikes *x, snn_error *err) {
    uint8_t *count = calloc(GOLDEN_STEPS, GOLDEN_INPUTS);
    for (uint32_t t = 0; count && t < GOLDEN_STEPS; t++)
        for (uint32_t i = 0; i < GOLDEN_INPUTS; i++) {
            const uint32_t h = golden_hash(100, (t * GOLDEN_SAMPLES + (uint32_t)sample) * GOLDEN_INPUTS + i);
            count[t * GOLDEN_INPUTS + i] = h % 20 == 0 ? (uint8_t)(1 + (h >> 16) % 3) : 0;
        }
    const bool ok = count && snn_spikes_from_counts(x, GOLDEN_INPUTS, GOLDEN_STEPS, count, err);
    free(count);
    return ok;
}

#endif
