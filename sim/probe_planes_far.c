/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fitness probe for convolutions: a stage whose inputs change. Pixel by pixel the changed inputs of its window are gathered for all steps, then blocks of its outputs take the sums of the base, add the
 * gathered rows and walk through the steps. Where more inputs changed than are active, sums are made anew from those. Weights that change too are in the rows of the
 * workspace; what they do to inputs that did not change comes from near ("extra").
 */
#include "probe_planes.h"

#include <stdlib.h>
#include <string.h>

/* A layer whose weights do not stay in the second-level cache is walked block by block of outputs, each for as many windows as the gathered entries have room for. */
#define STALE UINT64_MAX
enum { BLOCK = SNN_PLANES_BLOCK, CACHED_ROWS = 512 * 1024, BATCH_ENTRIES = 1 << 18 };

typedef struct {
    const planes *p;
    int stage;
    const planes_stage *g;
    const planes_far *f;
    const uint8_t *rows8;
    const int16_t *rows16;
    const planes_tile *tile; /* whose extra is in the workspace, or NULL */
    planes_workspace *w;
    snn_error *err;
} walk;

/* ---- gathering ---- */

static bool reserve_window(const walk *k, size_t steps) {
    planes_gather *a = &k->w->gather;
    /* No entry of the list is in a window twice. */
    const size_t need = a->n + k->w->list.n + steps + 64;
    if (need <= a->entries && need <= a->counts && a->steps + steps < a->starts &&
        a->steps + steps < a->totals && a->windows < a->window_capacity)
        return true;
    return snn_grow((void **)&a->entry, &a->entries, need, sizeof *a->entry, k->err) &&
           snn_grow((void **)&a->count, &a->counts, need, sizeof *a->count, k->err) &&
           snn_grow((void **)&a->start, &a->starts, a->steps + steps + 1, sizeof *a->start, k->err) &&
           snn_grow((void **)&a->total, &a->totals, a->steps + steps + 1, sizeof *a->total, k->err) &&
           snn_grow((void **)&a->window, &a->window_capacity, a->windows + 1, sizeof *a->window, k->err);
}

/* Input pixels under a window, without padding. */
typedef struct {
    uint32_t y, x, end_y, end_x; /* pixels of the input */
    uint32_t shift;              /* items to add to an entry of line y (modulo 2^32) */
} field;

static field field_of(const walk *k, uint32_t pixel) {
    const planes_stage *g = k->g;
    const snn_shape in = k->p->signal[k->stage].shape;
    const uint32_t top = pixel / g->s->out.width * g->stride, left = pixel % g->s->out.width * g->stride;
    field f = {.y = top > g->padding ? top - g->padding : 0, .x = left > g->padding ? left - g->padding : 0};
    f.end_y = top + g->kernel_height > g->padding ? top + g->kernel_height - g->padding : 0;
    f.end_x = left + g->kernel_width > g->padding ? left + g->kernel_width - g->padding : 0;
    f.end_y = f.end_y < in.height ? f.end_y : in.height;
    f.end_x = f.end_x < in.width ? f.end_x : in.width;
    const uint32_t ky = f.y + g->padding - top;
    f.shift = (ky * g->kernel_width + g->padding - left) * g->lines * BLOCK;
    if (f.y >= f.end_y || f.x >= f.end_x)
        f.end_y = f.y;
    return f;
}

static bool is_touched(const walk *k, const field *f) {
    const uint32_t width = k->p->signal[k->stage].shape.width;
    for (uint32_t y = f->y; y < f->end_y; y++)
        for (uint32_t x = f->x; x < f->end_x; x++)
            if (k->w->list.touched[y * width + x])
                return true;
    return false;
}

static bool gather_window(const walk *k, size_t sample, uint32_t pixel, const field *f, bool anew) {
    planes_gather *a = &k->w->gather;
    const planes_list *l = &k->w->list;
    const int steps = planes_steps(k->p, sample);
    const planes_signal *in = &k->p->signal[k->stage];
    if (!reserve_window(k, (size_t)steps))
        return false;
    a->window[a->windows++] = (planes_window){sample, pixel, anew, a->steps};
    const snn_planes_field field = {
        .entry = l->entry,
        .count = l->count,
        .first = l->first + f->y * in->shape.width + f->x,
        .before = l->before + f->y * in->shape.width + f->x,
        .step = in->pixels + 1,
        .steps = steps,
        .lines = f->end_y - f->y,
        .width = f->end_x - f->x,
        .line = in->shape.width,
        .shift = f->shift,
        .line_shift = k->g->kernel_width * k->g->lines * BLOCK,
    };
    a->n = k->p->kernels->gather(&field, a->entry, a->count, a->n, a->start + a->steps, a->total + a->steps);
    a->steps += (size_t)steps + 1;
    return true;
}

/* Asks for the base sums of a window while its entries are gathered (inlined, because compilers drop calls that only prefetch). */
static inline __attribute__((always_inline)) void fetch_base(const walk *k, size_t sample, uint32_t pixel) {
    const int16_t *base = k->g->sums.narrow + planes_sum_at(k->p, k->g, sample, pixel);
    const size_t n = (size_t)planes_steps(k->p, sample) * k->g->blocks * BLOCK;
    for (size_t i = 0; i < n; i += 64 / sizeof *base)
        __builtin_prefetch(base + i);
}

