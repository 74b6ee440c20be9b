/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the bit search. In reading order: candidates.c, placer.c (which candidates go together), objective.c and objective_score.c (scores), set.c, batch.c (evaluates many sets: threads and ranks), front.c (best set, best of
 * each size), search.c (the driver: phases, budgets, progress), checkpoint.c, then one file per search: saliency.c (order.c has its rules), greedy.c, random.c, prune.c, snngx.c, genetic.c, pareto.c.
 *
 * A search is a machine of steps over a state that is plain data, so that the driver can save it after any step. Random numbers are streams (seed, SNN_PURPOSE_SEARCH, index) with an index
 * made of the search's phase and step (snn_search_random), so that they need no state.
 */
#ifndef SNNSIM_CRYPTO_SEARCH_INTERNAL_H
#define SNNSIM_CRYPTO_SEARCH_INTERNAL_H

#include <snnsim/digest.h>
#include <snnsim/random.h>
#include <snnsim/ranks.h>
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
    uint64_t seed;    /* of the search: who drew it from the system resumes with it */
    bool over, ended; /* the search has come to its result; its last phase came to its own end */
    uint32_t phase;   /* index into the driver's phases */
    uint64_t step;    /* within the phase */
    uint64_t evaluations;
    uint64_t searched; /* evaluations when the phases after the search began */
    bool stopped;      /* a budget ended the search */
    snn_set best;      /* best so far: goal met with fewest bits, else smallest loss; always scored */
    snn_set *set;      /* [sets] population, current set, ...: the search's own */
    uint32_t sets;
    size_t capacity;
    uint64_t reg[SNN_SEARCH_REGISTERS]; /* cursors and the like, the search's own; zero when a phase starts */
    double real[SNN_SEARCH_REGISTERS];
    snn_set *front; /* [points] as snn_search_result.front */
    uint32_t points;
    size_t front_capacity;
    /* Scores that the step under way has asked for, in that order (dear networks only). A step that was interrupted is done again from its beginning, and finds these here: so it can be interrupted,
     * and saved, after any of them, however long it is. */
    snn_score *journal; /* [journaled] */
    uint32_t journaled, replayed;
    size_t journal_capacity;
} snn_search_state;

typedef struct snn_placer snn_placer;

typedef struct {
    snn_objective *objective;
    const snn_candidates *candidates;
    const snn_search_options *options;
    snn_search_state *state;
    snn_placer *placer; /* anybody's scratch */
    void *own;          /* what the phase's `open` made */
    bool dear;          /* snn_search_dear: a journal is kept */
    /* The driver's, may be NULL: looks around in the middle of a step of a dear search; false: gives it up, without an error. */
    bool (*look)(void *context);
    void *context;
} snn_search_job;

/* One search, or one phase of a search (prune). */
typedef struct {
    const char *name;
    /* Both may be NULL. What follows from candidates, objective and options alone and need not be saved (orders, rates): made into job->own before start, and before the first step after a
     * resume; close frees it. */
    bool (*open)(snn_search_job *job, snn_error *err);
    void (*close)(snn_search_job *job);
    /* Fills state->set, reg, real from scratch (a later phase finds state->best and front; sets are gone). */
    bool (*start)(snn_search_job *job, snn_error *err);
    /* May be NULL. After a resume: is what the search keeps in the state (set, reg, real) what its steps expect? Items of sets have been checked. */
    bool (*sound)(const snn_search_job *job);
    /* One step: a generation, one added bit, a block of evaluations: below a second for linear layers. Sets *done at the end. The driver counts state->step, and looks after budgets, stops and checkpoints between steps; in dear
     * networks, where steps may take long, in the middle of them, too (journal). */
    bool (*step)(snn_search_job *job, bool *done, snn_error *err);
} snn_searcher;

extern const snn_searcher snn_searcher_genetic, snn_searcher_snngx, snn_searcher_greedy,
    snn_searcher_saliency, snn_searcher_random, snn_searcher_pareto, snn_searcher_prune;

/* ---- snngx.c ---- */
/* Its fitness of a scored set; smaller is better. */
double snn_snngx_fitness(const snn_search_job *job, const snn_set *s);

