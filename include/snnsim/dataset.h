/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Data sets: labelled recordings in their official file layouts, read one sample at a time by number.
 *
 * Opening lists the samples and checks labels, file sizes and sensor; samples are read when they are asked for, so that a full data set never
 * lies in memory. After opening an snn_dataset is read-only and every call is thread-safe (each caller has its own buffers).
 */
#ifndef SNNSIM_DATASET_H
#define SNNSIM_DATASET_H

#include <snnsim/config.h>
#include <snnsim/events.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SNN_SPLIT_TRAIN, SNN_SPLIT_TEST, SNN_SPLIT_ALL } snn_split;

typedef struct {
    const char *name; /* "nmnist" */
    int classes;
    const char *const *class_name; /* [classes] */
    uint32_t sensor[3];            /* channels, height, width of the recordings */
    uint32_t input[3];             /* channels, height, width after framing */
    int steps;                     /* time steps after framing */
    snn_framing framing;           /* unused for npy */
    bool has_events;               /* false: npy frames, only snn_dataset_frames works */
    bool pairs;                    /* one channel whose columns 2k and 2k + 1 are ON and OFF of place k */
    const char *folder;            /* where it was read from; "" when made in memory */
    const char *note;              /* what is not there or left out, a sentence; NULL: nothing */
} snn_dataset_info;

typedef struct snn_dataset snn_dataset;

/* What one reader keeps between calls; all-zero is valid; one per thread. */
typedef struct {
    snn_events events;
    snn_frame_scratch frame;
    uint8_t *bytes;
    size_t bytes_capacity;
    struct snn_eeg_kept *eeg;           /* EEG: the run that was read last */
    double read_seconds, frame_seconds; /* accumulated wall time */
    uint64_t events_read, events_dropped, events_out_of_order;
} snn_dataset_buffer;
void snn_dataset_buffer_free(snn_dataset_buffer *b);

/* Opens the data set that section `dataset` of the config describes, restricted to `split` (and to its fold, if folds are given).
 * Errors: USAGE (config: missing path, with a sentence on where to get the data), DATA (files). */
snn_dataset *snn_dataset_open(const snn_config *config, snn_split split, snn_error *err);
/* The same. After an error *absent tells whether nothing of the data set's part is there at all (half a release), rather than something that
 * cannot be read. */
snn_dataset *snn_dataset_open_part(const snn_config *config, snn_split split, bool *absent, snn_error *err);
void snn_dataset_free(snn_dataset *d);
const snn_dataset_info *snn_dataset_about(const snn_dataset *d);
size_t snn_dataset_count(const snn_dataset *d);
int snn_dataset_label(const snn_dataset *d, size_t i);
/* A short stable name for sample i: a list's number, a file name, "user03_led:4"; writes into buf and returns it. */
const char *snn_dataset_sample(const snn_dataset *d, size_t i, char *buf, size_t size);
/* Reads recording i into buffer->events. DATA errors name file and byte. */
bool snn_dataset_events(const snn_dataset *d, size_t i, snn_dataset_buffer *buffer, snn_error *err);
/* Reads and frames sample i into x. */
bool snn_dataset_frames(const snn_dataset *d, size_t i, snn_dataset_buffer *buffer, snn_spikes *x,
                        snn_error *err);

/* Writes the synthetic camera's recordings as a DVS128 Gesture folder (AEDAT 3.1, label CSVs, trials_to_*.txt, gesture_mapping.csv).
 * progress may be NULL. */
bool snn_dataset_make(const snn_config *config, const char *folder,
                      void (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                      snn_error *err);

/* Checks the data set against what its official release should contain. Writes findings, one a line, to `out` (a FILE *), counts them; lines on what is
 * not compared with a release (lists, arrays, the synthetic camera) are not counted. Returns false only when it could not check at all, or was stopped.
 * progress (may be NULL) is called before each sample and behind the last one of what could be opened, beginning with done = 0 for each such set;
 * when it returns false, the check ends with INTERRUPTED. */
bool snn_dataset_verify(const snn_config *config, void *out, size_t *findings,
                        bool (*progress)(void *context, uint64_t done, uint64_t total), void *context,
                        snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
