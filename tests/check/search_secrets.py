#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches files for what a key keeps secret: search_secrets.py KEY.json FILE...

KEY.json is what `snnsim key show --positions --json` prints (or tests/golden/read_key.py). Looked for in names and bytes of the files, plain and (HDF5) as h5py reads them:
- the seed: as decimal and hexadecimal text, as little- and big-endian words (a seed below 2^32 would occur by chance and is not looked for as four bytes);
- the digest of the plain weights: as text (any case) and as bytes;
- positions: neighbours in the key, as indices of 32 and 64 bits in both byte orders, as the key file's own records, and as text, where each stands within 80 characters of the one
  before; and in any order, when most of the key's large indices stand in one text.
Prints `FILE: what` for each finding; exit status 5 when there is one.
"""

import json
import os
import re
import struct
import sys


def numbers(n):
    """A number as bytes: each form, and what it is."""
    for form, name in (("<Q", "64 bits"), (">Q", "64 bits, big-endian")):
        yield struct.pack(form, n), name
    if 2**16 <= n < 2**32:
        for form, name in (("<I", "32 bits"), (">I", "32 bits, big-endian")):
            yield struct.pack(form, n), name


def find_seed(data, text, seed):
    if re.search(r"(?<!\d)%d(?!\d)" % seed, text):
        yield "the seed in decimal"
    if seed >= 2**16 and re.search(r"(?<![0-9a-f])0*%x(?![0-9a-f])" % seed, text.lower()):
        yield "the seed in hexadecimal"
    for raw, name in numbers(seed):
        if raw in data and seed >= 2**16:
            yield "the seed as %s" % name


def find_digest(data, text, digest):
    if digest in text.lower():
        yield "the plain digest as text"
    if bytes.fromhex(digest) in data:
        yield "the plain digest as bytes"


def runs(positions):
    """Neighbours in the key that hardly occur by chance: two large indices, three small ones."""
    for i in range(len(positions)):
        for n in 2, 3:
            run = positions[i:i + n]
            if len(run) == n and len({p["layer"] for p in run}) == 1 and (n == 3 or run[0]["index"] >= 1000):
                yield [p["index"] for p in run]


def find_positions(data, text, positions, layers):
    for run in runs(positions):
        for form in "<I", ">I", "<Q", ">Q":
            if b"".join(struct.pack(form, index) for index in run) in data:
                yield "positions as words (%s)" % form
                return
        if all(str(index) in text for index in run) and re.search(".{1,80}?".join(r"(?<!\d)%d(?!\d)" % index for index in run), text, re.DOTALL):
            yield "positions as text"
            return
    # in any order
    large = {p["index"] for p in positions if p["index"] >= 1000}
    seen = large & {int(number) for number in re.findall(r"(?<![\d.])\d{4,12}(?!\d)", text)} if b"\0" not in data else set()
    if len(seen) >= 2 and 2 * len(seen) > len(large):
        yield "most positions as text"
    for p in positions:
        if struct.pack("<IIQ", layers.index(p["layer"]), p["bit"], p["index"]) in data and p["index"] >= 256:
            yield "positions as records"
            return


def contents(path):
    with open(path, "rb") as f:
        data = f.read()
    yield os.path.basename(path).encode() + b"\n" + data
    if data[:512].find(b"\x89HDF") >= 0 or data[512:].startswith(b"\x89HDF"):
        try:
            import h5py
        except ImportError:
            return
        found = []

        def visit(name, item):
            found.append(name.encode() + b" " + b" ".join(str(v).encode() for v in item.attrs.values()))
            if isinstance(item, h5py.Dataset):
                value = item[()]
                found.append(value.tobytes() if hasattr(value, "tobytes") else value if isinstance(value, bytes) else str(value).encode())

        with h5py.File(path, "r") as f:
            f.visititems(visit)
        yield b"\n".join(found)


def main():
    with open(sys.argv[1]) as f:
        key = json.load(f)
    key = key.get("content", key)
    layers = [layer["name"] for layer in key["layers"]]
    status = 0
    for path in sys.argv[2:]:
        for data in contents(path):
            text = b"\n".join(re.findall(rb"[\t\n\r -~]{4,}", data)).decode()
            for finding in (*find_seed(data, text, int(key["seed"])), *find_digest(data, text, key["plain"]),
                            *find_positions(data, text, key["positions"], layers)):
                print("%s: %s" % (path, finding))
                status = 5
    sys.exit(status)


if __name__ == "__main__":
    main()
