/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of analogue read-out in portable C, and the choice among the sets. */
#define KERNELS snn_analog_kernels_plain
#define KERNELS_TEXT "plain"
#include "analog_kernels_body.h"

const snn_analog_kernels *snn_analog_kernels_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return &snn_analog_kernels_avx512;
    if (level == SNN_SIMD_AVX2)
        return &snn_analog_kernels_avx2;
#endif
    (void)level;
    return &snn_analog_kernels_plain;
}
