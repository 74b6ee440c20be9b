/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of `snnsim hw` share. */
#ifndef SNNSIM_CLI_HW_H
#define SNNSIM_CLI_HW_H

#include "cli.h"

/* One action: what was asked for, and what it has opened. */
typedef struct {
    cli_common common;
    const char *csv, *cell, *at, *model_option, *output;
    char chip[64]; /* assignment made of --chip, "" for none */
    snn_config *config;
    snn_hw_options options;
    snn_model model;
    snn_weights *stored; /* as the cells hold them */
    snn_map *map;
} cli_hw;

/* --cell LAYER,INDEX,BIT and --at ARRAY,ROW,COLUMN: one line each. Errors: USAGE. */
bool cli_hw_cell(const cli_hw *hw, FILE *out, snn_error *err);
bool cli_hw_at(const cli_hw *hw, FILE *out, snn_error *err);
/* May a chip be written there? USAGE error when a file of another kind stands there, like a config whose name was given twice. */
bool cli_hw_target(const char *path, snn_error *err);
/* Levels of a device at some times; also at the condition's time when it was given. */
bool cli_hw_device(const snn_hw_options *o, bool at_time, FILE *out, snn_error *err);
/* The support matrix. */
void cli_hw_support(FILE *out);
/* NeuRRAM's published efficiencies and what the energy model says. */
void cli_hw_efficiency(FILE *out);

/* ---- actions with files of their own ---- */

bool cli_hw_run(int argc, char **argv, snn_error *err);     /* hw_run.c */
bool cli_hw_line(int argc, char **argv, snn_error *err);    /* hw_line.c */
bool cli_hw_compare(int argc, char **argv, snn_error *err); /* hw_compare.c */
bool cli_hw_fault(int argc, char **argv, snn_error *err);   /* hw_fault.c */
bool cli_hw_cosim(int argc, char **argv, snn_error *err);   /* hw_cosim.c */

#endif
