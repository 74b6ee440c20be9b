/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digital read-out: the scan over a chip's cells. The plain scan visits every cell with snn_chip_conductance, the definition. The fast one gives the same lists: it compares the
 * words that cells' deviates are made of with integer thresholds (read_filter.c) and visits only the cells that have a deviate far out, are stuck, or have a bad amplifier;
 * where that would be most cells, it makes the deviates of whole rows at once.
 */
#include "read_filter.h"

#include <stdlib.h>
#include <string.h>

/* ---- cells ---- */

static int target_level(const snn_read_plan *p, const snn_read_tensor *t, const snn_read_cell *c) {
    if (c->place.check)
        return snn_chip_level(p->chip, &c->place.logical);
    const uint8_t code =
        p->chip->stored->tensor[t->index].code8[(size_t)c->place.output * t->map->fan_in + c->row];
    return p->class[c->n].level[code >> t->cell_shift[c->place.cell] & ((1u << c->n) - 1)];
}

/* Everything about the cell at a position but its conductance; false: there is none. */
static bool find_cell(const snn_read_plan *p, const snn_read_tensor *t, uint32_t row, uint32_t position,
                      snn_read_cell *c) {
    c->row = row;
    c->position = position;
    if (!snn_read_place_at(t, p->map, row, position, &c->place))
        return false;
    c->n = c->place.check ? 1 : t->cell_n[c->place.cell];
    c->target = target_level(p, t, c);
    const snn_cell physical = snn_chip_place(p->chip, &c->place.logical);
    c->physical_column = physical.column;
    c->number = snn_map_cell_number(p->map, &physical);
    return true;
}

/* ---- plain ---- */

bool snn_read_scan_plain(snn_read_plan *p, snn_error *err) {
    for (int i = 0; i < p->tensors; i++) {
        snn_read_tensor *t = &p->tensor[i];
        for (uint32_t row = 0; row < t->map->fan_in; row++)
            for (uint32_t position = 0; position < t->width; position++) {
                snn_read_cell c;
                if (find_cell(p, t, row, position, &c) &&
                    (!snn_chip_conductance(p->chip, &p->condition, &c.place.logical, &c.g, err) ||
                     !snn_read_note(p, t, &c, err)))
                    return false;
            }
    }
    return true;
}

/* ---- fast ---- */

/* One array of a row of arrays. */
typedef struct {
    uint32_t tile, first_position; /* of its column 0 */
    uint32_t span;                 /* physical columns that may be in use */
    uint32_t
        *logical; /* [all_columns] logical column of a physical one, UINT32_MAX: not in use; NULL: the same */
    uint8_t *flag; /* [span] the column's amplifier is far off */
    snn_fault_list faults;
    size_t fault; /* next one */
} scan_tile;

/* A cell to visit: position << 8 | what is known of it. */
enum { LOOK = 1, STUCK_HRS = 2, STUCK_LRS = 4, KNOWN = 8 };

typedef struct {
    snn_read_plan *p;
    snn_read_tensor *t;
    const snn_chip_levels *levels;
    snn_read_filter filter;
    uint32_t tiles; /* arrays side by side */
    scan_tile *tile;
    uint32_t *word;      /* [all_columns] */
    uint8_t *flag;       /* [all_columns] LOOK, STUCK_* */
    uint64_t *candidate; /* [width + 1] of a row */
    int quiet
        [2]; /* level that every cell of one bit that is stuck at HRS, LRS reads at all times; -1: it varies */
    /* when all cells are looked at */
    double *z_program, *z_relax, *z_vary; /* [all_columns] deviates of a row */
    uint8_t *target;                      /* [columns with check columns] levels of a row of an array */
    double *g;                            /* [width] conductances of candidates */
} scan;

static void scan_free(scan *s) {
    for (uint32_t i = 0; s->tile && i < s->tiles; i++) {
        free(s->tile[i].logical);
        free(s->tile[i].flag);
        free(s->tile[i].faults.cell);
    }
    free(s->tile);
    free(s->word);
    free(s->flag);
    free(s->z_program);
    free(s->target);
    free(s->g);
    free(s->candidate);
    *s = (scan){.levels = s->levels};
}

