/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of analogue read-out. In reading order:
 *
 *   analog_weights.c    which codes add up as currents; from units of conductance to weight LSB
 *   analog_cells.c      conductances of a chip as fixed-point matrices
 *   analog_wire.c       resistance of word and bit lines
 *   analog_baseline.c   what conducting rows add whatever their weights are
 *   analog_slow.c       noise that is frozen within a sample
 *   analog_adc.c        converters: range, offset, gain, non-linearity
 *   analog_read.c       one step of a layer: from spikes to sums (the hook)
 *   analog_calibrate.c  the converters' range from training samples
 *   analog.c            putting it together
 *   analog_stats.c      what was counted; the warning
 *   analog_kernels*     inner loops
 *
 * Currents are counted in units: one unit is the current of the smallest conductance step of a cell at the read voltage (so that ideal cells are whole numbers), differential pairs: of one weight LSB. Of
 * a cell g - g_min is kept, in 2^-exponent units; the pedestal g_min of every conducting cell is added in front of the converter and taken off behind it.
 */
#ifndef SNNSIM_HW_ANALOG_INTERNAL_H
#define SNNSIM_HW_ANALOG_INTERNAL_H

#include "analog.h"
#include "analog_kernels.h"

#include <snnsim/circuit.h>
#include <stdatomic.h>

#define SNN_ANALOG_INPUTS 8       /* most converter inputs of an output: one for each bit */
#define SNN_ANALOG_SLOW_BINS 4096 /* of conductance, for the amplitude of slow noise */

/* How the converter inputs of an output make its value: value = sum of factor[j] * units of input j / divisor + per_pulse for each input pulse. */
typedef struct {
    uint32_t inputs; /* per output: cells of a weight, differential: 1 */
    int32_t factor[SNN_ANALOG_INPUTS];
    int32_t factors; /* their sum */
    int32_t divisor;
    int32_t per_pulse;
    uint32_t level
        [SNN_ANALOG_INPUTS]; /* units of the highest level of each input's cell; differential: largest |difference| */
} snn_analog_code;

/* Noise that is frozen within a sample, of the cells of a tensor. Amplitudes by conductance, in bins of 2^SHIFT of the fixed-point value. */
typedef struct {
    bool acts;
    int16_t *
        cell; /* [fan_in][cell_pitch] cells on their own: differential pairs; else NULL: the converter inputs are the cells */
    size_t cell_pitch;
    uint8_t *telegraph;  /* [fan_in][columns used] 1: has telegraph noise; NULL: none has */
    uint32_t cells;      /* of a row, over all column tiles */
    float *sigma, *step; /* [SNN_ANALOG_SLOW_BINS] of 1/f and telegraph noise, in 2^-exponent units */
    size_t scratch;      /* bytes of a workspace */
    size_t scratch_at;   /* where they begin */
} snn_analog_slow;

/* What the hook counts, by tensor. Integers, so that the order of threads does not matter. */
typedef struct {
    _Alignas(64) atomic_uint_least64_t conversions, clipped, reads, pulses, siemens, sums;
    atomic_int_least64_t sum;            /* 1/64 weight LSB */
    atomic_uint_least64_t square, error; /* 2^-6 LSB^2 */
    atomic_uint_least32_t most_rows;
} snn_analog_counters;

typedef struct {
    const snn_map_tensor *map;
    snn_layer view;         /* the layer as this tensor sees it */
    const snn_layer *layer; /* the same */
    snn_analog_code code;
    /* cells */
    uint32_t width; /* converter inputs of a row: outputs * code.inputs */
    size_t pitch;   /* width, rounded up */
    int16_t *cell;  /* [fan_in][pitch] */
    int exponent;
    double unit;       /* [uS] */
    double pedestal;   /* g_min [units]; differential: 0 */
    uint64_t *siemens; /* [fan_in] of all cells of a row, 2^-16 uS */
    uint32_t parallel; /* rows that conduct at once, at most */
    int32_t bound;     /* of the current of one read, noise included [2^-exponent units] */
    float white;       /* noise of one cell [2^-exponent units] */
    snn_analog_slow slow;
    /* converters; step 0: ideal */
    double step; /* [units] */
    float low, high, bow;
    float *gain, *offset; /* [row_tiles][width], NULL: all alike */
    /* wires that are solved at each read: [row_tiles * column_tiles], else NULL */
    snn_circuit_fast **circuit;
    /* [fan_in][column_tiles] of what is taken off nominally for each row that is driven, what is too much [weight LSB]; NULL: nothing */
    double *baseline;
    snn_analog_counters *counters;
} snn_analog_tensor;

