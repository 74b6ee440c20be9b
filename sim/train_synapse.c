/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Synapses of a stage: forward, input gradient, weight gradient, over sparse rows.
 *
 * Inputs are mostly zero: each nonzero one adds a row of weights to the sums (forward), or the row of the output's gradient to a row of the weight
 * gradient. The gradient of the sums is sparse as well (a surrogate is zero away from the threshold, a max-pool passes one of its inputs), so the input
 * gradient is the same sum of rows over the transposed kernel. All time steps of a sample run at once, since weights are shared over time.
 *
 * Above TRAIN_DENSE the same goes through CBLAS (train_dense.c). Measured on the gesture network (Zen 5, one thread): sparse rows do 31 to 47 G additions/s
 * with AVX-512, 25 to 38 with AVX2, 17 to 27 in plain C; OpenBLAS 0.3.21, which takes its AVX2 kernel there, 35 to 55 G multiply-adds/s with im2col.
 * So they cross at a density of 0.4 to 0.7. One constant for all, so that the instruction set does not change results.
 */
#include "train_internal.h"

#include <string.h>

#define SMALL_TRANSPOSE 65536 /* floats: about 30 us */

/* x [T][y][x][channel] sparse, w [ky][kx * channels + channel][lane] -> v [T][oy][ox][output] */
void snn_train_synapse_forward(const train_plan *p, const train_stage *st, const float *w,
                               train_layer_state *l, uint32_t panel, float *cols) {
    if (l->dense) {
        if (panel == 0)
            snn_train_dense_forward(st, w, l, cols);
        return;
    }
    p->kernels->gather(&st->grid, &l->in, w + st->w + snn_train_panel(st, panel),
                       snn_train_width(st->out_pitch, panel), l->v + (size_t)panel * TRAIN_LANES,
                       st->out_pitch);
}

/* delta [T][oy][ox][output] sparse, wt [K-1-ky][(K-1-kx) * outputs + output][lane of input channel] -> dx [T][y][x][channel].
 * For stride 1 that is a correlation of delta with the flipped kernel and padding K - 1 - padding. */
void snn_train_synapse_input_gradient(const train_plan *p, const train_stage *st, const float *w,
                                      const float *wt, const train_layer_state *l, train_sample *s,
                                      uint32_t panel, float *cols) {
    if (s->delta_dense) {
        if (panel == 0)
            snn_train_dense_input_gradient(st, w, l->v, s->dx, cols);
        return;
    }
    const train_geometry *g = &st->grid;
    train_geometry back = {
        g->steps,  g->out_height, g->out_width, (int)st->outputs, g->kernel, 1, g->kernel - 1 - g->padding,
        g->height, g->width};
    size_t rows = (size_t)g->kernel * (size_t)g->kernel * st->outputs;
    p->kernels->gather(&back, &s->delta, wt + st->wt + (size_t)panel * TRAIN_LANES * rows,
                       snn_train_width(st->in_pitch, panel), s->dx + (size_t)panel * TRAIN_LANES,
                       st->in_pitch);
}

/* g [kx * channels + channel][lane] of kernel row ky and panel += sum over T, oy, ox of x * delta. */
void snn_train_synapse_weight_gradient(const train_plan *p, const train_stage *st, const train_layer_state *l,
                                       uint32_t panel, int ky, float *g, float *cols) {
    if (l->dense) {
        snn_train_dense_weight_gradient(st, l, panel, ky, g, cols);
        return;
    }
    p->kernels->scatter(&st->grid, &l->in, ky, l->v + (size_t)panel * TRAIN_LANES, st->out_pitch,
                        l->active + panel, st->panels, g, snn_train_width(st->out_pitch, panel));
}

/* g [output] += sum over T, oy, ox of the current's gradient, which is delta without the factor of average pools; a bias elsewhere has its own sum. */
void snn_train_bias_gradient(const train_plan *p, const train_stage *st, const train_layer_state *l,
                             float *g) {
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width,
           rows = (size_t)p->steps * pixels;
    if (st->neuron.membrane_bias || st->neuron.type == SNN_NEURON_ALIF) {
        for (size_t r = 0; r < pixels; r++)
            p->kernels->add(st->out_pitch, l->bias_sum + r * st->out_pitch, g);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        const float *delta = l->v + r * st->out_pitch;
        for (uint32_t i = 0; i < st->out_pitch; i++)
            g[i] += delta[i] / st->factor;
    }
}

/* One input panel of w into wt (see the input gradient). */
static void transpose(const train_stage *st, const float *w, float *wt, uint32_t panel) {
    size_t k = (size_t)st->grid.kernel, channels = (size_t)st->grid.channels;
    uint32_t width = snn_train_width(st->in_pitch, panel), first = panel * TRAIN_LANES;
    uint32_t real = (uint32_t)channels - first < width ? (uint32_t)channels - first : width;
    float *to = wt + st->wt + (size_t)panel * TRAIN_LANES * k * k * st->outputs;
    for (size_t ky = 0; ky < k; ky++)
        for (size_t kx = 0; kx < k; kx++) {
            float *row = to + ((k - 1 - ky) * k + (k - 1 - kx)) * st->outputs * width;
            for (uint32_t o = 0; o < st->outputs; o++, row += width) {
                uint32_t out_width = snn_train_width(st->out_pitch, o / TRAIN_LANES);
                const float *from = w + st->w + snn_train_panel(st, o / TRAIN_LANES) +
                                    ((ky * k + kx) * channels + first) * out_width + o % TRAIN_LANES;
                for (uint32_t i = 0; i < real; i++)
                    row[i] = from[(size_t)i * out_width];
            }
        }
}

void snn_train_transpose_all(const train_plan *p, const float *w, float *wt, int threads) {
    if (p->transposed == 0)
        return;
        /* A small one is done before other threads would wake up. */
#pragma omp parallel num_threads(threads) if (p->transposed > SMALL_TRANSPOSE)
    for (int i = 0; i < p->stages; i++) {
        const train_stage *st = &p->stage[i];
        uint32_t panels = st->has_wt ? st->in_panels : 0, own = st->recurrent ? st->panels : 0;
#pragma omp for schedule(dynamic) nowait
        for (uint32_t panel = 0; panel < panels; panel++)
            transpose(st, w, wt, panel);
#pragma omp for schedule(dynamic) nowait
        for (uint32_t panel = 0; panel < own; panel++)
            snn_train_recurrent_transpose(st, w, wt, panel);
    }
}
