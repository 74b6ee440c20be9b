/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of SLAYER's Loihi networks (slayerPytorch): network.yaml and text files of weights become a model in the chip's integers. */
#include "import_slayer.h"

#include <snnsim/import.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SETTINGS "network.yaml"
/* SLAYER's delayShift after every layer, and its kernel, which leaves step 0 out (slayerLoihiCuda). */
#define DELAY 1
#define START 1

/* ---- neurons ---- */

/* Settings of a neuron that are read, or that only training uses. */
static bool check_settings(const snn_yaml *y, const char *prefix, snn_error *err) {
    static const char *const known[] = {"type",   "vThMant", "vDecay", "iDecay",  "refDelay",
                                        "wgtExp", "theta",   "tauRho", "scaleRho"};
    const size_t n = strlen(prefix);
    for (size_t i = 0; i < y->n; i++) {
        const snn_yaml_entry *e = &y->entry[i];
        if (strncmp(e->path, prefix, n) != 0 || e->path[n] != '.')
            continue;
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(e->path + n + 1, known[k]) != 0)
            k++;
        if (k == sizeof known / sizeof *known)
            return snn_yaml_fail(y, e, "this setting of a neuron is not known", err);
    }
    return true;
}

/* The number `name`, `absent` when it is not given and may be left out (-1: it must be there). */
static bool get(const snn_yaml *y, const char *prefix, const char *name, int64_t absent, int64_t *v,
                snn_error *err) {
    char path[80];
    snprintf(path, sizeof path, "%s.%s", prefix, name);
    *v = absent;
    return (absent >= 0 && snn_yaml_find(y, path) == NULL) ||
           snn_yaml_int(y, path, -(1 << 24), 1 << 24, v, err);
}

/* The neuron of section `prefix`: "neuron", or "layer.3.neuron". */
static bool read_neuron(const snn_yaml *y, const char *prefix, snn_neuron *neuron, snn_error *err) {
    char path[80], where[600];
    snn_loihi_neuron n;
    int64_t theta;
    snprintf(path, sizeof path, "%s.type", prefix);
    const snn_yaml_entry *type = snn_yaml_find(y, path);
    if (type == NULL)
        return snn_fail(err, SNN_ERR_DATA, "%s: %s is missing", y->file, path);
    if (strcasecmp(type->value, "LOIHI") != 0)
        return snn_yaml_fail(y, type, "only neurons of type LOIHI can be carried over", err);
    if (!check_settings(y, prefix, err) || !get(y, prefix, "iDecay", -1, &n.i_decay, err) ||
        !get(y, prefix, "vDecay", -1, &n.v_decay, err) ||
        !get(y, prefix, "vThMant", -1, &n.v_threshold, err) ||
        !get(y, prefix, "refDelay", 1, &n.refractory, err) ||
        !get(y, prefix, "wgtExp", 0, &n.weight_exponent, err) ||
        !get(y, prefix, "theta", n.v_threshold * 64, &theta, err))
        return false;
    if (theta != n.v_threshold * 64)
        return snn_fail(err, SNN_ERR_DATA, "%s: %s.theta is not 64 times vThMant", y->file, prefix);
    snprintf(where, sizeof where, "%.500s: %.60s", y->file, prefix);
    return snn_loihi_to_neuron(&n, where, neuron, err);
}

/* The neuron of a layer: its own, or the network's. */
static bool layer_neuron(const snn_yaml *y, const snn_slayer_layer *l, snn_neuron *neuron, snn_error *err) {
    char prefix[40];
    snprintf(prefix, sizeof prefix, "layer.%d.neuron", l->entry);
    return read_neuron(y, l->entry >= 0 && snn_yaml_has(y, prefix) ? prefix : "neuron", neuron, err);
}

/* ---- layers ---- */

/* The weights of a layer out of its file, in the network's order; the file's values are taken. NULL with err set. */
static int32_t *layer_values(const snn_slayer_layer *l, snn_slayer_file *f, snn_shape in, snn_error *err) {
    uint64_t count = (uint64_t)l->kernel * l->kernel;
    if (l->kind == SNN_SLAYER_DENSE)
        count = (uint64_t)l->outputs * snn_shape_size(in);
    else if (l->kind == SNN_SLAYER_CONV && (__builtin_mul_overflow(count, l->outputs, &count) ||
                                            __builtin_mul_overflow(count, in.channels, &count)))
        count = UINT64_MAX; /* no file has so many */
    if (f->n != count) {
        snn_fail(err, SNN_ERR_DATA, "%s: holds %zu weights, but its layer of %u inputs has %llu", f->path,
                 f->n, snn_shape_size(in), (unsigned long long)count);
        return NULL;
    }
    int32_t *value = f->value;
    if (l->kind == SNN_SLAYER_POOL)
        return snn_loihi_pool(in.channels, l->kernel, value, err);
    f->value = NULL;
    return value;
}

