#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the fuzz targets liberty and vcd into tests/fuzz/seeds: small files put together by hand."""

import gzip
import os

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def write(target, name, data):
    os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
    with open(os.path.join(SEEDS, target, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


HEAD = """/* head */ library ("x") {
  time_unit : "1ns"; capacitive_load_unit (1, pf); leakage_power_unit : "1nW"; nom_voltage : 1.8; // units
  wire_load ("w") { capacitance : 0.1; slope : 2; fanout_length (1, 2); fanout_length (4, 9.5); }
  power_lut_template (p) { variable_1 : input_transition_time; variable_2 : total_output_net_capacitance; index_1 ("0, 1"); index_2 ("0, 1, 2"); }
  lu_table_template (d) { variable_1 : total_output_net_capacitance; index_1 ("0, 1"); }
"""
GATE = """  cell (NAND) { area : 3.5; cell_leakage_power : 1e-3;
    leakage_power () { value : 2; when : "!A & (B' + A) ^ 1"; related_pg_pin : VDD; }
    pin (A) { direction : input; capacitance : 0.01; internal_power () { power (scalar) { values ("0.5"); } } }
    pin (B) { direction : input; capacitance : 0.01; }
    pin (Y) { direction : output; function : "!(A B)"; timing () { related_pin : "A B"; timing_sense : negative_unate; rise_transition (d) { values ("1, 2"); } }
      internal_power () { related_pin : "A"; when : "B"; rise_power (p) { index_1 ("0.5, 2"); values ( \\
        "1, 2, 3", \\
        "-4, 5e-1, 6"); } fall_power (scalar) { values (1); } } } }
"""
REGISTER = """  cell ("DFF") { ff ("IQ", "IQN") { next_state : "D"; clocked_on : "C"; } pin (C) { direction : input; clock : true; } pin (D) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; timing () { timing_type : rising_edge; related_pin : C; } } pin (N) { direction : output; function : "IQN"; } }
"""


def main():
    write("liberty", "gate", HEAD + GATE + "}")
    write("liberty", "register", HEAD + REGISTER + "}")
    write("liberty", "both.gz", gzip.compress((HEAD + GATE + REGISTER + "} ;").encode(), mtime=0))
    write("liberty", "cut.gz", gzip.compress((HEAD + GATE + "}").encode(), mtime=0)[:-20])
    write("liberty", "no_end", HEAD + GATE)
    write("liberty", "no_template", HEAD.replace("(p)", "(q)") + GATE + "}")
    write("liberty", "bad_condition", HEAD + GATE.replace('"B"', '"B +"') + "}")
    write("liberty", "short_table", HEAD + GATE.replace(', 6"', '"') + "}")
    write("liberty", "no_units", "library (x) { }")

    top = "$date d $end $timescale 10 ps $end $scope module tb $end $var wire 1 ~ clk $end $scope module dut $end\n"
    names = "$var wire 1 ! a $end $var reg 4 # b [3:0] $end $var wire 1 ! c $end $var wire 1 % \\d[2] $end $var real 64 & r $end\n"
    tail = "$upscope $end $upscope $end $enddefinitions $end\n"
    write("vcd", "plain", top + names + tail + "#0 $dumpvars x! b01xz # 1% r1.5 & $end\n#5 1! b1 #\n#5\n0%\n#100 bz #\n")
    write("vcd", "back", top + names + tail + "#5 1!\n#4 0!\n")
    write("vcd", "no_scope", top.replace("dut", "other") + names + tail)
    write("vcd", "range", top + "$var wire 4 # b [2:0] $end\n" + tail)
    write("vcd", "wide", top + "$var wire 65536 # b [65535:0] $end\n" + tail + "#0 b1 #\n#1 bx #\n")
    write("vcd", "value", top + names + tail + "#0 b0120 #\n")
    write("vcd", "cut", top + names + tail + "#0 b01")
    write("vcd", "packed.gz", gzip.compress((top + names + tail + "#0 1! b11 #\n#9 0!").encode(), mtime=0))


if __name__ == "__main__":
    main()
