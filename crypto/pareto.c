/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The front of bits against damage: the genetic search, whose sets of all sizes make the first front, then Pareto local search (Paquete, Chiarandini & Stuetzle, MOSIM 2004): each point of the front
 * in turn has single bits added and removed, and whatever does more damage with as many bits joins the front, until a whole round brings nothing.
 */
#include "genetic.h"

/* Registers behind those of the genetic search. */
enum { LOCAL = 8 /* the genetic search has ended */, CURSOR, ROUND, CHANGED };

enum { ROUNDS = 40 };

/* Points whose loss shrank, and new ones, show in this sum: loss of the empty set is finite, and points only get better. */
static double front_sum(const snn_search_state *st) {
    double sum = 0;
    for (uint32_t i = 0; i < st->points; i++)
        sum += st->front[0].score.loss + 1 - st->front[i].score.loss;
    return sum;
}

static bool start(snn_search_job *job, snn_error *err) {
    return snn_searcher_genetic.start(job, err);
}

static bool sound(const snn_search_job *job) {
    const uint64_t *reg = job->state->reg;
    if (!reg[LOCAL])
        return snn_searcher_genetic.sound(job);
    return reg[LOCAL] == 1 && reg[CURSOR] < job->state->points && reg[CHANGED] <= 1;
}

/* What is toggled: the set's own bits, those of its neighbours on the front, some of a row, some of all. */
static bool gather(snn_search_job *job, uint32_t point, snn_set *bits, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    const snn_search_state *st = job->state;
    snn_random r;
    snn_search_random(job, 0, &r);
    bool ok = snn_set_copy(bits, &st->front[point], err);
    for (int side = -1; ok && side <= 1; side += 2) {
        const int64_t other = (int64_t)point + side;
        for (uint32_t i = 0; ok && other >= 0 && other < st->points && i < st->front[other].n; i++)
            ok = snn_set_add(bits, st->front[other].item[i], err);
    }
    const snn_bit_list *row = &p->row[snn_random_below(&r, p->tribes)];
    for (uint32_t i = 0; ok && i < p->look && row->n > 0; i++)
        ok = snn_set_add(bits, row->item[snn_random_below(&r, row->n)], err);
    for (uint32_t i = 0; ok && i < p->look; i++)
        ok = snn_set_add(bits, snn_random_below(&r, job->candidates->n), err);
    return ok;
}

static bool improve(snn_search_job *job, uint32_t point, snn_error *err) {
    snn_set base = {0}, bits = {0};
    snn_score *score = NULL;
    bool ok = snn_set_copy(&base, &job->state->front[point], err) && gather(job, point, &bits, err) &&
              (score = snn_alloc(bits.n, sizeof *score, "scores of neighbours", err)) &&
              snn_search_score_toggles(job, &base, bits.item, bits.n, score, err);
    free(score);
    snn_set_free(&bits);
    snn_set_free(&base);
    return ok;
}

static bool local_step(snn_search_job *job, bool *done, snn_error *err) {
    snn_search_state *st = job->state;
    const double before = front_sum(st);
    const uint32_t points = st->points,
                   rounds = job->options->generations ? job->options->generations : ROUNDS;
    if (!improve(job, (uint32_t)st->reg[CURSOR], err))
        return false;
    if (st->points != points || front_sum(st) != before)
        st->reg[CHANGED] = 1;
    if (++st->reg[CURSOR] < st->points)
        return true;
    *done = !st->reg[CHANGED] || ++st->reg[ROUND] >= rounds;
    st->reg[CURSOR] = st->reg[CHANGED] = 0;
    return true;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    snn_search_state *st = job->state;
    if (st->reg[LOCAL])
        return local_step(job, done, err);
    bool over = false;
    if (!snn_searcher_genetic.step(job, &over, err))
        return false;
    if (over) {
        st->reg[LOCAL] = 1;
        return snn_search_sets(st, 0, err);
    }
    return true;
}

const snn_searcher snn_searcher_pareto = {.name = "pareto",
                                          .open = snn_genetic_open,
                                          .close = snn_genetic_close,
                                          .start = start,
                                          .sound = sound,
                                          .step = step};
