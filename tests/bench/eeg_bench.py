#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of eeg_bench in NumPy and SciPy, one thread: reading EDF files, the signal chain of configs/eegmmidb.cfg, events of the epochs. Best of 3 rounds.

usage: eeg_bench.py FOLDER RUN..."""
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from fractions import Fraction  # noqa: E402

import eeg_twin  # noqa: E402
import numpy as np  # noqa: E402
from scipy import signal  # noqa: E402


def chain(x, period):
    """As most would write it: means and deviations by NumPy's own sums."""
    x = x - x.mean(1, keepdims=True)
    y = signal.sosfilt(signal.butter(4, (13, 30), "bandpass", fs=float(1 / period), output="sos"), x - x[0], axis=0)
    return (y - y.mean(0)) / y.std(0)


def main():
    folder, runs = sys.argv[1], [int(r) for r in sys.argv[2:]] or [3, 4, 7, 8]
    o = {"rate_max": 100.0, "rate_full": 4.0}
    best = [1e9] * 3
    for _ in range(3):
        t, values, events, epochs = [0.0] * 3, 0, 0, 0
        for r in runs:
            a = time.perf_counter()
            x, _, period, notes = eeg_twin.read_edf(f"{folder}/S001/S001R{r:02d}.edf")
            b = time.perf_counter()
            y = chain(x, period)
            c = time.perf_counter()
            for onset, _, _ in notes:
                first = eeg_twin.nearest(onset + Fraction(1, 2), period)
                events += len(eeg_twin.rate(y[first:first + 560], o, period))
            t = [t[0] + b - a, t[1] + c - b, t[2] + time.perf_counter() - c]
            values += x.size
            epochs += len(notes)
        best = [min(p, q) for p, q in zip(best, t)]
    n = len(runs)
    print(f"{n} files, {values / 1e6:.2f} million samples, {epochs} epochs, {events} events")
    print(f"samples in uV and annotations {best[0] / n * 1e3:.3f} ms per file, {values / 1e6 / best[0]:.1f} million samples/s")
    print(f"normalised samples            {(best[0] + best[1]) / n * 1e3:.3f} ms per file, {values / 1e6 / (best[0] + best[1]):.1f} million samples/s")
    print(f"events                        {best[2] / epochs * 1e3:.3f} ms per epoch, {events / best[2] / 1e6:.2f} million events/s")


if __name__ == "__main__":
    main()
