/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of a NIR graph's nodes. snnsim's networks are chains of layers, some with connections back to themselves, so the graph must be one path from its Input to
 * its Output, with loops neuron -> Linear or Affine -> the same neuron (lava's, snnTorch's and Norse's recurrent layers), flat or in a sub-graph. Sub-graphs dissolve: their Input
 * and Output nodes are passed through.
 */
#include "nir_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node of the flat graph. */
typedef struct {
    const nir_node *node;
    char *path;
    bool inner; /* Input or Output of a sub-graph */
    bool visited;
    int from, to; /* first edge that comes in, goes out, -1: none */
} flat_node;

typedef struct {
    int from, to;           /* flat nodes */
    int next_from, next_to; /* next edge with the same end */
} flat_edge;

typedef struct {
    flat_node *node;
    size_t nodes, node_capacity;
    flat_edge *edge;
    size_t edges, edge_capacity;
    const char *file;
    snn_error *err;
} flat_graph;

static bool is_type(const nir_node *n, const char *type) {
    return strcmp(n->type, type) == 0;
}

static bool is_linear(const nir_node *n) {
    return is_type(n, "Linear") || is_type(n, "Affine");
}

/* ---- making it flat ---- */

/* Paths as a prefix and a name: "", then "lif1/" before the nodes of graph lif1. */
static bool add_nodes(flat_graph *g, const nir_node *graph, const char *prefix) {
    for (size_t i = 0; i < graph->nodes; i++) {
        const nir_node *n = &graph->node[i];
        char *path = NULL;
        void *array = g->node;
        if (asprintf(&path, "%s%s%s", prefix, n->name, is_type(n, "NIRGraph") ? "/" : "") < 0)
            return snn_fail(g->err, SNN_ERR_RUNTIME, "out of memory");
        if (is_type(n, "NIRGraph")) {
            bool ok = add_nodes(g, n, path);
            free(path);
            if (!ok)
                return false;
            continue;
        }
        if (!snn_grow(&array, &g->node_capacity, g->nodes + 1, sizeof *g->node, g->err)) {
            free(path);
            return false;
        }
        g->node = array;
        g->node[g->nodes++] =
            (flat_node){n, path, *prefix && (is_type(n, "Input") || is_type(n, "Output")), false, -1, -1};
    }
    return true;
}

static int find_path(const flat_graph *g, const nir_node *n) {
    for (size_t i = 0; i < g->nodes; i++)
        if (g->node[i].node == n)
            return (int)i;
    return -1;
}

/* The flat node at which an edge to (or from) `name` ends: the node itself, or the Input (or Output) of the graph of that name. -1 with err set. */
static int edge_end(flat_graph *g, const nir_node *graph, const char *prefix, const char *name, bool to) {
    const nir_node *n = NULL;
    for (size_t i = 0; i < graph->nodes && n == NULL; i++)
        if (strcmp(graph->node[i].name, name) == 0)
            n = &graph->node[i];
    if (n == NULL) {
        snn_fail(g->err, SNN_ERR_DATA, "%s: an edge names '%s%s', which is no node of the graph", g->file,
                 prefix, name);
        return -1;
    }
    const char *type = to ? "Input" : "Output";
    while (is_type(n, "NIRGraph")) {
        const nir_node *end = NULL;
        int ends = 0;
        for (size_t i = 0; i < n->nodes; i++)
            if (is_type(&n->node[i], type)) {
                end = &n->node[i];
                ends++;
            }
        if (ends != 1) {
            snn_fail(g->err, SNN_ERR_DATA, "%s: node '%s%s' (NIRGraph): has %d %s nodes, expected one",
                     g->file, prefix, name, ends, type);
            return -1;
        }
        n = end;
    }
    return find_path(g, n);
}

static bool has_edge(const flat_graph *g, int from, int to) {
    for (int e = g->node[from].to; e >= 0; e = g->edge[e].next_from)
        if (g->edge[e].to == to)
            return true;
    return false;
}

static bool add_edge(flat_graph *g, int from, int to) {
    void *array = g->edge;
    if (has_edge(g, from, to)) /* snnTorch has written some twice */
        return true;
    if (!snn_grow(&array, &g->edge_capacity, g->edges + 1, sizeof *g->edge, g->err))
        return false;
    g->edge = array;
    g->edge[g->edges] = (flat_edge){from, to, g->node[from].to, g->node[to].from};
    g->node[from].to = g->node[to].from = (int)g->edges++;
    return true;
}

static bool add_edges(flat_graph *g, const nir_node *graph, const char *prefix) {
    for (size_t i = 0; i < graph->edges; i++) {
        int from = edge_end(g, graph, prefix, graph->edge[i].from, false);
        int to = from >= 0 ? edge_end(g, graph, prefix, graph->edge[i].to, true) : -1;
        if (to < 0 || !add_edge(g, from, to))
            return false;
    }
    for (size_t i = 0; i < graph->nodes; i++) {
        char *below = NULL;
        if (!is_type(&graph->node[i], "NIRGraph"))
            continue;
        if (asprintf(&below, "%s%s/", prefix, graph->node[i].name) < 0)
            return snn_fail(g->err, SNN_ERR_RUNTIME, "out of memory");
        bool ok = add_edges(g, &graph->node[i], below);
        free(below);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- walking ---- */

static bool fail_at(flat_graph *g, int at, const char *what, const char *more) {
    return snn_fail(g->err, SNN_ERR_DATA, "%s: node '%s' (%s): %s%s", g->file, g->node[at].path,
                    g->node[at].node->type, what, more);
}

static int count_from(const flat_graph *g, int at) {
    int n = 0;
    for (int e = g->node[at].from; e >= 0; e = g->edge[e].next_to)
        n++;
    return n;
}

/* Follows a branch that leaves a neuron: does it come back to it over one Linear or Affine? Then *linear is that one. -1: it does not; -2 with err set. */
static int follow_back(flat_graph *g, int neuron, int at, int *linear) {
    *linear = -1;
    for (size_t steps = 0; at != neuron && steps <= g->nodes; steps++) {
        const flat_node *n = &g->node[at];
        const bool weights = is_linear(n->node);
        if ((!weights && !n->inner) || n->to < 0 || g->edge[n->to].next_from >= 0 ||
            (weights && *linear >= 0))
            return -1;
        if (weights)
            *linear = at;
        at = g->edge[n->to].to;
    }
    if (at != neuron)
        return -1;
    if (*linear >= 0)
        return *linear;
    fail_at(g, neuron, "its spikes come back without weights: expected a Linear or Affine on the way", "");
    return -2;
}

/* Marks the nodes from `at` back to the neuron. */
static void mark_back(flat_graph *g, int neuron, int at) {
    for (; at != neuron; at = g->edge[g->node[at].to].to)
        g->node[at].visited = true;
}

/* The node behind `at`; its recurrent loop, if it has one, goes to *linear. -1 with err set. */
static int next_node(flat_graph *g, int at, int *linear) {
    int next = -1, back;
    *linear = -1;
    for (int e = g->node[at].to; e >= 0; e = g->edge[e].next_from) {
        int to = g->edge[e].to,
            found = snn_nir_is_neuron(g->node[at].node) ? follow_back(g, at, to, &back) : -1;
        if (found == -2)
            return -1;
        if (found >= 0 && *linear >= 0) {
            fail_at(g, at, "has two recurrent connections, expected at most one", "");
            return -1;
        }
        if (found >= 0) {
            *linear = found;
            mark_back(g, at, to);
        } else if (next >= 0) {
            fail_at(g, at, "goes to two nodes; snnsim's networks are chains of layers, without branches, ",
                    "recurrent only by neuron -> Linear or Affine -> the same neuron");
            return -1;
        } else {
            next = to;
        }
    }
    const int expected = is_type(g->node[at].node, "Input") && !g->node[at].inner ? 0 : *linear >= 0 ? 2 : 1;
    if (count_from(g, at) != expected) {
        fail_at(g, at, "takes the sum of two nodes; snnsim's networks are chains of layers, ",
                "recurrent only by neuron -> Linear or Affine -> the same neuron");
        return -1;
    }
    if (next < 0)
        fail_at(g, at, "leads nowhere: expected a path from the Input to the Output", "");
    return next;
}

static bool append(nir_chain *c, flat_graph *g, int at, int linear) {
    nir_stage *s = &c->stage[c->stages++];
    *s = (nir_stage){g->node[at].node, g->node[at].path, NULL, NULL};
    if (linear >= 0) {
        s->recurrent = g->node[linear].node;
        s->recurrent_path = g->node[linear].path;
    }
    return true;
}

/* The one Input or Output of the whole graph; -1 with err set. */
static int graph_end(flat_graph *g, const char *type) {
    int found = -1, n = 0;
    for (size_t i = 0; i < g->nodes; i++)
        if (!g->node[i].inner && is_type(g->node[i].node, type)) {
            found = (int)i;
            n++;
        }
    if (n == 1)
        return found;
    snn_fail(g->err, SNN_ERR_DATA, "%s: the graph has %d %s nodes, expected one", g->file, n, type);
    return -1;
}

static bool walk(nir_chain *c, flat_graph *g) {
    int at = graph_end(g, "Input"), end = at >= 0 ? graph_end(g, "Output") : -1, linear;
    if (end < 0)
        return false;
    for (size_t steps = 0; at != end; steps++) {
        if (steps > g->nodes || g->node[at].visited)
            return fail_at(g, at, "is reached twice: the path from the Input runs in a circle", "");
        g->node[at].visited = true;
        int next = next_node(g, at, &linear);
        if (next < 0)
            return false;
        if (!g->node[at].inner)
            append(c, g, at, linear);
        at = next;
    }
    g->node[end].visited = true;
    append(c, g, end, -1);
    for (size_t i = 0; i < g->nodes; i++)
        if (!g->node[i].visited)
            return fail_at(g, (int)i, "is not on the path from the Input to the Output", "");
    if (count_from(g, end) != 1)
        return fail_at(g, end, "takes the sum of two nodes", "");
    return true;
}

void snn_nir_chain_free(nir_chain *c) {
    for (int i = 0; c->paths != NULL && i < c->path_count; i++)
        free(c->paths[i]);
    free(c->paths);
    free(c->stage);
    *c = (nir_chain){0};
}

bool snn_nir_walk(nir_chain *c, const nir_file *f, const char *path, snn_error *err) {
    flat_graph g = {.file = path, .err = err};
    *c = (nir_chain){0};
    bool ok = add_nodes(&g, &f->root, "") && add_edges(&g, &f->root, "") &&
              (c->stage = snn_alloc(g.nodes, sizeof *c->stage, "nodes", err)) != NULL &&
              (c->paths = snn_alloc(g.nodes, sizeof *c->paths, "nodes", err)) != NULL && walk(c, &g);
    for (size_t i = 0; i < g.nodes; i++)
        if (c->paths != NULL)
            c->paths[c->path_count++] = g.node[i].path;
        else
            free(g.node[i].path);
    free(g.node);
    free(g.edge);
    if (!ok)
        snn_nir_chain_free(c);
    return ok;
}
