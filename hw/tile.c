/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tile: its registers and one clock. A cycle first works out what the registers show (all outputs depend on them alone), then takes the edge. Stages are named as in verilog/README.md. */
#include "tile_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static bool check_shape(const snn_tile_shape *s, snn_error *err) {
    if (s->words < 1 || s->words > 255)
        return snn_fail(err, SNN_ERR_USAGE, "a tile cannot have %u row words of a line: expected 1 to 255",
                        s->words);
    if (s->queue < 2 || s->queue > 1024 || (s->queue & (s->queue - 1)) != 0)
        return snn_fail(err, SNN_ERR_USAGE,
                        "a tile's queue cannot have %u entries: expected a power of two from 2 to 1024",
                        s->queue);
    return true;
}

static bool allocate(snn_tile *t, snn_error *err) {
    const char *what = "tile";
    const size_t lanes = t->shape.decryptor.lanes, outputs = lanes * t->shape.words;
    return (t->nothing = snn_alloc(lanes, 1, what, err)) &&
           (t->threshold = snn_alloc(outputs, sizeof *t->threshold, what, err)) &&
           (t->bias = snn_alloc(outputs, sizeof *t->bias, what, err)) &&
           (t->queue = snn_alloc(t->shape.queue, sizeof *t->queue, what, err)) &&
           (t->sum = snn_alloc(outputs, sizeof *t->sum, what, err)) &&
           (t->v = snn_alloc(outputs, sizeof *t->v, what, err)) &&
           (t->vector = snn_alloc((lanes + 63) / 64, sizeof *t->vector, what, err)) &&
           (t->decrypted = snn_alloc(lanes, 1, what, err)) &&
           (t->membrane = snn_alloc(lanes, sizeof *t->membrane, what, err)) &&
           (t->after = snn_alloc(lanes, sizeof *t->after, what, err)) &&
           (t->spikes = snn_alloc(lanes, 1, what, err));
}

snn_tile *snn_tile_new(const snn_tile_shape *shape, const uint8_t *array, uint32_t rows, snn_error *err) {
    snn_tile *t = check_shape(shape, err) ? snn_alloc(1, sizeof *t, "tile", err) : NULL;
    if (!t)
        return NULL;
    t->shape = *shape;
    t->array = array;
    t->rows = rows;
    if (!(t->decryptor = snn_decryptor_new(&shape->decryptor, err)) || !allocate(t, err)) {
        snn_tile_free(t);
        return NULL;
    }
    t->layer = (snn_tile_layer){.words = 1, .threshold = t->threshold, .bias = t->bias};
    snn_tile_reset(t);
    return t;
}

void snn_tile_free(snn_tile *t) {
    if (!t)
        return;
    snn_decryptor_free(t->decryptor);
    free(t->nothing);
    free(t->threshold);
    free(t->bias);
    free(t->queue);
    free(t->sum);
    free(t->v);
    free(t->vector);
    free(t->decrypted);
    free(t->membrane);
    free(t->after);
    free(t->spikes);
    free(t);
}

static void clear_lanes(snn_tile *t) {
    const size_t bytes = (size_t)t->shape.words * t->shape.decryptor.lanes * sizeof *t->sum;
    memset(t->sum, 0, bytes);
    memset(t->v, 0, bytes);
}

void snn_tile_reset(snn_tile *t) {
    snn_decryptor_clear(t->decryptor);
    clear_lanes(t);
    t->written = t->read = t->word = t->offset = t->pass = 0;
    t->s = t->x = (snn_tile_operation){0};
    t->sense = t->nothing;
    t->busy = t->last = false;
    t->encoder_word = 0;
    memset(t->vector, 0, (t->shape.decryptor.lanes + 63) / 64 * sizeof *t->vector);
}

const snn_tile_shape *snn_tile_of(const snn_tile *t) {
    return &t->shape;
}

snn_decryptor *snn_tile_decryptor(snn_tile *t) {
    return t->decryptor;
}

static bool queue_empty(const snn_tile *t) {
    return t->written == t->read;
}

bool snn_tile_idle(const snn_tile *t) {
    return queue_empty(t) && !t->s.read && !t->s.fire && !t->x.read && !t->x.fire && !t->busy;
}

bool snn_tile_configure(snn_tile *t, const snn_tile_layer *layer, snn_error *err) {
    assert(snn_tile_idle(t));
    if (layer->words < 1 || layer->words > t->shape.words)
        return snn_fail(err, SNN_ERR_USAGE, "a line has %u row words, the tile takes 1 to %u", layer->words,
                        t->shape.words);
    if ((uint64_t)layer->base + (uint64_t)layer->words * layer->stride > t->rows)
        return snn_fail(err, SNN_ERR_USAGE,
                        "row words %u to %llu of a layer are outside the array, which has %u", layer->base,
                        (unsigned long long)layer->base + (unsigned long long)layer->words * layer->stride,
                        t->rows);
    if (layer->decay < 0 || layer->decay > 4096)
        return snn_fail(err, SNN_ERR_USAGE, "a decay of %d/4096: expected 0 to 4096", layer->decay);
    const size_t bytes = (size_t)layer->words * t->shape.decryptor.lanes * sizeof *t->threshold;
    memcpy(t->threshold, layer->threshold, bytes);
    memcpy(t->bias, layer->bias, bytes);
    t->layer = *layer;
    t->layer.threshold = t->threshold;
    t->layer.bias = t->bias;
    return true;
}

/* ---- stage A ---- */

