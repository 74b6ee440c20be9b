/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantisation-aware training: the network runs on what the codes of its weights stand for, gradients go straight through to the float weights
 * (straight-through estimator, Bengio et al. 2013, arXiv 1308.3432). Scales and rounding are those of snn_weights_quantise, to the bit.
 */
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 256 /* rows of a panel at a time: a fixed cut of the work */

/* Weights of a panel: `rows` of the panel's width. */
static const float *panel_rows(const train_stage *st, const float *w, uint32_t panel, bool recurrent,
                               size_t *rows) {
    *rows = recurrent ? st->outputs : st->fan;
    return w + (recurrent ? st->r : st->w) + (size_t)panel * TRAIN_LANES * *rows;
}

/* Largest |w| of each output of a panel, recurrent weights included. */
static void largest_of_panel(const train_stage *st, const float *w, uint32_t panel, float *restrict top) {
    uint32_t width = snn_train_width(st->out_pitch, panel);
    for (uint32_t i = 0; i < width; i++)
        top[i] = 0;
    for (int k = 0; k <= (int)st->recurrent; k++) {
        size_t rows;
        const float *row = panel_rows(st, w, panel, k == 1, &rows);
        for (size_t r = 0; r < rows; r++, row += width)
            for (uint32_t i = 0; i < width; i++) {
                float a = row[i] < 0 ? -row[i] : row[i];
                top[i] = a > top[i] ? a : top[i];
            }
    }
}

/* scale [out_pitch]: max|w| of every output in, scales out. A scale is a function of max|w| alone (bits >= 2), so it is asked for that one number. */
static void scales_of(const train_stage *st, const snn_quantisation *q, float *scale) {
    float whole = 0;
    for (uint32_t o = 0; o < st->outputs; o++)
        whole = scale[o] > whole ? scale[o] : whole;
    for (uint32_t o = 0; o < st->out_pitch; o++)
        scale[o] = snn_quantisation_scale(q, q->per_channel && o < st->outputs ? &scale[o] : &whole, 1, 1);
}

/* Rows first .. of a panel, ROWS of them at most; those of the recurrent weights count on from there. */
static void round_rows(const train_plan *p, const train_stage *st, const snn_quantisation *q,
                       const float *scale, uint32_t panel, size_t first, const float *w, float *effective) {
    float limit = (float)((1 << (q->bits - 1)) - 1);
    uint32_t width = snn_train_width(st->out_pitch, panel);
    size_t end = st->fan + (st->recurrent ? st->outputs : 0);
    for (size_t r = first; r < end && r < first + ROWS; r++) {
        size_t rows;
        const bool recurrent = r >= st->fan;
        const float *from =
            panel_rows(st, w, panel, recurrent, &rows) + (recurrent ? r - st->fan : r) * width;
        p->kernels->round_to(width, from, scale + (size_t)panel * TRAIN_LANES, limit, q->truncate,
                             effective + (from - w));
    }
}

/* One bit: the scale is a mean, whose sum has an order. Rare: by way of the tensors. */
static bool effective_bit(const train_plan *p, const snn_quantisation *q, const float *w, float *effective,
                          snn_error *err) {
    snn_weights *tensors = snn_weights_new(p->net, err), *codes = NULL, *values = NULL;
    if (tensors != NULL) {
        snn_train_unpack(p, w, tensors, NULL);
        codes = snn_weights_quantise(tensors, q, NULL, err);
    }
    if (codes != NULL)
        values = snn_weights_dequantise(codes, err);
    if (values != NULL)
        snn_train_pack(p, values, p->net, effective);
    bool ok = values != NULL;
    snn_weights_free(tensors);
    snn_weights_free(codes);
    snn_weights_free(values);
    return ok;
}

bool snn_train_effective(const train_plan *p, const snn_quantisation *q, int threads, const float *w,
                         float *effective, snn_error *err) {
    if (q->bits == 1 && !effective_bit(p, q, w, effective, err))
        return false;
    memcpy(effective + p->weights, w + p->weights, (p->parameters - p->weights) * sizeof *w);
    for (int i = 0; q->bits > 1 && i < p->stages; i++) {
        const train_stage *st = &p->stage[i];
        float *scale = snn_alloc(st->out_pitch, sizeof *scale, "scales", err);
        if (scale == NULL)
            return false;
        size_t chunks = (st->fan + (st->recurrent ? st->outputs : 0) + ROWS - 1) / ROWS;
#pragma omp parallel num_threads(threads)
        {
#pragma omp for
            for (uint32_t panel = 0; panel < st->panels; panel++)
                largest_of_panel(st, w, panel, scale + (size_t)panel * TRAIN_LANES);
#pragma omp single
            scales_of(st, q, scale);
#pragma omp for collapse(2)
            for (uint32_t panel = 0; panel < st->panels; panel++)
                for (size_t c = 0; c < chunks; c++)
                    round_rows(p, st, q, scale, panel, c * ROWS, w, effective);
        }
        free(scale);
    }
    return true;
}
