/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger on a run small enough for pencil and paper: a layer of 3 inputs and 2 or 5 outputs, and a convolution; every row's count, unit and total; totals with and without
 * assumptions; the explanation; NeuRRAM's published efficiencies (expected values: NumPy, solving the same two equations). Check cells: tests/golden/secded_checks.py.
 */
#include <snnsim/snnsim.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void near(double a, double b) {
    assert_true(fabs(a - b) <= 1e-9 * fabs(b));
}

/* What the ledger is made from. */
typedef struct {
    snn_config *config;
    snn_net *net;
    snn_weights *weights;
    snn_map *map;
    snn_hw_options options;
    snn_chips_result run;
    snn_chip_result chip[2];
    snn_layer_activity layer[1];
} scene;

static const char linear[] = "network = { layers = ({ name = \"fc\"; type = \"linear\"; outputs = 2; }); };";
/* Four of its lanes fill one array of 16 columns, the fifth stands in another. */
static const char wide[] = "network = { layers = ({ name = \"fc\"; type = \"linear\"; outputs = 5; }); };";
static const char conv[] =
    "network = { layers = ({ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; padding = 1; }); };";

/* Two chips of three samples of four steps. */
static void scene_init_bits(scene *s, const char *text, snn_shape input, int bits, snn_map_options map) {
    snn_error err = {0};
    *s = (scene){0};
    s->config = snn_config_parse(text, "test.cfg", &err);
    assert_non_null(s->config);
    s->net = snn_net_from_config(s->config, input, &err);
    assert_non_null(s->net);
    snn_weights *w = snn_weights_new(s->net, &err);
    for (uint64_t i = 0; i < w->tensor[0].count; i++)
        w->tensor[0].value[i] = (i % 2) ? 7 : 0; /* 4 bits, scale 1: codes 0111 and 0000 */
    const snn_quantisation q = {.bits = bits, .encoding = SNN_SIGN_MAGNITUDE};
    s->weights = snn_weights_quantise(w, &q, NULL, &err);
    snn_weights_free(w);
    s->options.map = map;
    s->map = snn_map_new(s->net, s->weights, &s->options.map, &err);
    if (!s->map)
        fail_msg("%s", err.text);
    snprintf(s->options.device.name, sizeof s->options.device.name, "test");
    s->options.device = (snn_device){.name = "test",
                                     .g_min = 10,
                                     .g_max = 30,
                                     .levels = 16,
                                     .read_volt = 0.5,
                                     .read_ns = 2,
                                     .write_volt = 2,
                                     .write_ns = 50,
                                     .node_nm = 130};
    s->options.analog = (snn_analog_options){.adc_bits = 8, .columns_per_adc = 8};
    s->run = (snn_chips_result){
        .chips = 2, .chip = s->chip, .samples = 3, .steps = 4, .layers = 1, .layer = s->layer};
    s->chip[0].program = (snn_program_stats){.pulses = 100, .row_pulses = 11};
    s->chip[1].program = (snn_program_stats){.pulses = 300, .row_pulses = 14};
}

static void scene_init(scene *s, const char *text, snn_shape input, int cell_bits, uint32_t code_bits) {
    scene_init_bits(
        s, text, input, 4,
        (snn_map_options){.rows = 256, .columns = 16, .cell_bits = cell_bits, .code_bits = code_bits});
}

static void scene_free(scene *s) {
    snn_map_free(s->map);
    snn_weights_free(s->weights);
    snn_net_free(s->net);
    snn_config_free(s->config);
}

static snn_ledger fill(scene *s) {
    snn_error err = {0};
    snn_ledger l;
    if (!snn_ledger_fill(&s->run, s->net, s->map, &s->options, s->weights, &l, &err))
        fail_msg("%s", err.text);
    return l;
}

static const snn_ledger_row *find(const snn_ledger *l, snn_quantity q, const char *part,
                                  const char *counted) {
    for (size_t i = 0; i < l->rows; i++)
        if (l->row[i].quantity == q && !strcmp(l->row[i].part, part) &&
            (!counted || strstr(l->row[i].counted, counted)))
            return &l->row[i];
    fail_msg("the ledger has no row '%s'", part);
    return NULL;
}

