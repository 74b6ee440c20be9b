/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section encrypt: defaults, every key, keys that could not act, layers, the goal in whole samples, seeds. */
#include "encrypt_test.h"

#include <math.h>

static snn_encrypt_options parsed(const char *section) {
    char text[1024];
    snn_error err = {0};
    snn_encrypt_options o;
    snprintf(text, sizeof text, "encrypt = { %s };\n", section);
    tiny s = open_tiny(text);
    need(snn_encrypt_options_from_config(&o, s.config, s.net, &err), &err);
    close_tiny(&s);
    return o;
}

static void refuse_text(const char *text, const char *sentence) {
    snn_error err = {0};
    snn_encrypt_options o;
    tiny s = open_tiny(text);
    if (snn_encrypt_options_from_config(&o, s.config, s.net, &err))
        fail_msg("'%s' was taken", text);
    check_error(&err, SNN_ERR_USAGE, sentence);
    check_error(&err, SNN_ERR_USAGE, "tiny.cfg:");
    assert_null(o.tensor);
    close_tiny(&s);
}

static void refuse(const char *section, const char *sentence) {
    char text[1024];
    snprintf(text, sizeof text, "encrypt = { %s };\n", section);
    refuse_text(text, sentence);
}

static void defaults(void **state) {
    (void)state;
    snn_encrypt_options o = parsed("");
    assert_int_equal(o.search.kind, SNN_SEARCH_GENETIC);
    assert_true(o.search.prune && !o.search.evaluations && !o.search.seconds && !o.search.most_bits);
    assert_true(!o.search.population && !o.search.generations && o.search.eps == 50);
    assert_true(!o.search.checkpoint && !o.search.resume && !o.search.keep);
    assert_true(o.tensors == 1 && o.tensor[0] && o.bits == 1 && !o.word_limit && o.eligible == 1);
    assert_true(o.samples == 10 && !o.random_samples && !o.chips && !o.read_noise && o.variation == 3);
    assert_true(fabs(o.target - (1.0 / 3 + 0.02)) < 1e-15 && o.margin == 1 && o.collapse == 1);
    assert_false(o.seed_given);
    snn_encrypt_options_free(&o);
    assert_null(o.tensor);
}

static void every_key(void **state) {
    (void)state;
    snn_encrypt_options o = parsed(
        "search = \"snngx\"; layers = [\"fc\"]; bits = 3; word_limit = 4; eligible = 0.25; random_samples = "
        "16;\n"
        "target = 0.5; margin = 2.5; collapse = 0.75; prune = true; evaluations = 12600; seconds = 60.5;\n"
        "most_bits = 99; variation = 7; seed = 9007199254740992L; population = 60; generations = 125; eps = "
        "30;");
    assert_int_equal(o.search.kind, SNN_SEARCH_SNNGX);
    assert_true(o.bits == 3 && o.word_limit == 4 && o.eligible == 0.25 && o.random_samples == 16);
    assert_true(o.target == 0.5 && o.margin == 2.5 && o.collapse == 0.75 && o.variation == 7);
    assert_true(o.search.prune && o.search.evaluations == 12600 && o.search.seconds == 60.5);
    assert_true(o.search.most_bits == 99 && o.search.population == 60 && o.search.generations == 125);
    assert_true(o.search.eps == 30 && o.seed_given && o.search.seed == 9007199254740992U);
    snn_encrypt_options_free(&o);
    o = parsed("search = \"saliency\"; rule = \"magnitude\"; samples = 3; prune = false;");
    assert_true(o.search.kind == SNN_SEARCH_SALIENCY && o.search.rule == SNN_RULE_MAGNITUDE);
    assert_true(o.samples == 3 && !o.search.prune);
    snn_encrypt_options_free(&o);
}

