/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framing: every boundary of its definition by hand, and random recordings against a slow twin. */
#include "dataset_test.h"

#include <snnsim/random.h>

#include <math.h>

/* Sensor 5 x 4 (width x height), 2 channels. */
static void put(snn_events *e, int64_t t, int x, int y, int p) {
    snn_error err = {0};
    assert_true(snn_events_append(
        e, (snn_event){.t = t, .x = (uint16_t)x, .y = (uint16_t)y, .polarity = (uint8_t)p}, &err));
}

static snn_events sensor(void) {
    return (snn_events){.width = 5, .height = 4, .channels = 2};
}

static size_t frame(const snn_framing *f, const snn_events *e, snn_spikes *x) {
    snn_frame_scratch scratch = {0};
    snn_error err = {0};
    size_t dropped = 12345;
    if (!snn_frame(f, e, x, &scratch, &dropped, &err))
        fail_msg("%s", err.text);
    free(scratch.key);
    return dropped;
}

/* Step `step` holds exactly these n (index, count) pairs. */
static void check_step(const snn_spikes *x, int step, size_t n, const uint32_t (*pair)[2]) {
    assert_int_equal(x->first[step + 1] - x->first[step], n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(x->spike[x->first[step] + i].index, pair[i][0]);
        assert_int_equal(x->spike[x->first[step] + i].count, pair[i][1]);
    }
}
#define STEP(x, step, ...)                                                                                   \
    check_step(x, step, sizeof((uint32_t[][2]){__VA_ARGS__}) / 8, (const uint32_t[][2]){__VA_ARGS__})

