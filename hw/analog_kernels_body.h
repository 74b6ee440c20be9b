/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Code of the analogue read-out's kernels, written for the compiler to vectorise. Included by the files that define KERNELS and KERNELS_TEXT.
 *
 * Normal deviates by Box and Muller's method in single precision: from two words a radius sqrt(-2 ln u), u = (word / 2^9 + 1/2) / 2^23, and an angle of 2^24 steps. That cuts the
 * tails at 5.8 sigma (P = 8e-9), far below what a converter resolves of a sum. Series are long enough that what they leave out is below the rounding of a float.
 */
#include "analog_kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define COLUMNS 1024 /* summed at a time: 4 KB of sums stay in the first cache */

static void sum(const int16_t *const *row, size_t n, size_t width, int32_t *restrict current) {
    memset(current, 0, width * sizeof *current);
    for (size_t first = 0; first < width; first += COLUMNS) {
        const size_t m = width - first < COLUMNS ? width - first : COLUMNS;
        int32_t *restrict to = current + first;
        size_t i = 0;
        for (; i + 4 <= n; i += 4) {
            const int16_t *restrict a = row[i] + first, *restrict b = row[i + 1] + first,
                                    *restrict c = row[i + 2] + first, *restrict d = row[i + 3] + first;
            for (size_t k = 0; k < m; k++)
                to[k] += (int16_t)(a[k] + b[k]) + (int16_t)(c[k] + d[k]);
        }
        for (; i < n; i++) {
            const int16_t *restrict a = row[i] + first;
            for (size_t k = 0; k < m; k++)
                to[k] += a[k];
        }
    }
}

static void add(const int32_t *restrict current, size_t width, int32_t *restrict current_sum) {
    for (size_t c = 0; c < width; c++)
        current_sum[c] += current[c];
}

/* ---- noise ---- */

typedef union {
    float f;
    uint32_t u;
} bits32;

/* ln x of a normal x > 0: x = 2^k m with m in [1/sqrt(2), sqrt(2)), ln m = 2 atanh((m - 1) / (m + 1)). */
static inline float ln(float x) {
    bits32 b = {.f = x};
    const uint32_t from = b.u - 0x3F3504F3u; /* the bits of 1/sqrt(2) */
    const int32_t k = (int32_t)from >> 23;
    b.u = (from & 0x007FFFFFu) + 0x3F3504F3u;
    const float s = (b.f - 1.0f) / (b.f + 1.0f), q = s * s;
    const float series = 1.0f + q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9))));
    return (float)k * 0.693147181f + 2.0f * s * series;
}

typedef struct {
    float a, b;
} pair;

/* Two independent standard normal deviates. */
static inline pair normals(uint32_t radius_word, uint32_t angle_word) {
    const float u = ((float)(int32_t)(radius_word >> 9) + 0.5f) * 0x1p-23f;
    const float radius = sqrtf(-2.0f * ln(u));
    /* Angle within the quarter around the a axis from the upper 22 bits, which quarter from the two below. */
    const float t = ((float)(int32_t)(angle_word >> 10) + 0.5f) * (1.57079633f * 0x1p-22f) - 0.785398163f;
    const float q = t * t;
    const float sine =
        t * (1.0f - q * (1.0f / 6 - q * (1.0f / 120 - q * (1.0f / 5040 - q * (1.0f / 362880)))));
    const float cosine = 1.0f - q * (1.0f / 2 - q * (1.0f / 24 - q * (1.0f / 720 - q * (1.0f / 40320))));
    const bool swap = (angle_word & 0x100u) != 0;
    const float side = (angle_word & 0x200u) != 0 ? -radius : radius;
    return (pair){side * (swap ? sine : cosine), side * (swap ? cosine : sine)};
}

/* Nearest integer. No sum of currents comes near the limit; what could is refused by the engine. */
static inline int32_t nearest(float x) {
    const float up = fabsf(x) + 0.5f;
    return (int32_t)copysignf(up < 1e9f ? up : 1e9f, x);
}

static void noise(const uint32_t *restrict word, size_t width, float sigma, int32_t *restrict current) {
    const size_t half = (width + 1) / 2, rest = width / 2;
    for (size_t c = 0; c < rest; c++) {
        const pair z = normals(word[c], word[half + c]);
        current[c] += nearest(sigma * z.a);
        current[half + c] += nearest(sigma * z.b);
    }
    if (rest < half)
        current[rest] += nearest(sigma * normals(word[rest], word[half + rest]).a);
}

/* ---- conversion ---- */

/* Rounds |x| < 2^22 to nearest, ties to even. */
#define ROUND 12582912.0f /* 1.5 * 2^23 */

__attribute__((always_inline)) static inline size_t
convert_by(const snn_analog_conversion *k, const int32_t *restrict current, size_t width,
           int32_t *restrict code_sum, int32_t *restrict current_sum, bool deviates, bool bows) {
    const float lsb = k->lsb, pedestal = k->pedestal, low = k->low, high = k->high;
    const float bottom = low - 1.0f, top = high + 1.0f, span = 1.0f / (high - low), bow = 4.0f * k->bow;
    int32_t clipped = 0;
    for (size_t c = 0; c < width; c++) {
        float y = (float)current[c] * lsb + pedestal;
        if (deviates)
            y = y * k->gain[c] + k->offset[c];
        if (bows) {
            float within = y < low ? low : y;
            within = within > high ? high : within;
            const float t = (within - low) * span;
            y += bow * t * (1.0f - t);
        }
        y = y < bottom ? bottom : y;
        y = y > top ? top : y;
        y = (y + ROUND) - ROUND;
        clipped += y < low ? 1 : 0;
        clipped += y > high ? 1 : 0;
        y = y < low ? low : y;
        y = y > high ? high : y;
        code_sum[c] += (int32_t)y;
        current_sum[c] += current[c];
    }
    return (size_t)clipped;
}

static size_t convert(const snn_analog_conversion *k, const int32_t *current, size_t width, int32_t *code_sum,
                      int32_t *current_sum) {
    const bool bows = k->bow != 0.0f;
    if (k->gain != NULL)
        return bows ? convert_by(k, current, width, code_sum, current_sum, true, true)
                    : convert_by(k, current, width, code_sum, current_sum, true, false);
    return bows ? convert_by(k, current, width, code_sum, current_sum, false, true)
                : convert_by(k, current, width, code_sum, current_sum, false, false);
}

const snn_analog_kernels KERNELS = {
    .sum = sum, .noise = noise, .convert = convert, .add = add, .name = KERNELS_TEXT};
