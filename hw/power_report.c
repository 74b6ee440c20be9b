/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums of the power calculation: in all, and by hierarchy, which flattened names still show ("u_key.u_mask.n3" belongs to u_key and u_key.u_mask). */
#include "power_internal.h"

#include <stdlib.h>
#include <string.h>

static void add(snn_energy *to, const snn_energy *e) {
    to->switching += e->switching;
    to->internal += e->internal;
    to->leakage += e->leakage;
}

/* Length of the first `depth` levels of a net's name, its own name not counted. */
static size_t prefix(const char *name, unsigned depth) {
    size_t end = 0;
    for (size_t i = 0; name[i] && depth; i++)
        if (name[i] == '.') {
            end = i;
            depth--;
        }
    return end;
}

/* A name of the first net that a cell drives. */
static const char *name_of(const snn_netlist *n, const snn_instance *i) {
    for (unsigned pin = 0; pin < i->type->pins; pin++)
        if (i->type->pin[pin].output && i->net[pin] != SNN_NO_NET && n->label[i->net[pin]] != SNN_NO_NET)
            return n->name[n->label[i->net[pin]]].text;
    return "";
}

static int by_prefix(const void *a, const void *b) {
    return strcmp(((const snn_power_part *)a)->name, ((const snn_power_part *)b)->name);
}

/* One part for each cell, sorted, then equal names added up. */
static bool make_parts(snn_power_run *p, snn_power_report *r, snn_error *err) {
    const snn_netlist *n = p->n;
    if (!(r->part = snn_alloc(n->instances, sizeof *r->part, "parts", err)))
        return false;
    for (size_t i = 0; i < n->instances; i++) {
        const char *name = name_of(n, &n->instance[i]);
        char *cut = strndup(name, prefix(name, p->o->depth));
        if (!cut)
            return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
        r->part[r->parts++] = (snn_power_part){cut, 1, n->instance[i].type->area, p->cell[i].energy};
    }
    if (r->parts)
        qsort(r->part, r->parts, sizeof *r->part, by_prefix);
    size_t kept = 0;
    for (size_t i = 0; i < r->parts; i++) {
        if (kept && strcmp(r->part[kept - 1].name, r->part[i].name) == 0) {
            r->part[kept - 1].cells++;
            r->part[kept - 1].area += r->part[i].area;
            add(&r->part[kept - 1].energy, &r->part[i].energy);
            free(r->part[i].name);
        } else {
            r->part[kept++] = r->part[i];
        }
    }
    r->parts = kept;
    return true;
}

static void count_nets(const snn_power_run *p, snn_power_report *r) {
    for (size_t net = SNN_NET_FIRST; net < p->n->nets; net++) {
        if (p->n->first[net] == p->n->first[net + 1])
            continue;
        r->nets++;
        r->annotated += p->net[net].annotated;
        r->silent += p->net[net].toggles == 0;
        r->toggles += p->net[net].toggles;
    }
}

bool snn_power_sum(snn_power_run *p, snn_power_report *r, snn_error *err) {
    const snn_netlist *n = p->n;
    r->voltage = p->voltage;
    r->cells = n->instances;
    r->seconds = (double)(p->to - p->from) * p->tick;
    r->cycles = r->seconds / p->o->clock;
    r->ports = r->energy.switching = p->ports;
    for (size_t i = 0; i < n->instances; i++) {
        r->area += n->instance[i].type->area;
        add(&r->energy, &p->cell[i].energy);
    }
    count_nets(p, r);
    if (!(r->module = strdup(n->top)))
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    return !p->o->depth || make_parts(p, r, err);
}

void snn_power_report_free(snn_power_report *r) {
    for (size_t i = 0; i < r->parts; i++)
        free(r->part[i].name);
    free(r->part);
    free(r->module);
    *r = (snn_power_report){0};
}
