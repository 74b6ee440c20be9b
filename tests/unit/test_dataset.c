/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening data sets by a config and reading their samples: N-MNIST, lists, DVS128 Gesture's other layouts, the camera. */
#include "dataset_test.h"

#include <fcntl.h>
#include <math.h>

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)
#define NMNIST "dataset = { name = \"nmnist\"; path = \"%s\"; bins = 3; "
#define GESTURE "dataset = { name = \"dvs128_gesture\"; path = \"%s\"; downsample = 4; "

/* n events at x, y = 1, times 0, 1, ... */
static void write_bs2(const char *name, int x, int n) {
    uint8_t b[500] = {0};
    for (int i = 0; i < n; i++) {
        b[5 * i] = (uint8_t)x;
        b[5 * i + 1] = 1;
        b[5 * i + 4] = (uint8_t)i;
    }
    write_file(name, b, (size_t)n * 5);
}

static void check_sample_name(const snn_dataset *d, size_t i, const char *expected) {
    char name[64];
    assert_string_equal(snn_dataset_sample(d, i, name, sizeof name), expected);
}

static void make_nmnist(void) {
    make_folder("Train");
    make_folder("Test");
    make_folder("Train/0");
    make_folder("Train/9");
    make_folder("Test/3");
    write_bs2("Train/9/00002.bin", 9, 4);
    write_bs2("Train/0/00011.bin", 2, 5);
    write_bs2("Train/0/00003.bin", 3, 6);
    write_text("Train/0/.hidden.bin", "x");
    write_text("Train/0/readme.txt", "x");
    write_text("Train/0/.bin", "x");
    write_bs2("Test/3/00001.bin", 33, 7);
}

static void nmnist_official(void **state) {
    (void)state;
    make_nmnist();
    snn_dataset *d = open_ok(NMNIST "};", SNN_SPLIT_ALL);
    const snn_dataset_info *info = snn_dataset_about(d);
    assert_string_equal(info->name, "nmnist");
    assert_int_equal(info->classes, 10);
    assert_string_equal(info->class_name[0], "0");
    assert_string_equal(info->class_name[9], "9");
    assert_memory_equal(info->sensor, ((uint32_t[]){2, 34, 34}), 12);
    assert_memory_equal(info->input, ((uint32_t[]){2, 34, 34}), 12);
    assert_int_equal(info->steps, 3);
    assert_true(info->has_events);
    assert_string_equal(info->folder, temp);
    assert_int_equal(snn_dataset_count(d), 4);
    check_sample_name(d, 0, "Train/0/00003.bin");
    check_sample_name(d, 1, "Train/0/00011.bin");
    check_sample_name(d, 2, "Train/9/00002.bin");
    check_sample_name(d, 3, "Test/3/00001.bin");
    const int label[] = {0, 0, 9, 3}, x[] = {3, 2, 9, 33}, n[] = {6, 5, 4, 7};
    snn_dataset_buffer b = {0};
    snn_spikes s = {0};
    snn_error err = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(snn_dataset_label(d, i), label[i]);
        assert_true(snn_dataset_events(d, i, &b, &err));
        assert_int_equal(b.events.n, n[i]);
        check_event(&b.events.event[n[i] - 1], n[i] - 1, x[i], 1, 0);
    }
    assert_int_equal(b.events_read, 22);
    assert_int_equal(b.events_dropped, 0);
    assert_true(b.read_seconds > 0);
    assert_true(b.frame_seconds == 0);
    /* 7 events in 0..6 us, 3 bins of 2 us: the last one is dropped */
    assert_true(snn_dataset_frames(d, 3, &b, &s, &err));
    assert_int_equal(s.size, 2312);
    assert_int_equal(s.steps, 3);
    assert_int_equal(s.first[3], 3);
    assert_int_equal(s.spike[2].index, 34 + 33);
    assert_int_equal(s.spike[2].count, 2);
    assert_int_equal(b.events_dropped, 1);
    assert_true(snn_dataset_frames(d, 3, &b, &s, &err));
    assert_int_equal(b.events_dropped, 2);
    assert_true(b.frame_seconds > 0 && b.frame_seconds < 60);
    assert_true(b.read_seconds < 60);
    assert_false(snn_dataset_events(d, 4, &b, &err));
    check_error(&err, SNN_ERR_USAGE, "sample 4 of 4");
    assert_false(snn_dataset_frames(d, 4, &b, &s, &err));
    snn_spikes_free(&s);
    snn_dataset_buffer_free(&b);
    assert_null(b.bytes);
    assert_int_equal(b.events.width, 0);
    assert_true(b.read_seconds == 0);
    int fd = d->folder_fd;
    snn_dataset_free(d);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
    snn_dataset_free(NULL);
    d = open_ok(NMNIST "};", SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 3);
    snn_dataset_free(d);
    d = open_ok(NMNIST "};", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1);
    check_sample_name(d, 0, "Test/3/00001.bin");
    snn_dataset_free(d);
}

