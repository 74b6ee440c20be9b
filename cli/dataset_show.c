/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim dataset show: counts per class and statistics of recordings. */
#include "dataset.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- parts and classes ---- */

static void print_about(const snn_dataset_info *a, FILE *out) {
    fprintf(out, "data set   %s (%s)\n", a->name, cli_source(a));
    if (a->has_events)
        fprintf(out, "sensor     %ux%u, %u channel%s\n", a->sensor[2], a->sensor[1], a->sensor[0],
                a->sensor[0] == 1 ? "" : "s");
    fprintf(out, "input      %d steps of %ux%ux%u (channels x height x width)", a->steps, a->input[0],
            a->input[1], a->input[2]);
    if (a->has_events && a->framing.mode == SNN_FRAME_WIDTH)
        fprintf(out, ", %lld us each", (long long)a->framing.bin_us);
    fputc('\n', out);
}

static void count_labels(const snn_dataset *d, size_t *count) {
    for (size_t i = 0; d && i < snn_dataset_count(d); i++)
        count[snn_dataset_label(d, i)]++;
}

static bool print_classes(const snn_dataset *train, const snn_dataset *test, FILE *out, snn_error *err) {
    const snn_dataset_info *a = snn_dataset_about(train ? train : test);
    int classes = a->classes;
    if (train && test && snn_dataset_about(test)->classes > classes) {
        a = snn_dataset_about(test);
        classes = a->classes;
    }
    size_t *count = snn_alloc((size_t)classes * 2, sizeof *count, "classes", err);
    if (!count)
        return false;
    count_labels(train, count);
    count_labels(test, count + classes);
    fprintf(out, "\nclass  %-30s %9s %9s\n", "name", "training", "test");
    for (int c = 0; c < classes; c++)
        fprintf(out, "%5d  %-30s %9zu %9zu\n", c, a->class_name[c], count[c], count[classes + c]);
    fprintf(out, "%5s  %-30s %9zu %9zu\n", "", "all", train ? snn_dataset_count(train) : 0,
            test ? snn_dataset_count(test) : 0);
    free(count);
    return true;
}

/* ---- durations and rates ---- */

typedef struct {
    double seconds, events, rate, on; /* on: share of ON events */
} recording;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Smallest, median and largest of one field of n recordings. */
static void print_range(const char *name, const recording *r, size_t n, size_t offset, double *scratch,
                        FILE *out) {
    for (size_t i = 0; i < n; i++)
        memcpy(&scratch[i], (const char *)&r[i] + offset, sizeof *scratch);
    qsort(scratch, n, sizeof *scratch, by_value);
    fprintf(out, "%-20s %12.4g %12.4g %12.4g\n", name, scratch[0], scratch[n / 2], scratch[n - 1]);
}

static bool measure_one(const snn_dataset *d, size_t i, snn_dataset_buffer *buffer, recording *r,
                        snn_error *err) {
    if (!snn_dataset_events(d, i, buffer, err))
        return false;
    const snn_events *e = &buffer->events;
    const snn_dataset_info *a = snn_dataset_about(d);
    size_t on = 0;
    for (size_t k = 0; k < e->n; k++)
        on += cli_dataset_on(a, &e->event[k]);
    *r = (recording){.events = (double)e->n};
    if (e->n > 1) {
        r->seconds = (double)(e->event[e->n - 1].t - e->event[0].t) * 1e-6;
        r->rate = r->seconds > 0 ? (double)e->n / r->seconds : 0;
        r->on = (double)on / (double)e->n;
    }
    return true;
}

/* Measures n recordings, evenly spread. The first one that cannot be read is the error. */
static bool measure(const snn_dataset *d, recording *r, size_t n, bool quiet, snn_error *err) {
    size_t count = snn_dataset_count(d), failed = n, done = 0;
    snn_progress *progress = snn_progress_begin("measure", "recordings", n, !quiet);
#pragma omp parallel num_threads(snn_threads(0))
    {
        snn_dataset_buffer buffer = {0};
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < n; k++) {
            snn_error local = {0};
            bool ok = measure_one(d, (size_t)((double)k * (double)count / (double)n), &buffer, &r[k], &local);
#pragma omp critical
            {
                if (!ok && k < failed) {
                    failed = k;
                    *err = local;
                }
                snn_progress_update(progress, ++done);
            }
        }
        snn_dataset_buffer_free(&buffer);
    }
    snn_progress_end(progress);
    return failed == n;
}

static bool print_statistics(const snn_dataset *d, const char *part, size_t n, bool quiet, FILE *out,
                             snn_error *err) {
    size_t count = snn_dataset_count(d);
    if (n == 0 || n > count)
        n = count;
    if (n == 0)
        return true;
    recording *r = snn_alloc(n, sizeof *r, "recordings", err);
    double *scratch = r ? snn_alloc(n, sizeof *scratch, "recordings", err) : NULL;
    bool ok = scratch && measure(d, r, n, quiet, err);
    if (ok) {
        fprintf(out, "\nmeasured on %zu of %zu %s recordings:\n%-20s %12s %12s %12s\n", n, count, part, "",
                "smallest", "median", "largest");
        print_range("duration (s)", r, n, offsetof(recording, seconds), scratch, out);
        print_range("events", r, n, offsetof(recording, events), scratch, out);
        print_range("events per second", r, n, offsetof(recording, rate), scratch, out);
        if (cli_dataset_polar(snn_dataset_about(d)))
            print_range("share of ON events", r, n, offsetof(recording, on), scratch, out);
    }
    free(scratch);
    free(r);
    return ok;
}

/* A part that the data set does not have, or that the config does not ask for, is no error. */
static bool broken(const snn_dataset *d, bool absent, const snn_error *e) {
    return !d && !absent && e->code != SNN_ERR_USAGE;
}

/* What can be shown of the parts that opened, at least one; no_train, no_test: why the other did not. */
static bool print_parts(const snn_config *config, const snn_dataset *train, const snn_dataset *test,
                        const char *no_train, const char *no_test, bool quiet, FILE *out, snn_error *err) {
    enum { MEASURED = 100 }; /* recordings: a few seconds with the synthetic camera */
    const snn_dataset *measured = test ? test : train;
    const snn_dataset_info *a = snn_dataset_about(measured);
    size_t n = snn_config_given(config, "run.limit") ? (size_t)snn_config_int(config, "run.limit") : MEASURED;
    print_about(a, out);
    if (!train || !test)
        fprintf(out, "no %s part: %s\n", train ? "test" : "training", train ? no_test : no_train);
    return print_classes(train, test, out, err) &&
           (!a->has_events || print_statistics(measured, test ? "test" : "training", n, quiet, out, err));
}

bool cli_dataset_show(const snn_config *config, bool quiet, FILE *out, snn_error *err) {
    snn_error train_error = {0}, test_error = {0};
    bool no_train, no_test;
    snn_dataset *train = snn_dataset_open_part(config, SNN_SPLIT_TRAIN, &no_train, &train_error);
    snn_dataset *test = snn_dataset_open_part(config, SNN_SPLIT_TEST, &no_test, &test_error);
    bool ok = (!train && !test) ||
              print_parts(config, train, test, train_error.text, test_error.text, quiet, out, err);
    /* one part may be absent, not both */
    if (ok && !test &&
        (broken(test, no_test, &test_error) || (!train && !broken(train, no_train, &train_error))))
        ok = snn_fail(err, test_error.code, "%s", test_error.text);
    else if (ok && broken(train, no_train, &train_error))
        ok = snn_fail(err, train_error.code, "%s", train_error.text);
    snn_dataset_free(train);
    snn_dataset_free(test);
    return ok;
}
