/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SEC-DED: properties of the Hsiao codes, every single and double error of every width, shortened words, and the code words of a map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hw/repair.h"
#include "hw_test.h"

static const uint32_t widths[] = {8, 16, 32, 64, 128, 256};
enum { WIDTHS = 6 };

static snn_secded code_of(uint32_t data_bits) {
    snn_secded s;
    snn_error err;
    assert_true(snn_secded_init(&s, data_bits, &err));
    return s;
}

/* Data bits that look random and differ from word to word; behind them stand ones that nobody may look at. */
enum { ROOM = SNN_SECDED_MAX + 1 };
static void fill(uint8_t *bit, uint32_t n, uint32_t word) {
    memset(bit, 1, ROOM);
    uint32_t x = 2463534242U + word * 2654435761U;
    for (uint32_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5; /* Marsaglia's xorshift */
        bit[i] = x >> 9 & 1;
    }
}

/* Minimum odd-weight columns: (72, 64) takes all 56 columns of weight 3 and 8 of weight 5, so 56 * 3 + 8 * 5 + 8 = 216 ones, 27 in each row; (39, 32) takes 32 * 3 + 7 = 103. */
static void codes_are_hsiaos(void **state) {
    (void)state;
    static const uint32_t check[WIDTHS] = {5, 6, 7, 8, 9, 10};
    for (int k = 0; k < WIDTHS; k++) {
        snn_secded s = code_of(widths[k]);
        uint32_t row[16] = {0}, total = s.check_bits, least = UINT32_MAX, most = 0;
        int weight = 3;
        assert_int_equal(s.data_bits, widths[k]);
        assert_int_equal(s.check_bits, check[k]);
        for (uint32_t i = 0; i < s.data_bits; i++) {
            int w = __builtin_popcount(s.column[i]);
            assert_int_equal(w % 2, 1);
            assert_true(w >= weight && s.column[i] >> s.check_bits == 0); /* light columns first */
            weight = w;
            for (uint32_t j = 0; j < i; j++)
                assert_int_not_equal(s.column[i], s.column[j]);
            for (uint32_t b = 0; b < s.check_bits; b++)
                row[b] += s.column[i] >> b & 1;
            total += (uint32_t)w;
        }
        for (uint32_t b = 0; b < s.check_bits; b++) {
            least = row[b] < least ? row[b] : least;
            most = row[b] > most ? row[b] : most;
        }
        assert_true(most - least <= 1); /* rows as even as can be */
        if (widths[k] == 64)
            assert_true(total == 216 && most == 26 && least == 26);
        if (widths[k] == 32)
            assert_int_equal(total, 103);
    }
    static const uint32_t most_data[] = {1, 4, 11, 26, 57, 120, 247, 502}; /* 2^(r-1) - r for r = 3, 4, ... */
    for (uint32_t i = 1; i < 8; i++) {
        assert_int_equal(snn_secded_check_bits(most_data[i]), i + 3);
        assert_int_equal(snn_secded_check_bits(most_data[i - 1] + 1), i + 3);
    }
}

/* The codes as such, as chip files rely on them: columns of the shortest, and h = 31 h + column (from 7) over all columns of each. From a Python program of the rule in secded.h. */
static void codes_stay_the_same(void **state) {
    (void)state;
    static const uint16_t eight[] = {7, 25, 14, 19, 28, 11, 21, 22};
    static const uint32_t hash[WIDTHS] = {679447054,  1477238007, 396543763,
                                          2242490245, 2508750482, 1940048957};
    for (int k = 0; k < WIDTHS; k++) {
        snn_secded s = code_of(widths[k]);
        uint32_t h = 7;
        for (uint32_t i = 0; i < s.data_bits; i++)
            h = h * 31 + s.column[i];
        assert_true(h == hash[k]);
        if (k == 0)
            assert_memory_equal(s.column, eight, sizeof eight);
    }
}

