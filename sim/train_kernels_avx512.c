/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training kernels for x86-64 with AVX-512. */
#include <immintrin.h>

#define VECTOR_FLOATS 16
#define PASS_LANES 64
#define KERNELS snn_train_kernels_avx512
#define KERNELS_TEXT "avx512"
#include "train_kernels_body.h"
