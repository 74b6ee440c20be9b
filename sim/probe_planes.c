/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for networks with convolutions: one evaluation, layer by layer (see probe_planes.h). */
#include "probe_planes.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

/* What callers hold: one of the two. */
typedef struct {
    planes_workspace *own;
    void *twin;
} handle;

static bool suits(const snn_net *net, const snn_weights *weights, const snn_probe_options *options) {
    (void)net;
    for (int i = 0; i < weights->tensors; i++)
        if (weights->tensor[i].type == SNN_FLOAT32)
            return false;
    return !options->hook;
}

/* ---- read-out ---- */

bool snn_planes_reads_membrane(const planes *p, int stage) {
    return p->engine->membrane_readout && stage + 1 == p->stages;
}

/* Classes count in C order: by channel, then pixel. */
static size_t class_of(const planes_stage *g, uint32_t output, uint32_t pixel) {
    return (size_t)output * g->s->out.height * g->s->out.width + pixel;
}

void snn_planes_read_membrane(const planes *p, const planes_stage *g, size_t sample, uint32_t output,
                              uint32_t pixel, const int32_t *v, size_t step, double *out) {
    double sum = 0;
    for (int t = 0; t < planes_steps(p, sample); t++) {
        float x;
        memcpy(&x, v + (size_t)t * step, sizeof x);
        sum +=
            g->neuron.fixed ? (double)v[(size_t)t * step] / 64 * (double)g->neuron.factor[output] : (double)x;
    }
    out[class_of(g, output, pixel) * p->samples + sample] = sum;
}

/* Spikes of the last layer that changed, of one sample. */
static void read_spikes(const planes *p, const planes_difference *d, size_t sample, double *out) {
    const planes_signal *g = &p->signal[p->stages];
    const planes_stage *last = &p->stage[p->stages - 1];
    size_t at = p->first_step[sample] * g->pixels;
    for (int t = 0; t < planes_steps(p, sample); t++, at += g->pixels)
        for (size_t i = 0; i < g->pixels; i++)
            for (uint32_t k = 0; k < g->words; k++)
                for (uint64_t x = planes_changed(g, d, at + i)[k]; x; x &= x - 1) {
                    const uint32_t c = (uint32_t)__builtin_ctzll(x);
                    out[class_of(last, k * BLOCK + c, (uint32_t)i) * p->samples + sample] +=
                        g->bits[(at + i) * g->words + k] >> c & 1 ? -1 : 1;
                }
}

static void read_out(const planes *p, planes_workspace *w) {
    const planes_difference *d = &w->difference[p->stages];
    for (size_t s = 0; s < p->samples; s++)
        if (d->dirty[s])
            read_spikes(p, d, s, w->out);
}

/* ---- workspace ---- */

/* Steps that differences of a signal are kept of at a time. */
static size_t kept_steps(const planes *p, int signal, bool whole) {
    size_t samples = 1;
    if (whole || signal == p->stages || !p->stage[signal].pool)
        return p->first_step[p->samples];
    for (int i = signal - 1; i >= 0;
         i--) { /* of a tile of the stage that makes it, perhaps through other pools */
        if (p->stage[i].pool)
            continue;
        samples = p->stage[i].searched ? p->stage[i].near.tile_samples : 1;
        break;
    }
    return (samples < p->samples ? samples : p->samples) * (size_t)p->most_steps;
}

static bool make_difference(const planes *p, int signal, bool whole, planes_difference *d, snn_error *err) {
    const planes_signal *g = &p->signal[signal];
    const size_t steps = kept_steps(p, signal, whole);
    const char *what = "a workspace of a probe";
    d->dirty = snn_alloc(p->samples, sizeof *d->dirty, what, err);
    if (!d->dirty || signal == 0) /* the input does not change */
        return d->dirty != NULL;
    if (!g->counted)
        return (d->changed = snn_alloc(steps, g->pixels * g->words * sizeof *d->changed, what, err));
    d->count = snn_alloc(steps, g->pixels * g->shape.channels * sizeof *d->count, what, err);
    d->moved = snn_alloc(steps, g->pixels * sizeof *d->moved, what, err);
    return d->count && d->moved;
}

