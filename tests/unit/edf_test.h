/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EDF files made in memory for the tests of EDF and EEG. */
#ifndef SNNSIM_EDF_TEST_H
#define SNNSIM_EDF_TEST_H

#include "dataset_test.h"

#include "../../datasets/edf.h"

#define EDF_MOST 8 /* signals with a label of their own */
#define EDF_RECORDS 64

/* What stands in the file. Zero and NULL mean the usual. */
typedef struct {
    const char *kind;            /* "EDF+C" */
    const char *duration;        /* "1" */
    int channels, samples;       /* EEG signals, each with so many samples in a record */
    const char *label[EDF_MOST]; /* "C1..", "C2..", ... */
    int note_samples;            /* of the annotation signal (2 bytes each), 0: 40 */
    bool no_notes;
    int records;
    const char *tal
        [EDF_RECORDS]; /* annotations of a record after the one that keeps the time; @ is 0x14, % 0x15, | 0 */
    int16_t (*value)(int channel, int sample);
} edf_plan;

typedef struct {
    uint8_t *b;
    size_t n;
} edf_bytes;

/* Writes text, blanks behind it. */
__attribute__((unused)) static void edf_field(uint8_t *at, size_t width, const char *text) {
    memset(at, ' ', width);
    memcpy(at, text, strlen(text) < width ? strlen(text) : width);
}

/* Text with @ % | as the control bytes of annotations; returns its length. */
__attribute__((unused)) static size_t edf_text(uint8_t *at, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        at[i] = text[i] == '@' ? 0x14 : text[i] == '%' ? 0x15 : text[i] == '|' ? 0 : (uint8_t)text[i];
    return n;
}

__attribute__((unused)) static int16_t edf_usual_value(int channel, int sample) {
    return (int16_t)((sample * (37 + 11 * channel) + 1009 * channel) % 4001 - 2000);
}

__attribute__((unused)) static void edf_header(const edf_plan *p, uint8_t *b, int signals, int notes) {
    char text[128];
    edf_field(b, 256, "0");
    edf_field(b + 8, 80, "X X X X");
    edf_field(b + 88, 80, "Startdate 12-AUG-2009 X X BCI2000");
    edf_field(b + 168, 16, "12.08.0916.15.00");
    snprintf(text, sizeof text, "%d", 256 * (signals + 1));
    edf_field(b + 184, 8, text);
    edf_field(b + 192, 44, p->kind ? p->kind : "EDF+C");
    snprintf(text, sizeof text, "%d", p->records);
    edf_field(b + 236, 8, text);
    edf_field(b + 244, 8, p->duration ? p->duration : "1");
    snprintf(text, sizeof text, "%d", signals);
    edf_field(b + 252, 4, text);
    memset(b + 256, ' ', 256 * (size_t)signals);
    for (int i = 0; i < signals; i++) {
        bool note = i == p->channels;
        size_t n = (size_t)signals;
        uint8_t *at = b + 256;
        snprintf(text, sizeof text, "C%d..", i + 1);
        edf_field(at + 16 * i, 16,
                  note                          ? "EDF Annotations"
                  : i < EDF_MOST && p->label[i] ? p->label[i]
                                                : text);
        edf_field(at + 96 * n + 8 * (size_t)i, 8, note ? "-" : "uV");
        edf_field(at + 104 * n + 8 * (size_t)i, 8, note ? "-32768" : "-8092");
        edf_field(at + 112 * n + 8 * (size_t)i, 8, note ? "32767" : "8092");
        edf_field(at + 120 * n + 8 * (size_t)i, 8, note ? "-32768" : "-8092");
        edf_field(at + 128 * n + 8 * (size_t)i, 8, note ? "32767" : "8092");
        snprintf(text, sizeof text, "%d", note ? notes : p->samples);
        edf_field(at + 216 * n + 8 * (size_t)i, 8, text);
    }
}

/* The file; free(b). */
__attribute__((unused)) static edf_bytes edf_make(const edf_plan *p) {
    int notes = p->no_notes       ? 0
                : p->note_samples ? p->note_samples
                                  : 40,
        signals = p->channels + !p->no_notes;
    size_t record = 2 * (size_t)(p->channels * p->samples + notes), header = 256 * (size_t)(signals + 1);
    edf_bytes f = {.n = header + record * (size_t)p->records};
    f.b = calloc(f.n + 512, 1);
    assert_non_null(f.b);
    edf_header(p, f.b, signals, notes);
    for (int r = 0; r < p->records; r++) {
        uint8_t *at = f.b + header + record * (size_t)r;
        for (int c = 0; c < p->channels; c++)
            for (int k = 0; k < p->samples; k++) {
                int16_t v = (p->value ? p->value : edf_usual_value)(c, r * p->samples + k);
                *at++ = (uint8_t)v;
                *at++ = (uint8_t)((uint16_t)v >> 8);
            }
        char keep[64];
        snprintf(keep, sizeof keep, "+%.9g@@|", r * atof(p->duration ? p->duration : "1"));
        if (!p->no_notes)
            edf_text(at + edf_text(at, keep), p->tal[r] ? p->tal[r] : "");
    }
    return f;
}

/* Byte of a signal's field: `before` are the bytes of one signal's fields that stand before it. */
__attribute__((unused)) static size_t edf_at(const edf_bytes *f, size_t before, size_t width, size_t signal) {
    size_t signals = (size_t)atoi((const char *)f->b + 252);
    return 256 + before * signals + width * signal;
}

__attribute__((unused)) static void edf_write(const char *name, const edf_plan *p) {
    edf_bytes f = edf_make(p);
    write_file(name, f.b, f.n);
    free(f.b);
}

#endif
