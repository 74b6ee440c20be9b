/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Noise that is frozen within a sample (1/f, telegraph) in analogue read-out. Every cell keeps its deviation through all reads of a sample, so it cannot be drawn for sums. A row gets its
 * deviations when a sample first drives it, and is kept in the workspace until another sample comes. Deviates are those of digital read-out (read_slow.c): pure functions of chip, sample and cell.
 */
#include "analog_internal.h"
#include "cells.h"
#include "read_internal.h"

#include <math.h>
#include <stdlib.h>

#define BIN_SHIFT 3         /* 2 * 16384 values in SNN_ANALOG_SLOW_BINS bins */
#define CHUNK 256           /* cells drawn at a time */
#define MOST_SHIFT 32768.0F /* from one end of what the matrix holds beyond the other */

/* ---- what there is ---- */

bool snn_analog_slow_acts(const snn_analog *a) {
    const snn_device *d = &a->o->device;
    const uint32_t effects = a->when.effects;
    return ((effects >> SNN_EFFECT_ONE_OVER_F & 1U) != 0 &&
            (d->one_over_f > 0 || d->one_over_f < 0 || d->one_over_f_log > 0 || d->one_over_f_log < 0)) ||
           ((effects >> SNN_EFFECT_TELEGRAPH & 1U) != 0 && d->telegraph_share > 0 &&
            (d->telegraph_step > 0 || d->telegraph_amplitude > 0));
}

static void fill_amplitudes(const snn_analog *a, snn_analog_tensor *t) {
    const snn_device *d = &a->o->device;
    const double to_fixed = ldexp(1.0, t->exponent) / t->unit;
    for (int i = 0; i < SNN_ANALOG_SLOW_BINS; i++) {
        const double middle = (i + 0.5) * (1 << BIN_SHIFT) - (SNN_ANALOG_CELL_MAX + 1);
        const double g = d->g_min + middle / to_fixed;
        t->slow.sigma[i] = (float)(snn_device_slow(d, &a->when, g) * to_fixed);
        t->slow.step[i] = (float)(snn_device_telegraph(d, &a->when, g) * to_fixed);
    }
}

/* Number of the first cell of `row` in column tile k, and how many cells of the tensor it has there. */
static uint64_t first_cell(const snn_analog *a, const snn_map_tensor *m, uint32_t row, uint32_t k,
                           uint32_t *n) {
    const uint32_t rows = a->map->options.rows, left = m->outputs - k * m->lanes;
    const snn_cell at = {m->first_tile + row / rows * m->column_tiles + k, row % rows, 0};
    *n = (left < m->lanes ? left : m->lanes) * m->cells;
    return snn_map_cell_number(a->map, &at);
}

static void choose_telegraph(const snn_analog *a, const snn_analog_tensor *t) {
    const snn_map_tensor *m = t->map;
    for (uint32_t row = 0; row < m->fan_in; row++) {
        uint8_t *to = t->slow.telegraph + (size_t)row * t->slow.cells;
        for (uint32_t k = 0; k < m->column_tiles; k++) {
            uint32_t n;
            const uint64_t first = first_cell(a, m, row, k, &n);
            for (uint32_t i = 0; i < n; i++)
                *to++ = snn_slow_telegraph(&a->o->device, a->slow_seed, first + i);
        }
    }
}

bool snn_analog_slow_init(snn_analog *a, snn_analog_tensor *t, snn_error *err) {
    snn_analog_slow *s = &t->slow;
    if (!s->acts)
        return true;
    if (t->circuit != NULL)
        return snn_fail(err, SNN_ERR_USAGE,
                        "1/f and telegraph noise change conductances from sample to sample, which "
                        "hw.analog.wire = \"sweeps\" does not "
                        "follow: choose static or exact, or name them in hw.without");
    s->cells = t->map->outputs * t->map->cells;
    s->scratch = (size_t)t->map->fan_in * (sizeof(uint64_t) + t->pitch * sizeof(int16_t)) + 64;
    if ((s->sigma = snn_alloc(SNN_ANALOG_SLOW_BINS, sizeof *s->sigma, "noise", err)) == NULL ||
        (s->step = snn_alloc(SNN_ANALOG_SLOW_BINS, sizeof *s->step, "noise", err)) == NULL)
        return false;
    fill_amplitudes(a, t);
    if ((a->when.effects >> SNN_EFFECT_TELEGRAPH & 1U) == 0 || !(a->o->device.telegraph_share > 0))
        return true;
    if ((s->telegraph = snn_alloc((size_t)t->map->fan_in * s->cells, 1, "noise", err)) == NULL)
        return false;
    choose_telegraph(a, t);
    return true;
}

