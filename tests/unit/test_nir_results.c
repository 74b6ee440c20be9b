/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NIR networks that others trained, from the published files alone: the Braille network (snnTorch) and the N-MNIST network (sinabs) give the expected outputs for every sample;
 * of the single neuron that six simulators traced, which of them we match bit by bit. The rules that the others follow are written out here and checked against their traces
 * too, so that it is known why we differ (docs/import.md).
 */
#include <snnsim/dataset.h>
#include <snnsim/engine.h>
#include <snnsim/import.h>
#include <snnsim/output.h>

#include "../../sim/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *data_folder(void) {
    const char *folder = getenv("SNNSIM_DATA");
    return folder != NULL && *folder ? folder : "../shared/data";
}

static const char *at(const char *name) {
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", data_folder(), name);
    return path[turn];
}

static void need(const char *name) {
    if (access(at(name), R_OK) == 0)
        return;
    print_message("skipped (no data)\n");
    skip();
}

static snn_model import(const char *name, const snn_import_options *o) {
    snn_model m;
    snn_error err;
    assert_int_equal(snn_import_recognise(at(name), &err), SNN_IMPORT_NIR);
    if (!snn_import(&m, at(name), o, &err))
        fail_msg("%s", err.text);
    return m;
}

/* ---- running samples ---- */

typedef struct {
    snn_engine *engine;
    snn_workspace *workspace;
    snn_result result;
    int classes;
} runner;

static runner start(const snn_net *net, const snn_weights *weights, snn_arithmetic arithmetic, int steps) {
    snn_error err;
    runner r = {.classes = (int)net->classes};
    snn_engine_options o = {.arithmetic = arithmetic, .simd = snn_simd_best()};
    r.engine = snn_engine_new(net, weights, &o, &err);
    if (r.engine == NULL)
        fail_msg("%s", err.text);
    r.workspace = snn_workspace_new(r.engine, &err);
    assert_non_null(r.workspace);
    assert_true(snn_result_init(&r.result, net, steps, &err));
    return r;
}

static void stop(runner *r) {
    snn_result_free(&r->result);
    snn_workspace_free(r->workspace);
    snn_engine_free(r->engine);
}

static void run(runner *r, const snn_spikes *x, const snn_trace *trace) {
    snn_error err;
    if (!snn_engine_run(r->engine, x, 0, r->workspace, trace, &r->result, &err))
        fail_msg("%s", err.text);
}

/* Numbers of the next line of a CSV file; false at its end. */
static bool next_row(FILE *f, double *value, int n) {
    char line[1024], *end = line;
    if (fgets(line, sizeof line, f) == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        value[i] = strtod(end, &end);
        end += *end == ',';
    }
    return true;
}

static FILE *open_rows(const char *name, int header) {
    char line[1024];
    FILE *f = fopen(at(name), "r");
    assert_non_null(f);
    for (int i = 0; i < header; i++)
        assert_non_null(fgets(line, sizeof line, f));
    return f;
}

/* ---- Braille ---- */

#define TRIALS 280
#define BINS 256
#define TAXELS 12
#define HIDDEN 38

