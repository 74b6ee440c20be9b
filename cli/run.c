/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim run: dataset -> frames -> engine -> report; with hw.device the weights come from chips. */
#include "json.h"
#include "key.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim run CONFIG [OPTION]...\n"
    "Runs a trained network on a data set and reports accuracy, activity, operations and time.\n"
    "With hw.device set, its weights stand in the memory cells of hw.chips chips, and accuracy over\n"
    "chips, bit errors, energy, latency and area are reported too.\n"
    "\n"
    "  --model FILE       the model (default: model.path of the config); looked up in the current\n"
    "                     folder, in ./models and in the installed models\n"
    "  --key FILE         the model is encrypted: decrypt it as it is read, in memory; without this it runs\n"
    "                     as a thief would run it\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N, up to the first newline;\n"
    "                     otherwise it comes from SNNSIM_PASSPHRASE or from the terminal\n"
    "  --out DIR          write report.json, predictions.csv and confusion.csv to this folder; with\n"
    "                     chips also chips.csv\n"
    "  --trace LAYER      with --out: write LAYER_spikes.npy (uint8 [samples][steps][neurons]) and\n"
    "                     LAYER_membrane.npy (float32 or int32); may be given more than once\n"
    "  --chip FILE        the same as --set hw.chip_file=FILE: use this saved chip\n"
    "  --explain WHAT     with chips: how energy, latency or area comes about; may be given more than once\n"
    "  --set KEY=VALUE    override a key of the config (see snnsim config); may be given more than once\n"
    "  --seed N           the same as --set seed=N\n"
    "  --threads N        the same as --set run.threads=N (0: all CPUs)\n"
    "  --limit N          the same as --set run.limit=N: only the first N samples (0: all)\n"
    "  --quiet            print errors only\n"
    "  --json             print the report to standard output as JSON, and nothing else there\n"
    "  --help             this text\n"
    "\n"
    "Example: snnsim run gesture.cfg --threads 2 --out results\n"
    "         snnsim run nmnist.cfg --set hw.device=neurram --set hw.chips=100\n"
    "The figures are defined in docs/metrics.md. Interrupted (Ctrl-C), it exits with 130 and leaves\n"
    "no files.\n";

enum { OPTION_MODEL = CLI_OWN, OPTION_OUT, OPTION_TRACE, OPTION_CHIP, OPTION_EXPLAIN, OPTION_KEY, OPTION_FD };

static bool take_explain(cli_run *run, const char *value, snn_error *err) {
    static const char *const name[] = {"energy", "latency", "area"};
    for (unsigned q = SNN_LEDGER_ENERGY; q <= SNN_LEDGER_AREA; q++)
        if (!strcmp(value, name[q])) {
            run->explain |= 1U << q;
            return true;
        }
    return snn_fail(err, SNN_ERR_USAGE, "--explain %s: expected energy, latency or area", value);
}

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
    case OPTION_CHIP:
        run->chip_option = value;
        return true;
    case OPTION_EXPLAIN:
        return take_explain(run, value, err);
    case OPTION_KEY:
        run->key_path = value;
        return true;
    case OPTION_FD:
        return cli_descriptor("--passphrase-fd", value, &run->key_fd, err);
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

static bool set_chip_file(cli_run *run, snn_error *err) {
    char assignment[4096];
    if (!*run->chip_option)
        return snn_fail(err, SNN_ERR_USAGE, "--chip: the name of the file is empty");
    int n = snprintf(assignment, sizeof assignment, "hw.chip_file=%s", run->chip_option);
    if (n < 0 || (size_t)n >= sizeof assignment)
        return snn_fail(err, SNN_ERR_USAGE, "--chip: the name of the file is too long");
    return snn_config_set(run->config, assignment, err);
}

/* Options of the command that need a chip. */
static bool check_device(const cli_run *run, snn_error *err) {
    return (!run->explain && !run->chip_option) || snn_hw_wanted(run->config) ||
           snn_fail(err, SNN_ERR_USAGE, "run: --%s needs a chip: set hw.device",
                    run->explain ? "explain" : "chip");
}

