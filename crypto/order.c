/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules that order candidate bits without evaluating them: how much a flip changes a weight, and how often the weight's input spikes. */
#include "order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rates ---- */

/* Layer whose spikes layer `layer` reads; -1: the network's input. A flatten layer passes them on in the same order. */
static int source_of(const snn_net *net, int layer) {
    int s = layer - 1;
    while (s >= 0 && net->layer[s].type == SNN_LAYER_FLATTEN)
        s--;
    return s;
}

typedef struct {
    const snn_net *net;
    double **sum; /* [layers + 1] spikes of each neuron, the input first; NULL: nobody asks */
    bool *trace;  /* [layers] */
    double steps; /* of all samples */
} counting;

static bool add_spikes(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    counting *c = context;
    double *sum = c->sum[layer + 1];
    const uint32_t n = snn_shape_size(c->net->layer[layer].out);
    (void)step, (void)membrane, (void)err;
    for (uint32_t i = 0; i < n; i++)
        sum[i] += spikes[i];
    return true;
}

static bool count_sample(const snn_objective *o, size_t i, const snn_engine *engine, snn_workspace *w,
                         counting *c, snn_error *err) {
    const snn_spikes *x = snn_objective_sample(o, i);
    const snn_trace trace = {.context = c, .layer = c->trace, .step = add_spikes};
    snn_result result;
    if (!snn_result_init(&result, c->net, x->steps, err))
        return false;
    const bool ok = snn_engine_run(engine, x, i, w, &trace, &result, err);
    snn_result_free(&result);
    for (size_t k = 0; k < x->first[x->steps] && c->sum[0]; k++)
        c->sum[0][x->spike[k].index] += x->spike[k].count;
    c->steps += x->steps;
    return ok;
}

static bool count(const snn_objective *o, counting *c, snn_error *err) {
    const snn_engine_options options = {.arithmetic = snn_objective_arithmetic(o), .simd = snn_simd_best()};
    snn_engine *engine = snn_engine_new(c->net, snn_objective_candidates(o)->weights, &options, err);
    snn_workspace *w = engine ? snn_workspace_new(engine, err) : NULL;
    bool ok = w != NULL;
    for (size_t i = 0; ok && i < snn_objective_samples(o); i++)
        ok = count_sample(o, i, engine, w, c, err);
    snn_workspace_free(w);
    snn_engine_free(engine);
    return ok;
}

/* rate[input of the fan-in: neuron, or channel of a convolution], mean count in a time step. */
static double *rates_of(const counting *c, int tensor, snn_error *err) {
    bool recurrent;
    const snn_layer *l = snn_net_tensor_layer(c->net, tensor, &recurrent);
    const int layer = (int)(l - c->net->layer);
    const double *sum = c->sum[(recurrent ? layer : source_of(c->net, layer)) + 1];
    const uint32_t n = recurrent ? l->out.channels : snn_shape_size(l->in),
                   group = l->type == SNN_LAYER_CONV2D ? n / l->in.channels : 1;
    double *rate = snn_alloc(n / group, sizeof *rate, "input rates", err);
    for (uint32_t i = 0; rate && i < n; i++)
        rate[i / group] += sum[i];
    for (uint32_t i = 0; rate && i < n / group; i++)
        rate[i] /= c->steps * group;
    return rate;
}

/* Somebody asks how often layer s (-1: the input) spikes. */
static bool count_source(counting *c, int s, snn_error *err) {
    if (c->sum[s + 1])
        return true;
    if (s >= 0)
        c->trace[s] = true;
    const snn_shape shape = s < 0 ? c->net->input : c->net->layer[s].out;
    return (c->sum[s + 1] = snn_alloc(snn_shape_size(shape), sizeof(double), "spike counts", err)) != NULL;
}

static bool prepare(counting *c, snn_error *err) {
    c->sum = snn_alloc((size_t)c->net->layers + 1, sizeof *c->sum, "spike counts", err);
    c->trace = c->sum ? snn_alloc((size_t)c->net->layers, sizeof *c->trace, "traced layers", err) : NULL;
    if (!c->trace)
        return false;
    for (int i = 0; i < c->net->layers; i++) {
        const snn_layer *l = &c->net->layer[i];
        if (l->tensor >= 0 &&
            (!count_source(c, source_of(c->net, i), err) || (l->recurrent && !count_source(c, i, err))))
            return false;
    }
    return true;
}

