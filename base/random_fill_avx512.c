/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Philox blocks for AVX-512; the method is told in random_fill_avx2.c. */
#include "random_fill.h"

#include <immintrin.h>
#include <string.h>

#define LANES 8
#define GROUPS 4
#define XOR3 0x96 /* truth table of a ^ b ^ c */

static inline void rounds(__m512i c[4][GROUPS], const uint32_t key[2]) {
    const __m512i m0 = _mm512_set1_epi64(SNN_PHILOX_M0), m1 = _mm512_set1_epi64(SNN_PHILOX_M1);
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < SNN_PHILOX_ROUNDS; round++) {
        const __m512i x0 = _mm512_set1_epi64(k0), x1 = _mm512_set1_epi64(k1);
#pragma GCC unroll 4
        for (int g = 0; g < GROUPS; g++) {
            __m512i p0 = _mm512_mul_epu32(m0, c[0][g]), p1 = _mm512_mul_epu32(m1, c[2][g]);
            c[0][g] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), c[1][g], x0, XOR3);
            c[2][g] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), c[3][g], x1, XOR3);
            c[1][g] = p1;
            c[3][g] = p0;
        }
        k0 += SNN_PHILOX_W0;
        k1 += SNN_PHILOX_W1;
    }
}

static inline void store(__m512i c0, __m512i c1, __m512i c2, __m512i c3, uint32_t *out) {
    const __m512i first = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i second = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    __m512i low = _mm512_mask_blend_epi32(0xaaaa, c0, _mm512_slli_epi64(c1, 32));
    __m512i high = _mm512_mask_blend_epi32(0xaaaa, c2, _mm512_slli_epi64(c3, 32));
    _mm512_storeu_si512(out, _mm512_permutex2var_epi64(low, first, high));
    _mm512_storeu_si512(out + 16, _mm512_permutex2var_epi64(low, second, high));
}

static void batch(const snn_philox_start *s, uint32_t first, uint32_t *out) {
    __m512i c[4][GROUPS];
    const __m512i step = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    for (int g = 0; g < GROUPS; g++) {
        c[0][g] = _mm512_add_epi64(_mm512_set1_epi64((int64_t)first + LANES * g), step);
        for (int i = 1; i < 4; i++)
            c[i][g] = _mm512_set1_epi64(s->counter[i]);
    }
    rounds(c, s->key);
    for (int g = 0; g < GROUPS; g++)
        store(c[0][g], c[1][g], c[2][g], c[3][g], out + 4 * LANES * g);
}

void snn_philox_fill_avx512(const snn_philox_start *s, size_t blocks, uint32_t *out) {
    uint32_t at = s->counter[0];
    for (; blocks >= LANES * GROUPS; blocks -= LANES * GROUPS) {
        batch(s, at, out);
        at += LANES * GROUPS;
        out += 4 * LANES * GROUPS;
    }
    if (blocks > 0) {
        uint32_t rest[4 * LANES * GROUPS];
        batch(s, at, rest);
        memcpy(out, rest, 16 * blocks);
    }
}
