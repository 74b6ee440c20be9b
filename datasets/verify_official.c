/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the official releases contain, and what of it is missing. Counts: N-MNIST follows MNIST (LeCun et al. 1998); DVS128 Gesture has 98 and 24 trials of 12 rows, tonic's re-release
 * 1077 and 264 files; SHD 8156 and 2264 recordings (https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/); Braille letters 200 trials of each
 * of 27 classes (Zenodo 7050094), the validation files of seven letters 40 of each; EEGMMIDB 109 subjects with 14 runs (PhysioNet, eegmmidb 1.0.0).
 */
#include "edf.h"
#include "eeg.h"
#include "shd.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const part_name[SNN_PARTS] = {"training", "test"};

static const uint64_t nmnist_digits[SNN_PARTS][SNN_NMNIST_CLASSES] = {
    {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
    {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}};

/* Totals of the parts; 0: nothing is known. */
static const struct {
    uint8_t format;
    uint64_t samples[SNN_PARTS];
    const char *unit;
} totals[] = {{SNN_FORMAT_AEDAT, {1176, 288}, "gestures"},
              {SNN_FORMAT_EVENTS_NPY, {1077, 264}, "gestures"},
              {SNN_FORMAT_SHD, {8156, 2264}, "recordings"}};

#define BRAILLE_TRIALS 200 /* of each letter */
#define BRAILLE_BINS_TRIALS 40
#define SHD_TEST_RECORDINGS 2264
#define SHD_SPEAKERS 12
#define SHD_TEST_SPEAKERS 2 /* that are in the test part only */
#define EEG_SIGNALS 65      /* 64 electrodes and the annotations */
#define PATH_SIZE 300

/* ---- counts ---- */

static uint64_t count_class(const snn_dataset *d, int part, int label) {
    uint64_t n = 0;
    for (size_t i = 0; i < d->table.n; i++)
        n += d->table.sample[i].test == (part == 1) && d->table.sample[i].label == label;
    return n;
}

static uint64_t count_part(const snn_dataset *d, int part) {
    uint64_t n = 0;
    for (size_t i = 0; i < d->table.n; i++)
        n += d->table.sample[i].test == (part == 1);
    return n;
}

static void check_digits(snn_verifier *v, const snn_dataset *d, int part) {
    for (int c = 0; c < SNN_NMNIST_CLASSES; c++) {
        uint64_t n = count_class(d, part, c);
        if (n != nmnist_digits[part][c])
            snn_verify_finding(v,
                               "%s part: %" PRIu64 " samples of digit %d, the official release has %" PRIu64,
                               part_name[part], n, c, nmnist_digits[part][c]);
    }
}

static void check_total(snn_verifier *v, const snn_dataset *d, int part) {
    for (size_t k = 0; k < sizeof totals / sizeof *totals; k++) {
        uint64_t n = count_part(d, part);
        if (totals[k].format == d->table.sample[0].format && totals[k].samples[part] != n)
            snn_verify_finding(v, "%s part: %" PRIu64 " %s, the official release has %" PRIu64,
                               part_name[part], n, totals[k].unit, totals[k].samples[part]);
    }
}

/* The same number of samples of each class, in one part. */
static void check_classes(snn_verifier *v, const snn_dataset *d, uint64_t official) {
    for (int c = 0; c < d->info.classes; c++) {
        uint64_t n = count_class(d, 0, c);
        if (n != official)
            snn_verify_finding(v, "%s: %" PRIu64 " trials, the official release has %" PRIu64,
                               d->info.class_name[c], n, official);
    }
    if (d->table.n != official * (uint64_t)d->info.classes)
        snn_verify_finding(v, "%zu trials, the official release has %" PRIu64, d->table.n,
                           official * (uint64_t)d->info.classes);
}

/* ---- numbers that are missing ---- */

static size_t next_missing(const bool *missing, size_t n, size_t i) {
    while (i < n && !missing[i])
        i++;
    return i;
}

/* Greedy: as long an evenly spaced series as there is from each number on; two numbers are no series. */
void snn_verify_numbers(snn_verifier *v, const char *text, const bool *missing, size_t n) {
    size_t i = next_missing(missing, n, 0);
    if (i == n)
        return;
    fputs(text, v->out);
    for (const char *comma = " "; i < n; comma = ", ") {
        size_t second = next_missing(missing, n, i + 1), step = second - i, last = i, terms = 1;
        while (second < n && last + step < n && next_missing(missing, n, last + 1) == last + step) {
            last += step;
            terms++;
        }
        if (terms > 2 && step > 1)
            fprintf(v->out, "%severy %zu%s of %zu..%zu", comma, step,
                    step == 2   ? "nd"
                    : step == 3 ? "rd"
                                : "th",
                    i, last);
        else if (terms > 2)
            fprintf(v->out, "%s%zu..%zu", comma, i, last);
        else
            fprintf(v->out, "%s%zu", comma, last = i);
        i = next_missing(missing, n, last + 1);
    }
    snn_verify_finding(v, "%s", "");
}

/* ---- SHD ---- */

/* input_<number>.trace are recordings of the official test part. */
static void check_traces(snn_verifier *v, const snn_dataset *d) {
    bool missing[SHD_TEST_RECORDINGS];
    size_t there = 0;
    memset(missing, true, sizeof missing);
    for (size_t i = 0; i < d->table.n; i++) {
        unsigned number;
        const char *path = snn_table_text(&d->table, &d->table.sample[i]);
        if (sscanf(path, "input_%u.trace", &number) == 1 && number < SHD_TEST_RECORDINGS) {
            there += missing[number];
            missing[number] = false;
        } else {
            snn_verify_finding(v, "%s: not named input_0.trace .. input_%d.trace", path,
                               SHD_TEST_RECORDINGS - 1);
        }
    }
    snn_verify_finding(v, "binned traces, %zu of %d of the official test part; the training part is missing",
                       there, SHD_TEST_RECORDINGS);
    snn_verify_numbers(v, "missing: input_N.trace, N =", missing, SHD_TEST_RECORDINGS);
}

/* Marks the speakers of a part; false when its file cannot be read (another finding says so) or has none. */
static bool speakers(snn_verifier *v, const char *path, const char *part, bool speaks[SHD_SPEAKERS]) {
    snn_shd_index x = {0};
    snn_error e = {0};
    bool ok = snn_shd_index_read(path, &x, &e);
    if (ok && !x.has_speakers)
        snn_verify_finding(v, "%s part: no extra/speaker", part);
    for (size_t i = 0; ok && x.has_speakers && i < x.n; i++) {
        if (x.recording[i].speaker >= 0 && x.recording[i].speaker < SHD_SPEAKERS)
            speaks[x.recording[i].speaker] = true;
        else
            snn_verify_finding(v, "%s part: recording %zu has speaker %" PRId64 ", expected 0 .. %d", part, i,
                               x.recording[i].speaker, SHD_SPEAKERS - 1);
    }
    ok = ok && x.has_speakers;
    free(x.recording);
    return ok;
}

/* Both files; of one file only its own speakers are known. */
static bool check_speakers(snn_verifier *v, const snn_dataset *d, const bool opened[SNN_PARTS],
                           snn_error *err) {
    static const char *const file[SNN_PARTS] = {"shd_train.h5", "shd_test.h5"};
    bool speaks[SNN_PARTS][SHD_SPEAKERS] = {{false}}, known[SNN_PARTS] = {false, false},
         missing[SHD_SPEAKERS];
    bool folder = d->folder_fd != -1;
    size_t only_test = 0;
    for (int part = 0; part < SNN_PARTS; part++) {
        char *path = folder ? snn_path_join(d->folder, file[part], err) : NULL;
        if (folder && path == NULL)
            return false;
        if (folder ? opened[part] : count_part(d, part) > 0)
            known[part] = speakers(v, folder ? path : d->folder, part_name[part], speaks[part]);
        free(path);
    }
    for (int i = 0; i < SHD_SPEAKERS; i++) {
        missing[i] = !speaks[0][i] && !speaks[1][i];
        only_test += speaks[1][i] && !speaks[0][i];
    }
    if (known[0] || known[1])
        snn_verify_numbers(v, "no recordings of speakers", missing,
                           folder && !(known[0] && known[1]) ? 0 : SHD_SPEAKERS);
    if (known[0] && known[1] && only_test != SHD_TEST_SPEAKERS)
        snn_verify_finding(v, "%zu speakers are in the test part only, in the official release %d", only_test,
                           SHD_TEST_SPEAKERS);
    return true;
}

static void check_digits_spoken(snn_verifier *v, const snn_dataset *d, const bool opened[SNN_PARTS]) {
    for (int part = 0; part < SNN_PARTS; part++)
        for (int c = 0; opened[part] && count_part(d, part) > 0 && c < SNN_SHD_CLASSES; c++)
            if (count_class(d, part, c) == 0)
                snn_verify_finding(v, "%s part: no recording of \"%s\"", part_name[part],
                                   d->info.class_name[c]);
}

/* ---- EEGMMIDB ---- */

/* Reads the header of one run. False: there is no such file. */
static bool check_run(snn_verifier *v, const snn_dataset *d, int subject, int run) {
    char path[PATH_SIZE];
    uint64_t size;
    bool found = false;
    snn_error e = {0};
    snn_source s;
    snn_edf edf = {.signal = NULL};
    snprintf(path, sizeof path, "S%03d/S%03dR%02d.edf", subject, subject, run);
    bool ok = snn_recording_size(d, path, 1, &size, &found, &e);
    if (ok && !found)
        return false;
    if (ok && snn_recording_open(d, path, size, &s, &e)) {
        if (!snn_edf_open(&s, &edf, &e))
            snn_verify_finding(v, "%s/%s: %s", d->folder, path, e.text);
        else if (edf.signals != EEG_SIGNALS)
            snn_verify_finding(v, "%s/%s: %" PRIu32 " signals, the official release has %d", d->folder, path,
                               edf.signals, EEG_SIGNALS);
        snn_edf_free(&edf);
        close(s.fd);
    } else {
        snn_verify_finding(v, "%s", e.text);
    }
    return true;
}

/* All 109 x 14 runs, whatever the config takes of them. */
static void check_runs(snn_verifier *v, const snn_dataset *d) {
    bool subject_missing[SNN_EEG_SUBJECTS + 1] = {false};
    size_t runs = 0;
    for (int subject = 1; subject <= SNN_EEG_SUBJECTS; subject++) {
        bool missing[SNN_EEG_RUNS + 1] = {false};
        size_t there = 0;
        char text[64];
        for (int run = 1; run <= SNN_EEG_RUNS; run++) {
            missing[run] = !check_run(v, d, subject, run);
            there += !missing[run];
        }
        subject_missing[subject] = there == 0;
        snprintf(text, sizeof text, "subject %d: missing runs", subject);
        if (there > 0)
            snn_verify_numbers(v, text, missing, SNN_EEG_RUNS + 1);
        runs += there;
    }
    snn_verify_numbers(v, "missing subjects:", subject_missing, SNN_EEG_SUBJECTS + 1);
    if (runs != SNN_EEG_SUBJECTS * SNN_EEG_RUNS)
        snn_verify_finding(v, "%zu runs, the official release has %d", runs, SNN_EEG_SUBJECTS * SNN_EEG_RUNS);
}

/* Once, when the parts are opened one by one. */
static void say_content_only(snn_verifier *v, const char *what) {
    if (!v->content_only)
        fprintf(v->out, "%s are checked for their content only, not compared with the official release\n",
                what);
    v->content_only = true;
}

bool snn_verify_official(snn_verifier *v, const snn_dataset *d, const bool opened[SNN_PARTS],
                         snn_error *err) {
    const snn_sample *s = &d->table.sample[0];
    if (s->listed || s->format == SNN_FORMAT_FRAMES) {
        say_content_only(v, s->listed ? "lists" : "arrays");
        return true;
    }
    for (int part = 0; part < SNN_PARTS; part++) {
        if (opened[part] && s->format == SNN_FORMAT_NMNIST)
            check_digits(v, d, part);
        else if (opened[part])
            check_total(v, d, part);
    }
    switch (s->format) {
    case SNN_FORMAT_BRAILLE:
        check_classes(v, d, BRAILLE_TRIALS);
        break;
    case SNN_FORMAT_BRAILLE_BINS:
        check_classes(v, d, BRAILLE_BINS_TRIALS);
        break;
    case SNN_FORMAT_TRACE:
        check_traces(v, d);
        break;
    case SNN_FORMAT_EEG:
        check_runs(v, d);
        break;
    case SNN_FORMAT_SHD:
        check_digits_spoken(v, d, opened);
        return check_speakers(v, d, opened, err);
    default:
        break;
    }
    return true;
}
