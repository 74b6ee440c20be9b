#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How like the real thing the synthetic camera is: statistics of the real recordings of DVS128 Gesture (.bs2 files) beside those of a folder made by
`snnsim dataset make`, class by class (median, lowest, highest over the folder's test subjects), and, on request, a picture of both.

usage: camera_stats.py FOLDER [REAL_FOLDER [PICTURE.png]]"""
import struct
import sys
import zlib

import numpy as np

from aedat31 import read_bs2, recordings

LENGTH = 1450000  # us, of the real pieces
NAMES = ("events", "ON share", "pixels", "pixels>10", "corner Hz", "corner quiet", "x spread", "y spread", "modulation", "top 1 %", "twice", "interval ms")


def statistics(x, y, p, t):
    m = t < LENGTH
    x, y, p, t = x[m], y[m], p[m], t[m]
    k = y * 128 + x
    image = np.bincount(k, minlength=16384)
    corner = image.reshape(128, 128)[:16]
    order = np.lexsort((t, k))
    gap = np.diff(t[order])[np.diff(k[order]) == 0]
    rate = np.bincount(t // 50000, minlength=29)[:29]
    return (len(t), p.mean(), (image > 0).sum(), (image > 10).sum(), corner.mean() / 1.45, (corner == 0).mean(), x.std(), y.std(),
            rate.std() / rate.mean(), np.sort(image)[::-1][:164].sum() / len(t), (gap < 4).mean(), np.median(gap) / 1e3)


def strip(x, y, p, t, width=33000):
    """Ten pictures of 33 ms, ON green, OFF red."""
    out = []
    for start in range(200000, 1400000, 120000):
        m = (t >= start) & (t < start + width)
        f = np.zeros((128, 128, 3))
        np.add.at(f, (y[m], x[m], 1 - p[m]), 80)
        f[-1] = f[:, -1] = 60
        out.append(np.minimum(f, 255))
    return np.concatenate(out, 1)


def write_png(path, a):
    a = np.ascontiguousarray(a, np.uint8)
    rows = b"".join(b"\0" + r.tobytes() for r in a)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 8, 2, 0, 0, 0)
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def row(name, values):
    print("%-16s" % name + " ".join("%12.2f" % v for v in values))


def main():
    made, pictures = {}, []
    for _, _, c, x, y, p, t in recordings(sys.argv[1], "test"):
        made.setdefault(c, []).append(statistics(x, y, p, t))
        if len(made[c]) == 2:
            pictures.append((c, 1, strip(x, y, p, t)))
    print(" " * 16 + " ".join("%12s" % n for n in NAMES))
    real = {}
    if len(sys.argv) > 2:
        for line in open(sys.argv[2] + "/labels.txt"):
            if not line.startswith("#"):
                number, c = (int(v) for v in line.split())
                real[c] = read_bs2("%s/%d.bs2" % (sys.argv[2], number))
                pictures.append((c, 0, strip(*real[c])))
    for c in sorted(made):
        if c in real:
            row("class %d real" % c, statistics(*real[c]))
        for name, of in (("synthetic", np.median), ("  lowest", np.min), ("  highest", np.max)):
            row("class %d %s" % (c, name) if name == "synthetic" else name, of(np.array(made[c]), 0))
    if len(sys.argv) > 3:
        write_png(sys.argv[3], np.concatenate([p for _, _, p in sorted(pictures, key=lambda v: v[:2])], 0))


main()
