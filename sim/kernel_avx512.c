/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's inner loops for AVX-512 (F, BW, DQ, VL, VNNI). Twins of kernel_plain.c.
 *
 * Row sums take two rows at a time: their bytes are interleaved and multiplied by the two counts with pmaddubsw, which gives 16-bit
 * pair sums; these are added in 16-bit registers for as long as they cannot overflow, and then spilled into 32-bit sums.
 */
#include "kernel_pair.h"

#include <immintrin.h>
#include <string.h>

static uint32_t avx512_position(uint32_t j, uint32_t outputs) {
    return snn_interleaved_position(j, outputs, 64);
}

/* ---- row sums, blocks of `chunks` x 64 outputs held in registers ---- */

/* A load that the compiler may not repeat as a memory operand of both unpacks: loads are the bottleneck. */
INLINE __m512i load_once(const int8_t *p) {
    __m512i x = _mm512_loadu_si512(p);
    __asm__("" : "+v"(x));
    return x;
}

/* acc[2c], acc[2c+1]: 16-bit sums of outputs 64c .. 64c+63 in order. */
INLINE void add_pair(const row_pair *p, __m512i *acc, const int chunks) {
    const __m512i counts = _mm512_set1_epi16((short)p->counts);
#pragma GCC unroll 8
    for (int c = 0; c < chunks; c++) {
        const __m512i a = _mm512_loadu_si512(p->a + 64 * c), b = load_once(p->b + 64 * c);
        acc[2 * c] = _mm512_add_epi16(acc[2 * c], _mm512_maddubs_epi16(counts, _mm512_unpacklo_epi8(a, b)));
        acc[2 * c + 1] =
            _mm512_add_epi16(acc[2 * c + 1], _mm512_maddubs_epi16(counts, _mm512_unpackhi_epi8(a, b)));
    }
}

INLINE void spill(__m512i *acc, int32_t *sum, const int chunks, bool add) {
#pragma GCC unroll 16
    for (int c = 0; c < 2 * chunks; c++) {
        __m512i low = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(acc[c]));
        __m512i high = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(acc[c], 1));
        int32_t *s = sum + 32 * c;
        if (add) {
            low = _mm512_add_epi32(low, _mm512_loadu_si512(s));
            high = _mm512_add_epi32(high, _mm512_loadu_si512(s + 16));
        }
        _mm512_storeu_si512(s, low);
        _mm512_storeu_si512(s + 16, high);
        acc[c] = _mm512_setzero_si512();
    }
}

INLINE void sum_block(const snn_row_sum *r, uint32_t first, int32_t *sum, const int chunks,
                      const bool counted) {
    __m512i acc[16];
#pragma GCC unroll 16
    for (int c = 0; c < 2 * chunks; c++)
        acc[c] = _mm512_setzero_si512();
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

/* The last 32 or 16 outputs of a row, in narrower registers. */
INLINE void sum_tail32(const snn_row_sum *r, uint32_t first, int32_t *sum, const bool counted) {
    __m256i low = _mm256_setzero_si256(), high = low;
    __m512i total_low = _mm512_setzero_si512(), total_high = total_low;
    const int32_t budget = 32767 / r->magnitude;
    int32_t left = budget;
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i += 2) {
            const row_pair p = take_pair(g, i, r->stride, first, counted);
            left -= p.weight;
            if (__builtin_expect(left < 0, 0)) {
                total_low = _mm512_add_epi32(total_low, _mm512_cvtepi16_epi32(low));
                total_high = _mm512_add_epi32(total_high, _mm512_cvtepi16_epi32(high));
                low = high = _mm256_setzero_si256();
                left = budget - p.weight;
            }
            const __m256i a = _mm256_loadu_si256((const __m256i *)p.a),
                          b = _mm256_loadu_si256((const __m256i *)p.b);
            const __m256i counts = _mm256_set1_epi16((short)p.counts);
            low = _mm256_add_epi16(low, _mm256_maddubs_epi16(counts, _mm256_unpacklo_epi8(a, b)));
            high = _mm256_add_epi16(high, _mm256_maddubs_epi16(counts, _mm256_unpackhi_epi8(a, b)));
        }
    }
    _mm512_storeu_si512(sum, _mm512_add_epi32(total_low, _mm512_cvtepi16_epi32(low)));
    _mm512_storeu_si512(sum + 16, _mm512_add_epi32(total_high, _mm512_cvtepi16_epi32(high)));
}

