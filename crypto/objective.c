/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The objective of a search: what a thief's network does with the samples when a set of candidates is flipped. One probe for the ideal network, or one for each modelled chip.
 *
 * A probe stands at a base (a set of candidates that is flipped in it already); a set is evaluated as the difference from there. For the plain network what a set does follows from codes, for a
 * chip from what it would read (snn_readout_deltas). Both hold weight by weight: what happens to one weight depends on its own bits alone.
 */
#include "candidates_internal.h"
#include "search_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A chip, or the ideal network. */
typedef struct {
    const snn_readout *readout; /* NULL: ideal */
    snn_probe *probe;
    snn_delta *base; /* [bases] what the base does to the plain weights, ascending */
    size_t bases;
} view;

struct snn_objective {
    const snn_candidates *candidates;
    snn_goal goal;
    snn_net *net;
    snn_arithmetic arithmetic;
    snn_spikes *sample; /* [n] */
    int *label;         /* [n] */
    size_t n;
    view *view; /* [views] */
    uint32_t views;
    snn_set base;
    snn_guide guide;
    bool broken; /* a rebase failed half-way */
    int threads;
    snn_objective_workspace **workspace; /* [threads] made when first used */
};

struct snn_objective_workspace {
    snn_probe_workspace **probe; /* [views] */
    uint32_t views;
    snn_probe_result result;
    double *scratch;   /* [2 n] */
    snn_delta *change; /* of the set */
    snn_delta *step;   /* from the base to the set */
    snn_flip *flip;
    size_t change_room, step_room, flip_room;
};

/* ---- making ---- */

static bool check_labels(const snn_objective_options *o, const int *label, size_t n, snn_error *err) {
    if (!(o->goal.margin >= 0 && isfinite(o->goal.margin)))
        return snn_fail(err, SNN_ERR_USAGE, "the margin is %g, expected 0 or more", o->goal.margin);
    if (o->net->classes < 2)
        return snn_fail(err, SNN_ERR_USAGE, "a search needs a network with at least two classes");
    for (size_t i = 0; i < n; i++)
        if (label[i] < 0 || (uint32_t)label[i] >= o->net->classes)
            return snn_fail(err, SNN_ERR_DATA, "sample %zu has class %d, the network only 0 .. %u", i,
                            label[i], o->net->classes - 1);
    return true;
}

static bool check_candidates(const snn_objective_options *o, const snn_candidates *c, snn_error *err) {
    char ours[65], theirs[65];
    snn_weights_digest(o->weights, ours);
    snn_weights_digest(c->weights, theirs);
    if (strcmp(ours, theirs) != 0)
        return snn_fail(err, SNN_ERR_DATA, "the candidates are bits of other weights");
    for (uint32_t i = 0; o->searched && i < c->n; i++)
        if (!o->searched[c->flip[i].tensor])
            return snn_fail(err, SNN_ERR_DATA, "candidates of layer '%s', which is not searched",
                            o->weights->tensor[c->flip[i].tensor].name);
    return true;
}

static bool copy_samples(snn_objective *o, const snn_spikes *sample, const int *label, size_t n,
                         snn_error *err) {
    o->sample = snn_alloc(n, sizeof *o->sample, "samples of an objective", err);
    o->label = o->sample ? snn_alloc(n, sizeof *o->label, "labels of an objective", err) : NULL;
    if (!o->label)
        return false;
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        if (!snn_spikes_copy(&o->sample[i], &sample[i], err))
            return false;
        o->label[i] = label[i];
    }
    return true;
}

