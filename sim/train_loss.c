/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Read-out and losses.
 * Softmax of the membranes: p[t] = softmax(v[t]), summed over steps;   dv[t] = p[t] (dsum - <p[t], dsum>)
 * Losses of one sample, forward and backward at once. sum [classes]: spikes of the last layer (li: its membrane) summed over T steps; r = sum / T.
 *   mse:            L = mean over classes of (r - onehot)^2,           dL/dsum = 2 (r - onehot) / (classes T)
 *   cross-entropy:  L = -log softmax(loss_scale r)[label],             dL/dsum = loss_scale (softmax - onehot) / T
 * Firing rates of hidden layers (as Cramer et al., doi:10.1109/TNNLS.2020.3044364, per neuron and sample): f = spikes / T, e = what f is below rate_low or
 *                 above rate_high,  L += rate_weight mean of e^2,    dL/ds[t] = rate_weight 2 e / (neurons T)
 * dout is dL/dsum times weight (1 / batch); every step's spike has that gradient.
 */
#include "train_internal.h"

#include <snnsim/portable_math.h>

#include <string.h>

static int argmax(const double *x, int n) {
    int best = 0;
    for (int c = 1; c < n; c++)
        if (x[c] > x[best])
            best = c;
    return best; /* the lowest index wins a tie */
}

/* p [classes] = softmax of v, rounded as the engine does; classes in C order [channel][y][x]. */
static void softmax(const train_stage *st, const float *v, float *p) {
    const size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width, n = pixels * st->outputs;
    float most = v[0], total = 0;
    for (size_t i = 0; i < n; i++) {
        p[i] = v[i % pixels * st->out_pitch + i / pixels];
        most = p[i] > most ? p[i] : most;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (float)snn_exp((double)(p[i] - most));
        total += p[i];
    }
    for (size_t i = 0; i < n; i++)
        p[i] /= total;
}

void snn_train_softmax(const train_stage *st, const float *v, float *p, double *sum) {
    const size_t classes = (size_t)st->grid.out_height * (size_t)st->grid.out_width * st->outputs;
    softmax(st, v, p);
    for (size_t i = 0; i < classes; i++)
        sum[i] += (double)p[i];
}

void snn_train_softmax_backward(const train_stage *st, const float *v, const float *dout, float *p,
                                float *dv) {
    const size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    double mean = 0;
    softmax(st, v, p);
    for (size_t i = 0; i < pixels * st->outputs; i++)
        mean += (double)p[i] * (double)dout[i];
    memset(dv, 0, pixels * st->out_pitch * sizeof *dv);
    for (size_t r = 0; r < pixels; r++)
        for (uint32_t c = 0; c < st->outputs; c++)
            dv[r * st->out_pitch + c] =
                (float)((double)p[c * pixels + r] * ((double)dout[c * pixels + r] - mean));
}

static void mse(int classes, int steps, double weight, train_sample *s) {
    s->loss = 0;
    for (int c = 0; c < classes; c++) {
        double d = s->sum[c] / steps - (c == s->label);
        s->loss += d * d / classes;
        s->dout[c] = (float)(weight * 2 * d / ((double)classes * steps));
    }
}

static void cross_entropy(double scale, int classes, int steps, double weight, train_sample *s) {
    double top = s->sum[argmax(s->sum, classes)], total = 0;
    for (int c = 0; c < classes; c++)
        total += snn_exp(scale * (s->sum[c] - top) / steps);
    s->loss = snn_log(total) - scale * (s->sum[s->label] - top) / steps;
    for (int c = 0; c < classes; c++) {
        double share = snn_exp(scale * (s->sum[c] - top) / steps) / total;
        s->dout[c] = (float)(weight * scale * (share - (c == s->label)) / steps);
    }
}

void snn_train_rate_penalty(const train_plan *p, const train_stage *st, double weight, train_layer_state *l) {
    const snn_train_options *o = p->options;
    const size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    const double neurons = (double)pixels * st->outputs;
    l->penalty = 0;
    for (size_t r = 0; r < pixels; r++)
        for (uint32_t c = 0; c < st->outputs; c++) {
            float *push = &l->push[r * st->out_pitch + c];
            const double rate = (double)*push / p->steps;
            const double off = rate < o->rate_low    ? rate - o->rate_low
                               : rate > o->rate_high ? rate - o->rate_high
                                                     : 0;
            l->penalty += o->rate_weight * off * off / neurons;
            *push = (float)(weight * o->rate_weight * 2 * off / (neurons * p->steps));
        }
}

void snn_train_loss(const snn_train_options *o, int classes, int steps, double weight, train_sample *s) {
    s->predicted = argmax(s->sum, classes);
    if (o->loss == SNN_LOSS_RATE_MSE)
        mse(classes, steps, weight, s);
    else
        cross_entropy(o->loss_scale, classes, steps, weight, s);
}
