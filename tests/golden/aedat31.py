# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent NumPy reader of DVS128 Gesture folders (AEDAT 3.1, label CSV) and of .bs2 files, written from the format's description
and not from the C code. Also the framing of pytorch_baseline.md."""
import os
import re

import numpy as np


def read_aedat(path):
    """x, y, polarity, time (us) of all valid polarity events. Raises ValueError on anything unexpected."""
    raw = open(path, "rb").read()
    lines = []
    at = 0
    while raw[at : at + 1] == b"#":
        end = raw.index(b"\n", at)
        if raw[end - 1 : end] != b"\r":
            raise ValueError("header line without CR LF at byte %d" % at)
        lines.append(raw[at : end - 1].decode("ascii"))
        at = end + 1
        if lines[-1] == "#!END-HEADER":
            break
    if lines[0] != "#!AER-DAT3.1" or lines[-1] != "#!END-HEADER":
        raise ValueError("header %r" % lines)
    parts = []
    while at < len(raw):
        head = np.frombuffer(raw, "<u2", 2, at), np.frombuffer(raw, "<u4", 6, at + 4)
        kind = int(head[0][0])
        size, offset, overflow, capacity, number, valid = (int(v) for v in head[1])
        if size != 8 or offset != 4 or number > capacity or valid > number:
            raise ValueError("packet header at byte %d: %r" % (at, head))
        if kind == 1:
            e = np.frombuffer(raw, "<u4", 2 * number, at + 28).reshape(-1, 2)
            data, time = e[:, 0], (overflow << 31) + e[:, 1].astype(np.int64)
            keep = (data & 1) == 1
            parts.append(np.stack([data >> 17 & 0x7FFF, data >> 2 & 0x7FFF, data >> 1 & 1, time])[:, keep].astype(np.int64))
        at += 28 + 8 * number
    if at != len(raw):
        raise ValueError("%d bytes too many announced" % (at - len(raw)))
    x, y, p, t = np.concatenate(parts, 1)
    if np.any(np.diff(t) < 0):
        raise ValueError("time runs back")
    return x, y, p, t


def read_bs2(path):
    b = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    return b[:, 0], b[:, 1], b[:, 2] >> 7, (b[:, 2] & 127) << 16 | b[:, 3] << 8 | b[:, 4]


def recordings(folder, part):
    """Yields (user, light, class 0..10, x, y, p, t) of the trials in trials_to_<part>.txt; times from the gesture's start."""
    for name in open(os.path.join(folder, "trials_to_%s.txt" % part)).read().split():
        user, light = re.match(r"user(\d+)_(\w+)\.aedat$", name).groups()
        x, y, p, t = read_aedat(os.path.join(folder, name))
        labels = open(os.path.join(folder, name[:-6] + "_labels.csv")).read().split()
        if labels[0] != "class,startTime_usec,endTime_usec":
            raise ValueError("%s: heading %r" % (name, labels[0]))
        for line in labels[1:]:
            c, start, end = (int(v) for v in line.split(","))
            m = (t >= start) & (t < end)
            yield int(user), light, c - 1, x[m], y[m], p[m], t[m] - start


def frames(x, y, p, t, bins=15, down=4, side=128):
    """Counts [bins][polarity][y][x], exactly as pytorch_baseline.md frames."""
    window = (t[-1] - t[0]) // bins
    b = (t - t[0]) // window
    m = b < bins
    f = np.zeros((bins, 2, side // down, side // down), np.float32)
    np.add.at(f, (b[m], p[m], y[m] // down, x[m] // down), 1)
    return f
