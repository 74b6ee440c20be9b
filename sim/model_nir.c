/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Export as a NIR graph (Pedersen et al., Nature Communications 15:8122, 2024; node types and fields as in the Python package `nir`): group /node with
 * float weights that every NIR reader loads, and our own /snnsim beside it, so that nothing is lost. A model that was imported from NIR, and whose network is
 * still the same, gets its own nodes back (nir_origin.c); others get these:
 *
 *   layer                  nodes                                                       remark
 *   linear                 [Flatten] Linear or Affine (with biases)                    Flatten where the input is not flat yet
 *   recurrent linear       and Linear from its neurons back to them                    one step late, as every NIR reader does it
 *   conv2d                 Conv2d (biases are zeros when there are none)
 *   pool_sum, pool_average SumPool2d, AvgPool2d
 *   pool_max of spikes     SumPool2d, then Threshold at 1/2                            of counts there is no such form
 *   lif, if, li, cuba_lif  LIF, IF, LI (I with decay 1), CubaLIF                       behind the weights
 *   delay                  Delay                                                       behind the neurons
 *
 * NIR's neurons live in continuous time: tau dv/dt = -v + r I, in Euler steps of dt v <- (1 - dt/tau) v + (r dt/tau) I. So tau = dt/(1-d) and
 * r = gain/(1-d); with d = 1 it is IF (or I), whose readers add r I in every step. NIR spikes at v > threshold and resets to v_reset = 0 at once, which
 * is ours with reset zero; v >= theta becomes v > the next smaller float. What NIR cannot say is refused.
 */
#include "model_write.h"
#include "net_build.h"
#include "nir_tree.h"
#include "weights_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NIR_VERSION "1.0" /* of the format */
#define NODE_NAME (SNN_NAME + 16)

typedef struct {
    const snn_model *model;
    nir_file *file;
    char last[NODE_NAME]; /* node that the next one follows; "": none */
    snn_error *err;
} graph;

/* ---- nodes and fields ---- */

/* A new node, without edges. */
static nir_node *begin_side(graph *g, const char *layer, const char *suffix, const char *type,
                            char name[NODE_NAME]) {
    /* A layer may be called like the graph's own ends; no layer has a dot in its name. */
    const bool taken = suffix[0] == '\0' && (strcmp(layer, "input") == 0 || strcmp(layer, "output") == 0) &&
                       strcmp(type, "Input") != 0 && strcmp(type, "Output") != 0;
    snprintf(name, NODE_NAME, "%s%s%s", taken ? "layer." : "", layer, suffix);
    return snn_nir_add_node(&g->file->root, name, type, g->err);
}

/* A new node behind the last one. */
static nir_node *begin_node(graph *g, const char *layer, const char *suffix, const char *type) {
    char name[NODE_NAME];
    nir_node *node = begin_side(g, layer, suffix, type, name);
    if (node != NULL && g->last[0] && !snn_nir_add_edge(&g->file->root, g->last, name, g->err))
        return NULL;
    memcpy(g->last, name, sizeof name);
    return node;
}

static bool put_ints(graph *g, nir_node *node, const char *name, uint64_t n, const int64_t *value) {
    nir_field *f = node ? snn_nir_add_field(node, name, NIR_INT, 8, 1, &n, g->err) : NULL;
    if (f != NULL)
        memcpy(f->integer, value, n * sizeof *value);
    return f != NULL;
}

static bool put_int(graph *g, nir_node *node, const char *name, int64_t value) {
    nir_field *f = node ? snn_nir_add_field(node, name, NIR_INT, 8, 0, NULL, g->err) : NULL;
    if (f != NULL)
        f->integer[0] = value;
    return f != NULL;
}

/* Floats, zeroed, to be filled. */
static nir_field *floats(graph *g, nir_node *node, const char *name, int dims, const uint64_t *shape) {
    return node ? snn_nir_add_field(node, name, NIR_FLOAT, 4, dims, shape, g->err) : NULL;
}

/* The same value everywhere: NIR wants a parameter for each neuron. */
static bool put_constant(graph *g, nir_node *node, const char *name, int dims, const uint64_t *shape,
                         double value) {
    nir_field *f = floats(g, node, name, dims, shape);
    for (uint64_t i = 0; f != NULL && i < f->count; i++)
        f->number[i] = (double)(float)value;
    return f != NULL;
}

/* The shape as NIR has it: [n], or [channels][height][width]. */
static int nir_shape(snn_shape s, bool flat, uint64_t shape[3]) {
    shape[0] = flat ? snn_shape_size(s) : s.channels;
    shape[1] = s.height;
    shape[2] = s.width;
    return flat ? 1 : 3;
}