static bool scan_init(scan *s, snn_error *err) {
    const uint32_t columns = s->p->map->all_columns;
    const bool moved = s->p->chip->repair.column != NULL;
    s->tiles = s->t->map->column_tiles;
    s->tile = snn_alloc(s->tiles, sizeof *s->tile, "read-out", err);
    s->word = snn_alloc(columns, sizeof *s->word, "read-out", err);
    s->flag = snn_alloc((size_t)columns + 8, 1, "read-out", err);
    s->z_program = snn_alloc((size_t)3 * columns, sizeof *s->z_program, "read-out", err);
    s->target = snn_alloc(columns, 1, "read-out", err);
    s->g = snn_alloc(s->t->width, sizeof *s->g, "read-out", err);
    s->candidate = snn_alloc((size_t)s->t->width + 1, sizeof *s->candidate, "read-out", err);
    bool ok = s->tile && s->word && s->flag && s->z_program && s->target && s->g && s->candidate;
    s->z_relax = ok ? s->z_program + columns : NULL;
    s->z_vary = ok ? s->z_relax + columns : NULL;
    for (uint32_t i = 0; ok && i < s->tiles; i++) {
        s->tile[i].flag = snn_alloc((size_t)columns + 8, 1, "read-out", err);
        s->tile[i].logical = moved ? snn_alloc(columns, sizeof *s->tile[i].logical, "read-out", err) : NULL;
        ok = s->tile[i].flag && (s->tile[i].logical || !moved);
    }
    return ok;
}

static uint32_t tile_lanes(const scan *s, uint32_t i) {
    const uint32_t rest = s->t->outputs - i * s->t->map->lanes;
    return rest < s->t->map->lanes ? rest : s->t->map->lanes;
}

/* The arrays of row of arrays k: which physical columns hold what, which amplifiers are far off, which cells are stuck. */
static bool enter_tiles(scan *s, uint32_t k, uint32_t rows, snn_error *err) {
    const snn_read_plan *p = s->p;
    const snn_map *m = p->map;
    for (uint32_t i = 0; i < s->tiles; i++) {
        scan_tile *x = &s->tile[i];
        x->tile = s->t->map->first_tile + k * s->t->map->column_tiles + i;
        const uint32_t used = tile_lanes(s, i) * s->t->cells,
                       checks = snn_chip_checks_used(
                           m, &(snn_map_tile){.tensor = (uint32_t)s->t->index, .outputs = tile_lanes(s, i)});
        x->span = x->logical ? m->all_columns : checks ? m->options.columns + checks : used;
        for (uint32_t c = 0; x->logical && c < m->all_columns; c++)
            x->logical[c] = UINT32_MAX;
        for (uint32_t c = 0; x->logical && c < m->options.columns + checks; c++)
            if (c < used || c >= m->options.columns)
                x->logical[snn_chip_place(p->chip, &(snn_cell){x->tile, 0, c}).column] = c;
        for (uint32_t c = 0; c < x->span; c++)
            x->flag[c] =
                p->offset && snn_filter_offset(&s->filter, p->offset[(size_t)x->tile * m->all_columns + c]);
        x->faults.n = x->fault = 0;
        if (s->levels->stuck && snn_faults_some(&p->chip->faults) &&
            !snn_faults_of_rows(&p->chip->faults, x->tile, 0, p->chip->repair.row ? m->all_rows : rows,
                                &x->faults, err))
            return false;
    }
    return true;
}

/* Position of a logical column of array i; UINT32_MAX: it holds nothing. */
static uint32_t position_of(const scan *s, uint32_t i, uint32_t column) {
    const snn_read_tensor *t = s->t;
    const uint32_t used = tile_lanes(s, i) * t->cells;
    if (!t->words)
        return column < used ? i * t->map->lanes * t->cells + column : UINT32_MAX;
    if (column < t->columns)
        return column < used
                   ? (i * t->tile_words + column / t->code_bits) * t->word_width + column % t->code_bits
                   : UINT32_MAX;
    const uint32_t check = column - t->columns, word = check / t->check_bits;
    return word < t->tile_words
               ? (i * t->tile_words + word) * t->word_width + t->code_bits + check % t->check_bits
               : UINT32_MAX;
}

/* The stuck cells of a physical row: their range in the array's list. */
static size_t faults_of_row(scan_tile *x, uint32_t row, size_t *first) {
    if (x->fault > 0 && x->faults.cell[x->fault - 1].row >= row)
        x->fault = 0; /* repair moves rows out of order */
    while (x->fault < x->faults.n && x->faults.cell[x->fault].row < row)
        x->fault++;
    *first = x->fault;
    while (x->fault < x->faults.n && x->faults.cell[x->fault].row == row)
        x->fault++;
    return x->fault;
}

