/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes of a NIR graph that are no neurons: linear maps, scales, pools, flattening, delays, the output. */
#include "net_build.h"
#include "nir_layers.h"

#include <math.h>
#include <stdlib.h>

#define SQUARE_MAX (1u << 26) /* weights of a kernel with zeros that are not in the file */

/* Integers of a shape into 1 to 3 dimensions, ones before that left out. */
bool snn_nir_read_shape(const nir_builder *b, const nir_stage *s, const char *name, snn_shape *shape) {
    const nir_field *f = snn_nir_find(s->node, name);
    if (f == NULL || f->kind == NIR_TEXT || f->kind == NIR_FLOAT || f->count < 1)
        return snn_nir_fail(s, b->path, b->err, "has no %s", name);
    uint64_t first = 0;
    while (f->count - first > 3 && f->integer[first] == 1)
        first++;
    const int64_t *d = f->integer + first;
    const uint64_t n = f->count - first;
    for (uint64_t i = 0; i < n; i++)
        if (n > 3 || d[i] < 1 || d[i] > SNN_NEURONS_MAX)
            return snn_nir_fail(s, b->path, b->err, "%s is not 1 to 3 sizes of 1 to %u", name,
                                SNN_NEURONS_MAX);
    *shape = (snn_shape){(uint32_t)d[0], n == 3 ? (uint32_t)d[1] : 1, n > 1 ? (uint32_t)d[n - 1] : 1};
    return true;
}

static bool take_map(nir_builder *b, const nir_stage *s) {
    if (b->map != NULL)
        return snn_nir_fail(s, b->path, b->err, "comes right behind '%s': there are no neurons between them",
                            b->map->path);
    if (nir_is_convolution(s)) {
        if (b->before != NULL)
            return snn_nir_fail(s, b->path, b->err, "a Scale before a convolution is not supported");
        if (!snn_nir_window_of(&b->window, s, b->shape, b->path, b->err))
            return false;
        const nir_window *w = &b->window;
        uint64_t count = 0;
        if (!snn_nir_count(4, (uint64_t[]){w->outputs, w->inputs, w->kernel, w->kernel}, &count) ||
            (count > SQUARE_MAX && count > snn_nir_find(s->node, "weight")->count))
            return snn_nir_fail(s, b->path, b->err, "needs a dense, square kernel of more than %u weights",
                                SQUARE_MAX);
    } else {
        const nir_field *w = snn_nir_matrix(b, s);
        if (w == NULL)
            return false;
        if (w->shape[1] != snn_shape_size(b->shape))
            return snn_nir_fail(s, b->path, b->err, "has weights for %llu inputs, but %u x %u x %u come in",
                                (unsigned long long)w->shape[1], b->shape.channels, b->shape.height,
                                b->shape.width);
    }
    b->map = s;
    return true;
}

/* Number i of a scale of one number, of each line, or of each channel [C][1][1]. */
static bool scale_at(const nir_field *f, snn_shape shape, uint32_t i, double *x) {
    const uint32_t area = shape.height * shape.width;
    if (f->count == 1)
        *x = snn_nir_number(f, 0);
    else if (f->count == (uint64_t)shape.channels * area)
        *x = snn_nir_number(f, i);
    else if (f->dims == 3 && f->count == shape.channels && f->shape[0] == shape.channels)
        *x = snn_nir_number(f, i / area);
    else
        return false;
    return true;
}

static bool take_scale(nir_builder *b, const nir_stage *s) {
    snn_shape shape = b->shape;
    snn_layer spec = {0};
    const nir_field *f = snn_nir_find(s->node, "scale");
    double **to = b->map != NULL ? &b->behind : &b->before, x;
    if (b->map != NULL && !snn_nir_plan_layer(b, NULL, &spec, &shape))
        return false;
    if (f == NULL || f->kind == NIR_TEXT || !scale_at(f, shape, 0, &x))
        return snn_nir_fail(s, b->path, b->err, "has no scale that fits %u x %u x %u lines", shape.channels,
                            shape.height, shape.width);
    const uint32_t n = snn_shape_size(shape);
    const bool first = *to == NULL;
    if (first && (*to = snn_alloc(n, sizeof **to, "scales", b->err)) == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        scale_at(f, shape, i, &x);
        (*to)[i] = first ? x : (*to)[i] * x;
    }
    b->spikes = false;
    return true;
}

