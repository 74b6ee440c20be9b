#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of fuzz_checkpoint into tests/fuzz/seeds/checkpoint: states of searches without head and digest (the target adds them), and whole files."""

import hashlib
import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds", "checkpoint")


def score(loss, lead):
    return struct.pack("<IIIdd", 9, 8, 7, loss, lead)


def item_set(items, scored=1, loss=0.5, lead=1.0):
    return struct.pack(f"<I{len(items)}IB", len(items), *items, scored) + score(loss, lead)


def many(sets):
    return struct.pack("<I", len(sets)) + b"".join(sets)


def state(best, sets, front, phase=0, step=3, evaluations=500, searched=400, flags=(0, 0, 0)):
    return (struct.pack("<QBBIQQQB", 5, flags[0], flags[1], phase, step, evaluations, searched, flags[2]) + best + many(sets)
            + struct.pack("<16Q16d", *range(16), *range(16)) + many(front))


def whole(payload, fingerprint=b"a fingerprint of thirty-two byte", version=1):
    body = b"SNNSRCH\n" + struct.pack("<II", version, 0x01020304) + fingerprint + payload
    return body + hashlib.blake2b(body, digest_size=32).digest()


def main():
    best = item_set([1, 7, 49])
    front = [item_set([], 1, 3.0), item_set([4], 1, 2.0), item_set([1, 7, 49])]
    good = state(best, [item_set([0, 1]), item_set([], 0, 0, 0), item_set(range(50))], front)
    seeds = {
        "good": good,
        "pruning": state(best, [], front, phase=1, flags=(0, 0, 1)),
        "over": state(best, [], front, phase=1, flags=(1, 1, 0)),
        "infinite": state(best, [item_set([3], 1, float("inf"), float("inf"))], front),
        "outside": state(item_set([50]), [], front),
        "unsorted": state(best, [item_set([2, 1])], front),
        "nan": state(best, [item_set([2], 1, float("nan"))], front),
        "ascending": state(best, [], front[::-1]),
        "phase": state(best, [], front, phase=2),
        "many": state(best, [], front)[:-3] + b"\xff\xff\xff",
        "cut": good[:-9],
        "long": good + b"\0",
        "whole": whole(good),
        "version": whole(good, version=2),
        "foreign": whole(good, b"x" * 32),
        "damaged": whole(good)[:-1] + b"\0",
        "short": b"SNNSRCH\n",
    }
    os.makedirs(SEEDS, exist_ok=True)
    for name, data in seeds.items():
        with open(os.path.join(SEEDS, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
