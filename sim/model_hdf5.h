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

/* Group or dataset creation properties without time stamps, so that the same content gives the same bytes. `class` is H5P_GROUP_CREATE or
 * H5P_DATASET_CREATE. */
hid_t snn_hdf5_create_properties(hid_t class);

/* Fixed-length string type of n bytes (at least 1). */
hid_t snn_hdf5_string_type(size_t n);

/* Digest of a text, as hex. */
void snn_text_digest(const char *text, char hex[65]);

#endif