INLINE void sum_tail16(const snn_row_sum *r, uint32_t first, int32_t *sum, const bool counted) {
    __m256i acc = _mm256_setzero_si256();
    __m512i total = _mm512_setzero_si512();
    const int32_t budget = 32767 / r->magnitude;
    int32_t left = budget;
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i += 2) {
            const row_pair p = take_pair(g, i, r->stride, first, counted);
            left -= p.weight;
            if (__builtin_expect(left < 0, 0)) {
                total = _mm512_add_epi32(total, _mm512_cvtepi16_epi32(acc));
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
    _mm512_storeu_si512(sum, _mm512_add_epi32(total, _mm512_cvtepi16_epi32(acc)));
}

INLINE void sum_rows(const snn_row_sum *r, int32_t *sum, const bool counted) {
    uint32_t first = 0;
    for (; first + 512 <= r->outputs; first += 512)
        sum_block(r, first, sum + first, 8, counted);
    if (first + 256 <= r->outputs) {
        sum_block(r, first, sum + first, 4, counted);
        first += 256;
    }
    if (first + 128 <= r->outputs) {
        sum_block(r, first, sum + first, 2, counted);
        first += 128;
    }
    if (first + 64 <= r->outputs) {
        sum_block(r, first, sum + first, 1, counted);
        first += 64;
    }
    if (first + 32 <= r->outputs) {
        sum_tail32(r, first, sum + first, counted);
        first += 32;
    }
    if (first + 16 <= r->outputs)
        sum_tail16(r, first, sum + first, counted);
}

static void avx512_sum_spikes(const snn_row_sum *r, int32_t *sum) {
    sum_rows(r, sum, false);
}
static void avx512_sum_counts(const snn_row_sum *r, int32_t *sum) {
    sum_rows(r, sum, true);
}

/* ---- dense ---- */

INLINE __m512i four_inputs(const uint8_t *p) {
    int32_t x;
    memcpy(&x, p, 4);
    return _mm512_set1_epi32(x);
}

/* `pixels` x (16 * vectors) outputs from output `first` on. */
INLINE void dense_block(const snn_dense_sum *d, const uint8_t *input, uint32_t first, int32_t *sum,
                        const int pixels, const int vectors) {
    __m512i acc[16];
#pragma GCC unroll 16
    for (int i = 0; i < pixels * vectors; i++)
        acc[i] = _mm512_setzero_si512();
    const size_t step = (size_t)d->outputs * 4;
    const int8_t *w = d->weights + (size_t)first * 4;
    for (uint32_t l = 0; l < d->lines; l++) {
        const uint8_t *in = input + l * d->line_step;
        for (uint32_t i = 0; i < d->line_bytes; i += 4, w += step) {
            __m512i weights[4];
#pragma GCC unroll 4
            for (int k = 0; k < vectors; k++)
                weights[k] = _mm512_loadu_si512(w + 64 * k);
#pragma GCC unroll 4
            for (int p = 0; p < pixels; p++) {
                const __m512i x = four_inputs(in + p * d->pixel_step + i);
#pragma GCC unroll 4
                for (int k = 0; k < vectors; k++)
                    acc[p * vectors + k] = _mm512_dpbusd_epi32(acc[p * vectors + k], x, weights[k]);
            }
        }
    }
#pragma GCC unroll 4
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
        for (int k = 0; k < vectors; k++)
            _mm512_storeu_si512(sum + (size_t)p * d->outputs + first + 16 * k, acc[p * vectors + k]);
}

static void avx512_sum_dense(const snn_dense_sum *d, int32_t *sum) {
    uint32_t p = 0;
    for (; p + 4 <= d->pixels; p += 4) {
        const uint8_t *in = d->input + p * d->pixel_step;
        int32_t *out = sum + (size_t)p * d->outputs;
        uint32_t first = 0;
        for (; first + 64 <= d->outputs; first += 64)
            dense_block(d, in, first, out, 4, 4);
        for (; first < d->outputs; first += 16)
            dense_block(d, in, first, out, 4, 1);
    }
    for (; p < d->pixels; p++) {
        const uint8_t *in = d->input + p * d->pixel_step;
        int32_t *out = sum + (size_t)p * d->outputs;
        uint32_t first = 0;
        for (; first + 64 <= d->outputs; first += 64)
            dense_block(d, in, first, out, 1, 4);
        for (; first < d->outputs; first += 16)
            dense_block(d, in, first, out, 1, 1);
    }
}

/* ---- neurons ---- */

INLINE __mmask16 fires_float(const snn_lif_float *p, __m512 v, __m512 threshold) {
    if (!p->spiking)
        return 0;
    return p->at_threshold ? _mm512_cmp_ps_mask(v, threshold, _CMP_GE_OQ)
                           : _mm512_cmp_ps_mask(v, threshold, _CMP_GT_OQ);
}

static uint32_t avx512_lif_float(const snn_lif_float *p, uint32_t n, const int32_t *sum, float *v,
                                 uint8_t *spike, float *membrane, uint64_t *changed) {
    const __m512 decay = _mm512_set1_ps(p->decay), threshold = _mm512_set1_ps(p->threshold);
    const __m128i one = _mm_set1_epi8(1);
    uint32_t spikes = 0;
    uint64_t moved = 0;
    for (uint32_t j = 0; j < n; j += 16) {
        __m512 current =
            _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sum + j)), _mm512_loadu_ps(p->factor + j));
        if (p->bias)
            current = _mm512_add_ps(current, _mm512_loadu_ps(p->bias + j));
        const __m512 before = _mm512_loadu_ps(v + j);
        const __m512 now = _mm512_add_ps(_mm512_mul_ps(before, decay), current);
        const __mmask16 s = fires_float(p, now, threshold);
        if (membrane)
            _mm512_storeu_ps(membrane + j, now);
        const __m512 after = p->subtract ? _mm512_mask_sub_ps(now, s, now, threshold)
                                         : _mm512_maskz_mov_ps((__mmask16)~s, now);
        _mm512_storeu_ps(v + j, after);
        if (changed)
            moved += (uint64_t)__builtin_popcount(_mm512_cmp_ps_mask(after, before, _CMP_NEQ_UQ));
        _mm_storeu_si128((__m128i *)(spike + j), _mm_maskz_mov_epi8(s, one));
        spikes += (uint32_t)__builtin_popcount(s);
    }
    if (changed)
        *changed += moved;
    return spikes;
}

