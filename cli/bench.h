/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The benchmark's parts: work (networks with inputs in memory), measuring, and the bare scatter loop. */
#ifndef SNNSIM_CLI_BENCH_H
#define SNNSIM_CLI_BENCH_H

#include "cli.h"

/* A network with codes and framed samples in memory. */
typedef struct {
    const char *name;
    snn_net *net;
    snn_weights *weights;
    snn_spikes *x; /* [n] */
    size_t n;
    int steps;
} bench_work;

void bench_work_free(bench_work *w);
/* bench_work.c: the networks of the suite. *where says what the inputs are ("1000 real recordings", "random inputs ..."). */
bool bench_nmnist(bench_work *w, const char **where, snn_error *err);
bool bench_golden(bench_work *w, const char **where, snn_error *err);
/* The shipped model on the synthetic camera; *where is NULL when there is no models/gesture.h5. */
bool bench_gesture(bench_work *w, const char **where, snn_error *err);
/* Frames the first `limit` samples of a data set into memory. */
bool bench_load(bench_work *w, const snn_dataset *data, size_t limit, snn_error *err);

/* bench_measure.c: medians of several runs. */
typedef struct {
    double median, low, high;
    int runs;
} bench_figure;

/* Calls run(context) until both `least` runs and `seconds` are over, after one run that warms up; figures of what run returns. False when a run fails (returns < 0). */
bool bench_repeat(double (*run)(void *context), void *context, int least, double seconds, bench_figure *out);
/* Samples per second of all samples in turn. */
bool bench_throughput(const bench_work *w, snn_simd simd, int threads, double seconds, bench_figure *out,
                      snn_error *err);
/* Seconds of single samples, one after the other, each timed alone (median, 5 % and 95 % quantile). */
bool bench_latency(const bench_work *w, snn_simd simd, bench_figure *out, snn_error *err);
/* Synapses touched per sample. */
bool bench_synops(const bench_work *w, double *per_sample, snn_error *err);

/* bench_scatter.c: what the machine gives at most. Adds the weight rows of the first (linear) layer for every input of every sample, in a loop without neurons, thresholds or a
 * second layer; samples per second, and synapses per sample in *synapses. */
bool bench_scatter(const bench_work *w, snn_simd simd, double seconds, bench_figure *out, double *synapses,
                   snn_error *err);

/* bench_suite.c */
bool bench_suite(double seconds, snn_error *err);

#endif
