/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The baseline of analogue read-out: what a conducting row adds to an output whatever its weight is, that is, g_min of the cells, and in offset binary 2^(b-1). In two's complement the columns' significances
 * almost cancel, and differential pairs have none. With offset binary it is larger than most weights, and an error of some percent in it ruins the sums: wires and drift make that much.
 *
 * hw.analog.baseline = "nominal" takes it off by the targets, for each row that is driven. "reference" (the default) stands for a reference lane in each array, which holds weight 0 in all rows, sees the
 * same inputs, and is subtracted: so what is taken off shrinks and drifts as the row does. The lane is not drawn cell by cell; a row of it is taken to conduct, relative to its targets, as the row's cells in
 * use do on average.
 */
#include "analog_internal.h"

#include <math.h>
#include <stdlib.h>

/* Units that the cells of weight (output, line) should have, summed. */
static double target_units(const snn_analog *a, const snn_analog_tensor *t, const snn_tensor *w,
                           uint64_t index) {
    uint8_t level[SNN_ANALOG_INPUTS];
    uint32_t units = 0;
    snn_map_levels(a->map, t->map, w->code8[index], level);
    for (uint32_t j = 0; j < t->map->cells; j++) {
        uint32_t first, n = snn_map_cell_bits(a->map, t->map, j, &first);
        units += level[j] * ((uint32_t)t->code.divisor / ((1U << n) - 1));
    }
    return units;
}

/* Share of its nominal current that the row `line` of column tile k lacks. Integers below 2^53 but for the pedestal: exactly 0 for ideal cells. */
static double missing_share(const snn_analog *a, const snn_analog_tensor *t, const snn_tensor *w,
                            uint32_t line, uint32_t k) {
    const snn_map_tensor *m = t->map;
    const uint32_t first = k * m->lanes, left = m->outputs - first,
                   outputs = left < m->lanes ? left : m->lanes;
    const int16_t *cell = t->cell + (size_t)line * t->pitch + (size_t)first * t->code.inputs;
    double target = 0, is = 0;
    for (uint32_t o = 0; o < outputs; o++)
        target += target_units(a, t, w, (uint64_t)(first + o) * m->fan_in + line);
    for (uint32_t c = 0; c < outputs * t->code.inputs; c++)
        is += cell[c];
    const double missing = ldexp(target, t->exponent) - is,
                 all = ldexp(target + t->pedestal * outputs * t->code.inputs, t->exponent);
    return all > 0 ? missing / all : 0;
}

bool snn_analog_baseline(const snn_analog *a, snn_analog_tensor *t, snn_error *err) {
    const snn_map_tensor *m = t->map;
    const snn_tensor *w = &snn_chip_stored(a->chip)->tensor[m->tensor];
    /* What a row adds to a value at its nominal currents. */
    const double baseline = t->pedestal * t->code.factors / t->code.divisor - t->code.per_pulse;
    if (a->o->analog.nominal_baseline || a->map->options.cell_bits == 0)
        return true;
    t->baseline = snn_alloc((size_t)m->fan_in * m->column_tiles, sizeof *t->baseline, "baseline", err);
    for (uint32_t line = 0; t->baseline != NULL && line < m->fan_in; line++)
        for (uint32_t k = 0; k < m->column_tiles; k++)
            t->baseline[(size_t)line * m->column_tiles + k] = baseline * missing_share(a, t, w, line, k);
    return t->baseline != NULL;
}
