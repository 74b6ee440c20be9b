/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal deviates of words: the body compiled for AVX-512. */
#define NORMAL_FILL snn_normal_fill_avx512
#include "normal_fill_body.h"
