/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the bit search. In reading order: candidates.c, objective.c (scores), batch.c (evaluates many sets: threads and ranks), search.c (the driver: phases, budgets, progress, checkpoints),
 * checkpoint.c, set.c, then one file per search: greedy.c, saliency.c, random.c, prune.c, snngx.c, genetic.c, pareto.c.
 *
 * A search is a machine of steps over a state that is plain data, so that the driver can save it after any step. Random numbers are streams (seed, SNN_PURPOSE_SEARCH, index) with an index
 * made of the search's phase and step (snn_search_random), so that they need no state.
 */
#ifndef SNNSIM_CRYPTO_SEARCH_INTERNAL_H
#define SNNSIM_CRYPTO_SEARCH_INTERNAL_H

#include <snnsim/random.h>
#include <snnsim/search.h>

/* A set of candidates. */
typedef struct {
    uint32_t *item; /* [n] ascending */
    uint32_t n;
    size_t capacity;
    snn_score score;
    bool scored;
} snn_set;

#define SNN_SEARCH_REGISTERS 16

/* All that a search carries from step to step; saved whole in checkpoints. */
typedef struct {
    uint32_t phase; /* index into the driver's phases */
    uint64_t step;
    uint64_t evaluations;
    snn_set best; /* best so far: goal met with fewest bits, else smallest loss */
    snn_set *set; /* [sets] population, current set, ...: the search's own */
    uint32_t sets;
    size_t capacity;
    uint64_t reg[SNN_SEARCH_REGISTERS]; /* cursors and the like, the search's own */
    double real[SNN_SEARCH_REGISTERS];
    snn_set *front; /* [points] as snn_search_result.front */
    uint32_t points;
    size_t front_capacity;
} snn_search_state;

typedef struct {
    snn_objective *objective;
    const snn_candidates *candidates;
    const snn_search_options *options;
    const volatile sig_atomic_t *stop;
    snn_search_state *state;
} snn_search_job;

/* One search, or one phase of a search (prune). */
typedef struct {
    const char *name;
    /* Fills state->set, reg, real from scratch (a later phase finds state->best and front). */
    bool (*start)(snn_search_job *job, snn_error *err);
    /* One step: a generation, one added bit, ... Sets *done at the end. The driver counts state->step. */
    bool (*step)(snn_search_job *job, bool *done, snn_error *err);
} snn_searcher;

extern const snn_searcher snn_searcher_genetic, snn_searcher_snngx, snn_searcher_greedy,
    snn_searcher_saliency, snn_searcher_random, snn_searcher_pareto, snn_searcher_prune;

/* ---- set.c ---- */
void snn_set_free(snn_set *s);
bool snn_set_copy(snn_set *to, const snn_set *from, snn_error *err);
/* Adds or removes one item (absent or present: unchanged); forgets the score. */
bool snn_set_add(snn_set *s, uint32_t item, snn_error *err);
void snn_set_remove(snn_set *s, uint32_t item);
bool snn_set_has(const snn_set *s, uint32_t item);
/* From unsorted items with repeats. */
bool snn_set_assign(snn_set *s, const uint32_t *item, uint32_t n, snn_error *err);
/* Sizes the array of sets in the state (new ones are empty). */
bool snn_search_sets(snn_search_state *st, uint32_t n, snn_error *err);
/* Is a better than b? Goal met before not met; both met: fewer bits, then smaller lead; neither: smaller loss, then fewer bits, then smaller lead; then lexicographically smaller
 * items: a total order. */
bool snn_set_better(const snn_objective *o, const snn_set *a, const snn_set *b);
bool snn_set_met(const snn_set *s); /* loss == 0 */

/* ---- batch.c: the one place where candidates are evaluated ---- */
/* Scores set [n] where they are not scored yet, in parallel; counts state->evaluations; offers each to state->best and state->front. Sets that are not allowed (snn_candidates_allowed) or larger
 * than most_bits get the worst score (loss = infinity) without an evaluation. */
bool snn_search_score(snn_search_job *job, snn_set *set, uint32_t n, snn_error *err);
/* Scores `base` with one candidate added or, where it is in `base`, removed, for each of item [n] (any order): score [n]. The base's sums are kept (snn_probe_rebase), so that this costs far less than
 * n sets. Counts, but offers only those that are better than the best. */
bool snn_search_score_toggles(snn_search_job *job, const snn_set *base, const uint32_t *item, uint32_t n,
                              snn_score *score, snn_error *err);
/* Evaluations left of the budget (UINT64_MAX without one). */
uint64_t snn_search_left(const snn_search_job *job);
/* Has a stop been asked for (interrupt or budget)? Long steps look now and then, and end early at a place where they can continue. */
bool snn_search_stopping(const snn_search_job *job);
/* Stream number `index` of this step. */
void snn_search_random(const snn_search_job *job, uint32_t index, snn_random *r);

/* ---- objective.c ---- */
const snn_goal *snn_objective_goal(const snn_objective *o);
const snn_candidates *snn_objective_candidates(const snn_objective *o);
size_t snn_objective_samples(const snn_objective *o); /* of one chip */
uint32_t snn_objective_chips(const snn_objective *o); /* at least 1 */
int snn_objective_threads(const snn_objective *o);
const snn_net *snn_objective_net(const snn_objective *o);
const snn_spikes *snn_objective_sample(const snn_objective *o, size_t i);
int snn_objective_label(const snn_objective *o, size_t i);
/* One thread's buffers. */
typedef struct snn_objective_workspace snn_objective_workspace;
snn_objective_workspace *snn_objective_workspace_new(const snn_objective *o, snn_error *err);
void snn_objective_workspace_free(snn_objective_workspace *w);
/* Score of the plain weights with candidates item [n] (ascending) flipped. Thread-safe. */
bool snn_objective_eval(const snn_objective *o, const uint32_t *item, uint32_t n, snn_objective_workspace *w,
                        snn_score *score, snn_error *err);
/* Moves the base: later evaluations of sets that are close to `base` are cheap. Not thread-safe; results never depend on it. */
bool snn_objective_rebase(snn_objective *o, const snn_set *base, snn_error *err);

/* ---- checkpoint.c ---- */
/* Atomic, 0600. fingerprint: of everything that the result depends on. */
bool snn_checkpoint_save(const snn_search_state *st, const uint8_t fingerprint[32], const char *path,
                         snn_error *err);
/* *found: was there a file? Errors: DATA naming the file. */
bool snn_checkpoint_load(snn_search_state *st, const uint8_t fingerprint[32], const snn_candidates *c,
                         const char *path, bool *found, snn_error *err);

/* ---- ranks.c: MPI ranks (make MPI=1); without MPI there is one ---- */
int snn_rank(void);
int snn_ranks(void);
/* Each rank has filled part [first, end) of data [n] items of `size` bytes, split by snn_rank_part; afterwards all ranks have all. */
void snn_rank_part(size_t n, size_t *first, size_t *end);
bool snn_rank_share(void *data, size_t n, size_t size, snn_error *err);

#endif
