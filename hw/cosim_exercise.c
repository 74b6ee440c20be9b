/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything a small tile can do, drawn by a seed, on C model and circuit: for mutation tests, where each changed gate must show. A round is a key, a layer with registers and parameters from
 * one end of their ranges to the other, and some steps of events. Between rounds there are short steps without events, where membranes are biases and thresholds stand one or two bits away.
 */
#include "cosim_internal.h"

#include <snnsim/random.h>

#include <stdlib.h>
#include <string.h>

#define STEPS_MOST 8
#define EVENTS_MOST 12
#define FULL_ROUNDS 3    /* at the end: 2^COUNT cycles for each event and word; */
#define FULL_FROM 1000   /* of that many rounds only */
#define QUIET_STEPS 48   /* in a row, a few cycles each */
#define MEMBRANE_BITS 26 /* of a bias: 2^26 in each of 8 steps of two rounds stays within 31 bits */

typedef struct {
    snn_cosim *c;
    snn_random r;
    int32_t *threshold, *bias; /* [words * lanes] */
    snn_row_bit *bit;          /* [keys] */
    uint32_t *per_row;         /* [rows] keyed bits */
    bool cleared;              /* the round before began with a clear */
    uint32_t full; /* not 0: events of the largest count, most of them on one line, so that sums fill up */
    uint32_t line;
} exercise;

static uint32_t below(exercise *e, uint32_t n) {
    return snn_random_below(&e->r, n);
}

static bool one_in(exercise *e, uint32_t n) {
    return below(e, n) == 0;
}

/* Both signs and all sizes up to `bits` bits. */
static int32_t number(exercise *e, uint32_t bits) {
    int32_t n = (int32_t)(snn_random_u32(&e->r) & ((UINT32_C(1) << below(e, bits + 1)) - 1));
    return one_in(e, 2) ? n : -n;
}

/* ---- keys ---- */

static bool is_drawn(const exercise *e, uint32_t n, snn_row_bit b) {
    for (uint32_t i = 0; i < n; i++)
        if (e->bit[i].row == b.row && e->bit[i].lane == b.lane && e->bit[i].bit == b.bit)
            return true;
    return false;
}

/* Keyed bits that the store can hold: at most `ways` in a row. */
static uint32_t draw_bits(exercise *e) {
    const snn_decryptor_shape *s = &e->c->shape.decryptor;
    uint32_t n = 0, most = below(e, s->keys + 1);
    memset(e->per_row, 0, e->c->rows * sizeof *e->per_row);
    for (uint32_t tries = 0; n < most && tries < 4 * most; tries++) {
        /* few rows, so that slots fill up */
        const uint32_t row = one_in(e, 3) ? below(e, e->c->rows) : below(e, 1 + e->c->rows / 8);
        const snn_row_bit b = {row, below(e, s->lanes), below(e, s->keyable)};
        if (e->per_row[row] == s->ways || is_drawn(e, n, b))
            continue;
        e->per_row[row]++;
        e->bit[n++] = b;
    }
    return n;
}

/* Contents of the store, by the provisioner; fewer bits when the table has no place for all. */
static bool provision_bits(exercise *e, snn_error *err) {
    const snn_decryptor_shape *s = &e->c->shape.decryptor;
    const bool listed = s->kind == SNN_DEC_CAM || s->kind == SNN_DEC_TABLE;
    snn_provision p;
    uint32_t n = listed ? draw_bits(e) : 0;
    const uint64_t seed = snn_random_u64(&e->r);
    while (!snn_provision_make(&p, s, e->bit, n, seed, err)) {
        if (err->code != SNN_ERR_CRITERION || n == 0)
            return false;
        n /= 2;
    }
    bool ok = snn_cosim_provision(e->c, p.write, p.writes, err);
    snn_provision_free(&p);
    return ok;
}

