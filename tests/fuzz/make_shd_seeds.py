#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the fuzz target shd into tests/fuzz/seeds: binned recordings, HDF5 heaps, times and units, as fuzz_shd.c takes them."""

import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds", "shd")


def write(name, data):
    os.makedirs(SEEDS, exist_ok=True)
    with open(os.path.join(SEEDS, name), "wb") as f:
        f.write(data)


def heap(objects, size=None):
    body = b"".join(struct.pack("<HHIQ", i, 1, 0, len(d)) + d + bytes(-len(d) % 8) for i, d in objects)
    size = size or 16 + len(body) + 16
    body += struct.pack("<HHIQ", 0, 0, 0, size - 16 - len(body)) if size - 16 - len(body) >= 16 else b""
    return (b"GCOL\1\0\0\0" + struct.pack("<Q", size) + body).ljust(size, b"\0")


def heaps(items, file, base=0):
    head = b"".join(struct.pack("<HHH", at // 8, size, index) for at, size, index in items)
    return bytes([1, len(items), base]) + head + bytes(base) + file


def main():
    write("trace", b"\x0010\n0,528\n1,2,10,700\n2,\n3\n4,1,5,\n")
    write("trace_crlf", b"\x000\r\n0,\r\n1,3,4\r\n")
    write("trace_descends", b"\x001\n0,5,4\n")
    write("trace_bins", b"\x001\n0,5\n2,4\n")
    write("trace_class", b"\x0020\n")
    first, second = heap([(1, b"abcde"), (3, b"x" * 8), (2, b"y")], 4096), heap([(1, b"z" * 100), (7, b"w")])
    file = first + second
    write("heaps", heaps([(0, 5, 1), (4096, 1, 7), (0, 1, 2), (0, 8, 3), (8, 0, 0), (4096, 100, 1)], file))
    write("heaps_base", heaps([(0, 5, 1), (4096, 1, 7)], file, 3))
    write("heaps_missing", heaps([(0, 5, 4)], file))
    write("heaps_overlap", heaps([(0, 5, 1), (4096, 1, 7)], heap([(1, b"abcde")], 4104) + second))
    write("heaps_short", heaps([(4096, 1, 7)], file[:-20]))
    write("heaps_large_object", heaps([(0, 5, 1)], heap([(1, b"abcde")])[:24] + b"\xff" * 8 + bytes(40)))
    half = struct.pack("<4e", 0, 0.25, 0.125, 1.5)
    write("events", bytes([2, 3]) + half + struct.pack("<4H", 0, 699, 5, 7))
    write("events_unit", bytes([2, 3]) + half + struct.pack("<4H", 0, 700, 5, 7))
    write("events_float", bytes([2, 7]) + struct.pack("<3f", 0, 0.5, 0.25) + struct.pack("<3I", 1, 2, 3))
    write("events_double", bytes([2, 11]) + struct.pack("<2d", 0, -1) + struct.pack("<2Q", 1, 2))


if __name__ == "__main__":
    main()
