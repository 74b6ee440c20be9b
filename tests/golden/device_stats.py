#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of memory cells, computed without snnsim from the formulas that the device presets cite. Prints tests/unit/golden_device.h:

    tests/golden/device_stats.py > tests/unit/golden_device.h

The formulas are written here as their sources write them (aihwkit's polynomials in G / 40 uS, CrossSim's cubic in uS, ...), not as hw/devices does, so that a slip there shows.
Expectations are sums over Gauss-Legendre panels of the standard normal deviates, all of them, where snnsim uses closed forms and adaptive quadrature.

    tests/golden/device_stats.py --check FILE.csv

compares samples that a test program drew (lines preset,seconds,level,levels,g) with the same formulas: Kolmogorov-Smirnov, mean and spread.
"""
import csv
import sys
from collections import defaultdict

import numpy as np
from scipy import stats
from scipy.special import ndtr

DAY = 86400.0
YEAR = 365 * DAY


# ---- the presets, as their sources write them ----

def aihwkit_wan(g, coefficients):
    """reram.py, ReRamWan2022NoiseModel._apply_poly; coefficients of coeff_dic, highest power first as printed there."""
    x = g / 40.0
    return sum(c * x ** (len(coefficients) - 1 - i) for i, c in enumerate(coefficients))


WAN = {
    1.0: [-16.815, 45.393, -43.853, 16.030, 0.348],
    DAY: [-16.458, 47.095, -50.773, 22.086, 0.701],
    2 * DAY: [-11.934, 37.062, -43.507, 20.274, 0.782],
}


def wan_total(g, t):
    """Linear in ln t between the three times and beyond the last, constant before the first."""
    times = sorted(WAN)
    values = [aihwkit_wan(g, WAN[s]) for s in times]
    if t <= times[0]:
        return values[0]
    x = np.log(times)
    i = 0 if t <= times[1] else 1
    return values[i] + (values[i + 1] - values[i]) * (np.log(t) - x[i]) / (x[i + 1] - x[i])


class Preset:
    """g_min, g_max, white noise [uS], and for a target and a time: parameters of `Cell`."""

    def __init__(self, g_min, g_max, white, cell):
        self.g_min, self.g_max, self.white, self.cell = g_min, g_max, white, cell


def neurram(g, t):
    programmed = aihwkit_wan(g, WAN[1.0])
    return dict(sigma=programmed, relax=np.sqrt(max(0.0, wan_total(g, t) ** 2 - programmed ** 2)))


def neurram_cubic(g, t):
    a, b, c, d = 1.536e-4, -1.167e-2, 2.374e-1, 1.053
    return dict(sigma=a * g ** 3 + b * g ** 2 + c * g + d)


def cmo(g, t):
    cell = dict(sigma=0.01129027418 * g + 0.0112185391)
    if t >= 1:
        cell.update(shift=-0.08900206 * np.log(t), relax=0.04201137 * np.log(t) + 0.41183342)
    return cell


def harsh(g, t):
    hrs, lrs = 1e3 / 10 ** 2.62, 1e3 / 10 ** 1.34
    part = (np.log(g) - np.log(hrs)) / (np.log(lrs) - np.log(hrs))
    return dict(lognormal=True, sigma=np.log(10) * (0.38 + (0.06 - 0.38) * part))


PRESETS = {
    "ideal": Preset(1.0, 40.0, 0.0, lambda g, t: {}),
    "neurram": Preset(1e6 / 1e6, 40.0, 0.01 * 40.0, neurram),
    "neurram_cubic": Preset(1.0, 39.26, 0.01 * 39.26, neurram_cubic),
    "neurosim22": Preset(1e6 / (100e3 * 17), 1e6 / 100e3, 0.0, lambda g, t: dict(sigma=0.1 * g)),
    "milo": Preset(50.0, 225.0, 0.0, lambda g, t: dict(sigma=-0.009107 * g + 4.782321)),
    "cmo": Preset(8.0, 90.0, 0.0, cmo),
    "harsh": Preset(1e3 / 10 ** 2.62, 1e3 / 10 ** 1.34, 0.01 * 1e3 / 10 ** 1.34, harsh),
}


def target(preset, k, levels):
    return preset.g_min + (preset.g_max - preset.g_min) * k / (levels - 1)


# ---- a cell, by brute force ----

def nodes(breaks, width=0.25, order=16):
    """Points and weights of Gauss-Legendre panels of about `width` between the breaks, times the normal density."""
    x, w = np.polynomial.legendre.leggauss(order)
    zs, ws = [], []
    breaks = sorted(breaks)
    for a, b in zip(breaks, breaks[1:]):
        n = max(1, int(np.ceil((b - a) / width)))
        edges = np.linspace(a, b, n + 1)
        for lo, hi in zip(edges, edges[1:]):
            z = (hi + lo) / 2 + (hi - lo) / 2 * x
            zs.append(z)
            ws.append(w * (hi - lo) / 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    return np.concatenate(zs), np.concatenate(ws)


def deviates(sigma, width=0.25):
    return nodes([-9.5, 9.5], width) if sigma > 0 else (np.zeros(1), np.ones(1))


class Cell:
    def __init__(self, target, lognormal=False, sigma=0.0, window=0.0, pulses=1, cell=0.0, chip=0.0, scale=1.0, shift=0.0, relax=0.0):
        self.__dict__.update(locals())

    def start(self, z):
        return self.target * np.exp(self.sigma * z) if self.lognormal else self.target + self.sigma * z

    def program(self):
        """Deviates of programming with their probabilities, fine enough for a threshold far out where log-normal conductances are far apart; write-and-verify ends in the window, or after its last pulse anywhere outside."""
        width = 0.01 if self.cell == 0 and self.chip == 0 else 0.25
        if not (self.window > 0 and self.sigma > 0):
            reach = 9.5 + (2 * self.sigma if self.lognormal else 0)
            zero = reach if self.lognormal or self.sigma == 0 else -(self.shift / self.scale + self.target) / self.sigma
            return nodes([-reach, min(max(zero, -reach), reach), reach], width) if self.sigma > 0 else (np.zeros(1), np.ones(1))
        if self.lognormal:
            low = np.log1p(-self.window / self.target) / self.sigma if self.window < self.target else -11.5
            high = np.log1p(self.window / self.target) / self.sigma
        else:
            low, high = -self.window / self.sigma, self.window / self.sigma
        reach = 11.5
        z, w = nodes([-reach, max(low, -reach), min(high, reach), reach], width)
        hit = ndtr(high) - (ndtr(low) if low > -11.5 else 0.0)
        never = (1 - hit) ** self.pulses
        inside = (z >= low) & (z <= high)
        tries = sum((1 - hit) ** i for i in range(self.pulses))
        return z, w * np.where(inside, tries, never / (1 - hit) if hit < 1 else 0.0)

    def means(self, width):
        """Conductances before relaxation, and their probabilities: all combinations of programming, cell and chip, one chip after the other."""
        zp, wp = self.program()
        zc, wc = deviates(self.cell, width)
        zh, wh = deviates(self.chip, width)
        g = np.outer(self.start(zp), 1 + self.cell * zc)
        w = np.outer(wp, wc)
        for z, weight in zip(zh, wh):
            yield self.scale * (1 + self.chip * z) * g + self.shift, w * weight

    def never_cut(self, width):
        """Relaxation never reaches 0: max(0, .) may be left out."""
        return sum((w * ndtr(-m / self.relax)).sum() for m, w in self.means(width)) < 1e-14

    def moments(self, width=0.25):
        never_cut = self.relax > 0 and self.never_cut(width)
        mean = 0.0
        for power in (1, 2):
            total = 0.0
            for m, w in self.means(width):
                if self.relax == 0:
                    g = np.maximum(m, 0)
                    e = g if power == 1 else (g - mean) ** 2
                elif never_cut:
                    e = m if power == 1 else (m - mean) ** 2 + self.relax ** 2
                else:
                    e = self.relaxed(m, power, mean)
                total += (e * w).sum()
            if power == 1:
                mean = total
        return mean, np.sqrt(total)

    def relaxed(self, m, power, mean):
        """E(max(0, m + relax t)), or the square of its distance from the mean: panels over t from where it is positive."""
        first = np.clip(-m / self.relax, -9.5, 9.5)
        e = mean ** 2 * ndtr(first) if power == 2 else np.zeros_like(m)
        for x, v in zip(*np.polynomial.legendre.leggauss(160)):
            t = first + (9.5 - first) * (x + 1) / 2
            g = m + self.relax * t
            y = g if power == 1 else (g - mean) ** 2
            e += v * (9.5 - first) / 2 * np.exp(-t * t / 2) / np.sqrt(2 * np.pi) * y
        return e

    def side(self, noise, x, above, width=0.25):
        """P(g + noise > x) or <= x."""
        if self.relax == 0 and noise == 0:
            raise ValueError("a step: give its probability in closed form")
        assert noise > 0 or x >= 0
        sign = -1.0 if above else 1.0
        never_cut = self.relax > 0 and noise > 0 and self.never_cut(width)
        total = 0.0
        for m, w in self.means(width):
            if noise == 0 or never_cut:
                p = ndtr(sign * (x - m) / np.hypot(self.relax, noise))
            elif self.relax == 0:
                p = ndtr(sign * (x - np.maximum(m, 0)) / noise)
            else:
                first = np.clip(-m / self.relax, -9.5, 9.5)
                p = ndtr(first) * ndtr(sign * x / noise)
                for u, v in zip(*np.polynomial.legendre.leggauss(120)):
                    t = first + (9.5 - first) * (u + 1) / 2
                    p = p + v * (9.5 - first) / 2 * np.exp(-t * t / 2) / np.sqrt(2 * np.pi) * ndtr(sign * (x - m - self.relax * t) / noise)
            total += (p * w).sum()
        return total


def cut_normal(mean, sigma):
    """Mean and spread of max(0, X) by panels that end at 0, where brute force over X would have a kink."""
    if sigma == 0:
        return max(mean, 0.0), 0.0
    z, w = nodes([max(-mean / sigma, -9.5), 9.5])
    g = mean + sigma * z
    below = ndtr(-mean / sigma)
    e = (g * w).sum()
    return e, np.sqrt((((g - e) ** 2) * w).sum() + e * e * below)


def statistics(preset, t, k, levels):
    p = PRESETS[preset]
    goal = target(p, k, levels)
    c = Cell(goal, **p.cell(goal, t))
    if c.lognormal:
        return goal, *c.moments()
    return goal, *cut_normal(c.target + c.shift, np.hypot(c.sigma, c.relax))


def wrong(preset, t, k, levels, place, noise):
    """Probability that a read of level k crosses the reference above it (k even) or below it."""
    p = PRESETS[preset]
    goal = target(p, k, levels)
    c = Cell(goal, **p.cell(goal, t))
    above = k == 0
    low = k if above else k - 1
    x = target(p, low, levels) + place * (target(p, 1, levels) - target(p, 0, levels))
    sign = -1 if above else 1
    if c.lognormal:
        if noise == 0:
            return x, ndtr(sign * np.log(x / goal) / c.sigma)
        z, w = nodes([-11.5, 11.5], 0.02)
        return x, (ndtr(sign * (x - c.start(z)) / noise) * w).sum()
    s = np.hypot(c.sigma, c.relax)
    m = c.target + c.shift
    if noise == 0:
        return x, ndtr(sign * (x - m) / s) if s > 0 else float(sign * (x - m) > 0)
    z, w = nodes([max(-m / s, -9.5), 9.5], 0.02)
    return x, (ndtr(sign * (x - m - s * z) / noise) * w).sum() + ndtr(-m / s) * ndtr(sign * x / noise)


# ---- cases beyond the presets ----

def cases():
    """(cell, noise, threshold, width of panels)"""
    for x in (0.2, 3.0, 6.0, 8.0):
        yield Cell(1.0, sigma=0.7), 0.4, x, 0.05
        yield Cell(1.0, sigma=0.7, relax=0.6), 0.4, x, 0.05
    yield Cell(1.0, sigma=0.7, relax=0.6), 0.4, -1.0, 0.05
    yield Cell(5.0, sigma=0.5, scale=0.9, shift=-1.2, relax=0.3), 0.0, 1.0, 0.25
    for x in (15.0, 19.2, 20.4, 26.0):
        yield Cell(20.0, sigma=2.0, window=1.0, pulses=3), 0.5, x, 0.25
        yield Cell(20.0, sigma=2.0, window=1.0, pulses=3, relax=0.8), 0.0, x, 0.25
        yield Cell(20.0, sigma=2.0, window=1.0, pulses=3, relax=0.8), 0.5, x, 0.25
    yield Cell(20.0, sigma=2.0, window=3.0, pulses=200, relax=0.1), 0.0, 18.0, 0.25
    for x in (0.3, 5.0, 24.0, 200.0):
        yield Cell(2.4, lognormal=True, sigma=0.875), 0.457, x, 0.25
        yield Cell(2.4, lognormal=True, sigma=0.875, window=1.0, pulses=5), 0.457, x, 0.25
        yield Cell(2.4, lognormal=True, sigma=0.875, window=3.0, pulses=2), 0.457, x, 0.25
    yield Cell(45.7, lognormal=True, sigma=0.138, relax=1.5, shift=2.0, scale=0.8), 0.3, 20.0, 0.25
    for x in (6.0, 9.5, 15.0):
        yield Cell(10.0, sigma=0.5, cell=0.1), 0.2, x, 0.25
        yield Cell(10.0, sigma=0.5, chip=0.05, relax=0.2), 0.0, x, 0.25
        yield Cell(10.0, sigma=0.5, chip=0.05, cell=0.1, relax=0.2), 0.1, x, 1.0
        yield Cell(10.0, lognormal=True, sigma=0.1, chip=0.05, cell=0.02, relax=0.3), 0.0, x, 1.0
        yield Cell(10.0, sigma=0.8, window=0.5, pulses=4, chip=0.05, cell=0.02, relax=0.4), 0.0, x, 1.0


def c_bool(b):
    return "true" if b else "false"


def print_header():
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
    print("/* Made by tests/golden/device_stats.py: do not edit. */")
    print("/* clang-format off */")
    print("static const struct { const char *preset; double seconds; int levels, k; double target, mean, sigma; } golden_level[] = {")
    for name in PRESETS:
        most = 2 if name in ("neurosim22", "harsh") else 4
        for t in (0.0, 1.0, 3600.0, DAY, 2 * DAY, YEAR):
            for levels in (2, most):
                for k in range(levels) if levels == most else (0, 1):
                    goal, mean, sigma = statistics(name, t, k, levels)
                    print(f'    {{"{name}", {t!r}, {levels}, {k}, {goal!r}, {float(mean)!r}, {float(sigma)!r}}},')
                if levels == most == 2:
                    break
    print("};")
    print("/* P(read of level k crosses the reference x beside it) with noise of standard deviation noise */")
    print("static const struct { const char *preset; double seconds; int levels, k; double noise, x, p; } golden_wrong[] = {")
    for name, t, levels, k, place in WRONG:
        for noise in (0.0, PRESETS[name].white, 0.03 * PRESETS[name].g_max):
            x, p = wrong(name, t, k, levels, place, noise)
            if p > 1e-13:
                print(f'    {{"{name}", {t!r}, {levels}, {k}, {noise!r}, {x!r}, {float(p)!r}}},')
    print("};")
    print("static const struct { bool lognormal; double target, sigma, window; int pulses; double cell, chip, scale, shift, relax, noise, x, cdf, above, mean, spread; } golden_case[] = {")
    for c, noise, x, width in cases():
        below, above = c.side(noise, x, False, width), c.side(noise, x, True, width)
        assert abs(below + above - 1) < 1e-9, (below, above)
        simple = not c.lognormal and c.window == 0 and c.cell == 0 and c.chip == 0
        mean, spread = cut_normal(c.scale * c.target + c.shift, np.hypot(c.scale * c.sigma, c.relax)) if simple else c.moments(width)
        values = [c.target, c.sigma, c.window], [c.cell, c.chip, c.scale, c.shift, c.relax, noise, x, below, above, mean, spread]
        text = ", ".join(repr(float(v)) for v in values[0]) + f", {c.pulses}, " + ", ".join(repr(float(v)) for v in values[1])
        print(f"    {{{c_bool(c.lognormal)}, {text}}},")
    print("};")


WRONG = [
    ("neurram", 1.0, 2, 0, 0.1), ("neurram", 1.0, 2, 1, 0.85), ("neurram", 1.0, 2, 1, 0.9), ("neurram", DAY, 2, 1, 0.5), ("neurram", DAY, 2, 1, 0.65),
    ("neurram", DAY, 4, 1, 0.5), ("neurram", YEAR, 4, 2, 0.5), ("neurram", YEAR, 2, 0, 0.15),
    ("neurram_cubic", 1.0, 4, 2, 0.5), ("neurosim22", 1.0, 2, 1, 0.5), ("neurosim22", 1.0, 2, 1, 0.35), ("milo", 1.0, 16, 0, 0.5), ("milo", 1.0, 8, 1, 0.5),
    ("cmo", DAY, 16, 1, 0.5), ("cmo", YEAR, 16, 1, 0.5), ("cmo", 1.0, 16, 15, 0.5), ("harsh", 1.0, 2, 0, 0.5), ("harsh", 1.0, 2, 1, 0.5), ("harsh", 1.0, 2, 0, 0.9),
]


# ---- samples of a test program ----

def check(path):
    samples = defaultdict(list)
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            samples[row["preset"], float(row["seconds"]), int(row["level"]), int(row["levels"])].append(float(row["g"]))
    bad = 0
    significance = 1e-3 / len(samples)  # one false alarm in 1000 over all of them
    print(f"{'preset':14} {'seconds':>10} {'level':>5} {'n':>7} {'mean':>10} {'cited':>10} {'spread':>10} {'cited':>10} {'KS p':>8}")
    for (name, t, k, levels), g in sorted(samples.items()):
        g = np.array(g)
        _, mean, spread = statistics(name, t, k, levels)
        p = PRESETS[name]
        goal = target(p, k, levels)
        c = Cell(goal, **p.cell(goal, t))
        if c.sigma == 0 and c.relax == 0:
            ok, ks = bool(np.all(g == goal)), 1.0
        elif c.lognormal:
            ks = stats.kstest(g, lambda x: ndtr(np.log(np.maximum(x, 1e-300) / goal) / c.sigma)).pvalue
            ok = ks > significance
        else:
            # the mass at 0 is one step of the distribution: compare what is above it
            s, m = np.hypot(c.sigma, c.relax), c.target + c.shift
            zero = ndtr(-m / s)
            ks = stats.kstest(g[g > 0], lambda x: (ndtr((x - m) / s) - zero) / (1 - zero)).pvalue
            ok = ks > significance and abs((g == 0).mean() - zero) < 5 * np.sqrt(zero * (1 - zero) / len(g)) + 1e-12
        error = spread / np.sqrt(len(g))
        ok = ok and abs(g.mean() - mean) <= 5 * error + 1e-9
        bad += not ok
        print(f"{name:14} {t:10g} {k:5d} {len(g):7d} {g.mean():10.5f} {mean:10.5f} {g.std():10.5f} {spread:10.5f} {ks:8.4f}{'' if ok else '  WRONG'}")
    return bad


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(1 if check(sys.argv[2]) else 0)
    print_header()
