/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw run: a network on the tile, cycle by cycle: cycles, stalls, what decryption adds, energy and time per inference. */
#include "hw_tile.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw run CONFIG [OPTION]...\n"
    "Runs samples through the modelled tile, register by register: event queue, row addresses, arrays\n"
    "read word by word, decryptor, adders, neurons; and the same spikes once more with pass-through.\n"
    "Cells are read without errors. Linear layers run whole, convolutions as row reads only.\n"
    "\n"
    "  --key FILE         the model is encrypted: provision the decryptor with this key\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline\n"
    "  --decryptor KIND   pass, cam, table, prince, aes or xor (default: hw.decryptor.kind); pass with a\n"
    "                     key: the model as it was stolen\n"
    "  --samples N        only the first N samples (default 10; 0: all)\n"
    "  --rows FILE        write the row addresses read with the decryptor, one per line, in order\n"
    "  --library NAME     energy and time of this library only (default: all that were synthesised)\n"
    "  --model FILE       the model (default: model.path)\n"
    "  --set KEY=VALUE    override a key of the config (hw.decryptor.*, hw.array, ...)\n"
    "  --seed N           the same as --set seed=N\n"
    "  --quiet            print errors only\n"
    "  --json             print the report as JSON, and nothing else\n"
    "\n"
    "Example: snnsim hw run nmnist.cfg --model enc.h5 --key net.key --decryptor cam --samples 50\n"
    "docs/tile.md describes the figures. A key that the decryptor cannot take: exit code 4.\n";

/* ---- sums ---- */

static snn_tile_traffic sum_of(const cli_tile *t) {
    snn_tile_traffic sum = {.whole = true};
    for (int i = 0; i < t->rows->tensors; i++) {
        snn_tile_counts_add(&sum.tile, &t->traffic[i].tile);
        snn_tile_counts_add(&sum.plain, &t->traffic[i].plain);
        sum.whole &= t->traffic[i].whole;
    }
    return sum;
}

static int64_t added_cycles(const snn_tile_traffic *x) {
    return (int64_t)(x->tile.cycles - x->plain.cycles);
}

/* ---- JSON ---- */

static json_t *counts_json(const snn_tile_counts *c) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cycles",
                     cli_json_count(c->cycles), "reads", cli_json_count(c->reads), "keyed_reads",
                     cli_json_count(c->keyed), "fires", cli_json_count(c->fires), "spikes",
                     cli_json_count(c->spikes), "queue_full_cycles", cli_json_count(c->aer_stalls),
                     "encoder_hold_cycles", cli_json_count(c->hold_encoder), "decryptor_hold_cycles",
                     cli_json_count(c->hold_decryptor), "bubbles", cli_json_count(c->bubbles),
                     "spike_stall_cycles", cli_json_count(c->spk_stalls));
}

static json_t *cost_json(const snn_synthesis *s, const snn_decryption *d) {
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "library", s->library,
                     "corner", s->corner, "plain", d->plain->name, "decryptor", d->with->name, "period_ns",
                     cli_json_real(d->period_ns), "misses_period", (int)d->misses, "time_ns",
                     cli_json_real(d->ns), "added_time_ns", cli_json_real(d->added_ns), "plain_pJ",
                     cli_json_real(d->plain_pj), "added_pJ", cli_json_real(d->added_pj), "plain_leakage_pJ",
                     cli_json_real(d->plain_leakage_pj), "added_leakage_pJ",
                     cli_json_real(d->added_leakage_pj));
}

/* tensor < 0: all of them */
static json_t *costs_json(const cli_tile *t, const snn_inference *x) {
    json_t *list = json_array();
    size_t i = 0;
    for (const snn_synthesis *s; (s = cli_tile_library(t, &i));) {
        snn_decryption d;
        if (snn_decryption_of(s, &t->shape.decryptor, (uint32_t)t->keys, x, &d))
            json_array_append_new(list, cost_json(s, &d));
    }
    return list;
}

static json_t *part_json(const cli_tile *t, const char *name, const snn_tile_traffic *x, int tensor,
                         snn_error *err) {
    snn_inference mean;
    if (!snn_inference_of(t->traffic, (double)t->ran, t->rows, t->map, &t->options, t->model.weights, tensor,
                          &mean, err))
        return NULL;
    return json_pack("{s:s, s:b, s:o, s:o, s:I, s:o, s:o, s:o}", "name", name, "adders_and_neurons",
                     (int)x->whole, "tile", counts_json(&x->tile), "pass_through", counts_json(&x->plain),
                     "added_cycles", (json_int_t)added_cycles(x), "array_pJ_per_inference",
                     cli_json_real(mean.array_pj), "array_sourced_pJ_per_inference",
                     cli_json_real(mean.array_sourced_pj), "per_inference", costs_json(t, &mean));
}

