/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Spike lists: per time step a sorted list of (index, count). Framing makes one per sample, so building them is on the
 * hot path: events are counted into a dense table when there are many of them, else sorted by radix.
 */
#include <snnsim/spikes.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 48              /* up to here insertion sort is quicker than clearing histograms */
#define DIGIT_BITS_MAX 11     /* 2048 counters of 4 bytes: stays in a first-level cache */
#define DENSE_CELLS_PER_KEY 4 /* measured: below this many table cells per event the table is quicker */

void snn_spikes_free(snn_spikes *s) {
    if (!s)
        return;
    free(s->first);
    free(s->spike);
    memset(s, 0, sizeof *s);
}

bool snn_spikes_reset(snn_spikes *s, uint32_t size, int steps, snn_error *err) {
    assert(steps >= 0);
    if (!snn_grow((void **)&s->first, &s->first_capacity, (size_t)steps + 1, sizeof *s->first, err))
        return snn_error_context(err, "spike list of %d steps", steps);
    memset(s->first, 0, ((size_t)steps + 1) * sizeof *s->first);
    s->size = size;
    s->steps = steps;
    return true;
}

static bool reserve(snn_spikes *s, size_t n, snn_error *err) {
    if (!snn_grow((void **)&s->spike, &s->spike_capacity, n, sizeof *s->spike, err))
        return snn_error_context(err, "spike list of %zu spikes", n);
    return true;
}

bool snn_spikes_append(snn_spikes *s, int step, const snn_spike *list, size_t n, snn_error *err) {
    assert(step >= 0 && step < s->steps);
    size_t total = s->first[s->steps];
    assert(s->first[step + 1] == total); /* steps are filled in ascending order */
    if (n == 0)
        return true;
    size_t need;
    if (__builtin_add_overflow(total, n, &need))
        return snn_fail(err, SNN_ERR_RUNTIME, "spike list of more than %zu spikes", total);
    if (!reserve(s, need, err))
        return false;
    memcpy(s->spike + total, list, n * sizeof *list);
#ifndef NDEBUG
    for (size_t i = total; i < need; i++) {
        assert(s->spike[i].index < s->size && s->spike[i].count > 0);
        assert(i == s->first[step] || s->spike[i - 1].index < s->spike[i].index);
    }
#endif
    for (int t = step + 1; t <= s->steps; t++)
        s->first[t] = need;
    return true;
}

/* Bits needed for the values 0 .. n-1. */
static unsigned bits_for(uint64_t n) {
    return n <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(n - 1);
}

static void insertion_sort(uint64_t *key, size_t n) {
    for (size_t i = 1; i < n; i++) {
        uint64_t k = key[i];
        size_t j = i;
        for (; j > 0 && key[j - 1] > k; j--)
            key[j] = key[j - 1];
        key[j] = k;
    }
}

