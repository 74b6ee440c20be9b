/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys inside crypto/: guarded memory, and the two layers of a key file.
 *
 *   snn_key ──key_payload.c──▶ payload (bytes, padded) ──key_file.c: seal or digest──▶ head + payload + tag ──▶ file
 */
#ifndef SNNSIM_CRYPTO_KEY_INTERNAL_H
#define SNNSIM_CRYPTO_KEY_INTERNAL_H

#include <snnsim/key.h>

/* ---- guarded memory (secret.c) ---- */

/* Zeroed, between guard pages, left out of core dumps, wiped by sodium_free; aligned to 64 bytes. *locked (may be NULL): is it kept from swap? RUNTIME error when there is none. */
void *snn_guarded_alloc(size_t size, bool *locked, const char *what, snn_error *err);

/* One line from the terminal without echo into text[room]; more than room bytes: *size = room + 1 (secret_terminal.c). *found: is there a terminal? */
bool snn_terminal_read(const char *ask, char *text, size_t room, size_t *size, bool *found, snn_error *err);

/* ---- payload (key_payload.c): little-endian ---- */

#define SNN_KEY_TENSORS_MAX 65536  /* more than any network has layers */
#define SNN_KEY_FLIPS_MAX 16777216 /* 256 MiB of addresses */
#define SNN_KEY_PADDING 4096 /* payloads are multiples of it, so that sizes hardly tell the number of bits */
#define SNN_KEY_FIXED 144    /* bytes before the table of tensors */
#define SNN_KEY_ROW 64       /* of a tensor */
#define SNN_KEY_ADDRESS 16   /* of a bit */

/* A key with room for so many tensors, flips and retired ones, all of it zero (key.c). */
snn_key *snn_key_alloc(int tensors, size_t flips, size_t retired, snn_error *err);
/* What the key was made of stood in memory that could not be locked. */
void snn_key_set_unlocked(snn_key *k);
uint64_t snn_key_payload_size(const snn_key *k);
/* payload [snn_key_payload_size], zeroed. */
void snn_key_payload_write(const snn_key *k, uint8_t *payload);
/* NULL with a DATA error when it is no payload: everything in it is checked. */
snn_key *snn_key_payload_read(const uint8_t *payload, size_t size, snn_error *err);
/* Are flips and retired ones sorted, each once, and within their tensors? */
bool snn_key_check(const snn_key *k, snn_error *err);

/* Larger ones are no payloads. */
#define SNN_KEY_PAYLOAD_MAX                                                                                  \
    (SNN_KEY_FIXED + (uint64_t)SNN_KEY_ROW * SNN_KEY_TENSORS_MAX +                                           \
     2 * (uint64_t)SNN_KEY_ADDRESS * SNN_KEY_FLIPS_MAX + SNN_KEY_PADDING)

static inline void snn_put32(uint8_t *to, uint32_t word) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(word >> 8 * i);
}
static inline void snn_put64(uint8_t *to, uint64_t word) {
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(word >> 8 * i);
}
static inline uint32_t snn_get32(const uint8_t *from) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++)
        word |= (uint32_t)from[i] << 8 * i;
    return word;
}
static inline uint64_t snn_get64(const uint8_t *from) {
    return snn_get32(from) | (uint64_t)snn_get32(from + 4) << 32;
}

#endif
