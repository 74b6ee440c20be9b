/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where weight bits stand. Each layer's weights are a matrix of fan-in lines (rows) by outputs; line r of output o is weight index o * fan_in + r, for a convolution
 * r = (c * kernel + ky) * kernel + kx, so that a spike of channel c reads whole row words (kernel^2 of them). The matrix is cut into arrays of rows x columns cells;
 * an output takes `cells` neighbouring columns (a lane), most significant bit first: column = lane * cells + cell.
 *
 * Behind the data columns of an array stand check columns (SEC-DED) and spare columns, behind its rows spare rows; these are not part of rows x columns:
 *
 *     column  0 .. columns - 1 | columns .. columns + check_columns - 1 | .. all_columns - 1
 *             data (lanes)     | check bits, word after word            | spare
 *
 * Code word w of a row is made of data columns w * code_bits .. (w + 1) * code_bits - 1, as far as lanes in use reach (a shortened code), and check columns
 * columns + w * check_bits .. + check_bits - 1. Addresses of a map are logical; what repair moves on one chip is in snn_chip.
 */
#ifndef SNNSIM_MAP_H
#define SNNSIM_MAP_H

#include <snnsim/net.h>
#include <snnsim/weights.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_ARRAY_MAX                                                                                        \
    65536 /* most rows, columns and spare lines of an array: far beyond any that was built */

typedef struct {
    uint32_t rows, columns; /* data cells of an array */
    int cell_bits; /* weight bits per cell 1..4; 0: differential pairs of analogue conductances (analogue read-out only) */
    bool gray; /* levels of cells with several bits are numbered in Gray code */
    uint32_t spare_rows, spare_columns;
    uint32_t
        code_bits; /* SEC-DED: data bits per code word (a power of two, 8..256); 0: none. Needs cell_bits = 1 */
} snn_map_options;

typedef struct {
    char name[SNN_NAME];
    int tensor, layer;
    int bits;
    snn_encoding encoding;
    int dims;
    uint64_t shape[4]; /* of the tensor, as in snn_tensor */
    uint32_t fan_in, outputs;
    uint32_t cells;                   /* per weight: ceil(bits / cell_bits), 2 for differential pairs */
    uint32_t lanes;                   /* outputs per array */
    uint32_t row_tiles, column_tiles; /* arrays */
    uint32_t first_tile;              /* its arrays are first_tile + row_tile * column_tiles + column_tile */
} snn_map_tensor;

typedef struct {
    snn_map_options options;
    int tensors;
    snn_map_tensor *tensor; /* [tensors] */
    uint32_t tiles;
    uint32_t words, check_bits;     /* SEC-DED: code words of an array's row, check bits of each; else 0 */
    uint32_t check_columns;         /* of each array: words * check_bits */
    uint32_t all_rows, all_columns; /* of an array with check and spare lines */
    uint64_t weight_cells, array_cells; /* cells that hold weight bits; all cells of all arrays */
} snn_map;

typedef struct {
    uint32_t tile, row, column; /* row and column within the array */
} snn_cell;

/* What an array holds: rows 0 .. rows - 1 and lanes 0 .. outputs - 1 are in use. */
typedef struct {
    uint32_t tensor;
    uint32_t first_row, rows;       /* fan-in lines of the tensor */
    uint32_t first_output, outputs; /* outputs of the tensor */
} snn_map_tile;

/* Errors: USAGE (an array narrower than one weight, cell_bits not 0..4, SEC-DED with several bits a cell), DATA (float tensors or codes of more than 8 bits). */
snn_map *snn_map_new(const snn_net *net, const snn_weights *weights, const snn_map_options *o,
                     snn_error *err);
void snn_map_free(snn_map *m);
/* Do weights have the tensors that the map was made for (number, names, sizes, bits, encodings)? DATA error naming the first difference. */
bool snn_map_fits(const snn_map *m, const snn_weights *weights, snn_error *err);
/* tile < tiles */
snn_map_tile snn_map_tile_at(const snn_map *m, uint32_t tile);
/* Cell that holds bit `bit` (0 = most significant) of weight `index`; *place: which bit of the cell it is, 0 = most significant (0 with one bit a cell). Differential pairs: bit 0
 * is the positive, bit 1 the negative cell. Errors: DATA for an address outside. */
bool snn_map_cell(const snn_map *m, uint32_t tensor, uint64_t index, uint32_t bit, snn_cell *cell, int *place,
                  snn_error *err);
/* The other way: tensor, weight and its bits first..first+n-1 in the cell (pointers may be NULL). false: the cell holds no weight (unused, check, spare or outside). */
bool snn_map_weight(const snn_map *m, const snn_cell *cell, uint32_t *tensor, uint64_t *index,
                    uint32_t *first, uint32_t *n);
/* Number of a physical cell: ((tile * all_rows) + row) * all_columns + column; keys its random numbers. */
uint64_t snn_map_cell_number(const snn_map *m, const snn_cell *cell);
/* Weight bits in cell 0 .. cells - 1 of a weight: bits *first .. *first + n - 1; returns n (the cell has 2^n levels; differential: 1). */
uint32_t snn_map_cell_bits(const snn_map *m, const snn_map_tensor *t, uint32_t cell, uint32_t *first);
/* Level of a cell with n bits from these bits (right-aligned) and back, by the numbering of levels: binary, or Gray code (neighbouring levels differ in one bit). */
uint32_t snn_map_level(const snn_map *m, uint32_t bits, int n);
uint32_t snn_map_bits(const snn_map *m, uint32_t level, int n);
/* Cells of one weight from its raw code: level[0 .. cells-1]. The last cell may hold fewer bits than cell_bits: n bits make 2^n levels that spread over the whole range of
 * conductance. Differential pairs: |q| in the cell of q's sign, 0 in the other; 2^(bits-1) stands for the full range. */
void snn_map_levels(const snn_map *m, const snn_map_tensor *t, uint32_t code, uint8_t *level);
/* Table for people, and one line per tile as CSV (tile,tensor,first_row,rows,first_output,outputs,cells_used). Errors: RUNTIME when writing fails. */
bool snn_map_print(const snn_map *m, FILE *out, snn_error *err);
bool snn_map_csv(const snn_map *m, FILE *out, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
