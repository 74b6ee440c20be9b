/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decryptor models: the mask of a row from what stands in the key store. */
#include "decryptor_internal.h"

#include <sodium.h>
#include <string.h>

/* A position is lane * keyable + bit, bit 0 the most significant. */
static void set_position(const snn_decryptor *d, uint32_t position, uint8_t *code) {
    code[position / d->shape.keyable] ^= (uint8_t)(1U << (d->shape.bits - 1 - position % d->shape.keyable));
}

/* ---- stores ---- */

/* What the decoders of the slots or ways put out together: an OR, so that a position which two of them name counts once. Positions beyond the lanes have no output. */
typedef struct {
    uint32_t n, position[SNN_DEC_WAYS];
} hits;

static void hit(const snn_decryptor *d, hits *h, uint32_t position) {
    for (uint32_t i = 0; i < h->n; i++)
        if (h->position[i] == position)
            return;
    if (position < d->shape.lanes * d->shape.keyable)
        h->position[h->n++] = position;
}

static bool decode(const snn_decryptor *d, const hits *h, uint8_t *code) {
    for (uint32_t i = 0; i < h->n; i++)
        set_position(d, h->position[i], code);
    return h->n > 0;
}

/* Each slot has one decoder, driven by the OR of the positions of its entries that match. */
static bool cam(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    const uint32_t n = d->shape.keys;
    uint32_t matches = 0;
    for (uint32_t k = 0; k < n; k++)
        matches += d->store.row[k] == row;
    if (matches == 0)
        return false;
    hits h = {0};
    for (uint32_t slot = 0; slot < d->shape.ways; slot++) {
        uint32_t position = 0;
        bool match = false;
        for (uint32_t k = slot; k < n; k += d->shape.ways)
            if (d->store.row[k] == row) {
                match = true;
                position |= d->store.position[k];
            }
        if (match)
            hit(d, &h, position);
    }
    return decode(d, &h, code);
}

static bool table(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    const uint32_t bits = d->index_bits, high = row >> bits, sets = UINT32_C(1) << bits;
    hits h = {0};
    for (uint32_t way = 0; way < d->shape.ways; way++) {
        const uint32_t *matrix = d->store.matrix + (size_t)way * bits;
        uint32_t set = row & (sets - 1);
        for (uint32_t i = 0; i < bits; i++)
            set ^= (uint32_t)__builtin_parity(matrix[i] & high) << i;
        const uint32_t at = way * sets + set;
        if (d->store.row[at] == high)
            hit(d, &h, d->store.position[at]);
    }
    return decode(d, &h, code);
}

/* ---- ciphers ---- */

static void prince(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    const uint32_t positions = d->shape.lanes * d->shape.keyable;
    for (uint32_t block = 0; block < d->blocks; block++) {
        uint64_t stream =
            snn_prince_encrypt(d->store.k0, d->store.k1, d->store.nonce << 32 | (uint64_t)row << 8 | block);
        for (uint32_t p = block * 64; p < positions && p < block * 64 + 64; p++, stream >>= 1)
            if (stream & 1)
                set_position(d, p, code);
    }
}

/* Counter block: 96 zero bits, row address in 24, block number in 8. */
static void aes(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    const uint64_t bits = (uint64_t)d->shape.lanes * d->shape.bits;
    for (uint32_t block = 0; block < d->blocks; block++) {
        uint8_t x[16] = {[12] = (uint8_t)(row >> 16),
                         [13] = (uint8_t)(row >> 8),
                         [14] = (uint8_t)row,
                         [15] = (uint8_t)block};
        snn_aes_encrypt(&d->store.aes, x, x);
        for (uint32_t i = 0; i < 128 && (uint64_t)block * 128 + i < bits; i++) {
            const uint64_t bit = (uint64_t)block * 128 + i;
            if (x[15 - i / 8] >> i % 8 & 1)
                code[bit / d->shape.bits] ^= (uint8_t)(1U << bit % d->shape.bits);
        }
    }
}

static void cipher(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    if (d->shape.kind == SNN_DEC_PRINCE)
        prince(d, row, code);
    else
        aes(d, row, code);
}

static void xor_onto(uint8_t *code, const uint8_t *mask, uint32_t lanes) {
    for (uint32_t l = 0; l < lanes; l++)
        code[l] ^= mask[l];
}

static void remembered(snn_decryptor *d, uint32_t row, uint8_t *code) {
    if (!d->cache.mask) {
        cipher(d, row, code);
        return;
    }
    uint8_t *mask = d->cache.mask + (size_t)row * d->shape.lanes;
    if (!d->cache.known[row]) {
        memset(mask, 0, d->shape.lanes);
        cipher(d, row, mask);
        d->cache.known[row] = 1;
    }
    xor_onto(code, mask, d->shape.lanes);
}

void snn_decryptor_forget(snn_decryptor *d) {
    if (d->cache.known)
        memset(d->cache.known, 0, (size_t)1 << d->shape.address);
}

bool snn_decryptor_mask_row(snn_decryptor *d, uint32_t row, uint8_t *code) {
    row &= (UINT32_C(1) << d->shape.address) - 1;
    switch (d->shape.kind) {
    case SNN_DEC_CAM:
        return cam(d, row, code);
    case SNN_DEC_TABLE:
        return table(d, row, code);
    case SNN_DEC_PRINCE:
    case SNN_DEC_AES:
        remembered(d, row, code);
        return true;
    case SNN_DEC_XOR:
        xor_onto(code, d->store.fixed, d->shape.lanes);
        return true;
    case SNN_DEC_PASS:
    case SNN_DECS:
        break;
    }
    return false;
}
