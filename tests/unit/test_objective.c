/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scores against their plain definition; evaluations against the engine with rewritten weights, wherever the base stands; modelled chips against chips programmed with the flipped weights. */
#include "search_test.h"

/* ---- scores ---- */

typedef enum { COUNTS, WIDE_COUNTS, REALS, FEW_REALS } kind_of_output;

static void fill(snn_probe_result *r, kind_of_output kind, snn_random *x) {
    for (size_t i = 0; i < r->samples * r->classes; i++) {
        const double u = snn_random_uniform(x);
        r->out[i] = kind == COUNTS        ? floor(u * 16)
                    : kind == WIDE_COUNTS ? floor(u * 300) - 150
                    : kind == REALS       ? u * 20 - 10
                                          : floor(u * 4) * 0.1;
    }
    for (size_t i = 0; i < r->samples; i++) {
        r->predicted[i] = 0;
        for (uint32_t c = 1; c < r->classes; c++)
            if (r->out[c * r->samples + i] > r->out[(size_t)r->predicted[i] * r->samples + i])
                r->predicted[i] = (int32_t)c;
    }
}

static void one_size(size_t samples, uint32_t classes, kind_of_output kind, snn_random *x) {
    snn_error err = {0};
    snn_probe_result r;
    must(snn_probe_result_init(&r, samples, classes, &err), &err);
    double *scratch = calloc(2 * samples, sizeof *scratch);
    int *label = calloc(samples, sizeof *label);
    static const double margins[] = {0, 0.1, 0.5, 1, 2.5, 17, 1e6};
    for (int trial = 0; trial < 30; trial++) {
        fill(&r, kind, x);
        for (size_t i = 0; i < samples; i++) /* often right, so that the hinges matter */
            label[i] = snn_random_below(x, 2) ? r.predicted[i] : (int)snn_random_below(x, classes);
        snn_goal g = {.target = snn_random_below(x, (uint32_t)samples + 2),
                      .margin = margins[snn_random_below(x, 7)],
                      .largest = snn_random_below(x, 3) ? (uint32_t)samples
                                                        : snn_random_below(x, (uint32_t)samples + 1),
                      .most = snn_random_below(x, 2) ? 15 : 0};
        if (trial == 0)
            g.target = 0;
        const snn_score ours = snn_objective_score(&g, &r, label, scratch),
                        plain = plain_score(&g, &r, label);
        same_score(&ours, &plain);
        assert_int_equal(ours.loss == 0, ours.right <= g.target && ours.largest <= g.largest);
    }
    free(scratch);
    free(label);
    snn_probe_result_free(&r);
}

static void scores(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 10, 16, 63, 64, 65, 100, 129, 300};
    static const uint32_t classes[] = {2, 3, 10, 257, 600};
    snn_random x;
    snn_random_init(&x, 3, SNN_PURPOSE_TEST, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
            for (int k = COUNTS; k <= FEW_REALS; k++)
                if (classes[c] < 100 || sizes[s] < 70)
                    one_size(sizes[s], classes[c], (kind_of_output)k, &x);
}

