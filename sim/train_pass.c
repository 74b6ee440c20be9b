/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block of samples forward and backward, inside one parallel region. With several samples for each thread, a task is a whole sample: threads meet
 * rarely, which matters on a busy machine. With fewer, a pass goes stage by stage: synapses as tasks (panel, sample), neurons and pools as tasks (sample).
 * Then come the weight gradients, as tasks (stage, panel, kernel row) that each go through the samples in order. Every task writes what no other writes,
 * so the choice does not change a bit.
 */
#include "train_internal.h"

#include <omp.h>
#include <string.h>

/* From here on whole samples keep all threads busy. */
#define SAMPLES_PER_THREAD 3

static int first_error(const train_block *b) {
    for (int i = 0; i < b->threads; i++)
        if (b->scratch[i].failed)
            return i;
    return -1;
}

/* ---- forward ---- */

static void read_sample(train_block *b, train_sample *s, train_scratch *scratch) {
    const snn_spikes *x = &b->data[s->sample];
    if (b->augment != NULL) {
        snn_random r;
        snn_random_init(&r, b->plan->options->seed, SNN_PURPOSE_AUGMENT, s->stream);
        if (!snn_augment_apply(b->augment, x, &r, &scratch->augment, &scratch->spikes, &scratch->err)) {
            scratch->failed = true;
            return;
        }
        x = &scratch->spikes;
    }
    snn_train_input(b->plan, x, &s->layer[0], scratch);
}

/* Spikes of the last stage into sums per class; plane [pixels][pitch], classes in C order [channel][y][x]. */
static void add_outputs(const train_stage *st, const float *plane, double *sum) {
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    for (size_t r = 0; r < pixels; r++)
        for (uint32_t c = 0; c < st->outputs; c++)
            sum[c * pixels + r] += (double)plane[r * st->out_pitch + c];
}

static size_t lanes_of(const train_stage *st) {
    return (size_t)st->grid.out_height * (size_t)st->grid.out_width * st->out_pitch;
}

static const float *bias_of(const train_block *b, const train_stage *st) {
    return st->has_bias ? b->w + st->b : NULL;
}

/* Neurons of step t: sums in l->v become membranes, scratch->plane[0] spikes. */
static void fire_step(const train_block *b, const train_stage *st, train_layer_state *l, int t,
                      train_scratch *scratch) {
    const train_plan *p = b->plan;
    const int start = (int)st->layer->start;
    size_t lanes = lanes_of(st);
    float *v = l->v + (size_t)t * lanes, *spikes = scratch->plane[0];
    if (t < start) {
        memset(v, 0, lanes * sizeof *v);
        memset(spikes, 0, lanes * sizeof *spikes);
    } else {
        if (st->recurrent)
            snn_train_recurrent_forward(p, st, b->w, l, t, scratch);
        if (st->neuron.by_lanes)
            snn_train_lanes_forward(p, st, l, t, bias_of(b, st), spikes, scratch);
        else
            snn_train_neuron_forward(p, st, bias_of(b, st), t > start ? v - lanes : NULL, v, spikes);
    }
    if (st->recurrent)
        snn_train_recurrent_keep(p, st, l, t + 1, spikes);
    if (l->push != NULL)
        p->kernels->add(lanes, spikes, l->push);
}

/* What the read-out, or the next stage, gets at step t: spikes of step t - delay in scratch->plane[0]. */
static void pass_on(const train_block *b, int i, train_sample *s, int t, train_scratch *scratch) {
    const train_plan *p = b->plan;
    const train_stage *st = &p->stage[i];
    if (t >= p->steps)
        return;
    if (i + 1 < p->stages)
        snn_train_read_plane(p, st + 1, &s->layer[i + 1], t, scratch->plane[0], scratch->plane[1]);
    else if (p->net->readout != SNN_READOUT_SOFTMAX)
        add_outputs(st, scratch->plane[0], s->sum);
    else if (t >= (int)st->layer->start)
        snn_train_softmax(st, scratch->plane[0], s->share, s->sum);
}

