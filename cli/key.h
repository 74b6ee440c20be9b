/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What commands that handle keys share. */
#ifndef SNNSIM_CLI_KEY_H
#define SNNSIM_CLI_KEY_H

#include "cli.h"

/* ---- steps (secret.c) ---- */

/* From now on the process leaves no core dump, and other processes of the user cannot look into it. First step of every command that handles a key. */
void cli_harden(void);
/* The value of --passphrase-fd and the like. Errors: USAGE. */
bool cli_descriptor(const char *option, const char *value, int *fd, snn_error *err);
/* Loads a key, with the passphrase from fd (-1: none given), the environment or the terminal when it is sealed. Warns on stderr when others may read the file, and when its memory
 * cannot be locked. Errors: as snn_key_load. */
snn_key *cli_key_load(const char *path, int fd, snn_error *err);
/* The same, but leaves a SNNSIM_PASSPHRASE that was not needed for the next question, and with `optional` a sealed key without a passphrase is no error: *k = NULL. */
bool cli_key_open(const char *path, int fd, bool optional, snn_key **k, snn_error *err);
/* The passphrase for a key that will be written to path: from fd (-1: none given), the environment, or the terminal (twice). s->text = NULL: there is none. To be called before long work. */
bool cli_key_passphrase(const char *path, int fd, snn_secret *s, snn_error *err);
/* May a key be written there? USAGE error when a file of another kind stands there. */
bool cli_key_target(const char *path, snn_error *err);
/* Writes a key; without a passphrase in clear, and warns on stderr that it is. */
bool cli_key_save(const snn_key *k, const char *path, const snn_secret *s, snn_kdf kdf, snn_error *err);

/* ---- actions of `snnsim key` ---- */

bool cli_key_show(int argc, char **argv, snn_error *err);   /* key_show.c */
bool cli_key_rotate(int argc, char **argv, snn_error *err); /* rotate.c */

#endif
