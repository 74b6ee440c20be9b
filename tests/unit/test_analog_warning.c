/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The warning that converters ruin the sums: its criterion and its words; sums over tensors and chips; with real recordings: it comes where accuracy breaks, not at 8 bit, and its advice helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analog_test.h"

#include <snnsim/snnsim.h>

/* 1000 sums of spread 10 whose converters err by `error` */
static snn_analog_layer layer_with(int tensor, double error) {
    return (snn_analog_layer){.tensor = tensor,
                              .most_rows = 40,
                              .conversions = 8000,
                              .clipped = 20,
                              .step = 2.5,
                              .sums = 1000,
                              .sum = 5000,
                              .square = 1000 * (100 + 25),
                              .error = 1000 * error * error};
}

static void criterion(void **state) {
    (void)state;
    analog_rig r;
    char text[1024];
    analog_init(&r, CONVS, (snn_shape){2, 5, 6}, 8, SNN_TWOS_COMPLEMENT, BITWISE(64, 64, 1));
    r.o.analog.adc_bits = 4;
    snn_analog_stats s = {0};
    assert_false(snn_analog_warning(&s, &r.o, r.map, text, sizeof text)); /* nothing was read */
    assert_string_equal(text, "");
    s.worst = layer_with(1, 10 / sqrt(3.0) * 0.999);
    assert_false(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    s.worst = layer_with(1, 10 / sqrt(3.0) * 1.001);
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    assert_string_equal(text,
                        "c2: up to 40 rows conduct at once, whose currents have 41 levels, into converters "
                        "of 16 codes (one code is 2.5 steps of a cell): the converters' error is 0.58 times "
                        "the spread of the synaptic sums (0.25 % of conversions are clipped), which leaves "
                        "less than the one bit per sum that a neuron needs; try hw.analog.adc_bits = 6 or "
                        "fewer hw.analog.parallel_rows");
    char cut[12];
    assert_true(snn_analog_warning(&s, &r.o, r.map, cut, sizeof cut));
    assert_string_equal(cut, "c2: up to 4");
    r.o.analog.adc_range = 1;
    s.worst = layer_with(0, 40); /* 7 times too much: 3 bits, and one of reserve */
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    assert_non_null(strstr(text, "adc_bits = 8, hw.analog.adc_range = 0 (calibrated) or fewer"));
    s.worst = layer_with(0, 1e9);
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    assert_non_null(strstr(text, "adc_bits = 16,"));
    s.worst = layer_with(3, 40); /* no such tensor */
    assert_false(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    s.worst = layer_with(0, 40);
    r.o.analog.adc_bits = 0;
    assert_false(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    r.o.analog.adc_bits = 5;
    r.o.map.cell_bits = 3;
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    assert_non_null(strstr(text, "281 levels, into converters of 32 codes"));
    r.o.map.cell_bits = 0;
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    assert_non_null(strstr(text, "into 5-bit converters, one code of which is 2.5 steps of a weight: the"));
    analog_free(&r);
}

/* All sums alike have no spread: any error ruins them. */
static void sums_without_spread(void **state) {
    (void)state;
    analog_rig r;
    char text[1024];
    analog_init(&r, LINEAR, (snn_shape){1, 4, 4}, 8, SNN_TWOS_COMPLEMENT, BITWISE(64, 64, 1));
    r.o.analog.adc_bits = 4;
    snn_analog_stats s = {.worst = {.sums = 10, .sum = 30, .square = 90, .error = 1}};
    assert_true(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    s.worst.error = 0;
    assert_false(snn_analog_warning(&s, &r.o, r.map, text, sizeof text));
    analog_free(&r);
}

static void sums_of_statistics(void **state) {
    (void)state;
    snn_analog_stats s = {0}, a = {.conversions = 5,
                                   .clipped = 1,
                                   .array_reads = 2,
                                   .row_pulses = 7,
                                   .turns = 6,
                                   .cell_siemens_reads = 0.5,
                                   .most_rows = 3,
                                   .worst = layer_with(2, 4)};
    a.worst.most_rows = 3;
    snn_analog_stats_add(&s, &a);
    assert_int_equal(s.worst.tensor, 2);
    assert_true(s.worst.error == a.worst.error);
    snn_analog_stats b = a;
    b.most_rows = b.worst.most_rows = 9;
    b.worst.step = 3;
    snn_analog_stats_add(&s, &b); /* the same tensor of another chip */
    assert_int_equal(s.conversions, 10);
    assert_int_equal(s.clipped, 2);
    assert_int_equal(s.array_reads, 4);
    assert_int_equal(s.row_pulses, 14);
    assert_int_equal(s.turns, 12);
    assert_true(s.cell_siemens_reads == 1.0);
    assert_int_equal(s.most_rows, 9);
    assert_int_equal(s.worst.most_rows, 9);
    assert_int_equal(s.worst.sums, 2000);
    assert_int_equal(s.worst.conversions, 16000);
    assert_int_equal(s.worst.clipped, 40);
    assert_true(s.worst.sum == 10000 && s.worst.square == 250000 && s.worst.error == 32000 &&
                s.worst.step == 3);
    b.worst = layer_with(1, 3); /* another tensor, with less error */
    snn_analog_stats_add(&s, &b);
    assert_int_equal(s.worst.tensor, 2);
    b.worst = layer_with(0, 5);
    snn_analog_stats_add(&s, &b);
    assert_int_equal(s.worst.tensor, 0);
    assert_int_equal(s.worst.sums, 1000);
    snn_analog_stats none = {0}; /* a chip that read nothing */
    snn_analog_stats_add(&s, &none);
    assert_int_equal(s.worst.sums, 1000);
    assert_int_equal(s.worst.most_rows, 40);
}

/* ---- N-MNIST ---- */

enum { SAMPLES = 50, TRAINING = 5 };

typedef struct {
    snn_config *config;
    snn_model model;
    snn_spikes sample[SAMPLES], training[TRAINING];
    int label[SAMPLES];
} recordings;

static bool open_set(snn_config *c, snn_split split, snn_spikes *x, int *label, size_t n) {
    snn_error err = {0};
    snn_dataset *d = snn_dataset_open(c, split, &err);
    if (d == NULL)
        return false;
    snn_dataset_buffer buffer = {0};
    for (size_t i = 0; i < n; i++) {
        if (!snn_dataset_frames(d, i, &buffer, &x[i], &err))
            fail_msg("%s", err.text);
        if (label != NULL)
            label[i] = snn_dataset_label(d, i);
    }
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(d);
    return true;
}

static bool open_recordings(recordings *r) {
    snn_error err = {0};
    *r = (recordings){0};
    if (getenv("SNNSIM_DATA") == NULL)
        setenv("SNNSIM_DATA", "../shared/data", 1);
    r->config = snn_config_load("configs/nmnist.cfg", &err);
    if (r->config == NULL || !snn_model_load(&r->model, "models/nmnist.h5", &err))
        fail_msg("%s", err.text);
    return open_set(r->config, SNN_SPLIT_TEST, r->sample, r->label, SAMPLES) &&
           open_set(r->config, SNN_SPLIT_TRAIN, r->training, NULL, TRAINING);
}

/* Samples recognised with some options; *warned: the run warns, and what it says. */
static int recognised(const recordings *r, snn_hw_options o, bool *warned, char text[1024]) {
    snn_error err = {0};
    snn_weights *w = snn_analog_weights(r->model.weights, &o.map, &err);
    snn_map *map = snn_map_new(r->model.net, w, &o.map, &err);
    snn_chip *chip = snn_chip_program(map, &o, w, 0, &err);
    snn_readout *readout =
        snn_readout_new(chip, &o.condition, NULL, SNN_READ_FAST, r->model.net, r->training, TRAINING, &err);
    if (readout == NULL)
        fail_msg("%s", err.text);
    const snn_engine_options options = {.simd = snn_simd_best(), .hook = snn_readout_hook(readout)};
    snn_engine *engine = snn_engine_new(r->model.net, snn_readout_weights(readout), &options, &err);
    assert_non_null(engine);
    snn_workspace *work = snn_workspace_new(engine, &err);
    snn_result result = {0};
    assert_true(snn_result_init(&result, r->model.net, r->sample[0].steps, &err));
    int right = 0;
    for (int i = 0; i < SAMPLES; i++) {
        if (!snn_engine_run(engine, &r->sample[i], (uint64_t)i, work, NULL, &result, &err))
            fail_msg("%s", err.text);
        right += result.predicted == r->label[i];
    }
    snn_analog_stats s;
    snn_readout_analog(readout, &s);
    *warned = snn_analog_warning(&s, &o, map, text, 1024);
    snn_result_free(&result);
    snn_workspace_free(work);
    snn_engine_free(engine);
    snn_readout_free(readout);
    snn_chip_free(chip);
    snn_map_free(map);
    snn_weights_free(w);
    return right;
}

static void where_accuracy_breaks(void **state) {
    (void)state;
    recordings r;
    if (!open_recordings(&r)) {
        print_message("skipped (no data)\n");
        skip();
    }
    analog_rig ideal;
    analog_init(&ideal, LINEAR, (snn_shape){1, 4, 4}, 8, SNN_TWOS_COMPLEMENT, BITWISE(1024, 1024, 1));
    snn_hw_options o = ideal.o;
    bool warned;
    char text[1024];
    o.analog.adc_bits = 0;
    const int plain = recognised(&r, o, &warned, text);
    assert_false(warned);
    /* Many rows into 4 bits, scaled to the largest possible current: the well-known case. */
    o.analog.adc_bits = 4;
    o.analog.adc_range = 1;
    const int ruined = recognised(&r, o, &warned, text);
    assert_true(warned);
    assert_true(ruined < plain - 10);
    assert_non_null(strstr(text, "into converters of 16 codes (one code is 35"));
    /* What it says to try. */
    const char *advice = strstr(text, "try hw.analog.adc_bits = ");
    assert_non_null(advice);
    o.analog.adc_bits = atoi(advice + strlen("try hw.analog.adc_bits = "));
    assert_in_range(o.analog.adc_bits, 6, 9);
    int right = recognised(&r, o, &warned, text);
    assert_false(warned);
    assert_true(right >= plain - 2);
    o.analog.adc_bits = 4;
    o.analog.parallel_rows = 15;
    right = recognised(&r, o, &warned, text);
    assert_false(warned);
    assert_true(right >= plain - 2);
    /* 8 bits as calibrated, which is the default. */
    o.analog.parallel_rows = 0;
    o.analog.adc_bits = 8;
    o.analog.adc_range = 0;
    right = recognised(&r, o, &warned, text);
    assert_false(warned);
    assert_true(right >= plain - 1);
    analog_free(&ideal);
    for (int i = 0; i < SAMPLES; i++)
        snn_spikes_free(&r.sample[i]);
    for (int i = 0; i < TRAINING; i++)
        snn_spikes_free(&r.training[i]);
    snn_model_free(&r.model);
    snn_config_free(r.config);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(criterion), cmocka_unit_test(sums_without_spread),
                                       cmocka_unit_test(sums_of_statistics),
                                       cmocka_unit_test(where_accuracy_breaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
