/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tribes. Nothing ruins a classifier as cheaply as driving all samples to one class, but loss does not show the way: as long as that class is not the runner-up, nothing changes. So each tribe
 * has a class and grows a set towards it (SNN_GUIDE_TOWARD), by bits of that class's output row where these are candidates: what raises one class for all samples holds for samples that the
 * search has not seen, while bits that push single samples about do not. The class that costs least shows soon; tribes that fall behind are given up. In the end, where the row has done its work,
 * bits of all kinds finish what is left. A tribe that no single bit brings nearer leaps: it takes up the best of some handfuls of bits drawn by chance, of which pruning leaves what is needed.
 */
#include "genetic.h"

#include <math.h>
#include <string.h>

enum {
    CUT = 8, /* bits after which, and after each further such number, half of the tribes are given up */
    PARTS = 4,
    SMALL_POOL = 512, /* of which all is looked at */
    MIXED_FROM = 16,  /* bits from which on others than those of the row are looked at, too */
    LEAPS = 12,       /* of a tribe */
    HANDFULS = 16,    /* drawn for a leap */
    LEAST_HANDFUL = 4,
    DEAR_TRIBES = 3,     /* that a common start leaves where evaluations are dear */
    HANDFUL_SHARE = 4,   /* a handful is 1/4 of the bits that are there */
    STREAM_LEAP = 1 << 8 /* of a step; + tribe */
};

/* The row goes on alone for as long as its best bit brings all samples so much nearer. */
#define ROW_GAIN 0.05
/* Of SNN_GUIDE_SOFT, in spikes. */
#define SOFTNESS 1.0

snn_guide snn_genetic_guide(const snn_search_job *job, uint32_t tribe, snn_guide_kind kind) {
    const snn_genetic_plan *p = job->own;
    return (snn_guide){.kind = kind,
                       .toward = p->class_[tribe],
                       .margin = snn_objective_goal(job->objective)->margin + 1,
                       .softness = SOFTNESS};
}

/* Scores of `s` with each of item [n] toggled, and its own. */
static snn_score *scan(snn_search_job *job, const snn_guide *guide, snn_set *s, const uint32_t *item,
                       uint32_t n, snn_error *err) {
    snn_score *score = snn_alloc(n, sizeof *score, "scores of bits", err);
    if (!score)
        return NULL;
    snn_objective_guide(job->objective, guide);
    s->scored = false;
    const bool ok = snn_search_score(job, s, 1, err) && snn_search_score_toggles(job, s, item, n, score, err);
    snn_objective_guide(job->objective, NULL);
    if (!ok) {
        free(score);
        score = NULL;
    }
    return score;
}

static bool less_by_guide(const snn_score *a, const snn_score *b) {
    return a->guide != b->guide ? a->guide < b->guide : a->lead < b->lead;
}

/* item without those in s; the first *row stay in front. */
static uint32_t leave_out(const snn_set *s, uint32_t *item, uint32_t n, uint32_t *row) {
    uint32_t kept = 0, rows = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (snn_set_has(s, item[i]))
            continue;
        rows += i < *row;
        item[kept++] = item[i];
    }
    *row = rows;
    return kept;
}

/* Adds the bit of item [n] that leaves the smallest guide, if it takes off more than `share` of it. */
static bool add_best(snn_search_job *job, const snn_guide *guide, snn_set *s, const uint32_t *item,
                     uint32_t n, double share, bool *added, snn_error *err) {
    snn_score *score = scan(job, guide, s, item, n, err);
    if (!score)
        return false;
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (less_by_guide(&score[i], &score[best]))
            best = i;
    *added = n > 0 && less_by_guide(&score[best], &s->score) &&
             s->score.guide - score[best].guide >= share * s->score.guide;
    bool ok = true;
    if (*added) {
        const snn_score its = score[best];
        ok = snn_set_add(s, item[best], err);
        s->score = its;
        s->scored = ok;
    }
    free(score);
    return ok;
}

