/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim hw line: what its files share. hw_line.c opens and runs, hw_line_report.c tells. */
#ifndef SNNSIM_CLI_HW_LINE_H
#define SNNSIM_CLI_HW_LINE_H

#include "chips.h"
#include "hw_tile.h"

/* Who uses the network: its owner before encryption, a thief, its owner with the key. */
typedef enum { CLI_LINE_PLAIN, CLI_LINE_STOLEN, CLI_LINE_KEY, CLI_LINE_ROWS } cli_line_user;

/* One row of the table. */
typedef struct {
    cli_chips chips;
    snn_interval accuracy;   /* value: mean over chips and recordings; low, high: over recordings */
    snn_tile_counts tile;    /* sums over the tile's recordings, of all layers */
    uint64_t pass_through;   /* cycles of the same spikes with pass-through */
    snn_inference inference; /* means */
    bool known;              /* cost is from synthesis */
    snn_decryption cost;
} cli_line_row;

typedef struct {
    cli_tile key;    /* encrypted cells and decryptor; holds options, configuration, data for all */
    cli_tile stolen; /* encrypted cells and pass-through */
    uint64_t limit;  /* --samples: recordings of the chips; 0: all */
    size_t samples;  /* of them that there are */
    cli_line_row row[CLI_LINE_ROWS];
    const snn_synthesis *library; /* NULL: none */
    json_t *warnings;             /* array of sentences */
} cli_line;

#define CLI_LINE_TILE_SAMPLES 2 /* default: an inference on the tile takes a few tenths of a second */
#define CLI_LINE_LIBRARY "osu018"

const char *cli_line_name(cli_line_user u); /* "plain", "stolen", "with key" */
/* Energy of an inference without leakage: arrays, read-out, decryptor [pJ]; NaN: not known. */
double cli_line_energy(const cli_line_row *r);
void cli_line_json(const cli_line *l);
void cli_line_text(const cli_line *l);

#endif
