/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ledger of digital read-out: each row read drives one word line per array that the row word touches, senses every cell of the row word that is in use, and adds one weight per lane. What a row word holds is
 * counted from the map and the stored weights (ledger_word.c), how many are read by the engine.
 */
#include "ledger.h"

static const char *const state_name[SNN_CELL_STATES] = {"cells read at the lowest level (HRS)",
                                                        "cells read at levels between",
                                                        "cells read at the highest level (LRS)"};

/* Rows are taken as equally often read. */
static bool array_energy(const snn_ledger_job *j, const snn_map_tensor *t, const snn_row_word *w,
                         double reads) {
    const snn_device *d = &j->options->device;
    bool ok = true;
    for (int k = 0; ok && k < SNN_CELL_STATES; k++) {
        const double g = w->microsiemens[k],
                     pj = g * 1e-6 * d->read_volt * d->read_volt * d->read_ns * 1e-9 * 1e12;
        if (w->state[k] > 0)
            ok = snn_ledger_add(
                j->ledger, snn_ledger_energy("array", t->layer, reads * w->state[k], state_name[k], pj),
                j->err,
                "layer %s: %.6g row words x %.6g of their %.6g cells (mean over rows); G V^2 t = %.4g uS "
                "(mean target) x (%g V)^2 x %g ns; V and t: device %s (%s)",
                t->name, reads, w->state[k], w->cells, g, d->read_volt, d->read_ns, d->name,
                d->source ? d->source : "no source");
    }
    return ok;
}

static bool sense_energy(const snn_ledger_job *j, const snn_map_tensor *t, const snn_row_word *w,
                         double reads) {
    bool tabulated;
    const snn_constant *c = &snn_constants[snn_constant_sense(j->options->device.node_nm, &tabulated)];
    snn_ledger_row row = snn_ledger_energy("sense amplifiers", t->layer, reads * w->comparisons,
                                           "comparisons", c->value * SNN_LEDGER_FJ);
    row.assumption = !tabulated;
    return snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: %.6g row words x %.6g comparisons, one less than its levels for each of "
                          "%.6g cells; %g fJ, %s, %s%s (%s)",
                          t->name, reads, w->comparisons, w->cells, c->value, c->node, c->condition,
                          tabulated ? "" : "; another node (assumed)", c->source);
}

static bool adder_energy(const snn_ledger_job *j, const snn_map_tensor *t, double reads) {
    const double fj = snn_ledger_constant(SNN_CONSTANT_ADD16);
    return snn_ledger_add(j->ledger,
                          snn_ledger_energy("adders", t->layer, reads * t->outputs, "additions of a weight",
                                            fj * SNN_LEDGER_FJ),
                          j->err, "layer %s: one 16-bit addition per lane and row read, %g fJ at 45 nm (%s)",
                          t->name, fj, snn_ledger_source(SNN_CONSTANT_ADD16));
}

/* A syndrome is an exclusive or over the code word; half of its gates toggle. */
static bool code_energy(const snn_ledger_job *j, const snn_map_tensor *t, const snn_row_word *w,
                        double reads) {
    const double fj = snn_ledger_constant(SNN_CONSTANT_XOR);
    snn_ledger_row row = snn_ledger_energy("repair", t->layer, reads * w->gates, "XOR gates of syndromes",
                                           fj / 2 * SNN_LEDGER_FJ);
    row.assumption = true;
    return w->words == 0 ||
           snn_ledger_add(j->ledger, row, j->err,
                          "layer %s: SEC-DED, %.6g row words x %.6g code words that hold data, %.6g gates in "
                          "all; half of them toggle (assumed), %g fJ each at 130 nm (%s); locating and "
                          "inverting the wrong bit not included",
                          t->name, reads, w->words, w->gates, fj, snn_ledger_source(SNN_CONSTANT_XOR));
}

/* Each column of a lane takes the bit of any of its cells: a cells-to-1 multiplexer, which is cells - 1 of 2 to 1. */
static bool switch_energy(const snn_ledger_job *j, const snn_map_tensor *t, const snn_row_word *w,
                          double reads) {
    const double fj = snn_ledger_constant(SNN_CONSTANT_XOR);
    snn_ledger_row row = snn_ledger_energy("repair", t->layer, reads * w->switches, "2-to-1 multiplexers",
                                           fj / 2 * SNN_LEDGER_FJ);
    row.assumption = true;
    return w->switches == 0 ||
           snn_ledger_add(
               j->ledger, row, j->err,
               "layer %s: placement of bits, %.6g row words x %u lanes x %u columns, each a "
               "multiplexer of %u to 1; half of them toggle, each as costly as an XOR gate, %g fJ at "
               "130 nm (both assumed; %s); the table of places not included",
               t->name, reads, t->outputs, t->cells, t->cells, fj, snn_ledger_source(SNN_CONSTANT_XOR));
}

bool snn_ledger_digital(const snn_ledger_job *j, const snn_map_tensor *t) {
    const snn_layer_activity *a = &j->run->layer[t->layer];
    const uint64_t words =
        snn_ledger_recurrent(j, t) ? a->recurrent_words : a->row_words - a->recurrent_words;
    const double reads = (double)words / j->inferences, ns = j->options->device.read_ns;
    snn_row_word w;
    return snn_ledger_word(j, t, &w) && array_energy(j, t, &w, reads) && sense_energy(j, t, &w, reads) &&
           snn_ledger_drivers(j, t->name, t->layer, reads * t->column_tiles) && adder_energy(j, t, reads) &&
           code_energy(j, t, &w, reads) && switch_energy(j, t, &w, reads) &&
           snn_ledger_add(j->ledger, snn_ledger_latency("array", t->layer, reads, "row reads in turn", ns),
                          j->err, "layer %s: spikes come one by one, a row read takes %g ns (device %s)",
                          t->name, ns, j->options->device.name);
}

bool snn_ledger_line(const snn_ledger_job *j, const snn_map_tensor *t) {
    snn_row_word w;
    return snn_ledger_word(j, t, &w) && array_energy(j, t, &w, 1) && sense_energy(j, t, &w, 1) &&
           snn_ledger_drivers(j, t->name, t->layer, t->column_tiles);
}
