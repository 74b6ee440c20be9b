/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neurons of a stage: one time step forward, one backward.
 *
 *   I = (factor gain) sum + gain bias
 *   reset to zero:     v[t] = d v[t-1] (1 - s[t-1]) + I[t]
 *   reset by theta:    v[t] = d (v[t-1] - theta s[t-1]) + I[t]
 *   li:                v[t] = d v[t-1] + I[t]
 *   s[t] = v[t] > theta (or >=)
 *
 * Backward, as automatic differentiation does it (nothing is detached; h is the surrogate's slope at v - theta):
 *   reset to zero:     ds[t] += -d v[t] dv[t+1];     dv[t] = ds[t] h + d (1 - s[t]) dv[t+1]
 *   reset by theta:    ds[t] += -d theta dv[t+1];    dv[t] = ds[t] h + d dv[t+1]
 *   dI = dv, dsum = factor gain dv, dbias = gain dv
 *
 * Surrogates, all with area 1 and height 1/width at the threshold, x = (v - theta) / width:
 *   rectangle 1/width where |x| < 1/2 (SNNGX);  triangle (1 - |x|) / width;  arctan 1 / (width (1 + (pi x)^2)) (Fang et al., ICCV 2021);
 *   smooth: s = 1 / (1 + exp(-4 x)) is the spike as well, so that finite differences can be taken.
 */
#include "train_internal.h"

#include <snnsim/portable_math.h>

static float sigmoid(const train_neuron *n, float v) {
    return (float)(1 / (1 + snn_exp(-4 * ((double)v - (double)n->threshold) / (double)n->width)));
}

/* v [lanes]: sums in, currents out; rounded as the engine does. */
static void currents(const train_stage *st, const float *bias, size_t lanes, float *v) {
    float gain = st->neuron.gain, scale = st->neuron.factor * gain;
    if (scale != 1)
        for (size_t i = 0; i < lanes; i++)
            v[i] *= scale;
    for (size_t i = 0; bias != NULL && i < lanes; i += st->out_pitch)
        for (uint32_t c = 0; c < st->out_pitch; c++)
            v[i + c] += bias[c] * gain;
}

static void smooth_forward(const train_neuron *n, size_t lanes, const float *before, float *v, float *s) {
    for (size_t i = 0; i < lanes; i++) {
        float kept = 0;
        if (before != NULL) {
            float spike = sigmoid(n, before[i]);
            kept = n->reset == SNN_RESET_ZERO ? n->decay * before[i] * (1 - spike)
                                              : n->decay * (before[i] - n->threshold * spike);
        }
        v[i] = kept + v[i];
        s[i] = sigmoid(n, v[i]);
    }
}

void snn_train_neuron_forward(const train_plan *p, const train_stage *st, const float *bias,
                              const float *before, float *v, float *s) {
    size_t lanes = (size_t)st->grid.out_height * (size_t)st->grid.out_width * st->out_pitch;
    currents(st, bias, lanes, v);
    if (st->neuron.surrogate == SNN_SURROGATE_SMOOTH && st->neuron.type != SNN_NEURON_LI)
        smooth_forward(&st->neuron, lanes, before, v, s);
    else
        p->kernels->neuron_forward(&st->neuron, lanes, before, v, s);
}

static void smooth_backward(const train_neuron *n, size_t lanes, const float *ds, float *carry, float *v) {
    for (size_t i = 0; i < lanes; i++) {
        float s = sigmoid(n, v[i]), slope = 4 / n->width * s * (1 - s), next = carry[i] * n->decay;
        float pull = n->reset == SNN_RESET_ZERO ? next * v[i] : next * n->threshold;
        float through = n->reset == SNN_RESET_ZERO ? next * (1 - s) : next;
        carry[i] = (ds[i] - pull) * slope + through;
        v[i] = carry[i] * (n->gain * n->factor);
    }
}

void snn_train_neuron_backward(const train_plan *p, const train_stage *st, const float *ds, float *carry,
                               float *v) {
    size_t lanes = (size_t)st->grid.out_height * (size_t)st->grid.out_width * st->out_pitch;
    if (st->neuron.surrogate == SNN_SURROGATE_SMOOTH && st->neuron.type != SNN_NEURON_LI)
        smooth_backward(&st->neuron, lanes, ds, carry, v);
    else
        p->kernels->neuron_backward(&st->neuron, lanes, ds, carry, v);
}
