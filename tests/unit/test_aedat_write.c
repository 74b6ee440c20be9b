/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The AEDAT 3.1 writer, byte by byte, and the folder that the camera makes, read back through the readers. */
#include "dataset_test.h"
#include "../../datasets/aedat_write.h"

static snn_event event(int64_t t, uint16_t x, uint16_t y, uint8_t polarity) {
    return (snn_event){t, x, y, polarity};
}

static snn_events recording(snn_event *e, size_t n) {
    return (snn_events){.width = 128, .height = 128, .channels = 2, .event = e, .n = n};
}

static uint8_t *read_back(const char *name, size_t *size) {
    uint8_t *bytes;
    snn_error err = {0};
    assert_true(snn_file_read(in_temp(name), 1 << 24, &bytes, size, &err));
    return bytes;
}

static snn_aedat *begin(const char *name) {
    snn_error err = {0};
    snn_aedat *a = snn_aedat_create(in_temp(name), "DVS128", NULL, &err);
    assert_non_null(a);
    return a;
}

#define TEXT "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"

static void bytes_are_those_of_the_format(void **state) {
    (void)state;
    snn_error err = {0};
    snn_event list[] = {event(3, 1, 2, 1), event(0x01020304, 127, 64, 0)};
    snn_events e = recording(list, 2);
    snn_aedat *a = begin("two.aedat");
    assert_true(snn_aedat_append(a, &e, 10, &err));
    assert_int_equal(access(in_temp("two.aedat"), F_OK), -1); /* not before commit */
    assert_true(snn_aedat_commit(a, &err));
    static const uint8_t packet[] = {
        1,    0,    1,    0,    8,    0,    0,    0,    4, 0, 0, 0, 0, 0,
        0,    0,    2,    0,    0,    0,    2,    0,    0, 0, 2, 0, 0, 0, /* header */
        0x0b, 0x00, 0x02, 0x00, 13,   0,    0,    0,                      /* 1<<17 | 2<<2 | 1<<1 | 1 */
        0x01, 0x01, 0xfe, 0x00, 0x0e, 0x03, 0x02, 0x01,                   /* 127<<17 | 64<<2 | 0 | 1 */
    };
    size_t size;
    uint8_t *b = read_back("two.aedat", &size);
    assert_int_equal(size, strlen(TEXT) + sizeof packet);
    assert_memory_equal(b, TEXT, strlen(TEXT));
    assert_memory_equal(b + strlen(TEXT), packet, sizeof packet);
    free(b);
}

static void comment_stands_in_the_text(void **state) {
    (void)state;
    snn_error err = {0};
    snn_aedat *a = snn_aedat_create(in_temp("c.aedat"), "DVS128", "Comment: made", &err);
    assert_true(snn_aedat_commit(a, &err));
    size_t size;
    uint8_t *b = read_back("c.aedat", &size);
    assert_string_equal(
        (char *)b, "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Comment: made\r\n#!END-HEADER\r\n");
    free(b);
}

