#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bit error rates of digital read-out by numerical integration with SciPy. Prints tests/unit/golden_expected.h:

    tests/golden/expected.py > tests/unit/golden_expected.h

Devices have levels evenly spaced from g_min to 30 uS, references in the middle; g_min is far enough from 0 that no cell with read noise is cut off there. Normal spread sp; everything normal adds up: white noise, amplifier offset and noise. Stuck cells sit at
the lowest or highest level; telegraph noise takes a step from a share of cells half of the time; 1/f noise at 1 s by its formula. Log-normal spread is integrated over z.
"""
import numpy as np
from scipy.integrate import quad
from scipy.stats import norm


def gray(n):
    return [k ^ k >> 1 for k in range(1 << n)]


def chance(target, spread, noise, lognormal, low, high):
    """P(low < g + noise <= high)."""
    if not lognormal:
        s = np.hypot(spread, noise)
        if s == 0:
            return float(low < target <= high)
        a, b = (low - target) / s, (high - target) / s
        return norm.sf(a) - norm.sf(b) if a > 0 else norm.cdf(b) - norm.cdf(a)
    def f(z):
        a, b = (low - target * np.exp(spread * z)) / noise, (high - target * np.exp(spread * z)) / noise
        return norm.pdf(z) * (norm.sf(a) - norm.sf(b) if a > 0 else norm.cdf(b) - norm.cdf(a))
    return quad(f, -12, 12, epsabs=0, epsrel=1e-11, limit=2000, points=np.linspace(-11, 11, 45))[0]


def rate(bits, is_gray, g_min, spread, noise, lognormal=False, hrs=0.0, lrs=0.0, share=0.0, step=0.0):
    levels = 1 << bits
    target = [g_min + (30 - g_min) * k / (levels - 1) for k in range(levels)]
    edge = [-np.inf] + [(a + b) / 2 for a, b in zip(target, target[1:])] + [np.inf]
    code = gray(bits) if is_gray else list(range(levels))
    total = 0.0
    for k in range(levels):
        for j in range(levels):
            wrong = bin(code[k] ^ code[j]).count("1")
            if not wrong:
                continue
            for t, sp, w in ((target[k], spread, 1 - hrs - lrs), (target[0], 0.0, hrs), (target[-1], 0.0, lrs)):
                log = lognormal and t is target[k] and w == 1 - hrs - lrs
                for down, v in ((0.0, 1 - share / 2), (step, share / 2)):
                    if w * v > 0:
                        total += wrong * w * v * chance(t, sp, noise(t) if callable(noise) else noise, log, edge[j] + down, edge[j + 1] + down)
    return total / levels / bits


CASES = [
    # name, cell_bits, gray, cell settings, arguments of rate
    ("spread alone", 1, 1, "program = { sigma = [3.0]; };", dict(g_min=0, spread=3.0, noise=0.0)),
    ("rare", 1, 1, "program = { sigma = [2.5]; };", dict(g_min=10, spread=2.5, noise=0.0)),
    ("noise", 1, 1, "program = { sigma = [1.5]; }; noise = { white = 0.05; }; sense = { offset = 0.5; noise = 1.0; };",
     dict(g_min=10, spread=1.5, noise=np.sqrt(1.5**2 + 0.25 + 1))),
    ("two bits, Gray", 2, 1, "program = { sigma = [2.0]; };", dict(g_min=0, spread=2.0, noise=0.0)),
    ("two bits, binary", 2, 0, "program = { sigma = [2.0]; };", dict(g_min=0, spread=2.0, noise=0.0)),
    ("four bits", 4, 1, "program = { sigma = [0.3]; }; noise = { white = 0.01; };", dict(g_min=10, spread=0.3, noise=0.3)),
    ("stuck", 3, 0, "program = { sigma = [0.5]; }; noise = { white = 0.02; }; faults = { stuck_hrs = 0.1; stuck_lrs = 0.2; };",
     dict(g_min=10, spread=0.5, noise=0.6, hrs=0.1, lrs=0.2)),
    ("telegraph", 2, 1, "noise = { white = 0.04; telegraph_share = 0.3; telegraph_step = 3.0; };",
     dict(g_min=10, spread=0.0, noise=1.2, share=0.3, step=3.0)),
    ("small telegraph steps", 2, 1, "noise = { white = 0.04; telegraph_share = 1.0; telegraph_step = 0.9; };",
     dict(g_min=10, spread=0.0, noise=1.2, share=1.0, step=0.9)),
    ("1/f", 2, 1, "noise = { white = 0.04; one_over_f = 0.1; one_over_f_log = 0.2; };",
     dict(g_min=10, spread=0.0, noise=lambda g: np.hypot(1.2, (0.1 + 0.2 * np.log10(g)) * np.sqrt(np.log((1 + 1e-6) / 2e-6))))),
    ("log-normal", 1, 1, "program = { form = \\\"lognormal\\\"; sigma = [0.4]; }; noise = { white = 0.02; };",
     dict(g_min=1, spread=0.4, noise=0.6, lognormal=True)),
]


def main():
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */\n/* Made by tests/golden/expected.py: do not edit. */\n/* clang-format off */\n"
          "static const struct {\n    const char *name;\n    int bits, gray;\n    double g_min;\n    const char *cell;\n    double rate;\n} golden_expected[] = {")
    for name, bits, is_gray, cell, arguments in CASES:
        print(f'    {{"{name}", {bits}, {is_gray}, {float(arguments["g_min"])}, "{cell}", {rate(bits, is_gray, **arguments)!r}}},'.replace("np.float64(", "").replace(")}", "}"))
    print("};")


if __name__ == "__main__":
    main()