/* ds_val_K.pt: two tensors at known places (../shared/data/README.md). */
static void read_letters(const char *name, float *x, int64_t *label) {
    FILE *f = fopen(at(name), "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 448, SEEK_SET), 0);
    assert_int_equal(fread(x, sizeof *x, (size_t)TRIALS * BINS * TAXELS, f), TRIALS * BINS * TAXELS);
    assert_int_equal(fseek(f, 3441152, SEEK_SET), 0);
    assert_int_equal(fread(label, sizeof *label, TRIALS, f), TRIALS);
    fclose(f);
}

static void frame(snn_spikes *s, const float *x) {
    snn_error err;
    uint8_t count[BINS * TAXELS];
    for (int i = 0; i < BINS * TAXELS; i++)
        count[i] = (uint8_t)x[i];
    assert_true(snn_spikes_from_counts(s, TAXELS, BINS, count, &err));
}

typedef struct {
    uint8_t spike[BINS][HIDDEN];
    uint64_t spikes;
} activity;

static bool take_activity(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                          snn_error *err) {
    activity *a = context;
    (void)membrane;
    (void)err;
    assert_int_equal(layer, 0);
    memcpy(a->spike[step], spikes, HIDDEN);
    for (int j = 0; j < HIDDEN; j++)
        a->spikes += spikes[j];
    return true;
}

/* Spikes of the hidden layer in the first trial, as published. */
static void check_first(const activity *a) {
    static float expected[BINS * HIDDEN];
    FILE *f = fopen(at("models/nir_braille/activity_lif1_zero_ds_val_0_first.npy"), "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, -(long)sizeof expected, SEEK_END), 0);
    assert_int_equal(fread(expected, sizeof expected, 1, f), 1);
    fclose(f);
    for (int i = 0; i < BINS * HIDDEN; i++)
        assert_int_equal(a->spike[i / HIDDEN][i % HIDDEN], (int)expected[i]);
}

/* Runs one file; the number of trials that are right. */
static int run_letters(const snn_model *m, int file) {
    static const bool traced[] = {true, false};
    char name[128];
    float *x = malloc(sizeof *x * TRIALS * BINS * TAXELS);
    int64_t label[TRIALS];
    static activity a;
    snn_spikes s = {0};
    runner r = start(m->net, m->weights, SNN_ARITHMETIC_FLOAT, BINS);
    int right = 0;
    assert_non_null(x);
    snprintf(name, sizeof name, "braille/letters7_th1/ds_val_%d.pt", file);
    read_letters(name, x, label);
    snprintf(name, sizeof name, "models/nir_braille/expected_braille_noDelay_bias_zero_ds_val_%d.csv", file);
    FILE *f = open_rows(name, 1);
    for (int i = 0; i < TRIALS; i++) {
        double row[10];
        snn_trace trace = {&a, traced, take_activity};
        a.spikes = 0;
        assert_true(next_row(f, row, 10));
        assert_int_equal((int)row[0], i);
        frame(&s, x + (size_t)i * BINS * TAXELS);
        run(&r, &s, &trace);
        assert_int_equal(label[i], (int)row[1]);
        assert_int_equal(a.spikes, (int)row[2]);
        for (int c = 0; c < 7; c++)
            assert_true(r.result.out[c] == row[3 + c]);
        if (file == 0 && i == 0)
            check_first(&a);
        right += r.result.predicted == label[i];
    }
    fclose(f);
    stop(&r);
    snn_spikes_free(&s);
    free(x);
    return right;
}

static void braille(void **state) {
    (void)state;
    need("models/nir_braille/braille_noDelay_bias_zero.nir");
    snn_model m = import("models/nir_braille/braille_noDelay_bias_zero.nir", NULL);
    assert_int_equal(m.net->layers, 2);
    assert_true(m.net->layer[0].recurrent && !m.net->layer[1].recurrent);
    assert_int_equal(m.net->layer[0].neuron.type, SNN_NEURON_CUBA);
    assert_float_equal(m.net->step_us, 100, 1e-9);
    assert_int_equal(run_letters(&m, 0), 271);
    assert_int_equal(run_letters(&m, 1), 267);
    snn_model_free(&m);
}

/* ---- N-MNIST ---- */

static snn_dataset *open_nmnist(snn_config **config) {
    char text[1024];
    snn_error err;
    snprintf(text, sizeof text,
             "dataset = { name = \"nmnist\"; path = \"%s\"; test_list = \"test_first50.txt\"; bins = 300; "
             "bin_us = 1000; "
             "from_zero = true; binary = true; };\n",
             at("nmnist"));
    *config = snn_config_parse(text, "t.cfg", &err);
    assert_non_null(*config);
    snn_dataset *d = snn_dataset_open(*config, SNN_SPLIT_TEST, &err);
    if (d == NULL)
        fail_msg("%s", err.text);
    return d;
}

static void nmnist(void **state) {
    (void)state;
    need("models/nir_nmnist_cnn/cnn_sinabs.nir");
    const snn_import_options sinabs = {.reset = SNN_RESET_SUBTRACT, .at_threshold = true};
    snn_model m = import("models/nir_nmnist_cnn/cnn_sinabs.nir", &sinabs);
    snn_config *config;
    snn_dataset *d = open_nmnist(&config);
    snn_dataset_buffer buffer = {0};
    snn_spikes x = {0};
    snn_error err;
    runner r = start(m.net, m.weights, SNN_ARITHMETIC_FLOAT, 300);
    FILE *f = open_rows("models/nir_nmnist_cnn/expected_output_counts.csv", 1);
    int right = 0;
    assert_int_equal(snn_dataset_count(d), 50);
    for (int i = 0; i < 50; i++) {
        double row[12];
        assert_true(next_row(f, row, 12));
        assert_int_equal((int)row[0], 60001 + i);
        assert_true(snn_dataset_frames(d, (size_t)i, &buffer, &x, &err));
        run(&r, &x, NULL);
        for (int c = 0; c < 10; c++)
            assert_true(r.result.out[c] == row[2 + c]);
        right += r.result.predicted == snn_dataset_label(d, (size_t)i);
    }
    assert_int_equal(right, 48);
    fclose(f);
    stop(&r);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&buffer);
    snn_dataset_free(d);
    snn_config_free(config);
    snn_model_free(&m);
}

/* ---- one neuron, six simulators ---- */

#define ROWS 1000

typedef struct {
    double input[ROWS], membrane[ROWS], spike[ROWS];
} table;

static void read_table(const char *simulator, table *t) {
    char name[64];
    snprintf(name, sizeof name, "models/nir_lif/lif_%s.csv", simulator);
    FILE *f = open_rows(name, 0);
    for (int i = 0; i < ROWS; i++) {
        double row[3];
        assert_true(next_row(f, row, 3));
        t->input[i] = row[0];
        t->membrane[i] = row[1];
        t->spike[i] = row[2];
    }
    fclose(f);
}

/* What our engine does with the table's input; membranes after the reset, as the tables have them. */
typedef struct {
    double membrane[ROWS];
    bool spike[ROWS], fixed;
} ours;

static bool take_neuron(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                        snn_error *err) {
    ours *o = context;
    (void)layer;
    (void)err;
    o->spike[step] = spikes[0];
    o->membrane[step] = spikes[0]  ? 0
                        : o->fixed ? (double)*(const int32_t *)membrane
                                   : (double)*(const float *)membrane;
    return true;
}

static void simulate(const snn_net *net, const snn_weights *weights, const table *t, bool fixed, ours *o) {
    static const bool traced[] = {true};
    uint8_t count[ROWS];
    snn_error err;
    snn_spikes x = {0};
    snn_trace trace = {o, traced, take_neuron};
    runner r = start(net, weights, fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT, ROWS);
    for (int i = 0; i < ROWS; i++)
        count[i] = (uint8_t)t->input[i];
    o->fixed = fixed;
    assert_true(snn_spikes_from_counts(&x, 1, ROWS, count, &err));
    run(&r, &x, &trace);
    snn_spikes_free(&x);
    stop(&r);
}

/* Are the spikes those of the table, `late` rows earlier? The largest difference of membranes. */
static double compare(const ours *o, const table *t, int late) {
    double most = 0;
    for (int i = 0; i + late < ROWS; i++) {
        assert_int_equal(o->spike[i], (int)t->spike[i + late]);
        const double difference = fabs(o->membrane[i] - t->membrane[i + late]);
        most = difference > most ? difference : most;
    }
    return most;
}

static table t;
static ours o;

/* snnTorch: float32, v <- d v + x, threshold divided by the gain: ours, exactly. */
static void neuron_snntorch(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    const snn_import_options options = {.unit_gain = true};
    snn_model m = import("models/nir_lif/lif_norse.nir", &options);
    assert_true(m.net->layer[0].neuron.threshold == 2.5F && m.net->layer[0].neuron.gain == 1);
    read_table("snntorch", &t);
    simulate(m.net, m.weights, &t, false, &o);
    assert_true(compare(&o, &t, 0) == 0);
    snn_model_free(&m);
}

/* Norse: float32, v <- v + a (x - v), which rounds otherwise than d v + a x: the same spikes, membranes within an ulp or two of 0.1. */
static void neuron_norse(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    snn_model m = import("models/nir_lif/lif_norse.nir", NULL);
    read_table("norse", &t);
    simulate(m.net, m.weights, &t, false, &o);
    const double most = compare(&o, &t, 0);
    assert_true(most > 0 && most < 5e-8);
    const float a = (float)(1e-4 / (double)0.0025F), threshold = 0.1F;
    float v = 0;
    for (int i = 0; i < ROWS; i++) { /* its own rule */
        const float change = (float)t.input[i] - v, step = a * change;
        v = v + step;
        const bool spike = v > threshold;
        v = spike ? 0 : v;
        assert_true(v == (float)t.membrane[i] && spike == (t.spike[i] == 1));
    }
    snn_model_free(&m);
}

/* lava in floating point: float64 with float32 constants, one row later: the same spikes, membranes within float32's rounding. */
static void neuron_lava_float(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    snn_model m = import("models/nir_lif/lif_norse.nir", NULL);
    read_table("lava_cpu_float", &t);
    simulate(m.net, m.weights, &t, false, &o);
    const double most = compare(&o, &t, 1);
    assert_true(most > 0 && most < 2e-8);
    const float a = 0.04F, d = 1.0F - a;
    double v = 0;
    for (int i = 0; i + 1 < ROWS; i++) {
        v = v * (double)d + (double)a * t.input[i];
        const bool spike = v > (double)0.1F;
        v = spike ? 0 : v;
        assert_true(v == t.membrane[i + 1] && spike == (t.spike[i + 1] == 1));
    }
    snn_model_free(&m);
}

/* lava in Loihi's integers, one row later: ours, exactly. The constants are those of its import: dv = 0.04 * 4095, du = 4095, weight 0.04 * 256, threshold (0.1 * 131071) >> 9. */
static void neuron_lava_fixed(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    snn_error err;
    snn_net *net = snn_net_begin((snn_shape){1, 1, 1}, 0, 100, SNN_ERR_DATA, &err);
    assert_non_null(net);
    snn_layer l = {.name = "lif",
                   .type = SNN_LAYER_LINEAR,
                   .out = {1, 1, 1},
                   .neuron = {.type = SNN_NEURON_CUBA,
                              .decay = (4096 - 163) / 4096.0F,
                              .current_decay = (4096 - 4095) / 4096.0F,
                              .current_gain = 1,
                              .gain = 1,
                              .threshold = 25}};
    assert_true(snn_net_append(net, &l, false, SNN_ERR_DATA, &err) &&
                snn_net_finish(net, SNN_ERR_DATA, &err));
    uint8_t code = 10;
    float scale = 1;
    snn_tensor tensor = {.name = "lif",
                         .type = SNN_CODE_8,
                         .encoding = SNN_TWOS_COMPLEMENT,
                         .bits = 8,
                         .dims = 2,
                         .shape = {1, 1},
                         .count = 1,
                         .code8 = &code,
                         .scales = 1,
                         .scale = &scale};
    const snn_weights weights = {1, &tensor};
    read_table("lava_cpu_fixed", &t);
    simulate(net, &weights, &t, true, &o);
    assert_true(compare(&o, &t, 1) == 0);
    snn_net_free(net);
}

/* Spyx: float32, the spike comes one row after the crossing and takes the threshold off behind the decay: v <- d v + a x - theta (v > theta). We take it off before the
 * decay, or set 0: the same first spike, then other membranes. */
static void neuron_spyx(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    read_table("spyx", &t);
    const float a = (float)(1e-4 / (double)0.0025F), d = (float)(1 - 1e-4 / (double)0.0025F),
                threshold = 0.1F;
    float v = 0;
    for (int i = 0; i < ROWS; i++) {
        const bool spike = v > threshold;
        const float leaked = d * v, input = a * (float)t.input[i], sum = leaked + input;
        v = sum - (spike ? threshold : 0);
        assert_true(v == (float)t.membrane[i] && spike == (t.spike[i] == 1));
    }
    const snn_import_options subtract = {.reset = SNN_RESET_SUBTRACT};
    snn_model m = import("models/nir_lif/lif_norse.nir", &subtract);
    simulate(m.net, m.weights, &t, false, &o);
    int first = 0;
    while (!o.spike[first])
        first++;
    assert_int_equal(first, 460);
    assert_true(t.spike[first + 1] == 1);
    for (int i = 0; i < first; i++)
        assert_true((float)o.membrane[i] == (float)t.membrane[i]); /* until then the very same rule */
    snn_model_free(&m);
}

/* Exact solution, event by event: exponential decay, the threshold is taken off when it is crossed, inside a step. Euler's steps give the same rows of spikes here. */
static void neuron_exact(void **state) {
    (void)state;
    need("models/nir_lif/lif_norse.nir");
    snn_model m = import("models/nir_lif/lif_norse.nir", NULL);
    read_table("exact", &t);
    simulate(m.net, m.weights, &t, false, &o);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(o.spike[i], (int)t.spike[i]);
    const double tau = 0.0025, dt = 1e-4, theta = (double)0.1F;
    double v = 0, most = 0;
    for (int i = 0; i + 1 < ROWS; i++) {
        const double x = t.input[i], end = x + (v - x) * exp(-dt / tau);
        const bool spike = end > theta;
        /* when it crosses, and what is left of the step from 0 on */
        const double crossing = spike ? -tau * log((theta - x) / (v - x)) : 0;
        v = spike ? x * (1 - exp(-(dt - crossing) / tau)) : end;
        assert_int_equal(spike, (int)t.spike[i]);
        most =
            fabs(v - t.membrane[i]) > most ? fabs(v - t.membrane[i]) : most; /* a row shows the step's end */
    }
    assert_true(most < 5e-9);
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braille),           cmocka_unit_test(nmnist),
        cmocka_unit_test(neuron_snntorch),   cmocka_unit_test(neuron_norse),
        cmocka_unit_test(neuron_lava_float), cmocka_unit_test(neuron_lava_fixed),
        cmocka_unit_test(neuron_spyx),       cmocka_unit_test(neuron_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
