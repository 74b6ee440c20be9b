/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network on the tile. The engine says what each layer reads (through its hook, which changes nothing) and what linear layers must put out; the tile is run on that, layer by layer. */
#include <snnsim/tile_network.h>

#include <stdlib.h>
#include <string.h>

/* What the engine did in one layer in the sample at hand. */
typedef struct {
    const snn_layer *layer;
    snn_spikes input, events;
    snn_tile_layer registers;
    uint32_t neurons;
    int steps;
    size_t capacity;   /* neurons x steps that there is room for */
    int32_t *membrane; /* [steps][neurons] linear layers only */
    uint8_t *spikes;
} recorded;

struct snn_tile_network {
    const snn_net *net;
    const snn_rows *rows;
    uint8_t *decrypted; /* [rows][lanes] */
    snn_weights *weights;
    snn_engine *engine;
    snn_workspace *workspace;
    snn_result result;
    int result_steps;
    bool *traced; /* [layers] */
    snn_tile *tile, *plain;
    recorded *record; /* [tensors] */
    int steps;        /* of the sample at hand */
    snn_spikes out;
    int32_t *membrane; /* [steps][words * lanes] */
    size_t membranes;
};

/* ---- making ---- */

static bool decrypt(snn_tile_network *n, const snn_weights *like, const uint8_t *stored, snn_error *err) {
    const size_t bytes = (size_t)n->rows->rows * n->rows->lanes;
    if (!(n->decrypted = snn_alloc(bytes, 1, "row words", err)) ||
        !(n->weights = snn_weights_copy(like, err)))
        return false;
    memcpy(n->decrypted, stored, bytes);
    snn_provision_cipher(snn_tile_decryptor(n->tile), n->decrypted, n->rows->rows);
    snn_rows_collect(n->rows, n->decrypted, n->weights);
    return true;
}

static bool make_tiles(snn_tile_network *n, const snn_tile_shape *shape, const uint8_t *stored,
                       const snn_provision *provision, snn_error *err) {
    snn_tile_shape s = *shape;
    s.words = 1;
    for (int t = 0; t < n->rows->tensors; t++)
        s.words = n->rows->tensor[t].words > s.words ? n->rows->tensor[t].words : s.words;
    n->tile = snn_tile_new(&s, stored, n->rows->rows, err);
    if (n->tile && provision)
        snn_provision_load(provision, snn_tile_decryptor(n->tile));
    return n->tile != NULL;
}

static bool make_plain(snn_tile_network *n, snn_error *err) {
    snn_tile_shape s = *snn_tile_of(n->tile);
    s.decryptor.kind = SNN_DEC_PASS;
    return (n->plain = snn_tile_new(&s, n->decrypted, n->rows->rows, err));
}

