/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The CSV file of a sweep. It is written whole to a temporary file and renamed, so that whenever the program is killed the file holds finished rows only, in the order
 * of the grid; a later run with the same settings takes them over. The second-to-last column, `point`, says what a row was computed from.
 */
#include "json.h"
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_SECONDS 1.0             /* between two writings: at most that much work is lost */
#define TABLE_BYTES ((size_t)1 << 30) /* of a file to resume: a million rows of a kilobyte */

/* ---- CSV ---- */

/* Cuts one field off *line, without its quotes; NULL when quotes are wrong. *more: a comma followed. */
static char *cut_field(char **line, bool *more) {
    char *start = *line, *to = start, *from = start;
    bool quoted = *from == '"';
    from += quoted;
    for (; *from && (quoted || *from != ','); from++) {
        if (quoted && *from == '"') {
            if (from[1] != '"') {
                quoted = false;
                from++;
                break;
            }
            from++;
        }
        *to++ = *from;
    }
    if (quoted || (*from && *from != ','))
        return NULL;
    *more = *from == ',';
    *line = from + *more;
    *to = 0;
    return start;
}

bool cli_csv_split(char *line, char **field, size_t n) {
    bool more = true;
    for (size_t i = 0; i < n; i++)
        if (!more || !(field[i] = cut_field(&line, &more)))
            return false;
    return !more;
}

static size_t count_columns(const char *header) {
    char *copy = strdup(header), *rest = copy;
    size_t n = 0;
    for (bool more = copy != NULL; more && cut_field(&rest, &more);)
        n++;
    free(copy);
    return n;
}

/* ---- what an earlier run left ---- */

static bool foreign(const cli_table *t, size_t line, const char *why, snn_error *err) {
    return snn_fail(err, SNN_ERR_USAGE, "%s:%zu: %s; give another -o FILE, or --overwrite to start anew",
                    t->path, line, why);
}

/* The row belongs to the point with its id. */
static bool take_row(cli_table *t, const char *line, size_t length, size_t number, size_t columns,
                     snn_error *err) {
    char *copy = strndup(line, length), **field = snn_alloc(columns, sizeof *field, "fields", err);
    bool ok = false;
    if (copy && field && !cli_csv_split(copy, field, columns)) {
        foreign(t, number, "the line does not have the columns of this sweep", err);
    } else if (copy && field) {
        const char *id = field[columns - 2];
        size_t tried = 0, p = t->kept; /* rows stand in order: nearly always the next one */
        for (; tried < t->points && (t->row[p % t->points] || strcmp(t->id[p % t->points], id) != 0); tried++)
            p++;
        p %= t->points;
        if (tried == t->points)
            foreign(t, number, "the row comes from other settings, another model or another version", err);
        else if ((t->row[p] = strndup(line, length + 1)))
            ok = true;
    }
    if (copy && field && ok)
        t->kept++;
    else if (err && !err->code)
        snn_fail(err, SNN_ERR_RUNTIME, "out of memory");
    free(copy);
    free(field);
    return ok;
}

static bool take_rows(cli_table *t, const char *text, size_t size, snn_error *err) {
    size_t header = strlen(t->header), columns = count_columns(t->header);
    if (size < header || memcmp(text, t->header, header) != 0)
        return foreign(t, 1, "the columns are not those of this sweep", err);
    size_t line = 2;
    for (const char *at = text + header; at < text + size; line++) {
        const char *end = memchr(at, '\n', (size_t)(text + size - at));
        if (!end)
            return foreign(t, line, "the line is cut off", err);
        if (!take_row(t, at, (size_t)(end - at), line, columns, err))
            return false;
        at = end + 1;
    }
    t->finished = t->kept;
    return true;
}

bool cli_table_resume(cli_table *t, snn_error *err) {
    uint8_t *text;
    size_t size;
    if (access(t->path, F_OK) && errno == ENOENT)
        return true;
    if (!snn_file_read(t->path, TABLE_BYTES, &text, &size, err))
        return false;
    bool ok = memchr(text, 0, size) ? foreign(t, 1, "is no text", err)
                                    : take_rows(t, (const char *)text, size, err);
    free(text);
    return ok;
}

/* ---- writing ---- */

bool cli_table_flush(cli_table *t, snn_error *err) {
    if (!t->path || !t->pending)
        return true;
    snn_file *f = snn_file_create(t->path, 0644, err);
    if (!f)
        return false;
    fputs(t->header, snn_file_stream(f));
    for (size_t p = 0; p < t->points; p++)
        if (t->row[p])
            fputs(t->row[p], snn_file_stream(f));
    if (!snn_file_commit(f, err))
        return false;
    t->pending = false;
    t->written = snn_now();
    return true;
}

bool cli_table_add(cli_table *t, size_t point, char *row, bool silent, snn_error *err) {
    t->row[point] = row;
    t->finished++;
    t->pending = true;
    if (silent)
        return true;
    if (t->path)
        return snn_now() - t->written < WRITE_SECONDS || cli_table_flush(t, err);
    return (fputs(row, stdout) != EOF && fflush(stdout) == 0) ||
           snn_fail_errno(err, "cannot write to standard output");
}

/* ---- JSON ---- */

static json_t *value(const char *text) {
    char *end;
    double x = strtod(text, &end);
    if (!*text)
        return json_null();
    if (*end || !isfinite(x) || strspn(text, "+-.0123456789eE") != strlen(text))
        return cli_json_text(text);
    if (x == floor(x) && fabs(x) < 9007199254740992.0 && strspn(text, "-0123456789") == strlen(text))
        return json_integer((json_int_t)x);
    return json_real(x);
}

/* `point` and the digest are names, even when they look like numbers. */
static bool is_name(const char *column) {
    return !strcmp(column, "point") || !strcmp(column, "digest");
}

static json_t *row_json(char *const *name, char *line, char **field, size_t columns) {
    json_t *row = json_object();
    line[strcspn(line, "\n")] = 0;
    if (cli_csv_split(line, field, columns))
        for (size_t i = 0; i < columns; i++)
            json_object_set_new(row, name[i], is_name(name[i]) ? cli_json_text(field[i]) : value(field[i]));
    return row;
}

json_t *cli_table_json(const cli_table *t) {
    size_t columns = count_columns(t->header);
    char *header = strdup(t->header), **name = calloc(columns, sizeof *name),
         **field = calloc(columns, sizeof *field);
    json_t *rows = json_array();
    if (header && name && field) {
        header[strcspn(header, "\n")] = 0;
        cli_csv_split(header, name, columns);
        for (size_t p = 0; p < t->points; p++) {
            char *line = t->row[p] ? strdup(t->row[p]) : NULL;
            if (line)
                json_array_append_new(rows, row_json(name, line, field, columns));
            free(line);
        }
    }
    free(header);
    free(name);
    free(field);
    return rows;
}

void cli_table_free(cli_table *t) {
    for (size_t p = 0; t->row && p < t->points; p++)
        free(t->row[p]);
    free(t->row);
    free(t->id);
    free(t->header);
    *t = (cli_table){0};
}
