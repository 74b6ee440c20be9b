/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Data augmentation on spike lists. Everything is drawn from one random stream per (epoch, sample): first the geometry and the share of dropped events,
 * then, event by event in the order of the list, what happens to it. Same bits on every machine.
 */
#include "augment.h"

#include <snnsim/train.h>

#include <snnsim/portable_math.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GONE UINT32_MAX
#define PI 3.14159265358979323846

/* Integral of the standard normal density from 0 to z >= 0 by Simpson's rule; error below 1e-9. */
static double normal_integral(double z) {
    int n = 2 * (int)ceil(z * 32) + 2;
    double h = z / n, sum = 1 + snn_exp(-z * z / 2);
    for (int i = 1; i < n; i++)
        sum += (i % 2 ? 4 : 2) * snn_exp(-(i * h) * (i * h) / 2);
    return sum * h / 3 / sqrt(2 * PI);
}

/* Cumulative probabilities of a normal number rounded to whole steps: P(move <= k) = Phi((k + 1/2) / sigma). Beyond 8 sigma there is nothing. */
static void tabulate_jitter(augment *a) {
    double reach = ceil(8 * a->time_jitter);
    a->reach = reach > AUGMENT_JITTER_MAX ? AUGMENT_JITTER_MAX : (int)reach;
    for (int k = 0; k < a->reach; k++) {
        double z = (k + 0.5) / a->time_jitter, upper = 0.5 + normal_integral(z > 8.5 ? 8.5 : z);
        a->jitter[a->reach + k] = upper >= 1 ? UINT32_MAX : (uint32_t)(upper * 4294967296.0);
        a->jitter[a->reach - 1 - k] = UINT32_MAX - a->jitter[a->reach + k];
    }
    a->jitter[2 * a->reach] = UINT32_MAX;
}

void snn_augment_init(augment *a, snn_shape shape, int shift, double drop, double rotate, double zoom,
                      double time_jitter) {
    *a = (augment){.shape = shape,
                   .shift = shift,
                   .drop = drop,
                   .rotate = rotate,
                   .zoom = zoom,
                   .time_jitter = time_jitter};
    if (time_jitter > 0)
        tabulate_jitter(a);
}

bool snn_augment_active(const augment *a) {
    return a->shift > 0 || a->drop > 0 || a->rotate > 0 || a->zoom > 0 || a->time_jitter > 0;
}

void snn_augment_scratch_free(augment_scratch *s) {
    free(s->target);
    free(s->key);
    free(s->list);
    memset(s, 0, sizeof *s);
}

/* Uniform in -range .. range. */
static double uniform_within(snn_random *r, double range) {
    return (2 * snn_random_uniform(r) - 1) * range;
}

/* Where every pixel of the frame goes. A single line of pixels (the channels of a cochlea) moves along itself; a single pixel stays. */
static bool map_pixels(const augment *a, snn_random *r, augment_scratch *s, snn_error *err) {
    int w = (int)a->shape.width, h = (int)a->shape.height;
    if (!snn_grow((void **)&s->target, &s->target_capacity, (size_t)w * (size_t)h, sizeof *s->target, err))
        return false;
    double dx = 0, dy = 0;
    if (a->shift > 0) {
        dx = w > 1 ? (double)snn_random_below(r, 2 * (uint32_t)a->shift + 1) - a->shift : 0;
        dy = h > 1 ? (double)snn_random_below(r, 2 * (uint32_t)a->shift + 1) - a->shift : 0;
    }
    double angle = a->rotate > 0 && w > 1 && h > 1 ? uniform_within(r, a->rotate) * PI / 180 : 0;
    double scale = a->zoom > 0 ? 1 + uniform_within(r, a->zoom) : 1;
    double cosine = scale * snn_cos(angle), sine = scale * snn_sin(angle);
    double cx = (w - 1) / 2.0, cy = (h - 1) / 2.0;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double tx = floor(cx + cosine * (x - cx) - sine * (y - cy) + dx + 0.5);
            double ty = floor(cy + sine * (x - cx) + cosine * (y - cy) + dy + 0.5);
            bool inside = tx >= 0 && tx < w && ty >= 0 && ty < h;
            s->target[y * w + x] = inside ? (uint32_t)ty * (uint32_t)w + (uint32_t)tx : GONE;
        }
    return true;
}

