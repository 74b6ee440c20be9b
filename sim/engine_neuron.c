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
    for (uint32_t at = 0; at < s->neurons_padded; at++) /* padding: stays at 0, and never fires */
        if (a == SNN_ARITHMETIC_FLOAT)
            p->threshold[at] = 1;
        else
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

/* Neurons are taken in blocks of up to so many, in loops of which the compiler can make vectors: membranes before and after the update, what stays, spikes. */
enum { BLOCK = 64 };

typedef struct {
    float before[BLOCK], now[BLOCK], after[BLOCK];
    int32_t spike[BLOCK];
    uint32_t n; /* a multiple of SNN_PAD */
} float_block;

typedef struct {
    int32_t before[BLOCK], now[BLOCK], after[BLOCK];
    int32_t spike[BLOCK];
    uint32_t n;
} fixed_block;

/* Those that still wait after a spike stay at 0; those that spike begin to wait. spike: in, out. */
static inline bool wait_on(const neurons_call *k, uint32_t j, int32_t *spike) {
    uint16_t *wait = k->state->wait + k->first + j;
    const bool waits = *wait > 0;
    if (waits)
        --*wait;
    else if (*spike)
        *wait = (uint16_t)k->s->neuron.refractory;
    *spike = waits ? 0 : *spike;
    return waits;
}

/* The input of each neuron before the factor. */
static inline void inputs_of(const neurons_call *k, uint32_t j, float *restrict input, uint32_t n) {
    if (k->current)
        memcpy(input, k->current + j, n * sizeof *input);
    else
        for (uint32_t i = 0; i < n; i++)
            input[i] = (float)k->sum[j + i];
}

static inline void scale(float *restrict x, const float *restrict factor, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        x[i] = x[i] * factor[i];
}

static inline void add_bias(float *restrict x, const float *restrict bias, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        x[i] = x[i] + bias[i];
}

/* to = v decay + input */
static inline void leak(float *restrict to, const float *restrict v, const float *restrict decay,
                        const float *restrict input, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        to[i] = v[i] * decay[i] + input[i];
}

/* Spikes of the block as bytes; returns how many. */
static inline uint32_t store_spikes(const int32_t *restrict spike, uint8_t *restrict to, uint32_t n) {
    int32_t spikes = 0;
    for (uint32_t i = 0; i < n; i++)
        spikes += spike[i];
    for (uint32_t i = 0; i < n; i++)
        to[i] = (uint8_t)spike[i];
    return (uint32_t)spikes;
}

/* What the block leaves behind, and its spikes. */
static inline uint32_t store_float(const neurons_call *k, uint32_t j, const float_block *b) {
    const size_t bytes = b->n * sizeof *b->after;
    memcpy((float *)k->state->membrane + k->first + j, b->after, bytes);
    if (k->membrane)
        memcpy((float *)k->membrane + j, b->now, bytes);
    for (uint32_t i = 0; k->changed && i < b->n; i++)
        *k->changed += b->after[i] != b->before[i];
    return store_spikes(b->spike, k->spike + j, b->n);
}

/* Spike, refractory time and reset, which lif and cuba share. */
static inline uint32_t settle_float(const neurons_call *k, uint32_t j, float_block *restrict b) {
    const snn_neuron *p = &k->s->neuron;
    const float *restrict threshold = k->s->each.threshold + k->first + j;
    const int32_t spiking = p->type != SNN_NEURON_LI, at = p->at_threshold;
    const uint32_t n = b->n;
    for (uint32_t i = 0; i < n; i++)
        b->spike[i] = spiking & ((b->now[i] > threshold[i]) | (at & (b->now[i] == threshold[i])));
    for (uint32_t i = 0; k->state->wait && i < n; i++)
        if (wait_on(k, j + i, &b->spike[i]))
            b->now[i] = 0;
    for (uint32_t i = 0; i < n; i++)
        b->after[i] = b->spike[i] ? 0.0f : b->now[i];
    for (uint32_t i = 0; p->reset == SNN_RESET_SUBTRACT && i < n; i++)
        b->after[i] = b->spike[i] ? b->now[i] - threshold[i] : b->now[i];
    return store_float(k, j, b);
}