/* Readers take the sensor's sides from the data set, each in its place. */
static void sensors_need_not_be_square(void **state) {
    (void)state;
    make_nmnist();
    snn_dataset *d = open_ok(NMNIST "};", SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    d->info.sensor[1] = 1;
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA,
                "byte 0: event at x = 33, y = 1, channel 0 lies outside the sensor of 34 x 1 x 2");
    d->info.sensor[1] = 2;
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.width, 34);
    assert_int_equal(b.events.height, 2);
    assert_int_equal(b.events.channels, 2);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void nmnist_problems(void **state) {
    (void)state;
    open_fails("dataset = { name = \"nmnist\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "https://www.garrickorchard.com/datasets/n-mnist");
    open_fails("dataset = { name = \"nmnist\"; path = \"%s/nowhere\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "test.cfg:1: dataset.path: cannot open the folder");
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "no recordings Test/<digit>/<number>.bin; unpack N-MNIST's Test.zip there, or name a list of "
               "recordings with dataset.test_list");
    make_nmnist();
    assert_int_equal(symlink("nowhere", in_temp("Test/3/00002.bin")), 0);
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, "Test/3/00002.bin: a link that leads nowhere");
    assert_int_equal(unlink(in_temp("Test/3/00002.bin")), 0);
    write_text("Test/3/00002.bin", "123456789012");
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "Test/3/00002.bin: byte 10: the recording is cut off inside an event (12 bytes are not a "
               "multiple of 5)");
    open_fails(NMNIST "};", SNN_SPLIT_ALL, SNN_ERR_DATA, "Test/3/00002.bin");
    snn_dataset_free(open_ok(NMNIST "};", SNN_SPLIT_TRAIN)); /* the other part is not looked at */
    assert_int_equal(truncate(in_temp("Test/3/00002.bin"), ((off_t)1 << 30) + 1), 0);
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "Test/3/00002.bin: 1073741825 bytes; a recording has at most 1 GiB");
    assert_int_equal(truncate(in_temp("Test/3/00002.bin"), (off_t)1 << 30), 0); /* 2^30 = 4 mod 5 */
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "Test/3/00002.bin: byte 1073741820: the recording is cut off");
    assert_int_equal(unlink(in_temp("Test/3/00002.bin")), 0);
    make_folder("Test/3/00002.bin");
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, "Test/3/00002.bin: not a file");
    assert_int_equal(rmdir(in_temp("Test/3/00002.bin")), 0);
    write_text("Test/4", "a file where a folder should be");
    open_fails(NMNIST "};", SNN_SPLIT_TEST, SNN_ERR_DATA, "Test/4: cannot open the folder: Not a directory");
}

