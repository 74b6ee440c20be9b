/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Row addresses: how the tile sees the crossbar. A row of an array is a row word of `lanes` weights; the macro is all arrays of the network one after another. Line r of tensor t, word w
 * stands at row address base + w * fan_in + r; lane l of word w is output w * lanes + l. A convolution's line is r = (c * kernel + ky) * kernel + kx (verilog/README.md, docs/crossbar.md).
 * A row word of the search's limit (encrypt.word_limit) is exactly one row address.
 */
#ifndef SNNSIM_ROWS_H
#define SNNSIM_ROWS_H

#include <snnsim/map.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    char name[SNN_NAME];
    int tensor, layer;
    uint32_t base, fan_in, words, outputs;
    snn_encoding encoding;
} snn_rows_tensor;

typedef struct {
    uint32_t lanes, bits; /* weights of a row word, bits of each */
    uint32_t rows;        /* row addresses in use */
    uint32_t address_bits;
    int tensors;
    snn_rows_tensor *tensor; /* [tensors] */
} snn_rows;

/* Errors: DATA (tensors of different bits, whose lanes would differ), USAGE (analogue cells, more than 2^24 row words: what a counter block has room for), RUNTIME. */
snn_rows *snn_rows_new(const snn_map *map, snn_error *err);
void snn_rows_free(snn_rows *r);

/* A weight bit as the decryptor sees it. */
typedef struct {
    uint32_t row, lane, bit; /* bit 0 = most significant */
} snn_row_bit;
/* Errors: DATA for an address outside the weights. */
bool snn_rows_place(const snn_rows *r, const snn_flip *flip, snn_row_bit *out, snn_error *err);
/* Codes of all row words: array[row * lanes + lane]; lanes beyond a tensor's outputs hold 0. Errors: DATA (other weights than the map's), RUNTIME. Free with free(). */
uint8_t *snn_rows_fill(const snn_rows *r, const snn_weights *w, snn_error *err);
/* The other way: codes of w (made for the same map) from the array. */
void snn_rows_collect(const snn_rows *r, const uint8_t *array, snn_weights *w);
/* One row word's codes to and from the bit vector of the Verilog (lane l in bits l * bits .. + bits - 1, vector bit 0 first, 32 bits per item as Verilator keeps them). */
void snn_rows_pack(const snn_rows *r, const uint8_t *codes, uint32_t *vector);
void snn_rows_unpack(const snn_rows *r, const uint32_t *vector, uint8_t *codes);

#ifdef __cplusplus
}
#endif
#endif
