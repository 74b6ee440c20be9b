/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: turns the spikes of one time step, a list in C order or a plane, into what a stage reads. */
#include "engine_internal.h"

#include <string.h>

bool snn_list_reserve(snn_step_list *l, size_t need, snn_error *err) {
    size_t spikes = l->capacity, counts = l->capacity;
    need += SNN_PAD; /* kernels store whole vectors */
    if (!snn_grow((void **)&l->entry, &spikes, need, sizeof *l->entry, err) ||
        !snn_grow((void **)&l->count, &counts, need, sizeof *l->count, err))
        return false;
    l->capacity = spikes;
    return true;
}

/* List entries that counts take when none may exceed SNN_COUNT_MAX. */
static size_t entries_for(const snn_spike *spike, size_t n, bool *counted) {
    size_t entries = 0;
    *counted = false;
    for (size_t i = 0; i < n; i++) {
        entries += (spike[i].count + SNN_COUNT_MAX - 1) / SNN_COUNT_MAX;
        *counted |= spike[i].count > 1;
    }
    return entries;
}

static size_t put_split(snn_spike *to, uint32_t index, uint32_t count) {
    size_t n = 0;
    for (; count > SNN_COUNT_MAX; count -= SNN_COUNT_MAX)
        to[n++] = (snn_spike){index, SNN_COUNT_MAX};
    to[n++] = (snn_spike){index, count};
    return n;
}

/* Pixel of the padded source and position in its line. */
static uint32_t input_pixel(const snn_stage *s, uint32_t index, uint32_t *position) {
    const uint32_t area = s->in.height * s->in.width, c = index / area, rest = index % area;
    const uint32_t y = rest / s->in.width + s->source.border, x = rest % s->in.width + s->source.border;
    *position = x * s->source.pitch + c;
    return y * s->source.width + x;
}

/* Counting sort of the input spikes by pixel. */
static bool bucket_by_pixel(snn_step_list *l, const snn_stage *s, const snn_spike *spike, size_t n,
                            snn_error *err) {
    const uint32_t pixels = s->source.height * s->source.width;
    bool counted;
    const size_t entries = entries_for(spike, n, &counted);
    if (!snn_list_reserve(l, entries, err))
        return false;
    uint32_t position;
    memset(l->first, 0, (pixels + 1) * sizeof *l->first);
    for (size_t i = 0; i < n; i++)
        l->first[input_pixel(s, spike[i].index, &position) + 1] +=
            (spike[i].count + SNN_COUNT_MAX - 1) / SNN_COUNT_MAX;
    for (uint32_t p = 0; p < pixels; p++)
        l->first[p + 1] += l->first[p];
    /* Filling moves each bucket's start to its end; shifted back afterwards. */
    for (size_t i = 0; i < n; i++) {
        uint32_t *at = &l->first[input_pixel(s, spike[i].index, &position)];
        if (counted)
            *at += (uint32_t)put_split(l->count + *at, position, spike[i].count);
        else
            l->entry[(*at)++] = position;
    }
    memmove(l->first + 1, l->first, pixels * sizeof *l->first);
    l->first[0] = 0;
    l->n = entries;
    l->counted = counted;
    l->counts = l->count;
    return true;
}

bool snn_list_from_input(snn_step_list *l, const snn_stage *s, const snn_spike *spike, size_t n,
                         uint32_t largest_count, snn_error *err) {
    if (s->type == SNN_LAYER_CONV2D)
        return bucket_by_pixel(l, s, spike, n, err);
    l->counted = true;
    l->counts = spike;
    l->n = n;
    if (largest_count <= SNN_COUNT_MAX)
        return true;
    if (!snn_list_reserve(l, entries_for(spike, n, &l->counted), err))
        return false;
    l->counted = true;
    l->counts = l->count;
    l->n = 0;
    for (size_t i = 0; i < n; i++)
        l->n += put_split(l->count + l->n, spike[i].index, spike[i].count);
    return true;
}

