/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Converters of analogue read-out: transfer, clipping and bow by hand; offsets and gains over converters, and who shares one; range, fixed and calibrated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analog_test.h"

/* ---- transfer ---- */

typedef struct {
    int32_t current;
    int32_t code;
} point;

/* Every kernel set that this CPU has. */
static void check_transfer(const snn_analog_conversion *k, const point *p, size_t n, size_t clipped) {
    for (int level = 0; level <= (int)snn_simd_best(); level++) {
        const snn_analog_kernels *kernels = snn_analog_kernels_for((snn_simd)level);
        int32_t current[64], codes[64], sums[64];
        assert_true(n <= 64);
        for (size_t i = 0; i < n; i++)
            current[i] = p[i].current, codes[i] = 1000, sums[i] = 5;
        assert_int_equal(kernels->convert(k, current, n, codes, sums), clipped);
        for (size_t i = 0; i < n; i++) {
            if (codes[i] != 1000 + p[i].code)
                fail_msg("%s: current %d gives %d, expected %d", kernels->name, p[i].current, codes[i] - 1000,
                         p[i].code);
            assert_int_equal(sums[i], 5 + p[i].current);
        }
    }
}

static void unipolar_codes(void **state) {
    (void)state;
    /* 8 to an LSB, 4 bits; halves go to the even code */
    const snn_analog_conversion k = {.lsb = 0.125F, .low = 0, .high = 15};
    const point p[] = {{0, 0},       {3, 0},  {4, 0},  {5, 1},    {8, 1},       {11, 1},   {12, 2},
                       {13, 2},      {20, 2}, {21, 3}, {120, 15}, {123, 15},    {124, 15}, {125, 15},
                       {100000, 15}, {-3, 0}, {-4, 0}, {-5, 0},   {-100000, 0}, {116, 14}};
    /* beyond the range: 124 (15.5 rounds to 16), 125, 100000; -5 (-0.625), -100000; not -4 (-0.5 rounds to -0) */
    check_transfer(&k, p, sizeof p / sizeof *p, 5);
}

static void bipolar_codes(void **state) {
    (void)state;
    const snn_analog_conversion k = {.lsb = 0.5F, .low = -4, .high = 3};
    const point p[] = {{0, 0}, {1, 0}, {2, 1}, {3, 2},   {-1, 0},  {-2, -1}, {-3, -2},
                       {6, 3}, {7, 3}, {8, 3}, {-8, -4}, {-9, -4}, {-10, -4}};
    check_transfer(&k, p, sizeof p / sizeof *p, 3); /* 7 (3.5 to 4), 8, -10; not -9 (-4.5 to -4) */
}

static void pedestal_gain_and_offset(void **state) {
    (void)state;
    float gain[9], offset[9];
    for (int i = 0; i < 9; i++)
        gain[i] = 1, offset[i] = 0;
    gain[1] = 1.5F, offset[2] = 2.25F, gain[3] = 0.5F, offset[3] = -1, offset[8] = -20;
    snn_analog_conversion k = {.lsb = 1, .pedestal = 3, .low = 0, .high = 31, .gain = gain, .offset = offset};
    /* (4 + 3) * gain + offset */
    const point p[] = {{4, 7}, {4, 10}, {4, 9}, {4, 2}, {4, 7}, {28, 31}, {29, 31}, {-3, 0}, {4, 0}};
    check_transfer(&k, p, 9, 2);
}

static void bow_of_the_characteristic(void **state) {
    (void)state;
    /* 4 t (1 - t): 0 at the ends, 1 in the middle, 3/4 at the quarters; codes 0..16 for round numbers */
    const snn_analog_conversion k = {.lsb = 1, .low = 0, .high = 16, .bow = 2.25F};
    const point p[] = {{0, 0}, {4, 6}, {8, 10}, {12, 14}, {16, 16}, {20, 16}, {-2, 0}};
    check_transfer(&k, p, 7, 2);
    const snn_analog_conversion down = {.lsb = 1, .low = -8, .high = 8, .bow = -3};
    const point q[] = {{-8, -8}, {-4, -6}, {0, -3}, {4, 2}, {8, 8}};
    check_transfer(&down, q, 5, 0);
}

