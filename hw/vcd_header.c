/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declarations of a value change dump: time scale, scopes, variables. */
#include "vcd_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in the scopes the declarations stand. */
typedef struct {
    char path[SNN_VCD_MAX_NAME];       /* "tb.dut" */
    size_t length[SNN_VCD_MAX_SCOPES]; /* of the path before the scope was entered */
    unsigned depth;
    bool seen; /* the wanted scope was there */
} scopes;

/* ---- numbers ---- */

static bool small_number(const char *text, const char **end, uint32_t max, uint32_t *out) {
    uint64_t n = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9' && n <= max; c++)
        n = n * 10 + (uint64_t)(*c - '0');
    *end = c;
    *out = (uint32_t)n;
    return c > text && n <= max;
}

/* "1 ps", "100ns" up to $end. */
static bool time_scale(snn_vcd *v) {
    static const struct {
        const char *name;
        double seconds;
    } unit[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"ps", 1e-12}, {"fs", 1e-15}};
    uint32_t n;
    const char *rest;
    if (!snn_vcd_need(v, "a time scale"))
        return false;
    if (!small_number(v->word, &rest, 100, &n) || (n != 1 && n != 10 && n != 100))
        return snn_vcd_fail(v, "a time scale begins with 1, 10 or 100");
    if (!*rest) {
        if (!snn_vcd_need(v, "a unit of time"))
            return false;
        rest = v->word;
    }
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
        if (strcmp(rest, unit[i].name) == 0) {
            v->tick = n * unit[i].seconds;
            return snn_vcd_skip(v);
        }
    return snn_vcd_fail(v, "unknown unit of time '%.20s'", rest);
}

/* ---- variables ---- */

/* The range of a vector: "[7:0]" or "[3]". */
static bool range(const char *text, uint32_t *high, uint32_t *low) {
    const char *end;
    if (*text++ != '[' || !small_number(text, &end, INT32_MAX, high))
        return false;
    *low = *high;
    if (*end == ':' && !small_number(end + 1, &end, INT32_MAX, low))
        return false;
    return end[0] == ']' && end[1] == '\0';
}

/* Name and range of a declaration up to $end: "a", "a [7:0]", "a[7:0]", "\a[3]". A range that fits the width is cut off the name. */
static bool read_name(snn_vcd *v, char *name, uint32_t width, uint32_t *high, uint32_t *low, bool *ranged) {
    if (!snn_vcd_need(v, "a name"))
        return false;
    const char *text = v->word[0] == '\\' ? v->word + 1 : v->word;
    if (strlen(text) >= SNN_VCD_MAX_NAME || !*text)
        return snn_vcd_fail(v, "a name needs 1 to %d characters", SNN_VCD_MAX_NAME - 1);
    strcpy(name, text);
    *ranged = false;
    char *bracket = strrchr(name, '[');
    if (bracket && bracket > name && width > 1 && range(bracket, high, low)) {
        *ranged = true;
        *bracket = '\0';
    }
    if (!snn_vcd_need(v, "$end"))
        return false;
    if (strcmp(v->word, "$end") == 0)
        return true;
    if (*ranged || !range(v->word, high, low))
        return snn_vcd_fail(v, "'%.40s' is no range", v->word);
    *ranged = true;
    return snn_vcd_skip(v);
}

/* Asks for the slots of a variable's bits; *heard: for at least one there is one. */
static bool declare(snn_vcd *v, const char *name, uint32_t width, uint32_t high, uint32_t low, bool ranged,
                    bool *heard) {
    char bit[SNN_VCD_MAX_NAME + 16];
    for (uint32_t i = 0; i < width; i++) {
        if (ranged)
            snprintf(bit, sizeof bit, "%s[%u]", name, high >= low ? high - i : high + i);
        else if (width > 1)
            snprintf(bit, sizeof bit, "%s[%u]", name, width - 1 - i);
        else
            snprintf(bit, sizeof bit, "%s", name);
        if (v->slots == SNN_VCD_MAX_BITS)
            return snn_vcd_fail(v, "more than %u bits in the scope", SNN_VCD_MAX_BITS);
        if (!snn_grow((void **)&v->slot, &v->slot_capacity, v->slots + 1, sizeof *v->slot, v->err))
            return false;
        v->slot[v->slots] = v->to->declare(v->to->context, bit);
        *heard |= v->slot[v->slots++] != SNN_VCD_NO_SLOT;
    }
    return true;
}

