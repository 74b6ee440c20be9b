/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes of a NIR graph in order -> layers. A layer is a linear map (Linear, Affine, Conv1d, Conv2d) and the neurons behind it; what stands between goes into one of them:
 *
 *   Scale      behind the map: into the neurons' gain; before it: into the weights
 *   neurons without a map before them        get an identity (linear, or conv2d of 1 x 1)
 *   a map without neurons, at the end        gets li neurons without memory: the output is the sum itself
 *   SumPool2d and Threshold in [0, 1) behind spikes    pool_max
 *   Delay      into the layer whose spikes it delays
 */
#include "net_build.h"
#include "nir_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQUARE_MAX (1u << 26) /* weights of a kernel with zeros that are not in the file */
#define IDENTITY_MAX 4096     /* neurons (channels of images) without weights before them */

typedef struct {
    nir_network *n;
    const nir_chain *chain;
    const snn_import_options *options;
    double dt;
    const char *path;
    snn_error *err;
    snn_shape shape;      /* at this point of the chain */
    const nir_stage *map; /* the linear map that waits for its neurons; NULL: none */
    nir_window window;    /* of map, if it is a convolution */
    double *before;       /* [inputs] Scale before the map; NULL: none */
    double *behind;       /* [outputs] Scale behind it; NULL: none */
    bool spikes;          /* what comes is 0 or 1 */
    int last;             /* layer whose spikes come here, -1: the input */
} builder;

static bool is_type(const nir_stage *s, const char *type) {
    return strcmp(s->node->type, type) == 0;
}

static bool is_convolution(const nir_stage *s) {
    return is_type(s, "Conv1d") || is_type(s, "Conv2d");
}

/* ---- names ---- */

/* A layer's name from a node's: other characters become '_', and numbers make it differ from earlier ones. */
static void layer_name(const builder *b, const char *path, char name[SNN_NAME]) {
    char base[SNN_NAME];
    const size_t most =
        sizeof base - 1 - strlen(SNN_RECURRENT) - 4; /* room for "_rec", and for "_" and a number */
    size_t n = 0;
    for (; path[n] && n < most; n++) {
        const char c = path[n];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        base[n] = plain ? c : '_';
    }
    base[n] = 0;
    snprintf(name, SNN_NAME, "%s", n > 0 ? base : "layer");
    for (int i = 2; snn_net_find(b->n->net, name) >= 0 && i < 1000; i++)
        snprintf(name, SNN_NAME, "%.23s_%d", n > 0 ? base : "layer", i);
}

/* ---- tensors ---- */

static nir_tensor *add_tensor(builder *b, const char *name, const char *suffix, uint64_t count) {
    nir_network *n = b->n;
    if (n->tensors == n->capacity) {
        const int capacity = n->capacity ? 2 * n->capacity : 16;
        nir_tensor *grown = realloc(n->tensor, sizeof *grown * (size_t)capacity);
        if (grown == NULL) {
            snn_fail(b->err, SNN_ERR_RUNTIME, "out of memory");
            return NULL;
        }
        n->tensor = grown;
        n->capacity = capacity;
    }
    nir_tensor *t = &n->tensor[n->tensors];
    *t = (nir_tensor){.exact = true, .count = count};
    snprintf(t->name, sizeof t->name, "%.27s%s", name, suffix);
    t->value = snn_alloc(count, sizeof *t->value, "weights", b->err);
    if (t->value == NULL)
        return NULL;
    n->tensors++;
    return t;
}

/* The weights of a Linear or Affine: [outputs][inputs]. */
static const nir_field *matrix(const builder *b, const nir_stage *s) {
    const nir_field *w = nir_find(s->node, "weight");
    if (w != NULL && w->kind != NIR_TEXT && w->dims == 2 && w->shape[0] >= 1 &&
        w->shape[0] <= SNN_NEURONS_MAX)
        return w;
    nir_fail(s, b->path, b->err, "has no weights in two dimensions");
    return NULL;
}

static bool linear_tensor(builder *b, const char *name) {
    const nir_field *w = matrix(b, b->map);
    nir_tensor *t = add_tensor(b, name, "", w->count);
    if (t == NULL)
        return false;
    t->node = b->map->node;
    t->exact = b->before == NULL;
    const uint64_t inputs = w->shape[1];
    for (uint64_t i = 0; i < w->count; i++)
        t->value[i] = (float)(b->before ? nir_number(w, i) * b->before[i % inputs] : nir_number(w, i));
    return true;
}

