/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neurons with more state than a membrane (cuba, alif), and any neuron of which each has parameters of its own: one time step forward, one backward.
 * Every parameter is an array over lanes. Notation and reset as in train_neuron.c, which serves the simple ones quicker.
 *
 *   cuba   u[t] = c u[t-1] + cg (factor sum + bias)                               (membrane_bias: without the bias)
 *          v[t] = d v[t-1] (1 - s[t-1]) + gain u[t]                               (membrane_bias: + bias)
 *   lif    is cuba with c = 0 and its gain in the place of cg; li the same without spikes
 *   alif   a[t] = rho a[t-1] + (1 - rho) s[t-1];   B[t] = theta + adapt a[t];   a starts at theta
 *          v[t] = d v[t-1] + gain factor sum - B[t] s[t-1];   s[t] = v[t] - B[t] + bias > 0
 *
 * Backward:
 *   cuba   dv as in train_neuron.c;   du[t] = gain dv[t] + c du[t+1];   dsum = factor cg du;   dbias = cg du, or dv
 *   alif   ds[t] += (1 - rho) da[t+1] - B[t+1] dv[t+1];   h = ds[t] slope(v - B + bias)
 *          dv[t] = h + d dv[t+1];   da[t] = rho da[t+1] - adapt (h + s[t-1] dv[t]);   dsum = gain factor dv;   dbias = h
 */
#include "train_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ARRAYS 9 /* of train_lanes */

/* ---- parameters ---- */

/* Neuron j (C order) of the stage's layer at lane `at`. */
static void set_lane(train_stage *s, uint32_t j, size_t at) {
    const snn_layer *l = s->layer;
    const snn_neuron *n = &l->neuron;
    train_lanes *to = &s->neuron.lanes;
    const bool cuba = n->type == SNN_NEURON_CUBA, alif = n->type == SNN_NEURON_ALIF;
    const float gain = snn_layer_param(l, SNN_PARAM_GAIN, j),
                theta = snn_layer_param(l, SNN_PARAM_THRESHOLD, j);
    const float early = cuba || alif ? 1 : gain; /* rounded as the engine does */
    to->decay[at] = n->type == SNN_NEURON_IF ? 1 : snn_layer_param(l, SNN_PARAM_DECAY, j);
    to->threshold[at] = theta;
    to->above[at] = n->at_threshold ? nextafterf(theta, -1) : theta;
    to->scale[at] = s->factor * early;
    to->bias_scale[at] = s->neuron.membrane_bias ? 0 : early;
    to->into[at] = cuba ? snn_layer_param(l, SNN_PARAM_CURRENT_GAIN, j) : alif ? gain : 1;
    to->gain[at] = cuba ? gain : 1;
    to->current_decay[at] = cuba ? snn_layer_param(l, SNN_PARAM_CURRENT_DECAY, j) : 0;
    to->adapt_decay[at] = alif ? snn_layer_param(l, SNN_PARAM_ADAPT_DECAY, j) : 0;
}

bool snn_train_lanes_new(train_stage *s, snn_error *err) {
    const snn_shape out = s->layer->out;
    const size_t pixels = (size_t)out.height * out.width, lanes = pixels * s->out_pitch;
    s->lanes = snn_alloc(lanes * ARRAYS, sizeof *s->lanes, "neurons", err);
    if (s->lanes == NULL)
        return false;
    train_lanes *to = &s->neuron.lanes;
    float **array[ARRAYS] = {&to->decay, &to->threshold, &to->above,         &to->scale,      &to->bias_scale,
                             &to->into,  &to->gain,      &to->current_decay, &to->adapt_decay};
    for (size_t k = 0; k < ARRAYS; k++)
        *array[k] = s->lanes + k * lanes;
    for (size_t i = 0; i < lanes; i++)
        to->threshold[i] = to->above[i] = 1;
    for (uint32_t c = 0; c < out.channels; c++)
        for (size_t r = 0; r < pixels; r++)
            set_lane(s, (uint32_t)(c * pixels + r), r * s->out_pitch + c);
    return true;
}

/* ---- the smooth surrogate, in plain C ---- */

static float sigmoid(const train_neuron *n, float x) {
    return (float)(1 / (1 + snn_exp(-4 * (double)x / (double)n->width)));
}

static float slope(const train_neuron *n, float s) {
    return 4 / n->width * s * (1 - s);
}

static void smooth_current_forward(const train_neuron *n, const train_lanes_step *a) {
    const train_lanes *p = &n->lanes;
    for (size_t i = 0; i < a->pixels * a->pitch; i++) {
        const float bias = a->bias[i % a->pitch], old = a->before[i];
        const float spike = a->first ? 0 : sigmoid(n, old - p->threshold[i]);
        a->state[i] = p->current_decay[i] * a->state[i] +
                      (a->v[i] * p->scale[i] + bias * p->bias_scale[i]) * p->into[i];
        const float kept = n->reset == SNN_RESET_ZERO ? p->decay[i] * old * (1 - spike)
                                                      : p->decay[i] * (old - p->threshold[i] * spike);
        a->v[i] = kept + (p->gain[i] * a->state[i] + (n->membrane_bias ? bias : 0));
        a->s[i] = sigmoid(n, a->v[i] - p->threshold[i]);
    }
}