static int count_rows(const snn_ledger *l, snn_quantity q, const char *part) {
    int n = 0;
    for (size_t i = 0; i < l->rows; i++)
        n += l->row[i].quantity == q && !strcmp(l->row[i].part, part);
    return n;
}

static void expect(const snn_ledger *l, snn_quantity q, const char *part, const char *counted, double count,
                   double unit) {
    const snn_ledger_row *r = find(l, q, part, counted);
    near(r->count, count);
    near(r->unit_value, unit);
    near(r->total, count * unit);
}

/* 12 spikes with 18 counts on 3 inputs x 2 outputs: 24 synapses touched, 18 row reads, 3 per inference. A row word is 2 x 4 cells. */
static void digital_linear(void **state) {
    (void)state;
    scene s;
    scene_init(&s, linear, (snn_shape){3, 1, 1}, 1, 0);
    s.layer[0] =
        (snn_layer_activity){.inputs = 12, .input_counts = 18, .row_words = 18, .synops = 24, .spikes = 5};
    snn_ledger l = fill(&s);
    /* codes 0000 and 0111 in turn: 9 of 24 cells, 3 of a row word in the mean, hold 1; 10 or 30 uS x 0.25 V^2 x 2 ns */
    expect(&l, SNN_LEDGER_ENERGY, "array", "HRS", 3 * 5, 5e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "LRS", 3 * 3, 15e-3);
    assert_int_equal(count_rows(&l, SNN_LEDGER_ENERGY, "array"), 2);
    expect(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL, 3 * 8, 22.6e-3);
    /* a line of 16 cells x 12 x 130 nm = 24.96 um, 0.2 fF/um, 0.25 V^2 */
    expect(&l, SNN_LEDGER_ENERGY, "drivers", NULL, 3, 24.96 * 0.2 * 0.25 * 1e-3);
    expect(&l, SNN_LEDGER_ENERGY, "adders", NULL, 3 * 2, 0.05);
    expect(&l, SNN_LEDGER_ENERGY, "neurons", NULL, 2 * 4, 3.3);
    expect(&l, SNN_LEDGER_ENERGY, "buffers", "membranes", 2 * 4, 10);
    expect(&l, SNN_LEDGER_ENERGY, "buffers", "spikes", 2, 10);
    expect(&l, SNN_LEDGER_LATENCY, "array", NULL, 3, 2);
    expect(&l, SNN_LEDGER_LATENCY, "neurons", NULL, 4, 2);
    /* 200 pulses a chip at 20 uS x 4 V^2 x 50 ns = 4 pJ; a row waits for its slowest cell: 12.5 pulses a chip */
    expect(&l, SNN_LEDGER_ENERGY, "programming", NULL, 200, 4);
    expect(&l, SNN_LEDGER_LATENCY, "programming", NULL, 12.5, 50);
    assert_true(find(&l, SNN_LEDGER_ENERGY, "programming", NULL)->assumption);
    assert_true(find(&l, SNN_LEDGER_LATENCY, "programming", NULL)->assumption);
    expect(&l, SNN_LEDGER_AREA, "array", NULL, 256 * 16, 48 * 0.13 * 0.13);
    expect(&l, SNN_LEDGER_AREA, "sense amplifiers", NULL, 16, 0);
    assert_int_equal(count_rows(&l, SNN_LEDGER_ENERGY, "repair") + count_rows(&l, SNN_LEDGER_AREA, "repair"),
                     0);
    near(l.energy_pj, 0.21 + 24 * 22.6e-3 + 3 * 24.96 * 0.05e-3 + 6 * 0.05 + 8 * 3.3 + 80 + 20);
    near(l.energy_sourced_pj, l.energy_pj);
    near(l.latency_ns, 14);
    near(l.latency_sourced_ns, 6);
    near(l.programming_pj, 800);
    near(l.programming_ns, 625);
    near(l.area_sourced_um2, l.area_um2);
    snn_ledger_free(&l);
    scene_free(&s);
}

