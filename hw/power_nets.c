/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What does not depend on activity: loads of nets, transitions from the inputs on, energy of each internal_power group. */
#include "power_internal.h"

#include <stdlib.h>

static void set_loads(snn_power_run *p, const snn_lib_wires *wires) {
    const snn_netlist *n = p->n;
    for (size_t net = 0; net < n->nets; net++) {
        unsigned fanout = 0;
        for (uint32_t c = n->first[net]; c < n->first[net + 1]; c++) {
            const snn_lib_pin *pin = &n->instance[n->pin[c].instance].type->pin[n->pin[c].pin];
            p->net[net].load += pin->capacitance;
            fanout += pin->input;
        }
        p->net[net].load += snn_lib_wires_load(wires, fanout);
        p->net[net].rise = p->net[net].fall = p->o->transition;
    }
}

/* ---- transitions ---- */

static bool from_edge(snn_lib_sense sense) {
    return sense == SNN_ARC_RISE_EDGE || sense == SNN_ARC_FALL_EDGE;
}

/* Sum of an arc's transitions over the related pins that are connected; adds their number to *n. */
static void add_arc(const snn_power_run *p, const snn_instance *i, const snn_lib_arc *a, double load,
                    double *rise, double *fall, unsigned *rises, unsigned *falls) {
    for (unsigned pin = 0; pin < i->type->pins; pin++) {
        if (!(a->related >> pin & 1) || i->net[pin] == SNN_NO_NET)
            continue;
        const snn_power_net *in = &p->net[i->net[pin]];
        double mean = (in->rise + in->fall) / 2, for_rise = mean, for_fall = mean;
        if (a->sense == SNN_ARC_POSITIVE)
            for_rise = in->rise, for_fall = in->fall;
        else if (a->sense == SNN_ARC_NEGATIVE)
            for_rise = in->fall, for_fall = in->rise;
        else if (a->sense == SNN_ARC_RISE_EDGE)
            for_rise = for_fall = in->rise;
        else if (a->sense == SNN_ARC_FALL_EDGE)
            for_rise = for_fall = in->fall;
        if (a->rise.value)
            *rise += snn_lib_table_at(&a->rise, load, for_rise), ++*rises;
        if (a->fall.value)
            *fall += snn_lib_table_at(&a->fall, load, for_fall), ++*falls;
    }
}

/* A pin's arcs that say its transition: those from an edge, or when there are none all others. */
static bool edges_only(const snn_lib_pin *pin) {
    for (size_t a = 0; a < pin->arcs; a++)
        if (from_edge(pin->arc[a].sense))
            return true;
    return false;
}

static void set_output(snn_power_run *p, const snn_instance *i, unsigned out) {
    const snn_lib_pin *pin = &i->type->pin[out];
    snn_power_net *net = &p->net[i->net[out]];
    double rise = 0, fall = 0;
    unsigned rises = 0, falls = 0;
    bool edges = edges_only(pin);
    for (size_t a = 0; a < pin->arcs; a++)
        if (from_edge(pin->arc[a].sense) == edges)
            add_arc(p, i, &pin->arc[a], net->load, &rise, &fall, &rises, &falls);
    /* extrapolated tables may go below zero, which no transition does */
    if (rises)
        net->rise = rise > 0 ? rise / rises : 0;
    if (falls)
        net->fall = fall > 0 ? fall / falls : 0;
}

/* Pins whose transitions an output's depends on. */
static uint32_t needs(const snn_lib_pin *pin) {
    uint32_t pins = 0;
    bool edges = edges_only(pin);
    for (size_t a = 0; a < pin->arcs; a++)
        if (from_edge(pin->arc[a].sense) == edges)
            pins |= pin->arc[a].related;
    return pins;
}

