/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activity: every change in the dump, as switching, internal energy and leakage. */
#include "power_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SUPPLIES 4 /* as liberty_cell.c */

static bool in_window(const snn_power_run *p) {
    return p->now >= p->from && (p->whole || p->now < p->to);
}

/* ---- leakage ---- */

/* Counts a cell's leakage up to now. */
static void settle(snn_power_run *p, snn_power_cell *c) {
    uint64_t until = !p->whole && p->now > p->to ? p->to : p->now;
    if (until <= c->since)
        return;
    c->energy.leakage += c->leakage * (double)(until - c->since) * p->tick;
    c->since = until;
}

static void set_leakage(const snn_instance *i, snn_power_cell *c) {
    c->leakage = c->unknown && i->type->by_state ? i->type->average : i->type->leakage[c->state];
}

/* ---- cells' states ---- */

static void set_pin(snn_power_cell *c, unsigned pin, snn_vcd_value value) {
    uint32_t bit = UINT32_C(1) << pin;
    c->state = value == SNN_VCD_1 ? c->state | bit : c->state & ~bit;
    c->unknown = value == SNN_VCD_X ? c->unknown | bit : c->unknown & ~bit;
}

/* A pin's new value, also for its complement when that is not connected. */
static void update_pin(snn_power_run *p, uint32_t instance, unsigned pin, snn_vcd_value value) {
    const snn_instance *i = &p->n->instance[instance];
    snn_power_cell *c = &p->cell[instance];
    int inverse = i->type->pin[pin].inverse;
    settle(p, c);
    set_pin(c, pin, value);
    if (inverse >= 0 && i->net[inverse] == SNN_NO_NET)
        set_pin(c, (unsigned)inverse,
                value == SNN_VCD_X   ? value
                : value == SNN_VCD_0 ? SNN_VCD_1
                                     : SNN_VCD_0);
    set_leakage(i, c);
}

/* ---- internal energy ---- */

/* When the last of a group's related pins changed; any pin will do where none is named. */
static uint64_t related_time(const snn_power_run *p, const snn_instance *i, const snn_lib_power *power) {
    uint64_t latest = 0;
    if (!power->related)
        return p->now + 1;
    for (unsigned pin = 0; pin < i->type->pins; pin++)
        if ((power->related >> pin & 1) && i->net[pin] != SNN_NO_NET && p->net[i->net[pin]].when > latest)
            latest = p->net[i->net[pin]].when;
    return latest;
}

static bool holds(const snn_power_cell *c, const snn_lib_power *power) {
    return !power->when || (!c->unknown && (power->when[c->state / 64] >> (c->state % 64) & 1));
}

/* Energy of a change of a pin, for one supply. */
static double of_supply(const snn_power_run *p, uint32_t instance, unsigned pin, unsigned supply,
                        const double *e) {
    const snn_instance *i = &p->n->instance[instance];
    const snn_lib_pin *l = &i->type->pin[pin];
    double chosen = 0, all = 0;
    uint64_t latest = 0;
    size_t chosens = 0, alls = 0;
    for (size_t k = 0; k < l->powers; k++) {
        if (l->power[k].supply != supply)
            continue;
        all += e[2 * k];
        alls++;
        if (!holds(&p->cell[instance], &l->power[k]))
            continue;
        uint64_t time = related_time(p, i, &l->power[k]);
        if (chosens == 0 || time > latest) {
            latest = time;
            chosen = 0;
            chosens = 0;
        } else if (time < latest) {
            continue;
        }
        chosen += e[2 * k];
        chosens++;
    }
    return chosens ? chosen / (double)chosens : alls ? all / (double)alls : 0;
}

static double internal_energy(const snn_power_run *p, uint32_t instance, unsigned pin, bool rise) {
    const snn_lib_cell *type = p->n->instance[instance].type;
    const double *e = p->cell[instance].internal + rise;
    double sum = 0;
    if (!type->pin[pin].powers)
        return 0;
    for (unsigned k = 0; k < pin; k++)
        e += 2 * type->pin[k].powers;
    for (unsigned supply = 0; supply < MAX_SUPPLIES; supply++)
        sum += of_supply(p, instance, pin, supply, e);
    return sum;
}

/* ---- changes of one time ---- */

/* A net's new value reaches the cells' states. */
static void apply(snn_power_run *p, uint32_t at) {
    snn_power_net *net = &p->net[at];
    const snn_netlist *n = p->n;
    net->changed = false;
    net->toggled = net->pending != SNN_VCD_X && net->last != SNN_VCD_X && net->pending != net->last;
    if (net->pending == net->value)
        return;
    net->value = net->pending;
    if (net->value != SNN_VCD_X)
        net->last = net->value;
    if (net->toggled)
        net->when = p->now + 1;
    for (uint32_t c = n->first[at]; c < n->first[at + 1]; c++)
        update_pin(p, n->pin[c].instance, n->pin[c].pin, net->value);
}

/* Energy of a toggle; returns J. */
static double spend(snn_power_run *p, uint32_t at) {
    snn_power_net *net = &p->net[at];
    const snn_netlist *n = p->n;
    double switching = net->load * p->voltage * p->voltage / 2, sum = switching;
    net->toggles++;
    if (n->driver[at] == SNN_NO_NET)
        p->ports += switching;
    else
        p->cell[n->driver[at]].energy.switching += switching;
    for (uint32_t c = n->first[at]; c < n->first[at + 1]; c++) {
        double e = internal_energy(p, n->pin[c].instance, n->pin[c].pin, net->value == SNN_VCD_1);
        p->cell[n->pin[c].instance].energy.internal += e;
        sum += e;
    }
    return sum;
}

