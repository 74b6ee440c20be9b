/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chip files: a loaded chip is the same chip; same bytes for same content; files of other chips, damaged and hostile ones are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <hdf5.h>
#include <snnsim/hdf5_file.h>
#include <snnsim/output.h>

#include "../../hw/chip_file.h"
#include "chip_test.h"

static char path[64], other[64];

static int make_paths(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_chip_file.%d.h5", (int)getpid());
    snprintf(other, sizeof other, "/tmp/test_chip_file.%d.b", (int)getpid());
    return 0;
}

static int remove_paths(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return 0;
}

/* 49 inputs, 11 outputs of 8 bits in arrays of 20 x 40: 3 x 3 arrays; spread, faults by share, spares, placement. */
static void rich_rig(chip_rig *r, bool repair, uint32_t code_bits) {
    snn_map_options o = rig_options(20, 40);
    if (repair)
        o.spare_rows = 2, o.spare_columns = 3;
    o.code_bits = code_bits;
    rig_init(r, 7, 11, 8, 13, o);
    snn_device *d = &r->o.device;
    d->sigma_program = (snn_polynomial){2, {0.5, 0.02}};
    d->retention = SNN_RETENTION_TABLE;
    d->points = 2;
    d->point[0] = (snn_retention_point){1, {1, {0.1}}, {2, {0.6, 0.02}}};
    d->point[1] = (snn_retention_point){86400, {1, {0.2}}, {2, {0.9, 0.03}}};
    d->chip_variation = 0.05;
    d->stuck_hrs = 0.03;
    d->stuck_lrs = 0.02;
    d->disturb = 0.01;
    d->disturb_reads = 10;
    r->o.condition.seconds = 3600;
    r->o.msb_placement = repair;
}

static void save(const snn_chip *c, const char *to) {
    snn_error err = {0};
    if (!snn_chip_save(c, to, &err))
        fail_msg("%s", err.text);
}

static snn_chip *load(const chip_rig *r) {
    snn_error err = {0};
    snn_chip *c = snn_chip_load(r->map, &r->o, path, &err);
    if (c == NULL)
        fail_msg("%s", err.text);
    return c;
}

