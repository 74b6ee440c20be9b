/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of bits, by which the genetic search grows sets in networks with convolutions: which lines there are, which group is taken up and what is trimmed of it, against plain definitions; scouts;
 * limits of row words; and pruning by parts, which must leave a set from which no bit can be left out.
 */
#include "search_test.h"

#include "../../crypto/genetic.h"

enum { LINE = 32, STRENGTH_OF = 8, SEED = 30 /* all four classes have samples */ };

#define TWO_CONV                                                                                             \
    "{name=\"c\"; type=\"conv2d\"; channels=5; kernel=3; padding=1;}, {name=\"p\"; type=\"pool_max\"; "      \
    "kernel=2;}, {name=\"d\"; type=\"conv2d\"; channels=4; kernel=3; padding=1;}, {name=\"f\"; "             \
    "type=\"flatten\";}, {name=\"b\"; type=\"linear\"; outputs=4;}"

/* A genetic search before its first step. */
typedef struct {
    search_rig g;
    snn_map *map;
    snn_search_options options;
    snn_search_state state;
    snn_search_job job;
} stand;

static void stand_open(stand *s, uint64_t seed, uint32_t word_limit, int bits, bool last_too) {
    snn_error err = {0};
    *s = (stand){.g = rig_make(TWO_CONV, (snn_shape){2, 8, 6}, 16, 5, SNN_SIGN_MAGNITUDE, seed)};
    search_rig *g = &s->g;
    const snn_map_options mo = {.rows = 32, .columns = 32, .cell_bits = 1};
    s->map = snn_map_new(g->net, g->weights, &mo, &err);
    must(s->map != NULL, &err);
    const bool tensor[3] = {true, true, last_too};
    const snn_candidate_options co = {
        .tensor = tensor, .bits = bits, .eligible = 1, .word_limit = word_limit, .map = s->map};
    g->candidates = snn_candidates_new(g->weights, &co, &err);
    must(g->candidates != NULL, &err);
    g->goal = (snn_goal){.target = 4, .margin = 1, .largest = 16, .most = RIG_STEPS};
    snn_objective_options oo;
    rig_search_options(g, 1, &oo);
    g->objective = snn_objective_new(&oo, g->candidates, g->sample, g->label, g->n, &err);
    must(g->objective != NULL, &err);
    s->options = (snn_search_options){.kind = SNN_SEARCH_GENETIC, .seed = 3};
    s->job = (snn_search_job){.objective = g->objective,
                              .candidates = g->candidates,
                              .options = &s->options,
                              .state = &s->state,
                              .placer = snn_placer_new(g->candidates, &err)};
    must(s->job.placer && snn_searcher_genetic.open(&s->job, &err) &&
             snn_searcher_genetic.start(&s->job, &err),
         &err);
}

static void stand_close(stand *s) {
    snn_searcher_genetic.close(&s->job);
    snn_search_state_free(&s->state);
    snn_placer_free(s->job.placer);
    rig_close(&s->g);
    snn_map_free(s->map);
}

static uint64_t output_of(const search_rig *g, uint32_t item) {
    const snn_flip *f = &g->candidates->flip[item];
    const snn_tensor *t = &g->weights->tensor[f->tensor];
    return f->index / (t->count / t->shape[0]);
}

static double value_of(const search_rig *g, const snn_rates *r, uint32_t item) {
    const snn_flip *f = &g->candidates->flip[item];
    const snn_tensor *t = &g->weights->tensor[f->tensor];
    return fabs((double)g->candidates->dq[item]) * (double)snn_weight_scale(t, f->index) *
           snn_rate_at(r, t, f->tensor, f->index);
}

/* ---- lines ---- */

