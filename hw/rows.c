/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Row addresses: weights of the map's arrays as row words of one macro. */
#include <snnsim/rows.h>

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 24 /* a counter block of the ciphers has room for so many */ };

static bool check_map(const snn_map *map, snn_error *err) {
    if (map->options.cell_bits == 0)
        return snn_fail(err, SNN_ERR_USAGE,
                        "differential pairs are read as currents: there are no row words to decrypt");
    for (int t = 1; t < map->tensors; t++)
        if (map->tensor[t].bits != map->tensor[0].bits)
            return snn_fail(
                err, SNN_ERR_DATA,
                "layer '%s' has weights of %d bits and layer '%s' of %d: the tile's lanes are of one width",
                map->tensor[0].name, map->tensor[0].bits, map->tensor[t].name, map->tensor[t].bits);
    return true;
}

static bool place_tensors(snn_rows *r, const snn_map *map, snn_error *err) {
    uint64_t next = 0;
    for (int i = 0; i < map->tensors; i++) {
        const snn_map_tensor *m = &map->tensor[i];
        snn_rows_tensor *t = &r->tensor[i];
        memcpy(t->name, m->name, sizeof t->name);
        t->tensor = m->tensor;
        t->layer = m->layer;
        t->base = (uint32_t)next;
        t->fan_in = m->fan_in;
        t->words = m->column_tiles;
        t->outputs = m->outputs;
        t->encoding = m->encoding;
        next += (uint64_t)t->words * t->fan_in;
        if (next > UINT32_C(1) << ADDRESS_BITS)
            return snn_fail(err, SNN_ERR_USAGE,
                            "layer '%s' ends beyond row word 2^%d: a row address has at most %d bits",
                            t->name, ADDRESS_BITS, ADDRESS_BITS);
    }
    r->rows = (uint32_t)next;
    while (UINT32_C(1) << r->address_bits < r->rows)
        r->address_bits++;
    r->address_bits += r->address_bits == 0;
    return true;
}

snn_rows *snn_rows_new(const snn_map *map, snn_error *err) {
    if (!check_map(map, err))
        return NULL;
    snn_rows *r = snn_alloc(1, sizeof *r, "row addresses", err);
    if (!r)
        return NULL;
    r->tensors = map->tensors;
    r->tensor = snn_alloc((size_t)map->tensors, sizeof *r->tensor, "row addresses", err);
    r->lanes = map->tensors > 0 ? map->tensor[0].lanes : 0;
    r->bits = map->tensors > 0 ? (uint32_t)map->tensor[0].bits : 0;
    if (!r->tensor || !place_tensors(r, map, err)) {
        snn_rows_free(r);
        return NULL;
    }
    return r;
}

void snn_rows_free(snn_rows *r) {
    if (!r)
        return;
    free(r->tensor);
    free(r);
}

bool snn_rows_place(const snn_rows *r, const snn_flip *flip, snn_row_bit *out, snn_error *err) {
    const snn_rows_tensor *t = flip->tensor < (uint32_t)r->tensors ? &r->tensor[flip->tensor] : NULL;
    if (!t || flip->bit >= r->bits || flip->index >= (uint64_t)t->outputs * t->fan_in)
        return snn_fail(err, SNN_ERR_DATA, "a keyed bit is outside the weights");
    const uint32_t output = (uint32_t)(flip->index / t->fan_in), line = (uint32_t)(flip->index % t->fan_in);
    *out = (snn_row_bit){t->base + output / r->lanes * t->fan_in + line, output % r->lanes, flip->bit};
    return true;
}

/* Do weights have the tensors that the rows were made for? */
static bool fits(const snn_rows *r, const snn_weights *w, snn_error *err) {
    if (w->tensors != r->tensors)
        return snn_fail(err, SNN_ERR_DATA, "%d weight tensors, expected %d", w->tensors, r->tensors);
    for (int i = 0; i < r->tensors; i++) {
        const snn_tensor *x = &w->tensor[i];
        const snn_rows_tensor *t = &r->tensor[i];
        if (x->type != SNN_CODE_8 || x->bits != (int)r->bits || x->encoding != t->encoding ||
            x->shape[0] != t->outputs || x->count != (uint64_t)t->outputs * t->fan_in)
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s' has other weights than the row addresses were made for", t->name);
    }
    return true;
}

/* Where the codes of output o begin in the array, and how far one line is from the next. */
static size_t output_at(const snn_rows *r, const snn_rows_tensor *t, uint32_t o) {
    return ((size_t)t->base + (size_t)(o / r->lanes) * t->fan_in) * r->lanes + o % r->lanes;
}

uint8_t *snn_rows_fill(const snn_rows *r, const snn_weights *w, snn_error *err) {
    if (!fits(r, w, err))
        return NULL;
    uint8_t *array = snn_alloc(r->rows, r->lanes, "row words", err);
    for (int i = 0; array && i < r->tensors; i++) {
        const snn_rows_tensor *t = &r->tensor[i];
        for (uint32_t o = 0; o < t->outputs; o++) {
            const uint8_t *from = w->tensor[i].code8 + (size_t)o * t->fan_in;
            uint8_t *to = array + output_at(r, t, o);
            for (uint32_t line = 0; line < t->fan_in; line++)
                to[(size_t)line * r->lanes] = from[line];
        }
    }
    return array;
}

void snn_rows_collect(const snn_rows *r, const uint8_t *array, snn_weights *w) {
    for (int i = 0; i < r->tensors; i++) {
        const snn_rows_tensor *t = &r->tensor[i];
        for (uint32_t o = 0; o < t->outputs; o++) {
            uint8_t *to = w->tensor[i].code8 + (size_t)o * t->fan_in;
            const uint8_t *from = array + output_at(r, t, o);
            for (uint32_t line = 0; line < t->fan_in; line++)
                to[line] = from[(size_t)line * r->lanes];
        }
    }
}

void snn_rows_pack(const snn_rows *r, const uint8_t *codes, uint32_t *vector) {
    memset(vector, 0, ((size_t)r->lanes * r->bits + 31) / 32 * sizeof *vector);
    for (size_t l = 0; l < r->lanes; l++) {
        const size_t at = l * r->bits;
        const uint64_t field = (uint64_t)codes[l] << at % 32;
        vector[at / 32] |= (uint32_t)field;
        if (field >> 32)
            vector[at / 32 + 1] |= (uint32_t)(field >> 32);
    }
}

void snn_rows_unpack(const snn_rows *r, const uint32_t *vector, uint8_t *codes) {
    for (size_t l = 0; l < r->lanes; l++) {
        const size_t at = l * r->bits;
        uint64_t field = vector[at / 32];
        if (at % 32 + r->bits > 32)
            field |= (uint64_t)vector[at / 32 + 1] << 32;
        codes[l] = (uint8_t)(field >> at % 32 & ((1U << r->bits) - 1));
    }
}
