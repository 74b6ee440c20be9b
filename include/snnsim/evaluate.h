/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs an engine over a data set: samples are read, framed and simulated by several threads, a chunk at a time, and their results are handed out in the order
 * of the data set, so that files, digests and figures do not depend on the number of threads. Memory does not grow with the number of samples.
 */
#ifndef SNNSIM_EVALUATE_H
#define SNNSIM_EVALUATE_H

#include <signal.h>
#include <snnsim/dataset.h>
#include <snnsim/digest.h>
#include <snnsim/engine.h>
#include <snnsim/metrics.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int threads;       /* >= 1 */
    size_t limit;      /* use the first n samples; 0: all */
    const bool *trace; /* [layers] layers to hand to hooks->trace; NULL: none */
} snn_evaluate_options;

/* All may be NULL. `sample` and `trace` are called by one thread at a time, in the order of the samples; for one sample `trace` comes first,
 * once per traced layer. Returning false (with err set) stops the run. */
typedef struct {
    void *context;
    bool (*sample)(void *context, size_t i, int label, const snn_result *r, snn_error *err);
    /* spikes [steps][neurons], membrane [steps][neurons] float32 or int32 (NULL for layers without neurons), as snn_trace. */
    bool (*trace)(void *context, size_t i, int layer, const uint8_t *spikes, const void *membrane,
                  snn_error *err);
    void (*progress)(void *context, uint64_t done, uint64_t total); /* from any thread */
    const volatile sig_atomic_t *stop;                              /* nonzero: stop soon, INTERRUPTED */
} snn_evaluate_hooks;

typedef struct {
    snn_metrics *metrics;
    size_t samples;
    uint64_t empty_samples; /* without a single input */
    uint64_t events, events_dropped, events_out_of_order;
    /* Wall time; read, frame and simulate are means over the threads, other is the rest: wall = read + frame + simulate + other. */
    double wall_seconds, read_seconds, frame_seconds, simulate_seconds, other_seconds;
    /* BLAKE2b-256 over (sample, step, neuron) of each output spike as little-endian uint32, ascending; without spikes over the outputs (docs/metrics.md). */
    char digest[SNN_DIGEST_HEX];
} snn_evaluation;

/* Does a data set fit a network (input shape, or just its size where the first layer is linear or flattens; number of classes)? DATA error. */
bool snn_evaluate_fits(const snn_net *net, const snn_dataset_info *info, snn_error *err);
/* Adds the output spikes of sample i to a digest, or its outputs when it has none (membranes), as snn_evaluation.digest has them. */
void snn_evaluate_digest(snn_digest *d, size_t i, const snn_result *r);

/* Runs the samples of `data` through `engine`, which was built from `net`. Errors: DATA when the data set does not fit the network (input shape, classes), what
 * readers, engine and hooks return; INTERRUPTED. Of several failing samples the first one is reported. */
bool snn_evaluate(const snn_engine *engine, const snn_net *net, const snn_dataset *data,
                  const snn_evaluate_options *options, const snn_evaluate_hooks *hooks, snn_evaluation *out,
                  snn_error *err);
void snn_evaluation_free(snn_evaluation *e);

#ifdef __cplusplus
}
#endif
#endif
