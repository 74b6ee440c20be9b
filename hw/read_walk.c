/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Read errors one by one, for everything but the plain uniform case. A cell with error rate a = -ln(1 - p) takes a piece of length a on the axis of all cells that are read; errors come after
 * exponential gaps. A gap that ends within a cell's piece makes it wrong, and the next gap begins behind that piece: each read of each cell is then an independent
 * trial with probability 1 - exp(-a) = p.
 */
#include "read_step.h"

#include <assert.h>
#include <string.h>

/* ---- all cells alike ---- */

/* A cell of several bits that is read wrong gives a neighbouring level, either with probability 1/2 (at the ends: the only one). */
static uint8_t neighbour_mask(snn_read_walk *w, uint32_t row, uint32_t output, uint32_t cell) {
    const snn_read_tensor *t = w->step->tensor;
    const snn_read_class *c = &w->step->plan->class[t->cell_n[cell]];
    const uint32_t up = snn_gap_word(&w->source) >> 31;
    const uint8_t bits = (uint8_t)(t->cells_code[(size_t)row * t->outputs + output] >> t->cell_shift[cell] &
                                   ((1u << t->cell_n[cell]) - 1));
    return snn_read_neighbour(c, bits, up);
}

static bool next_uniform(snn_read_walk *w, snn_read_error *e) {
    const snn_read_tensor *t = w->step->tensor;
    if (w->at >= w->end)
        return false;
    const uint64_t read = snn_divide(w->by_width, w->at), repetition = snn_divide(t->by_taps, read);
    e->read = read;
    e->position = (uint32_t)(w->at - read * t->width);
    e->tap = (uint16_t)(read - repetition * t->taps);
    e->spike = snn_read_spike(&w->cursor, repetition);
    e->mask = 1;
    if (!t->words && t->cell_n[0] > 1) {
        const uint32_t output = (uint32_t)snn_divide(t->by_cells, e->position);
        const uint32_t row = snn_read_channel(t, w->step->input[e->spike].index) * t->taps + e->tap;
        e->mask = neighbour_mask(w, row, output, e->position - output * t->cells);
    }
    w->at += 1 + snn_gap_cells(w->step->plan->uniform, &w->source);
    return true;
}

bool snn_read_walk_uniform(snn_read_walk *w, const snn_read_step *s, snn_error *err) {
    const snn_read_tensor *t = s->tensor;
    w->next = next_uniform;
    w->step = s;
    snn_read_cursor_init(&w->cursor, s->input, s->n, (uint32_t *)s->scratch);
    if (!snn_read_axis(t, w->cursor.total, &w->end, err))
        return false;
    w->by_width = snn_divider_make(t->width);
    snn_gap_start(&w->source, t->stream, SNN_PURPOSE_READ, s->stream, (double)w->end * s->plan->read_error);
    w->at = snn_gap_cells(s->plan->uniform, &w->source);
    return true;
}

/* ---- lists ---- */

/* First entry from `from` on whose piece reaches beyond `target`. */
static size_t find_entry(const snn_read_entry *list, size_t from, size_t n, double target) {
    size_t low = from, high = n - 1; /* rounding may put the target onto the end: then it is the last */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list[middle].upto > target)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void next_repetition(snn_read_walk *w) {
    w->entry = 0;
    w->passed = 0;
    w->repetition++;
}

static void next_spike(snn_read_walk *w) {
    w->before += w->step->input[w->spike].count;
    w->spike++;
    w->repetition = 0;
    w->entry = 0;
    w->passed = 0;
    w->list = NULL;
}

/* The error that the gap leads to in this repetition; the walk goes on behind its cell. */
static void take(snn_read_walk *w, snn_read_error *e) {
    const snn_read_tensor *t = w->step->tensor;
    size_t i = find_entry(w->list, w->entry, w->n, w->passed + w->rest);
    const snn_read_entry *hit = &w->list[i];
    *e = (snn_read_error){.read = (w->before + w->repetition) * t->taps + hit->tap,
                          .spike = (uint32_t)w->spike,
                          .position = hit->position,
                          .tap = hit->tap,
                          .mask = hit->mask};
    while (i + 1 < w->n && w->list[i + 1].position == hit->position && w->list[i + 1].tap == hit->tap)
        i++; /* the cell has gone wrong in one way: the others are out */
    w->passed = w->list[i].upto;
    w->entry = i + 1;
    w->rest = snn_gap_real(w->step->plan->unit, &w->source);
}

/* Is there an error in what is left of the current spike? */
static bool take_in_spike(snn_read_walk *w, snn_read_error *e) {
    const double sum = w->n ? w->list[w->n - 1].upto : 0;
    for (; w->n && w->repetition < w->step->input[w->spike].count; next_repetition(w)) {
        if (w->entry < w->n && w->rest < sum - w->passed) {
            take(w, e);
            return true;
        }
        w->rest -= w->entry < w->n ? sum - w->passed : 0;
    }
    return false;
}

