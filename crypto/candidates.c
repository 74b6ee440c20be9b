/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bits that may be keyed, what they do to values, and where the decryptor's limit forbids them. */
#include "candidates_internal.h"

#include <snnsim/random.h>

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- flipping ---- */

uint32_t snn_candidate_mask(const snn_weights *w, const snn_flip *f) {
    return UINT32_C(1) << ((uint32_t)w->tensor[f->tensor].bits - 1 - f->bit);
}

/* Would the code be a -0: a sign over an empty magnitude? (Codes of one bit are +1 and -1.) */
static bool minus_zero(const snn_tensor *t, uint32_t code) {
    return t->encoding == SNN_SIGN_MAGNITUDE && t->bits > 1 && code == UINT32_C(1) << (t->bits - 1);
}

static uint32_t code_of(const snn_tensor *t, uint64_t i) {
    return t->type == SNN_CODE_8 ? t->code8[i] : t->code16[i];
}

static int32_t change(const snn_tensor *t, uint64_t i, uint32_t mask) {
    const uint32_t code = code_of(t, i);
    return snn_code_value(t->encoding, t->bits, code ^ mask) - snn_code_value(t->encoding, t->bits, code);
}

bool snn_candidate_stores(const snn_candidates *c, const snn_flip *f, uint32_t mask) {
    const snn_tensor *t = &c->weights->tensor[f->tensor];
    const uint32_t code = code_of(t, f->index) ^ mask;
    if (mask == 0) /* what stands there unchanged gives nothing away, whatever it is */
        return true;
    if (minus_zero(t, code))
        return false;
    if (!c->range)
        return true;
    const int32_t q = snn_code_value(t->encoding, t->bits, code);
    return q >= c->range[f->tensor].least && q <= c->range[f->tensor].most;
}

/* Values that the plain weights of each tensor have: the most significant bit of two's complement moves most weights out of them, where a thief would see them at once. */
static bool find_ranges(snn_candidates *c, snn_error *err) {
    c->range = snn_alloc((size_t)c->weights->tensors, sizeof *c->range, "ranges of weights", err);
    for (int t = 0; c->range && t < c->weights->tensors; t++) {
        const snn_tensor *w = &c->weights->tensor[t];
        if (w->type == SNN_FLOAT32)
            continue;
        c->range[t] = (snn_value_range){snn_weight_q(w, 0), snn_weight_q(w, 0)};
        for (uint64_t i = 1; i < w->count; i++) {
            const int32_t q = snn_weight_q(w, i);
            c->range[t].least = q < c->range[t].least ? q : c->range[t].least;
            c->range[t].most = q > c->range[t].most ? q : c->range[t].most;
        }
    }
    return c->range != NULL;
}

/* ---- what is left out ---- */

typedef struct {
    const snn_candidate_options *o;
    const snn_candidates *c;
    const snn_weights *w;
    snn_flip *exclude; /* [excluded] sorted, each once */
    size_t excluded, next;
    snn_random random;
    bool thin;
} filter;

static int by_address(const void *a, const void *b) {
    const snn_flip *x = a, *y = b;
    if (x->tensor != y->tensor)
        return x->tensor < y->tensor ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->bit > y->bit) - (x->bit < y->bit);
}

static bool filter_start(filter *f, const snn_candidates *c, const snn_candidate_options *o, snn_error *err) {
    const snn_weights *w = c->weights;
    *f = (filter){.o = o, .c = c, .w = w, .thin = o->eligible < 1};
    snn_random_init(&f->random, o->seed, SNN_PURPOSE_SEARCH, SNN_STREAM_ELIGIBLE);
    const size_t n = o->exclude ? o->exclude->n : 0;
    f->exclude = snn_alloc(n, sizeof *f->exclude, "excluded bits", err);
    if (!f->exclude)
        return false;
    if (n > 0)
        memcpy(f->exclude, o->exclude->flip, n * sizeof *f->exclude);
    for (size_t i = 0; i < n; i++) {
        const snn_flip *x = &f->exclude[i];
        if (x->tensor >= (uint32_t)w->tensors || x->index >= w->tensor[x->tensor].count ||
            x->bit >= (uint32_t)w->tensor[x->tensor].bits) {
            return snn_fail(err, SNN_ERR_DATA, "excluded bit %zu is outside the weights", i);
        }
    }
    if (n > 1)
        qsort(f->exclude, n, sizeof *f->exclude, by_address);
    f->excluded = n;
    return true;
}