/* The same bits from every instruction set, for random currents and all lengths. */
static void kernels_agree(void **state) {
    (void)state;
    enum { N = 133 };
    snn_random r;
    snn_random_init(&r, 8, SNN_PURPOSE_TEST, 0);
    int16_t cell[9][N];
    const int16_t *row[9];
    float gain[N], offset[N];
    uint32_t word[N + 1];
    for (int i = 0; i < 9; i++) {
        row[i] = cell[i];
        for (int c = 0; c < N; c++)
            cell[i][c] =
                (int16_t)((int)snn_random_below(&r, 2 * SNN_ANALOG_CELL_MAX + 1) - SNN_ANALOG_CELL_MAX);
    }
    cell[0][0] = cell[1][0] = cell[2][0] = cell[3][0] = SNN_ANALOG_CELL_MAX;
    cell[0][1] = cell[1][1] = cell[2][1] = cell[3][1] = -SNN_ANALOG_CELL_MAX;
    for (int c = 0; c < N; c++) {
        gain[c] = (float)(0.9 + 0.2 * snn_random_uniform(&r));
        offset[c] = (float)snn_random_uniform(&r);
    }
    for (int c = 0; c < N + 1; c++)
        word[c] = snn_random_u32(&r);
    const snn_analog_kernels *plain = &snn_analog_kernels_plain;
    for (int level = 0; level <= (int)snn_simd_best(); level++)
        for (size_t n = 0; n <= 9; n++)
            for (size_t width = 1; width <= N; width += n % 2 ? 1 : 11) {
                const snn_analog_kernels *k = snn_analog_kernels_for((snn_simd)level);
                assert_string_equal(k->name, snn_simd_name((snn_simd)level));
                int32_t a[N], b[N], codes_a[N] = {0}, codes_b[N] = {0}, sum_a[N] = {0}, sum_b[N] = {0};
                plain->sum(row, n, width, a);
                k->sum(row, n, width, b);
                for (size_t c = 0; c < width; c++) {
                    int32_t direct = 0;
                    for (size_t i = 0; i < n; i++)
                        direct += cell[i][c];
                    assert_int_equal(a[c], direct);
                }
                assert_memory_equal(a, b, width * sizeof *a);
                plain->noise(word, width, 1000, a);
                k->noise(word, width, 1000, b);
                assert_memory_equal(a, b, width * sizeof *a);
                const snn_analog_conversion conversion = {.lsb = 1e-2F,
                                                          .pedestal = 7,
                                                          .low = -64,
                                                          .high = 63,
                                                          .bow = n % 3 ? 0.7F : 0,
                                                          .gain = n % 2 ? gain : NULL,
                                                          .offset = n % 2 ? offset : NULL};
                assert_int_equal(plain->convert(&conversion, a, width, codes_a, sum_a),
                                 k->convert(&conversion, b, width, codes_b, sum_b));
                k->add(b, width, sum_b);
                plain->add(a, width, sum_a);
                assert_memory_equal(codes_a, codes_b, width * sizeof *a);
                assert_memory_equal(sum_a, sum_b, width * sizeof *a);
                for (size_t c = 0; c < width; c++)
                    assert_int_equal(sum_a[c], 2 * a[c]);
            }
}

/* ---- deviations of converters ---- */

static void moments(const float *x, size_t n, double *mean, double *sd) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *sd = sqrt(square / (double)n);
}

