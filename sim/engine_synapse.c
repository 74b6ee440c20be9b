/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: synaptic sums of one line of outputs, from spike lists or by dense multiplication. */
#include "engine_internal.h"

#include <string.h>

/* 16-bit codes (imported networks): as the plain row sums, with wider rows. */
static void sum_rows16(const snn_row_sum *r, bool counted, int32_t *sum) {
    memset(sum, 0, r->outputs * sizeof *sum);
    for (int s = 0; s < r->segments; s++) {
        const snn_segment *g = &r->segment[s];
        for (size_t i = 0; i < g->n; i++) {
            const uint32_t entry = counted ? g->count[i].index : g->entry[i];
            const int32_t count = counted ? (int32_t)g->count[i].count : 1;
            const int16_t *row = (const int16_t *)(const void *)(g->base + (size_t)entry * r->stride);
            for (uint32_t j = 0; j < r->outputs; j++)
                sum[j] += row[j] * count;
        }
    }
}

static void sum_segments(const snn_engine *e, const snn_stage *s, const snn_step_list *l,
                         const snn_segment *segment, int segments, int32_t *sum) {
    const snn_row_sum r = {segment, segments, s->row_bytes, s->outputs, s->magnitude};
    if (segments == 0)
        memset(sum, 0, s->outputs * sizeof *sum);
    else if (s->code_type == SNN_CODE_16)
        sum_rows16(&r, l->counted, sum);
    else if (l->counted)
        e->kernels->sum_counts(&r, sum);
    else
        e->kernels->sum_spikes(&r, sum);
}

/* List entries [first, end), whose rows start at base. */
static snn_segment make_segment(const snn_step_list *l, size_t first, size_t end, const int8_t *base) {
    if (l->counted)
        return (snn_segment){.count = l->counts + first, .n = end - first, .base = base};
    return (snn_segment){.entry = l->entry + first, .n = end - first, .base = base};
}

void snn_sum_line_list(const snn_engine *e, const snn_stage *s, const snn_step_list *l, uint32_t y,
                       snn_workspace *w) {
    const int8_t *rows = s->code_type == SNN_CODE_16 ? (const int8_t *)s->rows16 : s->rows;
    if (s->type == SNN_LAYER_LINEAR) {
        w->segment[0] = make_segment(l, 0, l->n, rows);
        sum_segments(e, s, l, w->segment, 1, w->sum);
        return;
    }
    const ptrdiff_t pixel_rows = (ptrdiff_t)(s->source.pitch * s->row_bytes);
    for (uint32_t x = 0; x < s->out.width; x++) {
        /* The pixels under one kernel line are neighbours, so their entries are one run. Entries count from the start of the source line. */
        const uint32_t *first = l->first + (size_t)y * s->stride * s->source.width + (size_t)x * s->stride;
        const int8_t *base = rows - (ptrdiff_t)(x * s->stride) * pixel_rows;
        int segments = 0;
        for (uint32_t ky = 0; ky < s->kernel; ky++) {
            if (first[s->kernel] > first[0])
                w->segment[segments++] = make_segment(l, first[0], first[s->kernel], base);
            first += s->source.width;
            base += (ptrdiff_t)s->kernel * pixel_rows;
        }
        sum_segments(e, s, l, w->segment, segments, w->sum + (size_t)x * s->outputs);
    }
}

void snn_sum_line_dense(const snn_engine *e, const snn_stage *s, const uint8_t *plane, uint32_t y,
                        snn_workspace *w) {
    const snn_plane *g = &s->source;
    const snn_dense_sum d = {
        .input = plane + (size_t)y * s->stride * g->width * g->pitch,
        .pixel_step = (size_t)s->stride * g->pitch,
        .line_step = (size_t)g->width * g->pitch,
        .lines = s->kernel,
        .line_bytes = s->kernel * g->pitch,
        .weights = s->dense,
        .outputs = s->outputs,
        .pixels = s->out.width,
        .magnitude = s->magnitude,
        .largest_input = (int32_t)g->largest,
    };
    e->kernels->sum_dense(&d, w->sum);
}

static void add_float_row(float *sum, const float *row, float count, uint32_t n) {
    for (uint32_t j = 0; j < n; j++)
        sum[j] += row[j] * count;
}

/* Whole step, spikes in ascending C order: each output adds its inputs in ascending index. */
void snn_sum_step_float(const snn_stage *s, const snn_spike *spike, size_t n, float *sum) {
    memset(sum, 0, s->neurons_padded * sizeof *sum);
    const uint32_t area = s->in.height * s->in.width;
    for (size_t i = 0; i < n; i++) {
        const float count = (float)spike[i].count;
        const uint32_t c = spike[i].index / area, rest = spike[i].index % area;
        if (s->type == SNN_LAYER_LINEAR) {
            const size_t row = s->from_input ? spike[i].index : (size_t)rest * s->source.pitch + c;
            add_float_row(sum, s->rows_float + row * s->outputs, count, s->outputs);
            continue;
        }
        const uint32_t py = rest / s->in.width + s->padding, px = rest % s->in.width + s->padding;
        for (uint32_t ky = 0; ky < s->kernel && ky <= py; ky++)
            for (uint32_t kx = 0; kx < s->kernel && kx <= px; kx++) {
                const uint32_t y = (py - ky) / s->stride, x = (px - kx) / s->stride;
                if ((py - ky) % s->stride || (px - kx) % s->stride || y >= s->out.height || x >= s->out.width)
                    continue;
                const size_t row = (size_t)(ky * s->kernel + kx) * s->source.pitch + c;
                add_float_row(sum + ((size_t)y * s->out.width + x) * s->outputs,
                              s->rows_float + row * s->outputs, count, s->outputs);
            }
    }
}
