/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of bits for the genetic search in networks with convolutions, where single bits hardly show: a trained convolution shrugs off any one sign, but not a whole kernel that turns into a blob
 * detector (its negative weights flipped: it fires wherever anything moves) or falls silent (its positive ones flipped). A line is what raises, or lowers, the sums of one output channel or neuron, by
 * change x input rate; groups are its first 4, 8, 16, 32 bits, or all. A tribe takes up the group that brings all samples nearest to its class for each bit, less the bits of it that hardly matter.
 */
#include "genetic.h"
#include "order.h"

#include <math.h>
#include <string.h>

enum {
    LINES = 256,     /* in all: as many of each layer */
    LONGEST = 32,    /* bits of a line */
    SHORTEST = 4,    /* of a group; then twice as many, ... */
    LADDER = 5,      /* groups of a line */
    STRENGTH_OF = 8, /* lines are compared by so many of their bits */
    SCOUTED = 2,     /* groups after which it shows which classes are near */
    TRIMS = 16       /* sizes of what may be trimmed at once */
};
/* A bit of a group that brings less than this share of the group's mean gain is left out. */
#define TRIM_SHARE 0.25

/* ---- lines ---- */

typedef struct {
    double value;
    uint32_t item;
} valued;

static int by_value(const void *a, const void *b) {
    const valued *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

typedef struct {
    double strength;
    uint32_t first, end; /* candidates of its output */
    bool raises;
} sketch;

static int by_strength(const void *a, const void *b) {
    const sketch *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength > y->strength ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (int)x->raises - (int)y->raises;
}

/* Candidates first .. end of one output that raise (lower) its sums, the strongest first, one bit of each weight: into v; returns how many. */
static uint32_t collect(const snn_candidates *c, const snn_rates *r, const sketch *s, valued *v) {
    uint32_t n = 0;
    for (uint32_t i = s->first; i < s->end; i++) {
        const snn_flip *f = &c->flip[i];
        const snn_tensor *t = &c->weights->tensor[f->tensor];
        if ((c->dq[i] > 0) != s->raises)
            continue;
        const double change = fabs((double)c->dq[i]) * (double)snn_weight_scale(t, f->index),
                     value = change * snn_rate_at(r, t, f->tensor, f->index);
        if (n == 0 || !snn_candidate_same(&c->flip[v[n - 1].item], f))
            v[n++] = (valued){value, i};
        else if (value > v[n - 1].value)
            v[n - 1] = (valued){value, i};
    }
    qsort(v, n, sizeof *v, by_value);
    return n;
}

/* Where the candidates of the output of candidate `first` end. */
static uint32_t end_of_output(const snn_candidates *c, uint32_t first) {
    const snn_flip *f = &c->flip[first];
    const snn_tensor *t = &c->weights->tensor[f->tensor];
    const uint64_t inputs = t->count / t->shape[0], output = f->index / inputs;
    uint32_t end = first;
    while (end < c->n && c->flip[end].tensor == f->tensor && c->flip[end].index / inputs == output)
        end++;
    return end;
}

/* All lines of the tensor that candidate *next is of, into *found (grown); *next: the next tensor's first. */
static bool sketch_tensor(const snn_candidates *c, const snn_rates *r, valued *v, uint32_t *next,
                          sketch **found, size_t *room, uint32_t *n, snn_error *err) {
    const uint32_t tensor = c->flip[*next].tensor;
    *n = 0;
    while (*next < c->n && c->flip[*next].tensor == tensor) {
        const uint32_t end = end_of_output(c, *next);
        if (!snn_grow((void **)found, room, (size_t)*n + 2, sizeof **found, err))
            return false;
        for (int raises = 0; raises < 2; raises++) {
            sketch s = {.first = *next, .end = end, .raises = raises == 1};
            const uint32_t bits = collect(c, r, &s, v);
            for (uint32_t i = 0; i < bits && i < STRENGTH_OF; i++)
                s.strength += v[i].value;
            if (bits > 0)
                (*found)[(*n)++] = s;
        }
        *next = end;
    }
    qsort(*found, *n, sizeof **found, by_strength);
    return true;
}

static bool add_line(snn_genetic_plan *p, const valued *v, uint32_t n, snn_error *err) {
    snn_bit_list *l = &p->line[p->lines++];
    l->n = n < LONGEST ? n : LONGEST;
    l->item = snn_alloc(l->n, sizeof *l->item, "bits of a line", err);
    for (uint32_t i = 0; l->item && i < l->n; i++)
        l->item[i] = v[i].item;
    return l->item != NULL;
}

/* At least one: there are always candidates. */
static uint32_t tensors_of(const snn_candidates *c) {
    uint32_t n = 1;
    for (uint32_t i = 1; i < c->n; i++)
        n += c->flip[i].tensor != c->flip[i - 1].tensor;
    return n;
}

bool snn_genetic_lines(const snn_search_job *job, const snn_rates *r, snn_genetic_plan *p, snn_error *err) {
    const snn_candidates *c = job->candidates;
    const snn_net *net = snn_objective_net(job->objective);
    const uint32_t output = (uint32_t)net->layer[net->layers - 1].tensor, tensors = tensors_of(c),
                   each = LINES / tensors > 0 ? LINES / tensors : 1;
    p->line = snn_alloc((size_t)each * tensors, sizeof *p->line, "lines of bits", err);
    valued *v = p->line ? snn_alloc(c->n, sizeof *v, "lines of bits", err) : NULL;
    sketch *s = NULL;
    size_t room = 0;
    bool ok = v != NULL;
    for (uint32_t next = 0; ok && next < c->n;) {
        const bool rows = p->rows && c->flip[next].tensor == output; /* tribes have these to themselves */
        uint32_t n;
        ok = sketch_tensor(c, r, v, &next, &s, &room, &n, err);
        for (uint32_t i = 0; ok && !rows && i < n && i < each; i++)
            ok = add_line(p, v, collect(c, r, &s[i], v), err);
    }
    free(s);
    free(v);
    return ok;
}

/* ---- taking one up ---- */

typedef struct {
    snn_set *set; /* [n] */
    uint32_t n;
} trials;

static void trials_free(trials *t) {
    for (uint32_t i = 0; t->set && i < t->n; i++)
        snn_set_free(&t->set[i]);
    free(t->set);
}

/* `s` with the first `size` bits of a line that may be keyed beside it and each other. */
static bool make_trial(const snn_search_job *job, const snn_set *s, const snn_bit_list *l, uint32_t size,
                       snn_set *to, snn_error *err) {
    uint32_t taken = 0;
    snn_placer_load(job->placer, s);
    bool ok = snn_set_copy(to, s, err);
    for (uint32_t i = 0; ok && i < l->n && taken < size; i++) {
        const bool had = snn_placer_has(job->placer, l->item[i]);
        if (!had && !snn_placer_add(job->placer, l->item[i]))
            continue;
        ok = had || snn_set_add(to, l->item[i], err);
        taken++;
    }
    to->scored = false;
    return ok;
}

/* `s` with the groups of all lines; a group that is no larger than the one before is the same one. */
static bool make_trials(const snn_search_job *job, const snn_set *s, trials *t, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    t->set = snn_alloc((size_t)p->lines * LADDER, sizeof *t->set, "groups", err);
    if (!t->set)
        return false;
    for (uint32_t i = 0; i < p->lines; i++) {
        bool all = false;
        uint32_t before = s->n;
        for (uint32_t size = SHORTEST; !all; size *= 2) {
            snn_set *to = &t->set[t->n++];
            if (!make_trial(job, s, &p->line[i], size, to, err))
                return false;
            all = size >= p->line[i].n;
            if (to->n > before)
                before = to->n;
            else
                snn_set_free(&t->set[--t->n]);
        }
    }
    return true;
}

static double gain(const snn_set *from, const snn_set *to) {
    return (from->score.guide - to->score.guide) / ((double)to->n - from->n);
}

typedef struct {
    double guide;
    uint32_t item;
} cheap;

static int by_guide(const void *a, const void *b) {
    const cheap *x = a, *y = b;
    if (x->guide != y->guide)
        return x->guide < y->guide ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Of scores of single removals: those that cost at most `each`, the cheapest first. */
static uint32_t list_cheap(const snn_set *s, const snn_score *score, double each, cheap *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (score[i].guide - s->score.guide <= each)
            out[n++] = (cheap){score[i].guide, s->item[i]};
    qsort(out, n, sizeof *out, by_guide);
    return n;
}

/*
 * Leaves out the most of `s` at once that costs at most `each` a bit: the first n, n/2, n/4, ... of what singly is cheap. What is left must have more than `bits` bits, or be nearer than `nearest`:
 * otherwise a tribe could take up a group and lose as much of what it had, for ever.
 */
static bool trim(snn_search_job *job, snn_set *s, double each, uint32_t bits, double nearest,
                 snn_error *err) {
    snn_score *score = snn_alloc(s->n, sizeof *score, "scores of removals", err);
    cheap *some = score ? snn_alloc(s->n, sizeof *some, "removals", err) : NULL;
    snn_set trial[TRIMS] = {0};
    uint32_t trials = 0;
    bool ok = some && snn_search_score_toggles(job, s, s->item, s->n, score, err);
    const uint32_t n = ok ? list_cheap(s, score, each, some) : 0;
    for (uint32_t k = n; ok && k > 0 && trials < TRIMS; k /= 2) {
        ok = snn_set_copy(&trial[trials], s, err);
        for (uint32_t i = 0; ok && i < k; i++)
            snn_set_remove(&trial[trials], some[i].item);
        trials++;
    }
    ok = ok && snn_search_score(job, trial, trials, err);
    for (uint32_t i = 0; ok && i < trials; i++)
        if (trial[i].score.guide <= s->score.guide + each * (s->n - trial[i].n) &&
            (trial[i].n > bits || trial[i].score.guide < nearest)) {
            ok = snn_set_copy(s, &trial[i], err);
            break;
        }
    for (uint32_t i = 0; i < TRIMS; i++)
        snn_set_free(&trial[i]);
    free(some);
    free(score);
    return ok;
}

/* The bit of item [n] that brings most, if it is more than *most: *best is `s` with it. */
static bool best_single(snn_search_job *job, const snn_set *s, const uint32_t *item, uint32_t n, double *most,
                        snn_set *best, snn_error *err) {
    snn_score *score = snn_alloc(n, sizeof *score, "scores of bits", err);
    bool ok = score && (n == 0 || snn_search_score_toggles(job, s, item, n, score, err));
    uint32_t at = n;
    for (uint32_t i = 0; ok && i < n; i++)
        if (!snn_set_has(s, item[i]) && s->score.guide - score[i].guide > *most) {
            *most = s->score.guide - score[i].guide;
            at = i;
        }
    if (at < n) {
        ok = snn_set_copy(best, s, err) && snn_set_add(best, item[at], err);
        best->score = score[at];
        best->scored = ok;
    }
    free(score);
    return ok;
}

/* The group that brings most for each bit, likewise. */
static bool best_group(snn_search_job *job, const snn_set *s, double *most, snn_set *best, snn_error *err) {
    trials t = {0};
    bool ok = make_trials(job, s, &t, err) && snn_search_score(job, t.set, t.n, err);
    const snn_set *found = NULL;
    for (uint32_t i = 0; ok && i < t.n; i++)
        if (gain(s, &t.set[i]) > *most) {
            *most = gain(s, &t.set[i]);
            found = &t.set[i];
        }
    ok = ok && (!found || snn_set_copy(best, found, err));
    trials_free(&t);
    return ok;
}

/* Adds the best group, or the best bit of item [n] where that brings as much. *nearest: the least guide after any such turn, 0 before the first one. */
static bool add_group(snn_search_job *job, snn_set *s, const uint32_t *item, uint32_t n, double *nearest,
                      bool *added, snn_error *err) {
    snn_set best = {0};
    double most = 0;
    s->scored = false;
    bool ok = snn_search_score(job, s, 1, err) && best_single(job, s, item, n, &most, &best, err) &&
              best_group(job, s, &most, &best, err);
    *added = ok && best.n > 0;
    if (*added) {
        const uint32_t bits = s->n;
        const double least = *nearest > 0 ? *nearest : s->score.guide;
        ok = snn_set_copy(s, &best, err) &&
             (best.n == bits + 1 || trim(job, s, TRIM_SHARE * most, bits, least, err));
        *nearest = s->score.guide < least ? s->score.guide : least;
    }
    snn_set_free(&best);
    return ok;
}

/* ---- which classes ---- */

bool snn_genetic_scout(snn_search_job *job, snn_set *s, snn_error *err) {
    const snn_guide nearest = {
        .kind = SNN_GUIDE_NEAREST, .margin = snn_objective_goal(job->objective)->margin + 1, .softness = 1};
    bool ok = true, added = true;
    double least = 0;
    snn_objective_guide(job->objective, &nearest);
    for (int turn = 0; ok && added && turn < SCOUTED; turn++)
        ok = add_group(job, s, NULL, 0, &least, &added, err);
    snn_objective_guide(job->objective, NULL);
    return ok;
}

bool snn_genetic_add_group(snn_search_job *job, uint32_t tribe, snn_set *s, const uint32_t *item, uint32_t n,
                           bool *added, snn_error *err) {
    const snn_genetic_plan *p = job->own;
    *added = false;
    if (p->lines == 0)
        return true;
    const snn_guide toward = snn_genetic_guide(job, tribe, SNN_GUIDE_TOWARD);
    snn_objective_guide(job->objective, &toward);
    const bool ok = add_group(job, s, item, n, &job->state->real[tribe], added, err);
    snn_objective_guide(job->objective, NULL);
    return ok;
}