static void smooth_current_backward(const train_neuron *n, const train_lanes_step *a) {
    const train_lanes *p = &n->lanes;
    for (size_t i = 0; i < a->pixels * a->pitch; i++) {
        const float m = a->v[i], s = sigmoid(n, m - p->threshold[i]), next = a->carry[i] * p->decay[i];
        const bool zero = n->reset == SNN_RESET_ZERO;
        const float dv =
            (a->ds[i] - next * (zero ? m : p->threshold[i])) * slope(n, s) + next * (zero ? 1 - s : 1);
        a->carry_state[i] = p->gain[i] * dv + p->current_decay[i] * a->carry_state[i];
        a->carry[i] = dv;
        a->bias_sum[i] += dv;
        a->v[i] = a->carry_state[i] * p->into[i] * p->scale[i];
    }
}

static void smooth_adaptive_forward(const train_neuron *n, const train_lanes_step *a) {
    const train_lanes *p = &n->lanes;
    for (size_t i = 0; i < a->pixels * a->pitch; i++) {
        const float rho = p->adapt_decay[i];
        a->state[i] = rho * a->state[i] + (1 - rho) * a->last[i];
        a->barrier[i] = p->threshold[i] + n->adapt * a->state[i];
        a->v[i] =
            p->decay[i] * a->before[i] + a->v[i] * p->scale[i] * p->into[i] - a->barrier[i] * a->last[i];
        a->s[i] = a->last[i] = sigmoid(n, a->v[i] - a->barrier[i] + a->bias[i % a->pitch]);
    }
}

static void smooth_adaptive_backward(const train_neuron *n, const train_lanes_step *a) {
    const train_lanes *p = &n->lanes;
    for (size_t i = 0; i < a->pixels * a->pitch; i++) {
        const float bias = a->bias[i % a->pitch], rho = p->adapt_decay[i];
        const float s = sigmoid(n, a->v[i] - a->barrier[i] + bias);
        const float spike = a->first ? 0 : sigmoid(n, a->before[i] - a->barrier_before[i] + bias);
        const float ds = a->ds[i] + (1 - rho) * a->carry_state[i] - a->barrier_next[i] * a->carry[i];
        const float h = ds * slope(n, s), dv = h + p->decay[i] * a->carry[i];
        a->carry_state[i] = rho * a->carry_state[i] - n->adapt * (h + spike * dv);
        a->carry[i] = dv;
        a->bias_sum[i] += h;
        a->v[i] = dv * p->into[i] * p->scale[i];
    }
}

/* ---- one time step ---- */

/* What both directions share. bias NULL: none. */
static train_lanes_step step_of(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                                const float *bias, train_scratch *scratch) {
    const size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    const size_t lanes = pixels * st->out_pitch;
    train_lanes_step a = {.pixels = pixels,
                          .pitch = st->out_pitch,
                          .first = t == (int)st->layer->start,
                          .bias = bias != NULL ? bias : scratch->zero,
                          .before = scratch->zero,
                          .v = l->v + (size_t)t * lanes,
                          .state = scratch->state,
                          .last = scratch->last,
                          .carry = scratch->carry,
                          .carry_state = scratch->carry_state,
                          .bias_sum = l->bias_sum};
    if (!a.first)
        a.before = a.v - lanes;
    if (st->neuron.type == SNN_NEURON_ALIF) {
        a.barrier = l->barrier + (size_t)t * lanes;
        a.barrier_before = a.first ? a.barrier : a.barrier - lanes;
        a.barrier_next = t + 1 < p->steps ? a.barrier + lanes : a.barrier;
    }
    return a;
}

static bool smooth(const train_stage *st) {
    return st->neuron.surrogate == SNN_SURROGATE_SMOOTH && st->neuron.type != SNN_NEURON_LI;
}

void snn_train_lanes_begin(const train_stage *st, train_scratch *scratch) {
    const size_t lanes = (size_t)st->grid.out_height * (size_t)st->grid.out_width * st->out_pitch;
    memset(scratch->last, 0, lanes * sizeof(float));
    if (st->neuron.type == SNN_NEURON_ALIF)
        memcpy(scratch->state, st->neuron.lanes.threshold, lanes * sizeof(float));
    else
        memset(scratch->state, 0, lanes * sizeof(float));
}

void snn_train_lanes_forward(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                             const float *bias, float *s, train_scratch *scratch) {
    train_lanes_step a = step_of(p, st, l, t, bias, scratch);
    const bool adaptive = st->neuron.type == SNN_NEURON_ALIF;
    a.s = s;
    if (smooth(st))
        (adaptive ? smooth_adaptive_forward : smooth_current_forward)(&st->neuron, &a);
    else
        (adaptive ? p->kernels->adaptive_forward : p->kernels->current_forward)(&st->neuron, &a);
}

void snn_train_lanes_backward(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                              const float *bias, const float *ds, train_scratch *scratch) {
    train_lanes_step a = step_of(p, st, l, t, bias, scratch);
    const bool adaptive = st->neuron.type == SNN_NEURON_ALIF;
    a.ds = ds;
    if (smooth(st))
        (adaptive ? smooth_adaptive_backward : smooth_current_backward)(&st->neuron, &a);
    else
        (adaptive ? p->kernels->adaptive_backward : p->kernels->current_backward)(&st->neuron, &a);
}