/* Writes beside the store, which must do nothing, and into entries, which they empty or fill: one without its valid bit, whatever else it says. */
static bool provision_more(exercise *e, snn_error *err) {
    const snn_decryptor_shape *s = &e->c->shape.decryptor;
    for (uint32_t i = below(e, 8); i > 0; i--) {
        snn_prov_write w = {(uint16_t)(s->keys + below(e, SNN_PROV_HASH - s->keys)), snn_random_u64(&e->r)};
        if (one_in(e, 2))
            w.address = (uint16_t)(s->keys + below(e, 2 * s->keys + 2));        /* right behind it */
        const uint32_t entry = snn_decryptor_position_bits(s) + s->address + 1; /* the table's is shorter */
        if (s->kind == SNN_DEC_CAM && one_in(e, 3)) {
            w.address = (uint16_t)below(e, s->keys);
            w.data &= ~(UINT64_C(1) << (entry - 1));
        }
        if (!snn_cosim_provision(e->c, &w, 1, err))
            return false;
    }
    return true;
}

static bool keys(exercise *e, snn_error *err) {
    const snn_tile_inputs tamper = {.tamper = true};
    /* What is left of the key before could stand in one row with the new one's bits. */
    return snn_cosim_cycle(e->c, &tamper, NULL, err) && (one_in(e, 8) || provision_bits(e, err)) &&
           provision_more(e, err);
}

/* ---- layers ---- */

/* One or two bits, as comparators that look at a wrong one see no other difference. */
static int32_t few_bits(exercise *e) {
    const int32_t n = (INT32_C(1) << below(e, 30)) + (one_in(e, 2) ? INT32_C(1) << below(e, 29) : 0);
    return one_in(e, 2) ? n : -n;
}

/* Where comparators go wrong: at sums in 1/64 that meet it exactly, and some bits away from where membranes without inputs stay; some out of reach. */
static int32_t threshold(exercise *e, int32_t bias, uint32_t large) {
    switch (below(e, 8)) {
    case 0:
        return INT32_MAX;
    case 1:
        return bias;
    case 2:
    case 3:
    case 4:
        return bias + few_bits(e);
    case 5:
        return number(e, large);
    case 6:
        return bias + number(e, 4) * 64;
    default:
        return number(e, 6) * 64;
    }
}

static snn_tile_layer layer(exercise *e) {
    const snn_tile_shape *s = &e->c->shape;
    const uint32_t outputs = s->words * s->decryptor.lanes, most = e->c->rows < s->words ? 1 : s->words;
    snn_tile_layer l = {.words = 1 + below(e, most), .threshold = e->threshold, .bias = e->bias};
    l.stride = 1 + below(e, e->c->rows / l.words);
    if (one_in(e, 3))
        l.stride = e->c->rows / l.words;
    l.base = below(e, e->c->rows - l.stride * l.words + 1);
    static const int32_t ends[] = {0, 4096, 4095, 1};
    l.decay = one_in(e, 3) ? ends[below(e, 4)] : (int32_t)below(e, 4097);
    l.subtract = one_in(e, 2);
    l.at_threshold = one_in(e, 2);
    l.spiking = !one_in(e, 4);
    const uint32_t large = one_in(e, 4) ? MEMBRANE_BITS : 10;
    for (uint32_t i = 0; i < outputs; i++) {
        e->bias[i] = one_in(e, 3) ? number(e, 4) * 64 : number(e, large);
        e->threshold[i] = threshold(e, e->bias[i], large);
    }
    return l;
}

/* Nothing is left of membranes, and no event adds to them: what fires is bias against threshold. */
static void make_quiet(exercise *e, snn_tile_layer *l) {
    const uint32_t outputs = l->words * e->c->shape.decryptor.lanes;
    l->decay = 0;
    l->spiking = true;
    for (uint32_t i = 0; i < outputs; i++)
        if (!one_in(e, 8))
            e->threshold[i] = e->bias[i] + few_bits(e);
}

/* ---- events ---- */

static void event(exercise *e, const snn_tile_layer *l, snn_tile_inputs *in) {
    const uint32_t count_bits = e->c->face->parameters.count;
    in->aer_line = below(e, l->stride);
    in->aer_count = 1 + below(e, 3);
    if (one_in(e, 200)) /* all bits of the field, in so many cycles for each word */
        in->aer_count = 1 + below(e, (UINT32_C(1) << (1 + below(e, count_bits))) - 1);
    if (e->full) {
        in->aer_count = (UINT32_C(1) << count_bits) - 1;
        in->aer_line = e->full % 4 == 0 ? in->aer_line : e->line;
        e->full++;
    }
}