/* Currents of stage i -> membranes, spikes, pools -> what stage i + 1 reads; the last stage: outputs and loss. */
static void fire(const train_block *b, int i, train_sample *s, train_scratch *scratch) {
    const train_plan *p = b->plan;
    const train_stage *st = &p->stage[i];
    train_layer_state *l = &s->layer[i];
    bool last = i + 1 == p->stages;
    const int delay = (int)st->layer->delay;
    if (last)
        memset(s->sum, 0, p->net->classes * sizeof *s->sum);
    else
        s->layer[i + 1].in.n = 0;
    for (int t = 0; t < delay; t++) { /* nothing has arrived yet */
        memset(scratch->plane[0], 0, lanes_of(st) * sizeof(float));
        pass_on(b, i, s, t, scratch);
    }
    if (st->neuron.by_lanes)
        snn_train_lanes_begin(st, scratch);
    if (l->push != NULL)
        memset(l->push, 0, lanes_of(st) * sizeof *l->push);
    if (st->recurrent) {
        l->own.n = 0;
        snn_train_recurrent_keep(p, st, l, 0, scratch->zero);
    }
    for (int t = 0; t < p->steps; t++) {
        fire_step(b, st, l, t, scratch);
        pass_on(b, i, s, t + delay, scratch);
    }
    if (l->push != NULL)
        snn_train_rate_penalty(p, st, b->weight, l);
    if (last) {
        snn_train_loss(p->options, (int)p->net->classes, p->steps, b->weight, s);
        for (int k = 0; k < i; k++)
            s->loss += s->layer[k].penalty;
    } else {
        snn_train_choose(p, st + 1, &s->layer[i + 1]);
    }
}

static void forward_by_stage(train_block *b, train_scratch *scratch) {
    const train_plan *p = b->plan;
#pragma omp for schedule(dynamic)
    for (int k = 0; k < b->samples; k++)
        read_sample(b, &b->sample[k], scratch);
    if (first_error(b) >= 0)
        return;
    for (int i = 0; i < p->stages; i++) {
        const train_stage *st = &p->stage[i];
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t panel = 0; panel < st->panels; panel++)
            for (int k = 0; k < b->samples; k++)
                snn_train_synapse_forward(p, st, b->w, &b->sample[k].layer[i], panel, scratch->cols);
#pragma omp for schedule(dynamic)
        for (int k = 0; k < b->samples; k++)
            fire(b, i, &b->sample[k], scratch);
    }
}

/* ---- backward ---- */

/* The loss's own gradient, where spikes are summed the same at every step. to [pixels][pitch] */
static void output_gradient(const train_stage *st, const float *dout, float *to) {
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    memset(to, 0, pixels * st->out_pitch * sizeof *to);
    for (size_t r = 0; r < pixels; r++)
        for (uint32_t c = 0; c < st->outputs; c++)
            to[r * st->out_pitch + c] = dout[c * pixels + r];
}

/* Gradient of the loss with respect to the spikes of stage i at step t, [pixels][out_pitch]: from the loss, or from what the next stage read, back
 * through its pools. */
static const float *spike_gradient(const train_plan *p, int i, int t, const train_sample *s,
                                   train_scratch *scratch) {
    const train_stage *st = &p->stage[i], *next = st + 1;
    int at = 0;
    const int step = t;
    t += (int)st->layer->delay;
    if (t >= p->steps)
        return scratch->zero;
    if (i + 1 == p->stages) {
        if (p->net->readout == SNN_READOUT_SOFTMAX)
            snn_train_softmax_backward(st, s->layer[i].v + (size_t)step * lanes_of(st), s->dout, s->share,
                                       scratch->plane[0]);
        else
            output_gradient(st, s->dout, scratch->plane[0]);
        return scratch->plane[0];
    }
    const float *dy =
        s->dx + (size_t)t * (size_t)next->grid.height * (size_t)next->grid.width * next->in_pitch;
    /* A linear layer's input gradient is one row of [pixel][channel] without padding lanes. */
    uint32_t pitch = next->layer->type == SNN_LAYER_LINEAR ? next->pooled.channels : next->in_pitch;
    for (int k = next->pools - 1; k >= 0; k--) {
        const train_pool *pool = &next->pool[k];
        const uint32_t *arg = s->layer[i + 1].arg[k];
        if (arg != NULL)
            arg += (size_t)t * pool->out.height * pool->out.width * pool->pitch;
        snn_train_pool_backward(p->kernels, pool, dy, pitch, arg, scratch->plane[at]);
        dy = scratch->plane[at];
        pitch = pool->pitch;
        at = !at;
    }
    if (pitch == st->out_pitch)
        return dy;
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    float *to = scratch->plane[at];
    memset(to, 0, pixels * st->out_pitch * sizeof *to);
    for (size_t r = 0; r < pixels; r++)
        memcpy(to + r * st->out_pitch, dy + r * pitch, st->outputs * sizeof *to);
    return to;
}

