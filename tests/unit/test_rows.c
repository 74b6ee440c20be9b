/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Row addresses: every weight bit of small networks by nested loops; rows against the search's row words; bit vectors; refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <snnsim/rows.h>

#include "hw_test.h"

static snn_rows *make_rows(const snn_map *m) {
    snn_error err = {0};
    snn_rows *r = snn_rows_new(m, &err);
    if (!r)
        fail_msg("%s", err.text);
    return r;
}

/* Walks tensors, words, lines and lanes in the order of row addresses; every weight must be found there, and nothing else. */
static void check_layout(const char *layers, snn_shape input, int bits, snn_map_options o) {
    snn_error err = {0};
    snn_net *net = test_net(layers, input);
    snn_weights *w = test_codes(net, bits, SNN_SIGN_MAGNITUDE, 7);
    snn_map *m = test_map(net, w, o);
    snn_rows *r = make_rows(m);
    uint8_t *array = snn_rows_fill(r, w, &err);
    assert_non_null(array);
    const uint32_t lanes = o.columns / (uint32_t)((bits + o.cell_bits - 1) / o.cell_bits);
    assert_int_equal(r->lanes, lanes);
    assert_int_equal(r->bits, bits);
    uint32_t row = 0;
    for (int t = 0; t < w->tensors; t++) {
        const uint32_t outputs = (uint32_t)w->tensor[t].shape[0],
                       fan_in = (uint32_t)(w->tensor[t].count / outputs);
        assert_int_equal(r->tensor[t].base, row);
        assert_int_equal(r->tensor[t].fan_in, fan_in);
        assert_int_equal(r->tensor[t].outputs, outputs);
        assert_int_equal(r->tensor[t].words, (outputs + lanes - 1) / lanes);
        assert_string_equal(r->tensor[t].name, w->tensor[t].name);
        for (uint32_t first = 0; first < outputs; first += lanes)
            for (uint32_t line = 0; line < fan_in; line++, row++)
                for (uint32_t l = 0; l < lanes; l++) {
                    const bool used = first + l < outputs;
                    const uint64_t index = (uint64_t)(first + l) * fan_in + line;
                    assert_int_equal(array[(size_t)row * lanes + l], used ? w->tensor[t].code8[index] : 0);
                    for (uint32_t b = 0; used && b < (uint32_t)bits; b++) {
                        snn_row_bit at;
                        assert_true(snn_rows_place(r, &(snn_flip){(uint32_t)t, b, index}, &at, &err));
                        assert_true(at.row == row && at.lane == l && at.bit == b);
                    }
                }
    }
    assert_int_equal(r->rows, row);
    assert_true(row <= UINT32_C(1) << r->address_bits);
    assert_true(r->address_bits == 1 || row > UINT32_C(1) << (r->address_bits - 1));

    snn_weights *back = test_codes(net, bits, SNN_SIGN_MAGNITUDE, 3);
    snn_rows_collect(r, array, back);
    for (int t = 0; t < w->tensors; t++)
        assert_memory_equal(back->tensor[t].code8, w->tensor[t].code8, w->tensor[t].count);
    snn_weights_free(back);
    free(array);
    snn_rows_free(r);
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

static void layouts(void **state) {
    (void)state;
    check_layout(LINEAR, (snn_shape){2, 3, 5}, 8,
                 (snn_map_options){.rows = 16, .columns = 64, .cell_bits = 1});
    check_layout(LINEAR, (snn_shape){1, 1, 8}, 4,
                 (snn_map_options){.rows = 4, .columns = 12, .cell_bits = 1});
    check_layout(LINEAR, (snn_shape){1, 1, 9}, 5, (snn_map_options){.rows = 4, .columns = 6, .cell_bits = 2});
    check_layout(CONVS, (snn_shape){2, 5, 6}, 8, (snn_map_options){.rows = 8, .columns = 16, .cell_bits = 1});
    check_layout(CONVS, (snn_shape){2, 5, 6}, 1,
                 (snn_map_options){.rows = 256, .columns = 1024, .cell_bits = 1});
}

/* The search's limit counts bits of a row of one array; here bits with one row address: the same. */
static void words_of_the_search(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = test_net(CONVS, (snn_shape){2, 5, 6});
    snn_weights *w = test_codes(net, 4, SNN_SIGN_MAGNITUDE, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 8, .columns = 8, .cell_bits = 1});
    snn_rows *r = make_rows(m);
    uint32_t *word_of_row = calloc(r->rows, sizeof *word_of_row),
             *row_of_word = calloc((size_t)m->tiles * 8, sizeof *row_of_word);
    assert_true(word_of_row && row_of_word);
    for (uint32_t t = 0; t < (uint32_t)w->tensors; t++)
        for (uint64_t i = 0; i < w->tensor[t].count; i++) {
            snn_row_bit at;
            snn_cell cell;
            int place;
            assert_true(snn_rows_place(r, &(snn_flip){t, 0, i}, &at, &err));
            assert_true(snn_map_cell(m, t, i, 0, &cell, &place, &err));
            const uint32_t word = cell.tile * m->options.rows + cell.row;
            if (row_of_word[word] == 0)
                row_of_word[word] = at.row + 1;
            if (word_of_row[at.row] == 0)
                word_of_row[at.row] = word + 1;
            assert_int_equal(row_of_word[word], at.row + 1);
            assert_int_equal(word_of_row[at.row], word + 1);
        }
    free(word_of_row);
    free(row_of_word);
    snn_rows_free(r);
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

static void vectors(void **state) {
    (void)state;
    for (uint32_t bits = 1; bits <= 8; bits++) {
        const snn_rows r = {.lanes = 37, .bits = bits};
        uint8_t codes[37], back[37];
        uint32_t vector[10];
        for (uint32_t l = 0; l < 37; l++)
            codes[l] = (uint8_t)((l * 151 + 97) & ((1U << bits) - 1));
        memset(vector, 0xff, sizeof vector);
        snn_rows_pack(&r, codes, vector);
        for (uint32_t i = 0; i < 37 * bits; i++)
            assert_int_equal(vector[i / 32] >> i % 32 & 1, codes[i / bits] >> i % bits & 1);
        for (uint32_t i = 37 * bits; i % 32 != 0; i++)
            assert_int_equal(vector[i / 32] >> i % 32 & 1, 0);
        snn_rows_unpack(&r, vector, back);
        assert_memory_equal(back, codes, 37);
    }
}

static void refusals(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = test_net(CONVS, (snn_shape){2, 5, 6}), *other = test_net(LINEAR, (snn_shape){2, 5, 6});
    snn_weights *w = test_codes(net, 4, SNN_SIGN_MAGNITUDE, 1),
                *wo = test_codes(other, 4, SNN_SIGN_MAGNITUDE, 1),
                *w5 = test_codes(net, 5, SNN_SIGN_MAGNITUDE, 1),
                *wt = test_codes(net, 4, SNN_TWOS_COMPLEMENT, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 8, .columns = 8, .cell_bits = 1}),
            *pairs = test_map(net, w, (snn_map_options){.rows = 8, .columns = 8, .cell_bits = 0});
    assert_null(snn_rows_new(pairs, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "no row words"));
    m->tensor[1].bits = 3;
    assert_null(snn_rows_new(m, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "'c1' has weights of 4 bits and layer 'c2' of 3"));
    m->tensor[1].bits = 4;
    const uint32_t fan_in = m->tensor[0].fan_in, others = m->tensor[1].fan_in * m->tensor[1].column_tiles +
                                                          m->tensor[2].fan_in * m->tensor[2].column_tiles;
    m->tensor[0].column_tiles = 1;
    m->tensor[0].fan_in = (1U << 24) - others + 1;
    assert_null(snn_rows_new(m, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "layer 'out' ends beyond row word 2^24"));
    m->tensor[0].fan_in--;
    snn_rows *r = make_rows(m);
    assert_int_equal(r->address_bits, 24);
    snn_rows_free(r);
    m->tensor[0].fan_in = fan_in;
    m->tensor[0].column_tiles = 2;

    r = make_rows(m);
    snn_row_bit at;
    const uint64_t count = w->tensor[2].count;
    assert_true(snn_rows_place(r, &(snn_flip){2, 3, count - 1}, &at, &err));
    assert_false(snn_rows_place(r, &(snn_flip){2, 4, 0}, &at, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_false(snn_rows_place(r, &(snn_flip){2, 0, count}, &at, &err));
    assert_false(snn_rows_place(r, &(snn_flip){3, 0, 0}, &at, &err));
    assert_null(snn_rows_fill(r, wo, &err));
    assert_non_null(strstr(err.text, "1 weight tensors, expected 3"));
    assert_null(snn_rows_fill(r, w5, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_null(snn_rows_fill(r, wt, &err));
    assert_non_null(strstr(err.text, "layer 'c1' has other weights"));
    snn_rows_free(r);
    snn_rows_free(NULL);
    snn_map_free(m);
    snn_map_free(pairs);
    snn_weights_free(w);
    snn_weights_free(wo);
    snn_weights_free(w5);
    snn_weights_free(wt);
    snn_net_free(net);
    snn_net_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(words_of_the_search),
        cmocka_unit_test(vectors),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
