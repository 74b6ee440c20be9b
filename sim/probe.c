/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe: the public face. */
#include "probe_internal.h"
#include "weights_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct snn_probe_workspace {
    const snn_probe_way *way;
    void *state;
};

/* ---- results ---- */

bool snn_probe_result_init(snn_probe_result *r, size_t samples, uint32_t classes, snn_error *err) {
    *r = (snn_probe_result){.samples = samples, .classes = classes};
    r->out = snn_alloc(samples * classes, sizeof *r->out, "outputs of a probe", err);
    r->predicted = r->out ? snn_alloc(samples, sizeof *r->predicted, "predictions of a probe", err) : NULL;
    if (!r->predicted)
        snn_probe_result_free(r);
    return r->predicted != NULL;
}

void snn_probe_result_free(snn_probe_result *r) {
    free(r->out);
    free(r->predicted);
    *r = (snn_probe_result){0};
}

/* In blocks of samples, whose best outputs stay in registers. */
static void predict(snn_probe_result *r) {
    enum { BLOCK = 16 };
    for (size_t first = 0; first < r->samples; first += BLOCK) {
        const size_t n = r->samples - first < BLOCK ? r->samples - first : BLOCK;
        double best[BLOCK];
        int32_t *predicted = r->predicted + first;
        memcpy(best, r->out + first, n * sizeof *best);
        memset(predicted, 0, n * sizeof *predicted);
        for (uint32_t c = 1; c < r->classes; c++) {
            const double *out = r->out + c * r->samples + first;
            for (size_t i = 0; i < n; i++) {
                predicted[i] = out[i] > best[i] ? (int32_t)c : predicted[i];
                best[i] = out[i] > best[i] ? out[i] : best[i];
            }
        }
    }
}

/* ---- making and freeing ---- */

/* The values that codes of a tensor have, and how to get at them fast: a delta is checked in a few operations, as many sets have half a layer of them. */
struct snn_code_values {
    int32_t lowest, highest;
    int32_t odd;        /* 1: only odd values have codes (1 bit: -1 and 1) */
    int16_t value[256]; /* of each code, up to 8 bits */
};

static void list_values(const snn_tensor *t, snn_code_values *v) {
    const int32_t top = (INT32_C(1) << (t->bits - 1)) - 1;
    v->odd = t->bits == 1;
    v->highest = t->bits == 1 ? 1 : top;
    v->lowest = t->bits == 1 ? -1 : t->encoding == SNN_SIGN_MAGNITUDE ? -top : -top - 1;
    for (uint32_t code = 0; t->type == SNN_CODE_8 && code < UINT32_C(1) << t->bits; code++)
        v->value[code] = (int16_t)snn_code_value(t->encoding, t->bits, code);
}

static const snn_probe_way *choose(const snn_net *net, const snn_weights *weights,
                                   const snn_probe_options *options) {
    if (!snn_net_plain(net)) /* what keeps states besides membranes, or spikes of earlier steps */
        return !options->twin && snn_probe_tail.suits(net, weights, options) ? &snn_probe_tail
                                                                             : &snn_probe_twin;
    if (!options->twin && snn_probe_lanes.suits(net, weights, options))
        return &snn_probe_lanes;
    if (!options->twin && snn_probe_planes.suits(net, weights, options))
        return &snn_probe_planes;
    return &snn_probe_twin;
}

static bool check_samples(const snn_net *net, const snn_spikes *sample, size_t n, snn_error *err) {
    if (n == 0)
        return snn_fail(err, SNN_ERR_USAGE, "a probe needs at least one sample");
    for (size_t i = 0; i < n; i++) {
        if (sample[i].size != snn_shape_size(net->input))
            return snn_fail(err, SNN_ERR_DATA, "sample %zu of the probe has %u inputs, the network %u", i,
                            sample[i].size, snn_shape_size(net->input));
        for (size_t k = sample[i].first[0]; k < sample[i].first[sample[i].steps]; k++)
            if (sample[i].spike[k].index >= sample[i].size)
                return snn_fail(err, SNN_ERR_DATA, "sample %zu of the probe has a spike at input %u of %u", i,
                                sample[i].spike[k].index, sample[i].size);
    }
    return true;
}

static bool copy_parts(snn_probe *p, const snn_net *net, const snn_weights *weights, const bool *searched,
                       snn_error *err) {
    p->net = snn_net_copy(net, err);
    p->weights = p->net ? snn_weights_copy(weights, err) : NULL;
    p->searched =
        p->weights ? snn_alloc((size_t)net->tensors, sizeof *p->searched, "flags of tensors", err) : NULL;
    p->values =
        p->searched ? snn_alloc((size_t)net->tensors, sizeof *p->values, "values of codes", err) : NULL;
    if (!p->values)
        return false;
    for (int t = 0; t < net->tensors; t++) {
        p->searched[t] = searched ? searched[t] : true;
        if (weights->tensor[t].type != SNN_FLOAT32)
            list_values(&weights->tensor[t], &p->values[t]);
    }
    return true;
}

/* [n] numbers of the samples; malloc'ed. */
static uint64_t *number_samples(const uint64_t *number, size_t n, snn_error *err) {
    uint64_t *out = snn_alloc(n, sizeof *out, "numbers of samples", err);
    for (size_t i = 0; out && i < n; i++)
        out[i] = number ? number[i] : i;
    return out;
}

