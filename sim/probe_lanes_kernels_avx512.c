/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of the probe's lanes for x86-64 with AVX-512. */
#define VECTOR_BYTES 64
#define KERNELS snn_lanes_kernels_avx512
#include "probe_lanes_kernels_body.h"
