/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Yosys' JSON into a flat netlist: module, ports, cells, names of nets, and who is connected to what. */
#include "netlist.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BIT ((json_int_t)1 << 26) /* Yosys' numbers of bits, which index a table */
#define MAX_NAME 4096

/* A netlist that is being read. */
typedef struct {
    snn_netlist *n;
    const char *path;
    snn_library *library;
    uint32_t *net; /* [bits] Yosys' number of a bit -> net, SNN_NO_NET: not seen yet */
    size_t bits, net_capacity;
    snn_error *err;
} reader;

static bool bad(const reader *r, const char *where, const char *what) {
    return snn_fail(r->err, SNN_ERR_DATA, "%s: %.200s: %s", r->path, where, what);
}

/* ---- nets ---- */

static bool add_net(reader *r, uint32_t *out) {
    snn_netlist *n = r->n;
    if (!snn_grow((void **)&n->label, &r->net_capacity, n->nets + 1, sizeof *n->label, r->err))
        return false;
    n->label[n->nets] = SNN_NO_NET;
    *out = (uint32_t)n->nets++;
    return true;
}

/* A bit of JSON as a net. */
static bool net_of(reader *r, const char *where, const json_t *bit, uint32_t *out) {
    const char *constant = json_string_value(bit);
    if (constant) {
        const char *known = "01xz", *at = strchr(known, constant[0]);
        if (!constant[0] || constant[1] || !at)
            return bad(r, where, "a bit is neither a number nor \"0\", \"1\", \"x\" or \"z\"");
        *out = at - known < SNN_NET_X ? (uint32_t)(at - known) : SNN_NET_X;
        return true;
    }
    json_int_t number = json_integer_value(bit);
    if (!json_is_integer(bit) || number < 0 || number >= MAX_BIT)
        return bad(r, where, "a bit is neither a number nor \"0\", \"1\", \"x\" or \"z\"");
    size_t capacity = r->bits;
    if ((size_t)number >= r->bits) {
        if (!snn_grow((void **)&r->net, &capacity, (size_t)number + 1, sizeof *r->net, r->err))
            return false;
        for (size_t i = r->bits; i < capacity; i++)
            r->net[i] = SNN_NO_NET;
        r->bits = capacity;
    }
    *out = r->net[number];
    if (*out != SNN_NO_NET)
        return true;
    if (!add_net(r, out))
        return false;
    r->net[number] = *out;
    return true;
}

/* ---- module ---- */

static bool is_top(const json_t *module) {
    const json_t *top = json_object_get(json_object_get(module, "attributes"), "top");
    const char *text = json_string_value(top);
    return text ? strchr(text, '1') != NULL : json_integer_value(top) != 0;
}

static const json_t *find_module(reader *r, const json_t *root, const char *wanted) {
    json_t *modules = json_object_get(root, "modules"), *module;
    const json_t *found = NULL;
    const char *name;
    size_t with_cells = 0;
    if (wanted) {
        found = json_object_get(modules, wanted);
        if (!found)
            snn_fail(r->err, SNN_ERR_DATA, "%s: there is no module '%.200s'", r->path, wanted);
        else if (!(r->n->top = strdup(wanted)))
            snn_fail(r->err, SNN_ERR_RUNTIME, "out of memory"), found = NULL;
        return found;
    }
    json_object_foreach(modules, name, module) {
        bool cells = json_object_size(json_object_get(module, "cells")) > 0, top = is_top(module);
        with_cells += cells;
        if (top || (cells && with_cells == 1)) {
            free(r->n->top);
            found = module;
            if (!(r->n->top = strdup(name))) {
                snn_fail(r->err, SNN_ERR_RUNTIME, "out of memory");
                return NULL;
            }
        }
        if (top)
            return found;
    }
    if (with_cells == 1)
        return found;
    snn_fail(r->err, SNN_ERR_DATA, "%s: %s", r->path,
             with_cells ? "several modules have cells and none is marked as top" : "no module has cells");
    return NULL;
}

/* ---- cells ---- */

