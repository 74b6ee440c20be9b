/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recurrent synapses of a stage: the spikes of step t-1 come back at step t through R [outputs][outputs], in panels as all weights. Unlike the others they
 * run step by step, between the neurons of two steps.
 *
 *   sum[t] += R s[t-1];    backward ds[t-1] += R^T dsum[t],    dR = sum over t of dsum[t] s[t-1]^T
 *
 * Spikes are kept as sparse rows, the row of step t holding the spikes of step t-1, so that dR is the weight gradient of any other linear layer.
 */
#include "train_internal.h"

#include <string.h>

/* Correlation of single pixels, `steps` times. */
static train_geometry pixel(const train_stage *st, int steps) {
    return (train_geometry){steps, 1, 1, (int)st->outputs, 1, 1, 0, 1, 1};
}

/* Sum of rows of w [panel][outputs][lane] into out [out_pitch], one step. */
static void sum_rows(const train_plan *p, const train_stage *st, const train_csr *x, const float *w,
                     float *out) {
    const train_geometry g = pixel(st, 1);
    for (uint32_t panel = 0; panel < st->panels; panel++)
        p->kernels->gather(&g, x, w + (size_t)panel * TRAIN_LANES * st->outputs,
                           snn_train_width(st->out_pitch, panel), out + (size_t)panel * TRAIN_LANES,
                           st->out_pitch);
}

void snn_train_recurrent_keep(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                              const float *s) {
    if (t < p->steps)
        snn_train_rows(p->kernels, &l->own, t, 1, 1, st->outputs, st->out_pitch, s);
}

void snn_train_recurrent_forward(const train_plan *p, const train_stage *st, const float *w,
                                 train_layer_state *l, int t, train_scratch *scratch) {
    const train_csr now = {.steps = 1,
                           .rows = 1,
                           .first = l->own.first + 2 * (size_t)t,
                           .col = l->own.col,
                           .value = l->own.value};
    if (now.first[0] == now.first[1])
        return;
    sum_rows(p, st, &now, w + st->r, scratch->plane[1]);
    p->kernels->add(st->out_pitch, scratch->plane[1], l->v + (size_t)t * st->out_pitch);
}

const float *snn_train_recurrent_backward(const train_plan *p, const train_stage *st, const float *wt,
                                          const train_layer_state *l, int t, const float *ds,
                                          train_scratch *scratch) {
    scratch->row.n = 0;
    snn_train_rows(p->kernels, &scratch->row, 0, 1, 1, st->outputs, st->out_pitch,
                   l->v + ((size_t)t + 1) * st->out_pitch);
    sum_rows(p, st, &scratch->row, wt + st->rt, scratch->own);
    p->kernels->add(st->out_pitch, ds, scratch->own);
    return scratch->own;
}

void snn_train_recurrent_weight_gradient(const train_plan *p, const train_stage *st,
                                         const train_layer_state *l, uint32_t panel, float *g) {
    const train_geometry all = pixel(st, p->steps);
    p->kernels->scatter(&all, &l->own, 0, l->v + (size_t)panel * TRAIN_LANES, st->out_pitch,
                        l->active + panel, st->panels, g, snn_train_width(st->out_pitch, panel));
}

/* rt [panel of inputs][output][lane of input], of the panel at hand. */
void snn_train_recurrent_transpose(const train_stage *st, const float *w, float *wt, uint32_t panel) {
    const uint32_t width = snn_train_width(st->out_pitch, panel), first = panel * TRAIN_LANES;
    const uint32_t real = st->outputs - first < width ? st->outputs - first : width;
    float *row = wt + st->rt + (size_t)first * st->outputs;
    for (uint32_t o = 0; o < st->outputs; o++, row += width) {
        const uint32_t of = o / TRAIN_LANES, out_width = snn_train_width(st->out_pitch, of);
        const float *from =
            w + st->r + (size_t)of * TRAIN_LANES * st->outputs + (size_t)first * out_width + o % TRAIN_LANES;
        for (uint32_t i = 0; i < real; i++)
            row[i] = from[(size_t)i * out_width];
    }
}
