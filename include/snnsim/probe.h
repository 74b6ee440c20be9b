/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fitness probe: what a frozen network answers to a few samples when some of its weights change. Everything that does not depend on the changes is computed once
 * and kept, so that an evaluation costs what the changed weights touch: sums are corrected at their synapses, later layers are computed only where spikes differ.
 * Exact: the same outputs as an engine with the changed weights, bit for bit, in both arithmetics and for any SIMD level.
 */
#ifndef SNNSIM_PROBE_H
#define SNNSIM_PROBE_H

#include <snnsim/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    snn_arithmetic arithmetic;
    snn_simd simd;        /* at most snn_simd_best() */
    const snn_hook *hook; /* NULL: exact sums; copied, but its context must outlive the probe */
    bool twin;            /* use the plain twin: rewrite the weights, run the engine */
} snn_probe_options;

typedef struct snn_probe snn_probe;
typedef struct snn_probe_workspace snn_probe_workspace;

typedef struct {
    size_t samples;
    uint32_t classes;
    double *out;        /* [classes][samples] as snn_result.out */
    int32_t *predicted; /* [samples] argmax, lowest class wins a tie */
} snn_probe_result;
bool snn_probe_result_init(snn_probe_result *r, size_t samples, uint32_t classes, snn_error *err);
void snn_probe_result_free(snn_probe_result *r);

/* sample [n]; number [n]: their numbers, for the hook (NULL: 0 .. n - 1); searched [tensors]: those that deltas may touch (NULL: all). Copies what it needs. Errors: as snn_engine_new;
 * USAGE for n = 0; DATA for samples that do not fit the network. */
snn_probe *snn_probe_new(const snn_net *net, const snn_weights *weights, const bool *searched,
                         const snn_probe_options *options, const snn_spikes *sample, const uint64_t *number,
                         size_t n, snn_error *err);
void snn_probe_free(snn_probe *p);
size_t snn_probe_samples(const snn_probe *p);
uint32_t snn_probe_classes(const snn_probe *p);
/* Which way it works: "lanes" (linear layers), "planes" (convolutions), "tail" (networks that only the engine knows, from the first searched layer on), "twin". */
const char *snn_probe_kind(const snn_probe *p);
/* One thread's buffers; the probe must outlive it. */
snn_probe_workspace *snn_probe_workspace_new(const snn_probe *p, snn_error *err);
void snn_probe_workspace_free(snn_probe_workspace *w);
/* Outputs when these weights change (n = 0: those of the base). delta [n]: ascending (tensor, index), each weight once, dq such that the new value has a code. Thread-safe with a workspace of its own each; results do not depend
 * on what the workspace did before. Errors: DATA for a delta out of order, of a tensor that is not searched, outside, or without a code; what the hook returns. */
bool snn_probe_eval(const snn_probe *p, const snn_delta *delta, size_t n, snn_probe_workspace *w,
                    snn_probe_result *r, snn_error *err);
/* Makes these changes permanent: later deltas count from there (for searches that add one bit after the other). No evaluation may be in progress; workspaces stay valid. After an
 * error the probe must not be used. */
bool snn_probe_rebase(snn_probe *p, const snn_delta *delta, size_t n, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
