/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The evaluation loop on a tiny network whose every figure was computed by tests/golden/metrics.py: same results, in the same order, for any number of
 * threads and chunk length; traces, limits, interruption, errors.
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
#include <unistd.h>

#include <cmocka.h>

#include "golden_metrics.h"

/* "many.npy" has COPIES times the golden samples: several chunks of 512 per thread. */
enum { INPUTS = 72, CONV_NEURONS = 108, POOL_OUTPUTS = 27, COPIES = 100, MANY = COPIES * GOLDEN_SAMPLES };

static char folder[64];

static void need(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static snn_file *npy(const char *name, snn_npy_type type, int dims, const uint64_t *shape) {
    char path[128];
    snn_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snn_file *f = snn_file_create(path, 0600, &err);
    need(f && snn_npy_write_header(f, type, dims, shape, &err), &err);
    return f;
}

static void save(snn_file *f, const void *data, size_t size) {
    snn_error err = {0};
    assert_int_equal(fwrite(data, 1, size, snn_file_stream(f)), size);
    need(snn_file_commit(f, &err), &err);
}

/* The golden frames, or `samples` copies of them one after the other. */
static void write_frames(const char *frames, const char *labels, uint64_t copies) {
    uint64_t shape[5] = {GOLDEN_SAMPLES * copies, GOLDEN_STEPS, 2, 6, 6};
    size_t n = GOLDEN_SAMPLES * GOLDEN_STEPS * INPUTS;
    uint8_t *x = calloc(copies, n);
    int32_t *label = calloc(copies, GOLDEN_SAMPLES * sizeof *label);
    assert_true(x && label);
    for (size_t s = 0; s < GOLDEN_SAMPLES * copies; s++) {
        size_t g = s % GOLDEN_SAMPLES;
        label[s] = golden_label[g];
        for (size_t t = 0; t < GOLDEN_STEPS; t++)
            for (size_t i = 0; i < INPUTS; i++)
                if (g != 3 && (g * 31 + t * 17 + i * 7) % 11 < 3)
                    x[(s * GOLDEN_STEPS + t) * INPUTS + i] = (uint8_t)(1 + (t % 2 == 0 && i % 5 == 0));
    }
    save(npy(frames, SNN_NPY_U8, 5, shape), x, n * copies);
    save(npy(labels, SNN_NPY_I32, 1, shape), label, GOLDEN_SAMPLES * copies * sizeof *label);
    free(x);
    free(label);
}

static int setup(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim-evaluate-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    write_frames("x.npy", "y.npy", 1);
    write_frames("many.npy", "many_y.npy", COPIES);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* ---- the tiny network ---- */

typedef struct {
    snn_config *config;
    snn_dataset *data;
    snn_net *net;
    snn_weights *weights;
    snn_engine *engine;
} tiny;

static snn_config *tiny_config(const char *frames, const char *labels, const char *last) {
    char text[2048];
    snn_error err = {0};
    snprintf(
        text, sizeof text,
        "dataset = { name = \"npy\"; path = \"%s\"; frames = \"%s\"; labels = \"%s\"; classes = 4; };\n"
        "network = { layers = ( { name = \"conv\"; type = \"conv2d\"; channels = 3; kernel = 3; padding = 1; "
        "},\n"
        " { name = \"pool\"; type = \"pool_max\"; kernel = 2; }, { name = \"flat\"; type = \"flatten\"; },\n"
        " { name = \"fc\"; type = \"linear\"; outputs = 4; %s } ); };\n",
        folder, frames, labels, last);
    snn_config *c = snn_config_parse(text, "tiny.cfg", &err);
    need(c != NULL, &err);
    return c;
}

/* Weights ((i a + b) mod 15 - 7) / 8, exact in 4 bits with scale 2^-3. */
static void fill(snn_tensor *t, uint64_t a, uint64_t b) {
    for (uint64_t i = 0; i < t->count; i++)
        t->value[i] = (float)((double)((i * a + b) % 15) - 7) / 8;
}

static tiny open_tiny(const char *frames, const char *labels, snn_arithmetic arithmetic, const char *last) {
    snn_error err = {0};
    tiny s = {.config = tiny_config(frames, labels, last)};
    s.data = snn_dataset_open(s.config, SNN_SPLIT_TEST, &err);
    need(s.data != NULL, &err);
    s.net = snn_net_from_config(s.config, (snn_shape){2, 6, 6}, &err);
    need(s.net != NULL, &err);
    snn_weights *w = snn_weights_new(s.net, &err);
    need(w != NULL, &err);
    fill(&w->tensor[0], 37, 11);
    fill(&w->tensor[1], 29, 4);
    snn_quantisation q = {.bits = 4, .encoding = SNN_SIGN_MAGNITUDE};
    s.weights = snn_weights_quantise(w, &q, NULL, &err);
    need(s.weights != NULL, &err);
    assert_true(s.weights->tensor[0].scale[0] == 0.125f && s.weights->tensor[1].scale[0] == 0.125f);
    snn_weights_free(w);
    snn_engine_options o = {.arithmetic = arithmetic, .simd = snn_simd_best(), .count_operations = true};
    s.engine = snn_engine_new(s.net, s.weights, &o, &err);
    need(s.engine != NULL, &err);
    return s;
}

static void close_tiny(tiny *s) {
    snn_engine_free(s->engine);
    snn_weights_free(s->weights);
    snn_net_free(s->net);
    snn_dataset_free(s->data);
    snn_config_free(s->config);
}

/* ---- what the hooks are given ---- */

typedef struct {
    size_t next, traced, fail_at, stop_at;
    int layer; /* last traced layer of the sample at hand, -1: none */
    uint64_t spikes[4];
    uint64_t progress;
    volatile sig_atomic_t stop;
    bool wrong;
} log_book;

static bool on_sample(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    log_book *b = context;
    size_t g = i % GOLDEN_SAMPLES;
    b->wrong |= i != b->next || label != golden_label[g] || r->predicted != golden_predicted[g];
    for (int c = 0; c < GOLDEN_CLASSES; c++)
        b->wrong |= r->out[c] != golden_outputs[g * GOLDEN_CLASSES + (size_t)c];
    b->next++;
    b->layer = -1;
    if (i == b->stop_at)
        b->stop = 1;
    return i != b->fail_at || snn_fail(err, SNN_ERR_RUNTIME, "no more space");
}

static bool on_trace(void *context, size_t i, int layer, const uint8_t *spikes, const void *membrane,
                     snn_error *err) {
    (void)err;
    log_book *b = context;
    static const size_t neurons[4] = {CONV_NEURONS, POOL_OUTPUTS, 0, GOLDEN_CLASSES};
    b->wrong |= i != b->next || layer <= b->layer || (membrane == NULL) != (layer == 1);
    b->layer = layer;
    b->traced++;
    for (size_t k = 0; k < GOLDEN_STEPS * neurons[layer]; k++) {
        b->spikes[layer] += spikes[k];
        if (membrane) /* a spike is a membrane above the threshold */
            b->wrong |= (((const float *)membrane)[k] > 0.3f) != spikes[k];
    }
    return true;
}

static void on_progress(void *context, uint64_t done, uint64_t total) {
    (void)total;
    (void)done;
    __atomic_add_fetch(&((log_book *)context)->progress, 1, __ATOMIC_RELAXED);
}

static snn_evaluate_hooks hooks_of(log_book *b) {
    *b = (log_book){.fail_at = SIZE_MAX, .stop_at = SIZE_MAX, .layer = -1};
    return (snn_evaluate_hooks){b, on_sample, on_trace, on_progress, &b->stop};
}

static void golden_figures(void **state) {
    (void)state;
    tiny s = open_tiny("x.npy", "y.npy", SNN_ARITHMETIC_FLOAT, "");
    static const int threads[] = {1, 2, 3, 8, 20};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        log_book book;
        snn_error err = {0};
        snn_evaluation e;
        snn_evaluate_hooks hooks = hooks_of(&book);
        bool trace[4] = {true, true, false, true};
        snn_evaluate_options o = {.threads = threads[i], .trace = trace};
        need(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err), &err);
        assert_false(book.wrong);
        assert_int_equal(book.next, GOLDEN_SAMPLES);
        assert_int_equal(book.progress, GOLDEN_SAMPLES);
        assert_int_equal(book.traced, 3 * GOLDEN_SAMPLES);
        for (int l = 0, k = 0; l < 4; l++)
            if (l != 2) {
                assert_int_equal(book.spikes[l], golden_spikes[k]);
                assert_int_equal(e.metrics->activity[l].spikes, golden_spikes[k++]);
            }
        for (int k = 0; k < 2; k++) {
            const snn_layer_activity *a = &e.metrics->activity[3 * k];
            assert_int_equal(a->inputs, golden_inputs[k]);
            assert_int_equal(a->input_counts, golden_input_counts[k]);
            assert_int_equal(a->synops, golden_synops[k]);
            assert_int_equal(a->effective_macs, golden_effective_macs[k]);
            assert_int_equal(a->effective_acs, golden_effective_acs[k]);
            assert_int_equal(a->membrane_updates, golden_membrane_updates[k]);
        }
        assert_memory_equal(e.metrics->correct_by_step, golden_by_step, sizeof golden_by_step);
        assert_string_equal(e.digest, GOLDEN_DIGEST);
        assert_int_equal(e.samples, GOLDEN_SAMPLES);
        assert_int_equal(e.empty_samples, 1);
        snn_evaluation_free(&e);
        assert_null(e.metrics);
    }
    close_tiny(&s);
}

