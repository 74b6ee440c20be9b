/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Describing a model to people: `snnsim model show`. */
#include "net_build.h"
#include "weights_internal.h"

#include <snnsim/model.h>

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t zeros;   /* weights of value 0 */
    uint64_t largest; /* weights of the largest code, either sign (integer tensors of 2 bits and more) */
} tensor_counts;

static tensor_counts count_values(const snn_tensor *t) {
    tensor_counts c = {0, 0};
    int32_t most = t->type == SNN_FLOAT32 || t->bits == 1 ? INT32_MAX : (INT32_C(1) << (t->bits - 1)) - 1;
    for (uint64_t i = 0; i < t->count; i++) {
        if (t->type == SNN_FLOAT32) {
            c.zeros += t->value[i] == 0;
            continue;
        }
        int32_t q = snn_weight_q(t, i);
        c.zeros += q == 0;
        c.largest += q >= most || q <= -most;
    }
    return c;
}

/* "2^-11" for a power of two, else the shortest decimal that gives the float back. */
static const char *scale_text(float scale, char *buf, size_t size) {
    int e;
    if (frexpf(scale, &e) == 0.5f)
        snprintf(buf, size, "2^%d", e - 1);
    else
        snprintf(buf, size, "%.9g", (double)scale);
    return buf;
}

static const char *scales_text(const snn_tensor *t, char *buf, size_t size) {
    char a[24], b[24];
    if (t->scales <= 1) {
        if (t->scales == 0)
            snprintf(buf, size, "-");
        else
            scale_text(t->scale[0], buf, size);
        return buf;
    }
    float least = t->scale[0], most = t->scale[0];
    for (uint32_t i = 1; i < t->scales; i++) {
        least = fminf(least, t->scale[i]);
        most = fmaxf(most, t->scale[i]);
    }
    snprintf(buf, size, "%s..%s", scale_text(least, a, sizeof a), scale_text(most, b, sizeof b));
    return buf;
}

static void layer_shape(snn_shape s, char *buf, size_t size) {
    if (s.height == 1 && s.width == 1)
        snprintf(buf, size, "%u", s.channels);
    else
        snprintf(buf, size, "%ux%ux%u", s.channels, s.height, s.width);
}

static void print_neuron(const snn_layer *l, FILE *out) {
    const snn_neuron *n = &l->neuron;
    if (n->type == SNN_NEURON_NONE) {
        fprintf(out, "-\n");
        return;
    }
    fprintf(out, "%s d=%g", snn_neuron_type_name(n->type), (double)n->decay);
    if (n->type != SNN_NEURON_LI)
        fprintf(out, " v%s%g reset=%s", n->at_threshold ? ">=" : ">", (double)n->threshold,
                snn_reset_name(n->reset));
    if (n->gain != 1)
        fprintf(out, " gain=%g", (double)n->gain);
    if (n->type == SNN_NEURON_CUBA)
        fprintf(out, " current_decay=%g", (double)n->current_decay);
    if (n->type == SNN_NEURON_CUBA && n->current_gain != 1)
        fprintf(out, " current_gain=%g", (double)n->current_gain);
    if (n->type == SNN_NEURON_ALIF)
        fprintf(out, " adapt_decay=%g adapt=%g", (double)n->adapt_decay, (double)n->adapt);
    if (n->refractory > 0)
        fprintf(out, " refractory=%u", n->refractory);
    for (int p = 0; p < SNN_PARAMS; p++)
        if (l->each[p])
            fprintf(out, " %s=each", snn_param_name((snn_param)p));
    if (l->delay > 0)
        fprintf(out, " delay=%u", l->delay);
    if (l->start > 0)
        fprintf(out, " start=%u", l->start);
    fprintf(out, "%s\n", !l->bias ? "" : n->membrane_bias ? " +bias of the membrane" : " +bias");
}

static void print_tensor(const snn_tensor *t, FILE *out) {
    char scale[64];
    tensor_counts c = count_values(t);
    fprintf(out, "%10" PRIu64 " %5d %14s %6.2f%% %6.2f%%  ", t->count, t->bits,
            scales_text(t, scale, sizeof scale), 100.0 * (double)c.zeros / (double)t->count,
            100.0 * (double)c.largest / (double)t->count);
}

/* The line behind a recurrent layer's own. */
static void print_recurrent(const snn_layer *l, const snn_weights *w, FILE *out) {
    char name[SNN_NAME + 4], shapes[84];
    snprintf(name, sizeof name, "%s_rec", l->name);
    snprintf(shapes, sizeof shapes, "%u -> %u", l->out.channels, l->out.channels);
    fprintf(out, "%-12s %-18s %-28s ", name, "recurrent", shapes);
    if (w == NULL)
        fprintf(out, "%10s %5s %14s %7s %7s  ", "-", "-", "-", "-", "-");
    else
        print_tensor(&w->tensor[snn_layer_recurrent_tensor(l)], out);
    fprintf(out, "-\n");
}