static void bins_have_the_documented_borders(void **state) {
    (void)state;
    /* first 1000, last 1031: window = floor(31/3) = 10: bins [1000,1010) [1010,1020) [1020,1030), the rest is dropped */
    snn_events e = sensor();
    put(&e, 1000, 0, 0, 0); /* first event: bin 0, index 0 */
    put(&e, 1009, 4, 3, 1); /* last us of bin 0; last line: 20 + 15 + 4 */
    put(&e, 1009, 0, 0, 0); /* counts add up, index stays first */
    put(&e, 1010, 1, 0, 0); /* exactly at the edge: bin 1 */
    put(&e, 1019, 0, 1, 0);
    put(&e, 1020, 0, 0, 1); /* bin 2 */
    put(&e, 1029, 2, 2, 1);
    put(&e, 1030, 3, 3, 0); /* 1000 + 3*10: dropped */
    put(&e, 1031, 3, 3, 0); /* last event: dropped */
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 3, .downsample = 1};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 2);
    assert_int_equal(x.size, 40);
    assert_int_equal(x.steps, 3);
    STEP(&x, 0, {0, 2}, {39, 1});
    STEP(&x, 1, {1, 1}, {5, 1});
    STEP(&x, 2, {20, 1}, {32, 1});
    /* dropped may be NULL; scratch and list are used again */
    snn_frame_scratch scratch = {0};
    snn_error err = {0};
    assert_true(snn_frame(&f, &e, &x, &scratch, NULL, &err));
    assert_true(snn_frame(&f, &e, &x, &scratch, NULL, &err));
    STEP(&x, 0, {0, 2}, {39, 1});
    STEP(&x, 2, {20, 1}, {32, 1});
    free(scratch.key);
    /* One bin: window = 31, the last event alone is dropped */
    f.bins = 1;
    assert_int_equal(frame(&f, &e, &x), 1);
    assert_int_equal(snn_spikes_total(&x), 8);
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void exact_division_drops_the_last_event(void **state) {
    (void)state;
    snn_events e = sensor(); /* window = 30/3 = 10: the event at 30 is at the border of the last bin */
    put(&e, 0, 0, 0, 0);
    put(&e, 29, 1, 0, 0);
    put(&e, 30, 2, 0, 0);
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 3, .downsample = 1};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 1);
    STEP(&x, 0, {0, 1});
    assert_int_equal(x.first[2], 1); /* bin 1 is empty */
    STEP(&x, 2, {1, 1});
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void window_zero_puts_all_into_bin_zero(void **state) {
    (void)state;
    snn_events e = sensor();
    put(&e, 7, 0, 0, 0);
    put(&e, 8, 1, 0, 0);
    put(&e, 9, 2, 0, 0); /* 2 us in 3 bins */
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 3, .downsample = 1};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 0);
    STEP(&x, 0, {0, 1}, {1, 1}, {2, 1});
    assert_int_equal(x.first[3], 3);
    put(&e, 10, 3, 0, 0); /* 3 us in 3 bins: window 1 */
    assert_int_equal(frame(&f, &e, &x), 1);
    STEP(&x, 0, {0, 1});
    STEP(&x, 1, {1, 1});
    STEP(&x, 2, {2, 1});
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void empty_and_single(void **state) {
    (void)state;
    snn_events e = sensor();
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 4, .downsample = 1};
    snn_spikes x = {0};
    put(&e, 5, 3, 2, 0);
    assert_int_equal(frame(&f, &e, &x), 0); /* one event: window 0 */
    STEP(&x, 0, {13, 1});
    e.n = 0;
    assert_int_equal(frame(&f, &e, &x), 0);
    assert_int_equal(x.steps, 4);
    assert_int_equal(x.first[4], 0);
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void fixed_width(void **state) {
    (void)state;
    snn_events e = sensor();
    put(&e, -3, 0, 0, 1);
    put(&e, -1, 0, 0, 0);
    put(&e, 0, 1, 0, 0);
    put(&e, 7, 2, 0, 0);
    put(&e, 10, 3, 0, 0);
    put(&e, 19, 4, 0, 0);
    put(&e, 20, 0, 1, 0);
    put(&e, 100, 1, 1, 0);
    snn_framing f = {.mode = SNN_FRAME_WIDTH, .bins = 2, .bin_us = 10, .downsample = 1};
    snn_spikes x = {0};
    /* from the first event: bins [-3,7) [7,17) */
    assert_int_equal(frame(&f, &e, &x), 3);
    STEP(&x, 0, {0, 1}, {1, 1}, {20, 1});
    STEP(&x, 1, {2, 1}, {3, 1});
    /* from zero: bins [0,10) [10,20); what is before and after is dropped */
    f.from_zero = true;
    assert_int_equal(frame(&f, &e, &x), 4);
    STEP(&x, 0, {1, 1}, {2, 1});
    STEP(&x, 1, {3, 1}, {4, 1});
    /* 1 us bins, empty ones between */
    f.bin_us = 1;
    f.bins = 21;
    assert_int_equal(frame(&f, &e, &x), 3);
    STEP(&x, 0, {1, 1});
    assert_int_equal(x.first[7] - x.first[1], 0);
    STEP(&x, 7, {2, 1});
    STEP(&x, 20, {5, 1});
    /* everything before zero */
    e.n = 2;
    assert_int_equal(frame(&f, &e, &x), 2);
    assert_int_equal(x.first[21], 0);
    /* from_zero means nothing to BINS */
    e.n = 8;
    f.mode = SNN_FRAME_BINS;
    f.bins = 1;
    assert_int_equal(frame(&f, &e, &x), 1);
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void widest_times(void **state) {
    (void)state;
    snn_events e = sensor(); /* the difference does not fit into int64 */
    put(&e, INT64_MIN, 0, 0, 0);
    put(&e, -1, 1, 0, 0);
    put(&e, 0, 2, 0, 0);
    put(&e, INT64_MAX, 3, 0, 0);
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 2, .downsample = 1};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 1); /* window 2^63 - 1: [min, -1) [-1, max - 1) */
    STEP(&x, 0, {0, 1});
    STEP(&x, 1, {1, 1}, {2, 1});
    f.mode = SNN_FRAME_WIDTH;
    f.bin_us = INT64_MAX;
    f.bins = 3; /* the third bin reaches beyond 2^64 */
    assert_int_equal(frame(&f, &e, &x), 0);
    STEP(&x, 0, {0, 1});
    STEP(&x, 1, {1, 1}, {2, 1});
    STEP(&x, 2, {3, 1});
    snn_spikes_free(&x);
    snn_events_free(&e);
}

