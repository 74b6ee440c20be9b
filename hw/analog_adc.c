/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Converters of analogue read-out. columns_per_adc neighbouring columns of an array share one; of a differential pair the difference of the two currents is converted, by the converter of the positive
 * column. With b bits the codes are 0 .. 2^b - 1 (pairs: -2^(b-1) .. 2^(b-1) - 1), one LSB apart, so that full scale stands at the highest code:
 *
 *     y = I / LSB * (1 + gain error) + offset,   code = round(y + INL 4 t (1 - t)),   t from 0 at the lowest to 1 at the highest code
 *
 * clipped to the codes there are. Gain errors and offsets are normal deviates of each converter, the same for the life of the chip: converter k (counted through all arrays) has words 2k (offset) and
 * 2k + 1 (gain) of the stream (seed, SNN_PURPOSE_SENSE, chip). The bow is the same in all, as it comes with the design.
 */
#include "analog_internal.h"
#include "cells.h"

#include <math.h>

/* Converter of each converter input of a row of arrays. */
static void deviate(const snn_analog *a, snn_analog_tensor *t, uint32_t row_tile) {
    const snn_map_tensor *m = t->map;
    const snn_map_options *o = &a->map->options;
    const snn_analog_options *adc = &a->o->analog;
    const uint32_t shared = adc->columns_per_adc,
                   per_array = o->columns / shared + (o->columns % shared != 0);
    const snn_cell_stream stream = {snn_chip_seed(a->chip), SNN_PURPOSE_SENSE, snn_chip_number(a->chip)};
    const uint32_t step = m->cells / t->code.inputs; /* columns of a converter input: 2 of a pair */
    for (uint32_t i = 0; i < t->width; i++) {
        const uint32_t output = i / t->code.inputs,
                       column = (output % m->lanes * t->code.inputs + i % t->code.inputs) * step;
        const uint32_t tile = m->first_tile + row_tile * m->column_tiles + output / m->lanes;
        const uint64_t converter = (uint64_t)tile * per_array + column / shared;
        double z[2];
        snn_cell_normals(&stream, 2 * converter, 2, z);
        t->offset[(size_t)row_tile * t->width + i] = (float)(adc->adc_offset * z[0]);
        t->gain[(size_t)row_tile * t->width + i] = (float)(1.0 + adc->adc_gain * z[1]);
    }
}

bool snn_analog_converters(const snn_analog *a, snn_analog_tensor *t, snn_error *err) {
    const snn_analog_options *o = &a->o->analog;
    const bool pairs = a->map->options.cell_bits == 0, acts = (a->when.effects >> SNN_EFFECT_ADC & 1U) != 0;
    if (o->adc_bits == 0)
        return true;
    if (pairs && o->adc_bits < 2)
        return snn_fail(err, SNN_ERR_USAGE,
                        "converters of 1 bit have no code for positive differences: differential pairs need "
                        "hw.analog.adc_bits of at "
                        "least 2");
    const float codes = (float)(1 << o->adc_bits);
    t->low = pairs ? -codes / 2 : 0;
    t->high = t->low + codes - 1;
    t->bow = acts ? (float)o->adc_inl : 0;
    if (!acts || (!(o->adc_offset > 0) && !(o->adc_gain > 0)))
        return true;
    const size_t n = (size_t)t->map->row_tiles * t->width;
    if ((t->gain = snn_alloc(n, sizeof *t->gain, "converters", err)) == NULL ||
        (t->offset = snn_alloc(n, sizeof *t->offset, "converters", err)) == NULL)
        return false;
    for (uint32_t r = 0; r < t->map->row_tiles; r++)
        deviate(a, t, r);
    return true;
}

double snn_analog_most(const snn_analog_tensor *t) {
    return (double)t->parallel * (t->pedestal + t->code.level[0]);
}

void snn_analog_set_range(snn_analog_tensor *t, double full_scale) {
    t->step = full_scale / (double)t->high;
}
