/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside hw/: what power needs to know of standard cells, out of Liberty files, in SI units. */
#ifndef SNN_HW_LIBERTY_H
#define SNN_HW_LIBERTY_H

#include "liberty_tree.h"

/* A table over load and transition (in either order), or only one of them, or a single value. */
typedef struct {
    unsigned axes;
    bool load[2]; /* the axis is the output's load (F); else a transition (s) */
    size_t n[2];
    double *index[2]; /* [n] ascending */
    double *value;    /* [n[0] * n[1]] J or s; NULL: no table */
} snn_lib_table;

/* One internal_power group of a pin. */
typedef struct {
    unsigned supply;  /* class of related_pg_pin: groups of one class are alternatives, classes add up */
    uint32_t related; /* pins (bits) whose switching it belongs to; 0: any */
    uint64_t *when;   /* [words] states in which it holds; NULL: all */
    snn_lib_table rise, fall;
} snn_lib_power;

typedef enum {
    SNN_ARC_POSITIVE,  /* output rises with the input */
    SNN_ARC_NEGATIVE,  /* output falls with it */
    SNN_ARC_EITHER,    /* not unate */
    SNN_ARC_RISE_EDGE, /* output follows a rising edge of a clock */
    SNN_ARC_FALL_EDGE
} snn_lib_sense;

/* One timing group that says an output's transition. */
typedef struct {
    snn_lib_sense sense;
    uint32_t related;
    snn_lib_table rise, fall; /* transitions of the output */
} snn_lib_arc;

typedef struct {
    snn_lib_text name;
    bool input, output; /* inout: both */
    double capacitance; /* F */
    int inverse;        /* the output that a state variable's complement stands on (Q and QN), -1: none */
    snn_lib_power *power;
    size_t powers;
    snn_lib_arc *arc;
    size_t arcs;
} snn_lib_pin;

typedef struct snn_lib_cell {
    struct snn_lib_cell *next; /* of the library's cells that were asked for */
    char *name;
    double area;
    unsigned pins;
    snn_lib_pin *pin;
    bool by_state;   /* leakage depends on the state */
    double *leakage; /* [2^pins] W, when by_state */
    double average;  /* W, for states that are not known */
} snn_lib_cell;

/* Estimated wires: capacitance of a net as a function of its fan-out. */
typedef struct {
    double capacitance, slope; /* F per length; length per fan-out beyond the table */
    size_t n;
    double *fanout, *length; /* [n] ascending */
} snn_lib_wires;

/* Units of one file. */
typedef struct {
    double time, capacitance, energy, leakage; /* s, F, J, W */
} snn_lib_units;

/* Several files that make one library; cells are read when they are asked for. */
typedef struct {
    size_t files;
    snn_lib_tree *tree;   /* [files] */
    snn_lib_units *units; /* [files] */
    double voltage;       /* V */
    snn_lib_cell *cell;   /* the first of those that were asked for */
} snn_library;

snn_library *snn_library_load(const char *const *path, size_t files, snn_error *err);
void snn_library_free(snn_library *l);
/* A cell by name; NULL with err when no file has it or it is malformed. It belongs to the library. */
const snn_lib_cell *snn_library_cell(snn_library *l, const char *name, snn_error *err);
/* The pin's number, -1 without such a pin. */
int snn_lib_pin_number(const snn_lib_cell *c, const char *name);
/* Wires of a name. Error: USAGE naming those that there are. Free with snn_lib_wires_free. */
bool snn_library_wires(const snn_library *l, const char *name, snn_lib_wires *w, snn_error *err);
void snn_lib_wires_free(snn_lib_wires *w);
double snn_lib_wires_load(const snn_lib_wires *w, double fanout);

/* ---- liberty_cell.c, liberty_table.c ---- */

snn_lib_cell *snn_lib_cell_read(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *group,
                                snn_error *err);
void snn_lib_cell_free(snn_lib_cell *c);
/* The table in child `name` of a group; absent: out->value stays NULL. `unit` scales its values. */
bool snn_lib_table_read(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *group,
                        const char *name, double unit, snn_lib_table *out, snn_error *err);
void snn_lib_table_free(snn_lib_table *t);
/* Linear between points and, with the slope of the outermost ones, beyond. No table: 0. */
double snn_lib_table_at(const snn_lib_table *t, double load, double transition);
/* All numbers of a node's arguments ("1, 2", "3"), scaled. Free with free(). */
bool snn_lib_numbers(const snn_lib_tree *t, const snn_lib_node *n, double unit, double **value, size_t *count,
                     snn_error *err);

#endif
