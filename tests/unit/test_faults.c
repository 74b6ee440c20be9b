/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stuck cells: shares and clusters against the process that faults.h describes, walked cell by cell; rows in bulk; fault maps from files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <snnsim/output.h>

#include "../../hw/faults.h"
#include "chip_test.h"

typedef struct {
    chip_rig rig;
    snn_faults faults;
    uint8_t *state; /* [tiles][all_rows][all_columns] from the definition */
} shares;

/* The process as its description says it, one cell after the other. */
static uint8_t *walk_cells(const snn_map *m, const snn_device *d, uint64_t seed, uint64_t chip) {
    uint8_t *out = malloc(m->array_cells);
    assert_non_null(out);
    snn_random r;
    snn_random_init(&r, seed, SNN_PURPOSE_CELL_STUCK, chip);
    uint8_t left = 0;
    for (uint64_t i = 0; i < m->array_cells; i++) {
        double w = snn_random_u32(&r), scale = 4294967296.0 / d->stuck_cluster;
        if (i % m->all_columns == 0)
            scale = 4294967296.0;
        if (w < floor(scale + 0.5))
            left = w < floor(scale * d->stuck_hrs + 0.5)                    ? SNN_CELL_STUCK_HRS
                   : w < floor(scale * (d->stuck_hrs + d->stuck_lrs) + 0.5) ? SNN_CELL_STUCK_LRS
                                                                            : SNN_CELL_WORKS;
        out[i] = left;
    }
    return out;
}

static void shares_init(shares *s, double hrs, double lrs, double cluster, uint64_t chip) {
    snn_map_options o = rig_options(64, 250);
    o.spare_rows = 3;
    o.spare_columns = 5; /* 255 columns: rows begin anywhere in a block of words */
    rig_init(&s->rig, 16, 60, 8, 1, o);
    s->rig.o.device.stuck_hrs = hrs;
    s->rig.o.device.stuck_lrs = lrs;
    s->rig.o.device.stuck_cluster = cluster;
    assert_true(snn_faults_init(&s->faults, s->rig.map, &s->rig.o, s->rig.o.seed, chip, NULL));
    s->state = walk_cells(s->rig.map, &s->rig.o.device, s->rig.o.seed, chip);
}

static void shares_free(shares *s) {
    free(s->state);
    snn_faults_free(&s->faults);
    rig_free(&s->rig);
}

/* Both ways of asking against the walk. */
static void check_against_walk(const shares *s) {
    const snn_map *m = s->rig.map;
    const uint8_t *at = s->state;
    for (uint32_t t = 0; t < m->tiles; t++) {
        snn_fault_list list = {0};
        assert_true(snn_faults_of_rows(&s->faults, t, 0, m->all_rows, &list, NULL));
        size_t k = 0;
        for (uint32_t r = 0; r < m->all_rows; r++)
            for (uint32_t c = 0; c < m->all_columns; c++, at++) {
                assert_int_equal(snn_faults_at(&s->faults, &(snn_cell){t, r, c}), *at);
                if (*at == 0)
                    continue;
                assert_true(k < list.n);
                assert_int_equal(list.cell[k].row, r);
                assert_int_equal(list.cell[k].column, c);
                assert_int_equal(list.cell[k].fault, *at);
                k++;
            }
        assert_int_equal(k, list.n);
        free(list.cell);
    }
}

