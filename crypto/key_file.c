/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key files (docs/key.md). Little-endian:
 *    0  64  a line of text that says what the file is
 *   64   4  version; then form 4 (0 clear, 1 sealed), key derivation 4 (2: Argon2id 1.3), zeros 4
 *   80   8  passes; then bytes of memory 8, salt 16, nonce 24; all zero in clear
 *  136   8  size of the payload
 *  144      payload (key_payload.c): sealed by XChaCha20-Poly1305 with bytes 0 to 143 as associated data, or clear
 *   end     sealed: 16 bytes of Poly1305; clear: 32 bytes of BLAKE2b over all before
 */
#include "key_internal.h"

#include <snnsim/digest.h>
#include <snnsim/output.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "snnsim key: tells which bits of a model are encrypted (secret).\n";
enum {
    LINE = 64,
    AT_VERSION = 64,
    AT_FORM = 68,
    AT_ALGORITHM = 72,
    AT_ZERO = 76,
    AT_OPS = 80,
    AT_MEMORY = 88,
    AT_SALT = 96,
    AT_NONCE = 112,
    AT_PAYLOAD = 136,
    HEAD = 144,
    VERSION = 2, /* 1 had neither network nor retired bits */
    SEAL = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    STACK = 65536 /* bytes of the stack below us that are wiped after Argon2 has seen the passphrase */
};
_Static_assert(sizeof first_line == LINE + 1, "without the terminating zero");
_Static_assert(AT_SALT + crypto_pwhash_argon2id_SALTBYTES == AT_NONCE, "salt of libsodium");
_Static_assert(AT_NONCE + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == AT_PAYLOAD, "nonce of libsodium");

/* ---- key derivation ---- */

static const struct {
    const char *name;
    uint64_t ops, memory;
} kdfs[] = {
    {"interactive", crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE, crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE},
    {"moderate", crypto_pwhash_argon2id_OPSLIMIT_MODERATE, crypto_pwhash_argon2id_MEMLIMIT_MODERATE},
    {"sensitive", crypto_pwhash_argon2id_OPSLIMIT_SENSITIVE, crypto_pwhash_argon2id_MEMLIMIT_SENSITIVE},
    {"other", 0, 0}};

const char *snn_kdf_name(snn_kdf kdf) {
    return kdfs[kdf].name;
}

bool snn_kdf_parse(const char *name, snn_kdf *kdf, snn_error *err) {
    for (int i = 0; i < SNN_KDF_OTHER; i++)
        if (strcmp(name, kdfs[i].name) == 0) {
            *kdf = (snn_kdf)i;
            return true;
        }
    return snn_fail(err, SNN_ERR_USAGE,
                    "unknown key derivation '%.40s': expected interactive, moderate or sensitive", name);
}

/* The file's key from the passphrase, by the limits and the salt of its head; guarded memory. */
static uint8_t *derive(const uint8_t head[HEAD], const snn_secret *passphrase, snn_error *err) {
    uint8_t *key = snn_guarded_alloc(crypto_aead_xchacha20poly1305_ietf_KEYBYTES, NULL, "a key", err);
    if (!key)
        return NULL;
    uint64_t memory = snn_get64(head + AT_MEMORY);
    int status =
        crypto_pwhash(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, passphrase->text, passphrase->size,
                      head + AT_SALT, snn_get64(head + AT_OPS), (size_t)memory, crypto_pwhash_ALG_ARGON2ID13);
    sodium_stackzero(STACK);
    if (status == 0)
        return key;
    sodium_free(key);
    snn_fail(err, SNN_ERR_RUNTIME,
             "no memory to derive the key from the passphrase: it takes %" PRIu64 " MiB", memory >> 20);
    return NULL;
}

/* ---- writing ---- */

static void write_head(uint8_t head[HEAD], bool sealed, snn_kdf kdf, uint64_t payload) {
    memset(head, 0, HEAD);
    memcpy(head, first_line, LINE);
    snn_put32(head + AT_VERSION, VERSION);
    snn_put64(head + AT_PAYLOAD, payload);
    if (!sealed)
        return;
    snn_put32(head + AT_FORM, 1);
    snn_put32(head + AT_ALGORITHM, crypto_pwhash_ALG_ARGON2ID13);
    snn_put64(head + AT_OPS, kdfs[kdf].ops);
    snn_put64(head + AT_MEMORY, kdfs[kdf].memory);
    randombytes_buf(head + AT_SALT, crypto_pwhash_argon2id_SALTBYTES);
    randombytes_buf(head + AT_NONCE, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
}

static void clear_digest(const uint8_t head[HEAD], const uint8_t *payload, size_t size,
                         uint8_t out[SNN_DIGEST_BYTES]) {
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, head, HEAD);
    snn_digest_bytes(&d, payload, size);
    snn_digest_final(&d, out);
    sodium_memzero(&d, sizeof d);
}

