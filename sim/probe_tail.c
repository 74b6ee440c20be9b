/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fitness probe for networks that only the engine knows (recurrence, delays, currents, adaptation): what comes before the first searched layer does not change, so its spikes are recorded
 * once, as they reach that layer, and evaluations run the twin on the network from there on. Integer weights only: their sums do not depend on the order of inputs.
 */
#include "probe_internal.h"
#include "weights_internal.h"

#include <stdlib.h>

typedef struct {
    snn_probe *inner; /* twin of the network's end */
    uint32_t tensor;  /* the first that it has */
} tail;

typedef struct {
    snn_probe_workspace *inner;
    snn_probe_result result;
    snn_delta *delta; /* scratch */
    size_t capacity;
} tail_workspace;

static bool suits(const snn_net *net, const snn_weights *weights, const snn_probe_options *options) {
    for (int t = 0; t < weights->tensors; t++)
        if (weights->tensor[t].type == SNN_FLOAT32)
            return false;
    return options->hook == NULL && !snn_net_plain(net);
}

/* ---- the end of the network ---- */

/* The first layer that must be run: the first searched one, with the pools and flattening that stand right before it. */
static int first_layer(const snn_probe *p) {
    int i = 0;
    while (i < p->net->layers - 1) {
        const snn_layer *l = &p->net->layer[i];
        if (l->tensor >= 0 && (p->searched[l->tensor] || (l->recurrent && p->searched[l->tensor + 1])))
            break;
        i++;
    }
    while (i > 0 && p->net->layer[i - 1].tensor < 0)
        i--;
    return i;
}

static snn_net *net_from(const snn_net *net, int first, uint32_t tensor, snn_error *err) {
    snn_net *end = snn_net_copy(net, err);
    if (end == NULL)
        return NULL;
    for (int i = 0; i < first; i++) {
        free(end->layer[i].bias);
        for (int k = 0; k < SNN_PARAMS; k++)
            free(end->layer[i].each[k]);
    }
    end->layers -= first;
    memmove(end->layer, end->layer + first, (size_t)end->layers * sizeof *end->layer);
    for (int i = 0; i < end->layers; i++)
        if (end->layer[i].tensor >= 0)
            end->layer[i].tensor -= (int)tensor;
    end->tensors -= (int)tensor;
    end->input = end->layer[0].in;
    return end;
}

/* ---- recording ---- */

typedef struct {
    uint32_t neurons;
    int delay, steps;
    snn_spikes *out;
    snn_spike *list; /* [neurons] */
} recorder;

static bool record_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                        snn_error *err) {
    const recorder *r = context;
    size_t n = 0;
    (void)layer, (void)membrane;
    if (step + r->delay >= r->steps)
        return true;
    for (uint32_t j = 0; j < r->neurons; j++)
        if (spikes[j] != 0)
            r->list[n++] = (snn_spike){j, spikes[j]};
    return snn_spikes_append(r->out, step + r->delay, r->list, n, err);
}

/* What layer `layer` sends on, delayed, for each sample: out [s->n]. */
static bool record(const snn_probe_setup *s, const snn_engine *engine, int layer, snn_spikes *out,
                   snn_error *err) {
    const snn_layer *l = &s->net->layer[layer];
    recorder r = {.neurons = snn_shape_size(l->out), .delay = (int)l->delay};
    r.list = snn_alloc(r.neurons, sizeof *r.list, "spikes of a probe", err);
    bool *traced = snn_alloc((size_t)s->net->layers, sizeof *traced, "flags of layers", err);
    snn_workspace *w = snn_workspace_new(engine, err);
    bool ok = r.list != NULL && traced != NULL && w != NULL;
    if (ok)
        traced[layer] = true;
    const snn_trace trace = {&r, traced, record_step};
    for (size_t i = 0; ok && i < s->n; i++) {
        snn_result result;
        r.out = &out[i];
        r.steps = s->sample[i].steps;
        ok = snn_spikes_reset(r.out, r.neurons, r.steps, err) &&
             snn_result_init(&result, s->net, r.steps, err);
        if (!ok)
            break;
        ok = snn_engine_run(engine, &s->sample[i], s->number[i], w, &trace, &result, err);
        snn_result_free(&result);
    }
    snn_workspace_free(w);
    free(traced);
    free(r.list);
    return ok;
}

