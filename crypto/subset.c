/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encryption subset: the few training samples that a bit search works with, as many of each class. */
#include <snnsim/encrypt.h>
#include <snnsim/random.h>

#include <stdlib.h>
#include <string.h>

/* Draws n of the numbers item [count] in place: they come to stand first. */
static void draw(size_t *item, size_t count, size_t n, uint64_t seed, uint64_t index) {
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_SUBSET, index);
    for (size_t i = 0; i < n; i++) {
        size_t k = i + snn_random_below(&r, (uint32_t)(count - i)), kept = item[i];
        item[i] = item[k];
        item[k] = kept;
    }
}

static int compare(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* The numbers of the samples of class c (-1: all) into item; returns how many. */
static size_t members(const snn_dataset *data, int c, size_t *item) {
    size_t n = 0, count = snn_dataset_count(data);
    for (size_t i = 0; i < count; i++)
        if (c < 0 || snn_dataset_label(data, i) == c)
            item[n++] = i;
    return n;
}

static bool draw_class(snn_subset *s, const snn_dataset *data, int c, uint32_t wanted, uint64_t seed,
                       size_t *item, snn_error *err) {
    const snn_dataset_info *about = snn_dataset_about(data);
    size_t n = members(data, c, item);
    if (n < wanted)
        return snn_fail(err, SNN_ERR_DATA,
                        "class %s has only %zu training sample%s, but encrypt.samples asks for %u of each",
                        about->class_name[c], n, n == 1 ? "" : "s", wanted);
    draw(item, n, wanted, seed, (uint64_t)c);
    memcpy(s->index + s->n, item, wanted * sizeof *item);
    s->n += wanted;
    return true;
}

static bool draw_any(snn_subset *s, const snn_dataset *data, uint32_t wanted, uint64_t seed, size_t *item,
                     snn_error *err) {
    size_t n = members(data, -1, item);
    if (n < wanted)
        return snn_fail(err, SNN_ERR_DATA,
                        "there are only %zu training samples, but encrypt.random_samples asks for %u", n,
                        wanted);
    draw(item, n, wanted, seed, (uint64_t)snn_dataset_about(data)->classes);
    memcpy(s->index, item, wanted * sizeof *item);
    s->n = wanted;
    return true;
}

static bool choose(snn_subset *s, const snn_dataset *data, uint32_t per_class, uint32_t random_samples,
                   uint64_t seed, size_t *item, snn_error *err) {
    int classes = snn_dataset_about(data)->classes;
    if (random_samples)
        return draw_any(s, data, random_samples, seed, item, err);
    for (int c = 0; c < classes; c++)
        if (!draw_class(s, data, c, per_class, seed, item, err))
            return false;
    return true;
}

/* Reads and frames what was chosen. */
static bool frame(snn_subset *s, const snn_dataset *data, snn_error *err) {
    snn_dataset_buffer buffer = {0};
    bool ok = (s->label = snn_alloc(s->n, sizeof *s->label, "labels", err)) &&
              (s->sample = snn_alloc(s->n, sizeof *s->sample, "encryption subset", err));
    for (size_t i = 0; ok && i < s->n; i++) {
        s->label[i] = snn_dataset_label(data, s->index[i]);
        ok = snn_dataset_frames(data, s->index[i], &buffer, &s->sample[i], err);
    }
    snn_dataset_buffer_free(&buffer);
    return ok;
}

bool snn_subset_draw(snn_subset *s, const snn_dataset *training, uint32_t per_class, uint32_t random_samples,
                     uint64_t seed, snn_error *err) {
    *s = (snn_subset){0};
    size_t count = snn_dataset_count(training);
    if (count > UINT32_MAX)
        return snn_fail(err, SNN_ERR_DATA, "the training part has more than %u samples", UINT32_MAX);
    size_t *item = snn_alloc(count, sizeof *item, "numbers of samples", err);
    s->index = snn_alloc(count, sizeof *s->index, "numbers of samples", err);
    bool ok = item && s->index && choose(s, training, per_class, random_samples, seed, item, err);
    free(item);
    if (ok) {
        qsort(s->index, s->n, sizeof *s->index, compare);
        ok = frame(s, training, err);
    }
    s->drawn = s->n;
    if (!ok)
        snn_subset_free(s);
    return ok;
}

bool snn_subset_vary(snn_subset *s, snn_shape shape, const snn_train_options *o, uint32_t variants,
                     uint64_t seed, snn_error *err) {
    if (variants == 0 || !snn_train_augments(o))
        return true;
    const size_t all = s->drawn * ((size_t)variants + 1);
    if (all > UINT32_MAX)
        return snn_fail(err, SNN_ERR_USAGE, "%u variants of %zu samples are too many", variants, s->drawn);
    size_t capacity = s->n;
    if (!snn_grow((void **)&s->sample, &capacity, all, sizeof *s->sample, err))
        return false;
    capacity = s->n; /* of the labels, which are a list of their own */
    if (!snn_grow((void **)&s->label, &capacity, all, sizeof *s->label, err))
        return false;
    for (; s->n < all; s->n++) {
        const size_t from = s->n % s->drawn;
        s->sample[s->n] = (snn_spikes){0};
        s->label[s->n] = s->label[from];
        /* Numbered by recording, so that more variants do not change the others. */
        const uint64_t number = (uint64_t)s->index[from] << 32 | s->n / s->drawn;
        if (!snn_train_augment(o, shape, &s->sample[from], seed, number, &s->sample[s->n], err)) {
            snn_spikes_free(&s->sample[s->n]);
            return false;
        }
    }
    return true;
}

void snn_subset_free(snn_subset *s) {
    for (size_t i = 0; s->sample && i < s->n; i++)
        snn_spikes_free(&s->sample[i]);
    free(s->sample);
    free(s->label);
    free(s->index);
    *s = (snn_subset){0};
}