/* Gives the entries their counts; a large one is split into several. */
bool snn_list_add_counts(snn_step_list *l, const snn_stage *s, const uint8_t *plane, snn_error *err) {
    const uint32_t width = s->source.width,
                   pixels = s->type == SNN_LAYER_CONV2D ? s->source.height * width : 1;
    const size_t line = (size_t)width * s->source.pitch;
    size_t n = 0, done = 0;
    if (!snn_list_reserve(l, 3 * l->n, err)) /* 255 = 127 + 127 + 1 */
        return false;
    for (uint32_t p = 0; p < pixels; p++) {
        const size_t end = s->type == SNN_LAYER_CONV2D ? l->first[p + 1] : l->n;
        const uint8_t *from = plane + p / width * line;
        if (s->type == SNN_LAYER_CONV2D)
            l->first[p] = (uint32_t)n;
        for (; done < end; done++)
            n += put_split(l->count + n, l->entry[done], from[l->entry[done]]);
    }
    if (s->type == SNN_LAYER_CONV2D)
        l->first[pixels] = (uint32_t)n;
    l->n = n;
    l->counted = true;
    l->counts = l->count;
    return true;
}

/* Nonzero positions of each pixel's channels, pixel by pixel: l->entry counts from the start of the line. */
static void list_pixels(snn_step_list *l, const snn_plane *g, const snn_kernels *k, const uint8_t *plane) {
    size_t n = 0;
    const uint8_t *pixel = plane;
    for (uint32_t y = 0, p = 0; y < g->height; y++)
        for (uint32_t x = 0; x < g->width; x++, p++, pixel += g->pitch) {
            l->first[p] = (uint32_t)n;
            n += k->list_nonzero(pixel, g->pitch, x * g->pitch, l->entry + n);
        }
    l->first[g->height * g->width] = (uint32_t)n;
    l->n = n;
}

bool snn_list_from_plane(snn_step_list *l, const snn_stage *s, const snn_kernels *k, const uint8_t *plane,
                         snn_error *err) {
    const snn_plane *g = &s->source;
    if (!snn_list_reserve(l, g->bytes, err))
        return false;
    l->counted = false;
    if (s->type == SNN_LAYER_LINEAR)
        l->n = k->list_nonzero(plane, g->bytes, 0, l->entry);
    else
        list_pixels(l, g, k, plane);
    return true;
}

/* A plane lists its spikes by pixel, C order goes by channel: a counting sort. */
bool snn_input_spikes(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, snn_workspace *w,
                      const snn_spike **spike, size_t *n, snn_error *err) {
    const snn_plane *g = &s->source;
    snn_step_list *l = &w->list;
    uint32_t *next = w->scratch; /* [channels + 1] */
    if (!snn_list_reserve(l, g->bytes, err))
        return false;
    list_pixels(l, g, k, plane);
    if (!snn_grow((void **)&w->ordered, &w->ordered_capacity, l->n + 1, sizeof *w->ordered, err))
        return false;
    memset(next, 0, (g->shape.channels + 1) * sizeof *next);
    for (uint32_t p = 0; p < g->height * g->width; p++)
        for (uint32_t i = l->first[p], start = p % g->width * g->pitch; i < l->first[p + 1]; i++)
            next[l->entry[i] - start + 1]++;
    for (uint32_t c = 0; c < g->shape.channels; c++)
        next[c + 1] += next[c];
    const uint32_t area = g->shape.height * g->shape.width;
    for (uint32_t y = 0; y < g->shape.height; y++)
        for (uint32_t x = 0; x < g->shape.width; x++) {
            const size_t p = (size_t)(y + g->border) * g->width + x + g->border;
            const uint32_t start = (x + g->border) * g->pitch, at = y * g->shape.width + x;
            for (uint32_t i = l->first[p]; i < l->first[p + 1]; i++) {
                const uint32_t c = l->entry[i] - start;
                w->ordered[next[c]++] = (snn_spike){c * area + at, plane[p * g->pitch + c]};
            }
        }
    *spike = w->ordered;
    *n = l->n;
    return true;
}
