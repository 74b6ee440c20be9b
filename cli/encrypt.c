/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim encrypt: finds the bits whose encryption ruins a stolen network, writes the encrypted model and the key, and tells what that is worth. */
#include "encrypt.h"
#include "json.h"
#include "key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: snnsim encrypt CONFIG -o ENCRYPTED --key FILE [OPTION]...\n"
    "Searches the fewest weight bits whose encryption ruins a stolen network (section encrypt of the\n"
    "config), writes the encrypted model and the key that undoes it, and tells what both networks\n"
    "recognise of recordings that the search has not seen.\n"
    "\n"
    "  -o, --output ENCRYPTED  the encrypted model: what stands in the chip, and what a thief gets\n"
    "  --key FILE              the key; a file that exists is never overwritten\n"
    "  --model FILE            the plain model (default: model.path of the config)\n"
    "  --out DIR               write report.json and front.csv (bits against accuracy) to this folder\n"
    "  --resume                continue an interrupted search, to the same result as without interruption\n"
    "  --checkpoint FILE       where an interrupted search is kept (default: the key's name with .search);\n"
    "                          as secret as the key, removed at the end\n"
    "  --passphrase-fd N       read the passphrase that seals the key from file descriptor N, up to the\n"
    "                          first newline; otherwise it comes from SNNSIM_PASSPHRASE or the terminal\n"
    "  --kdf NAME              how hard guessing it is: interactive, moderate (default) or sensitive\n"
    "  --clear                 write the key without a passphrase\n"
    "  --set KEY=VALUE         override a key of the config (see snnsim config); may be given more than "
    "once\n"
    "  --seed N                the same as --set seed=N: draws the samples; the seed of the search is "
    "secret\n"
    "                          and comes from the system (see encrypt.seed)\n"
    "  --threads N             the same as --set run.threads=N (0: all CPUs)\n"
    "  --limit N               the same as --set run.limit=N: judge by the first N recordings of each part\n"
    "  --quiet                 print errors only\n"
    "  --json                  print the report to standard output as JSON, and nothing else there\n"
    "  --help                  this text\n"
    "\n"
    "Example: snnsim encrypt gesture.cfg -o enc.h5 --key net.key --set encrypt.layers=conv1\n"
    "         snnsim run gesture.cfg --model enc.h5                   # what a thief has\n"
    "         snnsim run gesture.cfg --model enc.h5 --key net.key\n"
    "Exit code 4: the goal was not met; then neither model nor key is written. Interrupted (Ctrl-C), it\n"
    "saves the search and exits with 130. See docs/encryption.md.\n";

/* ---- command line ---- */

bool cli_encrypt_take(cli_encryption *e, int option, const char *value, snn_error *err) {
    switch (option) {
    case CLI_ENCRYPT_MODEL:
        e->model_option = value;
        return true;
    case CLI_ENCRYPT_KEY:
        e->key_path = value;
        return true;
    case CLI_ENCRYPT_OUT:
        e->folder = value;
        return true;
    case CLI_ENCRYPT_RESUME:
        return e->resume = true;
    case CLI_ENCRYPT_CHECKPOINT:
        e->checkpoint_option = value;
        return true;
    case CLI_ENCRYPT_PASSPHRASE_FD:
        return cli_descriptor("--passphrase-fd", value, &e->passphrase_fd, err);
    case CLI_ENCRYPT_KDF:
        e->kdf_given = true;
        return snn_kdf_parse(value, &e->kdf, err) || snn_error_context(err, "--kdf");
    case CLI_ENCRYPT_CLEAR:
        return e->clear = true;
    default: /* -o and --output */
        e->output = value;
        return true;
    }
}

static bool take(void *context, int option, const char *value, snn_error *err) {
    return cli_encrypt_take(context, option, value, err);
}

/* What the command line must have. */
static bool check(const cli_encryption *e, snn_error *err) {
    const char *missing = !e->output ? "-o ENCRYPTED" : !e->key_path ? "--key FILE" : NULL;
    return !missing ||
           snn_fail(err, SNN_ERR_USAGE, "encrypt: %s is missing (see snnsim encrypt --help)", missing);
}

