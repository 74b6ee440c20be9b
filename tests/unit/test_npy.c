/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy files: those that NumPy wrote (tests/golden/npy, make.py), our own, and every kind of broken one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <snnsim/output.h>

#define GOLDEN "tests/golden/npy/"
static char folder[64], file[128];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snn-npy-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/x.npy", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void reads_every_type_numpy_writes(void **state) {
    (void)state;
    static const struct {
        const char *path;
        snn_npy_type type;
        size_t size;
        int low;
    } cases[] = {{GOLDEN "uint8.npy", SNN_NPY_U8, 1, 0},     {GOLDEN "int8.npy", SNN_NPY_I8, 1, -3},
                 {GOLDEN "int16.npy", SNN_NPY_I16, 2, -3},   {GOLDEN "int32.npy", SNN_NPY_I32, 4, -3},
                 {GOLDEN "int64.npy", SNN_NPY_I64, 8, -3},   {GOLDEN "float32.npy", SNN_NPY_F32, 4, -3},
                 {GOLDEN "float64.npy", SNN_NPY_F64, 8, -3}, {GOLDEN "uint16.npy", SNN_NPY_U16, 2, 0},
                 {GOLDEN "uint32.npy", SNN_NPY_U32, 4, 0}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        snn_error e = {0};
        snn_npy h;
        assert_true(snn_npy_open(cases[c].path, &h, &e));
        assert_int_equal(h.type, cases[c].type);
        assert_int_equal(snn_npy_item_size(h.type), cases[c].size);
        assert_int_equal(h.dims, 2);
        assert_int_equal(h.shape[0], 3);
        assert_int_equal(h.shape[1], 4);
        assert_int_equal(h.count, 12);
        assert_int_equal(h.offset, 128);
        union {
            uint8_t u8[12];
            uint16_t u16[12];
            uint32_t u32[12];
            int8_t i8[12];
            int16_t i16[12];
            int32_t i32[12];
            int64_t i64[12];
            float f32[12];
            double f64[12];
        } a;
        assert_true(snn_npy_read(cases[c].path, &h, 2, 9, &a, &e));
        for (int i = 0; i < 9; i++) {
            double got = h.type == SNN_NPY_U8    ? a.u8[i]
                         : h.type == SNN_NPY_U16 ? a.u16[i]
                         : h.type == SNN_NPY_U32 ? a.u32[i]
                         : h.type == SNN_NPY_I8  ? a.i8[i]
                         : h.type == SNN_NPY_I16 ? a.i16[i]
                         : h.type == SNN_NPY_I32 ? a.i32[i]
                         : h.type == SNN_NPY_I64 ? (double)a.i64[i]
                         : h.type == SNN_NPY_F32 ? a.f32[i] / 0.25
                                                 : a.f64[i] / 0.25;
            assert_true(got == i + 2 + cases[c].low);
        }
    }
}

static void shapes_and_versions(void **state) {
    (void)state;
    snn_error e = {0};
    snn_npy h;
    float x;
    assert_true(snn_npy_open(GOLDEN "scalar.npy", &h, &e));
    assert_int_equal(h.dims, 0);
    assert_int_equal(h.count, 1);
    assert_true(snn_npy_read(GOLDEN "scalar.npy", &h, 0, 1, &x, &e) && x == 2.5f);
    assert_true(snn_npy_open(GOLDEN "vector.npy", &h, &e));
    assert_int_equal(h.dims, 1);
    assert_int_equal(h.shape[0], 5);
    assert_true(snn_npy_open(GOLDEN "empty.npy", &h, &e));
    assert_int_equal(h.dims, 2);
    assert_int_equal(h.shape[1], 7);
    assert_int_equal(h.count, 0);
    assert_true(snn_npy_read(GOLDEN "empty.npy", &h, 0, 0, &x, &e));
    assert_true(snn_npy_open(GOLDEN "eight.npy", &h, &e));
    assert_int_equal(h.dims, 8);
    assert_int_equal(h.count, 2);
    int32_t four[4];
    static const char *const versions[] = {GOLDEN "version2.npy", GOLDEN "version3.npy"};
    for (int i = 0; i < 2; i++) {
        assert_true(snn_npy_open(versions[i], &h, &e));
        assert_true(snn_npy_read(versions[i], &h, 0, 4, four, &e));
        assert_int_equal(four[3], 3);
    }
}

