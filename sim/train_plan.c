/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network as stages of training: shapes, where each weight stands, and the tasks of the weight gradient. */
#include "train_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- stages ---- */

static bool is_pool(const snn_layer *l) {
    return l->type == SNN_LAYER_POOL_MAX || l->type == SNN_LAYER_POOL_SUM ||
           l->type == SNN_LAYER_POOL_AVERAGE;
}

static bool add_pool(train_stage *s, const snn_layer *l, snn_shape in, snn_error *err) {
    train_pool *grown = realloc(s->pool, sizeof *grown * ((size_t)s->pools + 1));
    if (grown == NULL)
        return snn_fail(err, SNN_ERR_RUNTIME, "no memory for pool '%s'", l->name);
    s->pool = grown;
    s->pool[s->pools++] =
        (train_pool){l->type, l->kernel, l->stride, in, l->out, snn_train_round(in.channels)};
    if (l->type == SNN_LAYER_POOL_AVERAGE)
        s->factor /= (float)(l->kernel * l->kernel);
    return true;
}

static bool by_lanes(const snn_layer *l) {
    for (int p = 0; p < SNN_PARAMS; p++)
        if (l->each[p] != NULL)
            return true;
    return l->neuron.type == SNN_NEURON_CUBA || l->neuron.type == SNN_NEURON_ALIF;
}

static bool set_neuron(train_stage *s, const snn_train_options *o, snn_error *err) {
    const snn_neuron *n = &s->layer->neuron;
    s->neuron = (train_neuron){.type = n->type,
                               .reset = n->reset,
                               .decay = n->type == SNN_NEURON_IF ? 1 : n->decay,
                               .threshold = n->threshold,
                               .above = n->at_threshold ? nextafterf(n->threshold, -1) : n->threshold,
                               .surrogate = o->surrogate,
                               .width = (float)o->surrogate_width,
                               .factor = s->factor,
                               .gain = n->gain,
                               .membrane_bias = n->type == SNN_NEURON_CUBA && n->membrane_bias,
                               .adapt = n->adapt,
                               .by_lanes = by_lanes(s->layer)};
    return !s->neuron.by_lanes || snn_train_lanes_new(s, err);
}

/* What the engine runs and training does not. */
static bool check_layer(const train_stage *s, snn_error *err) {
    const snn_layer *l = s->layer;
    if (l->neuron.refractory > 0)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "layer '%s': neurons with a refractory time cannot be trained: expected refractory = 0", l->name);
    return true;
}

static void set_grid(train_stage *s, int steps) {
    const snn_layer *l = s->layer;
    train_geometry *g = &s->grid;
    bool conv = l->type == SNN_LAYER_CONV2D;
    *g = (train_geometry){steps, 1, 1, (int)snn_shape_size(s->pooled), 1, 1, 0, 1, 1};
    if (conv)
        *g = (train_geometry){steps,
                              (int)s->pooled.height,
                              (int)s->pooled.width,
                              (int)s->pooled.channels,
                              (int)l->kernel,
                              (int)l->stride,
                              (int)l->padding,
                              (int)l->out.height,
                              (int)l->out.width};
    s->outputs = l->out.channels;
    s->in_pitch = snn_train_round((uint32_t)g->channels);
    s->out_pitch = snn_train_round(s->outputs);
    s->panels = (s->out_pitch + TRAIN_LANES - 1) / TRAIN_LANES;
    s->in_panels = (s->in_pitch + TRAIN_LANES - 1) / TRAIN_LANES;
    s->fan = (size_t)g->kernel * (size_t)g->kernel * (size_t)g->channels;
    s->weights = s->fan * s->out_pitch;
}

static bool build_stages(train_plan *p, const snn_net *net, int steps, const snn_train_options *o,
                         snn_error *err) {
    snn_shape shape = net->input;
    uint32_t pitch = snn_train_round(shape.channels);
    train_stage *s = &p->stage[0];
    *s = (train_stage){.source = shape, .source_pitch = pitch, .factor = 1};
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        if (l->type == SNN_LAYER_FLATTEN)
            continue; /* the shape before it stays known: a linear layer flattens by itself */
        if (is_pool(l)) {
            if (!add_pool(s, l, shape, err))
                return false;
            shape = l->out;
            continue;
        }
        s->layer = l;
        s->pooled = shape;
        s->listed = p->stages == 0 && s->pools == 0 && l->type == SNN_LAYER_LINEAR;
        set_grid(s, steps);
        s->recurrent = l->recurrent;
        s->recurrent_weights = l->recurrent ? (size_t)s->outputs * s->out_pitch : 0;
        p->stages++;
        if (!check_layer(s, err) || !set_neuron(s, o, err))
            return false;
        shape = l->out;
        s->has_bias = l->bias != NULL;
        s->has_wt = p->stages > 1 && o->sparse && s->grid.stride == 1;
        if (i + 1 < net->layers) {
            s = &p->stage[p->stages];
            *s = (train_stage){.source = shape, .source_pitch = snn_train_round(shape.channels), .factor = 1};
        }
    }
    return true;
}

