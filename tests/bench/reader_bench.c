/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Speed of reading a data set, one thread: reader_bench CONFIG [KEY=VALUE]...
 * Opens it and reads all events of the part dataset.split names, best of several rounds; with files in the page cache. reader_peer.py does the same in Python.
 */
#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5 };

static snn_error err;

static void stop(void) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return fprintf(stderr, "reader_bench CONFIG [KEY=VALUE]...\n"), 2;
    snn_config *config = snn_config_load(argv[1], &err);
    for (int i = 2; config && i < argc; i++)
        if (!snn_config_set(config, argv[i], &err))
            stop();
    if (!config)
        stop();
    const char *split = snn_config_string(config, "dataset.split");
    const snn_split part = *split == 'a'                        ? SNN_SPLIT_ALL
                           : split[0] == 't' && split[1] == 'r' ? SNN_SPLIT_TRAIN
                                                                : SNN_SPLIT_TEST;
    double best = 1e9, best_open = 1e9, frame = 1e9;
    size_t samples = 0;
    uint64_t events = 0;
    for (int k = 0; k < ROUNDS; k++) {
        snn_dataset_buffer buffer = {0};
        snn_spikes x = {0};
        const double start = snn_now();
        snn_dataset *d = snn_dataset_open(config, part, &err);
        if (!d)
            stop();
        const double opened = snn_now();
        samples = snn_dataset_count(d);
        for (size_t i = 0; i < samples; i++)
            if (!snn_dataset_events(d, i, &buffer, &err))
                stop();
        const double all = snn_now() - start;
        events = buffer.events_read;
        buffer.frame_seconds = 0;
        for (size_t i = 0; i < samples; i++)
            if (!snn_dataset_frames(d, i, &buffer, &x, &err))
                stop();
        best = all < best ? all : best;
        best_open = opened - start < best_open ? opened - start : best_open;
        frame = buffer.frame_seconds < frame ? buffer.frame_seconds : frame;
        snn_dataset_free(d);
        snn_spikes_free(&x);
        snn_dataset_buffer_free(&buffer);
    }
    printf("%s: %zu samples, %llu events in %.2f ms (opening %.2f ms, framing besides %.2f ms): %.4g M "
           "events/s, "
           "%.4g samples/s\n",
           snn_config_string(config, "dataset.name"), samples, (unsigned long long)events, best * 1e3,
           best_open * 1e3, frame * 1e3, (double)events / best * 1e-6, (double)samples / best);
    snn_config_free(config);
    return 0;
}