/* Loading must fail with DATA and a sentence that has `text`. */
static void refuse(const chip_rig *r, const char *text) {
    snn_error err = {0};
    assert_null(snn_chip_load(r->map, &r->o, path, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (strstr(err.text, text) == NULL || strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("'%s' is not in '%s'", text, err.text);
    assert_null(snn_chip_load(r->map, &r->o, path, NULL));
}

static void assert_same_chip(const chip_rig *r, const snn_chip *a, const snn_chip *b) {
    assert_true(snn_chip_number(a) == snn_chip_number(b) && snn_chip_seed(a) == snn_chip_seed(b) &&
                snn_chip_reads(a) == snn_chip_reads(b));
    assert_memory_equal(snn_chip_stats(a), snn_chip_stats(b), sizeof(snn_program_stats));
    char x[65], y[65];
    snn_weights_digest(snn_chip_stored(a), x);
    snn_weights_digest(snn_chip_stored(b), y);
    assert_string_equal(x, y);
    float *g = rig_conductances(r, a), *h = rig_conductances(r, b);
    assert_memory_equal(g, h,
                        (size_t)r->map->tiles * r->map->options.rows * r->map->options.columns * sizeof *g);
    free(g);
    free(h);
    for (uint32_t t = 0; t < r->map->tiles; t++)
        for (uint32_t row = 0; row < r->map->options.rows; row++)
            for (uint32_t column = 0; column < r->map->options.columns + r->map->check_columns; column++) {
                const snn_cell cell = {t, row, column};
                const snn_cell p = snn_chip_place(a, &cell), q = snn_chip_place(b, &cell);
                assert_memory_equal(&p, &q, sizeof p);
                assert_int_equal(snn_chip_fault(a, &p), snn_chip_fault(b, &q));
                assert_int_equal(snn_chip_level(a, &cell), snn_chip_level(b, &cell));
            }
}

static void a_loaded_chip_is_the_same_chip(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        chip_rig r;
        rich_rig(&r, i & 1, i & 2 ? 16 : 0);
        if (i == 3)
            r.o.condition.verify_window = 1;
        snn_chip *c = rig_chip(&r, 12345678901u);
        assert_true(snn_chip_stats(c)->stuck_hrs > 0 && snn_chip_stats(c)->pulses > 0);
        snn_chip_add_reads(c, 12345);
        save(c, path);
        r.o.seed = 8; /* of other chips: this one keeps its own */
        snn_chip *back = load(&r);
        assert_same_chip(&r, c, back);
        snn_chip_free(back);
        snn_chip_free(c);
        rig_free(&r);
    }
}

static void faults_of_a_map_are_in_the_file(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    fprintf(f, "0 0 0 stuck_lrs\n8 21 42 stuck_hrs\n8 0 5 stuck_lrs\n4 19 3 stuck_hrs\n0 0 1 stuck_hrs\n");
    fclose(f);
    r.o.fault_map = other;
    snn_chip *c = rig_chip(&r, 1);
    save(c, path);
    unlink(other);
    r.o.fault_map = NULL;
    snn_chip *back = load(&r);
    assert_same_chip(&r, c, back);
    assert_int_equal(snn_chip_fault(back, &(snn_cell){8, 21, 42}), SNN_CELL_STUCK_HRS);
    assert_int_equal(snn_chip_fault(back, &(snn_cell){8, 21, 41}), SNN_CELL_WORKS);
    save(back, other);
    snn_chip_free(back);
    snn_chip_free(c);
    /* an empty map is a map too: nothing is stuck, whatever the device says */
    f = fopen(other, "w");
    fclose(f);
    r.o.fault_map = other;
    c = rig_chip(&r, 1);
    save(c, path);
    r.o.fault_map = NULL;
    back = load(&r);
    assert_same_chip(&r, c, back);
    assert_false(snn_faults_some(&back->faults));
    snn_chip_free(back);
    snn_chip_free(c);
    rig_free(&r);
}

static void chips_without_faults_stay_so(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, false, 0);
    r.o.condition.effects &= ~(1u << SNN_EFFECT_STUCK);
    snn_chip *c = rig_chip(&r, 1);
    save(c, path);
    r.o.condition.effects = ALL_EFFECTS;
    snn_chip *back = load(&r);
    assert_false(snn_faults_some(&back->faults));
    assert_same_chip(&r, c, back);
    snn_chip_free(back);
    snn_chip_free(c);
    rig_free(&r);
}

static void same_content_same_bytes(void **state) {
    (void)state;
    chip_rig r;
    uint8_t *a, *b;
    size_t n, m;
    rich_rig(&r, true, 0);
    snn_chip *c = rig_chip(&r, 3);
    save(c, path);
    snn_chip *back = load(&r);
    sleep(1); /* a time stamp would show */
    save(back, other);
    assert_true(snn_file_read(path, 1 << 24, &a, &n, NULL) && snn_file_read(other, 1 << 24, &b, &m, NULL));
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    assert_memory_equal(a, "snnsim chip 1\n", 14);
    free(a);
    free(b);
    snn_chip_free(back);
    snn_chip_free(c);
    rig_free(&r);
}

/* ---- other chips ---- */

static void other_devices_and_options_are_named(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0);
    snn_chip *c = rig_chip(&r, 0);
    save(c, path);
    snn_chip_free(c);
    const snn_hw_options o = r.o;
#define DIFFERENT(assignment, text)                                                                          \
    do {                                                                                                     \
        r.o = o;                                                                                             \
        assignment;                                                                                          \
        refuse(&r, "the chip was made with another " text);                                                  \
    } while (0)
    DIFFERENT(strcpy(r.o.device.name, "milo"), "device: 'test', here it is 'milo'");
    DIFFERENT(r.o.device.g_max = 40, "g_max: '41', here it is '40'");
    DIFFERENT(r.o.device.g_min = 2, "g_min: '1', here it is '2'");
    DIFFERENT(r.o.device.levels = 2, "levels: '16', here it is '2'");
    DIFFERENT(r.o.device.lognormal = true, "programming form: 'normal', here it is 'lognormal'");
    DIFFERENT(r.o.device.sigma_program.c[1] = 0.03, "programming sigma: '0.5 0.02");
    DIFFERENT(r.o.device.sigma_program.terms = 0, "programming sigma: '0.5 0.02");
    DIFFERENT(r.o.device.lognormal_hrs = 1, "lognormal_hrs");
    DIFFERENT(r.o.device.lognormal_sigma = 1, "lognormal_sigma");
    DIFFERENT(r.o.device.cell_variation = 0.1, "cell_variation");
    DIFFERENT(r.o.device.chip_variation = 0.1, "chip_variation");
    DIFFERENT(r.o.device.retention = SNN_RETENTION_LOG, "retention form");
    DIFFERENT(r.o.device.point[1].seconds = 80000, "retention seconds: '86400', here it is '80000'");
    DIFFERENT(r.o.device.point[1].shift.c[0] = 0.3, "retention shift");
    DIFFERENT(r.o.device.point[0].sigma.c[0] = 0.3, "retention sigma");
    DIFFERENT(r.o.device.t0 = 2, "retention t0");
    DIFFERENT(r.o.device.mean_per_ln = 2, "retention mean_per_ln");
    DIFFERENT(r.o.device.sigma_per_ln = 2, "retention sigma_per_ln");
    DIFFERENT(r.o.device.sigma_0 = 2, "retention sigma_0");
    DIFFERENT(r.o.device.exponent = 2, "retention exponent");
    DIFFERENT(r.o.device.activation_ev = 1, "activation_ev");
    DIFFERENT(r.o.device.reference_kelvin = 301, "reference_kelvin");
    DIFFERENT(r.o.device.white = 1, "white");
    DIFFERENT(r.o.device.telegraph_share = 1, "telegraph_share");
    DIFFERENT(r.o.device.telegraph_step = 1, "telegraph_step");
    DIFFERENT(r.o.device.telegraph_amplitude = 1, "telegraph_amplitude");
    DIFFERENT(r.o.device.one_over_f = 1, "one_over_f:");
    DIFFERENT(r.o.device.one_over_f_log = 1, "one_over_f_log");
    DIFFERENT(r.o.device.one_over_f_time = 1, "one_over_f_time");
    DIFFERENT(r.o.device.stuck_hrs = 0.1, "stuck_hrs");
    DIFFERENT(r.o.device.stuck_lrs = 0.1, "stuck_lrs");
    DIFFERENT(r.o.device.stuck_cluster = 2, "stuck_cluster: '1', here it is '2'");
    DIFFERENT(r.o.device.disturb = 1, "disturb:");
    DIFFERENT(r.o.device.disturb_reads = 1, "disturb_reads");
    DIFFERENT(r.o.device.sense_offset = 1, "sense_offset");
    DIFFERENT(r.o.device.sense_noise = 1, "sense_noise");
    DIFFERENT(r.o.condition.verify_window = 1, "verify window: '0', here it is '1'");
    DIFFERENT(r.o.msb_placement = false, "msb placement: 'true', here it is 'false'");
#undef DIFFERENT
    r.o = o;
    r.o.device.points = 1;
    refuse(&r, "the chip was made with 'retention seconds = 86400', here is 'retention t0 = 1'");
    /* how it is read, what it costs, and what cannot matter, may differ */
    r.o = o;
    r.o.condition.seconds = 5;
    r.o.condition.effects = 0;
    r.o.condition.verify_pulses = 7;
    r.o.device.read_volt = 1;
    snn_chip_free(load(&r));
    rig_free(&r);
}

