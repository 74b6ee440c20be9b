/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network on the tile: the spikes of real samples through every layer with weights, once with the decryptor and once with pass-through over the decrypted array, so that added cycles are
 * a difference of two runs. Linear layers run whole (reads, adders, neurons, encoder) and are compared with the engine's fixed arithmetic; convolutions run as row reads only: their
 * accumulators, one for each output pixel, and neurons are not part of the tile.
 */
#ifndef SNNSIM_TILE_NETWORK_H
#define SNNSIM_TILE_NETWORK_H

#include <snnsim/provision.h>
#include <snnsim/tile.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One layer with weights, summed over samples. */
typedef struct {
    snn_tile_counts tile;  /* with the decryptor */
    snn_tile_counts plain; /* the same spikes with pass-through */
    bool whole;            /* linear: adders and neurons ran, too */
    uint64_t differences;  /* membranes and spikes other than the engine's */
} snn_tile_traffic;

typedef struct snn_tile_network snn_tile_network;
/* stored [rows][lanes]: what the cells hold (borrowed). The tile's words are set to what the network needs. like: weights of the shapes, encodings and scales of the stored ones. provision may be NULL
 * (an empty key store). Errors: as snn_engine_new, snn_tile_new. */
snn_tile_network *snn_tile_network_new(const snn_net *net, const snn_weights *like, const snn_rows *rows,
                                       const snn_tile_shape *shape, const uint8_t *stored,
                                       const snn_provision *provision, snn_error *err);
void snn_tile_network_free(snn_tile_network *n);
/* Weights as the decryptor gives them. */
const snn_weights *snn_tile_network_weights(const snn_tile_network *n);
/* What the tile of tensor t is given and configured with, after snn_tile_network_run: for who runs it elsewhere, too. Borrowed. */
const snn_spikes *snn_tile_network_events(const snn_tile_network *n, int tensor);
const snn_tile_layer *snn_tile_network_layer(const snn_tile_network *n, int tensor);

/* Called for each row read with the decryptor, in order; NULL: not. */
typedef bool snn_tile_read(void *context, uint32_t row, snn_error *err);
/* Runs one sample; traffic [tensors] is added to. Errors: as snn_engine_run, what read returns. */
bool snn_tile_network_run(snn_tile_network *n, const snn_spikes *x, uint64_t sample, snn_tile_read *read,
                          void *context, snn_tile_traffic *traffic, int *predicted, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
