/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checking a data set against its official release. */
#include "aedat_test.h"
#include "braille_test.h"

#include "../../datasets/verify.h"

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)

/* Runs the check; the findings are in `text`. */
static size_t verify(const char *format, char *text, size_t size) {
    char config[1024];
    snn_error err = {0};
    size_t findings = 999;
    snprintf(config, sizeof config, format, temp);
    snn_config *c = snn_config_parse(config, "test.cfg", &err);
    assert_non_null(c);
    memset(text, 0, size);
    FILE *f = fmemopen(text, size, "w");
    if (!snn_dataset_verify(c, f, &findings, NULL, NULL, &err))
        fail_msg("%s", err.text);
    fclose(f);
    snn_config_free(c);
    return findings;
}

static void contains(const char *text, const char *line) {
    if (strstr(text, line) == NULL)
        fail_msg("no \"%s\" in\n%s", line, text);
}

static size_t lines_of(const char *text) {
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

#define LISTS "lists are checked for their content only, not compared with the official release\n"
#define NMNIST "dataset = { name = \"nmnist\"; path = \"%s\"; "

/* 5-byte event */
#define EVENT(x, y, t) x, y, (t) >> 16, (t) >> 8 & 255, (t)&255

static void official_counts(void **state) {
    (void)state;
    char text[8192];
    make_folder("Train");
    make_folder("Test");
    make_folder("Train/0");
    make_folder("Test/5");
    const uint8_t good[] = {EVENT(1, 1, 0), EVENT(2, 2, 400000)};
    write_file("Train/0/00001.bin", good, sizeof good);
    for (int i = 0; i < 892; i++) { /* as many fives as the test part has */
        char name[32];
        snprintf(name, sizeof name, "Test/5/%05d.bin", i);
        write_file(name, good, sizeof good);
    }
    size_t n = verify(NMNIST "};", text, sizeof text);
    assert_int_equal(n, 19);
    assert_int_equal(lines_of(text), n);
    contains(text, "training part: 1 samples of digit 0, the official release has 5923\n");
    contains(text, "training part: 0 samples of digit 9, the official release has 5949\n");
    contains(text, "test part: 0 samples of digit 1, the official release has 1135\n");
    assert_null(strstr(text, "test part: 892 samples of digit 5"));
    /* folds do not matter */
    assert_int_equal(verify(NMNIST "folds = 7; };", text, sizeof text), 19);
}

static void official_numbers_add_up(void **state) {
    (void)
        state; /* 60,000 and 10,000: read off the findings of an empty release with one sample in each part */
    char text[8192];
    make_folder("Train");
    make_folder("Test");
    make_folder("Train/0");
    make_folder("Test/0");
    write_file("Train/0/1.bin", "\1\1\0\0\1", 5);
    write_file("Test/0/2.bin", "\1\1\0\0\1", 5);
    assert_int_equal(verify(NMNIST "};", text, sizeof text), 20);
    unsigned long sum[2] = {0, 0};
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        sum[strncmp(line, "test", 4) == 0] += strtoul(strstr(line, "has ") + 4, NULL, 10);
    assert_int_equal(sum[0], 60000);
    assert_int_equal(sum[1], 10000);
}

static void contents(void **state) {
    (void)state;
    char text[8192];
    uint8_t many[1000] = {0};
    for (int i = 0; i < 200; i++)
        many[5 * i + 4] = (uint8_t)(i == 9 ? 3 : i);
    const uint8_t outside[] = {EVENT(34, 1, 0)}, longest[] = {EVENT(1, 1, 0), EVENT(2, 2, 400001)},
                  good[] = {EVENT(1, 1, 5), EVENT(2, 2, 400005)};
    write_file("1.bs2", good, sizeof good);
    write_file("2.bs2", "", 0);
    write_file("3.bs2", many, sizeof many);
    write_file("4.bs2", outside, sizeof outside);
    write_file("5.bs2", longest, sizeof longest);
    write_text("train.txt", "1\t1\n2\t2\n3\t3\n");
    write_text("test.txt", "4\t1\n5\t2\n");
    size_t n = verify(NMNIST "train_list = \"train.txt\"; test_list = \"test.txt\"; };", text, sizeof text);
    assert_int_equal(n, 4);
    assert_int_equal(lines_of(text), 5);
    contains(text, LISTS);
    contains(text, "sample 2: no events\n");
    contains(text, "sample 3: 1 of 200 events run back in time\n");
    contains(text, "sample 4: ");
    contains(text, "4.bs2: byte 0: event at x = 34");
    contains(text, "sample 5: lasts 400001 us, expected about 300000 us\n");
    /* the same recording in both parts */
    write_text("test.txt", "3\t3\n1\t1\n");
    n = verify(NMNIST "train_list = \"train.txt\"; test_list = \"test.txt\"; };", text, sizeof text);
    assert_int_equal(n, 5); /* 2 empty, 3 twice out of order, 1 and 3 in both */
    contains(text, "1.bs2 is in the training and in the test part\n");
    contains(text, "3.bs2 is in the training and in the test part\n");
    /* nothing wrong */
    write_text("train.txt", "1\t1\n");
    assert_int_equal(verify(NMNIST "train_list = \"train.txt\"; };", text, sizeof text), 0);
    assert_string_equal(text, LISTS);
    /* said once, when one of the parts is broken, too */
    write_text("test.txt", "1\t99\n");
    assert_int_equal(
        verify(NMNIST "train_list = \"train.txt\"; test_list = \"test.txt\"; };", text, sizeof text), 1);
    contains(text, LISTS);
    assert_int_equal(lines_of(text), 2);
}

typedef struct {
    uint64_t next, total, stop; /* stop: done at which the check shall end */
} watch;

static bool watched(void *context, uint64_t done, uint64_t total) {
    watch *w = context;
    assert_int_equal(done, w->next++);
    assert_int_equal(total, w->total);
    return done != w->stop;
}

/* Samples are counted, and the check ends between any two of them. */
static void progress(void **state) {
    (void)state;
    char config[256];
    snn_error err = {0};
    write_file("1.bs2", (const uint8_t[]){EVENT(1, 1, 0)}, 5);
    write_file("2.bs2", "", 0);
    write_file("3.bs2", "", 0);
    write_text("test.txt", "1\t1\n2\t2\n3\t3\n");
    snprintf(config, sizeof config, NMNIST "test_list = \"test.txt\"; };", temp);
    snn_config *c = snn_config_parse(config, "test.cfg", &err);
    FILE *nowhere = fopen("/dev/null", "w");
    for (uint64_t stop = 0; stop <= 4; stop++) {
        watch w = {.total = 3, .stop = stop};
        char text[64];
        size_t findings;
        bool ok = snn_dataset_verify(c, nowhere, &findings, watched, &w, &err);
        assert_int_equal(ok, stop == 4);
        assert_int_equal(w.next, stop < 4 ? stop + 1 : 4);
        assert_int_equal(findings, stop < 2 ? 0 : stop < 4 ? stop - 1 : 2);
        snprintf(text, sizeof text, "interrupted after %d of 3 samples", (int)stop);
        if (!ok)
            check_error(&err, SNN_ERR_INTERRUPTED, text);
    }
    fclose(nowhere);
    snn_config_free(c);
}

static void parts_that_do_not_open(void **state) {
    (void)state;
    char text[8192];
    make_folder("Test");
    make_folder("Test/0");
    write_file("Test/0/2.bin", "", 0);
    size_t n = verify(NMNIST "};", text, sizeof text);
    assert_int_equal(n, 12); /* no training part, 10 counts of the test part, an empty recording */
    contains(text, "training part: ");
    contains(text, "no recordings Train/");
    contains(text, "test part: 1 samples of digit 0, the official release has 980\n");
    contains(text, "sample Test/0/2.bin: no events\n");
    assert_null(strstr(text, "training part: 0 samples"));
    /* one list is broken, the other is not given */
    write_text("test.txt", "1\t99\n");
    n = verify(NMNIST "test_list = \"test.txt\"; };", text, sizeof text);
    assert_int_equal(n, 1);
    contains(text, "test part: ");
    contains(text, "line 1: class 99 is not in 0 .. 9\n");
    snn_config *c = snn_config_parse("dataset = { name = \"nmnist\"; };", "test.cfg", NULL);
    snn_error err = {0};
    assert_false(snn_dataset_verify(c, stdout, &n, NULL, NULL, &err));
    check_error(&err, SNN_ERR_USAGE, "garrickorchard");
    snn_config_free(c);
}

static void gestures(void **state) {
    (void)state;
    char text[8192];
    static aedat_bytes a;
    aedat_text(&a, AEDAT_TEXT);
    aedat_packet(&a, 1000, 100, 20);
    write_file("user01_led.aedat", a.b, a.n);
    write_file("user24_led.aedat", a.b, a.n);
    write_text("user01_led_labels.csv", "1,1000,2000\n2,1999,2500\n3,2500,2550\n");
    write_text("user24_led_labels.csv", "1,1000,2000\n2,2000,2500\n3,2510,2520\n");
    size_t n = verify("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", text, sizeof text);
    assert_int_equal(n, 4);
    contains(text, "training part: 3 gestures, the official release has 1176\n");
    contains(text, "test part: 3 gestures, the official release has 288\n");
    contains(text, "sample user01_led:2: begins before the gesture in front of it ends\n");
    contains(text, "sample user24_led:3: no events\n");
    /* one trial in both lists */
    write_text("trials_to_train.txt", "user01_led.aedat\n");
    write_text("trials_to_test.txt", "user01_led.aedat\n");
    n = verify("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", text, sizeof text);
    contains(text, "user01_led.aedat is in the training and in the test part\n");
    assert_int_equal(n, 2 + 2 + 1);
}

static void tonic_counts(void **state) {
    (void)state;
    char text[8192], file[160];
    memset(file, ' ', sizeof file);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }", 69);
    file[127] = '\n';
    memset(file + 128, 0, 32);
    make_folder("ibmGestureTrain");
    make_folder("ibmGestureTrain/user01_led");
    make_folder("ibmGestureTest");
    make_folder("ibmGestureTest/user24_led");
    write_file("ibmGestureTrain/user01_led/10.npy", file, sizeof file);
    write_file("ibmGestureTest/user24_led/1.npy", file, sizeof file);
    assert_int_equal(verify("dataset = { name = \"dvs128_gesture\"; path = \"%s\"; };", text, sizeof text),
                     2);
    contains(text, "training part: 1 gestures, the official release has 1077\n");
    contains(text, "test part: 1 gestures, the official release has 264\n");
}