/* Where a convolution stands at or behind a searched layer: few samples and no variants, unless they are given. */
static void few_samples(void **state) {
    (void)state;
    static const char layers[] =
        "network = { layers = ({name=\"a\"; type=\"linear\"; outputs=9;}, {name=\"c\"; type=\"conv2d\"; "
        "channels=2; kernel=1;}, {name=\"b\"; type=\"linear\"; outputs=3;}); };\n";
    static const struct {
        const char *section;
        uint32_t samples, variants;
    } given[] = {
        {"", 4, 0},                  /* all layers */
        {"layers = [\"a\"];", 4, 0}, /* a convolution behind it */
        {"layers = [\"c\"];", 4, 0},
        {"layers = [\"b\"];", 10, 7},
        {"layers = [\"b\", \"c\"];", 4, 0},
        {"samples = 10;", 10, 0},
        {"variants = 7;", 4, 7},
        {"samples = 3; variants = 2;", 3, 2},
        {"layers = [\"b\"]; variants = 0;", 10, 0},
        {"layers = [\"b\"]; samples = 4;", 4, 7},
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        char text[1024];
        snn_error err = {0};
        snn_encrypt_options o;
        snprintf(text, sizeof text, "%sencrypt = { %s };\n", layers, given[i].section);
        snn_config *c = snn_config_parse(text, "few.cfg", &err);
        snn_net *net = c ? snn_net_from_config(c, (snn_shape){1, 3, 3}, &err) : NULL;
        need(net && snn_encrypt_options_from_config(&o, c, net, &err), &err);
        if (o.samples != given[i].samples || o.variants != given[i].variants)
            fail_msg("'%s': %u samples, %u variants", given[i].section, o.samples, o.variants);
        snn_encrypt_options_free(&o);
        snn_net_free(net);
        snn_config_free(c);
    }
    snn_encrypt_options o = parsed("");
    assert_true(o.samples == 10 && o.variants == 7); /* no convolution at all */
    snn_encrypt_options_free(&o);
}

static void kinds_and_rules(void **state) {
    (void)state;
    static const struct {
        const char *section;
        snn_search_kind kind;
        snn_saliency_rule rule;
        bool prune;
    } given[] = {
        {"search = \"genetic\"", SNN_SEARCH_GENETIC, SNN_RULE_CLASS_RATE, true},
        {"search = \"snngx\"", SNN_SEARCH_SNNGX, SNN_RULE_CLASS_RATE, false}, /* as published: without */
        {"search = \"greedy\"", SNN_SEARCH_GREEDY, SNN_RULE_CLASS_RATE, true},
        {"search = \"saliency\"", SNN_SEARCH_SALIENCY, SNN_RULE_CLASS_RATE, true},
        {"search = \"saliency\"; rule = \"class_rate\"", SNN_SEARCH_SALIENCY, SNN_RULE_CLASS_RATE, true},
        {"search = \"saliency\"; rule = \"rate\"", SNN_SEARCH_SALIENCY, SNN_RULE_RATE, true},
        {"search = \"random\"", SNN_SEARCH_RANDOM, SNN_RULE_CLASS_RATE, true},
        {"search = \"pareto\"", SNN_SEARCH_PARETO, SNN_RULE_CLASS_RATE, true},
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        char section[128];
        snprintf(section, sizeof section, "%s;", given[i].section);
        snn_encrypt_options o = parsed(section);
        assert_int_equal(o.search.kind, given[i].kind);
        assert_int_equal(o.search.rule, given[i].rule);
        assert_int_equal(o.search.prune, given[i].prune);
        snn_encrypt_options_free(&o);
    }
}

static void keys_that_could_not_act(void **state) {
    (void)state;
    refuse("rule = \"rate\";", "encrypt.rule: does nothing for encrypt.search = genetic, only for saliency");
    refuse("search = \"greedy\"; eps = 50;",
           "encrypt.eps: does nothing for encrypt.search = greedy, only for snngx");
    refuse("population = 17;",
           "encrypt.population: 17 individuals, but encrypt.search = genetic takes at most 16");
    refuse("search = \"pareto\"; population = 100;", "encrypt.search = pareto takes at most 16");
    refuse("search = \"random\"; population = 1;",
           "encrypt.population: does nothing for encrypt.search = random");
    refuse("search = \"saliency\"; generations = 1;", "encrypt.generations: does nothing");
    refuse("samples = 10; random_samples = 16;", "encrypt.samples: does nothing");
    refuse("chips = 2;", "encrypt.chips: needs a chip: set hw.device");
    refuse("read_noise = true;", "encrypt.read_noise: does nothing without encrypt.chips");
    refuse("eligible = 0.0;", "encrypt.eligible: leaves no bit");
    refuse("target = 1.0;", "encrypt.target: every network meets it");
    refuse("collapse = 0.33;", "encrypt.collapse: cannot be met: one of 3 classes");
    static const char *const fine[] = {"population = 0; generations = 0; search = \"greedy\";",
                                       "samples = 5; random_samples = 0;",
                                       "search = \"pareto\"; population = 8; generations = 9;",
                                       "population = 16;",
                                       "search = \"snngx\"; population = 17;",
                                       "collapse = 0.34;",
                                       "target = 0.99;"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        snn_encrypt_options o = parsed(fine[i]);
        snn_encrypt_options_free(&o);
    }
}

