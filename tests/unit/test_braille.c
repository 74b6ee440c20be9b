/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Braille letters: the official pickle, the archive of seven letters, and both real files against pickle and NumPy (tests/golden/braille_reference.py). */
#include "braille_test.h"

#include <math.h>

#define IN_TEMP(test) cmocka_unit_test_setup_teardown(test, temp_setup, temp_teardown)
#define BRAILLE "dataset = { name = \"braille\"; path = \"%s\"; "
#define BINS "bins = 270; bin_us = 5000; from_zero = true; "
#define NEAREST BINS "rounding = \"nearest\"; binary = true; "

/* Three trials: Z, Space, A without events. */
static const bytes *letters(void) {
    static bytes p;
    p.n = 0;
    PUT(&p, "\x80\x03](");
    put_trial(&p, "Z", 11, 1, (const double[]){0.1, 0.2, 1.3}, 3);
    put_trial(&p, "Space", 0, 0, (const double[]){0.0075}, 1);
    put_trial(&p, "A", 0, 0, NULL, 0);
    PUT(&p, "e.");
    return &p;
}

static void refused(const bytes *p, const char *part) {
    struct snn_braille *b = calloc(1, sizeof *b);
    snn_error err = {0};
    if (snn_braille_parse(b, p->b, p->n, &err))
        fail_msg("accepted, expected \"%s\"", part);
    check_error(&err, SNN_ERR_DATA, part);
    snn_braille_free(b);
}

/* The three trials with one piece of text replaced by another of the same length. */
static const bytes *replaced(const void *old, size_t n, const void *new) {
    static bytes p;
    p = *letters();
    uint8_t *place = memmem(p.b, p.n, old, n);
    assert_non_null(place);
    memcpy(place, new, n);
    return &p;
}
#define REPLACED(old, new) replaced(old, sizeof(old) - 1, new)

static void a_pickle(void **state) {
    (void)state;
    const bytes *p = letters();
    write_file("data_braille_letters_th_1.pkl", p->b, p->n);
    write_text("notes.txt", "x");
    snn_error err = {0};
    snn_dataset *d = open_text(BRAILLE NEAREST "};", SNN_SPLIT_TRAIN, &err);
    assert_non_null(d);
    assert_string_equal(err.text, ""); /* nothing was tried that failed */
    const snn_dataset_info *a = snn_dataset_about(d);
    assert_string_equal(a->name, "braille");
    assert_string_equal(a->folder, in_temp("data_braille_letters_th_1.pkl"));
    assert_int_equal(a->classes, 27);
    assert_string_equal(a->class_name[0], "Space");
    assert_string_equal(a->class_name[1], "A");
    assert_string_equal(a->class_name[26], "Z");
    assert_memory_equal(a->sensor, ((uint32_t[]){1, 1, 24}), 12);
    assert_memory_equal(a->input, ((uint32_t[]){1, 1, 24}), 12);
    assert_true(a->has_events && a->pairs);
    assert_int_equal(snn_dataset_count(d), 3);
    assert_int_equal(snn_dataset_label(d, 0), 26);
    assert_int_equal(snn_dataset_label(d, 1), 0);
    assert_int_equal(snn_dataset_label(d, 2), 1);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    char name[64];
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "data_braille_letters_th_1.pkl:1");
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    assert_int_equal(b.events.n, 3);
    check_event(&b.events.event[0], 100000, 23, 0, 0);
    check_event(&b.events.event[2], 1300000, 23, 0, 0);
    assert_int_equal(x.size, 24);
    assert_int_equal(x.first[20], 0);
    assert_int_equal(x.first[21], 1);
    assert_int_equal(x.first[41], 2);
    assert_int_equal(x.first[260], 2);
    assert_int_equal(x.first[261], 3);
    assert_int_equal(x.spike[0].index, 23);
    assert_true(snn_dataset_frames(d, 2, &b, &x, &err));
    assert_int_equal(b.events.n, 0);
    snn_dataset_free(d);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