/* Pins that the library lists and the netlist does not stay unconnected. */
static bool read_cell(reader *r, const char *name, json_t *cell, snn_instance *i) {
    const char *type = json_string_value(json_object_get(cell, "type")), *pin;
    json_t *connections = json_object_get(cell, "connections"), *bits;
    if (!(i->name = strdup(name)))
        return snn_fail(r->err, SNN_ERR_RUNTIME, "out of memory");
    if (!type || !json_is_object(connections))
        return bad(r, name, "a cell needs a type and connections");
    if (!(i->type = snn_library_cell(r->library, type, r->err)))
        return snn_error_context(r->err, "%s: cell %.200s", r->path, name);
    if (!(i->net = snn_alloc(i->type->pins, sizeof *i->net, "pins", r->err)))
        return false;
    for (unsigned p = 0; p < i->type->pins; p++)
        i->net[p] = SNN_NO_NET;
    json_object_foreach(connections, pin, bits) {
        int p = snn_lib_pin_number(i->type, pin);
        if (p < 0)
            return snn_fail(r->err, SNN_ERR_DATA, "%s: %.200s: cell %s has no pin '%.80s'", r->path, name,
                            i->type->name, pin);
        if (json_array_size(bits) > 1)
            return bad(r, name, "a pin with more than one bit");
        if (json_array_size(bits) == 1 && !net_of(r, name, json_array_get(bits, 0), &i->net[p]))
            return false;
    }
    return true;
}

static bool read_cells(reader *r, const json_t *module) {
    json_t *cells = json_object_get(module, "cells"), *cell;
    const char *name;
    snn_netlist *n = r->n;
    if (!(n->instance = snn_alloc(json_object_size(cells), sizeof *n->instance, "cells", r->err)))
        return false;
    json_object_foreach(cells, name, cell) {
        /* counted first, so that what it has got is freed */
        if (!read_cell(r, name, cell, &n->instance[n->instances++]))
            return false;
    }
    return true;
}

/* ---- names and ports ---- */

static bool read_name(reader *r, const char *name, const json_t *entry) {
    const json_t *bits = json_object_get(entry, "bits");
    size_t width = json_array_size(bits);
    json_int_t offset = json_integer_value(json_object_get(entry, "offset"));
    bool up = json_integer_value(json_object_get(entry, "upto")) != 0;
    char text[MAX_NAME + 32];
    if (!json_is_array(bits) || strlen(name) > MAX_NAME || offset < -MAX_BIT || offset > MAX_BIT)
        return bad(r, name, "a net's name needs at most 4096 characters, bits and a sensible offset");
    for (size_t b = 0; b < width; b++) {
        uint32_t net;
        if (!net_of(r, name, json_array_get(bits, b), &net))
            return false;
        if (net < SNN_NET_FIRST)
            continue;
        json_int_t index = offset + (json_int_t)(up ? width - 1 - b : b);
        if (width == 1 && offset == 0)
            snprintf(text, sizeof text, "%s", name);
        else
            snprintf(text, sizeof text, "%s[%lld]", name, (long long)index);
        if (!snn_netlist_add_name(r->n, text, net, r->err))
            return false;
    }
    return true;
}

static bool read_names(reader *r, const json_t *module) {
    json_t *names = json_object_get(module, "netnames"), *entry;
    const char *name;
    json_object_foreach(names, name, entry) {
        if (!read_name(r, name, entry))
            return false;
    }
    return snn_netlist_index(r->n, r->err) || snn_error_context(r->err, "%s", r->path);
}

static bool read_ports(reader *r, const json_t *module) {
    json_t *ports = json_object_get(module, "ports"), *port;
    const char *name;
    snn_netlist *n = r->n;
    json_object_foreach(ports, name, port) {
        const char *direction = json_string_value(json_object_get(port, "direction"));
        const json_t *bits = json_object_get(port, "bits");
        for (size_t b = 0; b < json_array_size(bits); b++) {
            uint32_t net;
            size_t before = n->nets;
            if (!net_of(r, name, json_array_get(bits, b), &net))
                return false;
            if (n->nets != before)
                return bad(r, name, "a port's bit has no name");
            if (direction && strcmp(direction, "output") != 0)
                n->from_port[net] = true;
        }
    }
    return true;
}

/* ---- connections ---- */

