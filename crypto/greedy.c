/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Greedy search: adds the bit that leaves the smallest (loss, lead), one after the other.
 *
 *     candidates ──screen (only when there are many)──▶ pool ──each step: evaluate, add the best──▶ goal met
 *
 * Screened: of more than EXACT candidates those with the largest change x input rate are evaluated alone (SCREENED at most), and the POOL best stay. Fewer are all in the pool.
 * Lazy: a step evaluates the pool in the order of the gains that were last seen (Minoux's accelerated greedy), until none of the rest was as good as what was found. Gains are not bounds here, so
 * that a part of the rest is evaluated anew in each step whatever it was seen to gain. Evaluating the whole pool in every step took ten times as many evaluations and found no smaller sets (N-MNIST,
 * output layer, six searches).
 * Bits that have become harmful are taken out again. Where nothing helps, and when the goal is met: greedy_stuck.c starts again from a part of what was found, to find something better.
 */
#include "greedy.h"
#include "order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT = 16384,
    SCREENED = 1 << 18,
    POOL = 4096,
    SCREEN_BLOCK = 8192, /* evaluations of a step of screening */
    LAZY_BLOCK = 64,     /* evaluated at once */
    REFRESH = 16,        /* that part of the pool is evaluated in each step in any case */
    LISTED = 4096,       /* of each order, for when it is stuck */
    MOST_IDLE = 12       /* bits in a row that lower the lead alone */
};

typedef snn_greedy_plan plan;

/* ---- plan: follows from candidates and network ---- */

static void close_plan(snn_search_job *job) {
    plan *p = job->own;
    if (!p)
        return;
    for (uint32_t i = 0; p->list && i < p->lists; i++)
        free(p->list[i]);
    free(p->list);
    free(p->length);
    free(p->order);
    free(p);
    job->own = NULL;
}

/* List i: of class i, where output weights are candidates; the last two by rate and by magnitude, over all. */
static bool make_list(const snn_objective *o, const snn_rates *rates, plan *p, uint32_t i, uint32_t *order,
                      snn_error *err) {
    const snn_saliency_rule rule = i + 2 < p->lists   ? SNN_RULE_CLASS_RATE
                                   : i + 1 < p->lists ? SNN_RULE_RATE
                                                      : SNN_RULE_MAGNITUDE;
    if (!snn_rates_order(rates, o, rule, (int)i, order, NULL, &p->length[i], err))
        return false;
    if (rule == SNN_RULE_RATE && p->order) {
        p->n = p->length[i] < SCREENED ? p->length[i] : SCREENED;
        memcpy(p->order, order, p->n * sizeof *order);
    }
    if (p->length[i] > LISTED)
        p->length[i] = LISTED;
    p->list[i] = snn_alloc(p->length[i], sizeof *order, "an order of candidates", err);
    if (p->list[i])
        memcpy(p->list[i], order, p->length[i] * sizeof *order);
    return p->list[i] != NULL;
}

static bool make_lists(const snn_objective *o, const snn_rates *rates, plan *p, snn_error *err) {
    p->lists = (snn_rules_have_classes(o) ? snn_objective_net(o)->classes : 0) + 2;
    uint32_t *order = snn_alloc(p->n, sizeof *order, "an order of candidates", err);
    p->list = order ? snn_alloc(p->lists, sizeof *p->list, "orders of candidates", err) : NULL;
    p->length = p->list ? snn_alloc(p->lists, sizeof *p->length, "orders of candidates", err) : NULL;
    bool ok = p->length != NULL;
    for (uint32_t i = 0; ok && i < p->lists; i++)
        ok = make_list(o, rates, p, i, order, err);
    free(order);
    return ok;
}

static bool open_plan(snn_search_job *job, snn_error *err) {
    const uint32_t all = job->candidates->n;
    plan *p = job->own = snn_alloc(1, sizeof *p, "a plan", err);
    snn_rates rates;
    if (!p || !snn_rates_new(&rates, job->objective, err))
        return false;
    p->n = all;
    if (all > EXACT)
        p->order = snn_alloc(all, sizeof *p->order, "an order of candidates", err);
    const bool ok = (all <= EXACT || p->order) && make_lists(job->objective, &rates, p, err);
    snn_rates_free(&rates);
    return ok;
}

/* ---- the pool ---- */

/* As if the gain were infinite. */
static const snn_score unseen = {.loss = INFINITY, .lead = INFINITY};

static bool add_single(snn_search_job *job, uint32_t item, snn_score gain, snn_error *err) {
    snn_search_state *st = job->state;
    if (!snn_search_sets(st, st->sets + 1, err))
        return false;
    snn_set *s = &st->set[st->sets - 1];
    if (!snn_set_add(s, item, err))
        return false;
    s->score = gain;
    s->scored = true;
    return true;
}

static snn_score gain_of(const snn_score *before, const snn_score *after) {
    /* Refused toggles have infinite scores: their gain is minus infinite. */
    return (snn_score){.loss = before->loss - after->loss, .lead = before->lead - after->lead};
}