static bool make_views(snn_objective *o, const snn_objective_options *from, snn_error *err) {
    const uint32_t views = from->chips > 0 ? from->chips : 1;
    o->view = snn_alloc(views, sizeof *o->view, "chips of an objective", err);
    if (!o->view)
        return false;
    for (; o->views < views; o->views++) {
        view *v = &o->view[o->views];
        v->readout = from->chips > 0 ? from->readout[o->views] : NULL;
        const snn_probe_options options = {.arithmetic = from->arithmetic,
                                           .simd = from->simd,
                                           .hook = v->readout ? snn_readout_hook(v->readout) : NULL};
        const snn_weights *weights = v->readout ? snn_readout_weights(v->readout) : from->weights;
        v->probe = snn_probe_new(from->net, weights, from->searched, &options, o->sample, NULL, o->n, err);
        if (!v->probe)
            return v->readout ? snn_error_context(err, "chip %u of the objective", o->views) : false;
    }
    return true;
}

/* What a class puts out that fires in every step of every sample. */
static double most_output(const snn_objective *o) {
    if (o->net->layer[o->net->layers - 1].neuron.type == SNN_NEURON_LI)
        return 0;
    for (size_t i = 1; i < o->n; i++)
        if (o->sample[i].steps != o->sample[0].steps)
            return 0;
    return o->n > 0 ? o->sample[0].steps : 0;
}

snn_objective *snn_objective_new(const snn_objective_options *from, const snn_candidates *candidates,
                                 const snn_spikes *sample, const int *label, size_t n, snn_error *err) {
    if (!check_labels(from, label, n, err) || !snn_weights_fit(from->weights, from->net, err) ||
        !check_candidates(from, candidates, err))
        return NULL;
    snn_objective *o = snn_alloc(1, sizeof *o, "an objective", err);
    if (!o)
        return NULL;
    *o = (snn_objective){.candidates = candidates,
                         .goal = from->goal,
                         .arithmetic = from->arithmetic,
                         .threads = from->threads > 0 ? from->threads : 1};
    o->net = snn_net_copy(from->net, err);
    o->workspace = o->net ? snn_alloc((size_t)o->threads, sizeof(void *), "workspaces", err) : NULL;
    if (!o->workspace || !copy_samples(o, sample, label, n, err) || !make_views(o, from, err)) {
        snn_objective_free(o);
        return NULL;
    }
    o->goal.most = most_output(o);
    return o;
}

void snn_objective_free(snn_objective *o) {
    if (!o)
        return;
    for (int t = 0; o->workspace && t < o->threads; t++)
        snn_objective_workspace_free(o->workspace[t]);
    free(o->workspace);
    for (uint32_t i = 0; i < o->views; i++) {
        snn_probe_free(o->view[i].probe);
        free(o->view[i].base);
    }
    free(o->view);
    for (size_t i = 0; o->sample && i < o->n; i++)
        snn_spikes_free(&o->sample[i]);
    free(o->sample);
    free(o->label);
    snn_set_free(&o->base);
    snn_net_free(o->net);
    free(o);
}

void snn_objective_guide(snn_objective *o, const snn_guide *guide) {
    o->guide = guide ? *guide : (snn_guide){.kind = SNN_GUIDE_NONE};
}

/* ---- what it is made of ---- */

const snn_goal *snn_objective_goal(const snn_objective *o) {
    return &o->goal;
}

const snn_candidates *snn_objective_candidates(const snn_objective *o) {
    return o->candidates;
}

snn_arithmetic snn_objective_arithmetic(const snn_objective *o) {
    return o->arithmetic;
}

size_t snn_objective_samples(const snn_objective *o) {
    return o->n;
}

uint32_t snn_objective_chips(const snn_objective *o) {
    return o->views;
}

int snn_objective_threads(const snn_objective *o) {
    return o->threads;
}

const snn_net *snn_objective_net(const snn_objective *o) {
    return o->net;
}

const snn_spikes *snn_objective_sample(const snn_objective *o, size_t i) {
    return &o->sample[i];
}

int snn_objective_label(const snn_objective *o, size_t i) {
    return o->label[i];
}

