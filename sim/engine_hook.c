/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: asks the hook about a step, and brings its answer, sparse errors or whole sums, into the sums of each line of outputs. */
#include "engine_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what it costs in memory ---- */

/* C order index of each position of a plane (linear layers) or of its first real line (convolutions, whose lines differ by the width alone). */
static bool index_input(snn_stage *s, snn_error *err) {
    const snn_plane *g = &s->source;
    const bool linear = s->type == SNN_LAYER_LINEAR;
    const size_t line = (size_t)g->width * g->pitch;
    s->input_index = snn_alloc(linear ? g->bytes : line, sizeof *s->input_index, "hook", err);
    if (!s->input_index)
        return false;
    const uint32_t area = g->shape.height * g->shape.width;
    for (uint32_t y = 0; y < (linear ? g->shape.height : 1); y++)
        for (uint32_t x = 0; x < g->shape.width; x++)
            for (uint32_t c = 0; c < g->shape.channels; c++)
                s->input_index[y * line + (size_t)(x + g->border) * g->pitch + c] =
                    c * area + y * g->shape.width + x;
    return true;
}

bool snn_stage_hook(snn_stage *s, const snn_hook *hook, snn_error *err) {
    if (s->tensor < 0 || (hook->silent && hook->silent[s->tensor]))
        return true;
    s->read = hook->read != NULL;
    s->analogue = hook->sums != NULL;
    return (!s->read && !s->analogue) || s->from_input || index_input(s, err);
}

bool snn_workspace_hook(snn_workspace *w, snn_error *err) {
    const snn_engine *e = w->engine;
    size_t lines = 0, outputs = 0;
    for (int i = 0; i < e->stages; i++) {
        const snn_stage *s = &e->stage[i];
        if (s->read && s->out.height > lines)
            lines = s->out.height;
        if (s->fine && snn_shape_size(s->out) > outputs)
            outputs = snn_shape_size(s->out);
    }
    return (!e->hook.scratch_bytes || (w->hook_scratch = snn_alloc(e->hook.scratch_bytes, 1, "hook", err))) &&
           (!lines || (w->line_first = snn_alloc(lines + 1, sizeof *w->line_first, "hook", err))) &&
           (!outputs || (w->fine = snn_alloc(outputs, sizeof *w->fine, "hook", err)));
}

void snn_workspace_unhook(snn_workspace *w) {
    free(w->hook_scratch);
    free(w->errors.item);
    free(w->line_first);
    free(w->line_error);
    free(w->fine);
}

/* ---- what the layer reads ---- */

/* Positions in a line (or a plane with one line's index) that starts at `from`. */
static void put_spikes(const snn_stage *s, const uint32_t *entry, size_t n, uint32_t first_index,
                       const uint8_t *from, snn_spike *to) {
    const uint32_t *index = s->input_index;
    if (s->source.largest == 1)
        for (size_t i = 0; i < n; i++)
            to[i] = (snn_spike){index[entry[i]] + first_index, 1};
    else
        for (size_t i = 0; i < n; i++)
            to[i] = (snn_spike){index[entry[i]] + first_index, from[entry[i]]};
}

bool snn_hook_input(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, bool listed,
                    snn_workspace *w, const snn_spike **spike, size_t *n, snn_error *err) {
    const snn_plane *g = &s->source;
    const snn_step_list *l = &w->list;
    const size_t line = (size_t)g->width * g->pitch;
    /* As many as there can be: lines whose length is not known before they are listed append without a check. */
    if (!snn_grow((void **)&w->ordered, &w->ordered_capacity, listed ? l->n + 1 : g->bytes,
                  sizeof *w->ordered, err))
        return false;
    *spike = w->ordered;
    *n = 0;
    if (listed && s->type == SNN_LAYER_LINEAR) {
        put_spikes(s, l->entry, l->n, 0, plane, w->ordered);
        *n = l->n;
        return true;
    }
    for (uint32_t y = 0; y < g->shape.height; y++) { /* the border is silent */
        const uint8_t *from = plane + (y + g->border) * line;
        const uint32_t *entry = w->scratch;
        size_t found;
        if (listed) {
            const uint32_t *first = l->first + (size_t)(y + g->border) * g->width;
            entry = l->entry + first[0];
            found = first[g->width] - first[0];
        } else {
            found = k->list_nonzero(from, line, 0, w->scratch);
        }
        put_spikes(s, entry, found, y * g->shape.width, from, w->ordered + *n);
        *n += found;
    }
    return true;
}

/* ---- sparse errors ---- */

static const char *layer_name(const snn_stage *s, const snn_workspace *w) {
    return w->engine->net->layer[s->layer].name;
}

static bool check_error(const snn_stage *s, const snn_sum_error *x, const snn_workspace *w, snn_error *err) {
    const uint32_t pixels = s->out.height * s->out.width;
    return (x->channel < s->out.channels && x->pixel < pixels) ||
           snn_fail(err, SNN_ERR_RUNTIME,
                    "a read error names channel %u of pixel %u of layer %s, which has %u channels of "
                    "%u pixels",
                    x->channel, x->pixel, layer_name(s, w), s->out.channels, pixels);
}

