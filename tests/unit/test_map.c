/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The map: every bit of small networks to its cell and back, against nested loops over arrays; large networks against NumPy; levels; refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/digest.h>

#include "hw_test.h"

#include "golden_map.h"

/* ---- every bit there and back ---- */

typedef struct {
    uint64_t index;
    uint32_t tensor, first, n;
    bool used;
} expected_cell;

/* The layout as nested loops: arrays row by row, in each its rows, in each its lanes, in each its cells. Returns [tiles][all_rows][all_columns]. */
static expected_cell *lay_out(const snn_map *m, const snn_net *net, const snn_weights *w) {
    const snn_map_options *o = &m->options;
    expected_cell *e = calloc(m->array_cells, sizeof *e);
    assert_non_null(e);
    uint32_t tile = 0;
    for (int t = 0; t < net->tensors; t++) {
        const snn_tensor *x = &w->tensor[t];
        uint32_t outputs = (uint32_t)x->shape[0], fan_in = (uint32_t)(x->count / outputs);
        uint32_t bits = (uint32_t)x->bits, step = (uint32_t)o->cell_bits;
        uint32_t cells = step == 0 ? 2 : (bits + step - 1) / step, lanes = o->columns / cells;
        assert_int_equal(m->tensor[t].cells, cells);
        assert_int_equal(m->tensor[t].lanes, lanes);
        for (uint32_t r0 = 0; r0 < fan_in; r0 += o->rows)
            for (uint32_t o0 = 0; o0 < outputs; o0 += lanes, tile++) {
                snn_map_tile at = snn_map_tile_at(m, tile);
                assert_int_equal(at.tensor, t);
                assert_int_equal(at.first_row, r0);
                assert_int_equal(at.first_output, o0);
                assert_int_equal(at.rows, fan_in - r0 < o->rows ? fan_in - r0 : o->rows);
                assert_int_equal(at.outputs, outputs - o0 < lanes ? outputs - o0 : lanes);
                for (uint32_t r = 0; r < at.rows; r++)
                    for (uint32_t lane = 0; lane < at.outputs; lane++)
                        for (uint32_t c = 0; c < cells; c++) {
                            uint32_t first = step == 0 ? c : c * step;
                            uint32_t n = step == 0 ? 1 : bits - first < step ? bits - first : step;
                            size_t place =
                                ((size_t)tile * m->all_rows + r) * m->all_columns + lane * cells + c;
                            e[place] = (expected_cell){(uint64_t)(o0 + lane) * fan_in + r0 + r, (uint32_t)t,
                                                       first, n, true};
                        }
            }
    }
    assert_int_equal(tile, m->tiles);
    return e;
}

static uint64_t check_cells(const snn_map *m, const expected_cell *e) {
    uint64_t used = 0;
    for (uint32_t tile = 0; tile < m->tiles; tile++)
        for (uint32_t r = 0; r < m->all_rows; r++)
            for (uint32_t c = 0; c < m->all_columns; c++) {
                snn_cell cell = {tile, r, c}, back;
                const expected_cell *x = &e[((size_t)tile * m->all_rows + r) * m->all_columns + c];
                assert_true(snn_map_cell_number(m, &cell) == (uint64_t)(x - e));
                uint32_t tensor, first, n;
                uint64_t index;
                assert_int_equal(snn_map_weight(m, &cell, &tensor, &index, &first, &n), x->used);
                if (!x->used)
                    continue;
                used++;
                assert_int_equal(tensor, x->tensor);
                assert_true(index == x->index);
                assert_int_equal(first, x->first);
                assert_int_equal(n, x->n);
                for (uint32_t b = 0; b < n; b++) {
                    int place = -1;
                    assert_true(snn_map_cell(m, tensor, index, first + b, &back, &place, NULL));
                    assert_true(back.tile == tile && back.row == r && back.column == c);
                    assert_int_equal(place, b);
                }
            }
    return used;
}