/* ---- sizes ---- */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static void set_sizes(train_plan *p) {
    size_t at = 0, transposed = 0;
    for (int i = 0; i < p->stages; i++) {
        train_stage *s = &p->stage[i];
        const train_geometry *g = &s->grid;
        size_t in = (size_t)g->height * (size_t)g->width, out = (size_t)g->out_height * (size_t)g->out_width;
        s->w = at;
        at += s->weights;
        if (s->has_wt) {
            s->wt = transposed;
            transposed += (size_t)g->kernel * (size_t)g->kernel * s->outputs * s->in_pitch;
        }
        if (s->recurrent) {
            s->r = at;
            at += s->recurrent_weights;
            s->rt = transposed;
            transposed += s->recurrent_weights;
            p->recurrent = s->out_pitch > p->recurrent ? s->out_pitch : p->recurrent;
        }
        p->widest = larger(p->widest, out * s->out_pitch);
        p->widest = larger(p->widest, (size_t)s->source.height * s->source.width * s->source_pitch);
        for (int k = 0; k < s->pools; k++)
            p->widest =
                larger(p->widest, (size_t)s->pool[k].in.height * s->pool[k].in.width * s->pool[k].pitch);
        if (i > 0) {
            p->gradient = larger(p->gradient, (size_t)p->steps * in * s->in_pitch);
            p->delta_rows = larger(p->delta_rows, out);
            p->delta_items = larger(p->delta_items, (size_t)p->steps * out * s->outputs);
        }
        p->cols = larger(p->cols, (size_t)snn_train_dense_chunk(s, p->steps) * out * s->fan);
    }
    p->weights = at;
    for (int i = 0; i < p->stages; i++) {
        p->stage[i].b = at;
        at += p->stage[i].has_bias ? p->stage[i].out_pitch : 0;
    }
    p->parameters = at;
    p->transposed = transposed;
}

static int by_cost(const void *a, const void *b) {
    const train_task *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? 1 : -1;
    if (x->stage != y->stage)
        return x->stage - y->stage;
    return x->panel != y->panel ? x->panel - y->panel : x->ky - y->ky;
}

static bool list_tasks(train_plan *p, snn_error *err) {
    size_t n = 0;
    for (int i = 0; i < p->stages; i++)
        n += p->stage[i].panels * ((size_t)p->stage[i].grid.kernel + 1) + 1;
    p->task = snn_alloc(n, sizeof *p->task, "training tasks", err);
    if (p->task == NULL)
        return false;
    for (int i = 0; i < p->stages; i++) {
        const train_stage *s = &p->stage[i];
        double pixels = (double)s->grid.out_height * s->grid.out_width;
        for (uint32_t panel = 0; panel < s->panels; panel++)
            for (int ky = 0; ky < s->grid.kernel; ky++)
                p->task[p->tasks++] = (train_task){i, (int)panel, ky,
                                                   pixels * snn_train_width(s->out_pitch, panel) *
                                                       (double)s->fan / s->grid.kernel};
        for (uint32_t panel = 0; s->recurrent && panel < s->panels; panel++)
            p->task[p->tasks++] = (train_task){i, (int)panel, TRAIN_RECURRENT,
                                               (double)snn_train_width(s->out_pitch, panel) * s->outputs};
        if (s->has_bias)
            p->task[p->tasks++] = (train_task){i, 0, TRAIN_BIAS, pixels * s->out_pitch};
    }
    qsort(p->task, (size_t)p->tasks, sizeof *p->task, by_cost);
    return true;
}

