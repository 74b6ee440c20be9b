/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys in memory and in files: order, what is refused, layout byte by byte, modes, sizes, locked memory. */
#include "key_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_key.%d.key", (int)getpid());
    return sodium_init() < 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static const char plain[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char encrypted[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

static snn_key *new_key(const snn_weights *w, snn_flip *flip, size_t n, snn_error *err) {
    snn_flips flips = {n, flip};
    return snn_key_new(w, &flips, 77, plain, encrypted, err);
}

static void assert_flip(const snn_key *k, size_t i, uint32_t tensor, uint64_t index, uint32_t bit) {
    assert_true(i < k->flips.n);
    assert_int_equal(k->flips.flip[i].tensor, tensor);
    assert_int_equal(k->flips.flip[i].index, index);
    assert_int_equal(k->flips.flip[i].bit, bit);
}

/* ---- in memory ---- */

static void addresses_are_sorted(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_TWOS_COMPLEMENT, 4, 1);
    snn_flip flip[] = {{1, 7, 27}, {1, 0, 27}, {0, 3, 14}, {1, 5, 0}, {0, 0, 14}, {0, 2, 1}};
    snn_key *k = new_key(w, flip, 6, &err);
    assert_non_null(k);
    assert_flip(k, 0, 0, 1, 2);
    assert_flip(k, 1, 0, 14, 0);
    assert_flip(k, 2, 0, 14, 3);
    assert_flip(k, 3, 1, 0, 5);
    assert_flip(k, 4, 1, 27, 0);
    assert_flip(k, 5, 1, 27, 7);
    assert_int_equal(k->seed, 77);
    assert_string_equal(k->plain, plain);
    assert_string_equal(k->encrypted, encrypted);
    assert_int_equal(k->tensors, 2);
    assert_string_equal(k->tensor[0].name, "conv");
    assert_int_equal(k->tensor[0].keyed, 3);
    assert_int_equal(k->tensor[0].bits, 4);
    assert_int_equal(k->tensor[0].weights, 15);
    assert_int_equal(k->tensor[0].encoding, SNN_TWOS_COMPLEMENT);
    assert_string_equal(k->tensor[1].name, "fc");
    assert_int_equal(k->tensor[1].keyed, 3);
    assert_int_equal(k->tensor[1].weights, 28);
    snn_key_free(k);
    snn_weights_free(w);
}

/* Many addresses in random order against the library's sort. */
static int by_index(const void *a, const void *b) {
    const snn_flip *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}
static void many_addresses_are_sorted(void **state) {
    (void)state;
    enum { N = 3001 };
    static snn_flip flip[N];
    uint32_t order[N];
    snn_error err = {0};
    snn_weights *w = wide_weights(N);
    snn_random r;
    snn_random_init(&r, 5, SNN_PURPOSE_TEST, 0);
    for (size_t n = 1; n <= N; n = n < 40 ? n + 1 : 3 * n + 1 > N && n < N ? N : 3 * n + 1) {
        snn_random_permutation(&r, order, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
            flip[i] = (snn_flip){0, order[i] % 8, order[i]};
        snn_key *k = new_key(w, flip, n, &err);
        assert_non_null(k);
        qsort(flip, n, sizeof *flip, by_index);
        assert_memory_equal(flip, k->flips.flip, n * sizeof *flip);
        snn_key_free(k);
    }
    snn_weights_free(w);
}

static void wrong_addresses_are_refused(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 4, 1);
    const struct {
        snn_flip flip[2];
        const char *text;
    } wrong[] = {
        {{{0, 0, 3}, {0, 0, 3}}, "bit 1 of the key is given twice"},
        {{{0, 0, 3}, {2, 0, 3}}, "bit 1 of the key is in a tensor that the model does not have"},
        {{{0, 0, 3}, {0, 0, 15}}, "bit 1 of the key is outside the weights of layer 'conv'"},
        {{{0, 0, 3}, {0, 4, 4}}, "bit 1 of the key is outside the weights of layer 'conv'"},
        {{{0, 0, 3}, {1, 8, 4}}, "bit 1 of the key is outside the weights of layer 'fc'"},
        {{{0, 0, 3}, {1, 0, 28}}, "bit 1 of the key is outside the weights of layer 'fc'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snn_flip flip[2] = {wrong[i].flip[0], wrong[i].flip[1]};
        assert_null(new_key(w, flip, 2, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
        assert_string_equal(err.text, wrong[i].text);
    }
    assert_null(new_key(w, NULL, 0, &err));
    assert_string_equal(err.text, "no bits to encrypt: a key needs at least one");
    assert_null(new_key(w, NULL, 16777217, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_non_null(strstr(err.text, "16777217 bits: expected"));
    snn_weights_free(w);
    w = small_weights(SNN_SIGN_MAGNITUDE, 32, 1); /* conv is float */
    assert_null(new_key(w, (snn_flip[]){{0, 0, 0}}, 1, &err));
    assert_string_equal(err.text, "bit 0 of the key is outside the weights of layer 'conv'");
    snn_weights_free(w);
}

/* A key of the first `bits` of these flips, with so much memory that may be locked; 0: as it must be. */
static int key_within(rlim_t most, size_t bits, bool locked, const snn_weights *w, snn_flip *flip) {
    struct rlimit limit = {most, most};
#ifdef __SANITIZE_ADDRESS__
    locked = true; /* under the sanitizer mlock does nothing and says that all is well */
#endif
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        return most ? 0 : 8; /* a container's limit may be lower */
    if (getuid() == 0 && setuid(65534) != 0)
        return 9; /* root may lock as much as it likes */
    snn_error err = {0};
    snn_key *k = new_key(w, flip, bits, &err);
    if (!k)
        return 1;
    uint64_t last = flip[0].index;
    int status = k->flips.flip[0].index != last + 1 - bits || k->flips.flip[bits - 1].index != last ? 2
                 : snn_key_locked(k) != locked                                                      ? 3
                                                                                                    : 0;
    snn_key_free(k);
    return status;
}

/* Out of the limit on locked memory, keys still work, and say that they are not locked. */
static void keys_work_in_memory_that_cannot_be_locked(void **state) {
    (void)state;
    enum { N = 100000 };
    snn_weights *w = wide_weights(N);
    snn_flip *flip = calloc(N, sizeof *flip);
    assert_non_null(flip);
    for (size_t i = 0; i < N; i++)
        flip[i] = (snn_flip){0, 0, N - 1 - i};
    const struct {
        rlim_t limit;
        size_t bits;
        bool locked;
    } cases[] = {
        {0, 1, false}, {65536, 1, true}, {65536, 3000, true}, {65536, N, false}, {RLIM_INFINITY, N, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            status = key_within(cases[i].limit, cases[i].bits, cases[i].locked, w, flip);
            free(flip);
            snn_weights_free(w);
            _exit(status);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    free(flip);
    snn_weights_free(w);
}

/* ---- files ---- */

static snn_key *three_bits(void) {
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_OFFSET_BINARY, 4, 1);
    w->tensor[0].encoding = SNN_SIGN_MAGNITUDE;
    snn_flip flip[] = {{1, 7, 5}, {0, 1, 2}, {1, 0, 5}};
    snn_flips flips = {3, flip};
    char ab[65], cd[65];
    for (int i = 0; i < 64; i++) {
        ab[i] = "ab"[i % 2];
        cd[i] = "cd"[i % 2];
    }
    ab[64] = cd[64] = '\0';
    snn_key *k = snn_key_new(w, &flips, UINT64_C(0x1122334455667788), ab, cd, &err);
    assert_non_null(k);
    memset(k->network, 'e', 64);
    for (int i = 1; i < 64; i += 2)
        k->network[i] = 'f';
    snn_flip before[] = {{1, 0, 27}, {0, 3, 2}};
    flips = (snn_flips){2, before};
    snn_key *old = snn_key_new(w, &flips, 1, ab, cd, &err);
    assert_non_null(old);
    assert_true(snn_key_retire(&k, old, &err));
    snn_key_free(old);
    snn_weights_free(w);
    return k;
}

static void assert_same_key(const snn_key *a, const snn_key *b) {
    assert_int_equal(a->seed, b->seed);
    assert_string_equal(a->plain, b->plain);
    assert_string_equal(a->encrypted, b->encrypted);
    assert_string_equal(a->network, b->network);
    assert_int_equal(a->versions, b->versions);
    assert_int_equal(a->retired.n, b->retired.n);
    for (size_t i = 0; i < a->retired.n; i++)
        assert_memory_equal(&a->retired.flip[i], &b->retired.flip[i], sizeof(snn_flip));
    assert_int_equal(a->tensors, b->tensors);
    for (int i = 0; i < a->tensors; i++) {
        assert_string_equal(a->tensor[i].name, b->tensor[i].name);
        assert_int_equal(a->tensor[i].encoding, b->tensor[i].encoding);
        assert_int_equal(a->tensor[i].bits, b->tensor[i].bits);
        assert_int_equal(a->tensor[i].weights, b->tensor[i].weights);
        assert_int_equal(a->tensor[i].keyed, b->tensor[i].keyed);
    }
    assert_int_equal(a->flips.n, b->flips.n);
    for (size_t i = 0; i < a->flips.n; i++)
        assert_flip(b, i, a->flips.flip[i].tensor, a->flips.flip[i].index, a->flips.flip[i].bit);
}

/* A third key knows the bits of the first and of the second, in order; no key has a bit of an earlier one. */
static void rotation_retires_all_earlier_bits(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = small_weights(SNN_SIGN_MAGNITUDE, 4, 1),
                *other = small_weights(SNN_SIGN_MAGNITUDE, 3, 1);
    snn_key *first = new_key(w, (snn_flip[]){{1, 0, 9}, {0, 2, 3}}, 2, &err);
    snn_key *second = new_key(w, (snn_flip[]){{0, 1, 3}}, 1, &err);
    snn_key *third = new_key(w, (snn_flip[]){{0, 0, 14}, {1, 7, 27}}, 2, &err);
    assert_int_equal(first->versions, 0);
    assert_int_equal(snn_key_spent(first).n, 2);
    assert_true(snn_key_retire(&second, first, &err));
    assert_int_equal(second->versions, 1);
    assert_int_equal(second->flips.n, 1);
    assert_true(snn_key_retire(&third, second, &err));
    assert_int_equal(third->versions, 2);
    assert_int_equal(third->retired.n, 3);
    assert_int_equal(third->seed, 77);
    assert_string_equal(third->encrypted, encrypted);
    const snn_flip retired[] = {{0, 1, 3}, {0, 2, 3}, {1, 0, 9}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(third->retired.flip[i].tensor, retired[i].tensor);
        assert_int_equal(third->retired.flip[i].index, retired[i].index);
        assert_int_equal(third->retired.flip[i].bit, retired[i].bit);
    }
    assert_int_equal(snn_key_spent(third).n, 5);
    assert_flip(third, 1, 1, 27, 7);
    assert_int_equal(third->tensor[1].keyed, 1);
    snn_key *again = new_key(w, (snn_flip[]){{1, 0, 9}, {0, 0, 14}}, 2, &err), *kept = again;
    assert_false(snn_key_retire(&again, second, &err));
    assert_ptr_equal(again, kept);
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_string_equal(err.text, "bit 1 of the key was in an earlier one, too");
    snn_key *foreign = new_key(other, (snn_flip[]){{0, 0, 14}}, 1, &err);
    assert_false(snn_key_retire(&again, foreign, &err));
    assert_string_equal(err.text, "the old key belongs to another model");
    assert_ptr_equal(snn_key_broadcast(again, &err), again); /* one rank */
    snn_key_free(first);
    snn_key_free(second);
    snn_key_free(third);
    snn_key_free(again);
    snn_key_free(foreign);
    snn_weights_free(w);
    snn_weights_free(other);
}

/* The file that docs/key.md describes, written here by hand. */
static void the_clear_layout_is_the_documented_one(void **state) {
    (void)state;
    snn_error err = {0};
    uint8_t payload[KEY_PAYLOAD];
    size_t size, expected_size;
    snn_key *k = three_bits();
    assert_true(snn_key_save(k, path, NULL, SNN_KDF_OTHER, &err));
    uint8_t *file = read_bytes(path, &size);
    hand_payload(payload);
    write_clear(path, payload, sizeof payload);
    uint8_t *expected = read_bytes(path, &expected_size);
    assert_int_equal(size, 144 + 4096 + 32);
    assert_int_equal(size, expected_size);
    assert_memory_equal(file, expected, size);
    snn_key *back = snn_key_load(path, NULL, &err);
    assert_non_null(back);
    assert_same_key(k, back);
    free(file);
    free(expected);
    snn_key_free(k);
    snn_key_free(back);
}

/* What we seal opens by hand, and what is sealed by hand is opened. */
static void the_sealed_layout_is_the_documented_one(void **state) {
    (void)state;
    snn_error err = {0};
    uint8_t payload[KEY_PAYLOAD], opened[KEY_PAYLOAD], key[32];
    size_t size;
    snn_secret s = secret_of("correct horse");
    snn_key *k = three_bits();
    assert_true(snn_key_save(k, path, &s, SNN_KDF_INTERACTIVE, &err));
    uint8_t *file = read_bytes(path, &size);
    hand_payload(payload);
    assert_int_equal(size, 144 + 4096 + 16);
    uint8_t head[KEY_HEAD];
    key_head(head, true, 2, 67108864, 4096);
    assert_memory_equal(file, head, 96);
    assert_memory_equal(file + 136, head + 136, 8);
    assert_int_equal(crypto_pwhash(key, 32, "correct horse", 13, file + 96, 2, 67108864, 2), 0);
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, file + 144, 4096 + 16,
                                                                file, 144, file + 112, key),
                     0);
    assert_memory_equal(opened, payload, sizeof payload);
    snn_key *back = snn_key_load(path, &s, &err);
    assert_non_null(back);
    assert_same_key(k, back);
    snn_key_free(back);
    write_sealed(path, payload, sizeof payload, "correct horse");
    back = snn_key_load(path, &s, &err);
    assert_non_null(back);
    assert_same_key(k, back);
    snn_key_free(back);
    /* another salt and nonce each time */
    assert_true(snn_key_save(k, path, &s, SNN_KDF_INTERACTIVE, &err));
    uint8_t *again = read_bytes(path, &size);
    assert_memory_not_equal(file + 96, again + 96, 16);
    assert_memory_not_equal(file + 112, again + 112, 24);
    free(file);
    free(again);
    snn_key_free(k);
    snn_secret_free(&s);
}

static void files_are_for_their_owner_alone(void **state) {
    (void)state;
    snn_error err = {0};
    struct stat st;
    snn_key *k = three_bits();
    write_bytes(path, "old", 3);
    assert_int_equal(chmod(path, 0666), 0);
    mode_t before = umask(0);
    assert_true(snn_key_save(k, path, NULL, SNN_KDF_MODERATE, &err));
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    snn_key_about about;
    assert_true(snn_key_peek(path, &about, &err));
    assert_false(about.exposed);
    for (unsigned bit = 1; bit <= 040; bit *= 2) {
        assert_int_equal(chmod(path, 0600 | bit), 0);
        assert_true(snn_key_peek(path, &about, &err));
        assert_true(about.exposed);
    }
    assert_int_equal(chmod(path, 0700), 0);
    assert_true(snn_key_peek(path, &about, &err));
    assert_false(about.exposed);
    snn_key_free(k);
}

/* Sizes tell the number of bits only roughly: 1 to 243 bits of a model with one tensor take a unit of 4096 bytes. */
static void sizes_hide_the_number_of_bits(void **state) {
    (void)state;
    snn_error err = {0};
    snn_weights *w = wide_weights(1000);
    snn_flip flip[1000];
    for (size_t i = 0; i < 1000; i++)
        flip[i] = (snn_flip){0, 0, i};
    /* (4096 - 144 - 64) / 16 = 243, (8192 - 208) / 16 = 499 */
    const struct {
        size_t bits, payload;
    } cases[] = {{1, 4096}, {243, 4096}, {244, 8192}, {499, 8192}, {500, 12288}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snn_key_about about;
        snn_key *k = new_key(w, flip, cases[i].bits, &err);
        assert_true(snn_key_save(k, path, NULL, SNN_KDF_MODERATE, &err));
        assert_true(snn_key_peek(path, &about, &err));
        assert_int_equal(about.size, 144 + cases[i].payload + 32);
        snn_key *back = snn_key_load(path, NULL, &err);
        assert_non_null(back);
        assert_same_key(k, back);
        snn_key_free(k);
        snn_key_free(back);
    }
    snn_weights_free(w);
}

static void a_file_says_how_it_is_sealed(void **state) {
    (void)state;
    snn_error err = {0};
    snn_key_about about;
    uint8_t payload[KEY_PAYLOAD];
    snn_key *k = three_bits();
    assert_true(snn_key_save(k, path, NULL, SNN_KDF_SENSITIVE, &err));
    assert_true(snn_key_peek(path, &about, &err));
    assert_false(about.sealed);
    assert_int_equal(about.version, 2);
    assert_int_equal(about.opslimit, 0);
    snn_secret s = secret_of("x");
    const struct {
        snn_kdf kdf;
        uint64_t ops, memory;
    } cases[] = {{SNN_KDF_INTERACTIVE, 2, 67108864}, {SNN_KDF_MODERATE, 3, 268435456}};
    for (size_t i = 0; i < 2; i++) {
        assert_true(snn_key_save(k, path, &s, cases[i].kdf, &err));
        assert_true(snn_key_peek(path, &about, &err));
        assert_true(about.sealed);
        assert_int_equal(about.kdf, cases[i].kdf);
        assert_int_equal(about.opslimit, cases[i].ops);
        assert_int_equal(about.memlimit, cases[i].memory);
    }
    assert_false(snn_key_save(k, path, &s, SNN_KDF_OTHER, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    hand_payload(payload);
    write_sealed(path, payload, sizeof payload, "x");
    assert_true(snn_key_peek(path, &about, &err));
    assert_int_equal(about.kdf, SNN_KDF_OTHER);
    assert_int_equal(about.opslimit, 1);
    assert_int_equal(about.memlimit, 8192);
    snn_secret_free(&s);
    snn_key_free(k);
}

static void names_of_key_derivations(void **state) {
    (void)state;
    snn_error err = {0};
    snn_kdf kdf = SNN_KDF_OTHER;
    for (int i = 0; i < SNN_KDF_OTHER; i++) {
        assert_true(snn_kdf_parse(snn_kdf_name((snn_kdf)i), &kdf, &err));
        assert_int_equal(kdf, i);
    }
    assert_string_equal(snn_kdf_name(SNN_KDF_SENSITIVE), "sensitive");
    assert_false(snn_kdf_parse("other", &kdf, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    assert_string_equal(err.text,
                        "unknown key derivation 'other': expected interactive, moderate or sensitive");
}

static void files_that_cannot_be_written(void **state) {
    (void)state;
    snn_error err = {0};
    snn_key *k = three_bits();
    assert_false(snn_key_save(k, "/nonexistent/folder/k.key", NULL, SNN_KDF_MODERATE, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "/nonexistent/folder/k.key"));
    snn_key_free(k);
    snn_key_free(NULL);
}

/* A full disk: what was there stays, and nothing half-written is left. */
static void a_full_disk_leaves_the_old_key(void **state) {
    (void)state;
    snn_error err = {0};
    size_t size, after;
    snn_key *k = three_bits();
    assert_true(snn_key_save(k, path, NULL, SNN_KDF_MODERATE, &err));
    uint8_t *before = read_bytes(path, &size);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t most = 100; most < 4200; most += 2000) { /* the head does not fit, or the rest */
        struct rlimit limit = {most, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        bool ok = snn_key_save(k, path, NULL, SNN_KDF_MODERATE, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_false(ok);
        assert_int_equal(err.code, SNN_ERR_RUNTIME);
        assert_non_null(strstr(err.text, "File too large"));
        uint8_t *now = read_bytes(path, &after);
        assert_int_equal(size, after);
        assert_memory_equal(before, now, size);
        free(now);
    }
    signal(SIGXFSZ, handler);
    free(before);
    snn_key_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_sorted),
        cmocka_unit_test(many_addresses_are_sorted),
        cmocka_unit_test(wrong_addresses_are_refused),
        cmocka_unit_test(keys_work_in_memory_that_cannot_be_locked),
        cmocka_unit_test(rotation_retires_all_earlier_bits),
        cmocka_unit_test(the_clear_layout_is_the_documented_one),
        cmocka_unit_test(the_sealed_layout_is_the_documented_one),
        cmocka_unit_test(files_are_for_their_owner_alone),
        cmocka_unit_test(sizes_hide_the_number_of_bits),
        cmocka_unit_test(a_file_says_how_it_is_sealed),
        cmocka_unit_test(names_of_key_derivations),
        cmocka_unit_test(files_that_cannot_be_written),
        cmocka_unit_test(a_full_disk_leaves_the_old_key),
    };
    return cmocka_run_group_tests_name("key", tests, make_path, remove_path);
}
