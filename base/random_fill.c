/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many words of a random stream at once: the plain kernel, and the choice among kernels. */
#include "random_fill.h"

#include <assert.h>

void snn_philox_fill_plain(const snn_philox_start *s, size_t blocks, uint32_t *out) {
    uint32_t counter[4] = {s->counter[0], s->counter[1], s->counter[2], s->counter[3]};
    for (size_t i = 0; i < blocks; i++, counter[0]++)
        snn_philox4x32(counter, s->key, out + 4 * i);
}

snn_philox_kernel *snn_philox_kernel_for(snn_simd level) {
#if defined(__x86_64__)
    if (level == SNN_SIMD_AVX512)
        return snn_philox_fill_avx512;
    if (level == SNN_SIMD_AVX2)
        return snn_philox_fill_avx2;
#endif
    (void)level;
    return snn_philox_fill_plain;
}

void snn_random_fill(uint64_t seed, snn_purpose purpose, uint64_t index, uint64_t first_block, size_t blocks,
                     uint32_t *out) {
    assert(first_block <= (uint64_t)1 << 32 && blocks <= ((uint64_t)1 << 32) - first_block);
    if (blocks == 0)
        return;
    snn_philox_start s = {
        {(uint32_t)seed, (uint32_t)(seed >> 32)},
        {(uint32_t)first_block, (uint32_t)purpose, (uint32_t)index, (uint32_t)(index >> 32)},
    };
    snn_philox_kernel_for(snn_simd_best())(&s, blocks, out);
}
