/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wires in analogue read-out: a single cell by hand; exact against the nodal equations of every read; sweeps and the static product against exact; temperature; differential pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analog_test.h"

static void wire_rig(analog_rig *r, uint32_t rows, uint32_t columns, int per_cell, double ohm,
                     snn_wire_model model) {
    char layer[100];
    const uint32_t lanes = columns / (per_cell ? 8 : 2);
    snprintf(layer, sizeof layer, "{ name = \"fc\"; type = \"linear\"; outputs = %u; }", lanes + 1);
    analog_init(r, layer, (snn_shape){1, 2, rows}, 8, SNN_TWOS_COMPLEMENT, BITWISE(rows, columns, per_cell));
    r->o.device.row_ohm = ohm;
    r->o.device.column_ohm = 2 * ohm;
    r->o.analog.driver_ohm = 50;
    r->o.analog.sense_ohm = 20;
    r->o.analog.wire = model;
    r->o.analog.nominal_baseline = true;
    analog_must_build(r);
}

/* One cell of 41 uS between 50 + 10 Ohm and 20 + 20 Ohm: 1 / (1/g + 100 Ohm). */
static void one_cell_by_hand(void **state) {
    (void)state;
    for (int model = SNN_WIRE_STATIC; model <= SNN_WIRE_EXACT; model++) {
        analog_rig r;
        analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 1; }", (snn_shape){1, 1, 1}, 1,
                    SNN_TWOS_COMPLEMENT, BITWISE(1, 1, 1));
        r.stored->tensor[0].code8[0] = 1;
        r.o.device.row_ohm = 10, r.o.device.column_ohm = 20;
        r.o.analog.driver_ohm = 5000, r.o.analog.sense_ohm = 2000;
        r.o.analog.wire = (snn_wire_model)model;
        r.o.analog.nominal_baseline = true;
        analog_must_build(&r);
        const snn_spike input = {0, 1};
        int32_t *sum = analog_sums(&r, 0, 0, 0, &input, 1);
        const double g = 1e6 / (1e6 / 41 + 7030), q = 1 - 2 * (g - 1) / 40;
        assert_true(abs(sum[0] - (int)floor(64 * q + 0.5)) <= (model == SNN_WIRE_SWEEPS ? 1 : 0));
        free(sum);
        analog_drop(&r);
        r.o.condition.kelvin = 400; /* wires 1.451 times as long; driver and sense resistance stay */
        analog_must_build(&r);
        assert_true(fabs(r.analog->tensor[0].cell[0] / 8192.0 -
                         (1e6 / (1e6 / 41 + 7000 + 1.451 * 30) - 1) / 40) < 1.5 / 8192 ||
                    model == SNN_WIRE_SWEEPS);
        analog_drop(&r);
        static const double unknown[] = {77, 199.9, 500.1};
        for (int i = 0; i < 3; i++) {
            snn_error err = {0};
            r.o.condition.kelvin = unknown[i];
            assert_false(analog_build(&r, 0, NULL, 0, &err));
            assert_int_equal(err.code, SNN_ERR_USAGE);
            assert_non_null(strstr(err.text, " K: resistances of wires are known from 200 to 500 K"));
            analog_drop(&r);
        }
        for (int i = 0; i < 2; i++) {
            r.o.condition.kelvin = i ? SNN_WIRE_KELVIN_MAX : SNN_WIRE_KELVIN_MIN;
            analog_must_build(&r);
            analog_drop(&r);
        }
        r.o.condition.kelvin = 77;
        r.o.condition.effects &= ~(1u << SNN_EFFECT_WIRE);
        analog_must_build(&r);
        sum = analog_sums(&r, 0, 0, 0, &input, 1);
        assert_int_equal(sum[0], -64);
        free(sum);
        analog_free(&r);
    }
}

