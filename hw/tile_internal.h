/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the tile's cycle model: tile.c (registers and one clock), tile_lanes.c (adders and neurons), tile_run.c (a layer's traffic), tile_layer.c (layers of a network). */
#ifndef SNNSIM_HW_TILE_INTERNAL_H
#define SNNSIM_HW_TILE_INTERNAL_H

#include <snnsim/tile.h>

typedef struct {
    bool end;
    uint32_t line, count;
} snn_tile_event;

/* An operation on its way through the pipeline. */
typedef struct {
    bool read, fire;
    uint32_t word, row;
} snn_tile_operation;

struct snn_tile {
    snn_tile_shape shape;
    const uint8_t *array; /* [rows][lanes] */
    uint32_t rows;
    uint8_t *nothing; /* [lanes] what an array without that row gives: zeros */
    snn_decryptor *decryptor;
    snn_tile_layer layer; /* thresholds and biases are the tile's own memories, [words][lanes] */
    int32_t *threshold, *bias;
    uint64_t cycle;

    /* ---- registers ---- */
    snn_tile_event *queue;       /* [shape.queue] */
    uint32_t written, read;      /* of the queue: modulo 2^32, the difference is what it holds */
    uint32_t word, offset, pass; /* stage A: within the head of the queue */
    snn_tile_operation s, x;
    const uint8_t *sense; /* [lanes] sense register: a row of the array */
    int32_t *sum, *v;     /* [words][lanes] accumulators, membranes */
    bool busy, last;      /* encoder: holds a vector, the step's last one */
    uint32_t encoder_word;
    uint64_t *vector; /* [(lanes + 63) / 64] spikes that are still to be sent */

    /* ---- combinational: scratch of one cycle ---- */
    uint8_t *decrypted;        /* [lanes] */
    int32_t *membrane, *after; /* [lanes] v', and what is stored */
    uint8_t *spikes;           /* [lanes] */
};

/* ---- tile_lanes.c ---- */

/* word = sensed ^ mask */
void snn_tile_decrypt(const snn_tile *t);
/* Adds the values of `decrypted` to the accumulators of the word in stage X. */
void snn_tile_add(snn_tile *t);
/* v', spikes and the membrane to store, of the word in stage X. */
void snn_tile_fire(snn_tile *t);

/* ---- tile.c ---- */

bool snn_tile_idle(const snn_tile *t);

#endif
