/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Spiking Heidelberg Digits (Cramer et al. 2022, doi:10.1109/TNNLS.2020.3044364): spoken digits in 700 units of a model of the cochlea. Opening in one of three
 * layouts, and reading one sample:
 *   a folder with shd_train.h5 and shd_test.h5, the official release;
 *   one such file, which is one part (train, when its name says so) unless it is cut by folds or speakers;
 *   a folder of recordings binned at 10 ms, input_<number>.trace, which come from the test part: cut by lists or folds.
 */
#include "shd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const digit_name[SNN_SHD_CLASSES] = {
    "zero", "one",  "two",  "three", "four", "five",  "six",   "seven",  "eight", "nine",
    "null", "eins", "zwei", "drei",  "vier", "fuenf", "sechs", "sieben", "acht",  "neun"};
static const char *const official[2] = {"shd_train.h5", "shd_test.h5"};

#define NAME_SIZE 300 /* of a sample, for messages */
/* Longest class line of a trace with its end. */
#define CLASS_LINE 16

static bool wanted(snn_split split, bool test) {
    return split != (test ? SNN_SPLIT_TRAIN : SNN_SPLIT_TEST);
}

/* ---- HDF5 ---- */

/* Is this speaker in dataset.test_speakers? */
static bool test_speaker(const snn_config *config, int64_t speaker) {
    for (int i = 0; i < snn_config_count(config, "dataset.test_speakers"); i++)
        if (snn_config_int_at(config, "dataset.test_speakers", i) == speaker)
            return true;
    return false;
}

static bool add_recordings(snn_dataset *d, const snn_config *config, const char *name, const snn_shd_index *x,
                           bool test, bool by_speaker, snn_split split, snn_error *err) {
    uint32_t path;
    if (!snn_table_path(&d->table, name, &path, err))
        return false;
    for (size_t i = 0; i < x->n; i++) {
        const snn_shd_recording *r = &x->recording[i];
        snn_sample s = {.first = r->times,
                        .start = (int64_t)r->units,
                        .size = r->events,
                        .path = path,
                        .label = r->label,
                        .row = (uint32_t)i,
                        .format = SNN_FORMAT_SHD,
                        .test = by_speaker ? test_speaker(config, r->speaker) : test};
        if ((!by_speaker || wanted(split, s.test)) && !snn_table_add(&d->table, &s, err))
            return false;
    }
    return true;
}

/* Opens a file for reading samples; both: it has both parts. */
static bool keep_open(snn_dataset *d, const char *path, const snn_shd_index *x, bool test, bool both,
                      snn_error *err) {
    struct stat st;
    for (int part = 0; part < 2; part++) {
        if (!both && part != test)
            continue;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        d->shd->file[part].fd = fd;
        if (fd == -1 || fstat(fd, &st) != 0)
            return snn_fail_errno(err, "%s: cannot be opened", path);
        d->shd->file[part].size = (uint64_t)st.st_size;
        d->shd->file[part].time_bytes = x->time_bytes;
        d->shd->file[part].unit_bytes = x->unit_bytes;
    }
    if (x->has_names)
        memcpy(d->shd->name, x->name, sizeof x->name);
    return true;
}