static bool put_shape(graph *g, nir_node *node, const char *name, int dims, const uint64_t *shape) {
    int64_t value[3];
    for (int i = 0; i < dims; i++)
        value[i] = (int64_t)shape[i];
    return put_ints(g, node, name, (uint64_t)dims, value);
}

static bool put_end(graph *g, const char *name, const char *type, snn_shape s, bool flat) {
    uint64_t shape[3];
    int dims = nir_shape(s, flat, shape);
    return put_shape(g, begin_node(g, name, "", type), "shape", dims, shape);
}

static bool put_flatten(graph *g, const snn_layer *l, const char *suffix) {
    uint64_t shape[3];
    nir_node *node = begin_node(g, l->name, suffix, "Flatten");
    nir_shape(l->in, false, shape);
    return put_int(g, node, "start_dim", 0) && put_int(g, node, "end_dim", -1) &&
           put_shape(g, node, "input_type", 3, shape);
}

static bool put_pool(graph *g, const snn_layer *l) {
    const int64_t kernel[] = {l->kernel, l->kernel}, stride[] = {l->stride, l->stride}, padding[] = {0, 0};
    nir_node *node =
        begin_node(g, l->name, "", l->type == SNN_LAYER_POOL_AVERAGE ? "AvgPool2d" : "SumPool2d");
    if (!put_ints(g, node, "kernel_size", 2, kernel) || !put_ints(g, node, "stride", 2, stride) ||
        !put_ints(g, node, "padding", 2, padding))
        return false;
    if (l->type != SNN_LAYER_POOL_MAX)
        return true;
    uint64_t shape[3];
    nir_shape(l->out, false, shape);
    return put_constant(g, begin_node(g, l->name, ".threshold", "Threshold"), "threshold", 3, shape, 0.5);
}

static bool put_weights(graph *g, nir_node *node, int tensor) {
    const snn_tensor *t = &g->model->weights->tensor[tensor];
    nir_field *f = floats(g, node, "weight", t->dims, t->shape);
    for (uint64_t i = 0; f != NULL && i < t->count; i++)
        f->number[i] = (double)snn_weight_value(t, i);
    return f != NULL;
}

static bool put_bias(graph *g, nir_node *node, const snn_layer *l) {
    const uint64_t n = l->out.channels;
    nir_field *f = floats(g, node, "bias", 1, &n);
    for (uint64_t i = 0; f != NULL && l->bias != NULL && i < n; i++)
        f->number[i] = (double)l->bias[i];
    return f != NULL;
}

/* Biases that are no part of the sum: of cuba_lif's membrane, which are its v_leak. */
static bool bias_is_leak(const snn_layer *l) {
    return l->neuron.type == SNN_NEURON_CUBA && l->neuron.membrane_bias;
}

static bool put_synapses(graph *g, const snn_layer *l) {
    const bool conv = l->type == SNN_LAYER_CONV2D, affine = l->bias != NULL && !bias_is_leak(l);
    nir_node *node = begin_node(g, l->name, "", conv ? "Conv2d" : affine ? "Affine" : "Linear");
    if (!put_weights(g, node, l->tensor))
        return false;
    if (!conv)
        return !affine || put_bias(g, node, l);
    const int64_t stride[] = {l->stride, l->stride}, padding[] = {l->padding, l->padding}, one[] = {1, 1},
                  input[] = {l->in.height, l->in.width};
    const uint64_t n = l->out.channels;
    return (bias_is_leak(l) ? put_constant(g, node, "bias", 1, &n, 0) : put_bias(g, node, l)) &&
           put_ints(g, node, "stride", 2, stride) && put_ints(g, node, "padding", 2, padding) &&
           put_ints(g, node, "dilation", 2, one) && put_int(g, node, "groups", 1) &&
           put_ints(g, node, "input_shape", 2, input);
}

/* ---- neurons ---- */

/* One parameter of NIR out of ours, for neuron j; d: decay of the state that it belongs to. */
typedef double (*translation)(const graph *g, const snn_layer *l, uint32_t j);

static double loss(const snn_layer *l, snn_param p, uint32_t j) {
    return 1 - (double)snn_layer_param(l, p, j);
}

static double tau(const graph *g, const snn_layer *l, uint32_t j) {
    return g->file->dt / loss(l, SNN_PARAM_DECAY, j);
}