static bool check_drivers(reader *r) {
    snn_netlist *n = r->n;
    for (size_t i = 0; i < n->instances; i++)
        for (unsigned p = 0; p < n->instance[i].type->pins; p++) {
            uint32_t net = n->instance[i].net[p];
            if (net == SNN_NO_NET || !n->instance[i].type->pin[p].output)
                continue;
            if (net < SNN_NET_FIRST || n->from_port[net] || n->driver[net] != SNN_NO_NET)
                return snn_fail(r->err, SNN_ERR_DATA, "%s: %.200s: pin %.*s drives a net that has a driver",
                                r->path, n->instance[i].name, (int)n->instance[i].type->pin[p].name.size,
                                n->instance[i].type->pin[p].name.at);
            n->driver[net] = (uint32_t)i;
        }
    for (size_t net = SNN_NET_FIRST; net < n->nets; net++)
        if (n->driver[net] == SNN_NO_NET && !n->from_port[net] && n->first[net + 1] > n->first[net])
            return bad(r, n->label[net] == SNN_NO_NET ? "a net" : n->name[n->label[net]].text,
                       "nothing drives it");
    return true;
}

/* Pins in the order of their nets. */
static bool connect(reader *r) {
    snn_netlist *n = r->n;
    uint32_t *count = NULL;
    size_t pins = 0;
    bool ok = (n->first = snn_alloc(n->nets + 1, sizeof *n->first, "nets", r->err)) &&
              (n->driver = snn_alloc(n->nets, sizeof *n->driver, "nets", r->err)) &&
              (count = snn_alloc(n->nets, sizeof *count, "nets", r->err));
    for (size_t i = 0; ok && i < n->instances; i++)
        for (unsigned p = 0; p < n->instance[i].type->pins; p++)
            if (n->instance[i].net[p] != SNN_NO_NET)
                count[n->instance[i].net[p]]++, pins++;
    ok = ok && (pins < UINT32_MAX || snn_fail(r->err, SNN_ERR_DATA, "%s: too many pins", r->path)) &&
         (n->pin = snn_alloc(pins, sizeof *n->pin, "pins", r->err));
    for (size_t net = 0; ok && net < n->nets; net++) {
        n->first[net + 1] = n->first[net] + count[net];
        count[net] = n->first[net];
        n->driver[net] = SNN_NO_NET;
    }
    for (size_t i = 0; ok && i < n->instances; i++)
        for (unsigned p = 0; p < n->instance[i].type->pins; p++)
            if (n->instance[i].net[p] != SNN_NO_NET)
                n->pin[count[n->instance[i].net[p]]++] = (snn_connection){(uint32_t)i, (uint8_t)p};
    free(count);
    return ok && check_drivers(r);
}

/* ---- all ---- */

static bool read_all(reader *r, const json_t *root, const char *wanted) {
    uint32_t net;
    const json_t *module = find_module(r, root, wanted);
    for (int i = 0; i < SNN_NET_FIRST; i++)
        if (!add_net(r, &net))
            return false;
    return module && read_cells(r, module) && read_names(r, module) &&
           (r->n->from_port = snn_alloc(r->n->nets, sizeof *r->n->from_port, "nets", r->err)) &&
           read_ports(r, module) && connect(r);
}

snn_netlist *snn_netlist_read(const char *path, const char *module, snn_library *library, snn_error *err) {
    json_error_t at;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
    if (!root) {
        snn_fail(err, SNN_ERR_DATA, "%s:%d: %s", path, at.line, at.text);
        return NULL;
    }
    reader r = {.path = path, .library = library, .err = err};
    r.n = snn_alloc(1, sizeof *r.n, "a netlist", err);
    bool ok = r.n && read_all(&r, root, module);
    free(r.net);
    json_decref(root);
    if (ok)
        return r.n;
    snn_netlist_free(r.n);
    return NULL;
}

void snn_netlist_free(snn_netlist *n) {
    if (!n)
        return;
    for (size_t i = 0; i < n->instances; i++) {
        free(n->instance[i].name);
        free(n->instance[i].net);
    }
    for (size_t i = 0; i < n->names; i++)
        free(n->name[i].text);
    free(n->instance);
    free(n->first);
    free(n->pin);
    free(n->driver);
    free(n->from_port);
    free(n->label);
    free(n->name);
    free(n->hash);
    free(n->top);
    free(n);
}