/* Events of all lists of a trial in order of time, at one time in order of lines. */
static void order(void **state) {
    (void)state;
    bytes p = {.n = 0};
    PUT(&p, "\x80\x03](}(");
    put_string(&p, "events");
    PUT(&p, "](");
    for (int t = 0; t < 12; t++) {
        PUT(&p, "](]");
        put_float(&p, 0.012 - 0.001 * t);
        PUT(&p, "a](");
        put_float(&p, 0.5);
        put_float(&p, 0.25);
        PUT(&p, "ee");
    }
    PUT(&p, "e");
    put_string(&p, "letter");
    put_string(&p, "M");
    PUT(&p, "ue.");
    struct snn_braille *b = calloc(1, sizeof *b);
    snn_error err = {0};
    assert_true(snn_braille_parse(b, p.b, p.n, &err));
    assert_int_equal(b->trials, 1);
    assert_int_equal(b->label[0], 13);
    assert_int_equal(b->first[1], 36);
    for (int i = 0; i < 36; i++) {
        assert_int_equal(b->line[i], i < 12 ? 22 - 2 * i : 2 * (i % 12) + 1);
        assert_true(b->time[i] == (i < 12 ? 0.012 - 0.001 * (11 - i) : i < 24 ? 0.25 : 0.5));
    }
    snn_braille_free(b);
}

static void broken_trials(void **state) {
    (void)state;
    refused(REPLACED("X\5\0\0\0Space", "X\5\0\0\0space"),
            "trial 1: the string \"space\", expected a letter A .. Z or Space");
    refused(REPLACED("X\1\0\0\0Z", "X\1\0\0\0["), "trial 0: the string \"[\", expected a letter");
    refused(REPLACED("letter", "lettre"),
            "trial 0: a dictionary of 2, expected a dictionary of letter and events");
    refused(REPLACED("events", "event_"),
            "trial 0: a dictionary of 2, expected a dictionary of letter and events");
    refused(REPLACED("X\1\0\0\0A", "]]]]]]"), "byte "); /* more values than keys */
    bytes p = {.n = 0};
    PUT(&p, "\x80\x03}.");
    refused(&p, "the pickle holds a dictionary of 0, expected a list of trials");
    p.n = 2;
    PUT(&p, "](]e.");
    refused(&p, "trial 0: a list of 0, expected a dictionary of letter and events");
    p.n = 2;
    PUT(&p, "](}(X\x0a\0\0\0taxel_data]ue.");
    refused(&p, "trial 0: taxel_data: this is the file of raw pressures; the events are in "
                "data_braille_letters_th_1.pkl");
    p.n = 2;
    PUT(&p, "](}(X\6\0\0\0letterX\1\0\0\0AX\6\0\0\0letterX\1\0\0\0BX\6\0\0\0events]ue.");
    refused(&p, "trial 0: a dictionary of 3, expected a dictionary of letter and events");
    p.n = 2;
    PUT(&p, "](}(X\6\0\0\0letterX\1\0\0\0AX\6\0\0\0events](]]]]]]]]]]]eue.");
    refused(&p, "trial 0: a list of 11, expected a list of 12 taxels");
    p.n = 2;
    PUT(&p, "](}(X\6\0\0\0letterX\1\0\0\0AX\6\0\0\0events](](]]e](]]]e]]]]]]]]]]eue.");
    refused(&p, "trial 0: a list of 3, expected a list of ON and OFF events");
    p.n = 2;
    PUT(&p, "](}(X\6\0\0\0letterX\1\0\0\0AX\6\0\0\0events](](]]e](]}e]]]]]]]]]]eue.");
    refused(&p, "taxel 1, OFF: trial 0: a dictionary of 0, expected a list of times");
    p.n = 2;
    PUT(&p, "](}(X\6\0\0\0letterX\1\0\0\0AX\6\0\0\0events](](]X\0\0\0\0a]e]]]]]]]]]]]eue.");
    refused(&p, "taxel 0, ON: trial 0: the string \"\", expected a time of 0 .. 60 s");
}

