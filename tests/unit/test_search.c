/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Searches on small networks: what they return is checked with the engine on rewritten weights (scores, 1-minimality by brute force, the front), does not depend on threads or SIMD,
 * keeps to budgets and limits, and is given again by the budget that a stop by time reports.
 */
#include "search_test.h"

static const snn_search_kind kinds[] = {SNN_SEARCH_GENETIC, SNN_SEARCH_PARETO, SNN_SEARCH_GREEDY,
                                        SNN_SEARCH_SALIENCY, SNN_SEARCH_RANDOM};
enum { KINDS = sizeof kinds / sizeof *kinds };

static search_rig dense(int threads) {
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
    rig_open(&g, 1, false, (snn_goal){.target = 3, .margin = 3, .largest = 20}, threads);
    return g;
}

static void same_flips(const snn_flips *a, const snn_flips *b) {
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->flip[i].tensor, b->flip[i].tensor);
        assert_int_equal(a->flip[i].index, b->flip[i].index);
        assert_int_equal(a->flip[i].bit, b->flip[i].bit);
    }
}

static void same_result(const snn_search_result *a, const snn_search_result *b) {
    same_flips(&a->flips, &b->flips);
    equal_score(&a->score, &b->score);
    equal_score(&a->plain, &b->plain);
    assert_int_equal(a->met, b->met);
    assert_int_equal(a->minimal, b->minimal);
    assert_true(a->evaluations == b->evaluations && a->searched == b->searched);
    assert_int_equal(a->points, b->points);
    for (uint32_t i = 0; i < a->points; i++) {
        assert_int_equal(a->front[i].bits, b->front[i].bits);
        equal_score(&a->front[i].score, &b->front[i].score);
        same_flips(&a->front[i].flips, &b->front[i].flips);
    }
}

static snn_search_result search(search_rig *g, snn_search_options o, const snn_search_hooks *hooks) {
    snn_error err = {0};
    snn_search_result r;
    must(snn_search(g->objective, &o, hooks, &r, &err), &err);
    return r;
}

/* Is the goal missed with any one bit left out? */
static bool minimal(const search_rig *g, const snn_flips *f) {
    snn_flip rest[4096];
    assert_true(f->n <= 4096);
    for (size_t out = 0; out < f->n; out++) {
        memcpy(rest, f->flip, out * sizeof *rest);
        memcpy(rest + out, f->flip + out + 1, (f->n - out - 1) * sizeof *rest);
        if (rig_score(g, rest, f->n - 1, SNN_ARITHMETIC_FLOAT).loss == 0)
            return false;
    }
    return true;
}

static void check(const search_rig *g, const snn_search_result *r) {
    const snn_score plain = rig_score(g, NULL, 0, SNN_ARITHMETIC_FLOAT);
    const snn_score score = rig_score(g, r->flips.flip, r->flips.n, SNN_ARITHMETIC_FLOAT);
    same_score(&r->plain, &plain);
    same_score(&r->score, &score);
    assert_int_equal(r->met, r->score.loss == 0);
    if (r->minimal)
        assert_true(r->met && minimal(g, &r->flips));
    assert_true(r->searched <= r->evaluations);
    assert_true(r->points >= 1 && r->front[0].bits == 0);
    equal_score(&r->front[0].score, &r->plain);
    for (uint32_t i = 0; i < r->points; i++) {
        const snn_front_point *p = &r->front[i];
        const snn_score s = rig_score(g, p->flips.flip, p->flips.n, SNN_ARITHMETIC_FLOAT);
        same_score(&p->score, &s);
        assert_int_equal(p->bits, p->flips.n);
        if (i > 0)
            assert_true(p->bits > p[-1].bits && p->score.loss < p[-1].score.loss);
        for (size_t k = 1; k < p->flips.n; k++) { /* sorted, each once */
            const snn_flip *a = &p->flips.flip[k - 1], *b = &p->flips.flip[k];
            assert_true(a->tensor < b->tensor ||
                        (a->tensor == b->tensor &&
                         (a->index < b->index || (a->index == b->index && a->bit < b->bit))));
        }
    }
    /* The result is the last point of the front when the goal is met. */
    if (r->met)
        same_flips(&r->flips, &r->front[r->points - 1].flips);
}

