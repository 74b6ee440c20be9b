/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decryptor models: masks from what the provisioning port wrote, bit by bit; registers and hold cycles; impossible parameters. */
#include "decryptor_test.h"

#include <snnsim/cipher.h>

static const snn_decryptor_shape small = {
    .kind = SNN_DEC_CAM, .address = 6, .lanes = 8, .bits = 4, .keyable = 2, .keys = 8, .ways = 2};

static snn_decryptor_shape of_kind(snn_decryptor_kind kind) {
    snn_decryptor_shape s = small;
    s.kind = kind;
    return s;
}

static void mask_is(const snn_decryptor *d, uint32_t row, const uint8_t *expected) {
    uint8_t code[1024] = {0};
    const uint32_t lanes = snn_decryptor_of(d)->lanes;
    snn_decryptor_apply(d, row, code);
    assert_memory_equal(code, expected, lanes);
    memset(code, 0x5, lanes); /* applied to what stands there */
    snn_decryptor_apply(d, row, code);
    for (uint32_t l = 0; l < lanes; l++)
        assert_int_equal(code[l], expected[l] ^ 0x5);
}

static void names(void **state) {
    (void)state;
    snn_error err = {0};
    for (int k = 0; k < SNN_DECS; k++) {
        snn_decryptor_kind back = SNN_DECS;
        assert_true(snn_decryptor_parse(snn_decryptor_name((snn_decryptor_kind)k), &back, &err));
        assert_int_equal(back, k);
    }
    snn_decryptor_kind kind;
    assert_false(snn_decryptor_parse("rot13", &kind, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_non_null(strstr(err.text, "'rot13'"));
    assert_string_equal(snn_decryptor_name(SNN_DECS), "?");
}

/* Entries by hand: position 4 bits (8 lanes x 2 bits), row 6 bits, valid. */
static void cam_entries(void **state) {
    (void)state;
    snn_decryptor *d = test_decryptor(&small);
    assert_int_equal(snn_decryptor_position_bits(&small), 4);
    assert_int_equal(snn_decryptor_index_bits(&small), 0);
    snn_decryptor_write(d, (snn_prov_write){0, 1 << 10 | 37 << 4 | 7});  /* slot 0: lane 3, bit 1 */
    snn_decryptor_write(d, (snn_prov_write){3, 1 << 10 | 37 << 4 | 14}); /* slot 1: lane 7, bit 0 */
    snn_decryptor_write(d, (snn_prov_write){2, 37 << 4 | 2});            /* not valid */
    mask_is(d, 37, (uint8_t[8]){[3] = 4, [7] = 8});
    mask_is(d, 36, (uint8_t[8]){0});
    mask_is(d, 0, (uint8_t[8]){0});
    snn_decryptor_write(d, (snn_prov_write){8, 1 << 10 | 36 << 4 | 1}); /* no such entry */
    snn_decryptor_write(d, (snn_prov_write){SNN_PROV_HASH, 1 << 10 | 36 << 4 | 1});
    mask_is(d, 36, (uint8_t[8]){0});
    /* two of a slot match: its decoder gets the OR of the positions, 7 | 8 = 15 */
    snn_decryptor_write(d, (snn_prov_write){4, 1 << 10 | 37 << 4 | 8});
    mask_is(d, 37, (uint8_t[8]){[7] = 8 | 4});
    /* two slots name one position: the decoders' OR */
    snn_decryptor_write(d, (snn_prov_write){3, 1 << 10 | 37 << 4 | 15});
    mask_is(d, 37, (uint8_t[8]){[7] = 4});
    snn_decryptor_clear(d);
    mask_is(d, 37, (uint8_t[8]){0});
    snn_decryptor_free(d);
}

/* 5 lanes x 1 bit: positions 5 to 7 have no decoder output. */
static void beyond_lanes(void **state) {
    (void)state;
    snn_decryptor_shape s = small;
    s.lanes = 5;
    s.keyable = 1;
    snn_decryptor *d = test_decryptor(&s);
    assert_int_equal(snn_decryptor_position_bits(&s), 3);
    snn_decryptor_write(d, (snn_prov_write){0, 1 << 9 | 1 << 3 | 5});
    snn_decryptor_write(d, (snn_prov_write){1, 1 << 9 | 1 << 3 | 4});
    mask_is(d, 1, (uint8_t[5]){[4] = 8});
    snn_decryptor_free(d);
}

/* 2 ways of 4 sets: index 2 bits, tag 4 bits; entry = position 4, tag 4, valid. Row 37 = 1001 01. */
static void table_entries(void **state) {
    (void)state;
    const snn_decryptor_shape s = of_kind(SNN_DEC_TABLE);
    assert_int_equal(snn_decryptor_index_bits(&s), 2);
    snn_decryptor *d = test_decryptor(&s);
    /* L_0 = 0: set 01 of way 0 */
    snn_decryptor_write(d, (snn_prov_write){1, 1 << 8 | 9 << 4 | 7});
    mask_is(d, 37, (uint8_t[8]){[3] = 4});
    /* L_1: bit 0 ^= parity(hi & 1000) = 1, bit 1 ^= parity(hi & 1011) = 0 (two ones): set 00 of way 1, entry 4 */
    snn_decryptor_write(d, (snn_prov_write){SNN_PROV_HASH + 2, 8});
    snn_decryptor_write(d, (snn_prov_write){SNN_PROV_HASH + 3, 11});
    snn_decryptor_write(d, (snn_prov_write){4, 1 << 8 | 9 << 4 | 14});
    mask_is(d, 37, (uint8_t[8]){[3] = 4, [7] = 8});
    /* the same set of way 1, another tag: row 0001 00 is there with hi & 1000 = 0, hi & 1011 = 1: bit 1 is set, so row 0001 10 */
    mask_is(d, 6, (uint8_t[8]){0});
    snn_decryptor_write(d, (snn_prov_write){4, 1 << 8 | 1 << 4 | 0});
    mask_is(d, 6, (uint8_t[8]){[0] = 8});
    mask_is(d, 4, (uint8_t[8]){0});
    snn_decryptor_write(d, (snn_prov_write){4, 1 << 4 | 0}); /* not valid any more */
    mask_is(d, 6, (uint8_t[8]){0});
    snn_decryptor_write(d, (snn_prov_write){8, UINT64_MAX}); /* nothing there */
    snn_decryptor_write(d, (snn_prov_write){SNN_PROV_HASH + 4, UINT64_MAX});
    mask_is(d, 37, (uint8_t[8]){[3] = 4});
    snn_decryptor_free(d);
}

/* The keystream of the contract, out of the cipher itself: {nonce, row in 24 bits, block in 8}. */
static void prince_stream(void **state) {
    (void)state;
    const snn_decryptor_shape s = {
        .kind = SNN_DEC_PRINCE, .address = 14, .lanes = 50, .bits = 8, .keyable = 2};
    const uint64_t k0 = UINT64_C(0x0011223344556677), k1 = UINT64_C(0x8899aabbccddeeff);
    snn_decryptor *d = test_decryptor(&s);
    snn_decryptor_write(d, (snn_prov_write){0, k0});
    snn_decryptor_write(d, (snn_prov_write){1, k1});
    snn_decryptor_write(d, (snn_prov_write){2, UINT64_C(0x1deadbeef)}); /* 32 bits are kept */
    snn_decryptor_write(d, (snn_prov_write){3, 1});
    for (uint32_t row = 0x1230; row < 0x1234; row++) {
        uint8_t expected[50] = {0};
        for (uint32_t p = 0; p < 100; p++) {
            uint64_t stream = snn_prince_encrypt(k0, k1, UINT64_C(0xdeadbeef) << 32 | row << 8 | p / 64);
            expected[p / 2] |= (uint8_t)((stream >> p % 64 & 1) << (7 - p % 2));
        }
        mask_is(d, row, expected);
        mask_is(d, row, expected); /* remembered */
    }
    uint8_t before[50] = {0}, after[50] = {0};
    snn_decryptor_apply(d, 7, before);
    snn_decryptor_write(d, (snn_prov_write){2, 5});
    snn_decryptor_apply(d, 7, after);
    assert_memory_not_equal(before, after, 50);
    snn_decryptor_free(d);
}

/* FIPS 197's key as a 128-bit number in two halves; a counter block is {row, block number}. */
static void aes_stream(void **state) {
    (void)state;
    const snn_decryptor_shape s = {.kind = SNN_DEC_AES, .address = 14, .lanes = 20, .bits = 7, .keyable = 1};
    const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    snn_decryptor *d = test_decryptor(&s);
    snn_decryptor_write(d, (snn_prov_write){0, UINT64_C(0x08090a0b0c0d0e0f)});
    snn_decryptor_write(d, (snn_prov_write){1, UINT64_C(0x0001020304050607)});
    snn_decryptor_write(d, (snn_prov_write){2, 1});
    snn_aes a;
    snn_aes_init(&a, key);
    uint8_t expected[20] = {0};
    for (uint32_t i = 0; i < 140; i++) {
        uint8_t x[16] = {[13] = 0x12, [14] = 0x34, [15] = (uint8_t)(i / 128)}, y[16];
        snn_aes_encrypt(&a, x, y);
        expected[i / 7] |= (uint8_t)((y[15 - i % 128 / 8] >> i % 8 & 1) << i % 7);
    }
    mask_is(d, 0x1234, expected);
    snn_decryptor_free(d);
}

static void xor_bits(void **state) {
    (void)state;
    const snn_decryptor_shape s = {.kind = SNN_DEC_XOR, .address = 3, .lanes = 12, .bits = 6, .keyable = 1};
    snn_decryptor *d = test_decryptor(&s);
    const uint64_t w0 = UINT64_C(0xfedcba9876543210), w1 = 0xa5;
    snn_decryptor_write(d, (snn_prov_write){0, w0});
    snn_decryptor_write(d, (snn_prov_write){1, w1 | UINT64_C(0x100)}); /* bit 72 is outside */
    snn_decryptor_write(d, (snn_prov_write){2, UINT64_MAX});
    uint8_t expected[12];
    for (int l = 0; l < 12; l++) {
        expected[l] = 0;
        for (int i = 0; i < 6; i++) {
            const int at = l * 6 + i;
            expected[l] |= (uint8_t)(((at < 64 ? w0 >> at : w1 >> (at - 64)) & 1) << i);
        }
    }
    mask_is(d, 0, expected);
    mask_is(d, 7, expected);
    snn_decryptor_write(d, (snn_prov_write){0, 0}); /* overwritten, not added */
    for (int l = 0; l < 10; l++)
        expected[l] = 0;
    expected[10] = (uint8_t)((w1 & 3) << 4);
    mask_is(d, 1, expected);
    snn_decryptor_free(d);
}

/* ---- registers ---- */

static void expect_register(const snn_decryptor *d, const uint8_t *mask) {
    assert_memory_equal(snn_decryptor_mask(d), mask, 8);
    uint8_t any = 0;
    for (int l = 0; l < 8; l++)
        any |= mask[l];
    assert_int_equal(snn_decryptor_keyed(d), any != 0);
}

/* Row address register at the first edge, mask register at the second; both stand still without en. */
static void two_edges(void **state) {
    (void)state;
    const uint8_t none[8] = {0}, a[8] = {[3] = 4}, b[8] = {[7] = 8};
    snn_decryptor *d = test_decryptor(&small);
    snn_decryptor_write(d, (snn_prov_write){0, 1 << 10 | 37 << 4 | 7});
    snn_decryptor_write(d, (snn_prov_write){1, 1 << 10 | 38 << 4 | 14});
    snn_decryptor_clock(d, true, 37, true);
    expect_register(d, none);
    snn_decryptor_clock(d, true, 38, true);
    expect_register(d, a);
    snn_decryptor_clock(d, true, 1, false);
    expect_register(d, a);
    assert_false(snn_decryptor_hold(d, true));
    snn_decryptor_clock(d, false, 37, true);
    expect_register(d, b);
    snn_decryptor_clock(d, true, 37, true); /* nothing was asked for */
    expect_register(d, none);
    snn_decryptor_clock(d, false, 0, true);
    expect_register(d, a);
    snn_decryptor_clear(d);
    expect_register(d, none);
    snn_decryptor_free(d);
}

static void refuses(snn_decryptor_shape s, const char *part) {
    snn_error err = {0};
    snn_decryptor *d = snn_decryptor_new(&s, &err);
    if (d)
        fail_msg("accepted: %s", part);
    assert_int_equal(err.code, SNN_ERR_USAGE);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

static void impossible(void **state) {
    (void)state;
    snn_decryptor_shape s = small;
#define WITH(field, value, part)                                                                             \
    s = small;                                                                                               \
    s.field = value;                                                                                         \
    refuses(s, part)
    WITH(kind, SNN_DECS, "no decryptor number 6");
    WITH(address, 0, "address cannot have 0 bits");
    WITH(address, 25, "address cannot have 25 bits");
    WITH(lanes, 0, "0 lanes");
    WITH(lanes, 65537, "65537 lanes");
    WITH(bits, 0, "weights cannot have 0 bits");
    WITH(bits, 9, "weights cannot have 9 bits");
    WITH(keyable, 0, "0 keyable bits");
    WITH(keyable, 5, "5 keyable bits");
    WITH(ways, 0, "0 slots");
    WITH(ways, 65, "65 slots");
    WITH(ways, 3, "cannot have 8 entries");
    WITH(keys, 0, "cannot have 0 entries");
    WITH(keys, 32770, "cannot have 32770 entries");
    s = small;
    s.lanes = 3;
    s.keyable = 1;
    refuses(s, "at least 4 keyable bits");
    s = of_kind(SNN_DEC_TABLE);
    s.keys = 6;
    refuses(s, "cannot have 3 entries");
    s.keys = 2;
    refuses(s, "cannot have 1 entries");
    s.keys = 128;
    refuses(s, "below 2^6");
    s.keys = 64;
    snn_decryptor_free(test_decryptor(&s));
    s = (snn_decryptor_shape){.kind = SNN_DEC_PRINCE, .address = 1, .lanes = 16385, .bits = 8, .keyable = 1};
    refuses(s, "256 blocks of PRINCE");
    s.lanes = 16384;
    snn_decryptor_free(test_decryptor(&s));
    s.kind = SNN_DEC_AES;
    s.lanes = 4097;
    refuses(s, "256 blocks of AES");
    s.lanes = 4096;
    snn_decryptor_free(test_decryptor(&s));
    snn_decryptor_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),         cmocka_unit_test(cam_entries),   cmocka_unit_test(beyond_lanes),
        cmocka_unit_test(table_entries), cmocka_unit_test(prince_stream), cmocka_unit_test(aes_stream),
        cmocka_unit_test(xor_bits),      cmocka_unit_test(two_edges),     cmocka_unit_test(impossible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
