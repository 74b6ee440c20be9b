#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames real recordings with NumPy, independently of snnsim, and prints what tests/unit/test_golden_frames.c compares with:

    /usr/bin/python3 tests/golden/frame_reference.py $SNNSIM_DATA > tests/golden/frames.csv

Follows the byte formats in the data folder's README.md and "Framing, exactly" in pytorch_baseline.md (tonic's ToFrame with n_time_bins). One row per case:
sample of a data set, framing, then events read, events dropped, (step, input) pairs with events, sum of counts, and the BLAKE2b-256 digest of
(step, input, count) as little-endian uint32 in ascending order."""

import hashlib
import sys

import numpy as np


def read_bs2(path):
    b = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    assert not (b[:, 1] == 240).any()
    return b[:, 0], b[:, 1], b[:, 2] >> 7, (b[:, 2] & 127) << 16 | b[:, 3] << 8 | b[:, 4]


def read_aedat(path, row):
    """Events of gesture `row` (from 1) of the label file, times from the gesture's start."""
    start, end = [int(v) for v in open(path.replace(".aedat", "_labels.csv")).read().split()[row].split(",")[1:]]
    data = open(path, "rb").read()
    at = data.index(b"#!END-HEADER\r\n") + 14
    parts = []
    while at < len(data):
        kind, _ = np.frombuffer(data, "<u2", 2, at)
        size, _, overflow, _, number, _ = (int(v) for v in np.frombuffer(data, "<u4", 6, at + 4))
        at += 28
        if kind == 1:
            e = np.frombuffer(data, "<u4", 2 * number, at).astype(np.int64).reshape(-1, 2)
            e[:, 1] += overflow << 31
            parts.append(e[(e[:, 0] & 1) == 1])
        at += size * number
    e = np.concatenate(parts)
    e = e[(e[:, 1] >= start) & (e[:, 1] < end)]
    return e[:, 0] >> 17, e[:, 0] >> 2 & 0x7FFF, e[:, 0] >> 1 & 1, e[:, 1] - start


def frame(events, side, bins, bin_us, from_zero, downsample, binary, merge):
    x, y, p, t = events
    order = np.argsort(t, kind="stable")
    x, y, p, t = x[order], y[order], p[order], t[order]
    if bin_us:
        step = (t - (0 if from_zero else t[0])) // bin_us
    else:
        window = (t[-1] - t[0]) // bins
        step = (t - t[0]) // window if window else np.zeros_like(t)
    keep = (step >= 0) & (step < bins)
    small = -(-side // downsample)
    line = ((0 if merge else p) * small + y // downsample) * small + x // downsample
    size = (1 if merge else 2) * small * small
    key, count = np.unique((step * size + line)[keep], return_counts=True)
    if binary:
        count = np.ones_like(count)
    rows = np.stack([key // size, key % size, count], axis=1).astype("<u4")
    digest = hashlib.blake2b(rows.tobytes(), digest_size=32).hexdigest()
    return len(t), int((~keep).sum()), len(key), int(count.sum()), digest


NMNIST = [("train1K.txt", n) for n in ("1", "2", "500", "1000")] + [("test_first50.txt", "60001")]
# bins, bin_us, from_zero, downsample, binary, merge
FRAMINGS = [(15, 0, 0, 1, 0, 0), (300, 1000, 1, 1, 1, 0), (10, 25000, 0, 3, 0, 1)]
GESTURE_FRAMINGS = [(15, 0, 0, 4, 0, 0), (145, 10000, 1, 4, 0, 0), (7, 0, 0, 5, 1, 1)]


def main(data):
    print("data set,folder,list,sample,bins,bin_us,from_zero,downsample,binary,merge_polarity,label,events,dropped,pairs,sum,digest")

    def show(name, folder, listing, sample, side, events, label, framings):
        for f in framings:
            print(",".join(str(v) for v in (name, folder, listing, sample, *f, label, *frame(events, side, *f))))

    def label_of(folder, listing, sample):
        rows = [line.split() for line in open(f"{data}/{folder}/{listing}") if not line.startswith("#")]
        return dict(rows)[sample]

    for listing, n in NMNIST:
        show("nmnist", "nmnist", listing, n, 34, read_bs2(f"{data}/nmnist/{n}.bs2"), label_of("nmnist", listing, n), FRAMINGS)
    for n in ("1", "8"):
        folder = "dvs128_gesture"
        show(folder, folder, "labels.txt", n, 128, read_bs2(f"{data}/{folder}/{n}.bs2"), label_of(folder, "labels.txt", n), GESTURE_FRAMINGS)
    folder = "dvs128_gesture/derived_aedat31"
    for row, label in ((1, 0), (2, 1), (3, 7)):
        show("dvs128_gesture", folder, "", f"user90_derived:{row}", 128, read_aedat(f"{data}/{folder}/user90_derived.aedat", row), label,
             GESTURE_FRAMINGS)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