static bool next_weak(snn_read_walk *w, snn_read_error *e) {
    const snn_read_step *s = w->step;
    const snn_read_list *l = &s->tensor->weak;
    for (; w->spike < s->n; next_spike(w)) {
        if (!w->list) {
            w->channel = snn_read_channel(s->tensor, s->input[w->spike].index);
            const double rate = l->rate[w->channel] * s->input[w->spike].count;
            if (w->rest >= rate) { /* most spikes */
                w->rest -= rate;
                continue;
            }
            w->list = l->entry + l->first[w->channel];
            w->n = l->first[w->channel + 1] - l->first[w->channel];
        }
        if (take_in_spike(w, e))
            return true;
    }
    return false;
}

void snn_read_walk_weak(snn_read_walk *w, const snn_read_step *s) {
    w->next = next_weak;
    w->step = s;
    w->spike = w->entry = w->n = 0;
    w->before = w->repetition = 0;
    w->list = NULL;
    w->passed = 0;
    snn_gap_start(&w->source, s->tensor->stream, SNN_PURPOSE_READ, s->stream, 0);
    w->rest = snn_gap_real(s->plan->unit, &w->source);
}

/* ---- cells with slow noise ---- */

/* In the workspace: what slow cells can do in one sample, computed channel by channel when it is first read. */
typedef struct {
    uint64_t token, sample; /* whose list; sample + 1 */
    uint64_t room;          /* keeps what follows aligned */
    uint64_t channels;
} slow_head;

size_t snn_read_slow_bytes(const snn_read_tensor *t) {
    if (!t->slow.n)
        return 0;
    const size_t bytes =
        sizeof(slow_head) + t->slow.room * sizeof(snn_read_entry) + t->channels * sizeof(uint32_t);
    return (bytes + 63) / 64 * 64;
}

/* Entries of channel c: 1 + how many, 0: not computed yet. */
static uint32_t *slow_counts(const snn_read_tensor *t, slow_head *h) {
    return (uint32_t *)((snn_read_entry *)(h + 1) + t->slow.room);
}

/* Entries that the cells of a channel have room for. */
static inline size_t room_of(const snn_slow_list *l, uint32_t channel) {
    const uint32_t first = l->first[channel], end = l->first[channel + 1];
    return (end < l->n ? l->cell[end].first : l->room) - (first < l->n ? l->cell[first].first : l->room);
}

static uint32_t compute_channel(const snn_read_walk *w, uint32_t channel, snn_read_entry *entry) {
    const snn_read_plan *p = w->step->plan;
    const snn_slow_list *l = &w->step->tensor->slow;
    uint32_t n = 0;
    double upto = 0;
    for (uint32_t i = l->first[channel]; i < l->first[channel + 1]; i++) {
        const snn_slow_cell *x = &l->cell[i];
        if (!(x->sigma > 0)) {
            const bool lower = snn_slow_lower(p->slow_seed, w->step->sample, x->cell);
            const snn_read_entry *ready = l->ready + x->ready + (lower ? x->upper : 0);
            for (int k = lower ? x->lower : x->upper; k > 0; k--, ready++) {
                entry[n] = *ready;
                entry[n++].upto = upto += ready->upto;
            }
            continue;
        }
        snn_read_chance chance[SNN_LEVELS];
        const double sensed =
            x->sensed + snn_slow_shift(p->slow_seed, w->step->sample, x->cell, x->sigma, x->step);
        const int chances = snn_read_chances(&p->class[x->n], sensed, p -> white, x -> level, chance);
        for (int k = 0; k < chances; k++) {
            upto += chance[k].rate;
            entry[n++] = (snn_read_entry){upto, x->position, x->tap, chance[k].mask};
        }
    }
    assert(n <= room_of(l, channel));
    return n;
}

static void look_up_slow(snn_read_walk *w) {
    const snn_read_step *s = w->step;
    const snn_read_tensor *t = s->tensor;
    slow_head *h = (slow_head *)(s->scratch + t->slow_at);
    uint32_t *counts = slow_counts(t, h);
    const uint32_t first = t->slow.first[w->channel], end = t->slow.first[w->channel + 1];
    snn_read_entry *entry = (snn_read_entry *)(h + 1) + (first < t->slow.n ? t->slow.cell[first].first : 0);
    if (!counts[w->channel])
        counts[w->channel] = 1 + (first < end ? compute_channel(w, w->channel, entry) : 0);
    w->list = entry;
    w->n = counts[w->channel] - 1;
}

static bool next_slow(snn_read_walk *w, snn_read_error *e) {
    const snn_read_step *s = w->step;
    for (; w->spike < s->n; next_spike(w)) {
        if (!w->list) {
            w->channel = snn_read_channel(s->tensor, s->input[w->spike].index);
            look_up_slow(w);
        }
        if (take_in_spike(w, e))
            return true;
    }
    return false;
}

void snn_read_walk_slow(snn_read_walk *w, const snn_read_step *s) {
    const snn_read_tensor *t = s->tensor;
    slow_head *h = (slow_head *)(s->scratch + t->slow_at);
    snn_read_walk_weak(w, s);
    w->next = next_slow;
    /* a stream of its own, beside that of the weak cells */
    snn_gap_start(&w->source, ~t->stream, SNN_PURPOSE_READ, s->stream, 0);
    w->rest = snn_gap_real(s->plan->unit, &w->source);
    if (h->token != t->slow.token || h->sample != s->sample + 1) {
        memset(slow_counts(t, h), 0, t->channels * sizeof(uint32_t));
        h->token = t->slow.token;
        h->sample = s->sample + 1;
    }
}
