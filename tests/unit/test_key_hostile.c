/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key files that are damaged, cut, tampered with or made to harm: every byte counts, and the sentence says why. */
#include "key_test.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

/* A file in memory: on disks, thousands of files that are written over take a minute. */
static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("key", 0));
    return sodium_init() < 0;
}

/* Loading fails with DATA (or the given code) and "<path>: <text>". */
static void refused(const char *text, snn_code code, const snn_secret *s) {
    snn_error err = {0};
    char expected[1200];
    snn_key *k = snn_key_load(path, s, &err);
    if (k)
        fail_msg("accepted, expected: %s", text);
    snprintf(expected, sizeof expected, "%s: %s", path, text);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, code);
}

static bool loads(const snn_secret *s) {
    snn_error err = {0};
    snn_key *k = snn_key_load(path, s, &err);
    if (!k)
        assert_int_equal(err.code, SNN_ERR_DATA);
    snn_key_free(k);
    return k != NULL;
}

/* ---- any change ---- */

static void every_byte_counts(const snn_secret *s) {
    size_t size;
    uint8_t *file = read_bytes(path, &size);
    assert_true(loads(s));
    for (size_t i = 0; i < size; i++) {
        file[i] ^= (uint8_t)(1 << i % 8);
        write_bytes(path, file, size);
        if (loads(s))
            fail_msg("byte %zu may change", i);
        file[i] ^= (uint8_t)(1 << i % 8);
    }
    write_bytes(path, file, size);
    assert_true(loads(s));
    free(file);
}

static void every_length_counts(const snn_secret *s) {
    size_t size;
    uint8_t *file = read_bytes(path, &size);
    file = realloc(file, size + 16);
    assert_non_null(file);
    memset(file + size, 0, 16);
    for (size_t n = 0; n < size + 16; n++) {
        if (n == size)
            continue;
        write_bytes(path, file, n);
        if (loads(s))
            fail_msg("%zu of %zu bytes are enough", n, size);
    }
    free(file);
}

static void clear_files(void **state) {
    (void)state;
    uint8_t payload[KEY_PAYLOAD];
    hand_payload(payload);
    write_clear(path, payload, sizeof payload);
    every_byte_counts(NULL);
    every_length_counts(NULL);
    write_clear(path, payload, sizeof payload);
    assert_int_equal(truncate(path, 144 + 4096), 0);
    refused("is cut: 4240 bytes, expected 4272", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 4273), 0);
    refused("is damaged: 4273 bytes, expected 4272", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 4272), 0);
    refused("is damaged: its digest is another one", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 143), 0);
    refused("is cut: a key is longer", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 10), 0);
    refused("is cut: a key is longer", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 9), 0);
    refused("is no key of snnsim", SNN_ERR_DATA, NULL);
    assert_int_equal(truncate(path, 0), 0);
    refused("is no key of snnsim", SNN_ERR_DATA, NULL);
}

static void sealed_files(void **state) {
    (void)state;
    uint8_t payload[KEY_PAYLOAD];
    snn_secret s = secret_of("pass"), longer = secret_of("pass "), shorter = secret_of("pas"),
               other = secret_of("Pass"), none = {0};
    hand_payload(payload);
    write_sealed(path, payload, sizeof payload, "pass");
    every_byte_counts(&s);
    static const char wrong[] = "the passphrase is wrong, or the file was changed";
    refused(wrong, SNN_ERR_DATA, &longer);
    refused(wrong, SNN_ERR_DATA, &shorter);
    refused(wrong, SNN_ERR_DATA, &other);
    static const char missing[] = "is sealed and there is no passphrase: give it by --passphrase-fd, by "
                                  "SNNSIM_PASSPHRASE or on a terminal";
    refused(missing, SNN_ERR_USAGE, NULL);
    refused(missing, SNN_ERR_USAGE, &none);
    every_length_counts(&s);
    snn_secret_free(&s);
    snn_secret_free(&longer);
    snn_secret_free(&shorter);
    snn_secret_free(&other);
}

/* ---- heads ---- */

/* A clear (or sealed) file whose head has `bytes` bytes changed at `at`, with a good digest (seal). */
static void changed_head(bool sealed, size_t at, uint64_t value, int bytes) {
    uint8_t payload[KEY_PAYLOAD];
    size_t size;
    hand_payload(payload);
    if (sealed)
        write_sealed(path, payload, sizeof payload, "pass");
    else
        write_clear(path, payload, sizeof payload);
    uint8_t *file = read_bytes(path, &size);
    put(file + at, value, bytes);
    if (!sealed)
        crypto_generichash(file + size - 32, 32, file, size - 32, NULL, 0);
    write_bytes(path, file, size);
    free(file);
}

