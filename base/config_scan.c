/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a configuration before libconfig sees it. libconfig 1.5 wraps integers beyond 32 bit, takes 1e999 for
 * infinity and looks for included files in the working folder, all silently; so this scanner expands @include (relative to
 * the including file), checks every number, and marks long integers with L. Comments are dropped on the way, so that libconfig
 * sees exactly the tokens that were checked here.
 */
#include "config_internal.h"

#include <snnsim/output.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    snn_config_source *out;
    const char *text, *end, *at;
    const char *label;
    int file;                        /* index of label in out->files */
    unsigned line;                   /* of `at` */
    int includes;                    /* how many files deep */
    int depth;                       /* open brackets */
    char open[SNN_CONFIG_MAX_DEPTH]; /* [depth] which ones */
    char previous;                   /* last significant character: tells where a value is due */
    snn_error *err;
} scanner;

#define FAIL(s, ...) fail_at(s, (s)->line, __VA_ARGS__)
SNN_PRINTF(3, 4) static bool fail_at(scanner *s, unsigned line, const char *fmt, ...) {
    if (!s->err)
        return false;
    char message[800];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return snn_fail(s->err, SNN_ERR_USAGE, "%s:%u: %s", s->label, line, message);
}

static bool emit(scanner *s, const char *bytes, size_t n) {
    snn_config_source *o = s->out;
    if (n > SNN_CONFIG_MAX_BYTES || o->size > SNN_CONFIG_MAX_BYTES - n)
        return FAIL(s, "configuration is larger than %d bytes", SNN_CONFIG_MAX_BYTES);
    if (!snn_grow((void **)&o->text, &o->capacity, o->size + n + 1, 1, s->err))
        return false;
    memcpy(o->text + o->size, bytes, n);
    o->size += n;
    o->text[o->size] = '\0';
    return true;
}

/* Ends a line of the output and notes where it came from. */
static bool emit_line(scanner *s) {
    snn_config_source *o = s->out;
    if (!snn_grow((void **)&o->lines, &o->line_capacity, o->line_count + 1, sizeof *o->lines, s->err))
        return false;
    o->lines[o->line_count++] = (struct snn_config_line){s->file, s->line};
    return emit(s, "\n", 1);
}

/* ---- numbers ---- */

static size_t count_digits(const char *c) {
    size_t n = 0;
    while (isdigit((unsigned char)c[n]))
        n++;
    return n;
}

/* [-+]?[0-9]+L?L? or 0x[0-9a-f]+L?L?; *value_end is where the suffix begins. */
static bool is_integer(const char *c, int *base, const char **value_end) {
    *base = 10;
    if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X')) {
        *base = 16;
        c += 2;
        if (!isxdigit((unsigned char)*c))
            return false;
        while (isxdigit((unsigned char)*c))
            c++;
    } else {
        c += *c == '-' || *c == '+';
        size_t n = count_digits(c);
        if (n == 0)
            return false;
        c += n;
    }
    *value_end = c;
    for (int i = 0; i < 2 && *c == 'L'; i++)
        c++;
    return *c == '\0';
}

/* Digits with a point or an exponent or both; at least one digit. */
static bool is_float(const char *c) {
    c += *c == '-' || *c == '+';
    size_t whole = count_digits(c), part = 0;
    bool point = c[whole] == '.', exponent = false;
    c += whole;
    if (point) {
        part = count_digits(++c);
        c += part;
    }
    if (*c == 'e' || *c == 'E') {
        exponent = true;
        c++;
        c += *c == '-' || *c == '+';
        size_t n = count_digits(c);
        if (n == 0)
            return false;
        c += n;
    }
    return *c == '\0' && whole + part > 0 && (point || exponent);
}

static bool emit_integer(scanner *s, const char *word, int base, const char *value_end) {
    errno = 0;
    long long v = strtoll(word, NULL, base);
    if (errno == ERANGE)
        return FAIL(s, "integer %s is beyond 64 bits", word);
    if (!emit(s, word, (size_t)(value_end - word)))
        return false;
    /* Marked only where needed: libconfig would give every marked number the 64-bit type. */
    return v == (int)v || emit(s, "L", 1);
}

