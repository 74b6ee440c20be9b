/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import of .net files: values out of their groups (import_lava.h). */
#include "import_lava.h"

#include <hdf5.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool snn_lava_fail(const snn_lava_group *g, const char *name, const char *what) {
    return snn_hdf5_fail(g->r, g->path, name, what);
}

bool snn_lava_open(const snn_hdf5_reader *r, snn_hid parent, const char *parent_path, const char *name,
                   snn_lava_group *g) {
    *g = (snn_lava_group){.r = r, .group = -1};
    snprintf(g->path, sizeof g->path, "%s%s%s", parent_path, parent_path[0] ? "/" : "", name);
    g->group = snn_hdf5_open(r, parent, parent_path, name, H5I_GROUP);
    return g->group >= 0;
}

void snn_lava_close(snn_lava_group *g) {
    if (g->group >= 0)
        H5Gclose(g->group);
    g->group = -1;
}

bool snn_lava_has(const snn_lava_group *g, const char *name) {
    return H5Lexists(g->group, name, H5P_DEFAULT) > 0;
}

bool snn_lava_only(const snn_lava_group *g, const char *const *known, size_t n) {
    H5G_info_t info;
    if (H5Gget_info(g->group, &info) < 0)
        return snn_lava_fail(g, "", "cannot be read");
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64] = "";
        if (H5Lget_name_by_idx(g->group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) <
            0)
            return snn_lava_fail(g, "", "cannot be read");
        size_t k = 0;
        while (k < n && strcmp(name, known[k]) != 0)
            k++;
        if (k == n)
            return snn_lava_fail(g, name, "is not known, so it cannot be carried over");
    }
    return true;
}

/* ---- numbers ---- */

static bool take_shape(const snn_lava_group *g, hid_t d, const char *name, uint64_t limit,
                       snn_lava_array *a) {
    uint64_t shape[H5S_MAX_RANK];
    a->dims = snn_hdf5_shape(d, shape);
    if (a->dims < 0 || a->dims > SNN_LAVA_DIMS)
        return snn_lava_fail(g, name, "has no shape that can be read");
    a->count = 1;
    for (int i = 0; i < a->dims; i++) {
        a->shape[i] = shape[i];
        if (shape[i] == 0 || __builtin_mul_overflow(a->count, shape[i], &a->count) || a->count > limit)
            return snn_lava_fail(g, name, shape[i] == 0 ? "is empty" : "has more values than it may have");
    }
    return true;
}

static bool take_values(const snn_lava_group *g, hid_t d, const char *name, snn_lava_array *a) {
    hid_t type = H5Dget_type(d);
    const H5T_class_t class = H5Tget_class(type);
    const size_t item = H5Tget_size(type);
    H5Tclose(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
        return snn_lava_fail(g, name, "does not hold numbers");
    if (!snn_hdf5_check_storage(g->r, d, g->path, name, a->count * item))
        return false;
    a->value = snn_alloc(a->count, sizeof *a->value, name, g->r->err);
    if (a->value == NULL)
        return false;
    if (H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->value) < 0)
        return snn_lava_fail(g, name, "cannot be read");
    for (uint64_t i = 0; i < a->count; i++)
        if (!isfinite(a->value[i]))
            return snn_lava_fail(g, name, "holds a number that is not finite");
    return true;
}

bool snn_lava_numbers(const snn_lava_group *g, const char *name, uint64_t limit, snn_lava_array *a) {
    *a = (snn_lava_array){0};
    hid_t d = snn_hdf5_open(g->r, g->group, g->path, name, H5I_DATASET);
    if (d < 0)
        return false;
    bool ok = take_shape(g, d, name, limit, a) && take_values(g, d, name, a);
    H5Dclose(d);
    if (!ok) {
        free(a->value);
        a->value = NULL;
    }
    return ok;
}

static void not_whole(const snn_lava_group *g, const char *name, double x) {
    char what[80];
    snprintf(what, sizeof what, "holds %g, expected whole numbers", x);
    snn_lava_fail(g, name, what);
}

bool snn_lava_integers(const snn_lava_group *g, const char *name, uint64_t limit, snn_lava_array *a,
                       int32_t **v) {
    *v = NULL;
    if (!snn_lava_numbers(g, name, limit, a))
        return false;
    int32_t *whole = snn_alloc(a->count, sizeof *whole, name, g->r->err);
    bool ok = whole != NULL;
    for (uint64_t i = 0; ok && i < a->count; i++) {
        const double x = a->value[i];
        ok = x == floor(x) && x >= INT32_MIN && x <= INT32_MAX;
        if (ok)
            whole[i] = (int32_t)x;
        else
            not_whole(g, name, x);
    }
    free(a->value);
    a->value = NULL;
    if (ok)
        *v = whole;
    else
        free(whole);
    return ok;
}

bool snn_lava_integer(const snn_lava_group *g, const char *name, bool pair, int64_t *v) {
    snn_lava_array a;
    int32_t *x;
    if (!snn_lava_integers(g, name, pair ? 2 : 1, &a, &x))
        return false;
    const bool same = x[0] == x[a.count - 1];
    *v = x[0];
    free(x);
    return same ? true : snn_lava_fail(g, name, "differs between the two axes, which cannot be carried over");
}

/* ---- text ---- */

/* Text of a fixed length n, or of any. */
static bool read_fixed(hid_t d, hid_t type, size_t n, char *text, size_t size) {
    memset(text, 0, size);
    return n < size && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
}

static bool read_variable(hid_t d, hid_t type, char *text, size_t size) {
    char *s = NULL;
    bool ok = H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &s) >= 0 && s != NULL && strlen(s) < size;
    if (ok)
        strcpy(text, s);
    if (s != NULL)
        H5free_memory(s);
    return ok;
}

bool snn_lava_text(const snn_lava_group *g, const char *name, char *text, size_t size) {
    snn_lava_array a = {0};
    hid_t d = snn_hdf5_open(g->r, g->group, g->path, name, H5I_DATASET);
    if (d < 0)
        return false;
    hid_t type = H5Dget_type(d);
    const bool variable = H5Tis_variable_str(type) > 0;
    const size_t n = H5Tget_size(type);
    bool ok = take_shape(g, d, name, 1, &a);
    if (ok && H5Tget_class(type) != H5T_STRING)
        ok = snn_lava_fail(g, name, "is not a text");
    ok = ok && snn_hdf5_check_storage(g->r, d, g->path, name, n);
    if (ok && !(variable ? read_variable(d, type, text, size) : read_fixed(d, type, n, text, size)))
        ok = snn_lava_fail(g, name, "is not a short text");
    for (size_t i = 0; ok && text[i] != '\0'; i++)
        if (text[i] < ' ' || text[i] > '~')
            ok = snn_lava_fail(g, name, "is not plain text");
    H5Tclose(type);
    H5Dclose(d);
    return ok;
}