/* One direction of one output; its bits by value, ties by number; those of its 32 best that are missing are other bits of the same weights. */
static void check_line(const search_rig *g, const snn_rates *r, const snn_bit_list *l) {
    const snn_candidates *c = g->candidates;
    assert_true(l->n > 0 && l->n <= LINE);
    double least = INFINITY;
    for (uint32_t i = 0; i < l->n; i++) {
        const uint32_t x = l->item[i];
        const double v = value_of(g, r, x);
        assert_true(v < least || (v == least && x > l->item[i - 1]));
        least = v;
        assert_int_equal(c->flip[x].tensor, c->flip[l->item[0]].tensor);
        assert_int_equal(output_of(g, x), output_of(g, l->item[0]));
        assert_int_equal(c->dq[x] > 0, c->dq[l->item[0]] > 0);
        for (uint32_t k = 0; k < i; k++)
            assert_false(snn_candidate_same(&c->flip[x], &c->flip[l->item[k]]));
    }
    for (uint32_t x = 0; x < c->n; x++) {
        if (c->flip[x].tensor != c->flip[l->item[0]].tensor || output_of(g, x) != output_of(g, l->item[0]) ||
            (c->dq[x] > 0) != (c->dq[l->item[0]] > 0))
            continue;
        bool in = false; /* it, or a bit of its weight that is worth as much or more */
        for (uint32_t i = 0; i < l->n; i++)
            in |= snn_candidate_same(&c->flip[x], &c->flip[l->item[i]]) &&
                  value_of(g, r, l->item[i]) >= value_of(g, r, x);
        assert_true(in || (l->n == LINE && value_of(g, r, x) <= least));
    }
}

static double strength(const search_rig *g, const snn_rates *r, const snn_bit_list *l) {
    double sum = 0;
    for (uint32_t i = 0; i < l->n && i < STRENGTH_OF; i++)
        sum += value_of(g, r, l->item[i]);
    return sum;
}

static void lines(void **state) {
    (void)state;
    for (int last_too = 0; last_too < 2; last_too++)
        for (int bits = 0; bits < 2; bits++) {
            snn_error err = {0};
            stand s;
            snn_rates r;
            stand_open(&s, SEED, 0, bits, last_too);
            const snn_genetic_plan *p = s.job.own;
            must(snn_rates_new(&r, s.g.objective, &err), &err);
            assert_true(p->dear && p->rows == last_too && p->keep_first == last_too);
            /* 5 and 4 channels, up and down; the output layer is the tribes' own. */
            assert_int_equal(p->lines, 18);
            for (uint32_t i = 0; i < p->lines; i++) {
                const uint32_t tensor = s.g.candidates->flip[p->line[i].item[0]].tensor;
                check_line(&s.g, &r, &p->line[i]);
                assert_int_equal(tensor, i < 10 ? 0 : 1);
                if (i % 10 != 0)
                    assert_true(strength(&s.g, &r, &p->line[i]) <= strength(&s.g, &r, &p->line[i - 1]));
                for (uint32_t k = 0; k < i; k++)
                    assert_int_not_equal(p->line[i].item[0], p->line[k].item[0]);
            }
            snn_rates_free(&r);
            stand_close(&s);
        }
}

/* ---- taking up a group ---- */

/* Scores of a set under a guide. */
static snn_score guided(stand *s, const snn_guide *guide, const uint32_t *item, uint32_t n) {
    snn_error err = {0};
    snn_score score;
    snn_objective_workspace *w = snn_objective_workspace_new(s->g.objective, &err);
    assert_non_null(w);
    snn_objective_guide(s->g.objective, guide);
    must(snn_objective_eval(s->g.objective, item, n, w, &score, &err), &err);
    snn_objective_guide(s->g.objective, NULL);
    snn_objective_workspace_free(w);
    return score;
}