static void golden_ratios(void **state) {
    (void)state;
    tiny s = open_tiny("x.npy", "y.npy", SNN_ARITHMETIC_FLOAT, "");
    snn_error err = {0};
    snn_evaluation e;
    snn_neurobench n;
    snn_evaluate_options o = {.threads = 2};
    need(snn_evaluate(s.engine, s.net, s.data, &o, NULL, &e, &err), &err);
    snn_metrics_neurobench(e.metrics, s.net, s.weights, &n);
    snn_interval b = snn_metrics_balanced(e.metrics);
    assert_true(fabs(b.value - GOLDEN_BALANCED) < 1e-12);
    assert_true(fabs(b.value - b.low - GOLDEN_BALANCED_BELOW) < 1e-12);
    assert_true(fabs(b.high - b.value - GOLDEN_BALANCED_ABOVE) < 1e-12);
    assert_true(fabs(n.activation_sparsity - GOLDEN_SPARSITY) < 1e-12);
    assert_true(n.dense_step == GOLDEN_DENSE_STEP && n.dense_operations == GOLDEN_DENSE_STEP * GOLDEN_STEPS);
    assert_true(fabs(n.connection_sparsity - GOLDEN_ZEROS / 162.0) < 1e-12);
    assert_int_equal(n.footprint_bytes, 27 + 54 + 2 * 4 + (108 + 4) * 4); /* 54 and 108 codes of 4 bit */
    snn_evaluation_free(&e);
    close_tiny(&s);
}

