/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration: finding, loading, and looking keys up in the checked tree or the table's defaults. */
#include "config_internal.h"

#include <snnsim/output.h>

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SNN_CONFIG_DIR
#define SNN_CONFIG_DIR "/usr/local/share/snnsim/configs"
#endif

/* ---- loading ---- */

/* libconfig says "syntax error" and a line: show the line. */
static bool fail_syntax(const snn_config *c, snn_error *err) {
    unsigned line = (unsigned)config_error_line(&c->tree);
    char where[512];
    snn_config_source_where(&c->source, line, where, sizeof where);
    const char *from = c->source.text;
    for (unsigned i = 1; i < line && from; i++)
        from = (from = strchr(from, '\n')) ? from + 1 : NULL;
    if (from)
        from += strspn(from, " ");
    int n = from ? (int)strcspn(from, "\n") : 0;
    return snn_fail(err, SNN_ERR_USAGE, "%s: %s%s%.*s%s", where, config_error_text(&c->tree),
                    n ? " near '" : "", n < 40 ? n : 40, n ? from : "", n ? "'" : " at the end of the text");
}

static snn_config *load_text(const char *text, size_t size, const char *label, snn_error *err) {
    snn_config *c = calloc(1, sizeof *c);
    if (!c || !(c->path = strdup(label))) {
        free(c);
        snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", label);
        return NULL;
    }
    config_init(&c->tree);
    if (!snn_config_scan(&c->source, text, size, label, err) ||
        (config_read_string(&c->tree, c->source.text) != CONFIG_TRUE && !fail_syntax(c, err)) ||
        !snn_config_check(&c->source, config_root_setting(&c->tree), "", err)) {
        snn_config_free(c);
        return NULL;
    }
    return c;
}

snn_config *snn_config_parse(const char *text, const char *label, snn_error *err) {
    return load_text(text, strlen(text), label, err);
}

static bool is_there(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Where `name` is; NULL with err. The caller frees it. */
static char *find_file(const char *name, snn_error *err) {
    if (strchr(name, '/') || is_there(name))
        return strdup(name);
    const char *installed = getenv("SNNSIM_CONFIGS");
    if (!installed || !*installed)
        installed = SNN_CONFIG_DIR;
    const char *folders[] = {"configs", installed};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t size = strlen(folders[i]) + strlen(name) + 2;
        char *path = malloc(size);
        if (!path)
            break;
        snprintf(path, size, "%s/%s", folders[i], name);
        if (is_there(path))
            return path;
        free(path);
    }
    snn_fail(err, SNN_ERR_USAGE, "config '%s' is neither in the current folder nor in ./configs nor in %s",
             name, installed);
    return NULL;
}

snn_config *snn_config_load(const char *name, snn_error *err) {
    char *path = find_file(name, err);
    if (!path)
        return NULL;
    uint8_t *data;
    size_t size;
    snn_config *c = NULL;
    if (snn_file_read(path, SNN_CONFIG_MAX_BYTES, &data, &size, err)) {
        c = load_text((const char *)data, size, path, err);
        free(data);
    } else if (err && err->code == SNN_ERR_DATA) {
        err->code = SNN_ERR_USAGE;
    }
    free(path);
    return c;
}

void snn_config_free(snn_config *c) {
    if (!c)
        return;
    config_destroy(&c->tree);
    snn_config_source_free(&c->source);
    free(c->path);
    free(c);
}

const char *snn_config_path(const snn_config *c) {
    return c->path;
}

/* ---- looking up ---- */

config_setting_t *snn_config_lookup(const snn_config *c, const char *path) {
    config_setting_t *setting = config_root_setting(&c->tree);
    while (setting && *path) {
        if (*path == '[') {
            char *end;
            unsigned long i = strtoul(path + 1, &end, 10);
            if (config_setting_type(setting) != CONFIG_TYPE_LIST || *end != ']' ||
                i >= (unsigned long)config_setting_length(setting))
                return NULL;
            setting = config_setting_get_elem(setting, (unsigned)i);
            path = end + 1;
        } else {
            path += *path == '.';
            char name[SNN_CONFIG_MAX_PATH];
            size_t n = strcspn(path, ".[");
            if (n == 0 || n >= sizeof name || !config_setting_is_group(setting))
                return NULL;
            memcpy(name, path, n);
            name[n] = '\0';
            setting = config_setting_get_member(setting, name);
            path += n;
        }
    }
    return setting;
}

