/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much the outcomes of a search vary between seeds: what a thief learns who runs the same search himself. */
#include <snnsim/encrypt.h>
#include <snnsim/portable_math.h>

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int compare(const snn_flip *a, const snn_flip *b) {
    if (a->tensor != b->tensor)
        return a->tensor < b->tensor ? -1 : 1;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    return (a->bit > b->bit) - (a->bit < b->bit);
}

static int compare_flips(const void *a, const void *b) {
    return compare(a, b);
}

static size_t common(const snn_flips *a, const snn_flips *b) {
    size_t n = 0;
    for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
        int order = compare(&a->flip[i], &b->flip[k]);
        n += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    return n;
}

static void sizes(const snn_flips *set, uint32_t n, snn_variation *out) {
    out->bits_least = out->bits_most = n ? (double)set[0].n : 0;
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double bits = (double)set[i].n;
        sum += bits;
        out->bits_least = bits < out->bits_least ? bits : out->bits_least;
        out->bits_most = bits > out->bits_most ? bits : out->bits_most;
    }
    out->bits_mean = n ? sum / n : 0;
}

static void pairs(const snn_flips *set, uint32_t n, snn_variation *out) {
    double sum = 0;
    out->constant = n > 1;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n; k++) {
            size_t both = common(&set[i], &set[k]), least = set[i].n < set[k].n ? set[i].n : set[k].n;
            sum += least ? (double)both / (double)least : 0;
            out->constant &= both == set[i].n && both == set[k].n;
        }
    out->overlap = n > 1 ? sum / (0.5 * n * (n - 1.0)) : NAN;
}

/* Of each set: how many of its bits occur in others too. all: the bits of all sets, sorted. */
static size_t shared(const snn_flips *set, const snn_flip *all, size_t total) {
    size_t n = 0, at = 0;
    for (size_t i = 0; i < set->n; i++) {
        while (compare(&all[at], &set->flip[i]) < 0)
            at++;
        n += at + 1 < total && compare(&all[at + 1], &set->flip[i]) == 0;
    }
    return n;
}

static bool guesses(const snn_flips *set, uint32_t n, snn_variation *out, snn_error *err) {
    size_t total = 0, at = 0;
    for (uint32_t i = 0; i < n; i++)
        total += set[i].n;
    snn_flip *all = snn_alloc(total, sizeof *all, "bits of all searches", err);
    if (!all)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (set[i].n)
            memcpy(all + at, set[i].flip, set[i].n * sizeof *all);
        at += set[i].n;
    }
    qsort(all, total, sizeof *all, compare_flips);
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += set[i].n ? (double)shared(&set[i], all, total) / (double)set[i].n : 0;
    out->guess = n > 1 ? sum / n : NAN;
    if (all)
        sodium_memzero(all, total * sizeof *all);
    free(all);
    return true;
}

bool snn_variation_of(const snn_flips *set, uint32_t n, snn_variation *out, snn_error *err) {
    *out = (snn_variation){.searches = n};
    sizes(set, n, out);
    pairs(set, n, out);
    return guesses(set, n, out, err);
}

double snn_log2_choose(uint64_t n, uint64_t k) {
    double sum = 0;
    k = k > n - k ? n - k : k;
    for (uint64_t i = 1; i <= k; i++)
        sum += snn_log((double)(n - k + i) / (double)i);
    return sum / snn_log(2);
}
