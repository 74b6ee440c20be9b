/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidate bits against a definition by brute force: which there are, what they do, which go together; the placer. */
#include "search_test.h"

#include "../../crypto/candidates_internal.h"
#include "../../sim/weights_internal.h"

/* A tensor whose weights have all codes of the width in turn; a second one that is shorter. */
static snn_weights *all_codes(int bits, snn_encoding encoding) {
    snn_error err = {0};
    static snn_tensor tensor[2];
    static snn_weights w;
    w = (snn_weights){2, tensor};
    for (int t = 0; t < 2; t++) {
        const uint64_t count = t ? 12 : bits > 8 ? 3000 : 4 << bits;
        tensor[t] = (snn_tensor){.dims = 2, .shape = {4, count / 4}, .count = count};
        snprintf(tensor[t].name, sizeof tensor[t].name, "t%d", t);
        must(snn_tensor_alloc(&tensor[t], snn_code_type_of(bits), bits, encoding, 1, &err), &err);
        tensor[t].scale[0] = 1;
        for (uint64_t i = 0; i < count; i++) {
            /* The codes around zero come first. */
            const uint32_t code = (uint32_t)(bits > 8 ? i * 7919 + (i < 64 ? i : 0) : i) & ((1U << bits) - 1);
            if (bits <= 8)
                tensor[t].code8[i] = (uint8_t)code;
            else
                tensor[t].code16[i] = (uint16_t)code;
        }
    }
    return &w;
}

static void drop_codes(snn_weights *w) {
    for (int t = 0; t < w->tensors; t++)
        snn_tensor_clear(&w->tensor[t]);
}

static uint32_t code_at(const snn_tensor *t, uint64_t i) {
    return t->bits <= 8 ? t->code8[i] : t->code16[i];
}

/* Has the tensor a weight at least as small, and one at least as large? */
static bool in_range(const snn_tensor *t, int32_t q) {
    bool below = false, above = false;
    for (uint64_t i = 0; i < t->count && !(below && above); i++) {
        below = below || snn_weight_q(t, i) <= q;
        above = above || snn_weight_q(t, i) >= q;
    }
    return below && above;
}

/* Does flipping these bits change the value, store no -0, and (but for any) keep to the tensor's range? */
static bool good(const snn_tensor *t, uint64_t i, uint32_t mask, bool any) {
    const uint32_t code = code_at(t, i) ^ mask, top = 1U << (t->bits - 1);
    const bool minus_zero = t->encoding == SNN_SIGN_MAGNITUDE && t->bits > 1 && code == top;
    const int32_t q = snn_code_value(t->encoding, t->bits, code);
    return !minus_zero && q != snn_weight_q(t, i) && (any || in_range(t, q));
}

static void collected(void **state) {
    (void)state;
    snn_error err = {0};
    static const int widths[] = {1, 2, 3, 5, 8, 9, 16};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        for (int e = 0; e < 3; e++)
            for (int bits = 0; bits <= 7; bits++) {
                const bool any = bits & 4;
                snn_weights *w = all_codes(widths[k], (snn_encoding)e);
                const bool second[] = {false, true};
                const snn_candidate_options o = {.tensor = (bits & 3) == 3 ? second : NULL,
                                                 .bits = bits & 3,
                                                 .eligible = 1,
                                                 .any_value = any};
                snn_candidates *c = snn_candidates_new(w, &o, &err);
                if (!c) /* of few codes all flips may lead out of the range */
                    assert_int_equal(err.code, SNN_ERR_CRITERION);
                uint32_t at = 0;
                uint64_t considered = 0;
                for (uint32_t t = (bits & 3) == 3; t < 2; t++)
                    for (uint64_t i = 0; i < w->tensor[t].count; i++)
                        for (uint32_t b = 0;
                             b < (uint32_t)w->tensor[t].bits && (!o.bits || b < (uint32_t)o.bits); b++) {
                            const uint32_t mask = 1U << ((uint32_t)w->tensor[t].bits - 1 - b);
                            considered++;
                            if (!good(&w->tensor[t], i, mask, any))
                                continue;
                            assert_true(c && at < c->n);
                            assert_int_equal(c->flip[at].tensor, t);
                            assert_int_equal(c->flip[at].index, i);
                            assert_int_equal(c->flip[at].bit, b);
                            const snn_tensor *x = &w->tensor[t];
                            assert_int_equal(c->dq[at],
                                             snn_code_value(x->encoding, x->bits, code_at(x, i) ^ mask) -
                                                 snn_weight_q(x, i));
                            at++;
                        }
                if (!c) {
                    drop_codes(w);
                    continue;
                }
                assert_int_equal(at, c->n);
                assert_int_equal(considered, c->considered);
                assert_null(c->word);
                /* Of one-bit codes and, with any value, outside sign-magnitude nothing is left out. */
                if (any)
                    assert_int_equal(c->n == considered, widths[k] == 1 || e != SNN_SIGN_MAGNITUDE);
                snn_candidates_free(c);
                drop_codes(w);
            }
}

