/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Hsiao code: its parity-check matrix, encoder and decoder. */
#include "secded.h"

#include <assert.h>
#include <string.h>

enum { MOST_CHECK_BITS = 10, LEAST_WIDTH = 8 };

uint32_t snn_secded_check_bits(uint32_t data_bits) {
    uint32_t r = 1;
    while ((UINT32_C(1) << (r - 1)) - r < data_bits)
        r++;
    return r;
}

/* Ones in the rows of the matrix that a column would add to: the smaller, the evener the rows. */
static uint32_t load(const uint32_t *row, uint32_t column) {
    uint32_t sum = 0;
    for (; column != 0; column &= column - 1)
        sum += row[__builtin_ctz(column)];
    return sum;
}

/* The unused column of the given weight whose rows hold the fewest ones (the smallest number among equals); 0: all are used. */
static uint32_t lightest(const snn_secded *s, const bool *used, const uint32_t *row, int weight) {
    uint32_t best = 0;
    for (uint32_t c = 1; c < UINT32_C(1) << s->check_bits; c++)
        if (__builtin_popcount(c) == weight && !used[c] && (best == 0 || load(row, c) < load(row, best)))
            best = c;
    return best;
}

bool snn_secded_init(snn_secded *s, uint32_t data_bits, snn_error *err) {
    if (data_bits < LEAST_WIDTH || data_bits > SNN_SECDED_MAX || (data_bits & (data_bits - 1)) != 0)
        return snn_fail(err, SNN_ERR_USAGE,
                        "SEC-DED words of %u bits: expected 8, 16, 32, 64, 128 or 256 data bits", data_bits);
    bool used[1 << MOST_CHECK_BITS] = {false};
    uint32_t row[MOST_CHECK_BITS] = {0}; /* ones in each row so far */
    *s = (snn_secded){.data_bits = data_bits, .check_bits = snn_secded_check_bits(data_bits)};
    memset(s->error, -1, sizeof s->error);
    for (uint32_t i = 0; i < s->check_bits; i++)
        s->error[1 << i] = (int16_t)(data_bits + i);
    int weight = 3;
    for (uint32_t i = 0; i < data_bits; i++) {
        uint32_t c = lightest(s, used, row, weight);
        while (c == 0)
            c = lightest(s, used, row, weight += 2);
        used[c] = true;
        s->column[i] = (uint16_t)c;
        s->error[c] = (int16_t)i;
        for (uint32_t rest = c; rest != 0; rest &= rest - 1)
            row[__builtin_ctz(rest)]++;
    }
    return true;
}

uint32_t snn_secded_encode(const snn_secded *s, const uint8_t *bit, uint32_t n) {
    assert(n <= s->data_bits);
    uint32_t check = 0;
    for (uint32_t i = 0; i < n; i++)
        check ^= s->column[i] & (uint32_t) - (int32_t)(bit[i] & 1);
    return check;
}

snn_secded_verdict snn_secded_judge(const snn_secded *s, uint32_t syndrome, uint32_t n, uint32_t *position) {
    assert(n <= s->data_bits && syndrome >> s->check_bits == 0);
    if (syndrome == 0)
        return SNN_SECDED_CLEAN;
    int32_t at = s->error[syndrome];
    if (at < 0 || (at >= (int32_t)n && at < (int32_t)s->data_bits))
        return SNN_SECDED_UNCORRECTABLE;
    *position = (uint32_t)at;
    return SNN_SECDED_CORRECTED;
}

snn_secded_verdict snn_secded_decode(const snn_secded *s, const uint8_t *bit, uint32_t n, uint32_t check,
                                     uint32_t *position) {
    return snn_secded_judge(s, snn_secded_encode(s, bit, n) ^ check, n, position);
}
