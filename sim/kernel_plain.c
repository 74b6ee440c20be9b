/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's inner loops in portable C: the twin that every SIMD variant is tested against, and the choice between them. */
#include "kernel.h"

#include <string.h>

static uint32_t plain_position(uint32_t j, uint32_t outputs) {
    (void)outputs;
    return j;
}

uint32_t snn_interleaved_position(uint32_t j, uint32_t outputs, uint32_t widest) {
    uint32_t start = 0, chunk = widest;
    while (chunk > SNN_PAD && (j - start >= (outputs - start) / chunk * chunk)) {
        start += (outputs - start) / chunk * chunk;
        chunk /= 2;
    }
    start += (j - start) / chunk * chunk;
    j -= start;
    const uint32_t half = chunk / 2, high = j >= half;
    j -= high * half;
    return start + j / 8 * 16 + high * 8 + j % 8;
}

static void plain_sum_spikes(const snn_row_sum *r, int32_t *sum) {
    memset(sum, 0, r->outputs * sizeof *sum);
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i++) {
            const int8_t *row = g->base + (size_t)g->entry[i] * r->stride;
            for (uint32_t j = 0; j < r->outputs; j++)
                sum[j] += row[j];
        }
    }
}

static void plain_sum_counts(const snn_row_sum *r, int32_t *sum) {
    memset(sum, 0, r->outputs * sizeof *sum);
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i++) {
            const int8_t *row = g->base + (size_t)g->count[i].index * r->stride;
            const int32_t count = (int32_t)g->count[i].count;
            for (uint32_t j = 0; j < r->outputs; j++)
                sum[j] += row[j] * count;
        }
    }
}

static void plain_sum_dense(const snn_dense_sum *d, int32_t *sum) {
    memset(sum, 0, (size_t)d->pixels * d->outputs * sizeof *sum);
    for (uint32_t p = 0; p < d->pixels; p++) {
        int32_t *out = sum + (size_t)p * d->outputs;
        const int8_t *w = d->weights;
        for (uint32_t l = 0; l < d->lines; l++) {
            const uint8_t *in = d->input + p * d->pixel_step + l * d->line_step;
            for (uint32_t i = 0; i < d->line_bytes; i += 4, w += 4 * d->outputs)
                for (uint32_t j = 0; j < d->outputs; j++)
                    out[j] += in[i] * w[4 * j] + in[i + 1] * w[4 * j + 1] + in[i + 2] * w[4 * j + 2] +
                              in[i + 3] * w[4 * j + 3];
        }
    }
}

static inline uint32_t lif_float(const snn_lif_float *p, uint32_t n, const int32_t *sum, const float *input,
                                 float *v, uint8_t *spike, float *membrane, uint64_t *changed) {
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < n; j++) {
        float current = (sum ? (float)sum[j] : input[j]) * p->factor[j];
        if (p->bias)
            current = current + p->bias[j];
        const float before = v[j], now = before * p->decay + current;
        const bool s = p->spiking && (p->at_threshold ? now >= p->threshold : now > p->threshold);
        if (membrane)
            membrane[j] = now;
        v[j] = !s ? now : p->subtract ? now - p->threshold : 0.0f;
        if (changed)
            *changed += v[j] != before;
        spike[j] = s;
        spikes += s;
    }
    return spikes;
}

static uint32_t plain_lif_float(const snn_lif_float *p, uint32_t n, const int32_t *sum, float *v,
                                uint8_t *spike, float *membrane, uint64_t *changed) {
    return lif_float(p, n, sum, NULL, v, spike, membrane, changed);
}

uint32_t snn_plain_lif_current(const snn_lif_float *p, uint32_t n, const float *current, float *v,
                               uint8_t *spike, float *membrane, uint64_t *changed) {
    return lif_float(p, n, NULL, current, v, spike, membrane, changed);
}

/* unit: of the sums, in 1/64 weight LSB */
static inline uint32_t lif_fixed(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t unit,
                                 int32_t *v, uint8_t *spike, int32_t *membrane, uint64_t *changed) {
    uint32_t spikes = 0;
    for (uint32_t j = 0; j < n; j++) {
        const int32_t before = v[j];
        int32_t now =
            (int32_t)((int64_t)before * p->decay / 4096) + unit * sum[j]; /* C divides toward zero */
        if (p->bias)
            now += p->bias[j];
        const bool s = p->spiking && (p->at_threshold ? now >= p->threshold[j] : now > p->threshold[j]);
        if (membrane)
            membrane[j] = now;
        v[j] = !s ? now : p->subtract ? now - p->threshold[j] : 0;
        if (changed)
            *changed += v[j] != before;
        spike[j] = s;
        spikes += s;
    }
    return spikes;
}

static uint32_t plain_lif_fixed(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v,
                                uint8_t *spike, int32_t *membrane, uint64_t *changed) {
    return lif_fixed(p, n, sum, 64, v, spike, membrane, changed);
}

uint32_t snn_plain_lif_fine(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v,
                            uint8_t *spike, int32_t *membrane, uint64_t *changed) {
    return lif_fixed(p, n, sum, 1, v, spike, membrane, changed);
}

static size_t plain_list_nonzero(const uint8_t *plane, size_t n, uint32_t base, uint32_t *entry) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        entry[found] = base + (uint32_t)i;
        found += plane[i] != 0;
    }
    return found;
}

static snn_list_extent plain_list_extent(const snn_spike *spike, size_t n) {
    snn_list_extent x = {0, 0, 0};
    for (size_t i = 0; i < n; i++) {
        x.largest_index = spike[i].index > x.largest_index ? spike[i].index : x.largest_index;
        x.largest_count = spike[i].count > x.largest_count ? spike[i].count : x.largest_count;
        x.total += spike[i].count;
    }
    return x;
}

static uint32_t plain_pool_max(const uint8_t *in, size_t pixel_step, size_t line_step, uint32_t k,
                               uint32_t channels, uint8_t *out) {
    uint32_t nonzero = 0;
    memcpy(out, in, channels);
    for (uint32_t y = 0; y < k; y++)
        for (uint32_t x = 0; x < k; x++) {
            const uint8_t *p = in + y * line_step + x * pixel_step;
            for (uint32_t c = 0; c < channels; c++)
                out[c] = out[c] > p[c] ? out[c] : p[c];
        }
    for (uint32_t c = 0; c < channels; c++)
        nonzero += out[c] != 0;
    return nonzero;
}

const snn_kernels snn_kernels_plain = {
    .level = SNN_SIMD_PLAIN,
    .position = plain_position,
    .sum_spikes = plain_sum_spikes,
    .sum_counts = plain_sum_counts,
    .sum_dense = plain_sum_dense,
    .dense_above = 0.9f,
    .lif_float = plain_lif_float,
    .lif_fixed = plain_lif_fixed,
    .list_nonzero = plain_list_nonzero,
    .list_extent = plain_list_extent,
    .pool_max = plain_pool_max,
};

const snn_kernels *snn_kernels_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return &snn_kernels_avx512;
    if (level == SNN_SIMD_AVX2)
        return &snn_kernels_avx2;
#endif
    (void)level;
    return &snn_kernels_plain;
}
