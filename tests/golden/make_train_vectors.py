#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradient vectors of small spiking networks from PyTorch, for tests/unit/test_train_torch.c.

Run with Debian's python3-torch (/usr/bin/python3 tests/golden/make_train_vectors.py); `make test` only reads what this wrote to tests/golden/train/.
Each network is a folder with net.cfg (the same network for snnsim), x.npy (uint8 [samples][T][channels][y][x]), label.npy, <layer>.npy and
<layer>_bias.npy (weights), <layer>_grad.npy and <layer>_bias_grad.npy, loss.npy. Recurrent weights are those of <layer>_rec.

PyTorch computes in double, snnsim in float: seeds are taken until no membrane comes closer than MARGIN to a threshold or to an edge of the
rectangle, where the gradient jumps, so that both see the same spikes and the gradients differ by rounding only.
"""
import os
import numpy as np
import torch
import torch.nn.functional as F

MARGIN = 1e-4
T, SAMPLES = 6, 5
torch.set_default_dtype(torch.float64)


class Spike(torch.autograd.Function):
    """Heaviside forward, surrogate slope backward: height 1/width at the threshold, area 1."""

    @staticmethod
    def forward(ctx, v, theta, kind, width):
        ctx.save_for_backward(v)
        ctx.args = theta, kind, width
        return (v > theta).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        theta, kind, width = ctx.args
        a = (v - theta).abs() / width
        if kind == "rectangle":
            slope = (a < 0.5).to(v.dtype) / width
        elif kind == "triangle":
            slope = torch.clamp(1 - a, min=0) / width
        else:
            slope = 1 / (width * (1 + (np.pi * a) ** 2))
        return grad * slope, None, None, None


def run(net, params, x):
    """Output per class and step, and the smallest distance of a membrane from a jump."""
    layers = net["layers"]
    v = [0.0] * len(layers)
    s = [0.0] * len(layers)
    state = [None] * len(layers)  # current of cuba_lif, average of alif
    sent = [[] for _ in layers]  # what every layer put out, for delays
    out, nearest = [], 1e9

    def jump(over):
        """Spikes where over > 0, and how near that came to a jump."""
        nonlocal nearest
        gap = over.detach().abs()
        nearest = min(nearest, gap.min().item())
        if net["surrogate"] == "rectangle":
            nearest = min(nearest, (gap - net["width"] / 2).abs().min().item())
        return Spike.apply(over, 0.0, net["surrogate"], net["width"])

    for t in range(T):
        y = x[:, t]
        for i, l in enumerate(layers):
            if l["type"] == "flatten":
                y = y.flatten(1)
            elif l["type"] == "pool_max":
                y = F.max_pool2d(y, l["kernel"], l.get("stride", l["kernel"]))
            elif l["type"] == "pool_sum":
                y = F.avg_pool2d(y, l["kernel"], l.get("stride", l["kernel"]), divisor_override=1)
            elif l["type"] == "pool_average":
                y = F.avg_pool2d(y, l["kernel"], l.get("stride", l["kernel"]))
            else:
                p = params[l["name"]]
                if l["type"] == "linear":
                    current = F.linear(y.flatten(1), p["weight"], p.get("bias"))
                else:
                    current = F.conv2d(y, p["weight"], p.get("bias"), l.get("stride", 1), l.get("padding", 0))
                n = dict(net["neuron"], **l.get("neuron", {}))
                d, theta = n["decay"], n["threshold"]
                if t < l.get("start", 0):
                    y = torch.zeros_like(current)
                    sent[i].append(y)
                    continue
                if l.get("recurrent") and torch.is_tensor(s[i]):
                    current = current + F.linear(s[i], p["rec"])
                if n["type"] == "cuba_lif":
                    bias = p.get("bias", 0.0) if n.get("membrane_bias") else 0.0
                    if state[i] is None:
                        state[i] = torch.zeros_like(current)
                    state[i] = n["current_decay"] * state[i] + n["current_gain"] * (current - bias)
                    current = n.get("gain", 1.0) * state[i] + bias
                elif n["type"] == "alif":
                    bias = p.get("bias", 0.0)
                    if state[i] is None:
                        state[i] = torch.full_like(current, theta)
                    state[i] = n["adapt_decay"] * state[i] + (1 - n["adapt_decay"]) * s[i]
                    barrier = theta + n["adapt"] * state[i]
                    v[i] = d * v[i] + n.get("gain", 1.0) * (current - bias) - barrier * s[i]
                else:
                    current = current * n.get("gain", 1.0)
                if n["type"] == "li":
                    v[i] = v[i] * d + current
                    y = v[i]
                    if net.get("readout") == "softmax":
                        y = torch.softmax(y, 1)
                    continue
                if n["type"] == "alif":
                    s[i] = jump(v[i] - barrier + bias)
                else:
                    if n["reset"] == "zero":
                        v[i] = v[i] * d * (1.0 - s[i]) + current
                    else:
                        v[i] = d * (v[i] - theta * s[i]) + current
                    s[i] = jump(v[i] - theta)
                sent[i].append(s[i])
                late = t - l.get("delay", 0)
                y = sent[i][late] if late >= 0 else torch.zeros_like(s[i])
        out.append(y.flatten(1))
    return torch.stack(out, 1), nearest


def loss_of(net, out, label):
    rate = out.mean(1)
    if net["loss"] == "mse":
        return F.mse_loss(rate, F.one_hot(label, rate.shape[1]).to(rate.dtype))
    return F.cross_entropy(rate * net["loss_scale"], label)


def cfg(net):
    def value(x):
        if isinstance(x, bool):
            return "true" if x else "false"
        return '"%s"' % x if isinstance(x, str) else repr(x)

    def group(d):
        return "{ " + " ".join("%s = %s;" % (k, group(x) if isinstance(x, dict) else value(x)) for k, x in d.items()) + " }"

    layers = ",\n    ".join(group(l) for l in net["layers"])
    return ("# Made by tests/golden/make_train_vectors.py.\ndataset = { bins = %d; };\nnetwork = {\n  layers = (\n    %s\n  );\n  neuron = %s;%s\n};\n"
            "train = { loss = \"%s\"; loss_scale = %r; surrogate = \"%s\"; surrogate_width = %r; };\n"
            % (T, layers, group(net["neuron"]), "\n  readout = \"softmax\";" if net.get("readout") else "", net["loss"], float(net["loss_scale"]), net["surrogate"], net["width"]))


def shapes(net, channels, height, width):
    """Weight shape of every synaptic layer, and the number of classes."""
    found = {}
    c, h, w = channels, height, width
    for l in net["layers"]:
        if l["type"] == "linear":
            found[l["name"]] = (l["outputs"], c * h * w)
            c, h, w = l["outputs"], 1, 1
        elif l["type"] == "flatten":
            c, h, w = c * h * w, 1, 1
        else:
            k, s = l["kernel"], l.get("stride", 1 if l["type"] == "conv2d" else l["kernel"])
            p = l.get("padding", 0)
            if l["type"] == "conv2d":
                found[l["name"]] = (l["channels"], c, k, k)
                c = l["channels"]
            h, w = (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1
    return found, c * h * w


def make(name, net, shape, gain):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "train", name)
    os.makedirs(folder, exist_ok=True)
    kinds, classes = shapes(net, *shape)
    biased = {l["name"] for l in net["layers"] if l.get("bias")}
    recurrent = {l["name"] for l in net["layers"] if l.get("recurrent")}
    for seed in range(100000):
        rng = np.random.default_rng(seed)
        x = rng.poisson(0.25, (SAMPLES, T) + shape).astype(np.uint8)
        label = rng.integers(0, classes, SAMPLES).astype(np.int32)
        params = {}
        for layer, dims in kinds.items():
            bound = gain * np.sqrt(3.0 / np.prod(dims[1:]))
            p = {"weight": rng.uniform(-bound, bound, dims)}
            if layer in biased:
                p["bias"] = rng.uniform(0, 0.1, dims[0])
            if layer in recurrent:
                p["rec"] = rng.uniform(-bound, bound, (dims[0], dims[0]))
            # snnsim holds floats: start from what a float can hold
            params[layer] = {k: torch.tensor(a.astype(np.float32).astype(np.float64), requires_grad=True) for k, a in p.items()}
        out, nearest = run(net, params, torch.tensor(x.astype(np.float64)))
        if nearest > MARGIN:
            break
    else:
        raise SystemExit("no seed keeps its distance: " + name)
    loss = loss_of(net, out, torch.tensor(label.astype(np.int64)))
    loss.backward()
    np.save(os.path.join(folder, "x.npy"), x)
    np.save(os.path.join(folder, "label.npy"), label)
    np.save(os.path.join(folder, "loss.npy"), np.array([loss.item()]))
    dead = []
    for layer, p in params.items():
        for k, a in p.items():
            stem = os.path.join(folder, layer + ("" if k == "weight" else "_" + k))
            np.save(stem + ".npy", a.detach().numpy().astype(np.float32))
            np.save(stem + "_grad.npy", a.grad.numpy().astype(np.float32))
            if float(a.grad.abs().max()) == 0:
                dead.append(layer)
    with open(os.path.join(folder, "net.cfg"), "w") as f:
        f.write("# SPDX-License-Identifier: GPL-3.0-or-later\n" + cfg(net))
    print(name, "seed", seed, "nearest %.2g" % nearest, "loss %.6f" % loss.item(), "rate %.3f" % out.mean().item(), "DEAD " + str(dead) if dead else "")


LIF = {"type": "lif", "decay": 0.3, "threshold": 0.3, "reset": "zero"}

if __name__ == "__main__":
    # The SNNGX recipe on a small fully connected network.
    make("linear", {"layers": [
        {"name": "fc1", "type": "linear", "outputs": 40},
        {"name": "fc2", "type": "linear", "outputs": 6}],
        "neuron": LIF, "loss": "mse", "loss_scale": 10, "surrogate": "rectangle", "width": 0.5}, (2, 5, 4), 1.0)
    # The gesture network in small: convolutions with padding, max-pool (first maximum wins), flatten, linear.
    make("conv", {"layers": [
        {"name": "conv1", "type": "conv2d", "channels": 6, "kernel": 3, "padding": 1},
        {"name": "pool1", "type": "pool_max", "kernel": 2},
        {"name": "conv2", "type": "conv2d", "channels": 5, "kernel": 3, "padding": 1, "bias": True},
        {"name": "flatten", "type": "flatten"},
        {"name": "fc1", "type": "linear", "outputs": 4}],
        "neuron": LIF, "loss": "mse", "loss_scale": 10, "surrogate": "rectangle", "width": 0.5}, (2, 8, 6), 1.0)
    # Stride, overlapping pool, average pool, reset by subtraction, gain, biases, cross-entropy.
    make("strided", {"layers": [
        {"name": "conv1", "type": "conv2d", "channels": 4, "kernel": 3, "stride": 2, "padding": 1, "bias": True},
        {"name": "pool1", "type": "pool_max", "kernel": 3, "stride": 1},
        {"name": "conv2", "type": "conv2d", "channels": 3, "kernel": 2, "stride": 2, "neuron": {"gain": 1.5, "decay": 0.6}},
        {"name": "pool2", "type": "pool_average", "kernel": 2},
        {"name": "fc1", "type": "linear", "outputs": 7, "bias": True},
        {"name": "fc2", "type": "linear", "outputs": 3}],
        "neuron": dict(LIF, reset="subtract"), "loss": "cross_entropy", "loss_scale": 8, "surrogate": "triangle", "width": 1.2}, (2, 13, 13), 1.5)
    # Pool on the input, sum pool, arctan, integrate-and-fire, read-out by membrane.
    make("membrane", {"layers": [
        {"name": "pool0", "type": "pool_max", "kernel": 2},
        {"name": "conv1", "type": "conv2d", "channels": 5, "kernel": 2},
        {"name": "pool1", "type": "pool_sum", "kernel": 2},
        {"name": "fc1", "type": "linear", "outputs": 8, "neuron": {"type": "if", "decay": 1.0, "reset": "subtract"}},
        {"name": "fc2", "type": "linear", "outputs": 3, "bias": True, "neuron": {"type": "li", "decay": 0.8}}],
        "neuron": LIF, "loss": "cross_entropy", "loss_scale": 5, "surrogate": "arctan", "width": 1.0}, (2, 10, 10), 1.0)
    # Recurrent layers of current-based neurons and of LIF, wider than a panel, with a delay between them and a later start.
    cuba = {"type": "cuba_lif", "decay": 0.8, "threshold": 0.5, "current_decay": 0.6, "current_gain": 0.7, "gain": 0.9}
    make("recurrent", {"layers": [
        {"name": "fc1", "type": "linear", "outputs": 24, "recurrent": True, "bias": True, "delay": 1, "neuron": cuba},
        {"name": "fc2", "type": "linear", "outputs": 66, "recurrent": True, "start": 1, "neuron": {"reset": "subtract"}},
        {"name": "fc3", "type": "linear", "outputs": 5, "bias": True, "neuron": dict(cuba, membrane_bias=True, reset="subtract")}],
        "neuron": dict(LIF, decay=0.6), "loss": "cross_entropy", "loss_scale": 8, "surrogate": "triangle", "width": 1.0}, (1, 1, 20), 1.4)
    # The shape of Yin, Corradi and Bohte's networks: adaptive thresholds, leaky integrators read out by softmax.
    alif = {"type": "alif", "decay": 0.8, "threshold": 0.2, "adapt_decay": 0.7, "adapt": 1.8, "gain": 0.6}
    make("adaptive", {"layers": [
        {"name": "fc1", "type": "linear", "outputs": 17, "recurrent": True, "bias": True, "neuron": alif},
        {"name": "fc2", "type": "linear", "outputs": 12, "recurrent": True, "delay": 1, "neuron": alif},
        {"name": "fc3", "type": "linear", "outputs": 4, "start": 1, "neuron": {"type": "li", "decay": 0.9}}],
        "neuron": LIF, "readout": "softmax", "loss": "cross_entropy", "loss_scale": 5, "surrogate": "arctan", "width": 0.8}, (2, 3, 3), 1.4)
