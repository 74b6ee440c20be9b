/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files of our own: the block in front, attributes, texts and tables there and back, what is refused. Whole files: test_model.c, test_chip_file.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <hdf5.h>
#include <snnsim/hdf5_file.h>
#include <snnsim/output.h>

static char path[64];
static const char line[] = "snnsim test 1\n";

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_hdf5_file.%d.h5", (int)getpid());
    return 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

/* ---- the block ---- */

static void write_bytes(const uint8_t *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static void a_block_vouches_for_all_bytes_behind_it(void **state) {
    (void)state;
    uint8_t image[700];
    bool found;
    snn_error err = {0};
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)i;
    snn_hdf5_block_fill(image, sizeof image, line);
    assert_memory_equal(image, line, strlen(line));
    assert_int_equal(image[strlen(line) + 64], '\n');
    for (size_t i = strlen(line) + 65; i < 512; i++)
        assert_int_equal(image[i], 0);
    assert_int_equal(image[512], 0);
    assert_int_equal(image[699], 699 & 255);
    write_bytes(image, sizeof image);
    assert_true(snn_hdf5_block_check(path, line, &found, &err) && found);
    assert_true(snn_hdf5_block_check(path, "snnsim other 1\n", &found, &err) && !found);
    static const size_t places[] = {14, 77, 512, 600, 699};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        image[places[i]] ^= 1;
        write_bytes(image, sizeof image);
        image[places[i]] ^= 1;
        assert_false(snn_hdf5_block_check(path, line, &found, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
    for (size_t n = strlen(line); n < sizeof image; n += 17) {
        write_bytes(image, n);
        assert_false(snn_hdf5_block_check(path, line, &found, &err));
        assert_true(found);
    }
    write_bytes(image, strlen(line) - 1);
    assert_true(snn_hdf5_block_check(path, line, &found, &err) && !found);
    unlink(path);
    assert_false(snn_hdf5_block_check(path, line, &found, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_false(snn_hdf5_block_check("/tmp", line, &found, &err));
    assert_non_null(strstr(err.text, "cannot be read"));
}

/* ---- there and back ---- */

enum { ITEMS = 5000 };
typedef struct {
    uint16_t item[ITEMS];
} table;

static hsize_t storage(hid_t group, const char *name) {
    hid_t d = H5Dopen2(group, name, H5P_DEFAULT);
    hsize_t n = H5Dget_storage_size(d);
    H5Dclose(d);
    return n;
}

static bool fill(hid_t file, const void *context) {
    const table *t = context;
    static const uint64_t shapes[][3] = {{ITEMS, 1, 1}, {50, 100, 1}, {4095, 1, 1}, {4096, 1, 1}};
    static const int dims[] = {1, 2, 1, 1};
    hid_t g = snn_hdf5_create_group(file, "snnsim");
    bool ok = snn_hdf5_put_int(g, "int", -7) && snn_hdf5_put_u64(g, "u64", UINT64_MAX - 1) &&
              snn_hdf5_put_string(g, "string", "four") && snn_hdf5_put_string(g, "empty", "") &&
              snn_hdf5_put_text(g, "text", "a line\nanother");
    for (int i = 0; i < 4; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        hid_t d = snn_hdf5_put_array(g, name, H5T_STD_U16LE, H5T_NATIVE_UINT16, dims[i], shapes[i], t->item);
        ok = ok && d >= 0 && snn_hdf5_put_int(d, "n", i);
        H5Dclose(d);
    }
    /* zeros: what is compressed takes next to nothing; from 4096 items on it is */
    ok = ok && storage(g, "a") < 200 && storage(g, "b") < 200 && storage(g, "c") == 8190 &&
         storage(g, "d") < 200;
    H5Gclose(g);
    return ok;
}

typedef struct {
    snn_hdf5_guard guard;
    uint64_t budget;
    snn_error err;
    snn_hdf5_reader r;
    hid_t file, group;
} opened;

static void open_it(opened *o) {
    *o = (opened){0};
    snn_hdf5_enter(&o->guard);
    o->r = (snn_hdf5_reader){path, "test", &o->guard, &o->budget, &o->err};
    o->file = snn_hdf5_open_file(&o->r);
    assert_true(o->file >= 0 && o->budget > 0);
    o->group = snn_hdf5_open(&o->r, o->file, "", "snnsim", H5I_GROUP);
    assert_true(o->group >= 0);
}

static void close_it(opened *o) {
    H5Gclose(o->group);
    H5Fclose(o->file);
    snn_hdf5_leave(&o->guard);
}

static void write_it(const char *block) {
    snn_error err = {0};
    table *t = calloc(1, sizeof *t);
    if (!snn_hdf5_write(path, block, fill, t, &err))
        fail_msg("%s", err.text);
    free(t);
}

static void what_is_put_comes_back(void **state) {
    (void)state;
    opened o;
    int32_t i;
    uint64_t u, shape[H5S_MAX_RANK];
    char text[5];
    bool found;
    write_it(line);
    assert_true(snn_hdf5_block_check(path, line, &found, NULL) && found);
    open_it(&o);
    assert_true(snn_hdf5_get_int(&o.r, o.group, "/snnsim", "int", &i) && i == -7);
    assert_true(snn_hdf5_get_u64(&o.r, o.group, "/snnsim", "u64", &u) && u == UINT64_MAX - 1);
    assert_true(snn_hdf5_get_string(&o.r, o.group, "/snnsim", "string", text, 5));
    assert_string_equal(text, "four");
    assert_false(snn_hdf5_get_string(&o.r, o.group, "/snnsim", "string", text, 4));
    assert_true(snn_hdf5_get_string(&o.r, o.group, "/snnsim", "empty", text, 5));
    assert_string_equal(text, "");
    assert_false(snn_hdf5_get_int(&o.r, o.group, "/snnsim", "string", &i));
    assert_non_null(strstr(o.err.text, "attribute 'string' is not a single number"));
    assert_false(snn_hdf5_get_u64(&o.r, o.group, "/snnsim", "none", &u));
    assert_non_null(strstr(o.err.text, "attribute 'none' is missing"));
    char *back = snn_hdf5_get_text(&o.r, o.group, "/snnsim", "text", 14);
    assert_string_equal(back, "a line\nanother");
    free(back);
    assert_null(snn_hdf5_get_text(&o.r, o.group, "/snnsim", "text", 13));
    assert_null(snn_hdf5_get_text(&o.r, o.group, "/snnsim", "a", 100));
    assert_null(snn_hdf5_get_text(&o.r, o.group, "/snnsim", "none", 100));
    assert_non_null(strstr(o.err.text, "/snnsim/none: is missing"));
    hid_t d = snn_hdf5_open(&o.r, o.group, "/snnsim", "b", H5I_DATASET);
    assert_int_equal(snn_hdf5_shape(d, shape), 2);
    assert_true(shape[0] == 50 && shape[1] == 100);
    assert_true(snn_hdf5_check_shape(&o.r, d, "/snnsim", "b", 2, shape));
    assert_false(snn_hdf5_check_shape(&o.r, d, "/snnsim", "b", 1, shape));
    shape[1] = 99;
    assert_false(snn_hdf5_check_shape(&o.r, d, "/snnsim", "b", 2, shape));
    assert_non_null(strstr(o.err.text, "/snnsim/b: has shape 50 x 100, expected 50 x 99"));
    H5Dclose(d);
    assert_true(snn_hdf5_open(&o.r, o.group, "/snnsim", "b", H5I_GROUP) < 0);
    assert_non_null(strstr(o.err.text, "is not a group"));
    close_it(&o);
}

/* A file vouches for at most 1032 times its length, and each data set takes its part of that. */
static void data_costs_its_share_of_the_file(void **state) {
    (void)state;
    opened o;
    write_it(NULL);
    open_it(&o);
    FILE *f = fopen(path, "rb");
    fseek(f, 0, SEEK_END);
    assert_true(o.budget == (uint64_t)ftell(f) * 1032);
    fclose(f);
    hid_t d = snn_hdf5_open(&o.r, o.group, "/snnsim", "a", H5I_DATASET);
    const uint64_t before = o.budget;
    assert_true(snn_hdf5_check_storage(&o.r, d, "/snnsim", "a", 10000));
    assert_true(o.budget == before - 10000);
    o.budget = 9999;
    assert_false(snn_hdf5_check_storage(&o.r, d, "/snnsim", "a", 10000));
    assert_non_null(strstr(o.err.text, "holds less data than its shape asks for"));
    o.budget = 10000;
    assert_true(snn_hdf5_check_storage(&o.r, d, "/snnsim", "a", 10000));
    assert_true(o.budget == 0);
    o.budget = UINT64_MAX;
    const uint64_t most = (H5Dget_storage_size(d) + 1) * 1032 - 1;
    assert_true(snn_hdf5_check_storage(&o.r, d, "/snnsim", "a", most));
    assert_false(snn_hdf5_check_storage(&o.r, d, "/snnsim", "a", most + 1));
    H5Dclose(d);
    d = snn_hdf5_open(&o.r, o.group, "/snnsim", "c", H5I_DATASET); /* not compressed */
    assert_true(snn_hdf5_check_storage(&o.r, d, "/snnsim", "c", 8190));
    assert_false(snn_hdf5_check_storage(&o.r, d, "/snnsim", "c", 8191));
    H5Dclose(d);
    close_it(&o);
}

static bool fail_to_fill(hid_t file, const void *context) {
    (void)context;
    return H5Dopen2(file, "none", H5P_DEFAULT) >= 0;
}

static void a_file_that_cannot_be_made(void **state) {
    (void)state;
    snn_error err = {0};
    unlink(path);
    assert_false(snn_hdf5_write(path, line, fail_to_fill, NULL, &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "the file cannot be put together: "));
    assert_int_equal(access(path, F_OK), -1);
    const uint8_t junk[600] = {1};
    write_bytes(junk, sizeof junk);
    snn_hdf5_guard guard;
    uint64_t budget = 0;
    snn_hdf5_enter(&guard);
    const snn_hdf5_reader r = {path, "test", &guard, &budget, &err};
    assert_true(snn_hdf5_open_file(&r) < 0);
    snn_hdf5_leave(&guard);
    assert_non_null(strstr(err.text, "is no HDF5 file"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_vouches_for_all_bytes_behind_it),
        cmocka_unit_test(what_is_put_comes_back),
        cmocka_unit_test(data_costs_its_share_of_the_file),
        cmocka_unit_test(a_file_that_cannot_be_made),
    };
    return cmocka_run_group_tests_name("hdf5_file", tests, make_path, remove_path);
}
