# SPDX-License-Identifier: GPL-3.0-or-later
"""Liberty files in Python: reading, trimming, look-up tables. Written from the format's definition, independently of hw/liberty*.c, which tests/golden/power_reference.py checks by it."""

import gzip
import re

import numpy as np

PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


def text_of(path):
    opener = gzip.open if open(path, "rb").read(2) == b"\x1f\x8b" else open
    with opener(path, "rt", errors="replace") as f:
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), f.read(), flags=re.S)
    # ASAP7 leaves out the semicolon behind some values, where the line ends
    return re.sub(r"^([ \t]*\w+[ \t]*:[ \t]*[^\s\";{}]+)[ \t]*$", r"\1;", text, flags=re.M)


# ---- whole cells, as text ----

def split_cells(text):
    """The text before the first cell, and {name: text of the cell}. Braces are counted, so it is quick for large files."""
    starts = [m for m in re.finditer(r"^[ \t]*cell\s*\(\s*\"?([^\")\s]+)\"?\s*\)\s*\{", text, re.M)]
    cells = {}
    for m in starts:
        depth, at = 1, m.end()
        for b in re.compile(r"[{}]").finditer(text, m.end()):
            depth += 1 if b.group() == "{" else -1
            if depth == 0:
                at = b.end()
                break
        cells[m.group(1)] = text[m.start():at]
    head = text[:starts[0].start()] if starts else text
    return head, cells


def merge(paths):
    """Several files as one: head of the first, templates that only others have, all cells."""
    head, cells = split_cells(text_of(paths[0]))
    seen = set(re.findall(r"(?:lu_table_template|power_lut_template)\s*\(\s*\"?(\w+)\"?\s*\)", head))
    for path in paths[1:]:
        other, more = split_cells(text_of(path))
        for m in re.finditer(r"(?:lu_table_template|power_lut_template)\s*\(\s*\"?(\w+)\"?\s*\)\s*\{[^}]*\}", other):
            if m.group(1) not in seen:
                seen.add(m.group(1))
                head += m.group() + "\n"
        cells.update(more)
    return head, cells


# ---- statements ----

class Group:
    def __init__(self, name, args):
        self.name, self.args, self.simple, self.groups, self.complex = name, args, {}, [], {}

    def get(self, key, default=None):
        return self.simple.get(key, default)

    def number(self, key, default=0.0):
        return float(self.simple[key]) if key in self.simple else default

    def all(self, name):
        return [g for g in self.groups if g.name == name]


TOKEN = re.compile(r'"[^"]*"|[{}();:,]|[^\s"{}();:,\\]+')


def parse(text):
    """The group `library`."""
    tokens = TOKEN.findall(text)
    at = 0
    root = Group("", [])
    stack = [root]
    while at < len(tokens):
        t = tokens[at]
        if t == "}":
            stack.pop()
            at += 1
        elif t in ";,":
            at += 1
        elif tokens[at + 1] == ":":
            end = at + 2
            if tokens[end].startswith('"'):
                end += 1
            else:
                while tokens[end] not in ";}":
                    end += 1
            stack[-1].simple.setdefault(t, " ".join(x.strip('"') for x in tokens[at + 2:end]))
            at = end
        elif tokens[at + 1] == "(":
            end = tokens.index(")", at)
            args = [x.strip('"') for x in tokens[at + 2:end] if x != ","]
            at = end + 1
            if at < len(tokens) and tokens[at] == "{":
                g = Group(t, args)
                stack[-1].groups.append(g)
                stack.append(g)
                at += 1
            else:
                stack[-1].complex.setdefault(t, []).append(args)
        else:
            raise ValueError("statement %r %r" % (t, tokens[at + 1]))
    return root.groups[0]


# ---- tables ----

def numbers(args):
    return np.array([float(x) for x in re.split(r"[,\s]+", " ".join(args)) if x])


class Table:
    """Values over ('load', 'slew') axes, in SI units."""

    def __init__(self, library, group, unit):
        self.axes, self.index = [], []
        if group.args and group.args[0] != "scalar":
            template = library.templates[group.args[0]]
            for k in "12":
                variable = template.get("variable_" + k)
                if variable is None:
                    continue
                kind = "load" if variable == "total_output_net_capacitance" else "slew"
                points = group.complex.get("index_" + k) or template.complex["index_" + k]
                self.axes.append(kind)
                self.index.append(numbers(points[0]) * (library.farad if kind == "load" else library.second))
        self.value = numbers(group.complex["values"][0]).reshape([len(i) for i in self.index]) * unit

    def __call__(self, load, slew):
        v = self.value
        for kind, index in reversed(list(zip(self.axes, self.index))):
            x = load if kind == "load" else slew
            if len(index) == 1:
                v = v[..., 0]
                continue
            i = min(max(int(np.searchsorted(index, x, side="right")) - 1, 0), len(index) - 2)
            u = (x - index[i]) / (index[i + 1] - index[i])
            v = v[..., i] * (1 - u) + v[..., i + 1] * u
        return float(v)


