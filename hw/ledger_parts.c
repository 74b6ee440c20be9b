/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of the ledger that both ways of read-out have: drivers, neurons, buffers, programming, area. Neurons: every neuron of a layer is updated at every time step, as the chip does it, not
 * only where something changed.
 */
#include "ledger.h"

#include <math.h>

double snn_ledger_constant(snn_constant_index i) {
    return snn_constants[i].value;
}

const char *snn_ledger_source(snn_constant_index i) {
    return snn_constants[i].source ? snn_constants[i].source : "assumption";
}

static bool digital(const snn_ledger_job *j) {
    return j->options->readout == SNN_READOUT_DIGITAL;
}

snn_ledger_row snn_ledger_energy(const char *part, int layer, double count, const char *counted, double pj) {
    return (snn_ledger_row){.part = part,
                            .layer = layer,
                            .quantity = SNN_LEDGER_ENERGY,
                            .count = count,
                            .counted = counted,
                            .unit_value = pj,
                            .per_inference = true};
}

snn_ledger_row snn_ledger_latency(const char *part, int layer, double count, const char *counted, double ns) {
    snn_ledger_row row = snn_ledger_energy(part, layer, count, counted, ns);
    row.quantity = SNN_LEDGER_LATENCY;
    return row;
}

/* ---- drivers ---- */

bool snn_ledger_drivers(const snn_ledger_job *j, const char *name, int layer, double lines) {
    const snn_device *d = &j->options->device;
    const double node = d->node_nm > 0 ? d->node_nm : 22, columns = j->map->all_columns,
                 um = columns * 12 * node * 1e-3,
                 pj = um * snn_ledger_constant(SNN_CONSTANT_WIRE) * SNN_LEDGER_FJ * d->read_volt *
                      d->read_volt;
    snn_ledger_row row = snn_ledger_energy("drivers", layer, lines, "word lines", pj);
    row.assumption = d->node_nm <= 0;
    return snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: C V^2 of %g cells x 12 F at F = %g nm%s = %.4g um of wire, %g fF/um "
                          "(%s), %g V; gates of access transistors not included",
                          name, columns, node, d->node_nm > 0 ? "" : " (assumed)", um,
                          snn_ledger_constant(SNN_CONSTANT_WIRE), snn_ledger_source(SNN_CONSTANT_WIRE),
                          d->read_volt);
}

/* ---- neurons ---- */

/* v <- d v + I: one 32-bit product, one sum, one comparison (a subtraction). */
static bool neuron_energy(const snn_ledger_job *j, const snn_map_tensor *t) {
    const double neurons = snn_shape_size(j->net->layer[t->layer].out), updates = neurons * j->run->steps,
                 fj = snn_ledger_constant(SNN_CONSTANT_MULTIPLY32) +
                      2 * snn_ledger_constant(SNN_CONSTANT_ADD32);
    return snn_ledger_add(
               j->ledger,
               snn_ledger_energy("neurons", t->layer, updates, "membrane updates", fj * SNN_LEDGER_FJ),
               j->err,
               "layer %s: %g neurons x %d steps; 32-bit product %g fJ + sum and comparison 2 x %g "
               "fJ at 45 nm (%s)",
               t->name, neurons, j->run->steps, snn_ledger_constant(SNN_CONSTANT_MULTIPLY32),
               snn_ledger_constant(SNN_CONSTANT_ADD32), snn_ledger_source(SNN_CONSTANT_ADD32)) &&
           snn_ledger_add(j->ledger,
                          snn_ledger_energy("buffers", t->layer, updates, "membranes read and written back",
                                            snn_ledger_constant(SNN_CONSTANT_SRAM64) * SNN_LEDGER_FJ),
                          j->err,
                          "layer %s: 32 bits in and out of an 8 KiB SRAM, half of a 64-bit access (%g fJ at "
                          "45 nm) each (%s)",
                          t->name, snn_ledger_constant(SNN_CONSTANT_SRAM64),
                          snn_ledger_source(SNN_CONSTANT_SRAM64));
}

static bool queue_energy(const snn_ledger_job *j, const snn_map_tensor *t) {
    const snn_layer_activity *a = &j->run->layer[t->layer];
    const double inputs =
        (double)(snn_ledger_recurrent(j, t) ? a->recurrent_inputs : a->inputs - a->recurrent_inputs) /
        j->inferences;
    return snn_ledger_add(
        j->ledger,
        snn_ledger_energy("buffers", t->layer, inputs, "spikes queued and taken",
                          snn_ledger_constant(SNN_CONSTANT_SRAM64) * SNN_LEDGER_FJ),
        j->err,
        "layer %s: one 32-bit address into and out of an 8 KiB SRAM, half of a 64-bit access (%g fJ at 45 "
        "nm) each (%s)",
        t->name, snn_ledger_constant(SNN_CONSTANT_SRAM64), snn_ledger_source(SNN_CONSTANT_SRAM64));
}

static bool neuron_latency(const snn_ledger_job *j, const snn_map_tensor *t) {
    const double groups =
        ceil(snn_shape_size(j->net->layer[t->layer].out) / (double)t->lanes) * j->run->steps;
    snn_ledger_row row = snn_ledger_latency("neurons", t->layer, groups, "groups of neurons updated",
                                            j->options->device.read_ns);
    row.assumption = true;
    return snn_ledger_add(
        j->ledger, row, j->err,
        "layer %s: as many neurons at once as an array has lanes (%u), one read time each (assumed)", t->name,
        t->lanes);
}

bool snn_ledger_recurrent(const snn_ledger_job *j, const snn_map_tensor *t) {
    return snn_layer_recurrent_tensor(&j->net->layer[t->layer]) == t->tensor;
}

