/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Analogue read-out as a whole: ideal cells and converters give exactly the plain sums for every encoding, width, cell and array; what is counted; groups of rows and pulses; codes that do not add up;
 * results that depend on nothing but (chip, tensor, sample, step).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analog_test.h"

#include <snnsim/engine.h>

/* ---- exact sums ---- */

static void check_layer(analog_rig *r, int tensor, uint64_t seed, const char *what) {
    const snn_layer *l = analog_layer(r, tensor);
    const uint32_t size = snn_shape_size(l->in);
    uint32_t *count = calloc(size, sizeof *count);
    snn_spike *list = calloc(size, sizeof *list);
    const size_t n = analog_input(seed, size, 100, 3, count, list);
    int32_t *sum = analog_sums(r, tensor, seed, 0, list, n);
    for (uint32_t oy = 0; oy < l->out.height; oy++)
        for (uint32_t ox = 0; ox < l->out.width; ox++)
            for (uint32_t o = 0; o < l->out.channels; o++) {
                const int32_t got = sum[(oy * l->out.width + ox) * l->out.channels + o];
                const int64_t want = 64 * analog_plain(r, tensor, count, o, oy, ox);
                if (got != want)
                    fail_msg("%s, layer %s, output %u at (%u, %u): %d, expected %lld", what, l->name, o, oy,
                             ox, got, (long long)want);
            }
    free(sum);
    free(list);
    free(count);
}

static void check_network(const char *layers, snn_shape in, int bits, snn_encoding e, snn_map_options m,
                          uint32_t parallel) {
    analog_rig r;
    char what[128];
    snprintf(what, sizeof what, "%d bits, %s, %d per cell, %u x %u, %u rows at once", bits,
             snn_encoding_name(e), m.cell_bits, m.rows, m.columns, parallel);
    analog_init(&r, layers, in, bits, e, m);
    r.o.analog.parallel_rows = parallel;
    analog_must_build(&r);
    for (int t = 0; t < r.map->tensors; t++)
        check_layer(&r, t, (uint64_t)t + 1, what);
    analog_free(&r);
}

#define STRIDED                                                                                              \
    "{ name = \"c1\"; type = \"conv2d\"; channels = 5; kernel = 3; padding = 2; stride = 2; },"              \
    "{ name = \"f\"; type = \"flatten\"; }, { name = \"out\"; type = \"linear\"; outputs = 3; }"

static void every_code(void **state) {
    (void)state;
    const snn_encoding encoding[] = {SNN_SIGN_MAGNITUDE, SNN_TWOS_COMPLEMENT, SNN_OFFSET_BINARY};
    for (int e = 0; e < 3; e++)
        for (int bits = 1; bits <= 8; bits++)
            for (int per_cell = 0; per_cell <= 4; per_cell++) {
                check_network(LINEAR, (snn_shape){1, 5, 10}, bits, encoding[e], BITWISE(16, 24, per_cell), 0);
                check_network(CONVS, (snn_shape){2, 5, 6}, bits, encoding[e], BITWISE(7, 16, per_cell), 3);
            }
}

static void every_array(void **state) {
    (void)state;
    const uint32_t side[][2] = {{1, 8}, {3, 9}, {16, 64}, {50, 8}, {256, 1024}};
    for (size_t i = 0; i < sizeof side / sizeof *side; i++)
        for (uint32_t parallel = 0; parallel <= 60; parallel = 2 * parallel + 1)
            for (int per_cell = 0; per_cell <= 1; per_cell++) {
                const snn_map_options m = BITWISE(side[i][0], side[i][1], per_cell);
                check_network(LINEAR, (snn_shape){2, 5, 5}, 8, SNN_TWOS_COMPLEMENT, m, parallel);
                check_network(STRIDED, (snn_shape){2, 6, 7}, 6, SNN_OFFSET_BINARY, m, parallel);
            }
}