static double tau_syn(const graph *g, const snn_layer *l, uint32_t j) {
    return g->file->dt / loss(l, SNN_PARAM_CURRENT_DECAY, j);
}

/* Of IF and I, that without a leak. */
static double r_step(const graph *g, const snn_layer *l, uint32_t j) {
    (void)g;
    return snn_layer_param(l, SNN_PARAM_GAIN, j);
}

static double r_leaky(const graph *g, const snn_layer *l, uint32_t j) {
    return r_step(g, l, j) / loss(l, SNN_PARAM_DECAY, j);
}

static double w_in(const graph *g, const snn_layer *l, uint32_t j) {
    (void)g;
    return snn_layer_param(l, SNN_PARAM_CURRENT_GAIN, j) / loss(l, SNN_PARAM_CURRENT_DECAY, j);
}

static double v_leak(const graph *g, const snn_layer *l, uint32_t j) {
    (void)g;
    const uint32_t area = l->out.height * l->out.width;
    return bias_is_leak(l) && l->bias != NULL ? (double)l->bias[j / area] / loss(l, SNN_PARAM_DECAY, j) : 0;
}

static double v_threshold(const graph *g, const snn_layer *l, uint32_t j) {
    (void)g;
    const float threshold = snn_layer_param(l, SNN_PARAM_THRESHOLD, j);
    return l->neuron.at_threshold ? nextafterf(threshold, 0) : threshold;
}

static double v_reset(const graph *g, const snn_layer *l, uint32_t j) {
    (void)g;
    (void)l;
    (void)j;
    return 0;
}

static bool put_each(graph *g, nir_node *node, const snn_layer *l, const char *name, translation value) {
    uint64_t shape[3];
    const int dims = nir_shape(l->out, l->type == SNN_LAYER_LINEAR, shape);
    nir_field *f = floats(g, node, name, dims, shape);
    for (uint64_t j = 0; f != NULL && j < f->count; j++)
        f->number[j] = (double)(float)value(g, l, (uint32_t)j);
    return f != NULL;
}

/* Loops of a recurrent layer: from its neurons, through weights, back to them. */
static bool put_loop(graph *g, const snn_layer *l) {
    char name[NODE_NAME];
    nir_node *node = l->recurrent ? begin_side(g, l->name, ".rec", "Linear", name) : NULL;
    return !l->recurrent || (node != NULL && put_weights(g, node, snn_layer_recurrent_tensor(l)) &&
                             snn_nir_add_edge(&g->file->root, g->last, name, g->err) &&
                             snn_nir_add_edge(&g->file->root, name, g->last, g->err));
}

static bool put_delay(graph *g, const snn_layer *l) {
    uint64_t shape[3];
    const int dims = nir_shape(l->out, l->type == SNN_LAYER_LINEAR, shape);
    return l->delay == 0 || put_constant(g, begin_node(g, l->name, ".delay", "Delay"), "delay", dims, shape,
                                         l->delay * g->file->dt);
}

static bool leaks(const snn_layer *l) {
    return snn_layer_param(l, SNN_PARAM_DECAY, 0) < 1;
}

static bool put_neurons(graph *g, const snn_layer *l) {
    const bool cuba = l->neuron.type == SNN_NEURON_CUBA, spikes = l->neuron.type != SNN_NEURON_LI,
               leaky = leaks(l);
    const char *type = cuba ? "CubaLIF" : leaky ? (spikes ? "LIF" : "LI") : spikes ? "IF" : "I";
    nir_node *node = begin_node(g, l->name, ".neuron", type);
    if (!put_each(g, node, l, "r", leaky ? r_leaky : r_step) ||
        (leaky &&
         (!put_each(g, node, l, cuba ? "tau_mem" : "tau", tau) || !put_each(g, node, l, "v_leak", v_leak))))
        return false;
    if (cuba && (!put_each(g, node, l, "tau_syn", tau_syn) || !put_each(g, node, l, "w_in", w_in)))
        return false;
    if (spikes &&
        (!put_each(g, node, l, "v_threshold", v_threshold) || !put_each(g, node, l, "v_reset", v_reset)))
        return false;
    return put_loop(g, l) && put_delay(g, l);
}

/* ---- the graph ---- */

static bool put_layer(graph *g, const snn_layer *l, bool *flat) {
    if (snn_layer_is_pool(l->type))
        return put_pool(g, l);
    if (l->type == SNN_LAYER_FLATTEN) {
        const bool was = *flat;
        *flat = true;
        return was || put_flatten(g, l, "");
    }
    if (l->type == SNN_LAYER_LINEAR && !*flat && !put_flatten(g, l, ".flatten"))
        return false;
    *flat = l->type == SNN_LAYER_LINEAR;
    return put_synapses(g, l) && put_neurons(g, l);
}

