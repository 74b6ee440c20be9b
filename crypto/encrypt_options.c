/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Section `encrypt` of the config: which bits may be keyed, what the search must reach, and how it works. A key that is given and could not act is an error. */
#include "search_internal.h"
#include <snnsim/encrypt.h>

#include "genetic.h"

#include <snnsim/hw.h>
#include <snnsim/ranks.h>
#include <snnsim/tile.h>
#include <stdlib.h>
#include <string.h>

/* Points above chance that are still no knowledge of the classes: the default target. */
#define TARGET_ABOVE_CHANCE 0.02

/* Accuracies are decimal fractions: 0.29 of 100 samples are 29, though 0.29 * 100 lies a hair below. */
#define ROUNDING 1e-9

/* ---- keys that only some searches know ---- */

#define BIT(kind) (1U << (kind))

static const struct {
    const char *path, *searches;
    unsigned kinds;
    bool zero_is_off; /* 0 asks for nothing */
} only[] = {
    {"encrypt.rule", "saliency", BIT(SNN_SEARCH_SALIENCY), false},
    {"encrypt.eps", "snngx", BIT(SNN_SEARCH_SNNGX), false},
    {"encrypt.population", "genetic, snngx and pareto",
     BIT(SNN_SEARCH_GENETIC) | BIT(SNN_SEARCH_SNNGX) | BIT(SNN_SEARCH_PARETO), true},
    {"encrypt.generations", "genetic, snngx and pareto",
     BIT(SNN_SEARCH_GENETIC) | BIT(SNN_SEARCH_SNNGX) | BIT(SNN_SEARCH_PARETO), true},
};

static bool check_given(const snn_config *config, snn_search_kind kind, snn_error *err) {
    for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
        const char *path = only[i].path;
        if (only[i].kinds & BIT(kind) || !snn_config_given(config, path) ||
            (only[i].zero_is_off && !snn_config_int(config, path)))
            continue;
        return snn_config_fail(config, path, err, "does nothing for encrypt.search = %s, only for %s",
                               snn_search_name(kind), only[i].searches);
    }
    if (snn_config_int(config, "encrypt.random_samples") && snn_config_given(config, "encrypt.samples"))
        return snn_config_fail(config, "encrypt.samples", err,
                               "does nothing: encrypt.random_samples draws without regard to class");
    if (snn_config_int(config, "encrypt.chips") && !snn_hw_wanted(config))
        return snn_config_fail(config, "encrypt.chips", err, "needs a chip: set hw.device");
    if (snn_config_bool(config, "encrypt.read_noise") && !snn_config_int(config, "encrypt.chips"))
        return snn_config_fail(config, "encrypt.read_noise", err, "does nothing without encrypt.chips");
    return true;
}

/* The genetic search keeps the tribe of each individual in 4 bits of one register. */
static bool check_population(const snn_config *config, snn_search_kind kind, snn_error *err) {
    const int64_t people = snn_config_int(config, "encrypt.population");
    return (kind != SNN_SEARCH_GENETIC && kind != SNN_SEARCH_PARETO) || people <= SNN_TRIBES ||
           snn_config_fail(config, "encrypt.population", err,
                           "%lld individuals, but encrypt.search = %s takes at most %d", (long long)people,
                           snn_search_name(kind), SNN_TRIBES);
}

/* ---- layers ---- */

static bool no_layer(const snn_config *config, const snn_net *net, const char *name, snn_error *err) {
    char names[512] = "";
    size_t used = 0;
    char tensor[SNN_NAME];
    for (int t = 0; t < net->tensors && used < sizeof names; t++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                 snn_net_tensor_name(net, t, tensor));
    return snn_config_fail(config, "encrypt.layers", err,
                           "there is no layer '%.64s' with weights; expected all, or some of: %s", name,
                           names);
}

