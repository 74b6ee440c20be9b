/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: what a sense amplifier makes of a conductance, and how likely noise makes something else of it. */
#include "read_internal.h"

#include <snnsim/portable_math.h>

#include <math.h>

int snn_read_level(const snn_read_class *c, double sensed) {
    int level = 0;
    while (level < c->levels - 1 && sensed > c->threshold[level])
        level++;
    return level;
}

double snn_read_rate(double p) {
    const double most = 64; /* exp(-64) = 2e-28: never missed */
    if (p < 1e-4)           /* log(1 - p) would lose digits; four terms leave p^5/5 < 2e-17 of p */
        return p * (1 + p * (0.5 + p * (1.0 / 3 + p * 0.25)));
    const double rate = p < 1 ? -snn_log(1 - p) : most;
    return rate < most ? rate : most;
}

/* P(low < sensed + noise <= high) without cancellation: in the tail that both ends lie in. */
static double between(double low, double high) {
    if (low > 0)
        return snn_normal_tail(low) - snn_normal_tail(high);
    if (high < 0)
        return snn_normal_cdf(high) - snn_normal_cdf(low);
    return 1 - snn_normal_cdf(low) - snn_normal_tail(high);
}

int snn_read_chances(const snn_read_class *c, double sensed, double white, int from,
                     snn_read_chance chance[SNN_LEVELS]) {
    int n = 0;
    if (!(white > 0)) {
        const int level = snn_read_level(c, sensed);
        if (level != from)
            chance[n++] = (snn_read_chance){snn_read_rate(1), 1, c->bits[level] ^ c->bits[from]};
        return n;
    }
    double rest = 1; /* that none of the entries before happened */
    for (int level = 0; level < c->levels; level++) {
        if (level == from)
            continue;
        const double low = level > 0 ? (c->threshold[level - 1] - sensed) / white : -INFINITY;
        const double high = level < c->levels - 1 ? (c->threshold[level] - sensed) / white : INFINITY;
        if (low > SNN_READ_SIGMAS || high < -SNN_READ_SIGMAS)
            continue; /* too rare, without computing how rare */
        const double p = between(low, high);
        if (!(p >= SNN_READ_RARE))
            continue;
        chance[n++] =
            (snn_read_chance){snn_read_rate(p < rest ? p / rest : 1), p, c->bits[level] ^ c->bits[from]};
        rest -= p;
    }
    return n;
}

uint8_t snn_read_neighbour(const snn_read_class *c, uint8_t bits, bool up) {
    const int level = c->level[bits];
    const int other = level == 0 ? 1 : level == c->levels - 1 ? level - 1 : up ? level + 1 : level - 1;
    return c->bits[other] ^ bits;
}
