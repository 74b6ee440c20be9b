#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/unit/eeg_vectors.h: Butterworth filters as scipy.signal designs and runs them, and events of the encoders by eeg_twin.py.

The input is x[n] = 300 + ((n * 7919 + 13) mod 1009) / 8 - 63, exact in binary; the encoders get it divided by 64 in two channels, the second backward."""
import os
from fractions import Fraction

import numpy as np
from scipy import signal

import eeg_twin

N = 400
DESIGNS = [(4, 8, 30, 160), (1, 8, 30, 160), (2, 0.5, 70, 160), (3, 4, 40, 160), (5, 12, 0, 160), (5, 0, 35.5, 160), (4, 1, 0, 128), (2, 0, 20, 128), (1, 10, 0, 160), (1, 0, 10, 160), (3, 2, 75, 160), (12, 10, 40, 160)]


def main():
    x = 300 + ((np.arange(N) * 7919 + 13) % 1009) / 8 - 63
    out = ["/* SPDX-License-Identifier: GPL-3.0-or-later */", "/* Made by tests/golden/make_eeg_vectors.py. */", "#ifndef SNNSIM_EEG_VECTORS_H", "#define SNNSIM_EEG_VECTORS_H", "",
           "/* Filter, response at 8 frequencies, samples of the output. */",
           f"#define EEG_INPUT {N}", "#define EEG_OUTPUTS 10", "#define EEG_RESPONSES 8",
           "static const struct {", "    int order;", "    double low, high, rate;", "    int sections;", "    double response[EEG_RESPONSES]; /* |H| at rate * (k + 1) / 20 */",
           "    double output[EEG_OUTPUTS]; /* of samples 39, 79, ... */", "} eeg_filter[] = {"]
    for order, low, high, rate in DESIGNS:
        kind, edges = ("bandpass", [low, high]) if low and high else ("highpass", low) if low else ("lowpass", high)
        sos = signal.butter(order, edges, kind, fs=rate, output="sos")
        y = signal.sosfilt(sos, x)
        w = 2 * np.pi * (np.arange(8) + 1) / 20
        h = np.abs(signal.sosfreqz(sos, w)[1])
        sections = order if kind == "bandpass" else (order + 1) // 2
        out.append(f"    {{{order}, {low}, {high}, {rate}, {sections}, {{{', '.join(repr(float(v)) for v in h)}}}, {{{', '.join(repr(float(y[40 * k + 39])) for k in range(10))}}}}},")
    out += ["};", ""]
    z = np.stack([x, x[::-1]], 1)[:120] / 64
    period = Fraction(1, 160)
    sets = [("delta", {"threshold": 0.5}, lambda o: eeg_twin.delta(z, o)), ("step_forward", {"threshold": 0.25}, lambda o: eeg_twin.step_forward(z, o)),
            ("rate", {"rate_max": 100.0, "rate_full": 4.0}, lambda o: eeg_twin.rate(z - 4, o, period))]
    out += ["#define EEG_SAMPLES 120", "typedef struct {", "    short sample, channel, polarity;", "} eeg_vector;"]
    for name, o, encode in sets:
        e = encode(o)
        out.append(f"/* {o} */")
        out.append(f"static const eeg_vector eeg_{name}[{len(e)}] = {{{', '.join('{%d, %d, %d}' % v for v in e)}}};")
    out += ["", "#endif", ""]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit", "eeg_vectors.h"), "w") as f:
        f.write("\n".join(out))


if __name__ == "__main__":
    main()
