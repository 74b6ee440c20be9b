/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Setting up an encryption: config, files, model, data sets, passphrase; then the samples, bits and chips that the search works with. */
#include "chips.h"
#include "encrypt.h"
#include "key.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

/* An unwritable folder must be found before the search. */
static bool check_writable(const char *path, unsigned mode, snn_error *err) {
    snn_file *f = snn_file_create(path, mode, err);
    snn_file_abandon(f);
    return f != NULL;
}

static bool name_checkpoint(cli_encryption *e, snn_error *err) {
    const char *path = e->checkpoint_option ? e->checkpoint_option : e->key_path;
    int n =
        snprintf(e->checkpoint, sizeof e->checkpoint, "%s%s", path, e->checkpoint_option ? "" : ".search");
    if (n < 0 || (size_t)n >= sizeof e->checkpoint)
        return snn_fail(err, SNN_ERR_USAGE, "%s: the name of the checkpoint is too long", e->command);
    return *path ? true : snn_fail(err, SNN_ERR_USAGE, "--checkpoint: the name of the file is empty");
}

/* A key that is overwritten locks its model up for good, so that none is. Only a resumed search may find the key that it had written when it was killed (cli_encrypt_save looks whether it is that). */
static bool check_key_target(const cli_encryption *e, snn_error *err) {
    if (access(e->key_path, F_OK) || (e->resume && !access(e->checkpoint, F_OK)))
        return true;
    return snn_fail(err, SNN_ERR_USAGE,
                    "%s: the file exists, and a key is never overwritten, as its model would be lost; choose "
                    "another name",
                    e->key_path);
}

/* What stands where the checkpoint goes is written over and removed in the end: it must be a checkpoint, and one that is to be continued. */
static bool check_checkpoint(const cli_encryption *e, snn_error *err) {
    uint64_t seed;
    bool found;
    if (!snn_search_checkpoint_seed(e->checkpoint, &seed, &found, err))
        return false;
    return !found || e->resume ||
           snn_fail(err, SNN_ERR_USAGE,
                    "%s: holds a search that has not ended; continue it with --resume, or remove the file",
                    e->checkpoint);
}

static bool check_targets(cli_encryption *e, snn_error *err) {
    if (!*e->output || !*e->key_path)
        return snn_fail(err, SNN_ERR_USAGE, "%s: the name of a file is empty", e->command);
    if (cli_same_file(e->output, e->key_path))
        return snn_fail(err, SNN_ERR_USAGE, "%s: model and key cannot be the same file", e->command);
    if (!name_checkpoint(e, err))
        return false;
    if (cli_same_file(e->checkpoint, e->key_path) || cli_same_file(e->checkpoint, e->output))
        return snn_fail(err, SNN_ERR_USAGE, "--checkpoint %s: is another file of this command",
                        e->checkpoint);
    return check_checkpoint(e, err) && check_key_target(e, err) && check_writable(e->key_path, 0600, err) &&
           check_writable(e->checkpoint, 0600, err) && cli_model_target(e->output, err) &&
           check_writable(e->output, 0644, err);
}

static snn_file *create(const char *folder, const char *name, snn_error *err) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        snn_fail(err, SNN_ERR_USAGE, "--out: the path of the folder is too long");
        return NULL;
    }
    return snn_file_create(path, 0644, err);
}

static bool open_folder(cli_encryption *e, snn_error *err) {
    if (!e->folder || snn_rank() != 0)
        return true;
    if (!*e->folder)
        return snn_fail(err, SNN_ERR_USAGE, "--out: the name of the folder is empty");
    e->made = access(e->folder, F_OK) != 0;
    return snn_folder_create(e->folder, err) && (e->report = create(e->folder, "report.json", err)) &&
           (e->front = create(e->folder, "front.csv", err));
}

/* ---- model and data ---- */

static bool load_plain(cli_encryption *e, snn_error *err) {
    char found[PATH_MAX];
    if (!cli_model_load(e->config, e->model_option, &e->model, &e->model_path, err) ||
        !snn_model_find(e->model_path, found, sizeof found, err))
        return false;
    return !cli_same_file(e->output, found) ||
           snn_fail(err, SNN_ERR_USAGE, "-o %s: is the plain model; the encrypted one must be another file",
                    e->output);
}

