/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of an EEG recording in memory: samples in their unit, reference, filter, normalisation. */
#include "eeg.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void snn_eeg_plain_name(const char *label, char out[SNN_EEG_NAME_SIZE]) {
    size_t n = strlen(label);
    while (n > 0 && (label[n - 1] == '.' || label[n - 1] == ' '))
        n--;
    if (n >= SNN_EEG_NAME_SIZE)
        n = SNN_EEG_NAME_SIZE - 1;
    memcpy(out, label, n);
    out[n] = '\0';
}

/* The signal with this plain name; e->signals when there is none. */
static uint32_t find_signal(const snn_edf *e, const char *name) {
    char plain[SNN_EEG_NAME_SIZE];
    uint32_t i = 0;
    for (; i < e->signals; i++) {
        snn_eeg_plain_name(e->signal[i].label, plain);
        if (!e->signal[i].annotations && strcasecmp(plain, name) == 0)
            break;
    }
    return i;
}

static bool pick_all(const snn_edf *e, uint32_t *signal, uint32_t *channels, snn_error *err) {
    *channels = 0;
    for (uint32_t i = 0; i < e->signals; i++) {
        if (e->signal[i].annotations)
            continue;
        if (*channels == SNN_EEG_CHANNELS_MAX)
            return snn_fail(err, SNN_ERR_DATA, "more than %u signals", SNN_EEG_CHANNELS_MAX);
        signal[(*channels)++] = i;
    }
    return *channels > 0 || snn_fail(err, SNN_ERR_DATA, "annotations only, no EEG signal");
}

bool snn_eeg_pick(const snn_eeg_signal *o, const snn_edf *e, uint32_t *signal, uint32_t *channels,
                  snn_eeg_clock *clock, snn_error *err) {
    if (o->channels == 0) {
        if (!pick_all(e, signal, channels, err))
            return false;
    } else {
        *channels = o->channels;
        for (uint32_t c = 0; c < o->channels; c++) {
            signal[c] = find_signal(e, o->channel[c]);
            if (signal[c] == e->signals)
                return snn_fail(err, SNN_ERR_DATA, "no channel named %s", o->channel[c]);
        }
    }
    const snn_edf_signal *first = &e->signal[signal[0]];
    for (uint32_t i = 0; i < e->signals; i++) { /* the average reference needs all of them */
        const snn_edf_signal *g = &e->signal[i];
        bool used = o->average_reference && !g->annotations;
        for (uint32_t c = 0; c < *channels; c++)
            used = used || signal[c] == i;
        if (used && (g->samples != first->samples || strcmp(g->unit, first->unit) != 0))
            return snn_fail(err, SNN_ERR_DATA,
                            "%s has %" PRIu32 " samples in a record in \"%s\", %s has %" PRIu32
                            " in \"%s\"; channels must have one rate and one unit",
                            g->label, g->samples, g->unit, first->label, first->samples, first->unit);
    }
    *clock = (snn_eeg_clock){.samples = first->samples, .record_ns = e->record_ns};
    return true;
}

int64_t snn_eeg_end(const snn_edf *e, const snn_edf_notes *notes) {
    int64_t all = (int64_t)e->records * e->record_ns, end = 0; /* every term is at most 2e18 */
    for (size_t i = 0; i < notes->n; i++) {
        const snn_edf_note *a = &notes->note[i];
        if (a->duration_ns >= 0 && a->onset_ns + a->duration_ns > end)
            end = a->onset_ns + a->duration_ns;
    }
    return end == 0 || end > all ? all : end;
}

/* Subtracts the mean of all signals of the record from what is in x. mean: [samples] */
static void subtract_average(const snn_edf *e, const uint8_t *record, const snn_eeg_run *run, double *x,
                             double *one, double *mean) {
    uint32_t n = run->clock.samples;
    double signals = 0;
    memset(mean, 0, n * sizeof *mean);
    for (uint32_t i = 0; i < e->signals; i++) {
        if (e->signal[i].annotations)
            continue;
        snn_edf_physical(&e->signal[i], record, one, 1);
        for (uint32_t k = 0; k < n; k++)
            mean[k] += one[k];
        signals++;
    }
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t c = 0; c < run->channels; c++)
            x[(size_t)k * run->channels + c] -= mean[k] / signals;
}

static bool read_records(const snn_eeg_signal *o, const snn_source *s, const snn_edf *e,
                         const uint32_t *signal, snn_eeg_run *run, snn_error *err) {
    uint8_t *record = snn_alloc(e->record_bytes, 1, "record", err);
    bool ok = record != NULL;
    for (uint64_t r = 0; ok && r < e->records; r++) {
        double *x = run->x + r * run->clock.samples * run->channels;
        ok = snn_source_read(s, e->header_bytes + r * e->record_bytes, e->record_bytes, record, err);
        for (uint32_t c = 0; ok && c < run->channels; c++)
            snn_edf_physical(&e->signal[signal[c]], record, x + c, run->channels);
        if (ok && o->average_reference)
            subtract_average(e, record, run, x, run->work, run->work + run->clock.samples);
    }
    free(record);
    return ok;
}

/* So that the filter does not start with a jump from 0. */
static void subtract_first(snn_eeg_run *run) {
    size_t channels = run->channels;
    memcpy(run->work, run->x, channels * sizeof *run->work);
    for (uint64_t i = 0; i < run->n; i++)
        for (size_t c = 0; c < channels; c++)
            run->x[i * channels + c] -= run->work[c];
}

static void reverse(snn_eeg_run *run) {
    size_t channels = run->channels;
    for (uint64_t i = 0, j = run->n - 1; i < j; i++, j--)
        for (size_t c = 0; c < channels; c++) {
            double swap = run->x[i * channels + c];
            run->x[i * channels + c] = run->x[j * channels + c];
            run->x[j * channels + c] = swap;
        }
}

