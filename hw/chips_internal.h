/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of the Monte Carlo run: chips.c (batches of chips, samples, delivery in order), chips_unit.c (one chip from programming to an engine),
 * chips_result.c (figures over chips), chips_frames.c (framed samples).
 */
#ifndef SNNSIM_HW_CHIPS_INTERNAL_H
#define SNNSIM_HW_CHIPS_INTERNAL_H

#include "faults.h"

#include <snnsim/chips.h>

/* What stays the same for all chips. */
typedef struct {
    const snn_map *map;
    const snn_hw_options *o; /* NULL: no chips */
    const snn_net *net;
    const snn_weights *stored;
    const snn_chips_options *options;
    const snn_faults *faults; /* of the fault map, read once for all chips; NULL: there is none */
} snn_chips_plan;

/* A chip on its way through the run. Its engine is built once and given the weights of the next chip, as long as their hooks are of the same kind: the engine's own hook hands on to
 * `target`, the current chip's. */
typedef struct {
    snn_chip *chip;
    snn_readout *readout;
    const snn_hook *target;
    snn_hook hook; /* the engine's; all zero: none */
    bool *silent;  /* copy of the hook's, [tensors]; NULL: none */
    snn_engine *engine;
    snn_workspace **workspace; /* [threads], made when a thread first needs one */
    snn_digest digest;
    bool failed, done;
    snn_error error;
} snn_chips_unit;

/* Seconds that one thread spent. */
typedef struct {
    double program, readout, pack;
} snn_chips_seconds;

/* Programs and reads chip `index` of the run and gives its weights to the unit's engine. Fills what is known of the result. */
bool snn_chips_unit_load(snn_chips_unit *u, const snn_chips_plan *p, uint32_t index, snn_chip_result *result,
                         snn_chips_seconds *seconds, snn_error *err);
/* No chip: stored weights with the key's bits flipped, exact sums. */
bool snn_chips_unit_ideal(snn_chips_unit *u, const snn_chips_plan *p, snn_error *err);
void snn_chips_unit_free(snn_chips_unit *u, int threads);
/* The workspace of one thread. */
snn_workspace *snn_chips_unit_workspace(snn_chips_unit *u, int thread, snn_error *err);

/* Fills what follows from out->chip. */
bool snn_chips_statistics(snn_chips_result *out, snn_error *err);

#endif
