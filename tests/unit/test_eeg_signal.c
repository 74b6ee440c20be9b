/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters beside SciPy, encoders beside NumPy (golden/make_eeg_vectors.py), and their borders. */
#include "dataset_test.h"

#include <math.h>

#include "../../datasets/eeg.h"
#include "eeg_vectors.h"

#define DESIGNS (sizeof eeg_filter / sizeof *eeg_filter)
#define COUNT(a) (sizeof(a) / sizeof *(a))

static double input(int n) {
    return 300 + (double)((n * 7919 + 13) % 1009) / 8 - 63;
}

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g, expected %.17g", value, expected);
}

/* |H| at w of the sections. */
static double response(const snn_butterworth *f, double w) {
    double size = 1;
    for (int k = 0; k < f->sections; k++) {
        const snn_biquad *s = &f->section[k];
        double br = s->b0 + s->b1 * cos(w) + s->b2 * cos(2 * w), bi = s->b1 * sin(w) + s->b2 * sin(2 * w);
        double ar = 1 + s->a1 * cos(w) + s->a2 * cos(2 * w), ai = s->a1 * sin(w) + s->a2 * sin(2 * w);
        size *= sqrt((br * br + bi * bi) / (ar * ar + ai * ai));
    }
    return size;
}

static void filters_are_those_of_scipy(void **state) {
    (void)state;
    for (size_t i = 0; i < DESIGNS; i++) {
        snn_butterworth f;
        snn_error err = {0};
        double x[3 * EEG_INPUT], memory[2 * SNN_EEG_ORDER_MAX * 3];
        if (!snn_butterworth_design(&f, eeg_filter[i].order, eeg_filter[i].low, eeg_filter[i].high,
                                    eeg_filter[i].rate, &err))
            fail_msg("%s", err.text);
        assert_int_equal(f.sections, eeg_filter[i].sections);
        for (int k = 1; k < f.sections; k++)
            assert_true(f.section[k - 1].a2 <= f.section[k].a2);
        for (int k = 0; k < EEG_RESPONSES; k++)
            near(response(&f, 2 * M_PI * (k + 1) / 20), eeg_filter[i].response[k]);
        for (int n = 0; n < EEG_INPUT; n++) { /* three channels: once, zero, twice */
            x[3 * n] = input(n);
            x[3 * n + 1] = 0;
            x[3 * n + 2] = 2 * input(n);
        }
        memset(memory, 0xff, sizeof memory);
        snn_butterworth_run(&f, x, EEG_INPUT, 3, memory);
        for (int n = 0; n < EEG_INPUT; n++) {
            assert_true(x[3 * n + 1] == 0);
            assert_true(x[3 * n + 2] == 2 * x[3 * n]);
        }
        for (int k = 0; k < EEG_OUTPUTS; k++)
            near(x[3 * (40 * k + 39)], eeg_filter[i].output[k]);
    }
}

/* The first section of the usual filter, bit by bit: the same on every machine. */
static void coefficients_are_exact(void **state) {
    (void)state;
    snn_butterworth f;
    snn_error err = {0};
    assert_true(snn_butterworth_design(&f, 4, 8, 30, 160, &err));
    static const double expected[] = {0x1.159ea702bdfbbp-2, -0x1.a1ccb0ad399cep-1, 0x1.3eb0875994ba1p-2,
                                      0x1.84d8dae11dbd6p-2, -0x1.6b073ef4f03a3p+0, 0x1.1f73149e74c34p-1,
                                      0x1.2d5f614919ac3p-2, -0x1.569b9c4bda49bp-1, 0x1.47b8f61494eacp-1,
                                      0x1.d86200571d33fp-2, -0x1.c2f74ee6cda63p+0, 0x1.b74c215b093b3p-1};
    for (int k = 0; k < 4; k++) {
        assert_true(f.section[k].b0 == expected[3 * k]);
        assert_true(f.section[k].b1 == 0 && f.section[k].b2 == -f.section[k].b0);
        assert_true(f.section[k].a1 == expected[3 * k + 1]);
        assert_true(f.section[k].a2 == expected[3 * k + 2]);
    }
}