snn_probe *snn_probe_new(const snn_net *net, const snn_weights *weights, const bool *searched,
                         const snn_probe_options *options, const snn_spikes *sample, const uint64_t *number,
                         size_t n, snn_error *err) {
    if (!snn_weights_fit(weights, net, err) || !check_samples(net, sample, n, err))
        return NULL;
    snn_probe *p = snn_alloc(1, sizeof *p, "a probe", err);
    if (!p)
        return NULL;
    *p = (snn_probe){.way = choose(net, weights, options), .samples = n};
    uint64_t *numbers = number_samples(number, n, err);
    const bool copied = numbers && copy_parts(p, net, weights, searched, err);
    const snn_probe_setup setup = {p->net, p->weights, options, sample, numbers, n};
    if (copied)
        p->state = p->way->create(p, &setup, err);
    free(numbers);
    if (!p->state) {
        snn_probe_free(p);
        return NULL;
    }
    return p;
}

void snn_probe_free(snn_probe *p) {
    if (!p)
        return;
    if (p->state)
        p->way->destroy(p->state);
    snn_net_free(p->net);
    snn_weights_free(p->weights);
    free(p->searched);
    free(p->values);
    free(p);
}

size_t snn_probe_samples(const snn_probe *p) {
    return p->samples;
}

uint32_t snn_probe_classes(const snn_probe *p) {
    return p->net->classes;
}

const char *snn_probe_kind(const snn_probe *p) {
    return p->way->name;
}

snn_probe_workspace *snn_probe_workspace_new(const snn_probe *p, snn_error *err) {
    snn_probe_workspace *w = snn_alloc(1, sizeof *w, "a workspace of a probe", err);
    if (!w)
        return NULL;
    *w = (snn_probe_workspace){p->way, p->way->workspace_new(p->state, err)};
    if (!w->state) {
        free(w);
        return NULL;
    }
    return w;
}

void snn_probe_workspace_free(snn_probe_workspace *w) {
    if (!w)
        return;
    w->way->workspace_free(w->state);
    free(w);
}

/* ---- evaluating ---- */

static inline bool has_code(const snn_code_values *v, int64_t q) {
    return q >= v->lowest && q <= v->highest && (q & v->odd) == v->odd;
}

/* Deltas from `first` on that are in tensor t, in order, inside, and have codes. Returns the first that is not. */
static size_t check_run(const snn_tensor *t, const snn_delta *delta, size_t first, size_t n,
                        const snn_code_values *v) {
    const uint32_t tensor = delta[first].tensor;
    uint64_t least = 0; /* that the next index may be */
    size_t i = first;
    for (; i < n && delta[i].tensor == tensor && delta[i].index >= least && delta[i].index < t->count; i++) {
        const uint64_t index = delta[i].index;
        const int32_t q = t->type == SNN_CODE_8 ? v->value[t->code8[index]] : snn_weight_q(t, index);
        if (!has_code(v, (int64_t)q + delta[i].dq))
            break;
        least = index + 1;
    }
    return i;
}

/* What is wrong with delta i, the first that is. */
static bool bad_delta(const snn_probe *p, const snn_delta *delta, size_t i, snn_error *err) {
    const snn_delta *d = &delta[i];
    if (d->tensor >= (uint32_t)p->weights->tensors || !p->searched[d->tensor])
        return snn_fail(err, SNN_ERR_DATA, "delta %zu is in tensor %u, which is not searched", i, d->tensor);
    const snn_tensor *t = &p->weights->tensor[d->tensor];
    if (t->type == SNN_FLOAT32 || d->index >= t->count)
        return snn_fail(err, SNN_ERR_DATA,
                        "delta %zu is at weight %" PRIu64 " of layer '%s', which has %" PRIu64 " codes", i,
                        d->index, t->name, t->type == SNN_FLOAT32 ? 0 : t->count);
    if (i > 0 && (d->tensor < d[-1].tensor || (d->tensor == d[-1].tensor && d->index <= d[-1].index)))
        return snn_fail(err, SNN_ERR_DATA, "delta %zu is not behind the one before it", i);
    return snn_fail(err, SNN_ERR_DATA,
                    "delta %zu gives weight %" PRIu64 " of layer '%s' the value %" PRId64
                    ", which has no code",
                    i, d->index, t->name, (int64_t)snn_weight_q(t, d->index) + d->dq);
}

static bool check_deltas(const snn_probe *p, const snn_delta *delta, size_t n, snn_error *err) {
    for (size_t i = 0; i < n;) {
        const uint32_t tensor = delta[i].tensor;
        if (tensor >= (uint32_t)p->weights->tensors || !p->searched[tensor] ||
            p->weights->tensor[tensor].type == SNN_FLOAT32 || (i > 0 && tensor <= delta[i - 1].tensor))
            return bad_delta(p, delta, i, err);
        i = check_run(&p->weights->tensor[tensor], delta, i, n, &p->values[tensor]);
        if (i < n && delta[i].tensor == tensor)
            return bad_delta(p, delta, i, err);
    }
    return true;
}

bool snn_probe_eval(const snn_probe *p, const snn_delta *delta, size_t n, snn_probe_workspace *w,
                    snn_probe_result *r, snn_error *err) {
    if (r->samples != p->samples || r->classes != p->net->classes)
        return snn_fail(err, SNN_ERR_DATA, "the result was made for another probe");
    if (!check_deltas(p, delta, n, err) || !p->way->eval(p->state, delta, n, w->state, r->out, err))
        return false;
    predict(r);
    return true;
}

bool snn_probe_rebase(snn_probe *p, const snn_delta *delta, size_t n, snn_error *err) {
    if (!check_deltas(p, delta, n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        snn_tensor_add(&p->weights->tensor[delta[i].tensor], delta[i].index, delta[i].dq);
    return p->way->rebase(p->state, delta, n, err);
}