/* Runs one step of `spike` through the plain engine: the layer's activity. */
static void run_engine(scene *s, uint32_t size, const snn_spike *spike, size_t n) {
    snn_error err = {0};
    const snn_engine_options o = {.count_operations = true};
    snn_engine *e = snn_engine_new(s->net, s->weights, &o, &err);
    snn_workspace *w = snn_workspace_new(e, &err);
    snn_result r;
    snn_spikes x = {0};
    uint64_t key[8];
    for (size_t i = 0; i < n; i++)
        key[i] = spike[i].index;
    assert_true(w && snn_result_init(&r, s->net, 1, &err) && snn_spikes_reset(&x, size, 0, &err) &&
                snn_spikes_from_keys(&x, size, 1, key, n, &err));
    memcpy(x.spike, spike, n * sizeof *spike);
    assert_true(snn_engine_run(e, &x, 0, w, NULL, &r, &err));
    s->layer[0] = r.activity[0];
    snn_spikes_free(&x);
    snn_result_free(&r);
    snn_workspace_free(w);
    snn_engine_free(e);
}

/* A kernel of 3 x 3 on 4 x 4: an input in the corner with count 3 is seen by 4 pixels, one inside by 9, one at the edge with count 2 by 6: 12 + 9 + 12 = 33 row words. (Mean taps x mean counts
 * would be 38.) */
static void digital_convolution(void **state) {
    (void)state;
    scene s;
    scene_init(&s, conv, (snn_shape){1, 4, 4}, 1, 0);
    static const snn_spike spike[] = {{0, 3}, {5, 1}, {7, 2}};
    run_engine(&s, 16, spike, 3);
    assert_int_equal(s.layer[0].synops, 2 * (4 + 9 + 6));
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL, 33 / 6. * 8, 22.6e-3);
    expect(&l, SNN_LEDGER_ENERGY, "drivers", NULL, 33 / 6., 24.96 * 0.2 * 0.25 * 1e-3);
    expect(&l, SNN_LEDGER_ENERGY, "adders", NULL, 33 / 6. * 2, 0.05);
    expect(&l, SNN_LEDGER_LATENCY, "array", NULL, 33 / 6., 2);
    expect(&l, SNN_LEDGER_ENERGY, "neurons", NULL, 32 * 4, 3.3);
    snn_ledger_free(&l);
    scene_free(&s);
}

/* Two bits a cell: half the cells, three comparisons each. Levels of 0000 and 0111 in binary numbering: 0 0 and 1 3, of 0..3. */
static void several_bits_a_cell(void **state) {
    (void)state;
    scene s;
    scene_init(&s, linear, (snn_shape){3, 1, 1}, 2, 0);
    s.layer[0] = (snn_layer_activity){.inputs = 6, .input_counts = 6, .row_words = 6, .synops = 12};
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "array", "HRS", 2, 5e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "between", 1, (10 + 20 / 3.) * 0.25 * 2e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "LRS", 1, 15e-3);
    expect(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL, 4 * 3, 22.6e-3);
    expect(&l, SNN_LEDGER_AREA, "sense amplifiers", NULL, 16 * 3, 0);
    snn_ledger_free(&l);
    scene_free(&s);
}

/* 8 bits in cells of 3, 3 and 2: 7 + 7 + 3 comparisons. 01111111 is level 3 of 7, 7 of 7, 3 of 3. */
static void a_short_last_cell(void **state) {
    (void)state;
    scene s;
    scene_init_bits(&s, linear, (snn_shape){3, 1, 1}, 8,
                    (snn_map_options){.rows = 256, .columns = 16, .cell_bits = 3});
    for (int i = 1; i < 6; i += 2)
        s.weights->tensor[0].code8[i] = 0x7f;
    s.layer[0] = (snn_layer_activity){.inputs = 12, .input_counts = 12, .row_words = 12, .synops = 24};
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL, 2 * 2 * 17, 22.6e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "HRS", 2 * 3, 5e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "between", 2, (10 + 60 / 7.) * 0.25 * 2e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "LRS", 2 * 2, 15e-3);
    snn_ledger_free(&l);
    scene_free(&s);
}

