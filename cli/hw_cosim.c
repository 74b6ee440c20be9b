/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw cosim: the Verilated tile beside its C model, cycle by cycle, on a network and real recordings. */
#include "hw_cosim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw cosim CONFIG [OPTION]...\n"
    "Runs the Verilog of the tile (made into a program by Verilator) beside the C model on the spikes of\n"
    "real samples and compares every output in every cycle; the C model in turn is compared with the\n"
    "engine's fixed arithmetic. The same traffic goes through the tile with pass-through, so that added\n"
    "cycles are a difference. The first cycle that differs ends the run: what differs is printed, the\n"
    "last cycles are written as waveforms, and the exit code is 1.\n"
    "\n"
    "  --key FILE         the model is encrypted: provision the decryptor with this key\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline\n"
    "  --decryptor KIND   pass, cam, table, prince, aes or xor (default: hw.decryptor.kind)\n"
    "  --samples N        only the first N samples (default 10; 0: all)\n"
    "  --layer NAME       only this layer\n"
    "  --reads N          first N drawn row reads back to back, half of them keyed rows (default 10000)\n"
    "  --patterns N       the first N samples once more under drawn back-pressure (default 1)\n"
    "  --wrong-key N      provision drawn bits (by seed N) instead of the key, and count what goes wrong\n"
    "  --top FILE         Verilog file with a decryptor of your own, to be compared with KIND's C model\n"
    "                     (also: environment RTL_TOP)\n"
    "  --rtl FILE         a circuit that verilog/cosim.sh has made\n"
    "  --verilog DIR      the folder verilog (default: SNNSIM_VERILOG, ./verilog, the installed one)\n"
    "  --latches          key store of latches instead of flip-flops\n"
    "  --ungated          mask register without clock gate\n"
    "  --window N         cycles of waveforms before a difference (default 200)\n"
    "  --out DIR          write report.json, and cosim.vcd after a difference, to this folder\n"
    "  --vcd FILE         write the waveforms there (default: cosim.vcd, in --out)\n"
    "  --model FILE, --set KEY=VALUE, --seed N, --quiet, --json: as in snnsim hw run\n"
    "\n"
    "Example: snnsim hw cosim nmnist.cfg --model enc.h5 --key net.key --decryptor cam --samples 50\n"
    "It needs Verilator and g++; circuits are kept in ~/.cache/snnsim/rtl (SNNSIM_RTL_CACHE).\n";

enum {
    OPTION_LAYER = OPTION_TILE_LIBRARY + 1,
    OPTION_READS,
    OPTION_PATTERNS,
    OPTION_WRONG,
    OPTION_TOP,
    OPTION_RTL,
    OPTION_VERILOG,
    OPTION_LATCHES,
    OPTION_UNGATED,
    OPTION_WINDOW,
    OPTION_OUT,
    OPTION_VCD
};

static bool take_number(cli_cosim *c, int option, const char *value, snn_error *err) {
    switch (option) {
    case OPTION_READS:
        return cli_number("--reads", value, 0, 16000000, &c->reads, err);
    case OPTION_PATTERNS:
        return cli_number("--patterns", value, 0, 1000000000, &c->patterns, err);
    case OPTION_WRONG:
        return cli_number("--wrong-key", value, 1, UINT64_MAX, &c->wrong_key, err);
    default:
        return cli_number("--window", value, 1, 1000000, &c->window, err);
    }
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    cli_cosim *c = context;
    switch (option) {
    case OPTION_LAYER:
        c->layer = value;
        return true;
    case OPTION_TOP:
        c->top = value;
        return true;
    case OPTION_RTL:
        c->rtl = value;
        return true;
    case OPTION_VERILOG:
        c->verilog = value;
        return true;
    case OPTION_LATCHES:
        return c->latches = true;
    case OPTION_UNGATED:
        return c->ungated = true;
    case OPTION_OUT:
        c->folder = value;
        return true;
    case OPTION_VCD:
        c->vcd = value;
        return true;
    case OPTION_READS:
    case OPTION_PATTERNS:
    case OPTION_WRONG:
    case OPTION_WINDOW:
        return take_number(c, option, value, err);
    default:
        return cli_tile_take(&c->tile, option, value, err);
    }
}

