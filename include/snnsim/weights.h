/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Weights as raw codes, their bits, and changes to them.
 *
 * A raw code is the bit pattern that stands in the cells, right-aligned in an unsigned integer of `bits` bits; bit 0 of a flip address is the most
 * significant one (the sign in sign-magnitude). Value q of a code: defined by the encoding alone, so -2^(bits-1) can appear after a flip.
 * w = q * scale. bits = 1 means q = +1 (code 0) or -1 (code 1) in every encoding.
 * Tensors of the same order as the network's layers; index in C order of PyTorch's layout ([out][in], [out][in][ky][kx]).
 */
#ifndef SNNSIM_WEIGHTS_H
#define SNNSIM_WEIGHTS_H

#include <snnsim/hdf5_file.h>
#include <snnsim/net.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SNN_SIGN_MAGNITUDE, SNN_TWOS_COMPLEMENT, SNN_OFFSET_BINARY } snn_encoding;
typedef enum {
    SNN_CODE_8,  /* bits 1..8, stored in uint8_t */
    SNN_CODE_16, /* bits 9..16, stored in uint16_t (imported networks) */
    SNN_FLOAT32  /* training and imported networks; hw and crypto refuse it */
} snn_code_type;

const char *snn_encoding_name(snn_encoding e); /* "sign_magnitude", "twos_complement", "offset_binary" */
bool snn_encoding_parse(const char *name, snn_encoding *e, snn_error *err);

/* Code -> q. For sign-magnitude, code "-0" has value 0. */
int32_t snn_code_value(snn_encoding e, int bits, uint32_t code);
/* q -> code; |q| <= 2^(bits-1)-1 (and -2^(bits-1) where the encoding has it); q = 0 gives +0. Out of range: bug (assert). */
uint32_t snn_value_code(snn_encoding e, int bits, int32_t q);

typedef struct {
    char name[SNN_NAME]; /* of the layer; "_rec" behind it: its recurrent weights */
    bool recurrent;      /* belongs to the tensor before it, whose scales it has */
    snn_code_type type;
    snn_encoding encoding;
    int bits; /* 1..16; 32 for float */
    int dims;
    uint64_t shape[4];
    uint64_t count; /* product of shape */
    union {
        uint8_t *code8;   /* [count] */
        uint16_t *code16; /* [count] */
        float *value;     /* [count] */
        void *data;
    };
    uint32_t scales; /* 1 (per layer) or shape[0] (per output channel); 0 for float */
    float *scale;    /* [scales] */
} snn_tensor;

typedef struct {
    int tensors;
    snn_tensor *tensor; /* [tensors] */
} snn_weights;

/* {tensor, index, bit}: the key, and a search's result. */
typedef struct {
    uint32_t tensor;
    uint32_t bit; /* 0 = most significant */
    uint64_t index;
} snn_flip;
typedef struct {
    size_t n;
    snn_flip *flip; /* [n] */
} snn_flips;

/* {tensor, index, dq}: what flips do to values. */
typedef struct {
    uint32_t tensor;
    int32_t dq;
    uint64_t index;
} snn_delta;

/* Float tensors of the network's shapes, zeroed. */
snn_weights *snn_weights_new(const snn_net *net, snn_error *err);
void snn_weights_free(snn_weights *w);
snn_weights *snn_weights_copy(const snn_weights *w, snn_error *err);
/* Value q of weight i (integer tensors only). */
int32_t snn_weight_q(const snn_tensor *t, uint64_t i);
/* Value as a float: q * scale, or the float itself. */
float snn_weight_value(const snn_tensor *t, uint64_t i);
/* Scale that weight i has. */
float snn_weight_scale(const snn_tensor *t, uint64_t i);

/* out = a copy of w with the given bits flipped (XOR of raw codes; flipping twice restores). Errors: DATA for an address outside the weights or
 * a float tensor. */
snn_weights *snn_weights_apply(const snn_weights *w, const snn_flips *flips, snn_error *err);
/* What each weight's code is to be XORed with, in delta[i].dq, by (tensor, index), each weight once; *n and errors as snn_weights_deltas. */
bool snn_weights_flip_masks(const snn_weights *w, const snn_flips *flips, snn_delta *delta, size_t *n,
                            snn_error *err);
/* delta[i] for each flip, merged per weight and sorted by (tensor, index); *n in: capacity >= flips->n, out: deltas. Zero changes are left out. */
bool snn_weights_deltas(const snn_weights *w, const snn_flips *flips, snn_delta *delta, size_t *n,
                        snn_error *err);

typedef struct {
    int bits; /* 1..8 */
    snn_encoding encoding;
    bool per_channel; /* scale per output channel instead of per layer */
    bool free_scale;  /* scale = max|w|/(2^(bits-1)-1) instead of the next power of two above it */
    bool truncate;    /* toward zero instead of to nearest (ties to even) */
} snn_quantisation;

typedef struct {
    uint64_t saturated; /* weights beyond the largest code */
    double error_rms;   /* root mean square of (quantised - float) in LSB */
} snn_quantisation_stats;

/* Section quant of the config. */
bool snn_quantisation_from_config(const snn_config *config, snn_quantisation *q, snn_error *err);
/* scale = 2^ceil(log2(max|w| / (2^(bits-1)-1))), exactly (no rounding of log2); max|w| = 0 gives scale 1. bits = 1: q = sign, scale from mean |w|. */
float snn_quantisation_scale(const snn_quantisation *q, const float *w, uint64_t n, uint64_t stride);
/* Quantises float tensors; the two of a recurrent layer get the same scales. stats [tensors] may be NULL. Errors: DATA when a weight is not finite. */
snn_weights *snn_weights_quantise(const snn_weights *w, const snn_quantisation *q,
                                  snn_quantisation_stats *stats, snn_error *err);
/* Quantises in place the layers whose tensors are all float, and leaves the others. */
bool snn_weights_quantise_floats(snn_weights *w, const snn_quantisation *q, snn_error *err);
/* Can the sums of the two tensors of each recurrent layer be added: are both float, or have they the same scales? Errors: DATA naming the layer. */
bool snn_weights_check_pairs(const snn_weights *w, snn_error *err);
/* The float weights that integer codes stand for. */
snn_weights *snn_weights_dequantise(const snn_weights *w, snn_error *err);
/* BLAKE2b over names, shapes, bits, encoding, scales and codes; hex. */
void snn_weights_digest(const snn_weights *w, char hex[65]);
/* Tensors in HDF5 files, groups weights and scales below `group` (docs/model.md). Put: false when libhdf5 failed. Get: names and shapes (dims, shape, count) are those of like [n]
 * and nothing else is there; NULL with the reader's error set. */
bool snn_weights_put(snn_hid group, const snn_weights *w);
snn_weights *snn_weights_get(const snn_hdf5_reader *r, snn_hid group, snn_tensor *like, int n);
/* Do the tensors fit the network (number, names, shapes)? DATA error naming the first difference. */
bool snn_weights_fit(const snn_weights *w, const snn_net *net, snn_error *err);

#ifdef __cplusplus
}
#endif
#endif
