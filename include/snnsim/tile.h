/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tile, cycle by cycle: queue of spikes, row address, sense register, decryptor, adder lanes, neurons, encoder: the same registers as verilog/rtl/tile.v (verilog/README.md says what
 * each cycle does). snn_tile_cycle is one clock of the circuit; snn_tile_run plays a layer's spikes through it; sim's engine in fixed arithmetic gives the same membranes and spikes.
 */
#ifndef SNNSIM_TILE_H
#define SNNSIM_TILE_H

#include <snnsim/config.h>
#include <snnsim/decryptor.h>
#include <snnsim/engine.h>
#include <snnsim/rows.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters of the circuit. */
typedef struct {
    snn_decryptor_shape decryptor; /* and ADDR, LANES, BITS */
    snn_encoding encoding;
    uint32_t words; /* WORDS: most row words of a line, 1..255 */
    uint32_t queue; /* QUEUE: entries, 2..1024, a power of two */
} snn_tile_shape;
#define SNN_TILE_LINES (UINT32_C(1) << 20) /* LINE: 20 bits */
#define SNN_TILE_COUNTS 65535U             /* COUNT: 16 bits */

/* A layer's configuration registers and per-output parameters. */
typedef struct {
    uint32_t base, stride, words; /* row address base + word * stride + line */
    int32_t decay;                /* 0..4096 */
    bool subtract, at_threshold, spiking;
    const int32_t *threshold,
        *bias; /* [words * lanes] in 1/64 weight LSB; lanes beyond the layer: INT32_MAX, 0 */
} snn_tile_layer;

/* Input ports of one cycle. */
typedef struct {
    bool aer_valid, aer_end;
    uint32_t aer_line, aer_count;
    bool spk_ready;
    bool clear, tamper;
    bool prov_valid;
    snn_prov_write prov;
} snn_tile_inputs;

/* Output ports of one cycle, SNN_OBSERVE's among them: before the edge that ends it. Pointers are valid until the next call. */
typedef struct {
    uint64_t cycle; /* since the tile was made */
    bool idle, aer_ready;
    bool array_read;
    uint32_t array_addr;
    bool spk_valid, spk_end;
    uint32_t spk_line;
    bool hold;                    /* stages A, S and X stand still */
    bool word_valid;              /* stage X holds a row word */
    uint32_t addr;                /* its row address */
    bool keyed;                   /* its mask is not zero */
    const uint8_t *sensed, *word; /* [lanes] codes before and after decryption; NULL without word_valid */
    bool fire;                    /* stage X holds a FIRE */
    uint32_t fire_word;
    const int32_t *membrane; /* [lanes] v' before the reset; NULL without fire */
    const uint8_t *spikes;   /* [lanes] 0/1; NULL without fire */
} snn_tile_outputs;

typedef struct snn_tile snn_tile;
/* After reset. array [2^address or fewer: rows][lanes] codes that stand in the cells; borrowed. Errors: USAGE (parameters the circuit cannot have), RUNTIME. */
snn_tile *snn_tile_new(const snn_tile_shape *shape, const uint8_t *array, uint32_t rows, snn_error *err);
void snn_tile_free(snn_tile *t);
void snn_tile_reset(snn_tile *t);
const snn_tile_shape *snn_tile_of(const snn_tile *t);
snn_decryptor *snn_tile_decryptor(snn_tile *t);
/* Sets the layer's registers (the tile must be idle). Errors: USAGE (more words than the tile has, rows outside the array). */
bool snn_tile_configure(snn_tile *t, const snn_tile_layer *layer, snn_error *err);
/* One clock. out: what the ports show during the cycle; may be NULL. */
void snn_tile_cycle(snn_tile *t, const snn_tile_inputs *in, snn_tile_outputs *out);

/* ---- a layer's traffic ---- */

typedef struct {
    uint64_t
        cycles; /* from the first cycle in which an event is offered to the last one before the tile is idle again */
    uint64_t reads, fires;
    uint64_t hold_decryptor,
        hold_encoder; /* cycles in which the pipeline stood still, by cause (a decryptor's hold counts first) */
    uint64_t aer_stalls; /* cycles in which an event was offered and the queue was full */
    uint64_t spk_stalls; /* cycles in which a spike was offered and not taken */
    uint64_t bubbles;    /* cycles without an operation in stage A although the pipeline moved */
    uint64_t keyed;      /* reads whose mask was not zero */
    uint64_t spikes;
} snn_tile_counts;
void snn_tile_counts_add(snn_tile_counts *to, const snn_tile_counts *c);

/* What stands between the tile and the world, all optional. */
typedef struct {
    void *context;
    /* After each cycle: what was put in and what the ports showed. false (with err set) stops. */
    bool (*cycle)(void *context, const snn_tile_inputs *in, const snn_tile_outputs *out, snn_error *err);
    /* Is an event offered, is a spike taken in this cycle? NULL: always. For back-pressure. */
    bool (*offer)(void *context, uint64_t cycle);
    bool (*take)(void *context, uint64_t cycle);
} snn_tile_hooks;

/* Runs a layer over all steps of x (indices are lines) after clearing it. out (may be NULL): spikes of outputs 0 .. outputs - 1. membrane (may be NULL): [steps][words * lanes] v' before the
 * reset. counts is added to. Errors: DATA (a line outside the layer, a count that the queue's field cannot hold is split, not refused), what hooks return. */
bool snn_tile_run(snn_tile *t, const snn_tile_layer *layer, uint32_t outputs, const snn_spikes *x,
                  const snn_tile_hooks *hooks, snn_spikes *out, int32_t *membrane, snn_tile_counts *counts,
                  snn_error *err);

/* ---- layers of a network ---- */

/* Registers and parameters of tensor `tensor`, exactly as the engine (fixed arithmetic) has them; free threshold and bias with free(). Errors: USAGE (a float engine), RUNTIME. */
bool snn_tile_layer_init(snn_tile_layer *l, const snn_engine *engine, const snn_rows *rows, int tensor,
                         snn_error *err);
void snn_tile_layer_free(snn_tile_layer *l);
/* What a convolution's or linear layer's input spikes x are as lines: for a convolution each spike becomes one event for each kernel tap whose output exists, taps ascending, spikes in the
 * order of x (a line may occur more than once in a step, and lines need not ascend). */
bool snn_tile_events(const snn_layer *layer, const snn_spikes *x, snn_spikes *events, snn_error *err);

/* ---- section hw.decryptor of the configuration ---- */

/* What a search for bits must keep to: most keyed bits of a row word, keyable bits of a weight; 0: not said. Errors: USAGE. */
bool snn_decryptor_limits(const snn_config *config, uint32_t *word_limit, uint32_t *keyable, snn_error *err);
/* Parameters for these rows and a key of bit [n]; what the configuration leaves open (0) is as large as the key needs. kind: in place of hw.decryptor.kind, or NULL. Errors: USAGE, DATA (layers of
 * different encodings). */
bool snn_tile_shape_from_config(const snn_config *config, const snn_rows *rows, const snn_row_bit *bit,
                                size_t n, const char *kind, snn_tile_shape *shape, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