static void round_trip(const snn_net *net, int bits, snn_encoding encoding, snn_map_options o) {
    snn_weights *w = test_codes(net, bits, encoding, 1);
    snn_map *m = test_map(net, w, o);
    expected_cell *e = lay_out(m, net, w);
    uint64_t weights = 0, cells = 0;
    for (int t = 0; t < w->tensors; t++) {
        weights += w->tensor[t].count;
        cells += w->tensor[t].count * m->tensor[t].cells;
        assert_int_equal(m->tensor[t].encoding, encoding);
        assert_int_equal(m->tensor[t].bits, bits);
        assert_string_equal(m->tensor[t].name, w->tensor[t].name);
        assert_int_equal(net->layer[m->tensor[t].layer].tensor, t);
    }
    assert_true(weights > 0 && check_cells(m, e) == cells && m->weight_cells == cells);
    assert_true(m->array_cells == (uint64_t)m->tiles * m->all_rows * m->all_columns);
    free(e);
    snn_map_free(m);
    snn_weights_free(w);
}

/* Arrays smaller than a layer, of exactly its size, larger; widths that lanes do not fill. */
static void every_bit_has_its_cell(void **state) {
    (void)state;
    static const uint32_t arrays[][2] = {{1, 8}, {4, 8}, {5, 17}, {6, 16}, {18, 24}, {8, 33}, {64, 128}};
    snn_net *nets[] = {test_net(LINEAR, (snn_shape){13, 1, 1}), test_net(CONVS, (snn_shape){2, 5, 6})};
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        for (int bits = 1; bits <= 8; bits++)
            for (int cell_bits = 0; cell_bits <= 4; cell_bits++)
                for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++)
                    round_trip(nets[k], bits, (snn_encoding)((bits + (int)a) % 3),
                               (snn_map_options){.rows = arrays[a][0],
                                                 .columns = arrays[a][1],
                                                 .cell_bits = cell_bits,
                                                 .spare_rows = a % 2 ? 2 : 0,
                                                 .spare_columns = a % 3 ? 3 : 0,
                                                 .code_bits = cell_bits == 1 && a % 2 == 0 ? 8 : 0});
        snn_net_free(nets[k]);
    }
}

/* By hand: 13 x 7 weights of 8 bits in arrays of 5 x 17 (2 lanes): weight 6 * 13 + 11 of output 6 stands in row tile 2, column tile 3, row 1. */
static void one_cell_by_hand(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 5, .columns = 17, .cell_bits = 3});
    snn_cell cell;
    int place;
    assert_int_equal(m->tensor[0].cells, 3);
    assert_int_equal(m->tensor[0].lanes, 5);
    assert_int_equal(m->tiles, 3 * 2);
    assert_true(snn_map_cell(m, 0, 6 * 13 + 11, 7, &cell, &place, NULL));
    assert_int_equal(cell.tile, 2 * 2 + 1);
    assert_int_equal(cell.row, 1);
    assert_int_equal(cell.column, 3 + 2);
    assert_int_equal(place, 1);
    assert_true(snn_map_cell(m, 0, 6 * 13 + 11, 5, &cell, NULL, NULL));
    assert_int_equal(cell.column, 3 + 1);
    assert_true(snn_map_weight(m, &cell, NULL, NULL, NULL, NULL));
    assert_false(snn_map_weight(m, &(snn_cell){6, 0, 0}, NULL, NULL, NULL, NULL));
    assert_false(snn_map_weight(m, &(snn_cell){0, 5, 0}, NULL, NULL, NULL, NULL));
    assert_false(snn_map_weight(m, &(snn_cell){0, 0, 15}, NULL, NULL, NULL, NULL));
    assert_true(snn_map_weight(m, &(snn_cell){0, 4, 14}, NULL, NULL, NULL, NULL));
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- the networks of the paper against NumPy ---- */

