/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of decryptors, provisioning and tile share. */
#ifndef DECRYPTOR_TEST_H
#define DECRYPTOR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/provision.h>
#include <snnsim/random.h>

static inline snn_decryptor *test_decryptor(const snn_decryptor_shape *s) {
    snn_error err = {0};
    snn_decryptor *d = snn_decryptor_new(s, &err);
    if (!d)
        fail_msg("%s", err.text);
    return d;
}

/* n different bits of a macro of `rows` row words, at most `most` of a row word. */
static inline snn_row_bit *test_bits(const snn_decryptor_shape *s, uint32_t rows, size_t n, uint32_t most,
                                     uint64_t seed) {
    snn_row_bit *bit = calloc(n ? n : 1, sizeof *bit);
    uint32_t *here = calloc(rows, sizeof *here);
    assert_true(bit && here);
    snn_random random;
    snn_random_init(&random, seed, SNN_PURPOSE_TEST, 0);
    for (size_t i = 0; i < n;) {
        const snn_row_bit b = {snn_random_below(&random, rows), snn_random_below(&random, s->lanes),
                               snn_random_below(&random, s->keyable)};
        bool new = here[b.row] < most;
        for (size_t k = 0; new &&k < i; k++)
            new = bit[k].row != b.row || bit[k].lane != b.lane || bit[k].bit != b.bit;
        if (!new)
            continue;
        here[b.row]++;
        bit[i++] = b;
    }
    free(here);
    return bit;
}

/* What the decryptor must do to a row: its bits out of the list, flipped. */
static inline void test_expected(const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n, uint32_t row,
                                 uint8_t *mask) {
    memset(mask, 0, s->lanes);
    for (size_t i = 0; i < n; i++)
        if (bit[i].row == row)
            mask[bit[i].lane] ^= (uint8_t)(1U << (s->bits - 1 - bit[i].bit));
}

#endif
