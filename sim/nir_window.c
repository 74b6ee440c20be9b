/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Windows of NIR's convolutions. snnsim's conv2d has a square kernel with the same stride and padding in both directions, and every input channel. Other kernels are laid
 * into a square of zeros: rectangular ones (Conv1d is a row), dilated ones (zeros between the taps) and groups (zeros for the other channels). Zeros change no sum. It
 * works where the square yields the same number of outputs: 2 * padding - extent must be the same in both directions.
 */
#include "net_build.h"
#include "nir_tree.h"

#include <string.h>

/* Number i of a field that holds one number, or two (y, x). */
static bool pair(const nir_stage *s, const char *name, int64_t otherwise, int i, int64_t *out,
                 const char *path, snn_error *err) {
    const nir_field *f = snn_nir_find(s->node, name);
    *out = otherwise;
    if (f == NULL)
        return true;
    if (f->kind == NIR_TEXT || f->kind == NIR_FLOAT || f->count < 1 || f->count > 2)
        return snn_nir_fail(s, path, err, "%s is neither one integer nor two", name);
    *out = f->integer[f->count == 2 ? i : 0];
    return (*out >= 0 && *out <= SNN_WINDOW_MAX) ||
           snn_nir_fail(s, path, err, "%s is %lld, expected 0 to %u", name, (long long)*out, SNN_WINDOW_MAX);
}

/* One direction (0: y, 1: x) of a window. */
typedef struct {
    int64_t taps, stride, padding, dilation, extent;
} direction;

/* Padding as a word: 'valid' is none, 'same' keeps the size. */
static bool named_padding(const nir_stage *s, const char *word, direction *d, const char *path,
                          snn_error *err) {
    d->padding = 0;
    if (strcmp(word, "valid") == 0)
        return true;
    if (strcmp(word, "same") != 0)
        return snn_nir_fail(s, path, err, "padding is '%.40s', expected numbers, 'same' or 'valid'", word);
    if (d->stride != 1 || (d->extent - 1) % 2 != 0)
        return snn_nir_fail(
            s, path, err,
            "padding 'same' needs stride 1 and a kernel of odd extent: otherwise it is not the same on "
            "both sides");
    d->padding = (d->extent - 1) / 2;
    return true;
}

static bool read_direction(const nir_stage *s, int i, int64_t taps, direction *d, const char *path,
                           snn_error *err) {
    const nir_field *padding = snn_nir_find(s->node, "padding");
    d->taps = taps;
    if (!pair(s, "stride", 1, i, &d->stride, path, err) ||
        !pair(s, "dilation", 1, i, &d->dilation, path, err))
        return false;
    if (taps < 1 || taps > SNN_WINDOW_MAX || d->stride < 1 || d->dilation < 1)
        return snn_nir_fail(s, path, err,
                            "a kernel of %lld taps, stride %lld and dilation %lld: expected 1 to %u of each",
                            (long long)taps, (long long)d->stride, (long long)d->dilation, SNN_WINDOW_MAX);
    d->extent = d->dilation * (taps - 1) + 1;
    if (padding != NULL && padding->kind == NIR_TEXT)
        return named_padding(s, padding->text, d, path, err);
    return pair(s, "padding", 0, i, &d->padding, path, err);
}

static bool check_input_shape(const nir_stage *s, snn_shape in, bool flat, const char *path, snn_error *err) {
    const nir_field *f = snn_nir_find(s->node, "input_shape");
    const int64_t size[] = {in.height, in.width};
    if (f == NULL || f->kind == NIR_TEXT || f->kind == NIR_FLOAT)
        return true;
    const bool fits = flat ? f->count == 1 && f->integer[0] == size[1]
                           : f->count == 2 && f->integer[0] == size[0] && f->integer[1] == size[1];
    return fits ||
           snn_nir_fail(s, path, err, "input_shape does not fit what comes in, %u x %u", in.height, in.width);
}

