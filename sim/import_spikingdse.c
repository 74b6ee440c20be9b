/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Import of SpikingDSE's networks (tetanw/SpikingDSE): a folder of CSV tables, which say the layers by their names.
 *
 *   weights_i_2_h1, weights_h1_2_h1 (recurrent, may be missing), bias_h1, tau_m_h1, tau_adp_h1    adaptive LIF layer h1
 *   weights_h1_2_h2, ...                                                                         layer h2, ...
 *   weights_h2_2_o, tau_m_o                                                                      leaky read-out o, softmax (tau_adp_o has no effect)
 *
 * Per step the read-out comes first, then the layers from last to first, so each takes what the one before it fired in the step before: a delay of 1.
 */
#include "import_spikingdse.h"
#include "net_build.h"
#include "weights_internal.h"

#include <snnsim/import.h>
#include <snnsim/portable_math.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HIDDEN_MAX 99
/* Threshold at rest, and how much it grows with the adaptation (Yin, Corradi, Bohte 2021: b_j0 and beta; SpikingDSE's ALIFLayer has the same). */
#define THRESHOLD 0.01f
#define ADAPT 1.8f
#define STEP_US 10000 /* of its SHD traces; the tables do not say */

typedef struct {
    const char *folder;
    snn_net *net;
    snn_dse_table *weights; /* [net->tensors] */
    size_t capacity;
    snn_error *err;
} reader;

/* ---- tables ---- */

/* "<folder>/<stem>_<a>[_2_<b>].csv"; malloc'ed. */
static char *table_path(const reader *in, const char *stem, const char *a, const char *b) {
    const size_t size = strlen(in->folder) + strlen(stem) + strlen(a) + strlen(b) + sizeof "/__2_.csv";
    char *path = snn_alloc(size, 1, "a path", in->err);
    if (path != NULL)
        snprintf(path, size, "%s/%s_%s%s%s.csv", in->folder, stem, a, b[0] ? "_2_" : "", b);
    return path;
}

static bool table_exists(const reader *in, const char *stem, const char *a, const char *b) {
    char *path = table_path(in, stem, a, b);
    const bool there = path != NULL && access(path, F_OK) == 0;
    free(path);
    return there;
}

/* Reads a table of rows x columns (0: any). */
static bool read_table(const reader *in, const char *stem, const char *a, const char *b, uint32_t rows,
                       uint32_t columns, snn_dse_table *t) {
    char *path = table_path(in, stem, a, b);
    bool ok = path != NULL && snn_dse_read(t, path, in->err);
    if (ok && ((rows != 0 && t->rows != rows) || (columns != 0 && t->columns != columns)))
        ok = snn_fail(in->err, SNN_ERR_DATA, "%s: has %u rows and %u columns, expected %u and %u", path,
                      t->rows, t->columns, rows != 0 ? rows : t->rows, columns != 0 ? columns : t->columns);
    free(path);
    return ok;
}

/* Keeps the weights of the tensors that the layer added last has. */
static bool keep(reader *in, int tensor, snn_dse_table *t) {
    void *list = in->weights;
    const size_t had = in->capacity;
    if (!snn_grow(&list, &in->capacity, (size_t)tensor + 1, sizeof *in->weights, in->err))
        return false;
    in->weights = list;
    if (in->capacity > had)
        memset(in->weights + had, 0, (in->capacity - had) * sizeof *in->weights);
    in->weights[tensor] = *t;
    *t = (snn_dse_table){0};
    return true;
}

/* ---- layers ---- */

/* What is left of a state after one step: exp(-1/tau), the division in float32 as PyTorch and SpikingDSE do it, then rounded once. */
static bool decays(const reader *in, const char *stem, const char *layer, snn_dse_table *t) {
    for (uint32_t j = 0; j < t->rows; j++) {
        if (!(t->value[j] > 0))
            return snn_fail(in->err, SNN_ERR_DATA, "%s/%s_%s.csv:%u: a time constant must be positive",
                            in->folder, stem, layer, j + 2);
        const float x = -1.0f / t->value[j];
        t->value[j] = (float)snn_exp((double)x);
    }
    return true;
}

