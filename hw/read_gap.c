/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponential gaps: the layers of the ziggurat, and the words that fall beside them. */
#include "read_gap.h"

#include <snnsim/portable_math.h>

/* 256 layers of equal area under exp(-x): the tail begins at R, each layer has the area V (Marsaglia and Tsang 2000, section 3). */
static const double tail_begin = 7.69711747013104972, layer_area = 0.0039496598225815571993;

/* Gaps of one word end here, so that widths take 32 bits (true to 2^-25 in the narrowest layer) and some tails one behind the other (each has probability exp(-R) = 4.5e-4) fit 64. */
static const double most_fixed = 0x1p57;

void snn_gap_table_init(snn_gap_table *t, double rate) {
    double *x = t->edge, *f = t->density;
    x[1] = tail_begin;
    f[1] = snn_exp(-x[1]);
    x[0] = layer_area / f[1]; /* layer 0 is as wide as a rectangle of the area of its box and the tail */
    f[0] = 0;                 /* not used */
    for (int i = 1; i + 1 < SNN_GAP_LAYERS; i++) {
        f[i + 1] = f[i] + layer_area / x[i];
        x[i + 1] = -snn_log(f[i + 1]);
    }
    x[SNN_GAP_LAYERS] = 0;
    f[SNN_GAP_LAYERS] = 1;
    t->shift = 0;
    double widest = x[0] / rate;
    while (t->shift < 60 && widest * 2 < most_fixed) {
        widest *= 2;
        t->shift++;
    }
    t->unit = 1.0 / (double)(UINT64_C(1) << t->shift);
    const double points = (double)(UINT64_C(1) << t->shift) / rate;
    for (int i = 0; i < SNN_GAP_LAYERS; i++) {
        t->layer[i].width = (uint32_t)(x[i] * points / 0x1p25 + 0.5);
        t->layer[i].accept = (uint32_t)(x[i + 1] / x[i] * 0x1p24);
    }
    t->tail = (uint64_t)(x[1] * points);
}

void snn_gap_start(snn_gap_source *s, uint64_t seed, snn_purpose purpose, uint64_t index, double expected) {
    s->seed = seed;
    s->purpose = purpose;
    s->index = index;
    s->block = 0;
    s->at = 0;
    s->n = 0;
    /* All that will be wanted at once, in rounds of the widest kernel (16 blocks); few where few may do. */
    enum { FEW = 16, ROUND = 64 };
    const double wanted = expected * 1.05 + 8;
    s->ahead = wanted < FEW             ? FEW
               : wanted < SNN_GAP_WORDS ? ((uint32_t)wanted + ROUND - 1) / ROUND * ROUND
                                        : SNN_GAP_WORDS;
}

void snn_gap_refill(snn_gap_source *s) {
    snn_random_fill(s->seed, s->purpose, s->index, s->block, s->ahead / 4, s->word);
    s->block += s->ahead / 4;
    s->at = 0;
    s->n = s->ahead;
    s->ahead = s->ahead < 64 ? 64 : s->ahead;
}

/* A word that was not accepted at once: true: it is (*gap stands); false: draw again, and add *gap (the tail's begin, or 0). */
static bool decide(const snn_gap_table *t, snn_gap_source *s, uint32_t word, uint64_t *gap) {
    const uint32_t i = word & 0xff;
    const double place = (2.0 * (double)(word >> 8) + 1) * 0x1p-25, x = place * t->edge[i];
    if (i == 0) {
        if (x < t->edge[1])
            return true;
        *gap = t->tail; /* an exponential's tail is an exponential again */
        return false;
    }
    if (x < t->edge[i + 1])
        return true;
    /* A point beside the box, in the rectangle between this layer's end and the next: exp(-x) lies below the chord and above the tangent at the outer end. */
    const double u = ((double)snn_gap_word(s) + 0.5) * 0x1p-32, inner = t->edge[i] - x;
    const double outer = t->density[i], rise = t->density[i + 1] - outer;
    const bool under = u * (t->edge[i] - t->edge[i + 1]) < inner &&
                       (u * rise < outer * inner || outer + u * rise < snn_exp(-x));
    *gap = under ? *gap : 0;
    return under;
}

uint64_t snn_gap_rest(const snn_gap_table *t, snn_gap_source *s, uint32_t word) {
    uint64_t base = 0;
    for (;; word = snn_gap_word(s)) {
        const uint32_t place = word >> 8;
        uint64_t gap = (uint64_t)(2 * place + 1) * t->layer[word & 0xff].width;
        if (place < t->layer[word & 0xff].accept || decide(t, s, word, &gap))
            return base + gap;
        base += gap;
    }
}
