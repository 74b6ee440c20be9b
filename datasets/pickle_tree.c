/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the tree that pickle.c makes. */
#include "pickle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool snn_pickle_is(const snn_pickle *p, uint32_t i, snn_node_kind kind, const char *text) {
    const snn_node *node = &p->node[i];
    return i != 0 && node->kind == (unsigned)kind && node->size == strlen(text) &&
           memcmp(p->bytes + node->value.text, text, node->size) == 0;
}

uint32_t snn_pickle_child(const snn_pickle *p, uint32_t i, uint32_t k) {
    if (i == 0 || p->node[i].kind < SNN_NODE_LIST)
        return 0;
    uint32_t child = p->node[i].value.child.first;
    while (child != 0 && k-- > 0)
        child = p->node[child].next;
    return child;
}

uint32_t snn_pickle_value(const snn_pickle *p, uint32_t dict, const char *key) {
    if (dict == 0 || p->node[dict].kind != SNN_NODE_DICT)
        return 0;
    for (uint32_t k = p->node[dict].value.child.first; k != 0; k = p->node[p->node[k].next].next)
        if (snn_pickle_is(p, k, SNN_NODE_STRING, key))
            return p->node[k].next;
    return 0;
}

const char *snn_pickle_text(const snn_pickle *p, uint32_t i, char buf[SNN_NODE_TEXT]) {
    static const char *const container[] = {[SNN_NODE_LIST] = "a list",
                                            [SNN_NODE_TUPLE] = "a tuple",
                                            [SNN_NODE_DICT] = "a dictionary",
                                            [SNN_NODE_PERSISTENT] = "a reference",
                                            [SNN_NODE_CALL] = "an object"};
    const snn_node *node = &p->node[i];
    if (i == 0) {
        snprintf(buf, SNN_NODE_TEXT, "nothing");
    } else if (node->kind == SNN_NODE_FLOAT) {
        snprintf(buf, SNN_NODE_TEXT, "the number %g", node->value.number);
    } else if (node->kind == SNN_NODE_INT) {
        snprintf(buf, SNN_NODE_TEXT, "the integer %" PRId64, node->value.integer);
    } else if (node->kind == SNN_NODE_STRING || node->kind == SNN_NODE_GLOBAL) {
        char text[41];
        size_t n = node->size < sizeof text - 1 ? node->size : sizeof text - 1;
        for (size_t k = 0; k < n; k++) {
            uint8_t c = p->bytes[node->value.text + k];
            text[k] = c >= ' ' && c < 127 ? (char)c : '?';
        }
        text[n] = '\0';
        snprintf(buf, SNN_NODE_TEXT, "the %s \"%s\"%s", node->kind == SNN_NODE_STRING ? "string" : "name",
                 text, n < node->size ? " ..." : "");
    } else {
        unsigned n = node->kind == SNN_NODE_DICT ? node->size / 2 : node->size;
        snprintf(buf, SNN_NODE_TEXT, "%s of %u", container[node->kind], n);
    }
    return buf;
}