static snn_tile_operation issue(const snn_tile *t) {
    const snn_tile_event *head = &t->queue[t->read % t->shape.queue];
    snn_tile_operation op = {.word = t->word};
    if (queue_empty(t) || (!head->end && head->count == 0))
        return op;
    op.fire = head->end;
    op.read = !head->end;
    op.row = (t->layer.base + t->offset + head->line) & ((UINT32_C(1) << t->shape.decryptor.address) - 1);
    return op;
}

/* The operation has left stage A; is that the end of the queue's head? (An event of count 0 is passed over in one cycle.) */
static void advance(snn_tile *t, const snn_tile_operation *op) {
    if (queue_empty(t))
        return;
    const snn_tile_event *head = &t->queue[t->read % t->shape.queue];
    if (!op->read && !op->fire) {
        t->read++;
        return;
    }
    t->offset += t->layer.stride;
    if (++t->word < t->layer.words)
        return;
    t->word = t->offset = 0;
    if (head->end || ++t->pass == head->count) {
        t->pass = 0;
        t->read++;
    }
}

/* ---- encoder ---- */

static void take_vector(snn_tile *t) {
    bool any = false;
    memset(t->vector, 0, (t->shape.decryptor.lanes + 63) / 64 * sizeof *t->vector);
    for (uint32_t l = 0; l < t->shape.decryptor.lanes; l++) {
        t->vector[l / 64] |= (uint64_t)t->spikes[l] << l % 64;
        any |= t->spikes[l];
    }
    t->last = t->x.word == t->layer.words - 1;
    t->busy = any || t->last;
    t->encoder_word = t->x.word;
}

/* Lowest lane that is still to be sent, or `lanes`. */
static uint32_t lowest(const snn_tile *t) {
    const uint32_t lanes = t->shape.decryptor.lanes;
    for (uint32_t l = 0; l < lanes; l += 64)
        if (t->vector[l / 64] != 0)
            return l + (uint32_t)__builtin_ctzll(t->vector[l / 64]);
    return lanes;
}

static void sent(snn_tile *t) {
    const uint32_t lanes = t->shape.decryptor.lanes, lane = lowest(t);
    if (lane < lanes)
        t->vector[lane / 64] &= t->vector[lane / 64] - 1;
    t->busy = lane < lanes && (t->last || lowest(t) < lanes);
}

/* ---- one clock ---- */

static void show(snn_tile *t, const snn_tile_operation *op, bool hold, snn_tile_outputs *out) {
    const uint32_t lanes = t->shape.decryptor.lanes, lane = t->busy ? lowest(t) : lanes;
    *out = (snn_tile_outputs){.cycle = t->cycle,
                              .idle = snn_tile_idle(t),
                              .aer_ready = t->written - t->read < t->shape.queue,
                              .array_read = op->read && !hold,
                              .array_addr = op->row,
                              .spk_valid = t->busy,
                              .spk_end = t->busy && lane == lanes,
                              .spk_line = lane < lanes ? t->encoder_word * lanes + lane : 0,
                              .hold = hold,
                              .word_valid = t->x.read,
                              .addr = t->x.row,
                              .keyed = t->x.read && snn_decryptor_keyed(t->decryptor),
                              .fire = t->x.fire,
                              .fire_word = t->x.word};
    if (t->x.read) {
        out->sensed = t->sense;
        out->word = t->decrypted;
    }
    if (t->x.fire) {
        out->membrane = t->membrane;
        out->spikes = t->spikes;
    }
}

/* Stages S and X move on; what stands in X takes effect. */
static void move(snn_tile *t, const snn_tile_operation *op) {
    if (t->x.read)
        snn_tile_add(t);
    if (t->x.fire) {
        const size_t lanes = t->shape.decryptor.lanes, first = t->x.word * lanes;
        memcpy(t->v + first, t->after, lanes * sizeof *t->v);
        memset(t->sum + first, 0, lanes * sizeof *t->sum);
        take_vector(t);
    }
    if (t->s.read)
        t->sense = t->s.row < t->rows ? t->array + (size_t)t->s.row * t->shape.decryptor.lanes : t->nothing;
    t->x = t->s;
    t->s = *op;
    advance(t, op);
}

static void push(snn_tile *t, const snn_tile_inputs *in) {
    t->queue[t->written++ % t->shape.queue] =
        (snn_tile_event){in->aer_end, in->aer_line & (SNN_TILE_LINES - 1), in->aer_count & SNN_TILE_COUNTS};
}

void snn_tile_cycle(snn_tile *t, const snn_tile_inputs *in, snn_tile_outputs *out) {
    if (in->tamper) /* asynchronous, as a reset */
        snn_decryptor_tamper(t->decryptor);
    const bool held = snn_decryptor_hold(t->decryptor, t->x.read), hold = held || (t->x.fire && t->busy),
               ready = t->written - t->read < t->shape.queue, sends = t->busy && in->spk_ready;
    const snn_tile_operation op = issue(t);
    if (t->x.read)
        snn_tile_decrypt(t);
    if (t->x.fire)
        snn_tile_fire(t);
    if (out)
        show(t, &op, hold, out);

    /* the edge */
    snn_decryptor_clock(t->decryptor, op.read, op.row, !hold);
    if (in->prov_valid && !in->tamper)
        snn_decryptor_write(t->decryptor, in->prov);
    if (sends)
        sent(t);
    if (!hold)
        move(t, &op);
    if (in->aer_valid && ready)
        push(t, in);
    if (in->clear)
        clear_lanes(t);
    t->cycle++;
}
