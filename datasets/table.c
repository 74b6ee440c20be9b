/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of samples: small records, and all paths in one block of text. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool snn_push(void **array, size_t *capacity, size_t *n, const void *item, size_t size, snn_error *err) {
    bool ok = snn_grow(array, capacity, *n + 1, size, err);
    if (ok)
        memcpy((char *)*array + size * (*n)++, item, size);
    return ok;
}

bool snn_table_add(snn_table *t, const snn_sample *s, snn_error *err) {
    if (t->n >= SNN_SAMPLES_MAX)
        return snn_fail(err, SNN_ERR_DATA, "more than %llu samples", (unsigned long long)SNN_SAMPLES_MAX);
    return snn_push((void **)&t->sample, &t->capacity, &t->n, s, sizeof *s, err);
}

bool snn_table_path(snn_table *t, const char *path, uint32_t *offset, snn_error *err) {
    size_t size = strlen(path) + 1;
    size_t start = t->used ? t->used : 1; /* offset 0 means none */
    if (size > UINT32_MAX - start)
        return snn_fail(err, SNN_ERR_DATA, "the names of the recordings take more than 4 GiB");
    bool ok = snn_grow((void **)&t->text, &t->text_capacity, start + size, 1, err);
    if (ok) {
        memcpy(t->text + start, path, size);
        t->used = start + size;
        *offset = (uint32_t)start;
    }
    return ok;
}

const char *snn_table_text(const snn_table *t, const snn_sample *s) {
    return s->path ? t->text + s->path : "";
}

void snn_table_free(snn_table *t) {
    free(t->sample);
    free(t->text);
    *t = (snn_table){0};
}