static void print_layer(const snn_layer *l, const snn_weights *w, FILE *out) {
    char in[40], to[40], shapes[84], kind[40];
    layer_shape(l->in, in, sizeof in);
    layer_shape(l->out, to, sizeof to);
    snprintf(shapes, sizeof shapes, "%s -> %s", in, to);
    if (l->kernel > 0)
        snprintf(kind, sizeof kind, "%s %u/%u%s", snn_layer_type_name(l->type), l->kernel, l->stride,
                 l->padding ? "p" : "");
    else
        snprintf(kind, sizeof kind, "%s", snn_layer_type_name(l->type));
    fprintf(out, "%-12s %-18s %-28s ", l->name, kind, shapes);
    if (w == NULL || l->tensor < 0) {
        fprintf(out, "%10s %5s %14s %7s %7s  ", "-", "-", "-", "-", "-");
    } else {
        print_tensor(&w->tensor[l->tensor], out);
    }
    print_neuron(l, out);
    if (l->recurrent)
        print_recurrent(l, w, out);
}

static void print_totals(const snn_model *m, FILE *out) {
    uint64_t weights = 0, bits = 0, bytes = 0, biases = 0, neurons = 0;
    const char *encoding = NULL;
    for (int i = 0; i < m->net->layers; i++) {
        const snn_layer *l = &m->net->layer[i];
        biases += l->bias ? l->out.channels : 0;
        neurons += l->neuron.type != SNN_NEURON_NONE ? snn_shape_size(l->out) : 0;
    }
    for (int i = 0; m->weights != NULL && i < m->weights->tensors; i++) {
        const snn_tensor *t = &m->weights->tensor[i];
        const char *e = t->type == SNN_FLOAT32 ? "float32" : snn_encoding_name(t->encoding);
        weights += t->count;
        bits += t->count * (uint64_t)t->bits;
        bytes += t->count * snn_tensor_item_size(t->type);
        encoding = encoding == NULL || strcmp(encoding, e) == 0 ? e : "mixed";
    }
    fprintf(out, "neurons   %" PRIu64 ", classes %u, biases %" PRIu64 "\n", neurons, m->net->classes, biases);
    fprintf(out, "weights   %" PRIu64 " = %" PRIu64 " bits (%s), %" PRIu64 " bytes in memory\n", weights,
            bits, encoding ? encoding : "none", bytes);
}

/* The record's own top-level values, one per line; lists and groups by their size only. */
static void print_record(const char *record, FILE *out) {
    json_error_t why;
    json_t *root = json_loads(record, JSON_REJECT_DUPLICATES, &why);
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        fprintf(out, "training  %zu bytes that are not a JSON object\n", strlen(record));
    json_object_foreach(root, key, value) {
        char *text = json_is_object(value) || json_is_array(value)
                         ? NULL
                         : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        if (text != NULL)
            fprintf(out, "training  %s = %s\n", key, text);
        else
            fprintf(out, "training  %s = (%zu entries)\n", key,
                    json_is_array(value) ? json_array_size(value) : json_object_size(value));
        free(text);
    }
    json_decref(root);
}

bool snn_model_show(const snn_model *m, FILE *out, snn_error *err) {
    if (m->net == NULL)
        return snn_fail(err, SNN_ERR_DATA, "the model has no network to show");
    if (m->weights != NULL && !snn_weights_fit(m->weights, m->net, err))
        return false;
    char in[40];
    layer_shape(m->net->input, in, sizeof in);
    fprintf(out, "input     %s, %d time steps", in, m->net->steps);
    if (m->net->step_us > 0)
        fprintf(out, " of %g us", m->net->step_us);
    if (m->net->readout == SNN_READOUT_SOFTMAX)
        fprintf(out, ", read out by softmax");
    if (m->net->fixed)
        fprintf(out, ", made for fixed arithmetic");
    fprintf(out, "\n\n%-12s %-18s %-28s %10s %5s %14s %7s %7s  %s\n", "layer", "type", "in -> out", "weights",
            "bits", "scale", "zero", "largest", "neuron");
    for (int i = 0; i < m->net->layers; i++)
        print_layer(&m->net->layer[i], m->weights, out);
    fprintf(out, "\n");
    print_totals(m, out);
    if (m->weights != NULL) {
        char digest[65];
        snn_weights_digest(m->weights, digest);
        fprintf(out, "digest    %s\n", digest);
    }
    if (m->record != NULL)
        print_record(m->record, out);
    return ferror(out) ? snn_fail_errno(err, "cannot write the description") : true;
}
