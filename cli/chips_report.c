/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section `hardware` of report.json, and chips.csv. Fields: docs/metrics.md. */
#include "chips.h"
#include "json.h"

#include <inttypes.h>
#include <string.h>

/* ---- what the chips are ---- */

static json_t *effects(const snn_hw_options *o) {
    json_t *names = json_array();
    for (int e = 0; e < SNN_EFFECTS; e++)
        if (o->condition.effects >> e & 1)
            json_array_append_new(names, cli_json_text(snn_effect_name((snn_effect)e)));
    return names;
}

static json_t *device(const snn_hw_options *o) {
    const snn_device *d = &o->device;
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o}", "name", cli_json_text(d->name), "source",
                     cli_json_text(d->source ? d->source : ""), "g_min_us", cli_json_real(d->g_min),
                     "g_max_us", cli_json_real(d->g_max), "levels", d->levels, "effects", effects(o));
}

static json_t *condition(const snn_hw_options *o) {
    const snn_condition *c = &o->condition;
    return json_pack("{s:o, s:o, s:o, s:o, s:i}", "seconds", cli_json_real(c->seconds), "kelvin",
                     cli_json_real(c->kelvin), "reads_before", cli_json_count(c->reads), "verify_window_us",
                     cli_json_real(c->verify_window), "verify_pulses", c->verify_pulses);
}

static json_t *map(const cli_chips *c) {
    const snn_map *m = c->map;
    return json_pack("{s:[i, i], s:i, s:i, s:i, s:i, s:o, s:o, s:o}", "array", (int)m->options.rows,
                     (int)m->options.columns, "cell_bits", m->options.cell_bits, "spare_rows",
                     (int)m->options.spare_rows, "spare_columns", (int)m->options.spare_columns,
                     "check_columns", (int)m->check_columns, "arrays", cli_json_count(m->tiles),
                     "weight_cells", cli_json_count(m->weight_cells), "array_cells",
                     cli_json_count(m->array_cells));
}

/* ---- what they did ---- */

static json_t *accuracy(const snn_chips_result *r) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "mean", cli_json_real(r->mean), "sd",
                     cli_json_real(r->sd), "worst", cli_json_real(r->worst), "quantile_05",
                     cli_json_real(r->quantile[0]), "quantile_25", cli_json_real(r->quantile[1]), "median",
                     cli_json_real(r->quantile[2]), "quantile_75", cli_json_real(r->quantile[3]),
                     "quantile_95", cli_json_real(r->quantile[4]), "best", cli_json_real(r->best));
}

static json_t *ideal(const snn_chips_ideal *i) {
    if (!i->metrics)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:s}", "samples", cli_json_count(i->metrics->samples), "correct",
                     cli_json_count(i->metrics->correct), "accuracy",
                     cli_json_interval(snn_metrics_accuracy(i->metrics)), "digest", i->digest);
}

static json_t *readout(const snn_chips_result *r) {
    const snn_readout_stats *s = &r->readout;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "bits", cli_json_count(s->bits),
                     "wrong_bits", cli_json_count(s->wrong_bits), "bit_error_rate",
                     cli_json_real(r->bit_error_rate), "wrong_cells", cli_json_count(s->wrong_cells),
                     "corrected_words", cli_json_count(s->corrected), "uncorrectable_words",
                     cli_json_count(s->uncorrectable), "read_error_rate", cli_json_real(s->read_error_rate),
                     "weak_cells", cli_json_count(s->weak_cells));
}

static json_t *programming(const snn_chips_result *r) {
    const snn_program_stats *p = &r->program;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cells", cli_json_count(p->cells),
                     "pulses", cli_json_count(p->pulses), "row_pulses", cli_json_count(p->row_pulses),
                     "unverified", cli_json_count(p->unverified), "worn", cli_json_count(p->worn),
                     "stuck_hrs", cli_json_count(p->stuck_hrs), "stuck_lrs", cli_json_count(p->stuck_lrs),
                     "rows_replaced", cli_json_count(p->rows_replaced), "columns_replaced",
                     cli_json_count(p->columns_replaced), "lanes_permuted",
                     cli_json_count(p->lanes_permuted));
}

