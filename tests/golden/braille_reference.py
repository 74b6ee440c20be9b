#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of tests/unit/test_braille.c for the real Braille letters, with pickle and NumPy instead of our readers: braille_reference.py DATA_FOLDER."""

import pickle
import sys
import zipfile

import numpy as np

MASK = (1 << 64) - 1


def checksum(trials):
    """Of (sample, bin, line) triples: sum of mixed numbers, so that the order inside a sample does not matter."""
    total, n = 0, 0
    for i, pairs in enumerate(trials):
        for b, line in pairs:
            key = (i * 65536 + b) * 256 + line + 1
            total = (total + key * key * 0x9E3779B97F4A7C15) & MASK
            n += 1
    return n, total


def letters(path):
    with open(path, "rb") as f:
        data = pickle.load(f)
    names = ["Space"] + [chr(c) for c in range(ord("A"), ord("Z") + 1)]
    trials = []
    for sample in data:
        pairs = set()
        for taxel, both in enumerate(sample["events"]):
            for polarity, times in enumerate(both):
                bins = np.round(np.array(times) * 1000 / 5).astype(int)
                pairs |= {(int(b), 2 * taxel + polarity) for b in bins if b < 270}
        trials.append(pairs)
    events = sum(len(t) for s in data for both in s["events"] for t in both)
    print("letters: trials %d events %d inputs %d checksum 0x%016xULL" % ((len(data), events) + checksum(trials)))
    print("labels:", sum((i + 1) * names.index(s["letter"]) for i, s in enumerate(data)))


def seven(path):
    with zipfile.ZipFile(path) as z:
        x = np.frombuffer(z.read("archive/data/0"), "<f4").reshape(-1, 256, 12)
        y = np.frombuffer(z.read("archive/data/1"), "<i8")
    trials = [[(int(b), int(line)) for b, line in np.argwhere(s)] for s in x]
    print("seven: samples %d inputs %d checksum 0x%016xULL" % ((len(x),) + checksum(trials)))
    print("labels:", sum((i + 1) * int(v) for i, v in enumerate(y)))


def main():
    letters(sys.argv[1] + "/braille/data_braille_letters_th10_part")
    for k in (0, 1):
        seven(sys.argv[1] + "/braille/letters7_th1/ds_val_%d.pt" % k)


if __name__ == "__main__":
    main()