static bool variable(snn_vcd *v, bool wanted) {
    char name[SNN_VCD_MAX_NAME];
    snn_vcd_variable n = {0};
    const char *end;
    uint32_t high = 0, low = 0;
    bool ranged = false, logic, heard = false;
    if (!snn_vcd_need(v, "a kind of variable"))
        return false;
    logic =
        strcmp(v->word, "real") != 0 && strcmp(v->word, "realtime") != 0 && strcmp(v->word, "string") != 0;
    if (!wanted || !logic)
        return snn_vcd_skip(v);
    if (!snn_vcd_need(v, "a width"))
        return false;
    if (!small_number(v->word, &end, SNN_VCD_MAX_WIDTH, &n.width) || *end || n.width == 0)
        return snn_vcd_fail(v, "a width of 1 to %u is expected", SNN_VCD_MAX_WIDTH);
    if (!snn_vcd_need(v, "an identifier") || !snn_vcd_id(v, v->word, &n.id) ||
        !read_name(v, name, n.width, &high, &low, &ranged))
        return false;
    if (ranged && (high >= low ? high - low : low - high) != n.width - 1)
        return snn_vcd_fail(v, "%.80s: the range [%u:%u] does not have %u bits", name, high, low, n.width);
    n.first = (uint32_t)v->slots;
    if (v->variables == SNN_VCD_MAX_BITS)
        return snn_vcd_fail(v, "more than %u variables in the scope", SNN_VCD_MAX_BITS);
    if (!declare(v, name, n.width, high, low, ranged, &heard))
        return false;
    if (!heard) {
        v->slots = n.first;
        return true;
    }
    if (!snn_grow((void **)&v->variable, &v->variable_capacity, v->variables + 1, sizeof n, v->err))
        return false;
    v->variable[v->variables++] = n;
    return true;
}

/* Puts the variables into a table by identifier. */
static bool make_table(snn_vcd *v) {
    v->hash_size = 16;
    while (v->hash_size < 2 * v->variables)
        v->hash_size *= 2;
    if (!(v->hash = snn_alloc(v->hash_size, sizeof *v->hash, "identifiers", v->err)))
        return false;
    for (size_t i = 0; i < v->variables; i++) {
        const snn_vcd_variable *same = snn_vcd_find(v, v->variable[i].id);
        if (same) { /* behind the first one of the chain */
            size_t first = (size_t)(same - v->variable);
            if (v->variable[first].width != v->variable[i].width)
                return snn_vcd_fail(v, "one identifier for variables of %u and %u bits",
                                    v->variable[first].width, v->variable[i].width);
            v->variable[i].next = v->variable[first].next;
            v->variable[first].next = (uint32_t)i + 1;
            continue;
        }
        size_t at = (size_t)((v->variable[i].id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (v->hash_size - 1);
        while (v->hash[at])
            at = (at + 1) & (v->hash_size - 1);
        v->hash[at] = (uint32_t)i + 1;
    }
    return true;
}

/* ---- scopes ---- */

static bool enter(snn_vcd *v, scopes *s) {
    if (!snn_vcd_need(v, "a kind of scope") || !snn_vcd_need(v, "a scope's name"))
        return false;
    const char *name = v->word[0] == '\\' ? v->word + 1 : v->word;
    size_t used = strlen(s->path), size = strlen(name);
    if (s->depth == SNN_VCD_MAX_SCOPES || used + size + 2 > sizeof s->path)
        return snn_vcd_fail(v, "scopes are nested too deeply");
    s->length[s->depth++] = used;
    snprintf(s->path + used, sizeof s->path - used, "%s%s", used ? "." : "", name);
    s->seen |= strcmp(s->path, v->to->scope) == 0;
    return snn_vcd_skip(v);
}

static bool leave(snn_vcd *v, scopes *s) {
    if (s->depth == 0)
        return snn_vcd_fail(v, "$upscope without $scope");
    s->path[s->length[--s->depth]] = '\0';
    return snn_vcd_skip(v);
}

static bool declaration(snn_vcd *v, scopes *s, bool *done) {
    const char *w = v->word;
    if (strcmp(w, "$scope") == 0)
        return enter(v, s);
    if (strcmp(w, "$upscope") == 0)
        return leave(v, s);
    if (strcmp(w, "$var") == 0)
        return variable(v, s->depth > 0 && strcmp(s->path, v->to->scope) == 0);
    if (strcmp(w, "$timescale") == 0)
        return time_scale(v);
    *done = strcmp(w, "$enddefinitions") == 0;
    if (*done || strcmp(w, "$date") == 0 || strcmp(w, "$version") == 0 || strcmp(w, "$comment") == 0 ||
        strcmp(w, "$attrbegin") == 0 || strcmp(w, "$attrend") == 0)
        return snn_vcd_skip(v);
    return snn_vcd_fail(v, "expected a declaration, found '%.40s'", w);
}

bool snn_vcd_header(snn_vcd *v) {
    scopes s = {.depth = 0};
    bool done = false;
    while (!done)
        if (!snn_vcd_need(v, "$enddefinitions") || !declaration(v, &s, &done))
            return false;
    if (!(v->tick > 0))
        return snn_vcd_fail(v, "$timescale is missing");
    if (!s.seen)
        return snn_vcd_fail(v, "there is no scope '%.200s'", v->to->scope);
    return make_table(v);
}
