/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network that section `network` of a config describes. */
#include "net_build.h"

#include <stdio.h>
#include <string.h>

#define PATH 96 /* "network.layers[1023].neuron.at_threshold" and room */

/* "network.layers[i]" with `.key` behind it, or alone when key is "". */
static const char *layer_path(char path[PATH], int i, const char *key) {
    snprintf(path, PATH, "network.layers[%d]%s%s", i, key[0] ? "." : "", key);
    return path;
}

/* The path of a neuron's key: the layer's own where it is given, else that of network.neuron. */
static const char *neuron_path(const snn_config *c, char path[PATH], int i, const char *key) {
    snprintf(path, PATH, "network.layers[%d].neuron.%s", i, key);
    if (!snn_config_given(c, path))
        snprintf(path, PATH, "network.neuron.%s", key);
    return path;
}

static bool of_layer(const char *path) {
    return strncmp(path, "network.layers", 14) == 0;
}

/* A key that stands beside a type which does not have it would be ignored silently; one inherited from elsewhere is meant for other layers. */
static bool check_unused(const snn_config *c, int i, snn_neuron_type type, const char *type_path,
                         snn_error *err) {
    const bool cuba = type == SNN_NEURON_CUBA, alif = type == SNN_NEURON_ALIF,
               fires = type == SNN_NEURON_LIF || type == SNN_NEURON_IF || cuba;
    const struct {
        const char *key;
        bool has;
    } keys[] = {
        {"current_decay", cuba}, {"current_gain", cuba}, {"membrane_bias", cuba}, {"adapt_decay", alif},
        {"adapt", alif},         {"refractory", fires},  {"reset", !alif},        {"at_threshold", !alif},
    };
    char path[PATH];
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        if (!keys[k].has && snn_config_given(c, neuron_path(c, path, i, keys[k].key)) &&
            (of_layer(path) || !of_layer(type_path)))
            return snn_config_fail(c, path, err, "a `%s` neuron has no `%s`", snn_neuron_type_name(type),
                                   keys[k].key);
    return true;
}

static bool read_neuron(const snn_config *c, int i, snn_neuron *n, snn_error *err) {
    char path[PATH], type_path[PATH];
    if (!snn_neuron_type_parse(snn_config_string(c, neuron_path(c, type_path, i, "type")), &n->type))
        return snn_config_fail(c, type_path, err, "unknown neuron");
    n->decay = (float)snn_config_float(c, neuron_path(c, path, i, "decay"));
    if (n->type == SNN_NEURON_IF) {
        if (snn_config_given(c, path) && n->decay != 1 && (of_layer(path) || !of_layer(type_path)))
            return snn_config_fail(c, path, err,
                                   "an `if` neuron does not leak: leave decay out, or use `lif`");
        n->decay = 1;
    }
    n->threshold = (float)snn_config_float(c, neuron_path(c, path, i, "threshold"));
    if (!snn_reset_parse(snn_config_string(c, neuron_path(c, path, i, "reset")), &n->reset))
        return snn_config_fail(c, path, err, "unknown reset");
    n->at_threshold = snn_config_bool(c, neuron_path(c, path, i, "at_threshold"));
    n->gain = (float)snn_config_float(c, neuron_path(c, path, i, "gain"));
    n->current_decay = (float)snn_config_float(c, neuron_path(c, path, i, "current_decay"));
    n->current_gain = (float)snn_config_float(c, neuron_path(c, path, i, "current_gain"));
    n->membrane_bias = snn_config_bool(c, neuron_path(c, path, i, "membrane_bias"));
    n->adapt_decay = (float)snn_config_float(c, neuron_path(c, path, i, "adapt_decay"));
    n->adapt = (float)snn_config_float(c, neuron_path(c, path, i, "adapt"));
    if (n->type != SNN_NEURON_LI && n->type != SNN_NEURON_ALIF) /* others have none to inherit */
        n->refractory = (uint32_t)snn_config_int(c, neuron_path(c, path, i, "refractory"));
    return check_unused(c, i, n->type, type_path, err);
}

