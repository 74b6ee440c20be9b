/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a NIR file (what the Python package `nir` writes, versions 0.1 to 1.x) as a tree of nodes and fields, with the distrust of base/hdf5_read.c: hard links only,
 * built-in filters only, every count bounded, sizes checked before memory is taken; first in a child process, as libhdf5 crashes on some files. What the nodes mean is no matter here.
 *
 *   /version            string
 *   /node/type          "NIRGraph"
 *   /node/edges         strings [edges][2]
 *   /node/nodes/<name>  group with `type` and the node's fields; a NIRGraph has `nodes` and `edges` again
 */
#include "net_build.h"
#include "nir_tree.h"

#include <hdf5.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536 /* bytes of one string */

typedef struct {
    const snn_hdf5_reader *r;
    size_t nodes; /* so far */
} reading;

/* ---- strings ---- */

/* Frees strings of read_strings. */
static void free_strings(char **text, uint64_t n) {
    for (uint64_t i = 0; text != NULL && i < n; i++)
        free(text[i]);
    free(text);
}

static bool read_variable(hid_t d, hid_t type, uint64_t n, char **text) {
    char **item = calloc(n > 0 ? n : 1, sizeof *item);
    hid_t memory = H5Tcopy(H5T_C_S1), space = H5Dget_space(d);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    bool ok = item != NULL && H5Dread(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, item) >= 0;
    for (uint64_t i = 0; ok && i < n; i++)
        ok = item[i] != NULL && strlen(item[i]) < TEXT_MAX && (text[i] = strdup(item[i])) != NULL;
    if (item != NULL)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, item);
    H5Sclose(space);
    H5Tclose(memory);
    free(item);
    return ok;
}

static bool read_fixed(hid_t d, hid_t type, uint64_t n, char **text) {
    size_t size = H5Tget_size(type);
    char *item = size > 0 && size < TEXT_MAX ? calloc(n > 0 ? n : 1, size) : NULL;
    bool ok = item != NULL && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, item) >= 0;
    for (uint64_t i = 0; ok && i < n; i++)
        ok = (text[i] = strndup(item + i * size, size)) != NULL;
    free(item);
    return ok;
}

/* n strings of a data set whose shape was checked; NULL with err set. */
static char **read_strings(const reading *g, hid_t d, const char *group, const char *name, uint64_t n) {
    hid_t type = H5Dget_type(d);
    const bool variable = H5Tis_variable_str(type) > 0;
    char **text = NULL;
    if (H5Tget_class(type) != H5T_STRING)
        snn_hdf5_fail(g->r, group, name, "is not text");
    else if (snn_hdf5_check_storage(g->r, d, group, name, n * (variable ? 16 : H5Tget_size(type))))
        text = snn_alloc(n, sizeof *text, name, g->r->err);
    if (text != NULL && !(variable ? read_variable(d, type, n, text) : read_fixed(d, type, n, text))) {
        snn_hdf5_fail(g->r, group, name, "cannot be read");
        free_strings(text, n);
        text = NULL;
    }
    H5Tclose(type);
    return text;
}

/* A scalar string below `size` bytes. */
static bool read_text(const reading *g, hid_t parent, const char *group, const char *name, char *out,
                      size_t size) {
    hid_t d = snn_hdf5_open(g->r, parent, group, name, H5I_DATASET);
    if (d < 0)
        return false;
    char **text =
        snn_hdf5_check_shape(g->r, d, group, name, 0, NULL) ? read_strings(g, d, group, name, 1) : NULL;
    bool ok = text != NULL;
    if (ok && strlen(text[0]) >= size)
        ok = snn_hdf5_fail(g->r, group, name, "is too long");
    if (ok)
        memcpy(out, text[0], strlen(text[0]) + 1);
    free_strings(text, 1);
    H5Dclose(d);
    return ok;
}

/* ---- fields ---- */

/* What the type of a data set is here; false when it is none that a node has. */
static bool field_type(hid_t type, nir_kind *kind, int *bytes) {
    const size_t size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        *kind = NIR_FLOAT;
        break;
    case H5T_INTEGER:
        *kind = H5Tget_sign(type) == H5T_SGN_NONE ? NIR_UINT : NIR_INT;
        break;
    default:
        return false;
    }
    *bytes = (int)size;
    return size == 8 || size == 4 || size == 2 || (size == 1 && *kind != NIR_FLOAT);
}