/* Bin of each of these times when bins of w us from t0 on are rounded; -1: dropped. */
static void check_bins(snn_frame_rounding rounding, int64_t w, bool from_zero, size_t n, const int64_t *t,
                       const int *bin) {
    snn_spikes x = {0};
    size_t left_out = 0;
    snn_events e = {.width = 100, .height = 1, .channels = 1};
    snn_framing f = {.mode = SNN_FRAME_WIDTH,
                     .bins = 4,
                     .bin_us = w,
                     .from_zero = from_zero,
                     .downsample = 1,
                     .rounding = rounding};
    for (size_t i = 0; i < n; i++) {
        put(&e, t[i], (int)i, 0, 0);
        left_out += bin[i] < 0;
    }
    assert_int_equal(frame(&f, &e, &x), left_out);
    for (size_t i = 0; i < n; i++) {
        int found = -1;
        for (int step = 0; step < f.bins; step++)
            for (size_t k = x.first[step]; k < x.first[step + 1]; k++)
                if (x.spike[k].index == i)
                    found = step;
        if (found != bin[i])
            fail_msg("t = %lld: bin %d, expected %d", (long long)t[i], found, bin[i]);
    }
    snn_spikes_free(&x);
    snn_events_free(&e);
}
#define BINS(rounding, w, zero, times, ...)                                                                  \
    check_bins(rounding, w, zero, sizeof(times) / sizeof *(times), times, (const int[]){__VA_ARGS__})

