/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of digital read-out: one step of one tensor, as the hook sees it. A spike of count c is read c times (repetitions), each time by all taps of a convolution;
 * read number = number of the repetition * taps + tap.
 */
#ifndef SNNSIM_HW_READ_STEP_H
#define SNNSIM_HW_READ_STEP_H

#include "read_internal.h"

typedef struct {
    const snn_read_plan *plan;
    const snn_read_tensor *tensor;
    const snn_spike *input;
    size_t n;
    uint64_t sample;
    uint64_t stream; /* index of the random streams: sample << 20 | step */
    char *scratch;   /* of the workspace: words of a cursor, then what slow cells need */
    snn_sum_errors *errors;
} snn_read_step;

/* ---- which spike a read belongs to ---- */

/* On the axis of uniform errors all spikes are read once, then those with counts above 1 again: repetition r < n is of spike r, the others are looked up. */
typedef struct {
    const snn_spike *input;
    uint64_t n, total; /* spikes; repetitions of all */
    const uint32_t *
        again; /* [total - n] spikes of the other repetitions, or, where these are too many, the spikes with counts above 1: */
    bool listed;  /* which of both */
    uint32_t at;  /* one of these spikes ... */
    uint64_t end; /* ... and the first repetition behind its own */
} snn_read_cursor;

/* Words of a workspace that a cursor over up to n spikes needs. */
static inline size_t snn_read_cursor_words(size_t n) {
    return 2 * n + 4;
}
void snn_read_cursor_init(snn_read_cursor *c, const snn_spike *input, size_t n, uint32_t *words);
uint32_t snn_read_cursor_move(snn_read_cursor *c, uint64_t repetition);
/* Repetitions ascend from call to call. */
static inline uint32_t snn_read_spike(snn_read_cursor *c, uint64_t repetition) {
    if (__builtin_expect(c->listed, 1))
        return repetition < c->n ? (uint32_t)repetition : c->again[repetition - c->n];
    return snn_read_cursor_move(c, repetition);
}

/* ---- where a read goes ---- */

/* Input channel that a spike reads (linear: the input itself). */
static inline uint32_t snn_read_channel(const snn_read_tensor *t, uint32_t index) {
    return (uint32_t)snn_divide(t->by_area, index);
}

/* Cells of a step with so many repetitions. Errors: RUNTIME beyond what division by products allows. */
bool snn_read_axis(const snn_read_tensor *t, uint64_t repetitions, uint64_t *cells, snn_error *err);

/* Output pixel that a tap of a spike contributes to; false: outside, the row word is not read. */
static inline bool snn_read_pixel(const snn_read_tensor *t, uint32_t pixel_in, uint32_t tap,
                                  uint32_t *pixel) {
    const uint32_t y = (uint32_t)snn_divide(t->by_line, pixel_in), x = pixel_in - y * t->by_line.divisor;
    uint32_t oy = y - t->tap[tap].y, ox = x - t->tap[tap].x; /* wraps below 0 */
    if (t->stride > 1) {
        if (oy % t->stride != 0 || ox % t->stride != 0 || oy > UINT32_MAX / 2 || ox > UINT32_MAX / 2)
            return false;
        oy /= t->stride;
        ox /= t->stride;
    }
    *pixel = oy * t->out.width + ox;
    return (oy < t->out.height) & (ox < t->out.width);
}

/* ---- errors ---- */

/* One cell that one read gets wrong. */
typedef struct {
    uint64_t read;
    uint32_t spike, position;
    uint16_t tap;
    uint8_t mask; /* right-aligned in the cell */
} snn_read_error;

/* Uniform errors of cells of one bit without code words: the whole step. */
bool snn_read_uniform(const snn_read_step *s, snn_error *err);

/* Errors one by one, in the order of reads and, within a read, of positions. */
typedef struct snn_read_walk snn_read_walk;
struct snn_read_walk {
    bool (*next)(snn_read_walk *w, snn_read_error *e); /* false: no more */
    const snn_read_step *step;
    snn_gap_source source;
    /* uniform */
    uint64_t at, end; /* cell on the axis of all reads */
    snn_divider by_width;
    snn_read_cursor cursor;
    /* lists: where the walk stands between two errors */
    size_t spike;
    uint64_t before;     /* counts of the spikes before */
    uint32_t repetition; /* of the spike */
    uint32_t channel;
    const snn_read_entry *list; /* of the spike's channel; NULL: not looked at yet */
    size_t n, entry;            /* its length; next entry */
    double passed;              /* rate of the entries before `entry` */
    double rest;                /* rate until the next error */
};

/* All cells alike; weak cells; cells whose noise is frozen within a sample. The last two use streams of their own. */
bool snn_read_walk_uniform(snn_read_walk *w, const snn_read_step *s, snn_error *err);
void snn_read_walk_weak(snn_read_walk *w, const snn_read_step *s);
void snn_read_walk_slow(snn_read_walk *w, const snn_read_step *s);
/* Bytes of the workspace that walks over the tensor's slow cells need. */
size_t snn_read_slow_bytes(const snn_read_tensor *t);

/* What the errors of up to two walks do to the sums. */
bool snn_read_collect(const snn_read_step *s, snn_read_walk *const *walk, int walks, snn_error *err);

#endif