#define PAD "kernel = 3; padding = 1; }, "
#define POOL "type = \"pool_max\"; kernel = 2; }, "
static snn_net *paper_net(const char *name) {
    if (strcmp(name, "nmnist") == 0)
        return test_net("{ name = \"fc1\"; type = \"linear\"; outputs = 512; },"
                        "{ name = \"fc2\"; type = \"linear\"; outputs = 10; }",
                        (snn_shape){2, 34, 34});
    return test_net("{ name = \"conv1\"; type = \"conv2d\"; channels = 64; " PAD "{ name = \"p1\"; " POOL
                    "{ name = \"conv2\"; type = \"conv2d\"; channels = 128; " PAD "{ name = \"p2\"; " POOL
                    "{ name = \"conv3\"; type = \"conv2d\"; channels = 128; " PAD "{ name = \"p3\"; " POOL
                    "{ name = \"conv4\"; type = \"conv2d\"; channels = 256; " PAD
                    "{ name = \"fc1\"; type = \"linear\"; outputs = 1024; },"
                    "{ name = \"fc2\"; type = \"linear\"; outputs = 11; }",
                    (snn_shape){2, 32, 32});
}

static void digest_layout(const snn_map *m, char hex[SNN_DIGEST_HEX]) {
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    uint32_t *word = malloc(m->options.columns * sizeof *word);
    assert_non_null(word);
    snn_digest_init(&d);
    for (uint32_t tile = 0; tile < m->tiles; tile++)
        for (uint32_t r = 0; r < m->options.rows; r++) {
            for (uint32_t c = 0; c < m->options.columns; c++) {
                uint64_t index = 0;
                uint32_t first = 0;
                bool used = snn_map_weight(m, &(snn_cell){tile, r, c}, NULL, &index, &first, NULL);
                word[c] = used ? (uint32_t)index * 8 + first : UINT32_MAX;
            }
            snn_digest_u32(&d, word, m->options.columns);
        }
    free(word);
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
}

static void layouts_agree_with_numpy(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof golden_map / sizeof *golden_map; k++) {
        snn_net *net = paper_net(golden_map[k].net);
        snn_weights *w = test_codes(net, golden_map[k].bits, SNN_TWOS_COMPLEMENT, 1);
        snn_map *m = test_map(net, w,
                              (snn_map_options){.rows = golden_map[k].rows,
                                                .columns = golden_map[k].columns,
                                                .cell_bits = golden_map[k].cell_bits});
        char hex[SNN_DIGEST_HEX];
        digest_layout(m, hex);
        assert_int_equal(m->tiles, golden_map[k].tiles);
        assert_true(m->weight_cells == golden_map[k].used);
        assert_string_equal(hex, golden_map[k].digest);
        snn_map_free(m);
        snn_weights_free(w);
        snn_net_free(net);
    }
}

/* ---- levels ---- */

static void levels_are_numbered_both_ways(void **state) {
    (void)state;
    snn_map gray = {.options = {.gray = true}}, binary = {.options = {.gray = false}};
    static const uint32_t expected[16] = {0, 1, 3, 2, 6, 7, 5, 4, 12, 13, 15, 14, 10, 11, 9, 8};
    for (int n = 1; n <= 4; n++)
        for (uint32_t level = 0; level < 1U << n; level++) {
            assert_int_equal(snn_map_bits(&gray, level, n), expected[level]);
            assert_int_equal(snn_map_level(&gray, expected[level], n), level);
            assert_int_equal(snn_map_bits(&binary, level, n), level);
            assert_int_equal(snn_map_level(&binary, level, n), level);
        }
}

