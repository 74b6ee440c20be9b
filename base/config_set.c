/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --set section.key=value: the value is parsed and checked as in a file before the tree is touched. */
#include "config_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Copies the value of `from` (and all below it) into the new setting `to`; source lines stay 0, which means --set. */
static bool copy_value(config_setting_t *to, const config_setting_t *from) {
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        return config_setting_set_int(to, config_setting_get_int(from));
    case CONFIG_TYPE_INT64:
        return config_setting_set_int64(to, config_setting_get_int64(from));
    case CONFIG_TYPE_FLOAT:
        return config_setting_set_float(to, config_setting_get_float(from));
    case CONFIG_TYPE_BOOL:
        return config_setting_set_bool(to, config_setting_get_bool(from));
    case CONFIG_TYPE_STRING:
        return config_setting_set_string(to, config_setting_get_string(from));
    default:
        for (int i = 0; i < config_setting_length(from); i++) {
            const config_setting_t *item = config_setting_get_elem(from, (unsigned)i);
            config_setting_t *copy =
                config_setting_add(to, config_setting_name(item), config_setting_type(item));
            if (!copy || !copy_value(copy, item))
                return false;
        }
        return true;
    }
}

/* Every element of a list that the path names must exist: --set does not make layers. */
static bool check_elements(const snn_config *c, const char *path, snn_error *err) {
    for (const char *bracket = path; (bracket = strchr(bracket, '[')); bracket++) {
        char list_path[SNN_CONFIG_MAX_PATH];
        snprintf(list_path, sizeof list_path, "%.*s", (int)(bracket - path), path);
        const config_setting_t *list = snn_config_lookup(c, list_path);
        int length = list ? config_setting_length(list) : 0;
        if (bracket[1] == ']' || strtoul(bracket + 1, NULL, 10) >= (unsigned long)length)
            return snn_fail(err, SNN_ERR_USAGE, "'%s' has %d element%s, numbered from 0", list_path, length,
                            length == 1 ? "" : "s");
    }
    return true;
}

/* The group that holds the key, created where it is missing; *name is the key's own name. */
static config_setting_t *parent_group(snn_config *c, const char *path, const char **name) {
    config_setting_t *group = config_root_setting(&c->tree);
    for (const char *dot; group && (dot = strchr(path, '.')); path = dot + 1) {
        char part[SNN_CONFIG_MAX_PATH];
        size_t n = strcspn(path, ".[");
        snprintf(part, sizeof part, "%.*s", (int)n, path);
        config_setting_t *next = config_setting_get_member(group, part);
        if (path[n] == '[')
            next = config_setting_get_elem(next, (unsigned)strtoul(path + n + 1, NULL, 10));
        group = next ? next : config_setting_add(group, part, CONFIG_TYPE_GROUP);
    }
    *name = path;
    return group;
}

static bool store(snn_config *c, const char *path, const config_setting_t *value, snn_error *err) {
    if (!check_elements(c, path, err))
        return false;
    const char *name;
    config_setting_t *group = parent_group(c, path, &name);
    if (!group)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    if (config_setting_get_member(group, name))
        config_setting_remove(group, name);
    config_setting_t *to = config_setting_add(group, name, config_setting_type(value));
    if (!to || !copy_value(to, value))
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    return true;
}

/* A word without quotes is a text. Where a text is due, so is anything else without quotes: a path, a number. */
static bool is_bare(const snn_config_key *k, const char *value) {
    if (k->type == SNN_KEY_STRING || k->type == SNN_KEY_CHOICE)
        return *value != '"';
    if (k->type == SNN_KEY_STRINGS && *value)
        return !strchr("\"[(", *value);
    return (*value == '\0' || isalpha((unsigned char)*value)) && strcasecmp(value, "true") != 0 &&
           strcasecmp(value, "false") != 0;
}

