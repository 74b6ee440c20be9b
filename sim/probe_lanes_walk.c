/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probe for linear layers: one tile of samples through the layers, touching only what changed. */
#include "probe_lanes.h"

#include <stdlib.h>
#include <string.h>

/* What a walk through one tile carries along. */
typedef struct {
    const lanes_state *s;
    const lanes_tile *k;
    lanes_tile *commit; /* = k: results become the base; NULL: they do not */
    lanes_workspace *w;
    double *out;
    size_t outside; /* neurons out of range */
} walk;

/* ---- deltas by output ---- */

/* First delta behind `first` that is not of (tensor, below index end): doubling steps, then halving. */
static size_t find_end(const snn_delta *delta, size_t first, size_t n, uint32_t tensor, uint64_t end) {
    size_t step = 1, low = first, high;
    while (low + step < n && delta[low + step].tensor == tensor && delta[low + step].index < end) {
        low += step;
        step *= 2;
    }
    high = low + step < n ? low + step : n;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (delta[middle].tensor == tensor && delta[middle].index < end)
            low = middle;
        else
            high = middle;
    }
    return high;
}

void snn_lanes_group(const lanes_state *s, const snn_delta *delta, size_t n, lanes_workspace *w) {
    size_t groups = 0, i = 0;
    w->delta = delta;
    for (int l = 0; l < s->layers; l++) {
        const lanes_layer *layer = &s->layer[l];
        const uint32_t tensor = (uint32_t)layer->stage->tensor;
        w->layer_group[l] = groups;
        while (i < n && delta[i].tensor == tensor) {
            const uint32_t output = (uint32_t)(delta[i].index / layer->inputs);
            const size_t end = find_end(delta, i, n, tensor, (uint64_t)(output + 1) * layer->inputs);
            w->group[groups++] = (lanes_group){output, i, end};
            i = end;
        }
    }
    w->layer_group[s->layers] = groups;
}

/* ---- terms ---- */

size_t snn_lanes_most_terms(const lanes_state *s, const lanes_tile *k, int l) {
    /* An input of a later layer counts with its changed spikes, and its changed weight with both its spikes and their changes. */
    return l == 0 ? k->rows : 3 * (size_t)s->layer[l].inputs;
}

/* weight x a row whose numbers are at most `largest` in magnitude. Half a layer are very many terms: callers hold `t` in a local copy, and no branch depends on the weight. */
static inline void add_term(lanes_terms *t, const int8_t *row, int32_t weight, uint32_t largest) {
    const uint32_t size = weight < 0 ? 0 - (uint32_t)weight : (uint32_t)weight;
    const uint64_t reach = (uint64_t)size * largest;
    if (t->reach + reach > INT16_MAX) {
        t->cut[t->cuts] = t->n;
        t->cuts += t->reach > 0;
        t->wide |= reach > INT16_MAX;
        t->reach = 0;
    }
    t->term[t->n] = (lanes_term){row, weight};
    t->n += reach > 0;
    t->reach += reach;
}

/* weight x an input of the network. */
static inline void add_counts(lanes_terms *t, const lanes_input *in, size_t lanes, int32_t weight) {
    add_term(t, in->row, weight, in->largest);
    for (uint16_t d = 1; d < in->digits; d++)
        add_term(t, in->row + d * lanes, (int32_t)((uint32_t)weight << d * LANES_DIGIT_BITS), LANES_DIGIT);
}

static void add_first_deltas(const walk *m, const lanes_group *g) {
    lanes_terms t = m->w->terms;
    const uint64_t start = (uint64_t)g->output * m->s->layer[0].inputs;
    const lanes_input *input = m->k->input;
    const size_t lanes = m->s->lanes;
    for (const snn_delta *d = m->w->delta + g->first, *end = m->w->delta + g->end; d < end; d++)
        add_counts(&t, &input[d->index - start], lanes, d->dq);
    m->w->terms = t;
}