static void refuse(const char *path, const char *want) {
    snn_error e = {0};
    snn_npy h;
    assert_false(snn_npy_open(path, &h, &e));
    assert_int_equal(e.code, SNN_ERR_DATA);
    if (!strstr(e.text, want) || strncmp(e.text, path, strlen(path)) != 0)
        fail_msg("'%s' does not say '%s'", e.text, want);
}

static void refuses_by_name(void **state) {
    (void)state;
    refuse(GOLDEN "nine.npy", "more than 8 dimensions");
    refuse(GOLDEN "fortran.npy", "Fortran order");
    refuse(GOLDEN "big.npy", "big-endian elements ('>f4') are not supported; convert with a.astype('<f4')");
    refuse(GOLDEN "bool.npy", "element type '|b1'");
    refuse(GOLDEN "uint64.npy", "element type '<u8'");
    refuse(GOLDEN "complex.npy", "element type '<c8'");
    refuse(GOLDEN "unicode.npy", "element type '<U2'");
    refuse(GOLDEN "structured.npy", "structured arrays");
    refuse(GOLDEN "object.npy", "object arrays ('|O', pickled)");
    refuse(GOLDEN "archive.npz", "zip archive (.npz)");
    refuse(GOLDEN "make.py", "not a NumPy .npy file");
    refuse(GOLDEN "no_such.npy", "No such file");
    refuse("tests/golden/npy", "not a regular file");
}

/* Writes a file with the given version, dict text (padded to nothing) and bytes of data. */
static const char *craft(int major, int minor, const char *dict, size_t dict_size, size_t data) {
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    fwrite("\x93NUMPY", 1, 6, f);
    fputc(major, f);
    fputc(minor, f);
    for (int i = 0; i < (major == 1 ? 2 : 4); i++)
        fputc((int)(dict_size >> 8 * i & 0xff), f);
    fwrite(dict, 1, strlen(dict), f);
    for (size_t i = 0; i < data; i++)
        fputc((int)i & 0xff, f);
    fclose(f);
    return file;
}

static void refuse_dict(const char *dict, const char *want) {
    refuse(craft(1, 0, dict, strlen(dict), 8), want);
}

static void accept_dict(const char *dict) {
    snn_error e = {0};
    snn_npy h;
    if (!snn_npy_open(craft(1, 0, dict, strlen(dict), 8), &h, &e))
        fail_msg("%s", e.text);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.offset, 10 + strlen(dict));
}

static void any_spelling_of_the_dict(void **state) {
    (void)state;
    accept_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }  \n");
    accept_dict("{\"shape\":(1,2),\"fortran_order\":False,\"descr\":\"<f4\"}");
    accept_dict("\t{ 'shape' : ( 2L , ) , 'descr' : '<i4' , 'fortran_order' : False }\n");
    accept_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2)}");
}

static void malformed_dicts(void **state) {
    (void)state;
    refuse_dict("", "byte 10: malformed .npy header: expected '{'");
    refuse_dict("{", "byte 11: malformed .npy header: expected a key");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, }", "expected the keys");
    refuse_dict("{'descr': '<i4', 'shape': (2,), }", "expected the keys");
    refuse_dict("{'fortran_order': False, 'shape': (2,), }", "expected the keys");
    refuse_dict("{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,)}",
                "each of the keys");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "each of the keys");
    refuse_dict("{'descr' '<i4'}", "expected ':'");
    refuse_dict("{'descr': '<i4' 'shape': (2,)}", "expected ',' or '}'");
    refuse_dict("{descr: '<i4'}", "expected a key");
    refuse_dict("{'descr", "expected a key");
    refuse_dict("{'a key that is far too long for any header of NumPy': 1}", "expected a key");
    refuse_dict("{'descr': <i4}", "expected an element type");
    refuse_dict("{'descr': '<i\\4', 'fortran_order': False, 'shape': (2,)}", "expected an element type");
    refuse_dict("{'descr': '', 'fortran_order': False, 'shape': (2,)}", "element type ''");
    refuse_dict("{'descr': '|i4', 'fortran_order': False, 'shape': (2,)}", "element type '|i4'");
    refuse_dict("{'descr': '<f', 'fortran_order': False, 'shape': (2,)}", "element type '<f'");
    refuse_dict("{'descr': '<f44', 'fortran_order': False, 'shape': (2,)}", "element type '<f44'");
    refuse_dict("{'descr': '<i4', 'fortran_order': No, 'shape': (2,)}", "expected True or False");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': 2}", "expected a shape");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2)}",
                "expected ',' after the only length");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (-2,)}", "expected a length");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2 1)}", "expected ',' or ')'");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2,", "expected a length");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (2,)} x", "nothing after the dict");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                "beyond 64 bits");
    refuse_dict("{'descr': '<i4', 'fortran_order': False, 'shape': (18446744073709551616,)}",
                "beyond 64 bits");
}

