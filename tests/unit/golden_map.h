/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made by tests/golden/map_layout.py: do not edit. */
/* clang-format off */
static const struct {
    const char *net;
    int bits, cell_bits;
    uint32_t rows, columns, tiles;
    uint64_t used;
    const char *digest;
} golden_map[] = {
    {"nmnist", 8, 1, 256, 1024, 42, 9510912, "016dd6b4228584556590400173ba3526db0a556fa3763ee616dfc5c88db6eaa3"},
    {"nmnist", 8, 3, 100, 250, 174, 3566592, "04392e0c13aae218044afbc066bb599d8c3e31ef854e080c018326107cb019fb"},
    {"nmnist", 6, 1, 128, 128, 479, 7133184, "e6809846a0c0c7b2b2babf58fc91961c4fbffe10ed4ca1d618ed84880830f8ea"},
    {"nmnist", 5, 4, 300, 77, 114, 2377728, "d9d831cf6a56b56ea0a056a799258f5ab94c1e572143c4030caf9d44ef285e14"},
    {"gesture", 8, 1, 256, 1024, 151, 37782528, "e2aa41ea63128b6634e6c23d8f596968b9d2b0fefae664a7ec2f38af2e599d6b"},
    {"gesture", 8, 3, 100, 250, 629, 14168448, "cf219c47b07c8de6fd1c5a9ff0833b03b60831953adfb49e9f264e4c9f3dd615"},
    {"gesture", 6, 1, 128, 128, 1795, 28336896, "6b463442ccac1bc72d12f6c37aab54b376607c6314b2b5bfc36a67afe35ba6f4"},
    {"gesture", 5, 4, 300, 77, 436, 9445632, "4893a56b7b1d418c7076e205fd18884b3d0c0db1721f1d12c89cd31e20ba8b80"},
};