static json_t *decryptor_json(const cli_tile *t) {
    const snn_decryptor_shape *s = &t->shape.decryptor;
    const snn_provision *p = &t->provision;
    json_t *fill = json_array();
    for (uint32_t w = 0; p->fill && w < s->ways; w++)
        json_array_append_new(fill, cli_json_count(p->fill[w]));
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:i, s:o, s:i, s:i}", "kind",
                     snn_decryptor_name(s->kind), "address_bits", (int)s->address, "lanes", (int)s->lanes,
                     "bits", (int)s->bits, "keyable", (int)s->keyable, "ways", p->fill ? (int)s->ways : 0,
                     "entries", cli_json_count(p->places), "keys", cli_json_count(p->keys), "hash_draws",
                     (int)p->draws, "fill", fill, "keyed_rows", (int)p->rows, "most_keyed_bits_of_a_row",
                     (int)p->most);
}

static bool print_json(const cli_tile *t, snn_error *err) {
    const snn_tile_traffic all = sum_of(t);
    json_t *layers = json_array(), *sum = part_json(t, "all", &all, -1, err);
    bool ok = sum != NULL;
    for (int i = 0; ok && i < t->rows->tensors; i++) {
        json_t *layer = part_json(t, t->rows->tensor[i].name, &t->traffic[i], i, err);
        ok = layer && json_array_append_new(layers, layer) == 0;
    }
    json_t *root = json_pack(
        "{s:s, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "command", "hw run", "model",
        cli_json_text(t->model_path), "key", (int)(t->key != NULL), "samples", cli_json_count(t->ran),
        "accuracy", cli_json_real((double)t->right / (double)t->ran), "decryptor", decryptor_json(t),
        "added_cycles", (json_int_t)added_cycles(&all), "total", sum ? sum : json_null(), "layers", layers,
        "cycles_per_second", cli_json_real((double)(all.tile.cycles + all.plain.cycles) / t->seconds));
    if (ok) {
        json_dumpf(root, stdout, CLI_JSON_FORMAT);
        fputc('\n', stdout);
    }
    json_decref(root);
    return ok;
}

/* ---- for people ---- */

static void print_decryptor(const cli_tile *t) {
    const snn_decryptor_shape *s = &t->shape.decryptor;
    const snn_provision *p = &t->provision;
    printf("decryptor  %s", snn_decryptor_name(s->kind));
    if (p->fill) {
        printf(": %u keyed bits in %u entries, %s", p->keys, p->places,
               s->kind == SNN_DEC_CAM ? "slots" : "ways");
        for (uint32_t w = 0; w < s->ways; w++)
            printf(" %u", p->fill[w]);
        if (p->draws > 0)
            printf(", %u hash%s drawn", p->draws, p->draws == 1 ? "" : "es");
        printf("; at most %u of a row word\n", p->most);
    } else {
        printf("%s\n", s->kind == SNN_DEC_PASS ? ": none" : "");
    }
}

static void print_part(const cli_tile *t, const char *name, const snn_tile_traffic *x) {
    const double n = (double)t->ran;
    const snn_tile_counts *c = &x->tile;
    printf("  %-12s %11.1f %9.1f %12.1f %12.1f %10.1f %10.1f %9.1f %9.1f%s\n", name, (double)c->reads / n,
           (double)c->keyed / n, (double)c->cycles / n, (double)x->plain.cycles / n,
           (double)added_cycles(x) / n, (double)c->aer_stalls / n, (double)c->hold_encoder / n,
           (double)c->hold_decryptor / n, x->whole ? "" : "  reads only");
}

static void print_cost(const char *name, const snn_decryption *d) {
    char e[4][32];
    printf("    %-12s %11.5g us %+10.4g us   %11s %+12.4g nJ   %11s %+12.4g nJ\n", name, d->ns * 1e-3,
           d->added_ns * 1e-3, cli_energy(d->plain_pj, e[0], sizeof e[0]), d->added_pj * 1e-3,
           cli_energy(d->plain_leakage_pj, e[1], sizeof e[1]), d->added_leakage_pj * 1e-3);
}

