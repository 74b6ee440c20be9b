/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Monte Carlo run: an ideal chip is the plain network, spike for spike; the same chips give the same results for any number of threads and any place in a run; order,
 * progress, interruption, errors; figures over chips; kept frames.
 */
#include "../../hw/chips_internal.h"

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

/* SAMPLES x 2 chips (the batch of one thread) are more than a chunk of 512. */
enum { SAMPLES = 300, STEPS = 6, INPUTS = 72, CLASSES = 4, CHIPS = 5 };

static char folder[64];

static void need(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static void save_npy(const char *name, snn_npy_type type, int dims, const uint64_t *shape, const void *data,
                     size_t size) {
    char path[128];
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snn_file *f = snn_file_create(path, 0600, &err);
    need(f && snn_npy_write_header(f, type, dims, shape, &err), &err);
    assert_int_equal(fwrite(data, 1, size, snn_file_stream(f)), size);
    need(snn_file_commit(f, &err), &err);
}

/* Random counts 0..2 and labels; sample 7 is empty. */
static int setup(void **state) {
    (void)state;
    static uint8_t x[SAMPLES][STEPS][INPUTS];
    static int32_t y[SAMPLES];
    strcpy(folder, "/tmp/snnsim-chips-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 0);
    for (int s = 0; s < SAMPLES; s++) {
        y[s] = (int32_t)snn_random_below(&r, CLASSES);
        for (int t = 0; t < STEPS; t++)
            for (int i = 0; i < INPUTS; i++)
                x[s][t][i] = (uint8_t)(s == 7 || snn_random_below(&r, 4) ? 0 : 1 + snn_random_below(&r, 2));
    }
    save_npy("x.npy", SNN_NPY_U8, 5, (uint64_t[]){SAMPLES, STEPS, 2, 6, 6}, x, sizeof x);
    save_npy("y.npy", SNN_NPY_I32, 1, (uint64_t[]){SAMPLES}, y, sizeof y);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* ---- a small network on a chip ---- */

typedef struct {
    snn_config *config;
    snn_dataset *data;
    snn_net *net;
    snn_weights *weights;
    snn_hw_options hw;
    snn_map *map;
} bench;

static bench bench_open(const char *quant, const char *hw) {
    bench b = {0};
    char text[2048];
    snn_error err = {0};
    snprintf(
        text, sizeof text,
        "dataset = { name = \"npy\"; path = \"%s\"; frames = \"x.npy\"; labels = \"y.npy\"; classes = %d; "
        "};\n"
        "network = { layers = ( { name = \"conv\"; type = \"conv2d\"; channels = 3; kernel = 3; padding = 1; "
        "},\n"
        " { name = \"pool\"; type = \"pool_max\"; kernel = 2; }, { name = \"flat\"; type = \"flatten\"; },\n"
        " { name = \"fc\"; type = \"linear\"; outputs = %d; } ); neuron = { threshold = 0.8; }; };\n"
        "quant = { %s };\nhw = { %s };\n",
        folder, CLASSES, CLASSES, quant, hw);
    b.config = snn_config_parse(text, "bench.cfg", &err);
    need(b.config != NULL, &err);
    b.data = snn_dataset_open(b.config, SNN_SPLIT_TEST, &err);
    need(b.data != NULL, &err);
    b.net = snn_net_from_config(b.config, (snn_shape){2, 6, 6}, &err);
    need(b.net != NULL, &err);
    snn_weights *w = snn_weights_new(b.net, &err);
    need(w != NULL, &err);
    snn_random r;
    snn_random_init(&r, 6, SNN_PURPOSE_TEST, 0);
    for (int t = 0; t < w->tensors; t++)
        for (uint64_t i = 0; i < w->tensor[t].count; i++)
            w->tensor[t].value[i] = (float)(snn_random_uniform(&r) - 0.45);
    snn_quantisation q;
    need(snn_quantisation_from_config(b.config, &q, &err), &err);
    b.weights = snn_weights_quantise(w, &q, NULL, &err);
    need(b.weights != NULL, &err);
    snn_weights_free(w);
    need(snn_hw_options_from_config(b.config, &b.hw, &err), &err);
    b.map = snn_map_new(b.net, b.weights, &b.hw.map, &err);
    need(b.map != NULL, &err);
    return b;
}

static void bench_close(bench *b) {
    snn_map_free(b->map);
    snn_hw_options_free(&b->hw);
    snn_weights_free(b->weights);
    snn_net_free(b->net);
    snn_dataset_free(b->data);
    snn_config_free(b->config);
}

static snn_chips_options options_of(int threads) {
    return (snn_chips_options){
        .threads = threads, .engine = {.simd = snn_simd_best(), .count_operations = true}, .ideal = true};
}

static snn_chips_result run_with(const bench *b, const snn_chips_options *options, size_t limit) {
    snn_error err = {0};
    snn_chips_result r;
    snn_frames *frames = snn_frames_new(b->data, limit, SNN_FRAMES_BYTES, &err);
    need(frames != NULL, &err);
    need(snn_chips_run(b->map, &b->hw, b->net, b->weights, frames, options, NULL, &r, &err), &err);
    snn_frames_free(frames);
    return r;
}

static snn_evaluation plain(const bench *b, const snn_weights *weights, size_t limit) {
    snn_error err = {0};
    snn_evaluation e;
    snn_engine_options options = options_of(1).engine;
    snn_engine *engine = snn_engine_new(b->net, weights, &options, &err);
    need(engine != NULL, &err);
    snn_evaluate_options o = {.threads = 2, .limit = limit};
    need(snn_evaluate(engine, b->net, b->data, &o, NULL, &e, &err), &err);
    snn_engine_free(engine);
    return e;
}

/* BLAKE2b over the chips' digests, as chips.h says. */
static void check_digest(const snn_chips_result *r) {
    snn_digest d;
    uint8_t bytes[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_init(&d);
    for (uint32_t i = 0; i < r->chips; i++) {
        for (size_t k = 0; k < SNN_DIGEST_BYTES; k++) {
            unsigned value = 0;
            assert_int_equal(sscanf(r->chip[i].digest + 2 * k, "%2x", &value), 1);
            bytes[k] = (uint8_t)value;
        }
        snn_digest_bytes(&d, bytes, sizeof bytes);
    }
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, hex);
    assert_string_equal(hex, r->digest);
}

/* ---- ideal chips ---- */

static void ideal_is_plain(void **state) {
    (void)state;
    static const char *const quant[] = {
        "bits = 8; encoding = \"sign_magnitude\";", "bits = 8; encoding = \"twos_complement\";",
        "bits = 8; encoding = \"offset_binary\";",  "bits = 4; encoding = \"twos_complement\";",
        "bits = 5; encoding = \"offset_binary\";",  "bits = 1; encoding = \"sign_magnitude\";"};
    for (size_t q = 0; q < sizeof quant / sizeof *quant; q++) {
        bench b = bench_open(quant[q], "device = \"ideal\"; chips = 3; array = \"5x24\";");
        snn_evaluation e = plain(&b, b.weights, 0);
        snn_chips_options options = options_of(2);
        snn_chips_result r = run_with(&b, &options, 0);
        assert_int_equal(r.chips, 3);
        assert_int_equal(r.samples, SAMPLES);
        assert_int_equal(r.steps, STEPS);
        assert_int_equal(r.layers, 4);
        for (uint32_t i = 0; i < r.chips; i++) {
            assert_int_equal(r.chip[i].chip, i);
            assert_string_equal(r.chip[i].digest, e.digest);
            assert_int_equal(r.chip[i].correct, e.metrics->correct);
            assert_true(r.chip[i].accuracy == (double)e.metrics->correct / SAMPLES);
            assert_int_equal(r.chip[i].readout.wrong_bits, 0);
        }
        assert_string_equal(r.ideal.digest, e.digest);
        assert_int_equal(r.ideal.metrics->correct, e.metrics->correct);
        assert_int_equal(r.ideal.metrics->samples, SAMPLES);
        assert_int_equal(r.metrics->samples, 3 * SAMPLES);
        assert_int_equal(r.metrics->correct, 3 * e.metrics->correct);
        assert_ptr_equal(r.layer, r.metrics->activity);
        for (int l = 0; l < 4; l++)
            assert_int_equal(r.layer[l].synops, 3 * e.metrics->activity[l].synops);
        assert_true(r.mean == r.worst && r.sd == 0 && r.bit_error_rate == 0);
        assert_int_equal(r.events.empty_samples, 1);
        check_digest(&r);
        snn_chips_free(&r);
        assert_null(r.chip);
        snn_evaluation_free(&e);
        bench_close(&b);
    }
}

/* ---- chips with errors ---- */

static void same_chip(const snn_chip_result *a, const snn_chip_result *b) {
    assert_int_equal(a->chip, b->chip);
    assert_string_equal(a->digest, b->digest);
    assert_int_equal(a->correct, b->correct);
    assert_int_equal(a->readout.wrong_bits, b->readout.wrong_bits);
}

#define FAULTY "device = \"ideal\"; cell_error = 0.02; read_error = 0.003;"

static void any_number_of_threads(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", FAULTY "chips = 5;");
    snn_chips_options one = options_of(1);
    snn_chips_result r = run_with(&b, &one, 0);
    check_digest(&r);
    assert_string_not_equal(r.chip[0].digest, r.ideal.digest);
    assert_string_not_equal(r.chip[0].digest, r.chip[1].digest);
    assert_true(r.bit_error_rate > 0.005 && r.bit_error_rate < 0.05);
    for (int threads = 2; threads <= 7; threads += threads == 3 ? 4 : 1) {
        snn_chips_options o = options_of(threads);
        snn_chips_result s = run_with(&b, &o, 0);
        assert_string_equal(s.digest, r.digest);
        assert_string_equal(s.ideal.digest, r.ideal.digest);
        for (int i = 0; i < CHIPS; i++)
            same_chip(&s.chip[i], &r.chip[i]);
        assert_true(s.mean == r.mean && s.sd == r.sd && s.quantile[0] == r.quantile[0]);
        assert_memory_equal(s.metrics->confusion, r.metrics->confusion, CLASSES * CLASSES * sizeof(uint64_t));
        snn_chips_free(&s);
    }
    snn_chips_free(&r);
    bench_close(&b);
}

/* Chip k is the same in whatever run it stands, and with whatever other samples. */
static void any_place_in_a_run(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", FAULTY "chips = 5;");
    snn_chips_options options = options_of(2);
    snn_chips_result r = run_with(&b, &options, 40);
    bench last = bench_open("bits = 8;", FAULTY "chips = 2; first_chip = 3;");
    snn_chips_result s = run_with(&last, &options, 40);
    same_chip(&s.chip[0], &r.chip[3]);
    same_chip(&s.chip[1], &r.chip[4]);
    assert_int_equal(s.samples, 40);
    snn_chips_free(&r);
    snn_chips_free(&s);
    bench_close(&last);
    bench_close(&b);
}

/* Read errors that differ from step to step must reach the sums: a chip with them differs from one without, in the samples only. */
static void constant_errors_are_weights(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", "device = \"ideal\"; cell_error = 0.02; chips = 1; first_chip = 2;");
    snn_error err = {0};
    snn_chips_options options = options_of(1);
    snn_chips_result r = run_with(&b, &options, 0);
    snn_chip *chip = snn_chip_program(b.map, &b.hw, b.weights, 2, &err);
    need(chip != NULL, &err);
    snn_readout *read = snn_readout_new(chip, &b.hw.condition, NULL, SNN_READ_FAST, b.net, NULL, 0, &err);
    need(read != NULL, &err);
    assert_null(snn_readout_hook(read));
    snn_evaluation e = plain(&b, snn_readout_weights(read), 0);
    assert_string_equal(r.chip[0].digest, e.digest);
    assert_int_equal(r.chip[0].readout.wrong_bits, snn_readout_about(read)->wrong_bits);
    snn_evaluation_free(&e);
    snn_readout_free(read);
    snn_chip_free(chip);
    snn_chips_free(&r);
    bench_close(&b);
}

static void key_is_flipped_after_reading(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", "device = \"ideal\";");
    snn_error err = {0};
    snn_flip flip[] = {{0, 0, 3}, {1, 1, 20}, {1, 0, 54}};
    snn_flips key = {3, flip};
    snn_weights *effective = snn_weights_apply(b.weights, &key, &err);
    need(effective != NULL, &err);
    snn_evaluation e = plain(&b, effective, 0);
    snn_chips_options options = options_of(1);
    options.key = &key;
    snn_chips_result r = run_with(&b, &options, 0);
    assert_string_equal(r.ideal.digest, e.digest);
    assert_string_equal(r.chip[0].digest, e.digest);
    snn_evaluation_free(&e);
    e = plain(&b, b.weights, 0);
    assert_string_not_equal(r.ideal.digest, e.digest);
    snn_evaluation_free(&e);
    snn_weights_free(effective);
    snn_chips_free(&r);
    bench_close(&b);
}

static void without_a_chip(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", "device = \"ideal\";");
    snn_error err = {0};
    snn_chips_result r;
    snn_chips_options options = options_of(2);
    snn_frames *frames = snn_frames_new(b.data, 0, SNN_FRAMES_BYTES, &err);
    need(frames && snn_chips_run(NULL, NULL, b.net, b.weights, frames, &options, NULL, &r, &err), &err);
    snn_evaluation e = plain(&b, b.weights, 0);
    assert_string_equal(r.ideal.digest, e.digest);
    assert_int_equal(r.chips, 0);
    assert_int_equal(r.metrics->samples, 0);
    snn_evaluation_free(&e);
    snn_chips_free(&r);
    snn_frames_free(frames);
    bench_close(&b);
}

