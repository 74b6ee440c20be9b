/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the genetic search steers by: by hand, and against a plain definition on random outputs. */
#include "search_test.h"

#include <snnsim/portable_math.h>

/* out [classes][1] of one sample, read as the label of class `label`. */
static double one(snn_guide g, double most, uint32_t classes, const double *out, int label) {
    int32_t predicted = 0;
    const snn_probe_result r = {1, classes, (double *)(uintptr_t)out, &predicted};
    const snn_goal goal = {.most = most};
    return snn_guide_value(&g, &goal, &r, &label);
}

static void toward_by_hand(void **state) {
    (void)state;
    const snn_guide g = {.kind = SNN_GUIDE_TOWARD, .toward = 1, .margin = 2};
    const double out[3] = {5, 4, 6};
    /* Class 0 is one ahead and wins ties, class 2 two ahead and loses them; class 1 is there already. */
    assert_true(one(g, 0, 3, out, 0) == 1 + 0.5 + 2);
    assert_true(one(g, 0, 3, out, 1) == 0);
    assert_true(one(g, 0, 3, out, 2) == 2 - 0.5 + 2);
    const double behind[3] = {2, 5, 3.5};
    assert_true(one(g, 0, 3, behind, 0) == 0); /* 3 behind, half for the tie, 2 of margin */
    assert_true(one(g, 0, 3, behind, 2) == 0); /* 1.5 behind, and half */
    const double near[3] = {2, 4, 3};
    assert_true(one(g, 0, 3, near, 0) == 0.5);
    assert_true(one(g, 0, 3, near, 2) == 0.5);
    /* Class 1 fires in every step: class 2 cannot catch up, class 0 could with a tie. */
    const double full[3] = {7, 7, 7};
    assert_true(one(g, 7, 3, full, 2) == 0);
    assert_true(one(g, 7, 3, full, 0) == 2.5);
    assert_true(one(g, 7.5, 3, full, 2) == 1.5);
}

/* The least over all classes, each as SNN_GUIDE_TOWARD sums it; `toward` and softness do not matter. */
static void nearest_by_hand(void **state) {
    (void)state;
    const double out[3][2] = {{5, 1}, {4, 6}, {6, 2}}; /* [class][sample] */
    int32_t predicted[2] = {0};
    const int label[2] = {0, 1};
    const snn_probe_result r = {2, 3, (double *)(uintptr_t)out, predicted};
    for (uint32_t toward = 0; toward < 3; toward++) {
        snn_guide g = {.kind = SNN_GUIDE_NEAREST, .toward = toward, .margin = 2, .softness = toward};
        snn_goal goal = {0};
        /* Class 0: the second sample is 5 ahead, loses the tie. Class 1: the first one is 1 ahead and wins it: 3.5. Class 2: -1 and 4 ahead, both win the tie: 1.5 + 6.5. */
        assert_true(snn_guide_value(&g, &goal, &r, label) == 3.5);
        g.margin = 0;
        assert_true(snn_guide_value(&g, &goal, &r, label) == 1.5);
        /* Class 2 fires in every step: the first sample loses to it only by the tie. */
        goal.most = 6;
        g.margin = 2;
        assert_true(snn_guide_value(&g, &goal, &r, label) == 3.5);
    }
}

static void soft_by_hand(void **state) {
    (void)state;
    const snn_guide g = {.kind = SNN_GUIDE_SOFT, .toward = 1, .softness = 2};
    const double out[3] = {5, 5, 3};
    assert_true(one(g, 0, 3, out, 0) == snn_exp(0.25));  /* ahead by the tie */
    assert_true(one(g, 0, 3, out, 1) == 0);              /* the class itself */
    assert_true(one(g, 0, 3, out, 2) == snn_exp(-1.25)); /* 2 behind, and the tie */
    assert_true(one(g, 5, 3, out, 2) == 0);              /* out of reach */
    assert_true(one(g, 5, 3, out, 0) == snn_exp(0.25));
    const double far[3] = {90, 2, -90};
    assert_true(one(g, 0, 3, far, 0) == snn_exp(2));   /* bounded by 4 ahead */
    assert_true(one(g, 0, 3, far, 2) == snn_exp(-16)); /* and 32 behind */
    const double edge[3] = {6.5, 3, 0};
    assert_true(one(g, 0, 3, edge, 0) == snn_exp(2));
    const double below[3] = {6, 3, 0};
    assert_true(one(g, 0, 3, below, 0) == snn_exp(1.75));
    const double fine[3] = {3.2, 3, 0}; /* rounded to halves: 0.7 is 0.5, 0.8 is 1 */
    assert_true(one(g, 0, 3, fine, 0) == snn_exp(0.25));
    const double finer[3] = {3.3, 3, 0};
    assert_true(one(g, 0, 3, finer, 0) == snn_exp(0.5));
}

