/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which bits the genetic search looks at: for each tribe the bits of its class's output row that raise its sums; and a pool of bits of all kinds, ordered by change x input rate and, where there
 * are too many to try them all at every turn, screened by what each does alone.
 */
#include "genetic.h"
#include "order.h"

#include <string.h>

enum {
    ROW = 256,       /* bits of a row */
    ORDER = 1 << 15, /* bits that are screened */
    POOL = 8192,     /* that stay: up to so many all are looked at without screening */
    LOOK = 256,
    SCREEN_BLOCK = 4096, /* evaluations of a step */
    DEAR_ORDER = 320,
    DEAR_POOL = 160,
    DEAR_LOOK = 48,
    DEAR_BLOCK = 64,
    PEOPLE = 12,
    IDLE = 24,
    CHILDREN = 400,
    DEAR_IDLE = 8,
    DEAR_CHILDREN = 40,
    STREAM_CLASSES = 1 << 23 /* draws which classes get tribes */
};

static bool convolves(const snn_net *net) {
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].type == SNN_LAYER_CONV2D)
            return true;
    return false;
}

/* ---- rows ---- */

typedef struct {
    double value;
    uint32_t item;
} valued;

static int by_value(const void *a, const void *b) {
    const valued *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Bits that raise sums of output row `class_`, by rise x scale x input rate. */
static bool make_row(const snn_candidates *c, const snn_rates *r, const snn_layer *last, uint32_t class_,
                     snn_bit_list *row, snn_error *err) {
    const uint32_t tensor = (uint32_t)last->tensor;
    const snn_tensor *t = &c->weights->tensor[tensor];
    const uint64_t inputs = t->shape[1];
    valued *v = snn_alloc(c->n, sizeof *v, "bits of a row", err);
    uint32_t n = 0;
    if (!v)
        return false;
    for (uint32_t i = 0; i < c->n; i++) {
        const snn_flip *f = &c->flip[i];
        if (f->tensor != tensor || f->index / inputs != class_ || c->dq[i] <= 0)
            continue;
        const double rise = (double)c->dq[i] * (double)snn_weight_scale(t, f->index);
        v[n++] = (valued){rise * r->rate[tensor][f->index % inputs], i};
    }
    qsort(v, n, sizeof *v, by_value);
    row->n = n < ROW ? n : ROW;
    row->item = snn_alloc(row->n, sizeof *row->item, "bits of a row", err);
    for (uint32_t i = 0; row->item && i < row->n; i++)
        row->item[i] = v[i].item;
    free(v);
    return row->item != NULL;
}

/* Which classes get a tribe: all, or as many as there is room for, by the seed. */
static bool choose_classes(const snn_search_job *job, snn_genetic_plan *p, snn_error *err) {
    const uint32_t classes = snn_objective_net(job->objective)->classes, most = SNN_TRIBES;
    uint32_t *order = snn_alloc(classes, sizeof *order, "classes", err);
    if (!order)
        return false;
    snn_random r;
    snn_random_init(&r, job->options->seed, SNN_PURPOSE_SEARCH, STREAM_CLASSES);
    snn_random_permutation(&r, order, classes);
    p->tribes = classes < most ? classes : most;
    memcpy(p->class_, order, p->tribes * sizeof *order);
    free(order);
    return true;
}

/* ---- the order ---- */

static bool make_order(const snn_search_job *job, const snn_rates *r, snn_genetic_plan *p, snn_error *err) {
    const uint32_t all = job->candidates->n, most = p->dear ? DEAR_ORDER : ORDER;
    p->order.item = snn_alloc(all, sizeof *p->order.item, "an order of candidates", err);
    if (!p->order.item)
        return false;
    if (all <= p->pool) {
        p->order.n = all;
        for (uint32_t i = 0; i < all; i++)
            p->order.item[i] = i;
        return true;
    }
    if (!snn_rates_order(r, job->objective, SNN_RULE_RATE, 0, p->order.item, NULL, &p->order.n, err))
        return false;
    p->order.n = p->order.n < most ? p->order.n : most;
    return true;
}

void snn_genetic_close(snn_search_job *job) {
    snn_genetic_plan *p = job->own;
    if (!p)
        return;
    for (uint32_t i = 0; i < SNN_TRIBES; i++)
        free(p->row[i].item);
    for (uint32_t i = 0; i < p->lines; i++)
        free(p->line[i].item);
    free(p->line);
    free(p->order.item);
    free(p);
    job->own = NULL;
}

static uint32_t given(uint32_t option, uint32_t otherwise) {
    return option > 0 ? option : otherwise;
}

bool snn_genetic_open(snn_search_job *job, snn_error *err) {
    const snn_net *net = snn_objective_net(job->objective);
    snn_genetic_plan *p = job->own = snn_alloc(1, sizeof *p, "a plan", err);
    snn_rates rates;
    if (!p || !snn_rates_new(&rates, job->objective, err))
        return false;
    p->dear = snn_search_dear(net, job->candidates->flip[0].tensor); /* they ascend */
    p->rows = snn_rules_have_classes(job->objective);
    p->keep_first = p->rows && convolves(net);
    p->pool = p->dear ? DEAR_POOL : POOL;
    p->look = p->dear ? DEAR_LOOK : LOOK;
    p->people = given(job->options->population, PEOPLE);
    p->people = p->people < SNN_TRIBES ? p->people : SNN_TRIBES;
    p->idle = p->dear ? DEAR_IDLE : IDLE;
    p->children = given(job->options->generations, p->dear ? DEAR_CHILDREN : CHILDREN);
    bool ok = choose_classes(job, p, err) && make_order(job, &rates, p, err) &&
              (!convolves(net) || snn_genetic_lines(job, &rates, p, err));
    for (uint32_t i = 0; ok && p->rows && i < p->tribes; i++)
        ok = make_row(job->candidates, &rates, &net->layer[net->layers - 1], p->class_[i], &p->row[i], err);
    snn_rates_free(&rates);
    return ok;
}

/* ---- screening ---- */

/* Smaller lead first: losses of single bits are mostly the same. */
static int by_lead(const void *a, const void *b) {
    const snn_set *x = a, *y = b;
    if (x->score.lead != y->score.lead)
        return x->score.lead < y->score.lead ? -1 : 1;
    return (x->item[0] > y->item[0]) - (x->item[0] < y->item[0]);
}

static bool add_single(snn_search_state *st, uint32_t item, const snn_score *score, snn_error *err) {
    if (!snn_search_sets(st, st->sets + 1, err))
        return false;
    snn_set *s = &st->set[st->sets - 1];
    if (!snn_set_add(s, item, err))
        return false;
    s->score = *score;
    s->scored = true;
    return true;
}

/* All singles become the pool. */
static bool close_pool(snn_search_state *st, uint32_t tribes, snn_error *err) {
    const uint32_t first = tribes + 1, n = st->sets - first;
    uint32_t *item = snn_alloc(n, sizeof *item, "a pool", err);
    if (!item)
        return false;
    for (uint32_t i = 0; i < n; i++)
        item[i] = st->set[first + i].item[0];
    const bool ok = snn_set_assign(&st->set[tribes], item, n, err) && snn_search_sets(st, first, err);
    free(item);
    return ok;
}

bool snn_genetic_screen(snn_search_job *job, bool *over, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    const uint32_t first = (uint32_t)st->reg[GENETIC_NEXT], block = p->dear ? DEAR_BLOCK : SCREEN_BLOCK;
    if (p->order.n <= p->pool) {
        *over = true;
        return snn_set_assign(&st->set[p->tribes], p->order.item, p->order.n, err);
    }
    const uint32_t n = p->order.n - first < block ? p->order.n - first : block;
    const snn_set empty = {0};
    snn_score *score = snn_alloc(n, sizeof *score, "scores of single bits", err);
    bool ok = score && snn_search_score_toggles(job, &empty, p->order.item + first, n, score, err);
    for (uint32_t i = 0; ok && i < n; i++)
        ok = add_single(st, p->order.item[first + i], &score[i], err);
    free(score);
    if (!ok)
        return false;
    const uint32_t singles = p->tribes + 1;
    qsort(st->set + singles, st->sets - singles, sizeof *st->set, by_lead);
    if (st->sets > singles + p->pool && !snn_search_sets(st, singles + p->pool, err))
        return false;
    st->reg[GENETIC_NEXT] = first + n;
    *over = first + n == p->order.n;
    return !*over || close_pool(st, p->tribes, err);
}
