/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a search has seen at its best: the best set, and the best set of each size as far as it beats all smaller ones. */
#include "search_internal.h"

#include <string.h>

/* Number of points with fewer than n bits. */
static uint32_t points_below(const snn_search_state *st, uint32_t n) {
    uint32_t low = 0, high = st->points;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (st->front[middle].n < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Takes `n` points away at `at`. */
static void cut(snn_search_state *st, uint32_t at, uint32_t n) {
    for (uint32_t i = at; i < at + n; i++)
        snn_set_free(&st->front[i]);
    memmove(st->front + at, st->front + at + n, (st->points - at - n) * sizeof *st->front);
    st->points -= n;
}

static bool offer_front(snn_search_state *st, const snn_set *s, snn_error *err) {
    const uint32_t at = points_below(st, s->n);
    if (at > 0 && st->front[at - 1].score.loss <= s->score.loss)
        return true;
    if (at < st->points && st->front[at].n == s->n && !snn_set_better(s, &st->front[at]))
        return true;
    uint32_t beaten = 0;
    while (at + beaten < st->points && st->front[at + beaten].score.loss >= s->score.loss)
        beaten++;
    snn_set copy = {0};
    if (!snn_set_copy(&copy, s, err))
        return false;
    if (!snn_grow((void **)&st->front, &st->front_capacity, (size_t)st->points + 1, sizeof *st->front, err)) {
        snn_set_free(&copy);
        return false;
    }
    cut(st, at, beaten);
    memmove(st->front + at + 1, st->front + at, (st->points - at) * sizeof *st->front);
    st->front[at] = copy;
    st->points++;
    return true;
}

bool snn_search_offer(snn_search_state *st, const snn_set *s, snn_error *err) {
    if ((!st->best.scored || snn_set_better(s, &st->best)) && !snn_set_copy(&st->best, s, err))
        return false;
    return offer_front(st, s, err);
}
