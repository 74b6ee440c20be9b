/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the readers share: the table of samples, and one function per file format that decodes bytes in memory, so that the unit tests and the
 * fuzz targets reach it without files. Not a public header.
 *
 * Decoders say what and at which byte or line; the caller puts the file in front with snn_error_context.
 */
#ifndef SNNSIM_DATASETS_INTERNAL_H
#define SNNSIM_DATASETS_INTERNAL_H

#include <snnsim/camera.h>
#include <snnsim/config.h>
#include <snnsim/dataset.h>
#include <snnsim/events.h>
#include <snnsim/output.h>

/* No recording of the known data sets comes near: the longest DVS128 Gesture trial has about 60 MB. */
#define SNN_RECORDING_MAX ((uint64_t)1 << 30)
/* Lists and label files: 60,000 lines of N-MNIST are below 1 MiB. */
#define SNN_LIST_MAX ((size_t)64 << 20)
/* Bounds the memory of the sample table (48 bytes each). */
#define SNN_SAMPLES_MAX ((uint64_t)1 << 24)

#define SNN_NMNIST_CLASSES 10
#define SNN_NMNIST_SIDE 34
#define SNN_GESTURE_SIDE 128

/* ---- sample table (table.c) ---- */

typedef enum {
    SNN_FORMAT_NMNIST,      /* 5 bytes per event with the overflow marker of N-MNIST */
    SNN_FORMAT_BS2,         /* 5 bytes per event */
    SNN_FORMAT_BS3,         /* 7 bytes per event */
    SNN_FORMAT_AEDAT,       /* packets of an AEDAT 3.1 file */
    SNN_FORMAT_EVENTS_NPY,  /* float64 [events][4], tonic's re-release of DVS128 Gesture */
    SNN_FORMAT_CAMERA,      /* made in memory */
    SNN_FORMAT_EEG,         /* window of a run of EEGMMIDB */
    SNN_FORMAT_SHD,         /* variable-length items of an HDF5 file */
    SNN_FORMAT_TRACE,       /* text lines `bin,channel,channel,...` */
    SNN_FORMAT_FRAMES,      /* one sample of a NumPy array of frames */
    SNN_FORMAT_BRAILLE,     /* a trial of the pickle in memory */
    SNN_FORMAT_BRAILLE_BINS /* float32 [bins][12] in an archive of torch.save */
} snn_format;

/* One sample and where its bytes are. */
typedef struct {
    uint64_t
        first; /* AEDAT: byte of its first packet; FRAMES, BRAILLE: index in the file; BRAILLE_BINS: byte of its bins; lists: number; CAMERA: subject */
    uint64_t size; /* bytes to read from `first` on (AEDAT) or from the start (the other files) */
    /* AEDAT: events with start <= t < end belong to it, us; EEG: start of the window in ns, 100 * subject + run */
    int64_t start, end;
    uint32_t path; /* file below the folder: offset in snn_table.text; 0 = none */
    int32_t label;
    uint32_t
        row; /* AEDAT: row of the label file, from 1; SHD: index in the file; EEG: annotation, from 1; CAMERA: take */
    uint8_t format; /* snn_format */
    bool test;      /* of the official test part */
    bool listed;    /* comes from a list; its name is the number in `first` */
} snn_sample;

typedef struct {
    snn_sample *sample; /* [n] */
    size_t n, capacity;
    char *text; /* paths, zero-terminated, one after the other, from offset 1 on */
    size_t used, text_capacity;
} snn_table;

/* Copies one item of `size` bytes to the end of an array that grows. */
bool snn_push(void **array, size_t *capacity, size_t *n, const void *item, size_t size, snn_error *err);

bool snn_table_add(snn_table *t, const snn_sample *s, snn_error *err);
/* Keeps a copy of a path; *offset goes into snn_sample.path. */
bool snn_table_path(snn_table *t, const char *path, uint32_t *offset, snn_error *err);
const char *snn_table_text(const snn_table *t, const snn_sample *s);
void snn_table_free(snn_table *t);

/* ---- the data set (dataset.c) ---- */

struct snn_dataset {
    snn_dataset_info info;
    char *folder;  /* owned; "" for the camera */
    bool absent;   /* set by a reader that fails because nothing of the part is there */
    int folder_fd; /* paths of samples are relative to it; -1: none */
    snn_table table;
    snn_camera camera;
    const char **class_name; /* owned, when not constant */
    char *class_text;
    char *frames[2]; /* npy: files of the training and the test part */
    snn_npy header[2];
    struct snn_shd *shd;         /* owned (shd.h) */
    struct snn_eeg *eeg;         /* owned (eeg.h) */
    struct snn_braille *braille; /* owned (braille.h) */
};

