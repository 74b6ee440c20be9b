/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checking a data set against its official release: numbers of samples, every recording readable, nothing in both parts.
 * Sets that the user chose (lists, arrays) are checked for their content only; the synthetic camera has nothing to check.
 */
#include "shd.h"
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 300
static const char *const part_name[SNN_PARTS] = {"training", "test"};

/* A recording of N-MNIST has three saccades of about 100 ms. */
#define NMNIST_LONGEST_US 400000

void snn_verify_finding(snn_verifier *v, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vfprintf(v->out, fmt, args);
    va_end(args);
    fputc('\n', v->out);
    v->findings++;
}

static void check_events(snn_verifier *v, const snn_dataset *d, size_t i, const char *name,
                         const snn_events *e) {
    if (!d->info.has_events)
        return;
    if (e->n == 0)
        snn_verify_finding(v, "sample %s: no events", name);
    if (e->out_of_order > 0)
        snn_verify_finding(v, "sample %s: %zu of %zu events run back in time", name, e->out_of_order, e->n);
    if (e->n > 0 && d->table.sample[i].format == SNN_FORMAT_NMNIST &&
        e->event[e->n - 1].t - e->event[0].t > NMNIST_LONGEST_US)
        snn_verify_finding(v, "sample %s: lasts %" PRId64 " us, expected about 300000 us", name,
                           e->event[e->n - 1].t - e->event[0].t);
}

/* The published traces have a line for the class and one for each of 99 bins; one that was cut at the end of a line is a trace all the same. */
static void check_trace(snn_verifier *v, const snn_sample *s, const char *name, const snn_dataset_buffer *b) {
    size_t lines = 0;
    for (uint64_t i = 0; i < s->size; i++)
        lines += b->bytes[i] == '\n';
    if (lines < SNN_SHD_TRACE_LINES)
        snn_verify_finding(
            v, "sample %s: %zu lines, each published trace has %d: the class and %d bins; it may be cut off",
            name, lines, SNN_SHD_TRACE_LINES, SNN_SHD_TRACE_LINES - 1);
}

/* One sample as it would be used. Bad data is a finding; false when it cannot be told (no memory). */
static bool check_sample(snn_verifier *v, const snn_dataset *d, size_t i, snn_dataset_buffer *b,
                         snn_spikes *x, snn_error *err) {
    char name[NAME_SIZE];
    snn_error e = {.text = ""};
    snn_dataset_sample(d, i, name, sizeof name);
    bool ok = snn_dataset_frames(d, i, b, x, &e);
    bool told = ok || e.code == SNN_ERR_DATA;
    if (ok)
        check_events(v, d, i, name, &b->events);
    if (ok && d->table.sample[i].format == SNN_FORMAT_TRACE)
        check_trace(v, &d->table.sample[i], name, b);
    else if (!ok && told)
        snn_verify_finding(v, "sample %s: %s", name, e.text);
    return told || snn_fail(err, e.code, "%s", e.text);
}

/* Rows of a label file come in order of time. */
static void check_overlap(snn_verifier *v, const snn_dataset *d) {
    char name[NAME_SIZE];
    for (size_t i = 1; i < d->table.n; i++) {
        const snn_sample *s = &d->table.sample[i], *before = s - 1;
        if (s->format == SNN_FORMAT_AEDAT && s->path == before->path && s->start < before->end)
            snn_verify_finding(v, "sample %s: begins before the gesture in front of it ends",
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

/* Samples of several parts may lie in one file. */
static bool one_file(const snn_sample *s) {
    return s->format == SNN_FORMAT_SHD || s->format == SNN_FORMAT_BRAILLE ||
           s->format == SNN_FORMAT_BRAILLE_BINS;
}

static bool check_leaks(snn_verifier *v, const snn_dataset *d, snn_error *err) {
    origin *o = snn_alloc(d->table.n, sizeof *o, "origins", err);
    if (o == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < d->table.n; i++)
        if (d->table.sample[i].path != 0 && !one_file(&d->table.sample[i]))
            o[n++] = (origin){snn_table_text(&d->table, &d->table.sample[i]), d->table.sample[i].test};
    qsort(o, n, sizeof *o, by_path);
    for (size_t i = 1; i < n; i++)
        if (strcmp(o[i].path, o[i - 1].path) == 0 && o[i].test != o[i - 1].test)
            snn_verify_finding(v, "%s is in the training and in the test part", o[i].path);
    free(o);
    return true;
}

static bool go_on(const snn_verifier *v, size_t done, size_t total, snn_error *err) {
    return v->progress == NULL || v->progress(v->context, done, total) ||
           snn_fail(err, SNN_ERR_INTERRUPTED, "interrupted after %zu of %zu samples", done, total);
}

static bool check_all(snn_verifier *v, const snn_dataset *d, const bool opened[SNN_PARTS], snn_error *err) {
    if (d->table.sample[0].format == SNN_FORMAT_CAMERA) { /* all samples are */
        fprintf(v->out, "the synthetic camera's recordings are made in memory; nothing is read from disk\n");
        return true;
    }
    snn_dataset_buffer b = {.bytes = NULL};
    snn_spikes x = {.first = NULL};
    check_overlap(v, d);
    bool ok = snn_verify_official(v, d, opened, err) && check_leaks(v, d, err);
    for (size_t i = 0; ok && i < d->table.n; i++)
        ok = go_on(v, i, d->table.n, err) && check_sample(v, d, i, &b, &x, err);
    ok = ok && go_on(v, d->table.n, d->table.n, err);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    return ok;
}

/* When the whole does not open, its parts are tried, so that one broken part does not hide the other. */
static bool verify_parts(snn_verifier *v, const snn_config *config, snn_error *err) {
    static const snn_split split[SNN_PARTS] = {SNN_SPLIT_TRAIN, SNN_SPLIT_TEST};
    for (int part = 0; part < SNN_PARTS; part++) {
        snn_error e = {.text = ""};
        bool opened[SNN_PARTS] = {part == 0, part == 1};
        snn_dataset *d = snn_dataset_open_folds(config, split[part], false, NULL, &e);
        bool ok = d == NULL || check_all(v, d, opened, err);
        snn_dataset_free(d);
        if (d == NULL && e.code == SNN_ERR_RUNTIME)
            ok = snn_fail(err, e.code, "%s", e.text);
        else if (d == NULL && e.code == SNN_ERR_DATA) /* USAGE: this part is not meant to be there */
            snn_verify_finding(v, "%s part: %s", part_name[part], e.text);
        if (!ok)
            return false;
    }
    return true;
}

bool snn_dataset_verify(const snn_config *config, void *out, size_t *findings,
                        bool (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                        snn_error *err) {
    snn_verifier v = {.out = out, .progress = progress, .context = context};
    snn_error e = {.text = ""};
    snn_dataset *d = snn_dataset_open_folds(config, SNN_SPLIT_ALL, false, NULL, &e);
    bool ok;
    if (d != NULL) {
        ok = check_all(&v, d, (const bool[SNN_PARTS]){true, true}, err);
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
