/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Co-simulation: the tile in C (tile.h) and the Verilated one (verilog/rtl) side by side, clock by clock. Every output port and every observed register is compared in every cycle; the first
 * cycle in which they differ ends the run.
 *
 *     snn_rtl_build ──shared object──▶ snn_rtl_open ──face──▶ snn_cosim_new ──▶ provision, layer, traffic ──▶ snn_cosim_stats, snn_cosim_diff
 */
#ifndef SNNSIM_COSIM_H
#define SNNSIM_COSIM_H

#include <snnsim/provision.h>
#include <snnsim/tile.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the Verilated circuit ---- */

typedef struct {
    const char *folder; /* of verilog/; NULL: environment SNNSIM_VERILOG, ./verilog, the installed one */
    const char
        *cache; /* of objects made before; NULL: environment SNNSIM_RTL_CACHE, else ~/.cache/snnsim/rtl */
    const char *top;     /* file with a decryptor of one's own; NULL: the project's */
    bool gated, latches; /* GATED, STORE */
} snn_rtl_options;
/* Verilates the tile of this shape (some 10 s; at once when it was made before) and gives the object's path (free). Errors: USAGE (no Verilog found), RUNTIME (Verilator missing or failing, as
 * it says itself). */
char *snn_rtl_build(const snn_tile_shape *shape, const snn_rtl_options *options, snn_error *err);
/* Can snn_rtl_build work here? If not, err says what is missing. */
bool snn_rtl_available(const snn_rtl_options *options, snn_error *err);

struct snn_rtl_face; /* hw/rtl_bridge.h */
typedef struct snn_rtl_library snn_rtl_library;
/* The object at `path`, which must have been made for `shape` (NULL: any). Errors: DATA (no object of ours, another version or other parameters). */
snn_rtl_library *snn_rtl_open(const char *path, const snn_tile_shape *shape, snn_error *err);
void snn_rtl_close(snn_rtl_library *l);
const struct snn_rtl_face *snn_rtl_face_of(const snn_rtl_library *l);
const char *snn_rtl_digest(const snn_rtl_library *l);    /* SHA-256 of the Verilog, hexadecimal */
const char *snn_rtl_decryptor(const snn_rtl_library *l); /* module */

/* ---- side by side ---- */

typedef struct {
    uint64_t seed; /* of the circuit's registers before reset, and of patterns and traffic */
    bool
        pressure; /* events are offered and spikes taken by a pattern drawn by the seed, in bursts; false: always */
    const uint8_t
        *plain; /* [rows][lanes] what each row word must be when it is decrypted; NULL: not looked at */
    const char *trace;   /* VCD file; NULL: none */
    uint64_t trace_from; /* first cycle in it */
    uint32_t mutant;     /* of a circuit for mutation tests; 0: none */
} snn_cosim_options;

typedef struct {
    uint64_t cycles,
        compared; /* clocks; values compared: a port or a vector of the observed stages in one cycle */
    uint64_t reads, fires, spikes;
    uint64_t wrong;   /* decrypted row words other than options.plain has them */
    uint64_t keyed;   /* row words that decryption changed */
    uint64_t repeats; /* reads of the same row as the one before */
    /* BLAKE2b-256 over (cycle - that of snn_cosim_mark, row address) of each read in stage X: the same for two decryptors that take the same time. */
    char stamps[65];
} snn_cosim_stats;

#define SNN_COSIM_ITEMS 14 /* signals that are compared */
typedef struct {
    const char *signal, *stage;
    bool vector;
    uint32_t lane;          /* the first that differs; vectors only */
    uint32_t lanes;         /* that differ; vectors only */
    uint64_t expected, got; /* by the C model, by the circuit; of that lane */
    uint32_t bits;          /* width of the two */
} snn_cosim_item;
/* One cycle in which C model and circuit differ. */
typedef struct {
    bool found;
    uint64_t cycle, time; /* since reset; in the VCD file */
    uint32_t items;
    snn_cosim_item item[SNN_COSIM_ITEMS];
    snn_tile_inputs in;
    snn_tile_outputs model; /* its pointers are not valid any more */
} snn_cosim_diff;

typedef struct snn_cosim snn_cosim;
/* Both after reset. array [rows][lanes]: as the cells hold it; borrowed. Errors: USAGE (parameters, another shape than the object's), RUNTIME. */
snn_cosim *snn_cosim_new(const struct snn_rtl_face *face, const snn_tile_shape *shape, const uint8_t *array,
                         uint32_t rows, const snn_cosim_options *options, snn_error *err);
void snn_cosim_free(snn_cosim *c);
/* Events and spikes by the pattern from now on, or always. */
void snn_cosim_pressure(snn_cosim *c, bool pressure);
/* Stamps and patterns count from here. */
void snn_cosim_mark(snn_cosim *c);
snn_cosim_stats snn_cosim_stats_of(const snn_cosim *c);
const snn_cosim_diff *snn_cosim_diff_of(const snn_cosim *c);
/* Some lines for people: cycle, stage, signal, lane, expected and got. */
void snn_cosim_diff_print(const snn_cosim_diff *d, FILE *out);

/* One clock of both. out (may be NULL): what the ports showed. Errors: RUNTIME when they differ (snn_cosim_diff_of tells more). */
bool snn_cosim_cycle(snn_cosim *c, const snn_tile_inputs *in, snn_tile_outputs *out, snn_error *err);
/* Reset of both, in whatever state. */
void snn_cosim_reset(snn_cosim *c);
/* The key store through its port. */
bool snn_cosim_provision(snn_cosim *c, const snn_prov_write *write, size_t n, snn_error *err);
bool snn_cosim_configure(snn_cosim *c, const snn_tile_layer *layer, snn_error *err);
/* snn_tile_run on both, under the options' pattern. */
bool snn_cosim_layer(snn_cosim *c, const snn_tile_layer *layer, uint32_t outputs, const snn_spikes *x,
                     snn_spikes *out, int32_t *membrane, snn_tile_counts *counts, snn_error *err);

/* ---- drawn traffic ---- */

/* `reads` row reads back to back over all rows: half of them out of keyed[keyed_rows] (row addresses), a quarter repeats. Cycle stamps stand in the statistics. */
bool snn_cosim_reads(snn_cosim *c, uint64_t reads, const uint32_t *keyed, uint32_t keyed_rows,
                     snn_error *err);
/* Everything the circuit can do, in `rounds` rounds: tampering, provisioning, a layer with drawn registers and parameters, events, back-pressure. For mutation tests: it reaches every gate of a small
 * tile. */
bool snn_cosim_exercise(snn_cosim *c, uint32_t rounds, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
