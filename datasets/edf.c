/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDF: the header, field by field, the size that it promises, and samples in physical units. */
#include "edf.h"
#include "internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_BYTES 256u  /* header before the signals */
#define SIGNAL_BYTES 256u /* header of each signal */
#define CHUNK_BYTES 65536u

/* Where a field stands: byte and width. */
typedef struct {
    const char *name;
    unsigned offset, width;
} field;
static const field version_field = {"version", 0, 8}, header_bytes_field = {"bytes in header", 184, 8},
                   reserved_field = {"reserved", 192, 44}, records_field = {"number of data records", 236, 8},
                   duration_field = {"duration of a data record", 244, 8},
                   signals_field = {"number of signals", 252, 4};
/* Of each signal; `offset` is the bytes of one signal that stand before: all labels come first, then all transducers, ... */
static const field label_field = {"label", 0, 16}, unit_field = {"physical dimension", 96, 8},
                   physical_min_field = {"physical minimum", 104, 8},
                   physical_max_field = {"physical maximum", 112, 8},
                   digital_min_field = {"digital minimum", 120, 8},
                   digital_max_field = {"digital maximum", 128, 8},
                   samples_field = {"samples in a data record", 216, 8};

/* The header in memory. */
typedef struct {
    uint8_t *bytes;
    uint32_t signals;
} header;

/* The field's text without the blanks behind it, and the byte at which it stands; `signal` counts only for fields of signals. */
static const char *text_of(const header *h, const field *f, bool of_signal, uint32_t signal, size_t *n,
                           uint32_t *at) {
    *at = of_signal ? FIXED_BYTES + f->offset * h->signals + f->width * signal : f->offset;
    const char *text = (const char *)h->bytes + *at;
    *n = f->width;
    while (*n > 0 && text[*n - 1] == ' ')
        --*n;
    return text;
}

static bool bad_field(const char *text, size_t n, uint32_t at, const field *f, const char *expected,
                      snn_error *err) {
    char quote[SNN_QUOTE];
    const snn_lines l = {.line = text, .size = n};
    return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu32 ": %s is \"%s\", expected %s", at, f->name,
                    snn_lines_quote(&l, quote), expected);
}

/* `[-+]digits[.digits]` as the nearest double: 8 characters are an integer below 10^8 over a power of ten, both exact. */
static bool decimal(const char *text, size_t n, double *v) {
    double mantissa = 0, power = 1;
    size_t i = n > 0 && (text[0] == '-' || text[0] == '+');
    bool point = false, digits = false;
    for (; i < n; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return false;
        mantissa = mantissa * 10 + (text[i] - '0');
        power *= point ? 10 : 1;
        digits = true;
    }
    *v = (text[0] == '-' ? -mantissa : mantissa) / power;
    return digits;
}

static bool integer_field(const header *h, const field *f, bool of_signal, uint32_t signal, int64_t min,
                          int64_t max, int64_t *v, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, f, of_signal, signal, &n, &at);
    double value;
    char expected[64];
    if (decimal(text, n, &value) && memchr(text, '.', n) == NULL && value >= (double)min &&
        value <= (double)max) {
        *v = (int64_t)value;
        return true;
    }
    snprintf(expected, sizeof expected, "a whole number of %" PRId64 " .. %" PRId64, min, max);
    return bad_field(text, n, at, f, expected, err);
}

static bool number_field(const header *h, const field *f, uint32_t signal, double *v, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, f, true, signal, &n, &at);
    return decimal(text, n, v) || bad_field(text, n, at, f, "a number", err);
}

/* Copies a text field; it must be printable ASCII. */
static bool copy_field(const header *h, const field *f, uint32_t signal, char *out, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, f, true, signal, &n, &at);
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return bad_field(text, n, at, f, "printable ASCII", err);
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

/* "0" and blanks; BDF (24 bit) begins with byte 255. */
static bool check_version(const header *h, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, &version_field, false, 0, &n, &at);
    return (n == 1 && *text == '0') || bad_field(text, n, at, &version_field, "\"0\": not an EDF file", err);
}

static bool check_kind(const header *h, snn_edf *e, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, &reserved_field, false, 0, &n, &at);
    if (n >= 5 && memcmp(text, "EDF+D", 5) == 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu32 ": an EDF+D file (with gaps between its records); only continuous "
                        "recordings, EDF+C, can be read",
                        at);
    e->plus = n >= 5 && memcmp(text, "EDF+C", 5) == 0;
    return true;
}