/* Sums of a read from the nodal equations of every array, in weight LSB. */
static void nodal(const analog_rig *r, const snn_spike *input, size_t n, double *value) {
    snn_error err = {0};
    const snn_map_options *o = &r->map->options;
    const snn_map_tensor *m = &r->map->tensor[0];
    const snn_wires w = {r->o.device.row_ohm, r->o.device.column_ohm, r->o.analog.driver_ohm,
                         r->o.analog.sense_ohm, false};
    float *g = malloc((size_t)o->rows * o->columns * sizeof *g);
    double *volts = malloc(o->rows * sizeof *volts), *current = malloc(o->columns * sizeof *current);
    for (uint32_t out = 0; out < m->outputs; out++)
        value[out] = 0;
    for (uint32_t tile = 0; tile < m->row_tiles * m->column_tiles; tile++) {
        const snn_map_tile at = snn_map_tile_at(r->map, tile);
        double rows = 0;
        for (uint32_t i = 0; i < o->rows; i++)
            volts[i] = 0;
        for (size_t i = 0; i < n; i++)
            if (input[i].index / o->rows == tile / m->column_tiles)
                volts[input[i].index % o->rows] = 1, rows++;
        assert_true(snn_chip_conductances(r->chip, &r->o.condition, tile, g, &err));
        assert_true(snn_circuit_exact((int)o->rows, (int)o->columns, g, volts, &w, current, NULL, &err));
        for (uint32_t lane = 0; lane < at.outputs; lane++)
            for (uint32_t k = 0; k < m->cells; k++) {
                const double x = current[lane * m->cells + k];
                value[at.first_output + lane] +=
                    m->cells == 2 ? (k ? -x : x) * 128 / 40 : (x - rows) / 40 * (k ? 1 << (7 - k) : -128);
            }
    }
    free(g), free(volts), free(current);
}

/* Root mean square of the deviation from the nodal equations over random inputs, relative to what wires change. */
static double deviation(int per_cell, uint32_t rows, uint32_t columns, double ohm, snn_wire_model model) {
    analog_rig r;
    wire_rig(&r, rows, columns, per_cell, ohm, model);
    double error = 0, change = 0, *value = malloc(r.map->tensor[0].outputs * sizeof *value);
    for (uint64_t k = 0; k < 6; k++) {
        uint32_t count[256];
        snn_spike list[256];
        const size_t n = analog_input(k, 2 * rows, 60, 1, count, list);
        int32_t *sum = analog_sums(&r, 0, k, 0, list, n);
        nodal(&r, list, n, value);
        for (uint32_t o = 0; o < r.map->tensor[0].outputs; o++) {
            const double e = sum[o] / 64.0 - value[o],
                         c = (double)analog_plain(&r, 0, count, o, 0, 0) - value[o];
            error += e * e;
            change += c * c;
        }
        free(sum);
    }
    free(value);
    analog_free(&r);
    return sqrt(error / change);
}

static void models_against_nodal_equations(void **state) {
    (void)state;
    for (int per_cell = 0; per_cell <= 1; per_cell++) {
        const double exact = deviation(per_cell, 24, 32, 2, SNN_WIRE_EXACT),
                     sweeps = deviation(per_cell, 24, 32, 2, SNN_WIRE_SWEEPS),
                     fixed = deviation(per_cell, 24, 32, 2, SNN_WIRE_STATIC),
                     large = deviation(per_cell, 64, 64, 2, SNN_WIRE_STATIC);
        if (!(exact < 2e-3 && sweeps < 0.02 && fixed < 0.03 && large < 0.08))
            fail_msg("%d per cell: exact %g, sweeps %g, static %g, of 64 x 64 cells %g", per_cell, exact,
                     sweeps, fixed, large);
    }
}

/* With all rows driven the static model is right by construction. */
static void static_is_right_with_all_rows(void **state) {
    (void)state;
    analog_rig r;
    wire_rig(&r, 32, 64, 1, 5, SNN_WIRE_STATIC);
    snn_spike all[64];
    uint32_t count[64];
    const size_t n = analog_input(1, 64, 256, 1, count, all);
    double value[16];
    int32_t *sum = analog_sums(&r, 0, 0, 0, all, n);
    nodal(&r, all, n, value);
    double change = 0;
    for (uint32_t o = 0; o < r.map->tensor[0].outputs; o++) {
        change = fmax(change, fabs((double)analog_plain(&r, 0, count, o, 0, 0) - value[o]));
        assert_true(fabs(sum[o] / 64.0 - value[o]) < 0.5);
    }
    assert_true(change > 20);
    free(sum);
    analog_free(&r);
}