/* ---- telling ---- */

static bool write_files(cli_encryption *e, const json_t *report, snn_error *err) {
    if (!e->report)
        return true;
    snn_file *report_file = e->report, *front_file = e->front;
    FILE *f = snn_file_stream(e->report);
    json_dumpf(report, f, CLI_JSON_FORMAT); /* a failed write is reported by commit */
    fputc('\n', f);
    cli_encrypt_front(e, snn_file_stream(e->front));
    e->report = e->front = NULL; /* commit frees them in every case */
    bool ok = snn_file_commit(report_file, err);
    if (ok)
        return snn_file_commit(front_file, err);
    snn_file_abandon(front_file);
    return false;
}

static bool tell(cli_encryption *e, snn_error *err) {
    if (snn_rank() != 0)
        return true;
    cli_encrypt_warn(e);
    json_t *report = cli_encrypt_report(e, err);
    bool ok = report && write_files(e, report, err);
    if (ok && e->common.json) {
        json_dumpf(report, stdout, CLI_JSON_FORMAT);
        fputc('\n', stdout);
    } else if (ok && !e->common.quiet) {
        cli_encrypt_summary(e, stdout);
    }
    json_decref(report);
    return ok;
}

/* ---- the whole ---- */

bool cli_encrypt_do(cli_encryption *e, snn_error *err) {
    if (!cli_encrypt_open(e, err) || !cli_encrypt_prepare(e, err) || !cli_encrypt_search(e, err) ||
        !cli_encrypt_save(e, err) || !cli_encrypt_judge(e, err) ||
        (e->result.met && !cli_encrypt_vary(e, err)) || !tell(e, err))
        return false;
    if (!e->result.met && !e->result.stopped && snn_rank() == 0)
        unlink(e->checkpoint); /* the search has nothing more to give */
    return e->result.met || cli_encrypt_missed(e, err);
}

void cli_encrypt_free(cli_encryption *e) {
    snn_search_free(&e->result);
    snn_weights_free(e->stored);
    snn_verdict_free(&e->verdict.test);
    snn_verdict_free(&e->verdict.training);
    snn_verdict_free(&e->verdict.all);
    json_decref(e->warnings);
    json_decref(e->command_line);
    cli_encrypt_close(e);
    cli_common_free(&e->common);
}

int snn_cmd_encrypt(int argc, char **argv) {
    static const struct option options[] = {
        {"help", no_argument, NULL, CLI_HELP},
        {"set", required_argument, NULL, CLI_SET},
        {"seed", required_argument, NULL, CLI_SEED},
        {"threads", required_argument, NULL, CLI_THREADS},
        {"limit", required_argument, NULL, CLI_LIMIT},
        {"quiet", no_argument, NULL, CLI_QUIET},
        {"json", no_argument, NULL, CLI_JSON},
        CLI_ENCRYPT_OPTIONS,
        {"key", required_argument, NULL, CLI_ENCRYPT_KEY},
        {"passphrase-fd", required_argument, NULL, CLI_ENCRYPT_PASSPHRASE_FD},
        {0}};
    cli_encryption e = {.command = "encrypt",
                        .passphrase_fd = -1,
                        .kdf = SNN_KDF_MODERATE,
                        .command_line = cli_json_words(argc, argv)}; /* before parsing reorders it */
    cli_syntax syntax = {.name = "encrypt",
                         .help = help,
                         .letters = ":ho:",
                         .options = options,
                         .positional_min = 1,
                         .positional_max = 1,
                         .positional = "CONFIG",
                         .own = take,
                         .context = &e};
    snn_error err = {0};
    int first;
    cli_parsed parsed = cli_parse(&syntax, argc, argv, &e.common, &first, &err);
    bool ok = parsed == CLI_DONE || (parsed == CLI_GO && check(&e, &err) && cli_encrypt_do(&e, &err));
    cli_encrypt_free(&e);
    return cli_finish(ok, &err);
}
