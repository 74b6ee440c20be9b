/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of chips share: a network of one layer in a map, a device, options. */
#ifndef CHIP_TEST_H
#define CHIP_TEST_H

#include "hw_test.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <snnsim/chip.h>
#include <string.h>

#define ALL_EFFECTS ((1u << SNN_EFFECTS) - 1)

typedef struct {
    snn_net *net;
    snn_weights *weights;
    snn_map *map;
    snn_hw_options o;
} chip_rig;

static inline snn_map_options rig_options(uint32_t rows, uint32_t columns) {
    return (snn_map_options){.rows = rows, .columns = columns, .cell_bits = 1, .gray = true};
}

/* A linear layer of pixels x pixels inputs and the given outputs, codes of `bits` bits that depend on `step`; levels at 1 and 41 uS without any spread. */
static inline void rig_init(chip_rig *r, uint32_t pixels, uint32_t outputs, int bits, uint32_t step,
                            snn_map_options o) {
    char layer[100];
    snprintf(layer, sizeof layer, "{ name = \"fc\"; type = \"linear\"; outputs = %u; }", outputs);
    *r = (chip_rig){0};
    r->net = test_net(layer, (snn_shape){1, pixels, pixels});
    r->weights = test_codes(r->net, bits, SNN_SIGN_MAGNITUDE, step);
    r->map = test_map(r->net, r->weights, o);
    r->o.map = o;
    r->o.seed = 7;
    r->o.reference = 0.5;
    r->o.device = (snn_device){.name = "test",
                               .g_min = 1,
                               .g_max = 41,
                               .levels = 16,
                               .t0 = 1,
                               .stuck_cluster = 1,
                               .reference_kelvin = 300};
    r->o.condition =
        (snn_condition){.seconds = 1, .kelvin = 300, .effects = ALL_EFFECTS, .verify_pulses = 20};
}

static inline void rig_free(chip_rig *r) {
    snn_map_free(r->map);
    snn_weights_free(r->weights);
    snn_net_free(r->net);
}

static inline snn_chip *rig_chip(const chip_rig *r, uint64_t number) {
    snn_error err = {0};
    snn_chip *c = snn_chip_program(r->map, &r->o, r->weights, number, &err);
    if (c == NULL)
        print_error("%s\n", err.text);
    assert_non_null(c);
    return c;
}

/* Conductances of all arrays, [tiles][rows][columns]; free() it. */
static inline float *rig_conductances(const chip_rig *r, const snn_chip *c) {
    const size_t array = (size_t)r->map->options.rows * r->map->options.columns;
    float *g = malloc(r->map->tiles * array * sizeof *g);
    assert_non_null(g);
    for (uint32_t t = 0; t < r->map->tiles; t++)
        assert_true(snn_chip_conductances(c, &r->o.condition, t, g + t * array, NULL));
    return g;
}

/* Correlation of two samples. */
static inline double correlation(const double *x, const double *y, size_t n) {
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++)
        sx += x[i], sy += y[i], xx += x[i] * x[i], yy += y[i] * y[i], xy += x[i] * y[i];
    const double k = (double)n;
    return (xy - sx * sy / k) / sqrt((xx - sx * sx / k) * (yy - sy * sy / k));
}

#endif
