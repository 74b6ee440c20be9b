/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network: immutable topology, neurons and biases. Weights live in snn_weights. Biases and thresholds are digital and never encrypted. */
#ifndef SNNSIM_NET_H
#define SNNSIM_NET_H

#include <snnsim/config.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_NAME 32 /* bytes of a name with the terminating zero */

typedef struct {
    uint32_t channels, height, width; /* neuron index in C order [channel][y][x]; a flat layer is {n, 1, 1} */
} snn_shape;

uint32_t snn_shape_size(snn_shape s);

typedef enum {
    SNN_LAYER_LINEAR,
    SNN_LAYER_CONV2D,   /* cross-correlation, as PyTorch */
    SNN_LAYER_POOL_MAX, /* of counts; of spikes it is OR */
    SNN_LAYER_POOL_SUM,
    SNN_LAYER_POOL_AVERAGE, /* sum pool whose 1/(kernel^2) is applied to the scale of the next synaptic layer (exact when it is a power of two) */
    SNN_LAYER_FLATTEN       /* no work: index order does not change */
} snn_layer_type;

typedef enum {
    SNN_NEURON_NONE, /* pooling and flatten */
    SNN_NEURON_LIF,  /* leaky integrate and fire */
    SNN_NEURON_IF,   /* LIF with decay 1 */
    SNN_NEURON_LI    /* leaky integrator, never spikes: read-out by membrane */
} snn_neuron_type;

typedef enum {
    SNN_RESET_ZERO,    /* v <- d*v*(1 - s_prev) + I */
    SNN_RESET_SUBTRACT /* v <- d*(v - theta*s_prev) + I */
} snn_reset;

/* v is the membrane after the update, before the reset; s = v > theta (or >=). Start v = s = 0. */
typedef struct {
    snn_neuron_type type;
    float decay;     /* d, 0..1 per time step */
    float threshold; /* theta > 0 */
    snn_reset reset;
    bool at_threshold; /* true: spike at v >= theta; false: v > theta (SNNGX) */
    float gain;        /* I is multiplied by it (NIR's input scaling, 1-d); 1 = off */
} snn_neuron;

typedef struct {
    char name[SNN_NAME];
    snn_layer_type type;
    snn_shape in, out;
    uint32_t kernel, stride, padding; /* conv2d and pooling */
    int tensor;                       /* index into snn_weights, -1 when the layer has none */
    float *bias; /* [out.channels], added to I every step in units of weight * input; NULL: none */
    snn_neuron neuron;
} snn_layer;

typedef struct {
    snn_shape input;
    int steps;      /* time steps it was made for; 0: any */
    double step_us; /* nominal time step, 0: unknown (bins over the recording) */
    int layers;
    snn_layer *layer; /* [layers] in order */
    int tensors;      /* layers that have weights */
    uint32_t classes; /* outputs of the last layer */
} snn_net;

/* Builds the network of section `network` for the given input. Errors: USAGE with file:line when shapes do not fit, names repeat, sizes
 * overflow (a layer is limited to 2^27 neurons, a tensor to 2^31-1 weights), the last layer has no neuron, ... */
snn_net *snn_net_from_config(const snn_config *config, snn_shape input, snn_error *err);
/* The same network from the compact JSON that models carry, and back (malloc'ed text). Errors of parsing: DATA naming `where`. */
snn_net *snn_net_from_json(const char *json, const char *where, snn_error *err);
char *snn_net_to_json(const snn_net *net, snn_error *err);
/* Same topology and neurons (names ignored)? If not, err says the first difference (code DATA). */
bool snn_net_equal(const snn_net *a, const snn_net *b, snn_error *err);
snn_net *snn_net_copy(const snn_net *net, snn_error *err);
void snn_net_free(snn_net *net);
/* Layer index by name, -1 when there is none. */
int snn_net_find(const snn_net *net, const char *name);
/* Number of weights of a layer (0 when it has none), and their shape in PyTorch's order: [out][in] or [out][in][ky][kx]. */
uint64_t snn_layer_weights(const snn_layer *layer, int *dims, uint64_t shape[4]);
/* Fan-in of one output neuron without padding effects. */
uint32_t snn_layer_fan_in(const snn_layer *layer);

#ifdef __cplusplus
}
#endif
#endif
