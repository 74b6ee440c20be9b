/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim dataset: shows, makes and verifies data sets. */
#include "cli.h"
#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim dataset ACTION CONFIG ...\n"
    "  show CONFIG [--sample N]    describe the data set, or draw one sample (--plot FILE.svg)\n"
    "  make CONFIG -o DIR          write the synthetic camera's recordings as a DVS128 Gesture folder\n"
    "  verify CONFIG               check the recordings against what the official release contains\n"
    "  snnsim dataset ACTION --help tells more.\n";

static const char show_help[] =
    "Usage: snnsim dataset show CONFIG [OPTION]...\n"
    "Describes the data set: parts, classes, sensor, durations and event rates.\n"
    "\n"
    "  --sample N         draw sample N (from 0) of the part that dataset.split names. Cameras: its\n"
    "                     beginning, middle and end beside each other; other sensors: input lines\n"
    "                     against time. + ON, - OFF, # both; without polarity . + # few to many\n"
    "  --plot FILE.svg    draw sample N (default 0) into a file, too: events against time, coloured by\n"
    "                     polarity, and frames of a camera\n"
    "  --limit N          measure durations and rates on N recordings, evenly spread (default 100;\n"
    "                     0: all)\n"
    "  --set KEY=VALUE    override a key of the config\n"
    "  --quiet            no progress line\n";

static const char make_help[] =
    "Usage: snnsim dataset make CONFIG -o DIR [--set KEY=VALUE]... [--quiet]\n"
    "Writes the synthetic camera's recordings (section dataset.camera of the config) to DIR in the\n"
    "layout of the official DVS128 Gesture release: AEDAT 3.1 files, label CSVs, trials_to_train.txt,\n"
    "trials_to_test.txt.\n";

static const char verify_help[] =
    "Usage: snnsim dataset verify CONFIG [--set KEY=VALUE]... [--quiet]\n"
    "Reads all recordings and compares the data set with its official release: parts, classes, number\n"
    "of samples. Lists (dataset.train_list, dataset.test_list) and NumPy arrays are checked for their\n"
    "content only; of the synthetic camera there is nothing to read. Prints one line for each finding.\n"
    "--quiet: no progress line.\n"
    "Exit code 0: no findings; 4: findings.\n";

enum { OPTION_SAMPLE = CLI_OWN, OPTION_OUTPUT, OPTION_PLOT };

typedef struct {
    bool sample_given;
    uint64_t sample;
    const char *output, *plot;
} dataset_options;

static bool take(void *context, int option, const char *value, snn_error *err) {
    dataset_options *o = context;
    if (option == OPTION_PLOT) {
        size_t n = strlen(value);
        o->plot = value;
        return (n > 4 && !strcmp(value + n - 4, ".svg")) ||
               snn_fail(err, SNN_ERR_USAGE,
                        "--plot %s: drawings are SVG files; give a name that ends in .svg", value);
    }
    if (option != OPTION_SAMPLE) { /* -o */
        o->output = value;
        return true;
    }
    o->sample_given = true;
    return cli_number("--sample", value, 0, UINT32_MAX, &o->sample, err);
}

/* Parses and loads the config; *config stays NULL when there is nothing left to do. */
static bool begin(const cli_syntax *syntax, int argc, char **argv, cli_common *common, snn_config **config,
                  snn_error *err) {
    int first;
    cli_parsed parsed = cli_parse(syntax, argc, argv, common, &first, err);
    if (parsed != CLI_GO)
        return parsed == CLI_DONE;
    *config = cli_config(common, err);
    return *config != NULL;
}

/* ---- show ---- */

static bool show(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"limit", required_argument, NULL, CLI_LIMIT},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"sample", required_argument, NULL, OPTION_SAMPLE},
                                            {"plot", required_argument, NULL, OPTION_PLOT},
                                            {0}};
    dataset_options o = {0};
    cli_syntax syntax = {.name = "dataset show",
                         .help = show_help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    snn_config *config = NULL;
    bool ok = begin(&syntax, argc, argv, &common, &config, err);
    if (ok && config)
        ok = o.sample_given || o.plot ? cli_dataset_sample(config, o.sample, o.plot, stdout, err)
                                      : cli_dataset_show(config, common.quiet, stdout, err);
    snn_config_free(config);
    cli_common_free(&common);
    return ok;
}

