/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: writes what is kept of the base, when it is built and when it moves. */
#include "probe_planes.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

/* ---- sums ---- */

/* A part of the sums: `size` of them, the first one at `first`. */
typedef struct {
    size_t index, first, size;
} part;

static bool widen(planes_sums *s, const part *p, snn_error *err) {
    int32_t *wide = s->wide[p->index] = snn_alloc(p->size, sizeof *wide, "sums of a probe", err);
    for (size_t i = 0; wide && i < p->size; i++)
        wide[i] = s->narrow[p->first + i];
    return wide != NULL;
}

/* Do they fit 16 bits? */
static bool are_narrow(const int32_t *sum, size_t step, size_t n) {
    int32_t beyond = 0;
    for (size_t i = 0; i < n; i++)
        beyond |= sum[i * step] ^ (int16_t)sum[i * step];
    return beyond == 0;
}

/* n sums from item `at` of the part on, `step` items apart. */
static bool put(planes_sums *s, const part *p, size_t at, size_t step, const int32_t *sum, size_t from_step,
                size_t n, snn_error *err) {
    if (!s->wide[p->index] && !are_narrow(sum, from_step, n) && !widen(s, p, err))
        return false;
    int32_t *wide = s->wide[p->index];
    int16_t *narrow = s->narrow + p->first + at;
    if (wide)
        for (size_t i = 0; i < n; i++)
            wide[at + i * step] = sum[i * from_step];
    else if (step == 1 && from_step == 1)
        for (size_t i = 0; i < n; i++)
            narrow[i] = (int16_t)sum[i];
    else
        for (size_t i = 0; i < n; i++)
            narrow[i * step] = (int16_t)sum[i * from_step];
    return true;
}

static int32_t get(const planes_sums *s, const part *p, size_t at) {
    return s->wide[p->index] ? s->wide[p->index][at] : s->narrow[p->first + at];
}

/* Where a lane of a sample stands in what is kept by channel. */
static size_t lane_at(const planes_near *n, size_t sample, uint32_t lane, int step) {
    const planes_tile *tile = &n->tile[sample / n->tile_samples];
    return planes_lane_at(tile, (uint32_t)((sample - tile->first) * n->sample_lanes + lane), step);
}

static uint32_t pixel_lane(const planes_stage *g, uint32_t pixel) {
    return pixel / g->s->out.width * g->near.width + pixel % g->s->out.width;
}

/* By output channel. */
static bool keep_lanes(planes_stage *g, size_t sample, uint32_t pixel, uint32_t output, const int32_t *sum,
                       size_t sum_step, int steps, snn_error *err) {
    planes_near *n = &g->near;
    const planes_tile *tile = &n->tile[sample / n->tile_samples];
    const uint32_t lane = (uint32_t)((sample - tile->first) * n->sample_lanes) + pixel_lane(g, pixel);
    const size_t size = (size_t)tile->steps * BLOCK;
    const part p = {output * n->parts + tile->part + lane / BLOCK,
                    output * n->lanes + tile->at + lane / BLOCK * size, size};
    return put(&n->sums, &p, lane % BLOCK, BLOCK, sum, sum_step, (size_t)steps, err);
}

bool snn_planes_keep_sums(planes *p, int stage, size_t sample, uint32_t pixel, uint32_t block, int blocks,
                          const int32_t *sum, snn_error *err) {
    planes_stage *g = &p->stage[stage];
    const size_t n = (size_t)blocks * BLOCK, row = (size_t)g->blocks * BLOCK;
    const int steps = planes_steps(p, sample);
    const part whole = {planes_part(g, sample, pixel), planes_sum_at(p, g, sample, pixel),
                        (size_t)steps * row};
    for (int t = 0; g->kept && t < steps; t++)
        if (!put(&g->sums, &whole, (size_t)t * row + block * BLOCK, 1, sum + (size_t)t * n, 1, n, err))
            return false;
    for (uint32_t j = 0; g->searched && j < n && block * BLOCK + j < g->outputs; j++)
        if (!keep_lanes(g, sample, pixel, block * BLOCK + j, sum + j, n, steps, err))
            return false;
    return true;
}

/* What a changed weight adds to one lane: to the sums by channel, and to those by pixel. */
static bool add_lane(planes *p, planes_stage *g, const planes_tile *tile, uint32_t output, uint32_t lane,
                     const int32_t *extra, snn_error *err) {
    planes_near *n = &g->near;
    const size_t sample = tile->first + n->sample[lane], pixel = n->pixel[lane],
                 row = (size_t)g->blocks * BLOCK, size = (size_t)tile->steps * BLOCK;
    const part by_channel = {output * n->parts + tile->part + lane / BLOCK,
                             output * n->lanes + tile->at + lane / BLOCK * size, size};
    const part by_pixel = {planes_part(g, sample, pixel), planes_sum_at(p, g, sample, pixel),
                           (size_t)planes_steps(p, sample) * row};
    for (int t = 0; t < planes_steps(p, sample); t++) {
        const size_t at = (size_t)t * BLOCK + lane % BLOCK;
        if (!extra[(size_t)t * tile->lanes + lane])
            continue;
        const int32_t sum = get(&n->sums, &by_channel, at) + extra[(size_t)t * tile->lanes + lane];
        if (!put(&n->sums, &by_channel, at, 1, &sum, 1, 1, err) ||
            (g->kept && !put(&g->sums, &by_pixel, (size_t)t * row + output, 1, &sum, 1, 1, err)))
            return false;
    }
    return true;
}

