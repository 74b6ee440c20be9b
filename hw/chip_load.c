/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chips from files (layout: chip_file.h). A file is not trusted: its digest is checked before libhdf5 sees it, every size before memory is taken, every address before it is used. */
#include "chip_file.h"

#include <snnsim/hdf5_file.h>

#include <hdf5.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char where[] = "/snnsim";

typedef snn_hdf5_reader reader;

/* A table uint32 [rows][columns]; with rows = NULL of any number of rows, which goes to *found. */
static uint32_t *get_table(const reader *r, hid_t group, const char *name, const uint64_t *rows,
                           uint64_t columns, uint64_t *found) {
    uint64_t shape[H5S_MAX_RANK], bytes;
    hid_t d = snn_hdf5_open(r, group, where, name, H5I_DATASET);
    if (d < 0)
        return NULL;
    uint64_t wanted[2] = {snn_hdf5_shape(d, shape) == 2 ? shape[0] : 0, columns};
    if (rows != NULL)
        wanted[0] = *rows;
    uint32_t *table = NULL;
    hid_t type = H5Dget_type(d);
    bool ok =
        H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE && H5Tget_size(type) == 4;
    H5Tclose(type);
    if (!ok)
        snn_hdf5_fail(r, where, name, "has a number type other than uint32");
    else if (__builtin_mul_overflow(wanted[0], columns * sizeof *table, &bytes))
        snn_hdf5_fail(r, where, name, "is too large");
    else if (snn_hdf5_check_shape(r, d, where, name, 2, wanted) &&
             snn_hdf5_check_storage(r, d, where, name, bytes))
        table = snn_alloc(wanted[0], columns * sizeof *table, name, r->err);
    if (table != NULL && H5Dread(d, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, table) < 0) {
        snn_hdf5_fail(r, where, name, "cannot be read");
        free(table);
        table = NULL;
    }
    H5Dclose(d);
    *found = wanted[0];
    return table;
}

/* ---- faults ---- */

static bool check_fault(const reader *r, const snn_map *m, const uint32_t *entry, uint64_t i) {
    const uint32_t *before = i > 0 ? entry - 4 : NULL;
    if (entry[0] >= m->tiles || entry[1] >= m->all_rows || entry[2] >= m->all_columns)
        return snn_fail(r->err, SNN_ERR_DATA,
                        "%s: fault %" PRIu64 " is in array %" PRIu32 ", row %" PRIu32 ", column %" PRIu32
                        ", expected below %" PRIu32 ", %" PRIu32 ", %" PRIu32,
                        r->path, i, entry[0], entry[1], entry[2], m->tiles, m->all_rows, m->all_columns);
    if (entry[3] != SNN_CELL_STUCK_HRS && entry[3] != SNN_CELL_STUCK_LRS)
        return snn_fail(r->err, SNN_ERR_DATA, "%s: fault %" PRIu64 " is of kind %" PRIu32 ", expected 1 or 2",
                        r->path, i, entry[3]);
    for (int k = 0; before != NULL && k < 3; k++) {
        if (before[k] < entry[k])
            return true;
        if (before[k] > entry[k])
            break;
    }
    return before == NULL ||
           snn_fail(r->err, SNN_ERR_DATA, "%s: fault %" PRIu64 " does not stand behind the one before",
                    r->path, i);
}

static bool read_fault_list(const reader *r, hid_t group, snn_chip *c) {
    uint64_t n;
    uint32_t *entry = get_table(r, group, "faults", NULL, 4, &n);
    uint32_t *tile = entry != NULL ? snn_alloc(n, sizeof *tile, "faults", r->err) : NULL;
    snn_fault_list list = {0};
    bool ok = tile != NULL;
    for (uint64_t i = 0; ok && i < n; i++) {
        const uint32_t *e = entry + 4 * i;
        tile[i] = e[0];
        ok = check_fault(r, c->map, e, i) &&
             snn_fault_list_add(&list, e[1], e[2], (snn_cell_fault)e[3], r->err);
    }
    ok = ok && snn_faults_from_list(&c->faults, c->map, &list, tile, r->err);
    free(list.cell);
    free(tile);
    free(entry);
    return ok;
}

static bool read_faults(const reader *r, hid_t group, snn_chip *c) {
    int32_t faults;
    if (!snn_hdf5_get_int(r, group, where, "faults", &faults))
        return false;
    if (faults == SNN_CHIP_FAULTS_LIST)
        return read_fault_list(r, group, c);
    if (faults == SNN_CHIP_FAULTS_SHARE)
        snn_faults_by_share(&c->faults, c->map, &c->o->device, c->seed, c->number);
    return faults == SNN_CHIP_FAULTS_SHARE || faults == SNN_CHIP_FAULTS_NONE ||
           snn_fail(r->err, SNN_ERR_DATA, "%s: faults of kind %" PRId32 " are not known", r->path, faults);
}

/* ---- repair ---- */

static bool read_lines(const reader *r, hid_t group, const char *name, uint64_t tiles, uint64_t lines,
                       uint32_t *to) {
    uint64_t found;
    uint32_t *table = get_table(r, group, name, &tiles, lines, &found);
    if (table == NULL)
        return false;
    memcpy(to, table, tiles * lines * sizeof *to); /* as large as snn_repair_init made it */
    free(table);
    return true;
}

