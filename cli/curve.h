/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training curve: a CSV file with one line per epoch, written anew about every second, so that it is whole at any moment. */
#ifndef SNNSIM_CLI_CURVE_H
#define SNNSIM_CLI_CURVE_H

#include <snnsim/snnsim.h>

typedef struct {
    const char *path;
    char *text; /* the lines so far */
    size_t size, capacity;
    size_t saved;    /* bytes of text that the file has */
    double saved_at; /* snn_now() */
} cli_curve;

/* Adds an epoch; writes the file when the last time is a second ago (a write that is safe on disk takes longer than a short epoch). A resumed training
 * reports its earlier epochs again, so the curve is whole. */
bool cli_curve_add(cli_curve *c, const snn_train_epoch *e, snn_error *err);
/* Writes the file if anything is new. */
bool cli_curve_save(cli_curve *c, snn_error *err);
void cli_curve_free(cli_curve *c);

#endif
