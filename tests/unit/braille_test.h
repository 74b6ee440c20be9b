/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of Braille letters: pickles and ZIP archives put together byte by byte. */
#ifndef SNNSIM_BRAILLE_TEST_H
#define SNNSIM_BRAILLE_TEST_H

#include "dataset_test.h"

#include <zlib.h>

#include "../../datasets/braille.h"
#include "../../datasets/pickle.h"

typedef struct {
    uint8_t b[65536];
    size_t n;
} bytes;

__attribute__((unused)) static void put(bytes *p, const void *data, size_t size) {
    assert_true(size <= sizeof p->b - p->n);
    memcpy(p->b + p->n, data, size);
    p->n += size;
}

/* A string constant with zeros inside. */
#define PUT(p, text) put(p, text, sizeof(text) - 1)

__attribute__((unused)) static void put_little(bytes *p, uint64_t v, unsigned n) {
    for (unsigned i = 0; i < n; i++, v >>= 8)
        put(p, &(uint8_t){(uint8_t)v}, 1);
}

/* ---- pickles ---- */

__attribute__((unused)) static void put_float(bytes *p, double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    PUT(p, "G");
    for (int i = 56; i >= 0; i -= 8)
        put(p, &(uint8_t){(uint8_t)(bits >> i)}, 1);
}

__attribute__((unused)) static void put_string(bytes *p, const char *text) {
    PUT(p, "X");
    put_little(p, strlen(text), 4);
    put(p, text, strlen(text));
}

/* One trial, as Python writes it without the memo: { letter: ..., events: 12 lists of 2 lists }; taxel `taxel` has the n times in its ON (0) or OFF (1)
 * list. */
__attribute__((unused)) static void put_trial(bytes *p, const char *letter, int taxel, int off,
                                              const double *time, int n) {
    PUT(p, "}(");
    put_string(p, "letter");
    put_string(p, letter);
    put_string(p, "events");
    PUT(p, "](");
    for (int t = 0; t < 12; t++) {
        PUT(p, "](");
        for (int polarity = 0; polarity < 2; polarity++) {
            PUT(p, "]");
            if (t != taxel || polarity != off || n == 0)
                continue;
            PUT(p, "(");
            for (int i = 0; i < n; i++)
                put_float(p, time[i]);
            PUT(p, "e");
        }
        PUT(p, "e");
    }
    PUT(p, "eu");
}

/* ---- archives ---- */

typedef struct {
    const char *name;
    const void *data;
    size_t size;
} zip_entry;

/* Where the structures of the archive begin, so that tests can spoil them. */
typedef struct {
    size_t local[8], data[8], entry[8], directory, end;
} zip_places;

/* As torch.save: local headers without sizes, data at multiples of 64, numbers behind the data. */
__attribute__((unused)) static void put_zip(bytes *p, const zip_entry *e, size_t n, zip_places *at) {
    for (size_t i = 0; i < n; i++) {
        size_t name = strlen(e[i].name), pad = 64 - (p->n + 30 + name + 4) % 64;
        at->local[i] = p->n;
        PUT(p, "PK\3\4\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        put_little(p, name, 2);
        put_little(p, 4 + pad, 2);
        put(p, e[i].name, name);
        PUT(p, "FB");
        put_little(p, pad, 2);
        for (size_t k = 0; k < pad; k++)
            PUT(p, "Z");
        at->data[i] = p->n;
        put(p, e[i].data, e[i].size);
        PUT(p, "PK\7\x08");
        put_little(p, crc32(0, e[i].data, (uInt)e[i].size), 4);
        put_little(p, e[i].size, 4);
        put_little(p, e[i].size, 4);
    }
    at->directory = p->n;
    for (size_t i = 0; i < n; i++) {
        at->entry[i] = p->n;
        PUT(p, "PK\1\2\0\0\0\0\x08\x08\0\0\0\0\0\0");
        put_little(p, crc32(0, e[i].data, (uInt)e[i].size), 4);
        put_little(p, e[i].size, 4);
        put_little(p, e[i].size, 4);
        put_little(p, strlen(e[i].name), 2);
        PUT(p, "\0\0\0\0\0\0\0\0\0\0\0\0");
        put_little(p, at->local[i], 4);
        put(p, e[i].name, strlen(e[i].name));
    }
    at->end = p->n;
    PUT(p, "PK\5\6\0\0\0\0");
    put_little(p, n, 2);
    put_little(p, n, 2);
    put_little(p, at->end - at->directory, 4);
    put_little(p, at->directory, 4);
    PUT(p, "\0\0");
}

#endif
