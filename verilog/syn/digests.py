# SPDX-License-Identifier: GPL-3.0-or-later
"""BLAKE2b-256 of files and their names, in the order of the names."""

import hashlib
import os


def digest(paths):
    h = hashlib.blake2b(digest_size=32)
    for p in sorted(paths, key=os.path.basename):
        with open(p, "rb") as f:
            h.update(os.path.basename(p).encode() + b"\0" + f.read() + b"\0")
    return h.hexdigest()