/* Flags of a row's physical columns of array i: bad amplifiers, stuck cells. */
static void flag_row(scan *s, uint32_t i, uint32_t physical_row) {
    scan_tile *x = &s->tile[i];
    size_t fault, end = faults_of_row(x, physical_row, &fault);
    memcpy(s->flag, x->flag, x->span);
    memset(s->flag + x->span, 0, 8);
    for (; fault < end; fault++)
        if (x->faults.cell[fault].column < x->span)
            s->flag[x->faults.cell[fault].column] |=
                x->faults.cell[fault].fault == SNN_CELL_STUCK_HRS ? STUCK_HRS : STUCK_LRS;
}

static double conductance(const scan *s, const snn_read_cell *c, uint64_t candidate) {
    if (candidate & KNOWN)
        return s->g[c->position];
    return candidate & STUCK_HRS ? s->levels->stuck_hrs
           : candidate & STUCK_LRS
               ? s->levels->stuck_lrs
               : snn_chip_cell_conductance(s->p->chip, &s->levels->level[c->n][c->target], c->number);
}

/* ---- few cells ---- */

/* Is the cell stuck at what it should hold, and never read otherwise? */
static bool harmlessly_stuck(const scan *s, uint8_t flag, uint32_t position, uint32_t row) {
    const snn_read_tensor *t = s->t;
    const int level = flag == STUCK_HRS ? s->quiet[0] : flag == STUCK_LRS ? s->quiet[1] : -1;
    if (level < 0 || t->words || t->cell_n[0] > 1)
        return false;
    const uint32_t output = (uint32_t)snn_divide(t->by_cells, position);
    const uint8_t code = s->p->chip->stored->tensor[t->index].code8[(size_t)output * t->map->fan_in + row];
    return s->p->class[1].level[code >> t->cell_shift[position - output * t->cells] & 1] == level;
}