/* A net is done: outputs that waited for it may be next. */
static void pass_on(snn_power_run *p, uint32_t net, uint32_t *waits, uint32_t *queue, size_t *queued) {
    const snn_netlist *n = p->n;
    for (uint32_t c = n->first[net]; c < n->first[net + 1]; c++) {
        const snn_instance *i = &n->instance[n->pin[c].instance];
        for (unsigned out = 0; out < i->type->pins; out++) {
            uint32_t to = i->net[out];
            if (!i->type->pin[out].output || to == SNN_NO_NET ||
                !(needs(&i->type->pin[out]) >> n->pin[c].pin & 1))
                continue;
            if (--waits[to] == 0) {
                set_output(p, i, out);
                queue[(*queued)++] = to;
            }
        }
    }
}

/* In the order in which transitions become known. Nets in loops keep the default. */
static bool set_transitions(snn_power_run *p, snn_error *err) {
    const snn_netlist *n = p->n;
    uint32_t *waits = snn_alloc(n->nets, sizeof *waits, "nets", err);
    uint32_t *queue = snn_alloc(n->nets, sizeof *queue, "nets", err);
    size_t queued = 0;
    bool ok = waits && queue;
    for (size_t i = 0; ok && i < n->instances; i++)
        for (unsigned out = 0; out < n->instance[i].type->pins; out++) {
            uint32_t to = n->instance[i].net[out], pins;
            if (to == SNN_NO_NET || !n->instance[i].type->pin[out].output)
                continue;
            pins = needs(&n->instance[i].type->pin[out]);
            for (unsigned pin = 0; pin < n->instance[i].type->pins; pin++)
                waits[to] += (pins >> pin & 1) && n->instance[i].net[pin] != SNN_NO_NET;
        }
    for (uint32_t net = 0; ok && net < n->nets; net++)
        if (waits[net] == 0)
            queue[queued++] = net;
    for (size_t k = 0; ok && k < queued; k++)
        pass_on(p, queue[k], waits, queue, &queued);
    free(waits);
    free(queue);
    return ok;
}

/* ---- internal energy ---- */

/* The transition that a pin's power depends on: its own for an input, the mean of the related pins' for an output. */
static double transition_of(const snn_power_run *p, const snn_instance *i, unsigned pin,
                            const snn_lib_power *power, bool rise) {
    const snn_power_net *own = &p->net[i->net[pin]];
    if (!i->type->pin[pin].output || !power->related)
        return rise ? own->rise : own->fall;
    double sum = 0;
    unsigned found = 0;
    for (unsigned k = 0; k < i->type->pins; k++)
        if ((power->related >> k & 1) && i->net[k] != SNN_NO_NET) {
            sum += (p->net[i->net[k]].rise + p->net[i->net[k]].fall) / 2;
            found++;
        }
    return found ? sum / found : p->o->transition;
}

static bool set_internal(snn_power_run *p, snn_error *err) {
    const snn_netlist *n = p->n;
    size_t groups = 0;
    for (size_t i = 0; i < n->instances; i++)
        for (unsigned pin = 0; pin < n->instance[i].type->pins; pin++)
            groups += n->instance[i].type->pin[pin].powers;
    double *e = p->energies = snn_alloc(groups, 2 * sizeof *e, "energies", err);
    for (size_t i = 0; e && i < n->instances; i++) {
        const snn_instance *at = &n->instance[i];
        p->cell[i].internal = e;
        for (unsigned pin = 0; pin < at->type->pins; pin++)
            for (size_t k = 0; k < at->type->pin[pin].powers; k++, e += 2) {
                const snn_lib_power *power = &at->type->pin[pin].power[k];
                if (at->net[pin] == SNN_NO_NET)
                    continue;
                double load = p->net[at->net[pin]].load;
                e[0] = snn_lib_table_at(&power->fall, load, transition_of(p, at, pin, power, false));
                e[1] = snn_lib_table_at(&power->rise, load, transition_of(p, at, pin, power, true));
            }
    }
    return p->energies != NULL;
}

bool snn_power_nets(snn_power_run *p, const snn_lib_wires *wires, snn_error *err) {
    set_loads(p, wires);
    return set_transitions(p, err) && set_internal(p, err);
}