# ---- Boolean expressions ----

def python_expression(text, names):
    """As Python over a dict `v` of 0/1; names that are no pins become None and the whole unknown."""
    out, last = [], False
    for t in re.findall(r"[A-Za-z_][\w\[\]]*|[01]|[()!'&*|+^]", text):
        word = t[0].isalnum() or t[0] == "_"
        if last and (word or t in "(!"):
            out.append("&")
        if t == "'":
            # the operand before it: a name or a parenthesis
            depth, k = 0, len(out) - 1
            while True:
                depth += (out[k] == ")") - (out[k] == "(")
                if depth == 0:
                    break
                k -= 1
            out.insert(k, "(1^")
            out.append(")")
        elif t == "!":
            out.append("1^")
        elif t in "*&":
            out.append("&")
        elif t in "+|":
            out.append("|")
        elif word and t not in "01":
            out.append("v['%s']" % t if t in names else "None")
        else:
            out.append(t)
        last = word or t in ")'"
    # Python binds ^ weaker than &, Liberty closer; '1^x' of a negation needs parentheses
    return bind(out)


def bind(tokens):
    """Parentheses after Liberty's priorities: negation, ^, &, |."""
    at = [0]

    def factor():
        t = tokens[at[0]]
        at[0] += 1
        if t == "1^":
            return "(1^%s)" % factor()
        if t in ("(", "(1^"):
            inner = level(0)
            at[0] += 1
            return "(1^%s)" % inner if t == "(1^" else inner
        return t

    def level(k):
        if k == 3:
            return factor()
        op = "|&^"[k]
        parts = [level(k + 1)]
        while at[0] < len(tokens) and tokens[at[0]] == op:
            at[0] += 1
            parts.append(level(k + 1))
        return parts[0] if len(parts) == 1 else "(" + op.join(parts) + ")"

    return level(0)


# ---- library ----

class Pin:
    pass


class Cell:
    def __init__(self, library, group):
        self.name, self.group, self.area = group.args[0], group, group.number("area")
        self.state = next((g for g in group.groups if g.name in ("ff", "latch", "statetable")), None)
        self.pins = {}
        for g in group.all("pin"):
            if g.get("direction") == "internal":
                continue
            p = Pin()
            p.name, p.group, p.direction = g.args[0], g, g.get("direction")
            p.capacitance = g.number("capacitance") * library.farad
            p.function, p.clock = g.get("function"), g.get("clock") == "true"
            p.arcs, p.power = [], []
            self.pins[p.name] = p
        # (clock, enable, further enables): cells that gate a clock
        self.gate = None
        if group.get("clock_gating_integrated_cell"):
            find = lambda key: [p.name for p in self.pins.values() if p.group.get(key) == "true"]  # noqa: E731
            rest = [p.name for p in self.pins.values() if p.direction == "input"]
            clock = (find("clock_gate_clock_pin") or [r for r in rest if r.startswith("CLK")])[0]
            self.gate = (clock, [r for r in rest if r != clock])
        self.inputs = [p.name for p in self.pins.values() if p.direction == "input"]
        self.outputs = [p.name for p in self.pins.values() if p.direction == "output"]


class Library:
    def __init__(self, text):
        g = self.group = parse(text)
        self.name = g.args[0]
        number, unit = g.complex["capacitive_load_unit"][0]
        self.farad = float(number) * PREFIX[unit[:-1].lower()]
        self.second = self.unit("time_unit", "s")
        self.volt = self.unit("voltage_unit", "V")
        self.watt = self.unit("leakage_power_unit", "W")
        self.joule = self.farad * self.volt ** 2
        self.voltage = g.number("nom_voltage") * self.volt
        self.temperature = g.number("nom_temperature", 25)
        self.templates = {t.args[0]: t for t in g.groups if t.name.endswith("_template")}
        self.cells = {c.args[0]: Cell(self, c) for c in g.all("cell")}

    def unit(self, key, of):
        m = re.fullmatch(r"([\d.]+)\s*([a-zA-Z]*?)" + of, self.group.get(key, "1" + of))
        return float(m.group(1)) * PREFIX[m.group(2).lower()]

    def wires(self, name):
        """fan-out -> F"""
        if not name:
            return lambda fanout: 0.0
        g = next(w for w in self.group.all("wire_load") if w.args[0] == name)
        points = [(float(a[0]), float(a[1])) for a in g.complex["fanout_length"]]
        x, y = np.array(points).T

        def load(fanout):
            if fanout <= 0:
                return 0.0
            length = np.interp(fanout, x, y) if fanout <= x[-1] else y[-1] + g.number("slope") * (fanout - x[-1])
            return float(length) * g.number("capacitance") * self.farad

        return load
