/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digital read-out: constant errors go into the weights: what cells always read wrong, errors by decree (hw.cell_error), correction by code words, then the key's bits. */
#include "read_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

/* Rates become sums from the channel's first entry on; channels without entries begin where the one before ends. */
static void end_lists(snn_read_tensor *t) {
    for (uint32_t c = 0; c < t->channels; c++) {
        uint32_t *weak = t->weak.first, *slow = t->slow.first;
        weak[c + 1] = weak[c + 1] > weak[c] ? weak[c + 1] : weak[c];
        slow[c + 1] = slow[c + 1] > slow[c] ? slow[c + 1] : slow[c];
        double sum = 0;
        for (uint32_t i = weak[c]; i < weak[c + 1]; i++)
            sum = t->weak.entry[i].upto += sum;
        t->weak.rate[c] = sum;
    }
    /* What a workspace keeps of slow cells must not outlive them: FNV-1a over what it depends on. */
    uint64_t token = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < t->slow.n; i++) {
        const snn_slow_cell *x = &t->slow.cell[i];
        uint64_t word[4] = {x->cell, (uint64_t)x->position << 32 | (uint64_t)x->tap << 16 | x->level, 0, 0};
        memcpy(&word[2], &x->sensed, sizeof x->sensed);
        memcpy(&word[3], &x->sigma, sizeof x->sigma);
        for (int k = 0; k < 4; k++)
            token = (token ^ word[k]) * UINT64_C(0x100000001b3);
    }
    t->slow.token = token ^ t->stream;
}

/* ---- errors by decree ---- */

static uint8_t cell_bits(const snn_read_plan *p, const snn_read_tensor *t, uint32_t row,
                         const snn_read_place *at) {
    const uint8_t code = p->chip->stored->tensor[t->index].code8[(size_t)at->output * t->map->fan_in + row];
    return code >> t->cell_shift[at->cell] & (uint8_t)((1u << t->cell_n[at->cell]) - 1);
}

uint8_t snn_read_decree_mask(const snn_read_class *c, uint8_t bits, bool up) {
    return c->levels == 2 ? 1 : snn_read_neighbour(c, bits, up);
}

/* The same of a cell of a tensor; 0: there is none. */
static uint8_t decree_mask(const snn_read_plan *p, const snn_read_tensor *t, uint32_t row, uint32_t position,
                           uint8_t device_mask, bool up) {
    snn_read_place at;
    if (!snn_read_place_at(t, p->map, row, position, &at))
        return 0;
    if (at.check)
        return 1;
    return snn_read_decree_mask(&p->class[t->cell_n[at.cell]], cell_bits(p, t, row, &at) ^ device_mask, up);
}

static bool put_decreed(snn_decreed_list *l, uint64_t at, bool up, snn_error *err) {
    if (!snn_grow((void **)&l->cell, &l->capacity, l->n + 1, sizeof *l->cell, err))
        return false;
    l->cell[l->n++] = at << 1 | up;
    return true;
}

static bool put_wrong(snn_wrong_list *l, snn_read_wrong x, snn_error *err) {
    if (x.mask == 0) /* decree and device cancel; no cell */
        return true;
    if (!snn_grow((void **)&l->wrong, &l->capacity, l->n + 1, sizeof *l->wrong, err))
        return false;
    l->wrong[l->n++] = x;
    return true;
}

