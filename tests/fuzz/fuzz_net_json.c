/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network from any JSON. What is accepted must keep the limits that the rest of the program relies on, and read back to the same. */
#include <snnsim/net.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_layer(const snn_net *net, int i) {
    const snn_layer *l = &net->layer[i];
    snn_shape in = i > 0 ? net->layer[i - 1].out : net->input;
    uint64_t out = (uint64_t)l->out.channels * l->out.height * l->out.width, shape[4];
    int dims;
    if (memcmp(&in, &l->in, sizeof in) != 0 || out < 1 || out > 1u << 27)
        abort();
    if (snn_net_find(net, l->name) != i)
        abort();
    if ((l->tensor >= 0) != (l->neuron.type != SNN_NEURON_NONE))
        abort();
    uint64_t weights = snn_layer_weights(l, &dims, shape);
    if (l->tensor >= 0 && (weights < 1 || weights > INT32_MAX || weights / shape[0] != snn_layer_fan_in(l)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    snn_error err = {0};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    snn_net *net = snn_net_from_json(text, "fuzz", &err);
    free(text);
    if (!net) {
        if (err.code != SNN_ERR_DATA && err.code != SNN_ERR_RUNTIME)
            abort();
        return 0;
    }
    for (int i = 0; i < net->layers; i++)
        check_layer(net, i);
    char *first = snn_net_to_json(net, &err);
    snn_net *back = first ? snn_net_from_json(first, "again", &err) : NULL;
    char *second = back ? snn_net_to_json(back, &err) : NULL;
    if (!second || strcmp(first, second) != 0 || !snn_net_equal(net, back, &err))
        abort();
    free(first);
    free(second);
    snn_net_free(back);
    snn_net_free(net);
    return 0;
}
