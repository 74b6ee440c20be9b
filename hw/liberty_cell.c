/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One cell of a Liberty file: pins, internal power, transitions, leakage of each state. */
#include "liberty.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SUPPLIES 4 /* supplies that a cell's power is given for */

/* A cell that is being read. */
typedef struct {
    const snn_lib_tree *t;
    const snn_lib_units *u;
    snn_lib_cell *c;
    snn_lib_text name[SNN_LIB_MAX_PINS];
    snn_lib_text supply[MAX_SUPPLIES];
    unsigned supplies;
    snn_error *err;
} reader;

/* ---- parts of groups ---- */

static bool supply_class(reader *r, const snn_lib_node *group, unsigned *out) {
    snn_lib_text name = {"", 0};
    snn_lib_attribute(group, "related_pg_pin", &name);
    for (*out = 0; *out < r->supplies; ++*out)
        if (snn_lib_same(r->supply[*out], name))
            return true;
    if (r->supplies == MAX_SUPPLIES)
        return snn_lib_fail(r->t, group, r->err, "more than %d supplies", MAX_SUPPLIES);
    r->supply[r->supplies++] = name;
    return true;
}

/* States in which a group holds; NULL: without condition. */
static bool condition(reader *r, const snn_lib_node *group, uint64_t **when) {
    snn_lib_text text;
    *when = NULL;
    if (!snn_lib_attribute(group, "when", &text))
        return true;
    *when = snn_alloc(snn_lib_words(r->c->pins), sizeof **when, "a condition", r->err);
    return *when && snn_lib_truth(r->t, group, text, r->name, r->c->pins, *when, r->err);
}

/* related_pin: one or several names. */
static bool related(reader *r, const snn_lib_node *group, uint32_t *out) {
    snn_lib_text text;
    *out = 0;
    if (!snn_lib_attribute(group, "related_pin", &text))
        return true;
    const char *at = text.at, *end = at + text.size;
    while (at < end) {
        while (at < end && (*at == ' ' || *at == ','))
            at++;
        const char *from = at;
        while (at < end && *at != ' ' && *at != ',')
            at++;
        if (at == from)
            break;
        snn_lib_text name = {from, (size_t)(at - from)};
        unsigned i = 0;
        while (i < r->c->pins && !snn_lib_same(name, r->name[i]))
            i++;
        if (i == r->c->pins)
            return snn_lib_fail(r->t, group, r->err, "related_pin: the cell has no pin '%.*s'",
                                (int)(name.size < 80 ? name.size : 80), name.at);
        *out |= UINT32_C(1) << i;
    }
    return true;
}

/* ---- pins ---- */

/* A table for both directions in group `power`, or one for each. */
static bool read_power(reader *r, const snn_lib_node *group, snn_lib_power *p) {
    const char *rise = "rise_power", *fall = "fall_power";
    if (snn_lib_find(group->child, "power"))
        rise = fall = "power";
    return supply_class(r, group, &p->supply) && related(r, group, &p->related) &&
           condition(r, group, &p->when) &&
           snn_lib_table_read(r->t, r->u, group, rise, r->u->energy, &p->rise, r->err) &&
           snn_lib_table_read(r->t, r->u, group, fall, r->u->energy, &p->fall, r->err);
}

/* How an output follows; false: a check, or an arc that does not say a transition (clear, three-state). */
static bool sense_of(const snn_lib_node *group, snn_lib_sense *sense) {
    snn_lib_text type, unate;
    *sense = SNN_ARC_EITHER;
    if (snn_lib_attribute(group, "timing_type", &type) && !snn_lib_is(type, "combinational")) {
        *sense = snn_lib_is(type, "rising_edge") ? SNN_ARC_RISE_EDGE : SNN_ARC_FALL_EDGE;
        return *sense == SNN_ARC_RISE_EDGE || snn_lib_is(type, "falling_edge");
    }
    if (snn_lib_attribute(group, "timing_sense", &unate)) {
        if (snn_lib_is(unate, "positive_unate"))
            *sense = SNN_ARC_POSITIVE;
        else if (snn_lib_is(unate, "negative_unate"))
            *sense = SNN_ARC_NEGATIVE;
    }
    return true;
}

static bool read_arc(reader *r, const snn_lib_node *group, snn_lib_arc *a) {
    return related(r, group, &a->related) &&
           snn_lib_table_read(r->t, r->u, group, "rise_transition", r->u->time, &a->rise, r->err) &&
           snn_lib_table_read(r->t, r->u, group, "fall_transition", r->u->time, &a->fall, r->err);
}

