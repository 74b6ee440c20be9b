/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PRINCE (Borghoff et al., ASIACRYPT 2012). Nibble 0 of a state is the most significant one, as in the paper. */
#include <snnsim/cipher.h>

static const uint8_t sbox[16] = {0xb, 0xf, 0x3, 0x2, 0xa, 0xc, 0x9, 0x1,
                                 0x6, 0x7, 0x8, 0x0, 0xe, 0x5, 0xd, 0x4},
                     inverse_sbox[16] = {0xb, 0x7, 0x3, 0x2, 0xf, 0xd, 0x8, 0x9,
                                         0xa, 0x6, 0x4, 0x0, 0x5, 0xe, 0xc, 0x1};

/* Digits of pi; constant i xor constant 11 - i is ALPHA: what makes decryption the same circuit. */
static const uint64_t constant[12] = {
    UINT64_C(0x0000000000000000), UINT64_C(0x13198a2e03707344), UINT64_C(0xa4093822299f31d0),
    UINT64_C(0x082efa98ec4e6c89), UINT64_C(0x452821e638d01377), UINT64_C(0xbe5466cf34e90c6c),
    UINT64_C(0x7ef84f78fd955cb1), UINT64_C(0x85840851f1ac43aa), UINT64_C(0xc882d32f25323c54),
    UINT64_C(0x64a51195e0e3610d), UINT64_C(0xd3b5a399ca0c2399), UINT64_C(0xc0ac29b7c97c50dd)};
#define ALPHA constant[11]

static uint64_t nibble(uint64_t s, int i) {
    return s >> (60 - 4 * i) & 15;
}

static uint64_t substitute(const uint8_t box[16], uint64_t s) {
    uint64_t out = 0;
    for (int i = 0; i < 16; i++)
        out = out << 4 | box[nibble(s, i)];
    return out;
}

/*
 * M': four blocks of four nibbles. Nibble j of a block is the sum of all four, nibble i without its bit (i + j) mod 4 counted from the top (M-hat 0: blocks 0 and 3) or (i + j + 1) mod 4
 * (M-hat 1: blocks 1 and 2).
 */
static uint64_t mix(uint64_t s) {
    uint64_t out = 0;
    for (int block = 0; block < 4; block++)
        for (int j = 0; j < 4; j++) {
            uint64_t sum = 0;
            for (int i = 0; i < 4; i++) {
                const int missing = (i + j + (block == 1 || block == 2)) % 4;
                sum ^= nibble(s, 4 * block + i) & ~(UINT64_C(8) >> missing);
            }
            out = out << 4 | sum;
        }
    return out;
}

/* AES's ShiftRows on nibbles: nibble i comes from 5 i mod 16; back: from 13 i. */
static uint64_t shift(uint64_t s, int factor) {
    uint64_t out = 0;
    for (int i = 0; i < 16; i++)
        out = out << 4 | nibble(s, i * factor % 16);
    return out;
}

static uint64_t core(uint64_t k1, uint64_t s) {
    s ^= k1 ^ constant[0];
    for (int r = 1; r <= 5; r++)
        s = shift(mix(substitute(sbox, s)), 5) ^ constant[r] ^ k1;
    s = substitute(inverse_sbox, mix(substitute(sbox, s)));
    for (int r = 6; r <= 10; r++)
        s = substitute(inverse_sbox, mix(shift(s ^ constant[r] ^ k1, 13)));
    return s ^ constant[11] ^ k1;
}

/* k0': the key of the output. */
static uint64_t turned(uint64_t k0) {
    return (k0 >> 1 | k0 << 63) ^ k0 >> 63;
}

uint64_t snn_prince_encrypt(uint64_t k0, uint64_t k1, uint64_t block) {
    return core(k1, block ^ k0) ^ turned(k0);
}

uint64_t snn_prince_decrypt(uint64_t k0, uint64_t k1, uint64_t block) {
    return core(k1 ^ ALPHA, block ^ turned(k0)) ^ k0;
}
