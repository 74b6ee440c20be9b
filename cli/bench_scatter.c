/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Benchmark: the bare scatter loop, the yardstick for the engine's synaptic operations. For each input spike the row of its weights is added, times its count, to an
 * accumulator: no neurons, no checks, no second layer. Plain C that the compiler vectorises for each instruction set; 16-bit sums over one step, since that is the
 * fastest form (they may wrap here: only the time counts).
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

#define SCATTER(suffix, attribute)                                                                           \
    attribute static void scatter_##suffix(const int8_t *rows, const snn_spike *spike, size_t n,             \
                                           uint16_t *sum) {                                                  \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const int8_t *row = rows + (size_t)spike[i].index * BLOCK;                                       \
            const int16_t count = (int16_t)spike[i].count;                                                   \
            for (int j = 0; j < BLOCK; j++)                                                                  \
                sum[j] = (uint16_t)(sum[j] + row[j] * count);                                                \
        }                                                                                                    \
    }

SCATTER(plain, )
#if defined(__x86_64__)
SCATTER(avx2, __attribute__((target("avx2"))))
#if defined(__clang__)
SCATTER(avx512, __attribute__((target("avx512bw,avx512vl"))))
#else
SCATTER(avx512, __attribute__((target("avx512bw,avx512vl,prefer-vector-width=512"))))
#endif
#endif

typedef struct {
    const bench_work *work;
    const int8_t *rows; /* [inputs][BLOCK] */
    void (*scatter)(const int8_t *rows, const snn_spike *spike, size_t n, uint16_t *sum);
    uint16_t sum[BLOCK];
    uint32_t sink; /* keeps the work from being optimised away */
} scatter_run;

static double run_scatter(void *context) {
    scatter_run *s = context;
    const bench_work *w = s->work;
    const double start = snn_now();
    for (size_t i = 0; i < w->n; i++)
        for (int t = 0; t < w->x[i].steps; t++) {
            memset(s->sum, 0, sizeof s->sum);
            s->scatter(s->rows, w->x[i].spike + w->x[i].first[t], w->x[i].first[t + 1] - w->x[i].first[t],
                       s->sum);
            s->sink += s->sum[t];
        }
    return (double)w->n / (snn_now() - start);
}

bool bench_scatter(const bench_work *w, snn_simd simd, double seconds, bench_figure *out, double *synapses,
                   snn_error *err) {
    const snn_tensor *t = &w->weights->tensor[0];
    const uint64_t inputs = t->shape[1];
    if (t->dims != 2 || t->shape[0] != BLOCK)
        return snn_fail(err, SNN_ERR_USAGE, "the scatter loop is made for a linear layer of %d outputs",
                        BLOCK);
    int8_t *rows = snn_alloc((size_t)inputs, BLOCK, "scatter rows", err);
    if (!rows)
        return false;
    for (uint64_t o = 0; o < BLOCK; o++)
        for (uint64_t i = 0; i < inputs; i++)
            rows[i * BLOCK + o] = (int8_t)snn_weight_q(t, o * inputs + i);
    scatter_run s = {.work = w, .rows = rows, .scatter = scatter_plain};
#if defined(__x86_64__)
    s.scatter = simd == SNN_SIMD_AVX512 ? scatter_avx512
                : simd == SNN_SIMD_AVX2 ? scatter_avx2
                                        : scatter_plain;
#endif
    (void)simd;
    bench_repeat(run_scatter, &s, 5, seconds, out);
    uint64_t spikes = 0;
    for (size_t i = 0; i < w->n; i++)
        spikes += w->x[i].first[w->x[i].steps];
    *synapses = (double)spikes * BLOCK / (double)w->n;
    free(rows);
    return true;
}
