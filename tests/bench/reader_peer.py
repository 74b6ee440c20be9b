#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed of reading the files of a data set in Python (pickle, NumPy, h5py), beside reader_bench: reader_peer.py DATA_FOLDER. Best of several rounds.

Each reader ends where ours ends: one array of times (us) and one of input lines for each sample, sorted by time. `load` is pickle.load or zipfile alone.
"""

import glob
import pickle
import sys
import time
import zipfile

import numpy as np

ROUNDS = 5


def letters(path):
    start = time.perf_counter()
    with open(path, "rb") as f:
        data = pickle.load(f)
    loaded = time.perf_counter() - start
    samples = []
    for trial in data:
        lists = [t for taxel in trial["events"] for t in taxel]
        times = np.concatenate([np.asarray(t) for t in lists])
        lines = np.repeat(np.arange(24), [len(t) for t in lists])
        order = np.argsort(times, kind="stable")
        samples.append((np.round(times[order] * 1e6).astype(np.int64), lines[order]))
    return loaded, samples


def seven(path):
    start = time.perf_counter()
    with zipfile.ZipFile(path) as z:
        x = np.frombuffer(z.read("archive/data/0"), "<f4").reshape(-1, 256, 12)
    loaded = time.perf_counter() - start
    samples = []
    for s in x:
        bins, lines = np.nonzero(s)
        samples.append((bins.astype(np.int64) * 5000, lines))
    return loaded, samples


def shd_file(path):
    import h5py

    start = time.perf_counter()
    with h5py.File(path) as f:
        times, units, _ = f["spikes/times"][:], f["spikes/units"][:], f["labels"][:]
    loaded = time.perf_counter() - start
    samples = []
    for t, u in zip(times, units):
        us = np.rint(t.astype(np.float64) * 1e6).astype(np.int64)
        order = np.argsort(us, kind="stable")
        samples.append((us[order], u[order]))
    return loaded, samples


def shd_traces(folder):
    start = time.perf_counter()
    texts = [open(path).read() for path in glob.glob(folder + "/*.trace")]
    loaded = time.perf_counter() - start
    samples = []
    for text in texts:
        lines = text.splitlines()[1:]
        channels = [line.rstrip(",").split(",")[1:] for line in lines]
        times = np.repeat(np.maximum(np.arange(len(lines)) * 10000 - 5000, 0), [len(c) for c in channels])
        samples.append((times, 700 - np.array([c for line in channels for c in line], dtype=np.int64)))
    return loaded, samples


def main():
    for name, read, path in (("letters", letters, "braille/data_braille_letters_th10_part"), ("seven letters", seven, "braille/letters7_th1/ds_val_0.pt"),
                             ("SHD file", shd_file, "shd/derived_h5/shd_subset.h5"), ("SHD traces", shd_traces, "shd/traces")):
        best = load = 1e9
        for _ in range(ROUNDS):
            start = time.perf_counter()
            loaded, samples = read(sys.argv[1] + "/" + path)
            best, load = min(best, time.perf_counter() - start), min(load, loaded)
        events = sum(len(t) for t, _ in samples)
        print("%s: %d samples, %d events in %.2f ms (load %.2f ms): %.4g M events/s, %.4g samples/s"
              % (name, len(samples), events, best * 1e3, load * 1e3, events / best * 1e-6, len(samples) / best))


if __name__ == "__main__":
    main()