static bool read_layers(snn_encrypt_options *o, const snn_config *config, const snn_net *net,
                        snn_error *err) {
    int n = snn_config_count(config, "encrypt.layers");
    if (!n)
        return snn_config_fail(config, "encrypt.layers", err, "names no layer");
    for (int i = 0; i < n; i++) {
        const char *name = snn_config_string_at(config, "encrypt.layers", i);
        const int tensor = snn_net_find_tensor(net, name);
        if (snn_net_find(net, name) < 0 && tensor < 0 && n == 1 && !strcmp(name, "all")) {
            for (int t = 0; t < o->tensors; t++)
                o->tensor[t] = true;
            return true;
        }
        if (tensor < 0)
            return no_layer(config, net, name, err);
        if (o->tensor[tensor])
            return snn_config_fail(config, "encrypt.layers", err, "layer %s is named twice", name);
        o->tensor[tensor] = true;
    }
    return true;
}

/* ---- the rest ---- */

static snn_search_kind search_kind(const snn_config *config) {
    const char *name = snn_config_string(config, "encrypt.search");
    int kind = SNN_SEARCH_GENETIC;
    while (kind < SNN_SEARCH_PARETO && strcmp(name, snn_search_name((snn_search_kind)kind)) != 0)
        kind++;
    return (snn_search_kind)kind;
}

static snn_saliency_rule saliency_rule(const snn_config *config) {
    const char *name = snn_config_string(config, "encrypt.rule");
    return !strcmp(name, "rate")        ? SNN_RULE_RATE
           : !strcmp(name, "magnitude") ? SNN_RULE_MAGNITUDE
                                        : SNN_RULE_CLASS_RATE;
}

static bool read_search(snn_encrypt_options *o, const snn_config *config, snn_error *err) {
    uint64_t seed = (uint64_t)snn_config_int(config, "encrypt.seed");
    snn_search_kind kind = search_kind(config);
    o->seed_given = seed != 0;
    if (!seed)
        randombytes_buf(&seed, sizeof seed);
    if (!snn_rank_broadcast(&seed, sizeof seed, err))
        return false;
    o->search = (snn_search_options){
        .kind = kind,
        .rule = saliency_rule(config),
        .seed = seed,
        /* the published algorithm has no such step: only whoever asks for it gets it */
        .prune = snn_config_bool(config, "encrypt.prune") &&
                 (kind != SNN_SEARCH_SNNGX || snn_config_given(config, "encrypt.prune")),
        .evaluations = (uint64_t)snn_config_int(config, "encrypt.evaluations"),
        .seconds = snn_config_float(config, "encrypt.seconds"),
        .most_bits = (uint32_t)snn_config_int(config, "encrypt.most_bits"),
        .population = (uint32_t)snn_config_int(config, "encrypt.population"),
        .generations = (uint32_t)snn_config_int(config, "encrypt.generations"),
        .eps = (uint32_t)snn_config_int(config, "encrypt.eps"),
    };
    return true;
}

static bool read_goal(snn_encrypt_options *o, const snn_config *config, const snn_net *net, snn_error *err) {
    o->target = snn_config_float(config, "encrypt.target");
    o->margin = snn_config_float(config, "encrypt.margin");
    o->collapse = snn_config_float(config, "encrypt.collapse");
    if (o->target == 0)
        o->target = 1.0 / net->classes + TARGET_ABOVE_CHANCE;
    if (o->target >= 1)
        return snn_config_fail(config, "encrypt.target", err, "every network meets it without encryption");
    if (o->collapse * net->classes < 1)
        return snn_config_fail(config, "encrypt.collapse", err,
                               "cannot be met: one of %u classes always has at least %.4g of the samples",
                               net->classes, 1.0 / net->classes);
    return true;
}

/* Where an evaluation takes milliseconds for a few samples, and keeps megabytes of each, the search works with few unless it is told otherwise. */
enum { DEAR_SAMPLES = 4, DEAR_VARIANTS = 0 };

static void read_samples(snn_encrypt_options *o, const snn_config *config, const snn_net *net) {
    bool dear = false;
    for (int t = 0; t < o->tensors; t++)
        dear |= o->tensor[t] && snn_search_convolves(net, (uint32_t)t);
    o->samples = (uint32_t)snn_config_int(config, "encrypt.samples");
    o->variants = (uint32_t)snn_config_int(config, "encrypt.variants");
    o->random_samples = (uint32_t)snn_config_int(config, "encrypt.random_samples");
    if (dear && !snn_config_given(config, "encrypt.samples"))
        o->samples = DEAR_SAMPLES;
    if (dear && !snn_config_given(config, "encrypt.variants"))
        o->variants = DEAR_VARIANTS;
}