static bool open_model(cli_encryption *e, snn_error *err) {
    if (!(e->rotation ? cli_rotation_open : load_plain)(e, err))
        return false;
    for (int t = 0; t < e->model.weights->tensors; t++)
        if (e->model.weights->tensor[t].type == SNN_FLOAT32)
            return snn_fail(err, SNN_ERR_DATA,
                            "model %s: layer %s has float weights, which have no bits to encrypt; make codes "
                            "of them with snnsim model quantise",
                            e->model_path, e->model.weights->tensor[t].name);
    return true;
}

static bool open_data(cli_encryption *e, snn_error *err) {
    if (!(e->training = snn_dataset_open(e->config, SNN_SPLIT_TRAIN, err)) ||
        !(e->test = snn_dataset_open(e->config, SNN_SPLIT_TEST, err)))
        return false;
    const snn_dataset_info *about = snn_dataset_about(e->training);
    return cli_check_network(e->config, about, &e->model, e->model_path, err) &&
           (snn_evaluate_fits(e->model.net, about, err) || snn_error_context(err, "model %s", e->model_path));
}

/* The seed of a search that is resumed is in its checkpoint; a new one is drawn from the system, the same for all ranks. */
static bool take_seed(cli_encryption *e, snn_error *err) {
    bool found = false;
    uint64_t *seed = &e->options.search.seed, saved = 0;
    if (e->resume && !snn_search_checkpoint_seed(e->checkpoint, &saved, &found, err))
        return false;
    if (found && e->options.seed_given && saved != *seed)
        return snn_fail(err, SNN_ERR_USAGE, "%s: is of a search with another encrypt.seed", e->checkpoint);
    if (found)
        *seed = saved;
    if (e->resume && !found && !e->common.quiet)
        fprintf(stderr, "there is no checkpoint %s: the search starts from the beginning\n", e->checkpoint);
    return snn_rank_broadcast(seed, sizeof *seed, err);
}

/* Before the search, which may run unattended. */
static bool take_passphrase(cli_encryption *e, snn_error *err) {
    if (e->clear && (e->kdf_given || e->passphrase_fd >= 0))
        return snn_fail(err, SNN_ERR_USAGE, "%s: --clear takes no passphrase and no --kdf", e->command);
    if (snn_rank() == 0 && !e->clear &&
        !cli_key_passphrase(e->key_path, e->passphrase_fd, &e->passphrase, err))
        return false;
    if (e->rotation && e->rotation->sealed && snn_rank() == 0 && !e->clear && !e->passphrase.text)
        return snn_fail(err, SNN_ERR_USAGE,
                        "key rotate: the old key is sealed, but there is no passphrase for the new one: use "
                        "--new-passphrase-fd, or --clear for a key without");
    e->sealed = e->passphrase.text != NULL;
    snn_secret_forget();
    return true;
}

bool cli_encrypt_open(cli_encryption *e, snn_error *err) {
    cli_harden(); /* on every rank: all of them search */
    if (!(e->config = cli_config(&e->common, err)) || !check_targets(e, err) ||
        !cli_engine_options(e->config, &e->engine, err) || !open_model(e, err) ||
        !snn_encrypt_options_from_config(&e->options, e->config, e->model.net, err))
        return false;
    e->engine.arithmetic = snn_arithmetic_of(e->config, e->model.net);
    e->threads = snn_threads((int)snn_config_int(e->config, "run.threads"));
    e->stop = cli_catch_interrupts();
    return open_data(e, err) && open_folder(e, err) && take_seed(e, err) &&
           snn_rank_all(take_passphrase(e, err), err);
}

/* ---- hardware ---- */

/* Arrays of the decryptor's row words where no chip is given: 256 rows and 1024 columns of one-bit cells, as hw.array has them. */
static bool default_map(cli_encryption *e, snn_error *err) {
    snn_map_options o = {.rows = 256, .columns = 1024, .cell_bits = 1};
    return (e->hardware.map = snn_map_new(e->model.net, e->model.weights, &o, err)) != NULL;
}

