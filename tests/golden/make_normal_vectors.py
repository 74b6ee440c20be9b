#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/golden/normal_vectors.h: the standard normal distribution to 40 digits by mpmath, checked against SciPy.

Points: both sides of the borders of the approximations, the whole range of tails, random ones.
Usage: tests/golden/make_normal_vectors.py > tests/golden/normal_vectors.h   (python3-mpmath, python3-scipy)
"""
import math
import random

import mpmath
from scipy.stats import norm

mpmath.mp.dps = 60
random.seed(1)


def tail(x):
    return mpmath.erfc(mpmath.mpf(x) / mpmath.sqrt(2)) / 2


def quantile(p):
    """-Phi^-1 by Newton steps from SciPy's value, on the smaller tail."""
    p = mpmath.mpf(p)
    upper = p > 0.5
    small = 1 - p if upper else p
    x = mpmath.mpf(float(norm.isf(float(small))))
    for _ in range(6):
        x += (tail(x) - small) / mpmath.npdf(x)
    assert abs(tail(x) / small - 1) < mpmath.mpf(10) ** -40
    return x if upper else -x


borders = [0.67448975, 5.656854249492380195]
xs = [0.0, 1e-300, 1e-9, 0.1, 0.5, 1.0, 1.96, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, 30.0, 37.0, 38.4]
for b in borders:
    xs += [math.nextafter(b, 0), b, math.nextafter(b, 99)]
xs += [random.uniform(0, 6) for _ in range(60)] + [random.uniform(6, 37) for _ in range(40)]
xs += [-x for x in xs if x]
ps = [1e-300, 1e-100, 1e-20, 1e-12, 1e-11, 2.0**-65, 2.0**-33, 1.5 * 2.0**-32, 1e-6, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999999,
      1 - 2.0**-33, 1 - 2.0**-53]
r5 = math.exp(-25)
for b in [0.075, 0.925, r5]:
    ps += [math.nextafter(b, 0), b, math.nextafter(b, 1), b * 0.999, b * 1.001]
ps += [random.random() for _ in range(100)] + [10 ** random.uniform(-40, -1) for _ in range(60)]

print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
print("/* Made by make_normal_vectors.py: the standard normal distribution at arguments given exactly, by mpmath. */")
print("/* {x, P(Z > x)} */\nstatic const double normal_tails[][2] = {")
for x in xs:
    t = tail(x)
    s = norm.sf(x)
    assert abs(s / t - 1) < 4e-13 or t < 1e-300, (x, s, t)
    print(f"    {{{x.hex()}, {float(t).hex()}}},")
print("};\n/* {p, quantile} */\nstatic const double normal_quantiles[][2] = {")
for p in ps:
    z = quantile(p)
    s = norm.ppf(p)
    assert abs(s - z) < 1e-12 * max(1, abs(z)), (p, s, z)
    print(f"    {{{p.hex()}, {float(z).hex()}}},")
print("};")
