/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Framing: events into time bins.
 *
 * Events are sorted by time, so one walk meets the bins one after the other. A bin is counted into a dense array of the input's size; a bitmap of the
 * touched lines, with a second one over its words, gives them back in ascending order. No sorting: time grows with the events and, by 1/4096 of the
 * input's size, with the bins.
 */
#include <snnsim/events.h>

#include <string.h>

static uint32_t copies(const snn_framing *f) {
    return f->repeat > 1 ? (uint32_t)f->repeat : 1;
}

void snn_framing_shape(const snn_framing *f, uint32_t channels, uint32_t height, uint32_t width,
                       uint32_t shape[3]) {
    uint32_t d = (uint32_t)f->downsample;
    uint64_t planes = (uint64_t)(f->merge_polarity ? 1 : channels) * copies(f);
    shape[0] = planes > UINT32_MAX ? UINT32_MAX : (uint32_t)planes;
    shape[1] = height / d + (height % d != 0); /* rounded up: the last, partial pixel holds events too */
    shape[2] = width / d + (width % d != 0);
}

/* Working memory of one call; all of it is zero between two bins. */
typedef struct {
    uint32_t *count;   /* [size] events on each input line */
    uint64_t *touched; /* [words] bit i: count[i] != 0 */
    uint64_t *word;    /* [summary] bit w: touched[w] != 0 */
    size_t words, summary;
} counters;

static bool counters_init(counters *c, size_t size, snn_frame_scratch *scratch, snn_error *err) {
    size_t counts = size / 2 + 1; /* two 32-bit counts in 64 bits */
    c->words = size / 64 + 1;
    c->summary = c->words / 64 + 1;
    size_t all = counts + c->words + c->summary;
    if (!snn_grow((void **)&scratch->key, &scratch->capacity, all, sizeof *scratch->key, err))
        return false;
    memset(scratch->key, 0, all * sizeof *scratch->key);
    c->touched = scratch->key;
    c->word = c->touched + c->words;
    c->count = (uint32_t *)(c->word + c->summary);
    return true;
}

/* Writes the counted lines of one bin to out in ascending order and clears the counters; returns how many. */
static size_t flush(counters *c, bool binary, snn_spike *out) {
    size_t n = 0;
    for (size_t s = 0; s < c->summary; s++) {
        for (uint64_t words = c->word[s]; words != 0; words &= words - 1) {
            size_t w = s * 64 + (size_t)__builtin_ctzll(words);
            for (uint64_t lines = c->touched[w]; lines != 0; lines &= lines - 1) {
                size_t i = w * 64 + (size_t)__builtin_ctzll(lines);
                out[n].index = (uint32_t)i;
                out[n].count = binary ? 1 : c->count[i];
                n++;
                c->count[i] = 0;
            }
            c->touched[w] = 0;
        }
        c->word[s] = 0;
    }
    return n;
}

/* Repeats the n lines of a bin behind themselves, each copy `size` lines further on; returns how many there are then. */
static size_t repeat(snn_spike *bin, size_t n, uint32_t size, uint32_t times) {
    for (uint32_t k = 1; k < times; k++)
        for (size_t i = 0; i < n; i++)
            bin[k * n + i] = (snn_spike){.index = bin[i].index + k * size, .count = bin[i].count};
    return n * times;
}

/* How pixels become input lines. */
typedef struct {
    uint64_t
        reciprocal; /* floor(2^32 / downsample) + 1: x * this / 2^32 is floor(x / downsample) for both up to 2^16 */
    uint64_t row, plane; /* lines per row and per channel; plane = 0 merges the channels */
} pixel_map;

static inline void count_event(counters *c, const pixel_map *m, const snn_event *e) {
    uint64_t x = (e->x * m->reciprocal) >> 32;
    uint64_t y = (e->y * m->reciprocal) >> 32;
    size_t i = e->polarity * m->plane + y * m->row + x;
    c->count[i]++;
    c->touched[i >> 6] |= (uint64_t)1 << (i & 63);
    c->word[i >> 12] |= (uint64_t)1 << (i >> 6 & 63);
}

static bool check(const snn_framing *f, const uint32_t shape[3], uint32_t *size, snn_error *err) {
    if (f->bins < 1 || f->bins > 65535 || f->downsample < 1 || f->downsample > 65536 || f->repeat < 0 ||
        f->repeat > 65535 || (f->mode == SNN_FRAME_WIDTH && f->bin_us < 1))
        return snn_fail(err, SNN_ERR_USAGE,
                        "framing into %d bins of %lld us with pixels of %d, %d times, is not possible",
                        f->bins, (long long)f->bin_us, f->downsample, f->repeat);
    bool cut = copies(f) > 1 && shape[0] == UINT32_MAX; /* see snn_framing_shape */
    if (cut || __builtin_mul_overflow(shape[0], shape[1], size) ||
        __builtin_mul_overflow(*size, shape[2], size))
        return snn_fail(err, SNN_ERR_USAGE, "an input of %u x %u x %u is too large", shape[0], shape[1],
                        shape[2]);
    return true;
}

