/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Search by random sets, the baseline that every other search must beat: some draws of each size, sizes doubled until one of the draws meets the goal, then bisected.
 */
#include "search_internal.h"

enum { DRAWS = 32 }; /* of each size */

/* Registers. */
enum {
    SIZE,
    LOW,
    HIGH
}; /* bits to draw; largest size that failed; smallest that met the goal, 0: none yet */

static uint32_t largest(const snn_search_job *job) {
    const uint32_t n = job->candidates->n, most = job->options->most_bits;
    return most > 0 && most < n ? most : n;
}

static bool start(snn_search_job *job, snn_error *err) {
    job->state->reg[SIZE] = 1;
    return snn_search_sets(job->state, DRAWS, err);
}

static bool sound(const snn_search_job *job) {
    const uint64_t *reg = job->state->reg;
    return job->state->sets == DRAWS && reg[SIZE] >= 1 && reg[SIZE] <= largest(job) && reg[LOW] < reg[SIZE] &&
           (reg[HIGH] == 0 || (reg[SIZE] < reg[HIGH] && reg[HIGH] <= largest(job)));
}

static bool draw(snn_search_job *job, bool *met, snn_error *err) {
    snn_search_state *st = job->state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        snn_random r;
        snn_search_random(job, i, &r);
        if (!snn_placer_draw(job->placer, &r, (uint32_t)st->reg[SIZE], &st->set[i], err))
            return false;
    }
    if (!snn_search_score(job, st->set, DRAWS, err))
        return false;
    *met = false;
    for (uint32_t i = 0; i < DRAWS; i++)
        *met = *met || snn_score_met(&st->set[i].score);
    return true;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    uint64_t *reg = job->state->reg;
    bool met;
    if (!draw(job, &met, err))
        return false;
    reg[met ? HIGH : LOW] = reg[SIZE];
    if (reg[HIGH] == 0) {
        *done = reg[SIZE] == largest(job);
        reg[SIZE] = 2 * reg[SIZE] < largest(job) ? 2 * reg[SIZE] : largest(job);
    } else {
        *done = reg[HIGH] - reg[LOW] <= 1;
        reg[SIZE] = reg[LOW] + (reg[HIGH] - reg[LOW]) / 2;
    }
    return true;
}

const snn_searcher snn_searcher_random = {.name = "random", .start = start, .sound = sound, .step = step};