/* Random sets, often of neighbouring bits: allowed and deltas against codes. */
static void together(void **state) {
    (void)state;
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    uint32_t refused = 0;
    for (int e = 0; e < 6; e++) {
        const bool any = e >= 3;
        snn_weights *w = all_codes(4, (snn_encoding)(e % 3));
        const snn_candidate_options o = {.eligible = 1, .any_value = any};
        snn_candidates *c = snn_candidates_new(w, &o, &err);
        must(c != NULL, &err);
        snn_placer *p = snn_placer_new(c, &err);
        for (int trial = 0; trial < 2000; trial++) {
            uint32_t item[40], n = 0;
            snn_flip flip[40];
            const uint32_t from = snn_random_below(&r, c->n - 30);
            for (uint32_t i = from; i < from + 30; i++)
                if (snn_random_below(&r, 3) == 0) {
                    flip[n] = c->flip[i];
                    item[n++] = i;
                }
            const snn_flips flips = {n, flip};
            snn_weights *stored = snn_weights_apply(w, &flips, &err);
            bool allowed = true;
            for (int t = 0; t < 2; t++)
                for (uint64_t i = 0; i < w->tensor[t].count; i++)
                    if (code_at(&stored->tensor[t], i) != code_at(&w->tensor[t], i))
                        allowed =
                            allowed && good(&w->tensor[t], i,
                                            code_at(&stored->tensor[t], i) ^ code_at(&w->tensor[t], i), any);
            assert_int_equal(snn_candidates_allowed(c, item, n), allowed);
            refused += !allowed;
            snn_delta ours[40], theirs[40];
            size_t m = 40;
            must(snn_weights_deltas(w, &flips, theirs, &m, &err), &err);
            assert_int_equal(snn_candidates_deltas(c, item, n, ours), m);
            assert_memory_equal(ours, theirs, m * sizeof *ours);
            /* The placer: allowed with each one toggled? */
            if (allowed) {
                snn_set s = {item, n, 40, {0}, false};
                snn_placer_load(p, &s);
                for (uint32_t i = from; i < from + 30; i++) {
                    snn_set other = {0};
                    must(snn_set_toggled(&other, &s, i, &err), &err);
                    assert_int_equal(snn_placer_toggles(p, i),
                                     snn_candidates_allowed(c, other.item, other.n));
                    assert_int_equal(snn_placer_has(p, i), snn_set_has(&s, i));
                    snn_set_free(&other);
                }
            }
            snn_weights_free(stored);
        }
        assert_int_equal(refused > 0, 1); /* sign-magnitude comes first */
        snn_placer_free(p);
        snn_candidates_free(c);
        drop_codes(w);
    }
}

