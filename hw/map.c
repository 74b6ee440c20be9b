/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cutting weight matrices into arrays, and the way from a weight's bit to its cell and back. */
#include "secded.h"

#include <snnsim/map.h>

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BITS = 8 /* of a weight that cells hold */, MOST_CELL_BITS = 4 };

/* ---- making ---- */

static bool check_lines(uint32_t n, uint32_t least, const char *what, snn_error *err) {
    if (n < least || n > SNN_ARRAY_MAX)
        return snn_fail(err, SNN_ERR_USAGE, "an array cannot have %u %s: expected %u to %d", n, what, least,
                        SNN_ARRAY_MAX);
    return true;
}

static bool check_options(const snn_map_options *o, snn_error *err) {
    if (!check_lines(o->rows, 1, "rows", err) || !check_lines(o->columns, 1, "columns", err) ||
        !check_lines(o->spare_rows, 0, "spare rows", err) ||
        !check_lines(o->spare_columns, 0, "spare columns", err))
        return false;
    if (o->cell_bits < 0 || o->cell_bits > MOST_CELL_BITS)
        return snn_fail(err, SNN_ERR_USAGE, "a cell cannot hold %d bits: expected 1 to %d", o->cell_bits,
                        MOST_CELL_BITS);
    if (o->code_bits == 0)
        return true;
    if (o->code_bits < 8 || o->code_bits > SNN_SECDED_MAX || (o->code_bits & (o->code_bits - 1)) != 0)
        return snn_fail(err, SNN_ERR_USAGE,
                        "SEC-DED words of %u bits: expected 8, 16, 32, 64, 128 or 256 data bits",
                        o->code_bits);
    if (o->cell_bits != 1)
        return snn_fail(err, SNN_ERR_USAGE,
                        "SEC-DED needs one weight bit per cell: an error in a cell of several bits is no "
                        "single error");
    return true;
}

static uint32_t divide_up(uint32_t a, uint32_t b) {
    return a / b + (a % b != 0);
}

static bool place_tensor(snn_map *m, const snn_tensor *w, snn_map_tensor *t, snn_error *err) {
    const snn_map_options *o = &m->options;
    if (w->type == SNN_FLOAT32)
        return snn_fail(err, SNN_ERR_DATA,
                        "layer '%s' has float weights: cells hold integer codes (snnsim model quantise)",
                        t->name);
    if (w->bits > MOST_BITS)
        return snn_fail(
            err, SNN_ERR_DATA,
            "layer '%s' has codes of %d bits: cells take weights of 1 to %d (snnsim model quantise)", t->name,
            w->bits, MOST_BITS);
    t->bits = w->bits;
    t->encoding = w->encoding;
    t->dims = w->dims;
    memcpy(t->shape, w->shape, sizeof t->shape);
    t->cells = o->cell_bits == 0 ? 2 : divide_up((uint32_t)w->bits, (uint32_t)o->cell_bits);
    t->lanes = o->columns / t->cells;
    if (t->lanes == 0)
        return snn_fail(
            err, SNN_ERR_USAGE,
            "an array of %u columns is narrower than one weight of layer '%s', which takes %u cells",
            o->columns, t->name, t->cells);
    t->row_tiles = divide_up(t->fan_in, o->rows);
    t->column_tiles = divide_up(t->outputs, t->lanes);
    t->first_tile = m->tiles;
    uint32_t tiles;
    if (__builtin_mul_overflow(t->row_tiles, t->column_tiles, &tiles) ||
        __builtin_add_overflow(m->tiles, tiles, &m->tiles))
        return snn_fail(err, SNN_ERR_USAGE, "layer '%s' would need more than 2^32 - 1 arrays of %u x %u",
                        t->name, o->rows, o->columns);
    m->weight_cells += w->count * t->cells; /* each below 2^31 * 8 */
    return true;
}