/* Rows of the trace up to (not including) a cycle. */
static void write_trace(snn_power_run *p, uint64_t until) {
    for (; p->trace && p->cycle < until; p->cycle++) {
        fprintf(p->trace, "%" PRIu64 ",%.6g\n", p->cycle, p->cycle_energy);
        p->cycle_energy = 0;
    }
}

static void commit(snn_power_run *p) {
    double sum = 0;
    for (size_t k = 0; k < p->changes; k++)
        apply(p, p->change[k]);
    if (in_window(p)) {
        /* half a tick of slack: edges that are computed from decimal numbers of seconds */
        if (p->trace)
            write_trace(p, (uint64_t)(((double)(p->now - p->from) + 0.5) * p->tick / p->o->clock));
        for (size_t k = 0; k < p->changes; k++)
            if (p->net[p->change[k]].toggled)
                sum += spend(p, p->change[k]);
        p->cycle_energy += sum;
    }
    p->changes = 0;
}

/* ---- the dump ---- */

static uint32_t declare(void *context, const char *bit) {
    snn_power_run *p = context;
    uint32_t net = snn_netlist_find(p->n, bit);
    if (net == SNN_NO_NET || p->net[net].annotated)
        return SNN_VCD_NO_SLOT; /* another name of a net that is heard already */
    p->net[net].annotated = true;
    return net;
}

/* All nets that touch a cell must be in the dump. */
static bool check_annotated(snn_power_run *p, snn_error *err) {
    const snn_netlist *n = p->n;
    char missing[300] = "";
    size_t count = 0, used = 0;
    for (uint32_t net = SNN_NET_FIRST; net < n->nets; net++) {
        if (n->first[net] == n->first[net + 1] || p->net[net].annotated)
            continue;
        const char *name = n->label[net] == SNN_NO_NET ? "(a net without name)" : n->name[n->label[net]].text;
        if (count++ < 3 && used + strlen(name) + 3 < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", name);
    }
    return !count || snn_fail(err, SNN_ERR_DATA, "%s: scope %s lacks %zu nets of the netlist: %s%s",
                              p->o->vcd, p->o->scope, count, missing, count > 3 ? ", ..." : "");
}

static bool begin(void *context, double tick, snn_error *err) {
    snn_power_run *p = context;
    const snn_netlist *n = p->n;
    p->tick = tick;
    p->whole = !(p->o->to > p->o->from);
    if (!(p->o->from / tick < 1e18) || !(p->o->to / tick < 1e18))
        return snn_fail(err, SNN_ERR_USAGE, "the window lies beyond the times that a dump can have");
    if (p->o->clock < 0.99 * tick) /* rounded; a trace would have as many rows as one likes */
        return snn_fail(err, SNN_ERR_USAGE, "the clock's period is %g ns, the dump's unit of time %g ns",
                        p->o->clock * 1e9, tick * 1e9);
    p->from = (uint64_t)llround(p->o->from / tick);
    p->to = (uint64_t)llround(p->o->to / tick);
    for (size_t i = 0; i < n->instances; i++) {
        p->cell[i].unknown = (UINT32_C(1) << n->instance[i].type->pins) - 1;
        p->cell[i].since = p->from;
        set_leakage(&n->instance[i], &p->cell[i]);
    }
    for (uint32_t net = SNN_NET_0; net <= SNN_NET_1; net++)
        for (uint32_t c = n->first[net]; c < n->first[net + 1]; c++)
            update_pin(p, n->pin[c].instance, n->pin[c].pin, net == SNN_NET_1 ? SNN_VCD_1 : SNN_VCD_0);
    return check_annotated(p, err);
}

static bool advance(void *context, uint64_t time, snn_error *err) {
    snn_power_run *p = context;
    (void)err;
    commit(p);
    if (!p->started && time > p->from && p->whole && p->o->from <= 0) {
        p->from = time; /* a dump that starts late */
        for (size_t i = 0; i < p->n->instances; i++)
            p->cell[i].since = time;
    }
    p->started = true;
    p->now = time;
    return true;
}

static void change(void *context, uint32_t slot, snn_vcd_value value) {
    snn_power_run *p = context;
    snn_power_net *net = &p->net[slot];
    if (!net->changed) {
        net->changed = true;
        p->change[p->changes++] = slot;
    }
    net->pending = value;
}

bool snn_power_count(snn_power_run *p, snn_error *err) {
    snn_vcd_listener to = {p, p->o->scope, declare, begin, advance, change};
    if (!(p->change = snn_alloc(p->n->nets, sizeof *p->change, "changes", err)) ||
        !snn_vcd_read(p->o->vcd, &to, err))
        return false;
    commit(p);
    if (p->whole)
        p->to = p->now;
    else if (p->now < p->to) /* nothing more changed */
        p->now = p->to;
    if (!(p->to > p->from))
        return snn_fail(err, SNN_ERR_DATA, "%s: the dump ends before the window begins", p->o->vcd);
    for (size_t i = 0; i < p->n->instances; i++)
        settle(p, &p->cell[i]);
    write_trace(p, (uint64_t)ceil((double)(p->to - p->from) * p->tick / p->o->clock - 1e-6));
    return true;
}
