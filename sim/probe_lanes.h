/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the probe for networks of linear layers. In reading order: probe_lanes.c (what it suits, making, evaluating, rebasing), probe_lanes_base.c (what is kept of the base),
 * probe_lanes_walk.c (an evaluation), probe_lanes_kernels.h (inner loops).
 *
 * Samples are lanes of vectors, LANES of them make a tile. Of every neuron the base's sums and spikes stand in a row [step][lane]. All that an evaluation does to a sum is to add terms
 * weight x row: for a changed weight, dq x the row of its input; for an input whose spikes changed, the weight x the row of the changes. Then the neuron runs through all steps of its row.
 */
#ifndef SNNSIM_SIM_PROBE_LANES_H
#define SNNSIM_SIM_PROBE_LANES_H

#include "engine_internal.h"
#include "probe_internal.h"
#include "probe_lanes_kernels.h"

/* Counts of the network's input stand in rows of bytes, by digits of so many bits: mostly one. */
#define LANES_DIGIT_BITS 7
#define LANES_DIGIT 127 /* the largest */

typedef struct {
    const snn_stage *stage;   /* parameters of the neurons, of the engine */
    lanes_float neuron;       /* what its outputs have in common */
    lanes_fixed neuron_fixed; /* above 0: by output */
    uint32_t inputs, outputs;
    int16_t *q; /* [outputs][inputs] values of the base */
    /* Sums of |q| of each output. Sums of inputs stay in the arithmetic's range where they are at most norm_limit; NULL where codes of this many bits cannot exceed it. */
    uint64_t *norm; /* [outputs] */
    uint64_t norm_limit;
} lanes_layer;

/* Counts of one input of the network: row + lanes x the digit's number, least digit first. */
typedef struct {
    const int8_t *row;
    uint16_t largest; /* number in the row of the first digit; 0: silent */
    uint16_t digits;
} lanes_input;

/* Of LANES samples, the last ones may be missing. */
typedef struct {
    size_t first; /* sample of lane 0 */
    uint32_t samples;
    int32_t *live;      /* [steps][LANES] -1 where the sample has the step */
    lanes_input *input; /* [inputs] */
    int8_t *row;        /* [digits of all inputs][lanes] */
    size_t rows;
    int32_t **sum;         /* [layers] [outputs][lanes] */
    int8_t **spike;        /* [layers] [outputs][lanes] */
    uint8_t **outside;     /* [layers] [outputs] does the membrane leave the range of fixed arithmetic? */
    size_t outside_number; /* of them */
} lanes_tile;

typedef struct {
    uint32_t output;
    size_t first, end; /* deltas */
} lanes_group;

/* What is added to the sums of one output. */
typedef struct {
    lanes_term *term; /* [n] */
    size_t n;
    size_t *cut; /* [cuts] ends of runs of terms whose sums fit 16 bits */
    size_t cuts;
    uint64_t reach; /* largest sum that the terms since the last cut can give */
    bool wide;      /* one term alone can exceed 16 bits */
} lanes_terms;

/* Inputs of a layer whose spikes differ from the base's. */
typedef struct {
    uint32_t n;
    uint32_t *neuron; /* [n] */
    int8_t *row;      /* [n][lanes] spikes minus the base's */
    int32_t *slot;    /* [neurons] where a neuron stands, -1: unchanged */
} lanes_changes;

typedef struct {
    const snn_delta *delta;
    lanes_group *group;      /* deltas by (layer, output) */
    size_t *layer_group;     /* [layers + 1] groups of each layer */
    lanes_terms terms;       /* of one output */
    lanes_changes change[2]; /* of this layer's inputs and outputs, in turns */
    int32_t *sum;            /* [lanes] of one output */
    float *membrane;         /* [lanes] */
    void *twin;              /* its workspace, NULL until it is needed */
} lanes_workspace;

typedef struct {
    const snn_probe *probe;
    snn_engine *engine; /* of the base, for its parameters */
    void *twin;         /* says what is wrong when numbers leave their range */
    const lanes_kernels *kernels;
    bool fixed, by_membrane; /* arithmetic; read-out */
    int layers, steps;
    size_t lanes; /* numbers of a row: steps x LANES, padded */
    lanes_layer *layer;
    size_t tiles;
    lanes_tile *tile;
    size_t samples;
    int *sample_steps;    /* [samples] */
    double *out;          /* [classes][samples] of the base */
    size_t over;          /* outputs of the base whose norm is beyond the limit */
    lanes_workspace *own; /* for building and rebasing */
    double synapses;      /* that a run of all samples through the engine touches */
    double weights;       /* in all layers */
} lanes_state;

/* probe_lanes_base.c: everything in `s` that depends on samples and weights. */
bool snn_lanes_base(lanes_state *s, const snn_probe_setup *setup, snn_error *err);
void snn_lanes_base_free(lanes_state *s);
/* Synapses that the engine touches in the samples of tile k, which has been built: spikes x outputs. */
double snn_lanes_synapses(const lanes_state *s, const lanes_tile *k);
/* Frees what tile k keeps for deltas in layers before `first`, when it has been built and there will be none. */
void snn_lanes_trim(const lanes_state *s, lanes_tile *k, int first);

/* probe_lanes_walk.c */
/* Most terms that an output of layer l can get in tile k. */
size_t snn_lanes_most_terms(const lanes_state *s, const lanes_tile *k, int l);
/* Finds the deltas of each output. */
void snn_lanes_group(const lanes_state *s, const snn_delta *delta, size_t n, lanes_workspace *w);
/* What one tile answers, where it differs from the base, into out [classes][samples]. Returns the neurons whose fixed membranes leave their range. */
size_t snn_lanes_walk(const lanes_state *s, const lanes_tile *k, lanes_workspace *w, double *out);
/* The same, and it becomes the base of tile k. */
void snn_lanes_commit(lanes_state *s, lanes_tile *k, lanes_workspace *w);
/* Computes the base of tile k from nothing. */
void snn_lanes_build(lanes_state *s, lanes_tile *k, lanes_workspace *w);

#endif
