/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Engine: neurons beyond the LIF of the kernels (include/snnsim/net.h has their equations): parameters of each neuron, refractory times, synaptic currents (cuba), growing
 * thresholds (alif). Portable C at every SIMD level; each operation is rounded on its own, in the order of the equations.
 */
#include "engine_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool snn_layer_single(const snn_layer *layer) {
    bool each = false;
    for (int p = 0; p < SNN_PARAMS; p++)
        each |= layer->each[p] != NULL;
    const snn_neuron_type type = layer->neuron.type;
    return each || type == SNN_NEURON_CUBA || type == SNN_NEURON_ALIF || layer->neuron.refractory > 0;
}

/* ---- parameters ---- */

void snn_each_free(snn_each_neuron *p) {
    float *const numbers[] = {p->decay,       p->threshold,  p->gain,   p->current_decay, p->current_gain,
                              p->adapt_decay, p->adapt_rest, p->factor, p->bias};
    int32_t *const words[] = {p->decay_fixed, p->current_decay_fixed, p->threshold_fixed, p->bias_fixed};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        free(numbers[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        free(words[i]);
    memset(p, 0, sizeof *p);
}

static bool numbers(float **p, bool wanted, uint32_t n, snn_error *err) {
    return !wanted || (*p = snn_alloc(n, sizeof **p, "neuron parameters", err)) != NULL;
}

static bool words(int32_t **p, bool wanted, uint32_t n, snn_error *err) {
    return !wanted || (*p = snn_alloc(n, sizeof **p, "neuron parameters", err)) != NULL;
}

static bool allocate(snn_each_neuron *p, const snn_stage *s, const snn_layer *layer, snn_arithmetic a,
                     snn_error *err) {
    const uint32_t n = s->neurons_padded;
    const bool cuba = layer->neuron.type == SNN_NEURON_CUBA, alif = layer->neuron.type == SNN_NEURON_ALIF,
               bias = layer->bias != NULL, real = a == SNN_ARITHMETIC_FLOAT;
    /* The factor serves the read-out of li neurons in fixed arithmetic too. */
    return numbers(&p->factor, true, n, err) && numbers(&p->decay, real, n, err) &&
           numbers(&p->threshold, real, n, err) && numbers(&p->gain, real && (cuba || alif), n, err) &&
           numbers(&p->current_decay, real && cuba, n, err) &&
           numbers(&p->current_gain, real && cuba, n, err) &&
           numbers(&p->adapt_decay, real && alif, n, err) && numbers(&p->adapt_rest, real && alif, n, err) &&
           numbers(&p->bias, real && bias, n, err) && words(&p->decay_fixed, !real, n, err) &&
           words(&p->current_decay_fixed, !real && cuba, n, err) &&
           words(&p->threshold_fixed, !real, n, err) && words(&p->bias_fixed, !real && bias, n, err);
}

static int32_t decay_fixed(float decay) {
    return (int32_t)lrint(4096.0 * (double)decay);
}

/* Neuron `at` of the planes, `j` in C order, of channel c. lsb: what one unit of the sum is worth. */
static void set_float(snn_each_neuron *p, const snn_layer *l, uint32_t at, uint32_t j, uint32_t c,
                      float lsb) {
    const float gain = snn_layer_param(l, SNN_PARAM_GAIN, j);
    p->decay[at] = snn_layer_param(l, SNN_PARAM_DECAY, j);
    p->threshold[at] = snn_layer_param(l, SNN_PARAM_THRESHOLD, j);
    p->factor[at] = p->gain ? lsb : lsb * gain;
    if (p->gain)
        p->gain[at] = gain;
    if (p->bias)
        p->bias[at] = p->gain ? l->bias[c] : l->bias[c] * gain;
    if (p->current_decay) {
        p->current_decay[at] = snn_layer_param(l, SNN_PARAM_CURRENT_DECAY, j);
        p->current_gain[at] = snn_layer_param(l, SNN_PARAM_CURRENT_GAIN, j);
    }
    if (p->adapt_decay) {
        p->adapt_decay[at] = snn_layer_param(l, SNN_PARAM_ADAPT_DECAY, j);
        p->adapt_rest[at] = 1.0f - p->adapt_decay[at];
    }
}

/* Gains change the unit of the states instead of the sums, which stay integers. */
static bool set_fixed(snn_each_neuron *p, const snn_layer *l, uint32_t at, uint32_t j, uint32_t c, float lsb,
                      snn_error *err) {
    float unit = lsb;
    if (p->current_decay_fixed) {
        p->current_decay_fixed[at] = decay_fixed(snn_layer_param(l, SNN_PARAM_CURRENT_DECAY, j));
        unit = unit * snn_layer_param(l, SNN_PARAM_CURRENT_GAIN, j);
    }
    unit = unit * snn_layer_param(l, SNN_PARAM_GAIN, j);
    p->factor[at] = unit;
    p->decay_fixed[at] = decay_fixed(snn_layer_param(l, SNN_PARAM_DECAY, j));
    p->threshold_fixed[at] = snn_fixed_threshold(snn_layer_param(l, SNN_PARAM_THRESHOLD, j), unit);
    if (!l->bias)
        return true;
    const bool of_membrane = l->neuron.type == SNN_NEURON_CUBA && l->neuron.membrane_bias;
    return snn_fixed_bias(l, c, of_membrane ? unit : lsb, &p->bias_fixed[at], err);
}

bool snn_stage_pack_each(snn_stage *s, const snn_layer *layer, const snn_tensor *t, float input_factor,
                         snn_arithmetic a, snn_error *err) {
    const uint32_t area = s->out.height * s->out.width;
    snn_each_neuron *p = &s->each;
    if (!p->factor && !allocate(p, s, layer, a, err))
        return false;
    for (uint32_t at = 0; p->threshold && at < s->neurons_padded; at++)
        p->threshold[at] = 1; /* padding: stays at 0, and never fires */
    for (uint32_t at = 0; p->threshold_fixed && at < s->neurons_padded; at++)
        p->threshold_fixed[at] = INT32_MAX;
    for (uint32_t c = 0; c < s->out.channels; c++) {
        const float scale = t->scales == 0 ? 1.0f : t->scale[t->scales == 1 ? 0 : c];
        const float lsb = scale * input_factor;
        for (uint32_t pixel = 0; pixel < area; pixel++) {
            const uint32_t at = pixel * s->outputs + c, j = c * area + pixel;
            if (a == SNN_ARITHMETIC_FLOAT)
                set_float(p, layer, at, j, c, lsb);
            else if (!set_fixed(p, layer, at, j, c, lsb, err))
                return false;
            if (s->fine && a == SNN_ARITHMETIC_FLOAT)
                p->factor[at] = p->factor[at] / 64; /* exact */
        }
    }
    return true;
}

/* ---- states ---- */

bool snn_state_new(snn_state *state, const snn_stage *s, snn_error *err) {
    const snn_neuron *n = &s->neuron;
    const bool alif = n->type == SNN_NEURON_ALIF, second = alif || n->type == SNN_NEURON_CUBA,
               wait = alif || n->refractory > 0;
    return (state->membrane = snn_alloc(s->neurons_padded, 4, "workspace", err)) != NULL &&
           (!second || (state->second = snn_alloc(s->neurons_padded, 4, "workspace", err)) != NULL) &&
           (!wait ||
            (state->wait = snn_alloc(s->neurons_padded, sizeof *state->wait, "workspace", err)) != NULL);
}

void snn_state_reset(const snn_state *state, const snn_stage *s) {
    const size_t n = s->neurons_padded;
    if (state->membrane)
        memset(state->membrane, 0, 4 * n);
    if (state->wait)
        memset(state->wait, 0, n * sizeof *state->wait);
    if (state->second && s->neuron.type == SNN_NEURON_ALIF)
        memcpy(state->second, s->each.threshold, n * sizeof(float)); /* averages start at theta */
    else if (state->second)
        memset(state->second, 0, 4 * n);
}

void snn_state_free(snn_state *state) {
    free(state->membrane);
    free(state->second);
    free(state->wait);
}

/* ---- one step of the neurons of one pixel ---- */

/* Where the neurons of a call stand: the same place in parameters, states and sums. */
typedef struct {
    const snn_stage *s;
    const snn_state *state;
    uint32_t first;
    const int32_t *sum;
    const float *current;
    uint8_t *spike;
    void *membrane; /* trace, or NULL */
    uint64_t *changed;
    bool *beyond;
} neurons_call;

static inline bool crosses(const snn_neuron *p, float v, float threshold) {
    return p->at_threshold ? v >= threshold : v > threshold;
}

/* Reset, refractory time, spike, trace and count, which lif and cuba share. */
static inline bool finish_float(const neurons_call *k, uint32_t j, float before, float now) {
    const snn_neuron *p = &k->s->neuron;
    const uint32_t at = k->first + j;
    float *v = (float *)k->state->membrane + at;
    const float threshold = k->s->each.threshold[at];
    bool spike = p->type != SNN_NEURON_LI && crosses(p, now, threshold);
    if (k->state->wait && k->state->wait[at] > 0) {
        k->state->wait[at]--;
        now = 0;
        spike = false;
    } else if (spike && k->state->wait) {
        k->state->wait[at] = (uint16_t)p->refractory;
    }
    if (k->membrane)
        ((float *)k->membrane)[j] = now;
    *v = !spike ? now : p->reset == SNN_RESET_SUBTRACT ? now - threshold : 0.0f;
    if (k->changed)
        *k->changed += *v != before;
    k->spike[j] = spike;
    return spike;
}

static uint32_t lif_float(const neurons_call *k) {
    const snn_each_neuron *p = &k->s->each;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < k->s->outputs; j++) {
        const uint32_t at = k->first + j;
        float current = (k->current ? k->current[j] : (float)k->sum[j]) * p->factor[at];
        if (p->bias)
            current = current + p->bias[at];
        const float before = ((const float *)k->state->membrane)[at];
        spikes += finish_float(k, j, before, before * p->decay[at] + current);
    }
    return spikes;
}

static uint32_t cuba_float(const neurons_call *k) {
    const snn_each_neuron *p = &k->s->each;
    const bool of_membrane = k->s->neuron.membrane_bias;
    float *current = k->state->second;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < k->s->outputs; j++) {
        const uint32_t at = k->first + j;
        float input = (k->current ? k->current[j] : (float)k->sum[j]) * p->factor[at];
        if (p->bias && !of_membrane)
            input = input + p->bias[at];
        const float u = current[at] * p->current_decay[at] + input * p->current_gain[at];
        current[at] = u;
        float share = u * p->gain[at];
        if (p->bias && of_membrane)
            share = share + p->bias[at];
        const float before = ((const float *)k->state->membrane)[at];
        spikes += finish_float(k, j, before, before * p->decay[at] + share);
    }
    return spikes;
}

