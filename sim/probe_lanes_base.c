/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probe for linear layers: what is kept of the base: decoded weights, rows of the input, sums and spikes of every neuron. */
#include "probe_lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- layers ---- */

static void set_neuron(lanes_layer *layer, const snn_stage *g) {
    const snn_neuron *n = &g->neuron;
    const bool spiking = n->type != SNN_NEURON_LI, subtract = n->reset == SNN_RESET_SUBTRACT;
    layer->neuron = (lanes_float){.decay = n->decay,
                                  .above = !spiking          ? INFINITY
                                           : n->at_threshold ? nextafterf(n->threshold, -INFINITY)
                                                             : n->threshold,
                                  .threshold = n->threshold,
                                  .biased = g->bias != NULL,
                                  .subtract = subtract};
    layer->neuron_fixed =
        (lanes_fixed){.decay = g->decay_fixed, .above = spiking ? 0 : INT32_MAX, .subtract = subtract};
}

/* What inputs can do to the sums of the first layer, as snn_engine_run checks it: the largest norm that surely passes. */
static uint64_t input_norm_limit(const lanes_state *s, const snn_probe_setup *setup, int bits) {
    const uint64_t limit = (uint64_t)s->engine->sum_limit;
    uint64_t most = UINT64_MAX;
    for (size_t i = 0; i < setup->n; i++) {
        const snn_spikes *x = &setup->sample[i];
        uint64_t busiest = 0, largest = 0;
        for (int t = 0; t < x->steps; t++) {
            uint64_t total = 0;
            for (size_t k = x->first[t]; k < x->first[t + 1]; k++) {
                total += x->spike[k].count;
                largest = x->spike[k].count > largest ? x->spike[k].count : largest;
            }
            busiest = total > busiest ? total : busiest;
        }
        if (busiest > limit >> (bits - 1))
            most = limit / largest < most ? limit / largest : most;
    }
    return most;
}

static bool make_layer(lanes_state *s, int l, const snn_probe_setup *setup, snn_error *err) {
    lanes_layer *layer = &s->layer[l];
    layer->stage = &s->engine->stage[l];
    const snn_tensor *t = &setup->weights->tensor[layer->stage->tensor];
    layer->outputs = (uint32_t)t->shape[0];
    layer->inputs = (uint32_t)t->shape[1];
    set_neuron(layer, layer->stage);
    layer->q = snn_alloc(t->count, sizeof *layer->q, "weights of a probe", err);
    if (!layer->q)
        return false;
    for (uint64_t i = 0; i < t->count; i++)
        layer->q[i] = (int16_t)snn_weight_q(t, i);
    layer->norm_limit = l == 0 ? input_norm_limit(s, setup, t->bits) : (uint64_t)s->engine->sum_limit;
    if ((uint64_t)layer->inputs << (t->bits - 1) <= layer->norm_limit)
        return true;
    layer->norm = snn_alloc(layer->outputs, sizeof *layer->norm, "weights of a probe", err);
    if (!layer->norm)
        return false;
    for (uint32_t o = 0; o < layer->outputs; o++) {
        for (uint32_t i = 0; i < layer->inputs; i++)
            layer->norm[o] += (uint64_t)abs(layer->q[(size_t)o * layer->inputs + i]);
        s->over += layer->norm[o] > layer->norm_limit;
    }
    return true;
}

/* ---- tiles ---- */

static uint16_t digits_of(uint32_t count) {
    uint16_t digits = 1;
    while (count >>= LANES_DIGIT_BITS)
        digits++;
    return digits;
}

/* Rows for the digits of the largest count that each input has in the samples of the tile. */
static bool make_rows(lanes_tile *k, const lanes_state *s, const snn_probe_setup *setup, snn_error *err) {
    const uint32_t inputs = s->layer[0].inputs;
    k->input = snn_alloc(inputs, sizeof *k->input, "input of a probe", err);
    if (!k->input)
        return false;
    for (uint32_t lane = 0; lane < k->samples; lane++) {
        const snn_spikes *x = &setup->sample[k->first + lane];
        for (size_t e = x->first[0]; e < x->first[x->steps]; e++) {
            lanes_input *in = &k->input[x->spike[e].index];
            const uint16_t digits = digits_of(x->spike[e].count);
            in->digits = digits > in->digits ? digits : in->digits;
        }
    }
    for (uint32_t i = 0; i < inputs; i++)
        k->rows += k->input[i].digits;
    k->row = snn_alloc(k->rows, s->lanes, "input of a probe", err);
    const int8_t *next = k->row;
    for (uint32_t i = 0; k->row && i < inputs; i++) {
        k->input[i].row = next;
        next += k->input[i].digits * s->lanes;
    }
    return k->row != NULL;
}

static void fill_rows(lanes_tile *k, const lanes_state *s, const snn_probe_setup *setup) {
    for (uint32_t lane = 0; lane < k->samples; lane++) {
        const snn_spikes *x = &setup->sample[k->first + lane];
        for (int t = 0; t < x->steps; t++)
            for (size_t e = x->first[t]; e < x->first[t + 1]; e++) {
                lanes_input *in = &k->input[x->spike[e].index];
                int8_t *at = k->row + (in->row - k->row) + (size_t)t * LANES + lane;
                uint32_t count = x->spike[e].count;
                const uint16_t least = count & LANES_DIGIT;
                in->largest = least > in->largest ? least : in->largest;
                for (; count > 0; count >>= LANES_DIGIT_BITS, at += s->lanes)
                    *at = (int8_t)(count & LANES_DIGIT);
            }
    }
}

