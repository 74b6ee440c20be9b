/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are never half-written, NumPy arrays, and the progress line.
 *
 * An snn_file writes to a temporary file in the target's folder; commit does fflush, fsync, rename (and fsync of the
 * folder); abandon removes the temporary file. A full disk is reported by commit (or earlier), never lost.
 */
#ifndef SNNSIM_OUTPUT_H
#define SNNSIM_OUTPUT_H

#include <snnsim/error.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct snn_file snn_file;

/* mode: permissions, e.g. 0644 (masked by umask) or 0600. */
snn_file *snn_file_create(const char *path, unsigned mode, snn_error *err);
FILE *snn_file_stream(snn_file *f);
/* Path of the temporary file, for libraries that open by name (HDF5); the stream must not be used then. */
const char *snn_file_temporary(const snn_file *f);
/* Frees f in every case. Errors: RUNTIME naming the path when any write failed. */
bool snn_file_commit(snn_file *f, snn_error *err);
/* Frees f, removes the temporary file; NULL is allowed. */
void snn_file_abandon(snn_file *f);

/* Creates the folder and its parents; fine when it exists. RUNTIME error (not a folder, no permission). */
bool snn_folder_create(const char *path, snn_error *err);

/* Whole file into memory (one zero byte appended, not counted). Errors: DATA when it does not exist or is larger than
 * `limit` bytes; *data is freed by the caller. */
bool snn_file_read(const char *path, size_t limit, uint8_t **data, size_t *size, snn_error *err);
/* The same, for what belongs to a set of files: a pipe or device is refused (DATA), since it would be waited for, or be without end. */
bool snn_file_read_regular(const char *path, size_t limit, uint8_t **data, size_t *size, snn_error *err);

/* ---- NumPy .npy (format 1.0 written; 1.0 and 2.0 read; C order, little-endian only) ---- */

typedef enum {
    SNN_NPY_U8,
    SNN_NPY_I8,
    SNN_NPY_I16,
    SNN_NPY_I32,
    SNN_NPY_I64,
    SNN_NPY_F32,
    SNN_NPY_F64,
    SNN_NPY_U16,
    SNN_NPY_U32
} snn_npy_type;
#define SNN_NPY_DIMS 8

typedef struct {
    snn_npy_type type;
    int dims; /* 0..SNN_NPY_DIMS */
    uint64_t shape[SNN_NPY_DIMS];
    uint64_t count;  /* product of shape, checked against overflow and file size */
    uint64_t offset; /* byte where data starts */
} snn_npy;

size_t snn_npy_item_size(snn_npy_type type);
/* "3 x 4 x 5" of a shape into buf; returns buf. */
const char *snn_shape_text(int dims, const uint64_t *shape, char *buf, size_t size);
/* Reads and checks the header; the file must hold exactly the announced data. Fortran order, big-endian, structured or
 * object arrays and other element types are DATA errors that name what was found. */
bool snn_npy_open(const char *path, snn_npy *header, snn_error *err);
/* Items [first, first+n) into out (thread-safe; opens the file by itself). */
bool snn_npy_read(const char *path, const snn_npy *header, uint64_t first, uint64_t n, void *out,
                  snn_error *err);
/* Writes the header for an array with the given shape on f's stream; the caller then writes the data. */
bool snn_npy_write_header(snn_file *f, snn_npy_type type, int dims, const uint64_t *shape, snn_error *err);

/* ---- progress ---- */

typedef struct snn_progress snn_progress;
/* A line "label  done/total  rate  time left" on stderr, redrawn at most ten times a second, and only when stderr is a
 * terminal, `enabled` is true and the job has run for half a second. total = 0: unknown. Never fails (may return NULL,
 * which the others accept). `unit` is a plural: "samples". */
snn_progress *snn_progress_begin(const char *label, const char *unit, uint64_t total, bool enabled);
/* Thread-safe; done is absolute. */
void snn_progress_update(snn_progress *p, uint64_t done);
/* Changes the label, for jobs whose state is worth more than a name. */
void snn_progress_label(snn_progress *p, const char *label);
/* Erases the line until it is redrawn, so that something else can be printed. */
void snn_progress_clear(snn_progress *p);
void snn_progress_end(snn_progress *p);

#ifdef __cplusplus
}
#endif
#endif