static void times(void **state) {
    (void)state;
    static const struct {
        double t;
        bool ok;
    } edge[] = {{0, true},       {-1e-9, false},       {60, true},
                {60.001, false}, {(double)NAN, false}, {(double)INFINITY, false}};
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        bytes p = {.n = 0};
        PUT(&p, "\x80\x03](");
        put_trial(&p, "B", 5, 1, &edge[i].t, 1);
        PUT(&p, "e.");
        if (!edge[i].ok) {
            refused(&p, "taxel 5, OFF: trial 0: the number ");
            continue;
        }
        struct snn_braille *b = calloc(1, sizeof *b);
        snn_error err = {0};
        assert_true(snn_braille_parse(b, p.b, p.n, &err));
        assert_int_equal(b->events, 1);
        snn_braille_free(b);
    }
}

/* Bins are what NumPy's round makes of t * 1000 / 5. */
static void rounding(void **state) {
    (void)state;
    snn_framing f = {.mode = SNN_FRAME_WIDTH,
                     .bins = 270,
                     .bin_us = 5000,
                     .from_zero = true,
                     .rounding = SNN_ROUND_NEAREST};
    size_t moved = 0;
    for (int k = 0; k < 270; k++)
        for (int ulp = -3; ulp <= 3; ulp++) {
            double t = (k + 0.5) * 0.005;
            for (int i = 0; i < abs(ulp); i++)
                t = nextafter(t, ulp > 0 ? 2.0 : 0.0);
            int64_t us = snn_braille_us(t, &f), bin = us % 5000 < 2500 ? us / 5000 : us / 5000 + 1;
            assert_int_not_equal(us % 5000, 2500);
            assert_int_equal(bin, (int64_t)rint(t * 1000 / 5));
            assert_in_range(us - (5000 * k + 2499), 0, 2);
            moved++;
        }
    assert_int_equal(moved, 270 * 7);
    /* elsewhere, and where nothing is rounded to the nearest, the time in us */
    assert_int_equal(snn_braille_us(0.0024990, &f), 2499);
    assert_int_equal(snn_braille_us(0.0025006, &f), 2501);
    assert_int_equal(snn_braille_us(0.005, &f), 5000);
    snn_framing g = f;
    g.rounding = SNN_ROUND_FLOOR;
    assert_int_equal(snn_braille_us(0.0075, &g), 7500);
    g = f;
    g.from_zero = false;
    assert_int_equal(snn_braille_us(0.0075, &g), 7500);
    g = f;
    g.mode = SNN_FRAME_BINS;
    assert_int_equal(snn_braille_us(0.0075, &g), 7500);
    g = f;
    g.bin_us = 1001; /* no us is a tie */
    assert_int_equal(snn_braille_us(0.0005, &g), 500);
    g.bin_us = 1000;
    assert_int_equal(snn_braille_us(0.0005, &g), 499); /* 0.5 to even */
    assert_int_equal(snn_braille_us(0.0015, &g), 1501);
}

