/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A NIR graph in memory: growing, looking up, freeing. */
#include "nir_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_field(nir_field *f) {
    free(f->name);
    free(f->tensor);
    free(f->number);
    free(f->integer);
    free(f->text);
}

static void free_node(nir_node *n) {
    for (size_t i = 0; i < n->fields; i++)
        free_field(&n->field[i]);
    for (size_t i = 0; i < n->edges; i++) {
        free(n->edge[i].from);
        free(n->edge[i].to);
    }
    for (size_t i = 0; i < n->nodes; i++)
        free_node(&n->node[i]);
    free(n->name);
    free(n->field);
    free(n->edge);
    free(n->node);
}

void snn_nir_file_free(nir_file *f) {
    free_node(&f->root);
    *f = (nir_file){0};
}

static char *copy_text(const char *text, snn_error *err) {
    char *copy = strdup(text);
    if (copy == NULL)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    return copy;
}

nir_node *snn_nir_add_node(nir_node *graph, const char *name, const char *type, snn_error *err) {
    void *array = graph->node;
    if (!snn_grow(&array, &graph->node_capacity, graph->nodes + 1, sizeof *graph->node, err))
        return NULL;
    graph->node = array;
    nir_node *n = &graph->node[graph->nodes];
    *n = (nir_node){.name = copy_text(name, err)};
    if (n->name == NULL)
        return NULL;
    snprintf(n->type, sizeof n->type, "%s", type);
    graph->nodes++;
    return n;
}

bool snn_nir_add_edge(nir_node *graph, const char *from, const char *to, snn_error *err) {
    void *array = graph->edge;
    if (!snn_grow(&array, &graph->edge_capacity, graph->edges + 1, sizeof *graph->edge, err))
        return false;
    graph->edge = array;
    nir_edge *e = &graph->edge[graph->edges++];
    *e = (nir_edge){copy_text(from, err), copy_text(to, err)};
    return e->from != NULL && e->to != NULL;
}

bool snn_nir_count(int dims, const uint64_t *shape, uint64_t *count) {
    uint64_t n = 1;
    for (int i = 0; i < dims; i++)
        if (__builtin_mul_overflow(n, shape[i], &n) || n > UINT64_MAX / sizeof(double))
            return false;
    *count = n;
    return true;
}

nir_field *snn_nir_add_field(nir_node *node, const char *name, nir_kind kind, int bytes, int dims,
                             const uint64_t *shape, snn_error *err) {
    void *array = node->field;
    if (!snn_grow(&array, &node->field_capacity, node->fields + 1, sizeof *node->field, err))
        return NULL;
    node->field = array;
    nir_field *f = &node->field[node->fields];
    *f = (nir_field){.name = copy_text(name, err), .kind = kind, .bytes = bytes, .dims = dims};
    if (dims > 0)
        memcpy(f->shape, shape, (size_t)dims * sizeof *shape);
    bool ok = f->name != NULL && snn_nir_count(dims, shape, &f->count);
    if (ok && kind == NIR_FLOAT)
        ok = (f->number = snn_alloc(f->count, sizeof *f->number, name, err)) != NULL;
    else if (ok && kind != NIR_TEXT)
        ok = (f->integer = snn_alloc(f->count, sizeof *f->integer, name, err)) != NULL;
    if (ok) {
        node->fields++;
        return f;
    }
    free_field(f);
    return NULL;
}

bool snn_nir_add_text(nir_node *node, const char *name, const char *text, snn_error *err) {
    nir_field *f = snn_nir_add_field(node, name, NIR_TEXT, 1, 0, NULL, err);
    return f != NULL && (f->text = copy_text(text, err)) != NULL;
}

const nir_field *snn_nir_find(const nir_node *node, const char *name) {
    for (size_t i = 0; i < node->fields; i++)
        if (strcmp(node->field[i].name, name) == 0)
            return &node->field[i];
    return NULL;
}

double snn_nir_number(const nir_field *f, uint64_t i) {
    return f->kind == NIR_FLOAT ? f->number[i] : (double)f->integer[i];
}

bool snn_nir_is_neuron(const nir_node *node) {
    static const char *const type[] = {"IF", "LIF", "LI", "I", "CubaLIF", "CubaLI", "Threshold"};
    for (size_t i = 0; i < sizeof type / sizeof type[0]; i++)
        if (strcmp(node->type, type[i]) == 0)
            return true;
    return false;
}

bool snn_nir_fail(const nir_stage *s, const char *path, snn_error *err, const char *format, ...) {
    char what[512];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    return snn_fail(err, SNN_ERR_DATA, "%s: node '%s' (%s): %s", path, s->path, s->node->type, what);
}