static void eligible(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = all_codes(8, SNN_TWOS_COMPLEMENT);
    const snn_candidate_options all = {.eligible = 1, .any_value = true},
                                tenth = {.eligible = 0.1, .seed = 5, .any_value = true},
                                other = {.eligible = 0.1, .seed = 6, .any_value = true},
                                third = {.eligible = 0.3, .seed = 5, .any_value = true};
    snn_candidates *a = snn_candidates_new(w, &all, &err), *b = snn_candidates_new(w, &tenth, &err),
                   *c = snn_candidates_new(w, &other, &err), *d = snn_candidates_new(w, &third, &err);
    /* 8288 bits: 829 expected, sigma 27. */
    assert_int_equal(a->n, 8288);
    assert_in_range(b->n, 829 - 4 * 27, 829 + 4 * 27);
    assert_in_range(d->n, 2486 - 4 * 42, 2486 + 4 * 42);
    assert_true(b->n != c->n || memcmp(b->flip, c->flip, b->n * sizeof *b->flip) != 0);
    /* The same seed: a larger share holds the smaller one. Exclusions take out those and nothing else. */
    snn_flips gone = {100, b->flip};
    snn_candidate_options less = tenth;
    less.exclude = &gone;
    snn_candidates *e = snn_candidates_new(w, &less, &err);
    assert_int_equal(e->n, b->n - 100);
    assert_memory_equal(e->flip, b->flip + 100, e->n * sizeof *e->flip);
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        while (at < d->n && memcmp(&d->flip[at], &b->flip[i], sizeof *d->flip) != 0)
            at++;
        assert_true(at < d->n);
    }
    /* Unsorted, with repeats. */
    snn_flip some[] = {a->flip[50], a->flip[7], a->flip[50], a->flip[8287], a->flip[0]};
    snn_flips five = {5, some};
    less = all;
    less.exclude = &five;
    snn_candidates *f = snn_candidates_new(w, &less, &err);
    assert_int_equal(f->n, 8284);
    assert_memory_equal(&f->flip[0], &a->flip[1], sizeof *f->flip);
    assert_memory_equal(&f->flip[6], &a->flip[8], sizeof *f->flip);
    assert_memory_equal(&f->flip[8283], &a->flip[8286], sizeof *f->flip);
    snn_candidates *every[] = {a, b, c, d, e, f};
    for (int i = 0; i < 6; i++)
        snn_candidates_free(every[i]);
    drop_codes(w);
}

