/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children of the best sets (a memetic algorithm: Moscato 1989): what both parents have, half of what one has, less some of it by chance; then bit by bit back to the goal with the best of
 * what is looked at, and everything out that is not needed. Both by exact evaluation, so that each child is 1-minimal. It takes the place of the worst when it is better.
 */
#include "genetic.h"

#include <string.h>

enum { TOURNAMENT = 2, SLACK = 3 /* bits beyond the worse parent, after which a child is given up */ };
/* Share of its bits that a child loses: drawn anew for each. */
#define LEAST_LOSS 0.05
#define MOST_LOSS 0.35

static uint32_t first_person(const snn_genetic_plan *p) {
    return p->tribes + 1;
}

static uint32_t kin(const snn_search_state *st, uint32_t person) {
    return (uint32_t)(st->reg[GENETIC_KIN] >> (4 * person) & 15);
}

static void set_kin(snn_search_state *st, uint32_t person, uint32_t tribe) {
    st->reg[GENETIC_KIN] &= ~(UINT64_C(15) << (4 * person));
    st->reg[GENETIC_KIN] |= (uint64_t)tribe << (4 * person);
}

/* ---- the first population: what the tribes came to ---- */

bool snn_genetic_breed_start(snn_search_job *job, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    uint32_t n = 0, order[SNN_TRIBES];
    for (uint32_t i = 0; i < p->tribes; i++)
        if (st->reg[GENETIC_ALIVE] >> i & 1 && st->set[i].n > 0)
            order[n++] = i;
    if (!snn_search_sets(st, first_person(p) + p->people, err))
        return false;
    for (uint32_t i = 0; i < p->people && n > 0; i++) {
        snn_set *s = &st->set[first_person(p) + i];
        if (!snn_set_copy(s, &st->set[order[i % n]], err) ||
            (snn_score_met(&s->score) && i < n && !snn_genetic_prune(job, s, err)))
            return false;
        set_kin(st, i, order[i % n]);
    }
    /* Repeats of the first ones are worse than any child. */
    for (uint32_t i = n; i < p->people && n > 0; i++)
        if (!snn_set_copy(&st->set[first_person(p) + i], &st->set[first_person(p) + i % n], err))
            return false;
    return true;
}

/* ---- a child ---- */

static uint32_t pick(const snn_search_job *job, snn_random *r) {
    const snn_genetic_plan *p = job->own;
    const snn_set *person = job->state->set + first_person(p);
    uint32_t best = snn_random_below(r, p->people);
    for (int i = 1; i < TOURNAMENT; i++) {
        const uint32_t other = snn_random_below(r, p->people);
        if (snn_set_better(&person[other], &person[best]))
            best = other;
    }
    return best;
}

/* Each bit that both have stays, of the others half; then a share is lost. */
static bool mate(const snn_set *a, const snn_set *b, snn_random *r, snn_set *child, snn_error *err) {
    uint32_t *item = snn_alloc((size_t)a->n + b->n, sizeof *item, "bits of a child", err), n = 0;
    if (!item)
        return false;
    const double loss = LEAST_LOSS + (MOST_LOSS - LEAST_LOSS) * snn_random_uniform(r);
    uint32_t i = 0, k = 0;
    while (i < a->n || k < b->n) {
        const bool in_a = i < a->n && (k == b->n || a->item[i] <= b->item[k]);
        const bool in_b = k < b->n && (i == a->n || b->item[k] <= a->item[i]);
        const bool inherited = (in_a && in_b) || snn_random_uniform(r) < 0.5;
        const bool lost = snn_random_uniform(r) < loss;
        if (inherited && !lost)
            item[n++] = in_a ? a->item[i] : b->item[k];
        i += in_a;
        k += in_b;
    }
    const bool ok = snn_set_assign(child, item, n, err);
    free(item);
    return ok;
}

/* What a child may take up: its class's row, what the population has, some of the pool. */
static uint32_t gather(const snn_search_job *job, uint32_t tribe, snn_random *r, uint32_t *item) {
    const snn_genetic_plan *p = job->own;
    const snn_search_state *st = job->state;
    const snn_set *pool = &st->set[p->tribes];
    uint32_t n = 0;
    for (; n < p->row[tribe].n; n++)
        item[n] = p->row[tribe].item[n];
    for (uint32_t i = 0; i < p->people; i++)
        for (uint32_t k = 0; k < st->set[first_person(p) + i].n; k++)
            item[n++] = st->set[first_person(p) + i].item[k];
    for (uint32_t i = 0; i < p->look && pool->n > 0; i++)
        item[n++] = pool->item[snn_random_below(r, pool->n)];
    return n;
}