/* Drivers with resistance and ideal wires: a row gets 1 / (1 + R G) of the voltage, G the conductance of all its cells. A reference lane sees the same, so each row's weights count that much. */
static void baseline_behind_weak_drivers(void **state) {
    (void)state;
    for (int model = SNN_WIRE_STATIC; model <= SNN_WIRE_EXACT; model++) {
        analog_rig r;
        snn_error err = {0};
        analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 9; }", (snn_shape){1, 2, 16}, 8,
                    SNN_OFFSET_BINARY, BITWISE(16, 40, 1));
        r.o.analog.driver_ohm = 500;
        r.o.analog.wire = (snn_wire_model)model;
        analog_must_build(&r);
        float g[16 * 40];
        for (uint32_t line = 0; line < 32; line += 5) {
            const snn_spike input = {line, 2};
            int32_t *sum = analog_sums(&r, 0, 0, 0, &input, 1);
            for (uint32_t o = 0; o < 9; o++) {
                double all = 0;
                assert_true(snn_chip_conductances(r.chip, &r.o.condition, line / 16 * 2 + o / 5, g, &err));
                for (int c = 0; c < 40; c++)
                    all += (double)g[line % 16 * 40 + (uint32_t)c];
                const double kept = 1 / (1 + 500e-6 * all);
                assert_true(kept < 0.9);
                if (!(fabs(sum[o] / 64.0 - 2 * kept * analog_q(&r, 0, o, line)) < 0.3))
                    fail_msg("model %d, line %u, output %u: %g, expected %g", model, line, o, sum[o] / 64.0,
                             2 * kept * analog_q(&r, 0, o, line));
            }
            free(sum);
        }
        analog_free(&r);
    }
}

/* A column without any conductance, in arrays that follow each other. */
static void columns_that_do_not_conduct(void **state) {
    (void)state;
    snn_error err = {0};
    const snn_wires w = {1, 2, 3, 4, false};
    for (int model = SNN_WIRE_STATIC; model <= SNN_WIRE_EXACT; model += SNN_WIRE_EXACT - SNN_WIRE_STATIC) {
        snn_analog_wiring *k = snn_analog_wiring_new(&w, (snn_wire_model)model, 3, 3, &err);
        assert_non_null(k);
        for (int column = 0; column < 3; column++) {
            float g[9], before[9];
            for (int i = 0; i < 9; i++)
                before[i] = g[i] = i % 3 == column ? 0 : 100;
            assert_true(snn_analog_wire_in(k, g, &err));
            for (int i = 0; i < 9; i++)
                assert_true(i % 3 == column ? g[i] >= 0 && g[i] < 1e-12F : g[i] < before[i] && g[i] > 99);
        }
        snn_analog_wiring_free(k);
    }
    snn_analog_wiring_free(NULL);
    const snn_wires negative = {-1, 2, 0, 0, false};
    float g[4] = {1, 1, 1, 1};
    assert_null(snn_analog_wiring_new(&negative, SNN_WIRE_STATIC, 2, 2, &err));
    snn_analog_wiring *k = snn_analog_wiring_new(&negative, SNN_WIRE_EXACT, 2, 2, &err);
    assert_false(snn_analog_wire_in(k, g, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    snn_analog_wiring_free(k);
}

static void no_resistance_no_wires(void **state) {
    (void)state;
    analog_rig r;
    wire_rig(&r, 8, 16, 1, 0, SNN_WIRE_NONE);
    snn_wires w;
    assert_false(snn_analog_wires(r.analog, &w));
    r.o.analog.wire = SNN_WIRE_EXACT;
    assert_true(snn_analog_wires(r.analog, &w));
    assert_true(w.driver_ohm == 50 && w.sense_ohm == 20 && !w.floating);
    r.o.analog.driver_ohm = r.o.analog.sense_ohm = 0;
    assert_false(snn_analog_wires(r.analog, &w));
    analog_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_cell_by_hand),
                                       cmocka_unit_test(models_against_nodal_equations),
                                       cmocka_unit_test(static_is_right_with_all_rows),
                                       cmocka_unit_test(baseline_behind_weak_drivers),
                                       cmocka_unit_test(columns_that_do_not_conduct),
                                       cmocka_unit_test(no_resistance_no_wires)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