static void refuses(const snn_weights *w, snn_candidate_options o, snn_code code, const char *why) {
    snn_error err = {0};
    assert_null(snn_candidates_new(w, &o, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void errors(void **state) {
    (void)state;
    snn_weights *w = all_codes(4, SNN_SIGN_MAGNITUDE);
    const double bad[] = {0, -0.1, 1.0001, NAN};
    for (int i = 0; i < 4; i++)
        refuses(w, (snn_candidate_options){.eligible = bad[i]}, SNN_ERR_USAGE, "share of eligible bits");
    refuses(w, (snn_candidate_options){.eligible = 1, .bits = -1}, SNN_ERR_USAGE, "-1 bits of a weight");
    refuses(w, (snn_candidate_options){.eligible = 1, .word_limit = 1}, SNN_ERR_USAGE, "needs a map");
    const bool none[] = {false, false};
    refuses(w, (snn_candidate_options){.eligible = 1, .tensor = none}, SNN_ERR_CRITERION,
            "none of 0 bits may be keyed: a flip must stay within the range of its layer's weights; allow "
            "more bits");
    refuses(w, (snn_candidate_options){.eligible = 1e-15, .any_value = true}, SNN_ERR_CRITERION,
            "bits may be keyed: encrypt.eligible drew none");
    snn_flip outside[] = {{2, 0, 0}, {0, 4, 0}, {0, 0, 64}};
    for (int i = 0; i < 3; i++) {
        const snn_flips one = {1, &outside[i]};
        refuses(w, (snn_candidate_options){.eligible = 1, .exclude = &one}, SNN_ERR_DATA,
                "excluded bit 0 is outside");
    }
    drop_codes(w);
    snn_net *net = rig_net(DENSE, (snn_shape){1, 3, 3});
    snn_error err = {0};
    snn_weights *f = snn_weights_new(net, &err);
    refuses(f, (snn_candidate_options){.eligible = 1}, SNN_ERR_DATA, "layer 'a' has float weights");
    const bool second[] = {false, true};
    refuses(f, (snn_candidate_options){.eligible = 1, .tensor = second}, SNN_ERR_DATA, "layer 'b'");
    /* A map of other weights. */
    snn_weights *w8 = rig_weights(net, 8, SNN_SIGN_MAGNITUDE, 1),
                *w4 = rig_weights(net, 4, SNN_SIGN_MAGNITUDE, 1);
    const snn_map_options mo = {.rows = 16, .columns = 32, .cell_bits = 1};
    snn_map *map = snn_map_new(net, w8, &mo, &err);
    must(map != NULL, &err);
    refuses(w4, (snn_candidate_options){.eligible = 1, .word_limit = 2, .map = map}, SNN_ERR_DATA, "");
    snn_map_free(map);
    snn_weights_free(w8);
    snn_weights_free(w4);
    snn_weights_free(f);
    snn_net_free(net);
}

/* Drawn sets have the size that was asked for, keep to the limit, and reach every candidate. */
static void drawing(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = rig_net(DENSE, (snn_shape){1, 3, 3});
    snn_weights *w = rig_weights(net, 4, SNN_SIGN_MAGNITUDE, 1);
    const snn_map_options mo = {.rows = 16, .columns = 32, .cell_bits = 1};
    snn_map *map = snn_map_new(net, w, &mo, &err);
    must(map != NULL, &err);
    for (uint32_t limit = 0; limit <= 3; limit++) {
        const snn_candidate_options o = {.eligible = 1, .word_limit = limit, .map = map};
        snn_candidates *c = snn_candidates_new(w, &o, &err);
        must(c != NULL, &err);
        snn_placer *p = snn_placer_new(c, &err);
        snn_random r;
        snn_random_init(&r, 1, SNN_PURPOSE_TEST, limit);
        snn_set s = {0};
        uint32_t *seen = calloc(c->n, sizeof *seen);
        for (int trial = 0; trial < 3000; trial++) {
            must(snn_placer_draw(p, &r, 7, &s, &err), &err);
            assert_int_equal(s.n, 7);
            assert_true(snn_candidates_allowed(c, s.item, s.n));
            for (uint32_t i = 0; i < s.n; i++)
                seen[s.item[i]]++;
        }
        for (uint32_t i = 0; i < c->n; i++)
            assert_true(seen[i] > 0);
        /* All there is: nothing more can be added. */
        must(snn_placer_draw(p, &r, UINT32_MAX, &s, &err), &err);
        assert_true(snn_candidates_allowed(c, s.item, s.n));
        for (uint32_t i = 0; i < c->n; i++)
            assert_false(snn_placer_add(p, i));
        /* Thinning an order keeps its order, and what it leaves out could not be added. */
        uint32_t *order = calloc(c->n, sizeof *order), *kept = calloc(c->n, sizeof *kept);
        snn_random_permutation(&r, order, c->n);
        memcpy(kept, order, c->n * sizeof *order);
        const uint32_t n = snn_placer_thin(p, kept, c->n);
        snn_placer_clear(p);
        uint32_t at = 0;
        for (uint32_t i = 0; i < c->n; i++)
            if (snn_placer_add(p, order[i]))
                assert_int_equal(order[i], kept[at++]);
        assert_int_equal(at, n);
        if (limit > 0)
            assert_true(n < c->n);
        free(order);
        free(kept);
        free(seen);
        snn_set_free(&s);
        snn_placer_free(p);
        snn_candidates_free(c);
    }
    snn_map_free(map);
    snn_weights_free(w);
    snn_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collected), cmocka_unit_test(together), cmocka_unit_test(eligible),
        cmocka_unit_test(errors),    cmocka_unit_test(drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
