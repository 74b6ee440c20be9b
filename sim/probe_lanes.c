/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for networks of linear layers: making it, evaluating, moving its base. */
#include "probe_lanes.h"

#include <stdlib.h>
#include <string.h>

static bool suits(const snn_net *net, const snn_weights *weights, const snn_probe_options *options) {
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].type != SNN_LAYER_LINEAR && net->layer[i].type != SNN_LAYER_FLATTEN)
            return false;
    for (int t = 0; t < weights->tensors; t++)
        if (weights->tensor[t].type == SNN_FLOAT32)
            return false;
    return !options->hook;
}

/* ---- workspace ---- */

static void free_changes(lanes_changes *c) {
    free(c->neuron);
    free(c->row);
    free(c->slot);
}

static void workspace_free(void *workspace) {
    lanes_workspace *w = workspace;
    if (!w)
        return;
    free(w->group);
    free(w->layer_group);
    free(w->terms.term);
    free(w->terms.cut);
    free_changes(&w->change[0]);
    free_changes(&w->change[1]);
    free(w->sum);
    free(w->membrane);
    snn_probe_twin.workspace_free(w->twin);
    free(w);
}

static bool allocate_changes(lanes_changes *c, size_t neurons, size_t lanes, snn_error *err) {
    const char *what = "a workspace of a probe";
    c->neuron = snn_alloc(neurons, sizeof *c->neuron, what, err);
    c->row = snn_alloc(neurons, lanes, what, err);
    c->slot = snn_alloc(neurons, sizeof *c->slot, what, err);
    if (!c->neuron || !c->row || !c->slot)
        return false;
    memset(c->slot, 0xff, neurons * sizeof *c->slot); /* -1 */
    return true;
}

static bool allocate(lanes_workspace *w, const lanes_state *s, snn_error *err) {
    const char *what = "a workspace of a probe";
    size_t neurons = 0, widest = 0, terms = 0;
    for (int l = 0; l < s->layers; l++) {
        neurons += s->layer[l].outputs;
        widest = s->layer[l].outputs > widest ? s->layer[l].outputs : widest;
        for (size_t k = 0; k < s->tiles; k++) {
            const size_t most = snn_lanes_most_terms(s, &s->tile[k], l);
            terms = most > terms ? most : terms;
        }
    }
    return (w->group = snn_alloc(neurons, sizeof *w->group, what, err)) &&
           (w->layer_group = snn_alloc((size_t)s->layers + 1, sizeof *w->layer_group, what, err)) &&
           (w->terms.term = snn_alloc(terms + 1, sizeof *w->terms.term, what, err)) &&
           (w->terms.cut = snn_alloc(terms + 1, sizeof *w->terms.cut, what, err)) &&
           (w->sum = snn_alloc(s->lanes, sizeof *w->sum, what, err)) &&
           (w->membrane = snn_alloc(s->lanes, sizeof *w->membrane, what, err)) &&
           allocate_changes(&w->change[0], widest, s->lanes, err) &&
           allocate_changes(&w->change[1], widest, s->lanes, err);
}

static void *workspace_new(const void *state, snn_error *err) {
    lanes_workspace *w = snn_alloc(1, sizeof *w, "a workspace of a probe", err);
    if (w && !allocate(w, state, err)) {
        workspace_free(w);
        return NULL;
    }
    return w;
}

/* ---- making ---- */

static void destroy(void *state) {
    lanes_state *s = state;
    workspace_free(s->own);
    snn_lanes_base_free(s);
    if (s->twin)
        snn_probe_twin.destroy(s->twin);
    snn_engine_free(s->engine);
    free(s);
}

static void *create(const snn_probe *p, const snn_probe_setup *setup, snn_error *err) {
    lanes_state *s = snn_alloc(1, sizeof *s, "a probe", err);
    if (!s)
        return NULL;
    const snn_engine_options o = {.arithmetic = setup->options->arithmetic, .simd = setup->options->simd};
    s->probe = p;
    s->fixed = o.arithmetic == SNN_ARITHMETIC_FIXED;
    s->kernels = snn_lanes_kernels_for(o.simd);
    s->engine = snn_engine_new(p->net, p->weights, &o, err);
    s->by_membrane = s->engine && s->engine->membrane_readout;
    s->twin = s->engine ? snn_probe_twin.create(p, setup, err) : NULL;
    if (!s->twin || !snn_lanes_base(s, setup, err) || !(s->own = workspace_new(s, err))) {
        destroy(s);
        return NULL;
    }
    int first = 0; /* layer that deltas may touch */
    while (first < s->layers && !p->searched[s->layer[first].stage->tensor])
        first++;
    for (int l = 0; l < s->layers; l++)
        s->weights += (double)s->layer[l].inputs * s->layer[l].outputs;
    for (size_t k = 0; k < s->tiles; k++) {
        snn_lanes_build(s, &s->tile[k], s->own);
        s->synapses += snn_lanes_synapses(s, &s->tile[k]);
        snn_lanes_trim(s, &s->tile[k], first);
    }
    return s;
}