/* What the decryptor takes, where section hw.decryptor says it: what is found must be provisioned. */
static bool read_limits(snn_encrypt_options *o, const snn_config *config, snn_error *err) {
    uint32_t ways, keyable;
    o->bits = (int)snn_config_int(config, "encrypt.bits");
    o->word_limit = (uint32_t)snn_config_int(config, "encrypt.word_limit");
    if (!snn_decryptor_limits(config, &ways, &keyable, err))
        return false;
    if (ways > 0 && o->word_limit > ways)
        return snn_config_fail(
            config, "encrypt.word_limit", err,
            "is %u, but the decryptor takes %u keyed bits of a row word (hw.decryptor.ways)", o->word_limit,
            ways);
    if (keyable > 0 && (o->bits == 0 || o->bits > (int)keyable))
        return snn_config_fail(
            config, "encrypt.bits", err,
            "is %d, but the decryptor keys the %u most significant bits (hw.decryptor.keyable)", o->bits,
            keyable);
    if (ways > 0 && o->word_limit == 0)
        o->word_limit = ways;
    return true;
}

bool snn_encrypt_options_from_config(snn_encrypt_options *o, const snn_config *config, const snn_net *net,
                                     snn_error *err) {
    *o = (snn_encrypt_options){.tensors = net->tensors};
    if (!read_search(o, config, err) || !read_limits(o, config, err))
        return false;
    o->eligible = snn_config_float(config, "encrypt.eligible");
    o->any_value = snn_config_bool(config, "encrypt.any_value");
    o->chips = (uint32_t)snn_config_int(config, "encrypt.chips");
    o->read_noise = snn_config_bool(config, "encrypt.read_noise");
    o->variation = (uint32_t)snn_config_int(config, "encrypt.variation");
    o->tensor = snn_alloc((size_t)net->tensors, sizeof *o->tensor, "layers to encrypt", err);
    bool ok = o->tensor && check_given(config, o->search.kind, err) &&
              check_population(config, o->search.kind, err) && read_layers(o, config, net, err) &&
              read_goal(o, config, net, err);
    if (ok)
        read_samples(o, config, net);
    if (ok && o->eligible == 0)
        ok = snn_config_fail(config, "encrypt.eligible", err, "leaves no bit that may be keyed");
    if (!ok)
        snn_encrypt_options_free(o);
    return ok;
}

void snn_encrypt_options_free(snn_encrypt_options *o) {
    free(o->tensor);
    sodium_memzero(o, sizeof *o); /* the seed */
}

/* ---- derived ---- */

snn_goal snn_encrypt_goal(const snn_encrypt_options *o, size_t n, double *target_used) {
    double all = (double)n;
    snn_goal goal = {.target = (uint32_t)(o->target * all + ROUNDING), .margin = o->margin};
    goal.largest = (uint32_t)(o->collapse * all + ROUNDING);
    *target_used = all > 0 ? goal.target / all : 0;
    return goal;
}

bool snn_encrypt_goal_check(const snn_goal *goal, size_t n, int classes, snn_error *err) {
    const size_t least = (n + (size_t)classes - 1) / (size_t)classes; /* some class has as many */
    return goal->largest >= least ||
           snn_fail(
               err, SNN_ERR_USAGE,
               "encrypt.collapse: cannot be met: with %zu samples and %d classes one class has at least %zu, "
               "but only %u are allowed",
               n, classes, least, goal->largest);
}

uint64_t snn_encrypt_other_seed(uint64_t seed, uint32_t i) {
    static const char purpose[] = "snnsim encrypt: seed of a throw-away search";
    uint8_t bytes[SNN_DIGEST_BYTES];
    uint64_t other = 0;
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, purpose, sizeof purpose);
    snn_digest_u64(&d, seed);
    snn_digest_u64(&d, i);
    snn_digest_final(&d, bytes);
    for (int k = 0; k < 8; k++)
        other |= (uint64_t)bytes[k] << 8 * k;
    sodium_memzero(&d, sizeof d);
    return other;
}
