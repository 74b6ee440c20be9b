/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of the samples in flight: per sample what forward must remember for backward, per thread scratch. */
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t in_cells(const train_stage *st) {
    return (size_t)st->grid.height * (size_t)st->grid.width * (size_t)st->grid.channels;
}

static size_t out_pixels(const train_stage *st) {
    return (size_t)st->grid.out_height * (size_t)st->grid.out_width;
}

static size_t pool_cells(const train_pool *pool) {
    return (size_t)pool->out.height * pool->out.width * pool->pitch;
}

/* Bytes of one sample. */
static size_t sample_bytes(const train_plan *p) {
    size_t total = p->gradient * sizeof(float) + p->delta_items * (sizeof(uint32_t) + sizeof(float));
    for (int i = 0; i < p->stages; i++) {
        const train_stage *st = &p->stage[i];
        size_t step = in_cells(st) * (sizeof(uint32_t) + sizeof(float)) +
                      out_pixels(st) * (st->out_pitch * sizeof(float) + st->panels);
        for (int k = 0; k < st->pools; k++)
            step += pool_cells(&st->pool[k]) * sizeof(uint32_t);
        if (st->recurrent)
            step += st->outputs * (sizeof(uint32_t) + sizeof(float));
        if (st->neuron.type == SNN_NEURON_ALIF)
            step += out_pixels(st) * st->out_pitch * sizeof(float);
        total += step * (size_t)p->steps;
    }
    return total;
}

static bool layer_new(const train_plan *p, int i, train_layer_state *l, snn_error *err) {
    const train_stage *st = &p->stage[i];
    size_t steps = (size_t)p->steps;
    l->v = snn_alloc(steps * out_pixels(st) * st->out_pitch, sizeof *l->v, "membranes", err);
    l->active = snn_alloc(steps * out_pixels(st) * st->panels, 1, "gradient flags", err);
    l->arg = snn_alloc((size_t)st->pools, sizeof *l->arg, "pool indices", err);
    if (st->neuron.by_lanes) {
        l->bias_sum = snn_alloc(out_pixels(st) * st->out_pitch, sizeof *l->bias_sum, "neurons", err);
        if (l->bias_sum == NULL)
            return false;
    }
    if (p->options->rate_weight > 0 && i + 1 < p->stages) {
        l->push = snn_alloc(out_pixels(st) * st->out_pitch, sizeof *l->push, "firing rates", err);
        if (l->push == NULL)
            return false;
    }
    if (st->neuron.type == SNN_NEURON_ALIF) {
        l->barrier = snn_alloc(steps * out_pixels(st) * st->out_pitch, sizeof *l->barrier, "thresholds", err);
        if (l->barrier == NULL)
            return false;
    }
    if (l->v == NULL || l->active == NULL || l->arg == NULL ||
        (st->recurrent && !snn_train_csr_new(&l->own, p->steps, 1, steps * st->outputs, err)) ||
        !snn_train_csr_new(&l->in, p->steps, (size_t)st->grid.height * (size_t)st->grid.width,
                           steps * in_cells(st), err))
        return false;
    for (int k = 0; k < st->pools; k++) {
        if (st->pool[k].type != SNN_LAYER_POOL_MAX)
            continue;
        l->arg[k] = snn_alloc(steps * pool_cells(&st->pool[k]), sizeof **l->arg, "pool indices", err);
        if (l->arg[k] == NULL)
            return false;
    }
    return true;
}

static bool sample_new(const train_plan *p, train_sample *s, snn_error *err) {
    s->layer = snn_alloc((size_t)p->stages, sizeof *s->layer, "training layers", err);
    s->dx = snn_alloc(p->gradient, sizeof *s->dx, "input gradients", err);
    s->sum = snn_alloc(p->net->classes, sizeof *s->sum, "outputs", err);
    s->share = snn_alloc(p->net->classes, sizeof *s->share, "outputs", err);
    s->dout = snn_alloc(p->net->classes, sizeof *s->dout, "outputs", err);
    if (s->layer == NULL || s->dx == NULL || s->sum == NULL || s->share == NULL || s->dout == NULL ||
        !snn_train_csr_new(&s->delta, p->steps, p->delta_rows, p->delta_items, err))
        return false;
    for (int i = 0; i < p->stages; i++)
        if (!layer_new(p, i, &s->layer[i], err))
            return false;
    return true;
}

static bool scratch_new(const train_plan *p, train_scratch *s, snn_error *err) {
    float **plane[] = {&s->plane[0], &s->plane[1],    &s->carry, &s->state,
                       &s->last,     &s->carry_state, &s->zero,  &s->own};
    for (size_t i = 0; i < sizeof plane / sizeof *plane; i++) {
        *plane[i] = snn_alloc(p->widest, sizeof(float), "planes", err);
        if (*plane[i] == NULL)
            return false;
    }
    s->cols = snn_alloc(p->cols, sizeof(float), "unrolled input", err);
    return s->cols != NULL && snn_train_csr_new(&s->row, 1, 1, p->recurrent, err);
}

static void scratch_free(train_scratch *s) {
    float *array[] = {s->plane[0],    s->plane[1], s->carry, s->state, s->last,
                      s->carry_state, s->zero,     s->cols,  s->own};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        free(array[i]);
    snn_train_csr_free(&s->row);
    snn_spikes_free(&s->spikes);
    snn_augment_scratch_free(&s->augment);
}

bool snn_train_block_new(train_block *b, const train_plan *p, int capacity, int threads, snn_error *err) {
    *b = (train_block){.plan = p, .threads = threads};
    size_t bytes = sample_bytes(p);
    size_t fit = bytes < TRAIN_BLOCK_BYTES ? TRAIN_BLOCK_BYTES / bytes : 1;
    capacity = capacity < TRAIN_BLOCK ? capacity : TRAIN_BLOCK;
    b->capacity = (size_t)capacity < fit ? capacity : (int)fit;
    b->sample = snn_alloc((size_t)b->capacity, sizeof *b->sample, "training samples", err);
    b->scratch = snn_alloc((size_t)threads, sizeof *b->scratch, "training scratch", err);
    bool ok = b->sample != NULL && b->scratch != NULL;
    for (int i = 0; ok && i < b->capacity; i++)
        ok = sample_new(p, &b->sample[i], err);
    for (int i = 0; ok && i < threads; i++)
        ok = scratch_new(p, &b->scratch[i], err);
    if (!ok)
        snn_train_block_free(b);
    return ok;
}

static void sample_free(const train_plan *p, train_sample *s) {
    for (int i = 0; s->layer != NULL && i < p->stages; i++) {
        train_layer_state *l = &s->layer[i];
        snn_train_csr_free(&l->in);
        snn_train_csr_free(&l->own);
        free(l->barrier);
        free(l->bias_sum);
        free(l->push);
        free(l->v);
        free(l->active);
        for (int k = 0; l->arg != NULL && k < p->stage[i].pools; k++)
            free(l->arg[k]);
        free(l->arg);
    }
    snn_train_csr_free(&s->delta);
    free(s->layer);
    free(s->dx);
    free(s->sum);
    free(s->share);
    free(s->dout);
}

void snn_train_block_free(train_block *b) {
    for (int i = 0; b->sample != NULL && i < b->capacity; i++)
        sample_free(b->plan, &b->sample[i]);
    for (int i = 0; b->scratch != NULL && i < b->threads; i++)
        scratch_free(&b->scratch[i]);
    free(b->sample);
    free(b->scratch);
    b->sample = NULL;
    b->scratch = NULL;
}