/* Seals payload[size] in place, or digests it; the result stands behind it. Its size, 0 after an error. */
static size_t finish(const uint8_t head[HEAD], uint8_t *payload, size_t size, const snn_secret *passphrase,
                     snn_error *err) {
    if (!passphrase) {
        clear_digest(head, payload, size, payload + size);
        return SNN_DIGEST_BYTES;
    }
    uint8_t *key = derive(head, passphrase, err);
    if (!key)
        return 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(payload, NULL, payload, size, head, HEAD, NULL,
                                               head + AT_NONCE, key);
    sodium_free(key);
    return SEAL;
}

static bool write_file(const char *path, const uint8_t head[HEAD], const uint8_t *rest, size_t size,
                       snn_error *err) {
    snn_file *f = snn_file_create(path, 0600, err);
    if (!f)
        return false;
    FILE *stream = snn_file_stream(f);
    setvbuf(stream, NULL, _IONBF, 0); /* no copy of a clear key in stdio's memory */
    if (fwrite(head, 1, HEAD, stream) == HEAD && fwrite(rest, 1, size, stream) == size)
        return snn_file_commit(f, err);
    snn_fail_errno(err, "cannot write '%s'", path);
    snn_file_abandon(f);
    return false;
}

bool snn_key_save(const snn_key *k, const char *path, const snn_secret *passphrase, snn_kdf kdf,
                  snn_error *err) {
    if (passphrase && !passphrase->text)
        passphrase = NULL;
    if (passphrase && kdf >= SNN_KDF_OTHER)
        return snn_fail(err, SNN_ERR_USAGE, "%s: no key derivation chosen", path);
    size_t size = (size_t)snn_key_payload_size(k);
    uint8_t head[HEAD], *payload = snn_guarded_alloc(size + SNN_DIGEST_BYTES, NULL, "a key", err);
    if (!payload)
        return snn_error_context(err, "%s", path);
    write_head(head, passphrase != NULL, kdf, size);
    snn_key_payload_write(k, payload);
    size_t end = finish(head, payload, size, passphrase, err);
    bool ok = end > 0 ? write_file(path, head, payload, size + end, err) : snn_error_context(err, "%s", path);
    sodium_free(payload);
    return ok;
}

/* ---- reading ---- */

static snn_kdf kdf_of(uint64_t ops, uint64_t memory) {
    int i = 0;
    while (i < SNN_KDF_OTHER && (kdfs[i].ops != ops || kdfs[i].memory != memory))
        i++;
    return (snn_kdf)i;
}

