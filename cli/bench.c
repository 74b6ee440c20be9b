/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim bench: speed of a config's network with frames in memory. */
#include "cli.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: snnsim bench CONFIG [--model FILE] [--set KEY=VALUE]... [--threads N] [--limit N]\n"
    "Runs the model on the first N samples (default 64), held in memory as frames, again and again for one "
    "second,\n"
    "and prints samples per second.\n";

typedef struct {
    snn_config *config;
    snn_model model;
    snn_dataset *data;
    snn_engine *engine;
    snn_spikes *x; /* [n] */
    size_t n;
    int threads;
} bench;

static bool take(void *context, int option, const char *value, snn_error *err) {
    (void)option, (void)err;
    *(const char **)context = value;
    return true;
}

static bool prepare(bench *b, const char *model_option, snn_error *err) {
    const char *path;
    snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FLOAT};
    if (!snn_simd_parse(snn_config_string(b->config, "run.simd"), &o.simd, err) ||
        !cli_model_load(b->config, model_option, &b->model, &path, err) ||
        !(b->data = snn_dataset_open(b->config, cli_split(b->config), err)))
        return false;
    size_t limit = (size_t)snn_config_int(b->config, "run.limit"), count = snn_dataset_count(b->data);
    limit = limit ? limit : 64;
    b->n = limit < count ? limit : count;
    b->threads = snn_threads((int)snn_config_int(b->config, "run.threads"));
    b->x = snn_alloc(b->n, sizeof *b->x, "frames", err);
    snn_dataset_buffer buffer = {0};
    bool ok = b->x != NULL;
    for (size_t i = 0; ok && i < b->n; i++)
        ok = snn_dataset_frames(b->data, i, &buffer, &b->x[i], err);
    snn_dataset_buffer_free(&buffer);
    return ok && (b->engine = snn_engine_new(b->model.net, b->model.weights, &o, err));
}

static bool measure(const bench *b, snn_error *err) {
    double start = snn_now();
    size_t runs = 0;
    bool ok = b->n > 0;
#pragma omp parallel num_threads(b->threads) reduction(+ : runs)
    {
        snn_error local = {0};
        snn_result r = {0};
        snn_workspace *w = snn_workspace_new(b->engine, &local);
        bool good = w && snn_result_init(&r, b->model.net, snn_dataset_about(b->data)->steps, &local);
        for (size_t i = (size_t)omp_get_thread_num(); good && b->n && snn_now() - start < 1; i++, runs++)
            good = snn_engine_run(b->engine, &b->x[i % b->n], i % b->n, w, NULL, &r, &local);
        snn_result_free(&r);
        snn_workspace_free(w);
#pragma omp critical
        if (!good) {
            ok = false;
            *err = local;
        }
    }
    double seconds = snn_now() - start;
    if (ok)
        printf("%.5g samples/s with %d thread%s\n", (double)runs / seconds, b->threads,
               b->threads == 1 ? "" : "s");
    return ok;
}

int snn_cmd_bench(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"threads", required_argument, NULL, CLI_THREADS},
                                            {"limit", required_argument, NULL, CLI_LIMIT},
                                            {"model", required_argument, NULL, CLI_OWN},
                                            {0}};
    const char *model_option = NULL;
    cli_syntax syntax = {.name = "bench",
                         .help = help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &model_option};
    cli_common common = {0};
    snn_error err = {0};
    bench b = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, &err);
    bool ok = parsed == CLI_DONE || (parsed == CLI_GO && (b.config = cli_config(&common, &err)) &&
                                     prepare(&b, model_option, &err) && measure(&b, &err));
    for (size_t i = 0; b.x && i < b.n; i++)
        snn_spikes_free(&b.x[i]);
    free(b.x);
    snn_engine_free(b.engine);
    snn_dataset_free(b.data);
    snn_model_free(&b.model);
    snn_config_free(b.config);
    cli_common_free(&common);
    return cli_finish(ok, &err);
}
