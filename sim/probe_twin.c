/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain twin of the fitness probe: rewrites the weights and runs the engine on every sample. The definition, and the way for what the fast ones cannot do. */
#include "probe_internal.h"
#include "weights_internal.h"

#include <stdlib.h>

typedef struct {
    const snn_probe *probe;
    snn_engine_options options;
    snn_hook hook;
    snn_spikes *sample; /* [n] */
    uint64_t *number;   /* [n] */
    size_t n;
    int steps; /* of the longest sample */
} twin;

typedef struct {
    const twin *t;
    snn_weights *weights; /* scratch: base with deltas */
    snn_engine *engine;
    snn_workspace *workspace;
    snn_result result;
} twin_workspace;

static bool suits(const snn_net *net, const snn_weights *weights, const snn_probe_options *options) {
    (void)net, (void)weights, (void)options;
    return true;
}

static void destroy(void *state) {
    twin *t = state;
    for (size_t i = 0; t->sample && i < t->n; i++)
        snn_spikes_free(&t->sample[i]);
    free(t->sample);
    free(t->number);
    free(t);
}

static bool copy_samples(twin *t, const snn_probe_setup *s, snn_error *err) {
    t->sample = snn_alloc(s->n, sizeof *t->sample, "samples of a probe", err);
    t->number = t->sample ? snn_alloc(s->n, sizeof *t->number, "samples of a probe", err) : NULL;
    if (!t->number)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        if (!snn_spikes_copy(&t->sample[i], &s->sample[i], err))
            return false;
        t->number[i] = s->number[i];
        t->steps = s->sample[i].steps > t->steps ? s->sample[i].steps : t->steps;
    }
    return true;
}

static void workspace_free(void *workspace) {
    twin_workspace *w = workspace;
    if (!w)
        return;
    snn_result_free(&w->result);
    snn_workspace_free(w->workspace);
    snn_engine_free(w->engine);
    snn_weights_free(w->weights);
    free(w);
}

static void *workspace_new(const void *state, snn_error *err) {
    const twin *t = state;
    twin_workspace *w = snn_alloc(1, sizeof *w, "a workspace of a probe", err);
    if (!w)
        return NULL;
    w->t = t;
    w->weights = snn_weights_copy(t->probe->weights, err);
    w->engine = w->weights ? snn_engine_new(t->probe->net, w->weights, &t->options, err) : NULL;
    w->workspace = w->engine ? snn_workspace_new(w->engine, err) : NULL;
    if (!w->workspace || !snn_result_init(&w->result, t->probe->net, t->steps, err)) {
        workspace_free(w);
        return NULL;
    }
    return w;
}

static void *create(const snn_probe *p, const snn_probe_setup *s, snn_error *err) {
    twin *t = snn_alloc(1, sizeof *t, "a probe", err);
    if (!t)
        return NULL;
    *t = (twin){.probe = p, .n = s->n};
    t->options = (snn_engine_options){.arithmetic = s->options->arithmetic, .simd = s->options->simd};
    if (s->options->hook) {
        t->hook = *s->options->hook;
        t->options.hook = &t->hook;
    }
    /* An engine is made here to find what it refuses; each workspace has its own, because evaluations rewrite its weights. */
    snn_engine *engine = snn_engine_new(p->net, p->weights, &t->options, err);
    snn_engine_free(engine);
    if (!engine || !copy_samples(t, s, err)) {
        destroy(t);
        return NULL;
    }
    return t;
}

static bool run_samples(const twin *t, twin_workspace *w, double *out, snn_error *err) {
    const uint32_t classes = t->probe->net->classes;
    for (size_t i = 0; i < t->n; i++) {
        if (!snn_engine_run(w->engine, &t->sample[i], t->number[i], w->workspace, NULL, &w->result, err))
            return false;
        for (uint32_t c = 0; c < classes; c++)
            out[c * t->n + i] = w->result.out[c];
    }
    return true;
}

static bool eval(const void *state, const snn_delta *delta, size_t n, void *workspace, double *out,
                 snn_error *err) {
    const twin *t = state;
    twin_workspace *w = workspace;
    /* Copied whole, because a rebase or an error may have left the scratch behind. */
    for (int i = 0; i < w->weights->tensors; i++)
        snn_tensor_copy_codes(&w->weights->tensor[i], &t->probe->weights->tensor[i]);
    for (size_t i = 0; i < n; i++)
        snn_tensor_add(&w->weights->tensor[delta[i].tensor], delta[i].index, delta[i].dq);
    return snn_engine_set_weights(w->engine, w->weights, err) && run_samples(t, w, out, err);
}

static bool rebase(void *state, const snn_delta *delta, size_t n, snn_error *err) {
    (void)state, (void)delta, (void)n, (void)err;
    return true; /* each evaluation starts from probe->weights */
}

const snn_probe_way snn_probe_twin = {"twin",        suits,          create, destroy,
                                      workspace_new, workspace_free, eval,   rebase};
