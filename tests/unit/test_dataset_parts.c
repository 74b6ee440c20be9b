/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A part of a data set that is not there at all, against one that cannot be read. */
#include "dataset_test.h"

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)
#define NMNIST "dataset = { name = \"nmnist\"; path = \"%s\"; };"
#define GESTURE "dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };"
#define SHD "dataset = { name = \"shd\"; path = \"%s\"; };"

/* The part does not open; is it told to be absent? */
static void closed(const char *format, snn_split split, bool expected, const char *part) {
    char text[1024];
    bool absent = !expected;
    snn_error err = {0};
    snprintf(text, sizeof text, format, temp);
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    assert_non_null(c);
    assert_null(snn_dataset_open_part(c, split, &absent, &err));
    check_error(&err, SNN_ERR_DATA, part);
    assert_int_equal(absent, expected);
    snn_config_free(c);
}

static void nmnist(void **state) {
    (void)state;
    make_folder("Test");
    make_folder("Test/3");
    write_file("Test/3/00001.bin", "\1\1\0\0\1", 5);
    closed(NMNIST, SNN_SPLIT_TRAIN, true, "no recordings Train/");
    closed(NMNIST, SNN_SPLIT_ALL, true, "no recordings Train/");
    bool absent = true;
    char text[1024];
    snprintf(text, sizeof text, NMNIST, temp);
    snn_config *c = snn_config_parse(text, "test.cfg", NULL);
    snn_dataset *d = snn_dataset_open_part(c, SNN_SPLIT_TEST, &absent, NULL);
    assert_non_null(d);
    assert_false(absent);
    snn_dataset_free(d);
    snn_config_free(c);
    make_folder("Train");
    make_folder("Train/1");
    write_file("Train/1/00001.bin", "\1\1\0\0", 4);
    closed(NMNIST, SNN_SPLIT_TRAIN, false, "cut off inside an event");
    write_file("Train/1/00001.bin", "\1\1\0\0\1", 5);
    write_file("Test/3/00001.bin", "\1\1\0\0", 4);
    closed(NMNIST, SNN_SPLIT_ALL, false, "cut off inside an event");
    closed("dataset = { name = \"nmnist\"; path = \"%s/none\"; };", SNN_SPLIT_TEST, false, "none");
}

static void gestures(void **state) {
    (void)state;
    write_text("user01_led.aedat", "#!AER-DAT3.1\r\n");
    closed(GESTURE, SNN_SPLIT_TEST, true, "no trials of this part");
    closed(GESTURE, SNN_SPLIT_TRAIN, false, "user01_led_labels.csv");
    write_text("trials_to_train.txt", "user02_led.aedat\n");
    closed(GESTURE, SNN_SPLIT_TEST, true, "trials_to_test.txt");
    closed(GESTURE, SNN_SPLIT_TRAIN, false, "no recording user02_led.aedat");
    make_folder("ibmGestureTest");
    make_folder("ibmGestureTest/user24_led");
    make_folder("ibmGestureTest/user24_led/3.npy");
    closed(GESTURE, SNN_SPLIT_TRAIN, true, "ibmGestureTrain");
    closed(GESTURE, SNN_SPLIT_TEST, false, "3.npy: not a file");
}

static void shd(void **state) {
    (void)state;
    write_text("shd_test.h5", "no HDF5");
    closed(SHD, SNN_SPLIT_TRAIN, true, "shd_train.h5");
    closed(SHD, SNN_SPLIT_TEST, false, "shd_test.h5");
}

static void eeg(void **state) {
    (void)state;
    make_folder("S001");
    write_text("S001/S001R03.edf", "0       cut");
#define EEG "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { runs = [3, 7]; test_runs = [7]; }; };"
    closed(EEG, SNN_SPLIT_TEST, true, "no epochs of task fists in this part");
    closed(EEG, SNN_SPLIT_TRAIN, false, "S001R03.edf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(nmnist),
        IN_TEMP(gestures),
        IN_TEMP(shd),
        IN_TEMP(eeg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
