/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: making tensors. */
#ifndef SNNSIM_SIM_WEIGHTS_INTERNAL_H
#define SNNSIM_SIM_WEIGHTS_INTERNAL_H

#include <snnsim/weights.h>

#include <string.h>

/* Bytes of one item. */
size_t snn_tensor_item_size(snn_code_type type);

/* The smallest type that holds codes of `bits` bits. */
snn_code_type snn_code_type_of(int bits);

/* Sets type, bits, encoding and scales of a tensor whose name and shape stand already, and gives it zeroed memory. */
bool snn_tensor_alloc(snn_tensor *t, snn_code_type type, int bits, snn_encoding encoding, uint32_t scales,
                      snn_error *err);
/* Frees what the tensor owns. */
/* What both tensors of a recurrent layer must share, as their sums are added: both float, or the same scales. */
bool snn_tensor_check_pair(const snn_tensor *t, const snn_tensor *back, snn_error *err);
void snn_tensor_clear(snn_tensor *t);

/* Tensors with the names and shapes of `like`, without memory yet. */
snn_weights *snn_weights_shell(const snn_weights *like, snn_error *err);
/* The same for a network. */
snn_weights *snn_weights_shell_for(const snn_net *net, snn_error *err);

/* Are codes within their bits, floats finite, scales positive? DATA error naming layer and index. */
bool snn_tensor_check(const snn_tensor *t, snn_error *err);

/* Raw code of weight i (integer tensors only). */
static inline uint32_t snn_tensor_code(const snn_tensor *t, uint64_t i) {
    return t->type == SNN_CODE_8 ? t->code8[i] : t->code16[i];
}

/* Adds dq to the value of weight i (integer tensors only); the new value must have a code. */
static inline void snn_tensor_add(snn_tensor *t, uint64_t i, int32_t dq) {
    const uint32_t code = snn_value_code(t->encoding, t->bits, snn_weight_q(t, i) + dq);
    if (t->type == SNN_CODE_8)
        t->code8[i] = (uint8_t)code;
    else
        t->code16[i] = (uint16_t)code;
}

/* Codes (or floats) of `from` into `to`, a tensor of the same shape and type. */
static inline void snn_tensor_copy_codes(snn_tensor *to, const snn_tensor *from) {
    memcpy(to->data, from->data, from->count * snn_tensor_item_size(from->type));
}

#endif
