# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapped netlists as Verilog: for OpenSTA (cells as they are) and for Icarus (each gate with its own delay), and the cells' models from Liberty's functions."""

import re

import liberty


def identifier(name):
    return "\\%s " % name


# ---- cell models ----

def verilog_expression(function, names):
    """A Liberty function in Verilog."""
    text = liberty.python_expression(function, names)
    text = re.sub(r"v\['([^']+)'\]", r"\1", text)
    return text.replace("1^", "~")


def state_model(cell):
    """Registers and latches: behaviour without delay, which the output's assign has."""
    g, names = cell.state, set(cell.pins)
    q, qn = (g.args + ["", ""])[:2]
    clear = verilog_expression(g.get("clear"), names) if g.get("clear") else None
    preset = verilog_expression(g.get("preset"), names) if g.get("preset") else None
    lines = ["  reg %s;" % q]
    if qn:
        lines.append("  wire %s = ~%s;" % (qn, q))
    force = ""
    if clear:
        force += "if (%s) %s = 1'b0; else " % (clear, q)
    if preset:
        force += "if (%s) %s = 1'b1; else " % (preset, q)
    if g.name == "latch":
        lines.append("  always @* %sif (%s) %s = %s;" % (force, verilog_expression(g.get("enable"), names), q, verilog_expression(g.get("data_in"), names)))
    else:
        lines.append("  wire clk_ = %s;" % verilog_expression(g.get("clocked_on"), names))
        events = ["posedge clk_"]
        for k, v in (("clear", clear), ("preset", preset)):
            if v:
                lines.append("  wire %s_ = %s;" % (k, v))
                events.append("posedge %s_" % k)
        lines.append("  always @(%s) %s%s = %s;" % (" or ".join(events), force, q, verilog_expression(g.get("next_state"), names)))
    return lines, {q, qn} - {""}


def model(cell):
    """A module with parameters R<i>, F<i>: delays of output i in ns."""
    lines, extra = state_model(cell) if cell.state is not None and not cell.gate else ([], set())
    if cell.gate:  # its state is a table in Liberty; all of them are a latch and an AND
        lines = ["  reg open_;", "  always @* if (!%s) open_ = %s;" % (cell.gate[0], " | ".join(cell.gate[1]))]
    ports = cell.inputs + cell.outputs
    out = ["module %s (%s);" % (cell.name, ", ".join(ports))]
    for k, o in enumerate(cell.outputs):
        out.append("  parameter R%d = 0, F%d = 0;" % (k, k))
    out += ["  input %s;" % i for i in cell.inputs] + ["  output %s;" % o for o in cell.outputs] + lines
    names = set(cell.pins) | extra
    for k, o in enumerate(cell.outputs):
        value = "%s & open_" % cell.gate[0] if cell.gate else verilog_expression(cell.pins[o].function, names)
        out.append("  assign #(R%d, F%d) %s = %s;" % (k, k, o, value))
    return "\n".join(out + ["endmodule", ""])


# ---- netlists ----

def net_names(module):
    """A name for every net; scalars win over bits of ports."""
    names = {}
    for name, entry in sorted(module["netnames"].items(), key=lambda e: (len(e[1]["bits"]), e[1].get("hide_name", 0), len(e[0]), e[0])):
        for k, bit in enumerate(entry["bits"]):
            if isinstance(bit, int) and bit not in names:
                names[bit] = name if len(entry["bits"]) == 1 and not entry.get("offset") else "%s[%d]" % (name, k + entry.get("offset", 0))
    return names


