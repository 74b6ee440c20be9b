/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SpikingDSE's recurrent SHD network of adaptive neurons, from its tables alone: every hidden spike of its reference samples, its membranes and softmax sums, and its predictions of the
 * recordings at hand.
 */
#include "published_test.h"

#include "../../sim/import_spikingdse.h"

#include <math.h>

enum { STEPS = 100, CHANNELS = 700, HIDDEN = 128, CLASSES = 20 };

/* How far the author's membranes (PyTorch, sums in another order) are from ours: shared/data/README.md says 4e-5. */
#define MEMBRANE_TOLERANCE 4e-5

static void load(snn_model *m) {
    snn_error err = {0};
    need(snn_import(m, data_path("models/spikingdse_shd/weights"), NULL, &err), &err);
    assert_false(m->net->fixed);
}

static snn_dse_table reference(const char *name, int batch, uint32_t rows, uint32_t columns) {
    char path[128];
    snn_dse_table t;
    snn_error err = {0};
    snprintf(path, sizeof path, "models/spikingdse_shd/traces/val_%s_%d.csv", name, batch);
    need(snn_dse_read(&t, data_path(path), &err), &err);
    assert_int_equal(t.rows, rows);
    assert_int_equal(t.columns, columns);
    return t;
}

/* A recording, binned at 10 ms by the author: a line for each bin, `bin,channel,channel,...`. */
static void read_trace(const char *path, snn_spikes *x) {
    snn_error err = {0};
    uint8_t *count = calloc(STEPS, CHANNELS);
    char line[8192], *p;
    FILE *f = fopen(path, "r");
    assert_non_null(count);
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    for (int t = 0; fgets(line, sizeof line, f); t++) {
        assert_int_equal(strtol(line, &p, 10), t);
        while (*p == ',' && p[1] >= '0' && p[1] <= '9')
            count[(size_t)t * CHANNELS + (size_t)strtol(p + 1, &p, 10)] = 1;
    }
    fclose(f);
    need(snn_spikes_from_counts(x, CHANNELS, STEPS, count, &err), &err);
    free(count);
}

typedef struct {
    snn_dse_table spikes[2], membrane[3];
    double worst; /* difference of membranes */
} golden;

static bool check_step(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                       snn_error *err) {
    golden *g = context;
    const float *v = membrane;
    const uint32_t n = layer < 2 ? HIDDEN : CLASSES;
    (void)err;
    for (uint32_t j = 0; j < n; j++) {
        const size_t at = (size_t)step * n + j;
        if (layer < 2)
            assert_int_equal(spikes[j], (int)g->spikes[layer].value[at]);
        g->worst = fmax(g->worst, fabs((double)v[j] - (double)g->membrane[layer].value[at]));
    }
    return true;
}

/* Sample 128 * batch, whose traces were published. */
static void check_traces(const snn_model *m, const snn_engine *engine, int batch) {
    static const bool traced[3] = {true, true, true};
    char name[64];
    snn_error err = {0};
    snn_spikes x = {0};
    snn_result r;
    snn_workspace *w = snn_workspace_new(engine, &err);
    need(w != NULL && snn_result_init(&r, m->net, STEPS, &err), &err);
    golden g = {.spikes = {reference("spikes_n_1", batch, STEPS, HIDDEN),
                           reference("spikes_n_2", batch, STEPS, HIDDEN)},
                .membrane = {reference("mem_n_1", batch, STEPS, HIDDEN),
                             reference("mem_n_2", batch, STEPS, HIDDEN),
                             reference("mem_n_out", batch, STEPS, CLASSES)}};
    snprintf(name, sizeof name, "shd/traces/input_%d.trace", 128 * batch);
    read_trace(data_path(name), &x);
    snn_trace trace = {.context = &g, .layer = traced, .step = check_step};
    need(snn_engine_run(engine, &x, 0, w, &trace, &r, &err), &err);
    assert_true(g.worst > 0 && g.worst < MEMBRANE_TOLERANCE);
    snn_dse_table sums = reference("softmax", batch, 128, CLASSES); /* of samples 128 * batch + row */
    for (int k = 0; k < CLASSES; k++)
        assert_true(fabs(r.out[k] - (double)sums.value[k]) < 2e-5);
    snn_dse_free(&sums);
    for (int k = 0; k < 3; k++) {
        snn_dse_free(&g.membrane[k]);
        if (k < 2)
            snn_dse_free(&g.spikes[k]);
    }
    snn_spikes_free(&x);
    snn_result_free(&r);
    snn_workspace_free(w);
}

static void traces(void **state) {
    (void)state;
    snn_error err = {0};
    snn_model m;
    load(&m);
    snn_engine_options o = {.simd = snn_simd_best()};
    snn_engine *engine = snn_engine_new(m.net, m.weights, &o, &err);
    need(engine != NULL, &err);
    check_traces(&m, engine, 0);
    check_traces(&m, engine, 2);
    snn_engine_free(engine);
    snn_model_free(&m);
}

/* Softmax sums of recordings 128 * batch + row, where both those and the recording are there. */
typedef struct {
    comparison c;
    snn_dse_table sums[2]; /* batches 0 and 2 */
    size_t seen, far;      /* compared rows; those that are off */
} predictions;

static bool check_sample(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    predictions *p = context;
    const long number = p->c.expected->row[i][0], batch = number / 128;
    double worst = 0;
    for (int k = 0; (batch == 0 || batch == 2) && k < CLASSES; k++)
        worst = fmax(worst, fabs(r->out[k] - (double)p->sums[batch / 2].value[number % 128 * CLASSES + k]));
    p->seen += batch == 0 || batch == 2;
    p->far += worst > 2e-5;
    return compare_sample(&p->c, i, label, r, err);
}

static void recordings(void **state) {
    (void)state;
    snn_model m;
    char dataset[1024];
    load(&m);
    snprintf(dataset, sizeof dataset,
             "dataset = { name = \"shd\"; path = \"%s\"; reverse = true; bins = 100; bin_us = 10000; "
             "from_zero = true; rounding = \"ceil\"; binary = true; };",
             data_path("shd/traces"));
    table expected = read_table(data_path("models/spikingdse_shd/expected_predictions.csv"));
    predictions p = {.c = {.expected = &expected, .outputs = -1},
                     .sums = {reference("softmax", 0, 128, CLASSES), reference("softmax", 2, 128, CLASSES)}};
    snn_evaluate_hooks hooks = {.context = &p, .sample = check_sample};
    run_published(&m, dataset, SNN_SPLIT_TEST, &hooks, NULL, 0);
    assert_int_equal(p.c.samples, 1000);
    assert_int_equal(p.c.correct, 756);
    assert_int_equal(p.seen, 171);
    assert_int_equal(p.far, 1); /* number 73: one membrane at its threshold */
    snn_dse_free(&p.sums[0]);
    snn_dse_free(&p.sums[1]);
    free(expected.row);
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces),
        cmocka_unit_test(recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
