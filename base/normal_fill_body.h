/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside base/: normal deviates of words. Included once for each instruction set, with NORMAL_FILL defined as the kernel's name: plain C in a form that the compiler turns
 * into vector code. The middle of the distribution is computed for all, what lies outside is then done one by one.
 */
#include "normal.h"
#include "normal_fill.h"

#define CHUNK 256

void NORMAL_FILL(const uint32_t *restrict word, size_t n, double *restrict z) {
    uint32_t outer[CHUNK];
    while (n > 0) {
        size_t now = n < CHUNK ? n : CHUNK, outers = 0;
        for (size_t i = 0; i < now; i++)
            z[i] = snn_normal_centre_quantile(((double)word[i] + 0.5) * 0x1p-32 - 0.5);
        for (size_t i = 0; i < now; i++) { /* without a branch that would be guessed wrong 15 % of the time */
            outer[outers] = (uint32_t)i;
            outers += word[i] - SNN_NORMAL_CENTRE_FIRST > SNN_NORMAL_CENTRE_LAST - SNN_NORMAL_CENTRE_FIRST;
        }
        for (size_t k = 0; k < outers; k++)
            z[outer[k]] = snn_normal_outer_word(word[outer[k]]);
        word += now, z += now, n -= now;
    }
}