/* All kinds; what they find, for any number of threads. */
static void results(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (int rule = 0; rule < (kinds[k] == SNN_SEARCH_SALIENCY ? 3 : 1); rule++) {
            search_rig g = dense(1), h = dense(3);
            const snn_search_options o = {
                .kind = kinds[k], .rule = (snn_saliency_rule)rule, .seed = 4, .prune = true};
            snn_search_result a = search(&g, o, NULL), b = search(&h, o, NULL), c = search(&g, o, NULL);
            check(&g, &a);
            same_result(&a, &b);
            same_result(&a, &c); /* and again with an objective whose base stands elsewhere */
            assert_false(a.stopped);
            if (kinds[k] != SNN_SEARCH_SALIENCY)
                assert_true(a.met && a.minimal);
            assert_true(a.flips.n > 1);
            snn_search_free(&a);
            snn_search_free(&b);
            snn_search_free(&c);
            rig_close(&g);
            rig_close(&h);
        }
}

static void convolutions(void **state) {
    (void)state;
    for (int bits = 0; bits < 2; bits++)
        for (int k = 0; k < KINDS; k++) {
            search_rig g = rig_make(CONV, (snn_shape){1, 6, 6}, 12, 4,
                                    bits ? SNN_TWOS_COMPLEMENT : SNN_SIGN_MAGNITUDE, 3);
            rig_open(&g, bits, false, (snn_goal){.target = 4, .margin = 1, .largest = 12}, 2);
            snn_search_result r = search(&g, (snn_search_options){.kind = kinds[k], .prune = true}, NULL);
            check(&g, &r);
            snn_search_free(&r);
            rig_close(&g);
        }
}

/* Only random search draws numbers here; other seeds, other sets. */
static void seeds(void **state) {
    (void)state;
    search_rig g = dense(1);
    snn_search_result r[3];
    for (int i = 0; i < 3; i++)
        r[i] = search(&g, (snn_search_options){.kind = SNN_SEARCH_RANDOM, .seed = 1 + (uint64_t)i / 2}, NULL);
    same_result(&r[0], &r[1]);
    assert_true(r[0].flips.n != r[2].flips.n ||
                memcmp(r[0].flips.flip, r[2].flips.flip, r[0].flips.n * sizeof(snn_flip)) != 0);
    for (int i = 0; i < 3; i++) {
        assert_false(r[i].minimal); /* not pruned: nobody looked */
        snn_search_free(&r[i]);
    }
    rig_close(&g);
}

/* ---- budgets and limits ---- */

typedef struct {
    uint64_t steps, evaluations;
    uint32_t prunes;
    double pause;
} watcher;

static void watch(void *context, const snn_search_progress *p) {
    watcher *w = context;
    const bool prune = strcmp(p->phase, "prune") == 0;
    assert_true(p->evaluations >= w->evaluations);
    assert_int_equal(p->step, prune ? ++w->prunes : ++w->steps);
    w->evaluations = p->evaluations;
    const double start = snn_now();
    while (snn_now() - start < w->pause)
        ;
}