/* The most that a group brings for each of its bits on top of `from`; *group: the first such. */
static double most_gain(stand *s, const snn_guide *guide, const snn_set *from, snn_set *group) {
    snn_error err = {0};
    const snn_genetic_plan *p = s->job.own;
    const double before = guided(s, guide, from->item, from->n).guide;
    double most = 0;
    snn_set t = {0};
    for (uint32_t i = 0; i < p->lines; i++)
        for (uint32_t size = 4; size <= LINE; size *= 2) {
            must(snn_set_copy(&t, from, &err), &err);
            for (uint32_t k = 0; k < size && k < p->line[i].n; k++)
                must(snn_set_add(&t, p->line[i].item[k], &err), &err);
            if (t.n == from->n)
                continue;
            const double gain = (before - guided(s, guide, t.item, t.n).guide) / (t.n - from->n);
            if (gain > most) {
                most = gain;
                must(snn_set_copy(group, &t, &err), &err);
            }
        }
    snn_set_free(&t);
    return most;
}

/* Bits of a group by what goes with each alone. */
typedef struct {
    double guide;
    uint32_t item;
} lone;

static int dearer(const void *a, const void *b) {
    const lone *x = a, *y = b;
    return x->guide != y->guide ? (x->guide > y->guide) - (x->guide < y->guide)
                                : (x->item > y->item) - (x->item < y->item);
}

/* What of the group stays: without the first n, n/2, n/4, ... of the bits that alone cost at most a quarter of its mean gain, if they cost no more together, and more than `bits` bits are left, or a set
 * that is nearer than *nearest, which follows. One bit more is no group. */
static void trimmed(stand *st, const snn_guide *guide, snn_set *group, double most, uint32_t bits,
                    double *nearest) {
    snn_error err = {0};
    const double whole = guided(st, guide, group->item, group->n).guide;
    lone *l = calloc(group->n, sizeof *l);
    snn_set t = {0};
    uint32_t n = 0;
    double now = whole;
    for (uint32_t i = 0; i < group->n; i++) {
        must(snn_set_copy(&t, group, &err), &err);
        snn_set_remove(&t, group->item[i]);
        const lone x = {guided(st, guide, t.item, t.n).guide, group->item[i]};
        if (x.guide <= whole + 0.25 * most)
            l[n++] = x;
    }
    qsort(l, n, sizeof *l, dearer);
    for (uint32_t k = group->n > bits + 1 ? n : 0; k > 0; k /= 2) {
        must(snn_set_copy(&t, group, &err), &err);
        for (uint32_t i = 0; i < k; i++)
            snn_set_remove(&t, l[i].item);
        const double x = guided(st, guide, t.item, t.n).guide;
        if (x <= whole + 0.25 * most * k && (t.n > bits || x < *nearest)) {
            must(snn_set_copy(group, &t, &err), &err);
            now = x;
            break;
        }
    }
    *nearest = now < *nearest ? now : *nearest;
    snn_set_free(&t);
    free(l);
}

static void same_set(const snn_set *a, const snn_set *b) {
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->item, b->item, a->n * sizeof *a->item);
}

static void grow(uint64_t seed, uint32_t *compared, uint32_t *shorter) {
    snn_error err = {0};
    stand s;
    stand_open(&s, seed, 0, 1, false);
    const snn_genetic_plan *p = s.job.own;
    for (uint32_t tribe = 0; tribe < p->tribes; tribe++) {
        const snn_guide guide = snn_genetic_guide(&s.job, tribe, SNN_GUIDE_TOWARD);
        snn_set set = {0}, group = {0};
        double nearest = guided(&s, &guide, NULL, 0).guide;
        for (int turn = 0; turn < 6; turn++) {
            bool added;
            const uint32_t bits = set.n;
            const double most = most_gain(&s, &guide, &set, &group);
            must(snn_genetic_add_group(&s.job, tribe, &set, NULL, 0, &added, &err), &err);
            assert_int_equal(added, most > 0);
            if (!added)
                break;
            const uint32_t size = group.n;
            trimmed(&s, &guide, &group, most, bits, &nearest);
            same_set(&set, &group);
            assert_true(set.scored && s.state.real[tribe] == nearest);
            ++*compared;
            *shorter += set.n < size;
        }
        snn_set_free(&set);
        snn_set_free(&group);
    }
    stand_close(&s);
}