static void hostile_heads(void **state) {
    (void)state;
    changed_head(false, 0, 'S', 1);
    refused("is no key of snnsim", SNN_ERR_DATA, NULL);
    changed_head(false, 63, ' ', 1);
    refused("is no key of snnsim", SNN_ERR_DATA, NULL);
    changed_head(false, 64, 1, 4);
    refused("is a key of version 1, expected 2", SNN_ERR_DATA, NULL);
    changed_head(false, 64, 0, 4);
    refused("is a key of version 0, expected 2", SNN_ERR_DATA, NULL);
    changed_head(false, 68, 2, 4);
    refused("is damaged in its first 144 bytes", SNN_ERR_DATA, NULL);
    changed_head(false, 76, 1, 4);
    refused("is damaged in its first 144 bytes", SNN_ERR_DATA, NULL);
    for (size_t at = 72; at < 136; at++) {
        changed_head(false, at, 1, 1);
        refused("is damaged in its first 144 bytes", SNN_ERR_DATA, NULL);
    }
    changed_head(true, 76, 1, 4);
    refused("is damaged in its first 144 bytes", SNN_ERR_DATA, NULL);
    static const uint64_t sizes[] = {0,
                                     1,
                                     4095,
                                     4097,
                                     UINT64_MAX,
                                     UINT64_MAX - 4095,
                                     UINT64_C(1) << 62,
                                     UINT64_C(541069456) / 4096 * 4096 + 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[100];
        changed_head(false, 136, sizes[i], 8);
        snprintf(text, sizeof text, "is damaged: it announces %llu bytes of content",
                 (unsigned long long)sizes[i]);
        refused(text, SNN_ERR_DATA, NULL);
    }
    changed_head(false, 136, 8192, 8);
    refused("is cut: 4272 bytes, expected 8368", SNN_ERR_DATA, NULL);
}

