/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plain twin of digital read-out, the definition that the fast path is tested against: every cell is sensed at every read, from its conductance, its amplifier and normal deviates;
 * bits go through the decoder as a circuit would do it; what comes out, with the key's bits flipped, is compared with the weight that was read without noise. Nothing is left out and nothing
 * skipped; it shares with the fast path the conductances, the references and the deviates of slow noise, but neither lists nor gaps nor masks.
 */
#include "read_hook.h"

#include "read_step.h"
#include "repair.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    double sensed, sigma, step; /* [uS] without noise; noise frozen within a sample */
    uint64_t number;
    uint8_t exists, check, n, decreed; /* decreed: bits that hw.cell_error inverts */
} twin_cell;

typedef struct {
    twin_cell *cell; /* [fan_in][width] */
    uint8_t *key;    /* [outputs * fan_in] bits to flip */
} twin_tensor;

struct snn_read_twin {
    const snn_read_plan *plan;
    twin_tensor *tensor;
};

/* ---- making ---- */

static bool make_cell(const snn_read_plan *p, const snn_read_tensor *t, uint32_t row, uint32_t position,
                      twin_cell *to, snn_error *err) {
    snn_read_place at;
    double g;
    if (!snn_read_place_at(t, p->map, row, position, &at))
        return true;
    if (!snn_chip_conductance(p->chip, &p->condition, &at.logical, &g, err))
        return false;
    const snn_cell physical = snn_chip_place(p->chip, &at.logical);
    const snn_device *d = &p->options->device;
    *to = (twin_cell){.sensed = snn_read_sensed(p, &physical, g),
                      .sigma = snn_device_slow(d, &p->when, g),
                      .step = snn_device_telegraph(d, &p->when, g),
                      .number = snn_map_cell_number(p->map, &physical),
                      .exists = 1,
                      .check = at.check,
                      .n = at.check ? 1 : t->cell_n[at.cell]};
    if (to->step > 0 && !snn_slow_telegraph(d, p->slow_seed, to->number))
        to->step = 0;
    return true;
}

/* What the list of wrong cells says beyond the device is the decree. */
static void add_decree(const snn_read_plan *p, const snn_read_tensor *t, twin_tensor *to) {
    for (size_t i = 0; i < (size_t)t->map->fan_in * t->width; i++) {
        twin_cell *x = &to->cell[i];
        snn_read_place at;
        const uint32_t row = (uint32_t)(i / t->width), position = (uint32_t)(i % t->width);
        if (!x->exists || !snn_read_place_at(t, p->map, row, position, &at))
            continue;
        const snn_read_class *c = &p->class[x->n];
        x->decreed = c->bits[snn_read_level(c, x->sensed)] ^ c->bits[snn_chip_level(p->chip, &at.logical)];
    }
    for (size_t i = 0; i < t->wrong.n; i++)
        to->cell[(size_t)t->wrong.wrong[i].row * t->width + t->wrong.wrong[i].position].decreed ^=
            t->wrong.wrong[i].mask;
}

static bool make_tensor(const snn_read_plan *p, const snn_read_tensor *t, twin_tensor *to, snn_error *err) {
    const size_t rows = t->map->fan_in;
    to->cell = snn_alloc(rows * t->width, sizeof *to->cell, "plain read-out", err);
    to->key = snn_alloc(rows * t->outputs, 1, "plain read-out", err);
    if (!to->cell || !to->key)
        return false;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t position = 0; position < t->width; position++)
            if (!make_cell(p, t, row, position, &to->cell[row * (size_t)t->width + position], err))
                return false;
    add_decree(p, t, to);
    return true;
}

snn_read_twin *snn_read_twin_new(const snn_read_plan *p, const snn_flips *key, snn_error *err) {
    snn_read_twin *w = snn_alloc(1, sizeof *w, "plain read-out", err);
    if (!w)
        return NULL;
    w->plan = p;
    w->tensor = snn_alloc((size_t)p->tensors, sizeof *w->tensor, "plain read-out", err);
    bool ok = w->tensor != NULL;
    for (int i = 0; ok && i < p->tensors; i++)
        ok = make_tensor(p, &p->tensor[i], &w->tensor[i], err);
    for (size_t i = 0; ok && key && i < key->n; i++) {
        const snn_flip *f = &key->flip[i];
        w->tensor[f->tensor].key[f->index] ^=
            (uint8_t)(1u << (p->tensor[f->tensor].map->bits - 1 - (int)f->bit));
    }
    if (ok)
        return w;
    snn_read_twin_free(w);
    return NULL;
}

void snn_read_twin_free(snn_read_twin *w) {
    if (!w)
        return;
    for (int i = 0; w->tensor && i < w->plan->tensors; i++) {
        free(w->tensor[i].cell);
        free(w->tensor[i].key);
    }
    free(w->tensor);
    free(w);
}

/* ---- reading ---- */

typedef struct {
    const snn_read_plan *plan;
    const snn_read_tensor *tensor;
    const twin_tensor *twin;
    uint64_t sample;
    snn_random random;
    uint8_t *bits; /* [width] what the cells of a row word read */
    uint8_t *code; /* [outputs] */
} twin_read;

