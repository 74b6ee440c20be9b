/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conductances: of one cell, which is the definition, and of whole arrays in bulk with the same bits. */
#include "chip_internal.h"
#include "device_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- one cell ---- */

static double deviate(const snn_chip *c, snn_purpose purpose, uint64_t number) {
    const snn_cell_stream s = snn_chip_stream(c, purpose);
    return snn_cell_normal(&s, number, snn_cell_word(&s, number));
}

static double uniform(const snn_chip *c, snn_purpose purpose, uint64_t number) {
    const snn_cell_stream s = snn_chip_stream(c, purpose);
    return snn_cell_uniform(&s, number, snn_cell_word(&s, number));
}

double snn_chip_cell_conductance(const snn_chip *c, const snn_level *l, uint64_t number) {
    int pulses;
    double z_program = 0, z_relax = 0, z_cell = 0;
    if (l->verify_window > 0)
        z_program = snn_level_program(l, uniform(c, SNN_PURPOSE_CELL_PROGRAM, number),
                                      uniform(c, SNN_PURPOSE_CELL_PULSES, number), &pulses);
    else if (l->sigma_program > 0)
        z_program = deviate(c, SNN_PURPOSE_CELL_PROGRAM, number);
    if (l->sigma_relax > 0)
        z_relax = deviate(c, SNN_PURPOSE_CELL_RELAX, number);
    if (l->cell_variation > 0)
        z_cell = deviate(c, SNN_PURPOSE_CELL_VARIATION, number);
    return snn_level_conductance(l, z_program, z_relax, z_cell, c->z_chip);
}

/* stuck: do faults act? */
static double conductance_at(const snn_chip *c, bool stuck, const snn_level *l, const snn_cell *physical) {
    const snn_cell_fault fault = stuck ? snn_chip_fault(c, physical) : SNN_CELL_WORKS;
    return fault == SNN_CELL_STUCK_HRS ? c->o->device.g_min
           : fault == SNN_CELL_STUCK_LRS
               ? c->o->device.g_max
               : snn_chip_cell_conductance(c, l, snn_map_cell_number(c->map, physical));
}

double snn_chip_conductance_at(const snn_chip *c, const snn_chip_levels *levels, int kind, int level,
                               const snn_cell *physical) {
    return conductance_at(c, levels->stuck, &levels->level[kind][level], physical);
}

bool snn_chip_conductance(const snn_chip *c, const snn_condition *when, const snn_cell *logical, double *g,
                          snn_error *err) {
    const snn_condition now = snn_chip_condition(c, when);
    const snn_cell place = snn_chip_place(c, logical);
    const snn_map_tensor *t = &c->map->tensor[snn_map_tile_at(c->map, logical->tile).tensor];
    /* check cells hold one bit, as all cells do then */
    const int kind = snn_chip_kind(c->map, t, logical->column % t->cells);
    snn_level l;
    if (!snn_chip_level_of(c, &now, kind, snn_chip_level(c, logical), &l, err))
        return false;
    *g = conductance_at(c, now.effects >> SNN_EFFECT_STUCK & 1, &l, &place);
    return true;
}

/* ---- a whole array ---- */

typedef struct {
    const snn_chip *chip;
    uint32_t tile;
    snn_chip_levels levels;
    uint8_t *kind;             /* [columns] of the cells of a column */
    bool program, relax, vary; /* which deviates are needed; with verification cells draw their own */
    uint8_t *target;           /* [rows][columns] */
    snn_fault_list faults;     /* of the array */
    size_t *fault_row;         /* [all_rows + 1] into faults */
    double *z_program, *z_relax, *z_cell; /* [all_columns] of a physical row */
    double *stuck; /* [all_columns] conductance of stuck cells of a row, else negative */
} array;

static void array_free(array *a) {
    snn_chip_levels_free(&a->levels);
    free(a->kind);
    free(a->target);
    free(a->faults.cell);
    free(a->fault_row);
    free(a->z_program);
    free(a->stuck);
}

/* Of which kind the cells of each column are, and which deviates any level needs. */
static void choose_levels(array *a) {
    const snn_map *m = a->chip->map;
    const snn_map_tensor *t = &m->tensor[snn_map_tile_at(m, a->tile).tensor];
    for (uint32_t column = 0; column < m->options.columns; column++)
        a->kind[column] = (uint8_t)snn_chip_kind(m, t, column % t->cells);
    for (int kind = 0; kind < SNN_CELL_KINDS; kind++)
        for (int k = 0; k < a->levels.count[kind]; k++) {
            const snn_level *l = &a->levels.level[kind][k];
            a->program |= l->sigma_program > 0 && !(l->verify_window > 0);
            a->relax |= l->sigma_relax > 0;
            a->vary |= l->cell_variation > 0;
        }
}

static bool find_faults(array *a, snn_error *err) {
    const snn_map *m = a->chip->map;
    if (!a->levels.stuck || !snn_faults_some(&a->chip->faults))
        return true;
    if (!snn_faults_of_rows(&a->chip->faults, a->tile, 0, m->all_rows, &a->faults, err))
        return false;
    for (size_t i = 0; i < a->faults.n; i++)
        a->fault_row[a->faults.cell[i].row + 1]++;
    for (uint32_t row = 0; row < m->all_rows; row++)
        a->fault_row[row + 1] += a->fault_row[row];
    return true;
}