/* A converter whose LSB is one step of a cell, with codes for all of them, is lossless: 15 rows of one-bit cells and 4 bits. */
static void lossless_converter(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){1, 5, 10}, 8, SNN_TWOS_COMPLEMENT, BITWISE(50, 64, 1));
    r.o.device.g_min = 0;
    r.o.analog.parallel_rows = 15;
    r.o.analog.adc_bits = 4;
    r.o.analog.adc_range = 1;
    analog_must_build(&r);
    check_layer(&r, 0, 3, "15 rows, 4 bits");
    analog_drop(&r);
    r.o.analog.parallel_rows = 16; /* one row more, and the LSB is 16/15 of a step */
    analog_must_build(&r);
    snn_spike all[50];
    uint32_t count[50];
    const size_t n = analog_input(3, 50, 256, 1, count, all);
    int32_t *sum = analog_sums(&r, 0, 0, 0, all, n);
    int wrong = 0;
    for (uint32_t o = 0; o < 7; o++)
        wrong += sum[o] != 64 * analog_plain(&r, 0, count, o, 0, 0);
    assert_true(wrong > 0);
    free(sum);
    analog_free(&r);
}

/* Whatever the pedestal of conducting cells adds to the codes is taken off again: exactly, where both it and the steps of a cell are whole LSBs. */
static void pedestal_is_taken_off(void **state) {
    (void)state;
    for (int e = 0; e < 3; e++)
        for (int per_cell = 0; per_cell <= 4; per_cell++)
            for (int bits = 1; bits <= 8; bits++) {
                analog_rig r;
                char what[96];
                analog_init(&r, LINEAR, (snn_shape){1, 5, 10}, bits, (snn_encoding)e,
                            BITWISE(20, 64, per_cell));
                r.o.analog.adc_bits = 16;
                r.o.analog.adc_range = 1;
                analog_must_build(&r);
                snn_analog_tensor *t = &r.analog->tensor[0];
                const double lsb =
                    per_cell == 0 ? 1
                                  : 1 / 40.0; /* g_min is 1/40 of the range, a step some 40ths of a unit */
                snn_analog_set_range(t, lsb * (double)t->high);
                snprintf(what, sizeof what, "pedestal, encoding %d, %d bits, %d per cell", e, bits, per_cell);
                check_layer(&r, 0, 5, what);
                snn_analog_stats s;
                snn_analog_total(r.analog, &s);
                assert_int_equal(s.clipped, 0);
                analog_free(&r);
            }
}

/* ---- the baseline ---- */

/* All conductances drift to 0.794 of what they were: with a reference lane, which drifts too, so do the sums; nominally, what is missing of the baseline is on top: of g_min of all cells, and in
 * offset binary of 64. */
static void baseline_of_drifted_cells(void **state) {
    (void)state;
    const struct {
        snn_encoding encoding;
        int per_cell;
        double
            baseline; /* by hand: 7 bits; one of 40 parts of a level in every cell, times the significance of its highest level: 127 or -1 in all */
    } kind[] = {{SNN_TWOS_COMPLEMENT, 1, -1 / 40.0},
                {SNN_OFFSET_BINARY, 1, 127 / 40.0 + 64},
                {SNN_OFFSET_BINARY, 3, 127 / 40.0 + 64},
                {SNN_SIGN_MAGNITUDE, 0, 0}};
    for (size_t k = 0; k < 4; k++)
        for (int nominal = 0; nominal <= 1; nominal++) {
            analog_rig r;
            analog_init(&r, LINEAR, (snn_shape){1, 5, 10}, 7, kind[k].encoding,
                        BITWISE(20, 32, kind[k].per_cell));
            r.o.device.retention = SNN_RETENTION_POWER;
            r.o.device.exponent = -0.1;
            r.o.condition.seconds = 10;
            r.o.analog.nominal_baseline = nominal;
            analog_must_build(&r);
            const double kept = pow(10, -0.1);
            uint32_t count[50];
            snn_spike list[50];
            const size_t n = analog_input(k, 50, 100, 2, count, list);
            double pulses = 0;
            for (size_t i = 0; i < n; i++)
                pulses += list[i].count;
            int32_t *sum = analog_sums(&r, 0, 0, 0, list, n);
            for (uint32_t o = 0; o < 7; o++) {
                const double want = kept * (double)analog_plain(&r, 0, count, o, 0, 0) -
                                    (nominal ? (1 - kept) * kind[k].baseline * pulses : 0);
                if (!(fabs(sum[o] / 64.0 - want) < 0.3))
                    fail_msg("kind %zu, nominal %d, output %u: %g, expected %g", k, nominal, o, sum[o] / 64.0,
                             want);
            }
            free(sum);
            analog_free(&r);
        }
}

/* ---- through the engine ---- */