/* ---- make ---- */

static void on_progress(void *context, uint64_t done, uint64_t total) {
    snn_progress **p = context;
    if (!*p)
        *p = snn_progress_begin("make", "recordings", total, true);
    snn_progress_update(*p, done);
}

static void on_progress_quiet(void *context, uint64_t done, uint64_t total) {
    (void)context, (void)done, (void)total;
}

static bool make(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {0}};
    dataset_options o = {0};
    cli_syntax syntax = {.name = "dataset make",
                         .help = make_help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    snn_config *config = NULL;
    snn_progress *progress = NULL;
    bool ok = begin(&syntax, argc, argv, &common, &config, err);
    if (ok && config && !o.output)
        ok = snn_fail(err, SNN_ERR_USAGE, "dataset make: -o DIR is missing (see snnsim dataset make --help)");
    else if (ok && config)
        ok = snn_folder_create(o.output, err) &&
             snn_dataset_make(config, o.output, common.quiet ? on_progress_quiet : on_progress, &progress,
                              err);
    snn_progress_end(progress);
    if (ok && config && !common.quiet)
        printf("wrote %s; use it with --set dataset.path=%s\n", o.output, o.output);
    snn_config_free(config);
    cli_common_free(&common);
    return ok;
}

/* ---- verify ---- */

/* Findings go through memory, so that they can be printed between two redraws of the progress line. */
typedef struct {
    FILE *memory;
    char *text;
    size_t size, shown;
    snn_progress *progress;
    const volatile sig_atomic_t *stop;
    bool quiet;
} verifying;

static void print_findings(verifying *v) {
    if (fflush(v->memory) != 0 || v->size == v->shown) /* a full memory is found by snn_dataset_verify */
        return;
    snn_progress_clear(v->progress);
    fwrite(v->text + v->shown, 1, v->size - v->shown, stdout);
    fflush(stdout);
    v->shown = v->size;
}

static bool on_verified(void *context, uint64_t done, uint64_t total) {
    verifying *v = context;
    print_findings(v);
    if (done == 0) {
        snn_progress_end(v->progress);
        v->progress = snn_progress_begin("verify", "recordings", total, !v->quiet);
    }
    snn_progress_update(v->progress, done);
    return !*v->stop;
}

static bool run_verify(const snn_config *config, bool quiet, snn_error *err) {
    verifying v = {.stop = cli_catch_interrupts(), .quiet = quiet};
    size_t findings = 0;
    v.memory = open_memstream(&v.text, &v.size);
    if (!v.memory)
        return snn_fail_errno(err, "no memory for findings");
    bool ok = snn_dataset_verify(config, v.memory, &findings, on_verified, &v, err);
    print_findings(&v);
    snn_progress_end(v.progress);
    fclose(v.memory);
    free(v.text);
    if (ok && findings)
        return snn_fail(err, SNN_ERR_CRITERION, "%zu finding%s", findings, findings == 1 ? "" : "s");
    if (ok)
        printf("no findings\n");
    return ok;
}

static bool verify(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {0}};
    cli_syntax syntax = {.name = "dataset verify",
                         .help = verify_help,
                         .letters = ":h",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG"};
    cli_common common = {0};
    snn_config *config = NULL;
    bool ok = begin(&syntax, argc, argv, &common, &config, err) &&
              (!config || run_verify(config, common.quiet, err));
    snn_config_free(config);
    cli_common_free(&common);
    return ok;
}

int snn_cmd_dataset(int argc, char **argv) {
    static const cli_subcommand actions[] = {
        {"show", show}, {"make", make}, {"verify", verify}, {NULL, NULL}};
    return cli_dispatch("dataset", help, actions, argc, argv);
}
