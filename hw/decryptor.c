/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decryptor models: parameters, registers, the clock. */
#include "decryptor_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SNN_DECS] = {"pass", "cam", "table", "prince", "aes", "xor"};

const char *snn_decryptor_name(snn_decryptor_kind kind) {
    return (unsigned)kind < SNN_DECS ? names[kind] : "?";
}

bool snn_decryptor_parse(const char *name, snn_decryptor_kind *kind, snn_error *err) {
    for (int k = 0; k < SNN_DECS; k++)
        if (!strcmp(name, names[k])) {
            *kind = (snn_decryptor_kind)k;
            return true;
        }
    return snn_fail(err, SNN_ERR_USAGE,
                    "there is no decryptor '%s': expected pass, cam, table, prince, aes or xor", name);
}

/* ---- parameters ---- */

static uint32_t log2_up(uint64_t n) {
    uint32_t bits = 0;
    while (UINT64_C(1) << bits < n)
        bits++;
    return bits;
}

uint32_t snn_decryptor_position_bits(const snn_decryptor_shape *s) {
    const uint32_t bits = log2_up((uint64_t)s->lanes * s->keyable);
    return bits > 0 ? bits : 1;
}

uint32_t snn_decryptor_index_bits(const snn_decryptor_shape *s) {
    return s->kind == SNN_DEC_TABLE && s->ways > 0 ? log2_up(s->keys / s->ways) : 0;
}

static bool has_store(const snn_decryptor_shape *s) {
    return s->kind == SNN_DEC_CAM || s->kind == SNN_DEC_TABLE;
}

/* A way of the table is selected by at least one bit, and a tag has at least one. */
static bool check_table(const snn_decryptor_shape *s, snn_error *err) {
    const uint32_t sets = s->keys / s->ways, index = log2_up(sets);
    if (index < 1 || index >= s->address || sets != UINT32_C(1) << index)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "a way of the key table cannot have %u entries: expected a power of two, 2 or more and "
            "below 2^%u",
            sets, s->address);
    return true;
}

/* The provisioning port has 16 bits of address, the upper half of them for hash matrices. */
static bool check_store(const snn_decryptor_shape *s, snn_error *err) {
    const char *ways = s->kind == SNN_DEC_CAM ? "slots" : "ways";
    if (s->ways < 1 || s->ways > SNN_DEC_WAYS)
        return snn_fail(err, SNN_ERR_USAGE, "a key store cannot have %u %s: expected 1 to %d", s->ways, ways,
                        SNN_DEC_WAYS);
    if (s->keys < 1 || s->keys > SNN_PROV_HASH || s->keys % s->ways != 0)
        return snn_fail(err, SNN_ERR_USAGE,
                        "a key store of %u %s cannot have %u entries: expected a multiple, at most %u",
                        s->ways, ways, s->keys, SNN_PROV_HASH);
    if ((uint64_t)s->lanes * s->keyable < 4)
        return snn_fail(err, SNN_ERR_USAGE, "a key store needs at least 4 keyable bits in a row word");
    return s->kind == SNN_DEC_CAM || check_table(s, err);
}

static bool check_shape(const snn_decryptor_shape *s, snn_error *err) {
    if ((unsigned)s->kind >= SNN_DECS)
        return snn_fail(err, SNN_ERR_USAGE, "there is no decryptor number %d", (int)s->kind);
    if (s->address < 1 || s->address > 24)
        return snn_fail(err, SNN_ERR_USAGE, "a row address cannot have %u bits: expected 1 to 24",
                        s->address);
    if (s->lanes < 1 || s->lanes > 65536)
        return snn_fail(err, SNN_ERR_USAGE, "a row word cannot have %u lanes: expected 1 to 65536", s->lanes);
    if (s->bits < 1 || s->bits > 8)
        return snn_fail(err, SNN_ERR_USAGE, "weights cannot have %u bits: expected 1 to 8", s->bits);
    if (s->keyable < 1 || s->keyable > s->bits)
        return snn_fail(err, SNN_ERR_USAGE, "%u keyable bits of a weight: expected 1 to its %u bits",
                        s->keyable, s->bits);
    /* the block number in a counter has 8 bits */
    if (s->kind == SNN_DEC_PRINCE && (uint64_t)s->lanes * s->keyable > 256 * 64)
        return snn_fail(err, SNN_ERR_USAGE,
                        "%u lanes with %u keyable bits need more than 256 blocks of PRINCE", s->lanes,
                        s->keyable);
    if (s->kind == SNN_DEC_AES && (uint64_t)s->lanes * s->bits > 256 * 128)
        return snn_fail(err, SNN_ERR_USAGE, "%u lanes of %u bits need more than 256 blocks of AES", s->lanes,
                        s->bits);
    return !has_store(s) || check_store(s, err);
}

