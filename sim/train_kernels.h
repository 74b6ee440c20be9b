/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of training, one set per instruction set. All work on independent lanes with one rounding per operation, so that every set gives the
 * same bits; train_kernels_body.h and train_kernels_lanes.h have the code, compiled once in each of train_kernels_plain.c, _avx2.c and _avx512.c.
 */
#ifndef SNNSIM_SIM_TRAIN_KERNELS_H
#define SNNSIM_SIM_TRAIN_KERNELS_H

#include <snnsim/cpu.h>
#include <snnsim/net.h>
#include <snnsim/train.h>

/* Nonzero entries of an array [T][y][x][channel], row by row. */
typedef struct {
    int steps;
    size_t rows; /* pixels of a step */
    uint32_t *
        first; /* [T][rows + 1]: entries of pixel r of step t are first[t*(rows+1)+r] .. first[t*(rows+1)+r+1]-1 */
    uint32_t *col; /* position in the line of pixels: x * channels + channel */
    float *value;
    size_t n; /* entries filled */
} train_csr;

/* A correlation of one grid of pixels with a square kernel. */
typedef struct {
    int steps, height, width, channels, kernel, stride, padding, out_height, out_width;
} train_geometry;

/* Parameters of every lane, [pixels][pitch] each; padding lanes hold zeros, and a threshold of 1. */
typedef struct {
    float *decay, *threshold, *above;
    float *scale, *bias_scale; /* of the sum and of the bias: together the input */
    float *into;               /* of the input on its way into the current; alif: into the membrane */
    float *gain;               /* of the current on its way into the membrane */
    float *current_decay;      /* 0: the current forgets at once, as lif has it */
    float *adapt_decay;        /* alif */
} train_lanes;

typedef struct {
    snn_neuron_type type;
    snn_reset reset;
    float decay, threshold;
    float above; /* s = v > above: the threshold, or the float just below it for v >= threshold */
    snn_surrogate surrogate;
    float width;  /* of the surrogate */
    float factor; /* of the synaptic sums (average pools) */
    float gain;   /* of the current */
    bool membrane_bias;
    float adapt;
    bool by_lanes; /* has more state than a membrane, or parameters of each neuron: train_lanes.c */
    train_lanes lanes;
} train_neuron;

/* One time step of such neurons. All arrays are [pixels][pitch] unless noted. */
typedef struct {
    size_t pixels, pitch;
    bool first;          /* nothing was before */
    const float *bias;   /* [pitch] */
    const float *before; /* membranes of the step before; zeros at first */
    float *v;            /* sums in, membranes out; backward: membranes in, gradient of the sums out */
    float *s;            /* forward: spikes out (li: membranes) */
    float *state;        /* forward: the current, or alif's adaptation */
    float *last;         /* forward, alif: spikes of the step before in, of this one out */
    float *barrier;      /* alif: threshold, forward out, backward in */
    const float *barrier_before,
        *barrier_next; /* backward, alif: of the steps around (of this one at an end) */
    const float *ds;   /* backward: gradient of the spikes */
    float *carry,
        *carry_state; /* backward: gradients of the next step's membrane and state in, of this step's out */
    float *bias_sum;  /* backward: += gradient of the bias where it is no part of the current */
} train_lanes_step;

typedef struct {
    float beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    float step;                       /* learning rate / (1 - beta1^t) */
    float root;                       /* 1 / sqrt(1 - beta2^t) */
    float epsilon, keep;              /* keep = 1 - rate * weight decay */
    float scale;                      /* of the gradient (clipping) */
} train_adam_step;

typedef struct {
    /* out[t][oy][ox][lane] = sum of x entries * w rows; w [kernel][kernel * channels][width], out rows `pitch` floats apart. */
    void (*gather)(const train_geometry *g, const train_csr *x, const float *w, uint32_t width, float *out,
                   size_t pitch);
    /* dw [kernel * channels][width] += x entries of kernel row ky * delta rows. active [T][pixels], `active_pitch` apart: skip rows that are zero. */
    void (*scatter)(const train_geometry *g, const train_csr *x, int ky, const float *delta, size_t pitch,
                    const uint8_t *active, size_t active_pitch, float *dw, uint32_t width);
    /* v: currents in, membranes out, n lanes. */
    void (*neuron_forward)(const train_neuron *p, size_t n, const float *before, float *v, float *s);
    /* See snn_train_neuron_backward; not for the smooth surrogate. */
    void (*neuron_backward)(const train_neuron *p, size_t n, const float *ds, float *carry, float *v);
    /* lif, if, li, cuba by lanes, and alif (see train_lanes.c); not for the smooth surrogate. */
    void (*current_forward)(const train_neuron *p, const train_lanes_step *a);
    void (*current_backward)(const train_neuron *p, const train_lanes_step *a);
    void (*adaptive_forward)(const train_neuron *p, const train_lanes_step *a);
    void (*adaptive_backward)(const train_neuron *p, const train_lanes_step *a);
    /* Running maximum of n lanes: where x > best, best = x and arg = number. */
    void (*maximum)(size_t n, const float *x, float *best, uint32_t *arg, uint32_t number);
    /* dx += dy where arg == number. */
    void (*route)(size_t n, const float *dy, const uint32_t *arg, uint32_t number, float *dx);
    /* to += from. */
    void (*add)(size_t n, const float *from, float *to);
    /* Appends the nonzero ones of n values as columns first, first+1, ...; col and value need room for n more. Returns how many. */
    size_t (*compress)(size_t n, const float *x, uint32_t first, uint32_t *col, float *value);
    /* Is any of n values nonzero? n is a multiple of TRAIN_ALIGN. */
    bool (*any)(size_t n, const float *x);
    /* Returns false when a new parameter is not finite. */
    bool (*adam)(const train_adam_step *a, size_t n, float *w, float *m, float *v, const float *g);
    /* y[i] = scale[i] * clamp(round(x[i] / scale[i])) with the quotient in double, as snn_weights_quantise; to nearest even, or truncated. */
    void (*round_to)(size_t n, const float *x, const float *scale, float limit, bool truncate, float *y);
    const char *name;
} train_kernels;

extern const train_kernels snn_train_kernels_plain;
#if defined(__x86_64__)
extern const train_kernels snn_train_kernels_avx2, snn_train_kernels_avx512;
#endif
const train_kernels *snn_train_kernels_for(snn_simd level);

#endif