/* ---- order, progress, interruption, errors ---- */

typedef struct {
    size_t next, fail_at, stop_at;
    uint64_t progress, total;
    bool wrong;
    volatile sig_atomic_t stop;
} log_book;

static bool on_sample(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    log_book *b = context;
    b->wrong |= i != b->next++ || label < 0 || label >= CLASSES || r->steps != STEPS;
    if (i == b->stop_at)
        b->stop = 1;
    return i != b->fail_at || snn_fail(err, SNN_ERR_RUNTIME, "no more space");
}

static void on_progress(void *context, uint64_t done, uint64_t total) {
    log_book *b = context;
    (void)done;
    __atomic_add_fetch(&b->progress, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&b->total, total, __ATOMIC_RELAXED);
}

static bool run_logged(const bench *b, log_book *book, int threads, snn_chips_result *r, snn_error *err) {
    snn_evaluate_hooks hooks = {book, on_sample, NULL, on_progress, &book->stop};
    snn_chips_options options = options_of(threads);
    snn_frames *frames = snn_frames_new(b->data, 0, SNN_FRAMES_BYTES, err);
    need(frames != NULL, err);
    bool ok = snn_chips_run(b->map, &b->hw, b->net, b->weights, frames, &options, &hooks, r, err);
    snn_frames_free(frames);
    return ok;
}

