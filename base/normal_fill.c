/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal deviates of words: the plain kernel, and the choice among kernels. */
#define NORMAL_FILL snn_normal_fill_plain
#include "normal_fill_body.h"

#include <snnsim/portable_math.h>
#include <snnsim/random.h>

double snn_normal_outer_word(uint32_t word) {
    return snn_normal_quantile(((double)word + 0.5) * 0x1p-32);
}

snn_normal_kernel *snn_normal_kernel_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return snn_normal_fill_avx512;
    if (level == SNN_SIMD_AVX2)
        return snn_normal_fill_avx2;
#endif
    (void)level;
    return snn_normal_fill_plain;
}

void snn_random_normals(const uint32_t *word, size_t n, double *z) {
    snn_normal_kernel_for(snn_simd_best())(word, n, z);
}
