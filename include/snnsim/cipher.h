/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two block ciphers of the decryption circuits, block by block: PRINCE (J. Borghoff et al., "PRINCE - A Low-Latency Block Cipher for Pervasive Computing Applications", ASIACRYPT
 * 2012), which the decryptor may use, and AES-128 (FIPS 197), the baseline. They model hardware: tables are looked up by secret bytes, so keep them away from secrets that others' code
 * on the same machine must not find out.
 */
#ifndef SNNSIM_CIPHER_H
#define SNNSIM_CIPHER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers as the paper prints them: the first hexadecimal digit is the most significant. */
uint64_t snn_prince_encrypt(uint64_t k0, uint64_t k1, uint64_t block);
uint64_t snn_prince_decrypt(uint64_t k0, uint64_t k1, uint64_t block);

#define SNN_AES_ROUNDS 10
typedef struct {
    uint8_t round[SNN_AES_ROUNDS + 1][16]; /* round keys */
} snn_aes;

/* Bytes in the order in which FIPS 197 prints them. */
void snn_aes_init(snn_aes *a, const uint8_t key[16]);
void snn_aes_encrypt(const snn_aes *a, const uint8_t in[16], uint8_t out[16]);

#ifdef __cplusplus
}
#endif
#endif
