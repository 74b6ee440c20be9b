/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim run: dataset -> frames -> engine -> report. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim run CONFIG [OPTION]...\n"
    "Runs a trained network on a data set and reports accuracy, activity, operations and time.\n"
    "\n"
    "  --model FILE       the model (default: model.path of the config); looked up in the current\n"
    "                     folder, in ./models and in the installed models\n"
    "  --out DIR          write report.json, predictions.csv and confusion.csv to this folder\n"
    "  --trace LAYER      with --out: write LAYER_spikes.npy (uint8 [samples][steps][neurons]) and\n"
    "                     LAYER_membrane.npy (float32 or int32); may be given more than once\n"
    "  --set KEY=VALUE    override a key of the config (see snnsim config); may be given more than once\n"
    "  --seed N           the same as --set seed=N\n"
    "  --threads N        the same as --set run.threads=N (0: all CPUs)\n"
    "  --limit N          the same as --set run.limit=N: only the first N samples (0: all)\n"
    "  --quiet            print errors only\n"
    "  --json             print the report to standard output as JSON, and nothing else there\n"
    "  --help             this text\n"
    "\n"
    "Example: snnsim run gesture.cfg --threads 2 --out results\n"
    "The figures are defined in docs/metrics.md. Interrupted (Ctrl-C), it exits with 130 and leaves\n"
    "no files.\n";

enum { OPTION_MODEL = CLI_OWN, OPTION_OUT, OPTION_TRACE };

static bool take(void *context, int option, const char *value, snn_error *err) {
    cli_run *run = context;
    void *array = run->trace;
    switch (option) {
    case OPTION_MODEL:
        run->model_option = value;
        return true;
    case OPTION_TRACE:
        if (!snn_grow(&array, &run->trace_capacity, run->traces + 1, sizeof *run->trace, err))
            return false;
        run->trace = array;
        run->trace[run->traces++] = value;
        return true;
    default:
        run->folder = value;
        return true;
    }
}

const char *cli_class_name(const cli_run *run, int c, char *buf, size_t size) {
    if (c < run->about->classes)
        return run->about->class_name[c];
    snprintf(buf, size, "%d", c);
    return buf;
}

/* ---- set-up ---- */

/* Opens config, folder, data set and model, in the order in which mistakes are cheapest to find. */
static bool open_all(cli_run *run, snn_error *err) {
    if (run->traces && !run->folder)
        return snn_fail(err, SNN_ERR_USAGE, "run: --trace needs --out DIR");
    run->config = cli_config(&run->common, err);
    if (!run->config)
        return false;
    run->engine_options =
        (snn_engine_options){.arithmetic = !strcmp(snn_config_string(run->config, "run.arithmetic"), "fixed")
                                               ? SNN_ARITHMETIC_FIXED
                                               : SNN_ARITHMETIC_FLOAT,
                             .count_operations = snn_config_bool(run->config, "run.operations")};
    if (!snn_simd_parse(snn_config_string(run->config, "run.simd"), &run->engine_options.simd, err))
        return snn_config_fail(run->config, "run.simd", err, "%s", err->text);
    if (!cli_model_load(run->config, run->model_option, &run->model, &run->model_path, err))
        return false;
    run->stop = cli_catch_interrupts(); /* from here on temporary files may have to be removed */
    if (run->folder && !(run->outputs = cli_outputs_open(run->folder, err)))
        return false;
    run->data = snn_dataset_open(run->config, cli_split(run->config), err);
    if (!run->data)
        return false;
    run->about = snn_dataset_about(run->data);
    return true;
}

/* A config that describes a network must describe the model's. */
static bool check_network(const cli_run *run, snn_error *err) {
    if (!snn_config_count(run->config, "network.layers"))
        return true;
    snn_shape input = {run->about->input[0], run->about->input[1], run->about->input[2]};
    snn_net *net = snn_net_from_config(run->config, input, err);
    if (!net)
        return false;
    bool same = snn_net_equal(net, run->model.net, err);
    snn_net_free(net);
    return same ||
           snn_error_context(err, "model %s does not fit %s", run->model_path, snn_config_path(run->config));
}

static bool prepare(cli_run *run, snn_error *err) {
    if (!check_network(run, err))
        return false;
    size_t limit = (size_t)snn_config_int(run->config, "run.limit"), count = snn_dataset_count(run->data);
    run->samples = limit && limit < count ? limit : count;
    run->threads = snn_threads((int)snn_config_int(run->config, "run.threads"));
    run->engine = snn_engine_new(run->model.net, run->model.weights, &run->engine_options, err);
    if (!run->engine)
        return snn_error_context(err, "model %s", run->model_path);
    return !run->outputs ||
           (cli_outputs_trace(run->outputs, run, err) && cli_outputs_begin(run->outputs, run, err));
}

/* ---- the run ---- */