static void recordings_that_change(void **state) {
    (void)state;
    make_nmnist();
    snn_dataset *d = open_ok(NMNIST "};", SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_spikes s = {0};
    snn_error err = {0};
    write_bs2("Test/3/00001.bin", 33, 8);
    assert_false(snn_dataset_frames(d, 0, &b, &s, &err));
    check_error(&err, SNN_ERR_DATA,
                "Test/3/00001.bin: its size changed since the data set was opened (35 bytes then)");
    write_bs2("Test/3/00001.bin", 33, 6);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA, "its size changed");
    write_bs2("Test/3/00001.bin", 34, 7);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA, "Test/3/00001.bin: byte 0: event at x = 34, y = 1");
    assert_int_equal(strncmp(err.text, temp, strlen(temp)), 0);
    uint8_t back[35];
    memset(back, 1, sizeof back);
    back[34] = 0;
    back[32] = 0x81;
    write_file("Test/3/00001.bin", back, sizeof back);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA,
                "Test/3/00001.bin: event 6 has time 65792 us after 65793 us; 1 of 7 events run back");
    assert_int_equal(b.events_read, 0); /* what failed is not counted */
    assert_int_equal(unlink(in_temp("Test/3/00001.bin")), 0);
    make_folder("Test/3/00001.bin");
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA, "Test/3/00001.bin: cannot read the recording: Is a directory");
    snn_spikes_free(&s);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void events_out_of_order_are_counted(void **state) {
    (void)state;
    uint8_t b[1000] = {0};
    for (int i = 0; i < 200; i++)
        b[5 * i + 4] = (uint8_t)(i == 100 ? 5 : i == 150 ? 7 : i);
    make_folder("Test");
    make_folder("Test/3");
    write_file("Test/3/1.bin", b, sizeof b);
    snn_dataset *d = open_ok(NMNIST "};", SNN_SPLIT_TEST);
    snn_dataset_buffer buffer = {0};
    snn_error err = {0};
    for (uint64_t round = 1; round <= 2; round++) {
        assert_true(snn_dataset_events(d, 0, &buffer, &err));
        assert_int_equal(buffer.events.out_of_order, 2);
        assert_int_equal(buffer.events_out_of_order, 2 * round);
        assert_int_equal(buffer.events_read, 200 * round);
        for (int i = 1; i < 200; i++)
            assert_true(buffer.events.event[i].t >= buffer.events.event[i - 1].t);
    }
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(d);
}

#define LISTED NMNIST "train_list = \"train.txt\"; test_list = \"test.txt\"; };"

static void lists(void **state) {
    (void)state;
    write_text("train.txt", "#sample #class\r\n3\t7\r\n1\t0\r\n");
    write_text("test.txt", "60001\t2\n12\t3\n14\t4\n15\t5\n");
    write_bs2("3.bs2", 3, 5);
    write_bs2("1.bs2", 1, 6);
    write_bs2("60001.bin", 4, 7);
    write_bs2("00012.bin", 5, 8);
    write_bs2("00014.bs2", 6, 9);
    write_bs2("14.bin", 7, 9); /* comes before the name in 5 digits */
    const uint8_t bs3[14] = {0x00, 0x80, 0x09, 1, 0, 0, 1, 0x02, 0x10, 0x21, 0, 0, 0, 2};
    write_file("15.bs3", bs3, sizeof bs3);
    snn_dataset *d = open_ok(LISTED, SNN_SPLIT_ALL);
    const char *name[] = {"3", "1", "60001", "12", "14", "15"};
    const int label[] = {7, 0, 2, 3, 4, 5}, n[] = {5, 6, 7, 8, 9, 2}, x[] = {3, 1, 4, 5, 7, 8};
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_int_equal(snn_dataset_count(d), 6);
    for (size_t i = 0; i < 6; i++) {
        check_sample_name(d, i, name[i]);
        assert_int_equal(snn_dataset_label(d, i), label[i]);
        assert_true(snn_dataset_events(d, i, &b, &err));
        assert_int_equal(b.events.n, n[i]);
        assert_int_equal(b.events.event[0].x, x[i]);
    }
    check_event(&b.events.event[0], 1, 8, 9, 1);
    check_event(&b.events.event[1], 2, 33, 33, 0);
    snn_dataset_free(d);
    d = open_ok(LISTED, SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 2);
    check_sample_name(d, 0, "3");
    snn_dataset_free(d);
    d = open_ok(LISTED, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 4);
    check_sample_name(d, 0, "60001");
    snn_dataset_free(d);
    /* .bs2 comes before .bs3, .bs3 before .bin */
    write_bs2("15.bin", 9, 4);
    d = open_ok(LISTED, SNN_SPLIT_TEST);
    assert_true(snn_dataset_events(d, 3, &b, &err));
    assert_int_equal(b.events.n, 2);
    snn_dataset_free(d);
    write_bs2("15.bs2", 10, 3);
    d = open_ok(LISTED, SNN_SPLIT_TEST);
    assert_true(snn_dataset_events(d, 3, &b, &err));
    assert_int_equal(b.events.n, 3);
    snn_dataset_free(d);
    snn_dataset_buffer_free(&b);
}

