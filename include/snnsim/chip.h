/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One programmed chip: weights in the cells of a map, made of a device, with the faults and deviations that its seed and number give it.
 *
 * The conductance of a cell is a pure function of (seed, chip, physical cell), its target level, and the condition; nothing but what repair decided is stored.
 * Random numbers: word (cell number) of the Philox stream (seed, purpose, chip), where purpose is one of SNN_PURPOSE_CELL_*; a word w gives the uniform deviate
 * (w + 1/2) / 2^32, and where it is 0 or 2^32 - 1 a second word refines it.
 */
#ifndef SNNSIM_CHIP_H
#define SNNSIM_CHIP_H

#include <snnsim/hw.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SNN_CELL_WORKS, SNN_CELL_STUCK_HRS, SNN_CELL_STUCK_LRS } snn_cell_fault;

/* What programming found and cost. */
typedef struct {
    uint64_t cells;  /* programmed: data, check */
    uint64_t pulses; /* write pulses in all */
    uint64_t
        row_pulses; /* sum over rows of the most pulses that one of their cells took: pulse times when a row is written at once */
    uint64_t unverified;           /* cells that never came into the window */
    uint64_t worn;                 /* cells that took more pulses than the device endures (cell.endurance) */
    uint64_t stuck_hrs, stuck_lrs; /* among the cells used, before repair */
    uint64_t rows_replaced, columns_replaced, lanes_permuted; /* repair */
} snn_program_stats;

typedef struct snn_chip snn_chip;

/* Programs chip number `chip`. Keeps pointers to map and options (which must outlive it) and a copy of the stored weights. Errors: DATA (fault map: file and place; weights do not
 * fit the map), RUNTIME. */
snn_chip *snn_chip_program(const snn_map *map, const snn_hw_options *o, const snn_weights *stored,
                           uint64_t chip, snn_error *err);
void snn_chip_free(snn_chip *c);
const snn_program_stats *snn_chip_stats(const snn_chip *c);
const snn_map *snn_chip_map(const snn_chip *c);
const snn_weights *snn_chip_stored(const snn_chip *c);
uint64_t snn_chip_number(const snn_chip *c);
uint64_t
snn_chip_seed(const snn_chip *c); /* of all its random streams; a loaded chip has the one it was made with */
/* Reads of each row that the chip has seen; they come on top of a condition's. Saved with the chip. */
uint64_t snn_chip_reads(const snn_chip *c);
void snn_chip_add_reads(snn_chip *c, uint64_t reads);

/* Where a logical cell really stands after repair. */
snn_cell snn_chip_place(const snn_chip *c, const snn_cell *logical);
snn_cell_fault snn_chip_fault(const snn_chip *c, const snn_cell *physical);
/* Level that programming aimed at. */
int snn_chip_level(const snn_chip *c, const snn_cell *logical);
/* Conductance [uS] of one cell, and of a whole array (g [map->options.rows][map->options.columns], unused cells: lowest level, as programmed), under a condition. The plain definition that
 * everything faster is tested against. */
bool snn_chip_conductance(const snn_chip *c, const snn_condition *when, const snn_cell *logical, double *g,
                          snn_error *err);
bool snn_chip_conductances(const snn_chip *c, const snn_condition *when, uint32_t tile, float *g,
                           snn_error *err);

/* Chip files (HDF5): seed, number, options, stored codes, repair, faults and reads so far; a loaded chip gives the same conductances and reads. Atomic. Errors of load: DATA when the file is damaged or was made
 * for another map, device or model; names the difference. */
bool snn_chip_save(const snn_chip *c, const char *path, snn_error *err);
snn_chip *snn_chip_load(const snn_map *map, const snn_hw_options *o, const char *path, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