static void digest_samples(const snn_objective *o, snn_digest *d) {
    snn_digest_u64(d, o->n);
    for (size_t i = 0; i < o->n; i++) {
        const snn_spikes *x = &o->sample[i];
        snn_digest_u64(d, (uint64_t)o->label[i]);
        snn_digest_u64(d, (uint64_t)x->steps);
        for (int t = 0; t <= x->steps; t++)
            snn_digest_u64(d, x->first[t]);
        /* a spike is two 32-bit words */
        snn_digest_u32(d, (const uint32_t *)(const void *)x->spike, 2 * x->first[x->steps]);
    }
}

static void digest_real(snn_digest *d, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    snn_digest_u64(d, bits);
}

/* What single flips do on a chip: it tells devices, ages and chips apart. Of very many candidates evenly spaced ones will do. */
static bool digest_chip(const snn_objective *o, const snn_readout *r, snn_digest *d, snn_error *err) {
    enum { ENOUGH = 65536 };
    const uint32_t n = o->candidates->n, stride = n / ENOUGH + 1;
    for (uint32_t i = 0; i < n; i += stride) {
        snn_delta delta = {0};
        size_t found = 1;
        if (!snn_readout_deltas(r, &(snn_flips){1, &o->candidates->flip[i]}, &delta, &found, err))
            return false;
        snn_digest_u64(d, found ? (uint64_t)delta.dq : 0);
    }
    return true;
}

bool snn_objective_digest(const snn_objective *o, snn_digest *d, snn_error *err) {
    char *json = snn_net_to_json(o->net, err), hex[65];
    if (!json)
        return false;
    snn_digest_bytes(d, json, strlen(json) + 1);
    free(json);
    snn_digest_u64(d, o->arithmetic);
    snn_digest_u64(d, o->goal.target);
    snn_digest_u64(d, o->goal.largest);
    digest_real(d, o->goal.margin);
    digest_samples(o, d);
    snn_weights_digest(o->candidates->weights, hex);
    snn_digest_bytes(d, hex, sizeof hex);
    snn_digest_u64(d, o->views);
    for (uint32_t i = 0; i < o->views; i++) {
        snn_digest_u64(d, o->view[i].readout != NULL);
        if (!o->view[i].readout)
            continue;
        snn_weights_digest(snn_readout_weights(o->view[i].readout), hex);
        snn_digest_bytes(d, hex, sizeof hex);
        /* what varies from read to read: nothing, or how much */
        digest_real(d, snn_readout_about(o->view[i].readout)->read_error_rate);
        if (!digest_chip(o, o->view[i].readout, d, err))
            return false;
    }
    return true;
}

/* ---- workspaces ---- */

snn_objective_workspace *snn_objective_workspace_new(const snn_objective *o, snn_error *err) {
    snn_objective_workspace *w = snn_alloc(1, sizeof *w, "a workspace of an objective", err);
    if (!w)
        return NULL;
    w->probe = snn_alloc(o->views, sizeof(void *), "workspaces of probes", err);
    w->scratch = w->probe ? snn_alloc(2 * o->n, sizeof *w->scratch, "scratch of scores", err) : NULL;
    bool ok = w->scratch && snn_probe_result_init(&w->result, o->n, o->net->classes, err);
    for (; ok && w->views < o->views; w->views += ok) {
        w->probe[w->views] = snn_probe_workspace_new(o->view[w->views].probe, err);
        ok = w->probe[w->views] != NULL;
    }
    if (!ok) {
        snn_objective_workspace_free(w);
        return NULL;
    }
    return w;
}

void snn_objective_workspace_free(snn_objective_workspace *w) {
    if (!w)
        return;
    for (uint32_t i = 0; w->probe && i < w->views; i++)
        snn_probe_workspace_free(w->probe[i]);
    free(w->probe);
    snn_probe_result_free(&w->result);
    free(w->scratch);
    free(w->change);
    free(w->step);
    free(w->flip);
    free(w);
}

