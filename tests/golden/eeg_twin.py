#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent EEGMMIDB reader in NumPy and SciPy (docs/eeg.md), and its comparison with what build/tools/eeg_dump wrote.

usage: eeg_twin.py EEG_DUMP FOLDER [RUN...]     compares filters, signals and every event for a list of settings; exit 1 when anything differs"""
import os
import subprocess
import sys
import tempfile
from fractions import Fraction

import numpy as np
from scipy import signal


def read_edf(path):
    """(samples [n][signals] in physical units, plain labels, seconds per record as Fraction, annotations (onset, duration, text))."""
    raw = open(path, "rb").read()
    count = int(raw[252:256])
    at, fields = 256, {}
    for name, width in (("label", 16), ("transducer", 80), ("unit", 8), ("pmin", 8), ("pmax", 8), ("dmin", 8), ("dmax", 8), ("filter", 80), ("samples", 8), ("reserved", 32)):
        fields[name] = [raw[at + i * width:at + (i + 1) * width].decode().strip() for i in range(count)]
        at += width * count
    size = [int(s) for s in fields["samples"]]
    records = np.frombuffer(raw[at:], "<i2").reshape(int(raw[236:244]), sum(size))
    start = np.cumsum([0] + size)
    columns, notes = [], []
    for i, label in enumerate(fields["label"]):
        part = records[:, start[i]:start[i + 1]]
        if label == "EDF Annotations":
            for r in part:
                for tal in r.tobytes().split(b"\0"):
                    if not tal:
                        continue
                    head, *texts = tal.split(b"\x14")
                    onset, _, duration = head.decode().partition("\x15")
                    notes += [(Fraction(onset), Fraction(duration) if duration else None, t.decode()) for t in texts if t]
            continue
        low, high = float(fields["pmin"][i]), float(fields["pmax"][i])
        dlow, dhigh = int(fields["dmin"][i]), int(fields["dmax"][i])
        columns.append((part.reshape(-1).astype(float) - dlow) * ((high - low) / (dhigh - dlow)) + low)
    labels = [s.rstrip(".") for s in fields["label"] if s != "EDF Annotations"]
    return np.stack(columns, 1), labels, Fraction(raw[244:252].decode().strip()) / size[0], notes


def nearest(t, period):
    return int((t / period + Fraction(1, 2)).__floor__())


def total(x):
    """Sum in ascending order, rounded after each addition."""
    return np.add.accumulate(x, axis=0)[-1]


def process(x, period, notes, o):
    rate = float(1 / period)
    if o.get("reference") == "average":
        x = x - (np.add.accumulate(x, axis=1)[:, -1] / x.shape[1])[:, None]
    if o.get("pick") is not None:
        x = x[:, o["pick"]]
    x = x - x[0]
    order, low, high = o.get("order", 4), o.get("low", 8), o.get("high", 30)
    if order and (low or high):
        kind, edges = ("bandpass", [low, high]) if low and high else ("highpass", low) if low else ("lowpass", high)
        sos = signal.butter(order, edges, kind, fs=rate, output="sos")
        x = signal.sosfilt(sos, x, axis=0)
        if o.get("zero_phase"):
            x = signal.sosfilt(sos, x[::-1], axis=0)[::-1]
    end = max((t + d for t, d, _ in notes if d is not None), default=len(x) * period)
    used = np.zeros(len(x), bool)
    if o.get("normalise", "run") == "run":
        used[:nearest(end, period)] = True
    elif o["normalise"] == "rest":
        for t, d, text in notes:
            if text == "T0":
                used[nearest(t, period):nearest(t + d, period)] = True
    else:
        return x, end
    mean = total(x[used]) / used.sum()
    deviation = np.sqrt(total((x[used] - mean) ** 2) / used.sum())
    return (x - mean) / deviation, end


def delta(x, o):
    ref, out = x[0].copy(), []
    for n in range(1, len(x)):
        moved = x[n] - ref
        hit = np.abs(moved) >= o.get("threshold", 0.5)
        out += [(n, c, int(moved[c] > 0)) for c in np.flatnonzero(hit)]
        ref = np.where(hit, x[n], ref)
    return out


def step_forward(x, o):
    t = o.get("threshold", 0.5)
    base, out = x[0].copy(), []
    for n in range(1, len(x)):
        up, down = x[n] > base + t, x[n] < base - t
        out += [(n, c, int(up[c])) for c in np.flatnonzero(up | down)]
        base = np.where(up, base + t, np.where(down, base - t, base))
    return out


def rate(x, o, period):
    gain = o.get("rate_max", 100.0) * float(period)
    total_on, total_off, out = np.zeros(x.shape[1]), np.zeros(x.shape[1]), []
    for n, v in enumerate(x):
        add = np.minimum(np.abs(v) / o.get("rate_full", 2.0), 1) * gain
        total_on, total_off = np.where(v > 0, total_on + add, total_on), np.where(v > 0, total_off, total_off + add)
        on, off = (v > 0) & (total_on >= 1), ~(v > 0) & (total_off >= 1)
        out += [(n, c, int(on[c])) for c in np.flatnonzero(on | off)]
        total_on, total_off = total_on - on, total_off - off
    return out


def epochs(path, name, o):
    """((name, label, events [n][3]) of each epoch, normalised run)."""
    x, labels, period, notes = read_edf(path)
    o = dict(o)
    if "channels" in o:
        o["pick"] = [labels.index(c) for c in o["channels"]]
    x, end = process(x, period, notes, o)
    start, length = Fraction(o.get("start_ms", 0), 1000), Fraction(o.get("length_ms", 4000), 1000)
    out = []
    for k, (t, _, text) in enumerate(notes):
        if t + start < 0 or t + start + length > end:
            continue
        first = nearest(t + start, period)
        part = x[first:first + nearest(length, period)]
        code = o.get("encoder", "delta")
        e = delta(part, o) if code == "delta" else step_forward(part, o) if code == "step_forward" else rate(part, o, period)
        out.append((f"{name}:{k + 1}", int(text[1]), [(nearest(n * period, Fraction(1, 1000000)), c, p) for n, c, p in e]))
    return out, x


def dumped(path):
    out = []
    with open(path) as f:
        for line in f:
            name, label, n = line.split()
            out.append((name, int(label), [tuple(map(int, next(f).split())) for _ in range(int(n))]))
    return out


SETTINGS = [
    {},
    {"encoder": "step_forward", "threshold": 0.35, "low": 4, "high": 40, "order": 3},
    {"encoder": "rate", "rate_max": 90.0, "rate_full": 1.5, "low": 8, "high": 13, "order": 2, "normalise": "rest"},
    {"encoder": "rate", "reference": "average", "low": 12, "high": 0, "order": 5, "start_ms": -250, "length_ms": 3333},
    {"encoder": "delta", "threshold": 12.5, "normalise": "none", "low": 0, "high": 35.5, "order": 5, "start_ms": 500, "length_ms": 2000},
    {"encoder": "delta", "threshold": 0.8, "zero_phase": True, "order": 6, "low": 0.5, "high": 70},
    {"encoder": "step_forward", "channels": ["C3", "Cz", "C4"], "reference": "average", "order": 0},
]


def arguments(o):
    names = {"order": "filter_order", "low": "filter_low", "high": "filter_high"}
    value = lambda v: str(v).lower() if isinstance(v, bool) else "[" + ",".join(f'"{c}"' for c in v) + "]" if isinstance(v, list) else str(v)
    return [f"dataset.eeg.{names.get(k, k)}={value(v)}" for k, v in o.items()]


def main():
    tool, folder, runs = sys.argv[1], sys.argv[2], [int(r) for r in sys.argv[3:]] or [3, 4]
    failed = False
    with tempfile.TemporaryDirectory() as temp:
        config = os.path.join(temp, "twin.cfg")
        with open(config, "w") as f:
            f.write('dataset = { name = "eegmmidb"; path = "%s"; eeg = { subjects = [1]; runs = [%s]; }; };\n' % (folder, ",".join(map(str, runs))))
        for o in SETTINGS:
            out = os.path.join(temp, "out")
            subprocess.run([tool, config, out] + arguments(o), check=True)
            ours, theirs, signals = dumped(out + ".events"), [], []
            for r in runs:
                e, x = epochs(f"{folder}/S001/S001R{r:02d}.edf", f"S001R{r:02d}", o)
                theirs += e
                signals.append(x)
            ours_x, theirs_x = np.fromfile(out + ".signal"), np.concatenate([x.reshape(-1) for x in signals])
            far = np.abs(ours_x - theirs_x).max() / np.abs(theirs_x).max() if ours_x.shape == theirs_x.shape else np.inf
            sos = np.loadtxt(out + ".filter", ndmin=2)
            response = 0.0
            if sos.size:
                low, high, order = o.get("low", 8), o.get("high", 30), o.get("order", 4)
                kind, edges = ("bandpass", [low, high]) if low and high else ("highpass", low) if low else ("lowpass", high)
                z, p, k = signal.butter(order, edges, kind, fs=160, output="zpk")
                poles = np.concatenate([np.roots([1, s[3], s[4]]) if s[4] else [-s[3]] for s in sos])
                w = np.linspace(0.001, np.pi - 0.001, 997)
                scipy_h = signal.sosfreqz(signal.butter(order, edges, kind, fs=160, output="sos"), w)[1]
                our_h = signal.sosfreqz(np.insert(sos, 3, 1, axis=1), w)[1]
                response = max(np.abs(our_h - scipy_h).max(), max(np.abs(p - q).min() for q in poles), max(np.abs(poles - q).min() for q in p))
            same = ours == theirs
            ok = same and far < 1e-9 and response < 1e-9 and len(theirs) > 0
            failed |= not ok
            print(f"{'ok' if ok else 'DIFFERS'}: {o}: {len(theirs)} epochs, {sum(len(e) for _, _, e in theirs)} events {'equal' if same else 'DIFFERENT'}, "
                  f"signals within {far:.1e}, response and poles within {response:.1e}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
