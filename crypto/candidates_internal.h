/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single bits of candidates, for who builds sets of them. */
#ifndef SNNSIM_CRYPTO_CANDIDATES_INTERNAL_H
#define SNNSIM_CRYPTO_CANDIDATES_INTERNAL_H

#include <snnsim/search.h>

/* Index of the stream (seed, SNN_PURPOSE_SEARCH, index) that draws eligible bits; those of the searches' steps (snn_search_random) are below. */
#define SNN_STREAM_ELIGIBLE UINT64_MAX

/* The flipped bit in its place in the code. */
uint32_t snn_candidate_mask(const snn_weights *w, const snn_flip *f);
/* May the weight of f be stored with these bits of its code flipped: no -0, and within c->range? */
bool snn_candidate_stores(const snn_candidates *c, const snn_flip *f, uint32_t mask);

/* Do these candidates keep to the limit of their row words? Without memory of its own, and slow: for where there is none. */
bool snn_candidates_count_words(const snn_candidates *c, const uint32_t *item, uint32_t n);

/* Bits of the same weight? */
static inline bool snn_candidate_same(const snn_flip *a, const snn_flip *b) {
    return a->index == b->index && a->tensor == b->tensor;
}

#endif
