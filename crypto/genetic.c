/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our genetic search, in four stages (genetic.h):
 *
 *     screen: which bits do anything ──▶ grow: a set for each class ──▶ breed: children of the best, exactly repaired ──▶ thin: the best set, bit by bit down to one
 *
 * What differs from the published search, and why: it starts from nothing instead of from all bits flipped; goes for a class to which everything collapses; never trades damage for bits, since sets
 * are compared by goal met, then bits; and evaluates all single changes of a set exactly, which the probe makes cheaper than one evaluation of a whole population.
 */
#include "genetic.h"

static bool start(snn_search_job *job, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    job->state->reg[GENETIC_ALIVE] = (UINT64_C(1) << p->tribes) - 1;
    return snn_search_sets(job->state, p->tribes + 1, err);
}

static bool sound(const snn_search_job *job) {
    const snn_search_state *st = job->state;
    const snn_genetic_plan *p = job->own;
    const uint64_t stage = st->reg[GENETIC_STAGE], all = (UINT64_C(1) << p->tribes) - 1;
    bool ok = stage < GENETIC_STAGES && st->reg[GENETIC_NEXT] <= p->order.n && st->sets > p->tribes &&
              (st->reg[GENETIC_ALIVE] & ~all) == 0 && (st->reg[GENETIC_FINISHED] & ~all) == 0;
    for (uint32_t i = p->tribes + 1; ok && i < st->sets; i++)
        ok = stage == GENETIC_SCREEN ? st->set[i].n == 1 && st->set[i].scored
                                     : stage >= GENETIC_BREED && st->set[i].scored;
    for (uint32_t i = 0; ok && i < p->people; i++)
        ok = (st->reg[GENETIC_KIN] >> (4 * i) & 15) < p->tribes;
    return ok && (stage < GENETIC_BREED || st->sets == p->tribes + 1 + p->people);
}

/* From the best set down to one bit, for the front. */
static bool thin(snn_search_job *job, bool *over, snn_error *err) {
    snn_set *s = &job->state->set[0];
    if (s->n > 1 && !snn_genetic_thin(job, s, err))
        return false;
    *over = s->n <= 1;
    return true;
}

static bool next_stage(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    st->reg[GENETIC_STAGE]++;
    if (st->reg[GENETIC_STAGE] == GENETIC_BREED)
        return snn_genetic_breed_start(job, err);
    if (st->reg[GENETIC_STAGE] == GENETIC_THIN)
        return snn_set_copy(&st->set[0], &st->best, err);
    return true;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    bool over = false, ok;
    const uint64_t stage = job->state->reg[GENETIC_STAGE];
    switch (stage) {
    case GENETIC_SCREEN:
        ok = snn_genetic_screen(job, &over, err);
        break;
    case GENETIC_GROW:
        ok = snn_genetic_grow(job, &over, err);
        break;
    case GENETIC_BREED:
        ok = snn_genetic_breed(job, &over, err);
        break;
    default:
        ok = thin(job, &over, err);
    }
    if (!ok || !over)
        return ok;
    *done = stage == GENETIC_THIN;
    return *done || next_stage(job, err);
}

const snn_searcher snn_searcher_genetic = {.name = "genetic",
                                           .open = snn_genetic_open,
                                           .close = snn_genetic_close,
                                           .start = start,
                                           .sound = sound,
                                           .step = step};