static bool convolution_tensor(builder *b, const char *name) {
    const nir_field *f = nir_find(b->map->node, "weight");
    const nir_window *w = &b->window;
    nir_tensor *t = add_tensor(b, name, "", (uint64_t)w->outputs * w->inputs * w->kernel * w->kernel);
    if (t == NULL)
        return false;
    t->node = b->map->node;
    for (uint64_t i = 0; i < f->count; i++)
        t->value[nir_window_index(w, i)] = (float)nir_number(f, i);
    return true;
}

/* n x n with ones on its diagonal. */
static bool identity_tensor(builder *b, const char *name, uint32_t n) {
    nir_tensor *t = add_tensor(b, name, "", (uint64_t)n * n);
    for (uint32_t i = 0; t != NULL && i < n; i++)
        t->value[(uint64_t)i * n + i] = 1;
    return t != NULL;
}

static bool recurrent_tensor(builder *b, const char *name, const nir_stage *s, uint32_t n) {
    const nir_stage r = {s->recurrent, s->recurrent_path, NULL, NULL};
    const nir_field *w = matrix(b, &r);
    if (w == NULL)
        return false;
    if (w->shape[0] != n || w->shape[1] != n)
        return nir_fail(&r, b->path, b->err,
                        "has weights [%llu][%llu], expected [%u][%u] to bring spikes back",
                        (unsigned long long)w->shape[0], (unsigned long long)w->shape[1], n, n);
    nir_tensor *t = add_tensor(b, name, SNN_RECURRENT, w->count);
    if (t == NULL)
        return false;
    t->node = s->recurrent;
    for (uint64_t i = 0; i < w->count; i++)
        t->value[i] = (float)nir_number(w, i);
    return true;
}

/* ---- biases ---- */

/* Adds the bias field of a node, one for each output channel; *any: is there one to keep? */
static bool add_bias(const builder *b, const nir_stage *s, double *sum, uint32_t channels, bool *any) {
    const nir_field *f = nir_find(s->node, "bias");
    if (f == NULL || is_type(s, "Linear"))
        return true;
    if (f->kind == NIR_TEXT || f->count != channels)
        return nir_fail(s, b->path, b->err, "has %llu biases for %u outputs", (unsigned long long)f->count,
                        channels);
    for (uint32_t c = 0; c < channels; c++) {
        sum[c] += nir_number(f, c);
        *any |= nir_number(f, c) != 0 || !is_convolution(s); /* Conv2d writes zeros where PyTorch has none */
    }
    return true;
}

/* What v_leak drives must be the same over a channel's pixels. */
static bool add_drive(const builder *b, const nir_stage *s, const nir_neuron *neuron, double *sum,
                      snn_shape out, bool *any) {
    const uint32_t area = out.height * out.width;
    for (uint32_t c = 0; neuron->drive != NULL && c < out.channels; c++) {
        const bool same = neuron->drives == 1;
        const double drive = neuron->drive[same ? 0 : c * area];
        for (uint32_t i = 1; i < area && !same; i++)
            if (neuron->drive[c * area + i] != drive)
                return nir_fail(s, b->path, b->err,
                                "v_leak differs between the neurons of a channel, and from v_reset");
        if (neuron->neuron.membrane_bias && sum[c] != 0)
            return nir_fail(
                s, b->path, b->err,
                "v_leak differs from v_reset behind biases, which snnsim's cuba_lif cannot both add");
        sum[c] += drive;
        *any = true;
    }
    return true;
}

static bool sum_biases(const builder *b, const nir_stage *s, const nir_neuron *neuron, snn_shape out,
                       double *sum, bool *any) {
    if (b->map != NULL && !add_bias(b, b->map, sum, out.channels, any))
        return false;
    if (s != NULL && s->recurrent != NULL) {
        const nir_stage r = {s->recurrent, s->recurrent_path, NULL, NULL};
        if (!add_bias(b, &r, sum, out.channels, any))
            return false;
    }
    return s == NULL || add_drive(b, s, neuron, sum, out, any);
}

/* ---- a layer ---- */

