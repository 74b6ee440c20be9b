/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an imported model remembers of its NIR graph, so that it is exported with every number as it was: time constants that a float32 decay has lost, names,
 * edges, types, metadata; all but the weights, which are the model's own (they may be quantised or encrypted since). JSON:
 *
 *   {"format": "nir 1", "network": digest of the network's JSON, "version": "0.2.0", "dt": 0.0001, "identities": [tensor, ...],
 *    "graph": {"type": "NIRGraph", "fields": [field, ...], "nodes": [{"name": ..., "type": ..., "fields": ...}, ...], "edges": [[from, to], ...]}}
 *   field: {"name": "tau", "type": "f4", "shape": [38], and "data": [...] | "value": x (all the same) | "text": ... | "tensor": "fc1"}
 *
 * It holds as long as the network is what was imported: its digest tells.
 */
#include "net_build.h"
#include "nir_tree.h"
#include "weights_internal.h"

#include <snnsim/digest.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN_FORMAT "nir 1"
#define ITEMS_MAX (1u << 24) /* numbers in it: a short text may stand for many of them */

/* ---- tree -> JSON ---- */

static json_t *number_json(const nir_field *f, uint64_t i) {
    return f->kind == NIR_FLOAT ? json_real(f->number[i]) : json_integer(f->integer[i]);
}

/* The same bits (-0 is not 0). */
static bool same_number(const nir_field *f, uint64_t i, uint64_t j) {
    return f->kind == NIR_FLOAT
               ? f->number[i] == f->number[j] && !signbit(f->number[i]) == !signbit(f->number[j])
               : f->integer[i] == f->integer[j];
}

static void put_data(json_t *o, const nir_field *f) {
    bool same = f->count > 1;
    for (uint64_t i = 1; same && i < f->count; i++)
        same = same_number(f, 0, i);
    if (same) {
        json_object_set_new(o, "value", number_json(f, 0));
        return;
    }
    json_t *list = json_array();
    for (uint64_t i = 0; i < f->count; i++)
        json_array_append_new(list, number_json(f, i));
    json_object_set_new(o, "data", list);
}

static json_t *field_json(const nir_field *f, const char *tensor) {
    static const char kind[] = {[NIR_FLOAT] = 'f', [NIR_INT] = 'i', [NIR_UINT] = 'u'};
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(f->name));
    if (f->kind == NIR_TEXT) {
        json_object_set_new(o, "text", json_string(f->text));
        return o;
    }
    json_t *shape = json_array();
    for (int i = 0; i < f->dims; i++)
        json_array_append_new(shape, json_integer((json_int_t)f->shape[i]));
    json_object_set_new(o, "type", json_sprintf("%c%d", kind[f->kind], f->bytes));
    json_object_set_new(o, "shape", shape);
    if (tensor != NULL)
        json_object_set_new(o, "tensor", json_string(tensor));
    else
        put_data(o, f);
    return o;
}

/* The tensor that holds the node's weights. */
static const char *tensor_of(const nir_network *n, const nir_node *node) {
    for (int i = 0; i < n->tensors; i++)
        if (n->tensor[i].node == node)
            return n->tensor[i].name;
    return NULL;
}

static json_t *node_json(const nir_node *node, const nir_network *n) {
    json_t *o = json_object(), *fields = json_array(), *nodes = json_array(), *edges = json_array();
    const char *tensor = tensor_of(n, node);
    if (node->name != NULL)
        json_object_set_new(o, "name", json_string(node->name));
    json_object_set_new(o, "type", json_string(node->type));
    for (size_t i = 0; i < node->fields; i++) {
        const nir_field *f = &node->field[i];
        json_array_append_new(fields, field_json(f, strcmp(f->name, "weight") == 0 ? tensor : NULL));
    }
    for (size_t i = 0; i < node->nodes; i++)
        json_array_append_new(nodes, node_json(&node->node[i], n));
    for (size_t i = 0; i < node->edges; i++)
        json_array_append_new(edges, json_pack("[s, s]", node->edge[i].from, node->edge[i].to));
    json_object_set_new(o, "fields", fields);
    json_object_set_new(o, "nodes", nodes);
    json_object_set_new(o, "edges", edges);
    return o;
}

/* Numbers that the origin would hold. */
static uint64_t count_items(const nir_node *node, const nir_network *n) {
    uint64_t items = 0;
    const bool weights = tensor_of(n, node) != NULL;
    for (size_t i = 0; i < node->fields; i++)
        if (!weights || strcmp(node->field[i].name, "weight") != 0)
            items += node->field[i].count;
    for (size_t i = 0; i < node->nodes; i++)
        items += count_items(&node->node[i], n);
    return items;
}

/* Digest of the network as models carry it. */
static bool network_digest(const snn_net *net, char digest[65], snn_error *err) {
    char *json = snn_net_to_json(net, err);
    if (json != NULL)
        snn_digest_text(json, digest);
    free(json);
    return json != NULL;
}

