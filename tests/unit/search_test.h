/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the bit search share: small networks with weights that do something, samples labelled by what the plain network says, and a plain definition of scores. */
#ifndef SNNSIM_SEARCH_TEST_H
#define SNNSIM_SEARCH_TEST_H

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

#include "../../crypto/search_internal.h"

/* Sanitizers make a second of a tenth: they see as much with fewer repetitions. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define DENSE "{name=\"a\"; type=\"linear\"; outputs=18;}, {name=\"b\"; type=\"linear\"; outputs=4;}"
#define CONV                                                                                                 \
    "{name=\"c\"; type=\"conv2d\"; channels=3; kernel=3; padding=1;}, {name=\"p\"; type=\"pool_max\"; "      \
    "kernel=2;}, {name=\"f\"; type=\"flatten\";}, {name=\"b\"; type=\"linear\"; outputs=4;}"
#define DENSE_LI                                                                                             \
    "{name=\"a\"; type=\"linear\"; outputs=18;}, {name=\"b\"; type=\"linear\"; outputs=4; neuron={type="     \
    "\"li\"; decay=0.5;};}"

enum { RIG_STEPS = 9, RIG_MOST = 64 };

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_spikes sample[RIG_MOST];
    int label[RIG_MOST];
    size_t n;
    snn_candidates *candidates;
    snn_objective *objective;
    snn_goal goal;
} search_rig;

static inline void must(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static inline snn_net *rig_net(const char *layers, snn_shape input) {
    char text[2048];
    snn_error err = {0};
    snprintf(text, sizeof text,
             "network = { layers = (%s); neuron = { type = \"lif\"; decay = 0.3; threshold = 0.3; }; };",
             layers);
    snn_config *c = snn_config_parse(text, "test", &err);
    must(c != NULL, &err);
    snn_net *net = snn_net_from_config(c, input, &err);
    must(net != NULL, &err);
    snn_config_free(c);
    return net;
}

static inline snn_weights *rig_weights(const snn_net *net, int bits, snn_encoding encoding, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 31, SNN_PURPOSE_TEST, seed);
    snn_weights *f = snn_weights_new(net, &err);
    must(f != NULL, &err);
    for (int t = 0; t < f->tensors; t++)
        for (uint64_t i = 0; i < f->tensor[t].count; i++)
            f->tensor[t].value[i] =
                snn_random_below(&r, 6) ? (float)(snn_random_uniform(&r) - 0.42) * 0.5f : 0.0f;
    const snn_quantisation q = {.bits = bits, .encoding = encoding};
    snn_weights *w = snn_weights_quantise(f, &q, NULL, &err);
    must(w != NULL, &err);
    snn_weights_free(f);
    return w;
}

/* Outputs of the engine: out [classes][n], predicted [n]. */
static inline snn_probe_result rig_run(const search_rig *g, const snn_weights *w, snn_arithmetic arithmetic) {
    snn_error err = {0};
    snn_probe_result r;
    snn_result one;
    must(snn_probe_result_init(&r, g->n, g->net->classes, &err), &err);
    const snn_engine_options o = {.arithmetic = arithmetic};
    snn_engine *e = snn_engine_new(g->net, w, &o, &err);
    must(e != NULL, &err);
    snn_workspace *space = snn_workspace_new(e, &err);
    must(space && snn_result_init(&one, g->net, RIG_STEPS, &err), &err);
    for (size_t i = 0; i < g->n; i++) {
        must(snn_engine_run(e, &g->sample[i], i, space, NULL, &one, &err), &err);
        r.predicted[i] = one.predicted;
        for (uint32_t c = 0; c < g->net->classes; c++)
            r.out[c * g->n + i] = one.out[c];
    }
    snn_result_free(&one);
    snn_workspace_free(space);
    snn_engine_free(e);
    return r;
}

/* n samples; label: what the plain network says, so that it is always right at first. */
static inline search_rig rig_make(const char *layers, snn_shape input, size_t n, int bits,
                                  snn_encoding encoding, uint64_t seed) {
    snn_error err = {0};
    snn_random r;
    search_rig g = {.net = rig_net(layers, input), .n = n};
    snn_random_init(&r, 32, SNN_PURPOSE_TEST, seed);
    g.weights = rig_weights(g.net, bits, encoding, seed);
    const uint32_t size = snn_shape_size(input);
    for (size_t i = 0; i < n; i++) {
        must(snn_spikes_reset(&g.sample[i], size, RIG_STEPS, &err), &err);
        /* Each sample has a taste of its own for inputs, so that classes differ. */
        const uint32_t offset = snn_random_below(&r, size);
        for (int t = 0; t < RIG_STEPS; t++)
            for (uint32_t k = 0; k < size; k++)
                if (snn_random_uniform(&r) < ((k + offset) % size < size / 2 ? 0.6 : 0.1)) {
                    const snn_spike s = {k, 1 + (snn_random_below(&r, 8) == 0)};
                    must(snn_spikes_append(&g.sample[i], t, &s, 1, &err), &err);
                }
    }
    snn_probe_result plain = rig_run(&g, g.weights, SNN_ARITHMETIC_FLOAT);
    for (size_t i = 0; i < n; i++)
        g.label[i] = plain.predicted[i];
    snn_probe_result_free(&plain);
    return g;
}

