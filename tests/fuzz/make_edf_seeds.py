#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the EDF fuzz target into tests/fuzz/seeds/edf: two bytes of settings and a small EDF+C file each."""

import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds", "edf")


def edf(labels=("C1..", "C2.."), samples=8, records=4, duration="1", kind="EDF+C", notes=30, tals=None):
    signals = [(name, samples, "-8092", "8092") for name in labels] + ([("EDF Annotations", notes, "-32768", "32767")] if notes else [])
    n = len(signals)
    head = b"".join(str(v).ljust(w).encode() for v, w in (
        ("0", 8), ("X X X X", 80), ("Startdate 12-AUG-2009 X X X", 80), ("12.08.09", 8), ("16.15.00", 8), (256 * (n + 1), 8), (kind, 44), (records, 8), (duration, 8), (n, 4)))
    for width, value in ((16, lambda s: s[0]), (80, lambda s: ""), (8, lambda s: "uV"), (8, lambda s: s[2]), (8, lambda s: s[3]), (8, lambda s: s[2]), (8, lambda s: s[3]),
                         (80, lambda s: "HP:0Hz"), (8, lambda s: s[1]), (32, lambda s: "")):
        head += b"".join(str(value(s)).ljust(width).encode() for s in signals)
    body = b""
    for r in range(records):
        for c in range(len(labels)):
            body += struct.pack(f"<{samples}h", *((37 * (r * samples + k) * (c + 1)) % 401 - 200 for k in range(samples)))
        if notes:
            tal = b"+%g\x14\x14\0" % (r * float(duration)) + ((tals or {}).get(r, b""))
            body += tal.ljust(2 * notes, b"\0")
    return head + body


def write(name, data, settings=b"\x1a\x01"):
    os.makedirs(SEEDS, exist_ok=True)
    with open(os.path.join(SEEDS, name), "wb") as f:
        f.write(settings + data)


def main():
    tals = {0: b"+0\x152\x14T0\x14\0", 2: b"+2\x151.5\x14T1\x14\0"}
    whole = edf(tals=tals)
    write("usual", whole)
    write("rest", whole, b"\x7a\x46")
    write("zero_phase", whole, b"\x3b\x09")
    write("plain", edf(kind="", tals=tals))
    write("gaps", edf(kind="EDF+D", tals=tals))
    write("no_notes", edf(notes=0))
    write("only_notes", edf(labels=(), duration="0", tals=tals))
    write("cut", whole[:-3])
    write("cut_header", whole[:700])
    write("text_mode", edf(samples=10, tals={0: b"+0\x141\n2\x14\0"}).replace(b"\n", b"\r\n"))
    write("no_end", edf(tals={1: b"+1\x154\x14T1"}))
    write("two_rates", edf(labels=("C1..", "C2..", "C3.."), samples=4, tals=tals), b"\x1a\x08")


if __name__ == "__main__":
    main()