/* ---- the way ---- */

static void destroy(void *state) {
    tail *t = state;
    snn_probe_free(t->inner);
    free(t);
}

/* The twin on the network from layer `first` on, whose inputs are `sample`. */
static bool make_inner(tail *t, const snn_probe *p, const snn_probe_setup *s, int first,
                       const snn_spikes *sample, snn_error *err) {
    snn_probe_options options = *s->options;
    options.twin = true;
    snn_net *net = net_from(s->net, first, t->tensor, err);
    const snn_weights weights = {s->weights->tensors - (int)t->tensor, s->weights->tensor + t->tensor};
    if (net != NULL)
        t->inner =
            snn_probe_new(net, &weights, p->searched + t->tensor, &options, sample, s->number, s->n, err);
    snn_net_free(net);
    return t->inner != NULL;
}

static void *create(const snn_probe *p, const snn_probe_setup *s, snn_error *err) {
    tail *t = snn_alloc(1, sizeof *t, "a probe", err);
    snn_spikes *recorded = snn_alloc(s->n, sizeof *recorded, "samples of a probe", err);
    const snn_engine_options options = {.arithmetic = s->options->arithmetic, .simd = s->options->simd};
    const int first = first_layer(p);
    snn_engine *engine = t && recorded ? snn_engine_new(s->net, s->weights, &options, err) : NULL;
    bool ok = engine != NULL;
    if (ok) {
        for (int i = 0; i < first; i++)
            t->tensor += (s->net->layer[i].tensor >= 0) + s->net->layer[i].recurrent;
        ok = (first == 0 || record(s, engine, first - 1, recorded, err)) &&
             make_inner(t, p, s, first, first == 0 ? s->sample : recorded, err);
    }
    snn_engine_free(engine);
    for (size_t i = 0; recorded != NULL && i < s->n; i++)
        snn_spikes_free(&recorded[i]);
    free(recorded);
    if (!ok) {
        free(t);
        return NULL;
    }
    return t;
}

static void workspace_free(void *workspace) {
    tail_workspace *w = workspace;
    if (!w)
        return;
    snn_probe_workspace_free(w->inner);
    snn_probe_result_free(&w->result);
    free(w->delta);
    free(w);
}

static void *workspace_new(const void *state, snn_error *err) {
    const tail *t = state;
    tail_workspace *w = snn_alloc(1, sizeof *w, "a workspace of a probe", err);
    if (!w)
        return NULL;
    w->inner = snn_probe_workspace_new(t->inner, err);
    if (!w->inner ||
        !snn_probe_result_init(&w->result, snn_probe_samples(t->inner), snn_probe_classes(t->inner), err)) {
        workspace_free(w);
        return NULL;
    }
    return w;
}

/* Deltas as the end of the network counts tensors. */
static bool shift(const tail *t, const snn_delta *delta, size_t n, tail_workspace *w, snn_error *err) {
    void *list = w->delta;
    if (!snn_grow(&list, &w->capacity, n, sizeof *w->delta, err))
        return false;
    w->delta = list;
    for (size_t i = 0; i < n; i++) {
        w->delta[i] = delta[i];
        w->delta[i].tensor -= t->tensor;
    }
    return true;
}

static bool eval(const void *state, const snn_delta *delta, size_t n, void *workspace, double *out,
                 snn_error *err) {
    const tail *t = state;
    tail_workspace *w = workspace;
    if (!shift(t, delta, n, w, err) || !snn_probe_eval(t->inner, w->delta, n, w->inner, &w->result, err))
        return false;
    memcpy(out, w->result.out, w->result.samples * w->result.classes * sizeof *out);
    return true;
}

static bool rebase(void *state, const snn_delta *delta, size_t n, snn_error *err) {
    const tail *t = state;
    tail_workspace w = {0};
    bool ok = shift(t, delta, n, &w, err) && snn_probe_rebase(t->inner, w.delta, n, err);
    free(w.delta);
    return ok;
}

const snn_probe_way snn_probe_tail = {"tail",        suits,          create, destroy,
                                      workspace_new, workspace_free, eval,   rebase};
