/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5's global heaps, where variable-length items lie: finding the bytes of many items in one walk.
 *
 * HDF5 File Format Specification 1.1, III.E "Global Heap": a heap is "GCOL", version 1, 3 bytes 0, its whole size (8 bytes); then objects, each an index (2 bytes), a
 * reference count (2), 4 bytes 0, a size (8) and as many bytes, filled up to a multiple of 8. Index 0 is the free space behind the last object. Little-endian.
 */
#include "shd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 16    /* bytes of the heap's header, and of an object's */
#define WINDOW 512 /* bytes read at once: a large item has a heap of its own, of which 32 bytes are needed */

/* A piece of the file in memory. */
typedef struct {
    const snn_source *s;
    uint64_t first;
    size_t n;
    uint8_t bytes[WINDOW];
} window;

/* HEAD bytes at `at`; NULL with err set when they are not in the file. */
static const uint8_t *look(window *w, uint64_t at, snn_error *err) {
    if (at < w->first || at - w->first > w->n || w->n - (at - w->first) < HEAD) {
        uint64_t rest = at < w->s->size ? w->s->size - at : 0;
        w->first = at;
        w->n = rest < WINDOW ? (rest < HEAD ? HEAD : (size_t)rest) : WINDOW;
        if (!snn_source_read(w->s, at, w->n, w->bytes, err)) {
            w->n = 0;
            return NULL;
        }
    }
    return w->bytes + (at - w->first);
}

static int by_place(const void *a, const void *b) {
    const snn_heap_item *p = a, *q = b;
    if (p->heap != q->heap)
        return p->heap < q->heap ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

/* The items of one heap, [n], that are object `index`, whose `size` bytes are at `at`. */
static bool place_object(snn_heap_item *item, size_t n, uint32_t index, uint64_t size, uint64_t at,
                         snn_error *err) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (item[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && item[low].index == index; low++) {
        if (item[low].bytes > size)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": item %" PRIu32 " has %" PRIu64
                            " bytes, its heap object %" PRIu64,
                            at, item[low].item, item[low].bytes, size);
        item[low].at = at;
    }
    return true;
}

/* Walks over one heap; [n] items are in it. *end: byte behind it. */
static bool walk(window *w, uint64_t begin, snn_heap_item *item, size_t n, uint64_t *end, snn_error *err) {
    const uint8_t *p = look(w, begin, err);
    if (p == NULL)
        return false;
    uint64_t size = snn_little(p + 8, 8), at = begin + HEAD;
    if (memcmp(p, "GCOL\1\0\0", 8) != 0 || size < HEAD || size > w->s->size - begin)
        return snn_fail(err, SNN_ERR_DATA,
                        "byte %" PRIu64 ": there is no heap, where item %" PRIu32 " should be", begin,
                        item[0].item);
    *end = begin + size;
    while (*end - at >= HEAD) {
        p = look(w, at, err);
        if (p == NULL)
            return false;
        uint32_t index = (uint32_t)snn_little(p, 2);
        uint64_t bytes = snn_little(p + 8, 8);
        if (index == 0)
            break;
        at += HEAD;
        if (bytes > *end - at)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": heap object %" PRIu32 " reaches beyond its heap", at - HEAD,
                            index);
        if (!place_object(item, n, index, bytes, at, err))
            return false;
        uint64_t padded = (bytes + 7) & ~(uint64_t)7;
        at = padded < *end - at ? at + padded : *end;
    }
    for (size_t i = 0; i < n; i++)
        if (item[i].at == 0)
            return snn_fail(err, SNN_ERR_DATA,
                            "byte %" PRIu64 ": item %" PRIu32 " is not in its heap, object %" PRIu32, begin,
                            item[i].item, item[i].index);
    return true;
}

bool snn_heap_find(const snn_source *s, uint64_t base, snn_heap_item *item, size_t n, snn_error *err) {
    size_t used = 0;
    for (size_t i = 0; i < n; i++) { /* empty items to the end */
        item[i].at = 0;
        if (item[i].bytes == 0)
            continue;
        snn_heap_item swap = item[used];
        item[used++] = item[i];
        item[i] = swap;
    }
    if (used > 0)
        qsort(item, used, sizeof *item, by_place);
    window *w = snn_alloc(1, sizeof *w, "heap", err);
    if (w == NULL)
        return false;
    w->s = s;
    uint64_t end = 0;
    bool ok = true;
    for (size_t i = 0, next; ok && i < used; i = next) {
        for (next = i + 1; next < used && item[next].heap == item[i].heap;)
            next++;
        uint64_t begin;
        if (__builtin_add_overflow(base, item[i].heap, &begin) || begin < end)
            ok = snn_fail(err, SNN_ERR_DATA, "byte %" PRIu64 ": heaps overlap", begin);
        else
            ok = walk(w, begin, item + i, next - i, &end, err);
    }
    free(w);
    return ok;
}
