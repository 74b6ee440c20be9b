/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames in NumPy arrays: shapes, labels, element types, where the files are looked up. */
#include "dataset_test.h"

#include <math.h>

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)
#define NPY "dataset = { name = \"npy\"; path = \"%s\"; "
#define BOTH "frames = \"x.npy\"; labels = \"y.npy\"; train_frames = \"tx.npy\"; train_labels = \"ty.npy\"; "
#define TEST "frames = \"x.npy\"; labels = \"y.npy\"; "

static void write_npy(const char *name, const char *descr, const char *shape, const void *data, size_t size) {
    char head[128], all[4096];
    int n =
        snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    memset(head + n, ' ', sizeof head - (size_t)n);
    head[117] = '\n';
    memcpy(all, "\x93NUMPY\x01\x00\x76\x00", 10); /* 118 bytes of header: data begins at byte 128 */
    memcpy(all + 10, head, 118);
    memcpy(all + 128, data, size);
    write_file(name, all, 128 + size);
}

/* 2 samples, 2 steps, 1 channel, 1 x 3 pixels */
static const uint8_t frames[] = {0, 1, 2, 3, 0, 0, 0, 0, 0, 255, 0, 7};

static void write_small(void) {
    const int64_t y[2] = {4, 0};
    write_npy("x.npy", "|u1", "(2, 2, 1, 1, 3)", frames, sizeof frames);
    write_npy("y.npy", "<i8", "(2,)", y, sizeof y);
}

static void check_spike(const snn_spikes *x, size_t i, uint32_t index, uint32_t count) {
    assert_int_equal(x->spike[i].index, index);
    assert_int_equal(x->spike[i].count, count);
}

static void bytes(void **state) {
    (void)state;
    write_small();
    snn_dataset *d = open_ok(NPY TEST "};", SNN_SPLIT_TEST);
    const snn_dataset_info *info = snn_dataset_about(d);
    assert_string_equal(info->name, "npy");
    assert_string_equal(info->folder, temp);
    assert_int_equal(info->classes, 5);
    assert_string_equal(info->class_name[0], "0");
    assert_string_equal(info->class_name[4], "4");
    assert_int_equal(info->steps, 2);
    assert_memory_equal(info->input, ((uint32_t[]){1, 1, 3}), 12);
    assert_memory_equal(info->sensor, ((uint32_t[]){1, 1, 3}), 12);
    assert_false(info->has_events);
    assert_int_equal(snn_dataset_count(d), 2);
    assert_int_equal(snn_dataset_label(d, 0), 4);
    assert_int_equal(snn_dataset_label(d, 1), 0);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    char name[32];
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "1");
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    assert_int_equal(x.size, 3);
    assert_int_equal(x.steps, 2);
    assert_int_equal(x.first[1], 2);
    assert_int_equal(x.first[2], 3);
    check_spike(&x, 0, 1, 1);
    check_spike(&x, 1, 2, 2);
    check_spike(&x, 2, 0, 3);
    assert_true(snn_dataset_frames(d, 1, &b, &x, &err));
    assert_int_equal(x.first[1], 0);
    assert_int_equal(x.first[2], 2);
    check_spike(&x, 0, 0, 255);
    check_spike(&x, 1, 2, 7);
    assert_true(b.read_seconds > 0 && b.read_seconds < 60);
    assert_false(snn_dataset_frames(d, 2, &b, &x, &err));
    check_error(&err, SNN_ERR_USAGE, "sample 2 of 2");
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_USAGE, "have no events");
    snn_dataset_free(d);
    d = open_ok(NPY TEST "binary = true; classes = 9; bins = 2; };", SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_about(d)->classes, 9);
    assert_string_equal(snn_dataset_about(d)->class_name[8], "8");
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(x.spike[i].count, 1);
    snn_dataset_free(d);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

