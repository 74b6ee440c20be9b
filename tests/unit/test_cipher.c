/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The block ciphers against what their authors published. */
#include <snnsim/cipher.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Appendix A of the paper. */
static const struct {
    uint64_t plain, k0, k1, cipher;
} prince[] = {
    {0, 0, 0, UINT64_C(0x818665aa0d02dfda)},
    {UINT64_MAX, 0, 0, UINT64_C(0x604ae6ca03c20ada)},
    {0, UINT64_MAX, 0, UINT64_C(0x9fb51935fc3df524)},
    {0, 0, UINT64_MAX, UINT64_C(0x78a54cbe737bb7ef)},
    {UINT64_C(0x0123456789abcdef), 0, UINT64_C(0xfedcba9876543210), UINT64_C(0xae25ad3ca8fa9ccf)},
};

static void prince_published(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof prince / sizeof *prince; i++) {
        assert_int_equal(snn_prince_encrypt(prince[i].k0, prince[i].k1, prince[i].plain), prince[i].cipher);
        assert_int_equal(snn_prince_decrypt(prince[i].k0, prince[i].k1, prince[i].cipher), prince[i].plain);
    }
}

/* Keys with both halves in use, which no published vector has: k0' must be inverted by decryption. */
static void prince_back(void **state) {
    (void)state;
    uint64_t x = 1;
    for (int i = 0; i < 1000; i++) {
        const uint64_t k0 = x * UINT64_C(0x9e3779b97f4a7c15), k1 = k0 * UINT64_C(0xbf58476d1ce4e5b9);
        const uint64_t c = snn_prince_encrypt(k0, k1, x);
        assert_int_equal(snn_prince_decrypt(k0, k1, c), x);
        x = c;
    }
}

static void bytes(const char *hex, uint8_t out[16]) {
    for (int i = 0; i < 16; i++)
        assert_int_equal(sscanf(hex + 2 * i, "%2" SCNx8, &out[i]), 1);
}

static void aes_is(const char *key, const char *plain, const char *cipher) {
    uint8_t k[16], p[16], c[16], out[16];
    bytes(key, k);
    bytes(plain, p);
    bytes(cipher, c);
    snn_aes a;
    snn_aes_init(&a, k);
    snn_aes_encrypt(&a, p, out);
    assert_memory_equal(out, c, 16);
    snn_aes_encrypt(&a, p, p); /* in place */
    assert_memory_equal(p, c, 16);
}

static void aes_published(void **state) {
    (void)state;
    aes_is("2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734",
           "3925841d02dc09fbdc118597196a0b32"); /* FIPS 197, appendix B */
    aes_is("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
           "69c4e0d86a7b0430d8cdb78070b4c55a"); /* appendix C.1 */
}

static void aes_key_schedule(void **state) {
    (void)state;
    uint8_t k[16], last[16];
    snn_aes a;
    bytes("2b7e151628aed2a6abf7158809cf4f3c", k);
    bytes("d014f9a8c9ee2589e13f0cc8b6630ca6", last); /* FIPS 197, appendix A.1: w40 .. w43 */
    snn_aes_init(&a, k);
    assert_memory_equal(a.round[0], k, 16);
    assert_memory_equal(a.round[SNN_AES_ROUNDS], last, 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prince_published),
        cmocka_unit_test(prince_back),
        cmocka_unit_test(aes_published),
        cmocka_unit_test(aes_key_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
