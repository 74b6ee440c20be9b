#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the fuzz targets pickle and pt into tests/fuzz/seeds: small files as Python and torch write them, and some that they would not."""

import io
import os
import pickle
import struct
import zipfile

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def write(target, name, data):
    os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
    with open(os.path.join(SEEDS, target, name), "wb") as f:
        f.write(data)


def trial(letter, n):
    return {"letter": letter, "events": [[[0.0025 * (i + 1) for i in range((t * p + n) % 4)] for p in (0, 1)] for t in range(12)]}


def tensor(storage, key, items, offset, sizes, strides):
    def number(v):
        return b"K%c" % v if v < 256 else b"M" + struct.pack("<H", v)

    def tuple_of(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    return (b"ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\0\0\0storagectorch\n" + storage + b"\nX\x01\0\0\0" + key + b"X\x03\0\0\0cpu"
            + number(items) + b"tQ" + number(offset) + tuple_of(sizes) + tuple_of(strides) + b"\x89ccollections\nOrderedDict\n)RtR")


def dataset(x, y):
    return b"\x80\x02ctorch.utils.data.dataset\nTensorDataset\nq\x00)\x81q\x01}X\x07\0\0\0tensors" + x + y + b"\x86sb."


def archive(members, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.comment = comment
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def main():
    letters = [trial("A", 0), trial("Space", 1), trial("Z", 3)]
    write("pickle", "letters", pickle.dumps(letters, 3))
    write("pickle", "many", pickle.dumps([trial("ABCDEFGH"[i % 8], i) for i in range(20)], 3))
    write("pickle", "protocol_4", pickle.dumps(letters, 4))
    write("pickle", "raw", pickle.dumps([{"letter": "A", "timestamp": [0.5], "taxel_data": [[1.0]]}], 3))
    write("pickle", "object", pickle.dumps(ValueError("x"), 3))
    write("pickle", "shared", pickle.dumps([letters[0]] * 2, 3))
    write("pickle", "nested", b"\x80\x03" + b"](" * 70)
    good = dataset(tensor(b"FloatStorage", b"0", 72, 0, (3, 2, 12), (24, 12, 1)), tensor(b"LongStorage", b"1", 3, 0, (3,), (1,)))
    write("pickle", "torch", good)
    x = struct.pack("<72f", *[i % 5 == 0 for i in range(72)])
    y = struct.pack("<3q", 0, 6, 3)
    members = [("archive/data.pkl", good), ("archive/data/0", x), ("archive/data/1", y), ("archive/version", b"3\n")]
    write("pt", "good", archive(members))
    write("pt", "order", archive(members + [("archive/byteorder", b"little")], b"comment"))
    write("pt", "short", archive([members[0], ("archive/data/0", x[:-4]), members[2]]))
    view = dataset(tensor(b"FloatStorage", b"0", 72, 24, (2, 2, 12), (24, 12, 1)), tensor(b"LongStorage", b"1", 3, 1, (2,), (1,)))
    write("pt", "view", archive([("a/data.pkl", view), ("a/data/0", x), ("a/data/1", y)]))
    write("pt", "values", archive([members[0], ("archive/data/0", struct.pack("<72f", *range(72))), members[2]]))
    write("pt", "empty", archive([]))
    write("pt", "cut", archive(members)[:-30])


if __name__ == "__main__":
    main()
