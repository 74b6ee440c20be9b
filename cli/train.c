/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim train: data set -> weights -> model file, with the training curve and a checkpoint beside it. */
#include "cli.h"
#include "curve.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: snnsim train CONFIG [OPTION]...\n"
    "Trains the network of the config on the training part of its data set, quantises it, and writes\n"
    "the model.\n"
    "\n"
    "  --model FILE       where to write the model (default: model.path of the config)\n"
    "  --from FILE        start from the weights of this model instead of random ones\n"
    "  --float FILE       also write the float weights from before quantisation, as a model\n"
    "  --resume           continue from FILE.checkpoint, to the same bits as without interruption\n"
    "  --set KEY=VALUE    override a key of the config (see snnsim config); may be given more than once\n"
    "  --seed N           the same as --set seed=N\n"
    "  --threads N        the same as --set run.threads=N (0: all CPUs)\n"
    "  --quiet            print errors only\n"
    "  --help             this text\n"
    "\n"
    "Beside the model FILE stand FILE.training.csv, the training curve, and, until training is\n"
    "finished, FILE.checkpoint. Interrupted (Ctrl-C), it saves the checkpoint and exits with 130.\n"
    "\n"
    "Example: snnsim train gesture.cfg --model gesture.h5 --seed 7\n";

enum { OPTION_MODEL = CLI_OWN, OPTION_FROM, OPTION_FLOAT, OPTION_RESUME };

typedef struct {
    cli_common common;
    const char *model_option, *from, *float_path;
    bool resume;

    snn_config *config;
    const char *path;                        /* of the model */
    char curve_path[4096], checkpoint[4096]; /* beside it */
    snn_dataset *data;
    snn_net *net;
    snn_weights *initial; /* NULL: random */
    snn_train_options options;
    snn_train_result result;

    cli_curve curve;
    snn_progress *progress;
    int progress_epoch;
    volatile sig_atomic_t *stop; /* interrupted, or the curve cannot be written */
    snn_error failure;           /* of the curve */
} training;

static bool take(void *context, int option, const char *value, snn_error *err) {
    (void)err;
    training *t = context;
    if (option == OPTION_MODEL)
        t->model_option = value;
    else if (option == OPTION_FROM)
        t->from = value;
    else if (option == OPTION_FLOAT)
        t->float_path = value;
    else
        t->resume = true;
    return true;
}

/* ---- set-up ---- */

static bool beside(const char *path, const char *ending, char *buf, size_t size, snn_error *err) {
    int n = snprintf(buf, size, "%s%s", path, ending);
    return (n >= 0 && (size_t)n < size) ||
           snn_fail(err, SNN_ERR_USAGE, "the name of the model is too long (%zu bytes)", strlen(path));
}

/* An unwritable folder must be found before hours of training. */
static bool check_writable(const char *path, snn_error *err) {
    snn_file *f = cli_model_target(path, err) ? snn_file_create(path, 0644, err) : NULL;
    snn_file_abandon(f);
    return f != NULL;
}

/* --from: the weights and biases of a model of the same network. */
static bool start_from(training *t, snn_error *err) {
    snn_model m = {0};
    if (!snn_model_load(&m, t->from, err))
        return false;
    if (!snn_net_equal(t->net, m.net, err)) {
        snn_model_free(&m);
        return snn_error_context(err, "--from %s: not the network of %s", t->from,
                                 snn_config_path(t->config));
    }
    t->initial = snn_weights_dequantise(m.weights, err);
    snn_net_free(t->net);
    t->net = m.net;
    m.net = NULL;
    snn_model_free(&m);
    return t->initial != NULL;
}

static bool open_all(training *t, snn_error *err) {
    t->config = cli_config(&t->common, err);
    if (!t->config)
        return false;
    t->path = cli_model_path(t->config, t->model_option, err);
    if (!t->path || !beside(t->path, ".training.csv", t->curve_path, sizeof t->curve_path, err) ||
        !beside(t->path, ".checkpoint", t->checkpoint, sizeof t->checkpoint, err) ||
        !snn_train_options_from_config(t->config, &t->options, err))
        return false;
    if (!snn_config_count(t->config, "network.layers"))
        return snn_fail(err, SNN_ERR_USAGE, "%s: there is no network.layers to train",
                        snn_config_path(t->config));
    if (t->resume && access(t->checkpoint, F_OK))
        return snn_fail(err, SNN_ERR_USAGE, "--resume: there is no checkpoint %s", t->checkpoint);
    if (!check_writable(t->path, err) || (t->float_path && !check_writable(t->float_path, err)))
        return false;
    t->options.threads = snn_threads((int)snn_config_int(t->config, "run.threads"));
    t->data = snn_dataset_open(t->config, SNN_SPLIT_TRAIN, err);
    if (!t->data)
        return false;
    const uint32_t *input = snn_dataset_about(t->data)->input;
    if (snn_dataset_about(t->data)->note && !t->common.quiet)
        printf("note: %s\n", snn_dataset_about(t->data)->note);
    t->net = snn_net_from_config(t->config, (snn_shape){input[0], input[1], input[2]}, err);
    t->curve.path = t->curve_path;
    return t->net && (!t->from || start_from(t, err));
}