bool snn_nir_origin_make(const nir_file *f, const nir_network *n, char **text, snn_error *err) {
    char digest[65];
    *text = NULL;
    json_t *identities = json_array();
    for (int i = 0; i < n->tensors; i++) {
        if (!n->tensor[i].exact) { /* a Scale was merged into weights */
            json_decref(identities);
            return true;
        }
        if (n->tensor[i].node == NULL)
            json_array_append_new(identities, json_string(n->tensor[i].name));
    }
    if (count_items(&f->root, n) > ITEMS_MAX) {
        json_decref(identities);
        return true;
    }
    if (!network_digest(n->net, digest, err)) {
        json_decref(identities);
        return false;
    }
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "format", ORIGIN_FORMAT, "network", digest, "version",
                  f->version, "dt", f->dt, "identities", identities, "graph", node_json(&f->root, n));
    *text = o != NULL ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(o);
    return *text != NULL || snn_fail(err, SNN_ERR_RUNTIME, "a name in the NIR graph is no UTF-8 text");
}

/* ---- JSON -> tree ---- */

typedef struct {
    const snn_model *model;
    snn_error *err;
    size_t nodes;
    uint64_t items; /* so far */
} restoring;

static bool bad(const restoring *r, const char *what) {
    return snn_fail(r->err, SNN_ERR_DATA, "the model's origin is damaged: %s", what);
}

static bool read_data(const restoring *r, const json_t *o, nir_field *f) {
    const json_t *value = json_object_get(o, "value"), *data = json_object_get(o, "data");
    if (value == NULL && json_array_size(data) != f->count)
        return bad(r, "a field has not as many numbers as its shape");
    for (uint64_t i = 0; i < f->count; i++) {
        const json_t *x = value != NULL ? value : json_array_get(data, i);
        if (!json_is_number(x))
            return bad(r, "a field holds something that is no number");
        if (f->kind == NIR_FLOAT)
            f->number[i] = json_number_value(x);
        else
            f->integer[i] = json_integer_value(x);
    }
    return true;
}

/* Value i of the node's weights out of the tensor. */
static bool gather(const restoring *r, const nir_node *node, const snn_tensor *t, const snn_layer *l,
                   nir_field *f) {
    const nir_stage s = {node, node->name, NULL, NULL};
    const bool window = strncmp(node->type, "Conv", 4) == 0;
    nir_window w;
    if (window && !snn_nir_window_of(&w, &s, l->in, "origin", r->err))
        return false;
    if (window ? (uint64_t)w.outputs * w.inputs * w.kernel * w.kernel != t->count || w.kernel != l->kernel
               : f->count != t->count)
        return bad(r, "weights do not fit their tensor");
    for (uint64_t i = 0; i < f->count; i++)
        f->number[i] = (double)snn_weight_value(t, window ? snn_nir_window_index(&w, i) : i);
    return true;
}

/* Weights keep the type of the file where it holds them. */
static bool weights_back(const restoring *r, const nir_node *node, nir_field *f) {
    const snn_weights *weights = r->model->weights;
    for (int i = 0; i < weights->tensors; i++)
        if (strcmp(weights->tensor[i].name, f->tensor) == 0)
            return gather(r, node, &weights->tensor[i], snn_net_tensor_layer(r->model->net, i, NULL), f);
    return bad(r, "it names a tensor that is not there");
}

/* Is there such a tensor, with no fewer weights? */
static bool tensor_size(const restoring *r, const char *name, uint64_t count) {
    const snn_weights *w = r->model != NULL ? r->model->weights : NULL;
    for (int i = 0; w != NULL && i < w->tensors; i++)
        if (strcmp(w->tensor[i].name, name) == 0)
            return count <= w->tensor[i].count;
    return false;
}

/* "f4", "i8", ... */
static bool parse_type(const char *text, nir_kind *kind, int *bytes) {
    if (text == NULL || strlen(text) != 2)
        return false;
    *kind = text[0] == 'f' ? NIR_FLOAT : text[0] == 'i' ? NIR_INT : NIR_UINT;
    *bytes = text[1] - '0';
    return strchr("fiu", text[0]) != NULL && (*bytes == 1 || *bytes == 2 || *bytes == 4 || *bytes == 8) &&
           (*bytes != 1 || *kind != NIR_FLOAT);
}

