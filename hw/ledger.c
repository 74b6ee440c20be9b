/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ledger of energy, latency and area: what a chip did per inference (counted events) times constants (constants.c). The parts are in ledger_digital.c, ledger_analog.c and ledger_parts.c, this file has the list and its totals. */
#include "ledger.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool snn_ledger_add(snn_ledger *l, snn_ledger_row row, snn_error *err, const char *derivation, ...) {
    void *array = l->row;
    if (!snn_grow(&array, &l->capacity, l->rows + 1, sizeof *l->row, err))
        return false;
    l->row = array;
    va_list args;
    va_start(args, derivation);
    vsnprintf(row.derivation, sizeof row.derivation, derivation, args);
    va_end(args);
    row.total = row.count * row.unit_value;
    l->row[l->rows++] = row;
    return true;
}

/* Adds a row to the totals of its quantity. */
static void total(snn_ledger *l, const snn_ledger_row *row) {
    const double sourced = row->assumption ? 0 : row->total;
    if (row->quantity == SNN_LEDGER_AREA) {
        l->area_um2 += row->total;
        l->area_sourced_um2 += sourced;
    } else if (row->quantity == SNN_LEDGER_ENERGY && row->per_inference) {
        l->energy_pj += row->total;
        l->energy_sourced_pj += sourced;
    } else if (row->quantity == SNN_LEDGER_ENERGY) {
        l->programming_pj += row->total;
    } else if (row->per_inference) {
        l->latency_ns += row->total;
        l->latency_sourced_ns += sourced;
    } else {
        l->programming_ns += row->total;
    }
}

bool snn_ledger_fill(const snn_chips_result *r, const snn_net *net, const snn_map *map,
                     const snn_hw_options *o, const snn_weights *stored, snn_ledger *l, snn_error *err) {
    *l = (snn_ledger){0};
    const double inferences = (double)r->chips * (double)r->samples;
    if (inferences == 0)
        return true;
    const snn_ledger_job j = {r, net, map, o, stored, inferences, l, err};
    const bool digital = o->readout == SNN_READOUT_DIGITAL;
    bool ok = true;
    for (int i = 0; ok && i < map->tensors; i++)
        ok = snn_ledger_neurons(&j, &map->tensor[i]) && (!digital || snn_ledger_digital(&j, &map->tensor[i]));
    ok = ok && (digital || snn_ledger_analog(&j)) && snn_ledger_programming(&j) && snn_ledger_area(&j);
    for (size_t i = 0; ok && i < l->rows; i++)
        total(l, &l->row[i]);
    if (!ok)
        snn_ledger_free(l);
    return ok;
}

bool snn_ledger_read(const snn_map *map, const snn_hw_options *o, const snn_weights *stored, int tensor,
                     snn_ledger *l, snn_error *err) {
    *l = (snn_ledger){0};
    const snn_ledger_job j = {
        .map = map, .options = o, .stored = stored, .inferences = 1, .ledger = l, .err = err};
    if (!snn_ledger_line(&j, &map->tensor[tensor])) {
        snn_ledger_free(l);
        return false;
    }
    for (size_t i = 0; i < l->rows; i++)
        total(l, &l->row[i]);
    return true;
}

void snn_ledger_free(snn_ledger *l) {
    free(l->row);
    *l = (snn_ledger){0};
}

/* ---- for people ---- */

static void print_row(const snn_ledger_row *row, FILE *out) {
    const char *unit = row->quantity == SNN_LEDGER_ENERGY    ? "pJ"
                       : row->quantity == SNN_LEDGER_LATENCY ? "ns"
                                                             : "um2";
    fprintf(out, "%s%s\n", row->part,
            row->per_inference || row->quantity == SNN_LEDGER_AREA ? "" : " (once per chip)");
    if (row->unit_value > 0)
        fprintf(out, "    %.6g %s x %.6g %s = %.6g %s%s\n", row->count, row->counted, row->unit_value, unit,
                row->total, unit, row->assumption ? "  [assumption]" : "");
    else
        fprintf(out, "    %.6g %s, not known\n", row->count, row->counted);
    fprintf(out, "    %s\n", row->derivation);
}

bool snn_ledger_explain(const snn_ledger *l, snn_quantity q, FILE *out, snn_error *err) {
    static const char *const title[] = {"Energy per inference", "Latency per inference", "Area"};
    fprintf(out, "%s\n\n", title[q]);
    for (size_t i = 0; i < l->rows; i++)
        if (l->row[i].quantity == q)
            print_row(&l->row[i], out);
    if (q == SNN_LEDGER_ENERGY)
        fprintf(out,
                "\nPer inference: %.6g pJ; without assumptions %.6g pJ. Programming: %.6g pJ per chip.\n",
                l->energy_pj, l->energy_sourced_pj, l->programming_pj);
    else if (q == SNN_LEDGER_LATENCY)
        fprintf(out,
                "\nPer inference: %.6g ns; without assumptions %.6g ns. Programming: %.6g ns per chip.\n",
                l->latency_ns, l->latency_sourced_ns, l->programming_ns);
    else
        fprintf(out, "\nIn all: %.6g um2; without assumptions %.6g um2.\n", l->area_um2, l->area_sourced_um2);
    return !ferror(out) || snn_fail_errno(err, "cannot write the explanation");
}
