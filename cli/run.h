/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim run: what its files share. run.c does the job, chips.c that on chips, outputs.c writes files as it goes, report.c and summary.c (chips_report.c,
 * chips_summary.c) tell the result. */
#ifndef SNNSIM_CLI_RUN_H
#define SNNSIM_CLI_RUN_H

#include "chips.h"

#include <stdio.h>

typedef struct cli_outputs cli_outputs;

/* One run, from the command line to the result. */
typedef struct {
    cli_common common;
    const char *model_option, *folder, *chip_option; /* --model, --out, --chip; NULL: not given */
    const char *key_path;                            /* --key; NULL: not given */
    int key_fd;                                      /* of its passphrase; -1 */
    unsigned explain;                                /* bit q: --explain of snn_quantity q */
    const char **trace;                              /* [traces] layer names of --trace */
    size_t traces, trace_capacity;
    json_t *command_line; /* array of words */
    const volatile sig_atomic_t *stop;

    snn_config *config;
    snn_dataset *data;
    const snn_dataset_info *about;
    const char *model_path;
    snn_model model; /* with a key and without chips, its weights are decrypted */
    snn_key *key;    /* NULL: none */
    snn_engine_options engine_options;
    snn_engine *engine; /* NULL with chips */
    cli_chips chips;    /* all zero without hw.device */
    snn_frames *frames; /* of chips */
    int threads;
    size_t samples;       /* that will be run, on each chip */
    cli_outputs *outputs; /* NULL without --out */

    snn_evaluation result; /* over all chips; its metrics are then those of chips.result */
    snn_neurobench neurobench;
    json_t *warnings; /* array of sentences */
} cli_run;

/* Name of class c; its number where the data set has no such class. Writes into buf when needed. */
const char *cli_class_name(const cli_run *run, int c, char *buf, size_t size);

/* ---- files of --out (outputs.c) ---- */

/* Creates the folder and the tables in it, so that an unwritable folder is found before the run. */
cli_outputs *cli_outputs_open(const char *folder, snn_error *err);
/* Announces and opens the traced layers' files. Errors: USAGE (no such layer), RUNTIME (not enough space on the file system). */
bool cli_outputs_trace(cli_outputs *o, const cli_run *run, snn_error *err);
/* [layers] for snn_evaluate_options; NULL without traces. */
const bool *cli_outputs_traced(const cli_outputs *o);
/* Writes the header of predictions.csv. */
bool cli_outputs_begin(cli_outputs *o, const cli_run *run, snn_error *err);
/* The hooks of snn_evaluate. */
bool cli_outputs_sample(cli_outputs *o, const cli_run *run, size_t i, int label, const snn_result *r,
                        snn_error *err);
bool cli_outputs_layer(cli_outputs *o, const cli_run *run, int layer, const uint8_t *spikes,
                       const void *membrane, snn_error *err);
/* Writes confusion.csv and the report, and gives all files their names. */
bool cli_outputs_commit(cli_outputs *o, const cli_run *run, const json_t *report, snn_error *err);
/* Removes whatever was not committed; frees o. NULL is allowed. */
void cli_outputs_free(cli_outputs *o);

/* ---- telling the result ---- */

/* report.json; NULL when out of memory. */
json_t *cli_report(const cli_run *run, snn_error *err);
/* The table for people. */
void cli_summary(const cli_run *run, FILE *out);

#endif
