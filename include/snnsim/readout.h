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
    uint64_t wrong_cells;              /* cells read wrong before correction */
    uint64_t corrected, uncorrectable; /* code words: with one error, with two or more */
    double
        read_error_rate; /* expected wrong bits per bit and read, mean over all cells, slow noise included */
    uint64_t weak_cells; /* cells whose reads can go wrong with probability >= 2^-40 */
} snn_readout_stats;

typedef struct snn_readout snn_readout;

typedef enum {
    SNN_READ_FAST, /* visits only cells that can go wrong, skips from error to error */
    SNN_READ_TWIN  /* visits every cell at every read: the definition, for tests; agrees in distribution */
} snn_read_path;

/* key: bits to flip after reading, NULL: none (what a thief reads). training [n]: input samples that calibrate converters and the static wire model (analogue; else NULL, 0).
 * Errors: USAGE (analogue read-out with a key; unsupported combinations), RUNTIME. */
snn_readout *snn_readout_new(const snn_chip *chip, const snn_condition *when, const snn_flips *key,
                             snn_read_path path, const snn_net *net, const snn_spikes *training, size_t n,
                             snn_error *err);
void snn_readout_free(snn_readout *r);
const snn_weights *snn_readout_weights(const snn_readout *r);
/* NULL when reads never vary. Valid as long as r lives. */
const snn_hook *snn_readout_hook(const snn_readout *r);
const snn_readout_stats *snn_readout_about(const snn_readout *r);

/* What analogue read-out did, for the ledger and for warnings (all zero for digital). Sums over all runs of the hook since r was made; thread-safe. */
typedef struct {
    uint64_t conversions; /* by converters */
    uint64_t clipped;     /* conversions at or beyond full scale */
    uint64_t array_reads; /* (array, group of parallel rows, input pulse) */
    uint64_t row_pulses;  /* rows driven */
    double
        cell_siemens_reads; /* sum over cells read of conductance [S]: times V^2 t the energy in the cells */
    uint32_t most_rows;     /* most rows that conducted at once */
} snn_analog_stats;
void snn_readout_analog(const snn_readout *r, snn_analog_stats *s);

#ifdef __cplusplus
}
#endif
#endif
