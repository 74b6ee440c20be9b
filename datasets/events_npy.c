/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events as a NumPy array, float64 [events][4] = x, y, polarity, time in ms: tonic's re-release of DVS128 Gesture. */
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 4
#define TIME_MAX_MS 1e12 /* 30 years; in us still exact in a double */

static bool whole_below(double v, double limit) {
    return v >= 0 && v < limit && floor(v) == v;
}

bool snn_events_npy_decode(const double *item, size_t n, snn_events *out, snn_error *err) {
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const double *v = item + COLUMNS * i;
        if (!whole_below(v[0], out->width) || !whole_below(v[1], out->height) ||
            !whole_below(v[2], out->channels))
            return snn_fail(
                err, SNN_ERR_DATA,
                "event %zu: x = %g, y = %g, polarity = %g lies outside the sensor of %u x %u x %u", i, v[0],
                v[1], v[2], out->width, out->height, out->channels);
        if (!(v[3] >= 0 && v[3] <= TIME_MAX_MS))
            return snn_fail(err, SNN_ERR_DATA, "event %zu: time %g ms, expected 0 .. 1e12", i, v[3]);
        out->event[out->n++] = (snn_event){.t = (int64_t)floor(v[3] * 1000 + 0.5),
                                           .x = (uint16_t)v[0],
                                           .y = (uint16_t)v[1],
                                           .polarity = (uint8_t)v[2]};
    }
    return true;
}

bool snn_events_npy_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err) {
    snn_npy h;
    char *path = snn_path_join(d->folder, snn_table_text(&d->table, s), err);
    bool ok = path != NULL && snn_npy_open(path, &h, err);
    if (ok && (h.type != SNN_NPY_F64 || h.dims != 2 || h.shape[1] != COLUMNS))
        ok = snn_fail(err, SNN_ERR_DATA, "%s: expected a float64 array [events][4]", path);
    if (ok && h.count > SNN_RECORDING_MAX / sizeof(double))
        ok = snn_fail(err, SNN_ERR_DATA, "%s: a recording has at most 1 GiB", path);
    ok = ok && snn_grow((void **)&b->bytes, &b->bytes_capacity, (size_t)h.count * sizeof(double), 1, err) &&
         snn_npy_read(path, &h, 0, h.count, b->bytes, err);
    if (ok && !snn_events_npy_decode((const double *)b->bytes, (size_t)h.shape[0], &b->events, err))
        ok = snn_error_context(err, "%s", path);
    free(path);
    return ok;
}