/* A file that is still packed is the likeliest mistake: gzip starts with 1f 8b, ZIP with "PK". */
static bool refuse_packed(const char *path, snn_error *err) {
    uint8_t start[2] = {0, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd != -1 ? read(fd, start, sizeof start) : 0;
    if (fd != -1)
        close(fd);
    if (n == 2 && (memcmp(start, "\x1f\x8b", 2) == 0 || memcmp(start, "PK", 2) == 0))
        return snn_fail(err, SNN_ERR_DATA, "%s: is packed; unpack it first (gunzip or unzip)", path);
    return true;
}

static bool open_file(snn_dataset *d, const snn_config *config, const char *path, bool test, bool by_speaker,
                      bool both, snn_split split, snn_error *err) {
    const char *slash = strrchr(path, '/');
    snn_shd_index x = {0};
    bool ok = refuse_packed(path, err) && snn_shd_index_read(path, &x, err);
    if (ok && by_speaker && !x.has_speakers)
        ok = snn_config_fail(config, "dataset.test_speakers", err, "%s has no extra/speaker", path);
    ok = ok && keep_open(d, path, &x, test, both, err) &&
         add_recordings(d, config, slash ? slash + 1 : path, &x, test, by_speaker, split, err);
    free(x.recording);
    return ok;
}

static bool open_official(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    if (snn_config_count(config, "dataset.test_speakers") > 0)
        return snn_config_fail(config, "dataset.test_speakers", err,
                               "the files of the folder are the two parts; give one file in dataset.path");
    for (int test = 0; test < 2; test++) {
        d->absent = wanted(split, test) && faccessat(d->folder_fd, official[test], F_OK, 0) != 0;
        char *path = wanted(split, test) ? snn_path_join(d->folder, official[test], err) : NULL;
        bool ok = !wanted(split, test) ||
                  (path != NULL && open_file(d, config, path, test, false, false, split, err));
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

/* One file: cut by speakers, or one part, which folds may cut. */
static bool open_one(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    bool by_speaker = snn_config_count(config, "dataset.test_speakers") > 0;
    bool folds = snn_config_int(config, "dataset.folds") > 0;
    const char *slash = strrchr(d->folder, '/');
    bool test = strcmp(slash ? slash + 1 : d->folder, official[0]) != 0;
    if (!by_speaker && !folds && !wanted(split, test))
        return snn_config_fail(
            config, "dataset.path", err,
            "one file is one part, here the %s part; give the folder of both files, or cut the file "
            "by dataset.folds or dataset.test_speakers",
            test ? "test" : "training");
    return open_file(d, config, d->folder, test, by_speaker, true, split, err);
}

/* ---- binned recordings ---- */

bool snn_shd_trace_class(const snn_dataset *d, const char *path, uint64_t size, int *label, snn_error *err) {
    uint8_t text[CLASS_LINE];
    snn_source s;
    if (!snn_recording_open(d, path, size, &s, err))
        return false;
    size_t n = size < sizeof text ? (size_t)size : sizeof text;
    bool ok = snn_source_read(&s, 0, n, text, err) && snn_trace_class(text, n, label, err);
    close(s.fd);
    return ok || snn_error_context(err, "%s/%s", d->folder, path);
}

/* input_2 before input_10. */
static int by_number(const void *a, const void *b) {
    const char *p = *(char *const *)a, *q = *(char *const *)b;
    size_t n = strlen(p), m = strlen(q);
    return n != m ? (n > m) - (n < m) : strcmp(p, q);
}

static bool add_trace(snn_dataset *d, const char *path, bool test, snn_error *err) {
    bool found;
    int label;
    snn_sample s = {.test = test, .format = SNN_FORMAT_TRACE};
    if (!snn_recording_size(d, path, 1, &s.size, &found, err))
        return false;
    if (!found)
        return snn_fail(err, SNN_ERR_DATA, "%s/%s: a link that leads nowhere", d->folder, path);
    if (!snn_shd_trace_class(d, path, s.size, &label, err))
        return false;
    s.label = label;
    return snn_table_path(&d->table, path, &s.path, err) && snn_table_add(&d->table, &s, err);
}

/* All traces of the folder, one part, which folds may cut. */
static bool open_traces(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    bool folds = snn_config_int(config, "dataset.folds") > 0;
    snn_names names = {0};
    bool ok = snn_folder_names(d, ".", ".trace", false, &names, err);
    if (ok && names.n == 0)
        ok = snn_fail(
            err, SNN_ERR_DATA,
            "%s: neither shd_train.h5 and shd_test.h5 (unpack the files of the SHD release there) nor "
            "input_<number>.trace",
            d->folder);
    if (ok && !folds && !wanted(split, true))
        ok =
            snn_config_fail(config, "dataset.train_list", err,
                            "the traces in dataset.path are one part; cut them by lists or by dataset.folds");
    if (ok)
        qsort(names.name, names.n, sizeof *names.name, by_number);
    for (size_t i = 0; ok && i < names.n; i++)
        ok = add_trace(d, names.name[i], !folds, err);
    snn_names_free(&names);
    return ok;
}

/* ---- the data set ---- */

static bool has_official(const snn_dataset *d) {
    for (int test = 0; test < 2; test++)
        if (faccessat(d->folder_fd, official[test], F_OK, 0) == 0)
            return true;
    return false;
}

static bool open_layout(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    struct stat st;
    bool lists = *snn_config_string(config, "dataset.train_list") != '\0' ||
                 *snn_config_string(config, "dataset.test_list") != '\0';
    d->folder = snn_path_expand(snn_config_string(config, "dataset.path"), err);
    if (d->folder == NULL)
        return false;
    if (stat(d->folder, &st) == 0 && !S_ISDIR(st.st_mode)) {
        d->info.folder = d->folder;
        if (lists)
            return snn_config_fail(config, "dataset.path", err,
                                   "lists name traces; a folder of them is expected here");
        return open_one(d, config, split, err);
    }
    free(d->folder); /* snn_folder_open sets it again */
    if (!snn_folder_open(d, config, err))
        return false;
    if (lists)
        return snn_lists_open(d, config, split, SNN_FORMAT_TRACE, err);
    return has_official(d) ? open_official(d, config, split, err) : open_traces(d, config, split, err);
}

bool snn_shd_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err) {
    d->info.name = "shd";
    d->info.classes = SNN_SHD_CLASSES;
    d->info.has_events = true;
    d->info.sensor[0] = d->info.sensor[1] = 1;
    d->info.sensor[2] = SNN_SHD_UNITS;
    if (*snn_config_string(config, "dataset.path") == '\0')
        return snn_config_fail(
            config, "dataset.path", err,
            "SHD is not part of snnsim: get shd_train.h5.gz and shd_test.h5.gz from "
            "https://compneuro.net/datasets/ (CC BY 4.0), unpack them into one folder and give that "
            "folder here");
    d->shd = snn_alloc(1, sizeof *d->shd, "data set", err);
    if (d->shd == NULL)
        return false;
    d->shd->file[0].fd = d->shd->file[1].fd = -1;
    d->shd->reverse = snn_config_bool(config, "dataset.reverse");
    for (int i = 0; i < SNN_SHD_CLASSES; i++)
        snprintf(d->shd->name[i], SNN_SHD_NAME, "%s", digit_name[i]);
    for (int i = 0; i < SNN_SHD_CLASSES; i++)
        d->shd->class_name[i] = d->shd->name[i];
    d->info.class_name = d->shd->class_name;
    return open_layout(d, config, split, err);
}

void snn_shd_free(struct snn_shd *shd) {
    for (int part = 0; shd != NULL && part < 2; part++)
        if (shd->file[part].fd != -1)
            close(shd->file[part].fd);
    free(shd);
}

/* ---- one sample ---- */

static bool read_recording(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    snn_source file = {.fd = d->shd->file[s->test].fd, .size = d->shd->file[s->test].size};
    unsigned time_bytes = d->shd->file[s->test].time_bytes, unit_bytes = d->shd->file[s->test].unit_bytes;
    size_t n = (size_t)s->size, times = n * time_bytes,
           units = n * unit_bytes; /* each at most SNN_RECORDING_MAX */
    return snn_grow((void **)&b->bytes, &b->bytes_capacity, times + units, 1, err) &&
           snn_source_read(&file, s->first, times, b->bytes, err) &&
           snn_source_read(&file, (uint64_t)s->start, units, b->bytes + times, err) &&
           snn_shd_decode(b->bytes, time_bytes, b->bytes + times, unit_bytes, n, &b->events, err);
}

static bool read_trace(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    const char *path = snn_table_text(&d->table, s);
    return snn_recording_read(d, path, 0, s->size, false, b, err) &&
           (snn_trace_decode(b->bytes, (size_t)s->size, &b->events, err) ||
            snn_error_context(err, "%s/%s", d->folder, path));
}

/* Lines in the order of the published binning; unit 0 is not in it. */
static void reverse(snn_events *e) {
    size_t kept = 0;
    for (size_t i = 0; i < e->n; i++)
        if (e->event[i].x != 0) {
            e->event[kept] = e->event[i];
            e->event[kept++].x = (uint16_t)(SNN_SHD_UNITS - e->event[i].x);
        }
    e->n = kept;
}

bool snn_shd_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    char name[NAME_SIZE];
    if (s->format == SNN_FORMAT_TRACE) {
        if (!read_trace(d, s, b, err))
            return false;
    } else if (!read_recording(d, s, b, err)) {
        return snn_error_context(err, "%s: %s", d->folder,
                                 snn_dataset_sample(d, (size_t)(s - d->table.sample), name, sizeof name));
    }
    if (d->shd->reverse)
        reverse(&b->events);
    return snn_events_order(&b->events, err);
}
