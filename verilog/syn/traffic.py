# SPDX-License-Identifier: GPL-3.0-or-later
"""Real traffic: the row addresses that N-MNIST samples read, step by step (first layer from the recording's events, second from the spikes that snnsim computes), and the network's row words.

Nothing of it is stored in the repository: it is made from $SNNSIM_DATA/nmnist and models/nmnist.h5 where they are."""

import os
import subprocess
import sys

LANES, BITS, LINES, HIDDEN, BINS = 128, 8, 2312, 512, 15
WORDS = HIDDEN // LANES          # row words of a line of the first layer
BASE2 = WORDS * LINES            # where the second layer's rows begin
SAMPLES = 4


class Traffic:
    def __init__(self, rows, words):
        self.rows, self.words = rows, words

    def code(self, row):
        return self.words[row]


def row_words(path):
    """Row word of every row address: lane l in bits 8 l .. 8 l + 7."""
    import h5py
    import numpy as np
    with h5py.File(path) as f:
        first, second = f["snnsim/weights/fc1"][:], f["snnsim/weights/fc2"][:]
    second = np.concatenate([second, np.zeros((LANES - len(second), HIDDEN), np.uint8)])
    blocks = [first[w * LANES:(w + 1) * LANES] for w in range(WORDS)] + [second]
    return [int.from_bytes(b[:, r].tobytes(), "little") for b in blocks for r in range(b.shape[1])]


def events(path):
    """[step][line] counts of a .bs2 recording: 15 equal windows, line = (polarity, y, x)."""
    import numpy as np
    b = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, p, t = b[:, 0], b[:, 1], b[:, 2] >> 7, (b[:, 2] & 127) << 16 | b[:, 3] << 8 | b[:, 4]
    t = t - t.min()
    step = t // max(1, t.max() // BINS)
    keep = step < BINS
    counts = np.zeros((BINS, LINES), int)
    np.add.at(counts, (step[keep], ((p * 34 + y) * 34 + x)[keep]), 1)
    return counts


def make(root, snnsim, folder):
    """None where there is no data, model, h5py or numpy."""
    data = os.environ.get("SNNSIM_DATA", os.path.join(root, "..", "shared", "data"))
    model = os.path.join(root, "models", "nmnist.h5")
    try:
        import h5py  # noqa: F401
        import numpy as np
    except ImportError:
        return None
    if not os.path.exists(os.path.join(data, "nmnist")) or not os.path.exists(model):
        print("no traffic of real samples: no $SNNSIM_DATA/nmnist or no model", file=sys.stderr)
        return None
    os.makedirs(folder, exist_ok=True)
    subprocess.run([snnsim, "run", "nmnist.cfg", "--limit", str(SAMPLES), "--out", folder, "--trace", "fc1", "--quiet"], check=True, cwd=root,
                   env={**os.environ, "SNNSIM_DATA": data}, stdout=subprocess.DEVNULL)
    hidden = np.load(os.path.join(folder, "fc1_spikes.npy"))
    names = [line.split()[0] for line in open(os.path.join(data, "nmnist", "test_first50.txt")) if not line.startswith("#")]
    rows = []
    for s in range(SAMPLES):
        # a layer over all steps, then the next one; an input of count c is c reads of each of its row words, the word fastest
        for step in events(os.path.join(data, "nmnist", names[s] + ".bs2")):
            for line in step.nonzero()[0]:
                rows += [w * LINES + int(line) for w in range(WORDS)] * int(step[line])
        rows += [BASE2 + int(n) for step in hidden[s] for n in step.nonzero()[0]]
    return Traffic(rows, row_words(model))
