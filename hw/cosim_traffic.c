/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawn traffic for co-simulation: back-pressure in bursts, and row reads back to back. */
#include "cosim_internal.h"

#include <snnsim/random.h>

#include <stdlib.h>

/* Finaliser of MurmurHash3 (A. Appleby, public domain): bits of a cycle's number without a stream that would have to be kept in step. */
static uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

bool snn_cosim_pattern(const struct snn_cosim *c, int what, uint64_t cycle) {
    const uint64_t key = c->options.seed * 2 + (uint64_t)what;
    /* 32 cycles each: always, never, or now and then, so that queues run full and empty */
    static const uint8_t of_256[8] = {255, 255, 255, 0, 32, 128, 128, 224};
    const uint8_t share = of_256[mix(key ^ mix(cycle / 32 + 1)) & 7];
    return share == 255 || (mix(key + 1 + mix(cycle)) & 255) < share;
}

/* ---- row reads ---- */

/* Sums of 16 million codes of 8 bits stay within 31 bits. */
#define READS_MOST 16000000U
#define REPEAT 4   /* a read of REPEAT is one of the row before */
#define COUNTED 16 /* an event of COUNTED has a count of 2 */
#define KEYED 9    /* of 16 other reads ask for keyed rows, so that at least half of all do */

/* A layer of one row word a line, so that a line is a row address; it never fires. */
static bool read_layer(snn_cosim *c, snn_tile_layer *l, int32_t **parameter, snn_error *err) {
    const uint32_t lanes = c->codes.lanes;
    *parameter = snn_alloc((size_t)lanes * 2, sizeof **parameter, "thresholds", err);
    if (!*parameter)
        return false;
    for (uint32_t i = 0; i < lanes; i++)
        (*parameter)[i] = INT32_MAX;
    *l = (snn_tile_layer){.stride = c->rows,
                          .words = 1,
                          .decay = 0,
                          .spiking = true,
                          .threshold = *parameter,
                          .bias = *parameter + lanes};
    if (!snn_cosim_configure(c, l, err)) {
        free(*parameter);
        *parameter = NULL;
        return false;
    }
    return true;
}

static void draw(snn_random *r, const snn_cosim *c, const uint32_t *keyed, uint32_t keyed_rows,
                 snn_tile_inputs *in) {
    const uint32_t x = snn_random_u32(r);
    if (x % REPEAT != 0) /* else the same again */
        in->aer_line = keyed_rows && x >> 28 < KEYED ? keyed[snn_random_below(r, keyed_rows)]
                                                     : snn_random_below(r, c->rows);
    in->aer_count = 1 + ((x >> 8) % COUNTED == 0);
}

static bool drain(snn_cosim *c, snn_error *err) {
    const snn_tile_inputs in = {.spk_ready = true};
    snn_tile_outputs out = {0};
    while (!out.idle)
        if (!snn_cosim_cycle(c, &in, &out, err))
            return false;
    return true;
}

static bool read_all(snn_cosim *c, uint64_t reads, const uint32_t *keyed, uint32_t keyed_rows,
                     snn_error *err) {
    snn_random r;
    snn_random_init(&r, c->options.seed, SNN_PURPOSE_TRAFFIC, 0);
    snn_tile_inputs in = {.clear = true};
    snn_tile_outputs out;
    if (!snn_cosim_cycle(c, &in, NULL, err))
        return false;
    snn_cosim_mark(c);
    in = (snn_tile_inputs){.spk_ready = true};
    draw(&r, c, keyed, keyed_rows, &in);
    for (uint64_t sent = 0; sent < reads;) {
        const uint64_t cycle = c->cycle - c->mark;
        in.aer_valid = !c->options.pressure || snn_cosim_pattern(c, 0, cycle);
        if (in.aer_count > reads - sent)
            in.aer_count = (uint32_t)(reads - sent);
        if (!snn_cosim_cycle(c, &in, &out, err))
            return false;
        if (in.aer_valid && out.aer_ready) {
            sent += in.aer_count;
            draw(&r, c, keyed, keyed_rows, &in);
        }
    }
    return drain(c, err);
}

bool snn_cosim_reads(snn_cosim *c, uint64_t reads, const uint32_t *keyed, uint32_t keyed_rows,
                     snn_error *err) {
    snn_tile_layer layer;
    int32_t *parameter;
    if (reads > READS_MOST)
        return snn_fail(err, SNN_ERR_USAGE, "at most %u row reads, as their sums must stay within 31 bits",
                        READS_MOST);
    if (!read_layer(c, &layer, &parameter, err))
        return false;
    bool ok = read_all(c, reads, keyed, keyed_rows, err);
    free(parameter);
    return ok;
}