static void nothing_is_a_filter(void **state) {
    (void)state;
    snn_butterworth f;
    snn_error err = {0};
    assert_true(snn_butterworth_design(&f, 0, 8, 30, 160, &err));
    assert_int_equal(f.sections, 0);
    assert_true(snn_butterworth_design(&f, 4, 0, 0, 160, &err));
    assert_int_equal(f.sections, 0);
    double x[2] = {1, 2};
    snn_butterworth_run(&f, x, 2, 1, NULL);
    assert_true(x[0] == 1 && x[1] == 2);
}

static void bad_edges_are_refused(void **state) {
    (void)state;
    static const struct {
        int order;
        double low, high;
        const char *part;
    } bad[] = {{4, 8, 80, "must be below 80 Hz, half the sampling rate"},
               {4, 80, 0, "filter edges of 80 and 0 Hz"},
               {4, 30, 8, "the lower filter edge, 30 Hz, is not below the upper one, 8 Hz"},
               {4, 8, 8, "is not below the upper one"},
               {13, 8, 30, "a filter of order 13; possible are 0 .. 12"},
               {-1, 8, 30, "order -1"},
               {4, -1, 30, "must be below"},
               {4, 8, NAN, "must be below"},
               {12, 1e-9, 2e-9, "is too narrow to be computed"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        snn_butterworth f;
        snn_error err = {0};
        assert_false(snn_butterworth_design(&f, bad[i].order, bad[i].low, bad[i].high, 160, &err));
        check_error(&err, SNN_ERR_USAGE, bad[i].part);
    }
    snn_butterworth f;
    assert_true(snn_butterworth_design(&f, 12, 8, 79.9, 160, NULL));
}

static const snn_eeg_clock clock_160 = {.samples = 160, .record_ns = 1000000000};

static void encode(const snn_eeg_encoder *e, const double *x, size_t n, uint32_t channels, snn_events *out) {
    double memory[64];
    snn_error err = {0};
    *out = (snn_events){.width = channels, .height = 1, .channels = 2};
    memset(memory, 0xff, sizeof memory);
    if (!snn_eeg_encode(e, &clock_160, x, n, channels, memory, out, &err))
        fail_msg("%s", err.text);
}

static void check_vectors(const snn_eeg_encoder *e, double shift, const eeg_vector *v, size_t n) {
    double x[2 * EEG_SAMPLES];
    snn_events out;
    for (int k = 0; k < EEG_SAMPLES; k++) {
        x[2 * k] = input(k) / 64 + shift;
        x[2 * k + 1] = input(EEG_INPUT - 1 - k) / 64 + shift;
    }
    encode(e, x, EEG_SAMPLES, 2, &out);
    assert_int_equal(out.n, n);
    for (size_t i = 0; i < n; i++)
        check_event(&out.event[i], 6250 * v[i].sample, v[i].channel, 0, v[i].polarity);
    snn_events_free(&out);
}

static void encoders_are_those_of_the_twin(void **state) {
    (void)state;
    check_vectors(&(snn_eeg_encoder){.code = SNN_EEG_DELTA, .threshold = 0.5}, 0, eeg_delta,
                  COUNT(eeg_delta));
    check_vectors(&(snn_eeg_encoder){.code = SNN_EEG_STEP_FORWARD, .threshold = 0.25}, 0, eeg_step_forward,
                  COUNT(eeg_step_forward));
    check_vectors(&(snn_eeg_encoder){.code = SNN_EEG_RATE, .rate_max = 100, .rate_full = 4}, -4, eeg_rate,
                  COUNT(eeg_rate));
}

/* Expected polarity after each sample; '.': nothing. */
static void check_train(const snn_eeg_encoder *e, const double *x, const char *expected) {
    snn_events out;
    encode(e, x, strlen(expected), 1, &out);
    size_t k = 0;
    for (size_t i = 0; expected[i] != '\0'; i++)
        if (expected[i] != '.') {
            assert_true(k < out.n);
            check_event(&out.event[k++], (int64_t)(6250 * i), 0, 0, expected[i] == '+');
        }
    assert_int_equal(out.n, k);
    snn_events_free(&out);
}

static void encoders_keep_their_borders(void **state) {
    (void)state;
    /* at the threshold: delta fires, step forward does not; delta's reference is the sample, step forward's moves by one threshold */
    check_train(&(snn_eeg_encoder){.code = SNN_EEG_DELTA, .threshold = 1},
                (const double[]){5, 6, 6.75, 9, 8.5, 8, 7.25, 7, 20, 20}, ".+.+.-.-+.");
    check_train(&(snn_eeg_encoder){.code = SNN_EEG_STEP_FORWARD, .threshold = 1},
                (const double[]){5, 6, 6.5, 7, 9, 9, 9, 9, 7, 6.5, 6.5}, "..+.++...-.");
    /* half of the full rate of 160: every other sample; both signs have their own sums; sizes above rate_full count as it */
    check_train(&(snn_eeg_encoder){.code = SNN_EEG_RATE, .rate_max = 80, .rate_full = 2},
                (const double[]){2, 2, 9, -2, 2, -2, -50, 0, 1, 1, 1, 1, -1, -1}, ".+..+-.....+.-");
}

static void times_and_samples_are_rounded_to_the_nearest(void **state) {
    (void)state;
    assert_int_equal(snn_eeg_sample_at(&clock_160, 0), 0);
    assert_int_equal(snn_eeg_sample_at(&clock_160, 4200000000), 672);
    assert_int_equal(snn_eeg_sample_at(&clock_160, 3125000), 1); /* half a sample */
    assert_int_equal(snn_eeg_sample_at(&clock_160, 3124999), 0);
    assert_int_equal(snn_eeg_sample_at(&clock_160, 999999999), 160);
    assert_int_equal(snn_eeg_sample_at(&clock_160, 1000000000), 160);
    assert_int_equal(snn_eeg_sample_at(&clock_160, 1006250000), 161);
    static const snn_eeg_clock third = {.samples = 3, .record_ns = 1000000000},
                               odd = {.samples = 7, .record_ns = 3};
    assert_int_equal(snn_eeg_time_us(&clock_160, 161), 1006250);
    assert_int_equal(snn_eeg_time_us(&third, 1), 333333);
    assert_int_equal(snn_eeg_time_us(&third, 2), 666667);
    assert_int_equal(snn_eeg_time_us(&third, 3), 1000000);
    assert_int_equal(snn_eeg_time_us(&third, 5), 1666667);
    assert_int_equal(snn_eeg_time_us(&odd, 7 * 1000), 3);
    assert_int_equal(snn_eeg_time_us(&odd, 7 * 500), 2);     /* 1500 ns */
    assert_int_equal(snn_eeg_time_us(&odd, 7 * 499 + 5), 1); /* 1499 ns */
    static const snn_eeg_clock most = {.samples = 1 << 20, .record_ns = INT64_C(3600000000000)};
    assert_int_equal(snn_eeg_sample_at(&most, INT64_C(7199999999999)), 2 << 20);
    assert_int_equal(snn_eeg_time_us(&most, (2 << 20) - 1), 7199996567);
}

static void names_lose_their_dots(void **state) {
    (void)state;
    char name[SNN_EEG_NAME_SIZE];
    snn_eeg_plain_name("Fc5.", name);
    assert_string_equal(name, "Fc5");
    snn_eeg_plain_name("C3..", name);
    assert_string_equal(name, "C3");
    snn_eeg_plain_name("A.b .", name);
    assert_string_equal(name, "A.b");
    snn_eeg_plain_name("...", name);
    assert_string_equal(name, "");
    snn_eeg_plain_name("0123456789abcdefX", name);
    assert_string_equal(name, "0123456789abcdef");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_those_of_scipy),
        cmocka_unit_test(coefficients_are_exact),
        cmocka_unit_test(nothing_is_a_filter),
        cmocka_unit_test(bad_edges_are_refused),
        cmocka_unit_test(encoders_are_those_of_the_twin),
        cmocka_unit_test(encoders_keep_their_borders),
        cmocka_unit_test(times_and_samples_are_rounded_to_the_nearest),
        cmocka_unit_test(names_lose_their_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
