/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conductances of a chip, as analogue read-out multiplies them: for each tensor one matrix [fan-in line][converter input] of 16-bit fixed-point numbers, all column tiles side by side. The grid is as
 * fine as the largest conductance allows, 2^-13 of its value or better: some hundred times below the spread of any real cell. In return sums are exact integers and memory traffic is half that
 * of floats. Ideal cells are whole units, and exact.
 */
#include "analog_internal.h"

#include <math.h>
#include <stdlib.h>

#define LINE 32                /* rows of the matrix begin at multiples of 64 bytes */
#define MOST_EXPONENT 13       /* a unit is at most 2^13 */
#define SIEMENS_FRACTION 65536 /* 2^-16 uS: counters of conductance */

static size_t pitch_of(size_t n) {
    return (n + LINE - 1) / LINE * LINE;
}

/* ---- one array ---- */

typedef struct {
    snn_analog *a;
    snn_analog_tensor *t;
    snn_wires wires;
    bool wired;
    snn_analog_wiring *wiring;
    uint32_t cells; /* of a fan-in line */
    float *g;       /* [rows][columns] one array, uS */
    float *unit;    /* [fan_in][cells] (g - g_min), units */
} builder;

static void count_siemens(const builder *b, const snn_map_tile *tile) {
    const uint32_t columns = b->a->map->options.columns, used = tile->outputs * b->t->map->cells;
    for (uint32_t r = 0; r < tile->rows; r++) {
        double sum = 0;
        for (uint32_t c = 0; c < used; c++)
            sum += (double)b->g[(size_t)r * columns + c];
        b->t->siemens[tile->first_row + r] += (uint64_t)(sum * SIEMENS_FRACTION + 0.5);
    }
}

static void keep_units(const builder *b, const snn_map_tile *tile) {
    const uint32_t columns = b->a->map->options.columns, cells = b->t->map->cells,
                   used = tile->outputs * cells;
    const double g_min = b->a->o->device.g_min, unit = b->t->unit;
    for (uint32_t r = 0; r < tile->rows; r++) {
        float *to = b->unit + (size_t)(tile->first_row + r) * b->cells + (size_t)tile->first_output * cells;
        for (uint32_t c = 0; c < used; c++)
            to[c] = (float)(((double)b->g[(size_t)r * columns + c] - g_min) / unit);
    }
}

static bool take_tile(builder *b, uint32_t number, snn_error *err) {
    const snn_map_options *o = &b->a->map->options;
    const uint32_t tile = b->t->map->first_tile + number;
    const snn_map_tile at = snn_map_tile_at(b->a->map, tile);
    const snn_wire_model model = b->a->o->analog.wire;
    if (!snn_chip_conductances(b->a->chip, &b->a->when, tile, b->g, err))
        return false;
    count_siemens(b, &at);
    if (b->wired && model == SNN_WIRE_SWEEPS) {
        b->t->circuit[number] = snn_circuit_fast_new((int)o->rows, (int)o->columns, b->g, &b->wires, err);
        if (b->t->circuit[number] == NULL)
            return false;
    }
    if (b->wired && !snn_analog_wire_in(b->wiring, b->g, err))
        return false;
    keep_units(b, &at);
    return true;
}

/* ---- to fixed point ---- */

static int16_t fixed(double x, double scale) {
    const double y = floor(x * scale + 0.5);
    return (int16_t)(y > SNN_ANALOG_CELL_MAX    ? SNN_ANALOG_CELL_MAX
                     : y < -SNN_ANALOG_CELL_MAX ? -SNN_ANALOG_CELL_MAX
                                                : y);
}

static float larger(float most, float x) {
    x = fabsf(x);
    return x > most ? x : most;
}

/* Largest conductance that the matrices must hold [units]. */
static float largest(const builder *b, bool pairs, bool alone) {
    float most = 0;
    for (uint32_t r = 0; r < b->t->map->fan_in; r++) {
        const float *u = b->unit + (size_t)r * b->cells;
        for (uint32_t c = 0; c < b->cells && (!pairs || alone); c++)
            most = larger(most, u[c]);
        for (uint32_t c = 0; pairs && c < b->cells; c += 2)
            most = larger(most, u[c] - u[c + 1]);
    }
    return most;
}