static bool place_all(snn_map *m, const snn_net *net, const snn_weights *weights, snn_error *err) {
    for (int i = 0; i < net->tensors; i++) {
        bool recurrent;
        const snn_layer *layer = snn_net_tensor_layer(net, i, &recurrent);
        snn_map_tensor *t = &m->tensor[i];
        snn_net_tensor_name(net, i, t->name);
        t->tensor = i;
        t->layer = (int)(layer - net->layer);
        t->fan_in = recurrent ? layer->out.channels : snn_layer_fan_in(layer);
        t->outputs = layer->out.channels;
        if (!place_tensor(m, &weights->tensor[t->tensor], t, err))
            return false;
    }
    uint64_t array = (uint64_t)m->all_rows * m->all_columns; /* below 2^36 */
    if (__builtin_mul_overflow(array, m->tiles, &m->array_cells))
        return snn_fail(err, SNN_ERR_USAGE, "%u arrays of %u x %u cells are more than 2^64 cells", m->tiles,
                        m->all_rows, m->all_columns);
    return true;
}

snn_map *snn_map_new(const snn_net *net, const snn_weights *weights, const snn_map_options *o,
                     snn_error *err) {
    if (!check_options(o, err) || !snn_weights_fit(weights, net, err))
        return NULL;
    snn_map *m = snn_alloc(1, sizeof *m, "map", err);
    if (m == NULL)
        return NULL;
    m->options = *o;
    m->tensors = net->tensors;
    m->tensor = snn_alloc((size_t)net->tensors, sizeof *m->tensor, "map", err);
    if (o->code_bits != 0) {
        m->words = divide_up(o->columns, o->code_bits);
        m->check_bits = snn_secded_check_bits(o->code_bits);
        m->check_columns = m->words * m->check_bits;
    }
    m->all_rows = o->rows + o->spare_rows;
    m->all_columns = o->columns + m->check_columns + o->spare_columns;
    if (m->tensor == NULL || !place_all(m, net, weights, err)) {
        snn_map_free(m);
        return NULL;
    }
    return m;
}

void snn_map_free(snn_map *m) {
    if (m == NULL)
        return;
    free(m->tensor);
    free(m);
}

bool snn_map_fits(const snn_map *m, const snn_weights *weights, snn_error *err) {
    if (weights->tensors != m->tensors)
        return snn_fail(err, SNN_ERR_DATA, "%d weight tensors for a map of %d", weights->tensors, m->tensors);
    for (int i = 0; i < m->tensors; i++) {
        const snn_map_tensor *t = &m->tensor[i];
        const snn_tensor *w = &weights->tensor[i];
        if (strcmp(w->name, t->name) != 0)
            return snn_fail(err, SNN_ERR_DATA, "weights of '%s' stand where the map has layer '%s'", w->name,
                            t->name);
        if (w->count != (uint64_t)t->fan_in * t->outputs)
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s' has %" PRIu64 " weights, the map was made for %" PRIu64, t->name,
                            w->count, (uint64_t)t->fan_in * t->outputs);
        if (w->type != SNN_CODE_8 || w->bits != t->bits || w->encoding != t->encoding)
            return snn_fail(err, SNN_ERR_DATA,
                            "layer '%s' has %d-bit %s weights, the map was made for %d-bit %s codes", t->name,
                            w->bits, w->type == SNN_FLOAT32 ? "float" : snn_encoding_name(w->encoding),
                            t->bits, snn_encoding_name(t->encoding));
    }
    return true;
}

/* ---- addresses ---- */

/* The tensor that a tile belongs to: the last one whose first tile is not behind it. */
static const snn_map_tensor *tensor_of(const snn_map *m, uint32_t tile) {
    int low = 0, high = m->tensors - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (m->tensor[middle].first_tile <= tile)
            low = middle;
        else
            high = middle - 1;
    }
    return &m->tensor[low];
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

snn_map_tile snn_map_tile_at(const snn_map *m, uint32_t tile) {
    assert(tile < m->tiles);
    const snn_map_tensor *t = tensor_of(m, tile);
    uint32_t k = tile - t->first_tile;
    uint32_t first_row = k / t->column_tiles * m->options.rows, first_output = k % t->column_tiles * t->lanes;
    return (snn_map_tile){.tensor = (uint32_t)t->tensor,
                          .first_row = first_row,
                          .rows = least(m->options.rows, t->fan_in - first_row),
                          .first_output = first_output,
                          .outputs = least(t->lanes, t->outputs - first_output)};
}

uint32_t snn_map_cell_bits(const snn_map *m, const snn_map_tensor *t, uint32_t cell, uint32_t *first) {
    assert(cell < t->cells);
    if (m->options.cell_bits == 0) {
        *first = cell;
        return 1;
    }
    *first = cell * (uint32_t)m->options.cell_bits;
    return least((uint32_t)m->options.cell_bits, (uint32_t)t->bits - *first);
}

