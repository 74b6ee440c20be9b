/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of the paper's figure: accuracy after encrypting a share of ONE layer's bits, for each layer, by random sign bits, by saliency (change x input rate), and by the genetic search's best set of at most that many bits, where these are few enough.
 *   layer_table CONFIG MODEL SEEDS EVALUATIONS [KEY=VALUE]...      (EVALUATIONS: budget of each search; 0: none is run)
 * Prints CSV: layer,share,bits,method,seed,accuracy,balanced (on the test part, with all weights of other layers plain). The search works with encrypt.samples training samples of each class.
 */
#include "../../crypto/order.h"

#include <snnsim/snnsim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_SEARCHED 400 /* bits: a search for more takes too long for a table */

typedef struct {
    snn_config *config;
    snn_dataset *training, *test;
    snn_frames *frames;
    snn_model model;
    snn_engine_options engine;
    int threads;
    uint32_t samples; /* of each class, for searches */
    uint64_t seeds;
    uint64_t evaluations; /* budget of a search */
} table;

/* ---- what a set is worth ---- */

static bool judge(const table *t, const snn_flips *flips, double *accuracy, double *balanced,
                  snn_error *err) {
    snn_weights *stored = snn_weights_apply(t->model.weights, flips, err);
    snn_chips_options options = {.threads = t->threads, .engine = t->engine, .ideal = true};
    snn_chips_result r = {0};
    bool ok = stored && snn_chips_run(NULL, NULL, t->model.net, stored, t->frames, &options, NULL, &r, err);
    if (ok) {
        *accuracy = snn_metrics_accuracy(r.ideal.metrics).value;
        *balanced = snn_metrics_balanced(r.ideal.metrics).value;
    }
    snn_chips_free(&r);
    snn_weights_free(stored);
    return ok;
}

static bool line(const table *t, int tensor, double share, const char *method, uint64_t seed,
                 const snn_flips *flips, snn_error *err) {
    double accuracy, balanced;
    if (!judge(t, flips, &accuracy, &balanced, err))
        return false;
    printf("%s,%g,%zu,%s,%llu,%.4f,%.4f\n", t->model.weights->tensor[tensor].name, share, flips->n, method,
           (unsigned long long)seed, accuracy, balanced);
    fflush(stdout);
    return true;
}

/* ---- the ways of choosing ---- */

static bool by_random(const table *t, const snn_candidates *c, int tensor, double share, uint32_t bits,
                      uint64_t seed, snn_error *err) {
    uint32_t *order = snn_alloc(c->n, sizeof *order, "an order", err);
    snn_flips flips = {bits, order ? snn_alloc(bits, sizeof *flips.flip, "flips", err) : NULL};
    bool ok = flips.flip != NULL;
    if (ok) {
        snn_random r;
        snn_random_init(&r, seed, SNN_PURPOSE_TEST, (uint64_t)tensor);
        snn_random_permutation(&r, order, c->n);
        for (uint32_t i = 0; i < bits; i++)
            flips.flip[i] = c->flip[order[i]];
        ok = line(t, tensor, share, "random", seed, &flips, err);
    }
    free(flips.flip);
    free(order);
    return ok;
}

/* No sample may stay right, so that a search hardly ever ends before the number of bits asked for. */
static bool by_search(const table *t, const snn_candidates *c, const snn_subset *subset,
                      const snn_search_options *o, const char *method, int tensor, double share,
                      snn_error *err) {
    snn_objective_options about = {.net = t->model.net,
                                   .weights = t->model.weights,
                                   .arithmetic = t->engine.arithmetic,
                                   .simd = t->engine.simd,
                                   .threads = t->threads,
                                   .goal = {.margin = 1, .largest = (uint32_t)subset->n}};
    snn_objective *objective = snn_objective_new(&about, c, subset->sample, subset->label, subset->n, err);
    snn_search_result r = {0};
    bool ok = objective && snn_search(objective, o, NULL, &r, err) &&
              line(t, tensor, share, method, o->seed, &r.flips, err);
    snn_search_free(&r);
    snn_objective_free(objective);
    return ok;
}

/* The first bits of the rule's order: no search, so that large shares cost nothing. */
static bool by_rule(const table *t, const snn_candidates *c, const snn_subset *subset, int tensor,
                    double share, uint32_t bits, uint64_t seed, snn_error *err) {
    snn_objective_options about = {.net = t->model.net,
                                   .weights = t->model.weights,
                                   .threads = t->threads,
                                   .goal = {.largest = (uint32_t)subset->n}};
    snn_objective *objective = snn_objective_new(&about, c, subset->sample, subset->label, subset->n, err);
    snn_rates rates = {0};
    uint32_t *order = objective ? snn_alloc(c->n, sizeof *order, "an order", err) : NULL, n = 0;
    snn_flips flips = {0, order ? snn_alloc(bits, sizeof *flips.flip, "flips", err) : NULL};
    bool ok = flips.flip && snn_rates_new(&rates, objective, err) &&
              snn_rates_order(&rates, objective, SNN_RULE_RATE, 0, order, NULL, &n, err);
    for (; ok && flips.n < bits && flips.n < n; flips.n++)
        flips.flip[flips.n] = c->flip[order[flips.n]];
    ok = ok && line(t, tensor, share, "rate", seed, &flips, err);
    snn_rates_free(&rates);
    free(flips.flip);
    free(order);
    snn_objective_free(objective);
    return ok;
}

