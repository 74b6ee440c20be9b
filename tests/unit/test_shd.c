/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHD: files made with libhdf5 in every layout, parts and folds, what is refused; the recordings at hand against h5py (tests/golden/shd_reference.py). */
#include "dataset_test.h"

#include "../../datasets/shd.h"

#include <hdf5.h>
#include <math.h>
#include <omp.h>
#include <snnsim/digest.h>

/* ---- files ---- */

#define RECORDINGS 23

/* How a file is made; all-zero is the official one. */
typedef struct {
    hid_t times, units, labels,
        speakers;  /* types of elements in the file; 0: float16, uint16, uint16, uint16 */
    hsize_t chunk; /* items; 0: contiguous */
    bool shuffle, deflate;
    hsize_t block;  /* user block */
    size_t address; /* bytes; 0: 8 */
    int names;      /* 0: fixed length, 1: variable length, -1: none */
    bool no_speakers;
    int same_units;    /* recording that has a unit more than times, from 1 */
    int64_t label;     /* of recording 3, when not 0 */
    const char *leave; /* object that is not written */
    hsize_t count;     /* recordings; 0: RECORDINGS */
    bool flat;         /* lists as [recordings][1] */
    bool empty;        /* no recordings */
    bool compact;      /* lists' items in the header of the data set */
} variant;

static hid_t half_type(void) {
    hid_t t = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(t, 15, 10, 5, 0, 10);
    H5Tset_size(t, 2);
    H5Tset_ebias(t, 15);
    return t;
}

/* Recording i: none, few or many events, at times that float16 holds. */
static size_t events_of(size_t i) {
    return i == 5 ? 0 : i == 11 ? 3000 : 1 + i * 13 % 40;
}
static float time_of(size_t i, size_t k) {
    size_t v = (i * 101 + k * 3) % 1400;
    return (float)v / 1024;
}
static unsigned unit_of(size_t i, size_t k) {
    return (unsigned)((i * 31 + k * 7 + 1) % 127);
}
static int label_of(size_t i) {
    return (int)(i * 7 % 20);
}

static void put_lists(hid_t group, const char *name, const variant *v, bool units, size_t n) {
    hid_t half = half_type(), native = units ? H5T_NATIVE_UINT16 : H5T_NATIVE_FLOAT;
    hid_t element = units ? (v->units ? v->units : H5T_STD_U16LE) : (v->times ? v->times : half);
    hid_t file_type = H5Tvlen_create(element), type = H5Tvlen_create(native),
          create = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t count[2] = {n, 1}, most = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(v->flat ? 2 : 1, count, v->chunk ? &most : NULL);
    if (v->chunk)
        H5Pset_chunk(create, 1, &v->chunk);
    if (v->compact)
        H5Pset_layout(create, H5D_COMPACT);
    if (v->shuffle)
        H5Pset_shuffle(create);
    if (v->deflate)
        H5Pset_deflate(create, 6);
    hid_t d = H5Dcreate2(group, name, file_type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(d >= 0);
    hvl_t *list = calloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i].len = events_of(i) + (units && v->same_units == (int)i + 1);
        list[i].p = calloc(list[i].len + 1, 4);
        for (size_t k = 0; k < list[i].len; k++)
            if (units)
                ((uint16_t *)list[i].p)[k] = (uint16_t)unit_of(i, k);
            else
                ((float *)list[i].p)[k] = time_of(i, k);
    }
    assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, list) >= 0);
    for (size_t i = 0; i < n; i++)
        free(list[i].p);
    free(list);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(create);
    H5Tclose(type);
    H5Tclose(file_type);
    H5Tclose(half);
}

