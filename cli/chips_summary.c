/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `snnsim run` tells people about its chips. */
#include "chips.h"

#include <string.h>

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

static void print_device(const cli_chips *c, FILE *out) {
    const snn_hw_options *o = &c->options;
    const snn_map *m = c->map;
    char n[32];
    fprintf(out, "device      %s: %g to %g uS, %s read-out, %g s after programming, %g K\n", o->device.name,
            o->device.g_min, o->device.g_max, o->readout == SNN_READOUT_ANALOG ? "analog" : "digital",
            o->condition.seconds, o->condition.kelvin);
    fprintf(out, "effects    ");
    int acting = 0;
    for (int e = 0; e < SNN_EFFECTS; e++)
        if (o->condition.effects >> e & 1)
            fprintf(out, "%s %s", acting++ ? "," : "", snn_effect_name((snn_effect)e));
    fprintf(out, "%s\n", acting ? "" : " none");
    fprintf(out, "map         %u array%s of %ux%u cells, %s hold weight bits (%.0f %% of the cells)\n",
            m->tiles, m->tiles == 1 ? "" : "s", m->options.rows, m->options.columns,
            cli_count((double)m->weight_cells, n, sizeof n), 100 * share(m->weight_cells, m->array_cells));
}

static void print_programming(const cli_chips *c, FILE *out) {
    const snn_program_stats *p = &c->result.program;
    double chips = c->result.chips;
    char cells[32], hrs[32], lrs[32];
    fprintf(out, "cells       %s programmed per chip, %.3g pulse%s each",
            cli_count((double)p->cells / chips, cells, sizeof cells), share(p->pulses, p->cells),
            p->pulses == p->cells ? "" : "s");
    if (p->unverified)
        fprintf(out, ", %.2g %% never verified", 100 * share(p->unverified, p->cells));
    if (p->stuck_hrs || p->stuck_lrs)
        fprintf(out, ", stuck %s at HRS, %s at LRS", cli_count((double)p->stuck_hrs / chips, hrs, sizeof hrs),
                cli_count((double)p->stuck_lrs / chips, lrs, sizeof lrs));
    fputc('\n', out);
    if (p->rows_replaced || p->columns_replaced || p->lanes_permuted)
        fprintf(out, "repair      %.4g rows and %.4g columns replaced, %.4g lanes permuted per chip\n",
                (double)p->rows_replaced / chips, (double)p->columns_replaced / chips,
                (double)p->lanes_permuted / chips);
}

static void print_readout(const cli_chips *c, FILE *out) {
    const snn_chips_result *r = &c->result;
    const snn_readout_stats *s = &r->readout;
    char n[32], of[32];
    if (c->options.readout == SNN_READOUT_ANALOG) {
        const snn_analog_stats *a = &r->analog;
        fprintf(out, "converters  %s conversions per inference, %.2g %% clipped, up to %u rows at once\n",
                cli_count((double)a->conversions / ((double)r->chips * (double)r->samples), n, sizeof n),
                100 * share(a->clipped, a->conversions), a->most_rows);
        return;
    }
    fprintf(out,
            "bit errors  %.3g constant (%s of %s bits per chip), %.3g per read (%s weak cells per chip)\n",
            r->bit_error_rate, cli_count((double)s->wrong_bits / r->chips, n, sizeof n),
            cli_count((double)s->bits / r->chips, of, sizeof of), s->read_error_rate,
            cli_count((double)s->weak_cells / r->chips, (char[32]){0}, 32));
    if (c->options.map.code_bits)
        fprintf(out, "code words  %.4g corrected, %.4g beyond correction per chip\n",
                (double)s->corrected / r->chips, (double)s->uncorrectable / r->chips);
}

static void print_accuracy(const cli_chips *c, FILE *out) {
    const snn_chips_result *r = &c->result;
    fprintf(out, "chips       %u, each with the same %zu samples\n", r->chips, r->samples);
    fprintf(out, "accuracy    mean %.2f %%, sd %.2f, worst %.2f, best %.2f", 100 * r->mean, 100 * r->sd,
            100 * r->worst, 100 * r->best);
    if (r->chips > 1)
        fprintf(out, "; quantiles 5:%.2f 25:%.2f 50:%.2f 75:%.2f 95:%.2f", 100 * r->quantile[0],
                100 * r->quantile[1], 100 * r->quantile[2], 100 * r->quantile[3], 100 * r->quantile[4]);
    fputc('\n', out);
    if (r->ideal.metrics) {
        snn_interval i = snn_metrics_accuracy(r->ideal.metrics);
        fprintf(out, "plain       %.2f %%  (95 %% interval %.2f .. %.2f) without a chip\n", 100 * i.value,
                100 * i.low, 100 * i.high);
    }
}

void cli_chips_summary(const cli_chips *c, FILE *out) {
    print_device(c, out);
    print_programming(c, out);
    print_readout(c, out);
    print_accuracy(c, out);
}

/* ---- costs ---- */

/* 3 significant digits with the prefix that fits: x in 1e-12 of the unit. 0: no constant is known for the device. */
static const char *small(double pico, const char *unit, char *buf, size_t size) {
    static const char *const prefix[] = {"p", "n", "u", "m", ""};
    size_t p = 0;
    if (pico <= 0)
        return "not known";
    while (pico >= 999.5 && p + 1 < sizeof prefix / sizeof *prefix) {
        pico /= 1000;
        p++;
    }
    snprintf(buf, size, "%.3g %s%s", pico, prefix[p], unit);
    return buf;
}

/* Parts that have events but no constant: the total is a lower bound. */
static void print_unknown(const snn_ledger *l, snn_quantity q, FILE *out) {
    size_t n = 0;
    for (size_t i = 0; i < l->rows; i++)
        n +=
            l->row[i].quantity == q && l->row[i].per_inference && l->row[i].count > 0 && l->row[i].total <= 0;
    if (n)
        fprintf(out, "; %zu part%s not known (--explain)", n, n == 1 ? "" : "s");
    fputc('\n', out);
}

void cli_chips_costs(const cli_chips *c, FILE *out) {
    const snn_ledger *l = &c->ledger;
    char all[32], sourced[32], time[32], energy[32];
    if (!c->accounted)
        return;
    fprintf(out, "\nenergy      %s per inference, of it from sources %s",
            small(l->energy_pj, "J", all, sizeof all),
            small(l->energy_sourced_pj, "J", sourced, sizeof sourced));
    print_unknown(l, SNN_LEDGER_ENERGY, out);
    fprintf(out, "latency     %s per inference, of it from sources %s",
            small(1e3 * l->latency_ns, "s", all, sizeof all),
            small(1e3 * l->latency_sourced_ns, "s", sourced, sizeof sourced));
    print_unknown(l, SNN_LEDGER_LATENCY, out);
    fprintf(out, "area        %.4g mm2, of it from sources %.4g mm2\n", 1e-6 * l->area_um2,
            1e-6 * l->area_sourced_um2);
    fprintf(out, "programming %s, %s per chip\n", small(l->programming_pj, "J", energy, sizeof energy),
            small(1e3 * l->programming_ns, "s", time, sizeof time));
}
