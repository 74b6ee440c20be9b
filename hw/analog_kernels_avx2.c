/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of analogue read-out for x86-64 with AVX2. */
#define KERNELS snn_analog_kernels_avx2
#define KERNELS_TEXT "avx2"
#include "analog_kernels_body.h"