static void groups(void **state) {
    (void)state;
    uint32_t compared = 0, shorter = 0;
    static const uint64_t seeds[] = {SEED, 7, 15, 18, 27, 29, 38};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i += SANITIZED ? 7 : 1)
        grow(seeds[i], &compared, &shorter);
    print_message("%u groups, %u trimmed\n", compared, shorter);
    assert_true(compared > 10 && shorter > 10);
}

/* A set full of bits that do nothing loses more of them than the group brings; unless it was nearer before, in real[tribe], and so might come to where it has been. */
static void never_for_ever(void **state) {
    (void)state;
    uint32_t shrunk = 0;
    for (int nearer = 0; nearer < 2; nearer++) {
        snn_error err = {0};
        stand s;
        stand_open(&s, SEED, 0, 1, false);
        for (uint32_t tribe = 0; tribe < 4; tribe++) {
            const snn_guide guide = snn_genetic_guide(&s.job, tribe, SNN_GUIDE_TOWARD);
            snn_set set = {0}, group = {0};
            snn_random r;
            snn_random_init(&r, 5, SNN_PURPOSE_TEST, tribe);
            must(snn_placer_draw(s.job.placer, &r, 24, &set, &err), &err);
            double nearest = nearer ? 1e-9 : guided(&s, &guide, set.item, set.n).guide;
            s.state.real[tribe] = nearer ? nearest : 0;
            const uint32_t bits = set.n;
            const double most = most_gain(&s, &guide, &set, &group);
            bool added;
            must(snn_genetic_add_group(&s.job, tribe, &set, NULL, 0, &added, &err), &err);
            if (added) {
                trimmed(&s, &guide, &group, most, bits, &nearest);
                same_set(&set, &group);
                assert_true(!nearer || set.n > bits || set.score.guide == 0);
                shrunk += set.n <= bits;
            }
            snn_set_free(&set);
            snn_set_free(&group);
        }
        stand_close(&s);
    }
    assert_true(shrunk > 0);
}

/* A bit that brings more than any group does for each of its bits is preferred. */
static void singles(void **state) {
    (void)state;
    snn_error err = {0};
    stand s;
    stand_open(&s, SEED, 0, 0, true);
    const snn_genetic_plan *p = s.job.own;
    uint32_t preferred = 0, grouped = 0;
    for (uint32_t tribe = 0; tribe < p->tribes; tribe++) {
        const snn_guide guide = snn_genetic_guide(&s.job, tribe, SNN_GUIDE_TOWARD);
        const double before = guided(&s, &guide, NULL, 0).guide;
        snn_set set = {0}, group = {0};
        const double most = most_gain(&s, &guide, &set, &group);
        double best = 0;
        uint32_t item = 0;
        for (uint32_t i = 0; i < p->row[tribe].n; i++) {
            const double gain = before - guided(&s, &guide, &p->row[tribe].item[i], 1).guide;
            if (gain > best) {
                best = gain;
                item = p->row[tribe].item[i];
            }
        }
        bool added;
        must(snn_genetic_add_group(&s.job, tribe, &set, p->row[tribe].item, p->row[tribe].n, &added, &err),
             &err);
        assert_int_equal(added, best > 0 || most > 0);
        if (added && best >= most) {
            assert_true(set.n == 1 && set.item[0] == item);
            preferred++;
        } else if (added) {
            double nearest = before;
            trimmed(&s, &guide, &group, most, 0, &nearest);
            same_set(&set, &group);
            grouped++;
        }
        snn_set_free(&set);
        snn_set_free(&group);
    }
    print_message("%u bits, %u groups\n", preferred, grouped);
    assert_true(preferred > 0);
    stand_close(&s);
}

