/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Score of one set from the outputs of the probe. Called once per evaluation, so that it must cost far less than one: loops over samples that the compiler
 * vectorises, no memory, and the largest hinges found by counting (spike counts) or by selection (membranes). Sums run in one order, so that a score is one definite number.
 */
#include "search_internal.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 64,   /* samples at a time whose intermediate values stay in the nearest cache */
    COUNTS = 64,  /* range of spike counts that are sorted by counting */
    CLASSES = 256 /* classes whose predictions are counted in one pass */
};

/* Of samples first .. first + n: own = out[label], other = the best of the other classes. The label's outputs are hidden from the maximum for a moment, so that it needs no comparison of labels. */
static void outputs(const snn_probe_result *r, const int *label, size_t first, size_t n, double *own,
                    double *other) {
    const size_t samples = r->samples;
    for (size_t i = first; i < first + n; i++) {
        double *out = &r->out[(size_t)label[i] * samples + i];
        own[i - first] = *out;
        *out = -INFINITY;
        other[i - first] = -INFINITY;
    }
    for (uint32_t c = 0; c < r->classes; c++) {
        const double *out = r->out + c * samples + first;
        for (size_t i = 0; i < n; i++)
            other[i] = other[i] > out[i] ? other[i] : out[i];
    }
    for (size_t i = first; i < first + n; i++)
        r->out[(size_t)label[i] * samples + i] = own[i - first];
}

/* Leads out[label] - best other of a block as hinges see them: a tie that the label wins, without a margin, is half an output to beat; what the label cannot catch up with is beaten. lead [n] */
static void adjust(const snn_goal *goal, const double *same, const double *own, const double *other, size_t n,
                   double *lead) {
    const double margin = goal->margin, most = goal->most > 0 ? goal->most : INFINITY;
    const double beaten = -ceil(margin); /* whole, so that counts stay counts */
    for (size_t i = 0; i < n; i++) {
        const double x = own[i] - other[i];
        const double tie = x + margin <= 0 ? 0.5 : x, lost = x > beaten ? beaten : x;
        const double wrong = other[i] >= most ? lost : x;
        lead[i] = same[i] > 0 ? tie : wrong;
    }
}

/* Fills lead [samples]; returns the sum of the plain leads, in four parts (samples 0, 4, ..., samples 1, 5, ...). */
static double leads(const snn_goal *goal, const snn_probe_result *r, const int *label, double *lead) {
    double own[BLOCK], other[BLOCK], same[BLOCK], sum[4] = {0};
    for (size_t first = 0; first < r->samples; first += BLOCK) {
        const size_t n = r->samples - first < BLOCK ? r->samples - first : BLOCK;
        outputs(r, label, first, n, own, other);
        for (size_t i = 0; i < n; i++)
            same[i] = r->predicted[first + i] == label[first + i];
        adjust(goal, same, own, other, n, lead + first);
        for (size_t i = 0; i < n; i++)
            sum[i % 4] += own[i] - other[i];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Samples predicted as the most frequent class. */
static uint32_t most_frequent(const snn_probe_result *r) {
    uint32_t count[CLASSES], largest = 0;
    for (uint32_t first = 0; first < r->classes; first += CLASSES) {
        const uint32_t n = r->classes - first < CLASSES ? r->classes - first : CLASSES;
        memset(count, 0, n * sizeof *count);
        for (size_t i = 0; i < r->samples; i++) {
            const uint32_t c = (uint32_t)r->predicted[i] - first;
            if (c < n)
                count[c]++;
        }
        for (uint32_t c = 0; c < n; c++)
            largest = count[c] > largest ? count[c] : largest;
    }
    return largest;
}

/* ---- the k-th largest ---- */

/* Of whole numbers from `low` that span less than COUNTS; k >= 1. */
static double largest_count(const double *x, size_t n, double low, size_t k) {
    uint32_t count[COUNTS] = {0};
    for (size_t i = 0; i < n; i++)
        count[(int)(x[i] - low)]++;
    int at = COUNTS - 1;
    for (size_t above = count[at]; above < k; above += count[at])
        at--;
    return low + at;
}

/* Of any numbers, by selection (Hoare 1961, with a partition into smaller, equal and larger); reorders x. */
static double largest_value(double *x, size_t n, size_t k) {
    for (;;) {
        const double pivot = x[n / 2];
        size_t larger = 0, at = 0, end = n;
        while (at < end)
            if (x[at] > pivot) {
                const double t = x[larger];
                x[larger++] = x[at];
                x[at++] = t;
            } else if (x[at] < pivot) {
                const double t = x[--end];
                x[end] = x[at];
                x[at] = t;
            } else {
                at++;
            }
        if (k <= larger) {
            n = larger;
        } else if (k <= end) {
            return pivot;
        } else {
            x += end;
            n -= end;
            k -= end;
        }
    }
}

typedef struct {
    double low, high;
    size_t right; /* leads that the margin does not beat */
    bool whole;
} summary;

enum { LANES = 4 };

static summary summarise(const double *lead, size_t n, double margin) {
    double low[LANES], high[LANES], right[LANES] = {0}, fractions[LANES] = {0};
    for (size_t k = 0; k < LANES; k++)
        low[k] = high[k] = lead[0];
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const double x = lead[i + k < n ? i + k : n - 1], in = i + k < n ? 1 : 0;
            low[k] = low[k] < x ? low[k] : x;
            high[k] = high[k] > x ? high[k] : x;
            right[k] += x + margin > 0 ? in : 0;
            fractions[k] += x != (double)(int32_t)(x < 1e9 && x > -1e9 ? x : 0.5) ? 1 : 0;
        }
    summary s = {low[0], high[0], (size_t)(right[0] + right[1] + right[2] + right[3]), true};
    for (size_t k = 0; k < LANES; k++) {
        s.low = low[k] < s.low ? low[k] : s.low;
        s.high = high[k] > s.high ? high[k] : s.high;
        s.whole = s.whole && fractions[k] == 0;
    }
    return s;
}

/* Sum of all hinges but the `drop` largest; more than `drop` are positive. spare [n] */
static double trimmed(const double *lead, size_t n, const summary *s, double margin, size_t drop,
                      double *spare) {
    /* The largest that stays is number drop + 1. */
    double most;
    if (s->whole && s->high - s->low < COUNTS) {
        most = largest_count(lead, n, s->low, drop + 1);
    } else {
        memcpy(spare, lead, n * sizeof *spare);
        most = largest_value(spare, n, drop + 1);
    }
    double sum = 0;
    size_t as_large = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = lead[i] + margin;
        sum += x > 0 && lead[i] < most ? x : 0;
        as_large += lead[i] >= most;
    }
    return sum + (double)(as_large - drop) * (most + margin);
}

snn_score snn_objective_score(const snn_goal *goal, const snn_probe_result *r, const int *label,
                              double *scratch) {
    const size_t n = r->samples;
    snn_score score = {.largest = most_frequent(r)};
    for (size_t i = 0; i < n; i++)
        score.correct += r->predicted[i] == label[i];
    double *lead = scratch;
    const double sum = leads(goal, r, label, lead);
    const summary s = summarise(lead, n, goal->margin);
    score.right = (uint32_t)s.right;
    score.lead = sum / (double)n;
    double loss = s.right > goal->target ? trimmed(lead, n, &s, goal->margin, goal->target, scratch + n) : 0;
    if (score.largest > goal->largest)
        loss += score.largest - goal->largest;
    score.loss = loss / (double)n;
    return score;
}
