/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Co-simulation: C model and Verilated circuit, clock by clock; provisioning, configuration and layers on both. */
#include "cosim_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static bool check(const snn_rtl_face *face, const snn_tile_shape *s, const snn_cosim_options *o,
                  snn_error *err) {
    const snn_rtl_parameters *p = &face->parameters;
    if (p->address != s->decryptor.address || p->lanes != s->decryptor.lanes ||
        p->bits != s->decryptor.bits || p->keyable != s->decryptor.keyable || p->keys != s->decryptor.keys ||
        p->ways != s->decryptor.ways || p->encoding != (uint32_t)s->encoding || p->words != s->words ||
        p->queue != s->queue)
        return snn_fail(err, SNN_ERR_USAGE, "co-simulation: the circuit was made for other parameters");
    if (o->mutant > face->mutants)
        return snn_fail(err, SNN_ERR_USAGE,
                        "co-simulation: the circuit has %" PRIu32 " changes, not %" PRIu32, face->mutants,
                        o->mutant);
    return true;
}

static uint32_t items_of(uint64_t bits) {
    return (uint32_t)((bits + 31) / 32);
}

/* The circuit's array: one vector a row word. */
static bool pack_array(snn_cosim *c, const uint8_t *array, snn_error *err) {
    const uint32_t items = items_of((uint64_t)c->codes.lanes * c->codes.bits);
    c->array = snn_alloc((size_t)c->rows * items, sizeof *c->array, "the circuit's array", err);
    c->scratch = snn_alloc(items, sizeof *c->scratch, "a row word", err);
    if (!c->array || !c->scratch)
        return false;
    for (uint32_t r = 0; r < c->rows; r++)
        snn_rows_pack(&c->codes, array + (size_t)r * c->codes.lanes, c->array + (size_t)r * items);
    return true;
}

snn_cosim *snn_cosim_new(const snn_rtl_face *face, const snn_tile_shape *shape, const uint8_t *array,
                         uint32_t rows, const snn_cosim_options *options, snn_error *err) {
    if (!check(face, shape, options, err))
        return NULL;
    snn_cosim *c = snn_alloc(1, sizeof *c, "the co-simulation", err);
    if (!c)
        return NULL;
    c->face = face;
    c->shape = *shape;
    c->options = *options;
    c->rows = rows;
    c->codes.lanes = shape->decryptor.lanes;
    c->codes.bits = shape->decryptor.bits;
    c->last_row = UINT32_MAX;
    snn_digest_init(&c->stamps);
    if (!pack_array(c, array, err) || !(c->tile = snn_tile_new(shape, array, rows, err))) {
        snn_cosim_free(c);
        return NULL;
    }
    c->rtl = face->make(c->array, rows, (uint32_t)options->seed);
    if (!c->rtl) {
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory for the circuit");
        snn_cosim_free(c);
        return NULL;
    }
    face->mutant(c->rtl, options->mutant);
    return c;
}

void snn_cosim_free(snn_cosim *c) {
    if (!c)
        return;
    if (c->rtl)
        c->face->free(c->rtl);
    snn_tile_free(c->tile);
    free(c->array);
    free(c->scratch);
    free(c);
}

/* ---- figures ---- */

static void flush_stamps(snn_cosim *c) {
    snn_digest_u32(&c->stamps, c->stamp, c->stamped);
    c->stamped = 0;
}

void snn_cosim_mark(snn_cosim *c) {
    c->mark = c->cycle;
    c->stamped = 0;
    snn_digest_init(&c->stamps);
}

snn_cosim_stats snn_cosim_stats_of(const snn_cosim *c) {
    snn_cosim_stats s = c->stats;
    snn_digest d = c->stamps;
    uint8_t bytes[SNN_DIGEST_BYTES];
    snn_digest_u32(&d, c->stamp, c->stamped);
    snn_digest_final(&d, bytes);
    snn_digest_hex(bytes, s.stamps);
    return s;
}

const snn_cosim_diff *snn_cosim_diff_of(const snn_cosim *c) {
    return &c->diff;
}

static void count_read(snn_cosim *c, const snn_tile_outputs *out) {
    const uint32_t lanes = c->codes.lanes;
    const uint64_t stamp = c->cycle - c->mark;
    c->stats.reads++;
    c->stats.repeats += out->addr == c->last_row;
    c->last_row = out->addr;
    c->stats.keyed += memcmp(out->word, out->sensed, lanes) != 0;
    if (c->options.plain)
        c->stats.wrong += memcmp(out->word, c->options.plain + (size_t)out->addr * lanes, lanes) != 0;
    uint32_t *to = c->stamp + c->stamped;
    to[0] = (uint32_t)stamp;
    to[1] = (uint32_t)(stamp >> 32);
    to[2] = out->addr;
    c->stamped += COSIM_STAMP;
    if (c->stamped == COSIM_STAMPS * COSIM_STAMP)
        flush_stamps(c);
}

/* ---- one clock ---- */

