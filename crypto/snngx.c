/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SNNGX's genetic search (arXiv 2407.15152), for comparison: by what is known of its public code (docs/encryption.md).
 *
 *     population 100: all candidates flipped, then mutated ──▶ 125 x [ score ▶ keep the best 60 ▶ 20 x (two children, three mutations) ]
 *
 * Mutation only takes flips back, each with probability 0.05. Fitness of D flips that leave accuracy A: D <= eps ? eps A : D + D A, smaller is better. The result is the best of the last
 * population by that fitness, whether or not the goal is met (genetic, greedy, ... end with the fewest bits that met it).
 *
 * Where the description leaves freedom, this file chooses:
 * - Equal fitness: who came first stays in front (stable sort).
 * - The halves are the first and the last 30 of the kept; the i-th of one half mates with the i-th of the other. "Swap 5 random indices" exchanges 5 times one of the first half with one of the second,
 *   each drawn on its own and with replacement, so that others mate. (To exchange the two partners of a pair would change nothing.)
 * - A round is one mating. Round k mates pair k; after each round three of the kept are mutated in place, with replacement, never the best. (One round a generation instead would take back far too
 *   little to come from 5120 flips to 50 in 125 generations, which the published code does.) Mutated parents are used in later rounds.
 * - Individuals that may not be stored (most_bits, word limit) have infinite fitness.
 */
#include "search_internal.h"

#include <math.h>
#include <stdlib.h>

enum {
    POPULATION = 100,
    GENERATIONS = 125,
    LEAST = 4, /* individuals: below, no two are kept */
    SWAPS = 5,
    MUTATIONS = 3, /* a round */
    STREAM_START = 1 << 23
};                               /* streams of the first population; below it those of generations */
#define UNFLIP (UINT32_MAX / 20) /* p = 0.05 */

static uint32_t population(const snn_search_job *job) {
    return job->options->population > 0 ? job->options->population : POPULATION;
}

static uint32_t generations(const snn_search_job *job) {
    return job->options->generations > 0 ? job->options->generations : GENERATIONS;
}

/* Half of the kept, 30 of 100. */
static uint32_t half(uint32_t people) {
    return people * 3 / 10;
}

double snn_snngx_fitness(const snn_search_job *job, const snn_set *s) {
    if (isinf(s->score.loss))
        return INFINITY;
    const double samples =
        (double)snn_objective_samples(job->objective) * snn_objective_chips(job->objective);
    const double accuracy = s->score.correct / samples, flips = s->n;
    return s->n <= job->options->eps ? job->options->eps * accuracy : flips + flips * accuracy;
}

/* ---- operators ---- */

/* Takes back each flip with probability 0.05; one word of the stream for each flip, ascending. */
static void mutate(snn_set *s, snn_random *r) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (snn_random_u32(r) >= UNFLIP)
            s->item[kept++] = s->item[i];
    s->scored = s->scored && kept == s->n;
    s->n = kept;
}

static bool room(snn_set *s, size_t n, snn_error *err) {
    s->n = 0;
    s->scored = false;
    return snn_grow((void **)&s->item, &s->capacity, n, sizeof *s->item, err);
}

/* Uniform crossover: what both parents have both children have; what one has goes to either child, by the top bit of a word. */
static bool cross(const snn_set *a, const snn_set *b, snn_set *x, snn_set *y, snn_random *r, snn_error *err) {
    if (!room(x, (size_t)a->n + b->n, err) || !room(y, (size_t)a->n + b->n, err))
        return false;
    uint32_t i = 0, k = 0;
    while (i < a->n || k < b->n) {
        const bool in_a = i < a->n && (k == b->n || a->item[i] <= b->item[k]);
        const bool in_b = k < b->n && (i == a->n || b->item[k] <= a->item[i]);
        const uint32_t item = in_a ? a->item[i] : b->item[k];
        const bool both = in_a && in_b, swap = !both && snn_random_u32(r) >> 31 != 0;
        if (both || in_a != swap)
            x->item[x->n++] = item;
        if (both || in_b != swap)
            y->item[y->n++] = item;
        i += in_a;
        k += in_b;
    }
    return true;
}