static void faults_follow_their_description(void **state) {
    (void)state;
    static const double cases[][3] = {{0.002, 0.001, 1}, {0.0904, 0.0175, 1}, {0.05, 0.1, 4},
                                      {0.3, 0, 1.5},     {0, 0.01, 100},      {1, 0, 1},
                                      {0.5, 0.5, 3},     {0.25, 0.25, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shares s;
        shares_init(&s, cases[i][0], cases[i][1], cases[i][2], i);
        assert_true(snn_faults_some(&s.faults));
        check_against_walk(&s);
        shares_free(&s);
    }
}

static void parts_of_an_array_are_those_of_the_whole(void **state) {
    (void)state;
    for (int cluster = 1; cluster < 10; cluster += 4) {
        shares s;
        shares_init(&s, 0.03, 0.02, cluster, 3);
        const uint32_t rows = s.rig.map->all_rows, tile = s.rig.map->tiles - 1;
        snn_fault_list whole = {0}, part = {0};
        assert_true(snn_faults_of_rows(&s.faults, tile, 0, rows, &whole, NULL));
        for (uint32_t r = 0; r < rows; r += 5) /* appended to the list */
            assert_true(snn_faults_of_rows(&s.faults, tile, r, rows - r < 5 ? rows - r : 5, &part, NULL));
        assert_true(whole.n > 100);
        assert_int_equal(part.n, whole.n);
        assert_memory_equal(part.cell, whole.cell, whole.n * sizeof *whole.cell);
        assert_true(snn_faults_of_rows(&s.faults, tile, rows, 0, &part, NULL));
        assert_int_equal(part.n, whole.n);
        free(whole.cell);
        free(part.cell);
        shares_free(&s);
    }
}

/* Shares within 4.5 binomial standard deviations (clusters: of as many independent clusters), clusters and runs as long as said. */
static void shares_and_clusters_are_as_asked(void **state) {
    (void)state;
    static const double cases[][3] = {
        {0.002, 0.004, 1}, {0.0904, 0.0175, 1}, {0.01, 0.02, 4}, {0.05, 0.02, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double count[3] = {0}, runs = 0, inner = 0;
        const double m = cases[i][2], share = cases[i][0] + cases[i][1];
        uint64_t cells = 0;
        for (uint64_t chip = 0; chip < 12; chip++) {
            shares s;
            shares_init(&s, cases[i][0], cases[i][1], m, chip);
            const uint32_t columns = s.rig.map->all_columns;
            for (uint64_t k = 0; k < s.rig.map->array_cells; k++) {
                count[s.state[k]]++;
                /* runs that begin inside of a row, and how many cells follow a stuck one within the row */
                if (k % columns + 1 < columns && s.state[k] != 0) {
                    runs++;
                    inner += s.state[k + 1] != 0;
                }
            }
            cells += s.rig.map->array_cells;
            shares_free(&s);
        }
        const double n = (double)cells;
        for (int k = 1; k < 3; k++) {
            double p = cases[i][k - 1], sigma = sqrt(n * p * (1 - p) * (2 * m - 1));
            assert_true(fabs(count[k] - n * p) < 4.5 * sigma);
        }
        /* P(stuck | left neighbour stuck) = 1 - (1 - share) / m, so that runs have m / (1 - share) cells in the mean */
        double goes_on = 1 - (1 - share) / m;
        assert_true(fabs(inner - runs * goes_on) < 4.5 * sqrt(runs * goes_on * (1 - goes_on)) + 1e-9);
    }
}

static void chips_and_seeds_have_faults_of_their_own(void **state) {
    (void)state;
    shares a, b;
    shares_init(&a, 0.05, 0.05, 1, 0);
    shares_init(&b, 0.05, 0.05, 1, 1);
    double both = 0, n = (double)a.rig.map->array_cells;
    for (uint64_t i = 0; i < a.rig.map->array_cells; i++)
        both += a.state[i] != 0 && b.state[i] != 0;
    assert_true(fabs(both - 0.01 * n) < 4.5 * sqrt(0.01 * n));
    shares_free(&a);
    shares_free(&b);
}

static void without_shares_or_effect_nothing_is_stuck(void **state) {
    (void)state;
    shares s;
    snn_fault_list list = {0};
    shares_init(&s, 0, 0, 1, 0);
    assert_false(snn_faults_some(&s.faults));
    assert_int_equal(snn_faults_at(&s.faults, &(snn_cell){0, 0, 0}), SNN_CELL_WORKS);
    assert_true(snn_faults_of_rows(&s.faults, 0, 0, 10, &list, NULL));
    s.rig.o.device.stuck_hrs = 0.5;
    s.rig.o.condition.effects &= ~(1u << SNN_EFFECT_STUCK);
    assert_true(snn_faults_init(&s.faults, s.rig.map, &s.rig.o, 1, 0, NULL));
    assert_false(snn_faults_some(&s.faults));
    assert_true(snn_faults_of_rows(&s.faults, 0, 0, 10, &list, NULL));
    assert_int_equal(list.n, 0);
    shares_free(&s);
}

/* ---- files ---- */

static char path[64];

static void write_bytes(const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static void write_array(snn_npy_type type, int dims, const uint64_t *shape, const void *data, size_t size) {
    snn_file *f = snn_file_create(path, 0644, NULL);
    assert_non_null(f);
    assert_true(snn_npy_write_header(f, type, dims, shape, NULL));
    assert_int_equal(fwrite(data, 1, size, snn_file_stream(f)), size);
    assert_true(snn_file_commit(f, NULL));
}

/* 16 inputs by 3 outputs of 4 bits in arrays of 8 x 8 with one spare row and two spare columns: 2 x 2 arrays of 9 x 10. */
static void small_rig(chip_rig *r) {
    snn_map_options o = rig_options(8, 8);
    o.spare_rows = 1;
    o.spare_columns = 2;
    rig_init(r, 4, 3, 4, 1, o);
    assert_int_equal(r->map->tiles, 4);
    assert_int_equal(r->map->all_rows, 9);
    assert_int_equal(r->map->all_columns, 10);
    strcpy(path, "/tmp/test_faults.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    r->o.fault_map = path;
}

static void small_free(chip_rig *r) {
    unlink(path);
    rig_free(r);
}

static void expect(const chip_rig *r, uint8_t want[4][9][10]) {
    snn_faults f;
    snn_error err = {0};
    if (!snn_faults_init(&f, r->map, &r->o, 1, 0, &err))
        fail_msg("%s", err.text);
    for (uint32_t t = 0; t < 4; t++) {
        snn_fault_list list = {0};
        size_t n = 0;
        for (uint32_t row = 0; row < 9; row++)
            for (uint32_t c = 0; c < 10; c++) {
                assert_int_equal(snn_faults_at(&f, &(snn_cell){t, row, c}), want[t][row][c]);
                n += want[t][row][c] != 0 && row >= 2 && row < 9;
            }
        assert_true(snn_faults_of_rows(&f, t, 2, 7, &list, NULL));
        assert_int_equal(list.n, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(list.cell[i].fault, want[t][list.cell[i].row][list.cell[i].column]);
        free(list.cell);
    }
    assert_true(snn_faults_some(&f));
    snn_faults_free(&f);
}

/* The error of reading what the file has, and its code. */
static void refuse(const chip_rig *r, const char *text) {
    snn_faults f;
    snn_error err = {0};
    assert_false(snn_faults_init(&f, r->map, &r->o, 1, 0, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (strstr(err.text, text) == NULL || strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("'%s' is not in '%s'", text, err.text);
    assert_false(snn_faults_init(&f, r->map, &r->o, 1, 0, NULL));
    snn_faults_free(&f);
}

static void refuse_text(const chip_rig *r, const char *lines, const char *text) {
    write_bytes(lines, strlen(lines));
    refuse(r, text);
}

static void maps_are_read_from_arrays(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    uint8_t want[4][9][10] = {0};
    for (uint32_t i = 0; i < 360; i++)
        (&want[0][0][0])[i] = (uint8_t)(i % 7 == 0 ? 1 : i % 11 == 5 ? 2 : 0);
    want[3][8][9] = 2;
    const uint64_t shape[] = {4, 9, 10};
    write_array(SNN_NPY_U8, 3, shape, want, sizeof want);
    expect(&r, want);
    small_free(&r);
}

static void maps_are_read_from_text(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    uint8_t want[4][9][10] = {0};
    want[3][8][9] = SNN_CELL_STUCK_LRS;
    want[0][0][0] = SNN_CELL_STUCK_HRS;
    want[0][0][1] = SNN_CELL_STUCK_LRS;
    want[1][4][7] = SNN_CELL_STUCK_HRS;
    const char *text = "# array row column fault\n3 8 9 stuck_lrs\n\n  0\t0 0   stuck_hrs  # first\r\n"
                       "1 4 7 stuck_hrs\n0 0 1 stuck_lrs";
    write_bytes(text, strlen(text));
    expect(&r, want);
    small_free(&r);
}

static void an_empty_map_is_a_chip_without_faults(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    r.o.device.stuck_hrs = 0.5; /* the map stands instead of it */
    snn_faults f;
    assert_true(snn_faults_init(&f, r.map, &r.o, 1, 0, NULL));
    assert_false(snn_faults_some(&f));
    for (uint32_t c = 0; c < 10; c++)
        assert_int_equal(snn_faults_at(&f, &(snn_cell){3, 8, c}), SNN_CELL_WORKS);
    snn_faults_free(&f);
    small_free(&r);
}

static void bad_arrays_are_refused(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    uint8_t item[4 * 9 * 10 * 2] = {0};
    static const uint64_t shapes[][3] = {{3, 9, 10}, {4, 8, 10}, {4, 9, 8}, {4, 10, 9}};
    for (size_t i = 0; i < 4; i++) {
        write_array(SNN_NPY_U8, 3, shapes[i], item, (size_t)(shapes[i][0] * shapes[i][1] * shapes[i][2]));
        refuse(&r, "expected 4 arrays x 9 rows x 10 columns");
    }
    write_array(SNN_NPY_U8, 3, shapes[0], item, 270);
    refuse(&r, "has shape 3 x 9 x 10");
    const uint64_t flat[] = {360};
    write_array(SNN_NPY_U8, 1, flat, item, 360);
    refuse(&r, "has shape 360");
    write_array(SNN_NPY_U8, 0, flat, item, 1);
    refuse(&r, "has shape none");
    const uint64_t shape[] = {4, 9, 10};
    write_array(SNN_NPY_I16, 3, shape, item, 720);
    refuse(&r, "uint8");
    item[(2 * 9 + 5) * 10 + 3] = 3;
    write_array(SNN_NPY_U8, 3, shape, item, 360);
    refuse(&r, "array 2, row 5, column 3: 3, expected 0 (works), 1 (stuck at HRS) or 2 (stuck at LRS)");
    truncate(path, 300);
    refuse(&r, "");
    truncate(path, 20);
    refuse(&r, "");
    small_free(&r);
}

static void bad_lines_are_refused(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    refuse_text(&r, "0 0 0 stuck_hrs\n4 0 0 stuck_hrs\n", ":2: array '4' is not a number of 0 to 3");
    refuse_text(&r, "0 9 0 stuck_hrs\n", ":1: row '9' is not a number of 0 to 8");
    refuse_text(&r, "\n\n0 0 10 stuck_hrs\n", ":3: column '10' is not a number of 0 to 9");
    refuse_text(&r, "0 0 -1 stuck_hrs\n", "column '-1' is not a number");
    refuse_text(&r, "0 0x 1 stuck_hrs\n", "row '0x' is not a number");
    refuse_text(&r, "18446744073709551616 0 1 stuck_hrs\n", "array '18446744073709551616' is not a number");
    refuse_text(&r, "0 0\n", ":1: expected 'array row column stuck_hrs|stuck_lrs'");
    refuse_text(&r, "0 0 1\n", ":1: expected stuck_hrs or stuck_lrs");
    refuse_text(&r, "0 0 1 stuck\n", ":1: expected stuck_hrs or stuck_lrs");
    refuse_text(&r, "0 0 1 stuck_lrs 5\n", ":1: expected nothing behind");
    refuse_text(&r, "0 0 1 stuck_lrs\n1 0 1 stuck_lrs\n0 0 1 stuck_hrs\n",
                ":3: names the same cell as line 1");
    write_bytes("0 0 1 stuck_lrs\n\0", 17);
    refuse(&r, "byte 16: zero byte");
    unlink(path);
    refuse(&r, "cannot be opened");
    small_free(&r);
}

static void a_file_named_npy_must_be_one(void **state) {
    (void)state;
    chip_rig r;
    small_rig(&r);
    unlink(path);
    strcat(path, ".npy");
    write_bytes("0 0 0 stuck_hrs\n", 16);
    refuse(&r, "not a NumPy .npy file");
    small_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_follow_their_description),
        cmocka_unit_test(parts_of_an_array_are_those_of_the_whole),
        cmocka_unit_test(shares_and_clusters_are_as_asked),
        cmocka_unit_test(chips_and_seeds_have_faults_of_their_own),
        cmocka_unit_test(without_shares_or_effect_nothing_is_stuck),
        cmocka_unit_test(maps_are_read_from_arrays),
        cmocka_unit_test(maps_are_read_from_text),
        cmocka_unit_test(an_empty_map_is_a_chip_without_faults),
        cmocka_unit_test(bad_arrays_are_refused),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(a_file_named_npy_must_be_one),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