static void in_order(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", FAULTY "chips = 5;");
    for (int threads = 1; threads <= 3; threads++) {
        log_book book = {.fail_at = SIZE_MAX, .stop_at = SIZE_MAX};
        snn_error err = {0};
        snn_chips_result r;
        need(run_logged(&b, &book, threads, &r, &err), &err);
        assert_false(book.wrong);
        assert_int_equal(book.next, CHIPS * SAMPLES);
        assert_int_equal(book.progress, (CHIPS + 1) * SAMPLES); /* the ideal run counts too */
        assert_int_equal(book.total, (CHIPS + 1) * SAMPLES);
        snn_chips_free(&r);
    }
    bench_close(&b);
}

static void stops(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", FAULTY "chips = 5;");
    static const size_t at[] = {0, SAMPLES + 3, 2 * SAMPLES - 1, 4 * SAMPLES + 200};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        log_book book = {.fail_at = SIZE_MAX, .stop_at = at[i]};
        snn_error err = {0};
        snn_chips_result r;
        if (run_logged(&b, &book, 2, &r, &err)) { /* it had run all samples before it could hear */
            assert_int_equal(at[i], 4 * SAMPLES + 200);
            snn_chips_free(&r);
            continue;
        }
        assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
        assert_memory_equal(err.text, "interrupted after ", 18);
        assert_non_null(strstr(err.text, "of 1800 samples"));
        assert_null(r.chip);
    }
    log_book book = {.fail_at = SIZE_MAX, .stop_at = SIZE_MAX, .stop = 1};
    snn_error err = {0};
    snn_chips_result r;
    assert_false(run_logged(&b, &book, 2, &r, &err));
    assert_string_equal(err.text, "interrupted after 0 of 1800 samples");
    bench_close(&b);
}