static bool read_values(const reading *g, hid_t d, const char *group, const char *name, nir_field *f) {
    const bool is_float = f->kind == NIR_FLOAT;
    void *data = is_float ? (void *)f->number : (void *)f->integer;
    if (f->count > 0 &&
        H5Dread(d, is_float ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return snn_hdf5_fail(g->r, group, name, "cannot be read");
    for (uint64_t i = 0; i < f->count; i++) {
        if (is_float && !isfinite(f->number[i]))
            return snn_hdf5_fail(g->r, group, name, "holds a number that is not finite");
        if (f->kind == NIR_UINT && f->integer[i] == INT64_MAX) /* libhdf5 clips to it */
            return snn_hdf5_fail(g->r, group, name, "holds a number that is too large");
    }
    return true;
}

static bool read_text_field(const reading *g, hid_t d, const char *group, const char *name, const char *full,
                            nir_node *node) {
    char **text = read_strings(g, d, group, name, 1);
    bool ok = text != NULL && snn_nir_add_text(node, full, text[0], g->r->err);
    free_strings(text, 1);
    return ok;
}

/* One data set, called `full` in the node. What nodes do not have (compounds, references, lists of texts) is left out where it does not matter: in metadata. */
static bool read_field(const reading *g, hid_t d, const char *group, const char *name, const char *full,
                       nir_node *node) {
    uint64_t shape[H5S_MAX_RANK], count = 0;
    int dims = snn_hdf5_shape(d, shape), bytes = 0;
    nir_kind kind = NIR_TEXT;
    if (dims < 0)
        return true; /* empty: Python's None */
    hid_t type = H5Dget_type(d);
    const bool text = H5Tget_class(type) == H5T_STRING && dims == 0, number = field_type(type, &kind, &bytes);
    H5Tclose(type);
    if (text)
        return read_text_field(g, d, group, name, full, node);
    if (!number || dims > NIR_DIMS_MAX)
        return strncmp(full, "metadata/", 9) == 0 ||
               snn_hdf5_fail(g->r, group, name, "is no array of numbers, and no text");
    if (!snn_nir_count(dims, shape, &count) || count > SNN_WEIGHTS_MAX)
        return snn_hdf5_fail(g->r, group, name, "is too large");
    if (!snn_hdf5_check_storage(g->r, d, group, name, count * (uint64_t)bytes))
        return false;
    nir_field *f = snn_nir_add_field(node, full, kind, bytes, dims, shape, g->r->err);
    return f != NULL && read_values(g, d, group, name, f);
}

/* ---- groups ---- */

/* Number of links of a group, and the name of one; false with err set when there are too many or a name is no name. */
static bool count_links(const reading *g, hid_t group, const char *where, size_t limit, size_t *n) {
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return snn_hdf5_fail(g->r, where, "", "cannot be read");
    if (info.nlinks > limit)
        return snn_hdf5_fail(g->r, where, "", "has too many members");
    *n = info.nlinks;
    return true;
}

static bool link_name(const reading *g, hid_t group, const char *where, size_t i, char *name) {
    ssize_t n =
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, NIR_NAME_MAX + 1, H5P_DEFAULT);
    if (n <= 0 || n > NIR_NAME_MAX)
        return snn_hdf5_fail(g->r, where, "", n < 0 ? "cannot be read" : "has a member with too long a name");
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return snn_hdf5_fail(g->r, where, "", "has a member with a control character in its name");
    return true;
}

static H5O_type_t member_type(hid_t group, const char *name) {
    H5O_info_t info;
    H5L_info_t link;
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
        return H5O_TYPE_UNKNOWN;
    return H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) >= 0 ? info.type : H5O_TYPE_UNKNOWN;
}

