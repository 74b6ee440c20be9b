#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes engine_vectors.h: small networks of every neuron, with recurrence, delays, refractory times, parameters of each neuron, later starts and a softmax
read-out, simulated here from the equations of include/snnsim/net.h (dense, one neuron after the other, nothing shared with the engine).

Needs NumPy.  Usage: make_engine_vectors.py > tests/golden/engine_vectors.h

Float32: every operation is rounded on its own. Sums of integer codes are exact, then one rounding to float32 and one product with the scale; for lif the gain is part of
that factor. Sums of float tensors run over the inputs in ascending order; those of the recurrent tensor likewise, then both are added.
Fixed: Loihi's integers (Davies et al. 2018; rules in the README of the data): u <- trunc(u * d_u / 4096) + 64 * I, v <- trunc(v * d / 4096) + u, spike at v > theta.
"""
import hashlib
import json
import struct

import numpy as np

F = np.float32
STEPS = 150  # more than two chunks of the engine (64 steps)


def trunc_decay(x, decay):
    """trunc(x * decay / 4096), the sign kept"""
    p = abs(int(x)) * int(decay) // 4096
    return p if x >= 0 else -p


# ---- networks ----


def neuron(kind, **more):
    n = {"type": kind, "decay": 0.9, "threshold": 1.0, "reset": "zero", "at_threshold": False, "gain": 1.0}
    if kind == "if":
        n["decay"] = 1.0
    if kind == "cuba_lif":
        n.update(current_decay=0.6, current_gain=1.0, membrane_bias=False)
    if kind == "alif":
        n.update(adapt_decay=0.95, adapt=1.8)
    if kind in ("lif", "if", "cuba_lif"):
        n["refractory"] = 0
    n.update(more)
    return n


def linear(name, outputs, nrn, recurrent=False, delay=0, start=0, bias=None):
    layer = {"name": name, "type": "linear", "outputs": outputs}
    if bias is not None:
        layer["bias"] = bias
    layer.update(recurrent=recurrent, delay=delay, start=start, neuron=nrn)
    return layer


def conv(name, channels, kernel, nrn, stride=1, padding=0, delay=0, start=0, bias=None):
    layer = {"name": name, "type": "conv2d", "channels": channels, "kernel": kernel, "stride": stride, "padding": padding}
    if bias is not None:
        layer["bias"] = bias
    layer.update(delay=delay, start=start, neuron=nrn)
    return layer


def numbers(rng, n, low, high):
    """n float32 numbers, as JSON keeps them"""
    return [float(F(x)) for x in rng.uniform(low, high, n)]


def decays(rng, n):
    """n decays in 1/4096"""
    return [float(x) / 4096 for x in rng.integers(0, 4097, n)]


def cases():
    rng = np.random.default_rng(2026)
    one = lambda n, low, high: numbers(rng, n, low, high)
    yield "cuba", dict(kind=8, layers=[
        linear("a", 70, neuron("cuba_lif", decay=0.83, current_decay=0.57, current_gain=0.7, gain=1.3)),
        linear("b", 4, neuron("cuba_lif", reset="subtract", at_threshold=True, threshold=0.5))])
    yield "cuba_float_recurrent_each", dict(kind=32, layers=[
        linear("a", 19, neuron("cuba_lif", decay=one(19, 0.5, 0.99), threshold=one(19, 0.3, 1.5), gain=one(19, 0.5, 1.5),
                               current_decay=one(19, 0, 0.9), current_gain=one(19, 0.3, 1.1), reset="subtract"),
               recurrent=True, bias=one(19, -0.1, 0.2)),
        linear("b", 5, neuron("cuba_lif", membrane_bias=True, gain=0.8, threshold=0.7), bias=one(5, -0.1, 0.2))])
    yield "loihi", dict(kind=8, fixed=True, scale=1.0, spread=90, layers=[
        linear("a", 33, neuron("cuba_lif", threshold=900.0, current_decay=3072 / 4096, decay=3968 / 4096), recurrent=True, delay=1, start=1),
        linear("b", 7, neuron("cuba_lif", threshold=700.0, current_decay=2006 / 4096, decay=3814 / 4096), delay=1, start=1)])
    yield "loihi_bias_each_refractory", dict(kind=16, fixed=True, scale=1.0, spread=250, layers=[
        linear("a", 20, neuron("cuba_lif", threshold=[float(x) for x in rng.integers(60, 400, 20)], current_decay=decays(rng, 20),
                               decay=decays(rng, 20), membrane_bias=True, refractory=2),
               recurrent=True, bias=[float(x) for x in rng.integers(-30, 40, 20)]),
        linear("b", 6, neuron("cuba_lif", threshold=150.0, reset="subtract", current_decay=0.0, decay=3681 / 4096, refractory=1,
                              at_threshold=True), bias=[float(x) for x in rng.integers(-9, 9, 6)], delay=2)])
    yield "spikingdse", dict(kind=32, readout="softmax", layers=[
        linear("a", 18, neuron("alif", decay=one(18, 0.6, 0.98), gain=one(18, 0.1, 0.5), adapt_decay=one(18, 0.7, 0.99), threshold=0.01),
               recurrent=True, delay=1, bias=one(18, -0.05, 0.05)),
        linear("b", 17, neuron("alif", decay=one(17, 0.6, 0.98), gain=one(17, 0.1, 0.5), adapt_decay=one(17, 0.7, 0.99), threshold=0.01),
               recurrent=True, delay=1),
        linear("c", 6, neuron("li", decay=one(6, 0.5, 0.9), gain=one(6, 0.1, 0.5)), start=1)])
    yield "alif_codes", dict(kind=8, layers=[
        linear("a", 16, neuron("alif", decay=0.8, gain=0.4, threshold=0.2, adapt=0.7), bias=one(16, -0.1, 0.1), start=3),
        linear("b", 3, neuron("alif", decay=0.9, gain=0.5, threshold=0.1, adapt=0.0), delay=3)])
    yield "lif_recurrent_long_delay", dict(kind=8, layers=[
        linear("a", 40, neuron("lif", reset="subtract", threshold=2.5), recurrent=True, delay=70, bias=one(40, -0.05, 0.1)),
        linear("b", 18, neuron("lif", decay=0.5, threshold=0.4), recurrent=True),
        linear("c", 4, neuron("if", threshold=2.0), delay=5)])
    yield "lif_refractory_each", dict(kind=8, layers=[
        linear("a", 23, neuron("lif", threshold=one(23, 0.2, 1.2), refractory=3), start=2),
        linear("b", 4, neuron("if", reset="subtract", at_threshold=True, refractory=1))])
    yield "if_fixed_refractory", dict(kind=8, fixed=True, layers=[
        linear("a", 66, neuron("if", threshold=one(66, 0.5, 2.5), reset="subtract", gain=0.75), bias=one(66, -0.1, 0.1)),
        linear("b", 20, neuron("lif", refractory=4, reset="subtract", threshold=0.5), recurrent=True, delay=255),
        linear("c", 3, neuron("li", decay=[0.5, 0.75, 0.875], gain=[0.5, 2.0, 1.25]), start=5)])
    yield "softmax_fixed", dict(kind=8, fixed=True, readout="softmax", layers=[
        linear("a", 23, neuron("lif")), linear("b", 5, neuron("li", gain=0.125), start=4)])
    yield "conv_cuba_codes16", dict(kind=16, fixed=True, scale=1.0, spread=250, input=[2, 4, 3], layers=[
        conv("a", 5, 3, neuron("cuba_lif", threshold=[float(x) for x in rng.integers(100, 600, 5 * 4 * 3)], current_decay=3000 / 4096,
                               decay=decays(rng, 5 * 4 * 3)), padding=1, delay=2, bias=[float(x) for x in rng.integers(-30, 30, 5)]),
        {"name": "p", "type": "pool_max", "kernel": 2, "stride": 1},
        conv("b", 18, 2, neuron("lif", threshold=300.0, refractory=1), start=1),
        linear("c", 5, neuron("cuba_lif", threshold=200.0), delay=1)])
    yield "conv_float", dict(kind=32, input=[2, 4, 3], layers=[
        conv("a", 17, 3, neuron("lif", refractory=1, threshold=one(17 * 2 * 2, 0.3, 1)), padding=1, stride=2, bias=one(17, -0.1, 0.1)),
        conv("b", 4, 2, neuron("cuba_lif", gain=0.5, threshold=0.2), delay=1),
        linear("c", 5, neuron("lif", threshold=0.3), recurrent=True)])
    yield "codes16_recurrent", dict(kind=16, per_channel=True, layers=[
        linear("a", 21, neuron("lif", threshold=0.8), recurrent=True), linear("b", 4, neuron("li"))])


# ---- weights and input ----


def size(shape):
    return shape[0] * shape[1] * shape[2]


def out_shape(layer, shape):
    if layer["type"] == "linear":
        return [layer["outputs"], 1, 1]
    pad = layer.get("padding", 0)
    side = [(s + 2 * pad - layer["kernel"]) // layer["stride"] + 1 for s in shape[1:]]
    return [layer.get("channels", shape[0])] + side


def tensor_shapes(net):
    shape = net["input"]
    for layer in net["layers"]:
        out = out_shape(layer, shape)
        if layer["type"] == "linear":
            yield layer, False, [out[0], size(shape)]
            if layer["recurrent"]:
                yield layer, True, [out[0], out[0]]
        elif layer["type"] == "conv2d":
            yield layer, False, [out[0], shape[0], layer["kernel"], layer["kernel"]]
        shape = out


def draw_weights(rng, net, case):
    """Per tensor: values (codes or floats) in the tensor's order, and scales [1 or outputs] (None: floats)."""
    tensors, scales_of = [], {}
    for layer, recurrent, shape in tensor_shapes(net):
        n = int(np.prod(shape))
        spread = case.get("spread", 100)
        q = rng.integers(-spread, spread + 1, n) + spread // 9
        limit = 127 if case["kind"] == 8 else 32767
        if case["kind"] == 16 and case.get("scale") is None:
            q = q * 200
        q = np.clip(q, -limit, limit) // (2 if recurrent else 1)
        q[rng.random(n) < 0.2] = 0
        if case["kind"] == 32:
            tensors.append(((q / spread * 0.6).astype(F), None))
            continue
        if not recurrent:  # both tensors of a layer share their scales
            unit = case.get("scale") or 0.6 / np.abs(q).max()
            count = shape[0] if case.get("per_channel") else 1
            scales_of[layer["name"]] = np.array([unit * (1 + 0.1 * k) for k in range(count)], F)
        tensors.append((q.astype(np.int64), scales_of[layer["name"]]))
    return tensors


