/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stratified folds: balance, completeness, dependence on the seed alone. */
#include "dataset_test.h"

#include <snnsim/random.h>

#define N 103
#define CLASSES 4
#define FOLDS 5

static void make_labels(int *label) {
    for (int i = 0; i < N; i++)
        label[i] = i % 7 == 0 ? 3 : i % 3; /* class sizes 30, 29, 29, 15 */
}

static void folds_are_balanced(void **state) {
    (void)state;
    int label[N], fold_of[N], of_class[CLASSES] = {0}, count[FOLDS] = {0}, each[FOLDS][CLASSES] = {{0}};
    snn_error err = {0};
    make_labels(label);
    memset(fold_of, 0xff, sizeof fold_of);
    assert_true(snn_folds_deal(label, N, CLASSES, FOLDS, 1, fold_of, &err));
    for (int i = 0; i < N; i++) {
        assert_in_range(fold_of[i], 0, FOLDS - 1);
        count[fold_of[i]]++;
        each[fold_of[i]][label[i]]++;
        of_class[label[i]]++;
    }
    for (int f = 0; f < FOLDS; f++) {
        assert_in_range(count[f], N / FOLDS, N / FOLDS + 1);
        for (int c = 0; c < CLASSES; c++)
            assert_in_range(each[f][c], of_class[c] / FOLDS, (of_class[c] + FOLDS - 1) / FOLDS);
    }
}

static void folds_follow_the_definition(void **state) {
    (void)state;
    int label[N], fold_of[N], again[N];
    uint32_t order[N], member[N];
    snn_error err = {0};
    make_labels(label);
    assert_true(snn_folds_deal(label, N, CLASSES, FOLDS, 77, fold_of, &err));
    int dealt = 0;
    for (int c = 0; c < CLASSES; c++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < N; i++)
            if (label[i] == c)
                member[n++] = i;
        snn_random r;
        snn_random_init(&r, 77, SNN_PURPOSE_SPLIT, (uint64_t)c);
        snn_random_permutation(&r, order, n);
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(fold_of[member[order[k]]], dealt++ % FOLDS);
    }
    assert_true(snn_folds_deal(label, N, CLASSES, FOLDS, 77, again, &err));
    assert_memory_equal(again, fold_of, sizeof again);
    assert_true(snn_folds_deal(label, N, CLASSES, FOLDS, 78, again, &err));
    assert_memory_not_equal(again, fold_of, sizeof again);
}

/* 12 recordings of 3 classes in the training list, 2 in the test list. */
static int folder_setup(void **state) {
    if (temp_setup(state) != 0)
        return 1;
    char train[256] = "";
    for (int i = 1; i <= 14; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.bs2", i);
        write_file(name, "\1\2\0\0\3", 5);
        if (i <= 12)
            snprintf(train + strlen(train), sizeof train - strlen(train), "%d\t%d\n", i, i % 3);
    }
    write_text("train.txt", train);
    write_text("test.txt", "13\t0\n14\t1\n");
    return 0;
}
#define LISTS                                                                                                \
    "dataset = { name = \"nmnist\"; path = \"%s\"; train_list = \"train.txt\"; test_list = \"test.txt\"; "

static void numbers(const snn_dataset *d, bool seen[15]) {
    char name[32];
    int before = 0;
    for (size_t i = 0; i < snn_dataset_count(d); i++) {
        int number = atoi(snn_dataset_sample(d, i, name, sizeof name));
        assert_int_equal(snn_dataset_label(d, i), number % 3);
        assert_true(number > before); /* the order of the list stays */
        assert_false(seen[number]);
        seen[before = number] = true;
    }
}

static void folds_split_the_training_part(void **state) {
    (void)state;
    bool test[15] = {false};
    for (int fold = 0; fold < 4; fold++) {
        char config[512];
        bool all[15] = {false};
        snprintf(config, sizeof config, LISTS "folds = 4; fold = %d; };", "%s", fold);
        snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
        assert_int_equal(snn_dataset_count(d), 3);
        numbers(d, test);
        numbers(d, all);
        int classes = 0;
        for (size_t i = 0; i < 3; i++)
            classes |= 1 << snn_dataset_label(d, i);
        assert_int_equal(classes, 7); /* one of each */
        snn_dataset_free(d);
        d = open_ok(config, SNN_SPLIT_TRAIN);
        assert_int_equal(snn_dataset_count(d), 9);
        numbers(d, all); /* nothing twice */
        snn_dataset_free(d);
        d = open_ok(config, SNN_SPLIT_ALL);
        assert_int_equal(snn_dataset_count(d), 12);
        snn_dataset_free(d);
    }
    for (int i = 1; i <= 12; i++)
        assert_true(test[i]); /* each sample is in the test part once */
    assert_false(test[13] || test[14]);
}

static void seeds_deal_differently(void **state) {
    (void)state;
    int different = 0;
    for (int seed = 2; seed < 8; seed++) {
        char config[512];
        bool one[15] = {false}, other[15] = {false};
        snn_dataset *d = open_ok(LISTS "folds = 4; };", SNN_SPLIT_TEST);
        numbers(d, one);
        snn_dataset_free(d);
        snprintf(config, sizeof config, LISTS "folds = 4; fold_seed = %d; };", "%s", seed);
        d = open_ok(config, SNN_SPLIT_TEST);
        numbers(d, other);
        snn_dataset_free(d);
        different += memcmp(one, other, sizeof one) != 0;
    }
    assert_true(different > 0);
}

static void bad_folds(void **state) {
    (void)state;
    open_fails(LISTS "folds = 1; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.folds: cross-validation needs at least 2 folds");
    open_fails(LISTS "folds = 13; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.folds: 13 folds of 12 training samples");
    open_fails(LISTS "folds = 4; fold = 4; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.fold: fold 4 of 4; folds are 0 .. 3");
    snn_dataset *d = open_ok(LISTS "folds = 12; fold = 11; };", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    d = open_ok(LISTS "folds = 2; };", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 6);
    snn_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_balanced),
        cmocka_unit_test(folds_follow_the_definition),
        cmocka_unit_test_setup_teardown(folds_split_the_training_part, folder_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(seeds_deal_differently, folder_setup, temp_teardown),
        cmocka_unit_test_setup_teardown(bad_folds, folder_setup, temp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
