/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Energy of a gate-level netlist: cells from Liberty files, netlist from Yosys (write_json, flat), activity from a value change dump of a gate-level simulation.
 *
 *   switching   1/2 C V^2 for every change of a net between 0 and 1; C: its pins' capacitance and the estimated wire
 *   internal    the pins' internal_power tables, at the net's load and the input's transition, for every change of the pin. Of several groups of a pin
 *               (for one supply) those count whose `when` holds in the cell's state after the change, and of these the one whose related_pin changed last;
 *               equals are averaged. When none holds (unknown values), all are averaged. Groups of different supplies add up
 *   leakage     of each cell's state, integrated over time; cell_leakage_power while a pin is unknown
 *
 * Transitions: ports and nets that nothing reaches have `transition`; others follow from the cells' rise_transition and fall_transition tables (mean over the arcs;
 * where a cell has arcs from a clock's edge, only these). Changes at one time count as one change of each net to its last value; x and z keep the last known value.
 */
#ifndef SNNSIM_POWER_H
#define SNNSIM_POWER_H

#include <snnsim/error.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *netlist;        /* Yosys JSON */
    const char *module;         /* NULL: the top module */
    const char *const *liberty; /* [liberties] files, compressed by gzip or not */
    size_t liberties;
    const char *vcd, *scope; /* dump, and the scope in it whose nets are the module's */
    double clock;            /* period in s */
    double from, to;         /* window in s; to <= from: up to the last change */
    const char *wire_load;   /* name of a wire_load group; NULL: wires have no capacitance */
    double transition;       /* of ports, s */
    unsigned depth;          /* levels of hierarchy to report; 0: only totals */
    const char *trace;       /* CSV of the energy of each clock cycle of the window; NULL: none */
} snn_power_options;

typedef struct {
    double switching, internal, leakage; /* J */
} snn_energy;

/* What belongs to one prefix of names. A cell belongs to the hierarchy of the first net that it drives. */
typedef struct {
    char *name; /* "" for the module itself */
    uint64_t cells;
    double area; /* as the Liberty files' area */
    snn_energy energy;
} snn_power_part;

typedef struct {
    char *module;
    double voltage; /* V */
    uint64_t cells;
    double area;
    uint64_t nets,
        annotated;   /* connected to a pin; of these with a name in the dump (all, or it is an error) */
    uint64_t silent; /* nets that did not change in the window */
    uint64_t toggles;
    double seconds, cycles; /* the window */
    snn_energy energy;      /* of the window */
    double ports;           /* J of it: switching of nets that ports drive */
    size_t parts;
    snn_power_part *part; /* [parts] by name */
} snn_power_report;

/* Errors: DATA naming file and place; nets that the dump lacks are one. Free the report with snn_power_report_free. */
bool snn_power(const snn_power_options *o, snn_power_report *report, snn_error *err);
void snn_power_report_free(snn_power_report *report);

#ifdef __cplusplus
}
#endif
#endif
