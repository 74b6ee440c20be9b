/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver of all searches: takes a search through its steps, and prune behind it; looks after budgets, progress, interrupts and checkpoints between steps.
 *
 *     empty set ──▶ phase 0: the search ──goal met?──▶ phase 1: prune ──▶ result
 *                    step, step, ...                    step, step, ...
 *
 * All that a step depends on is in the state, so that a search which was stopped after any step goes on to the same result.
 */
#include "search_internal.h"

#include <snnsim/cpu.h>

#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Checkpoints: the first one soon, later ones every ten seconds, so that a killed search loses little and a short one spends little on them. */
static const double first_save = 0.25, save_every = 10; /* seconds */

/* Why a step was given up. */
typedef enum { GOES_ON, WAS_STOPPED, IS_LATE, COULD_NOT_SAVE } giving_up;

typedef struct {
    snn_search_job job;
    snn_search_state state;
    snn_search_state before; /* a dear search: as it was when the step under way began */
    giving_up why;
    snn_error trouble; /* COULD_NOT_SAVE */
    const snn_search_hooks *hooks;
    snn_searcher const *phase[2];
    uint32_t phases;
    bool open; /* has the phase's `open` been called? */
    uint8_t fingerprint[SNN_DIGEST_BYTES];
    double start, next_save;
} driver;

