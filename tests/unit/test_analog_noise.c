/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noise of analogue read-out: the kernels' normal deviates; white noise of sums (variance over the rows that conduct, chi-square, independence); noise that is frozen within a sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analog_test.h"

#include "../../hw/read_internal.h"

#include <snnsim/portable_math.h>

/* ---- normal deviates ---- */

/* 2^18 deviates of the kernel, in 2^-16. */
enum { DEVIATES = 1 << 18 };

static double *deviates(void) {
    uint32_t *word = malloc(DEVIATES * sizeof *word);
    int32_t *z = calloc(DEVIATES, sizeof *z);
    double *out = malloc(DEVIATES * sizeof *out);
    assert_true(word && z && out);
    snn_random_fill(3, SNN_PURPOSE_TEST, 5, 0, DEVIATES / 4, word);
    snn_analog_kernels_plain.noise(word, DEVIATES, 65536, z);
    for (int i = 0; i < DEVIATES; i++)
        out[i] = z[i] / 65536.0;
    free(word);
    free(z);
    return out;
}

/* Kolmogorov-Smirnov against the normal distribution, moments, and the two deviates of a pair uncorrelated, also in their squares. */
static void normal_deviates(void **state) {
    (void)state;
    static double square[2][DEVIATES / 2];
    double *z = deviates(), *sorted = deviates();
    const double n = DEVIATES;
    double moment[5] = {0}, distance = 0;
    for (int i = 0; i < DEVIATES; i++) {
        double power = 1;
        for (int k = 1; k <= 4; k++)
            moment[k] += (power *= z[i]) / n;
        square[i >= DEVIATES / 2][i % (DEVIATES / 2)] = z[i] * z[i];
    }
    assert_true(fabs(moment[1]) < 4 / sqrt(n));
    assert_true(fabs(moment[2] - 1) < 4 * sqrt(2 / n));
    assert_true(fabs(moment[3]) < 4 * sqrt(15 / n));
    assert_true(fabs(moment[4] - 3) < 4 * sqrt(96 / n));
    gsl_sort(sorted, 1, DEVIATES);
    for (int i = 0; i < DEVIATES; i++) {
        const double f = snn_normal_cdf(sorted[i]);
        distance = fmax(distance, fmax(f - i / n, (i + 1) / n - f));
    }
    assert_true(distance < 1.63 / sqrt(n)); /* 1 % level */
    assert_true(fabs(correlation(z, z + DEVIATES / 2, DEVIATES / 2)) < 4 / sqrt(n / 2));
    assert_true(fabs(correlation(square[0], square[1], DEVIATES / 2)) < 4 / sqrt(n / 2));
    free(z);
    free(sorted);
}

/* The outermost words, against Box and Muller's formula with library functions. */
static void single_deviates(void **state) {
    (void)state;
    const uint32_t radius[] = {0, 511, 512, 0x12345678, 0x80000000, 0xB504F300, 0xFFFFFF00, UINT32_MAX},
                   angle[] = {0, 1023, 0x3FF, 0x7FFFFC00, 0x800000FF, 0xFFFFFFFF, 0x12345300};
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 7; j++) {
            const uint32_t word[2] = {radius[i], angle[j]};
            int32_t z[2] = {0, 0};
            snn_analog_kernels_plain.noise(word, 2, 1e6F, z);
            const double u = ((radius[i] >> 9) + 0.5) * 0x1p-23, r = sqrt(-2 * log(u));
            const double quarter = ((angle[j] >> 10) + 0.5) * 0x1p-22 * M_PI / 2 - M_PI / 4;
            double a = r * cos(quarter), b = r * sin(quarter);
            if (angle[j] & 0x100) {
                const double swap = a;
                a = b, b = swap;
            }
            if (angle[j] & 0x200)
                a = -a, b = -b;
            assert_true(fabs(z[0] - 1e6 * a) < 3 && fabs(z[1] - 1e6 * b) < 3);
        }
}

/* ---- white noise ---- */

static void noisy_rig(analog_rig *r, int per_cell, double white) {
    analog_init(r, "{ name = \"fc\"; type = \"linear\"; outputs = 200; }", (snn_shape){1, 20, 20}, 8,
                SNN_TWOS_COMPLEMENT, BITWISE(100, 512, per_cell));
    r->o.device.white = white;
    analog_must_build(r);
}

