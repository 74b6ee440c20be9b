/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: the inputs of a stage that changed (or all that are active) as entries of rows, by step and pixel. */
#include "probe_planes.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

static bool reserve(planes_list *l, size_t n, snn_error *err) {
    n += 16; /* more may be read, not used */
    if (n <= l->entries && n <= l->counts)
        return true;
    return snn_grow((void **)&l->entry, &l->entries, n, sizeof *l->entry, err) &&
           snn_grow((void **)&l->count, &l->counts, n, sizeof *l->count, err);
}

/* One step of bits, from entry n on: fills first and before [pixels + 1]. */
static size_t list_bits(const planes_signal *g, const planes_difference *d, size_t step, bool all,
                        planes_list *l, size_t n, uint32_t *first, int32_t *before) {
    const uint32_t words = g->words, line = g->shape.channels * BLOCK;
    const uint64_t *old = g->bits + step * g->pixels * words,
                   *changed = planes_changed(g, d, step * g->pixels);
    uint32_t *entry = l->entry;
    int8_t *count = l->count;
    int32_t total = 0;
    uint32_t x = 0;
    for (size_t i = 0; i < g->pixels; i++, old += words, changed += words) {
        first[i] = (uint32_t)n;
        before[i] = total;
        for (uint32_t k = 0; k < words; k++) {
            const uint64_t now = old[k] ^ changed[k];
            const uint32_t base = x * line + k * BLOCK * BLOCK;
            for (uint64_t bits = all ? now : changed[k]; bits; bits &= bits - 1) {
                const uint32_t c = (uint32_t)__builtin_ctzll(bits);
                const int32_t sign = (int32_t)(now >> c & 1) * 2 - 1;
                entry[n] = base + c * BLOCK;
                count[n++] = (int8_t)sign;
                total += sign;
            }
        }
        l->touched[i] |= n > first[i];
        x = x + 1 == g->shape.width ? 0 : x + 1;
    }
    first[g->pixels] = (uint32_t)n;
    before[g->pixels] = total;
    return n;
}

/* Channels of one pixel; old: NULL for nothing. */
static bool list_counts(planes_list *l, size_t *n, uint32_t base, const uint16_t *old, const uint16_t *now,
                        uint32_t channels, int32_t *total, snn_error *err) {
    for (uint32_t c = 0; c < channels; c++) {
        int32_t count = now[c] - (old ? old[c] : 0);
        *total += count;
        if (!reserve(l, *n + (size_t)abs(count) / SNN_PLANES_COUNT + 1, err))
            return false;
        while (count) {
            const int32_t part = count > SNN_PLANES_COUNT    ? SNN_PLANES_COUNT
                                 : count < -SNN_PLANES_COUNT ? -SNN_PLANES_COUNT
                                                             : count;
            l->entry[*n] = base + c * BLOCK;
            l->count[(*n)++] = (int8_t)part;
            count -= part;
        }
    }
    return true;
}

/* The same of counts. */
static bool list_counted(const planes_signal *g, const planes_difference *d, size_t step, bool all,
                         planes_list *l, size_t *n, uint32_t *first, int32_t *before, snn_error *err) {
    const uint32_t channels = g->shape.channels;
    int32_t total = 0;
    for (size_t i = 0, at = step * g->pixels; i < g->pixels; i++, at++) {
        const bool moved = d->moved && d->moved[at - d->origin];
        const uint16_t *old = g->count + at * channels,
                       *now = moved ? d->count + (at - d->origin) * channels : old;
        first[i] = (uint32_t)*n;
        before[i] = total;
        if ((all || moved) && !list_counts(l, n, (uint32_t)i % g->shape.width * channels * BLOCK,
                                           all ? NULL : old, now, channels, &total, err))
            return false;
        l->touched[i] |= *n > first[i];
    }
    first[g->pixels] = (uint32_t)*n;
    before[g->pixels] = total;
    return true;
}

bool snn_planes_list_sample(const planes *p, int stage, size_t sample, bool all, planes_workspace *w,
                            snn_error *err) {
    const planes_signal *g = &p->signal[stage];
    const planes_difference *d = &w->difference[stage];
    planes_list *l = &w->list;
    size_t n = 0;
    memset(l->touched, 0, g->pixels);
    for (int t = 0; t < planes_steps(p, sample); t++) {
        const size_t step = p->first_step[sample] + (size_t)t, at = (size_t)t * (g->pixels + 1);
        if (!reserve(l, n + (g->counted ? 1 : g->pixels * g->shape.channels), err))
            return false;
        if (!g->counted)
            n = list_bits(g, d, step, all, l, n, l->first + at, l->before + at);
        else if (!list_counted(g, d, step, all, l, &n, l->first + at, l->before + at, err))
            return false;
    }
    l->n = n;
    return true;
}

bool snn_planes_list_reserve(const planes *p, planes_workspace *w, snn_error *err) {
    size_t pixels = 1;
    for (int i = 0; i <= p->stages; i++)
        pixels = p->signal[i].pixels > pixels ? p->signal[i].pixels : pixels;
    w->list.first = snn_alloc((pixels + 1) * sizeof *w->list.first, (size_t)p->most_steps + 1,
                              "a workspace of a probe", err);
    w->list.before = snn_alloc((pixels + 1) * sizeof *w->list.before, (size_t)p->most_steps + 1,
                               "a workspace of a probe", err);
    w->list.touched = snn_alloc(pixels, 1, "a workspace of a probe", err);
    return w->list.first && w->list.before && w->list.touched;
}

void snn_planes_list_free(planes_list *l) {
    free(l->entry);
    free(l->count);
    free(l->before);
    free(l->first);
    free(l->touched);
}
