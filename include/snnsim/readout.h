/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chip as the simulator sees it: effective weights with constant errors folded in, and a hook for what varies from read to read (or, analogue, that computes the sums).
 *
 * Digital: a sense amplifier compares a cell with references between neighbouring levels. What it reads with noise switched off is constant and folded into the weights; noise then
 * makes single reads go wrong. White noise is drawn for each read, telegraph and 1/f noise for each sample. Draws are keyed by (seed, chip, tensor, sample, step).
 * effective = read(stored), SEC-DED corrected where there is any, with the key's bits flipped.
 */
#ifndef SNNSIM_READOUT_H
#define SNNSIM_READOUT_H

#include <snnsim/chip.h>
#include <snnsim/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t bits;                     /* weight bits read */
    uint64_t wrong_bits;               /* that differ from the stored ones, constantly (after correction) */
    uint64_t wrong_cells;              /* always read wrong, before correction; check cells included */
    uint64_t corrected, uncorrectable; /* code words: with one error, with two or more */
    double
        read_error_rate; /* weight bits that a read gives other than without noise, before correction: expected share, mean over all cells and samples */
    uint64_t weak_cells; /* cells whose reads can go wrong with probability >= 2^-40; check cells included */
} snn_readout_stats;

typedef struct snn_readout snn_readout;

typedef enum {
    SNN_READ_FAST, /* visits only cells that can go wrong, skips from error to error */
    SNN_READ_TWIN  /* visits every cell at every read: the definition, for tests; agrees in distribution */
} snn_read_path;

/* The chip must outlive the read-out. key: bits to flip after reading, NULL: none (what a thief reads). training [n]: input samples that calibrate converters (analogue with hw.analog.adc_range = 0; else NULL, 0).
 * Errors: USAGE (analogue read-out with a key; unsupported combinations), RUNTIME. */
snn_readout *snn_readout_new(const snn_chip *chip, const snn_condition *when, const snn_flips *key,
                             snn_read_path path, const snn_net *net, const snn_spikes *training, size_t n,
                             snn_error *err);
void snn_readout_free(snn_readout *r);
const snn_weights *snn_readout_weights(const snn_readout *r);
/* NULL when reads never vary. Valid as long as r lives. */
const snn_hook *snn_readout_hook(const snn_readout *r);
const snn_readout_stats *snn_readout_about(const snn_readout *r);
/* What the chip would give instead if it had been programmed with these bits flipped (an encrypted model): changes of snn_readout_weights, as what is constant over a run makes them; what varies from read to
 * read stays with the hook. delta: ascending (tensor, index), each weight once; *n in: capacity >= flips->n, out: deltas (changes that come to nothing are left out). Thread-safe. Errors: USAGE for what one cell's bits do not decide alone (repair that
 * depends on the stored weights, SEC-DED, analogue read-out, a key); DATA for an address outside. */
bool snn_readout_deltas(const snn_readout *r, const snn_flips *flips, snn_delta *delta, size_t *n,
                        snn_error *err);

/* What conversion did to the synaptic sums of one tensor. */
typedef struct {
    int tensor;
    uint32_t most_rows; /* most rows that conducted at once */
    uint64_t conversions, clipped;
    double
        step; /* of the converters, in steps between neighbouring levels of a cell (differential: weight LSB); 0: ideal converters */
    uint64_t sums;      /* synaptic sums that were read; of these, in weight LSB: */
    double sum, square; /* sum and sum of squares of what ideal converters would have given */
    double error;       /* sum of squares of the difference that the real ones made */
} snn_analog_layer;

/* What analogue read-out did, for the ledger and for warnings (all zero for digital). Sums over all runs of the hook since r was made; thread-safe, the same for any number of threads. */
typedef struct {
    uint64_t conversions; /* by converters; of a differential pair: one */
    uint64_t clipped;     /* conversions beyond the lowest or highest code */
    uint64_t array_reads; /* (array, group of parallel rows, input pulse) */
    uint64_t row_pulses;  /* rows driven, in each array */
    uint64_t
        turns; /* conversions one after the other: each group of rows, whose arrays beside each other read at once, waits for the converter with the most columns */
    double
        cell_siemens_reads; /* sum over cells read of conductance [S]: times V^2 t the energy in the cells */
    uint32_t most_rows;     /* most rows that conducted at once */
    snn_analog_layer worst; /* the tensor with the largest error relative to the spread of its sums */
} snn_analog_stats;
/* to += from, as if one hook had done both. */
void snn_analog_stats_add(snn_analog_stats *to, const snn_analog_stats *from);
/* Do the converters ruin the sums? Then text (cut off at `size` bytes) is one sentence that says how and what to change. Derived, not a fixed number of rows or bits: a neuron draws one bit (spike or
 * not) from a sum, and a sum whose converters err by more than 1/sqrt(3) of the spread of the sums carries less than one (Shannon: log2(1 + S/N) / 2). */
bool snn_analog_warning(const snn_analog_stats *s, const snn_hw_options *o, const snn_map *map, char *text,
                        size_t size);
/* Weights as the cells of an analogue chip must hold them; before snn_map_new. Currents add up, so the value must be linear in the levels of the cells: sign_magnitude becomes
 * twos_complement (offset_binary with several bits per cell, where two's complement is not linear either); what is linear stays, as does everything for differential pairs. Values
 * do not change. A copy in any case. Errors: DATA (float tensors), RUNTIME. */
snn_weights *snn_analog_weights(const snn_weights *stored, const snn_map_options *o, snn_error *err);
void snn_readout_analog(const snn_readout *r, snn_analog_stats *s);

#ifdef __cplusplus
}
#endif
#endif