/* One number of the stream belongs to each bit considered, so that what else is left out does not change the draw. */
static bool eligible(filter *f) {
    return !f->thin || snn_random_uniform(&f->random) < f->o->eligible;
}

/* Bits must be asked for in ascending order of address. */
static bool passes(filter *f, const snn_flip *x) {
    while (f->next < f->excluded && by_address(&f->exclude[f->next], x) < 0)
        f->next++;
    if (f->next < f->excluded && by_address(&f->exclude[f->next], x) == 0)
        return false;
    const uint32_t mask = snn_candidate_mask(f->w, x);
    return snn_candidate_stores(f->c, x, mask) && change(&f->w->tensor[x->tensor], x->index, mask) != 0;
}

/* ---- making ---- */

static int bits_of(const snn_tensor *t, int bits) {
    return bits == 0 || bits > t->bits ? t->bits : bits;
}

static bool check_options(const snn_weights *w, const snn_candidate_options *o, snn_error *err) {
    if (!(o->eligible > 0 && o->eligible <= 1))
        return snn_fail(err, SNN_ERR_USAGE,
                        "the share of eligible bits is %g, expected more than 0 and at most 1", o->eligible);
    if (o->bits < 0)
        return snn_fail(err, SNN_ERR_USAGE, "%d bits of a weight, expected 0 (all) or more", o->bits);
    if (o->word_limit > 0 && !o->map)
        return snn_fail(err, SNN_ERR_USAGE,
                        "a limit of keyed bits in a row word needs a map of the crossbar");
    if (o->word_limit > 0 && !snn_map_fits(o->map, w, err))
        return false;
    for (int t = 0; t < w->tensors; t++)
        if ((!o->tensor || o->tensor[t]) && w->tensor[t].type == SNN_FLOAT32)
            return snn_fail(err, SNN_ERR_DATA, "layer '%s' has float weights, whose bits cannot be keyed",
                            w->tensor[t].name);
    return true;
}

static bool append(snn_candidates *c, size_t *capacity, const snn_flip *x, snn_error *err) {
    if (c->n == UINT32_MAX - 1)
        return snn_fail(err, SNN_ERR_USAGE,
                        "more than %" PRIu32
                        " bits could be keyed: choose fewer layers or bits, or make fewer eligible",
                        UINT32_MAX - 1);
    if (!snn_grow((void **)&c->flip, capacity, (size_t)c->n + 1, sizeof *c->flip, err))
        return false;
    c->flip[c->n++] = *x;
    return true;
}

static bool collect(snn_candidates *c, filter *f, snn_error *err) {
    const snn_candidate_options *o = f->o;
    size_t capacity = 0;
    for (uint32_t t = 0; t < (uint32_t)c->weights->tensors; t++) {
        const snn_tensor *tensor = &c->weights->tensor[t];
        const uint32_t bits = (uint32_t)bits_of(tensor, o->bits);
        if (o->tensor && !o->tensor[t])
            continue;
        for (uint64_t i = 0; i < tensor->count; i++)
            for (uint32_t bit = 0; bit < bits; bit++) {
                const snn_flip x = {t, bit, i};
                const bool drawn = eligible(f), may = passes(f, &x);
                c->considered++;
                c->pool += may;
                if (drawn && may && !append(c, &capacity, &x, err))
                    return false;
            }
    }
    if (c->n == 0)
        return c->pool > 0 ? snn_fail(err, SNN_ERR_CRITERION,
                                      "none of %" PRIu64 " bits may be keyed: encrypt.eligible drew none",
                                      c->considered)
                           : snn_fail(err, SNN_ERR_CRITERION,
                                      "none of %" PRIu64
                                      " bits may be keyed: a flip must stay within the range of its "
                                      "layer's weights; allow more bits of a weight (encrypt.bits)",
                                      c->considered);
    return true;
}

