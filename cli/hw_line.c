/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snnsim hw line: the whole line in one table. The plain network, the stolen one (encrypted cells, nothing decrypts) and the one with its key: accuracy from programmed chips, cycles from the
 * tile, energy from the ledger and from synthesis.
 *
 *     encrypted codes ──program, age, read──▶ bits ──(key)──▶ engine         accuracy: chips x recordings
 *     row words ──tile, with the decryptor and with pass-through──▶ cycles ──results of synthesis──▶ energy
 */
#include "hw_line.h"

#include <math.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw line CONFIG --model FILE --key FILE [OPTION]...\n"
    "Walks the whole line with an encrypted network and prints one table: the network before encryption\n"
    "(plain), the encrypted one without its key (stolen) and with its key through the decryptor. Accuracy\n"
    "comes from the modelled chips of section hw (programmed, aged, read with errors), cycles and added\n"
    "cycles from the tile, energy of the arrays from the device, of read-out and decryptor from synthesis.\n"
    "\n"
    "  --model FILE       the encrypted model\n"
    "  --key FILE         its key\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline\n"
    "  --decryptor KIND   cam or table (default: hw.decryptor.kind)\n"
    "  --samples N        only the first N samples on each chip (default 0: all)\n"
    "  --tile-samples N   the first N samples on the tile (default 2; 0: as many as --samples)\n"
    "  --library NAME     energy and time of this library (default: osu018, or else the first one)\n"
    "  --set KEY=VALUE    override a key of the config (hw.device, hw.chips, hw.time, hw.decryptor.*, ...)\n"
    "  --seed N           the same as --set seed=N\n"
    "  --threads N        the same as --set run.threads=N (0: all CPUs)\n"
    "  --quiet            print errors only\n"
    "  --json             print the table as JSON, and nothing else\n"
    "\n"
    "Example: snnsim hw line gesture.cfg --model enc.h5 --key net.key --set hw.device=neurram --set "
    "hw.chips=4\n"
    "docs/tile.md describes the figures. A key that the decryptor cannot take: exit code 4.\n";

enum { OPTION_CHIP_SAMPLES = OPTION_TILE_LIBRARY + 1 };

static bool take(void *context, int option, const char *value, snn_error *err) {
    cli_line *l = context;
    if (option == OPTION_CHIP_SAMPLES)
        return cli_number("--samples", value, 0, 1000000000, &l->limit, err);
    if (option == OPTION_TILE_SAMPLES)
        return cli_number("--tile-samples", value, 0, 1000000000, &l->key.samples, err);
    return cli_tile_take(&l->key, option, value, err);
}

const char *cli_line_name(cli_line_user u) {
    static const char *const name[CLI_LINE_ROWS] = {"plain", "stolen", "with key"};
    return name[u];
}

double cli_line_energy(const cli_line_row *r) {
    return r->known ? r->inference.array_pj + r->cost.plain_pj + r->cost.added_pj : NAN;
}

/* ---- opening ---- */

/* A cipher stores other bits than the key flips, and pass-through decrypts nothing: neither is the network that was encrypted. */
static bool check_decryptor(const cli_line *l, snn_error *err) {
    const snn_decryptor_kind kind = l->key.shape.decryptor.kind;
    return kind == SNN_DEC_CAM || kind == SNN_DEC_TABLE ||
           snn_fail(err, SNN_ERR_USAGE,
                    "hw line: decryptor %s does not read the key of a model; cam and table do",
                    snn_decryptor_name(kind));
}

/* A saved chip has the cells of one network, and here two are programmed. */
static bool check_chip_file(const snn_config *config, snn_error *err) {
    return !*snn_config_string(config, "hw.chip_file") ||
           snn_config_fail(config, "hw.chip_file", err,
                           "is a chip that is programmed already; hw line programs its own");
}

