/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libconfig's tree against the table of keys: names, types, ranges, choices. */
#include "config_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

static bool check(const snn_config_source *s, const config_setting_t *setting, const char *path,
                  snn_error *err);

/* ---- names ---- */

/* Path with every index as "[]", as the table writes it. False when it does not fit or is malformed. */
static bool generalise(const char *path, char *out, size_t size) {
    size_t n = 0;
    for (const char *c = path; *c; c++) {
        if (n + 2 >= size)
            return false;
        out[n++] = *c;
        if (*c == '[') {
            size_t digits = strspn(c + 1, "0123456789");
            if (c[1 + digits] != ']')
                return false;
            c += digits;
        }
    }
    out[n] = '\0';
    return true;
}

const snn_config_key *snn_config_find_key(const char *path) {
    char general[SNN_CONFIG_MAX_PATH];
    if (!generalise(path, general, sizeof general))
        return NULL;
    for (const snn_config_key *k = snn_config_keys; k->path; k++)
        if (strcmp(k->path, general) == 0)
            return k;
    return NULL;
}

static int min3(int a, int b, int c) {
    return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

/* Edit distance with swaps of neighbours (optimal string alignment). */
static int distance(const char *a, const char *b) {
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > NAME_MAX_BYTES || m > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    int rows[3][NAME_MAX_BYTES + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++)
        above[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        int *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

/* How many edits still look like a slip of the pen. */
static int tolerance(const char *name) {
    size_t n = strlen(name);
    return n < 3 ? 1 : n < 6 ? 2 : (int)n / 3;
}

static const char *last_name(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* The known key that was probably meant: beside the unknown one, or of the same name in another section. */
static const snn_config_key *nearest(const char *general) {
    const char *name = last_name(general);
    size_t parent = (size_t)(name - general);
    const snn_config_key *best = NULL;
    int best_cost = 2 * tolerance(name) + 2;
    for (const snn_config_key *k = snn_config_keys; k->path; k++) {
        const char *other = last_name(k->path);
        bool sibling = (size_t)(other - k->path) == parent && strncmp(k->path, general, parent) == 0;
        int d = distance(name, other);
        if (d > (sibling ? tolerance(name) : 0))
            continue;
        int cost = 2 * d + !sibling;
        if (cost < best_cost) {
            best_cost = cost;
            best = k;
        }
    }
    return best;
}

/* "a, b, c": the keys of a section. */
static void list_section(const char *general, char *out, size_t size) {
    size_t parent = (size_t)(last_name(general) - general), used = 0;
    out[0] = '\0';
    for (const snn_config_key *k = snn_config_keys; k->path && used < size; k++)
        if ((size_t)(last_name(k->path) - k->path) == parent && strncmp(k->path, general, parent) == 0)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", last_name(k->path));
}

bool snn_config_unknown(const char *where, const char *path, snn_error *err) {
    char general[SNN_CONFIG_MAX_PATH];
    if (!generalise(path, general, sizeof general))
        return snn_fail(err, SNN_ERR_USAGE, "%s: unknown key '%.80s'", where, path);
    const snn_config_key *k = nearest(general);
    if (k) {
        /* A neighbour is named with the indices that the user wrote, a key elsewhere with its whole path. */
        size_t section = (size_t)(last_name(k->path) - k->path);
        bool sibling =
            section == (size_t)(last_name(general) - general) && strncmp(k->path, general, section) == 0;
        return snn_fail(err, SNN_ERR_USAGE, "%s: unknown key '%s' (did you mean '%.*s%s'?)", where, path,
                        sibling ? (int)(last_name(path) - path) : 0, path,
                        sibling ? last_name(k->path) : k->path);
    }
    char known[600];
    list_section(general, known, sizeof known);
    return snn_fail(err, SNN_ERR_USAGE, "%s: unknown key '%s'%s%s%s", where, path,
                    *known ? " (known here: " : "", known, *known ? ")" : "");
}

/* ---- values ---- */

static const char *describe_type(snn_key_type type) {
    static const char *const names[] = {
        [SNN_KEY_INT] = "an integer",
        [SNN_KEY_FLOAT] = "a number",
        [SNN_KEY_BOOL] = "true or false",
        [SNN_KEY_STRING] = "a text in double quotes",
        [SNN_KEY_CHOICE] = "a text in double quotes",
        [SNN_KEY_INTS] = "an array of integers",
        [SNN_KEY_FLOATS] = "an array of numbers",
        [SNN_KEY_STRINGS] = "an array of texts",
        [SNN_KEY_LIST] = "a list of groups ( {...}, {...} )",
        [SNN_KEY_GROUP] = "a group {...}",
    };
    return names[type];
}

static void describe_value(const config_setting_t *setting, char *out, size_t size) {
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(out, size, "the integer %lld", (long long)config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(out, size, "the number %.6g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(out, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        snprintf(out, size, "the text \"%.40s\"", config_setting_get_string(setting));
        break;
    case CONFIG_TYPE_LIST: /* arrays are read as lists (config_scan.c) */
        snprintf(out, size, "a list");
        break;
    default:
        snprintf(out, size, "a group");
    }
}

static const char *where_is(const snn_config_source *s, const config_setting_t *setting, char *buf,
                            size_t size) {
    unsigned line = config_setting_source_line(setting);
    if (s && line)
        return snn_config_source_where(s, line, buf, size);
    snprintf(buf, size, "--set");
    return buf;
}

static bool fail_type(const char *where, const char *path, snn_key_type type, const config_setting_t *setting,
                      snn_error *err) {
    char found[80];
    describe_value(setting, found, sizeof found);
    return snn_fail(err, SNN_ERR_USAGE, "%s: %s: expected %s, found %s", where, path, describe_type(type),
                    found);
}

static bool is_integer(const config_setting_t *setting) {
    int type = config_setting_type(setting);
    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

/* Integers are compared as integers: 2^53 + 1 is beyond a limit of 2^53. Limits themselves stay below 2^63. */
static bool in_range(const snn_config_key *k, const config_setting_t *setting) {
    if (k->min > k->max)
        return true;
    if (!is_integer(setting)) {
        double v = config_setting_get_float(setting);
        return v >= k->min && v <= k->max;
    }
    int64_t v = config_setting_get_int64(setting);
    bool above = k->min < -9e18 || v >= (int64_t)ceil(k->min),
         below = k->max > 9e18 || v <= (int64_t)floor(k->max);
    return above && below;
}

static bool check_number(const char *where, const char *path, const snn_config_key *k, bool integer,
                         const config_setting_t *setting, snn_error *err) {
    if (!is_integer(setting) && (integer || config_setting_type(setting) != CONFIG_TYPE_FLOAT))
        return fail_type(where, path, integer ? SNN_KEY_INT : SNN_KEY_FLOAT, setting, err);
    if (in_range(k, setting))
        return true;
    char found[80];
    describe_value(setting, found, sizeof found);
    return snn_fail(err, SNN_ERR_USAGE, "%s: %s: %s is out of range (%.16g to %.16g)", where, path,
                    strchr(found + 4, ' ') + 1, k->min, k->max);
}

static bool check_choice(const char *where, const char *path, const snn_config_key *k, const char *text,
                         snn_error *err) {
    char list[400], near[NAME_MAX_BYTES + 1] = "";
    size_t used = 0;
    int best = tolerance(text) + 1;
    for (const char *c = k->choices;;) {
        size_t n = strcspn(c, "|");
        char choice[NAME_MAX_BYTES + 1];
        snprintf(choice, sizeof choice, "%.*s", (int)n, c);
        if (strcmp(choice, text) == 0)
            return true;
        if (distance(choice, text) < best) {
            best = distance(choice, text);
            memcpy(near, choice, sizeof near);
        }
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", choice);
        if (c[n] == '\0')
            break;
        c += n + 1;
    }
    return snn_fail(err, SNN_ERR_USAGE, "%s: %s: '%.64s' is not one of %s%s%s%s", where, path, text, list,
                    *near ? " (did you mean '" : "", near, *near ? "'?)" : "");
}

/* An array or list of scalars; a single scalar counts as one of length 1. */
static bool check_items(const char *where, const char *path, const snn_config_key *k,
                        const config_setting_t *setting, snn_error *err) {
    int type = config_setting_type(setting);
    bool many = type == CONFIG_TYPE_LIST;
    int n = many ? config_setting_length(setting) : 1;
    for (int i = 0; i < n; i++) {
        const config_setting_t *item = many ? config_setting_get_elem(setting, (unsigned)i) : setting;
        char item_path[SNN_CONFIG_MAX_PATH + 16];
        snprintf(item_path, sizeof item_path, many ? "%s[%d]" : "%s", path, i);
        if (k->type != SNN_KEY_STRINGS) {
            if (!check_number(where, item_path, k, k->type == SNN_KEY_INTS, item, err))
                return false;
        } else if (config_setting_type(item) != CONFIG_TYPE_STRING) {
            return fail_type(where, item_path, SNN_KEY_STRING, item, err);
        }
    }
    return true;
}

static bool check_group(const snn_config_source *s, const config_setting_t *setting, const char *path,
                        snn_error *err) {
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        char full[SNN_CONFIG_MAX_PATH], where[512];
        const char *name = config_setting_name(member);
        int n = snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", name);
        if (n < 0 || (size_t)n >= sizeof full || !snn_config_find_key(full))
            return snn_config_unknown(where_is(s, member, where, sizeof where), full, err);
        if (!check(s, member, full, err))
            return false;
    }
    return true;
}

static bool check_list(const snn_config_source *s, const config_setting_t *setting, const char *path,
                       snn_error *err) {
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        char full[SNN_CONFIG_MAX_PATH], where[512];
        snprintf(full, sizeof full, "%s[%d]", path, i);
        if (!config_setting_is_group(item))
            return fail_type(where_is(s, item, where, sizeof where), full, SNN_KEY_GROUP, item, err);
        if (!check_group(s, item, full, err))
            return false;
    }
    return true;
}

static bool check(const snn_config_source *s, const config_setting_t *setting, const char *path,
                  snn_error *err) {
    const snn_config_key *k = snn_config_find_key(path);
    char where[512];
    where_is(s, setting, where, sizeof where);
    int type = config_setting_type(setting);
    switch (k->type) {
    case SNN_KEY_INT:
    case SNN_KEY_FLOAT:
        return check_number(where, path, k, k->type == SNN_KEY_INT, setting, err);
    case SNN_KEY_BOOL:
        return type == CONFIG_TYPE_BOOL || fail_type(where, path, k->type, setting, err);
    case SNN_KEY_STRING:
        return type == CONFIG_TYPE_STRING || fail_type(where, path, k->type, setting, err);
    case SNN_KEY_CHOICE:
        if (type != CONFIG_TYPE_STRING)
            return fail_type(where, path, k->type, setting, err);
        return check_choice(where, path, k, config_setting_get_string(setting), err);
    case SNN_KEY_INTS:
    case SNN_KEY_FLOATS:
    case SNN_KEY_STRINGS:
        return check_items(where, path, k, setting, err);
    case SNN_KEY_LIST:
        if (type != CONFIG_TYPE_LIST)
            return fail_type(where, path, k->type, setting, err);
        return check_list(s, setting, path, err);
    default:
        if (type != CONFIG_TYPE_GROUP)
            return fail_type(where, path, k->type, setting, err);
        return check_group(s, setting, path, err);
    }
}

bool snn_config_check(const snn_config_source *s, const config_setting_t *setting, const char *path,
                      snn_error *err) {
    return *path ? check(s, setting, path, err) : check_group(s, setting, path, err);
}
