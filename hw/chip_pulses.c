/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What programming took: pulses, pulse times of the rows, cells that never came into the window, cells worn out. Without verification every cell takes one pulse, and no cell is visited. With it, the
 * number of pulses grows with the cell's word (snn_level_program), so a table over the upper bits of the word answers for nearly all cells.
 */
#include "chip_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIN_BITS 10
#define BINS (1 << BIN_BITS)

typedef struct {
    uint64_t pulses, row_pulses, unverified, worn;
    uint32_t slowest; /* cell of the row so far: its pulses */
} counts;

/* What a word leads to, packed: pulses << 3 | worn << 2 | unverified << 1 | not all words of this bin agree. Pulses are below 2^28 (hw.verify_pulses). */
typedef uint32_t outcome;
enum { MIXED = 1, UNVERIFIED = 2, WORN = 4, PULSES = 3 /* shift */ };

typedef struct {
    const snn_level *level;
    outcome bin[BINS];
} pulse_table;

static outcome pack(uint32_t pulses, bool verified, double endurance) {
    return pulses << PULSES | (endurance > 0 && pulses > endurance ? WORN : 0) | (verified ? 0 : UNVERIFIED);
}

static outcome outcome_of(const snn_level *l, double u, double endurance) {
    int pulses;
    /* Which of the conductances inside or outside the window it becomes does not matter here: the middle one. */
    double z = snn_level_program(l, 0.5, u, &pulses);
    return pack((uint32_t)pulses, snn_level_verified(l, z), endurance);
}

static void table_init(pulse_table *t, const snn_level *l, double endurance) {
    t->level = l;
    for (uint32_t bin = 0; bin < BINS; bin++) {
        double low = (double)bin * (1.0 / BINS) + 0x1p-33, high = (double)(bin + 1) * (1.0 / BINS) - 0x1p-33;
        t->bin[bin] = outcome_of(l, low, endurance);
        /* the last word, 2^32 - 1, is refined: it may lie beyond `high` */
        if (bin == BINS - 1 || t->bin[bin] != outcome_of(l, high, endurance))
            t->bin[bin] |= MIXED;
    }
}

typedef struct {
    snn_chip *chip;
    snn_chip_levels levels;
    pulse_table *table[SNN_CELL_KINDS];
    uint8_t *target, *check; /* levels of an array's data and check cells */
    uint32_t *word;          /* [all_columns] of a row */
    uint8_t *fault;          /* [all_columns] of a row */
    uint32_t *place;         /* [columns + check columns] where the logical columns of an array stand */
    snn_fault_list list;
    counts sum;
} counting;

static void counting_free(counting *w) {
    snn_chip_levels_free(&w->levels);
    for (int kind = 0; kind < SNN_CELL_KINDS; kind++)
        free(w->table[kind]);
    free(w->target);
    free(w->check);
    free(w->word);
    free(w->fault);
    free(w->place);
    free(w->list.cell);
}

static bool counting_init(counting *w, snn_chip *c, snn_error *err) {
    const snn_map *m = c->map;
    *w = (counting){.chip = c};
    w->target = snn_alloc((size_t)m->options.rows * m->options.columns, 1, "pulses", err);
    w->check = snn_alloc((size_t)m->options.rows * m->check_columns, 1, "pulses", err);
    w->word = snn_alloc(m->all_columns, sizeof *w->word, "pulses", err);
    w->fault = snn_alloc(m->all_columns, 1, "pulses", err);
    w->place = snn_alloc((size_t)m->options.columns + m->check_columns, sizeof *w->place, "pulses", err);
    bool ok = w->place != NULL && w->target != NULL && w->check != NULL && w->word != NULL &&
              w->fault != NULL && snn_chip_levels_init(&w->levels, c, &c->o->condition, err);
    for (int kind = 0; ok && kind < SNN_CELL_KINDS; kind++) {
        const int n = w->levels.count[kind];
        if (n == 0)
            continue;
        w->table[kind] = snn_alloc((size_t)n, sizeof **w->table, "pulses", err);
        ok = w->table[kind] != NULL;
        for (int k = 0; ok && k < n; k++)
            table_init(&w->table[kind][k], &w->levels.level[kind][k], c->o->device.endurance);
    }
    if (!ok)
        counting_free(w);
    return ok;
}

static void count(counts *sum, outcome o) {
    const uint32_t pulses = o >> PULSES;
    sum->pulses += pulses;
    sum->slowest = pulses > sum->slowest ? pulses : sum->slowest;
    sum->unverified += (o & UNVERIFIED) != 0;
    sum->worn += (o & WORN) != 0;
}

/* A stuck cell is at its stuck conductance after every pulse. */
static outcome outcome_of_stuck(const counting *w, const snn_level *l, snn_cell_fault fault) {
    const snn_condition *c = &w->chip->o->condition;
    double g = fault == SNN_CELL_STUCK_HRS ? w->levels.stuck_hrs : w->levels.stuck_lrs;
    bool verified = fabs(g - l->target) <= c->verify_window;
    return pack(verified ? 1 : (uint32_t)c->verify_pulses, verified, w->chip->o->device.endurance);
}