/* Shape of what the map yields, and the layer's windows. */
static bool plan_layer(builder *b, const nir_stage *s, snn_layer *spec, snn_shape *out) {
    *out = b->shape;
    spec->type = SNN_LAYER_LINEAR;
    if (b->map == NULL) { /* an identity */
        const bool flat = b->shape.height == 1 && b->shape.width == 1;
        if (b->shape.channels > IDENTITY_MAX)
            return nir_fail(s, b->path, b->err, "%u neurons without weights before them, expected at most %u",
                            b->shape.channels, IDENTITY_MAX);
        spec->out.channels = b->shape.channels;
        if (!flat) {
            spec->type = SNN_LAYER_CONV2D;
            spec->kernel = spec->stride = 1;
        }
    } else if (is_convolution(b->map)) {
        const nir_window *w = &b->window;
        const uint32_t height = b->shape.height + 2 * w->padding, width = b->shape.width + 2 * w->padding;
        if (w->kernel > height || w->kernel > width)
            return nir_fail(b->map, b->path, b->err,
                            "a kernel of %u x %u does not fit into its input of %u x %u", w->kernel,
                            w->kernel, height, width);
        spec->type = SNN_LAYER_CONV2D;
        spec->kernel = w->kernel;
        spec->stride = w->stride;
        spec->padding = w->padding;
        spec->out.channels = w->outputs;
        *out = (snn_shape){w->outputs, (height - w->kernel) / w->stride + 1,
                           (width - w->kernel) / w->stride + 1};
    } else {
        spec->out.channels = (uint32_t)nir_find(b->map->node, "weight")->shape[0];
        *out = (snn_shape){spec->out.channels, 1, 1};
    }
    if (s != NULL && s->recurrent != NULL && spec->type != SNN_LAYER_LINEAR)
        return nir_fail(s, b->path, b->err,
                        "is recurrent behind a convolution or a pool; snnsim's recurrent layers are "
                        "linear");
    return (uint64_t)out->channels * out->height * out->width <= SNN_NEURONS_MAX ||
           nir_fail(b->map != NULL ? b->map : s, b->path, b->err, "yields too many neurons");
}

static bool add_tensors(builder *b, const nir_stage *s, const char *name, const snn_layer *spec) {
    bool ok = b->map == NULL           ? identity_tensor(b, name, spec->out.channels)
              : is_convolution(b->map) ? convolution_tensor(b, name)
                                       : linear_tensor(b, name);
    return ok && (!spec->recurrent || recurrent_tensor(b, name, s, spec->out.channels));
}

/* Appends the layer, then its biases and what its neurons have each for themselves. */
static bool append_layer(builder *b, const snn_layer *spec, const nir_neuron *neuron, const double *bias) {
    snn_net *net = b->n->net;
    if (!snn_net_append(net, spec, bias != NULL, SNN_ERR_DATA, b->err))
        return snn_error_context(b->err, "%s", b->path);
    snn_layer *l = &net->layer[net->layers - 1];
    for (uint32_t c = 0; bias != NULL && c < l->out.channels; c++)
        l->bias[c] = (float)bias[c];
    for (int p = 0; p < SNN_PARAMS; p++)
        if (neuron->each[p] != NULL &&
            !snn_net_param(net, (snn_param)p, neuron->each[p], SNN_ERR_DATA, b->err))
            return snn_error_context(b->err, "%s", b->path);
    return true;
}

static void forget(builder *b) {
    free(b->before);
    free(b->behind);
    b->before = b->behind = NULL;
    b->map = NULL;
}

/* Gains of neurons that snnsim puts behind a map at the end. */
static bool set_gains(const builder *b, nir_neuron *neuron, const double *scale, uint32_t n) {
    float *gain = neuron->each[SNN_PARAM_GAIN] = snn_alloc(n, sizeof *gain, "gains", b->err);
    for (uint32_t j = 0; gain != NULL && j < n; j++)
        gain[j] = (float)scale[j];
    return gain != NULL;
}

