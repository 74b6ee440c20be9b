/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of `snnsim hw cosim` share: hw_cosim.c is the command and its report, hw_cosim_run.c the runs. */
#ifndef SNNSIM_CLI_HW_COSIM_H
#define SNNSIM_CLI_HW_COSIM_H

#include "hw_tile.h"

/* One circuit and what it has done. */
typedef struct {
    const char *role; /* "the decryptor", "pass-through" */
    snn_rtl_library *library;
    char *path; /* of the object; NULL: --rtl's */
    snn_tile_shape shape;
    const snn_provision *provision; /* NULL: none */
    const uint8_t *stored, *plain;  /* [rows][lanes] */
    snn_cosim *cosim;               /* while it runs */
    double seconds, cpu_seconds;    /* wall time; this thread's */
} cli_circuit;

/* One layer or the drawn reads, over all samples; index 0: decryptor, 1: pass-through. */
typedef struct {
    bool ran, whole;
    snn_tile_counts counts[2], pressed[2]; /* at full speed; under back-pressure */
    bool same_stamps;                      /* of every read of every sample */
    uint64_t wrong_spikes;                 /* in which the two runs differ */
} cli_cosim_part;

typedef struct {
    cli_tile tile;
    /* options */
    const char *layer, *rtl, *top, *verilog, *folder, *vcd;
    uint64_t reads, patterns, window, wrong_key;
    bool latches, ungated;
    int only; /* tensor of --layer; -1: all */

    snn_rtl_options build;
    snn_provision wrong; /* of --wrong-key */
    uint8_t *plain;      /* [rows][lanes] */
    uint32_t *keyed;     /* [keyed_rows] row addresses */
    uint32_t keyed_rows;
    cli_circuit circuit[2];
    cli_cosim_part *part; /* [tensors] */
    struct {
        bool ran, same_stamps;
        uint64_t cycles[2];
        snn_cosim_stats stats[2];
    } drawn;
    snn_cosim_stats stats[2];
    size_t samples;
    char where[128]; /* what was running when they differed */
    snn_cosim_diff diff;
    int differs; /* circuit; -1: none */
    char vcd_path[4096];
} cli_cosim;

/* Both circuits, made or loaded. */
bool cli_cosim_open(cli_cosim *c, snn_error *err);
/* Drawn reads, then all samples. On a difference it runs once more with the waveforms on, and fails. */
bool cli_cosim_run(cli_cosim *c, snn_error *err);
void cli_cosim_free(cli_cosim *c);

#endif
