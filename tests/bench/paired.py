#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paired differences in accuracy between runs of the same recordings on the same chips.

    paired.py PLAIN OTHER... [--json]    each the folder of `snnsim run --out` (or its predictions.csv)

Of each run: mean accuracy, standard deviation over chips, worst and best chip. Of each OTHER against PLAIN: the difference in points (per chip and recording +1, 0 or -1), with two 95 % intervals:
  chips   bootstrap over chips: what other chips would give on these recordings
  both    bootstrap over chips and, independently, over recordings (all chips see the same ones, so that a hard recording counts on every chip): what other
          chips would give on other recordings; Owen (2007), "The pigeonhole bootstrap", says that it is conservative
A run without chips is one chip that stands for all.
"""
import argparse
import csv
import json
import os
import sys

import numpy

RESAMPLES = 10000
SEED = 1


def fail(text):
    sys.exit(f"paired.py: {text}")


def read(path):
    """chips, recordings, right [chips][recordings]"""
    if os.path.isdir(path):
        path = os.path.join(path, "predictions.csv")
    rows = {}
    with open(path, newline="") as f:
        table = csv.DictReader(f)
        if not {"sample", "label", "predicted"} <= set(table.fieldnames or []):
            fail(f"{path}: has no columns sample, label and predicted")
        for row in table:
            rows.setdefault(row.get("chip", ""), []).append((row["sample"], row["label"] == row["predicted"]))
    if not rows:
        fail(f"{path}: is empty")
    names = [name for name, _ in next(iter(rows.values()))]
    for chip, of_chip in rows.items():
        if [name for name, _ in of_chip] != names:
            fail(f"{path}: chip {chip} has other recordings than the first one")
    return list(rows), names, numpy.array([[right for _, right in r] for r in rows.values()], dtype=float)


def interval(values):
    return [float(x) for x in numpy.quantile(values, [0.025, 0.975])]


def compare(difference, random):
    """Mean of difference [chips][recordings] and its intervals."""
    chips, recordings = difference.shape
    # How often each chip and each recording is drawn, as shares.
    of_chips = random.multinomial(chips, [1 / chips] * chips, RESAMPLES) / chips
    of_recordings = random.multinomial(recordings, [1 / recordings] * recordings, RESAMPLES) / recordings
    return {"difference": float(difference.mean()),
            "chips": interval(of_chips @ difference.mean(axis=1)),
            "both": interval(numpy.einsum("rc,rc->r", of_chips @ difference, of_recordings)),
            "other_on": float((difference != 0).mean())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plain")
    parser.add_argument("other", nargs="+")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    runs = [(path,) + read(path) for path in [arguments.plain] + arguments.other]
    chips, names = max((run[1] for run in runs), key=len), runs[0][2]
    random = numpy.random.default_rng(SEED)
    out = []
    for path, own, recordings, right in runs:
        if recordings != names:
            fail(f"{path}: has other recordings than {arguments.plain}")
        if own != chips and len(own) > 1:
            fail(f"{path}: has other chips than {arguments.plain}")
        mean = right.mean(axis=1)
        entry = {"run": path, "chips": len(own), "recordings": len(names), "accuracy": float(mean.mean()),
                 "sd": float(mean.std(ddof=1)) if len(own) > 1 else 0.0, "worst": float(mean.min()), "best": float(mean.max())}
        if path is not runs[0][0]:
            entry.update(compare(numpy.broadcast_to(right, (len(chips), len(names))) - runs[0][3], random))
        out.append(entry)
    if arguments.json:
        print(json.dumps(out, indent=2))
        return
    width = max(len(entry["run"]) for entry in out)
    for e in out:
        line = f"{e['run']:<{width}}  {100 * e['accuracy']:6.2f} % +- {100 * e['sd']:.2f} ({100 * e['worst']:.1f} .. {100 * e['best']:.1f})"
        if "difference" in e:
            line += (f"  {100 * e['difference']:+7.2f} points, chips [{100 * e['chips'][0]:+.2f}, {100 * e['chips'][1]:+.2f}]"
                     f", chips and recordings [{100 * e['both'][0]:+.2f}, {100 * e['both'][1]:+.2f}]")
        print(line)


main()
