/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The published efficiency of a real chip against the form of our energy model: NeuRRAM, 130 nm, 256 x 256 arrays, inputs as bit-serial pulses, outputs converted bit by bit. Two constants
 * are fitted to two of the ten published rows; the others are predictions.
 */
#include <snnsim/ledger.h>

/* TOPS/W by (output bits, input bits): Wan et al., Nature 608, 504 (2022), as in CiMLoop, workspace/models/arch/1_macro/wan_nature_2022/_tests.py (commit 2bac57f1).
 * In two phases an input's high and low bits are converted separately. */
static const struct {
    int output_bits, input_bits, phases;
    double tops_per_watt;
} published[SNN_NEURRAM_ROWS] = {
    {3, 1, 1, 43.07875866}, {4, 2, 1, 40.33412834},  {5, 3, 1, 23.09069279}, {6, 4, 1, 15.95409517},
    {7, 5, 1, 11.32999012}, {8, 6, 1, 9.12235241},   {7, 5, 2, 11.03166076}, {8, 6, 2, 8.257196816},
    {9, 7, 2, 7.750037817}, {10, 8, 2, 6.437388185},
};
enum { FIRST = 1, SECOND = 5 }; /* the rows that are fitted: next to the ends of the one-phase rows */

/* The sign of an input is the polarity of its pulses. */
static double pulses(int input_bits) {
    return input_bits > 1 ? input_bits - 1 : 1;
}

/* fJ per operation. */
static double energy(double tops_per_watt) {
    return 1e3 / tops_per_watt;
}

void snn_neurram_efficiency(snn_efficiency row[SNN_NEURRAM_ROWS], double *pulse_fj, double *bit_fj) {
    const double p1 = pulses(published[FIRST].input_bits), p2 = pulses(published[SECOND].input_bits),
                 b1 = published[FIRST].output_bits, b2 = published[SECOND].output_bits,
                 e1 = energy(published[FIRST].tops_per_watt), e2 = energy(published[SECOND].tops_per_watt),
                 det = p1 * b2 - p2 * b1;
    *pulse_fj = (e1 * b2 - e2 * b1) / det;
    *bit_fj = (p1 * e2 - p2 * e1) / det;
    for (int i = 0; i < SNN_NEURRAM_ROWS; i++) {
        const double e = *pulse_fj * pulses(published[i].input_bits) + *bit_fj * published[i].output_bits;
        row[i] = (snn_efficiency){.output_bits = published[i].output_bits,
                                  .input_bits = published[i].input_bits,
                                  .phases = published[i].phases,
                                  .published = published[i].tops_per_watt,
                                  .fitted = i == FIRST || i == SECOND,
                                  .predicted = 1e3 / e};
        row[i].error = row[i].predicted / row[i].published - 1;
    }
}
