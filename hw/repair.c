/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of repair, the order of the columns of a lane (exact), and the repair of an array as a whole. */
#include "repair_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 8 /* columns of a lane: weights have at most 8 bits */ };

/* ---- tables ---- */

bool snn_repair_init(snn_repair *r, const snn_map *map, bool msb_placement, snn_error *err) {
    const snn_map_options *o = &map->options;
    *r = (snn_repair){.rows = o->rows, .columns = o->columns + map->check_columns, .tiles = map->tiles};
    if (!msb_placement && o->spare_rows == 0 && o->spare_columns == 0)
        return true;
    r->row = snn_alloc((size_t)r->tiles * r->rows, sizeof *r->row, "repair", err);
    r->column = snn_alloc((size_t)r->tiles * r->columns, sizeof *r->column, "repair", err);
    if (r->row == NULL || r->column == NULL) {
        snn_repair_free(r);
        return false;
    }
    for (size_t i = 0; i < (size_t)r->tiles * r->rows; i++)
        r->row[i] = (uint32_t)(i % r->rows);
    for (size_t i = 0; i < (size_t)r->tiles * r->columns; i++)
        r->column[i] = (uint32_t)(i % r->columns);
    return true;
}

void snn_repair_free(snn_repair *r) {
    free(r->row);
    free(r->column);
    *r = (snn_repair){0};
}

static uint64_t beyond(const uint32_t *line, uint32_t n, uint32_t limit) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        count += line[i] >= limit;
    return count;
}

/* Lanes of which a column stands on another data column than its own. */
static uint64_t permuted(const snn_map *map, uint32_t tile, const uint32_t *column) {
    snn_map_tile at = snn_map_tile_at(map, tile);
    uint32_t cells = map->tensor[at.tensor].cells;
    uint64_t count = 0;
    for (uint32_t lane = 0; lane < at.outputs; lane++) {
        bool moved = false;
        for (uint32_t c = lane * cells; c < (lane + 1) * cells; c++)
            moved |= column[c] != c && column[c] < map->options.columns;
        count += moved;
    }
    return count;
}

static void count_lines(snn_repair *r, const snn_map *map, uint32_t tile) {
    const uint32_t *row = r->row + (size_t)tile * r->rows, *column = r->column + (size_t)tile * r->columns;
    r->rows_replaced += beyond(row, r->rows, r->rows);
    r->columns_replaced += beyond(column, r->columns, r->columns);
    r->lanes_permuted += permuted(map, tile, column);
}

/* ---- placement ---- */

/* cost[c][p]: harm of logical cell c of the lane that starts at column `first` on the p-th of the lane's present columns. */
static void lane_costs(const snn_repair_work *w, uint32_t first, uint32_t cells,
                       uint64_t cost[MOST_CELLS][MOST_CELLS]) {
    memset(cost, 0, MOST_CELLS * sizeof *cost);
    for (uint32_t p = 0; p < cells; p++) {
        uint32_t at = w->column[first + p];
        for (size_t i = w->column_first[at]; i < w->column_first[at + 1]; i++) {
            const snn_faulty_cell *f = &w->faulty[w->in_column[i]];
            uint32_t row = w->row_of[f->row];
            for (uint32_t c = 0; c < cells && row != SNN_NO_LINE; c++)
                cost[c][p] += snn_repair_change(w, row, first + c, f->fault);
        }
    }
}

/* The assignment of cells to columns with the least cost: least[s] is that of the first |s| cells on the columns of set s, place[s] the column of the last of them. */
static uint64_t assign(uint64_t cost[MOST_CELLS][MOST_CELLS], uint32_t cells, uint32_t *column) {
    uint64_t least[1 << MOST_CELLS];
    uint8_t place[1 << MOST_CELLS] = {0};
    least[0] = 0;
    for (uint32_t s = 1; s < 1U << cells; s++) {
        uint32_t c = (uint32_t)__builtin_popcount(s) - 1;
        least[s] = UINT64_MAX;
        for (uint32_t p = 0; p < cells; p++) {
            if (!(s >> p & 1) || least[s ^ 1U << p] + cost[c][p] >= least[s])
                continue;
            least[s] = least[s ^ 1U << p] + cost[c][p];
            place[s] = (uint8_t)p;
        }
    }
    for (uint32_t s = (1U << cells) - 1, c = cells; c-- > 0; s ^= 1U << place[s])
        column[c] = place[s];
    return least[(1U << cells) - 1];
}

