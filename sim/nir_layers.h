/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: a network that grows while a NIR graph's nodes are taken in order; nir_layers.c ends layers with their neurons, nir_nodes.c takes what stands between. */
#ifndef SNNSIM_SIM_NIR_LAYERS_H
#define SNNSIM_SIM_NIR_LAYERS_H

#include "nir_tree.h"

#include <string.h>

typedef struct {
    nir_network *n;
    const nir_chain *chain;
    const snn_import_options *options;
    double dt;
    const char *path;
    snn_error *err;
    snn_shape shape;      /* at this point of the chain */
    const nir_stage *map; /* the linear map that waits for its neurons; NULL: none */
    nir_window window;    /* of map, if it is a convolution */
    double *before;       /* [inputs] Scale before the map; NULL: none */
    double *behind;       /* [outputs] Scale behind it; NULL: none */
    bool spikes;          /* what comes is 0 or 1 */
    int last;             /* layer whose spikes come here, -1: the input */
} nir_builder;

static inline bool nir_is_type(const nir_stage *s, const char *type) {
    return strcmp(s->node->type, type) == 0;
}

static inline bool nir_is_convolution(const nir_stage *s) {
    return nir_is_type(s, "Conv1d") || nir_is_type(s, "Conv2d");
}

/* A layer's name from a node's: other characters become '_', and numbers make it differ from earlier ones. */
void snn_nir_layer_name(const nir_builder *b, const char *path, char name[SNN_NAME]);
/* The weights of a Linear or Affine: [outputs][inputs]; NULL with the error set. */
const nir_field *snn_nir_matrix(const nir_builder *b, const nir_stage *s);
/* Shape of what the map yields, and the layer's windows; s: the neurons, NULL: none. */
bool snn_nir_plan_layer(nir_builder *b, const nir_stage *s, snn_layer *spec, snn_shape *out);
/* Ends a layer with neurons s; NULL: the sum itself is the output. */
bool snn_nir_end_layer(nir_builder *b, const nir_stage *s);

/* Node i of the chain; *taken: how many nodes that was. */
bool snn_nir_take_node(nir_builder *b, int i, int *taken);
/* Integers of a shape into 1 to 3 dimensions, ones before that left out. */
bool snn_nir_read_shape(const nir_builder *b, const nir_stage *s, const char *name, snn_shape *shape);

#endif