static bool check_channels(nir_window *w, const nir_stage *s, const nir_field *weight, snn_shape in,
                           const char *path, snn_error *err) {
    int64_t groups;
    if (!pair(s, "groups", 1, 0, &groups, path, err))
        return false;
    if (groups < 1 || weight->shape[0] % (uint64_t)groups != 0 ||
        weight->shape[1] * (uint64_t)groups != in.channels || weight->shape[0] < 1 ||
        weight->shape[0] > SNN_NEURONS_MAX)
        return snn_nir_fail(
            s, path, err, "weights for %llu channels in %lld groups do not fit the %u channels that come in",
            (unsigned long long)weight->shape[1], (long long)groups, in.channels);
    w->groups = (uint32_t)groups;
    w->outputs = (uint32_t)weight->shape[0];
    w->inputs = in.channels;
    return true;
}

/* The square that stands for both directions. */
static bool make_square(nir_window *w, const nir_stage *s, const direction d[2], const char *path,
                        snn_error *err) {
    const int64_t kernel = d[0].extent > d[1].extent ? d[0].extent : d[1].extent,
                  excess = 2 * d[1].padding - d[1].extent;
    if (d[0].stride != d[1].stride || 2 * d[0].padding - d[0].extent != excess)
        return snn_nir_fail(
            s, path, err,
            "a window of %lld x %lld, stride %lld x %lld and padding %lld x %lld (y, x) has no square that "
            "does the same",
            (long long)d[0].extent, (long long)d[1].extent, (long long)d[0].stride, (long long)d[1].stride,
            (long long)d[0].padding, (long long)d[1].padding);
    if (kernel > SNN_WINDOW_MAX)
        return snn_nir_fail(s, path, err, "a window of %lld x %lld, expected at most %u",
                            (long long)d[0].extent, (long long)d[1].extent, SNN_WINDOW_MAX);
    w->kernel = (uint32_t)kernel;
    w->stride = (uint32_t)d[0].stride;
    w->padding = (uint32_t)((kernel + excess) / 2);
    for (int i = 0; i < 2; i++) {
        w->taps[i] = (uint32_t)d[i].taps;
        w->dilation[i] = (uint32_t)d[i].dilation;
        w->offset[i] = (uint32_t)((kernel - d[i].extent) / 2);
    }
    return true;
}

bool snn_nir_window_of(nir_window *w, const nir_stage *s, snn_shape in, const char *path, snn_error *err) {
    const bool row = strcmp(s->node->type, "Conv1d") == 0;
    const nir_field *weight = snn_nir_find(s->node, "weight");
    direction d[2] = {{0}};
    *w = (nir_window){0};
    if (weight == NULL || weight->kind == NIR_TEXT || weight->dims != (row ? 3 : 4))
        return snn_nir_fail(s, path, err, "has no weights in %d dimensions", row ? 3 : 4);
    if (row && in.height != 1)
        return snn_nir_fail(s, path, err, "is one-dimensional, but images of %u x %u come in", in.height,
                            in.width);
    if (!check_channels(w, s, weight, in, path, err) || !check_input_shape(s, in, row, path, err) ||
        !read_direction(s, 1, (int64_t)(weight->shape[row ? 2 : 3]), &d[1], path, err))
        return false;
    if (row)
        d[0] = (direction){.taps = 1, .stride = d[1].stride, .dilation = 1, .extent = 1};
    else if (!read_direction(s, 0, (int64_t)(weight->shape[2]), &d[0], path, err))
        return false;
    return make_square(w, s, d, path, err);
}

uint64_t snn_nir_window_index(const nir_window *w, uint64_t i) {
    const uint64_t x = i % w->taps[1], y = i / w->taps[1] % w->taps[0], plane = i / w->taps[1] / w->taps[0];
    const uint64_t per_group = w->inputs / w->groups, c = plane % per_group, o = plane / per_group;
    const uint64_t input = o / (w->outputs / w->groups) * per_group + c;
    return ((o * w->inputs + input) * w->kernel + w->offset[0] + y * w->dilation[0]) * w->kernel +
           w->offset[1] + x * w->dilation[1];
}
