/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Score of one set from the outputs of the probe. Called once per evaluation, so that it must cost far less than one: loops over samples that the compiler
 * vectorises, no memory, and the largest hinges found by counting (spike counts) or by selection (membranes). Sums run in the order of samples, so that a score is one definite number.
 */
#include "search_internal.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 64,   /* samples at a time whose intermediate values stay in the nearest cache */
    COUNTS = 64,  /* range of spike counts that are sorted by counting */
    CLASSES = 256 /* classes whose predictions are counted in one pass */
};

/* lead[i] = out[label] - best other */
static void leads(const snn_probe_result *r, const int *label, double *lead) {
    double own[BLOCK], other[BLOCK], wanted[BLOCK];
    for (size_t first = 0; first < r->samples; first += BLOCK) {
        const size_t n = r->samples - first < BLOCK ? r->samples - first : BLOCK;
        for (size_t i = 0; i < n; i++) {
            own[i] = r->out[(size_t)label[first + i] * r->samples + first + i];
            wanted[i] = label[first + i];
            other[i] = -INFINITY;
        }
        for (uint32_t c = 0; c < r->classes; c++) {
            const double *out = r->out + c * r->samples + first, class_ = c;
            for (size_t i = 0; i < n; i++) {
                const double x = wanted[i] == class_ ? -INFINITY : out[i];
                other[i] = other[i] > x ? other[i] : x;
            }
        }
        for (size_t i = 0; i < n; i++)
            lead[first + i] = own[i] - other[i];
    }
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

/* Leads as hinges see them: where the margin asks for too much or too little. Returns the sum of the plain ones. */
static double adjust(const snn_goal *goal, const snn_probe_result *r, const int *label, double *lead) {
    const size_t n = r->samples;
    const double beaten = -ceil(goal->margin); /* whole, so that counts stay counts */
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += lead[i];
        const bool right = r->predicted[i] == label[i];
        if (right && lead[i] + goal->margin <= 0)
            lead[i] = 0.5; /* a tie that the label wins, without a margin */
        else if (!right && goal->most > 0 && lead[i] > beaten &&
                 r->out[(size_t)r->predicted[i] * n + i] >= goal->most)
            lead[i] = beaten;
    }
    return sum;
}

typedef struct {
    double low, high;
    size_t right; /* leads that the margin does not beat */
    bool whole;
} summary;

static summary summarise(const double *lead, size_t n, double margin) {
    summary s = {.low = lead[0], .high = lead[0], .whole = true};
    size_t fractions = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = lead[i];
        s.low = x < s.low ? x : s.low;
        s.high = x > s.high ? x : s.high;
        s.right += x + margin > 0;
        fractions += x != (double)(int32_t)(x < 1e9 && x > -1e9 ? x : 0.5);
    }
    s.whole = fractions == 0;
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
    leads(r, label, lead);
    const double sum = adjust(goal, r, label, lead);
    const summary s = summarise(lead, n, goal->margin);
    score.right = (uint32_t)s.right;
    score.lead = sum / (double)n;
    double loss = s.right > goal->target ? trimmed(lead, n, &s, goal->margin, goal->target, scratch + n) : 0;
    if (score.largest > goal->largest)
        loss += score.largest - goal->largest;
    score.loss = loss / (double)n;
    return score;
}
