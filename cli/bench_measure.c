/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Benchmark: medians of several runs; throughput and latency of the engine. */
#include "bench.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 1000 };

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(double *value, int n, double tail, bench_figure *out) {
    qsort(value, (size_t)n, sizeof *value, by_value);
    *out = (bench_figure){value[n / 2], value[(int)(tail * (n - 1))], value[(int)((1 - tail) * (n - 1))], n};
}

bool bench_repeat(double (*run)(void *context), void *context, int least, double seconds, bench_figure *out) {
    double value[MOST_RUNS];
    int n = 0;
    if (run(context) < 0)
        return false;
    for (const double start = snn_now(); n < MOST_RUNS && (n < least || snn_now() - start < seconds); n++)
        if ((value[n] = run(context)) < 0)
            return false;
    summarise(value, n, 0, out);
    return true;
}

typedef struct {
    const bench_work *work;
    snn_engine *engine;
    snn_workspace **workspace; /* [threads] */
    snn_result *result;        /* [threads] */
    int threads;
    size_t repeat; /* passes over the samples in one run, so that a run is long enough to time */
    snn_error *err;
} bench_engine;

static void close_engine(bench_engine *b) {
    for (int t = 0; t < b->threads; t++) {
        if (b->workspace)
            snn_workspace_free(b->workspace[t]);
        if (b->result)
            snn_result_free(&b->result[t]);
    }
    free(b->workspace);
    free(b->result);
    snn_engine_free(b->engine);
}

static bool open_engine(bench_engine *b, const bench_work *w, snn_simd simd, int threads, bool count,
                        snn_error *err) {
    const snn_engine_options o = {
        .arithmetic = SNN_ARITHMETIC_FLOAT, .simd = simd, .count_operations = count};
    *b = (bench_engine){.work = w, .threads = threads, .repeat = 1, .err = err};
    b->engine = snn_engine_new(w->net, w->weights, &o, err);
    b->workspace = snn_alloc((size_t)threads, sizeof *b->workspace, "workspaces", err);
    b->result = snn_alloc((size_t)threads, sizeof *b->result, "results", err);
    bool ok = b->engine && b->workspace && b->result;
    for (int t = 0; ok && t < threads; t++)
        ok = (b->workspace[t] = snn_workspace_new(b->engine, err)) &&
             snn_result_init(&b->result[t], w->net, w->steps, err);
    return ok;
}

static bool one(bench_engine *b, size_t i, int thread, snn_error *err) {
    return snn_engine_run(b->engine, &b->work->x[i], i, b->workspace[thread], NULL, &b->result[thread], err);
}

static double run_all(void *context) {
    bench_engine *b = context;
    const size_t n = b->work->n * b->repeat;
    bool ok = true;
    const double start = snn_now();
#pragma omp parallel for schedule(dynamic, 4) num_threads(b->threads) reduction(&& : ok)
    for (size_t i = 0; i < n; i++) {
        snn_error err;
        ok = ok && one(b, i % b->work->n, omp_get_thread_num(), &err);
    }
    return ok ? (double)n / (snn_now() - start) : -1;
}

bool bench_throughput(const bench_work *w, snn_simd simd, int threads, double seconds, bench_figure *out,
                      snn_error *err) {
    bench_engine b;
    bool ok = open_engine(&b, w, simd, threads, false, err) && one(&b, 0, 0, err);
    if (ok) {
        const double rate = run_all(&b);
        const double wanted = rate * 0.02 / (double)w->n; /* runs of 20 ms at least */
        b.repeat = wanted > 1 ? (size_t)wanted + 1 : 1;
        ok = rate > 0 && bench_repeat(run_all, &b, 5, seconds, out);
        if (!ok)
            snn_fail(err, SNN_ERR_RUNTIME, "the benchmark of %s failed", w->name);
    }
    close_engine(&b);
    return ok;
}

bool bench_latency(const bench_work *w, snn_simd simd, bench_figure *out, snn_error *err) {
    enum { CALLS = 1000 };
    double seconds[CALLS];
    bench_engine b;
    bool ok = open_engine(&b, w, simd, 1, false, err);
    int n = 0;
    for (const double start = snn_now(); ok && n < CALLS && (n < 50 || snn_now() - start < 1); n++) {
        const double before = snn_now();
        ok = one(&b, (size_t)n % w->n, 0, err);
        seconds[n] = snn_now() - before;
    }
    if (ok)
        summarise(seconds, n, 0.05, out);
    close_engine(&b);
    return ok;
}

bool bench_synops(const bench_work *w, double *per_sample, snn_error *err) {
    bench_engine b;
    uint64_t total = 0;
    bool ok = open_engine(&b, w, snn_simd_best(), 1, true, err);
    for (size_t i = 0; ok && i < w->n; i++) {
        ok = one(&b, i, 0, err);
        for (int l = 0; ok && l < w->net->layers; l++)
            total += b.result[0].activity[l].synops;
    }
    *per_sample = (double)total / (double)w->n;
    close_engine(&b);
    return ok;
}