static void add_deltas(const walk *m, int l, const lanes_group *g) {
    if (l == 0) {
        add_first_deltas(m, g);
        return;
    }
    lanes_terms t = m->w->terms;
    const lanes_changes *in = &m->w->change[l & 1];
    const uint64_t start = (uint64_t)g->output * m->s->layer[l].inputs;
    const size_t lanes = m->s->lanes;
    for (const snn_delta *d = m->w->delta + g->first, *end = m->w->delta + g->end; d < end; d++) {
        const uint64_t i = d->index - start;
        add_term(&t, m->k->spike[l - 1] + i * lanes, d->dq, 1);
        /* A commit has put the changed spikes into the base already. */
        if (in->n > 0 && in->slot[i] >= 0 && !m->commit)
            add_term(&t, in->row + (size_t)in->slot[i] * lanes, d->dq, 1);
    }
    m->w->terms = t;
}

static void add_changes(const walk *m, int l, uint32_t output) {
    lanes_terms t = m->w->terms;
    const lanes_changes *in = &m->w->change[l & 1];
    const int16_t *q = m->s->layer[l].q + (size_t)output * m->s->layer[l].inputs;
    const size_t lanes = m->s->lanes;
    for (uint32_t c = 0; c < in->n; c++)
        add_term(&t, in->row + c * lanes, q[in->neuron[c]], 1);
    m->w->terms = t;
}

/* All inputs, as the base has them. */
static void add_all(const walk *m, int l, uint32_t output) {
    lanes_terms t = m->w->terms;
    const lanes_layer *layer = &m->s->layer[l];
    const int16_t *q = layer->q + (size_t)output * layer->inputs;
    for (uint32_t i = 0; i < layer->inputs; i++)
        if (l == 0)
            add_counts(&t, &m->k->input[i], m->s->lanes, q[i]);
        else
            add_term(&t, m->k->spike[l - 1] + i * m->s->lanes, q[i], 1);
    m->w->terms = t;
}

/* ---- one neuron ---- */

/* Sums of an output: base's plus terms. */
static void sum_terms(const walk *m, int l, uint32_t output) {
    lanes_terms *t = &m->w->terms;
    const int32_t *base = m->k->sum[l] + output * m->s->lanes;
    t->cut[t->cuts] = t->n;
    if (t->wide)
        m->s->kernels->add_wide(base, t->term, t->n, m->s->lanes, m->w->sum);
    else
        m->s->kernels->add_narrow(base, t->term, t->cut, t->cuts + 1, m->s->lanes, m->w->sum);
}

static unsigned fire(const walk *m, int l, uint32_t output, const lanes_run *r) {
    const lanes_layer *layer = &m->s->layer[l];
    const snn_stage *g = layer->stage;
    if (m->s->fixed) {
        lanes_fixed p = layer->neuron_fixed;
        p.threshold = g->threshold_fixed[output];
        p.above = p.above ? p.above : p.threshold - g->neuron.at_threshold;
        p.bias = g->bias_fixed ? g->bias_fixed[output] : 0;
        return m->s->kernels->fire_fixed(&p, r);
    }
    lanes_float p = layer->neuron;
    p.factor = g->factor[output];
    p.bias = g->bias ? g->bias[output] : 0.0f;
    return m->s->kernels->fire_float(&p, r);
}

/* As the engine reads out: step by step. */
static double read_membrane(const walk *m, int l, uint32_t output, uint32_t lane) {
    const int steps = m->s->sample_steps[m->k->first + lane];
    double out = 0;
    for (int t = 0; t < steps; t++) {
        const size_t at = (size_t)t * LANES + lane;
        if (m->s->fixed)
            out += (double)((const int32_t *)(const void *)m->w->membrane)[at] / 64 *
                   (double)m->s->layer[l].stage->factor[output];
        else
            out += (double)m->w->membrane[at];
    }
    return out;
}

static void write_out(const walk *m, int l, uint32_t output, const int32_t *count) {
    double *out = m->out + output * m->s->samples + m->k->first;
    for (uint32_t i = 0; i < m->k->samples; i++)
        out[i] = m->s->by_membrane ? read_membrane(m, l, output, i) : (double)count[i];
}