static bool print_library(const cli_tile *t, const snn_synthesis *s, snn_error *err) {
    for (int i = 0; i <= t->rows->tensors; i++) {
        const bool all = i == t->rows->tensors;
        snn_inference x;
        snn_decryption d;
        if (!snn_inference_of(t->traffic, (double)t->ran, t->rows, t->map, &t->options, t->model.weights,
                              all ? -1 : i, &x, err))
            return false;
        if (!snn_decryption_of(s, &t->shape.decryptor, (uint32_t)t->keys, &x, &d)) {
            printf("  %s (%s): no results for such a read-out\n", s->library, s->corner);
            return true;
        }
        if (i == 0)
            printf("  %s (%s), %g ns: %s against %s%s\n    %-12s %14s %13s   %11s %15s   %11s %15s\n",
                   s->library, s->corner, d.period_ns, d.with->name, d.plain->name,
                   d.misses ? "; IT MISSES THIS PERIOD" : "", "", "time", "added", "read-out", "added",
                   "leakage", "added");
        print_cost(all ? "all" : t->rows->tensor[i].name, &d);
    }
    return true;
}

static bool print_energy(const cli_tile *t, snn_error *err) {
    char e[2][32];
    snn_inference x;
    size_t i = 0;
    bool ok = snn_inference_of(t->traffic, (double)t->ran, t->rows, t->map, &t->options, t->model.weights, -1,
                               &x, err);
    if (!ok)
        return false;
    printf("\nenergy and time per inference (results of synthesis)\n");
    for (const snn_synthesis *s; ok && (s = cli_tile_library(t, &i));)
        ok = print_library(t, s, err);
    if (t->libraries == 0)
        printf("  no library was synthesised (make hw-synth): not known\n");
    printf("  reading the arrays themselves (device %s): %s, without assumptions %s\n",
           t->options.device.name, cli_energy(x.array_pj, e[0], sizeof e[0]),
           cli_energy(x.array_sourced_pj, e[1], sizeof e[1]));
    return ok;
}

static bool print_text(const cli_tile *t, snn_error *err) {
    const snn_tile_traffic all = sum_of(t);
    char speed[32];
    printf("model      %s%s, %u row words of %u weights of %u bits\n", t->model_path,
           t->key ? " with key" : "", t->rows->rows, t->rows->lanes, t->rows->bits);
    print_decryptor(t);
    printf("samples    %zu, %zu right (%.1f %%); %s cycles/s\n\nper inference\n", t->ran, t->right,
           100.0 * (double)t->right / (double)t->ran,
           cli_count((double)(all.tile.cycles + all.plain.cycles) / t->seconds, speed, sizeof speed));
    printf("  %-12s %11s %9s %12s %12s %10s %10s %9s %9s\n", "layer", "reads", "keyed", "cycles",
           "pass-through", "added", "queue full", "encoder", "decryptor");
    for (int i = 0; i < t->rows->tensors; i++)
        print_part(t, t->rows->tensor[i].name, &t->traffic[i]);
    print_part(t, "all", &all);
    return print_energy(t, err);
}

bool cli_hw_run(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"model", required_argument, NULL, OPTION_TILE_MODEL},
                                            {"key", required_argument, NULL, OPTION_TILE_KEY},
                                            {"passphrase-fd", required_argument, NULL, OPTION_TILE_FD},
                                            {"decryptor", required_argument, NULL, OPTION_TILE_DECRYPTOR},
                                            {"samples", required_argument, NULL, OPTION_TILE_SAMPLES},
                                            {"rows", required_argument, NULL, OPTION_TILE_ROWS},
                                            {"library", required_argument, NULL, OPTION_TILE_LIBRARY},
                                            {0}};
    cli_tile t = {.key_fd = -1, .samples = CLI_TILE_SAMPLES};
    const cli_syntax syntax = {.name = "hw run",
                               .help = help,
                               .letters = ":h",
                               .options = options,
                               .positional_min = 1,
                               .positional_max = 1,
                               .positional = "CONFIG",
                               .own = cli_tile_take,
                               .context = &t};
    int first;
    const cli_parsed parsed = cli_parse(&syntax, argc, argv, &t.common, &first, err);
    bool ok = parsed != CLI_FAILED;
    if (parsed == CLI_GO)
        ok = cli_tile_open(&t, err) && cli_tile_run(&t, err) &&
             (t.common.json ? print_json(&t, err) : t.common.quiet || print_text(&t, err));
    cli_tile_free(&t);
    return ok;
}