static void offsets_and_gains(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 300; }", (snn_shape){1, 10, 10}, 8,
                SNN_TWOS_COMPLEMENT, BITWISE(10, 240, 1));
    r.o.analog.adc_bits = 8;
    r.o.analog.adc_range = 1;
    r.o.analog.adc_offset = 0.5;
    r.o.analog.adc_gain = 0.02;
    r.o.analog.columns_per_adc = 1;
    analog_must_build(&r);
    const snn_analog_tensor *t = &r.analog->tensor[0];
    const size_t n = 24000; /* 10 x 10 arrays of 240 columns */
    double mean, sd;
    moments(t->offset, n, &mean, &sd);
    assert_true(fabs(mean) < 4 * 0.5 / sqrt(n) && fabs(sd / 0.5 - 1) < 4 / sqrt(2.0 * n));
    moments(t->gain, n, &mean, &sd);
    assert_true(fabs(mean - 1) < 4 * 0.02 / sqrt(n) && fabs(sd / 0.02 - 1) < 4 / sqrt(2.0 * n));
    double both = 0;
    for (size_t i = 0; i < n; i++)
        both += (double)t->offset[i] / 0.5 * ((double)t->gain[i] - 1) / 0.02;
    assert_true(fabs(both / n) < 4 / sqrt(n));
    analog_drop(&r);
    r.o.condition.effects &= ~(1u << SNN_EFFECT_ADC); /* resolution stays */
    r.o.analog.adc_inl = 1;
    analog_must_build(&r);
    assert_null(r.analog->tensor[0].gain);
    assert_true(r.analog->tensor[0].bow == 0 && r.analog->tensor[0].step > 0);
    analog_free(&r);
}

/* 20 columns of 4-bit weights: converters of 8 columns serve lanes 0-1, 2-3 and 4 of every array. */
static void who_shares_a_converter(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){1, 2, 4}, 4, SNN_TWOS_COMPLEMENT, BITWISE(4, 20, 1));
    r.o.analog.adc_bits = 8;
    r.o.analog.adc_range = 1;
    r.o.analog.adc_offset = 1;
    analog_must_build(&r);
    const snn_analog_tensor *t = &r.analog->tensor[0];
    const float *x = t->offset;
    assert_int_equal(t->width, 28); /* 5 outputs in the first array, 2 in the next; two rows of arrays */
    const int begin[] = {0, 8, 16, 20, 28, 36, 44, 48, 56};
    for (int k = 0; k < 8; k++) {
        for (int i = begin[k]; i < begin[k + 1]; i++)
            assert_true(x[i] == x[begin[k]]);
        for (int l = 0; l < k; l++)
            assert_true(x[begin[l]] != x[begin[k]]);
    }
    /* Converter 5 is the last of array 1 (columns 16..19, not in use there); array 2 begins with converter 6. */
    uint32_t word[4];
    double z;
    snn_random_fill(7, SNN_PURPOSE_SENSE, 0, 3, 1, word);
    snn_random_normals(word, 1, &z);
    assert_true(x[28] == (float)z);
    analog_free(&r);
    analog_init(&r, LINEAR, (snn_shape){1, 2, 4}, 4, SNN_TWOS_COMPLEMENT,
                BITWISE(8, 14, 0)); /* pairs: 2 columns each */
    r.o.analog.adc_bits = 8;
    r.o.analog.adc_range = 1;
    r.o.analog.adc_offset = 1;
    analog_must_build(&r);
    x = r.analog->tensor[0].offset;
    for (int i = 1; i < 4; i++)
        assert_true(x[i] == x[0] && x[i + 3] == x[4]);
    assert_true(x[3] == x[0] && x[4] != x[0] && x[6] == x[4]);
    analog_free(&r);
}