static void engine_is_the_same(void **state) {
    (void)state;
    snn_error err = {0};
    for (int arithmetic = 0; arithmetic < 2; arithmetic++) {
        analog_rig r;
        analog_init(&r, CONVS, (snn_shape){2, 5, 6}, 6, SNN_SIGN_MAGNITUDE, BITWISE(16, 32, 1));
        analog_must_build(&r);
        snn_engine_options options = {.arithmetic = (snn_arithmetic)arithmetic, .simd = snn_simd_best()};
        snn_engine *plain = snn_engine_new(r.net, r.codes, &options, &err);
        options.hook = snn_analog_hook(r.analog);
        snn_engine *engine = snn_engine_new(r.net, r.stored, &options, &err);
        assert_non_null(plain);
        assert_non_null(engine);
        snn_workspace *w0 = snn_workspace_new(plain, &err), *w1 = snn_workspace_new(engine, &err);
        snn_result a, b;
        assert_true(snn_result_init(&a, r.net, 9, &err) && snn_result_init(&b, r.net, 9, &err));
        snn_random random;
        snn_random_init(&random, 4, SNN_PURPOSE_TEST, 0);
        uint8_t counts[9 * 60];
        for (int i = 0; i < 9 * 60; i++)
            counts[i] = (uint8_t)(snn_random_below(&random, 3) ? 0 : 1 + snn_random_below(&random, 2));
        snn_spikes x = {0};
        assert_true(snn_spikes_from_counts(&x, 60, 9, counts, &err));
        assert_true(snn_engine_run(plain, &x, 0, w0, NULL, &a, &err));
        assert_true(snn_engine_run(engine, &x, 0, w1, NULL, &b, &err));
        assert_memory_equal(a.out, b.out, (size_t)a.classes * sizeof *a.out);
        assert_memory_equal(a.out_spikes, b.out_spikes, (size_t)a.classes * 9 * sizeof *a.out_spikes);
        for (int l = 0; l < r.net->layers; l++)
            assert_int_equal(a.activity[l].spikes, b.activity[l].spikes);
        assert_true(a.activity[2].spikes > 0);
        snn_spikes_free(&x);
        snn_result_free(&a);
        snn_result_free(&b);
        snn_workspace_free(w0);
        snn_workspace_free(w1);
        snn_engine_free(plain);
        snn_engine_free(engine);
        analog_free(&r);
    }
}

/* ---- groups and counters ---- */

/* 10 rows in arrays of 4, counts 1 and 3: worked out by hand. */
static void groups_by_hand(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 3; }", (snn_shape){1, 2, 5}, 2,
                SNN_TWOS_COMPLEMENT, BITWISE(4, 4, 1));
    r.o.analog.parallel_rows = 2;
    analog_must_build(&r);
    /* Array row 0: rows 0, 1, 3; array row 1: 5; array row 2: 8, 9 (count 3). Two arrays beside each other (3 outputs of 2 cells in 4 columns). */
    const snn_spike input[] = {{0, 1}, {1, 1}, {3, 1}, {5, 1}, {8, 1}, {9, 3}};
    free(analog_sums(&r, 0, 0, 0, input, 6));
    snn_analog_stats s;
    snn_analog_total(r.analog, &s);
    /* Array row 0: groups (0 1) (3). Row 1: (5). Row 2: pulse 1 (8 9), pulse 2 (9), pulse 3 (9). */
    assert_int_equal(s.array_reads, 2 * (2 + 1 + 3));
    assert_int_equal(s.row_pulses, 2 * (3 + 1 + 4));
    assert_int_equal(s.conversions, 6 * (2 + 1 + 3));
    assert_int_equal(s.most_rows, 2);
    assert_int_equal(s.clipped, 0);
    assert_int_equal(s.worst.sums, 3);
    double siemens = 0;
    const uint32_t pulses[10] = {1, 1, 0, 1, 0, 1, 0, 0, 1, 3};
    for (uint32_t row = 0; row < 10; row++)
        for (uint32_t o = 0; o < 3; o++) {
            const uint32_t code = r.stored->tensor[0].code8[o * 10 + row];
            siemens += pulses[row] * 1e-6 * ((code & 2 ? 41 : 1) + (code & 1 ? 41 : 1));
        }
    assert_true(fabs(s.cell_siemens_reads - siemens) < 1e-9 * siemens);
    analog_drop(&r);
    r.o.analog.parallel_rows = 0;
    analog_must_build(&r);
    free(analog_sums(&r, 0, 0, 0, input, 6));
    snn_analog_total(r.analog, &s);
    assert_int_equal(s.array_reads, 2 * (1 + 1 + 3));
    assert_int_equal(s.most_rows, 3);
    free(analog_sums(&r, 0, 0, 0, input, 0)); /* a silent step reads nothing */
    snn_analog_stats again;
    snn_analog_total(r.analog, &again);
    assert_int_equal(again.array_reads, s.array_reads);
    free(analog_sums(&r, 0, 1, 0, input, 6));
    snn_analog_total(r.analog, &again);
    assert_int_equal(again.array_reads, 2 * s.array_reads);
    assert_int_equal(again.worst.sums, 6);
    analog_free(&r);
}

