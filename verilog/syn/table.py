#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/synthesis.md out of results/*.json: python3 verilog/syn/table.py > docs/synthesis.md. check_results.py compares the two, so no figure there is typed by hand."""

import glob
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- made by verilog/syn/table.py from verilog/syn/results: do not edit -->
# What the decryptors cost

128 lanes of 8 bits, one keyable bit each, 14 bits of row address, four ways. Number behind a name: keyed bits it has room for. Energies are differences to plain read-out (`pass`) with the same rows, words and
seed, per read of a row word, mean of two seeds (how far apart they are stands above each table); glitches included, leakage apart. How it is measured and what is left out:
[verilog/syn](../verilog/syn/README.md). Cost in a network: `snnsim hw run`, `hw compare` ([tile.md](tile.md)).

- *kGE*: area in thousands of the library's two-input NAND. *added kGE*: beyond plain read-out.
- *mask*: clock edge to mask register. *word*: clock edge to decrypted word, and what of it is added to plain read-out. *slack*: worst of all paths at the period, half of it left for the adders; negative: misses it;
  0.00 where latches of a key store borrow the time that they need. *hold slack*: of the fastest path; negative: it needs delay cells, which are not in any figure here.
- *random*, *half*, *traffic*: rows at random; half of the reads on keyed rows; rows and words of N-MNIST samples.
- *trace*: energy of a cycle that looks up, decrypts or clears a keyed row less that of others, the largest of the three, and Welch's t (half keyed rows): what a power trace tells.
"""


def mean(r, stimulus, key="added_pJ"):
    values = [e[key] for e in r["energy"] if e["stimulus"] == stimulus and key in e]
    return sum(values) / len(values) if values else None


def spread(r):
    """Largest relative difference between seeds of the read-out's energy."""
    worst = 0.0
    for s in {e["stimulus"] for e in r["energy"]}:
        v = [e["pJ_per_read"] for e in r["energy"] if e["stimulus"] == s]
        worst = max(worst, (max(v) - min(v)) / max(v))
    return worst


def number(x, form="%.3g"):
    return "-" if x is None else form % x


def trace(r):
    hits = [h for e in r["energy"] if e["stimulus"] == "half" and e["seed"] == 1 for h in e.get("hits_in_trace", [])]
    if not hits:
        return "-"
    h = max(hits, key=lambda x: abs(x["t"]))
    return "%.3g pJ, t %.0f" % (h["difference_pJ"], h["t"])


def row(r, plain):
    t = r["timing"]
    return [r["design"], "%.1f" % r["kGE"], number(r["kGE"] - plain["kGE"], "%.1f"), number(t.get("mask_ns"), "%.2f"), number(t.get("word_ns"), "%.2f"),
            number(t.get("added_ps"), "%+.0f"), "%g" % t["period_ns"], "%+.2f" % t["slack_ns"], "%+.3f" % t["hold_slack_ns"]] + \
        [number(mean(r, s)) for s in ("random", "half", "traffic")] + [number(r["energy"][0]["leakage_uW"]) if r["energy"] else "-", trace(r)]


def table(d):
    plain = next(r for r in d["results"] if r["design"] == "pass")
    names = ["design", "kGE", "added kGE", "mask ns", "word ns", "added ps", "period ns", "slack ns", "hold slack ns", "random pJ", "half pJ", "traffic pJ", "leakage uW", "trace"]
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    lines += ["| " + " | ".join(row(r, plain)) + " |" for r in d["results"]]
    return lines


def tiles(d):
    if not d["tiles"]:
        return []
    left = {r["design"]: r["timing"]["mask_slack_at_datapath_ns"] for r in d["results"] if r["timing"].get("mask_slack_at_datapath_ns") is not None}
    out = ["", "The whole tile (4 lanes) at the period that plain read-out sets, %.2f ns, by a path through the neurons' multiplier. A negative slack here is that path, synthesised a little worse, not the "
           "decryptor, whose mask path has %.1f ns left or more (%s)." % (d["tiles"][0]["period_ns"], min(left.values()), min(left, key=left.get)), "", "| tile | slack ns |", "|---|---|"]
    return out + ["| %s | %+.2f |" % (t["design"], t["slack_ns"]) for t in d["tiles"]]


def page():
    out = [HEAD.rstrip()]
    for path in sorted(glob.glob(os.path.join(HERE, "results", "*.json"))):
        with open(path) as f:
            d = json.load(f)
        plain = next(r for r in d["results"] if r["design"] == "pass")
        out += ["", "## %s" % d["library"], "", "%s; wires: %s. Plain read-out takes %s pJ (random rows), %s (traffic). Seeds differ by at most %.1f %%. Measured in %.0f minutes." % (
            d["corner"], d["wire_load"] or "none", number(mean(plain, "random", "pJ_per_read")), number(mean(plain, "traffic", "pJ_per_read")),
            100 * max(spread(r) for r in d["results"]), sum(r["seconds"]["all"] for r in d["results"]) / 60), ""]
        out += table(d) + tiles(d)
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(page(), end="")