/* Flag i in byte i. */
static inline uint64_t eight_flags(const uint8_t *flag) {
    uint64_t x;
    memcpy(&x, flag, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* Appends the cells of array i that may be on a list; returns how many candidates there are now. */
static uint32_t few_of_tile(scan *s, uint32_t i, uint32_t row, uint32_t n) {
    const scan_tile *x = &s->tile[i];
    snn_cell cell = {x->tile, row % s->p->map->options.rows, 0};
    cell.row = snn_chip_place(s->p->chip, &cell).row;
    flag_row(s, i, cell.row);
    snn_filter_row(&s->filter, s->p->chip, snn_map_cell_number(s->p->map, &cell), x->span, s->word, s->flag);
    for (uint32_t c = 0; c < x->span; c += 8)
        for (uint64_t eight = eight_flags(s->flag + c); eight;) {
            const uint32_t byte = (uint32_t)__builtin_ctzll(eight) / 8, k = c + byte;
            eight &= ~(UINT64_C(0xff) << 8 * byte);
            const uint32_t column = x->logical ? x->logical[k] : k;
            const uint32_t position = column == UINT32_MAX ? UINT32_MAX : position_of(s, i, column);
            s->candidate[n] = (uint64_t)position << 8 | s->flag[k];
            n += position != UINT32_MAX && !harmlessly_stuck(s, s->flag[k], position, row);
        }
    return n;
}

/* ---- all cells ---- */

static void draw_row(scan *s, uint64_t first, uint32_t n) {
    const struct {
        bool wanted;
        snn_purpose purpose;
        double *z;
    } draws[] = {{s->filter.program, SNN_PURPOSE_CELL_PROGRAM, s->z_program},
                 {s->filter.relax, SNN_PURPOSE_CELL_RELAX, s->z_relax},
                 {s->filter.vary, SNN_PURPOSE_CELL_VARIATION, s->z_vary}};
    for (int i = 0; i < 3; i++)
        if (draws[i].wanted) {
            const snn_cell_stream stream = snn_chip_stream(s->p->chip, draws[i].purpose);
            snn_cell_normals(&stream, first, n, draws[i].z);
        }
}

/* Levels that the logical columns of a row of array i aim at. */
static void row_targets(scan *s, uint32_t i, uint32_t row) {
    const snn_read_plan *p = s->p;
    const snn_read_tensor *t = s->t;
    const uint8_t *code =
        p->chip->stored->tensor[t->index].code8 + (size_t)i * t->map->lanes * t->map->fan_in + row;
    const uint32_t lanes = tile_lanes(s, i);
    uint8_t *to = s->target;
    for (uint32_t lane = 0; lane < lanes; lane++, code += t->map->fan_in)
        for (uint32_t c = 0; c < t->cells; c++)
            *to++ = p->class[t->cell_n[c]].level[*code >> t->cell_shift[c] & ((1u << t->cell_n[c]) - 1)];
    if (!t->words)
        return;
    const snn_map_tile tile = snn_map_tile_at(p->map, s->tile[i].tile);
    for (uint32_t word = 0; word < t->tile_words; word++) {
        if (!snn_secded_word_bits(p->map, &tile, word))
            continue;
        const uint32_t check = snn_secded_word_check(p->secded, p->map, p->chip->stored, &tile,
                                                     row % p->map->options.rows, word);
        for (uint32_t b = 0; b < t->check_bits; b++)
            s->target[t->columns + word * t->check_bits + b] = check >> b & 1;
    }
}

static double deviated(const scan *s, const snn_level *l, uint32_t k, uint64_t first) {
    if (l->verify_window > 0)
        return snn_chip_cell_conductance(s->p->chip, l, first + k);
    return snn_level_conductance(l, s->z_program[k], s->z_relax[k], s->z_vary[k], s->p->chip->z_chip);
}

static uint32_t all_of_tile(scan *s, uint32_t i, uint32_t row, uint32_t n) {
    const snn_read_plan *p = s->p;
    const scan_tile *x = &s->tile[i];
    snn_cell cell = {x->tile, row % p->map->options.rows, 0};
    cell.row = snn_chip_place(p->chip, &cell).row;
    const uint64_t first = snn_map_cell_number(p->map, &cell);
    flag_row(s, i, cell.row);
    draw_row(s, first, x->span);
    row_targets(s, i, row);
    for (uint32_t k = 0; k < x->span; k++) {
        const uint32_t column = x->logical ? x->logical[k] : k;
        const uint32_t position = column == UINT32_MAX ? UINT32_MAX : position_of(s, i, column);
        if (position == UINT32_MAX)
            continue;
        const int kind = s->t->words ? 1 : s->t->cell_n[column % s->t->cells];
        const int target = s->target[column];
        const double g = s->flag[k] & STUCK_HRS   ? s->levels->stuck_hrs
                         : s->flag[k] & STUCK_LRS ? s->levels->stuck_lrs
                                                  : deviated(s, &s->levels->level[kind][target], k, first);
        const double sensed = snn_read_sensed(p, &(snn_cell){x->tile, cell.row, k}, g);
        if (snn_filter_safe(&s->filter, &p->class[kind], target, sensed))
            continue;
        s->g[position] = g;
        s->candidate[n++] = (uint64_t)position << 8 | KNOWN;
    }
    return n;
}

/* ---- a row ---- */

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool visit_row(scan *s, uint32_t row, snn_error *err) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->tiles; i++)
        n = s->filter.all ? all_of_tile(s, i, row, n) : few_of_tile(s, i, row, n);
    for (uint32_t i = 1; i < n; i++)
        if (s->candidate[i] < s->candidate[i - 1]) { /* check cells, moved columns */
            qsort(s->candidate, n, sizeof *s->candidate, by_number);
            break;
        }
    for (uint32_t i = 0; i < n; i++) {
        snn_read_cell c;
        if (!find_cell(s->p, s->t, row, (uint32_t)(s->candidate[i] >> 8), &c))
            continue;
        c.g = conductance(s, &c, s->candidate[i]);
        if (!snn_read_note(s->p, s->t, &c, err))
            return false;
    }
    return true;
}

/* ---- the scan ---- */

static bool scan_tensor(scan *s, snn_error *err) {
    const uint32_t rows = s->p->map->options.rows, fan_in = s->t->map->fan_in;
    if (!scan_init(s, err))
        return false;
    snn_filter_make(&s->filter, s->p, s->t, s->levels);
    for (int i = 0; i < 2; i++) {
        const double g = i ? s->levels->stuck_lrs : s->levels->stuck_hrs;
        const snn_read_class *c = &s->p->class[1];
        s->quiet[i] = c->levels && snn_read_quiet(s->p, 1, g) ? snn_read_level(c, g) : -1;
    }
    for (uint32_t k = 0, first = 0; k < s->t->map->row_tiles; k++, first += rows) {
        const uint32_t n = fan_in - first < rows ? fan_in - first : rows;
        if (!enter_tiles(s, k, n, err))
            return false;
        for (uint32_t row = first; row < first + n; row++)
            if (!visit_row(s, row, err))
                return false;
    }
    return true;
}

bool snn_read_scan_fast(snn_read_plan *p, snn_error *err) {
    scan s = {.levels = &p->levels};
    bool ok = true;
    for (int i = 0; ok && i < p->tensors; i++) {
        s.p = p;
        s.t = &p->tensor[i];
        ok = scan_tensor(&s, err);
        scan_free(&s);
    }
    return ok;
}
