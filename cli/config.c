/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim config: prints the table of configuration keys; docs/config.md is made of it. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim config [--markdown]\n"
    "Lists every configuration key with its type, default, range and meaning.\n"
    "\n"
    "  --markdown   as docs/config.md\n"
    "\n"
    "A configuration is a libconfig file (https://hyperrealm.github.io/libconfig): groups\n"
    "{ key = value; }, lists ( ... ), arrays [ ... ], comments #, @include \"file\". A key that is not\n"
    "in this table is an error. On the command line: --set dataset.bins=20\n";

static const char *type_name(snn_key_type type) {
    switch (type) {
    case SNN_KEY_INT:
        return "integer";
    case SNN_KEY_FLOAT:
        return "float";
    case SNN_KEY_BOOL:
        return "boolean";
    case SNN_KEY_STRING:
        return "string";
    case SNN_KEY_CHOICE:
        return "choice";
    case SNN_KEY_INTS:
        return "integers";
    case SNN_KEY_FLOATS:
        return "floats";
    case SNN_KEY_STRINGS:
        return "strings";
    case SNN_KEY_LIST:
        return "list";
    case SNN_KEY_GROUP:
        return "group";
    }
    return "?";
}

/* "1 .. 8", the choices, or nothing. `bar` stands between choices. */
static void range(const snn_config_key *key, const char *bar, char *buf, size_t size) {
    buf[0] = 0;
    if (key->choices) {
        size_t used = 0;
        for (const char *c = key->choices; *c && used + 8 < size; c++)
            used += (size_t)(*c == '|' ? snprintf(buf + used, size - used, "%s", bar)
                                       : snprintf(buf + used, size - used, "%c", *c));
    } else if (key->min <= key->max) {
        snprintf(buf, size, "%.16g .. %.16g", key->min, key->max);
    }
}

static void print_plain(void) {
    for (const snn_config_key *key = snn_config_keys; key->path; key++) {
        char limits[256];
        if (key->type == SNN_KEY_GROUP) {
            printf("\n%s: %s\n", key->path, key->doc);
            continue;
        }
        range(key, " | ", limits, sizeof limits);
        printf("  %s (%s", key->path, type_name(key->type));
        if (*limits)
            printf(", %s", limits);
        if (key->initial && *key->initial)
            printf("; default %s", key->initial);
        printf(")\n      %s\n", key->doc);
    }
}

/* In Markdown tables a bar must be escaped. */
static void print_escaped(const char *text) {
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_markdown(void) {
    printf("<!-- SPDX-License-Identifier: GPL-3.0-or-later -->\n"
           "<!-- Made by `snnsim config --markdown` out of base/config_keys.c: do not edit. -->\n"
           "# Configuration keys\n"
           "\n"
           "A configuration is a [libconfig](https://hyperrealm.github.io/libconfig) file: groups `{ key = "
           "value; }`, lists `( ... )`, arrays "
           "`[ ... ]`, comments `#`, `@include \"file\"` (relative to the including file).\n"
           "Unknown keys, wrong types and values outside the range are errors that name file and line. "
           "`--set section.key=value` on the command line wins over the file.\n");
    bool table = false;
    for (const snn_config_key *key = snn_config_keys; key->path; key++) {
        char limits[256];
        if (key->type == SNN_KEY_GROUP && !strchr(key->path, '[')) {
            printf("\n## %s\n\n%s\n", key->path, key->doc);
            table = false;
            continue;
        }
        if (!table)
            printf("\n| key | type | default | range | meaning |\n|---|---|---|---|---|\n");
        table = true;
        range(key, ", ", limits, sizeof limits);
        printf("| `%s` | %s | ", key->path, type_name(key->type));
        if (key->initial && *key->initial)
            printf("`%s`", key->initial);
        printf(" | ");
        print_escaped(limits);
        printf(" | ");
        print_escaped(key->doc);
        printf(" |\n");
    }
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    (void)option, (void)value, (void)err;
    *(bool *)context = true;
    return true;
}

static bool run(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {
        {"help", no_argument, NULL, CLI_HELP}, {"markdown", no_argument, NULL, CLI_OWN}, {0}};
    bool markdown = false;
    cli_common common = {0};
    int first;
    cli_syntax syntax = {.name = "config",
                         .help = help,
                         .letters = ":h",
                         .options = options,
                         .positional = "",
                         .own = take,
                         .context = &markdown};
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    if (parsed == CLI_GO && markdown)
        print_markdown();
    else if (parsed == CLI_GO)
        print_plain();
    cli_common_free(&common);
    return parsed != CLI_FAILED;
}

int snn_cmd_config(int argc, char **argv) {
    snn_error err = {0};
    bool ok = run(argc, argv, &err);
    return cli_finish(ok, &err);
}
