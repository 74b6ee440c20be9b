/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What faults of the decryptor do: a bit of the mask register that is stuck, an entry of the key store that is lost, single reads with a wrong mask bit. */
#ifndef SNNSIM_MASK_FAULT_H
#define SNNSIM_MASK_FAULT_H

#include <snnsim/engine.h>
#include <snnsim/rows.h>

#ifdef __cplusplus
extern "C" {
#endif

/* array [rows][lanes] holds what the adders get from a sound decryptor (plain codes). Inverts what they get otherwise; a second call puts it back. */
/* Mask bit `bit` (0 = most significant) of a lane stuck at `level`, where bit [keys] are the keyed bits: at 0 the lane's keyed words stay encrypted, at 1 all others are inverted. */
void snn_mask_stuck(const snn_rows *r, uint8_t *array, const snn_row_bit *keyed, size_t keys, uint32_t lane,
                    uint32_t bit, bool level);
/* The entry of a keyed bit is lost. */
void snn_mask_lost(const snn_rows *r, uint8_t *array, const snn_row_bit *keyed);

/*
 * Upsets: in each read of a row word each keyable mask bit is wrong with the same probability, independently (a particle, a glitch at the register). A hook for the engine.
 * Draws are keyed by (seed, tensor, sample, step). Recurrent layers included.
 */
typedef struct {
    const snn_net *net;
    const snn_weights *weights; /* as the adders get them without upsets */
    uint32_t lanes, keyable;    /* mask bits of a row word: lanes * keyable */
    double rate;                /* of a mask bit in a read */
    uint64_t seed;
} snn_upsets;
/* u and what it points to must outlive the engine. */
snn_hook snn_upsets_hook(const snn_upsets *u);

#ifdef __cplusplus
}
#endif
#endif
