/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim bench: the speed of the engine, readers and training, with frames in memory, as medians of several runs. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: snnsim bench [--seconds S]\n"
    "       snnsim bench CONFIG [--model FILE] [--set KEY=VALUE]... [--threads N] [--limit N] [--seconds S]\n"
    "Without CONFIG: the suite (N-MNIST network, golden and shipped gesture networks at each SIMD level, the "
    "bare scatter\n"
    "loop, reading and framing, training). With CONFIG: that network on its first N samples (default 64) in "
    "memory.\n"
    "Every figure is the median of several runs, S seconds for each (default 1).\n";

typedef struct {
    const char *model;
    double seconds;
} bench_options;

enum { OPTION_SECONDS = CLI_OWN + 1 };

static bool take(void *context, int option, const char *value, snn_error *err) {
    bench_options *o = context;
    if (option == CLI_OWN) {
        o->model = value;
        return true;
    }
    char *end;
    o->seconds = strtod(value, &end);
    if (*end || end == value || !(o->seconds > 0 && o->seconds <= 3600))
        return snn_fail(err, SNN_ERR_USAGE, "--seconds %s: expected a number above 0, at most 3600", value);
    return true;
}

/* One config's network on its own samples. */
static bool bench_config(const cli_common *common, const bench_options *o, snn_error *err) {
    const char *path;
    snn_model model = {0};
    snn_simd simd;
    bench_figure f;
    bench_work w = {.name = "config"};
    snn_config *c = cli_config(common, err);
    bool ok = c && snn_simd_parse(snn_config_string(c, "run.simd"), &simd, err) &&
              cli_model_load(c, o->model, &model, &path, err);
    snn_dataset *data = ok ? snn_dataset_open(c, cli_split(c), err) : NULL;
    w.net = model.net;
    w.weights = model.weights;
    if (data) {
        const size_t limit = (size_t)snn_config_int(c, "run.limit");
        const int threads = snn_threads((int)snn_config_int(c, "run.threads"));
        ok = bench_load(&w, data, limit ? limit : 64, err) &&
             bench_throughput(&w, simd, threads, o->seconds, &f, err);
        if (ok)
            printf("%.5g samples/s with %d thread%s, %s (%.5g .. %.5g in %d runs)\n", f.median, threads,
                   threads == 1 ? "" : "s", snn_simd_name(simd), f.low, f.high, f.runs);
        ok = ok && bench_latency(&w, simd, &f, err);
        if (ok)
            printf("%.5g us for one sample (5 %% to 95 %%: %.5g .. %.5g)\n", 1e6 * f.median, 1e6 * f.low,
                   1e6 * f.high);
    }
    w.net = NULL; /* the model's */
    w.weights = NULL;
    bench_work_free(&w);
    snn_dataset_free(data);
    snn_model_free(&model);
    snn_config_free(c);
    return ok && data;
}

int snn_cmd_bench(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"threads", required_argument, NULL, CLI_THREADS},
                                            {"limit", required_argument, NULL, CLI_LIMIT},
                                            {"model", required_argument, NULL, CLI_OWN},
                                            {"seconds", required_argument, NULL, OPTION_SECONDS},
                                            {0}};
    bench_options own = {NULL, 1};
    cli_syntax syntax = {.name = "bench",
                         .help = help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 0,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &own};
    cli_common common = {0};
    snn_error err = {0};
    int first;
    const cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, &err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO && !common.config && (common.assignments || own.model))
        ok = snn_fail(&err, SNN_ERR_USAGE, "bench: without CONFIG only --seconds is allowed");
    else if (parsed == CLI_GO)
        ok = common.config ? bench_config(&common, &own, &err) : bench_suite(own.seconds, &err);
    cli_common_free(&common);
    return cli_finish(ok, &err);
}
