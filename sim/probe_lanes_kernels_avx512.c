/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of the probe's lanes for x86-64 with AVX-512. */
#include <immintrin.h>

#define VECTOR_BYTES 64
#define KERNELS snn_lanes_kernels_avx512
/* Compilers take a detour over halves. */
#define WIDEN(p) _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)(const void *)(p)))
#include "probe_lanes_kernels_body.h"