static uint32_t lif_float(const neurons_call *k, uint32_t j, uint32_t n) {
    const snn_each_neuron *p = &k->s->each;
    const uint32_t at = k->first + j;
    float input[BLOCK];
    float_block b;
    b.n = n;
    inputs_of(k, j, input, n);
    memcpy(b.before, (const float *)k->state->membrane + at, n * sizeof *b.before);
    scale(input, p->factor + at, n);
    if (p->bias)
        add_bias(input, p->bias + at, n);
    leak(b.now, b.before, p->decay + at, input, n);
    return settle_float(k, j, &b);
}

static uint32_t cuba_float(const neurons_call *k, uint32_t j, uint32_t n) {
    const snn_each_neuron *p = &k->s->each;
    const uint32_t at = k->first + j;
    const bool of_membrane = k->s->neuron.membrane_bias;
    float input[BLOCK], u[BLOCK], *current = (float *)k->state->second + at;
    float_block b;
    b.n = n;
    inputs_of(k, j, input, n);
    memcpy(b.before, (const float *)k->state->membrane + at, n * sizeof *b.before);
    scale(input, p->factor + at, n);
    if (p->bias && !of_membrane)
        add_bias(input, p->bias + at, n);
    scale(input, p->current_gain + at, n);
    leak(u, current, p->current_decay + at, input, n);
    memcpy(current, u, n * sizeof *u);
    scale(u, p->gain + at, n);
    if (p->bias && of_membrane)
        add_bias(u, p->bias + at, n);
    leak(b.now, b.before, p->decay + at, u, n);
    return settle_float(k, j, &b);
}

/* a, B and v of the equations; returns the thresholds B in b->after. */
static inline void adapt(const snn_each_neuron *p, float share, uint32_t at, float *restrict average,
                         const uint16_t *restrict fired, const float *restrict input,
                         float_block *restrict b) {
    const float *restrict decay = p->decay + at, *restrict adapt_decay = p->adapt_decay + at,
                          *restrict adapt_rest = p->adapt_rest + at, *restrict theta = p->threshold + at,
                          *restrict gain = p->gain + at;
    for (uint32_t i = 0; i < b->n; i++) {
        const float s = (float)fired[i];
        average[i] = adapt_decay[i] * average[i] + adapt_rest[i] * s;
        b->after[i] = theta[i] + share * average[i];
        b->now[i] = (decay[i] * b->before[i] + gain[i] * input[i]) - b->after[i] * s;
    }
}

static uint32_t alif_float(const neurons_call *k, uint32_t j, uint32_t n) {
    const snn_each_neuron *p = &k->s->each;
    const uint32_t at = k->first + j;
    uint16_t *fired = k->state->wait + at;
    float input[BLOCK], over[BLOCK];
    float_block b;
    b.n = n;
    inputs_of(k, j, input, n);
    memcpy(b.before, (const float *)k->state->membrane + at, n * sizeof *b.before);
    scale(input, p->factor + at, n);
    adapt(p, k->s->neuron.adapt, at, (float *)k->state->second + at, fired, input, &b);
    for (uint32_t i = 0; i < n; i++)
        over[i] = b.now[i] - b.after[i];
    if (p->bias)
        add_bias(over, p->bias + at, n);
    for (uint32_t i = 0; i < n; i++) {
        b.spike[i] = over[i] > 0;
        b.after[i] = b.now[i]; /* the next step takes the reset off */
    }
    for (uint32_t i = 0; i < n; i++)
        fired[i] = (uint16_t)b.spike[i];
    return store_float(k, j, &b);
}