static void one_list(void **state) {
    (void)state;
    write_text("test.txt", "2\t1\n");
    write_bs2("2.bs2", 1, 6);
    snn_dataset *d = open_ok(NMNIST "test_list = \"test.txt\"; };", SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    open_fails(NMNIST "test_list = \"test.txt\"; };", SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "dataset.train_list: the training part is asked for, but only the other list is given");
    open_fails(NMNIST "train_list = \"test.txt\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.test_list: the test part is asked for, but only the other list is given");
    d = open_ok(NMNIST "train_list = \"test.txt\"; label_base = 1; };", SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_label(d, 0), 0);
    snn_dataset_free(d);
}

static void bad_lists(void **state) {
    (void)state;
    char part[256];
    write_bs2("2.bs2", 1, 6);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, "test.txt");
    write_text("test.txt", "2\t1\n\n30\t4\n");
    snprintf(part, sizeof part, "%s/test.txt: line 3: no recording 30.bs2, .bs3 or .bin in %s", temp, temp);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    assert_int_equal(mkfifo(in_temp("31.bs2"), 0600), 0);
    write_text("test.txt", "2\t1\n31\t4\n");
    snprintf(part, sizeof part, "%s/test.txt: line 2: %s/31.bs2: not a file", temp, temp);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    assert_int_equal(unlink(in_temp("31.bs2")), 0);
    assert_int_equal(unlink(in_temp("test.txt")), 0);
    assert_int_equal(mkfifo(in_temp("test.txt"), 0600), 0); /* nobody writes: opening it would not return */
    snprintf(part, sizeof part, "%s/test.txt: not a file", temp);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    assert_int_equal(unlink(in_temp("test.txt")), 0);
    write_text("test.txt", "2\t10\n");
    snprintf(part, sizeof part, "%s/test.txt: line 1: class 10 is not in 0 .. 9", temp);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    write_text("test.txt", "2\t1\n3\t1\n");
    write_text("3.bs3", "123456");
    snprintf(part, sizeof part,
             "%s/3.bs3: byte 0: the recording is cut off inside an event (6 bytes are not a multiple of 7)",
             temp);
    open_fails(LISTED, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
}

/* Lists are looked up in the folder, by an absolute path, or from the current folder. */
static void places_of_lists(void **state) {
    (void)state;
    char cwd[512], config[1024];
    snn_error err = {0};
    make_folder("recordings");
    make_folder("lists");
    write_bs2("recordings/2.bs2", 1, 6);
    write_text("lists/a.txt", "2\t1\n");
    snprintf(config, sizeof config, NMNIST "test_list = \"%%s/lists/a.txt\"; };", in_temp("recordings"));
    snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
    snn_dataset_free(d);
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(chdir(temp), 0);
    d = open_text("dataset = { name = \"nmnist\"; path = \"recordings\"; test_list = \"lists/a.txt\"; };",
                  SNN_SPLIT_TEST, &err);
    assert_int_equal(chdir(cwd), 0);
    assert_non_null(d);
    snn_dataset_buffer b = {0};
    assert_true(snn_dataset_events(d, 0, &b, &err)); /* the folder stays open */
    snn_dataset_free(d);
    /* the list beside the recordings wins */
    make_folder("recordings/lists");
    write_text("recordings/lists/a.txt", "2\t5\n");
    assert_int_equal(chdir(temp), 0);
    d = open_text("dataset = { name = \"nmnist\"; path = \"recordings\"; test_list = \"lists/a.txt\"; };",
                  SNN_SPLIT_TEST, &err);
    assert_int_equal(chdir(cwd), 0);
    assert_int_equal(snn_dataset_label(d, 0), 5);
    snn_dataset_free(d);
    snn_dataset_buffer_free(&b);
}

static void check_expanded(const char *path, const char *expected) {
    snn_error err = {0};
    char *p = snn_path_expand(path, &err);
    assert_string_equal(p, expected);
    free(p);
}

static void data_variable(void **state) {
    (void)state;
    char before[1024] = "";
    const char *old = getenv("SNNSIM_DATA");
    if (old != NULL)
        snprintf(before, sizeof before, "%s", old);
    setenv("SNNSIM_DATA", "/somewhere", 1);
    check_expanded("$SNNSIM_DATA/nmnist", "/somewhere/nmnist");
    check_expanded("$SNNSIM_DATA", "/somewhere");
    check_expanded("$SNNSIM_DATA2/x", "$SNNSIM_DATA2/x");
    check_expanded("/a/$SNNSIM_DATA", "/a/$SNNSIM_DATA");
    check_expanded("plain", "plain");
    check_expanded("", "");
    setenv("SNNSIM_DATA", "", 1);
    check_expanded("$SNNSIM_DATA/nmnist", "../shared/data/nmnist");
    unsetenv("SNNSIM_DATA");
    check_expanded("$SNNSIM_DATA/nmnist", "../shared/data/nmnist");
    if (old != NULL)
        setenv("SNNSIM_DATA", before, 1);
}

static void gesture_lists(void **state) {
    (void)state;
    write_text("labels.txt", "#sample #class\n1\t1\n8\t11\n");
    write_bs2("1.bs2", 127, 20);
    write_bs2("8.bs2", 0, 20);
    snn_dataset *d = open_ok(GESTURE "test_list = \"labels.txt\"; label_base = 1; };", SNN_SPLIT_TEST);
    const snn_dataset_info *info = snn_dataset_about(d);
    assert_string_equal(info->name, "dvs128_gesture");
    for (int i = 0; i < 11; i++)
        assert_string_equal(info->class_name[i], snn_gesture_name[i]);
    assert_int_equal(info->classes, 11);
    assert_memory_equal(info->sensor, ((uint32_t[]){2, 128, 128}), 12);
    assert_memory_equal(info->input, ((uint32_t[]){2, 32, 32}), 12);
    assert_int_equal(info->steps, 15);
    assert_int_equal(snn_dataset_label(d, 1), 10);
    snn_dataset_buffer b = {0};
    snn_spikes s = {0};
    snn_error err = {0};
    assert_true(snn_dataset_frames(d, 0, &b, &s, &err));
    assert_int_equal(s.size, 2048);
    assert_int_equal(s.spike[0].index, 31);
    snn_dataset_free(d);
    /* the overflow marker belongs to N-MNIST alone */
    const uint8_t marker[] = {0, 240, 0, 0, 0};
    write_file("8.bs2", marker, 5);
    d = open_ok(GESTURE "test_list = \"labels.txt\"; label_base = 1; };", SNN_SPLIT_TEST);
    assert_false(snn_dataset_events(d, 1, &b, &err));
    check_error(&err, SNN_ERR_DATA, "y = 240");
    snn_dataset_free(d);
    snn_spikes_free(&s);
    snn_dataset_buffer_free(&b);
    d = open_ok(GESTURE "train_list = \"labels.txt\"; label_base = 1; };", SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 2);
    snn_dataset_free(d);
    open_fails(GESTURE "test_list = \"labels.txt\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "line 3: class 11 is not in 0 .. 10");
    open_fails(GESTURE "};", SNN_SPLIT_TEST, SNN_ERR_DATA, "no trials of this part");
}

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

static void tonic_release(void **state) {
    (void)state;
    const double v[3][4] = {{127, 0, 1, 53.001}, {0, 127, 0, 53.001}, {5, 6, 1, 54.0006}};
    make_folder("ibmGestureTrain");
    make_folder("ibmGestureTrain/user02_led");
    make_folder("ibmGestureTrain/user01_lab");
    write_npy("ibmGestureTrain/user02_led/10.npy", "<f8", "(3, 4)", v, sizeof v);
    write_npy("ibmGestureTrain/user02_led/9.npy", "<f8", "(1, 4)", v, sizeof v / 3);
    write_npy("ibmGestureTrain/user01_lab/0.npy", "<f8", "(0, 4)", v, 0);
    write_npy("ibmGestureTrain/user01_lab/11.npy", "<f8", "(0, 4)", v, 0); /* no such class */
    snn_dataset *d = open_ok(GESTURE "};", SNN_SPLIT_TRAIN);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_int_equal(snn_dataset_count(d), 3);
    check_sample_name(d, 0, "ibmGestureTrain/user01_lab/0.npy");
    check_sample_name(d, 1, "ibmGestureTrain/user02_led/9.npy");
    check_sample_name(d, 2, "ibmGestureTrain/user02_led/10.npy");
    assert_int_equal(snn_dataset_label(d, 2), 10);
    assert_true(snn_dataset_events(d, 2, &b, &err));
    assert_int_equal(b.events.n, 3);
    check_event(&b.events.event[0], 53001, 127, 0, 1);
    check_event(&b.events.event[1], 53001, 0, 127, 0);
    check_event(&b.events.event[2], 54001, 5, 6, 1);
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.n, 0);
    write_npy("ibmGestureTrain/user02_led/10.npy", "<f8", "(4, 3)", v, sizeof v);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "10.npy: expected a float64 array [events][4]");
    write_npy("ibmGestureTrain/user02_led/10.npy", "<f8", "(12,)", v, sizeof v);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "10.npy: expected a float64 array [events][4]");
    write_npy("ibmGestureTrain/user02_led/10.npy", "<f4", "(6, 4)", v, sizeof v);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "10.npy: expected a float64 array [events][4]");
    write_text("ibmGestureTrain/user02_led/9.npy", "odd"); /* seen when it is read */
    snn_dataset_free(open_ok(GESTURE "};", SNN_SPLIT_TRAIN));
    const double outside[4] = {128, 0, 0, 1};
    write_npy("ibmGestureTrain/user02_led/10.npy", "<f8", "(1, 4)", outside, sizeof outside);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA,
                "10.npy: event 0: x = 128, y = 0, polarity = 0 lies outside the sensor of 128 x 128 x 2");
    snn_dataset_free(d);
    snn_dataset_buffer_free(&b);
    open_fails(GESTURE "};", SNN_SPLIT_ALL, SNN_ERR_DATA, "ibmGestureTest: cannot open the folder");
    make_folder("ibmGestureTest");
    make_folder("ibmGestureTest/user24_led");
    write_npy("ibmGestureTest/user24_led/4.npy", "<f8", "(3, 4)", v, sizeof v);
    d = open_ok(GESTURE "};", SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 4);
    check_sample_name(d, 3, "ibmGestureTest/user24_led/4.npy");
    snn_dataset_free(d);
    d = open_ok(GESTURE "};", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    make_folder("ibmGestureTest/user24_led/5.npy");
    open_fails(GESTURE "};", SNN_SPLIT_TEST, SNN_ERR_DATA, "user24_led/5.npy: not a file");
}

