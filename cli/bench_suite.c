/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Benchmark: the suite behind `make bench`. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of the table: work, what it ran with, the median, the spread of the runs, a unit. */
static void put(const char *work, const char *with, int threads, const bench_figure *f, double factor,
                const char *unit) {
    printf("%-16s %-10s %2d thread%s %12.5g %-22s %10.5g .. %-10.5g %4d runs\n", work, with, threads,
           threads == 1 ? " " : "s", f->median * factor, unit, f->low * factor, f->high * factor, f->runs);
    fflush(stdout);
}

static bool engine_lines(const bench_work *w, double seconds, snn_error *err) {
    bench_figure f;
    double synops;
    const int threads = snn_threads(0);
    if (!bench_synops(w, &synops, err))
        return false;
    printf("# %s: %.4g M synapses touched per sample\n", w->name, synops * 1e-6);
    for (int level = snn_simd_best(); level >= 0; level--) {
        if (!bench_throughput(w, (snn_simd)level, 1, seconds, &f, err))
            return false;
        put(w->name, snn_simd_name((snn_simd)level), 1, &f, 1, "samples/s");
        put(w->name, snn_simd_name((snn_simd)level), 1, &f, synops * 1e-9, "G SynOps/s");
    }
    if (threads > 1) {
        if (!bench_throughput(w, snn_simd_best(), threads, seconds, &f, err))
            return false;
        put(w->name, snn_simd_name(snn_simd_best()), threads, &f, 1, "samples/s");
    }
    if (!bench_latency(w, snn_simd_best(), &f, err))
        return false;
    put(w->name, snn_simd_name(snn_simd_best()), 1, &f, 1e6, "us for one sample");
    return true;
}

/* The engine's synaptic operations against a bare scatter loop in the same process. */
static bool scatter_lines(const bench_work *w, double seconds, snn_error *err) {
    double synops;
    if (!bench_synops(w, &synops, err))
        return false;
    for (int level = snn_simd_best(); level >= 0; level--) {
        bench_figure bare, engine;
        double synapses;
        if (!bench_scatter(w, (snn_simd)level, seconds, &bare, &synapses, err) ||
            !bench_throughput(w, (snn_simd)level, 1, seconds, &engine, err))
            return false;
        put("scatter-loop", snn_simd_name((snn_simd)level), 1, &bare, synapses * 1e-9, "G SynOps/s");
        const double share = engine.median * synops / (bare.median * synapses);
        printf("%-16s %-10s  1 thread  %12.1f %% of the bare scatter loop's synaptic operations per second\n",
               w->name, snn_simd_name((snn_simd)level), 100 * share);
    }
    return true;
}

/* ---- reading and framing ---- */

typedef struct {
    const snn_dataset *data;
    snn_dataset_buffer buffer;
    snn_spikes x;
    size_t n;
    bool frames;
    snn_error *err;
} reading;

static double read_all(void *context) {
    reading *r = context;
    const uint64_t before = r->buffer.events_read;
    const double start = snn_now();
    for (size_t i = 0; i < r->n; i++)
        if (!(r->frames ? snn_dataset_frames(r->data, i, &r->buffer, &r->x, r->err)
                        : snn_dataset_events(r->data, i, &r->buffer, r->err)))
            return -1;
    return (double)(r->buffer.events_read - before) / (snn_now() - start);
}

static bool reading_lines(const char *name, const snn_dataset *data, size_t limit, double seconds,
                          snn_error *err) {
    const size_t count = snn_dataset_count(data);
    reading r = {.data = data, .n = count < limit ? count : limit, .err = err};
    bench_figure f;
    bool ok = true;
    for (int frames = 0; ok && frames < 2; frames++) {
        r.frames = frames;
        ok = bench_repeat(read_all, &r, 3, seconds, &f);
        if (ok)
            put(name, frames ? "read+frame" : "read", 1, &f, 1e-6, "M events/s");
    }
    snn_spikes_free(&r.x);
    snn_dataset_buffer_free(&r.buffer);
    return ok;
}

static bool dataset_lines(const char *config, const char *name, snn_split split, size_t limit, double seconds,
                          snn_error *err) {
    snn_error missing = {0};
    snn_config *c = snn_config_load(config, err);
    snn_dataset *data = c ? snn_dataset_open(c, split, &missing) : NULL;
    bool ok = c != NULL;
    if (data)
        ok = reading_lines(name, data, limit, seconds, err);
    else if (c)
        printf("# %s: skipped (no data)\n", name);
    snn_dataset_free(data);
    snn_config_free(c);
    return ok;
}

/* ---- training ---- */

static bool training_line(snn_error *err) {
    enum { EPOCHS = 4, REPORTED = 40 };
    snn_error missing = {0};
    snn_train_options o;
    snn_train_result result = {0};
    snn_config *c = snn_config_load("nmnist.cfg", err);
    snn_net *net =
        c && snn_config_set(c, "train.epochs=4", err) && snn_config_set(c, "train.quant_epochs=0", err)
            ? snn_net_from_config(c, (snn_shape){2, 34, 34}, err)
            : NULL;
    bool ok = net && snn_train_options_from_config(c, &o, err);
    snn_dataset *data = ok ? snn_dataset_open(c, SNN_SPLIT_TRAIN, &missing) : NULL;
    if (data) {
        o.threads = snn_threads(0);
        const snn_train_hooks hooks = {0};
        ok = snn_train(net, data, NULL, &o, &hooks, &result, err);
        const double seconds = result.seconds / EPOCHS * REPORTED;
        const bench_figure f = {seconds, seconds, seconds, 1};
        if (ok)
            put("nmnist", "training", o.threads, &f, 1, "s for 40 epochs");
        snn_train_result_free(&result);
    } else if (ok) {
        printf("# training: skipped (no data)\n");
    }
    snn_dataset_free(data);
    snn_net_free(net);
    snn_config_free(c);
    return ok;
}

bool bench_suite(double seconds, snn_error *err) {
    static bool (*const make[3])(bench_work * w, const char **where,
                                 snn_error *err) = {bench_nmnist, bench_golden, bench_gesture};
    bool ok = true;
    for (int i = 0; ok && i < 3; i++) {
        bench_work w = {0};
        const char *where;
        ok = make[i](&w, &where, err);
        if (ok && !where) {
            printf("# %s: skipped (no models/gesture.h5)\n", w.name);
        } else if (ok) {
            printf("# %s: %zu samples in memory, %s\n", w.name, w.n, where);
            ok = engine_lines(&w, seconds, err) && (i > 0 || scatter_lines(&w, seconds, err));
        }
        bench_work_free(&w);
    }
    return ok && dataset_lines("nmnist.cfg", "nmnist-files", SNN_SPLIT_TRAIN, 1000, seconds, err) &&
           dataset_lines("gesture.cfg", "camera", SNN_SPLIT_TEST, 22, seconds, err) && training_line(err);
}
