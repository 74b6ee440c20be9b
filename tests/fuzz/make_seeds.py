#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the readers' fuzz targets (events, aedat, lists, faults) into tests/fuzz/seeds: small files put together by hand."""

import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def write(target, name, data):
    os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
    with open(os.path.join(SEEDS, target, name), "wb") as f:
        f.write(data)


def bs2(events):
    return b"".join(struct.pack(">BBBH", x, y, p << 7 | t >> 16, t & 0xFFFF) for x, y, p, t in events)


def bs3(events):
    return b"".join(((x << 44) | (y << 32) | (p << 24) | t).to_bytes(7, "big") for x, y, p, t in events)


def packet(events, kind=1, overflow=0, valid=1):
    n = len(events)
    head = struct.pack("<hhiiiiii", kind, 1, 8, 4, overflow, n, n, n)
    return head + b"".join(struct.pack("<II", x << 17 | y << 2 | p << 1 | valid, t) for x, y, p, t in events)


def main():
    line = [(i % 34, 33 - i % 34, i % 2, 50 * i) for i in range(120)]
    back = line[:60] + [(5, 5, 1, 10)] + line[60:]
    for pick in (0, 2, 6, 16, 32 + 64, 1, 1 + 2 + 8 + 16):
        write("events", f"bs2_{pick}", bytes([pick, 14]) + bs2(line))
    write("events", "bs2_marker", b"\x00\x0e" + bs2(line[:3] + [(0, 240, 0, 0)] + line[3:6]))
    write("events", "bs2_back", b"\x00\x0e" + bs2(back))
    write("events", "bs2_outside", b"\x00\x0e" + bs2([(34, 1, 0, 0)]))
    write("events", "bs2_cut", b"\x00\x0e" + bs2(line)[:-2])
    write("events", "bs3", b"\x81\x0e" + bs3(line))
    write("events", "bs3_outside", b"\x81\x0e" + bs3([(128, 0, 0, 0)]))
    write("events", "empty", b"\x00\x00")

    text = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    write("aedat", "two_packets", text + packet(line[:10]) + packet(line[10:20]))
    write("aedat", "other_type", text + packet(line[:2], kind=0) + packet(line[:2]))
    write("aedat", "overflow", text + packet(line[:2]) + packet(line[:2], overflow=1))
    write("aedat", "invalid", text + packet(line[:2], valid=0) + packet([]))
    write("aedat", "no_mark", b"#!AER-DAT3.1\n#x\n" + packet(line[:2]))
    write("aedat", "cut", text + packet(line[:10])[:-3])
    write("aedat", "bare_packets", packet(line[:10]) + packet(line[10:12]))

    write("lists", "labels", b"\x00#sample #class\r\n1\t5\r\n2\t0\r\n60001\t9\r\n")
    write("lists", "labels_from_1", b"\x011 1\n2 10")
    write("lists", "labels_twice", b"\x001\t5\n1\t5\n")
    write("lists", "gestures", b"\x02class,startTime_usec,endTime_usec\n1,100,200\n8,200,9223372036854775807\n")
    write("lists", "gestures_backwards", b"\x021,5,4\n")
    write("lists", "trials", b"\x03user01_led.aedat\r\nuser02_lab.aedat\r\n")
    write("lists", "trials_path", b"\x03../a.aedat\n")

    write("faults", "text", b"# array row column\n0 0 0 stuck_hrs\n2 3 5 stuck_lrs\r\n\n1\t2 3 stuck_hrs # c\n")
    write("faults", "twice", b"0 0 1 stuck_hrs\n1 0 0 stuck_lrs\n0 0 1 stuck_lrs\n")
    write("faults", "outside", b"3 0 0 stuck_hrs\n")
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4, 6), }"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.ljust(117) + b"\n"
    write("faults", "array", npy + bytes(i % 3 for i in range(72)))
    write("faults", "array_kind", npy + bytes(i % 4 for i in range(72)))
    write("faults", "array_shape", npy.replace(b"(3, 4, 6)", b"(3, 6, 4)") + bytes(72))


if __name__ == "__main__":
    main()