/* numpy.round(t / 10) is 0, 0, 0, 1, 1, 2, 2, 2, ... at -5, 0, 5, 6, 14, 15, 16, 25: halves go to even numbers. */
static void rounded_bins(void **state) {
    (void)state;
    const int64_t t[] = {-11, -10, -9, -6, -5, -1, 0,  1,  4,  5,  6,  9,  10,
                         11,  14,  15, 16, 20, 24, 25, 26, 30, 31, 34, 35, 36};
    const int64_t *from_0 = t + 6; /* [20] whose first event is at 0 */
    BINS(SNN_ROUND_FLOOR, 10, true, t, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3,
         3, 3, 3, 3);
    BINS(SNN_ROUND_NEAREST, 10, true, t, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3,
         3, 3, -1, -1);
    BINS(SNN_ROUND_CEIL, 10, true, t, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, -1,
         -1, -1, -1);
    check_bins(SNN_ROUND_NEAREST, 10, false, 20, from_0,
               (const int[]){0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, -1, -1});
    check_bins(SNN_ROUND_CEIL, 10, false, 20, from_0,
               (const int[]){0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, -1, -1, -1, -1});
    /* An odd width has no halves; the width 1 rounds nothing. */
    const int64_t u[] = {-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    BINS(SNN_ROUND_NEAREST, 3, true, u, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, -1);
    BINS(SNN_ROUND_CEIL, 3, true, u, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, -1, -1);
    BINS(SNN_ROUND_NEAREST, 1, true, u, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1);
    BINS(SNN_ROUND_CEIL, 1, true, u, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1);
    BINS(SNN_ROUND_NEAREST, 2, true, u, -1, 0, 0, 0, 1, 2, 2, 2, 3, -1, -1, -1, -1, -1);
}

static void widest_rounded_times(void **state) {
    (void)state;
    const int64_t t[] = {INT64_MIN, -2, -1, 0, INT64_MAX - 1, INT64_MAX};
    int64_t w = INT64_MAX - 1; /* 2^63 - 2: halves at 2^62 - 1 and 3 * (2^62 - 1) */
    BINS(SNN_ROUND_CEIL, w, false, t, 0, 1, 2, 2, 3, 3);
    BINS(SNN_ROUND_NEAREST, w, false, t, 0, 1, 1, 1, 2, 2);
    BINS(SNN_ROUND_CEIL, w, true, t, -1, 0, 0, 0, 1, 2);
    BINS(SNN_ROUND_NEAREST, w, true, t, -1, 0, 0, 0, 1, 1);
    BINS(SNN_ROUND_NEAREST, INT64_MAX, false, t, 0, 1, 1, 1, 2, 2);
    /* w = 2 (2^64 - 1)/15: the half behind bin 7 is 2^64 - 1, the largest difference, and goes to bin 8. Bins 0 .. 3 take what is below 3.5 w. */
    w = 2459565876494606882;
    BINS(SNN_ROUND_NEAREST, w, false, t, 0, -1, -1, -1, -1, -1);
    snn_events e = sensor();
    put(&e, INT64_MIN, 0, 0, 0);
    put(&e, INT64_MAX, 1, 0, 0);
    snn_framing f = {
        .mode = SNN_FRAME_WIDTH, .bins = 10, .bin_us = w, .downsample = 1, .rounding = SNN_ROUND_NEAREST};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 0);
    STEP(&x, 0, {0, 1});
    STEP(&x, 8, {1, 1});
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void repeated_input(void **state) {
    (void)state;
    snn_events e = sensor();
    put(&e, 0, 1, 0, 0);
    put(&e, 0, 1, 0, 0);
    put(&e, 1, 4, 3, 1);
    put(&e, 10, 0, 0, 0);
    snn_framing f = {.mode = SNN_FRAME_WIDTH, .bins = 3, .bin_us = 10, .downsample = 1, .repeat = 3};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 0);
    assert_int_equal(x.size, 120);
    STEP(&x, 0, {1, 2}, {39, 1}, {41, 2}, {79, 1}, {81, 2}, {119, 1});
    STEP(&x, 1, {0, 1}, {40, 1}, {80, 1});
    assert_int_equal(x.first[3], 9);
    f.merge_polarity = f.binary = true;
    f.repeat = 2;
    assert_int_equal(frame(&f, &e, &x), 0);
    assert_int_equal(x.size, 40);
    STEP(&x, 0, {1, 1}, {19, 1}, {21, 1}, {39, 1});
    for (f.repeat = 0; f.repeat < 2; f.repeat++) { /* both: once */
        assert_int_equal(frame(&f, &e, &x), 0);
        assert_int_equal(x.size, 20);
        STEP(&x, 0, {1, 1}, {19, 1});
    }
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void shapes(void **state) {
    (void)state;
    uint32_t s[3];
    snn_framing f = {.downsample = 1};
    snn_framing_shape(&f, 2, 4, 5, s);
    assert_memory_equal(s, ((uint32_t[]){2, 4, 5}), sizeof s);
    f.downsample = 4;
    snn_framing_shape(&f, 2, 128, 128, s);
    assert_memory_equal(s, ((uint32_t[]){2, 32, 32}), sizeof s);
    snn_framing_shape(&f, 2, 34, 33, s); /* the partial pixel at the edge counts */
    assert_memory_equal(s, ((uint32_t[]){2, 9, 9}), sizeof s);
    snn_framing_shape(&f, 2, 3, 4, s);
    assert_memory_equal(s, ((uint32_t[]){2, 1, 1}), sizeof s);
    f.merge_polarity = true;
    snn_framing_shape(&f, 3, 8, 5, s);
    assert_memory_equal(s, ((uint32_t[]){1, 2, 2}), sizeof s);
    f.repeat = 1;
    snn_framing_shape(&f, 3, 8, 5, s);
    assert_memory_equal(s, ((uint32_t[]){1, 2, 2}), sizeof s);
    f.repeat = 3;
    snn_framing_shape(&f, 3, 8, 5, s);
    assert_memory_equal(s, ((uint32_t[]){3, 2, 2}), sizeof s);
    f.merge_polarity = false;
    snn_framing_shape(&f, 3, 8, 5, s);
    assert_memory_equal(s, ((uint32_t[]){9, 2, 2}), sizeof s);
    f.repeat = 65535;
    snn_framing_shape(&f, 65537, 8, 5, s); /* 65535 * 65537 = 2^32 - 1 */
    assert_int_equal(s[0], UINT32_MAX);
    snn_framing_shape(&f, 65538, 8, 5, s);
    assert_int_equal(s[0], UINT32_MAX);
}

static void downsampled_merged_binary(void **state) {
    (void)state;
    snn_events e = sensor();
    put(&e, 0, 0, 0, 0);
    put(&e, 0, 1, 1, 0); /* same pixel after halving */
    put(&e, 0, 2, 0, 0); /* the next one */
    put(&e, 0, 1, 2, 0); /* next row: 3 pixels per row */
    put(&e, 0, 4, 3, 1); /* last partial pixel */
    put(&e, 0, 3, 3, 1);
    put(&e, 0, 0, 1, 1);
    snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 1, .downsample = 2};
    snn_spikes x = {0};
    assert_int_equal(frame(&f, &e, &x), 0);
    assert_int_equal(x.size, 12); /* 2 x 2 x 3 */
    STEP(&x, 0, {0, 2}, {1, 1}, {3, 1}, {6, 1}, {10, 1}, {11, 1});
    f.merge_polarity = true;
    assert_int_equal(frame(&f, &e, &x), 0);
    assert_int_equal(x.size, 6);
    STEP(&x, 0, {0, 3}, {1, 1}, {3, 1}, {4, 1}, {5, 1});
    f.binary = true;
    assert_int_equal(frame(&f, &e, &x), 0);
    STEP(&x, 0, {0, 1}, {1, 1}, {3, 1}, {4, 1}, {5, 1});
    snn_spikes_free(&x);
    snn_events_free(&e);
}