/* ---- firing ---- */

/* Base sums of `blocks` blocks with what changed weights add, in w->base [steps][64 * blocks]. */
static void add_extra(const walk *k, const planes_window *v, uint32_t block, int blocks) {
    const planes_near *n = &k->g->near;
    const uint32_t width = (uint32_t)blocks * BLOCK, out_width = k->g->s->out.width;
    const size_t size = (size_t)k->tile->steps * k->tile->lanes,
                 lane = (v->sample - k->tile->first) * n->sample_lanes + v->pixel / out_width * n->width +
                        v->pixel % out_width;
    const int steps = planes_steps(k->p, v->sample);
    const int16_t *narrow = k->g->sums.narrow + planes_sum_at(k->p, k->g, v->sample, v->pixel);
    const int32_t *wide = k->g->sums.wide[planes_part(k->g, v->sample, v->pixel)];
    for (int t = 0; t < steps; t++) {
        const size_t at = ((size_t)t * k->g->blocks + block) * BLOCK;
        int32_t *to = k->w->base + (size_t)t * width;
        for (uint32_t j = 0; j < width; j++)
            to[j] = wide ? wide[at + j] : narrow[at + j];
    }
    for (uint32_t j = 0; j < width; j++) {
        const int32_t slot = k->w->slot[block * BLOCK + j];
        if (slot < 0)
            continue;
        const int32_t *extra = k->w->extra + (size_t)slot * size + lane;
        for (int t = 0; t < steps; t++)
            k->w->base[(size_t)t * width + j] += extra[(size_t)t * k->tile->lanes];
    }
}

/* Where the base sums of the window stand. */
static void set_base(const walk *k, const planes_window *v, uint32_t block, snn_planes_unit *u) {
    if (v->anew)
        return;
    if (k->tile) {
        add_extra(k, v, block, u->blocks);
        u->wide = k->w->base;
        u->stride = (size_t)u->blocks * BLOCK;
        return;
    }
    const int32_t *wide = k->g->sums.wide[planes_part(k->g, v->sample, v->pixel)];
    if (wide)
        u->wide = wide + (size_t)block * BLOCK;
    else
        u->narrow =
            k->g->sums.narrow + planes_sum_at(k->p, k->g, v->sample, v->pixel) + (size_t)block * BLOCK;
    u->stride = (size_t)k->g->blocks * BLOCK;
}

static void read_outputs(const walk *k, const planes_window *v, uint32_t block, int blocks) {
    for (uint32_t j = 0; j < (uint32_t)blocks * BLOCK && block * BLOCK + j < k->g->outputs; j++)
        snn_planes_read_membrane(k->p, k->g, v->sample, block * BLOCK + j, v->pixel, k->w->membrane + j,
                                 (size_t)blocks * BLOCK, k->w->out);
}

static bool fire_window(const walk *k, const planes_window *v, uint32_t block, int blocks) {
    const planes_gather *a = &k->w->gather;
    const planes_signal *out = &k->p->signal[k->stage + 1];
    planes_difference *d = &k->w->difference[k->stage + 1];
    const size_t at = k->p->first_step[v->sample] * out->pixels + v->pixel,
                 rows = (size_t)block * k->g->rows * BLOCK;
    const bool membrane = snn_planes_reads_membrane(k->p, k->stage);
    uint64_t any[2] = {0, 0};
    snn_planes_unit u = {
        .neuron = &k->g->neuron,
        .first = block * BLOCK,
        .blocks = blocks,
        .steps = planes_steps(k->p, v->sample),
        .rows8 = k->rows8 ? k->rows8 + rows : NULL,
        .rows16 = k->rows16 ? k->rows16 + rows : NULL,
        .block_step = k->g->rows * BLOCK,
        .entry = a->entry,
        .count = a->count,
        .start = a->start + v->start,
        .total = a->total + v->start,
        .piece = k->g->piece,
        .before = out->bits + at * out->words + block,
        .changed = planes_changed(out, d, at) + block,
        .word_step = out->pixels * out->words,
        .sum = k->f->keep ? k->w->sum : NULL,
        .membrane = membrane ? k->w->membrane : NULL,
    };
    set_base(k, v, block, &u);
    k->p->kernels->fire_unit(&u, any);
    d->dirty[v->sample] |= (any[0] | any[1]) != 0;
    if (membrane)
        read_outputs(k, v, block, blocks);
    return !k->f->keep ||
           snn_planes_keep_sums(k->f->keep, k->stage, v->sample, v->pixel, block, blocks, k->w->sum, k->err);
}

/* Fires all gathered windows and forgets them. */
static bool flush(const walk *k) {
    planes_gather *a = &k->w->gather;
    for (uint32_t b = 0; b < k->g->blocks; b += 2)
        for (size_t i = 0; i < a->windows; i++)
            if (!fire_window(k, &a->window[i], b, k->g->blocks - b >= 2 ? 2 : 1))
                return false;
    a->n = a->steps = a->windows = 0;
    return true;
}

