/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal deviates of words: the body compiled for AVX2. */
#define NORMAL_FILL snn_normal_fill_avx2
#include "normal_fill_body.h"