bool snn_rates_new(snn_rates *r, const snn_objective *o, snn_error *err) {
    counting c = {.net = snn_objective_net(o)};
    *r = (snn_rates){.tensors = c.net->tensors};
    bool ok = prepare(&c, err) && count(o, &c, err) &&
              (r->rate = snn_alloc((size_t)r->tensors, sizeof *r->rate, "input rates", err)) != NULL;
    for (int t = 0; ok && t < r->tensors; t++)
        ok = (r->rate[t] = rates_of(&c, t, err)) != NULL;
    for (int i = 0; c.sum && i <= c.net->layers; i++)
        free(c.sum[i]);
    free(c.sum);
    free(c.trace);
    if (!ok)
        snn_rates_free(r);
    return ok;
}

void snn_rates_free(snn_rates *r) {
    for (int t = 0; r->rate && t < r->tensors; t++)
        free(r->rate[t]);
    free(r->rate);
    *r = (snn_rates){0};
}

double snn_rate_at(const snn_rates *r, const snn_tensor *t, uint32_t tensor, uint64_t index) {
    const uint64_t taps = t->dims == 4 ? t->shape[2] * t->shape[3] : 1;
    return r->rate[tensor][index / taps % t->shape[1]];
}

/* ---- order ---- */

typedef struct {
    double value;
    uint32_t item;
} valued;

static int by_value(const void *a, const void *b) {
    const valued *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

bool snn_rules_have_classes(const snn_objective *o) {
    const snn_net *net = snn_objective_net(o);
    const snn_candidates *c = snn_objective_candidates(o);
    const snn_layer *last = &net->layer[net->layers - 1];
    uint32_t i =
        c->n; /* candidates ascend by tensor, and none but its recurrent one is behind the last layer's */
    while (i > 0 && c->flip[i - 1].tensor > (uint32_t)last->tensor)
        i--;
    return last->type == SNN_LAYER_LINEAR && i > 0 && c->flip[i - 1].tensor == (uint32_t)last->tensor;
}

/* Value of candidate i by the rule; below 0: the rule is not about it. */
static double value_of(const snn_rates *r, const snn_candidates *c, snn_saliency_rule rule, uint32_t tensor,
                       int class_, uint32_t i) {
    const snn_flip *f = &c->flip[i];
    const snn_tensor *t = &c->weights->tensor[f->tensor];
    if (rule == SNN_RULE_CLASS_RATE && (f->tensor != tensor || f->index / t->shape[1] != (uint64_t)class_ ||
                                        c->dq[i] < 0 || snn_weight_q(t, f->index) >= 0))
        return -1;
    const double change = fabs((double)c->dq[i]) * (double)snn_weight_scale(t, f->index);
    return rule == SNN_RULE_MAGNITUDE ? change : change * snn_rate_at(r, t, f->tensor, f->index);
}

/* One bit of each weight: the first with the largest value. */
static uint32_t collect(const snn_rates *r, const snn_candidates *c, snn_saliency_rule rule, uint32_t tensor,
                        int class_, valued *v) {
    uint32_t n = 0, last = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const double value = value_of(r, c, rule, tensor, class_, i);
        if (value < 0)
            continue;
        if (n == 0 || !snn_candidate_same(&c->flip[last], &c->flip[i]))
            v[n++] = (valued){value, i};
        else if (value > v[n - 1].value)
            v[n - 1] = (valued){value, i};
        last = i;
    }
    return n;
}

bool snn_rates_order(const snn_rates *r, const snn_objective *o, snn_saliency_rule rule, int class_,
                     uint32_t *order, double *value, uint32_t *n, snn_error *err) {
    const snn_candidates *c = snn_objective_candidates(o);
    const snn_net *net = snn_objective_net(o);
    const snn_layer *last = &net->layer[net->layers - 1];
    if (rule == SNN_RULE_CLASS_RATE && !snn_rules_have_classes(o))
        return snn_fail(
            err, SNN_ERR_USAGE,
            "the rule class_rate needs a linear output layer ('%s' is the last one) whose bits may be "
            "keyed",
            last->name);
    valued *v = snn_alloc(c->n, sizeof *v, "an order of candidates", err);
    if (!v)
        return false;
    *n = collect(r, c, rule, (uint32_t)last->tensor, class_, v);
    qsort(v, *n, sizeof *v, by_value);
    for (uint32_t i = 0; i < *n; i++) {
        order[i] = v[i].item;
        if (value)
            value[i] = v[i].value;
    }
    free(v);
    return true;
}

bool snn_saliency_order(const snn_search_job *job, snn_saliency_rule rule, int class_, uint32_t *order,
                        double *value, uint32_t *n, snn_error *err) {
    snn_rates rates = {0};
    if (rule != SNN_RULE_MAGNITUDE && !snn_rates_new(&rates, job->objective, err))
        return false;
    const bool ok = snn_rates_order(&rates, job->objective, rule, class_, order, value, n, err);
    snn_rates_free(&rates);
    return ok;
}