static uint32_t word(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void packets_are_cut_at_their_capacity(void **state) {
    (void)state;
    snn_error err = {0};
    enum { N = SNN_AEDAT_PACKET + 1 };
    snn_event *list = calloc(N, sizeof *list);
    for (int i = 0; i < N; i++)
        list[i] = event(i, (uint16_t)(i % 128), 0, 0);
    snn_events e = recording(list, N);
    snn_aedat *a = begin("long.aedat");
    assert_true(snn_aedat_append(a, &e, 0, &err));
    assert_true(snn_aedat_commit(a, &err));
    size_t size;
    uint8_t *b = read_back("long.aedat", &size);
    assert_int_equal(size, strlen(TEXT) + 2 * 28 + 8 * (size_t)N);
    const uint8_t *first = b + strlen(TEXT), *second = first + 28 + 8 * SNN_AEDAT_PACKET;
    assert_int_equal(word(first + 20), SNN_AEDAT_PACKET);
    assert_int_equal(word(first + 16), SNN_AEDAT_PACKET);
    assert_int_equal(word(second + 20), 1);
    assert_int_equal(word(second + 24), 1);
    assert_int_equal(word(second + 28 + 4), SNN_AEDAT_PACKET);
    free(b);
    free(list);
}

static void overflow_begins_a_packet(void **state) {
    (void)state;
    snn_error err = {0};
    snn_event list[] = {event(INT32_MAX, 0, 0, 0), event((int64_t)INT32_MAX + 1, 0, 0, 0)};
    snn_events e = recording(list, 2);
    snn_aedat *a = begin("over.aedat");
    assert_true(snn_aedat_append(a, &e, 0, &err));
    assert_true(snn_aedat_append(a, &e, (int64_t)4 << 31, &err));
    assert_true(snn_aedat_commit(a, &err));
    size_t size;
    uint8_t *b = read_back("over.aedat", &size);
    static const uint32_t overflow[] = {0, 1, 4, 5};
    assert_int_equal(size, strlen(TEXT) + 4 * 36);
    for (int i = 0; i < 4; i++) {
        const uint8_t *h = b + strlen(TEXT) + i * 36;
        assert_int_equal(word(h + 12), overflow[i]);
        assert_int_equal(word(h + 20), 1);
        assert_int_equal(word(h + 32), i % 2 ? 0 : INT32_MAX);
    }
    free(b);
}

static void refused(snn_events e, int64_t offset, const char *part) {
    snn_error err = {0};
    snn_aedat *a = begin("bad.aedat");
    assert_false(snn_aedat_append(a, &e, offset, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    snn_aedat_abandon(a);
    assert_int_equal(access(in_temp("bad.aedat"), F_OK), -1);
}

static void bad_events_are_refused(void **state) {
    (void)state;
    snn_event x = event(0, 128, 0, 0), y = event(0, 0, 128, 0), p = event(0, 0, 0, 2), t = event(5, 0, 0, 0);
    snn_event back[] = {event(5, 0, 0, 0), event(4, 0, 0, 0)};
    refused(recording(&x, 1), 0, "event 0 at (128, 0)");
    refused(recording(&y, 1), 0, "event 0 at (0, 128)");
    refused(recording(&p, 1), 0, "polarity 2");
    refused(recording(back, 2), 0, "event 1 at 4 us");
    refused(recording(&t, 1), -6, "runs back");
    refused(recording(&t, 1), INT64_MAX, "later than AEDAT 3.1 can say");
    refused(recording(&t, 1), ((int64_t)1 << 62) - 5, "later than AEDAT 3.1 can say");
    snn_events large = recording(&t, 1);
    large.width = 32769;
    refused(large, 0, "at most 32768 x 32768");
    snn_aedat_abandon(NULL);
}

static void unwritable_folder_is_an_error(void **state) {
    (void)state;
    snn_error err = {0};
    assert_null(snn_aedat_create(in_temp("none/x.aedat"), "DVS128", NULL, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_false(snn_aedat_labels_write(in_temp("none/x.csv"), NULL, 0, &err));
}

static void labels_count_from_one(void **state) {
    (void)state;
    snn_error err = {0};
    snn_aedat_label label[] = {{0, 5, 10}, {10, 5000000000, 5000000001}};
    assert_true(snn_aedat_labels_write(in_temp("l.csv"), label, 2, &err));
    size_t size;
    uint8_t *b = read_back("l.csv", &size);
    assert_string_equal((char *)b, "class,startTime_usec,endTime_usec\n1,5,10\n11,5000000000,5000000001\n");
    free(b);
}

/* ---- the folder ---- */

#define CAMERA "camera = { seed = 7; train_subjects = 2; test_subjects = 1; takes = 6; seconds = 0.05; };"

static snn_config *configured(const char *path) {
    char text[512];
    snn_error err = {0};
    snprintf(text, sizeof text,
             "dataset = { name = \"dvs128_gesture\"; path = \"%s\"; bins = 15; downsample = 4; " CAMERA " };",
             path);
    snn_config *c = snn_config_parse(text, "test", &err);
    if (!c)
        fail_msg("%s", err.text);
    return c;
}

static void count_progress(void *context, uint64_t done, uint64_t total) {
    uint64_t *last = context;
    assert_int_equal(done, *last + 1);
    assert_int_equal(total, 3 * 6 * 11);
    *last = done;
}

/* Sample i of the made folder has the events, label and order of the camera's own. */
static void same_recording(const snn_dataset *made, size_t i, int subject, int gesture, int take,
                           snn_dataset_buffer *buffer) {
    snn_error err = {0};
    snn_camera camera = {7, 2, 1, 6, 0.05};
    snn_events e = {0};
    assert_true(snn_camera_record(&camera, subject, gesture, take, &e, &err));
    if (!snn_dataset_events(made, i, buffer, &err))
        fail_msg("%s", err.text);
    assert_int_equal(snn_dataset_label(made, i), gesture);
    assert_int_equal(buffer->events.n, e.n);
    for (size_t k = 0; k < e.n; k++) {
        const snn_event *a = &e.event[k], *b = &buffer->events.event[k];
        if (a->t != b->t || a->x != b->x || a->y != b->y || a->polarity != b->polarity)
            fail_msg("sample %zu: event %zu differs", i, k);
    }
    snn_events_free(&e);
}

static void made_folder_reads_back(void **state) {
    (void)state;
    snn_error err = {0};
    uint64_t done = 0;
    snn_config *c = configured(""), *from = configured(in_temp("made"));
    if (!snn_dataset_make(c, in_temp("made"), count_progress, &done, &err))
        fail_msg("%s", err.text);
    assert_int_equal(done, 3 * 6 * 11);
    snn_dataset *train = snn_dataset_open(from, SNN_SPLIT_TRAIN, &err);
    if (!train)
        fail_msg("%s", err.text);
    snn_dataset *test = snn_dataset_open(from, SNN_SPLIT_TEST, &err);
    assert_non_null(test);
    assert_int_equal(snn_dataset_count(train), 2 * 6 * 11);
    assert_int_equal(snn_dataset_count(test), 6 * 11);
    snn_dataset_buffer buffer = {0};
    for (int take = 0; take < 6; take += 5)
        for (int g = 0; g < 11; g += 5) {
            same_recording(train, (size_t)(6 + take) * 11 + (size_t)g, 2, g, take, &buffer);
            same_recording(test, (size_t)take * 11 + (size_t)g, 3, g, take, &buffer);
        }
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(train);
    snn_dataset_free(test);
    snn_config_free(c);
    snn_config_free(from);
}

static void text_is(const char *name, const char *expected) {
    size_t size;
    uint8_t *b = read_back(name, &size);
    assert_string_equal((char *)b, expected);
    free(b);
}

/* Runs after made_folder_reads_back. */
static void made_folder_has_the_official_files(void **state) {
    (void)state;
    text_is("made/trials_to_test.txt",
            "user03_fluorescent.aedat\nuser03_fluorescent_led.aedat\nuser03_lab.aedat\nuser03_led.aedat\n"
            "user03_natural.aedat\nuser03_fluorescent2.aedat\n");
    text_is("made/gesture_mapping.csv",
            "action,label\nhand clapping,1\nright hand wave,2\nleft hand wave,3\nright arm clockwise,4\n"
            "right arm counter clockwise,5\nleft arm clockwise,6\nleft arm counter clockwise,7\narm roll,8\n"
            "air drums,9\nair guitar,10\nother gestures,11\n");
    text_is("made/user01_lab_labels.csv",
            "class,startTime_usec,endTime_usec\n1,1000000,1050000\n2,1300000,1350000\n3,1600000,1650000\n"
            "4,1900000,1950000\n5,2200000,2250000\n6,2500000,2550000\n7,2800000,2850000\n8,3100000,3150000\n"
            "9,3400000,3450000\n10,3700000,3750000\n11,4000000,4050000\n");
    size_t size;
    uint8_t *b = read_back("made/README.txt", &size);
    assert_non_null(strstr((char *)b, "NOT RECORDED FROM PEOPLE"));
    assert_non_null(strstr((char *)b, "seed 7\ntraining subjects 1..2, test subjects 3..3, 6 takes each"));
    free(b);
}

static void only_gestures_can_be_made(void **state) {
    (void)state;
    snn_error err = {0};
    snn_config *c = snn_config_parse("dataset = { name = \"nmnist\"; path = \"x\"; };", "test", &err);
    assert_non_null(c);
    assert_false(snn_dataset_make(c, in_temp("no"), NULL, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "dvs128_gesture only"));
    snn_config_free(c);
}

static void unwritable_output_is_an_error(void **state) {
    (void)state;
    snn_error err = {0};
    snn_config *c = configured("");
    write_file("plain", "x", 1);
    assert_false(snn_dataset_make(c, in_temp("plain/below"), NULL, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    snn_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_format),
        cmocka_unit_test(comment_stands_in_the_text),
        cmocka_unit_test(packets_are_cut_at_their_capacity),
        cmocka_unit_test(overflow_begins_a_packet),
        cmocka_unit_test(bad_events_are_refused),
        cmocka_unit_test(unwritable_folder_is_an_error),
        cmocka_unit_test(labels_count_from_one),
        cmocka_unit_test(made_folder_reads_back),
        cmocka_unit_test(made_folder_has_the_official_files),
        cmocka_unit_test(only_gestures_can_be_made),
        cmocka_unit_test(unwritable_output_is_an_error),
    };
    return cmocka_run_group_tests_name("aedat_write", tests, temp_setup, temp_teardown);
}
