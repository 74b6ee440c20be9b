/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside sim/: making tensors. */
#ifndef SNNSIM_SIM_WEIGHTS_INTERNAL_H
#define SNNSIM_SIM_WEIGHTS_INTERNAL_H

#include <snnsim/weights.h>

/* Bytes of one item. */
size_t snn_tensor_item_size(snn_code_type type);

/* The smallest type that holds codes of `bits` bits. */
snn_code_type snn_code_type_of(int bits);

/* Sets type, bits, encoding and scales of a tensor whose name and shape stand already, and gives it zeroed memory. */
bool snn_tensor_alloc(snn_tensor *t, snn_code_type type, int bits, snn_encoding encoding, uint32_t scales,
                      snn_error *err);
/* Frees what the tensor owns. */
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

#endif