/* A word that begins like a number must be one. */
static bool scan_number(scanner *s) {
    const char *from = s->at;
    while (s->at < s->end && (isalnum((unsigned char)*s->at) || strchr("+-._", *s->at)))
        s->at++;
    char word[64];
    size_t n = (size_t)(s->at - from);
    if (n >= sizeof word)
        return FAIL(s, "number '%.20s...' is too long", from);
    memcpy(word, from, n);
    word[n] = '\0';
    int base;
    const char *value_end;
    if (is_integer(word, &base, &value_end))
        return emit_integer(s, word, base, value_end);
    if (!is_float(word))
        return FAIL(s, "'%s' is not a number (texts stand in double quotes)", word);
    errno = 0;
    double v = strtod(word, NULL);
    if (errno == ERANGE && (isinf(v) || v == 0))
        return FAIL(s, "number %s is beyond the range of a double", word);
    return emit(s, word, n);
}

/* ---- other tokens ---- */

static bool scan_string(scanner *s) {
    const char *from = s->at++;
    while (s->at < s->end && *s->at != '"' && *s->at != '\n') {
        if (*s->at == '\0') /* would end the text for libconfig */
            return FAIL(s, "unexpected byte 0x00");
        s->at += *s->at == '\\' && s->at + 1 < s->end && s->at[1] != '\n' && s->at[1] != '\0' ? 2 : 1;
    }
    if (s->at >= s->end || *s->at != '"')
        return FAIL(s, "text in double quotes does not end on its line");
    s->at++;
    s->previous = '"';
    return emit(s, from, (size_t)(s->at - from));
}

static bool scan_name(scanner *s) {
    const char *from = s->at;
    while (s->at < s->end && (isalnum((unsigned char)*s->at) || strchr("-_*", *s->at)))
        s->at++;
    int n = (int)(s->at - from);
    bool logical =
        (n == 4 && strncasecmp(from, "true", 4) == 0) || (n == 5 && strncasecmp(from, "false", 5) == 0);
    if (!logical && s->previous && strchr("=:[(", s->previous))
        return FAIL(s, "'%.*s%s' must stand in double quotes", n < 40 ? n : 40, from, n < 40 ? "" : "...");
    s->previous = 'a';
    return emit(s, from, (size_t)n);
}

static bool skip_comment(scanner *s) {
    if (s->at[0] == '/' && s->at[1] == '*') {
        unsigned first = s->line;
        for (s->at += 2; s->at + 1 < s->end; s->at++) {
            if (s->at[0] == '*' && s->at[1] == '/') {
                s->at += 2;
                return emit(s, " ", 1);
            }
            if (*s->at == '\n') {
                if (!emit_line(s))
                    return false;
                s->line++;
            }
        }
        return fail_at(s, first, "comment has no end");
    }
    while (s->at < s->end && *s->at != '\n')
        s->at++;
    return true;
}

static bool scan_text(scanner *s);

/* Path of an included file: relative to the folder of the including one. */
static char *join(const char *label, const char *name, size_t n) {
    const char *slash = strrchr(label, '/');
    size_t folder = *name == '/' || !slash ? 0 : (size_t)(slash - label) + 1;
    char *path = malloc(folder + n + 1);
    if (path) {
        memcpy(path, label, folder);
        memcpy(path + folder, name, n);
        path[folder + n] = '\0';
    }
    return path;
}

static bool include_file(scanner *s, const char *name, size_t n) {
    if (s->includes >= SNN_CONFIG_MAX_INCLUDES)
        return FAIL(s, "@include: files include each other more than %d deep", SNN_CONFIG_MAX_INCLUDES);
    char *path = join(s->label, name, n);
    if (!path)
        return FAIL(s, "out of memory");
    uint8_t *data;
    size_t size;
    bool ok = snn_file_read(path, SNN_CONFIG_MAX_BYTES, &data, &size, s->err);
    if (!ok) {
        snn_error_context(s->err, "%s:%u: @include", s->label, s->line);
        if (s->err)
            s->err->code = SNN_ERR_USAGE;
    } else {
        scanner inner = *s; /* brackets may span files */
        inner.includes++;
        inner.text = inner.at = (const char *)data;
        inner.end = inner.text + size;
        inner.label = path;
        ok = scan_text(&inner);
        s->depth = inner.depth;
        memcpy(s->open, inner.open, sizeof s->open);
        s->previous = inner.previous;
        free(data);
    }
    free(path);
    return ok;
}

