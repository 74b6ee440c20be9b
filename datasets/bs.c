/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Headerless event files. 5 bytes per event: N-MNIST's .bin (Orchard et al. 2015, doi:10.3389/fnins.2015.00437) and SLAYER's .bs2: x, y, then
 * polarity in bit 23 and the time in us in bits 22..0, most significant byte first. 7 bytes per event: SLAYER's .bs3: 12 bits x, 12 bits y,
 * 8 bits channel, 24 bits time in us, most significant byte first.
 */
#include "internal.h"

#define BS2_EVENT 5
#define BS3_EVENT 7
/* N-MNIST: an event with this y is no event; the sensor's 13-bit clock wrapped around. */
#define OVERFLOW_Y 240
#define OVERFLOW_US 8192

static bool check_size(size_t size, size_t unit, snn_error *err) {
    if (size % unit != 0)
        return snn_fail(
            err, SNN_ERR_DATA,
            "byte %zu: the recording is cut off inside an event (%zu bytes are not a multiple of %zu)",
            size - size % unit, size, unit);
    return true;
}

static bool outside(size_t byte, unsigned x, unsigned y, unsigned channel, const snn_events *e,
                    snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA,
                    "byte %zu: event at x = %u, y = %u, channel %u lies outside the sensor of %u x %u x %u",
                    byte, x, y, channel, e->width, e->height, e->channels);
}

bool snn_bs2_decode(const uint8_t *bytes, size_t size, bool overflow_marker, snn_events *out,
                    snn_error *err) {
    size_t n = size / BS2_EVENT;
    if (!check_size(size, BS2_EVENT, err) ||
        !snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    snn_event *event = out->event + out->n;
    int64_t wrapped = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *b = bytes + BS2_EVENT * i;
        unsigned x = b[0], y = b[1], polarity = b[2] >> 7;
        if (y == OVERFLOW_Y && overflow_marker) {
            wrapped += OVERFLOW_US;
            continue;
        }
        if (x >= out->width || y >= out->height || polarity >= out->channels)
            return outside(BS2_EVENT * i, x, y, polarity, out, err);
        int64_t t = (int64_t)(b[2] & 0x7f) << 16 | (int64_t)b[3] << 8 | b[4];
        *event++ =
            (snn_event){.t = t + wrapped, .x = (uint16_t)x, .y = (uint16_t)y, .polarity = (uint8_t)polarity};
    }
    out->n = (size_t)(event - out->event);
    return true;
}

bool snn_bs3_decode(const uint8_t *bytes, size_t size, snn_events *out, snn_error *err) {
    size_t n = size / BS3_EVENT;
    if (!check_size(size, BS3_EVENT, err) ||
        !snn_grow((void **)&out->event, &out->capacity, out->n + n, sizeof *out->event, err))
        return false;
    snn_event *event = out->event + out->n;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *b = bytes + BS3_EVENT * i;
        unsigned x = (unsigned)b[0] << 4 | b[1] >> 4, y = (b[1] & 0x0fu) << 8 | b[2], channel = b[3];
        if (x >= out->width || y >= out->height || channel >= out->channels)
            return outside(BS3_EVENT * i, x, y, channel, out, err);
        int64_t t = (int64_t)b[4] << 16 | (int64_t)b[5] << 8 | b[6];
        *event++ = (snn_event){.t = t, .x = (uint16_t)x, .y = (uint16_t)y, .polarity = (uint8_t)channel};
    }
    out->n += n;
    return true;
}
