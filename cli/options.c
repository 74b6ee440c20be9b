/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines: the options that most commands share, and one error sentence for whatever is wrong. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
                snn_error *err) {
    uint64_t value = 0;
    bool ok = *text != 0;
    for (const char *c = text; ok && *c; c++)
        ok = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
             !__builtin_add_overflow(value, (uint64_t)(*c - '0'), &value);
    if (!ok || value < min || value > max)
        return snn_fail(err, SNN_ERR_USAGE, "%s %s: expected a number from %llu to %llu", option, text,
                        (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return true;
}

static bool assign(cli_common *common, const char *assignment, snn_error *err) {
    void *array = common->assignment;
    if (!snn_grow(&array, &common->capacity, common->assignments + 1, sizeof *common->assignment, err))
        return false;
    common->assignment = array;
    common->assignment[common->assignments++] = assignment;
    return true;
}

/* --seed N stands for --set seed=N, with the range of that key; the last one given counts. */
static bool assign_number(char **assignment, const char *option, const char *path, const char *value,
                          snn_error *err) {
    enum { SIZE = 64 }; /* of the longest path with a number of 20 digits */
    const snn_config_key *key = snn_config_keys;
    while (key->path && strcmp(key->path, path) != 0)
        key++;
    uint64_t n = 0;
    if (!cli_number(option, value, (uint64_t)key->min, (uint64_t)key->max, &n, err))
        return false;
    free(*assignment);
    *assignment = snn_alloc(SIZE, 1, "option", err);
    if (!*assignment)
        return false;
    snprintf(*assignment, SIZE, "%s=%llu", path, (unsigned long long)n);
    return true;
}

static bool take_shared(cli_common *common, int option, const char *value, snn_error *err) {
    switch (option) {
    case CLI_SET:
        return assign(common, value, err);
    case CLI_SEED:
        return assign_number(&common->number[0], "--seed", "seed", value, err);
    case CLI_THREADS:
        return assign_number(&common->number[1], "--threads", "run.threads", value, err);
    case CLI_LIMIT:
        return assign_number(&common->number[2], "--limit", "run.limit", value, err);
    case CLI_QUIET:
        common->quiet = true;
        return true;
    default:
        common->json = true;
        return true;
    }
}

/* The sentence for what getopt_long refused: ':' a missing value, '?' anything else. */
static bool refuse(const cli_syntax *syntax, int c, char **argv, snn_error *err) {
    const char *arg = argv[optind - 1];
    int length = (int)strcspn(arg, "=");
    if (c == ':')
        return snn_fail(err, SNN_ERR_USAGE, "%s: option %s needs a value (see snnsim %s --help)",
                        syntax->name, arg, syntax->name);
    if (optopt >= CLI_HELP)
        return snn_fail(err, SNN_ERR_USAGE, "%s: option %.*s takes no value (see snnsim %s --help)",
                        syntax->name, length, arg, syntax->name);
    if (optopt)
        return snn_fail(err, SNN_ERR_USAGE, "%s: unknown option -%c (see snnsim %s --help)", syntax->name,
                        optopt, syntax->name);
    return snn_fail(err, SNN_ERR_USAGE, "%s: unknown option %.*s (see snnsim %s --help)", syntax->name,
                    length, arg, syntax->name);
}

static bool check_positional(const cli_syntax *syntax, int given, char **argument, snn_error *err) {
    if (given < syntax->positional_min)
        return snn_fail(err, SNN_ERR_USAGE, "%s: %s is missing (see snnsim %s --help)", syntax->name,
                        syntax->positional, syntax->name);
    if (given > syntax->positional_max)
        return snn_fail(err, SNN_ERR_USAGE, "%s: unexpected argument '%s' (see snnsim %s --help)",
                        syntax->name, argument[syntax->positional_max], syntax->name);
    return true;
}

/* getopt_long would take --passphrase, --pass and so on for --passphrase-fd, and a message would repeat what follows. */
static bool check_no_passphrase(const cli_syntax *syntax, int argc, char **argv, snn_error *err) {
    static const char name[] = "--passphrase";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        size_t length = strcspn(argv[i], "=");
        if (length >= strlen("--pa") && length <= strlen(name) && !strncmp(argv[i], name, length))
            return snn_fail(
                err, SNN_ERR_USAGE,
                "%s: a passphrase does not belong on the command line, where others can see it: use "
                "--passphrase-fd, " SNN_PASSPHRASE_VARIABLE " or the terminal",
                syntax->name);
    }
    return true;
}

cli_parsed cli_parse(const cli_syntax *syntax, int argc, char **argv, cli_common *common, int *first,
                     snn_error *err) {
    if (!check_no_passphrase(syntax, argc, argv, err))
        return CLI_FAILED;
    opterr = 0;
    optind = 0; /* GNU: start afresh, options and arguments in any order */
    int c;
    while ((c = getopt_long(argc, argv, syntax->letters, syntax->options, NULL)) != -1) {
        if (c == 'h' || c == CLI_HELP) {
            fputs(syntax->help, stdout);
            return CLI_DONE;
        }
        bool ok;
        if (c == ':' || c == '?')
            ok = refuse(syntax, c, argv, err);
        else if (c >= CLI_HELP && c < CLI_OWN)
            ok = take_shared(common, c, optarg, err);
        else
            ok = syntax->own(syntax->context, c, optarg, err);
        if (!ok)
            return CLI_FAILED;
    }
    if (!check_positional(syntax, argc - optind, argv + optind, err))
        return CLI_FAILED;
    /* --seed and the like win over --set, wherever they stand */
    for (int i = 0; i < 3; i++)
        if (common->number[i] && !assign(common, common->number[i], err))
            return CLI_FAILED;
    *first = optind;
    common->config = argc > optind ? argv[optind] : NULL;
    return CLI_GO;
}

void cli_common_free(cli_common *common) {
    free(common->assignment);
    for (int i = 0; i < 3; i++)
        free(common->number[i]);
    *common = (cli_common){0};
}

int cli_dispatch(const char *command, const char *help, const cli_subcommand *table, int argc, char **argv) {
    snn_error err = {0};
    if (argc < 2)
        return cli_finish(snn_fail(&err, SNN_ERR_USAGE, "%s: what to do is missing (see snnsim %s --help)",
                                   command, command),
                          &err);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        fputs(help, stdout);
        return cli_finish(true, NULL);
    }
    for (const cli_subcommand *s = table; s->name; s++)
        if (!strcmp(argv[1], s->name)) {
            bool ok = s->run(argc - 1, argv + 1, &err);
            return cli_finish(ok, &err);
        }
    return cli_finish(snn_fail(&err, SNN_ERR_USAGE, "%s: unknown action '%s' (see snnsim %s --help)", command,
                               argv[1], command),
                      &err);
}
