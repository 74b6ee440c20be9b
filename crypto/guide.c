/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a search steers by beside loss and lead (search_internal.h). Loops over blocks of samples that the compiler vectorises; exponentials are taken once for each value that leads have. */
#include "search_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>

enum {
    BLOCK = 64,
    REACH = 64 /* halves of an output: leads further behind count as so far */,
    AHEAD = 8 /* and further ahead */
};

/* Samples first .. first + n: out[label] - best other, half a spike more where the label wins ties, -INFINITY where it cannot catch up. */
static void soft_leads(const snn_probe_result *r, const int *label, double most, size_t first, size_t n,
                       double *lead) {
    double own[BLOCK], other[BLOCK], which[BLOCK], wanted[BLOCK];
    for (size_t i = 0; i < n; i++) {
        own[i] = r->out[(size_t)label[first + i] * r->samples + first + i];
        wanted[i] = label[first + i];
        other[i] = -INFINITY;
        which[i] = -1;
    }
    for (uint32_t c = 0; c < r->classes; c++) {
        const double *out = r->out + c * r->samples + first, number = c;
        for (size_t i = 0; i < n; i++) {
            const bool higher = out[i] > other[i] && wanted[i] != number;
            other[i] = higher ? out[i] : other[i];
            which[i] = higher ? number : which[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        const bool lost = most > 0 && other[i] >= most && which[i] < wanted[i];
        const double x = own[i] - other[i] + (which[i] < wanted[i] ? -0.5 : 0.5);
        lead[i] = lost ? -INFINITY : x;
    }
}

static double soft(const snn_guide *g, const snn_goal *goal, const snn_probe_result *r, const int *label) {
    uint32_t count[REACH + AHEAD + 1] = {0};
    double lead[BLOCK];
    for (size_t first = 0; first < r->samples; first += BLOCK) {
        const size_t n = r->samples - first < BLOCK ? r->samples - first : BLOCK;
        soft_leads(r, label, goal->most, first, n, lead);
        for (size_t i = 0; i < n; i++) {
            if (lead[i] == -INFINITY || (uint32_t)label[first + i] == g->toward)
                continue;
            const double x = floor(2 * lead[i] + 0.5) + REACH;
            count[x < 0 ? 0 : x > REACH + AHEAD ? REACH + AHEAD : (int)x]++;
        }
    }
    double sum = 0;
    for (int x = 0; x <= REACH + AHEAD; x++)
        if (count[x] > 0)
            sum += count[x] * snn_exp((x - REACH) * 0.5 / g->softness);
    return sum;
}

static double toward(const snn_guide *g, const snn_goal *goal, const snn_probe_result *r, const int *label) {
    const double *out = r->out + (size_t)g->toward * r->samples;
    double sum = 0;
    for (size_t i = 0; i < r->samples; i++) {
        const uint32_t own = (uint32_t)label[i];
        const bool wins = own < g->toward; /* a tie */
        const double x = r->out[own * r->samples + i] - out[i] + (wins ? 0.5 : -0.5) + g->margin;
        const bool counts = own != g->toward && x > 0 && !(goal->most > 0 && out[i] >= goal->most && !wins);
        sum += counts ? x : 0;
    }
    return sum;
}

static double nearest(const snn_guide *g, const snn_goal *goal, const snn_probe_result *r, const int *label) {
    double least = INFINITY;
    for (uint32_t c = 0; c < r->classes; c++) {
        const snn_guide to = {.toward = c, .margin = g->margin};
        const double x = toward(&to, goal, r, label);
        least = x < least ? x : least;
    }
    return least;
}

double snn_guide_value(const snn_guide *g, const snn_goal *goal, const snn_probe_result *r,
                       const int *label) {
    return g->kind == SNN_GUIDE_TOWARD    ? toward(g, goal, r, label)
           : g->kind == SNN_GUIDE_NEAREST ? nearest(g, goal, r, label)
                                          : soft(g, goal, r, label);
}