bool snn_planes_keep_extra(planes *p, int stage, size_t tile, const planes_workspace *w, snn_error *err) {
    planes_stage *g = &p->stage[stage];
    const planes_tile *t = &g->near.tile[tile];
    for (uint32_t j = 0; j < g->outputs; j++)
        for (uint32_t i = 0; w->slot[j] >= 0 && i < t->lanes; i++)
            if (g->near.pixel[i] != UINT32_MAX && g->near.sample[i] < t->samples &&
                !add_lane(p, g, t, j, i, w->extra + (size_t)w->slot[j] * (size_t)t->steps * t->lanes, err))
                return false;
    return true;
}

/* ---- lanes of inputs ---- */

/* Where the input channel of a pixel stands in the lanes of the stage that reads it. */
static uint16_t *input_at(planes_stage *g, const planes_signal *in, size_t sample, int step, size_t pixel,
                          uint32_t channel) {
    planes_near *n = &g->near;
    const planes_tile *tile = &n->tile[sample / n->tile_samples];
    size_t line = pixel * in->shape.channels + channel, lane = 0;
    if (g->s->type != SNN_LAYER_LINEAR) {
        const uint32_t y = (uint32_t)pixel / in->shape.width + g->padding,
                       x = (uint32_t)pixel % in->shape.width + g->padding;
        line = (size_t)channel * n->phases + y % g->stride * g->stride + x % g->stride;
        lane = (size_t)(y / g->stride) * n->width + x / g->stride;
    }
    return n->input + line * n->input_lanes + tile->input_at + (size_t)step * tile->input_lanes +
           (sample - tile->first) * n->sample_lanes + lane;
}

/* Counts of one pixel, for the stage that reads them. */
static void keep_counts(planes *p, int signal, size_t sample, int step, size_t pixel, const uint16_t *count) {
    const planes_signal *g = &p->signal[signal];
    if (signal == p->stages || !p->stage[signal].searched)
        return;
    for (uint32_t c = 0; c < g->shape.channels; c++)
        *input_at(&p->stage[signal], g, sample, step, pixel, c) = count[c];
}

void snn_planes_keep_input(planes *p) {
    const planes_signal *g = &p->signal[0];
    for (size_t s = 0; s < p->samples; s++)
        for (int t = 0; t < planes_steps(p, s); t++)
            for (size_t i = 0; i < g->pixels; i++)
                keep_counts(p, 0, s, t, i,
                            g->count + ((p->first_step[s] + (size_t)t) * g->pixels + i) * g->shape.channels);
}

/* ---- signals ---- */

/* A bit of signal `signal` turns over: in the lanes of the stage that made it and of the stage that reads it. */
static void turn(planes *p, int signal, size_t sample, int step, size_t pixel, uint32_t channel) {
    planes_stage *maker = &p->stage[signal - 1];
    if (maker->searched) {
        const size_t lane = lane_at(&maker->near, sample, pixel_lane(maker, (uint32_t)pixel), step);
        maker->near.bits[(channel * maker->near.lanes + lane) / BLOCK] ^= UINT64_C(1) << lane % BLOCK;
    }
    if (signal < p->stages && p->stage[signal].searched)
        *input_at(&p->stage[signal], &p->signal[signal], sample, step, pixel, channel) ^= 1;
}

static void keep_bits(planes *p, int signal, size_t sample, const uint64_t *changed) {
    planes_signal *g = &p->signal[signal];
    const size_t pixels = g->pixels;
    size_t at = p->first_step[sample] * pixels * g->words;
    for (int t = 0; t < planes_steps(p, sample); t++)
        for (size_t i = 0; i < pixels; i++)
            for (uint32_t k = 0; k < g->words; k++, at++) {
                for (uint64_t x = changed[at]; x; x &= x - 1)
                    turn(p, signal, sample, t, i, k * BLOCK + (uint32_t)__builtin_ctzll(x));
                const uint64_t now = g->bits[at] ^ changed[at];
                g->active[sample] += (uint64_t)__builtin_popcountll(now);
                g->active[sample] -= (uint64_t)__builtin_popcountll(g->bits[at]);
                g->bits[at] = now;
            }
}

static uint32_t entries(uint32_t count) {
    return (count + SNN_PLANES_COUNT - 1) / SNN_PLANES_COUNT;
}

static void keep_moved(planes *p, int signal, size_t sample, const planes_difference *d) {
    planes_signal *g = &p->signal[signal];
    const uint32_t channels = g->shape.channels;
    for (int t = 0; t < planes_steps(p, sample); t++)
        for (size_t i = 0; i < g->pixels; i++) {
            const size_t at = (p->first_step[sample] + (size_t)t) * g->pixels + i;
            if (!d->moved[at])
                continue;
            for (uint32_t c = 0; c < channels; c++) {
                g->active[sample] += entries(d->count[at * channels + c]);
                g->active[sample] -= entries(g->count[at * channels + c]);
                g->count[at * channels + c] = d->count[at * channels + c];
            }
            keep_counts(p, signal, sample, t, i, g->count + at * channels);
        }
}

void snn_planes_keep_signal(planes *p, int signal, const planes_difference *d) {
    for (size_t s = 0; s < p->samples; s++) {
        if (!d->dirty[s])
            continue;
        if (p->signal[signal].counted)
            keep_moved(p, signal, s, d);
        else
            keep_bits(p, signal, s, d->changed);
    }
}
