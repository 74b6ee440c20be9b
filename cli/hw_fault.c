/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw fault: what one faulted bit of the decryptor does to the network that has its key. */
#include "chips.h"
#include "hw_tile.h"

#include <snnsim/mask_fault.h>

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim hw fault CONFIG --model FILE --key FILE [OPTION]...\n"
    "Measures what a fault of the decryptor costs the network with its key, one fault at a time: each\n"
    "bit of the mask register stuck at 0 and at 1, each entry of the key store lost, and single reads\n"
    "in which a mask bit is wrong (upsets), at rates from 1e-5 to 1e-1 for a bit and read.\n"
    "Cells are read without errors.\n"
    "\n"
    "  --model FILE       the encrypted model\n"
    "  --key FILE         its key\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline\n"
    "  --samples N        only the first N samples (default 0: all)\n"
    "  --set KEY=VALUE    override a key of the config\n"
    "  --seed N           the same as --set seed=N\n"
    "  --quiet            print errors only\n"
    "  --json             print the figures as JSON, and nothing else\n"
    "\n"
    "Example: snnsim hw fault nmnist.cfg --model enc.h5 --key net.key\n";

#define RATES 5

/* One kind of fault: the accuracies of all its places. */
typedef struct {
    const char *name;
    double *accuracy; /* [n] */
    size_t n;
} kind;

typedef struct {
    cli_tile tile;
    uint8_t *array;       /* [rows][lanes] what the adders get */
    snn_weights *weights; /* the same as weights */
    snn_engine *engine;
    snn_workspace *workspace;
    snn_engine_options options;
    snn_frames *frames;
    snn_dataset_buffer buffer;
    snn_spikes own;
    snn_result result;
    const volatile sig_atomic_t *stop;
    double sound; /* accuracy without fault */
    kind stuck[2], lost;
    double rate[RATES], upset[RATES];
} fault;

/* ---- measuring ---- */

static bool run_engine(fault *f, double *accuracy, snn_error *err) {
    const size_t n = snn_frames_count(f->frames);
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        const snn_spikes *x;
        if (*f->stop)
            return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted");
        if (!snn_frames_get(f->frames, i, &f->buffer, &f->own, &x, err) ||
            !snn_engine_run(f->engine, x, i, f->workspace, NULL, &f->result, err))
            return false;
        right += f->result.predicted == snn_dataset_label(f->tile.data, i);
    }
    *accuracy = (double)right / (double)n;
    return true;
}

/* Accuracy with what the array holds now. */
static bool measure(fault *f, double *accuracy, snn_error *err) {
    snn_rows_collect(f->tile.rows, f->array, f->weights);
    return snn_engine_set_weights(f->engine, f->weights, err) && run_engine(f, accuracy, err);
}

static bool measure_stuck(fault *f, snn_progress *p, snn_error *err) {
    const cli_tile *t = &f->tile;
    const snn_decryptor_shape *s = &t->shape.decryptor;
    for (int level = 0; level < 2; level++)
        for (size_t i = 0; i < f->stuck[level].n; i++) {
            const uint32_t lane = (uint32_t)i / s->keyable, bit = (uint32_t)i % s->keyable;
            snn_mask_stuck(t->rows, f->array, t->bit, t->keys, lane, bit, level);
            if (!measure(f, &f->stuck[level].accuracy[i], err))
                return false;
            snn_mask_stuck(t->rows, f->array, t->bit, t->keys, lane, bit, level);
            snn_progress_update(p, (size_t)level * f->stuck[0].n + i + 1);
        }
    return true;
}

static bool measure_lost(fault *f, snn_error *err) {
    for (size_t i = 0; i < f->lost.n; i++) {
        snn_mask_lost(f->tile.rows, f->array, &f->tile.bit[i]);
        if (!measure(f, &f->lost.accuracy[i], err))
            return false;
        snn_mask_lost(f->tile.rows, f->array, &f->tile.bit[i]);
    }
    return true;
}

