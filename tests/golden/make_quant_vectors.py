#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/golden/quant_vectors.h: what every code of 1 to 8 bits means, and random tensors quantised by NumPy.

An independent statement of DESIGN.md's numerics: codes are read as strings of bits, scales are searched among all powers of two in exact
rational arithmetic, quotients are rational numbers.   Usage: tests/golden/make_quant_vectors.py > tests/golden/quant_vectors.h
"""
from fractions import Fraction
import numpy as np

ENCODINGS = ["SNN_SIGN_MAGNITUDE", "SNN_TWOS_COMPLEMENT", "SNN_OFFSET_BINARY"]


def value(encoding, bits, code):
    s = format(code, f"0{bits}b")
    if bits == 1:
        return -1 if s == "1" else 1
    if encoding == 0:
        return (-1 if s[0] == "1" else 1) * int(s[1:], 2)
    weights = [2 ** (bits - 1 - i) for i in range(bits)]
    if encoding == 1:
        weights[0] = -weights[0]
    total = sum(w for w, c in zip(weights, s) if c == "1")
    return total if encoding == 1 else total - 2 ** (bits - 1)


def half_even(x):
    return round(x)  # of a Fraction: to nearest, ties to even


def truncated(x):
    return int(x)  # of a Fraction: toward zero


def scale_of(w, bits, free):
    """w: float32 row, as exact rationals. Returns a float32."""
    m = 1 if bits == 1 else 2 ** (bits - 1) - 1
    a = [abs(Fraction(float(x))) for x in w]
    if max(a) == 0:
        return np.float32(1)
    powers = [Fraction(2) ** e for e in range(-126, 128)]
    if bits == 1:
        mean = Fraction(float(np.sum(np.abs(w.astype(np.float64)))) / len(w)) if free else sum(a) / len(a)
        if free:
            return np.float32(float(mean))
        return np.float32(float(min(powers, key=lambda p: (abs(p - mean), p))))
    if not free:
        return np.float32(float(min(p for p in powers if p * m >= max(a))))
    s = np.float32(float(max(a)) / m)
    while Fraction(float(s)) * m > max(a):
        s = np.nextafter(s, np.float32(0))
    return s


def quantise(w, bits, free, truncate):
    m = 1 if bits == 1 else 2 ** (bits - 1) - 1
    s = scale_of(w, bits, free)
    q, saturated = [], 0
    for x in w:
        # the quotient is defined as the double nearest to w / scale
        r = Fraction(float(np.float64(x) / np.float64(s)))
        v = truncated(r) if truncate else half_even(r)
        if abs(v) > m:
            saturated += 1
            v = m if v > 0 else -m
        if bits == 1:
            v = -1 if x < 0 else 1
        q.append(v)
    return s, q, saturated


def code(encoding, bits, q):
    candidates = [c for c in range(2**bits) if value(encoding, bits, c) == q]
    return min(candidates)  # +0, not -0


def words(a):
    return ", ".join(f"0x{int(x):08x}" for x in np.asarray(a, np.float32).view(np.uint32))


def rows(numbers, per=24):
    return ",\n".join(", ".join(str(v) for v in numbers[i:i + per]) for i in range(0, len(numbers), per))


def main():
    rng = np.random.default_rng(2026)
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
    print("/* Made by make_quant_vectors.py. */")
    print("/* clang-format off */")
    print("/* [encoding][2^bits - 2 + code] for bits 1..8 */")
    print("static const int16_t encoding_values[3][510] = {")
    for e in range(3):
        table = [value(e, b, c) for b in range(1, 9) for c in range(2**b)]
        print("{" + rows(table) + "},")
    print("};")
    shape = (3, 12)
    print(f"#define QUANT_ROWS {shape[0]}\n#define QUANT_COLUMNS {shape[1]}")
    print("typedef struct {\n    int bits, encoding, per_channel, free_scale, truncate, scales;\n    uint64_t saturated;\n"
          f"    uint32_t weight[{shape[0] * shape[1]}], scale[{shape[0]}];\n    uint8_t code[{shape[0] * shape[1]}];\n}} quant_vector;")
    print("static const quant_vector quant_vectors[] = {")
    for bits in range(1, 9):
        for variant in range(8):
            per_channel, free, truncate = variant & 1, variant >> 1 & 1, variant >> 2
            encoding = (bits + variant) % 3
            w = rng.normal(0, 10.0 ** rng.integers(-6, 4), shape).astype(np.float32)
            if variant % 3 == 0:  # ties and exact powers
                w = (rng.integers(-40, 40, shape) * np.float32(0.125)).astype(np.float32)
            w[0, 0], w[1, 1] = np.float32(0.0), np.float32(-0.0)
            if variant == 5:
                w[2, :] = 0
            parts = [w[i] for i in range(shape[0])] if per_channel else [w.reshape(-1)]
            scales, codes, saturated = [], [], 0
            for part in parts:
                s, q, n = quantise(part, bits, free, truncate)
                scales.append(s)
                codes += [code(encoding, bits, v) for v in q]
                saturated += n
            print(f"{{{bits}, {encoding}, {per_channel}, {free}, {truncate}, {len(scales)}, {saturated},\n {{{words(w.reshape(-1))}}},\n"
                  f" {{{words(scales)}}},\n {{{rows(codes, 100)}}}}},")
    print("};")
    print("/* clang-format on */")


main()