static void choose_exponent(snn_analog_tensor *t, double most) {
    t->exponent = MOST_EXPONENT;
    while (t->exponent > 0 && ldexp(most, t->exponent) > SNN_ANALOG_CELL_MAX)
        t->exponent--;
}

static void to_fixed(const builder *b, bool pairs) {
    snn_analog_tensor *t = b->t;
    const double scale = ldexp(1.0, t->exponent);
    for (uint32_t r = 0; r < t->map->fan_in; r++) {
        const float *u = b->unit + (size_t)r * b->cells;
        int16_t *to = t->cell + r * t->pitch;
        for (uint32_t c = 0; c < t->width; c++)
            to[c] = fixed(pairs ? (double)u[2 * c] - (double)u[2 * c + 1] : (double)u[c], scale);
        for (uint32_t c = 0; t->slow.cell != NULL && c < b->cells; c++)
            t->slow.cell[r * t->slow.cell_pitch + c] = fixed((double)u[c], scale);
    }
}

/* Noise of one cell and read, and what a read's current cannot exceed. */
static void set_bounds(const snn_analog *a, snn_analog_tensor *t, bool pairs) {
    const double most_sigmas = 6; /* of the kernels' normal deviates */
    const double scale = ldexp(1.0, t->exponent) / t->unit;
    double white = snn_device_white(&a->o->device, &a->when) * scale;
    if (pairs)
        white *= sqrt(2.0);
    t->white = (float)white;
    const double bound =
        (double)t->parallel * SNN_ANALOG_CELL_MAX + most_sigmas * white * sqrt((double)t->parallel);
    t->bound = bound < INT32_MAX ? (int32_t)bound : INT32_MAX;
}

static bool allocate(builder *b, bool pairs, bool alone, snn_error *err) {
    snn_analog_tensor *t = b->t;
    const snn_map_options *o = &b->a->map->options;
    const size_t fan_in = t->map->fan_in, cell = sizeof(int16_t);
    const snn_wire_model model = b->a->o->analog.wire;
    /* Where reads solve the network, the matrix serves the baseline only. */
    const snn_wire_model matrix = model == SNN_WIRE_SWEEPS ? SNN_WIRE_STATIC : model;
    if (b->wired &&
        (b->wiring = snn_analog_wiring_new(&b->wires, matrix, (int)o->rows, (int)o->columns, err)) == NULL)
        return false;
    t->pitch = pitch_of(t->width);
    t->slow.cell_pitch = pitch_of(b->cells);
    return (b->g = snn_alloc((size_t)o->rows * o->columns, sizeof *b->g, "conductances of an array", err)) !=
               NULL &&
           (b->unit = snn_alloc(fan_in * b->cells, sizeof *b->unit, "conductances", err)) != NULL &&
           (t->cell = snn_alloc(fan_in * t->pitch, cell, "conductances", err)) != NULL &&
           (t->siemens = snn_alloc(fan_in, sizeof *t->siemens, "conductances", err)) != NULL &&
           (!(pairs && alone) ||
            (t->slow.cell = snn_alloc(fan_in * t->slow.cell_pitch, cell, "conductances", err)) != NULL) &&
           (!b->wired || model != SNN_WIRE_SWEEPS ||
            (t->circuit = snn_alloc((size_t)t->map->row_tiles * t->map->column_tiles, sizeof(void *), "wires",
                                    err)) != NULL);
}

bool snn_analog_cells(snn_analog *a, snn_analog_tensor *t, snn_error *err) {
    const snn_device *d = &a->o->device;
    const bool pairs = a->map->options.cell_bits == 0, alone = t->slow.acts;
    builder b = {.a = a, .t = t, .cells = t->map->outputs * t->map->cells};
    b.wired = snn_analog_wires(a, &b.wires);
    t->width = t->map->outputs * t->code.inputs;
    t->unit = (d->g_max - d->g_min) / t->code.level[0];
    t->pedestal = pairs ? 0.0 : d->g_min / t->unit;
    bool ok = allocate(&b, pairs, alone, err);
    for (uint32_t i = 0; ok && i < t->map->row_tiles * t->map->column_tiles; i++)
        ok = take_tile(&b, i, err);
    if (ok) {
        choose_exponent(t, largest(&b, pairs, alone));
        to_fixed(&b, pairs);
        set_bounds(a, t, pairs);
    }
    snn_analog_wiring_free(b.wiring);
    free(b.g);
    free(b.unit);
    return ok;
}