static void which_file(void **state) {
    (void)state;
    const bytes *p = letters();
    open_fails(BRAILLE "};", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "no file of Braille letters (data_braille_letters_th_1.pkl");
    write_text("data_braille_letters_th", ""); /* of any ending */
    open_fails(BRAILLE "};", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "data_braille_letters_th: neither a pickle of Braille letters nor an archive");
    write_text("data_braille_letters_th", "P");
    open_fails(BRAILLE "};", SNN_SPLIT_ALL, SNN_ERR_DATA, "neither a pickle");
    write_text("data_braille_letters_th", "letters");
    open_fails(BRAILLE "};", SNN_SPLIT_ALL, SNN_ERR_DATA, "neither a pickle");
    write_file("data_braille_letters_th", p->b, p->n);
    snn_dataset_free(open_ok(BRAILLE "};", SNN_SPLIT_ALL));
    write_file("other", p->b, p->n);
    snn_dataset *d = open_ok("dataset = { name = \"braille\"; path = \"%s/other\"; };", SNN_SPLIT_ALL);
    assert_string_equal(snn_dataset_about(d)->folder, in_temp("other"));
    snn_dataset_free(d);
    write_file("x.pt", "PK\3\4", 4);
    open_fails(BRAILLE "};", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "both data_braille_letters_th and x.pt; name one of them in dataset.path");
    open_fails("dataset = { name = \"braille\"; path = \"%s/x.pt\"; };", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "x.pt: 4 bytes are too few for a ZIP archive");
    open_fails("dataset = { name = \"braille\"; path = \"%s/none\"; };", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "test.cfg:1: dataset.path: cannot open ");
    open_fails("dataset = { name = \"braille\"; };", SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "zenodo.org/record/7050094");
    open_fails("dataset = { name = \"braille\"; path = \"%s/other\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "no official test part; dataset.folds = 5 sets a random");
    open_fails("dataset = { name = \"braille\"; path = \"%s/other\"; folds = 4; };", SNN_SPLIT_TEST,
               SNN_ERR_USAGE, "4 folds of 3 training samples");
    write_file("cut", p->b, p->n - 1);
    char part[128];
    snprintf(part, sizeof part, "/cut: byte %zu: the pickle is cut off", p->n - 1);
    open_fails("dataset = { name = \"braille\"; path = \"%s/cut\"; };", SNN_SPLIT_ALL, SNN_ERR_DATA, part);
    write_file("empty", "\x80\x03].", 4);
    open_fails("dataset = { name = \"braille\"; path = \"%s/empty\"; };", SNN_SPLIT_ALL, SNN_ERR_DATA,
               "empty: no samples");
    /* relative, without a folder */
    char *here = getcwd(NULL, 0);
    assert_int_equal(chdir(temp), 0);
    d = open_ok("dataset = { name = \"braille\"; path = \"other\"; };", SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 3);
    snn_dataset_free(d);
    assert_int_equal(chdir(here), 0);
    free(here);
}

/* ---- seven letters ---- */

#define TENSOR(storage, key, items, offset, sizes, strides)                                                  \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" storage "\nX\1\0\0\0" key                \
    "X\3\0\0\0cpuK" items "tQK" offset sizes strides "\x89"                                                  \
    "ccollections\nOrderedDict\n)RtR"
#define DATASET(x, y)                                                                                        \
    "\x80\x02"                                                                                               \
    "ctorch.utils.data.dataset\nTensorDataset\n)\x81}X\7\0\0\0tensors" x y "\x86sb."
#define X(items, offset, sizes, strides) TENSOR("FloatStorage", "0", items, offset, sizes, strides)
#define Y(items, offset, sizes, strides) TENSOR("LongStorage", "1", items, offset, sizes, strides)
/* two samples of two bins */
#define GOOD_X X("\x30", "\0", "K\2K\2K\x0c\x87", "K\x18K\x0cK\1\x87")
#define GOOD_Y Y("\2", "\0", "K\2\x85", "K\1\x85")

static float bins[49] = {[0] = 1, [13] = 1, [23] = 1, [24 + 5] = 1, [24 + 6] = -0.0f};
static const int64_t classes[3] = {6, 0, 1};

static const bytes *archive(const void *pickle, size_t size, size_t floats, size_t labels) {
    static bytes p;
    zip_places at;
    const zip_entry e[] = {{"ds/data.pkl", pickle, size},
                           {"ds/data/0", bins, floats * sizeof(float)},
                           {"ds/data/1", classes, labels * sizeof(int64_t)},
                           {"ds/version", "3\n", 2}};
    p.n = 0;
    put_zip(&p, e, 4, &at);
    return &p;
}
#define ARCHIVE(pickle, floats, labels) archive(pickle, sizeof(pickle) - 1, floats, labels)

static void seven_letters(void **state) {
    (void)state;
    const bytes *p = ARCHIVE(DATASET(GOOD_X, GOOD_Y), 48, 2);
    write_file("seven.pt", p->b, p->n);
    snn_dataset *d = open_ok(BRAILLE "bins = 3; bin_us = 5000; from_zero = true; };", SNN_SPLIT_ALL);
    const snn_dataset_info *a = snn_dataset_about(d);
    assert_int_equal(a->classes, 7);
    assert_string_equal(a->class_name[0], "Space");
    assert_string_equal(a->class_name[6], "Y");
    assert_memory_equal(a->sensor, ((uint32_t[]){1, 1, 12}), 12);
    assert_true(a->has_events && !a->pairs);
    assert_int_equal(snn_dataset_count(d), 2);
    assert_int_equal(snn_dataset_label(d, 0), 6);
    assert_int_equal(snn_dataset_label(d, 1), 0);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    char name[64];
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "seven.pt:1");
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    assert_int_equal(b.events.n, 3);
    check_event(&b.events.event[0], 0, 0, 0, 0);
    check_event(&b.events.event[1], 5000, 1, 0, 0);
    check_event(&b.events.event[2], 5000, 11, 0, 0);
    assert_int_equal(x.first[1], 1);
    assert_int_equal(x.first[2], 3);
    assert_true(snn_dataset_events(d, 1, &b, &err));
    assert_int_equal(b.events.n, 1);
    check_event(&b.events.event[0], 0, 5, 0, 0);
    snn_dataset_free(d);
    bins[24 + 7] = 2;
    p = ARCHIVE(DATASET(GOOD_X, GOOD_Y), 48, 2);
    bins[24 + 7] = 0;
    write_file("seven.pt", p->b, p->n);
    d = open_ok(BRAILLE "};", SNN_SPLIT_ALL);
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_false(snn_dataset_events(d, 1, &b, &err));
    check_error(&err, SNN_ERR_DATA, "seven.pt: sample 1: bin 0, taxel 7: 2, expected 0 or 1");
    snn_dataset_free(d);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

static void refused_archive(const bytes *p, const char *part) {
    snn_braille_bins b;
    snn_error err = {0};
    if (snn_braille_bins_open(&b, &(snn_source){.memory = p->b, .size = p->n}, &err))
        fail_msg("accepted, expected \"%s\"", part);
    check_error(&err, SNN_ERR_DATA, part);
    free(b.label);
}

static void views(void **state) {
    (void)state; /* tensors that begin inside their storage */
    const bytes *p = ARCHIVE(
        DATASET(X("\x31", "\1", "K\1K\4K\x0c\x87", "K\x30K\x0cK\1\x87"), Y("\3", "\2", "K\1\x85", "K\1\x85")),
        49, 3);
    snn_braille_bins b;
    snn_error err = {0};
    assert_true(snn_braille_bins_open(&b, &(snn_source){.memory = p->b, .size = p->n}, &err));
    assert_int_equal(b.samples, 1);
    assert_int_equal(b.bins, 4);
    assert_int_equal(b.label[0], 1);
    assert_int_equal(b.first % 64, 4);
    free(b.label);
    refused_archive(ARCHIVE(DATASET(X("\x30", "\1", "K\1K\4K\x0c\x87", "K\x30K\x0cK\1\x87"), GOOD_Y), 48, 2),
                    "the samples: 48 items from item 1 on are more than the 48 of the storage");
    refused_archive(ARCHIVE(DATASET(GOOD_X, Y("\2", "\1", "K\2\x85", "K\1\x85")), 48, 2),
                    "the labels: 2 items from item 1 on");
}

static void broken_tensors(void **state) {
    (void)state;
    refused_archive(ARCHIVE("\x80\x02).", 48, 2),
                    "ds/data.pkl: a tuple of 0, expected a TensorDataset of two tensors");
    refused_archive(ARCHIVE("\x80\x02"
                            "ctorch.utils.data.dataset\nTensorDataset\n)\x81}X\7\0\0\0tensors)sb.",
                            48, 2),
                    "ds/data.pkl: an object of 3, expected a TensorDataset");
    refused_archive(ARCHIVE("\x80\x02"
                            "ctorch.utils.data.dataset\nTensorDataset\n)\x81.",
                            48, 2),
                    "ds/data.pkl: an object of 2, expected a TensorDataset");
    refused_archive(ARCHIVE("\x80\x02"
                            "cposix\nsystem\n",
                            48, 2),
                    "ds/data.pkl: byte 2: GLOBAL of module \"posix\"");
    /* objects of the right size and another name */
    refused_archive(ARCHIVE("\x80\x02"
                            "ctorch\nFloatStorage\n)\x81}X\7\0\0\0tensors" GOOD_X GOOD_Y "\x86sb.",
                            48, 2),
                    "ds/data.pkl: an object of 3, expected a TensorDataset");
    refused_archive(ARCHIVE(DATASET("ctorch\nFloatStorage\n)R", GOOD_Y), 48, 2),
                    "the samples: an object of 2, expected a tensor");
    refused_archive(ARCHIVE(DATASET("K\1", GOOD_Y), 48, 2), "the samples: the integer 1, expected a tensor");
    refused_archive(ARCHIVE(DATASET(GOOD_X, "K\1"), 48, 2), "the labels: the integer 1, expected a tensor");
    refused_archive(ARCHIVE(DATASET(GOOD_X, GOOD_X), 48, 2), "the labels are no int64 tensor [2]");
    refused_archive(ARCHIVE(DATASET(GOOD_Y, GOOD_Y), 48, 2),
                    "the samples are no float32 tensor [samples][bins][12]");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\2K\2K\x0b\x87", "K\x16K\x0bK\1\x87"), GOOD_Y), 48, 2),
                    "the samples are no float32 tensor");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\2K\x0c\x86", "K\x0cK\1\x86"), GOOD_Y), 48, 2),
                    "the samples are no float32 tensor");
    refused_archive(ARCHIVE(DATASET(GOOD_X, Y("\3", "\0", "K\3\x85", "K\1\x85")), 48, 3),
                    "the labels are no int64 tensor [2]");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\2K\2K\x0c\x87", "K\x0cK\x0cK\1\x87"), GOOD_Y), 48, 2),
                    "the samples: axis 0 has stride 12, expected 24 as in C order");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\2K\2K\x0c\x87", "K\x0cK\1\x86"), GOOD_Y), 48, 2),
                    "expected a stride for each axis");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", ")", ")"), GOOD_Y), 48, 2),
                    "expected a shape of 1 to 3 axes");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "(K\1K\1K\1K\1t", ")"), GOOD_Y), 48, 2),
                    "expected a shape of 1 to 3 axes");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\3K\2K\x0c\x87", "K\x18K\x0cK\1\x87"), GOOD_Y), 48, 2),
                    "the samples: axis 0 has 3 items; the storage has 48");
    refused_archive(ARCHIVE(DATASET(X("\x30", "\0", "K\0K\2K\x0c\x87", "K\x18K\x0cK\1\x87"), GOOD_Y), 48, 2),
                    "the samples: axis 0 has 0 items");
    refused_archive(
        ARCHIVE(DATASET(X("\x30", "\0", "J\xff\xff\xff\xffK\2K\x0c\x87", "K\x18K\x0cK\1\x87"), GOOD_Y), 48,
                2),
        "the integer -1, expected a number of items");
    refused_archive(
        ARCHIVE(DATASET(TENSOR("FloatStorage", "2", "\x30", "\0", "K\2K\2K\x0c\x87", "K\x18K\x0cK\1\x87"),
                        GOOD_Y),
                48, 2),
        "no member ds/data/2 in the archive");
}

