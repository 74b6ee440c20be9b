#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# snnsim hw power: table, JSON, trace, several and compressed files, refusals. The figures are computed by hand (tests/unit/test_power.c has more of them).
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >gate.lib <<'END'
library (tiny) { time_unit : "1ns"; leakage_power_unit : "1uW"; capacitive_load_unit (1, pf); nom_voltage : 2.0;
  wire_load (long) { capacitance : 0.5; slope : 1; fanout_length (1, 1); }
  cell (INV) { area : 3; cell_leakage_power : 2;
    pin (A) { direction : input; capacitance : 0.5; internal_power () { power (scalar) { values ("0.01"); } } }
    pin (Y) { direction : output; function : "!A"; } } }
END
    gzip -k gate.lib
    cat >net.json <<'END'
{"modules": {"m": {"ports": {"a": {"direction": "input", "bits": [2]}}, "cells": {"u": {"type": "INV", "connections": {"A": [2], "Y": [3]}}},
 "netnames": {"a": {"bits": [2]}, "sub.y": {"bits": [3]}}}}}
END
    cat >run.vcd <<'END'
$timescale 1ns $end $scope module tb $end $scope module dut $end $var wire 1 ! a $end $var wire 1 " sub.y $end $upscope $end $upscope $end $enddefinitions $end
#0 0! 1"
#10 1! 0"
#20 0! 1"
#40 1! 0"
END
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

power() { go hw power --netlist net.json --vcd run.vcd --scope tb.dut --liberty gate.lib "$@"; }

@test "a table: totals, hierarchy, activity" {
    power
    expect 0
    [[ $output == *"m: 1 cells, area 3, 2 V"* ]]
    [[ $output == *"2 of 2 nets annotated, 0 of them silent, 6 toggles in 4 cycles"* ]]
    # three changes of 0.5 pF at 2 V: 3 pJ in 4 cycles; 3 x 0.01 pJ inside; 2 uW for 10 ns
    [[ $output =~ sub\ +1\ +0\.0000\ +0\.0075\ +0\.020000\ +0\.0275 ]]
    [[ $output =~ all\ +1\ +0\.7500\ +0\.0075\ +0\.020000\ +0\.7775 ]]
}

@test "JSON, compressed library, wires, window, clock" {
    go hw power --netlist net.json --vcd run.vcd --scope tb.dut --liberty gate.lib.gz --json --wire-load long --from-ns 10 --to-ns 30 --clock-ns 20 --transition-ns 0 --depth 0 --module m
    expect 0
    "$PYTHON" - "$output" <<'END'
import json, sys
r = json.loads(sys.argv[1])
assert r["cycles"] == 1 and r["toggles"] == 4 and r["parts"] == [] and r["module"] == "m"
assert abs(r["energy_J"]["switching"] - 4e-12) < 1e-18 and abs(r["ports_J"] - 4e-12) < 1e-18
assert abs(r["leakage_W"] - 2e-6) < 1e-12
END
}

@test "a trace of cycles" {
    power --trace trace.csv
    expect 0
    [ "$(cat trace.csv)" = "$(printf 'cycle,joule\n0,0\n1,1.01e-12\n2,1.01e-12\n3,0')" ]
}

@test "refusals" {
    go hw power --netlist net.json --vcd run.vcd --scope tb.dut
    expect 2
    # shellcheck disable=SC2154 # stderr is set by run
    [[ $stderr == *"--liberty is missing"* ]]
    power --clock-ns fast
    expect 2
    [[ $stderr == *"--clock-ns: 'fast' is no time in ns"* ]]
    power --depth 101
    expect 2
    power --wire-load short
    expect 2
    [[ $stderr == *"no wire_load 'short' (there is: long)"* ]]
    go hw power --netlist net.json --vcd run.vcd --scope tb --liberty gate.lib
    expect 3
    [[ $stderr == *"run.vcd: scope tb lacks 2 nets of the netlist: a, sub.y"* ]]
    power --module other
    expect 3
    go hw power --netlist gate.lib --vcd run.vcd --scope tb.dut --liberty gate.lib
    expect 3
    [[ $stderr == *"gate.lib:1:"* ]]
}
