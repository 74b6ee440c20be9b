#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent reader and simulator of exported NIR graphs, with h5py and NumPy.

check_nir.py FILE.nir                               checks nodes, fields, types and shapes as the Python package `nir` does
check_nir.py --same A.nir B.nir                     compares all data sets of two files, version to edges: names, types, shapes and bits
check_nir.py FILE.nir FRAMES.npy PREDICTIONS.csv    also simulates the graph on frames [samples][steps][channels][y][x] and compares its output
                                                    spike counts with those of `snnsim run --out`

Simulates in float64, so membranes that meet the threshold exactly (decay and threshold 0.3 with dyadic weights do: 0.3*(-2/2048) + 615/2048) go
either way: compare with a threshold like 0.28713.
"""
import csv
import sys
import h5py
import numpy as np

FIELDS = {  # fields of each node type beside `type` (nir/ir/*.py)
    "Input": {"shape"}, "Output": {"shape"}, "Flatten": {"start_dim", "end_dim", "input_type"},
    "Linear": {"weight"}, "Affine": {"weight", "bias"},
    "Conv2d": {"weight", "bias", "stride", "padding", "dilation", "groups", "input_shape"},
    "SumPool2d": {"kernel_size", "stride", "padding"}, "AvgPool2d": {"kernel_size", "stride", "padding"},
    "Threshold": {"threshold"}, "LIF": {"tau", "r", "v_leak", "v_threshold", "v_reset"},
    "IF": {"r", "v_threshold", "v_reset"}, "LI": {"tau", "r", "v_leak"}, "I": {"r"},
    "CubaLIF": {"tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset"}, "Delay": {"delay"},
}
OF_NEURONS = ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset", "delay")


def windows(x, k, s):
    v = np.lib.stride_tricks.sliding_window_view(x, (k[0], k[1]), axis=(-2, -1))
    return v[..., :: s[0], :: s[1], :, :]


class Node:
    def __init__(self, group, dt):
        self.kind = group["type"][()].decode()
        self.p = {k: v[()] for k, v in group.items() if k != "type"}
        self.dt = dt
        self.loop = None  # node that brings the spikes back
        self.reset()
        assert set(self.p) == FIELDS[self.kind], (group.name, set(self.p))
        for k, v in self.p.items():
            wanted = np.int64 if k in ("shape", "start_dim", "end_dim", "input_type", "stride", "padding", "dilation",
                                       "groups", "input_shape", "kernel_size") else np.float32
            assert np.asarray(v).dtype == wanted, (group.name, k)
        neuron = [v.shape for k, v in self.p.items() if k in OF_NEURONS]
        assert len(set(neuron)) <= 1, group.name

    def reset(self):
        self.v = self.i = self.spikes = None
        self.late = []

    def shape_check(self, x):
        if self.kind in ("Input", "Output"):
            assert x.shape == tuple(self.p["shape"]), (self.kind, x.shape)
        if self.kind == "Flatten":
            assert x.shape == tuple(self.p["input_type"])
        if self.kind == "Conv2d":
            assert x.shape == (self.p["weight"].shape[1], *self.p["input_shape"])
        for k in OF_NEURONS:
            assert k not in self.p or x.shape == self.p[k].shape, (self.kind, k, x.shape)

    def __call__(self, x):
        p = self.p
        self.shape_check(x)
        if self.kind in ("Input", "Output"):
            return x
        if self.kind == "Flatten":
            return x.reshape(-1)
        if self.kind in ("Linear", "Affine"):
            return p["weight"].astype(np.float64) @ x + p.get("bias", 0)
        if self.kind == "Conv2d":
            x = np.pad(x, ((0, 0), (p["padding"][0],) * 2, (p["padding"][1],) * 2))
            y = np.einsum("cyxkl,ockl->oyx", windows(x, p["weight"].shape[2:], p["stride"]), p["weight"].astype(np.float64), optimize=True)
            return y + p["bias"][:, None, None]
        if self.kind in ("SumPool2d", "AvgPool2d"):
            w = windows(x, p["kernel_size"], p["stride"])
            return w.sum((-2, -1)) if self.kind == "SumPool2d" else w.mean((-2, -1))
        if self.kind == "Threshold":
            return (x > p["threshold"]).astype(np.float64)
        if self.kind == "Delay":
            assert np.all(p["delay"] == p["delay"].flat[0])
            self.late.append(x)
            steps = round(float(p["delay"].flat[0]) / self.dt)
            return self.late[-1 - steps] if len(self.late) > steps else np.zeros(x.shape)
        if self.v is None:
            self.v = np.zeros(x.shape)
            self.i = np.zeros(x.shape)
            self.spikes = np.zeros(x.shape)
        if self.loop is not None:
            x = x + self.loop(self.spikes)
        if self.kind == "CubaLIF":
            self.i = self.i + self.dt / p["tau_syn"].astype(np.float64) * (p["w_in"] * x - self.i)
            self.v = self.v + self.dt / p["tau_mem"].astype(np.float64) * (p["v_leak"] - self.v + p["r"] * self.i)
        else:
            self.integrate(p, x)
        if "v_threshold" not in p:
            return self.v.copy()
        self.spikes = (self.v > p["v_threshold"]).astype(np.float64)
        self.v = np.where(self.spikes > 0, p["v_reset"], self.v)
        return self.spikes

    def integrate(self, p, x):
        if "tau" in p:  # Euler
            tau = p["tau"].astype(np.float64)
            self.v = self.v + self.dt / tau * (p["v_leak"] - self.v + p["r"] * x)
        else:
            self.v = self.v + p["r"] * x


def read(path):
    with h5py.File(path, "r") as f:
        assert isinstance(f["version"][()], bytes)
        g = f["node"]
        assert g["type"][()] == b"NIRGraph"
        dt = float(g.attrs["dt"])
        edges = [(a.decode(), b.decode()) for a, b in g["edges"][()]]
        nodes = {k: Node(n, dt) for k, n in g["nodes"].items()}
    for a, b in edges:  # loops: neurons -> weights -> the same neurons
        if (b, a) in edges and nodes[b].kind in ("Linear", "Affine"):
            assert nodes[a].loop is None and sum(b in e for e in edges) == 2
            nodes[a].loop = nodes[b]
    loops = {name for name, n in nodes.items() if any(n is m.loop for m in nodes.values())}
    edges = [e for e in edges if not loops & set(e)]
    nodes = {k: n for k, n in nodes.items() if k not in loops}
    after = dict(edges)
    assert len(after) == len(edges) == len(nodes) - 1
    order = ["input"]
    while order[-1] in after:
        order.append(after[order[-1]])
    assert order[-1] == "output" and sorted(order) == sorted(nodes)
    assert nodes["input"].kind == "Input" and nodes["output"].kind == "Output"
    return [(n, nodes[n]) for n in order]


def content(path):
    """Every data set of a NIR file, but what snnsim keeps beside it, with its type, shape and bits."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("snnsim/"):
            v = item[()]
            text = item.dtype.kind == "O"
            found[name] = (item.shape, "text" if text else item.dtype.str, [bytes(x) for x in np.ravel(v)] if text else np.asarray(v).tobytes())

    with h5py.File(path, "r") as f:
        f.visititems(visit)
    return found


