/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels of the probe's lanes for x86-64 with AVX2. */
#define VECTOR_BYTES 32
#define KERNELS snn_lanes_kernels_avx2
#include "probe_lanes_kernels_body.h"