/* Offsets in a workspace's scratch. */
typedef struct {
    size_t count, mark, list, line, patch, patch_n, row, row_at, current, code_sum, current_sum, value, ideal,
        lost, word, volts, microamp, circuit, end;
} snn_analog_scratch;

struct snn_analog {
    const snn_chip *chip;
    const snn_map *map;
    const snn_hw_options *o;
    const snn_net *net;
    snn_condition when;
    const snn_analog_kernels *kernels;
    uint64_t read_seed, slow_seed; /* of this chip */
    int tensors;
    snn_analog_tensor *tensor;
    snn_analog_scratch at;
    snn_hook hook;
};

/* Called for each read of a group of rows, before conversion (calibration). current [width] in 2^-exponent units without pedestal. */
typedef void snn_analog_observer(void *context, const snn_analog_tensor *t, const int32_t *current,
                                 uint32_t rows);

/* ---- analog_weights.c ---- */

/* Errors: USAGE for codes that do not add up. */
bool snn_analog_code_of(const snn_map *m, const snn_map_tensor *t, snn_analog_code *c, snn_error *err);

/* ---- analog_cells.c ---- */

bool snn_analog_cells(snn_analog *a, snn_analog_tensor *t, snn_error *err);

/* ---- analog_wire.c ---- */

/* The wires of an array at the condition's temperature; false: there are none, or they do not act. */
bool snn_analog_wires(const snn_analog *a, snn_wires *w);
/* Errors: USAGE for a temperature at which nothing is known of wires that act. */
bool snn_analog_wires_known(const snn_analog *a, snn_error *err);
/* For arrays of one size; model static or exact. */
typedef struct snn_analog_wiring snn_analog_wiring;
snn_analog_wiring *snn_analog_wiring_new(const snn_wires *w, snn_wire_model model, int rows, int columns,
                                         snn_error *err);
void snn_analog_wiring_free(snn_analog_wiring *k); /* NULL is fine */
/* g [rows][columns] of an array to the conductances that have the wires in them. */
bool snn_analog_wire_in(snn_analog_wiring *k, float *g, snn_error *err);
/* Currents of a group of `n` rows (within their arrays) of row tile `row_tile` through all arrays beside each other; volts, microamp, scratch: workspace. */
void snn_analog_wire_read(const snn_analog *a, const snn_analog_tensor *t, uint32_t row_tile,
                          const uint32_t *row, size_t n, double *volts, double *microamp, double *scratch,
                          int32_t *current);

/* ---- analog_baseline.c ---- */

/* After snn_analog_cells. */
bool snn_analog_baseline(const snn_analog *a, snn_analog_tensor *t, snn_error *err);

/* ---- analog_slow.c ---- */

bool snn_analog_slow_acts(const snn_analog *a);
/* After snn_analog_cells. */
bool snn_analog_slow_init(snn_analog *a, snn_analog_tensor *t, snn_error *err);
void snn_analog_slow_free(snn_analog_slow *s);
/* Row `row` of the tensor as it conducts during a sample; scratch: the workspace's. */
const int16_t *snn_analog_slow_row(const snn_analog *a, const snn_analog_tensor *t, uint64_t sample,
                                   uint32_t row, void *scratch);

/* ---- analog_adc.c ---- */

/* Codes and deviations of the converters (all but their range). */
bool snn_analog_converters(const snn_analog *a, snn_analog_tensor *t, snn_error *err);
/* Largest current that the parallel rows can give [units], pedestal included. */
double snn_analog_most(const snn_analog_tensor *t);
/* Sets the range: [units] at the highest code. */
void snn_analog_set_range(snn_analog_tensor *t, double full_scale);

/* ---- analog_read.c ---- */

/* Bytes of a workspace. */
bool snn_analog_scratch_size(snn_analog *a, snn_error *err);
bool snn_analog_read(const snn_analog *a, void *scratch, int tensor, uint64_t sample, int step,
                     const snn_spike *input, size_t n, int32_t *sum, snn_analog_observer *observe,
                     void *context, snn_error *err);

/* ---- analog_calibrate.c ---- */

bool snn_analog_calibrate(snn_analog *a, const snn_spikes *training, size_t n, snn_error *err);

#endif