static bool read_duration(const header *h, snn_edf *e, snn_error *err) {
    size_t n;
    uint32_t at;
    const char *text = text_of(h, &duration_field, false, 0, &n, &at);
    return (snn_edf_nanoseconds(text, n, false, &e->record_ns) && e->record_ns >= 0 &&
            e->record_ns <= SNN_EDF_RECORD_NS_MAX) ||
           bad_field(text, n, at, &duration_field, "seconds, 0 .. 3600", err);
}

static bool read_signal(const header *h, snn_edf *e, uint32_t i, snn_error *err) {
    snn_edf_signal *g = &e->signal[i];
    int64_t low = 0, high = 0, samples = 0;
    if (!copy_field(h, &label_field, i, g->label, err) || !copy_field(h, &unit_field, i, g->unit, err) ||
        !number_field(h, &physical_min_field, i, &g->physical_min, err) ||
        !number_field(h, &physical_max_field, i, &g->physical_max, err) ||
        !integer_field(h, &digital_min_field, true, i, INT16_MIN, INT16_MAX, &low, err) ||
        !integer_field(h, &digital_max_field, true, i, INT16_MIN, INT16_MAX, &high, err) ||
        !integer_field(h, &samples_field, true, i, 1, SNN_EDF_SAMPLES_MAX, &samples, err))
        return false;
    if (low >= high)
        return snn_fail(err, SNN_ERR_DATA,
                        "digital minimum %" PRId64 " is not below digital maximum %" PRId64, low, high);
    if (g->physical_min == g->physical_max)
        return snn_fail(err, SNN_ERR_DATA, "physical minimum and maximum are both %g", g->physical_min);
    g->digital_min = (int32_t)low;
    g->digital_max = (int32_t)high;
    g->samples = (uint32_t)samples;
    g->annotations = e->plus && strcmp(g->label, "EDF Annotations") == 0;
    g->offset = e->record_bytes;
    if (__builtin_add_overflow(e->record_bytes, 2 * g->samples, &e->record_bytes))
        return snn_fail(err, SNN_ERR_DATA, "a data record of more than 4 GiB");
    return true;
}

static bool read_signals(const header *h, snn_edf *e, snn_error *err) {
    bool samples = false;
    e->signal = snn_alloc(e->signals, sizeof *e->signal, "signals", err);
    if (e->signal == NULL)
        return false;
    for (uint32_t i = 0; i < e->signals; i++) {
        if (!read_signal(h, e, i, err))
            return snn_error_context(err, "signal %" PRIu32, i + 1);
        samples = samples || !e->signal[i].annotations;
    }
    return !samples || e->record_ns > 0 ||
           snn_fail(err, SNN_ERR_DATA, "byte %u: data records of 0 s hold samples", duration_field.offset);
}

/* Line feeds of the file, and how many of them stand behind a carriage return. */
static bool count_feeds(const snn_source *s, uint64_t *feeds, uint64_t *pairs, snn_error *err) {
    uint8_t *chunk = snn_alloc(CHUNK_BYTES, 1, "bytes of the file", err);
    bool ok = chunk != NULL;
    uint8_t before = 0;
    *feeds = *pairs = 0;
    for (uint64_t at = 0; ok && at < s->size; at += CHUNK_BYTES) {
        size_t n = s->size - at < CHUNK_BYTES ? (size_t)(s->size - at) : CHUNK_BYTES;
        ok = snn_source_read(s, at, n, chunk, err);
        for (size_t i = 0; ok && i < n; i++) {
            *feeds += chunk[i] == '\n';
            *pairs += chunk[i] == '\n' && before == '\r';
            before = chunk[i];
        }
    }
    free(chunk);
    return ok;
}

