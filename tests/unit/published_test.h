/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of published networks share: import, run over a data set, compare with the expected outputs that came with the networks. */
#ifndef PUBLISHED_TEST_H
#define PUBLISHED_TEST_H

#include <snnsim/import.h>
#include <snnsim/snnsim.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static inline void need(bool ok, const snn_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

/* "<data>/<name>"; skips the test when it is not there. */
static inline const char *data_path(const char *name) {
    static char path[4][512];
    static int turn;
    const char *root = getenv("SNNSIM_DATA");
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root ? root : "../shared/data", name);
    if (access(path[turn], R_OK) != 0) {
        print_message("skipped (no data)\n");
        skip();
    }
    return path[turn];
}

/* Rows of whole numbers of a CSV file with a header. */
typedef struct {
    long (*row)[20];
    size_t n;
} table;

static inline table read_table(const char *path) {
    table t = {0};
    char line[512];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        t.row = realloc(t.row, (t.n + 1) * sizeof *t.row);
        assert_non_null(t.row);
        char *p = line;
        for (int k = 0; k < 20 && *p >= '0' && *p <= '9'; k++) {
            t.row[t.n][k] = strtol(p, &p, 10);
            p += *p == ',';
        }
        t.n++;
    }
    fclose(f);
    return t;
}

/* Compares sample after sample with rows [first..). */
typedef struct {
    const table *expected;
    size_t first;
    int spikes; /* first of the columns of spikes: what each layer passes on within the run, the last one excepted */
    int layer;   /* that reads the spikes of the first such column */
    int outputs; /* column of the first output's count; -1: the predicted class stands in column 2 */
    size_t correct, samples;
} comparison;

static inline bool compare_sample(void *context, size_t i, int label, const snn_result *r, snn_error *err) {
    comparison *c = context;
    const size_t at = c->first + i;
    (void)err;
    assert_in_range(at, 0, c->expected->n - 1);
    const long *row = c->expected->row[at];
    assert_int_equal(label, row[1]);
    if (c->outputs < 0)
        assert_int_equal(r->predicted, row[2]);
    for (int k = 0; c->outputs >= 0 && k < r->classes; k++)
        assert_int_equal((long)r->out[k], row[c->outputs + k]);
    for (int k = 0; c->outputs >= 0 && c->spikes + k < c->outputs; k++)
        assert_int_equal(r->activity[c->layer + k].inputs, row[c->spikes + k]);
    c->correct += r->predicted == label;
    c->samples++;
    return true;
}

/* Runs a model over the part `split` of the data set that section `dataset` of the config text describes. */
/* Recordings of a set that a test runs: all, or some where the build is slow. */
#ifdef SNN_INSTRUMENTED
#define PUBLISHED(n) ((n) < 40 ? (n) : 40)
#else
#define PUBLISHED(n) (n)
#endif

static inline void run_published(const snn_model *m, const char *dataset, snn_split split,
                                 snn_evaluate_hooks *hooks, const bool *trace, size_t limit) {
    snn_error err = {0};
    snn_config *config = snn_config_parse(dataset, "test.cfg", &err);
    need(config != NULL, &err);
    snn_dataset *data = snn_dataset_open(config, split, &err);
    need(data != NULL, &err);
    snn_engine_options o = {.arithmetic = m->net->fixed ? SNN_ARITHMETIC_FIXED : SNN_ARITHMETIC_FLOAT,
                            .simd = snn_simd_best()};
    snn_engine *engine = snn_engine_new(m->net, m->weights, &o, &err);
    need(engine != NULL, &err);
    snn_evaluate_options e = {.threads = 2, .limit = limit, .trace = trace};
    snn_evaluation out = {0};
    need(snn_evaluate(engine, m->net, data, &e, hooks, &out, &err), &err);
    snn_evaluation_free(&out);
    snn_engine_free(engine);
    snn_dataset_free(data);
    snn_config_free(config);
}

#endif
