/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of the ledger. Digital read-out: each row read drives one word line per array of the row, senses every cell of the row word and adds one weight per lane.
 * Analogue read-out counts its own events (snn_analog_stats). Neurons: every neuron of a layer is updated at every time step, as the chip does it, not only where something changed.
 */
#include "constants.h"
#include "ledger.h"

#include <math.h>
#include <string.h>

#define FJ 1e-3 /* pJ */

static double constant(snn_constant_index i) {
    return snn_constants[i].value;
}

static const char *source(snn_constant_index i) {
    return snn_constants[i].source ? snn_constants[i].source : "assumption";
}

static bool digital(const snn_ledger_job *j) {
    return j->options->readout == SNN_READOUT_DIGITAL;
}

/* Row words that a layer reads per inference. An input of count c is c reads, of kernel^2 row words for a convolution, fewer at the border; synops tell how many, since each touched
 * synapse is one lane of one row word. */
static double row_reads(const snn_ledger_job *j, const snn_map_tensor *t) {
    const snn_layer_activity *a = &j->run->layer[t->layer];
    if (a->inputs == 0)
        return 0;
    const double words = (double)a->synops / t->outputs;
    return words * ((double)a->input_counts / (double)a->inputs) / j->inferences;
}

/* Mean target conductance [uS] of a tensor's cells. */
static double mean_conductance(const snn_ledger_job *j, const snn_map_tensor *t) {
    const snn_tensor *w = &j->stored->tensor[t->tensor];
    const snn_device *d = &j->options->device;
    double sum = 0;
    uint64_t n = 0;
    for (uint64_t i = 0; i < w->count; i++) {
        uint8_t level[16];
        snn_map_levels(j->map, t, w->type == SNN_CODE_8 ? w->code8[i] : w->code16[i], level);
        for (uint32_t c = 0; c < t->cells; c++, n++) {
            const int bits = j->map->options.cell_bits,
                      own = c + 1 == t->cells && t->bits % bits ? t->bits % bits : bits;
            sum += d->g_min + (d->g_max - d->g_min) * level[c] / ((1 << own) - 1);
        }
    }
    return n ? sum / (double)n : 0;
}

/* ---- one layer ---- */

static snn_ledger_row energy(const char *part, int layer, double count, const char *counted, double pj) {
    return (snn_ledger_row){.part = part,
                            .layer = layer,
                            .quantity = SNN_LEDGER_ENERGY,
                            .count = count,
                            .counted = counted,
                            .unit_value = pj,
                            .per_inference = true};
}

/* Cells of one row word, check cells of SEC-DED included. */
static double word_cells(const snn_ledger_job *j, const snn_map_tensor *t) {
    return (double)t->outputs * t->cells + (double)j->map->check_columns * t->column_tiles;
}

static bool array_energy(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    const snn_device *d = &j->options->device;
    const double g = mean_conductance(j, t),
                 pj = g * 1e-6 * d->read_volt * d->read_volt * d->read_ns * 1e-9 * 1e12;
    return snn_ledger_add(j->ledger, energy("array", t->layer, reads * word_cells(j, t), "cells read", pj),
                          j->err,
                          "layer %s: %.6g row words x %.6g cells; G V^2 t = %.4g uS x (%g V)^2 x %g ns, mean "
                          "target conductance of "
                          "the layer's cells; V and t: device %s (%s)",
                          t->name, reads, word_cells(j, t), g, d->read_volt, d->read_ns, d->name,
                          d->source ? d->source : "no source");
}

static bool sense_energy(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    const int comparisons = (1 << j->map->options.cell_bits) - 1;
    bool tabulated;
    const snn_constant *c = &snn_constants[snn_constant_sense(j->options->device.node_nm, &tabulated)];
    snn_ledger_row row = energy("sense amplifiers", t->layer, reads * word_cells(j, t) * comparisons,
                                "comparisons", c->value * FJ);
    row.assumption = !tabulated;
    return snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: %d comparison%s per cell read; %g fJ, %s, %s%s (%s)", t->name,
                          comparisons, comparisons == 1 ? "" : "s", c->value, c->node, c->condition,
                          tabulated ? "" : "; another node (assumed)", c->source);
}

