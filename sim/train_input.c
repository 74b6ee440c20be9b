/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sparse rows: what synapses read, made of input lists or of planes. */
#include "train_internal.h"

#include <stdlib.h>
#include <string.h>

bool snn_train_csr_new(train_csr *c, int steps, size_t rows, size_t entries, snn_error *err) {
    *c = (train_csr){.steps = steps, .rows = rows};
    /* The kernels may write TRAIN_ALIGN entries beyond the last (see `compress`). */
    c->first = snn_alloc((size_t)steps * (rows + 1), sizeof *c->first, "sparse rows", err);
    c->col = snn_alloc(entries + TRAIN_ALIGN, sizeof *c->col, "sparse entries", err);
    c->value = snn_alloc(entries + TRAIN_ALIGN, sizeof *c->value, "sparse entries", err);
    return c->first != NULL && c->col != NULL && c->value != NULL;
}

void snn_train_csr_free(train_csr *c) {
    free(c->first);
    free(c->col);
    free(c->value);
}

void snn_train_rows(const train_kernels *k, train_csr *csr, int t, uint32_t pixels, uint32_t line,
                    uint32_t channels, uint32_t pitch, const float *plane) {
    uint32_t *first = csr->first + (size_t)t * (csr->rows + 1);
    size_t n = csr->n;
    bool flat = csr->rows == 1;
    for (uint32_t r = 0, x = 0; r < pixels; r++, plane += pitch) {
        if (!flat || r == 0)
            first[r] = (uint32_t)n;
        n += k->compress(channels, plane, x * channels, csr->col + n, csr->value + n);
        if (++x == line)
            x = 0;
    }
    first[csr->rows] = (uint32_t)n;
    csr->n = n;
}

/* Linear at the very start: a step is one row, its columns are the input's lines. */
static void listed(const snn_spikes *x, train_csr *csr) {
    for (int t = 0; t < x->steps; t++) {
        csr->first[2 * (size_t)t] = (uint32_t)csr->n;
        for (size_t i = x->first[t]; i < x->first[t + 1]; i++, csr->n++) {
            csr->col[csr->n] = x->spike[i].index;
            csr->value[csr->n] = (float)x->spike[i].count;
        }
        csr->first[2 * (size_t)t + 1] = (uint32_t)csr->n;
    }
}

/* One step of a list as a plane [y][x][pitch]. */
static void plane_of(const train_stage *st, const snn_spikes *x, int t, float *plane) {
    size_t pixels = (size_t)st->source.height * st->source.width;
    memset(plane, 0, pixels * st->source_pitch * sizeof *plane);
    for (size_t i = x->first[t]; i < x->first[t + 1]; i++) {
        uint32_t index = x->spike[i].index;
        plane[index % pixels * st->source_pitch + index / pixels] = (float)x->spike[i].count;
    }
}

void snn_train_input(const train_plan *p, const snn_spikes *x, train_layer_state *l, train_scratch *scratch) {
    const train_stage *st = &p->stage[0];
    l->in.n = 0;
    if (st->listed) {
        listed(x, &l->in);
    } else {
        for (int t = 0; t < p->steps; t++) {
            plane_of(st, x, t, scratch->plane[0]);
            snn_train_read_plane(p, st, l, t, scratch->plane[0], scratch->plane[1]);
        }
    }
    snn_train_choose(p, st, l);
}

void snn_train_read_plane(const train_plan *p, const train_stage *st, train_layer_state *l, int t,
                          float *plane, float *other) {
    for (int k = 0; k < st->pools; k++) {
        const train_pool *pool = &st->pool[k];
        size_t size = (size_t)pool->out.height * pool->out.width * pool->pitch;
        uint32_t *arg = l->arg[k] == NULL ? NULL : l->arg[k] + (size_t)t * size;
        snn_train_pool_forward(p->kernels, pool, plane, other, arg);
        float *swap = plane;
        plane = other;
        other = swap;
    }
    uint32_t pixels = st->pooled.height * st->pooled.width;
    /* A linear layer has one row: its line is the whole plane. */
    uint32_t line = st->layer->type == SNN_LAYER_LINEAR ? pixels : st->pooled.width;
    snn_train_rows(p->kernels, &l->in, t, pixels, line, st->pooled.channels,
                   snn_train_round(st->pooled.channels), plane);
}

void snn_train_choose(const train_plan *p, const train_stage *st, train_layer_state *l) {
    double cells = (double)st->grid.height * st->grid.width * st->grid.channels * p->steps;
    l->dense = !p->options->sparse || (double)l->in.n > TRAIN_DENSE * cells;
}
