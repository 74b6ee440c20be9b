/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands share that run a network on the tile: hw run, hw compare. */
#ifndef SNNSIM_CLI_HW_TILE_H
#define SNNSIM_CLI_HW_TILE_H

#include "hw.h"
#include "json.h"

typedef struct {
    /* options */
    cli_common common;
    const char *model_option, *key_path, *decryptor, *rows_path, *library;
    int key_fd;
    uint64_t samples; /* 0: all */
    /* what they name */
    snn_config *config;
    snn_hw_options options;
    snn_model model;
    const char *model_path;
    snn_key *key;
    snn_weights *plain; /* decrypted by the key; without one, what the model has */
    snn_map *map;
    snn_rows *rows;
    snn_row_bit *bit; /* [keys] */
    size_t keys;
    snn_tile_shape shape;
    snn_provision provision;
    uint8_t *stored; /* [rows][lanes] what the cells hold */
    snn_dataset *data;
    snn_tile_network *network;
    snn_synthesis *synthesis; /* [libraries] */
    size_t libraries;
    /* what came out */
    snn_tile_traffic *traffic; /* [tensors] */
    size_t ran, right;
    double seconds; /* wall time of the runs */
} cli_tile;

#define CLI_TILE_SAMPLES 10 /* default */

/* Takes the options of such commands. */
bool cli_tile_take(void *context, int option, const char *value, snn_error *err);
enum {
    OPTION_TILE_MODEL = CLI_OWN,
    OPTION_TILE_KEY,
    OPTION_TILE_FD,
    OPTION_TILE_DECRYPTOR,
    OPTION_TILE_SAMPLES,
    OPTION_TILE_ROWS,
    OPTION_TILE_LIBRARY
};
/* Everything up to the samples. Errors: as those of what it opens; CRITERION when the key cannot be provisioned. */
bool cli_tile_open(cli_tile *t, snn_error *err);
/* All samples; writes --rows. */
bool cli_tile_run(cli_tile *t, snn_error *err);
void cli_tile_free(cli_tile *t);
/* Library --library, or the next one after *i (start with 0); NULL: none left. */
const snn_synthesis *cli_tile_library(const cli_tile *t, size_t *i);
/* A number with four significant digits and a prefix: "12.35 nJ" from pJ; "not known" for NaN. */
const char *cli_energy(double pj, char *buf, size_t size);

#endif