/* snn_dataset_open_part with or without cutting the training part into the config's folds; absent may be NULL. */
snn_dataset *snn_dataset_open_folds(const snn_config *config, snn_split split, bool folds, bool *absent,
                                    snn_error *err);

/* Each fills info, folder and table with the parts that `split` asks for. */
bool snn_nmnist_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
bool snn_gesture_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
bool snn_npy_frames_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
bool snn_shd_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
bool snn_eegmmidb_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
bool snn_braille_open(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);
/* The official layout of DVS128 Gesture: trials_to_*.txt, or all *.aedat of the folder by the number of their user (trials.c). */
bool snn_trials_open(snn_dataset *d, snn_split split, snn_error *err);

/* ---- files and paths (files.c) ---- */

/* A file or a piece of memory that stands for one. */
typedef struct snn_source {
    int fd; /* used when memory is NULL */
    const uint8_t *memory;
    uint64_t size;
} snn_source;
/* DATA error when [offset, offset+n) is not inside. */
bool snn_source_read(const snn_source *s, uint64_t offset, size_t n, uint8_t *out, snn_error *err);

/* "$SNNSIM_DATA" at the start replaced; free() it. */
char *snn_path_expand(const char *path, snn_error *err);
/* "folder/name"; free() it. */
char *snn_path_join(const char *folder, const char *name, snn_error *err);
/* A list or array named in the config: absolute, else beside `folder` when it is there, else from the current folder. */
char *snn_path_beside(const char *folder, const char *name, snn_error *err);
/* Sets d->folder and d->folder_fd. */
bool snn_folder_open(snn_dataset *d, const snn_config *config, snn_error *err);
/* Size of a recording below the folder; false without an error when there is no such file (*found = false). `unit`: bytes per event
 * that the size must be a multiple of (1: any). DATA error for folders, cut off or oversized files. */
bool snn_recording_size(const snn_dataset *d, const char *path, unsigned unit, uint64_t *size, bool *found,
                        snn_error *err);
/* Opens a file below the folder; close(s->fd) it. */
bool snn_recording_open(const snn_dataset *d, const char *path, uint64_t size, snn_source *s, snn_error *err);
/* Reads [first, first+size) of a file below the folder into b->bytes; with first = 0 the file must not be longer than `size`, unless `part`. */
bool snn_recording_read(const snn_dataset *d, const char *path, uint64_t first, uint64_t size, bool part,
                        snn_dataset_buffer *b, snn_error *err);
/* Owned file names; all-zero is an empty list. */
typedef struct {
    char **name; /* [n] */
    size_t n, capacity;
} snn_names;
/* Appends a copy of `size` characters. */
bool snn_names_add(snn_names *names, const char *text, size_t size, snn_error *err);
void snn_names_free(snn_names *names);
/* A list, label file or other text of the data set as snn_file_read_regular gives it. */
bool snn_text_read(const char *path, uint8_t **text, size_t *size, snn_error *err);
/* Appends what is in a folder below the folder and ends in `ending`, sorted, without hidden files; nothing when there is no such folder and
 * `optional`. */
bool snn_folder_names(const snn_dataset *d, const char *path, const char *ending, bool optional,
                      snn_names *names, snn_error *err);

/* ---- text (lines.c) ---- */

/* Walks over lines of text in memory. A byte order mark (UTF-8), CR LF and trailing blanks are cut. */
typedef struct {
    const char *next, *end;
    const char *line; /* current line, `size` bytes, not terminated */
    size_t size;
    size_t number; /* of the current line, from 1 */
} snn_lines;
void snn_lines_init(snn_lines *l, const void *text, size_t size);
bool snn_lines_next(snn_lines *l);
/* Takes a decimal integer 0 <= v <= max off the front of the current line; false when there is none. */
bool snn_lines_number(snn_lines *l, uint64_t max, uint64_t *v);
/* Takes blanks (spaces, tabs) off the front; returns how many. */
size_t snn_lines_blanks(snn_lines *l);
/* The current line, shortened and printable, for messages. */
#define SNN_QUOTE 48
const char *snn_lines_quote(const snn_lines *l, char buf[SNN_QUOTE]);

/* ---- lists (list.c) ---- */

typedef struct {
    uint64_t number;
    int label; /* from 0 */
    size_t line;
} snn_list_entry;

