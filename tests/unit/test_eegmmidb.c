/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EEGMMIDB: which runs and epochs are taken, splits and folds, what is not there, the signal chain, and the real recordings of subject 1. */
#include "edf_test.h"

#include <fcntl.h>
#include <math.h>

#include "../../datasets/eeg.h"

/* A run of 20 records with 16 samples a second: T0 at 0, 8, 16 s, T1 at 4 s, T2 at 12 s, each of 4 s but the last T0 of 3.5 s. */
static const edf_plan usual = {
    .channels = 3,
    .samples = 16,
    .records = 20,
    .label = {"C3..", "Cz..", "C4.."},
    .note_samples = 60,
    .tal = {
        [0] = "+0%4@T0@|", [4] = "+4%4@T1@|", [8] = "+8%4@T0@|", [12] = "+12%4@T2@|", [16] = "+16%3.5@T0@|"}};

static const int fist_runs[] = {3, 4, 7, 8, 11, 12};

static void write_run(int subject, int run, const edf_plan *p) {
    char name[64];
    snprintf(name, sizeof name, "S%03d", subject);
    mkdir(in_temp(name), 0755);
    snprintf(name, sizeof name, "S%03d/S%03dR%02d.edf", subject, subject, run);
    edf_write(name, p);
}

/* Subjects 1 and 2 with all runs of the first task, subject 7 with runs 3 and 4 and one of the other task. */
static int folder_setup(void **state) {
    if (temp_setup(state) != 0)
        return 1;
    for (int subject = 1; subject <= 2; subject++)
        for (int i = 0; i < 6; i++)
            write_run(subject, fist_runs[i], &usual);
    write_run(7, 3, &usual);
    write_run(7, 4, &usual);
    write_run(7, 5, &usual);
    make_folder("S110"); /* no such subject */
    make_folder("S00x");
    return 0;
}

/* The filter's usual edges are above 8 Hz, half of the rate here. */
#define SLOW "filter_order = 2; filter_low = 1.0; filter_high = 6.0; length_ms = 3000; "
#define EEG(keys) "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { " SLOW keys " }; };"

static size_t count_of(const char *config, snn_split split, int label[3]) {
    snn_dataset *d = open_ok(config, split);
    size_t n = snn_dataset_count(d);
    memset(label, 0, 3 * sizeof *label);
    for (size_t i = 0; i < n; i++)
        label[snn_dataset_label(d, i)]++;
    snn_dataset_free(d);
    return n;
}

static void runs_and_epochs_are_taken_by_the_config(void **state) {
    (void)state;
    int label[3];
    assert_int_equal(count_of(EEG("subjects = [1];"), SNN_SPLIT_ALL, label), 30);
    assert_int_equal(label[0], 18);
    assert_int_equal(label[1], 6);
    assert_int_equal(label[2], 6);
    assert_int_equal(count_of(EEG(""), SNN_SPLIT_ALL, label), 70); /* subject 7 has two runs of this task */
    assert_int_equal(count_of(EEG("movement = \"executed\";"), SNN_SPLIT_ALL, label), 35);
    assert_int_equal(count_of(EEG("subjects = [2, 7]; movement = \"imagined\";"), SNN_SPLIT_ALL, label), 20);
    assert_int_equal(count_of(EEG("task = \"fists_feet\";"), SNN_SPLIT_ALL, label), 5);
    assert_int_equal(count_of(EEG("subjects = 1; runs = [3, 12]; rest = \"half\";"), SNN_SPLIT_ALL, label),
                     8);
    assert_int_equal(label[0], 4);
    assert_int_equal(count_of(EEG("subjects = 1; runs = [3]; rest = \"none\";"), SNN_SPLIT_ALL, label), 2);
    assert_int_equal(label[0], 1); /* left */
    assert_int_equal(label[1], 1);
}