static size_t room(const snn_search_job *job, uint32_t tribe) {
    const snn_genetic_plan *p = job->own;
    size_t n = (size_t)p->row[tribe].n + p->look;
    for (uint32_t i = 0; i < p->people; i++)
        n += job->state->set[first_person(p) + i].n;
    return n;
}

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Without repeats; what is in the row stands there only. */
static uint32_t unique(uint32_t *item, uint32_t row, uint32_t n) {
    qsort(item + row, n - row, sizeof *item, by_number);
    uint32_t kept = row;
    for (uint32_t i = row; i < n; i++)
        if (kept == row || item[i] != item[kept - 1])
            item[kept++] = item[i];
    return kept;
}

/* Adds bits until the goal is met; *ok: was it, with at most `most` bits? */
static bool repair(snn_search_job *job, uint32_t tribe, snn_random *r, snn_set *child, uint32_t most,
                   bool *met, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    uint32_t *item = snn_alloc(2 * room(job, tribe), sizeof *item, "bits to look at", err);
    if (!item)
        return false;
    const uint32_t row = p->row[tribe].n, n = unique(item, row, gather(job, tribe, r, item));
    uint32_t *now = item + n;
    bool ok = true, added = true;
    *met = false;
    while (ok && added && !*met && child->n < most) {
        memcpy(now, item, n * sizeof *item);
        ok = snn_genetic_add(job, tribe, child, now, n, row, &added, err);
        *met = ok && snn_score_met(&child->score);
    }
    free(item);
    return ok;
}

/* Removes the one bit that can go and leaves most damage; *removed: is there one? */
static bool prune_one(snn_search_job *job, snn_set *s, bool *removed, snn_error *err) {
    snn_score *score = snn_alloc(s->n, sizeof *score, "scores of removals", err);
    const bool ok = score && snn_search_score_toggles(job, s, s->item, s->n, score, err);
    uint32_t best = s->n;
    for (uint32_t i = 0; ok && i < s->n; i++)
        if (snn_score_met(&score[i]) && (best == s->n || score[i].lead < score[best].lead))
            best = i;
    *removed = best < s->n;
    if (*removed) {
        const snn_score its = score[best];
        snn_set_remove(s, s->item[best]);
        s->score = its;
        s->scored = true;
    }
    free(score);
    return ok;
}

bool snn_genetic_prune(snn_search_job *job, snn_set *s, snn_error *err) {
    bool removed = true;
    while (removed)
        if (!prune_one(job, s, &removed, err))
            return false;
    return true;
}

bool snn_genetic_thin(snn_search_job *job, snn_set *s, snn_error *err) {
    snn_score *score = snn_alloc(s->n, sizeof *score, "scores of removals", err);
    bool ok = score && snn_search_score_toggles(job, s, s->item, s->n, score, err);
    if (ok && s->n > 0) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < s->n; i++)
            if (snn_score_less(&score[i], &score[best]))
                best = i;
        const snn_score its = score[best];
        snn_set_remove(s, s->item[best]);
        s->score = its;
        s->scored = true;
    }
    free(score);
    return ok;
}

/* The child takes the place of the worst, if it is better and not there yet. */
static bool settle(snn_search_job *job, const snn_set *child, uint32_t tribe, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    snn_set *person = st->set + first_person(p);
    uint32_t worst = 0;
    for (uint32_t i = 0; i < p->people; i++) {
        if (!snn_set_better(child, &person[i]) && !snn_set_better(&person[i], child))
            return true; /* the same set */
        if (i > 0 && !snn_set_better(&person[i], &person[worst]))
            worst = i;
    }
    if (!snn_set_better(child, &person[worst]))
        return true;
    set_kin(st, worst, tribe);
    return snn_set_copy(&person[worst], child, err);
}

bool snn_genetic_breed(snn_search_job *job, bool *over, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    const uint32_t bits = st->best.n;
    const bool was_met = snn_score_met(&st->best.score);
    const double loss = st->best.score.loss;
    snn_random r;
    snn_search_random(job, 0, &r);
    const uint32_t a = pick(job, &r), tribe = kin(st, a);
    uint32_t b = pick(job, &r);
    if (kin(st, b) != tribe) /* two classes at once cost more than one */
        b = a;
    snn_set child = {0};
    const snn_set *x = &st->set[first_person(p) + a], *y = &st->set[first_person(p) + b];
    const uint32_t most = (x->n > y->n ? x->n : y->n) + SLACK;
    bool met = false;
    bool ok = mate(x, y, &r, &child, err) && repair(job, tribe, &r, &child, most, &met, err) &&
              (!met || snn_genetic_prune(job, &child, err)) &&
              (!child.scored || settle(job, &child, tribe, err));
    snn_set_free(&child);
    const bool better = st->best.n < bits || (!was_met && st->best.score.loss < loss);
    st->reg[GENETIC_IDLE] = better ? 0 : st->reg[GENETIC_IDLE] + 1;
    st->reg[GENETIC_CHILDREN]++;
    *over = st->reg[GENETIC_IDLE] >= p->idle || st->reg[GENETIC_CHILDREN] >= p->children;
    return ok;
}
