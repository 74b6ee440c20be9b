/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making NIR files for tests: a tree grows node by node, each behind the last one, and is written as other programs would. */
#ifndef NIR_TEST_H
#define NIR_TEST_H

#include "../../sim/nir_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static nir_file nir;
static char last[256]; /* name of the node added last, "" at the start of a graph */
static snn_error error;

static inline const char *at(const char *name) {
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_nir_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snn_nir_file_free(&nir);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* A new, empty graph. */
static inline void begin(void) {
    snn_nir_file_free(&nir);
    strcpy(nir.root.type, "NIRGraph");
    strcpy(nir.version, "1.0.4");
    last[0] = 0;
}

static inline void edge(const char *from, const char *to) {
    assert_true(snn_nir_add_edge(&nir.root, from, to, &error));
}

/* A node without edges; valid until the next one. */
static inline nir_node *side(const char *name, const char *type) {
    nir_node *n = snn_nir_add_node(&nir.root, name, type, &error);
    assert_non_null(n);
    return n;
}

/* A node behind the last one. */
static inline nir_node *node(const char *name, const char *type) {
    nir_node *n = side(name, type);
    if (last[0])
        edge(last, name);
    snprintf(last, sizeof last, "%s", name);
    return n;
}

/* The same number in every place of a field. */
static inline nir_field *fill(nir_node *n, const char *name, nir_kind kind, int bytes, int dims,
                              const uint64_t *shape, double value) {
    nir_field *f = snn_nir_add_field(n, name, kind, bytes, dims, shape, &error);
    assert_non_null(f);
    for (uint64_t i = 0; i < f->count; i++)
        if (kind == NIR_FLOAT)
            f->number[i] = value;
        else
            f->integer[i] = (int64_t)value;
    return f;
}

static inline nir_field *each(nir_node *n, const char *name, uint64_t neurons, double value) {
    return fill(n, name, NIR_FLOAT, 4, 1, &neurons, value);
}

static inline void integer(nir_node *n, const char *name, int64_t value) {
    fill(n, name, NIR_INT, 8, 0, NULL, (double)value);
}

static inline void integers(nir_node *n, const char *name, uint64_t count, const int64_t *value) {
    memcpy(fill(n, name, NIR_INT, 8, 1, &count, 0)->integer, value, count * sizeof *value);
}

static inline void ends(const char *name, const char *type, uint64_t dims, const int64_t *shape) {
    integers(node(name, type), "shape", dims, shape);
}

/* Weights that differ, multiples of 1/64. */
static inline nir_field *weights(nir_node *n, int dims, const uint64_t *shape) {
    nir_field *f = fill(n, "weight", NIR_FLOAT, 4, dims, shape, 0);
    for (uint64_t i = 0; i < f->count; i++)
        f->number[i] = ((int)(i * 37 % 101) - 50) / 64.0;
    return f;
}

static inline void linear(const char *name, uint64_t outputs, uint64_t inputs) {
    weights(node(name, "Linear"), 2, (uint64_t[]){outputs, inputs});
}

static inline nir_node *lif(const char *name, uint64_t n) {
    nir_node *l = node(name, "LIF");
    each(l, "tau", n, 0.002);
    each(l, "r", n, 3);
    each(l, "v_leak", n, 0);
    each(l, "v_threshold", n, 0.5);
    return l;
}

static bool fill_file(snn_hid file, const void *context) {
    return snn_nir_write(file, context);
}

static inline const char *write_nir(const char *name) {
    const char *path = at(name);
    if (!snn_hdf5_write(path, NULL, fill_file, &nir, &error))
        fail_msg("%s", error.text);
    return path;
}

static inline snn_model import_with(const snn_import_options *o) {
    snn_model m;
    if (!snn_import(&m, write_nir("t.nir"), o, &error))
        fail_msg("%s", error.text);
    return m;
}

static inline snn_model import_it(void) {
    return import_with(NULL);
}

/* It is refused with code DATA, and the sentence holds these words. */
static inline void refused(const char *words) {
    snn_model m;
    const char *path = write_nir("bad.nir");
    if (snn_import(&m, path, NULL, &error))
        fail_msg("not refused: %s", words);
    assert_int_equal(error.code, SNN_ERR_DATA);
    assert_null(m.net);
    if (strstr(error.text, words) == NULL || strstr(error.text, path) == NULL)
        fail_msg("'%s', expected '%s'", error.text, words);
}

#endif
