/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chip: made and freed, and what it says about single cells. */
#include "chip_internal.h"

#include <snnsim/portable_math.h>

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- programming ---- */

static bool check_size(const snn_map *map, snn_error *err) {
    if (map->array_cells > SNN_CELLS_MAX)
        return snn_fail(err, SNN_ERR_USAGE,
                        "the arrays have %" PRIu64 " cells in all, a chip can have %" PRIu64,
                        map->array_cells, SNN_CELLS_MAX);
    return true;
}

snn_chip *snn_chip_new(const snn_map *map, const snn_hw_options *o, const snn_weights *stored, uint64_t seed,
                       uint64_t number, snn_error *err) {
    if (!check_size(map, err) || !snn_map_fits(map, stored, err))
        return NULL;
    snn_chip *c = snn_alloc(1, sizeof *c, "chip", err);
    if (c == NULL)
        return NULL;
    c->map = map;
    c->o = o;
    c->seed = seed;
    c->number = number;
    const snn_cell_stream whole = {seed, SNN_PURPOSE_DEVICE, number};
    c->z_chip = snn_cell_normal(&whole, 0, snn_cell_word(&whole, 0));
    c->stored = snn_weights_copy(stored, err);
    bool ok = c->stored != NULL;
    if (ok && map->options.code_bits != 0) {
        c->secded = snn_alloc(1, sizeof *c->secded, "code words", err);
        ok = c->secded != NULL && snn_secded_init(c->secded, map->options.code_bits, err);
    }
    if (ok && snn_repair_init(&c->repair, map, o->msb_placement, err))
        return c;
    snn_chip_free(c);
    return NULL;
}

uint32_t snn_chip_checks_used(const snn_map *m, const snn_map_tile *tile) {
    if (m->options.code_bits == 0)
        return 0;
    uint32_t data = tile->outputs * m->tensor[tile->tensor].cells;
    return (data + m->options.code_bits - 1) / m->options.code_bits * m->check_bits;
}

/* Counts the stuck ones among the cells that the map uses. */
static void count_faults(snn_chip *c, const snn_map_tile *tile, const snn_fault_list *list) {
    const uint32_t data = tile->outputs * c->map->tensor[tile->tensor].cells;
    const uint32_t columns = c->map->options.columns, checks = snn_chip_checks_used(c->map, tile);
    for (size_t i = 0; i < list->n; i++) {
        const snn_faulty_cell *f = &list->cell[i];
        bool used = f->row < tile->rows &&
                    (f->column < data || (f->column >= columns && f->column - columns < checks));
        c->stats.stuck_hrs += used && f->fault == SNN_CELL_STUCK_HRS;
        c->stats.stuck_lrs += used && f->fault == SNN_CELL_STUCK_LRS;
    }
}

/* Looks at all faults, counts them, and decides the repair of every array. */
bool snn_chip_inspect(snn_chip *c, bool repair, snn_error *err) {
    if (!snn_faults_some(&c->faults))
        return true;
    snn_fault_list list = {0};
    bool ok = true;
    for (uint32_t t = 0; ok && t < c->map->tiles; t++) {
        const snn_map_tile tile = snn_map_tile_at(c->map, t);
        list.n = 0;
        /* Rows behind those in use and the spare ones hold nothing and serve for nothing. */
        uint32_t rows = c->repair.row != NULL ? c->map->all_rows : tile.rows;
        ok = snn_faults_of_rows(&c->faults, t, 0, rows, &list, err);
        if (ok)
            count_faults(c, &tile, &list);
        if (ok && repair && c->repair.row != NULL && list.n > 0)
            ok = snn_repair_array(&c->repair, c->map, c->stored, c->o->msb_placement, t, list.cell, list.n,
                                  err);
    }
    free(list.cell);
    c->stats.rows_replaced = c->repair.rows_replaced;
    c->stats.columns_replaced = c->repair.columns_replaced;
    c->stats.lanes_permuted = c->repair.lanes_permuted;
    return ok;
}