/* Fields of a node, those in groups below it (metadata, input_type) as "group/name". `prefix` ends in '/' or is empty. */
static bool read_fields(const reading *g, hid_t group, const char *where, const char *prefix, int depth,
                        nir_node *node) {
    char name[NIR_NAME_MAX + 1], full[2 * NIR_NAME_MAX + 2];
    size_t n = 0;
    if (!count_links(g, group, where, NIR_FIELDS_MAX, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!link_name(g, group, where, i, name))
            return false;
        if (!*prefix &&
            (strcmp(name, "type") == 0 || (strcmp(node->type, "NIRGraph") == 0 &&
                                           (strcmp(name, "nodes") == 0 || strcmp(name, "edges") == 0))))
            continue;
        const bool below = member_type(group, name) == H5O_TYPE_GROUP;
        const int length = snprintf(full, sizeof full, "%s%s%s", prefix, name, below ? "/" : "");
        if (length < 0 || (size_t)length >= sizeof full || node->fields >= NIR_FIELDS_MAX ||
            depth >= NIR_DEPTH_MAX)
            return snn_hdf5_fail(g->r, where, name, "lies too deep, or among too many");
        hid_t object = snn_hdf5_open(g->r, group, where, name, below ? H5I_GROUP : H5I_DATASET);
        bool ok = object >= 0 && (below ? read_fields(g, object, where, full, depth + 1, node)
                                        : read_field(g, object, where, name, full, node));
        if (object >= 0)
            H5Oclose(object);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_edges(const reading *g, hid_t group, const char *where, nir_node *graph) {
    uint64_t shape[H5S_MAX_RANK];
    hid_t d = snn_hdf5_open(g->r, group, where, "edges", H5I_DATASET);
    if (d < 0)
        return false;
    const int dims = snn_hdf5_shape(d, shape);
    const bool none = dims >= 1 && shape[0] == 0;
    bool ok = none || (dims == 2 && shape[1] == 2 && shape[0] <= NIR_EDGES_MAX);
    char **text = NULL;
    if (!ok)
        snn_hdf5_fail(g->r, where, "edges", "is no list of pairs of names");
    else if (!none)
        ok = (text = read_strings(g, d, where, "edges", shape[0] * 2)) != NULL;
    for (uint64_t i = 0; ok && !none && i < shape[0]; i++)
        ok = snn_nir_add_edge(graph, text[2 * i], text[2 * i + 1], g->r->err);
    if (text != NULL)
        free_strings(text, shape[0] * 2);
    H5Dclose(d);
    return ok;
}

static bool read_graph(reading *g, hid_t group, const char *where, int depth, nir_node *graph);

/* The node `name` of the group `nodes` into node number `index` of the graph. */
static bool read_node(reading *g, hid_t nodes, const char *where, const char *name, int depth,
                      nir_node *graph) {
    char below[512], type[sizeof graph->type];
    if (++g->nodes > NIR_NODES_MAX)
        return snn_hdf5_fail(g->r, where, name, "is one node too many");
    hid_t object = snn_hdf5_open(g->r, nodes, where, name, H5I_GROUP);
    if (object < 0)
        return false;
    snprintf(below, sizeof below, "%.250s/%.250s", where, name);
    nir_node *node = NULL;
    bool ok = read_text(g, object, below, "type", type, sizeof type) &&
              (node = snn_nir_add_node(graph, name, type, g->r->err)) != NULL &&
              read_fields(g, object, below, "", 0, node) &&
              (strcmp(type, "NIRGraph") != 0 || read_graph(g, object, below, depth + 1, node));
    H5Gclose(object);
    return ok;
}

static bool read_graph(reading *g, hid_t group, const char *where, int depth, nir_node *graph) {
    char name[NIR_NAME_MAX + 1], below[512];
    size_t n = 0;
    if (depth > NIR_DEPTH_MAX)
        return snn_hdf5_fail(g->r, where, "", "lies too deep: graphs in graphs in graphs ...");
    hid_t nodes = snn_hdf5_open(g->r, group, where, "nodes", H5I_GROUP);
    if (nodes < 0)
        return false;
    snprintf(below, sizeof below, "%.400s/nodes", where);
    bool ok = count_links(g, nodes, below, NIR_NODES_MAX, &n);
    for (size_t i = 0; ok && i < n; i++)
        ok = link_name(g, nodes, below, i, name) && read_node(g, nodes, below, name, depth, graph);
    H5Gclose(nodes);
    return ok && read_edges(g, group, where, graph);
}

/* The attribute that snnsim writes; other programs have none. */
static bool read_step(const reading *g, hid_t node, double *dt) {
    if (H5Aexists(node, "dt") <= 0)
        return true;
    hid_t a = H5Aopen(node, "dt", H5P_DEFAULT), space = H5Aget_space(a), type = H5Aget_type(a);
    bool ok = a >= 0 && H5Tget_class(type) == H5T_FLOAT && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(a, H5T_NATIVE_DOUBLE, dt) >= 0 && isfinite(*dt) && *dt > 0;
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(a);
    return ok || snn_hdf5_fail(g->r, "/node", "", "attribute 'dt' is no positive number");
}

static bool read_root(reading *g, hid_t file, nir_file *f) {
    if (H5Lexists(file, "version", H5P_DEFAULT) > 0 &&
        !read_text(g, file, "", "version", f->version, sizeof f->version))
        return false;
    hid_t node = snn_hdf5_open(g->r, file, "", "node", H5I_GROUP);
    if (node < 0)
        return false;
    nir_node *root = &f->root;
    bool ok = read_text(g, node, "/node", "type", root->type, sizeof root->type) &&
              (strcmp(root->type, "NIRGraph") == 0 ||
               snn_fail(g->r->err, SNN_ERR_DATA, "%s: /node is a '%s', expected a NIRGraph", g->r->path,
                        root->type)) &&
              read_step(g, node, &f->dt) && read_fields(g, node, "/node", "", 0, root) &&
              read_graph(g, node, "/node", 0, root);
    H5Gclose(node);
    return ok;
}

typedef struct {
    const char *path;
    nir_file *file;
} job;

static bool load(void *context, snn_error *err) {
    const job *j = context;
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    snn_hdf5_enter(&guard);
    snn_hdf5_reader r = {j->path, "NIR graph", &guard, &budget, err};
    reading g = {&r, 0};
    hid_t file = snn_hdf5_open_file(&r);
    bool ok = file >= 0 && read_root(&g, file, j->file);
    if (file >= 0)
        H5Fclose(file);
    snn_hdf5_leave(&guard);
    if (!ok)
        snn_nir_file_free(j->file);
    return ok;
}

bool snn_nir_read(nir_file *f, const char *path, snn_error *err) {
    snn_error own = {0}; /* so that err may be NULL */
    job j = {path, f};
    *f = (nir_file){0};
    err = err != NULL ? err : &own;
    return snn_hdf5_vet(path, load, &j, err) && load(&j, err);
}
