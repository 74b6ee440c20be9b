/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of candidates as sorted lists, and their order from better to worse. */
#include "search_internal.h"

#include <stdlib.h>
#include <string.h>

void snn_set_free(snn_set *s) {
    free(s->item);
    *s = (snn_set){0};
}

static bool set_room(snn_set *s, size_t n, snn_error *err) {
    return snn_grow((void **)&s->item, &s->capacity, n, sizeof *s->item, err);
}

bool snn_set_copy(snn_set *to, const snn_set *from, snn_error *err) {
    if (to == from)
        return true;
    if (!set_room(to, from->n, err))
        return false;
    if (from->n > 0)
        memcpy(to->item, from->item, from->n * sizeof *to->item);
    to->n = from->n;
    to->score = from->score;
    to->scored = from->scored;
    return true;
}

/* Place of the first item that is not below `item`. */
static uint32_t place_of(const snn_set *s, uint32_t item) {
    uint32_t low = 0, high = s->n;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (s->item[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool snn_set_has(const snn_set *s, uint32_t item) {
    const uint32_t at = place_of(s, item);
    return at < s->n && s->item[at] == item;
}

bool snn_set_add(snn_set *s, uint32_t item, snn_error *err) {
    const uint32_t at = place_of(s, item);
    if (at < s->n && s->item[at] == item)
        return true;
    if (!set_room(s, (size_t)s->n + 1, err))
        return false;
    memmove(s->item + at + 1, s->item + at, (s->n - at) * sizeof *s->item);
    s->item[at] = item;
    s->n++;
    s->scored = false;
    return true;
}

void snn_set_remove(snn_set *s, uint32_t item) {
    const uint32_t at = place_of(s, item);
    if (at == s->n || s->item[at] != item)
        return;
    s->n--;
    memmove(s->item + at, s->item + at + 1, (s->n - at) * sizeof *s->item);
    s->scored = false;
}

bool snn_set_toggled(snn_set *to, const snn_set *base, uint32_t item, snn_error *err) {
    if (!snn_set_copy(to, base, err))
        return false;
    if (!snn_set_has(base, item))
        return snn_set_add(to, item, err);
    snn_set_remove(to, item);
    return true;
}

static int by_number(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool snn_set_assign(snn_set *s, const uint32_t *item, uint32_t n, snn_error *err) {
    if (!set_room(s, n, err))
        return false;
    if (n > 0)
        memmove(s->item, item, n * sizeof *s->item);
    if (n > 1)
        qsort(s->item, n, sizeof *s->item, by_number);
    s->n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (s->n == 0 || s->item[i] != s->item[s->n - 1])
            s->item[s->n++] = s->item[i];
    s->scored = false;
    return true;
}

bool snn_search_sets(snn_search_state *st, uint32_t n, snn_error *err) {
    if (!snn_grow((void **)&st->set, &st->capacity, n, sizeof *st->set, err))
        return false;
    for (uint32_t i = n; i < st->sets; i++)
        snn_set_free(&st->set[i]);
    for (uint32_t i = st->sets; i < n; i++)
        st->set[i] = (snn_set){0};
    st->sets = n;
    return true;
}

/* ---- order ---- */

bool snn_score_met(const snn_score *s) {
    return s->loss == 0;
}

bool snn_score_less(const snn_score *a, const snn_score *b) {
    return a->loss != b->loss ? a->loss < b->loss : a->lead < b->lead;
}

static int by_items(const snn_set *a, const snn_set *b) {
    const uint32_t n = a->n < b->n ? a->n : b->n;
    for (uint32_t i = 0; i < n; i++)
        if (a->item[i] != b->item[i])
            return a->item[i] < b->item[i] ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

bool snn_set_better(const snn_set *a, const snn_set *b) {
    /* A goal that is met is a loss of 0, so that this puts it first. */
    if (a->score.loss != b->score.loss)
        return a->score.loss < b->score.loss;
    if (a->n != b->n)
        return a->n < b->n;
    if (a->score.lead != b->score.lead)
        return a->score.lead < b->score.lead;
    return by_items(a, b) < 0;
}
