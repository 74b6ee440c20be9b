/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a Liberty file into a tree of statements. Texts of the tree point into the file's text. */
#include "liberty_tree.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK ((size_t)1 << 16)     /* bytes of a piece of the nodes' memory */
#define READ_STEP ((size_t)1 << 20) /* bytes asked of zlib at a time */

struct snn_lib_chunk {
    struct snn_lib_chunk *next;
    size_t used, size;
    _Alignas(16) char space[];
};

typedef struct {
    snn_lib_tree *tree;
    const char *at, *end;
    unsigned line;
    snn_error *err;
} parser;

/* ---- memory ---- */

/* Zeroed, aligned to 16 bytes; lives as long as the tree. */
static void *take(snn_lib_tree *t, size_t size, snn_error *err) {
    size = (size + 15) & ~(size_t)15;
    struct snn_lib_chunk *c = t->chunks;
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        c = calloc(1, sizeof *c + room);
        if (!c) {
            snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", t->label);
            return NULL;
        }
        c->size = room;
        c->next = t->chunks;
        t->chunks = c;
    }
    void *p = c->space + c->used;
    c->used += size;
    return p;
}

void snn_lib_free(snn_lib_tree *t) {
    while (t->chunks) {
        struct snn_lib_chunk *next = t->chunks->next;
        free(t->chunks);
        t->chunks = next;
    }
    free(t->text);
    free(t->label);
    *t = (snn_lib_tree){0};
}

/* ---- words ---- */

static bool fail(parser *p, const char *what) {
    return snn_fail(p->err, SNN_ERR_DATA, "%s:%u: %s", p->tree->label, p->line, what);
}

/* Over space, comments and the backslashes that continue a line. */
static bool skip(parser *p) {
    while (p->at < p->end) {
        char c = *p->at;
        if (c == '\n') {
            p->line++;
        } else if (c == '/' && p->at + 1 < p->end && p->at[1] == '*') {
            unsigned from = p->line;
            for (p->at += 2; p->at + 1 < p->end && !(p->at[0] == '*' && p->at[1] == '/'); p->at++)
                p->line += *p->at == '\n';
            if (p->at + 1 >= p->end) {
                p->line = from;
                return fail(p, "this comment has no end");
            }
            p->at++;
        } else if (c == '/' && p->at + 1 < p->end && p->at[1] == '/') {
            while (p->at + 1 < p->end && p->at[1] != '\n')
                p->at++;
        } else if (!isspace((unsigned char)c) && c != '\\') {
            return true;
        }
        p->at++;
    }
    return true;
}

/* A quoted text, or one up to a character of `stop` or space. */
static bool word(parser *p, const char *stop, snn_lib_text *out) {
    const char *from = p->at;
    if (p->at < p->end && *p->at == '"') {
        unsigned line = p->line;
        for (p->at++; p->at < p->end && *p->at != '"'; p->at++)
            p->line += *p->at == '\n';
        if (p->at == p->end) {
            p->line = line;
            return fail(p, "this text in quotes has no end");
        }
        *out = (snn_lib_text){from + 1, (size_t)(p->at - from) - 1};
        p->at++;
        return true;
    }
    while (p->at < p->end && *p->at && !isspace((unsigned char)*p->at) && !strchr(stop, *p->at))
        p->at++;
    *out = (snn_lib_text){from, (size_t)(p->at - from)};
    return out->size > 0 || fail(p, "a name or value is missing here");
}

/* ---- statements ---- */

