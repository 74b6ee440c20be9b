/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim key rotate: encrypts an encrypted model anew, with bits that share nothing with the old key, and says what an attacker learns who has seen both versions. */
#include "encrypt.h"
#include "json.h"
#include "key.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim key rotate CONFIG --model OLD --key OLDKEY -o NEW --new-key NEWKEY [OPTION]...\n"
    "Decrypts an encrypted model in memory, searches other bits (none of the old key), and writes the\n"
    "new version and its key. The old files are left alone, unless -o names the old model.\n"
    "\n"
    "  --model OLD               the encrypted model\n"
    "  --key OLDKEY              its key\n"
    "  -o, --output NEW          the new version\n"
    "  --new-key NEWKEY          its key; a file that exists is never overwritten\n"
    "  --out DIR                 write report.json and front.csv to this folder\n"
    "  --resume                  continue an interrupted search\n"
    "  --checkpoint FILE         where an interrupted search is kept (default: the new key's name with\n"
    "                            .search)\n"
    "  --passphrase-fd N         read the old key's passphrase from file descriptor N, up to the first\n"
    "                            newline; otherwise it comes from SNNSIM_PASSPHRASE or the terminal\n"
    "  --new-passphrase-fd N     the same for the new key; N may be the same, then it is the second line\n"
    "  --kdf NAME                how hard guessing it is: interactive, moderate (default) or sensitive\n"
    "  --clear                   write the new key without a passphrase\n"
    "  --set KEY=VALUE           override a key of the config\n"
    "  --seed N, --threads N, --limit N, --quiet, --json, --help   as for snnsim encrypt\n"
    "\n"
    "Who has both versions sees by comparing them which bits are keyed in one or the other, though not in\n"
    "which: rotate before the old version was stolen, or count on what the report says is left.\n"
    "\n"
    "Example: snnsim key rotate gesture.cfg --model enc.h5 --key net.key -o enc2.h5 --new-key net2.key\n"
    "Exit code 4: the goal cannot be met without the old bits; then nothing is written.\n";

enum { OPTION_NEW_KEY = CLI_ENCRYPT_OWN, OPTION_OLD_KEY, OPTION_OLD_FD };

static bool take(void *context, int option, const char *value, snn_error *err) {
    cli_encryption *e = context;
    switch (option) {
    case OPTION_OLD_KEY:
        e->rotation->old_path = value;
        return true;
    case OPTION_OLD_FD:
        return cli_descriptor("--passphrase-fd", value, &e->rotation->old_fd, err);
    case OPTION_NEW_KEY:
        e->key_path = value;
        return true;
    default:
        return cli_encrypt_take(e, option, value, err);
    }
}

static bool check(const cli_encryption *e, snn_error *err) {
    const char *missing = !e->model_option         ? "--model OLD"
                          : !e->rotation->old_path ? "--key OLDKEY"
                          : !e->output             ? "-o NEW"
                          : !e->key_path           ? "--new-key NEWKEY"
                                                   : NULL;
    return !missing ||
           snn_fail(err, SNN_ERR_USAGE, "key rotate: %s is missing (see snnsim key rotate --help)", missing);
}

bool cli_rotation_open(cli_encryption *e, snn_error *err) {
    cli_rotation *r = e->rotation;
    snn_key_about about;
    if (!snn_key_peek(r->old_path, &about, err))
        return false;
    r->sealed = about.sealed;
    if (!cli_model_load(e->config, e->model_option, &e->model, &e->model_path, err) ||
        !cli_key_open(r->old_path, r->old_fd, false, &r->old, err))
        return false;
    snn_weights *stored = e->model.weights;
    e->model.weights = snn_decrypt(stored, r->old, err);
    snn_weights_free(stored);
    return e->model.weights || snn_error_context(err, "%s with %s", e->model_path, r->old_path);
}

/* ---- telling ---- */

json_t *cli_rotation_report(const cli_encryption *e) {
    size_t before = e->rotation->old->flips.n, now = e->result.flips.n;
    return json_pack("{s:o, s:o, s:o, s:i, s:o, s:o}", "old_key", cli_json_text(e->rotation->old_path),
                     "old_bits", cli_json_count(before), "new_bits", cli_json_count(now), "shared_bits", 0,
                     "bits_that_differ", cli_json_count(before + now), "entropy_left_bits",
                     cli_json_real(snn_log2_choose(before + now, now)));
}

void cli_rotation_summary(const cli_encryption *e, FILE *out) {
    size_t before = e->rotation->old->flips.n, now = e->result.flips.n;
    if (!e->result.met)
        return;
    fprintf(
        out,
        "rotation    %zu old bits, %zu new ones, none in common. Who has both versions sees the %zu bits in "
        "which they differ,\n"
        "            but not which of them the new key flips: at most %.1f of %.1f bits of entropy are "
        "left, and one by one they are soon tried\n",
        before, now, before + now, snn_log2_choose(before + now, now),
        snn_log2_choose(e->candidates->n, now));
}

bool cli_key_rotate(int argc, char **argv, snn_error *err) {
    static const struct option options[] = {
        {"help", no_argument, NULL, CLI_HELP},
        {"set", required_argument, NULL, CLI_SET},
        {"seed", required_argument, NULL, CLI_SEED},
        {"threads", required_argument, NULL, CLI_THREADS},
        {"limit", required_argument, NULL, CLI_LIMIT},
        {"quiet", no_argument, NULL, CLI_QUIET},
        {"json", no_argument, NULL, CLI_JSON},
        CLI_ENCRYPT_OPTIONS,
        {"key", required_argument, NULL, OPTION_OLD_KEY},
        {"passphrase-fd", required_argument, NULL, OPTION_OLD_FD},
        {"new-key", required_argument, NULL, OPTION_NEW_KEY},
        {"new-passphrase-fd", required_argument, NULL, CLI_ENCRYPT_PASSPHRASE_FD},
        {0}};
    cli_rotation rotation = {.old_fd = -1};
    cli_encryption e = {.command = "key rotate",
                        .passphrase_fd = -1,
                        .kdf = SNN_KDF_MODERATE,
                        .rotation = &rotation,
                        .command_line = cli_json_words(argc, argv)};
    cli_syntax syntax = {.name = "key rotate",
                         .help = help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &e};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &e.common, &first, err);
    bool ok = parsed == CLI_DONE || (parsed == CLI_GO && check(&e, err) && cli_encrypt_do(&e, err));
    cli_encrypt_free(&e);
    snn_key_free(rotation.old);
    return ok;
}
