/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network on chips: what `snnsim run` and `snnsim sweep` share. */
#ifndef SNNSIM_CLI_CHIPS_H
#define SNNSIM_CLI_CHIPS_H

#include "cli.h"

#include <jansson.h>

/* Training samples that calibrate converters: more of them do not change a full scale that is the largest of thousands of sums. */
#define CLI_CALIBRATION_SAMPLES 16

/* From section hw of a config to what its chips did. All-zero: no chips. */
typedef struct {
    bool wanted; /* hw.device is set */
    snn_hw_options options;
    snn_weights *stored; /* as the cells hold them */
    snn_map *map;
    const snn_flips *key; /* flipped after reading; borrowed; NULL: none */
    snn_spikes *training; /* [trainings] calibration samples of analogue read-out */
    size_t trainings;
    snn_chips_result result; /* without chips: only the ideal run */
    bool accounted;          /* ledger is filled */
    snn_ledger ledger;
} cli_chips;

/* Reads section hw, the cheapest place to find mistakes. */
bool cli_chips_options(cli_chips *c, const snn_config *config, snn_error *err);
/* Cuts the model's weights into arrays and frames the calibration samples. Nothing to do without chips. */
bool cli_chips_map(cli_chips *c, const snn_config *config, const snn_model *model, snn_error *err);
/* Can the decryptor hold the key: at most encrypt.word_limit bits in a row word? CRITERION error naming the row. */
bool cli_chips_place(const cli_chips *c, const snn_config *config, snn_error *err);
/* Runs them, and the plain network when `ideal` says so (always without chips); fills the ledger. */
bool cli_chips_run(cli_chips *c, const snn_model *model, snn_frames *frames, const snn_engine_options *engine,
                   int threads, bool ideal, const snn_evaluate_hooks *hooks, snn_error *err);
/* Runs a single chip's samples again for the traces of options and hooks, after cli_chips_run. */
bool cli_chips_trace(const cli_chips *c, const snn_model *model, const snn_dataset *data,
                     const snn_engine_options *engine, const snn_evaluate_options *options,
                     const snn_evaluate_hooks *hooks, snn_error *err);
/* Sentences about settings that spoil the result or leave the measured range, appended to an array. */
void cli_chips_warn(const cli_chips *c, json_t *warnings);
void cli_chips_free(cli_chips *c);

/* Settings of the engine from section run. */
bool cli_engine_options(const snn_config *config, snn_engine_options *o, snn_error *err);
/* A config that describes a network must describe the model's. */
bool cli_check_network(const snn_config *config, const snn_dataset_info *about, const snn_model *model,
                       const char *path, snn_error *err);

/* A CSV field: quoted when it holds a comma, a quote or a line break. */
void cli_csv_field(FILE *f, const char *text);

/* ---- telling ---- */

/* Section `hardware` of the report. */
json_t *cli_chips_report(const cli_chips *c);
/* The table for people, before and after that of the layers. */
void cli_chips_summary(const cli_chips *c, FILE *out);
void cli_chips_costs(const cli_chips *c, FILE *out);
/* chips.csv: one line per chip. */
bool cli_chips_table(const cli_chips *c, FILE *out, snn_error *err);

#endif