static void float_events(void **state) {
    (void)state;
    const double bad[][4] = {
        {-1, 0, 0, 0},  {0, -1, 0, 0}, {0, 34, 0, 0},        {0, 0, 2, 0},           {0, 0, -1, 0},
        {0.5, 0, 0, 0}, {0, 0, 0, -1}, {0, 0, 0, 1.0001e12}, {0, 0, 0, (double)NAN}, {(double)NAN, 0, 0, 0}};
    snn_events e = {.width = 34, .height = 34, .channels = 2};
    snn_error err = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const double two[8] = {33, 33, 1, 0, bad[i][0], bad[i][1], bad[i][2], bad[i][3]};
        assert_false(snn_events_npy_decode(two, 2, &e, &err));
        check_error(&err, SNN_ERR_DATA, "event 1: ");
    }
    e.height = 33;
    assert_false(snn_events_npy_decode((const double[4]){7, 33, 1, 0}, 1, &e, &err));
    check_error(&err, SNN_ERR_DATA,
                "event 0: x = 7, y = 33, polarity = 1 lies outside the sensor of 34 x 33 x 2");
    e.height = 34;
    e.n = 0;
    const double good[8] = {33, 33, 1, 0, 0, 0, 0, 1e12};
    assert_true(snn_events_npy_decode(good, 2, &e, &err));
    check_event(&e.event[0], 0, 33, 33, 1);
    check_event(&e.event[1], 1000000000000000, 0, 0, 0);
    assert_true(snn_events_npy_decode(good, 1, &e, &err)); /* appends */
    assert_int_equal(e.n, 3);
    snn_events_free(&e);
}

