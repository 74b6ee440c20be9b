/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHD times (float16 seconds in the official files) and units to events. */
#include "shd.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MICRO 1000000u

int64_t snn_half_micro(uint16_t half) {
    unsigned exponent = half >> 10 & 31;
    uint64_t mantissa = half & 1023;
    if (half == 0x8000)
        return 0; /* minus zero */
    if (half >> 15 || exponent == 31)
        return -1; /* negative, infinite, not a number */
    if (exponent > 0)
        mantissa |= 1024;
    else
        exponent = 1;              /* subnormal */
    uint64_t v = mantissa * MICRO; /* in units of 2^(exponent - 25) us */
    if (exponent >= 25)
        return (int64_t)(v << (exponent - 25));
    unsigned shift = 25 - exponent;
    uint64_t rest = v & (((uint64_t)1 << shift) - 1), middle = (uint64_t)1 << (shift - 1);
    v >>= shift;
    return (int64_t)(v + (rest > middle || (rest == middle && (v & 1))));
}

static int64_t micro(double seconds) {
    return seconds >= 0 && seconds <= SNN_SHD_SECONDS ? (int64_t)rint(seconds * MICRO) : -1;
}

static int64_t time_at(const uint8_t *times, unsigned bytes, size_t i) {
    uint16_t half;
    float single;
    double wide;
    switch (bytes) {
    case 2:
        memcpy(&half, times + 2 * i, sizeof half);
        return snn_half_micro(half);
    case 4:
        memcpy(&single, times + 4 * i, sizeof single);
        return micro((double)single);
    default:
        memcpy(&wide, times + 8 * i, sizeof wide);
        return micro(wide);
    }
}

/* A negative one becomes too large. */
static uint64_t unit_at(const uint8_t *units, unsigned bytes, size_t i) {
    uint64_t v = 0;
    memcpy(&v, units + bytes * i, bytes);
    return v;
}

bool snn_shd_decode(const uint8_t *times, unsigned time_bytes, const uint8_t *units, unsigned unit_bytes,
                    size_t n, snn_events *out, snn_error *err) {
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    snn_event *event = out->event + out->n;
    for (size_t i = 0; i < n; i++) {
        int64_t t = time_at(times, time_bytes, i);
        uint64_t unit = unit_at(units, unit_bytes, i);
        if (t < 0)
            return snn_fail(err, SNN_ERR_DATA, "event %zu: its time is not in 0 .. %d s", i, SNN_SHD_SECONDS);
        if (unit >= SNN_SHD_UNITS)
            return snn_fail(err, SNN_ERR_DATA, "event %zu: its unit is not in 0 .. %d", i, SNN_SHD_UNITS - 1);
        event[i] = (snn_event){.t = t, .x = (uint16_t)unit};
    }
    out->n += n;
    return true;
}
