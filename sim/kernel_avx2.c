/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's inner loops for AVX2. Twins of kernel_plain.c; the method of the row sums is told in kernel_avx512.c. */
#include "kernel_pair.h"

#include <immintrin.h>
#include <string.h>

static uint32_t avx2_position(uint32_t j, uint32_t outputs) {
    return snn_interleaved_position(j, outputs, 32);
}

/* ---- row sums, blocks of `chunks` x 32 outputs held in registers ---- */

/* A load that the compiler may not repeat as a memory operand of both unpacks. */
INLINE __m256i load_once(const int8_t *p) {
    __m256i x = _mm256_loadu_si256((const __m256i *)p);
    __asm__("" : "+x"(x));
    return x;
}

INLINE void add_pair(const row_pair *p, __m256i *acc, const int chunks) {
    const __m256i counts = _mm256_set1_epi16((short)p->counts);
#pragma GCC unroll 8
    for (int c = 0; c < chunks; c++) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(p->a + 32 * c));
        const __m256i b = load_once(p->b + 32 * c);
        acc[2 * c] = _mm256_add_epi16(acc[2 * c], _mm256_maddubs_epi16(counts, _mm256_unpacklo_epi8(a, b)));
        acc[2 * c + 1] =
            _mm256_add_epi16(acc[2 * c + 1], _mm256_maddubs_epi16(counts, _mm256_unpackhi_epi8(a, b)));
    }
}

INLINE void spill(__m256i *acc, int32_t *sum, const int chunks, bool add) {
#pragma GCC unroll 16
    for (int c = 0; c < 2 * chunks; c++) {
        __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(acc[c]));
        __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(acc[c], 1));
        __m256i *s = (__m256i *)(sum + 16 * c);
        if (add) {
            low = _mm256_add_epi32(low, _mm256_loadu_si256(s));
            high = _mm256_add_epi32(high, _mm256_loadu_si256(s + 1));
        }
        _mm256_storeu_si256(s, low);
        _mm256_storeu_si256(s + 1, high);
        acc[c] = _mm256_setzero_si256();
    }
}

INLINE void sum_block(const snn_row_sum *r, uint32_t first, int32_t *sum, const int chunks,
                      const bool counted) {
    __m256i acc[12];
#pragma GCC unroll 12
    for (int c = 0; c < 2 * chunks; c++)
        acc[c] = _mm256_setzero_si256();
    const int32_t budget = 32767 / r->magnitude;
    int32_t left = budget;
    bool spilled = false;
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i += 2) {
            const row_pair p = take_pair(g, i, r->stride, first, counted);
            left -= p.weight;
            if (__builtin_expect(left < 0, 0)) {
                spill(acc, sum, chunks, spilled);
                spilled = true;
                left = budget - p.weight;
            }
            add_pair(&p, acc, chunks);
        }
    }
    spill(acc, sum, chunks, spilled);
}

/* The last 16 outputs of a row. */
INLINE void sum_tail16(const snn_row_sum *r, uint32_t first, int32_t *sum, const bool counted) {
    __m256i acc = _mm256_setzero_si256(), low = acc, high = acc;
    const int32_t budget = 32767 / r->magnitude;
    int32_t left = budget;
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i += 2) {
            const row_pair p = take_pair(g, i, r->stride, first, counted);
            left -= p.weight;
            if (__builtin_expect(left < 0, 0)) {
                low = _mm256_add_epi32(low, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(acc)));
                high = _mm256_add_epi32(high, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(acc, 1)));
                acc = _mm256_setzero_si256();
                left = budget - p.weight;
            }
            const __m128i a = _mm_loadu_si128((const __m128i *)p.a),
                          b = _mm_loadu_si128((const __m128i *)p.b);
            const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi8(a, b)),
                                                         _mm_unpackhi_epi8(a, b), 1);
            acc = _mm256_add_epi16(acc, _mm256_maddubs_epi16(_mm256_set1_epi16((short)p.counts), both));
        }
    }
    low = _mm256_add_epi32(low, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(acc)));
    high = _mm256_add_epi32(high, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(acc, 1)));
    _mm256_storeu_si256((__m256i *)sum, low);
    _mm256_storeu_si256((__m256i *)(sum + 8), high);
}

