# SPDX-License-Identifier: GPL-3.0-or-later
"""BLAKE2b-256 of files and their names, in the order of the names."""

import hashlib
import os
import re


def digest(paths, verilog=False):
    """With verilog: without comments and layout, which change no circuit."""
    h = hashlib.blake2b(digest_size=32)
    for p in sorted(paths, key=os.path.basename):
        with open(p, "rb") as f:
            data = f.read()
        if verilog:
            data = b" ".join(re.sub(rb"//[^\n]*|/\*.*?\*/", b" ", data, flags=re.S).split())
        h.update(os.path.basename(p).encode() + b"\0" + data + b"\0")
    return h.hexdigest()
