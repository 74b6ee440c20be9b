/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds sets of candidates that may be keyed together, item by item: each row word within the decryptor's limit, no -0 stored. */
#include "candidates_internal.h"
#include "search_internal.h"

#include <stdlib.h>
#include <string.h>

struct snn_placer {
    const snn_candidates *c;
    uint8_t *in;     /* [n] is it in the set? */
    uint32_t *item;  /* [items] in the order in which they came */
    uint32_t *count; /* [words] items of each row word; NULL without a limit */
    uint32_t items;
};

snn_placer *snn_placer_new(const snn_candidates *c, snn_error *err) {
    snn_placer *p = snn_alloc(1, sizeof *p, "a placer", err);
    if (!p)
        return NULL;
    *p = (snn_placer){.c = c, .in = snn_alloc(c->n, 1, "flags of candidates", err)};
    p->item = p->in ? snn_alloc(c->n, sizeof *p->item, "placed candidates", err) : NULL;
    if (p->item && c->word_limit > 0)
        p->count = snn_alloc(c->words, sizeof *p->count, "counts of row words", err);
    if (!p->item || (c->word_limit > 0 && !p->count)) {
        snn_placer_free(p);
        return NULL;
    }
    return p;
}

void snn_placer_free(snn_placer *p) {
    if (!p)
        return;
    free(p->in);
    free(p->item);
    free(p->count);
    free(p);
}

void snn_placer_clear(snn_placer *p) {
    for (uint32_t i = 0; i < p->items; i++) {
        p->in[p->item[i]] = 0;
        if (p->count)
            p->count[p->c->word[p->item[i]]] = 0;
    }
    p->items = 0;
}

bool snn_placer_has(const snn_placer *p, uint32_t item) {
    return p->in[item] != 0;
}

static void put(snn_placer *p, uint32_t item) {
    p->in[item] = 1;
    p->item[p->items++] = item;
    if (p->count)
        p->count[p->c->word[item]]++;
}

/* Bits of the item's weight that are in once it is toggled: they stand beside it. */
static uint32_t toggled_mask(const snn_placer *p, uint32_t item) {
    const snn_candidates *c = p->c;
    const snn_flip *f = &c->flip[item];
    uint32_t mask = p->in[item] ? 0 : snn_candidate_mask(c->weights, f);
    for (uint32_t i = item; i > 0 && snn_candidate_same(f, &c->flip[i - 1]); i--)
        if (p->in[i - 1])
            mask ^= snn_candidate_mask(c->weights, &c->flip[i - 1]);
    for (uint32_t i = item + 1; i < c->n && snn_candidate_same(f, &c->flip[i]); i++)
        if (p->in[i])
            mask ^= snn_candidate_mask(c->weights, &c->flip[i]);
    return mask;
}

void snn_placer_load(snn_placer *p, const snn_set *s) {
    snn_placer_clear(p);
    for (uint32_t i = 0; i < s->n; i++)
        put(p, s->item[i]);
}

bool snn_placer_toggles(const snn_placer *p, uint32_t item) {
    const snn_candidates *c = p->c;
    const bool room = p->in[item] || !p->count || p->count[c->word[item]] < c->word_limit;
    return room && snn_candidate_stores(c, &c->flip[item], toggled_mask(p, item));
}

bool snn_placer_add(snn_placer *p, uint32_t item) {
    if (p->in[item] || !snn_placer_toggles(p, item))
        return false;
    put(p, item);
    return true;
}

uint32_t snn_placer_thin(snn_placer *p, uint32_t *order, uint32_t n) {
    uint32_t kept = 0;
    snn_placer_clear(p);
    for (uint32_t i = 0; i < n; i++)
        if (snn_placer_add(p, order[i]))
            order[kept++] = order[i];
    return kept;
}

bool snn_placer_draw(snn_placer *p, snn_random *r, uint32_t n, snn_set *out, snn_error *err) {
    const uint32_t all = p->c->n;
    snn_placer_clear(p);
    n = n < all ? n : all;
    /* Draws that hit what is in or may not go in are drawn again; where these become the rule, what is left is tried in order from a random place. */
    for (uint64_t tries = 4 * (uint64_t)n + 64; p->items < n && tries > 0; tries--)
        snn_placer_add(p, snn_random_below(r, all));
    if (p->items < n) {
        const uint32_t from = snn_random_below(r, all);
        for (uint32_t i = 0; i < all && p->items < n; i++)
            snn_placer_add(p, (uint32_t)(((uint64_t)from + i) % all));
    }
    return snn_set_assign(out, p->item, p->items, err);
}