static void put_numbers(hid_t group, const char *name, hid_t type, size_t n, const int64_t *value) {
    hsize_t count = n;
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t d = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(d, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

static void put_names(hid_t group, bool variable, hsize_t n) {
    char fixed[32][12] = {{0}};
    const char *pointer[32];
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    H5Tset_size(type, variable ? H5T_VARIABLE : 12);
    for (size_t i = 0; i < n; i++) {
        snprintf(fixed[i], sizeof fixed[i], "name\t%u", (unsigned)(i % 32));
        pointer[i] = fixed[i];
    }
    if (!variable)
        memcpy(fixed[19], "abcdefghijkl", 12); /* fills its room */
    hid_t d = H5Dcreate2(group, "keys", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, variable ? (const void *)pointer : fixed) >=
                0);
    H5Dclose(d);
    H5Sclose(space);
    H5Tclose(type);
}

static bool wants(const variant *v, const char *name) {
    return v->leave == NULL || strcmp(v->leave, name) != 0;
}

static void make_file(const char *name, const variant *v) {
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    if (v->block)
        H5Pset_userblock(create, v->block);
    if (v->address)
        H5Pset_sizes(create, v->address, 8);
    hid_t file = H5Fcreate(in_temp(name), H5F_ACC_TRUNC, create, H5P_DEFAULT);
    hid_t spikes = H5Gcreate2(file, "spikes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t extra = wants(v, "extra") ? H5Gcreate2(file, "extra", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : -1;
    size_t n = v->empty ? 0 : v->count ? (size_t)v->count : RECORDINGS;
    int64_t *label = calloc(n + 1, sizeof *label), *speaker = calloc(n + 1, sizeof *speaker);
    for (size_t i = 0; i < n; i++) {
        label[i] = i == 3 && v->label ? v->label : label_of(i);
        speaker[i] = (int64_t)(i % 4);
    }
    if (wants(v, "times"))
        put_lists(spikes, "times", v, false, n);
    if (wants(v, "units"))
        put_lists(spikes, "units", v, true, n);
    if (wants(v, "labels"))
        put_numbers(file, "labels", v->labels ? v->labels : H5T_STD_U16LE, n, label);
    if (extra >= 0 && !v->no_speakers)
        put_numbers(extra, "speaker", v->speakers ? v->speakers : H5T_STD_U16LE, n, speaker);
    if (extra >= 0 && v->names >= 0)
        put_names(extra, v->names == 1, 20);
    free(label);
    free(speaker);
    if (extra >= 0)
        H5Gclose(extra);
    H5Gclose(spikes);
    H5Pclose(create);
    assert_true(H5Fclose(file) >= 0);
}

/* ---- every layout of a file ---- */

static int by_time(const void *a, const void *b) {
    const snn_event *p = a, *q = b;
    return (p->t > q->t) - (p->t < q->t);
}

/* Events of sample s of d are those of recording i. */
static void check_recording(const snn_dataset *d, size_t s, size_t i, snn_dataset_buffer *b) {
    snn_error err = {0};
    if (!snn_dataset_events(d, s, b, &err))
        fail_msg("%s", err.text);
    size_t n = events_of(i), back = 0;
    snn_event *expected = calloc(n + 1, sizeof *expected);
    for (size_t k = 0; k < n; k++) {
        expected[k] =
            (snn_event){.t = (int64_t)rint((double)time_of(i, k) * 1e6), .x = (uint16_t)unit_of(i, k)};
        back += k > 0 && expected[k].t < expected[k - 1].t;
    }
    /* a stable sort by hand */
    for (size_t k = 1; k < n; k++)
        for (size_t j = k; j > 0 && by_time(&expected[j - 1], &expected[j]) > 0; j--) {
            snn_event swap = expected[j];
            expected[j] = expected[j - 1];
            expected[j - 1] = swap;
        }
    assert_int_equal(b->events.n, n);
    assert_int_equal(b->events.out_of_order, back);
    for (size_t k = 0; k < n; k++)
        check_event(&b->events.event[k], expected[k].t, expected[k].x, 0, 0);
    free(expected);
}

static void check_file(const variant *v) {
    make_file("x.h5", v);
    snn_dataset *d = open_ok("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST);
    const snn_dataset_info *about = snn_dataset_about(d);
    snn_dataset_buffer b = {0};
    char name[64];
    assert_int_equal(snn_dataset_count(d), RECORDINGS);
    assert_int_equal(about->classes, 20);
    assert_memory_equal(about->sensor, ((uint32_t[]){1, 1, 700}), 12);
    assert_memory_equal(about->input, ((uint32_t[]){1, 1, 700}), 12);
    assert_string_equal(about->name, "shd");
    assert_string_equal(about->folder, in_temp("x.h5"));
    assert_string_equal(about->class_name[13], v->names == 0 && wants(v, "extra") ? "name?13" : "drei");
    assert_string_equal(about->class_name[19], v->names == 0 && wants(v, "extra") ? "abcdefghijkl" : "neun");
    assert_string_equal(about->class_name[0], v->names == 0 && wants(v, "extra") ? "name?0" : "zero");
    for (size_t i = 0; i < RECORDINGS; i++) {
        assert_int_equal(snn_dataset_label(d, i), label_of(i));
        check_recording(d, i, i, &b);
    }
    assert_string_equal(snn_dataset_sample(d, 12, name, sizeof name), "x.h5:12");
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void layouts(void **state) {
    (void)state;
    const variant variants[] = {
        {0},
        {.times = H5T_IEEE_F32LE, .units = H5T_STD_U32LE, .labels = H5T_STD_I8LE, .names = 1},
        {.times = H5T_IEEE_F64LE, .units = H5T_STD_I64LE, .labels = H5T_STD_I32BE, .names = -1},
        {.units = H5T_STD_U8LE, .labels = H5T_STD_U64LE, .leave = "extra"},
        {.block = 512},
        {.block = 1024, .chunk = 4},
        {.chunk = 1},
        {.chunk = RECORDINGS, .no_speakers = true},
        {.chunk = 1000},
        {.chunk = 5, .deflate = true},
        {.chunk = 23, .shuffle = true, .deflate = true},
        {.chunk = 22, .shuffle = true},
        {.chunk = 7, .shuffle = true, .deflate = true, .block = 2048},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        check_file(&variants[i]);
}

static void refused_files(void **state) {
    (void)state;
    hid_t bfloat = H5Tcopy(H5T_IEEE_F32LE), biased = half_type(), explicit = half_type(),
          narrow = H5Tcopy(H5T_STD_U16LE);
    H5Tset_fields(bfloat, 15, 7, 8, 0, 7);
    H5Tset_size(bfloat, 2);
    H5Tset_ebias(biased, 16);
    H5Tset_norm(explicit, H5T_NORM_NONE);
    H5Tset_precision(narrow, 12);
    const struct {
        variant v;
        const char *error;
    } bad[] = {
        {{.compact = true}, "x.h5: spikes/times: cannot be read"},
        {{.times = bfloat}, "spikes/times: are no lists of float16"},
        {{.times = biased}, "spikes/times: are no lists of float16"},
        {{.times = explicit}, "spikes/times: are no lists of float16"},
        {{.units = narrow}, "spikes/units: are no lists of integers"},
        {{.leave = "times"}, "x.h5: spikes/times: is missing"},
        {{.leave = "units"}, "x.h5: spikes/units: is missing"},
        {{.leave = "labels"}, "x.h5: /labels: is missing"},
        {{.label = 20}, "x.h5: labels: item 3 is 20, expected 0 .. 19"},
        {{.label = -1, .labels = H5T_STD_I16LE}, "labels: item 3 is -1"},
        {{.labels = H5T_IEEE_F32LE}, "x.h5: /labels: are no integers"},
        {{.speakers = H5T_IEEE_F32LE}, "x.h5: extra/speaker: are no integers"},
        {{.times = H5T_IEEE_F32BE}, "spikes/times: are no lists of float16, float32 or float64"},
        {{.times = H5T_STD_U16LE}, "spikes/times: are no lists of float16"},
        {{.units = H5T_STD_U16BE}, "spikes/units: are no lists of integers"},
        {{.units = H5T_IEEE_F32LE}, "spikes/units: are no lists of integers"},
        {{.same_units = 9}, "x.h5: item 8 has 25 times and 26 units"},
        {{.address = 4}, "has no addresses of 8 bytes"},
        {{.flat = true}, "x.h5: spikes/times: has another shape than [recordings]"},
        {{.empty = true, .chunk = 4}, "x.h5: spikes/times: has another shape than [recordings]"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make_file("x.h5", &bad[i].v);
        open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
                   bad[i].error);
    }
    H5Tclose(bfloat);
    H5Tclose(biased);
    H5Tclose(explicit);
    H5Tclose(narrow);
    write_text("x.h5", "no HDF5");
    open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "x.h5: is no HDF5 file, or a damaged one");
    write_text("x.h5", "\x1f\x8b\x08");
    open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "x.h5: is packed; unpack it first");
    write_text("x.h5", "PK\3\4");
    open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "is packed");
    open_fails("dataset = { name = \"shd\"; path = \"%s/none.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "dataset.path: cannot open the folder");
}

/* Bytes of the file, changed, at places that libhdf5 does not look at. */
static void damaged_items(void **state) {
    (void)state;
    uint8_t *bytes;
    size_t size;
    snn_error err = {0};
    make_file("x.h5", &(variant){.names = -1, .no_speakers = true});
    assert_true(snn_file_read(in_temp("x.h5"), SNN_LIST_MAX, &bytes, &size, &err));
    hid_t f = H5Fopen(in_temp("x.h5"), H5F_ACC_RDONLY, H5P_DEFAULT),
          d = H5Dopen2(f, "spikes/times", H5P_DEFAULT);
    size_t at = (size_t)H5Dget_offset(d) + 7 * 16; /* item 7: 12 events */
    H5Dclose(d);
    H5Fclose(f);
    assert_int_equal(bytes[at], 12);
    const struct {
        size_t at;
        uint8_t byte;
        const char *error;
    } bad[] = {{at, 11, "x.h5: item 7 has 11 times and 12 units"},
               {at, 13, "x.h5: item 7 has 13 times and 12 units"},
               {at + 3, 0xff, "spikes/times: item 7 has 8556380184 bytes; at most 1 GiB is possible"},
               {at + 6, 0xff, "spikes/times: byte "}, /* address of the heap */
               {at + 13, 0xff, "is not in its heap"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t saved = bytes[bad[i].at];
        bytes[bad[i].at] = bad[i].byte;
        write_file("x.h5", bytes, size);
        open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
                   bad[i].error);
        bytes[bad[i].at] = saved;
    }
    free(bytes);
}

/* Every time and unit is checked when a sample is read. */
static void damaged_events(void **state) {
    (void)state;
    make_file("x.h5", &(variant){.times = H5T_IEEE_F64LE});
    snn_dataset *d = open_ok("dataset = { name = \"shd\"; path = \"%s/x.h5\"; };", SNN_SPLIT_TEST);
    const snn_sample *s = &d->table.sample[2];
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    FILE *f = fopen(in_temp("x.h5"), "r+b");
    fseek(f, s->start, SEEK_SET);
    fwrite("\xbc\x02", 1, 2, f); /* 700 */
    fclose(f);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "x.h5: x.h5:2: event 0: its unit is not in 0 .. 699");
    f = fopen(in_temp("x.h5"), "r+b");
    fseek(f, (long)s->first + 8 * 3 + 7, SEEK_SET);
    fwrite("\xff", 1, 1, f);
    fclose(f);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "event 0: its unit");
    f = fopen(in_temp("x.h5"), "r+b");
    fseek(f, s->start, SEEK_SET);
    fwrite("\xbb\x02", 1, 2, f);
    fclose(f);
    assert_false(snn_dataset_events(d, 2, &b, &err));
    check_error(&err, SNN_ERR_DATA, "x.h5:2: event 3: its time is not in 0 .. 65504 s");
    check_recording(d, 3, 3, &b);
    assert_int_equal(truncate(in_temp("x.h5"), 1000), 0);
    assert_false(snn_dataset_events(d, 3, &b, &err));
    check_error(&err, SNN_ERR_DATA, "the file became shorter while it was read");
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

/* ---- parts ---- */

static size_t count_of(const char *config, snn_split split) {
    snn_dataset *d = open_ok(config, split);
    size_t n = snn_dataset_count(d);
    snn_dataset_free(d);
    return n;
}

static void official_folder(void **state) {
    (void)state;
    char name[64];
    snn_dataset_buffer b = {0};
    make_file("shd_train.h5", &(variant){.times = H5T_IEEE_F32LE});
    open_fails("dataset = { name = \"shd\"; path = \"%s\"; };", SNN_SPLIT_TEST, SNN_ERR_DATA,
               "shd_test.h5: cannot be opened");
    make_file("shd_test.h5", &(variant){.count = 12, .units = H5T_STD_U32LE});
    static const char config[] = "dataset = { name = \"shd\"; path = \"%s\"; };";
    assert_int_equal(count_of(config, SNN_SPLIT_TRAIN), 23);
    assert_int_equal(count_of(config, SNN_SPLIT_TEST), 12);
    snn_dataset *d = open_ok(config, SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 35);
    assert_string_equal(snn_dataset_sample(d, 22, name, sizeof name), "shd_train.h5:22");
    assert_string_equal(snn_dataset_sample(d, 23, name, sizeof name), "shd_test.h5:0");
    for (size_t i = 0; i < 35; i++) /* each file has types of its own */
        check_recording(d, i, i < 23 ? i : i - 23, &b);
    snn_dataset_free(d);
    snn_dataset_buffer_free(&b);
    static const char folds[] = "dataset = { name = \"shd\"; path = \"%s\"; folds = 4; fold = 1; };";
    assert_int_equal(count_of(folds, SNN_SPLIT_ALL), 23); /* of the training part */
    assert_int_equal(count_of(folds, SNN_SPLIT_TEST) + count_of(folds, SNN_SPLIT_TRAIN), 23);
    open_fails("dataset = { name = \"shd\"; path = \"%s\"; test_speakers = [1]; };", SNN_SPLIT_TEST,
               SNN_ERR_USAGE, "dataset.test_speakers: the files of the folder are the two parts");
}

static void one_file(void **state) {
    (void)state;
    make_file("x.h5", &(variant){0});
    make_file("shd_train.h5", &(variant){0});
    static const char other[] = "dataset = { name = \"shd\"; path = \"%s/x.h5\"; };";
    static const char train[] = "dataset = { name = \"shd\"; path = \"%s/shd_train.h5\"; };";
    assert_int_equal(count_of(other, SNN_SPLIT_TEST), 23);
    assert_int_equal(count_of(other, SNN_SPLIT_ALL), 23);
    open_fails(other, SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
               "dataset.path: one file is one part, here the test part; give");
    assert_int_equal(count_of(train, SNN_SPLIT_TRAIN), 23);
    assert_int_equal(count_of(train, SNN_SPLIT_ALL), 23);
    open_fails(train, SNN_SPLIT_TEST, SNN_ERR_USAGE, "one file is one part, here the training part");
    static const char folds[] = "dataset = { name = \"shd\"; path = \"%s/x.h5\"; folds = 23; fold = 22; };";
    assert_int_equal(count_of(folds, SNN_SPLIT_TRAIN), 22);
    assert_int_equal(count_of(folds, SNN_SPLIT_TEST), 1);
    assert_int_equal(count_of(folds, SNN_SPLIT_ALL), 23);
    static const char speakers[] =
        "dataset = { name = \"shd\"; path = \"%s/x.h5\"; test_speakers = [3, 1]; };";
    assert_int_equal(count_of(speakers, SNN_SPLIT_TEST), 11); /* 1, 5, .. 21 and 3, 7, .. 19 */
    assert_int_equal(count_of(speakers, SNN_SPLIT_TRAIN), 12);
    assert_int_equal(count_of(speakers, SNN_SPLIT_ALL), 23);
    snn_dataset *d = open_ok(speakers, SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    char name[64];
    for (size_t i = 0; i < 11; i++)
        check_recording(d, i, 2 * i + 1, &b);
    assert_string_equal(snn_dataset_sample(d, 10, name, sizeof name), "x.h5:21");
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    static const char both[] =
        "dataset = { name = \"shd\"; path = \"%s/x.h5\"; test_speakers = [0]; folds = 17; };";
    assert_int_equal(count_of(both, SNN_SPLIT_ALL), 17); /* of the other speakers */
    assert_int_equal(count_of(both, SNN_SPLIT_TEST), 1);
    open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; test_speakers = [7]; };", SNN_SPLIT_TEST,
               SNN_ERR_DATA, "x.h5: no samples");
    open_fails("dataset = { name = \"shd\"; path = \"%s/x.h5\"; test_list = \"l.txt\"; };", SNN_SPLIT_TEST,
               SNN_ERR_USAGE, "dataset.path: lists name traces");
    make_file("x.h5", &(variant){.no_speakers = true});
    open_fails(speakers, SNN_SPLIT_TEST, SNN_ERR_USAGE, "dataset.test_speakers: /tmp/snnsim-test-");
    open_fails("dataset = { name = \"shd\"; };", SNN_SPLIT_TEST, SNN_ERR_USAGE,
               "SHD is not part of snnsim: get");
}

static void reversed_units(void **state) {
    (void)state;
    make_file("x.h5", &(variant){0});
    snn_dataset *d =
        open_ok("dataset = { name = \"shd\"; path = \"%s/x.h5\"; reverse = true; };", SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_true(snn_dataset_events(d, 11, &b, &err));
    size_t zeros = 0, sum = 0, found = 0;
    for (size_t k = 0; k < 3000; k++) {
        zeros += unit_of(11, k) == 0;
        sum += unit_of(11, k) ? 700 - unit_of(11, k) : 0;
    }
    assert_true(zeros > 0);
    assert_int_equal(b.events.n, 3000 - zeros); /* unit 0 is left out */
    for (size_t k = 0; k < b.events.n; k++) {
        assert_in_range(b.events.event[k].x, 700 - 126, 699);
        found += b.events.event[k].x;
    }
    assert_int_equal(found, sum);
    snn_dataset_free(d);
    snn_dataset_buffer_free(&b);
    open_fails("dataset = { name = \"nmnist\"; path = \"%s\"; reverse = true; };", SNN_SPLIT_TEST,
               SNN_ERR_USAGE, "dataset.reverse: only the units of shd can be reversed");
}

/* ---- traces ---- */

static void trace_folder(void **state) {
    (void)state;
    char name[64];
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    static const char config[] = "dataset = { name = \"shd\"; path = \"%s\"; };";
    open_fails(config, SNN_SPLIT_TEST, SNN_ERR_DATA,
               ": neither shd_train.h5 and shd_test.h5 (unpack the files");
    write_text("input_10.trace", "1\n0,\n1,700\n");
    write_text("input_2.trace", "19\n0,1\n1,2,3\n");
    write_text("input_1.trace", "0\n0,5\n");
    write_text("README", "x");
    snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
    static const int label[] = {0, 19, 1};
    assert_int_equal(snn_dataset_count(d), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(snn_dataset_label(d, i), label[i]);
    assert_string_equal(snn_dataset_sample(d, 1, name, sizeof name), "input_2.trace");
    assert_true(snn_dataset_events(d, 1, &b, &err));
    assert_int_equal(b.events.n, 3);
    check_event(&b.events.event[0], 0, 699, 0, 0);
    check_event(&b.events.event[1], 5000, 698, 0, 0);
    write_text("input_2.trace", "19\n0,1\n1,2,0\n");
    assert_false(snn_dataset_events(d, 1, &b, &err));
    check_error(&err, SNN_ERR_DATA, "/input_2.trace: line 3: channel 0 is not in 1 .. 700");
    write_text("input_2.trace", "19\n");
    assert_false(snn_dataset_events(d, 1, &b, &err));
    check_error(&err, SNN_ERR_DATA, "its size changed since");
    snn_dataset_free(d);
    open_fails(
        config, SNN_SPLIT_TRAIN, SNN_ERR_USAGE,
        "dataset.train_list: the traces in dataset.path are one part; cut them by lists or by dataset.folds");
    static const char folds[] = "dataset = { name = \"shd\"; path = \"%s\"; folds = 3; };";
    assert_int_equal(count_of(folds, SNN_SPLIT_TRAIN), 2);
    assert_int_equal(count_of(folds, SNN_SPLIT_TEST), 1);
    /* the published order and bins */
    d = open_ok("dataset = { name = \"shd\"; path = \"%s\"; bins = 2; bin_us = 10000; from_zero = true; "
                "rounding = \"ceil\"; "
                "reverse = true; };",
                SNN_SPLIT_ALL);
    assert_true(snn_dataset_frames(d, 2, &b, &x, &err));
    assert_int_equal(x.first[2], 0); /* channel 700 is unit 0 */
    assert_true(snn_dataset_frames(d, 0, &b, &x, &err));
    assert_int_equal(x.first[1], 1);
    assert_int_equal(x.spike[0].index, 5);
    snn_dataset_free(d);
    write_text("input_2.trace", "20\n");
    open_fails(config, SNN_SPLIT_TEST, SNN_ERR_DATA, "/input_2.trace: line 1: class 20 is not in 0 .. 19");
    assert_int_equal(unlink(in_temp("input_2.trace")), 0);
    assert_int_equal(symlink("nowhere", in_temp("input_2.trace")), 0);
    open_fails(config, SNN_SPLIT_TEST, SNN_ERR_DATA, "input_2.trace: a link that leads nowhere");
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
}

static void trace_lists(void **state) {
    (void)state;
    char name[64];
    write_text("input_10.trace", "1\n0,\n1,700\n");
    write_text("input_2.trace", "19\n0,1\n1,2,3\n");
    write_text("input_1.trace", "0\n0,5\n");
    write_text("train.txt", "#number\tclass\n10\t1\n2\t19\n");
    write_text("test.txt", "1\t0\n");
    static const char config[] =
        "dataset = { name = \"shd\"; path = \"%s\"; train_list = \"train.txt\"; test_list = \"test.txt\"; };";
    snn_dataset *d = open_ok(config, SNN_SPLIT_ALL);
    assert_int_equal(snn_dataset_count(d), 3);
    assert_string_equal(snn_dataset_sample(d, 0, name, sizeof name), "10");
    assert_int_equal(snn_dataset_label(d, 1), 19);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    assert_true(snn_dataset_events(d, 1, &b, &err));
    assert_int_equal(b.events.n, 3);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    assert_int_equal(count_of(config, SNN_SPLIT_TEST), 1);
    write_text("test.txt", "1\t5\n");
    open_fails(config, SNN_SPLIT_TEST, SNN_ERR_DATA, "test.txt: line 1: class 5, but input_1.trace says 0");
    write_text("test.txt", "# empty\n3\t5\n");
    open_fails(config, SNN_SPLIT_TEST, SNN_ERR_DATA, "test.txt: line 2: no recording input_3.trace in /tmp/");
}

/* ---- the recordings at hand ---- */

#define BINNED "bins = 100; bin_us = 10000; from_zero = true; rounding = \"ceil\"; "

static void digest_to_hex(snn_digest *d, char hex[SNN_DIGEST_HEX]) {
    uint8_t out[SNN_DIGEST_BYTES];
    snn_digest_final(d, out);
    snn_digest_hex(out, hex);
}

static void check_traces(const char *name, const char *line) {
    char config[300], hex[SNN_DIGEST_HEX];
    snprintf(config, sizeof config,
             "dataset = { name = \"shd\"; path = \"$SNNSIM_DATA/shd/traces\"; " BINNED "reverse = %s; };",
             strcmp(name, "reverse") == 0 ? "true" : "false");
    snn_dataset *d = open_ok(config, SNN_SPLIT_TEST);
    assert_int_equal(snn_dataset_count(d), 1000);
    snn_dataset_buffer b = {0};
    snn_spikes x = {0};
    snn_error err = {0};
    snn_digest all;
    snn_digest_init(&all);
    for (size_t i = 0; i < 1000; i++) {
        if (!snn_dataset_frames(d, i, &b, &x, &err))
            fail_msg("%s", err.text);
        for (int step = 0; step < x.steps; step++)
            for (size_t k = x.first[step]; k < x.first[step + 1]; k++)
                snn_digest_u32(&all, (uint32_t[]){(uint32_t)step, x.spike[k].index, x.spike[k].count}, 3);
    }
    digest_to_hex(&all, hex);
    char expected[200];
    snprintf(expected, sizeof expected, "%s,,%llu,%s\n", name, (unsigned long long)b.events_read, hex);
    assert_string_equal(line, expected);
    assert_int_equal(b.events_dropped, 0);
    assert_int_equal(b.events_out_of_order, 0);
    snn_spikes_free(&x);
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
}

static void equal_to_h5py(void **state) {
    (void)state;
    data_folder("shd/derived_h5/shd_subset.h5");
    snn_dataset *d =
        open_ok("dataset = { name = \"shd\"; path = \"$SNNSIM_DATA/shd/derived_h5/shd_subset.h5\"; };",
                SNN_SPLIT_TEST);
    snn_dataset_buffer b = {0};
    snn_error err = {0};
    FILE *f = fopen("tests/golden/shd.csv", "r");
    assert_non_null(f);
    char line[200], expected[200], hex[SNN_DIGEST_HEX];
    assert_non_null(fgets(line, sizeof line, f)); /* heading */
    assert_int_equal(snn_dataset_count(d), 100);
    for (size_t i = 0; i < 100; i++) {
        if (!snn_dataset_events(d, i, &b, &err))
            fail_msg("%s", err.text);
        snn_digest s;
        snn_digest_init(&s);
        for (size_t k = 0; k < b.events.n; k++)
            snn_digest_u32(&s, (uint32_t[]){(uint32_t)b.events.event[k].t, b.events.event[k].x}, 2);
        digest_to_hex(&s, hex);
        snprintf(expected, sizeof expected, "%zu,%d,%zu,%s\n", i, snn_dataset_label(d, i), b.events.n, hex);
        assert_non_null(fgets(line, sizeof line, f));
        assert_string_equal(line, expected);
    }
    snn_dataset_buffer_free(&b);
    snn_dataset_free(d);
    assert_non_null(fgets(line, sizeof line, f));
    check_traces("traces", line);
    assert_non_null(fgets(line, sizeof line, f));
    check_traces("reverse", line);
    fclose(f);
}

/* "the 100 recordings with N < 150 and N mod 3 != 2": the same events in another container. */
static void traces_and_file_have_equal_frames(void **state) {
    (void)state;
    data_folder("shd/derived_h5/shd_subset.h5");
    snn_dataset *h5 = open_ok(
        "dataset = { name = \"shd\"; path = \"$SNNSIM_DATA/shd/derived_h5/shd_subset.h5\"; " BINNED "};",
        SNN_SPLIT_TEST);
    snn_dataset *traces = open_ok(
        "dataset = { name = \"shd\"; path = \"$SNNSIM_DATA/shd/traces\"; " BINNED "};", SNN_SPLIT_TEST);
    size_t events = 0;
#pragma omp parallel for num_threads(4) reduction(+ : events) /* several threads may read */
    for (size_t i = 0; i < 100; i++) {
        snn_dataset_buffer a = {0}, b = {0};
        snn_spikes x = {0}, y = {0};
        snn_error err = {0};
        bool ok = snn_dataset_frames(h5, i, &a, &x, &err) && snn_dataset_frames(traces, i, &b, &y, &err);
        bool equal = ok && snn_dataset_label(h5, i) == snn_dataset_label(traces, i) && x.steps == 100 &&
                     y.steps == 100 && memcmp(x.first, y.first, 101 * sizeof *x.first) == 0 &&
                     memcmp(x.spike, y.spike, x.first[100] * sizeof *x.spike) == 0;
#pragma omp critical
        if (!equal)
            fail_msg("recording %zu: %s", i, ok ? "frames differ" : err.text);
        events += a.events.n;
        snn_spikes_free(&x);
        snn_spikes_free(&y);
        snn_dataset_buffer_free(&a);
        snn_dataset_buffer_free(&b);
    }
    assert_int_equal(events, 650628);
    snn_dataset_free(h5);
    snn_dataset_free(traces);
}

static int set_variable(void **state) {
    (void)state;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return setenv("SNNSIM_DATA", "../shared/data", 0);
}

#define IN_TEMP(f) cmocka_unit_test_setup_teardown(f, temp_setup, temp_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_TEMP(layouts),
        IN_TEMP(refused_files),
        IN_TEMP(damaged_items),
        IN_TEMP(damaged_events),
        IN_TEMP(official_folder),
        IN_TEMP(one_file),
        IN_TEMP(reversed_units),
        IN_TEMP(trace_folder),
        IN_TEMP(trace_lists),
        cmocka_unit_test(equal_to_h5py),
        cmocka_unit_test(traces_and_file_have_equal_frames),
    };
    return cmocka_run_group_tests(tests, set_variable, NULL);
}
