/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snnsim encrypt and snnsim key rotate: what their files share. encrypt.c and rotate.c are the commands; encrypt_open.c sets up, encrypt_search.c searches, saves and judges,
 * encrypt_report.c and encrypt_summary.c tell the result.
 */
#ifndef SNNSIM_CLI_ENCRYPT_H
#define SNNSIM_CLI_ENCRYPT_H

#include "cli.h"

#include <jansson.h>
#include <stdio.h>

/* Where bits stand, and the modelled chips on which a search measures damage. */
typedef struct {
    snn_hw_options options;
    bool has_options;
    snn_map *map;              /* NULL: neither chips nor a limit of keyed bits */
    snn_noisy_readouts *chips; /* NULL: none; the chips and one without errors */
} cli_encrypt_hardware;

/* How much throw-away searches vary. */
typedef struct {
    uint32_t searches, met;
    snn_variation of;
    double seconds;
} cli_encrypt_variation;

/* Recordings that the search has not seen. */
typedef struct {
    bool judged;
    snn_verdict test, training, all; /* training: the part that was not drawn; networks were trained on it */
} cli_encrypt_verdict;

/* What rotation adds. */
typedef struct {
    const char *old_path; /* --key */
    int old_fd;           /* of its passphrase; -1 */
    bool sealed;          /* the old key is */
    snn_key *old;
    snn_flips spent; /* its bits and those that it retired: borrowed */
} cli_rotation;

/* One encryption, from the command line to the result. */
typedef struct {
    const char *command; /* "encrypt", "key rotate" */
    cli_common common;
    const char *model_option, *output, *key_path, *folder, *checkpoint_option; /* NULL: not given */
    int passphrase_fd;                                                         /* of the new key; -1 */
    snn_kdf kdf;
    bool kdf_given, clear, resume;
    cli_rotation *rotation; /* NULL: a first encryption */
    json_t *command_line;
    const volatile sig_atomic_t *stop;

    snn_config *config;
    const char *model_path;
    snn_model model; /* weights: plain */
    snn_encrypt_options options;
    char checkpoint[4096];
    snn_engine_options engine;
    int threads;
    snn_dataset *training, *test;
    snn_secret passphrase;
    snn_file *report, *front; /* of --out */
    bool made;                /* its folder was not there before */
    snn_subset subset;
    cli_encrypt_hardware hardware;
    snn_candidates *candidates;
    snn_objective *objective;
    snn_goal goal;
    double target_used;

    snn_search_result result;
    snn_weights *stored; /* encrypted */
    char digest[65];     /* theirs */
    bool saved, sealed;  /* model and key are written; the key with a passphrase */
    cli_encrypt_verdict verdict;
    cli_encrypt_variation variation;
    json_t *warnings;
} cli_encryption;

/* How often each sample is counted: by each chip that fitness is measured on and one without errors, or once. */
static inline uint32_t cli_encrypt_views(const cli_encryption *e) {
    return e->options.chips ? e->options.chips + 1 : 1;
}

/* Bits of entropy that the seed has at most: numbers of a config are exact up to 2^53 only. */
static inline int cli_encrypt_seed_bits(const cli_encryption *e) {
    return e->options.seed_given ? 53 : 64;
}

/* ---- command line (encrypt.c) ---- */

/* Options that both commands have, in a table for getopt_long. */
enum {
    CLI_ENCRYPT_MODEL = CLI_OWN,
    CLI_ENCRYPT_OUTPUT,
    CLI_ENCRYPT_KEY,
    CLI_ENCRYPT_OUT,
    CLI_ENCRYPT_RESUME,
    CLI_ENCRYPT_CHECKPOINT,
    CLI_ENCRYPT_PASSPHRASE_FD,
    CLI_ENCRYPT_KDF,
    CLI_ENCRYPT_CLEAR,
    CLI_ENCRYPT_OWN
};
/* clang-format off */
#define CLI_ENCRYPT_OPTIONS                                                \
    {"model", required_argument, NULL, CLI_ENCRYPT_MODEL},                 \
    {"output", required_argument, NULL, CLI_ENCRYPT_OUTPUT},               \
    {"out", required_argument, NULL, CLI_ENCRYPT_OUT},                     \
    {"resume", no_argument, NULL, CLI_ENCRYPT_RESUME},                     \
    {"checkpoint", required_argument, NULL, CLI_ENCRYPT_CHECKPOINT},       \
    {"kdf", required_argument, NULL, CLI_ENCRYPT_KDF},                     \
    {"clear", no_argument, NULL, CLI_ENCRYPT_CLEAR}
/* clang-format on */
bool cli_encrypt_take(cli_encryption *e, int option, const char *value, snn_error *err);
/* Everything from an opened job to the report; false also when the goal was not met. */
bool cli_encrypt_do(cli_encryption *e, snn_error *err);
void cli_encrypt_free(cli_encryption *e);

/* ---- set-up (encrypt_open.c) ---- */

/* Config, where files go, model (e->model, unless it is loaded already), options, data sets, passphrase: in the order in which mistakes are cheapest to find. */
bool cli_encrypt_open(cli_encryption *e, snn_error *err);
/* Subset, chips, candidates (without the old key's bits), objective. */
bool cli_encrypt_prepare(cli_encryption *e, snn_error *err);
/* Of these, candidates and objective. */
bool cli_encrypt_choose(cli_encryption *e, snn_error *err);
void cli_encrypt_close(cli_encryption *e);

/* ---- rotation (rotate.c) ---- */

/* Loads the encrypted model and its key into e->model (plain) and e->rotation. */
bool cli_rotation_open(cli_encryption *e, snn_error *err);
/* Warns who rotates for the second time. */
void cli_rotation_warn(const cli_encryption *e);
json_t *cli_rotation_report(const cli_encryption *e);
void cli_rotation_summary(const cli_encryption *e, FILE *out);

/* ---- the work (encrypt_search.c) ---- */

bool cli_encrypt_search(cli_encryption *e, snn_error *err);
/* Writes key and model. */
bool cli_encrypt_save(cli_encryption *e, snn_error *err);
bool cli_encrypt_judge(cli_encryption *e, snn_error *err);
bool cli_encrypt_vary(cli_encryption *e, snn_error *err);
/* The error for a goal that was not met. */
bool cli_encrypt_missed(const cli_encryption *e, snn_error *err);

/* ---- telling ---- */

void cli_encrypt_warn(cli_encryption *e);
/* report.json; NULL when out of memory. Nothing in it helps to find the key. */
json_t *cli_encrypt_report(const cli_encryption *e, snn_error *err);
/* front.csv: bits,right,share_right,correct,accuracy */
void cli_encrypt_front(const cli_encryption *e, FILE *out);
/* The table for people. */
void cli_encrypt_summary(const cli_encryption *e, FILE *out);

#endif
