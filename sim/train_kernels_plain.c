/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training kernels in portable C (registers of 128 bits, which every 64-bit machine has), and the choice among the sets. */
#define VECTOR_FLOATS 4
#define PASS_LANES 32
#define KERNELS snn_train_kernels_plain
#define KERNELS_TEXT "plain"
#include "train_kernels_body.h"

const train_kernels *snn_train_kernels_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return &snn_train_kernels_avx512;
    if (level == SNN_SIMD_AVX2)
        return &snn_train_kernels_avx2;
#endif
    (void)level;
    return &snn_train_kernels_plain;
}
