/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an EEG recording to events: reference, band-pass filter, normalisation, encoder. docs/eeg.md has the formulas and their sources.
 * Not a public header.
 *
 *   EDF records ──reference──▶ filter ──▶ normalise ──▶ run in memory [sample][channel] ──window──▶ encoder ──▶ events
 */
#ifndef SNNSIM_DATASETS_EEG_H
#define SNNSIM_DATASETS_EEG_H

#include "edf.h"
#include "internal.h"

#define SNN_EEG_CHANNELS_MAX 512u
#define SNN_EEG_NAME_SIZE 17
#define SNN_EEG_ORDER_MAX 12
/* Values (samples times channels) of a run that is kept in memory: 512 MiB; a run of EEGMMIDB has 1.3 million. */
#define SNN_EEG_VALUES_MAX ((uint64_t)1 << 26)

/* ---- filter (eeg_filter.c) ---- */

/* Second-order section: y = b0 x + b1 x' + b2 x'' - a1 y' - a2 y''. */
typedef struct {
    double b0, b1, b2, a1, a2;
} snn_biquad;

typedef struct {
    int sections;
    snn_biquad section[SNN_EEG_ORDER_MAX];
} snn_butterworth;

/* Butterworth of this order: band-pass (2 * order poles) when 0 < low < high, high-pass with high = 0, low-pass with low = 0, nothing with order 0
 * or both 0. Edges in Hz, -3 dB there. Errors: USAGE, edges not below half the rate or in the wrong order. */
bool snn_butterworth_design(snn_butterworth *f, int order, double low, double high, double rate,
                            snn_error *err);
/* Filters n samples of `channels` signals in place, x[sample][channel], forward, from rest. state: [2 * sections][channels], working memory. */
void snn_butterworth_run(const snn_butterworth *f, double *x, size_t n, size_t channels, double *state);

/* ---- encoders (eeg_encode.c) ---- */

typedef enum { SNN_EEG_DELTA, SNN_EEG_STEP_FORWARD, SNN_EEG_RATE } snn_eeg_code;

typedef struct {
    snn_eeg_code code;
    double threshold; /* delta, step_forward; in units of the signal */
    double rate_max;  /* rate: spikes per second at |x| >= rate_full */
    double rate_full;
} snn_eeg_encoder;

/* Sampling: `samples` in `record_ns`. */
typedef struct {
    uint32_t samples;
    int64_t record_ns;
} snn_eeg_clock;
/* The sample nearest to a time (the later one when it is between two), of a time >= 0. */
uint64_t snn_eeg_sample_at(const snn_eeg_clock *c, int64_t ns);
/* Time of a sample in us, rounded to the nearest. */
int64_t snn_eeg_time_us(const snn_eeg_clock *c, uint64_t sample);

/* Appends the events of n samples x[sample][channel] to out in order of time, then of channel; the first sample has time 0. state: [2 * channels]. */
bool snn_eeg_encode(const snn_eeg_encoder *e, const snn_eeg_clock *clock, const double *x, size_t n,
                    uint32_t channels, double *state, snn_events *out, snn_error *err);

/* ---- a run (eeg_run.c) ---- */

typedef enum { SNN_EEG_NORMALISE_NONE, SNN_EEG_NORMALISE_RUN, SNN_EEG_NORMALISE_REST } snn_eeg_normalise;

/* What makes samples out of a run. Names are compared as arrays: clear it before filling it. */
typedef struct {
    int order;
    double low, high; /* Hz */
    bool zero_phase;
    bool average_reference;
    snn_eeg_normalise normalise;
    uint32_t channels;                                     /* 0: all */
    char channel[SNN_EEG_CHANNELS_MAX][SNN_EEG_NAME_SIZE]; /* plain names, "Fc5" */
} snn_eeg_signal;

/* A label without the dots that fill it up. */
void snn_eeg_plain_name(const char *label, char out[SNN_EEG_NAME_SIZE]);

/* A run as the encoders need it. All-zero is empty; free with snn_eeg_run_clear. */
typedef struct {
    double *x; /* [n][channels] */
    size_t x_capacity;
    uint64_t n;
    uint32_t channels;
    snn_eeg_clock clock;
    double *work; /* [work_capacity] */
    size_t work_capacity;
} snn_eeg_run;

/* Which signals of the file are the channels of o, and their common clock. signal: [SNN_EEG_CHANNELS_MAX] */
bool snn_eeg_pick(const snn_eeg_signal *o, const snn_edf *e, uint32_t *signal, uint32_t *channels,
                  snn_eeg_clock *clock, snn_error *err);
/* Where the annotated part of the recording ends, ns: behind it, records are filled up with zeros. */
int64_t snn_eeg_end(const snn_edf *e, const snn_edf_notes *notes);
/* Reads a whole file and makes the run out of it. */
bool snn_eeg_run_load(const snn_eeg_signal *o, const snn_source *s, snn_eeg_run *run, snn_error *err);
void snn_eeg_run_clear(snn_eeg_run *run);

/* ---- EEGMMIDB (eegmmidb.c) ---- */

#define SNN_EEG_SUBJECTS 109
#define SNN_EEG_RUNS 14

/* Settings of an open data set. */
struct snn_eeg {
    snn_eeg_signal signal;
    snn_eeg_encoder encoder;
    int64_t start_ns, length_ns; /* window, from the annotation's onset on */
    bool by_subject;             /* folds: whole subjects instead of whole runs */
    char *note;                  /* owned; what is not there, a sentence; NULL: nothing */
};
void snn_eeg_free(struct snn_eeg *eeg);

/* Of snn_dataset_buffer. */
void snn_eeg_kept_free(struct snn_eeg_kept *kept);

/* Which samples must stay in one fold: those of a run, or of a subject. */
uint32_t snn_eeg_fold_group(const snn_dataset *d, const snn_sample *s);
/* Appends the events of a sample. */
bool snn_eeg_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err);

#endif
