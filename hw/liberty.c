/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several Liberty files as one library: units, supply voltage, cells by name, estimated wires. */
#include "liberty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES 64

/* ---- units ---- */

/* SI prefix of a unit: 1 for "V", 1e-9 for "ns" (of "s"); 0 when unknown. */
static double prefix(snn_lib_text text, const char *unit) {
    static const struct {
        char letter;
        double factor;
    } known[] = {{'f', 1e-15}, {'p', 1e-12}, {'n', 1e-9}, {'u', 1e-6}, {'m', 1e-3}};
    size_t size = strlen(unit);
    if (text.size < size || strncasecmp(text.at + text.size - size, unit, size) != 0)
        return 0;
    if (text.size == size)
        return 1;
    for (size_t i = 0; text.size == size + 1 && i < sizeof known / sizeof *known; i++)
        if (text.at[0] == known[i].letter || (text.at[0] | 0x20) == known[i].letter)
            return known[i].factor;
    return 0;
}

/* "10ps" -> 1e-11. */
static double quantity(snn_lib_text text, const char *unit) {
    size_t digits = 0;
    double number;
    while (digits < text.size && strchr("0123456789.", text.at[digits]))
        digits++;
    if (!snn_lib_number((snn_lib_text){text.at, digits}, &number))
        return 0;
    while (digits < text.size && text.at[digits] == ' ')
        digits++;
    return number * prefix((snn_lib_text){text.at + digits, text.size - digits}, unit);
}

static bool unit(const snn_lib_tree *t, const char *name, const char *of, double absent, double *out,
                 snn_error *err) {
    const snn_lib_node *n = snn_lib_find(t->root->child, name);
    *out = absent;
    if (!n)
        return absent > 0 || snn_lib_fail(t, t->root, err, "%s is missing", name);
    *out = n->args ? quantity(n->arg[0], of) : 0;
    return *out > 0 || snn_lib_fail(t, n, err, "%s: unknown unit", name);
}

static bool read_units(const snn_lib_tree *t, snn_lib_units *u, double *voltage, snn_error *err) {
    double volt, number;
    const snn_lib_node *n = snn_lib_find(t->root->child, "capacitive_load_unit");
    if (!n)
        return snn_lib_fail(t, t->root, err, "capacitive_load_unit is missing");
    if (n->args != 2 || !snn_lib_number(n->arg[0], &number) || !(number > 0) ||
        !((u->capacitance = number * prefix(n->arg[1], "f")) > 0))
        return snn_lib_fail(t, n, err, "capacitive_load_unit: expected a number and pf or ff");
    if (!unit(t, "time_unit", "s", 1e-9, &u->time, err) || !unit(t, "voltage_unit", "V", 1, &volt, err) ||
        !unit(t, "leakage_power_unit", "W", 0, &u->leakage, err))
        return false;
    u->energy = u->capacitance * volt * volt; /* the format's unit of internal power tables */
    *voltage = 0;
    if (!snn_lib_real(t, t->root, "nom_voltage", voltage, err))
        return false;
    *voltage *= volt;
    return *voltage > 0 || snn_lib_fail(t, t->root, err, "nom_voltage is missing or not positive");
}

/* ---- files ---- */

snn_library *snn_library_load(const char *const *path, size_t files, snn_error *err) {
    if (files == 0 || files > MAX_FILES) {
        snn_fail(err, SNN_ERR_USAGE, "%zu Liberty files, expected 1 to %d", files, MAX_FILES);
        return NULL;
    }
    snn_library *l = snn_alloc(1, sizeof *l, "a library", err);
    bool ok = l && (l->tree = snn_alloc(files, sizeof *l->tree, "a library", err)) &&
              (l->units = snn_alloc(files, sizeof *l->units, "a library", err));
    for (size_t i = 0; ok && i < files; i++) {
        double voltage = 0;
        l->files = i + 1;
        ok = snn_lib_read(&l->tree[i], path[i], err) && read_units(&l->tree[i], &l->units[i], &voltage, err);
        if (ok && i && voltage != l->voltage)
            ok = snn_lib_fail(&l->tree[i], l->tree[i].root, err, "nom_voltage is %g V, that of %s is %g V",
                              voltage, path[0], l->voltage);
        if (ok)
            l->voltage = voltage;
    }
    if (ok)
        return l;
    snn_library_free(l);
    return NULL;
}

void snn_library_free(snn_library *l) {
    if (!l)
        return;
    while (l->cell) {
        snn_lib_cell *next = l->cell->next;
        snn_lib_cell_free(l->cell);
        l->cell = next;
    }
    for (size_t i = 0; i < l->files; i++)
        snn_lib_free(&l->tree[i]);
    free(l->tree);
    free(l->units);
    free(l);
}