static bool measure(snn_candidates *c, snn_error *err) {
    c->dq = snn_alloc(c->n, sizeof *c->dq, "changes of candidates", err);
    for (uint32_t i = 0; c->dq && i < c->n; i++) {
        const snn_flip *f = &c->flip[i];
        c->dq[i] = change(&c->weights->tensor[f->tensor], f->index, snn_candidate_mask(c->weights, f));
    }
    return c->dq != NULL;
}

/* Row word of a bit: its row of its array. */
static bool word_of(const snn_map *map, const snn_flip *f, uint32_t *word, snn_error *err) {
    snn_cell cell;
    int place;
    if (!snn_map_cell(map, f->tensor, f->index, f->bit, &cell, &place, err))
        return false;
    *word = cell.tile * map->options.rows + cell.row;
    return true;
}

static bool count_words(const snn_map *map, uint32_t *words, snn_error *err) {
    const uint64_t n = (uint64_t)map->tiles * map->options.rows;
    *words = (uint32_t)n;
    return n <= UINT32_MAX || snn_fail(err, SNN_ERR_USAGE, "the map has more than 2^32 - 1 row words");
}

static bool find_words(snn_candidates *c, const snn_candidate_options *o, snn_error *err) {
    if (o->word_limit == 0)
        return true;
    c->word_limit = o->word_limit;
    if (!count_words(o->map, &c->words, err) ||
        !(c->word = snn_alloc(c->n, sizeof *c->word, "row words of candidates", err)))
        return false;
    for (uint32_t i = 0; i < c->n; i++)
        if (!word_of(o->map, &c->flip[i], &c->word[i], err))
            return false;
    return true;
}

snn_candidates *snn_candidates_new(const snn_weights *weights, const snn_candidate_options *o,
                                   snn_error *err) {
    filter f = {0};
    snn_candidates *c = check_options(weights, o, err) ? snn_alloc(1, sizeof *c, "candidates", err) : NULL;
    bool ok = c && (c->weights = snn_weights_copy(weights, err)) && (o->any_value || find_ranges(c, err)) &&
              filter_start(&f, c, o, err) && collect(c, &f, err) && measure(c, err) && find_words(c, o, err);
    if (f.exclude)
        sodium_memzero(f.exclude, f.excluded * sizeof *f.exclude); /* an old key */
    free(f.exclude);
    if (!ok) {
        snn_candidates_free(c);
        return NULL;
    }
    return c;
}

void snn_candidates_free(snn_candidates *c) {
    if (!c)
        return;
    free(c->flip);
    free(c->dq);
    free(c->word);
    free(c->range);
    snn_weights_free(c->weights);
    free(c);
}

/* ---- what goes together ---- */

/* End of the run of items that are bits of the same weight as item[i]; *mask: them together. */
static uint32_t weight_run(const snn_candidates *c, const uint32_t *item, uint32_t n, uint32_t i,
                           uint32_t *mask) {
    const snn_flip *first = &c->flip[item[i]];
    *mask = snn_candidate_mask(c->weights, first);
    for (i++; i < n && snn_candidate_same(first, &c->flip[item[i]]); i++)
        *mask ^= snn_candidate_mask(c->weights, &c->flip[item[i]]);
    return i;
}

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Do at most `limit` of n words agree? Sorts them. */
static bool words_fit(uint32_t *word, uint32_t n, uint32_t limit) {
    qsort(word, n, sizeof *word, by_number);
    for (uint32_t i = limit; i < n; i++)
        if (word[i] == word[i - limit])
            return false;
    return true;
}

