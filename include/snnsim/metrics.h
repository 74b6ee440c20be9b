/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is judged by: accuracy with intervals, confusion, time to decision, activity, and NeuroBench's figures. */
#ifndef SNNSIM_METRICS_H
#define SNNSIM_METRICS_H

#include <snnsim/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double value, low, high;
} snn_interval;

/* Share of `hits` in n with the 95 % Wilson score interval (Wilson, JASA 1927); n = 0 gives {0, 0, 1}. */
snn_interval snn_wilson(uint64_t hits, uint64_t n);

typedef struct {
    int classes, layers, steps;
    uint64_t samples, correct;
    uint64_t *confusion;          /* [classes][classes] row = label, column = predicted */
    uint64_t *correct_by_step;    /* [steps] */
    snn_layer_activity *activity; /* [layers] sums over samples */
} snn_metrics;

snn_metrics *snn_metrics_new(int classes, int layers, int steps, snn_error *err);
void snn_metrics_free(snn_metrics *m);
void snn_metrics_add(snn_metrics *m, const snn_result *r, int label);
/* to += from: for per-thread accumulation (sums of integers, so order does not matter). */
void snn_metrics_merge(snn_metrics *to, const snn_metrics *from);
snn_interval snn_metrics_accuracy(const snn_metrics *m);
/* Mean over classes that occur of the recall of each. Its 95 % interval is put together from the Wilson intervals of the recalls by the MOVER method (Zou & Donner,
 * Statistics in Medicine 2008, doi:10.1002/sim.3095), which does not collapse when a recall is 0 or 1. */
snn_interval snn_metrics_balanced(const snn_metrics *m);

/* NeuroBench (Yik et al., Nature Communications 2025, doi:10.1038/s41467-025-56739-4; definitions of its code, see docs/metrics.md). Per sample where it applies. */
typedef struct {
    uint64_t
        footprint_bytes; /* weights at their bit width (rounded up per tensor), scales, biases, membranes */
    double connection_sparsity; /* zero weights / weights */
    double activation_sparsity; /* 1 - spikes / (neurons x steps), over spiking layers */
    double effective_macs, effective_acs, dense_operations, membrane_updates; /* per sample */
    double effective_macs_step, effective_acs_step, dense_step;               /* per sample and time step */
} snn_neurobench;
/* Synaptic operations of one time step with every input and weight nonzero, padding excluded (NeuroBench's "Dense"); 0 for layers without weights. */
double snn_layer_dense_operations(const snn_layer *layer);
/* Weights whose value is 0. */
uint64_t snn_tensor_zeros(const snn_tensor *tensor);
void snn_metrics_neurobench(const snn_metrics *m, const snn_net *net, const snn_weights *w,
                            snn_neurobench *out);

#ifdef __cplusplus
}
#endif
#endif
