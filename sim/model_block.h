/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside sim/: the first 512 bytes of a model file, HDF5's user block, which HDF5 itself skips. It holds a line that says what the file is and the
 * digest of all bytes behind it: libhdf5 crashes on some damaged files, so damage is found before libhdf5 sees them.
 */
#ifndef SNNSIM_SIM_MODEL_BLOCK_H
#define SNNSIM_SIM_MODEL_BLOCK_H

#include <snnsim/error.h>

#include <stdint.h>

#define SNN_MODEL_BLOCK 512 /* bytes: the smallest user block of HDF5 */

/* Fills the block at the start of a file's image of `size` bytes (more than the block). */
void snn_model_block_fill(uint8_t *image, size_t size);
/* Checks a file that starts with a block; fine when it has none (made by another tool). Errors: DATA. */
bool snn_model_block_check(const char *path, snn_error *err);

#endif