/* Exactly `size` bytes, with read(): no copy stays in stdio's memory. */
static bool read_exactly(int fd, void *to, size_t size, snn_error *err) {
    uint8_t *at = to;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            n < 0 ? snn_fail_errno(err, "cannot read")
                  : snn_fail(err, SNN_ERR_DATA, "cannot read: the file ends early");
            if (err)
                err->code = SNN_ERR_DATA;
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* An opened key file. */
typedef struct {
    int fd;
    struct stat st;
    uint8_t head[HEAD];
    uint64_t payload;
} source;

static bool open_source(source *s, const char *path, snn_error *err) {
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (s->fd < 0 || fstat(s->fd, &s->st) != 0) {
        snn_fail_errno(err, "cannot open");
        if (err)
            err->code = SNN_ERR_DATA;
        return false;
    }
    if (!S_ISREG(s->st.st_mode))
        return snn_fail(err, SNN_ERR_DATA, "%s",
                        S_ISDIR(s->st.st_mode) ? "is a folder, not a key" : "is not a regular file");
    if (s->st.st_size < HEAD) {
        char start[10];
        bool ours = s->st.st_size >= (off_t)sizeof start && read_exactly(s->fd, start, sizeof start, err) &&
                    !memcmp(start, first_line, sizeof start);
        return snn_fail(err, SNN_ERR_DATA, ours ? "is cut: a key is longer" : "is no key of snnsim");
    }
    return read_exactly(s->fd, s->head, HEAD, err);
}

static bool check_limits(const uint8_t head[HEAD], snn_error *err) {
    uint64_t ops = snn_get64(head + AT_OPS), memory = snn_get64(head + AT_MEMORY);
    if (snn_get32(head + AT_ALGORITHM) != crypto_pwhash_ALG_ARGON2ID13)
        return snn_fail(err, SNN_ERR_DATA,
                        "is sealed with key derivation %" PRIu32 ", expected %d (Argon2id)",
                        snn_get32(head + AT_ALGORITHM), crypto_pwhash_ALG_ARGON2ID13);
    if (ops < crypto_pwhash_argon2id_OPSLIMIT_MIN || ops > kdfs[SNN_KDF_SENSITIVE].ops ||
        memory < crypto_pwhash_argon2id_MEMLIMIT_MIN || memory > kdfs[SNN_KDF_SENSITIVE].memory)
        return snn_fail(err, SNN_ERR_DATA,
                        "asks for %" PRIu64 " passes over %" PRIu64
                        " bytes of memory to try a passphrase, expected %u to %" PRIu64
                        " over %u to %" PRIu64,
                        ops, memory, crypto_pwhash_argon2id_OPSLIMIT_MIN, kdfs[SNN_KDF_SENSITIVE].ops,
                        crypto_pwhash_argon2id_MEMLIMIT_MIN, kdfs[SNN_KDF_SENSITIVE].memory);
    return true;
}

static bool check_head(source *s, snn_error *err) {
    const uint8_t *head = s->head;
    if (memcmp(head, first_line, LINE) != 0)
        return snn_fail(err, SNN_ERR_DATA, "is no key of snnsim");
    uint32_t version = snn_get32(head + AT_VERSION), form = snn_get32(head + AT_FORM);
    if (version != VERSION)
        return snn_fail(err, SNN_ERR_DATA, "is a key of version %" PRIu32 ", expected %d", version, VERSION);
    if (form > 1 || snn_get32(head + AT_ZERO) != 0 ||
        (form == 0 && !sodium_is_zero(head + AT_ALGORITHM, AT_PAYLOAD - AT_ALGORITHM)))
        return snn_fail(err, SNN_ERR_DATA, "is damaged in its first %d bytes", HEAD);
    if (form == 1 && !check_limits(head, err))
        return false;
    s->payload = snn_get64(head + AT_PAYLOAD);
    uint64_t size = (uint64_t)s->st.st_size;
    if (s->payload == 0 || s->payload > SNN_KEY_PAYLOAD_MAX || s->payload % SNN_KEY_PADDING != 0)
        return snn_fail(err, SNN_ERR_DATA, "is damaged: it announces %" PRIu64 " bytes of content",
                        s->payload);
    uint64_t expected = HEAD + s->payload + (form == 1 ? SEAL : SNN_DIGEST_BYTES);
    if (size != expected)
        return snn_fail(err, SNN_ERR_DATA, "is %s: %" PRIu64 " bytes, expected %" PRIu64,
                        size < expected ? "cut" : "damaged", size, expected);
    return true;
}

bool snn_key_peek(const char *path, snn_key_about *about, snn_error *err) {
    source s = {0};
    *about = (snn_key_about){0};
    bool ok = open_source(&s, path, err) && check_head(&s, err);
    if (s.fd >= 0)
        close(s.fd);
    if (!ok)
        return snn_error_context(err, "%s", path);
    about->version = VERSION;
    about->size = (uint64_t)s.st.st_size;
    about->exposed = (s.st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    about->sealed = snn_get32(s.head + AT_FORM) == 1;
    about->opslimit = snn_get64(s.head + AT_OPS);
    about->memlimit = snn_get64(s.head + AT_MEMORY);
    about->kdf = about->sealed ? kdf_of(about->opslimit, about->memlimit) : SNN_KDF_INTERACTIVE;
    return true;
}

/* Opens payload[size], behind which its seal or digest stands. */
static bool verify(const source *s, uint8_t *payload, const snn_secret *passphrase, snn_error *err) {
    size_t size = (size_t)s->payload;
    if (snn_get32(s->head + AT_FORM) == 0) {
        uint8_t digest[SNN_DIGEST_BYTES];
        clear_digest(s->head, payload, size, digest);
        return sodium_memcmp(digest, payload + size, sizeof digest) == 0 ||
               snn_fail(err, SNN_ERR_DATA, "is damaged: its digest is another one");
    }
    uint8_t *key = derive(s->head, passphrase, err);
    if (!key)
        return false;
    int status = crypto_aead_xchacha20poly1305_ietf_decrypt(payload, NULL, NULL, payload, size + SEAL,
                                                            s->head, HEAD, s->head + AT_NONCE, key);
    sodium_free(key);
    return status == 0 || snn_fail(err, SNN_ERR_DATA, "the passphrase is wrong, or the file was changed");
}

static snn_key *load(source *s, const char *path, const snn_secret *passphrase, snn_error *err) {
    if (!open_source(s, path, err) || !check_head(s, err))
        return NULL;
    bool sealed = snn_get32(s->head + AT_FORM) == 1;
    if (sealed && (!passphrase || !passphrase->text)) {
        snn_fail(
            err, SNN_ERR_USAGE,
            "is sealed and there is no passphrase: give it by --passphrase-fd, by " SNN_PASSPHRASE_VARIABLE
            " or on a terminal");
        return NULL;
    }
    size_t size = (size_t)s->payload, end = sealed ? SEAL : SNN_DIGEST_BYTES;
    bool locked;
    uint8_t *payload = snn_guarded_alloc(size + end, &locked, "a key", err);
    if (!payload)
        return NULL;
    snn_key *k = read_exactly(s->fd, payload, size + end, err) && verify(s, payload, passphrase, err)
                     ? snn_key_payload_read(payload, size, err)
                     : NULL;
    sodium_free(payload);
    if (k && !locked)
        snn_key_set_unlocked(k);
    return k;
}

snn_key *snn_key_load(const char *path, const snn_secret *passphrase, snn_error *err) {
    source s = {0};
    snn_key *k = load(&s, path, passphrase, err);
    if (s.fd >= 0)
        close(s.fd);
    if (!k)
        snn_error_context(err, "%s", path);
    return k;
}
