/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Uniform read errors of cells of one bit: what a run with hw.read_error spends its time on. Cells of all reads of a step stand on one axis; geometric gaps lead from error to
 * error, each costs some nanoseconds, and cells in between nothing. Errors in bits of the same weight and read are one change of that weight.
 */
#include "read_step.h"

#include <string.h>

/* Each spike count - 1 times, by stores of four without a branch; false: they do not fit. */
static bool list_again(const snn_spike *input, size_t n, uint32_t *again, uint64_t *listed) {
    const size_t room = snn_read_cursor_words(n) - 4;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t spike = (uint32_t)i, more = input[i].count - 1;
        const uint32_t four[4] = {spike, spike, spike, spike};
        memcpy(again + m, four, sizeof four);
        if (__builtin_expect(more > 4, 0)) {
            if (more > room - m)
                return false;
            for (uint32_t k = 4; k < more; k++)
                again[m + k] = spike;
        }
        m += more;
        if (__builtin_expect(m > room, 0))
            return false;
    }
    *listed = m;
    return true;
}

void snn_read_cursor_init(snn_read_cursor *c, const snn_spike *input, size_t n, uint32_t *words) {
    uint64_t again = 0;
    *c = (snn_read_cursor){
        .input = input, .n = n, .again = words, .listed = list_again(input, n, words, &again)};
    c->total = n + again;
    if (c->listed)
        return;
    size_t m = 0;
    c->total = 0;
    for (size_t i = 0; i < n; i++) {
        c->total += input[i].count;
        if (input[i].count > 1)
            words[m++] = (uint32_t)i;
    }
    c->end = n + input[words[0]].count - 1;
}

uint32_t snn_read_cursor_move(snn_read_cursor *c, uint64_t repetition) {
    if (repetition < c->n)
        return (uint32_t)repetition;
    while (repetition >= c->end)
        c->end += c->input[c->again[++c->at]].count - 1;
    return c->again[c->at];
}

enum { BLOCK = 128 }; /* weights on their way: enough to hide the latency of the codes' cache misses */

/* Weights with errors: number of the weight on the axis of all reads, bits that are inverted. The last one is still open: the next error may hit it too. */
typedef struct {
    uint64_t weight[BLOCK + 1];
    uint32_t mask[BLOCK + 1];
} error_block;

/* A weight with errors, found. */
typedef struct {
    uint32_t at; /* in the codes */
    uint32_t channel, pixel, mask;
} error_place;

/* Draws errors from *position on until BLOCK weights are complete or the axis ends; returns how many are complete before the open one. */
static inline size_t draw(const snn_gap_table *gaps, snn_gap_source *source, snn_divider by_cells,
                          uint64_t *position, uint64_t end, error_block *b) {
    const uint32_t first_bit = by_cells.divisor - 1;
    const int shift = gaps->shift;
    uint64_t at = *position, last = b->weight[0];
    uint32_t mask = b->mask[0], next = source->at; /* in a register: the source lies in memory */
    size_t open = 0;
    while (at < end && open < BLOCK) {
        const uint64_t weight = snn_divide(by_cells, at);
        const bool other = weight != last;
        mask = (other ? 0 : mask) | 1u << (first_bit - (uint32_t)(at - weight * by_cells.divisor));
        open += other;
        b->weight[open] = last = weight;
        b->mask[open] = mask;
        if (__builtin_expect(next == source->n, 0)) {
            snn_gap_refill(source);
            next = 0;
        }
        const uint32_t word = source->word[next++], place = word >> 8;
        uint64_t gap = (uint64_t)(2 * place + 1) * gaps->layer[word & 0xff].width;
        if (__builtin_expect(place >= gaps->layer[word & 0xff].accept, 0)) {
            source->at = next;
            gap = snn_gap_rest(gaps, source, word);
            next = source->at;
        }
        at += 1 + (gap >> shift);
    }
    source->at = next;
    *position = at;
    return open;
}

/* Finds n weights; those of reads that are not performed fall out. */
static inline __attribute__((always_inline)) size_t locate(const snn_read_tensor *t, snn_read_cursor *cursor,
                                                           const error_block *b, size_t from, size_t n,
                                                           bool convolution, error_place *place) {
    const snn_divider by_reads = t->by_reads, by_outputs = t->by_outputs, by_area = t->by_area;
    const snn_spike *input = cursor->input;
    const uint8_t *code = t->code;
    size_t found = 0;
    for (size_t i = from; i < n; i++) {
        const uint64_t repetition = snn_divide(by_reads, b->weight[i]);
        const uint32_t rest = (uint32_t)(b->weight[i] - repetition * by_reads.divisor);
        const uint32_t index = input[snn_read_spike(cursor, repetition)].index;
        uint32_t row = index, channel = rest, pixel = 0;
        bool performed = true;
        if (convolution) {
            const uint32_t tap = (uint32_t)snn_divide(by_outputs, rest);
            const uint32_t plane = (uint32_t)snn_divide(by_area, index);
            channel = rest - tap * by_outputs.divisor;
            row = plane * t->taps + tap;
            performed = snn_read_pixel(t, index - plane * by_area.divisor, tap, &pixel);
        }
        const uint32_t at = row * by_outputs.divisor + channel; /* below 2^31 */
        __builtin_prefetch(code + at);
        place[found] = (error_place){at, channel, pixel, b->mask[i]};
        found += performed;
    }
    return found;
}

static inline size_t change(const snn_read_tensor *t, const error_place *place, size_t n,
                            snn_sum_error *item) {
    const uint8_t *codes = t->code;
    size_t items = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t code = codes[place[i].at];
        const int32_t dsum = t->value[code ^ place[i].mask] - t->value[code];
        item[items] = (snn_sum_error){place[i].channel, place[i].pixel, dsum};
        items += dsum != 0; /* -0 and +0 */
    }
    return items;
}

static inline __attribute__((always_inline)) bool run(const snn_read_step *s, snn_read_cursor *cursor,
                                                      snn_gap_source *source, uint64_t end, bool convolution,
                                                      snn_error *err) {
    const snn_read_tensor *t = s->tensor;
    const snn_gap_table *gaps = s->plan->uniform;
    snn_sum_errors *e = s->errors;
    error_block b;
    error_place place[BLOCK + 1];
    uint64_t position = snn_gap_cells(gaps, source);
    size_t from = 1; /* entry 0 holds no weight yet */
    b.weight[0] = UINT64_MAX;
    b.mask[0] = 0;
    while (position < end) {
        const size_t open = draw(gaps, source, t->by_cells, &position, end, &b);
        const size_t found =
            locate(t, cursor, &b, from, position < end ? open : open + 1, convolution, place);
        if (!snn_grow((void **)&e->item, &e->capacity, e->n + BLOCK + 1, sizeof *e->item, err))
            return false;
        e->n += change(t, place, found, e->item + e->n);
        b.weight[0] = b.weight[open];
        b.mask[0] = b.mask[open];
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
