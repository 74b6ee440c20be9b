/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Label lists: lines `number<TAB>class` whose recordings lie in the data set's folder. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names have at most 9 digits. */
#define NUMBER_MAX 999999999u
#define NAME_SIZE 32

static bool parse_line(snn_lines *l, int label_base, int classes, snn_list_entry *entry, snn_error *err) {
    char quote[SNN_QUOTE];
    snn_lines_quote(l, quote);
    uint64_t number, class;
    snn_lines_blanks(l);
    if (!snn_lines_number(l, NUMBER_MAX, &number) || snn_lines_blanks(l) == 0 ||
        !snn_lines_number(l, INT32_MAX, &class) || l->size != 0)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: expected `number<TAB>class`, found \"%s\"", l->number,
                        quote);
    if (class < (uint64_t)label_base || class >= (uint64_t)label_base + (uint64_t)classes)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: class %" PRIu64 " is not in %d .. %d", l->number, class,
                        label_base, label_base + classes - 1);
    *entry = (snn_list_entry){.number = number, .label = (int)class - label_base, .line = l->number};
    return true;
}

static int by_number(const void *a, const void *b) {
    const snn_list_entry *p = a, *q = b;
    if (p->number != q->number)
        return p->number < q->number ? -1 : 1;
    return (p->line > q->line) - (p->line < q->line);
}

static bool check_duplicates(const snn_list_entry *entry, size_t n, snn_error *err) {
    snn_list_entry *sorted = snn_alloc(n, sizeof *sorted, "list", err);
    if (sorted == NULL)
        return false;
    memcpy(sorted, entry, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_number);
    bool ok = true;
    for (size_t i = 1; i < n && ok; i++)
        if (sorted[i].number == sorted[i - 1].number)
            ok = snn_fail(err, SNN_ERR_DATA, "line %zu: number %" PRIu64 " stands in line %zu already",
                          sorted[i].line, sorted[i].number, sorted[i - 1].line);
    free(sorted);
    return ok;
}

bool snn_list_parse(const void *text, size_t size, int label_base, int classes, snn_list_entry **entry,
                    size_t *n, snn_error *err) {
    size_t capacity = 0;
    *entry = NULL;
    *n = 0;
    snn_lines l;
    snn_lines_init(&l, text, size);
    while (snn_lines_next(&l)) {
        snn_list_entry e;
        if (l.size == 0 || l.line[0] == '#')
            continue;
        if (!parse_line(&l, label_base, classes, &e, err) ||
            !snn_push((void **)entry, &capacity, n, &e, sizeof e, err))
            return false;
    }
    if (*n == 0)
        return snn_fail(err, SNN_ERR_DATA, "no line `number<TAB>class`");
    return check_duplicates(*entry, *n, err);
}

/* Binned recordings of SHD: input_<number>.trace, whose first line must have the list's class. */
static bool find_trace(const snn_dataset *d, uint64_t number, char path[NAME_SIZE], snn_sample *s,
                       bool *found, snn_error *err) {
    int label = s->label;
    s->format = SNN_FORMAT_TRACE;
    snprintf(path, NAME_SIZE, "input_%" PRIu64 ".trace", number);
    if (!snn_recording_size(d, path, 1, &s->size, found, err))
        return false;
    if (*found && !snn_shd_trace_class(d, path, s->size, &label, err))
        return false;
    return label == s->label ||
           snn_fail(err, SNN_ERR_DATA, "class %d, but %s says %d", s->label, path, label);
}

/* Finds <number>.bs2, .bs3 or .bin, plain or written in 5 digits as in the official release; fills path, size and format. */
static bool find_recording(const snn_dataset *d, uint64_t number, snn_format format, char path[NAME_SIZE],
                           snn_sample *s, bool *found, snn_error *err) {
    static const char *const ending[] = {"bs2", "bs3", "bin"};
    static const int digits[] = {1, 5};
    *found = false;
    if (format == SNN_FORMAT_TRACE)
        return find_trace(d, number, path, s, found, err);
    for (size_t k = 0; k < sizeof digits / sizeof *digits; k++) {
        for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
            bool bs3 = strcmp(ending[i], "bs3") == 0;
            snprintf(path, NAME_SIZE, "%0*" PRIu64 ".%s", digits[k], number, ending[i]);
            s->format = (uint8_t)(bs3 ? SNN_FORMAT_BS3 : format);
            bool ok = snn_recording_size(d, path, bs3 ? 7 : 5, &s->size, found, err);
            if (!ok || *found)
                return ok;
        }
    }
    snprintf(path, NAME_SIZE, "%" PRIu64, number);
    return true;
}

static bool add_entry(snn_dataset *d, const snn_list_entry *e, snn_format format, bool test, snn_error *err) {
    char path[NAME_SIZE];
    bool found;
    snn_sample s = {.first = e->number, .label = e->label, .test = test, .listed = true};
    if (!find_recording(d, e->number, format, path, &s, &found, err))
        return snn_error_context(err, "line %zu", e->line);
    if (!found)
        return snn_fail(err, SNN_ERR_DATA, "line %zu: no recording %s%s in %s", e->line, path,
                        format == SNN_FORMAT_TRACE ? "" : ".bs2, .bs3 or .bin", d->folder);
    return snn_table_path(&d->table, path, &s.path, err) && snn_table_add(&d->table, &s, err);
}

bool snn_list_open(snn_dataset *d, const char *name, int label_base, snn_format format, bool test,
                   snn_error *err) {
    char *path = snn_path_beside(d->folder, name, err);
    uint8_t *text = NULL;
    size_t size, n;
    snn_list_entry *entry = NULL;
    bool ok = path != NULL && snn_text_read(path, &text, &size, err);
    if (ok) {
        ok = snn_list_parse(text, size, label_base, d->info.classes, &entry, &n, err);
        for (size_t i = 0; ok && i < n; i++)
            ok = add_entry(d, &entry[i], format, test, err);
        if (!ok)
            snn_error_context(err, "%s", path);
    }
    free(entry);
    free(text);
    free(path);
    return ok;
}

bool snn_lists_open(snn_dataset *d, const snn_config *config, snn_split split, snn_format format,
                    snn_error *err) {
    static const char *const key[] = {"dataset.train_list", "dataset.test_list"};
    static const snn_split other[] = {SNN_SPLIT_TEST, SNN_SPLIT_TRAIN};
    int base = (int)snn_config_int(config, "dataset.label_base");
    for (int part = 0; part < 2; part++) {
        const char *name = snn_config_string(config, key[part]);
        if (split == other[part])
            continue;
        if (*name == '\0' && split == SNN_SPLIT_ALL)
            continue;
        if (*name == '\0')
            return snn_config_fail(config, key[part], err,
                                   "the %s part is asked for, but only the other list is given",
                                   part ? "test" : "training");
        if (!snn_list_open(d, name, base, format, part == 1, err))
            return false;
    }
    return true;
}