void snn_analog_slow_free(snn_analog_slow *s) {
    free(s->cell);
    free(s->telegraph);
    free(s->sigma);
    free(s->step);
}

/* ---- a row during a sample ---- */

static inline int16_t within(int32_t x) {
    x = x > SNN_ANALOG_CELL_MAX ? SNN_ANALOG_CELL_MAX : x;
    return (int16_t)(x < -SNN_ANALOG_CELL_MAX ? -SNN_ANALOG_CELL_MAX : x);
}

/* n neighbouring cells of a row, the first of number `first`; telegraph may be NULL. */
static void shift_cells(const snn_analog *a, const snn_analog_slow *s, uint64_t sample, uint64_t first,
                        size_t n, const int16_t *cell, const uint8_t *telegraph, int16_t *to) {
    const snn_cell_stream flicker = {a->slow_seed, SNN_PURPOSE_SLOW, 2 * sample},
                          state = {a->slow_seed, SNN_PURPOSE_SLOW, 2 * sample + 1};
    double z[CHUNK];
    uint32_t word[CHUNK];
    snn_cell_normals(&flicker, first, n, z);
    if (telegraph != NULL)
        snn_cell_words(&state, first, n, word);
    for (size_t i = 0; i < n; i++) {
        const int bin = (cell[i] + SNN_ANALOG_CELL_MAX + 1) >> BIN_SHIFT;
        /* Without a branch: the states are random. */
        const float down = telegraph != NULL ? (float)(telegraph[i] & word[i] >> 31) : 0.0F;
        float shift = s->sigma[bin] * (float)z[i] - s->step[bin] * down;
        shift = shift > MOST_SHIFT ? MOST_SHIFT : shift;
        shift = shift < -MOST_SHIFT ? -MOST_SHIFT : shift;
        to[i] = within(cell[i] + (int32_t)(shift + (shift < 0.0F ? -0.5F : 0.5F)));
    }
}

static void draw_row(const snn_analog *a, const snn_analog_tensor *t, uint64_t sample, uint32_t row,
                     int16_t *to) {
    const snn_map_tensor *m = t->map;
    const snn_analog_slow *s = &t->slow;
    const bool pairs = s->cell != NULL;
    const int16_t *cell = pairs ? s->cell + (size_t)row * s->cell_pitch : t->cell + (size_t)row * t->pitch;
    const uint8_t *telegraph = s->telegraph != NULL ? s->telegraph + (size_t)row * s->cells : NULL;
    for (uint32_t k = 0; k < m->column_tiles; k++) {
        uint32_t n;
        const uint64_t first = first_cell(a, m, row, k, &n);
        for (uint32_t done = 0; done < n;) {
            const uint32_t now = n - done < CHUNK ? n - done : CHUNK; /* even, as n is for pairs */
            int16_t shifted[CHUNK] = {0}; /* for compilers that do not see that the first `now` are written */
            shift_cells(a, s, sample, first + done, now, cell, telegraph, shifted);
            for (uint32_t i = 0; i < now && !pairs; i++)
                *to++ = shifted[i];
            for (uint32_t i = 1; i < now && pairs; i += 2)
                *to++ = within(shifted[i - 1] - shifted[i]);
            cell += now;
            telegraph = telegraph != NULL ? telegraph + now : NULL;
            done += now;
        }
    }
}

const int16_t *snn_analog_slow_row(const snn_analog *a, const snn_analog_tensor *t, uint64_t sample,
                                   uint32_t row, void *scratch) {
    /* First the rows, then for each the sample that it is of, plus 1: a workspace begins with zeros. */
    int16_t *line = (int16_t *)((char *)scratch + t->slow.scratch_at) + (size_t)row * t->pitch;
    uint64_t *of = (uint64_t *)(void *)((char *)scratch + t->slow.scratch_at +
                                        (size_t)t->map->fan_in * t->pitch * sizeof *line) +
                   row;
    if (*of != sample + 1) {
        draw_row(a, t, sample, row, line);
        *of = sample + 1;
    }
    return line;
}