static void errors_come_out(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", FAULTY "chips = 5;");
    log_book book = {.fail_at = SAMPLES + 1, .stop_at = SIZE_MAX};
    snn_error err = {0};
    snn_chips_result r;
    assert_false(run_logged(&b, &book, 2, &r, &err));
    assert_string_equal(err.text, "no more space");
    assert_int_equal(book.next, SAMPLES + 2);

    b.hw.chip_file = strdup("saved.chip");
    assert_false(run_logged(&b, &book, 2, &r, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_string_equal(err.text, "saved.chip holds one chip: it cannot stand for hw.chips = 5");
    b.hw.chips = 1;
    assert_false(run_logged(&b, &book, 2, &r, &err));
    assert_non_null(strstr(err.text, "saved.chip"));
    bench_close(&b);
}

static void misfit(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", "device = \"ideal\";");
    snn_error err = {0};
    snn_net *other = snn_net_from_config(b.config, (snn_shape){2, 8, 8}, &err);
    need(other != NULL, &err);
    snn_frames *frames = snn_frames_new(b.data, 0, 0, &err);
    need(frames != NULL, &err);
    snn_chips_options options = options_of(1);
    snn_chips_result r;
    assert_false(snn_chips_run(b.map, &b.hw, other, b.weights, frames, &options, NULL, &r, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "2x8x8"));
    snn_frames_free(frames);
    snn_net_free(other);
    bench_close(&b);
}

/* ---- figures over chips ---- */

/* Expected: numpy.mean, std(ddof=1), quantile of the same accuracies. */
static void figures(void **state) {
    (void)state;
    snn_chip_result chip[7] = {0};
    static const double accuracy[7] = {0.91, 0.5, 0.875, 0.99, 0.625, 0.94, 0.75};
    for (int i = 0; i < 7; i++) {
        chip[i].accuracy = accuracy[i];
        chip[i].program = (snn_program_stats){.cells = 10,
                                              .pulses = 20,
                                              .row_pulses = 8,
                                              .unverified = 3,
                                              .worn = 7,
                                              .stuck_hrs = 1,
                                              .stuck_lrs = 2,
                                              .rows_replaced = 4,
                                              .columns_replaced = 5,
                                              .lanes_permuted = 6};
        chip[i].readout = (snn_readout_stats){.bits = 1000,
                                              .wrong_bits = (uint64_t)i,
                                              .wrong_cells = 2,
                                              .corrected = 3,
                                              .uncorrectable = 4,
                                              .read_error_rate = 1e-3 * i,
                                              .weak_cells = 9};
        chip[i].analog = (snn_analog_stats){.conversions = 100,
                                            .clipped = 7,
                                            .array_reads = 50,
                                            .row_pulses = 30,
                                            .turns = 11,
                                            .cell_siemens_reads = 0.25,
                                            .most_rows = (uint32_t)(i == 4 ? 64 : i)};
    }
    snn_error err = {0};
    snn_chips_result r = {.chips = 7, .chip = chip};
    need(snn_chips_statistics(&r, &err), &err);
    assert_true(fabs(r.mean - 0.7985714285714286) < 1e-14);
    assert_true(fabs(r.sd - 0.18098605576384158) < 1e-14);
    assert_true(r.worst == 0.5 && r.best == 0.99);
    static const double quantile[5] = {0.5375, 0.6875, 0.875, 0.925, 0.975};
    for (int q = 0; q < 5; q++)
        assert_true(fabs(r.quantile[q] - quantile[q]) < 1e-14);
    assert_true(fabs(r.bit_error_rate - 21 / 7000.0) < 1e-15);
    assert_true(fabs(r.readout.read_error_rate - 3e-3) < 1e-15);
    assert_int_equal(r.readout.weak_cells, 63);
    assert_int_equal(r.readout.corrected, 21);
    assert_int_equal(r.readout.uncorrectable, 28);
    assert_int_equal(r.readout.wrong_cells, 14);
    assert_int_equal(r.program.cells, 70);
    assert_int_equal(r.program.pulses, 140);
    assert_int_equal(r.program.row_pulses, 56);
    assert_int_equal(r.program.unverified, 21);
    assert_int_equal(r.program.worn, 49);
    assert_int_equal(r.program.stuck_hrs, 7);
    assert_int_equal(r.program.stuck_lrs, 14);
    assert_int_equal(r.program.rows_replaced, 28);
    assert_int_equal(r.program.columns_replaced, 35);
    assert_int_equal(r.program.lanes_permuted, 42);
    assert_int_equal(r.analog.conversions, 700);
    assert_int_equal(r.analog.clipped, 49);
    assert_int_equal(r.analog.array_reads, 350);
    assert_int_equal(r.analog.row_pulses, 210);
    assert_int_equal(r.analog.turns, 77);
    assert_true(r.analog.cell_siemens_reads == 1.75);
    assert_int_equal(r.analog.most_rows, 64);

    snn_chips_result single = {.chips = 1, .chip = chip};
    need(snn_chips_statistics(&single, &err), &err);
    assert_true(single.mean == 0.91 && single.sd == 0 && single.worst == 0.91 && single.quantile[2] == 0.91);
}

/* ---- frames ---- */

static void same_spikes(const snn_spikes *a, const snn_spikes *b) {
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->steps, b->steps);
    assert_memory_equal(a->first, b->first, ((size_t)a->steps + 1) * sizeof *a->first);
    assert_memory_equal(a->spike, b->spike, a->first[a->steps] * sizeof *a->spike);
}

