/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Energy, latency and area: counted events times constants. Every constant has a unit, a node, a condition and a source; where no source exists it is marked as an assumption, and
 * totals are given with and without those.
 */
#ifndef SNNSIM_LEDGER_H
#define SNNSIM_LEDGER_H

#include <snnsim/chips.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name; /* "sense amplifier, one comparison" */
    double value;
    const char *unit;                      /* "fJ", "ns", "um2" */
    const char *node, *condition, *source; /* source NULL: assumption */
} snn_constant;
/* The one table of constants; ends with name = NULL. */
extern const snn_constant snn_constants[];

typedef enum { SNN_LEDGER_ENERGY, SNN_LEDGER_LATENCY, SNN_LEDGER_AREA } snn_quantity;

typedef struct {
    const char *
        part; /* "array", "sense amplifiers", "ADC", "drivers", "adders", "neurons", "buffers", "programming", "repair" */
    int layer; /* index, -1: the whole chip */
    snn_quantity quantity;
    double count;        /* events, or devices for area */
    const char *counted; /* "row reads x cells" */
    double unit_value;   /* pJ, ns or um2 of one event, after the derivation */
    double total;        /* pJ, ns or um2 per inference; programming: per chip */
    bool assumption;
    bool per_inference;   /* else once per chip */
    char derivation[320]; /* "G V^2 t = 40 uS x (0.5 V)^2 x 2 ns = 20 fJ (cell, LRS; source)" */
} snn_ledger_row;

typedef struct {
    size_t rows, capacity;
    snn_ledger_row *row;
    double energy_pj, energy_sourced_pj; /* per inference: all, and without assumptions */
    double latency_ns, latency_sourced_ns;
    double area_um2, area_sourced_um2;
    double programming_pj, programming_ns;
} snn_ledger;

/* From a finished Monte Carlo run with operation counts: events are means per inference; stored: the weights in the cells. Rows whose constant is not known for the device are kept with total 0 and say so. */
bool snn_ledger_fill(const snn_chips_result *r, const snn_net *net, const snn_map *map,
                     const snn_hw_options *o, const snn_weights *stored, snn_ledger *l, snn_error *err);
void snn_ledger_free(snn_ledger *l);
/* Digital read-out: what reading one line of tensor t takes (all its row words), mean over lines: array, sense amplifiers, drivers; energy only, in the ledger's rows and totals. */
bool snn_ledger_read(const snn_map *map, const snn_hw_options *o, const snn_weights *stored, int tensor,
                     snn_ledger *l, snn_error *err);
/* The derivation of every figure, for people (--explain energy|latency|area). */
bool snn_ledger_explain(const snn_ledger *l, snn_quantity q, FILE *out, snn_error *err);

/* ---- a published chip as a check ---- */

/* NeuRRAM (W. Wan et al., Nature 608, 504, 2022): efficiency over precision, as tabulated in CiMLoop's model of that chip. The model: an operation costs
 * `pulse_fj` for each input pulse (a signed input of n bits is n - 1 pulses, at least one) and `bit_fj` for each bit of the output's conversion; these two constants are fitted to two rows. */
typedef struct {
    int output_bits, input_bits, phases;
    double published; /* TOPS/W */
    bool fitted;      /* one of the two rows that fix the constants */
    double predicted; /* TOPS/W */
    double error;     /* predicted / published - 1 */
} snn_efficiency;
#define SNN_NEURRAM_ROWS 10
void snn_neurram_efficiency(snn_efficiency row[SNN_NEURRAM_ROWS], double *pulse_fj, double *bit_fj);

#ifdef __cplusplus
}
#endif
#endif
