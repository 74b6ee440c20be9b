#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check cells that hold 1 in the linear layer of tests/unit/test_ledger.c (5 outputs of 4 bits, 3 inputs, arrays of 16 columns, words of 8 bits), and XOR gates of their
syndromes: a Hsiao code built by the rule in hw/secded.h, written anew with NumPy."""
import itertools

import numpy as np

CHECKS, DATA = 5, 8
ones = np.zeros(CHECKS, int)
columns = []
for weight in (3, 5):
    left = [np.array([i in rows for i in range(CHECKS)], int) for rows in itertools.combinations(range(CHECKS), weight)]
    while left and len(columns) < DATA:
        # the one whose rows hold the fewest ones so far, the smallest number among equals
        best = min(left, key=lambda c: (int((ones * c).sum()), int((c << np.arange(CHECKS)).sum())))
        left = [c for c in left if not np.array_equal(c, best)]
        columns.append(best)
        ones += best
H = np.array(columns)
weights = np.where(np.arange(15) % 2, 7, 0).reshape(5, 3)  # [output][row]
total = gates = 0
for row in range(3):
    bits = ((weights[:, row, None] >> np.arange(3, -1, -1)) & 1).reshape(-1)  # 20 columns, 16 in the first array
    for word in (bits[:8], bits[8:16], bits[16:]):
        total += int((word @ H[:len(word)] % 2).sum())
        gates += int(H[:len(word)].sum()) if row == 0 else 0
print('check cells that hold 1:', total, 'of', 3 * 3 * CHECKS, '; gates of a row word:', gates)