static void many_chunks(void **state) {
    (void)state;
    tiny s = open_tiny("many.npy", "many_y.npy", SNN_ARITHMETIC_FLOAT, "");
    char digest[SNN_DIGEST_HEX] = "";
    for (int threads = 1; threads <= 3; threads++) {
        log_book book;
        snn_error err = {0};
        snn_evaluation e;
        snn_evaluate_hooks hooks = hooks_of(&book);
        snn_evaluate_options o = {.threads = threads};
        need(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err), &err);
        assert_false(book.wrong);
        assert_int_equal(book.next, MANY);
        assert_int_equal(book.traced, 0);
        assert_int_equal(e.metrics->activity[3].spikes, COPIES * golden_spikes[2]);
        assert_int_equal(e.empty_samples, COPIES);
        double sum = e.read_seconds + e.frame_seconds + e.simulate_seconds + e.other_seconds;
        assert_true(e.wall_seconds > 0 && e.simulate_seconds > 0 && sum > 0.99 * e.wall_seconds);
        if (threads == 1)
            strcpy(digest, e.digest);
        assert_string_equal(e.digest, digest);
        snn_evaluation_free(&e);
    }
    close_tiny(&s);
}

static void limits(void **state) {
    (void)state;
    tiny s = open_tiny("many.npy", "many_y.npy", SNN_ARITHMETIC_FLOAT, "");
    static const size_t limit[] = {1, GOLDEN_SAMPLES, 511, 512, 513, MANY - 1, MANY, MANY + 1, 100000};
    for (size_t i = 0; i < sizeof limit / sizeof *limit; i++) {
        log_book book;
        snn_error err = {0};
        snn_evaluation e;
        snn_evaluate_hooks hooks = hooks_of(&book);
        snn_evaluate_options o = {.threads = 1, .limit = limit[i]};
        need(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err), &err);
        size_t expected = limit[i] < MANY ? limit[i] : MANY;
        assert_int_equal(e.samples, expected);
        assert_int_equal(book.next, expected);
        if (limit[i] == GOLDEN_SAMPLES)
            assert_string_equal(e.digest, GOLDEN_DIGEST);
        snn_evaluation_free(&e);
    }
    close_tiny(&s);
}

