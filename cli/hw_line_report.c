/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of snnsim hw line, for people and as JSON. */
#include "hw_line.h"

#include <math.h>

static double per_inference(const cli_line *l, uint64_t n) {
    return (double)n / (double)l->key.ran;
}

static double added(const cli_line *l, const cli_line_row *r) {
    return per_inference(l, r->tile.cycles) - per_inference(l, r->pass_through);
}

/* ---- JSON ---- */

static json_t *cost_json(const cli_line_row *r) {
    const snn_decryption *d = &r->cost;
    if (!r->known)
        return json_null();
    return json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "plain", d->plain->name, "with",
                     d->with->name, "period_ns", cli_json_real(d->period_ns), "misses_period", (int)d->misses,
                     "time_ns", cli_json_real(d->ns), "added_time_ns", cli_json_real(d->added_ns),
                     "readout_pJ", cli_json_real(d->plain_pj), "decryptor_pJ", cli_json_real(d->added_pj),
                     "readout_leakage_pJ", cli_json_real(d->plain_leakage_pj), "decryptor_leakage_pJ",
                     cli_json_real(d->added_leakage_pj));
}

static json_t *row_json(const cli_line *l, cli_line_user u) {
    const cli_line_row *r = &l->row[u];
    const snn_chips_result *c = &r->chips.result;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "network",
                     cli_line_name(u), "accuracy", cli_json_interval(r->accuracy), "accuracy_sd_over_chips",
                     cli_json_real(c->sd), "accuracy_worst_chip", cli_json_real(c->worst), "bit_error_rate",
                     cli_json_real(c->bit_error_rate), "reads",
                     cli_json_real(per_inference(l, r->tile.reads)), "keyed_reads",
                     cli_json_real(per_inference(l, r->tile.keyed)), "cycles",
                     cli_json_real(per_inference(l, r->tile.cycles)), "added_cycles",
                     cli_json_real(added(l, r)), "array_pJ", cli_json_real(r->inference.array_pj),
                     "array_sourced_pJ", cli_json_real(r->inference.array_sourced_pj), "energy_pJ",
                     cli_json_real(cli_line_energy(r)), "synthesis", cost_json(r));
}

void cli_line_json(const cli_line *l) {
    json_t *rows = json_array();
    const snn_hw_options *o = &l->row[CLI_LINE_KEY].chips.options;
    for (int u = 0; u < CLI_LINE_ROWS; u++)
        json_array_append_new(rows, row_json(l, (cli_line_user)u));
    json_t *root = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:O}", "command", "hw line", "model",
        cli_json_text(l->key.model_path), "device", cli_json_text(o->device.name),
        "seconds_after_programming", cli_json_real(o->condition.seconds), "chips", cli_json_count(o->chips),
        "samples", cli_json_count(l->samples), "tile_samples", cli_json_count(l->key.ran), "decryptor",
        snn_decryptor_name(l->key.shape.decryptor.kind), "keys", cli_json_count(l->key.keys), "entries",
        cli_json_count(l->key.provision.places), "library",
        l->library ? json_string(l->library->library) : json_null(), "rows", rows, "warnings", l->warnings);
    json_dumpf(root, stdout, CLI_JSON_FORMAT);
    fputc('\n', stdout);
    json_decref(root);
}

/* ---- for people ---- */

static void print_head(const cli_line *l) {
    const cli_tile *t = &l->key;
    const snn_hw_options *o = &l->row[CLI_LINE_KEY].chips.options;
    printf("model       %s, %u row words of %u weights of %u bits\n", t->model_path, t->rows->rows,
           t->rows->lanes, t->rows->bits);
    printf("chips       %u of device %s, %g s after programming, each with the same %zu samples; %zu of them "
           "on the tile\n",
           o->chips, o->device.name, o->condition.seconds, l->samples, t->ran);
    printf("decryptor   %s: %u keyed bits in %u entries\n", snn_decryptor_name(t->shape.decryptor.kind),
           t->provision.keys, t->provision.places);
    const cli_line_row *key = &l->row[CLI_LINE_KEY];
    if (key->known)
        printf("circuits    %s (%s), %g ns: %s against %s%s\n", l->library->library, l->library->corner,
               key->cost.period_ns, key->cost.with->name, key->cost.plain->name,
               key->cost.misses ? "; IT MISSES THIS PERIOD" : "");
    else
        printf("circuits    no results of synthesis for this decryptor (make hw-synth)\n");
}

static void print_row(const cli_line *l, cli_line_user u) {
    const cli_line_row *r = &l->row[u];
    const snn_decryption *d = &r->cost;
    char interval[32], e[5][32], time[32];
    const double no = NAN;
    snprintf(interval, sizeof interval, "%.1f .. %.1f", 100 * r->accuracy.low, 100 * r->accuracy.high);
    printf("%-9s %7.2f %% %15s %12.1f %8.1f %11s %11s %11s %11s %11s %10s\n", cli_line_name(u),
           100 * r->accuracy.value, interval, per_inference(l, r->tile.cycles), added(l, r),
           cli_energy(r->inference.array_pj, e[0], sizeof e[0]),
           cli_energy(r->known ? d->plain_pj : no, e[1], sizeof e[1]),
           u != CLI_LINE_KEY ? "-" : cli_energy(r->known ? d->added_pj : no, e[2], sizeof e[2]),
           cli_energy(cli_line_energy(r), e[3], sizeof e[3]),
           cli_energy(r->known ? d->plain_leakage_pj + d->added_leakage_pj : no, e[4], sizeof e[4]),
           r->known ? cli_seconds(d->ns * 1e-9, time, sizeof time) : "not known");
}

void cli_line_text(const cli_line *l) {
    print_head(l);
    printf("\n%-9s %9s %15s %12s %8s %11s %11s %11s %11s %11s %10s\n", "", "accuracy", "95 % interval",
           "cycles", "added", "arrays", "read-out", "decryptor", "energy", "leakage", "time");
    for (int u = 0; u < CLI_LINE_ROWS; u++)
        print_row(l, (cli_line_user)u);
    for (size_t i = 0; i < json_array_size(l->warnings); i++)
        printf("warning     %s\n", json_string_value(json_array_get(l->warnings, i)));
}
