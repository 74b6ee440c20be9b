#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference values of tests/unit/test_metrics.c and test_evaluate.c, computed without snnsim. Prints tests/unit/golden_metrics.h:

    tests/golden/metrics.py > tests/unit/golden_metrics.h

Wilson intervals: the score interval (p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), here found as the roots of the quadratic
(p - x)^2 n = z2 x (1 - x), in 50 digits, with z from scipy.

Tiny network: input 2x6x6 -> conv 3 channels 3x3 padding 1 -> max pool 2 -> linear 4, LIF d = 0.3, theta = 0.3; 13 samples of 5 steps. Frames and weights
follow from the formulas below, which the C test repeats. Metrics are computed densely, step by step, as NeuroBench does it with batch size 1
(neurobench/metrics/workload: synaptic_operations, membrane_updates, activation_sparsity).
"""
import hashlib
import struct
from decimal import Decimal, getcontext

import numpy as np
from scipy.stats import norm

getcontext().prec = 50
F = np.float32
Z = Decimal(repr(float(norm.ppf(0.975))))


def wilson(k, n):
    p, z2 = Decimal(k) / n, Z * Z
    # x^2 (n + z2) - x (2 n p + z2) + n p^2 = 0
    a, b, c = n + z2, -(2 * n * p + z2), n * p * p
    root = (b * b - 4 * a * c).sqrt()
    return float((-b - root) / (2 * a)), float((-b + root) / (2 * a))


SAMPLES, STEPS, CLASSES = 13, 5, 4
LABELS = [(3 * s + s // 4) % CLASSES for s in range(SAMPLES)]


def frames():
    x = np.zeros((SAMPLES, STEPS, 72), np.uint8)
    for s in range(SAMPLES):
        for t in range(STEPS):
            for i in range(72):
                if s != 3 and (s * 31 + t * 17 + i * 7) % 11 < 3:
                    x[s, t, i] = 1 + (t % 2 == 0 and i % 5 == 0)  # odd steps are binary
    return x.reshape(SAMPLES, STEPS, 2, 6, 6)


def weights(n, a, b):
    return np.array([(i * a + b) % 15 - 7 for i in range(n)], np.int64)


def conv(x, w):  # x [c][y][x], w [o][c][3][3], padding 1
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((w.shape[0], x.shape[1], x.shape[2]), np.int64)
    for ky in range(3):
        for kx in range(3):
            part = padded[:, ky:ky + x.shape[1], kx:kx + x.shape[2]]
            out += np.einsum('oc,cyx->oyx', w[:, :, ky, kx], part)
    return out


def lif(v, s, total):  # every operation rounded to float32 on its own
    v = F(0.3) * v * (F(1) - s) + total.astype(F) * F(0.125)
    return v, (v > F(0.3)).astype(F)


def main():
    x = frames().astype(np.int64)
    w1 = weights(3 * 2 * 9, 37, 11).reshape(3, 2, 3, 3)
    w2 = weights(CLASSES * 27, 29, 4).reshape(CLASSES, 27)
    spikes, ops = [0, 0, 0], dict(syn=[0, 0], macs=[0, 0], acs=[0, 0], updates=[0, 0], inputs=[0, 0], reads=[0, 0])
    dense = conv(np.ones((2, 6, 6), np.int64), np.ones_like(w1)).sum() + w2.size
    outputs, by_step, predicted = [], np.zeros(STEPS, int), []
    digest = hashlib.blake2b(digest_size=32)
    for n in range(SAMPLES):
        v1, s1 = np.zeros((3, 6, 6), F), np.zeros((3, 6, 6), F)
        v2, s2 = np.zeros(CLASSES, F), np.zeros(CLASSES, F)
        count = np.zeros(CLASSES, int)
        for t in range(STEPS):
            i1 = x[n, t]
            before = v1 * (1 - s1)
            v1, s1 = lif(v1, s1, conv(i1, w1))
            i2 = s1.reshape(3, 3, 2, 3, 2).max(axis=(2, 4)).astype(np.int64).reshape(-1)
            before2 = v2 * (1 - s2)
            v2, s2 = lif(v2, s2, w2 @ i2)
            # the membrane that is kept is the one after the reset (snnTorch: Leaky with reset_delay=False)
            for layer, (i, w, old, new) in enumerate(((i1, w1, before, v1 * (1 - s1)), (i2, w2, before2, v2 * (1 - s2)))):
                nonzero = (i != 0).astype(np.int64)
                run = (lambda i, w: conv(i, w).sum()) if layer == 0 else (lambda i, w: (w @ i).sum())
                ops['syn'][layer] += run(nonzero, np.ones_like(w))
                effective = run(nonzero, (w != 0).astype(np.int64))
                ops['acs' if i.max(initial=0) <= 1 else 'macs'][layer] += effective
                ops['updates'][layer] += new.size if t == 0 else np.count_nonzero(new - old)
                ops['inputs'][layer] += nonzero.sum()
                ops['reads'][layer] += i.sum()
            spikes[0] += int(s1.sum())
            spikes[1] += int(i2.sum())
            spikes[2] += int(s2.sum())
            for c in range(CLASSES):
                if s2[c]:
                    digest.update(struct.pack('<III', n, t, c))
            count += s2.astype(int)
            by_step[t] += int(np.argmax(count)) == LABELS[n]
        outputs.append(count)
        predicted.append(int(np.argmax(count)))

    zeros = int((w1 == 0).sum() + (w2 == 0).sum())
    recall = [np.mean([predicted[i] == c for i in range(SAMPLES) if LABELS[i] == c]) for c in range(CLASSES)]
    size = [LABELS.count(c) for c in range(CLASSES)]
    # MOVER: the limits of a mean of independent shares from the limits of each
    limits = [wilson(round(r * k), k) for r, k in zip(recall, size)]
    below = np.sqrt(sum((r - low)**2 for r, (low, _) in zip(recall, limits))) / CLASSES
    above = np.sqrt(sum((high - r)**2 for r, (_, high) in zip(recall, limits))) / CLASSES

    def array(name, values, kind='uint64_t'):
        print(f'static const {kind} {name}[] = {{{", ".join(str(v) for v in values)}}};')

    print('/* SPDX-License-Identifier: GPL-3.0-or-later */')
    print('/* Made by tests/golden/metrics.py: do not edit. */')
    print('/* clang-format off */')
    print('static const struct { uint64_t hits, n; double low, high; } golden_wilson[] = {')
    for k, n in ((0, 1), (1, 1), (0, 10), (10, 10), (1, 10), (5, 10), (85, 100), (252, 264), (9500, 10000), (1, 1000000)):
        low, high = wilson(k, n)
        print(f'    {{{k}, {n}, {0.0 if k == 0 else low!r}, {1.0 if k == n else high!r}}},')
    print('};')
    print(f'#define GOLDEN_SAMPLES {SAMPLES}\n#define GOLDEN_STEPS {STEPS}\n#define GOLDEN_CLASSES {CLASSES}')
    array('golden_label', LABELS, 'int')
    array('golden_predicted', predicted, 'int')
    array('golden_outputs', np.array(outputs).reshape(-1), 'int')
    array('golden_by_step', by_step)
    array('golden_spikes', spikes)
    for key, name in (('inputs', 'inputs'), ('reads', 'input_counts'), ('syn', 'synops'), ('macs', 'effective_macs'),
                      ('acs', 'effective_acs'), ('updates', 'membrane_updates')):
        array(f'golden_{name}', ops[key])
    print(f'#define GOLDEN_DENSE_STEP {int(dense)}')
    print(f'#define GOLDEN_ZEROS {zeros}')
    print(f'#define GOLDEN_BALANCED {float(np.mean(recall))!r}')
    print(f'#define GOLDEN_BALANCED_BELOW {float(below)!r}')
    print(f'#define GOLDEN_BALANCED_ABOVE {float(above)!r}')
    print(f'#define GOLDEN_SPARSITY {1 - (spikes[0] + spikes[2]) / ((108 + 4) * STEPS * SAMPLES)!r}')
    print(f'#define GOLDEN_DIGEST "{digest.hexdigest()}"')
    print('/* clang-format on */')


main()
