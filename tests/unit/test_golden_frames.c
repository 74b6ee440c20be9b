/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real recordings, read and framed, against NumPy's results (tests/golden/frame_reference.py), and what the data folder's README says of them. */
#include "dataset_test.h"

#include <snnsim/digest.h>

typedef struct {
    char name[32], folder[64], list[32], sample[32], digest[SNN_DIGEST_HEX];
    int bins, bin_us, from_zero, downsample, binary, merge, label;
    unsigned long events, dropped, pairs, sum;
} golden;

/* Splits at commas; fields may be empty. */
static bool parse_row(char *line, golden *g) {
    char *field[16];
    for (int i = 0; i < 16; i++)
        field[i] = strsep(&line, ",\n");
    if (field[15] == NULL)
        return false;
    *g = (golden){.bins = atoi(field[4]),
                  .bin_us = atoi(field[5]),
                  .from_zero = atoi(field[6]),
                  .downsample = atoi(field[7]),
                  .binary = atoi(field[8]),
                  .merge = atoi(field[9]),
                  .label = atoi(field[10]),
                  .events = strtoul(field[11], NULL, 10),
                  .dropped = strtoul(field[12], NULL, 10),
                  .pairs = strtoul(field[13], NULL, 10),
                  .sum = strtoul(field[14], NULL, 10)};
    snprintf(g->name, sizeof g->name, "%s", field[0]);
    snprintf(g->folder, sizeof g->folder, "%s", field[1]);
    snprintf(g->list, sizeof g->list, "%s", field[2]);
    snprintf(g->sample, sizeof g->sample, "%s", field[3]);
    snprintf(g->digest, sizeof g->digest, "%s", field[15]);
    return true;
}

static void digest_spikes(const snn_spikes *x, char hex[SNN_DIGEST_HEX]) {
    snn_digest d;
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    for (int step = 0; step < x->steps; step++)
        for (size_t i = x->first[step]; i < x->first[step + 1]; i++)
            snn_digest_u32(&d, (uint32_t[]){(uint32_t)step, x->spike[i].index, x->spike[i].count}, 3);
    snn_digest_final(&d, out);
    snn_digest_hex(out, hex);
}

