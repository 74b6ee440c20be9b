#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""K-fold cross-validation by the program itself: trains and runs each fold with each seed, prints the mean accuracy of each seed and of all.

    tests/bench/cross_validate.py nmnist.cfg --folds 10 --seeds 5 [--set key=value]... [--csv FILE]

Every fold is trained on the other folds only; the fold itself is seen once, by the final 8-bit model. The interval over seeds is that of a
Student t distribution of the seeds' means; the Wilson interval takes each recording once (its share of correct answers over the seeds)."""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time

# Two-sided 95 % quantiles of Student's t for 1..9 degrees of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


def wilson(p, n):
    """95 % Wilson interval of a share p of n."""
    z = 1.959964
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def one_fold(program, config, sets, model):
    """Trains and runs one fold. Returns (correct, samples, seconds of training)."""
    options = [x for s in sets for x in ("--set", s)]
    start = time.monotonic()
    subprocess.run([program, "train", config, *options, "--model", model, "--quiet"], check=True)
    seconds = time.monotonic() - start
    out = subprocess.run([program, "run", config, *options, "--model", model, "--json"], check=True, capture_output=True, text=True).stdout
    report = json.loads(out)
    confusion = report["metrics"]["confusion"]
    correct = sum(row[i] for i, row in enumerate(confusion))
    return correct, sum(map(sum, confusion)), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--csv", help="one row a fold: seed, fold, correct, samples, training seconds")
    args = parser.parse_args()
    program = os.environ.get("SNNSIM", "build/snnsim")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, args.seeds + 1):
            for fold in range(args.folds):
                sets = args.set + [f"seed={seed}", f"dataset.folds={args.folds}", f"dataset.fold={fold}", f"dataset.fold_seed={seed}"]
                rows.append((seed, fold, *one_fold(program, args.config, sets, os.path.join(folder, "fold.h5"))))
            mine = [r for r in rows if r[0] == seed]
            print(f"seed {seed}: {100 * sum(r[2] for r in mine) / sum(r[3] for r in mine):.2f} %  ({sum(r[4] for r in mine) / len(mine):.1f} s a training)", flush=True)
    if args.csv:
        with open(args.csv, "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([("seed", "fold", "correct", "samples", "seconds"), *rows])
    means = [sum(r[2] for r in rows if r[0] == s) / sum(r[3] for r in rows if r[0] == s) for s in range(1, args.seeds + 1)]
    mean, samples = sum(means) / len(means), sum(r[3] for r in rows if r[0] == 1)
    low, high = wilson(mean, samples)
    line = f"mean {100 * mean:.2f} %, Wilson over {samples} recordings {100 * low:.2f} .. {100 * high:.2f} %"
    if len(means) > 1:
        spread = math.sqrt(sum((m - mean) ** 2 for m in means) / (len(means) - 1))
        half = STUDENT[min(len(means) - 2, len(STUDENT) - 1)] * spread / math.sqrt(len(means))
        line += f", seeds {100 * (mean - half):.2f} .. {100 * (mean + half):.2f} %"
    print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
