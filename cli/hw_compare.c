/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw compare: the decryptor against ciphers, under accountings that can be defended and the one that the paper's figures need. */
#include "hw_tile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw compare CONFIG [OPTION]...\n"
    "Compares what the decryptor adds to reading the weights with what AES (and PRINCE) would add:\n"
    "AES over all weights once per inference; AES on each row word read, whole or only its keyable\n"
    "bits; AES once per power-up; PRINCE on the keyable bits. With and without leakage, beside the\n"
    "energy of the arrays, and against the ranges that the paper (SNNGX) names.\n"
    "Traffic is counted on samples (see snnsim hw run), energies come from synthesis (make hw-synth).\n"
    "\n"
    "  --key FILE         the model's key; without one a store of --set hw.decryptor.keys=N entries\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline\n"
    "  --decryptor KIND   cam, table or prince (default: hw.decryptor.kind)\n"
    "  --samples N        traffic of the first N samples (default 10; 0: all)\n"
    "  --library NAME     this library only\n"
    "  --model FILE       the model (default: model.path)\n"
    "  --set KEY=VALUE    override a key of the config\n"
    "  --seed N           the same as --set seed=N\n"
    "  --quiet            print errors only\n"
    "  --json             print the comparison as JSON, and nothing else\n"
    "\n"
    "Example: snnsim hw compare nmnist.cfg --model enc.h5 --key net.key --set hw.device=neurram\n"
    "docs/tile.md says what each accounting means.\n";

static const char *const title[SNN_ACCOUNTINGS] = {
    "AES, all weights, each inference", "AES, each row read, all bits",
    "AES counter mode, each row, keyable bits", "AES, all weights, once per power-up",
    "PRINCE counter mode, keyable bits"};

/* What the table needs of one library. */
typedef struct {
    const snn_synthesis *s;
    snn_decryption decryptor;
    snn_alternative other[SNN_ACCOUNTINGS];
    snn_decryptor_area area;
} library;

static uint32_t entries(const cli_tile *t) {
    return t->key ? (uint32_t)t->keys : t->shape.decryptor.keys;
}

static bool compare(const cli_tile *t, const snn_synthesis *s, const snn_inference *x, library *l) {
    *l = (library){.s = s};
    if (!snn_decryption_of(s, &t->shape.decryptor, entries(t), x, &l->decryptor))
        return false;
    snn_compare(s, &t->shape.decryptor, x, &l->decryptor, l->other);
    snn_decryptor_area_of(s, &t->shape.decryptor, t->map, t->rows, t->bit, t->keys, &l->area);
    return true;
}

static bool inside(double ratio, double least, double most) {
    return ratio >= least && ratio <= most;
}

static bool paper_energy(double ratio) {
    return inside(ratio, SNN_PAPER_ENERGY_LEAST, SNN_PAPER_ENERGY_MOST);
}

static bool paper_latency(double ratio) {
    return inside(ratio, SNN_PAPER_LATENCY_LEAST, SNN_PAPER_LATENCY_MOST);
}

/* ---- other designs of the library, event-driven and as one full pass ---- */

typedef struct {
    const snn_synthesis_design *design;
    snn_alternative events[SNN_ACCOUNTINGS], pass[SNN_ACCOUNTINGS];
} variant;

/* Design i of the library as the decryptor of this network; false: it is none. */
static bool vary(const cli_tile *t, const snn_synthesis *s, size_t i, const snn_inference *x, variant *v) {
    const snn_synthesis_design *d = &s->design[i];
    snn_decryptor_shape shape = t->shape.decryptor;
    snn_inference full = *x;
    snn_decryption a, b;
    shape.kind = d->shape.kind;
    shape.ways = d->shape.ways;
    if ((shape.kind != SNN_DEC_CAM && shape.kind != SNN_DEC_TABLE) ||
        snn_synthesis_find(s, &shape, d->shape.keys) != d)
        return false;
    /* each row word once; a full pass meets each keyed row once: as rare as in the random rows that the design was simulated with */
    full.reads = full.cycles = full.plain_cycles = x->rows;
    full.keyed = d->placed;
    *v = (variant){.design = d};
    if (!snn_decryption_of(s, &shape, d->shape.keys, x, &a) ||
        !snn_decryption_of(s, &shape, d->shape.keys, &full, &b))
        return false;
    snn_compare(s, &shape, x, &a, v->events);
    snn_compare(s, &shape, &full, &b, v->pass);
    return true;
}

/* ---- JSON ---- */

