/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a key file holds inside its seal, to bytes and back (docs/key.md). Little-endian:
 *    0   8  scheme: "xor" and zeros         144  64 for each tensor: name 32, encoding 4, bits 4, weights 8, keyed bits 8, zeros 8
 *    8   8  seed of the search                   16 for each keyed bit: tensor 4, bit 4 (0: most significant), index 8; ascending
 *   16  32  digest of the plain weights          16 for each retired bit: the same
 *   48  32  digest of the encrypted weights      zeros up to a multiple of 4096
 *   80   4  tensors, then zeros 4
 *   88   8  keyed bits
 *   96  32  digest of the network
 *  128   8  retired bits
 *  136   4  keys that they were in, then zeros 4
 */
#include "key_internal.h"

#include <assert.h>
#include <snnsim/ranks.h>

#include <sodium.h>
#include <string.h>

static const char scheme[8] = "xor";

/* ---- writing ---- */

/* flips: keyed and retired */
static uint64_t content_size(uint64_t tensors, uint64_t flips) {
    return SNN_KEY_FIXED + SNN_KEY_ROW * tensors + SNN_KEY_ADDRESS * flips;
}

static uint64_t padded(uint64_t size) {
    return (size + SNN_KEY_PADDING - 1) / SNN_KEY_PADDING * SNN_KEY_PADDING;
}

uint64_t snn_key_payload_size(const snn_key *k) {
    return padded(content_size((uint64_t)k->tensors, k->flips.n + k->retired.n));
}

void snn_key_payload_write(const snn_key *k, uint8_t *payload) {
    assert(payload != NULL);
    memcpy(payload, scheme, sizeof scheme);
    snn_put64(payload + 8, k->seed);
    sodium_hex2bin(payload + 16, 32, k->plain, 64, NULL, NULL, NULL);
    sodium_hex2bin(payload + 48, 32, k->encrypted, 64, NULL, NULL, NULL);
    snn_put32(payload + 80, (uint32_t)k->tensors);
    snn_put64(payload + 88, k->flips.n);
    sodium_hex2bin(payload + 96, 32, k->network, 64, NULL, NULL, NULL);
    snn_put64(payload + 128, k->retired.n);
    snn_put32(payload + 136, k->versions);
    uint8_t *at = payload + SNN_KEY_FIXED;
    for (int i = 0; i < k->tensors; i++, at += SNN_KEY_ROW) {
        const snn_key_tensor *t = &k->tensor[i];
        memcpy(at, t->name, strnlen(t->name, SNN_NAME - 1));
        snn_put32(at + 32, (uint32_t)t->encoding);
        snn_put32(at + 36, (uint32_t)t->bits);
        snn_put64(at + 40, t->weights);
        snn_put64(at + 48, t->keyed);
    }
    const snn_flips all = snn_key_spent(k);
    for (size_t i = 0; i < all.n; i++, at += SNN_KEY_ADDRESS) {
        snn_put32(at, all.flip[i].tensor);
        snn_put32(at + 4, all.flip[i].bit);
        snn_put64(at + 8, all.flip[i].index);
    }
}

/* ---- reading ---- */

static bool read_tensor(snn_key_tensor *t, const uint8_t *at, snn_error *err) {
    uint32_t encoding = snn_get32(at + 32), bits = snn_get32(at + 36);
    bool named = at[0] != 0 && memchr(at, 0, SNN_NAME) && sodium_is_zero(at + 56, 8);
    size_t length = named ? strlen((const char *)at) : 0;
    for (size_t i = 0; i < SNN_NAME && named; i++) /* names are printable: they end up in messages */
        named = i < length ? at[i] > ' ' && at[i] < 0x7f : at[i] == 0;
    if (!named)
        return snn_fail(err, SNN_ERR_DATA, "a layer of the key has no proper name");
    if (encoding > SNN_OFFSET_BINARY || bits > 16)
        return snn_fail(err, SNN_ERR_DATA, "layer '%s' of the key has encoding %u with %u bits: no such code",
                        (const char *)at, encoding, bits);
    memcpy(t->name, at, SNN_NAME);
    t->encoding = (snn_encoding)encoding;
    t->bits = (int)bits;
    t->weights = snn_get64(at + 40);
    return true;
}

