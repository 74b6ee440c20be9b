#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/golden/chip_vectors.h: cells of a chip computed from Philox words by NumPy and SciPy, from the text of docs/chip.md alone.

One layer of 49 inputs and 11 outputs, 8-bit sign-magnitude codes (13 i) mod 256, in arrays of 20 x 37 one-bit cells with 2 spare rows and 3 spare columns (unused).
Usage: tests/golden/make_chip_vectors.py > tests/golden/chip_vectors.h   (python3-numpy, python3-scipy)
"""
import numpy as np
from scipy.stats import norm

SEED, CHIP = 0x1234567890ABCDEF, 77
PROGRAM, RELAX, VARIATION, STUCK, DEVICE = 11, 13, 14, 15, 8
FAN_IN, OUTPUTS, BITS, ROWS, COLUMNS, ALL_ROWS, ALL_COLUMNS = 49, 11, 8, 20, 37, 22, 40
LANES = COLUMNS // BITS
COLUMN_TILES, ROW_TILES = -(-OUTPUTS // LANES), -(-FAN_IN // ROWS)
CELLS = COLUMN_TILES * ROW_TILES * ALL_ROWS * ALL_COLUMNS


def philox(purpose, blocks):
    """Philox4x32-10, counter (block, purpose, chip low, chip high): words of blocks 0 .. blocks - 1."""
    c = [np.arange(blocks, dtype=np.uint64)] + [np.full(blocks, x, dtype=np.uint64) for x in (purpose, CHIP & 0xFFFFFFFF, CHIP >> 32)]
    k = [SEED & 0xFFFFFFFF, SEED >> 32]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), p0 & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, axis=1).reshape(-1)


def deviates(purpose):
    return norm.ppf((philox(purpose, CELLS // 4 + 1)[:CELLS] + 0.5) / 2**32)


def stuck(hrs, lrs, cluster):
    """State of every cell: a draw with probability 1 / cluster, else the left neighbour's."""
    word = philox(STUCK, CELLS // 4 + 1)[:CELLS]
    out, state = [], 0
    for i, w in enumerate(word):
        scale = 2.0**32 / (1 if i % ALL_COLUMNS == 0 else cluster)
        if w < np.floor(scale + 0.5):
            state = 1 if w < np.floor(scale * hrs + 0.5) else 2 if w < np.floor(scale * (hrs + lrs) + 0.5) else 0
        out.append(state)
    return np.array(out)


def targets():
    """Bit of every data cell in use, -1 elsewhere; [tiles][all rows][all columns]."""
    bit = -np.ones((ROW_TILES * COLUMN_TILES, ALL_ROWS, ALL_COLUMNS), dtype=int)
    for o in range(OUTPUTS):
        for r in range(FAN_IN):
            code = 13 * (o * FAN_IN + r) % 256
            tile = r // ROWS * COLUMN_TILES + o // LANES
            for b in range(BITS):
                bit[tile, r % ROWS, o % LANES * BITS + b] = code >> (BITS - 1 - b) & 1
    return bit.reshape(-1)


level = targets()
used = level >= 0
z_program, z_relax, z_cell = (deviates(p) for p in (PROGRAM, RELAX, VARIATION))
z_chip = norm.ppf((philox(DEVICE, 1)[0] + 0.5) / 2**32)
target = np.where(level == 1, 41.0, 1.0)
state = stuck(0.02, 0.03, 3.0)


def settle(g):
    """3600 s and 1000 reads: variation, disturb, logarithmic relaxation, cut off at 0; stuck cells at their state."""
    x = np.log(3600.0)
    g = g * (1 + 0.03 * z_cell) * (1 + 0.05 * z_chip) * (1 - 0.01 * np.log(1 + 1000 / 100.0))
    g = g - 0.1 * x + (0.02 * x + 0.3) * z_relax
    return np.where(state == 1, 1.0, np.where(state == 2, 41.0, np.maximum(g, 0)))


normal = settle(target + (0.5 + 0.02 * target) * z_program)
lognormal = settle(target * np.exp(np.where(level == 1, 0.1, 0.9) * z_program))

print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
print("/* Made by make_chip_vectors.py. */")
print(f"#define CHIP_SEED {SEED:#x}u\n#define CHIP_NUMBER {CHIP}")
print(f"/* stuck cells of all {CELLS}: shares 0.02 (HRS) and 0.03 (LRS), clusters of 3; and among the cells in use */")
print(f"#define CHIP_STUCK_HRS {np.sum(state == 1)}\n#define CHIP_STUCK_LRS {np.sum(state == 2)}")
print(f"#define CHIP_USED_HRS {np.sum((state == 1) & used)}\n#define CHIP_USED_LRS {np.sum((state == 2) & used)}")
print("/* Sums over the cells in use, and every 61st of them: cell number, stuck, conductance [uS] with normal and with log-normal spread. */")
print(f"#define CHIP_NORMAL_SUM {np.sum(normal[used]):.17g}\n#define CHIP_LOGNORMAL_SUM {np.sum(lognormal[used]):.17g}")
print("static const struct {\n    unsigned number, stuck;\n    double normal, lognormal;\n} chip_vectors[] = {")
for i in np.flatnonzero(used)[::61]:
    print(f"    {{{i}, {state[i]}, {normal[i]:.17g}, {lognormal[i]:.17g}}},")
print("};")
