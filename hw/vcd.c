/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Value change dumps: words of the file, and the changes after the declarations. */
#include "vcd_internal.h"

#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORD ((size_t)SNN_VCD_MAX_WIDTH + 64) /* a vector's value */

/* ---- words ---- */

bool snn_vcd_fail(snn_vcd *v, const char *fmt, ...) {
    char text[512];
    va_list list;
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    return snn_fail(v->err, SNN_ERR_DATA, "%s:%" PRIu64 ": %s", v->path, v->word_line, text);
}

/* The next block; v->filled = 0 at the end. */
static bool refill(snn_vcd *v) {
    int got = gzread(v->file, v->block, sizeof v->block), code;
    v->at = 0;
    v->filled = got > 0 ? (size_t)got : 0;
    if (got >= 0)
        return true;
    v->word_line = v->line;
    return snn_vcd_fail(v, "%s", gzerror(v->file, &code));
}

bool snn_vcd_word(snn_vcd *v, bool *end) {
    v->word_size = 0;
    *end = false;
    for (;;) {
        if (v->at == v->filled) {
            if (!refill(v))
                return false;
            if (v->filled == 0)
                break;
        }
        unsigned char c = v->block[v->at];
        if (c <= ' ') {
            if (v->word_size)
                break;
            v->line += c == '\n';
            v->at++;
            continue;
        }
        if (v->word_size == 0)
            v->word_line = v->line;
        if (v->word_size == MAX_WORD)
            return snn_vcd_fail(v, "a word of more than %zu characters", MAX_WORD);
        if (v->word_size + 2 > v->word_capacity &&
            !snn_grow((void **)&v->word, &v->word_capacity, v->word_size + 2, 1, v->err))
            return false;
        v->word[v->word_size++] = (char)c;
        v->at++;
    }
    if (v->word_size == 0)
        *end = true;
    else
        v->word[v->word_size] = '\0';
    return true;
}

bool snn_vcd_need(snn_vcd *v, const char *what) {
    bool end;
    if (!snn_vcd_word(v, &end))
        return false;
    v->word_line = end ? v->line : v->word_line;
    return !end || snn_vcd_fail(v, "the file ends where %s is expected", what);
}

bool snn_vcd_skip(snn_vcd *v) {
    do {
        if (!snn_vcd_need(v, "$end"))
            return false;
    } while (strcmp(v->word, "$end") != 0);
    return true;
}

bool snn_vcd_id(snn_vcd *v, const char *text, uint64_t *id) {
    size_t size = strlen(text);
    if (size == 0 || size > sizeof *id)
        return snn_vcd_fail(v, "an identifier needs 1 to %zu characters", sizeof *id);
    *id = 0;
    for (size_t i = 0; i < size; i++)
        *id = *id << 8 | (unsigned char)text[i];
    return true;
}

