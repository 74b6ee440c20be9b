/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stuck cells by the device's shares, in clusters; lists of them (how: faults.h). */
#include "faults.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096 /* words looked through at once: fits the first-level cache */

/* ---- lists ---- */

bool snn_fault_list_add(snn_fault_list *list, uint32_t row, uint32_t column, snn_cell_fault fault,
                        snn_error *err) {
    if (list->n == list->capacity &&
        !snn_grow((void **)&list->cell, &list->capacity, list->n + 1, sizeof *list->cell, err))
        return false;
    list->cell[list->n++] = (snn_faulty_cell){row, column, fault};
    return true;
}

bool snn_faults_from_list(snn_faults *f, const snn_map *map, snn_fault_list *list, const uint32_t *tile,
                          snn_error *err) {
    f->map = map;
    f->first = snn_alloc((size_t)map->tiles + 1, sizeof *f->first, "faults", err);
    if (f->first == NULL)
        return false;
    for (size_t i = 0; i < list->n; i++)
        f->first[tile[i] + 1]++;
    for (uint32_t t = 0; t < map->tiles; t++)
        f->first[t + 1] += f->first[t];
    f->list = *list;
    *list = (snn_fault_list){0};
    return true;
}

/* ---- by share ---- */

/* share of 2^32, to the nearest whole number. */
static uint64_t threshold(double share) {
    return (uint64_t)floor(share * 0x1p32 + 0.5);
}

void snn_faults_by_share(snn_faults *f, const snn_map *map, const snn_device *d, uint64_t seed,
                         uint64_t chip) {
    *f = (snn_faults){.map = map, .stream = {seed, SNN_PURPOSE_CELL_STUCK, chip}};
    double clusters = d->stuck_cluster > 1 ? 1 / d->stuck_cluster : 1;
    f->first_hrs = threshold(d->stuck_hrs);
    f->first_any = threshold(d->stuck_hrs + d->stuck_lrs);
    f->hrs = threshold(clusters * d->stuck_hrs);
    f->any = threshold(clusters * (d->stuck_hrs + d->stuck_lrs));
    f->draw = threshold(clusters);
    f->by_share = f->first_any > 0;
}

bool snn_faults_init(snn_faults *f, const snn_map *map, const snn_hw_options *o, uint64_t seed, uint64_t chip,
                     snn_error *err) {
    *f = (snn_faults){.map = map};
    if (o->fault_map != NULL)
        return snn_faults_read(f, o->fault_map, err);
    if (o->condition.effects >> SNN_EFFECT_STUCK & 1)
        snn_faults_by_share(f, map, &o->device, seed, chip);
    return true;
}

void snn_faults_borrow(snn_faults *f, const snn_faults *read) {
    *f = *read;
    f->borrowed = true;
}

void snn_faults_free(snn_faults *f) {
    if (!f->borrowed) {
        free(f->first);
        free(f->list.cell);
    }
    *f = (snn_faults){0};
}

bool snn_faults_some(const snn_faults *f) {
    return f->by_share || f->list.n > 0;
}

static snn_cell_fault drawn(uint32_t word, uint64_t hrs, uint64_t any) {
    return word < hrs ? SNN_CELL_STUCK_HRS : word < any ? SNN_CELL_STUCK_LRS : SNN_CELL_WORKS;
}

