/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of a netlist's nets, and the way back from a name. */
#include "netlist.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a (Fowler, Noll, Vo), 64 bit. */
static uint64_t hash(const char *text) {
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return h;
}

bool snn_netlist_add_name(snn_netlist *n, const char *name, uint32_t net, snn_error *err) {
    if (!snn_grow((void **)&n->name, &n->name_capacity, n->names + 1, sizeof *n->name, err))
        return false;
    snn_net_name *to = &n->name[n->names];
    if (!(to->text = strdup(name)))
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory for the names of nets");
    to->net = net;
    if (n->label[net] == SNN_NO_NET)
        n->label[net] = (uint32_t)n->names;
    n->names++;
    return true;
}

bool snn_netlist_index(snn_netlist *n, snn_error *err) {
    n->hash_size = 16;
    while (n->hash_size < 2 * n->names)
        n->hash_size *= 2;
    if (!(n->hash = snn_alloc(n->hash_size, sizeof *n->hash, "names of nets", err)))
        return false;
    for (size_t i = 0; i < n->names; i++) {
        size_t at = (size_t)hash(n->name[i].text) & (n->hash_size - 1);
        while (n->hash[at] && strcmp(n->name[n->hash[at] - 1].text, n->name[i].text) != 0)
            at = (at + 1) & (n->hash_size - 1);
        if (n->hash[at] && n->name[n->hash[at] - 1].net != n->name[i].net)
            return snn_fail(err, SNN_ERR_DATA, "two nets are called '%.200s'", n->name[i].text);
        if (!n->hash[at])
            n->hash[at] = (uint32_t)i + 1;
    }
    return true;
}

uint32_t snn_netlist_find(const snn_netlist *n, const char *name) {
    size_t at = (size_t)hash(name) & (n->hash_size - 1);
    for (; n->hash[at]; at = (at + 1) & (n->hash_size - 1))
        if (strcmp(n->name[n->hash[at] - 1].text, name) == 0)
            return n->name[n->hash[at] - 1].net;
    return SNN_NO_NET;
}
