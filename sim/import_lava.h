/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: values out of the groups of a .net file (import_lava_read.c), which lava-dl's and SLAYER's Python writes through h5py with whatever type a value had. */
#ifndef SNNSIM_SIM_IMPORT_LAVA_H
#define SNNSIM_SIM_IMPORT_LAVA_H

#include <snnsim/hdf5_file.h>
#include <stdint.h>

#define SNN_LAVA_DIMS 8
#define SNN_LAVA_PATH 64

/* An open group. */
typedef struct {
    const snn_hdf5_reader *r;
    snn_hid group;
    char path[SNN_LAVA_PATH]; /* "layer/1/neuron", for messages */
} snn_lava_group;

/* A data set of numbers. */
typedef struct {
    int dims; /* 0: a scalar */
    uint64_t shape[SNN_LAVA_DIMS], count;
    double *value; /* [count]; free() it */
} snn_lava_array;

/* Errors of all: DATA naming file and object. */
bool snn_lava_open(const snn_hdf5_reader *r, snn_hid parent, const char *parent_path, const char *name,
                   snn_lava_group *g);
void snn_lava_close(snn_lava_group *g);
bool snn_lava_has(const snn_lava_group *g, const char *name);
/* Does the group hold nothing but `known` [n]? Error naming the first other object. */
bool snn_lava_only(const snn_lava_group *g, const char *const *known, size_t n);
/* Up to `limit` finite numbers. */
bool snn_lava_numbers(const snn_lava_group *g, const char *name, uint64_t limit, snn_lava_array *a);
/* The same, all of them whole and within [-2^31, 2^31): values [a->count] into *v, which is to be freed. */
bool snn_lava_integers(const snn_lava_group *g, const char *name, uint64_t limit, snn_lava_array *a,
                       int32_t **v);
/* One whole number; one or two equal ones where `pair`. */
bool snn_lava_integer(const snn_lava_group *g, const char *name, bool pair, int64_t *v);
/* One text of fixed or variable length into text[size]. */
bool snn_lava_text(const snn_lava_group *g, const char *name, char *text, size_t size);
/* DATA error "file: path/name: what"; returns false. */
bool snn_lava_fail(const snn_lava_group *g, const char *name, const char *what);

#endif
