/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training curve: a CSV file with one line per epoch, written anew after each, so that it is whole at any moment. */
#ifndef SNNSIM_CLI_CURVE_H
#define SNNSIM_CLI_CURVE_H

#include <snnsim/snnsim.h>

typedef struct {
    const char *path;
    char *text; /* the lines so far, header included */
    size_t size, capacity;
} cli_curve;

/* Starts a curve; with `resume` it goes on with the lines of the file, if there is one. */
bool cli_curve_begin(cli_curve *c, const char *path, bool resume, snn_error *err);
/* Adds an epoch in place of lines from this epoch on, which a resumed training repeats, and writes the file. */
bool cli_curve_add(cli_curve *c, const snn_train_epoch *e, snn_error *err);
void cli_curve_free(cli_curve *c);

#endif