/* Asking for a key that is not in the table is a bug of the program, not of its user. */
static const snn_config_key *known_key(const char *path) {
    const snn_config_key *k = snn_config_find_key(path);
    assert(k && "key is in the table");
    return k;
}

bool snn_config_given(const snn_config *c, const char *path) {
    return snn_config_lookup(c, path) != NULL;
}

static double to_double(const config_setting_t *s) {
    return config_setting_type(s) == CONFIG_TYPE_FLOAT ? config_setting_get_float(s)
                                                       : (double)config_setting_get_int64(s);
}

int64_t snn_config_int(const snn_config *c, const char *path) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_INT);
    const config_setting_t *s = snn_config_lookup(c, path);
    return s ? config_setting_get_int64(s) : k->initial ? strtoll(k->initial, NULL, 10) : 0;
}

double snn_config_float(const snn_config *c, const char *path) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_FLOAT);
    const config_setting_t *s = snn_config_lookup(c, path);
    return s ? to_double(s) : k->initial ? strtod(k->initial, NULL) : 0;
}

bool snn_config_bool(const snn_config *c, const char *path) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_BOOL);
    const config_setting_t *s = snn_config_lookup(c, path);
    return s ? config_setting_get_bool(s) : k->initial && strcmp(k->initial, "true") == 0;
}

const char *snn_config_string(const snn_config *c, const char *path) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_STRING || k->type == SNN_KEY_CHOICE);
    const config_setting_t *s = snn_config_lookup(c, path);
    return s ? config_setting_get_string(s) : k->initial ? k->initial : "";
}

/* Defaults of arrays are written "1, 2, 3"; of texts there is at most one. */
static const char *default_item(const snn_config_key *k, int i) {
    const char *c = k->initial;
    for (; i > 0; i--)
        c = strchr(c, ',') + 1;
    return c;
}

int snn_config_count(const snn_config *c, const char *path) {
    const snn_config_key *k = known_key(path);
    const config_setting_t *s = snn_config_lookup(c, path);
    if (s)
        return config_setting_is_aggregate(s) ? config_setting_length(s) : 1;
    if (!k->initial || !*k->initial || k->type == SNN_KEY_LIST)
        return 0;
    int n = 1;
    if (k->type != SNN_KEY_STRINGS)
        for (const char *p = k->initial; (p = strchr(p, ',')); p++)
            n++;
    return n;
}

/* Item i of the key, NULL when the default stands. */
static const config_setting_t *item_at(const snn_config *c, const char *path, int i) {
    assert(i >= 0 && i < snn_config_count(c, path));
    config_setting_t *s = snn_config_lookup(c, path);
    return s && config_setting_is_aggregate(s) ? config_setting_get_elem(s, (unsigned)i) : s;
}

int64_t snn_config_int_at(const snn_config *c, const char *path, int i) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_INTS);
    const config_setting_t *s = item_at(c, path, i);
    return s ? config_setting_get_int64(s) : strtoll(default_item(k, i), NULL, 10);
}

double snn_config_float_at(const snn_config *c, const char *path, int i) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_FLOATS);
    const config_setting_t *s = item_at(c, path, i);
    return s ? to_double(s) : strtod(default_item(k, i), NULL);
}

const char *snn_config_string_at(const snn_config *c, const char *path, int i) {
    const snn_config_key *k = known_key(path);
    assert(k->type == SNN_KEY_STRINGS);
    const config_setting_t *s = item_at(c, path, i);
    return s ? config_setting_get_string(s) : k->initial;
}

/* ---- messages ---- */

const char *snn_config_where(const snn_config *c, const char *path, char *buf, size_t size) {
    const config_setting_t *s = snn_config_lookup(c, path);
    unsigned line = s ? config_setting_source_line(s) : 0;
    if (line)
        return snn_config_source_where(&c->source, line, buf, size);
    snprintf(buf, size, "%s", s ? "--set" : "default");
    return buf;
}

bool snn_config_fail(const snn_config *c, const char *path, snn_error *err, const char *fmt, ...) {
    if (!err)
        return false;
    va_list args;
    va_start(args, fmt);
    char message[sizeof err->text], where[512];
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return snn_fail(err, SNN_ERR_USAGE, "%s: %s: %s", snn_config_where(c, path, where, sizeof where), path,
                    message);
}