typedef struct {
    const cli_run *run;
    snn_progress *progress;
} hook_context;

static bool on_sample(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    const cli_run *run = ((hook_context *)context)->run;
    return cli_outputs_sample(run->outputs, run, i, label, r, err);
}

static bool on_trace(void *context, size_t i, int layer, const uint8_t *spikes, const void *membrane,
                     snn_error *err) {
    (void)i;
    const cli_run *run = ((hook_context *)context)->run;
    return cli_outputs_layer(run->outputs, run, layer, spikes, membrane, err);
}

static void on_progress(void *context, uint64_t done, uint64_t total) {
    (void)total;
    snn_progress_update(((hook_context *)context)->progress, done);
}

static bool evaluate(cli_run *run, snn_error *err) {
    hook_context context = {run, snn_progress_begin("run", "samples", run->samples, !run->common.quiet)};
    snn_evaluate_options options = {.threads = run->threads,
                                    .limit = run->samples,
                                    .trace = run->outputs ? cli_outputs_traced(run->outputs) : NULL};
    snn_evaluate_hooks hooks = {.context = &context,
                                .sample = run->outputs ? on_sample : NULL,
                                .trace = options.trace ? on_trace : NULL,
                                .progress = on_progress,
                                .stop = run->stop};
    bool ok = snn_evaluate(run->engine, run->model.net, run->data, &options, &hooks, &run->result, err);
    snn_progress_end(context.progress);
    if (ok)
        snn_metrics_neurobench(run->result.metrics, run->model.net, run->model.weights, &run->neurobench);
    return ok;
}

/* ---- warnings ---- */

static void warn(cli_run *run, uint64_t n, const char *one, const char *many) {
    if (n)
        json_array_append_new(run->warnings,
                              json_sprintf("%llu %s", (unsigned long long)n, n == 1 ? one : many));
}

/* Weights that quantisation cut off, as the training record tells. */
static uint64_t saturated_weights(const cli_run *run) {
    json_t *record = run->model.record ? json_loads(run->model.record, 0, NULL) : NULL;
    json_t *list = json_object_get(record, "quantisation");
    uint64_t sum = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t n = json_integer_value(json_object_get(json_array_get(list, i), "saturated"));
        sum += n > 0 ? (uint64_t)n : 0;
    }
    json_decref(record);
    return sum;
}

static void find_warnings(cli_run *run) {
    const snn_evaluation *e = &run->result;
    run->warnings = json_array();
    if (e->samples == 0)
        json_array_append_new(run->warnings, json_string("there was no sample to run"));
    warn(run, e->empty_samples, "sample holds no events", "samples hold no events");
    /* Framing by bins drops the last event or two of every recording: that is no news. */
    if (e->events_dropped > e->events / 100)
        warn(run, e->events_dropped, "event lies outside the time bins and was dropped",
             "events lie outside the time bins and were dropped");
    warn(run, e->events_out_of_order, "event ran back in time and was sorted",
         "events ran back in time and were sorted");
    warn(run, saturated_weights(run), "weight was beyond the largest code when the model was quantised",
         "weights were beyond the largest code when the model was quantised");
}

/* ---- telling ---- */

static bool tell(cli_run *run, snn_error *err) {
    find_warnings(run);
    json_t *report = cli_report(run, err);
    bool ok = report && (!run->outputs || cli_outputs_commit(run->outputs, run, report, err));
    if (ok && run->common.json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        fputc('\n', stdout);
    } else if (ok && !run->common.quiet) {
        cli_summary(run, stdout);
    }
    json_decref(report);
    return ok;
}

static void free_all(cli_run *run) {
    cli_outputs_free(run->outputs);
    snn_evaluation_free(&run->result);
    snn_engine_free(run->engine);
    snn_model_free(&run->model);
    snn_dataset_free(run->data);
    snn_config_free(run->config);
    json_decref(run->warnings);
    json_decref(run->command_line);
    cli_common_free(&run->common);
    free(run->trace);
}

int snn_cmd_run(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"threads", required_argument, NULL, CLI_THREADS},
                                            {"limit", required_argument, NULL, CLI_LIMIT},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"model", required_argument, NULL, OPTION_MODEL},
                                            {"out", required_argument, NULL, OPTION_OUT},
                                            {"trace", required_argument, NULL, OPTION_TRACE},
                                            {0}};
    cli_run run = {.command_line = cli_json_words(argc, argv)}; /* before parsing reorders it */
    cli_syntax syntax = {.name = "run",
                         .help = help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &run};
    snn_error err = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &run.common, &first, &err);
    bool ok = parsed == CLI_DONE || (parsed == CLI_GO && open_all(&run, &err) && prepare(&run, &err) &&
                                     evaluate(&run, &err) && tell(&run, &err));
    free_all(&run);
    return cli_finish(ok, &err);
}