/* Gives the neurons of the layer added last a parameter each; a message names the table that it comes from. */
static bool set_param(const reader *in, snn_param p, const snn_dse_table *t, const char *stem,
                      const char *layer) {
    return snn_net_param(in->net, p, t->value, SNN_ERR_DATA, in->err) ||
           snn_error_context(in->err, "%s/%s_%s.csv", in->folder, stem, layer);
}

/* Decay of the membrane, and the gain 1 - decay of its input. */
static bool set_membrane(reader *in, const char *layer, uint32_t n) {
    snn_dse_table t = {0};
    bool ok = read_table(in, "tau_m", layer, "", n, 1, &t) && decays(in, "tau_m", layer, &t) &&
              set_param(in, SNN_PARAM_DECAY, &t, "tau_m", layer);
    for (uint32_t j = 0; ok && j < n; j++)
        t.value[j] = 1.0f - t.value[j];
    ok = ok && set_param(in, SNN_PARAM_GAIN, &t, "tau_m", layer);
    snn_dse_free(&t);
    return ok;
}

static bool set_adaptation(reader *in, const char *layer, uint32_t n) {
    snn_dse_table t = {0};
    bool ok = read_table(in, "tau_adp", layer, "", n, 1, &t) && decays(in, "tau_adp", layer, &t) &&
              set_param(in, SNN_PARAM_ADAPT_DECAY, &t, "tau_adp", layer);
    snn_dse_free(&t);
    return ok;
}

static bool set_bias(reader *in, const char *layer, uint32_t n) {
    snn_dse_table t = {0};
    bool ok = read_table(in, "bias", layer, "", n, 1, &t);
    if (ok)
        memcpy(in->net->layer[in->net->layers - 1].bias, t.value, n * sizeof *t.value);
    snn_dse_free(&t);
    return ok;
}

/* Adds layer `name`, which `from` feeds; the read-out has no spikes, bias or adaptation. */
static bool add_layer(reader *in, const char *from, const char *name, snn_dse_table *weights, bool readout) {
    snn_dse_table recurrent = {0};
    const uint32_t n = weights->rows;
    snn_layer spec = {.type = SNN_LAYER_LINEAR,
                      .out.channels = n,
                      .recurrent = !readout && table_exists(in, "weights", name, name),
                      .delay = readout ? 0 : 1,
                      .start = readout ? 1 : 0, /* its sum leaves step 0 out, when it is 0 anyway */
                      .neuron = {.type = readout ? SNN_NEURON_LI : SNN_NEURON_ALIF,
                                 .threshold = THRESHOLD,
                                 .adapt = ADAPT,
                                 .gain = 1,
                                 .current_gain = 1}};
    snprintf(spec.name, sizeof spec.name, "%s", name);
    if (spec.recurrent && !read_table(in, "weights", name, name, n, n, &recurrent)) {
        snn_dse_free(&recurrent);
        return false;
    }
    const int tensor = in->net->tensors;
    bool ok = (snn_net_append(in->net, &spec, !readout, SNN_ERR_DATA, in->err) ||
               snn_error_context(in->err, "%s/weights_%s_2_%s.csv", in->folder, from, name)) &&
              keep(in, tensor, weights) && (!spec.recurrent || keep(in, tensor + 1, &recurrent));
    snn_dse_free(&recurrent);
    return ok && set_membrane(in, name, n) &&
           (readout || (set_adaptation(in, name, n) && set_bias(in, name, n)));
}

/* ---- the folder ---- */

