#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of fuzz_key (docs/key.md has the layout) into tests/fuzz/seeds/key."""

import hashlib
import os
import struct

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds", "key")
LINE = b"snnsim key: tells which bits of a model are encrypted (secret).\n"


def payload(tensors, flips, scheme=b"xor", seed=1, retired=(), versions=0):
    """tensors: (name, encoding, bits, weights); flips and retired: (tensor, bit, index)."""
    out = scheme.ljust(8, b"\0") + struct.pack("<Q", seed) + b"\xab" * 32 + b"\xcd" * 32
    out += struct.pack("<IIQ", len(tensors), 0, len(flips)) + b"\xef" * 32 + struct.pack("<QII", len(retired), versions, 0)
    for i, (name, encoding, bits, weights) in enumerate(tensors):
        keyed = sum(f[0] == i for f in flips)
        out += name.encode().ljust(32, b"\0") + struct.pack("<IIQQQ", encoding, bits, weights, keyed, 0)
    return out + b"".join(struct.pack("<IIQ", *f) for f in (*flips, *retired))


def head(size, form=0, kdf=(0, 0, 0), version=2):
    return LINE + struct.pack("<IIIIQQ", version, form, kdf[0], 0, *kdf[1:]) + bytes(40) + struct.pack("<Q", size)


def clear(content, **more):
    content += bytes(-len(content) % 4096)
    start = head(len(content), **more) + content
    return start + hashlib.blake2b(start, digest_size=32).digest()


def write(name, how, data):
    with open(os.path.join(SEEDS, name), "wb") as f:
        f.write(bytes([how]) + data)


def main():
    os.makedirs(SEEDS, exist_ok=True)
    two = [("conv1", 0, 8, 800), ("fc2", 2, 8, 5120)]
    good = payload(two, [(0, 0, 7), (0, 0, 9), (1, 0, 0), (1, 7, 5119)])
    write("clear", 0, clear(good))
    write("payload", 1, good)
    write("sealed", 2, good)
    write("one_bit", 1, payload([("c", 1, 1, 1)], [(0, 0, 0)]))
    write("sixteen_bits", 1, payload([("c", 1, 16, 1)], [(0, 15, 0)]))
    write("two_pages", 2, payload([("fc1", 0, 8, 300)], [(0, 0, i) for i in range(250)]))
    old = [(0, 0, 8), (1, 3, 77)]
    write("rotated", 1, payload(two, [(0, 0, 7), (1, 7, 5119)], retired=old, versions=2))
    write("rotated_sealed", 2, payload(two, [(0, 0, 7)], retired=old, versions=1))
    write("keyed_again", 1, payload(two, [(0, 0, 8)], retired=old, versions=1))
    write("no_versions", 1, payload(two, [(0, 0, 7)], retired=old))
    write("unsorted", 1, payload(two, [(1, 0, 0), (0, 0, 7)]))
    write("twice", 1, payload(two, [(0, 0, 7), (0, 0, 7)]))
    write("outside", 1, payload(two, [(0, 0, 800)]))
    write("float", 1, payload([("f", 0, 0, 10), ("g", 0, 8, 10)], [(1, 0, 3)]))
    write("scheme", 1, payload(two, [(0, 0, 7)], scheme=b"aes"))
    write("empty", 1, payload(two, []))
    write("version_1", 0, clear(good, version=1))
    write("limits", 0, head(4096, 1, (2, 5, 8192)) + bytes(4096 + 16))
    write("cut", 0, clear(good)[:2000])
    write("text", 0, b"snnsim model")


if __name__ == "__main__":
    main()
