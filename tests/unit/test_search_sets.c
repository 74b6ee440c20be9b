/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of candidates against flags, their order, the front against all sets offered, orders by rules against rates by hand. */
#include "search_test.h"

/* Random additions, removals and toggles beside an array of flags. */
static void sets(void **state) {
    (void)state;
    enum { N = 40 };
    snn_error err = {0};
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    snn_set s = {0}, t = {0};
    bool in[N] = {false};
    for (int trial = 0; trial < 3000; trial++) {
        const uint32_t item = snn_random_below(&r, N), what = snn_random_below(&r, 4);
        const bool had = in[item];
        s.scored = true;
        if (what == 0) {
            must(snn_set_add(&s, item, &err), &err);
            in[item] = true;
        } else if (what == 1) {
            snn_set_remove(&s, item);
            in[item] = false;
        } else if (what == 2) {
            must(snn_set_toggled(&t, &s, item, &err) && snn_set_copy(&s, &t, &err), &err);
            in[item] = !in[item];
        } else {
            uint32_t raw[2 * N], n = 0; /* twice each, not in order */
            for (uint32_t i = N; i-- > 0;)
                if (in[i])
                    raw[n++] = i;
            memcpy(raw + n, raw, n * sizeof *raw);
            must(snn_set_assign(&s, raw, 2 * n, &err), &err);
        }
        assert_int_equal(s.scored, what < 2 && had == (what == 0)); /* forgotten when something changed */
        uint32_t at = 0;
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(snn_set_has(&s, i), in[i]);
            if (in[i])
                assert_int_equal(s.item[at++], i);
        }
        assert_int_equal(at, s.n);
    }
    snn_set_free(&s);
    snn_set_free(&t);
}

static snn_set make(uint32_t n, const uint32_t *item, double loss, double lead) {
    snn_error err = {0};
    snn_set s = {0};
    must(snn_set_assign(&s, item, n, &err), &err);
    s.score = (snn_score){.loss = loss, .lead = lead};
    s.scored = true;
    return s;
}

static void order(void **state) {
    (void)state;
    const uint32_t a[] = {1, 2, 3}, b[] = {1, 2, 4};
    /* From best to worst. */
    snn_set s[] = {make(2, a, 0, 3),
                   make(2, b + 1, 0, 3),
                   make(2, a, 0, 4),
                   make(3, a, 0, -9),
                   make(3, b, 0, -9),
                   make(1, a, 0.5, 9),
                   make(3, a, 0.5, 1),
                   make(3, a, 0.5, 2),
                   make(3, b, 0.5, 2),
                   make(0, a, 0.6, 0),
                   make(1, a, 0.6, 0),
                   make(1, a + 1, 0.6, 0),
                   make(2, a, INFINITY, INFINITY)};
    enum { N = sizeof s / sizeof *s };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            assert_int_equal(snn_set_better(&s[i], &s[k]), i < k);
            assert_int_equal(snn_score_less(&s[i].score, &s[k].score),
                             s[i].score.loss < s[k].score.loss ||
                                 (s[i].score.loss == s[k].score.loss && s[i].score.lead < s[k].score.lead));
        }
    assert_true(snn_score_met(&s[0].score));
    assert_false(snn_score_met(&s[5].score));
    for (int i = 0; i < N; i++)
        snn_set_free(&s[i]);
}