/* Every table must be one that was read (or tau_adp_o): a connection that we left out would change the network. */
static bool check_files(const reader *in, int hidden) {
    static const char *const stems[] = {"weights_", "bias_", "tau_m_", "tau_adp_"};
    DIR *d = opendir(in->folder);
    bool ok = d != NULL || snn_fail_errno(in->err, "cannot read folder '%s'", in->folder);
    for (struct dirent *e; ok && (e = readdir(d)) != NULL;) {
        const char *rest = NULL;
        for (size_t i = 0; i < sizeof stems / sizeof *stems && rest == NULL; i++)
            if (strncmp(e->d_name, stems[i], strlen(stems[i])) == 0)
                rest = e->d_name + strlen(stems[i]);
        if (rest == NULL)
            continue;
        char expected[64];
        bool known = strcmp(e->d_name, "tau_adp_o.csv") == 0 || strcmp(e->d_name, "tau_m_o.csv") == 0 ||
                     strcmp(e->d_name, "weights_i_2_h1.csv") == 0;
        snprintf(expected, sizeof expected, "h%d_2_o.csv", hidden);
        known = known || (e->d_name[0] == 'w' && strcmp(rest, expected) == 0);
        for (int k = 1; k <= hidden && !known; k++) {
            snprintf(expected, sizeof expected, "h%d.csv", k);
            known = e->d_name[0] != 'w' && strcmp(rest, expected) == 0;
            for (int to = k; to <= k + 1 && to <= hidden && !known && e->d_name[0] == 'w'; to++) {
                snprintf(expected, sizeof expected, "h%d_2_h%d.csv", k, to);
                known = strcmp(rest, expected) == 0;
            }
        }
        if (!known)
            ok = snn_fail(in->err, SNN_ERR_DATA,
                          "%s/%s: has no place in a chain of %d hidden layers, so it cannot be carried over",
                          in->folder, e->d_name, hidden);
    }
    if (d != NULL)
        closedir(d);
    return ok;
}

/* The first table gives the input, each further one the next layer. */
static bool read_layers(reader *in, const snn_import_options *options) {
    const double step_us = options != NULL && options->dt > 0 ? options->dt * 1e6 : STEP_US;
    char from[16] = "i", name[16];
    int hidden = 0;
    for (bool readout = false; !readout;) {
        snn_dse_table t = {0};
        snprintf(name, sizeof name, "h%d", hidden + 1);
        readout = hidden == HIDDEN_MAX || (hidden > 0 && !table_exists(in, "weights", from, name));
        if (readout)
            snprintf(name, sizeof name, "o");
        const snn_net *net = in->net;
        bool ok =
            read_table(in, "weights", from, name, 0, net ? net->layer[net->layers - 1].out.channels : 0, &t);
        if (ok && net == NULL) {
            in->net = snn_net_begin((snn_shape){t.columns, 1, 1}, 0, step_us, SNN_ERR_DATA, in->err);
            if (in->net == NULL)
                ok = snn_error_context(in->err, "%s/weights_i_2_h1.csv", in->folder);
        }
        ok = ok && add_layer(in, from, name, &t, readout);
        snn_dse_free(&t);
        if (!ok)
            return false;
        hidden += !readout;
        snprintf(from, sizeof from, "%s", name);
    }
    in->net->readout = SNN_READOUT_SOFTMAX;
    return check_files(in, hidden) &&
           (snn_net_finish(in->net, SNN_ERR_DATA, in->err) || snn_error_context(in->err, "%s", in->folder));
}

static snn_weights *make_weights(const reader *in) {
    snn_weights *w = snn_weights_new(in->net, in->err);
    for (int i = 0; w != NULL && i < w->tensors; i++)
        memcpy(w->tensor[i].value, in->weights[i].value, w->tensor[i].count * sizeof(float));
    return w;
}

bool snn_import_spikingdse(snn_model *m, const char *folder, const snn_import_options *options,
                           snn_error *err) {
    reader in = {.folder = folder, .err = err};
    *m = (snn_model){0};
    if (read_layers(&in, options)) {
        m->weights = make_weights(&in);
        m->record = strdup("{\"imported_from\":\"SpikingDSE\"}");
        if (m->weights != NULL && m->record != NULL) {
            m->net = in.net;
            in.net = NULL;
            snn_weights_digest(m->weights, m->digest);
        } else {
            snn_model_free(m);
        }
    }
    for (size_t i = 0; i < in.capacity; i++)
        snn_dse_free(&in.weights[i]);
    free(in.weights);
    snn_net_free(in.net);
    return m->net != NULL;
}
