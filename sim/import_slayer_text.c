/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SLAYER import: the text files of weights in a folder (numpy.savetxt with format %g: one whole number a line, which may be "-0"). */
#include "import_slayer.h"

#include <snnsim/output.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BYTES_MAX (1u << 30)
#define VALUE_MOST 32767 /* 16 bits */

const char *snn_slayer_kind_name(snn_slayer_kind kind) {
    static const char *const name[SNN_SLAYER_KINDS] = {"conv", "pool", "fc"};
    return name[kind];
}

/* ---- one file ---- */

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The number at *at (not past end), which is moved behind it; false when there is none within 16 bits. */
static bool number(const char **at, const char *end, int32_t *v) {
    const char *p = *at;
    const bool minus = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    const char *first = p;
    int32_t x = 0;
    for (; p < end && *p >= '0' && *p <= '9' && x <= VALUE_MOST + 1; p++)
        x = x * 10 + (*p - '0');
    *v = minus ? -x : x;
    *at = p;
    return p > first && x <= VALUE_MOST + minus && (p == end || *p == '\n' || blank(*p));
}

bool snn_slayer_parse(snn_slayer_file *f, const void *text, size_t size, snn_error *err) {
    const char *at = text, *end = at + size;
    size_t line = 1;
    while (at < end) {
        if (*at == '\n' || blank(*at)) {
            line += *at++ == '\n';
            continue;
        }
        void *list = f->value;
        const char *start = at;
        int32_t v;
        if (!number(&at, end, &v)) {
            int n = 0;
            while (start + n < end && n < 20 && start[n] > ' ' && start[n] <= '~')
                n++;
            return snn_fail(err, SNN_ERR_DATA,
                            "%s:%zu: '%.*s' is no weight: expected a whole number from -%d to %d", f->path,
                            line, n, start, VALUE_MOST + 1, VALUE_MOST);
        }
        if (!snn_grow(&list, &f->capacity, f->n + 1, sizeof *f->value, err))
            return false;
        f->value = list;
        f->value[f->n++] = v;
    }
    return f->n > 0 ? true : snn_fail(err, SNN_ERR_DATA, "%s: holds no weights", f->path);
}

static bool read_file(snn_slayer_file *f, snn_error *err) {
    uint8_t *text;
    size_t size;
    if (!snn_file_read_regular(f->path, BYTES_MAX, &text, &size, err))
        return false;
    bool ok = snn_slayer_parse(f, text, size, err);
    free(text);
    return ok;
}

/* ---- the folder ---- */

/* Is it a name of a file of weights? Then which one? */
static bool understand(const char *name, snn_slayer_kind *kind, uint32_t *number) {
    size_t n = strlen(name);
    if (n < 4 || strcasecmp(name + n - 4, ".txt") != 0)
        return false;
    n -= 4;
    size_t digits = 0;
    while (digits < n && digits < 6 && name[n - 1 - digits] >= '0' && name[n - 1 - digits] <= '9')
        digits++;
    *number = (uint32_t)strtoul(name + n - digits, NULL, 10);
    n -= digits;
    for (int k = 0; digits > 0 && k < SNN_SLAYER_KINDS; k++) {
        const char *what = snn_slayer_kind_name((snn_slayer_kind)k);
        *kind = (snn_slayer_kind)k;
        if (n >= strlen(what) && strncasecmp(name + n - strlen(what), what, strlen(what)) == 0)
            return true;
    }
    return false;
}

static int compare(const void *a, const void *b) {
    const snn_slayer_file *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool add(snn_slayer_files *f, const char *folder, const char *name, snn_error *err) {
    snn_slayer_file file = {0};
    void *list = f->file;
    if (!understand(name, &file.kind, &file.number))
        return true;
    if (!snn_grow(&list, &f->capacity, f->n + 1, sizeof *f->file, err))
        return false;
    f->file = list;
    const size_t size = strlen(folder) + strlen(name) + 2;
    file.path = snn_alloc(size, 1, "a path", err);
    if (file.path == NULL)
        return false;
    snprintf(file.path, size, "%s/%s", folder, name);
    f->file[f->n++] = file;
    return true;
}

bool snn_slayer_files_read(snn_slayer_files *f, const char *folder, snn_error *err) {
    *f = (snn_slayer_files){0};
    DIR *d = opendir(folder);
    if (d == NULL) {
        snn_fail_errno(err, "cannot read folder '%s'", folder);
        if (err != NULL)
            err->code = SNN_ERR_DATA;
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d)) != NULL;)
        ok = add(f, folder, e->d_name, err);
    closedir(d);
    if (!ok)
        return false;
    if (f->n == 0)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: has no weights: expected files like fc1.txt, conv1.txt, pool1.txt", folder);
    qsort(f->file, f->n, sizeof *f->file, compare);
    for (size_t i = 1; i < f->n; i++)
        if (f->file[i].kind == f->file[i - 1].kind && f->file[i].number == f->file[i - 1].number)
            return snn_fail(err, SNN_ERR_DATA, "%s: is %s%u, and so is %s", f->file[i].path,
                            snn_slayer_kind_name(f->file[i].kind), f->file[i].number, f->file[i - 1].path);
    for (size_t i = 0; i < f->n; i++)
        if (!read_file(&f->file[i], err))
            return false;
    return true;
}

void snn_slayer_files_free(snn_slayer_files *f) {
    for (size_t i = 0; i < f->n; i++) {
        free(f->file[i].path);
        free(f->file[i].value);
    }
    free(f->file);
    *f = (snn_slayer_files){0};
}

snn_slayer_file *snn_slayer_files_find(const snn_slayer_files *f, snn_slayer_kind kind, size_t i) {
    for (size_t k = 0; k < f->n; k++)
        if (f->file[k].kind == kind && i-- == 0)
            return &f->file[k];
    return NULL;
}