/* ---- placer.c: builds sets that may be keyed (snn_candidates_allowed), item by item ---- */
snn_placer *snn_placer_new(const snn_candidates *c, snn_error *err);
void snn_placer_free(snn_placer *p);
void snn_placer_clear(snn_placer *p);
/* false: it is in already, its row word is full, or its weight would be stored as -0. */
bool snn_placer_add(snn_placer *p, uint32_t item);
bool snn_placer_has(const snn_placer *p, uint32_t item);
/* Makes an allowed set the one it holds. */
void snn_placer_load(snn_placer *p, const snn_set *s);
/* Would the set be allowed with the item added, or removed where it is in? */
bool snn_placer_toggles(const snn_placer *p, uint32_t item);
/* Replaces order [n] by what can be added of it, in that order; returns how many. */
uint32_t snn_placer_thin(snn_placer *p, uint32_t *order, uint32_t n);
/* A random allowed set of n items (fewer where no more can be found). */
bool snn_placer_draw(snn_placer *p, snn_random *r, uint32_t n, snn_set *out, snn_error *err);

/* ---- set.c ---- */
void snn_set_free(snn_set *s);
bool snn_set_copy(snn_set *to, const snn_set *from, snn_error *err);
/* Adds or removes one item (absent or present: unchanged); forgets the score. */
bool snn_set_add(snn_set *s, uint32_t item, snn_error *err);
void snn_set_remove(snn_set *s, uint32_t item);
bool snn_set_has(const snn_set *s, uint32_t item);
/* From unsorted items with repeats. */
bool snn_set_assign(snn_set *s, const uint32_t *item, uint32_t n, snn_error *err);
/* `base` with `item` added, or removed where it is in; not scored. */
bool snn_set_toggled(snn_set *to, const snn_set *base, uint32_t item, snn_error *err);
/* Sizes the array of sets in the state (new ones are empty). */
bool snn_search_sets(snn_search_state *st, uint32_t n, snn_error *err);
/* Is a better than b (both scored)? Goal met before not met; both met: fewer bits, then smaller lead; neither: smaller loss, then fewer bits, then smaller lead; then lexicographically smaller
 * items: a total order. */
bool snn_set_better(const snn_set *a, const snn_set *b);
bool snn_score_met(const snn_score *s); /* loss == 0 */
/* Smaller (loss, lead): for sets of the same size. */
bool snn_score_less(const snn_score *a, const snn_score *b);

/* ---- front.c ---- */
/* Offers a scored set to state->best and state->front. The same whatever the order in which sets are offered. */
bool snn_search_offer(snn_search_state *st, const snn_set *s, snn_error *err);

/* ---- batch.c: the one place where candidates are evaluated ---- */
/* Scores set [n] where they are not scored yet, in parallel; counts state->evaluations; offers each to state->best and state->front. Sets that are not allowed (snn_candidates_allowed) or larger
 * than most_bits get the worst score (loss and lead infinite) without an evaluation. */
bool snn_search_score(snn_search_job *job, snn_set *set, uint32_t n, snn_error *err);
/* Scores `base` with one candidate added or, where it is in `base`, removed, for each of item [n] (any order): score [n]. The base's sums are kept (snn_probe_rebase), so that this costs far less than
 * n sets. Counts; offers the best of those that grew and the best of those that shrank. */
bool snn_search_score_toggles(snn_search_job *job, const snn_set *base, const uint32_t *item, uint32_t n,
                              snn_score *score, snn_error *err);
/* Evaluations left of the budget (UINT64_MAX without one, and in phases after the search). */
uint64_t snn_search_left(const snn_search_job *job);
/* Does a convolution stand at or behind the layer of `tensor`? */
bool snn_search_convolves(const snn_net *net, uint32_t tensor);
/* Does an evaluation take milliseconds: for that reason, or because only the engine itself knows the network (snn_net_plain)? */
bool snn_search_dear(const snn_net *net, uint32_t tensor);
/* Stream number `index` of this step. */
void snn_search_random(const snn_search_job *job, uint32_t index, snn_random *r);

/* ---- guide.c: what a search steers by where loss is too coarse or too particular ---- */
typedef enum {
    SNN_GUIDE_NONE,
    /* How far class `toward` is from being predicted for every sample: sum of max(0, out[label] - out[toward] + margin) over the samples of other classes. */
    SNN_GUIDE_TOWARD,
    /* Sum of exp(lead / softness) over the same samples: those that are nearly beaten, or nearly lost again, count most, as leads are bounded by 4 above. */
    SNN_GUIDE_SOFT,
    /* The least of SNN_GUIDE_TOWARD over all classes. */
    SNN_GUIDE_NEAREST
} snn_guide_kind;
typedef struct {
    snn_guide_kind kind;
    uint32_t toward;
    double margin, softness; /* in outputs; softness > 0 */
} snn_guide;
/* Ties count as half a spike, for who wins them; labels beyond reach as nothing. With SNN_GUIDE_SOFT leads are rounded to halves of an output. */
double snn_guide_value(const snn_guide *g, const snn_goal *goal, const snn_probe_result *r, const int *label);

