/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decryptor models: what the provisioning port writes where. Fields of an entry are packed from bit 0 upward: position, row address or tag, valid. */
#include "decryptor_internal.h"

#include <sodium.h>
#include <string.h>

static uint64_t field(uint64_t data, uint32_t at, uint32_t bits) {
    return data >> at & ((UINT64_C(1) << bits) - 1);
}

static void write_entry(snn_decryptor *d, snn_prov_write w, uint32_t row_bits) {
    if (w.address >= d->shape.keys)
        return;
    const bool valid = field(w.data, d->position_bits + row_bits, 1);
    d->store.position[w.address] = (uint32_t)field(w.data, 0, d->position_bits);
    d->store.row[w.address] = valid ? (uint32_t)field(w.data, d->position_bits, row_bits) : SNN_DEC_NO_ROW;
}

static void write_table(snn_decryptor *d, snn_prov_write w) {
    const uint32_t tag_bits = d->shape.address - d->index_bits;
    if (w.address < SNN_PROV_HASH) {
        write_entry(d, w, tag_bits);
        return;
    }
    const uint32_t at = w.address - SNN_PROV_HASH;
    if (at < d->shape.ways * d->index_bits)
        d->store.matrix[at] = (uint32_t)field(w.data, 0, tag_bits);
}

static void write_prince(snn_decryptor *d, snn_prov_write w) {
    if (w.address == 0)
        d->store.k0 = w.data;
    else if (w.address == 1)
        d->store.k1 = w.data;
    else if (w.address == 2)
        d->store.nonce = w.data & UINT32_MAX;
}

/* The key as a 128-bit number: its most significant byte is FIPS 197's first. */
static void set_aes(snn_decryptor *d) {
    uint8_t key[16];
    for (int i = 0; i < 8; i++) {
        key[i] = (uint8_t)(d->store.k1 >> (56 - 8 * i));
        key[8 + i] = (uint8_t)(d->store.k0 >> (56 - 8 * i));
    }
    snn_aes_init(&d->store.aes, key);
    sodium_memzero(key, sizeof key);
}

static void write_aes(snn_decryptor *d, snn_prov_write w) {
    if (w.address == 0)
        d->store.k0 = w.data;
    else if (w.address == 1)
        d->store.k1 = w.data;
    set_aes(d);
}

static void write_xor(snn_decryptor *d, snn_prov_write w) {
    const uint64_t bits = (uint64_t)d->shape.lanes * d->shape.bits;
    for (uint32_t i = 0; i < 64; i++) {
        const uint64_t bit = (uint64_t)w.address * 64 + i;
        if (bit >= bits)
            return;
        uint8_t *lane = &d->store.fixed[bit / d->shape.bits];
        const unsigned at = (unsigned)(bit % d->shape.bits);
        *lane = (uint8_t)((*lane & ~(1U << at)) | (unsigned)(w.data >> i & 1) << at);
    }
}

void snn_decryptor_write(snn_decryptor *d, snn_prov_write w) {
    switch (d->shape.kind) {
    case SNN_DEC_CAM:
        write_entry(d, w, d->shape.address);
        break;
    case SNN_DEC_TABLE:
        write_table(d, w);
        break;
    case SNN_DEC_PRINCE:
        write_prince(d, w);
        break;
    case SNN_DEC_AES:
        write_aes(d, w);
        break;
    case SNN_DEC_XOR:
        write_xor(d, w);
        break;
    case SNN_DEC_PASS:
    case SNN_DECS:
        break;
    }
    snn_decryptor_forget(d);
}

static void clear_store(snn_decryptor *d) {
    const uint32_t keys = d->shape.kind == SNN_DEC_CAM || d->shape.kind == SNN_DEC_TABLE ? d->shape.keys : 0;
    for (uint32_t k = 0; k < keys; k++)
        d->store.row[k] = SNN_DEC_NO_ROW;
    memset(d->store.position, 0, keys * sizeof *d->store.position);
    memset(d->store.matrix, 0, (size_t)d->shape.ways * d->index_bits * sizeof *d->store.matrix);
    memset(d->store.fixed, 0, d->shape.lanes);
    d->store.k0 = d->store.k1 = d->store.nonce = 0;
    set_aes(d);
    snn_decryptor_forget(d);
}

void snn_decryptor_clear(snn_decryptor *d) {
    clear_store(d);
    memset(d->mask, 0, d->shape.lanes);
    d->wanted = d->keyed = d->tampered = false;
    d->row = d->busy = 0;
}

/* Registers that the tamper input does not clear either hold no key (the row address) or are written from the empty store before a word meets them (the mask). */
void snn_decryptor_tamper(snn_decryptor *d) {
    clear_store(d);
    if (d->shape.kind != SNN_DEC_AES)
        return;
    memset(d->mask, 0, d->shape.lanes);
    d->keyed = false;
    d->busy = 0;
    d->tampered = true;
}
