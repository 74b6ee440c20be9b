/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DVS128 Gesture's trials: label files, lists of trials, and reading one gesture out of a trial. */
#include "aedat_test.h"

static void label_rows(void **state) {
    (void)state;
    const char text[] =
        "class,startTime_usec,endTime_usec\r\n1,53036986,59508469\r\n\n 11 , 0 , 9223372036854775807 \n8,5,6";
    snn_gesture_label *l;
    size_t n;
    snn_error err = {0};
    assert_true(snn_labels_parse(text, sizeof text - 1, &l, &n, &err));
    assert_int_equal(n, 3);
    assert_int_equal(l[0].label, 0);
    assert_int_equal(l[0].start, 53036986);
    assert_int_equal(l[0].end, 59508469);
    assert_int_equal(l[0].line, 2);
    assert_int_equal(l[1].label, 10);
    assert_int_equal(l[1].start, 0);
    assert_true(l[1].end == INT64_MAX);
    assert_int_equal(l[1].line, 4);
    assert_int_equal(l[2].label, 7);
    assert_int_equal(l[2].end, 6);
    free(l);
    assert_true(snn_labels_parse("2,3,4\n", 6, &l, &n, &err)); /* without a heading */
    assert_int_equal(n, 1);
    free(l);
}

static void labels_fail(const char *text, const char *part) {
    snn_gesture_label *l;
    size_t n;
    snn_error err = {0};
    assert_false(snn_labels_parse(text, strlen(text), &l, &n, &err));
    free(l);
    check_error(&err, SNN_ERR_DATA, part);
}

static void bad_labels(void **state) {
    (void)state;
    labels_fail("", "no line `class,startTime_usec,endTime_usec`");
    labels_fail("class,startTime_usec,endTime_usec\n", "no line");
    labels_fail("class\nclass\n", "line 2: expected `class,startTime_usec,endTime_usec`, found \"class\"");
    labels_fail("?\n", "line 1: expected `class");
    labels_fail("1,2\n", "line 1: expected `class,startTime_usec,endTime_usec`, found \"1,2\"");
    labels_fail("1", "line 1: expected `class");
    labels_fail("1,", "line 1: expected `class");
    labels_fail("1;2;3", "line 1: expected `class");
    labels_fail("1,2,3,4", "line 1: expected three numbers, found \"1,2,3,4\"");
    labels_fail("1,-2,3", "line 1: expected `class");
    labels_fail("1,2,9223372036854775808", "line 1: expected `class");
    labels_fail("0,2,3", "line 1: class 0 is not in 1 .. 11");
    labels_fail("c\n12,2,3", "line 2: class 12 is not in 1 .. 11");
    labels_fail("1,3,2", "line 1: the gesture ends at 2 us, not after its start at 3 us");
    labels_fail("1,2,3\n1,3,3", "line 2: the gesture ends at 3 us, not after its start at 3 us");
}

static void trial_names(void **state) {
    (void)state;
    const char text[] = "user01_led.aedat\r\n# comment\n\nuser02_lab.aedat";
    snn_names names = {0};
    snn_error err = {0};
    assert_true(snn_trials_parse(text, sizeof text - 1, &names, &err));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.name[0], "user01_led.aedat");
    assert_string_equal(names.name[1], "user02_lab.aedat");
    snn_names_free(&names);
    assert_null(names.name);
    assert_int_equal(names.n, 0);
    snn_names_free(&names);
}

static void trials_fail(const char *text, size_t size, const char *part) {
    snn_names names = {0};
    snn_error err = {0};
    assert_false(snn_trials_parse(text, size, &names, &err));
    check_error(&err, SNN_ERR_DATA, part);
    snn_names_free(&names);
}

