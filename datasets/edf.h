/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EDF and EDF+C recordings (Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7; Kemp and Olivan 2003, doi:10.1016/S1388-2457(03)00123-8;
 * https://www.edfplus.info/specs/edfplus.html): a header of ASCII fields, then records of 16-bit samples, one signal after the other, of which
 * signals named `EDF Annotations` hold text. Not a public header.
 *
 * Own code because the library in Debian 12 (libedf 1.23, EDFlib) keeps its files in global tables (64 files, one thread) and takes paths only.
 */
#ifndef SNNSIM_DATASETS_EDF_H
#define SNNSIM_DATASETS_EDF_H

#include <snnsim/error.h>

#include <stdint.h>

/* A field of 4 characters holds the number of signals. */
#define SNN_EDF_SIGNALS_MAX 9999u
/* Bounds that keep all time arithmetic below in 64 bits; EDF asks for records of at most 61440 bytes. */
#define SNN_EDF_SAMPLES_MAX ((uint32_t)1 << 20) /* of a signal in a record */
#define SNN_EDF_RECORD_NS_MAX INT64_C(3600000000000)
#define SNN_EDF_ONSET_NS_MAX INT64_C(1000000000000000000)
#define SNN_EDF_ANNOTATIONS_MAX ((size_t)1 << 20)

typedef struct {
    char label[17]; /* without trailing blanks */
    char unit[9];   /* "uV" */
    double physical_min, physical_max;
    int32_t digital_min, digital_max; /* -32768 <= min < max <= 32767 */
    uint32_t samples;                 /* in each record, >= 1 */
    uint32_t offset;                  /* of its first byte in a record */
    bool annotations;
} snn_edf_signal;

typedef struct {
    uint64_t header_bytes, records;
    uint32_t record_bytes;
    int64_t record_ns; /* duration of a record, > 0 unless there are annotations only */
    uint32_t signals;
    snn_edf_signal *signal; /* [signals], owned */
    bool plus;              /* EDF+C; false: plain EDF, without annotations */
} snn_edf;

/* One text of one annotation. */
typedef struct {
    int64_t onset_ns;    /* from the start of the first record */
    int64_t duration_ns; /* -1: not given */
    size_t text;         /* offset in snn_edf_notes.text */
    uint64_t record;     /* in which it stands */
} snn_edf_note;

typedef struct {
    snn_edf_note *note; /* [n] in file order */
    size_t n, capacity;
    char *text; /* UTF-8 texts, zero-terminated */
    size_t used, text_capacity;
} snn_edf_notes;

struct snn_source; /* of internal.h */

/* Reads and checks the header, and that the file has the size that it says. Free e with snn_edf_free, also after an error. DATA errors say byte
 * and field. EDF+D, unfinished recordings and copies whose line ends were changed are refused with their own sentences. */
bool snn_edf_open(const struct snn_source *s, snn_edf *e, snn_error *err);
void snn_edf_free(snn_edf *e);

/* All annotations but those that keep the time, which are checked: record i of an EDF+C file must begin i records after the first. Free with
 * snn_edf_notes_free, also after an error. */
bool snn_edf_annotations(const struct snn_source *s, const snn_edf *e, snn_edf_notes *notes, snn_error *err);
void snn_edf_notes_free(snn_edf_notes *notes);
/* One block of bytes of an annotation signal, at byte `offset` of the file (for messages). With `record_start` its first TAL must be the one that
 * keeps the time. Onsets are as they stand in the file. */
bool snn_edf_block(const uint8_t *bytes, size_t size, uint64_t offset, uint64_t record, int64_t *record_start,
                   snn_edf_notes *notes, snn_error *err);

/* The samples of one signal of a record, in its unit, at out[0], out[stride], ... */
void snn_edf_physical(const snn_edf_signal *g, const uint8_t *record, double *out, size_t stride);

/* Decimal number `[+-]digits[.digits]` of n characters; *ns is it times 1e9, digits behind the ninth place must be 0. False when it is not one or
 * its magnitude is above SNN_EDF_ONSET_NS_MAX. */
bool snn_edf_nanoseconds(const char *text, size_t n, bool sign_needed, int64_t *ns);

#endif
