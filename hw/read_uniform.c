/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Uniform read errors of cells of one bit: what a run with hw.read_error spends its time on. Cells of all reads of a step stand on one axis; geometric gaps lead from error to
 * error, each costs some nanoseconds, and cells in between nothing. Errors in bits of the same weight and read are one change of that weight.
 */
#include "read_step.h"

#include <string.h>

void snn_read_cursor_init(snn_read_cursor *c, const snn_spike *input, size_t n, uint32_t *several) {
    uint64_t total = 0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        several[m] = (uint32_t)i;
        m += input[i].count > 1;
        total += input[i].count;
    }
    *c = (snn_read_cursor){.input = input,
                           .several = several,
                           .severals = m,
                           .next = m ? several[0] : UINT64_MAX,
                           .total = total};
}

uint32_t snn_read_cursor_move(snn_read_cursor *c, uint64_t repetition) {
    while (repetition >= c->next) {
        const uint32_t spike = c->several[c->at];
        if (repetition < c->next + c->input[spike].count)
            return spike;
        c->before += c->input[spike].count - 1;
        c->at++;
        c->next = c->at < c->severals ? c->several[c->at] + c->before : UINT64_MAX;
    }
    return (uint32_t)(repetition - c->before);
}

enum { BLOCK = 64 }; /* errors on their way: enough to hide the latency of the codes' cache misses */

/* Weights with errors: number of the weight on the axis of all reads, bits that are inverted. The last one is still open: the next error may hit it too. */
typedef struct {
    uint64_t weight[BLOCK + 1];
    uint8_t mask[BLOCK + 1];
} error_block;

/* A weight with errors, found. */
typedef struct {
    size_t at; /* in the codes */
    uint32_t channel, pixel;
} error_place;

/* Draws errors from *position on until BLOCK weights are complete or the axis ends; returns how many are complete before the open one. */
static inline size_t draw(const snn_read_step *s, snn_gap_source *source, uint64_t *position, uint64_t end,
                          error_block *b) {
    const snn_gap_table *gaps = s->plan->uniform;
    const snn_divider by_cells = s->tensor->by_cells;
    size_t open = 0;
    uint64_t at = *position;
    memset(b->mask + 1, 0, BLOCK);
    while (at < end && open < BLOCK) {
        const uint64_t weight = snn_divide(by_cells, at);
        open += weight != b->weight[open];
        b->weight[open] = weight;
        b->mask[open] |= (uint8_t)(1u << (by_cells.divisor - 1 - (uint32_t)(at - weight * by_cells.divisor)));
        at += 1 + snn_gap_cells(gaps, source);
    }
    *position = at;
    return open;
}

/* Finds n weights; those of reads that are not performed fall out. */
static inline __attribute__((always_inline)) size_t locate(const snn_read_tensor *t, snn_read_cursor *cursor,
                                                           error_block *b, size_t from, size_t n,
                                                           bool convolution, error_place *place) {
    size_t found = 0;
    for (size_t i = from; i < n; i++) {
        const uint64_t repetition = snn_divide(t->by_reads, b->weight[i]);
        const uint32_t rest = (uint32_t)(b->weight[i] - repetition * t->by_reads.divisor);
        const snn_spike *spike = &cursor->input[snn_read_spike(cursor, repetition)];
        uint32_t row = spike->index, channel = rest, pixel = 0;
        if (convolution) {
            const uint32_t tap = (uint32_t)snn_divide(t->by_outputs, rest);
            const uint32_t plane = (uint32_t)snn_divide(t->by_area, spike->index);
            channel = rest - tap * t->outputs;
            row = plane * t->taps + tap;
            if (!snn_read_pixel(t, spike->index - plane * t->by_area.divisor, tap, &pixel))
                continue;
        }
        const size_t at = (size_t)row * t->outputs + channel;
        __builtin_prefetch(t->code + at);
        place[found] = (error_place){at, channel, pixel};
        b->mask[from + found++] = b->mask[i];
    }
    return found;
}

static inline size_t change(const snn_read_tensor *t, const error_place *place, const uint8_t *mask, size_t n,
                            snn_sum_error *item) {
    size_t items = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t code = t->code[place[i].at];
        item[items] =
            (snn_sum_error){place[i].channel, place[i].pixel, t->value[code ^ mask[i]] - t->value[code]};
        items += item[items].dsum != 0; /* -0 and +0 */
    }
    return items;
}

static inline __attribute__((always_inline)) bool run(const snn_read_step *s, snn_read_cursor *cursor,
                                                      snn_gap_source *source, uint64_t end, bool convolution,
                                                      snn_error *err) {
    const snn_read_tensor *t = s->tensor;
    snn_sum_errors *e = s->errors;
    error_block b;
    error_place place[BLOCK + 1];
    uint64_t position = snn_gap_cells(s->plan->uniform, source);
    size_t from = 1; /* entry 0 holds no weight yet */
    b.weight[0] = UINT64_MAX;
    b.mask[0] = 0;
    while (position < end) {
        const size_t open = draw(s, source, &position, end, &b);
        const bool last = position >= end;
        if (!snn_grow((void **)&e->item, &e->capacity, e->n + BLOCK + 1, sizeof *e->item, err))
            return false;
        const uint64_t open_weight = b.weight[open];
        const uint8_t open_mask = b.mask[open];
        const size_t found = locate(t, cursor, &b, from, last ? open + 1 : open, convolution, place);
        e->n += change(t, place, b.mask + from, found, e->item + e->n);
        b.weight[0] = open_weight;
        b.mask[0] = open_mask;
        from = 0;
    }
    return true;
}

bool snn_read_axis(const snn_read_tensor *t, uint64_t repetitions, uint64_t *cells, snn_error *err) {
    const uint64_t width = (uint64_t)t->width * t->taps;
    if (repetitions >= UINT64_MAX / width / width)
        return snn_fail(err, SNN_ERR_RUNTIME,
                        "layer '%s': a step with %llu reads is beyond what read errors are drawn for",
                        t->map->name, (unsigned long long)repetitions);
    *cells = repetitions * width;
    return true;
}

bool snn_read_uniform(const snn_read_step *s, snn_error *err) {
    const snn_read_tensor *t = s->tensor;
    snn_read_cursor cursor;
    snn_gap_source source;
    uint64_t end = 0;
    snn_read_cursor_init(&cursor, s->input, s->n, (uint32_t *)s->scratch);
    if (!snn_read_axis(t, cursor.total, &end, err))
        return false;
    snn_gap_start(&source, t->stream, SNN_PURPOSE_READ, s->stream, (double)end * s->plan->read_error);
    return t->convolution ? run(s, &cursor, &source, end, true, err)
                          : run(s, &cursor, &source, end, false, err);
}