/* Levels of every code, put together again, are the code: for all widths, cell sizes and numberings. */
static void cells_of_a_code_give_it_back(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    for (int bits = 1; bits <= 8; bits++)
        for (int cell_bits = 1; cell_bits <= 4; cell_bits++)
            for (int gray = 0; gray < 2; gray++) {
                snn_weights *w = test_codes(net, bits, SNN_OFFSET_BINARY, 1);
                snn_map *m = test_map(
                    net, w, (snn_map_options){.rows = 4, .columns = 8, .cell_bits = cell_bits, .gray = gray});
                for (uint32_t code = 0; code < 1U << bits; code++) {
                    uint8_t level[8];
                    uint32_t back = 0;
                    snn_map_levels(m, &m->tensor[0], code, level);
                    for (uint32_t c = 0; c < m->tensor[0].cells; c++) {
                        uint32_t first, n = snn_map_cell_bits(m, &m->tensor[0], c, &first);
                        assert_int_equal(first, c * (uint32_t)cell_bits);
                        assert_true(level[c] < 1U << n);
                        back = back << n | snn_map_bits(m, level[c], (int)n);
                    }
                    assert_int_equal(back, code);
                }
                snn_map_free(m);
                snn_weights_free(w);
            }
    snn_net_free(net);
}

static void cells_by_hand(void **state) {
    (void)state;
    snn_map m = {.options = {.cell_bits = 3, .gray = true}};
    snn_map_tensor t = {.bits = 8, .encoding = SNN_SIGN_MAGNITUDE, .cells = 3};
    uint8_t level[8];
    snn_map_levels(&m, &t, 0xb6, level); /* 101 101 10 */
    assert_int_equal(level[0], 6);       /* Gray 101 */
    assert_int_equal(level[1], 6);
    assert_int_equal(level[2], 3); /* Gray 10, of two bits */
    m.options = (snn_map_options){.cell_bits = 1, .gray = true};
    t.cells = 8;
    snn_map_levels(&m, &t, 0xb6, level);
    assert_memory_equal(level, ((uint8_t[]){1, 0, 1, 1, 0, 1, 1, 0}), 8);
}

static void differential_pairs(void **state) {
    (void)state;
    snn_map m = {.options = {.cell_bits = 0}};
    for (int e = 0; e < 3; e++)
        for (int bits = 1; bits <= 8; bits++) {
            snn_map_tensor t = {.bits = bits, .encoding = (snn_encoding)e, .cells = 2};
            for (uint32_t code = 0; code < 1U << bits; code++) {
                int32_t q = snn_code_value((snn_encoding)e, bits, code);
                uint8_t level[2];
                snn_map_levels(&m, &t, code, level);
                assert_int_equal(level[0] - level[1], q);
                assert_true(level[0] == 0 || level[1] == 0);
            }
        }
}

/* ---- check and spare lines ---- */

static void lines_behind_the_data(void **state) {
    (void)state;
    static const uint32_t check_bits[][2] = {{8, 5}, {16, 6}, {32, 7}, {64, 8}, {128, 9}, {256, 10}};
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    for (size_t k = 0; k < 6; k++) {
        snn_map *m = test_map(net, w,
                              (snn_map_options){.rows = 10,
                                                .columns = 100,
                                                .cell_bits = 1,
                                                .spare_rows = 3,
                                                .spare_columns = 4,
                                                .code_bits = check_bits[k][0]});
        assert_int_equal(m->check_bits, check_bits[k][1]);
        assert_int_equal(m->words, (100 + check_bits[k][0] - 1) / check_bits[k][0]);
        assert_int_equal(m->check_columns, m->words * m->check_bits);
        assert_int_equal(m->all_rows, 13);
        assert_int_equal(m->all_columns, 104 + m->check_columns);
        assert_true(m->array_cells == 2 * 13 * (uint64_t)m->all_columns);
        assert_false(snn_map_weight(m, &(snn_cell){0, 0, 100}, NULL, NULL, NULL, NULL));
        assert_false(snn_map_weight(m, &(snn_cell){0, 10, 0}, NULL, NULL, NULL, NULL));
        snn_map_free(m);
    }
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- refusals ---- */

static void refuses(const snn_net *net, const snn_weights *w, snn_map_options o, snn_code code,
                    const char *text) {
    snn_error err = {0};
    assert_null(snn_map_new(net, w, &o, &err));
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, code);
}