/* ---- walking ---- */

/* Lists what changed, or all that is active when that is less. */
static bool list_inputs(const walk *k, size_t sample, bool *anew) {
    *anew = k->f->anew;
    if (!snn_planes_list_sample(k->p, k->stage, sample, *anew, k->w, k->err))
        return false;
    if (*anew || k->w->list.n <= k->p->signal[k->stage].active[sample])
        return true;
    *anew = true;
    return snn_planes_list_sample(k->p, k->stage, sample, true, k->w, k->err);
}

static bool walk_pixels(const walk *k, size_t sample) {
    bool anew;
    if (!list_inputs(k, sample, &anew))
        return false;
    const size_t limit = k->g->blocks * k->g->rows * BLOCK > CACHED_ROWS ? BATCH_ENTRIES : 0;
    const uint32_t pixels = k->g->s->out.height * k->g->s->out.width;
    for (uint32_t i = 0; i < pixels; i++) {
        const field field = field_of(k, i);
        if (!k->f->every && !is_touched(k, &field))
            continue;
        if (!anew && limit == 0)
            fetch_base(k, sample, i);
        if (!gather_window(k, sample, i, &field, anew) || (k->w->gather.n >= limit && !flush(k)))
            return false;
    }
    return true;
}

static bool walk_samples(const walk *k, size_t first, size_t n) {
    const bool pool = k->stage + 1 < k->p->stages && k->p->stage[k->stage + 1].pool;
    for (size_t s = first; s < first + n; s++) {
        if (!k->w->difference[k->stage].dirty[s] && !k->f->every)
            continue;
        snn_planes_pool_begin(k->p, k->stage, s, k->w);
        if (!walk_pixels(k, s) || (pool && !flush(k)))
            return false;
        snn_planes_pool_end(k->p, k->stage, s, 1, k->w);
    }
    return flush(k);
}

static bool walk_tiles(walk *k) {
    const planes_near *n = &k->g->near;
    for (size_t i = 0; i < n->tiles; i++) {
        k->tile = &n->tile[i];
        if (!snn_planes_near_extra(k->p, k->stage, k->f->d, i, k->w, k->err) ||
            !walk_samples(k, k->tile->first, k->tile->samples))
            return false;
    }
    return true;
}

/* Copies `from` into *own, which is made when it is not there. */
static bool copy_rows(void **own, const void *from, size_t n, size_t size, snn_error *err) {
    if (!*own && !(*own = snn_alloc(n, size, "weights of a probe", err)))
        return false;
    memcpy(*own, from, n * size);
    return true;
}

/* The workspace's own copy of the rows, to be changed. */
static bool own_rows(const planes *p, int stage, planes_workspace *w, snn_error *err) {
    const planes_stage *g = &p->stage[stage];
    const size_t n = g->blocks * g->rows * BLOCK;
    if ((w->rows8[stage] || w->rows16[stage]) && w->version[stage] == p->version)
        return true;
    w->version[stage] = p->version;
    return g->rows8 ? copy_rows((void **)&w->rows8[stage], g->rows8, n, 1, err)
                    : copy_rows((void **)&w->rows16[stage], g->rows16, n, sizeof *g->rows16, err);
}

bool snn_planes_far_run(const planes *p, int stage, const planes_far *f, planes_workspace *w,
                        snn_error *err) {
    const planes_stage *g = &p->stage[stage];
    walk k = {p, stage, g, f, g->rows8, g->rows16, NULL, w, err};
    w->gather.n = w->gather.steps = w->gather.windows = 0;
    if (f->d.n == 0)
        return walk_samples(&k, 0, p->samples);
    if (!own_rows(p, stage, w, err))
        return false;
    k.rows8 = w->rows8[stage];
    k.rows16 = w->rows16[stage];
    snn_planes_patch(p, stage, f->d, 1, w->rows8[stage], w->rows16[stage]);
    const bool ok = f->anew ? walk_samples(&k, 0, p->samples) : walk_tiles(&k);
    w->version[stage] = STALE; /* copied again at the next time, unless taking the changes back is quicker */
    if (f->d.n < g->blocks * g->rows) {
        snn_planes_patch(p, stage, f->d, -1, w->rows8[stage], w->rows16[stage]);
        w->version[stage] = p->version;
    }
    return ok;
}

/* In vector operations, for all inputs of the base: four for each row of a block, sixty for a block of neurons. */
double snn_planes_far_cost(const planes *p, int stage) {
    const planes_stage *g = &p->stage[stage];
    const double taps = g->s->type == SNN_LAYER_LINEAR
                            ? 1
                            : (double)(g->kernel_width * g->kernel_height) / (g->stride * g->stride);
    double active = 0;
    for (size_t s = 0; s < p->samples; s++)
        active += (double)p->signal[stage].active[s];
    const double windows = (double)p->first_step[p->samples] * g->s->out.height * g->s->out.width;
    return g->blocks * (4 * active * taps + 60 * windows);
}
