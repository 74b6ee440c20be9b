/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network as compact JSON, as model files carry it, and back:
 *   {"format":1,"input":[2,34,34],"steps":15,"step_us":0,"layers":[{"name":"fc1","type":"linear","outputs":512,
 *     "neuron":{"type":"lif","decay":0.3,"threshold":0.3,"reset":"zero","at_threshold":false,"gain":1}}, ...]}
 * That is format 1. Format 2 is written for networks that need more of it: the network has readout and fixed, a layer of weights delay and start, a linear one recurrent,
 * a neuron what its type has beyond format 1, and a parameter that neurons have each for itself is a list in C order instead of a number.
 * A reader must not guess: every key is required where its layer has it (biases excepted), and an unknown one is an error, because
 * ignoring it would run another network than the one that was saved. Shapes and sizes are checked in net.c.
 */
#include "net_build.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_FIRST = 1, FORMAT_LAST = 2 };
#define JSON_MAX (64u << 20) /* bytes; the largest sensible part are biases */

/* ---- writing ---- */

/* Has the neuron this key in a file? The first three always: format 1 had them. */
static bool writes_param(snn_neuron_type type, snn_param p) {
    switch (p) {
    case SNN_PARAM_CURRENT_DECAY:
    case SNN_PARAM_CURRENT_GAIN:
        return type == SNN_NEURON_CUBA;
    case SNN_PARAM_ADAPT_DECAY:
        return type == SNN_NEURON_ALIF;
    default:
        return true;
    }
}

static bool has_refractory(snn_neuron_type type) {
    return type == SNN_NEURON_LIF || type == SNN_NEURON_IF || type == SNN_NEURON_CUBA;
}

static bool layer_needs_format2(const snn_layer *l) {
    for (int p = 0; p < SNN_PARAMS; p++)
        if (l->each[p] != NULL)
            return true;
    return l->recurrent || l->delay > 0 || l->start > 0 || l->neuron.refractory > 0 ||
           l->neuron.type == SNN_NEURON_CUBA || l->neuron.type == SNN_NEURON_ALIF;
}

static int format_of(const snn_net *net) {
    bool more = net->readout != SNN_READOUT_SUM || net->fixed;
    for (int i = 0; i < net->layers; i++)
        more |= layer_needs_format2(&net->layer[i]);
    return more ? 2 : 1;
}