/* Word line of one array: wire capacitance charged to the read voltage; gates of the access transistors are left out. */
static bool driver_energy(const snn_ledger_job *j, const snn_map_tensor *t, double lines) {
    const snn_device *d = &j->options->device;
    const double node = d->node_nm > 0 ? d->node_nm : 22, columns = j->map->all_columns,
                 um = columns * 12 * node * 1e-3,
                 pj = um * constant(SNN_CONSTANT_WIRE) * FJ * d->read_volt * d->read_volt;
    snn_ledger_row row = energy("drivers", t->layer, lines, "word lines", pj);
    row.assumption = d->node_nm <= 0;
    return snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: C V^2 of %g cells x 12 F at F = %g nm%s = %.4g um of wire, %g fF/um "
                          "(%s), %g V; gates of access "
                          "transistors not included",
                          t->name, columns, node, d->node_nm > 0 ? "" : " (assumed)", um,
                          constant(SNN_CONSTANT_WIRE), source(SNN_CONSTANT_WIRE), d->read_volt);
}

static bool adder_energy(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    return snn_ledger_add(j->ledger,
                          energy("adders", t->layer, reads * t->outputs, "additions of a weight",
                                 constant(SNN_CONSTANT_ADD16) * FJ),
                          j->err, "layer %s: one 16-bit addition per lane and row read, %g fJ at 45 nm (%s)",
                          t->name, constant(SNN_CONSTANT_ADD16), source(SNN_CONSTANT_ADD16));
}

/* v <- d v + I: one 32-bit product, one sum, one comparison (a subtraction). */
static bool neuron_energy(const snn_ledger_job *j, const snn_map_tensor *t) {
    const double neurons = snn_shape_size(j->net->layer[t->layer].out), updates = neurons * j->run->steps,
                 fj = constant(SNN_CONSTANT_MULTIPLY32) + 2 * constant(SNN_CONSTANT_ADD32);
    return snn_ledger_add(j->ledger, energy("neurons", t->layer, updates, "membrane updates", fj * FJ),
                          j->err,
                          "layer %s: %g neurons x %d steps; 32-bit product %g fJ + sum and comparison 2 x %g "
                          "fJ at 45 nm (%s)",
                          t->name, neurons, j->run->steps, constant(SNN_CONSTANT_MULTIPLY32),
                          constant(SNN_CONSTANT_ADD32), source(SNN_CONSTANT_ADD32)) &&
           snn_ledger_add(j->ledger,
                          energy("buffers", t->layer, updates, "membranes read and written back",
                                 constant(SNN_CONSTANT_SRAM64) * FJ),
                          j->err,
                          "layer %s: 32 bits in and out of an 8 KiB SRAM, half of a 64-bit access (%g fJ at "
                          "45 nm) each (%s)",
                          t->name, constant(SNN_CONSTANT_SRAM64), source(SNN_CONSTANT_SRAM64));
}

static bool queue_energy(const snn_ledger_job *j, const snn_map_tensor *t) {
    const double inputs = (double)j->run->layer[t->layer].inputs / j->inferences;
    return snn_ledger_add(
        j->ledger,
        energy("buffers", t->layer, inputs, "spikes queued and taken", constant(SNN_CONSTANT_SRAM64) * FJ),
        j->err,
        "layer %s: one 32-bit address into and out of an 8 KiB SRAM, half of a 64-bit access (%g fJ at 45 "
        "nm) each (%s)",
        t->name, constant(SNN_CONSTANT_SRAM64), source(SNN_CONSTANT_SRAM64));
}

/* SEC-DED: a syndrome is an exclusive or over the code word; about half of its gates toggle. */
static bool repair_energy(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    const uint32_t data = j->map->options.code_bits;
    if (!data)
        return true;
    const double checks = log2(data) + 2, gates = checks * data / 2,
                 words = reads * ceil((double)t->lanes * t->cells / data) * t->column_tiles;
    snn_ledger_row row =
        energy("repair", t->layer, words, "code words decoded", gates / 2 * constant(SNN_CONSTANT_XOR) * FJ);
    row.assumption = true;
    return snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: syndrome of %g x %u / 2 XOR gates, half of them toggling (assumed), %g "
                          "fJ each at 130 nm (%s)",
                          t->name, checks, data, constant(SNN_CONSTANT_XOR), source(SNN_CONSTANT_XOR));
}