static void made_and_arrays(void **state) {
    (void)state;
    char text[8192], file[256];
    assert_int_equal(verify("dataset = { name = \"dvs128_gesture\"; camera = { train_subjects = 1; "
                            "test_subjects = 1; takes = 1; "
                            "seconds = 0.1; }; };",
                            text, sizeof text),
                     0);
    assert_string_equal(text,
                        "the synthetic camera's recordings are made in memory; nothing is read from disk\n");
    memset(file, ' ', sizeof file);
    memcpy(file,
           "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 1, 1, 2), }",
           78);
    file[127] = '\n';
    memcpy(file + 128, (float[]){0.5f, 0, 1, 2}, 16); /* the second sample is fine */
    write_file("x.npy", file, 144);
    memset(file + 10, ' ', 117);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 67);
    memset(file + 128, 0, 2);
    write_file("y.npy", file, 130);
    assert_int_equal(
        verify("dataset = { name = \"npy\"; path = \"%s\"; frames = \"x.npy\"; labels = \"y.npy\"; };", text,
               sizeof text),
        1);
    contains(text, "arrays are checked for their content only, not compared with the official release\n");
    contains(text, "sample 0: ");
    contains(text, "x.npy: sample 0: step 0, input 0: 0.5 is not a whole number");
}

static void braille(void **state) {
    (void)state;
    char text[8192];
    static bytes p;
    p.n = 0;
    PUT(&p, "\x80\x03](");
    for (int i = 0; i < 200; i++)
        put_trial(&p, "Z", 0, 0, (const double[]){0.5}, 1);
    put_trial(&p, "Space", 0, 0, NULL, 0);
    PUT(&p, "e.");
    write_file("data_braille_letters_th_2.pkl", p.b, p.n);
    size_t n = verify("dataset = { name = \"braille\"; path = \"%s\"; folds = 5; };", text, sizeof text);
    assert_int_equal(n, 28); /* 26 letters, the total, one without events */
    contains(text, "Space: 1 trials, the official release has 200\n");
    contains(text, "Y: 0 trials, the official release has 200\n");
    contains(text, "201 trials, the official release has 5400\n");
    contains(text, "sample data_braille_letters_th_2.pkl:200: no events\n");
    assert_null(strstr(text, "Z: "));
    /* no other part is missed when the file is broken */
    write_file("data_braille_letters_th_2.pkl", p.b, p.n - 1);
    n = verify("dataset = { name = \"braille\"; path = \"%s\"; };", text, sizeof text);
    assert_int_equal(n, 1);
    contains(text, "training part: ");
    contains(text, "the pickle is cut off");
}

