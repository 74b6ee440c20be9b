/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network's topology: growing it layer by layer with every check of shapes and sizes, copying, comparing, freeing. */
#include "net_build.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static const char *const type_names[] = {
    [SNN_LAYER_LINEAR] = "linear",
    [SNN_LAYER_CONV2D] = "conv2d",
    [SNN_LAYER_POOL_MAX] = "pool_max",
    [SNN_LAYER_POOL_SUM] = "pool_sum",
    [SNN_LAYER_POOL_AVERAGE] = "pool_average",
    [SNN_LAYER_FLATTEN] = "flatten",
};
static const char *const neuron_names[] = {
    [SNN_NEURON_NONE] = "none", [SNN_NEURON_LIF] = "lif",       [SNN_NEURON_IF] = "if",
    [SNN_NEURON_LI] = "li",     [SNN_NEURON_CUBA] = "cuba_lif", [SNN_NEURON_ALIF] = "alif"};
static const char *const reset_names[] = {[SNN_RESET_ZERO] = "zero", [SNN_RESET_SUBTRACT] = "subtract"};

static const char *const param_names[SNN_PARAMS] = {
    [SNN_PARAM_DECAY] = "decay",
    [SNN_PARAM_THRESHOLD] = "threshold",
    [SNN_PARAM_GAIN] = "gain",
    [SNN_PARAM_CURRENT_DECAY] = "current_decay",
    [SNN_PARAM_CURRENT_GAIN] = "current_gain",
    [SNN_PARAM_ADAPT_DECAY] = "adapt_decay",
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* Index of name in names[first..n), -1 when it is not there. */
static int name_index(const char *const *names, int first, int n, const char *name) {
    for (int i = first; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *snn_layer_type_name(snn_layer_type type) {
    return type_names[type];
}
const char *snn_neuron_type_name(snn_neuron_type type) {
    return neuron_names[type];
}
const char *snn_reset_name(snn_reset reset) {
    return reset_names[reset];
}

const char *snn_param_name(snn_param p) {
    return param_names[p];
}

bool snn_layer_type_parse(const char *name, snn_layer_type *type) {
    int i = name_index(type_names, 0, COUNT(type_names), name);
    if (i >= 0)
        *type = (snn_layer_type)i;
    return i >= 0;
}

bool snn_neuron_type_parse(const char *name, snn_neuron_type *type) {
    int i =
        name_index(neuron_names, 1, COUNT(neuron_names), name); /* "none" is not a neuron one can ask for */
    if (i >= 0)
        *type = (snn_neuron_type)i;
    return i >= 0;
}

bool snn_reset_parse(const char *name, snn_reset *reset) {
    int i = name_index(reset_names, 0, COUNT(reset_names), name);
    if (i >= 0)
        *reset = (snn_reset)i;
    return i >= 0;
}

bool snn_layer_is_synaptic(snn_layer_type type) {
    return type == SNN_LAYER_LINEAR || type == SNN_LAYER_CONV2D;
}

bool snn_layer_is_pool(snn_layer_type type) {
    return type == SNN_LAYER_POOL_MAX || type == SNN_LAYER_POOL_SUM || type == SNN_LAYER_POOL_AVERAGE;
}

bool snn_name_valid(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n = strlen(name);
    return n >= 1 && n < SNN_NAME && strspn(name, allowed) == n;
}

/* ---- sizes ---- */

uint32_t snn_shape_size(snn_shape s) {
    return s.channels * s.height * s.width;
}

/* Product of n factors into *out; false when it is 0 or above limit. No intermediate overflows: limit <= 2^31 and factors < 2^32. */
static bool product_within(const uint32_t *factor, int n, uint64_t limit, uint64_t *out) {
    uint64_t p = 1;
    for (int i = 0; i < n; i++) {
        p *= factor[i];
        if (p == 0 || p > limit)
            return false;
    }
    *out = p;
    return true;
}

static bool shape_fits(snn_shape s) {
    uint64_t size;
    return product_within((uint32_t[]){s.channels, s.height, s.width}, 3, SNN_NEURONS_MAX, &size);
}

uint64_t snn_layer_weights(const snn_layer *layer, int *dims, uint64_t shape[4]) {
    uint64_t s[4] = {0, 0, 0, 0};
    int d = 0;
    if (layer->type == SNN_LAYER_LINEAR) {
        d = 2;
        s[0] = layer->out.channels;
        s[1] = snn_shape_size(layer->in);
    } else if (layer->type == SNN_LAYER_CONV2D) {
        d = 4;
        s[0] = layer->out.channels;
        s[1] = layer->in.channels;
        s[2] = s[3] = layer->kernel;
    }
    if (dims)
        *dims = d;
    if (shape)
        memcpy(shape, s, sizeof s);
    uint64_t count = d > 0;
    for (int i = 0; i < d; i++)
        count *= s[i];
    return count;
}

/* ---- tensors ---- */

const snn_layer *snn_net_tensor_layer(const snn_net *net, int tensor, bool *recurrent) {
    int i = 0;
    while (net->layer[i].tensor != tensor && snn_layer_recurrent_tensor(&net->layer[i]) != tensor)
        i++;
    if (recurrent != NULL)
        *recurrent = net->layer[i].tensor != tensor;
    return &net->layer[i];
}

uint64_t snn_net_tensor_weights(const snn_net *net, int tensor, int *dims, uint64_t shape[4]) {
    bool recurrent;
    const snn_layer *l = snn_net_tensor_layer(net, tensor, &recurrent);
    if (!recurrent)
        return snn_layer_weights(l, dims, shape);
    const uint64_t n = l->out.channels;
    if (dims)
        *dims = 2;
    if (shape)
        memcpy(shape, (uint64_t[4]){n, n, 0, 0}, sizeof(uint64_t[4]));
    return n * n;
}

const char *snn_net_tensor_name(const snn_net *net, int tensor, char name[SNN_NAME]) {
    bool recurrent;
    const snn_layer *l = snn_net_tensor_layer(net, tensor, &recurrent);
    snprintf(name, SNN_NAME, "%.*s%s", SNN_NAME - 1 - (recurrent ? (int)strlen(SNN_RECURRENT) : 0), l->name,
             recurrent ? SNN_RECURRENT : "");
    return name;
}

snn_layer snn_net_tensor_view(const snn_net *net, int tensor) {
    bool recurrent;
    snn_layer l = *snn_net_tensor_layer(net, tensor, &recurrent);
    if (recurrent)
        l.in = l.out;
    l.tensor = tensor;
    l.recurrent = false;
    return l;
}

int snn_net_find_tensor(const snn_net *net, const char *name) {
    char own[SNN_NAME];
    for (int i = 0; i < net->tensors; i++)
        if (strcmp(snn_net_tensor_name(net, i, own), name) == 0)
            return i;
    return -1;
}

static bool layer_plain(const snn_layer *l) {
    for (int p = 0; p < SNN_PARAMS; p++)
        if (l->each[p])
            return false;
    return l->neuron.type != SNN_NEURON_CUBA && l->neuron.type != SNN_NEURON_ALIF &&
           l->neuron.refractory == 0 && !l->recurrent && l->delay == 0 && l->start == 0;
}

bool snn_net_plain(const snn_net *net) {
    for (int i = 0; i < net->layers; i++)
        if (!layer_plain(&net->layer[i]))
            return false;
    return net->readout == SNN_READOUT_SUM;
}

static float scalar_param(const snn_neuron *n, snn_param p) {
    switch (p) {
    case SNN_PARAM_DECAY:
        return n->decay;
    case SNN_PARAM_THRESHOLD:
        return n->threshold;
    case SNN_PARAM_GAIN:
        return n->gain;
    case SNN_PARAM_CURRENT_DECAY:
        return n->current_decay;
    case SNN_PARAM_CURRENT_GAIN:
        return n->current_gain;
    default:
        return n->adapt_decay;
    }
}

float snn_layer_param(const snn_layer *layer, snn_param p, uint32_t j) {
    return layer->each[p] ? layer->each[p][j] : scalar_param(&layer->neuron, p);
}

uint32_t snn_layer_fan_in(const snn_layer *layer) {
    switch (layer->type) {
    case SNN_LAYER_LINEAR:
        return snn_shape_size(layer->in);
    case SNN_LAYER_CONV2D:
        return layer->in.channels * layer->kernel * layer->kernel;
    case SNN_LAYER_FLATTEN:
        return 1;
    default:
        return layer->kernel * layer->kernel;
    }
}

/* ---- growing ---- */

snn_net *snn_net_begin(snn_shape input, int steps, double step_us, snn_code code, snn_error *err) {
    if (!shape_fits(input)) {
        snn_fail(err, code, "input of %u x %u x %u (channels, height, width): expected 1 to %u input lines",
                 input.channels, input.height, input.width, SNN_NEURONS_MAX);
        return NULL;
    }
    if (steps < 0 || steps > SNN_STEPS_MAX || !isfinite(step_us) || step_us < 0) {
        snn_fail(err, code, "%d time steps of %g us: expected 0 to %d steps of a finite length", steps,
                 step_us, SNN_STEPS_MAX);
        return NULL;
    }
    snn_net *net = snn_alloc(1, sizeof *net, "a network", err);
    if (net == NULL)
        return NULL;
    net->input = input;
    net->steps = steps;
    net->step_us = step_us;
    return net;
}

static bool check_window(const snn_layer *l, snn_code code, snn_error *err) {
    const char *type = type_names[l->type];
    if (l->kernel < 1 || l->kernel > SNN_WINDOW_MAX)
        return snn_fail(err, code, "layer '%s' (%s): kernel is %u, expected 1 to %u", l->name, type,
                        l->kernel, SNN_WINDOW_MAX);
    if (l->stride < 1 || l->stride > SNN_WINDOW_MAX)
        return snn_fail(err, code, "layer '%s' (%s): stride is %u, expected 1 to %u", l->name, type,
                        l->stride, SNN_WINDOW_MAX);
    /* Beyond that an output would see nothing but padding. */
    if (l->padding >= l->kernel)
        return snn_fail(err, code, "layer '%s' (%s): padding %u must be smaller than the kernel, %u", l->name,
                        type, l->padding, l->kernel);
    if (l->padding > 0 && l->type != SNN_LAYER_CONV2D)
        return snn_fail(err, code, "layer '%s' (%s): only conv2d has padding", l->name, type);
    uint32_t h = l->in.height + 2 * l->padding, w = l->in.width + 2 * l->padding;
    if (l->kernel > h || l->kernel > w)
        return snn_fail(err, code,
                        "layer '%s' (%s): a kernel of %ux%u does not fit into its input of %ux%u%s", l->name,
                        type, l->kernel, l->kernel, h, w, l->padding ? " (padding included)" : "");
    return true;
}

/* Sets in, out and the window's defaults. */
static bool set_shapes(snn_layer *l, snn_shape in, snn_code code, snn_error *err) {
    uint32_t outputs = l->out.channels;
    l->in = in;
    if (l->type == SNN_LAYER_FLATTEN || l->type == SNN_LAYER_LINEAR) {
        l->kernel = l->stride = l->padding = 0;
        if (l->type == SNN_LAYER_FLATTEN)
            outputs = snn_shape_size(in);
        l->out = (snn_shape){outputs, 1, 1};
    } else {
        if (l->stride == 0)
            l->stride = l->type == SNN_LAYER_CONV2D ? 1 : l->kernel;
        if (!check_window(l, code, err))
            return false;
        l->out.channels = l->type == SNN_LAYER_CONV2D ? outputs : in.channels;
        l->out.height = (in.height + 2 * l->padding - l->kernel) / l->stride + 1;
        l->out.width = (in.width + 2 * l->padding - l->kernel) / l->stride + 1;
    }
    if (!shape_fits(l->out))
        return snn_fail(err, code, "layer '%s' (%s): output of %u x %u x %u, expected 1 to %u neurons",
                        l->name, type_names[l->type], l->out.channels, l->out.height, l->out.width,
                        SNN_NEURONS_MAX);
    return true;
}

static bool check_weights(const snn_layer *l, snn_code code, snn_error *err) {
    uint64_t count;
    bool fits =
        l->type == SNN_LAYER_LINEAR
            ? product_within((uint32_t[]){l->out.channels, snn_shape_size(l->in)}, 2, SNN_WEIGHTS_MAX, &count)
            : product_within((uint32_t[]){l->out.channels, l->in.channels, l->kernel, l->kernel}, 4,
                             SNN_WEIGHTS_MAX, &count);
    if (!fits)
        return snn_fail(err, code,
                        "layer '%s' (%s): %u outputs with %u inputs each need more than %u weights", l->name,
                        type_names[l->type], l->out.channels, snn_layer_fan_in(l), SNN_WEIGHTS_MAX);
    if (l->recurrent &&
        !product_within((uint32_t[]){l->out.channels, l->out.channels}, 2, SNN_WEIGHTS_MAX, &count))
        return snn_fail(err, code, "layer '%s': %u recurrent neurons need more than %u weights", l->name,
                        l->out.channels, SNN_WEIGHTS_MAX);
    return true;
}

/* One number of a neuron, alone or for each of them: within [least, most]? */
static bool check_param(const snn_layer *l, snn_param p, double least, double most, const char *expected,
                        snn_code code, snn_error *err) {
    const uint32_t n = l->each[p] ? snn_shape_size(l->out) : 1;
    for (uint32_t j = 0; j < n; j++) {
        const double x = (double)snn_layer_param(l, p, j);
        if (!(x >= least && x <= most))
            return snn_fail(err, code, "layer '%s': %s%s is %g, expected %s", l->name, param_names[p],
                            l->each[p] ? " of a neuron" : "", x, expected);
    }
    return true;
}

/* Which neurons can wait after a spike, and delay it. */
static bool check_times(const snn_layer *l, snn_code code, snn_error *err) {
    const snn_neuron *n = &l->neuron;
    const bool spikes = n->type != SNN_NEURON_LI;
    if (n->refractory > SNN_STEPS_MAX || (n->refractory > 0 && (!spikes || n->type == SNN_NEURON_ALIF)))
        return snn_fail(err, code, "layer '%s': refractory is %u, expected %s", l->name, n->refractory,
                        n->refractory > SNN_STEPS_MAX ? "at most 65535 steps" : "0 for this neuron");
    if (l->delay > SNN_DELAY_MAX || (l->delay > 0 && !spikes))
        return snn_fail(err, code, "layer '%s': delay is %u, expected %s", l->name, l->delay,
                        spikes ? "at most 255 steps" : "0, as li neurons do not spike");
    if (l->recurrent && (l->type != SNN_LAYER_LINEAR || !spikes))
        return snn_fail(err, code, "layer '%s' (%s): only linear layers that spike are recurrent", l->name,
                        type_names[l->type]);
    if (l->start > SNN_STEPS_MAX)
        return snn_fail(err, code, "layer '%s': start is %u, expected at most %d", l->name, l->start,
                        SNN_STEPS_MAX);
    return true;
}

static bool check_neuron(snn_layer *l, snn_code code, snn_error *err) {
    snn_neuron *n = &l->neuron;
    if (!snn_layer_is_synaptic(l->type)) {
        *n = (snn_neuron){.type = SNN_NEURON_NONE, .decay = 0, .threshold = 0, .gain = 1};
        if (l->recurrent || l->delay > 0 || l->start > 0)
            return snn_fail(
                err, code,
                "layer '%s' (%s): only layers with neurons are recurrent, delay spikes or start later",
                l->name, type_names[l->type]);
        return true;
    }
    if (n->type == SNN_NEURON_NONE)
        return snn_fail(err, code, "layer '%s' (%s): has no neuron", l->name, type_names[l->type]);
    if (n->type == SNN_NEURON_IF)
        n->decay = 1;
    const double least = (double)FLT_TRUE_MIN, most = (double)FLT_MAX;
    if (!check_param(l, SNN_PARAM_DECAY, 0, 1, "0 to 1", code, err) ||
        !check_param(l, SNN_PARAM_THRESHOLD, least, most, "a positive number", code, err) ||
        !check_param(l, SNN_PARAM_GAIN, least, most, "a positive number", code, err))
        return false;
    if (n->type == SNN_NEURON_CUBA &&
        (!check_param(l, SNN_PARAM_CURRENT_DECAY, 0, 1, "0 to 1", code, err) ||
         !check_param(l, SNN_PARAM_CURRENT_GAIN, least, most, "a positive number", code, err)))
        return false;
    if (n->type == SNN_NEURON_ALIF && !check_param(l, SNN_PARAM_ADAPT_DECAY, 0, 1, "0 to 1", code, err))
        return false;
    if (n->type == SNN_NEURON_ALIF && !(n->adapt >= 0 && n->adapt <= FLT_MAX))
        return snn_fail(err, code, "layer '%s': adapt is %g, expected 0 or more", l->name, (double)n->adapt);
    return check_times(l, code, err);
}

/* "fc1_rec" is what the recurrent weights of "fc1" are called. */
static bool tensor_name_taken(const snn_net *net, const snn_layer *spec) {
    const size_t suffix = strlen(SNN_RECURRENT), n = strlen(spec->name);
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        const size_t m = strlen(l->name);
        if (l->recurrent && n == m + suffix && memcmp(spec->name, l->name, m) == 0 &&
            strcmp(spec->name + m, SNN_RECURRENT) == 0)
            return true;
        if (spec->recurrent && m == n + suffix && memcmp(l->name, spec->name, n) == 0 &&
            strcmp(l->name + n, SNN_RECURRENT) == 0)
            return true;
    }
    return false;
}

static bool check_place(const snn_net *net, const snn_layer *spec, snn_code code, snn_error *err) {
    if (net->layers == SNN_LAYERS_MAX)
        return snn_fail(err, code, "more than %d layers", SNN_LAYERS_MAX);
    if (!snn_name_valid(spec->name))
        return snn_fail(err, code,
                        "layer %d: '%.40s' is no name: expected 1 to %d letters, digits, '_' and '-'",
                        net->layers + 1, spec->name, SNN_NAME - 1);
    if (snn_net_find(net, spec->name) >= 0)
        return snn_fail(err, code, "layer %d: the name '%s' is used twice", net->layers + 1, spec->name);
    if (spec->recurrent && strlen(spec->name) + strlen(SNN_RECURRENT) >= SNN_NAME)
        return snn_fail(err, code, "layer '%s': a recurrent layer's name has at most %d characters",
                        spec->name, SNN_NAME - 1 - (int)strlen(SNN_RECURRENT));
    if (tensor_name_taken(net, spec))
        return snn_fail(err, code,
                        "layer '%s': the name is taken by, or would take, a recurrent layer's '%s'",
                        spec->name, SNN_RECURRENT);
    if (net->layers > 0) {
        const snn_layer *last = &net->layer[net->layers - 1];
        if (last->neuron.type == SNN_NEURON_LI)
            return snn_fail(
                err, code,
                "layer '%s' has li neurons, which never spike: it must be the last layer, but '%s' "
                "follows",
                last->name, spec->name);
        if (last->type == SNN_LAYER_FLATTEN &&
            (spec->type == SNN_LAYER_CONV2D || snn_layer_is_pool(spec->type)))
            return snn_fail(err, code,
                            "layer '%s' (%s): '%s' has flattened its input, nothing is left to slide a "
                            "window over: expected linear",
                            spec->name, type_names[spec->type], last->name);
    }
    return true;
}

bool snn_net_append(snn_net *net, const snn_layer *spec, bool bias, snn_code code, snn_error *err) {
    snn_layer l = *spec;
    l.bias = NULL;
    l.tensor = -1;
    memset(l.each, 0, sizeof l.each);
    snn_shape in = net->layers > 0 ? net->layer[net->layers - 1].out : net->input;
    if (!check_place(net, spec, code, err) || !set_shapes(&l, in, code, err) || !check_neuron(&l, code, err))
        return false;
    if (bias && !snn_layer_is_synaptic(l.type))
        return snn_fail(err, code, "layer '%s' (%s): only linear and conv2d have biases", l.name,
                        type_names[l.type]);
    if (snn_layer_is_synaptic(l.type)) {
        if (!check_weights(&l, code, err))
            return false;
        l.tensor = net->tensors;
    }
    snn_layer *grown = realloc(net->layer, sizeof *grown * ((size_t)net->layers + 1));
    if (grown == NULL)
        return snn_fail(err, SNN_ERR_RUNTIME, "no memory for layer '%s'", l.name);
    net->layer = grown;
    if (bias) {
        l.bias = snn_alloc(l.out.channels, sizeof *l.bias, "biases", err);
        if (l.bias == NULL)
            return false;
    }
    net->layer[net->layers++] = l;
    net->tensors += (l.tensor >= 0) + l.recurrent;
    return true;
}

bool snn_net_param(snn_net *net, snn_param p, const float *value, snn_code code, snn_error *err) {
    snn_layer *l = &net->layer[net->layers - 1];
    const uint32_t n = snn_shape_size(l->out);
    if (!snn_layer_is_synaptic(l->type) || (l->neuron.type == SNN_NEURON_IF && p == SNN_PARAM_DECAY))
        return snn_fail(err, code, "layer '%s': has no %s", l->name, param_names[p]);
    l->each[p] = snn_alloc(n, sizeof *l->each[p], "neurons", err);
    if (l->each[p] == NULL)
        return false;
    memcpy(l->each[p], value, n * sizeof *value);
    return check_neuron(l, code, err);
}

bool snn_net_finish(snn_net *net, snn_code code, snn_error *err) {
    if (net->layers == 0)
        return snn_fail(err, code, "the network has no layers");
    const snn_layer *last = &net->layer[net->layers - 1];
    if (last->neuron.type == SNN_NEURON_NONE)
        return snn_fail(err, code,
                        "the last layer, '%s' (%s), has no neurons to read out: expected linear or conv2d",
                        last->name, type_names[last->type]);
    if (net->readout == SNN_READOUT_SOFTMAX && last->neuron.type != SNN_NEURON_LI)
        return snn_fail(err, code, "the last layer, '%s', spikes: a softmax is read out of li neurons only",
                        last->name);
    net->classes = snn_shape_size(last->out);
    return true;
}

/* ---- the whole network ---- */

static bool copy_numbers(float **to, const float *from, uint32_t n, snn_error *err) {
    if (from == NULL)
        return true;
    *to = snn_alloc(n, sizeof **to, "a network", err);
    if (*to != NULL)
        memcpy(*to, from, n * sizeof *from);
    return *to != NULL;
}

snn_net *snn_net_copy(const snn_net *net, snn_error *err) {
    snn_net *copy = snn_alloc(1, sizeof *copy, "a network", err);
    if (copy == NULL)
        return NULL;
    *copy = *net;
    copy->layers = 0; /* counts the layers whose biases are copied, for snn_net_free */
    copy->layer = snn_alloc((size_t)net->layers, sizeof *copy->layer, "layers", err);
    if (copy->layer == NULL)
        goto fail;
    for (int i = 0; i < net->layers; i++) {
        snn_layer *l = &copy->layer[copy->layers++];
        *l = net->layer[i];
        l->bias = NULL;
        memset(l->each, 0, sizeof l->each);
        if (!copy_numbers(&l->bias, net->layer[i].bias, l->out.channels, err))
            goto fail;
        for (int p = 0; p < SNN_PARAMS; p++)
            if (!copy_numbers(&l->each[p], net->layer[i].each[p], snn_shape_size(l->out), err))
                goto fail;
    }
    return copy;
fail:
    snn_net_free(copy);
    return NULL;
}

void snn_net_free(snn_net *net) {
    if (net == NULL)
        return;
    for (int i = 0; i < net->layers; i++) {
        free(net->layer[i].bias);
        for (int p = 0; p < SNN_PARAMS; p++)
            free(net->layer[i].each[p]);
    }
    free(net->layer);
    free(net);
}

int snn_net_find(const snn_net *net, const char *name) {
    for (int i = 0; i < net->layers; i++)
        if (strcmp(net->layer[i].name, name) == 0)
            return i;
    return -1;
}

static bool differ(snn_error *err, int i, const snn_layer *a, const char *what, double x, double y) {
    return snn_fail(err, SNN_ERR_DATA, "networks differ in layer %d ('%s'): %s %.9g against %.9g", i + 1,
                    a->name, what, x, y);
}

static bool shapes_equal(snn_shape a, snn_shape b) {
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

static bool has_param(snn_neuron_type type, snn_param p) {
    switch (p) {
    case SNN_PARAM_THRESHOLD:
        return type != SNN_NEURON_LI;
    case SNN_PARAM_CURRENT_DECAY:
    case SNN_PARAM_CURRENT_GAIN:
        return type == SNN_NEURON_CUBA;
    case SNN_PARAM_ADAPT_DECAY:
        return type == SNN_NEURON_ALIF;
    default:
        return true;
    }
}

static bool params_equal(int i, const snn_layer *a, const snn_layer *b, snn_param p, snn_error *err) {
    const uint32_t n = a->each[p] || b->each[p] ? snn_shape_size(a->out) : 1;
    for (uint32_t j = 0; j < n; j++) {
        const float x = snn_layer_param(a, p, j), y = snn_layer_param(b, p, j);
        if (x != y)
            return differ(err, i, a, param_names[p], (double)x, (double)y);
    }
    return true;
}

static bool neurons_equal(int i, const snn_layer *a, const snn_layer *b, snn_error *err) {
    const snn_neuron *x = &a->neuron, *y = &b->neuron;
    if (x->type != y->type)
        return snn_fail(err, SNN_ERR_DATA, "networks differ in layer %d ('%s'): neuron %s against %s", i + 1,
                        a->name, neuron_names[x->type], neuron_names[y->type]);
    if (x->type == SNN_NEURON_NONE)
        return true;
    /* Of li neurons, which do not spike, what has to do with spikes has no effect. */
    const bool spikes = x->type != SNN_NEURON_LI;
    for (int p = 0; p < SNN_PARAMS; p++)
        if (has_param(x->type, (snn_param)p) && !params_equal(i, a, b, (snn_param)p, err))
            return false;
    if (x->type == SNN_NEURON_CUBA && x->membrane_bias != y->membrane_bias)
        return differ(err, i, a, "membrane_bias", x->membrane_bias, y->membrane_bias);
    if (x->type == SNN_NEURON_ALIF)
        return x->adapt == y->adapt || differ(err, i, a, "adapt", x->adapt, y->adapt);
    if (spikes && x->reset != y->reset)
        return snn_fail(err, SNN_ERR_DATA, "networks differ in layer %d ('%s'): reset %s against %s", i + 1,
                        a->name, reset_names[x->reset], reset_names[y->reset]);
    if (spikes && x->at_threshold != y->at_threshold)
        return differ(err, i, a, "at_threshold", x->at_threshold, y->at_threshold);
    return x->refractory == y->refractory || differ(err, i, a, "refractory", x->refractory, y->refractory);
}

static bool layers_equal(int i, const snn_layer *a, const snn_layer *b, snn_error *err) {
    if (a->type != b->type)
        return snn_fail(err, SNN_ERR_DATA, "networks differ in layer %d ('%s'): %s against %s", i + 1,
                        a->name, type_names[a->type], type_names[b->type]);
    if (a->kernel != b->kernel)
        return differ(err, i, a, "kernel", a->kernel, b->kernel);
    if (a->stride != b->stride)
        return differ(err, i, a, "stride", a->stride, b->stride);
    if (a->padding != b->padding)
        return differ(err, i, a, "padding", a->padding, b->padding);
    if (!shapes_equal(a->out, b->out))
        return snn_fail(err, SNN_ERR_DATA,
                        "networks differ in layer %d ('%s'): output %ux%ux%u against %ux%ux%u", i + 1,
                        a->name, a->out.channels, a->out.height, a->out.width, b->out.channels, b->out.height,
                        b->out.width);
    if ((a->bias == NULL) != (b->bias == NULL))
        return snn_fail(err, SNN_ERR_DATA,
                        "networks differ in layer %d ('%s'): one has biases, the other has none", i + 1,
                        a->name);
    if (a->recurrent != b->recurrent)
        return snn_fail(err, SNN_ERR_DATA,
                        "networks differ in layer %d ('%s'): one is recurrent, the other is not", i + 1,
                        a->name);
    if (a->delay != b->delay)
        return differ(err, i, a, "delay", a->delay, b->delay);
    if (a->start != b->start)
        return differ(err, i, a, "start", a->start, b->start);
    return neurons_equal(i, a, b, err);
}

bool snn_net_equal(const snn_net *a, const snn_net *b, snn_error *err) {
    if (!shapes_equal(a->input, b->input))
        return snn_fail(err, SNN_ERR_DATA, "networks differ in the input: %ux%ux%u against %ux%ux%u",
                        a->input.channels, a->input.height, a->input.width, b->input.channels,
                        b->input.height, b->input.width);
    if (a->layers != b->layers)
        return snn_fail(err, SNN_ERR_DATA, "networks differ: %d layers against %d", a->layers, b->layers);
    for (int i = 0; i < a->layers; i++)
        if (!layers_equal(i, &a->layer[i], &b->layer[i], err))
            return false;
    if (a->readout != b->readout)
        return snn_fail(err, SNN_ERR_DATA, "networks differ: one is read out by softmax, the other is not");
    return true;
}