/* With a limit of row words a group leaves out what finds no place, and the rest is taken. */
static void limits(void **state) {
    (void)state;
    snn_error err = {0};
    for (uint32_t limit = 1; limit <= 2; limit++) {
        stand s;
        stand_open(&s, SEED, limit, 0, false);
        uint32_t large = 0;
        for (uint32_t tribe = 0; tribe < ((snn_genetic_plan *)s.job.own)->tribes; tribe++) {
            snn_set set = {0};
            bool added = true;
            for (int turn = 0; added && turn < 4; turn++) {
                const uint32_t bits = set.n;
                must(snn_genetic_add_group(&s.job, tribe, &set, NULL, 0, &added, &err), &err);
                assert_true(snn_candidates_allowed(s.g.candidates, set.item, set.n));
                assert_true(!added || isfinite(set.score.loss));
                large += set.n > bits + 1;
            }
            snn_set_free(&set);
        }
        assert_true(large > 1); /* groups, not just bits */
        stand_close(&s);
    }
}

/* ---- scouts ---- */

static uint32_t alive(const stand *s) {
    uint32_t n = 0;
    for (uint64_t left = s->state.reg[GENETIC_ALIVE]; left; left &= left - 1)
        n++;
    return n;
}

/* Two groups that bring all samples nearer to whichever class; then the three classes that they bring them nearest to stay. */
static uint32_t scout_once(uint64_t seed) {
    uint32_t turns = 0;
    snn_error err = {0};
    stand s;
    stand_open(&s, seed, 0, 1, false);
    const snn_genetic_plan *p = s.job.own;
    const snn_guide nearest = {.kind = SNN_GUIDE_NEAREST, .margin = 2};
    snn_set set = {0}, group = {0};
    double least = guided(&s, &nearest, NULL, 0).guide;
    for (int turn = 0; turn < 2; turn++) {
        snn_set before = {0};
        must(snn_set_copy(&before, &group, &err), &err);
        const double most = most_gain(&s, &nearest, &before, &group);
        turns += most > 0;
        if (most > 0)
            trimmed(&s, &nearest, &group, most, before.n, &least);
        snn_set_free(&before);
    }
    must(snn_genetic_scout(&s.job, &set, &err), &err);
    same_set(&set, &group);
    const double after = guided(&s, &nearest, set.item, set.n).guide;
    bool over = false;
    while (s.state.reg[GENETIC_STAGE] == GENETIC_SCREEN)
        must(snn_searcher_genetic.step(&s.job, &over, &err), &err);
    assert_int_equal(alive(&s), 4);
    must(snn_searcher_genetic.step(&s.job, &over, &err), &err);
    assert_int_equal(s.state.reg[GENETIC_SCOUTED], 1);
    assert_int_equal(alive(&s), 3);
    double given_up = 0, kept = 0;
    for (uint32_t i = 0; i < p->tribes; i++) {
        const snn_guide guide = snn_genetic_guide(&s.job, i, SNN_GUIDE_TOWARD);
        const double x = guided(&s, &guide, set.item, set.n).guide;
        if (s.state.reg[GENETIC_ALIVE] >> i & 1)
            kept = x > kept ? x : kept;
        else
            given_up = x;
        assert_true(x >= after);
        assert_int_equal(s.state.set[i].n, 0); /* they start from nothing all the same */
    }
    assert_true(kept <= given_up);
    snn_set_free(&set);
    snn_set_free(&group);
    stand_close(&s);
    return turns;
}

static void scouts(void **state) {
    (void)state;
    uint32_t turns = 0;
    static const uint64_t seeds[] = {15, 27, 29, 30, 38}; /* of several classes */
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i += SANITIZED ? 4 : 1)
        turns += scout_once(seeds[i]);
    print_message("%u groups of scouts\n", turns);
    assert_true(turns > (SANITIZED ? 1 : 6));
}

