/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An EDF file: header, annotations, samples; then the whole signal chain and an encoder. The first two bytes pick settings. */
#include "../../datasets/eeg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void annotations(const snn_source *s, const snn_edf *e) {
    snn_edf_notes notes;
    snn_error err = {0};
    if (snn_edf_annotations(s, e, &notes, &err)) {
        if (snn_eeg_end(e, &notes) < 0)
            abort();
        for (size_t i = 0; i < notes.n; i++)
            if (notes.note[i].text >= notes.used || notes.note[i].duration_ns < -1 ||
                notes.note[i].record >= e->records)
                abort();
    }
    snn_edf_notes_free(&notes);
}

static void encode(const snn_eeg_run *run, uint8_t pick) {
    static const snn_eeg_encoder code[] = {{.code = SNN_EEG_DELTA, .threshold = 0.5},
                                           {.code = SNN_EEG_STEP_FORWARD, .threshold = 0.25},
                                           {.code = SNN_EEG_RATE, .rate_max = 50, .rate_full = 2}};
    snn_error err = {0};
    snn_events out = {.width = run->channels, .height = 1, .channels = 2};
    size_t n = run->n < 500 ? (size_t)run->n : 500;
    if (!snn_eeg_encode(&code[pick % 3], &run->clock, run->x, n, run->channels, run->work, &out, &err))
        abort();
    for (size_t i = 0; i < out.n; i++)
        if (out.event[i].x >= run->channels || out.event[i].polarity > 1 ||
            (i > 0 && out.event[i].t < out.event[i - 1].t))
            abort();
    snn_events_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    snn_source s = {.memory = data + 2, .size = size - 2};
    snn_error err = {0};
    snn_edf e;
    if (snn_edf_open(&s, &e, &err)) {
        if (e.header_bytes + e.records * e.record_bytes != s.size)
            abort();
        annotations(&s, &e);
    }
    snn_edf_free(&e);

    snn_eeg_signal o;
    snn_eeg_run run = {.x = NULL};
    memset(&o, 0, sizeof o);
    o.order = data[0] & 7;
    o.low = (data[0] & 8) ? 1 : 0;
    o.high = (data[0] & 16) ? 3 : 0;
    o.zero_phase = (data[0] & 32) != 0;
    o.average_reference = (data[0] & 64) != 0;
    o.normalise = (snn_eeg_normalise)(data[1] % 3);
    if (data[1] & 64) {
        o.channels = 1;
        strcpy(o.channel[0], "C2");
    }
    if (snn_eeg_run_load(&o, &s, &run, &err))
        encode(&run, data[1] >> 2);
    snn_eeg_run_clear(&run);
    return 0;
}
