/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: a stage whose weights change and whose inputs do not. Only the touched output channels are computed, all pixels of a tile as lanes. */
#include "probe_planes.h"

#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

/* The input of a weight in the lanes of the outputs: [steps][input_lanes]. */
static const uint16_t *shifted_input(const planes *p, int stage, const planes_weight *w,
                                     const planes_tile *tile) {
    const planes_stage *g = &p->stage[stage];
    const planes_near *near = &g->near;
    size_t line = w->line, shift = 0;
    if (g->s->type != SNN_LAYER_LINEAR) {
        line = line * near->phases + w->ky % g->stride * g->stride + w->kx % g->stride;
        shift = (size_t)(w->ky / g->stride) * near->width + w->kx / g->stride;
    }
    return near->input + line * near->input_lanes + tile->input_at + shift;
}

/* Deltas from `delta` on that are of the same output. */
static size_t same_output(const planes *p, int stage, const snn_delta *delta, size_t n) {
    const uint64_t inputs = p->stage[stage].inputs;
    const uint64_t output = delta[0].index / inputs;
    size_t k = 1;
    while (k < n && delta[k].index / inputs == output)
        k++;
    return k;
}

/* The parameters of one output, 64 times. */
static snn_planes_neuron spread(const snn_planes_neuron *from, uint32_t output, planes_workspace *w) {
    snn_planes_neuron n = *from;
    for (int j = 0; j < BLOCK; j++) {
        w->factor[j] = from->factor[output];
        w->threshold_fixed[j] = from->threshold_fixed[output];
        if (!from->bias)
            continue;
        w->bias[j] = from->bias[output];
        w->bias_fixed[j] = from->bias_fixed[output];
    }
    n.factor = w->factor;
    n.threshold_fixed = w->threshold_fixed;
    n.bias = from->bias ? w->bias : NULL;
    n.bias_fixed = from->bias ? w->bias_fixed : NULL;
    return n;
}

/* Changed spikes of a tile's lanes into the bits of the output signal. */
static void hand_on(const planes *p, int stage, uint32_t output, const planes_tile *tile,
                    planes_workspace *w) {
    const planes_near *n = &p->stage[stage].near;
    const planes_signal *out = &p->signal[stage + 1];
    planes_difference *d = &w->difference[stage + 1];
    const uint64_t bit = UINT64_C(1) << output % BLOCK;
    const uint64_t *changed = w->lane_changed;
    for (uint32_t first = 0; first < tile->lanes; first += BLOCK)
        for (int t = 0; t < tile->steps; t++)
            for (uint64_t x = *changed++; x; x &= x - 1) {
                const uint32_t lane = first + (uint32_t)__builtin_ctzll(x);
                const size_t sample = tile->first + n->sample[lane];
                const size_t at = (p->first_step[sample] + (size_t)t) * out->pixels + n->pixel[lane];
                planes_changed(out, d, at)[output / BLOCK] |= bit;
                d->dirty[sample] = true;
            }
}

/* Read-out by membrane: sums over the steps of each sample. */
static void read_lanes(const planes *p, int stage, uint32_t output, const planes_tile *tile,
                       planes_workspace *w) {
    const planes_near *n = &p->stage[stage].near;
    for (uint32_t i = 0; i < tile->lanes; i++)
        if (n->pixel[i] != UINT32_MAX && n->sample[i] < tile->samples)
            snn_planes_read_membrane(p, &p->stage[stage], tile->first + n->sample[i], output, n->pixel[i],
                                     w->lane_membrane + planes_lane_at(tile, i, 0) - tile->at, BLOCK, w->out);
}