/* Step that an event of step t moves to. */
static int jittered(const augment *a, snn_random *r, int t, int steps) {
    uint32_t u = snn_random_u32(r);
    int k = a->reach; /* most do not move far: search from the middle */
    while (k > 0 && u < a->jitter[k - 1])
        k--;
    while (k < 2 * a->reach && u >= a->jitter[k])
        k++;
    t += k - a->reach;
    return t < 0 ? 0 : t >= steps ? steps - 1 : t;
}

/* How many of `count` events stay when each is dropped with probability threshold / 2^32. */
static uint32_t thinned(snn_random *r, uint32_t count, uint64_t threshold) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++)
        left += snn_random_u32(r) >= threshold;
    return left;
}

/* Shift and drop only: the order of the list does not change. */
static bool apply_in_order(const augment *a, const snn_spikes *x, snn_random *r, uint64_t threshold,
                           augment_scratch *s, snn_spikes *y, snn_error *err) {
    uint32_t pixels = a->shape.height * a->shape.width;
    for (int t = 0; t < x->steps; t++) {
        size_t n = 0, here = x->first[t + 1] - x->first[t];
        if (!snn_grow((void **)&s->list, &s->list_capacity, here, sizeof *s->list, err))
            return false;
        for (size_t i = x->first[t]; i < x->first[t + 1]; i++) {
            snn_spike e = x->spike[i];
            uint32_t channel = e.index / pixels, to = s->target[e.index % pixels];
            if (threshold > 0)
                e.count = thinned(r, e.count, threshold);
            s->list[n] = (snn_spike){channel * pixels + to, e.count};
            n += to != GONE && e.count > 0;
        }
        if (!snn_spikes_append(y, t, s->list, n, err))
            return false;
    }
    return true;
}

/* Anything: events one by one, then sorted again. */
static bool apply_by_keys(const augment *a, const snn_spikes *x, snn_random *r, uint64_t threshold,
                          augment_scratch *s, snn_spikes *y, snn_error *err) {
    uint32_t pixels = a->shape.height * a->shape.width;
    if (!snn_grow((void **)&s->key, &s->key_capacity, snn_spikes_total(x), sizeof *s->key, err))
        return false;
    size_t n = 0;
    for (int t = 0; t < x->steps; t++)
        for (size_t i = x->first[t]; i < x->first[t + 1]; i++) {
            uint32_t index = x->spike[i].index, to = s->target[index % pixels], count = x->spike[i].count;
            if (threshold > 0)
                count = thinned(r, count, threshold);
            for (uint32_t k = 0; k < count; k++) {
                int step = a->time_jitter > 0 ? jittered(a, r, t, x->steps) : t;
                s->key[n] = (uint64_t)step << 32 | (index - index % pixels + to);
                n += to != GONE;
            }
        }
    return snn_spikes_from_keys(y, x->size, x->steps, s->key, n, err);
}

bool snn_augment_apply(const augment *a, const snn_spikes *x, snn_random *r, augment_scratch *s,
                       snn_spikes *y, snn_error *err) {
    if (!map_pixels(a, r, s, err) || !snn_spikes_reset(y, x->size, x->steps, err))
        return false;
    uint64_t threshold = 0;
    if (a->drop > 0)
        threshold = (uint64_t)(snn_random_uniform(r) * a->drop * 4294967296.0);
    if (a->rotate > 0 || a->zoom > 0 || a->time_jitter > 0)
        return apply_by_keys(a, x, r, threshold, s, y, err);
    return apply_in_order(a, x, r, threshold, s, y, err);
}

/* ---- for others than training ---- */

static void init_from(augment *a, const snn_train_options *o, snn_shape shape) {
    snn_augment_init(a, shape, o->shift, o->drop, o->rotate, o->zoom, o->time_jitter);
}

bool snn_train_augments(const snn_train_options *o) {
    augment a;
    init_from(&a, o, (snn_shape){1, 1, 1});
    return snn_augment_active(&a);
}

bool snn_train_augment(const snn_train_options *o, snn_shape shape, const snn_spikes *x, uint64_t seed,
                       uint64_t number, snn_spikes *y, snn_error *err) {
    augment a;
    augment_scratch scratch = {0};
    snn_random r;
    init_from(&a, o, shape);
    snn_random_init(&r, seed, SNN_PURPOSE_VARIANT, number);
    const bool ok = snn_augment_apply(&a, x, &r, &scratch, y, err);
    snn_augment_scratch_free(&scratch);
    return ok;
}
