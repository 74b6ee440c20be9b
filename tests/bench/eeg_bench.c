/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Speed of the EEG reader, one thread: eeg_bench CONFIG [KEY=VALUE]...
 * Per file: header and annotations; samples in uV; the whole chain to normalised samples. Then events of the epochs, and framed epochs, out of a kept run. Best of 5 rounds;
 * tests/bench/eeg_bench.py does the same in NumPy and SciPy.
 */
#include "../../datasets/eeg.h"

#include <snnsim/cpu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 5

static snn_error err;

static void stop(void) {
    fprintf(stderr, "eeg_bench: %s\n", err.text);
    exit(1);
}

static void open_sample(const snn_dataset *d, const snn_sample *s, snn_source *source) {
    if (!snn_recording_open(d, snn_table_text(&d->table, s), s->size, source, &err))
        stop();
}

/* Seconds of reading header and annotations of the sample's file. */
static double read_notes(const snn_dataset *d, const snn_sample *s) {
    snn_source source;
    snn_edf e;
    snn_edf_notes notes;
    double begin = snn_now();
    open_sample(d, s, &source);
    if (!snn_edf_open(&source, &e, &err) || !snn_edf_annotations(&source, &e, &notes, &err))
        stop();
    snn_edf_notes_free(&notes);
    snn_edf_free(&e);
    close(source.fd);
    return snn_now() - begin;
}

/* Seconds of loading the sample's run. */
static double load(const snn_dataset *d, const snn_sample *s, const snn_eeg_signal *o, snn_eeg_run *run) {
    snn_source source;
    double begin = snn_now();
    open_sample(d, s, &source);
    if (!snn_eeg_run_load(o, &source, run, &err))
        stop();
    close(source.fd);
    return snn_now() - begin;
}

static double least(double a, double b) {
    return a < b ? a : b;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return fprintf(stderr, "eeg_bench CONFIG [KEY=VALUE]...\n"), 2;
    snn_config *config = snn_config_load(argv[1], &err);
    for (int i = 2; config != NULL && i < argc; i++)
        if (!snn_config_set(config, argv[i], &err))
            stop();
    snn_dataset *d = config ? snn_dataset_open(config, SNN_SPLIT_ALL, &err) : NULL;
    if (d == NULL || d->eeg == NULL)
        stop();
    static snn_eeg_signal raw; /* no reference, filter and normalisation */
    snn_eeg_run run = {.x = NULL};
    double notes = 1e9, samples = 1e9, chain = 1e9, encode = 1e9, frame = 1e9;
    uint64_t files = 0, values = 0, events = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double t[3] = {0};
        snn_dataset_buffer b = {.bytes = NULL};
        snn_spikes x = {.first = NULL};
        files = values = 0;
        for (size_t i = 0; i < d->table.n; i++) {
            const snn_sample *s = &d->table.sample[i];
            if (i == 0 || s->path != s[-1].path) {
                t[0] += read_notes(d, s);
                t[1] += load(d, s, &raw, &run);
                t[2] += load(d, s, &d->eeg->signal, &run);
                files++;
                values += run.n * run.channels;
            }
        }
        notes = least(notes, t[0]);
        samples = least(samples, t[1]);
        chain = least(chain, t[2]);
        double sum[2] = {0};
        events = 0;
        for (size_t i = 0; i < d->table.n; i++) {
            bool other = i == 0 || d->table.sample[i].path != d->table.sample[i - 1].path;
            if (other &&
                !snn_dataset_events(d, i, &b, &err)) /* keeps the run, so that loading it does not count */
                stop();
            b.read_seconds = b.frame_seconds = 0;
            if (!snn_dataset_frames(d, i, &b, &x, &err))
                stop();
            sum[0] += b.read_seconds;
            sum[1] += b.frame_seconds;
            events += b.events.n;
        }
        encode = least(encode, sum[0]);
        frame = least(frame, sum[1]);
        snn_spikes_free(&x);
        snn_dataset_buffer_free(&b);
    }
    double mega = (double)values / 1e6, epochs = (double)d->table.n;
    printf("%llu files, %.2f million samples, %.0f epochs, %llu events\n", (unsigned long long)files, mega,
           epochs, (unsigned long long)events);
    printf("header and annotations %.3f ms per file\n", notes / (double)files * 1e3);
    printf("samples in uV          %.3f ms per file, %.1f million samples/s\n", samples / (double)files * 1e3,
           mega / samples);
    printf("normalised samples     %.3f ms per file, %.1f million samples/s\n", chain / (double)files * 1e3,
           mega / chain);
    printf("events                 %.3f ms per epoch, %.2f million events/s\n", encode / epochs * 1e3,
           (double)events / encode / 1e6);
    printf("frames                 %.3f ms per epoch\n", frame / epochs * 1e3);
    snn_eeg_run_clear(&run);
    snn_dataset_free(d);
    snn_config_free(config);
    return 0;
}
