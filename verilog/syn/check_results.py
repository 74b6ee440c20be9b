#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what is stale: designs and tiles whose RTL has changed since they were measured, designs without energies, docs/synthesis.md made of other results. Nothing: all is well."""

import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import designs  # noqa: E402
import table  # noqa: E402
from digests import digest  # noqa: E402

ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))


def check(path):
    known = {d.name: d for d in designs.DESIGNS + designs.TILES}
    name = os.path.basename(path)
    found = json.load(open(path))
    for r in found["results"] + found["tiles"]:
        d = known.get(r["design"])
        if d is None:
            yield "%s: no design is called %s any more" % (name, r["design"])
            continue
        if r["rtl"] != digest(d.rtl(ROOT), True):
            yield "%s: the RTL of %s has changed since it was measured (make hw-synth)" % (name, r["design"])
        if r["parameters"] != d.p:
            yield "%s: the parameters of %s have changed since it was measured" % (name, r["design"])
        seeds = {}
        for e in r.get("energy", []):
            seeds.setdefault(e["stimulus"], set()).add(e["seed"])
            if e["annotated"] != e["nets"] or e["nets"] == 0:
                yield "%s: %s has nets without activity" % (name, r["design"])
        for stimulus in ("random", "half") if d in designs.DESIGNS else ():
            if stimulus not in seeds:
                yield "%s: %s has no energies of %s rows" % (name, r["design"], stimulus)
        for stimulus, s in seeds.items():
            if len(s) < 2:
                yield "%s: %s %s has only one seed" % (name, r["design"], stimulus)


def stale_page():
    page = os.path.join(ROOT, "docs", "synthesis.md")
    if not os.path.exists(page) or open(page).read() != table.page():
        yield "docs/synthesis.md: the results have changed since (python3 verilog/syn/table.py > docs/synthesis.md)"


def main():
    if not sys.argv[1:]:
        for finding in stale_page():
            print(finding)
    paths = sys.argv[1:] or sorted(glob.glob(os.path.join(HERE, "results", "*.json")))
    if not paths:
        print("there are no results")
    for path in paths:
        for finding in check(path):
            print(finding)


if __name__ == "__main__":
    main()