INLINE void sum_rows(const snn_row_sum *r, int32_t *sum, const bool counted) {
    uint32_t first = 0;
    for (; first + 128 <= r->outputs; first += 128)
        sum_block(r, first, sum + first, 4, counted);
    if (first + 64 <= r->outputs) {
        sum_block(r, first, sum + first, 2, counted);
        first += 64;
    }
    if (first + 32 <= r->outputs) {
        sum_block(r, first, sum + first, 1, counted);
        first += 32;
    }
    if (first + 16 <= r->outputs)
        sum_tail16(r, first, sum + first, counted);
}

static void avx2_sum_spikes(const snn_row_sum *r, int32_t *sum) {
    sum_rows(r, sum, false);
}
static void avx2_sum_counts(const snn_row_sum *r, int32_t *sum) {
    sum_rows(r, sum, true);
}

/* ---- dense ---- */

INLINE __m256i four_inputs(const uint8_t *p) {
    int32_t x;
    memcpy(&x, p, 4);
    return _mm256_set1_epi32(x);
}

/* Adds the 16-bit partial sums (two per output) into 32-bit ones. */
INLINE void dense_spill(__m256i *acc, int32_t *sum, size_t outputs, const int pixels, const int vectors) {
    const __m256i one = _mm256_set1_epi16(1);
#pragma GCC unroll 4
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
        for (int k = 0; k < vectors; k++) {
            __m256i *s = (__m256i *)(sum + (size_t)p * outputs + 8 * k);
            _mm256_storeu_si256(
                s, _mm256_add_epi32(_mm256_loadu_si256(s), _mm256_madd_epi16(acc[p * vectors + k], one)));
            acc[p * vectors + k] = _mm256_setzero_si256();
        }
}

INLINE void dense_block(const snn_dense_sum *d, const uint8_t *input, uint32_t first, int32_t *sum,
                        const int pixels, const int vectors, uint32_t budget) {
    __m256i acc[8];
#pragma GCC unroll 8
    for (int i = 0; i < pixels * vectors; i++)
        acc[i] = _mm256_setzero_si256();
    const size_t step = (size_t)d->outputs * 4;
    const int8_t *w = d->weights + (size_t)first * 4;
    uint32_t left = budget;
    for (uint32_t l = 0; l < d->lines; l++) {
        const uint8_t *in = input + l * d->line_step;
        for (uint32_t i = 0; i < d->line_bytes; i += 4, w += step) {
            if (left-- == 0) {
                dense_spill(acc, sum, d->outputs, pixels, vectors);
                left = budget - 1;
            }
            __m256i weights[2];
#pragma GCC unroll 2
            for (int k = 0; k < vectors; k++)
                weights[k] = _mm256_loadu_si256((const __m256i *)(w + 32 * k));
#pragma GCC unroll 4
            for (int p = 0; p < pixels; p++) {
                const __m256i x = four_inputs(in + p * d->pixel_step + i);
#pragma GCC unroll 2
                for (int k = 0; k < vectors; k++)
                    acc[p * vectors + k] =
                        _mm256_add_epi16(acc[p * vectors + k], _mm256_maddubs_epi16(x, weights[k]));
            }
        }
    }
    dense_spill(acc, sum, d->outputs, pixels, vectors);
}

static void avx2_sum_dense(const snn_dense_sum *d, int32_t *sum) {
    /* Each step adds two products to a 16-bit sum; two products must themselves fit (255 * 128 * 2 does not). */
    const uint32_t budget = (uint32_t)(32767 / (2 * d->magnitude * d->largest_input));
    if (budget == 0) {
        snn_kernels_plain.sum_dense(d, sum);
        return;
    }
    memset(sum, 0, (size_t)d->pixels * d->outputs * sizeof *sum);
    uint32_t p = 0;
    for (; p + 4 <= d->pixels; p += 4)
        for (uint32_t first = 0; first < d->outputs; first += 16)
            dense_block(d, d->input + p * d->pixel_step, first, sum + (size_t)p * d->outputs + first, 4, 2,
                        budget);
    for (; p < d->pixels; p++)
        for (uint32_t first = 0; first < d->outputs; first += 16)
            dense_block(d, d->input + p * d->pixel_step, first, sum + (size_t)p * d->outputs + first, 1, 2,
                        budget);
}

/* ---- neurons ---- */

INLINE __m128i mask_to_bytes(__m256i low, __m256i high) { /* 2 x 8 masks of 32 bit -> 16 bytes of 0 or 1 */
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return _mm_and_si128(bytes, _mm_set1_epi8(1));
}

