/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much searches differ: sizes, overlaps and guesses counted by hand; entropies compared with tables. */
#include <snnsim/snnsim.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8 };

typedef struct {
    snn_flip flip[MOST];
    snn_flips flips;
} bits;

/* Bit number k stands at weight k / 4, bit k % 4 of tensor k / 16, so that all three parts of an address differ somewhere. */
static void fill(bits *b, size_t n, const unsigned *k) {
    for (size_t i = 0; i < n; i++)
        b->flip[i] = (snn_flip){.tensor = k[i] / 16, .index = k[i] % 16 / 4, .bit = k[i] % 4};
    b->flips = (snn_flips){n, b->flip};
}

static snn_variation of(const bits *b, uint32_t n) {
    snn_flips set[MOST] = {{0}};
    snn_variation v;
    snn_error err = {0};
    for (uint32_t i = 0; i < n; i++)
        set[i] = b[i].flips;
    assert_true(snn_variation_of(set, n, &v, &err));
    assert_int_equal(v.searches, n);
    return v;
}

static bool near(double a, double b) {
    return fabs(a - b) < 1e-12;
}

static void counted_by_hand(void **state) {
    (void)state;
    static const unsigned a[] = {0, 1, 4, 16}, b[] = {1, 4, 5, 17, 33}, c[] = {2, 18};
    bits set[3];
    fill(&set[0], 4, a);
    fill(&set[1], 5, b);
    fill(&set[2], 2, c);
    snn_variation v = of(set, 3);
    assert_true(near(v.bits_mean, 11.0 / 3) && v.bits_least == 2 && v.bits_most == 5);
    assert_true(near(v.overlap, (2.0 / 4 + 0 + 0) / 3)); /* a and b share 1 and 4 */
    assert_true(near(v.guess, (2.0 / 4 + 2.0 / 5 + 0) / 3));
    assert_false(v.constant);
}

static void each_part_of_an_address_counts(void **state) {
    (void)state;
    static const unsigned a[] = {0}, other[][1] = {{1}, {4}, {16}};
    for (int i = 0; i < 3; i++) {
        bits set[2];
        fill(&set[0], 1, a);
        fill(&set[1], 1, other[i]);
        snn_variation v = of(set, 2);
        assert_true(v.overlap == 0 && v.guess == 0 && !v.constant);
    }
}

static void constant_searches(void **state) {
    (void)state;
    static const unsigned a[] = {3, 7, 40}, b[] = {3, 7, 40, 41}, c[] = {3, 7, 41};
    bits set[3];
    fill(&set[0], 3, a);
    fill(&set[1], 3, a);
    snn_variation v = of(set, 2);
    assert_true(v.constant && v.overlap == 1 && v.guess == 1 && v.bits_mean == 3);
    fill(&set[2], 3, c);
    assert_false(of(set, 3).constant);
    fill(&set[2], 3, a);
    assert_true(of(set, 3).constant);
    fill(&set[1], 4, b); /* a superset: all of the smaller set is shared, but it is another set */
    v = of(set, 2);
    assert_true(!v.constant && v.overlap == 1 && near(v.guess, (1 + 3.0 / 4) / 2));
    fill(&set[0], 4, b);
    fill(&set[1], 3, a);
    assert_false(of(set, 2).constant);
}

/* What is in more than one other search counts once. */
static void guesses_count_once(void **state) {
    (void)state;
    static const unsigned a[] = {1, 2}, b[] = {2, 3};
    bits set[3];
    fill(&set[0], 2, a);
    fill(&set[1], 2, a);
    fill(&set[2], 2, b);
    snn_variation v = of(set, 3);
    assert_true(near(v.guess, (1 + 1 + 0.5) / 3) && near(v.overlap, (1 + 0.5 + 0.5) / 3));
}

static void few_searches(void **state) {
    (void)state;
    static const unsigned a[] = {1, 2};
    bits set[2] = {0};
    snn_variation v = of(set, 0);
    assert_true(v.bits_mean == 0 && isnan(v.overlap) && isnan(v.guess) && !v.constant);
    fill(&set[0], 2, a);
    v = of(set, 1);
    assert_true(v.bits_mean == 2 && v.bits_least == 2 && v.bits_most == 2);
    assert_true(isnan(v.overlap) && isnan(v.guess) && !v.constant);
    fill(&set[1], 0, a); /* a search that found nothing shares nothing */
    v = of(set, 2);
    assert_true(v.overlap == 0 && v.guess == 0 && v.bits_least == 0 && !v.constant);
}

static void entropy(void **state) {
    (void)state;
    assert_true(snn_log2_choose(10, 0) == 0 && snn_log2_choose(10, 10) == 0 && snn_log2_choose(0, 0) == 0);
    assert_true(near(snn_log2_choose(8, 1), 3) && near(snn_log2_choose(8, 7), 3));
    assert_true(near(snn_log2_choose(4, 2), log2(6)) && near(snn_log2_choose(52, 5), log2(2598960)));
    /* reference/snngx.md: 17 of 1152 positions are 124 bits, 36 of 5120 are 305; Python: math.log2(math.comb(n, k)) */
    assert_true(fabs(snn_log2_choose(1152, 17) - 124.37998452946027) < 1e-9);
    assert_true(fabs(snn_log2_choose(5120, 36) - 305.3171519583939) < 1e-9);
    assert_true(fabs(snn_log2_choose(1183744, 591872) - 1183733.586788787) < 1e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted_by_hand),   cmocka_unit_test(each_part_of_an_address_counts),
        cmocka_unit_test(constant_searches), cmocka_unit_test(guesses_count_once),
        cmocka_unit_test(few_searches),      cmocka_unit_test(entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