/* Check bits are the XOR of the columns of the data bits that are 1. */
static void check_bits_are_sums_of_columns(void **state) {
    (void)state;
    snn_secded s = code_of(64);
    uint8_t data[ROOM];
    for (uint32_t n = 0; n <= 64; n++) {
        uint32_t sum = 0;
        fill(data, n, n);
        for (uint32_t i = 0; i < n; i++)
            sum ^= data[i] ? s.column[i] : 0U;
        assert_int_equal(snn_secded_encode(&s, data, n), sum);
    }
}

/* A word as it is read: data and check bits, some of them inverted. */
static snn_secded_verdict read_with(const snn_secded *s, const uint8_t *data, uint32_t n,
                                    const uint32_t *wrong, int errors, uint32_t *position) {
    uint8_t bit[ROOM];
    uint32_t check = snn_secded_encode(s, data, n);
    memcpy(bit, data, sizeof bit);
    for (int e = 0; e < errors; e++)
        if (wrong[e] < n)
            bit[wrong[e]] ^= 1;
        else
            check ^= 1U << (wrong[e] - n);
    return snn_secded_decode(s, bit, n, check, position);
}

/* Position of bit i of a word (data, then check) in a decoder's answer: check bits are counted from data_bits on. */
static uint32_t answer(const snn_secded *s, uint32_t n, uint32_t i) {
    return i < n ? i : s->data_bits + i - n;
}

static void all_single_and_double_errors(const snn_secded *s, uint32_t n) {
    uint8_t data[ROOM];
    uint32_t all = n + s->check_bits, position;
    fill(data, n, n);
    assert_int_equal(read_with(s, data, n, NULL, 0, &position), SNN_SECDED_CLEAN);
    for (uint32_t a = 0; a < all; a++) {
        assert_int_equal(read_with(s, data, n, &a, 1, &position), SNN_SECDED_CORRECTED);
        assert_int_equal(position, answer(s, n, a));
        for (uint32_t b = 0; b < a; b++)
            assert_int_equal(read_with(s, data, n, (uint32_t[]){a, b}, 2, &position),
                             SNN_SECDED_UNCORRECTABLE);
    }
}

static void single_errors_are_corrected_and_double_ones_detected(void **state) {
    (void)state;
    for (int k = 0; k < WIDTHS; k++) {
        snn_secded s = code_of(widths[k]);
        all_single_and_double_errors(&s, s.data_bits);
        all_single_and_double_errors(&s, 1);
        all_single_and_double_errors(&s, s.data_bits / 2 + 1);
        all_single_and_double_errors(&s, s.data_bits - 1);
    }
}

/* Three errors: an odd syndrome, so that the decoder "corrects" a fourth bit or points at none, but never says that the word is clean. Shares by counting all columns. */
static void triple_errors_are_mistaken_as_a_circuit_would(void **state) {
    (void)state;
    snn_secded s = code_of(64);
    uint32_t column[72], position = 0, mistaken = 0, detected = 0;
    uint8_t data[ROOM];
    fill(data, 64, 1);
    for (uint32_t i = 0; i < 72; i++)
        column[i] = i < 64 ? s.column[i] : 1U << (i - 64);
    for (uint32_t a = 0; a < 72; a++)
        for (uint32_t b = 0; b < a; b++)
            for (uint32_t c = 0; c < b; c++) {
                snn_secded_verdict v = read_with(&s, data, 64, (uint32_t[]){a, b, c}, 3, &position);
                uint32_t syndrome = column[a] ^ column[b] ^ column[c], hit = 72;
                for (uint32_t i = 0; i < 72; i++)
                    if (column[i] == syndrome)
                        hit = i;
                assert_int_equal(v, hit < 72 ? SNN_SECDED_CORRECTED : SNN_SECDED_UNCORRECTABLE);
                if (hit < 72)
                    assert_int_equal(position, hit);
                mistaken += hit < 72;
                detected += hit == 72;
            }
    assert_int_equal(mistaken + detected, 72 * 71 * 70 / 6);
    /* 72 of the 128 odd syndromes point at a bit. */
    assert_true(mistaken > 0.54 * (mistaken + detected) && mistaken < 0.58 * (mistaken + detected));
}