/* ---- figures ---- */

static int64_t added(const cli_cosim_part *p) {
    return (int64_t)(p->counts[0].cycles - p->counts[1].cycles);
}

static int64_t added_in_all(const cli_cosim *c) {
    int64_t sum = c->drawn.ran ? (int64_t)(c->drawn.cycles[0] - c->drawn.cycles[1]) : 0;
    for (int t = 0; t < c->tile.rows->tensors; t++)
        sum += added(&c->part[t]);
    return sum;
}

static bool same_stamps(const cli_cosim *c) {
    bool same = !c->drawn.ran || c->drawn.same_stamps;
    for (int t = 0; t < c->tile.rows->tensors; t++)
        same &= c->part[t].same_stamps;
    return same;
}

/* Of the processor's time: on a busy machine wall time says how busy it is. */
static double speed(const cli_cosim *c, bool wall) {
    const cli_circuit *x = c->circuit;
    const double seconds = wall ? x[0].seconds + x[1].seconds : x[0].cpu_seconds + x[1].cpu_seconds;
    return seconds > 0 ? (double)(c->stats[0].cycles + c->stats[1].cycles) / seconds : 0;
}

/* ---- JSON ---- */

static json_t *diff_json(const cli_cosim *c) {
    if (c->differs < 0)
        return json_null();
    json_t *signals = json_array();
    for (uint32_t i = 0; i < c->diff.items; i++) {
        const snn_cosim_item *s = &c->diff.item[i];
        json_array_append_new(signals,
                              json_pack("{s:s, s:s, s:o, s:o, s:o}", "stage", s->stage, "signal", s->signal,
                                        "lane", s->vector ? json_integer(s->lane) : json_null(), "expected",
                                        cli_json_count(s->expected), "got", cli_json_count(s->got)));
    }
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "where", cli_json_text(c->where), "circuit",
                     c->circuit[c->differs].role, "cycle", cli_json_count(c->diff.cycle), "waveforms",
                     cli_json_text(c->vcd_path), "time", cli_json_count(c->diff.time), "signals", signals);
}

static json_t *part_json(const cli_cosim *c, int t) {
    const cli_cosim_part *p = &c->part[t];
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     c->tile.rows->tensor[t].name, "adders_and_neurons", (int)p->whole, "reads",
                     cli_json_count(p->counts[0].reads), "keyed_reads", cli_json_count(p->counts[0].keyed),
                     "cycles", cli_json_count(p->counts[0].cycles), "pass_through_cycles",
                     cli_json_count(p->counts[1].cycles), "added_cycles", (json_int_t)added(p), "same_stamps",
                     (int)p->same_stamps, "spikes", cli_json_count(p->counts[0].spikes), "wrong_spikes",
                     cli_json_count(p->wrong_spikes), "queue_full_cycles",
                     cli_json_count(p->counts[0].aer_stalls), "encoder_hold_cycles",
                     cli_json_count(p->counts[0].hold_encoder), "decryptor_hold_cycles",
                     cli_json_count(p->counts[0].hold_decryptor), "back_pressure_cycles",
                     cli_json_count(p->pressed[0].cycles));
}

static json_t *drawn_json(const cli_cosim *c) {
    const snn_cosim_stats *s = c->drawn.stats;
    if (!c->drawn.ran)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:s}", "reads", cli_json_count(s->reads), "keyed_reads",
                     cli_json_count(s->keyed), "repeats", cli_json_count(s->repeats), "cycles",
                     cli_json_count(c->drawn.cycles[0]), "pass_through_cycles",
                     cli_json_count(c->drawn.cycles[1]), "same_stamps", (int)c->drawn.same_stamps, "stamps",
                     s->stamps);
}