/* More items than this are sorted in memory of their own. */
enum { FEW = 64 };

bool snn_candidates_count_words(const snn_candidates *c, const uint32_t *item, uint32_t n) {
    for (uint64_t first = 0; first < c->words; first += FEW) {
        uint32_t count[FEW] = {0};
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t word = c->word[item[i]];
            if (word >= first && word - first < FEW && ++count[word - first] > c->word_limit)
                return false;
        }
    }
    return true;
}

static bool within_limit(const snn_candidates *c, const uint32_t *item, uint32_t n) {
    uint32_t few[FEW], *word = few;
    if (c->word_limit == 0 || n <= c->word_limit)
        return true;
    if (n > FEW && !(word = malloc(n * sizeof *word)))
        return snn_candidates_count_words(c, item, n);
    for (uint32_t i = 0; i < n; i++)
        word[i] = c->word[item[i]];
    const bool fit = words_fit(word, n, c->word_limit);
    if (word != few)
        free(word);
    return fit;
}

bool snn_candidates_allowed(const snn_candidates *c, const uint32_t *item, uint32_t n) {
    for (uint32_t i = 0; i < n;) {
        const uint32_t first = i;
        uint32_t mask;
        i = weight_run(c, item, n, i, &mask);
        /* Single ones were looked at when they became candidates. */
        if (i > first + 1 && !snn_candidate_stores(c, &c->flip[item[first]], mask))
            return false;
    }
    return within_limit(c, item, n);
}

size_t snn_candidates_deltas(const snn_candidates *c, const uint32_t *item, uint32_t n, snn_delta *delta) {
    size_t out = 0;
    for (uint32_t i = 0; i < n;) {
        const uint32_t first = i;
        const snn_flip *f = &c->flip[item[first]];
        uint32_t mask;
        i = weight_run(c, item, n, i, &mask);
        const int32_t dq =
            i == first + 1 ? c->dq[item[first]] : change(&c->weights->tensor[f->tensor], f->index, mask);
        if (dq != 0)
            delta[out++] = (snn_delta){f->tensor, dq, f->index};
    }
    return out;
}

/* ---- a decryptor's limit ---- */

static bool too_many(const snn_map *map, const uint32_t *word, size_t n, size_t first, uint32_t limit,
                     snn_error *err) {
    size_t end = first;
    while (end < n && word[end] == word[first])
        end++;
    const uint32_t tile = word[first] / map->options.rows, row = word[first] % map->options.rows;
    return snn_fail(err, SNN_ERR_CRITERION,
                    "row %" PRIu32 " of array %" PRIu32
                    " (layer '%s') has %zu keyed bits, the decryptor can take %" PRIu32 " of a row word",
                    row, tile, map->tensor[snn_map_tile_at(map, tile).tensor].name, end - first, limit);
}

bool snn_flips_place(const snn_map *map, const snn_flips *flips, uint32_t word_limit, snn_error *err) {
    uint32_t words;
    if (word_limit == 0)
        return true;
    if (!count_words(map, &words, err))
        return false;
    uint32_t *word = snn_alloc(flips->n, sizeof *word, "row words of flips", err);
    if (!word)
        return false;
    bool ok = true;
    for (size_t i = 0; i < flips->n && ok; i++)
        ok = word_of(map, &flips->flip[i], &word[i], err);
    if (ok && flips->n > 1)
        qsort(word, flips->n, sizeof *word, by_number);
    for (size_t i = word_limit; i < flips->n && ok; i++)
        if (word[i] == word[i - word_limit])
            ok = too_many(map, word, flips->n, i - word_limit, word_limit, err);
    free(word);
    return ok;
}
