/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of analogue read-out for x86-64 with AVX-512. */
#define KERNELS snn_analog_kernels_avx512
#define KERNELS_TEXT "avx512"
#include "analog_kernels_body.h"
