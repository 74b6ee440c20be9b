/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place where sets are evaluated: shares a batch between ranks and threads, counts, keeps the best. Scores are written by place, so that nothing depends on
 * who computes what. A batch starts on one thread; others join only when what is left is worth waking them.
 */
#include "search_internal.h"

#include <snnsim/cpu.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Waking a team of threads costs some 10 us; below this much work it does not pay. */
#define WORTH_THREADS 100e-6
enum {
    CHUNKS = 16, /* parts that a thread takes at a time */
    MOST_CHUNK = 64,
    DEAR_PART =
        64 /* evaluations after which a dear search looks around: never by time, so that ranks do it together */
};

/* What is scored: whole sets, or toggles of the objective's base. */
typedef struct {
    snn_objective *objective;
    const snn_set *set;    /* [n] or NULL */
    const uint32_t *item;  /* [n] or NULL */
    const uint32_t *which; /* [n] numbers of those to evaluate, in set or item */
    snn_score *score;      /* [n] */
} batch;

static bool evaluate(const batch *b, size_t i, snn_objective_workspace *w, snn_error *err) {
    if (b->item)
        return snn_objective_toggle(b->objective, b->item[b->which[i]], w, &b->score[i], err);
    const snn_set *s = &b->set[b->which[i]];
    return snn_objective_eval(b->objective, s->item, s->n, w, &b->score[i], err);
}

/* [*first, end) on this thread, until it is clear that threads would pay; *first: what was not done. */
static bool begin(const batch *b, size_t *first, size_t end, int threads, snn_error *err) {
    snn_objective_workspace *w = snn_objective_own(b->objective, 0, err);
    const double start = snn_now();
    size_t done = 0;
    for (; w && *first < end; (*first)++) {
        /* The clock is read after 1, 2, 4, ... evaluations. */
        if (threads > 1 && done > 0 && (done & (done - 1)) == 0 &&
            (snn_now() - start) / (double)done * (double)(end - *first) > WORTH_THREADS)
            return true;
        if (!evaluate(b, *first, w, err))
            return false;
        done++;
    }
    return w != NULL;
}

/* Of several failing evaluations the first is reported. */
static void note_failure(size_t i, const snn_error *e, size_t *failed, snn_error *err) {
#pragma omp critical(snn_batch_failure)
    if (i < *failed) {
        *failed = i;
        if (err)
            *err = *e;
    }
}

static bool share(const batch *b, size_t first, size_t end, int threads, snn_error *err) {
    for (int t = 0; t < threads; t++)
        if (!snn_objective_own(b->objective, t, err))
            return false;
    const size_t fair = (end - first) / ((size_t)threads * CHUNKS);
    const size_t chunk = fair < 1 ? 1 : fair > MOST_CHUNK ? MOST_CHUNK : fair;
    size_t failed = SIZE_MAX;
#pragma omp parallel num_threads(threads)
    {
        snn_error e = {0};
        snn_objective_workspace *w = snn_objective_own(b->objective, omp_get_thread_num(), &e);
#pragma omp for schedule(dynamic, chunk)
        for (size_t i = first; i < end; i++)
            if (!evaluate(b, i, w, &e))
                note_failure(i, &e, &failed, err);
    }
    return failed == SIZE_MAX;
}

/* Fills b->score from..to on all ranks. */
static bool run_part(const batch *b, size_t from, size_t to, snn_error *err) {
    const int threads = snn_objective_threads(b->objective);
    size_t first, end;
    snn_rank_part(to - from, &first, &end);
    first += from;
    end += from;
    bool ok = begin(b, &first, end, threads, err) && (first == end || share(b, first, end, threads, err));
    if (!snn_rank_all(ok, err))
        return false;
    return snn_rank_share(b->score + from, to - from, sizeof *b->score, err);
}

/* What the journal has of a batch of n: into `score`; returns how many. */
static size_t replay(snn_search_state *st, snn_score *score, size_t n) {
    const size_t left = st->journaled - st->replayed, known = left < n ? left : n;
    if (known > 0)
        memcpy(score, st->journal + st->replayed, known * sizeof *score);
    st->replayed += (uint32_t)known;
    return known;
}

