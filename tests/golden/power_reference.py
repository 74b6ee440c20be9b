#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy of a netlist from Liberty and VCD, calculated independently of hw/power*.c, from the definitions in docs/power.md.

    power_reference.py NETLIST VCD SCOPE --liberty FILE... [--wire-load NAME] [--transition-ns T] [--from-ns T] [--to-ns T]

prints one line of JSON: switching, internal, leakage in J, toggles, cells."""

import argparse
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "verilog", "syn"))
import liberty  # noqa: E402
import timing  # noqa: E402


def read_vcd(path, scope):
    """(tick in s, {identifier: [names of bits, most significant first]}, [(time, {identifier: digits})])"""
    words = iter(open(path).read().split())
    here, signals, tick, steps = [], {}, None, []
    for w in words:
        if w == "$scope":
            next(words)
            here.append(next(words).lstrip("\\"))
        elif w == "$upscope":
            here.pop()
        elif w == "$timescale":
            m = re.fullmatch(r"(\d+)([a-z]+)", "".join(iter(lambda: next(words), "$end")))
            tick = int(m.group(1)) * {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}[m.group(2)]
            continue
        elif w == "$var":
            _, width, ident = next(words), int(next(words)), next(words)
            name = "".join(iter(lambda: next(words), "$end")).lstrip("\\")
            if ".".join(here) == scope:
                m = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", name)
                if m:
                    hi, lo = int(m.group(2)), int(m.group(3))
                    bits = ["%s[%d]" % (m.group(1), i) for i in (range(hi, lo - 1, -1) if hi >= lo else range(hi, lo + 1))]
                else:
                    bits = [name] if width == 1 else ["%s[%d]" % (name, i) for i in range(width - 1, -1, -1)]
                signals.setdefault(ident, []).append(bits)
            continue
        elif w == "$enddefinitions":
            next(words)
            break
        elif not w.startswith("$"):
            continue
        for w in words:
            if w == "$end":
                break
    now = {}
    for w in words:
        if w[0] == "#":
            now = {}
            steps.append((int(w[1:]), now))
        elif w[0] in "bB":
            now[next(words)] = w[1:].lower()
        elif w[0] in "01xXzZ":
            now[w[1:]] = w[0].lower()
    return tick, signals, steps


class Power:
    """One internal_power group at its instance."""


class Instance:
    pass


def instance_of(name, n, library):
    """Energies of the internal_power groups of every pin, conditions as code, leakage of states."""
    i = Instance()
    c = n.module["cells"][name]
    i.cell, i.nets, i.energy = library.cells[c["type"]], n.pins[name], {}
    names = set(i.cell.pins)
    for pin, net in i.nets.items():
        groups = []
        for g in i.cell.pins[pin].group.all("internal_power"):
            p = Power()
            p.supply, p.related = g.get("related_pg_pin", ""), g.get("related_pin", "").replace(",", " ").split()
            p.when = compile(liberty.python_expression(g.get("when"), names), "when", "eval") if g.get("when") else None
            output = i.cell.pins[pin].direction == "output" and p.related
            if output:
                means = [sum(n.slew[i.nets[r]]) / 2 for r in p.related if r in i.nets]
                slews = [sum(means) / len(means)] * 2 if means else [n.transition] * 2
            else:
                slews = n.slew[net]
            p.j = {}
            for t in g.groups:
                for edge, key, slew in ((1, "rise_power", slews[0]), (0, "fall_power", slews[1])):
                    if t.name in (key, "power"):
                        p.j[edge] = liberty.Table(library, t, library.joule)(n.load[net], slew)
            groups.append(p)
        i.energy[pin] = groups
    i.leak, i.last = leakage_of(i.cell, library, names), None
    i.inverse = inverse_of(i)
    return i


def leakage_of(cell, library, names):
    if not hasattr(cell, "leakage"):
        cell.leakage = {}
        for g in cell.group.all("leakage_power"):
            when = compile(liberty.python_expression(g.get("when"), names), "when", "eval") if g.get("when") else None
            cell.leakage.setdefault(g.get("related_pg_pin", ""), []).append((when, g.number("value") * library.watt))
        cell.usual = {s: next((v for w, v in l if w is None), sum(v for w, v in l) / len(l)) for s, l in cell.leakage.items()}
        cell.average = cell.group.number("cell_leakage_power") * library.watt if cell.group.get("cell_leakage_power") else sum(cell.usual.values())
        cell.by_state = any(w is not None for l in cell.leakage.values() for w, v in l)
    return cell


def inverse_of(i):
    """{connected output: unconnected complement}"""
    state = i.cell.state
    if state is None or state.name == "statetable" or len(state.args) != 2:
        return {}
    shows = {i.cell.pins[p].function: p for p in i.cell.outputs}
    pair = [shows.get(a) for a in state.args]
    if None in pair:
        return {}
    return {a: b for a, b in (pair, pair[::-1]) if a in i.nets and b not in i.nets}


def holds(code, values):
    """True only when the condition is true for the known values."""
    try:
        return bool(eval(code, {}, {"v": values}))
    except (TypeError, KeyError):
        return False


def leak_now(i, values):
    cell, known = i.cell, len(values) == len(i.cell.pins)
    if not cell.leakage or (cell.by_state and not known):
        return cell.average
    total = 0.0
    for supply, groups in cell.leakage.items():
        hit = [v for w, v in groups if w is not None and holds(w, values)]
        total += sum(hit) / len(hit) if hit else cell.usual[supply]
    return total


def values_of(i, state):
    v = {p: state[n] for p, n in i.nets.items() if state.get(n) is not None}
    for a, b in i.inverse.items():
        if a in v:
            v[b] = 1 - v[a]
    return v


def spent(i, pin, edge, values, when, now):
    """Internal energy of one change of a pin."""
    total = 0.0
    for supply in {p.supply for p in i.energy[pin]}:
        groups = [p for p in i.energy[pin] if p.supply == supply]
        known = len(values) == len(i.cell.pins)
        active = [p for p in groups if p.when is None or (known and holds(p.when, values))]
        if active:
            last = [max([when.get(i.nets[r], -1) for r in p.related if r in i.nets] or [-1]) if p.related else now for p in active]
            active = [p for p, t in zip(active, last) if t == max(last)]
        active = active or groups
        total += sum(p.j.get(edge, 0.0) for p in active) / len(active)
    return total


def run(a):
    head, cells = liberty.merge(a.liberty)
    used = {c["type"] for m in json.load(open(a.netlist))["modules"].values() for c in m.get("cells", {}).values()}
    library = liberty.Library(head + "".join(cells[u] for u in sorted(used) if u in cells) + "\n}\n")
    n = timing.Netlist(a.netlist, library, a.wire_load, a.transition_ns * 1e-9)
    instances = {c: instance_of(c, n, library) for c in n.module["cells"]}
    net_of = {}
    for name, entry in n.module["netnames"].items():
        bits = entry["bits"]
        for k, net in enumerate(bits):
            net_of[name if len(bits) == 1 and not entry.get("offset") else "%s[%d]" % (name, k + entry.get("offset", 0))] = net
    tick, signals, steps = read_vcd(a.vcd, a.scope)
    start = a.from_ns * 1e-9 / tick if a.from_ns else steps[0][0]
    end = a.to_ns * 1e-9 / tick if a.to_ns else steps[-1][0]
    inside = (lambda t: start <= t < end) if a.to_ns else (lambda t: t >= start)
    state, last, when = {"0": 0, "1": 1}, {}, {}
    total = {"switching": 0.0, "internal": 0.0, "leakage": 0.0, "toggles": 0, "cells": len(instances)}
    leak, since = {}, {}
    for c, i in instances.items():
        leak[c], since[c] = leak_now(i, values_of(i, state)), start
    heard, known = {}, set()
    for ident, names in signals.items():
        for bits in names:
            for k, bit in enumerate(bits):
                if bit in net_of and net_of[bit] not in known:
                    known.add(net_of[bit])
                    heard[ident, k, len(bits)] = net_of[bit]
    by_id = {}
    for (ident, k, width), net in heard.items():
        by_id.setdefault(ident, []).append((k, width, net))
    assert set(n.sinks) - {"0", "1", "x", "z"} <= known, "unmatched nets"
    for t, changes in steps:
        toggled, touched = [], set()
        for ident, digits in changes.items():
            for k, width, net in by_id.get(ident, []):
                d = digits.rjust(width, "0" if digits[0] == "1" else digits[0])[k]
                new = int(d) if d in "01" else None
                if state.get(net) == new and (new is not None or net in state):
                    continue
                state[net] = new
                touched |= {c for c, p in n.sinks.get(net, [])}
                if new is not None:
                    if last.get(net) is not None and last[net] != new:
                        toggled.append((net, new))
                        when[net] = t
                    last[net] = new
        for c in touched:
            values = values_of(instances[c], state)
            until = min(t, end)
            if until > since[c]:
                total["leakage"] += leak[c] * (until - since[c]) * tick
                since[c] = until
            leak[c] = leak_now(instances[c], values)
        if not inside(t):
            continue
        for net, new in toggled:
            total["toggles"] += 1
            total["switching"] += n.load.get(net, 0.0) * library.voltage ** 2 / 2
            for c, p in n.sinks.get(net, []):
                if instances[c].energy[p]:
                    total["internal"] += spent(instances[c], p, new, values_of(instances[c], state), when, t)
    for c in instances:
        total["leakage"] += leak[c] * max(0, end - since[c]) * tick
    print(json.dumps(total))


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("netlist")
    p.add_argument("vcd")
    p.add_argument("scope")
    p.add_argument("--liberty", action="append", required=True)
    p.add_argument("--wire-load")
    p.add_argument("--transition-ns", type=float, default=0.1)
    p.add_argument("--from-ns", type=float, default=0)
    p.add_argument("--to-ns", type=float, default=0)
    run(p.parse_args())