/* A few by hand. Two classes, four samples of class 0: leads 3, 1, 0, -2. */
static void by_hand(void **state) {
    (void)state;
    double out[8] = {5, 3, 2, 1, 2, 2, 2, 3}, scratch[8];
    int32_t predicted[4] = {0, 0, 0, 1};
    const int label[4] = {0};
    const snn_probe_result r = {4, 2, out, predicted};
    snn_goal g = {.target = 0, .margin = 1, .largest = 4};
    snn_score s = snn_objective_score(&g, &r, label, scratch);
    assert_int_equal(s.correct, 3);
    assert_int_equal(s.right, 3);
    assert_int_equal(s.largest, 3);
    assert_true(s.loss == (4 + 2 + 1) / 4.0 && s.lead == 0.5);
    g.target = 1; /* the largest hinge is let off */
    s = snn_objective_score(&g, &r, label, scratch);
    assert_true(s.loss == (2 + 1) / 4.0);
    g.target = 2;
    g.largest = 1; /* two too many in one class */
    s = snn_objective_score(&g, &r, label, scratch);
    assert_true(s.loss == (1 + 2) / 4.0);
    g = (snn_goal){.target = 2, .margin = 0, .largest = 4}; /* a tie that the label wins is not enough */
    s = snn_objective_score(&g, &r, label, scratch);
    assert_int_equal(s.right, 3);
    assert_true(s.loss == 0.125);
    const int other[4] = {1, 1, 1, 1}; /* leads -3, -1, 0, 2; one that it loses is */
    g.target = 1;
    s = snn_objective_score(&g, &r, other, scratch);
    assert_int_equal(s.right, 1);
    assert_true(s.loss == 0);
    g.margin = 3;
    g.target = 0;
    s = snn_objective_score(&g, &r, other, scratch);
    assert_true(s.right == 3 && s.loss == (2 + 3 + 5) / 4.0 && s.lead == -0.5);
    g.most = 3; /* who has it cannot be caught */
    s = snn_objective_score(&g, &r, other, scratch);
    assert_true(s.right == 2 && s.loss == (3 + 5) / 4.0 && s.lead == -0.5);
    g.most = 0;
    g.target = 2;
    g.margin = 2; /* beaten by exactly the margin */
    g.target = 3;
    s = snn_objective_score(&g, &r, label, scratch);
    assert_int_equal(s.right, 3);
    assert_true(s.loss == 0);
    g.margin = 2.5;
    s = snn_objective_score(&g, &r, label, scratch);
    assert_int_equal(s.right, 4);
    assert_true(s.loss == 0.125);
}

/* ---- evaluations ---- */

static uint32_t draw(const search_rig *g, snn_random *r, snn_placer *p, snn_set *s, snn_flip *flip) {
    snn_error err = {0};
    must(snn_placer_draw(p, r, snn_random_below(r, 40), s, &err), &err);
    for (uint32_t i = 0; i < s->n; i++)
        flip[i] = g->candidates->flip[s->item[i]];
    return s->n;
}

static void one_rig(const char *layers, int bits, snn_encoding encoding, snn_arithmetic arithmetic) {
    snn_error err = {0};
    search_rig g = rig_make(layers, (snn_shape){1, 6, 6}, 12, bits, encoding, (uint64_t)bits);
    rig_open(&g, 0, false, (snn_goal){.target = 3, .margin = 1, .largest = 9}, 1);
    snn_objective_options o;
    rig_search_options(&g, 2, &o);
    o.arithmetic = arithmetic;
    snn_objective *f = snn_objective_new(&o, g.candidates, g.sample, g.label, g.n, &err);
    must(f != NULL, &err);
    assert_int_equal(snn_objective_samples(f), 12);
    assert_int_equal(snn_objective_chips(f), 1);
    assert_int_equal(snn_objective_threads(f), 2);
    snn_objective_workspace *w = snn_objective_workspace_new(f, &err);
    snn_placer *p = snn_placer_new(g.candidates, &err);
    snn_random r;
    snn_random_init(&r, 9, SNN_PURPOSE_TEST, 0);
    snn_set base = {0}, s = {0};
    snn_flip flip[64];
    for (int move = 0; move < 6; move++) {
        for (int trial = 0; trial < 5; trial++) {
            const uint32_t n = draw(&g, &r, p, &s, flip);
            const snn_score plain = rig_score(&g, flip, n, arithmetic);
            snn_score ours;
            must(snn_objective_eval(f, s.item, n, w, &ours, &err), &err);
            same_score(&ours, &plain);
        }
        for (int trial = 0; trial < 8; trial++) { /* half of them out of the base */
            const uint32_t item = trial % 2 && base.n > 0 ? base.item[snn_random_below(&r, base.n)]
                                                          : snn_random_below(&r, g.candidates->n);
            snn_score toggled, whole;
            must(snn_set_toggled(&s, &base, item, &err), &err);
            if (!snn_candidates_allowed(g.candidates, s.item, s.n))
                continue;
            must(snn_objective_toggle(f, item, w, &toggled, &err), &err);
            must(snn_objective_eval(f, s.item, s.n, w, &whole, &err), &err);
            equal_score(&toggled, &whole);
        }
        draw(&g, &r, p, &base, flip);
        must(snn_objective_rebase(f, &base, &err), &err);
        must(snn_objective_rebase(f, &base, &err), &err); /* nothing to do */
    }
    snn_set_free(&base);
    snn_set_free(&s);
    snn_placer_free(p);
    snn_objective_workspace_free(w);
    snn_objective_free(f);
    rig_close(&g);
}