static bool open_tiles(cli_line *l, snn_error *err) {
    cli_tile *key = &l->key, *stolen = &l->stolen;
    if (!key->model_option || !key->key_path)
        return snn_fail(err, SNN_ERR_USAGE,
                        "hw line: needs --model FILE and --key FILE (snnsim encrypt makes both)");
    const uint64_t wanted = key->samples;
    if (l->limit && (!wanted || wanted > l->limit))
        key->samples = l->limit;
    *stolen = (cli_tile){.common = key->common, /* borrowed */
                         .model_option = key->model_option,
                         .decryptor = "pass",
                         .key_fd = -1,
                         .samples = key->samples};
    return cli_tile_open(key, err) && check_chip_file(key->config, err) && check_decryptor(l, err) &&
           cli_tile_open(stolen, err);
}

/* Cells hold what is encrypted but in the plain row, and only the key's row flips bits as they are read. */
static bool open_chips(cli_line *l, snn_error *err) {
    const cli_tile *t = &l->key;
    const snn_model plain = {.net = t->model.net, .weights = t->plain};
    for (int u = 0; u < CLI_LINE_ROWS; u++) {
        cli_chips *c = &l->row[u].chips;
        if (!cli_chips_options(c, t->config, err))
            return false;
        if (u == CLI_LINE_KEY)
            c->key = &t->key->flips;
        if (!cli_chips_map(c, t->config, u == CLI_LINE_PLAIN ? &plain : &t->model, err) ||
            !cli_chips_place(c, t->config, err))
            return false;
    }
    return true;
}

static bool open_all(cli_line *l, snn_error *err) {
    if (!open_tiles(l, err) || !open_chips(l, err))
        return false;
    const size_t count = snn_dataset_count(l->key.data);
    l->samples = l->limit && l->limit < count ? (size_t)l->limit : count;
    for (size_t i = 0; i < l->key.libraries && !l->library; i++)
        if (!strcmp(l->key.synthesis[i].library, l->key.library ? l->key.library : CLI_LINE_LIBRARY))
            l->library = &l->key.synthesis[i];
    if (!l->library && l->key.libraries > 0)
        l->library = &l->key.synthesis[0];
    return (l->warnings = json_array()) || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
}

/* ---- accuracy ---- */

static void on_progress(void *context, uint64_t done, uint64_t total) {
    (void)total;
    snn_progress_update(context, done);
}

/* Chips run the same recordings, so these are what is independent: the interval is that of so many recordings, however many chips there are. */
static snn_interval accuracy_of(const snn_chips_result *r) {
    snn_interval i = snn_wilson((uint64_t)llround(r->mean * (double)r->samples), r->samples);
    i.value = r->mean;
    return i;
}

static bool run_chips(cli_line *l, cli_line_user u, snn_frames *frames, const snn_engine_options *engine,
                      const volatile sig_atomic_t *stop, snn_error *err) {
    const cli_tile *t = &l->key;
    const snn_model model = {.net = t->model.net,
                             .weights = u == CLI_LINE_PLAIN ? t->plain : t->model.weights};
    cli_line_row *r = &l->row[u];
    snn_progress *p = snn_progress_begin(cli_line_name(u), "samples",
                                         (uint64_t)r->chips.options.chips * l->samples, !t->common.quiet);
    const snn_evaluate_hooks hooks = {.context = p, .progress = on_progress, .stop = stop};
    const int threads = snn_threads((int)snn_config_int(t->config, "run.threads"));
    const bool ok = cli_chips_run(&r->chips, &model, frames, engine, threads, false, &hooks, err);
    snn_progress_end(p);
    if (ok)
        r->accuracy = accuracy_of(&r->chips.result);
    return ok;
}

static bool run_all_chips(cli_line *l, snn_error *err) {
    snn_engine_options engine;
    const volatile sig_atomic_t *stop = cli_catch_interrupts();
    snn_frames *frames = NULL;
    bool ok = cli_engine_options(l->key.config, &engine, err) &&
              (frames = snn_frames_new(l->key.data, l->samples, SNN_FRAMES_BYTES, err));
    engine.arithmetic = snn_arithmetic_of(l->key.config, l->key.model.net);
    engine.count_operations =
        false; /* energy is that of the tile's recordings, so that all columns are of the same reads */
    for (int u = 0; ok && u < CLI_LINE_ROWS; u++)
        ok = run_chips(l, (cli_line_user)u, frames, &engine, stop, err);
    snn_frames_free(frames);
    if (ok)
        cli_chips_warn(&l->row[CLI_LINE_KEY].chips, l->warnings);
    return ok;
}