snn_objective_workspace *snn_objective_own(snn_objective *o, int thread, snn_error *err) {
    if (!o->workspace[thread])
        o->workspace[thread] = snn_objective_workspace_new(o, err);
    return o->workspace[thread];
}

/* ---- evaluating ---- */

/* What items [n] do to the weights as `v` sees them: into w->change; *out of them. */
static bool changes(const snn_objective *o, const view *v, const uint32_t *item, uint32_t n,
                    snn_objective_workspace *w, size_t *out, snn_error *err) {
    const snn_candidates *c = o->candidates;
    if (!snn_grow((void **)&w->change, &w->change_room, n, sizeof *w->change, err))
        return false;
    if (!v->readout) {
        *out = snn_candidates_deltas(c, item, n, w->change);
        return true;
    }
    if (!snn_grow((void **)&w->flip, &w->flip_room, n, sizeof *w->flip, err))
        return false;
    for (uint32_t i = 0; i < n; i++)
        w->flip[i] = c->flip[item[i]];
    *out = n;
    return snn_readout_deltas(v->readout, &(snn_flips){n, w->flip}, w->change, out, err);
}

static int compare(const snn_delta *a, const snn_delta *b) {
    if (a->tensor != b->tensor)
        return a->tensor < b->tensor ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* to [at most n + m] = a - b, without zeros. */
static size_t difference(const snn_delta *a, size_t n, const snn_delta *b, size_t m, snn_delta *to) {
    size_t i = 0, k = 0, out = 0;
    while (i < n || k < m) {
        const int order = i == n ? 1 : k == m ? -1 : compare(&a[i], &b[k]);
        if (order < 0) {
            to[out++] = a[i++];
        } else if (order > 0) {
            to[out] = b[k++];
            to[out].dq = -to[out].dq;
            out++;
        } else {
            const int32_t dq = a[i].dq - b[k].dq;
            if (dq != 0)
                to[out++] = (snn_delta){a[i].tensor, dq, a[i].index};
            i++, k++;
        }
    }
    return out;
}

/* Adds the score of one view to those before it. */
static bool probe(const snn_objective *o, uint32_t v, const snn_delta *delta, size_t n,
                  snn_objective_workspace *w, snn_score *sum, snn_error *err) {
    if (!snn_probe_eval(o->view[v].probe, delta, n, w->probe[v], &w->result, err))
        return false;
    snn_score s = snn_objective_score(&o->goal, &w->result, o->label, w->scratch);
    if (o->guide.kind != SNN_GUIDE_NONE)
        s.guide = snn_guide_value(&o->guide, &o->goal, &w->result, o->label);
    if (v == 0) {
        *sum = s;
        return true;
    }
    sum->correct += s.correct;
    sum->right += s.right;
    sum->largest += s.largest;
    sum->loss += s.loss;
    sum->lead += s.lead;
    sum->guide += s.guide;
    return true;
}

static void mean_of_views(const snn_objective *o, snn_score *s) {
    if (o->views > 1) {
        s->loss /= o->views;
        s->lead /= o->views;
        s->guide /= o->views;
    }
}

static bool usable(const snn_objective *o, snn_error *err) {
    return !o->broken || snn_fail(err, SNN_ERR_RUNTIME, "the objective was left half-way by an error");
}

bool snn_objective_eval(const snn_objective *o, const uint32_t *item, uint32_t n, snn_objective_workspace *w,
                        snn_score *score, snn_error *err) {
    if (!usable(o, err))
        return false;
    for (uint32_t i = 0; i < o->views; i++) {
        const view *v = &o->view[i];
        size_t changed;
        if (!changes(o, v, item, n, w, &changed, err))
            return false;
        const snn_delta *delta = w->change;
        if (v->bases > 0) {
            if (!snn_grow((void **)&w->step, &w->step_room, changed + v->bases, sizeof *w->step, err))
                return false;
            changed = difference(w->change, changed, v->base, v->bases, w->step);
            delta = w->step;
        }
        if (!probe(o, i, delta, changed, w, score, err))
            return false;
    }
    mean_of_views(o, score);
    return true;
}

/* Most bits of a weight's code. */
enum { CODE_BITS = 16 };

/* Items of the base that are bits of the same weight as `item` (without it): into `with`; *in: is item in the base? They stand beside it, in candidates as in the base. */
static uint32_t beside(const snn_objective *o, uint32_t item, uint32_t *with, bool *in) {
    const snn_flip *f = &o->candidates->flip[item];
    uint32_t low = 0, high = o->base.n, n = 0;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (o->base.item[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && snn_candidate_same(f, &o->candidates->flip[o->base.item[low - 1]]))
        low--;
    *in = false;
    for (; low < o->base.n && snn_candidate_same(f, &o->candidates->flip[o->base.item[low]]); low++)
        if (o->base.item[low] == item)
            *in = true;
        else
            with[n++] = o->base.item[low];
    return n;
}

/* with [n] and item, ascending. */
static void insert(uint32_t *with, uint32_t n, uint32_t item) {
    uint32_t at = n;
    for (; at > 0 && with[at - 1] > item; at--)
        with[at] = with[at - 1];
    with[at] = item;
}

bool snn_objective_toggle(const snn_objective *o, uint32_t item, snn_objective_workspace *w, snn_score *score,
                          snn_error *err) {
    uint32_t out[CODE_BITS], with[CODE_BITS];
    bool in;
    if (!usable(o, err))
        return false;
    /* The weight's bits without the item, and with it: one of them is what the base has. */
    const uint32_t n = beside(o, item, out, &in);
    memcpy(with, out, n * sizeof *with);
    insert(with, n, item);
    for (uint32_t i = 0; i < o->views; i++) {
        const view *v = &o->view[i];
        size_t k;
        int32_t dq = 0;
        if (!changes(o, v, with, n + 1, w, &k, err))
            return false;
        dq += k > 0 ? w->change[0].dq : 0;
        if (!changes(o, v, out, n, w, &k, err))
            return false;
        dq -= k > 0 ? w->change[0].dq : 0;
        const snn_flip *f = &o->candidates->flip[item];
        const snn_delta delta = {f->tensor, in ? -dq : dq, f->index};
        if (!probe(o, i, &delta, dq != 0, w, score, err))
            return false;
    }
    mean_of_views(o, score);
    return true;
}

/* ---- the base ---- */

static bool move_view(const snn_objective *o, view *v, const snn_set *base, snn_objective_workspace *w,
                      snn_error *err) {
    size_t n;
    if (!changes(o, v, base->item, base->n, w, &n, err) ||
        !snn_grow((void **)&w->step, &w->step_room, n + v->bases, sizeof *w->step, err))
        return false;
    snn_delta *kept = snn_alloc(n, sizeof *kept, "changes of a base", err);
    if (!kept)
        return false;
    const size_t steps = difference(w->change, n, v->base, v->bases, w->step);
    if (n > 0)
        memcpy(kept, w->change, n * sizeof *kept);
    free(v->base);
    v->base = kept;
    v->bases = n;
    return snn_probe_rebase(v->probe, w->step, steps, err);
}

bool snn_objective_rebase(snn_objective *o, const snn_set *base, snn_error *err) {
    snn_objective_workspace *w = snn_objective_own(o, 0, err);
    if (!w || !usable(o, err))
        return false;
    if (o->base.n == base->n &&
        (base->n == 0 || memcmp(o->base.item, base->item, base->n * sizeof *base->item) == 0))
        return true;
    o->broken = true;
    for (uint32_t i = 0; i < o->views; i++)
        if (!move_view(o, &o->view[i], base, w, err))
            return false;
    if (!snn_set_copy(&o->base, base, err))
        return false;
    o->broken = false;
    return true;
}
