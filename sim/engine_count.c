/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: synaptic operations and row words of one time step, counted from the inputs' fan-out. A step whose inputs are all 0 or 1 counts as accumulates, any other as
 * multiply-accumulates (NeuroBench's rule, see docs/metrics.md). */
#include "engine_internal.h"

typedef struct {
    uint64_t synapses, nonzero; /* touched: fan-out of each input, once */
    uint64_t reads;             /* the same as often as the input counts */
    uint64_t counts;
    bool binary;
} tally;

static void add_operations(const snn_stage *s, const tally *n, snn_layer_activity *a) {
    a->input_counts += n->counts;
    a->row_words += n->reads / s->out.channels; /* a row word is one weight for each output channel */
    a->synops += n->synapses;
    if (n->binary)
        a->effective_acs += n->nonzero;
    else
        a->effective_macs += n->nonzero;
}

/* Every input of a linear layer has all outputs as its fan-out. */
static tally linear_list(const snn_stage *s, const snn_spike *spike, size_t n) {
    tally t = {.synapses = n * s->out.channels, .binary = true};
    for (size_t i = 0; i < n; i++) {
        t.nonzero += s->fan_out_nonzero[spike[i].index];
        t.binary &= spike[i].count == 1;
        t.counts += spike[i].count;
    }
    t.reads = t.counts * s->out.channels;
    return t;
}

static tally conv_list(const snn_stage *s, const snn_spike *spike, size_t n) {
    tally t = {.binary = true};
    for (size_t i = 0; i < n; i++) {
        const uint64_t fan_out = s->fan_out[spike[i].index];
        t.synapses += fan_out;
        t.reads += fan_out * spike[i].count;
        t.nonzero += s->fan_out_nonzero[spike[i].index];
        t.binary &= spike[i].count == 1;
        t.counts += spike[i].count;
    }
    return t;
}

void snn_count_list(const snn_stage *s, const snn_spike *spike, size_t n, snn_layer_activity *a) {
    const tally t = s->type == SNN_LAYER_LINEAR ? linear_list(s, spike, n) : conv_list(s, spike, n);
    add_operations(s, &t, a);
}

void snn_count_plane(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, uint32_t *scratch,
                     snn_layer_activity *a) {
    const size_t line = (size_t)s->source.width * s->source.pitch;
    tally t = {.binary = true};
    for (uint32_t y = 0; y < s->source.height; y++) {
        const size_t n = k->list_nonzero(plane + y * line, line, (uint32_t)(y * line), scratch);
        for (size_t i = 0; i < n; i++) {
            const uint64_t fan_out = s->fan_out[scratch[i]];
            const uint8_t count = plane[scratch[i]];
            t.synapses += fan_out;
            t.reads += fan_out * count;
            t.nonzero += s->fan_out_nonzero[scratch[i]];
            t.binary &= count == 1;
            t.counts += count;
        }
    }
    add_operations(s, &t, a);
}