/* ---- making ---- */

enum { CACHE_MOST = 1 << 26 /* bytes of keystream that are kept */ };

static bool make_cache(snn_decryptor *d, snn_error *err) {
    const size_t rows = (size_t)1 << d->shape.address;
    if (d->blocks == 0 || rows * d->shape.lanes > CACHE_MOST)
        return true;
    d->cache.mask = snn_alloc(rows, d->shape.lanes, "keystreams", err);
    return d->cache.mask && (d->cache.known = snn_alloc(rows, 1, "keystreams", err));
}

static bool make_store(snn_decryptor *d, snn_error *err) {
    const snn_decryptor_shape *s = &d->shape;
    const uint32_t keys = has_store(s) ? s->keys : 0;
    return (d->store.row = snn_alloc(keys, sizeof *d->store.row, "key store", err)) &&
           (d->store.position = snn_alloc(keys, sizeof *d->store.position, "key store", err)) &&
           (d->store.matrix =
                snn_alloc((size_t)s->ways * d->index_bits, sizeof *d->store.matrix, "key store", err)) &&
           (d->store.fixed = snn_alloc(s->lanes, 1, "key store", err)) &&
           (d->mask = snn_alloc(s->lanes, 1, "mask register", err)) && make_cache(d, err);
}

snn_decryptor *snn_decryptor_new(const snn_decryptor_shape *shape, snn_error *err) {
    snn_decryptor *d = check_shape(shape, err) ? snn_alloc(1, sizeof *d, "decryptor", err) : NULL;
    if (!d)
        return NULL;
    d->shape = *shape;
    d->position_bits = snn_decryptor_position_bits(shape);
    d->index_bits = snn_decryptor_index_bits(shape);
    if (shape->kind == SNN_DEC_PRINCE)
        d->blocks = (shape->lanes * shape->keyable + 63) / 64;
    if (shape->kind == SNN_DEC_AES)
        d->blocks = (shape->lanes * shape->bits + 127) / 128;
    if (!make_store(d, err)) {
        snn_decryptor_free(d);
        return NULL;
    }
    snn_decryptor_clear(d);
    return d;
}

/* Keys in clear: wiped. */
static void wipe(void *p, size_t n) {
    if (p)
        sodium_memzero(p, n);
    free(p);
}

void snn_decryptor_free(snn_decryptor *d) {
    if (!d)
        return;
    const size_t keys = has_store(&d->shape) ? d->shape.keys : 0, rows = (size_t)1 << d->shape.address;
    wipe(d->store.row, keys * sizeof *d->store.row);
    wipe(d->store.position, keys * sizeof *d->store.position);
    wipe(d->store.matrix, (size_t)d->shape.ways * d->index_bits * sizeof *d->store.matrix);
    wipe(d->store.fixed, d->shape.lanes);
    wipe(d->mask, d->shape.lanes);
    wipe(d->cache.mask, rows * d->shape.lanes);
    free(d->cache.known);
    wipe(d, sizeof *d);
}

const snn_decryptor_shape *snn_decryptor_of(const snn_decryptor *d) {
    return &d->shape;
}

/* ---- one clock at a time ---- */

bool snn_decryptor_hold(const snn_decryptor *d, bool word_valid) {
    return word_valid && d->busy > 0;
}

/* The fixed mask has no register: the key store is it. */
const uint8_t *snn_decryptor_mask(const snn_decryptor *d) {
    return d->shape.kind == SNN_DEC_XOR ? d->store.fixed : d->mask;
}

bool snn_decryptor_keyed(const snn_decryptor *d) {
    return d->shape.kind == SNN_DEC_XOR || d->keyed;
}

/* A row word goes from stage S to X. */
static void next_word(snn_decryptor *d) {
    if (d->keyed)
        memset(d->mask, 0, d->shape.lanes);
    d->keyed = false;
    if (!d->wanted || d->tampered || d->shape.kind == SNN_DEC_XOR)
        return;
    d->keyed = snn_decryptor_mask_row(d, d->row, d->mask);
    if (d->shape.kind == SNN_DEC_AES) /* the core begins with the word in X */
        d->busy = d->blocks * SNN_AES_CYCLES;
}

void snn_decryptor_clock(snn_decryptor *d, bool req, uint32_t row, bool en) {
    if (d->busy > 0)
        d->busy--;
    if (en) {
        next_word(d);
        d->wanted = req;
        if (req)
            d->row = row;
    }
    d->tampered = false;
}

void snn_decryptor_apply(const snn_decryptor *d, uint32_t row, uint8_t *code) {
    /* only the cache of keystreams changes */
    snn_decryptor_mask_row((snn_decryptor *)d, row, code);
}
