/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a NIR graph: a tree of nodes and fields as HDF5, in the types that the fields have, as the Python package `nir` does (layout: nir_read.c). */
#include "nir_tree.h"

#include <hdf5.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hid_t variable_string(void) {
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, H5T_VARIABLE);
    H5Tset_cset(t, H5T_CSET_UTF8);
    return t;
}

/* IEEE half precision, which HDF5 has no name for. */
static hid_t half(void) {
    hid_t t = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(t, 15, 10, 5, 0, 10);
    H5Tset_size(t, 2);
    H5Tset_ebias(t, 15);
    return t;
}

/* Type in the file; to be closed. */
static hid_t file_type(const nir_field *f) {
    const hid_t integer[2][4] = {{H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE},
                                 {H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE}};
    if (f->kind == NIR_TEXT)
        return variable_string();
    if (f->kind == NIR_FLOAT)
        return f->bytes == 2 ? half() : H5Tcopy(f->bytes == 4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE);
    const int size = f->bytes == 1 ? 0 : f->bytes == 2 ? 1 : f->bytes == 4 ? 2 : 3;
    return H5Tcopy(integer[f->kind == NIR_UINT][size]);
}

/* A data set of any type; dims 0: a scalar. Texts are not compressed: they stand in the heap, only references here. */
static bool put(hid_t group, const char *name, hid_t in_file, hid_t in_memory, int dims, const hsize_t *shape,
                const void *data) {
    hid_t space = dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(dims, shape, NULL);
    hid_t create = snn_hdf5_create_properties(H5P_DATASET_CREATE);
    if (dims > 0 && H5Tget_class(in_file) != H5T_STRING)
        snn_hdf5_compress(create, dims, shape, H5Tget_size(in_file));
    hid_t d = H5Dcreate2(group, name, in_file, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = d >= 0 && H5Dwrite(d, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    H5Dclose(d);
    H5Pclose(create);
    H5Sclose(space);
    return ok;
}

static bool put_text(hid_t group, const char *name, const char *text) {
    hid_t type = variable_string();
    bool ok = put(group, name, type, type, 0, NULL, &text);
    H5Tclose(type);
    return ok;
}

static bool put_data(hid_t group, const char *name, const nir_field *f) {
    hsize_t shape[NIR_DIMS_MAX];
    for (int i = 0; i < f->dims; i++)
        shape[i] = f->shape[i];
    hid_t in_file = file_type(f), in_memory = f->kind == NIR_TEXT    ? H5Tcopy(in_file)
                                              : f->kind == NIR_FLOAT ? H5Tcopy(H5T_NATIVE_DOUBLE)
                                                                     : H5Tcopy(H5T_NATIVE_INT64);
    const void *data = f->kind == NIR_TEXT    ? (const void *)&f->text
                       : f->kind == NIR_FLOAT ? (const void *)f->number
                                              : (const void *)f->integer;
    bool ok = put(group, name, in_file, in_memory, f->dims, shape, data);
    H5Tclose(in_memory);
    H5Tclose(in_file);
    return ok;
}

/* The field "metadata/note" goes into the group metadata. */
static bool put_field(hid_t group, const char *name, const nir_field *f) {
    const char *slash = strchr(name, '/');
    if (slash == NULL)
        return put_data(group, name, f);
    char below[NIR_NAME_MAX + 1];
    if ((size_t)(slash - name) >= sizeof below)
        return false;
    snprintf(below, sizeof below, "%.*s", (int)(slash - name), name);
    hid_t g = H5Lexists(group, below, H5P_DEFAULT) > 0 ? H5Gopen2(group, below, H5P_DEFAULT)
                                                       : snn_hdf5_create_group(group, below);
    bool ok = g >= 0 && put_field(g, slash + 1, f);
    H5Gclose(g);
    return ok;
}

static bool put_edges(hid_t group, const nir_node *graph) {
    hid_t type = variable_string();
    hsize_t shape[] = {graph->edges, 2};
    const char **edge = malloc((graph->edges > 0 ? graph->edges : 1) * 2 * sizeof *edge);
    for (size_t i = 0; edge != NULL && i < graph->edges; i++) {
        edge[2 * i] = graph->edge[i].from;
        edge[2 * i + 1] = graph->edge[i].to;
    }
    bool ok = edge != NULL && put(group, "edges", type, type, 2, shape, edge);
    H5Tclose(type);
    free(edge);
    return ok;
}

static bool put_node(hid_t group, const nir_node *node) {
    bool ok = put_text(group, "type", node->type);
    for (size_t i = 0; ok && i < node->fields; i++)
        ok = put_field(group, node->field[i].name, &node->field[i]);
    if (!ok || strcmp(node->type, "NIRGraph") != 0)
        return ok;
    hid_t nodes = snn_hdf5_create_group(group, "nodes");
    ok = nodes >= 0;
    for (size_t i = 0; ok && i < node->nodes; i++) {
        hid_t g = snn_hdf5_create_group(nodes, node->node[i].name);
        ok = g >= 0 && put_node(g, &node->node[i]);
        H5Gclose(g);
    }
    H5Gclose(nodes);
    return ok && put_edges(group, node);
}

/* NIR has no step; whoever simulates the graph as it ran here finds it in an attribute, which NIR readers do not see. */
static bool put_step(hid_t node, double dt) {
    if (dt <= 0)
        return true;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(node, "dt", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, &dt) >= 0;
    H5Aclose(a);
    H5Sclose(space);
    return ok;
}

bool snn_nir_write(snn_hid file, const nir_file *f) {
    hid_t node = snn_hdf5_create_group(file, "node");
    bool ok = node >= 0 && put_text(file, "version", f->version) && put_node(node, &f->root) &&
              put_step(node, f->dt);
    H5Gclose(node);
    return ok;
}