/* Ends a layer with neurons s; NULL: the sum itself is the output. */
static bool end_layer(builder *b, const nir_stage *s) {
    snn_layer spec = {.recurrent = s != NULL && s->recurrent != NULL};
    snn_shape out;
    nir_neuron neuron = {.neuron = {.type = SNN_NEURON_LI, .threshold = 1, .gain = 1, .current_gain = 1}};
    bool any = false;
    if (!plan_layer(b, s, &spec, &out))
        return false;
    layer_name(b, b->map != NULL ? b->map->path : s != NULL ? s->path : "output", spec.name);
    const double *scale = b->map == NULL ? b->before : b->behind; /* an identity's inputs are its outputs */
    if (s != NULL &&
        !nir_neuron_of(&neuron, s, snn_shape_size(out), scale, b->dt, b->options, b->path, b->err))
        return false;
    if (s == NULL && scale != NULL && !set_gains(b, &neuron, scale, snn_shape_size(out)))
        return false;
    spec.neuron = neuron.neuron;
    double *bias = snn_alloc(out.channels, sizeof *bias, "biases", b->err);
    bool ok = bias != NULL && sum_biases(b, s, &neuron, out, bias, &any) &&
              append_layer(b, &spec, &neuron, any ? bias : NULL) && add_tensors(b, s, spec.name, &spec);
    free(bias);
    nir_neuron_free(&neuron);
    forget(b);
    b->shape = out;
    b->spikes = true;
    b->last = b->n->net->layers - 1;
    return ok;
}

/* ---- nodes that are no neurons ---- */

/* Integers of a shape into 1 to 3 dimensions, ones before that left out. */
static bool read_shape(const builder *b, const nir_stage *s, const char *name, snn_shape *shape) {
    const nir_field *f = nir_find(s->node, name);
    if (f == NULL || f->kind == NIR_TEXT || f->kind == NIR_FLOAT || f->count < 1)
        return nir_fail(s, b->path, b->err, "has no %s", name);
    uint64_t first = 0;
    while (f->count - first > 3 && f->integer[first] == 1)
        first++;
    const int64_t *d = f->integer + first;
    const uint64_t n = f->count - first;
    for (uint64_t i = 0; i < n; i++)
        if (n > 3 || d[i] < 1 || d[i] > SNN_NEURONS_MAX)
            return nir_fail(s, b->path, b->err, "%s is not 1 to 3 sizes of 1 to %u", name, SNN_NEURONS_MAX);
    *shape = (snn_shape){(uint32_t)d[0], n == 3 ? (uint32_t)d[1] : 1, n > 1 ? (uint32_t)d[n - 1] : 1};
    return true;
}

