/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside sim/: how the import of SLAYER's Loihi networks (a folder with network.yaml and text files of weights) is put together.
 *
 *   network.yaml ──import_slayer_yaml──▶ settings ──┐
 *   fc1.txt, conv1.txt ... ──import_slayer_text──▶ values ──┼──import_slayer──▶ model
 *   "34x34x2-512-10", or `layer:` ──import_slayer_layers──▶ layers ──┘
 */
#ifndef SNNSIM_SIM_IMPORT_SLAYER_H
#define SNNSIM_SIM_IMPORT_SLAYER_H

#include "import_loihi.h"

/* ---- import_slayer_yaml.c: a YAML file as a flat list of scalars ---- */

typedef struct {
    char *path;  /* "neuron.vThMant", "layer.0.dim" */
    char *value; /* text of the scalar */
    int line;
} snn_yaml_entry;

typedef struct {
    const char *file; /* name for messages; borrowed */
    snn_yaml_entry *entry;
    size_t n, capacity;
} snn_yaml;

/* Errors: DATA naming file and line. *y is to be freed in every case. */
bool snn_yaml_read(snn_yaml *y, const char *file, snn_error *err);
/* The same from memory. */
bool snn_yaml_parse(snn_yaml *y, const char *file, const void *text, size_t size, snn_error *err);
void snn_yaml_free(snn_yaml *y);
const snn_yaml_entry *snn_yaml_find(const snn_yaml *y, const char *path);
/* Is there anything below that path? */
bool snn_yaml_has(const snn_yaml *y, const char *path);
/* A whole number within [least, most], or any finite number. Errors: DATA naming file and line (missing: the path). */
bool snn_yaml_int(const snn_yaml *y, const char *path, int64_t least, int64_t most, int64_t *v,
                  snn_error *err);
bool snn_yaml_real(const snn_yaml *y, const char *path, double *v, snn_error *err);
/* DATA error "file:line: path: what". */
bool snn_yaml_fail(const snn_yaml *y, const snn_yaml_entry *e, const char *what, snn_error *err);

/* ---- import_slayer_text.c: files of weights ---- */

typedef enum { SNN_SLAYER_CONV, SNN_SLAYER_POOL, SNN_SLAYER_DENSE, SNN_SLAYER_KINDS } snn_slayer_kind;
const char *snn_slayer_kind_name(snn_slayer_kind kind); /* "conv", "pool", "fc" */

typedef struct {
    char *path;
    snn_slayer_kind kind;
    uint32_t number; /* fc1: 1 */
    int32_t *value;
    size_t n, capacity;
} snn_slayer_file;

typedef struct {
    snn_slayer_file *file; /* by kind, then number */
    size_t n, capacity;
} snn_slayer_files;

/* All files of a folder whose names end in conv, pool or fc (in any case), a number, and .txt. Errors: DATA naming file and line. */
bool snn_slayer_files_read(snn_slayer_files *f, const char *folder, snn_error *err);
void snn_slayer_files_free(snn_slayer_files *f);
/* Number i (0: the first) of a kind; NULL when there is none. */
snn_slayer_file *snn_slayer_files_find(const snn_slayer_files *f, snn_slayer_kind kind, size_t i);
/* Whole numbers within 16 bits, separated by blanks and line ends, are appended to the file's values. Errors: DATA naming its path and the line. */
bool snn_slayer_parse(snn_slayer_file *f, const void *text, size_t size, snn_error *err);

/* ---- import_slayer_layers.c: which layers there are ---- */

typedef struct {
    snn_slayer_kind kind;
    uint32_t outputs; /* dense: neurons; conv: channels */
    uint32_t kernel, stride, padding;
    int entry; /* number in the yaml's `layer` list, -1 */
} snn_slayer_layer;

typedef struct {
    snn_shape input;
    snn_slayer_layer *layer;
    size_t n, capacity;
} snn_slayer_layers;

/* SLAYER's notation in one line, input first: "128x128x2-4a-16c5-2a-512-11" (blanks and commas separate too). Errors: USAGE. */
bool snn_slayer_layers_parse(snn_slayer_layers *l, const char *notation, snn_error *err);
/* Section `layer` of the settings. Errors: DATA naming file and line. */
bool snn_slayer_layers_from_yaml(snn_slayer_layers *l, const snn_yaml *y, snn_error *err);
/* The only usual network (convolutions and pools taking turns, then dense layers; the input of a sensor that snnsim reads) that the files' sizes fit. Errors: DATA when
 * there is none or more than one. */
bool snn_slayer_layers_guess(snn_slayer_layers *l, const snn_slayer_files *f, const char *folder,
                             snn_error *err);
void snn_slayer_layers_free(snn_slayer_layers *l);

#endif
