/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: finds the sub-command and hands over. */
#include "cli.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
    {"run", snn_cmd_run, "run a network on a data set and report accuracy, activity and time"},
    {"sweep", snn_cmd_sweep, "run a network at every point of a grid of settings"},
    {"train", snn_cmd_train, "train a network on a data set and write a model"},
    {"model", snn_cmd_model, "show, import, export, quantise and compare models"},
    {"encrypt", snn_cmd_encrypt, "find the bits to encrypt, write the encrypted model and the key"},
    {"decrypt", snn_cmd_decrypt, "write the plain model of an encrypted one"},
    {"key", snn_cmd_key, "show, seal and rotate keys"},
    {"hw", snn_cmd_hw, "map, program and describe the chip that holds the weights"},
    {"dataset", snn_cmd_dataset, "show, make and verify data sets"},
    {"bench", snn_cmd_bench, "measure the speed of the engine and of reading"},
    {"config", snn_cmd_config, "list all configuration keys"},
    {NULL, NULL, NULL},
};

static void help(void) {
    printf("Usage: snnsim COMMAND [ARGUMENT]...\n"
           "Train, run and study quantised spiking neural networks on event recordings.\n"
           "\nCommands:\n");
    for (const command *c = commands; c->name; c++)
        printf("  %-9s %s\n", c->name, c->summary);
    printf(
        "\n"
        "  snnsim COMMAND --help   tells more about a command\n"
        "  snnsim --version        prints the version\n"
        "\n"
        "A configuration (CONFIG) is a file; a bare name that is not in the current folder is looked up in\n"
        "./configs and in the installed configurations. Try: snnsim run gesture.cfg\n"
        "\n"
        "Exit codes: 0 fine, 1 failed at run time, 2 wrong usage or configuration, 3 bad data or model,\n"
        "4 ran but the criterion asked for was not met (models differ, a data set has faults),\n"
        "130 interrupted.\n");
}

static int version(void) {
    printf("snnsim %s\n"
           "License GPL-3.0-or-later. SIMD level here: %s.\n",
           SNN_VERSION, snn_simd_name(snn_simd_best()));
    return cli_finish(true, NULL);
}

/* Several ranks would do the same work and write the same files: only a search divides it. */
static bool check_ranks(int argc, char **argv, snn_error *err) {
    if (!strcmp(argv[1], "encrypt") || (!strcmp(argv[1], "key") && argc > 2 && !strcmp(argv[2], "rotate")))
        return snn_ranks_check(err);
    return snn_ranks() == 1 ||
           snn_fail(err, SNN_ERR_USAGE,
                    "snnsim %s runs as one process: of all commands only encrypt and key rotate divide their "
                    "work among the ranks of mpirun",
                    argv[1]);
}

static int run(int argc, char **argv) {
    snn_error err = {0};
    signal(SIGXFSZ, SIG_IGN);    /* a file beyond the limit is a failed write, not the end of the program */
    gsl_set_error_handler_off(); /* GSL would abort; the library checks its arguments itself */
    if (sodium_init() < 0)
        return cli_finish(snn_fail(&err, SNN_ERR_RUNTIME, "libsodium cannot be initialised"), &err);
    if (argc < 2)
        return cli_finish(snn_fail(&err, SNN_ERR_USAGE, "no command given (see snnsim --help)"), &err);
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        help();
        return cli_finish(true, NULL);
    }
    if (!strcmp(name, "--version"))
        return version();
    for (const command *c = commands; c->name; c++)
        if (!strcmp(name, c->name))
            return check_ranks(argc, argv, &err) ? c->run(argc - 1, argv + 1) : cli_finish(false, &err);
    return cli_finish(snn_fail(&err, SNN_ERR_USAGE, "unknown %s '%s' (see snnsim --help)",
                               name[0] == '-' ? "option" : "command", name),
                      &err);
}

int main(int argc, char **argv) {
    snn_ranks_program *ranks = snn_ranks_begin(&argc, &argv);
    return snn_ranks_end(ranks, run(argc, argv));
}