static bool layer_latency(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    const double ns = j->options->device.read_ns,
                 groups =
                     ceil(snn_shape_size(j->net->layer[t->layer].out) / (double)t->lanes) * j->run->steps;
    snn_ledger_row read = {.part = "array",
                           .layer = t->layer,
                           .quantity = SNN_LEDGER_LATENCY,
                           .count = reads,
                           .counted = "row reads in turn",
                           .unit_value = ns,
                           .per_inference = true};
    snn_ledger_row neurons = {.part = "neurons",
                              .layer = t->layer,
                              .quantity = SNN_LEDGER_LATENCY,
                              .count = groups,
                              .counted = "groups of neurons updated",
                              .unit_value = ns,
                              .per_inference = true,
                              .assumption = true};
    return (!digital(j) ||
            snn_ledger_add(j->ledger, read, j->err,
                           "layer %s: spikes come one by one, a row read takes %g ns (device %s)", t->name,
                           ns, j->options->device.name)) &&
           snn_ledger_add(
               j->ledger, neurons, j->err,
               "layer %s: as many neurons at once as an array has lanes (%u), one read time each (assumed)",
               t->name, t->lanes);
}

bool snn_ledger_layer(const snn_ledger_job *j, const snn_map_tensor *t) {
    const double reads = row_reads(j, t);
    bool ok = neuron_energy(j, t) && queue_energy(j, t) && layer_latency(j, t, reads);
    if (digital(j))
        ok = ok && array_energy(j, t, reads) && sense_energy(j, t, reads) &&
             driver_energy(j, t, reads * t->column_tiles) && adder_energy(j, t, reads) &&
             repair_energy(j, t, reads);
    return ok;
}

/* ---- analogue read-out ---- */

typedef struct {
    double conversions, reads, rows, siemens;
} analog_events;

static analog_events analog_per_inference(const snn_ledger_job *j) {
    analog_events e = {0};
    for (uint32_t i = 0; i < j->run->chips; i++) {
        const snn_analog_stats *a = &j->run->chip[i].analog;
        e.conversions += (double)a->conversions / j->inferences;
        e.reads += (double)a->array_reads / j->inferences;
        e.rows += (double)a->row_pulses / j->inferences;
        e.siemens += a->cell_siemens_reads / j->inferences;
    }
    return e;
}

bool snn_ledger_converters(const snn_ledger_job *j) {
    if (digital(j))
        return true;
    const snn_device *d = &j->options->device;
    const snn_analog_options *a = &j->options->analog;
    const analog_events e = analog_per_inference(j);
    int index;
    bool tabulated;
    const double fj = snn_constant_adc(a->adc_bits, d->node_nm, &index, &tabulated),
                 cells = e.siemens * d->read_volt * d->read_volt * d->read_ns * 1e-9 * 1e12;
    snn_ledger_row adc = energy("ADC", -1, e.conversions, "conversions", a->adc_bits ? fj * FJ : 0);
    adc.assumption = !tabulated;
    const snn_map_tensor any = {.name = "all", .layer = -1};
    const snn_ledger_row shift = energy("adders", -1, e.conversions, "shift-and-add of a conversion",
                                        constant(SNN_CONSTANT_ADD32) * FJ);
    snn_ledger_row time = {.part = "ADC",
                           .layer = -1,
                           .quantity = SNN_LEDGER_LATENCY,
                           .count = e.reads,
                           .counted = "array reads in turn",
                           .unit_value = a->columns_per_adc * d->read_ns,
                           .per_inference = true,
                           .assumption = true};
    return snn_ledger_add(j->ledger, energy("array", -1, 1, "inference", cells), j->err,
                          "sum over cells and reads of G = %.6g S, x (%g V)^2 x %g ns (device %s)", e.siemens,
                          d->read_volt, d->read_ns, d->name) &&
           driver_energy(j, &any, e.rows) &&
           snn_ledger_add(j->ledger, adc, j->err, "%d bit: %.4g fJ, %s, %s%s (%s)", a->adc_bits, fj,
                          snn_constants[index].node, snn_constants[index].condition,
                          tabulated ? "" : "; extrapolated in bits or node (assumed)",
                          snn_constants[index].source) &&
           snn_ledger_add(j->ledger, shift, j->err, "one 32-bit addition per conversion, %g fJ at 45 nm (%s)",
                          constant(SNN_CONSTANT_ADD32), source(SNN_CONSTANT_ADD32)) &&
           snn_ledger_add(
               j->ledger, time, j->err,
               "arrays in turn, %u columns share a converter, one read time per conversion (assumed)",
               a->columns_per_adc);
}