static void evaluations(void **state) {
    (void)state;
    for (int e = 0; e < 3; e++)
        for (int a = 0; a < 2; a++) {
            one_rig(DENSE, 4, (snn_encoding)e, (snn_arithmetic)a);
            one_rig(CONV, 8, (snn_encoding)e, (snn_arithmetic)a);
            one_rig(DENSE_LI, 1, (snn_encoding)e, (snn_arithmetic)a);
        }
}

/* ---- modelled chips ---- */

static snn_hw_options chip_options(const char *hw) {
    char text[1000];
    snn_error err = {0};
    snn_hw_options o = {0};
    snprintf(text, sizeof text, "hw = { %s };\n", hw);
    snn_config *c = snn_config_parse(text, "test.cfg", &err);
    must(c != NULL, &err);
    must(snn_hw_layout_from_config(c, &o, &err), &err);
    snn_config_free(c);
    return o;
}

/* The score of a chip that is programmed with the flipped weights. */
static snn_score programmed(const search_rig *g, const snn_map *map, const snn_hw_options *hw,
                            uint64_t number, const snn_flips *flips) {
    snn_error err = {0};
    snn_weights *stored = snn_weights_apply(g->weights, flips, &err);
    snn_chip *chip = snn_chip_program(map, hw, stored, number, &err);
    must(chip != NULL, &err);
    snn_readout *read = snn_readout_new(chip, &hw->condition, NULL, SNN_READ_FAST, g->net, NULL, 0, &err);
    must(read != NULL, &err);
    snn_probe_result r = rig_run(g, snn_readout_weights(read), SNN_ARITHMETIC_FLOAT);
    const snn_score s = plain_score(&g->goal, &r, g->label);
    snn_probe_result_free(&r);
    snn_readout_free(read);
    snn_chip_free(chip);
    snn_weights_free(stored);
    return s;
}