static void count_cell(counting *w, const pulse_table *t, uint32_t column, uint64_t number) {
    const uint32_t word = w->word[column];
    outcome o = t->bin[word >> (32 - BIN_BITS)];
    if (w->fault[column] != SNN_CELL_WORKS) {
        o = outcome_of_stuck(w, t->level, (snn_cell_fault)w->fault[column]);
    } else if (o & MIXED) {
        const snn_cell_stream s = snn_chip_stream(w->chip, SNN_PURPOSE_CELL_PULSES);
        o = outcome_of(t->level, snn_cell_uniform(&s, number, word), w->chip->o->device.endurance);
    }
    count(&w->sum, o);
}

/* Words and faults of the physical row that a logical one stands in. */
static bool load_row(counting *w, const snn_cell *first, snn_error *err) {
    const snn_chip *c = w->chip;
    const uint32_t columns = c->map->all_columns;
    const snn_cell_stream s = snn_chip_stream(c, SNN_PURPOSE_CELL_PULSES);
    snn_cell_words(&s, snn_map_cell_number(c->map, first), columns, w->word);
    memset(w->fault, 0, columns);
    w->list.n = 0;
    if (w->levels.stuck && !snn_faults_of_rows(&c->faults, first->tile, first->row, 1, &w->list, err))
        return false;
    for (size_t i = 0; i < w->list.n; i++)
        w->fault[w->list.cell[i].column] = (uint8_t)w->list.cell[i].fault;
    return true;
}

static bool count_row(counting *w, uint32_t tile, const snn_map_tile *at, uint32_t row, snn_error *err) {
    const snn_chip *c = w->chip;
    const snn_map *m = c->map;
    const snn_map_tensor *t = &m->tensor[at->tensor];
    const uint32_t data = at->outputs * t->cells, checks = snn_chip_checks_used(m, at);
    const snn_cell line = {tile, snn_chip_place(c, &(snn_cell){tile, row, 0}).row, 0};
    const uint64_t first = snn_map_cell_number(m, &line);
    if (!load_row(w, &line, err))
        return false;
    w->sum.slowest = 0;
    const pulse_table *table[8];
    for (uint32_t cell = 0; cell < t->cells; cell++)
        table[cell] = w->table[snn_chip_kind(m, t, cell)];
    for (uint32_t i = 0, cell = 0; i < data; i++, cell = cell + 1 < t->cells ? cell + 1 : 0) {
        const uint32_t column = w->place[i];
        count_cell(w, &table[cell][w->target[(size_t)row * m->options.columns + i]], column, first + column);
    }
    for (uint32_t i = 0; i < checks; i++) {
        const uint32_t column = w->place[m->options.columns + i];
        count_cell(w, &w->table[1][w->check[(size_t)row * m->check_columns + i]], column, first + column);
    }
    w->sum.row_pulses += w->sum.slowest;
    return true;
}

static bool visit_cells(snn_chip *c, snn_error *err) {
    counting w;
    if (!counting_init(&w, c, err))
        return false;
    bool ok = true;
    for (uint32_t tile = 0; ok && tile < c->map->tiles; tile++) {
        const snn_map_tile at = snn_map_tile_at(c->map, tile);
        ok = snn_chip_tile_levels(c, tile, w.target, err);
        if (ok)
            snn_chip_tile_checks(c, tile, w.check);
        for (uint32_t i = 0; i < c->map->options.columns + c->map->check_columns; i++)
            w.place[i] = snn_repair_place(&c->repair, (snn_cell){tile, 0, i}).column;
        for (uint32_t row = 0; ok && row < at.rows; row++)
            ok = count_row(&w, tile, &at, row, err);
    }
    c->stats.pulses = w.sum.pulses;
    c->stats.row_pulses = w.sum.row_pulses;
    c->stats.unverified = w.sum.unverified;
    c->stats.worn = w.sum.worn;
    counting_free(&w);
    return ok;
}

bool snn_chip_count_pulses(snn_chip *c, snn_error *err) {
    snn_chip_levels levels; /* made for its errors: a condition that the device does not know */
    c->stats.cells = c->map->weight_cells;
    for (uint32_t tile = 0; tile < c->map->tiles; tile++) {
        const snn_map_tile at = snn_map_tile_at(c->map, tile);
        c->stats.cells += (uint64_t)at.rows * snn_chip_checks_used(c->map, &at);
        c->stats.row_pulses += at.rows;
    }
    if (c->o->condition.verify_window > 0)
        return visit_cells(c, err);
    c->stats.pulses = c->stats.cells;
    c->stats.worn = c->o->device.endurance > 0 && c->o->device.endurance < 1 ? c->stats.cells : 0;
    if (!snn_chip_levels_init(&levels, c, &c->o->condition, err))
        return false;
    snn_chip_levels_free(&levels);
    return true;
}