static void samples_have_names_and_classes(void **state) {
    (void)state;
    char name[32];
    snn_dataset *d =
        open_ok(EEG("subjects = [2]; runs = [4, 11]; channels = [\"C4\", \"c3\"];"), SNN_SPLIT_ALL);
    const snn_dataset_info *a = snn_dataset_about(d);
    assert_string_equal(a->name, "eegmmidb");
    assert_true(a->has_events);
    assert_int_equal(a->classes, 3);
    assert_string_equal(a->class_name[0], "rest");
    assert_string_equal(a->class_name[2], "right fist");
    assert_int_equal(a->sensor[0], 2);
    assert_int_equal(a->sensor[1], 1);
    assert_int_equal(a->sensor[2], 2);
    assert_null(a->note);
    assert_string_equal(snn_dataset_sample(d, 0, name, sizeof name), "S002R04:1");
    assert_string_equal(snn_dataset_sample(d, 8, name, sizeof name), "S002R11:4");
    assert_int_equal(snn_dataset_label(d, 8), 2);
    snn_dataset_free(d);
    d = open_ok(EEG("subjects = [7]; task = \"fists_feet\"; rest = \"none\";"), SNN_SPLIT_ALL);
    a = snn_dataset_about(d);
    assert_int_equal(a->classes, 2);
    assert_string_equal(a->class_name[0], "both fists");
    assert_string_equal(a->class_name[1], "both feet");
    assert_int_equal(a->sensor[2], 3);
    snn_dataset_free(d);
}

