/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: pools, computed where an input changed. */
#include "probe_planes.h"

#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

typedef struct {
    const planes_stage *g;
    const planes_signal *in, *out;
    const planes_difference *from;
    planes_difference *to;
} pooling;

/* Or of spikes: a window at `corner` (pixel of the step's plane). Returns whether any output changed. */
static bool pool_bits(const pooling *k, size_t corner, size_t output) {
    const uint32_t words = k->in->words;
    const size_t line = k->in->shape.width;
    const uint64_t *from = planes_changed(k->in, k->from, corner), *before = k->in->bits + corner * words;
    uint64_t any = 0;
    for (uint32_t i = 0; i < words; i++) {
        uint64_t now = 0, changed = 0;
        for (uint32_t y = 0; y < k->g->kernel_height; y++)
            for (uint32_t x = 0; x < k->g->kernel_width; x++)
                changed |= from[(y * line + x) * words + i];
        if (!changed)
            continue;
        for (uint32_t y = 0; y < k->g->kernel_height; y++)
            for (uint32_t x = 0; x < k->g->kernel_width; x++) {
                const size_t at = (y * line + x) * words + i;
                now |= before[at] ^ from[at];
            }
        now ^= k->out->bits[output * words + i];
        planes_changed(k->out, k->to, output)[i] = now;
        any |= now;
    }
    return any != 0;
}

static bool window_moved(const pooling *k, size_t corner) {
    for (uint32_t y = 0; y < k->g->kernel_height; y++)
        for (uint32_t x = 0; x < k->g->kernel_width; x++) {
            const size_t at = corner + y * k->in->shape.width + x;
            if (k->in->counted && k->from->moved[at - k->from->origin])
                return true;
            for (uint32_t i = 0; !k->in->counted && i < k->in->words; i++)
                if (planes_changed(k->in, k->from, at)[i])
                    return true;
        }
    return false;
}

static uint32_t value(const pooling *k, size_t at, uint32_t channel) {
    const uint32_t channels = k->in->shape.channels, word = channel / BLOCK;
    if (!k->in->counted)
        return (k->in->bits[at * k->in->words + word] ^ planes_changed(k->in, k->from, at)[word]) >>
                   channel % BLOCK &
               1;
    const size_t here = at - k->from->origin;
    return k->from->moved[here] ? k->from->count[here * channels + channel]
                                : k->in->count[at * channels + channel];
}

/* Counts: largest or sum. */
static bool pool_counts(const pooling *k, size_t corner, size_t output) {
    const uint32_t channels = k->in->shape.channels;
    const size_t here = output - k->to->origin;
    if (!window_moved(k, corner))
        return false;
    uint16_t *to = k->to->count + here * channels;
    for (uint32_t c = 0; c < channels; c++) {
        uint32_t most = 0, sum = 0;
        for (uint32_t y = 0; y < k->g->kernel_height; y++)
            for (uint32_t x = 0; x < k->g->kernel_width; x++) {
                const uint32_t v = value(k, corner + y * k->in->shape.width + x, c);
                most = v > most ? v : most;
                sum += v;
            }
        to[c] = (uint16_t)(k->g->s->type == SNN_LAYER_POOL_MAX ? most : sum);
    }
    k->to->moved[here] = memcmp(to, k->out->count + output * channels, channels * sizeof *to) != 0;
    return k->to->moved[here];
}

/* A row of windows of the usual pool. */
static bool pool_row(const planes *p, const pooling *k, size_t corner, size_t output) {
    const snn_planes_pool row = {
        .bits = k->in->bits + corner,
        .changed = planes_changed(k->in, k->from, corner),
        .line = k->in->shape.width,
        .before = k->out->bits + output,
        .to = planes_changed(k->out, k->to, output),
        .windows = k->out->shape.width,
    };
    return p->kernels->pool_pairs(&row) != 0;
}

/* Asks for the base of a step (inlined, because compilers drop calls that only prefetch). */
static inline __attribute__((always_inline)) void fetch_bits(const planes_signal *g, size_t step) {
    const size_t n = g->pixels * g->words;
    for (size_t i = 0; !g->counted && i < n; i += 64 / sizeof *g->bits)
        __builtin_prefetch(g->bits + step * n + i);
}

static bool pool_step(const planes *p, const pooling *k, size_t step) {
    const snn_shape out = k->out->shape;
    bool any = false;
    const bool usual = !k->in->counted && !k->out->counted && k->in->words == 1 && k->g->kernel_width == 2 &&
                       k->g->stride == 2;
    fetch_bits(k->in, step + 1);
    for (uint32_t y = 0; usual && y < out.height; y++)
        any |= pool_row(p, k, step * k->in->pixels + (size_t)y * 2 * k->in->shape.width,
                        step * k->out->pixels + (size_t)y * out.width);
    for (uint32_t y = 0; !usual && y < out.height; y++)
        for (uint32_t x = 0; x < out.width; x++) {
            const size_t corner = step * k->in->pixels + (size_t)y * k->g->stride * k->in->shape.width +
                                  (size_t)x * k->g->stride,
                         output = step * k->out->pixels + (size_t)y * out.width + x;
            any |= k->out->counted ? pool_counts(k, corner, output) : pool_bits(k, corner, output);
        }
    return any;
}

void snn_planes_pool_run(const planes *p, int stage, size_t first, size_t n, planes_workspace *w) {
    const pooling k = {&p->stage[stage], &p->signal[stage], &p->signal[stage + 1], &w->difference[stage],
                       &w->difference[stage + 1]};
    for (size_t s = first; s < first + n; s++)
        for (size_t t = p->first_step[s]; k.from->dirty[s] && t < p->first_step[s + 1]; t++)
            k.to->dirty[s] |= pool_step(p, &k, t);
}

void snn_planes_forget(const planes *p, int signal, size_t first, size_t n, planes_workspace *w) {
    const planes_signal *g = &p->signal[signal];
    planes_difference *d = &w->difference[signal];
    for (size_t s = first; s < first + n; s++) {
        if (!d->dirty[s])
            continue;
        const size_t at = p->first_step[s] * g->pixels, pixels = (size_t)planes_steps(p, s) * g->pixels;
        if (g->counted)
            memset(d->moved + (at - d->origin), 0, pixels);
        else
            memset(planes_changed(g, d, at), 0, pixels * g->words * sizeof *d->changed);
        d->dirty[s] = false;
    }
}

static bool is_pooled(const planes *p, int signal) {
    return signal < p->stages && p->stage[signal].pool;
}

void snn_planes_pool_begin(const planes *p, int stage, size_t first, planes_workspace *w) {
    for (int i = stage + 1; !w->whole && is_pooled(p, i); i++)
        w->difference[i].origin = p->first_step[first] * p->signal[i].pixels;
}

void snn_planes_pool_end(const planes *p, int stage, size_t first, size_t n, planes_workspace *w) {
    for (int i = stage + 1; !w->whole && is_pooled(p, i); i++) {
        snn_planes_pool_run(p, i, first, n, w);
        snn_planes_forget(p, i, first, n, w);
    }
}
