/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headerless recordings, sorted and framed: the first byte picks format and framing, the second the number of bins, the rest is the file. */
#include "../../datasets/internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frames(const snn_framing *f, const snn_events *e, const snn_spikes *x, size_t dropped) {
    uint64_t total = 0;
    for (int step = 0; step < x->steps; step++)
        for (size_t i = x->first[step]; i < x->first[step + 1]; i++) {
            bool ascending = i == x->first[step] || x->spike[i].index > x->spike[i - 1].index;
            if (x->spike[i].index >= x->size || x->spike[i].count == 0 || !ascending)
                abort();
            total += x->spike[i].count;
        }
    if (!f->binary &&
        total != (e->n - dropped) * (size_t)f->repeat) /* every event is counted once in each copy */
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    unsigned pick = data[0];
    uint32_t side = pick & 1 ? SNN_GESTURE_SIDE : SNN_NMNIST_SIDE;
    snn_framing f = {.mode = pick & 2 ? SNN_FRAME_WIDTH : SNN_FRAME_BINS,
                     .bins = 1 + data[1],
                     .bin_us = pick & 4 ? 1000 : 7,
                     .from_zero = pick & 8,
                     .downsample = pick & 16 ? 4 : 1,
                     .binary = pick & 32,
                     .merge_polarity = pick & 64,
                     .rounding = (snn_frame_rounding)(data[1] % 3),
                     .repeat = 1 + (data[1] >> 7)};
    snn_events e = {.width = side, .height = side, .channels = 2};
    snn_spikes x = {0};
    snn_frame_scratch scratch = {0};
    snn_error err = {0};
    size_t dropped;
    bool ok = pick & 128 ? snn_bs3_decode(data + 2, size - 2, &e, &err)
                         : snn_bs2_decode(data + 2, size - 2, side == SNN_NMNIST_SIDE, &e, &err);
    if (ok && snn_events_sort(&e, "fuzz", &err)) {
        for (size_t i = 1; i < e.n; i++)
            if (e.event[i].t < e.event[i - 1].t)
                abort();
        if (!snn_frame(&f, &e, &x, &scratch, &dropped, &err))
            abort();
        check_frames(&f, &e, &x, dropped);
    }
    free(scratch.key);
    snn_spikes_free(&x);
    snn_events_free(&e);
    return 0;
}