/* Merges the device's wrong cells with those of the decree, which geometric gaps lead to along the rows of all tensors. */
static bool decree_tensor(const snn_read_plan *p, snn_read_tensor *t, const snn_gap_table *gaps,
                          snn_gap_source *source, snn_error *err) {
    const uint64_t end = (uint64_t)t->map->fan_in * t->width;
    snn_wrong_list all = {0};
    size_t next = 0;
    bool ok = true;
    for (uint64_t at = snn_gap_cells(gaps, source); ok && at < end; at += 1 + snn_gap_cells(gaps, source)) {
        snn_read_wrong x = {(uint32_t)(at / t->width), (uint32_t)(at % t->width), 0};
        const snn_read_wrong *device = t->wrong.wrong;
        for (; ok && next < t->wrong.n && (uint64_t)device[next].row * t->width + device[next].position < at;
             next++)
            ok = put_wrong(&all, device[next], err);
        if (next < t->wrong.n && device[next].row == x.row && device[next].position == x.position)
            x.mask = device[next++].mask;
        const bool up = snn_gap_word(source) >> 31;
        x.mask ^= decree_mask(p, t, x.row, x.position, x.mask, up);
        ok = ok && put_wrong(&all, x, err) && put_decreed(&t->decreed, at, up, err);
    }
    for (; ok && next < t->wrong.n; next++)
        ok = put_wrong(&all, t->wrong.wrong[next], err);
    free(t->wrong.wrong);
    t->wrong = all;
    return ok;
}

static bool decree(snn_read_plan *p, snn_error *err) {
    const double rate = snn_read_rate(p->options->cell_error);
    if (rate < SNN_GAP_LEAST_RATE)
        return true;
    snn_gap_table *gaps = snn_alloc(1, sizeof *gaps, "cell errors", err);
    if (!gaps)
        return false;
    snn_gap_source source;
    snn_gap_table_init(gaps, rate);
    snn_gap_start(&source, p->chip->seed, SNN_PURPOSE_CELL_ERROR, p->chip->number, SNN_GAP_WORDS);
    bool ok = true;
    for (int i = 0; ok && i < p->tensors; i++)
        ok = decree_tensor(p, &p->tensor[i], gaps, &source, err);
    free(gaps);
    return ok;
}

/* ---- into the weights ---- */

static void invert(snn_read_plan *p, const snn_read_tensor *t, uint32_t row, uint32_t output, uint32_t cell,
                   uint8_t mask) {
    p->weights->tensor[t->index].code8[(size_t)output * t->map->fan_in + row] ^=
        (uint8_t)(mask << t->cell_shift[cell]);
    p->stats.wrong_bits += (uint64_t)__builtin_popcount(mask);
}

/* Wrong cells i .. end - 1 of one code word. */
static void fold_word(snn_read_plan *p, const snn_read_tensor *t, size_t i, size_t end) {
    const uint32_t row = t->wrong.wrong[i].row, word = t->wrong.wrong[i].position / t->word_width;
    const uint32_t used = snn_read_word_bits(t, word), first = word % t->tile_words * t->code_bits;
    uint8_t wrong[SNN_READ_WORD] = {0};
    p->stats.corrected += end - i == 1;
    p->stats.uncorrectable += end - i > 1;
    for (; i < end; i++)
        wrong[t->wrong.wrong[i].position % t->word_width] = 1;
    snn_read_decode(p->secded, used, wrong);
    for (uint32_t k = 0; k < used; k++)
        if (wrong[k])
            invert(p, t, row, word / t->tile_words * t->map->lanes + (first + k) / t->cells,
                   (first + k) % t->cells, 1);
}

static void fold_tensor(snn_read_plan *p, const snn_read_tensor *t) {
    const snn_read_wrong *x = t->wrong.wrong;
    p->stats.wrong_cells += t->wrong.n;
    for (size_t i = 0, end; i < t->wrong.n; i = end) {
        end = i + 1;
        if (!t->words) {
            invert(p, t, x[i].row, x[i].position / t->cells, x[i].position % t->cells, x[i].mask);
            continue;
        }
        while (end < t->wrong.n && x[end].row == x[i].row &&
               x[end].position / t->word_width == x[i].position / t->word_width)
            end++;
        fold_word(p, t, i, end);
    }
}

/* ---- codes as the hook reads them ---- */