/* A syndrome that points behind the data of a shortened word shows an error that cannot be corrected. */
static void shortened_words_know_their_end(void **state) {
    (void)state;
    snn_secded s = code_of(16);
    uint32_t position = 99;
    for (uint32_t n = 1; n <= 16; n++)
        for (uint32_t i = 0; i < 16; i++) {
            assert_int_equal(snn_secded_judge(&s, s.column[i], n, &position),
                             i < n ? SNN_SECDED_CORRECTED : SNN_SECDED_UNCORRECTABLE);
            if (i < n)
                assert_int_equal(position, i);
        }
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(snn_secded_judge(&s, 1U << i, 1, &position), SNN_SECDED_CORRECTED);
        assert_int_equal(position, 16 + i);
    }
    assert_int_equal(snn_secded_judge(&s, 0, 16, &position), SNN_SECDED_CLEAN);
    assert_int_equal(snn_secded_judge(&s, 3, 16, &position), SNN_SECDED_UNCORRECTABLE);
    assert_int_equal(snn_secded_judge(&s, 63, 16, &position), SNN_SECDED_UNCORRECTABLE);
}

static void other_widths_are_refused(void **state) {
    (void)state;
    static const uint32_t wrong[] = {0, 1, 4, 7, 9, 24, 72, 512};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snn_secded s;
        snn_error err = {0};
        char text[100];
        snprintf(text, sizeof text, "SEC-DED words of %u bits: expected 8, 16, 32, 64, 128 or 256 data bits",
                 wrong[i]);
        assert_false(snn_secded_init(&s, wrong[i], &err));
        assert_string_equal(err.text, text);
        assert_int_equal(err.code, SNN_ERR_USAGE);
    }
}

/* Words of a map: 13 x 7 weights of 6 bits in arrays of 8 x 20 (3 lanes, 18 of 20 columns in use; the last array holds one lane), 8 data bits a word. */
static void words_of_a_map(void **state) {
    (void)state;
    snn_net *net = test_net(LINEAR, (snn_shape){13, 1, 1});
    snn_weights *w = test_codes(net, 6, SNN_SIGN_MAGNITUDE, 5);
    snn_map *m =
        test_map(net, w, (snn_map_options){.rows = 8, .columns = 20, .cell_bits = 1, .code_bits = 8});
    snn_secded s = code_of(8);
    assert_int_equal(m->words, 3);
    static const uint32_t bits[3][3] = {{8, 8, 2}, {8, 8, 2}, {6, 0, 0}};
    for (uint32_t tile = 0; tile < m->tiles; tile++) {
        snn_map_tile at = snn_map_tile_at(m, tile);
        for (uint32_t word = 0; word < 3; word++) {
            assert_int_equal(snn_secded_word_bits(m, &at, word), bits[tile % 3][word]);
            for (uint32_t row = 0; row < at.rows; row++) {
                uint8_t bit[8];
                uint32_t n = bits[tile % 3][word];
                for (uint32_t i = 0; i < n; i++) {
                    uint64_t index;
                    uint32_t first;
                    assert_true(
                        snn_map_weight(m, &(snn_cell){tile, row, word * 8 + i}, NULL, &index, &first, NULL));
                    bit[i] = w->tensor[0].code8[index] >> (5 - first) & 1;
                }
                assert_int_equal(snn_secded_word_check(&s, m, w, &at, row, word),
                                 snn_secded_encode(&s, bit, n));
            }
        }
    }
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_hsiaos),
        cmocka_unit_test(codes_stay_the_same),
        cmocka_unit_test(check_bits_are_sums_of_columns),
        cmocka_unit_test(single_errors_are_corrected_and_double_ones_detected),
        cmocka_unit_test(triple_errors_are_mistaken_as_a_circuit_would),
        cmocka_unit_test(shortened_words_know_their_end),
        cmocka_unit_test(other_widths_are_refused),
        cmocka_unit_test(words_of_a_map),
    };
    return cmocka_run_group_tests_name("secded", tests, NULL, NULL);
}
