# SPDX-License-Identifier: GPL-3.0-or-later
"""Column currents of random crossbars by ngspice, beside those of snnsim; prints TAP for check_ngspice.sh.

ngspice.py CIRCUIT_CURRENTS FOLDER

The netlist has one resistor for each cell and wire segment and one voltage source for each driver and sense end; ideal wires
are single nodes. ngspice writes the currents through the sense ends as binary doubles (its printed numbers would be too coarse).
"""
import pathlib
import subprocess
import sys

import numpy as np

LIMIT = 1e-6  # largest relative error of a column's current

# rows, columns, row, column, driver, sense Ohm, floating, share of rows that are on, how conductances are drawn
CASES = [
    (1, 1, 2, 2, 100, 50, False, 1.0, "random"),
    (1, 64, 5, 1, 0, 0, False, 1.0, "random"),
    (64, 1, 1, 5, 0, 0, False, 0.5, "random"),
    (2, 3, 1000, 2000, 500, 300, False, 1.0, "random"),
    (8, 8, 0.5, 0.5, 0, 0, False, 1.0, "random"),
    (8, 8, 2, 2, 0, 0, True, 0.4, "random"),
    (16, 16, 0, 2, 100, 0, False, 0.5, "random"),
    (16, 16, 2, 0, 0, 100, False, 0.5, "random"),
    (16, 16, 0, 3, 0, 0, True, 0.3, "random"),
    (16, 16, 3, 0, 0, 0, True, 0.3, "random"),
    (16, 16, 0, 0, 200, 100, True, 0.3, "random"),
    (17, 23, 1.56, 4.69, 0, 0, False, 0.7, "binary"),
    (31, 9, 5, 1, 300, 0, False, 0.7, "holes"),
    (9, 31, 1, 5, 0, 300, True, 0.5, "holes"),
    (32, 32, 0.78, 0.78, 0, 0, False, 0.1, "binary"),
    (32, 32, 5, 5, 50, 50, False, 0.9, "random"),
    (32, 32, 20, 20, 0, 0, True, 0.5, "low"),
    (32, 64, 2, 2, 1000, 10, False, 0.5, "signed"),
    (64, 32, 2, 2, 10, 1000, True, 0.5, "signed"),
    (48, 48, 1, 2, 0, 0, False, 0.03, "random"),
    (64, 64, 0.5, 0.5, 0, 0, False, 0.5, "random"),
    (64, 64, 2, 2, 0, 0, False, 1.0, "low"),
    (64, 64, 2, 2, 100, 100, True, 0.2, "binary"),
    (64, 64, 5, 5, 0, 0, False, 0.3, "holes"),
]


def draw(case, rng):
    """Conductances (float32, uS) and voltages."""
    rows, columns, *_, on, kind = case
    g = rng.uniform(1, 40, (rows, columns))
    if kind == "binary":
        g = np.where(rng.random(g.shape) < 0.5, 1.0, 40.0)
    elif kind == "low":  # every cell in its low-resistance state
        g = np.full(g.shape, 40.0)
    elif kind == "holes":  # cells that were never formed
        g[rng.random(g.shape) < 0.3] = 0
    volts = np.where(rng.random(rows) < on, rng.uniform(0.1, 0.5, rows), 0)
    if kind == "signed":
        volts *= np.sign(rng.uniform(-1, 1, rows))
    if not volts.any():
        volts[rng.integers(rows)] = 0.3
    return g.astype(np.float32), volts


