/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops of the fitness probe for convolutions in portable C, one neuron at a time, and the choice among the sets. */
#include "kernel_pair.h"
#include "probe_planes_kernels.h"

#include <string.h>

enum { WIDTH = 1 };
typedef int32_t vector; /* a float membrane is kept by its bits */
typedef bool mask;

INLINE vector zero(void) {
    return 0;
}
INLINE vector add(vector a, vector b) {
    return a + b;
}
INLINE vector load(const int32_t *p) {
    return *p;
}
INLINE void store(int32_t *p, vector x) {
    *p = x;
}
INLINE vector widen(const int16_t *p) {
    return *p;
}
INLINE vector scaled(const uint16_t *p, int32_t dq) {
    return *p * dq;
}
INLINE void copy16(const uint32_t *entry, const int8_t *count, uint32_t shift, uint32_t *to,
                   int8_t *to_count) {
    for (int i = 0; i < 16; i++)
        to[i] = entry[i] + shift;
    memcpy(to_count, count, 16);
}

INLINE mask fire_float(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    float before, current = (float)sum * p->factor[j];
    memcpy(&before, v, sizeof before);
    if (p->bias)
        current = current + p->bias[j];
    const float now = before * p->decay + current;
    const bool s = p->spiking && (p->at_threshold ? now >= p->threshold : now > p->threshold);
    const float after = !s ? now : p->subtract ? now - p->threshold : 0.0f;
    memcpy(v, &after, sizeof after);
    return s;
}

INLINE mask fire_fixed(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    int32_t now = (int32_t)((int64_t)*v * p->decay_fixed / 4096) + 64 * sum; /* C divides toward zero */
    if (p->bias_fixed)
        now += p->bias_fixed[j];
    const int32_t threshold = p->threshold_fixed[j];
    const bool s = p->spiking && (p->at_threshold ? now >= threshold : now > threshold);
    *v = !s ? now : p->subtract ? now - threshold : 0;
    return s;
}

INLINE uint64_t join(const mask *m) {
    uint64_t all = 0;
    for (int k = 0; k < SNN_PLANES_BLOCK; k++)
        all |= (uint64_t)m[k] << k;
    return all;
}

INLINE void sum_rows8(const snn_planes_unit *u, int step, uint32_t first, uint32_t end, vector *sum,
                      const int blocks) {
    (void)step;
    for (uint32_t i = first; i < end; i++)
        for (int b = 0; b < blocks; b++) {
            const uint8_t *row = u->rows8 + u->entry[i] + (size_t)b * u->block_step;
            for (int j = 0; j < SNN_PLANES_BLOCK; j++)
                sum[b * SNN_PLANES_BLOCK + j] += (row[j] - 128) * u->count[i];
        }
}

static uint32_t position(uint32_t j) {
    return j;
}

#define KERNELS snn_planes_kernels_plain
#define LEVEL SNN_SIMD_PLAIN
#define POSITION position
#include "probe_planes_kernels_body.h"

const snn_planes_kernels *snn_planes_kernels_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return &snn_planes_kernels_avx512;
    if (level == SNN_SIMD_AVX2)
        return &snn_planes_kernels_avx2;
#endif
    (void)level;
    return &snn_planes_kernels_plain;
}