bool snn_genetic_add(snn_search_job *job, uint32_t tribe, snn_set *s, uint32_t *item, uint32_t n,
                     uint32_t row, bool *added, snn_error *err) {
    const snn_guide toward = snn_genetic_guide(job, tribe, SNN_GUIDE_TOWARD),
                    soft = snn_genetic_guide(job, tribe, SNN_GUIDE_SOFT);
    *added = false;
    n = leave_out(s, item, n, &row);
    const bool alone = s->n < MIXED_FROM;
    if (!add_best(job, &toward, s, item, row > 0 ? row : n, alone ? 0 : ROW_GAIN, added, err))
        return false;
    return *added || add_best(job, &soft, s, item, n, 0, added, err);
}

/* ---- a turn of all tribes ---- */

/* What tribe `i` looks at: its row, and later a part of the pool, another one at each turn. */
static uint32_t gather(const snn_search_job *job, uint32_t i, bool mixed, uint32_t *item) {
    const snn_genetic_plan *p = job->own;
    const snn_set *pool = &job->state->set[p->tribes];
    uint32_t n = 0;
    for (; n < p->row[i].n; n++)
        item[n] = p->row[i].item[n];
    const uint32_t parts = pool->n > SMALL_POOL ? PARTS : 1;
    for (uint32_t k = (uint32_t)(job->state->step % parts); mixed && k < pool->n; k += parts)
        item[n++] = pool->item[k];
    return n;
}

typedef struct {
    double guide;
    uint32_t tribe;
} standing;

static int by_standing(const void *a, const void *b) {
    const standing *x = a, *y = b;
    if (x->guide != y->guide)
        return x->guide < y->guide ? -1 : 1;
    return (x->tribe > y->tribe) - (x->tribe < y->tribe);
}

/* Gives up all tribes but the best `stay`, as they are, or as `all` would make them (may be NULL). */
static bool keep_best(snn_search_job *job, const snn_set *all, uint32_t stay, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    standing s[SNN_TRIBES] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->tribes; i++) {
        if (!(st->reg[GENETIC_ALIVE] >> i & 1))
            continue;
        const snn_guide guide = snn_genetic_guide(job, i, SNN_GUIDE_TOWARD);
        snn_set now = {0};
        const bool copied = snn_set_copy(&now, all ? all : &st->set[i], err);
        snn_score *none = copied ? scan(job, &guide, &now, NULL, 0, err) : NULL;
        s[n++] = (standing){now.score.guide, i};
        if (none && !all)
            st->set[i].score = now.score;
        snn_set_free(&now);
        free(none);
        if (!none)
            return false;
    }
    qsort(s, n, sizeof *s, by_standing);
    for (uint32_t i = stay; i < n; i++)
        if (!(p->keep_first && p->class_[s[i].tribe] == 0))
            st->reg[GENETIC_ALIVE] &= ~(UINT64_C(1) << s[i].tribe);
    return true;
}

/* Gives up the worse half of the tribes. */
static bool cut(snn_search_job *job, snn_error *err) {
    uint32_t n = 0;
    for (uint64_t left = job->state->reg[GENETIC_ALIVE]; left; left &= left - 1)
        n++;
    return keep_best(job, NULL, (n + 1) / 2, err);
}

/* Where evaluations are dear, a common start tells which classes are worth a tribe. */
static bool scout(snn_search_job *job, snn_error *err) {
    snn_set s = {0};
    const bool ok = snn_genetic_scout(job, &s, err) && (s.n == 0 || keep_best(job, &s, DEAR_TRIBES, err));
    snn_set_free(&s);
    return ok;
}

