/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AEDAT 3.1 (iniVation) as DVS128 Gesture uses it: text lines that start with '#' and end in CR LF, then polarity packets of a 28-byte header and 8-byte
 * events, all little-endian. An event is data (bit 0 valid, bit 1 polarity, bits 2..16 y, bits 17..31 x) and the low 31 bits of its time;
 * the higher bits are the packet's overflow count, so a packet never spans an overflow.
 */
#include "aedat_write.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEADER_BYTES 28
#define EVENT_BYTES 8
#define POLARITY_TYPE 1
#define TIME_OFFSET 4
#define TIME_BITS 31
#define PIXEL_MAX 32768u            /* 15 bits */
#define TIME_MAX (INT64_C(1) << 62) /* 31 + 31 bits */

struct snn_aedat {
    snn_file *file;
    uint32_t n;       /* events in the packet */
    int64_t overflow; /* of the packet */
    int64_t last;     /* time of the last event */
    uint8_t packet[HEADER_BYTES + SNN_AEDAT_PACKET * EVENT_BYTES];
};

static void put32(uint8_t *b, uint32_t v) {
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
    b[2] = (uint8_t)(v >> 16);
    b[3] = (uint8_t)(v >> 24);
}

snn_aedat *snn_aedat_create(const char *path, const char *source, const char *comment, snn_error *err) {
    snn_aedat *a = snn_alloc(1, sizeof *a, "AEDAT writer", err);
    if (!a)
        return NULL;
    a->file = snn_file_create(path, 0644, err);
    if (!a->file) {
        free(a);
        return NULL;
    }
    FILE *out = snn_file_stream(a->file);
    fprintf(out, "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: %s\r\n", source);
    if (comment)
        fprintf(out, "#%s\r\n", comment);
    fprintf(out, "#!END-HEADER\r\n");
    return a;
}

/* Writes the packet that has gathered. Failed writes are found by commit. */
static void flush(snn_aedat *a) {
    if (a->n == 0)
        return;
    uint8_t *h = a->packet;
    h[0] = POLARITY_TYPE;
    h[1] = 0;
    h[2] = 1; /* source 1 of the text header */
    h[3] = 0;
    put32(h + 4, EVENT_BYTES);
    put32(h + 8, TIME_OFFSET);
    put32(h + 12, (uint32_t)a->overflow);
    put32(h + 16, a->n); /* capacity: loaders in use read capacity * size bytes */
    put32(h + 20, a->n);
    put32(h + 24, a->n); /* all are valid */
    fwrite(h, 1, HEADER_BYTES + (size_t)a->n * EVENT_BYTES, snn_file_stream(a->file));
    a->n = 0;
}

bool snn_aedat_append(snn_aedat *a, const snn_events *e, int64_t offset, snn_error *err) {
    if (e->width > PIXEL_MAX || e->height > PIXEL_MAX || e->channels > 2)
        return snn_fail(err, SNN_ERR_DATA,
                        "AEDAT 3.1 holds at most %u x %u pixels and 2 polarities, not %" PRIu32 " x %" PRIu32
                        " and %" PRIu32,
                        PIXEL_MAX, PIXEL_MAX, e->width, e->height, e->channels);
    for (size_t i = 0; i < e->n; i++) {
        const snn_event *v = &e->event[i];
        if (v->x >= e->width || v->y >= e->height || v->polarity >= e->channels)
            return snn_fail(err, SNN_ERR_DATA, "event %zu at (%u, %u), polarity %u, lies outside the sensor",
                            i, (unsigned)v->x, (unsigned)v->y, (unsigned)v->polarity);
        int64_t t;
        if (__builtin_add_overflow(v->t, offset, &t) || t < a->last || t >= TIME_MAX)
            return snn_fail(err, SNN_ERR_DATA,
                            "event %zu at %" PRId64 " us (+ %" PRId64 " us) runs back behind %" PRId64
                            " us or is later than AEDAT 3.1 can say",
                            i, v->t, offset, a->last);
        if (a->n == SNN_AEDAT_PACKET || t >> TIME_BITS != a->overflow)
            flush(a);
        a->overflow = t >> TIME_BITS;
        a->last = t;
        uint8_t *b = a->packet + HEADER_BYTES + (size_t)a->n++ * EVENT_BYTES;
        put32(b, (uint32_t)v->x << 17 | (uint32_t)v->y << 2 | (uint32_t)v->polarity << 1 | 1);
        put32(b + 4, (uint32_t)(t & INT32_MAX));
    }
    flush(a);
    return true;
}

bool snn_aedat_commit(snn_aedat *a, snn_error *err) {
    flush(a);
    snn_file *file = a->file;
    free(a);
    return snn_file_commit(file, err);
}

void snn_aedat_abandon(snn_aedat *a) {
    if (!a)
        return;
    snn_file_abandon(a->file);
    free(a);
}

bool snn_aedat_labels_write(const char *path, const snn_aedat_label *label, size_t n, snn_error *err) {
    snn_file *file = snn_file_create(path, 0644, err);
    if (!file)
        return false;
    FILE *out = snn_file_stream(file);
    fprintf(out, "class,startTime_usec,endTime_usec\n");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%d,%" PRId64 ",%" PRId64 "\n", label[i].gesture + 1, label[i].start, label[i].end);
    return snn_file_commit(file, err);
}