#define DICT(shape) "{'descr': '<i4', 'fortran_order': False, 'shape': (" shape "), }"

static void absurd_shapes(void **state) {
    (void)state;
    refuse_dict(DICT("4294967296, 4294967296"), "more than 2^63 bytes");
    refuse_dict(DICT("4611686018427387904,"), "more than 2^63 bytes");
    refuse_dict(DICT("18446744073709551615,"), "more than 2^63 bytes");
    refuse_dict(DICT("2305843009213693951,"), "more than 2^63 bytes"); /* only with the header */
    refuse_dict(DICT("1000000000,"), "but the header announces 4000000076 (truncated)");
    snn_npy h;
    const char *dict = DICT("0, 18446744073709551615, 18446744073709551615");
    assert_true(snn_npy_open(craft(1, 0, dict, strlen(dict), 0), &h, NULL));
    assert_int_equal(h.count, 0);
}

static void size_must_fit_exactly(void **state) {
    (void)state;
    const char *dict = DICT("2,");
    char want[100];
    snn_npy h;
    size_t n = strlen(dict);
    assert_true(snn_npy_open(craft(1, 0, dict, n, 8), &h, NULL));
    snprintf(want, sizeof want, "%zu bytes, but the header announces %zu (truncated)", 10 + n + 7,
             10 + n + 8);
    refuse(craft(1, 0, dict, n, 7), want);
    snprintf(want, sizeof want, "%zu bytes, but the header announces %zu (too long)", 10 + n + 9, 10 + n + 8);
    refuse(craft(1, 0, dict, n, 9), want);
}

static void broken_preambles(void **state) {
    (void)state;
    const char *dict = DICT("2,");
    size_t n = strlen(dict);
    refuse(craft(0, 0, dict, n, 8), "version 0.0 is not supported");
    refuse(craft(4, 0, dict, n, 8), "version 4.0 is not supported");
    refuse(craft(1, 1, dict, n, 8), "version 1.1 is not supported");
    refuse(craft(1, 0, dict, n + 100, 8), "truncated in the .npy header");
    refuse(craft(2, 0, dict, 65537, 8), "header of 65537 bytes is longer than 65536");
    refuse(craft(2, 0, dict, 65536, 8), "truncated in the .npy header");
    refuse(craft(2, 0, dict, 0xffffffff, 8), "header of 4294967295 bytes");
    refuse(craft(1, 0, "", 0, 0), "expected '{'");
    assert_int_equal(truncate(craft(2, 0, dict, n, 8), 11), 0);
    refuse(file, "truncated in the .npy header");
    assert_int_equal(truncate(file, 9), 0);
    refuse(file, "not a NumPy .npy file");
    assert_int_equal(truncate(file, 0), 0);
    refuse(file, "not a NumPy .npy file");
    FILE *f = fopen(file, "wb"); /* a zero byte inside the dict */
    fwrite("\x93NUMPY\x01\x00\x04\x00{\0}\n", 1, 14, f);
    fclose(f);
    refuse(file, "byte 11: malformed .npy header: zero byte");
}

static void reads_only_inside(void **state) {
    (void)state;
    snn_error e = {0};
    snn_npy h;
    int16_t five[6];
    assert_true(snn_npy_open(GOLDEN "vector.npy", &h, &e));
    assert_true(snn_npy_read(GOLDEN "vector.npy", &h, 0, 5, five, &e));
    assert_true(snn_npy_read(GOLDEN "vector.npy", &h, 5, 0, five, &e));
    assert_true(snn_npy_read(GOLDEN "vector.npy", &h, 4, 1, five, &e));
    assert_int_equal(five[0], 4);
    assert_false(snn_npy_read(GOLDEN "vector.npy", &h, 0, 6, five, &e));
    assert_non_null(strstr(e.text, "items 0 to 6 asked for, but the array has 5"));
    assert_false(snn_npy_read(GOLDEN "vector.npy", &h, 4, 2, five, &e));
    assert_false(snn_npy_read(GOLDEN "vector.npy", &h, 6, 0, five, &e));
    assert_false(snn_npy_read(GOLDEN "vector.npy", &h, 1, UINT64_MAX, five, &e));
    assert_false(snn_npy_read(GOLDEN "no_such.npy", &h, 0, 1, five, &e));
    /* a file that has shrunk since its header was read */
    const char *dict = DICT("2,");
    int32_t two[2];
    assert_true(snn_npy_open(craft(1, 0, dict, strlen(dict), 8), &h, &e));
    assert_int_equal(truncate(file, (off_t)h.offset + 4), 0);
    assert_true(snn_npy_read(file, &h, 0, 1, two, &e));
    assert_false(snn_npy_read(file, &h, 0, 2, two, &e));
    assert_non_null(strstr(e.text, "cannot read 8 bytes at byte"));
}