static void other_maps_are_named(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0);
    snn_chip *c = rig_chip(&r, 0);
    save(c, path);
    snn_chip_free(c);
    rig_free(&r);
    static const struct {
        uint32_t outputs, rows, columns, spare_rows, spare_columns, code_bits;
        int bits, cell_bits;
        bool gray;
        const char *text;
    } maps[] = {
        {11, 21, 40, 2, 3, 0, 8, 1, true, "another array: '20x40', here it is '21x40'"},
        {11, 20, 48, 2, 3, 0, 8, 1, true, "another array: '20x40', here it is '20x48'"},
        {11, 20, 40, 1, 3, 0, 8, 1, true, "another spare rows: '2', here it is '1'"},
        {11, 20, 40, 2, 2, 0, 8, 1, true, "another spare columns: '3', here it is '2'"},
        {11, 20, 40, 2, 3, 8, 8, 1, true, "another SEC-DED data bits: '0', here it is '8'"},
        {11, 20, 40, 2, 3, 0, 8, 2, true, "another cell bits: '1', here it is '2'"},
        {12, 20, 40, 2, 3, 0, 8, 1, true,
         "another layer 0: 'fc, 49 inputs, 11 outputs, 8-bit sign_magnitude codes', here it is 'fc, 49 "
         "inputs, 12 outputs"},
        {11, 20, 40, 2, 3, 0, 6, 1, true,
         "here it is 'fc, 49 inputs, 11 outputs, 6-bit sign_magnitude codes'"},
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        snn_map_options o = {.rows = maps[i].rows,
                             .columns = maps[i].columns,
                             .cell_bits = maps[i].cell_bits,
                             .gray = maps[i].gray,
                             .spare_rows = maps[i].spare_rows,
                             .spare_columns = maps[i].spare_columns,
                             .code_bits = maps[i].code_bits};
        chip_rig x;
        rich_rig(&x, true, 0);
        const snn_hw_options options = x.o;
        rig_free(&x);
        rig_init(&x, 7, maps[i].outputs, maps[i].bits, 13, o);
        x.o = options;
        refuse(&x, maps[i].text);
        rig_free(&x);
    }
}

