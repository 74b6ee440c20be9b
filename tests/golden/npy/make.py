#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the NumPy files of tests/unit/test_npy.c with NumPy itself: python3-numpy of Debian 12 (1.24). Run in this folder."""

import warnings

import numpy as np

warnings.simplefilter("ignore")  # version 3.0 warns that old NumPy cannot read it

for name in ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "float32", "float64"):
    lo = 0 if name.startswith("uint") else -3
    a = (np.arange(12) + lo).reshape(3, 4)
    if name.startswith("float"):
        a = a * 0.25
    np.save(f"{name}.npy", a.astype(name))

np.save("scalar.npy", np.float32(2.5))
np.save("vector.npy", np.arange(5, dtype=np.int16))
np.save("empty.npy", np.zeros((0, 7), np.float32))
np.save("eight.npy", np.arange(2, dtype=np.uint8).reshape(1, 1, 1, 2, 1, 1, 1, 1))
for version in ((2, 0), (3, 0)):
    with open(f"version{version[0]}.npy", "wb") as f:
        np.lib.format.write_array(f, np.arange(4, dtype=np.int32), version=version)

# what snnsim refuses
np.save("nine.npy", np.zeros((1,) * 9, np.uint8))
np.save("fortran.npy", np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)))
np.save("big.npy", np.arange(3, dtype=">f4"))
np.save("bool.npy", np.array([True, False]))
np.save("uint64.npy", np.arange(3, dtype=np.uint64))
np.save("complex.npy", np.arange(2, dtype=np.complex64))
np.save("unicode.npy", np.array(["ab", "c"]))
np.save("structured.npy", np.zeros(2, dtype=[("x", np.int16), ("t", np.int32)]))
np.save("object.npy", np.array([None, "x"], dtype=object))
np.savez("archive.npz", a=np.arange(3))