static double plain(const snn_guide *g, double most, const snn_probe_result *r, const int *label) {
    double sum = 0;
    for (size_t i = 0; i < r->samples; i++) {
        const double own = r->out[(size_t)label[i] * r->samples + i];
        if (label[i] == (int)g->toward)
            continue;
        if (g->kind == SNN_GUIDE_TOWARD) {
            const double k = r->out[g->toward * r->samples + i];
            const bool tie = label[i] < (int)g->toward;
            if (most > 0 && k >= most && !tie)
                continue;
            sum += fmax(0, own - k + (tie ? 0.5 : -0.5) + g->margin);
            continue;
        }
        double other = -INFINITY;
        int which = -1;
        for (int c = 0; c < (int)r->classes; c++)
            if (c != label[i] && r->out[(size_t)c * r->samples + i] > other) {
                other = r->out[(size_t)c * r->samples + i];
                which = c;
            }
        if (most > 0 && other >= most && which < label[i])
            continue;
        const double x = own - other + (which < label[i] ? -0.5 : 0.5);
        sum += snn_exp(fmin(4, fmax(-32, x)) / g->softness);
    }
    return sum;
}

static void random_outputs(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 63, 64, 65, 200};
    snn_error err = {0};
    snn_random x;
    snn_random_init(&x, 4, SNN_PURPOSE_TEST, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t classes = 2; classes < 12; classes += 3) {
            snn_probe_result r;
            int label[200];
            must(snn_probe_result_init(&r, sizes[s], classes, &err), &err);
            for (size_t i = 0; i < sizes[s] * classes; i++)
                r.out[i] = snn_random_below(&x, 16);
            for (size_t i = 0; i < sizes[s]; i++)
                label[i] = (int)snn_random_below(&x, classes);
            for (int kind = SNN_GUIDE_TOWARD; kind <= SNN_GUIDE_SOFT; kind++) {
                const snn_guide g = {.kind = (snn_guide_kind)kind,
                                     .toward = snn_random_below(&x, classes),
                                     .margin = 1,
                                     .softness = 1.5};
                const snn_goal goal = {.target = 3, .most = snn_random_below(&x, 2) ? 15 : 0};
                const double ours = snn_guide_value(&g, &goal, &r, label),
                             it = plain(&g, goal.most, &r, label);
                assert_true(fabs(ours - it) <= 1e-12 * (1 + it));
            }
            snn_probe_result_free(&r);
        }
}

/* Scores carry the guide while there is one. */
static void in_scores(void **state) {
    (void)state;
    snn_error err = {0};
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 20, 5, SNN_SIGN_MAGNITUDE, 13);
    rig_open(&g, 1, false, (snn_goal){.target = 3, .margin = 3, .largest = 20}, 1);
    const uint32_t item[3] = {1, 5, 9};
    const snn_guide guide = {.kind = SNN_GUIDE_TOWARD, .toward = 2, .margin = 1};
    snn_objective_workspace *w = snn_objective_workspace_new(g.objective, &err);
    snn_score with, without;
    must(w != NULL, &err);
    snn_objective_guide(g.objective, &guide);
    must(snn_objective_eval(g.objective, item, 3, w, &with, &err), &err);
    snn_objective_guide(g.objective, NULL);
    must(snn_objective_eval(g.objective, item, 3, w, &without, &err), &err);
    equal_score(&with, &without);
    snn_flip flip[3];
    for (int i = 0; i < 3; i++)
        flip[i] = g.candidates->flip[item[i]];
    snn_flips flips = {3, flip};
    snn_weights *flipped = snn_weights_apply(g.weights, &flips, &err);
    must(flipped != NULL, &err);
    snn_probe_result r = rig_run(&g, flipped, SNN_ARITHMETIC_FLOAT);
    assert_true(with.guide > 0 && without.guide == 0);
    assert_true(fabs(with.guide - plain(&guide, RIG_STEPS, &r, g.label)) < 1e-9);
    snn_probe_result_free(&r);
    snn_weights_free(flipped);
    snn_objective_workspace_free(w);
    rig_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toward_by_hand), cmocka_unit_test(nearest_by_hand), cmocka_unit_test(soft_by_hand),
        cmocka_unit_test(random_outputs), cmocka_unit_test(in_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