#define CAMERA                                                                                               \
    "dataset = { name = \"dvs128_gesture\"; downsample = 4; camera = { train_subjects = 2; test_subjects = " \
    "1; takes = 3; seconds = 0.1; }; };"

static void camera(void **state) {
    (void)state;
    snn_dataset *d = open_ok(CAMERA, SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 3 * 11 * 3);
    assert_string_equal(snn_dataset_about(d)->folder, "");
    assert_int_equal(snn_dataset_about(d)->classes, 11);
    char expected[64];
    /* order: subject, gesture, take */
    size_t i = 0;
    for (int subject = 1; subject <= 3; subject++)
        for (int gesture = 0; gesture < 11; gesture++)
            for (int take = 1; take <= 3; take++, i++) {
                snprintf(expected, sizeof expected, "subject%02d_take%d:%s", subject, take,
                         snn_gesture_name[gesture]);
                check_sample_name(d, i, expected);
                assert_int_equal(snn_dataset_label(d, i), gesture);
            }
    /* the recording is the camera's own */
    snn_config *c = snn_config_parse(CAMERA, "c", NULL);
    snn_camera settings;
    snn_events direct = {0};
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_true(snn_camera_from_config(c, &settings, &err));
    assert_true(snn_camera_record(&settings, 2, 5, 1, &direct, &err));
    assert_true(snn_dataset_events(d, (size_t)(11 + 5) * 3 + 1, &b, &err));
    assert_true(b.events.n > 0);
    assert_int_equal(b.events.n, direct.n);
    for (size_t k = 0; k < direct.n; k++)
        check_event(&b.events.event[k], direct.event[k].t, direct.event[k].x, direct.event[k].y,
                    direct.event[k].polarity);
    snn_events_free(&direct);
    snn_dataset_buffer_free(&b);
    snn_config_free(c);
    snn_dataset_free(d);
    d = open_ok(CAMERA, SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 66);
    snn_dataset_free(d);
    d = open_ok(CAMERA, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 33);
    snprintf(expected, sizeof expected, "subject03_take1:%s", snn_gesture_name[0]);
    check_sample_name(d, 0, expected);
    snn_dataset_free(d);
    open_fails(
        "dataset = { name = \"dvs128_gesture\"; camera = { train_subjects = 100000; takes = 1000; }; };",
        SNN_SPLIT_TEST, SNN_ERR_USAGE, "are more than 16777216 recordings");
}