/* What the busiest converter does in turn, group by group: arrays beside each other convert at the same time. */
static void conversions_in_turn(void **state) {
    (void)state;
    static const struct {
        uint32_t columns, shared;
        int cell_bits;
        uint64_t of_group;
    } cases[] = {
        {4, 3, 1, 3},  /* of the 4 columns of 2 outputs the first converter has 3 */
        {4, 8, 1, 4},  /* no more than the array has */
        {64, 8, 1, 6}, /* no more than are in use: 3 outputs of 2 cells */
        {64, 1, 1, 1}, {4, 2, 0, 1},
        {64, 4, 0, 2}, {64, 3, 0, 2}, /* pairs: two of columns 0 .. 2 are positive */
        {64, 8, 0, 3}, {64, 1, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        analog_rig r;
        analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 3; }", (snn_shape){1, 2, 5}, 2,
                    SNN_TWOS_COMPLEMENT, BITWISE(4, cases[i].columns, cases[i].cell_bits));
        r.o.analog.columns_per_adc = cases[i].shared;
        analog_must_build(&r);
        const snn_spike input[] = {{0, 1}, {5, 1}, {8, 1}, {9, 3}}; /* one group, one, and three pulses */
        free(analog_sums(&r, 0, 0, 0, input, 4));
        snn_analog_stats s;
        snn_analog_total(r.analog, &s);
        assert_int_equal(s.turns, 5 * cases[i].of_group);
        analog_free(&r);
    }
}

/* Pixels without a spike in sight are not read. */
static void only_pixels_that_see_spikes(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r,
                "{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; padding = 1; }, { name = "
                "\"f\"; type = \"flatten\"; }, { name = \"o\"; type = \"linear\"; outputs = 2; }",
                (snn_shape){1, 6, 6}, 4, SNN_OFFSET_BINARY, BITWISE(9, 8, 1));
    analog_must_build(&r);
    const snn_spike corner = {0, 1}, inside = {2 * 6 + 3, 1};
    free(analog_sums(&r, 0, 0, 0, &corner, 1));
    snn_analog_stats s;
    snn_analog_tensor_stats(r.analog, 0, &s);
    assert_int_equal(s.array_reads, 4);
    assert_int_equal(s.worst.sums, 8);
    free(analog_sums(&r, 0, 0, 1, &inside, 1));
    snn_analog_tensor_stats(r.analog, 0, &s);
    assert_int_equal(s.array_reads, 4 + 9);
    snn_analog_tensor_stats(r.analog, 1, &s);
    assert_int_equal(s.array_reads, 0);
    analog_free(&r);
}

/* Sums, squares and errors of a converter that sees nothing: everything becomes code 0. */
static void statistics_of_sums(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, "{ name = \"fc\"; type = \"linear\"; outputs = 2; }", (snn_shape){1, 1, 4}, 3,
                SNN_TWOS_COMPLEMENT, BITWISE(4, 8, 1));
    r.o.device.g_min = 0;
    r.o.analog.adc_bits = 2;
    r.o.analog.adc_range = 16;                         /* one code is 16 * 4 / 3 cells */
    const uint8_t codes[8] = {1, 7, 2, 3, 4, 0, 5, 1}; /* 1 -1 2 3 | -4 0 -3 1 */
    memcpy(r.stored->tensor[0].code8, codes, 8);
    analog_must_build(&r);
    const snn_spike input[] = {{0, 1}, {2, 1}, {3, 2}};
    int32_t *sum = analog_sums(&r, 0, 0, 0, input, 3);
    assert_int_equal(sum[0], 0);
    assert_int_equal(sum[1], 0);
    snn_analog_stats s;
    snn_analog_total(r.analog, &s);
    const double first = 1 + 2 + 6, second = -4 - 3 + 2;
    assert_true(fabs(s.worst.sum - (first + second)) < 1e-9);
    assert_true(fabs(s.worst.square - (first * first + second * second)) < 1e-9);
    assert_true(fabs(s.worst.error - s.worst.square) < 1e-9);
    assert_true(fabs(s.worst.step - 16 * 4 / 3.0) < 1e-9);
    free(sum);
    analog_free(&r);
}