/* The next thing to offer: events of a step, then its end. true: the round is over. */
static bool next(exercise *e, const snn_tile_layer *l, uint32_t *steps, uint32_t *events,
                 snn_tile_inputs *in) {
    if (*steps == 0)
        return true;
    event(e, l, in); /* an end's line and count have no meaning */
    in->aer_end = *events == 0;
    if (*events > 0) {
        --*events;
    } else {
        --*steps;
        *events = below(e, EVENTS_MOST + 1);
    }
    return false;
}

static bool play(exercise *e, const snn_tile_layer *l, snn_error *err) {
    snn_cosim *c = e->c;
    const bool pressure = !one_in(e, 3);
    e->line = below(e, l->stride);
    /* Broken off somewhere by a reset, once in a while. */
    uint64_t left = one_in(e, 8) && !e->full ? 1 + below(e, 200) : UINT64_MAX;
    uint32_t steps = e->full ? 1 : 1 + below(e, STEPS_MOST), events = below(e, EVENTS_MOST + 1);
    snn_tile_inputs in = {0};
    snn_tile_outputs out = {0};
    bool over = next(e, l, &steps, &events, &in);
    for (; left > 0 && (!over || !out.idle); left--) {
        in.aer_valid = !over && (!pressure || snn_cosim_pattern(c, 0, c->cycle));
        in.spk_ready = !pressure || snn_cosim_pattern(c, 1, c->cycle);
        if (!snn_cosim_cycle(c, &in, &out, err))
            return false;
        if (in.aer_valid && out.aer_ready) {
            over = next(e, l, &steps, &events, &in);
            out.idle = false; /* it was before the event came in */
        }
    }
    if (left == 0)
        snn_cosim_reset(c);
    return true;
}

/* A step that has only its end. */
static bool quiet_step(exercise *e, snn_error *err) {
    snn_tile_layer l = layer(e);
    snn_tile_inputs in = {.aer_valid = true, .aer_end = true, .spk_ready = true};
    snn_tile_outputs out = {0};
    make_quiet(e, &l);
    if (!snn_cosim_configure(e->c, &l, err) || !snn_cosim_cycle(e->c, &in, NULL, err))
        return false;
    for (in.aer_valid = false; !out.idle;)
        if (!snn_cosim_cycle(e->c, &in, &out, err))
            return false;
    return true;
}

static bool quiet(exercise *e, snn_error *err) {
    bool ok = true;
    for (int i = 0; ok && i < QUIET_STEPS; i++)
        ok = quiet_step(e, err);
    e->cleared = false; /* membranes may be at the end of their range */
    return ok;
}

static bool round_of(exercise *e, snn_error *err) {
    if (one_in(e, 2) && !e->full && !quiet(e, err))
        return false;
    if ((one_in(e, 2) || e->c->cycle == 0) && !keys(e, err))
        return false;
    const snn_tile_layer l = layer(e);
    const snn_tile_inputs clear = {.clear = true};
    /* Without it membranes go on from where they were; not twice, or they could leave their range. */
    e->cleared = !e->cleared || !one_in(e, 4);
    return snn_cosim_configure(e->c, &l, err) && (!e->cleared || snn_cosim_cycle(e->c, &clear, NULL, err)) &&
           play(e, &l, err);
}

bool snn_cosim_exercise(snn_cosim *c, uint32_t rounds, snn_error *err) {
    const size_t outputs = (size_t)c->shape.words * c->shape.decryptor.lanes;
    exercise e = {.c = c};
    snn_random_init(&e.r, c->options.seed, SNN_PURPOSE_TRAFFIC, 1);
    e.threshold = snn_alloc(outputs, sizeof *e.threshold, "thresholds", err);
    e.bias = snn_alloc(outputs, sizeof *e.bias, "biases", err);
    e.bit = snn_alloc((size_t)c->shape.decryptor.keys + 1, sizeof *e.bit, "a key", err);
    e.per_row = snn_alloc(c->rows, sizeof *e.per_row, "rows", err);
    bool ok = e.threshold && e.bias && e.bit && e.per_row;
    for (uint32_t i = 0; ok && i < rounds; i++) {
        e.full = i + FULL_ROUNDS >= rounds && rounds >= FULL_FROM;
        ok = round_of(&e, err);
    }
    free(e.threshold);
    free(e.bias);
    free(e.bit);
    free(e.per_row);
    return ok;
}