static json_t *list_json(const float *x, uint32_t n) {
    json_t *list = json_array();
    for (uint32_t i = 0; list != NULL && i < n; i++) {
        if (json_array_append_new(list, json_real((double)x[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *param_json(const snn_layer *l, snn_param p) {
    return l->each[p] ? list_json(l->each[p], snn_shape_size(l->out))
                      : json_real((double)snn_layer_param(l, p, 0));
}

/* Numbers are written with 17 digits, which give back every double and float. */
static json_t *neuron_json(const snn_layer *l, int format) {
    const snn_neuron *n = &l->neuron;
    json_t *o = json_pack("{s:s, s:o, s:o, s:s, s:b, s:o}", "type", snn_neuron_type_name(n->type), "decay",
                          param_json(l, SNN_PARAM_DECAY), "threshold", param_json(l, SNN_PARAM_THRESHOLD),
                          "reset", snn_reset_name(n->reset), "at_threshold", (int)n->at_threshold, "gain",
                          param_json(l, SNN_PARAM_GAIN));
    int bad = 0;
    for (int p = SNN_PARAM_CURRENT_DECAY; format > 1 && p < SNN_PARAMS; p++)
        if (writes_param(n->type, (snn_param)p))
            bad |= json_object_set_new(o, snn_param_name((snn_param)p), param_json(l, (snn_param)p));
    if (format > 1 && n->type == SNN_NEURON_CUBA)
        bad |= json_object_set_new(o, "membrane_bias", json_boolean(n->membrane_bias));
    if (format > 1 && n->type == SNN_NEURON_ALIF)
        bad |= json_object_set_new(o, "adapt", json_real((double)n->adapt));
    if (format > 1 && has_refractory(n->type))
        bad |= json_object_set_new(o, "refractory", json_integer(n->refractory));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* NULL when memory is out (jansson passes a failed part on as a failure of the whole). */
static json_t *layer_json(const snn_layer *l, int format) {
    json_t *o = json_pack("{s:s, s:s}", "name", l->name, "type", snn_layer_type_name(l->type));
    int bad = 0;
    if (snn_layer_is_synaptic(l->type)) {
        const char *key = l->type == SNN_LAYER_LINEAR ? "outputs" : "channels";
        bad |= json_object_set_new(o, key, json_integer(l->out.channels));
    }
    if (l->type == SNN_LAYER_CONV2D || snn_layer_is_pool(l->type)) {
        bad |= json_object_set_new(o, "kernel", json_integer(l->kernel));
        bad |= json_object_set_new(o, "stride", json_integer(l->stride));
    }
    if (l->type == SNN_LAYER_CONV2D)
        bad |= json_object_set_new(o, "padding", json_integer(l->padding));
    if (l->bias != NULL)
        bad |= json_object_set_new(o, "bias", list_json(l->bias, l->out.channels));
    if (format > 1 && l->type == SNN_LAYER_LINEAR)
        bad |= json_object_set_new(o, "recurrent", json_boolean(l->recurrent));
    if (format > 1 && snn_layer_is_synaptic(l->type)) {
        bad |= json_object_set_new(o, "delay", json_integer(l->delay));
        bad |= json_object_set_new(o, "start", json_integer(l->start));
    }
    if (snn_layer_is_synaptic(l->type))
        bad |= json_object_set_new(o, "neuron", neuron_json(l, format));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static bool check_biases(const snn_net *net, snn_error *err) {
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        for (uint32_t k = 0; l->bias != NULL && k < l->out.channels; k++)
            if (!isfinite(l->bias[k]))
                return snn_fail(err, SNN_ERR_DATA, "layer '%s': bias %u is %g, expected a finite number",
                                l->name, k, (double)l->bias[k]);
    }
    return true;
}

char *snn_net_to_json(const snn_net *net, snn_error *err) {
    if (!check_biases(net, err))
        return NULL;
    const int format = format_of(net);
    json_t *layers = json_array();
    int bad = layers == NULL;
    for (int i = 0; i < net->layers; i++)
        bad |= json_array_append_new(layers, layer_json(&net->layer[i], format));
    json_t *root = json_pack("{s:i, s:[i, i, i], s:i, s:f, s:o}", "format", format, "input",
                             (int)net->input.channels, (int)net->input.height, (int)net->input.width, "steps",
                             net->steps, "step_us", net->step_us, "layers", layers);
    if (format > 1) {
        bad |= json_object_set_new(root, "readout",
                                   json_string(net->readout == SNN_READOUT_SOFTMAX ? "softmax" : "sum"));
        bad |= json_object_set_new(root, "fixed", json_boolean(net->fixed));
    }
    char *text = bad ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    if (text == NULL)
        snn_fail(err, SNN_ERR_RUNTIME, "no memory for the network's description");
    return text;
}

/* ---- reading ---- */

/* A failure that says where in the text it is: "where: layer 3: ...". */
typedef struct {
    const char *where;
    int layer; /* counted from 1; 0: not in a layer */
    int format;
    snn_error *err;
} place;

static bool fail(const place *p, const char *key, const char *expected) {
    if (p->layer > 0)
        return snn_fail(p->err, SNN_ERR_DATA, "%s: network, layer %d: '%s': expected %s", p->where, p->layer,
                        key, expected);
    return snn_fail(p->err, SNN_ERR_DATA, "%s: network: '%s': expected %s", p->where, key, expected);
}

/* Is every key of the object in the list (ending with NULL)? */
static bool known_keys(const place *p, json_t *o, const char *const *keys) {
    const char *key;
    json_t *value;
    json_object_foreach(o, key, value) {
        int i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL) {
            char name[41];
            snprintf(name, sizeof name, "%s", key);
            return fail(p, name, "no such key here (written by a newer snnsim?)");
        }
    }
    return true;
}

static bool read_int(const place *p, json_t *o, const char *key, uint32_t max, uint32_t *out) {
    json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > (json_int_t)max) {
        char expected[64];
        snprintf(expected, sizeof expected, "a whole number from 0 to %u", max);
        return fail(p, key, expected);
    }
    *out = (uint32_t)json_integer_value(v);
    return true;
}

static bool read_real(const place *p, json_t *o, const char *key, double *out) {
    json_t *v = json_object_get(o, key);
    if (!json_is_number(v))
        return fail(p, key, "a number");
    *out = json_number_value(v);
    return true;
}

/* A number that must be a float32 exactly or nearly: conversion may round but not overflow. */
static bool read_float(const place *p, json_t *o, const char *key, float *out) {
    double v = 0;
    if (!read_real(p, o, key, &v))
        return false;
    *out = (float)v;
    return isfinite(*out) ? true : fail(p, key, "a number within float32");
}

static bool read_string(const place *p, json_t *o, const char *key, const char **out) {
    *out = json_string_value(json_object_get(o, key));
    return *out != NULL ? true : fail(p, key, "a string");
}

static bool read_bool(const place *p, json_t *o, const char *key, bool *out) {
    json_t *v = json_object_get(o, key);
    *out = json_is_true(v);
    return json_is_boolean(v) ? true : fail(p, key, "true or false");
}

/* A parameter of the neurons: a number; or a list (format 2), whose first number stands for it until the layer has its shape. */
static bool read_param(const place *p, json_t *o, snn_param param, float *out) {
    const char *key = snn_param_name(param);
    json_t *list = json_object_get(o, key);
    if (p->format == 1 || !json_is_array(list))
        return read_float(p, o, key, out);
    size_t i;
    json_t *v;
    json_array_foreach(
        list, i, v) if (!json_is_number(v) ||
                        !isfinite((float)json_number_value(v))) return fail(p, key, "numbers within float32");
    *out = (float)json_number_value(json_array_get(list, 0));
    return json_array_size(list) > 0 ? true : fail(p, key, "one number per neuron");
}

/* The list of keys that each kind of neuron has. */
static const char *const *neuron_keys(int format, snn_neuron_type type) {
#define FIRST "type", "decay", "threshold", "reset", "at_threshold", "gain"
    static const char *const first[] = {FIRST, NULL};
    static const char *const lif[] = {FIRST, "refractory", NULL};
    static const char *const cuba[] = {FIRST,           "current_decay", "current_gain",
                                       "membrane_bias", "refractory",    NULL};
    static const char *const alif[] = {FIRST, "adapt_decay", "adapt", NULL};
#undef FIRST
    return format == 1 || type == SNN_NEURON_LI ? first
           : type == SNN_NEURON_CUBA            ? cuba
           : type == SNN_NEURON_ALIF            ? alif
                                                : lif;
}

/* What format 2 added. */
static bool read_neuron2(const place *p, json_t *o, snn_neuron *n) {
    if (n->type == SNN_NEURON_CUBA && (!read_param(p, o, SNN_PARAM_CURRENT_DECAY, &n->current_decay) ||
                                       !read_param(p, o, SNN_PARAM_CURRENT_GAIN, &n->current_gain) ||
                                       !read_bool(p, o, "membrane_bias", &n->membrane_bias)))
        return false;
    if (n->type == SNN_NEURON_ALIF &&
        (!read_param(p, o, SNN_PARAM_ADAPT_DECAY, &n->adapt_decay) || !read_float(p, o, "adapt", &n->adapt)))
        return false;
    return !has_refractory(n->type) || read_int(p, o, "refractory", SNN_STEPS_MAX, &n->refractory);
}

static bool read_neuron(const place *p, json_t *o, snn_neuron *n) {
    const char *type, *reset;
    if (!json_is_object(o))
        return fail(p, "neuron", "an object");
    if (!read_string(p, o, "type", &type))
        return false;
    if (!snn_neuron_type_parse(type, &n->type) ||
        (p->format == 1 && (n->type == SNN_NEURON_CUBA || n->type == SNN_NEURON_ALIF)))
        return fail(p, "type", p->format == 1 ? "lif, if or li" : "lif, if, li, cuba_lif or alif");
    if (!known_keys(p, o, neuron_keys(p->format, n->type)) || !read_string(p, o, "reset", &reset) ||
        !read_param(p, o, SNN_PARAM_DECAY, &n->decay) ||
        !read_param(p, o, SNN_PARAM_THRESHOLD, &n->threshold) || !read_param(p, o, SNN_PARAM_GAIN, &n->gain))
        return false;
    if (n->type == SNN_NEURON_IF && n->decay != 1)
        return fail(p, "decay", "1 for an `if` neuron");
    if (!snn_reset_parse(reset, &n->reset))
        return fail(p, "reset", "zero or subtract");
    if (!read_bool(p, o, "at_threshold", &n->at_threshold))
        return false;
    return p->format == 1 || read_neuron2(p, o, n);
}

/* The parameters that were lists, now that the layer has its shape. */
static bool read_each(const place *p, json_t *o, snn_net *net) {
    const snn_layer *l = &net->layer[net->layers - 1];
    const uint32_t n = snn_shape_size(l->out);
    for (int i = 0; i < SNN_PARAMS; i++) {
        const char *key = snn_param_name((snn_param)i);
        json_t *list = json_object_get(o, key);
        if (!json_is_array(list))
            continue;
        if (json_array_size(list) != n)
            return fail(p, key, "one number per neuron");
        float *value = snn_alloc(n, sizeof *value, "neurons", p->err);
        for (uint32_t j = 0; value != NULL && j < n; j++)
            value[j] = (float)json_number_value(json_array_get(list, j));
        const bool ok = value != NULL && snn_net_param(net, (snn_param)i, value, SNN_ERR_DATA, p->err);
        free(value);
        if (!ok)
            return snn_error_context(p->err, "%s: network", p->where);
    }
    return true;
}

/* The list of keys that each kind of layer has. */
static const char *const *layer_keys(int format, snn_layer_type type) {
#define LINEAR "name", "type", "outputs", "bias", "neuron"
#define CONV "name", "type", "channels", "kernel", "stride", "padding", "bias", "neuron"
    static const char *const linear[2][9] = {{LINEAR, NULL}, {LINEAR, "recurrent", "delay", "start", NULL}};
    static const char *const conv[2][11] = {{CONV, NULL}, {CONV, "delay", "start", NULL}};
#undef CONV
#undef LINEAR
    static const char *const pool[] = {"name", "type", "kernel", "stride", NULL};
    static const char *const flatten[] = {"name", "type", NULL};
    return type == SNN_LAYER_LINEAR   ? linear[format > 1]
           : type == SNN_LAYER_CONV2D ? conv[format > 1]
           : snn_layer_is_pool(type)  ? pool
                                      : flatten;
}

/* What format 2 added to layers of weights. */
static bool read_times(const place *p, json_t *o, snn_layer *l) {
    return p->format == 1 || ((l->type != SNN_LAYER_LINEAR || read_bool(p, o, "recurrent", &l->recurrent)) &&
                              read_int(p, o, "delay", SNN_DELAY_MAX, &l->delay) &&
                              read_int(p, o, "start", SNN_STEPS_MAX, &l->start));
}

static bool read_window(const place *p, json_t *o, snn_layer *l) {
    if (l->type != SNN_LAYER_CONV2D && !snn_layer_is_pool(l->type))
        return true;
    if (!read_int(p, o, "kernel", SNN_WINDOW_MAX, &l->kernel) ||
        !read_int(p, o, "stride", SNN_WINDOW_MAX, &l->stride))
        return false;
    if (l->stride == 0) /* would mean "default" to net.c; a file says what it means */
        return fail(p, "stride", "at least 1");
    return l->type != SNN_LAYER_CONV2D || read_int(p, o, "padding", SNN_WINDOW_MAX, &l->padding);
}

static bool read_bias(const place *p, json_t *list, snn_layer *l) {
    if (json_array_size(list) != l->out.channels)
        return fail(p, "bias", "one number per output");
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        l->bias[i] = (float)json_number_value(v);
        if (!json_is_number(v) || !isfinite(l->bias[i]))
            return fail(p, "bias", "numbers within float32");
    }
    return true;
}

static bool read_layer(const place *p, json_t *o, snn_net *net) {
    snn_layer spec = {.tensor = -1};
    const char *name, *type;
    if (!json_is_object(o))
        return fail(p, "layers", "objects");
    if (!read_string(p, o, "name", &name) || !read_string(p, o, "type", &type))
        return false;
    if (!snn_name_valid(name))
        return fail(p, "name", "1 to 31 letters, digits, '_' and '-'");
    snprintf(spec.name, sizeof spec.name, "%s", name);
    if (!snn_layer_type_parse(type, &spec.type))
        return fail(p, "type", "linear, conv2d, pool_max, pool_sum, pool_average or flatten");
    if (!known_keys(p, o, layer_keys(p->format, spec.type)) || !read_window(p, o, &spec))
        return false;
    json_t *bias = json_object_get(o, "bias");
    if (snn_layer_is_synaptic(spec.type)) {
        const char *key = spec.type == SNN_LAYER_LINEAR ? "outputs" : "channels";
        if (!read_int(p, o, key, SNN_NEURONS_MAX, &spec.out.channels) ||
            !read_neuron(p, json_object_get(o, "neuron"), &spec.neuron) || !read_times(p, o, &spec))
            return false;
        /* Before memory is taken for them. */
        if (bias != NULL && (!json_is_array(bias) || json_array_size(bias) != spec.out.channels))
            return fail(p, "bias", "one number per output");
    }
    if (!snn_net_append(net, &spec, bias != NULL, SNN_ERR_DATA, p->err))
        return snn_error_context(p->err, "%s: network", p->where);
    return (bias == NULL || read_bias(p, bias, &net->layer[net->layers - 1])) &&
           read_each(p, json_object_get(o, "neuron"), net);
}

static bool read_input(const place *p, json_t *root, snn_shape *s) {
    json_t *list = json_object_get(root, "input");
    uint32_t *size[] = {&s->channels, &s->height, &s->width};
    if (!json_is_array(list) || json_array_size(list) != 3)
        return fail(p, "input", "[channels, height, width]");
    for (size_t i = 0; i < 3; i++) {
        json_t *v = json_array_get(list, i);
        if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > SNN_NEURONS_MAX)
            return fail(p, "input", "[channels, height, width], each at least 1");
        *size[i] = (uint32_t)json_integer_value(v);
    }
    return true;
}

/* What format 2 added to the network. */
static bool read_run(const place *p, json_t *root, snn_net *net) {
    const char *readout;
    if (p->format == 1)
        return true;
    if (!read_string(p, root, "readout", &readout) || !read_bool(p, root, "fixed", &net->fixed))
        return false;
    net->readout = strcmp(readout, "softmax") == 0 ? SNN_READOUT_SOFTMAX : SNN_READOUT_SUM;
    return net->readout == SNN_READOUT_SOFTMAX || strcmp(readout, "sum") == 0
               ? true
               : fail(p, "readout", "sum or softmax");
}

static snn_net *read_net(place *p, json_t *root) {
    static const char *const keys1[] = {"format", "input", "steps", "step_us", "layers", NULL};
    static const char *const keys2[] = {"format", "input",   "steps", "step_us",
                                        "layers", "readout", "fixed", NULL};
    uint32_t format, steps;
    snn_shape input;
    double step_us = 0;
    if (!json_is_object(root)) {
        fail(p, "{...}", "an object");
        return NULL;
    }
    if (!read_int(p, root, "format", UINT32_MAX, &format))
        return NULL;
    if (format < FORMAT_FIRST || format > FORMAT_LAST) {
        snn_fail(p->err, SNN_ERR_DATA, "%s: network: format %u is not known (this snnsim knows %d to %d)",
                 p->where, format, FORMAT_FIRST, FORMAT_LAST);
        return NULL;
    }
    p->format = (int)format;
    json_t *layers = json_object_get(root, "layers");
    if (!known_keys(p, root, format == 1 ? keys1 : keys2) || !read_input(p, root, &input) ||
        !read_int(p, root, "steps", SNN_STEPS_MAX, &steps) || !read_real(p, root, "step_us", &step_us))
        return NULL;
    if (!json_is_array(layers)) {
        fail(p, "layers", "a list");
        return NULL;
    }
    snn_net *net = snn_net_begin(input, (int)steps, step_us, SNN_ERR_DATA, p->err);
    if (net == NULL) {
        snn_error_context(p->err, "%s: network", p->where);
        return NULL;
    }
    size_t i;
    json_t *layer;
    if (!read_run(p, root, net))
        goto fail;
    json_array_foreach(layers, i, layer) {
        p->layer = (int)i + 1; /* net.c stops at SNN_LAYERS_MAX */
        if (!read_layer(p, layer, net))
            goto fail;
    }
    if (snn_net_finish(net, SNN_ERR_DATA, p->err))
        return net;
    snn_error_context(p->err, "%s: network", p->where);
fail:
    snn_net_free(net);
    return NULL;
}

snn_net *snn_net_from_json(const char *json, const char *where, snn_error *err) {
    size_t size = strlen(json);
    if (size > JSON_MAX) {
        snn_fail(err, SNN_ERR_DATA, "%s: network: %zu bytes of JSON, at most %u are read", where, size,
                 JSON_MAX);
        return NULL;
    }
    json_error_t why;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        snn_fail(err, SNN_ERR_DATA, "%s: network: not JSON: byte %d: %s", where, why.position, why.text);
        return NULL;
    }
    place p = {where, 0, 0, err};
    snn_net *net = read_net(&p, root);
    json_decref(root);
    return net;
}
