/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SLAYER import: network.yaml, through libyaml's events, as a flat list of scalars. Anchors, aliases and tags, which could make a small file huge, are refused. */
#include "import_slayer.h"

#include <snnsim/output.h>

#include <yaml.h>

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX (1u << 20)
#define ENTRIES_MAX 8192 /* scalars of a file: 1024 layers with 8 settings each */
#define DEPTH_MAX 8
#define PATH_SIZE 256

typedef struct {
    snn_yaml *y;
    yaml_parser_t parser;
    snn_error *err;
} reader;

static bool fail_at(const reader *r, yaml_mark_t mark, const char *what) {
    return snn_fail(r->err, SNN_ERR_DATA, "%s:%zu: %s", r->y->file, mark.line + 1, what);
}

/* The next event; delete it. */
static bool next(reader *r, yaml_event_t *event) {
    if (!yaml_parser_parse(&r->parser, event)) {
        char what[200];
        snprintf(what, sizeof what, "is no YAML: %s", r->parser.problem ? r->parser.problem : "unreadable");
        /* Errors of encoding have no mark but an offset. */
        return r->parser.error == YAML_READER_ERROR ? snn_fail(r->err, SNN_ERR_DATA, "%s: byte %zu: %s",
                                                               r->y->file, r->parser.problem_offset, what)
                                                    : fail_at(r, r->parser.problem_mark, what);
    }
    if (event->type == YAML_ALIAS_EVENT ||
        (event->type == YAML_SCALAR_EVENT && (event->data.scalar.anchor || event->data.scalar.tag)) ||
        (event->type == YAML_SEQUENCE_START_EVENT &&
         (event->data.sequence_start.anchor || event->data.sequence_start.tag)) ||
        (event->type == YAML_MAPPING_START_EVENT &&
         (event->data.mapping_start.anchor || event->data.mapping_start.tag))) {
        fail_at(r, event->start_mark, "anchors, aliases and tags are not read");
        yaml_event_delete(event);
        return false;
    }
    return true;
}

static bool store(reader *r, const char *path, const yaml_event_t *event) {
    snn_yaml *y = r->y;
    void *list = y->entry;
    if (y->n == ENTRIES_MAX)
        return fail_at(r, event->start_mark, "more settings than any network has");
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return fail_at(r, event->start_mark, "a zero byte in a value");
    if (!snn_grow(&list, &y->capacity, y->n + 1, sizeof *y->entry, r->err))
        return false;
    y->entry = list;
    snn_yaml_entry e = {strdup(path), strdup((const char *)event->data.scalar.value),
                        (int)event->start_mark.line + 1};
    if (e.path == NULL || e.value == NULL) {
        free(e.path);
        free(e.value);
        return snn_fail(r->err, SNN_ERR_RUNTIME, "out of memory");
    }
    y->entry[y->n++] = e;
    return true;
}

static bool node(reader *r, const yaml_event_t *event, char *path, int depth);

/* Puts `.name` behind the path (nothing before an empty one). */
static bool extend(reader *r, char *path, const char *name, yaml_mark_t mark) {
    const size_t n = strlen(path), m = strlen(name);
    if (m == 0 || strchr(name, '.') != NULL || n + m + 2 > PATH_SIZE)
        return fail_at(r, mark, "a name that is empty, has a '.' or is too long");
    snprintf(path + n, PATH_SIZE - n, "%s%s", n > 0 ? "." : "", name);
    return true;
}

static bool mapping(reader *r, char *path, int depth) {
    const size_t base = strlen(path);
    for (;;) {
        yaml_event_t key, value;
        if (!next(r, &key))
            return false;
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return true;
        }
        bool ok = key.type == YAML_SCALAR_EVENT
                      ? extend(r, path, (const char *)key.data.scalar.value, key.start_mark)
                      : fail_at(r, key.start_mark, "a name that is no plain text");
        if (ok && snn_yaml_has(r->y, path))
            ok = fail_at(r, key.start_mark, "the name is given twice");
        yaml_event_delete(&key);
        if (!ok || !next(r, &value))
            return false;
        ok = node(r, &value, path, depth + 1);
        yaml_event_delete(&value);
        if (!ok)
            return false;
        path[base] = '\0';
    }
}

