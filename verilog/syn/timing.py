# SPDX-License-Identifier: GPL-3.0-or-later
"""A mapped netlist (Yosys JSON) with its library: loads, transitions, delay of every gate. docs/power.md has the definitions."""

import json

from liberty import Table

EDGES = {"rising_edge": "rise", "falling_edge": "fall"}
SENSES = {"positive_unate": "positive", "negative_unate": "negative"}


class Arc:
    pass


def arcs_of(library, pin):
    """Timing groups of an output that say its delay and transition; cached in the pin."""
    if getattr(pin, "arcs_read", False):
        return pin.arcs
    found = []
    for g in pin.group.all("timing"):
        kind = g.get("timing_type", "combinational")
        if kind != "combinational" and kind not in EDGES:
            continue
        a = Arc()
        a.edge = EDGES.get(kind)
        a.sense = a.edge or SENSES.get(g.get("timing_sense"), "either")
        a.related = g.get("related_pin", "").replace(",", " ").split()
        a.table = {t.name: Table(library, t, library.second) for t in g.groups if t.name in (
            "cell_rise", "cell_fall", "rise_transition", "fall_transition")}
        found.append(a)
    pin.arcs = [a for a in found if a.edge] or found
    pin.arcs_read = True
    return pin.arcs


def from_slews(sense, slew):
    """Transitions of the input that belong to an output's rise and fall."""
    rise, fall = slew
    mean = (rise + fall) / 2
    return {"positive": (rise, fall), "negative": (fall, rise), "rise": (rise, rise), "fall": (fall, fall)}.get(sense, (mean, mean))


class Netlist:
    def __init__(self, path, library, wire_load=None, transition=1e-10):
        self.library, self.transition = library, transition
        root = json.load(open(path))
        modules = {n: m for n, m in root["modules"].items() if m.get("cells")}
        self.top = next((n for n, m in root["modules"].items() if int(m["attributes"].get("top", "0"), 2)), None) or list(modules)[0]
        self.json, self.module = root, root["modules"][self.top]
        self.connect()
        wires = library.wires(wire_load)
        self.load = {}
        for net, pins in self.sinks.items():
            fanout = sum(1 for c, p in pins if library.cells[self.module["cells"][c]["type"]].pins[p].direction == "input")
            self.load[net] = sum(library.cells[self.module["cells"][c]["type"]].pins[p].capacitance for c, p in pins) + wires(fanout)
        self.propagate()

    def connect(self):
        """sinks: net -> [(cell, pin)] of all pins, driver: net -> (cell, pin)."""
        self.sinks, self.driver, self.pins = {}, {}, {}
        for name, c in self.module["cells"].items():
            cell = self.library.cells[c["type"]]
            self.pins[name] = {}
            for pin, bits in c["connections"].items():
                if not bits:
                    continue
                net = bits[0]
                self.pins[name][pin] = net
                self.sinks.setdefault(net, []).append((name, pin))
                if cell.pins[pin].direction == "output":
                    assert net not in self.driver, "two drivers: %s" % name
                    self.driver[net] = (name, pin)

    def propagate(self):
        """slew: net -> (rise, fall), delay: (cell, output) -> (rise, fall), in s."""
        default = (self.transition, self.transition)
        needs, users = {}, {}
        for net, (c, p) in self.driver.items():
            related = set()
            for a in arcs_of(self.library, self.library.cells[self.module["cells"][c]["type"]].pins[p]):
                related |= {self.pins[c][r] for r in a.related if r in self.pins[c]}
            needs[net] = related
            for r in related:
                users.setdefault(r, []).append(net)
        self.slew, self.delay = {}, {}
        ready = [n for n in set(self.sinks) | set(self.driver) if not needs.get(n)]
        left = {n: len(s) for n, s in needs.items()}
        for net in ready:
            if net in self.driver and net not in self.slew:
                self.slew[net] = self.output(net, default)
            self.slew.setdefault(net, default)
            for user in users.get(net, []):
                left[user] -= 1
                if left[user] == 0:
                    self.slew[user] = self.output(user, default)
                    ready.append(user)
        for net in set(self.sinks) | set(self.driver):
            if net not in self.slew:  # in a loop
                self.slew[net] = default
                if net in self.driver:
                    self.output(net, default)

    def output(self, net, default):
        """Transition of a driven net; leaves the gate's delay."""
        c, p = self.driver[net]
        sums = {k: [] for k in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")}
        for a in arcs_of(self.library, self.library.cells[self.module["cells"][c]["type"]].pins[p]):
            for r in a.related:
                if r not in self.pins[c]:
                    continue
                rise, fall = from_slews(a.sense, self.slew.get(self.pins[c][r], default))
                for k, t in a.table.items():
                    sums[k].append(t(self.load[net], rise if "rise" in k else fall))
        mean = {k: max(sum(v) / len(v), 0.0) if v else None for k, v in sums.items()}
        self.delay[c, p] = (mean["cell_rise"] or 0.0, mean["cell_fall"] or mean["cell_rise"] or 0.0)
        return (default[0] if mean["rise_transition"] is None else mean["rise_transition"],
                default[1] if mean["fall_transition"] is None else mean["fall_transition"])