/* The flips and those of earlier keys behind them. */
static bool read_flips(snn_key *k, const uint8_t *at, snn_error *err) {
    const snn_flips all = snn_key_spent(k);
    for (size_t i = 0; i < all.n; i++, at += SNN_KEY_ADDRESS)
        all.flip[i] =
            (snn_flip){.tensor = snn_get32(at), .bit = snn_get32(at + 4), .index = snn_get64(at + 8)};
    if (!snn_key_check(k, err))
        return false;
    for (size_t i = 0; i < k->flips.n; i++)
        k->tensor[k->flips.flip[i].tensor].keyed++;
    return true;
}

static bool check_counts(const snn_key *k, const uint8_t *row, snn_error *err) {
    for (int i = 0; i < k->tensors; i++)
        if (k->tensor[i].keyed != snn_get64(row + SNN_KEY_ROW * (size_t)i + 48))
            return snn_fail(err, SNN_ERR_DATA,
                            "the key has another number of bits in layer '%s' than it says",
                            k->tensor[i].name);
    return true;
}

static bool read_all(snn_key *k, const uint8_t *payload, size_t size, snn_error *err) {
    k->seed = snn_get64(payload + 8);
    sodium_bin2hex(k->plain, sizeof k->plain, payload + 16, 32);
    sodium_bin2hex(k->encrypted, sizeof k->encrypted, payload + 48, 32);
    sodium_bin2hex(k->network, sizeof k->network, payload + 96, 32);
    k->versions = snn_get32(payload + 136);
    const uint8_t *row = payload + SNN_KEY_FIXED, *address = row + SNN_KEY_ROW * (size_t)k->tensors;
    for (int i = 0; i < k->tensors; i++)
        if (!read_tensor(&k->tensor[i], row + SNN_KEY_ROW * (size_t)i, err))
            return false;
    if (!read_flips(k, address, err) || !check_counts(k, row, err))
        return false;
    const uint8_t *end = address + SNN_KEY_ADDRESS * snn_key_spent(k).n;
    return sodium_is_zero(end, size - (size_t)(end - payload)) ||
           snn_fail(err, SNN_ERR_DATA, "the key has something behind its last bit");
}

snn_key *snn_key_payload_read(const uint8_t *payload, size_t size, snn_error *err) {
    if (!payload || size < SNN_KEY_FIXED || memcmp(payload, scheme, sizeof scheme) != 0) {
        snn_fail(err, SNN_ERR_DATA, "the key is for an unknown scheme, expected xor");
        return NULL;
    }
    uint32_t tensors = snn_get32(payload + 80);
    uint32_t versions = snn_get32(payload + 136);
    uint64_t flips = snn_get64(payload + 88), retired = snn_get64(payload + 128);
    /* every earlier key had a bit of its own */
    if (tensors < 1 || tensors > SNN_KEY_TENSORS_MAX || flips < 1 || flips > SNN_KEY_FLIPS_MAX ||
        retired > SNN_KEY_FLIPS_MAX || versions > retired || (retired && !versions) ||
        snn_get32(payload + 84) != 0 || snn_get32(payload + 140) != 0 ||
        padded(content_size(tensors, flips + retired)) != size) {
        snn_fail(err, SNN_ERR_DATA, "the key announces more or less than it has");
        return NULL;
    }
    snn_key *k = snn_key_alloc((int)tensors, (size_t)flips, (size_t)retired, err);
    if (!k || read_all(k, payload, size, err))
        return k;
    snn_key_free(k);
    return NULL;
}

/* ---- ranks ---- */

snn_key *snn_key_broadcast(snn_key *k, snn_error *err) {
    if (snn_ranks() == 1)
        return k;
    uint64_t size = k ? snn_key_payload_size(k) : 0;
    uint8_t *payload = NULL;
    bool ok = snn_rank_all(k || snn_rank() != 0, err) && snn_rank_broadcast(&size, sizeof size, err);
    if (ok)
        ok = snn_rank_all((payload = snn_guarded_alloc((size_t)size, NULL, "a key", err)) != NULL, err);
    if (ok && k)
        snn_key_payload_write(k, payload);
    ok = ok && snn_rank_broadcast(payload, (size_t)size, err);
    if (ok && !k)
        k = snn_key_payload_read(payload, (size_t)size, err);
    ok = ok && snn_rank_all(k != NULL, err);
    sodium_free(payload);
    if (ok)
        return k;
    snn_key_free(k);
    return NULL;
}