/* ---- cells ---- */

const snn_lib_cell *snn_library_cell(snn_library *l, const char *name, snn_error *err) {
    for (const snn_lib_cell *c = l->cell; c; c = c->next)
        if (strcmp(c->name, name) == 0)
            return c;
    for (size_t f = 0; f < l->files; f++)
        for (const snn_lib_node *n = l->tree[f].root->child; n; n = n->next) {
            if (!n->group || !snn_lib_is(n->name, "cell") || n->args != 1 || !snn_lib_is(n->arg[0], name))
                continue;
            snn_lib_cell *c = snn_lib_cell_read(&l->tree[f], &l->units[f], n, err);
            if (c) {
                c->next = l->cell;
                l->cell = c;
            }
            return c;
        }
    snn_fail(err, SNN_ERR_DATA, "no Liberty file has a cell '%.200s'", name);
    return NULL;
}

int snn_lib_pin_number(const snn_lib_cell *c, const char *name) {
    for (unsigned i = 0; i < c->pins; i++)
        if (snn_lib_is(c->pin[i].name, name))
            return (int)i;
    return -1;
}

/* ---- wires ---- */

static bool no_wires(const snn_library *l, const char *name, snn_error *err) {
    char known[400] = "";
    size_t used = 0;
    for (size_t f = 0; f < l->files; f++)
        for (const snn_lib_node *n = snn_lib_find(l->tree[f].root->child, "wire_load"); n;
             n = snn_lib_find(n->next, "wire_load"))
            if (n->args == 1 && n->arg[0].size + used + 3 < sizeof known)
                used += (size_t)snprintf(known + used, sizeof known - used, "%s%.*s", used ? ", " : "",
                                         (int)n->arg[0].size, n->arg[0].at);
    return snn_fail(err, SNN_ERR_USAGE, "%s: no wire_load '%.100s' (there is: %s)", l->tree[0].label, name,
                    used ? known : "none");
}

static bool read_wires(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *group,
                       snn_lib_wires *w, snn_error *err) {
    size_t capacity[2] = {0, 0};
    if (!snn_lib_real(t, group, "capacitance", &w->capacitance, err) ||
        !snn_lib_real(t, group, "slope", &w->slope, err))
        return false;
    w->capacitance *= u->capacitance;
    for (const snn_lib_node *n = snn_lib_find(group->child, "fanout_length"); n;
         n = snn_lib_find(n->next, "fanout_length")) {
        double fanout, length;
        if (n->args < 2 || !snn_lib_number(n->arg[0], &fanout) || !snn_lib_number(n->arg[1], &length))
            return snn_lib_fail(t, n, err, "fanout_length: expected a fan-out and a length");
        if (w->n && !(fanout > w->fanout[w->n - 1]))
            return snn_lib_fail(t, n, err, "fanout_length: the fan-outs do not ascend");
        if (!snn_grow((void **)&w->fanout, &capacity[0], w->n + 1, sizeof *w->fanout, err) ||
            !snn_grow((void **)&w->length, &capacity[1], w->n + 1, sizeof *w->length, err))
            return false;
        w->fanout[w->n] = fanout;
        w->length[w->n++] = length;
    }
    return true;
}

bool snn_library_wires(const snn_library *l, const char *name, snn_lib_wires *w, snn_error *err) {
    *w = (snn_lib_wires){0};
    for (size_t f = 0; f < l->files; f++)
        for (const snn_lib_node *n = snn_lib_find(l->tree[f].root->child, "wire_load"); n;
             n = snn_lib_find(n->next, "wire_load"))
            if (n->args == 1 && snn_lib_is(n->arg[0], name))
                return read_wires(&l->tree[f], &l->units[f], n, w, err);
    return no_wires(l, name, err);
}

void snn_lib_wires_free(snn_lib_wires *w) {
    free(w->fanout);
    free(w->length);
    *w = (snn_lib_wires){0};
}

double snn_lib_wires_load(const snn_lib_wires *w, double fanout) {
    if (!w->n || !(fanout > 0))
        return 0;
    size_t i = 0;
    while (i < w->n && w->fanout[i] < fanout)
        i++;
    double length;
    if (i == w->n) /* beyond the table */
        length = w->length[w->n - 1] + w->slope * (fanout - w->fanout[w->n - 1]);
    else if (i == 0 || w->fanout[i] == fanout)
        length = w->length[i];
    else
        length = w->length[i - 1] + (w->length[i] - w->length[i - 1]) * (fanout - w->fanout[i - 1]) /
                                        (w->fanout[i] - w->fanout[i - 1]);
    return length * w->capacitance;
}
