/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of the probe's lanes for x86-64 with AVX2. */
#include <immintrin.h>

#define VECTOR_BYTES 32
#define KERNELS snn_lanes_kernels_avx2
/* Compilers take a detour over halves. */
#define WIDEN(p) _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(p)))
#include "probe_lanes_kernels_body.h"
