/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the EEG reader makes of a data set, for tests/golden/eeg_twin.py: eeg_dump CONFIG OUT [KEY=VALUE]...
 * Writes OUT.filter (sections b0 b1 b2 a1 a2), OUT.signal (runs one after the other, float64 [samples][channels]) and OUT.events: for each sample a line
 * `name label events`, then lines `t x polarity`.
 */
#include "../../datasets/eeg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static snn_error err;

static void stop(void) {
    fprintf(stderr, "eeg_dump: %s\n", err.text);
    exit(1);
}

static FILE *out_file(const char *name, const char *ending) {
    char path[1024];
    snprintf(path, sizeof path, "%s.%s", name, ending);
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    return f;
}

static void dump_run(const snn_dataset *d, const snn_sample *s, FILE *filter, FILE *signal) {
    snn_source source;
    snn_eeg_run run = {.x = NULL};
    snn_butterworth f;
    const snn_eeg_signal *o = &d->eeg->signal;
    if (!snn_recording_open(d, snn_table_text(&d->table, s), s->size, &source, &err) ||
        !snn_eeg_run_load(o, &source, &run, &err) ||
        !snn_butterworth_design(&f, o->order, o->low, o->high,
                                run.clock.samples * 1e9 / (double)run.clock.record_ns, &err))
        stop();
    close(source.fd);
    fwrite(run.x, sizeof *run.x, run.n * run.channels, signal);
    rewind(filter);
    for (int k = 0; k < f.sections; k++)
        fprintf(filter, "%.17g %.17g %.17g %.17g %.17g\n", f.section[k].b0, f.section[k].b1, f.section[k].b2,
                f.section[k].a1, f.section[k].a2);
    snn_eeg_run_clear(&run);
}

int main(int argc, char **argv) {
    if (argc < 3)
        return fprintf(stderr, "eeg_dump CONFIG OUT [KEY=VALUE]...\n"), 2;
    snn_config *config = snn_config_load(argv[1], &err);
    for (int i = 3; config != NULL && i < argc; i++)
        if (!snn_config_set(config, argv[i], &err))
            stop();
    snn_dataset *d = config ? snn_dataset_open(config, SNN_SPLIT_ALL, &err) : NULL;
    if (d == NULL || d->eeg == NULL)
        stop();
    FILE *filter = out_file(argv[2], "filter"), *signal = out_file(argv[2], "signal"),
         *events = out_file(argv[2], "events");
    snn_dataset_buffer b = {.bytes = NULL};
    char name[64];
    for (size_t i = 0; i < d->table.n; i++) {
        const snn_sample *s = &d->table.sample[i];
        if (i == 0 || s->path != s[-1].path)
            dump_run(d, s, filter, signal);
        if (!snn_dataset_events(d, i, &b, &err))
            stop();
        fprintf(events, "%s %d %zu\n", snn_dataset_sample(d, i, name, sizeof name), s->label, b.events.n);
        for (size_t k = 0; k < b.events.n; k++)
            fprintf(events, "%lld %d %d\n", (long long)b.events.event[k].t, b.events.event[k].x,
                    b.events.event[k].polarity);
    }
    bool ok = fclose(filter) == 0 && fclose(signal) == 0 && fclose(events) == 0;
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    snn_config_free(config);
    return ok ? 0 : 1;
}