/* ---- the table ---- */

static bool cell(const table *t, int tensor, double share, uint64_t seed, const snn_subset *subset,
                 snn_error *err) {
    const snn_tensor *w = &t->model.weights->tensor[tensor];
    bool searched[64] = {0};
    searched[tensor] = true;
    snn_candidate_options all = {.tensor = searched, .bits = 1, .eligible = 1},
                          half = {.tensor = searched, .bits = 1, .eligible = 0.5, .seed = seed};
    snn_candidates *c = snn_candidates_new(t->model.weights, &all, err);
    snn_candidates *thin = c ? snn_candidates_new(t->model.weights, &half, err) : NULL;
    uint32_t bits = (uint32_t)(share / 100 * (double)w->count * w->bits + 0.5);
    bool ok = thin != NULL;
    if (ok) {
        bits = bits < 1 ? 1 : bits > thin->n ? thin->n : bits;
        snn_search_options ours = {
            .kind = SNN_SEARCH_GENETIC, .seed = seed, .most_bits = bits, .evaluations = t->evaluations};
        ok = by_random(t, c, tensor, share, bits, seed, err) &&
             by_rule(t, thin, subset, tensor, share, bits, seed, err) &&
             (bits > LARGEST_SEARCHED || t->evaluations == 0 ||
              by_search(t, c, subset, &ours, "genetic", tensor, share, err));
    }
    snn_candidates_free(thin);
    snn_candidates_free(c);
    return ok;
}

static bool fill(const table *t, snn_error *err) {
    static const double shares[] = {0.1, 0.3, 0.5, 1.0}; /* % of the layer's bits, as in the paper */
    const snn_flips none = {0};
    double accuracy, balanced;
    if (t->model.weights->tensors > 64)
        return snn_fail(err, SNN_ERR_USAGE, "too many layers for a table");
    if (!judge(t, &none, &accuracy, &balanced, err))
        return false;
    printf("layer,share,bits,method,seed,accuracy,balanced\nall,0,0,plain,0,%.4f,%.4f\n", accuracy, balanced);
    for (uint64_t seed = 1; seed <= t->seeds; seed++) {
        snn_subset subset = {0};
        bool ok = snn_subset_draw(&subset, t->training, t->samples, 0, seed, err);
        for (int i = 0; ok && i < t->model.weights->tensors; i++)
            for (size_t s = 0; ok && s < sizeof shares / sizeof *shares; s++)
                ok = cell(t, i, shares[s], seed, &subset, err);
        snn_subset_free(&subset);
        if (!ok)
            return false;
    }
    return true;
}

static bool run(table *t, int argc, char **argv, snn_error *err) {
    t->config = snn_config_load(argv[1], err);
    for (int i = 5; t->config && i < argc; i++)
        if (!snn_config_set(t->config, argv[i], err))
            return false;
    if (!t->config || !snn_model_load(&t->model, argv[2], err))
        return false;
    t->seeds = strtoull(argv[3], NULL, 10);
    t->evaluations = strtoull(argv[4], NULL, 10);
    snn_encrypt_options o;
    if (!snn_encrypt_options_from_config(&o, t->config, t->model.net, err))
        return false;
    t->samples = o.samples;
    snn_encrypt_options_free(&o);
    t->threads = snn_threads(0);
    t->engine = (snn_engine_options){.simd = snn_simd_best()};
    t->training = snn_dataset_open(t->config, SNN_SPLIT_TRAIN, err);
    t->test = t->training ? snn_dataset_open(t->config, SNN_SPLIT_TEST, err) : NULL;
    t->frames = t->test ? snn_frames_new(t->test, 0, (size_t)4 << 30, err) : NULL;
    return t->frames && fill(t, err);
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "layer_table CONFIG MODEL SEEDS EVALUATIONS [KEY=VALUE]...\n");
        return SNN_ERR_USAGE;
    }
    table t = {0};
    snn_error err = {0};
    bool ok = run(&t, argc, argv, &err);
    if (!ok)
        fprintf(stderr, "layer_table: %s\n", err.text);
    snn_frames_free(t.frames);
    snn_dataset_free(t.test);
    snn_dataset_free(t.training);
    snn_model_free(&t.model);
    snn_config_free(t.config);
    return ok ? 0 : (int)err.code;
}