static json_t *alternative_json(snn_accounting i, const snn_alternative *a) {
    if (!a->known)
        return json_pack("{s:s, s:b}", "accounting", snn_accounting_name(i), "known", 0);
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "accounting",
                     snn_accounting_name(i), "known", 1, "blocks", cli_json_real(a->blocks), "added_pJ",
                     cli_json_real(a->pj), "leakage_pJ", cli_json_real(a->leakage_pj), "added_time_ns",
                     cli_json_real(a->ns), "ratio", cli_json_real(a->ratio), "ratio_with_leakage",
                     cli_json_real(a->ratio_leakage), "latency_ratio", cli_json_real(a->latency),
                     "break_even_inferences", cli_json_real(a->break_even), "in_paper_energy_range",
                     (int)(i != SNN_AES_POWER_UP && paper_energy(a->ratio)), "in_paper_latency_range",
                     (int)paper_latency(a->latency));
}

static json_t *alternatives_json(const snn_alternative *a) {
    json_t *list = json_array();
    for (int i = 0; i < SNN_ACCOUNTINGS; i++)
        json_array_append_new(list, alternative_json((snn_accounting)i, &a[i]));
    return list;
}

static json_t *variants_json(const cli_tile *t, const snn_synthesis *s, const snn_inference *x) {
    json_t *list = json_array();
    variant v;
    for (size_t i = 0; i < s->designs; i++)
        if (vary(t, s, i, x, &v))
            json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "design", v.design->name, "events",
                                                  alternatives_json(v.events), "full_pass",
                                                  alternatives_json(v.pass)));
    return list;
}

static json_t *library_json(const cli_tile *t, const library *l, const snn_inference *x) {
    const snn_decryption *d = &l->decryptor;
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:i, s:o, s:o}, s:o, s:o}",
        "library", l->s->library, "corner", l->s->corner, "decryptor", d->with->name, "period_ns",
        cli_json_real(d->period_ns), "misses_period", (int)d->misses, "time_ns", cli_json_real(d->ns),
        "added_time_ns", cli_json_real(d->added_ns), "plain_pJ", cli_json_real(d->plain_pj), "added_pJ",
        cli_json_real(d->added_pj), "plain_leakage_pJ", cli_json_real(d->plain_leakage_pj),
        "added_leakage_pJ", cli_json_real(d->added_leakage_pj), "area", "arrays",
        cli_json_real(l->area.arrays), "most_keys_of_an_array", (int)l->area.most_keys, "one_shared_um2",
        cli_json_real(l->area.shared_um2), "one_per_array_um2", cli_json_real(l->area.each_um2),
        "alternatives", alternatives_json(l->other), "designs", variants_json(t, l->s, x));
}

/* AES leaves bits that are as good as drawn: a cell of b bits stays as it is once in 2^b times. */
static double changed_cells(const cli_tile *t, const snn_inference *x) {
    const int bits = (int)t->rows->bits, each = t->options.map.cell_bits, rest = bits % each,
              full = bits / each;
    const double of_weight = full * (1 - ldexp(1, -each)) + (1 - ldexp(1, -rest));
    return x->weight_bits / bits * of_weight;
}

static json_t *rewrite_json(const cli_tile *t, const snn_inference *x) {
    snn_rewrite keyed, aes;
    snn_rewrite_of(&t->options, (double)t->keys, (double)t->provision.rows, &keyed);
    snn_rewrite_of(&t->options, changed_cells(t, x), x->rows, &aes);
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "assumption", 1, "keyed_cells",
                     cli_json_real(keyed.cells), "keyed_pJ", cli_json_real(keyed.pj), "keyed_ns",
                     cli_json_real(keyed.ns), "aes_cells", cli_json_real(aes.cells), "aes_pJ",
                     cli_json_real(aes.pj), "aes_ns", cli_json_real(aes.ns), "endurance_cycles",
                     cli_json_real(aes.endurance));
}

static void print_json(const cli_tile *t, const snn_inference *x) {
    json_t *list = json_array();
    size_t i = 0;
    for (const snn_synthesis *s; (s = cli_tile_library(t, &i));) {
        library l;
        if (compare(t, s, x, &l))
            json_array_append_new(list, library_json(t, &l, x));
    }
    json_t *root = json_pack(
        "{s:s, s:o, s:o, s:s, s:o, s:{s:o, s:o, s:o, s:o, s:o, s:o, s:o}, s:{s:[f,f], s:[f,f]}, s:o, s:o}",
        "command", "hw compare", "model", cli_json_text(t->model_path), "samples", cli_json_count(t->ran),
        "decryptor", snn_decryptor_name(t->shape.decryptor.kind), "keys", cli_json_count(entries(t)),
        "inference", "reads", cli_json_real(x->reads), "keyed_reads", cli_json_real(x->keyed), "cycles",
        cli_json_real(x->cycles), "pass_through_cycles", cli_json_real(x->plain_cycles), "row_words",
        cli_json_real(x->rows), "weight_bits", cli_json_real(x->weight_bits), "array_pJ",
        cli_json_real(x->array_pj), "paper", "energy", SNN_PAPER_ENERGY_LEAST, SNN_PAPER_ENERGY_MOST,
        "latency", SNN_PAPER_LATENCY_LEAST, SNN_PAPER_LATENCY_MOST, "libraries", list, "rewrite",
        rewrite_json(t, x));
    json_dumpf(root, stdout, CLI_JSON_FORMAT);
    fputc('\n', stdout);
    json_decref(root);
}

