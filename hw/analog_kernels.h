/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inner loops of analogue read-out, one set per instruction set. All work on independent columns, with integers or with one rounding per operation, so that every set gives
 * the same bits; analog_kernels_body.h has the code, compiled once in each of analog_kernels_plain.c, _avx2.c and _avx512.c.
 */
#ifndef SNNSIM_HW_ANALOG_KERNELS_H
#define SNNSIM_HW_ANALOG_KERNELS_H

#include <snnsim/cpu.h>
#include <stddef.h>
#include <stdint.h>

/* Conductances are at most this, so that the sum of two fits 16 bits. */
#define SNN_ANALOG_CELL_MAX 16383

/* Converters of one read. y = (current * lsb + pedestal) * gain + offset, then the bow, in LSB of the converter; code = y rounded (ties to even), low at least and high at most. */
typedef struct {
    float lsb;      /* LSB per unit of current */
    float pedestal; /* added to every current [LSB] */
    float low, high;
    float bow; /* peak of the non-linearity [LSB]: bow * 4 t (1 - t), t from 0 at `low` to 1 at `high` */
    const float *gain, *offset; /* [width] of each column's converter; both NULL: 1 and 0 */
} snn_analog_conversion;

typedef struct {
    /* current[c] = sum over n rows of row[i][c] */
    void (*sum)(const int16_t *const *row, size_t n, size_t width, int32_t *current);
    /* current[c] += sigma z, rounded, with independent standard normal z; word [2 * ((width + 1) / 2)] */
    void (*noise)(const uint32_t *word, size_t width, float sigma, int32_t *current);
    /* code_sum[c] += code of current[c]; current_sum[c] += current[c]. Returns how many were clipped: beyond `low` or `high` after rounding. */
    size_t (*convert)(const snn_analog_conversion *k, const int32_t *current, size_t width, int32_t *code_sum,
                      int32_t *current_sum);
    /* current_sum[c] += current[c] */
    void (*add)(const int32_t *current, size_t width, int32_t *current_sum);
    const char *name;
} snn_analog_kernels;

extern const snn_analog_kernels snn_analog_kernels_plain;
#if defined(__x86_64__)
extern const snn_analog_kernels snn_analog_kernels_avx2, snn_analog_kernels_avx512;
#endif
const snn_analog_kernels *snn_analog_kernels_for(snn_simd level);

#endif
