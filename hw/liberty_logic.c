/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Boolean expressions of Liberty files (conditions `when`) as truth tables over the states of a cell's pins. */
#include "liberty_tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NESTING 64 /* parentheses */

/* Where an expression is surely true and where surely false; in other states its value is unknown. */
typedef struct {
    uint64_t *yes, *no; /* [words] */
} truth;

typedef struct {
    const char *at, *end;
    const snn_lib_text *pin;
    unsigned pins, depth;
    size_t words;
    bool memory; /* out of memory */
} reader;

static truth truth_new(reader *r) {
    truth v = {calloc(2 * r->words, sizeof *v.yes), NULL};
    if (!v.yes)
        r->memory = true;
    else
        v.no = v.yes + r->words;
    return v;
}

static void skip(reader *r) {
    while (r->at < r->end && (isspace((unsigned char)*r->at) || *r->at == '\\'))
        r->at++;
}

static truth expression(reader *r);

/* Bit `pin` of every state. */
static void fill_pin(reader *r, unsigned pin, truth v) {
    for (size_t s = 0; s < (size_t)1 << r->pins; s++)
        (s >> pin & 1 ? v.yes : v.no)[s / 64] |= (uint64_t)1 << (s % 64);
}

static bool name_character(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '[' || c == ']' || c == '.';
}

/* A name or constant; one that is no pin is unknown everywhere. */
static truth name(reader *r) {
    const char *from = r->at;
    while (r->at < r->end && name_character(*r->at))
        r->at++;
    snn_lib_text text = {from, (size_t)(r->at - from)};
    truth v = {0};
    if (text.size == 0)
        return v;
    v = truth_new(r);
    if (!v.yes)
        return v;
    if (snn_lib_is(text, "0") || snn_lib_is(text, "1")) {
        memset(snn_lib_is(text, "1") ? v.yes : v.no, 0xFF, r->words * sizeof *v.yes);
        return v;
    }
    for (unsigned i = 0; i < r->pins; i++)
        if (snn_lib_same(text, r->pin[i])) {
            fill_pin(r, i, v);
            break;
        }
    return v;
}

static truth negated(reader *r, truth v) {
    for (size_t i = 0; v.yes && i < r->words; i++) {
        uint64_t swap = v.yes[i];
        v.yes[i] = v.no[i];
        v.no[i] = swap;
    }
    return v;
}

/* '!' before, primes behind, parentheses. .yes = NULL: malformed. */
static truth factor(reader *r) {
    bool invert = false;
    skip(r);
    while (r->at < r->end && *r->at == '!') {
        invert = !invert;
        r->at++;
        skip(r);
    }
    truth v = {0};
    if (r->at < r->end && *r->at == '(') {
        r->at++;
        if (r->depth++ == MAX_NESTING)
            return v;
        v = expression(r);
        r->depth--;
        skip(r);
        if (v.yes && (r->at == r->end || *r->at != ')')) {
            free(v.yes);
            return (truth){0};
        }
        r->at++;
    } else {
        v = name(r);
    }
    if (!v.yes)
        return v;
    for (skip(r); r->at < r->end && *r->at == '\''; skip(r)) {
        invert = !invert;
        r->at++;
    }
    return invert ? negated(r, v) : v;
}

/* a <- a op b; frees b. */
static truth combine(reader *r, truth a, char op, truth b) {
    if (!b.yes) {
        free(a.yes);
        return b;
    }
    for (size_t i = 0; i < r->words; i++) {
        uint64_t yes = a.yes[i], no = a.no[i];
        if (op == '&') {
            a.yes[i] = yes & b.yes[i];
            a.no[i] = no | b.no[i];
        } else if (op == '|') {
            a.yes[i] = yes | b.yes[i];
            a.no[i] = no & b.no[i];
        } else {
            a.yes[i] = (yes & b.no[i]) | (no & b.yes[i]);
            a.no[i] = (yes & b.yes[i]) | (no & b.no[i]);
        }
    }
    free(b.yes);
    return a;
}

/* '^' binds closest, then AND (also written as nothing), then OR. */
static truth exclusive(reader *r) {
    truth v = factor(r);
    for (skip(r); v.yes && r->at < r->end && *r->at == '^'; skip(r)) {
        r->at++;
        v = combine(r, v, '^', factor(r));
    }
    return v;
}

static truth product(reader *r) {
    truth v = exclusive(r);
    for (skip(r); v.yes && r->at < r->end && !strchr("|+)", *r->at); skip(r)) {
        if (*r->at == '&' || *r->at == '*')
            r->at++;
        v = combine(r, v, '&', exclusive(r));
    }
    return v;
}

static truth expression(reader *r) {
    truth v = product(r);
    for (skip(r); v.yes && r->at < r->end && (*r->at == '|' || *r->at == '+'); skip(r)) {
        r->at++;
        v = combine(r, v, '|', product(r));
    }
    return v;
}

bool snn_lib_truth(const snn_lib_tree *t, const snn_lib_node *n, snn_lib_text text, const snn_lib_text *pin,
                   unsigned pins, uint64_t *table, snn_error *err) {
    reader r = {text.at, text.at + text.size, pin, pins, 0, snn_lib_words(pins), false};
    truth v = expression(&r);
    skip(&r);
    bool whole = v.yes && r.at == r.end;
    if (whole)
        memcpy(table, v.yes, r.words * sizeof *table);
    free(v.yes);
    if (r.memory)
        return snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", t->label);
    return whole || snn_lib_fail(t, n, err, "'%.*s' is no Boolean expression",
                                 (int)(text.size < 80 ? text.size : 80), text.at);
}
