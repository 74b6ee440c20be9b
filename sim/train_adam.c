/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adam (Kingma & Ba, ICLR 2015, arXiv 1412.6980) with decoupled weight decay (Loshchilov & Hutter, ICLR 2019, arXiv 1711.05101), in the order of
 * operations of PyTorch's torch.optim.AdamW: w *= 1 - rate decay; m, v; w -= rate/(1-beta1^t) m / (sqrt(v)/sqrt(1-beta2^t) + epsilon).
 * Weights decay, biases do not. Clipping scales the whole gradient to the largest norm allowed. Work is cut into fixed ranges of parameters.
 */
#include "train_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>

#define CHUNK 16384 /* parameters: 4 arrays of 64 KiB */

size_t snn_train_adam_chunks(const train_plan *p) {
    return (p->parameters + CHUNK - 1) / CHUNK;
}

/* Sum of squares, in double and in order: one chunk. */
static double squares(const float *g, size_t n) {
    double sum[8] = {0};
    for (size_t i = 0; i < n; i++)
        sum[i % 8] += (double)g[i] * (double)g[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Factor that brings the gradient's norm down to `clip`. */
static double clip_factor(const train_plan *p, double clip, int threads, const float *g, double *chunk) {
    size_t chunks = snn_train_adam_chunks(p);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t c = 0; c < chunks; c++) {
        size_t first = c * CHUNK, left = p->parameters - first;
        chunk[c] = squares(g + first, left < CHUNK ? left : CHUNK);
    }
    double sum = 0;
    for (size_t c = 0; c < chunks; c++)
        sum += chunk[c];
    double norm = sqrt(sum);
    return norm > clip ? clip / norm : 1; /* a norm that is not a number gives 1: the update finds it */
}

void snn_train_adam_begin(const train_adam *a, double scale, train_update *u) {
    double power1 = snn_pow(a->beta1, (double)a->step), power2 = snn_pow(a->beta2, (double)a->step);
    u->weights = (train_adam_step){.beta1 = (float)a->beta1,
                                   .rest1 = (float)(1 - a->beta1),
                                   .beta2 = (float)a->beta2,
                                   .rest2 = (float)(1 - a->beta2),
                                   .step = (float)(a->rate / (1 - power1)),
                                   .root = (float)(1 / sqrt(1 - power2)),
                                   .epsilon = (float)a->epsilon,
                                   .keep = (float)(1 - a->rate * a->weight_decay),
                                   .scale = (float)scale};
    u->biases = u->weights;
    u->biases.keep = 1;
}

bool snn_train_adam_range(const train_plan *p, const train_update *u, const float *g, size_t first,
                          size_t n) {
    return p->kernels->adam(first < p->weights ? &u->weights : &u->biases, n, u->w + first, u->m + first,
                            u->v + first, g + first);
}

bool snn_train_adam(const train_plan *p, const train_adam *a, int threads, float *w, float *m, float *v,
                    const float *g, double *chunk) {
    train_update u = {.w = w, .m = m, .v = v};
    snn_train_adam_begin(a, a->clip > 0 ? clip_factor(p, a->clip, threads, g, chunk) : 1, &u);
    size_t chunks = (p->weights + CHUNK - 1) / CHUNK;
    int bad = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(| : bad)
    for (size_t k = 0; k < chunks; k++) {
        size_t first = k * CHUNK, left = p->weights - first;
        bad |= !snn_train_adam_range(p, &u, g, first, left < CHUNK ? left : CHUNK);
    }
    bad |= !snn_train_adam_range(p, &u, g, p->weights, p->parameters - p->weights);
    return !bad;
}