def netlist(case, g, volts, raw):
    """A SPICE deck that writes the sense currents to `raw`."""
    rows, columns, row, column, driver, sense, floating, *_ = case
    lines = ["crossbar"]

    def word(r, c):
        return f"w{r}_{c}" if row else f"w{r}"

    def bit(r, c):
        return f"b{r}_{c}" if column else f"b{c}"

    def resistor(a, b, ohm):
        lines.append(f"R{len(lines)} {a} {b} {ohm!r}")

    def in_series(name, end, volt, ohm):
        """A source of `volt` behind `ohm` (may be 0) at node `end`."""
        if ohm:
            resistor(f"{name}e", end, ohm)
        lines.append(f"V{name} {f'{name}e' if ohm else end} 0 {float(volt)!r}")

    for r in range(rows):
        if volts[r] != 0 or not floating:
            in_series(f"d{r}", word(r, 0), volts[r], float(row + driver))
        for c in range(1, columns if row else 0):
            resistor(word(r, c - 1), word(r, c), float(row))
    for c in range(columns):
        for r in range(1, rows if column else 0):
            resistor(bit(r - 1, c), bit(r, c), float(column))
        in_series(f"s{c}", bit(rows - 1, c), 0, float(column + sense))
    for r in range(rows):
        for c in range(columns):
            if g[r, c] > 0:
                resistor(word(r, c), bit(r, c), 1e6 / float(g[r, c]))
    currents = " ".join(f"i(vs{c})" for c in range(columns))
    # gmin and the tolerances are for nonlinear devices, of which there are none; they are set so that they cannot matter.
    return "\n".join(lines + [
        ".options gmin=1e-25 abstol=1e-18 vntol=1e-15 reltol=1e-9",
        ".control", "set numdgt=15", "set filetype=binary", f"save {currents}", "op", f"write {raw}", "quit", ".endc", ".end", ""])


def read_raw(raw, columns):
    """Currents in uA out of the sense ends, from a binary raw file."""
    data = raw.read_bytes()
    head, _, body = data.partition(b"Binary:\n")
    variables = head.decode().split("\nVariables:")[1].split("\n")
    names = [line.split()[1] for line in variables if len(line.split()) >= 3]
    values = dict(zip(names, np.frombuffer(body, "<f8", len(names))))
    return np.array([values[f"i(vs{c})"] for c in range(columns)]) * 1e6


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    rng = np.random.default_rng(20260101)
    drawn = [draw(case, rng) for case in CASES]
    text = []
    for case, (g, volts) in zip(CASES, drawn):
        text.append(" ".join(str(x) for x in (*case[:6], int(case[6]))))
        text.append(" ".join(repr(float(v)) for v in volts))
        text.append(" ".join(f"{v:.9g}" for v in g.ravel()))
    (folder / "crossbars").write_text("\n".join(text))
    ours = np.array(subprocess.run([program, folder / "crossbars"], check=True, capture_output=True, text=True).stdout.split(), float).reshape(-1, 2)
    print(f"1..{len(CASES) + 1}")
    start, worst = 0, 0.0
    for n, (case, (g, volts)) in enumerate(zip(CASES, drawn), 1):
        rows, columns, row, column, driver, sense, floating, on, kind = case
        deck, raw = folder / "deck.cir", folder / "deck.raw"
        deck.write_text(netlist(case, g, volts, raw))
        raw.unlink(missing_ok=True)
        log = subprocess.run(["ngspice", "-b", deck], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        what = (f"{rows} x {columns}, wires {row} and {column}, driver {driver}, sense {sense} Ohm, "
                f"{np.count_nonzero(volts)} rows on, others {'floating' if floating else 'at 0 V'}, {kind} cells")
        mine = ours[start:start + columns]
        start += columns
        if not raw.exists():
            print(f"not ok {n} - {what}\n# " + (log.stdout + log.stderr)[-2000:].replace("\n", "\n# "))
            continue
        spice = read_raw(raw, columns)
        error = (np.abs(mine - spice[:, None]) / np.abs(spice[:, None])).max(axis=0)
        worst = max(worst, error.max())
        print(f"{'ok' if error.max() <= LIMIT else 'not ok'} {n} - {what}: {error[0]:.1e} exact, {error[1]:.1e} fast")
    print(f"{'ok' if start == len(ours) else 'not ok'} {len(CASES) + 1} - every column was compared; largest relative error {worst:.1e}")


main()