/* Nothing may wait here: pools and flattening stand before a map, not between it and its neurons. */
static bool nothing_waits(const nir_builder *b, const nir_stage *s) {
    if (b->map != NULL)
        return snn_nir_fail(s, b->path, b->err, "comes right behind '%s': there are no neurons between them",
                            b->map->path);
    return b->before == NULL ||
           snn_nir_fail(s, b->path, b->err, "comes right behind a Scale, which is not supported");
}

static bool take_flatten(nir_builder *b, const nir_stage *s) {
    const nir_field *start = snn_nir_find(s->node, "start_dim"), *end = snn_nir_find(s->node, "end_dim");
    const int64_t from = start && start->integer && start->count == 1 ? start->integer[0] : 0,
                  to = end && end->integer && end->count == 1 ? end->integer[0] : -1;
    if (b->map != NULL && !nir_is_convolution(b->map))
        return true; /* flat already */
    if (!nothing_waits(b, s))
        return false;
    /* 1: PyTorch's, which counts a batch that the graph does not have */
    if (from < 0 || from > 1 || (to != -1 && to != 2 && to != 3))
        return snn_nir_fail(s, b->path, b->err, "flattens dimensions %lld to %lld, expected all of them",
                            (long long)from, (long long)to);
    if (b->shape.height == 1 && b->shape.width == 1)
        return true;
    snn_layer spec = {.type = SNN_LAYER_FLATTEN};
    snn_nir_layer_name(b, s->path, spec.name);
    if (!snn_net_append(b->n->net, &spec, false, SNN_ERR_DATA, b->err))
        return snn_error_context(b->err, "%s", b->path);
    b->shape = (snn_shape){snn_shape_size(b->shape), 1, 1};
    return true;
}

/* One number out of a pool's two, which must be the same. */
static bool pool_number(const nir_builder *b, const nir_stage *s, const char *name, int64_t otherwise,
                        int64_t *x) {
    const nir_field *f = snn_nir_find(s->node, name);
    *x = otherwise;
    if (f == NULL && otherwise >= 0)
        return true;
    if (f == NULL || f->integer == NULL || f->count < 1 || f->count > 2 || f->integer[0] < 0 ||
        f->integer[0] > SNN_WINDOW_MAX)
        return snn_nir_fail(s, b->path, b->err, "has no %s that is one integer or two", name);
    if (f->count == 2 && f->integer[1] != f->integer[0])
        return snn_nir_fail(s, b->path, b->err, "%s differs in its two directions", name);
    *x = f->integer[0];
    return true;
}

/* A threshold that every single spike of a sum crosses? */
static bool is_or(const nir_stage *s) {
    const nir_field *f = snn_nir_find(s->node, "threshold");
    if (!nir_is_type(s, "Threshold") || f == NULL || f->kind == NIR_TEXT)
        return false;
    for (uint64_t i = 0; i < f->count; i++)
        if (!(snn_nir_number(f, i) >= 0 && snn_nir_number(f, i) < 1))
            return false;
    return f->count > 0;
}

/* *taken: 2 when the next node, a Threshold, is part of it. */
static bool take_pool(nir_builder *b, int i, int *taken) {
    const nir_stage *s = &b->chain->stage[i];
    int64_t kernel, stride, padding;
    if (!nothing_waits(b, s) || !pool_number(b, s, "kernel_size", -1, &kernel) ||
        !pool_number(b, s, "stride", kernel, &stride) || !pool_number(b, s, "padding", 0, &padding))
        return false;
    if (padding != 0)
        return snn_nir_fail(s, b->path, b->err, "has a padding of %lld, expected 0", (long long)padding);
    snn_layer spec = {.type = nir_is_type(s, "AvgPool2d") ? SNN_LAYER_POOL_AVERAGE : SNN_LAYER_POOL_SUM,
                      .kernel = (uint32_t)kernel,
                      .stride = (uint32_t)stride};
    if (spec.type == SNN_LAYER_POOL_SUM && b->spikes &&
        is_or(&b->chain->stage[i + 1])) { /* Output ends the chain */
        spec.type = SNN_LAYER_POOL_MAX;
        *taken = 2;
    }
    snn_nir_layer_name(b, s->path, spec.name);
    if (!snn_net_append(b->n->net, &spec, false, SNN_ERR_DATA, b->err))
        return snn_error_context(b->err, "%s", b->path);
    b->shape = b->n->net->layer[b->n->net->layers - 1].out;
    b->spikes = spec.type == SNN_LAYER_POOL_MAX;
    return true;
}