static bool make_scratch(const planes *p, planes_workspace *w, snn_error *err) {
    const char *what = "a workspace of a probe";
    const size_t steps = (size_t)p->most_steps + 1, stages = (size_t)p->stages;
    size_t tile = 1, outputs = BLOCK;
    for (int i = 0; i < p->stages; i++) {
        const planes_stage *g = &p->stage[i];
        for (size_t k = 0; k < g->near.tiles; k++) {
            const size_t lanes = (size_t)g->near.tile[k].steps * g->near.tile[k].lanes;
            tile = lanes > tile ? lanes : tile;
        }
        outputs = (size_t)g->blocks * BLOCK > outputs ? (size_t)g->blocks * BLOCK : outputs;
    }
    const bool lanes = snn_planes_reads_membrane(p, p->stages - 1);
    return (w->rows8 = snn_alloc(stages, sizeof *w->rows8, what, err)) &&
           (w->rows16 = snn_alloc(stages, sizeof *w->rows16, what, err)) &&
           (w->version = snn_alloc(stages, sizeof *w->version, what, err)) &&
           (w->slot = snn_alloc(outputs, sizeof *w->slot, what, err)) &&
           (w->membrane = snn_alloc(steps, 2 * BLOCK * sizeof *w->membrane, what, err)) &&
           (w->sum = snn_alloc(steps, 2 * BLOCK * sizeof *w->sum, what, err)) &&
           (w->base = snn_alloc(steps, 2 * BLOCK * sizeof *w->base, what, err)) &&
           (w->lane_changed = snn_alloc(tile / 8 + 8, 1, what, err)) &&
           (!lanes || (w->lane_membrane = snn_alloc(tile, sizeof *w->lane_membrane, what, err))) &&
           snn_planes_list_reserve(p, w, err);
}

static void clear_workspace(planes_workspace *w) {
    if (!w)
        return;
    const int stages = w->p->stages;
    for (int i = 0; w->difference && i <= stages; i++) {
        free(w->difference[i].dirty);
        free(w->difference[i].changed);
        free(w->difference[i].count);
        free(w->difference[i].moved);
    }
    for (int i = 0; i < stages; i++) {
        if (w->rows8)
            free(w->rows8[i]);
        if (w->rows16)
            free(w->rows16[i]);
    }
    free(w->difference);
    free(w->rows8);
    free(w->rows16);
    free(w->version);
    free(w->slot);
    free(w->membrane);
    free(w->sum);
    free(w->base);
    free(w->lane_changed);
    free(w->lane_membrane);
    free(w->extra);
    free(w->shift);
    free(w->gather.entry);
    free(w->gather.count);
    free(w->gather.start);
    free(w->gather.total);
    free(w->gather.window);
    snn_planes_list_free(&w->list);
    free(w);
}

static planes_workspace *make_workspace(const planes *p, bool whole, snn_error *err) {
    planes_workspace *w = snn_alloc(1, sizeof *w, "a workspace of a probe", err);
    if (!w)
        return NULL;
    w->p = p;
    w->whole = whole;
    w->difference = snn_alloc((size_t)p->stages + 1, sizeof *w->difference, "a workspace of a probe", err);
    bool ok = w->difference != NULL;
    for (int i = 0; ok && i <= p->stages; i++)
        ok = make_difference(p, i, whole, &w->difference[i], err);
    if (!ok || !make_scratch(p, w, err)) {
        clear_workspace(w);
        return NULL;
    }
    return w;
}

static bool is_dirty(const planes *p, int signal, const planes_workspace *w) {
    for (size_t s = 0; s < p->samples; s++)
        if (w->difference[signal].dirty[s])
            return true;
    return false;
}

/* ---- evaluating ---- */

/* Deltas of a stage, from *at on. */
static planes_deltas deltas_of(const planes_stage *g, const snn_delta *delta, size_t n, size_t *at) {
    planes_deltas d = {delta + *at, 0};
    while (!g->pool && *at < n && delta[*at].tensor == (uint32_t)g->s->tensor) {
        (*at)++;
        d.n++;
    }
    return d;
}

static bool run_stage(const planes *p, int stage, planes_deltas d, planes_workspace *w, snn_error *err) {
    const planes_stage *g = &p->stage[stage];
    const bool inputs = is_dirty(p, stage, w);
    if (g->pool) {
        snn_planes_pool_run(p, stage, 0, p->samples, w);
        return true;
    }
    if (!inputs && d.n == 0)
        return true;
    const bool many = d.n > 0 && snn_planes_near_cost(p, stage, d) > snn_planes_far_cost(p, stage);
    if (!inputs && !many)
        return snn_planes_near_run(p, stage, d, w, err);
    const planes_far f = {.d = d, .anew = many, .every = d.n > 0};
    return snn_planes_far_run(p, stage, &f, w, err);
}

static bool eval(const void *state, const snn_delta *delta, size_t n, void *workspace, double *out,
                 snn_error *err) {
    const planes *p = state;
    const handle *h = workspace;
    if (p->twin)
        return snn_probe_twin.eval(p->twin, delta, n, h->twin, out, err);
    planes_workspace *w = h->own;
    bool ok = true;
    size_t at = 0;
    memcpy(out, p->out, p->classes * p->samples * sizeof *out);
    w->out = out;
    for (int i = 0; ok && i < p->stages; i++) {
        ok = run_stage(p, i, deltas_of(&p->stage[i], delta, n, &at), w, err);
        if (ok)
            snn_planes_forget(p, i, 0, p->samples, w);
    }
    if (ok)
        read_out(p, w);
    for (int i = 0; i <= p->stages; i++)
        snn_planes_forget(p, i, 0, p->samples, w);
    return ok;
}