static void framing_keys(void **state) {
    (void)state;
    make_nmnist();
    snn_dataset *d =
        open_ok(NMNIST "bin_us = 7; from_zero = true; downsample = 3; binary = true; merge_polarity = true; "
                       "rounding = \"ceil\"; repeat = 2; };",
                SNN_SPLIT_TEST);
    const snn_framing *f = &snn_dataset_about(d)->framing;
    assert_int_equal(f->mode, SNN_FRAME_WIDTH);
    assert_int_equal(f->bins, 3);
    assert_int_equal(f->bin_us, 7);
    assert_true(f->from_zero && f->binary && f->merge_polarity);
    assert_int_equal(f->downsample, 3);
    assert_int_equal(f->rounding, SNN_ROUND_CEIL);
    assert_int_equal(f->repeat, 2);
    assert_memory_equal(snn_dataset_about(d)->input, ((uint32_t[]){2, 12, 12}), 12);
    snn_dataset_free(d);
    d = open_ok(NMNIST "bin_us = 7; rounding = \"nearest\"; };", SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_about(d)->framing.rounding, SNN_ROUND_NEAREST);
    snn_dataset_free(d);
    open_fails(NMNIST "rounding = \"nearest\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.rounding: bins of fixed width are rounded; give their width in dataset.bin_us");
    open_fails(NMNIST "rounding = \"ceil\"; bin_us = 0; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "dataset.rounding: bins of fixed width");
    d = open_ok(NMNIST "rounding = \"floor\"; };", SNN_SPLIT_TEST);
    snn_dataset_free(d);
    d = open_ok(NMNIST "};", SNN_SPLIT_TEST);
    f = &snn_dataset_about(d)->framing;
    assert_int_equal(f->mode, SNN_FRAME_BINS);
    assert_false(f->from_zero || f->binary || f->merge_polarity);
    assert_int_equal(f->downsample, 1);
    assert_int_equal(f->rounding, SNN_ROUND_FLOOR);
    assert_int_equal(f->repeat, 1);
    snn_dataset_free(d);
    open_fails("dataset = { path = \"%s\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "which data set: nmnist, dvs128_gesture, shd, braille, eegmmidb or npy");
}

static void sample_table(void **state) {
    (void)state;
    snn_table t = {0};
    snn_error err = {0};
    snn_sample s = {.label = 1};
    assert_string_equal(snn_table_text(&t, &s), "");
    assert_true(snn_table_path(&t, "first", &s.path, &err));
    assert_true(snn_table_add(&t, &s, &err));
    assert_true(snn_table_path(&t, "", &s.path, &err));
    assert_true(snn_table_add(&t, &s, &err));
    assert_true(snn_table_path(&t, "third/one", &s.path, &err));
    assert_true(snn_table_add(&t, &s, &err));
    assert_string_equal(snn_table_text(&t, &t.sample[0]), "first");
    assert_string_equal(snn_table_text(&t, &t.sample[1]), "");
    assert_string_equal(snn_table_text(&t, &t.sample[2]), "third/one");
    assert_int_equal(t.n, 3);
    assert_int_equal(t.used, 1 + 6 + 1 + 10);
    t.n = SNN_SAMPLES_MAX;
    assert_false(snn_table_add(&t, &s, &err));
    check_error(&err, SNN_ERR_DATA, "more than 16777216 samples");
    t.used = UINT32_MAX - 3;
    assert_false(snn_table_path(&t, "four", &s.path, &err));
    check_error(&err, SNN_ERR_DATA, "more than 4 GiB");
    snn_table_free(&t);
    assert_null(t.sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(nmnist_official),
        IN_TEMP(nmnist_problems),
        IN_TEMP(recordings_that_change),
        IN_TEMP(events_out_of_order_are_counted),
        IN_TEMP(lists),
        IN_TEMP(one_list),
        IN_TEMP(bad_lists),
        IN_TEMP(places_of_lists),
        IN_TEMP(gesture_lists),
        cmocka_unit_test(data_variable),
        IN_TEMP(tonic_release),
        cmocka_unit_test(float_events),
        cmocka_unit_test(camera),
        IN_TEMP(framing_keys),
        IN_TEMP(sensors_need_not_be_square),
        cmocka_unit_test(sample_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