static const struct {
    const char *name;
    const snn_searcher *searcher;
} kinds[] = {
    [SNN_SEARCH_GENETIC] = {"genetic", &snn_searcher_genetic},
    [SNN_SEARCH_SNNGX] = {"snngx", &snn_searcher_snngx},
    [SNN_SEARCH_GREEDY] = {"greedy", &snn_searcher_greedy},
    [SNN_SEARCH_SALIENCY] = {"saliency", &snn_searcher_saliency},
    [SNN_SEARCH_RANDOM] = {"random", &snn_searcher_random},
    [SNN_SEARCH_PARETO] = {"pareto", &snn_searcher_pareto},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *snn_search_name(snn_search_kind k) {
    return (unsigned)k < KINDS ? kinds[k].name : "unknown";
}

/* ---- phases ---- */

static const snn_searcher *current(const driver *d) {
    return d->phase[d->state.phase];
}

static bool open_phase(driver *d, snn_error *err) {
    d->job.own = NULL;
    d->open = true;
    return !current(d)->open || current(d)->open(&d->job, err);
}

static void close_phase(driver *d) {
    if (d->open && current(d)->close)
        current(d)->close(&d->job);
    d->open = false;
    d->job.own = NULL;
}

static bool start_phase(driver *d, snn_error *err) {
    snn_search_state *st = &d->state;
    st->step = 0;
    memset(st->reg, 0, sizeof st->reg);
    memset(st->real, 0, sizeof st->real);
    return snn_search_sets(st, 0, err) && open_phase(d, err) && current(d)->start(&d->job, err);
}

/* The search is over: goes on to the next phase, if there is work for it. */
static bool next_phase(driver *d, bool *over, snn_error *err) {
    snn_search_state *st = &d->state;
    if (st->phase == 0)
        st->searched = st->evaluations;
    close_phase(d);
    if (st->phase + 1 < d->phases && snn_score_met(&st->best.score)) {
        st->phase++;
        return start_phase(d, err);
    }
    st->ended = st->phase > 0;
    *over = st->over = true;
    return snn_search_sets(st, 0, err);
}

/* ---- between steps ---- */

static void tell(const driver *d) {
    const snn_search_state *st = &d->state;
    if (!d->hooks || !d->hooks->progress)
        return;
    const snn_search_progress p = {.phase = current(d)->name,
                                   .step = st->step,
                                   .evaluations = st->evaluations,
                                   .bits = st->best.n,
                                   .score = st->best.score};
    d->hooks->progress(d->hooks->context, &p);
}

static bool is_late(const driver *d) {
    const double budget = d->job.options->seconds;
    return d->state.phase == 0 && budget > 0 && snn_now() - d->start >= budget;
}

/* A budget ends the search after the first step in which evaluations brought it there: steps that evaluate nothing do not count, so that evaluations alone, as a budget, end it at the same place as time
 * did. */
static bool spent(const driver *d, uint64_t before) {
    if (d->state.phase > 0 || d->state.evaluations == before)
        return false;
    return snn_rank_any(is_late(d)) || snn_search_left(&d->job) == 0;
}

static bool save_state(driver *d, const snn_search_state *st, snn_error *err) {
    const char *path = d->job.options->checkpoint;
    bool ok = !path || snn_rank() != 0 || snn_checkpoint_save(st, d->fingerprint, path, err);
    return snn_rank_all(ok, err);
}

static bool save(driver *d, snn_error *err) {
    return save_state(d, &d->state, err);
}

static bool asked_to_stop(const driver *d) {
    return snn_rank_any(d->hooks && d->hooks->stop && *d->hooks->stop != 0);
}

static bool interrupt(driver *d, snn_error *err) {
    const char *path = d->job.options->checkpoint;
    if (!save(d, err))
        return snn_error_context(err, "interrupted");
    return path ? snn_fail(err, SNN_ERR_INTERRUPTED,
                           "the search was interrupted; --resume continues it from '%s'", path)
                : snn_fail(err, SNN_ERR_INTERRUPTED, "the search was interrupted");
}

/* Saves where it is time to. */
static bool save_in_time(driver *d, const snn_search_state *st, snn_error *err) {
    const double now = snn_now();
    if (!d->job.options->checkpoint || !snn_rank_any(now >= d->next_save))
        return true;
    const bool ok = save_state(d, st, err);
    const double pause = snn_now() - d->start;
    d->next_save = snn_now() + (pause < first_save ? first_save : pause < save_every ? pause : save_every);
    return ok;
}

/* Interrupts and checkpoints between steps. */
static bool look_around(driver *d, snn_error *err) {
    return asked_to_stop(d) ? interrupt(d, err) : save_in_time(d, &d->state, err);
}

/* In the middle of a step: what can be saved is how it began, and the journal. */
static bool look_inside(void *context) {
    driver *d = context;
    snn_search_state half = d->before;
    half.journal = d->state.journal;
    half.journaled = d->state.journaled;
    if (asked_to_stop(d))
        d->why = WAS_STOPPED;
    else if (snn_rank_any(is_late(d)))
        d->why = IS_LATE;
    else if (!save_in_time(d, &half, &d->trouble))
        d->why = COULD_NOT_SAVE;
    return d->why == GOES_ON;
}

/* Before a step of a dear search. With the journal of a step that was interrupted this is that step. */
static bool mark(driver *d, snn_error *err) {
    d->state.replayed = 0;
    return !d->job.dear || snn_search_state_copy(&d->before, &d->state, err);
}

/* Back to the beginning of the step; its journal stays. */
static void roll_back(driver *d) {
    const snn_search_state now = d->state;
    d->state = d->before;
    d->state.journal = now.journal;
    d->state.journaled = now.journaled;
    d->state.journal_capacity = now.journal_capacity;
    d->before = now;
    d->before.journal = NULL; /* of `before` there is none */
    d->before.journaled = 0;
    d->before.journal_capacity = 0;
}

/* With a larger budget a search that misses its goal can go on from where this one ended. */
static bool keep_stopped(driver *d, snn_error *err) {
    return !d->job.options->keep || snn_score_met(&d->state.best.score) || save(d, err);
}

/* Scores the empty set, from which all start. */
static bool start_search(driver *d, bool *over, snn_error *err) {
    snn_set empty = {0};
    bool ok = snn_search_score(&d->job, &empty, 1, err);
    snn_set_free(&empty);
    if (!ok)
        return false;
    *over = snn_score_met(&d->state.best.score); /* nothing to do */
    d->state.over = d->state.ended = *over;
    d->state.seed = d->job.options->seed;
    d->state.searched = d->state.evaluations;
    if (*over)
        return true;
    if (!start_phase(d, err) || (snn_search_left(&d->job) == 0 && !keep_stopped(d, err)))
        return false;
    if (snn_search_left(&d->job) == 0) /* a budget of one evaluation */
        d->state.over = d->state.stopped = *over = true;
    return true;
}

/* The checkpoint at the end: gone, or one that gives the result again. */
static bool leave(driver *d, snn_error *err) {
    const snn_search_options *o = d->job.options;
    if (!o->checkpoint || (o->keep && d->state.stopped && !snn_score_met(&d->state.best.score)))
        return true;
    if (o->keep)
        return save(d, err);
    if (snn_rank() == 0)
        remove(o->checkpoint); /* that there may be none is fine */
    return true;
}

/* A step was given up: what the search had come to before is the result. */
static bool give_up(driver *d, bool *done, snn_error *err) {
    roll_back(d);
    if (d->why == WAS_STOPPED)
        return interrupt(d, err);
    if (d->why == COULD_NOT_SAVE) {
        if (err)
            *err = d->trouble;
        return false;
    }
    d->why = GOES_ON;
    if (!keep_stopped(d, err))
        return false;
    d->state.journaled = 0; /* a phase behind it has its own */
    d->state.stopped = *done = true;
    return true;
}

/* One step, and what budgets say to it. */
static bool advance(driver *d, bool *done, snn_error *err) {
    const uint64_t before = d->state.evaluations;
    if (!mark(d, err))
        return false;
    d->job.look = d->job.dear ? look_inside : NULL;
    const bool ok = current(d)->step(&d->job, done, err);
    d->job.look = NULL;
    if (!ok)
        return d->why != GOES_ON ? give_up(d, done, err)
                                 : snn_error_context(err, "search '%s'", current(d)->name);
    d->state.step++;
    d->state.journaled = 0;
    tell(d);
    if (*done || !spent(d, before))
        return true;
    if (!keep_stopped(d, err))
        return false;
    d->state.stopped = *done = true;
    return true;
}

static bool walk(driver *d, bool over, snn_error *err) {
    while (!over) {
        bool done = false;
        if (!advance(d, &done, err))
            return false;
        if (done && !next_phase(d, &over, err))
            return false;
        if (!over && !look_around(d, err))
            return false;
    }
    return true;
}

/* ---- result ---- */

static bool give_flips(const snn_candidates *c, const snn_set *s, snn_flips *out, snn_error *err) {
    out->flip = snn_alloc(s->n, sizeof *out->flip, "flips", err);
    if (!out->flip)
        return false;
    out->n = s->n;
    for (uint32_t i = 0; i < s->n; i++)
        out->flip[i] = c->flip[s->item[i]];
    return true;
}

static bool give_front(const driver *d, snn_search_result *out, snn_error *err) {
    const snn_search_state *st = &d->state;
    out->front = snn_alloc(st->points, sizeof *out->front, "the front of a search", err);
    for (uint32_t i = 0; out->front && i < st->points; i++) {
        const snn_set *s = &st->front[i];
        out->front[i].bits = s->n;
        out->front[i].score = s->score;
        out->points++;
        if (!give_flips(d->job.candidates, s, &out->front[i].flips, err))
            return false;
    }
    return out->front != NULL;
}

static bool give(driver *d, snn_search_result *out, snn_error *err) {
    const snn_search_state *st = &d->state;
    snn_objective_workspace *w = snn_objective_own(d->job.objective, 0, err);
    out->score = st->best.score;
    out->met = snn_score_met(&st->best.score);
    out->stopped = st->stopped;
    out->minimal = out->met && st->ended;
    out->evaluations = st->evaluations;
    out->searched = st->searched;
    out->seconds = snn_now() - d->start;
    return w && snn_objective_eval(d->job.objective, NULL, 0, w, &out->plain, err) &&
           give_flips(d->job.candidates, &st->best, &out->flips, err) && give_front(d, out, err);
}

/* Positions are secrets. */
static void wipe(snn_flips *f) {
    if (f->flip)
        sodium_memzero(f->flip, f->n * sizeof *f->flip);
    free(f->flip);
}

void snn_search_free(snn_search_result *r) {
    for (uint32_t i = 0; i < r->points; i++)
        wipe(&r->front[i].flips);
    free(r->front);
    wipe(&r->flips);
    *r = (snn_search_result){0};
}

/* ---- the whole ---- */

static bool check_options(const snn_search_options *o, snn_error *err) {
    if ((unsigned)o->kind >= KINDS)
        return snn_fail(err, SNN_ERR_USAGE, "unknown search %d", (int)o->kind);
    if (!kinds[o->kind].searcher)
        return snn_fail(err, SNN_ERR_USAGE, "search '%s' is not there yet", kinds[o->kind].name);
    if (!(o->seconds >= 0))
        return snn_fail(err, SNN_ERR_USAGE, "a budget of %g seconds, expected 0 (none) or more", o->seconds);
    if (o->resume && !o->checkpoint)
        return snn_fail(err, SNN_ERR_USAGE, "a search can only be resumed from a checkpoint file");
    return true;
}

static bool resume(driver *d, bool *over, snn_error *err) {
    *over = d->state.over;
    if (*over)
        return true;
    if (!open_phase(d, err))
        return false;
    if (current(d)->sound && !current(d)->sound(&d->job))
        return snn_fail(err, SNN_ERR_DATA, "checkpoint '%s': holds no state that a search can be in",
                        d->job.options->checkpoint);
    return true;
}

static bool begin(driver *d, bool *over, snn_error *err) {
    const snn_search_options *o = d->job.options;
    bool found = false;
    d->job.placer = snn_placer_new(d->job.candidates, err);
    if (!d->job.placer)
        return false;
    if (o->checkpoint && !snn_search_fingerprint(&d->job, d->fingerprint, err))
        return false;
    if (o->resume && !snn_checkpoint_load(&d->state, d->fingerprint, d->job.candidates, d->phases,
                                          o->checkpoint, &found, err))
        return false;
    return found ? resume(d, over, err) : start_search(d, over, err);
}

bool snn_search(snn_objective *objective, const snn_search_options *options, const snn_search_hooks *hooks,
                snn_search_result *out, snn_error *err) {
    *out = (snn_search_result){0};
    if (!check_options(options, err))
        return false;
    driver d = {.job = {.objective = objective,
                        .candidates = snn_objective_candidates(objective),
                        .options = options},
                .hooks = hooks,
                .phase = {kinds[options->kind].searcher, &snn_searcher_prune},
                .phases = options->prune ? 2 : 1,
                .start = snn_now()};
    d.job.state = &d.state;
    d.job.context = &d;
    d.next_save = d.start;
    d.job.dear = snn_search_dear(snn_objective_net(objective), d.job.candidates->flip[0].tensor);
    bool over = false;
    bool ok = begin(&d, &over, err) && walk(&d, over, err) && give(&d, out, err) && leave(&d, err);
    close_phase(&d);
    snn_placer_free(d.job.placer);
    snn_search_state_free(&d.state);
    snn_search_state_free(&d.before);
    if (!ok)
        snn_search_free(out);
    return ok;
}