static void bad_options_are_refused(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    const snn_map_options good = {.rows = 4, .columns = 8, .cell_bits = 1};
    snn_map_options o = good;
    o.rows = 0;
    refuses(net, w, o, SNN_ERR_USAGE, "an array cannot have 0 rows: expected 1 to 65536");
    o = good;
    o.columns = 65537;
    refuses(net, w, o, SNN_ERR_USAGE, "an array cannot have 65537 columns: expected 1 to 65536");
    o = good;
    o.spare_rows = 65537;
    refuses(net, w, o, SNN_ERR_USAGE, "an array cannot have 65537 spare rows: expected 0 to 65536");
    o = good;
    o.spare_columns = 70000;
    refuses(net, w, o, SNN_ERR_USAGE, "an array cannot have 70000 spare columns: expected 0 to 65536");
    o = good;
    o.cell_bits = 5;
    refuses(net, w, o, SNN_ERR_USAGE, "a cell cannot hold 5 bits: expected 1 to 4");
    o.cell_bits = -1;
    refuses(net, w, o, SNN_ERR_USAGE, "a cell cannot hold -1 bits: expected 1 to 4");
    o = good;
    o.columns = 7;
    refuses(net, w, o, SNN_ERR_USAGE,
            "an array of 7 columns is narrower than one weight of layer 'fc', which takes 8 cells");
    static const uint32_t wrong[] = {1, 4, 7, 9, 24, 257, 512};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[200];
        snprintf(text, sizeof text, "SEC-DED words of %u bits: expected 8, 16, 32, 64, 128 or 256 data bits",
                 wrong[i]);
        o = good;
        o.code_bits = wrong[i];
        refuses(net, w, o, SNN_ERR_USAGE, text);
    }
    o = good;
    o.code_bits = 8;
    o.cell_bits = 2;
    refuses(net, w, o, SNN_ERR_USAGE,
            "SEC-DED needs one weight bit per cell: an error in a cell of several bits is no single error");
    snn_weights_free(w);
    snn_net_free(net);
}

static void bad_weights_are_refused(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1}), *other = test_net(LINEAR, (snn_shape){14, 1, 1});
    const snn_map_options o = {.rows = 4, .columns = 16, .cell_bits = 1};
    snn_error err;
    snn_weights *w = snn_weights_new(net, &err);
    refuses(net, w, o, SNN_ERR_DATA,
            "layer 'fc' has float weights: cells hold integer codes (snnsim model quantise)");
    snn_weights_free(w);
    w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    refuses(other, w, o, SNN_ERR_DATA, "weights of layer 'fc' have shape 7 x 13, the network needs 7 x 14");
    w->tensor[0].type = SNN_CODE_16;
    w->tensor[0].bits = 9;
    refuses(net, w, o, SNN_ERR_DATA,
            "layer 'fc' has codes of 9 bits: cells take weights of 1 to 8 (snnsim model quantise)");
    w->tensor[0].type = SNN_CODE_8;
    w->tensor[0].bits = 8;
    snn_weights_free(w);
    snn_net_free(net);
    snn_net_free(other);
}

