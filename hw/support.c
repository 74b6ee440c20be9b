/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of effects, and the support matrix: which effect acts in which read-out mode, and how. docs/devices.md prints it; what it does not have is refused. */
#include <snnsim/device.h>

#include <stddef.h>

static const struct {
    const char *name;
    const char *support[2]; /* by snn_readout_mode */
} effects[SNN_EFFECTS] = {
    [SNN_EFFECT_PROGRAMMING] =
        {"programming",
         {"Cells that end on the wrong side of a reference are read wrong at every read.",
          "Conductances that are summed differ from their targets."}},
    [SNN_EFFECT_RELAXATION] =
        {"relaxation",
         {"Cells that cross a reference until the time of the run are read wrong from then on.",
          "Conductances that are summed have moved until the time of the run."}},
    [SNN_EFFECT_WHITE_NOISE] =
        {"white_noise",
         {"Drawn for each cell and read; a read goes wrong when it crosses a reference.",
          "Drawn for each column and read with the summed variance of the cells that conduct."}},
    [SNN_EFFECT_TELEGRAPH] =
        {"telegraph",
         {"Frozen within a sample, drawn anew for each; reads of a sample go wrong together.",
          "Frozen within a sample, drawn anew for each."}},
    [SNN_EFFECT_ONE_OVER_F] =
        {"one_over_f",
         {"Frozen within a sample, drawn anew for each; reads of a sample go wrong together.",
          "Frozen within a sample, drawn anew for each."}},
    [SNN_EFFECT_STUCK] = {"stuck",
                          {"A stuck cell reads as its stuck state, whatever was written.",
                           "A stuck cell conducts as its stuck state, whatever was written."}},
    [SNN_EFFECT_DISTURB] =
        {"disturb",
         {"Reads of the row before the run shift conductances; those during the run do not.",
          "Reads of the row before the run shift conductances; those during the run do not."}},
    [SNN_EFFECT_CELL_VARIATION] = {"cell_variation",
                                   {"Scales each cell's conductance, for good.",
                                    "Scales each cell's conductance, for good."}},
    [SNN_EFFECT_CHIP_VARIATION] = {"chip_variation",
                                   {"Scales all conductances of a chip; references do not follow.",
                                    "Scales all conductances of a chip; converters do not follow."}},
    [SNN_EFFECT_SENSE] =
        {"sense",
         {"Offset of each column's amplifier shifts its references for good; its noise is drawn for "
          "each read.",
          NULL}},
    [SNN_EFFECT_WIRE] = {"wire", {NULL, "Voltage drop along word and bit lines, by hw.analog.wire."}},
    [SNN_EFFECT_ADC] = {"adc",
                        {NULL, "Offset, gain and non-linearity of each converter, by hw.analog.adc_*."}},
};

const char *snn_effect_name(snn_effect e) {
    return (unsigned)e < SNN_EFFECTS ? effects[e].name : NULL;
}

const char *snn_effect_support(snn_effect e, snn_readout_mode mode) {
    return (unsigned)e < SNN_EFFECTS && (unsigned)mode < 2 ? effects[e].support[mode] : NULL;
}
