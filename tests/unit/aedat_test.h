/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AEDAT 3.1 recordings put together by hand. */
#ifndef SNNSIM_AEDAT_TEST_H
#define SNNSIM_AEDAT_TEST_H

#include "dataset_test.h"

#define AEDAT_TEXT "#!AER-DAT3.1\r\n#Format:RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"
#define AEDAT_TEXT_SIZE (sizeof AEDAT_TEXT - 1)

typedef struct {
    uint8_t b[65536];
    size_t n;
} aedat_bytes;

__attribute__((unused)) static void aedat_little(aedat_bytes *a, uint32_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        a->b[a->n++] = (uint8_t)(v >> (8 * i));
}

__attribute__((unused)) static void aedat_text(aedat_bytes *a, const char *text) {
    memcpy(a->b + a->n, text, strlen(text));
    a->n += strlen(text);
}

/* Header of a packet; fields as in the format, source 1, all events valid. */
__attribute__((unused)) static void aedat_header(aedat_bytes *a, uint32_t type, uint32_t size,
                                                 uint32_t overflow, uint32_t capacity, uint32_t number,
                                                 uint32_t valid) {
    aedat_little(a, type, 2);
    aedat_little(a, 1, 2);
    aedat_little(a, size, 4);
    aedat_little(a, 4, 4);
    aedat_little(a, overflow, 4);
    aedat_little(a, capacity, 4);
    aedat_little(a, number, 4);
    aedat_little(a, valid, 4);
}

__attribute__((unused)) static void aedat_event(aedat_bytes *a, uint32_t t, uint32_t x, uint32_t y,
                                                uint32_t polarity, uint32_t valid) {
    aedat_little(a, x << 17 | y << 2 | polarity << 1 | valid, 4);
    aedat_little(a, t, 4);
}

/* A polarity packet of n ON events at x = 1, y = 2, from t in steps of dt. */
__attribute__((unused)) static void aedat_packet(aedat_bytes *a, uint32_t t, uint32_t dt, uint32_t n) {
    aedat_header(a, 1, 8, 0, n, n, n);
    for (uint32_t i = 0; i < n; i++)
        aedat_event(a, t + i * dt, 1, 2, 1, 1);
}

#endif