/* Words of 8 bits in arrays of 2 x 17 columns, 5 check bits each; 2 x 2 arrays. 4 lanes fill two words of the first array, the fifth half a word of the second; other words are empty, the last of an array has
 * room for one bit. A row word is 20 data and 15 check cells. 7 of the 15 weights are 0111; by tests/golden/secded_checks.py 7 of the 45 check cells hold 1, and the syndromes take 24 + 24 + 12 gates. */
static void code_words_that_hold_data(void **state) {
    (void)state;
    scene s;
    scene_init_bits(&s, wide, (snn_shape){3, 1, 1}, 4,
                    (snn_map_options){.rows = 2, .columns = 17, .cell_bits = 1, .code_bits = 8});
    s.layer[0] = (snn_layer_activity){.inputs = 12, .input_counts = 12, .row_words = 12, .synops = 60};
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "array", "LRS", 2 * (21 + 7) / 3., 15e-3);
    expect(&l, SNN_LEDGER_ENERGY, "array", "HRS", 2 * (39 + 38) / 3., 5e-3);
    expect(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL, 2 * 35, 22.6e-3);
    expect(&l, SNN_LEDGER_ENERGY, "repair", "syndromes", 2 * 60, 7.9e-3 / 2);
    assert_non_null(strstr(find(&l, SNN_LEDGER_ENERGY, "repair", NULL)->derivation, "x 3 code words"));
    /* both arrays: lines of 17 + 15 columns; in each of the four decoders of 24 + 24 + 3 gates */
    expect(&l, SNN_LEDGER_ENERGY, "drivers", NULL, 2 * 2, 32 * 12 * 0.13 * 0.2 * 0.25 * 1e-3);
    expect(&l, SNN_LEDGER_AREA, "array", NULL, 4 * 2 * 32, 48 * 0.13 * 0.13);
    assert_non_null(strstr(find(&l, SNN_LEDGER_AREA, "array", NULL)->derivation, "120 check cells and 0 of"));
    expect(&l, SNN_LEDGER_AREA, "repair", "syndromes", 4 * 51, 8.76);
    snn_ledger_free(&l);
    scene_free(&s);
}

/* Four columns of a lane, each a 4-to-1 multiplexer: 12 of 2 to 1, in use by 5 lanes, there for 8. */
static void switches_of_placement(void **state) {
    (void)state;
    scene s;
    scene_init(&s, wide, (snn_shape){3, 1, 1}, 1, 0);
    s.options.msb_placement = true;
    s.layer[0] = (snn_layer_activity){.inputs = 12, .input_counts = 12, .row_words = 12, .synops = 60};
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "repair", "multiplexers", 2 * 60, 7.9e-3 / 2);
    expect(&l, SNN_LEDGER_AREA, "repair", "multiplexers", 2 * 4 * 12, 8.76);
    assert_true(find(&l, SNN_LEDGER_ENERGY, "repair", NULL)->assumption);
    assert_true(find(&l, SNN_LEDGER_AREA, "repair", NULL)->assumption);
    near(l.area_um2 - l.area_sourced_um2, 96 * 8.76);
    snn_ledger_free(&l);
    scene_free(&s);
}

static void spare_lines_are_in_the_cells(void **state) {
    (void)state;
    scene s;
    scene_init_bits(
        &s, wide, (snn_shape){3, 1, 1}, 4,
        (snn_map_options){.rows = 10, .columns = 16, .cell_bits = 1, .spare_rows = 2, .spare_columns = 3});
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_AREA, "array", NULL, 2 * 12 * 19, 48 * 0.13 * 0.13);
    assert_non_null(strstr(find(&l, SNN_LEDGER_AREA, "array", NULL)->derivation, "136 of spare lines"));
    snn_ledger_free(&l);
    scene_free(&s);
}

