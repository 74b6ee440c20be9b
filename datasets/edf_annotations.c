/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EDF+ annotations: lists of `+onset<0x15>duration<0x14>text<0x14>...<0x14><0x00>` (TALs) in the bytes of the signals `EDF Annotations`. The first
 * TAL of a record has an empty text and says when the record begins.
 */
#include "edf.h"
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_DIGITS 9
#define TAL_TEXT 0x14
#define TAL_DURATION 0x15

bool snn_edf_nanoseconds(const char *text, size_t n, bool sign_needed, int64_t *ns) {
    bool sign = n > 0 && (text[0] == '-' || text[0] == '+'), digits = false;
    int64_t value = 0;
    int places = -1; /* digits behind the point; -1: no point yet */
    if (sign_needed && !sign)
        return false;
    for (size_t i = sign; i < n; i++) {
        if (text[i] == '.' && places < 0) {
            places = 0;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return false;
        digits = true;
        if (places == NS_DIGITS) { /* finer than a nanosecond */
            if (text[i] != '0')
                return false;
            continue;
        }
        if (value > SNN_EDF_ONSET_NS_MAX / 10)
            return false;
        value = value * 10 + (text[i] - '0');
        places += places >= 0;
    }
    for (int k = places < 0 ? 0 : places; k < NS_DIGITS; k++) {
        if (value > SNN_EDF_ONSET_NS_MAX / 10)
            return false;
        value *= 10;
    }
    *ns = text[0] == '-' ? -value : value;
    return digits && value <= SNN_EDF_ONSET_NS_MAX;
}

static bool add_note(snn_edf_notes *notes, int64_t onset, int64_t duration, const uint8_t *text, size_t n,
                     uint64_t record, snn_error *err) {
    snn_edf_note note = {onset, duration, notes->used, record};
    if (notes->n >= SNN_EDF_ANNOTATIONS_MAX)
        return snn_fail(err, SNN_ERR_DATA, "more than %zu annotations", SNN_EDF_ANNOTATIONS_MAX);
    if (!snn_grow((void **)&notes->text, &notes->text_capacity, notes->used + n + 1, 1, err) ||
        !snn_push((void **)&notes->note, &notes->capacity, &notes->n, &note, sizeof note, err))
        return false;
    memcpy(notes->text + notes->used, text, n);
    notes->text[notes->used + n] = '\0';
    notes->used += n + 1;
    return true;
}

/* A block of annotations as it is walked through. */
typedef struct {
    const uint8_t *bytes;
    size_t size, next;
    uint64_t offset; /* of bytes[0] in the file */
} block;

static bool bad_tal(const block *b, size_t at, const char *what, snn_error *err) {
    char quote[SNN_QUOTE];
    const snn_lines l = {.line = (const char *)b->bytes + at, .size = b->size - at};
    return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": annotation \"%s\": %s", b->offset + at,
                    snn_lines_quote(&l, quote), what);
}

/* Onset and duration at the head of a TAL; goes behind the 0x14. */
static bool read_times(block *b, int64_t *onset, int64_t *duration, snn_error *err) {
    size_t start = b->next, end = start;
    while (end < b->size && b->bytes[end] != TAL_TEXT && b->bytes[end] != TAL_DURATION && b->bytes[end] != 0)
        end++;
    if (end == b->size || b->bytes[end] == 0)
        return bad_tal(b, start, "ends within its onset", err);
    if (!snn_edf_nanoseconds((const char *)b->bytes + start, end - start, true, onset))
        return bad_tal(b, start, "its onset is no number with + or - in front", err);
    *duration = -1;
    if (b->bytes[end] == TAL_DURATION) {
        size_t from = ++end;
        while (end < b->size && b->bytes[end] != TAL_TEXT && b->bytes[end] != 0)
            end++;
        if (end == b->size || b->bytes[end] == 0)
            return bad_tal(b, start, "ends within its duration", err);
        if (!snn_edf_nanoseconds((const char *)b->bytes + from, end - from, false, duration) || *duration < 0)
            return bad_tal(b, start, "its duration is no number of seconds", err);
    }
    b->next = end + 1;
    return true;
}

/* One TAL, from its onset to the zero behind it. *first_empty: its first text is empty, as in the one that keeps the time. */
static bool read_tal(block *b, uint64_t record, bool keeper, int64_t *onset, bool *first_empty,
                     snn_edf_notes *notes, snn_error *err) {
    size_t start = b->next;
    int64_t duration;
    if (!read_times(b, onset, &duration, err))
        return false;
    for (size_t text = 0;; text++) {
        size_t end = b->next;
        while (end < b->size && b->bytes[end] != TAL_TEXT && b->bytes[end] != 0)
            end++;
        if (end == b->size || b->bytes[end] == 0)
            return bad_tal(b, start, "has no end", err);
        size_t n = end - b->next;
        if (text == 0)
            *first_empty = n == 0;
        if ((n > 0 || (text == 0 && !keeper)) &&
            !add_note(notes, *onset, duration, b->bytes + b->next, n, record, err))
            return false;
        b->next = end + 1;
        if (b->next == b->size)
            return bad_tal(b, start, "has no end", err);
        if (b->bytes[b->next] == 0) {
            b->next++;
            return true;
        }
    }
}

