/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tile: a layer's traffic. Offers events as long as there are some, takes spikes, and counts what happens until the tile is idle again. */
#include "tile_internal.h"

#include <string.h>

/* The events of x one after the other: spikes of a step, large counts in parts, then the step's end marker. */
typedef struct {
    const snn_spikes *x;
    int step; /* x->steps: nothing is left */
    size_t next;
    uint32_t done; /* of the next spike's count */
} source;

static void peek(const source *s, snn_tile_inputs *in) {
    if (s->next == s->x->first[s->step + 1]) {
        in->aer_end = true;
        in->aer_line = in->aer_count = 0;
        return;
    }
    const snn_spike *e = &s->x->spike[s->next];
    const uint32_t left = e->count - s->done;
    in->aer_end = false;
    in->aer_line = e->index;
    in->aer_count = left < SNN_TILE_COUNTS ? left : SNN_TILE_COUNTS;
}

static void pushed(source *s, const snn_tile_inputs *in) {
    if (in->aer_end) {
        s->step++;
        return;
    }
    s->done += in->aer_count;
    if (s->done == s->x->spike[s->next].count) {
        s->done = 0;
        s->next++;
    }
}

typedef struct {
    snn_tile *tile;
    const snn_tile_hooks *hooks;
    snn_spikes *out;
    int32_t *membrane;
    snn_tile_counts *counts;
    source source;
    int spike_step, fire_step;
    snn_error *err;
} run;

static bool take_spike(run *r, const snn_tile_outputs *out) {
    if (out->spk_end) {
        r->spike_step++;
        return true;
    }
    r->counts->spikes++;
    if (!r->out)
        return true;
    if (out->spk_line >= r->out->size)
        return snn_fail(r->err, SNN_ERR_RUNTIME, "neuron %u of a layer of %u fired", out->spk_line,
                        r->out->size);
    return snn_spikes_append(r->out, r->spike_step, &(snn_spike){out->spk_line, 1}, 1, r->err);
}

static void take_membranes(run *r, const snn_tile_outputs *out) {
    const size_t lanes = r->tile->shape.decryptor.lanes, words = r->tile->layer.words;
    if (r->membrane)
        memcpy(r->membrane + ((size_t)r->fire_step * words + out->fire_word) * lanes, out->membrane,
               lanes * sizeof *r->membrane);
    r->fire_step += out->fire_word == words - 1;
}

static void count(snn_tile_counts *c, const snn_tile_inputs *in, const snn_tile_outputs *out,
                  bool operation) {
    const bool decryptor = out->hold && out->word_valid;
    c->cycles++;
    c->reads += out->array_read;
    c->fires += out->fire && !out->hold;
    c->keyed += out->keyed && !out->hold;
    c->hold_decryptor += decryptor;
    c->hold_encoder += out->hold && !decryptor;
    c->aer_stalls += in->aer_valid && !out->aer_ready;
    c->spk_stalls += out->spk_valid && !in->spk_ready;
    c->bubbles += !out->hold && !operation;
}

void snn_tile_counts_add(snn_tile_counts *to, const snn_tile_counts *c) {
    to->cycles += c->cycles;
    to->reads += c->reads;
    to->fires += c->fires;
    to->hold_decryptor += c->hold_decryptor;
    to->hold_encoder += c->hold_encoder;
    to->aer_stalls += c->aer_stalls;
    to->spk_stalls += c->spk_stalls;
    to->bubbles += c->bubbles;
    to->keyed += c->keyed;
    to->spikes += c->spikes;
}

/* Is there an operation in stage A? */
static bool working(const snn_tile *t) {
    return t->written != t->read;
}

static bool one_cycle(run *r) {
    snn_tile *t = r->tile;
    const snn_tile_hooks *h = r->hooks;
    snn_tile_inputs in = {0};
    snn_tile_outputs out;
    if (r->source.step < r->source.x->steps && (!h || !h->offer || h->offer(h->context, t->cycle))) {
        in.aer_valid = true;
        peek(&r->source, &in);
    }
    in.spk_ready = !h || !h->take || h->take(h->context, t->cycle);
    const bool operation = working(t);
    snn_tile_cycle(t, &in, &out);
    count(r->counts, &in, &out, operation);
    if (in.aer_valid && out.aer_ready)
        pushed(&r->source, &in);
    if (out.fire && !out.hold)
        take_membranes(r, &out);
    return (!out.spk_valid || !in.spk_ready || take_spike(r, &out)) &&
           (!h || !h->cycle || h->cycle(h->context, &in, &out, r->err));
}

/* The cycle that zeroes accumulators and membranes; not counted. */
static bool start(run *r) {
    const snn_tile_inputs in = {.clear = true};
    snn_tile_outputs out;
    snn_tile_cycle(r->tile, &in, &out);
    return !r->hooks || !r->hooks->cycle || r->hooks->cycle(r->hooks->context, &in, &out, r->err);
}

static bool check_lines(const snn_tile_layer *layer, const snn_spikes *x, snn_error *err) {
    for (size_t i = 0; i < x->first[x->steps]; i++)
        if (x->spike[i].index >= layer->stride || x->spike[i].index >= SNN_TILE_LINES)
            return snn_fail(err, SNN_ERR_DATA, "a spike on line %u of a layer with %u lines (at most %u)",
                            x->spike[i].index, layer->stride, SNN_TILE_LINES);
    return true;
}

bool snn_tile_run(snn_tile *t, const snn_tile_layer *layer, uint32_t outputs, const snn_spikes *x,
                  const snn_tile_hooks *hooks, snn_spikes *out, int32_t *membrane, snn_tile_counts *counts,
                  snn_error *err) {
    run r = {.tile = t,
             .hooks = hooks,
             .out = out,
             .membrane = membrane,
             .counts = counts,
             .source = {.x = x},
             .err = err};
    if (!check_lines(layer, x, err) || !snn_tile_configure(t, layer, err) ||
        (out && !snn_spikes_reset(out, outputs, x->steps, err)) || !start(&r))
        return false;
    while (r.source.step < x->steps || !snn_tile_idle(t))
        if (!one_cycle(&r))
            return false;
    return true;
}
