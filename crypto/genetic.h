/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the genetic search. In reading order: genetic_pool.c (which bits it looks at), genetic_groups.c (groups of them, for convolutions), genetic_grow.c (tribes: one set for each class that all samples could be driven to, grown bit by bit),
 * genetic_breed.c (children of the best sets, repaired and pruned exactly), genetic.c (its stages). pareto.c takes the same steps for every size.
 */
#ifndef SNNSIM_CRYPTO_GENETIC_H
#define SNNSIM_CRYPTO_GENETIC_H

#include "order.h"
#include "search_internal.h"

#include <stdlib.h>

enum { SNN_TRIBES = 16 }; /* most; their flags stand in one register */

/* Registers of the state. */
enum {
    GENETIC_STAGE,
    GENETIC_ALIVE,    /* bit i: tribe i was not given up */
    GENETIC_FINISHED, /* bit i: tribe i met the goal, or does not come nearer */
    GENETIC_NEXT,     /* screening: next of the plan's order */
    GENETIC_IDLE,     /* children since the best set was last improved */
    GENETIC_CHILDREN,
    GENETIC_KIN,         /* 4 bits for each individual: its tribe */
    GENETIC_LEAPS,       /* 4 bits for each tribe: leaps that it has made */
    GENETIC_SCOUTED = 15 /* has it been looked which classes are worth a tribe? */
};
/* Of the tribes' numbers, in real: see add_group. */
_Static_assert((int)SNN_TRIBES <= (int)SNN_SEARCH_REGISTERS, "each tribe has a number of its own");
enum { GENETIC_SCREEN, GENETIC_GROW, GENETIC_BREED, GENETIC_THIN, GENETIC_STAGES };

/* Sets of the state: tribes, the pool (one set of all bits that are looked at), then what is being screened (sets of one bit), later the population. */

typedef struct {
    uint32_t *item; /* [n] */
    uint32_t n;
} snn_bit_list;

/* What follows from candidates, objective and options. */
typedef struct {
    bool dear; /* convolutions: an evaluation takes milliseconds */
    bool rows; /* an output layer's bits are candidates: tribe i has row class_[i] to itself */
    /* The tribe of class 0 is never given up: it wins ties, which are left where both outputs fire as often as their inputs let them. */
    bool keep_first;
    uint32_t tribes;
    uint32_t class_[SNN_TRIBES];
    snn_bit_list row[SNN_TRIBES]; /* bits that raise the class's sums, best first */
    snn_bit_list order;           /* to screen; the pool itself, where there is no screening */
    snn_bit_list *line;           /* [lines] of which groups are made; networks with convolutions only */
    uint32_t lines;
    uint32_t pool; /* bits that stay of it */
    uint32_t look; /* of the pool that a child's repair looks at */
    uint32_t people, idle, children;
} snn_genetic_plan;

bool snn_genetic_open(snn_search_job *job, snn_error *err);
void snn_genetic_close(snn_search_job *job);

/* Fills the plan's lines. */
bool snn_genetic_lines(const snn_search_job *job, const snn_rates *r, snn_genetic_plan *p, snn_error *err);
/* Adds some groups to `s` that bring all samples nearer to one class, whichever. */
bool snn_genetic_scout(snn_search_job *job, snn_set *s, snn_error *err);
/* What a tribe steers by. */
snn_guide snn_genetic_guide(const snn_search_job *job, uint32_t tribe, snn_guide_kind kind);
/* Adds to `s` the group that brings most for each bit towards the tribe's class, less what of it hardly matters, or a bit of item [n] that brings as much. *added: is there one that helps? */
bool snn_genetic_add_group(snn_search_job *job, uint32_t tribe, snn_set *s, const uint32_t *item, uint32_t n,
                           bool *added, snn_error *err);

/* The best bit of a scan: by guide, and by loss. */
typedef struct {
    uint32_t item;
    snn_score score;
    bool found;
} snn_bit_found;

/* Adds to `s` the best bit of item [n] (without those in it) towards the tribe's class: one of the row (the first `row` of them), unless another one takes off far more loss. *added: is there one that helps? */
bool snn_genetic_add(snn_search_job *job, uint32_t tribe, snn_set *s, uint32_t *item, uint32_t n,
                     uint32_t row, bool *added, snn_error *err);
/* Removes bits for as long as the goal stays met, what leaves most damage first. */
bool snn_genetic_prune(snn_search_job *job, snn_set *s, snn_error *err);
/* Removes the bit that is missed least. */
bool snn_genetic_thin(snn_search_job *job, snn_set *s, snn_error *err);

/* Steps of the stages; *over: the stage has ended. */
bool snn_genetic_screen(snn_search_job *job, bool *over, snn_error *err);
bool snn_genetic_grow(snn_search_job *job, bool *over, snn_error *err);
bool snn_genetic_breed_start(snn_search_job *job, snn_error *err);
bool snn_genetic_breed(snn_search_job *job, bool *over, snn_error *err);

#endif