bool snn_edf_block(const uint8_t *bytes, size_t size, uint64_t offset, uint64_t record, int64_t *record_start,
                   snn_edf_notes *notes, snn_error *err) {
    block b = {.bytes = bytes, .size = size, .offset = offset};
    bool first = true;
    while (b.next < size && (first || bytes[b.next] != 0)) {
        int64_t onset;
        bool empty = false, keeper = first && record_start != NULL;
        size_t start = b.next;
        if (keeper && bytes[0] == 0)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": record %" PRIu64 " does not say when it begins", offset,
                            record + 1);
        if (!keeper && bytes[b.next] == 0)
            break; /* nothing in a block that keeps no time */
        if (!read_tal(&b, record, keeper, &onset, &empty, notes, err))
            return false;
        if (keeper && !empty)
            return bad_tal(&b, start, "does not say when the record begins (its first text is not empty)",
                           err);
        if (keeper)
            *record_start = onset;
        first = false;
    }
    for (; b.next < size; b.next++)
        if (bytes[b.next] != 0)
            return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": something stands behind the annotations",
                            offset + b.next);
    return true;
}

/* Half a sample of the fastest signal: what rounding of decimal times may take, and a gap cannot. */
static int64_t tolerance(const snn_edf *e) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < e->signals; i++)
        if (!e->signal[i].annotations && e->signal[i].samples > most)
            most = e->signal[i].samples;
    return e->record_ns / most / 2;
}

static bool check_start(const snn_edf *e, uint64_t record, int64_t zero, int64_t start, snn_error *err) {
    int64_t expected, late;
    if (e->record_ns == 0) /* annotations only */
        return true;
    if (!__builtin_mul_overflow((int64_t)record, e->record_ns, &expected) &&
        !__builtin_add_overflow(expected, zero, &expected) &&
        !__builtin_sub_overflow(start, expected, &late) && late <= tolerance(e) && late >= -tolerance(e))
        return true;
    return snn_fail(err, SNN_ERR_DATA,
                    "record %" PRIu64 " begins at %.9g s, not right after the one before it: the recording "
                    "has a gap or is damaged",
                    record + 1, (double)start / (double)NS_PER_S);
}

/* The annotation signals of one record. */
static bool read_record(const snn_source *s, const snn_edf *e, uint64_t record, uint8_t *bytes, int64_t *zero,
                        snn_edf_notes *notes, snn_error *err) {
    bool first = true;
    for (uint32_t i = 0; i < e->signals; i++) {
        const snn_edf_signal *g = &e->signal[i];
        if (!g->annotations)
            continue;
        uint64_t at = e->header_bytes + record * e->record_bytes + g->offset;
        size_t n = 2 * (size_t)g->samples;
        int64_t start;
        if (!snn_source_read(s, at, n, bytes, err) ||
            !snn_edf_block(bytes, n, at, record, first ? &start : NULL, notes, err))
            return false;
        if (first && record == 0)
            *zero = start;
        if (first && !check_start(e, record, *zero, start, err))
            return snn_error_context(err, "byte %" PRIu64, at);
        first = false;
    }
    return true;
}

bool snn_edf_annotations(const snn_source *s, const snn_edf *e, snn_edf_notes *notes, snn_error *err) {
    *notes = (snn_edf_notes){.n = 0};
    size_t most = 0;
    for (uint32_t i = 0; i < e->signals; i++)
        if (e->signal[i].annotations && 2 * (size_t)e->signal[i].samples > most)
            most = 2 * (size_t)e->signal[i].samples;
    if (most == 0)
        return snn_fail(err, SNN_ERR_DATA,
                        e->plus ? "no signal \"EDF Annotations\", which an EDF+ file must have"
                                : "a plain EDF file, without annotations; expected EDF+C");
    uint8_t *bytes = snn_alloc(most, 1, "annotations", err);
    bool ok = bytes != NULL;
    int64_t zero = 0;
    for (uint64_t i = 0; ok && i < e->records; i++)
        ok = read_record(s, e, i, bytes, &zero, notes, err);
    for (size_t i = 0; ok && i < notes->n; i++)
        notes->note[i].onset_ns -= zero;
    free(bytes);
    return ok;
}

void snn_edf_notes_free(snn_edf_notes *notes) {
    free(notes->note);
    free(notes->text);
    *notes = (snn_edf_notes){.n = 0};
}
