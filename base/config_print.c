/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The given keys as libconfig text, for reports: reading it back gives the same configuration to the bit, but for the secret seed of an encryption. */
#include "config_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(FILE *f, const char *c) {
    fputc('"', f);
    for (; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            fprintf(f, "\\x%02x", (unsigned char)*c);
        else
            fputc(*c, f);
    }
    fputc('"', f);
}

/* The fewest digits that give the same double, with a point or an exponent so that it stays a float. */
static void print_float(FILE *f, double v) {
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    fprintf(f, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void print_setting(FILE *f, const config_setting_t *s, int indent);

/* Whoever knows encrypt.seed can repeat the search that found a key. */
static bool is_secret(const config_setting_t *s) {
    const config_setting_t *group = config_setting_parent(s);
    return config_setting_name(group) && !strcmp(config_setting_name(group), "encrypt") &&
           !strcmp(config_setting_name(s), "seed");
}

static void print_members(FILE *f, const config_setting_t *s, int indent) {
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *member = config_setting_get_elem(s, (unsigned)i);
        if (is_secret(member))
            continue;
        fprintf(f, "%*s%s = ", indent, "", config_setting_name(member));
        print_setting(f, member, indent);
        fputs(";\n", f);
    }
}

/* Values of one type are an array, others a list. */
static bool is_uniform(const config_setting_t *s) {
    int n = config_setting_length(s),
        type = n ? config_setting_type(config_setting_get_elem(s, 0)) : CONFIG_TYPE_LIST;
    for (int i = 1; i < n; i++)
        if (config_setting_type(config_setting_get_elem(s, (unsigned)i)) != type)
            return false;
    return type != CONFIG_TYPE_GROUP && type != CONFIG_TYPE_LIST;
}

static void print_items(FILE *f, const config_setting_t *s, int indent) {
    int n = config_setting_length(s);
    bool groups = n > 0 && config_setting_is_group(config_setting_get_elem(s, 0)), array = is_uniform(s);
    fputc(array ? '[' : '(', f);
    for (int i = 0; i < n; i++) {
        if (groups)
            fprintf(f, "\n%*s", indent + 2, "");
        print_setting(f, config_setting_get_elem(s, (unsigned)i), indent + 2);
        if (i + 1 < n)
            fputs(groups ? "," : ", ", f);
    }
    if (groups)
        fprintf(f, "\n%*s", indent, "");
    fputc(array ? ']' : ')', f);
}

static void print_setting(FILE *f, const config_setting_t *s, int indent) {
    int64_t v;
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        v = config_setting_get_int64(s);
        fprintf(f, "%" PRId64 "%s", v, v == (int)v ? "" : "L");
        break;
    case CONFIG_TYPE_FLOAT:
        print_float(f, config_setting_get_float(s));
        break;
    case CONFIG_TYPE_BOOL:
        fputs(config_setting_get_bool(s) ? "true" : "false", f);
        break;
    case CONFIG_TYPE_STRING:
        print_text(f, config_setting_get_string(s));
        break;
    case CONFIG_TYPE_GROUP:
        fputs("{\n", f);
        print_members(f, s, indent + 2);
        fprintf(f, "%*s}", indent, "");
        break;
    default:
        print_items(f, s, indent);
    }
}

char *snn_config_text(const snn_config *c, snn_error *err) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (f) {
        print_members(f, config_root_setting(&c->tree), 0);
        if (fclose(f) == 0)
            return text;
        free(text);
    }
    snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", c->path);
    return NULL;
}