/* More pulses than 32-bit sums of codes and currents hold, and more than a sum may be. */
static void very_many_pulses(void **state) {
    (void)state;
    analog_rig r;
    snn_error err = {0};
    analog_init(&r, LINEAR, (snn_shape){1, 20, 20}, 8, SNN_OFFSET_BINARY, BITWISE(400, 64, 1));
    r.o.device.g_min = 0;
    for (int bits = 0; bits <= 16; bits += 16) {
        r.o.analog.adc_bits = bits;
        r.o.analog.adc_range = 65535 / 32.0 / 400; /* an LSB of 1/32 of a step: exact */
        analog_must_build(&r);
        uint32_t count[400];
        snn_spike all[400];
        analog_input(1, 400, 256, 1, count, all);
        for (int i = 0; i < 400; i++)
            all[i].count = count[i] = i % 7 ? 1 : 40000;
        int32_t *sum = analog_sums(&r, 0, 0, 0, all, 400);
        for (uint32_t o = 0; o < 7; o++) {
            const int64_t want = analog_plain(&r, 0, count, o, 0, 0);
            assert_true(llabs(want) > 10000);
            assert_int_equal(sum[o], 64 * want);
        }
        free(sum);
        analog_drop(&r);
    }
    r.o.analog.adc_bits = 0;
    analog_must_build(&r);
    int32_t sum[7];
    uint32_t line = 0;
    while (abs(analog_q(&r, 0, 0, line)) < 100)
        line++;
    const uint32_t most = (uint32_t)(INT32_MAX / 64 / abs(analog_q(&r, 0, 0, line)));
    const snn_hook *h = snn_analog_hook(r.analog);
    snn_spike input = {line, most};
    memset(sum, 0, sizeof sum);
    assert_true(h->sums(h->context, r.scratch, 0, 0, 0, &input, 1, sum, &err));
    assert_int_equal(sum[0], 64 * (int64_t)most * analog_q(&r, 0, 0, line));
    input.count = most + 2;
    assert_false(h->sums(h->context, r.scratch, 0, 0, 0, &input, 1, sum, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_string_equal(err.text,
                        "analogue read-out drives a synaptic sum of layer fc beyond 2147483647 / 64");
    analog_free(&r);
}

/* ---- what results depend on ---- */

/* Inputs in any order, also where only the first two are exchanged, and with more inputs than a word has bits. */
static void unordered_inputs(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, LINEAR, (snn_shape){3, 10, 10}, 8, SNN_TWOS_COMPLEMENT, BITWISE(64, 64, 1));
    analog_must_build(&r);
    uint32_t count[300];
    snn_spike list[300];
    const size_t n = analog_input(5, 300, 120, 2, count, list);
    int32_t *ordered = analog_sums(&r, 0, 0, 0, list, n);
    for (uint32_t o = 0; o < 7; o++)
        assert_int_equal(ordered[o], 64 * analog_plain(&r, 0, count, o, 0, 0));
    for (size_t from = 0; from < n; from += from ? 17 : 1) { /* exchange input `from` and a later one */
        const size_t to = from ? n - 1 : 1;
        const snn_spike kept = list[from];
        list[from] = list[to];
        list[to] = kept;
        int32_t *sum = analog_sums(&r, 0, 0, 0, list, n);
        assert_memory_equal(sum, ordered, 7 * sizeof *sum);
        snn_analog_stats s;
        snn_analog_total(r.analog, &s);
        assert_int_equal(s.most_rows <= 64, 1);
        free(sum);
    }
    snn_analog_stats s;
    snn_analog_total(r.analog, &s);
    const uint64_t runs = s.worst.sums / 7;
    assert_int_equal(s.array_reads,
                     runs * 5 * 2); /* 5 rows of arrays, 2 pulses: none is read twice for the order */
    free(ordered);
    analog_free(&r);
}

static void order_and_history_do_not_matter(void **state) {
    (void)state;
    analog_rig r;
    analog_init(&r, CONVS, (snn_shape){2, 5, 6}, 8, SNN_TWOS_COMPLEMENT, BITWISE(16, 32, 1));
    r.o.device.white = 0.02;
    r.o.device.one_over_f = 0.5;
    r.o.device.one_over_f_time = 1e-6;
    r.o.analog.adc_bits = 6;
    r.o.analog.adc_range = 1;
    analog_must_build(&r);
    uint32_t count[60];
    snn_spike list[60], back[60];
    const size_t n = analog_input(5, 60, 120, 2, count, list);
    for (size_t i = 0; i < n; i++)
        back[i] = list[n - 1 - i];
    int32_t *a = analog_sums(&r, 0, 3, 2, list, n);
    free(analog_sums(&r, 0, 4, 2, list, n));
    free(analog_sums(&r, 1, 3, 2, list, 5));
    int32_t *b = analog_sums(&r, 0, 3, 2, back, n), *c = analog_sums(&r, 0, 3, 3, list, n),
            *d = analog_sums(&r, 0, 4, 2, list, n);
    const size_t bytes = snn_shape_size(analog_layer(&r, 0)->out) * sizeof *a;
    assert_memory_equal(a, b, bytes);
    assert_memory_not_equal(a, c, bytes);
    assert_memory_not_equal(a, d, bytes);
    free(b), free(c), free(d);
    analog_drop(&r);
    snn_error err = {0};
    assert_true(analog_build(&r, 0, NULL, 0, &err)); /* the same chip once more, then another */
    b = analog_sums(&r, 0, 3, 2, list, n);
    assert_memory_equal(a, b, bytes);
    free(b);
    analog_drop(&r);
    assert_true(analog_build(&r, 1, NULL, 0, &err));
    b = analog_sums(&r, 0, 3, 2, list, n);
    assert_memory_not_equal(a, b, bytes);
    free(a), free(b);
    analog_free(&r);
}

/* Threads with workspaces of their own give the same sums and the same counts as one after the other. */
static void threads_do_not_matter(void **state) {
    (void)state;
    enum { SAMPLES = 40, OUTPUTS = 3 * 5 * 6 };
    static int32_t sum[2][SAMPLES][OUTPUTS];
    snn_analog_stats s[2];
    for (int threads = 1; threads <= 3; threads += 2) {
        analog_rig r;
        analog_init(&r, CONVS, (snn_shape){2, 5, 6}, 8, SNN_TWOS_COMPLEMENT, BITWISE(16, 32, 1));
        r.o.device.white = 0.02;
        r.o.device.one_over_f = 0.5;
        r.o.device.one_over_f_time = 1e-6;
        r.o.analog.adc_bits = 5;
        r.o.analog.adc_range = 1;
        analog_must_build(&r);
        const snn_hook *h = snn_analog_hook(r.analog);
        bool ok = true;
#pragma omp parallel num_threads(threads) reduction(&& : ok)
        {
            snn_error err = {0};
            void *scratch = snn_alloc(h->scratch_bytes, 1, "scratch", &err);
#pragma omp for schedule(dynamic, 1)
            for (int i = 0; i < SAMPLES; i++) {
                uint32_t count[60];
                snn_spike list[60];
                const size_t n = analog_input((uint64_t)i, 60, 120, 2, count, list);
                memset(sum[threads / 2][i], 0, sizeof sum[0][i]);
                ok =
                    ok && h->sums(h->context, scratch, 0, (uint64_t)i, 1, list, n, sum[threads / 2][i], &err);
            }
            free(scratch);
        }
        assert_true(ok);
        snn_analog_total(r.analog, &s[threads / 2]);
        analog_free(&r);
    }
    assert_memory_equal(sum[0], sum[1], sizeof sum[0]);
    assert_true(s[0].conversions == s[1].conversions && s[0].clipped == s[1].clipped &&
                s[0].array_reads == s[1].array_reads && s[0].row_pulses == s[1].row_pulses &&
                s[0].most_rows == s[1].most_rows);
    assert_true(s[0].cell_siemens_reads == s[1].cell_siemens_reads && s[0].worst.sum == s[1].worst.sum &&
                s[0].worst.square == s[1].worst.square && s[0].worst.error == s[1].worst.error);
    assert_true(s[0].worst.error > 0);
}

/* ---- codes ---- */

static void weights_that_add_up(void **state) {
    (void)state;
    snn_error err = {0};
    snn_net *net = test_net(LINEAR, (snn_shape){1, 8, 8});
    const snn_encoding want[3][3] = {/* differential, one bit, two bits per cell */
                                     {SNN_SIGN_MAGNITUDE, SNN_TWOS_COMPLEMENT, SNN_OFFSET_BINARY},
                                     {SNN_TWOS_COMPLEMENT, SNN_TWOS_COMPLEMENT, SNN_OFFSET_BINARY},
                                     {SNN_OFFSET_BINARY, SNN_OFFSET_BINARY, SNN_OFFSET_BINARY}};
    for (int e = 0; e < 3; e++)
        for (int per_cell = 0; per_cell <= 2; per_cell++)
            for (int bits = 1; bits <= 8; bits++) {
                snn_weights *w = test_codes(net, bits, (snn_encoding)e, 7);
                const snn_map_options m = BITWISE(8, 64, per_cell);
                snn_weights *out = snn_analog_weights(w, &m, &err);
                assert_non_null(out);
                assert_int_equal(out->tensor[0].encoding, bits == 1 ? (snn_encoding)e : want[e][per_cell]);
                for (uint64_t i = 0; i < w->tensor[0].count; i++)
                    assert_int_equal(snn_weight_q(&out->tensor[0], i), snn_weight_q(&w->tensor[0], i));
                snn_weights_free(out);
                snn_weights_free(w);
            }
    uint16_t wide[] = {0x801, 0x002, 0x800}; /* 12 bits: -1, 2, -0 */
    snn_tensor tensor = {
        .type = SNN_CODE_16, .bits = 12, .dims = 2, .shape = {1, 3}, .count = 3, .code16 = wide};
    const snn_map_options one = BITWISE(8, 64, 1);
    snn_weights *out = snn_analog_weights(&(snn_weights){1, &tensor}, &one, &err);
    assert_non_null(out);
    assert_true(out->tensor[0].code16[0] == 0xFFF && out->tensor[0].code16[1] == 2 &&
                out->tensor[0].code16[2] == 0);
    snn_weights_free(out);
    snn_weights *floats = snn_weights_new(net, &err);
    const snn_map_options m = BITWISE(8, 64, 1);
    assert_null(snn_analog_weights(floats, &m, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "'fc' has float weights"));
    snn_weights_free(floats);
    snn_net_free(net);
}

static void expect_refused(snn_encoding e, snn_map_options m, const char *text) {
    analog_rig r;
    snn_error err = {0};
    analog_init(&r, LINEAR, (snn_shape){1, 4, 4}, 4, e, m);
    snn_weights_free(r.stored); /* not translated */
    snn_map_free(r.map);
    r.stored = snn_weights_copy(r.codes, &err);
    r.map = test_map(r.net, r.stored, m);
    assert_false(analog_build(&r, 0, NULL, 0, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, text);
    analog_free(&r);
}

static void codes_that_do_not_add_up(void **state) {
    (void)state;
    expect_refused(SNN_SIGN_MAGNITUDE, BITWISE(16, 32, 1), "layer 'fc' has sign_magnitude codes");
    expect_refused(SNN_TWOS_COMPLEMENT, BITWISE(16, 32, 2),
                   "sign bit, which counts negative, cannot share a cell");
    snn_map_options gray = BITWISE(16, 32, 2);
    gray.gray = true;
    expect_refused(SNN_OFFSET_BINARY, gray, "hw.gray = false");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_code),
                                       cmocka_unit_test(every_array),
                                       cmocka_unit_test(lossless_converter),
                                       cmocka_unit_test(pedestal_is_taken_off),
                                       cmocka_unit_test(baseline_of_drifted_cells),
                                       cmocka_unit_test(engine_is_the_same),
                                       cmocka_unit_test(groups_by_hand),
                                       cmocka_unit_test(conversions_in_turn),
                                       cmocka_unit_test(only_pixels_that_see_spikes),
                                       cmocka_unit_test(statistics_of_sums),
                                       cmocka_unit_test(very_many_pulses),
                                       cmocka_unit_test(unordered_inputs),
                                       cmocka_unit_test(order_and_history_do_not_matter),
                                       cmocka_unit_test(threads_do_not_matter),
                                       cmocka_unit_test(weights_that_add_up),
                                       cmocka_unit_test(codes_that_do_not_add_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
