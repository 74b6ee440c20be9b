/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of the probe's lanes in portable C (registers of 128 bits, which every 64-bit machine has), and the choice among the sets. */
#define VECTOR_BYTES 16
#define KERNELS snn_lanes_kernels_plain
#include "probe_lanes_kernels_body.h"

const lanes_kernels *snn_lanes_kernels_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return &snn_lanes_kernels_avx512;
    if (level == SNN_SIMD_AVX2)
        return &snn_lanes_kernels_avx2;
#endif
    (void)level;
    return &snn_lanes_kernels_plain;
}
