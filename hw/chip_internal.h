/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside hw/: what a chip is made of, and faster ways to its cells than one by one. */
#ifndef SNNSIM_HW_CHIP_INTERNAL_H
#define SNNSIM_HW_CHIP_INTERNAL_H

#include "faults.h"

struct snn_chip {
    const snn_map *map;
    const snn_hw_options *o;
    snn_weights *stored;
    uint64_t seed, number;
    uint64_t reads;     /* of each row that a loaded chip had seen when it was saved */
    double z_chip;      /* normal deviate of the whole chip */
    snn_faults faults;  /* before repair, by physical cell */
    snn_repair repair;  /* where logical lines stand */
    snn_secded *secded; /* the code of the map's words; NULL: none */
    snn_program_stats stats;
};

/* Stream of a purpose (SNN_PURPOSE_CELL_*) of this chip. */
static inline snn_cell_stream snn_chip_stream(const snn_chip *c, snn_purpose purpose) {
    return (snn_cell_stream){c->seed, purpose, c->number};
}

/* The condition with the reads that the chip has seen before. */
snn_condition snn_chip_condition(const snn_chip *c, const snn_condition *when);

/* ---- making ---- */

/* As snn_chip_program, with the faults of a fault map that was read before (they must outlive the chip); NULL: reads it. */
snn_chip *snn_chip_program_with(const snn_map *map, const snn_hw_options *o, const snn_weights *stored,
                                const snn_faults *faults, uint64_t chip, snn_error *err);
/* A chip without faults and statistics yet. Errors: as snn_chip_program. */
snn_chip *snn_chip_new(const snn_map *map, const snn_hw_options *o, const snn_weights *stored, uint64_t seed,
                       uint64_t number, snn_error *err);
/* Counts faults among the cells in use and, with `repair`, decides the repair of every array. */
bool snn_chip_inspect(snn_chip *c, bool repair, snn_error *err);
/* Pulses of programming, and cells that were never verified or took more pulses than the device endures. Visits the cells only with verification. */
bool snn_chip_count_pulses(snn_chip *c, snn_error *err);

/* ---- levels ---- */

#define SNN_CELL_KINDS 9

/* All levels under a condition. Cells are of a kind: with bits in cells, kind n holds n bits and has 2^n levels; of differential pairs, kind n belongs to weights of n bits and has
 * 2^(n-1) + 1 levels. NULL for kinds that the map does not have. */
typedef struct {
    snn_level *level[SNN_CELL_KINDS];
    int count[SNN_CELL_KINDS];
    bool stuck;                  /* do faults act? */
    double stuck_hrs, stuck_lrs; /* conductance of stuck cells [uS] */
} snn_chip_levels;
/* Errors: those of snn_device_level. */
bool snn_chip_levels_init(snn_chip_levels *l, const snn_chip *c, const snn_condition *when, snn_error *err);
void snn_chip_levels_free(snn_chip_levels *l);
/* One level: level k of a kind, under a condition that has the chip's reads already. */
bool snn_chip_level_of(const snn_chip *c, const snn_condition *now, int kind, int k, snn_level *out,
                       snn_error *err);
/* Kind of cell 0 .. cells - 1 of a tensor's weights. */
int snn_chip_kind(const snn_map *m, const snn_map_tensor *t, uint32_t cell);

/* Target levels of an array's logical cells: data columns [rows][columns], 0 where no weight stands. For few cells: snn_chip_level. */
bool snn_chip_tile_levels(const snn_chip *c, uint32_t tile, uint8_t *level, snn_error *err);
/* Target levels (0, 1) of an array's check cells: [rows][check_columns]. */
void snn_chip_tile_checks(const snn_chip *c, uint32_t tile, uint8_t *level);
/* Check columns in use of an array's rows in use. */
uint32_t snn_chip_checks_used(const snn_map *m, const snn_map_tile *tile);

/* Conductance [uS] of a working cell from its number: draws the deviates that the level needs. */
double snn_chip_cell_conductance(const snn_chip *c, const snn_level *l, uint64_t number);
/* Conductance [uS] that a physical cell of a kind has, or would have, when programming aims at `level`; stuck cells keep theirs. */
double snn_chip_conductance_at(const snn_chip *c, const snn_chip_levels *levels, int kind, int level,
                               const snn_cell *physical);

#endif