/* Larger gain first; then the lower candidate. */
static int by_gain(const void *a, const void *b) {
    const snn_set *x = a, *y = b;
    if (x->score.loss != y->score.loss)
        return x->score.loss > y->score.loss ? -1 : 1;
    if (x->score.lead != y->score.lead)
        return x->score.lead > y->score.lead ? -1 : 1;
    return (x->item[0] > y->item[0]) - (x->item[0] < y->item[0]);
}

static bool gains_more(const snn_score *a, const snn_score *b) {
    return a->loss != b->loss ? a->loss > b->loss : a->lead > b->lead;
}

static void sort_pool(snn_search_state *st) {
    if (st->sets > SINGLES + 1)
        qsort(st->set + SINGLES, st->sets - SINGLES, sizeof *st->set, by_gain);
}

static bool start(snn_search_job *job, snn_error *err) {
    const plan *p = job->own;
    snn_search_state *st = job->state;
    if (!snn_search_sets(st, SINGLES, err))
        return false;
    if (!snn_set_copy(&st->set[CURRENT], &st->best, err) || /* the empty set */
        !snn_set_copy(&st->set[KEPT], &st->best, err))
        return false;
    st->reg[SCREENING] = p->order != NULL;
    for (uint32_t i = 0; i < p->n && !p->order; i++)
        if (!add_single(job, i, unseen, err))
            return false;
    return true;
}

static bool sound(const snn_search_job *job) {
    const snn_search_state *st = job->state;
    const plan *p = job->own;
    if (st->sets < SINGLES || st->reg[SCREENING] > 1 || st->reg[SCREEN_NEXT] > p->n ||
        (st->reg[SCREENING] && !p->order) || !st->set[CURRENT].scored || !st->set[KEPT].scored)
        return false;
    for (uint32_t i = SINGLES; i < st->sets; i++)
        if (st->set[i].n != 1)
            return false;
    return true;
}

/* Scores of the current set with each of item [n] toggled. */
static snn_score *score_items(snn_search_job *job, const uint32_t *item, uint32_t n, snn_error *err) {
    snn_score *score = snn_alloc(n, sizeof *score, "scores of candidates", err);
    if (score && !snn_search_score_toggles(job, &job->state->set[CURRENT], item, n, score, err)) {
        free(score);
        score = NULL;
    }
    return score;
}

/* One block of the order; at the end of it the pool is complete. */
static bool screen(snn_search_job *job, snn_error *err) {
    const plan *p = job->own;
    snn_search_state *st = job->state;
    const uint32_t first = (uint32_t)st->reg[SCREEN_NEXT],
                   n = p->n - first < SCREEN_BLOCK ? p->n - first : SCREEN_BLOCK;
    snn_score *score = score_items(job, p->order + first, n, err);
    bool ok = score != NULL;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = add_single(job, p->order[first + i], gain_of(&st->set[CURRENT].score, &score[i]), err);
    free(score);
    if (!ok)
        return false;
    sort_pool(st);
    st->reg[SCREEN_NEXT] += n;
    st->reg[SCREENING] = st->reg[SCREEN_NEXT] < p->n;
    return st->sets <= SINGLES + POOL || snn_search_sets(st, SINGLES + POOL, err);
}

/* ---- one bit more ---- */

/* Evaluates singles [first, end), notes their gains. */
static bool look_at(snn_search_job *job, uint32_t first, uint32_t end, snn_error *err) {
    snn_search_state *st = job->state;
    uint32_t *item = snn_alloc(end - first, sizeof *item, "candidates", err);
    if (!item)
        return false;
    for (uint32_t i = first; i < end; i++)
        item[i - first] = st->set[i].item[0];
    snn_score *score = score_items(job, item, end - first, err);
    for (uint32_t i = first; score && i < end; i++)
        st->set[i].score = gain_of(&st->set[CURRENT].score, &score[i - first]);
    free(item);
    free(score);
    return score != NULL;
}

static uint32_t best_single(const snn_search_state *st, uint32_t first, uint32_t end) {
    uint32_t best = first;
    for (uint32_t i = first + 1; i < end; i++)
        if (by_gain(&st->set[i], &st->set[best]) < 0)
            best = i;
    return best;
}

/* Looks at as much of the pool as it takes; afterwards the pool is sorted, what was found best first. */
static bool look(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t end = st->sets;
    sort_pool(st);
    uint32_t seen = SINGLES;
    while (seen < end) {
        const uint32_t to = end - seen < LAZY_BLOCK ? end : seen + LAZY_BLOCK;
        if (!look_at(job, seen, to, err))
            return false;
        seen = to;
        if (seen < end && !gains_more(&st->set[seen].score, &st->set[best_single(st, SINGLES, seen)].score))
            break;
    }
    /* A part of the rest, another one each time. */
    const uint32_t rest = end - seen, part = rest / REFRESH + (rest % REFRESH > 0),
                   from = seen + (uint32_t)(st->step % REFRESH) * part;
    if (from < end && !look_at(job, from, end - from < part ? end : from + part, err))
        return false;
    /* What was not looked at may stand higher with what was seen before than it is worth now: the best is one that was. */
    uint32_t best = best_single(st, SINGLES, seen);
    if (from < end) {
        const uint32_t other = best_single(st, from, end - from < part ? end : from + part);
        best = by_gain(&st->set[other], &st->set[best]) < 0 ? other : best;
    }
    const snn_set t = st->set[SINGLES];
    st->set[SINGLES] = st->set[best];
    st->set[best] = t;
    return true;
}