/* Levels of several bits have an order; a cell of one bit is the same whatever hw.gray says. */
static void numbering_of_levels(void **state) {
    (void)state;
    for (int cell_bits = 1; cell_bits <= 2; cell_bits++)
        for (int gray = 0; gray < 2; gray++) {
            chip_rig r;
            snn_map_options o = rig_options(20, 40);
            o.cell_bits = cell_bits;
            o.gray = gray;
            rig_init(&r, 7, 11, 8, 13, o);
            snn_chip *c = rig_chip(&r, 3);
            save(c, path);
            chip_rig x;
            o.gray = !gray;
            rig_init(&x, 7, 11, 8, 13, o);
            if (cell_bits == 1) {
                snn_chip *loaded = load(&x);
                assert_same_chip(&x, c, loaded);
                snn_chip_free(loaded);
            } else {
                refuse(&x, gray ? "another level numbering: 'gray', here it is 'binary'"
                                : "another level numbering: 'binary', here it is 'gray'");
            }
            snn_chip_free(c);
            rig_free(&x);
            rig_free(&r);
        }
}

static void line_by_line(void **state) {
    (void)state;
    snn_error err = {0};
    assert_true(snn_chip_made_same("f", "a = 1\nb =\n", "a = 1\nb =\n", &err));
    assert_true(snn_chip_made_same("f", "", "", &err));
    static const char *const cases[][3] = {
        {"a = 1\n", "a = 2\n", "f: the chip was made with another a: '1', here it is '2'"},
        {"a = 1\n", "b = 1\n", "f: the chip was made with 'a = 1', here is 'b = 1'"},
        {"a = 1\n", "", "f: the chip was made with 'a = 1', here is ''"},
        {"", "a = 1\n", "f: the chip was made with '', here is 'a = 1'"},
        {"a =\n", "a = 1\n", "f: the chip was made with another a: '', here it is '1'"},
        {"a = 1", "a = 12\n", "f: the chip was made with another a: '1', here it is '12'"},
        {"=1\n", "a = 1\n", "f: the chip was made with '=1', here is 'a = 1'"},
        {"junk\n", "a = 1\n", "f: the chip was made with 'junk', here is 'a = 1'"},
        {"a=\n", "a = 1\n", "f: the chip was made with 'a=', here is 'a = 1'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(snn_chip_made_same("f", cases[i][0], cases[i][1], &err));
        assert_string_equal(err.text, cases[i][2]);
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
}

/* ---- damage ---- */

static void damaged_files_are_refused(void **state) {
    (void)state;
    chip_rig r;
    uint8_t *data;
    size_t size;
    rich_rig(&r, true, 0);
    snn_chip *c = rig_chip(&r, 0);
    save(c, path);
    snn_chip_free(c);
    assert_true(snn_file_read(path, 1 << 24, &data, &size, NULL));
    static const size_t cuts[] = {0, 1, 13, 14, 100, 511, 512, 513, 2000};
    for (size_t i = 0; i <= sizeof cuts / sizeof *cuts; i++) {
        size_t n = i < sizeof cuts / sizeof *cuts ? cuts[i] : size - 1;
        FILE *f = fopen(path, "wb");
        assert_int_equal(fwrite(data, 1, n, f), n);
        fclose(f);
        refuse(&r, n < 14 ? "is no chip file of snnsim" : "was damaged, cut short or changed");
    }
    for (size_t i = 0; i < size; i += size / 97 + 1) {
        if (i >= 14 + 64 && i < 512) /* zeros behind the digest: not covered by it, and of no use */
            continue;
        data[i] ^= 0x10;
        FILE *f = fopen(path, "wb");
        assert_int_equal(fwrite(data, 1, size, f), size);
        fclose(f);
        refuse(&r, i < 14 ? "is no chip file" : "was damaged");
        data[i] ^= 0x10;
    }
    free(data);
    unlink(path);
    snn_error err = {0};
    assert_null(snn_chip_load(r.map, &r.o, path, &err));
    assert_non_null(strstr(err.text, path));
    rig_free(&r);
}

/* ---- hostile: files with a good digest ---- */

static void reseal(void) {
    uint8_t *data;
    size_t size;
    assert_true(snn_file_read(path, 1 << 24, &data, &size, NULL));
    snn_hdf5_block_fill(data, size, SNN_CHIP_LINE);
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    free(data);
}

static hid_t open_group(const chip_rig *r, const char *fault_map, hid_t *file) {
    chip_rig copy = *r;
    if (fault_map != NULL) {
        FILE *f = fopen(other, "w");
        fputs(fault_map, f);
        fclose(f);
        copy.o.fault_map = other;
    }
    snn_chip *c = rig_chip(&copy, 0);
    save(c, path);
    snn_chip_free(c);
    *file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(*file >= 0);
    return H5Gopen2(*file, "snnsim", H5P_DEFAULT);
}

static void close_group(hid_t group, hid_t file) {
    H5Gclose(group);
    H5Fclose(file);
    reseal();
}

static void hostile_attributes(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, false, 0);
    static const struct {
        const char *name;
        int32_t value; /* -1: left out */
        const char *text;
    } cases[] = {{"format", 2, "format 2 is not known"},
                 {"format", -1, "attribute 'format' is missing"},
                 {"faults", 3, "faults of kind 3"},
                 {"faults", SNN_CHIP_FAULTS_LIST, "faults: is missing"},
                 {"faults", -1, "attribute 'faults' is missing"},
                 {"seed", -1, "attribute 'seed' is missing"},
                 {"number", -1, "attribute 'number' is missing"},
                 {"reads", -1, "attribute 'reads' is missing"},
                 {"pulses", -1, "attribute 'pulses' is missing"},
                 {"digest", -1, "attribute 'digest' is missing"},
                 {"digest", 5, "attribute 'digest' is not a single string"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file, group = open_group(&r, NULL, &file);
        assert_true(H5Adelete(group, cases[i].name) >= 0);
        if (cases[i].value >= 0)
            assert_true(snn_hdf5_put_int(group, cases[i].name, cases[i].value));
        close_group(group, file);
        refuse(&r, cases[i].text);
    }
    hid_t file, group = open_group(&r, NULL, &file);
    char digest[65];
    memset(digest, 'a', 64);
    digest[64] = '\0';
    H5Adelete(group, "digest");
    assert_true(snn_hdf5_put_string(group, "digest", digest));
    close_group(group, file);
    refuse(&r, "the weights do not match their digest");
    group = open_group(&r, NULL, &file);
    H5Ldelete(group, "made", H5P_DEFAULT);
    close_group(group, file);
    refuse(&r, "made: is missing");
    group = open_group(&r, NULL, &file);
    H5Ldelete(group, "weights", H5P_DEFAULT);
    close_group(group, file);
    refuse(&r, "weights: is missing");
    group = open_group(&r, NULL, &file);
    H5Ldelete(file, "snnsim", H5P_DEFAULT);
    close_group(group, file);
    refuse(&r, "snnsim: is missing");
    rig_free(&r);
}

/* Puts a table in place of another. */
static void replace(hid_t group, const char *name, hid_t type, int dims, uint64_t rows, uint64_t columns,
                    const uint32_t *data) {
    const uint64_t shape[] = {rows, columns, 1};
    assert_true(H5Ldelete(group, name, H5P_DEFAULT) >= 0);
    hid_t d = snn_hdf5_put_array(group, name, type, H5T_NATIVE_UINT32, dims, shape, data);
    assert_true(d >= 0);
    H5Dclose(d);
}

static void hostile_faults(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0); /* arrays of 22 x 43 */
    static const struct {
        uint32_t entry[8];
        const char *text; /* NULL: fine */
    } cases[] = {
        {{0, 0, 0, 1, 8, 21, 42, 2}, NULL},
        {{0, 0, 1, 1, 9, 0, 0, 1}, "fault 1 is in array 9, row 0, column 0, expected below 9, 22, 43"},
        {{0, 0, 1, 1, 8, 22, 0, 1}, "fault 1 is in array 8, row 22"},
        {{0, 0, 1, 1, 8, 0, 43, 1}, "fault 1 is in array 8, row 0, column 43"},
        {{0, 0, 1, 0, 8, 0, 0, 1}, "fault 0 is of kind 0"},
        {{0, 0, 1, 3, 8, 0, 0, 1}, "fault 0 is of kind 3"},
        {{0, 0, 1, 1, 0, 0, 1, 1}, "fault 1 does not stand behind"},
        {{0, 0, 2, 1, 0, 0, 1, 1}, "fault 1 does not stand behind"},
        {{0, 1, 0, 1, 0, 0, 5, 1}, "fault 1 does not stand behind"},
        {{1, 0, 0, 1, 0, 5, 5, 1}, "fault 1 does not stand behind"},
        {{0, 1, 5, 1, 1, 0, 0, 1}, NULL},
        {{0, 0, 5, 1, 0, 1, 0, 1}, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file, group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
        replace(group, "faults", H5T_STD_U32LE, 2, 2, 4, cases[i].entry);
        close_group(group, file);
        if (cases[i].text != NULL)
            refuse(&r, cases[i].text);
        else
            snn_chip_free(load(&r));
    }
    const uint32_t zero[40] = {0};
    hid_t file, group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
    replace(group, "faults", H5T_STD_U32LE, 2, 2, 5, zero);
    close_group(group, file);
    refuse(&r, "faults: has shape 2 x 5, expected 2 x 4");
    group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
    replace(group, "faults", H5T_STD_U32LE, 1, 8, 1, zero);
    close_group(group, file);
    refuse(&r, "faults: has shape 8");
    group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
    replace(group, "faults", H5T_STD_U16LE, 2, 2, 4, zero);
    close_group(group, file);
    refuse(&r, "number type other than uint32");
    group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
    replace(group, "faults", H5T_STD_I32LE, 2, 2, 4, zero);
    close_group(group, file);
    refuse(&r, "number type other than uint32");
    rig_free(&r);
}

/* A data set that announces more than its file has. */
static void hollow(hid_t group, const char *name, hsize_t rows, hsize_t columns) {
    const hsize_t shape[] = {rows, columns}, chunk[] = {1024, columns};
    assert_true(H5Ldelete(group, name, H5P_DEFAULT) >= 0);
    hid_t space = H5Screate_simple(2, shape, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 2, chunk);
    H5Pset_deflate(create, 1);
    H5Dclose(H5Dcreate2(group, name, H5T_STD_U32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
    H5Pclose(create);
    H5Sclose(space);
}

static void hostile_sizes(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0);
    static const hsize_t rows[] = {1u << 20, (hsize_t)1 << 40, (hsize_t)1 << 62};
    static const char *const texts[] = {"less data", "less data", "is too large"};
    for (int i = 0; i < 3; i++) {
        hid_t file, group = open_group(&r, "0 0 0 stuck_hrs\n", &file);
        hollow(group, "faults", rows[i], 4);
        close_group(group, file);
        refuse(&r, texts[i]);
    }
    rig_free(&r);
}

static void hostile_repair(void **state) {
    (void)state;
    chip_rig r;
    rich_rig(&r, true, 0);
    uint32_t rows[9 * 20], columns[9 * 40];
    for (int i = 0; i < 9 * 20; i++)
        rows[i] = (uint32_t)i % 20;
    for (int i = 0; i < 9 * 40; i++)
        columns[i] = (uint32_t)i % 40;
    for (int i = 0; i < 6; i++) {
        uint32_t row = rows[5], column = columns[5];
        hid_t file, group = open_group(&r, NULL, &file);
        rows[5] = i == 1 ? 22 : i == 2 ? 4 : 5;
        columns[5] = i == 3 ? 43 : i == 4 ? 4 : i == 5 ? 42 : 5;
        replace(group, "rows", H5T_STD_U32LE, 2, 9, 20, rows);
        replace(group, "columns", H5T_STD_U32LE, 2, 9, 40, columns);
        close_group(group, file);
        rows[5] = row, columns[5] = column;
        if (i == 0 || i == 5) {
            snn_chip *c = load(&r);
            assert_true(snn_chip_stats(c)->columns_replaced == (i == 5) &&
                        snn_chip_stats(c)->rows_replaced == 0);
            assert_int_equal(snn_chip_place(c, &(snn_cell){0, 0, 5}).column, i == 5 ? 42 : 5);
            snn_chip_free(c);
        } else {
            refuse(&r, "");
        }
    }
    hid_t file, group = open_group(&r, NULL, &file);
    replace(group, "rows", H5T_STD_U32LE, 2, 8, 20, rows);
    close_group(group, file);
    refuse(&r, "rows: has shape 8 x 20, expected 9 x 20");
    group = open_group(&r, NULL, &file);
    H5Ldelete(group, "columns", H5P_DEFAULT);
    close_group(group, file);
    refuse(&r, "columns: is missing");
    rig_free(&r);
}

static void a_file_that_cannot_be_written(void **state) {
    (void)state;
    chip_rig r;
    snn_error err = {0};
    rich_rig(&r, false, 0);
    snn_chip *c = rig_chip(&r, 0);
    assert_false(snn_chip_save(c, "/nonexistent/folder/chip.h5", &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    snn_chip_free(c);
    rig_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_chip_is_the_same_chip),
        cmocka_unit_test(faults_of_a_map_are_in_the_file),
        cmocka_unit_test(chips_without_faults_stay_so),
        cmocka_unit_test(same_content_same_bytes),
        cmocka_unit_test(other_devices_and_options_are_named),
        cmocka_unit_test(other_maps_are_named),
        cmocka_unit_test(numbering_of_levels),
        cmocka_unit_test(line_by_line),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(hostile_attributes),
        cmocka_unit_test(hostile_faults),
        cmocka_unit_test(hostile_sizes),
        cmocka_unit_test(hostile_repair),
        cmocka_unit_test(a_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests_name("chip_file", tests, make_paths, remove_paths);
}
