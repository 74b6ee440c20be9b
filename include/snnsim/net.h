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
    SNN_NEURON_LI,   /* leaky integrator, never spikes: read-out by membrane */
    SNN_NEURON_CUBA, /* LIF whose input passes through a leaky synaptic current (Loihi; NIR's CubaLIF) */
    SNN_NEURON_ALIF /* LIF whose threshold grows with each spike and decays (Yin, Corradi, Bohte 2021; SpikingDSE) */
} snn_neuron_type;

typedef enum {
    SNN_RESET_ZERO,    /* v <- d*v*(1 - s_prev) + I */
    SNN_RESET_SUBTRACT /* v <- d*(v - theta*s_prev) + I */
} snn_reset;

/*
 * I: synaptic sum of the step (feed-forward and recurrent) plus bias; s: spikes of the step before. v is the membrane after the update, before the reset.
 *   lif   v <- d*v*(1 - s) + gain*I                        (or d*(v - theta*s) + gain*I: reset by subtraction);  spike: v > theta (or >=)
 *   cuba  u <- current_decay*u + current_gain*I;  v <- d*v*(1 - s) + gain*u  (or subtraction). membrane_bias: the bias is no part of I but added to u's share of v (Loihi).
 *         In fixed arithmetic, with gains 1: u <- trunc(u*current_decay) + 64*I, v <- trunc(v*d) + u, which is Loihi's neuron with decays (4096 - its decay)/4096.
 *   alif  a <- adapt_decay*a + (1 - adapt_decay)*s;  B = theta + adapt*a;  v <- d*v + gain*I - B*s;  spike: v - B + bias > 0, where the bias is no part of I. Float only.
 * All states start at 0, but a at theta. refractory: for so many steps after a spike the membrane stays at 0.
 */
typedef struct {
    snn_neuron_type type;
    float decay;     /* d, 0..1 per time step */
    float threshold; /* theta > 0 */
    snn_reset reset;
    bool at_threshold;   /* true: spike at v >= theta; false: v > theta (SNNGX) */
    float gain;          /* I is multiplied by it (NIR's input scaling, 1-d); 1 = off */
    float current_decay; /* cuba: 0..1 per time step; 0: the current has no memory */
    float current_gain;  /* cuba: of the sum on its way into the current (NIR: w_in * dt / tau_syn) */
    bool membrane_bias;  /* cuba */
    float adapt_decay;   /* alif: 0..1 per time step */
    float adapt;         /* alif: threshold per unit of a, >= 0 */
    uint32_t refractory; /* lif, if, cuba: steps, 0 = off */
} snn_neuron;

/* Parameters that neurons of one layer may have each for itself. */
typedef enum {
    SNN_PARAM_DECAY,
    SNN_PARAM_THRESHOLD,
    SNN_PARAM_GAIN,
    SNN_PARAM_CURRENT_DECAY,
    SNN_PARAM_CURRENT_GAIN,
    SNN_PARAM_ADAPT_DECAY,
    SNN_PARAMS
} snn_param;
const char *snn_param_name(snn_param p); /* "decay", as in configs and JSON */

typedef struct {
    char name[SNN_NAME];
    snn_layer_type type;
    snn_shape in, out;
    uint32_t kernel, stride, padding; /* conv2d and pooling */
    int tensor;                       /* index into snn_weights, -1 when the layer has none */
    /* Spikes of this layer's own neurons come back one step later through a tensor [neurons][neurons] named `<layer>_rec`, the one behind the layer's own. Linear layers only. */
    bool recurrent;
    uint32_t
        delay; /* steps until its spikes reach the next layer, or are counted (last layer); 0: the same step. Recurrent connections always take one step */
    uint32_t start; /* first step in which the layer does anything; before it inputs are lost (SLAYER: 1) */
    float *bias;    /* [out.channels], added to I every step in units of weight * input; NULL: none */
    snn_neuron neuron;
    float *each[SNN_PARAMS]; /* [neurons] in C order, instead of the neuron's scalar; NULL: the scalar */
} snn_layer;

typedef enum {
    SNN_READOUT_SUM, /* spikes, or the membrane of li neurons, summed over all steps */
    SNN_READOUT_SOFTMAX /* li: softmax of the membranes over the classes, summed over all steps from the layer's start on */
} snn_readout_sum;

typedef struct {
    snn_shape input;
    int steps;      /* time steps it was made for; 0: any */
    double step_us; /* nominal time step, 0: unknown (bins over the recording) */
    int layers;
    snn_layer *layer; /* [layers] in order */
    int tensors;      /* layers that have weights, and recurrent ones once more */
    uint32_t classes; /* outputs of the last layer */
    snn_readout_sum readout;
    bool fixed; /* made for the fixed arithmetic (Loihi): what `run` takes unless it is told otherwise */
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
/* Number of feed-forward weights of a layer (0 when it has none), and their shape in PyTorch's order: [out][in] or [out][in][ky][kx]. */
uint64_t snn_layer_weights(const snn_layer *layer, int *dims, uint64_t shape[4]);
/* The same for tensor number `tensor` (0..tensors-1) of a network, recurrent ones included. */
uint64_t snn_net_tensor_weights(const snn_net *net, int tensor, int *dims, uint64_t shape[4]);
/* The layer that a tensor belongs to; *recurrent (may be NULL): is it the recurrent one? */
const snn_layer *snn_net_tensor_layer(const snn_net *net, int tensor, bool *recurrent);
/* Tensor by its name, -1 when there is none. */
int snn_net_find_tensor(const snn_net *net, const char *name);
/* The layer as one of its tensors sees it: the recurrent one joins the layer's neurons to themselves, linearly. Pointers are the network's. */
snn_layer snn_net_tensor_view(const snn_net *net, int tensor);
/* Name of a tensor: its layer's, with "_rec" behind it for the recurrent one. */
const char *snn_net_tensor_name(const snn_net *net, int tensor, char name[SNN_NAME]);
/* Index of the recurrent tensor of a layer, -1 when it has none. */
static inline int snn_layer_recurrent_tensor(const snn_layer *layer) {
    return layer->recurrent ? layer->tensor + 1 : -1;
}
/* Parameter p of neuron j (C order). */
float snn_layer_param(const snn_layer *layer, snn_param p, uint32_t j);
/* Are all neurons lif, if or li with one set of parameters for each layer, without refractory time, no layer recurrent, delayed or started later, and outputs
 * read out by their sum? */
bool snn_net_plain(const snn_net *net);
/* Feed-forward fan-in of one output neuron without padding effects. */
uint32_t snn_layer_fan_in(const snn_layer *layer);

#ifdef __cplusplus
}
#endif
#endif