static void broken_storages(void **state) {
    (void)state;
    static const char pickle[] = DATASET(GOOD_X, GOOD_Y);
    refused_archive(ARCHIVE(pickle, 47, 2), "ds/data/0 has 188 bytes, expected 48 items of 4");
    refused_archive(ARCHIVE(pickle, 49, 2), "ds/data/0 has 196 bytes, expected 48 items of 4");
    refused_archive(ARCHIVE(pickle, 48, 3), "ds/data/1 has 24 bytes, expected 2 items of 8");
    static bytes p;
    p = *ARCHIVE(pickle, 48, 2);
    uint8_t *six = memmem(p.b, p.n, classes, 8);
    *six = 7;
    refused_archive(&p, "ds/data/1 has checksum ");
    p = *ARCHIVE(pickle, 48, 2);
    ((uint8_t *)memmem(p.b, p.n, bins, 16))[1] = 1;
    refused_archive(&p, "ds/data/0 has checksum ");
    zip_places at;
    static const int64_t outside[2][2] = {{0, 7}, {-1, 0}};
    for (int k = 0; k < 2; k++) {
        const zip_entry e[] = {{"ds/data.pkl", pickle, sizeof pickle - 1},
                               {"ds/data/0", bins, 192},
                               {"ds/data/1", outside[k], 16}};
        p.n = 0;
        put_zip(&p, e, 3, &at);
        refused_archive(&p, k ? "label 0 is -1, expected 0 .. 6" : "label 1 is 7, expected 0 .. 6");
    }
    const zip_entry order[] = {{"ds/byteorder", "little", 6},
                               {"ds/data.pkl", pickle, sizeof pickle - 1},
                               {"ds/data/0", bins, 192},
                               {"ds/data/1", classes, 16}};
    p.n = 0;
    put_zip(&p, order, 4, &at);
    snn_braille_bins b;
    snn_error err = {0};
    assert_true(snn_braille_bins_open(&b, &(snn_source){.memory = p.b, .size = p.n}, &err));
    free(b.label);
    const zip_entry big[] = {{"ds/byteorder", "big", 3}, order[1], order[2], order[3]};
    p.n = 0;
    put_zip(&p, big, 4, &at);
    refused_archive(&p, "the byte order is not \"little\"");
    const zip_entry deep[] = {{"a/ds/data.pkl", pickle, sizeof pickle - 1}, {"data.pkl", pickle, 3}};
    p.n = 0;
    put_zip(&p, deep, 2, &at);
    refused_archive(&p, "no member FOLDER/data.pkl: not an archive of torch.save");
}