static void refuse(const tiny *s, const snn_net *net, const snn_evaluate_options *o, log_book *book,
                   bool stop, size_t fail_at, snn_code code, const char *sentence) {
    snn_error err = {0};
    snn_evaluation e;
    snn_evaluate_hooks hooks = hooks_of(book);
    book->stop = stop;
    book->fail_at = fail_at;
    assert_false(snn_evaluate(s->engine, net, s->data, o, &hooks, &e, &err));
    if (err.code != code || !strstr(err.text, sentence))
        fail_msg("expected '%s' (%d) in '%s' (%d)", sentence, code, err.text, err.code);
    assert_null(e.metrics);
}

static void stops_and_failures(void **state) {
    (void)state;
    tiny s = open_tiny("many.npy", "many_y.npy", SNN_ARITHMETIC_FLOAT, "");
    log_book book;
    snn_evaluate_options o = {.threads = 2};
    refuse(&s, s.net, &o, &book, true, SIZE_MAX, SNN_ERR_INTERRUPTED, "interrupted after 0 of 1300 samples");
    assert_int_equal(book.next, 0);
    /* a hook that fails stops the delivery at once */
    refuse(&s, s.net, &o, &book, false, 200, SNN_ERR_RUNTIME, "no more space");
    assert_int_equal(book.next, 201);
    bool trace[4] = {false, false, true, false};
    o.trace = trace;
    refuse(&s, s.net, &o, &book, false, SIZE_MAX, SNN_ERR_USAGE, "layer flat only flattens");
    /* stopped in the middle: whole samples only, in order */
    snn_evaluate_hooks hooks = hooks_of(&book);
    snn_error err = {0};
    snn_evaluation e;
    o.trace = NULL;
    book.stop_at = 100; /* in the delivery of the first chunk */
    assert_false(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err));
    assert_int_equal(err.code, SNN_ERR_INTERRUPTED);
    assert_true(book.next == 1024 && !book.wrong); /* two threads: the first chunk */
    close_tiny(&s);
}

static void misfits(void **state) {
    (void)state;
    tiny s = open_tiny("x.npy", "y.npy", SNN_ARITHMETIC_FLOAT, "");
    log_book book;
    snn_error err = {0};
    snn_evaluate_options o = {.threads = 1};
    for (int axis = 0; axis < 3; axis++) {
        snn_shape shape = {axis == 0 ? 3 : 2, axis == 1 ? 8 : 6, axis == 2 ? 8 : 6};
        snn_net *net = snn_net_from_config(s.config, shape, &err);
        need(net != NULL, &err);
        refuse(&s, net, &o, &book, false, SIZE_MAX, SNN_ERR_DATA, "but data set npy gives 2x6x6");
        snn_net_free(net);
    }
    need(snn_config_set(s.config, "network.layers[3].outputs=3", &err), &err);
    snn_net *net = snn_net_from_config(s.config, (snn_shape){2, 6, 6}, &err);
    need(net != NULL, &err);
    refuse(&s, net, &o, &book, false, SIZE_MAX, SNN_ERR_DATA,
           "the network has 3 outputs but data set npy has 4 classes");
    snn_net_free(net);
    close_tiny(&s);
}

