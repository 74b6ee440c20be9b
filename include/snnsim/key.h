/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys: which bits of a model are encrypted. A key lives in locked memory that is wiped when it is freed, and on disk in a file (mode 0600) that is sealed with a passphrase
 * (Argon2id + XChaCha20-Poly1305) or, without one, in clear with a digest against damage. docs/key.md has the layout and says what is protected.
 */
#ifndef SNNSIM_KEY_H
#define SNNSIM_KEY_H

#include <snnsim/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- passphrases ---- */

/* Bytes in guarded memory, wiped when freed. All-zero: none. */
typedef struct {
    char *text; /* NULL: none; not terminated */
    size_t size;
    bool locked; /* is the memory kept from swap? */
} snn_secret;
#define SNN_PASSPHRASE_MAX 1024 /* bytes */
#define SNN_PASSPHRASE_VARIABLE "SNNSIM_PASSPHRASE"
/* From file descriptor fd >= 0 (up to the end or the first newline; what follows it is left unread), else from the environment SNNSIM_PASSPHRASE (which is wiped and unset), else,
 * with `ask` (the prompt), from the terminal without echo (`confirm`: twice). None of them: s->text = NULL, and true. The terminal is restored whatever signal comes; only the main
 * thread may ask. Errors: USAGE (empty, too long, not the same twice, fd not readable), INTERRUPTED (by a signal that did not end the program), RUNTIME (memory, terminal). */
bool snn_secret_get(snn_secret *s, int fd, const char *ask, bool confirm, snn_error *err);
/* Of bytes that the caller wipes himself. Errors: as above. */
bool snn_secret_set(snn_secret *s, const char *text, size_t size, snn_error *err);
void snn_secret_free(snn_secret *s);
/* Wipes and unsets SNNSIM_PASSPHRASE where nothing has asked for it. */
void snn_secret_forget(void);

/* ---- keys ---- */

/* One tensor of the model that the key belongs to. */
typedef struct {
    char name[SNN_NAME]; /* of the layer */
    snn_encoding encoding;
    int bits;
    uint64_t weights;
    size_t keyed; /* bits of it in the key */
} snn_key_tensor;

typedef struct {
    uint64_t seed;  /* of the search */
    char plain[65]; /* digests of the weights (snn_weights_digest) */
    char encrypted[65];
    char network
        [65]; /* digest of the network: layers, thresholds, leaks, biases (snn_net_to_json); zeros until snn_key_bind */
    int tensors;
    snn_key_tensor *tensor; /* [tensors] */
    snn_flips flips;        /* sorted by (tensor, index, bit), each once */
    snn_flips
        retired; /* bits of all keys that rotation has replaced by this one: the same order, none of them in flips */
    uint32_t versions; /* so many keys */
} snn_key;

/* Copies flips, sorts them. like: the model's weights, plain or encrypted, for what the key says of its tensors. Errors: DATA (no flips, one outside the weights, one twice), RUNTIME. */
snn_key *snn_key_new(const snn_weights *like, const snn_flips *flips, uint64_t seed, const char plain[65],
                     const char encrypted[65], snn_error *err);
void snn_key_free(snn_key *k);
/* Says which network the key belongs to. Errors: RUNTIME, DATA (a network that cannot be described). */
bool snn_key_bind(snn_key *k, const snn_net *net, snn_error *err);
/* The key's bits and the retired ones: what a new version must not use. Borrowed, in no order. */
snn_flips snn_key_spent(const snn_key *k);
/* Retires `old` for *k, which is made anew. Errors: DATA (other tensors, a bit that both have, too many), RUNTIME; *k is then as it was. */
bool snn_key_retire(snn_key **k, const snn_key *old, snn_error *err);
/* Collective (ranks.h): rank 0's key for all; the others give NULL. NULL on all ranks after an error. */
snn_key *snn_key_broadcast(snn_key *k, snn_error *err);
/* Could its memory be locked? If not (containers allow little: `ulimit -l`): worth a warning, swap may see it. */
bool snn_key_locked(const snn_key *k);

/* How hard guessing is: libsodium's limits (1.0.18), recorded in the file. */
typedef enum {
    SNN_KDF_INTERACTIVE, /* 2 passes over 64 MiB */
    SNN_KDF_MODERATE,    /* 3 passes over 256 MiB */
    SNN_KDF_SENSITIVE,   /* 4 passes over 1 GiB */
    SNN_KDF_OTHER        /* a file's limits that are none of these */
} snn_kdf;
const char *snn_kdf_name(snn_kdf kdf); /* "interactive", "moderate", "sensitive", "other" */
/* Errors: USAGE. */
bool snn_kdf_parse(const char *name, snn_kdf *kdf, snn_error *err);

/* Atomic, always mode 0600. passphrase NULL or with text = NULL: in clear. Errors: RUNTIME. */
bool snn_key_save(const snn_key *k, const char *path, const snn_secret *passphrase, snn_kdf kdf,
                  snn_error *err);
typedef struct {
    bool sealed;
    snn_kdf kdf; /* the rest is 0 in clear */
    int version;
    uint64_t opslimit, memlimit; /* Argon2id's: passes, bytes */
    bool exposed;                /* may others than the owner read or write the file? */
    uint64_t size;               /* of the file */
} snn_key_about;
/* What a file says without its passphrase; nothing of it is verified. Errors: DATA (no key, damaged head, limits beyond SENSITIVE). */
bool snn_key_peek(const char *path, snn_key_about *about, snn_error *err);
/* passphrase may be NULL; it is not looked at for a key in clear. Errors: DATA (no key, damaged or tampered with, wrong passphrase: these two cannot be told apart), USAGE (sealed and
 * no passphrase), RUNTIME (memory). */
snn_key *snn_key_load(const char *path, const snn_secret *passphrase, snn_error *err);

/* ---- encrypting ---- */

/* Weights with the given bits flipped, and *key for them. Errors: DATA (float weights, no flips, a flip outside the weights or given twice). */
snn_weights *snn_encrypt(const snn_weights *plain, const snn_flips *flips, uint64_t seed, snn_key **key,
                         snn_error *err);
/* Do the weights belong to the key? DATA error saying why not: plain weights, another model, or changed after encryption. */
bool snn_key_fits(const snn_key *k, const snn_weights *encrypted, snn_error *err);
/* Plain weights; checks both digests. */
snn_weights *snn_decrypt(const snn_weights *encrypted, const snn_key *k, snn_error *err);
/* The same; checks also that the network is the one of the key. */
snn_weights *snn_decrypt_model(const snn_model *encrypted, const snn_key *k, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