/* The arguments up to ')'; counted first, so that they lie in one array. */
static bool arguments(parser *p, snn_lib_node *n) {
    snn_lib_text few[64], *list = few; /* rows of the largest tables are fewer */
    size_t capacity = 64;
    bool ok = true;
    for (;;) {
        if (!(ok = skip(p)))
            break;
        if (p->at == p->end) {
            ok = fail(p, "')' is missing");
            break;
        }
        if (*p->at == ')' || *p->at == ',') {
            if (*p->at++ == ')')
                break;
            continue;
        }
        if (n->args == capacity) {
            ok = fail(p, "more than 64 values in parentheses");
            break;
        }
        if (!(ok = word(p, ",)\"{};", &list[n->args])))
            break;
        n->args++;
    }
    if (ok && n->args) {
        ok = (n->arg = take(p->tree, n->args * sizeof *n->arg, p->err));
        if (ok)
            memcpy(n->arg, list, n->args * sizeof *n->arg);
    }
    return ok;
}

/* What stands after ':' up to ';' or the line's end. */
static bool simple_value(parser *p, snn_lib_node *n) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
        p->at++;
    n->args = 1;
    if (!(n->arg = take(p->tree, sizeof *n->arg, p->err)))
        return false;
    if (p->at < p->end && *p->at == '"')
        return word(p, "", n->arg);
    const char *from = p->at;
    while (p->at < p->end && !strchr(";}\n", *p->at))
        p->at++;
    size_t size = (size_t)(p->at - from);
    while (size && isspace((unsigned char)from[size - 1]))
        size--;
    *n->arg = (snn_lib_text){from, size};
    return size > 0 || fail(p, "a value is missing after ':'");
}

static bool statements(parser *p, snn_lib_node *group, unsigned depth);

/* Behind a name: what kind of statement it is. */
static bool rest(parser *p, snn_lib_node *n, unsigned depth) {
    if (!skip(p))
        return false;
    if (p->at < p->end && *p->at == ':') {
        p->at++;
        return simple_value(p, n);
    }
    if (p->at == p->end || *p->at != '(')
        return fail(p, "expected ':' or '(' after a name");
    p->at++;
    if (!arguments(p, n) || !skip(p))
        return false;
    if (p->at == p->end || *p->at != '{')
        return true;
    p->at++;
    n->group = true;
    if (depth == SNN_LIB_MAX_DEPTH)
        return fail(p, "groups are nested too deeply");
    return statements(p, n, depth + 1);
}

/* Statements up to the '}' of their group. */
static bool statements(parser *p, snn_lib_node *group, unsigned depth) {
    snn_lib_node **last = &group->child;
    for (;;) {
        if (!skip(p))
            return false;
        if (p->at == p->end)
            return snn_fail(p->err, SNN_ERR_DATA, "%s: the file ends inside the group of line %u",
                            p->tree->label, group->line);
        if (*p->at == '}' || *p->at == ';') {
            if (*p->at++ == '}')
                return true;
            continue;
        }
        snn_lib_node *n = take(p->tree, sizeof *n, p->err);
        if (!n)
            return false;
        n->line = p->line;
        if (!word(p, ":(){};,", &n->name) || !rest(p, n, depth))
            return false;
        *last = n;
        last = &n->next;
    }
}

/* ---- files ---- */

/* Parses t->text. */
static bool parse(snn_lib_tree *t, snn_error *err) {
    parser p = {t, t->text, t->text + t->size, 1, err};
    if (!(t->root = take(t, sizeof *t->root, err)) || !skip(&p))
        return false;
    t->root->line = p.line;
    if (p.at == p.end)
        return fail(&p, "the file has no group 'library'");
    if (!word(&p, ":(){};,", &t->root->name) || !rest(&p, t->root, 0) || !skip(&p))
        return false;
    if (!t->root->group || !snn_lib_is(t->root->name, "library"))
        return snn_lib_fail(t, t->root, err, "expected the group 'library', found '%.*s'",
                            (int)(t->root->name.size < 60 ? t->root->name.size : 60), t->root->name.at);
    while (p.at < p.end && *p.at == ';') {
        p.at++;
        if (!skip(&p))
            return false;
    }
    return p.at == p.end || fail(&p, "text after the end of the library");
}

