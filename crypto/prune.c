/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The phase after every search: removes bits from the best set for as long as the goal stays met, so that the result is 1-minimal. Each step evaluates all single removals and keeps
 * the one after which most damage is left (the order of snn_set_better). Before that, while the set is large, whole parts are removed: halves, then quarters, ... of what is there, for as long as one
 * can go (delta debugging: Zeller & Hildebrandt, IEEE TSE 2002), which takes some n log n evaluations instead of n^2 / 2; then all that can go singly is tried together by halves.
 */
#include "search_internal.h"

#include <stdlib.h>

/* Above this, single removals (n^2 / 2 evaluations in all) would take too long. */
enum { LARGE = 96, HALVINGS = 16 };

/* Registers: parts that the set is divided into, and the first of them that is tried next. */
enum { PARTS, NEXT_PART };
enum {
    SMALL_PART = 4, /* parts of fewer bits are not tried */
    TRIED = 32      /* parts in a step */
};

typedef struct {
    double lead;
    uint32_t item;
} removal;

static int by_lead(const void *a, const void *b) {
    const removal *x = a, *y = b;
    if (x->lead != y->lead)
        return x->lead < y->lead ? -1 : 1;
    return (x->item < y->item) - (x->item > y->item);
}

static bool start(snn_search_job *job, snn_error *err) {
    (void)err; /* works on the best set, which the driver keeps */
    job->state->reg[PARTS] = 2;
    return true;
}

static bool sound(const snn_search_job *job) {
    const uint64_t *reg = job->state->reg;
    return reg[PARTS] >= 2 && reg[PARTS] <= UINT32_MAX && reg[NEXT_PART] <= reg[PARTS];
}

/* base without the first k of r: into out. */
static bool without(const snn_set *base, const removal *r, uint32_t k, snn_set *out, snn_error *err) {
    if (!snn_set_copy(out, base, err))
        return false;
    for (uint32_t i = 0; i < k; i++)
        snn_set_remove(out, r[i].item);
    return true;
}

/* Tries to remove the first n, n/2, n/4, ... of r together; what works becomes the best set. */
static bool remove_many(snn_search_job *job, const snn_set *base, const removal *r, uint32_t n,
                        snn_error *err) {
    snn_set trial[HALVINGS] = {0};
    uint32_t trials = 0;
    bool ok = true;
    for (uint32_t k = n; ok && k > 1 && trials < HALVINGS; k /= 2)
        ok = without(base, r, k, &trial[trials++], err);
    ok = ok && snn_search_score(job, trial, trials, err);
    for (uint32_t i = 0; i < HALVINGS; i++)
        snn_set_free(&trial[i]);
    return ok;
}

static bool large_step(snn_search_job *job, const snn_set *base, const snn_score *score, snn_error *err) {
    removal *r = snn_alloc(base->n, sizeof *r, "removals", err);
    if (!r)
        return false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < base->n; i++)
        if (snn_score_met(&score[i]))
            r[n++] = (removal){score[i].lead, base->item[i]};
    qsort(r, n, sizeof *r, by_lead);
    const bool ok = remove_many(job, base, r, n, err);
    free(r);
    return ok;
}

/* ---- whole parts ---- */

/* Tries to do without parts of the best set, TRIED at a time; what works becomes the best set. Parts are of neighbouring bits, which mostly belong to the same output. */
static bool part_step(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t n = st->best.n, parts = (uint32_t)st->reg[PARTS];
    snn_set trial[TRIED] = {0};
    uint32_t trials = 0;
    bool ok = true;
    for (; ok && trials < TRIED && st->reg[NEXT_PART] < parts; trials++) {
        const uint64_t k = st->reg[NEXT_PART]++;
        const uint32_t first = (uint32_t)(n * k / parts), end = (uint32_t)(n * (k + 1) / parts);
        ok = snn_set_copy(&trial[trials], &st->best, err);
        for (uint32_t i = first; ok && i < end; i++)
            snn_set_remove(&trial[trials], st->best.item[i]);
    }
    ok = ok && snn_search_score(job, trial, trials, err);
    for (uint32_t i = 0; i < TRIED; i++)
        snn_set_free(&trial[i]);
    if (st->best.n < n) { /* again, with parts of about this size */
        st->reg[PARTS] = parts > 2 ? parts - 1 : 2;
        st->reg[NEXT_PART] = 0;
    } else if (st->reg[NEXT_PART] == parts) {
        st->reg[PARTS] = 2 * (uint64_t)parts;
        st->reg[NEXT_PART] = 0;
    }
    return ok;
}

static bool in_parts(const snn_search_state *st) {
    return st->best.n > LARGE && st->best.n / st->reg[PARTS] >= SMALL_PART;
}

/* ---- single bits ---- */

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    if (in_parts(job->state))
        return part_step(job, err);
    snn_set base = {0};
    snn_score *score = snn_alloc(job->state->best.n, sizeof *score, "scores of removals", err);
    bool ok = score && snn_set_copy(&base, &job->state->best, err) &&
              snn_search_score_toggles(job, &base, base.item, base.n, score, err);
    /* The removal that leaves most damage was offered, and is the best set now if it meets the goal. */
    if (ok && base.n > LARGE)
        ok = large_step(job, &base, score, err);
    *done = ok && job->state->best.n == base.n;
    free(score);
    snn_set_free(&base);
    return ok;
}

const snn_searcher snn_searcher_prune = {.name = "prune", .start = start, .sound = sound, .step = step};
