/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys: which bits of a model are encrypted. A key lives in locked memory that is wiped when it is freed, and on disk in a file (mode 0600) that is sealed with a passphrase
 * (Argon2id + XChaCha20-Poly1305) or, without one, in clear with a digest against damage. docs/key.md has the layout.
 */
#ifndef SNNSIM_KEY_H
#define SNNSIM_KEY_H

#include <snnsim/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- passphrases ---- */

/* Bytes in locked memory. */
typedef struct {
    char *text; /* NULL: none; not terminated */
    size_t size;
} snn_secret;
#define SNN_PASSPHRASE_MAX 1024 /* bytes */
void snn_secret_free(snn_secret *s);
/* From file descriptor fd >= 0 (up to the end or the first newline), else from the environment SNNSIM_PASSPHRASE (which is wiped and unset), else, with `ask`, from the terminal without echo (`confirm`: twice). None of them:
 * s->text = NULL, and true. Errors: USAGE (too long, empty, not equal, fd not readable). */
bool snn_secret_get(snn_secret *s, int fd, const char *ask, bool confirm, snn_error *err);

/* ---- keys ---- */

typedef struct {
    uint64_t seed;  /* of the search */
    char plain[65]; /* digests of the weights (snn_weights_digest) */
    char encrypted[65];
    snn_flips flips; /* sorted by (tensor, index, bit), each once; in locked memory */
} snn_key;

/* How hard guessing is (libsodium's limits): recorded in the file. */
typedef enum { SNN_KDF_INTERACTIVE, SNN_KDF_MODERATE, SNN_KDF_SENSITIVE } snn_kdf;

/* Copies flips, sorts them. Errors: DATA (an address twice), RUNTIME (no locked memory: falls back to unlocked memory, and *locked tells). */
snn_key *snn_key_new(const snn_flips *flips, uint64_t seed, const char plain[65], const char encrypted[65],
                     snn_error *err);
void snn_key_free(snn_key *k);
/* Could its memory be locked? If not: worth a warning (swap may see it). */
bool snn_key_locked(const snn_key *k);
/* passphrase with text = NULL: in clear. Atomic, mode 0600. */
bool snn_key_save(const snn_key *k, const char *path, const snn_secret *passphrase, snn_kdf kdf,
                  snn_error *err);
typedef struct {
    bool sealed;
    snn_kdf kdf;
    int version;
    uint64_t opslimit, memlimit;
} snn_key_about;
/* What a file says without its passphrase. */
bool snn_key_peek(const char *path, snn_key_about *about, snn_error *err);
/* Errors: DATA (no key, damaged or tampered with, wrong passphrase: these two cannot be told apart; sealed and no passphrase), USAGE. */
snn_key *snn_key_load(const char *path, const snn_secret *passphrase, snn_error *err);

/* ---- encrypting ---- */

/* stored = weights with the key's bits flipped. */
/* *key is new. Errors: DATA. */
snn_weights *snn_encrypt(const snn_weights *plain, const snn_flips *flips, uint64_t seed, snn_key **key,
                         snn_error *err);
/* Do the weights belong to the key? DATA error: another model, or changed after encryption. */
bool snn_key_fits(const snn_key *k, const snn_weights *encrypted, snn_error *err);
/* Plain weights; checks both digests. */
snn_weights *snn_decrypt(const snn_weights *encrypted, const snn_key *k, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
