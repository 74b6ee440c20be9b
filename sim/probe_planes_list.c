/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fitness probe for convolutions: the inputs of a stage that changed (or all that are active) as entries of rows, by step and pixel. */
#include "probe_planes.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = SNN_PLANES_BLOCK };

static bool reserve(planes_list *l, size_t n, snn_error *err) {
    n += 16; /* more may be read, not used */
    if (n <= l->entries && n <= l->counts && n + 1 <= l->befores)
        return true;
    return snn_grow((void **)&l->entry, &l->entries, n, sizeof *l->entry, err) &&
           snn_grow((void **)&l->count, &l->counts, n, sizeof *l->count, err) &&
           snn_grow((void **)&l->before, &l->befores, n + 1, sizeof *l->before, err);
}

static inline void push(planes_list *l, size_t n, uint32_t entry, int32_t count) {
    l->entry[n] = entry;
    l->count[n] = (int8_t)count;
    l->before[n + 1] = l->before[n] + count;
}

/* One step of bits, from entry n on: fills first [pixels]. */
static size_t list_bits(const planes_signal *g, const planes_difference *d, size_t step, bool all,
                        planes_list *l, size_t n, uint32_t *first) {
    const uint32_t words = g->words, channels = g->shape.channels;
    const uint64_t *before = g->bits + step * g->pixels * words,
                   *changed = planes_changed(g, d, step * g->pixels);
    uint32_t *entry = l->entry;
    int8_t *count = l->count;
    int32_t *sum = l->before, total = sum[n];
    uint32_t x = 0;
    for (size_t i = 0; i < g->pixels; i++, before += words, changed += words) {
        first[i] = (uint32_t)n;
        for (uint32_t k = 0; k < words; k++) {
            const uint64_t now = before[k] ^ changed[k];
            for (uint64_t bits = all ? now : changed[k]; bits; bits &= bits - 1) {
                const uint32_t c = (uint32_t)__builtin_ctzll(bits);
                const int32_t sign = now >> c & 1 ? 1 : -1;
                entry[n] = (x * channels + k * BLOCK + c) * BLOCK;
                count[n] = (int8_t)sign;
                sum[++n] = total += sign;
            }
        }
        l->touched[i] |= n > first[i];
        x = x + 1 == g->shape.width ? 0 : x + 1;
    }
    return n;
}

/* before: NULL for nothing. */
static bool list_counts(planes_list *l, size_t *n, uint32_t base, const uint16_t *before, const uint16_t *now,
                        uint32_t channels, snn_error *err) {
    for (uint32_t c = 0; c < channels; c++) {
        int32_t count = now[c] - (before ? before[c] : 0);
        if (!reserve(l, *n + (size_t)abs(count) / SNN_PLANES_COUNT + 1, err))
            return false;
        while (count) {
            const int32_t part = count > SNN_PLANES_COUNT    ? SNN_PLANES_COUNT
                                 : count < -SNN_PLANES_COUNT ? -SNN_PLANES_COUNT
                                                             : count;
            push(l, (*n)++, base + c * BLOCK, part);
            count -= part;
        }
    }
    return true;
}

/* The same of counts. */
static bool list_counted(const planes_signal *g, const planes_difference *d, size_t step, bool all,
                         planes_list *l, size_t *n, uint32_t *first, snn_error *err) {
    const uint32_t channels = g->shape.channels;
    for (size_t i = 0, at = step * g->pixels; i < g->pixels; i++, at++) {
        const bool moved = d->moved && d->moved[at - d->origin];
        const uint16_t *before = g->count + at * channels,
                       *now = moved ? d->count + (at - d->origin) * channels : before;
        first[i] = (uint32_t)*n;
        if ((all || moved) && !list_counts(l, n, (uint32_t)i % g->shape.width * channels * BLOCK,
                                           all ? NULL : before, now, channels, err))
            return false;
        l->touched[i] |= *n > first[i];
    }
    return true;
}

bool planes_list_sample(const planes *p, int stage, size_t sample, bool all, planes_workspace *w,
                        snn_error *err) {
    const planes_signal *g = &p->signal[stage];
    planes_list *l = &w->list;
    size_t n = 0;
    if (!reserve(l, 1, err))
        return false;
    l->before[0] = 0;
    memset(l->touched, 0, g->pixels);
    for (int t = 0; t < planes_steps(p, sample); t++) {
        uint32_t *first = l->first + (size_t)t * (g->pixels + 1);
        const size_t step = p->first_step[sample] + (size_t)t;
        if (!reserve(l, n + (g->counted ? 1 : g->pixels * g->shape.channels), err))
            return false;
        if (!g->counted)
            n = list_bits(g, &w->difference[stage], step, all, l, n, first);
        else if (!list_counted(g, &w->difference[stage], step, all, l, &n, first, err))
            return false;
        first[g->pixels] = (uint32_t)n;
    }
    l->n = n;
    return true;
}

bool planes_list_reserve(const planes *p, planes_workspace *w, snn_error *err) {
    size_t pixels = 1;
    for (int i = 0; i <= p->stages; i++)
        pixels = p->signal[i].pixels > pixels ? p->signal[i].pixels : pixels;
    w->list.first = snn_alloc((pixels + 1) * sizeof *w->list.first, (size_t)p->most_steps + 1,
                              "a workspace of a probe", err);
    w->list.touched = snn_alloc(pixels, 1, "a workspace of a probe", err);
    return w->list.first && w->list.touched;
}

void planes_list_free(planes_list *l) {
    free(l->entry);
    free(l->count);
    free(l->before);
    free(l->first);
    free(l->touched);
}
