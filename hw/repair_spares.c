/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which lines of an array stand on its spares: greedy, then exchanged one by one as long as that helps. */
#include "repair_internal.h"

#include <stdlib.h>
#include <string.h>

/* Rows or columns of an array with their spares. */
typedef struct {
    bool rows;
    uint32_t used;         /* logical lines that can do harm: the first `used` */
    uint32_t first, spare; /* spares are physical lines first .. first + spare - 1 */
    uint32_t left;         /* spares that are free */
    uint32_t *home;        /* [first] physical line that a replaced line left */
    bool *hopeless;        /* [first] no spare that was free helped */
} spares;

static uint32_t place(const snn_repair_work *w, const spares *s, uint32_t line) {
    return s->rows ? w->row[line] : w->column[line];
}

/* Logical line on physical line `at`, or SNN_NO_LINE. */
static uint32_t line_on(const snn_repair_work *w, const spares *s, uint32_t at) {
    return s->rows ? w->row_of[at] : w->column_of[at];
}

/* Harm that would be gone without the line's faulty cells: what a spare without faults gains. */
static uint64_t gain_of(const snn_repair_work *w, const spares *s, uint32_t line) {
    return s->rows ? snn_repair_row_gain(w, line) : snn_repair_column_gain(w, line);
}

static void move(snn_repair_work *w, const spares *s, uint32_t line, uint32_t to) {
    if (s->rows)
        snn_repair_move_row(w, line, to);
    else
        snn_repair_move_columns(w, line, 1, &to);
}

/* Harm of the array with a line on a spare. */
static uint64_t harm_with(snn_repair_work *w, const spares *s, uint32_t line, uint32_t to) {
    uint32_t at = place(w, s, line);
    move(w, s, line, to);
    uint64_t harm = w->harm;
    move(w, s, line, at);
    return harm;
}

/* ---- greedy ---- */

/* The line with most to gain among those that a spare may still help; SNN_NO_LINE: none. */
static uint32_t worst(const snn_repair_work *w, const spares *s, uint64_t *most) {
    uint32_t best = SNN_NO_LINE;
    *most = 0;
    for (uint32_t i = 0; i < s->used && s->left > 0; i++) {
        uint64_t gain = s->hopeless[i] || place(w, s, i) >= s->first ? 0 : gain_of(w, s, i);
        if (gain > *most) {
            *most = gain;
            best = i;
        }
    }
    return best;
}

/* Puts a line onto the free spare that leaves the least harm, if that is less than without. */
static void replace(snn_repair_work *w, spares *s, uint32_t line) {
    uint32_t best = SNN_NO_LINE;
    uint64_t least = w->harm;
    for (uint32_t to = s->first; to < s->first + s->spare; to++) {
        uint64_t harm = line_on(w, s, to) == SNN_NO_LINE ? harm_with(w, s, line, to) : least;
        if (harm < least) {
            least = harm;
            best = to;
        }
    }
    if (best == SNN_NO_LINE) {
        s->hopeless[line] = true;
        return;
    }
    s->home[line] = place(w, s, line);
    move(w, s, line, best);
    s->left--;
}

/* ---- exchange ---- */

/* Sends the line on a spare home and gives the spare to the line that gains most by it, which may be the same. True when harm fell. */
static bool exchange(snn_repair_work *w, spares *s, uint32_t spare) {
    uint32_t line = line_on(w, s, spare), best = line;
    uint64_t before = w->harm, least = before;
    if (line == SNN_NO_LINE)
        return false;
    move(w, s, line, s->home[line]);
    for (uint32_t i = 0; i < s->used; i++) {
        if (i == line || place(w, s, i) >= s->first || w->harm - gain_of(w, s, i) >= least)
            continue; /* even a spare without faults would not help enough */
        uint64_t harm = harm_with(w, s, i, spare);
        if (harm < least) {
            least = harm;
            best = i;
        }
    }
    s->home[best] = place(w, s, best);
    move(w, s, best, spare);
    return best != line;
}

static bool exchange_all(snn_repair_work *w, spares *s) {
    bool better = false;
    for (uint32_t i = 0; i < s->spare && w->harm > 0; i++)
        better |= exchange(w, s, s->first + i);
    return better;
}

/* ---- both ---- */

/* Which line is replaced next: the one with most to gain, or rows first, or columns first. */
typedef enum { WORST_FIRST, ROWS_FIRST, COLUMNS_FIRST, ORDERS } order;

static void use(snn_repair_work *w, spares *row, spares *column, order by) {
    while (w->harm > 0) {
        uint64_t row_gain, column_gain;
        uint32_t r = worst(w, row, &row_gain), c = worst(w, column, &column_gain);
        if (r == SNN_NO_LINE && c == SNN_NO_LINE)
            break;
        bool rows = by == WORST_FIRST ? row_gain >= column_gain : by == ROWS_FIRST;
        if (c == SNN_NO_LINE || (rows && r != SNN_NO_LINE))
            replace(w, row, r);
        else
            replace(w, column, c);
    }
    for (bool better = true; better;) { /* ends, as harm falls each time */
        better = exchange_all(w, row);
        better |= exchange_all(w, column);
    }
}

/* All spares are free again. */
static void send_home(snn_repair_work *w, spares *s) {
    for (uint32_t to = s->first; to < s->first + s->spare; to++) {
        uint32_t line = line_on(w, s, to);
        if (line != SNN_NO_LINE)
            move(w, s, line, s->home[line]);
    }
    s->left = s->spare;
    memset(s->hopeless, 0, s->first * sizeof *s->hopeless);
}

static void use_best(snn_repair_work *w, spares *row, spares *column) {
    order best = WORST_FIRST;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i <= ORDERS; i++) { /* once more at the end, with the best */
        order by = i < ORDERS ? (order)i : best;
        send_home(w, row);
        send_home(w, column);
        use(w, row, column, by);
        if (w->harm < least) {
            least = w->harm;
            best = by;
        }
    }
}

static bool allocate(spares *s, snn_error *err) {
    s->home = snn_alloc(s->first, sizeof *s->home, "repair", err);
    s->hopeless = snn_alloc(s->first, sizeof *s->hopeless, "repair", err);
    return s->home != NULL && s->hopeless != NULL;
}

bool snn_repair_use_spares(snn_repair_work *w, snn_error *err) {
    const snn_map_options *o = &w->map->options;
    uint32_t columns = o->columns + w->map->check_columns;
    spares row = {true, w->tile.rows, o->rows, o->spare_rows, o->spare_rows, NULL, NULL};
    spares column = {false, columns, columns, o->spare_columns, o->spare_columns, NULL, NULL};
    bool ok = allocate(&row, err) && allocate(&column, err);
    if (ok)
        use_best(w, &row, &column);
    free(row.home);
    free(row.hopeless);
    free(column.home);
    free(column.hopeless);
    return ok;
}
