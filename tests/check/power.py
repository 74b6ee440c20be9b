#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_power.sh: synthesises read-outs with the flow of verilog/syn, small enough to be quick, and compares `snnsim hw power` with power_reference.py (TAP)."""

import json
import os
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "verilog", "syn"))
import designs  # noqa: E402
import flow  # noqa: E402

LIMIT = 0.02
READS = 24
CASES = [("table", {"K": 50, "KEYS": 64}, "half", 2000), ("cam", {"K": 8, "KEYS": 8, "LANES": 16}, "random", 100), ("table", {"K": 10, "KEYS": 16, "LANES": 16, "STORE": 0}, "half", 500)]


def compare(lib, d, kind, least, snnsim):
    """What is wrong, None when all is well."""
    folder = os.path.join(lib.folder, d.name)
    os.makedirs(folder)
    flow.synthesise(lib, d, folder)
    n = flow.timing.Netlist(folder + "/mapped.json", lib.library, None, 1e-10)
    flow.gates.write(n, folder + "/gates.v", True)

    class Arguments:
        pass

    a = Arguments()
    a.snnsim = snnsim
    measured = flow.energy(lib, d, folder, a, kind, 1, None)  # compares the words, too
    report = json.load(open("%s/power-%s-1.json" % (folder, kind)))
    # the whole dump, by both
    ours = json.loads(flow.run([snnsim, "hw", "power", "--netlist", folder + "/mapped.json", "--module", d.top, "--vcd", folder + "/gate.vcd", "--scope", "tb.dut.core",
                                "--liberty", lib.all, "--json"]))
    theirs = json.loads(flow.run([sys.executable, os.path.join(ROOT, "tests", "golden", "power_reference.py"), folder + "/mapped.json", folder + "/gate.vcd", "tb.dut.core",
                                  "--liberty", lib.all]))
    print("# %s: %d cells, %d of %d nets annotated, %.2f pJ a read" % (d.name, ours["cells"], ours["annotated"], ours["nets"], measured["pJ_per_read"]))
    if ours["cells"] < least or report["annotated"] != report["nets"]:
        return "%d cells, %d of %d nets annotated" % (ours["cells"], report["annotated"], report["nets"])
    if ours["toggles"] != theirs["toggles"]:
        return "%d toggles, expected %d" % (ours["toggles"], theirs["toggles"])
    for part, value in ours["energy_J"].items():
        print("#   %-9s %.6g J, reference %.6g J" % (part, value, theirs[part]))
        if not abs(value - theirs[part]) <= LIMIT * abs(theirs[part]):
            return "%s is %g J, expected %g J" % (part, value, theirs[part])
    return None


def stale(n):
    found = subprocess.run([sys.executable, os.path.join(ROOT, "verilog", "syn", "check_results.py")], capture_output=True, text=True)
    text = found.stdout + found.stderr
    print("%s %d - results of synthesis belong to this RTL" % ("ok" if not text else "not ok", n))
    for line in text.splitlines():
        print("# " + line)


def bites(n, work):
    """Results that are not what they should be are found."""
    def measured(text, change):
        found = json.loads(text)
        change(next(r for r in found["results"] if r["design"] == "table50"))
        path = os.path.join(work, "osu018.json")
        with open(path, "w") as f:
            json.dump(found, f)
        return subprocess.run([sys.executable, os.path.join(ROOT, "verilog", "syn", "check_results.py"), path], capture_output=True, text=True).stdout

    cases = [("has changed since", lambda r: r.update(rtl="0" * 64)), ("parameters of table50 have changed", lambda r: r["parameters"].update(WAYS=2)),
             ("has no energies of half rows", lambda r: r.update(energy=[e for e in r["energy"] if e["stimulus"] != "half"])),
             ("random has only one seed", lambda r: r.update(energy=[e for e in r["energy"] if (e["stimulus"], e["seed"]) != ("random", 1)])),
             ("nets without activity", lambda r: r["energy"][0].update(annotated=0)), ("no design is called nobody", lambda r: r.update(design="nobody"))]
    with open(os.path.join(ROOT, "verilog", "syn", "results", "osu018.json")) as f:
        text = f.read()
    missed = [what for what, change in cases if what not in measured(text, change)]
    print("%s %d - stale and incomplete results are found" % ("not ok" if missed else "ok", n))
    for what in missed:
        print("# not found: " + what)


def own(n, work):
    """A library of one's own has results of its own; without its file or its cells it is refused."""
    path = os.path.join(work, "my_sky130.lib")
    with open(path, "w") as f:
        f.write("library (my) {\n}\n")
    found = []
    for what in (path, path + "x", "nobody"):
        try:
            found.append(flow.libraries.choose(what)[0])
            flow.Prepared(what, work)
        except SystemExit as e:
            found.append(str(e).replace(work + "/", ""))
    expected = ["my_sky130", "my_sky130.lib: cells are missing that", "my_sky130.libx: there is no such", "no entry in verilog/syn/libraries.py for nobody"]
    print("%s %d - a library of one's own" % ("ok" if len(found) == 4 and all(f.startswith(e) for f, e in zip(found, expected)) else "not ok", n))
    print("# " + "; ".join(found))


def main():
    snnsim, work = sys.argv[1:]
    flow.READS, flow.LEAD = READS, 4
    print("1..%d" % (len(CASES) + 3), flush=True)
    lib = flow.Prepared("osu018", work)
    for k, (kind, p, stimulus, least) in enumerate(CASES, 1):
        d = designs.Design(kind, name="%s_%d" % (kind, k), **p)
        try:
            wrong = compare(lib, d, stimulus, least, snnsim)
        except SystemExit as e:
            wrong = str(e)
        print("%s %d - energy of %s beside the reference" % ("not ok" if wrong else "ok", k, d.name), flush=True)
        if wrong:
            print("# " + wrong.replace("\n", "\n# "))
    stale(len(CASES) + 1)
    bites(len(CASES) + 2, work)
    own(len(CASES) + 3, work)


if __name__ == "__main__":
    main()
