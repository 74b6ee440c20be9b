/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops of the fitness probe for convolutions, for AVX2; the method of the row sums is told in probe_planes_kernels_avx512.c. */
#include "kernel_pair.h"
#include "probe_planes_kernels.h"

#include <immintrin.h>
#include <string.h>

enum { WIDTH = 8 };
typedef __m256i vector;
typedef uint64_t mask;

INLINE vector zero(void) {
    return _mm256_setzero_si256();
}
INLINE vector add(vector a, vector b) {
    return _mm256_add_epi32(a, b);
}
INLINE vector load(const int32_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}
INLINE void store(int32_t *p, vector x) {
    _mm256_storeu_si256((__m256i *)p, x);
}
INLINE vector widen(const int16_t *p) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
}
INLINE vector scaled(const uint16_t *p, int32_t dq) {
    return _mm256_mullo_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)),
                              _mm256_set1_epi32(dq));
}
INLINE void copy16(const uint32_t *entry, const int8_t *count, uint32_t shift, uint32_t *to,
                   int8_t *to_count) {
    const __m256i by = _mm256_set1_epi32((int)shift);
    for (int i = 0; i < 16; i += 8)
        _mm256_storeu_si256((__m256i *)(to + i),
                            _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(entry + i)), by));
    _mm_storeu_si128((__m128i *)to_count, _mm_loadu_si128((const __m128i *)count));
}

INLINE mask fire_float(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    const __m256 threshold = _mm256_set1_ps(p->threshold);
    __m256 current = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(p->factor + j));
    if (p->bias)
        current = _mm256_add_ps(current, _mm256_loadu_ps(p->bias + j));
    const __m256 now =
        _mm256_add_ps(_mm256_mul_ps(_mm256_castsi256_ps(*v), _mm256_set1_ps(p->decay)), current);
    __m256 s = _mm256_setzero_ps();
    if (p->spiking)
        s = p->at_threshold ? _mm256_cmp_ps(now, threshold, _CMP_GE_OQ)
                            : _mm256_cmp_ps(now, threshold, _CMP_GT_OQ);
    *v = _mm256_castps_si256(p->subtract ? _mm256_blendv_ps(now, _mm256_sub_ps(now, threshold), s)
                                         : _mm256_andnot_ps(s, now));
    return (unsigned)_mm256_movemask_ps(s);
}

INLINE mask fire_fixed(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    const __m256d factor =
        _mm256_set1_pd(p->decay_fixed / 4096.0); /* exact: 44 bits of product fit a double */
    const __m128i low =
        _mm256_cvttpd_epi32(_mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(*v)), factor));
    const __m128i high =
        _mm256_cvttpd_epi32(_mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_extracti128_si256(*v, 1)), factor));
    const __m256i threshold = _mm256_loadu_si256((const __m256i *)(p->threshold_fixed + j));
    __m256i now = _mm256_add_epi32(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1),
                                   _mm256_slli_epi32(sum, 6));
    if (p->bias_fixed)
        now = _mm256_add_epi32(now, _mm256_loadu_si256((const __m256i *)(p->bias_fixed + j)));
    __m256i s = _mm256_setzero_si256();
    if (p->spiking) {
        s = _mm256_cmpgt_epi32(now, threshold);
        if (p->at_threshold)
            s = _mm256_or_si256(s, _mm256_cmpeq_epi32(now, threshold));
    }
    *v = p->subtract ? _mm256_sub_epi32(now, _mm256_and_si256(s, threshold)) : _mm256_andnot_si256(s, now);
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(s));
}

INLINE uint64_t join(const mask *m) {
    uint64_t all = 0;
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++)
        all |= m[k] << 8 * k;
    return all;
}

/* A load that the compiler may not repeat as a memory operand of both unpacks. */
INLINE __m256i load_once(const uint8_t *p) {
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __asm__("" : "+x"(x));
    return x;
}

INLINE void add_piece(const snn_planes_unit *u, uint32_t first, uint32_t end, int32_t total, vector *sum,
                      const int blocks) {
    __m256i acc[8];
    const __m256i raised = _mm256_set1_epi16((short)(-128 * total)); /* modulo 2^16, as the sums */
#pragma GCC unroll 8
    for (int k = 0; k < 4 * blocks; k++)
        acc[k] = raised;
    const uint8_t *rows = u->rows8;
    const uint32_t *entry = u->entry + first, *last = u->entry + end;
    const int8_t *count = u->count + first;
    const size_t block_step = u->block_step;
    for (; entry < last; entry += 2, count += 2) {
        const uint8_t *a = rows + entry[0], *b = rows + entry[1];
        int16_t pair;
        memcpy(&pair, count, sizeof pair);
        const __m256i counts = _mm256_set1_epi16(pair);
#pragma GCC unroll 4
        for (int k = 0; k < 2 * blocks; k++) {
            const size_t at = (size_t)(k / 2) * block_step + (size_t)(k % 2) * 32;
            const __m256i x = _mm256_loadu_si256((const __m256i *)(a + at)), y = load_once(b + at);
            acc[2 * k] =
                _mm256_add_epi16(acc[2 * k], _mm256_maddubs_epi16(_mm256_unpacklo_epi8(x, y), counts));
            acc[2 * k + 1] =
                _mm256_add_epi16(acc[2 * k + 1], _mm256_maddubs_epi16(_mm256_unpackhi_epi8(x, y), counts));
        }
    }
#pragma GCC unroll 8
    for (int k = 0; k < 4 * blocks; k++) {
        sum[2 * k] = add(sum[2 * k], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(acc[k])));
        sum[2 * k + 1] = add(sum[2 * k + 1], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(acc[k], 1)));
    }
}

#include "probe_planes_piece.h"

static uint32_t position(uint32_t j) {
    return snn_interleaved_position(j, SNN_PLANES_BLOCK, 32);
}

#define KERNELS snn_planes_kernels_avx2
#define LEVEL SNN_SIMD_AVX2
#define POSITION position
#include "probe_planes_kernels_body.h"