static void budgets(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        search_rig g = dense(1);
        snn_search_options o = {.kind = kinds[k], .rule = SNN_RULE_MAGNITUDE, .seed = 4, .prune = true};
        watcher w = {0};
        const snn_search_hooks hooks = {.context = &w, .progress = watch};
        snn_search_result whole = search(&g, o, &hooks);
        assert_true(w.evaluations == whole.evaluations && w.steps > 1);
        /* Budgets of 1, a half, one less than all, all, more. */
        const uint64_t all = whole.searched, budget[] = {1, all / 2, all - 1, all, all + 1};
        for (int b = 0; b < (SANITIZED ? 2 : 5); b++) {
            o.evaluations = budget[b];
            w = (watcher){0};
            snn_search_result r = search(&g, o, &hooks), again;
            check(&g, &r);
            assert_true(r.searched >= (budget[b] < all ? budget[b] : all) && r.searched <= all);
            if (r.searched == all)
                same_flips(&r.flips, &whole.flips);
            else
                assert_true(r.stopped);
            assert_int_equal(w.steps > 0, budget[b] > 1); /* the plain network is one */
            /* What it says it used gives the same again. */
            o.evaluations = r.searched;
            again = search(&g, o, NULL);
            same_result(&r, &again);
            snn_search_free(&again);
            snn_search_free(&r);
        }
        snn_search_free(&whole);
        rig_close(&g);
    }
}

/* A stop by time, wherever it comes, can be repeated by counting. */
static void seconds(void **state) {
    (void)state;
    uint64_t seen = 0;
    for (int trial = 1; trial <= 6; trial++) {
        search_rig g = dense(1);
        watcher w = {.pause = 1e-3};
        const snn_search_hooks hooks = {.context = &w, .progress = watch};
        snn_search_options o = {.kind = SNN_SEARCH_GREEDY, .seconds = 1.5e-3 * trial, .prune = trial % 2};
        snn_search_result a = search(&g, o, &hooks);
        check(&g, &a);
        assert_true(a.stopped || a.met);
        seen += a.stopped;
        o.seconds = 0;
        o.evaluations = a.searched;
        snn_search_result b = search(&g, o, NULL);
        same_result(&a, &b);
        assert_int_equal(a.stopped, b.stopped);
        snn_search_free(&a);
        snn_search_free(&b);
        rig_close(&g);
    }
    assert_true(seen > 0);
}

static void most_bits(void **state) {
    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (uint32_t most = 1; most <= 5; most += 2) {
            search_rig g = dense(1);
            snn_search_result r = search(
                &g, (snn_search_options){.kind = kinds[k], .seed = 4, .most_bits = most, .prune = true},
                NULL);
            check(&g, &r);
            assert_in_range(r.flips.n, 1, most);
            assert_true(r.front[r.points - 1].bits <= most);
            snn_search_free(&r);
            rig_close(&g);
        }
}

/* All sets that are looked at keep to the decryptor's limit. */
static void word_limit(void **state) {
    (void)state;
    snn_error err = {0};
    for (int run = 0; run < 2 * KINDS; run++) {
        const int k = run / 2, bits = run % 2; /* 0: all bits of a weight, which may not go together either */
        search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
        const snn_map_options mo = {.rows = 16, .columns = 64, .cell_bits = 1};
        snn_map *map = snn_map_new(g.net, g.weights, &mo, &err);
        must(map != NULL, &err);
        const snn_candidate_options co = {.bits = bits, .eligible = 1, .word_limit = 1, .map = map};
        g.candidates = snn_candidates_new(g.weights, &co, &err);
        g.goal = (snn_goal){.target = 3, .margin = 3, .largest = 20, .most = RIG_STEPS};
        snn_objective_options o;
        rig_search_options(&g, 1, &o);
        g.objective = snn_objective_new(&o, g.candidates, g.sample, g.label, g.n, &err);
        must(g.objective != NULL, &err);
        snn_search_result r =
            search(&g, (snn_search_options){.kind = kinds[k], .seed = 4, .prune = true}, NULL);
        check(&g, &r);
        for (uint32_t i = 0; i < r.points; i++)
            must(snn_flips_place(map, &r.front[i].flips, 1, &err), &err);
        assert_true(r.flips.n > 1);
        snn_search_free(&r);
        snn_map_free(map);
        rig_close(&g);
    }
}

