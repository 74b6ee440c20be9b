/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AEDAT 3.1 (iniVation), as DVS128 Gesture uses it: lines of text that start with '#', then packets of a 28-byte header and events of 8 bytes, all
 * little-endian. Full time = overflow << 31 | time. Only polarity events (type 1) are used, other packets are passed over.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 28
#define EVENT_BYTES 8
#define POLARITY_TYPE 1
#define TIME_OFFSET 4
#define VERSION "#!AER-DAT3.1"
#define END_OF_TEXT "#!END-HEADER"
/* Text in front of the packets; the files of the release have a few hundred bytes. */
#define TEXT_MAX 65536

typedef struct {
    uint16_t type;
    uint32_t event_size, time_offset, overflow, capacity, number, valid;
    uint64_t bytes; /* of its events; below 2^62 */
} packet_header;

static uint32_t little32(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool lies(uint64_t byte, snn_error *err, const char *field, uint32_t value, const char *expected) {
    return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": packet header with %s %" PRId32 ", expected %s",
                    byte, field, (int32_t)value, expected);
}

/* Decodes a packet header that `left` bytes follow. */
static bool parse_header(const uint8_t *b, uint64_t byte, uint64_t left, packet_header *h, snn_error *err) {
    *h = (packet_header){.type = (uint16_t)(b[0] | b[1] << 8),
                         .event_size = little32(b + 4),
                         .time_offset = little32(b + 8),
                         .overflow = little32(b + 12),
                         .capacity = little32(b + 16),
                         .number = little32(b + 20),
                         .valid = little32(b + 24)};
    bool polarity = h->type == POLARITY_TYPE;
    if (h->capacity > INT32_MAX || h->number > h->capacity)
        return lies(byte + 20, err, "eventNumber", h->number, "0 .. eventCapacity");
    if (h->valid > h->number)
        return lies(byte + 24, err, "eventValid", h->valid, "0 .. eventNumber");
    if (h->overflow > INT32_MAX)
        return lies(byte + 12, err, "eventTSOverflow", h->overflow, "0 or more");
    if (polarity && h->event_size != EVENT_BYTES)
        return lies(byte + 4, err, "eventSize", h->event_size, "8 for polarity events");
    if (polarity && h->time_offset != TIME_OFFSET)
        return lies(byte + 8, err, "eventTSOffset", h->time_offset, "4 for polarity events");
    if (h->event_size == 0 || h->event_size > INT32_MAX)
        return lies(byte + 4, err, "eventSize", h->event_size, "1 or more");
    h->bytes = (uint64_t)h->event_size * h->number;
    if (h->bytes > left)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": packet of %" PRIu32 " events of %" PRIu32
                        " bytes, but only %" PRIu64 " bytes follow: the recording is cut off",
                        byte, h->number, h->event_size, left);
    return true;
}

/* Time of an event in a packet with this overflow count; -1 when its bit 31 is set, for the format's times are signed. */
static int64_t full_time(const uint8_t *event, uint32_t overflow) {
    uint32_t low = little32(event + TIME_OFFSET);
    return low > INT32_MAX ? -1 : (int64_t)overflow << 31 | low;
}

static bool negative_time(const uint8_t *event, uint64_t byte, snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": event with negative time %" PRId32,
                    byte + TIME_OFFSET, (int32_t)little32(event + TIME_OFFSET));
}

/* Byte at which the packets begin. */
static bool skip_text(const snn_source *s, uint64_t *first, snn_error *err) {
    size_t size = s->size < TEXT_MAX ? (size_t)s->size : TEXT_MAX;
    uint8_t *text = snn_alloc(size, 1, "AEDAT header", err);
    bool ok = text != NULL && snn_source_read(s, 0, size, text, err);
    snn_lines l;
    if (ok) {
        snn_lines_init(&l, text, size);
        if (!snn_lines_next(&l) || l.size != strlen(VERSION) || memcmp(l.line, VERSION, l.size) != 0)
            ok = snn_fail(err, SNN_ERR_DATA,
                          "byte 0: not an AEDAT 3.1 file (expected \"%s\" in the first line)", VERSION);
    }
    *first = size;
    while (ok && snn_lines_next(&l)) {
        bool end = l.size == strlen(END_OF_TEXT) && memcmp(l.line, END_OF_TEXT, l.size) == 0;
        if (end || *l.line != '#') {
            *first = (uint64_t)((end ? l.next : l.line) - (const char *)text);
            break;
        }
    }
    if (ok && *first == size && size == TEXT_MAX)
        ok = snn_fail(err, SNN_ERR_DATA, "byte %d: the text in front of the packets does not end", TEXT_MAX);
    free(text);
    return ok;
}

