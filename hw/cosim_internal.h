/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Co-simulation: what its files share. */
#ifndef SNNSIM_HW_COSIM_INTERNAL_H
#define SNNSIM_HW_COSIM_INTERNAL_H

#include "rtl_bridge.h"

#include <snnsim/cosim.h>
#include <snnsim/digest.h>

#define COSIM_STAMPS 1024 /* reads whose stamps are kept before they go into the digest */
#define COSIM_STAMP 3     /* 32-bit items of a stamp: cycle (low, high), row address */

struct snn_cosim {
    const snn_rtl_face *face;
    snn_rtl *rtl;
    snn_tile *tile;
    snn_tile_shape shape;
    snn_cosim_options options;
    snn_rows codes;  /* only lanes and bits: how a row word's codes stand in a vector */
    uint32_t *array; /* [rows][items] vectors for the circuit */
    uint32_t rows;
    uint32_t *scratch; /* [items of a row word or of one bit a lane] */
    uint64_t cycle, mark;
    uint32_t last_row; /* read in stage X; UINT32_MAX: none yet */
    snn_cosim_stats stats;
    snn_cosim_diff diff;
    snn_digest stamps;
    uint32_t stamp[COSIM_STAMPS * COSIM_STAMP];
    size_t stamped; /* items in stamp[] */
};

/* Compares one cycle's ports: the number of signals that differ, whose first ones go to d (may be NULL). *compared grows by what was looked at. */
uint32_t snn_cosim_compare(struct snn_cosim *c, const snn_tile_outputs *model, const snn_rtl_outputs *rtl,
                           uint64_t *compared, snn_cosim_diff *d);
/* Is an event offered (what = 0), a spike taken (1) in this cycle? */
bool snn_cosim_pattern(const struct snn_cosim *c, int what, uint64_t cycle);

#endif