static void chips(void **state) {
    (void)state;
    enum { CHIPS = 3 };
    snn_error err = {0};
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 12, 8, SNN_SIGN_MAGNITUDE, 5);
    rig_open(&g, 0, false, (snn_goal){.target = 3, .margin = 1, .largest = 9}, 1);
    snn_hw_options hw = chip_options("device = \"ideal\"; cell_error = 0.05");
    snn_map *map = snn_map_new(g.net, g.weights, &hw.map, &err);
    must(map != NULL, &err);
    snn_noisy_readouts *noisy = snn_noisy_readouts_new(map, &hw, g.weights, g.net, CHIPS, false, 1, &err);
    must(noisy != NULL, &err);
    snn_objective_options o;
    rig_search_options(&g, 1, &o);
    o.readout = snn_noisy_readouts_all(noisy);
    o.chips = CHIPS;
    snn_objective *f = snn_objective_new(&o, g.candidates, g.sample, g.label, g.n, &err);
    must(f != NULL, &err);
    assert_int_equal(snn_objective_chips(f), CHIPS);
    snn_objective_workspace *w = snn_objective_workspace_new(f, &err);
    snn_placer *p = snn_placer_new(g.candidates, &err);
    snn_random r;
    snn_random_init(&r, 9, SNN_PURPOSE_TEST, 1);
    snn_set s = {0}, base = {0};
    snn_flip flip[64];
    for (int trial = 0; trial < 12; trial++) {
        snn_score sum = {0}, ours, toggled;
        const snn_flips flips = {draw(&g, &r, p, &s, flip), flip};
        for (uint32_t c = 0; c < CHIPS; c++) {
            const snn_score one = programmed(&g, map, &hw, (UINT64_C(1) << 32) + c, &flips);
            sum.correct += one.correct;
            sum.right += one.right;
            sum.largest += one.largest;
            sum.loss += one.loss / CHIPS;
            sum.lead += one.lead / CHIPS;
        }
        must(snn_objective_eval(f, s.item, s.n, w, &ours, &err), &err);
        same_score(&ours, &sum);
        /* The same again as a toggle of a base with one item more or less. */
        const uint32_t item = trial % 2 && s.n > 0 ? s.item[s.n / 2] : snn_random_below(&r, g.candidates->n);
        must(snn_set_toggled(&base, &s, item, &err), &err);
        if (!snn_candidates_allowed(g.candidates, base.item, base.n))
            continue;
        must(snn_objective_rebase(f, &base, &err), &err);
        must(snn_objective_toggle(f, item, w, &toggled, &err), &err);
        equal_score(&toggled, &ours);
    }
    snn_set_free(&s);
    snn_set_free(&base);
    snn_placer_free(p);
    snn_objective_workspace_free(w);
    snn_objective_free(f);
    snn_noisy_readouts_free(noisy);
    snn_map_free(map);
    snn_hw_options_free(&hw);
    rig_close(&g);
}

/* ---- errors ---- */

static void refuses(const search_rig *g, const snn_objective_options *o, const int *label, snn_code code,
                    const char *why) {
    snn_error err = {0};
    assert_null(snn_objective_new(o, g->candidates, g->sample, label, g->n, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void errors(void **state) {
    (void)state;
    search_rig g = rig_make(DENSE, (snn_shape){1, 6, 6}, 5, 4, SNN_SIGN_MAGNITUDE, 5);
    rig_open(&g, 1, false, (snn_goal){.margin = 1, .largest = 5}, 1);
    snn_objective_options o;
    rig_search_options(&g, 1, &o);
    int label[5];
    memcpy(label, g.label, sizeof label);
    label[3] = 4;
    refuses(&g, &o, label, SNN_ERR_DATA, "sample 3 has class 4, the network only 0 .. 3");
    label[3] = -1;
    refuses(&g, &o, label, SNN_ERR_DATA, "sample 3 has class -1");
    const double bad[] = {-0.5, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        o.goal.margin = bad[i];
        refuses(&g, &o, g.label, SNN_ERR_USAGE, "the margin is");
    }
    o.goal.margin = 1;
    const bool first[] = {true, false};
    o.searched = first;
    refuses(&g, &o, g.label, SNN_ERR_DATA, "candidates of layer 'b', which is not searched");
    o.searched = NULL;
    snn_weights *other = rig_weights(g.net, 4, SNN_SIGN_MAGNITUDE, 6);
    o.weights = other;
    refuses(&g, &o, g.label, SNN_ERR_DATA, "bits of other weights");
    snn_weights_free(other);
    /* One class. */
    search_rig one = {.net = rig_net("{name=\"a\"; type=\"linear\"; outputs=1;}", (snn_shape){1, 6, 6}),
                      .n = 5};
    one.weights = rig_weights(one.net, 4, SNN_SIGN_MAGNITUDE, 5);
    o.net = one.net;
    o.weights = one.weights;
    refuses(&g, &o, g.label, SNN_ERR_USAGE, "at least two classes");
    one.n = 0;
    rig_close(&one);
    rig_close(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores), cmocka_unit_test(by_hand), cmocka_unit_test(evaluations),
        cmocka_unit_test(chips),  cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