def compare_files(a, b):
    x, y = content(a), content(b)
    different = sorted(k for k in x.keys() | y.keys() if x.get(k) != y.get(k))
    assert not different, different
    print(f"{len(x)} data sets are the same")


def main():
    if sys.argv[1] == "--same":
        return compare_files(*sys.argv[2:])
    chain = read(sys.argv[1])
    shape = tuple(chain[0][1].p["shape"])
    x = np.zeros(shape)
    for _, n in chain:
        x = n(x)  # every node checks the shape it gets
    print(f"{sys.argv[1]}: " + ", ".join(f"{name} {n.kind}" for name, n in chain))
    if len(sys.argv) < 4:
        return
    frames = np.load(sys.argv[2])
    with open(sys.argv[3]) as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == len(frames)
    same = spikes = 0
    for frame, row in zip(frames, rows):
        for _, n in chain:
            n.reset()
        total = 0
        for t in range(frame.shape[0]):
            x = frame[t].reshape(shape).astype(np.float64)
            for _, n in chain:
                x = n(x)
            total = total + x
        ours = np.array([float(row[f"out{i}"]) for i in range(len(total))])
        same += int(np.sum(np.abs(ours - total) <= 1e-4 * np.abs(total)))
        spikes += total.sum()
    n = len(frames) * len(total)
    print(f"{same} of {n} output sums equal, {spikes:g} in all")
    assert same >= 0.98 * n, "more differences than rounding explains"


main()