static void bad_trial_names(void **state) {
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 195, ".aedat", 6); /* 201 characters */
    trials_fail("", 0, "no name of a trial");
    trials_fail("a.aedat\nb.csv\n", 14, "line 2: expected the name of an .aedat file, found \"b.csv\"");
    trials_fail("a.csv", 5, "line 1: expected the name of an .aedat file, found \"a.csv\"");
    trials_fail("long_name.aeda", 14, "line 1: expected the name");
    trials_fail(".aedat", 6, "line 1: expected the name");
    trials_fail("../a.aedat", 10, "line 1: expected the name of an .aedat file, found \"../a.aedat\"");
    trials_fail("a\0b.aedat", 9, "line 1: expected the name of an .aedat file, found \"a?b.aedat\"");
    trials_fail(longest, 201, "line 1: expected the name");
    trials_fail("a.aedat\nb.aedat\na.aedat", 23, "line 3: a.aedat stands in the list already");
    snn_names names = {0};
    snn_error err = {0};
    memcpy(longest + 194, ".aedat", 6); /* 200 are allowed */
    assert_true(snn_trials_parse(longest, 200, &names, &err));
    assert_true(snn_trials_parse("a.aedat\nb.aedat\naa.aedat", 24, &names, &err)); /* appends */
    assert_int_equal(names.n, 4);
    assert_string_equal(names.name[3], "aa.aedat");
    snn_names_free(&names);
}

static void ranges(void **state) {
    (void)state;
    const snn_aedat_packet p[] = {{.first = 100, .end = 200, .t_first = 1000, .t_last = 1999},
                                  {.first = 200, .end = 300, .t_first = 2000, .t_last = 2999},
                                  {.first = 350, .end = 400, .t_first = 5000, .t_last = 5999}};
    static const struct {
        int64_t start, end;
        uint64_t first, last;
    } good[] = {{0, 1001, 100, 200},     {1999, 2000, 100, 200}, {1999, 2001, 100, 300},
                {2000, 5000, 200, 300},  {2999, 5001, 200, 400}, {5999, 9000, 350, 400},
                {3000, 5000, 0, 0}, /* in a pause */
                {0, INT64_MAX, 100, 400}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snn_gesture_label l = {.start = good[i].start, .end = good[i].end, .line = 7};
        uint64_t first = 1, end = 1;
        snn_error err = {0};
        assert_true(snn_gesture_range(p, 3, &l, &first, &end, &err));
        assert_int_equal(first, good[i].first);
        assert_int_equal(end, good[i].last);
    }
    static const int64_t bad[][2] = {{0, 1000}, {6000, 7000}};
    for (size_t i = 0; i < 2; i++) {
        snn_gesture_label l = {.start = bad[i][0], .end = bad[i][1], .line = 7};
        uint64_t first, end;
        snn_error err = {0};
        assert_false(snn_gesture_range(p, 3, &l, &first, &end, &err));
        check_error(&err, SNN_ERR_DATA, "outside the recording, which lasts from 1000 to 5999 us");
        check_error(&err, SNN_ERR_DATA, "line 7: the gesture from ");
        assert_false(snn_gesture_range(p, 0, &l, &first, &end, &err));
        check_error(&err, SNN_ERR_DATA, "outside the recording, which lasts from 0 to 0 us");
    }
}

/* A trial of four packets: 10 events at 1000.., 2000.., 3000.., 4000.. in steps of 100 us. */
static void write_trial(const char *name, const char *labels) {
    static aedat_bytes a;
    char file[64];
    a.n = 0;
    aedat_text(&a, AEDAT_TEXT);
    for (uint32_t i = 1; i <= 4; i++)
        aedat_packet(&a, i * 1000, 100, 10);
    snprintf(file, sizeof file, "%s.aedat", name);
    write_file(file, a.b, a.n);
    snprintf(file, sizeof file, "%s_labels.csv", name);
    write_text(file, labels);
}

#define GESTURE "dataset = { name = \"dvs128_gesture\"; path = \"%s\"; downsample = 4; };"
#define HEADING "class,startTime_usec,endTime_usec\n"