static bool new_engine(fault *f, const snn_hook *hook, snn_error *err) {
    snn_workspace_free(f->workspace);
    snn_engine_free(f->engine);
    f->workspace = NULL;
    f->options.hook = hook;
    return (f->engine = snn_engine_new(f->tile.model.net, f->tile.plain, &f->options, err)) &&
           (f->workspace = snn_workspace_new(f->engine, err));
}

static bool measure_upsets(fault *f, snn_error *err) {
    static const double rates[RATES] = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
    for (int i = 0; i < RATES; i++) {
        const snn_upsets u = {.net = f->tile.model.net,
                              .weights = f->tile.plain,
                              .lanes = f->tile.rows->lanes,
                              .keyable = f->tile.shape.decryptor.keyable,
                              .rate = f->rate[i] = rates[i],
                              .seed = (uint64_t)snn_config_int(f->tile.config, "seed")};
        const snn_hook hook = snn_upsets_hook(&u);
        const bool ok = new_engine(f, &hook, err) && run_engine(f, &f->upset[i], err);
        f->options.hook = NULL;
        if (!ok)
            return false;
    }
    return true;
}

/* ---- opening ---- */

static bool new_kind(kind *k, const char *name, size_t n, snn_error *err) {
    *k = (kind){.name = name, .n = n};
    return (k->accuracy = snn_alloc(n > 0 ? n : 1, sizeof *k->accuracy, "accuracies", err));
}

static bool engine_options(fault *f, snn_error *err) {
    const bool ok = cli_engine_options(f->tile.config, &f->options, err);
    f->options.arithmetic = snn_arithmetic_of(f->tile.config, f->tile.model.net);
    return ok;
}

static bool open_fault(fault *f, snn_error *err) {
    cli_tile *t = &f->tile;
    if (!t->model_option || !t->key_path)
        return snn_fail(err, SNN_ERR_USAGE,
                        "hw fault: needs --model FILE and --key FILE (snnsim encrypt makes both)");
    if (!cli_tile_open(t, err))
        return false;
    const snn_decryptor_shape *s = &t->shape.decryptor;
    if (s->kind != SNN_DEC_CAM && s->kind != SNN_DEC_TABLE)
        return snn_config_fail(t->config, "hw.decryptor.kind", err,
                               "decryptor %s does not read the key of a model; cam and table do",
                               snn_decryptor_name(s->kind));
    return (f->array = snn_rows_fill(t->rows, t->plain, err)) &&
           (f->weights = snn_weights_copy(t->plain, err)) && engine_options(f, err) &&
           (f->frames = snn_frames_new(t->data, (size_t)t->samples, SNN_FRAMES_BYTES, err)) &&
           snn_result_init(&f->result, t->model.net, snn_dataset_about(t->data)->steps, err) &&
           new_kind(&f->stuck[0], "stuck at 0", (size_t)s->lanes * s->keyable, err) &&
           new_kind(&f->stuck[1], "stuck at 1", (size_t)s->lanes * s->keyable, err) &&
           new_kind(&f->lost, "entry lost", t->keys, err);
}

static void free_fault(fault *f) {
    free(f->array);
    snn_weights_free(f->weights);
    snn_workspace_free(f->workspace);
    snn_engine_free(f->engine);
    snn_result_free(&f->result);
    snn_spikes_free(&f->own);
    snn_dataset_buffer_free(&f->buffer);
    snn_frames_free(f->frames);
    free(f->stuck[0].accuracy);
    free(f->stuck[1].accuracy);
    free(f->lost.accuracy);
    cli_tile_free(&f->tile);
}

/* ---- reports ---- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts; the order of places means nothing in a report, and for lost entries it would be that of the key. */
static size_t harmless(kind *k, double sound) {
    size_t n = 0;
    qsort(k->accuracy, k->n, sizeof *k->accuracy, ascending);
    for (size_t i = 0; i < k->n; i++)
        n += k->accuracy[i] >= sound;
    return n;
}

