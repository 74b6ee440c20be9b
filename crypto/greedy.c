/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Greedy search: adds the bit that leaves the smallest (loss, lead), one after the other.
 *
 *     candidates ──screen (only when there are many)──▶ pool ──each step: evaluate, add the best──▶ goal met
 *
 * Exact: with up to EXACT candidates in a network of linear layers every step evaluates all of them.
 * Screened: of more candidates those with the largest change x input rate are evaluated alone (SCREENED at most), and the POOL best stay.
 * Lazy: with convolutions, where an evaluation is dear, or with a pool, a step evaluates the pool in the order of the gains that were last seen (Minoux's accelerated greedy), until none of the rest
 * was as good as what was found; gains are not bounds here, so that a part of the pool is evaluated anew in each step whatever it was seen to gain.
 * Stuck: where no bit improves (loss, lead), the best pairs of promising bits are tried; where no pair does, the best bit is added all the same. After STUCK such steps in a row the search ends.
 */
#include "order.h"

#include <math.h>
#include <snnsim/probe.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT = 16384,
    SCREENED = 1 << 18,
    POOL = 4096,
    SCREEN_BLOCK = 8192, /* evaluations of a step of screening */
    LAZY_BLOCK = 64,     /* evaluated at once */
    REFRESH = 16,        /* that part of the pool is evaluated in each step in any case */
    PAIRED = 48,         /* promising bits of which all pairs are tried */
    STUCK = 8
};

/* Sets of the state: the current set, then single candidates, the pool. The score of a single candidate is the gain that was last seen: (loss, lead) before less after it was added. */
enum { CURRENT, SINGLES };
/* Registers. */
enum {
    SCREEN_NEXT,
    SCREENING,
    FORCED
}; /* next of the order to screen; is it still? ; steps in a row without gain */

typedef struct {
    uint32_t *order; /* [n] candidates to screen; NULL: all are in the pool */
    uint32_t n;
    bool lazy;
} plan;

/* ---- plan: follows from candidates and network ---- */

static bool convolves(const snn_net *net) {
    for (int i = 0; i < net->layers; i++)
        if (net->layer[i].type == SNN_LAYER_CONV2D)
            return true;
    return false;
}

static void close_plan(snn_search_job *job) {
    plan *p = job->own;
    if (p)
        free(p->order);
    free(p);
    job->own = NULL;
}

static bool open_plan(snn_search_job *job, snn_error *err) {
    const uint32_t all = job->candidates->n;
    plan *p = job->own = snn_alloc(1, sizeof *p, "a plan", err);
    if (!p)
        return false;
    p->lazy = all > EXACT || convolves(snn_objective_net(job->objective));
    p->n = all;
    if (all <= EXACT)
        return true;
    p->order = snn_alloc(all, sizeof *p->order, "an order of candidates", err);
    if (!p->order || !snn_saliency_order(job, SNN_RULE_RATE, -1, p->order, NULL, &p->n, err))
        return false;
    p->n = p->n < SCREENED ? p->n : SCREENED;
    return true;
}

/* ---- the pool ---- */