/* ---- while it runs ---- */

static void on_epoch(void *context, const snn_train_epoch *e) {
    training *t = context;
    snn_progress_end(t->progress);
    t->progress = NULL;
    if (!t->common.quiet) {
        char seconds[32];
        printf("epoch %d%s: loss %.4g, accuracy %.2f %%", e->epoch, e->quantised ? " (quantised)" : "",
               e->loss, 100 * e->accuracy);
        if (e->validation_accuracy >= 0)
            printf(", validation %.2f %%%s", 100 * e->validation_accuracy, e->best ? " (best)" : "");
        printf(", %s\n", cli_seconds(e->seconds, seconds, sizeof seconds));
        fflush(stdout);
    }
    if (!*t->stop && !cli_curve_add(&t->curve, e, &t->failure))
        *t->stop = 1;
}

static void on_progress(void *context, int epoch, uint64_t done, uint64_t total) {
    training *t = context;
    if (epoch != t->progress_epoch || !t->progress) {
        char label[32];
        snn_progress_end(t->progress);
        snprintf(label, sizeof label, "epoch %d", epoch);
        t->progress = snn_progress_begin(label, "samples", total, !t->common.quiet);
        t->progress_epoch = epoch;
    }
    snn_progress_update(t->progress, done);
}

static bool train(training *t, snn_error *err) {
    t->stop = cli_catch_interrupts();
    snn_train_hooks hooks = {.context = t,
                             .epoch = on_epoch,
                             .progress = on_progress,
                             .stop = t->stop,
                             .checkpoint = t->checkpoint,
                             .resume = t->resume};
    bool ok = snn_train(t->net, t->data, t->initial, &t->options, &hooks, &t->result, err);
    snn_progress_end(t->progress);
    if (!t->failure.code && !cli_curve_save(&t->curve, &t->failure) && ok) {
        *err = t->failure;
        return false;
    }
    if (ok || err->code != SNN_ERR_INTERRUPTED)
        return ok;
    if (t->failure.code) {
        *err = t->failure;
        return false;
    }
    return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted; saved to %s; continue with --resume",
                    t->checkpoint);
}

/* ---- the model ---- */

static bool save(const training *t, const char *path, snn_net *net, snn_weights *weights, snn_error *err) {
    snn_model model = {.net = net, .weights = weights};
    model.record = cli_training_record(t->config, t->data, &t->options, &t->result, err);
    bool ok = model.record && snn_model_save(&model, path, err);
    free(model.record);
    return ok;
}

static bool finish(training *t, snn_error *err) {
    if ((t->float_path && !save(t, t->float_path, t->result.best_net, t->result.best, err)) ||
        !save(t, t->path, t->result.quantised_net, t->result.quantised, err))
        return false;
    unlink(t->checkpoint); /* there is nothing left to resume */
    if (t->common.quiet)
        return true;
    const snn_train_result *r = &t->result;
    char seconds[32];
    printf("wrote %s: %d bit, epoch %d of %d", t->path, t->options.quant.bits, r->quantised_epoch, r->epochs);
    if (r->quantised_validation >= 0)
        printf(", validation %.2f %%", 100 * r->quantised_validation);
    printf(", trained in %s\n", cli_seconds(r->seconds, seconds, sizeof seconds));
    printf("try it: snnsim run %s%s%s\n", snn_config_path(t->config), t->model_option ? " --model " : "",
           t->model_option ? t->model_option : "");
    return true;
}

int snn_cmd_train(int argc, char **argv) {
    static const struct option options[] = {
        {"help", no_argument, NULL, CLI_HELP},          {"set", required_argument, NULL, CLI_SET},
        {"seed", required_argument, NULL, CLI_SEED},    {"threads", required_argument, NULL, CLI_THREADS},
        {"quiet", no_argument, NULL, CLI_QUIET},        {"model", required_argument, NULL, OPTION_MODEL},
        {"from", required_argument, NULL, OPTION_FROM}, {"float", required_argument, NULL, OPTION_FLOAT},
        {"resume", no_argument, NULL, OPTION_RESUME},   {0}};
    training t = {0};
    cli_syntax syntax = {.name = "train",
                         .help = help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &t};
    snn_error err = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &t.common, &first, &err);
    bool ok =
        parsed == CLI_DONE || (parsed == CLI_GO && open_all(&t, &err) && train(&t, &err) && finish(&t, &err));
    snn_train_result_free(&t.result);
    cli_curve_free(&t.curve);
    snn_net_free(t.net);
    snn_weights_free(t.initial);
    snn_dataset_free(t.data);
    snn_config_free(t.config);
    cli_common_free(&t.common);
    return cli_finish(ok, &err);
}
