/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside base/: many blocks of a Philox stream at once, one kernel for each instruction set. */
#ifndef SNNSIM_BASE_RANDOM_FILL_H
#define SNNSIM_BASE_RANDOM_FILL_H

#include <snnsim/cpu.h>
#include <snnsim/random.h>

/* Multipliers and Weyl increments of Philox4x32 (Salmon et al. 2011, section 3.3; Random123's philox.h). */
#define SNN_PHILOX_M0 0xD2511F53u
#define SNN_PHILOX_M1 0xCD9E8D57u
#define SNN_PHILOX_W0 0x9E3779B9u
#define SNN_PHILOX_W1 0xBB67AE85u
#define SNN_PHILOX_ROUNDS 10

/* Which blocks: counter[0] is the first one's number, the others are those of the stream. */
typedef struct {
    uint32_t key[2], counter[4];
} snn_philox_start;

/* out[4 * blocks]; counter[0] + blocks <= 2^32. */
typedef void snn_philox_kernel(const snn_philox_start *s, size_t blocks, uint32_t *out);
snn_philox_kernel snn_philox_fill_plain;
#if defined(__x86_64__)
snn_philox_kernel snn_philox_fill_avx2, snn_philox_fill_avx512;
#endif
/* The kernel of a level (which the CPU must have). */
snn_philox_kernel *snn_philox_kernel_for(snn_simd level);

#endif
