/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snnsim sweep: what its files share. sweep_grid.c reads --over, sweep_table.c keeps the CSV file, sweep_point.c runs one point, sweep.c walks the grid. */
#ifndef SNNSIM_CLI_SWEEP_H
#define SNNSIM_CLI_SWEEP_H

#include "chips.h"

/* ---- the grid (sweep_grid.c) ---- */

typedef struct {
    char *key;
    char **value; /* [values] as text, for --set */
    size_t values, capacity;
} cli_axis;

/* All combinations; the first axis changes slowest. */
typedef struct {
    cli_axis *axis;
    size_t axes, capacity;
} cli_grid;

#define CLI_GRID_POINTS 1000000 /* more would take years */

/* Takes KEY=VALUE,VALUE,... of one --over. A key that is given again gets further values. Errors: USAGE. */
bool cli_grid_add(cli_grid *g, const char *over, snn_error *err);
/* Number of points; USAGE error beyond CLI_GRID_POINTS. */
bool cli_grid_size(const cli_grid *g, size_t *points, snn_error *err);
/* Value of an axis at a point. */
const char *cli_grid_value(const cli_grid *g, size_t point, size_t axis);
/* "hw.time=1 hw.readout=analog" into buf, for messages. */
const char *cli_grid_name(const cli_grid *g, size_t point, char *buf, size_t size);
void cli_grid_free(cli_grid *g);

/* ---- the table (sweep_table.c) ---- */

#define CLI_POINT_ID 17 /* 16 hexadecimal digits that say what a row was computed from */

typedef struct {
    const char *path; /* NULL: rows go to standard output as they come */
    char *header;     /* with line break */
    size_t points;
    char (*id)[CLI_POINT_ID]; /* [points] */
    char **row;               /* [points] with line break, NULL: not finished */
    size_t kept, finished;    /* rows found in the file; rows in all */
    double written;           /* time of the last writing */
    bool pending;             /* rows that are not in the file */
} cli_table;

/* Fields of a CSV line (modified) into field [n]; false when there are not exactly n. */
bool cli_csv_split(char *line, char **field, size_t n);
/* Takes the rows of a file that an earlier run left. header and id must be set. Errors: USAGE when it holds anything else than rows of this grid; RUNTIME. */
bool cli_table_resume(cli_table *t, snn_error *err);
/* Adds a finished row (owned by the table from now on) and writes it: at once to standard output; a file is written anew, whole, at most once a second. silent: nothing is
 * written now. */
bool cli_table_add(cli_table *t, size_t point, char *row, bool silent, snn_error *err);
/* Writes what is pending. */
bool cli_table_flush(cli_table *t, snn_error *err);
/* Rows as JSON objects; values that are numbers become numbers, empty ones null. */
json_t *cli_table_json(const cli_table *t);
void cli_table_free(cli_table *t);

/* ---- one point (sweep_point.c) ---- */

/* What points share as long as their settings allow. */
typedef struct {
    const cli_common *common;
    const char *model_option; /* --model */
    const cli_grid *grid;
    const volatile sig_atomic_t *stop;
    char *model_path;
    snn_model model;
    snn_key *key;       /* --key; NULL: none */
    snn_weights *plain; /* the model's with the key; NULL without */
    size_t data_point;  /* point that data and frames are of */
    snn_dataset *data;
    snn_frames *frames;
    snn_spikes *training; /* calibration samples of `data` */
    size_t trainings;
} cli_sweeper;

/* "key,...,chips,samples,...\n"; free() it. */
char *cli_point_header(const cli_grid *g, snn_error *err);
/* Checks a point's settings and computes its id. */
bool cli_point_check(cli_sweeper *s, size_t point, char id[CLI_POINT_ID], snn_error *err);
/* Runs it; the row, with line break, is the caller's to free. */
bool cli_point_run(cli_sweeper *s, size_t point, const char *id, char **row, snn_error *err);
void cli_sweeper_free(cli_sweeper *s);

#endif