/* Sum of squares of deviations of all sums from the plain ones over `steps` steps, in units of the expected variance. n inputs of count `pulses`. */
static double chi_square(analog_rig *r, uint32_t n, uint32_t pulses, int steps, double variance) {
    snn_spike input[400];
    uint32_t count[400] = {0};
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        input[i] = (snn_spike){i * 400 / n, pulses};
        count[input[i].index] = pulses;
    }
    for (int s = 0; s < steps; s++) {
        int32_t *got = analog_sums(r, 0, 0, s, input, n);
        for (uint32_t o = 0; o < 200; o++) {
            const double d = got[o] / 64.0 - (double)analog_plain(r, 0, count, o, 0, 0);
            sum += d * d;
        }
        free(got);
    }
    return sum / variance;
}

static void white_noise_variance(void **state) {
    (void)state;
    enum { STEPS = 40 };
    const double degrees = 200 * STEPS, slack = 4 * sqrt(2 * degrees);
    for (int per_cell = 0; per_cell <= 1; per_cell++) {
        analog_rig r;
        noisy_rig(&r, per_cell, 0.05);
        /* sigma of one cell [steps between levels]: 0.05 * 41 uS / 40 uS; a pair has two cells, its weight LSB is 40/128 uS */
        const double cell = 0.05 * 41 / 40;
        const double one = per_cell ? cell * cell * (65536 - 1) / 3.0 /* sum of 4^k, k = 0..7 */
                                    : 2 * cell * cell * 128 * 128;
        const uint32_t rows[] = {1, 37, 400};
        for (int k = 0; k < 3; k++)
            for (uint32_t pulses = 1; pulses <= 2; pulses++) {
                const double chi = chi_square(&r, rows[k], pulses, STEPS, one * rows[k] * pulses);
                if (!(fabs(chi - degrees) < slack))
                    fail_msg("%d per cell, %u rows, %u pulses: chi-square %g of %g degrees", per_cell,
                             rows[k], pulses, chi, degrees);
            }
        analog_free(&r);
    }
}

/* Columns, groups, steps and samples are independent: sums over them have the sum of variances. */
static void white_noise_is_independent(void **state) {
    (void)state;
    enum { STEPS = 400 };
    analog_rig r;
    noisy_rig(&r, 1, 0.05);
    const snn_spike input = {5, 1};
    static double x[4][STEPS * 199];
    int32_t *before = analog_sums(&r, 0, 7, 0, &input, 1);
    for (int s = 0; s < STEPS; s++) {
        int32_t *now = analog_sums(&r, 0, 7, s + 1, &input, 1),
                *other = analog_sums(&r, 0, 8, s + 1, &input, 1);
        for (int o = 0; o < 199; o++) {
            const uint32_t size = 64;
            x[0][s * 199 + o] = now[o] / (double)size - analog_q(&r, 0, (uint32_t)o, 5);
            x[1][s * 199 + o] = now[o + 1] / (double)size - analog_q(&r, 0, (uint32_t)o + 1, 5);
            x[2][s * 199 + o] = before[o] / (double)size - analog_q(&r, 0, (uint32_t)o, 5);
            x[3][s * 199 + o] = other[o] / (double)size - analog_q(&r, 0, (uint32_t)o, 5);
        }
        free(before);
        free(other);
        before = now;
    }
    free(before);
    for (int k = 1; k < 4; k++)
        assert_true(fabs(correlation(x[0], x[k], STEPS * 199)) < 4 / sqrt(STEPS * 199));
    analog_drop(&r);
    r.o.condition.effects &= ~(1u << SNN_EFFECT_WHITE_NOISE);
    analog_must_build(&r);
    assert_true(chi_square(&r, 37, 1, 2, 1) == 0);
    analog_free(&r);
}