def draw_input(rng, inputs):
    x = np.where(rng.random((STEPS, inputs)) < 0.25, 1, 0)
    x[rng.random((STEPS, inputs)) < 0.03] = 3
    x[17] = 0
    return x


# ---- simulation ----


def each(layer, key, n):
    value = layer["neuron"][key]
    return value if isinstance(value, list) else [value] * n


def synapses(layer, shape, out):
    """For each output neuron its (input, weight index) in ascending input order."""
    table = []
    if layer["type"] == "linear":
        n = size(shape)
        return [[(i, o * n + i) for i in range(n)] for o in range(out[0])]
    k, pad, stride = layer["kernel"], layer["padding"], layer["stride"]
    for o in range(out[0]):
        for y in range(out[1]):
            for x in range(out[2]):
                row = []
                for c in range(shape[0]):
                    for iy in range(shape[1]):
                        for ix in range(shape[2]):
                            ky, kx = iy + pad - y * stride, ix + pad - x * stride
                            if 0 <= ky < k and 0 <= kx < k:
                                row.append(((c * shape[1] + iy) * shape[2] + ix, ((o * shape[0] + c) * k + ky) * k + kx))
                table.append(row)
    return table


def sums(table, values, x):
    if values.dtype != F:
        return [sum(int(values[w]) * int(x[i]) for i, w in row if x[i]) for row in table]
    out = []
    for row in table:
        total = F(0)
        for i, w in row:
            if x[i]:
                total = F(total + F(values[w] * F(x[i])))
        out.append(total)
    return out