/* Layers of 2^30 weights of one bit, each weight in an array of its own: three make 3 * 2^30 arrays, four are too many; nor may all cells be more than 2^64. */
static void too_many_arrays_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d"};
    snn_layer layer[4];
    snn_tensor tensor[4];
    for (int i = 0; i < 4; i++) {
        uint32_t in = i % 2 ? 65536 : 16384, out = i % 2 ? 16384 : 65536;
        layer[i] = (snn_layer){.type = SNN_LAYER_LINEAR, .in = {in, 1, 1}, .out = {out, 1, 1}, .tensor = i};
        tensor[i] = (snn_tensor){.type = SNN_CODE_8, .bits = 1, .dims = 2, .scales = 1, .count = 1 << 30};
        tensor[i].shape[0] = out;
        tensor[i].shape[1] = in;
        memcpy(layer[i].name, names[i], 2);
        memcpy(tensor[i].name, names[i], 2);
    }
    snn_net net = {.layers = 3, .layer = layer, .tensors = 3};
    snn_weights w = {.tensors = 3, .tensor = tensor};
    snn_map_options o = {.rows = 1, .columns = 1, .cell_bits = 1};
    snn_map *m = test_map(&net, &w, o);
    assert_true(m->tiles == 3U << 30);
    snn_cell cell;
    assert_true(snn_map_cell(m, 2, (1 << 30) - 1, 0, &cell, NULL, NULL));
    assert_true(cell.tile == (3U << 30) - 1);
    uint64_t index;
    uint32_t t;
    assert_true(snn_map_weight(m, &cell, &t, &index, NULL, NULL) && t == 2 && index == (1 << 30) - 1);
    snn_map_free(m);
    net.layers = net.tensors = w.tensors = 4;
    refuses(&net, &w, o, SNN_ERR_USAGE, "layer 'd' would need more than 2^32 - 1 arrays of 1 x 1");
    layer[3].out.channels = 16383;
    tensor[3].shape[0] = 16383;
    tensor[3].count -= 65536;
    o.spare_rows = 65536;
    o.spare_columns = 65535;
    m = test_map(&net, &w, o); /* (2^32 - 2^16) (2^16 + 1) 2^16 = 2^64 - 2^32 */
    assert_true(m->array_cells == UINT64_MAX - UINT32_MAX);
    snn_map_free(m);
    o.spare_columns = 65536;
    refuses(&net, &w, o, SNN_ERR_USAGE, "4294901760 arrays of 65537 x 65537 cells are more than 2^64 cells");
}

static void bad_addresses_are_refused(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 4, .columns = 8, .cell_bits = 3});
    snn_cell cell;
    snn_error err = {0};
    assert_false(snn_map_cell(m, 1, 0, 0, &cell, NULL, &err));
    assert_string_equal(err.text, "no tensor 1: the map has 1");
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_true(snn_map_cell(m, 0, 90, 7, &cell, NULL, &err));
    assert_false(snn_map_cell(m, 0, 91, 0, &cell, NULL, &err));
    assert_string_equal(err.text, "layer 'fc' has no weight 91: expected 0 to 90");
    assert_false(snn_map_cell(m, 0, 0, 8, &cell, NULL, &err));
    assert_string_equal(err.text, "weights of layer 'fc' have no bit 8: expected 0 to 7");
    snn_map_free(m);
    m = test_map(net, w, (snn_map_options){.rows = 4, .columns = 8, .cell_bits = 0});
    assert_true(snn_map_cell(m, 0, 0, 1, &cell, NULL, &err));
    assert_int_equal(cell.column, 1);
    assert_false(snn_map_cell(m, 0, 0, 2, &cell, NULL, &err));
    assert_string_equal(err.text, "weights of layer 'fc' have no bit 2: expected 0 to 1");
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

static void misfit(const snn_map *m, const snn_weights *w, const char *text) {
    snn_error err = {0};
    assert_false(snn_map_fits(m, w, &err));
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, SNN_ERR_DATA);
}

static void weights_fit_their_map(void **state) {
    (void)state;
    snn_net *net = test_net(CONVS, (snn_shape){2, 5, 6});
    snn_weights *w = test_codes(net, 6, SNN_SIGN_MAGNITUDE, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 4, .columns = 8, .cell_bits = 1});
    assert_true(snn_map_fits(m, w, NULL));
    w->tensor[1].encoding = SNN_TWOS_COMPLEMENT;
    misfit(m, w,
           "layer 'c2' has 6-bit twos_complement weights, the map was made for 6-bit sign_magnitude codes");
    w->tensor[1].encoding = SNN_SIGN_MAGNITUDE;
    w->tensor[2].bits = 7;
    misfit(m, w,
           "layer 'out' has 7-bit sign_magnitude weights, the map was made for 6-bit sign_magnitude codes");
    w->tensor[2].type = SNN_FLOAT32;
    misfit(m, w, "layer 'out' has 7-bit float weights, the map was made for 6-bit sign_magnitude codes");
    w->tensor[2].count++;
    misfit(m, w, "layer 'out' has 41 weights, the map was made for 40");
    memcpy(w->tensor[0].name, "x", 2);
    misfit(m, w, "weights of 'x' stand where the map has layer 'c1'");
    w->tensors = 2;
    misfit(m, w, "2 weight tensors for a map of 3");
    w->tensors = 3;
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

