/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Code words of a map: which data bits of a row they hold, and the check bits that stand beside them. */
#include "repair.h"

#include <assert.h>

/* Data columns of an array that are in use. */
static uint32_t used_columns(const snn_map *map, const snn_map_tile *tile) {
    return tile->outputs * map->tensor[tile->tensor].cells;
}

uint32_t snn_secded_word_bits(const snn_map *map, const snn_map_tile *tile, uint32_t word) {
    assert(word < map->words);
    uint32_t used = used_columns(map, tile), first = word * map->options.code_bits;
    if (first >= used)
        return 0;
    return used - first < map->options.code_bits ? used - first : map->options.code_bits;
}

uint32_t snn_secded_word_check(const snn_secded *s, const snn_map *map, const snn_weights *stored,
                               const snn_map_tile *tile, uint32_t row, uint32_t word) {
    const snn_map_tensor *t = &map->tensor[tile->tensor];
    const uint8_t *code = stored->tensor[tile->tensor].code8;
    uint32_t n = snn_secded_word_bits(map, tile, word), first = word * s->data_bits;
    assert(row < tile->rows && s->data_bits == map->options.code_bits);
    uint8_t bit[SNN_SECDED_MAX];
    for (uint32_t i = 0; i < n;
         i++) { /* one bit a cell: bit k of a weight stands in column lane * bits + k */
        uint32_t lane = (first + i) / t->cells, k = (first + i) % t->cells;
        uint64_t index = (uint64_t)(tile->first_output + lane) * t->fan_in + tile->first_row + row;
        bit[i] = code[index] >> (t->cells - 1 - k) & 1;
    }
    return snn_secded_encode(s, bit, n);
}
