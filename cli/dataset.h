/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What snnsim dataset show prints (dataset_show.c, dataset_sketch.c) and draws (dataset_plot.c). */
#ifndef SNNSIM_CLI_DATASET_H
#define SNNSIM_CLI_DATASET_H

#include "cli.h"

#include <stdio.h>

/* Parts, classes, sensor, durations and event rates. */
bool cli_dataset_show(const snn_config *config, bool quiet, FILE *out, snn_error *err);
/* Sample n of the part that dataset.split names, framed and drawn in characters and, unless `plot` is NULL, into an SVG file of that name. */
bool cli_dataset_sample(const snn_config *config, uint64_t n, const char *plot, FILE *out, snn_error *err);
bool cli_dataset_plot(const snn_dataset *d, size_t i, const char *path, snn_error *err);

/* Do events have a polarity, and is this one ON? */
bool cli_dataset_polar(const snn_dataset_info *a);
bool cli_dataset_on(const snn_dataset_info *a, const snn_event *e);
/* Has the input rows of pixels? */
bool cli_dataset_camera(const snn_dataset_info *a);

#endif
