/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the fitness probe. In reading order: probe.c (the public face: checks, picks a way), probe_twin.c (the plain twin: rewrites weights and runs the engine), probe_tail.c (the twin from the first searched layer on), probe_lanes*.c (networks of
 * linear layers: samples are the lanes of vectors), probe_planes*.c (networks with convolutions: planes of the engine).
 */
#ifndef SNNSIM_SIM_PROBE_INTERNAL_H
#define SNNSIM_SIM_PROBE_INTERNAL_H

#include <snnsim/probe.h>

/* What a way of evaluating needs to start from; valid during `create` only, but for `p`. */
typedef struct {
    const snn_net *net;
    const snn_weights *weights;
    const snn_probe_options *options;
    const snn_spikes *sample;
    const uint64_t *number; /* never NULL */
    size_t n;
} snn_probe_setup;

/* One way of evaluating. Deltas have been checked (order, bounds, codes) by probe.c. */
typedef struct {
    const char *name;
    bool (*suits)(const snn_net *net, const snn_weights *weights, const snn_probe_options *options);
    void *(*create)(const snn_probe *p, const snn_probe_setup *setup, snn_error *err);
    void (*destroy)(void *state);
    void *(*workspace_new)(const void *state, snn_error *err);
    void (*workspace_free)(void *workspace);
    /* Fills r->out; probe.c does the argmax. */
    bool (*eval)(const void *state, const snn_delta *delta, size_t n, void *workspace, double *out,
                 snn_error *err);
    /* p->weights hold the new codes already. */
    bool (*rebase)(void *state, const snn_delta *delta, size_t n, snn_error *err);
} snn_probe_way;

extern const snn_probe_way snn_probe_twin, snn_probe_tail, snn_probe_lanes, snn_probe_planes;

typedef struct snn_code_values snn_code_values; /* probe.c */

struct snn_probe {
    const snn_probe_way *way;
    void *state;
    snn_net *net;
    snn_weights *weights;    /* of the base */
    bool *searched;          /* [tensors] */
    snn_code_values *values; /* [tensors] */
    size_t samples;
};

#endif
