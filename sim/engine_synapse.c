/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: synaptic sums of one line of outputs, from spike lists or by dense multiplication. */
#include "engine_internal.h"

#include <string.h>

/* 16-bit codes (imported networks): as the plain row sums, with wider rows. */
static void sum_rows16(const snn_stage *s, const snn_segment *segment, const ptrdiff_t *row_offset,
                       int segments, bool counted, int32_t *sum) {
    memset(sum, 0, s->outputs * sizeof *sum);
    for (int g = 0; g < segments; g++)
        for (size_t i = 0; i < segment[g].n; i++) {
            const uint32_t entry = counted ? segment[g].count[i].index : segment[g].entry[i];
            const int32_t count = counted ? (int32_t)segment[g].count[i].count : 1;
            const int16_t *row = s->rows16 + ((ptrdiff_t)entry + row_offset[g]) * (ptrdiff_t)s->outputs;
            for (uint32_t j = 0; j < s->outputs; j++)
                sum[j] += row[j] * count;
        }
}

static void sum_segments(const snn_engine *e, const snn_stage *s, const snn_step_list *l,
                         const snn_workspace *w, int segments, int32_t *sum) {
    if (s->code_type == SNN_CODE_16) {
        sum_rows16(s, w->segment, w->row_offset, segments, l->counted, sum);
        return;
    }
    const snn_row_sum r = {w->segment, segments, s->outputs, s->outputs, s->magnitude};
    if (segments == 0)
        memset(sum, 0, s->outputs * sizeof *sum);
    else if (l->counted)
        e->kernels->sum_counts(&r, sum);
    else
        e->kernels->sum_spikes(&r, sum);
}

/* One segment: list entries [first, end) whose rows start `offset` rows from the packed weights' first one. */
static void put_segment(const snn_stage *s, const snn_step_list *l, snn_workspace *w, int at, size_t first,
                        size_t end, ptrdiff_t offset) {
    snn_segment *g = &w->segment[at];
    g->entry = l->counted ? NULL : l->entry + first;
    g->count = l->counted ? l->counts + first : NULL;
    g->n = end - first;
    g->base = s->rows ? s->rows + offset * (ptrdiff_t)s->outputs : NULL; /* 16-bit codes go by the offset */
    w->row_offset[at] = offset;
}

void snn_sum_line_list(const snn_engine *e, const snn_stage *s, const snn_step_list *l, uint32_t y,
                       snn_workspace *w) {
    if (s->type == SNN_LAYER_LINEAR) {
        put_segment(s, l, w, 0, 0, l->n, 0);
        sum_segments(e, s, l, w, 1, w->sum);
        return;
    }
    for (uint32_t x = 0; x < s->out.width; x++) {
        int segments = 0;
        for (uint32_t ky = 0; ky < s->kernel; ky++) {
            /* The pixels under one kernel line are neighbours, so their entries are one run. */
            const size_t pixel = (size_t)(y * s->stride + ky) * s->source.width + x * s->stride;
            const size_t first = l->first[pixel], end = l->first[pixel + s->kernel];
            const ptrdiff_t offset =
                ((ptrdiff_t)ky * s->kernel - (ptrdiff_t)x * s->stride) * (ptrdiff_t)s->source.pitch;
            if (end > first)
                put_segment(s, l, w, segments++, first, end, offset);
        }
        sum_segments(e, s, l, w, segments, w->sum + (size_t)x * s->outputs);
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
