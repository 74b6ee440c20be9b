/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key files from any bytes. The first byte says how: 0 the rest is the file; 1 the rest is a payload, put into a file in clear with a good digest; 2 a payload that is sealed well (by
 * limits that cost little). What is accepted must be a key in order, and be written and read back to the same bytes.
 */
#include <snnsim/key.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 144, PADDING = 4096, PAYLOAD = 3 * PADDING };

static void put(uint8_t *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* The file around a payload, padded with zeros; its size. */
static size_t wrap(uint8_t *file, const uint8_t *data, size_t size, bool sealed) {
    static const char line[] = "snnsim key: tells which bits of a model are encrypted (secret).\n";
    size_t payload = (size + PADDING - 1) / PADDING * PADDING;
    memset(file, 0, HEAD + payload);
    memcpy(file, line, 64);
    memcpy(file + HEAD, data, size);
    put(file + 64, 2, 4);
    put(file + 136, payload, 8);
    if (!sealed) {
        crypto_generichash(file + HEAD + payload, 32, file, HEAD + payload, NULL, 0);
        return HEAD + payload + 32;
    }
    uint8_t key[32];
    put(file + 68, 1, 4);
    put(file + 72, 2, 4);
    put(file + 80, 1, 8);
    put(file + 88, 8192, 8);
    if (crypto_pwhash(key, sizeof key, "fuzz", 4, file + 96, 1, 8192, 2) != 0)
        abort();
    crypto_aead_xchacha20poly1305_ietf_encrypt(file + HEAD, NULL, file + HEAD, payload, file, HEAD, NULL,
                                               file + 112, key);
    return HEAD + payload + 16;
}

static void check_list(const snn_key *k, const snn_flips *list) {
    for (size_t i = 0; i < list->n; i++) {
        const snn_flip *f = &list->flip[i];
        if (f->tensor >= (uint32_t)k->tensors || f->index >= k->tensor[f->tensor].weights ||
            f->bit >= (uint32_t)k->tensor[f->tensor].bits)
            abort();
        if (i > 0 && f[-1].tensor == f->tensor &&
            (f[-1].index > f->index || (f[-1].index == f->index && f[-1].bit >= f->bit)))
            abort();
    }
}

static void check(const snn_key *k) {
    size_t keyed = 0;
    if (k->flips.n < 1 || k->tensors < 1 || strlen(k->plain) != 64 || strlen(k->encrypted) != 64 ||
        strlen(k->network) != 64 || k->versions > k->retired.n)
        abort();
    for (int i = 0; i < k->tensors; i++) {
        keyed += k->tensor[i].keyed;
        if (k->tensor[i].bits > 16 || strlen(k->tensor[i].name) < 1)
            abort();
    }
    if (keyed != k->flips.n)
        abort();
    check_list(k, &k->flips);
    check_list(k, &k->retired);
}

/* Saved in clear, its payload is the one that was read. */
static void read_back(const snn_key *k, const uint8_t *payload) {
    char path[64];
    snn_error err = {0};
    static uint8_t bytes[HEAD + PAYLOAD + 32];
    snprintf(path, sizeof path, "/tmp/snnsim_fuzz_key.%d", (int)getpid());
    if (!snn_key_save(k, path, NULL, SNN_KDF_MODERATE, &err))
        abort();
    snn_key *again = snn_key_load(path, NULL, &err);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (!again || again->flips.n != k->flips.n || again->retired.n != k->retired.n || n <= HEAD + 32)
        abort();
    if (payload && memcmp(bytes + HEAD, payload, n - HEAD - 32) != 0)
        abort();
    fclose(f);
    unlink(path);
    snn_key_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t file[HEAD + PAYLOAD + 32];
    char path[64];
    snn_error err = {0};
    snn_key_about about;
    snn_secret s;
    if (size < 1 || size - 1 > PAYLOAD || sodium_init() < 0)
        return 0;
    unsigned how = data[0] % 3;
    size_t n = how == 0 ? size - 1 : wrap(file, data + 1, size - 1, how == 2);
    if (how == 0)
        memcpy(file, data + 1, n);
    if (how == 0 && n > 96 && (file[83] || file[82] || file[81] || file[92] || file[91] || file[90]))
        return 0; /* limits that are allowed, but slow */
    int fd = memfd_create("key", 0);
    if (fd < 0 || write(fd, file, n) != (ssize_t)n || !snn_secret_set(&s, "fuzz", 4, &err))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool peeked = snn_key_peek(path, &about, &err);
    snn_key *k = snn_key_load(path, &s, &err);
    if (k && !peeked)
        abort();
    if (!k && err.code != SNN_ERR_DATA && err.code != SNN_ERR_RUNTIME)
        abort();
    if (k) {
        uint8_t payload[PAYLOAD] = {0};
        memcpy(payload, data + 1, how ? size - 1 : 0);
        check(k);
        read_back(k, how ? payload : NULL);
    }
    snn_key_free(k);
    snn_secret_free(&s);
    close(fd);
    return 0;
}
