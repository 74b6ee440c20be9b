/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encryption subset: as many of each class, no sample twice, the same for the same seed, framed as the data set frames; draws without regard to class; errors. */
#include "encrypt_test.h"

static snn_subset drawn(const tiny *s, uint32_t per_class, uint32_t any, uint64_t seed) {
    snn_error err = {0};
    snn_subset subset;
    need(snn_subset_draw(&subset, s->training, per_class, any, seed, &err), &err);
    return subset;
}

/* Ascending numbers of the training part, with the labels and the frames that they have there. */
static void check_subset(const snn_subset *s, size_t n) {
    assert_int_equal(s->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(s->index[i] < TRAININGS && (i == 0 || s->index[i - 1] < s->index[i]));
        assert_int_equal(s->label[i], s->index[i] % CLASSES);
        assert_int_equal(s->sample[i].steps, STEPS);
        assert_int_equal(s->sample[i].size, INPUTS);
        assert_int_equal(snn_spikes_total(&s->sample[i]), STEPS);
        assert_int_equal(s->sample[i].spike[0].index, s->index[i] % INPUTS);
    }
}

static bool same(const snn_subset *a, const snn_subset *b) {
    return a->n == b->n && !memcmp(a->index, b->index, a->n * sizeof *a->index);
}

static void stratified(void **state) {
    (void)state;
    tiny s = open_tiny("");
    static const uint32_t per_class[] = {1, 2, 10, 99, 100};
    for (size_t k = 0; k < sizeof per_class / sizeof *per_class; k++) {
        snn_subset a = drawn(&s, per_class[k], 0, 5), b = drawn(&s, per_class[k], 0, 5);
        size_t of[CLASSES] = {0};
        check_subset(&a, CLASSES * per_class[k]);
        for (size_t i = 0; i < a.n; i++)
            of[a.label[i]]++;
        for (int c = 0; c < CLASSES; c++)
            assert_int_equal(of[c], per_class[k]);
        assert_true(same(&a, &b));
        snn_subset_free(&a);
        snn_subset_free(&b);
        assert_null(a.index);
    }
    close_tiny(&s);
}

static void seeds_differ(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_subset a = drawn(&s, 5, 0, 1), b = drawn(&s, 5, 0, 2), c = drawn(&s, 0, 15, 1),
               d = drawn(&s, 0, 15, 2);
    check_subset(&c, 15);
    assert_false(same(&a, &b));
    assert_false(same(&c, &d));
    assert_false(same(&a, &c));
    snn_subset_free(&a);
    snn_subset_free(&b);
    snn_subset_free(&c);
    snn_subset_free(&d);
    close_tiny(&s);
}

/* Every sample is drawn about as often: 400 draws of 30 of 300 give each 40 +- 6. */
static void fair(void **state) {
    (void)state;
    tiny s = open_tiny("");
    unsigned times[2][TRAININGS] = {{0}};
    for (uint64_t seed = 0; seed < 400; seed++) {
        snn_subset by_class = drawn(&s, 10, 0, seed), any = drawn(&s, 7, 30, seed);
        for (size_t i = 0; i < 30; i++) {
            times[0][by_class.index[i]]++;
            times[1][any.index[i]]++;
        }
        snn_subset_free(&by_class);
        snn_subset_free(&any);
    }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < TRAININGS; i++)
            assert_in_range(times[k][i], 10, 70); /* five standard deviations */
    close_tiny(&s);
}

static void all_of_them(void **state) {
    (void)state;
    tiny s = open_tiny("");
    snn_subset a = drawn(&s, 1, TRAININGS, 3);
    check_subset(&a, TRAININGS);
    snn_subset_free(&a);
    close_tiny(&s);
}

static bool same_spikes(const snn_spikes *a, const snn_spikes *b) {
    const size_t n = a->first[a->steps];
    return a->steps == b->steps && b->first[b->steps] == n &&
           (n == 0 || !memcmp(a->spike, b->spike, n * sizeof *a->spike));
}

/* Variants follow the samples, with their labels; each is what training's augmentation draws for (seed, recording, number), however many there are. */
static void variants(void **state) {
    (void)state;
    snn_error err = {0};
    tiny s = open_tiny("");
    const snn_shape shape = {1, 1, INPUTS};
    const snn_train_options none = {0}, shift = {.shift = 2};
    snn_subset a = drawn(&s, 2, 0, 1), b = drawn(&s, 2, 0, 1), c = drawn(&s, 2, 0, 1);
    assert_int_equal(a.drawn, 2 * CLASSES);
    need(snn_subset_vary(&a, shape, &none, 5, 9, &err) && snn_subset_vary(&a, shape, &shift, 0, 9, &err),
         &err);
    check_subset(&a, 2 * CLASSES); /* without augmentation, or none asked for: nothing */
    need(snn_subset_vary(&a, shape, &shift, 3, 9, &err), &err);
    need(snn_subset_vary(&b, shape, &shift, 7, 9, &err), &err);
    need(snn_subset_vary(&c, shape, &shift, 3, 10, &err), &err);
    assert_true(a.n == 8 * CLASSES && a.drawn == 2 * CLASSES && b.n == 16 * CLASSES);
    size_t changed = 0, other = 0;
    for (size_t i = 0; i < a.n; i++) {
        const size_t from = i % a.drawn;
        assert_int_equal(a.label[i], a.label[from]);
        assert_true(same_spikes(&a.sample[i], &b.sample[i]));
        changed += !same_spikes(&a.sample[i], &a.sample[from]);
        other += !same_spikes(&a.sample[i], &c.sample[i]);
        if (i >= a.drawn) {
            snn_spikes x = {0};
            need(snn_train_augment(&shift, shape, &a.sample[from], 9,
                                   (uint64_t)a.index[from] << 32 | i / a.drawn, &x, &err),
                 &err);
            assert_true(same_spikes(&x, &a.sample[i]));
            snn_spikes_free(&x);
        }
    }
    assert_true(changed > CLASSES && other > CLASSES);
    assert_false(snn_subset_vary(&a, shape, &shift, UINT32_MAX, 9, &err));
    check_error(&err, SNN_ERR_USAGE, "4294967295 variants of 6 samples are too many");
    snn_subset_free(&a);
    snn_subset_free(&b);
    snn_subset_free(&c);
    close_tiny(&s);
}

static void refuse(const snn_dataset *data, uint32_t per_class, uint32_t any, const char *sentence) {
    snn_error err = {0};
    snn_subset subset;
    assert_false(snn_subset_draw(&subset, data, per_class, any, 1, &err));
    check_error(&err, SNN_ERR_DATA, sentence);
    assert_true(!subset.index && !subset.sample && !subset.label && !subset.n);
}

static void errors(void **state) {
    (void)state;
    tiny s = open_tiny("");
    refuse(s.training, 101, 0,
           "class 0 has only 100 training samples, but encrypt.samples asks for 101 of each");
    refuse(s.training, 1, 301,
           "there are only 300 training samples, but encrypt.random_samples asks for 301");
    char path[128];
    snprintf(path, sizeof path, "%s/x.npy", folder);
    assert_int_equal(truncate(path, 128), 0);
    refuse(s.training, 1, 0, "x.npy");
    write_part("x.npy", "y.npy", TRAININGS);
    close_tiny(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stratified),  cmocka_unit_test(seeds_differ), cmocka_unit_test(fair),
        cmocka_unit_test(all_of_them), cmocka_unit_test(variants),     cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