/* ---- cycles and energy ---- */

/* What the tile t counted; plain: its second run, with pass-through over the decrypted array, which is the plain network's. */
static bool account(cli_line *l, cli_line_user u, const cli_tile *t, snn_error *err) {
    cli_line_row *r = &l->row[u];
    const bool plain = u == CLI_LINE_PLAIN;
    snn_decryptor_shape shape = t->shape.decryptor;
    snn_tile_traffic *traffic = snn_alloc((size_t)t->rows->tensors, sizeof *traffic, "traffic", err);
    if (!traffic)
        return false;
    for (int i = 0; i < t->rows->tensors; i++) {
        traffic[i] = t->traffic[i];
        if (plain)
            traffic[i].tile = traffic[i].plain;
        snn_tile_counts_add(&r->tile, &traffic[i].tile);
        r->pass_through += traffic[i].plain.cycles;
    }
    shape.kind = plain ? SNN_DEC_PASS : shape.kind;
    const bool ok = snn_inference_of(traffic, (double)t->ran, t->rows, t->map, &t->options,
                                     plain ? t->plain : t->model.weights, -1, &r->inference, err);
    r->known =
        ok && l->library && snn_decryption_of(l->library, &shape, (uint32_t)t->keys, &r->inference, &r->cost);
    free(traffic);
    return ok;
}

static bool run_tiles(cli_line *l, snn_error *err) {
    return cli_tile_run(&l->key, err) && cli_tile_run(&l->stolen, err) &&
           account(l, CLI_LINE_PLAIN, &l->key, err) && account(l, CLI_LINE_STOLEN, &l->stolen, err) &&
           account(l, CLI_LINE_KEY, &l->key, err);
}

/* ---- the command ---- */

static void free_all(cli_line *l) {
    for (int u = 0; u < CLI_LINE_ROWS; u++)
        cli_chips_free(&l->row[u].chips);
    l->stolen.common = (cli_common){0};
    cli_tile_free(&l->stolen);
    cli_tile_free(&l->key);
    json_decref(l->warnings);
}

bool cli_hw_line(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"threads", required_argument, NULL, CLI_THREADS},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"model", required_argument, NULL, OPTION_TILE_MODEL},
                                            {"key", required_argument, NULL, OPTION_TILE_KEY},
                                            {"passphrase-fd", required_argument, NULL, OPTION_TILE_FD},
                                            {"decryptor", required_argument, NULL, OPTION_TILE_DECRYPTOR},
                                            {"samples", required_argument, NULL, OPTION_CHIP_SAMPLES},
                                            {"tile-samples", required_argument, NULL, OPTION_TILE_SAMPLES},
                                            {"library", required_argument, NULL, OPTION_TILE_LIBRARY},
                                            {0}};
    cli_line l = {.key = {.key_fd = -1, .samples = CLI_LINE_TILE_SAMPLES}};
    const cli_syntax syntax = {.name = "hw line",
                               .help = help,
                               .letters = ":h",
                               .options = options,
                               .positional_min = 1,
                               .positional_max = 1,
                               .positional = "CONFIG",
                               .own = take,
                               .context = &l};
    int first;
    const cli_parsed parsed = cli_parse(&syntax, argc, argv, &l.key.common, &first, err);
    bool ok = parsed != CLI_FAILED;
    if (parsed == CLI_GO) {
        ok = open_all(&l, err) && run_tiles(&l, err) && run_all_chips(&l, err);
        if (ok && l.key.common.json)
            cli_line_json(&l);
        else if (ok && !l.key.common.quiet)
            cli_line_text(&l);
    }
    free_all(&l);
    return ok;
}