static void reads_gestures(void **state) {
    (void)state;
    write_trial("user01_led", HEADING "4,1500,3100\n11,3100,9000\n");
    write_trial("user24_lab", HEADING "1,1000,1100\n");
    write_text("trials_to_train.txt", "user01_led.aedat\n");
    write_text("trials_to_test.txt", "user24_lab.aedat\n");
    snn_dataset *d = open_ok(GESTURE, SNN_SPLIT_ALL);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    char name[64];
    assert_int_equal(snn_dataset_count(d), 3);
    assert_string_equal(snn_dataset_sample(d, 0, name, sizeof name), "user01_led:1");
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "user01_led:2");
    assert_string_equal(snn_dataset_sample(d, 2, name, sizeof name), "user24_lab:1");
    assert_int_equal(snn_dataset_label(d, 0), 3);
    assert_int_equal(snn_dataset_label(d, 1), 10);
    assert_int_equal(snn_dataset_label(d, 2), 0);
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.n, 5 + 10 + 1); /* 1500..1900, 2000..2900, 3000 */
    check_event(&b.events.event[0], 0, 1, 2, 1);
    check_event(&b.events.event[5], 500, 1, 2, 1);
    check_event(&b.events.event[15], 1500, 1, 2, 1);
    assert_true(snn_dataset_events(d, 1, &b, &err));
    assert_int_equal(b.events.n, 9 + 10);
    assert_true(snn_dataset_events(d, 2, &b, &err));
    assert_int_equal(b.events.n, 1);
    assert_int_equal(b.events_read, 16 + 19 + 1);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    d = open_ok(GESTURE, SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 2);
    snn_dataset_free(d);
    d = open_ok(GESTURE, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1);
    assert_int_equal(snn_dataset_label(d, 0), 0);
    snn_dataset_free(d);
    assert_int_equal(unlink(in_temp("trials_to_train.txt")), 0);
    d = open_ok(GESTURE, SNN_SPLIT_TEST); /* one list is enough for its part */
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    open_fails(GESTURE, SNN_SPLIT_TRAIN, SNN_ERR_DATA, "trials_to_train.txt");
    assert_int_equal(rename(in_temp("trials_to_test.txt"), in_temp("trials_to_train.txt")), 0);
    d = open_ok(GESTURE, SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 1);
    snn_dataset_free(d);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, "trials_to_test.txt");
    assert_int_equal(rename(in_temp("trials_to_train.txt"), in_temp("trials_to_test.txt")), 0);
    /* in a pause: no events, but no error */
    write_trial("user24_lab", "1,1000,1100\n2,1950,1960\n");
    d = open_ok(GESTURE, SNN_SPLIT_TEST);
    assert_true(snn_dataset_events(d, 1, &b, &err));
    assert_int_equal(b.events.n, 0);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void users_without_lists(void **state) {
    (void)state;
    write_trial("user23_led", "1,1000,2000\n");
    write_trial("user24_led", "2,1000,2000\n");
    write_trial("other", "3,1000,2000\n");
    char name[64];
    snn_dataset *d = open_ok(GESTURE, SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 3);
    assert_string_equal(snn_dataset_sample(d, 0, name, sizeof name), "other:1");
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "user23_led:1");
    assert_string_equal(snn_dataset_sample(d, 2, name, sizeof name), "user24_led:1");
    snn_dataset_free(d);
    d = open_ok(GESTURE, SNN_SPLIT_TRAIN);
    assert_int_equal(snn_dataset_count(d), 2);
    snn_dataset_free(d);
    d = open_ok(GESTURE, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1);
    assert_int_equal(snn_dataset_label(d, 0), 1);
    snn_dataset_free(d);
    assert_int_equal(unlink(in_temp("user24_led.aedat")), 0);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, "no trials of this part");
}

