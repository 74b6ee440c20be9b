/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Synapses of a stage through im2col and CBLAS, for activity so high that skipping zeros does not pay, for strided convolutions' input gradients, and
 * as the plain path that tests compare the sparse one to. OpenBLAS runs on one thread each (train_pass.c), with shapes that do not depend on threads.
 *
 * cols is [T][oy][ox][ky * K * channels + kx * channels + channel]: what each output sees. Time runs in chunks, so that cols stays small.
 */
#include "train_internal.h"

#include <cblas.h>
#include <string.h>

int snn_train_blas_single(void) {
    int threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    return threads;
}

void snn_train_blas_restore(int threads) {
    openblas_set_num_threads(threads);
}

static size_t out_pixels(const train_stage *st) {
    return (size_t)st->grid.out_height * (size_t)st->grid.out_width;
}

int snn_train_dense_chunk(const train_stage *st, int steps) {
    size_t n = TRAIN_COLS / (out_pixels(st) * st->fan);
    return n < 1 ? 1 : n < (size_t)steps ? (int)n : steps;
}

/* Output of input position `at` under kernel position k along one axis; -1: none. */
static int output_of(const train_geometry *g, int at, int k, int outputs) {
    int o = at + g->padding - k;
    if (o < 0 || o % g->stride != 0)
        return -1;
    o /= g->stride;
    return o < outputs ? o : -1;
}

/* Kernel rows ky .. ky_end-1 of steps t0 .. t0+n-1. */
static void unroll(const train_stage *st, const train_csr *x, int t0, int n, int ky_first, int ky_end,
                   float *cols) {
    const train_geometry *g = &st->grid;
    size_t row = (size_t)g->kernel * (size_t)g->channels, width = row * (size_t)(ky_end - ky_first);
    memset(cols, 0, (size_t)n * out_pixels(st) * width * sizeof *cols);
    for (int t = 0; t < n; t++) {
        const uint32_t *first = x->first + (size_t)(t0 + t) * (x->rows + 1);
        float *step = cols + (size_t)t * out_pixels(st) * width;
        for (int pixel = 0; pixel < g->height * g->width; pixel++) {
            int y = pixel / g->width, left = pixel % g->width;
            for (int ky = ky_first; ky < ky_end; ky++) {
                int oy = output_of(g, y, ky, g->out_height);
                for (int kx = 0; oy >= 0 && kx < g->kernel; kx++) {
                    int ox = output_of(g, left, kx, g->out_width);
                    if (ox < 0)
                        continue;
                    float *to = step + ((size_t)oy * (size_t)g->out_width + (size_t)ox) * width +
                                (size_t)(ky - ky_first) * row + (size_t)kx * (size_t)g->channels;
                    for (uint32_t e = first[pixel]; e < first[pixel + 1]; e++)
                        to[x->col[e] - (uint32_t)(left * g->channels)] = x->value[e];
                }
            }
        }
    }
}

/* v = cols * w */
void snn_train_dense_forward(const train_stage *st, const float *w, train_layer_state *l, float *cols) {
    int chunk = snn_train_dense_chunk(st, st->grid.steps), fan = (int)st->fan;
    for (int t = 0; t < st->grid.steps; t += chunk) {
        int n = st->grid.steps - t < chunk ? st->grid.steps - t : chunk;
        unroll(st, &l->in, t, n, 0, st->grid.kernel, cols);
        float *v = l->v + (size_t)t * out_pixels(st) * st->out_pitch;
        for (uint32_t panel = 0; panel < st->panels; panel++) {
            int width = (int)snn_train_width(st->out_pitch, panel);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n * (int)out_pixels(st), width, fan, 1,
                        cols, fan, w + st->w + snn_train_panel(st, panel), width, 0,
                        v + (size_t)panel * TRAIN_LANES, (int)st->out_pitch);
        }
    }
}

/* Adds what each output passes back to the inputs it saw (col2im). cols [n][pixels][fan] -> dx [n][y][x][in_pitch] */
static void roll(const train_stage *st, int n, const float *cols, float *dx) {
    const train_geometry *g = &st->grid;
    size_t pixels = (size_t)g->height * (size_t)g->width;
    memset(dx, 0, (size_t)n * pixels * st->in_pitch * sizeof *dx);
    for (int t = 0; t < n; t++, dx += pixels * st->in_pitch)
        for (int oy = 0; oy < g->out_height; oy++)
            for (int ox = 0; ox < g->out_width; ox++)
                for (int k = 0; k < g->kernel * g->kernel; k++, cols += g->channels) {
                    int y = oy * g->stride - g->padding + k / g->kernel;
                    int x = ox * g->stride - g->padding + k % g->kernel;
                    if (y < 0 || y >= g->height || x < 0 || x >= g->width)
                        continue;
                    float *to = dx + ((size_t)y * (size_t)g->width + (size_t)x) * st->in_pitch;
                    for (int c = 0; c < g->channels; c++)
                        to[c] += cols[c];
                }
}

/* dcols = delta * w^T, then col2im */
void snn_train_dense_input_gradient(const train_stage *st, const float *w, const float *delta, float *dx,
                                    float *cols) {
    const train_geometry *g = &st->grid;
    int chunk = snn_train_dense_chunk(st, g->steps), fan = (int)st->fan;
    for (int t = 0; t < g->steps; t += chunk) {
        int n = g->steps - t < chunk ? g->steps - t : chunk;
        const float *d = delta + (size_t)t * out_pixels(st) * st->out_pitch;
        for (uint32_t panel = 0; panel < st->panels; panel++) {
            int width = (int)snn_train_width(st->out_pitch, panel);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n * (int)out_pixels(st), fan, width, 1,
                        d + (size_t)panel * TRAIN_LANES, (int)st->out_pitch,
                        w + st->w + snn_train_panel(st, panel), width, panel > 0, cols, fan);
        }
        roll(st, n, cols, dx + (size_t)t * (size_t)g->height * (size_t)g->width * st->in_pitch);
    }
}

/* g += cols(ky)^T * delta */
void snn_train_dense_weight_gradient(const train_stage *st, const train_layer_state *l, uint32_t panel,
                                     int ky, float *g, float *cols) {
    int chunk = snn_train_dense_chunk(st, st->grid.steps), row = st->grid.kernel * st->grid.channels;
    int width = (int)snn_train_width(st->out_pitch, panel);
    for (int t = 0; t < st->grid.steps; t += chunk) {
        int n = st->grid.steps - t < chunk ? st->grid.steps - t : chunk;
        unroll(st, &l->in, t, n, ky, ky + 1, cols);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, row, width, n * (int)out_pixels(st), 1, cols,
                    row, l->v + (size_t)t * out_pixels(st) * st->out_pitch + (size_t)panel * TRAIN_LANES,
                    (int)st->out_pitch, 1, g, width);
    }
}