static void commit(const walk *m, int l, uint32_t output, const int8_t *change, bool outside) {
    const size_t lanes = m->s->lanes, at = output * lanes;
    lanes_tile *k = m->commit;
    memcpy(k->sum[l] + at, m->w->sum, lanes * sizeof *m->w->sum);
    int8_t *spike = k->spike[l] + at;
    for (size_t i = 0; i < lanes; i++)
        spike[i] = (int8_t)(spike[i] + change[i]);
    k->outside[l][output] = outside;
    k->outside_number = m->outside;
}

/* The neuron whose terms stand in the workspace. */
static void settle(walk *m, int l, uint32_t output) {
    lanes_changes *to = &m->w->change[(l + 1) & 1];
    const bool last = l + 1 == m->s->layers;
    int8_t *change = to->row + to->n * m->s->lanes;
    int32_t count[LANES] __attribute__((aligned(64)));
    sum_terms(m, l, output);
    const lanes_run r = {m->s->steps,
                         m->w->sum,
                         m->k->live,
                         m->k->spike[l] + output * m->s->lanes,
                         change,
                         count,
                         last && m->s->by_membrane ? m->w->membrane : NULL};
    const unsigned what = fire(m, l, output, &r);
    const bool outside = what & LANES_OUT_OF_RANGE;
    m->outside += outside;
    m->outside -= m->k->outside[l][output];
    if (m->commit)
        commit(m, l, output, change, outside);
    if (last)
        write_out(m, l, output, count);
    else if (what & LANES_CHANGED) {
        to->slot[output] = (int32_t)to->n;
        to->neuron[to->n++] = output;
    }
}

static void start_terms(lanes_workspace *w) {
    w->terms.n = 0;
    w->terms.cuts = 0;
    w->terms.reach = 0;
    w->terms.wide = false;
}

/* ---- layers ---- */

static void walk_groups(walk *m, int l) {
    lanes_workspace *w = m->w;
    for (size_t g = w->layer_group[l]; g < w->layer_group[l + 1]; g++) {
        start_terms(w);
        add_deltas(m, l, &w->group[g]);
        if (w->terms.n > 0)
            settle(m, l, w->group[g].output);
    }
}

/* Spikes of the inputs changed: every output is touched. */
static void walk_all(walk *m, int l) {
    lanes_workspace *w = m->w;
    size_t g = w->layer_group[l];
    for (uint32_t o = 0; o < m->s->layer[l].outputs; o++) {
        start_terms(w);
        add_changes(m, l, o);
        if (g < w->layer_group[l + 1] && w->group[g].output == o)
            add_deltas(m, l, &w->group[g++]);
        if (w->terms.n > 0)
            settle(m, l, o);
    }
}

static void forget(lanes_changes *c) {
    for (uint32_t i = 0; i < c->n; i++)
        c->slot[c->neuron[i]] = -1;
    c->n = 0;
}

static void walk_layers(walk *m) {
    m->outside = m->k->outside_number;
    for (int l = 0; l < m->s->layers; l++) {
        if (m->w->change[l & 1].n > 0)
            walk_all(m, l);
        else
            walk_groups(m, l);
        forget(&m->w->change[l & 1]);
    }
    forget(&m->w->change[m->s->layers & 1]);
}

size_t snn_lanes_walk(const lanes_state *s, const lanes_tile *k, lanes_workspace *w, double *out) {
    walk m = {.s = s, .k = k, .w = w, .out = out};
    walk_layers(&m);
    return m.outside;
}

void snn_lanes_commit(lanes_state *s, lanes_tile *k, lanes_workspace *w) {
    walk m = {.s = s, .k = k, .commit = k, .w = w, .out = s->out};
    walk_layers(&m);
}

void snn_lanes_build(lanes_state *s, lanes_tile *k, lanes_workspace *w) {
    walk m = {.s = s, .k = k, .commit = k, .w = w, .out = s->out};
    for (int l = 0; l < s->layers; l++) {
        for (uint32_t o = 0; o < s->layer[l].outputs; o++) {
            start_terms(w);
            add_all(&m, l, o);
            settle(&m, l, o);
        }
        forget(&w->change[(l + 1) & 1]);
    }
}
