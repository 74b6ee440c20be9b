/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Networks that others trained, from their published files alone: every sample's output counts and hidden spikes, or its predicted class, are those that came with
 * the data (shared/data/README.md, computed by its authors' rules in Python).
 */
#include "published_test.h"

#define NMNIST                                                                                               \
    "name = \"nmnist\"; path = \"%s\"; train_list = \"train1K.txt\"; test_list = \"test_first50.txt\"; "     \
    "bins = 300; bin_us = 1000; from_zero = true; rounding = \"nearest\"; binary = true;"

static void load(snn_model *m, const char *name) {
    snn_error err = {0};
    need(snn_import(m, data_path(name), NULL, &err), &err);
    assert_true(m->net->fixed);
}

static void slayer_nmnist(void **state) {
    (void)state;
    snn_model m;
    char dataset[1024];
    load(&m, "models/slayer_loihi_nmnist");
    snprintf(dataset, sizeof dataset, "dataset = { " NMNIST " };", data_path("nmnist"));
    table expected = read_table(data_path("models/slayer_loihi_nmnist/expected_output_counts.csv"));
    comparison c = {&expected, 0, 3, 1, 4, 0, 0};
    snn_evaluate_hooks hooks = {.context = &c, .sample = compare_sample};
    run_published(&m, dataset, SNN_SPLIT_TRAIN, &hooks, NULL, PUBLISHED(1000));
    assert_int_equal(c.correct, PUBLISHED(1000));
    assert_int_equal(c.samples, PUBLISHED(1000));
    c = (comparison){&expected, 1000, 3, 1, 4, 0, 0};
    run_published(&m, dataset, SNN_SPLIT_TEST, &hooks, NULL, PUBLISHED(50));
    assert_int_equal(c.correct, PUBLISHED(50));
    assert_int_equal(c.samples, PUBLISHED(50));
    free(expected.row);
    snn_model_free(&m);
}

static void slayer_gesture(void **state) {
    (void)state;
    snn_model m;
    char dataset[1024];
    load(&m, "models/slayer_loihi_ibmgesture");
    snprintf(dataset, sizeof dataset,
             "dataset = { name = \"dvs128_gesture\"; path = \"%s\"; test_list = \"labels.txt\"; bins = 1450; "
             "bin_us = 1000; from_zero = true; rounding = \"nearest\"; binary = true; };",
             data_path("dvs128_gesture"));
    table expected = read_table(data_path("models/slayer_loihi_ibmgesture/expected_output_counts.csv"));
    comparison c = {&expected, 0, 2, 1, 8, 0, 0};
    snn_evaluate_hooks hooks = {.context = &c, .sample = compare_sample};
    run_published(&m, dataset, SNN_SPLIT_TEST, &hooks, NULL, 0);
    assert_int_equal(c.correct, 7);
    assert_int_equal(c.samples, 7);
    free(expected.row);
    snn_model_free(&m);
}

static void loihi_braille(void **state) {
    (void)state;
    snn_model m;
    char dataset[1024];
    load(&m, "models/loihi_braille_th10/netLoihi_rec_th10.net");
    assert_true(m.net->layer[1].recurrent);
    snprintf(dataset, sizeof dataset,
             "dataset = { name = \"braille\"; path = \"%s\"; bins = 270; bin_us = 5000; from_zero = true; "
             "rounding = \"nearest\"; binary = true; repeat = 2; };",
             data_path("braille"));
    table expected = read_table(data_path("models/loihi_braille_th10/expected_predictions.csv"));
    assert_int_equal(expected.n, 3618);
    comparison c = {&expected, 0, 0, 0, -1, 0, 0};
    snn_evaluate_hooks hooks = {.context = &c, .sample = compare_sample};
    run_published(&m, dataset, SNN_SPLIT_ALL, &hooks, NULL, PUBLISHED(3618));
    assert_int_equal(c.samples, PUBLISHED(3618)); /* each compared; and of all: */
    assert_true(c.correct == 2897 || PUBLISHED(3618) < 3618);
    free(expected.row);
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slayer_nmnist),
        cmocka_unit_test(slayer_gesture),
        cmocka_unit_test(loihi_braille),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