/* The same on every run and with any number of threads; the goal is met by bits that may be keyed. */
static void whole_search(void **state) {
    (void)state;
    for (uint32_t limit = 0; limit < 3; limit += 2) {
        snn_error err = {0};
        stand s;
        stand_open(&s, SEED, limit, 1, false);
        snn_search_result r, again;
        snn_search_options o = {.kind = SNN_SEARCH_GENETIC, .seed = 9, .prune = true, .generations = 4};
        must(snn_search(s.g.objective, &o, NULL, &r, &err), &err);
        assert_true(r.met && r.minimal);
        const snn_score score = rig_score(&s.g, r.flips.flip, r.flips.n, SNN_ARITHMETIC_FLOAT);
        same_score(&r.score, &score);
        if (limit > 0)
            must(snn_flips_place(s.map, &r.flips, limit, &err), &err);
        snn_objective_options oo;
        rig_search_options(&s.g, 3, &oo);
        snn_objective *three = snn_objective_new(&oo, s.g.candidates, s.g.sample, s.g.label, s.g.n, &err);
        must(three && snn_search(three, &o, NULL, &again, &err), &err);
        assert_int_equal(again.flips.n, r.flips.n);
        assert_memory_equal(again.flips.flip, r.flips.flip, r.flips.n * sizeof *r.flips.flip);
        assert_true(again.evaluations == r.evaluations);
        snn_objective_free(three);
        snn_search_free(&again);
        snn_search_free(&r);
        stand_close(&s);
    }
}

/* ---- pruning by parts ---- */

/* From a set of hundreds of bits on: what is left meets the goal, and without any one of its bits it does not; in far fewer evaluations than single removals would take. */
static void parts(void **state) {
    (void)state;
    static const char *const layers[] = {
        TWO_CONV, "{name=\"a\"; type=\"linear\"; outputs=30;}, {name=\"b\"; type=\"linear\"; outputs=4;}"};
    uint32_t tried[2] = {0};
    for (uint64_t seed = 1; seed <= (SANITIZED ? 4 : 12); seed++)
        for (int net = 0; net < 2; net++) {
            snn_error err = {0};
            search_rig g = rig_make(layers[net], (snn_shape){2, 8, 6}, 16, 5, SNN_SIGN_MAGNITUDE, seed);
            rig_open(&g, 0, false, (snn_goal){.target = 8, .margin = 1, .largest = 16}, 1);
            snn_search_options o = {.kind = SNN_SEARCH_RANDOM, .seed = seed};
            snn_search_result all, r;
            must(snn_search(g.objective, &o, NULL, &all, &err), &err);
            o.prune = true;
            must(snn_search(g.objective, &o, NULL, &r, &err), &err);
            assert_true(all.met == r.met && !all.minimal && r.minimal == r.met);
            tried[net] += r.met && all.flips.n > 96;
            assert_true(r.searched == all.evaluations && r.flips.n <= all.flips.n);
            const double n = (double)all.flips.n, left = (double)r.flips.n;
            print_message("%g bits to %g in %llu evaluations\n", n, left,
                          (unsigned long long)(r.evaluations - r.searched));
            assert_true(!r.met || n <= 200 ||
                        (double)(r.evaluations - r.searched) < (n * n - left * left) / 4);
            for (size_t i = 0; r.met && i < r.flips.n; i++) {
                snn_flip *f = calloc(r.flips.n, sizeof *f);
                for (size_t k = 0, at = 0; k < r.flips.n; k++)
                    if (k != i)
                        f[at++] = r.flips.flip[k];
                assert_true(rig_score(&g, f, r.flips.n - 1, SNN_ARITHMETIC_FLOAT).loss > 0);
                free(f);
            }
            snn_search_free(&r);
            snn_search_free(&all);
            rig_close(&g);
        }
    print_message("large sets pruned: %u of convolutions, %u without\n", tried[0], tried[1]);
    assert_true(SANITIZED || (tried[0] > 1 && tried[1] > 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),        cmocka_unit_test(groups), cmocka_unit_test(never_for_ever),
        cmocka_unit_test(singles),      cmocka_unit_test(limits), cmocka_unit_test(scouts),
        cmocka_unit_test(whole_search), cmocka_unit_test(parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
