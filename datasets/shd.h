/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of the SHD reader: binned recordings as text (shd_trace.c), the official HDF5 files (shd_file.c: what is in them; shd_heap.c: where it is; shd_decode.c:
 * times and units to events).
 *
 * libhdf5 is only asked for the structure of a file, when it is opened. Recordings are variable-length items in HDF5's global heaps; their places are looked up once and
 * read directly, because libhdf5 1.10 writes beyond its buffer when a heap object is longer than its item says, and lets only one thread in.
 */
#ifndef SNNSIM_DATASETS_SHD_H
#define SNNSIM_DATASETS_SHD_H

#include "internal.h"

#define SNN_SHD_CLASSES 20
#define SNN_SHD_UNITS 700
#define SNN_SHD_TRACE_LINES 100 /* of each published trace: the class and 99 bins */
#define SNN_SHD_NAME 32         /* bytes of a class name with its end */
/* Largest time of the official type, float16: 65504 s. Other types must keep to it. */
#define SNN_SHD_SECONDS 65504

/* Little-endian number of n bytes. */
static inline uint64_t snn_little(const uint8_t *p, unsigned n) {
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* ---- binned recordings ---- */

/* Text: class, then lines `bin,channel,channel,...` of 10 ms. Line "N: ..." errors. *label only. */
bool snn_trace_class(const uint8_t *text, size_t size, int *label, snn_error *err);
/* Appends the events: x = unit = 700 - channel, times in the middle of what the bin holds, (bin-1)*10 ms < t <= bin*10 ms; 0 in bin 0. */
bool snn_trace_decode(const uint8_t *text, size_t size, snn_events *out, snn_error *err);

/* ---- global heaps ---- */

/* A variable-length item as its data set stores it, and where it is. */
typedef struct {
    uint64_t heap;  /* address of the heap, relative to the file's base */
    uint64_t bytes; /* of the item; 0: nothing is looked up */
    uint64_t at;    /* filled: byte of the file */
    uint32_t index; /* object in the heap */
    uint32_t item;  /* number for messages */
} snn_heap_item;

/* Fills `at` of n items; reorders them by place. `base`: byte of the file at which addresses start. Errors name byte and item. Time is bounded by the file's size. */
bool snn_heap_find(const snn_source *s, uint64_t base, snn_heap_item *item, size_t n, snn_error *err);

/* ---- official files ---- */

typedef struct {
    uint64_t times, units; /* bytes of the file at which they start */
    uint32_t events;
    int32_t label;
    int64_t speaker;
} snn_shd_recording;

typedef struct {
    snn_shd_recording *recording; /* [n] */
    size_t n;
    unsigned time_bytes, unit_bytes; /* of one float time (2, 4, 8) and one integer unit (1, 2, 4, 8) */
    bool has_speakers, has_names;
    char name[SNN_SHD_CLASSES][SNN_SHD_NAME];
} snn_shd_index;

/* What is in a file. A child process reads it first (snn_hdf5_vet). Free x->recording also after an error. */
bool snn_shd_index_read(const char *path, snn_shd_index *x, snn_error *err);

/* Appends n events. Errors name the event: time not in 0 .. 65504 s, unit not below 700. */
bool snn_shd_decode(const uint8_t *times, unsigned time_bytes, const uint8_t *units, unsigned unit_bytes,
                    size_t n, snn_events *out, snn_error *err);
/* A float16 in units of 1e-6, rounded to nearest, halves to even; negative when it is no number from 0 on. */
int64_t snn_half_micro(uint16_t half);

/* ---- the data set ---- */

/* Open files. A data set has one for each part, or one for both. */
struct snn_shd {
    struct {
        int fd; /* -1: none */
        uint64_t size;
        unsigned time_bytes, unit_bytes;
    } file[2];
    bool reverse;
    char name[SNN_SHD_CLASSES][SNN_SHD_NAME];
    const char *class_name[SNN_SHD_CLASSES];
};

#endif
