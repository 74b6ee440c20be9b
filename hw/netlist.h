/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside hw/: a flat netlist of standard cells, as Yosys' write_json writes it. */
#ifndef SNN_HW_NETLIST_H
#define SNN_HW_NETLIST_H

#include "liberty.h"

#define SNN_NO_NET UINT32_MAX

/* Nets 0 to 2 are the constants. */
enum { SNN_NET_0, SNN_NET_1, SNN_NET_X, SNN_NET_FIRST };

typedef struct {
    const snn_lib_cell *type;
    char *name;
    uint32_t *net; /* [type->pins] SNN_NO_NET: not connected */
} snn_instance;

/* A pin on a net. */
typedef struct {
    uint32_t instance;
    uint8_t pin;
} snn_connection;

/* One name of a net: "a", or "a[3]" for a bit of a vector. */
typedef struct {
    char *text;
    uint32_t net;
} snn_net_name;

typedef struct {
    char *top;
    size_t instances;
    snn_instance *instance;
    size_t nets;
    uint32_t *first; /* [nets + 1] where the pins of each net begin */
    snn_connection *pin;
    uint32_t *driver; /* [nets] instance with an output on it, SNN_NO_NET: a port or nothing */
    bool *from_port;  /* [nets] an input of the module */
    uint32_t *label;  /* [nets] a name, SNN_NO_NET: has none */
    size_t names, name_capacity;
    snn_net_name *name;
    uint32_t *hash; /* [hash_size] name + 1; 0: empty */
    size_t hash_size;
} snn_netlist;

/* Reads a module (NULL: the one marked as top, or the only one that has cells) and looks its cells up in the library. Errors: DATA naming
 * file and place: cells or pins that the library does not have, nets with two drivers, nets without one. */
snn_netlist *snn_netlist_read(const char *path, const char *module, snn_library *library, snn_error *err);
void snn_netlist_free(snn_netlist *n);
/* The net of a name, SNN_NO_NET: none has it. */
uint32_t snn_netlist_find(const snn_netlist *n, const char *name);

/* netlist_names.c: takes names of nets out of Yosys' `netnames` (map: Yosys' numbers to nets), then makes the table. */
bool snn_netlist_add_name(snn_netlist *n, const char *name, uint32_t net, snn_error *err);
bool snn_netlist_index(snn_netlist *n, snn_error *err);

#endif
