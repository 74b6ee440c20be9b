/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Look-up tables of Liberty files: axes from the table or its template, values, interpolation. */
#include "liberty.h"

#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 4096 /* of a table; real ones have at most 64 */

bool snn_lib_numbers(const snn_lib_tree *t, const snn_lib_node *n, double unit, double **value, size_t *count,
                     snn_error *err) {
    size_t capacity = 0;
    *value = NULL;
    *count = 0;
    for (size_t a = 0; a < n->args; a++) {
        const char *at = n->arg[a].at, *end = at + n->arg[a].size;
        while (at < end) {
            while (at < end && strchr(", \t\r\n\\", *at))
                at++;
            const char *from = at;
            while (at < end && !strchr(", \t\r\n\\", *at))
                at++;
            if (at == from)
                break;
            double v;
            if (!snn_lib_number((snn_lib_text){from, (size_t)(at - from)}, &v))
                return snn_lib_fail(t, n, err, "'%.*s' is no number", (int)(at - from < 40 ? at - from : 40),
                                    from);
            if (*count == MAX_VALUES)
                return snn_lib_fail(t, n, err, "more than %d numbers", MAX_VALUES);
            if (!snn_grow((void **)value, &capacity, *count + 1, sizeof **value, err))
                return false;
            (*value)[(*count)++] = v * unit;
        }
    }
    return true;
}

/* The template that a table names; NULL for `scalar`. */
static bool find_template(const snn_lib_tree *t, const snn_lib_node *table, const snn_lib_node **out,
                          snn_error *err) {
    *out = NULL;
    if (!table->args || snn_lib_is(table->arg[0], "scalar"))
        return true;
    for (const snn_lib_node *n = t->root->child; n; n = n->next)
        if (n->group && n->args &&
            (snn_lib_is(n->name, "lu_table_template") || snn_lib_is(n->name, "power_lut_template")) &&
            snn_lib_same(n->arg[0], table->arg[0])) {
            *out = n;
            return true;
        }
    return snn_lib_fail(t, table, err, "there is no template '%.*s'",
                        (int)(table->arg[0].size < 80 ? table->arg[0].size : 80), table->arg[0].at);
}

/* Axis `a`: its kind from the template, its points from the table, else from the template. */
static bool read_axis(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *table,
                      const snn_lib_node *pattern, unsigned a, snn_lib_table *out, snn_error *err) {
    static const char *const variable[] = {"variable_1", "variable_2"}, *const index[] = {"index_1",
                                                                                          "index_2"};
    snn_lib_text what;
    if (!snn_lib_attribute(pattern, variable[a], &what))
        return true;
    if (out->axes != a)
        return snn_lib_fail(t, pattern, err, "variable_1 is missing");
    out->load[a] = snn_lib_is(what, "total_output_net_capacitance");
    if (!out->load[a] && !snn_lib_is(what, "input_transition_time") &&
        !snn_lib_is(what, "input_net_transition"))
        return snn_lib_fail(t, pattern, err, "%s: '%.*s' is neither a load nor a transition", variable[a],
                            (int)(what.size < 80 ? what.size : 80), what.at);
    const snn_lib_node *points = snn_lib_find(table->child, index[a]);
    if (!points && !(points = snn_lib_find(pattern->child, index[a])))
        return snn_lib_fail(t, table, err, "%s is missing", index[a]);
    if (!snn_lib_numbers(t, points, out->load[a] ? u->capacitance : u->time, &out->index[a], &out->n[a], err))
        return false;
    if (out->n[a] == 0)
        return snn_lib_fail(t, points, err, "%s has no values", index[a]);
    for (size_t i = 1; i < out->n[a]; i++)
        if (!(out->index[a][i] > out->index[a][i - 1]))
            return snn_lib_fail(t, points, err, "%s does not ascend", index[a]);
    out->axes = a + 1;
    return true;
}

bool snn_lib_table_read(const snn_lib_tree *t, const snn_lib_units *u, const snn_lib_node *group,
                        const char *name, double unit, snn_lib_table *out, snn_error *err) {
    const snn_lib_node *table = snn_lib_find(group->child, name), *pattern;
    *out = (snn_lib_table){.n = {1, 1}};
    if (!table || !table->group)
        return true;
    if (!find_template(t, table, &pattern, err))
        return false;
    if (pattern &&
        (!read_axis(t, u, table, pattern, 0, out, err) || !read_axis(t, u, table, pattern, 1, out, err)))
        return false;
    if (pattern && snn_lib_find(pattern->child, "variable_3"))
        return snn_lib_fail(t, pattern, err, "tables of three variables are not supported");
    const snn_lib_node *values = snn_lib_find(table->child, "values");
    if (!values)
        return snn_lib_fail(t, table, err, "values are missing");
    size_t count, wanted = out->n[0] * out->n[1];
    if (!snn_lib_numbers(t, values, unit, &out->value, &count, err))
        return false;
    if (count != wanted)
        return snn_lib_fail(t, values, err, "%zu values, expected %zu", count, wanted);
    return true;
}

void snn_lib_table_free(snn_lib_table *t) {
    free(t->index[0]);
    free(t->index[1]);
    free(t->value);
    *t = (snn_lib_table){0};
}

/* The interval and the place in it (0 .. 1; outside of it beyond the first or last point). */
static double place(const snn_lib_table *t, unsigned axis, double x, size_t *from) {
    const double *index = t->index[axis];
    size_t n = t->n[axis], i = 0;
    *from = 0;
    if (n < 2)
        return 0;
    while (i + 2 < n && x >= index[i + 1])
        i++;
    *from = i;
    return (x - index[i]) / (index[i + 1] - index[i]);
}

double snn_lib_table_at(const snn_lib_table *t, double load, double transition) {
    if (!t->value)
        return 0;
    size_t i = 0, j = 0;
    double u = t->axes > 0 ? place(t, 0, t->load[0] ? load : transition, &i) : 0;
    double v = t->axes > 1 ? place(t, 1, t->load[1] ? load : transition, &j) : 0;
    size_t down = t->n[0] > 1 ? t->n[1] : 0, right = t->n[1] > 1 ? 1 : 0;
    const double *at = t->value + i * t->n[1] + j;
    double low = at[0] + v * (at[right] - at[0]);
    double high = at[down] + v * (at[down + right] - at[down]);
    return low + u * (high - low);
}