static json_t *kind_json(kind *k, double sound) {
    const size_t good = harmless(k, sound);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "fault", k->name, "places", cli_json_count(k->n),
                     "without_loss", cli_json_count(good), "worst", cli_json_real(k->accuracy[0]), "median",
                     cli_json_real(k->accuracy[k->n / 2]), "best", cli_json_real(k->accuracy[k->n - 1]));
}

static void print_json(fault *f) {
    json_t *kinds = json_array(), *upsets = json_array();
    kind *all[] = {&f->stuck[0], &f->stuck[1], &f->lost};
    for (int i = 0; i < 3; i++)
        if (all[i]->n > 0)
            json_array_append_new(kinds, kind_json(all[i], f->sound));
    for (int i = 0; i < RATES; i++)
        json_array_append_new(upsets, json_pack("{s:o, s:o}", "rate", cli_json_real(f->rate[i]), "accuracy",
                                                cli_json_real(f->upset[i])));
    json_t *root =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "command", "hw fault", "model",
                  cli_json_text(f->tile.model_path), "samples", cli_json_count(snn_frames_count(f->frames)),
                  "sound", cli_json_real(f->sound), "faults", kinds, "upsets", upsets);
    json_dumpf(root, stdout, CLI_JSON_FORMAT);
    fputc('\n', stdout);
    json_decref(root);
}

static void print_text(fault *f) {
    kind *all[] = {&f->stuck[0], &f->stuck[1], &f->lost};
    printf("with its key, %zu samples: %.2f %%\n", snn_frames_count(f->frames), 100 * f->sound);
    printf("%-22s %8s %14s %9s %9s %9s\n", "one fault", "places", "without loss", "worst", "median", "best");
    for (int i = 0; i < 3; i++) {
        kind *k = all[i];
        const size_t good = harmless(k, f->sound);
        if (k->n > 0)
            printf("%-5s %-16s %8zu %14zu %7.2f %% %7.2f %% %7.2f %%\n", i < 2 ? "mask" : "store", k->name,
                   k->n, good, 100 * k->accuracy[0], 100 * k->accuracy[k->n / 2],
                   100 * k->accuracy[k->n - 1]);
    }
    printf("upsets of mask bits, each read anew:");
    for (int i = 0; i < RATES; i++)
        printf("%s %.0e: %.2f %%", i ? "," : "", f->rate[i], 100 * f->upset[i]);
    printf("\n");
}

static bool work(fault *f, snn_error *err) {
    f->stop = cli_catch_interrupts();
    if (!open_fault(f, err) || !new_engine(f, NULL, err) || !run_engine(f, &f->sound, err))
        return false;
    snn_progress *p = snn_progress_begin("faults", "places", 2 * f->stuck[0].n, !f->tile.common.quiet);
    const bool ok = measure_stuck(f, p, err) && measure_lost(f, err) && measure_upsets(f, err);
    snn_progress_end(p);
    if (ok && f->tile.common.json)
        print_json(f);
    else if (ok && !f->tile.common.quiet)
        print_text(f);
    return ok;
}

bool cli_hw_fault(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"model", required_argument, NULL, OPTION_TILE_MODEL},
                                            {"key", required_argument, NULL, OPTION_TILE_KEY},
                                            {"passphrase-fd", required_argument, NULL, OPTION_TILE_FD},
                                            {"samples", required_argument, NULL, OPTION_TILE_SAMPLES},
                                            {0}};
    fault f = {.tile = {.key_fd = -1}};
    const cli_syntax syntax = {.name = "hw fault",
                               .help = help,
                               .letters = ":h",
                               .options = options,
                               .positional_min = 1,
                               .positional_max = 1,
                               .positional = "CONFIG",
                               .own = cli_tile_take,
                               .context = &f.tile};
    int first;
    const cli_parsed parsed = cli_parse(&syntax, argc, argv, &f.tile.common, &first, err);
    const bool ok = parsed == CLI_GO ? work(&f, err) : parsed == CLI_DONE;
    free_fault(&f);
    return ok;
}