class Layer:
    """Neurons of one layer and their states."""

    def __init__(self, layer, shape, fixed, tensor, back):
        self.spec, self.shape, self.fixed = layer, shape, fixed
        self.out = out_shape(layer, shape)
        self.n = size(self.out)
        self.area = self.out[1] * self.out[2]
        self.sent = []  # spikes of every step
        self.trace = []
        if layer["type"] == "pool_max":
            return
        self.tensor, self.back = tensor, back
        self.table = synapses(layer, shape, self.out)
        self.back_table = [[(i, o * self.n + i) for i in range(self.n)] for o in range(self.n)]
        kind = layer["neuron"]["type"]
        self.v = [0 if fixed else F(0)] * self.n
        self.u = [0 if fixed else F(0)] * self.n
        self.a = [F(x) for x in each(layer, "threshold", self.n)]
        self.s = [0] * self.n
        self.wait = [0] * self.n
        self.kind = kind

    def param(self, key, j):
        return F(each(self.spec, key, self.n)[j])

    def lsb(self, j):
        scales = self.tensor[1]
        return F(1) if scales is None else F(scales[j // self.area if len(scales) > 1 else 0])

    def bias(self, j):
        return F(self.spec["bias"][j // self.area]) if "bias" in self.spec else None

    def pool(self, x):
        k, st = self.spec["kernel"], self.spec["stride"]
        c, h, w = self.shape
        g = np.array(x).reshape(c, h, w)
        out = [g[ch, y * st:y * st + k, xx * st:xx * st + k].max() for ch in range(c) for y in range(self.out[1])
               for xx in range(self.out[2])]
        self.sent.append(out)
        self.trace.append((out, None))
        return

    def step(self, t, x):
        if self.spec["type"] == "pool_max":
            self.pool(x)
            return
        if t < self.spec["start"]:
            self.sent.append([0] * self.n)
            self.trace.append(([0] * self.n, list(self.v)))
            return
        forward = sums(self.table, self.tensor[0], x)
        if self.spec.get("recurrent"):
            again = sums(self.back_table, self.back[0], self.s)
            forward = [a + b if self.tensor[1] is not None else F(a + b) for a, b in zip(forward, again)]
        membrane, spikes = [], []
        for j in range(self.n):
            update = {"alif": self.alif}.get(self.kind, self.fixed_neuron if self.fixed else self.float_neuron)
            v, s = update(j, forward[j])
            membrane.append(v)
            spikes.append(s)
        self.s = spikes
        self.sent.append(spikes)
        self.trace.append((spikes, membrane))

    def crosses(self, v, theta):
        if self.kind == "li":
            return 0
        return int(v >= theta if self.spec["neuron"]["at_threshold"] else v > theta)

    def settle(self, j, v, theta, zero):
        """Refractory time, spike, reset; the membrane before the reset and the spike."""
        s = self.crosses(v, theta)
        if self.wait[j]:
            self.wait[j] -= 1
            v, s = zero, 0
        elif s:
            self.wait[j] = self.spec["neuron"].get("refractory", 0)
        self.v[j] = v
        if s:
            self.v[j] = type(zero)(v - theta) if self.spec["neuron"]["reset"] == "subtract" else zero
        return v, s

    def float_neuron(self, j, total):
        gain, d, b = self.param("gain", j), self.param("decay", j), self.bias(j)
        if self.kind == "cuba_lif":
            inner = self.spec["neuron"]["membrane_bias"]
            i = F(F(total) * self.lsb(j))
            if b is not None and not inner:
                i = F(i + b)
            self.u[j] = F(F(self.param("current_decay", j) * self.u[j]) + F(self.param("current_gain", j) * i))
            share = F(gain * self.u[j])
            if b is not None and inner:
                share = F(share + b)
        else:
            share = F(F(total) * F(self.lsb(j) * gain))
            if b is not None:
                share = F(share + F(b * gain))
        return self.settle(j, F(F(d * self.v[j]) + share), self.param("threshold", j), F(0))

    def alif(self, j, total):
        d, gain, b = self.param("decay", j), self.param("gain", j), self.bias(j)
        rho, s = self.param("adapt_decay", j), F(self.s[j])
        self.a[j] = F(F(rho * self.a[j]) + F(F(F(1) - rho) * s))
        grown = F(self.param("threshold", j) + F(F(self.spec["neuron"]["adapt"]) * self.a[j]))
        i = F(F(total) * self.lsb(j))
        v = F(F(F(d * self.v[j]) + F(gain * i)) - F(grown * s))
        self.v[j] = v
        over = F(v - grown)
        if b is not None:
            over = F(over + b)
        return v, int(over > 0)

    def fixed_neuron(self, j, total):
        d = round(4096 * float(self.param("decay", j)))
        lsb = self.lsb(j)
        unit = F(lsb * self.param("gain", j))
        b = self.bias(j)
        if self.kind == "cuba_lif":  # gains are 1 in these cases
            inner = self.spec["neuron"]["membrane_bias"]
            du = round(4096 * float(self.param("current_decay", j)))
            extra = 0 if b is None else int(np.rint(64 * float(b) / float(lsb)))
            self.u[j] = trunc_decay(self.u[j], du) + 64 * total + (0 if inner else extra)
            share = self.u[j] + (extra if inner else 0)
        else:
            share = 64 * total + (0 if b is None else int(np.rint(64 * float(b) / float(lsb))))
        theta = int(np.floor(64 * float(self.param("threshold", j)) / float(unit)))
        return self.settle(j, trunc_decay(self.v[j], d) + share, theta, 0)

    def membrane_of(self, j):
        """in units of weight * input"""
        if not self.fixed:
            return float(self.v[j])
        return self.v[j] / 64 * float(F(self.lsb(j) * self.param("gain", j)))


def simulate(net, tensors, x):
    left = list(tensors)
    layers, shape = [], net["input"]
    for spec in net["layers"]:
        tensor = left.pop(0) if spec["type"] != "pool_max" else None
        back = left.pop(0) if spec.get("recurrent") else None
        layers.append(Layer(spec, shape, net["fixed"], tensor, back))
        shape = layers[-1].out
    last = layers[-1]
    out = [0.0] * last.n
    for t in range(STEPS):
        reach = x[t]
        for layer in layers:
            layer.step(t, reach)
            arrives = t - layer.spec.get("delay", 0)
            reach = layer.sent[arrives] if arrives >= 0 else [0] * layer.n
        if last.kind != "li":
            out = [o + s for o, s in zip(out, reach)]
        elif t >= last.spec["start"] and net["readout"] == "sum":
            out = [o + last.membrane_of(j) for j, o in enumerate(out)]
        elif t >= last.spec["start"]:
            v = [F(last.membrane_of(j)) for j in range(last.n)]
            e = [F(np.exp(float(F(k - max(v))))) for k in v]
            total = F(0)
            for k in e:
                total = F(total + k)
            out = [o + float(F(k / total)) for o, k in zip(out, e)]
    return layers, out


# ---- writing ----


def digest(layer, fixed):
    """BLAKE2b-256 of every step's spikes, then membranes (before the reset), 32 bits each."""
    h = hashlib.blake2b(digest_size=32)
    for spikes, membrane in layer.trace:
        h.update(struct.pack("<%dI" % len(spikes), *[int(s) for s in spikes]))
        if membrane is not None and fixed:
            h.update(struct.pack("<%di" % len(membrane), *[int(v) for v in membrane]))
        elif membrane is not None:
            h.update(struct.pack("<%df" % len(membrane), *[float(v) + 0.0 for v in membrane]))
    return h.hexdigest()


def words(values, per_line=24):
    values = list(values)
    lines = [", ".join(str(v) for v in values[i:i + per_line]) for i in range(0, len(values), per_line)]
    return ",\n     ".join(lines)


def strings(text, width):
    return "\n".join('    "%s"' % text[i:i + width].replace('"', '\\"') for i in range(0, len(text), width)) + ";"


def float_text(x):
    x = float(x)
    return x.hex() if x == x else "NAN"


def main():
    rng = np.random.default_rng(7)
    print("/* SPDX-License-Identifier: GPL-3.0-or-later */")
    print("/* Networks and what they do, made by make_engine_vectors.py: do not edit. Codes and floats in the tensors' order; input [steps][inputs], a digit each. */")
    print("/* clang-format off */")
    table = []
    for name, case in cases():
        net = {"format": 2, "input": case.get("input", [12, 1, 1]), "steps": STEPS, "step_us": 0.0, "layers": case["layers"],
               "readout": case.get("readout", "sum"), "fixed": case.get("fixed", False)}
        net["layers"] = [{k: ([float(F(v)) for v in val] if isinstance(val, list) else val) for k, val in l.items()} for l in net["layers"]]
        tensors = draw_weights(rng, net, case)
        x = draw_input(rng, size(net["input"]))
        layers, out = simulate(net, tensors, x)
        text = json.dumps(net, separators=(",", ":"))
        print("static const char json_%s[] =" % name)
        print(strings(text, 130))
        values = [v for t in tensors for v in t[0]]
        kind = case["kind"]
        if kind == 32:
            print("static const float weights_%s[] = {\n     %s};" % (name, words([float_text(v) + "f" for v in values], 8)))
        else:
            print("static const int32_t weights_%s[] = {\n     %s};" % (name, words(values)))
            scales = [s for t in tensors for s in t[1]]
            print("static const float scales_%s[] = {%s};" % (name, words([float_text(s) + "f" for s in scales], 8)))
        print("static const char input_%s[] =" % name)
        print(strings("".join(str(c) for c in x.reshape(-1)), 144))
        print("static const engine_layer layers_%s[] = {" % name)
        for layer in layers:
            count = sum(int(s) for spikes, _ in layer.trace for s in spikes)
            print('    {%d, "%s"},' % (count, digest(layer, net["fixed"])))
        print("};")
        print("static const double out_%s[] = {%s};" % (name, ", ".join(float_text(o) for o in out)))
        w = ("weights_%s, NULL, NULL" % name) if kind == 32 else ("NULL, weights_%s, scales_%s" % (name, name))
        table.append('    {"%s", json_%s, %d, %s, %s, %s, input_%s, layers_%s, %d, out_%s},' % (
            name, name, kind, "true" if case.get("per_channel") else "false", "true" if net["fixed"] else "false", w, name, name, len(layers), name))
    print("static const engine_vector engine_vectors[] = {")
    print("\n".join(table))
    print("};")
    print("/* clang-format on */")


main()
