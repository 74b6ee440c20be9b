#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `snnsim run` on random frames and computes everything that it writes again with NumPy: spikes and membranes of all layers, outputs,
accuracy, time to decision, NeuroBench's figures, digest.   check_run.py SNNSIM CONFIG MODEL

The model must be conv2d 3x3 with padding 1, pool_max 2, flatten, linear, with decay 0.3 and threshold 0.1 (tests/cli/helpers.bash)."""
import csv
import hashlib
import json
import math
import subprocess
import sys

import numpy as np

F = np.float32
SAMPLES, STEPS = 40, 7
THRESHOLD = F(0.1)


def conv(x, w):
    """x [steps][c][y][x], w [o][c][3][3] of integers."""
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    h, v = x.shape[2:]
    return sum(np.einsum('oc,tcyx->toyx', w[:, :, a, b], p[:, :, a:a + h, b:b + v]) for a in range(3) for b in range(3))


def lif(current):
    """Spikes and membranes of a layer; every float32 operation rounded on its own."""
    v, s = np.zeros(current.shape[1:], F), np.zeros(current.shape[1:], F)
    spikes, membranes = [], []
    for i in current:
        v = F(0.3) * v * (F(1) - s) + i
        s = (v > THRESHOLD).astype(F)
        spikes.append(s)
        membranes.append(v)
    return np.array(spikes, np.int64), np.array(membranes)


def operations(x, run, w):
    """(MACs, ACs) of a sample: nonzero inputs times nonzero weights, by step."""
    ops = run((x != 0).astype(np.int64), (w != 0).astype(np.int64)).reshape(len(x), -1).sum(axis=1)
    binary = x.reshape(len(x), -1).max(axis=1) <= 1
    return int(ops[~binary].sum()), int(ops[binary].sum())


def updates(s, v):
    kept = v * (1 - s).astype(F)  # after the reset
    return v[0].size + int(np.count_nonzero(np.diff(kept, axis=0)))


def main(snnsim, config, model):
    random = np.random.default_rng(2026)
    x = random.poisson(0.15, (SAMPLES, STEPS, 2, 16, 16)).astype(np.uint8)
    x[:, 1::3] = np.minimum(x[:, 1::3], 1)
    x[5] = 0
    label = random.integers(0, 11, SAMPLES)
    np.save('frames.npy', x)
    np.save('labels.npy', label.astype(np.int64))
    # the config without its data set, which comes from the files
    network = open(config).read()
    open('frames.cfg', 'w').write('dataset = { name = "npy"; path = "."; frames = "frames.npy"; labels = "labels.npy"; classes = 11; };\n'
                                  + network[network.index('network'):])
    subprocess.run([snnsim, 'model', 'export', model, '--npy', 'weights'], check=True)
    subprocess.run([snnsim, 'run', 'frames.cfg', '--model', model, '--quiet', '--out', 'numpy', '--trace', 'conv1', '--trace', 'pool1',
                    '--trace', 'fc1'], check=True)
    report = json.load(open('numpy/report.json'))
    trace = {n: np.load(f'numpy/{n}.npy') for n in ('conv1_spikes', 'conv1_membrane', 'pool1_spikes', 'fc1_spikes', 'fc1_membrane')}
    scale = {r['layer']: F(float(r['scale'])) for r in csv.DictReader(open('weights/scales.csv'))}
    w1, w2 = (np.load(f'weights/{n}.npy').astype(np.int64) for n in ('conv1', 'fc1'))
    dense = lambda a, w: a.reshape(len(a), -1) @ w.T

    right, by_step, confusion = 0, np.zeros(STEPS, int), np.zeros((11, 11), int)
    macs = acs = changed = 0
    digest = hashlib.blake2b(digest_size=32)
    rows = list(csv.DictReader(open('numpy/predictions.csv')))
    assert len(rows) == SAMPLES
    for i in range(SAMPLES):
        frames = x[i].astype(np.int64)
        s1, v1 = lif(conv(frames, w1).astype(F) * scale['conv1'])
        p1 = s1.reshape(STEPS, 4, 8, 2, 8, 2).max(axis=(3, 5))
        s2, v2 = lif(dense(p1, w2).astype(F) * scale['fc1'])
        for name, value in (('conv1_spikes', s1), ('conv1_membrane', v1), ('pool1_spikes', p1), ('fc1_spikes', s2), ('fc1_membrane', v2)):
            assert np.array_equal(trace[name][i], value.reshape(STEPS, -1)), (name, i)
        count = np.cumsum(s2, axis=0)
        out = count[-1]
        assert [float(rows[i][f'out{c}']) for c in range(11)] == list(out), i
        assert int(rows[i]['predicted']) == out.argmax() and int(rows[i]['label']) == label[i], i
        right += out.argmax() == label[i]
        by_step += count.argmax(axis=1) == label[i]
        confusion[label[i], out.argmax()] += 1
        for layer in (operations(frames, conv, w1), operations(p1, dense, w2)):
            macs, acs = macs + layer[0], acs + layer[1]
        changed += updates(s1, v1) + updates(s2, v2)
        for t, c in np.argwhere(s2):
            digest.update(np.array([i, t, c], '<u4').tobytes())

    m, n = report['metrics'], report['neurobench']
    near = lambda a, b: math.isclose(a, b, rel_tol=1e-9)
    assert m['correct'] == right and m['confusion'] == confusion.tolist()
    assert np.allclose(np.array(m['accuracy_by_step']) * SAMPLES, by_step)
    z, p = 1.959963984540054, right / SAMPLES
    centre, half = p + z * z / 2 / SAMPLES, z * math.sqrt(p * (1 - p) / SAMPLES + z * z / 4 / SAMPLES**2)
    assert near(m['accuracy']['low'], (centre - half) / (1 + z * z / SAMPLES)), m['accuracy']
    assert near(m['accuracy']['high'], (centre + half) / (1 + z * z / SAMPLES))
    assert near(n['effective_macs'], macs / SAMPLES) and near(n['effective_acs'], acs / SAMPLES), (n, macs, acs)
    assert macs > 0 and acs > 0
    assert near(n['membrane_updates'], changed / SAMPLES), (n['membrane_updates'], changed / SAMPLES)
    spikes = trace['conv1_spikes'].astype(int).sum() + trace['fc1_spikes'].astype(int).sum()
    assert near(n['activation_sparsity'], 1 - spikes / (SAMPLES * STEPS * (1024 + 11)))
    assert near(n['connection_sparsity'], ((w1 == 0).sum() + (w2 == 0).sum()) / (w1.size + w2.size))
    ones = conv(np.ones((1, 2, 16, 16), np.int64), np.ones_like(w1)).sum() + w2.size
    assert near(n['dense_operations'], ones * STEPS)
    assert near(report['layers'][0]['row_reads_per_sample'], x.sum(dtype=int) / SAMPLES), report['layers'][0]
    taps = conv(x.reshape(-1, *x.shape[-3:]).astype(np.int64), np.ones_like(w1[:1])).sum()
    assert near(report['layers'][0]['row_words_per_sample'], taps / SAMPLES), report['layers'][0]
    assert near(report['layers'][0]['inputs_per_sample'], np.count_nonzero(x) / SAMPLES)
    assert report['digests']['output_spikes'] == digest.hexdigest()
    assert report['dataset']['empty_samples'] == 1 and report['warnings'] == ['1 sample holds no events'], report['warnings']


main(*sys.argv[1:])
