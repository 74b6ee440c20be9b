/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chips into files (layout: chip_file.h). */
#include "chip_file.h"

#include <snnsim/hdf5_file.h>

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

const snn_chip_stat snn_chip_stats_table[] = {
    {"cells", offsetof(snn_program_stats, cells)},
    {"pulses", offsetof(snn_program_stats, pulses)},
    {"row_pulses", offsetof(snn_program_stats, row_pulses)},
    {"unverified", offsetof(snn_program_stats, unverified)},
    {"worn", offsetof(snn_program_stats, worn)},
    {"stuck_hrs", offsetof(snn_program_stats, stuck_hrs)},
    {"stuck_lrs", offsetof(snn_program_stats, stuck_lrs)},
    {NULL, 0},
};

typedef struct {
    const snn_chip *chip;
    const char *made;
    uint32_t *fault; /* [n][4] */
    uint64_t faults;
} content;

static bool put_table(hid_t group, const char *name, uint64_t rows, uint64_t columns, const uint32_t *data) {
    const uint64_t shape[] = {rows, columns};
    hid_t d = snn_hdf5_put_array(group, name, H5T_STD_U32LE, H5T_NATIVE_UINT32, 2, shape, data);
    if (d < 0)
        return false;
    H5Dclose(d);
    return true;
}

static bool put_attributes(hid_t group, const snn_chip *c) {
    char digest[65];
    const snn_chip_faults faults = c->faults.first != NULL ? SNN_CHIP_FAULTS_LIST
                                   : c->faults.by_share    ? SNN_CHIP_FAULTS_SHARE
                                                           : SNN_CHIP_FAULTS_NONE;
    snn_weights_digest(c->stored, digest);
    bool ok = snn_hdf5_put_int(group, "format", SNN_CHIP_FORMAT) &&
              snn_hdf5_put_int(group, "faults", (int32_t)faults) &&
              snn_hdf5_put_u64(group, "seed", c->seed) && snn_hdf5_put_u64(group, "number", c->number) &&
              snn_hdf5_put_u64(group, "reads", c->reads) && snn_hdf5_put_string(group, "digest", digest);
    for (const snn_chip_stat *s = snn_chip_stats_table; ok && s->name != NULL; s++) {
        uint64_t value;
        memcpy(&value, (const char *)&c->stats + s->offset, sizeof value);
        ok = snn_hdf5_put_u64(group, s->name, value);
    }
    return ok;
}

static bool fill(hid_t file, const void *context) {
    const content *x = context;
    const snn_chip *c = x->chip;
    hid_t group = snn_hdf5_create_group(file, "snnsim");
    bool ok = group >= 0 && put_attributes(group, c) && snn_hdf5_put_text(group, "made", x->made) &&
              snn_weights_put(group, c->stored);
    if (ok && x->fault != NULL)
        ok = put_table(group, "faults", x->faults, 4, x->fault);
    if (ok && c->repair.row != NULL)
        ok = put_table(group, "rows", c->repair.tiles, c->repair.rows, c->repair.row) &&
             put_table(group, "columns", c->repair.tiles, c->repair.columns, c->repair.column);
    H5Gclose(group);
    return ok;
}

/* The faults of a fault map as a table. */
static bool list_faults(content *x, snn_error *err) {
    const snn_faults *f = &x->chip->faults;
    if (f->first == NULL)
        return true;
    x->faults = f->list.n;
    x->fault = snn_alloc(f->list.n, 4 * sizeof *x->fault, "faults", err);
    if (x->fault == NULL)
        return false;
    for (uint32_t tile = 0; tile < f->map->tiles; tile++)
        for (size_t i = f->first[tile]; i < f->first[tile + 1]; i++) {
            const snn_faulty_cell *cell = &f->list.cell[i];
            const uint32_t row[4] = {tile, cell->row, cell->column, (uint32_t)cell->fault};
            memcpy(x->fault + 4 * i, row, sizeof row);
        }
    return true;
}

bool snn_chip_save(const snn_chip *c, const char *path, snn_error *err) {
    content x = {.chip = c};
    char *made = snn_chip_made(c->map, c->o, err);
    x.made = made;
    bool ok = made != NULL && list_faults(&x, err) && snn_hdf5_write(path, SNN_CHIP_LINE, fill, &x, err);
    free(x.fault);
    free(made);
    return ok;
}
