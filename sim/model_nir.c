/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Export as a NIR graph (Pedersen et al., Nature Communications 15:8122, 2024; node types and fields as in the Python package `nir`): group /node with
 * float weights that every NIR reader loads, and our own /snnsim beside it, so that nothing is lost.
 *
 *   layer                  nodes                                                       remark
 *   linear                 [Flatten] Linear or Affine (with biases)                    Flatten where the input is not flat yet
 *   conv2d                 Conv2d (biases are zeros when there are none)
 *   pool_sum, pool_average SumPool2d, AvgPool2d
 *   pool_max of spikes     SumPool2d, then Threshold at 1/2                            of counts there is no such form
 *   lif, if, li            LIF, IF, LI (I with decay 1)                                behind the weights
 *
 * NIR's neurons live in continuous time: tau dv/dt = -v + r I, in Euler steps of dt v <- (1 - dt/tau) v + (r dt/tau) I. So tau = dt/(1-d) and
 * r = gain/(1-d); with d = 1 it is IF (or I), whose readers add r I in every step. NIR spikes at v > threshold and resets to v_reset = 0 at once, which
 * is ours with reset zero; v >= theta becomes v > the next smaller float. Reset by subtraction has no form in NIR and is refused.
 */
#include "model_write.h"
#include "net_build.h"
#include "weights_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NIR_VERSION "1.0" /* of the format */
#define STEP_UNKNOWN 1e-4 /* s; the step of NIR's own examples, where the model has none */
#define NODES_MAX (SNN_LAYERS_MAX * 3 + 2)
#define NODE_NAME (SNN_NAME + 16)

typedef struct {
    const snn_model *model;
    const char *network;     /* JSON, for /snnsim */
    double dt;               /* s */
    char (*node)[NODE_NAME]; /* names in order; one edge from each to the next */
    int nodes;
    hid_t group; /* /node/nodes */
    bool ok;
} graph;

/* ---- data sets ---- */

static hid_t variable_string(void) {
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, H5T_VARIABLE);
    H5Tset_cset(t, H5T_CSET_UTF8);
    return t;
}