static void what_is_missing_is_said(void **state) {
    (void)state;
    snn_dataset *d = open_ok(EEG("subjects = [7, 9];"), SNN_SPLIT_ALL);
    assert_string_equal(
        snn_dataset_about(d)->note,
        "10 runs are not there: S007R07, S007R08, S007R11, S007R12, S009R03, S009R04, S009R07, "
        "S009R08, S009R11, S009R12");
    snn_dataset_free(d);
    d = open_ok(EEG("subjects = [1, 9]; runs = [3]; start_ms = 501;"), SNN_SPLIT_ALL);
    assert_string_equal(
        snn_dataset_about(d)->note,
        "1 run is not there: S009R03; 1 epoch is left out, because the window leaves the recording");
    assert_int_equal(snn_dataset_count(d), 4);
    snn_dataset_free(d);
    d = open_ok(EEG("subjects = [1]; runs = [3]; start_ms = 500;"),
                SNN_SPLIT_ALL); /* ends with the last annotation */
    assert_null(snn_dataset_about(d)->note);
    snn_dataset_free(d);
    d = open_ok(EEG("subjects = [1]; runs = [3, 4]; start_ms = -1;"), SNN_SPLIT_ALL);
    assert_string_equal(snn_dataset_about(d)->note,
                        "2 epochs are left out, because the window leaves the recording");
    snn_dataset_free(d);
    open_fails(EEG("subjects = [9];"), SNN_SPLIT_ALL, SNN_ERR_DATA,
               "no epochs of task fists in this part; not there: S009R03, S009R04");
    open_fails(EEG("start_ms = 19000;"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "dataset.eeg.length_ms: the window of every epoch leaves its recording");
    make_folder("S031");
    open_fails(EEG("subjects = [31]; movement = \"imagined\";"), SNN_SPLIT_ALL, SNN_ERR_DATA,
               "no epochs of task fists in this part; not there: S031R04, S031R08, S031R12; expected");
}

static void many_missing_runs_are_counted(void **state) {
    (void)state;
    char config[1024] = "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { " SLOW "subjects = [1";
    for (int i = 8; i <= 109; i++)
        snprintf(config + strlen(config), sizeof config - strlen(config), ", %d", i);
    strcat(config, "]; }; };");
    snn_dataset *d = open_ok(config, SNN_SPLIT_ALL);
    const char *note = snn_dataset_about(d)->note;
    assert_memory_equal(note, "612 runs are not there: S008R03, ", 33);
    assert_true(strlen(note) < 1100 && strlen(note) > 1000);
    const char *last = note + strlen(note) - 7; /* ends with a whole name */
    assert_true(last[0] == 'S' && last[4] == 'R');
    snn_dataset_free(d);
}

/* Runs of the samples, in order, as text. */
static const char *runs_of(const char *config, snn_split split) {
    static char text[512];
    snn_dataset *d = open_ok(config, split);
    char name[32], last[32] = "";
    *text = '\0';
    for (size_t i = 0; i < snn_dataset_count(d); i++) {
        snn_dataset_sample(d, i, name, sizeof name);
        *strchr(name, ':') = '\0';
        if (strcmp(name, last) != 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", name + 3);
        strcpy(last, name);
    }
    snn_dataset_free(d);
    return text;
}

static void splits_are_by_run_or_subject(void **state) {
    (void)state;
    assert_string_equal(runs_of(EEG("subjects = [1]; test_runs = [7, 12];"), SNN_SPLIT_TRAIN),
                        "1R03 1R04 1R08 1R11 ");
    assert_string_equal(runs_of(EEG("subjects = [1]; test_runs = [7, 12];"), SNN_SPLIT_TEST), "1R07 1R12 ");
    assert_string_equal(runs_of(EEG("runs = [3, 4]; test_subjects = [2];"), SNN_SPLIT_TRAIN),
                        "1R03 1R04 7R03 7R04 ");
    assert_string_equal(runs_of(EEG("runs = [3, 4]; test_subjects = [2];"), SNN_SPLIT_TEST), "2R03 2R04 ");
    assert_string_equal(runs_of(EEG("runs = [3, 4]; test_subjects = [2];"), SNN_SPLIT_ALL),
                        "1R03 1R04 2R03 2R04 7R03 7R04 ");
    assert_string_equal(runs_of(EEG("subjects = [1];"), SNN_SPLIT_TRAIN), "1R03 1R04 1R07 1R08 1R11 1R12 ");
    open_fails(EEG("subjects = [1];"), SNN_SPLIT_TEST, SNN_ERR_USAGE, "EEGMMIDB has no official test part");
    open_fails(EEG("test_runs = [3]; test_subjects = [1];"), SNN_SPLIT_ALL, SNN_ERR_USAGE, "not both");
    open_fails(EEG("runs = [3, 4]; test_runs = [7];"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "run 7 is not among the runs");
    open_fails(EEG("subjects = [1]; test_subjects = [2];"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "subject 2 is not among the subjects");
    open_fails(EEG("subjects = [1]; test_subjects = [1];"), SNN_SPLIT_TRAIN, SNN_ERR_DATA, "no epochs");
    open_fails(EEG("") " train = { validation = 0.1; };", SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "train.validation: single epochs drawn for validation would be neighbours");
}

#define FOLDS(n, k, keys)                                                                                    \
    "dataset = { name = \"eegmmidb\"; path = \"%s\"; folds = " #n "; fold = " #k "; eeg = { " SLOW keys      \
    " }; };"

static void folds_are_whole_runs(void **state) {
    (void)state;
    char together[256] = "", train[256];
    static const char *const fold[] = {FOLDS(3, 0, "subjects = [1];"), FOLDS(3, 1, "subjects = [1];"),
                                       FOLDS(3, 2, "subjects = [1];")};
    for (int k = 0; k < 3; k++) {
        strcpy(train, runs_of(fold[k], SNN_SPLIT_TRAIN));
        const char *test = runs_of(fold[k], SNN_SPLIT_TEST);
        assert_int_equal(strlen(train), 4 * 5);
        assert_int_equal(strlen(test), 2 * 5);
        for (int i = 0; i < 2; i++)
            assert_null(
                strstr(train, (char[]){test[5 * i], test[5 * i + 1], test[5 * i + 2], test[5 * i + 3], 0}));
        strcat(together, test);
    }
    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "1R%02d", fist_runs[i]);
        assert_non_null(strstr(together, name));
    }
    assert_int_equal(strlen(runs_of(FOLDS(6, 5, "subjects = [1];"), SNN_SPLIT_TEST)),
                     5); /* leave one run out */
    assert_int_equal(strlen(runs_of(FOLDS(6, 5, "subjects = [1];"), SNN_SPLIT_ALL)), 30);
    open_fails(FOLDS(7, 0, "subjects = [1];"), SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "7 folds of 6 runs; epochs of EEG are dealt in whole runs, because neighbours in time");
    /* the test runs stay out */
    open_fails(FOLDS(6, 0, "subjects = [1]; test_runs = [3];"), SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "6 folds of 5 runs");
    /* the same numbers of runs of two subjects are different runs */
    open_fails(FOLDS(13, 0, "subjects = [1, 2];"), SNN_SPLIT_TRAIN, SNN_ERR_USAGE, "13 folds of 12 runs");
}

static void folds_can_be_subjects(void **state) {
    (void)state;
    char first[256];
    strcpy(first, runs_of(FOLDS(2, 0, "subjects = [1, 2]; fold_by = \"subject\";"), SNN_SPLIT_TEST));
    const char *second = runs_of(FOLDS(2, 1, "subjects = [1, 2]; fold_by = \"subject\";"), SNN_SPLIT_TEST);
    assert_int_equal(strlen(first), 30);
    assert_int_equal(strlen(second), 30);
    assert_int_not_equal(first[0], second[0]);
    for (int i = 0; i < 6; i++)
        assert_true(first[5 * i] == first[0] && second[5 * i] == second[0]);
    open_fails(FOLDS(3, 0, "subjects = [1, 2]; fold_by = \"subject\";"), SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "3 folds of 2 subjects; epochs of EEG are dealt in whole subjects");
}

static void bad_settings_are_refused(void **state) {
    (void)state;
    open_fails("dataset = { name = \"eegmmidb\"; };", SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "https://physionet.org/content/eegmmidb");
    open_fails(EEG("runs = [3, 5];"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "run 5 is not of task fists, in which T1 and T2 are left fist and right fist");
    open_fails(EEG("runs = [1];"), SNN_SPLIT_ALL, SNN_ERR_USAGE, "run 1 is not of task fists");
    open_fails(EEG("runs = [2]; task = \"fists_feet\";"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "run 2 is not of task fists_feet");
    open_fails(EEG("channels = [\"C3\", \"C9\"];"), SNN_SPLIT_ALL, SNN_ERR_DATA,
               "S001/S001R03.edf: no channel named C9");
    open_fails(EEG("channels = [\"C3\", \"c3.\"];"), SNN_SPLIT_ALL, SNN_ERR_USAGE, "c3 is given twice");
    open_fails(EEG("encoder = \"rate\"; rate_max = 16.1;"), SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "16.1 spikes per second are more than the 16 samples per second");
    open_fails("dataset = { name = \"eegmmidb\"; path = \"%s\"; };", SNN_SPLIT_ALL, SNN_ERR_USAGE,
               "filter edges of 8 and 30 Hz must be below 8 Hz");
    snn_dataset_free(open_ok(EEG("encoder = \"rate\"; rate_max = 16.0;"), SNN_SPLIT_ALL));
}

#define EDGES(keys) "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { " keys " }; };"

/* The message names the key to change; half the rate is 8 Hz, and the defaults are 8 and 30 Hz. */
static void wrong_filter_edges_are_named(void **state) {
    (void)state;
    static const struct {
        const char *keys, *named;
    } bad[] = {{EDGES("filter_low = 8.0; filter_high = 7.0;"), "dataset.eeg.filter_low: filter edges"},
               {EDGES("filter_low = 8.0; filter_high = 0.0;"), "dataset.eeg.filter_low: filter edges"},
               {EDGES("filter_low = 1.0; filter_high = 8.0;"), "dataset.eeg.filter_high: filter edges"},
               {EDGES("filter_low = 9.0; filter_high = 8.0;"), "dataset.eeg.filter_high: filter edges"},
               {EDGES("filter_low = 1.0;"), "dataset.eeg.filter_high: filter edges"},
               {EDGES("filter_low = 7.0; filter_high = 7.0;"), "dataset.eeg.filter_low: the lower"},
               {EDGES("filter_low = 7.0; filter_high = 6.0;"), "dataset.eeg.filter_low: the lower"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        open_fails(bad[i].keys, SNN_SPLIT_ALL, SNN_ERR_USAGE, bad[i].named);
}

static void bad_runs_are_refused(void **state) {
    (void)state;
    edf_plan p = usual;
    p.channels = 2;
    write_run(20, 3, &usual);
    write_run(20, 4, &p); /* an electrode less */
    open_fails(EEG("subjects = [20];"), SNN_SPLIT_ALL, SNN_ERR_DATA, "S020/S020R04.edf: no channel named C4");
    p = usual;
    p.kind = "EDF+D";
    write_run(21, 3, &p);
    open_fails(EEG("subjects = [21];"), SNN_SPLIT_ALL, SNN_ERR_DATA,
               "S021/S021R03.edf: byte 192: an EDF+D file");
    edf_bytes f = edf_make(&usual);
    edf_field(f.b + edf_at(&f, 96, 8, 1), 8, "mV");
    write_file("S021/S021R03.edf", f.b, f.n);
    free(f.b);
    open_fails(EEG("subjects = [21];"), SNN_SPLIT_ALL, SNN_ERR_DATA,
               "Cz.. has 16 samples in a record in \"mV\", C3.. has 16 in \"uV\"");
    /* only what is used must agree */
    snn_dataset_free(open_ok(EEG("subjects = [21]; channels = [\"C3\", \"C4\"];"), SNN_SPLIT_ALL));
    open_fails(EEG("subjects = [21]; channels = [\"C3\", \"C4\"]; reference = \"average\";"), SNN_SPLIT_ALL,
               SNN_ERR_DATA, "one unit");
    p = usual;
    p.channels = 0;
    write_run(22, 3, &p);
    open_fails(EEG("subjects = [22];"), SNN_SPLIT_ALL, SNN_ERR_DATA, "annotations only, no EEG signal");
}

/* ---- the signal ---- */

static int16_t wave(int channel, int sample) {
    return (int16_t)(channel == 2 ? 77
                                  : 500 + (sample * (channel + 3)) % 17 * 40 + (sample >= 312 ? 4000 : 0));
}

static void load(const edf_plan *p, const snn_eeg_signal *o, snn_eeg_run *run) {
    edf_bytes f = edf_make(p);
    snn_source s = {.memory = f.b, .size = f.n};
    snn_error err = {0};
    *run = (snn_eeg_run){.x = NULL};
    if (!snn_eeg_run_load(o, &s, run, &err))
        fail_msg("%s", err.text);
    free(f.b);
}

/* Mean 0 and deviation 1 over what is annotated; the jump behind 19.5 s, where records are only filled up, has no part in it. */
static void runs_are_normalised(void **state) {
    (void)state;
    edf_plan p = usual;
    p.value = wave;
    snn_eeg_signal o;
    snn_eeg_run run;
    memset(&o, 0, sizeof o);
    for (o.normalise = SNN_EEG_NORMALISE_RUN; o.normalise <= SNN_EEG_NORMALISE_REST; o.normalise++) {
        load(&p, &o, &run);
        assert_int_equal(run.n, 320);
        assert_int_equal(run.channels, 3);
        for (int c = 0; c < 2; c++) {
            double sum = 0, squares = 0, n = 0;
            for (int i = 0; i < 312; i++)
                if (o.normalise == SNN_EEG_NORMALISE_RUN || i / 64 % 2 == 0) {
                    sum += run.x[3 * i + c];
                    squares += run.x[3 * i + c] * run.x[3 * i + c];
                    n++;
                }
            assert_true(fabs(sum / n) < 1e-12);
            assert_true(fabs(squares / n - 1) < 1e-12);
            assert_true(run.x[3 * 312 + c] > 10);
        }
        for (int i = 0; i < 320; i++)
            assert_true(run.x[3 * i + 2] == 0); /* a constant channel */
        snn_eeg_run_clear(&run);
        assert_null(run.x);
        assert_null(run.work);
    }
}

/* One record of 64 or 65 signals with 2^20 samples: 2^26 values, and more. Annotations stand in front, and the file ends behind them. */
static void runs_have_a_largest_size(void **state) {
    (void)state;
    for (int channels = 64; channels <= 65; channels++) {
        edf_plan p = {.channels = channels, .samples = 1, .records = 1};
        edf_bytes f = edf_make(&p);
        size_t header = 256 * (size_t)(channels + 2);
        for (int c = 1; c <= channels; c++)
            edf_field(f.b + edf_at(&f, 216, 8, (size_t)c), 8, "1048576");
        edf_field(f.b + edf_at(&f, 216, 8, 0), 8, "40");
        edf_field(f.b + edf_at(&f, 0, 16, 0), 16, "EDF Annotations");
        edf_field(f.b + edf_at(&f, 0, 16, (size_t)channels), 16, "last");
        edf_field(f.b + edf_at(&f, 96, 8, (size_t)channels), 8, "uV");
        memset(f.b + header, 0, 80);
        edf_text(f.b + header, "+0@@|");
        write_file("large", f.b, header + 80);
        free(f.b);
        snn_source s = {.size = header + 80 + ((size_t)channels << 21)};
        assert_int_not_equal(s.fd = open(in_temp("large"), O_RDONLY), -1);
        snn_eeg_signal o;
        snn_eeg_run run = {.x = NULL};
        snn_error err = {0};
        memset(&o, 0, sizeof o);
        assert_false(snn_eeg_run_load(&o, &s, &run, &err));
        check_error(&err, SNN_ERR_DATA,
                    channels == 64
                        ? "the file became shorter while it was read"
                        : "1048576 samples of 65 channels; at most 67108864 values are read as one run");
        snn_eeg_run_clear(&run);
        close(s.fd);
    }
}

static void more_signals_than_possible_are_refused(void **state) {
    (void)state;
    edf_plan p = {.channels = SNN_EEG_CHANNELS_MAX, .samples = 2, .records = 1};
    for (int more = 0; more < 2; more++, p.channels++) {
        edf_bytes f = edf_make(&p);
        snn_source s = {.memory = f.b, .size = f.n};
        snn_eeg_signal o;
        snn_eeg_run run = {.x = NULL};
        snn_error err = {0};
        memset(&o, 0, sizeof o);
        assert_int_equal(snn_eeg_run_load(&o, &s, &run, &err), !more);
        if (more)
            check_error(&err, SNN_ERR_DATA, "more than 512 signals");
        snn_eeg_run_clear(&run);
        free(f.b);
    }
}

/* 500 samples a second: start and length are both half a sample more than whole ones. */
static void windows_end_with_the_run(void **state) {
    (void)state;
    edf_plan p = {.channels = 1, .samples = 500, .records = 2, .tal = {"+0%2@T0@|"}};
    write_run(50, 3, &p);
    p.records = 3;
    write_run(50, 4, &p);
    snn_error err = {0};
    snn_dataset_buffer b = {.bytes = NULL};
    snn_dataset *d = open_ok(
        "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { subjects = [50]; filter_order = 0; encoder "
        "= \"rate\"; "
        "rate_max = 500.0; rate_full = 1e-6; normalise = \"none\"; start_ms = 1; length_ms = 1999; }; };",
        SNN_SPLIT_ALL);
    assert_true(
        snn_dataset_events(d, 1, &b, &err)); /* a longer run leaves its samples behind the end of the next */
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.n, 999); /* one in each sample */
    assert_int_equal(b.events.event[998].t, 1996000);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

/* The file is replaced by one of the same size whose records are shorter: windows now lie behind its end, or reach beyond it. */
static void replaced_runs_are_noticed(void **state) {
    (void)state;
    snn_error err = {0};
    snn_dataset_buffer b = {.bytes = NULL};
    write_run(51, 3, &usual);
    snn_dataset *d = open_ok(EEG("subjects = [51];"), SNN_SPLIT_ALL);
    edf_plan p = usual;
    p.duration = "0.5";
    write_run(51, 3, &p);
    static const bool good[] = {true, true, false, false, false}; /* 0, 4, 8 (256 + 96 > 320), 12, 16 s */
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(snn_dataset_events(d, i, &b, &err), good[i]);
        if (!good[i])
            check_error(&err, SNN_ERR_DATA,
                        "S051/S051R03.edf: the recording is shorter than when the data set was opened");
    }
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void references_and_offsets_are_taken_off(void **state) {
    (void)state;
    edf_plan p = usual;
    p.value = wave;
    snn_eeg_signal o;
    snn_eeg_run run, average;
    memset(&o, 0, sizeof o);
    load(&p, &o, &run);
    for (int i = 0; i < 320; i++) /* as recorded, but for the first sample */
        for (int c = 0; c < 3; c++)
            assert_true(run.x[3 * i + c] == wave(c, i) - wave(c, 0));
    o.average_reference = true;
    o.channels = 2;
    strcpy(o.channel[0], "Cz");
    strcpy(o.channel[1], "C3");
    load(&p, &o, &average);
    assert_int_equal(average.channels, 2);
    for (int i = 0; i < 320; i++) {
        double mean = (run.x[3 * i] + run.x[3 * i + 1] + run.x[3 * i + 2]) / 3;
        assert_true(fabs(average.x[2 * i] - (run.x[3 * i + 1] - mean)) < 1e-9);
        assert_true(fabs(average.x[2 * i + 1] - (run.x[3 * i] - mean)) < 1e-9);
    }
    snn_eeg_run_clear(&run);
    snn_eeg_run_clear(&average);
}

/* Filtered in both directions, a run that reads the same backward stays so (far from its ends). */
static int16_t mirror(int channel, int sample) {
    (void)channel;
    int k = sample < 160 ? sample : 319 - sample;
    return (int16_t)(k >= 100 ? (k * k) % 31 * 50 : 0);
}

static void zero_phase_is_symmetric(void **state) {
    (void)state;
    edf_plan p = usual;
    p.value = mirror;
    snn_eeg_signal o;
    snn_eeg_run run;
    memset(&o, 0, sizeof o);
    o.order = 2;
    o.low = 2;
    o.high = 6;
    o.zero_phase = true;
    load(&p, &o, &run);
    for (int i = 0; i < 160; i++)
        assert_true(fabs(run.x[3 * i] - run.x[3 * (319 - i)]) < 1e-3 * 1500);
    double peak = 0;
    for (int i = 100; i < 160; i++)
        peak = fmax(peak, fabs(run.x[3 * i]));
    assert_true(peak > 100);
    o.zero_phase = false;
    snn_eeg_run once;
    load(&p, &o, &once);
    double apart = 0;
    for (int i = 0; i < 160; i++)
        apart = fmax(apart, fabs(once.x[3 * i] - once.x[3 * (319 - i)]));
    assert_true(apart > 100);
    snn_eeg_run_clear(&run);
    snn_eeg_run_clear(&once);
}

/* One buffer serves several data sets: each setting of the signal makes another run. */
static void kept_runs_depend_on_the_settings(void **state) {
    (void)state;
    static const char *const config[] = {
        EEG("subjects = [1]; runs = [3];"),
        EEG("subjects = [1]; runs = [3]; channels = [\"C4\"];"),
        EEG("subjects = [1]; runs = [3]; channels = [\"Cz\"];"),
        EEG("subjects = [1]; runs = [3]; channels = [\"C3\", \"Cz\"];"),
        EEG("subjects = [1]; runs = [3]; reference = \"average\";"),
        EEG("subjects = [1]; runs = [3]; normalise = \"rest\";"),
        EEG("subjects = [1]; runs = [3]; zero_phase = true;"),
        "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { subjects = [1]; runs = [3]; length_ms = "
        "3000; filter_order = 3; filter_low = 1.0; filter_high = 6.0; }; };",
        "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { subjects = [1]; runs = [3]; length_ms = "
        "3000; filter_order = 2; filter_low = 2.0; filter_high = 6.0; }; };",
        "dataset = { name = \"eegmmidb\"; path = \"%s\"; eeg = { subjects = [1]; runs = [3]; length_ms = "
        "3000; filter_order = 2; filter_low = 1.0; filter_high = 5.0; }; };"};
    snn_error err = {0};
    enum { N = sizeof config / sizeof *config };
    for (int i = 0; i < N; i++) {
        snn_dataset_buffer both = {.bytes = NULL}, alone = {.bytes = NULL};
        snn_dataset *first = open_ok(config[i == 2], SNN_SPLIT_ALL),
                    *second = open_ok(config[i], SNN_SPLIT_ALL);
        assert_true(snn_dataset_events(
            first, 1, &both, &err)); /* what is kept: the first setting, or the second one for the third */
        size_t n = both.events.n;
        snn_event *before = malloc(n * sizeof *before + 1);
        memcpy(before, both.events.event, n * sizeof *before);
        assert_true(snn_dataset_events(second, 1, &both, &err));
        assert_true(snn_dataset_events(second, 1, &alone, &err));
        assert_int_equal(both.events.n, alone.events.n);
        for (size_t k = 0; k < alone.events.n; k++)
            check_event(&both.events.event[k], alone.events.event[k].t, alone.events.event[k].x, 0,
                        alone.events.event[k].polarity);
        bool same = n == alone.events.n;
        for (size_t k = 0; same && k < n; k++)
            same = before[k].t == alone.events.event[k].t && before[k].x == alone.events.event[k].x &&
                   before[k].polarity == alone.events.event[k].polarity;
        assert_int_equal(same, i == 0); /* the settings do make a difference */
        free(before);
        snn_dataset_buffer_free(&both);
        snn_dataset_buffer_free(&alone);
        snn_dataset_free(first);
        snn_dataset_free(second);
    }
}

static void rest_needs_rest(void **state) {
    (void)state;
    edf_plan p = usual;
    p.tal[0] = p.tal[8] = p.tal[16] = "";
    write_run(30, 3, &p);
    snn_error err = {0};
    snn_dataset_buffer b = {.bytes = NULL};
    snn_dataset *d = open_ok(EEG("subjects = [30]; normalise = \"rest\";"), SNN_SPLIT_ALL);
    for (int again = 0; again < 2; again++) { /* half a run is not kept */
        assert_false(snn_dataset_events(d, 0, &b, &err));
        check_error(&err, SNN_ERR_DATA,
                    "S030/S030R03.edf: no annotation T0 to take mean and deviation of rest from");
    }
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

/* A sample read out of the kept run is the sample read alone, and another file in its place is read again. */
static void kept_runs_do_not_mix(void **state) {
    (void)state;
    edf_plan p = usual;
    p.value = wave;
    write_run(40, 3, &usual);
    write_run(40, 4, &p);
    snn_error err = {0};
    snn_dataset_buffer kept = {.bytes = NULL};
    snn_dataset *d = open_ok(EEG("subjects = [40]; threshold = 0.25;"), SNN_SPLIT_ALL);
    static const size_t order[] = {0, 1, 7, 2, 9, 5, 6, 0};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        snn_dataset_buffer alone = {.bytes = NULL};
        assert_true(snn_dataset_events(d, order[k], &kept, &err));
        assert_true(snn_dataset_events(d, order[k], &alone, &err));
        assert_true(kept.events.n > 5);
        assert_int_equal(kept.events.n, alone.events.n);
        for (size_t i = 0; i < kept.events.n; i++)
            check_event(&kept.events.event[i], alone.events.event[i].t, alone.events.event[i].x, 0,
                        alone.events.event[i].polarity);
        assert_true(kept.events.event[kept.events.n - 1].t < 3000000);
        snn_dataset_buffer_free(&alone);
    }
    size_t before = kept.events.n;
    write_run(40, 3, &p); /* the same size */
    assert_true(snn_dataset_events(d, 0, &kept, &err));
    assert_int_not_equal(kept.events.n, before);
    p.records = 19;
    write_run(40, 3, &p);
    assert_false(snn_dataset_events(d, 0, &kept, &err));
    check_error(&err, SNN_ERR_DATA, "S040/S040R03.edf: its size changed since the data set was opened");
    assert_int_equal(unlink(in_temp("S040/S040R03.edf")), 0);
    assert_false(snn_dataset_events(d, 0, &kept, &err));
    check_error(&err, SNN_ERR_DATA, "S040/S040R03.edf: cannot open the recording");
    assert_null(strstr(strstr(err.text, "S040R03") + 1, "S040R03")); /* said once */
    snn_dataset_buffer_free(&kept);
    snn_dataset_free(d);
}

/* Subject 1: what the release's description says, and events that tests/golden/eeg_twin.py counts. */
static void real_runs_are_read(void **state) {
    (void)state;
    data_folder("eegmmidb/S001/S001R03.edf");
    static const char config[] = "dataset = { name = \"eegmmidb\"; path = \"$SNNSIM_DATA/eegmmidb\"; eeg = { "
                                 "runs = [3, 4, 7, 8]; }; };";
    snn_dataset *d = open_ok(config, SNN_SPLIT_ALL);
    snn_error err = {0};
    snn_dataset_buffer b = {.bytes = NULL};
    char name[32];
    int label[3] = {0};
    assert_int_equal(snn_dataset_count(d), 120);
    assert_int_equal(snn_dataset_about(d)->sensor[2], 64);
    for (size_t i = 0; i < 120; i++)
        label[snn_dataset_label(d, i)]++;
    assert_int_equal(label[0], 60);
    assert_int_equal(label[1] + label[2], 60);
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "S001R03:2");
    assert_int_equal(snn_dataset_label(d, 1), 2);
    assert_true(snn_dataset_events(d, 0, &b, &err));
    assert_int_equal(b.events.n, 16419);
    check_event(&b.events.event[0], 18750, 43, 0, 1);
    check_event(&b.events.event[1], 31250, 43, 0, 0);
    size_t events = 0;
    for (size_t i = 0; i < 30; i++) {
        assert_true(snn_dataset_events(d, i, &b, &err));
        events += b.events.n;
    }
    assert_int_equal(events, 529370);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_epochs_are_taken_by_the_config),
        cmocka_unit_test(samples_have_names_and_classes),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(many_missing_runs_are_counted),
        cmocka_unit_test(splits_are_by_run_or_subject),
        cmocka_unit_test(folds_are_whole_runs),
        cmocka_unit_test(folds_can_be_subjects),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(wrong_filter_edges_are_named),
        cmocka_unit_test(bad_runs_are_refused),
        cmocka_unit_test(runs_are_normalised),
        cmocka_unit_test(runs_have_a_largest_size),
        cmocka_unit_test(more_signals_than_possible_are_refused),
        cmocka_unit_test(windows_end_with_the_run),
        cmocka_unit_test(replaced_runs_are_noticed),
        cmocka_unit_test(references_and_offsets_are_taken_off),
        cmocka_unit_test(zero_phase_is_symmetric),
        cmocka_unit_test(kept_runs_depend_on_the_settings),
        cmocka_unit_test(rest_needs_rest),
        cmocka_unit_test(kept_runs_do_not_mix),
        cmocka_unit_test(real_runs_are_read),
    };
    return cmocka_run_group_tests(tests, folder_setup, temp_teardown);
}