/* `number<TAB>class`, lines starting with # are comments. Errors "line N: ...": no numbers, class out of range, the same number twice.
 * *entry is freed by the caller, also after an error. */
bool snn_list_parse(const void *text, size_t size, int label_base, int classes, snn_list_entry **entry,
                    size_t *n, snn_error *err);
/* Adds the recordings of a list file that lie in the folder: <number>.bs2, .bs3, .bin, also with the number written in 5 digits. */
bool snn_list_open(snn_dataset *d, const char *name, int label_base, snn_format format, bool test,
                   snn_error *err);
/* Both lists of the config that `split` asks for. USAGE error when the one needed is not given. */
bool snn_lists_open(snn_dataset *d, const snn_config *config, snn_split split, snn_format format,
                    snn_error *err);

/* ---- 5-byte and 7-byte events (bs.c) ---- */

/* Appends to out, whose width, height and channels are set. Order of time is not looked at. */
bool snn_bs2_decode(const uint8_t *bytes, size_t size, bool overflow_marker, snn_events *out, snn_error *err);
bool snn_bs3_decode(const uint8_t *bytes, size_t size, snn_events *out, snn_error *err);

/* ---- AEDAT 3.1 (aedat.c) ---- */

typedef struct {
    uint64_t first, end; /* bytes: header and events */
    int64_t t_first, t_last;
    uint32_t events;
} snn_aedat_packet;

/* Polarity packets with at least one event, in file order. Reads only their headers, first and last events. *packet is freed by the
 * caller, also after an error. */
bool snn_aedat_index(const snn_source *s, snn_aedat_packet **packet, size_t *n, snn_error *err);
/* Appends the valid polarity events with start <= t < end out of whole packets; their times count from `start`. `offset` is the byte of the
 * file at which bytes[0] stands, for messages. */
bool snn_aedat_decode(const uint8_t *bytes, size_t size, uint64_t offset, int64_t start, int64_t end,
                      snn_events *out, snn_error *err);

/* ---- trials and their labels (trials.c) ---- */

typedef struct {
    int label; /* from 0 */
    int64_t start, end;
    size_t line;
} snn_gesture_label;

/* Label file `class,startTime_usec,endTime_usec`. Errors "line N: ...". *label is freed by the caller, also
 * after an error. */
bool snn_labels_parse(const void *text, size_t size, snn_gesture_label **label, size_t *n, snn_error *err);
/* Trials list: one file name per line, appended to names. Errors "line N: ...". */
bool snn_trials_parse(const void *text, size_t size, snn_names *names, snn_error *err);
/* The packets that a gesture needs: bytes [*first, *end). DATA error when the gesture lies outside the recording. */
bool snn_gesture_range(const snn_aedat_packet *packet, size_t n, const snn_gesture_label *label,
                       uint64_t *first, uint64_t *end, snn_error *err);

/* ---- float64 event arrays (events_npy.c) ---- */

/* tonic's re-release: item [i] = x, y, polarity, time in ms. */
bool snn_events_npy_decode(const double *item, size_t n, snn_events *out, snn_error *err);
bool snn_events_npy_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err);

/* ---- SHD (shd.c) ---- */

/* Appends the events of a sample, sorted by time. */
bool snn_shd_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err);
/* Class of a binned recording below the folder. */
bool snn_shd_trace_class(const snn_dataset *d, const char *path, uint64_t size, int *label, snn_error *err);
void snn_shd_free(struct snn_shd *shd);

/* ---- NumPy frames (npy_frames.c) ---- */

bool snn_npy_frames_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_spikes *x,
                         snn_error *err);

/* ---- Braille letters (braille.c) ---- */

/* Appends the events of a sample, sorted by time. */
bool snn_braille_read(const snn_dataset *d, const snn_sample *s, snn_dataset_buffer *b, snn_error *err);
void snn_braille_free(struct snn_braille *b);

/* ---- folds (folds.c) ---- */

/* Deals n samples to folds: fold_of[i] in 0..folds-1. Samples of one class are permuted by stream (seed, SPLIT, class) and dealt in turn, each class
 * going on where the last one stopped: classes and folds are balanced to one sample. */
bool snn_folds_deal(const int *label, size_t n, int classes, int folds, uint64_t seed, int *fold_of,
                    snn_error *err);
/* Keeps fold `fold` (TEST), the others (TRAIN) or everything (ALL) of d, by the config. */
bool snn_folds_apply(snn_dataset *d, const snn_config *config, snn_split split, snn_error *err);

#endif