/* Sums of many reads, more than 32 bits hold, with noise far beyond the signal: nothing wraps. */
static void large_noise_and_many_reads(void **state) {
    (void)state;
    analog_rig r;
    noisy_rig(&r, 1, 1);
    r.o.analog.parallel_rows = 1;
    analog_drop(&r);
    analog_must_build(&r);
    const double cell = 41.0 / 40, one = cell * cell * 65535 / 3.0;
    const double chi = chi_square(&r, 400, 3, 20, one * 1200);
    assert_true(fabs(chi - 4000) < 4 * sqrt(8000));
    analog_free(&r);
}

/* ---- noise that is frozen within a sample ---- */

static double shift_of(const analog_rig *r, const int32_t *sum, uint32_t o, uint32_t line) {
    return sum[o] / 64.0 - analog_q(r, 0, o, line);
}

static void flicker_is_frozen(void **state) {
    (void)state;
    enum { SAMPLES = 60 };
    for (int per_cell = 0; per_cell <= 1; per_cell++) {
        analog_rig r;
        noisy_rig(&r, per_cell, 0);
        analog_drop(&r);
        r.o.device.one_over_f =
            0.2; /* sigma = 0.2 uS sqrt(ln((1 + 1e-6) / 2e-6)) = 0.7245 uS for every cell */
        r.o.device.one_over_f_time = 1e-6;
        analog_must_build(&r);
        const double sigma = 0.2 * sqrt(log(1.000001 / 2e-6)) / 40;
        const double variance = per_cell ? sigma * sigma * 65535 / 3.0 : 2 * sigma * sigma * 128 * 128;
        const snn_spike one = {3, 1}, twice = {3, 2}, both[] = {{3, 1}, {77, 1}}, other = {77, 1};
        double chi = 0;
        for (int s = 0; s < SAMPLES; s++) {
            int32_t *a = analog_sums(&r, 0, (uint64_t)s, 0, &one, 1),
                    *b = analog_sums(&r, 0, (uint64_t)s, 9, &twice, 1);
            int32_t *c = analog_sums(&r, 0, (uint64_t)s, 2, &other, 1),
                    *d = analog_sums(&r, 0, (uint64_t)s, 3, both, 2);
            for (uint32_t o = 0; o < 200; o++) {
                assert_true(abs(b[o] - 2 * a[o]) <= 2);
                assert_true(abs(d[o] - a[o] - c[o]) <= 2);
                chi += shift_of(&r, a, o, 3) * shift_of(&r, a, o, 3) / variance;
            }
            free(a), free(b), free(c), free(d);
        }
        const double degrees = 200 * SAMPLES;
        if (!(fabs(chi - degrees) < 4 * sqrt(2 * degrees)))
            fail_msg("chi-square %g of %g degrees", chi, degrees);
        analog_free(&r);
    }
}

/* Noise far beyond the matrix ends at its ends. */
static void huge_flicker(void **state) {
    (void)state;
    analog_rig r;
    noisy_rig(&r, 1, 0);
    analog_drop(&r);
    r.o.device.one_over_f = 1e6;
    r.o.device.one_over_f_time = 1e-6;
    analog_must_build(&r);
    const snn_spike input = {3, 1};
    int32_t *sum = analog_sums(&r, 0, 1, 0, &input, 1);
    const double most = SNN_ANALOG_CELL_MAX / 8192.0; /* units, of every bit: +- or about */
    int ends = 0;
    for (uint32_t o = 0; o < 200; o++) {
        const double x = sum[o] / 64.0 / most;
        assert_true(fabs(x) <= 255.01);
        ends += fabs(fmod(fabs(x), 2) - 1) < 0.02; /* sum of +- 2^k: odd */
    }
    assert_true(ends > 180);
    free(sum);
    analog_free(&r);
}

