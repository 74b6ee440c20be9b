/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests: known answers from Python's hashlib (blake2b, digest_size=32). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <snnsim/digest.h>

static void check(snn_digest *d, const char *want) {
    uint8_t bytes[SNN_DIGEST_BYTES];
    char hex[SNN_DIGEST_HEX];
    snn_digest_final(d, bytes);
    snn_digest_hex(bytes, hex);
    assert_string_equal(hex, want);
}

static void known_answers(void **state) {
    (void)state;
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_bytes(&d, NULL, 0);
    check(&d, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    snn_digest_init(&d);
    snn_digest_bytes(&d, "ab", 2);
    snn_digest_bytes(&d, "c", 1);
    check(&d, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void words_are_little_endian(void **state) {
    (void)state;
    snn_digest d;
    const uint32_t word[2] = {0x04030201, 0x08070605};
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    char want[SNN_DIGEST_HEX];
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_init(&d);
    snn_digest_bytes(&d, bytes, sizeof bytes);
    snn_digest_final(&d, out);
    snn_digest_hex(out, want);
    snn_digest_init(&d);
    snn_digest_u32(&d, word, 2);
    snn_digest_u64(&d, 0x100f0e0d0c0b0a09u);
    check(&d, want);
}

static void many_words(void **state) {
    (void)state;
    /* 0 .. 999 as little-endian uint32: crosses the chunks in which words are converted */
    uint32_t word[1000];
    for (uint32_t i = 0; i < 1000; i++)
        word[i] = i;
    snn_digest d;
    snn_digest_init(&d);
    snn_digest_u32(&d, word, 1000);
    check(&d, "7faf017858ce5d3f116d6ec579d281d38540a7d9a470c826d4f4fa3d45edfe82");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(words_are_little_endian),
        cmocka_unit_test(many_words),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
