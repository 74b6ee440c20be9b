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
#include "nir_layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_MAX 4096 /* neurons (channels of images) without weights before them */

/* ---- names ---- */

/* A layer's name from a node's: other characters become '_', and numbers make it differ from earlier ones. */
void snn_nir_layer_name(const nir_builder *b, const char *path, char name[SNN_NAME]) {
    char base[SNN_NAME];
    const size_t most =
        sizeof base - 1 - strlen(SNN_RECURRENT) - 4; /* room for "_rec", and for "_" and a number */
    size_t n = 0;
    for (; n < most && path[n]; n++) {
        const char c = path[n];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        base[n] = plain ? c : '_';
    }
    base[n] = 0;
    snprintf(name, SNN_NAME, "%s", n > 0 ? base : "layer");
    for (unsigned i = 2; snn_net_find(b->n->net, name) >= 0 && i < 1000; i++)
        snprintf(name, SNN_NAME, "%.20s_%u", n > 0 ? base : "layer", i);
}

/* ---- tensors ---- */

static nir_tensor *add_tensor(nir_builder *b, const char *name, const char *suffix, uint64_t count) {
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
const nir_field *snn_nir_matrix(const nir_builder *b, const nir_stage *s) {
    const nir_field *w = snn_nir_find(s->node, "weight");
    if (w != NULL && w->kind != NIR_TEXT && w->dims == 2 && w->shape[0] >= 1 &&
        w->shape[0] <= SNN_NEURONS_MAX)
        return w;
    snn_nir_fail(s, b->path, b->err, "has no weights in two dimensions");
    return NULL;
}

static bool linear_tensor(nir_builder *b, const char *name) {
    const nir_field *w = snn_nir_matrix(b, b->map);
    nir_tensor *t = add_tensor(b, name, "", w->count);
    if (t == NULL)
        return false;
    t->node = b->map->node;
    t->exact = b->before == NULL;
    const uint64_t inputs = w->shape[1];
    for (uint64_t i = 0; i < w->count; i++)
        t->value[i] =
            (float)(b->before ? snn_nir_number(w, i) * b->before[i % inputs] : snn_nir_number(w, i));
    return true;
}

static bool convolution_tensor(nir_builder *b, const char *name) {
    const nir_field *f = snn_nir_find(b->map->node, "weight");
    const nir_window *w = &b->window;
    nir_tensor *t = add_tensor(b, name, "", (uint64_t)w->outputs * w->inputs * w->kernel * w->kernel);
    if (t == NULL)
        return false;
    t->node = b->map->node;
    for (uint64_t i = 0; i < f->count; i++)
        t->value[snn_nir_window_index(w, i)] = (float)snn_nir_number(f, i);
    return true;
}

/* n x n with ones on its diagonal. */
static bool identity_tensor(nir_builder *b, const char *name, uint32_t n) {
    nir_tensor *t = add_tensor(b, name, "", (uint64_t)n * n);
    for (uint32_t i = 0; t != NULL && i < n; i++)
        t->value[(uint64_t)i * n + i] = 1;
    return t != NULL;
}

static bool recurrent_tensor(nir_builder *b, const char *name, const nir_stage *s, uint32_t n) {
    const nir_stage r = {s->recurrent, s->recurrent_path, NULL, NULL};
    const nir_field *w = snn_nir_matrix(b, &r);
    if (w == NULL)
        return false;
    if (w->shape[0] != n || w->shape[1] != n)
        return snn_nir_fail(&r, b->path, b->err,
                            "has weights [%llu][%llu], expected [%u][%u] to bring spikes back",
                            (unsigned long long)w->shape[0], (unsigned long long)w->shape[1], n, n);
    nir_tensor *t = add_tensor(b, name, SNN_RECURRENT, w->count);
    if (t == NULL)
        return false;
    t->node = s->recurrent;
    for (uint64_t i = 0; i < w->count; i++)
        t->value[i] = (float)snn_nir_number(w, i);
    return true;
}

/* ---- biases ---- */

/* Adds the bias field of a node, one for each output channel; *any: is there one to keep? */
static bool add_bias(const nir_builder *b, const nir_stage *s, double *sum, uint32_t channels, bool *any) {
    const nir_field *f = snn_nir_find(s->node, "bias");
    if (f == NULL || nir_is_type(s, "Linear"))
        return true;
    if (f->kind == NIR_TEXT || f->count != channels)
        return snn_nir_fail(s, b->path, b->err, "has %llu biases for %u outputs",
                            (unsigned long long)f->count, channels);
    for (uint32_t c = 0; c < channels; c++) {
        sum[c] += snn_nir_number(f, c);
        *any |= snn_nir_number(f, c) != 0 ||
                !nir_is_convolution(s); /* Conv2d writes zeros where PyTorch has none */
    }
    return true;
}

/* What v_leak drives must be the same over a channel's pixels. */
static bool add_drive(const nir_builder *b, const nir_stage *s, const nir_neuron *neuron, double *sum,
                      snn_shape out, bool *any) {
    const uint32_t area = out.height * out.width;
    for (uint32_t c = 0; neuron->drive != NULL && c < out.channels; c++) {
        const bool same = neuron->drives == 1;
        const double drive = neuron->drive[same ? 0 : c * area];
        for (uint32_t i = 1; i < area && !same; i++)
            if (neuron->drive[c * area + i] != drive)
                return snn_nir_fail(s, b->path, b->err,
                                    "v_leak differs between the neurons of a channel, and from v_reset");
        if (neuron->neuron.membrane_bias && sum[c] != 0)
            return snn_nir_fail(
                s, b->path, b->err,
                "v_leak differs from v_reset behind biases, which snnsim's cuba_lif cannot both add");
        sum[c] += drive;
        *any = true;
    }
    return true;
}

static bool sum_biases(const nir_builder *b, const nir_stage *s, const nir_neuron *neuron, snn_shape out,
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
bool snn_nir_plan_layer(nir_builder *b, const nir_stage *s, snn_layer *spec, snn_shape *out) {
    /* Whom to name: at the end there are sums without neurons, or neither. */
    const nir_stage *at = b->map != NULL ? b->map : s != NULL ? s : &b->chain->stage[b->chain->stages - 1];
    *out = b->shape;
    spec->type = SNN_LAYER_LINEAR;
    if (b->map == NULL) { /* an identity */
        const bool flat = b->shape.height == 1 && b->shape.width == 1;
        if (b->shape.channels > IDENTITY_MAX)
            return snn_nir_fail(at, b->path, b->err,
                                "%u neurons without weights before them, expected at most %u",
                                b->shape.channels, IDENTITY_MAX);
        spec->out.channels = b->shape.channels;
        if (!flat) {
            spec->type = SNN_LAYER_CONV2D;
            spec->kernel = spec->stride = 1;
        }
    } else if (nir_is_convolution(b->map)) {
        const nir_window *w = &b->window;
        const uint32_t height = b->shape.height + 2 * w->padding, width = b->shape.width + 2 * w->padding;
        if (w->kernel > height || w->kernel > width)
            return snn_nir_fail(b->map, b->path, b->err,
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
        spec->out.channels = (uint32_t)snn_nir_find(b->map->node, "weight")->shape[0];
        *out = (snn_shape){spec->out.channels, 1, 1};
    }
    if (s != NULL && s->recurrent != NULL && spec->type != SNN_LAYER_LINEAR)
        return snn_nir_fail(s, b->path, b->err,
                            "is recurrent behind a convolution or a pool; snnsim's recurrent layers are "
                            "linear");
    const uint64_t area = (uint64_t)out->height * out->width;
    return (area <= SNN_NEURONS_MAX && area * out->channels <= SNN_NEURONS_MAX) ||
           snn_nir_fail(at, b->path, b->err, "yields too many neurons");
}

static bool add_tensors(nir_builder *b, const nir_stage *s, const char *name, const snn_layer *spec) {
    bool ok = b->map == NULL               ? identity_tensor(b, name, spec->out.channels)
              : nir_is_convolution(b->map) ? convolution_tensor(b, name)
                                           : linear_tensor(b, name);
    return ok && (s == NULL || s->recurrent == NULL || recurrent_tensor(b, name, s, spec->out.channels));
}

/* Appends the layer, then its biases and what its neurons have each for themselves. */
static bool append_layer(nir_builder *b, const snn_layer *spec, const nir_neuron *neuron,
                         const double *bias) {
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

static void forget(nir_builder *b) {
    free(b->before);
    free(b->behind);
    b->before = b->behind = NULL;
    b->map = NULL;
}

/* Gains of neurons that snnsim puts behind a map at the end. */
static bool set_gains(const nir_builder *b, nir_neuron *neuron, const double *scale, uint32_t n) {
    float *gain = neuron->each[SNN_PARAM_GAIN] = snn_alloc(n, sizeof *gain, "gains", b->err);
    for (uint32_t j = 0; gain != NULL && j < n; j++)
        gain[j] = (float)scale[j];
    return gain != NULL;
}

/* Ends a layer with neurons s; NULL: the sum itself is the output. */
bool snn_nir_end_layer(nir_builder *b, const nir_stage *s) {
    snn_layer spec = {.recurrent = s != NULL && s->recurrent != NULL};
    snn_shape out;
    nir_neuron neuron = {.neuron = {.type = SNN_NEURON_LI, .threshold = 1, .gain = 1, .current_gain = 1}};
    bool any = false;
    if (!snn_nir_plan_layer(b, s, &spec, &out))
        return false;
    snn_nir_layer_name(b, b->map != NULL ? b->map->path : s != NULL ? s->path : "output", spec.name);
    const double *scale = b->map == NULL ? b->before : b->behind; /* an identity's inputs are its outputs */
    if (s != NULL &&
        !snn_nir_neuron_of(&neuron, s, snn_shape_size(out), scale, b->dt, b->options, b->path, b->err))
        return false;
    if (s == NULL && scale != NULL && !set_gains(b, &neuron, scale, snn_shape_size(out)))
        return false;
    spec.neuron = neuron.neuron;
    double *bias = snn_alloc(out.channels, sizeof *bias, "biases", b->err);
    bool ok = bias != NULL && sum_biases(b, s, &neuron, out, bias, &any) &&
              append_layer(b, &spec, &neuron, any ? bias : NULL) && add_tensors(b, s, spec.name, &spec);
    free(bias);
    snn_nir_neuron_free(&neuron);
    forget(b);
    b->shape = out;
    b->spikes = true;
    b->last = b->n->net->layers - 1;
    return ok;
}

/* ---- the chain ---- */

void snn_nir_network_free(nir_network *n) {
    for (int i = 0; i < n->tensors; i++)
        free(n->tensor[i].value);
    free(n->tensor);
    snn_net_free(n->net);
    *n = (nir_network){0};
}

bool snn_nir_layers(nir_network *n, const nir_chain *c, double dt, const snn_import_options *o,
                    const char *path, snn_error *err) {
    nir_builder b = {.n = n, .chain = c, .options = o, .dt = dt, .path = path, .err = err, .last = -1};
    *n = (nir_network){0};
    bool ok = snn_nir_read_shape(&b, &c->stage[0], "shape", &b.shape);
    ok = ok && (n->net = snn_net_begin(b.shape, 0, dt * 1e6, SNN_ERR_DATA, err)) != NULL;
    for (int i = 1, taken; ok && i < c->stages; i += taken) {
        taken = 1;
        ok = snn_nir_take_node(&b, i, &taken);
    }
    ok = ok && snn_net_finish(n->net, SNN_ERR_DATA, err);
    forget(&b);
    if (!ok)
        snn_nir_network_free(n);
    return ok;
}