/* ---- for people ---- */

static void print_alternatives(const library *l) {
    char e[2][32];
    const snn_decryption *d = &l->decryptor;
    printf("  %-42s %12s %12s %10s %10s %10s\n", "", "adds", "leakage", "ratio", "w. leakage", "latency");
    printf("  %-42s %12s %12s %10s %10s %10s\n", "the decryptor", cli_energy(d->added_pj, e[0], sizeof e[0]),
           cli_energy(d->added_leakage_pj, e[1], sizeof e[1]), "x1", "x1", "x1");
    for (int i = 0; i < SNN_ACCOUNTINGS; i++) {
        const snn_alternative *a = &l->other[i];
        if (!a->known) {
            printf("  %-42s    not known\n", title[i]);
            continue;
        }
        printf("  %-42s %12s %12s", title[i], cli_energy(a->pj, e[0], sizeof e[0]),
               cli_energy(a->leakage_pj, e[1], sizeof e[1]));
        if (i == SNN_AES_POWER_UP)
            printf("   once: as much as %.4g inferences of the decryptor\n", a->break_even);
        else
            printf("  x%-9.4g x%-9.4g x%-9.4g%s%s\n", a->ratio, a->ratio_leakage, a->latency,
                   paper_energy(a->ratio) ? " E" : "", paper_latency(a->latency) ? " L" : "");
    }
}

static void print_ratio(const snn_alternative *a) {
    if (a->known)
        printf(" x%-10.4g", a->ratio);
    else
        printf(" %-11s", "not known");
}

static void print_variants(const cli_tile *t, const library *l, const snn_inference *x) {
    variant v;
    bool first = true;
    for (size_t i = 0; i < l->s->designs; i++) {
        if (!vary(t, l->s, i, x, &v))
            continue;
        if (first)
            printf("  other key stores: AES over all weights to events, to one full pass; each row read; "
                   "PRINCE\n");
        first = false;
        printf("    %-14s", v.design->name);
        print_ratio(&v.events[SNN_AES_INFERENCE]);
        print_ratio(&v.pass[SNN_AES_INFERENCE]);
        print_ratio(&v.events[SNN_AES_ROW]);
        print_ratio(&v.events[SNN_PRINCE_MSB]);
        printf("\n");
    }
}

static void print_library(const cli_tile *t, const library *l, const snn_inference *x) {
    char e[2][32];
    const snn_decryption *d = &l->decryptor;
    printf("\n%s (%s), %g ns, %s%s\n", l->s->library, l->s->corner, d->period_ns, d->with->name,
           d->misses ? ", WHICH MISSES THIS PERIOD" : "");
    printf("  plain read-out %s + %s leakage, in %.5g us; added cycles %.6g\n",
           cli_energy(d->plain_pj, e[0], sizeof e[0]), cli_energy(d->plain_leakage_pj, e[1], sizeof e[1]),
           d->ns * 1e-3, x->cycles - x->plain_cycles);
    print_alternatives(l);
    print_variants(t, l, x);
    if (l->area.shared && l->area.each)
        printf(
            "  area: one for the macro %.5g um2; one for each of %g arrays (at most %u keys each) %.5g um2\n",
            l->area.shared_um2, l->area.arrays, l->area.most_keys, l->area.each_um2);
}

static void print_rewriting(const char *what, const snn_rewrite *r, const char *note) {
    char e[32], time[32] = "not known";
    if (!isnan(r->ns))
        snprintf(time, sizeof time, "%.5g us", r->ns * 1e-3);
    printf("  %-15s %12.6g cells %14s %15s%s\n", what, r->cells, cli_energy(r->pj, e, sizeof e), time, note);
}