static bool allocate_layers(lanes_tile *k, const lanes_state *s, snn_error *err) {
    const size_t layers = (size_t)s->layers;
    const char *what = "sums of a probe";
    k->sum = snn_alloc(layers, sizeof *k->sum, what, err);
    k->spike = snn_alloc(layers, sizeof *k->spike, what, err);
    k->outside = snn_alloc(layers, sizeof *k->outside, what, err);
    if (!k->sum || !k->spike || !k->outside)
        return false;
    for (size_t l = 0; l < layers; l++) {
        const size_t outputs = s->layer[l].outputs;
        k->sum[l] = snn_alloc(outputs, s->lanes * sizeof **k->sum, what, err);
        k->spike[l] = snn_alloc(outputs, s->lanes, what, err);
        k->outside[l] = snn_alloc(outputs, 1, what, err);
        if (!k->sum[l] || !k->spike[l] || !k->outside[l])
            return false;
    }
    return true;
}

static bool make_tile(lanes_state *s, lanes_tile *k, const snn_probe_setup *setup, snn_error *err) {
    k->samples = (uint32_t)(setup->n - k->first < LANES ? setup->n - k->first : LANES);
    k->live = snn_alloc(s->lanes, sizeof *k->live, "samples of a probe", err);
    if (!k->live)
        return false;
    for (uint32_t lane = 0; lane < k->samples; lane++)
        for (int t = 0; t < s->sample_steps[k->first + lane]; t++)
            k->live[(size_t)t * LANES + lane] = -1;
    if (!make_rows(k, s, setup, err))
        return false;
    fill_rows(k, s, setup);
    return allocate_layers(k, s, err);
}

bool snn_lanes_base(lanes_state *s, const snn_probe_setup *setup, snn_error *err) {
    s->layers = s->engine->stages;
    s->layer = snn_alloc((size_t)s->layers, sizeof *s->layer, "layers of a probe", err);
    for (int l = 0; l < s->layers; l++)
        if (!s->layer || !make_layer(s, l, setup, err))
            return false;
    s->samples = setup->n;
    s->sample_steps = snn_alloc(s->samples, sizeof *s->sample_steps, "samples of a probe", err);
    s->out = snn_alloc(s->samples * s->engine->classes, sizeof *s->out, "outputs of a probe", err);
    if (!s->sample_steps || !s->out)
        return false;
    for (size_t i = 0; i < s->samples; i++) {
        s->sample_steps[i] = setup->sample[i].steps;
        s->steps = s->sample_steps[i] > s->steps ? s->sample_steps[i] : s->steps;
    }
    s->lanes = ((size_t)s->steps * LANES + LANES_PAD - 1) / LANES_PAD * LANES_PAD;
    const size_t tiles = (s->samples + LANES - 1) / LANES;
    s->tile = snn_alloc(tiles, sizeof *s->tile, "samples of a probe", err);
    if (!s->tile)
        return false;
    for (; s->tiles < tiles; s->tiles++) {
        s->tile[s->tiles].first = s->tiles * LANES;
        if (!make_tile(s, &s->tile[s->tiles], setup, err)) {
            s->tiles++; /* free what it has */
            return false;
        }
    }
    return true;
}

double snn_lanes_synapses(const lanes_state *s, const lanes_tile *k) {
    double synapses = 0;
    for (int l = 0; l < s->layers; l++) {
        const size_t size = s->lanes * (l == 0 ? k->rows : s->layer[l].inputs);
        const int8_t *row = l == 0 ? k->row : k->spike[l - 1];
        size_t spikes = 0;
        for (size_t i = 0; i < size; i++)
            spikes += row[i] != 0;
        synapses += (double)spikes * (double)s->layer[l].outputs;
    }
    return synapses;
}

void snn_lanes_trim(const lanes_state *s, lanes_tile *k, int first) {
    for (int l = 0; l < first && l < s->layers; l++) {
        free(k->sum[l]);
        k->sum[l] = NULL;
        if (l + 1 < first) { /* else the first layer's inputs */
            free(k->spike[l]);
            k->spike[l] = NULL;
        }
    }
    if (first > 0) {
        free(k->row);
        k->row = NULL;
    }
}

static void free_tile(const lanes_state *s, lanes_tile *k) {
    for (int l = 0; l < s->layers; l++) {
        if (k->sum)
            free(k->sum[l]);
        if (k->spike)
            free(k->spike[l]);
        if (k->outside)
            free(k->outside[l]);
    }
    free(k->sum);
    free(k->spike);
    free(k->outside);
    free(k->live);
    free(k->input);
    free(k->row);
}

void snn_lanes_base_free(lanes_state *s) {
    for (size_t i = 0; i < s->tiles; i++)
        free_tile(s, &s->tile[i]);
    for (int l = 0; s->layer && l < s->layers; l++) {
        free(s->layer[l].q);
        free(s->layer[l].norm);
    }
    free(s->tile);
    free(s->layer);
    free(s->sample_steps);
    free(s->out);
}