/* trunc(v * decay / 4096), exact: the product has at most 44 bits, a double holds 53. */
INLINE __m512i decayed(__m512i v, __m512d factor) {
    const __m512d low = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(v)), factor);
    const __m512d high = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1)), factor);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)), _mm512_cvttpd_epi32(high), 1);
}

static uint32_t avx512_lif_fixed(const snn_lif_fixed *p, uint32_t n, const int32_t *sum, int32_t *v,
                                 uint8_t *spike, int32_t *membrane, uint64_t *changed) {
    const __m512d factor = _mm512_set1_pd(p->decay / 4096.0);
    const __m128i one = _mm_set1_epi8(1);
    uint32_t spikes = 0;
    uint64_t moved = 0;
    for (uint32_t j = 0; j < n; j += 16) {
        const __m512i before = _mm512_loadu_si512(v + j), threshold = _mm512_loadu_si512(p->threshold + j);
        __m512i now =
            _mm512_add_epi32(decayed(before, factor), _mm512_slli_epi32(_mm512_loadu_si512(sum + j), 6));
        if (p->bias)
            now = _mm512_add_epi32(now, _mm512_loadu_si512(p->bias + j));
        __mmask16 s = 0;
        if (p->spiking)
            s = p->at_threshold ? _mm512_cmpge_epi32_mask(now, threshold)
                                : _mm512_cmpgt_epi32_mask(now, threshold);
        if (membrane)
            _mm512_storeu_si512(membrane + j, now);
        const __m512i after = p->subtract ? _mm512_mask_sub_epi32(now, s, now, threshold)
                                          : _mm512_maskz_mov_epi32((__mmask16)~s, now);
        _mm512_storeu_si512(v + j, after);
        if (changed)
            moved += (uint64_t)__builtin_popcount(_mm512_cmpneq_epi32_mask(after, before));
        _mm_storeu_si128((__m128i *)(spike + j), _mm_maskz_mov_epi8(s, one));
        spikes += (uint32_t)__builtin_popcount(s);
    }
    if (changed)
        *changed += moved;
    return spikes;
}

