/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decryption circuits, cycle by cycle: the same registers, masks and hold cycles as verilog/rtl/dec_*.v (verilog/README.md has ports and parameters). A model is loaded through the
 * same provisioning port as the circuit and computes its masks from what stands in its key store, never from the key's list of bits.
 */
#ifndef SNNSIM_DECRYPTOR_H
#define SNNSIM_DECRYPTOR_H

#include <snnsim/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SNN_DEC_PASS,   /* none */
    SNN_DEC_CAM,    /* slotted content-addressable memory */
    SNN_DEC_TABLE,  /* hashed key table */
    SNN_DEC_PRINCE, /* PRINCE in counter mode over all keyable bits */
    SNN_DEC_AES,    /* baseline: AES-128 in counter mode over all bits, one iterative core */
    SNN_DEC_XOR,    /* baseline: one fixed mask */
    SNN_DECS
} snn_decryptor_kind;
const char *snn_decryptor_name(snn_decryptor_kind kind); /* "pass", "cam", "table", "prince", "aes", "xor" */
/* Errors: USAGE naming what is known. */
bool snn_decryptor_parse(const char *name, snn_decryptor_kind *kind, snn_error *err);

/* The Verilog's parameters (GATED and STORE change no cycle and no bit, and are not here). */
typedef struct {
    snn_decryptor_kind kind;
    uint32_t address; /* ADDR: bits of a row address, 1..24 */
    uint32_t lanes;   /* LANES: 1..65536 */
    uint32_t bits;    /* BITS: 1..8 */
    uint32_t keyable; /* KEYABLE: 1..bits */
    uint32_t keys;    /* KEYS: entries of the store (cam, table) */
    uint32_t ways;    /* WAYS: slots or ways */
} snn_decryptor_shape;

/* One write of the provisioning port. */
typedef struct {
    uint16_t address;
    uint64_t data;
} snn_prov_write;
#define SNN_PROV_HASH 0x8000U /* table: from here on the rows of the matrices L_m */

/* Bits of a position, of an entry, and of a table's set index, as the Verilog has them. */
uint32_t snn_decryptor_position_bits(const snn_decryptor_shape *s);
uint32_t snn_decryptor_index_bits(const snn_decryptor_shape *s);

typedef struct snn_decryptor snn_decryptor;
/* As after reset. Errors: USAGE for parameters that the circuit cannot have, RUNTIME. */
snn_decryptor *snn_decryptor_new(const snn_decryptor_shape *shape, snn_error *err);
void snn_decryptor_free(snn_decryptor *d);
const snn_decryptor_shape *snn_decryptor_of(const snn_decryptor *d);

/* ---- the key store ---- */

/* Writes outside the store are ignored, as in the circuit. */
void snn_decryptor_write(snn_decryptor *d, snn_prov_write w);
/* Reset: key store and all registers are cleared. */
void snn_decryptor_clear(snn_decryptor *d);
/* The tamper input during a cycle, to be called before anything of that cycle is looked at: the key store is empty at once. */
void snn_decryptor_tamper(snn_decryptor *d);

/* ---- combinational: the mask of a row ---- */

/* XORs the mask of row address `row` onto the lanes' codes [lanes]. */
void snn_decryptor_apply(const snn_decryptor *d, uint32_t row, uint8_t *code);

/* ---- one clock at a time ---- */

/* What the circuit shows in the present cycle; depends on registers only. */
bool snn_decryptor_hold(const snn_decryptor *d, bool word_valid);
/* Mask register: word_o = word_i ^ mask [lanes]. Valid until the next clock. */
const uint8_t *snn_decryptor_mask(const snn_decryptor *d);
/* Does it key any bit? */
bool snn_decryptor_keyed(const snn_decryptor *d);
/* The edge that ends the cycle: stage A asks for row `row` (req); en: the pipeline moves. */
void snn_decryptor_clock(snn_decryptor *d, bool req, uint32_t row, bool en);

#ifdef __cplusplus
}
#endif
#endif