/* SEC-DED is an assumption: in the total, not in the total without. */
static void assumptions_are_kept_apart(void **state) {
    (void)state;
    scene s;
    scene_init(&s, linear, (snn_shape){3, 1, 1}, 1, 16);
    s.layer[0] = (snn_layer_activity){.inputs = 6, .input_counts = 6, .row_words = 6, .synops = 12};
    snn_ledger l = fill(&s);
    /* 8 data bits of one word of 16, each in three of 6 checks */
    expect(&l, SNN_LEDGER_ENERGY, "repair", NULL, 24, 7.9e-3 / 2);
    assert_true(find(&l, SNN_LEDGER_ENERGY, "repair", NULL)->assumption);
    near(l.energy_pj - l.energy_sourced_pj, 12 * 7.9e-3);
    snn_ledger_free(&l);
    s.options.device.node_nm = 0; /* unknown node: wires and cells are assumed at 22 nm */
    l = fill(&s);
    assert_true(find(&l, SNN_LEDGER_ENERGY, "drivers", NULL)->assumption);
    assert_true(find(&l, SNN_LEDGER_ENERGY, "sense amplifiers", NULL)->assumption);
    assert_true(find(&l, SNN_LEDGER_AREA, "array", NULL)->assumption);
    near(l.area_sourced_um2 + 1, 1);
    snn_ledger_free(&l);
    scene_free(&s);
}

static void analog_events(void **state) {
    (void)state;
    scene s;
    scene_init(&s, wide, (snn_shape){3, 1, 1}, 1, 0);
    s.options.readout = SNN_READOUT_ANALOG;
    s.options.analog.columns_per_adc = 5;
    s.layer[0] = (snn_layer_activity){.inputs = 6, .input_counts = 6, .row_words = 6, .synops = 12};
    for (int i = 0; i < 2; i++)
        s.chip[i].analog = (snn_analog_stats){.conversions = 300,
                                              .array_reads = 30,
                                              .row_pulses = 60,
                                              .turns = 45,
                                              .cell_siemens_reads = 0.003};
    snn_ledger l = fill(&s);
    expect(&l, SNN_LEDGER_ENERGY, "ADC", NULL, 100, 1.348); /* 600 of 6 inferences; 8 bit at 130 nm */
    expect(&l, SNN_LEDGER_ENERGY, "adders", NULL, 100, 0.1);
    expect(&l, SNN_LEDGER_ENERGY, "array", NULL, 1, 0.001 * 0.25 * 2e-9 * 1e12);
    expect(&l, SNN_LEDGER_ENERGY, "drivers", NULL, 20, 24.96 * 0.2 * 0.25 * 1e-3);
    expect(&l, SNN_LEDGER_LATENCY, "ADC", NULL, 15, 2);
    assert_true(find(&l, SNN_LEDGER_LATENCY, "ADC", NULL)->assumption);
    assert_int_equal(count_rows(&l, SNN_LEDGER_LATENCY, "array"), 0);
    expect(&l, SNN_LEDGER_AREA, "ADC", NULL, 2 * 4, 1200); /* each of two arrays: 16 columns, 5 a converter */
    assert_false(find(&l, SNN_LEDGER_ENERGY, "ADC", NULL)->assumption);
    snn_ledger_free(&l);
    const struct {
        int bits;
        double node, pj;
        bool assumption;
    } adc[] = {
        {4, 22, 0.069, false}, {5, 22, 0.086, false}, {7, 22, 0.1235, false},
        {3, 22, 0.052, true},  {6, 65, 0.423, false}, {9, 65, 0.7065, true},
        {6, 100, 0.930, true}, {6, 97, 0.423, true},  {8, 0, 0.143, true},
    };
    for (size_t i = 0; i < sizeof adc / sizeof *adc; i++) {
        s.options.analog.adc_bits = adc[i].bits;
        s.options.device.node_nm = adc[i].node;
        l = fill(&s);
        const snn_ledger_row *r = find(&l, SNN_LEDGER_ENERGY, "ADC", NULL);
        near(r->unit_value, adc[i].pj);
        assert_int_equal(r->assumption, adc[i].assumption);
        snn_ledger_free(&l);
    }
    scene_free(&s);
}

