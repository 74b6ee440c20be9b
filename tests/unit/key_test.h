/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of keys share: small weights of random codes, key files made by hand. */
#ifndef SNNSIM_TESTS_KEY_TEST_H
#define SNNSIM_TESTS_KEY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include <snnsim/key.h>
#include <snnsim/random.h>

/* One tensor `name` of rows x columns random codes (every code of that many bits, -0 included). */
static inline void fill_tensor(snn_tensor *t, const char *name, snn_encoding encoding, int bits,
                               uint64_t rows, uint64_t columns, snn_random *r) {
    *t = (snn_tensor){.type = bits == 32  ? SNN_FLOAT32
                              : bits <= 8 ? SNN_CODE_8
                                          : SNN_CODE_16,
                      .encoding = encoding,
                      .bits = bits,
                      .dims = 2,
                      .shape = {rows, columns},
                      .count = rows * columns,
                      .scales = bits == 32 ? 0 : 1};
    snprintf(t->name, sizeof t->name, "%s", name);
    t->data = calloc(t->count, 4);
    assert_non_null(t->data);
    for (uint64_t i = 0; i < t->count; i++) {
        uint32_t code = snn_random_u32(r) & (uint32_t)((UINT64_C(1) << bits) - 1);
        if (t->type == SNN_CODE_8)
            t->code8[i] = (uint8_t)code;
        else if (t->type == SNN_CODE_16)
            t->code16[i] = (uint16_t)code;
        else
            t->value[i] = (float)code;
    }
    if (t->scales) {
        t->scale = malloc(sizeof *t->scale);
        assert_non_null(t->scale);
        *t->scale = 0.25f;
    }
}

/* "conv" of 3 x 5 codes of `bits` bits and "fc" of 4 x 7 of 8. */
static inline snn_weights *small_weights(snn_encoding encoding, int bits, uint64_t seed) {
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_TEST, 0);
    snn_weights *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->tensors = 2;
    w->tensor = calloc(2, sizeof *w->tensor);
    assert_non_null(w->tensor);
    fill_tensor(&w->tensor[0], "conv", encoding, bits, 3, 5, &r);
    fill_tensor(&w->tensor[1], "fc", encoding, 8, 4, 7, &r);
    return w;
}

/* Weights of one tensor "fc" of 8 bits with so many weights, all zero. */
static inline snn_weights *wide_weights(uint64_t count) {
    snn_weights *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->tensors = 1;
    w->tensor = calloc(1, sizeof *w->tensor);
    assert_non_null(w->tensor);
    snn_random r;
    snn_random_init(&r, 1, SNN_PURPOSE_TEST, 0);
    fill_tensor(w->tensor, "fc", SNN_SIGN_MAGNITUDE, 8, 1, count, &r);
    return w;
}

/* ---- files by hand ---- */

enum { KEY_HEAD = 144 }; /* bytes in front of the payload */

static inline void put(uint8_t *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static inline void key_head(uint8_t head[KEY_HEAD], bool sealed, uint64_t ops, uint64_t memory,
                            uint64_t payload) {
    memset(head, 0, KEY_HEAD);
    memcpy(head, "snnsim key: tells which bits of a model are encrypted (secret).\n", 64);
    put(head + 64, 2, 4);
    put(head + 136, payload, 8);
    if (!sealed)
        return;
    put(head + 68, 1, 4);
    put(head + 72, 2, 4);
    put(head + 80, ops, 8);
    put(head + 88, memory, 8);
    for (int i = 0; i < 40; i++)
        head[96 + i] = (uint8_t)(i * 7 + 1);
}

static inline void write_bytes(const char *path, const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* Bytes of a file; free them. */
static inline uint8_t *read_bytes(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *data = malloc(1 << 20);
    assert_non_null(data);
    *size = fread(data, 1, 1 << 20, f);
    assert_int_equal(fclose(f), 0);
    return data;
}

/* A key file in clear around a payload. */
static inline void write_clear(const char *path, const uint8_t *payload, size_t size) {
    uint8_t *file = calloc(1, KEY_HEAD + size + 32);
    assert_non_null(file);
    key_head(file, false, 0, 0, size);
    memcpy(file + KEY_HEAD, payload, size);
    crypto_generichash(file + KEY_HEAD + size, 32, file, KEY_HEAD + size, NULL, 0);
    write_bytes(path, file, KEY_HEAD + size + 32);
    free(file);
}

/* A sealed one, by limits that cost little. */
static inline void write_sealed(const char *path, const uint8_t *payload, size_t size,
                                const char *passphrase) {
    uint8_t *file = calloc(1, KEY_HEAD + size + 16), key[32];
    assert_non_null(file);
    key_head(file, true, 1, 8192, size);
    assert_int_equal(crypto_pwhash(key, 32, passphrase, strlen(passphrase), file + 96, 1, 8192, 2), 0);
    crypto_aead_xchacha20poly1305_ietf_encrypt(file + KEY_HEAD, NULL, payload, size, file, KEY_HEAD, NULL,
                                               file + 112, key);
    write_bytes(path, file, KEY_HEAD + size + 16);
    free(file);
}

/* The payload of a key with bits (0, 2, 1), (1, 5, 0) and (1, 5, 7) of small_weights(sign_magnitude, 4), after one with (0, 2, 3) and (1, 27, 0). */
enum { KEY_PAYLOAD = 4096 };
static inline void hand_payload(uint8_t payload[KEY_PAYLOAD]) {
    memset(payload, 0, KEY_PAYLOAD);
    memcpy(payload, "xor", 3);
    put(payload + 8, UINT64_C(0x1122334455667788), 8);
    memset(payload + 16, 0xab, 32);
    memset(payload + 48, 0xcd, 32);
    put(payload + 80, 2, 4);
    put(payload + 88, 3, 8);
    memset(payload + 96, 0xef, 32); /* of the network */
    put(payload + 128, 2, 8);
    put(payload + 136, 1, 4);
    memcpy(payload + 144, "conv", 4);
    put(payload + 144 + 36, 4, 4);
    put(payload + 144 + 40, 15, 8);
    put(payload + 144 + 48, 1, 8);
    memcpy(payload + 208, "fc", 2);
    put(payload + 208 + 32, 2, 4); /* offset binary */
    put(payload + 208 + 36, 8, 4);
    put(payload + 208 + 40, 28, 8);
    put(payload + 208 + 48, 2, 8);
    static const uint64_t flip[5][3] = {{0, 1, 2},
                                        {1, 0, 5},
                                        {1, 7, 5}, /* tensor, bit, index */
                                        {0, 3, 2},
                                        {1, 0, 27}}; /* the last two are retired */
    for (int i = 0; i < 5; i++) {
        put(payload + 272 + 16 * i, flip[i][0], 4);
        put(payload + 276 + 16 * i, flip[i][1], 4);
        put(payload + 280 + 16 * i, flip[i][2], 8);
    }
}

static inline snn_secret secret_of(const char *text) {
    snn_secret s;
    snn_error err = {0};
    if (!snn_secret_set(&s, text, strlen(text), &err))
        fail_msg("%s", err.text);
    return s;
}

#endif
