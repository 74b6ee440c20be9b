/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of SpikingDSE's networks: their tables (import_spikingdse.h). */
#include "import_spikingdse.h"

#include <snnsim/output.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (1u << 30)
#define NUMBER_MOST 40 /* characters of a number */

typedef struct {
    const char *file;
    const char *at, *end; /* of the text */
    uint32_t line;
    locale_t locale; /* "C": a point, whatever the program's locale */
    snn_error *err;
} reader;

static bool fail(const reader *r, const char *what) {
    return snn_fail(r->err, SNN_ERR_DATA, "%s:%u: %s", r->file, r->line, what);
}

static bool line_ends(const reader *r) {
    return r->at == r->end || *r->at == '\n' || (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n');
}

static void next_line(reader *r) {
    while (r->at < r->end && *r->at++ != '\n')
        ;
    r->line++;
}

/* The text up to the next comma or end of line into text; false when it is too long. */
static bool field(reader *r, char text[NUMBER_MOST + 1]) {
    size_t n = 0;
    while (!line_ends(r) && *r->at != ',') {
        if (n == NUMBER_MOST)
            return false;
        text[n++] = *r->at++;
    }
    text[n] = '\0';
    return strlen(text) == n;
}

/* The number of a row or column. */
static bool expect_index(reader *r, uint32_t expected) {
    char text[NUMBER_MOST + 1], *end;
    if (!field(r, text) || text[0] < '0' || text[0] > '9')
        return false;
    return strtoul(text, &end, 10) == expected && *end == '\0';
}

static bool number(reader *r, float *v) {
    char text[NUMBER_MOST + 1], *end = text;
    if (!field(r, text) || text[0] == '\0')
        return fail(r, "expected a number between commas");
    /* strtof would also take blanks, hexadecimal digits, "inf" and "nan". */
    if (text[strspn(text, "+-.0123456789eE")] == '\0')
        *v = strtof_l(text, &end, r->locale);
    if (end == text || *end != '\0' || !isfinite(*v))
        return fail(r, "expected finite numbers only");
    return true;
}

/* Columns that the first line announces. */
static bool header(reader *r, snn_dse_table *t) {
    bool ok = r->at < r->end && *r->at == ',';
    for (; ok && !line_ends(r) && t->columns < UINT32_MAX; t->columns++) {
        r->at++; /* the comma */
        ok = expect_index(r, t->columns);
    }
    if (!ok || t->columns == 0)
        return fail(r, "expected the line ',0,1,2,...' that numbers the columns");
    next_line(r);
    return true;
}

static bool row(reader *r, snn_dse_table *t) {
    void *list = t->value;
    const size_t first = (size_t)t->rows * t->columns;
    if (!expect_index(r, t->rows))
        return fail(r, "expected the number of the row");
    if (!snn_grow(&list, &t->capacity, first + t->columns, sizeof *t->value, r->err))
        return false;
    t->value = list;
    for (uint32_t k = 0; k < t->columns; k++) {
        if (r->at == r->end || *r->at != ',')
            return fail(r, "has fewer values than columns");
        r->at++;
        if (!number(r, &t->value[first + k]))
            return false;
    }
    if (!line_ends(r))
        return fail(r, "has more values than columns");
    t->rows++;
    next_line(r);
    return true;
}

bool snn_dse_parse(snn_dse_table *t, const char *file, const void *text, size_t size, snn_error *err) {
    *t = (snn_dse_table){0};
    reader r = {file, text, (const char *)text + size, 1, newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), err};
    if (r.locale == (locale_t)0)
        return snn_fail_errno(err, "no C locale");
    bool ok = header(&r, t);
    while (ok && r.at < r.end)
        ok = row(&r, t);
    freelocale(r.locale);
    return ok && (t->rows > 0 || snn_fail(err, SNN_ERR_DATA, "%s: has no rows", file));
}

bool snn_dse_read(snn_dse_table *t, const char *file, snn_error *err) {
    uint8_t *text;
    size_t size;
    *t = (snn_dse_table){0};
    if (!snn_file_read_regular(file, BYTES_MAX, &text, &size, err))
        return false;
    bool ok = snn_dse_parse(t, file, text, size, err);
    free(text);
    return ok;
}

void snn_dse_free(snn_dse_table *t) {
    free(t->value);
    *t = (snn_dse_table){0};
}