static bool note(snn_search_state *st, const snn_score *score, size_t n, snn_error *err) {
    if (!snn_grow((void **)&st->journal, &st->journal_capacity, st->journaled + n, sizeof *score, err))
        return false;
    memcpy(st->journal + st->journaled, score, n * sizeof *score);
    st->journaled += (uint32_t)n;
    st->replayed = st->journaled;
    return true;
}

/* Fills b->score [n] on all ranks; where evaluations are dear, a part after the other. */
static bool run(snn_search_job *job, const batch *b, size_t n, snn_error *err) {
    if (!job->look)
        return run_part(b, 0, n, err);
    for (size_t from = replay(job->state, b->score, n); from < n;) {
        const size_t to = n - from < DEAR_PART ? n : from + DEAR_PART;
        if (!run_part(b, from, to, err) || !note(job->state, b->score + from, to - from, err))
            return false;
        from = to;
        if (!job->look(job->context))
            return false;
    }
    return true;
}

/* ---- whole sets ---- */

static bool too_large(const snn_search_job *job, uint32_t n) {
    return job->options->most_bits > 0 && n > job->options->most_bits;
}

static const snn_score refused = {.correct = UINT32_MAX,
                                  .right = UINT32_MAX,
                                  .largest = UINT32_MAX,
                                  .loss = INFINITY,
                                  .lead = INFINITY,
                                  .guide = INFINITY};

/* which [n]: those to evaluate; the others that are not scored get the worst score. */
static uint32_t choose_sets(const snn_search_job *job, snn_set *set, uint32_t n, uint32_t *which) {
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (set[i].scored)
            continue;
        if (!too_large(job, set[i].n) && snn_candidates_allowed(job->candidates, set[i].item, set[i].n)) {
            which[chosen++] = i;
        } else {
            set[i].score = refused;
            set[i].scored = true;
        }
    }
    return chosen;
}

bool snn_search_score(snn_search_job *job, snn_set *set, uint32_t n, snn_error *err) {
    uint32_t *which = snn_alloc(n, sizeof *which, "a batch of sets", err);
    snn_score *score = which ? snn_alloc(n, sizeof *score, "scores of a batch", err) : NULL;
    bool ok = score != NULL;
    if (ok) {
        const uint32_t chosen = choose_sets(job, set, n, which);
        const batch b = {.objective = job->objective, .set = set, .which = which, .score = score};
        ok = run(job, &b, chosen, err);
        if (ok)
            job->state->evaluations += chosen;
        for (uint32_t i = 0; ok && i < chosen; i++) {
            snn_set *s = &set[which[i]];
            s->score = score[i];
            s->scored = true;
            ok = snn_search_offer(job->state, s, err);
        }
    }
    free(which);
    free(score);
    return ok;
}

/* ---- toggles ---- */

static bool offer_toggled(snn_search_job *job, const snn_set *base, uint32_t item, const snn_score *score,
                          snn_error *err) {
    snn_set s = {0};
    bool ok = snn_set_toggled(&s, base, item, err);
    s.score = *score;
    s.scored = true;
    ok = ok && snn_search_offer(job->state, &s, err);
    snn_set_free(&s);
    return ok;
}

/* The best of those that grew (in false) or shrank. Ties by the order of sets: of added items the lowest, of removed ones the highest makes the lexicographically smaller set. */
static bool offer_best(snn_search_job *job, const snn_set *base, const uint32_t *item, const batch *b,
                       uint32_t n, bool in, snn_error *err) {
    uint32_t best = n;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t x = item[b->which[i]];
        if (snn_set_has(base, x) != in)
            continue;
        if (best == n || snn_score_less(&b->score[i], &b->score[best])) {
            best = i;
        } else if (!snn_score_less(&b->score[best], &b->score[i])) {
            const uint32_t y = item[b->which[best]];
            if (in ? x > y : x < y)
                best = i;
        }
    }
    return best == n || offer_toggled(job, base, item[b->which[best]], &b->score[best], err);
}

