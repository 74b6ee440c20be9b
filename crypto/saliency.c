/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Search by a rule: bits in the order of the rule, the shortest prefix that meets the goal. Prefixes are evaluated in ascending length, all of them up to FINE bits, then every 64th part; between
 * the last that failed and the first that met the goal it bisects. The rule of one class has a list for each class.
 */
#include "order.h"

#include <stdlib.h>
#include <string.h>

enum {
    FINE = 4096,     /* up to this length every prefix is evaluated */
    BLOCK = 32,      /* lengths in a step */
    ITEMS = 1 << 20, /* most items of all prefixes of a list in a step */
};

typedef struct {
    uint32_t lists;
    uint32_t **order; /* [lists][length] */
    uint32_t *length; /* [lists] */
    uint32_t longest;
} lists;

/* Registers. */
enum {
    NEXT,
    LOW,
    HIGH,
    LIST
}; /* next length; when it bisects list LIST: a length that failed, one that met the goal */

static void close_lists(snn_search_job *job) {
    lists *l = job->own;
    if (!l)
        return;
    for (uint32_t i = 0; l->order && i < l->lists; i++)
        free(l->order[i]);
    free(l->order);
    free(l->length);
    free(l);
    job->own = NULL;
}

/* order [candidates]: scratch */
static bool make_list(const snn_search_job *job, const snn_rates *rates, lists *l, uint32_t i,
                      uint32_t *order, snn_error *err) {
    const uint32_t most = job->options->most_bits;
    uint32_t n;
    if (!snn_rates_order(rates, job->objective, job->options->rule, (int)i, order, NULL, &n, err))
        return false;
    n = snn_placer_thin(job->placer, order, n);
    n = most > 0 && n > most ? most : n;
    l->length[i] = n;
    l->longest = n > l->longest ? n : l->longest;
    l->order[i] = snn_alloc(n, sizeof *order, "an order of candidates", err);
    if (l->order[i])
        memcpy(l->order[i], order, n * sizeof *order);
    return l->order[i] != NULL;
}

static bool make_lists(const snn_search_job *job, const snn_rates *rates, lists *l, snn_error *err) {
    l->order = snn_alloc(l->lists, sizeof *l->order, "orders of candidates", err);
    l->length = l->order ? snn_alloc(l->lists, sizeof *l->length, "orders of candidates", err) : NULL;
    uint32_t *order =
        l->length ? snn_alloc(job->candidates->n, sizeof *order, "an order of candidates", err) : NULL;
    bool ok = order != NULL;
    for (uint32_t i = 0; ok && i < l->lists; i++)
        ok = make_list(job, rates, l, i, order, err);
    free(order);
    return ok;
}

static bool open_lists(snn_search_job *job, snn_error *err) {
    const snn_saliency_rule rule = job->options->rule;
    lists *l = job->own = snn_alloc(1, sizeof *l, "orders of candidates", err);
    snn_rates rates = {0};
    if (!l || (rule != SNN_RULE_MAGNITUDE && !snn_rates_new(&rates, job->objective, err)))
        return false;
    l->lists = rule == SNN_RULE_CLASS_RATE ? snn_objective_net(job->objective)->classes : 1;
    const bool ok = make_lists(job, &rates, l, err);
    snn_rates_free(&rates);
    return ok;
}

static bool start(snn_search_job *job, snn_error *err) {
    (void)err;
    job->state->reg[NEXT] = 1;
    return true;
}

static bool sound(const snn_search_job *job) {
    const lists *l = job->own;
    const uint64_t *reg = job->state->reg;
    return job->state->sets == 0 && reg[NEXT] >= 1 && reg[LIST] < l->lists &&
           (reg[HIGH] == 0 || (reg[LOW] + 1 < reg[HIGH] && reg[HIGH] <= l->length[reg[LIST]]));
}

static uint64_t stride(uint64_t length) {
    return length < FINE ? 1 : length / 64;
}

/* Scores prefixes of these lengths, each of every list that has it; *found: the best that meets the goal. */
typedef struct {
    uint32_t length, list;
} prefix;

static bool score(snn_search_job *job, const prefix *p, uint32_t n, prefix *found, bool *met,
                  snn_error *err) {
    const lists *l = job->own;
    snn_set *set = snn_alloc(n, sizeof *set, "prefixes", err);
    bool ok = set != NULL;
    uint32_t best = n;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = snn_set_assign(&set[i], l->order[p[i].list], p[i].length, err);
    ok = ok && snn_search_score(job, set, n, err);
    for (uint32_t i = 0; ok && i < n; i++)
        if (snn_score_met(&set[i].score) && (best == n || snn_set_better(&set[i], &set[best])))
            best = i;
    *met = ok && best < n;
    if (*met)
        *found = p[best];
    for (uint32_t i = 0; set && i < n; i++)
        snn_set_free(&set[i]);
    free(set);
    return ok;
}

/* The next block of lengths; *previous: what came before each. */
static bool ascend(snn_search_job *job, bool *done, snn_error *err) {
    const lists *l = job->own;
    uint64_t *reg = job->state->reg;
    uint32_t n = 0;
    prefix *p = snn_alloc((size_t)BLOCK * l->lists, sizeof *p, "prefixes", err), found;
    if (!p)
        return false;
    uint64_t items = 0;
    for (uint32_t k = 0; k < BLOCK && items < ITEMS && reg[NEXT] <= l->longest; k++) {
        for (uint32_t i = 0; i < l->lists; i++)
            if (reg[NEXT] <= l->length[i])
                p[n++] = (prefix){(uint32_t)reg[NEXT], i};
        items += reg[NEXT];
        /* The longest one is not left out. */
        const uint64_t next = reg[NEXT] + stride(reg[NEXT]);
        reg[NEXT] = next > l->longest && reg[NEXT] < l->longest ? l->longest : next;
    }
    bool met;
    const bool ok = score(job, p, n, &found, &met, err);
    free(p);
    *done = ok && (met || reg[NEXT] > l->longest);
    if (ok && met && found.length > FINE) {
        reg[LIST] = found.list;
        reg[HIGH] = found.length;
        /* At most one stride of lengths was left out before it. */
        reg[LOW] = found.length - stride(found.length);
        *done = reg[HIGH] - reg[LOW] <= 1;
    }
    return ok;
}

static bool bisect(snn_search_job *job, bool *done, snn_error *err) {
    uint64_t *reg = job->state->reg;
    const uint64_t middle = reg[LOW] + (reg[HIGH] - reg[LOW]) / 2;
    const prefix p = {(uint32_t)middle, (uint32_t)reg[LIST]};
    prefix found;
    bool met;
    if (!score(job, &p, 1, &found, &met, err))
        return false;
    reg[met ? HIGH : LOW] = middle;
    *done = reg[HIGH] - reg[LOW] <= 1;
    return true;
}

static bool step(snn_search_job *job, bool *done, snn_error *err) {
    return job->state->reg[HIGH] > 0 ? bisect(job, done, err) : ascend(job, done, err);
}

const snn_searcher snn_searcher_saliency = {.name = "saliency",
                                            .open = open_lists,
                                            .close = close_lists,
                                            .start = start,
                                            .sound = sound,
                                            .step = step};
