/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What greedy search does where no single bit improves (loss, lead), which happens because spike counts are whole numbers: it tries the next 2, 4, ... bits of each rule's order together (of every
 * output class, of all candidates), and all pairs of the most promising bits, and takes what improves most by
 * bit.
 * Else, and when the goal is met, it starts again (iterated greedy, Ruiz and Stuetzle 2007, doi:10.1016/j.ejor.2005.12.009), in turn from a random part of the best set so far and from the first bits
 * of one of the orders.
 */
#include "greedy.h"

#include <stdlib.h>

enum {
    PAIRED = 48,      /* promising bits of which all pairs are tried */
    MOST_NEXT = 4096, /* next bits of an order */
    FAR_LESS = 8,
    /* Restarts in a row without a better set, and in all; while the goal is not met, and to save bits once it is. */
    RESTARTS_UNMET = 12,
    ALL_UNMET = 40,
    RESTARTS_MET = 6,
    ALL_MET = 18
};

typedef struct {
    snn_set *set; /* [n] */
    uint32_t n;
    size_t capacity;
} trials;

static void trials_free(trials *t) {
    for (uint32_t i = 0; i < t->n; i++)
        snn_set_free(&t->set[i]);
    free(t->set);
}

/* One more trial: a copy of `from`. */
static snn_set *more(trials *t, const snn_set *from, snn_error *err) {
    if (!snn_grow((void **)&t->set, &t->capacity, (size_t)t->n + 1, sizeof *t->set, err))
        return NULL;
    snn_set *s = &t->set[t->n++];
    *s = (snn_set){0};
    return snn_set_copy(s, from, err) ? s : NULL;
}

static bool add_pairs(const snn_search_state *st, trials *t, snn_error *err) {
    const uint32_t n = st->sets - SINGLES < PAIRED ? st->sets - SINGLES : PAIRED;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = a + 1; b < n; b++) {
            snn_set *s = more(t, &st->set[CURRENT], err);
            if (!s || !snn_set_add(s, st->set[SINGLES + a].item[0], err) ||
                !snn_set_add(s, st->set[SINGLES + b].item[0], err))
                return false;
        }
    return true;
}

/* The current set with the next 2, 4, ... bits of an order that go with it. */
static bool add_next(snn_search_job *job, const uint32_t *order, uint32_t n, trials *t, snn_error *err) {
    const snn_set *current = &job->state->set[CURRENT];
    uint32_t added = 0;
    snn_set grown = {0};
    bool ok = snn_set_copy(&grown, current, err);
    snn_placer_load(job->placer, current);
    for (uint32_t i = 0; ok && i < n && added < MOST_NEXT; i++) {
        if (!snn_placer_add(job->placer, order[i]))
            continue;
        ok = snn_set_add(&grown, order[i], err);
        added++;
        if (ok && added > 1 && (added & (added - 1)) == 0)
            ok = more(t, &grown, err) != NULL;
    }
    snn_set_free(&grown);
    return ok;
}

/* Does a lower the loss more than b, by added bit? The lead decides between equal ones. */
static bool earns_more(const snn_set *from, const snn_set *a, const snn_set *b) {
    const double more_a = a->n - from->n, more_b = b->n - from->n;
    const double loss_a = (from->score.loss - a->score.loss) * more_b,
                 loss_b = (from->score.loss - b->score.loss) * more_a;
    if (loss_a != loss_b)
        return loss_a > loss_b;
    return (from->score.lead - a->score.lead) * more_b > (from->score.lead - b->score.lead) * more_a;
}

/* A leap whose bits earn far less than those of the best set is left for when restarts do not help either. */
static bool worth(const snn_search_job *job, const snn_set *to) {
    const snn_search_state *st = job->state;
    const snn_set *from = &st->set[CURRENT], *empty = &st->front[0], *best = &st->set[KEPT];
    const double earned = best->n > 0 ? (empty->score.loss - best->score.loss) / best->n : 0;
    return st->reg[RESTARTS] >= RESTARTS_UNMET / 2 ||
           (from->score.loss - to->score.loss) * FAR_LESS >= earned * (to->n - from->n);
}

/* Several bits at once. */
bool snn_greedy_leap(snn_search_job *job, bool *moved, snn_error *err) {
    const snn_greedy_plan *p = job->own;
    const snn_set *current = &job->state->set[CURRENT];
    trials t = {0};
    bool ok = add_pairs(job->state, &t, err);
    for (uint32_t i = 0; ok && i < p->lists; i++)
        ok = add_next(job, p->list[i], p->length[i], &t, err);
    ok = ok && snn_search_score(job, t.set, t.n, err);
    const snn_set *best = NULL;
    for (uint32_t i = 0; ok && i < t.n; i++)
        if (snn_score_less(&t.set[i].score, &current->score) && worth(job, &t.set[i]) &&
            (!best || earns_more(current, &t.set[i], best)))
            best = &t.set[i];
    *moved = ok && best;
    if (*moved)
        ok = snn_greedy_become(job, best, err);
    trials_free(&t);
    return ok;
}

/* Each bit of the best set with a probability that is itself drawn between a half and one. */
static bool part_of_best(snn_search_job *job, snn_set *out, snn_error *err) {
    const snn_set *best = &job->state->set[KEPT];
    snn_random r;
    snn_search_random(job, 0, &r);
    const double share = 0.5 + 0.5 * snn_random_uniform(&r);
    bool ok = true;
    for (uint32_t i = 0; ok && i < best->n; i++)
        if (snn_random_uniform(&r) < share)
            ok = snn_set_add(out, best->item[i], err);
    return ok;
}

/* The first bits of an order that go together, half as many as the best set has. */
static bool part_of_order(snn_search_job *job, uint32_t list, snn_set *out, snn_error *err) {
    const snn_greedy_plan *p = job->own;
    bool ok = true;
    snn_placer_clear(job->placer);
    for (uint32_t i = 0; ok && i < p->length[list] && out->n < job->state->set[KEPT].n / 2; i++)
        if (snn_placer_add(job->placer, p->list[list][i]))
            ok = snn_set_add(out, p->list[list][i], err);
    return ok;
}

bool snn_greedy_restart(snn_search_job *job, bool *moved, snn_error *err) {
    const snn_greedy_plan *p = job->own;
    snn_search_state *st = job->state;
    *moved = false;
    const bool met = snn_score_met(&st->set[KEPT].score);
    if (st->set[KEPT].n == 0 || st->reg[RESTARTS] >= (met ? RESTARTS_MET : RESTARTS_UNMET) ||
        st->reg[ALL_RESTARTS] >= (met ? ALL_MET : ALL_UNMET))
        return true;
    st->reg[RESTARTS]++;
    st->reg[IDLE] = 0;
    const uint64_t turn = st->reg[ALL_RESTARTS]++;
    snn_set from = {0};
    bool ok = turn % 2 == 0 ? part_of_best(job, &from, err)
                            : part_of_order(job, (uint32_t)(turn / 2 % p->lists), &from, err);
    ok = ok && snn_search_score(job, &from, 1, err) && snn_greedy_become(job, &from, err);
    snn_set_free(&from);
    *moved = ok;
    return ok;
}
