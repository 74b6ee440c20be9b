# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisioning and row reads for the gate-level simulation: random rows, half of the reads on keyed rows, or the rows that real samples read (traffic files)."""

import random

ROWS = 9760  # row words of the N-MNIST network: 2312 x 4 + 512


def parity(x):
    return bin(x).count("1") & 1


def cam(rng, p):
    """(writes, keyed rows): keys on rows of their own, slot k mod ways."""
    position = (p["LANES"] * p["KEYABLE"] - 1).bit_length()
    rows = rng.sample(range(ROWS), p["K"])
    return [(k, 1 << (position + p["ADDR"]) | row << position | rng.randrange(p["LANES"] * p["KEYABLE"])) for k, row in enumerate(rows)], rows


def table(rng, p):
    """Random hash; keys at random places of the table, whose rows follow from way, set and tag."""
    sets = p["KEYS"] // p["WAYS"]
    index = (sets - 1).bit_length()
    tags = p["ADDR"] - index
    position = (p["LANES"] * p["KEYABLE"] - 1).bit_length()
    hashes = [[rng.getrandbits(tags) for _ in range(index)] for _ in range(p["WAYS"])]
    writes = [(0x8000 + m * index + i, h) for m, hm in enumerate(hashes) for i, h in enumerate(hm)]
    rows = []
    for place in rng.sample(range(p["KEYS"]), p["K"]):
        m, s = divmod(place, sets)
        while True:
            tag = rng.getrandbits(tags)
            row = tag << index | s ^ sum(parity(hashes[m][i] & tag) << i for i in range(index))
            if row < ROWS and row not in rows:
                break
        rows.append(row)
        writes.append((place, 1 << (position + tags) | tag << position | rng.randrange(p["LANES"] * p["KEYABLE"])))
    return writes, rows


def provisioning(rng, design, p):
    if design == "cam":
        return cam(rng, p)
    if design == "table":
        return table(rng, p)
    if design in ("prince", "aes"):
        return [(a, rng.getrandbits(64)) for a in range(3)], []
    if design == "xor":
        return [(a, rng.getrandbits(64)) for a in range(p["LANES"] * p["BITS"] // 64)], []
    return [], []


def reads(rng, kind, count, keyed, traffic):
    """[(row, is keyed)]; a read of a row that no key stands on when the design has no keys."""
    hits = set(keyed)
    if kind == "traffic":
        start = rng.randrange(max(1, len(traffic) - count))
        rows = [(traffic * (1 + count // len(traffic)))[start + k] for k in range(count)]
    elif kind == "half":
        rows = [rng.choice(keyed) if keyed and rng.random() < 0.5 else rng.randrange(ROWS) for _ in range(count)]
    else:
        rows = [rng.randrange(ROWS) for _ in range(count)]
    return [(r, r in hits) for r in rows]


def write(folder, design, p, kind, seed, count, lead, traffic=None, codes=None):
    """prov.hex, plan.hex, data.hex; `lead` reads come before the `count` that are measured. `codes`: row -> word of the real array. Returns (provisions, cycles, hits)."""
    writes, keyed = provisioning(random.Random("keys %s %d" % (design, seed)), design, p)
    # the same rows and words for all designs, so that differences are the design's; keyed rows are each design's own
    if kind == "half" and not keyed:
        keyed = random.Random(seed).sample(range(ROWS), 50)
    plan = reads(random.Random("rows %s %d" % (kind, seed)), kind, lead + count, keyed, traffic)
    bits = p["LANES"] * p["BITS"]
    content = {}
    for row, _ in plan:
        if row not in content:
            content[row] = codes(row) if codes else random.Random("word %d %d" % (seed, row)).getrandbits(bits)
    with open(folder + "/prov.hex", "w") as f:
        f.writelines("%04x%016x\n" % w for w in writes)
    with open(folder + "/plan.hex", "w") as f:
        f.writelines("%05x\n" % (1 << 16 >> (16 - p["ADDR"]) | row) for row, _ in plan)
    with open(folder + "/data.hex", "w") as f:
        f.writelines("%0*x\n" % (bits // 4, content[row]) for row, _ in plan)
    return len(writes), len(plan), [h for _, h in plan[lead:]]
