/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the power calculation share: power.c (steps), power_nets.c (loads, transitions), power_count.c (changes), power_report.c. */
#ifndef SNN_HW_POWER_INTERNAL_H
#define SNN_HW_POWER_INTERNAL_H

#include "netlist.h"
#include "vcd.h"

#include <snnsim/power.h>
#include <stdio.h>

/* What a net costs, and what it did. */
typedef struct {
    double load;           /* F */
    double rise, fall;     /* transition, s */
    snn_vcd_value value;   /* now */
    snn_vcd_value last;    /* last known one; X: none yet */
    snn_vcd_value pending; /* at the time that is being read */
    bool changed;          /* stands in the list of changes */
    bool annotated;
    bool toggled;     /* in the list: between 0 and 1 */
    uint64_t when;    /* time of its last toggle, ticks, + 1; 0: never */
    uint64_t toggles; /* in the window */
} snn_power_net;

/* A cell at work. */
typedef struct {
    double *internal;  /* [power groups of all pins][2]: J of a fall and a rise */
    uint32_t state;    /* bits of its pins */
    uint32_t unknown;  /* pins (bits) whose value is not known */
    double leakage;    /* W now */
    uint64_t since;    /* ticks up to which leakage is counted */
    snn_energy energy; /* J in the window */
} snn_power_cell;

typedef struct {
    const snn_power_options *o;
    const snn_netlist *n;
    double voltage;
    snn_power_net *net;   /* [n->nets] */
    snn_power_cell *cell; /* [n->instances] */
    double *energies;     /* memory of cell[].internal */
    uint32_t *change;     /* [n->nets] nets that change at `now` */
    size_t changes;
    bool started, whole;    /* the window has begun; `to` is open */
    uint64_t now, from, to; /* ticks; the window is from <= t < to */
    double tick;            /* s */
    double ports;           /* J of nets that ports drive */
    FILE *trace;            /* CSV of cycles */
    uint64_t cycle;         /* that is being summed up */
    double cycle_energy;    /* J so far, without leakage */
} snn_power_run;

/* Loads, transitions, and from them the energy of every internal_power group. */
bool snn_power_nets(snn_power_run *p, const snn_lib_wires *wires, snn_error *err);
/* Reads the dump and adds everything up. */
bool snn_power_count(snn_power_run *p, snn_error *err);
/* Sums by hierarchy. */
bool snn_power_sum(snn_power_run *p, snn_power_report *r, snn_error *err);

#endif
