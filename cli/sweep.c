/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim sweep: runs a model at every point of a grid of settings; one line of CSV for each. Interrupted, it goes on where it stopped. */
#include "json.h"
#include "key.h"
#include "sweep.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim sweep CONFIG --over KEY=VALUE,VALUE,... [--over ...] -o FILE.csv [OPTION]...\n"
    "Runs a trained network (on chips where hw.device is set) at every combination of the given values\n"
    "and writes one line for each: accuracy over chips, bit error rates, energy, latency, area.\n"
    "\n"
    "  --over KEY=VALUES  values of a key of the config (see snnsim config), separated by commas;\n"
    "                     arrays in brackets: hw.effects=[stuck,telegraph],[stuck]; ranges of numbers:\n"
    "                     hw.read_error=1e-6:1e-2:log5 (also lin5). The first key changes slowest.\n"
    "                     Keys of section quant quantise the model anew.\n"
    "  -o FILE            the table; when it is there with rows of the same sweep, only missing rows are\n"
    "                     computed. Without -o rows go to standard output\n"
    "  --overwrite        start anew whatever FILE holds\n"
    "  --model FILE       the model (default: model.path of the config)\n"
    "  --key FILE         the model is encrypted: decrypt it as it is read (see snnsim run)\n"
    "  --passphrase-fd N  read the key's passphrase from file descriptor N\n"
    "  --set KEY=VALUE    override a key of the config at all points; may be given more than once\n"
    "  --seed N           the same as --set seed=N\n"
    "  --threads N        the same as --set run.threads=N (0: all CPUs)\n"
    "  --limit N          the same as --set run.limit=N: only the first N samples (0: all)\n"
    "  --quiet            print errors only\n"
    "  --json             print the table to standard output as JSON, and nothing else there\n"
    "  --help             this text\n"
    "\n"
    "Example: snnsim sweep nmnist.cfg --set hw.chips=20 --over hw.device=ideal,neurram\n"
    "           --over hw.time=1,86400 -o retention.csv\n"
    "Columns: docs/sweep.md. Interrupted (Ctrl-C, or killed), the same command goes on where it stopped.\n";

enum { OPTION_OVER = CLI_OWN, OPTION_OUTPUT, OPTION_OVERWRITE, OPTION_MODEL, OPTION_KEY, OPTION_FD };

/* One sweep, from the command line to the table. */
typedef struct {
    cli_common common;
    const char *output, *model_option, *key_path;
    int key_fd; /* of its passphrase; -1 */
    bool overwrite;
    json_t *command_line;
    cli_grid grid;
    cli_table table;
    cli_sweeper sweeper;
    snn_config *config; /* before the grid's keys */
} sweep;

static bool take(void *context, int option, const char *value, snn_error *err) {
    sweep *s = context;
    switch (option) {
    case OPTION_OVER:
        return cli_grid_add(&s->grid, value, err);
    case OPTION_MODEL:
        s->model_option = value;
        return true;
    case OPTION_KEY:
        s->key_path = value;
        return true;
    case OPTION_FD:
        return cli_descriptor("--passphrase-fd", value, &s->key_fd, err);
    case OPTION_OVERWRITE:
        s->overwrite = true;
        return true;
    default:
        s->output = value;
        return *value || snn_fail(err, SNN_ERR_USAGE, "-o: the name of the file is empty");
    }
}

/* ---- plan ---- */

/* Which point, in front of an error's sentence. */
static bool at_point(const sweep *s, size_t point, snn_error *err) {
    char name[512];
    return snn_error_context(err, "%s", cli_grid_name(&s->grid, point, name, sizeof name));
}

/* Checks the settings of all points, so that a mistake in the last one does not show after hours. */
static bool check_points(sweep *s, snn_error *err) {
    cli_table *t = &s->table;
    for (size_t p = 0; p < t->points; p++) {
        if (*s->sweeper.stop)
            return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted before the first point");
        if (!cli_point_check(&s->sweeper, p, t->id[p], err))
            return !err || !strncmp(err->text, "--over", 6) ? false : at_point(s, p, err);
    }
    return true;
}

static bool open_table(sweep *s, snn_error *err) {
    cli_table *t = &s->table;
    if (!s->output)
        return (s->common.json || fputs(t->header, stdout) != EOF) ||
               snn_fail_errno(err, "cannot write to standard output");
    if (!s->overwrite && !cli_table_resume(t, err))
        return false;
    t->pending =
        t->finished < t->points; /* writes the header: an unwritable file is found before the first point */
    return cli_table_flush(t, err);
}

static bool open_key(sweep *s, snn_error *err) {
    if (s->key_fd >= 0 && !s->key_path)
        return snn_fail(err, SNN_ERR_USAGE, "sweep: --passphrase-fd needs --key FILE");
    return !s->key_path || (s->sweeper.key = cli_key_load(s->key_path, s->key_fd, err));
}