static void real_braille(void **state) {
    (void)state;
    char text[8192], config[512];
    const char *data = data_folder("braille/data_braille_letters_th10_part");
    snprintf(config, sizeof config, "dataset = { name = \"braille\"; path = \"%s/braille\"; };", data);
    assert_int_equal(verify(config, text, sizeof text), 28);
    contains(text, "Space: 134 trials, the official release has 200\n");
    contains(text, "3618 trials, the official release has 5400\n");
    for (int k = 0; k < 2; k++) {
        snprintf(config, sizeof config,
                 "dataset = { name = \"braille\"; path = \"%s/braille/letters7_th1/ds_val_%d.pt\"; };", data,
                 k);
        assert_int_equal(verify(config, text, sizeof text), 0);
    }
}

static void real_eeg(void **state) {
    (void)state;
    char text[8192], config[512];
    snprintf(config, sizeof config, "dataset = { name = \"eegmmidb\"; path = \"%s/eegmmidb\"; };",
             data_folder("eegmmidb/S001/S001R03.edf"));
    assert_int_equal(verify(config, text, sizeof text), 3);
    assert_string_equal(text, "subject 1: missing runs 2, 11..14\nmissing subjects: 2..109\n9 runs, the "
                              "official release has 1526\n");
}

/* Runs that the config does not take are looked at, too. */
static void broken_eeg(void **state) {
    (void)state;
    char text[8192], path[600];
    snprintf(path, sizeof path, "%s/eegmmidb/S001/S001R03.edf", data_folder("eegmmidb/S001/S001R03.edf"));
    char *real = realpath(path, NULL);
    make_folder("S001");
    assert_int_equal(symlink(real, in_temp("S001/S001R03.edf")), 0);
    free(real);
    write_text("S001/S001R01.edf", "0       x");
    make_folder("S001/S001R02.edf");
    assert_int_equal(verify("dataset = { name = \"eegmmidb\"; path = \"%s\"; };", text, sizeof text), 5);
    contains(text, "/S001/S001R01.edf: ");
    assert_null(strstr(text, "multiple"));
    contains(text, "/S001/S001R02.edf: not a file\n");
    contains(text, "subject 1: missing runs 4..14\n");
    contains(text, "missing subjects: 2..109\n");
    contains(text, "3 runs, the official release has 1526\n");
}

