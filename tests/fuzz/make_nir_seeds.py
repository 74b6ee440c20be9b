#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of fuzz_nir: NIR graphs as the JSON of sim/nir_origin.c, with weights in it, into tests/fuzz/seeds/nir."""
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds", "nir")


def field(name, shape, value, kind="f4"):
    return {"name": name, "type": kind, "shape": shape, "value" if not isinstance(value, list) else "data": value}


def text(name, value):
    return {"name": name, "text": value}


def node(name, kind, *fields, nodes=(), edges=()):
    return {"name": name, "type": kind, "fields": list(fields), "nodes": list(nodes), "edges": list(edges)}


def ends(shape_in, shape_out):
    return (node("input", "Input", field("shape", [len(shape_in)], shape_in, "i8")),
            node("output", "Output", field("shape", [len(shape_out)], shape_out, "i8")))


def neurons(name, kind, n, *names):
    return node(name, kind, *[field(p, [n], 0.001 if p.startswith("tau") else 0 if p in ("v_leak", "v_reset") else 0.5) for p in names])


LIF = ("tau", "r", "v_leak", "v_threshold", "v_reset")
CUBA = ("tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold")


def chain(*nodes):
    return [[a["name"], b["name"]] for a, b in zip(nodes, nodes[1:])]


def write(name, nodes, edges):
    graph = {"format": "nir 1", "network": "", "version": "1.0", "dt": 0.0001, "identities": [],
             "graph": {"type": "NIRGraph", "fields": [], "nodes": list(nodes), "edges": list(edges)}}
    with open(os.path.join(FOLDER, name), "w") as f:
        json.dump(graph, f, separators=(",", ":"))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    i, o = ends([3], [2])
    fc = node("fc", "Affine", field("weight", [2, 3], [1, 0, -1, 0.5, 2, 3]), field("bias", [2], 0.25))
    lif = neurons("lif", "LIF", 2, *LIF)
    write("linear", [i, fc, lif, o], chain(i, fc, lif, o))
    rec = node("rec", "Linear", field("weight", [2, 2], [1, 2, 3, 4]))
    cuba = neurons("cuba", "CubaLIF", 2, *CUBA)
    delay = node("delay", "Delay", field("delay", [2], 0.0003))
    scale = node("scale", "Scale", field("scale", [2], 2))
    li = neurons("li", "LI", 2, "tau", "r", "v_leak")
    fd = node("fd", "Linear", field("weight", [2, 2], 1))
    write("recurrent", [i, fc, cuba, rec, delay, fd, scale, li, o],
          chain(i, fc, cuba, delay, fd, scale, li, o) + [["cuba", "rec"], ["rec", "cuba"]])
    inner = ends([2], [2])
    sub = node("sub", "NIRGraph", nodes=[inner[0], lif, rec, inner[1]],
               edges=chain(inner[0], lif, inner[1]) + [["lif", "rec"], ["rec", "lif"]])
    write("graph", [i, fc, sub, o], chain(i, fc, sub, o))
    i, o = ends([2, 6, 6], [2])
    conv = node("conv", "Conv2d", field("weight", [2, 1, 2, 3], 1), field("bias", [2], 0),
                field("stride", [2], 1, "i8"), field("padding", [2], [0, 0], "i8"), field("dilation", [2], [2, 1], "i8"),
                field("groups", [], 2, "i8"), field("input_shape", [2], 6, "i8"))
    spikes = neurons("if", "IF", 1, "r", "v_threshold")
    pool = node("pool", "SumPool2d", field("kernel_size", [2], 2, "i8"), field("stride", [2], 2, "i8"),
                field("padding", [2], 0, "i8"))
    threshold = node("threshold", "Threshold", field("threshold", [1], 0.5))
    flat = node("flat", "Flatten", field("start_dim", [], 0, "i8"), field("end_dim", [], [-1], "i8"))
    out = node("out", "Linear", field("weight", [2, 8], 1))
    write("images", [i, conv, spikes, pool, threshold, flat, out, o],
          chain(i, conv, spikes, pool, threshold, flat, out, o))
    same = node("conv", "Conv2d", field("weight", [2, 2, 3, 3], 1), text("padding", "same"), text("metadata/x", "y"))
    average = node("pool", "AvgPool2d", field("kernel_size", [], 3, "i8"))
    flat_out = node("out", "Linear", field("weight", [2, 8], 1))
    write("words", [i, same, spikes, average, flat, flat_out, o], chain(i, same, spikes, average, flat, flat_out, o))
    i, o = ends([3, 9], [2, 9])
    row = node("conv", "Conv1d", field("weight", [2, 3, 3], 1), field("bias", [2], 0), field("padding", [], 1, "i8"))
    write("row", [i, row, spikes, o], chain(i, row, spikes, o))


main()
