/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim key: shows, seals and rotates keys. */
#include "key.h"

#include <stdio.h>

static const char help[] =
    "Usage: snnsim key ACTION ...\n"
    "  show FILE            describe a key\n"
    "  seal FILE            protect a key with a passphrase, change it, or take it away\n"
    "  rotate CONFIG ...    encrypt a model anew with bits that share nothing with the old key\n"
    "  snnsim key ACTION --help tells more.\n";

/* ---- seal ---- */

static const char seal_help[] =
    "Usage: snnsim key seal FILE [-o OUT] [--passphrase-fd N] [--new-passphrase-fd N] [--kdf NAME]\n"
    "       snnsim key seal FILE [-o OUT] [--passphrase-fd N] --clear\n"
    "Seals a key with a new passphrase. A key that is sealed already is opened first: the old passphrase\n"
    "comes from --passphrase-fd, else from SNNSIM_PASSPHRASE, else from the terminal. The new one comes\n"
    "from --new-passphrase-fd, else from SNNSIM_PASSPHRASE if the old one did not, else from the terminal.\n"
    "Copies of the old file stay what they were: destroy them.\n"
    "\n"
    "  -o, --output OUT          write the key there (default: replace FILE)\n"
    "  --passphrase-fd N         read the old passphrase from file descriptor N, up to the first newline\n"
    "  --new-passphrase-fd N     read the new one; N may be the same, then it is the second line\n"
    "  --kdf NAME                how hard guessing is: interactive (64 MiB of memory for each try),\n"
    "                            moderate (256 MiB, default) or sensitive (1 GiB)\n"
    "  --clear                   write the key in clear\n"
    "\n"
    "Example: snnsim key seal net.key --new-passphrase-fd 3 3<passphrase.txt\n";

enum { OPTION_OUTPUT = CLI_OWN, OPTION_FD, OPTION_NEW_FD, OPTION_KDF, OPTION_CLEAR };

typedef struct {
    const char *path, *output;
    int fd, new_fd;
    snn_kdf kdf;
    bool kdf_given, clear;
} seal_options;

static bool take(void *context, int option, const char *value, snn_error *err) {
    seal_options *o = context;
    switch (option) {
    case OPTION_FD:
        return cli_descriptor("--passphrase-fd", value, &o->fd, err);
    case OPTION_NEW_FD:
        return cli_descriptor("--new-passphrase-fd", value, &o->new_fd, err);
    case OPTION_KDF:
        o->kdf_given = true;
        return snn_kdf_parse(value, &o->kdf, err) || snn_error_context(err, "--kdf");
    case OPTION_CLEAR:
        o->clear = true;
        return true;
    default: /* -o and --output */
        o->output = value;
        return true;
    }
}

static bool check(seal_options *o, snn_error *err) {
    if (!o->output)
        o->output = o->path;
    if (!*o->output)
        return snn_fail(err, SNN_ERR_USAGE, "--output: the name of the file is empty");
    if (o->clear && (o->new_fd >= 0 || o->kdf_given))
        return snn_fail(err, SNN_ERR_USAGE, "key seal: --clear takes no new passphrase and no --kdf");
    return cli_key_target(o->output, err);
}

static bool seal_file(seal_options *o, snn_error *err) {
    snn_key *k = NULL;
    snn_secret s = {0};
    bool ok = check(o, err) && cli_key_open(o->path, o->fd, false, &k, err);
    if (ok && !o->clear) {
        ok = cli_key_passphrase(o->output, o->new_fd, &s, err);
        if (ok && !s.text)
            ok = snn_fail(err, SNN_ERR_USAGE,
                          "key seal: there is no new passphrase: give it by --new-passphrase-fd, "
                          "by " SNN_PASSPHRASE_VARIABLE " or on a terminal (or use --clear)");
    }
    snn_secret_forget();
    ok = ok && cli_key_save(k, o->output, &s, o->kdf, err);
    snn_secret_free(&s);
    snn_key_free(k);
    return ok;
}

static bool seal(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {{"help", no_argument, NULL, CLI_HELP},
                                            {"output", required_argument, NULL, OPTION_OUTPUT},
                                            {"passphrase-fd", required_argument, NULL, OPTION_FD},
                                            {"new-passphrase-fd", required_argument, NULL, OPTION_NEW_FD},
                                            {"kdf", required_argument, NULL, OPTION_KDF},
                                            {"clear", no_argument, NULL, OPTION_CLEAR},
                                            {0}};
    seal_options o = {.fd = -1, .new_fd = -1, .kdf = SNN_KDF_MODERATE};
    cli_syntax syntax = {.name = "key seal",
                         .help = seal_help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "FILE",
                         .own = take,
                         .context = &o};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO) {
        o.path = argv[first];
        ok = seal_file(&o, err);
    }
    cli_common_free(&common);
    return ok;
}

int snn_cmd_key(int argc, char **argv) {
    static const cli_subcommand actions[] = {
        {"show", cli_key_show}, {"seal", seal}, {"rotate", cli_key_rotate}, {NULL, NULL}};
    return cli_dispatch("key", help, actions, argc, argv);
}
