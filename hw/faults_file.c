/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fault maps: stuck cells from a file, as an array of NumPy or as lines of text. */
#include "faults.h"

#include <snnsim/output.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30) /* bytes of a text file: 30 million faults */
#define PIECE 65536                /* items of an array read at once */

typedef struct {
    snn_cell cell;
    snn_cell_fault fault;
    uint64_t place; /* line */
} entry;

typedef struct {
    const char *path;
    const snn_map *map;
    size_t n, capacity;
    entry *entry;
    snn_error *err;
} reading;

static bool add(reading *r, const entry *e) {
    if (!snn_grow((void **)&r->entry, &r->capacity, r->n + 1, sizeof *r->entry, r->err))
        return false;
    r->entry[r->n++] = *e;
    return true;
}

/* ---- NumPy ---- */

static bool check_shape(const reading *r, const snn_npy *h) {
    const snn_map *m = r->map;
    if (h->type != SNN_NPY_U8)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: a fault map has elements of type uint8 (a.astype('u1'))",
                        r->path);
    char shape[24 * SNN_NPY_DIMS];
    if (h->dims == 3 && h->shape[0] == m->tiles && h->shape[1] == m->all_rows &&
        h->shape[2] == m->all_columns)
        return true;
    return snn_fail(r->err, SNN_ERR_DATA,
                    "%s: has shape %s, expected %" PRIu32 " arrays x %" PRIu32 " rows x %" PRIu32
                    " columns (check and spare lines included)",
                    r->path, h->dims ? snn_shape_text(h->dims, h->shape, shape, sizeof shape) : "none",
                    m->tiles, m->all_rows, m->all_columns);
}

static snn_cell cell_at(const snn_map *m, uint64_t number) {
    uint64_t line = number / m->all_columns;
    return (snn_cell){(uint32_t)(line / m->all_rows), (uint32_t)(line % m->all_rows),
                      (uint32_t)(number % m->all_columns)};
}

static bool take_items(reading *r, const uint8_t *item, size_t n, uint64_t first) {
    for (size_t i = 0; i < n; i++) {
        if (item[i] == 0)
            continue;
        entry e = {.cell = cell_at(r->map, first + i), .fault = (snn_cell_fault)item[i]};
        if (item[i] > SNN_CELL_STUCK_LRS)
            return snn_fail(r->err, SNN_ERR_DATA,
                            "%s: array %" PRIu32 ", row %" PRIu32 ", column %" PRIu32
                            ": %d, expected 0 (works), 1 (stuck at HRS) or 2 (stuck at LRS)",
                            r->path, e.cell.tile, e.cell.row, e.cell.column, item[i]);
        if (!add(r, &e))
            return false;
    }
    return true;
}

static bool read_array(reading *r) {
    snn_npy h;
    if (!snn_npy_open(r->path, &h, r->err) || !check_shape(r, &h))
        return false;
    uint8_t *item = snn_alloc(PIECE, 1, "fault map", r->err);
    bool ok = item != NULL;
    for (uint64_t at = 0; ok && at < h.count; at += PIECE) {
        size_t n = h.count - at < PIECE ? (size_t)(h.count - at) : PIECE;
        ok = snn_npy_read(r->path, &h, at, n, item, r->err) && take_items(r, item, n, at);
    }
    free(item);
    return ok;
}

/* ---- text ---- */

static bool bad_line(const reading *r, uint64_t line, const char *expected) {
    return snn_fail(r->err, SNN_ERR_DATA, "%s:%" PRIu64 ": expected %s", r->path, line, expected);
}

/* The next word of a line, zero-terminated; NULL at its end. */
static char *next_word(char **at) {
    char *from = *at + strspn(*at, " \t\r");
    if (*from == '\0')
        return NULL;
    char *end = from + strcspn(from, " \t\r");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return from;
}

/* A number below `limit`. */
static bool take_number(const reading *r, uint64_t line, char **at, const char *what, uint32_t limit,
                        uint32_t *value) {
    const char *word = next_word(at);
    if (word == NULL)
        return bad_line(r, line, "'array row column stuck_hrs|stuck_lrs'");
    uint64_t v = 0;
    size_t digits = strspn(word, "0123456789");
    for (size_t i = 0; i < digits && v < limit; i++)
        v = 10 * v + (uint64_t)(word[i] - '0');
    if (digits == 0 || word[digits] != '\0' || v >= limit)
        return snn_fail(r->err, SNN_ERR_DATA, "%s:%" PRIu64 ": %s '%.32s' is not a number of 0 to %" PRIu32,
                        r->path, line, what, word, limit - 1);
    *value = (uint32_t)v;
    return true;
}

