/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event lists: growing, and bringing events that run back in time into order. */
#include <snnsim/events.h>

#include <stdlib.h>
#include <string.h>

void snn_events_free(snn_events *e) {
    free(e->event);
    *e = (snn_events){0};
}

bool snn_events_append(snn_events *e, snn_event event, snn_error *err) {
    if (e->n == e->capacity && !snn_grow((void **)&e->event, &e->capacity, e->n + 1, sizeof *e->event, err))
        return false;
    e->event[e->n++] = event;
    return true;
}

/* Merges the sorted runs a[lo..mid) and a[mid..hi) into out[lo..hi); of equal times the left one comes first. */
static void merge(const snn_event *a, size_t lo, size_t mid, size_t hi, snn_event *out) {
    size_t l = lo, r = mid;
    for (size_t k = lo; k < hi; k++) {
        bool left = r == hi || (l < mid && a[l].t <= a[r].t);
        out[k] = left ? a[l++] : a[r++];
    }
}

/* Natural merge sort: run[0..runs] are the borders of the ascending runs. Stable, O(n log runs). */
static bool merge_runs(snn_events *e, size_t *run, size_t runs, snn_error *err) {
    snn_event *from = e->event;
    snn_event *to = snn_alloc(e->n, sizeof *to, "sorted events", err);
    if (to == NULL)
        return false;
    snn_event *spare = to;
    while (runs > 1) {
        size_t kept = 0;
        for (size_t k = 0; k < runs; k += 2) {
            size_t lo = run[k];
            size_t mid = run[k + 1];
            size_t hi = k + 2 <= runs ? run[k + 2] : mid;
            merge(from, lo, mid, hi, to);
            run[kept++] = lo;
        }
        run[kept] = e->n;
        runs = kept;
        snn_event *swap = from;
        from = to;
        to = swap;
    }
    if (from != e->event)
        memcpy(e->event, from, e->n * sizeof *from);
    free(spare);
    return true;
}

/* Counts the events that run back in time into e->out_of_order. */
static size_t count_back(snn_events *e) {
    const snn_event *v = e->event;
    size_t back = 0;
    for (size_t i = 1; i < e->n; i++)
        back += v[i].t < v[i - 1].t;
    return e->out_of_order = back;
}

bool snn_events_sort(snn_events *e, const char *where, snn_error *err) {
    const snn_event *v = e->event;
    size_t back = count_back(e);
    if (back > e->n / 100) { /* the same as back * 100 > n for whole numbers */
        size_t i = 1;
        while (v[i].t >= v[i - 1].t)
            i++;
        return snn_fail(err, SNN_ERR_DATA,
                        "%s%sevent %zu has time %lld us after %lld us; %zu of %zu events run back in time, "
                        "more than the 1 %% that is put in order",
                        where ? where : "", where ? ": " : "", i, (long long)v[i].t, (long long)v[i - 1].t,
                        back, e->n);
    }
    return snn_events_order(e, err);
}

bool snn_events_order(snn_events *e, snn_error *err) {
    const snn_event *v = e->event;
    size_t back = count_back(e);
    if (back == 0)
        return true;
    size_t *run = snn_alloc(back + 2, sizeof *run, "runs of events", err);
    if (run == NULL)
        return false;
    size_t runs = 1; /* run[0] = 0 */
    for (size_t i = 1; i < e->n; i++)
        if (v[i].t < v[i - 1].t)
            run[runs++] = i;
    run[runs] = e->n;
    bool ok = merge_runs(e, run, runs, err);
    free(run);
    return ok;
}