static uint8_t read_cell(twin_read *r, const twin_cell *x) {
    const snn_read_plan *p = r->plan;
    const snn_read_class *c = &p->class[x->n];
    double v = x->sensed;
    if (p->read_error > 0) {
        const uint8_t bits = c->bits[snn_read_level(c, v)] ^ x->decreed;
        if (snn_random_uniform(&r->random) >= p->read_error)
            return bits;
        const int level = c->level[bits], step = snn_random_below(&r->random, 2) ? 1 : -1;
        return c->bits[level == 0 ? 1 : level == c->levels - 1 ? level - 1 : level + step];
    }
    v += snn_slow_shift(p->slow_seed, r->sample, x->number, x->sigma, x->step);
    if (p->white > 0)
        v += p->white * snn_random_normal(&r->random);
    return c->bits[snn_read_level(c, v)] ^ x->decreed;
}

/* Corrects the bits of each code word in place. */
static void decode_words(twin_read *r) {
    const snn_read_tensor *t = r->tensor;
    for (uint32_t word = 0; word < t->words; word++) {
        const uint32_t used = snn_read_word_bits(t, word);
        uint8_t *bits = r->bits + (size_t)word * t->word_width;
        uint32_t check = 0, position;
        for (uint32_t i = 0; i < t->check_bits; i++)
            check |= (uint32_t)bits[t->code_bits + i] << i;
        if (used &&
            snn_secded_decode(r->plan->secded, bits, used, check, &position) == SNN_SECDED_CORRECTED &&
            position < used)
            bits[position] ^= 1;
    }
}

/* One read of a row word, and the codes that it gives. */
static void read_row(twin_read *r, uint32_t row) {
    const snn_read_tensor *t = r->tensor;
    const twin_cell *cell = r->twin->cell + (size_t)row * t->width;
    for (uint32_t i = 0; i < t->width; i++)
        r->bits[i] = cell[i].exists ? read_cell(r, &cell[i]) : 0;
    if (t->words)
        decode_words(r);
    memset(r->code, 0, t->outputs);
    for (uint32_t i = 0; i < t->width; i++) {
        snn_read_place at;
        if (snn_read_place_at(t, r->plan->map, row, i, &at) && !at.check)
            r->code[at.output] |= (uint8_t)(r->bits[i] << t->cell_shift[at.cell]);
    }
}

static bool compare(twin_read *r, uint32_t row, uint32_t pixel, snn_sum_errors *errors, snn_error *err) {
    const snn_read_tensor *t = r->tensor;
    const snn_tensor *w = &r->plan->weights->tensor[t->index];
    for (uint32_t o = 0; o < t->outputs; o++) {
        const size_t i = (size_t)o * t->map->fan_in + row;
        const int32_t change =
            snn_code_value(t->map->encoding, t->map->bits, r->code[o] ^ r->twin->key[i]) - snn_weight_q(w, i);
        if (change == 0)
            continue;
        if (!snn_grow((void **)&errors->item, &errors->capacity, errors->n + 1, sizeof *errors->item, err))
            return false;
        errors->item[errors->n++] = (snn_sum_error){o, pixel, change};
    }
    return true;
}

static bool read_spike(twin_read *r, const snn_spike *spike, snn_sum_errors *errors, snn_error *err) {
    const snn_read_tensor *t = r->tensor;
    const uint32_t area = t->convolution ? t->in.height * t->in.width : 1, channel = spike->index / area;
    const uint32_t y = spike->index % area / (t->convolution ? t->in.width : 1),
                   x = spike->index % area % (t->convolution ? t->in.width : 1);
    for (uint32_t k = 0; k < spike->count; k++)
        for (uint32_t ky = 0; ky < t->kernel; ky++)
            for (uint32_t kx = 0; kx < t->kernel; kx++) {
                const int64_t oy = (int64_t)y + t->padding - ky, ox = (int64_t)x + t->padding - kx;
                if (oy < 0 || ox < 0 || oy % t->stride || ox % t->stride)
                    continue;
                if (oy / t->stride >= t->out.height || ox / t->stride >= t->out.width)
                    continue;
                const uint32_t row = channel * t->taps + ky * t->kernel + kx;
                const uint32_t pixel = (uint32_t)(oy / t->stride * t->out.width + ox / t->stride);
                read_row(r, row);
                if (!compare(r, row, t->convolution ? pixel : 0, errors, err))
                    return false;
            }
    return true;
}

bool snn_read_twin_hook(void *context, void *scratch, int tensor, uint64_t sample, int step,
                        const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    const snn_read_twin *w = context;
    const snn_read_tensor *t = &w->plan->tensor[tensor];
    twin_read r = {.plan = w->plan, .tensor = t, .twin = &w->tensor[tensor], .sample = sample};
    uint64_t index;
    (void)scratch;
    if (!snn_read_stream(sample, step, &index, err))
        return false;
    snn_random_init(&r.random, t->stream, SNN_PURPOSE_READ, index);
    r.bits = snn_alloc(t->width, 1, "plain read-out", err);
    r.code = snn_alloc(t->outputs, 1, "plain read-out", err);
    bool ok = r.bits && r.code;
    for (size_t i = 0; ok && i < n; i++)
        ok = read_spike(&r, &input[i], errors, err);
    free(r.bits);
    free(r.code);
    return ok;
}