static bool sequence(reader *r, char *path, int depth) {
    const size_t base = strlen(path);
    for (int i = 0;; i++) {
        yaml_event_t event;
        char number[16];
        if (!next(r, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        snprintf(number, sizeof number, "%d", i);
        bool ok = end || (extend(r, path, number, event.start_mark) && node(r, &event, path, depth + 1));
        yaml_event_delete(&event);
        if (end || !ok)
            return ok;
        path[base] = '\0';
    }
}

/* The value that starts with this event. */
static bool node(reader *r, const yaml_event_t *event, char *path, int depth) {
    if (depth > DEPTH_MAX)
        return fail_at(r, event->start_mark, "too many levels");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return store(r, path, event);
    case YAML_MAPPING_START_EVENT:
        return mapping(r, path, depth);
    case YAML_SEQUENCE_START_EVENT:
        return sequence(r, path, depth);
    default:
        return fail_at(r, event->start_mark, "expected settings");
    }
}

/* One document, whose top is a mapping. */
static bool document(reader *r) {
    static const yaml_event_type_t frame[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                                              YAML_MAPPING_START_EVENT, YAML_DOCUMENT_END_EVENT,
                                              YAML_STREAM_END_EVENT};
    char path[PATH_SIZE] = "";
    for (size_t i = 0; i < sizeof frame / sizeof *frame; i++) {
        yaml_event_t event;
        if (!next(r, &event))
            return false;
        bool ok = event.type == frame[i];
        if (!ok)
            fail_at(r, event.start_mark, "expected one list of settings, `name: value`");
        else if (event.type == YAML_MAPPING_START_EVENT)
            ok = mapping(r, path, 0);
        yaml_event_delete(&event);
        if (!ok)
            return false;
    }
    return true;
}

bool snn_yaml_parse(snn_yaml *y, const char *file, const void *text, size_t size, snn_error *err) {
    *y = (snn_yaml){.file = file};
    reader r = {.y = y, .err = err};
    if (!yaml_parser_initialize(&r.parser))
        return snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    yaml_parser_set_input_string(&r.parser, text, size);
    bool ok = document(&r);
    yaml_parser_delete(&r.parser);
    return ok;
}

bool snn_yaml_read(snn_yaml *y, const char *file, snn_error *err) {
    uint8_t *text;
    size_t size;
    *y = (snn_yaml){.file = file};
    if (!snn_file_read_regular(file, BYTES_MAX, &text, &size, err))
        return false;
    bool ok = snn_yaml_parse(y, file, text, size, err);
    free(text);
    return ok;
}

void snn_yaml_free(snn_yaml *y) {
    for (size_t i = 0; i < y->n; i++) {
        free(y->entry[i].path);
        free(y->entry[i].value);
    }
    free(y->entry);
    *y = (snn_yaml){0};
}

/* ---- looking things up ---- */

const snn_yaml_entry *snn_yaml_find(const snn_yaml *y, const char *path) {
    for (size_t i = 0; i < y->n; i++)
        if (strcmp(y->entry[i].path, path) == 0)
            return &y->entry[i];
    return NULL;
}

bool snn_yaml_has(const snn_yaml *y, const char *path) {
    const size_t n = strlen(path);
    for (size_t i = 0; i < y->n; i++)
        if (strncmp(y->entry[i].path, path, n) == 0 &&
            (y->entry[i].path[n] == '\0' || y->entry[i].path[n] == '.'))
            return true;
    return false;
}

bool snn_yaml_fail(const snn_yaml *y, const snn_yaml_entry *e, const char *what, snn_error *err) {
    return snn_fail(err, SNN_ERR_DATA, "%s:%d: %s is '%.40s': %s", y->file, e->line, e->path, e->value, what);
}

static const snn_yaml_entry *need(const snn_yaml *y, const char *path, snn_error *err) {
    const snn_yaml_entry *e = snn_yaml_find(y, path);
    if (e == NULL)
        snn_fail(err, SNN_ERR_DATA, "%s: %s is missing", y->file, path);
    return e;
}

bool snn_yaml_real(const snn_yaml *y, const char *path, double *v, snn_error *err) {
    const snn_yaml_entry *e = need(y, path, err);
    if (e == NULL)
        return false;
    /* strtod would also take blanks, hexadecimal digits, "inf" and "nan". */
    const size_t n = strlen(e->value);
    char *end = e->value;
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0); /* a point, whatever the program's locale */
    if (c == (locale_t)0)
        return snn_fail_errno(err, "no C locale");
    if (n > 0 && strspn(e->value, "+-.0123456789eE") == n)
        *v = strtod_l(e->value, &end, c);
    freelocale(c);
    return n > 0 && end == e->value + n && isfinite(*v) ? true
                                                        : snn_yaml_fail(y, e, "expected a number", err);
}

bool snn_yaml_int(const snn_yaml *y, const char *path, int64_t least, int64_t most, int64_t *v,
                  snn_error *err) {
    double x = 0;
    char what[80];
    if (!snn_yaml_real(y, path, &x, err))
        return false;
    snprintf(what, sizeof what, "expected a whole number from %" PRId64 " to %" PRId64, least, most);
    if (x != floor(x) || x < (double)least || x > (double)most)
        return snn_yaml_fail(y, snn_yaml_find(y, path), what, err);
    *v = (int64_t)x;
    return true;
}
