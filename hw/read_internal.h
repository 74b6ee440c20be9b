/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of digital read-out. In reading order: read_sense.c (references, amplifiers, what a cell reads and how likely something else), read_layout.c (cells of a row word),
 * read_slow.c (noise that is frozen within a sample), read_scan.c and read_filter.c (which cells of a chip can go wrong), read_fold.c (constant errors into the weights),
 * read_deltas.c (other bits stored), read_gap.c (distances between rare events), read_uniform.c and read_walk.c (errors of one step), read_collect.c (from wrong cells to wrong sums), read_hook.c,
 * read_twin.c, readout.c.
 *
 * One read of a tensor is a row word: the cells of fan-in line `row` across all column tiles. They are numbered by position:
 *     position = output * cells + cell,
 * with SEC-DED by code words, check cells behind their data:
 *     position = word * (code_bits + check_bits) + bit,  word = column tile * words of an array + word of the array;
 * the last word of a tile may be shortened, then some positions hold no cell and are passed over.
 * A convolution reads kernel^2 row words for a spike: row = channel * taps + tap, tap = ky * kernel + kx. A linear layer has one tap and a channel for each input.
 */
#ifndef SNNSIM_HW_READ_INTERNAL_H
#define SNNSIM_HW_READ_INTERNAL_H

#include "chip_internal.h"
#include "read_gap.h"

#include <snnsim/readout.h>

#include <assert.h>

#define SNN_READ_RARE 0x1p-40 /* errors rarer than this are left out: none in 10^12 reads of a cell */
/* ... beyond this many standard deviations: P(Z > 7.2) = 3e-13 < 2^-40, with room for rounding. */
#define SNN_READ_SIGMAS 7.2
/* No normal deviate of a cell is beyond (cells.h: uniform deviates go from 2^-65 to 1 - 2^-53). */
#define SNN_SLOW_SIGMAS 9.4

/* ---- division by a constant ---- */

/* n / divisor for n < 2^64 / divisor, by the upper half of a product. */
typedef struct {
    uint64_t magic; /* floor((2^64 - 1) / divisor) */
    uint32_t divisor;
} snn_divider;

__extension__ typedef unsigned __int128 snn_uint128;

static inline snn_divider snn_divider_make(uint32_t divisor) {
    assert(divisor > 0);
    return (snn_divider){UINT64_MAX / divisor, divisor};
}
static inline uint64_t snn_divide(snn_divider d, uint64_t n) {
    return (uint64_t)(((snn_uint128)n * d.magic + d.magic) >> 64);
}

/* ---- what a cell reads ---- */

/* Cells that hold n bits. */
typedef struct {
    int levels;                   /* 2^n; 0: the map has none of these */
    double threshold[SNN_LEVELS]; /* [levels - 1] references, ascending [uS] */
    uint8_t bits[SNN_LEVELS];     /* of a level, right-aligned */
    uint8_t level[SNN_LEVELS];    /* of bits */
} snn_read_class;

/* Another level that noise can make of a cell. */
typedef struct {
    double rate, p; /* p: of reading it; rate = -ln(1 - p / P(none of the ones before)) */
    uint8_t mask;   /* its bits, other than the noise-free ones */
} snn_read_chance;

/* Level that a cell reads without noise; sensed = conductance - offset of its amplifier [uS]. */
int snn_read_level(const snn_read_class *c, double sensed);
/* What else than level `from` a read with white noise of standard deviation `white` gives with p >= SNN_READ_RARE, by ascending level; returns how many. Where noise is 0: the level that
 * `sensed` has, if it is not `from`. */
int snn_read_chances(const snn_read_class *c, double sensed, double white, int from,
                     snn_read_chance chance[SNN_LEVELS]);
/* Bits that change when a cell with these bits is read as a neighbouring level (at the lowest and highest level there is only one). */
uint8_t snn_read_neighbour(const snn_read_class *c, uint8_t bits, bool up);
/* -ln(1 - p), at most 64 */
double snn_read_rate(double p);

/* ---- noise that is frozen within a sample ---- */

/* Seed of the streams (seed, SNN_PURPOSE_SLOW, index) of a chip: word (cell) of index 2 sample places the 1/f noise, bit 31 of that of 2 sample + 1 is the state of telegraph noise;
 * that of index 2^64 - 1 chooses the cells that have telegraph noise. */