/* ---- ranking ---- */

typedef struct {
    double fitness;
    uint32_t place;
} rank;

static int by_fitness(const void *a, const void *b) {
    const rank *x = a, *y = b;
    if (x->fitness != y->fitness)
        return x->fitness < y->fitness ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Scores all, sorts them, and makes the first the best set. */
static bool rank_all(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    if (!snn_search_score(job, st->set, st->sets, err))
        return false;
    rank *r = snn_alloc(st->sets, sizeof *r, "ranks of individuals", err);
    snn_set *old = r ? snn_alloc(st->sets, sizeof *old, "individuals", err) : NULL;
    if (!old) {
        free(r);
        return false;
    }
    for (uint32_t i = 0; i < st->sets; i++) {
        r[i] = (rank){snn_snngx_fitness(job, &st->set[i]), i};
        old[i] = st->set[i];
    }
    qsort(r, st->sets, sizeof *r, by_fitness);
    for (uint32_t i = 0; i < st->sets; i++)
        st->set[i] = old[r[i].place];
    free(old);
    free(r);
    return isinf(st->set[0].score.loss) || snn_set_copy(&st->best, &st->set[0], err);
}

/* ---- the search ---- */

static bool start(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t people = population(job);
    if (people < LEAST)
        return snn_fail(err, SNN_ERR_USAGE, "a population of %u, snngx needs at least %d", people, LEAST);
    if (!snn_search_sets(st, people, err))
        return false;
    for (uint32_t i = 0; i < people; i++) {
        snn_set *s = &st->set[i];
        snn_random r;
        if (!room(s, job->candidates->n, err))
            return false;
        for (; s->n < job->candidates->n; s->n++)
            s->item[s->n] = s->n;
        snn_search_random(job, STREAM_START + i, &r);
        mutate(s, &r);
    }
    return rank_all(job, err);
}

/* Children in the places of those that were not kept. */
static bool breed(snn_search_job *job, snn_error *err) {
    snn_search_state *st = job->state;
    const uint32_t pairs = half(st->sets), kept = 2 * pairs;
    uint32_t *mate = snn_alloc(kept, sizeof *mate, "pairs", err), stream = 0;
    snn_set spare = {0}; /* second child of the last round, where only one finds a place */
    snn_random r;
    bool ok = mate != NULL;
    for (uint32_t i = 0; ok && i < kept; i++)
        mate[i] = i;
    snn_search_random(job, stream++, &r);
    for (int i = 0; ok && i < SWAPS; i++) {
        const uint32_t at = snn_random_below(&r, pairs), other = pairs + snn_random_below(&r, pairs),
                       one = mate[at];
        mate[at] = mate[other];
        mate[other] = one;
    }
    for (uint32_t child = kept, round = 0; ok && child < st->sets; child += 2, round++) {
        snn_set *x = &st->set[child], *y = child + 1 < st->sets ? x + 1 : &spare;
        snn_search_random(job, stream++, &r);
        ok = cross(&st->set[mate[round % pairs]], &st->set[mate[pairs + round % pairs]], x, y, &r, err);
        for (int i = 0; ok && i < MUTATIONS; i++) {
            snn_search_random(job, stream++, &r);
            mutate(&st->set[1 + snn_random_below(&r, kept - 1)], &r);
        }
    }
    snn_set_free(&spare);
    free(mate);
    return ok;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    *done = job->state->step + 1 >= generations(job);
    return breed(job, err) && rank_all(job, err);
}

static bool sound(const snn_search_job *job) {
    const snn_search_state *st = job->state;
    bool ok = st->sets == population(job) && st->sets >= LEAST;
    for (uint32_t i = 0; ok && i < st->sets; i++)
        ok = st->set[i].scored;
    return ok;
}

const snn_searcher snn_searcher_snngx = {.name = "snngx", .start = start, .sound = sound, .step = step};