/* ---- the real files ---- */

/* As in braille_reference.py. */
static uint64_t checksum(const char *config, const char *file, size_t *inputs, size_t *events,
                         uint64_t *labels) {
    char text[1024];
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    uint64_t sum = 0;
    snprintf(text, sizeof text, config, data_folder(file), file);
    snn_dataset *d = open_ok(text, SNN_SPLIT_ALL);
    *inputs = *events = *labels = 0;
    for (size_t i = 0; i < snn_dataset_count(d); i++) {
        assert_true(snn_dataset_frames(d, i, &b, &x, &err));
        *events += b.events.n;
        assert_int_equal(b.events.out_of_order, 0);
        *labels += (i + 1) * (uint64_t)snn_dataset_label(d, i);
        for (int t = 0; t < x.steps; t++)
            for (size_t k = x.first[t]; k < x.first[t + 1]; k++) {
                uint64_t key = (i * 65536 + (uint64_t)t) * 256 + x.spike[k].index + 1;
                sum += key * key * 0x9E3779B97F4A7C15ULL;
                ++*inputs;
                assert_int_equal(x.spike[k].count, 1);
            }
    }
    snn_dataset_free(d);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    return sum;
}

static void real_letters(void **state) {
    (void)state;
    size_t inputs, events;
    uint64_t labels;
    assert_true(checksum("dataset = { name = \"braille\"; path = \"%s/%s\"; " NEAREST "};",
                         "braille/data_braille_letters_th10_part", &inputs, &events,
                         &labels) == 0x900a3778d97c5052ULL);
    assert_int_equal(events, 147961);
    assert_int_equal(inputs, 147855);
    assert_int_equal(labels, 108217395);
}

static void real_seven_letters(void **state) {
    (void)state;
    size_t inputs, events;
    uint64_t labels;
    static const char config[] =
        "dataset = { name = \"braille\"; path = \"%s/%s\"; bins = 256; bin_us = 5000; from_zero = true; };";
    assert_true(checksum(config, "braille/letters7_th1/ds_val_0.pt", &inputs, &events, &labels) ==
                0x805636d41759a3e5ULL);
    assert_int_equal(inputs, 195493);
    assert_int_equal(labels, 111625);
    assert_true(checksum(config, "braille/letters7_th1/ds_val_1.pt", &inputs, &events, &labels) ==
                0xbfeeaa4bfe22e142ULL);
    assert_int_equal(inputs, 193790);
    assert_int_equal(labels, 116030);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(a_pickle),
        cmocka_unit_test(order),
        cmocka_unit_test(broken_trials),
        cmocka_unit_test(times),
        cmocka_unit_test(rounding),
        IN_TEMP(which_file),
        IN_TEMP(seven_letters),
        cmocka_unit_test(views),
        cmocka_unit_test(broken_tensors),
        cmocka_unit_test(broken_storages),
        cmocka_unit_test(real_letters),
        cmocka_unit_test(real_seven_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