static bool differ(snn_cosim *c, const snn_tile_inputs *in, const snn_tile_outputs *out,
                   const snn_rtl_outputs *got, snn_error *err) {
    uint64_t compared = 0;
    c->diff = (snn_cosim_diff){.found = true, .cycle = c->cycle, .time = got->time, .in = *in, .model = *out};
    snn_cosim_compare(c, out, got, &compared, &c->diff);
    const snn_cosim_item *i = &c->diff.item[0];
    char lane[32] = "";
    if (i->vector)
        snprintf(lane, sizeof lane, " lane %" PRIu32, i->lane);
    return snn_fail(err, SNN_ERR_RUNTIME,
                    "cycle %" PRIu64 ": the circuit's %s%s in stage %s is 0x%" PRIx64
                    ", the C model has 0x%" PRIx64,
                    c->cycle, i->signal, lane, i->stage, i->got, i->expected);
}

/* The circuit's side of a cycle that the model has been through. */
static bool follow(snn_cosim *c, const snn_tile_inputs *in, const snn_tile_outputs *out, snn_error *err) {
    const snn_rtl_inputs ports = {.aer_valid = in->aer_valid,
                                  .aer_end = in->aer_end,
                                  .spk_ready = in->spk_ready,
                                  .clear = in->clear,
                                  .tamper = in->tamper,
                                  .prov_valid = in->prov_valid,
                                  .prov_addr = in->prov.address,
                                  .aer_line = in->aer_line,
                                  .aer_count = in->aer_count,
                                  .prov_data = in->prov.data};
    snn_rtl_outputs got;
    if (c->options.trace && c->cycle == c->options.trace_from && !c->face->trace(c->rtl, c->options.trace))
        return snn_fail(err, SNN_ERR_RUNTIME, "%s: cannot be written", c->options.trace);
    c->face->present(c->rtl, &ports, &got);
    const uint32_t differing = snn_cosim_compare(c, out, &got, &c->stats.compared, NULL);
    if (!differing && out->word_valid && !out->hold)
        count_read(c, out);
    c->stats.fires += out->fire && !out->hold;
    c->stats.spikes += out->spk_valid && in->spk_ready && !out->spk_end;
    bool ok = !differing || differ(c, in, out, &got, err);
    c->face->clock(c->rtl);
    c->cycle++;
    c->stats.cycles++;
    return ok;
}

bool snn_cosim_cycle(snn_cosim *c, const snn_tile_inputs *in, snn_tile_outputs *out, snn_error *err) {
    snn_tile_outputs own = {0};
    out = out ? out : &own;
    snn_tile_cycle(c->tile, in, out);
    return follow(c, in, out, err);
}

void snn_cosim_reset(snn_cosim *c) {
    snn_tile_reset(c->tile);
    c->face->reset(c->rtl);
}

bool snn_cosim_provision(snn_cosim *c, const snn_prov_write *write, size_t n, snn_error *err) {
    for (size_t i = 0; i < n; i++) {
        const snn_tile_inputs in = {.prov_valid = true, .prov = write[i]};
        if (!snn_cosim_cycle(c, &in, NULL, err))
            return false;
    }
    return true;
}

/* ---- layers ---- */

static void configure_circuit(snn_cosim *c, const snn_tile_layer *l) {
    const snn_rtl_layer registers = {.base = l->base,
                                     .stride = l->stride,
                                     .words = l->words,
                                     .decay = (uint32_t)l->decay,
                                     .subtract = l->subtract,
                                     .at_threshold = l->at_threshold,
                                     .spiking = l->spiking};
    c->face->configure(c->rtl, &registers, l->threshold, l->bias);
}

bool snn_cosim_configure(snn_cosim *c, const snn_tile_layer *l, snn_error *err) {
    if (!snn_tile_configure(c->tile, l, err))
        return false;
    configure_circuit(c, l);
    return true;
}

static bool on_cycle(void *context, const snn_tile_inputs *in, const snn_tile_outputs *out, snn_error *err) {
    return follow(context, in, out, err);
}

/* Cycles count from the mark, so that decryptors with other key stores see the same pattern. */
static bool on_offer(void *context, uint64_t cycle) {
    (void)cycle;
    const snn_cosim *c = context;
    return snn_cosim_pattern(c, 0, c->cycle - c->mark);
}

static bool on_take(void *context, uint64_t cycle) {
    (void)cycle;
    const snn_cosim *c = context;
    return snn_cosim_pattern(c, 1, c->cycle - c->mark);
}

void snn_cosim_pressure(snn_cosim *c, bool pressure) {
    c->options.pressure = pressure;
}

bool snn_cosim_layer(snn_cosim *c, const snn_tile_layer *layer, uint32_t outputs, const snn_spikes *x,
                     snn_spikes *out, int32_t *membrane, snn_tile_counts *counts, snn_error *err) {
    const snn_tile_hooks hooks = {.context = c,
                                  .cycle = on_cycle,
                                  .offer = c->options.pressure ? on_offer : NULL,
                                  .take = c->options.pressure ? on_take : NULL};
    if (!snn_cosim_configure(c, layer, err))
        return false;
    return snn_tile_run(c->tile, layer, outputs, x, &hooks, out, membrane, counts, err);
}