/* Offers random sets, in two orders; compares best and front with what the definition picks out of all. */
static void front(void **state) {
    (void)state;
    enum { SETS = 60, TRIALS = 300, SIZES = 9 };
    snn_error err = {0};
    for (int trial = 0; trial < TRIALS; trial++) {
        snn_random r;
        snn_random_init(&r, 2, SNN_PURPOSE_TEST, (uint64_t)trial);
        snn_set all[SETS];
        uint32_t turn[SETS];
        for (int i = 0; i < SETS; i++) {
            uint32_t item[SIZES];
            const uint32_t n = snn_random_below(&r, SIZES);
            for (uint32_t k = 0; k < n; k++)
                item[k] = 10 * k + snn_random_below(&r, 3);
            all[i] = make(n, item, snn_random_below(&r, trial % 2 ? 40 : 6) / 4.0, snn_random_below(&r, 3));
        }
        snn_search_state st[2] = {{0}, {0}};
        for (int pass = 0; pass < 2; pass++) {
            snn_random_permutation(&r, turn, SETS);
            for (int i = 0; i < SETS; i++)
                must(snn_search_offer(&st[pass], &all[turn[i]], &err), &err);
            const snn_set *best = &all[0];
            for (int i = 1; i < SETS; i++)
                best = snn_set_better(&all[i], best) ? &all[i] : best;
            assert_int_equal(st[pass].best.n, best->n);
            assert_memory_equal(st[pass].best.item, best->item, best->n * sizeof *best->item);
            assert_true(st[pass].best.scored);
            double least = INFINITY;
            uint32_t points = 0;
            for (uint32_t n = 0; n < SIZES; n++) {
                const snn_set *p = NULL;
                for (int i = 0; i < SETS; i++)
                    if (all[i].n == n && (!p || snn_set_better(&all[i], p)))
                        p = &all[i];
                if (!p || p->score.loss >= least)
                    continue;
                least = p->score.loss;
                assert_true(points < st[pass].points);
                const snn_set *q = &st[pass].front[points++];
                assert_int_equal(q->n, n);
                assert_true(q->score.loss == least && q->score.lead == p->score.lead && q->scored);
                assert_memory_equal(q->item, p->item, n * sizeof *p->item);
            }
            assert_int_equal(points, st[pass].points);
            snn_search_state_free(&st[pass]);
        }
        for (int i = 0; i < SETS; i++)
            snn_set_free(&all[i]);
    }
}

/* ---- orders ---- */

/* Mean count of each input of the last layer (or of the first, `first`), with a trace of the test's own. */
typedef struct {
    const snn_net *net;
    int layer;
    double *sum;
} tracer;

static bool add(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                snn_error *err) {
    tracer *t = context;
    (void)step, (void)membrane, (void)err;
    for (uint32_t i = 0; layer == t->layer && i < snn_shape_size(t->net->layer[layer].out); i++)
        t->sum[i] += spikes[i];
    return true;
}

static void input_rates(const search_rig *g, int layer, double *rate, uint32_t n) {
    snn_error err = {0};
    memset(rate, 0, n * sizeof *rate);
    if (layer < 0) {
        for (size_t i = 0; i < g->n; i++)
            for (size_t k = 0; k < g->sample[i].first[RIG_STEPS]; k++)
                rate[g->sample[i].spike[k].index] += g->sample[i].spike[k].count;
    } else {
        bool traced[8] = {false};
        traced[layer] = true;
        tracer t = {g->net, layer, rate};
        const snn_trace trace = {&t, traced, add};
        const snn_engine_options o = {0};
        snn_engine *e = snn_engine_new(g->net, g->weights, &o, &err);
        snn_workspace *w = snn_workspace_new(e, &err);
        snn_result r;
        must(snn_result_init(&r, g->net, RIG_STEPS, &err), &err);
        for (size_t i = 0; i < g->n; i++)
            must(snn_engine_run(e, &g->sample[i], i, w, &trace, &r, &err), &err);
        snn_result_free(&r);
        snn_workspace_free(w);
        snn_engine_free(e);
    }
    for (uint32_t i = 0; i < n; i++)
        rate[i] /= (double)(g->n * RIG_STEPS);
}

