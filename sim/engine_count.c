/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine: synaptic operations of one time step, counted from the inputs' fan-out. A step whose inputs are all 0 or 1 counts as accumulates, any other as
 * multiply-accumulates (NeuroBench's rule, see docs/metrics.md). */
#include "engine_internal.h"

static void add_operations(snn_layer_activity *a, uint64_t synapses, uint64_t nonzero, bool binary) {
    a->synops += synapses;
    if (binary)
        a->effective_acs += nonzero;
    else
        a->effective_macs += nonzero;
}

void snn_count_list(const snn_stage *s, const snn_spike *spike, size_t n, snn_layer_activity *a) {
    uint64_t synapses = 0, nonzero = 0;
    bool binary = true;
    for (size_t i = 0; i < n; i++) {
        synapses += s->fan_out[spike[i].index];
        nonzero += s->fan_out_nonzero[spike[i].index];
        binary &= spike[i].count == 1;
        a->input_counts += spike[i].count;
    }
    add_operations(a, synapses, nonzero, binary);
}

void snn_count_plane(const snn_stage *s, const snn_kernels *k, const uint8_t *plane, uint32_t *scratch,
                     snn_layer_activity *a) {
    const size_t line = (size_t)s->source.width * s->source.pitch;
    uint64_t synapses = 0, nonzero = 0;
    bool binary = true;
    for (uint32_t y = 0; y < s->source.height; y++) {
        const size_t n = k->list_nonzero(plane + y * line, line, (uint32_t)(y * line), scratch);
        for (size_t i = 0; i < n; i++) {
            synapses += s->fan_out[scratch[i]];
            nonzero += s->fan_out_nonzero[scratch[i]];
            binary &= plane[scratch[i]] == 1;
            a->input_counts += plane[scratch[i]];
        }
    }
    add_operations(a, synapses, nonzero, binary);
}
