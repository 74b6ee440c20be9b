#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the fuzz targets slayer and spikingdse into tests/fuzz/seeds: small files as SLAYER and pandas write them, and some that they would not."""

import os

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")

SIMULATION = "simulation:\n    Ts: 1.0\n    tSample: 300\nneuron:\n    type:     LOIHI\n    vThMant:  80 # 5\n    vDecay:   128\n    iDecay:   1024\n    refDelay: 1\n    wgtExp:   0\n"
LAYERS = "layer:\n    - {dim: 34x34x2}\n    - {dim: 16c5, stride: 1, padding: 2, wScale: 5}\n    - {dim: 2a}\n    - {dim: 512, delay: false}\n"
TRAINING = "training:\n    error:\n        type: NumSpikes #ProbSpikes\n        tgtSpikeRegion: {start: 0, stop: 300}\n    path: {in: a/b/, train: c.txt}\n"


def write(target, name, text):
    os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
    with open(os.path.join(SEEDS, target, name), "wb") as f:
        f.write(text.encode("latin-1"))


def ones(n):
    return "".join(str((i * 7) % 513 - 256) + "\n" for i in range(n))


write("slayer", "settings", SIMULATION + LAYERS + TRAINING)
write("slayer", "own_neuron", SIMULATION + "layer:\n- {dim: 4x2}\n- dim: 2c3\n  neuron: {type: LOIHI, vThMant: 7, vDecay: 0, iDecay: 4096}\n")
write("slayer", "anchors", "a: &x [1, 2]\nb: *x\nc: !!int 3\n")
write("slayer", "deep", "a: [[[[[[[[[[1]]]]]]]]]]\n")
write("slayer", "quoted", "\"a\": 'b: c'\n? d\n: |\n  text\n")
write("slayer", "documents", "a: 1\n---\nb: 2\n")
write("slayer", "notation", "34x34x2-4a-16c5, 2a 512-11")
write("slayer", "dense", "aa\0" + ones(2312) + "\0" + ones(3))
write("slayer", "pool", "a\0" + "28\n" * 4 + "\0" + ones(17 * 17 * 2))
write("slayer", "conv", "aaa\0" + ones(7 * 2 * 9) + "\0-0 +3\t5\r\n\n-256")
write("slayer", "bad_weights", "aa\0" + "1\n0.5\n" + "\0" + "32768\n")
write("spikingdse", "table", ",0,1,2\n0,0.5,-1.25,3e-2\r\n1,4,5.,-.5\n")
write("spikingdse", "column", ",0\n0,-0.24363808\n1,50.562744")
write("spikingdse", "short", ",0,1\n0,1\n")
write("spikingdse", "long", ",0\n0,1,2\n")
write("spikingdse", "order", ",0,2\n1,1,1\n")
write("spikingdse", "numbers", ",0\n0,1e99\n1,nan\n2,0x1\n3,1e-50\n")
