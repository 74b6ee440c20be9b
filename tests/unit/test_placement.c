/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decryptor's limit of keyed bits in a row word, against the crossbar's map: candidates know their words, snn_candidates_allowed and snn_flips_place agree with a count by hand over small
 * arrays, and the first word with too many is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw_test.h"

#include <snnsim/random.h>
#include <snnsim/search.h>

#include "../../crypto/candidates_internal.h"

#include <string.h>

/* Words by hand, from the layout that map.h describes. */
static uint32_t word_by_hand(const snn_map *m, const snn_weights *w, const snn_flip *f) {
    uint32_t first = 0; /* word of the tensor's first array */
    for (uint32_t t = 0;; t++) {
        const snn_tensor *x = &w->tensor[t];
        const uint32_t outputs = (uint32_t)x->shape[0], fan_in = (uint32_t)(x->count / outputs);
        const uint32_t per_cell = (uint32_t)m->options.cell_bits;
        const uint32_t cells = ((uint32_t)x->bits + per_cell - 1) / per_cell,
                       lanes = m->options.columns / cells;
        const uint32_t across = (outputs + lanes - 1) / lanes,
                       down = (fan_in + m->options.rows - 1) / m->options.rows;
        if (t < f->tensor) {
            first += across * down * m->options.rows;
            continue;
        }
        const uint32_t output = (uint32_t)(f->index / fan_in), row = (uint32_t)(f->index % fan_in);
        const uint32_t array = row / m->options.rows * across + output / lanes;
        return first + array * m->options.rows + row % m->options.rows;
    }
}

/* Most keyed bits of a word, and the first word that has more than `limit`. */
static uint32_t count_by_hand(const uint32_t *word, uint32_t n, uint32_t limit, uint32_t *over) {
    uint32_t most = 0;
    *over = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t here = 0;
        for (uint32_t k = 0; k < n; k++)
            here += word[k] == word[i];
        most = here > most ? here : most;
        if (here > limit && word[i] < *over)
            *over = word[i];
    }
    return most;
}

static void check_named(const snn_error *err, const snn_map *m, uint32_t word) {
    char place[100];
    snprintf(place, sizeof place, "row %u of array %u ", word % m->options.rows, word / m->options.rows);
    assert_int_equal(err->code, SNN_ERR_CRITERION);
    if (!strstr(err->text, place))
        fail_msg("'%s' does not name %s", err->text, place);
    const char *layer = m->tensor[snn_map_tile_at(m, word / m->options.rows).tensor].name;
    assert_non_null(strstr(err->text, layer));
}

static void one_map(snn_map_options o, uint32_t limit, uint64_t seed, uint32_t fits[2]) {
    enum { MOST = 200 }; /* some sets are too large for the stack of snn_candidates_allowed */
    snn_error err = {0};
    snn_net *net = test_net(CONVS, (snn_shape){2, 5, 6});
    snn_weights *w = test_codes(net, 6, SNN_TWOS_COMPLEMENT, 5);
    snn_map *m = test_map(net, w, o);
    const snn_candidate_options options = {
        .bits = 0, .word_limit = limit, .map = m, .eligible = 1, .any_value = true};
    snn_candidates *c = snn_candidates_new(w, &options, &err);
    assert_non_null(c);
    assert_int_equal(c->words, m->tiles * o.rows);
    for (uint32_t i = 0; i < c->n; i++)
        assert_int_equal(c->word[i], word_by_hand(m, w, &c->flip[i]));
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 4);
    for (int set = 0; set < 60; set++) {
        uint32_t item[MOST], word[MOST], n = 0, over;
        snn_flip flip[MOST];
        const uint32_t span = 1 + snn_random_below(&r, 400); /* dense and sparse sets */
        for (uint32_t at = snn_random_below(&r, span); at < c->n && n < MOST;
             at += 1 + snn_random_below(&r, span))
            item[n++] = at;
        for (uint32_t i = 0; i < n; i++) {
            flip[n - 1 - i] = c->flip[item[i]]; /* the order does not matter */
            word[i] = c->word[item[i]];
        }
        const bool fit = count_by_hand(word, n, limit, &over) <= limit;
        fits[fit]++;
        assert_int_equal(snn_candidates_allowed(c, item, n), fit);
        assert_int_equal(snn_candidates_count_words(c, item, n), fit);
        assert_int_equal(snn_flips_place(m, &(snn_flips){n, flip}, limit, &err), fit);
        if (!fit)
            check_named(&err, m, over);
        assert_true(snn_flips_place(m, &(snn_flips){n, flip}, 0, &err)); /* no limit */
    }
    snn_candidates_free(c);
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

static void limits(void **state) {
    (void)state;
    const uint32_t rows[] = {256, 7, 1}, columns[] = {1024, 16, 6};
    uint32_t fits[2] = {0, 0};
    for (int cell_bits = 1; cell_bits <= 4; cell_bits++)
        for (uint32_t k = 0; k < 3; k++)
            for (uint32_t limit = 1; limit <= 4; limit++)
                one_map((snn_map_options){.rows = rows[k], .columns = columns[k], .cell_bits = cell_bits},
                        limit, limit * 10 + k, fits);
    assert_true(fits[0] > 300 && fits[1] > 300);
}

/* Exactly the limit is allowed, one more is not. */
static void boundary(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = test_net(LINEAR, (snn_shape){1, 3, 3});
    snn_weights *w = test_codes(net, 8, SNN_OFFSET_BINARY, 1);
    snn_map *m = test_map(net, w, (snn_map_options){.rows = 4, .columns = 64, .cell_bits = 1});
    snn_flip flip[7];
    for (uint32_t i = 0; i < 7; i++)
        flip[i] =
            (snn_flip){0, i, (uint64_t)i * 9 + 5}; /* input 5: row 1 of array 1; 7 outputs side by side */
    assert_true(snn_flips_place(m, &(snn_flips){7, flip}, 7, &err));
    assert_false(snn_flips_place(m, &(snn_flips){7, flip}, 6, &err));
    assert_string_equal(
        err.text, "row 1 of array 1 (layer 'fc') has 7 keyed bits, the decryptor can take 6 of a row word");
    assert_true(snn_flips_place(m, &(snn_flips){6, flip}, 6, &err));
    flip[3].index -= 1; /* another row */
    assert_true(snn_flips_place(m, &(snn_flips){7, flip}, 6, &err));
    flip[3].index = 63; /* outside */
    assert_false(snn_flips_place(m, &(snn_flips){7, flip}, 6, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    snn_map_free(m);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