/* The sum of what stays within 32 bits as long as no state has left its range; what comes after that does not count any more. */
static inline int32_t plus(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* to = x decay / 4096, toward zero: a double holds the 44 bits of the product exactly. */
static inline void decay_block(int32_t *restrict to, const int32_t *restrict x, const int32_t *restrict decay,
                               uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        to[i] = (int32_t)((double)x[i] * ((double)decay[i] * (1.0 / 4096)));
}

static inline void add_block(int32_t *restrict to, const int32_t *restrict x, int32_t factor, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        to[i] = plus(to[i], x[i] * factor);
}

static inline bool outside(const int32_t *x, int32_t limit, uint32_t n) {
    int32_t beyond = 0;
    for (uint32_t i = 0; i < n; i++)
        beyond |= (x[i] > limit) | (x[i] < -limit);
    return beyond != 0;
}

static inline uint32_t settle_fixed(const neurons_call *k, uint32_t j, fixed_block *restrict b) {
    const snn_neuron *p = &k->s->neuron;
    const int32_t *restrict threshold = k->s->each.threshold_fixed + k->first + j;
    const int32_t spiking = p->type != SNN_NEURON_LI, at = p->at_threshold;
    const uint32_t n = b->n;
    const size_t bytes = n * sizeof *b->after;
    for (uint32_t i = 0; i < n; i++)
        b->spike[i] = spiking & ((b->now[i] > threshold[i]) | (at & (b->now[i] == threshold[i])));
    for (uint32_t i = 0; k->state->wait && i < n; i++)
        if (wait_on(k, j + i, &b->spike[i]))
            b->now[i] = 0;
    for (uint32_t i = 0; i < n; i++)
        b->after[i] = b->spike[i] ? 0 : b->now[i];
    for (uint32_t i = 0; p->reset == SNN_RESET_SUBTRACT && i < n; i++)
        b->after[i] = b->spike[i] ? plus(b->now[i], -threshold[i]) : b->now[i];
    *k->beyond |= outside(b->after, SNN_FIXED_MEMBRANE, n);
    memcpy((int32_t *)k->state->membrane + k->first + j, b->after, bytes);
    if (k->membrane)
        memcpy((int32_t *)k->membrane + j, b->now, bytes);
    for (uint32_t i = 0; k->changed && i < n; i++)
        *k->changed += b->after[i] != b->before[i];
    return store_spikes(b->spike, k->spike + j, n);
}

static uint32_t lif_fixed(const neurons_call *k, uint32_t j, uint32_t n) {
    const snn_each_neuron *p = &k->s->each;
    const uint32_t at = k->first + j;
    fixed_block b;
    b.n = n;
    memcpy(b.before, (const int32_t *)k->state->membrane + at, n * sizeof *b.before);
    decay_block(b.now, b.before, p->decay_fixed + at, n);
    add_block(b.now, k->sum + j, k->s->fine ? 1 : 64, n);
    if (p->bias_fixed)
        add_block(b.now, p->bias_fixed + at, 1, n);
    return settle_fixed(k, j, &b);
}

static uint32_t cuba_fixed(const neurons_call *k, uint32_t j, uint32_t n) {
    const snn_each_neuron *p = &k->s->each;
    const uint32_t at = k->first + j;
    const bool of_membrane = k->s->neuron.membrane_bias;
    int32_t u[BLOCK], *current = (int32_t *)k->state->second + at;
    fixed_block b;
    b.n = n;
    memcpy(b.before, (const int32_t *)k->state->membrane + at, n * sizeof *b.before);
    decay_block(u, current, p->current_decay_fixed + at, n);
    add_block(u, k->sum + j, k->s->fine ? 1 : 64, n);
    if (p->bias_fixed && !of_membrane)
        add_block(u, p->bias_fixed + at, 1, n);
    *k->beyond |= outside(u, SNN_FIXED_CURRENT, n);
    memcpy(current, u, n * sizeof *u);
    decay_block(b.now, b.before, p->decay_fixed + at, n);
    add_block(b.now, u, 1, n);
    if (p->bias_fixed && of_membrane)
        add_block(b.now, p->bias_fixed + at, 1, n);
    return settle_fixed(k, j, &b);
}

uint32_t snn_fire_each(const snn_engine *e, const snn_stage *s, const snn_state *state, uint32_t first,
                       const int32_t *sum, const float *current, uint8_t *spike, void *membrane,
                       uint64_t *changed, bool *beyond) {
    const neurons_call k = {s, state, first, sum, current, spike, membrane, changed, beyond};
    const bool fixed = e->arithmetic == SNN_ARITHMETIC_FIXED;
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < s->outputs; j += BLOCK) {
        const uint32_t n = s->outputs - j < BLOCK ? s->outputs - j : BLOCK;
        if (s->neuron.type == SNN_NEURON_CUBA)
            spikes += fixed ? cuba_fixed(&k, j, n) : cuba_float(&k, j, n);
        else if (s->neuron.type == SNN_NEURON_ALIF) /* float only */
            spikes += alif_float(&k, j, n);
        else
            spikes += fixed ? lif_fixed(&k, j, n) : lif_float(&k, j, n);
    }
    return spikes;
}