/* [outputs][fan_in] -> [fan_in][outputs], in blocks that fit the cache */
static uint8_t *transpose(const snn_read_tensor *t, const uint8_t *code, snn_error *err) {
    enum { SIDE = 64 };
    const uint32_t rows = t->map->fan_in, outputs = t->outputs;
    uint8_t *to = snn_alloc((size_t)rows * outputs, 1, "codes", err);
    if (!to)
        return NULL;
    for (uint32_t r = 0; r < rows; r += SIDE)
        for (uint32_t o = 0; o < outputs; o += SIDE) {
            const uint32_t row_end = r + SIDE < rows ? r + SIDE : rows,
                           output_end = o + SIDE < outputs ? o + SIDE : outputs;
            for (uint32_t i = r; i < row_end; i++)
                for (uint32_t k = o; k < output_end; k++)
                    to[(size_t)i * outputs + k] = code[(size_t)k * rows + i];
        }
    return to;
}

/* Expected wrong bits when all cells of a tensor are read with hw.read_error. */
static double uniform_wrong(const snn_read_plan *p, const snn_read_tensor *t) {
    double bits = 0;
    for (uint32_t c = 0; c < t->cells; c++) {
        const snn_read_class *k = &p->class[t->cell_n[c]];
        const uint8_t *code = p->chip->stored->tensor[t->index].code8;
        if (k->levels == 2) {
            bits += (double)t->map->fan_in * t->outputs;
            continue;
        }
        double of_bits[SNN_LEVELS] = {0};
        for (int b = 0; b < k->levels; b++)
            of_bits[b] = 0.5 * (__builtin_popcount(snn_read_neighbour(k, (uint8_t)b, false)) +
                                __builtin_popcount(snn_read_neighbour(k, (uint8_t)b, true)));
        for (size_t i = 0; i < (size_t)t->map->fan_in * t->outputs; i++)
            bits += of_bits[code[i] >> t->cell_shift[c] & (k->levels - 1)];
    }
    return bits * p->read_error;
}

bool snn_read_varies(const snn_read_plan *p, const snn_read_tensor *t) {
    return p->read_error > 0 || t->weak.n || t->slow.n;
}

static bool take_codes(snn_read_plan *p, const snn_weights *cells, snn_error *err) {
    for (int i = 0; i < p->tensors; i++) {
        snn_read_tensor *t = &p->tensor[i];
        if (!snn_read_varies(p, t))
            continue;
        t->code = transpose(t, p->weights->tensor[i].code8, err);
        t->cells_code = t->code;
        if (t->code && cells != p->weights && p->options->map.cell_bits > 1)
            t->cells_code = transpose(t, cells->tensor[i].code8, err);
        if (!t->code || !t->cells_code)
            return false;
    }
    return true;
}

bool snn_read_fold(snn_read_plan *p, const snn_flips *key, snn_error *err) {
    p->weights = snn_weights_copy(p->chip->stored, err);
    if (!p->weights || !decree(p, err))
        return false;
    double expected = p->wrong_expected;
    for (int i = 0; i < p->tensors; i++) {
        snn_read_tensor *t = &p->tensor[i];
        end_lists(t);
        fold_tensor(p, t);
        p->stats.bits += (uint64_t)t->map->fan_in * t->outputs * (uint64_t)t->map->bits;
        if (p->read_error > 0) {
            expected += uniform_wrong(p, t);
            p->stats.weak_cells += p->read_error >= SNN_READ_RARE ? snn_read_cells(t) : 0;
        }
    }
    p->stats.read_error_rate = p->stats.bits ? expected / (double)p->stats.bits : 0;
    snn_weights *cells = p->weights;
    if (key && key->n) {
        snn_weights *flipped = snn_weights_apply(cells, key, err);
        if (!flipped)
            return false;
        p->weights = flipped;
    }
    const bool ok = take_codes(p, cells, err);
    if (cells != p->weights)
        snn_weights_free(cells);
    return ok;
}
