/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scan's filter: boxes of deviates that cannot do harm, and the words outside of them. */
#include "read_filter.h"

#include "device_internal.h" /* window of verification */

#include <snnsim/portable_math.h>

#include <math.h>

/* Where visiting candidates (about 120 ns each) costs more than visiting all with deviates made in bulk (about 20 ns). */
static const double most_candidates = 0.15;

/* ---- boxes ---- */

typedef struct {
    double low, high; /* [uS] conductances of the box */
} range;

/* Over deviates |z| <= t; with verification the program's deviate is inside the window whatever the word. */
static range box(const snn_level *l, double z_chip, double t) {
    double z[2] = {-t, t};
    if (l->verify_window > 0 && !snn_level_window(l, &z[0], &z[1]))
        z[0] = -SNN_SLOW_SIGMAS, z[1] = SNN_SLOW_SIGMAS;
    range r = {INFINITY, -INFINITY};
    for (int i = 0; i < 8; i++) {
        const double g = snn_level_conductance(l, z[i & 1], i & 2 ? t : -t, i & 4 ? t : -t, z_chip);
        r.low = g < r.low ? g : r.low;
        r.high = g > r.high ? g : r.high;
    }
    return r;
}

/* Do all cells of level k in the box |z| <= t read right, whatever the noise? A little room (1e-9) for rounding. */
static bool harmless(const snn_read_plan *p, const snn_read_class *c, const snn_level *l, int k, double t) {
    const snn_device *d = &p->options->device;
    const range g = box(l, p->chip->z_chip, t);
    double spread = p->offset ? t * d->sense_offset : 0, step = 0;
    if (p->read_error == 0) {
        /* 1/f noise is monotonic in ln g (none at g = 0: then near 0 where it falls); telegraph steps in g */
        const double floor = 1e-300, low = g.low > floor ? g.low : floor;
        double sigma = snn_device_slow(d, &p->when, low), other = snn_device_slow(d, &p->when, g.high);
        sigma = sigma > other ? sigma : other;
        step = snn_device_telegraph(d, &p->when, g.high);
        other = snn_device_telegraph(d, &p->when, low);
        step = step > other ? step : other;
        spread += (SNN_READ_SIGMAS + 0.01) * sqrt(p->white * p->white + sigma * sigma);
    }
    spread = spread * (1 + 1e-9) + 1e-9 * g.high;
    return (k == 0 || g.low - step - spread > c->threshold[k - 1]) &&
           (k == c->levels - 1 || g.high + spread < c->threshold[k]);
}

/* Largest harmless t, from below; negative: none. */
static double largest_box(const snn_read_plan *p, const snn_read_class *c, const snn_level *l, int k) {
    double low = 0, high = SNN_SLOW_SIGMAS;
    if (harmless(p, c, l, k, high))
        return high;
    if (!harmless(p, c, l, k, low))
        return -1;
    for (int i = 0; i < 40; i++) {
        const double middle = (low + high) / 2;
        if (harmless(p, c, l, k, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- words ---- */

static void add_stream(snn_read_filter *f, snn_purpose purpose, uint32_t low, uint32_t high) {
    f->stream[f->streams].purpose = purpose;
    f->stream[f->streams].low = low;
    f->stream[f->streams++].range = high - low;
}

/* Words of deviates within t: those beyond are below `low` or above 2^32 - 1 - low. */
static void add_normal(snn_read_filter *f, snn_purpose purpose, double t) {
    const uint32_t low = (uint32_t)(snn_normal_tail(t) * 0x1p32 * (1 + 1e-9)) + 2;
    add_stream(f, purpose, low, UINT32_MAX - low);
}

/* Pulses: cells with words above may have run out of them. */
static double most_pulse_word(const snn_level *l) {
    double low, high;
    if (!snn_level_window(l, &low, &high))
        return UINT32_MAX;
    const double miss = snn_normal_cdf(low) + snn_normal_tail(high);
    const double never = miss > 0 ? snn_pow(miss, l->verify_pulses) * (1 + 1e-6) : 0;
    return never < 1 ? (1 - never) * 0x1p32 - 3 : 0;
}

/* ---- the filter ---- */

typedef struct {
    double t, pulse_word;
    bool program, verify, relax, vary;
} needs;

static void add_kind(needs *n, const snn_read_plan *p, const snn_chip_levels *levels, int kind) {
    const snn_read_class *c = &p->class[kind];
    for (int k = 0; k < levels->count[kind]; k++) {
        const snn_level *l = &levels->level[kind][k];
        const double t = largest_box(p, c, l, k);
        n->t = t < n->t ? t : n->t;
        n->program |= l->sigma_program > 0 && !(l->verify_window > 0);
        n->verify |= l->verify_window > 0;
        n->relax |= l->sigma_relax > 0;
        n->vary |= l->cell_variation > 0;
        if (l->verify_window > 0) {
            const double most = most_pulse_word(l);
            n->pulse_word = most < n->pulse_word ? most : n->pulse_word;
        }
    }
}

void snn_filter_make(snn_read_filter *f, const snn_read_plan *p, const snn_read_tensor *t,
                     const snn_chip_levels *levels) {
    needs n = {.t = SNN_SLOW_SIGMAS, .pulse_word = UINT32_MAX};
    for (uint32_t cell = 0; cell < t->cells; cell++)
        if (cell == 0 || t->cell_n[cell] != t->cell_n[cell - 1])
            add_kind(&n, p, levels, t->cell_n[cell]);
    const snn_device *d = &p->options->device;
    const bool slow =
        (p->when.effects >> SNN_EFFECT_ONE_OVER_F & 1 && (d->one_over_f != 0 || d->one_over_f_log != 0)) ||
        (p->when.effects >> SNN_EFFECT_TELEGRAPH & 1 &&
         (d->telegraph_step != 0 || d->telegraph_amplitude != 0));
    *f = (snn_read_filter){.offset = n.t * d->sense_offset,
                           .program = n.program,
                           .relax = n.relax,
                           .vary = n.vary,
                           .margin = p->read_error > 0 ? 0
                                     : slow            ? INFINITY
                                                       : (SNN_READ_SIGMAS + 0.01) * p->white};
    const double outside = 2 * snn_normal_tail(n.t > 0 ? n.t : 0);
    const int normals = n.program + n.relax + n.vary;
    double share = (p->offset ? outside : 0) + normals * outside;
    if (n.verify)
        share += 1 - n.pulse_word * 0x1p-32;
    f->all = n.t < 0 || share > most_candidates;
    if (n.verify && n.pulse_word < UINT32_MAX)
        add_stream(f, SNN_PURPOSE_CELL_PULSES, 0, (uint32_t)n.pulse_word);
    if (n.t >= SNN_SLOW_SIGMAS)
        return; /* no deviate is that large */
    if (n.program)
        add_normal(f, SNN_PURPOSE_CELL_PROGRAM, n.t);
    if (n.relax)
        add_normal(f, SNN_PURPOSE_CELL_RELAX, n.t);
    if (n.vary)
        add_normal(f, SNN_PURPOSE_CELL_VARIATION, n.t);
}

void snn_filter_row(const snn_read_filter *f, const snn_chip *chip, uint64_t first, uint32_t n,
                    uint32_t *word, uint8_t *flag) {
    for (int i = 0; i < f->streams; i++) {
        const snn_cell_stream s = snn_chip_stream(chip, f->stream[i].purpose);
        const uint32_t low = f->stream[i].low, range = f->stream[i].range;
        snn_cell_words(&s, first, n, word);
        for (uint32_t k = 0; k < n; k++)
            flag[k] |= word[k] - low > range;
    }
}
