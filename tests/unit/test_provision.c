/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Provisioning: what comes out of the loaded decryptor is the key's bits and nothing else; how full tables get; what cannot be placed. */
#include "decryptor_test.h"

/* As the N-MNIST network on arrays of 128 lanes. */
static snn_decryptor_shape shape_of(snn_decryptor_kind kind, uint32_t keys) {
    return (snn_decryptor_shape){
        .kind = kind, .address = 14, .lanes = 128, .bits = 8, .keyable = 2, .keys = keys, .ways = 4};
}
enum { ROWS = 9760 };

static snn_provision make(const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n, uint64_t seed) {
    snn_error err = {0};
    snn_provision p;
    if (!snn_provision_make(&p, s, bit, n, seed, &err))
        fail_msg("%s", err.text);
    return p;
}

static void check(const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n, const snn_provision *p) {
    snn_decryptor *d = test_decryptor(s);
    uint8_t expected[128], code[128];
    snn_provision_load(p, d);
    for (uint32_t row = 0; row < 1U << s->address; row++) {
        bool here = row % 61 == 0; /* all keyed rows, and some of the others */
        for (size_t i = 0; !here && i < n; i++)
            here = bit[i].row == row;
        memset(code, 0, sizeof code);
        snn_decryptor_apply(d, row, code);
        test_expected(s, bit, here ? n : 0, row, expected);
        assert_memory_equal(code, expected, s->lanes);
    }
    snn_decryptor_free(d);
}

static void check_counts(const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n,
                         const snn_provision *p) {
    uint32_t sum = 0, rows = 0, most = 0;
    for (uint32_t way = 0; way < s->ways; way++) {
        assert_true(p->fill[way] <= s->keys / s->ways);
        sum += p->fill[way];
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t here = 0;
        bool first = true;
        for (size_t k = 0; k < n; k++) {
            here += bit[k].row == bit[i].row;
            first &= k >= i || bit[k].row != bit[i].row;
        }
        rows += first;
        most = here > most ? here : most;
    }
    assert_int_equal(sum, n);
    assert_int_equal(p->keys, n);
    assert_int_equal(p->places, s->keys);
    assert_int_equal(p->rows, rows);
    assert_int_equal(p->most, most);
}

static void stores(void **state) {
    (void)state;
    static const uint32_t size[] = {0, 1, 4, 10, 50, 100, 500};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (int kind = SNN_DEC_CAM; kind <= SNN_DEC_TABLE; kind++) {
            snn_decryptor_shape s = shape_of((snn_decryptor_kind)kind, 0);
            s.keys = snn_provision_keys(s.kind, size[i] ? size[i] : 1, s.ways);
            snn_row_bit *bit = test_bits(&s, ROWS, size[i], 4, i);
            snn_provision p = make(&s, bit, size[i], 7);
            check(&s, bit, size[i], &p);
            check_counts(&s, bit, size[i], &p);
            assert_int_equal(p.draws > 0, kind == SNN_DEC_TABLE);
            snn_provision_free(&p);
            free(bit);
        }
}

static void sizes(void **state) {
    (void)state;
    assert_int_equal(snn_provision_keys(SNN_DEC_CAM, 1, 4), 4);
    assert_int_equal(snn_provision_keys(SNN_DEC_CAM, 50, 4), 52);
    assert_int_equal(snn_provision_keys(SNN_DEC_CAM, 52, 4), 52);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 1, 4), 8);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 10, 4), 16);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 50, 4), 64);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 16, 4), 16);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 63, 4), 64);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 64, 4), 128);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 502, 4), 512);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 503, 4), 1024);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, 500, 4), 512);
    assert_int_equal(snn_provision_keys(SNN_DEC_PRINCE, 500, 4), 0);
    assert_int_equal(snn_provision_keys(SNN_DEC_CAM, 5, 0), 0);
    assert_int_equal(snn_provision_keys(SNN_DEC_TABLE, UINT32_MAX, 1), UINT32_MAX);
}

/* Tables without a free place, several keys. Full slots: all rows with 4 bits. */
static void full(void **state) {
    (void)state;
    uint32_t draws = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const snn_decryptor_shape s = shape_of(SNN_DEC_TABLE, 64);
        snn_row_bit *bit = test_bits(&s, ROWS, 64, 4, 100 + seed);
        snn_provision p = make(&s, bit, 64, seed);
        check(&s, bit, 64, &p);
        draws += p.draws;
        snn_provision_free(&p);
        free(bit);
    }
    assert_in_range(draws, 9, 80); /* some need another hash */
    const snn_decryptor_shape s = shape_of(SNN_DEC_CAM, 40);
    snn_row_bit *bit = test_bits(&s, 10, 40, 4, 5);
    snn_provision p = make(&s, bit, 40, 1);
    check(&s, bit, 40, &p);
    for (int way = 0; way < 4; way++)
        assert_int_equal(p.fill[way], 10);
    assert_int_equal(p.most, 4);
    assert_int_equal(p.rows, 10);
    snn_provision_free(&p);
    free(bit);
}

