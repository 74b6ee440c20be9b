/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHD times (float16 seconds in the official files) and units to events. */
#include "shd.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

int64_t snn_half_micro(uint16_t half) {
    if (half > 0x7bff)                  /* negative, infinite, not a number */
        return half == 0x8000 ? 0 : -1; /* minus zero */
    uint32_t bits =
        (uint32_t)half << 13; /* a float32 whose exponent is 112 too small, also when it is subnormal */
    float small;
    memcpy(&small, &bits, sizeof small);
    /* The product of 11 and 20 bits is exact in float64; from 2^52 on that holds whole numbers only, so that the sum is rounded to one, halves to even, and its bits are
     * those of 2^52 and the number. */
    static const double whole = 0x1p52;
    double rounded = (double)(small * 0x1p112f) * 1e6 + whole;
    uint64_t sum, offset;
    memcpy(&sum, &rounded, sizeof sum);
    memcpy(&offset, &whole, sizeof offset);
    return (int64_t)(sum - offset);
}

static int64_t micro(double seconds) {
    return seconds >= 0 && seconds <= SNN_SHD_SECONDS ? (int64_t)rint(seconds * 1e6) : -1;
}

/* Times of n events; returns whether all are possible. */
static inline bool take_times(const uint8_t *times, unsigned bytes, size_t n, snn_event *event) {
    int64_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        float single;
        double wide;
        if (bytes == 2) {
            memcpy(&half, times + 2 * i, sizeof half);
            event[i].t = snn_half_micro(half);
        } else if (bytes == 4) {
            memcpy(&single, times + 4 * i, sizeof single);
            event[i].t = micro((double)single);
        } else {
            memcpy(&wide, times + 8 * i, sizeof wide);
            event[i].t = micro(wide);
        }
        bad |= event[i].t; /* the sign */
    }
    return bad >= 0;
}

/* Units of n events; returns whether all are possible. Other lanes of an event are cleared. */
static inline bool take_units(const uint8_t *units, unsigned bytes, size_t n, snn_event *event) {
    bool bad = false;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = 0;
        memcpy(&v, units + bytes * i, bytes);
        bad |= v >= SNN_SHD_UNITS; /* a negative one is too large */
        event[i].x = (uint16_t)v;
        event[i].y = 0;
        event[i].polarity = 0;
    }
    return !bad;
}

/* Says which event is the first that is not possible. */
static bool refuse(const uint8_t *units, unsigned bytes, size_t n, const snn_event *event, snn_error *err) {
    size_t i = 0;
    uint64_t unit = 0;
    for (; i < n; i++) {
        memcpy(&unit, units + bytes * i, bytes);
        if (event[i].t < 0 || unit >= SNN_SHD_UNITS)
            break;
    }
    if (event[i].t < 0)
        return snn_fail(err, SNN_ERR_DATA, "event %zu: its time is not in 0 .. %d s", i, SNN_SHD_SECONDS);
    return snn_fail(err, SNN_ERR_DATA, "event %zu: its unit is not in 0 .. %d", i, SNN_SHD_UNITS - 1);
}

bool snn_shd_decode(const uint8_t *times, unsigned time_bytes, const uint8_t *units, unsigned unit_bytes,
                    size_t n, snn_events *out, snn_error *err) {
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    snn_event *event = out->event + out->n;
    /* The official types are constants here, so that their loops are compiled without a choice for each event. */
    bool good = time_bytes == 2 ? take_times(times, 2, n, event) : take_times(times, time_bytes, n, event);
    good &= unit_bytes == 2 ? take_units(units, 2, n, event) : take_units(units, unit_bytes, n, event);
    if (!good)
        return refuse(units, unit_bytes, n, event, err);
    out->n += n;
    return true;
}
