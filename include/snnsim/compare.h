/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What decryption costs an inference, and what AES would cost: counted traffic times the results of synthesis (synthesis.h). "Added" is always the difference of two circuits that were
 * synthesised and simulated the same way: the read-out with a decryptor and the read-out without.
 */
#ifndef SNNSIM_COMPARE_H
#define SNNSIM_COMPARE_H

#include <snnsim/hw.h>
#include <snnsim/synthesis.h>
#include <snnsim/tile_network.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Traffic of one inference (means), and the network. */
typedef struct {
    double reads, keyed;         /* row reads, those with a mask */
    double cycles, plain_cycles; /* with the decryptor and with pass-through */
    double rows;                 /* row words of the network: one full pass */
    double weight_bits;          /* of the network */
    double array_pj;             /* array, sense amplifiers, drivers; NaN: not known */
    double array_sourced_pj;     /* of it without assumptions */
} snn_inference;
/* Sums over `samples` inferences; tensor < 0: all. Errors: as snn_ledger_read. */
bool snn_inference_of(const snn_tile_traffic *traffic, double samples, const snn_rows *rows,
                      const snn_map *map, const snn_hw_options *o, const snn_weights *stored, int tensor,
                      snn_inference *out, snn_error *err);

/* Of one library. */
typedef struct {
    const snn_synthesis_design *plain, *with; /* read-out without and with the decryptor */
    double period_ns;          /* of the plain read-out; a decryptor that cannot keep it has its own */
    bool misses;               /* it cannot */
    double ns, added_ns;       /* of an inference, what decryption adds */
    double plain_pj, added_pj; /* dynamic */
    double plain_leakage_pj, added_leakage_pj; /* over ns */
} snn_decryption;
/* false: the library has no results for such a read-out. */
bool snn_decryption_of(const snn_synthesis *s, const snn_decryptor_shape *shape, uint32_t keys,
                       const snn_inference *x, snn_decryption *out);

/* ---- against ciphers ---- */

typedef enum {
    SNN_AES_INFERENCE, /* AES over all weights, once per inference */
    SNN_AES_ROW,       /* AES over all bits of a row word at each read */
    SNN_AES_ROW_MSB,   /* AES in counter mode on the keyable bits only, at each read */
    SNN_AES_POWER_UP,  /* AES over all weights, once: plain weights then lie in the array */
    SNN_PRINCE_MSB,    /* PRINCE in counter mode on the keyable bits, at each read */
    SNN_ACCOUNTINGS
} snn_accounting;
const char *snn_accounting_name(snn_accounting a); /* "aes_per_inference", ... */

typedef struct {
    bool known;
    double blocks;               /* of the cipher: per inference, power-up: once */
    double pj, leakage_pj;       /* what it adds to plain read-out: per inference, power-up: once */
    double ns;                   /* the same of time */
    double ratio, ratio_leakage; /* to what the decryptor adds per inference: dynamic, with leakage */
    double latency;              /* time of an inference with it to that with the decryptor */
    double
        break_even; /* power-up: inferences after which the decryptor has taken as much, dynamic; else NaN */
} snn_alternative;
/* `added_pj` etc. are of the decryptor that the alternatives are compared with. */
void snn_compare(const snn_synthesis *s, const snn_decryptor_shape *shape, const snn_inference *x,
                 const snn_decryption *decryptor, snn_alternative out[SNN_ACCOUNTINGS]);

/* The ranges that the paper's abstract (SNNGX) names against AES: energy x59 to x6780, latency x175 to x4250. */
#define SNN_PAPER_ENERGY_LEAST 59.0
#define SNN_PAPER_ENERGY_MOST 6780.0
#define SNN_PAPER_LATENCY_LEAST 175.0
#define SNN_PAPER_LATENCY_MOST 4250.0

/* ---- area ---- */

typedef struct {
    double arrays;
    uint32_t most_keys; /* of the fullest array */
    double shared_um2;  /* one decryptor for the macro: what it adds to the read-out; NaN: not known */
    double each_um2;    /* one for each array, each with room for the fullest one's keys */
    const snn_synthesis_design *shared, *each;
} snn_decryptor_area;
/* bit [n]: of the key. */
void snn_decryptor_area_of(const snn_synthesis *s, const snn_decryptor_shape *shape, const snn_map *map,
                           const snn_rows *rows, const snn_row_bit *bit, size_t n, snn_decryptor_area *out);

/* ---- rewriting the array ---- */

/* Decrypting by rewriting cells, an assumption throughout: pulses of the device's write voltage and time over the middle conductance, one for each cell that changes. */
typedef struct {
    double cells, pj, ns,
        endurance; /* cells written each time; endurance: cycles of a cell; NaN: not known */
} snn_rewrite;
/* cells: cells that change. */
void snn_rewrite_of(const snn_hw_options *o, double cells, double rows, snn_rewrite *out);

#ifdef __cplusplus
}
#endif
#endif
