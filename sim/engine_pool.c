/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: pooling, of planes between layers and of the network's input lists. */
#include "engine_internal.h"

#include <string.h>

/* Sum over a window; counts stay below 256 (checked when the engine is built). */
static uint32_t pool_sum(const uint8_t *in, size_t pixel_step, size_t line_step, uint32_t k,
                         uint32_t channels, uint8_t *out) {
    uint32_t nonzero = 0;
    memset(out, 0, channels);
    for (uint32_t y = 0; y < k; y++)
        for (uint32_t x = 0; x < k; x++)
            for (uint32_t c = 0; c < channels; c++)
                out[c] = (uint8_t)(out[c] + in[y * line_step + x * pixel_step + c]);
    for (uint32_t c = 0; c < channels; c++)
        nonzero += out[c] != 0;
    return nonzero;
}

uint32_t snn_pool_plane(const snn_stage *s, const snn_kernels *k, const uint8_t *in, uint8_t *out) {
    const size_t pixel = s->source.pitch, line = s->source.width * pixel;
    uint32_t nonzero = 0;
    for (uint32_t y = 0; y < s->out.height; y++) {
        uint8_t *to =
            out + ((size_t)(y + s->target.border) * s->target.width + s->target.border) * s->target.pitch;
        for (uint32_t x = 0; x < s->out.width; x++, to += s->target.pitch) {
            const uint8_t *from = in + y * s->stride * line + x * s->stride * pixel;
            if (s->type == SNN_LAYER_POOL_MAX)
                nonzero += k->pool_max(from, pixel, line, s->kernel, s->source.pitch, to);
            else
                nonzero += pool_sum(from, pixel, line, s->kernel, s->source.pitch, to);
        }
    }
    return nonzero;
}

/* Key of one pooled contribution: (step, output index). */
static bool push_key(snn_workspace *w, size_t *n, int step, uint32_t index, snn_error *err) {
    if (!snn_grow((void **)&w->pool_key, &w->pool_key_capacity, *n + 1, sizeof *w->pool_key, err))
        return false;
    w->pool_key[(*n)++] = (uint64_t)step << 32 | index;
    return true;
}

/* Windows that contain input coordinate x: first..last (inclusive), false when none. */
static bool windows(uint32_t x, uint32_t kernel, uint32_t stride, uint32_t outputs, uint32_t *first,
                    uint32_t *last) {
    *first = x < kernel ? 0 : (x - kernel) / stride + 1;
    *last = x / stride;
    if (*last >= outputs)
        *last = outputs - 1;
    return *first <= *last;
}

static bool pooled_keys(const snn_stage *s, const snn_spikes *in, snn_workspace *w, size_t *n,
                        snn_error *err) {
    const uint32_t area = s->in.height * s->in.width;
    for (int t = 0; t < in->steps; t++)
        for (size_t i = in->first[t]; i < in->first[t + 1]; i++) {
            const uint32_t c = in->spike[i].index / area, rest = in->spike[i].index % area;
            uint32_t y0, y1, x0, x1;
            if (!windows(rest / s->in.width, s->kernel, s->stride, s->out.height, &y0, &y1) ||
                !windows(rest % s->in.width, s->kernel, s->stride, s->out.width, &x0, &x1))
                continue;
            for (uint32_t y = y0; y <= y1; y++)
                for (uint32_t x = x0; x <= x1; x++)
                    if (!push_key(w, n, t, (c * s->out.height + y) * s->out.width + x, err))
                        return false;
        }
    return true;
}

/* The count that window (y, x) of channel c has in one step: looks its inputs up in the step's sorted list. */
static const snn_spike *find_spike(const snn_spike *spike, size_t n, uint32_t index) {
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (spike[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && spike[low].index == index ? &spike[low] : NULL;
}

static bool window_count(const snn_stage *s, const snn_spike *spike, size_t n, uint32_t output,
                         uint32_t *count) {
    const uint32_t area = s->out.height * s->out.width, c = output / area, y = output % area / s->out.width,
                   x = output % s->out.width;
    uint64_t total = 0;
    uint32_t most = 0;
    for (uint32_t ky = 0; ky < s->kernel; ky++)
        for (uint32_t kx = 0; kx < s->kernel; kx++) {
            const uint32_t index = (c * s->in.height + y * s->stride + ky) * s->in.width + x * s->stride + kx;
            const snn_spike *p = find_spike(spike, n, index);
            total += p ? p->count : 0;
            most = p && p->count > most ? p->count : most;
        }
    *count = s->type == SNN_LAYER_POOL_MAX ? most : (uint32_t)total;
    return s->type == SNN_LAYER_POOL_MAX || total <= UINT32_MAX;
}

bool snn_pool_list(const snn_stage *s, const snn_spikes *in, snn_spikes *out, snn_workspace *w,
                   snn_error *err) {
    size_t n = 0;
    if (!pooled_keys(s, in, w, &n, err) ||
        !snn_spikes_from_keys(out, snn_shape_size(s->out), in->steps, w->pool_key, n, err))
        return false;
    for (int t = 0; t < out->steps; t++)
        for (size_t i = out->first[t]; i < out->first[t + 1]; i++)
            if (!window_count(s, in->spike + in->first[t], in->first[t + 1] - in->first[t],
                              out->spike[i].index, &out->spike[i].count))
                return snn_fail(err, SNN_ERR_DATA, "step %d: pooled count of input %u is beyond 32 bits", t,
                                out->spike[i].index);
    return true;
}