static void floats(void **state) {
    (void)state;
    write_small();
    float v[12] = {0, 1, 16777216.0f, 0, 0, 0, 0, 0, 3, 2, 5, 7};
    write_npy("x.npy", "<f4", "(2, 2, 1, 1, 3)", v, sizeof v);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    snn_dataset *d = open_ok(NPY TEST "};", SNN_SPLIT_TEST);
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    assert_int_equal(x.first[1], 2);
    assert_int_equal(x.first[2], 2);
    check_spike(&x, 0, 1, 1);
    check_spike(&x, 1, 2, 16777216);
    assert_true(snn_dataset_frames(d, 1, &b, &x, &err));
    assert_int_equal(x.first[1], 1);
    assert_int_equal(x.first[2], 4);
    check_spike(&x, 0, 2, 3);
    check_spike(&x, 3, 2, 7);
    snn_dataset_free(d);
    d = open_ok(NPY TEST "binary = true; };", SNN_SPLIT_TEST);
    assert_true(snn_dataset_frames(d, 1, &b, &x, &err));
    check_spike(&x, 3, 2, 1);
    const float bad[] = {-1, 0.5f, 16777218.0f, NAN, INFINITY, -INFINITY};
    const char *text[] = {"-1", "0.5", "1.67772e+07", "nan", "inf", "-inf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char part[256];
        v[10] = bad[i];
        write_npy("x.npy", "<f4", "(2, 2, 1, 1, 3)", v, sizeof v);
        assert_false(snn_dataset_frames(d, 1, &b, &x, &err));
        snprintf(part, sizeof part,
                 "%s/x.npy: sample 1: step 1, input 1: %s is not a whole number of 0 .. 2^24", temp,
                 text[i][0] == 'n' && signbit(bad[i]) ? "-nan" : text[i]);
        check_error(&err, SNN_ERR_DATA, part);
        assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    }
    assert_int_equal(unlink(in_temp("x.npy")), 0);
    assert_false(snn_dataset_frames(d, 0, &b, &x, &err));
    snn_dataset_free(d);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

static void label_types(void **state) {
    (void)state;
    write_small();
    static const struct {
        const char *descr;
        const char *data;
        size_t size;
    } type[] = {{"|u1", "\xc8\1", 2},
                {"|i1", "\x7f\1", 2},
                {"<i2", "\x2c\1\1\0", 4},
                {"<u2", "\x2c\x81\1\0", 4},
                {"<u4", "\x2c\x81\0\0\1\0\0\0", 8},
                {"<i4", "\x2c\1\0\0\1\0\0\0", 8},
                {"<i8", "\x2c\1\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 16}};
    const int first[] = {200, 127, 300, 0x812c, 0x812c, 300, 300};
    for (size_t i = 0; i < sizeof type / sizeof *type; i++) {
        write_npy("y.npy", type[i].descr, "(2,)", type[i].data, type[i].size);
        snn_dataset *d = open_ok(NPY TEST "};", SNN_SPLIT_TEST);
        assert_int_equal(snn_dataset_label(d, 0), first[i]);
        assert_int_equal(snn_dataset_label(d, 1), 1);
        assert_int_equal(snn_dataset_about(d)->classes, first[i] + 1);
        snn_dataset_free(d);
    }
}

/* Without dataset.classes there are as many as the largest label says, also when labels come in ascending order. */
static void classes_are_counted(void **state) {
    (void)state;
    write_small();
    write_npy("y.npy", "|u1", "(2,)", "\0\1", 2);
    snn_dataset *d = open_ok(NPY TEST "};", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_about(d)->classes, 2);
    snn_dataset_free(d);
    write_npy("y.npy", "|u1", "(2,)", "\0\0", 2);
    d = open_ok(NPY TEST "};", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_about(d)->classes, 1);
    snn_dataset_free(d);
}

static void both_parts(void **state) {
    (void)state;
    write_small();
    const uint8_t y[] = {6};
    write_npy("tx.npy", "|u1", "(1, 2, 1, 1, 3)", frames + 6, 6);
    write_npy("ty.npy", "|u1", "(1,)", y, 1);
    char name[32];
    snn_dataset *d = open_ok(NPY BOTH "};", SNN_SPLIT_ALL);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    assert_int_equal(snn_dataset_count(d), 3);
    assert_string_equal(snn_dataset_sample(d, 0, name, sizeof name), "train:0");
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "0");
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    check_spike(&x, 0, 0, 255);
    assert_true(snn_dataset_frames(d, 1, &b, &x, &err));
    check_spike(&x, 0, 1, 1);
    snn_dataset_free(d);
    d = open_ok(NPY BOTH "};", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 2);
    assert_int_equal(snn_dataset_about(d)->classes, 7); /* of both parts */
    snn_dataset_free(d);
    d = open_ok(NPY BOTH "};", SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 1);
    assert_int_equal(snn_dataset_label(d, 0), 6);
    snn_dataset_free(d);
    d = open_ok(NPY TEST "};", SNN_SPLIT_ALL); /* one part is enough for all */
    assert_int_equal(snn_dataset_count(d), 2);
    snn_dataset_free(d);
    d = open_ok(NPY "train_frames = \"tx.npy\"; train_labels = \"ty.npy\"; };", SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    open_fails(NPY TEST "};", SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "dataset.train_frames: give a NumPy array of frames");
    open_fails(NPY "train_frames = \"tx.npy\"; train_labels = \"ty.npy\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.frames: give a NumPy array of frames, uint8 or float32 "
               "[samples][steps][channels][y][x] as np.save writes it, and "
               "its labels in dataset.labels");
    open_fails("dataset = { name = \"npy\"; };", SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "dataset.train_frames: give a NumPy array of frames");
    open_fails(NPY "frames = \"x.npy\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.labels: frames need a file of labels");
    static const char *const other[] = {"(1, 1, 1, 2, 3)", "(1, 2, 3, 1, 1)", "(1, 2, 2, 1, 3)",
                                        "(1, 2, 1, 3, 1)", "(1, 3, 2, 1, 1)"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        write_npy("tx.npy", "|u1", other[i], frames, strcmp(other[i], "(1, 2, 2, 1, 3)") == 0 ? 12 : 6);
        char part[256];
        snprintf(part, sizeof part, "%s/x.npy: the shape differs from that of %s/tx.npy", temp, temp);
        open_fails(NPY BOTH "};", SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    }
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

static void places(void **state) {
    (void)state;
    char config[1024], part[256];
    write_small();
    /* the array itself as the path, labels by an absolute path */
    snprintf(config, sizeof config,
             "dataset = { name = \"npy\"; path = \"%s/x.npy\"; labels = \"%s/y.npy\"; };", temp, temp);
    snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 2);
    snn_dataset_free(d);
    /* without a path */
    snprintf(config, sizeof config,
             "dataset = { name = \"npy\"; frames = \"%s/x.npy\"; labels = \"%s/y.npy\"; };", temp, temp);
    d = open_ok(config, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 2);
    assert_string_equal(snn_dataset_about(d)->folder, "");
    snn_dataset_free(d);
    snprintf(part, sizeof part, "%s/nowhere.npy: cannot open", temp);
    open_fails(NPY "frames = \"nowhere.npy\"; labels = \"y.npy\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    open_fails(NPY "frames = \"x.npy\"; labels = \"nowhere.npy\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA, part);
}

static void bad_arrays(void **state) {
    (void)state;
    write_small();
    const uint8_t zero[24] = {0};
    static const struct {
        const char *descr, *shape;
        size_t size;
        const char *part;
    } x[] = {
        {"|u1", "(2, 6)", 12, "x.npy: expected a uint8 or float32 array [samples][steps][channels][y][x]"},
        {"<i2", "(2, 2, 1, 1, 3)", 24, "x.npy: expected a uint8 or float32 array"},
        {"|u1", "(2, 2, 1, 3)", 12, "x.npy: expected a uint8 or float32 array"},
        {"|u1", "(2, 0, 1, 1, 3)", 0, "x.npy: axis 1 has length 0, expected 1 .. 65535"},
        {"|u1", "(2, 1, 1, 1, 0)", 0, "x.npy: axis 4 has length 0, expected 1 .. 65535"},
        {"|u1", "(0, 65536, 1, 1, 3)", 0, "x.npy: axis 1 has length 65536, expected 1 .. 65535"},
        {"|u1", "(0, 1, 65535, 65535, 2)", 0, "x.npy: a sample of "},
        {"|u1", "(0, 65535, 65535, 1, 1)", 0,
         "x.npy: a sample of 4294836225 items; at most 1 GiB is possible"},
        {"<f4", "(0, 16385, 16384, 1, 1)", 0,
         "x.npy: a sample of 268451840 items; at most 1 GiB is possible"},
        {"|u1", "(16777217, 0, 1, 1, 1)", 0, "x.npy: more than 16777216 samples"},
        {"|u1", "(1, 2, 1, 1, 3)", 6, "y.npy: 2 labels for 1 samples"},
        {"|u1", "(0, 2, 1, 1, 3)", 0, "y.npy: 2 labels for 0 samples"}};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        write_npy("x.npy", x[i].descr, x[i].shape, zero, x[i].size);
        open_fails(NPY TEST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, x[i].part);
    }
    write_npy("x.npy", "|u1", "(0, 65535, 1, 1, 16384)", zero, 0); /* 2^30 - 2^14 bytes: allowed */
    write_npy("y.npy", "|u1", "(0,)", zero, 0);
    open_fails(NPY TEST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, ": no samples");
    write_npy("x.npy", "<f4", "(0, 16384, 16384, 1, 1)", zero, 0); /* exactly 1 GiB */
    open_fails(NPY TEST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, ": no samples");
    write_small();
    static const struct {
        const char *descr, *shape, *data, *part;
        size_t size;
    } y[] = {{"<f4", "(2,)", "\0\0\0\0\0\0\0\0", "y.npy: expected integer labels [samples]", 8},
             {"<f8", "(1,)", "\0\0\0\0\0\0\0\0", "y.npy: expected integer labels [samples]", 8},
             {"|u1", "(2, 1)", "\0\0", "y.npy: expected integer labels [samples]", 2},
             {"|i1", "(2,)", "\1\xff", "y.npy: label 1 is -1, expected 0 .. 65535", 2},
             {"<i4", "(2,)", "\0\0\1\0\0\0\0\0", "y.npy: label 0 is 65536, expected 0 .. 65535", 8}};
    for (size_t i = 0; i < sizeof y / sizeof *y; i++) {
        write_npy("y.npy", y[i].descr, y[i].shape, y[i].data, y[i].size);
        open_fails(NPY TEST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, y[i].part);
    }
    write_small();
    open_fails(NPY TEST "classes = 4; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "y.npy: label 0 is 4, expected 0 .. 3");
    open_fails(NPY TEST "bins = 3; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.bins: the frames have 2 steps");
    open_fails(NPY TEST "downsample = 2; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.downsample: frames are used as they are; expected 1");
    open_fails(NPY TEST "repeat = 2; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.repeat: frames are used as they are; expected 1");
    open_fails(NPY TEST "rounding = \"ceil\"; bin_us = 5; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.rounding: frames are used as they are; expected \"floor\"");
    open_fails(NPY TEST "merge_polarity = true; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.merge_polarity: frames are used as they are; expected false");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(bytes),
        IN_TEMP(floats),
        IN_TEMP(label_types),
        IN_TEMP(both_parts),
        IN_TEMP(classes_are_counted),
        IN_TEMP(places),
        IN_TEMP(bad_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
