/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spike lists: what flows between data sets, layers, traces and (later) the tiles of the chip. */
#ifndef SNNSIM_SPIKES_H
#define SNNSIM_SPIKES_H

#include <snnsim/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t index; /* neuron or input line, C order of [channel][y][x] */
    uint32_t count; /* events in this time step, >= 1; an input of count c is c row reads on the chip */
} snn_spike;

/* Per time step a list of spikes, sorted by index, each index at most once. */
typedef struct {
    uint32_t size;    /* input lines: every index is below this */
    int steps;        /* time steps */
    size_t *first;    /* [steps+1] spike[first[t]] .. spike[first[t+1]-1] belong to step t */
    snn_spike *spike; /* [first[steps]] */
    size_t first_capacity, spike_capacity;
} snn_spikes;

/* An all-zero struct is a valid empty list. */
void snn_spikes_free(snn_spikes *s);
/* Makes s an empty list of `steps` steps over `size` lines, keeping its memory; snn_spikes_append then fills it. */
bool snn_spikes_reset(snn_spikes *s, uint32_t size, int steps, snn_error *err);
/* Appends n spikes (sorted by index, each index once, counts >= 1) to `step`. Steps must be filled in ascending order;
 * one step may be filled in several calls. */
bool snn_spikes_append(snn_spikes *s, int step, const snn_spike *list, size_t n, snn_error *err);
/* Builds s from unordered (step, index) pairs packed as key = step << 32 | index: sorts, counts equal keys.
 * key[] is used as scratch and may be reordered. Errors: RUNTIME (memory); a key outside the range is a bug (assert). */
bool snn_spikes_from_keys(snn_spikes *s, uint32_t size, int steps, uint64_t *key, size_t n, snn_error *err);
/* From dense counts [steps][size]. */
bool snn_spikes_from_counts(snn_spikes *s, uint32_t size, int steps, const uint8_t *count, snn_error *err);
/* Deep copy. */
bool snn_spikes_copy(snn_spikes *to, const snn_spikes *from, snn_error *err);
/* Sum of counts over all steps. */
uint64_t snn_spikes_total(const snn_spikes *s);

#ifdef __cplusplus
}
#endif
#endif