/* ---- for people ---- */

static char *written(const snn_map *m, bool (*write)(const snn_map *, FILE *, snn_error *)) {
    static char text[4000];
    FILE *f = fmemopen(text, sizeof text, "w");
    snn_error err;
    assert_non_null(f);
    assert_true(write(m, f, &err));
    fclose(f);
    return text;
}

static void tables(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 8, SNN_SIGN_MAGNITUDE, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 8, .columns = 32, .cell_bits = 1});
    assert_string_equal(written(m, snn_map_csv),
                        "tile,tensor,first_row,rows,first_output,outputs,cells_used\n"
                        "0,fc,0,8,0,4,256\n"
                        "1,fc,0,8,4,3,192\n"
                        "2,fc,8,5,0,4,160\n"
                        "3,fc,8,5,4,3,120\n");
    assert_string_equal(written(m, snn_map_print),
                        "arrays of 8 rows x 32 columns, 1 weight bit per cell\n\n"
                        "  layer              weights bits encoding        cells   lanes        arrays    "
                        "first    cells used   used\n"
                        "  fc                      91    8 sign_magnitude      8       4         2 x 2       "
                        " 0           728  71.1%\n\n"
                        "4 arrays, 728 cells hold weights, 1024 cells in all (71.1% used)\n");
    snn_map_free(m);
    m = test_map(
        net, w,
        (snn_map_options){
            .rows = 8, .columns = 32, .cell_bits = 1, .spare_rows = 1, .spare_columns = 2, .code_bits = 16});
    assert_non_null(
        strstr(written(m, snn_map_print),
               "SEC-DED: 2 words of 16 data and 6 check bits per row, 12 check columns per array\n"
               "spare: 1 rows, 2 columns per array\n"));
    snn_map_free(m);
    m = test_map(net, w, (snn_map_options){.rows = 8, .columns = 32, .cell_bits = 2, .gray = true});
    assert_non_null(strstr(written(m, snn_map_print), "2 weight bits per cell (levels in Gray code)\n"));
    m->options.gray = false;
    assert_non_null(strstr(written(m, snn_map_print), "2 weight bits per cell (levels in binary)\n"));
    m->options.cell_bits = 0;
    assert_non_null(
        strstr(written(m, snn_map_print), "columns, weights as differential pairs of conductances\n"));
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        snn_error err = {0};
        setvbuf(full, NULL, _IONBF, 0);
        assert_false(snn_map_csv(m, full, &err));
        assert_string_equal(err.text, "cannot write the map: No space left on device");
        assert_int_equal(err.code, SNN_ERR_RUNTIME);
        assert_false(snn_map_print(m, full, &err));
        fclose(full);
    }
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_has_its_cell),       cmocka_unit_test(one_cell_by_hand),
        cmocka_unit_test(layouts_agree_with_numpy),     cmocka_unit_test(levels_are_numbered_both_ways),
        cmocka_unit_test(cells_of_a_code_give_it_back), cmocka_unit_test(cells_by_hand),
        cmocka_unit_test(differential_pairs),           cmocka_unit_test(lines_behind_the_data),
        cmocka_unit_test(bad_options_are_refused),      cmocka_unit_test(bad_weights_are_refused),
        cmocka_unit_test(too_many_arrays_are_refused),  cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(weights_fit_their_map),        cmocka_unit_test(tables)};
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