/* "[stuck, sense]" with the quotes that an array of texts has in a file; free() it. Texts that have them keep them. */
static char *quote_items(const char *value) {
    char *quoted = malloc(3 * strlen(value) + 1), *to = quoted;
    bool inside = false, bare = false; /* within quotes; within a word without */
    for (const char *c = value; quoted && *c; c++) {
        bool ends = !inside && (isspace((unsigned char)*c) || strchr(",[]()", *c));
        if (!inside && !ends && !bare && *c != '"') {
            *to++ = '"';
            bare = true;
        } else if (bare && ends) {
            *to++ = '"';
            bare = false;
        }
        if (*c == '"' && !bare)
            inside = !inside;
        else if (*c == '\\' && inside && c[1])
            *to++ = *c++;
        *to++ = *c;
    }
    if (quoted)
        *to = 0;
    return quoted;
}

/* Parses "v = <value>" into `tree` with the same checks as in a file. */
static bool parse_value(config_t *tree, const char *value, snn_error *err) {
    snn_config_source source = {0};
    size_t size = strlen(value) + 8;
    char *text = malloc(size);
    if (!text)
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    snprintf(text, size, "v = %s\n", value);
    snn_error inner = {0};
    bool ok = snn_config_scan(&source, text, strlen(text), "value", &inner);
    if (!ok) { /* the place "value:1: " means nothing to the user */
        const char *sentence = strncmp(inner.text, "value:", 6) == 0 ? strstr(inner.text, ": ") : NULL;
        snn_fail(err, SNN_ERR_USAGE, "%s", sentence ? sentence + 2 : inner.text);
    } else if (config_read_string(tree, source.text) != CONFIG_TRUE ||
               config_setting_length(config_root_setting(tree)) != 1)
        ok = snn_fail(err, SNN_ERR_USAGE, "'%.80s' is not a value", value);
    snn_config_source_free(&source);
    free(text);
    return ok;
}

static bool assign(snn_config *c, const snn_config_key *k, const char *path, const char *value,
                   snn_error *err) {
    config_t tree;
    config_init(&tree);
    bool ok, numbers = k->type == SNN_KEY_INTS || k->type == SNN_KEY_FLOATS;
    if (numbers && !*value)
        value = "[]";
    if (is_bare(k, value)) {
        config_setting_t *v = config_setting_add(config_root_setting(&tree), "v", CONFIG_TYPE_STRING);
        ok = (v && config_setting_set_string(v, value)) || snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    } else {
        char *quoted = k->type == SNN_KEY_STRINGS ? quote_items(value) : NULL;
        ok = parse_value(&tree, quoted ? quoted : value, err);
        free(quoted);
        if (!ok)
            snn_error_context(err, "--set: %s", path);
    }
    if (ok) {
        const config_setting_t *v = config_setting_get_elem(config_root_setting(&tree), 0);
        ok = snn_config_check(NULL, v, path, err);
        if (ok && !(ok = store(c, path, v, err)))
            snn_error_context(err, "--set: %s", path);
    }
    config_destroy(&tree);
    return ok;
}

/* Copies [from, end) without the space around it. */
static char *trimmed(const char *from, const char *end) {
    while (from < end && isspace((unsigned char)*from))
        from++;
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    return strndup(from, (size_t)(end - from));
}

bool snn_config_set(snn_config *c, const char *assignment, snn_error *err) {
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return snn_fail(err, SNN_ERR_USAGE, "--set '%.80s': expected section.key=value", assignment);
    char *path = trimmed(assignment, equals), *value = trimmed(equals + 1, assignment + strlen(assignment));
    bool ok = path && value;
    if (!ok) {
        snn_fail(err, SNN_ERR_RUNTIME, "--set: out of memory");
    } else {
        const snn_config_key *k = snn_config_find_key(path);
        ok = k ? assign(c, k, path, value, err) : snn_config_unknown("--set", path, err);
    }
    free(path);
    free(value);
    return ok;
}
