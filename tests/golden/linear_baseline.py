#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a linear model comes on a DVS128 Gesture folder (real or made by `snnsim dataset make`).

Multinomial logistic regression (L2, full-batch L-BFGS to convergence, standardised features) on (a) the event counts per cell summed over the 15
bins and (b) all 15 frames; trained on trials_to_train.txt, tested on trials_to_test.txt (other subjects). Every regularisation is
printed; the figure to compare with is the best of them, which favours the linear model. Also checks what motion is worth: circles of one arm
told apart by direction, once from sums and once from two hand-made features of motion.

usage: linear_baseline.py FOLDER"""
import sys

import numpy as np
import torch

from aedat31 import frames, recordings

torch.set_num_threads(1)


def load(folder, part):
    f, label = [], []
    for _, _, c, x, y, p, t in recordings(folder, part):
        f.append(frames(x, y, p, t))
        label.append(c)
    return np.stack(f), np.array(label)


def logistic(x, y, xt, yt, decay, classes):
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    x, xt = (torch.tensor((v - mean) / deviation).float() for v in (x, xt))
    y = torch.tensor(y)
    w = torch.zeros(x.shape[1], classes, requires_grad=True)
    b = torch.zeros(classes, requires_grad=True)
    opt = torch.optim.LBFGS([w, b], max_iter=200, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(x @ w + b, y) + decay * (w**2).sum()
        loss.backward()
        return loss

    opt.step(closure)
    with torch.no_grad():
        guess = (xt @ w + b).argmax(1).numpy()
    return float((guess == yt).mean()), guess


def motion(f):
    """Turn of the events' centre from bin to bin, and of OFF against ON events, around the recording's centre."""
    y, x = np.mgrid[0:32, 0:32]
    n = f.sum((3, 4)) + 1e-6
    cx, cy = (f * x).sum((3, 4)) / n, (f * y).sum((3, 4)) / n
    both = f.sum(2)
    mx, my = (both * x).sum((2, 3)) / n.sum(2), (both * y).sum((2, 3)) / n.sum(2)
    a, b = mx - mx.mean(1, keepdims=True), my - my.mean(1, keepdims=True)
    path = (a[:, :-1] * b[:, 1:] - b[:, :-1] * a[:, 1:]).sum(1)
    edge = (a * (cy[..., 0] - cy[..., 1]) - b * (cx[..., 0] - cx[..., 1])).sum(1)
    return np.stack([path, edge], 1)


def main():
    f, y = load(sys.argv[1], "train")
    g, z = load(sys.argv[1], "test")
    print("%d training, %d test recordings, %.0f events each" % (len(f), len(g), f.sum((1, 2, 3, 4)).mean()))
    for name, feature in (("sums", lambda v: v.sum(1).reshape(len(v), -1)), ("15 frames", lambda v: v.reshape(len(v), -1))):
        best = (0.0, None, 0.0)
        for decay in (1e-3, 1e-2, 1e-1, 1.0, 10.0):
            accuracy, guess = logistic(feature(f), y, feature(g), z, decay, 11)
            print("linear on %-9s  L2 %-6g %5.1f %%" % (name, decay, 100 * accuracy))
            if accuracy > best[0]:
                best = (accuracy, guess, decay)
        print("linear on %-9s  best     %5.1f %%  per class %s" % (name, 100 * best[0], " ".join("%d" % round(100 * (best[1] == z)[z == c].mean()) for c in range(11))))
    for arm, c in (("right", 3), ("left", 5)):
        m, k = (y == c) | (y == c + 1), (z == c) | (z == c + 1)
        total = f[m].sum((1, 2, 3, 4))
        n = [np.log(total[y[m] == v]) for v in (c, c + 1)]
        t = (n[0].mean() - n[1].mean()) / np.sqrt(n[0].var() / len(n[0]) + n[1].var() / len(n[1]))
        sums = max(logistic(f[m].sum(1).reshape(m.sum(), -1), y[m] - c, g[k].sum(1).reshape(k.sum(), -1), z[k] - c, d, 2)[0] for d in (1e-2, 1e-1, 1.0, 10.0))
        move = logistic(motion(f[m]), y[m] - c, motion(g[k]), z[k] - c, 1e-3, 2)[0]
        print("%s arm, sense of turn: sums %.0f %%, motion of the centre %.0f %%; log event count differs by t = %.2f" % (arm, 100 * sums, 100 * move, t))


main()
