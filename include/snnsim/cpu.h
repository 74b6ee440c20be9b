/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which SIMD kernels run, and how many threads. */
#ifndef SNNSIM_CPU_H
#define SNNSIM_CPU_H

#include <snnsim/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_SIMD_PLAIN = 0,  /* portable C, on any machine: the twin that the others are tested against */
    SNN_SIMD_AVX2 = 1,   /* x86-64 with AVX2 */
    SNN_SIMD_AVX512 = 2, /* x86-64 with AVX-512 F, BW, DQ, VL and VNNI */
    SNN_SIMD_LEVELS = 3
} snn_simd;

/* The best level that this CPU (and operating system) and this build offer. */
snn_simd snn_simd_best(void);
/* "plain", "avx2", "avx512". */
const char *snn_simd_name(snn_simd level);
/* Parses a name or "auto" (best level). Errors: USAGE for an unknown name or a level that this CPU lacks. */
bool snn_simd_parse(const char *name, snn_simd *level, snn_error *err);

/* requested > 0: that many; 0: the CPUs this process may use (affinity mask and OMP_NUM_THREADS respected). */
int snn_threads(int requested);

/* Seconds on a monotonic clock. */
double snn_now(void);
/* Largest resident set of this process so far, in bytes. */
size_t snn_peak_memory(void);

#ifdef __cplusplus
}
#endif
#endif
