#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent reader of model files, with h5py.

check_model.py MODEL [EXPORT_FOLDER]  reads a model, checks layout, types and digests, and compares it with what `snnsim model export` wrote
check_model.py --example              prints the digest of the weights that tests/unit/test_weights.c builds
"""
import csv
import hashlib
import json
import struct
import sys
import numpy as np

TYPES = {"uint8": 0, "uint16": 1, "float32": 2}
ENCODINGS = ["sign_magnitude", "twos_complement", "offset_binary"]


def digest(tensors):
    """tensors: list of (name, codes or floats with shape, bits, encoding name or None, scales float32)."""
    h = hashlib.blake2b(digest_size=32)
    h.update(b"snnsim weights 1")
    h.update(struct.pack("<Q", len(tensors)))
    for name, data, bits, encoding, scales in tensors:
        h.update(name.encode().ljust(32, b"\0"))
        e = ENCODINGS.index(encoding) if encoding else 0
        h.update(struct.pack("<4I", TYPES[str(data.dtype)], e, bits, data.ndim))
        h.update(struct.pack(f"<{data.ndim}Q", *data.shape))
        h.update(struct.pack("<I", len(scales)))
        h.update(np.asarray(scales, "<f4").tobytes())
        h.update(np.ascontiguousarray(data).astype(data.dtype.newbyteorder("<")).tobytes())
    return h.hexdigest()


def values(data, bits, encoding):
    if encoding is None:
        return data
    c = data.astype(np.int64)
    half = 1 << (bits - 1)
    if bits == 1:
        return 1 - 2 * c
    if encoding == "sign_magnitude":
        return np.where(c >= half, -(c - half), c)
    return np.where(c >= half, c - 2 * half, c) if encoding == "twos_complement" else c - half


def example():
    conv = ((np.arange(24) + 3) % 256).astype(np.uint8).reshape(3, 2, 2, 2)
    fc = ((np.arange(60) + 3) % 256).astype(np.uint8).reshape(5, 12)
    return digest([("conv", conv, 8, "sign_magnitude", [0.25]), ("fc", fc, 8, "sign_magnitude", [0.25])])


def text_digest(text):
    return hashlib.blake2b(text, digest_size=32).hexdigest()


def attribute(o, name):
    v = o.attrs[name]
    return v.decode() if isinstance(v, bytes) else v


def check(path, folder):
    import h5py

    with h5py.File(path, "r") as f:
        g = f["snnsim"]
        assert list(f.keys()) == ["snnsim"] and attribute(g, "format") == 1
        network = g["network"][()]
        net = json.loads(network)
        assert attribute(g, "network_digest") == text_digest(network)
        if "record" in g:
            record = g["record"][()]
            json.loads(record)
            assert attribute(g, "record_digest") == text_digest(record)
        names = [layer["name"] for layer in net["layers"] if "neuron" in layer]
        assert sorted(names) == sorted(g["weights"].keys())
        tensors = []
        for name in names:
            d = g["weights"][name]
            bits, encoding = int(d.attrs["bits"]), attribute(d, "encoding") if "encoding" in d.attrs else None
            scales = g["scales"][name][()] if encoding else []
            assert d.dtype in (np.uint8, np.uint16, np.float32)
            assert encoding is None or int(d[()].max()) < 1 << bits
            tensors.append((name, d[()], bits, encoding, scales))
        assert attribute(g, "digest") == digest(tensors), "weights digest"
    print(f"{path}: {len(tensors)} tensors, {sum(t[1].size for t in tensors)} weights, digest {digest(tensors)}")
    if folder:
        with open(f"{folder}/scales.csv") as f:
            table = list(csv.DictReader(f))
        for name, data, bits, encoding, scales in tensors:
            a = np.load(f"{folder}/{name}.npy")
            assert a.shape == data.shape and (a == values(data, bits, encoding)).all(), name
            rows = [r for r in table if r["layer"] == name]
            assert [np.float32(r["scale"]) for r in rows] == (list(scales) if encoding else [1]), name
            if len(scales) > 1:
                assert (np.load(f"{folder}/{name}.scale.npy") == scales).all()
        print(f"{folder}: equal values and scales")


if sys.argv[1:] == ["--example"]:
    print(example())
else:
    check(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