static uint32_t alif_float(const neurons_call *k) {
    const snn_each_neuron *p = &k->s->each;
    const float adapt = k->s->neuron.adapt;
    float *average = k->state->second, *v = k->state->membrane;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < k->s->outputs; j++) {
        const uint32_t at = k->first + j;
        const float input = (k->current ? k->current[j] : (float)k->sum[j]) * p->factor[at];
        const float fired = (float)k->state->wait[at], before = v[at];
        const float a = p->adapt_decay[at] * average[at] + p->adapt_rest[at] * fired;
        const float b = p->threshold[at] + adapt * a;
        const float now = (p->decay[at] * before + p->gain[at] * input) - b * fired;
        float over = now - b;
        if (p->bias)
            over = over + p->bias[at];
        const bool spike = over > 0;
        average[at] = a;
        v[at] = now;
        k->state->wait[at] = spike;
        k->spike[j] = spike;
        if (k->membrane)
            ((float *)k->membrane)[j] = now;
        if (k->changed)
            *k->changed += now != before;
        spikes += spike;
    }
    return spikes;
}

/* As finish_float. Sums of states in range cannot leave 32 bits; one that came from a state out of range does not count any more. */
static inline bool finish_fixed(const neurons_call *k, uint32_t j, int32_t before, int64_t sum) {
    const snn_neuron *p = &k->s->neuron;
    const uint32_t at = k->first + j;
    int32_t *v = (int32_t *)k->state->membrane + at, now = (int32_t)sum;
    const int32_t threshold = k->s->each.threshold_fixed[at];
    bool spike = p->type != SNN_NEURON_LI && (p->at_threshold ? now >= threshold : now > threshold);
    if (k->state->wait && k->state->wait[at] > 0) {
        k->state->wait[at]--;
        now = 0;
        spike = false;
    } else if (spike && k->state->wait) {
        k->state->wait[at] = (uint16_t)p->refractory;
    }
    if (k->membrane)
        ((int32_t *)k->membrane)[j] = now;
    *v = !spike ? now : p->reset == SNN_RESET_SUBTRACT ? now - threshold : 0;
    *k->beyond |= *v > SNN_FIXED_MEMBRANE || *v < -SNN_FIXED_MEMBRANE;
    if (k->changed)
        *k->changed += *v != before;
    k->spike[j] = spike;
    return spike;
}