static inline void rig_search_options(const search_rig *g, int threads, snn_objective_options *o) {
    *o = (snn_objective_options){
        .net = g->net, .weights = g->weights, .simd = snn_simd_best(), .threads = threads, .goal = g->goal};
}

/* Candidates of all tensors (or only the last) and an objective. */
static inline void rig_open(search_rig *g, int bits, bool last_only, snn_goal goal, int threads) {
    snn_error err = {0};
    bool tensor[8] = {false};
    for (int t = 0; t < g->net->tensors; t++)
        tensor[t] = !last_only || t == g->net->tensors - 1;
    const snn_candidate_options co = {.tensor = tensor, .bits = bits, .eligible = 1};
    g->candidates = snn_candidates_new(g->weights, &co, &err);
    must(g->candidates != NULL, &err);
    g->goal = goal;
    g->goal.most = g->net->layer[g->net->layers - 1].neuron.type == SNN_NEURON_LI ? 0 : g->sample[0].steps;
    snn_objective_options oo;
    rig_search_options(g, threads, &oo);
    g->objective = snn_objective_new(&oo, g->candidates, g->sample, g->label, g->n, &err);
    must(g->objective != NULL, &err);
}

static inline void rig_close(search_rig *g) {
    snn_objective_free(g->objective);
    snn_candidates_free(g->candidates);
    for (size_t i = 0; i < g->n; i++)
        snn_spikes_free(&g->sample[i]);
    snn_weights_free(g->weights);
    snn_net_free(g->net);
    memset(g, 0, sizeof *g);
}

/* ---- scores as search.h defines them, written down plainly ---- */

static inline int down(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static inline snn_score plain_score(const snn_goal *goal, const snn_probe_result *r, const int *label) {
    const size_t n = r->samples;
    double *hinge = calloc(n, sizeof *hinge), sum = 0, lead_sum = 0;
    snn_score s = {0};
    uint32_t *count = calloc(r->classes, sizeof *count);
    for (size_t i = 0; i < n; i++) {
        const double own = r->out[(uint32_t)label[i] * n + i];
        double other = -INFINITY;
        for (uint32_t c = 0; c < r->classes; c++)
            if ((int)c != label[i])
                other = fmax(other, r->out[c * n + i]);
        lead_sum += own - other;
        hinge[i] = fmax(0, own - other + goal->margin);
        if (goal->margin == 0 && own == other && r->predicted[i] == label[i])
            hinge[i] = 0.5;
        if (goal->most > 0 && r->predicted[i] != label[i] && other >= goal->most)
            hinge[i] = 0;
        s.right += hinge[i] > 0;
        s.correct += r->predicted[i] == label[i];
        count[r->predicted[i]]++;
    }
    for (uint32_t c = 0; c < r->classes; c++)
        s.largest = count[c] > s.largest ? count[c] : s.largest;
    qsort(hinge, n, sizeof *hinge, down);
    for (size_t i = goal->target; i < n; i++)
        sum += hinge[i];
    if (s.largest > goal->largest)
        sum += s.largest - goal->largest;
    s.loss = sum / (double)n;
    s.lead = lead_sum / (double)n;
    free(hinge);
    free(count);
    return s;
}

/* Score of the weights with flips [n] of them, run through the engine. */
static inline snn_score rig_score(const search_rig *g, const snn_flip *flip, size_t n,
                                  snn_arithmetic arithmetic) {
    snn_error err = {0};
    snn_flips flips = {n, (snn_flip *)(uintptr_t)flip};
    snn_weights *w = snn_weights_apply(g->weights, &flips, &err);
    must(w != NULL, &err);
    snn_probe_result r = rig_run(g, w, arithmetic);
    const snn_score s = plain_score(&g->goal, &r, g->label);
    snn_probe_result_free(&r);
    snn_weights_free(w);
    return s;
}

/* To the last bit. */
static inline void equal_score(const snn_score *a, const snn_score *b) {
    assert_int_equal(a->correct, b->correct);
    assert_int_equal(a->right, b->right);
    assert_int_equal(a->largest, b->largest);
    assert_true(a->loss == b->loss && a->lead == b->lead);
}

static inline void same_score(const snn_score *a, const snn_score *b) {
    assert_int_equal(a->correct, b->correct);
    assert_int_equal(a->right, b->right);
    assert_int_equal(a->largest, b->largest);
    /* Sums in another order. */
    assert_true(fabs(a->loss - b->loss) <= 1e-12 * (1 + fabs(b->loss)));
    assert_true(fabs(a->lead - b->lead) <= 1e-12 * (1 + fabs(b->lead)));
    assert_int_equal(a->loss == 0, b->loss == 0);
}

#endif