static void frames_are_kept(void **state) {
    (void)state;
    bench b = bench_open("bits = 8;", "device = \"ideal\";");
    snn_error err = {0};
    snn_dataset_buffer buffer = {0};
    snn_spikes own = {0}, plain_x = {0};
    /* room for all; for some; for none */
    static const size_t room[] = {SNN_FRAMES_BYTES, 20000, 0};
    for (size_t k = 0; k < 3; k++) {
        snn_frames *f = snn_frames_new(b.data, 50, room[k], &err);
        need(f != NULL, &err);
        assert_int_equal(snn_frames_count(f), 50);
        assert_ptr_equal(snn_frames_data(f), b.data);
        size_t kept = 0;
        for (size_t i = 0; i < 100; i++) {
            const snn_spikes *x, *again;
            need(snn_frames_get(f, i % 50, &buffer, &own, &x, &err), &err);
            need(snn_dataset_frames(b.data, i % 50, &buffer, &plain_x, &err), &err);
            same_spikes(x, &plain_x);
            need(snn_frames_get(f, i % 50, &buffer, &own, &again, &err), &err);
            kept += again != &own;
        }
        assert_true(k == 0 ? kept == 100 : k == 1 ? kept > 10 && kept < 60 : kept == 0);
        snn_frames_events about;
        snn_frames_about(f, &about);
        assert_int_equal(about.empty_samples, 1); /* counted once, however often it was framed */
        snn_frames_free(f);
    }
    snn_frames *f = snn_frames_new(b.data, SAMPLES + 1, 0, &err);
    need(f != NULL, &err);
    assert_int_equal(snn_frames_count(f), SAMPLES);
    snn_frames_free(f);
    snn_frames_free(NULL);
    snn_spikes_free(&own);
    snn_spikes_free(&plain_x);
    snn_dataset_buffer_free(&buffer);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ideal_is_plain),
                                       cmocka_unit_test(any_number_of_threads),
                                       cmocka_unit_test(any_place_in_a_run),
                                       cmocka_unit_test(constant_errors_are_weights),
                                       cmocka_unit_test(key_is_flipped_after_reading),
                                       cmocka_unit_test(without_a_chip),
                                       cmocka_unit_test(in_order),
                                       cmocka_unit_test(stops),
                                       cmocka_unit_test(errors_come_out),
                                       cmocka_unit_test(misfit),
                                       cmocka_unit_test(figures),
                                       cmocka_unit_test(frames_are_kept)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