static bool take_map(builder *b, const nir_stage *s) {
    if (b->map != NULL)
        return nir_fail(s, b->path, b->err, "comes right behind '%s': there are no neurons between them",
                        b->map->path);
    if (is_convolution(s)) {
        if (b->before != NULL)
            return nir_fail(s, b->path, b->err, "a Scale before a convolution is not supported");
        if (!nir_window_of(&b->window, s, b->shape, b->path, b->err))
            return false;
        const nir_window *w = &b->window;
        uint64_t count = 0;
        if (!nir_count(4, (uint64_t[]){w->outputs, w->inputs, w->kernel, w->kernel}, &count) ||
            (count > SQUARE_MAX && count > nir_find(s->node, "weight")->count))
            return nir_fail(s, b->path, b->err, "needs a dense, square kernel of more than %u weights",
                            SQUARE_MAX);
    } else {
        const nir_field *w = matrix(b, s);
        if (w == NULL)
            return false;
        if (w->shape[1] != snn_shape_size(b->shape))
            return nir_fail(s, b->path, b->err, "has weights for %llu inputs, but %u x %u x %u come in",
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
        *x = nir_number(f, 0);
    else if (f->count == (uint64_t)shape.channels * area)
        *x = nir_number(f, i);
    else if (f->dims == 3 && f->count == shape.channels && f->shape[0] == shape.channels)
        *x = nir_number(f, i / area);
    else
        return false;
    return true;
}

static bool take_scale(builder *b, const nir_stage *s) {
    snn_shape shape = b->shape;
    snn_layer spec = {0};
    const nir_field *f = nir_find(s->node, "scale");
    double **to = b->map != NULL ? &b->behind : &b->before, x;
    if (b->map != NULL && !plan_layer(b, NULL, &spec, &shape))
        return false;
    if (f == NULL || f->kind == NIR_TEXT || !scale_at(f, shape, 0, &x))
        return nir_fail(s, b->path, b->err, "has no scale that fits %u x %u x %u lines", shape.channels,
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
static bool nothing_waits(const builder *b, const nir_stage *s) {
    if (b->map != NULL)
        return nir_fail(s, b->path, b->err, "comes right behind '%s': there are no neurons between them",
                        b->map->path);
    return b->before == NULL ||
           nir_fail(s, b->path, b->err, "comes right behind a Scale, which is not supported");
}

static bool take_flatten(builder *b, const nir_stage *s) {
    const nir_field *start = nir_find(s->node, "start_dim"), *end = nir_find(s->node, "end_dim");
    const int64_t from = start && start->integer && start->count == 1 ? start->integer[0] : 0,
                  to = end && end->integer && end->count == 1 ? end->integer[0] : -1;
    if (b->map != NULL && !is_convolution(b->map))
        return true; /* flat already */
    if (!nothing_waits(b, s))
        return false;
    /* 1: PyTorch's, which counts a batch that the graph does not have */
    if (from < 0 || from > 1 || (to != -1 && to != 2 && to != 3))
        return nir_fail(s, b->path, b->err, "flattens dimensions %lld to %lld, expected all of them",
                        (long long)from, (long long)to);
    if (b->shape.height == 1 && b->shape.width == 1)
        return true;
    snn_layer spec = {.type = SNN_LAYER_FLATTEN};
    layer_name(b, s->path, spec.name);
    if (!snn_net_append(b->n->net, &spec, false, SNN_ERR_DATA, b->err))
        return snn_error_context(b->err, "%s", b->path);
    b->shape = (snn_shape){snn_shape_size(b->shape), 1, 1};
    return true;
}

/* One number out of a pool's two, which must be the same. */
static bool pool_number(const builder *b, const nir_stage *s, const char *name, int64_t otherwise,
                        int64_t *x) {
    const nir_field *f = nir_find(s->node, name);
    *x = otherwise;
    if (f == NULL && otherwise >= 0)
        return true;
    if (f == NULL || f->integer == NULL || f->count < 1 || f->count > 2 || f->integer[0] < 0 ||
        f->integer[0] > SNN_WINDOW_MAX)
        return nir_fail(s, b->path, b->err, "has no %s that is one integer or two", name);
    if (f->count == 2 && f->integer[1] != f->integer[0])
        return nir_fail(s, b->path, b->err, "%s differs in its two directions", name);
    *x = f->integer[0];
    return true;
}

/* A threshold that every single spike of a sum crosses? */
static bool is_or(const nir_stage *s) {
    const nir_field *f = nir_find(s->node, "threshold");
    if (!is_type(s, "Threshold") || f == NULL || f->kind == NIR_TEXT)
        return false;
    for (uint64_t i = 0; i < f->count; i++)
        if (!(nir_number(f, i) >= 0 && nir_number(f, i) < 1))
            return false;
    return f->count > 0;
}

/* *taken: 2 when the next node, a Threshold, is part of it. */
static bool take_pool(builder *b, int i, int *taken) {
    const nir_stage *s = &b->chain->stage[i];
    int64_t kernel, stride, padding;
    if (!nothing_waits(b, s) || !pool_number(b, s, "kernel_size", -1, &kernel) ||
        !pool_number(b, s, "stride", kernel, &stride) || !pool_number(b, s, "padding", 0, &padding))
        return false;
    if (padding != 0)
        return nir_fail(s, b->path, b->err, "has a padding of %lld, expected 0", (long long)padding);
    snn_layer spec = {.type = is_type(s, "AvgPool2d") ? SNN_LAYER_POOL_AVERAGE : SNN_LAYER_POOL_SUM,
                      .kernel = (uint32_t)kernel,
                      .stride = (uint32_t)stride};
    if (spec.type == SNN_LAYER_POOL_SUM && b->spikes &&
        is_or(&b->chain->stage[i + 1])) { /* Output ends the chain */
        spec.type = SNN_LAYER_POOL_MAX;
        *taken = 2;
    }
    layer_name(b, s->path, spec.name);
    if (!snn_net_append(b->n->net, &spec, false, SNN_ERR_DATA, b->err))
        return snn_error_context(b->err, "%s", b->path);
    b->shape = b->n->net->layer[b->n->net->layers - 1].out;
    b->spikes = spec.type == SNN_LAYER_POOL_MAX;
    return true;
}

static bool take_delay(builder *b, const nir_stage *s) {
    const nir_field *f = nir_find(s->node, "delay");
    if (f == NULL || f->kind == NIR_TEXT || f->count < 1)
        return nir_fail(s, b->path, b->err, "has no delay");
    const double delay = nir_number(f, 0), steps = floor(delay / b->dt + 0.5);
    for (uint64_t i = 1; i < f->count; i++)
        if (nir_number(f, i) != delay)
            return nir_fail(s, b->path, b->err, "delays differ, snnsim has one for each layer");
    /* 1 part in 10^6: delays as float32 */
    if (!(delay >= 0) || steps > SNN_DELAY_MAX || fabs(delay / b->dt - steps) > 1e-6 * (steps + 1))
        return nir_fail(s, b->path, b->err, "a delay of %g s is not 0 to %u time steps of %g s (see --dt)",
                        delay, SNN_DELAY_MAX, b->dt);
    if (steps < 1)
        return true;
    if (b->map != NULL || b->last < 0)
        return nir_fail(s, b->path, b->err, "delays %s; snnsim delays spikes",
                        b->map != NULL ? "what weights have summed" : "the input");
    snn_layer *l = &b->n->net->layer[b->last];
    if (l->delay + (uint32_t)steps > SNN_DELAY_MAX)
        return nir_fail(s, b->path, b->err, "delays add up to more than %u steps", SNN_DELAY_MAX);
    l->delay += (uint32_t)steps;
    return true;
}

static bool take_output(builder *b, const nir_stage *s) {
    const snn_net *net = b->n->net;
    const bool ends = b->map == NULL && b->before == NULL && net->layers > 0 &&
                      net->layer[net->layers - 1].neuron.type != SNN_NEURON_NONE;
    snn_shape shape;
    if (!ends && !end_layer(b, NULL))
        return false;
    if (nir_find(s->node, "shape") == NULL)
        return true;
    if (!read_shape(b, s, "shape", &shape))
        return false;
    if (snn_shape_size(shape) != snn_shape_size(b->shape))
        return nir_fail(s, b->path, b->err, "has %u outputs, but %u come", snn_shape_size(shape),
                        snn_shape_size(b->shape));
    return true;
}

/* ---- the chain ---- */

/* Node i of the chain; *taken: how many nodes that was. */
static bool take_node(builder *b, int i, int *taken) {
    const nir_stage *s = &b->chain->stage[i];
    if (nir_is_neuron(s->node))
        return end_layer(b, s);
    if (is_type(s, "Linear") || is_type(s, "Affine") || is_convolution(s))
        return take_map(b, s);
    if (is_type(s, "Scale"))
        return take_scale(b, s);
    if (is_type(s, "Flatten"))
        return take_flatten(b, s);
    if (is_type(s, "SumPool2d") || is_type(s, "AvgPool2d"))
        return take_pool(b, i, taken);
    if (is_type(s, "Delay"))
        return take_delay(b, s);
    if (is_type(s, "Output"))
        return take_output(b, s);
    return nir_fail(s, b->path, b->err, "is a type of node that snnsim does not know");
}

void nir_network_free(nir_network *n) {
    for (int i = 0; i < n->tensors; i++)
        free(n->tensor[i].value);
    free(n->tensor);
    snn_net_free(n->net);
    *n = (nir_network){0};
}

bool nir_layers(nir_network *n, const nir_chain *c, double dt, const snn_import_options *o, const char *path,
                snn_error *err) {
    builder b = {.n = n, .chain = c, .options = o, .dt = dt, .path = path, .err = err, .last = -1};
    *n = (nir_network){0};
    bool ok = read_shape(&b, &c->stage[0], "shape", &b.shape);
    ok = ok && (n->net = snn_net_begin(b.shape, 0, dt * 1e6, SNN_ERR_DATA, err)) != NULL;
    for (int i = 1, taken; ok && i < c->stages; i += taken) {
        taken = 1;
        ok = take_node(&b, i, &taken);
    }
    ok = ok && snn_net_finish(n->net, SNN_ERR_DATA, err);
    forget(&b);
    if (!ok)
        nir_network_free(n);
    return ok;
}
