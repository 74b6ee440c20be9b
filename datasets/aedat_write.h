/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writer of DVS128 Gesture trials: AEDAT 3.1 and the label file beside it. Private to datasets/ and its tests.
 *
 * Streaming: a recording is appended gesture by gesture, memory holds one packet. Atomic: nothing is seen under the final name before commit.
 */
#ifndef SNNSIM_AEDAT_WRITE_H
#define SNNSIM_AEDAT_WRITE_H

#include <snnsim/events.h>
#include <snnsim/output.h>

/* Events in one packet, as many as the packets of the real set hold at most. Every packet but those at an append's end and before a time overflow is full. */
#define SNN_AEDAT_PACKET 8192

typedef struct snn_aedat snn_aedat;

/* Begins `path`; `source` goes into the header's "#Source 1:" line, `comment` (may be NULL) into a comment line; both without line breaks. */
snn_aedat *snn_aedat_create(const char *path, const char *source, const char *comment, snn_error *err);
/* Appends the events of e (sorted by time, inside 128 x 128 or whatever the sensor is up to 32768) with `offset` us added to their times.
 * Times must not run back from one append to the next and stay within 0 .. 2^62. DATA errors; the file is then good for abandon only. */
bool snn_aedat_append(snn_aedat *a, const snn_events *e, int64_t offset, snn_error *err);
/* Completes the file and frees a, in every case. */
bool snn_aedat_commit(snn_aedat *a, snn_error *err);
/* Removes what was written and frees a; NULL is allowed. */
void snn_aedat_abandon(snn_aedat *a);

/* One line of a label file. */
typedef struct {
    int gesture; /* 0..10; the file counts from 1 */
    int64_t start, end;
} snn_aedat_label;
/* Writes `class,startTime_usec,endTime_usec` and n lines. */
bool snn_aedat_labels_write(const char *path, const snn_aedat_label *label, size_t n, snn_error *err);

#endif