static void print_rewrite(const cli_tile *t, const snn_inference *x) {
    snn_rewrite keyed, aes;
    snn_rewrite_of(&t->options, (double)t->keys, (double)t->provision.rows, &keyed);
    snn_rewrite_of(&t->options, changed_cells(t, x), x->rows, &aes);
    printf("\nread, decrypt, rewrite (ASSUMPTION throughout: one write pulse for each cell that changes, G "
           "V^2 t at the\n"
           "middle conductance, rows one after another; plain weights lie in the array afterwards)\n");
    print_rewriting("keyed bits", &keyed, "");
    print_rewriting("AES, all bits", &aes, "   (half of the bits change)");
    if (isnan(aes.endurance))
        printf("  endurance of device %s: not known\n", t->options.device.name);
    else
        printf("  a cell of device %s endures %.3g cycles: as many power-ups, when each encrypts anew\n",
               t->options.device.name, aes.endurance);
}

/* What the tables say about the paper's ranges, from their numbers. */
static void print_verdict(const cli_tile *t, const snn_inference *x) {
    unsigned energy = 0, latency = 0, known = 0;
    size_t i = 0;
    for (const snn_synthesis *s; (s = cli_tile_library(t, &i));) {
        library l;
        if (!compare(t, s, x, &l))
            continue;
        for (int a = 0; a < SNN_ACCOUNTINGS; a++) {
            known |= (unsigned)l.other[a].known << a;
            energy |= (unsigned)(a != SNN_AES_POWER_UP && l.other[a].known && paper_energy(l.other[a].ratio))
                      << a;
            latency |= (unsigned)(l.other[a].known && paper_latency(l.other[a].latency)) << a;
        }
    }
    if (!known)
        return;
    printf("\nThe paper names x%g to x%g in energy (E) and x%g to x%g in latency (L) against AES.\n",
           SNN_PAPER_ENERGY_LEAST, SNN_PAPER_ENERGY_MOST, SNN_PAPER_LATENCY_LEAST, SNN_PAPER_LATENCY_MOST);
    for (int a = 0; a < SNN_ACCOUNTINGS; a++)
        if (known >> a & 1 && a != SNN_AES_POWER_UP)
            printf("  %-42s energy %s, latency %s\n", title[a], energy >> a & 1 ? "within" : "outside",
                   latency >> a & 1 ? "within" : "outside");
    printf("  %-42s neither: a decryptor that adds no cycle has no ratio of added time\n",
           "added cycles alone");
}

static void print_text(const cli_tile *t, const snn_inference *x) {
    char e[2][32];
    size_t i = 0;
    printf("model      %s, %zu samples; %s for %u keys\n", t->model_path, t->ran,
           snn_decryptor_name(t->shape.decryptor.kind), entries(t));
    printf("inference  %.6g row reads (%.5g keyed) in %.6g cycles; %.6g row words, %.4g weight bits\n",
           x->reads, x->keyed, x->cycles, x->rows, x->weight_bits);
    printf("arrays     reading them takes %s, without assumptions %s (device %s)\n",
           cli_energy(x->array_pj, e[0], sizeof e[0]), cli_energy(x->array_sourced_pj, e[1], sizeof e[1]),
           t->options.device.name);
    if (t->libraries == 0)
        printf("\nNo library was synthesised (make hw-synth): energies of the circuits are not known.\n");
    for (const snn_synthesis *s; (s = cli_tile_library(t, &i));) {
        library l;
        if (compare(t, s, x, &l))
            print_library(t, &l, x);
        else
            printf("\n%s (%s): no results for such a read-out\n", s->library, s->corner);
    }
    print_rewrite(t, x);
    print_verdict(t, x);
}

/* ---- the command ---- */

static bool check_kind(const cli_tile *t, snn_error *err) {
    const snn_decryptor_kind k = t->shape.decryptor.kind;
    return k == SNN_DEC_CAM || k == SNN_DEC_TABLE || k == SNN_DEC_PRINCE ||
           snn_fail(err, SNN_ERR_USAGE,
                    "hw compare: decryptor %s is a baseline itself: expected cam, table or prince",
                    snn_decryptor_name(k));
}

static bool work(cli_tile *t, snn_error *err) {
    snn_inference x;
    if (!cli_tile_open(t, err) || !check_kind(t, err) || !cli_tile_run(t, err) ||
        !snn_inference_of(t->traffic, (double)t->ran, t->rows, t->map, &t->options, t->model.weights, -1, &x,
                          err))
        return false;
    if (t->common.json)
        print_json(t, &x);
    else if (!t->common.quiet)
        print_text(t, &x);
    return true;
}

bool cli_hw_compare(int argc, char **argv, snn_error *err) {
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
                                            {"library", required_argument, NULL, OPTION_TILE_LIBRARY},
                                            {0}};
    cli_tile t = {.key_fd = -1, .samples = CLI_TILE_SAMPLES};
    const cli_syntax syntax = {.name = "hw compare",
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
    const bool ok = parsed == CLI_GO ? work(&t, err) : parsed == CLI_DONE;
    cli_tile_free(&t);
    return ok;
}
