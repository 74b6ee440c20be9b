/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SLAYER's folders of any bytes: up to the first zero byte network.yaml (and the notation of layers), up to the second one file of weights, then another. What is accepted can be asked for
 * anything, and lists only sizes within bounds.
 */
#include "../../sim/import_slayer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
    if (!ok)
        abort();
}

static void check_error(const snn_error *e) {
    check((e->code == SNN_ERR_DATA || e->code == SNN_ERR_USAGE) && e->text[0] != '\0');
}

static void look_at_layers(bool ok, snn_slayer_layers *l, const snn_error *e) {
    if (!ok)
        check_error(e);
    for (size_t i = 0; ok && i < l->n; i++) {
        const snn_slayer_layer *x = &l->layer[i];
        check(x->kind < SNN_SLAYER_KINDS && x->outputs <= SNN_NEURONS_MAX && x->kernel <= SNN_NEURONS_MAX);
        check((x->kind == SNN_SLAYER_POOL) == (x->outputs == 0) &&
              (x->kind == SNN_SLAYER_DENSE) == (x->kernel == 0));
    }
    check(!ok || (l->n > 0 && l->input.channels > 0 && l->input.height > 0 && l->input.width > 0));
    snn_slayer_layers_free(l);
}

static void look_at_settings(const uint8_t *text, size_t size) {
    snn_yaml y;
    snn_slayer_layers l;
    snn_error e = {0};
    int64_t whole;
    double real;
    const bool ok = snn_yaml_parse(&y, "network.yaml", text, size, &e);
    if (!ok)
        check_error(&e);
    for (size_t i = 0; i < y.n; i++) {
        check(y.entry[i].line > 0 && snn_yaml_has(&y, y.entry[i].path));
        check(!ok || snn_yaml_find(&y, y.entry[i].path) == &y.entry[i]); /* no name twice */
        if (i < 20 && snn_yaml_int(&y, y.entry[i].path, -5, 500, &whole, &e))
            check(whole >= -5 && whole <= 500 && snn_yaml_real(&y, y.entry[i].path, &real, &e));
    }
    if (ok)
        look_at_layers(snn_slayer_layers_from_yaml(&l, &y, &e), &l, &e);
    snn_yaml_free(&y);
}

/* Parses a file of weights and appends it to the list. */
static void add_weights(snn_slayer_files *f, snn_slayer_file *file, const uint8_t *text, size_t size) {
    snn_error e = {0};
    if (!snn_slayer_parse(file, text, size, &e)) {
        check_error(&e);
        return;
    }
    check(file->n > 0 && file->n <= size);
    for (size_t i = 0; i < file->n; i++)
        check(file->value[i] >= -32768 && file->value[i] <= 32767);
    f->file[f->n++] = *file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = data + size, *zero = size ? memchr(data, 0, size) : NULL;
    const size_t first = zero ? (size_t)(zero - data) : size;
    char *notation = malloc(first + 1);
    snn_slayer_layers l;
    snn_error e = {0};
    check(notation != NULL);
    look_at_settings(data, first);
    memcpy(notation, data, first);
    notation[first] = '\0';
    look_at_layers(snn_slayer_layers_parse(&l, notation, &e), &l, &e);
    free(notation);
    if (zero == NULL)
        return 0;
    /* Kinds follow from how many bytes the settings had. */
    char name[] = "weights.txt";
    snn_slayer_file weights[2] = {{.path = name, .kind = first % SNN_SLAYER_KINDS, .number = 1},
                                  {.path = name, .kind = SNN_SLAYER_DENSE, .number = 2}};
    snn_slayer_file list[2];
    snn_slayer_files files = {.file = list};
    const uint8_t *middle = memchr(zero + 1, 0, (size_t)(end - zero - 1));
    add_weights(&files, &weights[0], zero + 1, (size_t)((middle ? middle : end) - zero - 1));
    if (middle != NULL)
        add_weights(&files, &weights[1], middle + 1, (size_t)(end - middle - 1));
    if (files.n > 0)
        look_at_layers(snn_slayer_layers_guess(&l, &files, "folder", &e), &l, &e);
    for (int i = 0; i < 2; i++)
        free(weights[i].value);
    return 0;
}