static inline int64_t decayed(int32_t x, int32_t decay) {
    return (int64_t)x * decay / 4096; /* C divides toward zero */
}

static uint32_t lif_fixed(const neurons_call *k) {
    const snn_each_neuron *p = &k->s->each;
    const int32_t unit = k->s->fine ? 1 : 64;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < k->s->outputs; j++) {
        const uint32_t at = k->first + j;
        const int32_t before = ((const int32_t *)k->state->membrane)[at];
        int64_t now = decayed(before, p->decay_fixed[at]) + unit * k->sum[j];
        if (p->bias_fixed)
            now += p->bias_fixed[at];
        spikes += finish_fixed(k, j, before, now);
    }
    return spikes;
}

static uint32_t cuba_fixed(const neurons_call *k) {
    const snn_each_neuron *p = &k->s->each;
    const int32_t unit = k->s->fine ? 1 : 64;
    const bool of_membrane = k->s->neuron.membrane_bias;
    int32_t *current = k->state->second;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < k->s->outputs; j++) {
        const uint32_t at = k->first + j;
        const int64_t bias = p->bias_fixed ? p->bias_fixed[at] : 0;
        const int64_t u =
            decayed(current[at], p->current_decay_fixed[at]) + unit * k->sum[j] + (of_membrane ? 0 : bias);
        *k->beyond |= u > SNN_FIXED_CURRENT || u < -SNN_FIXED_CURRENT;
        current[at] = (int32_t)u;
        const int32_t before = ((const int32_t *)k->state->membrane)[at];
        spikes +=
            finish_fixed(k, j, before, decayed(before, p->decay_fixed[at]) + u + (of_membrane ? bias : 0));
    }
    return spikes;
}

uint32_t snn_fire_each(const snn_engine *e, const snn_stage *s, const snn_state *state, uint32_t first,
                       const int32_t *sum, const float *current, uint8_t *spike, void *membrane,
                       uint64_t *changed, bool *beyond) {
    const neurons_call k = {s, state, first, sum, current, spike, membrane, changed, beyond};
    const bool fixed = e->arithmetic == SNN_ARITHMETIC_FIXED;
    switch (s->neuron.type) {
    case SNN_NEURON_CUBA:
        return fixed ? cuba_fixed(&k) : cuba_float(&k);
    case SNN_NEURON_ALIF: /* float only */
        return alif_float(&k);
    default:
        return fixed ? lif_fixed(&k) : lif_float(&k);
    }
}