bool snn_ledger_neurons(const snn_ledger_job *j, const snn_map_tensor *t) {
    if (snn_ledger_recurrent(j, t))
        return queue_energy(j, t);
    return neuron_energy(j, t) && queue_energy(j, t) && neuron_latency(j, t);
}

/* ---- programming ---- */

bool snn_ledger_programming(const snn_ledger_job *j) {
    const snn_device *d = &j->options->device;
    double pulses = 0, rows = 0;
    for (uint32_t i = 0; i < j->run->chips; i++) {
        pulses += (double)j->run->chip[i].program.pulses / j->run->chips;
        rows += (double)j->run->chip[i].program.row_pulses / j->run->chips;
    }
    const double g = (d->g_min + d->g_max) / 2,
                 pj = g * 1e-6 * d->write_volt * d->write_volt * d->write_ns * 1e-9 * 1e12;
    snn_ledger_row row = snn_ledger_energy("programming", -1, pulses, "write pulses", pj),
                   time = snn_ledger_latency("programming", -1, rows, "pulses of rows in turn", d->write_ns);
    row.assumption = time.assumption = true;
    row.per_inference = time.per_inference = false;
    return snn_ledger_add(j->ledger, row, j->err,
                          "G V^2 t = %.4g uS x (%g V)^2 x %g ns; V and t: device %s; the conductance during "
                          "a pulse is assumed to be the middle of the range",
                          g, d->write_volt, d->write_ns, d->name) &&
           snn_ledger_add(
               j->ledger, time, j->err,
               "rows of all arrays in turn, the cells of a row at once (assumed): as many pulses as "
               "its slowest cell took, %g ns each (device %s); reads that verify not included",
               d->write_ns, d->name);
}

/* ---- area ---- */

static snn_ledger_row area(const char *part, double count, const char *counted, double um2) {
    snn_ledger_row row = snn_ledger_energy(part, -1, count, counted, um2);
    row.quantity = SNN_LEDGER_AREA;
    row.per_inference = false;
    return row;
}

static bool cell_area(const snn_ledger_job *j) {
    const bool known = j->options->device.node_nm > 0;
    const double node = known ? j->options->device.node_nm : 22,
                 cell = snn_ledger_constant(SNN_CONSTANT_CELL_AREA) * node * node * 1e-6,
                 tiles = j->map->tiles, columns = j->map->options.columns,
                 checks = tiles * j->map->options.rows * j->map->check_columns,
                 spare = (double)j->map->array_cells - tiles * j->map->options.rows * columns - checks;
    snn_ledger_row row =
        area("array", (double)j->map->array_cells, "cells, spare and check cells included", cell);
    row.assumption = !known;
    return snn_ledger_add(j->ledger, row, j->err,
                          "1T1R, 4 F x 12 F at F = %g nm%s (%s); %g check cells and %g of spare lines among "
                          "them%s",
                          node, known ? "" : " (assumed)", snn_ledger_source(SNN_CONSTANT_CELL_AREA), checks,
                          spare, spare > 0 ? "; the table of replaced lines not included" : "");
}

/* All comparisons of a cell at once, so as many amplifiers as references. */
static bool reading_area(const snn_ledger_job *j) {
    const double tiles = j->map->tiles, columns = j->map->all_columns;
    if (digital(j))
        return snn_ledger_add(j->ledger,
                              area("sense amplifiers",
                                   tiles * columns * ((1 << j->map->options.cell_bits) - 1), "amplifiers", 0),
                              j->err, "no area of a published design was found");
    const bool known = j->options->analog.adc_bits == 8;
    const double n = tiles * ceil(columns / j->options->analog.columns_per_adc);
    return snn_ledger_add(
        j->ledger, area("ADC", n, "converters", known ? snn_ledger_constant(SNN_CONSTANT_ADC_AREA) : 0),
        j->err, "%s",
        known ? "8 bit: 1200 um2 (converter of ISAAC, MNSIM 2.0, ADC.py)"
              : "no area of a published design was found");
}

/* Arrays are built whole: their unused columns have gates too. */
static bool repair_area(const snn_ledger_job *j) {
    const double um2 = snn_ledger_constant(SNN_CONSTANT_XOR_AREA);
    double gates, switches = 0;
    if (!snn_ledger_array_gates(j, &gates))
        return false;
    for (int i = 0; j->options->msb_placement && i < j->map->tensors; i++) {
        const snn_map_tensor *t = &j->map->tensor[i];
        switches += (double)t->row_tiles * t->column_tiles * t->lanes * t->cells * (t->cells - 1);
    }
    snn_ledger_row codes = area("repair", gates * j->map->tiles, "XOR gates of syndromes", um2),
                   lanes = area("repair", switches, "2-to-1 multiplexers", um2);
    codes.assumption = lanes.assumption = true;
    return (gates == 0 ||
            snn_ledger_add(j->ledger, codes, j->err,
                           "SEC-DED: %u arrays x %g gates; %g um2 each at 130 nm (%s), whatever the array's "
                           "node (assumed); encoders and locating the wrong bit not included",
                           j->map->tiles, gates, um2, snn_ledger_source(SNN_CONSTANT_XOR_AREA))) &&
           (switches == 0 ||
            snn_ledger_add(j->ledger, lanes, j->err,
                           "placement of bits: one cells-to-1 multiplexer for each column of each lane; as "
                           "large as XOR gates, %g um2 at 130 nm (both assumed; %s); the table of places not "
                           "included",
                           um2, snn_ledger_source(SNN_CONSTANT_XOR_AREA)));
}

bool snn_ledger_area(const snn_ledger_job *j) {
    return cell_area(j) && reading_area(j) && repair_area(j);
}