/* What only makes sense with some chips. */
static bool check_chips(const cli_run *run, snn_error *err) {
    if (run->chips.wanted && run->traces && run->chips.options.chips != 1)
        return snn_fail(err, SNN_ERR_USAGE, "run: --trace shows a single chip, but hw.chips is %u",
                        run->chips.options.chips);
    if (run->explain && !run->engine_options.count_operations)
        return snn_config_fail(run->config, "run.operations", err,
                               "--explain needs the counts of operations");
    return true;
}

/*
 * Without chips the weights are decrypted here; with chips the cells hold what is encrypted, and keyed bits are flipped as they are read. A key of another model, or a model that was
 * changed after encryption, is refused in both cases.
 */
static bool open_key(cli_run *run, snn_error *err) {
    if (!run->key_path)
        return true;
    run->key = cli_key_load(run->key_path, run->key_fd, err);
    if (!run->key)
        return false;
    snn_weights *plain = snn_decrypt_model(&run->model, run->key, err);
    if (!plain)
        return snn_error_context(err, "model %s with key %s", run->model_path, run->key_path);
    if (run->chips.wanted) {
        run->chips.key = &run->key->flips;
        snn_weights_free(plain);
        return true;
    }
    snn_weights_free(run->model.weights);
    run->model.weights = plain;
    return true;
}