static bool take_delay(nir_builder *b, const nir_stage *s) {
    const nir_field *f = snn_nir_find(s->node, "delay");
    if (f == NULL || f->kind == NIR_TEXT || f->count < 1)
        return snn_nir_fail(s, b->path, b->err, "has no delay");
    const double delay = snn_nir_number(f, 0), steps = floor(delay / b->dt + 0.5);
    for (uint64_t i = 1; i < f->count; i++)
        if (snn_nir_number(f, i) != delay)
            return snn_nir_fail(s, b->path, b->err, "delays differ, snnsim has one for each layer");
    /* 1 part in 10^6: delays as float32 */
    if (!(delay >= 0) || steps > SNN_DELAY_MAX || fabs(delay / b->dt - steps) > 1e-6 * (steps + 1))
        return snn_nir_fail(s, b->path, b->err,
                            "a delay of %g s is not 0 to %u time steps of %g s (see --dt)", delay,
                            SNN_DELAY_MAX, b->dt);
    if (steps < 1)
        return true;
    if (b->map != NULL || b->last < 0)
        return snn_nir_fail(s, b->path, b->err, "delays %s; snnsim delays spikes",
                            b->map != NULL ? "what weights have summed" : "the input");
    snn_layer *l = &b->n->net->layer[b->last];
    if (l->delay + (uint32_t)steps > SNN_DELAY_MAX)
        return snn_nir_fail(s, b->path, b->err, "delays add up to more than %u steps", SNN_DELAY_MAX);
    l->delay += (uint32_t)steps;
    return true;
}

static bool take_output(nir_builder *b, const nir_stage *s) {
    const snn_net *net = b->n->net;
    const bool ends = b->map == NULL && b->before == NULL && net->layers > 0 &&
                      net->layer[net->layers - 1].neuron.type != SNN_NEURON_NONE;
    snn_shape shape = {0};
    if (!ends && !snn_nir_end_layer(b, NULL))
        return false;
    if (snn_nir_find(s->node, "shape") == NULL)
        return true;
    if (!snn_nir_read_shape(b, s, "shape", &shape))
        return false;
    if (snn_shape_size(shape) != snn_shape_size(b->shape))
        return snn_nir_fail(s, b->path, b->err, "has %u outputs, but %u come", snn_shape_size(shape),
                            snn_shape_size(b->shape));
    return true;
}

/* Node i of the chain; *taken: how many nodes that was. */
bool snn_nir_take_node(nir_builder *b, int i, int *taken) {
    const nir_stage *s = &b->chain->stage[i];
    if (snn_nir_is_neuron(s->node))
        return snn_nir_end_layer(b, s);
    if (nir_is_type(s, "Linear") || nir_is_type(s, "Affine") || nir_is_convolution(s))
        return take_map(b, s);
    if (nir_is_type(s, "Scale"))
        return take_scale(b, s);
    if (nir_is_type(s, "Flatten"))
        return take_flatten(b, s);
    if (nir_is_type(s, "SumPool2d") || nir_is_type(s, "AvgPool2d"))
        return take_pool(b, i, taken);
    if (nir_is_type(s, "Delay"))
        return take_delay(b, s);
    if (nir_is_type(s, "Output"))
        return take_output(b, s);
    return snn_nir_fail(s, b->path, b->err, "is a type of node that snnsim does not know");
}
