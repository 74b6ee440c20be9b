/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tile: what all lanes do at once. Loops are plain and vectorise; each encoding has its own. */
#include "tile_internal.h"

void snn_tile_decrypt(const snn_tile *t) {
    const uint32_t lanes = t->shape.decryptor.lanes;
    const uint8_t *restrict sensed = t->sense, *restrict mask = snn_decryptor_mask(t->decryptor);
    uint8_t *restrict out = t->decrypted;
    for (uint32_t l = 0; l < lanes; l++)
        out[l] = sensed[l] ^ mask[l];
}

/* Sums are taken modulo 2^32, as in the circuit; the engine refuses layers that could get there. */
static void add_sign_magnitude(uint32_t *restrict sum, const uint8_t *restrict code, uint32_t lanes,
                               int bits) {
    const uint32_t top = bits - 1, rest = (1U << top) - 1;
    for (uint32_t l = 0; l < lanes; l++) {
        const uint32_t sign = code[l] >> top, magnitude = code[l] & rest;
        sum[l] += (magnitude ^ (0 - sign)) + sign;
    }
}

/* Both are the code as a number with its top bit turned over (two's complement only) and half the range taken off. */
static void add_biased(uint32_t *restrict sum, const uint8_t *restrict code, uint32_t lanes, uint32_t turn,
                       uint32_t half) {
    for (uint32_t l = 0; l < lanes; l++)
        sum[l] += (code[l] ^ turn) - half;
}

static void add_binary(uint32_t *restrict sum, const uint8_t *restrict code, uint32_t lanes) {
    for (uint32_t l = 0; l < lanes; l++)
        sum[l] += 1U - 2U * code[l];
}

void snn_tile_add(snn_tile *t) {
    const uint32_t lanes = t->shape.decryptor.lanes, bits = t->shape.decryptor.bits, half = 1U << (bits - 1);
    uint32_t *sum = (uint32_t *)t->sum + (size_t)t->x.word * lanes;
    if (bits == 1)
        add_binary(sum, t->decrypted, lanes);
    else if (t->shape.encoding == SNN_SIGN_MAGNITUDE)
        add_sign_magnitude(sum, t->decrypted, lanes, (int)bits);
    else
        add_biased(sum, t->decrypted, lanes, t->shape.encoding == SNN_TWOS_COMPLEMENT ? half : 0, half);
}

void snn_tile_fire(snn_tile *t) {
    const snn_tile_layer *p = &t->layer;
    const size_t lanes = t->shape.decryptor.lanes, first = t->x.word * lanes;
    for (size_t l = 0; l < lanes; l++) {
        const int32_t threshold = p->threshold[first + l];
        const int64_t leaked = (int64_t)t->v[first + l] * p->decay / 4096; /* C divides toward zero */
        const int32_t now =
            (int32_t)((uint32_t)leaked + 64U * (uint32_t)t->sum[first + l] + (uint32_t)p->bias[first + l]);
        const bool spike = p->spiking && (p->at_threshold ? now >= threshold : now > threshold);
        t->membrane[l] = now;
        t->after[l] = !spike ? now : p->subtract ? (int32_t)((uint32_t)now - (uint32_t)threshold) : 0;
        t->spikes[l] = spike;
    }
}
