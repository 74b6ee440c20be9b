/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the SHD reader. The first byte picks: a binned recording; heaps of an HDF5 file, with the items that are looked for in front; times and units. */
#include "../../datasets/shd.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok)
        abort();
}

static void trace(const uint8_t *text, size_t size) {
    snn_events e = {.width = SNN_SHD_UNITS, .height = 1, .channels = 1};
    snn_error err = {0};
    int label = -1;
    bool has_class = snn_trace_class(text, size, &label, &err);
    bool ok = snn_trace_decode(text, size, &e, &err);
    check(ok ? has_class && label >= 0 && label < SNN_SHD_CLASSES
             : err.code == SNN_ERR_DATA && err.text[0] != '\0');
    for (size_t i = 0; ok && i < e.n; i++)
        check(e.event[i].x < SNN_SHD_UNITS && e.event[i].t >= 0 &&
              (i == 0 || e.event[i].t >= e.event[i - 1].t));
    snn_events_free(&e);
}

/* Number of items, base, then 6 bytes of each: heap in units of 8 bytes, size, object. The rest is the file. */
static void heaps(const uint8_t *data, size_t size) {
    enum { MOST = 16, ITEM = 6 };
    snn_heap_item item[MOST], given[MOST];
    snn_error err = {0};
    if (size < 2)
        return;
    size_t n = data[0] % (MOST + 1), at = 2;
    if (size - at < n * ITEM)
        return;
    for (size_t i = 0; i < n; i++, at += ITEM)
        given[i] = item[i] = (snn_heap_item){.heap = 8 * snn_little(data + at, 2),
                                             .bytes = snn_little(data + at + 2, 2),
                                             .index = (uint32_t)snn_little(data + at + 4, 2),
                                             .item = (uint32_t)i};
    snn_source s = {.memory = data + at, .size = size - at};
    if (!snn_heap_find(&s, data[1], item, n, &err)) {
        check(err.code == SNN_ERR_DATA);
        return;
    }
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        const snn_heap_item *g = &given[item[i].item];
        check(item[i].heap == g->heap && item[i].bytes == g->bytes && item[i].index == g->index);
        check(item[i].bytes == 0 ||
              (item[i].at >= 32 && item[i].at <= s.size && item[i].bytes <= s.size - item[i].at));
        seen |= 1u << item[i].item;
    }
    check(seen == (1u << n) - 1);
}

static void events(const uint8_t *data, size_t size) {
    static const unsigned widths[] = {1, 2, 4, 8};
    snn_events e = {.width = SNN_SHD_UNITS, .height = 1, .channels = 1};
    snn_error err = {0};
    if (size == 0)
        return;
    unsigned time_bytes = widths[1 + data[0] % 3], unit_bytes = widths[data[0] / 3 % 4];
    size_t n = (size - 1) / (time_bytes + unit_bytes);
    bool ok = snn_shd_decode(data + 1, time_bytes, data + 1 + n * time_bytes, unit_bytes, n, &e, &err);
    check(ok ? e.n == n : err.code == SNN_ERR_DATA);
    for (size_t i = 0; i < e.n; i++)
        check(e.event[i].x < SNN_SHD_UNITS && e.event[i].t >= 0 &&
              e.event[i].t <= (int64_t)SNN_SHD_SECONDS * 1000000);
    check(snn_events_order(&e, &err));
    for (size_t i = 1; i < e.n; i++)
        check(e.event[i].t >= e.event[i - 1].t);
    snn_events_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        trace(data + 1, size - 1);
        break;
    case 1:
        heaps(data + 1, size - 1);
        break;
    default:
        events(data + 1, size - 1);
    }
    return 0;
}