static void impossible_settings(void **state) {
    (void)state;
    snn_events e = sensor();
    snn_spikes x = {0};
    snn_frame_scratch s = {0};
    snn_error err = {0};
    const snn_framing bad[] = {{.bins = 0, .downsample = 1},
                               {.bins = 65536, .downsample = 1},
                               {.bins = 1, .downsample = 0},
                               {.bins = 1, .downsample = 65537},
                               {.bins = 1, .downsample = 1, .repeat = -1},
                               {.bins = 1, .downsample = 1, .repeat = 65536},
                               {.mode = SNN_FRAME_WIDTH, .bins = 1, .downsample = 1, .bin_us = 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(snn_frame(&bad[i], &e, &x, &s, NULL, &err));
        check_error(&err, SNN_ERR_USAGE, "not possible");
    }
    const snn_framing good[] = {{.bins = 65535, .downsample = 65536},
                                {.bins = 1, .downsample = 1, .repeat = 65535},
                                {.mode = SNN_FRAME_WIDTH, .bins = 1, .downsample = 1, .bin_us = 1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(snn_frame(&good[i], &e, &x, &s, NULL, &err));
    /* 65536 x 65536 lines do not fit into 32 bits, one row less does */
    e.channels = 1;
    e.width = e.height = 65536;
    snn_framing f = {.bins = 1, .downsample = 1};
    assert_false(snn_frame(&f, &e, &x, &s, NULL, &err));
    check_error(&err, SNN_ERR_USAGE, "1 x 65536 x 65536 is too large");
    e.height = 65535;
    assert_true(snn_frame(&f, &e, &x, &s, NULL, &err));
    assert_int_equal(x.size, 65535u * 65536u);
    e.channels = 65536;
    e.height = 65536;
    e.width = 1;
    assert_false(snn_frame(&f, &e, &x, &s, NULL, &err));
    e.channels = 65538;
    e.height = 1;
    f.repeat = 65535;
    assert_false(snn_frame(&f, &e, &x, &s, NULL, &err));
    check_error(&err, SNN_ERR_USAGE, "is too large");
    snn_spikes_free(&x);
    free(s.key);
}

/* The definition, written as slowly as it reads. */
static void slow_frame(const snn_framing *f, const snn_events *e, uint32_t *count, const uint32_t shape[3],
                       size_t *dropped) {
    int64_t t0 = e->event[0].t, window = f->bin_us;
    if (f->mode == SNN_FRAME_BINS)
        window = (e->event[e->n - 1].t - t0) / f->bins;
    else if (f->from_zero)
        t0 = 0;
    *dropped = 0;
    for (size_t i = 0; i < e->n; i++) {
        const snn_event *v = &e->event[i];
        double d = (double)(v->t - t0); /* small enough for exact quotients at halves */
        double q = window == 0                        ? 0
                   : f->mode == SNN_FRAME_BINS        ? floor(d / (double)window)
                   : f->rounding == SNN_ROUND_CEIL    ? ceil(d / (double)window)
                   : f->rounding == SNN_ROUND_NEAREST ? nearbyint(d / (double)window)
                                                      : floor(d / (double)window);
        int64_t bin = (int64_t)q;
        if (bin >= f->bins || bin < 0) {
            ++*dropped;
            continue;
        }
        uint32_t p = f->merge_polarity ? 0 : v->polarity;
        uint32_t y = v->y / (uint32_t)f->downsample, x = v->x / (uint32_t)f->downsample;
        uint32_t *c = &count[(((size_t)bin * shape[0] + p) * shape[1] + y) * shape[2] + x];
        *c = f->binary ? 1 : *c + 1;
        uint32_t times = f->repeat > 1 ? (uint32_t)f->repeat : 1;
        for (uint32_t k = 1; k < times; k++)
            c[k * (shape[0] / times * shape[1] * shape[2])] = *c;
    }
}

static void random_recordings(void **state) {
    (void)state;
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 0);
    snn_frame_scratch scratch = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    for (int round = 0; round < 300; round++) {
        snn_events e = {.width = 1 + snn_random_below(&r, 160),
                        .height = 1 + snn_random_below(&r, 160),
                        .channels = 1 + snn_random_below(&r, 3)};
        snn_framing f = {.mode = snn_random_below(&r, 2) ? SNN_FRAME_BINS : SNN_FRAME_WIDTH,
                         .bins = 1 + (int)snn_random_below(&r, 30),
                         .bin_us = 1 + snn_random_below(&r, 50),
                         .from_zero = snn_random_below(&r, 2),
                         .downsample = 1 + (int)snn_random_below(&r, 12),
                         .binary = snn_random_below(&r, 2),
                         .merge_polarity = snn_random_below(&r, 2),
                         .rounding = (snn_frame_rounding)snn_random_below(&r, 3),
                         .repeat = (int)snn_random_below(&r, 4)};
        size_t n = 1 + snn_random_below(&r, 600);
        int64_t t = (int64_t)snn_random_below(&r, 20) - 10;
        for (size_t i = 0; i < n; i++) {
            put(&e, t, (int)snn_random_below(&r, e.width), (int)snn_random_below(&r, e.height),
                (int)snn_random_below(&r, e.channels));
            t += snn_random_below(&r, 4);
        }
        uint32_t shape[3];
        snn_framing_shape(&f, e.channels, e.height, e.width, shape);
        size_t size = (size_t)shape[0] * shape[1] * shape[2], slow = 0, fast = 0;
        uint32_t *count = calloc(size * (size_t)f.bins, sizeof *count);
        slow_frame(&f, &e, count, shape, &slow);
        assert_true(snn_frame(&f, &e, &x, &scratch, &fast, &err));
        assert_int_equal(fast, slow);
        assert_int_equal(x.size, size);
        for (int step = 0; step < f.bins; step++) {
            size_t at = x.first[step];
            for (size_t i = 0; i < size; i++) {
                if (count[(size_t)step * size + i] == 0)
                    continue;
                assert_true(at < x.first[step + 1]);
                assert_int_equal(x.spike[at].index, i);
                assert_int_equal(x.spike[at++].count, count[(size_t)step * size + i]);
            }
            assert_int_equal(at, x.first[step + 1]);
        }
        free(count);
        snn_events_free(&e);
    }
    free(scratch.key);
    snn_spikes_free(&x);
}

/* floor(x / downsample) is exact up to the last pixel that 16 bits hold. */
static void every_pixel_and_divisor(void **state) {
    (void)state;
    snn_events e = {.width = 65536, .height = 1, .channels = 1};
    snn_spikes x = {0};
    const int divisor[] = {1, 2, 3, 5, 7, 11, 127, 255, 641, 1023, 1024, 32767, 65535, 65536};
    for (int i = 0; i < 65536; i++)
        put(&e, 0, i, 0, 0);
    for (size_t k = 0; k < sizeof divisor / sizeof *divisor; k++) {
        snn_framing f = {.mode = SNN_FRAME_BINS, .bins = 1, .downsample = divisor[k]};
        frame(&f, &e, &x);
        uint32_t size = (uint32_t)((65536 + divisor[k] - 1) / divisor[k]);
        assert_int_equal(x.size, size);
        assert_int_equal(x.first[1], size);
        for (uint32_t i = 0; i < size; i++) {
            uint32_t rest = 65536 - i * (uint32_t)divisor[k];
            assert_int_equal(x.spike[i].index, i);
            assert_int_equal(x.spike[i].count, rest < (uint32_t)divisor[k] ? rest : (uint32_t)divisor[k]);
        }
    }
    snn_spikes_free(&x);
    snn_events_free(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_have_the_documented_borders),
        cmocka_unit_test(exact_division_drops_the_last_event),
        cmocka_unit_test(window_zero_puts_all_into_bin_zero),
        cmocka_unit_test(empty_and_single),
        cmocka_unit_test(fixed_width),
        cmocka_unit_test(widest_times),
        cmocka_unit_test(rounded_bins),
        cmocka_unit_test(widest_rounded_times),
        cmocka_unit_test(repeated_input),
        cmocka_unit_test(shapes),
        cmocka_unit_test(downsampled_merged_binary),
        cmocka_unit_test(impossible_settings),
        cmocka_unit_test(random_recordings),
        cmocka_unit_test(every_pixel_and_divisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
