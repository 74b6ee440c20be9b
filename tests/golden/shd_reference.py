#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the SHD recordings at hand with h5py and plain Python, independently of snnsim, and prints what tests/unit/test_shd.c compares with:

    /usr/bin/python3 tests/golden/shd_reference.py $SNNSIM_DATA > tests/golden/shd.csv

A row for each recording of derived_h5/shd_subset.h5: number, label, events, BLAKE2b-256 of (time in us, unit) as little-endian uint32. Times are the float16 values
times 1e6 in float64, rounded to nearest (numpy.rint). Then a row for all 1000 traces together, in order of their numbers: events, digest of (step, input, count) as
in frame_reference.py, steps being the bins of the files and inputs units; and one with the published order, input 700 - unit."""

import glob
import hashlib
import re
import sys

import h5py
import numpy as np


def digest(rows):
    return hashlib.blake2b(np.asarray(rows, "<u4").tobytes(), digest_size=32).hexdigest()


def recordings(path):
    with h5py.File(path) as f:
        for i, label in enumerate(f["labels"][:]):
            times = np.rint(f["spikes/times"][i].astype(np.float64) * 1e6).astype(np.int64)
            units = f["spikes/units"][i].astype(np.int64)
            order = np.argsort(times, kind="stable")
            print(f"{i},{label},{len(times)},{digest(np.stack([times[order], units[order]], axis=1))}")


def traces(folder):
    events, plain, reverse = 0, [], []
    for path in sorted(glob.glob(f"{folder}/*.trace"), key=lambda p: int(re.search(r"(\d+)\.trace$", p).group(1))):
        for line in open(path).read().split("\n")[1:]:
            numbers = [int(v) for v in line.split(",") if v]
            events += max(len(numbers) - 1, 0)
            plain += [(numbers[0], unit, 1) for unit in sorted(700 - v for v in numbers[1:])]
            reverse += [(numbers[0], channel, 1) for channel in sorted(numbers[1:])]
    print(f"traces,,{events},{digest(plain)}")
    print(f"reverse,,{events},{digest(reverse)}")


def main(data):
    print("recording,label,events,digest")
    recordings(f"{data}/shd/derived_h5/shd_subset.h5")
    traces(f"{data}/shd/traces")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
