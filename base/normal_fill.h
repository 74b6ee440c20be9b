/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside base/: normal deviates of many words, one kernel for each instruction set. */
#ifndef SNNSIM_BASE_NORMAL_FILL_H
#define SNNSIM_BASE_NORMAL_FILL_H

#include <snnsim/cpu.h>
#include <stdint.h>

/* Words whose uniform deviate (w + 1/2) / 2^32 lies within SNN_NORMAL_CENTRE of 1/2: 0.075 * 2^32 - 1/2 = 322122546.7, and the mirror image. */
#define SNN_NORMAL_CENTRE_FIRST 322122547u
#define SNN_NORMAL_CENTRE_LAST (UINT32_MAX - SNN_NORMAL_CENTRE_FIRST)

typedef void snn_normal_kernel(const uint32_t *restrict word, size_t n, double *restrict z);
snn_normal_kernel snn_normal_fill_plain;
#if defined(__x86_64__)
snn_normal_kernel snn_normal_fill_avx2, snn_normal_fill_avx512;
#endif
/* The kernel of a level (which the CPU must have). */
snn_normal_kernel *snn_normal_kernel_for(snn_simd level);

/* snn_normal_quantile of a word's deviate, for words outside the centre. */
double snn_normal_outer_word(uint32_t word);

#endif
