/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside hw/: chip files, and what a chip was made with as text, so that a file can say how it differs. Layout:
 *   user block       "snnsim chip 1", digest of what follows (base/hdf5_block.c)
 *   /snnsim          attributes: format, faults (int32), seed, number, reads and the statistics of programming (uint64), digest of the weights
 *   /snnsim/made     text: the map, the device, and how it was programmed, one "name = value" a line
 *   /snnsim/weights, scales   stored codes (sim/weights_hdf5.c)
 *   /snnsim/faults   uint32 [n][4]: array, row, column, fault; of chips whose faults came from a fault map (others follow from the seed)
 *   /snnsim/rows, columns   uint32 [arrays][lines]: where logical lines stand; of chips with repair
 */
#ifndef SNNSIM_HW_CHIP_FILE_H
#define SNNSIM_HW_CHIP_FILE_H

#include "chip_internal.h"

#define SNN_CHIP_LINE "snnsim chip 1\n"
#define SNN_CHIP_FORMAT 1
#define SNN_CHIP_TEXT_MAX (16u << 20)

/* Attribute `faults`. */
typedef enum { SNN_CHIP_FAULTS_NONE, SNN_CHIP_FAULTS_SHARE, SNN_CHIP_FAULTS_LIST } snn_chip_faults;

/* Statistics in the order of the struct, with the names that their attributes have; ends with NULL. */
typedef struct {
    const char *name;
    size_t offset; /* of a uint64_t in snn_program_stats */
} snn_chip_stat;
extern const snn_chip_stat snn_chip_stats_table[];

/* What the file calls `made`; free() it. */
char *snn_chip_made(const snn_map *map, const snn_hw_options *o, snn_error *err);
/* DATA error "path: the chip was made with NAME = VALUE, here it is VALUE" for the first line that differs. */
bool snn_chip_made_same(const char *path, const char *file, const char *here, snn_error *err);

#endif