/* ---- programming and area ---- */

bool snn_ledger_programming(const snn_ledger_job *j) {
    const snn_device *d = &j->options->device;
    double pulses = 0;
    for (uint32_t i = 0; i < j->run->chips; i++)
        pulses += (double)j->run->chip[i].program.pulses / j->run->chips;
    const double g = (d->g_min + d->g_max) / 2,
                 pj = g * 1e-6 * d->write_volt * d->write_volt * d->write_ns * 1e-9 * 1e12;
    snn_ledger_row row = {.part = "programming",
                          .layer = -1,
                          .quantity = SNN_LEDGER_ENERGY,
                          .count = pulses,
                          .counted = "write pulses",
                          .unit_value = pj,
                          .assumption = true};
    snn_ledger_row time = row;
    time.quantity = SNN_LEDGER_LATENCY;
    time.count = pulses / j->map->all_columns; /* a row at once */
    time.counted = "rows written";
    time.unit_value = d->write_ns;
    return snn_ledger_add(j->ledger, row, j->err,
                          "G V^2 t = %.4g uS x (%g V)^2 x %g ns; V and t: device %s; the conductance during "
                          "a pulse is assumed "
                          "to be the middle of the range",
                          g, d->write_volt, d->write_ns, d->name) &&
           snn_ledger_add(j->ledger, time, j->err,
                          "the cells of a row are written at once (assumed), %g ns a pulse (device %s)",
                          d->write_ns, d->name);
}

static snn_ledger_row area(const char *part, double count, const char *counted, double um2) {
    return (snn_ledger_row){.part = part,
                            .layer = -1,
                            .quantity = SNN_LEDGER_AREA,
                            .count = count,
                            .counted = counted,
                            .unit_value = um2};
}

bool snn_ledger_area(const snn_ledger_job *j) {
    const double node = j->options->device.node_nm > 0 ? j->options->device.node_nm : 22,
                 cell = constant(SNN_CONSTANT_CELL_AREA) * node * node * 1e-6;
    snn_ledger_row cells =
        area("array", (double)j->map->array_cells, "cells, spare and check cells included", cell);
    cells.assumption = j->options->device.node_nm <= 0;
    const double columns = (double)j->map->tiles * j->map->all_columns;
    const bool known = !digital(j) && j->options->analog.adc_bits == 8;
    const double n = digital(j) ? columns : ceil(columns / j->options->analog.columns_per_adc);
    snn_ledger_row reading =
        area(digital(j) ? "sense amplifiers" : "ADC", n, digital(j) ? "amplifiers" : "converters",
             known ? constant(SNN_CONSTANT_ADC_AREA) : 0);
    return snn_ledger_add(j->ledger, cells, j->err, "1T1R, 4 F x 12 F at F = %g nm%s (%s)", node,
                          j->options->device.node_nm > 0 ? "" : " (assumed)",
                          source(SNN_CONSTANT_CELL_AREA)) &&
           snn_ledger_add(j->ledger, reading, j->err, "%s",
                          known ? "8 bit: 1200 um2 (converter of ISAAC, MNSIM 2.0, ADC.py)"
                                : "no area of a published design was found");
}