static bool put_layers(graph *g) {
    const snn_net *net = g->model->net;
    bool flat = net->input.height == 1 && net->input.width == 1 && net->layer[0].type == SNN_LAYER_LINEAR;
    bool ok = put_end(g, "input", "Input", net->input, flat);
    for (int i = 0; ok && i < net->layers; i++)
        ok = put_layer(g, &net->layer[i], &flat);
    return ok && put_end(g, "output", "Output", net->layer[net->layers - 1].out, flat);
}

/* ---- what NIR cannot say ---- */

static bool refuse(const snn_layer *l, const char *what, snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA, "layer '%s' %s, which NIR cannot say", l->name, what);
}

static bool check_neurons(const snn_layer *l, snn_error *err) {
    const snn_neuron *n = &l->neuron;
    const uint32_t neurons = snn_shape_size(l->out);
    if (n->type == SNN_NEURON_ALIF)
        return refuse(l, "has alif neurons", err);
    if (n->type != SNN_NEURON_LI && n->reset == SNN_RESET_SUBTRACT)
        return refuse(l, "resets by subtraction", err);
    if (n->refractory > 0)
        return refuse(l, "has a refractory time", err);
    if (l->start > 0)
        return refuse(l, "starts later than the input", err);
    for (uint32_t j = 0; j < neurons; j++) {
        const bool leaky = snn_layer_param(l, SNN_PARAM_DECAY, j) < 1;
        if (leaky != leaks(l))
            return refuse(l, "has neurons with and without a leak", err);
        if (n->type == SNN_NEURON_CUBA && (!leaky || !(snn_layer_param(l, SNN_PARAM_CURRENT_DECAY, j) < 1)))
            return refuse(l, "has cuba_lif neurons whose current or membrane does not leak", err);
    }
    return true;
}

/* A conv2d or a pool behind a flat layer (1 x 1 images) would need a node that NIR lacks. */
static bool check_layers(const snn_net *net, snn_error *err) {
    bool flat = false, counts = true; /* counts: more than one spike a step may come */
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        if (flat && (l->type == SNN_LAYER_CONV2D || snn_layer_is_pool(l->type)))
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s' (%s) stands behind a flat one, which NIR cannot say", l->name,
                            snn_layer_type_name(l->type));
        if (l->type == SNN_LAYER_POOL_MAX && counts)
            return snn_fail(
                err, SNN_ERR_DATA,
                "layer '%s' (pool_max) takes the largest of counts, which NIR cannot say; only of spikes",
                l->name);
        if (snn_layer_is_synaptic(l->type) && !check_neurons(l, err))
            return false;
        flat = flat || l->type == SNN_LAYER_LINEAR || l->type == SNN_LAYER_FLATTEN;
        if (snn_layer_is_synaptic(l->type))
            counts = false;
        else if (l->type == SNN_LAYER_POOL_SUM || l->type == SNN_LAYER_POOL_AVERAGE)
            counts = true;
    }
    return true;
}

/* The nodes of the layers. */
static bool make_nodes(nir_file *f, const snn_model *m, snn_error *err) {
    graph g = {.model = m, .file = f, .err = err};
    *f = (nir_file){.version = NIR_VERSION, .root = {.type = "NIRGraph"}};
    f->dt = m->net->step_us > 0 ? m->net->step_us * 1e-6 : NIR_DT;
    if (check_layers(m->net, err) && put_layers(&g))
        return true;
    snn_nir_file_free(f);
    return false;
}

typedef struct {
    const snn_model *model;
    const nir_file *file;
    const char *network; /* JSON, for /snnsim */
} content;

static bool fill(hid_t file, const void *context) {
    const content *c = context;
    return snn_nir_write(file, c->file) && snn_model_write_group(file, c->model, c->network);
}

bool snn_model_export_nir(const snn_model *m, const char *path, snn_error *err) {
    nir_file f = {0};
    bool found = false;
    if (!snn_model_check(m, err) || !snn_nir_origin_restore(&f, m, &found, err) ||
        (!found && !make_nodes(&f, m, err)))
        return snn_error_context(err, "%s", path);
    char *network = snn_net_to_json(m->net, err);
    content c = {m, &f, network};
    bool ok = network != NULL && snn_hdf5_write(path, NULL, fill, &c, err);
    free(network);
    snn_nir_file_free(&f);
    return ok;
}
