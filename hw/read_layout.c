/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: the cells of a row word, their positions and places. */
#include "read_internal.h"

#include "repair.h"

static void layout_words(snn_read_tensor *t, const snn_map *map) {
    t->code_bits = map->options.code_bits;
    t->check_bits = map->check_bits;
    t->word_width = t->code_bits + t->check_bits;
    t->tile_words = map->words;
    t->columns = map->options.columns;
    t->words = t->map->column_tiles * t->tile_words;
    t->by_word = snn_divider_make(t->word_width);
}

bool snn_read_layout(snn_read_tensor *t, const snn_map *map, int tensor, const snn_layer *layer,
                     snn_error *err) {
    const bool convolution = layer->type == SNN_LAYER_CONV2D;
    t->map = &map->tensor[tensor];
    t->index = tensor;
    t->convolution = convolution;
    t->in = layer->in;
    t->out = layer->out;
    t->kernel = convolution ? layer->kernel : 1;
    t->stride = convolution ? layer->stride : 1;
    t->padding = convolution ? layer->padding : 0;
    if (t->kernel > 255) /* taps fit 16 bits */
        return snn_fail(err, SNN_ERR_USAGE,
                        "layer '%s': read-out takes kernels up to 255 x 255, this one has %u", t->map->name,
                        t->kernel);
    t->taps = t->kernel * t->kernel;
    t->channels = t->map->fan_in / t->taps;
    t->tap = snn_alloc(t->taps, sizeof *t->tap, "read-out", err);
    if (!t->tap)
        return false;
    for (uint32_t i = 0; i < t->taps; i++)
        t->tap[i] = (snn_read_tap){i / t->kernel - t->padding, i % t->kernel - t->padding};
    t->outputs = t->map->outputs;
    t->cells = t->map->cells;
    for (uint32_t c = 0; c < t->cells; c++) {
        uint32_t first;
        const uint32_t n = snn_map_cell_bits(map, t->map, c, &first);
        t->cell_n[c] = (uint8_t)n;
        t->cell_shift[c] = (uint8_t)((uint32_t)t->map->bits - first - n);
    }
    for (uint32_t code = 0; code < UINT32_C(1) << t->map->bits; code++)
        t->value[code] = snn_code_value(t->map->encoding, t->map->bits, code);
    t->width = t->outputs * t->cells;
    if (map->options.code_bits) {
        layout_words(t, map);
        t->width = t->words * t->word_width;
    }
    t->by_outputs = snn_divider_make(t->outputs);
    t->by_cells = snn_divider_make(t->cells);
    t->by_lanes = snn_divider_make(t->map->lanes);
    t->by_taps = snn_divider_make(t->taps);
    t->by_reads = snn_divider_make(t->taps * t->outputs);
    t->by_area = snn_divider_make(convolution ? t->in.height * t->in.width : 1);
    t->by_line = snn_divider_make(convolution ? t->in.width : 1);
    return true;
}

uint32_t snn_read_word_bits(const snn_read_tensor *t, uint32_t word) {
    const uint32_t tile = word / t->tile_words, first = word % t->tile_words * t->code_bits;
    const uint32_t outputs = t->outputs - tile * t->map->lanes;
    const uint32_t used = (outputs < t->map->lanes ? outputs : t->map->lanes) * t->cells;
    const uint32_t bits = used > first ? used - first : 0;
    return bits < t->code_bits ? bits : t->code_bits;
}

bool snn_read_place_at(const snn_read_tensor *t, const snn_map *map, uint32_t row, uint32_t position,
                       snn_read_place *place) {
    uint32_t tile, column;
    *place = (snn_read_place){0};
    if (t->words) {
        place->word = position / t->word_width;
        place->bit = position % t->word_width;
        place->check = place->bit >= t->code_bits;
        const uint32_t bits = snn_read_word_bits(t, place->word), word = place->word % t->tile_words;
        if (place->check ? bits == 0 : place->bit >= bits)
            return false;
        tile = place->word / t->tile_words;
        column = place->check ? t->columns + word * t->check_bits + place->bit - t->code_bits
                              : word * t->code_bits + place->bit;
        place->output = place->check ? 0 : tile * t->map->lanes + column / t->cells;
        place->cell = place->check ? 0 : column % t->cells;
    } else {
        place->output = (uint32_t)snn_divide(t->by_cells, position);
        place->cell = position - place->output * t->cells;
        tile = (uint32_t)snn_divide(t->by_lanes, place->output);
        column = position - tile * t->map->lanes * t->cells;
    }
    place->logical.tile = t->map->first_tile + row / map->options.rows * t->map->column_tiles + tile;
    place->logical.row = row % map->options.rows;
    place->logical.column = column;
    return true;
}

uint64_t snn_read_cells(const snn_read_tensor *t) {
    uint64_t width = (uint64_t)t->outputs * t->cells;
    for (uint32_t word = 0; word < t->words; word++)
        width += snn_read_word_bits(t, word) ? t->check_bits : 0;
    return width * t->map->fan_in;
}
