/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framed samples kept in memory: a Monte Carlo run or a sweep sees the same ones again and again. */
#include <snnsim/chips.h>

#include <stdlib.h>
#include <string.h>

typedef struct {
    snn_spikes *x; /* NULL: not kept. Set once, atomically, by the thread that framed it first. */
    bool counted;  /* atomic: its events are in the sums */
} item;

struct snn_frames {
    const snn_dataset *data;
    size_t count, room; /* samples; bytes that may be kept */
    size_t kept;        /* bytes, atomic */
    item *item;         /* [count] */
    snn_frames_events events;
};

snn_frames *snn_frames_new(const snn_dataset *data, size_t limit, size_t bytes, snn_error *err) {
    snn_frames *f = snn_alloc(1, sizeof *f, "frames", err);
    if (!f)
        return NULL;
    f->data = data;
    f->count = snn_dataset_count(data);
    if (limit && limit < f->count)
        f->count = limit;
    f->room = bytes;
    f->item = snn_alloc(f->count, sizeof *f->item, "frames", err);
    if (!f->item) {
        free(f);
        return NULL;
    }
    return f;
}

static void free_spikes(snn_spikes *x) {
    if (x)
        snn_spikes_free(x);
    free(x);
}

void snn_frames_free(snn_frames *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        free_spikes(f->item[i].x);
    free(f->item);
    free(f);
}

const snn_dataset *snn_frames_data(const snn_frames *f) {
    return f->data;
}

size_t snn_frames_count(const snn_frames *f) {
    return f->count;
}

static size_t spikes_bytes(const snn_spikes *x) {
    return sizeof *x + ((size_t)x->steps + 1) * sizeof *x->first + x->first[x->steps] * sizeof *x->spike;
}

/* Keeps a copy of a framed sample when there is room. Memory that cannot be had is no error: the sample is framed again. */
static void keep(snn_frames *f, size_t i, const snn_spikes *x) {
    size_t bytes = spikes_bytes(x);
    if (__atomic_add_fetch(&f->kept, bytes, __ATOMIC_RELAXED) <= f->room) {
        snn_spikes *copy = calloc(1, sizeof *copy), *none = NULL;
        if (copy && snn_spikes_copy(copy, x, NULL) &&
            __atomic_compare_exchange_n(&f->item[i].x, &none, copy, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
        free_spikes(copy);
    }
    __atomic_sub_fetch(&f->kept, bytes, __ATOMIC_RELAXED);
}

static void count_events(snn_frames *f, size_t i, const snn_dataset_buffer *before,
                         const snn_dataset_buffer *after, const snn_spikes *x) {
    if (__atomic_exchange_n(&f->item[i].counted, true, __ATOMIC_RELAXED))
        return;
    snn_frames_events *e = &f->events;
    __atomic_add_fetch(&e->events, after->events_read - before->events_read, __ATOMIC_RELAXED);
    __atomic_add_fetch(&e->dropped, after->events_dropped - before->events_dropped, __ATOMIC_RELAXED);
    __atomic_add_fetch(&e->out_of_order, after->events_out_of_order - before->events_out_of_order,
                       __ATOMIC_RELAXED);
    __atomic_add_fetch(&e->empty_samples, x->first[x->steps] == 0, __ATOMIC_RELAXED);
}

bool snn_frames_get(snn_frames *f, size_t i, snn_dataset_buffer *buffer, snn_spikes *own,
                    const snn_spikes **x, snn_error *err) {
    *x = __atomic_load_n(&f->item[i].x, __ATOMIC_ACQUIRE);
    if (*x)
        return true;
    const snn_dataset_buffer before = *buffer;
    if (!snn_dataset_frames(f->data, i, buffer, own, err))
        return false;
    count_events(f, i, &before, buffer, own);
    keep(f, i, own);
    *x = own;
    return true;
}

void snn_frames_about(const snn_frames *f, snn_frames_events *out) {
    *out = f->events;
}
