/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is particular to the genetic search and the front: on networks so small that all sets of up to three bits can be tried, the genetic search needs no bit more than the smallest of them that meets
 * the goal; more children never cost bits; the front is nowhere behind the genetic search's, from which it starts; and a layer without output rows is searched, too.
 */
#include "search_test.h"

enum { MOST_TRIED = 3 };

static snn_search_result search(search_rig *g, snn_search_options o) {
    snn_error err = {0};
    snn_search_result r;
    must(snn_search(g->objective, &o, NULL, &r, &err), &err);
    return r;
}

static bool meets(const search_rig *g, snn_objective_workspace *w, const uint32_t *item, uint32_t n) {
    snn_error err = {0};
    snn_score s;
    must(snn_objective_eval(g->objective, item, n, w, &s, &err), &err);
    return s.loss == 0;
}

static bool some_set(const search_rig *g, snn_objective_workspace *w, uint32_t *item, uint32_t n,
                     uint32_t size) {
    if (n == size)
        return meets(g, w, item, n);
    for (uint32_t i = n ? item[n - 1] + 1 : 0; i < g->candidates->n; i++) {
        item[n] = i;
        if (some_set(g, w, item, n + 1, size))
            return true;
    }
    return false;
}

/* Size of the smallest set that meets the goal; more than MOST_TRIED: none of these. */
static uint32_t smallest(const search_rig *g) {
    snn_error err = {0};
    uint32_t item[MOST_TRIED], size = 0;
    snn_objective_workspace *w = snn_objective_workspace_new(g->objective, &err);
    assert_non_null(w);
    while (size <= MOST_TRIED && !some_set(g, w, item, 0, size))
        size++;
    snn_objective_workspace_free(w);
    return size;
}

static search_rig small(uint64_t seed, uint32_t target) {
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 16, 5, SNN_SIGN_MAGNITUDE, seed);
    rig_open(&g, 1, true, (snn_goal){.target = target, .margin = 1, .largest = 16}, 1);
    return g;
}

static void optimal(void **state) {
    (void)state;
    static const snn_search_kind kinds[] = {SNN_SEARCH_GENETIC, SNN_SEARCH_PARETO};
    uint32_t seen[MOST_TRIED + 2] = {0};
    for (uint64_t seed = 1; seed <= (SANITIZED ? 3 : 12); seed++)
        for (uint32_t target = 4; target <= 12; target += 4) {
            search_rig g = small(seed, target);
            const uint32_t least = smallest(&g);
            seen[least]++;
            for (int k = 0; k < 2 && least <= MOST_TRIED; k++) {
                snn_search_result r =
                    search(&g, (snn_search_options){.kind = kinds[k], .seed = seed, .prune = true});
                assert_true(r.met);
                assert_int_equal(r.flips.n, least);
                snn_search_free(&r);
            }
            rig_close(&g);
        }
    print_message("problems by the bits that they need (1, 2, 3, more): %u %u %u %u\n", seen[1], seen[2],
                  seen[3], seen[MOST_TRIED + 1]);
    assert_true(SANITIZED || (seen[2] > 0 && seen[3] > 0));
}

static search_rig dense(void) {
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
    rig_open(&g, 1, false, (snn_goal){.target = 3, .margin = 3, .largest = 20}, 1);
    return g;
}

/* Of the children that are bred one after the other, the first are the same. */
static void children(void **state) {
    (void)state;
    search_rig g = dense();
    size_t before = SIZE_MAX;
    uint64_t evaluations = 0;
    for (uint32_t n = 1; n <= 64; n *= 8) {
        snn_search_result r = search(
            &g, (snn_search_options){.kind = SNN_SEARCH_GENETIC, .seed = 3, .generations = n, .prune = true});
        assert_true(r.met && r.minimal && r.flips.n <= before);
        assert_true(r.evaluations >= evaluations);
        before = r.flips.n;
        evaluations = r.evaluations;
        snn_search_free(&r);
    }
    rig_close(&g);
}

static void populations(void **state) {
    (void)state;
    search_rig g = dense();
    for (uint32_t people = 1; people <= 16; people = people * 3 + 1) { /* 1, 4, 13 */
        snn_search_result r = search(
            &g,
            (snn_search_options){.kind = SNN_SEARCH_GENETIC, .seed = 3, .population = people, .prune = true});
        assert_true(r.met && r.minimal);
        snn_search_free(&r);
    }
    rig_close(&g);
}

/* Loss that a front leaves with so many bits. */
static double left(const snn_search_result *r, uint32_t bits) {
    double loss = INFINITY;
    for (uint32_t i = 0; i < r->points && r->front[i].bits <= bits; i++)
        loss = r->front[i].score.loss;
    return loss;
}

static void front(void **state) {
    (void)state;
    bool ahead = false;
    for (uint64_t seed = 11; seed <= 16; seed++) {
        search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, seed);
        rig_open(&g, 1, false, (snn_goal){.target = 2, .margin = 4, .largest = 20}, 1);
        snn_search_result a = search(&g, (snn_search_options){.kind = SNN_SEARCH_GENETIC, .seed = seed}),
                          b = search(&g, (snn_search_options){.kind = SNN_SEARCH_PARETO, .seed = seed});
        assert_true(a.met == b.met && (!a.met || b.flips.n <= a.flips.n));
        for (uint32_t i = 0; i < a.points; i++) {
            assert_true(left(&b, a.front[i].bits) <= a.front[i].score.loss);
            ahead = ahead || left(&b, a.front[i].bits) < a.front[i].score.loss;
        }
        snn_search_free(&a);
        snn_search_free(&b);
        rig_close(&g);
    }
    assert_true(ahead); /* it does add something */
}

/* Candidates in front of the output layer only: no tribe has a row. */
static void without_rows(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
    const bool tensor[] = {true, false};
    const snn_candidate_options co = {.tensor = tensor, .bits = 1, .eligible = 1};
    g.goal = (snn_goal){.target = 6, .margin = 1, .largest = 20};
    snn_objective_options oo;
    rig_search_options(&g, 1, &oo);
    must((g.candidates = snn_candidates_new(g.weights, &co, &err)) != NULL, &err);
    g.objective = snn_objective_new(&oo, g.candidates, g.sample, g.label, g.n, &err);
    must(g.objective != NULL, &err);
    snn_search_result r =
        search(&g, (snn_search_options){.kind = SNN_SEARCH_GENETIC, .seed = 5, .prune = true});
    assert_true(r.met && r.minimal);
    for (size_t i = 0; i < r.flips.n; i++)
        assert_int_equal(r.flips.flip[i].tensor, 0);
    snn_search_free(&r);
    rig_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimal), cmocka_unit_test(children),     cmocka_unit_test(populations),
        cmocka_unit_test(front),   cmocka_unit_test(without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
