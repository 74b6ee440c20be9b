/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim key rotate: encrypts an encrypted model anew, with bits that share nothing with the old key, and says what an attacker learns who has seen both versions. */
#include "encrypt.h"
#include "json.h"
#include "key.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: snnsim key rotate CONFIG --model OLD --key OLDKEY -o NEW --new-key NEWKEY [OPTION]...\n"
    "Decrypts an encrypted model in memory, searches other bits (none of the old key or of one before it),\n"
    "and writes the new version and its key. The old files are left alone, unless -o names the old model.\n"
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
    "which: rotate before the old version was stolen, or count on what the report says is left. Who has\n"
    "three versions has the plain network: each bit as two of them have it. So rotate once; after that,\n"
    "retrain or quantise the network anew (snnsim train, snnsim model quantise) and encrypt that.\n"
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

/* On rank 0, which knows passphrases. */
static bool open_old(cli_rotation *r, snn_error *err) {
    snn_key_about about;
    if (!snn_key_peek(r->old_path, &about, err))
        return false;
    r->sealed = about.sealed;
    return cli_key_open(r->old_path, r->old_fd, false, &r->old, err);
}

bool cli_rotation_open(cli_encryption *e, snn_error *err) {
    cli_rotation *r = e->rotation;
    bool ok = snn_rank_all(cli_model_load(e->config, e->model_option, &e->model, &e->model_path, err), err);
    if (!ok || !snn_rank_all(snn_rank() != 0 || open_old(r, err), err) ||
        !(r->old = snn_key_broadcast(r->old, err)))
        return false;
    r->spent = snn_key_spent(r->old);
    snn_weights *plain = snn_decrypt_model(&e->model, r->old, err);
    if (!plain)
        return snn_error_context(err, "%s with %s", e->model_path, r->old_path);
    snn_weights_free(e->model.weights);
    e->model.weights = plain;
    return true;
}

/* ---- telling ---- */

/* Positions that both keys have: none, but counted and not believed. */
static size_t shared(const cli_encryption *e) {
    const snn_flips *now = &e->result.flips, *spent = &e->rotation->spent;
    size_t n = 0;
    for (size_t i = 0; i < now->n; i++)
        for (size_t j = 0; j < spent->n; j++)
            n += now->flip[i].tensor == spent->flip[j].tensor && now->flip[i].index == spent->flip[j].index &&
                 now->flip[i].bit == spent->flip[j].bit;
    return n;
}

/* What a pair of versions tells; nothing of a pair that was not written. */
json_t *cli_rotation_report(const cli_encryption *e) {
    const cli_rotation *r = e->rotation;
    const size_t before = r->old->flips.n, now = e->result.flips.n;
    json_t *all = json_pack("{s:o, s:o, s:o, s:o}", "old_key", cli_json_text(r->old_path), "old_bits",
                            cli_json_count(before), "earlier_keys", cli_json_count(r->old->versions),
                            "retired_bits", cli_json_count(r->spent.n));
    if (!all)
        return NULL;
    const bool written = e->saved;
    const size_t common = written ? shared(e) : 0;
    json_object_set_new(all, "new_bits", written ? cli_json_count(now) : json_null());
    json_object_set_new(all, "shared_bits", written ? cli_json_count(common) : json_null());
    json_object_set_new(all, "bits_that_differ",
                        written ? cli_json_count(before + now - 2 * common) : json_null());
    json_object_set_new(all, "entropy_left_bits",
                        written ? cli_json_real(snn_log2_choose(before + now, now)) : json_null());
    return all;
}

void cli_rotation_warn(const cli_encryption *e) {
    if (e->rotation->old->versions)
        json_array_append_new(
            e->warnings,
            json_sprintf("this is version %lld of the model: who has three versions finds the plain network "
                         "and the keys by taking each bit as most versions have it; retrain or quantise anew "
                         "instead of rotating once more",
                         (long long)e->rotation->old->versions + 2));
}

void cli_rotation_summary(const cli_encryption *e, FILE *out) {
    size_t before = e->rotation->old->flips.n, now = e->result.flips.n;
    if (!e->saved)
        return;
    fprintf(
        out,
        "rotation    %zu old bits, %zu new ones, %zu in common with any earlier key. Who has both versions "
        "sees the %zu bits in which they differ,\n"
        "            but not which of them the new key flips: at most %.1f bits of entropy are left, and one "
        "by one they are soon tried\n",
        before, now, shared(e), before + now, snn_log2_choose(before + now, now));
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