static size_t count(const snn_lib_node *group, const char *name) {
    size_t n = 0;
    for (const snn_lib_node *i = group->child; i; i = i->next)
        n += i->group && snn_lib_is(i->name, name);
    return n;
}

static bool read_pin(reader *r, const snn_lib_node *group, snn_lib_pin *p) {
    snn_lib_text direction = {"", 0};
    snn_lib_attribute(group, "direction", &direction);
    p->input = snn_lib_is(direction, "input") || snn_lib_is(direction, "inout");
    p->output = snn_lib_is(direction, "output") || snn_lib_is(direction, "inout");
    if (!p->input && !p->output)
        return snn_lib_fail(r->t, group, r->err, "the pin's direction is missing or unknown");
    if (!snn_lib_real(r->t, group, "capacitance", &p->capacitance, r->err) ||
        !(p->power = snn_alloc(count(group, "internal_power"), sizeof *p->power, "power groups", r->err)) ||
        !(p->arc = snn_alloc(count(group, "timing"), sizeof *p->arc, "timing groups", r->err)))
        return false;
    p->capacitance *= r->u->capacitance;
    for (const snn_lib_node *n = group->child; n; n = n->next) {
        snn_lib_sense sense;
        if (n->group && snn_lib_is(n->name, "internal_power") && !read_power(r, n, &p->power[p->powers++]))
            return false;
        if (n->group && snn_lib_is(n->name, "timing") && p->output && sense_of(n, &sense)) {
            p->arc[p->arcs].sense = sense;
            if (!read_arc(r, n, &p->arc[p->arcs++]))
                return false;
        }
    }
    return true;
}

/* A pin that is connected to something; internal ones are only state. */
static bool is_pin(const snn_lib_node *n) {
    snn_lib_text direction;
    return n->group && snn_lib_is(n->name, "pin") &&
           !(snn_lib_attribute(n, "direction", &direction) && snn_lib_is(direction, "internal"));
}

/* Which output shows which state variable: 0 or 1 of the group ff or latch, -1 none. */
static int variable_of(const snn_lib_node *cell, const snn_lib_node *pin) {
    snn_lib_text function;
    const snn_lib_node *state = snn_lib_find(cell->child, "ff");
    if (!state)
        state = snn_lib_find(cell->child, "latch");
    if (!state || state->args != 2 || !snn_lib_attribute(pin, "function", &function))
        return -1;
    return snn_lib_same(function, state->arg[0]) ? 0 : snn_lib_same(function, state->arg[1]) ? 1 : -1;
}

/* Pairs of outputs that are each other's complement, so that the value of an unconnected one is known. */
static void find_inverses(reader *r, const snn_lib_node *group) {
    int shows[2] = {-1, -1};
    unsigned i = 0;
    for (const snn_lib_node *n = group->child; n; n = n->next)
        if (is_pin(n)) {
            int v = variable_of(group, n);
            r->c->pin[i].inverse = -1;
            if (v >= 0)
                shows[v] = (int)i;
            i++;
        }
    if (shows[0] >= 0 && shows[1] >= 0) {
        r->c->pin[shows[0]].inverse = shows[1];
        r->c->pin[shows[1]].inverse = shows[0];
    }
}

static bool read_pins(reader *r, const snn_lib_node *group) {
    snn_lib_cell *c = r->c;
    const snn_lib_node *n;
    for (n = group->child; n; n = n->next)
        if (is_pin(n)) {
            if (n->args != 1)
                return snn_lib_fail(r->t, n, r->err, "a pin needs one name");
            if (c->pins == SNN_LIB_MAX_PINS)
                return snn_lib_fail(r->t, n, r->err, "a cell of more than %d pins", SNN_LIB_MAX_PINS);
            r->name[c->pins++] = n->arg[0];
        }
    if (!(c->pin = snn_alloc(c->pins, sizeof *c->pin, "pins", r->err)))
        return false;
    unsigned i = 0;
    for (n = group->child; n; n = n->next)
        if (is_pin(n)) {
            c->pin[i].name = n->arg[0];
            if (!read_pin(r, n, &c->pin[i++]))
                return false;
        }
    find_inverses(r, group);
    return true;
}

/* ---- leakage ---- */

/* Of one supply: groups with a condition make the states' sums, one without is the default. */
typedef struct {
    double *sum;        /* [2^pins] W */
    uint16_t *hits;     /* [2^pins] groups that hold in the state */
    double other, mean; /* without condition; of all groups */
    bool has_other;
    size_t groups;
} leakage;