snn_chip *snn_chip_program_with(const snn_map *map, const snn_hw_options *o, const snn_weights *stored,
                                const snn_faults *faults, uint64_t chip, snn_error *err) {
    snn_chip *c = snn_chip_new(map, o, stored, o->seed, chip, err);
    if (c == NULL)
        return NULL;
    if (faults != NULL)
        snn_faults_borrow(&c->faults, faults);
    if ((faults != NULL || snn_faults_init(&c->faults, map, o, o->seed, chip, err)) &&
        snn_chip_inspect(c, true, err) && snn_chip_count_pulses(c, err))
        return c;
    snn_chip_free(c);
    return NULL;
}

snn_chip *snn_chip_program(const snn_map *map, const snn_hw_options *o, const snn_weights *stored,
                           uint64_t chip, snn_error *err) {
    return snn_chip_program_with(map, o, stored, NULL, chip, err);
}

void snn_chip_free(snn_chip *c) {
    if (c == NULL)
        return;
    snn_weights_free(c->stored);
    snn_faults_free(&c->faults);
    snn_repair_free(&c->repair);
    free(c->secded);
    free(c);
}

/* ---- what it is ---- */

const snn_program_stats *snn_chip_stats(const snn_chip *c) {
    return &c->stats;
}
const snn_map *snn_chip_map(const snn_chip *c) {
    return c->map;
}
const snn_weights *snn_chip_stored(const snn_chip *c) {
    return c->stored;
}
uint64_t snn_chip_number(const snn_chip *c) {
    return c->number;
}
uint64_t snn_chip_seed(const snn_chip *c) {
    return c->seed;
}
uint64_t snn_chip_reads(const snn_chip *c) {
    return c->reads;
}
void snn_chip_add_reads(snn_chip *c, uint64_t reads) {
    if (__builtin_add_overflow(c->reads, reads, &c->reads))
        c->reads = UINT64_MAX;
}

snn_condition snn_chip_condition(const snn_chip *c, const snn_condition *when) {
    snn_condition now = *when;
    if (__builtin_add_overflow(now.reads, c->reads, &now.reads))
        now.reads = UINT64_MAX;
    return now;
}

/* ---- single cells ---- */

static void check_logical(const snn_chip *c, const snn_cell *cell) {
    assert(cell->tile < c->map->tiles && cell->row < c->map->options.rows &&
           cell->column < c->map->options.columns + c->map->check_columns);
    (void)c;
    (void)cell;
}

snn_cell snn_chip_place(const snn_chip *c, const snn_cell *logical) {
    check_logical(c, logical);
    return snn_repair_place(&c->repair, *logical);
}

snn_cell_fault snn_chip_fault(const snn_chip *c, const snn_cell *physical) {
    return snn_faults_at(&c->faults, physical);
}

static int check_level(const snn_chip *c, const snn_cell *cell) {
    const snn_map_tile tile = snn_map_tile_at(c->map, cell->tile);
    const uint32_t column = cell->column - c->map->options.columns, word = column / c->map->check_bits;
    if (cell->row >= tile.rows || snn_secded_word_bits(c->map, &tile, word) == 0)
        return 0;
    uint32_t check = snn_secded_word_check(c->secded, c->map, c->stored, &tile, cell->row, word);
    return (int)(check >> column % c->map->check_bits & 1);
}

int snn_chip_level(const snn_chip *c, const snn_cell *logical) {
    uint32_t tensor;
    uint64_t index;
    uint8_t level[8];
    check_logical(c, logical);
    if (logical->column >= c->map->options.columns)
        return check_level(c, logical);
    if (!snn_map_weight(c->map, logical, &tensor, &index, NULL, NULL))
        return 0;
    const snn_map_tensor *t = &c->map->tensor[tensor];
    snn_map_levels(c->map, t, c->stored->tensor[tensor].code8[index], level);
    return level[logical->column % t->cells];
}
