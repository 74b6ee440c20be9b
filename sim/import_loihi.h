/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside sim/: what the importers of Loihi networks (SLAYER's text weights, .net files) share: neurons in the chip's integers, and a network that grows together with
 * its weights, which are whole numbers with scale 1.
 */
#ifndef SNNSIM_SIM_IMPORT_LOIHI_H
#define SNNSIM_SIM_IMPORT_LOIHI_H

#include "net_build.h"

#include <snnsim/model.h>

/* Loihi's neuron as its tools write it down. */
typedef struct {
    int64_t i_decay, v_decay; /* 0..4096: what current and membrane lose each step, in 1/4096 */
    int64_t v_threshold;      /* vThMant: threshold in units of a weight; the chip's is 64 times that */
    int64_t refractory;       /* refDelay: 1 is none */
    int64_t weight_exponent;  /* wgtExp: weights count 2^it-fold */
} snn_loihi_neuron;

/* Into our neuron. Errors: DATA naming `where` and the parameter that is out of range or that we cannot carry over. */
bool snn_loihi_to_neuron(const snn_loihi_neuron *from, const char *where, snn_neuron *to, snn_error *err);

/* A network with one list of values for each of its tensors. */
typedef struct {
    snn_net *net;
    int32_t **value; /* [net->tensors] */
    size_t capacity;
} snn_loihi_net;

bool snn_loihi_begin(snn_loihi_net *n, snn_shape input, int64_t steps, double step_us, snn_error *err);
/* Adds a layer with neurons, as snn_net_append does (errors DATA). value [weights of the layer], recurrent [neurons * neurons] or NULL: both are taken over, also after an
 * error. */
bool snn_loihi_append(snn_loihi_net *n, const snn_layer *spec, int32_t *value, int32_t *recurrent, bool bias,
                      snn_error *err);
/* Window kernels [channels][channels][window][window] of a pool that has a neuron behind each output: tap [window * window] for a channel's own input, 0 for the others.
 * NULL with err set. */
int32_t *snn_loihi_pool(uint32_t channels, uint32_t window, const int32_t *tap, snn_error *err);
/* The finished model: codes of 9 bits, two's complement, where all weights fit (Loihi's do: -256..254), else of 16. `record` goes into the model (copied). Errors: DATA. */
bool snn_loihi_finish(snn_loihi_net *n, const char *record, snn_model *m, snn_error *err);
void snn_loihi_free(snn_loihi_net *n);

#endif
