/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Networks that other programs made. A file or folder is recognised by its content, not by its name, and becomes a model that carries its network, neurons
 * and time step, so that it runs on any data set of its input. Which formats, and how each maps: docs/import.md. The table of formats is in sim/import.c.
 */
#ifndef SNNSIM_IMPORT_H
#define SNNSIM_IMPORT_H

#include <snnsim/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_IMPORT_NONE,      /* none that we know */
    SNN_IMPORT_NIR,       /* HDF5 with group /node */
    SNN_IMPORT_NET,       /* lava-dl's and SLAYER's .net: HDF5 with group /layer */
    SNN_IMPORT_SLAYER,    /* folder: network.yaml and text files of Loihi weights */
    SNN_IMPORT_SPIKINGDSE /* folder: weights_A_2_B.csv, tau_*.csv */
} snn_import_format;

typedef struct {
    double dt; /* s of one time step; 0: what the file says, or the format's default */
    const char *
        layers; /* SLAYER: input and layers in its notation ("34x34x2-512-10"); NULL: as network.yaml says, or the only ones that fit the weights */
    const char *
        timing; /* .net: "slayer", "netx", "lava-dl" or "loihi": delays between layers, and first step (docs/import.md); NULL: as its contents suggest */
    snn_reset
        reset; /* NIR, whose files do not tell: how its simulator reset neurons (sinabs: by subtraction) */
    bool
        at_threshold; /* NIR: did neurons spike at v = threshold (sinabs), not only above (NIR's definition)? */
    bool
        unit_gain; /* NIR: neurons take their input as it is, and thresholds are divided by the gain instead, as snnTorch does; membranes are in that unit */
} snn_import_options;

/* Which format is it? SNN_IMPORT_NONE with err set (DATA: what it looks like and what is known; or it is missing or cannot be read). */
snn_import_format snn_import_recognise(const char *path, snn_error *err);
/* "NIR graph", ... */
const char *snn_import_format_name(snn_import_format format);
/* Recognises and reads. *m is overwritten, not freed; after an error it is empty. Errors: DATA naming the file and the place in it. */
bool snn_import(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);

/* One reader for each format, with the contract of snn_import. */
bool snn_import_nir(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);
bool snn_import_net(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);
bool snn_import_slayer(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);
bool snn_import_spikingdse(snn_model *m, const char *path, const snn_import_options *options, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