/* ---- evaluating ---- */

/* May some sum leave the arithmetic's range with these deltas? Never false when the engine would refuse. */
static bool may_overflow(const lanes_state *s, const lanes_workspace *w) {
    bool over = s->over > 0;
    for (int l = 0; l < s->layers; l++) {
        const lanes_layer *layer = &s->layer[l];
        for (size_t g = w->layer_group[l]; layer->norm && g < w->layer_group[l + 1]; g++) {
            uint64_t norm = layer->norm[w->group[g].output];
            for (size_t d = w->group[g].first; d < w->group[g].end; d++)
                norm += (uint64_t)abs(w->delta[d].dq);
            over |= norm > layer->norm_limit;
        }
    }
    return over;
}

/* With very many changes and samples, rewriting the weights once and running the engine takes less time than correcting sums. Picoseconds, measured on Zen 5 with AVX-512; they affect
 * speed only. */
static bool twin_is_faster(const lanes_state *s, size_t n) {
    enum { PACK_WEIGHT = 500, REWRITE_WEIGHT = 5000, SYNAPSE = 45, LAYER_STEP = 200000, TERM = 5000 };
    const double deltas = (double)n, steps = (double)s->samples * s->steps * s->layers;
    return deltas * (double)s->tiles * TERM >
           s->weights * PACK_WEIGHT + deltas * REWRITE_WEIGHT + s->synapses * SYNAPSE + steps * LAYER_STEP;
}

/* What leaves its range is for the engine to say, sample by sample and step by step. */
static bool eval_by_twin(const lanes_state *s, const snn_delta *delta, size_t n, lanes_workspace *w,
                         double *out, snn_error *err) {
    if (!w->twin)
        w->twin = snn_probe_twin.workspace_new(s->twin, err);
    return w->twin && snn_probe_twin.eval(s->twin, delta, n, w->twin, out, err);
}

static bool eval(const void *state, const snn_delta *delta, size_t n, void *workspace, double *out,
                 snn_error *err) {
    const lanes_state *s = state;
    lanes_workspace *w = workspace;
    size_t outside = 0;
    memcpy(out, s->out, s->samples * s->engine->classes * sizeof *out);
    snn_lanes_group(s, delta, n, w);
    if (may_overflow(s, w) || twin_is_faster(s, n))
        return eval_by_twin(s, delta, n, w, out, err);
    for (size_t k = 0; k < s->tiles; k++)
        outside += snn_lanes_walk(s, &s->tile[k], w, out);
    return outside == 0 || eval_by_twin(s, delta, n, w, out, err);
}

/* The weights themselves, last: a walk counts from the old ones. */
static void change_weights(lanes_state *s, const snn_delta *delta, const lanes_workspace *w) {
    for (int l = 0; l < s->layers; l++) {
        lanes_layer *layer = &s->layer[l];
        for (size_t g = w->layer_group[l]; g < w->layer_group[l + 1]; g++) {
            uint64_t *norm = layer->norm ? &layer->norm[w->group[g].output] : NULL;
            s->over -= norm && *norm > layer->norm_limit;
            for (size_t d = w->group[g].first; d < w->group[g].end; d++) {
                int16_t *q = &layer->q[delta[d].index];
                const int before = *q;
                *q = (int16_t)(before + delta[d].dq);
                if (norm)
                    *norm += (uint64_t)abs(*q) - (uint64_t)abs(before);
            }
            s->over += norm && *norm > layer->norm_limit;
        }
    }
}

static bool rebase(void *state, const snn_delta *delta, size_t n, snn_error *err) {
    (void)err;
    lanes_state *s = state;
    snn_lanes_group(s, delta, n, s->own);
    for (size_t k = 0; k < s->tiles; k++)
        snn_lanes_commit(s, &s->tile[k], s->own);
    change_weights(s, delta, s->own);
    return true;
}

const snn_probe_way snn_probe_lanes = {"lanes",       suits,          create, destroy,
                                       workspace_new, workspace_free, eval,   rebase};
