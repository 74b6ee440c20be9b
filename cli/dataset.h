/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What snnsim dataset show prints (dataset_show.c). */
#ifndef SNNSIM_CLI_DATASET_H
#define SNNSIM_CLI_DATASET_H

#include "cli.h"

#include <stdio.h>

/* Parts, classes, sensor, durations and event rates. */
bool cli_dataset_show(const snn_config *config, bool quiet, FILE *out, snn_error *err);
/* Sample n of the part that dataset.split names, framed and drawn in characters. */
bool cli_dataset_sketch(const snn_config *config, uint64_t n, FILE *out, snn_error *err);

#endif