static json_t *circuit_json(const cli_cosim *c) {
    const snn_decryptor_shape *s = &c->tile.shape.decryptor;
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "decryptor",
                     snn_decryptor_name(s->kind), "module", snn_rtl_decryptor(c->circuit[0].library),
                     "verilog_sha256", snn_rtl_digest(c->circuit[0].library), "ADDR", (int)s->address,
                     "LANES", (int)s->lanes, "BITS", (int)s->bits, "KEYABLE", (int)s->keyable, "KEYS",
                     (int)s->keys, "WAYS", (int)s->ways, "WORDS", (int)c->tile.shape.words, "QUEUE",
                     (int)c->tile.shape.queue);
}

static json_t *report(const cli_cosim *c) {
    json_t *layers = json_array();
    for (int t = 0; t < c->tile.rows->tensors; t++)
        if (c->part[t].ran)
            json_array_append_new(layers, part_json(c, t));
    return json_pack("{s:s, s:o, s:b, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "command",
                     "hw cosim", "model", cli_json_text(c->tile.model_path), "key",
                     (int)(c->tile.key != NULL), "samples", cli_json_count(c->samples), "circuit",
                     circuit_json(c), "added_cycles", (json_int_t)added_in_all(c), "same_stamps",
                     (int)same_stamps(c), "cycles", cli_json_count(c->stats[0].cycles + c->stats[1].cycles),
                     "compared", cli_json_count(c->stats[0].compared + c->stats[1].compared), "wrong_words",
                     cli_json_count(c->stats[0].wrong), "cycles_per_second", cli_json_real(speed(c, true)),
                     "cycles_per_cpu_second", cli_json_real(speed(c, false)), "drawn_reads", drawn_json(c),
                     "layers", layers, "difference", diff_json(c));
}

static bool write_report(const cli_cosim *c, const json_t *all, snn_error *err) {
    char path[4096];
    snprintf(path, sizeof path, "%s/report.json", c->folder);
    snn_file *f = snn_file_create(path, 0644, err);
    if (!f)
        return false;
    json_dumpf(all, snn_file_stream(f), CLI_JSON_FORMAT);
    fputc('\n', snn_file_stream(f));
    return snn_file_commit(f, err);
}

/* ---- for people ---- */

static void print_text(const cli_cosim *c) {
    char n[3][32];
    printf("circuit    %s beside dec_pass, %u lanes of %u bits, %u row words; %s\n",
           snn_rtl_decryptor(c->circuit[0].library), c->tile.shape.decryptor.lanes,
           c->tile.shape.decryptor.bits, c->tile.rows->rows,
           c->wrong_key  ? "WRONG KEY"
           : c->tile.key ? "with the key"
                         : "no key");
    printf("compared   %s values in %s cycles of two circuits, %s cycles/s of CPU time: %s\n",
           cli_count((double)(c->stats[0].compared + c->stats[1].compared), n[0], sizeof n[0]),
           cli_count((double)(c->stats[0].cycles + c->stats[1].cycles), n[1], sizeof n[1]),
           cli_count(speed(c, false), n[2], sizeof n[2]), c->differs < 0 ? "no difference" : "THEY DIFFER");
    if (c->differs >= 0)
        return;
    printf("\n  %-12s %12s %12s %12s %12s %8s %8s %12s\n", "", "reads", "keyed", "cycles", "pass-through",
           "added", "stamps", "wrong spikes");
    if (c->drawn.ran)
        printf("  %-12s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRId64 " %8s\n",
               "drawn reads", c->drawn.stats[0].reads, c->drawn.stats[0].keyed, c->drawn.cycles[0],
               c->drawn.cycles[1], (int64_t)(c->drawn.cycles[0] - c->drawn.cycles[1]),
               c->drawn.same_stamps ? "same" : "differ");
    for (int t = 0; t < c->tile.rows->tensors; t++) {
        const cli_cosim_part *p = &c->part[t];
        if (p->ran)
            printf("  %-12s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRId64
                   " %8s %12" PRIu64 "%s\n",
                   c->tile.rows->tensor[t].name, p->counts[0].reads, p->counts[0].keyed, p->counts[0].cycles,
                   p->counts[1].cycles, added(p), p->same_stamps ? "same" : "differ", p->wrong_spikes,
                   p->whole ? "" : "  reads only");
    }
    printf("\nadded cycles: %" PRId64 "; %" PRIu64 " decrypted row words are not the plain weights\n",
           added_in_all(c), c->stats[0].wrong);
}