static bool take_line(reading *r, uint64_t line, char *text) {
    text[strcspn(text, "#")] = '\0';
    if (text[strspn(text, " \t\r")] == '\0')
        return true;
    entry e = {.place = line};
    if (!take_number(r, line, &text, "array", r->map->tiles, &e.cell.tile) ||
        !take_number(r, line, &text, "row", r->map->all_rows, &e.cell.row) ||
        !take_number(r, line, &text, "column", r->map->all_columns, &e.cell.column))
        return false;
    const char *fault = next_word(&text);
    if (fault == NULL || (strcmp(fault, "stuck_hrs") != 0 && strcmp(fault, "stuck_lrs") != 0))
        return bad_line(r, line, "stuck_hrs or stuck_lrs behind array, row and column");
    if (next_word(&text) != NULL)
        return bad_line(r, line, "nothing behind stuck_hrs or stuck_lrs");
    e.fault = strcmp(fault, "stuck_hrs") == 0 ? SNN_CELL_STUCK_HRS : SNN_CELL_STUCK_LRS;
    return add(r, &e);
}

static int by_cell(const void *a, const void *b) {
    const entry *x = a, *y = b;
    const uint32_t left[3] = {x->cell.tile, x->cell.row, x->cell.column},
                   right[3] = {y->cell.tile, y->cell.row, y->cell.column};
    for (int i = 0; i < 3; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static bool check_twice(const reading *r) {
    for (size_t i = 1; i < r->n; i++) {
        const entry *a = &r->entry[i - 1], *b = &r->entry[i];
        if (memcmp(&a->cell, &b->cell, sizeof a->cell) == 0)
            return snn_fail(r->err, SNN_ERR_DATA, "%s:%" PRIu64 ": names the same cell as line %" PRIu64,
                            r->path, b->place, a->place);
    }
    return true;
}

static bool read_text(reading *r, char *text, size_t size) {
    if (memchr(text, '\0', size) != NULL)
        return snn_fail(r->err, SNN_ERR_DATA,
                        "%s: byte %zu: zero byte: neither a .npy file nor lines of text", r->path,
                        strlen(text));
    uint64_t line = 1;
    for (char *at = text; *at != '\0'; line++) {
        char *end = at + strcspn(at, "\n"), *next = *end ? end + 1 : end;
        *end = '\0';
        if (!take_line(r, line, at))
            return false;
        at = next;
    }
    if (r->n > 1)
        qsort(r->entry, r->n, sizeof *r->entry, by_cell);
    return check_twice(r);
}

/* ---- either ---- */

static bool read_file(reading *r) {
    static const char magic[] = "\x93NUMPY";
    char start[sizeof magic - 1] = "";
    FILE *f = fopen(r->path, "rb");
    if (f == NULL) {
        snn_fail_errno(r->err, "%s: the fault map cannot be opened", r->path);
        if (r->err != NULL)
            r->err->code = SNN_ERR_DATA;
        return false;
    }
    size_t got = fread(start, 1, sizeof start, f), length = strlen(r->path);
    fclose(f);
    if ((got == sizeof start && memcmp(start, magic, got) == 0) ||
        (length > 4 && strcmp(r->path + length - 4, ".npy") == 0))
        return read_array(r);
    uint8_t *data;
    size_t size;
    if (!snn_file_read(r->path, TEXT_MAX, &data, &size, r->err))
        return false;
    bool ok = read_text(r, (char *)data, size);
    free(data);
    return ok;
}

/* The entries as the list of faults. */
static bool keep(const reading *r, snn_faults *f) {
    snn_fault_list list = {0};
    uint32_t *tile = snn_alloc(r->n, sizeof *tile, "faults", r->err);
    bool ok = tile != NULL;
    for (size_t i = 0; ok && i < r->n; i++) {
        const entry *e = &r->entry[i];
        tile[i] = e->cell.tile;
        ok = snn_fault_list_add(&list, e->cell.row, e->cell.column, e->fault, r->err);
    }
    ok = ok && snn_faults_from_list(f, r->map, &list, tile, r->err);
    free(list.cell);
    free(tile);
    return ok;
}

bool snn_faults_read(snn_faults *f, const char *path, snn_error *err) {
    reading r = {.path = path, .map = f->map, .err = err};
    bool ok = read_file(&r) && keep(&r, f);
    free(r.entry);
    return ok;
}
