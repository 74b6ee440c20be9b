/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside sim/: a NIR graph in memory, node by node as the file has it, in the types of the file, so that it can be written again with every number kept.
 *
 *   nir_read.c    HDF5 -> tree              nir_write.c   tree -> HDF5
 *   nir_walk.c    tree -> nodes in order    nir_layers.c, nir_nodes.c, nir_window.c, nir_neuron.c   nodes in order -> network and weights
 *   nir_origin.c  tree <-> the JSON that an imported model carries
 */
#ifndef SNNSIM_SIM_NIR_TREE_H
#define SNNSIM_SIM_NIR_TREE_H

#include <snnsim/import.h>

#define NIR_DIMS_MAX 8
#define NIR_NAME_MAX 200 /* bytes of a node's or field's name, without the zero */
#define NIR_NODES_MAX                                                                                        \
    4096 /* in a file, sub-graphs included; a snnsim network has 1024 layers of up to three nodes */
#define NIR_EDGES_MAX 65536
#define NIR_FIELDS_MAX 256 /* of a node */
#define NIR_DEPTH_MAX 8    /* of graphs in graphs */
#define NIR_DT 1e-4        /* s; the step of NIR's own examples */

typedef enum { NIR_TEXT, NIR_FLOAT, NIR_INT, NIR_UINT } nir_kind;

/* A data set of a node. */
typedef struct {
    char *name; /* "weight"; with its groups before it, "metadata/note" */
    nir_kind kind;
    int bytes; /* of an item in the file: 1 to 8 */
    int dims;
    uint64_t shape[NIR_DIMS_MAX];
    uint64_t count;   /* product of shape */
    char *tensor;     /* in a model's origin: the values are those of this tensor, and none are here */
    double *number;   /* [count] NIR_FLOAT */
    int64_t *integer; /* [count] NIR_INT, NIR_UINT */
    char *text;       /* NIR_TEXT, always a scalar */
} nir_field;

typedef struct {
    char *from, *to;
} nir_edge;

typedef struct nir_node {
    char *name;
    char type[24]; /* "Affine" */
    size_t fields, field_capacity, nodes, node_capacity, edges, edge_capacity;
    nir_field *field;
    struct nir_node *node; /* of a NIRGraph */
    nir_edge *edge;        /* of a NIRGraph */
} nir_node;

typedef struct {
    nir_node root; /* NIRGraph */
    char version[32];
    double dt; /* s; 0: not in the file */
} nir_file;

void snn_nir_file_free(nir_file *f);

/* New ones at the end; NULL with err set when memory is out. Pointers to earlier ones become invalid. */
nir_node *snn_nir_add_node(nir_node *graph, const char *name, const char *type, snn_error *err);
bool snn_nir_add_edge(nir_node *graph, const char *from, const char *to, snn_error *err);
/* Memory for count items is taken (zeroed), but for text. */
nir_field *snn_nir_add_field(nir_node *node, const char *name, nir_kind kind, int bytes, int dims,
                             const uint64_t *shape, snn_error *err);
bool snn_nir_add_text(nir_node *node, const char *name, const char *text, snn_error *err);
/* Product of dimensions; false when it does not fit. */
bool snn_nir_count(int dims, const uint64_t *shape, uint64_t *count);

/* Field by name, NULL when there is none. */
const nir_field *snn_nir_find(const nir_node *node, const char *name);
/* Number i as a double, whatever its type. */
double snn_nir_number(const nir_field *f, uint64_t i);

/* Reads a file. *f is overwritten, not freed; after an error it is empty. */
bool snn_nir_read(nir_file *f, const char *path, snn_error *err);
/* Writes /version and /node into an open file. False when libhdf5 failed. */
bool snn_nir_write(snn_hid file, const nir_file *f);

/* One node of a chain: Input, ..., Output, sub-graphs dissolved. */
typedef struct {
    const nir_node *node;
    const char *path;          /* "lif1/lif": names of its graphs before it */
    const nir_node *recurrent; /* the Linear or Affine that brings a neuron's spikes back; NULL: none */
    const char *recurrent_path;
} nir_stage;

typedef struct {
    int stages;
    nir_stage *stage;
    char **paths; /* owns the texts */
    int path_count;
} nir_chain;

/* The nodes in order. *c is overwritten; after an error it is empty. */
bool snn_nir_walk(nir_chain *c, const nir_file *f, const char *path, snn_error *err);
void snn_nir_chain_free(nir_chain *c);

/* Where the weights of a Conv1d or Conv2d node stand in the square, dense kernel that stands for it. */
typedef struct {
    uint32_t outputs, inputs, groups; /* channels */
    uint32_t taps[2], dilation[2];    /* y, x, in the node */
    uint32_t offset[2];               /* of the first tap */
    uint32_t kernel, stride, padding; /* of the layer */
} nir_window;

/* DATA error naming the node when snnsim has no such window. `in` is what comes in. */
bool snn_nir_window_of(nir_window *w, const nir_stage *s, snn_shape in, const char *path, snn_error *err);
/* Index into the layer's tensor of weight i of the node's. */
uint64_t snn_nir_window_index(const nir_window *w, uint64_t i);

/* One tensor and where it comes from. */
typedef struct {
    char name[SNN_NAME];
    const nir_node *node; /* NULL: an identity that snnsim has put in */
    bool exact;           /* its values are the node's, only moved */
    uint64_t count;
    float *value;
} nir_tensor;

typedef struct {
    snn_net *net;
    int tensors, capacity;
    nir_tensor *tensor;
} nir_network;

bool snn_nir_layers(nir_network *n, const nir_chain *c, double dt, const snn_import_options *o,
                    const char *path, snn_error *err);
void snn_nir_network_free(nir_network *n);

/* What a neuron node becomes, behind `n` neurons of a layer whose sums are to be multiplied by scale[n] (NULL: by 1). */
typedef struct {
    snn_neuron neuron;
    float *each[SNN_PARAMS]; /* [n] where they differ */
    uint32_t drives;         /* n, or 1: the same for all */
    double *
        drive; /* [drives] what v_leak adds to the sum (with membrane_bias: to the membrane); NULL: nothing */
} nir_neuron;
bool snn_nir_neuron_of(nir_neuron *out, const nir_stage *s, uint32_t n, const double *scale, double dt,
                       const snn_import_options *o, const char *path, snn_error *err);
void snn_nir_neuron_free(nir_neuron *n);
/* Is it a node with a state of its own (or a threshold), that ends a layer? */
bool snn_nir_is_neuron(const nir_node *node);
/* "path: node 'fc1' (Affine): what" */
bool snn_nir_fail(const nir_stage *s, const char *path, snn_error *err, const char *format, ...)
    SNN_PRINTF(4, 5);

/* JSON of the file's nodes for snn_model.origin, without the weights; *text is NULL when they cannot be kept (weights were merged; more than 2^24 numbers). */
bool snn_nir_origin_make(const nir_file *f, const nir_network *n, char **text, snn_error *err);
/* A file out of such JSON that names no tensors (for tests). */
bool snn_nir_file_from_json(nir_file *f, const char *json, size_t size, snn_error *err);
/* The file again with the model's weights; *found false when the model has no origin, or is no longer what was imported. */
bool snn_nir_origin_restore(nir_file *f, const snn_model *m, bool *found, snn_error *err);

#endif
