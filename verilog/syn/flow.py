#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthesis, timing, gate-level simulation and energy of the read-out designs (designs.py) in one library: results/<library>.json. See README.md.

    flow.py [--library osu018|sky130hd|sg13g2|asap7|"FILE..."] [--designs "pass table50 ..."] [--work FOLDER] [--snnsim PROGRAM]

Each step is a function with the files it makes; what is in the results already with the same RTL and scripts is not done again (--force does)."""

import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, HERE)
import designs  # noqa: E402
import gates  # noqa: E402
import leak  # noqa: E402
import liberty  # noqa: E402
import libraries  # noqa: E402
import sta  # noqa: E402
import stimulus  # noqa: E402
import timing  # noqa: E402
import traffic  # noqa: E402
from digests import digest  # noqa: E402

LEAD = 20           # reads before those that are measured
READS = None        # measured reads of a stimulus; None: as many as the design says
CLOCK_FANOUT = 24   # pins of a buffer in clocks
DATA_FANOUT = 128   # pins of other nets without buffers; abc keeps those of logic far below
SEEDS = (1, 2)


def run(command, **keys):
    """Output of a command; its end when it fails."""
    r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **keys)
    if r.returncode != 0:
        raise SystemExit("%s failed:\n%s" % (" ".join(command[:3]), r.stdout[-3000:]))
    return r.stdout


def version(command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().split("\n")[0]
    except OSError:
        raise SystemExit("verilog/syn: %s is missing" % command[0])


def tools():
    return {"yosys": version(["yosys", "-V"]), "iverilog": version(["iverilog", "-V"]), "sta": version(["sta", "-version"])}


# ---- library ----

class Prepared:
    """A library as the tools need it: all.lib (what the designs may use, for timing and power), map.lib (for abc and dfflibmap: without latches), latches.v."""

    def __init__(self, which, work):
        self.name, self.entry, self.paths = libraries.choose(which)
        self.folder = os.path.join(work, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.all, self.map, self.latches, self.gate = (os.path.join(self.folder, f) for f in ("all.lib", "map.lib", "latches.v", "gate.v"))
        head, cells = liberty.merge(self.paths)
        e = self.entry
        known = [v[0] for v in e["latch"].values()] + [e["clock_buffer"][0]] + re.findall(r"(\w+) (?:u_\w|_TECHMAP)", e["gate"] + e.get("flop", ""))
        missing = sorted(set(known + list(e["area"])) - set(cells))
        if missing:
            raise SystemExit("%s: cells are missing that verilog/syn/libraries.py names: %s" % (self.paths[0], ", ".join(missing)))
        for name, area in e["area"].items():
            cells[name] = re.sub(r"\barea\s*:\s*[\d.]+", "area : %g" % area, cells[name], count=1)
        usable = {n: t for n, t in cells.items() if not re.search(e["avoid"], n)}
        extra = {n: cells[n] for n in known}
        self.write(self.map, head, usable)
        self.write(self.all, head, {**usable, **extra})
        with open(self.latches, "w") as f:
            for kind, (cell, enable, d, q) in e["latch"].items():
                f.write("module \\$_DLATCH_%s_ (input E, input D, output Q);\n  %s _TECHMAP_REPLACE_ (.%s(E), .%s(D), .%s(Q));\nendmodule\n" % (kind, cell, enable, d, q))
            if "N" not in e["latch"]:
                f.write("module \\$_DLATCH_N_ (input E, input D, output Q);\n  \\$_DLATCH_P_ _TECHMAP_REPLACE_ (.E(~E), .D(D), .Q(Q));\nendmodule\n")
        # gates of clocks are kept away from abc, which would share their inverters and so lengthen the latches' hold times
        with open(self.gate, "w") as f:
            f.write("module clock_gate (input clk_i, input en_i, output clk_o);\n  wire n, e;\n  %s\nendmodule\n" % e["gate"])
        self.library = liberty.Library(open(self.all).read())

    def flop_script(self):
        """For a library whose flip-flops with reset dfflibmap cannot map."""
        if "flop" not in self.entry:
            return ""
        path = os.path.join(self.folder, "flop.v")
        with open(path, "w") as f:
            f.write("module \\$_DFF_PN0_ (input C, input D, input R, output Q);\n  %s\nendmodule\n" % self.entry["flop"])
        return "dfflegalize -cell $_DFF_P_ x -cell $_DFF_PN0_ x -cell $_DLATCH_?_ x\ntechmap -map %s\nsimplemap\nopt_clean\n" % path

    @staticmethod
    def write(path, head, cells):
        with open(path, "w") as f:
            f.write(head + "\n".join(cells[n] for n in sorted(cells)) + "\n}\n")


# ---- synthesis ----

YOSYS = """read_liberty -lib -ignore_miss_func {all}
read_verilog -DDECRYPTOR={module} {rtl}
blackbox clock_gate
hierarchy -check -top {top} {parameters}
synth -flatten -top {top} -run begin:abc
techmap -map {latches}
techmap
opt -fast
{flop}dfflibmap -liberty {map}
abc -liberty {map} -constr {folder}/abc.constr -D {delay} -script {abc}
techmap -map {gate}
opt_clean -purge
splitnets
opt_clean -purge
rename -enumerate -pattern n_%_
select -assert-none t:$*
write_json {folder}/mapped.json
"""


def synthesise(lib, d, folder):
    """mapped.json: cells of the library, clocks buffered."""
    with open(folder + "/abc.constr", "w") as f:
        load = lib.library.cells[lib.entry["drive"]]
        f.write("set_driving_cell %s\nset_load %g\n" % (lib.entry["drive"], 1e15 * 4 * max(load.pins[i].capacitance for i in load.inputs)))
    parameters = " ".join("-chparam %s %d" % (k, v) for k, v in d.chparams().items())
    script = YOSYS.format(all=lib.all, map=lib.map, latches=lib.latches, gate=lib.gate, flop=lib.flop_script(), module=d.module, top=d.top, rtl=" ".join(d.rtl(ROOT)), parameters=parameters,
                          folder=folder, abc=os.path.join(HERE, "abc.script"), delay=int(lib.entry["clock_ns"] * 1000 * 0.45))
    with open(folder + "/synth.ys", "w") as f:
        f.write(script)
    with open(folder + "/synth.log", "w") as f:
        f.write(run(["yosys", "-q", "-l", folder + "/yosys.log", folder + "/synth.ys"]))
    root = json.load(open(folder + "/mapped.json"))
    root["modules"] = {n: m for n, m in root["modules"].items() if m.get("cells")}
    module = root["modules"][d.top]
    clock = module["ports"]["clk_i"]["bits"][0]
    added = gates.add_buffers(module, gates.clock_pins(module, lib.library), lib.entry["clock_buffer"], CLOCK_FANOUT, CLOCK_FANOUT, {clock})
    # what abc does not see: register to register, reset
    gates.add_buffers(module, gates.all_pins(module, lib.library), lib.entry["clock_buffer"], DATA_FANOUT, CLOCK_FANOUT, {clock})
    json.dump(root, open(folder + "/mapped.json", "w"))
    return added


HOLD_ROUNDS = 12  # of buffers one behind the other; more would say that something else is wrong


def repair_hold(lib, d, folder):
    """Delays what comes too early, as layout would (the select of the key store's entries against the write pulse behind its clock buffers). Returns how many buffers that took."""
    added = 0
    sta.write_sdc(lib, d, folder)
    for _ in range(HOLD_ROUNDS):
        root = json.load(open(folder + "/mapped.json"))
        n = timing.Netlist(folder + "/mapped.json", lib.library, lib.entry["wire_load"], lib.entry["transition_ns"] * 1e-9)
        gates.write(n, folder + "/flat.v", False)
        early = sta.hold_violations(lib, folder, d.top, run)
        cells = {c for c, instance in n.instance.items() if instance in early}
        more = gates.delay_outputs(root["modules"][d.top], lib.library, cells, lib.entry["clock_buffer"])
        if more == 0:
            break
        added += more
        json.dump(root, open(folder + "/mapped.json", "w"))
    return added


# ---- simulation and energy ----

def simulate(d, folder, name, sources, defines, arguments):
    program = "%s/%s.vvp" % (folder, name)
    if not os.path.exists(program):
        run(["iverilog", "-g2005", "-s", "tb", "-o", program, "-Ptb.ADDR=%d" % d.p["ADDR"], "-DDATA_BITS=%d" % (d.p["LANES"] * d.p["BITS"])] + defines + sources)
    return run(["vvp", "-n", program] + arguments, cwd=folder)


def rtl_with_parameters(d, folder):
    """The RTL beneath a shell that sets the parameters, so that the test bench sees the mapped netlist's module."""
    shell = folder + "/shell.v"
    text = open(os.path.join(ROOT, "verilog", "rtl", "readout.v")).read()
    for k, v in d.chparams().items():
        text = re.sub(r"(parameter\s+%s\s*=\s*)\d+" % k, r"\g<1>%d" % v, text)
    with open(shell, "w") as f:
        f.write(text)
    return [shell] + [p for p in d.rtl(ROOT) if not p.endswith("/readout.v")]


def energy(lib, d, folder, a, kind, seed, real):
    """One stimulus: words of RTL and netlist must agree, then the energy of the dump."""
    reads = READS or d.reads
    lead = min(LEAD, reads // 4)
    writes, cycles, hits = stimulus.write(folder, d.kind, d.p, kind, seed, reads, lead, real and real.rows, real and real.code)
    clock = lib.entry["clock_ns"] * d.slower
    arguments = ["+period=%g" % clock, "+provisions=%d" % writes, "+cycles=%d" % cycles, "+first=%d" % lead]
    tb = os.path.join(HERE, "tb_gate.v")
    simulate(d, folder, "rtl", [tb] + rtl_with_parameters(d, folder), ["-DDECRYPTOR=" + d.module], arguments + ["+words=rtl.txt"])
    out = simulate(d, folder, "gate", [tb, folder + "/gates.v"], ["-DDUMP"], arguments + ["+words=gate.txt", "+dump=gate.vcd"])
    expected = open(folder + "/rtl.txt").read()
    if expected != open(folder + "/gate.txt").read() or len(expected.split()) != cycles:
        raise SystemExit("%s %s: the netlist's words differ from the RTL's (%s)" % (lib.name, d.name, folder))
    window = [float(re.search(r"^%s ([\d.]+)" % w, out, re.M).group(1)) for w in ("from", "to")]
    command = [a.snnsim, "hw", "power", "--netlist", folder + "/mapped.json", "--module", d.top, "--vcd", folder + "/gate.vcd", "--scope", "tb.dut.core", "--clock-ns", "%g" % clock,
               "--liberty", lib.all, "--transition-ns", str(lib.entry["transition_ns"]), "--from-ns", "%.4f" % window[0], "--to-ns", "%.4f" % window[1], "--json", "--depth", "3",
               "--trace", "%s/trace-%s-%d.csv" % (folder, kind, seed)]
    if lib.entry["wire_load"]:
        command += ["--wire-load", lib.entry["wire_load"]]
    report = json.loads(run(command))
    with open("%s/power-%s-%d.json" % (folder, kind, seed), "w") as f:
        json.dump(report, f, indent=1)
    with open("%s/hits-%s-%d.txt" % (folder, kind, seed), "w") as f:
        f.writelines("%d\n" % h for h in hits)
    e = report["energy_J"]
    count = reads - 1  # the window ends with the edge that takes the last read
    trace = leak.of_trace("%s/trace-%s-%d.csv" % (folder, kind, seed), "%s/hits-%s-%d.txt" % (folder, kind, seed)) if kind == "half" and d.kind in ("cam", "table") else []
    return {"hits_in_trace": trace, "stimulus": kind, "seed": seed, "reads": count, "keyed": sum(hits), "cycles_per_read": report["cycles"] / count,
            "pJ_per_read": (e["switching"] + e["internal"]) / count * 1e12, "switching_pJ": e["switching"] / count * 1e12, "internal_pJ": e["internal"] / count * 1e12,
            "leakage_uW": report["leakage_W"] * 1e6, "nets": report["nets"], "annotated": report["annotated"], "silent": report["silent"], "toggles": report["toggles"]}


# ---- one design ----

def measure(lib, d, a, real):
    start, rtl = time.time(), digest(d.rtl(ROOT), True)
    folder = os.path.join(lib.folder, d.name)
    os.makedirs(folder, exist_ok=True)
    for f in os.listdir(folder):
        if f.endswith(".vvp"):
            os.remove(os.path.join(folder, f))
    buffers = synthesise(lib, d, folder)
    hold_buffers = repair_hold(lib, d, folder)
    synthesised = time.time() - start
    n = timing.Netlist(folder + "/mapped.json", lib.library, lib.entry["wire_load"], lib.entry["transition_ns"] * 1e-9)
    gates.write(n, folder + "/gates.v", True)
    gates.write(n, folder + "/flat.v", False)
    area = sum(lib.library.cells[c["type"]].area for c in n.module["cells"].values())
    kinds = {}
    for c in n.module["cells"].values():
        state = lib.library.cells[c["type"]].state
        kinds[state.name if state is not None else "logic"] = kinds.get(state.name if state is not None else "logic", 0) + 1
    result = {"design": d.name, "module": d.module, "parameters": d.p, "clock_ns": lib.entry["clock_ns"] * d.slower,
              "area_um2": area, "kGE": area / lib.library.cells[lib.entry["nand2"]].area / 1000,
              "cells": len(n.module["cells"]), "flip_flops": kinds.get("ff", 0), "latches": kinds.get("latch", 0), "clock_buffers": buffers, "hold_buffers": hold_buffers,
              "timing": sta.measure(lib, d, n, folder, run), "energy": []}
    for kind in d.stimuli:
        for seed in SEEDS:
            result["energy"].append(energy(lib, d, folder, a, kind, seed, real if kind == "traffic" else None))
    result["rtl"] = rtl
    result["seconds"] = {"synthesis": round(synthesised, 1), "all": round(time.time() - start, 1)}
    return result


def measure_tile(lib, d, plain):
    """The period of the plain tile, and the slack of this one at it."""
    start = time.time()
    folder = os.path.join(lib.folder, d.name)
    os.makedirs(folder, exist_ok=True)
    synthesise(lib, d, folder)
    n = timing.Netlist(folder + "/mapped.json", lib.library, lib.entry["wire_load"], lib.entry["transition_ns"] * 1e-9)
    gates.write(n, folder + "/flat.v", False)
    period = plain["period_ns"] if plain else 2 * lib.entry["clock_ns"]
    # By the slack each time: downwards no path of a cycle or half of one overdraws it, upwards those of half a cycle need another round. Only without key store: its latches borrow time, so that the slack is 0 at any period.
    while not plain and not 0 <= (left := sta.tile_slack(lib, d, folder, period, run)) <= 0.002 * period:
        period -= left
    return {"design": d.name, "module": d.module, "parameters": d.p, "cells": len(n.module["cells"]), "period_ns": period,
            "slack_ns": sta.tile_slack(lib, d, folder, period, run), "rtl": digest(d.rtl(ROOT), True), "seconds": round(time.time() - start, 1)}


def measure_tiles(lib, tiles):
    """Brings the list of tiles up to date: the plain one sets the period of all."""
    found = {t["design"]: t for t in tiles}
    for d in designs.TILES:
        if d.name in found and found[d.name]["rtl"] == digest(d.rtl(ROOT), True):
            continue
        t = found[d.name] = measure_tile(lib, d, None if d.name == "tile_pass" else found["tile_pass"])
        print("%s %-14s period %.3f ns, slack %.3f ns  %.0f s" % (lib.name, d.name, t["period_ns"], t["slack_ns"], t["seconds"]), flush=True)
    return [found[d.name] for d in designs.TILES if d.name in found]


def add_deltas(results, tiles):
    """Energy and delay beyond plain read-out, for the same stimulus and seed."""
    plain = {(e["stimulus"], e["seed"]): e["pJ_per_read"] for r in results if r["design"] == "pass" for e in r["energy"]}
    path = next((r["timing"]["word_ns"] for r in results if r["design"] == "pass"), None)
    period = tiles[0]["period_ns"] if tiles else None
    for r in results:
        # what the mask path has left at the period that the plain tile sets
        if period is not None and r["timing"].get("mask_slack_ns") is not None:
            r["timing"]["datapath_period_ns"] = period
            r["timing"]["mask_slack_at_datapath_ns"] = r["timing"]["mask_slack_ns"] - (r["timing"]["period_ns"] - period)
        if path is not None and r["timing"].get("word_ns") is not None:
            r["timing"]["added_ps"] = (r["timing"]["word_ns"] - path) * 1000
        for e in r["energy"]:
            if (e["stimulus"], e["seed"]) in plain:
                e["added_pJ"] = e["pJ_per_read"] - plain[e["stimulus"], e["seed"]]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library", default="osu018")
    p.add_argument("--designs", default="")
    p.add_argument("--work", default=os.path.join(ROOT, "build", "syn"))
    p.add_argument("--snnsim", default=os.path.join(ROOT, "build", "snnsim"))
    p.add_argument("--results", default=os.path.join(HERE, "results"))
    p.add_argument("--force", action="store_true")
    p.add_argument("--tiles", action="store_true", help="also the period that the plain tile sets")
    a = p.parse_args()
    lib = Prepared(a.library, a.work)
    path = os.path.join(a.results, lib.name + ".json")
    old = json.load(open(path)) if os.path.exists(path) else {"results": []}
    about = {"library": lib.name, "files": [os.path.basename(f) for f in lib.paths], "liberty": digest(lib.paths), "corner": lib.entry["corner"],
             "wire_load": lib.entry["wire_load"], "transition_ns": lib.entry["transition_ns"], "tools": tools()}
    # of another Liberty file nothing is kept: a page of results has one library
    same = old.get("liberty") == about["liberty"]
    kept = {r["design"]: r for r in old["results"]} if same else {}
    tiles = old.get("tiles", []) if same else []

    def save():
        ordered = [kept[x.name] for x in designs.DESIGNS if x.name in kept]
        add_deltas(ordered, tiles)
        with open(path + ".new", "w") as f:
            json.dump({**about, "tiles": tiles, "results": ordered}, f, indent=1)
            f.write("\n")
        os.replace(path + ".new", path)

    if a.tiles:
        tiles = measure_tiles(lib, tiles)
        save()
    failed = 0
    real = traffic.make(ROOT, a.snnsim, os.path.join(a.work, "traffic"))
    for d in designs.select(a.designs, real is not None):
        if not a.force and d.name in kept and kept[d.name]["rtl"] == digest(d.rtl(ROOT), True) and kept[d.name]["parameters"] == d.p:
            print("%s %-14s is there" % (lib.name, d.name))
            continue
        try:
            r = kept[d.name] = measure(lib, d, a, real)
        except SystemExit as e:  # the other designs shall have their results
            print(e, file=sys.stderr, flush=True)
            failed += 1
            continue
        save()
        t = r["timing"]
        print("%s %-14s %9.0f um2 %6.1f kGE  mask %s ns  word %s ns (+%s ps)  %s pJ (+%s)  %.4g uW  %.0f s" % (
            lib.name, d.name, r["area_um2"], r["kGE"], *("%.3f" % t[k] if t.get(k) is not None else "-" for k in ("mask_ns", "word_ns")), "%.0f" % t.get("added_ps", 0),
            "/".join("%.1f" % e["pJ_per_read"] for e in r["energy"]), "/".join("%.1f" % e.get("added_pJ", 0) for e in r["energy"]),
            r["energy"][0]["leakage_uW"] if r["energy"] else 0, r["seconds"]["all"]), flush=True)
    if failed:
        raise SystemExit("%d designs without result" % failed)


if __name__ == "__main__":
    main()