/* Where bins end. Times d = t - t0 are taken modulo 2^64, differences are exact. */
typedef struct {
    uint64_t t0;
    uint64_t window; /* us; 0: one endless bin */
    uint64_t last;   /* the largest d of bin 0 */
    uint64_t
        tie; /* 1: the last us of each even bin is as near to the odd bin behind it, which begins and ends without it */
} grid;

/* Where bins of fixed width end. From the first event on no d is below 0; from time 0 on the grid's t0 is moved to the start of bin 0. */
static grid width_grid(const snn_framing *f, uint64_t first_event) {
    uint64_t w = (uint64_t)f->bin_us;
    uint64_t before = f->rounding == SNN_ROUND_CEIL      ? w - 1 /* of bin 0, left of its middle */
                      : f->rounding == SNN_ROUND_NEAREST ? w / 2
                                                         : 0;
    grid g = {
        .t0 = first_event, .window = w, .last = f->rounding == SNN_ROUND_NEAREST ? w / 2 : w - 1 - before};
    g.tie = f->rounding == SNN_ROUND_NEAREST && w % 2 == 0;
    if (f->from_zero) {
        g.t0 = -before;
        g.last += before;
    }
    return g;
}

/* The whole recording, its first `begin` events left out, into the grid's bins. */
static void frame_events(const snn_framing *f, const snn_events *e, size_t begin, const grid *g,
                         const pixel_map *map, counters *c, snn_spikes *out, size_t *left) {
    uint32_t times = copies(f), size = out->size / times;
    size_t i = begin, used = 0;
    uint64_t last = g->last, t0 = g->t0;
    bool endless = g->window == 0;
    out->first[0] = 0;
    for (int bin = 0; bin < f->bins; bin++) {
        uint64_t end = last - (g->tie & (uint64_t)bin);
        while (i < e->n && ((uint64_t)e->event[i].t - t0 <= end || endless))
            count_event(c, map, &e->event[i++]);
        used += repeat(out->spike + used, flush(c, f->binary, out->spike + used), size, times);
        out->first[bin + 1] = used;
        /* A bin that reaches beyond 2^64 takes all that is left, so the border need not be right after it. */
        endless |= __builtin_add_overflow(last, g->window, &last);
    }
    *left = e->n - i;
}

/* Room for every spike that the events can give. */
static bool make_room(const snn_framing *f, size_t events, snn_spikes *out, snn_error *err) {
    size_t n;
    if (__builtin_mul_overflow(events, (size_t)copies(f), &n))
        return snn_fail(err, SNN_ERR_USAGE, "%zu events %d times are too many", events, f->repeat);
    return snn_grow((void **)&out->spike, &out->spike_capacity, n, sizeof *out->spike, err);
}

bool snn_frame(const snn_framing *f, const snn_events *e, snn_spikes *out, snn_frame_scratch *scratch,
               size_t *dropped, snn_error *err) {
    uint32_t shape[3] = {0, 0, 0}, size = 0;
    if (f->downsample >= 1)
        snn_framing_shape(f, e->channels, e->height, e->width, shape);
    counters c = {.count = NULL};
    bool ok = check(f, shape, &size, err) && snn_spikes_reset(out, size, f->bins, err);
    if (ok && e->n > 0)
        ok = counters_init(&c, size / copies(f), scratch, err) && make_room(f, e->n, out, err);
    if (ok && dropped != NULL)
        *dropped = 0;
    if (!ok || e->n == 0)
        return ok;

    pixel_map map = {.reciprocal = ((uint64_t)1 << 32) / (uint64_t)f->downsample + 1,
                     .row = shape[2],
                     .plane = f->merge_polarity ? 0 : (uint64_t)shape[1] * shape[2]};
    uint64_t first = (uint64_t)e->event[0].t;
    grid g = {.t0 = first};
    size_t begin = 0, left;
    if (f->mode == SNN_FRAME_BINS) {
        g.window = ((uint64_t)e->event[e->n - 1].t - first) / (uint64_t)f->bins;
        g.last = g.window - 1;
    } else {
        g = width_grid(f, first);
        while (f->from_zero && begin < e->n && e->event[begin].t < (int64_t)g.t0)
            begin++; /* before the first bin */
    }
    frame_events(f, e, begin, &g, &map, &c, out, &left);
    if (dropped != NULL)
        *dropped = begin + left;
    return true;
}
