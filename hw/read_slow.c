/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noise that is frozen within a sample: 1/f and telegraph noise of a cell as pure functions of chip, cell and sample. */
#include "read_internal.h"

#include "cells.h"

uint64_t snn_slow_seed(uint64_t seed, uint64_t chip) {
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_SLOW, chip);
    return snn_random_u64(&r);
}

bool snn_slow_telegraph(const snn_device *d, uint64_t slow_seed, uint64_t cell) {
    const snn_cell_stream s = {slow_seed, SNN_PURPOSE_SLOW, UINT64_MAX};
    return d->telegraph_share > 0 && snn_cell_uniform(&s, cell, snn_cell_word(&s, cell)) < d->telegraph_share;
}

bool snn_slow_lower(uint64_t slow_seed, uint64_t sample, uint64_t cell) {
    const snn_cell_stream s = {slow_seed, SNN_PURPOSE_SLOW, 2 * sample + 1};
    return snn_cell_word(&s, cell) >> 31;
}

double snn_slow_shift(uint64_t slow_seed, uint64_t sample, uint64_t cell, double sigma, double step) {
    double shift = 0;
    if (sigma > 0) {
        const snn_cell_stream s = {slow_seed, SNN_PURPOSE_SLOW, 2 * sample};
        shift = sigma * snn_cell_normal(&s, cell, snn_cell_word(&s, cell));
    }
    if (step > 0 && snn_slow_lower(slow_seed, sample, cell))
        shift -= step;
    return shift;
}