/* A file that shrinks while it is read: the first sample that cannot be read is the error, whichever thread meets it. */
static void broken_sample(void **state) {
    (void)state;
    char path[128];
    write_frames("cut.npy", "cut_y.npy", 2);
    tiny s = open_tiny("cut.npy", "cut_y.npy", SNN_ARITHMETIC_FLOAT, "");
    snprintf(path, sizeof path, "%s/cut.npy", folder);
    assert_int_equal(truncate(path, 128 + 10 * GOLDEN_STEPS * INPUTS + 5), 0);
    snn_error first = {0};
    for (int threads = 1; threads <= 4; threads++) {
        log_book book;
        snn_error err = {0};
        snn_evaluation e;
        snn_evaluate_hooks hooks = hooks_of(&book);
        snn_evaluate_options o = {.threads = threads};
        assert_false(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err));
        assert_non_null(strstr(err.text, "cut.npy"));
        assert_int_equal(book.next, 10); /* the ten whole samples before it were delivered */
        if (threads == 1)
            first = err;
        assert_string_equal(err.text, first.text);
    }
    close_tiny(&s);
}

/* Fixed arithmetic and a membrane read-out: the same membranes for any number of threads, int32, and no output spikes to digest. */
static bool sum_membrane(void *context, size_t i, int layer, const uint8_t *spikes, const void *membrane,
                         snn_error *err) {
    (void)i, (void)layer, (void)err;
    uint64_t *sum = context;
    for (int k = 0; k < GOLDEN_STEPS * GOLDEN_CLASSES; k++) {
        *sum = *sum * 31 + (uint32_t)((const int32_t *)membrane)[k];
        *sum += spikes[k];
    }
    return true;
}

typedef struct {
    uint64_t sum; /* first, so that sum_membrane finds it */
    snn_digest digest;
    size_t outputs;
} membrane_check;

/* The bytes that the digest of a membrane read-out is made of: sample, class and float64, little-endian. */
static bool add_output(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    membrane_check *m = context;
    (void)label, (void)err;
    for (int c = 0; c < r->classes; c++) {
        uint8_t bytes[16] = {(uint8_t)i, 0, 0, 0, (uint8_t)c};
        memcpy(bytes + 8, &r->out[c], 8);
        if (r->out[c] != 0)
            snn_digest_bytes(&m->digest, bytes, sizeof bytes);
        m->outputs += r->out[c] != 0;
    }
    return true;
}

static void fixed_membranes(void **state) {
    (void)state;
    tiny s = open_tiny("x.npy", "y.npy", SNN_ARITHMETIC_FIXED, "neuron = { type = \"li\"; decay = 0.9; };");
    uint64_t first = 0;
    bool trace[4] = {false, false, false, true};
    for (int threads = 1; threads <= 4; threads++) {
        membrane_check m = {.sum = 0};
        uint8_t digest[SNN_DIGEST_BYTES];
        char hex[SNN_DIGEST_HEX];
        snn_error err = {0};
        snn_evaluation e;
        snn_evaluate_hooks hooks = {.context = &m, .trace = sum_membrane, .sample = add_output};
        snn_evaluate_options o = {.threads = threads, .trace = trace};
        snn_digest_init(&m.digest);
        need(snn_evaluate(s.engine, s.net, s.data, &o, &hooks, &e, &err), &err);
        first = threads == 1 ? m.sum : first;
        assert_true(m.sum == first && m.sum != 0);
        assert_int_equal(e.metrics->activity[3].spikes, 0);
        assert_true(m.outputs > 0);
        snn_digest_final(&m.digest, digest);
        snn_digest_hex(digest, hex);
        assert_string_equal(e.digest, hex);
        snn_evaluation_free(&e);
    }
    close_tiny(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_figures), cmocka_unit_test(golden_ratios),      cmocka_unit_test(many_chunks),
        cmocka_unit_test(limits),         cmocka_unit_test(stops_and_failures), cmocka_unit_test(misfits),
        cmocka_unit_test(broken_sample),  cmocka_unit_test(fixed_membranes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
