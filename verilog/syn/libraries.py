# SPDX-License-Identifier: GPL-3.0-or-later
"""What the flow must know of a library beyond its Liberty files: cells that synthesis shall not use, latch, clock gate and clock buffer, a typical cell, estimated wires.

A library of one's own: an entry here, or LIBERTY= with files whose name begins like a known one's."""

import os
import re

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "liberty")

LIBRARIES = {
    "osu018": {
        "files": ["/usr/share/qflow/tech/osu018/osu018_stdcells.lib"],
        "match": r"osu018",
        "corner": "typical, 1.8 V, 25 C",
        # three-state buffers, multi-output adders (abc takes single outputs only)
        "avoid": r"TBUF|LATCH|FAX|HAX",
        # the library has no clock gate
        "gate": "INVX2 u_n (.A(clk_i), .Y(n)); LATCH u_e (.CLK(n), .D(en_i), .Q(e)); AND2X2 u_g (.A(clk_i), .B(e), .Y(clk_o));",
        "latch": {"P": ("LATCH", "CLK", "D", "Q")},
        "clock_buffer": ("CLKBUF1", "A", "Y"),
        "drive": "BUFX2", "nand2": "NAND2X1",
        "wire_load": None, "transition_ns": 0.1, "clock_ns": 10.0,
        # Liberty says 0 for the latch; width x height of the LEF, in the Liberty file's unit (all other cells agree with that)
        "area": {"LATCH": 56.0},
    },
    "sky130hd": {
        "files": ["sky130hd_tt.lib.gz"],
        "match": r"sky130",
        "corner": "tt, 1.8 V, 25 C",
        "avoid": r"lpflow|probe|macro|dlclk|__sd|__sed|__edf|ebuf|einv|__dl|decap|fill|__tap|diode|conb|clk(buf|inv|dly)|__ha|__fa|bufbuf|bufinv",
        "gate": "sky130_fd_sc_hd__dlclkp_2 u_g (.CLK(clk_i), .GATE(en_i), .GCLK(clk_o));",
        "latch": {"P": ("sky130_fd_sc_hd__dlxtp_1", "GATE", "D", "Q"), "N": ("sky130_fd_sc_hd__dlxtn_1", "GATE_N", "D", "Q")},
        "clock_buffer": ("sky130_fd_sc_hd__clkbuf_8", "A", "X"),
        "drive": "sky130_fd_sc_hd__buf_2", "nand2": "sky130_fd_sc_hd__nand2_1",
        "wire_load": "Small", "transition_ns": 0.1, "clock_ns": 10.0,
        "area": {},
    },
    "sg13g2": {
        "files": ["sg13g2_stdcell_typ_1p20V_25C.lib.gz"],
        "match": r"sg13g2",
        "corner": "typ, 1.2 V, 25 C",
        "avoid": r"fill|decap|antenna|sighold|gcp|sdf|_dl[hly]|ebufn|einvn|tie",
        "gate": "sg13g2_lgcp_1 u_g (.CLK(clk_i), .GATE(en_i), .GCLK(clk_o));",
        "latch": {"P": ("sg13g2_dlhq_1", "GATE", "D", "Q")},
        "clock_buffer": ("sg13g2_buf_8", "A", "X"),
        "drive": "sg13g2_buf_2", "nand2": "sg13g2_nand2_1",
        "wire_load": "10k", "transition_ns": 0.1, "clock_ns": 10.0,
        "area": {},
    },
    "asap7": {
        "files": ["asap7sc7p5t_%s.lib.gz" % n for n in (
            "SIMPLE_RVT_TT_nldm_211120", "INVBUF_RVT_TT_nldm_220122", "SEQ_RVT_TT_nldm_220123", "AO_RVT_TT_nldm_211120", "OA_RVT_TT_nldm_211120")],
        "match": r"asap7",
        "corner": "TT, 0.7 V, 25 C (predictive)",
        # dfflibmap of Yosys 0.23 takes set for reset where a flip-flop stores !D
        "flop": "wire n; DFFASRHQNx1_ASAP7_75t_R _TECHMAP_REPLACE_ (.CLK(C), .D(D), .RESETN(R), .SETN(1'b1), .QN(n)); assign Q = ~n;",
        "avoid": r"^DFFASR|^ICG|^SDF|^DLL|^DHL|^HB|^TIE|^CKINV|^FAx|^HAx|xp33|xp25",
        "gate": "ICGx1_ASAP7_75t_R u_g (.CLK(clk_i), .ENA(en_i), .SE(1'b0), .GCLK(clk_o));",
        "latch": {"P": ("DHLx1_ASAP7_75t_R", "CLK", "D", "Q"), "N": ("DLLx1_ASAP7_75t_R", "CLK", "D", "Q")},
        "clock_buffer": ("BUFx8_ASAP7_75t_R", "A", "Y"),
        "drive": "BUFx2_ASAP7_75t_R", "nand2": "NAND2xp5_ASAP7_75t_R",
        "wire_load": None, "transition_ns": 0.01, "clock_ns": 1.0,
        "area": {},
    },
}


def there(paths):
    for p in paths:
        if not os.path.isfile(p):
            raise SystemExit("%s: there is no such Liberty file" % p)
    return paths


def choose(text):
    """(name, entry, paths) of a library's name or of Liberty files (separated by spaces), whose results are kept under the first file's name."""
    if text in LIBRARIES:
        entry = LIBRARIES[text]
        return text, entry, there([f if f.startswith("/") else os.path.normpath(os.path.join(SHARED, f)) for f in entry["files"]])
    paths = text.split()
    if not paths:
        raise SystemExit("no library is named; there are: " + " ".join(LIBRARIES))
    stem = re.sub(r"\.lib(\.gz)?$", "", os.path.basename(paths[0]))
    for entry in LIBRARIES.values():
        if re.search(entry["match"], stem):
            return stem, {**entry, "corner": "corner of its file"}, there(paths)
    raise SystemExit("no entry in verilog/syn/libraries.py for %s; there are: %s" % (paths[0], " ".join(LIBRARIES)))