/* Same seed, same contents; another seed, other keys. */
static void seeds(void **state) {
    (void)state;
    for (int kind = SNN_DEC_TABLE; kind < SNN_DECS; kind++) {
        const snn_decryptor_shape s = shape_of((snn_decryptor_kind)kind, 16);
        snn_row_bit *bit = test_bits(&s, ROWS, 10, 4, 3);
        snn_provision a = make(&s, bit, 10, 1), b = make(&s, bit, 10, 1), c = make(&s, bit, 10, 2);
        assert_int_equal(a.writes, b.writes);
        assert_int_equal(a.writes, kind == SNN_DEC_TABLE    ? 16 + 8
                                   : kind == SNN_DEC_PRINCE ? 3
                                   : kind == SNN_DEC_AES    ? 2
                                                            : 16);
        bool differ = false;
        for (size_t i = 0; i < a.writes; i++) {
            assert_true(a.write[i].address == b.write[i].address && a.write[i].data == b.write[i].data);
            differ |= a.write[i].data != c.write[i].data;
        }
        assert_true(differ);
        if (kind == SNN_DEC_PRINCE)
            assert_int_equal(a.write[2].data >> 32, 0);
        snn_provision_free(&a);
        snn_provision_free(&b);
        snn_provision_free(&c);
        free(bit);
    }
}

/* Provisioning again replaces everything that stood in the store. */
static void replaces(void **state) {
    (void)state;
    for (int kind = SNN_DEC_CAM; kind <= SNN_DEC_TABLE; kind++) {
        const snn_decryptor_shape s = shape_of((snn_decryptor_kind)kind, 64);
        snn_row_bit *old = test_bits(&s, ROWS, 50, 4, 1), *new = test_bits(&s, ROWS, 3, 4, 2);
        snn_provision a = make(&s, old, 50, 1), b = make(&s, new, 3, 2);
        snn_decryptor *d = test_decryptor(&s);
        snn_provision_load(&a, d);
        snn_provision_load(&b, d);
        for (size_t i = 0; i < 50; i++) {
            uint8_t code[128] = {0}, expected[128];
            test_expected(&s, new, 3, old[i].row, expected);
            snn_decryptor_apply(d, old[i].row, code);
            assert_memory_equal(code, expected, 128);
        }
        snn_decryptor_free(d);
        snn_provision_free(&a);
        snn_provision_free(&b);
        free(old);
        free(new);
    }
}

static void ciphers_an_array(void **state) {
    (void)state;
    for (int kind = 0; kind < SNN_DECS; kind++) {
        snn_decryptor_shape s = shape_of((snn_decryptor_kind)kind, 16);
        s.address = 5;
        snn_row_bit *bit = test_bits(&s, 32, 10, 4, 3);
        snn_provision p = make(&s, bit, 10, 1);
        snn_decryptor *d = test_decryptor(&s);
        snn_provision_load(&p, d);
        uint8_t plain[32 * 128], array[32 * 128];
        for (size_t i = 0; i < sizeof plain; i++)
            plain[i] = (uint8_t)(i * 37);
        memcpy(array, plain, sizeof plain);
        snn_provision_cipher(d, array, 32);
        assert_int_equal(memcmp(array, plain, sizeof plain) == 0, kind == SNN_DEC_PASS);
        if (kind == SNN_DEC_PRINCE) /* other bits than the keyable ones stay */
            for (size_t i = 0; i < sizeof plain; i++)
                assert_int_equal((array[i] ^ plain[i]) & 0x3f, 0);
        snn_provision_cipher(d, array, 32);
        assert_memory_equal(array, plain, sizeof plain);
        snn_decryptor_free(d);
        snn_provision_free(&p);
        free(bit);
    }
}

/* ---- what cannot be placed ---- */

static void refuses(const snn_decryptor_shape *s, const snn_row_bit *bit, size_t n, snn_code code,
                    const char *part) {
    snn_error err = {0};
    snn_provision p;
    if (snn_provision_make(&p, s, bit, n, 1, &err))
        fail_msg("accepted: %s", part);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
    assert_int_equal(err.code, code);
    assert_true(p.write == NULL && p.fill == NULL);
}