static void place_lane(snn_repair_work *w, uint32_t first, uint32_t cells) {
    uint64_t cost[MOST_CELLS][MOST_CELLS], now = 0, before = w->harm;
    uint32_t best[MOST_CELLS], from[MOST_CELLS], to[MOST_CELLS];
    lane_costs(w, first, cells, cost);
    for (uint32_t c = 0; c < cells; c++)
        now += cost[c][c];
    if (now == 0 || assign(cost, cells, best) >= now)
        return;
    for (uint32_t c = 0; c < cells; c++) {
        from[c] = w->column[first + c];
        to[c] = w->column[first + best[c]];
    }
    snn_repair_move_columns(w, first, cells, to);
    if (w->harm > before) /* with SEC-DED an order with smaller changes can spoil more words */
        snn_repair_move_columns(w, first, cells, from);
}

static void place_lanes(snn_repair_work *w) {
    uint32_t cells = w->tensor->cells;
    for (uint32_t lane = 0; lane < w->tile.outputs && w->harm > 0; lane++)
        place_lane(w, lane * cells, cells);
}

/* ---- an array ---- */

bool snn_repair_array(snn_repair *r, const snn_map *map, const snn_weights *stored, bool msb_placement,
                      uint32_t tile, const snn_faulty_cell *faulty, size_t n, snn_error *err) {
    assert(tile < r->tiles);
    if (r->row == NULL || n == 0)
        return true;
    snn_repair_work w;
    if (!snn_repair_begin(&w, map, stored, tile, faulty, n, r->row + (size_t)tile * r->rows,
                          r->column + (size_t)tile * r->columns, err))
        return false;
    r->harm_before += w.harm;
    if (msb_placement)
        place_lanes(&w);
    bool ok = snn_repair_use_spares(&w, err);
    if (ok && msb_placement)
        place_lanes(&w);
    r->harm_after += w.harm;
    count_lines(r, map, tile);
    snn_repair_end(&w);
    return ok;
}

/* ---- tables from a file ---- */

/* May logical column c stand on physical column p? */
static bool column_may(const snn_repair *r, const snn_map *map, const snn_map_tile *at, uint32_t c,
                       uint32_t p) {
    uint32_t cells = map->tensor[at->tensor].cells;
    bool lane = c < at->outputs * cells && p < at->outputs * cells && c / cells == p / cells;
    return p == c || lane || (p >= r->columns && p < map->all_columns);
}

static bool check_tile(const snn_repair *r, const snn_map *map, uint32_t tile, bool *used, snn_error *err) {
    const uint32_t *row = r->row + (size_t)tile * r->rows, *column = r->column + (size_t)tile * r->columns;
    snn_map_tile at = snn_map_tile_at(map, tile);
    memset(used, 0, map->all_rows);
    for (uint32_t i = 0; i < r->rows; i++) {
        bool may = row[i] == i || (row[i] >= r->rows && row[i] < map->all_rows);
        if (!may || used[row[i]])
            return snn_fail(err, SNN_ERR_DATA, "repair of array %u: row %u cannot stand on row %u", tile, i,
                            row[i]);
        used[row[i]] = true;
    }
    memset(used, 0, map->all_columns);
    for (uint32_t i = 0; i < r->columns; i++) {
        if (!column_may(r, map, &at, i, column[i]) || used[column[i]])
            return snn_fail(err, SNN_ERR_DATA, "repair of array %u: column %u cannot stand on column %u",
                            tile, i, column[i]);
        used[column[i]] = true;
    }
    return true;
}

bool snn_repair_check(snn_repair *r, const snn_map *map, snn_error *err) {
    if (r->row == NULL)
        return true;
    size_t lines = map->all_rows > map->all_columns ? map->all_rows : map->all_columns;
    bool *used = snn_alloc(lines, sizeof *used, "repair", err), ok = used != NULL;
    r->rows_replaced = r->columns_replaced = r->lanes_permuted = 0;
    for (uint32_t tile = 0; ok && tile < r->tiles; tile++) {
        ok = check_tile(r, map, tile, used, err);
        if (ok)
            count_lines(r, map, tile);
    }
    free(used);
    return ok;
}
