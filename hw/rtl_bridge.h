/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The face of a Verilated tile: what rtl_bridge.cpp, compiled into one shared object per parameter set (verilog/cosim.sh), gives to cosim*.c, which loads it at run time. Plain C that
 * needs no other header of ours, so that the object can be built where snnsim is only installed.
 */
#ifndef SNNSIM_HW_RTL_BRIDGE_H
#define SNNSIM_HW_RTL_BRIDGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_RTL_ABI 1U                 /* of this header; an object with another one is refused */
#define SNN_RTL_ENTRY "snn_rtl_bridge" /* name of the function below in the object */

/* A circuit under simulation. */
typedef struct snn_rtl snn_rtl;

/* The Verilog's parameters that the object was built for (verilog/README.md). */
typedef struct {
    uint32_t address, lanes, bits, keyable, keys, ways, encoding, words, queue;
    uint32_t count, line; /* bits of an event's fields */
} snn_rtl_parameters;

/* Input ports of one cycle, 0 or 1 where one bit wide. */
typedef struct {
    uint8_t aer_valid, aer_end, spk_ready, clear, tamper, prov_valid;
    uint16_t prov_addr;
    uint32_t aer_line, aer_count;
    uint64_t prov_data;
} snn_rtl_inputs;

/* Output ports during the cycle, before the edge that ends it. Vectors hold their least significant bit first, 32 bits an item, and are valid up to that edge. */
typedef struct {
    uint8_t idle, aer_ready, array_read, spk_valid, spk_end, hold, word_valid, fire;
    uint32_t array_addr, spk_line, addr, fire_word;
    uint64_t time;                 /* at which a VCD file has the cycle */
    const uint32_t *sensed, *word; /* lanes * bits */
    const uint32_t *membrane;      /* lanes * 32 */
    const uint32_t *spikes;        /* lanes */
} snn_rtl_outputs;

/* cfg_*: the layer's registers. */
typedef struct {
    uint32_t base, stride, words, decay;
    uint8_t subtract, at_threshold, spiking;
} snn_rtl_layer;

typedef struct snn_rtl_face {
    uint32_t abi;
    snn_rtl_parameters parameters;
    const char *decryptor; /* name of the module */
    const char *digest;    /* of the Verilog and the bridge, hexadecimal */
    uint32_t
        mutants; /* of a circuit for mutation tests (tests/mutate/rtl.sh): selectable changes, 0 otherwise */
    /* A circuit after reset whose registers held random values (by seed) before it. array: behavioural, [rows] vectors of lanes * bits, each of whole items; borrowed. NULL: no memory. */
    snn_rtl *(*make)(const uint32_t *array, uint32_t rows, uint32_t seed);
    void (*free)(snn_rtl *r);
    void (*reset)(snn_rtl *r);
    /* Sets the registers and writes thresholds and biases [words * lanes], one word a cycle; the tile is idle. */
    void (*configure)(snn_rtl *r, const snn_rtl_layer *layer, const int32_t *threshold, const int32_t *bias);
    /* Inputs of the present cycle, and what the outputs show. */
    void (*present)(snn_rtl *r, const snn_rtl_inputs *in, snn_rtl_outputs *out);
    /* The edge that ends the cycle. */
    void (*clock)(snn_rtl *r);
    /* From now on waveforms go to the VCD file `path`; NULL closes it. 0: cannot be written. A cycle is 10 time units, its edge stands at the fifth. */
    int (*trace)(snn_rtl *r, const char *path);
    /* Selects change 1 .. mutants, 0: none. */
    void (*mutant)(snn_rtl *r, uint32_t n);
} snn_rtl_face;

const snn_rtl_face *snn_rtl_bridge(void);

#ifdef __cplusplus
}
#endif
#endif