static void real_traces(void **state) {
    (void)state;
    char text[8192], config[512];
    snprintf(config, sizeof config, "dataset = { name = \"shd\"; path = \"%s/shd/traces\"; };",
             data_folder("shd/traces/input_0.trace"));
    assert_int_equal(verify(config, text, sizeof text), 2);
    assert_string_equal(
        text, "binned traces, 1000 of 2264 of the official test part; the training part is missing\n"
              "missing: input_N.trace, N = every 3rd of 2..1499, 1500..2263\n");
}

static void real_shd(void **state) {
    (void)state;
    char text[8192], config[512];
    snprintf(config, sizeof config,
             "dataset = { name = \"shd\"; path = \"%s/shd/derived_h5/shd_subset.h5\"; };",
             data_folder("shd/derived_h5/shd_subset.h5"));
    assert_int_equal(verify(config, text, sizeof text), 3);
    contains(text, "training part: 0 recordings, the official release has 8156\n");
    contains(text, "test part: 100 recordings, the official release has 2264\n");
    contains(text, "no recordings of speakers 1..11\n");
    /* the same file as both parts of a release */
    char path[2][600];
    snprintf(path[0], sizeof path[0], "%s/shd/derived_h5/shd_subset.h5",
             data_folder("shd/derived_h5/shd_subset.h5"));
    char *real = realpath(path[0], NULL);
    assert_int_equal(symlink(real, in_temp("shd_train.h5")) + symlink(real, in_temp("shd_test.h5")), 0);
    free(real);
    assert_int_equal(verify("dataset = { name = \"shd\"; path = \"%s\"; };", text, sizeof text), 4);
    contains(text, "training part: 100 recordings, the official release has 8156\n");
    contains(text, "test part: 100 recordings, the official release has 2264\n");
    contains(text, "no recordings of speakers 1..11\n");
    contains(text, "0 speakers are in the test part only, in the official release 2\n");
    /* one part alone */
    assert_int_equal(unlink(in_temp("shd_train.h5")), 0);
    assert_int_equal(verify("dataset = { name = \"shd\"; path = \"%s\"; };", text, sizeof text), 2);
    contains(text, "training part: ");
    contains(text, "test part: 100 recordings, the official release has 2264\n");
}