/* @include "file", alone on its line (a comment may follow). */
static bool scan_include(scanner *s) {
    static const char word[] = "@include";
    const char *c = s->at, *line_end = memchr(c, '\n', (size_t)(s->end - c));
    if (!line_end)
        line_end = s->end;
    if ((size_t)(line_end - c) < sizeof word || strncmp(c, word, sizeof word - 1) != 0)
        return FAIL(s, "expected @include \"file\"");
    for (c += sizeof word - 1; c < line_end && (*c == ' ' || *c == '\t'); c++)
        ;
    const char *close = c < line_end && *c == '"' ? memchr(c + 1, '"', (size_t)(line_end - c - 1)) : NULL;
    if (!close || close == c + 1)
        return FAIL(s, "expected @include \"file\"");
    s->at = close + 1;
    return emit_line(s) && include_file(s, c + 1, (size_t)(close - c - 1));
}

static bool scan_punctuation(scanner *s) {
    char c = *s->at++;
    if (strchr("({[", c) && ++s->depth > SNN_CONFIG_MAX_DEPTH)
        return FAIL(s, "brackets are nested more than %d deep", SNN_CONFIG_MAX_DEPTH);
    if (strchr(")}]", c) && --s->depth < 0)
        return FAIL(s, "'%c' closes nothing", c);
    if (strchr("({[", c))
        s->open[s->depth - 1] = c;
    else if (strchr(")}]", c) && strchr("()[]{}", s->open[s->depth])[1] != c)
        return FAIL(s, "'%c' closes a '%c'", c, s->open[s->depth]);
    s->previous = c;
    /* libconfig's arrays refuse [1, 2.5] and [1, 5000000000]; its lists do not, and the table checks the types. */
    c = c == '[' ? '(' : c == ']' ? ')' : c;
    return emit(s, &c, 1);
}

static bool scan_token(scanner *s) {
    char c = *s->at, next = s->at + 1 < s->end ? s->at[1] : '\0';
    if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
        s->at++;
        return emit(s, " ", 1);
    }
    if (c == '#' || (c == '/' && (next == '/' || next == '*')))
        return skip_comment(s);
    if (c == '"')
        return scan_string(s);
    if (c == '@')
        return scan_include(s);
    if (isdigit((unsigned char)c) || c == '+' || c == '-' || c == '.') {
        bool ok = scan_number(s);
        s->previous = '0';
        return ok;
    }
    if (isalpha((unsigned char)c) || c == '*')
        return scan_name(s);
    if (c && strchr("(){}[]=:;,", c))
        return scan_punctuation(s);
    if (isprint((unsigned char)c))
        return FAIL(s, "unexpected character '%c'", c);
    return FAIL(s, "unexpected byte 0x%02x", (unsigned char)c);
}

static bool scan_text(scanner *s) {
    snn_config_source *o = s->out;
    if (!snn_grow((void **)&o->files, &o->file_capacity, o->file_count + 1, sizeof *o->files, s->err))
        return false;
    if (!(o->files[o->file_count] = strdup(s->label)))
        return FAIL(s, "out of memory");
    s->file = (int)o->file_count++;
    s->line = 1;
    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
        s->at += 3; /* byte-order mark of some editors */
    while (s->at < s->end) {
        if (*s->at == '\n') {
            if (!emit_line(s))
                return false;
            s->at++;
            s->line++;
        } else if (!scan_token(s)) {
            return false;
        }
    }
    return emit_line(s);
}

bool snn_config_scan(snn_config_source *s, const char *text, size_t size, const char *label, snn_error *err) {
    scanner scan = {.out = s, .text = text, .end = text + size, .at = text, .label = label, .err = err};
    if (!scan_text(&scan))
        return false;
    if (scan.depth > 0)
        return fail_at(&scan, scan.line, "%d bracket%s not closed at the end", scan.depth,
                       scan.depth > 1 ? "s are" : " is");
    return true;
}

void snn_config_source_free(snn_config_source *s) {
    for (size_t i = 0; i < s->file_count; i++)
        free(s->files[i]);
    free(s->files);
    free(s->lines);
    free(s->text);
    memset(s, 0, sizeof *s);
}

const char *snn_config_source_where(const snn_config_source *s, unsigned line, char *buf, size_t size) {
    if (line >= 1 && line <= s->line_count) {
        const struct snn_config_line *l = &s->lines[line - 1];
        snprintf(buf, size, "%s:%u", s->files[l->file], l->line);
    } else {
        snprintf(buf, size, "%s", s->file_count ? s->files[0] : "config");
    }
    return buf;
}