/* The order holds exactly those candidates that `value` says are meant (one of each weight, the largest), by value, ties by number. */
static void check_order(search_rig *g, snn_saliency_rule rule, int class_,
                        double (*value)(const search_rig *g, uint32_t item, int class_, const double *rate[]),
                        const double *rate[]) {
    snn_error err = {0};
    const snn_candidates *c = g->candidates;
    uint32_t *order = calloc(c->n, sizeof *order), n;
    double *v = calloc(c->n, sizeof *v);
    bool *seen = calloc(c->n, sizeof *seen);
    const snn_search_job job = {.objective = g->objective, .candidates = c};
    must(snn_saliency_order(&job, rule, class_, order, v, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(fabs(v[i] - value(g, order[i], class_, rate)) <= 1e-12);
        seen[order[i]] = true;
        if (i > 0)
            assert_true(v[i] < v[i - 1] || (v[i] == v[i - 1] && order[i] > order[i - 1]));
    }
    for (uint32_t i = 0; i < c->n; i++) {
        bool first = value(g, i, class_, rate) >= 0;
        for (uint32_t k = 0; k < c->n && first; k++)
            if (k != i && c->flip[k].tensor == c->flip[i].tensor && c->flip[k].index == c->flip[i].index)
                first = value(g, i, class_, rate) > value(g, k, class_, rate) ||
                        (value(g, i, class_, rate) == value(g, k, class_, rate) && i < k);
        assert_int_equal(seen[i], first);
    }
    free(order);
    free(v);
    free(seen);
}

static double change(const search_rig *g, uint32_t i) {
    const snn_flip *f = &g->candidates->flip[i];
    return fabs((double)g->candidates->dq[i]) * (double)g->weights->tensor[f->tensor].scale[0];
}

static double magnitude(const search_rig *g, uint32_t i, int class_, const double *rate[]) {
    (void)class_, (void)rate;
    return change(g, i);
}

/* CONV: weight [3][1][3][3] of tensor 0, [4][27] of tensor 1. */
static double by_rate(const search_rig *g, uint32_t i, int class_, const double *rate[]) {
    (void)class_;
    const snn_flip *f = &g->candidates->flip[i];
    return change(g, i) * (f->tensor == 0 ? rate[0][0] : rate[1][f->index % 27]);
}

static double class_rate(const search_rig *g, uint32_t i, int class_, const double *rate[]) {
    const snn_flip *f = &g->candidates->flip[i];
    const bool meant = f->tensor == 1 && f->index / 27 == (uint64_t)class_ && g->candidates->dq[i] > 0 &&
                       snn_weight_q(&g->weights->tensor[1], f->index) < 0;
    return meant ? change(g, i) * rate[1][f->index % 27] : -1;
}

static void orders(void **state) {
    (void)state;
    snn_error err = {0};
    for (int bits = 0; bits < 2; bits++) { /* all bits, and signs only */
        search_rig g = rig_make(CONV, (snn_shape){1, 6, 6}, 7, 4, SNN_SIGN_MAGNITUDE, 3);
        rig_open(&g, bits, false, (snn_goal){.target = 2, .margin = 1, .largest = 7}, 1);
        double input[36], pool[27], mean = 0;
        input_rates(&g, -1, input, 36);
        input_rates(&g, 1, pool, 27); /* the max pool, which the flatten layer passes on */
        for (int i = 0; i < 36; i++)
            mean += input[i] / 36;
        const double *rate[] = {&mean, pool};
        check_order(&g, SNN_RULE_MAGNITUDE, -1, magnitude, rate);
        check_order(&g, SNN_RULE_RATE, -1, by_rate, rate);
        for (int c = 0; c < 4; c++)
            check_order(&g, SNN_RULE_CLASS_RATE, c, class_rate, rate);
        rig_close(&g);
    }
    /* Without bits of the output layer. */
    search_rig g = rig_make(CONV, (snn_shape){1, 6, 6}, 7, 4, SNN_SIGN_MAGNITUDE, 3);
    const bool first[] = {true, false};
    const snn_candidate_options co = {.tensor = first, .eligible = 1};
    g.candidates = snn_candidates_new(g.weights, &co, &err);
    snn_objective_options o;
    rig_search_options(&g, 1, &o);
    g.objective = snn_objective_new(&o, g.candidates, g.sample, g.label, g.n, &err);
    must(g.objective != NULL, &err);
    const snn_search_options so = {.kind = SNN_SEARCH_SALIENCY, .rule = SNN_RULE_CLASS_RATE};
    snn_search_result r;
    assert_false(snn_search(g.objective, &so, NULL, &r, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "class_rate needs a linear output layer ('b' is the last one)"));
    rig_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets),
        cmocka_unit_test(order),
        cmocka_unit_test(front),
        cmocka_unit_test(orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
