/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim decrypt: the plain model of an encrypted one and its key. */
#include "json.h"
#include "key.h"

#include <stdio.h>
#include <sys/stat.h>

static const char help[] =
    "Usage: snnsim decrypt ENCRYPTED --key FILE -o PLAIN [--passphrase-fd N] [--json]\n"
    "Writes the plain model of an encrypted one, with mode 0600. Both are checked by their digests: a key\n"
    "of another model, a model that was changed after encryption and a key that was tampered with are\n"
    "refused. (snnsim run --key needs no plain model on the disk.)\n"
    "\n"
    "  --key FILE           the key\n"
    "  -o, --output PLAIN   the model to write\n"
    "  --passphrase-fd N    read the passphrase of a sealed key from file descriptor N, up to the first\n"
    "                       newline; otherwise it comes from SNNSIM_PASSPHRASE or from the terminal\n"
    "  --json               tell programs what was written\n"
    "\n"
    "Example: snnsim decrypt enc.h5 --key net.key -o plain.h5 --passphrase-fd 3 3<passphrase.txt\n";

enum { OPTION_KEY = CLI_OWN, OPTION_OUTPUT, OPTION_FD };

typedef struct {
    const char *encrypted, *key, *output;
    int fd;
    bool json;
} options;

static bool take(void *context, int option, const char *value, snn_error *err) {
    options *o = context;
    if (option == OPTION_FD)
        return cli_descriptor("--passphrase-fd", value, &o->fd, err);
    if (option == OPTION_KEY)
        o->key = value;
    else
        o->output = value;
    return true;
}

static bool check(const options *o, snn_error *err) {
    const char *missing = !o->key ? "--key FILE" : !o->output || !*o->output ? "-o PLAIN" : NULL;
    if (missing)
        return snn_fail(err, SNN_ERR_USAGE, "decrypt: %s is missing (see snnsim decrypt --help)", missing);
    if (cli_same_file(o->output, o->encrypted))
        return snn_fail(err, SNN_ERR_USAGE,
                        "-o %s: is the encrypted model; the plain one must be another file", o->output);
    return cli_model_target(o->output, err);
}

static bool report(const options *o, const snn_weights *plain, snn_error *err) {
    char digest[SNN_DIGEST_HEX];
    snn_weights_digest(plain, digest);
    if (!o->json) {
        printf("%s: the plain weights of %s, digest %s\n", o->output, o->encrypted, digest);
        return true;
    }
    json_t *all = json_pack("{s:o, s:o, s:s}", "encrypted", cli_json_text(o->encrypted), "plain",
                            cli_json_text(o->output), "digest", digest);
    bool ok = all && json_dumpf(all, stdout, CLI_JSON_FORMAT) == 0;
    json_decref(all);
    putchar('\n');
    return ok || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
}

static bool decrypt(const options *o, snn_error *err) {
    snn_model model = {0};
    snn_key *key = NULL;
    snn_weights *plain = NULL;
    cli_harden();
    bool ok = check(o, err) && snn_model_load(&model, o->encrypted, err) &&
              (key = cli_key_load(o->key, o->fd, err));
    if (ok && !(plain = snn_decrypt_model(&model, key, err)))
        ok = snn_error_context(err, "%s with %s", o->encrypted, o->key);
    if (ok) {
        snn_weights_free(model.weights);
        model.weights = plain;
        mode_t others = umask(S_IRWXG | S_IRWXO); /* what it was encrypted for is for its owner alone */
        ok = snn_model_save(&model, o->output, err);
        umask(others);
        ok = ok && report(o, plain, err);
    }
    snn_key_free(key);
    snn_model_free(&model);
    return ok;
}

int snn_cmd_decrypt(int argc, char **argv) {
    static const struct option table[] = {{"help", no_argument, NULL, CLI_HELP},
                                          {"json", no_argument, NULL, CLI_JSON},
                                          {"key", required_argument, NULL, OPTION_KEY},
                                          {"output", required_argument, NULL, OPTION_OUTPUT},
                                          {"passphrase-fd", required_argument, NULL, OPTION_FD},
                                          {0}};
    options o = {.fd = -1};
    cli_syntax syntax = {.name = "decrypt",
                         .help = help,
                         .letters = ":ho:",
                         .options = table,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "ENCRYPTED",
                         .own = take,
                         .context = &o};
    snn_error err = {0};
    cli_common common = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &common, &first, &err);
    bool ok = parsed == CLI_DONE;
    if (parsed == CLI_GO) {
        o.encrypted = argv[first];
        o.json = common.json;
        ok = decrypt(&o, &err);
    }
    cli_common_free(&common);
    return cli_finish(ok, &err);
}
