#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of fuzz_net_json (networks as JSON) and fuzz_model (lists of changes, see fuzz_model.c) into tests/fuzz/seeds."""

import json
import os

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")
LIF = {"type": "lif", "decay": 0.3, "threshold": 0.3, "reset": "zero", "at_threshold": False, "gain": 1}
IF = dict(LIF, type="if", decay=1, reset="subtract", at_threshold=True, gain=0.25)
LI = dict(LIF, type="li")
REFRACTORY = dict(LIF, refractory=2, threshold=[0.1, 0.2, 0.3, 0.4])  # format 2
CUBA = dict(LIF, type="cuba_lif", current_decay=[0, 0.25, 0.5], current_gain=1, membrane_bias=True, refractory=0)
ALIF = dict(LIF, type="alif", adapt_decay=0.95, adapt=1.8)


def write(target, name, data):
    os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
    with open(os.path.join(SEEDS, target, name), "wb") as f:
        f.write(data)


def net(*layers, size=(2, 5, 5)):
    head = {"format": 1, "input": list(size), "steps": 15, "step_us": 0.5, "layers": list(layers)}
    return json.dumps(head, separators=(",", ":")).encode()


def net2(*layers, readout="sum", size=(2, 5, 5)):
    head = {"format": 2, "input": list(size), "steps": 15, "step_us": 0.5, "layers": list(layers), "readout": readout, "fixed": True}
    return json.dumps(head, separators=(",", ":")).encode()


def late(layer, delay, start, **more):
    return dict(layer, delay=delay, start=start, **more)


def linear(name, outputs, neuron, **more):
    return {"name": name, "type": "linear", "outputs": outputs, "neuron": neuron, **more}


def window(name, kind, kernel, stride, **more):
    return {"name": name, "type": kind, "kernel": kernel, "stride": stride, **more}


def text(network, body, hashed=1):
    body = body.ljust((len(body) + 15) // 16 * 16)
    return bytes([3, network, hashed, len(body) // 16]) + body


def main():
    conv = window("c", "conv2d", 2, 1, padding=0, channels=3, bias=[1, 2, 3], neuron=LIF)
    same = net(conv, window("p", "pool_max", 2, 2), linear("f", 5, LI))
    write("net_json", "linear", net(linear("fc1", 4, LIF), linear("fc2", 3, LIF)))
    write("net_json", "conv", same)
    write("net_json", "pools", net(window("a", "pool_sum", 2, 1), window("b", "pool_average", 2, 2),
                                   {"name": "flat", "type": "flatten"}, linear("o", 2, IF, bias=[0.1, -1e-30])))
    write("net_json", "too_large", net(window("c", "conv2d", 1024, 1, padding=1023, channels=65536, neuron=LIF)))
    write("net_json", "li_inside", net(linear("a", 2, LI), linear("b", 2, LIF)))
    write("net_json", "empty", b"{}")
    write("net_json", "newer", b'{"format":3}')
    write("net_json", "recurrent", net2(late(linear("a", 4, REFRACTORY), 1, 0, recurrent=False), late(linear("b", 3, CUBA, bias=[1, 2, 3]), 255, 1, recurrent=True),
                                        late(linear("c", 2, LI), 0, 65535, recurrent=False), readout="softmax"))
    write("net_json", "adaptive", net2(late(window("c", "conv2d", 2, 1, padding=0, channels=3, neuron=ALIF), 3, 2), window("p", "pool_max", 2, 2),
                                       late(linear("f", 5, ALIF), 0, 0, recurrent=True)))

    codes = bytes(range(60))
    write("model", "unchanged", b"")
    write("model", "f_codes", bytes([0, 6, 0, 1, 0]) + codes)         # replace /snnsim/weights/f by uint8 5x12
    write("model", "f_floats", bytes([0, 6, 2, 1, 0]) + b"\0" * 120)  # by float32
    write("model", "f_floats_32_bits", bytes([0, 6, 2, 1, 0]) + b"\0" * 1600 + bytes([1, 6, 4, 1, 32, 0]))
    write("model", "f_deflated", bytes([0, 6, 0, 1, 2]) + codes * 27)
    write("model", "f_huge", bytes([0, 6, 0, 2, 1, 7, 8, 1]))
    write("model", "f_external", bytes([0, 6, 0, 1, 6]) + codes)
    write("model", "scales", bytes([0, 9, 2, 2, 0, 0, 0]) + b"\0\0\x80\x3f")
    write("model", "bits", bytes([1, 6, 4, 1, 5, 0]))
    write("model", "encoding", bytes([1, 6, 5, 2, 1, 0]))
    write("model", "long_encoding", bytes([1, 6, 5, 3, 200, 0]))
    write("model", "no_format", bytes([1, 0, 0, 0]))
    write("model", "soft", bytes([2, 6, 5, 1]))
    write("model", "external", bytes([2, 6, 5, 2]))
    write("model", "loop", bytes([2, 7, 10, 3]))
    write("model", "group", bytes([2, 6, 0, 4]))
    write("model", "network", text(1, same))
    write("model", "network_larger", text(1, net(conv, window("p", "pool_max", 2, 2), linear("f", 50000, LI))))
    write("model", "network_unhashed", text(1, same, hashed=0))
    write("model", "record", text(0, b'{"seed":1}'))


main()
