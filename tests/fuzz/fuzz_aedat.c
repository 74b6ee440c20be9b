/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An AEDAT 3.1 file: indexed, then its packets decoded, whole and for one gesture. */
#include "../../datasets/internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t decode(const uint8_t *data, uint64_t first, uint64_t end, int64_t from, int64_t to) {
    snn_events e = {.width = SNN_GESTURE_SIDE, .height = SNN_GESTURE_SIDE, .channels = 2};
    snn_error err = {0};
    if (snn_aedat_decode(data + first, (size_t)(end - first), first, from, to, &e, &err)) {
        snn_events_sort(&e, "fuzz", &err);
        for (size_t i = 0; i < e.n; i++)
            if (e.event[i].t < 0 || e.event[i].t >= to - from || e.event[i].x >= e.width ||
                e.event[i].y >= e.height)
                abort();
    }
    size_t n = e.n;
    snn_events_free(&e);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    snn_source s = {.memory = data, .size = size};
    snn_aedat_packet *packet;
    size_t n;
    snn_error err = {0};
    decode(data, 0, size, 0, INT64_MAX); /* as if every byte were packets */
    if (!snn_aedat_index(&s, &packet, &n, &err)) {
        free(packet);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        if (packet[i].first >= packet[i].end || packet[i].end > size ||
            (i > 0 && packet[i].first < packet[i - 1].end))
            abort();
    if (n > 0) {
        uint64_t first, end;
        snn_gesture_label label = {.start = packet[0].t_first, .end = packet[n / 2].t_last};
        if (label.start < label.end && snn_gesture_range(packet, n, &label, &first, &end, &err))
            decode(data, first, end, label.start, label.end);
        decode(data, packet[0].first, packet[n - 1].end, 0, INT64_MAX);
    }
    free(packet);
    return 0;
}
