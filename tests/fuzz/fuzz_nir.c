/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A NIR graph from any JSON (as a model's origin has it), so that libhdf5 has no part in it: order of nodes, layers, neurons, windows, and the origin made of it again. */
#include "../../sim/nir_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes that would only cost memory are left out. */
#define LARGE 200

static bool large(const nir_node *n) {
    for (size_t i = 0; i < n->fields; i++) {
        const nir_field *f = &n->field[i];
        if (f->count > LARGE * LARGE)
            return true;
        for (uint64_t k = 0; k < f->count && f->integer != NULL; k++)
            if (f->integer[k] > LARGE)
                return true;
        for (int k = 0; k < f->dims; k++)
            if (f->shape[k] > LARGE)
                return true;
    }
    for (size_t i = 0; i < n->nodes; i++)
        if (large(&n->node[i]))
            return true;
    return false;
}

static void check(bool ok, const snn_error *err) {
    if (!ok && err->code != SNN_ERR_DATA && err->code != SNN_ERR_RUNTIME)
        abort();
}

/* What was accepted must have tensors that fit, and an origin that can be read. */
static void check_network(const nir_file *f, const nir_network *n) {
    snn_error err = {0};
    char *text = NULL;
    nir_file back;
    if (n->tensors != n->net->tensors)
        abort();
    for (int t = 0; t < n->tensors; t++) {
        int dims;
        uint64_t shape[4];
        if (snn_net_tensor_weights(n->net, t, &dims, shape) != n->tensor[t].count)
            abort();
    }
    if (!snn_nir_origin_make(f, n, &text, &err))
        check(false, &err);
    if (text != NULL && snn_nir_file_from_json(&back, text, strlen(text), &err))
        snn_nir_file_free(&back); /* only when no weights are named */
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    snn_error err = {0};
    nir_file f;
    nir_chain chain = {0};
    nir_network network = {0};
    const snn_import_options options = {.reset = size % 2 ? SNN_RESET_SUBTRACT : SNN_RESET_ZERO,
                                        .unit_gain = size % 3 == 0};
    if (!snn_nir_file_from_json(&f, (const char *)data, size, &err)) {
        check(false, &err);
        return 0;
    }
    if (!large(&f.root)) {
        bool ok = snn_nir_walk(&chain, &f, "fuzz", &err) &&
                  snn_nir_layers(&network, &chain, f.dt > 0 ? f.dt : NIR_DT, &options, "fuzz", &err);
        check(ok, &err);
        if (ok)
            check_network(&f, &network);
    }
    snn_nir_network_free(&network);
    snn_nir_chain_free(&chain);
    snn_nir_file_free(&f);
    return 0;
}