static void fire(const planes *p, int stage, uint32_t output, const snn_planes_neuron *neuron,
                 const planes_tile *tile, size_t shifts, planes_workspace *w) {
    const planes_near *n = &p->stage[stage].near;
    const size_t at = output * n->lanes + tile->at;
    const bool membrane = snn_planes_reads_membrane(p, stage);
    const snn_planes_lanes l = {
        .neuron = neuron,
        .steps = tile->steps,
        .lanes = tile->lanes,
        .narrow = n->sums.narrow + at,
        .wide = (const int32_t *const *)n->sums.wide + output * n->parts + tile->part,
        .shift = w->shift,
        .shifts = shifts,
        .input_lanes = tile->input_lanes,
        .alive = n->alive + tile->at / BLOCK,
        .before = n->bits + at / BLOCK,
        .changed = w->lane_changed,
        .membrane = membrane ? w->lane_membrane : NULL,
    };
    if (p->kernels->fire_lanes(&l))
        hand_on(p, stage, output, tile, w);
    if (membrane)
        read_lanes(p, stage, output, tile, w);
}

bool snn_planes_near_run(const planes *p, int stage, planes_deltas d, planes_workspace *w, snn_error *err) {
    const planes_near *near = &p->stage[stage].near;
    if (!snn_grow((void **)&w->shift, &w->shifts, d.n, sizeof *w->shift, err))
        return false;
    for (size_t k = 0; k < near->tiles; k++) {
        snn_planes_pool_begin(p, stage, near->tile[k].first, w);
        for (size_t i = 0, n; i < d.n; i += n) {
            n = same_output(p, stage, d.delta + i, d.n - i);
            const uint32_t output = snn_planes_locate(&p->stage[stage], d.delta[i].index).output;
            const snn_planes_neuron neuron = spread(&p->stage[stage].neuron, output, w);
            for (size_t j = 0; j < n; j++) {
                const planes_weight weight = snn_planes_locate(&p->stage[stage], d.delta[i + j].index);
                w->shift[j] =
                    (snn_planes_shift){shifted_input(p, stage, &weight, &near->tile[k]), d.delta[i + j].dq};
            }
            fire(p, stage, output, &neuron, &near->tile[k], n, w);
        }
        snn_planes_pool_end(p, stage, near->tile[k].first, near->tile[k].samples, w);
    }
    return true;
}

/* Adds what the deltas of one output do in a tile: extra [steps][lanes]. */
static void correct(const planes *p, int stage, const snn_delta *delta, size_t n, const planes_tile *tile,
                    int32_t *extra) {
    memset(extra, 0, (size_t)tile->steps * tile->lanes * sizeof *extra);
    for (size_t i = 0; i < n; i++) {
        const planes_weight w = snn_planes_locate(&p->stage[stage], delta[i].index);
        const uint16_t *input = shifted_input(p, stage, &w, tile);
        for (int t = 0; t < tile->steps; t++)
            p->kernels->correct(extra + (size_t)t * tile->lanes, input + (size_t)t * tile->input_lanes,
                                delta[i].dq, tile->lanes);
    }
}

bool snn_planes_near_extra(const planes *p, int stage, planes_deltas d, size_t tile, planes_workspace *w,
                           snn_error *err) {
    const planes_stage *g = &p->stage[stage];
    const planes_tile *t = &g->near.tile[tile];
    const size_t size = (size_t)t->steps * t->lanes;
    int32_t slots = 0;
    for (size_t j = 0; j < (size_t)g->blocks * BLOCK; j++)
        w->slot[j] = -1;
    for (size_t i = 0, n; i < d.n; i += n) {
        n = same_output(p, stage, d.delta + i, d.n - i);
        if (!snn_grow((void **)&w->extra, &w->extra_capacity, ((size_t)slots + 1) * size, sizeof *w->extra,
                      err))
            return false;
        correct(p, stage, d.delta + i, n, t, w->extra + (size_t)slots * size);
        w->slot[snn_planes_locate(&p->stage[stage], d.delta[i].index).output] = slots++;
    }
    return true;
}

/* In vector operations: two for each delta, ten for each output (many deltas may share one). */
double snn_planes_near_cost(const planes *p, int stage, planes_deltas d) {
    const planes_stage *g = &p->stage[stage];
    const double outputs = d.n < g->outputs ? (double)d.n : (double)g->outputs;
    return (double)g->near.lanes / 16 * (3 * (double)d.n + 10 * outputs);
}
