/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of the fitness probe for convolutions, for AVX-512. Rows are added two at a time, as in kernel_avx512.c; their values stand raised by 128, so that they are the
 * unsigned factor of pmaddubsw and the counts the signed one: entries may be taken away as well as added. What that adds is subtracted once for each piece.
 */
#include "kernel_pair.h"
#include "probe_planes_kernels.h"

#include <immintrin.h>
#include <string.h>

enum { WIDTH = 16 };
typedef __m512i vector;
typedef __mmask16 mask;

INLINE vector zero(void) {
    return _mm512_setzero_si512();
}
INLINE vector add(vector a, vector b) {
    return _mm512_add_epi32(a, b);
}
INLINE vector load(const int32_t *p) {
    return _mm512_loadu_si512(p);
}
INLINE void store(int32_t *p, vector x) {
    _mm512_storeu_si512(p, x);
}
INLINE vector widen(const int16_t *p) {
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
INLINE vector scaled(const uint16_t *p, int32_t dq) {
    return _mm512_mullo_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)),
                              _mm512_set1_epi32(dq));
}
INLINE void copy16(const uint32_t *entry, const int8_t *count, uint32_t shift, uint32_t *to,
                   int8_t *to_count) {
    _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_loadu_si512(entry), _mm512_set1_epi32((int)shift)));
    _mm_storeu_si128((__m128i *)to_count, _mm_loadu_si128((const __m128i *)count));
}

INLINE mask fire_float(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    const __m512 threshold = _mm512_set1_ps(p->threshold);
    __m512 current = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(p->factor + j));
    if (p->bias)
        current = _mm512_add_ps(current, _mm512_loadu_ps(p->bias + j));
    const __m512 now =
        _mm512_add_ps(_mm512_mul_ps(_mm512_castsi512_ps(*v), _mm512_set1_ps(p->decay)), current);
    __mmask16 s = 0;
    if (p->spiking)
        s = p->at_threshold ? _mm512_cmp_ps_mask(now, threshold, _CMP_GE_OQ)
                            : _mm512_cmp_ps_mask(now, threshold, _CMP_GT_OQ);
    *v = _mm512_castps_si512(p->subtract ? _mm512_mask_sub_ps(now, s, now, threshold)
                                         : _mm512_mask_mov_ps(now, s, _mm512_setzero_ps()));
    return s;
}

INLINE mask fire_fixed(const snn_planes_neuron *p, uint32_t j, vector sum, vector *v) {
    const __m512d factor =
        _mm512_set1_pd(p->decay_fixed / 4096.0); /* exact: 44 bits of product fit a double */
    const __m512d low = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(*v)), factor);
    const __m512d high = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(*v, 1)), factor);
    const __m512i decayed =
        _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)), _mm512_cvttpd_epi32(high), 1);
    const __m512i threshold = _mm512_loadu_si512(p->threshold_fixed + j);
    __m512i now = _mm512_add_epi32(decayed, _mm512_slli_epi32(sum, 6));
    if (p->bias_fixed)
        now = _mm512_add_epi32(now, _mm512_loadu_si512(p->bias_fixed + j));
    __mmask16 s = 0;
    if (p->spiking)
        s = p->at_threshold ? _mm512_cmpge_epi32_mask(now, threshold)
                            : _mm512_cmpgt_epi32_mask(now, threshold);
    *v = p->subtract ? _mm512_mask_sub_epi32(now, s, now, threshold)
                     : _mm512_mask_mov_epi32(now, s, _mm512_setzero_si512());
    return s;
}

INLINE uint64_t join(const mask *m) {
    const __mmask32 low = _mm512_kunpackw(m[1], m[0]), high = _mm512_kunpackw(m[3], m[2]);
    return _mm512_kunpackd(high, low);
}

/* A load that the compiler may not repeat as a memory operand of both unpacks. */
INLINE __m512i load_once(const uint8_t *p) {
    __m512i x = _mm512_loadu_si512(p);
    __asm__("" : "+v"(x));
    return x;
}

INLINE void add_piece(const snn_planes_unit *u, uint32_t first, uint32_t end, int32_t total, vector *sum,
                      const int blocks) {
    __m512i acc[4];
    const __m512i raised = _mm512_set1_epi16((short)(-128 * total)); /* modulo 2^16, as the sums */
#pragma GCC unroll 4
    for (int k = 0; k < 2 * blocks; k++)
        acc[k] = raised;
    const uint8_t *rows = u->rows8;
    const uint32_t *entry = u->entry + first, *last = u->entry + end;
    const int8_t *count = u->count + first;
    const size_t block_step = u->block_step;
    for (; entry < last; entry += 2, count += 2) {
        const uint8_t *a = rows + entry[0], *b = rows + entry[1];
        int16_t pair;
        memcpy(&pair, count, sizeof pair);
        const __m512i counts = _mm512_set1_epi16(pair);
#pragma GCC unroll 2
        for (int k = 0; k < blocks; k++) {
            const __m512i x = _mm512_loadu_si512(a + (size_t)k * block_step),
                          y = load_once(b + (size_t)k * block_step);
            acc[2 * k] =
                _mm512_add_epi16(acc[2 * k], _mm512_maddubs_epi16(_mm512_unpacklo_epi8(x, y), counts));
            acc[2 * k + 1] =
                _mm512_add_epi16(acc[2 * k + 1], _mm512_maddubs_epi16(_mm512_unpackhi_epi8(x, y), counts));
        }
    }
#pragma GCC unroll 4
    for (int k = 0; k < 2 * blocks; k++) {
        sum[2 * k] = add(sum[2 * k], _mm512_cvtepi16_epi32(_mm512_castsi512_si256(acc[k])));
        sum[2 * k + 1] = add(sum[2 * k + 1], _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(acc[k], 1)));
    }
}

#include "probe_planes_piece.h"

static uint32_t position(uint32_t j) {
    return snn_interleaved_position(j, SNN_PLANES_BLOCK, 64);
}

#define KERNELS snn_planes_kernels_avx512
#define LEVEL SNN_SIMD_AVX512
#define POSITION position
#include "probe_planes_kernels_body.h"