static void layers(void **state) {
    (void)state;
    refuse("layers = [\"fc\", \"fc\"];", "encrypt.layers: layer fc is named twice");
    refuse("layers = [\"flat\"];", "there is no layer 'flat' with weights; expected all, or some of: fc");
    refuse("layers = \"fc9\";", "there is no layer 'fc9' with weights");
    refuse("layers = [\"all\", \"fc\"];", "there is no layer 'all' with weights");
    refuse("layers = [];", "encrypt.layers: names no layer");
    /* of several layers only those that are named */
    snn_error err = {0};
    snn_config *c =
        snn_config_parse("dataset = { name = \"npy\"; };\n"
                         "network = { layers = ( { name = \"a\"; type = \"linear\"; outputs = 5; },\n"
                         "{ name = \"b\"; type = \"linear\"; outputs = 4; },\n"
                         "{ name = \"all\"; type = \"linear\"; outputs = 3; } ); };\n"
                         "encrypt = { layers = [\"all\", \"a\"]; };",
                         "tiny.cfg", &err);
    snn_net *net = c ? snn_net_from_config(c, (snn_shape){4, 1, 1}, &err) : NULL;
    snn_encrypt_options o;
    need(net && snn_encrypt_options_from_config(&o, c, net, &err), &err);
    assert_true(o.tensors == 3 && o.tensor[0] && !o.tensor[1] && o.tensor[2]);
    snn_encrypt_options_free(&o);
    snn_net_free(net);
    snn_config_free(c);
}

/* Whole samples: rounded down, but decimal fractions are what they say. */
static void goals(void **state) {
    (void)state;
    static const struct {
        double target, collapse;
        size_t n;
        uint32_t allowed, largest;
    } given[] = {
        {0.12, 1, 100, 12, 100},       {0.29, 0.29, 100, 29, 29},       {0.12, 1, 10, 1, 10},
        {0.1 + 0.02, 1, 50, 6, 50},    {1.0 / 11 + 0.02, 1, 11, 1, 11}, {0.0999, 0.5, 10, 0, 5},
        {0.35, 0.999, 1000, 350, 999}, {0.07, 0.57, 100, 7, 57},
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        snn_encrypt_options o = {.target = given[i].target, .collapse = given[i].collapse, .margin = 1.5};
        double used;
        snn_goal g = snn_encrypt_goal(&o, given[i].n, &used);
        assert_int_equal(g.target, given[i].allowed);
        assert_int_equal(g.largest, given[i].largest);
        assert_true(g.margin == 1.5 && used == given[i].allowed / (double)given[i].n);
        o.chips = 7; /* the goal is of each chip */
        g = snn_encrypt_goal(&o, given[i].n, &used);
        assert_int_equal(g.target, given[i].allowed);
    }
}

/* 10 samples of 3 classes: one class has 4 or more. */
static void a_collapse_that_cannot_be_met(void **state) {
    (void)state;
    snn_error err = {0};
    const snn_goal four = {.largest = 4}, three = {.largest = 3};
    assert_true(snn_encrypt_goal_check(&four, 10, 3, &err));
    assert_true(snn_encrypt_goal_check(&three, 9, 3, &err));
    assert_false(snn_encrypt_goal_check(&three, 10, 3, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_string_equal(err.text,
                        "encrypt.collapse: cannot be met: with 10 samples and 3 classes one class has at "
                        "least 4, but only 3 are allowed");
}

static void seeds(void **state) {
    (void)state;
    snn_encrypt_options a = parsed("seed = 5;"), b = parsed("seed = 0;"), c = parsed("");
    assert_true(a.seed_given && a.search.seed == 5);
    assert_true(!b.seed_given && !c.seed_given && b.search.seed != c.search.seed);
    snn_encrypt_options_free(&a);
    snn_encrypt_options_free(&b);
    snn_encrypt_options_free(&c);
    /* throw-away seeds: the same again, others for other numbers and seeds, and not the seed */
    uint64_t first = snn_encrypt_other_seed(5, 0);
    assert_true(first == snn_encrypt_other_seed(5, 0) && first != snn_encrypt_other_seed(5, 1));
    assert_true(first != snn_encrypt_other_seed(6, 0) && first != 5);
    /* Python: hashlib.blake2b(b"snnsim encrypt: seed of a throw-away search\0" + (5).to_bytes(8, "little") + (1).to_bytes(8, "little"), digest_size=32).digest()[:8] */
    assert_true(snn_encrypt_other_seed(5, 1) == 0x1c48708021c6567eULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_key),
        cmocka_unit_test(few_samples),
        cmocka_unit_test(kinds_and_rules),
        cmocka_unit_test(keys_that_could_not_act),
        cmocka_unit_test(layers),
        cmocka_unit_test(goals),
        cmocka_unit_test(a_collapse_that_cannot_be_met),
        cmocka_unit_test(seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