/* One packet at *byte: its place goes into p (p->events = 0 when it is of no use), and *byte moves behind it. */
static bool index_packet(const snn_source *s, uint64_t *byte, snn_aedat_packet *p, snn_error *err) {
    uint8_t head[HEADER_BYTES + EVENT_BYTES], last[EVENT_BYTES];
    uint64_t left = s->size - *byte;
    packet_header h;
    if (left < HEADER_BYTES)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": the recording is cut off inside a packet header", *byte);
    size_t n = left < sizeof head ? HEADER_BYTES : sizeof head; /* with the first event in the same read */
    if (!snn_source_read(s, *byte, n, head, err) || !parse_header(head, *byte, left - HEADER_BYTES, &h, err))
        return false;
    *p = (snn_aedat_packet){.first = *byte, .end = *byte + HEADER_BYTES + h.bytes};
    *byte = p->end;
    if (h.type != POLARITY_TYPE || h.number == 0)
        return true;
    p->events = h.number;
    if (!snn_source_read(s, p->end - EVENT_BYTES, EVENT_BYTES, last, err))
        return false;
    p->t_first = full_time(head + HEADER_BYTES, h.overflow);
    p->t_last = full_time(last, h.overflow);
    if (p->t_first < 0)
        return negative_time(head + HEADER_BYTES, p->first + HEADER_BYTES, err);
    return p->t_last >= 0 || negative_time(last, p->end - EVENT_BYTES, err);
}

bool snn_aedat_index(const snn_source *s, snn_aedat_packet **packet, size_t *n, snn_error *err) {
    size_t capacity = 0;
    uint64_t byte;
    *packet = NULL;
    *n = 0;
    bool ok = skip_text(s, &byte, err);
    while (ok && byte < s->size) {
        snn_aedat_packet p;
        ok = index_packet(s, &byte, &p, err);
        if (ok && p.events > 0)
            ok = snn_push((void **)packet, &capacity, n, &p, sizeof p, err);
    }
    return ok;
}

static bool decode_packet(const uint8_t *bytes, uint64_t byte, const packet_header *h, int64_t start,
                          int64_t end, snn_events *out, snn_error *err) {
    if (!snn_grow((void **)&out->event, &out->capacity, out->n + h->number, sizeof *out->event, err))
        return false;
    snn_event *event = out->event + out->n;
    for (uint32_t i = 0; i < h->number; i++, bytes += EVENT_BYTES, byte += EVENT_BYTES) {
        uint32_t data = little32(bytes);
        uint32_t x = data >> 17, y = data >> 2 & 0x7fff, polarity = data >> 1 & 1;
        int64_t t = full_time(bytes, h->overflow);
        if (t < 0)
            return negative_time(bytes, byte, err);
        if ((data & 1) == 0 || t < start || t >= end) /* bit 0: valid */
            continue;
        if (x >= out->width || y >= out->height || polarity >= out->channels)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": event at x = %" PRIu32 ", y = %" PRIu32
                            " lies outside the sensor of %" PRIu32 " x %" PRIu32,
                            byte, x, y, out->width, out->height);
        *event++ =
            (snn_event){.t = t - start, .x = (uint16_t)x, .y = (uint16_t)y, .polarity = (uint8_t)polarity};
    }
    out->n = (size_t)(event - out->event);
    return true;
}

bool snn_aedat_decode(const uint8_t *bytes, size_t size, uint64_t offset, int64_t start, int64_t end,
                      snn_events *out, snn_error *err) {
    size_t at = 0;
    while (at < size) {
        packet_header h;
        if (size - at < HEADER_BYTES)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": the recording is cut off inside a packet header", offset + at);
        if (!parse_header(bytes + at, offset + at, size - at - HEADER_BYTES, &h, err))
            return false;
        at += HEADER_BYTES;
        if (h.type == POLARITY_TYPE && !decode_packet(bytes + at, offset + at, &h, start, end, out, err))
            return false;
        at += (size_t)h.bytes;
    }
    return true;
}