/* Data set of any type; dims 0: a scalar. False when libhdf5 failed. */
static bool put(hid_t group, const char *name, hid_t in_file, hid_t in_memory, int dims, const hsize_t *shape,
                size_t item_size, const void *data) {
    hid_t space = dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(dims, shape, NULL);
    hid_t create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    if (dims > 0)
        snn_hdf5_compress(create, dims, shape, item_size);
    hid_t d = H5Dcreate2(group, name, in_file, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = d >= 0 && H5Dwrite(d, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    H5Dclose(d);
    H5Pclose(create);
    H5Sclose(space);
    return ok;
}

static bool put_text(hid_t group, const char *name, const char *text) {
    hid_t type = variable_string();
    bool ok = put(group, name, type, type, 0, NULL, sizeof text, &text);
    H5Tclose(type);
    return ok;
}

static bool put_ints(hid_t group, const char *name, int n, const int64_t *value) {
    hsize_t shape = (hsize_t)n;
    return put(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &shape, sizeof *value, value);
}

static bool put_int(hid_t group, const char *name, int64_t value) {
    return put(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, NULL, sizeof value, &value);
}

static bool put_floats(hid_t group, const char *name, int dims, const hsize_t *shape, const float *value) {
    return put(group, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, dims, shape, sizeof *value, value);
}

/* The same value everywhere: NIR wants a parameter for each neuron. */
static bool put_constant(hid_t group, const char *name, int dims, const hsize_t *shape, double value) {
    size_t n = 1;
    for (int i = 0; i < dims; i++)
        n *= shape[i];
    float *array = malloc(n * sizeof *array);
    if (array == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        array[i] = (float)value;
    bool ok = put_floats(group, name, dims, shape, array);
    free(array);
    return ok;
}

/* ---- nodes ---- */

/* A new node behind the last one; its group, to be closed with end_node. */
static hid_t begin_node(graph *g, const char *layer, const char *suffix, const char *type) {
    /* A layer may be called like the graph's own ends; no layer has a dot in its name. */
    bool taken = suffix[0] == '\0' && (strcmp(layer, "input") == 0 || strcmp(layer, "output") == 0) &&
                 strcmp(type, "Input") != 0 && strcmp(type, "Output") != 0;
    char *name = g->node[g->nodes++];
    snprintf(name, NODE_NAME, "%s%s%s", taken ? "layer." : "", layer, suffix);
    hid_t node = snn_hdf5_create_group(g->group, name);
    g->ok = g->ok && node >= 0 && put_text(node, "type", type);
    return node;
}

/* The shape as NIR has it: [n], or [channels][height][width]. */
static int nir_shape(snn_shape s, bool flat, hsize_t shape[3]) {
    shape[0] = flat ? snn_shape_size(s) : s.channels;
    shape[1] = s.height;
    shape[2] = s.width;
    return flat ? 1 : 3;
}

static bool put_shape(hid_t node, const char *name, int dims, const hsize_t *shape) {
    int64_t value[3];
    for (int i = 0; i < dims; i++)
        value[i] = (int64_t)shape[i];
    return put_ints(node, name, dims, value);
}

static void put_end(graph *g, const char *name, const char *type, snn_shape s, bool flat) {
    hsize_t shape[3];
    int dims = nir_shape(s, flat, shape);
    hid_t node = begin_node(g, name, "", type);
    g->ok = g->ok && put_shape(node, "shape", dims, shape);
    H5Gclose(node);
}

static void put_flatten(graph *g, const snn_layer *l, const char *suffix) {
    hsize_t shape[3];
    hid_t node = begin_node(g, l->name, suffix, "Flatten");
    nir_shape(l->in, false, shape);
    g->ok = g->ok && put_int(node, "start_dim", 0) && put_int(node, "end_dim", -1) &&
            put_shape(node, "input_type", 3, shape);
    H5Gclose(node);
}

static void put_pool(graph *g, const snn_layer *l) {
    const int64_t kernel[] = {l->kernel, l->kernel}, stride[] = {l->stride, l->stride}, padding[] = {0, 0};
    hid_t node = begin_node(g, l->name, "", l->type == SNN_LAYER_POOL_AVERAGE ? "AvgPool2d" : "SumPool2d");
    g->ok = g->ok && put_ints(node, "kernel_size", 2, kernel) && put_ints(node, "stride", 2, stride) &&
            put_ints(node, "padding", 2, padding);
    H5Gclose(node);
    if (l->type != SNN_LAYER_POOL_MAX)
        return;
    hsize_t shape[3];
    nir_shape(l->out, false, shape);
    node = begin_node(g, l->name, ".threshold", "Threshold");
    g->ok = g->ok && put_constant(node, "threshold", 3, shape, 0.5);
    H5Gclose(node);
}

static bool put_weights(hid_t node, const snn_tensor *t) {
    hsize_t shape[4];
    for (int i = 0; i < t->dims; i++)
        shape[i] = t->shape[i];
    float *value = malloc(t->count * sizeof *value);
    if (value == NULL)
        return false;
    for (uint64_t i = 0; i < t->count; i++)
        value[i] = snn_weight_value(t, i);
    bool ok = put_floats(node, "weight", t->dims, shape, value);
    free(value);
    return ok;
}

static bool put_bias(hid_t node, const snn_layer *l) {
    hsize_t n = l->out.channels;
    return l->bias != NULL ? put_floats(node, "bias", 1, &n, l->bias) : put_constant(node, "bias", 1, &n, 0);
}

static void put_synapses(graph *g, const snn_layer *l) {
    const snn_tensor *t = &g->model->weights->tensor[l->tensor];
    bool conv = l->type == SNN_LAYER_CONV2D;
    hid_t node = begin_node(g, l->name, "", conv ? "Conv2d" : l->bias != NULL ? "Affine" : "Linear");
    g->ok = g->ok && put_weights(node, t);
    if (conv || l->bias != NULL)
        g->ok = g->ok && put_bias(node, l);
    if (conv) {
        const int64_t stride[] = {l->stride, l->stride}, padding[] = {l->padding, l->padding}, one[] = {1, 1},
                      input[] = {l->in.height, l->in.width};
        g->ok = g->ok && put_ints(node, "stride", 2, stride) && put_ints(node, "padding", 2, padding) &&
                put_ints(node, "dilation", 2, one) && put_int(node, "groups", 1) &&
                put_ints(node, "input_shape", 2, input);
    }
    H5Gclose(node);
}

static void put_neurons(graph *g, const snn_layer *l) {
    const snn_neuron *n = &l->neuron;
    bool leaks = n->decay < 1, spikes = n->type != SNN_NEURON_LI;
    double loss = 1 - (double)n->decay;
    hsize_t shape[3];
    int dims = nir_shape(l->out, l->type == SNN_LAYER_LINEAR, shape);
    hid_t node = begin_node(g, l->name, ".neuron", leaks ? (spikes ? "LIF" : "LI") : spikes ? "IF" : "I");
    g->ok = g->ok && put_constant(node, "r", dims, shape, leaks ? n->gain / loss : n->gain);
    if (leaks)
        g->ok = g->ok && put_constant(node, "tau", dims, shape, g->dt / loss) &&
                put_constant(node, "v_leak", dims, shape, 0);
    if (spikes) {
        float threshold = n->at_threshold ? nextafterf(n->threshold, 0) : n->threshold;
        g->ok = g->ok && put_constant(node, "v_threshold", dims, shape, threshold) &&
                put_constant(node, "v_reset", dims, shape, 0);
    }
    H5Gclose(node);
}

/* ---- the graph ---- */

static bool put_edges(hid_t group, const graph *g) {
    hid_t type = variable_string();
    hsize_t shape[] = {(hsize_t)g->nodes - 1, 2};
    const char **edge = malloc((size_t)shape[0] * 2 * sizeof *edge);
    for (int i = 0; edge != NULL && i + 1 < g->nodes; i++) {
        edge[2 * i] = g->node[i];
        edge[2 * i + 1] = g->node[i + 1];
    }
    /* Not compressed: strings stand in the heap, only references here. */
    hid_t space = H5Screate_simple(2, shape, NULL), create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    hid_t d = H5Dcreate2(group, "edges", type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = edge != NULL && d >= 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, edge) >= 0;
    H5Dclose(d);
    H5Pclose(create);
    H5Sclose(space);
    H5Tclose(type);
    free(edge);
    return ok;
}

static void put_layers(graph *g) {
    const snn_net *net = g->model->net;
    bool flat = net->input.height == 1 && net->input.width == 1 && net->layer[0].type == SNN_LAYER_LINEAR;
    put_end(g, "input", "Input", net->input, flat);
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        if (snn_layer_is_pool(l->type)) {
            put_pool(g, l);
        } else if (l->type == SNN_LAYER_FLATTEN) {
            if (!flat)
                put_flatten(g, l, "");
            flat = true;
        } else {
            if (l->type == SNN_LAYER_LINEAR && !flat)
                put_flatten(g, l, ".flatten");
            put_synapses(g, l);
            put_neurons(g, l);
            flat = l->type == SNN_LAYER_LINEAR;
        }
    }
    put_end(g, "output", "Output", net->layer[net->layers - 1].out, flat);
}

/* NIR has no step; whoever simulates the graph as it ran here finds it in an attribute, which NIR readers do not see. */
static bool put_step(hid_t node, double dt) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(node, "dt", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, &dt) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    return ok;
}

static bool fill(hid_t file, const void *context) {
    graph g = *(const graph *)context;
    hid_t node = snn_hdf5_create_group(file, "node");
    g.group = snn_hdf5_create_group(node, "nodes");
    g.ok = node >= 0 && g.group >= 0 && put_text(file, "version", NIR_VERSION) &&
           put_text(node, "type", "NIRGraph") && put_step(node, g.dt);
    put_layers(&g);
    bool ok = g.ok && put_edges(node, &g) && snn_model_write_group(file, g.model, g.network);
    H5Gclose(g.group);
    H5Gclose(node);
    return ok;
}

/* A conv2d or a pool behind a flat layer (1 x 1 images) would need a node that NIR lacks. */
static bool check_order(const snn_net *net, snn_error *err) {
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
        if (snn_layer_is_synaptic(l->type) && l->neuron.type != SNN_NEURON_LI &&
            l->neuron.reset == SNN_RESET_SUBTRACT)
            return snn_fail(err, SNN_ERR_DATA, "layer '%s' resets by subtraction, which NIR cannot say",
                            l->name);
        flat = flat || l->type == SNN_LAYER_LINEAR || l->type == SNN_LAYER_FLATTEN;
        if (snn_layer_is_synaptic(l->type))
            counts = false;
        else if (l->type == SNN_LAYER_POOL_SUM || l->type == SNN_LAYER_POOL_AVERAGE)
            counts = true;
    }
    return true;
}

bool snn_model_export_nir(const snn_model *m, const char *path, snn_error *err) {
    if (!snn_model_check(m, err) || !check_order(m->net, err))
        return snn_error_context(err, "%s", path);
    char *network = snn_net_to_json(m->net, err);
    graph g = {
        .model = m, .network = network, .dt = m->net->step_us > 0 ? m->net->step_us * 1e-6 : STEP_UNKNOWN};
    g.node = network != NULL ? snn_alloc(NODES_MAX, sizeof *g.node, "names", err) : NULL;
    bool ok = g.node != NULL && snn_hdf5_write(path, NULL, fill, &g, err);
    free(g.node);
    free(network);
    return ok;
}
