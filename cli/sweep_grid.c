/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --over KEY=VALUE,VALUE,...: the axes of a grid. docs/sweep.md says how values are written. */
#include "sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

/* End of the value that starts at `from`: the next comma outside of brackets and quotes, or the end. NULL: a bracket or quote is not closed. */
static const char *value_end(const char *from) {
    int depth = 0;
    bool quoted = false;
    for (; *from && (quoted || depth || *from != ','); from++) {
        if (*from == '\\' && quoted && from[1])
            from++;
        else if (*from == '"')
            quoted = !quoted;
        else if (!quoted && strchr("[({", *from))
            depth++;
        else if (!quoted && strchr("])}", *from))
            depth -= depth > 0;
    }
    return quoted || depth ? NULL : from;
}

static bool append(cli_axis *a, char *value, snn_error *err) {
    void *array = a->value;
    if (!value)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    if (!snn_grow(&array, &a->capacity, a->values + 1, sizeof *a->value, err)) {
        free(value);
        return false;
    }
    a->value = array;
    a->value[a->values++] = value;
    return true;
}

/* ---- ranges: FIRST:LAST:linN and FIRST:LAST:logN ---- */

typedef struct {
    double first, last;
    bool logarithmic;
    long n;
} range;

/* Is text[0..n) a number and nothing else? */
static bool parse_number(const char *text, size_t n, double *out) {
    char copy[64], *end;
    if (n == 0 || n >= sizeof copy || strspn(text, "+-.0123456789eE") < n)
        return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    *out = strtod(copy, &end);
    return *end == 0 && isfinite(*out);
}

static bool parse_range(const char *text, range *r) {
    const char *second = strchr(text, ':'), *third = second ? strchr(second + 1, ':') : NULL;
    if (!third || (strncmp(third + 1, "lin", 3) != 0 && strncmp(third + 1, "log", 3) != 0))
        return false;
    double n;
    r->logarithmic = third[2] == 'o';
    if (!parse_number(text, (size_t)(second - text), &r->first) ||
        !parse_number(second + 1, (size_t)(third - second - 1), &r->last) ||
        !parse_number(third + 4, strlen(third + 4), &n))
        return false;
    r->n = n >= 2 && n <= CLI_GRID_POINTS && n == floor(n) ? (long)n : 0;
    return true;
}

static bool is_integer_key(const char *key) {
    for (const snn_config_key *k = snn_config_keys; k->path; k++)
        if (!strcmp(k->path, key))
            return k->type == SNN_KEY_INT;
    return false;
}

/* Ten digits: 1e-6:1e-2:log5 gives 1e-05 and not 9.99999999999e-06. Portable logarithms, so that the grid is the same on every machine. */
static bool append_range(cli_axis *a, const char *text, const range *r, snn_error *err) {
    if (r->n < 2)
        return snn_fail(err, SNN_ERR_USAGE,
                        "--over %s: %s: expected FIRST:LAST:lin or log and a number of values of 2 or more",
                        a->key, text);
    if (r->logarithmic && (r->first <= 0 || r->last <= 0))
        return snn_fail(err, SNN_ERR_USAGE, "--over %s: %s: a logarithmic range needs positive ends", a->key,
                        text);
    for (long i = 0; i < r->n; i++) {
        double at = (double)i / (double)(r->n - 1), v = r->first + at * (r->last - r->first);
        if (r->logarithmic)
            v = snn_exp(snn_log(r->first) + at * (snn_log(r->last) - snn_log(r->first)));
        if (i == 0 || i == r->n - 1)
            v = i ? r->last : r->first;
        char value[64];
        if (is_integer_key(a->key))
            snprintf(value, sizeof value, "%.0f", v);
        else
            snprintf(value, sizeof value, "%.10g", v);
        if (!append(a, strdup(value), err))
            return false;
    }
    return true;
}

static bool append_values(cli_axis *a, const char *text, snn_error *err) {
    for (;; text++) {
        const char *end = value_end(text);
        if (!end)
            return snn_fail(err, SNN_ERR_USAGE, "--over %s=%s: a bracket or quote is not closed", a->key,
                            text);
        char *value = strndup(text, (size_t)(end - text));
        range r;
        if (value && parse_range(value, &r)) {
            bool ok = append_range(a, value, &r, err);
            free(value);
            if (!ok)
                return false;
        } else if (!append(a, value, err)) {
            return false;
        }
        if (!*end)
            return true;
        text = end;
    }
}

/* ---- axes ---- */

static cli_axis *find_axis(cli_grid *g, const char *key, size_t length, snn_error *err) {
    for (size_t i = 0; i < g->axes; i++)
        if (strlen(g->axis[i].key) == length && !strncmp(g->axis[i].key, key, length))
            return &g->axis[i];
    void *array = g->axis;
    if (!snn_grow(&array, &g->capacity, g->axes + 1, sizeof *g->axis, err))
        return NULL;
    g->axis = array;
    cli_axis *a = &g->axis[g->axes];
    *a = (cli_axis){.key = strndup(key, length)};
    if (!a->key) {
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
        return NULL;
    }
    g->axes++;
    return a;
}

/* Keys that a run of a trained model never looks at: a grid over them would be the same point again and again. */
static bool check_effect(const char *over, snn_error *err) {
    static const char *const without[] = {"train.", "encrypt.", "attack."};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (!strncmp(over, without[i], strlen(without[i])))
            return snn_fail(err, SNN_ERR_USAGE, "--over %.*s: has no effect on the run of a trained model",
                            (int)strcspn(over, "="), over);
    return true;
}

bool cli_grid_add(cli_grid *g, const char *over, snn_error *err) {
    const char *equals = strchr(over, '=');
    if (!equals || equals == over)
        return snn_fail(err, SNN_ERR_USAGE, "--over '%.80s': expected KEY=VALUE,VALUE,...", over);
    if (!check_effect(over, err))
        return false;
    cli_axis *a = find_axis(g, over, (size_t)(equals - over), err);
    return a && append_values(a, equals + 1, err);
}

bool cli_grid_size(const cli_grid *g, size_t *points, snn_error *err) {
    *points = 1;
    for (size_t i = 0; i < g->axes; i++)
        if (__builtin_mul_overflow(*points, g->axis[i].values, points) || *points > CLI_GRID_POINTS)
            return snn_fail(err, SNN_ERR_USAGE, "the grid has more than %d points", CLI_GRID_POINTS);
    return true;
}

const char *cli_grid_value(const cli_grid *g, size_t point, size_t axis) {
    for (size_t i = g->axes; --i > axis;)
        point /= g->axis[i].values;
    return g->axis[axis].value[point % g->axis[axis].values];
}

const char *cli_grid_name(const cli_grid *g, size_t point, char *buf, size_t size) {
    size_t used = 0;
    *buf = 0;
    for (size_t i = 0; i < g->axes && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s=%s", i ? " " : "", g->axis[i].key,
                                 cli_grid_value(g, point, i));
    return buf;
}

void cli_grid_free(cli_grid *g) {
    for (size_t i = 0; i < g->axes; i++) {
        for (size_t k = 0; k < g->axis[i].values; k++)
            free(g->axis[i].value[k]);
        free(g->axis[i].value);
        free(g->axis[i].key);
    }
    free(g->axis);
    *g = (cli_grid){0};
}
