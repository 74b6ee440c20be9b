# SPDX-License-Identifier: GPL-3.0-or-later
"""What the power trace tells of keyed rows: energy of clock cycles with a hit against those without (Welch's t; |t| > 4.5 is the usual limit of test vector leakage assessment).

Read n is looked up in cycle n (stage S) and decrypted in n + 1 (X); in n + 2 a gated mask register is cleared again."""

import math


def welch(a, b):
    """(difference of means, t)"""
    if len(a) < 2 or len(b) < 2:
        return None
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    va, vb = (sum((x - m) ** 2 for x in s) / (len(s) - 1) for s, m in ((a, ma), (b, mb)))
    spread = math.sqrt(va / len(a) + vb / len(b))
    return ma - mb, (ma - mb) / spread if spread > 0 else 0.0


def of_trace(trace, hits):
    """[{lag, difference_pJ, t}] of one simulation; files of flow.energy."""
    with open(trace) as f:
        energy = [float(line.split(",")[1]) * 1e12 for line in f.readlines()[1:]]
    with open(hits) as f:
        hit = [int(x) for x in f.read().split()]
    found = []
    for lag in range(3):
        groups = {0: [], 1: []}
        for n, h in enumerate(hit):
            if n + lag < len(energy):
                groups[h].append(energy[n + lag])
        w = welch(groups[1], groups[0])
        if w:
            found.append({"lag": lag, "difference_pJ": w[0], "t": w[1]})
    return found