typedef struct {
    __m256 now, fired, moved;
} float_step;

INLINE float_step lif_float_8(const snn_lif_float *p, uint32_t j, const int32_t *sum, float *v,
                              float *membrane) {
    const __m256 threshold = _mm256_set1_ps(p->threshold);
    __m256 current = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(sum + j))),
                                   _mm256_loadu_ps(p->factor + j));
    if (p->bias)
        current = _mm256_add_ps(current, _mm256_loadu_ps(p->bias + j));
    const __m256 before = _mm256_loadu_ps(v + j);
    float_step s;
    s.now = _mm256_add_ps(_mm256_mul_ps(before, _mm256_set1_ps(p->decay)), current);
    if (!p->spiking)
        s.fired = _mm256_setzero_ps();
    else
        s.fired = p->at_threshold ? _mm256_cmp_ps(s.now, threshold, _CMP_GE_OQ)
                                  : _mm256_cmp_ps(s.now, threshold, _CMP_GT_OQ);
    if (membrane)
        _mm256_storeu_ps(membrane + j, s.now);
    const __m256 after = p->subtract ? _mm256_blendv_ps(s.now, _mm256_sub_ps(s.now, threshold), s.fired)
                                     : _mm256_andnot_ps(s.fired, s.now);
    _mm256_storeu_ps(v + j, after);
    s.moved = _mm256_cmp_ps(after, before, _CMP_NEQ_UQ);
    return s;
}

static uint32_t avx2_lif_float(const snn_lif_float *p, uint32_t n, const int32_t *sum, float *v,
                               uint8_t *spike, float *membrane, uint64_t *changed) {
    uint32_t spikes = 0;
    uint64_t moved = 0;
    for (uint32_t j = 0; j < n; j += 16) {
        const float_step a = lif_float_8(p, j, sum, v, membrane), b = lif_float_8(p, j + 8, sum, v, membrane);
        _mm_storeu_si128((__m128i *)(spike + j),
                         mask_to_bytes(_mm256_castps_si256(a.fired), _mm256_castps_si256(b.fired)));
        spikes += (uint32_t)__builtin_popcount((unsigned)_mm256_movemask_ps(a.fired) |
                                               (unsigned)_mm256_movemask_ps(b.fired) << 8);
        moved += (uint64_t)__builtin_popcount((unsigned)_mm256_movemask_ps(a.moved) |
                                              (unsigned)_mm256_movemask_ps(b.moved) << 8);
    }
    if (changed)
        *changed += moved;
    return spikes;
}

typedef struct {
    __m256i fired, moved;
} fixed_step;

INLINE fixed_step lif_fixed_8(const snn_lif_fixed *p, uint32_t j, const int32_t *sum, int32_t *v,
                              int32_t *membrane) {
    const __m256d factor = _mm256_set1_pd(p->decay / 4096.0); /* exact: 44 bits of product fit a double */
    const __m256i before = _mm256_loadu_si256((const __m256i *)(v + j)),
                  threshold = _mm256_loadu_si256((const __m256i *)(p->threshold + j));
    const __m128i low =
        _mm256_cvttpd_epi32(_mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(before)), factor));
    const __m128i high =
        _mm256_cvttpd_epi32(_mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_extracti128_si256(before, 1)), factor));
    const __m256i decayed = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    __m256i now =
        _mm256_add_epi32(decayed, _mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)(sum + j)), 6));
    if (p->bias)
        now = _mm256_add_epi32(now, _mm256_loadu_si256((const __m256i *)(p->bias + j)));
    fixed_step s;
    s.fired = _mm256_setzero_si256();
    if (p->spiking) {
        s.fired = _mm256_cmpgt_epi32(now, threshold);
        if (p->at_threshold)
            s.fired = _mm256_or_si256(s.fired, _mm256_cmpeq_epi32(now, threshold));
    }
    if (membrane)
        _mm256_storeu_si256((__m256i *)(membrane + j), now);
    const __m256i after = p->subtract ? _mm256_sub_epi32(now, _mm256_and_si256(s.fired, threshold))
                                      : _mm256_andnot_si256(s.fired, now);
    _mm256_storeu_si256((__m256i *)(v + j), after);
    s.moved = _mm256_xor_si256(_mm256_cmpeq_epi32(after, before), _mm256_set1_epi32(-1));
    return s;
}