static void traces(void **state) {
    (void)state;
    char text[8192], lines[2048] = "3\n";
    for (int bin = 0; bin < 100; bin++)
        sprintf(lines + strlen(lines), "%d,%d\n", bin, 1 + bin);
    write_text("input_0.trace", lines);
    write_text("input_2263.trace", lines);
    write_text("input_2264.trace", lines);
    assert_int_equal(verify("dataset = { name = \"shd\"; path = \"%s\"; };", text, sizeof text), 3);
    contains(text, "input_2264.trace: not named input_0.trace .. input_2263.trace\n");
    contains(text, "binned traces, 2 of 2264 of the official test part;");
    contains(text, "missing: input_N.trace, N = 1..2262\n");
    /* cut at the end of a line: 99 lines, one less than the published ones; 100 are fine, whatever ends them */
    unlink(in_temp("input_2263.trace"));
    unlink(in_temp("input_2264.trace"));
    char *cut = strstr(lines, "98,99\n");
    strcpy(cut, "98,99\r\n");
    write_text("input_0.trace", lines);
    *cut = '\0';
    write_text("input_1.trace", lines);
    write_text("input_2.trace", "3\n0,1\n");
    assert_int_equal(verify("dataset = { name = \"shd\"; path = \"%s\"; };", text, sizeof text), 4);
    assert_null(strstr(text, "input_0.trace: "));
    contains(text,
             "sample input_1.trace: 99 lines, each published trace has 100: the class and 99 bins; it may "
             "be cut off\n");
    contains(text, "sample input_2.trace: 2 lines, each");
    write_text("train.txt", "0\t3\n1\t3\n");
    assert_int_equal(verify("dataset = { name = \"shd\"; path = \"%s\"; train_list = \"train.txt\"; };", text,
                            sizeof text),
                     1);
    contains(text, LISTS);
    contains(text, "sample 1: 99 lines, each");
}

/* Series of missing numbers. */
static void series(void **state) {
    (void)state;
    static const struct {
        const char *missing, *text;
    } cases[] = {{"......", ""},
                 {"x.....", "x: 0\n"},
                 {".....x", "x: 5\n"},
                 {"xx....", "x: 0, 1\n"},
                 {"xxx...", "x: 0..2\n"},
                 {"xxxxxx", "x: 0..5\n"},
                 {"x.x.x.", "x: every 2nd of 0..4\n"},
                 {".x..x..x", "x: every 3rd of 1..7\n"},
                 {"x...x...x", "x: every 4th of 0..8\n"},
                 {"x..x....", "x: 0, 3\n"},
                 {"xxx.x.xxx", "x: 0..2, 4, 6..8\n"},
                 {"x.x.xx", "x: every 2nd of 0..4, 5\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128] = "";
        bool missing[16];
        size_t n = strlen(cases[i].missing);
        for (size_t k = 0; k < n; k++)
            missing[k] = cases[i].missing[k] == 'x';
        snn_verifier v = {.out = fmemopen(text, sizeof text, "w")};
        snn_verify_numbers(&v, "x:", missing, n);
        fclose(v.out);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(v.findings, *cases[i].text != '\0');
    }
}

static void unwritable(void **state) {
    (void)state;
    write_file("1.bs2", "", 0);
    write_text("test.txt", "1\t1\n");
    char config[256];
    size_t n;
    snn_error err = {0};
    snprintf(config, sizeof config, NMNIST "test_list = \"test.txt\"; };", temp);
    snn_config *c = snn_config_parse(config, "test.cfg", &err);
    FILE *f = fopen("/dev/full", "w");
    setvbuf(f, NULL, _IONBF, 0);
    assert_false(snn_dataset_verify(c, f, &n, NULL, NULL, &err));
    check_error(&err, SNN_ERR_RUNTIME, "cannot write the findings");
    assert_int_equal(n, 1);
    fclose(f);
    snn_config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(official_counts), IN_TEMP(official_numbers_add_up), IN_TEMP(contents),
        IN_TEMP(progress),        IN_TEMP(parts_that_do_not_open),  IN_TEMP(gestures),
        IN_TEMP(tonic_counts),    IN_TEMP(made_and_arrays),         IN_TEMP(unwritable),
        IN_TEMP(braille),         cmocka_unit_test(real_braille),   cmocka_unit_test(real_eeg),
        IN_TEMP(broken_eeg),      cmocka_unit_test(real_traces),    IN_TEMP(real_shd),
        IN_TEMP(traces),          cmocka_unit_test(series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