static void nothing_ran(void **state) {
    (void)state;
    scene s;
    scene_init(&s, linear, (snn_shape){3, 1, 1}, 1, 0);
    snn_ledger l = fill(&s); /* no spikes at all */
    near(find(&l, SNN_LEDGER_ENERGY, "array", "HRS")->total + 1, 1);
    near(find(&l, SNN_LEDGER_ENERGY, "array", "LRS")->total + 1, 1);
    snn_ledger_free(&l);
    s.run.samples = 0;
    l = fill(&s);
    assert_int_equal(l.rows, 0);
    scene_free(&s);
}

static void explains(void **state) {
    (void)state;
    scene s;
    snn_error err = {0};
    scene_init(&s, linear, (snn_shape){3, 1, 1}, 1, 16);
    s.layer[0] = (snn_layer_activity){.inputs = 12, .input_counts = 18, .row_words = 18, .synops = 24};
    snn_ledger l = fill(&s);
    for (size_t i = 0; i < l.rows; i++) /* none is cut off */
        assert_true(strlen(l.row[i].derivation) + 1 < sizeof l.row[i].derivation);
    for (int q = SNN_LEDGER_ENERGY; q <= SNN_LEDGER_AREA; q++) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        assert_true(snn_ledger_explain(&l, (snn_quantity)q, f, &err));
        fclose(f);
        if (q == SNN_LEDGER_ENERGY) {
            assert_non_null(strstr(text, "cells read at the lowest level (HRS) x 0.005 pJ = "));
            assert_non_null(strstr(text, "[assumption]"));
            assert_non_null(strstr(text, "NeuroSim, CurrentSenseAmp.cpp"));
            assert_non_null(strstr(text, "without assumptions"));
        }
        if (q == SNN_LEDGER_AREA)
            assert_non_null(strstr(text, "not known"));
        free(text);
    }
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setbuf(full, NULL);
    assert_false(snn_ledger_explain(&l, SNN_LEDGER_ENERGY, full, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    fclose(full);
    snn_ledger_free(&l);
    scene_free(&s);
}

static void constants_are_complete(void **state) {
    (void)state;
    for (const snn_constant *c = snn_constants; c->name; c++) {
        assert_true(c->value > 0);
        assert_non_null(c->unit);
        assert_non_null(c->node);
        assert_non_null(c->condition);
        assert_non_null(c->source);
    }
}

static void neurram(void **state) {
    (void)state;
    /* numpy.linalg.solve on rows (4, 2) and (8, 6), in fJ and per cent */
    static const double error[] = {-1.6286, 0.0000, -5.8530, -6.7360, -0.1725,
                                   0.0000,  2.5271, 10.4776, -1.3730, 2.1756};
    snn_efficiency row[SNN_NEURRAM_ROWS];
    double pulse, bit;
    snn_neurram_efficiency(row, &pulse, &bit);
    assert_true(fabs(pulse - 20.01168259) < 1e-8 && fabs(bit - 1.19530429) < 1e-8);
    int fitted = 0;
    for (int i = 0; i < SNN_NEURRAM_ROWS; i++) {
        assert_true(fabs(row[i].error * 100 - error[i]) < 0.0001);
        if (row[i].fitted)
            assert_true(fabs(row[i].error) < 1e-12);
        fitted += row[i].fitted;
    }
    assert_int_equal(fitted, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digital_linear),
        cmocka_unit_test(digital_convolution),
        cmocka_unit_test(several_bits_a_cell),
        cmocka_unit_test(a_short_last_cell),
        cmocka_unit_test(code_words_that_hold_data),
        cmocka_unit_test(switches_of_placement),
        cmocka_unit_test(spare_lines_are_in_the_cells),
        cmocka_unit_test(assumptions_are_kept_apart),
        cmocka_unit_test(analog_events),
        cmocka_unit_test(nothing_ran),
        cmocka_unit_test(explains),
        cmocka_unit_test(constants_are_complete),
        cmocka_unit_test(neurram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
