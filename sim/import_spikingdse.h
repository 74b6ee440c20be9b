/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: tables of numbers as pandas writes them (to_csv of a frame without names), which SpikingDSE's networks consist of. */
#ifndef SNNSIM_SIM_IMPORT_SPIKINGDSE_H
#define SNNSIM_SIM_IMPORT_SPIKINGDSE_H

#include <snnsim/error.h>
#include <stdint.h>

typedef struct {
    uint32_t rows, columns;
    float *value; /* [rows][columns] */
    size_t capacity;
} snn_dse_table;

/* First line: an empty name and the numbers of the columns, 0, 1, ...; then each row: its number and its values. Errors: DATA naming file and line. *t is to be freed in every case. */
bool snn_dse_read(snn_dse_table *t, const char *file, snn_error *err);
/* The same from memory. */
bool snn_dse_parse(snn_dse_table *t, const char *file, const void *text, size_t size, snn_error *err);
void snn_dse_free(snn_dse_table *t);

#endif