/* Of a base that may not be keyed as it is: may it without `item`? `rest` has room for it. */
static bool allowed_without(const snn_candidates *c, const snn_set *base, uint32_t item, uint32_t *rest) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < base->n; i++)
        if (base->item[i] != item)
            rest[n++] = base->item[i];
    return snn_candidates_allowed(c, rest, n);
}

/* What may be scored, into which; the rest is refused. */
static bool choose_toggles(snn_search_job *job, const snn_set *base, const uint32_t *item, uint32_t n,
                           uint32_t *which, uint32_t *chosen, snn_score *score, snn_error *err) {
    const uint32_t most = job->options->most_bits > 0 ? job->options->most_bits : UINT32_MAX;
    /* The placer knows what a toggle does to its own word and weight; others of the base may be at odds among themselves. */
    const bool sound = snn_candidates_allowed(job->candidates, base->item, base->n);
    uint32_t *rest = snn_alloc(base->n, sizeof *rest, "a set without one bit", err);
    if (!rest)
        return false;
    *chosen = 0;
    for (uint32_t i = 0; i < n; i++) {
        const bool out = snn_placer_has(job->placer, item[i]);
        const bool fits = out ? base->n - 1 <= most : base->n < most;
        if (fits && snn_placer_toggles(job->placer, item[i]) &&
            (sound || (out && allowed_without(job->candidates, base, item[i], rest))))
            which[(*chosen)++] = i;
        else
            score[i] = refused;
    }
    free(rest);
    return true;
}

bool snn_search_score_toggles(snn_search_job *job, const snn_set *base, const uint32_t *item, uint32_t n,
                              snn_score *score, snn_error *err) {
    if (!snn_objective_rebase(job->objective, base, err))
        return false;
    snn_placer_load(job->placer, base);
    uint32_t *which = snn_alloc(n, sizeof *which, "a batch of toggles", err);
    snn_score *found = which ? snn_alloc(n, sizeof *found, "scores of a batch", err) : NULL;
    uint32_t chosen = 0;
    bool ok = found && choose_toggles(job, base, item, n, which, &chosen, score, err);
    if (ok) {
        const batch b = {.objective = job->objective, .item = item, .which = which, .score = found};
        ok = run(job, &b, chosen, err);
        if (ok)
            job->state->evaluations += chosen;
        for (uint32_t i = 0; ok && i < chosen; i++)
            score[which[i]] = found[i];
        ok = ok && offer_best(job, base, item, &b, chosen, false, err) &&
             offer_best(job, base, item, &b, chosen, true, err);
    }
    free(which);
    free(found);
    return ok;
}

/* ---- budget and random numbers ---- */

bool snn_search_convolves(const snn_net *net, uint32_t tensor) {
    bool behind = false, convolves = false;
    for (int i = 0; i < net->layers; i++) {
        const snn_layer *l = &net->layer[i];
        behind |= l->tensor == (int)tensor || snn_layer_recurrent_tensor(l) == (int)tensor;
        convolves |= behind && l->type == SNN_LAYER_CONV2D;
    }
    return convolves;
}

bool snn_search_dear(const snn_net *net, uint32_t tensor) {
    return !snn_net_plain(net) || snn_search_convolves(net, tensor);
}

uint64_t snn_search_left(const snn_search_job *job) {
    const uint64_t budget = job->options->evaluations, used = job->state->evaluations;
    if (budget == 0 || job->state->phase > 0)
        return UINT64_MAX;
    return used < budget ? budget - used : 0;
}

/* The index of a stream: 8 bits phase, 32 bits step, 24 bits number. */
void snn_search_random(const snn_search_job *job, uint32_t index, snn_random *r) {
    const uint64_t phase = job->state->phase & 0xff, step = job->state->step & UINT32_MAX;
    snn_random_init(r, job->options->seed, SNN_PURPOSE_SEARCH, phase << 56 | step << 24 | (index & 0xffffff));
}