const snn_vcd_variable *snn_vcd_find(const snn_vcd *v, uint64_t id) {
    if (!v->hash_size)
        return NULL;
    size_t at = (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (v->hash_size - 1);
    for (; v->hash[at]; at = (at + 1) & (v->hash_size - 1))
        if (v->variable[v->hash[at] - 1].id == id)
            return &v->variable[v->hash[at] - 1];
    return NULL;
}

/* ---- changes ---- */

static bool value_of(snn_vcd *v, char c, snn_vcd_value *value) {
    switch (c) {
    case '0':
        *value = SNN_VCD_0;
        return true;
    case '1':
        *value = SNN_VCD_1;
        return true;
    case 'x':
    case 'X':
    case 'z':
    case 'Z':
        *value = SNN_VCD_X;
        return true;
    default:
        return snn_vcd_fail(v, "'%c' is no value", c >= 33 && c < 127 ? c : '?');
    }
}

/* Gives digits (most significant first) to all variables of an identifier. A value that is too short is extended as the format says:
 * by zeros, or by x where it begins with x. */
static bool give(snn_vcd *v, const char *digit, size_t digits, const char *id_text) {
    uint64_t id = 0;
    snn_vcd_value value = SNN_VCD_X;
    for (size_t i = 0; i < digits; i++)
        if (!value_of(v, digit[i], &value))
            return false;
    if (!snn_vcd_id(v, id_text, &id))
        return false;
    const snn_vcd_variable *to = snn_vcd_find(v, id);
    while (to) {
        if (digits > to->width)
            return snn_vcd_fail(v, "a value of %zu bits for a variable of %u", digits, to->width);
        size_t missing = to->width - digits;
        for (uint32_t i = 0; i < to->width; i++) {
            uint32_t slot = v->slot[to->first + i];
            if (slot == SNN_VCD_NO_SLOT)
                continue;
            char c = i >= missing ? digit[i - missing] : digit[0] == '1' ? '0' : digit[0];
            value_of(v, c, &value);
            v->to->change(v->to->context, slot, value);
        }
        to = to->next ? &v->variable[to->next - 1] : NULL;
    }
    return true;
}

static bool vector(snn_vcd *v) {
    size_t digits = v->word_size - 1;
    if (digits == 0 || digits > SNN_VCD_MAX_WIDTH)
        return snn_vcd_fail(v, "a vector without digits, or with more than %u", SNN_VCD_MAX_WIDTH);
    char *value = malloc(digits), few[256];
    if (!value)
        return snn_fail(v->err, SNN_ERR_RUNTIME, "%s: out of memory", v->path);
    memcpy(value, v->word + 1, digits);
    bool ok = snn_vcd_need(v, "an identifier");
    if (ok && v->word_size >= sizeof few)
        ok = snn_vcd_fail(v, "an identifier needs 1 to 8 characters");
    ok = ok && give(v, value, digits, v->word);
    free(value);
    return ok;
}

static bool time_stamp(snn_vcd *v, uint64_t *now, bool *started) {
    uint64_t t = 0;
    const char *c = v->word + 1;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (t > (UINT64_MAX - 9) / 10)
            break;
        t = t * 10 + (uint64_t)(*c - '0');
    }
    if (*c || c == v->word + 1)
        return snn_vcd_fail(v, "'%.40s' is no time", v->word);
    if (*started && t < *now)
        return snn_vcd_fail(v, "time goes back from %" PRIu64 " to %" PRIu64, *now, t);
    *now = t;
    *started = true;
    return v->to->advance(v->to->context, t, v->err);
}

static bool one_change(snn_vcd *v, uint64_t *now, bool *started) {
    switch (v->word[0]) {
    case '#':
        return time_stamp(v, now, started);
    case 'b':
    case 'B':
        return vector(v);
    case 'r':
    case 'R':
    case 's':
    case 'S':
        return snn_vcd_need(v, "an identifier"); /* reals and texts are no logic */
    case '$':
        if (strcmp(v->word, "$comment") == 0)
            return snn_vcd_skip(v);
        if (strncmp(v->word, "$dump", 5) == 0 || strcmp(v->word, "$end") == 0)
            return true; /* the values inside of $dumpvars, $dumpoff, ... are changes like others */
        return snn_vcd_fail(v, "unknown command '%.40s'", v->word);
    default:
        return give(v, v->word, 1, v->word + 1);
    }
}

static bool changes(snn_vcd *v) {
    uint64_t now = 0;
    bool end, started = false;
    for (;;) {
        if (!snn_vcd_word(v, &end))
            return false;
        if (end)
            return true;
        if (!one_change(v, &now, &started))
            return false;
    }
}

bool snn_vcd_read(const char *path, const snn_vcd_listener *to, snn_error *err) {
    snn_vcd *v = snn_alloc(1, sizeof *v, "a reader of value changes", err);
    if (!v)
        return false;
    v->path = path;
    v->to = to;
    v->err = err;
    v->line = v->word_line = 1;
    v->file = gzopen(path, "rb"); /* reads plain files, too */
    bool ok = v->file || snn_fail_errno(err, "%s: cannot be opened", path);
    ok = ok && snn_vcd_header(v) && to->begin(to->context, v->tick, err) && changes(v);
    if (v->file && gzclose_r(v->file) != Z_OK && ok)
        ok = snn_fail(err, SNN_ERR_DATA, "%s: the compressed file is cut short", path);
    free(v->word);
    free(v->variable);
    free(v->slot);
    free(v->hash);
    free(v);
    return ok;
}
