/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random weights of any width and encoding, samples and sets of deltas for the tests of the fitness probe; comparison of two probes, usually with the plain twin. */
#ifndef SNNSIM_PROBE_TEST_H
#define SNNSIM_PROBE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../sim/weights_internal.h"

#include <snnsim/snnsim.h>

static inline snn_net *probe_net(const char *layers, snn_shape input) {
    char text[4096];
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

/* Random raw codes, all of them, -0 and the lowest values too. Scales such that a sum over `active` inputs of a neuron is of the order of `size`. */
static inline snn_weights *probe_weights(const snn_net *net, int bits, snn_encoding encoding,
                                         bool per_channel, double size, snn_random *r) {
    snn_error err = {0};
    snn_weights *w = snn_weights_new(net, &err);
    assert_non_null(w);
    for (int t = 0; t < w->tensors; t++) {
        snn_tensor *x = &w->tensor[t];
        snn_tensor_clear(x);
        const uint32_t scales = per_channel ? (uint32_t)x->shape[0] : 1;
        assert_true(snn_tensor_alloc(x, snn_code_type_of(bits), bits, encoding, scales, &err));
        for (uint64_t i = 0; i < x->count; i++) {
            const uint32_t code = snn_random_u32(r) >> (32 - bits);
            if (bits <= 8)
                x->code8[i] = (uint8_t)code;
            else
                x->code16[i] = (uint16_t)code;
        }
        const double inputs = (double)(x->count / x->shape[0]);
        for (uint32_t s = 0; s < scales; s++)
            x->scale[s] = (float)(size * (0.5 + snn_random_uniform(r)) / (sqrt(inputs) * (1 << (bits - 1))));
    }
    return w;
}

/* A sample of `steps` steps; most counts are small, a few are up to most_count. */
static inline void probe_sample(snn_spikes *x, uint32_t size, int steps, double density, uint32_t most_count,
                                snn_random *r) {
    snn_error err = {0};
    assert_true(snn_spikes_reset(x, size, steps, &err));
    for (int t = 0; t < steps; t++)
        for (uint32_t i = 0; i < size; i++) {
            if (snn_random_uniform(r) >= density)
                continue;
            const snn_spike s = {i, 1 + snn_random_below(r, snn_random_below(r, 8) ? 2 : most_count)};
            assert_true(snn_spikes_append(x, t, &s, 1, &err));
        }
}

/* Changes each weight of the tensors in the mask with this probability; deltas of 0 are left in. Returns how many. */
static inline size_t probe_deltas(const snn_weights *w, uint32_t tensors, double share, snn_delta *delta,
                                  snn_random *r) {
    size_t n = 0;
    for (int t = 0; t < w->tensors; t++) {
        const snn_tensor *x = &w->tensor[t];
        for (uint64_t i = 0; tensors >> t & 1 && i < x->count; i++) {
            if (snn_random_uniform(r) >= share)
                continue;
            const uint32_t code = snn_random_below(r, 2)
                                      ? snn_tensor_code(x, i) ^ UINT32_C(1) << (x->bits - 1)
                                      : snn_random_u32(r) >> (32 - x->bits);
            const int32_t q = snn_code_value(x->encoding, x->bits, code);
            delta[n++] = (snn_delta){(uint32_t)t, q - snn_weight_q(x, i), i};
        }
    }
    return n;
}

typedef struct {
    snn_probe *probe;
    snn_probe_workspace *w;
    snn_probe_result r;
} probe_side;

/* searched: tensors, NULL: all. */
static inline probe_side probe_open_searched(const snn_net *net, const snn_weights *weights,
                                             const bool *searched, snn_probe_options o, const snn_spikes *x,
                                             size_t n) {
    snn_error err = {0};
    probe_side p = {.probe = snn_probe_new(net, weights, searched, &o, x, NULL, n, &err)};
    if (!p.probe)
        fail_msg("%s", err.text);
    p.w = snn_probe_workspace_new(p.probe, &err);
    assert_non_null(p.w);
    assert_true(snn_probe_result_init(&p.r, n, net->classes, &err));
    return p;
}

static inline probe_side probe_open(const snn_net *net, const snn_weights *weights, snn_probe_options o,
                                    const snn_spikes *x, size_t n) {
    return probe_open_searched(net, weights, NULL, o, x, n);
}

static inline void probe_close(probe_side *p) {
    snn_probe_result_free(&p->r);
    snn_probe_workspace_free(p->w);
    snn_probe_free(p->probe);
}

/* Do both answer the same, be it an error? Returns whether it was none. */
static inline bool probe_agree(probe_side *a, probe_side *b, const snn_delta *delta, size_t n) {
    snn_error ea = {0}, eb = {0};
    memset(a->r.out, 0x55, a->r.samples * a->r.classes * sizeof *a->r.out);
    memset(a->r.predicted, 0x55, a->r.samples * sizeof *a->r.predicted);
    const bool ok = snn_probe_eval(a->probe, delta, n, a->w, &a->r, &ea);
    assert_int_equal(ok, snn_probe_eval(b->probe, delta, n, b->w, &b->r, &eb));
    assert_string_equal(ea.text, eb.text);
    if (!ok)
        return false;
    for (size_t i = 0; i < a->r.samples * a->r.classes; i++)
        if (a->r.out[i] != b->r.out[i])
            fail_msg("class %zu, sample %zu: %.17g instead of %.17g", i / a->r.samples, i % a->r.samples,
                     a->r.out[i], b->r.out[i]);
    assert_memory_equal(a->r.predicted, b->r.predicted, a->r.samples * sizeof *a->r.predicted);
    return true;
}

#endif