static void impossible(void **state) {
    (void)state;
    for (int kind = SNN_DEC_CAM; kind <= SNN_DEC_TABLE; kind++) {
        snn_decryptor_shape s = shape_of((snn_decryptor_kind)kind, 8);
        snn_row_bit bit[9] = {{5, 0, 0}, {7, 1, 0}, {7, 2, 1}, {7, 127, 1}, {7, 3, 0}, {7, 3, 1}, {8, 0, 0}};
        refuses(&s, bit, 6, SNN_ERR_CRITERION,
                "row word 7 has 5 keyed bits, the decryptor takes 4 of a row word");
        bit[5].row = 9;
        snn_provision p = make(&s, bit, 7, 1);
        assert_int_equal(p.most, 4);
        snn_provision_free(&p);
        bit[2].bit = 2;
        refuses(&s, bit, 7, SNN_ERR_CRITERION,
                "row word 7, lane 2: bit 2 is keyed, but the decryptor keys the 2 most");
        bit[2].bit = 8;
        refuses(&s, bit, 7, SNN_ERR_DATA, "keyed bit 8 of lane 2 in row word 7 is outside");
        bit[2] = (snn_row_bit){7, 128, 0};
        refuses(&s, bit, 7, SNN_ERR_DATA, "lane 128");
        bit[2] = (snn_row_bit){1U << 14, 0, 0};
        refuses(&s, bit, 7, SNN_ERR_DATA, "row word 16384");
        bit[2] = bit[0];
        refuses(&s, bit, 7, SNN_ERR_DATA, "row word 5, lane 0: bit 0 is keyed twice");
        for (uint32_t i = 0; i < 9; i++)
            bit[i] = (snn_row_bit){i, i, 0};
        refuses(&s, bit, 9, SNN_ERR_CRITERION, "9 keyed bits, the decryptor's key store has 8 entries");
        s.keys = 7;
        refuses(&s, bit, 1, SNN_ERR_USAGE, "cannot have 7 entries");
    }
}

/* One way: no choice but the hash. */
static void hashes(void **state) {
    (void)state;
    const snn_decryptor_shape s = {
        .kind = SNN_DEC_TABLE, .address = 4, .lanes = 8, .bits = 8, .keyable = 1, .keys = 2, .ways = 1};
    const snn_row_bit apart[2] = {{0, 0, 0}, {2, 0, 0}};
    uint32_t draws = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        snn_provision p = make(&s, apart, 2, seed);
        check(&s, apart, 2, &p);
        draws += p.draws;
        snn_provision_free(&p);
    }
    assert_in_range(draws, 25, 80); /* each draw works with probability 1/2 */
    /* two bits of a row have one place */
    const snn_decryptor_shape tight = {
        .kind = SNN_DEC_TABLE, .address = 4, .lanes = 8, .bits = 8, .keyable = 1, .keys = 4, .ways = 2};
    const snn_row_bit full[4] = {{6, 0, 0}, {6, 1, 0}, {7, 0, 0}, {7, 1, 0}};
    snn_provision p = make(&tight, full, 4, 1);
    check(&tight, full, 4, &p);
    assert_int_equal(p.draws, 1);
    snn_provision_free(&p);
}

/* Sets are sums: rows 0, 1 and a, b of one way with 4 sets; a ^ b = 1 and equal tags of a and b would be rows of one tag. Rows 0, 5, 8, 13 (tags 0, 1, 2, 3; lo 0, 1, 0, 1): sets 0, 1 + x, y, 1 + x + y:
 * all different needs 1 + x, y independent, which some draw gives. */
static void no_hash(void **state) {
    (void)state;
    const snn_decryptor_shape one = {
        .kind = SNN_DEC_TABLE, .address = 4, .lanes = 8, .bits = 8, .keyable = 1, .keys = 4, .ways = 1};
    const snn_row_bit independent[4] = {{0, 0, 0}, {5, 0, 0}, {8, 0, 0}, {13, 0, 0}};
    snn_provision p = make(&one, independent, 4, 3);
    check(&one, independent, 4, &p);
    snn_provision_free(&p);
    /* tags 0, 1, 2, 3 with lo 0, 0, 0, 1: sets 0, x, y, x + y + 1; x + y + 1 is another one than these only if it is x + y, which it is not */
    const snn_row_bit dependent[4] = {{0, 0, 0}, {4, 0, 0}, {8, 0, 0}, {13, 0, 0}};
    refuses(&one, dependent, 4, SNN_ERR_CRITERION,
            "no place for 4 keyed bits in a key table of 1 ways x 4 entries: 1000 hash");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),      cmocka_unit_test(stores),   cmocka_unit_test(full),
        cmocka_unit_test(seeds),      cmocka_unit_test(replaces), cmocka_unit_test(ciphers_an_array),
        cmocka_unit_test(impossible), cmocka_unit_test(hashes),   cmocka_unit_test(no_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
