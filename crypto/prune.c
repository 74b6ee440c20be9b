/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The phase after every search: removes bits from the best set for as long as the goal stays met, so that the result is 1-minimal. Each step evaluates all single removals and keeps
 * the one after which most damage is left (the order of snn_set_better); while the set is large it also tries to remove halves, quarters, ... of what can go.
 */
#include "search_internal.h"

#include <stdlib.h>

/* Above this, single removals (n^2 / 2 evaluations in all) would take too long. */
enum { LARGE = 256, HALVINGS = 16 };

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
    (void)job, (void)err; /* works on the best set, which the driver keeps */
    return true;
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

static bool step(snn_search_job *job, bool *done, snn_error *err) {
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

const snn_searcher snn_searcher_prune = {.name = "prune", .start = start, .step = step};
