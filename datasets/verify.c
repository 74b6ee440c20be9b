/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checking a data set against its official release: numbers of samples, every recording readable, nothing in both parts.
 * Sets that the user chose (lists, arrays, the camera) are checked for their content only.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 300
#define PARTS 2 /* training, test */
static const char *const part_name[PARTS] = {"training", "test"};

/* N-MNIST follows MNIST (LeCun et al. 1998): samples per digit. */
static const uint64_t nmnist_official[PARTS][SNN_NMNIST_CLASSES] = {
    {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
    {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}};
/* A recording has three saccades of about 100 ms. */
#define NMNIST_LONGEST_US 400000

/* DVS128 Gesture: 98 and 24 trials of 12 rows; tonic's re-release has 1077 and 264 files. */
static const uint64_t gesture_official[PARTS] = {1176, 288};
static const uint64_t tonic_official[PARTS] = {1077, 264};

typedef struct {
    FILE *out;
    size_t findings;
} verifier;

static void finding(verifier *v, const char *fmt, ...) SNN_PRINTF(2, 3);
static void finding(verifier *v, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vfprintf(v->out, fmt, args);
    va_end(args);
    fputc('\n', v->out);
    v->findings++;
}

static void check_events(verifier *v, const snn_dataset *d, size_t i, const char *name, const snn_events *e) {
    if (!d->info.has_events)
        return;
    if (e->n == 0)
        finding(v, "sample %s: no events", name);
    if (e->out_of_order > 0)
        finding(v, "sample %s: %zu of %zu events run back in time", name, e->out_of_order, e->n);
    if (e->n > 0 && d->table.sample[i].format == SNN_FORMAT_NMNIST &&
        e->event[e->n - 1].t - e->event[0].t > NMNIST_LONGEST_US)
        finding(v, "sample %s: lasts %" PRId64 " us, expected about 300000 us", name,
                e->event[e->n - 1].t - e->event[0].t);
}

/* One sample as it would be used. Bad data is a finding; false when it cannot be told (no memory). */
static bool check_sample(verifier *v, const snn_dataset *d, size_t i, snn_dataset_buffer *b, snn_spikes *x,
                         snn_error *err) {
    char name[NAME_SIZE];
    snn_error e = {.text = ""};
    snn_dataset_sample(d, i, name, sizeof name);
    bool ok = snn_dataset_frames(d, i, b, x, &e);
    bool told = ok || e.code == SNN_ERR_DATA;
    if (ok)
        check_events(v, d, i, name, &b->events);
    else if (told)
        finding(v, "sample %s: %s", name, e.text);
    return told || snn_fail(err, e.code, "%s", e.text);
}

static void count_parts(const snn_dataset *d, uint64_t samples[PARTS],
                        uint64_t digit[PARTS][SNN_NMNIST_CLASSES]) {
    for (size_t i = 0; i < d->table.n; i++) {
        const snn_sample *s = &d->table.sample[i];
        samples[s->test]++;
        if (s->format == SNN_FORMAT_NMNIST)
            digit[s->test][s->label]++;
    }
}

static void check_counts(verifier *v, const snn_dataset *d, const bool opened[PARTS]) {
    uint64_t samples[PARTS] = {0}, digit[PARTS][SNN_NMNIST_CLASSES] = {{0}};
    const snn_sample *s = &d->table.sample[0];
    if (s->listed || s->format == SNN_FORMAT_FRAMES || s->format == SNN_FORMAT_CAMERA)
        return;
    count_parts(d, samples, digit);
    for (int part = 0; part < PARTS; part++) {
        if (!opened[part])
            continue;
        for (int c = 0; s->format == SNN_FORMAT_NMNIST && c < SNN_NMNIST_CLASSES; c++)
            if (digit[part][c] != nmnist_official[part][c])
                finding(v, "%s part: %" PRIu64 " samples of digit %d, the official release has %" PRIu64,
                        part_name[part], digit[part][c], c, nmnist_official[part][c]);
        const uint64_t *official = s->format == SNN_FORMAT_EVENTS_NPY ? tonic_official : gesture_official;
        if (s->format != SNN_FORMAT_NMNIST && samples[part] != official[part])
            finding(v, "%s part: %" PRIu64 " gestures, the official release has %" PRIu64, part_name[part],
                    samples[part], official[part]);
    }
}

/* Rows of a label file come in order of time. */
static void check_overlap(verifier *v, const snn_dataset *d) {
    char name[NAME_SIZE];
    for (size_t i = 1; i < d->table.n; i++) {
        const snn_sample *s = &d->table.sample[i], *before = s - 1;
        if (s->format == SNN_FORMAT_AEDAT && s->path == before->path && s->start < before->end)
            finding(v, "sample %s: begins before the gesture in front of it ends",
                    snn_dataset_sample(d, i, name, sizeof name));
    }
}

/* A file (of trials: the subject) must not be in both parts. */
typedef struct {
    const char *path;
    bool test;
} origin;

static int by_path(const void *a, const void *b) {
    const origin *p = a, *q = b;
    int order = strcmp(p->path, q->path);
    return order != 0 ? order : (int)p->test - (int)q->test;
}

static bool check_leaks(verifier *v, const snn_dataset *d, snn_error *err) {
    origin *o = snn_alloc(d->table.n, sizeof *o, "origins", err);
    if (o == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < d->table.n; i++)
        if (d->table.sample[i].path != 0)
            o[n++] = (origin){snn_table_text(&d->table, &d->table.sample[i]), d->table.sample[i].test};
    qsort(o, n, sizeof *o, by_path);
    for (size_t i = 1; i < n; i++)
        if (strcmp(o[i].path, o[i - 1].path) == 0 && o[i].test != o[i - 1].test)
            finding(v, "%s is in the training and in the test part", o[i].path);
    free(o);
    return true;
}

static bool check_all(verifier *v, const snn_dataset *d, const bool opened[PARTS], snn_error *err) {
    snn_dataset_buffer b = {.bytes = NULL};
    snn_spikes x = {.first = NULL};
    check_counts(v, d, opened);
    check_overlap(v, d);
    bool ok = check_leaks(v, d, err);
    for (size_t i = 0; ok && i < d->table.n; i++)
        ok = check_sample(v, d, i, &b, &x, err);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    return ok;
}

/* When the whole does not open, its parts are tried, so that one broken part does not hide the other. */
static bool verify_parts(verifier *v, const snn_config *config, snn_error *err) {
    static const snn_split split[PARTS] = {SNN_SPLIT_TRAIN, SNN_SPLIT_TEST};
    for (int part = 0; part < PARTS; part++) {
        snn_error e = {.text = ""};
        bool opened[PARTS] = {part == 0, part == 1};
        snn_dataset *d = snn_dataset_open_folds(config, split[part], false, &e);
        bool ok = d == NULL || check_all(v, d, opened, err);
        snn_dataset_free(d);
        if (d == NULL && e.code == SNN_ERR_RUNTIME)
            ok = snn_fail(err, e.code, "%s", e.text);
        else if (d == NULL && e.code == SNN_ERR_DATA) /* USAGE: this part is not meant to be there */
            finding(v, "%s part: %s", part_name[part], e.text);
        if (!ok)
            return false;
    }
    return true;
}

bool snn_dataset_verify(const snn_config *config, void *out, size_t *findings, snn_error *err) {
    verifier v = {.out = out};
    snn_error e = {.text = ""};
    snn_dataset *d = snn_dataset_open_folds(config, SNN_SPLIT_ALL, false, &e);
    bool ok;
    if (d != NULL) {
        ok = check_all(&v, d, (const bool[PARTS]){true, true}, err);
    } else if (e.code == SNN_ERR_DATA) {
        ok = verify_parts(&v, config, err);
    } else {
        ok = snn_fail(err, e.code, "%s", e.text);
    }
    snn_dataset_free(d);
    *findings = v.findings;
    if (ok && ferror(v.out))
        ok = snn_fail(err, SNN_ERR_RUNTIME, "cannot write the findings");
    return ok;
}