/* Each array's own converters act: one row of the second row of arrays, through offsets and gains as drawn. */
static void deviations_act_on_their_arrays(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){1, 2, 4}, 4, SNN_TWOS_COMPLEMENT, BITWISE(4, 20, 1));
    r.o.device.g_min = 0;
    r.o.analog.adc_bits = 8;
    r.o.analog.adc_range = 1;
    r.o.analog.adc_offset = 5;
    r.o.analog.adc_gain = 0.1;
    analog_must_build(&r);
    const snn_analog_tensor *t = &r.analog->tensor[0];
    for (uint32_t line = 0; line < 8; line++) {
        const snn_spike input = {line, 1};
        int32_t *sum = analog_sums(&r, 0, 0, 0, &input, 1);
        for (uint32_t o = 0; o < 7; o++) {
            double value = 0;
            for (uint32_t j = 0; j < 4; j++) {
                const size_t i = (line / 4) * 28 + o * 4 + j;
                const int bit = r.stored->tensor[0].code8[o * 8 + line] >> (3 - j) & 1;
                const double code = rint(bit * 255 / 4.0 * (double)t->gain[i] + (double)t->offset[i]);
                value += (j ? 1 << (3 - j) : -8) * (code < 0 ? 0 : code) * 4 / 255;
            }
            assert_int_equal(sum[o], (int32_t)floor(64 * value + 0.5));
        }
        free(sum);
    }
    analog_free(&r);
}

/* ---- range ---- */

static void fixed_range(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){1, 5, 10}, 8, SNN_TWOS_COMPLEMENT, BITWISE(20, 64, 1));
    r.o.analog.adc_bits = 6;
    r.o.analog.adc_range = 0.5;
    analog_must_build(&r);
    /* 20 rows of at most 41/40 steps each */
    assert_true(fabs(r.analog->tensor[0].step - 0.5 * 20 * 41 / 40.0 / 63) < 1e-12);
    analog_drop(&r);
    r.o.analog.parallel_rows = 6;
    analog_must_build(&r);
    assert_true(fabs(r.analog->tensor[0].step - 0.5 * 6 * 41 / 40.0 / 63) < 1e-12);
    analog_free(&r);
    analog_init(&r, LINEAR, (snn_shape){1, 5, 10}, 8, SNN_TWOS_COMPLEMENT, BITWISE(100, 64, 0));
    r.o.analog.adc_bits = 6;
    r.o.analog.adc_range = 2;
    analog_must_build(&r);
    /* no pedestal, 50 rows of at most 128 */
    assert_true(fabs(r.analog->tensor[0].step - 2 * 50 * 128 / 31.0) < 1e-12);
    assert_true(r.analog->tensor[0].low == -32 && r.analog->tensor[0].high == 31);
    analog_drop(&r);
    snn_error err = {0};
    r.o.analog.adc_bits = 1;
    assert_false(analog_build(&r, 0, NULL, 0, &err));
    assert_non_null(strstr(err.text, "hw.analog.adc_bits of at least 2"));
    analog_free(&r);
}

static void training_spikes(snn_spikes *x, uint32_t size, int steps, uint32_t every) {
    snn_error err;
    snn_random r;
    snn_random_init(&r, 21, SNN_PURPOSE_TEST, 0);
    uint8_t *count = calloc((size_t)steps * size, 1);
    for (size_t i = 0; i < (size_t)steps * size; i++)
        count[i] = (uint8_t)(snn_random_below(&r, every) == 0);
    assert_true(snn_spikes_from_counts(x, size, steps, count, &err));
    free(count);
}

/* Mean square error of the sums of a layer over the steps of x, with a given range. */
static double error_with(analog_rig *r, const snn_spikes *x, double full_scale) {
    if (full_scale > 0)
        snn_analog_set_range(&r->analog->tensor[0], full_scale);
    double error = 0;
    uint32_t count[400];
    for (int s = 0; s < x->steps; s++) {
        memset(count, 0, sizeof count);
        for (size_t i = x->first[s]; i < x->first[s + 1]; i++)
            count[x->spike[i].index] = x->spike[i].count;
        int32_t *sum = analog_sums(r, 0, 0, s, x->spike + x->first[s], x->first[s + 1] - x->first[s]);
        for (uint32_t o = 0; o < r->map->tensor[0].outputs; o++) {
            const double d = sum[o] / 64.0 - (double)analog_plain(r, 0, count, o, 0, 0);
            error += d * d;
        }
        free(sum);
    }
    return error;
}