/* ---- objective.c ---- */
/* From now on scores carry the guide's value; NULL: no longer. No evaluation may be in progress. */
void snn_objective_guide(snn_objective *o, const snn_guide *guide);
const snn_goal *snn_objective_goal(const snn_objective *o);
const snn_candidates *snn_objective_candidates(const snn_objective *o);
snn_arithmetic snn_objective_arithmetic(const snn_objective *o);
size_t snn_objective_samples(const snn_objective *o); /* of one chip */
uint32_t snn_objective_chips(const snn_objective *o); /* at least 1 */
int snn_objective_threads(const snn_objective *o);
const snn_net *snn_objective_net(const snn_objective *o);
const snn_spikes *snn_objective_sample(const snn_objective *o, size_t i);
int snn_objective_label(const snn_objective *o, size_t i);
/* Of everything a score depends on. */
bool snn_objective_digest(const snn_objective *o, snn_digest *d, snn_error *err);
/* One thread's buffers. */
typedef struct snn_objective_workspace snn_objective_workspace;
snn_objective_workspace *snn_objective_workspace_new(const snn_objective *o, snn_error *err);
void snn_objective_workspace_free(snn_objective_workspace *w);
/* The objective's own workspaces [threads]: made once, for batch.c. */
snn_objective_workspace *snn_objective_own(snn_objective *o, int thread, snn_error *err);
/* Score of the plain weights with candidates item [n] (ascending, each once) flipped. Thread-safe. */
bool snn_objective_eval(const snn_objective *o, const uint32_t *item, uint32_t n, snn_objective_workspace *w,
                        snn_score *score, snn_error *err);
/* The same for the base (of snn_objective_rebase) with one item added, or removed where it is in: what this costs does not grow with the base. */
bool snn_objective_toggle(const snn_objective *o, uint32_t item, snn_objective_workspace *w, snn_score *score,
                          snn_error *err);
/* Moves the base: later evaluations of sets that are close to `base` are cheap. Not thread-safe; results never depend on it. */
bool snn_objective_rebase(snn_objective *o, const snn_set *base, snn_error *err);

/* ---- order.c: rules that order candidates ---- */
/* Candidates by a rule, what it holds for the most damaging first: order and value (may be NULL) have room for candidates->n; *n: how many the rule is about. One bit of each weight: the one that changes it most.
 * SNN_RULE_CLASS_RATE: those that raise a negative weight of output row `class_`, by change x scale x mean rate of the input; the others: by change x scale (x rate), class_ is ignored. Ties: lower
 * candidate first. Rates are those of the plain network on the objective's samples; for a convolution the mean over the input channel. Errors: USAGE for a class rule without candidates in a linear last layer. */
bool snn_saliency_order(const snn_search_job *job, snn_saliency_rule rule, int class_, uint32_t *order,
                        double *value, uint32_t *n, snn_error *err);

/* ---- checkpoint.c ---- */
/* Of everything that a search's result depends on. */
bool snn_search_fingerprint(const snn_search_job *job, uint8_t out[SNN_DIGEST_BYTES], snn_error *err);
/* Atomic, 0600. */
bool snn_checkpoint_save(const snn_search_state *st, const uint8_t fingerprint[SNN_DIGEST_BYTES],
                         const char *path, snn_error *err);
/* phases: that the search has. *found: was there a file? Errors: DATA naming the file. *st is overwritten, not freed; after an error it is empty. All ranks call it. */
bool snn_checkpoint_load(snn_search_state *st, const uint8_t fingerprint[SNN_DIGEST_BYTES],
                         const snn_candidates *c, uint32_t phases, const char *path, bool *found,
                         snn_error *err);
void snn_search_state_free(snn_search_state *st);
/* All but the journal. */
bool snn_search_state_copy(snn_search_state *to, const snn_search_state *from, snn_error *err);

/* ---- ranks.c: MPI ranks (make MPI=1) ----
 * All ranks make the same steps over the same state; batch.c alone divides work. What one rank alone can know (clocks, interrupts, a failure of its part, what a checkpoint file holds)
 * must be agreed upon before anything depends on it: snn_rank_any, snn_rank_all, snn_rank_broadcast. */

#endif