def write(n, path, delays):
    """Module <top>: ports as vectors, around <top>_core: all nets scalar, which simulates a hundred times faster than bits of wide vectors. Without delays: one flat
    module with vector ports for OpenSTA."""
    m, lib = n.module, n.library
    names = net_names(m)
    const = {"0": "1'b0", "1": "1'b1", "x": "1'b0", "z": "1'bz"}
    net = (lambda b: identifier(names[b]) if isinstance(b, int) else const[b]) if delays else None
    bits = {}
    for port, p in m["ports"].items():
        for k, b in enumerate(p["bits"]):
            bits.setdefault(b, (port, k, p["direction"], len(p["bits"])))
    out = []
    header = ["module %s (%s);" % (n.top, ", ".join(m["ports"]))]
    for port, p in m["ports"].items():
        header.append("  %s [%d:0] %s;" % (p["direction"], len(p["bits"]) - 1, port))
    if delays:
        inputs = sorted({b for p in m["ports"].values() if p["direction"] == "input" for b in p["bits"]})
        outputs = sorted({b for p in m["ports"].values() if p["direction"] == "output" for b in p["bits"] if isinstance(b, int)} - set(inputs))
        out += header
        for b in outputs:
            out.append("  wire o%d;" % b)
        for port, p in m["ports"].items():
            if p["direction"] == "output":
                out.append("  assign %s = {%s};" % (port, ", ".join(
                    const[b] if not isinstance(b, int) else "o%d" % b if b in outputs else "%s[%d]" % bits[b][:2] for b in reversed(p["bits"]))))
        out.append("  %s_core core (%s);\nendmodule" % (n.top, ", ".join(
            [".%s(%s[%d])" % ("i%d" % b, *bits[b][:2]) for b in inputs] + [".o%d(o%d)" % (b, b) for b in outputs])))
        out.append("module %s_core (%s);" % (n.top, ", ".join(["i%d" % b for b in inputs] + ["o%d" % b for b in outputs])))
        out += ["  input i%d; wire %s = i%d;" % (b, identifier(names[b]), b) for b in inputs]
        out += ["  output o%d; assign o%d = %s;" % (b, b, identifier(names[b])) for b in outputs]
        out += ["  wire %s;" % identifier(names[b]) for b in sorted(set(n.sinks) | set(n.driver), key=str) if isinstance(b, int) and b not in inputs]
    else:
        out += header
        out += ["  wire w%d;" % b for b in sorted(b for b in set(n.sinks) | set(n.driver) if isinstance(b, int) and b not in bits)]
        seen = set()
        for port, p in m["ports"].items():
            for k, b in enumerate(p["bits"]):
                if p["direction"] == "output" and bits.get(b, (port, k))[:2] != (port, k):
                    out.append("  assign %s[%d] = %s;" % (port, k, "%s[%d]" % bits[b][:2]))
        net = lambda b: const[b] if not isinstance(b, int) else "%s[%d]" % bits[b][:2] if b in bits else "w%d" % b  # noqa: E731
    n.instance = {}
    for k, (name, c) in enumerate(sorted(m["cells"].items())):
        n.instance[name] = "u%d" % k
        cell = lib.cells[c["type"]]
        pins = ", ".join(".%s(%s)" % (p, net(b[0])) for p, b in c["connections"].items() if b and p in cell.pins)
        value = ""
        if delays:
            value = " #(%s)" % ", ".join(".R%d(%.5f), .F%d(%.5f)" % (i, n.delay.get((name, o), (0, 0))[0] * 1e9, i, n.delay.get((name, o), (0, 0))[1] * 1e9)
                                         for i, o in enumerate(cell.outputs))
        out.append("  %s%s u%d (%s);" % (c["type"], value, k, pins))
    out.append("endmodule\n")
    if delays:
        out += [model(lib.cells[t]) for t in sorted({c["type"] for c in m["cells"].values()})]
    with open(path, "w") as f:
        f.write(("`timescale 1ns / 1ps\n" if delays else "") + "\n".join(out))


# ---- buffers ----

def clock_pins(module, lib):
    """net -> [(cell, pin)] of clocks of flip-flops and enables of latches."""
    found = {}
    for name, c in module["cells"].items():
        cell = lib.cells[c["type"]]
        g = cell.state
        text = g.get("clocked_on", g.get("enable", "")) if g is not None else ""
        for pin, bits in c["connections"].items():
            if bits and cell.pins[pin].direction == "input" and re.search(r"\b%s\b" % re.escape(pin), text):
                found.setdefault(bits[0], []).append((name, pin))
    return found


def all_pins(module, lib):
    """net -> [(cell, pin)] of all inputs."""
    found = {}
    for name, c in module["cells"].items():
        for pin, bits in c["connections"].items():
            if bits and lib.cells[c["type"]].pins[pin].direction == "input":
                found.setdefault(bits[0], []).append((name, pin))
    return found


def add_buffers(module, nets, buffer, most, group, skip):
    """Puts buffers of `group` pins each between a net and more than `most` pins, in as many levels as it takes; nets in skip stay as they are. Returns how many."""
    top = max(b for e in module["netnames"].values() for b in e["bits"] if isinstance(b, int))
    cell, a, y = buffer
    added = 0
    first = sum(1 for name in module["cells"] if name.startswith("buffer_"))
    for net, pins in sorted(nets.items(), key=lambda e: str(e[0])):
        if net in skip or not isinstance(net, int) or len(pins) <= most:
            continue
        level = sorted(pins)
        while len(level) > group:
            groups = -(-len(level) // group)
            upper = []
            for g in range(groups):
                top += 1
                name = "buffer_%d" % (first + added)
                added += 1
                for sink, pin in level[g::groups]:
                    module["cells"][sink]["connections"][pin] = [top]
                module["cells"][name] = {"type": cell, "hide_name": 0, "attributes": {}, "parameters": {}, "port_directions": {a: "input", y: "output"},
                                         "connections": {a: [net], y: [top]}}
                module["netnames"][name] = {"hide_name": 0, "bits": [top], "attributes": {}}
                upper.append((name, a))
            level = upper
    return added


def delay_outputs(module, lib, cells, buffer):
    """Puts a buffer behind each output of these cells. Returns how many."""
    top = max(b for e in module["netnames"].values() for b in e["bits"] if isinstance(b, int))
    cell, a, y = buffer
    sinks = all_pins(module, lib)
    first = sum(1 for name in module["cells"] if name.startswith("hold_"))
    added = 0
    for source in sorted(cells):
        c = module["cells"][source]
        for pin, bits in sorted(c["connections"].items()):
            if not bits or lib.cells[c["type"]].pins[pin].direction == "input" or bits[0] not in sinks:
                continue
            top += 1
            name = "hold_%d" % (first + added)
            added += 1
            for sink, p in sinks[bits[0]]:
                module["cells"][sink]["connections"][p] = [top]
            module["cells"][name] = {"type": cell, "hide_name": 0, "attributes": {}, "parameters": {}, "port_directions": {a: "input", y: "output"},
                                     "connections": {a: [bits[0]], y: [top]}}
            module["netnames"][name] = {"hide_name": 0, "bits": [top], "attributes": {}}
    return added
