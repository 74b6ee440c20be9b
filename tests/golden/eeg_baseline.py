#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far linear models come on EEGMMIDB: log band power of each electrode (mu 8-12 Hz, beta 13-30 Hz), shrunk linear discriminant analysis (Ledoit and Wolf 2004), runs left
out one after the other; also common spatial patterns (two classes). And the same on spike counts of eeg_dump (all events of an epoch by electrode and polarity).

usage: eeg_baseline.py FOLDER RUN... [--events FILE.events]"""
import sys

import numpy as np
from scipy import signal

from eeg_twin import dumped, nearest, read_edf


def lda(x, y, xt, priors):
    classes = np.unique(y)
    mean, scale = x.mean(0), x.std(0) + 1e-9
    x, xt = (x - mean) / scale, (xt - mean) / scale
    centres = np.stack([x[y == c].mean(0) for c in classes])
    r = x - centres[np.searchsorted(classes, y)]
    n, d = r.shape
    s = r.T @ r / n
    mu = np.trace(s) / d
    delta = ((s - mu * np.eye(d)) ** 2).sum()
    beta = ((r**2).T @ (r**2) / n - s**2).sum() / n
    a = min(1, beta / delta)
    w = np.linalg.solve((1 - a) * s + a * mu * np.eye(d), centres.T)
    p = np.array([(y == c).mean() if priors else 1 / len(classes) for c in classes])
    return classes[np.argmax(xt @ w - 0.5 * (centres.T * w).sum(0) + np.log(p), 1)]


def wilson(k, n, z=1.959964):
    p, f = k / n, 1 + z * z / n
    h = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (p + z * z / (2 * n) - h) / f, (p + z * z / (2 * n) + h) / f


def report(what, guess, label):
    k, n = int((guess == label).sum()), len(label)
    low, high = wilson(k, n)
    balanced = np.mean([(guess[label == c] == c).mean() for c in np.unique(label)])
    print(f"{what:52s} {k}/{n} = {100 * k / n:.1f} % [{100 * low:.1f}, {100 * high:.1f}], balanced {100 * balanced:.1f} %, always the largest class {100 * np.bincount(label).max() / n:.1f} %")


def cross(what, features, label, group, priors=True):
    guess = np.empty_like(label)
    for g in np.unique(group):
        guess[group == g] = lda(features[group != g], label[group != g], features[group == g], priors)
    report(what, guess, label)


def csp(what, x, label, group, pairs=2):
    guess = np.empty_like(label)
    for g in np.unique(group):
        use = group != g
        cov = lambda c: np.mean([np.cov(e.T) / np.trace(np.cov(e.T)) for e in x[use & (label == c)]], 0)
        a, b = cov(1), cov(2)
        from scipy.linalg import eigh
        _, w = eigh(a, a + b + 1e-6 * np.trace(a + b) / len(a) * np.eye(len(a)))
        w = np.concatenate([w[:, :pairs], w[:, -pairs:]], 1)
        f = np.log(np.stack([(e @ w).var(0) for e in x]))
        guess[~use] = lda(f[use], label[use], f[~use], True)
    report(what, guess, label)


def main():
    if "--events" in sys.argv:
        samples = dumped(sys.argv[sys.argv.index("--events") + 1])
        width = 1 + max(c for _, _, e in samples for _, c, _ in e)
        counts = np.zeros((len(samples), 2 * width))
        for i, (_, _, e) in enumerate(samples):
            np.add.at(counts[i], [p * width + c for _, c, p in e], 1)
        label, group = np.array([s[1] for s in samples]), np.array([s[0].split(":")[0] for s in samples])
        cross("spike counts, LDA, 3 classes", np.log1p(counts), label, group)
        return
    folder, runs = sys.argv[1], [int(r) for r in sys.argv[2:]]
    for name, bands in (("mu", [(8, 12)]), ("beta", [(13, 30)]), ("mu and beta", [(8, 12), (13, 30)]), ("4-8, 8-12, 12-20, 20-30, 30-45", [(4, 8), (8, 12), (12, 20), (20, 30), (30, 45)])):
        features, label, group, wide = [], [], [], []
        for run in runs:
            x, _, period, notes = read_edf(f"{folder}/S001/S001R{run:02d}.edf")
            x = x - x.mean(1, keepdims=True)
            filtered = [signal.sosfilt(signal.butter(4, b, "bandpass", fs=float(1 / period), output="sos"), x - x[0], axis=0) for b in bands]
            broad = signal.sosfilt(signal.butter(4, (8, 30), "bandpass", fs=float(1 / period), output="sos"), x - x[0], axis=0)
            here = []
            for t, d, text in notes:
                first = nearest(t, period)
                here.append(np.concatenate([np.log(f[first + 80:first + 640].var(0) + 1e-9) for f in filtered]))
                wide.append(broad[first + 80:first + 640])
                label.append(int(text[1]))
                group.append(run)
            features += list(np.array(here))
        features, label, group = np.array(features), np.array(label), np.array(group)
        cross(f"{name}: LDA, 3 classes", features, label, group)
        hands = label > 0
        cross(f"{name}: LDA, left or right fist", features[hands], label[hands], group[hands])
        cross(f"{name}: LDA, rest or fist", features, (label > 0).astype(int), group)
    wide = np.array(wide)
    csp("8-30: CSP, left or right fist", wide[hands], label[hands], group[hands])
    for task, part in (("executed", [r for r in runs if r % 2]), ("imagined", [r for r in runs if r % 2 == 0])):
        use = np.isin(group, part)
        cross(f"bands above, {task} runs only: LDA, 3 classes", features[use], label[use], group[use])


if __name__ == "__main__":
    main()