/* Least-significant-digit radix sort of keys below 2^bits; the result is in key[]. */
static void radix_sort(uint64_t *key, uint64_t *scratch, size_t n, unsigned bits) {
    if (n <= SMALL) {
        insertion_sort(key, n);
        return;
    }
    unsigned passes = (bits + DIGIT_BITS_MAX - 1) / DIGIT_BITS_MAX;
    unsigned width = passes ? (bits + passes - 1) / passes : 0;
    uint64_t mask = ((uint64_t)1 << width) - 1;
    uint64_t *from = key, *to = scratch;
    size_t start[1 << DIGIT_BITS_MAX];
    for (unsigned p = 0; p < passes; p++) {
        unsigned shift = p * width;
        memset(start, 0, ((size_t)mask + 1) * sizeof *start);
        for (size_t i = 0; i < n; i++)
            start[from[i] >> shift & mask]++;
        if (start[from[0] >> shift & mask] == n)
            continue; /* all the same in this digit */
        size_t sum = 0;
        for (size_t d = 0; d <= mask; d++) {
            size_t count = start[d];
            start[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[start[from[i] >> shift & mask]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != key)
        memcpy(key, from, n * sizeof *key);
}

/* Few keys: pack (step, index) into as few bits as possible, sort, count runs. */
static void count_sorted(snn_spikes *s, uint64_t *key, size_t n) {
    unsigned index_bits = bits_for(s->size);
    uint64_t index_mask = ((uint64_t)1 << index_bits) - 1;
    for (size_t i = 0; i < n; i++)
        key[i] = (key[i] >> 32) << index_bits | (key[i] & 0xffffffffu);
    radix_sort(key, (uint64_t *)(void *)s->spike, n, index_bits + bits_for((uint64_t)s->steps));
    size_t out = 0;
    int step = 0; /* first[0..step] are final */
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && key[j] == key[i])
            j++;
        assert(j - i <= UINT32_MAX);
        int t = (int)(key[i] >> index_bits);
        while (step < t)
            s->first[++step] = out;
        s->spike[out++] = (snn_spike){(uint32_t)(key[i] & index_mask), (uint32_t)(j - i)};
        i = j;
    }
    while (step < s->steps)
        s->first[++step] = out;
}

/* Many keys: count into a table that lies in the memory of s->spike; the list is gathered in key[] and copied. */
static void count_dense(snn_spikes *s, uint64_t *key, size_t n) {
    size_t size = s->size;
    uint32_t *table = (uint32_t *)(void *)s->spike;
    memset(table, 0, size * (size_t)s->steps * sizeof *table);
    for (size_t i = 0; i < n; i++)
        table[(key[i] >> 32) * size + (key[i] & 0xffffffffu)]++;
    snn_spike *list = (snn_spike *)(void *)key;
    size_t out = 0;
    for (int t = 0; t < s->steps; t++) {
        const uint32_t *row = table + (size_t)t * size;
        for (size_t i = 0; i < size; i++)
            if (row[i])
                list[out++] = (snn_spike){(uint32_t)i, row[i]};
        s->first[t + 1] = out;
    }
    memcpy(s->spike, list, out * sizeof *list);
}

bool snn_spikes_from_keys(snn_spikes *s, uint32_t size, int steps, uint64_t *key, size_t n, snn_error *err) {
    if (!snn_spikes_reset(s, size, steps, err))
        return false;
    if (n == 0)
        return true;
#ifndef NDEBUG
    for (size_t i = 0; i < n; i++)
        assert(key[i] >> 32 < (uint64_t)steps && (key[i] & 0xffffffffu) < size);
#endif
    uint64_t cells = (uint64_t)size * (uint64_t)steps; /* below 2^63 */
    bool dense = n <= UINT32_MAX && cells / DENSE_CELLS_PER_KEY < n;
    size_t need = dense ? (size_t)((cells + 1) / 2) : n;
    if (dense && need > SIZE_MAX / sizeof *s->spike)
        dense = false, need = n;
    /* A dense table of u32 needs half as many 8-byte spikes; the list itself never exceeds cells or n. */
    if (dense && need < (cells < n ? cells : n))
        need = (size_t)(cells < n ? cells : n);
    if (!reserve(s, need, err))
        return false;
    if (dense)
        count_dense(s, key, n);
    else
        count_sorted(s, key, n);
    return true;
}

bool snn_spikes_from_counts(snn_spikes *s, uint32_t size, int steps, const uint8_t *count, snn_error *err) {
    if (!snn_spikes_reset(s, size, steps, err))
        return false;
    size_t cells = (size_t)size * (size_t)steps, n = 0;
    for (size_t i = 0; i < cells; i++)
        n += count[i] != 0;
    if (!reserve(s, n, err))
        return false;
    size_t out = 0;
    for (int t = 0; t < steps; t++) {
        const uint8_t *row = count + (size_t)t * size;
        for (uint32_t i = 0; i < size; i++)
            if (row[i])
                s->spike[out++] = (snn_spike){i, row[i]};
        s->first[t + 1] = out;
    }
    return true;
}

bool snn_spikes_copy(snn_spikes *to, const snn_spikes *from, snn_error *err) {
    if (to == from)
        return true;
    if (!from->first) { /* the all-zero list */
        if (!snn_spikes_reset(to, from->size, from->steps, err))
            return false;
        return true;
    }
    size_t n = from->first[from->steps];
    if (!snn_spikes_reset(to, from->size, from->steps, err) || !reserve(to, n, err))
        return false;
    memcpy(to->first, from->first, ((size_t)from->steps + 1) * sizeof *to->first);
    if (n)
        memcpy(to->spike, from->spike, n * sizeof *to->spike);
    return true;
}

uint64_t snn_spikes_total(const snn_spikes *s) {
    uint64_t total = 0;
    if (s->first)
        for (size_t i = 0; i < s->first[s->steps]; i++)
            total += s->spike[i].count;
    return total;
}