static uint32_t avx2_lif_fixed(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v,
                               uint8_t *spike, int32_t *membrane, uint64_t *changed) {
    uint32_t spikes = 0;
    uint64_t moved = 0;
    for (uint32_t j = 0; j < n; j += 16) {
        const fixed_step a = lif_fixed_8(p, j, sum, v, membrane), b = lif_fixed_8(p, j + 8, sum, v, membrane);
        const unsigned fired = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a.fired)) |
                               (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(b.fired)) << 8;
        _mm_storeu_si128((__m128i *)(spike + j), mask_to_bytes(a.fired, b.fired));
        spikes += (uint32_t)__builtin_popcount(fired);
        moved +=
            (uint64_t)__builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a.moved)) |
                                         (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(b.moved)) << 8);
    }
    if (changed)
        *changed += moved;
    return spikes;
}

/* ---- planes ---- */

INLINE uint32_t nonzero_32(const uint8_t *p) {
    const __m256i x = _mm256_loadu_si256((const __m256i *)p);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_setzero_si256()));
}

INLINE uint32_t nonzero_16(const uint8_t *p) {
    const __m128i x = _mm_loadu_si128((const __m128i *)p);
    return ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())) & 0xffff;
}

/* 64 bytes at a time: the end of the inner loop is what branch prediction misses, so it should come seldom. */
static size_t avx2_list_nonzero(const uint8_t *plane, size_t n, uint32_t base, uint32_t *entry) {
    size_t found = 0, i = 0;
    for (; i + 64 <= n; i += 64)
        for (uint64_t set = (uint64_t)nonzero_32(plane + i + 32) << 32 | nonzero_32(plane + i); set;
             set &= set - 1)
            entry[found++] = base + (uint32_t)i + (uint32_t)__builtin_ctzll(set);
    for (; i < n; i += 16)
        for (uint32_t set = nonzero_16(plane + i); set; set &= set - 1)
            entry[found++] = base + (uint32_t)i + (uint32_t)__builtin_ctz(set);
    return found;
}

static snn_list_extent avx2_list_extent(const snn_spike *spike, size_t n) {
    __m256i most = _mm256_setzero_si256(), total = most;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(spike + i));
        most = _mm256_max_epu32(most, x); /* even words: indices, odd words: counts */
        total = _mm256_add_epi64(total, _mm256_srli_epi64(x, 32));
    }
    snn_list_extent rest = snn_kernels_plain.list_extent(spike + i, n - i);
    snn_spike m[4];
    uint64_t t[4];
    _mm256_storeu_si256((__m256i *)m, most);
    _mm256_storeu_si256((__m256i *)t, total);
    for (int k = 0; k < 4; k++) {
        rest.largest_index = m[k].index > rest.largest_index ? m[k].index : rest.largest_index;
        rest.largest_count = m[k].count > rest.largest_count ? m[k].count : rest.largest_count;
        rest.total += t[k];
    }
    return rest;
}

static uint32_t avx2_pool_max(const uint8_t *in, size_t pixel_step, size_t line_step, uint32_t k,
                              uint32_t channels, uint8_t *out) {
    uint32_t nonzero = 0;
    for (uint32_t c = 0; c < channels; c += 16) {
        __m128i most = _mm_setzero_si128();
        for (uint32_t y = 0; y < k; y++)
            for (uint32_t x = 0; x < k; x++)
                most = _mm_max_epu8(
                    most, _mm_loadu_si128((const __m128i *)(in + y * line_step + x * pixel_step + c)));
        _mm_storeu_si128((__m128i *)(out + c), most);
        nonzero += 16 - (uint32_t)__builtin_popcount(
                            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(most, _mm_setzero_si128())));
    }
    return nonzero;
}

const snn_kernels snn_kernels_avx2 = {
    .level = SNN_SIMD_AVX2,
    .position = avx2_position,
    .sum_spikes = avx2_sum_spikes,
    .sum_counts = avx2_sum_counts,
    .sum_dense = avx2_sum_dense,
    .dense_above = 0.45f,
    .lif_float = avx2_lif_float,
    .lif_fixed = avx2_lif_fixed,
    .list_nonzero = avx2_list_nonzero,
    .list_extent = avx2_list_extent,
    .pool_max = avx2_pool_max,
};
