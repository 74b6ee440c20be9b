/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BLAKE2b-256 over bytes and little-endian words: what reports promise to be equal is compared by these. */
#include <snnsim/digest.h>

#include <string.h>

#define CHUNK 256 /* words converted at a time */

void snn_digest_init(snn_digest *d) {
    /* Picks libsodium's fastest kernels; repeated calls cost nothing, and without it the result is the same. */
    (void)!sodium_init();
    crypto_generichash_init(&d->state, NULL, 0, SNN_DIGEST_BYTES);
}

void snn_digest_bytes(snn_digest *d, const void *data, size_t size) {
    if (size)
        crypto_generichash_update(&d->state, data, size);
}

static void put_u32(uint8_t *to, uint32_t word) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(word >> 8 * i);
}

void snn_digest_u32(snn_digest *d, const uint32_t *word, size_t n) {
    uint8_t bytes[CHUNK * 4];
    while (n) {
        size_t m = n < CHUNK ? n : CHUNK;
        for (size_t i = 0; i < m; i++)
            put_u32(bytes + 4 * i, word[i]);
        snn_digest_bytes(d, bytes, 4 * m);
        word += m;
        n -= m;
    }
}

void snn_digest_u64(snn_digest *d, uint64_t word) {
    uint8_t bytes[8];
    put_u32(bytes, (uint32_t)word);
    put_u32(bytes + 4, (uint32_t)(word >> 32));
    snn_digest_bytes(d, bytes, sizeof bytes);
}

void snn_digest_final(snn_digest *d, uint8_t out[SNN_DIGEST_BYTES]) {
    crypto_generichash_final(&d->state, out, SNN_DIGEST_BYTES);
}

void snn_digest_hex(const uint8_t digest[SNN_DIGEST_BYTES], char hex[SNN_DIGEST_HEX]) {
    sodium_bin2hex(hex, SNN_DIGEST_HEX, digest, SNN_DIGEST_BYTES);
}

void snn_digest_text(const char *text, char hex[SNN_DIGEST_HEX]) {
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    snn_digest_bytes(&d, text, strlen(text));
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
}
