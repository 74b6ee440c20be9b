/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BLAKE2b-256 digests (libsodium), over bytes and over little-endian words, so that they agree on every machine. */
#ifndef SNNSIM_DIGEST_H
#define SNNSIM_DIGEST_H

#include <sodium.h>
#include <stdint.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_DIGEST_BYTES 32
#define SNN_DIGEST_HEX 65 /* with the terminating zero */

typedef struct {
    crypto_generichash_state state;
} snn_digest;

void snn_digest_init(snn_digest *d);
void snn_digest_bytes(snn_digest *d, const void *data, size_t size);
/* n words as little-endian uint32. */
void snn_digest_u32(snn_digest *d, const uint32_t *word, size_t n);
void snn_digest_u64(snn_digest *d, uint64_t word);
void snn_digest_final(snn_digest *d, uint8_t out[SNN_DIGEST_BYTES]);
void snn_digest_hex(const uint8_t digest[SNN_DIGEST_BYTES], char hex[SNN_DIGEST_HEX]);
/* Digest of a text, as hex. */
void snn_digest_text(const char *text, char hex[SNN_DIGEST_HEX]);

#ifdef __cplusplus
}
#endif
#endif
