/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The levels that a chip's cells can have, and the levels that programming aims at, array by array. */
#include "chip_internal.h"

#include <stdlib.h>
#include <string.h>

int snn_chip_kind(const snn_map *m, const snn_map_tensor *t, uint32_t cell) {
    uint32_t first;
    return m->options.cell_bits == 0 ? t->bits : (int)snn_map_cell_bits(m, t, cell, &first);
}

bool snn_chip_level_of(const snn_chip *c, const snn_condition *when, int kind, int k, snn_level *out,
                       snn_error *err) {
    const snn_device *d = &c->o->device;
    if (c->map->options.cell_bits != 0)
        return snn_device_level(d, when, 1 << kind, k, out, err);
    double part = (double)k / (double)(1 << (kind - 1)); /* of the range; |q| <= 2^(bits-1) */
    return snn_device_target(
        d, when, k == 1 << (kind - 1) ? d->g_max : d->g_min + part * (d->g_max - d->g_min), out, err);
}

static bool add_kind(snn_chip_levels *l, const snn_chip *c, const snn_condition *when, int kind,
                     snn_error *err) {
    if (l->level[kind] != NULL)
        return true;
    l->count[kind] = c->map->options.cell_bits != 0 ? 1 << kind : (1 << (kind - 1)) + 1;
    l->level[kind] = snn_alloc((size_t)l->count[kind], sizeof **l->level, "levels", err);
    bool ok = l->level[kind] != NULL;
    for (int k = 0; ok && k < l->count[kind]; k++)
        ok = snn_chip_level_of(c, when, kind, k, &l->level[kind][k], err);
    return ok;
}

bool snn_chip_levels_init(snn_chip_levels *l, const snn_chip *c, const snn_condition *when, snn_error *err) {
    const snn_map *m = c->map;
    const snn_condition now = snn_chip_condition(c, when);
    *l = (snn_chip_levels){.stuck = now.effects >> SNN_EFFECT_STUCK & 1,
                           .stuck_hrs = c->o->device.g_min,
                           .stuck_lrs = c->o->device.g_max};
    bool ok = true;
    for (int i = 0; ok && i < m->tensors; i++) /* only the last cell of a weight may be of another kind */
        ok = add_kind(l, c, &now, snn_chip_kind(m, &m->tensor[i], 0), err) &&
             add_kind(l, c, &now, snn_chip_kind(m, &m->tensor[i], m->tensor[i].cells - 1), err);
    if (!ok)
        snn_chip_levels_free(l);
    return ok;
}

void snn_chip_levels_free(snn_chip_levels *l) {
    for (int kind = 0; kind < SNN_CELL_KINDS; kind++)
        free(l->level[kind]);
    *l = (snn_chip_levels){0};
}

/* ---- targets of an array ---- */

bool snn_chip_tile_levels(const snn_chip *c, uint32_t tile, uint8_t *level, snn_error *err) {
    const snn_map *m = c->map;
    const snn_map_tile at = snn_map_tile_at(m, tile);
    const snn_map_tensor *t = &m->tensor[at.tensor];
    const uint32_t columns = m->options.columns;
    const uint8_t *code = c->stored->tensor[at.tensor].code8;
    uint8_t *table = snn_alloc(((size_t)1 << t->bits) * t->cells, 1, "levels", err);
    if (table == NULL)
        return false;
    for (uint32_t i = 0; i < 1u << t->bits; i++)
        snn_map_levels(m, t, i, table + (size_t)i * t->cells);
    memset(level, 0, (size_t)m->options.rows * columns);
    for (uint32_t lane = 0; lane < at.outputs; lane++) {
        const uint8_t *from = code + (size_t)(at.first_output + lane) * t->fan_in + at.first_row;
        uint8_t *to = level + (size_t)lane * t->cells;
        for (uint32_t row = 0; row < at.rows; row++, to += columns)
            memcpy(to, table + (size_t)from[row] * t->cells, t->cells);
    }
    free(table);
    return true;
}

void snn_chip_tile_checks(const snn_chip *c, uint32_t tile, uint8_t *level) {
    const snn_map *m = c->map;
    const snn_map_tile at = snn_map_tile_at(m, tile);
    memset(level, 0, (size_t)m->options.rows * m->check_columns);
    if (c->secded == NULL)
        return;
    const uint32_t words = snn_chip_checks_used(m, &at) / m->check_bits;
    for (uint32_t row = 0; row < at.rows; row++)
        for (uint32_t word = 0; word < words; word++) {
            uint32_t check = snn_secded_word_check(c->secded, m, c->stored, &at, row, word);
            uint8_t *to = level + (size_t)row * m->check_columns + (size_t)word * m->check_bits;
            for (uint32_t bit = 0; bit < m->check_bits; bit++)
                to[bit] = check >> bit & 1;
        }
}