/* Which rows of delta have anything in each panel. */
static void flag_rows(const train_plan *p, const train_stage *st, const float *delta, uint8_t *active) {
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width;
    for (size_t r = 0; r < pixels; r++)
        for (uint32_t panel = 0; panel < st->panels; panel++)
            *active++ = p->kernels->any(snn_train_width(st->out_pitch, panel),
                                        delta + r * st->out_pitch + (size_t)panel * TRAIN_LANES);
}

/* Back through the neurons of step t: membranes in l->v become gradients of the sums. */
static void unfire_step(const train_block *b, int i, int t, train_sample *s, train_scratch *scratch) {
    const train_plan *p = b->plan;
    const train_stage *st = &p->stage[i];
    train_layer_state *l = &s->layer[i];
    float *v = l->v + (size_t)t * lanes_of(st);
    if (t < (int)st->layer->start) {
        memset(v, 0, lanes_of(st) * sizeof *v);
        return;
    }
    const float *ds = spike_gradient(p, i, t, s, scratch);
    if (st->recurrent && t + 1 < p->steps)
        ds = snn_train_recurrent_backward(p, st, b->wt, l, t, ds, scratch);
    if (l->push != NULL) {
        if (ds != scratch->own)
            memcpy(scratch->own, ds, lanes_of(st) * sizeof *ds);
        p->kernels->add(lanes_of(st), l->push, scratch->own);
        ds = scratch->own;
    }
    if (st->neuron.by_lanes)
        snn_train_lanes_backward(p, st, l, t, bias_of(b, st), ds, scratch);
    else
        snn_train_neuron_backward(p, st, ds, scratch->carry, v);
}

/* Back through the neurons of stage i: membranes in l->v become gradients of the sums (delta), and sparse rows of them. */
static void unfire(const train_block *b, int i, train_sample *s, train_scratch *scratch) {
    const train_plan *p = b->plan;
    const train_stage *st = &p->stage[i];
    train_layer_state *l = &s->layer[i];
    size_t pixels = (size_t)st->grid.out_height * (size_t)st->grid.out_width, lanes = pixels * st->out_pitch;
    memset(scratch->carry, 0, lanes * sizeof(float));
    if (st->neuron.by_lanes) {
        memset(scratch->carry_state, 0, lanes * sizeof(float));
        memset(l->bias_sum, 0, lanes * sizeof(float));
    }
    s->delta.rows = pixels;
    s->delta.n = 0;
    for (int t = p->steps - 1; t >= 0; t--) {
        float *v = l->v + (size_t)t * lanes;
        unfire_step(b, i, t, s, scratch);
        flag_rows(p, st, v, l->active + (size_t)t * pixels * st->panels);
        if (st->has_wt)
            snn_train_rows(p->kernels, &s->delta, t, (uint32_t)pixels, (uint32_t)st->grid.out_width,
                           st->outputs, st->out_pitch, v);
    }
    double cells = (double)pixels * st->outputs * p->steps;
    s->delta_dense = !st->has_wt || (double)s->delta.n > TRAIN_DENSE * cells;
}

