/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: which list a cell belongs on, from its conductance: always wrong, sometimes wrong by white noise, or near enough to a reference that slow noise matters. */
#include "read_internal.h"

#include <math.h>

static bool add_wrong(snn_read_tensor *t, const snn_read_cell *c, uint8_t mask, snn_error *err) {
    snn_wrong_list *l = &t->wrong;
    if (!snn_grow((void **)&l->wrong, &l->capacity, l->n + 1, sizeof *l->wrong, err))
        return false;
    l->wrong[l->n++] = (snn_read_wrong){c->row, c->position, mask};
    return true;
}

/* Number of the tensor's list entries ends where 32 bits do. */
static bool check_length(const snn_read_tensor *t, size_t n, snn_error *err) {
    return n < UINT32_MAX - SNN_LEVELS ||
           snn_fail(err, SNN_ERR_RUNTIME, "layer '%s' has more than 2^32 cells that can be read wrong",
                    t->map->name);
}

static bool add_weak(snn_read_plan *p, snn_read_tensor *t, const snn_read_cell *c,
                     const snn_read_chance *chance, int n, snn_error *err) {
    snn_read_list *l = &t->weak;
    if (!check_length(t, l->n, err) ||
        !snn_grow((void **)&l->entry, &l->capacity, l->n + (size_t)n, sizeof *l->entry, err))
        return false;
    const uint32_t channel = c->row / t->taps;
    for (int i = 0; i < n; i++)
        l->entry[l->n++] = (snn_read_entry){chance[i].rate, c->position,
                                            (uint16_t)(c->row - channel * t->taps), chance[i].mask};
    l->first[channel + 1] = (uint32_t)l->n;
    p->stats.weak_cells++;
    return true;
}

static void expect(snn_read_plan *p, const snn_read_cell *c, const snn_read_chance *chance, int n,
                   double share) {
    if (!c->place.check)
        for (int i = 0; i < n; i++)
            p->wrong_expected += share * chance[i].p * __builtin_popcount(chance[i].mask);
}

/* Levels from `sensed` less step and spread to `sensed` plus spread. */
static int levels_between(const snn_read_class *k, double sensed, double spread, double step) {
    return 1 + snn_read_level(k, sensed + spread) - snn_read_level(k, sensed - step - spread);
}

static bool make_ready(snn_slow_list *l, snn_slow_cell *x, const snn_read_chance *chance, int n, int state,
                       snn_error *err) {
    if (!snn_grow((void **)&l->ready, &l->ready_capacity, l->ready_n + (size_t)n, sizeof *l->ready, err))
        return false;
    if (state == 0)
        x->ready = (uint32_t)l->ready_n;
    *(state == 0 ? &x->upper : &x->lower) = (uint8_t)n;
    for (int i = 0; i < n; i++)
        l->ready[l->ready_n++] = (snn_read_entry){chance[i].rate, x->position, x->tap, chance[i].mask};
    return true;
}

static bool add_slow(snn_read_plan *p, snn_read_tensor *t, const snn_read_cell *c, const snn_slow_cell *x,
                     snn_error *err) {
    snn_slow_list *l = &t->slow;
    const snn_read_class *k = &p->class[c->n];
    const uint32_t channel = c->row / t->taps;
    snn_read_chance chance[SNN_LEVELS];
    if (!check_length(t, l->room, err) ||
        !snn_grow((void **)&l->cell, &l->capacity, l->n + 1, sizeof *l->cell, err))
        return false;
    snn_slow_cell *to = &l->cell[l->n++];
    *to = *x;
    to->first = (uint32_t)l->room;
    l->room += (size_t)levels_between(k, x->sensed, SNN_SLOW_SIGMAS * x->sigma + SNN_READ_SIGMAS * p->white,
                                      x->step);
    l->first[channel + 1] = (uint32_t)l->n;
    /* Over samples, 1/f noise is one more normal deviate of a read, and telegraph noise is half here and half there. */
    const double noise = sqrt(p->white * p->white + x->sigma * x->sigma);
    const double share = x->step > 0 ? 0.5 : 1;
    for (int state = 0; state < (x->step > 0 ? 2 : 1); state++) {
        const int n = snn_read_chances(k, x->sensed - state * x->step, noise, x->level, chance);
        expect(p, c, chance, n, share);
        if (!(x->sigma > 0) && !make_ready(l, to, chance, n, state, err))
            return false;
    }
    p->stats.weak_cells++;
    return true;
}

bool snn_read_note(snn_read_plan *p, snn_read_tensor *t, const snn_read_cell *c, snn_error *err) {
    const snn_device *d = &p->options->device;
    const snn_read_class *k = &p->class[c->n];
    const double sensed = snn_read_sensed(p, &(snn_cell){c->place.logical.tile, 0, c->physical_column}, c->g);
    const int level = snn_read_level(k, sensed);
    if (level != c->target && !add_wrong(t, c, k->bits[level] ^ k->bits[c->target], err))
        return false;
    if (p->read_error > 0)
        return true; /* decreed in place of noise */
    const double sigma = snn_device_slow(d, &p->when, c->g);
    double step = snn_device_telegraph(d, &p->when, c->g);
    if (sigma > 0 || step > 0) {
        /* Is it so near to a reference that noise can carry it across? */
        const double spread = SNN_READ_SIGMAS * sqrt(p->white * p->white + sigma * sigma);
        if (levels_between(k, sensed, spread, step) == 1)
            return true;
        if (step > 0 && !snn_slow_telegraph(d, p->slow_seed, c->number))
            step = 0;
        if (sigma > 0 && levels_between(k, sensed, spread, step) == 1)
            return true;
    }
    if (sigma > 0 || step > 0) {
        const snn_slow_cell x = {.sensed = sensed,
                                 .sigma = sigma,
                                 .step = step,
                                 .cell = c->number,
                                 .position = c->position,
                                 .tap = (uint16_t)(c->row % t->taps),
                                 .level = (uint8_t)level,
                                 .n = (uint8_t)c->n};
        return add_slow(p, t, c, &x, err);
    }
    snn_read_chance chance[SNN_LEVELS];
    const int n = p->white > 0 ? snn_read_chances(k, sensed, p->white, level, chance) : 0;
    expect(p, c, chance, n, 1);
    return n == 0 || add_weak(p, t, c, chance, n, err);
}

bool snn_read_quiet(const snn_read_plan *p, int n, double g) {
    const snn_device *d = &p->options->device;
    const double sigma = snn_device_slow(d, &p->when, g), step = snn_device_telegraph(d, &p->when, g);
    const double spread = SNN_READ_SIGMAS * sqrt(p->white * p->white + sigma * sigma);
    return !p->offset && (p->read_error > 0 || levels_between(&p->class[n], g, spread, step) == 1);
}
