/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What synthesis, timing and gate-level simulation of the read-out with each decryptor gave (make hw-synth; verilog/syn/results/<library>.json). All energies of the decryption circuits come from
 * these files: where there is none, they are not known.
 */
#ifndef SNNSIM_SYNTHESIS_H
#define SNNSIM_SYNTHESIS_H

#include <snnsim/decryptor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One stimulus of one seed. */
typedef struct {
    char stimulus[24];   /* "random", "half", "traffic" */
    double reads, keyed; /* row reads, those of keyed rows */
    double cycles_per_read;
    double pj; /* of a read without leakage: the whole read-out, not its difference to another */
    double leakage_uw;
} snn_synthesis_energy;

typedef struct {
    char name[32]; /* "table50" */
    snn_decryptor_shape shape;
    uint32_t placed; /* keys that were in its store */
    bool gated, latches;
    double clock_ns; /* that it was measured at */
    double slack_ns; /* at that clock; NaN: not known */
    double area_um2, kge;
    size_t energies;
    snn_synthesis_energy *energy; /* [energies] */
} snn_synthesis_design;

typedef struct {
    char library[32], corner[80];
    size_t designs;
    snn_synthesis_design *design; /* [designs] */
} snn_synthesis;

/* Errors: DATA naming file and place. */
bool snn_synthesis_load(const char *path, snn_synthesis *s, snn_error *err);
void snn_synthesis_free(snn_synthesis *s);
/* All libraries by name: from the folder that SNNSIM_SYNTHESIS names, else ./verilog/syn/results, else the installed one. No folder or no file: *n = 0, and true. Free each, then *list. */
bool snn_synthesis_all(snn_synthesis **list, size_t *n, snn_error *err);

/* The smallest design of the kind that takes such a row word and so many keys (mask register gated, store of latches if there is one); NULL: none. Row address bits are not compared. */
const snn_synthesis_design *snn_synthesis_find(const snn_synthesis *s, const snn_decryptor_shape *shape,
                                               uint32_t keys);
/* Dynamic energy of a row read [pJ] when a share of the reads is of keyed rows: from real traffic where that was simulated, else from random rows; linear in the share between random rows and
 * those of which half are keyed. keyed NaN: as simulated. NaN: not known. */
double snn_synthesis_pj(const snn_synthesis_design *d, double keyed);
/* Mean over stimuli [uW]. NaN: not known. */
double snn_synthesis_leakage(const snn_synthesis_design *d);

#ifdef __cplusplus
}
#endif
#endif