/* ---- the base ---- */

/* Few weights of the stage change, its inputs do not: sums are added to where they stand. */
static bool move_weights(planes *p, int stage, planes_deltas d, planes_workspace *w, snn_error *err) {
    if (!snn_planes_near_run(p, stage, d, w, err))
        return false;
    for (size_t k = 0; k < p->stage[stage].near.tiles; k++)
        if (!snn_planes_near_extra(p, stage, d, k, w, err) || !snn_planes_keep_extra(p, stage, k, w, err))
            return false;
    return true;
}

/* Moves the base of a stage, whose rows hold the new weights. */
static bool move_stage(planes *p, int stage, bool build, planes_deltas d, planes_workspace *w,
                       snn_error *err) {
    const bool inputs = is_dirty(p, stage, w), anew = build || d.n > 0;
    if (p->stage[stage].pool) {
        snn_planes_pool_run(p, stage, 0, p->samples, w);
        return true;
    }
    if (!anew && !inputs)
        return true;
    if (!build && !inputs && snn_planes_near_cost(p, stage, d) < snn_planes_far_cost(p, stage))
        return move_weights(p, stage, d, w, err);
    const planes_far f = {.anew = anew, .every = anew, .keep = p};
    return snn_planes_far_run(p, stage, &f, w, err);
}

/* build: all stages, from nothing. */
static bool move_base(planes *p, const snn_delta *delta, size_t n, bool build, snn_error *err) {
    planes_workspace *w = make_workspace(p, true, err);
    bool ok = w != NULL;
    size_t at = 0;
    if (w)
        w->out = p->out;
    for (int i = 0; ok && i < p->stages; i++) {
        const planes_deltas d = deltas_of(&p->stage[i], delta, n, &at);
        if (d.n > 0)
            snn_planes_patch(p, i, d, 1, p->stage[i].rows8, p->stage[i].rows16);
        ok = move_stage(p, i, build, d, w, err);
    }
    if (ok)
        read_out(p, w);
    for (int i = 1; ok && i <= p->stages; i++)
        snn_planes_keep_signal(p, i, &w->difference[i]);
    clear_workspace(w);
    p->version++;
    return ok;
}

static bool rebase(void *state, const snn_delta *delta, size_t n, snn_error *err) {
    planes *p = state;
    if (p->twin)
        return snn_probe_twin.rebase(p->twin, delta, n, err);
    return move_base(p, delta, n, false, err);
}

static void destroy(void *state) {
    planes *p = state;
    if (p->twin)
        snn_probe_twin.destroy(p->twin);
    snn_planes_clear(p);
    free(p);
}

static void *create(const snn_probe *probe, const snn_probe_setup *s, snn_error *err) {
    const snn_engine_options o = {.arithmetic = s->options->arithmetic, .simd = s->options->simd};
    planes *p = snn_alloc(1, sizeof *p, "a probe", err);
    if (!p)
        return NULL;
    bool fast = true;
    p->probe = probe;
    p->classes = s->net->classes;
    p->engine = snn_engine_new(s->net, s->weights, &o, err);
    p->kernels = p->engine ? snn_planes_kernels_for(o.simd) : NULL;
    bool ok = p->engine && snn_planes_build(p, s, &fast, err);
    if (ok && fast) {
        p->out = snn_alloc(p->classes, p->samples * sizeof *p->out, "a probe", err);
        ok = p->out && move_base(p, NULL, 0, true, err);
    } else if (ok) {
        p->twin = snn_probe_twin.create(probe, s, err);
        ok = p->twin != NULL;
    }
    if (!ok) {
        destroy(p);
        return NULL;
    }
    return p;
}

static void workspace_free(void *workspace) {
    handle *h = workspace;
    if (h->twin)
        snn_probe_twin.workspace_free(h->twin);
    clear_workspace(h->own);
    free(h);
}

static void *workspace_new(const void *state, snn_error *err) {
    const planes *p = state;
    handle *h = snn_alloc(1, sizeof *h, "a workspace of a probe", err);
    if (!h)
        return NULL;
    if (p->twin)
        h->twin = snn_probe_twin.workspace_new(p->twin, err);
    else
        h->own = make_workspace(p, false, err);
    if (h->twin || h->own)
        return h;
    free(h);
    return NULL;
}

const snn_probe_way snn_probe_planes = {"planes",      suits,          create, destroy,
                                        workspace_new, workspace_free, eval,   rebase};
