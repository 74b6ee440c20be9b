/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of samples: small records, and all paths in one block of text. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool snn_table_add(snn_table *t, const snn_sample *s, snn_error *err) {
    if (t->n >= SNN_SAMPLES_MAX)
        return snn_fail(err, SNN_ERR_DATA, "more than %llu samples", (unsigned long long)SNN_SAMPLES_MAX);
    if (!snn_grow((void **)&t->sample, &t->capacity, t->n + 1, sizeof *t->sample, err))
        return false;
    t->sample[t->n++] = *s;
    return true;
}

bool snn_table_path(snn_table *t, const char *path, uint32_t *offset, snn_error *err) {
    size_t size = strlen(path) + 1;
    size_t start = t->used ? t->used : 1;
    if (size > UINT32_MAX - start)
        return snn_fail(err, SNN_ERR_DATA, "the names of the recordings take more than 4 GiB");
    if (!snn_grow((void **)&t->text, &t->text_capacity, start + size, 1, err))
        return false;
    t->text[0] = '\0';
    memcpy(t->text + start, path, size);
    t->used = start + size;
    *offset = (uint32_t)start;
    return true;
}

const char *snn_table_text(const snn_table *t, const snn_sample *s) {
    return s->path ? t->text + s->path : "";
}

void snn_table_free(snn_table *t) {
    free(t->sample);
    free(t->text);
    *t = (snn_table){0};
}
