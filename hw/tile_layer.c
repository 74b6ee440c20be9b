/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tile: layers of a network as the tile's registers and events. */
#include "tile_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool snn_tile_layer_init(snn_tile_layer *l, const snn_engine *engine, const snn_rows *rows, int tensor,
                         snn_error *err) {
    const snn_rows_tensor *t = &rows->tensor[tensor];
    const size_t outputs = (size_t)t->words * rows->lanes;
    snn_fixed_neurons n;
    *l = (snn_tile_layer){0};
    if (!snn_engine_fixed(engine, t->layer, &n, err))
        return false;
    int32_t *threshold = snn_alloc(outputs, sizeof *threshold, "thresholds", err),
            *bias = threshold ? snn_alloc(outputs, sizeof *bias, "biases", err) : NULL;
    *l = (snn_tile_layer){.base = t->base,
                          .stride = t->fan_in,
                          .words = t->words,
                          .decay = n.decay,
                          .subtract = n.subtract,
                          .at_threshold = n.at_threshold,
                          .spiking = n.spiking,
                          .threshold = threshold,
                          .bias = bias};
    for (size_t o = 0; bias && o < outputs; o++) {
        threshold[o] = o < n.channels ? n.threshold[o] : INT32_MAX; /* lanes beyond the layer never fire */
        bias[o] = o < n.channels && n.bias ? n.bias[o] : 0;
    }
    if (!bias)
        snn_tile_layer_free(l);
    return bias != NULL;
}

void snn_tile_layer_free(snn_tile_layer *l) {
    free((int32_t *)l->threshold);
    free((int32_t *)l->bias);
    *l = (snn_tile_layer){0};
}

/* ---- events ---- */

/* In no order of lines, so that snn_spikes_append does not serve. */
static bool append(snn_spikes *e, uint32_t line, uint32_t count, snn_error *err) {
    const size_t n = e->first[e->steps];
    void *array = e->spike;
    if (!snn_grow(&array, &e->spike_capacity, n + 1, sizeof *e->spike, err))
        return false;
    e->spike = array;
    e->spike[n] = (snn_spike){line, count};
    e->first[e->steps] = n + 1;
    return true;
}

/* Kernel taps of one spike: those whose window, and so whose output, exists. */
static bool append_taps(const snn_layer *l, const snn_spike *s, snn_spikes *events, snn_error *err) {
    const uint32_t area = l->in.height * l->in.width, c = s->index / area,
                   y = s->index % area / l->in.width + l->padding, x = s->index % l->in.width + l->padding;
    for (uint32_t ky = 0; ky < l->kernel && ky <= y; ky++) {
        if ((y - ky) % l->stride != 0 || (y - ky) / l->stride >= l->out.height)
            continue;
        for (uint32_t kx = 0; kx < l->kernel && kx <= x; kx++)
            if ((x - kx) % l->stride == 0 && (x - kx) / l->stride < l->out.width &&
                !append(events, (c * l->kernel + ky) * l->kernel + kx, s->count, err))
                return false;
    }
    return true;
}

bool snn_tile_events(const snn_layer *layer, const snn_spikes *x, snn_spikes *events, snn_error *err) {
    if (x->size != snn_shape_size(layer->in))
        return snn_fail(err, SNN_ERR_DATA, "layer '%s' has %u inputs, but spikes are of %u", layer->name,
                        snn_shape_size(layer->in), x->size);
    if (layer->type == SNN_LAYER_LINEAR)
        return snn_spikes_copy(events, x, err);
    assert(layer->type == SNN_LAYER_CONV2D);
    const uint32_t lines = layer->in.channels * layer->kernel * layer->kernel;
    if (!snn_spikes_reset(events, lines, x->steps, err))
        return false;
    for (int step = 0; step < x->steps; step++) {
        for (size_t i = x->first[step]; i < x->first[step + 1]; i++)
            if (!append_taps(layer, &x->spike[i], events, err))
                return false;
        events->first[step + 1] = events->first[events->steps];
    }
    return true;
}