static bool read_repair(const reader *r, hid_t group, snn_chip *c) {
    snn_repair *p = &c->repair;
    if (p->row == NULL)
        return true;
    if (!read_lines(r, group, "rows", p->tiles, p->rows, p->row) ||
        !read_lines(r, group, "columns", p->tiles, p->columns, p->column))
        return false;
    if (!snn_repair_check(p, c->map, r->err))
        return snn_error_context(r->err, "%s", r->path);
    c->stats.rows_replaced = p->rows_replaced;
    c->stats.columns_replaced = p->columns_replaced;
    c->stats.lanes_permuted = p->lanes_permuted;
    return true;
}

/* ---- the chip ---- */

static bool check_made(const reader *r, hid_t group, const snn_map *map, const snn_hw_options *o) {
    char *file = snn_hdf5_get_text(r, group, where, "made", SNN_CHIP_TEXT_MAX);
    char *here = file != NULL ? snn_chip_made(map, o, r->err) : NULL;
    bool ok = here != NULL && snn_chip_made_same(r->path, file, here, r->err);
    free(here);
    free(file);
    return ok;
}

/* The stored codes; NULL with the error set. */
static snn_weights *read_weights(const reader *r, hid_t group, const snn_map *map) {
    snn_tensor *like = snn_alloc((size_t)map->tensors, sizeof *like, "weights", r->err);
    if (like == NULL)
        return NULL;
    for (int i = 0; i < map->tensors; i++) {
        const snn_map_tensor *t = &map->tensor[i];
        memcpy(like[i].name, t->name, sizeof like[i].name);
        memcpy(like[i].shape, t->shape, sizeof like[i].shape);
        like[i].dims = t->dims;
        like[i].count = (uint64_t)t->fan_in * t->outputs;
    }
    snn_weights *w = snn_weights_get(r, group, like, map->tensors);
    free(like);
    char digest[65], stored[65 + 1];
    if (w == NULL)
        return NULL;
    snn_weights_digest(w, digest);
    if (snn_hdf5_get_string(r, group, where, "digest", stored, sizeof stored)) {
        if (strcmp(stored, digest) == 0)
            return w;
        snn_fail(r->err, SNN_ERR_DATA,
                 "%s: the weights do not match their digest: the file was damaged or changed", r->path);
    }
    snn_weights_free(w);
    return NULL;
}

static bool read_stats(const reader *r, hid_t group, snn_chip *c) {
    bool ok = snn_hdf5_get_u64(r, group, where, "reads", &c->reads);
    for (const snn_chip_stat *s = snn_chip_stats_table; ok && s->name != NULL; s++) {
        uint64_t value;
        ok = snn_hdf5_get_u64(r, group, where, s->name, &value);
        if (ok)
            memcpy((char *)&c->stats + s->offset, &value, sizeof value);
    }
    return ok;
}

static snn_chip *read_group(const reader *r, hid_t group, const snn_map *map, const snn_hw_options *o) {
    int32_t format;
    uint64_t seed, number;
    if (!snn_hdf5_get_int(r, group, where, "format", &format))
        return NULL;
    if (format != SNN_CHIP_FORMAT) {
        snn_fail(r->err, SNN_ERR_DATA, "%s: format %" PRId32 " is not known (this snnsim knows %d)", r->path,
                 format, SNN_CHIP_FORMAT);
        return NULL;
    }
    if (!check_made(r, group, map, o) || !snn_hdf5_get_u64(r, group, where, "seed", &seed) ||
        !snn_hdf5_get_u64(r, group, where, "number", &number))
        return NULL;
    snn_weights *stored = read_weights(r, group, map);
    if (stored == NULL)
        return NULL;
    snn_chip *c = snn_chip_new(map, o, stored, seed, number, r->err);
    snn_weights_free(stored);
    if (c == NULL) {
        snn_error_context(r->err, "%s", r->path);
        return NULL;
    }
    if (read_faults(r, group, c) && read_stats(r, group, c) && read_repair(r, group, c))
        return c;
    snn_chip_free(c);
    return NULL;
}

static snn_chip *read_file(const reader *r, const snn_map *map, const snn_hw_options *o) {
    hid_t file = snn_hdf5_open_file(r);
    if (file < 0)
        return NULL;
    hid_t group = snn_hdf5_open(r, file, "", "snnsim", H5I_GROUP);
    snn_chip *c = group >= 0 ? read_group(r, group, map, o) : NULL;
    if (group >= 0)
        H5Gclose(group);
    H5Fclose(file);
    return c;
}

snn_chip *snn_chip_load(const snn_map *map, const snn_hw_options *o, const char *path, snn_error *err) {
    bool block;
    if (!snn_hdf5_block_check(path, SNN_CHIP_LINE, &block, err))
        return NULL;
    if (!block) {
        snn_fail(err, SNN_ERR_DATA, "%s: is no chip file of snnsim (its first line is not 'snnsim chip 1')",
                 path);
        return NULL;
    }
    snn_error own; /* so that err may be NULL */
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    snn_hdf5_enter(&guard);
    const reader r = {path, "chip", &guard, &budget, err != NULL ? err : &own};
    snn_chip *c = read_file(&r, map, o);
    snn_hdf5_leave(&guard);
    return c;
}