/* pixel / width without a division: half a pixel keeps the quotient away from the integers, where rounding could cross one. */
static inline uint32_t line_of(uint32_t pixel, double lines_per_pixel) {
    return (uint32_t)(int32_t)(((double)pixel + 0.5) * lines_per_pixel);
}

/* Checks the errors and sorts them by output line (layers of one line take them as they come). */
static bool sort_errors(const snn_stage *s, snn_workspace *w, snn_error *err) {
    const snn_sum_error *item = w->errors.item;
    const size_t n = w->errors.n;
    const uint32_t lines = s->out.height, width = s->out.width;
    const double lines_per_pixel = 1.0 / width;
    size_t *first = w->line_first;
    if (!snn_grow((void **)&w->line_error, &w->line_error_capacity, n, sizeof *w->line_error, err))
        return false;
    memset(first, 0, (lines + 1) * sizeof *first);
    for (size_t i = 0; i < n; i++) {
        if (!check_error(s, &item[i], w, err))
            return false;
        first[line_of(item[i].pixel, lines_per_pixel) + 1]++;
    }
    for (uint32_t y = 0; y < lines; y++)
        first[y + 1] += first[y];
    /* Filling moves each line's start to its end; shifted back afterwards. */
    for (size_t i = 0; i < n; i++) {
        const uint32_t y = line_of(item[i].pixel, lines_per_pixel);
        w->line_error[first[y]++] =
            (snn_line_error){(item[i].pixel - y * width) * s->outputs + item[i].channel, item[i].dsum};
    }
    memmove(first + 1, first, lines * sizeof *first);
    first[0] = 0;
    return true;
}

static inline bool add_error(int32_t *to, int32_t dsum, int32_t limit) {
    const int64_t sum = (int64_t)*to + dsum;
    *to = (int32_t)sum;
    return sum <= limit && sum >= -(int64_t)limit;
}

static bool refuse_sum(const snn_stage *s, const snn_workspace *w, snn_error *err) {
    return snn_fail(err, SNN_ERR_RUNTIME, "read errors drive a synaptic sum of layer %s beyond %d",
                    layer_name(s, w), w->engine->sum_limit);
}

/* A single line takes the errors as they come. */
static bool correct_only_line(const snn_stage *s, snn_workspace *w, snn_error *err) {
    const snn_sum_error *item = w->errors.item;
    for (size_t i = 0; i < w->errors.n; i++) {
        if (!check_error(s, &item[i], w, err))
            return false;
        if (!add_error(&w->sum[item[i].pixel * s->outputs + item[i].channel], item[i].dsum,
                       w->engine->sum_limit))
            return refuse_sum(s, w, err);
    }
    return true;
}

bool snn_hook_correct_line(const snn_stage *s, uint32_t y, snn_workspace *w, snn_error *err) {
    if (w->errors.n == 0)
        return true;
    if (s->out.height == 1)
        return correct_only_line(s, w, err);
    for (size_t i = w->line_first[y]; i < w->line_first[y + 1]; i++)
        if (!add_error(&w->sum[w->line_error[i].at], w->line_error[i].dsum, w->engine->sum_limit))
            return refuse_sum(s, w, err);
    return true;
}

/* ---- whole sums ---- */

bool snn_hook_sum_line(const snn_stage *s, uint32_t y, snn_workspace *w, snn_error *err) {
    const int32_t limit = w->engine->fine_limit;
    const uint32_t channels = s->out.channels;
    const int32_t *from = w->fine + (size_t)y * s->out.width * channels;
    int32_t *to = w->sum, beyond = 0;
    for (uint32_t x = 0; x < s->out.width; x++, from += channels, to += s->outputs) {
        for (uint32_t c = 0; c < channels; c++) {
            beyond |= (from[c] > limit) | (from[c] < -limit);
            to[c] = from[c];
        }
        memset(to + channels, 0, (s->outputs - channels) * sizeof *to);
    }
    return !beyond || snn_fail(err, SNN_ERR_RUNTIME,
                               "analogue read-out drives a synaptic sum of layer %s beyond %d / 64",
                               layer_name(s, w), limit);
}

/* ---- the call ---- */

bool snn_hook_ask(const snn_stage *s, uint64_t sample, int step, const snn_spike *spike, size_t n,
                  snn_workspace *w, snn_error *err) {
    const snn_hook *hook = &w->engine->hook;
    if (s->analogue) {
        memset(w->fine, 0, (size_t)snn_shape_size(s->out) * sizeof *w->fine);
        return hook->sums(hook->context, w->hook_scratch, s->tensor, sample, step, spike, n, w->fine, err);
    }
    w->errors.n = 0;
    return hook->read(hook->context, w->hook_scratch, s->tensor, sample, step, spike, n, &w->errors, err) &&
           (w->errors.n == 0 || s->out.height == 1 || sort_errors(s, w, err));
}