bool snn_lib_parse(snn_lib_tree *t, const void *text, size_t size, const char *label, snn_error *err) {
    *t = (snn_lib_tree){0};
    if (size > SNN_LIB_MAX_BYTES)
        return snn_fail(err, SNN_ERR_DATA, "%s: larger than %zu MB", label, SNN_LIB_MAX_BYTES >> 20);
    if (!(t->label = strdup(label)) || !(t->text = malloc(size + 1)))
        return snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", label);
    if (size)
        memcpy(t->text, text, size);
    t->text[size] = '\0';
    t->size = size;
    return parse(t, err);
}

/* All of a stream into t->text. */
static bool load(snn_lib_tree *t, gzFile f, snn_error *err) {
    size_t capacity = 0;
    for (;;) {
        if (!snn_grow((void **)&t->text, &capacity, t->size + READ_STEP + 1, 1, err))
            return false;
        int got = gzread(f, t->text + t->size, READ_STEP);
        if (got < 0) {
            int code;
            return snn_fail(err, SNN_ERR_DATA, "%s: %s", t->label, gzerror(f, &code));
        }
        t->size += (size_t)got;
        if (t->size > SNN_LIB_MAX_BYTES)
            return snn_fail(err, SNN_ERR_DATA, "%s: larger than %zu MB", t->label, SNN_LIB_MAX_BYTES >> 20);
        if (got == 0)
            break;
    }
    t->text[t->size] = '\0';
    return true;
}

bool snn_lib_read(snn_lib_tree *t, const char *path, snn_error *err) {
    *t = (snn_lib_tree){0};
    if (!(t->label = strdup(path)))
        return snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", path);
    gzFile f = gzopen(path, "rb"); /* reads plain files, too */
    if (!f)
        return snn_fail_errno(err, "%s: cannot be opened", path);
    bool ok = load(t, f, err);
    /* a truncated stream shows only when it is closed */
    if (gzclose_r(f) != Z_OK && ok)
        ok = snn_fail(err, SNN_ERR_DATA, "%s: the compressed file is cut short", path);
    return ok && parse(t, err);
}

/* ---- looking into a tree ---- */

bool snn_lib_fail(const snn_lib_tree *t, const snn_lib_node *n, snn_error *err, const char *fmt, ...) {
    char text[512];
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    return snn_fail(err, SNN_ERR_DATA, "%s:%u: %s", t->label, n->line, text);
}

bool snn_lib_is(snn_lib_text text, const char *name) {
    return text.size == strlen(name) && memcmp(text.at, name, text.size) == 0;
}

bool snn_lib_same(snn_lib_text a, snn_lib_text b) {
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

const snn_lib_node *snn_lib_find(const snn_lib_node *from, const char *name) {
    while (from && !snn_lib_is(from->name, name))
        from = from->next;
    return from;
}

bool snn_lib_attribute(const snn_lib_node *group, const char *name, snn_lib_text *value) {
    const snn_lib_node *n = snn_lib_find(group->child, name);
    if (!n || !n->args)
        return false;
    *value = n->arg[0];
    return true;
}

bool snn_lib_number(snn_lib_text text, double *value) {
    char buf[64], *end;
    if (text.size == 0 || text.size >= sizeof buf)
        return false;
    memcpy(buf, text.at, text.size);
    buf[text.size] = '\0';
    if (strspn(buf, "0123456789+-.eE") != text.size) /* no hexadecimal numbers, infinities, spaces */
        return false;
    double v = strtod(buf, &end);
    if (*end || !(v - v == 0))
        return false;
    *value = v;
    return true;
}

bool snn_lib_real(const snn_lib_tree *t, const snn_lib_node *group, const char *name, double *value,
                  snn_error *err) {
    const snn_lib_node *n = snn_lib_find(group->child, name);
    if (!n)
        return true;
    return (n->args == 1 && snn_lib_number(n->arg[0], value)) ||
           snn_lib_fail(t, n, err, "%s: expected a number", name);
}
