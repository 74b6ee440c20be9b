/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: when its arithmetic is fixed, and the numbers that this works with, for who models the same neurons cycle by cycle. */
#include "engine_internal.h"

#include <string.h>

snn_arithmetic snn_arithmetic_of(const snn_config *config, const snn_net *net) {
    const bool fixed = snn_config_given(config, "run.arithmetic") || !net
                           ? strcmp(snn_config_string(config, "run.arithmetic"), "fixed") == 0
                           : net->fixed;
    return fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT;
}

bool snn_engine_fixed(const snn_engine *engine, int layer, snn_fixed_neurons *out, snn_error *err) {
    if (engine->arithmetic != SNN_ARITHMETIC_FIXED || !engine->loaded)
        return snn_fail(err, SNN_ERR_USAGE, "the engine does not work in fixed arithmetic");
    for (int i = 0; i < engine->stages; i++) {
        const snn_stage *s = &engine->stage[i];
        if (s->layer != layer || s->tensor < 0)
            continue;
        const char *what = s->back        ? "is recurrent"
                           : s->single    ? "has other neurons than lif, if and li without refractory time"
                           : s->delay > 0 ? "delays its spikes"
                           : s->start > 0 ? "starts later than the first step"
                                          : NULL;
        if (what)
            return snn_fail(err, SNN_ERR_USAGE, "layer %s %s: the tile of the chip cannot do that",
                            engine->net->layer[layer].name, what);
        *out = (snn_fixed_neurons){.channels = s->out.channels,
                                   .decay = s->decay_fixed,
                                   .subtract = s->neuron.reset == SNN_RESET_SUBTRACT,
                                   .at_threshold = s->neuron.at_threshold,
                                   .spiking = s->neuron.type != SNN_NEURON_LI,
                                   .threshold = s->threshold_fixed,
                                   .bias = s->bias ? s->bias_fixed : NULL};
        return true;
    }
    return snn_fail(err, SNN_ERR_USAGE, "layer %d has no neurons", layer);
}