/* Entry of the list for a cell of a tile, or where it would stand. */
static size_t find(const snn_faults *f, uint32_t tile, uint32_t row, uint32_t column) {
    size_t low = f->first[tile], high = f->first[tile + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const snn_faulty_cell *c = &f->list.cell[middle];
        if (c->row < row || (c->row == row && c->column < column))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

snn_cell_fault snn_faults_at(const snn_faults *f, const snn_cell *physical) {
    if (f->first != NULL) {
        size_t i = find(f, physical->tile, physical->row, physical->column);
        if (i == f->first[physical->tile + 1])
            return SNN_CELL_WORKS;
        const snn_faulty_cell *c = &f->list.cell[i];
        return c->row == physical->row && c->column == physical->column ? c->fault : SNN_CELL_WORKS;
    }
    if (!f->by_share)
        return SNN_CELL_WORKS;
    uint64_t number = snn_map_cell_number(f->map, physical);
    for (uint32_t column = physical->column; column > 0; column--, number--) {
        uint32_t word = snn_cell_word(&f->stream, number);
        if (word < f->draw)
            return drawn(word, f->hrs, f->any);
    }
    return drawn(snn_cell_word(&f->stream, number), f->first_hrs, f->first_any);
}

/* ---- whole rows ---- */

/* A walk over words in their order. */
typedef struct {
    const snn_faults *f;
    uint32_t row, column;   /* of the next word */
    snn_cell_fault running; /* state of the cell before */
    snn_fault_list *list;
    snn_error *err;
} walk;

/* Independent cells: nothing but words below one threshold matter. */
static bool list_independent(walk *w, const uint32_t *word, size_t n) {
    const uint64_t any = w->f->any;
    const uint32_t columns = w->f->map->all_columns;
    uint32_t hit[CHUNK];
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) { /* without a branch: hits may be one in ten */
        hit[hits] = (uint32_t)i;
        hits += word[i] < any;
    }
    for (size_t k = 0; k < hits; k++) {
        uint32_t ahead = w->column + hit[k]; /* from the start of the walk's row: below 2^17 + 2^12 */
        if (!snn_fault_list_add(w->list, w->row + ahead / columns, ahead % columns,
                                drawn(word[hit[k]], w->f->hrs, any), w->err))
            return false;
    }
    uint32_t ahead = w->column + (uint32_t)n;
    w->row += ahead / columns;
    w->column = ahead % columns;
    return true;
}

/* Cells from number i of a piece on are in the state of cell i, up to the next draw. */
static bool list_run(walk *w, const uint32_t *word, size_t i, size_t n, snn_cell_fault fault) {
    do {
        if (!snn_fault_list_add(w->list, w->row, w->column + (uint32_t)i, fault, w->err))
            return false;
    } while (++i < n && word[i] >= w->f->draw);
    w->running = i < n ? SNN_CELL_WORKS : fault;
    return true;
}

/* A piece of one row: runs begin at draws that say stuck, at the row's first cell, and where the piece before ended within one. */
static bool list_piece(walk *w, const uint32_t *word, size_t n) {
    const snn_faults *f = w->f;
    uint32_t hit[CHUNK];
    size_t hits = 0;
    snn_cell_fault start = w->column == 0      ? drawn(word[0], f->first_hrs, f->first_any)
                           : word[0] < f->draw ? drawn(word[0], f->hrs, f->any)
                                               : w->running;
    w->running = SNN_CELL_WORKS;
    if (start != SNN_CELL_WORKS && !list_run(w, word, 0, n, start))
        return false;
    for (size_t i = 1; i < n; i++) {
        hit[hits] = (uint32_t)i;
        hits += word[i] < f->any;
    }
    for (size_t k = 0; k < hits; k++)
        if (!list_run(w, word, hit[k], n, drawn(word[hit[k]], f->hrs, f->any)))
            return false;
    w->column += (uint32_t)n;
    if (w->column == f->map->all_columns) {
        w->column = 0;
        w->row++;
    }
    return true;
}

static bool list_clusters(walk *w, const uint32_t *word, size_t n) {
    while (n > 0) {
        size_t rest = w->f->map->all_columns - w->column, piece = n < rest ? n : rest;
        if (!list_piece(w, word, piece))
            return false;
        word += piece, n -= piece;
    }
    return true;
}

static bool list_listed(const snn_faults *f, uint32_t tile, uint32_t first, uint32_t n, snn_fault_list *list,
                        snn_error *err) {
    for (size_t i = find(f, tile, first, 0); i < f->first[tile + 1]; i++) {
        const snn_faulty_cell *c = &f->list.cell[i];
        if (c->row - first >= n)
            break;
        if (!snn_fault_list_add(list, c->row, c->column, c->fault, err))
            return false;
    }
    return true;
}

bool snn_faults_of_rows(const snn_faults *f, uint32_t tile, uint32_t first, uint32_t n, snn_fault_list *list,
                        snn_error *err) {
    assert(tile < f->map->tiles && first <= f->map->all_rows && n <= f->map->all_rows - first);
    if (f->first != NULL)
        return list_listed(f, tile, first, n, list, err);
    if (!f->by_share)
        return true;
    uint32_t word[CHUNK];
    walk w = {.f = f, .row = first, .list = list, .err = err};
    uint64_t at = ((uint64_t)tile * f->map->all_rows + first) * f->map->all_columns;
    uint64_t left = (uint64_t)n * f->map->all_columns;
    bool independent = f->draw == (uint64_t)1 << 32;
    while (left > 0) {
        size_t now = left < CHUNK ? (size_t)left : CHUNK;
        snn_cell_words(&f->stream, at, now, word);
        if (!(independent ? list_independent : list_clusters)(&w, word, now))
            return false;
        at += now, left -= now;
    }
    return true;
}