/* Children of `s` with a handful each, into child [HANDFULS]. */
static bool draw_handfuls(snn_search_job *job, uint32_t tribe, const snn_set *s, snn_set *child,
                          snn_error *err) {
    const uint32_t n = job->candidates->n,
                   size = s->n / HANDFUL_SHARE > LEAST_HANDFUL ? s->n / HANDFUL_SHARE : LEAST_HANDFUL;
    const snn_bit_list *row = &((const snn_genetic_plan *)job->own)->row[tribe];
    snn_random r;
    snn_search_random(job, STREAM_LEAP + tribe, &r);
    for (int k = 0; k < HANDFULS; k++) {
        if (!snn_set_copy(&child[k], s, err))
            return false;
        /* The first handful are the next of the row: where single bits do not show, its order is the best guess. */
        uint32_t taken = 0;
        for (uint32_t i = 0; k == 0 && i < row->n && taken < size; i++)
            if (!snn_set_has(s, row->item[i])) {
                if (!snn_set_add(&child[k], row->item[i], err))
                    return false;
                taken++;
            }
        for (uint32_t i = taken; i < size; i++)
            if (!snn_set_add(&child[k], snn_random_below(&r, n), err))
                return false;
    }
    return true;
}

/* *leapt: is there a handful that may be keyed? */
static bool leap(snn_search_job *job, uint32_t tribe, snn_set *s, bool *leapt, snn_error *err) {
    snn_search_state *st = job->state;
    const uint64_t made = st->reg[GENETIC_LEAPS] >> (4 * tribe) & 15;
    snn_set child[HANDFULS] = {0};
    *leapt = false;
    if (made == LEAPS)
        return true;
    bool ok = draw_handfuls(job, tribe, s, child, err) && snn_search_score(job, child, HANDFULS, err);
    int best = 0;
    for (int k = 1; ok && k < HANDFULS; k++)
        if (snn_score_less(&child[k].score, &child[best].score))
            best = k;
    if (ok && isfinite(child[best].score.loss)) {
        ok = snn_set_copy(s, &child[best], err);
        st->reg[GENETIC_LEAPS] += UINT64_C(1) << (4 * tribe);
        *leapt = ok;
    }
    for (int k = 0; k < HANDFULS; k++)
        snn_set_free(&child[k]);
    return ok;
}

static bool grow_tribe(snn_search_job *job, uint32_t i, uint32_t *item, snn_error *err) {
    snn_search_state *st = job->state;
    snn_set *s = &st->set[i];
    const snn_genetic_plan *p = job->own;
    const uint32_t row = p->row[i].n,
                   n = gather(job, i, (row == 0 && p->lines == 0) || s->n >= MIXED_FROM, item);
    bool added = false;
    if (!snn_genetic_add_group(job, i, s, item, p->dear ? row : n, &added, err) ||
        (!added && !snn_genetic_add(job, i, s, item, n, row, &added, err)) ||
        (!added && !leap(job, i, s, &added, err)))
        return false;
    if (!added || snn_score_met(&s->score))
        st->reg[GENETIC_FINISHED] |= UINT64_C(1) << i;
    return true;
}

bool snn_genetic_grow(snn_search_job *job, bool *over, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    snn_search_state *st = job->state;
    uint32_t most = 0, longest = 0;
    if (p->lines > 0 && !st->reg[GENETIC_SCOUTED]) {
        st->reg[GENETIC_SCOUTED] = 1;
        *over = false;
        return scout(job, err);
    }
    for (uint32_t i = 0; i < p->tribes; i++)
        longest = p->row[i].n > longest ? p->row[i].n : longest;
    uint32_t *item = snn_alloc((size_t)st->set[p->tribes].n + longest, sizeof *item, "bits to look at", err);
    bool ok = item != NULL;
    for (uint32_t i = 0; ok && i < p->tribes; i++) {
        const uint64_t bit = UINT64_C(1) << i, busy = st->reg[GENETIC_ALIVE] & ~st->reg[GENETIC_FINISHED];
        if (busy & bit)
            ok = grow_tribe(job, i, item, err);
        most = st->set[i].n > most ? st->set[i].n : most;
    }
    free(item);
    if (ok && (p->lines > 0 || most % CUT == 0))
        ok = cut(job, err);
    *over = (st->reg[GENETIC_ALIVE] & ~st->reg[GENETIC_FINISHED]) == 0;
    return ok;
}