static bool add_single(snn_search_job *job, uint32_t item, snn_score gain, snn_error *err) {
    snn_search_state *st = job->state;
    if (!snn_search_sets(st, st->sets + 1, err))
        return false;
    snn_set *s = &st->set[st->sets - 1];
    s->score = gain;
    s->scored = true;
    return snn_set_add(s, item, err) && ((s->scored = true), true);
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

static void sort_pool(snn_search_state *st) {
    if (st->sets > SINGLES + 1)
        qsort(st->set + SINGLES, st->sets - SINGLES, sizeof *st->set, by_gain);
}

static bool start(snn_search_job *job, snn_error *err) {
    const plan *p = job->own;
    snn_search_state *st = job->state;
    if (!snn_search_sets(st, SINGLES, err))
        return false;
    st->set[CURRENT].score = st->best.score; /* of the empty set */
    st->set[CURRENT].scored = true;
    st->reg[SCREENING] = p->order != NULL;
    for (uint32_t i = 0; i < p->n && !p->order; i++)
        /* Not seen yet: as if the gain were infinite. */
        if (!add_single(job, i, (snn_score){.loss = INFINITY, .lead = INFINITY}, err))
            return false;
    return true;
}

static bool sound(const snn_search_job *job) {
    const snn_search_state *st = job->state;
    const plan *p = job->own;
    if (st->sets < SINGLES || st->reg[SCREENING] > 1 || st->reg[SCREEN_NEXT] > p->n ||
        (st->reg[SCREENING] && !p->order) || !st->set[CURRENT].scored)
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
    const plan *p = job->own;
    snn_search_state *st = job->state;
    const uint32_t end = st->sets;
    if (!p->lazy) {
        if (!look_at(job, SINGLES, end, err))
            return false;
        sort_pool(st);
        return true;
    }
    sort_pool(st);
    uint32_t seen = SINGLES;
    while (seen < end) {
        const uint32_t to = end - seen < LAZY_BLOCK ? end : seen + LAZY_BLOCK;
        if (!look_at(job, seen, to, err))
            return false;
        seen = to;
        if (seen < end && by_gain(&st->set[best_single(st, SINGLES, seen)], &st->set[seen]) < 0)
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

/* Takes single i into the current set, whose score then is `score`. */
static bool take(snn_search_job *job, uint32_t i, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t item = st->set[i].item[0];
    const snn_set last = st->set[i];
    memmove(st->set + i, st->set + i + 1, (st->sets - i - 1) * sizeof *st->set);
    st->set[st->sets - 1] = last;
    return snn_search_sets(st, st->sets - 1, err) && snn_set_add(&st->set[CURRENT], item, err);
}

/* The best pair of the first PAIRED singles: *i < *k, if it improves on the current set. */
static bool best_pair(snn_search_job *job, uint32_t *i, uint32_t *k, bool *found, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t n = st->sets - SINGLES < PAIRED ? st->sets - SINGLES : PAIRED;
    const uint32_t pairs = n * (n - 1) / 2;
    snn_set *set = snn_alloc(pairs, sizeof *set, "pairs of candidates", err);
    bool ok = set != NULL;
    uint32_t at = 0, best = pairs;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = a + 1; ok && b < n; b++, at++)
            ok = snn_set_copy(&set[at], &st->set[CURRENT], err) &&
                 snn_set_add(&set[at], st->set[SINGLES + a].item[0], err) &&
                 snn_set_add(&set[at], st->set[SINGLES + b].item[0], err);
    ok = ok && snn_search_score(job, set, pairs, err);
    for (uint32_t p = 0; ok && p < pairs; p++)
        if (snn_score_less(&set[p].score, &st->set[CURRENT].score) &&
            (best == pairs || snn_score_less(&set[p].score, &set[best].score)))
            best = p;
    *found = ok && best < pairs;
    at = 0;
    for (uint32_t a = 0; *found && a < n; a++)
        for (uint32_t b = a + 1; b < n; b++, at++)
            if (at == best) {
                *i = SINGLES + a;
                *k = SINGLES + b;
            }
    for (uint32_t p = 0; set && p < pairs; p++)
        snn_set_free(&set[p]);
    free(set);
    return ok;
}

static bool improves(const snn_score *gain) {
    return gain->loss > 0 || (gain->loss == 0 && gain->lead > 0);
}

/* Adds one bit, or two. */
static bool grow(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    uint32_t i = 0, k = 0;
    bool found = false;
    if (!improves(&st->set[SINGLES].score)) {
        if (!best_pair(job, &i, &k, &found, err))
            return false;
        st->reg[FORCED] = found ? 0 : st->reg[FORCED] + 1;
    } else {
        st->reg[FORCED] = 0;
    }
    const bool ok = found ? take(job, k, err) && take(job, i, err) : take(job, SINGLES, err);
    /* Scored again: a set costs next to nothing beside what chose it. */
    return ok && snn_search_score(job, &st->set[CURRENT], 1, err);
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t most = job->options->most_bits;
    if (st->reg[SCREENING])
        return screen(job, err);
    if (st->sets == SINGLES || (most > 0 && st->set[CURRENT].n >= most)) {
        *done = true;
        return true;
    }
    if (!look(job, err))
        return false;
    if (isinf(st->set[SINGLES].score.loss)) { /* none may be added */
        *done = true;
        return true;
    }
    if (!grow(job, err))
        return false;
    *done = snn_score_met(&st->set[CURRENT].score) || st->reg[FORCED] >= STUCK ||
            isinf(st->set[CURRENT].score.loss);
    return true;
}

const snn_searcher snn_searcher_greedy = {
    .name = "greedy", .open = open_plan, .close = close_plan, .start = start, .sound = sound, .step = step};
