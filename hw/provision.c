/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Provisioning: from a key's bits to what is written into a decryptor. This file checks that the bits fit the circuit and makes the writes; provision_place.c finds the places.
 */
#include "provision.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- what fits ---- */

/* Of a table one place in so many stays free: matchings without are rare from some hundred keys on (docs/tile.md has figures). */
enum { FREE_SHARE = 50 };

uint32_t snn_provision_keys(snn_decryptor_kind kind, uint32_t n, uint32_t ways) {
    uint64_t places = (uint64_t)ways * 2;
    if ((kind != SNN_DEC_CAM && kind != SNN_DEC_TABLE) || ways == 0)
        return 0;
    if (kind == SNN_DEC_CAM)
        places = ((uint64_t)n + ways - 1) / ways * ways;
    else
        while (places - places / FREE_SHARE < n)
            places *= 2;
    return places <= UINT32_MAX ? (uint32_t)places : UINT32_MAX;
}

static bool has_store(const snn_decryptor_shape *s) {
    return s->kind == SNN_DEC_CAM || s->kind == SNN_DEC_TABLE;
}

static bool check_bit(const snn_decryptor_shape *s, const snn_row_bit *b, snn_error *err) {
    if (b->row >> s->address || b->lane >= s->lanes || b->bit >= s->bits)
        return snn_fail(
            err, SNN_ERR_DATA,
            "keyed bit %u of lane %u in row word %u is outside the macro: it has 2^%u row words of %u "
            "weights of %u bits",
            b->bit, b->lane, b->row, s->address, s->lanes, s->bits);
    if (b->bit >= s->keyable)
        return snn_fail(
            err, SNN_ERR_CRITERION,
            "row word %u, lane %u: bit %u is keyed, but the decryptor keys the %u most significant bits "
            "of a weight only",
            b->row, b->lane, b->bit, s->keyable);
    return true;
}

static int by_place(const void *a, const void *b) {
    const snn_row_bit *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    return (x->bit > y->bit) - (x->bit < y->bit);
}

/* Row by row (the bits are sorted): are there more than the slots take? */
static bool count_rows(snn_provision *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                       snn_error *err) {
    for (size_t i = 0, first = 0; i < n; i++) {
        if (i > 0 && by_place(&bit[i - 1], &bit[i]) == 0)
            return snn_fail(err, SNN_ERR_DATA, "row word %u, lane %u: bit %u is keyed twice", bit[i].row,
                            bit[i].lane, bit[i].bit);
        if (i == 0 || bit[i].row != bit[i - 1].row) {
            first = i;
            p->rows++;
        }
        const uint32_t here = (uint32_t)(i - first + 1);
        p->most = here > p->most ? here : p->most;
        if (i + 1 < n && bit[i + 1].row == bit[i].row)
            continue;
        if (has_store(s) && here > s->ways)
            return snn_fail(err, SNN_ERR_CRITERION,
                            "row word %u has %u keyed bits, the decryptor takes %u of a row word", bit[i].row,
                            here, s->ways);
    }
    return true;
}

/* ---- ciphers ---- */

static bool append(snn_provision *p, uint16_t address, uint64_t data) {
    p->write[p->writes++] = (snn_prov_write){address, data};
    return true;
}

static bool cipher_keys(snn_provision *p, const snn_decryptor_shape *s, uint64_t seed, snn_error *err) {
    const uint64_t bits = (uint64_t)s->lanes * s->bits;
    const uint32_t n = s->kind == SNN_DEC_PRINCE ? 3
                       : s->kind == SNN_DEC_AES  ? 2
                       : s->kind == SNN_DEC_XOR  ? (uint32_t)((bits + 63) / 64)
                                                 : 0;
    snn_random random;
    snn_random_init(&random, seed, SNN_PURPOSE_KEY_STORE, SNN_STREAM_CIPHER);
    if (!(p->write = snn_alloc(n, sizeof *p->write, "provisioning", err)))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t word = snn_random_u64(&random);
        append(p, (uint16_t)i, s->kind == SNN_DEC_PRINCE && i == 2 ? word & UINT32_MAX : word);
    }
    return true;
}

/* ---- stores ---- */

static uint64_t entry(const snn_decryptor_shape *s, const snn_row_bit *b) {
    const uint32_t position_bits = snn_decryptor_position_bits(s), index_bits = snn_decryptor_index_bits(s);
    return ((uint64_t)b->lane * s->keyable + b->bit) | (uint64_t)(b->row >> index_bits) << position_bits |
           UINT64_C(1) << (position_bits + s->address - index_bits);
}