/* The file has not the size that its header says: cut off, or a copy that was made as if it were text. */
static bool wrong_size(const snn_source *s, uint64_t expected, snn_error *err) {
    uint64_t feeds, pairs;
    if (!count_feeds(s, &feeds, &pairs, err))
        return false;
    if (s->size > expected && pairs == feeds && feeds > 0 && s->size - expected == pairs)
        return snn_fail(err, SNN_ERR_DATA,
                        "a damaged copy: every line feed (%" PRIu64 " of them) was expanded to CR LF, as git "
                        "and FTP do to text, which made %" PRIu64 " bytes out of %" PRIu64
                        "; undo it with perl -pi -e 's/\\r\\n/\\n/g'",
                        feeds, s->size, expected);
    if (s->size < expected && pairs == 0 && feeds >= expected - s->size)
        return snn_fail(err, SNN_ERR_DATA,
                        "%" PRIu64 " bytes, by its header it has %" PRIu64
                        ": cut off, or a copy in which CR LF was shortened to LF (it holds no CR LF), "
                        "which cannot be undone",
                        s->size, expected);
    return snn_fail(err, SNN_ERR_DATA, "%" PRIu64 " bytes, by its header it has %" PRIu64 ": %s", s->size,
                    expected, s->size < expected ? "cut off" : "something stands behind the last record");
}

static bool check_size(const snn_source *s, const snn_edf *e, snn_error *err) {
    uint64_t expected;
    if (e->record_ns > 0 && e->records > (uint64_t)(SNN_EDF_ONSET_NS_MAX / e->record_ns))
        return snn_fail(err, SNN_ERR_DATA, "byte %u: %" PRIu64 " records of %g s are more than 31 years",
                        records_field.offset, e->records, (double)e->record_ns / 1e9);
    if (__builtin_mul_overflow(e->records, (uint64_t)e->record_bytes, &expected) ||
        __builtin_add_overflow(expected, e->header_bytes, &expected))
        return snn_fail(err, SNN_ERR_DATA, "byte %u: %" PRIu64 " records of %" PRIu32 " bytes are too many",
                        records_field.offset, e->records, e->record_bytes);
    return s->size == expected || wrong_size(s, expected, err);
}

/* The first 256 bytes: how much header follows. */
static bool read_fixed(header *h, snn_edf *e, snn_error *err) {
    int64_t signals = 0, records = 0, bytes = 0;
    size_t n;
    uint32_t at;
    if (!check_version(h, err) || !check_kind(h, e, err) ||
        !integer_field(h, &signals_field, false, 0, 1, SNN_EDF_SIGNALS_MAX, &signals, err) ||
        !integer_field(h, &header_bytes_field, false, 0, 0, 99999999, &bytes, err))
        return false;
    if (bytes != FIXED_BYTES + SIGNAL_BYTES * signals)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %u: a header of %" PRId64 " bytes, with %" PRId64 " signals it has %" PRId64,
                        header_bytes_field.offset, bytes, signals, FIXED_BYTES + SIGNAL_BYTES * signals);
    const char *text = text_of(h, &records_field, false, 0, &n, &at);
    if (n == 2 && memcmp(text, "-1", 2) == 0)
        return snn_fail(err, SNN_ERR_DATA, "byte %" PRIu32 ": %s is -1: a recording that was not finished",
                        at, records_field.name);
    if (!integer_field(h, &records_field, false, 0, 1, 99999999, &records, err) || !read_duration(h, e, err))
        return false;
    e->header_bytes = (uint64_t)bytes;
    e->records = (uint64_t)records;
    e->signals = h->signals = (uint32_t)signals;
    return true;
}

bool snn_edf_open(const snn_source *s, snn_edf *e, snn_error *err) {
    *e = (snn_edf){.signal = NULL};
    header h = {.bytes = snn_alloc(FIXED_BYTES, 1, "header", err)};
    bool ok = h.bytes != NULL && snn_source_read(s, 0, FIXED_BYTES, h.bytes, err) && read_fixed(&h, e, err);
    free(h.bytes);
    h.bytes = ok ? snn_alloc((size_t)e->header_bytes, 1, "header", err) : NULL;
    ok = h.bytes != NULL && snn_source_read(s, 0, (size_t)e->header_bytes, h.bytes, err) &&
         read_signals(&h, e, err) && check_size(s, e, err);
    free(h.bytes);
    return ok;
}

void snn_edf_free(snn_edf *e) {
    free(e->signal);
    *e = (snn_edf){.signal = NULL};
}

void snn_edf_physical(const snn_edf_signal *g, const uint8_t *record, double *out, size_t stride) {
    const uint8_t *at = record + g->offset;
    double gain = (g->physical_max - g->physical_min) / (double)(g->digital_max - g->digital_min);
    for (uint32_t i = 0; i < g->samples; i++) {
        int digital = (int16_t)(uint16_t)(at[2 * i] | at[2 * i + 1] << 8);
        out[i * stride] = (double)(digital - g->digital_min) * gain + g->physical_min;
    }
}
