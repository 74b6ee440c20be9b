/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: what would be read, without noise, if other bits had been stored. Only cells that hold a flipped bit are looked at; a flip changes the level that its cell aims at, and with it all bits of that cell. */
#include "read_internal.h"

#include <stdlib.h>

/* ---- one cell ---- */

/* Up or down, where hw.cell_error inverts the cell at `at` = row * width + position; negative: it does not. */
static int decreed(const snn_decreed_list *l, uint64_t at) {
    size_t low = 0, high = l->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (l->cell[middle] >> 1 < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->n && l->cell[low] >> 1 == at ? (int)(l->cell[low] & 1) : -1;
}

/* Bits that a cell reads without noise when `stored` are written to it. */
static uint8_t read_bits(const snn_read_plan *p, const snn_read_tensor *t, uint32_t row, uint32_t output,
                         uint32_t cell, uint8_t stored) {
    const uint32_t position = output * t->cells + cell;
    const int n = t->cell_n[cell];
    const snn_read_class *c = &p->class[n];
    snn_read_place place;
    snn_read_place_at(t, p->map, row, position, &place);
    const snn_cell physical = snn_chip_place(p->chip, &place.logical);
    const double g = snn_chip_conductance_at(p->chip, &p->levels, n, c->level[stored], &physical);
    const uint8_t bits = c->bits[snn_read_level(c, snn_read_sensed(p, &physical, g))];
    const int up = t->decreed.n ? decreed(&t->decreed, (uint64_t)row * t->width + position) : -1;
    return up < 0 ? bits : bits ^ snn_read_decree_mask(c, bits, up);
}

/* ---- one weight ---- */

/* Change of the value that is read of a weight when the bits of `mask` of its code are stored inverted. */
static int32_t change(const snn_read_plan *p, const snn_read_tensor *t, uint64_t index, uint32_t mask) {
    const uint32_t output = (uint32_t)(index / t->map->fan_in), row = (uint32_t)(index % t->map->fan_in);
    const uint32_t stored = p->chip->stored->tensor[t->index].code8[index] ^ mask;
    const uint32_t before = p->weights->tensor[t->index].code8[index];
    uint32_t after = before;
    for (uint32_t cell = 0; cell < t->cells; cell++) {
        const uint32_t bits = (UINT32_C(1) << t->cell_n[cell]) - 1, shift = t->cell_shift[cell];
        if (!(mask >> shift & bits))
            continue;
        const uint8_t read = read_bits(p, t, row, output, cell, (uint8_t)(stored >> shift & bits));
        after = (after & ~(bits << shift)) | (uint32_t)read << shift;
    }
    return t->value[after] - t->value[before];
}

/* ---- a set of flips ---- */

bool snn_read_deltas(const snn_read_plan *p, const snn_flips *flips, snn_delta *delta, size_t *n,
                     snn_error *err) {
    size_t weights = *n, out = 0;
    if (!snn_weights_flip_masks(p->chip->stored, flips, delta, &weights, err))
        return false;
    for (size_t i = 0; i < weights; i++) {
        snn_delta d = delta[i];
        d.dq = change(p, &p->tensor[d.tensor], d.index, (uint32_t)d.dq);
        if (d.dq != 0)
            delta[out++] = d;
    }
    *n = out;
    return true;
}