static bool filter(const snn_eeg_signal *o, snn_eeg_run *run, snn_error *err) {
    snn_butterworth f;
    double rate = run->clock.samples * 1e9 / (double)run->clock.record_ns;
    if (!snn_butterworth_design(&f, o->order, o->low, o->high, rate, err))
        return false;
    subtract_first(run);
    snn_butterworth_run(&f, run->x, run->n, run->channels, run->work);
    if (o->zero_phase) {
        reverse(run);
        snn_butterworth_run(&f, run->x, run->n, run->channels, run->work);
        reverse(run);
    }
    return true;
}

/* Marks the samples that mean and deviation are taken from; returns how many. */
static uint64_t mark(const snn_eeg_signal *o, const snn_edf *e, const snn_edf_notes *notes,
                     const snn_eeg_run *run, uint8_t *used) {
    uint64_t n = 0, end = snn_eeg_sample_at(&run->clock, snn_eeg_end(e, notes));
    if (o->normalise == SNN_EEG_NORMALISE_RUN)
        memset(used, 1, end < run->n ? end : run->n);
    for (size_t i = 0; o->normalise == SNN_EEG_NORMALISE_REST && i < notes->n; i++) {
        const snn_edf_note *a = &notes->note[i];
        if (strcmp(notes->text + a->text, "T0") != 0 || a->onset_ns < 0 || a->duration_ns < 0)
            continue;
        uint64_t from = snn_eeg_sample_at(&run->clock, a->onset_ns),
                 to = snn_eeg_sample_at(&run->clock, a->onset_ns + a->duration_ns);
        for (uint64_t k = from; k < to && k < run->n; k++)
            used[k] = 1;
    }
    for (uint64_t k = 0; k < run->n; k++)
        n += used[k];
    return n;
}

/* x <- (x - mean) / standard deviation of each channel over the marked samples; a constant channel becomes 0. */
static void standardise(snn_eeg_run *run, const uint8_t *used, uint64_t n) {
    size_t channels = run->channels;
    double *mean = run->work, *deviation = mean + channels;
    memset(mean, 0, 2 * channels * sizeof *mean);
    for (uint64_t i = 0; i < run->n; i++)
        for (size_t c = 0; used[i] && c < channels; c++)
            mean[c] += run->x[i * channels + c];
    for (size_t c = 0; c < channels; c++)
        mean[c] /= (double)n;
    for (uint64_t i = 0; i < run->n; i++)
        for (size_t c = 0; used[i] && c < channels; c++) {
            double v = run->x[i * channels + c] - mean[c];
            deviation[c] += v * v;
        }
    for (size_t c = 0; c < channels; c++)
        deviation[c] = sqrt(deviation[c] / (double)n);
    for (uint64_t i = 0; i < run->n; i++)
        for (size_t c = 0; c < channels; c++) {
            double *v = &run->x[i * channels + c];
            *v = deviation[c] > 0 ? (*v - mean[c]) / deviation[c] : 0;
        }
}

static bool normalise(const snn_eeg_signal *o, const snn_edf *e, const snn_edf_notes *notes, snn_eeg_run *run,
                      snn_error *err) {
    if (o->normalise == SNN_EEG_NORMALISE_NONE)
        return true;
    uint8_t *used = snn_alloc(run->n, 1, "marks", err);
    if (used == NULL)
        return false;
    uint64_t n = mark(o, e, notes, run, used);
    if (n > 0)
        standardise(run, used, n);
    free(used);
    return n > 0 || snn_fail(err, SNN_ERR_DATA, "no annotation T0 to take mean and deviation of rest from");
}

/* Memory for the run, and for what works on it: the filter's state, a record's average. */
static bool make_room(const snn_edf *e, snn_eeg_run *run, snn_error *err) {
    run->n = e->records * run->clock.samples; /* the file's size bounds both products */
    uint64_t values = run->n * run->channels;
    if (values > SNN_EEG_VALUES_MAX)
        return snn_fail(err, SNN_ERR_DATA,
                        "%" PRIu64 " samples of %" PRIu32 " channels; at most %" PRIu64
                        " values are read as one run",
                        run->n, run->channels, SNN_EEG_VALUES_MAX);
    size_t work = 2 * (size_t)run->channels * SNN_EEG_ORDER_MAX;
    if (work < 2 * (size_t)run->clock.samples)
        work = 2 * (size_t)run->clock.samples;
    return snn_grow((void **)&run->x, &run->x_capacity, (size_t)values, sizeof *run->x, err) &&
           snn_grow((void **)&run->work, &run->work_capacity, work, sizeof *run->work, err);
}

bool snn_eeg_run_load(const snn_eeg_signal *o, const snn_source *s, snn_eeg_run *run, snn_error *err) {
    snn_edf e;
    snn_edf_notes notes = {.n = 0};
    uint32_t signal[SNN_EEG_CHANNELS_MAX] = {0};
    bool ok = snn_edf_open(s, &e, err) && snn_edf_annotations(s, &e, &notes, err) &&
              snn_eeg_pick(o, &e, signal, &run->channels, &run->clock, err) && make_room(&e, run, err) &&
              read_records(o, s, &e, signal, run, err) && filter(o, run, err) &&
              normalise(o, &e, &notes, run, err);
    snn_edf_notes_free(&notes);
    snn_edf_free(&e);
    return ok;
}

void snn_eeg_run_clear(snn_eeg_run *run) {
    free(run->x);
    free(run->work);
    *run = (snn_eeg_run){.x = NULL};
}