static json_t *analog(const snn_analog_stats *a) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "conversions", cli_json_count(a->conversions),
                     "clipped", cli_json_count(a->clipped), "array_reads", cli_json_count(a->array_reads),
                     "row_pulses", cli_json_count(a->row_pulses), "turns", cli_json_count(a->turns),
                     "most_rows", cli_json_count(a->most_rows));
}

/* ---- what it costs ---- */

static const char *const quantity_name[] = {"energy", "latency", "area"};

static json_t *ledger_rows(const cli_chips *c) {
    json_t *rows = json_array();
    for (size_t i = 0; i < c->ledger.rows; i++) {
        const snn_ledger_row *r = &c->ledger.row[i];
        json_array_append_new(rows,
                              json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "part",
                                        cli_json_text(r->part), "layer", r->layer, "quantity",
                                        quantity_name[r->quantity], "count", cli_json_real(r->count),
                                        "counted", cli_json_text(r->counted ? r->counted : ""), "unit_value",
                                        cli_json_real(r->unit_value), "total", cli_json_real(r->total),
                                        "assumption", (int)r->assumption, "per_inference",
                                        (int)r->per_inference, "derivation", cli_json_text(r->derivation)));
    }
    return rows;
}

static json_t *ledger(const cli_chips *c) {
    const snn_ledger *l = &c->ledger;
    if (!c->accounted)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "energy_pj",
                     cli_json_real(l->energy_pj), "energy_sourced_pj", cli_json_real(l->energy_sourced_pj),
                     "latency_ns", cli_json_real(l->latency_ns), "latency_sourced_ns",
                     cli_json_real(l->latency_sourced_ns), "area_um2", cli_json_real(l->area_um2),
                     "area_sourced_um2", cli_json_real(l->area_sourced_um2), "programming_pj",
                     cli_json_real(l->programming_pj), "programming_ns", cli_json_real(l->programming_ns),
                     "rows", ledger_rows(c));
}

static json_t *timing(const snn_chips_result *r) {
    return json_pack("{s:o, s:o, s:o}", "program_seconds", cli_json_real(r->program_seconds),
                     "readout_seconds", cli_json_real(r->readout_seconds), "pack_seconds",
                     cli_json_real(r->pack_seconds));
}

json_t *cli_chips_report(const cli_chips *c) {
    const snn_hw_options *o = &c->options;
    const snn_chips_result *r = &c->result;
    bool is_analog = o->readout == SNN_READOUT_ANALOG;
    json_t *h =
        json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device", device(o),
                  "readout_mode", is_analog ? "analog" : "digital", "condition", condition(o), "map", map(c),
                  "chips", cli_json_count(r->chips), "samples_per_chip", cli_json_count(r->samples),
                  "accuracy", accuracy(r), "ideal", ideal(&r->ideal), "readout", readout(r), "programming",
                  programming(r), "ledger", ledger(c), "timing", timing(r));
    if (h && is_analog)
        json_object_set_new(h, "analog", analog(&r->analog));
    return h;
}

/* ---- chips.csv ---- */

bool cli_chips_table(const cli_chips *c, FILE *out, snn_error *err) {
    const snn_chips_result *r = &c->result;
    fputs(
        "chip,samples,correct,accuracy,bits,wrong_bits,read_error_rate,wrong_cells,weak_cells,corrected_"
        "words,"
        "uncorrectable_words,cells,pulses,unverified,worn,stuck_hrs,stuck_lrs,rows_replaced,columns_replaced,"
        "lanes_permuted,conversions,clipped,digest\n",
        out);
    for (uint32_t i = 0; i < r->chips; i++) {
        const snn_chip_result *k = &r->chip[i];
        const snn_readout_stats *s = &k->readout;
        const snn_program_stats *p = &k->program;
        fprintf(out, "%" PRIu64 ",%zu,%" PRIu64 ",%.9g,%" PRIu64 ",%" PRIu64 ",%.9g", k->chip, r->samples,
                k->correct, k->accuracy, s->bits, s->wrong_bits, s->read_error_rate);
        fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, s->wrong_cells, s->weak_cells,
                s->corrected, s->uncorrectable);
        fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, p->cells,
                p->pulses, p->unverified, p->worn, p->stuck_hrs, p->stuck_lrs);
        fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s\n", p->rows_replaced,
                p->columns_replaced, p->lanes_permuted, k->analog.conversions, k->analog.clipped, k->digest);
    }
    return !ferror(out) || snn_fail_errno(err, "cannot write chips.csv");
}
