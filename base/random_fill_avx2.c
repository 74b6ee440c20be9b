/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Philox blocks for AVX2: one block per 64-bit lane, a word of the counter in the lower half of each. The multiplication ignores upper halves, so what
 * collects there does no harm until the words are put together at the end.
 */
#include "random_fill.h"

#include <immintrin.h>
#include <string.h>

#define LANES 4 /* blocks in a register */
#define GROUPS                                                                                               \
    3 /* registers on the way at once: hides the multiplication's latency; four would not fit into the 16 registers */

static inline void rounds(__m256i c[4][GROUPS], const uint32_t key[2]) {
    const __m256i m0 = _mm256_set1_epi64x(SNN_PHILOX_M0), m1 = _mm256_set1_epi64x(SNN_PHILOX_M1);
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < SNN_PHILOX_ROUNDS; round++) {
        const __m256i x0 = _mm256_set1_epi64x(k0), x1 = _mm256_set1_epi64x(k1);
#pragma GCC unroll 4
        for (int g = 0; g < GROUPS; g++) {
            __m256i p0 = _mm256_mul_epu32(m0, c[0][g]), p1 = _mm256_mul_epu32(m1, c[2][g]);
            c[0][g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c[1][g]), x0);
            c[2][g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c[3][g]), x1);
            c[1][g] = p1;
            c[3][g] = p0;
        }
        k0 += SNN_PHILOX_W0;
        k1 += SNN_PHILOX_W1;
    }
}

static inline void store(__m256i c0, __m256i c1, __m256i c2, __m256i c3, uint32_t *out) {
    __m256i low = _mm256_blend_epi32(c0, _mm256_slli_epi64(c1, 32), 0xaa);
    __m256i high = _mm256_blend_epi32(c2, _mm256_slli_epi64(c3, 32), 0xaa);
    __m256i even = _mm256_unpacklo_epi64(low, high), odd = _mm256_unpackhi_epi64(low, high);
    _mm256_storeu_si256((__m256i *)out, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(out + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}

static void batch(const snn_philox_start *s, uint32_t first, uint32_t *out) {
    __m256i c[4][GROUPS];
    const __m256i step = _mm256_set_epi64x(3, 2, 1, 0);
    for (int g = 0; g < GROUPS; g++) {
        /* The upper half may receive a carry, which is ignored. */
        c[0][g] = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)first + LANES * g), step);
        for (int i = 1; i < 4; i++)
            c[i][g] = _mm256_set1_epi64x(s->counter[i]);
    }
    rounds(c, s->key);
    for (int g = 0; g < GROUPS; g++)
        store(c[0][g], c[1][g], c[2][g], c[3][g], out + 4 * LANES * g);
}

void snn_philox_fill_avx2(const snn_philox_start *s, size_t blocks, uint32_t *out) {
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