static void remove_single(snn_search_state *st, uint32_t i) {
    const snn_set last = st->set[i];
    memmove(st->set + i, st->set + i + 1, (st->sets - i - 1) * sizeof *st->set);
    st->set[st->sets - 1] = last;
}

bool snn_greedy_take(snn_search_job *job, uint32_t item, snn_error *err) {
    snn_search_state *st = job->state;
    uint32_t i = SINGLES;
    while (i < st->sets && st->set[i].item[0] != item)
        i++;
    if (i < st->sets) {
        remove_single(st, i);
        if (!snn_search_sets(st, st->sets - 1, err))
            return false;
    }
    return snn_set_add(&st->set[CURRENT], item, err);
}

bool snn_greedy_drop(snn_search_job *job, uint32_t item, snn_error *err) {
    snn_set_remove(&job->state->set[CURRENT], item);
    return add_single(job, item, unseen, err);
}

bool snn_greedy_become(snn_search_job *job, const snn_set *to, snn_error *err) {
    snn_search_state *st = job->state;
    for (uint32_t i = st->set[CURRENT].n; i-- > 0;)
        if (!snn_set_has(to, st->set[CURRENT].item[i]) &&
            !snn_greedy_drop(job, st->set[CURRENT].item[i], err))
            return false;
    for (uint32_t i = 0; i < to->n; i++)
        if (!snn_set_has(&st->set[CURRENT], to->item[i]) && !snn_greedy_take(job, to->item[i], err))
            return false;
    st->set[CURRENT].score = to->score;
    st->set[CURRENT].scored = to->scored;
    return true;
}

/* Takes out the bit without which the current set does most damage, if that is more than with it, or if the goal stays met. */
static bool shrink(snn_search_job *job, bool *shrunk, snn_error *err) {
    const snn_set *current = &job->state->set[CURRENT];
    const uint32_t n = current->n;
    snn_score *score = score_items(job, current->item, n, err);
    if (!score)
        return false;
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (snn_score_less(&score[i], &score[best]))
            best = i;
    *shrunk = n > 0 && (snn_score_met(&score[best]) || snn_score_less(&score[best], &current->score));
    bool ok = true;
    if (*shrunk) {
        ok = snn_greedy_drop(job, current->item[best], err);
        job->state->set[CURRENT].score = score[best];
        job->state->set[CURRENT].scored = true;
    }
    free(score);
    return ok;
}

static bool improves(const snn_score *gain) {
    return gain->loss > 0 || (gain->loss == 0 && gain->lead > 0);
}

/* Is the current set too large to become better than the best one? Sets shrink again at the end. */
static bool hopeless(const snn_search_state *st) {
    const snn_set *kept = &st->set[KEPT];
    return snn_score_met(&kept->score) && st->set[CURRENT].n > kept->n + kept->n / 8 + 4;
}

/* Adds the best bit, or several, or starts again from a part of what was found; *done: nothing is left to try. */
static bool grow(snn_search_job *job, bool *done, snn_error *err) {
    snn_search_state *st = job->state;
    bool moved = false;
    if (!snn_score_met(&st->set[CURRENT].score) && !hopeless(st)) {
        if (!look(job, err))
            return false;
        if (st->sets > SINGLES && improves(&st->set[SINGLES].score) && st->reg[IDLE] < MOST_IDLE) {
            st->reg[IDLE] = st->set[SINGLES].score.loss > 0 ? 0 : st->reg[IDLE] + 1;
            /* Scored again: a set costs next to nothing beside what chose it. */
            return snn_greedy_take(job, st->set[SINGLES].item[0], err) &&
                   snn_search_score(job, &st->set[CURRENT], 1, err);
        }
        if (!snn_greedy_leap(job, &moved, err))
            return false;
    }
    if (!moved && !snn_greedy_restart(job, &moved, err))
        return false;
    *done = !moved;
    return true;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    snn_search_state *st = job->state;
    if (st->reg[SCREENING])
        return screen(job, err);
    bool shrunk = false;
    if (!shrink(job, &shrunk, err) || (!shrunk && !grow(job, done, err)))
        return false;
    const snn_set *current = &st->set[CURRENT], *kept = &st->set[KEPT];
    /* A smaller lead alone is no reason to go on. */
    if (current->score.loss < kept->score.loss ||
        (current->score.loss == kept->score.loss && current->n < kept->n))
        st->reg[RESTARTS] = 0;
    return !snn_set_better(current, kept) || snn_set_copy(&st->set[KEPT], current, err);
}

const snn_searcher snn_searcher_greedy = {
    .name = "greedy", .open = open_plan, .close = close_plan, .start = start, .sound = sound, .step = step};