/* The whole store is written, unused entries too: what is there before does not matter, and the time tells nothing. Hash matrices come first. */
static bool write_store(snn_provision *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                        const snn_placement *place, snn_error *err) {
    const uint32_t matrix_rows = s->ways * snn_decryptor_index_bits(s);
    p->write = snn_alloc((size_t)matrix_rows + s->keys, sizeof *p->write, "provisioning", err);
    p->fill = snn_alloc(s->ways, sizeof *p->fill, "provisioning", err);
    if (!p->write || !p->fill)
        return false;
    for (uint32_t i = 0; i < matrix_rows; i++)
        append(p, (uint16_t)(SNN_PROV_HASH + i), place->matrix[i]);
    for (uint32_t k = 0; k < s->keys; k++)
        append(p, (uint16_t)k, 0);
    for (size_t i = 0; i < n; i++) {
        p->write[matrix_rows + place->place[i]].data = entry(s, &bit[i]);
        p->fill[s->kind == SNN_DEC_CAM ? place->place[i] % s->ways : place->place[i] / (s->keys / s->ways)]++;
    }
    p->places = s->keys;
    p->draws = place->draws;
    return true;
}

static bool make_store(snn_provision *p, const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                       uint64_t seed, snn_error *err) {
    snn_placement place = {0};
    if (n > s->keys)
        return snn_fail(err, SNN_ERR_CRITERION, "%zu keyed bits, the decryptor's key store has %u entries", n,
                        s->keys);
    const bool ok = (s->kind == SNN_DEC_CAM ? snn_place_slots(&place, s, bit, n, err)
                                            : snn_place_table(&place, s, bit, n, seed, err)) &&
                    write_store(p, s, bit, n, &place, err);
    snn_placement_free(&place, n);
    return ok;
}

/* ---- the whole ---- */

static bool make(snn_provision *p, const snn_decryptor_shape *s, snn_row_bit *bit, size_t n, uint64_t seed,
                 snn_error *err) {
    if (s->kind != SNN_DEC_CAM && s->kind != SNN_DEC_TABLE)
        return cipher_keys(p, s, seed, err);
    for (size_t i = 0; i < n; i++)
        if (!check_bit(s, &bit[i], err))
            return false;
    if (n > 1)
        qsort(bit, n, sizeof *bit, by_place);
    p->keys = (uint32_t)n;
    return count_rows(p, s, bit, n, err) && make_store(p, s, bit, n, seed, err);
}

bool snn_provision_make(snn_provision *p, const snn_decryptor_shape *shape, const snn_row_bit *bit, size_t n,
                        uint64_t seed, snn_error *err) {
    *p = (snn_provision){0};
    snn_decryptor *probe = snn_decryptor_new(shape, err); /* are its parameters possible? */
    snn_row_bit *sorted = probe ? snn_alloc(n, sizeof *sorted, "keyed bits", err) : NULL;
    snn_decryptor_free(probe);
    if (!sorted)
        return false;
    if (n > 0)
        memcpy(sorted, bit, n * sizeof *sorted);
    const bool ok = make(p, shape, sorted, n, seed, err);
    sodium_memzero(sorted, n * sizeof *sorted);
    free(sorted);
    if (!ok)
        snn_provision_free(p);
    return ok;
}

void snn_provision_free(snn_provision *p) {
    if (p->write)
        sodium_memzero(p->write, p->writes * sizeof *p->write);
    free(p->write);
    free(p->fill);
    *p = (snn_provision){0};
}

snn_row_bit *snn_provision_bits(const snn_rows *rows, const snn_flips *flips, snn_error *err) {
    snn_row_bit *bit = snn_alloc(flips->n, sizeof *bit, "keyed bits", err);
    for (size_t i = 0; bit && i < flips->n; i++)
        if (!snn_rows_place(rows, &flips->flip[i], &bit[i], err)) {
            free(bit);
            return NULL;
        }
    return bit;
}

void snn_provision_load(const snn_provision *p, snn_decryptor *d) {
    for (size_t i = 0; i < p->writes; i++)
        snn_decryptor_write(d, p->write[i]);
}

void snn_provision_cipher(const snn_decryptor *d, uint8_t *array, uint32_t rows) {
    const uint32_t lanes = snn_decryptor_of(d)->lanes;
    for (uint32_t r = 0; r < rows; r++)
        snn_decryptor_apply(d, r, array + (size_t)r * lanes);
}