/* The plain network meets the goal: nothing to do. */
static void nothing_to_do(void **state) {
    (void)state;
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 10, 5, SNN_SIGN_MAGNITUDE, 12);
    rig_open(&g, 1, false, (snn_goal){.target = 10, .margin = 1, .largest = 10}, 1);
    for (int k = 0; k < KINDS; k++) {
        snn_search_result r = search(&g, (snn_search_options){.kind = kinds[k]}, NULL);
        check(&g, &r);
        assert_true(r.met && r.minimal && r.flips.n == 0 && r.evaluations == 1 && r.points == 1);
        snn_search_free(&r);
    }
    rig_close(&g);
}

/* ---- batches ---- */

static bool make_batch(search_rig *g, snn_set *set, uint32_t n, const snn_set *base) {
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 6, SNN_PURPOSE_TEST, 0);
    for (uint32_t i = 0; i < n; i++) {
        must(snn_set_copy(&set[i], base, &err), &err);
        for (uint32_t k = snn_random_below(&r, 6); k > 0; k--)
            must(snn_set_add(&set[i], snn_random_below(&r, g->candidates->n), &err), &err);
        set[i].scored = false;
    }
    return true;
}

/* Large enough that threads pay; scores by place; toggles offer their best additions and removals. */
static void batches(void **state) {
    (void)state;
    enum { N = 600 };
    snn_error err = {0};
    static snn_set set[2][N];
    uint64_t evaluations[2];
    for (int t = 0; t < 2; t++) {
        search_rig g = dense(t ? 4 : 1);
        snn_search_state st = {0};
        const snn_search_options o = {.most_bits = 8};
        snn_search_job job = {
            .objective = g.objective, .candidates = g.candidates, .options = &o, .state = &st};
        job.placer = snn_placer_new(g.candidates, &err);
        snn_set base = {0};
        must(snn_set_add(&base, 5, &err) && snn_set_add(&base, 40, &err) && snn_set_add(&base, 41, &err) &&
                 snn_set_add(&base, 80, &err),
             &err);
        make_batch(&g, set[t], N, &base);
        set[t][7].scored = true; /* known already: left alone */
        set[t][7].score.loss = 77;
        must(snn_search_score(&job, set[t], N, &err), &err);
        uint32_t large = 0;
        for (int i = 0; i < N; i++) {
            assert_true(set[t][i].scored);
            if (i == 7) {
                assert_true(set[t][i].score.loss == 77);
            } else if (set[t][i].n > 8) {
                large++;
                assert_true(isinf(set[t][i].score.loss));
            } else if (i % 20 == 0) {
                snn_flip flip[8];
                for (uint32_t k = 0; k < set[t][i].n; k++)
                    flip[k] = g.candidates->flip[set[t][i].item[k]];
                const snn_score s = rig_score(&g, flip, set[t][i].n, SNN_ARITHMETIC_FLOAT);
                same_score(&set[t][i].score, &s);
            }
        }
        assert_true(large > 0);
        assert_true(st.evaluations == N - 1 - large);
        must(snn_search_score(&job, set[t], N, &err), &err);
        assert_true(st.evaluations == N - 1 - large);

        snn_search_state_free(&st);
        uint32_t item[N];
        snn_score score[N];
        const uint32_t n = g.candidates->n < N ? g.candidates->n : N;
        for (uint32_t i = 0; i < n; i++)
            item[i] = n - 1 - i;
        must(snn_search_score_toggles(&job, &base, item, n, score, &err), &err);
        evaluations[t] = st.evaluations;
        snn_set grown = {0}, shrunk = {0}, s = {0};
        for (uint32_t i = 0; i < n; i++) {
            must(snn_set_toggled(&s, &base, item[i], &err) && snn_search_score(&job, &s, 1, &err), &err);
            equal_score(&s.score, &score[i]);
            snn_set *best = s.n > base.n ? &grown : &shrunk;
            if (!best->scored || snn_set_better(&s, best))
                must(snn_set_copy(best, &s, &err), &err);
        }
        /* The best ones had been offered: nothing that was scored one by one was better. */
        snn_search_state_free(&st);
        must(snn_search_score_toggles(&job, &base, item, n, score, &err), &err);
        const snn_set *first = snn_set_better(&grown, &shrunk) ? &grown : &shrunk;
        assert_int_equal(st.best.n, first->n);
        assert_memory_equal(st.best.item, first->item, first->n * sizeof *first->item);
        assert_int_equal(st.points, 1 + (grown.score.loss < shrunk.score.loss));
        assert_memory_equal(st.front[0].item, shrunk.item, shrunk.n * sizeof *shrunk.item);
        snn_set_free(&grown);
        snn_set_free(&shrunk);
        snn_set_free(&s);
        /* With as many bits as are allowed only removals are left. */
        const snn_search_options four = {.most_bits = 4};
        job.options = &four;
        st.evaluations = 0;
        must(snn_search_score_toggles(&job, &base, item, n, score, &err), &err);
        assert_true(st.evaluations == 4);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(isinf(score[i].loss), !snn_set_has(&base, item[i]));
        snn_set_free(&base);
        snn_search_state_free(&st);
        snn_placer_free(job.placer);
        rig_close(&g);
    }
    assert_true(evaluations[0] == evaluations[1]);
    for (int i = 0; i < N; i++) {
        equal_score(&set[0][i].score, &set[1][i].score);
        snn_set_free(&set[0][i]);
        snn_set_free(&set[1][i]);
    }
}