/* Also after a difference: that is what the report is for. */
static bool tell(cli_cosim *c, snn_error *err) {
    json_t *all = report(c);
    bool ok = all || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    if (ok && c->folder)
        ok = write_report(c, all, err);
    if (ok && c->tile.common.json) {
        json_dumpf(all, stdout, CLI_JSON_FORMAT);
        fputc('\n', stdout);
    } else if (ok && !c->tile.common.quiet) {
        print_text(c);
    }
    if (c->differs >= 0 && !c->tile.common.json) {
        printf("\n%s\n", c->where);
        snn_cosim_diff_print(&c->diff, stdout);
        printf("  waveforms  %s, time %" PRIu64 "\n", c->vcd_path, c->diff.time);
    }
    json_decref(all);
    return ok;
}

static bool cosim(cli_cosim *c, snn_error *err) {
    const char *name = c->vcd ? c->vcd : "cosim.vcd";
    const int n = c->folder && !c->vcd ? snprintf(c->vcd_path, sizeof c->vcd_path, "%s/%s", c->folder, name)
                                       : snprintf(c->vcd_path, sizeof c->vcd_path, "%s", name);
    if (n < 0 || (size_t)n >= sizeof c->vcd_path)
        return snn_fail(err, SNN_ERR_USAGE, "--out, --vcd: the name is too long");
    const char *top = getenv("RTL_TOP");
    if (!c->top && top && *top)
        c->top = top;
    if ((c->folder && !snn_folder_create(c->folder, err)) || !cli_cosim_open(c, err))
        return false;
    const bool ok = cli_cosim_run(c, err);
    snn_error telling = {0};
    if (!ok && c->differs < 0)
        return false;
    if (!tell(c, &telling)) {
        if (ok)
            *err = telling;
        return false;
    }
    return ok;
}

bool cli_hw_cosim(int argc, char **argv, snn_error *err) {
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
                                            {"layer", required_argument, NULL, OPTION_LAYER},
                                            {"reads", required_argument, NULL, OPTION_READS},
                                            {"patterns", required_argument, NULL, OPTION_PATTERNS},
                                            {"wrong-key", required_argument, NULL, OPTION_WRONG},
                                            {"top", required_argument, NULL, OPTION_TOP},
                                            {"rtl", required_argument, NULL, OPTION_RTL},
                                            {"verilog", required_argument, NULL, OPTION_VERILOG},
                                            {"latches", no_argument, NULL, OPTION_LATCHES},
                                            {"ungated", no_argument, NULL, OPTION_UNGATED},
                                            {"window", required_argument, NULL, OPTION_WINDOW},
                                            {"out", required_argument, NULL, OPTION_OUT},
                                            {"vcd", required_argument, NULL, OPTION_VCD},
                                            {0}};
    cli_cosim c = {.tile = {.key_fd = -1, .samples = CLI_TILE_SAMPLES},
                   .reads = 10000,
                   .patterns = 1,
                   .window = 200,
                   .differs = -1};
    const cli_syntax syntax = {.name = "hw cosim",
                               .help = help,
                               .letters = ":h",
                               .options = options,
                               .positional_min = 1,
                               .positional_max = 1,
                               .positional = "CONFIG",
                               .own = take,
                               .context = &c};
    int first;
    const cli_parsed parsed = cli_parse(&syntax, argc, argv, &c.tile.common, &first, err);
    const bool ok = parsed == CLI_DONE || (parsed == CLI_GO && cosim(&c, err));
    cli_cosim_free(&c);
    return ok;
}