bool snn_train_plan(train_plan *p, const snn_net *net, int steps, const snn_train_options *o,
                    snn_error *err) {
    *p = (train_plan){
        .net = net, .steps = steps, .options = o, .kernels = snn_train_kernels_for(snn_simd_best())};
    p->stage = snn_alloc((size_t)net->tensors + 1, sizeof *p->stage, "training stages", err);
    if (p->stage == NULL || !build_stages(p, net, steps, o, err)) {
        snn_train_plan_free(p);
        return false;
    }
    set_sizes(p);
    /* Entry numbers and CBLAS's sizes are 32 bits. */
    size_t limit = (size_t)1 << 31;
    for (int i = 0; i < p->stages; i++) {
        const train_geometry *g = &p->stage[i].grid;
        if ((size_t)steps * (size_t)g->height * (size_t)g->width * (size_t)g->channels >= limit ||
            (size_t)steps * (size_t)g->out_height * (size_t)g->out_width * p->stage[i].out_pitch >= limit) {
            snn_fail(err, SNN_ERR_USAGE,
                     "layer '%s': %d time steps are too many to train it (2^31 values over all steps)",
                     p->stage[i].layer->name, steps);
            snn_train_plan_free(p);
            return false;
        }
    }
    if (!list_tasks(p, err)) {
        snn_train_plan_free(p);
        return false;
    }
    return true;
}

void snn_train_plan_free(train_plan *p) {
    for (int i = 0; p->stage != NULL && i < p->net->tensors; i++) {
        free(p->stage[i].pool);
        free(p->stage[i].lanes);
    }
    free(p->stage);
    free(p->task);
    p->stage = NULL;
    p->task = NULL;
}

/* ---- weights in and out ---- */

/* Position of weight (output, input of PyTorch's order, ky, kx) among the stage's. */
static size_t position(const train_stage *s, size_t output, size_t input, size_t ky, size_t kx) {
    size_t k = (size_t)s->grid.kernel, channels = (size_t)s->grid.channels;
    if (s->layer->type == SNN_LAYER_LINEAR && !s->listed) { /* [channel][y][x] -> [y][x][channel] */
        size_t pixels = (size_t)s->pooled.height * s->pooled.width;
        input = input % pixels * s->pooled.channels + input / pixels;
    }
    uint32_t panel = (uint32_t)(output / TRAIN_LANES);
    return snn_train_panel(s, panel) +
           (ky * k * channels + kx * channels + input) * snn_train_width(s->out_pitch, panel) +
           output % TRAIN_LANES;
}

/* Weights of a stage: from PyTorch's order to the stage's (pack), or back. */
static void copy_stage(const train_stage *s, const float *from, float *to, bool pack) {
    size_t k = (size_t)s->grid.kernel, i = 0;
    for (size_t o = 0; o < s->outputs; o++)
        for (size_t in = 0; in < (size_t)s->grid.channels; in++)
            for (size_t ky = 0; ky < k; ky++)
                for (size_t kx = 0; kx < k; kx++, i++) {
                    size_t at = position(s, o, in, ky, kx);
                    to[pack ? at : i] = from[pack ? i : at];
                }
}

/* The same for recurrent weights. */
static void copy_recurrent(const train_stage *s, const float *from, float *to, bool pack) {
    size_t i = 0;
    for (size_t o = 0; o < s->outputs; o++)
        for (size_t in = 0; in < s->outputs; in++, i++) {
            uint32_t panel = (uint32_t)(o / TRAIN_LANES);
            size_t at = (size_t)panel * TRAIN_LANES * s->outputs + in * snn_train_width(s->out_pitch, panel) +
                        o % TRAIN_LANES;
            to[pack ? at : i] = from[pack ? i : at];
        }
}

void snn_train_pack(const train_plan *p, const snn_weights *w, const snn_net *biases, float *parameters) {
    memset(parameters, 0, p->parameters * sizeof *parameters);
    for (int i = 0; i < p->stages; i++) {
        const train_stage *s = &p->stage[i];
        copy_stage(s, w->tensor[s->layer->tensor].value, parameters + s->w, true);
        if (s->recurrent)
            copy_recurrent(s, w->tensor[s->layer->tensor + 1].value, parameters + s->r, true);
        if (s->has_bias)
            memcpy(parameters + s->b, biases->layer[s->layer - p->net->layer].bias,
                   s->outputs * sizeof *parameters);
    }
}

void snn_train_unpack(const train_plan *p, const float *parameters, snn_weights *w, snn_net *biases) {
    for (int i = 0; i < p->stages; i++) {
        const train_stage *s = &p->stage[i];
        if (w != NULL)
            copy_stage(s, parameters + s->w, w->tensor[s->layer->tensor].value, false);
        if (w != NULL && s->recurrent)
            copy_recurrent(s, parameters + s->r, w->tensor[s->layer->tensor + 1].value, false);
        if (biases != NULL && s->has_bias)
            memcpy(biases->layer[s->layer - p->net->layer].bias, parameters + s->b,
                   s->outputs * sizeof *parameters);
    }
}
