/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHD recordings binned at 10 ms, as text: the class, then a line `bin,channel,channel,...` for each bin, channels ascending, unit = 700 - channel. */
#include "shd.h"

#include <inttypes.h>

#define BIN_US 10000
#define BINS_MAX 65536

typedef struct {
    const uint8_t *next, *end;
    size_t line; /* from 1 */
} cursor;

/* Takes a number of at most 6 digits. */
static inline bool number(cursor *c, uint32_t *v) {
    const uint8_t *p = c->next, *stop = c->end - p < 6 ? c->end : p + 6;
    uint32_t value = 0;
    while (p < stop && (unsigned)(*p - '0') < 10)
        value = value * 10 + (uint32_t)(*p++ - '0');
    *v = value;
    bool found = p > c->next;
    c->next = p;
    return found;
}

/* Takes the end of a line, LF or CR LF or the end of the text. */
static bool line_end(cursor *c) {
    const uint8_t *p = c->next;
    if (p < c->end && *p == '\r')
        p++;
    if (p < c->end && *p != '\n')
        return false;
    c->next = p < c->end ? p + 1 : p;
    c->line++;
    return true;
}

static bool take_class(cursor *c, int *label, snn_error *err) {
    uint32_t class;
    if (!number(c, &class) || !line_end(c))
        return snn_fail(err, SNN_ERR_DATA, "line 1: expected the class, a number");
    if (class >= SNN_SHD_CLASSES)
        return snn_fail(err, SNN_ERR_DATA, "line 1: class %" PRIu32 " is not in 0 .. %d", class,
                        SNN_SHD_CLASSES - 1);
    *label = (int)class;
    return true;
}

bool snn_trace_class(const uint8_t *text, size_t size, int *label, snn_error *err) {
    cursor c = {text, text + size, 1};
    return take_class(&c, label, err);
}

/* What is wrong behind a comma, where no channel above `before` stands. */
static bool bad_channel(const cursor *c, uint32_t channel, uint32_t before, snn_error *err) {
    if (channel < 1 || channel > SNN_SHD_UNITS)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: channel %" PRIu32 " is not in 1 .. %d", c->line,
                        channel, SNN_SHD_UNITS);
    return snn_fail(err, SNN_ERR_DATA, "line %zu: channel %" PRIu32 " behind channel %" PRIu32, c->line,
                    channel, before);
}

/* The channels of one bin, behind its number, to the end of the line. */
static bool take_channels(cursor *c, int64_t t, snn_events *out, snn_error *err) {
    uint32_t before = 0, channel;
    /* Channels ascend, so a line holds no more than there are. */
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + SNN_SHD_UNITS, sizeof *out->event, err))
        return false;
    snn_event *next = out->event + out->n;
    while (c->next < c->end && *c->next == ',') {
        c->next++;
        if (!number(c, &channel)) /* a comma may be the last */
            break;
        if (channel <= before || channel > SNN_SHD_UNITS)
            return bad_channel(c, channel, before, err);
        before = channel;
        *next++ = (snn_event){.t = t, .x = (uint16_t)(SNN_SHD_UNITS - channel)};
    }
    out->n = (size_t)(next - out->event);
    bool comma = c->next[-1] == ',';
    if (!line_end(c))
        return snn_fail(err, SNN_ERR_DATA,
                        comma ? "line %zu: expected a channel behind the comma"
                              : "line %zu: expected `bin,channel,channel,...`",
                        c->line);
    /* The last number of a file that was cut off may have lost digits. */
    return c->next[-1] == '\n' ||
           snn_fail(err, SNN_ERR_DATA, "line %zu: the file is cut off: its last line has no end",
                    c->line - 1);
}

bool snn_trace_decode(const uint8_t *text, size_t size, snn_events *out, snn_error *err) {
    cursor c = {text, text + size, 1};
    int label;
    if (!take_class(&c, &label, err))
        return false;
    for (uint32_t bin = 0; c.next < c.end; bin++) {
        uint32_t found;
        if (!number(&c, &found) || found != bin || bin >= BINS_MAX)
            return snn_fail(err, SNN_ERR_DATA, "line %zu: expected the line of bin %" PRIu32, c.line, bin);
        int64_t t = bin == 0 ? 0 : (int64_t)bin * BIN_US - BIN_US / 2;
        if (!take_channels(&c, t, out, err))
            return false;
    }
    if (c.line == 2)
        return snn_fail(err, SNN_ERR_DATA, "line 2: there are no bins");
    return true;
}