static void writes_what_it_reads(void **state) {
    (void)state;
    snn_error e = {0};
    for (int dims = 0; dims <= SNN_NPY_DIMS; dims++) {
        for (int type = SNN_NPY_U8; type <= SNN_NPY_U32; type++) {
            uint64_t shape[SNN_NPY_DIMS], count = 1;
            for (int i = 0; i < dims; i++)
                count *= shape[i] = (uint64_t)i % 3 + 1;
            snn_file *f = snn_file_create(file, 0644, &e);
            assert_non_null(f);
            assert_true(snn_npy_write_header(f, (snn_npy_type)type, dims, shape, &e));
            assert_int_equal(ftell(snn_file_stream(f)) % 64, 0);
            for (size_t i = 0; i < count * snn_npy_item_size((snn_npy_type)type); i++)
                fputc(0, snn_file_stream(f));
            assert_true(snn_file_commit(f, &e));
            snn_npy h;
            if (!snn_npy_open(file, &h, &e))
                fail_msg("%s", e.text);
            assert_int_equal(h.type, type);
            assert_int_equal(h.dims, dims);
            assert_memory_equal(h.shape, shape, (size_t)dims * sizeof *shape);
            assert_int_equal(h.count, count);
        }
    }
    /* the largest header still fits, and names the longest lengths */
    uint64_t huge[SNN_NPY_DIMS] = {0};
    for (int i = 1; i < SNN_NPY_DIMS; i++)
        huge[i] = UINT64_MAX;
    snn_file *f = snn_file_create(file, 0644, &e);
    assert_true(snn_npy_write_header(f, SNN_NPY_F64, SNN_NPY_DIMS, huge, &e));
    assert_false(snn_npy_write_header(f, SNN_NPY_F64, SNN_NPY_DIMS + 1, huge, &e));
    assert_false(snn_npy_write_header(f, SNN_NPY_F64, -1, huge, &e));
    assert_true(snn_file_commit(f, &e));
    snn_npy h;
    assert_true(snn_npy_open(file, &h, &e));
    assert_memory_equal(h.shape, huge, sizeof huge);
}

static void same_bytes_as_numpy(void **state) {
    (void)state;
    /* NumPy's own file of int16 [5], byte for byte */
    snn_error e = {0};
    const uint64_t shape[1] = {5};
    const int16_t a[5] = {0, 1, 2, 3, 4};
    snn_file *f = snn_file_create(file, 0644, &e);
    assert_true(snn_npy_write_header(f, SNN_NPY_I16, 1, shape, &e));
    fwrite(a, sizeof *a, 5, snn_file_stream(f));
    assert_true(snn_file_commit(f, &e));
    uint8_t *ours, *theirs;
    size_t n, m;
    assert_true(snn_file_read(file, 10000, &ours, &n, &e) &&
                snn_file_read(GOLDEN "vector.npy", 10000, &theirs, &m, &e));
    /* NumPy 1.24 pads to 64 as well, and leaves room for growth: the dict and the data agree */
    assert_memory_equal(ours + 10, theirs + 10,
                        strlen("{'descr': '<i2', 'fortran_order': False, 'shape': (5,), }"));
    assert_memory_equal(ours + n - 10, theirs + m - 10, 10);
    free(ours);
    free(theirs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_numpy_writes),
        cmocka_unit_test(shapes_and_versions),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(any_spelling_of_the_dict),
        cmocka_unit_test(malformed_dicts),
        cmocka_unit_test(absurd_shapes),
        cmocka_unit_test(size_must_fit_exactly),
        cmocka_unit_test(broken_preambles),
        cmocka_unit_test(reads_only_inside),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(same_bytes_as_numpy),
    };
    return cmocka_run_group_tests_name("npy", tests, make_folder, remove_folder);
}