static bool plan(sweep *s, snn_error *err) {
    cli_table *t = &s->table;
    if (!s->grid.axes)
        return snn_fail(err, SNN_ERR_USAGE,
                        "sweep: --over KEY=VALUE,... is missing (see snnsim sweep --help)");
    if (!open_key(s, err) || !(s->config = cli_config(&s->common, err)) ||
        !cli_grid_size(&s->grid, &t->points, err))
        return false;
    t->path = s->output;
    t->header = cli_point_header(&s->grid, err);
    t->id = snn_alloc(t->points, sizeof *t->id, "grid", err);
    t->row = snn_alloc(t->points, sizeof *t->row, "grid", err);
    s->sweeper.common = &s->common;
    s->sweeper.model_option = s->model_option;
    s->sweeper.grid = &s->grid;
    s->sweeper.stop = cli_catch_interrupts();
    return t->header && t->id && t->row && check_points(s, err) && open_table(s, err);
}

/* ---- walk ---- */

static bool run_point(sweep *s, size_t point, snn_error *err) {
    cli_table *t = &s->table;
    char *row;
    if (cli_point_run(&s->sweeper, point, t->id[point], &row, err))
        return cli_table_add(t, point, row, s->common.json && !s->output, err);
    if (err && err->code == SNN_ERR_INTERRUPTED)
        return snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted after %zu of %zu points%s", t->finished,
                        t->points, t->path ? "; the same command goes on from there" : "");
    return at_point(s, point, err);
}

static bool walk(sweep *s, snn_error *err) {
    cli_table *t = &s->table;
    snn_progress *progress = snn_progress_begin("sweep", "points", t->points - t->kept, !s->common.quiet);
    bool ok = true;
    for (size_t p = 0; ok && p < t->points; p++) {
        if (t->row[p])
            continue;
        ok = run_point(s, p, err);
        snn_progress_update(progress, t->finished - t->kept);
    }
    snn_progress_end(progress);
    /* what is finished is kept, whatever went wrong after it */
    return cli_table_flush(t, ok ? err : NULL) && ok;
}

/* ---- telling ---- */

static bool tell_json(sweep *s, snn_error *err) {
    char *config = snn_config_text(s->config, err);
    if (!config)
        return false;
    json_t *report = json_pack(
        "{s:i, s:s, s:s, s:s, s:O, s:{s:o, s:o}, s:o, s:o, s:o, s:o}", "schema", SNN_REPORT_SCHEMA, "program",
        "snnsim", "version", SNN_VERSION, "command", "sweep", "command_line", s->command_line, "config",
        "path", cli_json_text(snn_config_path(s->config)), "text", cli_json_text(config), "file",
        s->output ? cli_json_text(s->output) : json_null(), "points", cli_json_count(s->table.points), "kept",
        cli_json_count(s->table.kept), "rows", cli_table_json(&s->table));
    free(config);
    if (!report)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory for the report");
    json_dumpf(report, stdout, CLI_JSON_FORMAT);
    fputc('\n', stdout);
    json_decref(report);
    return true;
}

static bool tell(sweep *s, double seconds, snn_error *err) {
    char buf[32];
    if (s->common.json)
        return tell_json(s, err);
    if (s->output && !s->common.quiet)
        printf("%s: %zu points, %zu of them from before, %s\n", s->output, s->table.points, s->table.kept,
               cli_seconds(seconds, buf, sizeof buf));
    return true;
}

static void free_all(sweep *s) {
    cli_sweeper_free(&s->sweeper);
    cli_table_free(&s->table);
    cli_grid_free(&s->grid);
    snn_config_free(s->config);
    json_decref(s->command_line);
    cli_common_free(&s->common);
}

int snn_cmd_sweep(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"set", required_argument, NULL, CLI_SET},
                                            {"seed", required_argument, NULL, CLI_SEED},
                                            {"threads", required_argument, NULL, CLI_THREADS},
                                            {"limit", required_argument, NULL, CLI_LIMIT},
                                            {"quiet", no_argument, NULL, CLI_QUIET},
                                            {"json", no_argument, NULL, CLI_JSON},
                                            {"over", required_argument, NULL, OPTION_OVER},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {"overwrite", no_argument, NULL, OPTION_OVERWRITE},
                                            {"model", required_argument, NULL, OPTION_MODEL},
                                            {"key", required_argument, NULL, OPTION_KEY},
                                            {"passphrase-fd", required_argument, NULL, OPTION_FD},
                                            {0}};
    sweep s = {.key_fd = -1, .command_line = cli_json_words(argc, argv)}; /* before parsing reorders it */
    cli_syntax syntax = {.name = "sweep",
                         .help = help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &s};
    snn_error err = {0};
    int first;
    double start = snn_now();
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &s.common, &first, &err);
    bool ok = parsed == CLI_DONE ||
              (parsed == CLI_GO && plan(&s, &err) && walk(&s, &err) && tell(&s, snn_now() - start, &err));
    free_all(&s);
    return cli_finish(ok, &err);
}
