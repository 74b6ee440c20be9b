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
static bool number(cursor *c, uint32_t *v) {
    const uint8_t *start = c->next;
    uint32_t value = 0;
    while (c->next < c->end && (unsigned)(*c->next - '0') < 10 && c->next - start < 6)
        value = value * 10 + (uint32_t)(*c->next++ - '0');
    *v = value;
    return c->next > start;
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

/* The channels of one bin, behind its number. */
static bool take_channels(cursor *c, int64_t t, snn_events *out, snn_error *err) {
    uint32_t before = 0;
    while (!line_end(c)) {
        uint32_t channel;
        if (*c->next != ',')
            return snn_fail(err, SNN_ERR_DATA, "line %zu: expected `bin,channel,channel,...`", c->line);
        c->next++;
        if (!number(c, &channel)) { /* a comma may be the last */
            if (line_end(c))
                return true;
            return snn_fail(err, SNN_ERR_DATA, "line %zu: expected a channel behind the comma", c->line);
        }
        if (channel < 1 || channel > SNN_SHD_UNITS)
            return snn_fail(err, SNN_ERR_DATA, "line %zu: channel %" PRIu32 " is not in 1 .. %d", c->line,
                            channel, SNN_SHD_UNITS);
        if (channel <= before)
            return snn_fail(err, SNN_ERR_DATA, "line %zu: channel %" PRIu32 " behind channel %" PRIu32,
                            c->line, channel, before);
        before = channel;
        snn_event e = {.t = t, .x = (uint16_t)(SNN_SHD_UNITS - channel)};
        if (!snn_events_append(out, e, err))
            return false;
    }
    return true;
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
