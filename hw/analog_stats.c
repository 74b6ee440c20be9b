/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What analogue read-out counted, and the warning that its converters ruin the sums. */
#include "analog_internal.h"

#include <math.h>
#include <stdio.h>

/* ---- counters ---- */

/* Conversions that the busiest converter of an array has for one group of rows. */
static uint64_t turns_of_group(const snn_analog *a, const snn_analog_tensor *t) {
    const uint32_t step = t->map->cells / t->code.inputs; /* columns of a converter input: 2 of a pair */
    const uint32_t outputs = t->map->outputs < t->map->lanes ? t->map->outputs : t->map->lanes,
                   inputs = outputs * t->code.inputs, shared = a->o->analog.columns_per_adc;
    const uint32_t most = shared / step + (shared % step != 0);
    return inputs < most ? inputs : most;
}

void snn_analog_tensor_stats(const snn_analog *a, int tensor, snn_analog_stats *s) {
    const snn_analog_tensor *t = &a->tensor[tensor];
    const snn_analog_counters *k = t->counters;
    *s = (snn_analog_stats){.conversions = atomic_load(&k->conversions),
                            .clipped = atomic_load(&k->clipped),
                            .array_reads = atomic_load(&k->reads),
                            .row_pulses = atomic_load(&k->pulses),
                            .turns = atomic_load(&k->conversions) / t->width * turns_of_group(a, t),
                            .cell_siemens_reads = (double)atomic_load(&k->siemens) * 0x1p-16 * 1e-6,
                            .most_rows = atomic_load(&k->most_rows)};
    s->worst = (snn_analog_layer){.tensor = tensor,
                                  .most_rows = s->most_rows,
                                  .conversions = s->conversions,
                                  .clipped = s->clipped,
                                  .step = t->step,
                                  .sums = atomic_load(&k->sums),
                                  .sum = (double)atomic_load(&k->sum) * 0x1p-6,
                                  .square = (double)atomic_load(&k->square) * 0x1p-6,
                                  .error = (double)atomic_load(&k->error) * 0x1p-6};
}

void snn_analog_total(const snn_analog *a, snn_analog_stats *s) {
    *s = (snn_analog_stats){0};
    for (int i = 0; i < a->tensors; i++) {
        snn_analog_stats one;
        snn_analog_tensor_stats(a, i, &one);
        snn_analog_stats_add(s, &one);
    }
}

/* ---- sums over tensors and chips ---- */

static double variance(const snn_analog_layer *l) {
    const double n = (double)l->sums, mean = l->sum / n, v = l->square / n - mean * mean;
    return v > 0 ? v : 0;
}

/* Power of the converters' error relative to that of the sums' spread; -1: no sums. */
static double noise_to_signal(const snn_analog_layer *l) {
    if (l->sums == 0)
        return -1;
    const double error = l->error / (double)l->sums, spread = variance(l);
    return spread > 0 ? error / spread : error > 0 ? INFINITY : 0;
}

static void add_layer(snn_analog_layer *to, const snn_analog_layer *from) {
    if (from->sums > 0 && to->sums > 0 && from->tensor == to->tensor) {
        to->most_rows = from->most_rows > to->most_rows ? from->most_rows : to->most_rows;
        to->conversions += from->conversions;
        to->clipped += from->clipped;
        to->step = from->step > to->step ? from->step : to->step;
        to->sums += from->sums;
        to->sum += from->sum;
        to->square += from->square;
        to->error += from->error;
    } else if (noise_to_signal(from) > noise_to_signal(to)) {
        *to = *from;
    }
}

void snn_analog_stats_add(snn_analog_stats *to, const snn_analog_stats *from) {
    to->conversions += from->conversions;
    to->clipped += from->clipped;
    to->array_reads += from->array_reads;
    to->row_pulses += from->row_pulses;
    to->turns += from->turns;
    to->cell_siemens_reads += from->cell_siemens_reads;
    to->most_rows = from->most_rows > to->most_rows ? from->most_rows : to->most_rows;
    add_layer(&to->worst, &from->worst);
}

/* ---- the warning ---- */

/* log2(1 + S/N) / 2 = 1 bit */
#define LEAST_SIGNAL_TO_NOISE 3.0

/* How the currents of the rows compare with the codes. */
static int describe(const snn_analog_layer *l, const snn_hw_options *o, const snn_map_tensor *t, char *text,
                    size_t size) {
    const int bits = o->analog.adc_bits;
    if (o->map.cell_bits == 0)
        return snprintf(text, size,
                        "%s: up to %u rows conduct at once into %d-bit converters, one code of which is %.3g "
                        "steps of a weight",
                        t->name, l->most_rows, bits, l->step);
    const int per_cell = o->map.cell_bits < t->bits ? o->map.cell_bits : t->bits;
    const double levels = (double)l->most_rows * ((1 << per_cell) - 1) + 1;
    return snprintf(text, size,
                    "%s: up to %u rows conduct at once, whose currents have %.0f levels, into converters of "
                    "%d codes (one code is %.3g "
                    "steps of a cell)",
                    t->name, l->most_rows, levels, 1 << bits, l->step);
}

bool snn_analog_warning(const snn_analog_stats *s, const snn_hw_options *o, const snn_map *map, char *text,
                        size_t size) {
    const snn_analog_layer *l = &s->worst;
    const double ratio = noise_to_signal(l);
    if (size > 0)
        text[0] = '\0';
    if (o->analog.adc_bits == 0 || !(ratio * LEAST_SIGNAL_TO_NOISE > 1) || l->tensor < 0 ||
        l->tensor >= map->tensors)
        return false;
    char what[256];
    describe(l, o, &map->tensor[l->tensor], what, sizeof what);
    /* The error goes with the LSB: a bit more halves it. One bit of reserve. */
    int bits = o->analog.adc_bits + 1;
    double left = ratio * LEAST_SIGNAL_TO_NOISE;
    while (left > 1 && bits < 16) {
        left /= 4;
        bits++;
    }
    const double clipped = l->conversions > 0 ? 100.0 * (double)l->clipped / (double)l->conversions : 0;
    snprintf(text, size,
             "%s: the converters' error is %.2g times the spread of the synaptic sums (%.2g %% of "
             "conversions are clipped), which leaves "
             "less than the one bit per sum that a neuron needs; try hw.analog.adc_bits = %d%s or fewer "
             "hw.analog.parallel_rows",
             what, sqrt(ratio), clipped, bits,
             o->analog.adc_range > 0 ? ", hw.analog.adc_range = 0 (calibrated)" : "");
    return true;
}