/* The text in front of the packets may have any length. */
static void odd_sizes(void **state) {
    (void)state;
    static aedat_bytes a;
    aedat_text(&a, "#!AER-DAT3.1\n#\n"); /* 15 bytes */
    aedat_packet(&a, 1000, 100, 10);
    assert_int_equal(a.n % 2, 1);
    write_file("user01_led.aedat", a.b, a.n);
    write_text("user01_led_labels.csv", "1,1000,2000\n");
    snn_dataset *d = open_ok(GESTURE, SNN_SPLIT_TRAIN);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.n, 10);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void broken_trials(void **state) {
    (void)state;
    char part[256];
    write_trial("user24_lab", "1,1000,1100\n\n2,9000,9100\n");
    write_text("trials_to_test.txt", "user24_lab.aedat\n");
    snprintf(part, sizeof part,
             "trial 1 of trials_to_test.txt: %s/user24_lab_labels.csv: line 3: the gesture from 9000", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    write_trial("user24_lab", "1,1000,1100\n2,9,8\n");
    snprintf(part, sizeof part, "%s/user24_lab_labels.csv: line 2: the gesture ends", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    assert_int_equal(unlink(in_temp("user24_lab_labels.csv")), 0);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, "user24_lab_labels.csv");
    write_trial("user24_lab", "1,1000,1100\n");
    write_text("trials_to_test.txt", "user24_lab.aedat\nuser25_lab.aedat\n");
    snprintf(part, sizeof part, "trial 2 of trials_to_test.txt: no recording user25_lab.aedat in %s", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    write_text("trials_to_test.txt", "user24_lab.csv\n");
    snprintf(part, sizeof part, "%s/trials_to_test.txt: line 1: expected the name", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    write_text("trials_to_test.txt", "user24_lab.aedat\n");
    write_text("user24_lab.aedat", "#!AER-DAT2.0\r\n");
    snprintf(part, sizeof part, "%s/user24_lab.aedat: byte 0: not an AEDAT 3.1 file", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
    assert_int_equal(unlink(in_temp("user24_lab.aedat")), 0);
    make_folder("user24_lab.aedat");
    snprintf(part, sizeof part, "%s/user24_lab.aedat: not a file", temp);
    open_fails(GESTURE, SNN_SPLIT_TEST, SNN_ERR_DATA, part);
}

static void changes_after_opening(void **state) {
    (void)state;
    write_trial("user24_lab", "1,4100,5000\n2,1100,1200\n");
    write_text("trials_to_test.txt", "user24_lab.aedat\n");
    snn_dataset *d = open_ok(GESTURE, SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    FILE *f =
        fopen(in_temp("user24_lab.aedat"), "r+b"); /* an event of the last packet jumps out of the sensor */
    assert_int_equal(fseek(f, -5, SEEK_END), 0);
    fputc(0xff, f);
    fclose(f);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    char part[256]; /* 60 + 4 * 108 - 8 */
    snprintf(part, sizeof part, "%s/user24_lab.aedat: byte 484: event at x = ", temp);
    check_error(&err, SNN_ERR_DATA, part);
    assert_true(snn_dataset_events(d, 1, &b, &err)); /* another packet */
    assert_int_equal(b.events.n, 1);
    assert_int_equal(truncate(in_temp("user24_lab.aedat"), 480), 0);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA, "its size changed since the data set was opened");
    assert_int_equal(unlink(in_temp("user24_lab.aedat")), 0);
    assert_false(snn_dataset_events(d, 0, &b, &err));
    check_error(&err, SNN_ERR_DATA, "user24_lab.aedat: cannot open the recording: No such file");
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_rows),      cmocka_unit_test(bad_labels), cmocka_unit_test(trial_names),
        cmocka_unit_test(bad_trial_names), cmocka_unit_test(ranges),     IN_TEMP(reads_gestures),
        IN_TEMP(users_without_lists),      IN_TEMP(odd_sizes),           IN_TEMP(broken_trials),
        IN_TEMP(changes_after_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
