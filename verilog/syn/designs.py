# SPDX-License-Identifier: GPL-3.0-or-later
"""The designs that synthesis compares: `readout` with each decryptor."""

import os

BASE = {"LANES": 128, "BITS": 8, "KEYABLE": 1, "ADDR": 14}
SETS = {10: 4, 50: 16, 100: 32, 500: 128}  # of a way of the table: the next power of two; four ways
COMMON = ["readout", "sense", "row_register", "clock_gate", "latch"]
STORE = ["key_store", "key_store_flops", "key_store_latches"]
MASK = ["mask_register", "mask_xor"]
FILES = {
    "pass": ["dec_pass"],
    "cam": ["dec_cam", "mask_cam", "mask_decode"] + STORE + MASK,
    "table": ["dec_table", "mask_table", "mask_decode", "table_index"] + STORE + MASK,
    "prince": ["dec_prince", "prince"] + STORE + MASK,
    "xor": ["dec_xor"] + STORE,
    "aes": ["dec_aes", "aes128", "aes_sbox"] + STORE,
}


class Design:
    top = "readout"

    def __init__(self, kind, k=0, name=None, slower=1, **p):
        self.kind, self.module = kind, "dec_" + kind
        self.name = name or "%s%s" % (kind, k or "")
        keys = {"cam": -(-k // 4) * 4, "table": 4 * SETS.get(k, 4)}.get(kind, 4)
        self.p = {**BASE, "KEYS": keys, "WAYS": 4, "GATED": 1, "STORE": 1, "K": k, **p}
        self.slower = slower  # clock periods of the library's that one of this design takes
        self.stimuli = ["random", "half"]
        self.reads = 24 if kind == "aes" else 250  # measured reads of a stimulus; one takes the iterative core 88 cycles

    def chparams(self):
        return {k: v for k, v in self.p.items() if k != "K"}

    def rtl(self, root):
        found = [os.path.join(root, "verilog", "rtl", f + ".v") for f in COMMON + FILES[self.kind]]
        return [f for f in found if os.path.exists(f)]


DESIGNS = [Design("pass")]
DESIGNS += [Design(kind, k) for k in (10, 50, 100, 500) for kind in ("cam", "table")]
DESIGNS += [Design("table", 50, name="table50_ungated", GATED=0), Design("cam", 50, name="cam50_ungated", GATED=0)]
DESIGNS += [Design("table", k, name="table%d_flops" % k, STORE=0) for k in (50, 100, 500)]
DESIGNS += [Design("prince", slower=2), Design("xor"), Design("aes")]


class Tile(Design):
    """The whole tile with few lanes (each lane's adder and neuron are the same circuit, so they do not change its period): what period the plain datapath sets, and whether the decryptor meets it there."""

    top = "tile"

    def __init__(self, kind, k=0):
        super().__init__(kind, k, name="tile_%s%s" % (kind, k or ""), LANES=4)
        self.stimuli = []

    def rtl(self, root):
        parts = ["tile", "address_stage", "aer_queue", "lane", "lif", "spike_encoder"]
        return super().rtl(root) + [os.path.join(root, "verilog", "rtl", f + ".v") for f in parts]


TILES = [Tile("pass"), Tile("table", 50), Tile("cam", 50), Tile("prince")]


def select(names, traffic):
    """Designs of the given names (all when there are none)."""
    if traffic:
        for d in DESIGNS:
            d.stimuli = ["random", "half", "traffic"]
    wanted = names.split()
    unknown = set(wanted) - {d.name for d in DESIGNS}
    if unknown:
        raise SystemExit("no design %s; there are: %s" % (", ".join(sorted(unknown)), " ".join(d.name for d in DESIGNS)))
    return [d for d in DESIGNS if not wanted or d.name in wanted]
