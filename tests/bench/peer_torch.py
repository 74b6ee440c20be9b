#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer's networks in PyTorch, as the SNNGX code runs them: float32, dense, one step after the other, frames in memory.

Prints a line `work batch threads samples-per-second` for each measurement: the median of several runs after one that warms up; then lines
`fitness:network/layer samples threads evaluations-per-second` for the bit search: signs of the layer's weights flipped, 16 samples run, accuracy taken.
These are the forward pass and one selection of signs, the best that PyTorch can do; the released code was measured at 8.7 ms (N-MNIST fc2), 93 ms (fc1) and
197 ms (gesture conv1) for one evaluation.
OMP_NUM_THREADS gives the number of threads. Needs python3-torch; the BLAS that PyTorch found is named on stderr, because with
Debian's reference BLAS the peer is 2 to 25 times slower, which would be no fair comparison.

With --golden FOLDER the gesture network's output counts are first compared with the golden traces there: the measured code is the right one."""

import argparse
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as functional

STEPS = 15
DECAY, THRESHOLD = 0.3, 0.3


def generated(stream, count):
    """The golden traces' integer generator (README.md of snngx_pytorch_gesture)."""
    x = np.arange(count, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    x = (x * np.uint64(0x9E3779B9) + np.uint64((stream * 0x85EBCA6B) & 0xFFFFFFFF)) & mask
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & mask
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & mask
    return x ^ (x >> np.uint64(16))


def weights(stream, exponent, shape):
    """Random integer weights -127..127 times a power of two."""
    x = generated(stream, int(np.prod(shape)))
    q = ((x >> np.uint64(8)) % np.uint64(255)).astype(np.int64) - 127
    return torch.from_numpy((q * 2.0**exponent).astype(np.float32).reshape(shape))


def counts(stream, shape, one_in):
    """Random event counts 0..3: one input in `one_in` has events."""
    x = generated(stream, int(np.prod(shape)))
    some = x % np.uint64(one_in) == 0
    return torch.from_numpy(np.where(some, 1 + ((x >> np.uint64(16)) % np.uint64(3)), 0).astype(np.float32).reshape(shape))


def update(v, s, current):
    """The peer's neuron: membrane after the update, and its spikes."""
    v = (v * DECAY) * (1 - s) + current
    return v, (v > THRESHOLD).float()


class NMnist:
    """2312-512-10."""

    name, classes = "nmnist", 10

    def __init__(self):
        self.fc1, self.fc2 = weights(11, -12, (512, 2312)), weights(12, -11, (10, 512))
        self.searched = {"fc2": ("fc2", None), "fc1": ("fc1", None)}

    def input(self, batch):
        # 2312 inputs, about 280 events a step: the density of N-MNIST in 15 bins.
        return counts(101, (STEPS, batch, 2312), 16)

    def run(self, x):
        batch = x.shape[1]
        v1 = s1 = torch.zeros(batch, 512)
        v2 = s2 = torch.zeros(batch, 10)
        out = torch.zeros(batch, 10)
        for t in range(STEPS):
            v1, s1 = update(v1, s1, functional.linear(x[t], self.fc1))
            v2, s2 = update(v2, s2, functional.linear(s1, self.fc2))
            out = out + s2
        return out


class Gesture:
    """The paper's convolutional network with the golden traces' weights and input."""

    name, classes = "gesture", 11

    def __init__(self):
        self.conv = [weights(1, -9, (64, 2, 3, 3)), weights(2, -12, (128, 64, 3, 3)), weights(3, -12, (128, 128, 3, 3)),
                     weights(4, -12, (256, 128, 3, 3))]
        self.fc1, self.fc2 = weights(5, -13, (1024, 4096)), weights(6, -12, (11, 1024))
        self.searched = {"conv1": ("conv", 0)}

    def input(self, batch):
        return counts(100, (STEPS, batch, 2, 32, 32), 20)

    def run(self, x):
        batch = x.shape[1]
        sides = [32, 16, 8, 4]
        v = [torch.zeros(batch, w.shape[0], n, n) for w, n in zip(self.conv, sides)]
        s = [torch.zeros_like(m) for m in v]
        v5 = s5 = torch.zeros(batch, 1024)
        v6 = s6 = torch.zeros(batch, 11)
        out = torch.zeros(batch, 11)
        for t in range(STEPS):
            h = x[t]
            for i, w in enumerate(self.conv):
                v[i], s[i] = update(v[i], s[i], functional.conv2d(h, w, padding=1))
                h = functional.max_pool2d(s[i], 2) if i < 3 else s[i]
            v5, s5 = update(v5, s5, functional.linear(h.flatten(1), self.fc1))
            v6, s6 = update(v6, s6, functional.linear(s5, self.fc2))
            out = out + s6
        return out


def median_rate(work, seconds):
    """Median calls per second over calls that together take about the given time (at least five), after one that warms up."""
    work()
    rates, end = [], time.perf_counter() + seconds
    while len(rates) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        rates.append(1 / (time.perf_counter() - start))
    return float(np.median(rates))


def measure(network, batch, seconds):
    """Samples per second."""
    x = network.input(batch)
    return batch * median_rate(lambda: network.run(x), seconds)


def measure_fitness(network, layer, seconds, samples=16, flips=50):
    """Evaluations per second of the bit search's fitness."""
    x, labels = network.input(samples), torch.arange(samples) % network.classes
    field, index = network.searched[layer]
    tensors = getattr(network, field)
    base = tensors if index is None else tensors[index]
    chromosome = torch.zeros(base.numel(), dtype=torch.bool)
    chromosome[torch.arange(flips) * (base.numel() // flips)] = True
    chromosome = chromosome.reshape(base.shape)

    def put(w):
        if index is None:
            setattr(network, field, w)
        else:
            tensors[index] = w

    def evaluate():
        put(torch.where(chromosome, -base, base))
        return float((network.run(x).argmax(1) == labels).float().mean())

    rate = median_rate(evaluate, seconds)
    put(base)
    return rate


def blas():
    """Files of the BLAS libraries that this process has loaded."""
    torch.zeros(8, 8) @ torch.zeros(8, 8)
    with open("/proc/self/maps", encoding="utf-8") as f:
        return sorted({line.split()[-1] for line in f if "blas" in os.path.basename(line.split()[-1]).lower()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=3, help="time for each measurement")
    parser.add_argument("--golden", help="folder snngx_pytorch_gesture: check the gesture network against it first")
    args = parser.parse_args()
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    found = blas()
    print(f"PyTorch {torch.__version__}, {threads} thread(s), BLAS: {', '.join(found) or 'none'}", file=sys.stderr)
    if not any("openblas" in f for f in found):
        sys.exit("peer_torch: PyTorch did not load OpenBLAS; a ratio to this peer would not be fair")

    gesture = Gesture()
    if args.golden:
        expected = np.load(os.path.join(args.golden, "gesture_out_counts_u8.npy"))
        if not np.array_equal(gesture.run(gesture.input(16)).numpy().astype(np.uint8), expected):
            sys.exit("peer_torch: the gesture network does not give the golden output counts")
    nmnist = NMnist()
    for network, batch in ((nmnist, 1), (nmnist, 100), (gesture, 1), (gesture, 16)):
        print(network.name, batch, threads, f"{measure(network, batch, args.seconds):.1f}", flush=True)
    for network, layer in ((nmnist, "fc2"), (nmnist, "fc1"), (gesture, "conv1")):
        print(f"fitness:{network.name}/{layer}", 16, threads, f"{measure_fitness(network, layer, args.seconds):.2f}", flush=True)


if __name__ == "__main__":
    main()