/* Every training sample counts: busy ones after a quiet one make the range larger. */
static void all_training_counts(void **state) {
    (void)state;
    analog_rig r;
    snn_error err = {0};
    snn_spikes x[3] = {{0}};
    training_spikes(&x[0], 400, 20, 50);
    training_spikes(&x[1], 400, 20, 3);
    training_spikes(&x[2], 400, 20, 2);
    double step[3];
    analog_init(&r, LINEAR, (snn_shape){1, 20, 20}, 8, SNN_TWOS_COMPLEMENT, BITWISE(400, 64, 1));
    r.o.analog.adc_bits = 6;
    for (size_t n = 1; n <= 3; n++) {
        if (!analog_build(&r, 0, x, n, &err))
            fail_msg("%s", err.text);
        step[n - 1] = r.analog->tensor[0].step;
        analog_drop(&r);
    }
    assert_true(step[1] > 5 * step[0] && step[2] > 1.2 * step[1]);
    for (int i = 0; i < 3; i++)
        snn_spikes_free(&x[i]);
    analog_free(&r);
}

/* The calibrated range is about the best of all: what any other range gains is little. */
static void calibrated_range(void **state) {
    (void)state;
    for (int per_cell = 0; per_cell <= 1; per_cell++) {
        analog_rig r;
        snn_error err = {0};
        snn_spikes x = {0};
        training_spikes(&x, 400, 60, 8);
        analog_init(&r, LINEAR, (snn_shape){1, 20, 20}, 8, SNN_TWOS_COMPLEMENT, BITWISE(400, 64, per_cell));
        r.o.analog.adc_bits = 5;
        r.o.analog.adc_range = 0;
        assert_false(analog_build(&r, 0, NULL, 0, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        assert_non_null(strstr(err.text, "there are none"));
        analog_drop(&r);
        if (!analog_build(&r, 0, &x, 1, &err))
            fail_msg("%s", err.text);
        snn_analog_stats s;
        snn_analog_total(r.analog, &s);
        assert_int_equal(s.array_reads + s.worst.sums, 0); /* calibration does not count */
        const snn_analog_tensor *t = &r.analog->tensor[0];
        const double found = t->step * (double)t->high, most = snn_analog_most(t);
        assert_true(found < most / 2); /* an eighth of the rows spike */
        const double with = error_with(&r, &x, 0);
        double best = INFINITY;
        for (double f = most / 64; f <= most; f *= 1.05)
            best = fmin(best, error_with(&r, &x, f));
        assert_true(with < 1.25 * best);
        assert_true(10 * with < error_with(&r, &x, most));
        snn_spikes_free(&x);
        analog_free(&r);
    }
}

/* Layers that the training samples do not reach get the full range. */
static void layers_without_training(void **state) {
    (void)state;
    analog_rig r;
    snn_error err = {0};
    snn_spikes x = {0};
    assert_true(snn_spikes_reset(&x, 60, 3, &err));
    analog_init(&r, CONVS, (snn_shape){2, 5, 6}, 8, SNN_TWOS_COMPLEMENT, BITWISE(400, 64, 1));
    r.o.analog.adc_bits = 5;
    if (!analog_build(&r, 0, &x, 1, &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(r.analog->tensor[i].step - snn_analog_most(&r.analog->tensor[i]) / 31) < 1e-12);
    snn_spikes_free(&x);
    analog_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(unipolar_codes),
                                       cmocka_unit_test(bipolar_codes),
                                       cmocka_unit_test(pedestal_gain_and_offset),
                                       cmocka_unit_test(bow_of_the_characteristic),
                                       cmocka_unit_test(kernels_agree),
                                       cmocka_unit_test(offsets_and_gains),
                                       cmocka_unit_test(who_shares_a_converter),
                                       cmocka_unit_test(fixed_range),
                                       cmocka_unit_test(calibrated_range),
                                       cmocka_unit_test(all_training_counts),
                                       cmocka_unit_test(deviations_act_on_their_arrays),
                                       cmocka_unit_test(layers_without_training)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