static bool append(snn_loihi_net *n, const snn_yaml *y, const snn_slayer_layer *l, snn_slayer_file *f,
                   snn_error *err) {
    const snn_shape in = n->net->layers > 0 ? n->net->layer[n->net->layers - 1].out : n->net->input;
    snn_layer spec = {.type = l->kind == SNN_SLAYER_DENSE ? SNN_LAYER_LINEAR : SNN_LAYER_CONV2D,
                      .kernel = l->kernel,
                      .stride = l->stride,
                      .padding = l->padding,
                      .out.channels = l->kind == SNN_SLAYER_POOL ? in.channels : l->outputs,
                      .delay = DELAY,
                      .start = START};
    snprintf(spec.name, sizeof spec.name, "%s%u", snn_slayer_kind_name(l->kind), f->number);
    /* SLAYER lets the last window of a pool reach beyond the input, and its convolutions of one row have kernels of one row. */
    if (l->kind == SNN_SLAYER_POOL && (in.height % l->kernel != 0 || in.width % l->kernel != 0))
        return snn_fail(err, SNN_ERR_DATA, "%s: a pool of %u x %u does not divide its input of %u x %u",
                        f->path, l->kernel, l->kernel, in.height, in.width);
    if (l->kind != SNN_SLAYER_DENSE && in.height == 1)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: convolutions and pools over one dimension cannot be carried over", f->path);
    int32_t *value = layer_neuron(y, l, &spec.neuron, err) ? layer_values(l, f, in, err) : NULL;
    return value != NULL &&
           (snn_loihi_append(n, &spec, value, NULL, false, err) || snn_error_context(err, "%s", f->path));
}

/* Each layer takes the next file of its kind. */
static bool append_all(snn_loihi_net *n, const snn_yaml *y, const snn_slayer_layers *l,
                       const snn_slayer_files *f, const char *folder, snn_error *err) {
    size_t used[SNN_SLAYER_KINDS] = {0};
    for (size_t i = 0; i < l->n; i++) {
        const snn_slayer_kind kind = l->layer[i].kind;
        snn_slayer_file *file = snn_slayer_files_find(f, kind, used[kind]++);
        if (file == NULL)
            return snn_fail(err, SNN_ERR_DATA, "%s: layer %zu has no weights: there are %zu files *%s*.txt",
                            folder, i + 1, used[kind] - 1, snn_slayer_kind_name(kind));
        if (!append(n, y, &l->layer[i], file, err))
            return false;
    }
    for (int kind = 0; kind < SNN_SLAYER_KINDS; kind++) {
        const snn_slayer_file *left = snn_slayer_files_find(f, (snn_slayer_kind)kind, used[kind]);
        if (left != NULL)
            return snn_fail(err, SNN_ERR_DATA, "%s: belongs to no layer", left->path);
    }
    return true;
}

/* ---- the model ---- */

static bool build(snn_loihi_net *n, const char *folder, const snn_yaml *y, const snn_slayer_files *f,
                  const snn_import_options *options, snn_error *err) {
    snn_slayer_layers layers = {0};
    double step_ms, length_ms;
    bool ok = snn_yaml_real(y, "simulation.Ts", &step_ms, err) &&
              snn_yaml_real(y, "simulation.tSample", &length_ms, err);
    if (ok && !(step_ms > 0 && length_ms >= step_ms && length_ms / step_ms <= SNN_STEPS_MAX))
        ok = snn_fail(err, SNN_ERR_DATA, "%s: simulation: tSample %g / Ts %g are not 1 to %d steps", y->file,
                      length_ms, step_ms, SNN_STEPS_MAX);
    if (ok && options != NULL && options->layers != NULL)
        ok = snn_slayer_layers_parse(&layers, options->layers, err);
    else if (ok && snn_yaml_has(y, "layer"))
        ok = snn_slayer_layers_from_yaml(&layers, y, err);
    else if (ok)
        ok = snn_slayer_layers_guess(&layers, f, folder, err);
    const double step_us = options != NULL && options->dt > 0 ? options->dt * 1e6 : step_ms * 1e3;
    ok = ok &&
         (snn_loihi_begin(n, layers.input, (int64_t)(length_ms / step_ms), step_us, err) ||
          snn_error_context(err, "%s", folder)) &&
         append_all(n, y, &layers, f, folder, err);
    snn_slayer_layers_free(&layers);
    return ok;
}

bool snn_import_slayer(snn_model *m, const char *folder, const snn_import_options *options, snn_error *err) {
    const size_t size = strlen(folder) + sizeof "/" SETTINGS;
    char *settings = snn_alloc(size, 1, "a path", err);
    snn_loihi_net n = {0};
    snn_yaml y = {0};
    snn_slayer_files f = {0};
    *m = (snn_model){0};
    if (settings == NULL)
        return false;
    snprintf(settings, size, "%s/" SETTINGS, folder);
    bool ok = snn_yaml_read(&y, settings, err) && snn_slayer_files_read(&f, folder, err) &&
              build(&n, folder, &y, &f, options, err) &&
              (snn_loihi_finish(&n, "{\"imported_from\":\"SLAYER Loihi text weights\"}", m, err) ||
               snn_error_context(err, "%s", folder));
    snn_loihi_free(&n);
    snn_slayer_files_free(&f);
    snn_yaml_free(&y);
    free(settings);
    return ok;
}
