/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SEC-DED: single errors corrected, double errors detected, by a Hsiao code (M. Y. Hsiao, "A class of optimal minimum odd-weight-column SEC-DED codes",
 * IBM J. Res. Dev. 14(4), 1970): every column of the parity-check matrix has odd weight, so that two errors give a syndrome of even weight, which no single error has.
 *
 * Columns of check bits are the unit vectors; columns of data bits are distinct odd-weight vectors, all of weight 3 before any of weight 5, chosen so that rows are
 * evenly filled: each the one whose rows hold the fewest ones so far, the smallest number among equals. A shortened word leaves its last data bits out (they count as 0).
 */
#ifndef SNNSIM_HW_SECDED_H
#define SNNSIM_HW_SECDED_H

#include <snnsim/error.h>
#include <stdint.h>

#define SNN_SECDED_MAX 256 /* most data bits of a word */

/* Check bits of a code with data_bits data bits: the least r that has as many odd-weight vectors beside the r unit vectors, 2^(r-1) - r >= data_bits. */
uint32_t snn_secded_check_bits(uint32_t data_bits);

typedef struct {
    uint32_t data_bits, check_bits;
    uint16_t column[SNN_SECDED_MAX]; /* [data_bits] of the parity-check matrix: bit i is check bit i */
    int16_t error
        [1
         << 10]; /* [2^check_bits] position that a syndrome points at: data bit, data_bits + check bit, or -1 */
} snn_secded;

/* The code for words of data_bits = 8, 16, 32, 64, 128 or 256. Errors: USAGE for other widths. */
bool snn_secded_init(snn_secded *s, uint32_t data_bits, snn_error *err);

typedef enum {
    SNN_SECDED_CLEAN,     /* syndrome 0 */
    SNN_SECDED_CORRECTED, /* the syndrome pointed at one bit */
    SNN_SECDED_UNCORRECTABLE /* it points at none: even number of errors, or a position that a shortened word does not have */
} snn_secded_verdict;

/* Check bits of n <= data_bits data bits, one a byte (0 or 1), bit 0 first; check bit i in bit i of the result. */
uint32_t snn_secded_encode(const snn_secded *s, const uint8_t *bit, uint32_t n);
/* What a decoder makes of read data and check bits, from the syndrome alone: with three or more errors it may "correct" a bit that was right, as the circuit would. *position: the
 * bit that it inverts, < n: data, data_bits + i: check bit i (CORRECTED only). */
snn_secded_verdict snn_secded_decode(const snn_secded *s, const uint8_t *bit, uint32_t n, uint32_t check,
                                     uint32_t *position);
/* The same from the syndrome: XOR of the columns of all wrong bits (data bits: column[], check bit i: 1 << i). */
snn_secded_verdict snn_secded_judge(const snn_secded *s, uint32_t syndrome, uint32_t n, uint32_t *position);

#endif