/* Streams of phases, steps and numbers are their own. */
static void streams(void **state) {
    (void)state;
    snn_search_state st = {0};
    const snn_search_options o = {.seed = 3};
    const snn_search_job job = {.options = &o, .state = &st};
    uint64_t seen[27];
    int n = 0;
    for (st.phase = 0; st.phase < 3; st.phase++)
        for (st.step = 0; st.step < 3; st.step++)
            for (uint32_t i = 0; i < 3; i++) {
                snn_random r;
                snn_search_random(&job, i, &r);
                seen[n] = snn_random_u64(&r);
                for (int k = 0; k < n; k++)
                    assert_true(seen[k] != seen[n]);
                n++;
            }
    st = (snn_search_state){.evaluations = 10};
    snn_search_options b = {.evaluations = 12};
    const snn_search_job with = {.options = &b, .state = &st};
    assert_true(snn_search_left(&with) == 2);
    st.evaluations = 13;
    assert_true(snn_search_left(&with) == 0);
    st.phase = 1;
    assert_true(snn_search_left(&with) == UINT64_MAX);
    assert_true(snn_search_left(&job) == UINT64_MAX);
}

static void errors(void **state) {
    (void)state;
    search_rig g = dense(1);
    const struct {
        snn_search_options o;
        const char *why;
    } bad[] = {{{.kind = (snn_search_kind)99}, "unknown search 99"},
               {{.kind = SNN_SEARCH_GREEDY, .seconds = -1}, "a budget of -1 seconds"},
               {{.kind = SNN_SEARCH_GREEDY, .seconds = NAN}, "a budget of"},
               {{.kind = SNN_SEARCH_GREEDY, .resume = true}, "only be resumed from a checkpoint file"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snn_error err = {0};
        snn_search_result r;
        assert_false(snn_search(g.objective, &bad[i].o, NULL, &r, &err));
        assert_int_equal(err.code, SNN_ERR_USAGE);
        if (!strstr(err.text, bad[i].why))
            fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].why);
    }
    static const char *const names[] = {"genetic", "snngx", "greedy", "saliency", "random", "pareto"};
    for (int k = 0; k < 6; k++)
        assert_string_equal(snn_search_name((snn_search_kind)k), names[k]);
    assert_string_equal(snn_search_name((snn_search_kind)6), "unknown");
    rig_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results),    cmocka_unit_test(convolutions),  cmocka_unit_test(seeds),
        cmocka_unit_test(budgets),    cmocka_unit_test(seconds),       cmocka_unit_test(most_bits),
        cmocka_unit_test(word_limit), cmocka_unit_test(nothing_to_do), cmocka_unit_test(batches),
        cmocka_unit_test(streams),    cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