uint64_t snn_slow_seed(uint64_t seed, uint64_t chip);
bool snn_slow_telegraph(const snn_device *d, uint64_t slow_seed, uint64_t cell);
/* Is telegraph noise in its lower state during a sample? */
bool snn_slow_lower(uint64_t slow_seed, uint64_t sample, uint64_t cell);
/* Change of the conductance [uS] during a sample: sigma z - step state. */
double snn_slow_shift(uint64_t slow_seed, uint64_t sample, uint64_t cell, double sigma, double step);

/* ---- lists of cells ---- */

/* A cell that can be read wrong, and how. Entries of one cell follow each other, and exclude each other: each is meant given that the ones before did not happen. */
typedef struct {
    double upto;       /* sum of rates of its channel's entries up to and with this one */
    uint32_t position; /* entries ascend by (tap, position) */
    uint16_t tap;
    uint8_t mask; /* bits of the cell that are inverted, right-aligned in the cell */
} snn_read_entry;

typedef struct {
    uint32_t *first; /* [channels + 1] */
    double *rate;    /* [channels] sum of its entries */
    snn_read_entry *entry;
    size_t n, capacity;
} snn_read_list;

/* A cell near enough to a reference that noise frozen within a sample matters. */
typedef struct {
    double sensed;      /* without noise [uS] */
    double sigma, step; /* 1/f, telegraph [uS] */
    uint64_t cell;      /* physical cell number */
    uint32_t position;
    uint32_t first; /* room for its entries in the workspace's list; next cell's first: end */
    uint16_t tap;
    uint8_t level, n; /* noise-free level; bits of the cell */
    /* Without 1/f noise there are only two cases: their entries, with rates in place of sums, stand in the list's `ready`, first those of the upper state. */
    uint32_t ready;
    uint8_t upper, lower; /* how many */
} snn_slow_cell;

typedef struct {
    uint32_t *first; /* [channels + 1] */
    snn_slow_cell *cell;
    size_t n, capacity;
    size_t room; /* entries of all */
    snn_read_entry *ready;
    size_t ready_n, ready_capacity;
    uint64_t token; /* of this list's contents: workspaces keep what they computed from it for a sample */
} snn_slow_list;

/* A cell that is always read wrong. */
typedef struct {
    uint32_t row, position;
    uint8_t mask; /* right-aligned in the cell */
} snn_read_wrong;

typedef struct {
    snn_read_wrong *wrong; /* by row, position */
    size_t n, capacity;
} snn_wrong_list;

/* Cells that hw.cell_error inverts: 2 (row * width + position) + 1 where a cell of several bits goes up a level; ascending. */
typedef struct {
    uint64_t *cell;
    size_t n, capacity;
} snn_decreed_list;

/* ---- a tensor, a chip ---- */

/* What a tap takes from a spike's place before the division by the stride: ky - padding, kx - padding (modulo 2^32). */
typedef struct {
    uint32_t y, x;
} snn_read_tap;

typedef struct {
    const snn_map_tensor *map;
    int index;
    bool convolution;
    uint32_t channels, taps, kernel, stride, padding; /* linear: fan-in channels of 1 tap */
    snn_read_tap *tap;                                /* [taps] */
    snn_shape in, out;
    uint32_t outputs, cells, width;   /* width: positions of a row word */
    uint8_t cell_shift[8], cell_n[8]; /* [cells] of the weight: code >> shift & (2^n - 1) are its bits */
    int32_t value[256];               /* of a code */
    /* SEC-DED, else 0 */
    uint32_t words, word_width, tile_words, code_bits, check_bits, columns;
    snn_divider by_outputs, by_cells, by_lanes, by_taps, by_reads, by_area, by_line,
        by_word; /* by_reads: taps * outputs */

    snn_wrong_list wrong;
    snn_decreed_list decreed;
    snn_read_list weak;
    snn_slow_list slow;
    size_t slow_at; /* where its part of the workspace begins (hook) */
    uint8_t *
        code; /* [fan_in][outputs] what is read without noise, key's bits flipped; NULL where reads never vary */
    uint8_t *cells_code; /* the same before the key (what the cells say); may be `code` */
    uint64_t stream; /* seed of its streams of read noise: (stream, SNN_PURPOSE_READ, sample << 20 | step) */
} snn_read_tensor;

/* What stands at a position of a row word. */
typedef struct {
    uint32_t output, cell; /* data */
    uint32_t word, bit;    /* SEC-DED */
    bool check;
    snn_cell logical;
} snn_read_place;