/* Is a key that this type does not have given, or one that it needs left out? */
static bool check_keys(const snn_config *c, int i, snn_layer_type type, snn_error *err) {
    bool linear = type == SNN_LAYER_LINEAR, conv = type == SNN_LAYER_CONV2D, pool = snn_layer_is_pool(type);
    const struct {
        const char *key;
        bool has, needs;
    } keys[] = {
        {"outputs", linear, linear},
        {"channels", conv, conv},
        {"kernel", conv || pool, conv || pool},
        {"stride", conv || pool, false},
        {"padding", conv, false},
        {"bias", linear || conv, false},
        {"recurrent", linear, false},
        {"delay", linear || conv, false},
        {"start", linear || conv, false},
        {"neuron", linear || conv, false},
        {"neuron.type", linear || conv, false},
        {"neuron.decay", linear || conv, false},
        {"neuron.threshold", linear || conv, false},
        {"neuron.reset", linear || conv, false},
        {"neuron.at_threshold", linear || conv, false},
        {"neuron.gain", linear || conv, false},
        {"neuron.current_decay", linear || conv, false},
        {"neuron.current_gain", linear || conv, false},
        {"neuron.membrane_bias", linear || conv, false},
        {"neuron.adapt_decay", linear || conv, false},
        {"neuron.adapt", linear || conv, false},
        {"neuron.refractory", linear || conv, false},
    };
    char path[PATH], at[PATH];
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        bool given = snn_config_given(c, layer_path(path, i, keys[k].key));
        if (given && !keys[k].has)
            return snn_config_fail(c, path, err, "a %s layer has no `%s`", snn_layer_type_name(type),
                                   keys[k].key);
        if (!given && keys[k].needs)
            return snn_config_fail(c, layer_path(at, i, ""), err, "a %s layer needs `%s`",
                                   snn_layer_type_name(type), keys[k].key);
    }
    return true;
}

/* A whole-number key that may be left out (0 then; every such key is at least 1, or has the default 0). */
static uint32_t optional(const snn_config *c, int i, const char *key) {
    char path[PATH];
    layer_path(path, i, key);
    return snn_config_given(c, path) ? (uint32_t)snn_config_int(c, path) : 0;
}

static bool read_layer(const snn_config *c, int i, snn_net *net, snn_error *err) {
    char path[PATH], at[512];
    snn_layer spec = {.tensor = -1};
    for (int k = 0; k < 2; k++) {
        const char *key = k == 0 ? "name" : "type";
        if (!snn_config_given(c, layer_path(path, i, key)))
            return snn_config_fail(c, layer_path(path, i, ""), err, "a layer needs `%s`", key);
    }
    const char *name = snn_config_string(c, layer_path(path, i, "name"));
    if (!snn_name_valid(name))
        return snn_config_fail(c, path, err,
                               "'%.40s' is no name: expected 1 to %d letters, digits, '_' and '-'", name,
                               SNN_NAME - 1);
    snprintf(spec.name, sizeof spec.name, "%s", name);
    if (!snn_layer_type_parse(snn_config_string(c, layer_path(path, i, "type")), &spec.type))
        return snn_config_fail(c, path, err, "unknown layer type");
    if (!check_keys(c, i, spec.type, err))
        return false;
    spec.kernel = optional(c, i, "kernel");
    spec.stride = optional(c, i, "stride");
    spec.padding = optional(c, i, "padding");
    spec.out.channels = optional(c, i, spec.type == SNN_LAYER_LINEAR ? "outputs" : "channels");
    spec.delay = optional(c, i, "delay");
    spec.start = optional(c, i, "start");
    spec.recurrent = snn_config_given(c, layer_path(path, i, "recurrent")) && snn_config_bool(c, path);
    if (snn_layer_is_synaptic(spec.type) && !read_neuron(c, i, &spec.neuron, err))
        return false;
    bool bias = snn_config_given(c, layer_path(path, i, "bias")) && snn_config_bool(c, path);
    if (snn_net_append(net, &spec, bias, SNN_ERR_USAGE, err))
        return true;
    return snn_error_context(err, "%s", snn_config_where(c, layer_path(path, i, ""), at, sizeof at));
}

snn_net *snn_net_from_config(const snn_config *c, snn_shape input, snn_error *err) {
    char at[512];
    int layers = snn_config_count(c, "network.layers");
    if (layers == 0) {
        snn_config_fail(c, "network.layers", err, "the network has no layers");
        return NULL;
    }
    snn_net *net = snn_net_begin(input, (int)snn_config_int(c, "dataset.bins"),
                                 (double)snn_config_int(c, "dataset.bin_us"), SNN_ERR_USAGE, err);
    if (net == NULL) {
        snn_error_context(err, "%s", snn_config_path(c));
        return NULL;
    }
    for (int i = 0; i < layers; i++)
        if (!read_layer(c, i, net, err))
            goto fail;
    net->readout = strcmp(snn_config_string(c, "network.readout"), "softmax") == 0 ? SNN_READOUT_SOFTMAX
                                                                                   : SNN_READOUT_SUM;
    if (!snn_net_finish(net, SNN_ERR_USAGE, err)) {
        char path[PATH];
        snn_error_context(err, "%s", snn_config_where(c, layer_path(path, layers - 1, ""), at, sizeof at));
        goto fail;
    }
    return net;
fail:
    snn_net_free(net);
    return NULL;
}
