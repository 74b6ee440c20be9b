/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The constants of the ledger. Every row was read in the source that it names; what could not be read is not here (the ledger then says "not known"), and what is
 * our own guess has no source and counts as an assumption.
 */
#include "constants.h"

#include <math.h>
#include <stddef.h>

#define HOROWITZ                                                                                             \
    "M. Horowitz, ISSCC 2014, doi:10.1109/ISSCC.2014.6757323, as tabulated in PMC8934428, table 3"
#define HOROWITZ16 "M. Horowitz, ISSCC 2014, as tabulated in stillwater-sc/esim, energysim/database/energy.py"
#define NEUROSIM_ADC "NeuroSim, SarADC.cpp (low-power branch): power x (bits + 1) ns"
#define NEUROSIM_SENSE "NeuroSim, CurrentSenseAmp.cpp (low-power branch): (p + c / R) t"
#define SKY130 "sky130_fd_sc_hd__xor2_1 Liberty, tt 25 C 1.8 V"

/* clang-format off */
const snn_constant snn_constants[] = {
    [SNN_CONSTANT_ADD16]      = {"16-bit integer addition", 50, "fJ", "45 nm", "0.9 V", HOROWITZ16},
    [SNN_CONSTANT_ADD32]      = {"32-bit integer addition", 100, "fJ", "45 nm", "0.9 V", HOROWITZ},
    [SNN_CONSTANT_MULTIPLY32] = {"32-bit integer multiplication", 3100, "fJ", "45 nm", "0.9 V", HOROWITZ},
    [SNN_CONSTANT_SRAM64]     = {"64-bit access to an 8 KiB SRAM", 10000, "fJ", "45 nm", "0.9 V; half of it for 32 bits", HOROWITZ},
    [SNN_CONSTANT_XOR]        = {"XOR gate, one toggle of its output", 7.9, "fJ", "130 nm", "mean of rise and fall at 2.68 fF", SKY130},
    [SNN_CONSTANT_XOR_AREA]   = {"XOR gate, area", 8.76, "um2", "130 nm", "-", SKY130},
    [SNN_CONSTANT_CELL_AREA]  = {"1T1R cell, area in F x F", 48, "F2", "any", "4 F x 12 F", "NeuroSim, Param.cpp (heightInFeatureSize1T1R, widthInFeatureSize1T1R)"},
    [SNN_CONSTANT_WIRE]       = {"wire, capacitance", 0.2, "fF/um", "any", "-", "NeuroSim, SubArray.cpp (capRow1 = lengthRow * 0.2e-15/1e-6)"},
    [SNN_CONSTANT_SENSE]      = {"current sense amplifier, one comparison", 4.6, "fJ", "22 nm", "1 ns at 25 kOhm", NEUROSIM_SENSE},
                                {"current sense amplifier, one comparison", 14.1, "fJ", "65 nm", "1.06 ns at 25 kOhm", NEUROSIM_SENSE},
                                {"current sense amplifier, one comparison", 22.6, "fJ", "130 nm", "0.91 ns at 25 kOhm", NEUROSIM_SENSE},
    [SNN_CONSTANT_ADC]        = {"SAR converter, 4 bit", 69, "fJ", "22 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 5 bit", 86, "fJ", "22 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 6 bit", 104, "fJ", "22 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 8 bit", 143, "fJ", "22 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 4 bit", 265, "fJ", "65 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 5 bit", 340, "fJ", "65 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 6 bit", 423, "fJ", "65 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 8 bit", 612, "fJ", "65 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 4 bit", 580, "fJ", "130 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 5 bit", 746, "fJ", "130 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 6 bit", 930, "fJ", "130 nm", "column of 10 kOhm", NEUROSIM_ADC},
                                {"SAR converter, 8 bit", 1348, "fJ", "130 nm", "column of 10 kOhm", NEUROSIM_ADC},
    [SNN_CONSTANT_ADC_AREA]   = {"converter, 8 bit, area", 1200, "um2", "not stated", "converter of ISAAC", "MNSIM 2.0, ADC.py"},
    {NULL, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */

static const double nodes[] = {22, 65, 130};
static const int adc_bits[] = {4, 5, 6, 8};

/* Index of the node nearest to the wanted one. */
static int nearest(double node_nm, bool *exact) {
    const double wanted = node_nm > 0 ? node_nm : nodes[0];
    int node = 0;
    for (int i = 1; i < 3; i++)
        if (fabs(nodes[i] - wanted) < fabs(nodes[node] - wanted))
            node = i;
    *exact = node_nm == nodes[node];
    return node;
}

int snn_constant_sense(double node_nm, bool *tabulated) {
    return SNN_CONSTANT_SENSE + nearest(node_nm, tabulated);
}

double snn_constant_adc(int bits, double node_nm, int *index, bool *tabulated) {
    const int first = SNN_CONSTANT_ADC + 4 * nearest(node_nm, tabulated);
    int k = 0; /* the interval whose line is used, also beyond the ends */
    while (k < 2 && bits > adc_bits[k + 1])
        k++;
    *index = first + k;
    *tabulated &= bits >= adc_bits[0] && bits <= adc_bits[3];
    const double low = snn_constants[first + k].value, high = snn_constants[first + k + 1].value;
    return low + (high - low) * (bits - adc_bits[k]) / (adc_bits[k + 1] - adc_bits[k]);
}
