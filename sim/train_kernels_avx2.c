/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training kernels for x86-64 with AVX2. */
#define VECTOR_FLOATS 8
#define PASS_LANES 64
#define KERNELS snn_train_kernels_avx2
#define KERNELS_TEXT "avx2"
#include "train_kernels_body.h"