static bool array_init(array *a, const snn_chip *c, const snn_condition *when, uint32_t tile,
                       snn_error *err) {
    const snn_map *m = c->map;
    *a = (array){.chip = c, .tile = tile};
    a->kind = snn_alloc(m->options.columns, 1, "conductances", err);
    a->target = snn_alloc((size_t)m->options.rows * m->options.columns, 1, "conductances", err);
    a->fault_row = snn_alloc((size_t)m->all_rows + 1, sizeof *a->fault_row, "conductances", err);
    a->z_program = snn_alloc((size_t)3 * m->all_columns, sizeof *a->z_program, "conductances", err);
    a->stuck = snn_alloc(m->all_columns, sizeof *a->stuck, "conductances", err);
    if (a->kind == NULL || a->target == NULL || a->fault_row == NULL || a->z_program == NULL ||
        a->stuck == NULL || !snn_chip_levels_init(&a->levels, c, when, err) ||
        !snn_chip_tile_levels(c, tile, a->target, err) || !find_faults(a, err)) {
        array_free(a);
        return false;
    }
    a->z_relax = a->z_program + m->all_columns;
    a->z_cell = a->z_relax + m->all_columns;
    for (uint32_t i = 0; i < m->all_columns; i++)
        a->stuck[i] = -1;
    choose_levels(a);
    return true;
}

/* Deviates of a physical row. */
static void draw_row(array *a, uint64_t first) {
    const snn_chip *c = a->chip;
    const uint32_t n = c->map->all_columns;
    const struct {
        bool wanted;
        snn_purpose purpose;
        double *z;
    } draws[] = {{a->program, SNN_PURPOSE_CELL_PROGRAM, a->z_program},
                 {a->relax, SNN_PURPOSE_CELL_RELAX, a->z_relax},
                 {a->vary, SNN_PURPOSE_CELL_VARIATION, a->z_cell}};
    for (int i = 0; i < 3; i++)
        if (draws[i].wanted) {
            const snn_cell_stream s = snn_chip_stream(c, draws[i].purpose);
            snn_cell_normals(&s, first, n, draws[i].z);
        }
}

static double working(const array *a, const snn_level *l, uint32_t column, uint64_t first) {
    const double z = a->z_program[column];
    if (l->verify_window > 0)
        return snn_chip_cell_conductance(a->chip, l, first + column);
    return snn_level_settle(l, l->lognormal ? snn_level_start(l, z) : l->target + l->sigma_program * z,
                            a->z_relax[column], a->z_cell[column], a->chip->z_chip);
}

static double stuck_at(const array *a, const snn_faulty_cell *f) {
    return f->fault == SNN_CELL_STUCK_HRS ? a->levels.stuck_hrs : a->levels.stuck_lrs;
}

/* A row whose columns stand where the map says. */
static void fill_in_place(array *a, const uint8_t *target, uint32_t line, uint64_t first, float *g) {
    const uint32_t columns = a->chip->map->options.columns;
    for (uint32_t i = 0; i < columns; i++)
        g[i] = (float)working(a, &a->levels.level[a->kind[i]][target[i]], i, first);
    for (size_t i = a->fault_row[line]; i < a->fault_row[line + 1]; i++)
        if (a->faults.cell[i].column < columns)
            g[a->faults.cell[i].column] = (float)stuck_at(a, &a->faults.cell[i]);
}

static void fill_placed(array *a, const uint8_t *target, uint32_t line, uint64_t first, const uint32_t *place,
                        float *g) {
    for (size_t i = a->fault_row[line]; i < a->fault_row[line + 1]; i++)
        a->stuck[a->faults.cell[i].column] = stuck_at(a, &a->faults.cell[i]);
    for (uint32_t i = 0; i < a->chip->map->options.columns; i++) {
        const double stuck = a->stuck[place[i]];
        g[i] = (float)(stuck >= 0 ? stuck
                                  : working(a, &a->levels.level[a->kind[i]][target[i]], place[i], first));
    }
    for (size_t i = a->fault_row[line]; i < a->fault_row[line + 1]; i++)
        a->stuck[a->faults.cell[i].column] = -1;
}

static void fill_row(array *a, uint32_t row, float *g) {
    const snn_chip *c = a->chip;
    const uint8_t *target = a->target + (size_t)row * c->map->options.columns;
    const uint32_t line = snn_chip_place(c, &(snn_cell){a->tile, row, 0}).row;
    const uint64_t first = snn_map_cell_number(c->map, &(snn_cell){a->tile, line, 0});
    draw_row(a, first);
    if (c->repair.column == NULL)
        fill_in_place(a, target, line, first, g);
    else
        fill_placed(a, target, line, first, c->repair.column + (size_t)a->tile * c->repair.columns, g);
}

bool snn_chip_conductances(const snn_chip *c, const snn_condition *when, uint32_t tile, float *g,
                           snn_error *err) {
    array a;
    assert(tile < c->map->tiles);
    if (!array_init(&a, c, when, tile, err))
        return false;
    for (uint32_t row = 0; row < c->map->options.rows; row++)
        fill_row(&a, row, g + (size_t)row * c->map->options.columns);
    array_free(&a);
    return true;
}