static bool add_group(reader *r, const snn_lib_node *group, leakage *l) {
    double value = 0;
    uint64_t *when = NULL;
    if (!snn_lib_real(r->t, group, "value", &value, r->err) || !condition(r, group, &when)) {
        free(when);
        return false;
    }
    value *= r->u->leakage;
    l->mean += value;
    l->groups++;
    if (!when) {
        l->other = value;
        l->has_other = true;
        return true;
    }
    r->c->by_state = true;
    for (size_t s = 0; s < (size_t)1 << r->c->pins; s++)
        if (when[s / 64] >> (s % 64) & 1) {
            l->sum[s] += value;
            l->hits[s]++;
        }
    free(when);
    return true;
}

static bool gather(reader *r, const snn_lib_node *group, unsigned supply, leakage *l) {
    for (const snn_lib_node *n = group->child; n; n = n->next) {
        unsigned of;
        if (!n->group || !snn_lib_is(n->name, "leakage_power"))
            continue;
        if (!supply_class(r, n, &of))
            return false;
        if (of == supply && l->groups < UINT16_MAX && !add_group(r, n, l))
            return false;
    }
    return true;
}

/* Adds one supply's leakage to the cell's. */
static bool read_supply(reader *r, const snn_lib_node *group, unsigned supply) {
    snn_lib_cell *c = r->c;
    size_t states = (size_t)1 << c->pins;
    leakage l = {snn_alloc(states, sizeof *l.sum, "leakage", r->err),
                 snn_alloc(states, sizeof *l.hits, "leakage", r->err),
                 0,
                 0,
                 false,
                 0};
    bool ok = l.sum && l.hits && gather(r, group, supply, &l);
    if (ok && l.groups) {
        double usual = l.has_other ? l.other : l.mean / (double)l.groups;
        c->average += usual;
        for (size_t s = 0; s < states; s++)
            c->leakage[s] += l.hits[s] ? l.sum[s] / l.hits[s] : usual;
    }
    free(l.sum);
    free(l.hits);
    return ok;
}

static bool read_leakage(reader *r, const snn_lib_node *group) {
    snn_lib_cell *c = r->c;
    if (!(c->leakage = snn_alloc((size_t)1 << c->pins, sizeof *c->leakage, "leakage", r->err)))
        return false;
    /* supplies that only leakage names join the list while the first class is gathered */
    for (unsigned s = 0; s == 0 || s < r->supplies; s++)
        if (!read_supply(r, group, s))
            return false;
    const snn_lib_node *average = snn_lib_find(group->child, "cell_leakage_power");
    if (!average)
        return true;
    double value = 0;
    if (!snn_lib_real(r->t, group, "cell_leakage_power", &value, r->err))
        return false;
    c->average = value * r->u->leakage;
    if (!snn_lib_find(group->child, "leakage_power")) /* nothing is known of the states */
        for (size_t s = 0; s < (size_t)1 << c->pins; s++)
            c->leakage[s] = c->average;
    return true;
}

/* ---- cells ---- */

snn_lib_cell *snn_lib_cell_read(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *group,
                                snn_error *err) {
    snn_lib_cell *c = snn_alloc(1, sizeof *c, "a cell", err);
    if (!c)
        return NULL;
    reader r = {.t = t, .u = u, .c = c, .err = err};
    c->name = strndup(group->arg[0].at, group->arg[0].size);
    bool ok = c->name || snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", t->label);
    ok = ok && snn_lib_real(t, group, "area", &c->area, err) && read_pins(&r, group) &&
         read_leakage(&r, group);
    if (!ok) {
        snn_lib_cell_free(c);
        return NULL;
    }
    return c;
}

void snn_lib_cell_free(snn_lib_cell *c) {
    if (!c)
        return;
    for (unsigned i = 0; c->pin && i < c->pins; i++) {
        snn_lib_pin *p = &c->pin[i];
        for (size_t k = 0; k < p->powers; k++) {
            free(p->power[k].when);
            snn_lib_table_free(&p->power[k].rise);
            snn_lib_table_free(&p->power[k].fall);
        }
        for (size_t k = 0; k < p->arcs; k++) {
            snn_lib_table_free(&p->arc[k].rise);
            snn_lib_table_free(&p->arc[k].fall);
        }
        free(p->power);
        free(p->arc);
    }
    free(c->pin);
    free(c->leakage);
    free(c->name);
    free(c);
}