/* Everything about a chip that read-out needs; filled by a scan, then by snn_read_fold. */
typedef struct {
    const snn_chip *chip;
    const snn_map *map;
    const snn_hw_options *options;
    snn_condition condition; /* as asked for */
    snn_condition when;      /* with the reads that the chip has seen before */
    double read_error;       /* uniform, per cell and read; > 0 excludes weak and slow cells */
    double white;            /* [uS] standard deviation of one read: device and amplifier */
    uint64_t slow_seed;
    snn_read_class class[5];       /* [n] cells of n bits */
    snn_chip_levels levels;        /* of `condition` */
    double *offset;                /* [tiles][all_columns] of the amplifiers [uS]; NULL: all 0 */
    const snn_secded *secded;      /* NULL: no code words */
    snn_gap_table *uniform, *unit; /* gaps at the rate of read_error; of rate 1 */
    int tensors;
    snn_read_tensor *tensor;
    snn_weights *weights; /* effective */
    snn_readout_stats stats;
    double wrong_expected; /* wrong data bits per read of every cell */
    uint32_t most_inputs;  /* of a tensor */
    size_t scratch_bytes;
} snn_read_plan;

/* ---- cells of a row word (read_layout.c) ---- */

bool snn_read_layout(snn_read_tensor *t, const snn_map *map, int tensor, const snn_layer *layer,
                     snn_error *err);

/* false: no cell stands at that position. */
bool snn_read_place_at(const snn_read_tensor *t, const snn_map *map, uint32_t row, uint32_t position,
                       snn_read_place *place);
/* Cells of the tensor, check cells included. */
uint64_t snn_read_cells(const snn_read_tensor *t);
#define SNN_READ_WORD (SNN_SECDED_MAX + 16) /* room for the cells of a code word */
/* What a decoder leaves of the errors of a word: wrong [data_bits + check_bits], 1 where a cell is read wrong, data bits from `used` on do not exist. */
void snn_read_decode(const snn_secded *code, uint32_t used, uint8_t *wrong);
/* Data bits of code word `word` that are in use; 0: no such word. */
uint32_t snn_read_word_bits(const snn_read_tensor *t, uint32_t word);

/* Errors: those of snn_device_level; RUNTIME (memory). */
bool snn_read_plan_init(snn_read_plan *p, const snn_chip *chip, const snn_condition *when, const snn_net *net,
                        snn_error *err);
void snn_read_plan_free(snn_read_plan *p);

/* Conductance that the amplifier of a physical cell's column compares with the references, its offset taken off [uS]. */
static inline double snn_read_sensed(const snn_read_plan *p, const snn_cell *physical, double g) {
    return p->offset ? g - p->offset[(size_t)physical->tile * p->map->all_columns + physical->column] : g;
}

/* ---- scans ---- */

/* A cell and its conductance without noise. */
typedef struct {
    uint32_t row, position, physical_column;
    snn_read_place place;
    uint64_t number; /* physical cell number */
    int n;           /* bits of the cell */
    int target;      /* its level */
    double g;        /* [uS] */
} snn_read_cell;

/* Puts a cell onto the tensor's lists; cells come in the order of rows and positions. */
bool snn_read_note(snn_read_plan *p, snn_read_tensor *t, const snn_read_cell *cell, snn_error *err);
/* Can no read of a cell of n bits and conductance g vary? (false where amplifiers have offsets) */
bool snn_read_quiet(const snn_read_plan *p, int n, double g);
/* Visit every cell; or only those that may be on a list, which gives the same lists. */
bool snn_read_scan_plain(snn_read_plan *p, snn_error *err);
bool snn_read_scan_fast(snn_read_plan *p, snn_error *err);
/* Ends the lists (sums of rates, beginnings of channels), applies hw.cell_error, corrects, flips the key's bits: weights, codes, stats. */
bool snn_read_fold(snn_read_plan *p, const snn_flips *key, snn_error *err);
/* Do reads of the tensor vary? */
bool snn_read_varies(const snn_read_plan *p, const snn_read_tensor *t);
/* Bits that the decree inverts of a cell that the device reads as `bits`; up: to which neighbour of a cell of several bits. */
uint8_t snn_read_decree_mask(const snn_read_class *c, uint8_t bits, bool up);

/* ---- other bits stored (read_deltas.c) ---- */

/* snn_readout_deltas, for a plan without code words, repair and key. */
bool snn_read_deltas(const snn_read_plan *p, const snn_flips *flips, snn_delta *delta, size_t *n,
                     snn_error *err);

#endif