static void check_golden(const golden *g) {
    char config[1024], name[64], hex[SNN_DIGEST_HEX];
    snprintf(config, sizeof config,
             "dataset = { name = \"%s\"; path = \"%s/%s\"; test_list = \"%s\"; bins = %d; bin_us = %d; "
             "from_zero = %s; "
             "downsample = %d; binary = %s; merge_polarity = %s; };",
             g->name, data_folder(g->folder), g->folder, g->list, g->bins, g->bin_us,
             g->from_zero ? "true" : "false", g->downsample, g->binary ? "true" : "false",
             g->merge ? "true" : "false");
    snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    size_t i = 0;
    while (i < snn_dataset_count(d) && strcmp(snn_dataset_sample(d, i, name, sizeof name), g->sample) != 0)
        i++;
    assert_true(i < snn_dataset_count(d));
    if (!snn_dataset_frames(d, i, &b, &x, &err))
        fail_msg("%s", err.text);
    assert_int_equal(snn_dataset_label(d, i), g->label);
    assert_int_equal(b.events_read, g->events);
    assert_int_equal(b.events_dropped, g->dropped);
    assert_int_equal(x.first[x.steps], g->pairs);
    assert_int_equal(snn_spikes_total(&x), g->sum);
    digest_spikes(&x, hex);
    assert_string_equal(hex, g->digest);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void frames_equal_numpy(void **state) {
    (void)state;
    data_folder("nmnist/1.bs2");
    FILE *f = fopen("tests/golden/frames.csv", "r");
    assert_non_null(f);
    char line[512];
    golden g;
    int cases = 0;
    assert_non_null(fgets(line, sizeof line, f)); /* heading */
    while (fgets(line, sizeof line, f) != NULL) {
        assert_true(parse_row(line, &g));
        check_golden(&g);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 30);
}

/* "the same two recordings in bs3" */
static void bs3_holds_the_same_events(void **state) {
    (void)state;
    const char *data = data_folder("dvs128_gesture/1.bs3");
    static const char *const number[] = {"1", "8"};
    static const size_t count[] = {63471, 101288};
    for (int k = 0; k < 2; k++) {
        char path[1024];
        uint8_t *two, *three;
        size_t n2, n3;
        snn_error err = {0};
        snn_events a = {.width = 128, .height = 128, .channels = 2}, b = a;
        snprintf(path, sizeof path, "%s/dvs128_gesture/%s.bs2", data, number[k]);
        assert_true(snn_file_read(path, SNN_LIST_MAX, &two, &n2, &err));
        snprintf(path, sizeof path, "%s/dvs128_gesture/%s.bs3", data, number[k]);
        assert_true(snn_file_read(path, SNN_LIST_MAX, &three, &n3, &err));
        assert_true(snn_bs2_decode(two, n2, false, &a, &err));
        assert_true(snn_bs3_decode(three, n3, &b, &err));
        assert_int_equal(a.n, count[k]);
        assert_int_equal(b.n, count[k]);
        for (size_t i = 0; i < a.n; i++)
            check_event(&b.event[i], a.event[i].t, a.event[i].x, a.event[i].y, a.event[i].polarity);
        free(two);
        free(three);
        snn_events_free(&a);
        snn_events_free(&b);
    }
}

/* AEDAT 3.1 was re-encoded from bs2: the gestures hold the same events. */
static void aedat_holds_the_same_events(void **state) {
    (void)state;
    data_folder("dvs128_gesture/derived_aedat31/user90_derived.aedat");
    snn_dataset *aedat = open_ok(
        "dataset = { name = \"dvs128_gesture\"; path = \"$SNNSIM_DATA/dvs128_gesture/derived_aedat31\"; };",
        SNN_SPLIT_TEST);
    snn_dataset *bs2 =
        open_ok("dataset = { name = \"dvs128_gesture\"; path = \"$SNNSIM_DATA/dvs128_gesture\"; "
                "test_list = \"labels.txt\"; };",
                SNN_SPLIT_TEST);
    static const size_t other[] = {0, 1, 5}; /* numbers 1, 2 and 8 of the list */
    snn_dataset_buffer a = {0}, b = {0};
    snn_error err = {0};
    assert_int_equal(snn_dataset_count(aedat), 3);
    assert_int_equal(snn_dataset_count(bs2), 7);
    uint64_t total = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(snn_dataset_events(aedat, i, &a, &err));
        assert_true(snn_dataset_events(bs2, other[i], &b, &err));
        assert_int_equal(snn_dataset_label(aedat, i), snn_dataset_label(bs2, other[i]));
        assert_int_equal(a.events.n, b.events.n);
        for (size_t k = 0; k < a.events.n; k++)
            check_event(&a.events.event[k], b.events.event[k].t, b.events.event[k].x, b.events.event[k].y,
                        b.events.event[k].polarity);
        total += a.events.n;
    }
    assert_int_equal(total, 249019);
    snn_dataset_buffer_free(&a);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(aedat);
    snn_dataset_free(bs2);
}

static void all_nmnist_samples_read(void **state) {
    (void)state;
    data_folder("nmnist/1.bs2");
    snn_dataset *d = open_ok("dataset = { name = \"nmnist\"; path = \"$SNNSIM_DATA/nmnist\"; "
                             "train_list = \"train1K.txt\"; test_list = \"test_first50.txt\"; };",
                             SNN_SPLIT_ALL);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_int_equal(snn_dataset_count(d), 1050);
    for (size_t i = 0; i < 1050; i++)
        assert_true(snn_dataset_events(d, i, &b, &err));
    assert_int_equal(b.events_read, 4316399); /* bytes of the 1050 files / 5 */
    assert_int_equal(b.events_out_of_order, 0);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void original_label_file(void **state) {
    (void)state;
    const char *data = data_folder("dvs128_gesture/user01_natural_labels.csv");
    char path[1024];
    uint8_t *text;
    size_t size, n;
    snn_gesture_label *l;
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/dvs128_gesture/user01_natural_labels.csv", data);
    assert_true(snn_file_read(path, SNN_LIST_MAX, &text, &size, &err));
    assert_true(snn_labels_parse(text, size, &l, &n, &err));
    assert_int_equal(n, 12);
    assert_int_equal(l[8].label, 7); /* arm roll comes twice */
    assert_int_equal(l[11].start, 171367247);
    assert_int_equal(l[11].end, 177991967);
    free(l);
    free(text);
}

/* $SNNSIM_DATA in the configs of this test leads to the folder that data_folder found. */
static int set_variable(void **state) {
    (void)state;
    return setenv("SNNSIM_DATA", "../shared/data", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_equal_numpy),          cmocka_unit_test(bs3_holds_the_same_events),
        cmocka_unit_test(aedat_holds_the_same_events), cmocka_unit_test(all_nmnist_samples_read),
        cmocka_unit_test(original_label_file),
    };
    return cmocka_run_group_tests(tests, set_variable, NULL);
}
