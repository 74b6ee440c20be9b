/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside sim/: what reading and writing HDF5 share. libhdf5 is not thread-safe and has state of its own, so models are loaded and saved by one
 * thread at a time.
 */
#ifndef SNNSIM_SIM_MODEL_HDF5_H
#define SNNSIM_SIM_MODEL_HDF5_H

#include <snnsim/error.h>

#include <hdf5.h>

#define SNN_MODEL_FORMAT 1             /* of /snnsim */
#define SNN_MODEL_TEXT_MAX (64u << 20) /* bytes of the network's or the record's JSON */

/* State of libhdf5 that we change while we work, and put back: it prints errors to stderr by default, and loads filter plugins that a file asks
 * for from folders that the environment names. */
typedef struct {
    H5E_auto2_t print;
    void *print_data;
    unsigned plugins;
    char
        reason[256]; /* innermost message of the first failure since snn_hdf5_enter; "" when nothing failed */
} snn_hdf5_guard;

/* g must stay where it is until snn_hdf5_leave. */
void snn_hdf5_enter(snn_hdf5_guard *g);
void snn_hdf5_leave(const snn_hdf5_guard *g);

/* File access properties: closing the file closes all its objects, no file locks (they fail on some network file systems; files are replaced by
 * renaming, never changed in place). */
hid_t snn_hdf5_access(void);

/* Writes a new file atomically: `fill` puts groups and data sets into `file` and returns false when libhdf5 failed. With `block` the file starts with
 * its digest (model_block.h). Errors: RUNTIME. */
bool snn_hdf5_write(const char *path, bool block, bool (*fill)(hid_t file, const void *context),
                    const void *context, snn_error *err);

/* Group or dataset creation properties without time stamps, so that the same content gives the same bytes. `class` is H5P_GROUP_CREATE or
 * H5P_DATASET_CREATE. */
hid_t snn_hdf5_create_properties(hid_t class);

/* A new group of that name without time stamps; -1 on failure. */
hid_t snn_hdf5_create_group(hid_t parent, const char *name);

/* Has the data set compressed in blocks of whole rows (first dimension), when it has enough items for that to pay. */
void snn_hdf5_compress(hid_t create, int dims, const hsize_t *shape, size_t item_size);

/* Fixed-length string type of n bytes (at least 1). */
hid_t snn_hdf5_string_type(size_t n);

/* Digest of a text, as hex. */
void snn_text_digest(const char *text, char hex[65]);

#endif