/* One task's gradient, and its update when that can follow at once. */
static void weight_gradient(train_block *b, const train_task *task, bool first, float *cols) {
    const train_plan *p = b->plan;
    const train_stage *st = &p->stage[task->stage];
    const bool biases = task->ky == TRAIN_BIAS, recurrent = task->ky == TRAIN_RECURRENT;
    uint32_t panel = (uint32_t)task->panel;
    size_t at = st->b, n = st->out_pitch;
    if (recurrent) {
        n = (size_t)st->outputs * snn_train_width(st->out_pitch, panel);
        at = st->r + (size_t)panel * TRAIN_LANES * st->outputs;
    } else if (!biases) {
        n = (size_t)st->grid.kernel * (size_t)st->grid.channels * snn_train_width(st->out_pitch, panel);
        at = st->w + snn_train_panel(st, panel) + (size_t)task->ky * n;
    }
    if (first)
        memset(b->g + at, 0, n * sizeof *b->g);
    for (int k = 0; k < b->samples; k++) {
        const train_layer_state *l = &b->sample[k].layer[task->stage];
        if (biases)
            snn_train_bias_gradient(p, st, l, b->g + at);
        else if (recurrent)
            snn_train_recurrent_weight_gradient(p, st, l, panel, b->g + at);
        else
            snn_train_synapse_weight_gradient(p, st, l, panel, task->ky, b->g + at, cols);
    }
    if (b->update != NULL && !snn_train_adam_range(p, b->update, b->g, at, n)) {
#pragma omp atomic write
        b->diverged = 1;
    }
}

static void backward_by_stage(train_block *b, train_scratch *scratch) {
    const train_plan *p = b->plan;
    for (int i = p->stages - 1; i >= 0; i--) {
        const train_stage *st = &p->stage[i];
#pragma omp for schedule(dynamic)
        for (int k = 0; k < b->samples; k++)
            unfire(b, i, &b->sample[k], scratch);
        if (i == 0)
            break;
#pragma omp for collapse(2) schedule(dynamic)
        for (uint32_t panel = 0; panel < st->in_panels; panel++)
            for (int k = 0; k < b->samples; k++)
                snn_train_synapse_input_gradient(p, st, b->w, b->wt, &b->sample[k].layer[i], &b->sample[k],
                                                 panel, scratch->cols);
    }
}

/* The same for one sample from end to end. */
static void whole_sample(train_block *b, train_sample *s, bool backward, train_scratch *scratch) {
    const train_plan *p = b->plan;
    read_sample(b, s, scratch);
    if (scratch->failed)
        return;
    for (int i = 0; i < p->stages; i++) {
        const train_stage *st = &p->stage[i];
        for (uint32_t panel = 0; panel < st->panels; panel++)
            snn_train_synapse_forward(p, st, b->w, &s->layer[i], panel, scratch->cols);
        fire(b, i, s, scratch);
    }
    for (int i = p->stages - 1; backward && i >= 0; i--) {
        const train_stage *st = &p->stage[i];
        unfire(b, i, s, scratch);
        for (uint32_t panel = 0; i > 0 && panel < st->in_panels; panel++)
            snn_train_synapse_input_gradient(p, st, b->w, b->wt, &s->layer[i], s, panel, scratch->cols);
    }
}

bool snn_train_block_run(train_block *b, bool backward, bool first, snn_error *err) {
    bool whole = b->samples >= SAMPLES_PER_THREAD * b->threads;
    b->diverged = 0;
#pragma omp parallel num_threads(b->threads)
    {
        train_scratch *scratch = &b->scratch[omp_get_thread_num()];
        if (whole) {
#pragma omp for schedule(dynamic)
            for (int k = 0; k < b->samples; k++)
                whole_sample(b, &b->sample[k], backward, scratch);
        } else {
            forward_by_stage(b, scratch);
            if (backward && first_error(b) < 0)
                backward_by_stage(b, scratch);
        }
        if (backward && first_error(b) < 0) {
#pragma omp for schedule(dynamic)
            for (int k = 0; k < b->plan->tasks; k++)
                weight_gradient(b, &b->plan->task[k], first, scratch->cols);
        }
    }
    int bad = first_error(b);
    if (bad >= 0 && err != NULL)
        *err = b->scratch[bad].err;
    return bad < 0;
}
