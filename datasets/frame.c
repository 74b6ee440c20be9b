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

void snn_framing_shape(const snn_framing *f, uint32_t channels, uint32_t height, uint32_t width,
                       uint32_t shape[3]) {
    uint32_t d = (uint32_t)f->downsample;
    shape[0] = f->merge_polarity ? 1 : channels;
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
    if (f->bins < 1 || f->bins > 65535 || f->downsample < 1 || f->downsample > 65536 ||
        (f->mode == SNN_FRAME_WIDTH && f->bin_us < 1))
        return snn_fail(err, SNN_ERR_USAGE,
                        "framing into %d bins of %lld us with pixels of %d is not possible", f->bins,
                        (long long)f->bin_us, f->downsample);
    if (__builtin_mul_overflow(shape[0], shape[1], size) || __builtin_mul_overflow(*size, shape[2], size))
        return snn_fail(err, SNN_ERR_USAGE, "an input of %u x %u x %u is too large", shape[0], shape[1],
                        shape[2]);
    return true;
}

/* The whole recording in bins of `window` us (0: one endless bin) from t0 on. Times are taken modulo 2^64, differences are exact. */
static void frame_events(const snn_framing *f, const snn_events *e, size_t begin, uint64_t t0,
                         uint64_t window, const pixel_map *map, counters *c, snn_spikes *out, size_t *left) {
    size_t i = begin, used = 0;
    uint64_t border = 0;
    out->first[0] = 0;
    for (int bin = 0; bin < f->bins; bin++) {
        /* A bin that reaches beyond 2^64 takes all that is left, so the border need not be right after it. */
        bool endless = window == 0 || __builtin_add_overflow(border, window, &border);
        while (i < e->n && ((uint64_t)e->event[i].t - t0 < border || endless))
            count_event(c, map, &e->event[i++]);
        used += flush(c, f->binary, out->spike + used);
        out->first[bin + 1] = used;
    }
    *left = e->n - i;
}

bool snn_frame(const snn_framing *f, const snn_events *e, snn_spikes *out, snn_frame_scratch *scratch,
               size_t *dropped, snn_error *err) {
    uint32_t shape[3] = {0, 0, 0}, size = 0;
    if (f->downsample >= 1)
        snn_framing_shape(f, e->channels, e->height, e->width, shape);
    counters c = {.count = NULL};
    bool ok = check(f, shape, &size, err) && snn_spikes_reset(out, size, f->bins, err);
    if (ok && e->n > 0)
        ok = counters_init(&c, size, scratch, err) &&
             snn_grow((void **)&out->spike, &out->spike_capacity, e->n, sizeof *out->spike, err);
    if (ok && dropped != NULL)
        *dropped = 0;
    if (!ok || e->n == 0)
        return ok;

    pixel_map map = {.reciprocal = ((uint64_t)1 << 32) / (uint64_t)f->downsample + 1,
                     .row = shape[2],
                     .plane = f->merge_polarity ? 0 : (uint64_t)shape[1] * shape[2]};
    uint64_t t0 = (uint64_t)e->event[0].t, window = (uint64_t)f->bin_us;
    size_t begin = 0, left;
    if (f->mode == SNN_FRAME_BINS) {
        window = ((uint64_t)e->event[e->n - 1].t - t0) / (uint64_t)f->bins;
    } else if (f->from_zero) {
        t0 = 0;
        while (begin < e->n && e->event[begin].t < 0)
            begin++; /* before the first bin */
    }
    frame_events(f, e, begin, t0, window, &map, &c, out, &left);
    if (dropped != NULL)
        *dropped = begin + left;
    return true;
}