static bool make_chips(cli_encryption *e, snn_error *err) {
    const snn_encrypt_options *o = &e->options;
    e->hardware.chips = snn_noisy_readouts_new(e->hardware.map, &e->hardware.options, e->model.weights,
                                               e->model.net, o->chips, o->read_noise, e->threads, err);
    return e->hardware.chips != NULL;
}

static bool open_hardware(cli_encryption *e, snn_error *err) {
    cli_encrypt_hardware *h = &e->hardware;
    bool wanted = snn_hw_wanted(e->config), chips = e->options.chips > 0;
    if (!wanted && !snn_hw_check_none(e->config, err))
        return false;
    if (!chips && !e->options.word_limit)
        return true;
    if (!wanted)
        return default_map(e, err);
    if (!(chips ? snn_hw_options_from_config : snn_hw_layout_from_config)(e->config, &h->options, err))
        return false;
    h->has_options = true;
    h->map = snn_map_new(e->model.net, e->model.weights, &h->options.map, err);
    return h->map && (!chips || make_chips(e, err));
}

/* ---- samples and bits ---- */

static bool make_objective(cli_encryption *e, snn_error *err) {
    const snn_noisy_readouts *chips = e->hardware.chips;
    snn_objective_options options = {.net = e->model.net,
                                     .weights = e->model.weights,
                                     .searched = e->options.tensor,
                                     .arithmetic = e->engine.arithmetic,
                                     .simd = e->engine.simd,
                                     .threads = e->threads,
                                     .goal = e->goal,
                                     .readout = chips ? snn_noisy_readouts_all(chips) : NULL,
                                     .chips = chips ? snn_noisy_readouts_count(chips) : 0};
    e->objective =
        snn_objective_new(&options, e->candidates, e->subset.sample, e->subset.label, e->subset.n, err);
    return e->objective != NULL;
}

bool cli_encrypt_choose(cli_encryption *e, snn_error *err) {
    snn_candidate_options c = {.tensor = e->options.tensor,
                               .bits = e->options.bits,
                               .word_limit = e->options.word_limit,
                               .map = e->hardware.map,
                               .exclude = e->rotation ? &e->rotation->spent : NULL,
                               .eligible = e->options.eligible,
                               .any_value = e->options.any_value,
                               .seed = e->options.search.seed};
    e->candidates = snn_candidates_new(e->model.weights, &c, err);
    return e->candidates && make_objective(e, err);
}

bool cli_encrypt_prepare(cli_encryption *e, snn_error *err) {
    const snn_encrypt_options *o = &e->options;
    uint64_t draw = (uint64_t)snn_config_int(e->config, "seed");
    snn_train_options t;
    if (!snn_train_options_from_config(e->config, &t, err) ||
        !snn_subset_draw(&e->subset, e->training, o->samples, o->random_samples, draw, err) ||
        !snn_subset_vary(&e->subset, e->model.net->input, &t, o->variants, draw, err))
        return false;
    e->goal = snn_encrypt_goal(o, e->subset.n, &e->target_used);
    return snn_encrypt_goal_check(&e->goal, e->subset.n, e->model.net->classes, err) &&
           open_hardware(e, err) && cli_encrypt_choose(e, err);
}

/* ---- the end ---- */

static void free_hardware(cli_encrypt_hardware *h) {
    snn_noisy_readouts_free(h->chips);
    snn_map_free(h->map);
    if (h->has_options)
        snn_hw_options_free(&h->options);
}

void cli_encrypt_close(cli_encryption *e) {
    snn_objective_free(e->objective);
    snn_candidates_free(e->candidates);
    free_hardware(&e->hardware);
    snn_subset_free(&e->subset);
    snn_secret_free(&e->passphrase);
    bool unused = e->report || e->front;
    snn_file_abandon(e->report);
    snn_file_abandon(e->front);
    if (unused && e->made)
        rmdir(e->folder);
    snn_dataset_free(e->test);
    snn_dataset_free(e->training);
    snn_encrypt_options_free(&e->options);
    snn_model_free(&e->model);
    snn_config_free(e->config);
}
