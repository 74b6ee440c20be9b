/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of digital read-out: what the scan over a chip's cells (read_scan.c) hands to the hook that draws read errors (read_hook.c).
 *
 * Cells of a tensor are addressed by row r (fan-in line) and position = output * cells + cell, across all column tiles; check cells of code words by positions behind the data:
 * outputs * cells + (number of the word in the row) * check bits + bit.
 */
#ifndef SNNSIM_HW_READ_INTERNAL_H
#define SNNSIM_HW_READ_INTERNAL_H

#include <snnsim/readout.h>

/* A cell whose reads can go wrong by white noise. Two entries of one position (level above, level below) are exclusive, the second is conditional on the first. */
typedef struct {
    uint32_t position;
    float rate;   /* -ln(1 - p) */
    uint8_t mask; /* code bits (right-aligned in the weight's code; of a check cell: 1) that are inverted */
} snn_weak_cell;

/* A cell near enough to a reference that noise frozen within a sample matters. */
typedef struct {
    uint32_t position;
    uint64_t number; /* physical cell number: keys its slow deviates */
    float g;         /* conductance without noise [uS], offset of its amplifier subtracted */
    float slow;      /* standard deviation of 1/f noise [uS] */
    float telegraph; /* step [uS], 0: none */
} snn_slow_cell;

typedef struct {
    const snn_map_tensor *map;
    uint32_t kernel2; /* convolution: kernel * kernel; linear: 1 */
    /* weak cells in CSR by row; positions ascend within a row. Empty when read errors are uniform. */
    size_t *weak_first; /* [fan_in + 1] */
    snn_weak_cell *weak;
    double *row_rate;   /* [fan_in] sum of the rates of a row */
    size_t *slow_first; /* [fan_in + 1] */
    snn_slow_cell *slow;
    /* code words with a constant error (corrected): sorted keys row * words + word, and their wrong position; SEC-DED only */
    size_t flawed_n;
    uint64_t *flawed;
    uint32_t *flawed_position;
} snn_read_tensor;

typedef struct {
    uint64_t seed, chip;
    double read_error; /* uniform, per cell and read; > 0 excludes weak and slow cells */
    double white;      /* [uS] standard deviation of one read: device and amplifier */
    int levels;
    double threshold[SNN_LEVELS]; /* [uS] references between level k and k + 1 */
    int tensors;
    snn_read_tensor *tensor;
} snn_read_plan;

#endif