static bool add_field(restoring *r, const json_t *o, nir_node *node) {
    const char *name = json_string_value(json_object_get(o, "name")),
               *text = json_string_value(json_object_get(o, "text")),
               *tensor = json_string_value(json_object_get(o, "tensor"));
    const json_t *shape = json_object_get(o, "shape");
    uint64_t sizes[NIR_DIMS_MAX], count;
    nir_kind kind;
    int bytes;
    if (name == NULL || node->fields >= NIR_FIELDS_MAX)
        return bad(r, "a field has no name, or there are too many");
    if (text != NULL)
        return snn_nir_add_text(node, name, text, r->err);
    const size_t dims = json_array_size(shape);
    if (!parse_type(json_string_value(json_object_get(o, "type")), &kind, &bytes) || dims > NIR_DIMS_MAX)
        return bad(r, "a field has no known type or too many dimensions");
    for (size_t i = 0; i < dims; i++) {
        const json_int_t n = json_integer_value(json_array_get(shape, i));
        if (n < 0)
            return bad(r, "a field has a negative size");
        sizes[i] = (uint64_t)n;
    }
    if (!snn_nir_count((int)dims, sizes, &count) || count > SNN_WEIGHTS_MAX ||
        (tensor == NULL && (r->items += count) > ITEMS_MAX))
        return bad(r, "a field is too large");
    if (tensor != NULL && !tensor_size(r, tensor, count))
        return bad(r, "it names a tensor that is not there, or a smaller one");
    /* Weights of integer type become floats: scales have made fractions of them. */
    nir_field *f = snn_nir_add_field(node, name, tensor != NULL ? NIR_FLOAT : kind,
                                     tensor != NULL && bytes < 4 ? 4 : bytes, (int)dims, sizes, r->err);
    if (f == NULL)
        return false;
    f->tensor = tensor != NULL ? strdup(tensor) : NULL;
    return tensor != NULL ? f->tensor != NULL || snn_fail(r->err, SNN_ERR_RUNTIME, "out of memory")
                          : read_data(r, o, f);
}

static bool fill_node(restoring *r, const json_t *o, nir_node *node, int depth) {
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(o, "fields"), i, item) if (!add_field(r, item, node)) return false;
    json_array_foreach(json_object_get(o, "edges"), i, item) {
        const char *from = json_string_value(json_array_get(item, 0)),
                   *to = json_string_value(json_array_get(item, 1));
        if (from == NULL || to == NULL || !snn_nir_add_edge(node, from, to, r->err))
            return bad(r, "an edge is no pair of names");
    }
    json_array_foreach(json_object_get(o, "nodes"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name")),
                   *type = json_string_value(json_object_get(item, "type"));
        if (name == NULL || type == NULL || depth >= NIR_DEPTH_MAX || ++r->nodes > NIR_NODES_MAX)
            return bad(r, "a node has no name or type, or there are too many");
        nir_node *below = snn_nir_add_node(node, name, type, r->err);
        if (below == NULL || !fill_node(r, item, below, depth + 1))
            return false;
    }
    for (size_t k = 0; k < node->fields; k++)
        if (node->field[k].tensor != NULL && !weights_back(r, node, &node->field[k]))
            return false;
    return true;
}

/* Are the identities that snnsim has put in still identities? */
static bool identities_hold(const snn_weights *weights, const json_t *list) {
    const json_t *item;
    size_t k;
    json_array_foreach(list, k, item) for (int i = 0; i < weights->tensors; i++) {
        const snn_tensor *t = &weights->tensor[i];
        if (json_string_value(item) == NULL || strcmp(t->name, json_string_value(item)) != 0)
            continue;
        for (uint64_t j = 0; j < t->count; j++)
            if (snn_weight_value(t, j) != (j % (t->shape[0] + 1) == 0 ? 1.0f : 0.0f))
                return false;
    }
    return true;
}

/* The nodes out of JSON; `m` has their weights (NULL: none may be named). */
static bool from_json(nir_file *f, const json_t *o, const snn_model *m, snn_error *err) {
    restoring r = {m, err, 0, 0};
    const char *version = json_string_value(json_object_get(o, "version"));
    snprintf(f->version, sizeof f->version, "%s", version != NULL ? version : "");
    snprintf(f->root.type, sizeof f->root.type, "NIRGraph");
    f->dt = json_number_value(json_object_get(o, "dt"));
    return fill_node(&r, json_object_get(o, "graph"), &f->root, 0);
}

bool snn_nir_file_from_json(nir_file *f, const char *json, size_t size, snn_error *err) {
    json_t *o = json_loadb(json, size, 0, NULL);
    *f = (nir_file){0};
    bool ok = o != NULL ? from_json(f, o, NULL, err) : snn_fail(err, SNN_ERR_DATA, "is no JSON");
    json_decref(o);
    if (!ok)
        snn_nir_file_free(f);
    return ok;
}

bool snn_nir_origin_restore(nir_file *f, const snn_model *m, bool *found, snn_error *err) {
    char digest[65];
    *f = (nir_file){0};
    *found = false;
    if (m->origin == NULL)
        return true;
    if (!network_digest(m->net, digest, err))
        return false;
    json_t *o = json_loads(m->origin, 0, NULL);
    const char *format = json_string_value(json_object_get(o, "format")),
               *network = json_string_value(json_object_get(o, "network"));
    bool ok = true;
    if (format != NULL && strcmp(format, ORIGIN_FORMAT) == 0 && network != NULL &&
        strcmp(network, digest) == 0 && identities_hold(m->weights, json_object_get(o, "identities"))) {
        *found = true;
        ok = from_json(f, o, m, err);
    }
    json_decref(o);
    if (!ok)
        snn_nir_file_free(f);
    return ok;
}