bool snn_map_cell(const snn_map *m, uint32_t tensor, uint64_t index, uint32_t bit, snn_cell *cell, int *place,
                  snn_error *err) {
    if (tensor >= (uint32_t)m->tensors)
        return snn_fail(err, SNN_ERR_DATA, "no tensor %u: the map has %d", tensor, m->tensors);
    const snn_map_tensor *t = &m->tensor[tensor];
    uint64_t count = (uint64_t)t->fan_in * t->outputs;
    if (index >= count)
        return snn_fail(err, SNN_ERR_DATA, "layer '%s' has no weight %" PRIu64 ": expected 0 to %" PRIu64,
                        t->name, index, count - 1);
    uint32_t bits = m->options.cell_bits == 0 ? t->cells : (uint32_t)t->bits;
    if (bit >= bits)
        return snn_fail(err, SNN_ERR_DATA, "weights of layer '%s' have no bit %u: expected 0 to %u", t->name,
                        bit, bits - 1);
    uint32_t output = (uint32_t)(index / t->fan_in), row = (uint32_t)(index % t->fan_in);
    uint32_t per_cell = m->options.cell_bits == 0 ? 1 : (uint32_t)m->options.cell_bits;
    cell->tile = t->first_tile + row / m->options.rows * t->column_tiles + output / t->lanes;
    cell->row = row % m->options.rows;
    cell->column = output % t->lanes * t->cells + bit / per_cell;
    if (place != NULL)
        *place = (int)(bit % per_cell);
    return true;
}

bool snn_map_weight(const snn_map *m, const snn_cell *cell, uint32_t *tensor, uint64_t *index,
                    uint32_t *first, uint32_t *n) {
    if (cell->tile >= m->tiles)
        return false;
    snn_map_tile tile = snn_map_tile_at(m, cell->tile);
    const snn_map_tensor *t = &m->tensor[tile.tensor];
    uint32_t lane = cell->column / t->cells, from;
    if (cell->row >= tile.rows || lane >= tile.outputs)
        return false;
    uint32_t bits = snn_map_cell_bits(m, t, cell->column % t->cells, &from);
    if (tensor != NULL)
        *tensor = tile.tensor;
    if (index != NULL)
        *index = (uint64_t)(tile.first_output + lane) * t->fan_in + tile.first_row + cell->row;
    if (first != NULL)
        *first = from;
    if (n != NULL)
        *n = bits;
    return true;
}

uint64_t snn_map_cell_number(const snn_map *m, const snn_cell *cell) {
    assert(cell->tile < m->tiles && cell->row < m->all_rows && cell->column < m->all_columns);
    return ((uint64_t)cell->tile * m->all_rows + cell->row) * m->all_columns + cell->column;
}

/* ---- levels ---- */

uint32_t snn_map_level(const snn_map *m, uint32_t bits, int n) {
    assert(n >= 1 && n <= MOST_CELL_BITS && bits >> n == 0);
    if (!m->options.gray)
        return bits;
    bits ^= bits >> 1; /* prefix XOR from the most significant bit down: the inverse of level ^ level / 2 */
    return bits ^ bits >> 2;
}

uint32_t snn_map_bits(const snn_map *m, uint32_t level, int n) {
    assert(n >= 1 && n <= MOST_CELL_BITS && level >> n == 0);
    return m->options.gray ? level ^ level >> 1 : level;
}

void snn_map_levels(const snn_map *m, const snn_map_tensor *t, uint32_t code, uint8_t *level) {
    if (m->options.cell_bits == 0) {
        int32_t q = snn_code_value(t->encoding, t->bits, code);
        level[0] = (uint8_t)(q > 0 ? q : 0); /* at most 2^7 */
        level[1] = (uint8_t)(q < 0 ? -q : 0);
        return;
    }
    for (uint32_t c = 0; c < t->cells; c++) {
        uint32_t first, n = snn_map_cell_bits(m, t, c, &first);
        uint32_t bits = code >> ((uint32_t)t->bits - first - n) & ((1U << n) - 1);
        level[c] = (uint8_t)snn_map_level(m, bits, (int)n);
    }
}
