/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the decryptor models: decryptor.c (parameters, registers, the clock), decryptor_store.c (the provisioning port), decryptor_mask.c (masks from the store's contents). */
#ifndef SNNSIM_HW_DECRYPTOR_INTERNAL_H
#define SNNSIM_HW_DECRYPTOR_INTERNAL_H

#include <snnsim/cipher.h>
#include <snnsim/decryptor.h>

enum {
    SNN_AES_CYCLES = 11, /* of the iterative core for a block of 128 bits */
    SNN_DEC_WAYS = 64    /* most slots or ways */
};

/* Row addresses of the store that no row can have: entries that are not valid. */
#define SNN_DEC_NO_ROW UINT32_MAX

typedef struct {
    uint32_t *row;          /* [keys] cam: row address, table: tag; SNN_DEC_NO_ROW: not valid */
    uint32_t *position;     /* [keys] */
    uint32_t *matrix;       /* table: [ways * index_bits] rows of L_m */
    uint64_t k0, k1, nonce; /* prince; aes: low half, high half of the key */
    snn_aes aes;
    uint8_t *fixed; /* [lanes] xor */
} snn_decryptor_store;

/* Keystreams of rows that were read, as masks of codes: a cipher's result for a row changes only with the key. */
typedef struct {
    uint8_t *mask;  /* [2^address][lanes], NULL: too large to keep */
    uint8_t *known; /* [2^address] */
} snn_decryptor_cache;

struct snn_decryptor {
    snn_decryptor_shape shape;
    uint32_t position_bits, index_bits;
    uint32_t blocks; /* of keystream in a row word; 0: no cipher */
    snn_decryptor_store store;
    snn_decryptor_cache cache;
    /* registers */
    bool wanted;   /* stage S: a row was asked for */
    uint32_t row;  /* its address */
    uint32_t busy; /* aes: cycles until the keystream of the word in stage X is there */
    uint8_t *mask; /* [lanes] mask register, as XOR of codes */
    bool keyed;    /* is it not zero? */
    bool tampered; /* aes: the core is kept in reset in this cycle */
};

/* XORs row's mask onto code [lanes]; true when it is not zero. */
bool snn_decryptor_mask_row(snn_decryptor *d, uint32_t row, uint8_t *code);
void snn_decryptor_forget(snn_decryptor *d); /* keystreams of an old key */

#endif