/* A file cannot make us work for hours or take all memory before the passphrase is known to be wrong. */
static void hostile_limits(void **state) {
    (void)state;
    snn_secret s = secret_of("pass");
    const struct {
        uint64_t ops, memory;
    } bad[] = {{0, 8192},       {5, 8192},       {UINT64_MAX, 8192},     {1, 8191},         {1, 0},
               {1, 1073741825}, {1, UINT64_MAX}, {1, UINT64_C(1) << 40}, {4294967296, 8192}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[300];
        changed_head(true, 80, bad[i].ops, 8);
        size_t size;
        uint8_t *file = read_bytes(path, &size);
        put(file + 88, bad[i].memory, 8);
        write_bytes(path, file, size);
        free(file);
        snprintf(text, sizeof text,
                 "asks for %llu passes over %llu bytes of memory to try a passphrase, expected 1 to 4 over "
                 "8192 to "
                 "1073741824",
                 (unsigned long long)bad[i].ops, (unsigned long long)bad[i].memory);
        refused(text, SNN_ERR_DATA, &s);
        snn_key_about about;
        snn_error err = {0};
        assert_false(snn_key_peek(path, &about, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
    changed_head(true, 72, 1, 4);
    refused("is sealed with key derivation 1, expected 2 (Argon2id)", SNN_ERR_DATA, &s);
    changed_head(true, 80, 4, 8); /* within the limits, but not what it was sealed with */
    refused("the passphrase is wrong, or the file was changed", SNN_ERR_DATA, &s);
    snn_secret_free(&s);
}

/* ---- payloads with a good digest ---- */

typedef struct {
    size_t at;
    uint64_t value;
    int bytes;
    const char *text;
} change;

static void hostile_payloads(void **state) {
    (void)state;
    static const char announces[] = "the key announces more or less than it has";
    static const char name[] = "a layer of the key has no proper name";
    static const char behind[] = "the key has something behind its last bit";
    static const change changes[] = {
        {0, 'X', 1, "the key is for an unknown scheme, expected xor"},
        {7, 1, 1, "the key is for an unknown scheme, expected xor"},
        {80, 0, 4, announces},
        {80, 65537, 4, announces},
        {80, UINT32_MAX, 4, announces},
        {80, 70, 4, announces},
        {84, 1, 4, announces},
        {88, 0, 8, announces},
        {88, 238, 8, announces},
        {88, 16777217, 8, announces},
        {88, UINT64_MAX, 8, announces},
        {88, UINT64_C(1) << 60, 8, announces},
        {144, 0, 4, name},
        {146, 0, 1, name},
        {144, ' ', 1, name},
        {144, 0x7f, 1, name},
        {144, 0x1b, 1, name},
        {144, 0xe9, 1, name},
        {149, 'x', 1, name},
        {175, 'x', 1, name},
        {200, 1, 1, name},
        {207, 1, 1, name},
        {176, 3, 4, "layer 'conv' of the key has encoding 3 with 4 bits: no such code"},
        {180, 17, 4, "layer 'conv' of the key has encoding 0 with 17 bits: no such code"},
        {180, 1, 4, "bit 0 of the key is outside the weights of layer 'conv'"},
        {184, 2, 8, "bit 0 of the key is outside the weights of layer 'conv'"},
        {192, 0, 8, "the key has another number of bits in layer 'conv' than it says"},
        {256, 3, 8, "the key has another number of bits in layer 'fc' than it says"},
        {192, UINT64_MAX, 8, "the key has another number of bits in layer 'conv' than it says"},
        {272, 2, 4, "bit 0 of the key is in a tensor that the model does not have"},
        {276, 4, 4, "bit 0 of the key is outside the weights of layer 'conv'"},
        {280, 15, 8, "bit 0 of the key is outside the weights of layer 'conv'"},
        {272, 1, 4, "the key has another number of bits in layer 'conv' than it says"},
        {296, 6, 8, "bit 2 of the key is out of order"},
        {308, 0, 4, "bit 2 of the key is given twice"},
        {292, 7, 4, "bit 2 of the key is given twice"},
        {352, 1, 1, behind},
        {4095, 1, 1, behind},
        {88, 2, 8, "retired bit 1 of the key is out of order"},
        {128, 237, 8, announces},
        {128, 16777217, 8, announces},
        {128, UINT64_MAX, 8, announces},
        {128, 0, 8, announces}, /* but an earlier key */
        {136, 0, 4, announces},
        {136, 3, 4, announces}, /* more keys than bits */
        {136, UINT32_MAX, 4, announces},
        {140, 1, 1, announces},
        {143, 1, 1, announces},
        {128, 1, 8, behind},
        {128, 3, 8, "retired bit 2 of the key is out of order"},
        {320, 2, 4, "retired bit 0 of the key is in a tensor that the model does not have"},
        {324, 4, 4, "retired bit 0 of the key is outside the weights of layer 'conv'"},
        {344, 28, 8, "retired bit 1 of the key is outside the weights of layer 'fc'"},
        {324, 1, 4, "bit 0 of the key was in an earlier one, too"},
        {88, 4, 8, "bit 3 of the key is out of order"},
    };
    uint8_t payload[KEY_PAYLOAD];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        hand_payload(payload);
        put(payload + changes[i].at, changes[i].value, changes[i].bytes);
        write_clear(path, payload, sizeof payload);
        refused(changes[i].text, SNN_ERR_DATA, NULL);
    }
    /* what may be: a name of 31 bytes, 16 bits, the last weight and bit */
    hand_payload(payload);
    memset(payload + 144, 'n', 31);
    put(payload + 180, 16, 4);
    put(payload + 276, 15, 4);
    put(payload + 280, 14, 8);
    write_clear(path, payload, sizeof payload);
    assert_true(loads(NULL));
    put(payload + 180, 0, 4); /* a layer of floats has no bits */
    write_clear(path, payload, sizeof payload);
    refused("bit 0 of the key is outside the weights of layer 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'",
            SNN_ERR_DATA, NULL);
    uint8_t two[2 * KEY_PAYLOAD] = {0};
    hand_payload(two);
    write_clear(path, two, sizeof two);
    refused(announces, SNN_ERR_DATA, NULL);
}

/* ---- no files ---- */

static void what_is_no_file(void **state) {
    (void)state;
    snn_error err = {0};
    snprintf(path, sizeof path, "/tmp/test_key_hostile.%d.key", (int)getpid());
    unlink(path);
    refused("cannot open: No such file or directory", SNN_ERR_DATA, NULL);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused("is not a regular file", SNN_ERR_DATA, NULL);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refused("is a folder, not a key", SNN_ERR_DATA, NULL);
    assert_int_equal(rmdir(path), 0);
    write_bytes(path, "snnsim model", 12);
    refused("is no key of snnsim", SNN_ERR_DATA, NULL);
    snn_key_about about;
    assert_false(snn_key_peek(path, &about, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    unlink(path);
    assert_null(snn_key_load(path, NULL, NULL)); /* errors may be of no interest */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_files),      cmocka_unit_test(sealed_files),
        cmocka_unit_test(hostile_heads),    cmocka_unit_test(hostile_limits),
        cmocka_unit_test(hostile_payloads), cmocka_unit_test(what_is_no_file),
    };
    return cmocka_run_group_tests_name("key_hostile", tests, make_path, NULL);
}