/* ---- planes ---- */

static size_t avx512_list_nonzero(const uint8_t *plane, size_t n, uint32_t base, uint32_t *entry) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t found = 0;
    for (size_t i = 0; i < n; i += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(plane + i));
        const __mmask16 set = _mm_test_epi8_mask(x, x);
        const __m512i index = _mm512_add_epi32(lane, _mm512_set1_epi32((int)(base + (uint32_t)i)));
        _mm512_storeu_si512(entry + found, _mm512_maskz_compress_epi32(set, index));
        found += (size_t)__builtin_popcount(set);
    }
    return found;
}

static snn_list_extent avx512_list_extent(const snn_spike *spike, size_t n) {
    __m512i most = _mm512_setzero_si512(), total = most;
    for (size_t i = 0; i < n; i += 8) {
        const __mmask8 lanes = n - i >= 8 ? 0xff : (__mmask8)((1u << (n - i)) - 1);
        const __m512i x = _mm512_maskz_loadu_epi64(lanes, spike + i);
        most = _mm512_max_epu32(most, x); /* even words: indices, odd words: counts */
        total = _mm512_add_epi64(total, _mm512_srli_epi64(x, 32));
    }
    return (snn_list_extent){_mm512_mask_reduce_max_epu32(0x5555, most),
                             _mm512_mask_reduce_max_epu32(0xaaaa, most),
                             (uint64_t)_mm512_reduce_add_epi64(total)};
}

static uint32_t avx512_pool_max(const uint8_t *in, size_t pixel_step, size_t line_step, uint32_t k,
                                uint32_t channels, uint8_t *out) {
    uint32_t nonzero = 0, c = 0;
    for (; c < channels; c += 64) {
        const __mmask64 lanes = channels - c >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (channels - c)) - 1;
        __m512i most = _mm512_setzero_si512();
        for (uint32_t y = 0; y < k; y++)
            for (uint32_t x = 0; x < k; x++)
                most = _mm512_max_epu8(
                    most, _mm512_maskz_loadu_epi8(lanes, in + y * line_step + x * pixel_step + c));
        _mm512_mask_storeu_epi8(out + c, lanes, most);
        nonzero += (uint32_t)__builtin_popcountll(_mm512_test_epi8_mask(most, most));
    }
    return nonzero;
}

const snn_kernels snn_kernels_avx512 = {
    .level = SNN_SIMD_AVX512,
    .position = avx512_position,
    .sum_spikes = avx512_sum_spikes,
    .sum_counts = avx512_sum_counts,
    .sum_dense = avx512_sum_dense,
    .dense_above = 0.2f,
    .lif_float = avx512_lif_float,
    .lif_fixed = avx512_lif_fixed,
    .list_nonzero = avx512_list_nonzero,
    .list_extent = avx512_list_extent,
    .pool_max = avx512_pool_max,
};
