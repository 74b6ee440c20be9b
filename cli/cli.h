/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program snnsim: what its files share. One file per sub-command; each has an entry `int snn_cmd_<name>(argc, argv)` with argv[0] the command's
 * name, which returns the exit code. Errors travel up as snn_error and are printed once, by cli_finish.
 */
#ifndef SNNSIM_CLI_H
#define SNNSIM_CLI_H

#include <getopt.h>
#include <signal.h>
#include <snnsim/snnsim.h>

int snn_cmd_run(int argc, char **argv);
int snn_cmd_sweep(int argc, char **argv);
int snn_cmd_train(int argc, char **argv);
int snn_cmd_model(int argc, char **argv);
int snn_cmd_encrypt(int argc, char **argv);
int snn_cmd_key(int argc, char **argv);
int snn_cmd_decrypt(int argc, char **argv);
int snn_cmd_hw(int argc, char **argv);
int snn_cmd_dataset(int argc, char **argv);
int snn_cmd_bench(int argc, char **argv);
int snn_cmd_config(int argc, char **argv);

/* ---- options (options.c) ---- */

/* What a command's parsing came to. */
typedef enum { CLI_GO, CLI_DONE /* --help was printed */, CLI_FAILED /* err is set */ } cli_parsed;

/* Options that most commands share. */
typedef struct {
    const char *config; /* CONFIG, the first positional argument; NULL: not given */
    const char *
        *assignment; /* [assignments] "key=value" of --set, in order; values of --seed and the like too */
    size_t assignments, capacity;
    char *number[3]; /* assignments made of --seed, --threads, --limit */
    bool quiet, json;
} cli_common;

/* Values of the shared options in a `struct option` table; a command's own start at CLI_OWN. */
enum { CLI_HELP = 256, CLI_SET, CLI_SEED, CLI_THREADS, CLI_LIMIT, CLI_QUIET, CLI_JSON, CLI_OWN };

/* One command's syntax. */
typedef struct {
    const char *name;             /* "model import", for messages */
    const char *help;             /* whole text of --help */
    const char *letters;          /* short options for getopt_long, starting with ':' */
    const struct option *options; /* ends with zeros */
    int positional_min, positional_max;
    const char *positional; /* "CONFIG", for messages */
    /* Takes an option that is not shared; false with err set when its value is wrong. NULL: none. */
    bool (*own)(void *context, int option, const char *value, snn_error *err);
    void *context;
} cli_syntax;

/* Parses argv; positional arguments end up in argv[*first] and following. Errors: USAGE. */
cli_parsed cli_parse(const cli_syntax *syntax, int argc, char **argv, cli_common *common, int *first,
                     snn_error *err);
void cli_common_free(cli_common *common);
/* Decimal number min..max; USAGE error naming the option. */
bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
                snn_error *err);
/* Runs sub-sub-command argv[1] out of a table that ends with zeros: "model" has "show", "diff", ... */
typedef struct {
    const char *name;
    bool (*run)(int argc, char **argv, snn_error *err);
} cli_subcommand;
int cli_dispatch(const char *command, const char *help, const cli_subcommand *table, int argc, char **argv);

/* ---- common steps (common.c) ---- */

/* Prints err as "snnsim: <sentence>" unless ok, flushes stdout; returns the exit code. */
int cli_finish(bool ok, const snn_error *err);
/* From now on SIGINT and SIGTERM set the returned flag instead of ending the program; a command may set it too, to stop its own work. */
volatile sig_atomic_t *cli_catch_interrupts(void);

/* Loads the config and applies all assignments. */
snn_config *cli_config(const cli_common *common, snn_error *err);
snn_split cli_split(const snn_config *config);
/* Where the model is: --model if given, else model.path; NULL with a USAGE error when there is neither. */
const char *cli_model_path(const snn_config *config, const char *option, snn_error *err);
/* Are both names of one file? */
bool cli_same_file(const char *a, const char *b);
/* May a model be written there? USAGE error when another kind of file stands there, like a config whose name was given twice. */
bool cli_model_target(const char *path, snn_error *err);
/* Loads it; an error for a missing file says how to make one. */
bool cli_model_load(const snn_config *config, const char *option, snn_model *model, const char **path,
                    snn_error *err);
/* The network that section `network` describes, for inputs of the config's data set; needs no recordings except for npy. */
snn_net *cli_net(const snn_config *config, snn_error *err);

/* Human-readable quantities, written to buf and returned: "3.9 GB", "1.23 M", "250 us". */
const char *cli_size(double bytes, char *buf, size_t size);
const char *cli_count(double n, char *buf, size_t size);
const char *cli_seconds(double seconds, char *buf, size_t size);
/* Where a data set comes from, for people. */
const char *cli_source(const snn_dataset_info *about);
/* "linear", "conv2d", "pool_max", ... as in configs. */
const char *cli_layer_type(snn_layer_type type);

#endif