/* Every step of each tensor comes in ascending order, but inputs of a step in the engine's own. */
static int by_index(const void *a, const void *b) {
    const snn_spike *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static bool on_read(void *context, void *scratch, int tensor, uint64_t sample, int step,
                    const snn_spike *input, size_t n, snn_sum_errors *errors, snn_error *err) {
    (void)scratch;
    (void)sample;
    (void)errors;
    snn_spikes *to = &((snn_tile_network *)context)->record[tensor].input;
    if (n == 0)
        return true;
    snn_spike *sorted = snn_alloc(n, sizeof *sorted, "spikes of a layer", err);
    if (!sorted)
        return false;
    memcpy(sorted, input, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_index);
    const bool ok = snn_spikes_append(to, step, sorted, n, err);
    free(sorted);
    return ok;
}

static bool make_engine(snn_tile_network *n, snn_error *err) {
    const snn_hook hook = {.context = n, .read = on_read};
    const snn_engine_options o = {.arithmetic = SNN_ARITHMETIC_FIXED, .simd = snn_simd_best(), .hook = &hook};
    return (n->engine = snn_engine_new(n->net, n->weights, &o, err)) &&
           (n->workspace = snn_workspace_new(n->engine, err));
}

static bool make_records(snn_tile_network *n, snn_error *err) {
    n->record = snn_alloc((size_t)n->rows->tensors, sizeof *n->record, "layers of the tile", err);
    n->traced =
        n->record ? snn_alloc((size_t)n->net->layers, sizeof *n->traced, "layers of the tile", err) : NULL;
    for (int t = 0; n->traced && t < n->rows->tensors; t++) {
        recorded *r = &n->record[t];
        r->layer = &n->net->layer[n->rows->tensor[t].layer];
        r->neurons = snn_shape_size(r->layer->out);
        n->traced[n->rows->tensor[t].layer] = r->layer->type == SNN_LAYER_LINEAR;
        if (!snn_tile_layer_init(&r->registers, n->engine, n->rows, t, err))
            return false;
        if (r->layer->type != SNN_LAYER_LINEAR) /* there is no neuron for each lane of a row word */
            r->registers.spiking = false;
    }
    return n->traced != NULL;
}

snn_tile_network *snn_tile_network_new(const snn_net *net, const snn_weights *like, const snn_rows *rows,
                                       const snn_tile_shape *shape, const uint8_t *stored,
                                       const snn_provision *provision, snn_error *err) {
    snn_tile_network *n = snn_alloc(1, sizeof *n, "tile", err);
    if (!n)
        return NULL;
    n->net = net;
    n->rows = rows;
    if (make_tiles(n, shape, stored, provision, err) && decrypt(n, like, stored, err) && make_plain(n, err) &&
        make_engine(n, err) && make_records(n, err))
        return n;
    snn_tile_network_free(n);
    return NULL;
}

void snn_tile_network_free(snn_tile_network *n) {
    if (!n)
        return;
    for (int t = 0; n->record && t < n->rows->tensors; t++) {
        recorded *r = &n->record[t];
        snn_spikes_free(&r->input);
        snn_spikes_free(&r->events);
        snn_tile_layer_free(&r->registers);
        free(r->membrane);
        free(r->spikes);
    }
    free(n->record);
    free(n->traced);
    snn_spikes_free(&n->out);
    free(n->membrane);
    snn_result_free(&n->result);
    snn_workspace_free(n->workspace);
    snn_engine_free(n->engine);
    snn_tile_free(n->tile);
    snn_tile_free(n->plain);
    snn_weights_free(n->weights);
    free(n->decrypted);
    free(n);
}

const snn_weights *snn_tile_network_weights(const snn_tile_network *n) {
    return n->weights;
}

const snn_spikes *snn_tile_network_events(const snn_tile_network *n, int tensor) {
    return &n->record[tensor].events;
}

const snn_tile_layer *snn_tile_network_layer(const snn_tile_network *n, int tensor) {
    return &n->record[tensor].registers;
}

/* ---- the engine's part of a sample ---- */

static bool on_trace(void *context, int layer, int step, const uint8_t *spikes, const void *membrane,
                     snn_error *err) {
    (void)err;
    snn_tile_network *n = context;
    recorded *r = &n->record[n->net->layer[layer].tensor];
    memcpy(r->membrane + (size_t)step * r->neurons, membrane, r->neurons * sizeof *r->membrane);
    memcpy(r->spikes + (size_t)step * r->neurons, spikes, r->neurons);
    return true;
}

static bool make_room(snn_tile_network *n, int steps, snn_error *err) {
    size_t widest = 0;
    for (int t = 0; t < n->rows->tensors; t++) {
        recorded *r = &n->record[t];
        const size_t lanes = (size_t)n->rows->tensor[t].words * n->rows->lanes,
                     need = (size_t)steps * r->neurons;
        widest = lanes > widest ? lanes : widest;
        if (!snn_spikes_reset(&r->input, snn_shape_size(r->layer->in), steps, err))
            return false;
        if (r->layer->type != SNN_LAYER_LINEAR || need <= r->capacity)
            continue;
        free(r->membrane);
        free(r->spikes);
        r->capacity = need;
        r->spikes = NULL;
        if (!(r->membrane = snn_alloc(need, sizeof *r->membrane, "membranes", err)) ||
            !(r->spikes = snn_alloc(need, 1, "spikes of a layer", err)))
            return false;
    }
    if (widest * (size_t)steps > n->membranes) {
        free(n->membrane);
        n->membranes = widest * (size_t)steps;
        if (!(n->membrane = snn_alloc(n->membranes, sizeof *n->membrane, "membranes", err)))
            return false;
    }
    if (steps <= n->result_steps)
        return true;
    snn_result_free(&n->result);
    n->result_steps = steps;
    return snn_result_init(&n->result, n->net, steps, err);
}

static bool run_engine(snn_tile_network *n, const snn_spikes *x, uint64_t sample, snn_error *err) {
    const snn_trace trace = {n, n->traced, on_trace};
    n->steps = x->steps;
    return make_room(n, x->steps, err) &&
           snn_engine_run(n->engine, x, sample, n->workspace, &trace, &n->result, err);
}

/* ---- the tile's ---- */

typedef struct {
    snn_tile_read *read;
    void *context;
} reader;

static bool on_cycle(void *context, const snn_tile_inputs *in, const snn_tile_outputs *out, snn_error *err) {
    (void)in;
    const reader *r = context;
    return !out->array_read || r->read(r->context, out->array_addr, err);
}

static uint64_t differences(const snn_tile_network *n, int tensor) {
    const recorded *r = &n->record[tensor];
    const size_t outputs = (size_t)r->registers.words * n->rows->lanes;
    uint64_t sum = 0;
    for (int step = 0; step < n->steps; step++) {
        size_t next = n->out.first[step];
        for (uint32_t o = 0; o < r->neurons; o++) {
            const bool fired = next < n->out.first[step + 1] && n->out.spike[next].index == o;
            next += fired;
            sum += fired != (r->spikes[(size_t)step * r->neurons + o] != 0);
            sum += n->membrane[(size_t)step * outputs + o] != r->membrane[(size_t)step * r->neurons + o];
        }
    }
    return sum;
}

static bool run_layer(snn_tile_network *n, int tensor, snn_tile_read *read, void *context,
                      snn_tile_traffic *traffic, snn_error *err) {
    recorded *r = &n->record[tensor];
    const uint32_t outputs = r->layer->out.channels;
    reader to = {read, context};
    const snn_tile_hooks hooks = {.context = &to, .cycle = on_cycle};
    traffic->whole = r->layer->type == SNN_LAYER_LINEAR;
    if (!snn_tile_events(r->layer, &r->input, &r->events, err) ||
        !snn_tile_run(n->tile, &r->registers, outputs, &r->events, read ? &hooks : NULL, &n->out, n->membrane,
                      &traffic->tile, err))
        return snn_error_context(err, "layer %s", r->layer->name);
    if (traffic->whole)
        traffic->differences += differences(n, tensor);
    return snn_tile_run(n->plain, &r->registers, outputs, &r->events, NULL, NULL, NULL, &traffic->plain, err);
}

bool snn_tile_network_run(snn_tile_network *n, const snn_spikes *x, uint64_t sample, snn_tile_read *read,
                          void *context, snn_tile_traffic *traffic, int *predicted, snn_error *err) {
    if (!run_engine(n, x, sample, err))
        return false;
    for (int t = 0; t < n->rows->tensors; t++)
        if (!run_layer(n, t, read, context, &traffic[t], err))
            return false;
    *predicted = n->result.predicted;
    return true;
}
