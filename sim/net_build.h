/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: how a network grows layer by layer. The readers (config, JSON) say what each layer is; every check of shapes and sizes is here. */
#ifndef SNNSIM_SIM_NET_BUILD_H
#define SNNSIM_SIM_NET_BUILD_H

#include <snnsim/net.h>

#define SNN_LAYERS_MAX 1024         /* layers of a network */
#define SNN_NEURONS_MAX (1u << 27)  /* neurons of a layer, lines of the input */
#define SNN_WEIGHTS_MAX 0x7fffffffu /* weights of a tensor */
#define SNN_WINDOW_MAX 1024u        /* kernel and stride, as in the key table */
#define SNN_STEPS_MAX 65535         /* time steps, as dataset.bins in the key table */

#define SNN_DELAY_MAX 255u
#define SNN_RECURRENT "_rec" /* behind the layer's name: its recurrent tensor */

/* An empty network. Errors (with the given code): an input without lines or with too many. */
snn_net *snn_net_begin(snn_shape input, int steps, double step_us, snn_code code, snn_error *err);

/* Adds a layer: name, type, kernel, stride (0: default), padding, out.channels (outputs of linear, channels of conv2d), recurrent, delay, start and neuron are read from
 * `spec`; the rest follows. `bias`: give it zeroed biases. Errors (with the given code) name the layer. */
bool snn_net_append(snn_net *net, const snn_layer *spec, bool bias, snn_code code, snn_error *err);

/* Gives the neurons of the layer added last [neurons, in C order] a parameter each. Errors (with the given code) name the layer. */
bool snn_net_param(snn_net *net, snn_param p, const float *value, snn_code code, snn_error *err);

/* Checks what can only be checked at the end (the last layer is the read-out) and sets classes. */
bool snn_net_finish(snn_net *net, snn_code code, snn_error *err);

/* Names as in the config and in JSON; false when there is no such name. */
const char *snn_layer_type_name(snn_layer_type type);
bool snn_layer_type_parse(const char *name, snn_layer_type *type);
const char *snn_neuron_type_name(snn_neuron_type type);
bool snn_neuron_type_parse(const char *name, snn_neuron_type *type);
const char *snn_reset_name(snn_reset reset);
bool snn_reset_parse(const char *name, snn_reset *reset);

/* Does this kind of layer have weights and neurons? */
bool snn_layer_is_synaptic(snn_layer_type type);
bool snn_layer_is_pool(snn_layer_type type);

/* 1..31 characters out of A-Z a-z 0-9 _ -, so that a name is a file name and an HDF5 link too. */
bool snn_name_valid(const char *name);

#endif