/* Opens config, folder, data set and model, in the order in which mistakes are cheapest to find. */
static bool open_all(cli_run *run, snn_error *err) {
    if (run->traces && !run->folder)
        return snn_fail(err, SNN_ERR_USAGE, "run: --trace needs --out DIR");
    if (run->key_fd >= 0 && !run->key_path)
        return snn_fail(err, SNN_ERR_USAGE, "run: --passphrase-fd needs --key FILE");
    run->config = cli_config(&run->common, err);
    if (!run->config || !check_device(run, err) || (run->chip_option && !set_chip_file(run, err)) ||
        !cli_engine_options(run->config, &run->engine_options, err) ||
        !cli_chips_options(&run->chips, run->config, err) || !check_chips(run, err))
        return false;
    if (!cli_model_load(run->config, run->model_option, &run->model, &run->model_path, err))
        return false;
    run->engine_options.arithmetic = snn_arithmetic_of(run->config, run->model.net);
    if (!open_key(run, err))
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

static bool prepare_chips(cli_run *run, snn_error *err) {
    run->frames = snn_frames_new(run->data, run->samples, SNN_FRAMES_BYTES, err);
    return run->frames && cli_chips_map(&run->chips, run->config, &run->model, err) &&
           cli_chips_place(&run->chips, run->config, err);
}

static bool prepare(cli_run *run, snn_error *err) {
    if (!cli_check_network(run->config, run->about, &run->model, run->model_path, err))
        return false;
    size_t limit = (size_t)snn_config_int(run->config, "run.limit"), count = snn_dataset_count(run->data);
    run->samples = limit && limit < count ? limit : count;
    run->threads = snn_threads((int)snn_config_int(run->config, "run.threads"));
    if (run->chips.wanted) {
        if (!prepare_chips(run, err))
            return false;
    } else {
        run->engine = snn_engine_new(run->model.net, run->model.weights, &run->engine_options, err);
        if (!run->engine)
            return snn_error_context(err, "model %s", run->model_path);
    }
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

/* The result over all chips, in the shape of that of the plain network. */
static void adopt_chips(cli_run *run) {
    const snn_chips_result *r = &run->chips.result;
    double known = r->read_seconds + r->frame_seconds + r->simulate_seconds;
    run->result = (snn_evaluation){.metrics = r->metrics,
                                   .samples = (size_t)r->metrics->samples,
                                   .empty_samples = r->events.empty_samples,
                                   .events = r->events.events,
                                   .events_dropped = r->events.dropped,
                                   .events_out_of_order = r->events.out_of_order,
                                   .wall_seconds = r->wall_seconds,
                                   .read_seconds = r->read_seconds,
                                   .frame_seconds = r->frame_seconds,
                                   .simulate_seconds = r->simulate_seconds,
                                   .other_seconds = r->wall_seconds > known ? r->wall_seconds - known : 0};
    memcpy(run->result.digest, r->digest, sizeof r->digest);
}

static bool evaluate_chips(cli_run *run, const snn_evaluate_options *options, const snn_evaluate_hooks *hooks,
                           snn_error *err) {
    snn_evaluate_hooks tracing = {.context = hooks->context, .trace = hooks->trace, .stop = hooks->stop};
    if (!cli_chips_run(&run->chips, &run->model, run->frames, &run->engine_options, run->threads, true, hooks,
                       err))
        return false;
    adopt_chips(run);
    return !options->trace ||
           cli_chips_trace(&run->chips, &run->model, run->data, &run->engine_options, options, &tracing, err);
}

static bool evaluate(cli_run *run, snn_error *err) {
    uint64_t runs =
        run->chips.wanted ? 1 + (uint64_t)run->chips.options.chips : 1; /* the plain network too */
    hook_context context = {run,
                            snn_progress_begin("run", "samples", runs * run->samples, !run->common.quiet)};
    snn_evaluate_options options = {.threads = run->threads,
                                    .limit = run->samples,
                                    .trace = run->outputs ? cli_outputs_traced(run->outputs) : NULL};
    snn_evaluate_hooks hooks = {.context = &context,
                                .sample = run->outputs ? on_sample : NULL,
                                .trace = options.trace ? on_trace : NULL,
                                .progress = on_progress,
                                .stop = run->stop};
    bool ok = run->chips.wanted
                  ? evaluate_chips(run, &options, &hooks, err)
                  : snn_evaluate(run->engine, run->model.net, run->data, &options, &hooks, &run->result, err);
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
    if (run->about->note)
        json_array_append_new(run->warnings, json_string(run->about->note));
    warn(run, e->empty_samples, "sample holds no events", "samples hold no events");
    /* Framing by bins drops the last event or two of every recording: that is no news. */
    if (e->events_dropped > e->events / 100)
        warn(run, e->events_dropped, "event lies outside the time bins and was dropped",
             "events lie outside the time bins and were dropped");
    warn(run, e->events_out_of_order, "event ran back in time and was sorted",
         "events ran back in time and were sorted");
    warn(run, saturated_weights(run), "weight was beyond the largest code when the model was quantised",
         "weights were beyond the largest code when the model was quantised");
    cli_chips_warn(&run->chips, run->warnings);
}

/* ---- telling ---- */

static bool explain(const cli_run *run, snn_error *err) {
    for (unsigned q = SNN_LEDGER_ENERGY; q <= SNN_LEDGER_AREA; q++)
        if (run->explain >> q & 1 && (fputc('\n', stdout) == EOF ||
                                      !snn_ledger_explain(&run->chips.ledger, (snn_quantity)q, stdout, err)))
            return false;
    return true;
}

static bool tell(cli_run *run, snn_error *err) {
    find_warnings(run);
    json_t *report = cli_report(run, err);
    bool ok = report && (!run->outputs || cli_outputs_commit(run->outputs, run, report, err));
    if (ok && run->common.json) {
        json_dumpf(report, stdout, CLI_JSON_FORMAT);
        fputc('\n', stdout);
    } else if (ok && !run->common.quiet) {
        cli_summary(run, stdout);
        ok = explain(run, err);
    }
    json_decref(report);
    return ok;
}

static void free_all(cli_run *run) {
    cli_outputs_free(run->outputs);
    if (run->chips.wanted)
        run->result.metrics = NULL; /* of chips.result */
    snn_evaluation_free(&run->result);
    cli_chips_free(&run->chips);
    snn_frames_free(run->frames);
    snn_engine_free(run->engine);
    snn_model_free(&run->model);
    snn_dataset_free(run->data);
    snn_config_free(run->config);
    snn_key_free(run->key);
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
                                            {"chip", required_argument, NULL, OPTION_CHIP},
                                            {"explain", required_argument, NULL, OPTION_EXPLAIN},
                                            {"key", required_argument, NULL, OPTION_KEY},
                                            {"passphrase-fd", required_argument, NULL, OPTION_FD},
                                            {0}};
    cli_run run = {.key_fd = -1, .command_line = cli_json_words(argc, argv)}; /* before parsing reorders it */
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
