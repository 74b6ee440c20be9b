#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where weight bits stand, as whole arrays by NumPy. Prints tests/unit/golden_map.h:

    tests/golden/map_layout.py > tests/unit/golden_map.h

Each tensor's cells are laid out as one big matrix [fan-in][outputs * cells] of numbers index * 8 + first bit, padded with 0xffffffff to whole arrays
and cut into them; the digest is BLAKE2b-256 over all cells [array][row][column] as little-endian uint32.
"""
import hashlib
import math

import numpy as np

NMNIST = [("fc1", 512, 2312), ("fc2", 10, 512)]
GESTURE = [
    ("conv1", 64, (2, 3, 3)), ("conv2", 128, (64, 3, 3)), ("conv3", 128, (128, 3, 3)), ("conv4", 256, (128, 3, 3)),
    ("fc1", 1024, 4096), ("fc2", 11, 1024),
]
EMPTY = np.uint32(0xFFFFFFFF)


def layout(outputs, inputs, bits, cell_bits, rows, columns):
    """Cells [array][row][column] of one tensor of PyTorch's shape (outputs, *inputs)."""
    number = np.arange(outputs * np.prod(inputs), dtype=np.uint32).reshape(outputs, *np.atleast_1d(inputs))
    matrix = number.reshape(outputs, -1).T  # [fan-in][outputs]; a convolution's channel, ky, kx in C order
    first = np.arange(0, bits, cell_bits, dtype=np.uint32)
    cells = len(first)
    lanes = columns // cells
    down, across = math.ceil(matrix.shape[0] / rows), math.ceil(outputs / lanes)
    lane = np.full((down * rows, across * lanes, cells), EMPTY)
    lane[: matrix.shape[0], :outputs] = matrix[:, :, None] * np.uint32(8) + first
    tiles = lane.reshape(down, rows, across, lanes * cells).transpose(0, 2, 1, 3)
    padded = np.full((down, across, rows, columns), EMPTY)
    padded[..., : lanes * cells] = tiles
    return padded.reshape(down * across, rows, columns)


def main():
    lines = []
    for name, tensors in (("nmnist", NMNIST), ("gesture", GESTURE)):
        for bits, cell_bits, rows, columns in ((8, 1, 256, 1024), (8, 3, 100, 250), (6, 1, 128, 128), (5, 4, 300, 77)):
            digest = hashlib.blake2b(digest_size=32)
            tiles = used = 0
            for _, outputs, inputs in tensors:
                cells = layout(outputs, inputs, bits, cell_bits, rows, columns)
                digest.update(cells.astype("<u4").tobytes())
                tiles += len(cells)
                used += int((cells != EMPTY).sum())
            lines.append(f'    {{"{name}", {bits}, {cell_bits}, {rows}, {columns}, {tiles}, {used}, "{digest.hexdigest()}"}},')
    text = "\n".join(lines)
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */\n/* Made by tests/golden/map_layout.py: do not edit. */\n/* clang-format off */\n"
          "static const struct {\n    const char *net;\n    int bits, cell_bits;\n    uint32_t rows, columns, tiles;\n    uint64_t used;\n"
          f"    const char *digest;\n}} golden_map[] = {{\n{text}\n}};")


if __name__ == "__main__":
    main()