/* A cell with telegraph noise is at g or g - step, half of the time each; 30 % of cells have it, always the same. */
static void telegraph_states(void **state) {
    (void)state;
    enum { SAMPLES = 200 };
    analog_rig r;
    noisy_rig(&r, 0, 0);
    analog_drop(&r);
    r.o.device.telegraph_share = 0.3;
    r.o.device.telegraph_amplitude = 0.25;
    analog_must_build(&r);
    const snn_analog_tensor *t = &r.analog->tensor[0];
    static double shift[200][SAMPLES];
    const snn_spike input = {11, 1};
    for (int s = 0; s < SAMPLES; s++) {
        int32_t *sum = analog_sums(&r, 0, (uint64_t)s, 0, &input, 1);
        for (uint32_t o = 0; o < 200; o++)
            shift[o][s] = shift_of(&r, sum, o, 11);
        free(sum);
    }
    int having = 0, down = 0;
    for (uint32_t o = 0; o < 200; o++) {
        const uint8_t *has = t->slow.telegraph + 11 * 400 + 2 * o; /* positive cell, negative cell */
        /* Steps in weight LSB (40/128 uS): a quarter of g. */
        const int q = analog_q(&r, 0, o, 11);
        const double up = 0.25 * (1 + (q > 0 ? q : 0) * 40 / 128.0) * 128 / 40,
                     low = 0.25 * (1 + (q < 0 ? -q : 0) * 40 / 128.0) * 128 / 40;
        having += has[0];
        for (int s = 0; s < SAMPLES; s++) {
            const double x = shift[o][s];
            bool found = false;
            for (int k = 0; k < 4; k++)
                found |= (!(k & 1) || has[0]) && (!(k >> 1) || has[1]) &&
                         fabs(x - (k >> 1) * low + (k & 1) * up) < 0.15;
            if (!found)
                fail_msg("output %u: shift %g with steps %g, %g", o, x, has[0] * up, has[1] * low);
            if (has[0] && !has[1])
                down += x < -up / 2;
        }
    }
    assert_true(abs(having - 60) < 4 * sqrt(200 * 0.3 * 0.7));
    int alone = 0;
    for (uint32_t o = 0; o < 200; o++)
        alone += t->slow.telegraph[11 * 400 + 2 * o] && !t->slow.telegraph[11 * 400 + 2 * o + 1];
    assert_true(fabs(down - alone * SAMPLES / 2.0) < 4 * sqrt(alone * SAMPLES / 4.0));
    analog_free(&r);
}

/* The same deviations as digital read-out: functions of (chip, sample, cell) alone. */
static void cells_of_both_modes(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){1, 4, 5}, 1, SNN_TWOS_COMPLEMENT, BITWISE(8, 3, 1));
    r.o.device.one_over_f = 1;
    r.o.device.one_over_f_time = 1e-6;
    analog_must_build(&r);
    const double sigma = snn_device_slow(&r.o.device, &r.o.condition, 41);
    for (uint32_t line = 0; line < 20; line += 3) {
        const snn_spike input = {line, 1};
        int32_t *sum = analog_sums(&r, 0, 5, 0, &input, 1);
        for (uint32_t o = 0; o < 7; o++) {
            /* q = 1 - 2 level; array of 8 x 3 cells */
            const uint64_t cell = ((line / 8 * 3 + o / 3) * 8 + line % 8) * 3 + o % 3;
            const double shift = snn_slow_shift(snn_slow_seed(7, 0), 5, cell, sigma, 0);
            assert_true(fabs(shift_of(&r, sum, o, line) + 2 * shift / 40) < 1 / 64.0 + 2e-3);
        }
        free(sum);
    }
    analog_free(&r);
}

static void sweeps_cannot_follow(void **state) {
    (void)state;
    analog_rig r;
    snn_error err = {0};
    analog_init(&r, LINEAR, (snn_shape){1, 4, 5}, 4, SNN_TWOS_COMPLEMENT, BITWISE(8, 16, 1));
    r.o.device.one_over_f = 1;
    r.o.device.row_ohm = 1;
    r.o.analog.wire = SNN_WIRE_SWEEPS;
    assert_false(analog_build(&r, 0, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "choose static or exact"));
    analog_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(normal_deviates),
                                       cmocka_unit_test(single_deviates),
                                       cmocka_unit_test(white_noise_variance),
                                       cmocka_unit_test(white_noise_is_independent),
                                       cmocka_unit_test(large_noise_and_many_reads),
                                       cmocka_unit_test(flicker_is_frozen),
                                       cmocka_unit_test(huge_flicker),
                                       cmocka_unit_test(telegraph_states),
                                       cmocka_unit_test(cells_of_both_modes),
                                       cmocka_unit_test(sweeps_cannot_follow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
