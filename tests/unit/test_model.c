/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model files: round trips, same bytes for same content, lookup, refusal of damaged and hostile files, show and diff. */
#include <snnsim/model.h>
#include <snnsim/output.h>

#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *at(const char *name) {
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_model_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* conv 3x2x2x2 = 24 and fc 5x12 = 60 weights (or fc `outputs` x 12). */
static snn_net *small_net(int outputs) {
    char text[1024];
    snn_error err;
    snprintf(text, sizeof text,
             "dataset = { name = \"nmnist\"; bins = 9; };\n"
             "network = { layers = ( { name = \"conv\"; type = \"conv2d\"; channels = 3; kernel = 2; bias = "
             "true; },\n"
             " { name = \"pool\"; type = \"pool_max\"; kernel = 2; },\n"
             " { name = \"fc\"; type = \"linear\"; outputs = %d; neuron = { type = \"li\"; decay = 0.9; }; } "
             "); };\n",
             outputs);
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    assert_non_null(c);
    snn_net *net = snn_net_from_config(c, (snn_shape){2, 5, 5}, &err);
    snn_config_free(c);
    assert_non_null(net);
    net->layer[0].bias[1] = -0.3f;
    return net;
}

/* A model with pseudo-random codes; bits 0: float weights. */
static snn_model model_of(int outputs, int bits, bool per_channel) {
    snn_error err;
    snn_model m = {.net = small_net(outputs)};
    m.weights = snn_weights_new(m.net, &err);
    assert_non_null(m.weights);
    uint32_t r = 99;
    for (int i = 0; i < m.weights->tensors; i++)
        for (uint64_t k = 0; k < m.weights->tensor[i].count; k++) {
            r = r * 1664525u + 1013904223u;
            m.weights->tensor[i].value[k] = (float)((int32_t)r >> 12) * 1e-6f;
        }
    if (bits > 0) {
        snn_quantisation q = {.bits = bits, .encoding = (snn_encoding)(bits % 3), .per_channel = per_channel};
        snn_weights *coded = snn_weights_quantise(m.weights, &q, NULL, &err);
        assert_non_null(coded);
        snn_weights_free(m.weights);
        m.weights = coded;
    }
    m.record = strdup("{\"seed\":1,\"epochs\":3,\"accuracy\":0.875,\"loss\":[3,2,1]}");
    return m;
}

static void save(const snn_model *m, const char *path) {
    snn_error err;
    if (!snn_model_save(m, path, &err))
        fail_msg("%s", err.text);
}

static void assert_same(const snn_model *a, const snn_model *b) {
    snn_error err;
    char x[65], y[65];
    snn_weights_digest(a->weights, x);
    snn_weights_digest(b->weights, y);
    assert_string_equal(x, y);
    char *n = snn_net_to_json(a->net, &err), *o = snn_net_to_json(b->net, &err);
    assert_string_equal(n, o);
    free(n);
    free(o);
    assert_true((a->record == NULL) == (b->record == NULL));
    if (a->record != NULL)
        assert_string_equal(a->record, b->record);
}

static void round_trips(void **state) {
    (void)state;
    for (int bits = 0; bits <= 8; bits++) {
        for (int variant = 0; variant < 4; variant++) {
            /* 12 x 500 weights are compressed, 12 x 5 are not. */
            snn_model m = model_of(variant & 2 ? 500 : 5, bits, variant & 1), back = {0};
            snn_error err;
            if (variant == 3) {
                free(m.record);
                m.record = NULL;
            }
            save(&m, at("m.h5"));
            if (!snn_model_load(&back, at("m.h5"), &err))
                fail_msg("%s", err.text);
            assert_same(&m, &back);
            char digest[65];
            snn_weights_digest(m.weights, digest);
            assert_string_equal(back.digest, digest);
            snn_model_free(&back);
            assert_null(back.net);
            snn_model_free(&m);
        }
    }
    snn_model_free(NULL);
}

static void wide_codes_and_minus_zero(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(500, 8, false), back;
    m.weights->tensor[0].code8[3] = 0x80; /* as an encrypted model may have it */
    snn_tensor *t = &m.weights->tensor[1];
    t->type = SNN_CODE_16;
    t->bits = 12;
    uint16_t *wide = malloc(t->count * 2);
    assert_non_null(wide);
    for (uint64_t i = 0; i < t->count; i++)
        wide[i] = (uint16_t)(i * 7 & 0xfff);
    free(t->data);
    t->code16 = wide;
    save(&m, at("m.h5"));
    assert_true(snn_model_load(&back, at("m.h5"), &err));
    assert_same(&m, &back);
    snn_model_free(&back);
    snn_model_free(&m);
}

/* Compressed: codes of a trained network are far from random; here every second one is 0. */
static void compression_saves_space(void **state) {
    (void)state;
    snn_model m = model_of(100000, 8, false);
    snn_tensor *t = &m.weights->tensor[1];
    for (uint64_t i = 0; i < t->count; i++)
        t->code8[i] = i & 1 ? 0 : t->code8[i] & 7;
    save(&m, at("big.h5"));
    struct stat s;
    assert_int_equal(stat(at("big.h5"), &s), 0);
    assert_true((uint64_t)s.st_size < t->count * 2 / 5);
    snn_error err;
    snn_model back;
    assert_true(snn_model_load(&back, at("big.h5"), &err));
    assert_same(&m, &back);
    snn_model_free(&back);
    snn_model_free(&m);
}

static void same_content_same_bytes(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(500, 8, true);
    uint8_t *a, *b;
    size_t n, k;
    save(&m, at("a.h5"));
    sleep(1); /* time stamps in HDF5 count seconds */
    save(&m, at("b.h5"));
    assert_true(snn_file_read(at("a.h5"), 1 << 24, &a, &n, &err));
    assert_true(snn_file_read(at("b.h5"), 1 << 24, &b, &k, &err));
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
    snn_model_free(&m);
}

static void bare_names_are_looked_up(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false), back;
    char here[512], long_name[5000];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("models", 0755), 0);
    assert_int_equal(mkdir("installed", 0755), 0);
    save(&m, "installed/one.h5");
    assert_false(snn_model_load(&back, "one.h5", &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_true(strncmp(err.text, "one.h5: no such model (looked in the current folder, models/ and ", 64) ==
                0);
    setenv("SNNSIM_MODELS", "installed", 1);
    assert_true(snn_model_load(&back, "one.h5", &err));
    snn_model_free(&back);
    assert_false(snn_model_load(&back, "./one.h5", &err));
    assert_string_equal(err.text, "./one.h5: no such model");
    m.net->steps = 10; /* models/ comes before the installed folder, the current one before both */
    save(&m, "models/one.h5");
    assert_true(snn_model_load(&back, "one.h5", &err));
    assert_int_equal(back.net->steps, 10);
    snn_model_free(&back);
    m.net->steps = 11;
    save(&m, "one.h5");
    assert_true(snn_model_load(&back, "one.h5", NULL));
    assert_int_equal(back.net->steps, 11);
    snn_model_free(&back);
    assert_false(snn_model_load(&back, "models", &err));
    assert_string_equal(err.text, "models: not a regular file, expected a model");
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_false(snn_model_load(&back, long_name, &err));
    assert_non_null(strstr(err.text, "too long"));
    assert_false(snn_model_load(&back, long_name, NULL));
    unsetenv("SNNSIM_MODELS");
    assert_int_equal(chdir(here), 0);
    snn_model_free(&m);
}

/* ---- what cannot be saved ---- */

static void cannot_save(const snn_model *m, const char *path, snn_code code, const char *sentence) {
    snn_error err;
    assert_false(snn_model_save(m, path, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
}

static void refuses_to_save(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false), empty = {0};
    cannot_save(&empty, at("x.h5"), SNN_ERR_DATA, "a model without a network");
    empty.net = m.net;
    cannot_save(&empty, at("x.h5"), SNN_ERR_DATA, "a model without weights");
    cannot_save(&m, at("missing/x.h5"), SNN_ERR_RUNTIME, "missing/x.h5");
    m.weights->tensor[1].scale[0] = 0;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "layer 'fc': scale 0 is 0, expected a positive number");
    m.weights->tensor[1].scale[0] = INFINITY;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "scale 0 is inf");
    m.weights->tensor[1].scale[0] = 1;
    m.weights->tensor[0].bits = 4;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "which is more than 4 bits");
    m.weights->tensor[0].bits = 8;
    m.weights->tensor[0].shape[0] = 4;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "weights of layer 'conv' have shape 4 x 2 x 2 x 2");
    m.weights->tensor[0].shape[0] = 3;
    m.net->layer[0].bias[0] = NAN;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "bias 0 is nan");
    m.net->layer[0].bias[0] = 0;
    m.record[0] = '\0';
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "training record of 0 bytes");
    snn_model_free(&m);
    m = model_of(5, 0, false);
    m.weights->tensor[0].value[23] = NAN;
    cannot_save(&m, at("x.h5"), SNN_ERR_DATA, "layer 'conv': weight 23 is nan");
    assert_int_not_equal(access(at("x.h5"), F_OK), 0);
    snn_model_free(&m);
    (void)err;
}

/* A disk that is full after 3 KiB: an error, the old file untouched, nothing left behind. */
static void full_disk(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false), back;
    assert_int_equal(mkdir(at("full"), 0755), 0);
    save(&m, at("full/m.h5"));
    snn_model big = model_of(3000, 8, false);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 3072;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool saved = snn_model_save(&big, at("full/m.h5"), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(saved);
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    assert_non_null(strstr(err.text, "full/m.h5"));
    assert_true(snn_model_load(&back, at("full/m.h5"), &err));
    assert_same(&m, &back);
    char command[160];
    snprintf(command, sizeof command, "test $(ls -A '%s/full' | wc -l) = 1", folder);
    assert_int_equal(system(command), 0);
    snn_model_free(&back);
    snn_model_free(&big);
    snn_model_free(&m);
}

/* ---- damaged files ---- */

static void refused(const char *path, const char *sentence) {
    snn_error err = {0};
    snn_model m;
    if (snn_model_load(&m, path, &err))
        fail_msg("accepted; expected '%s'", sentence);
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_true(strncmp(err.text, path, strlen(path)) == 0);
    assert_true(m.net == NULL && m.weights == NULL && m.record == NULL);
}

static void write_bytes(const char *path, const uint8_t *data, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

#define BLOCK 512 /* bytes of HDF5's user block, with what the file is and a digest of the rest */

/* A model as it would be without the block. */
static void save_plain(const snn_model *m, const char *path) {
    snn_error err;
    uint8_t *data;
    size_t n;
    save(m, path);
    assert_true(snn_file_read(path, 1 << 24, &data, &n, &err));
    write_bytes(path, data + BLOCK, n - BLOCK);
    free(data);
}

static void truncated(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(500, 8, false);
    uint8_t *data;
    size_t n;
    save(&m, at("m.h5"));
    assert_true(snn_file_read(at("m.h5"), 1 << 24, &data, &n, &err));
    for (size_t cut = 0; cut < n; cut += 1 + n / 61) {
        write_bytes(at("cut.h5"), data, cut);
        refused(at("cut.h5"),
                cut < 15 ? "is no HDF5 file, or a damaged one (HDF5: " : "damaged, cut short or changed");
    }
    write_bytes(at("cut.h5"), data, n - 1);
    refused(at("cut.h5"), "the file was damaged, cut short or changed: its bytes do not match their digest");
    for (size_t cut = BLOCK + 1; cut < n; cut += 1 + n / 61) { /* libhdf5 by itself finds it too */
        write_bytes(at("cut.h5"), data + BLOCK, cut - BLOCK);
        refused(at("cut.h5"), "is no HDF5 file, or a damaged one (HDF5: ");
    }
    write_bytes(at("cut.h5"), (const uint8_t *)"a text, not a model\n", 20);
    refused(at("cut.h5"), "is no HDF5 file");
    free(data);
    snn_model_free(&m);
}

/* A changed byte stands either in the block's padding or first line, or the file is refused before libhdf5 sees it. */
static void flipped_bytes(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false), back;
    uint8_t *data;
    size_t n;
    save(&m, at("m.h5"));
    assert_true(snn_file_read(at("m.h5"), 1 << 24, &data, &n, &err));
    for (size_t i = 0; i < n; i += i < 100 ? 1 : 7) {
        data[i] ^= (uint8_t)(1u << (i % 8));
        write_bytes(at("flip.h5"), data, n);
        data[i] ^= (uint8_t)(1u << (i % 8));
        if (i < 15 || (i >= 15 + 64 && i < BLOCK)) {
            assert_true(snn_model_load(&back, at("flip.h5"), &err));
            assert_same(&m, &back);
            snn_model_free(&back);
        } else {
            refused(at("flip.h5"), "the file was damaged, cut short or changed");
        }
    }
    free(data);
    snn_model_free(&m);
}

/* Files without the block, from other tools, are read as well. */
static void without_block(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false), back;
    save_plain(&m, at("plain.h5"));
    assert_true(snn_model_load(&back, at("plain.h5"), &err));
    assert_same(&m, &back);
    snn_model_free(&back);
    snn_model_free(&m);
}

/* ---- hostile files, made by changing a good one through HDF5 ---- */

typedef void change(hid_t file);

static void hostile(change *f, const char *sentence) {
    snn_model m = model_of(5, 6, true);
    save_plain(&m, at("h.h5"));
    snn_model_free(&m);
    hid_t file = H5Fopen(at("h.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    f(file);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    refused(at("h.h5"), sentence);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL),
                     0); /* nothing stays open after a refusal */
}

static void drop(hid_t file, const char *name) {
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
}

/* Replaces a data set by one of the given type, shape and creation properties; data may be NULL. */
static void replace(hid_t file, const char *name, hid_t type, int dims, const hsize_t *shape, hid_t create,
                    const void *data) {
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        drop(file, name);
    hid_t space = dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(dims, shape, NULL);
    hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(d >= 0);
    if (data != NULL)
        assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

static void set_int(hid_t file, const char *object, const char *name, int value) {
    hid_t o = H5Oopen(file, object, H5P_DEFAULT);
    if (H5Aexists(o, name) > 0)
        H5Adelete(o, name);
    hid_t space = H5Screate(H5S_SCALAR),
          a = H5Acreate2(o, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, H5T_NATIVE_INT, &value) >= 0);
    H5Aclose(a);
    H5Sclose(space);
    H5Oclose(o);
}

static void set_string(hid_t file, const char *object, const char *name, const char *value) {
    hid_t o = H5Oopen(file, object, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    if (H5Aexists(o, name) > 0)
        H5Adelete(o, name);
    H5Tset_size(type, strlen(value));
    hid_t space = H5Screate(H5S_SCALAR), a = H5Acreate2(o, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, type, value) >= 0);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
    H5Oclose(o);
}

static void delete_attribute(hid_t file, const char *object, const char *name) {
    hid_t o = H5Oopen(file, object, H5P_DEFAULT);
    assert_true(H5Adelete(o, name) >= 0);
    H5Oclose(o);
}

#define FC "/snnsim/weights/fc"
#define FC_SCALE "/snnsim/scales/fc"
static const hsize_t fc_shape[] = {5, 12};

static void no_group(hid_t f) {
    drop(f, "/snnsim");
}
static void no_weights(hid_t f) {
    drop(f, "/snnsim/weights");
}
static void no_scales(hid_t f) {
    drop(f, "/snnsim/scales");
}
static void no_network(hid_t f) {
    drop(f, "/snnsim/network");
}
static void no_tensor(hid_t f) {
    drop(f, FC);
}
static void no_scale(hid_t f) {
    drop(f, FC_SCALE);
}
static void no_format(hid_t f) {
    delete_attribute(f, "/snnsim", "format");
}
static void no_digest(hid_t f) {
    delete_attribute(f, "/snnsim", "digest");
}
static void no_network_digest(hid_t f) {
    delete_attribute(f, "/snnsim", "network_digest");
}
static void no_record_digest(hid_t f) {
    delete_attribute(f, "/snnsim", "record_digest");
}
static void no_bits(hid_t f) {
    delete_attribute(f, FC, "bits");
}
static void no_encoding(hid_t f) {
    delete_attribute(f, FC, "encoding");
}
static void newer_format(hid_t f) {
    set_int(f, "/snnsim", "format", 2);
}
static void format_of_text(hid_t f) {
    set_string(f, "/snnsim", "format", "1");
}
static void nine_bits(hid_t f) {
    set_int(f, FC, "bits", 9);
}
static void no_bit(hid_t f) {
    set_int(f, FC, "bits", 0);
}
static void five_bits(hid_t f) {
    set_int(f, FC, "bits", 5);
}
static void seven_bits(hid_t f) {
    set_int(f, FC, "bits", 7);
}
static void bits_of_text(hid_t f) {
    set_string(f, FC, "bits", "8");
}
static void encoding_of_number(hid_t f) {
    set_int(f, FC, "encoding", 1);
}
static void gray_encoding(hid_t f) {
    set_string(f, FC, "encoding", "gray");
}
static void other_encoding(hid_t f) {
    set_string(f, FC, "encoding", "twos_complement");
}
static void long_encoding(hid_t f) {
    set_string(f, FC, "encoding", "sign_magnitude_and_much_more_than_that_to_read");
}
static void other_digest(hid_t f) {
    set_string(f, "/snnsim", "digest", "0123456789012345678901234567890123456789012345678901234567890123");
}
static void long_digest(hid_t f) {
    char text[200];
    memset(text, '0', 199);
    text[199] = '\0';
    set_string(f, "/snnsim", "digest", text);
}

static void soft_link(hid_t f) {
    H5Lmove(f, FC, f, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Lcreate_soft("/elsewhere", f, FC, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void external_link(hid_t f) {
    drop(f, FC);
    assert_true(H5Lcreate_external("/etc/passwd", "/x", f, FC, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void linked_group(hid_t f) {
    H5Lmove(f, "/snnsim", f, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Lcreate_soft("/elsewhere", f, "/snnsim", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void group_for_tensor(hid_t f) {
    drop(f, FC);
    H5Gclose(H5Gcreate2(f, FC, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}
static void tensor_for_group(hid_t f) {
    drop(f, "/snnsim");
    replace(f, "/snnsim", H5T_STD_U8LE, 2, fc_shape, H5P_DEFAULT, NULL);
}
static void loop(hid_t f) {
    drop(f, "/snnsim/weights");
    assert_true(H5Lcreate_hard(f, "/snnsim", f, "/snnsim/weights", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}
static void stranger(hid_t f) {
    replace(f, "/snnsim/weights/extra", H5T_STD_U8LE, 2, fc_shape, H5P_DEFAULT, NULL);
}

static void signed_codes(hid_t f) {
    replace(f, FC, H5T_STD_I8LE, 2, fc_shape, H5P_DEFAULT, NULL);
}
static void codes_of_32_bits(hid_t f) {
    replace(f, FC, H5T_STD_U32LE, 2, fc_shape, H5P_DEFAULT, NULL);
}
static void double_codes(hid_t f) {
    replace(f, FC, H5T_IEEE_F64LE, 2, fc_shape, H5P_DEFAULT, NULL);
}
static void text_codes(hid_t f) {
    replace(f, FC, H5T_C_S1, 2, fc_shape, H5P_DEFAULT, NULL);
}
static void wrong_shape(hid_t f) {
    replace(f, FC, H5T_STD_U8LE, 2, (hsize_t[]){12, 5}, H5P_DEFAULT, (uint8_t[60]){0});
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void wrong_rank(hid_t f) {
    replace(f, FC, H5T_STD_U8LE, 1, (hsize_t[]){60}, H5P_DEFAULT, (uint8_t[60]){0});
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void scalar_tensor(hid_t f) {
    replace(f, FC, H5T_STD_U8LE, 0, NULL, H5P_DEFAULT, (uint8_t[1]){0});
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void huge_tensor(hid_t f) { /* announced, never written: takes no space in the file */
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 2, (hsize_t[]){1024, 1024});
    replace(f, FC, H5T_STD_U8LE, 2, (hsize_t[]){1u << 31, 1u << 31}, create, NULL);
    H5Pclose(create);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void empty_tensor(hid_t f) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 2, fc_shape);
    replace(f, FC, H5T_STD_U8LE, 2, fc_shape, create, NULL);
    H5Pclose(create);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void external_storage(hid_t f) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, "/etc/passwd", 0, 60);
    replace(f, FC, H5T_STD_U8LE, 2, fc_shape, create, NULL);
    H5Pclose(create);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void virtual_storage(hid_t f) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, fc_shape, NULL);
    H5Pset_virtual(create, space, "/etc/passwd", "/x", space);
    replace(f, FC, H5T_STD_U8LE, 2, fc_shape, create, NULL);
    H5Pclose(create);
    H5Sclose(space);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void unknown_filter(hid_t f) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 2, fc_shape);
    H5Pset_nbit(create); /* built in, but not what models use */
    replace(f, FC, H5T_STD_U8LE, 2, fc_shape, create, (uint8_t[60]){0});
    H5Pclose(create);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void changed_code(hid_t f) {
    hid_t d = H5Dopen2(f, FC, H5P_DEFAULT);
    uint8_t code[60];
    H5Dread(d, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, code);
    code[17] ^= 1;
    H5Dwrite(d, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, code);
    H5Dclose(d);
}

static void too_few_scales(hid_t f) {
    replace(f, FC_SCALE, H5T_IEEE_F32LE, 1, (hsize_t[]){4}, H5P_DEFAULT, (float[4]){1, 1, 1, 1});
}
static void double_scales(hid_t f) {
    replace(f, FC_SCALE, H5T_IEEE_F64LE, 1, (hsize_t[]){1}, H5P_DEFAULT, (double[1]){1});
}
static void scalar_scale(hid_t f) {
    replace(f, FC_SCALE, H5T_IEEE_F32LE, 0, NULL, H5P_DEFAULT, (float[1]){1});
}
static void null_tensor(hid_t f) {
    drop(f, FC);
    hid_t space = H5Screate(H5S_NULL);
    hid_t d = H5Dcreate2(f, FC, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(d);
    H5Sclose(space);
    set_int(f, FC, "bits", 6);
    set_string(f, FC, "encoding", "sign_magnitude");
}
static void negative_scale(hid_t f) {
    replace(f, FC_SCALE, H5T_IEEE_F32LE, 1, (hsize_t[]){5}, H5P_DEFAULT, (float[5]){1, 1, 1, -1, 1});
}
static void nan_scale(hid_t f) {
    replace(f, FC_SCALE, H5T_IEEE_F32LE, 1, (hsize_t[]){1}, H5P_DEFAULT, (float[1]){NAN});
}
static void nan_weight(hid_t f) {
    float w[60] = {0};
    w[59] = NAN;
    replace(f, FC, H5T_IEEE_F32LE, 2, fc_shape, H5P_DEFAULT, w);
    set_int(f, FC, "bits", 32);
}
static void float_of_8_bits(hid_t f) {
    replace(f, FC, H5T_IEEE_F32LE, 2, fc_shape, H5P_DEFAULT, (float[60]){0});
    set_int(f, FC, "bits", 8);
}

static void set_text(hid_t f, const char *name, const char *text) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text));
    replace(f, name, type, 0, NULL, H5P_DEFAULT, text);
    H5Tclose(type);
}
static void other_network(hid_t f) {
    set_text(f, "/snnsim/network", "{\"format\":1}");
}
static void other_record(hid_t f) {
    set_text(f, "/snnsim/record", "{}");
}
static void number_for_network(hid_t f) {
    replace(f, "/snnsim/network", H5T_STD_I32LE, 0, NULL, H5P_DEFAULT, (int[1]){1});
}
static void list_for_network(hid_t f) {
    replace(f, "/snnsim/network", H5T_C_S1, 1, (hsize_t[]){10}, H5P_DEFAULT, "0123456789");
}
static void variable_network(hid_t f) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const char *text = "{}";
    replace(f, "/snnsim/network", type, 0, NULL, H5P_DEFAULT, &text);
    H5Tclose(type);
}

static void hostile_structure(void **state) {
    (void)state;
    hostile(no_group, "/snnsim: is missing");
    hostile(no_weights, "/snnsim/weights: is missing");
    hostile(no_scales, "/snnsim/scales: is missing");
    hostile(no_network, "/snnsim/network: is missing");
    hostile(no_tensor, "/snnsim/weights/fc: is missing");
    hostile(no_scale, "/snnsim/scales/fc: is missing");
    hostile(soft_link, "/snnsim/weights/fc: is a soft or external link");
    hostile(external_link, "/snnsim/weights/fc: is a soft or external link");
    hostile(linked_group, "/snnsim: is a soft or external link");
    hostile(group_for_tensor, "/snnsim/weights/fc: is not a data set");
    hostile(tensor_for_group, "/snnsim: is not a group");
    hostile(loop, "/snnsim/weights: has 4 members, but the network has 2 layers of weights");
    hostile(stranger, "/snnsim/weights: has 3 members, but the network has 2 layers of weights");
}

static void hostile_attributes(void **state) {
    (void)state;
    hostile(no_format, "/snnsim: attribute 'format' is missing");
    hostile(no_digest, "/snnsim: attribute 'digest' is missing");
    hostile(no_network_digest, "/snnsim: attribute 'network_digest' is missing");
    hostile(no_record_digest, "/snnsim: attribute 'record_digest' is missing");
    hostile(no_bits, "/snnsim/weights/fc: attribute 'bits' is missing");
    hostile(no_encoding, "/snnsim/weights/fc: attribute 'encoding' is missing");
    hostile(newer_format, "format 2 is not known (this snnsim knows 1)");
    hostile(format_of_text, "attribute 'format' is not a single number");
    hostile(bits_of_text, "attribute 'bits' is not a single number");
    hostile(encoding_of_number, "attribute 'encoding' is not a single string");
    hostile(nine_bits, "/snnsim/weights/fc: 9 bits in codes of 1 bytes");
    hostile(no_bit, "/snnsim/weights/fc: 0 bits in codes of 1 bytes");
    hostile(five_bits, "which is more than 5 bits");
    hostile(seven_bits, "the weights do not match their digest");
    hostile(gray_encoding, "/snnsim/weights/fc: unknown encoding 'gray'");
    hostile(other_encoding, "the weights do not match their digest");
    hostile(long_encoding, "/snnsim/weights/fc/encoding: is not a short string");
    hostile(other_digest, "the weights do not match their digest: the file was damaged or changed");
    hostile(long_digest, "/snnsim/digest: is not a short string");
}

static void hostile_tensors(void **state) {
    (void)state;
    const char *type = "/snnsim/weights/fc: has a number type that is neither uint8, uint16 nor float32";
    hostile(signed_codes, type);
    hostile(codes_of_32_bits, type);
    hostile(double_codes, type);
    hostile(text_codes, type);
    hostile(wrong_shape, "/snnsim/weights/fc: has shape 12 x 5, expected 5 x 12");
    hostile(wrong_rank, "/snnsim/weights/fc: has shape 60, expected 5 x 12");
    hostile(scalar_tensor, "/snnsim/weights/fc: has shape (), expected 5 x 12");
    hostile(huge_tensor, "/snnsim/weights/fc: has shape 2147483648 x 2147483648, expected 5 x 12");
    hostile(null_tensor, "/snnsim/weights/fc: has shape none, expected 5 x 12");
    hostile(empty_tensor, "/snnsim/weights/fc: holds less data than its shape asks for");
    hostile(external_storage, "/snnsim/weights/fc: is stored outside the file");
    hostile(virtual_storage, "/snnsim/weights/fc: is stored outside the file");
    hostile(unknown_filter, "or with a filter that models do not use");
    hostile(changed_code, "the weights do not match their digest");
    hostile(nan_weight, "layer 'fc': weight 59 is nan, expected a finite number");
    hostile(float_of_8_bits, "8 bits in codes of 4 bytes");
    hostile(too_few_scales, "/snnsim/scales/fc: has shape 4, expected 5");
    hostile(double_scales, "/snnsim/scales/fc: has a number type other than float32");
    hostile(scalar_scale, "/snnsim/scales/fc: has shape (), expected 5");
    hostile(negative_scale, "layer 'fc': scale 3 is -1, expected a positive number");
    hostile(nan_scale, "layer 'fc': scale 0 is nan");
}

static void hostile_texts(void **state) {
    (void)state;
    hostile(other_network, "the network's bytes do not match their digest");
    hostile(other_record, "the training record's bytes do not match their digest");
    hostile(number_for_network, "/snnsim/network: is not a string of fixed length");
    hostile(list_for_network, "/snnsim/network: has shape 10, expected ()");
    hostile(variable_network, "/snnsim/network: is not a string of fixed length");
}

/* ---- show and diff ---- */

static char *text_of(FILE *f) {
    long n = ftell(f);
    char *text = calloc((size_t)n + 1, 1);
    assert_non_null(text);
    rewind(f);
    assert_int_equal(fread(text, 1, (size_t)n, f), n);
    fclose(f);
    return text;
}

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in:\n%s", part, text);
}

static void shows(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(5, 8, false);
    snn_tensor *t = &m.weights->tensor[1];
    memset(t->code8, 1, t->count);
    m.weights->tensor[0].encoding = SNN_TWOS_COMPLEMENT;
    t->encoding = SNN_OFFSET_BINARY; /* code 1 is -127, code 128 is 0 */
    t->code8[0] = t->code8[1] = t->code8[2] = 0x80;
    t->code8[3] = 2;
    t->scale[0] = 0.3f;
    m.weights->tensor[0].scale[0] = ldexpf(1, -11);
    FILE *f = tmpfile();
    assert_true(snn_model_show(&m, f, &err));
    char *text = text_of(f);
    assert_has(text, "input     2x5x5, 9 time steps\n");
    assert_has(text, "2x5x5 -> 3x4x4");
    assert_has(text, "3x2x2 -> 5 ");
    assert_has(text, "conv2d 2/1");
    assert_has(text, "        24     8          2^-11 ");
    assert_has(text, "        60     8    0.300000012   5.00%  93.33%  li d=0.9");
    assert_has(text, "lif d=0.3 v>0.3 reset=zero +bias");
    assert_has(text, "neurons   53, classes 5, biases 3\n"); /* 3x4x4 + 5 */
    assert_has(text, "weights   84 = 672 bits (mixed), 84 bytes in memory\n");
    assert_has(text, "training  accuracy = 0.875\n");
    assert_has(text, "training  loss = (3 entries)\n");
    char digest[65];
    snn_weights_digest(m.weights, digest);
    assert_has(text, digest);
    free(text);
    snn_model_free(&m);
    m = model_of(5, 0, false);
    m.record[0] = '?';
    m.net->step_us = 1000;
    m.net->layer[0].neuron.gain = 0.5f;
    f = tmpfile();
    assert_true(snn_model_show(&m, f, &err));
    text = text_of(f);
    assert_has(text, "9 time steps of 1000 us");
    assert_has(text, "84 = 2688 bits (float32), 336 bytes");
    assert_has(text, "bytes that are not a JSON object");
    assert_has(text, "gain=0.5");
    free(text);
    m.weights->tensor[0].dims = 3;
    assert_false(snn_model_show(&m, stdout, &err));
    snn_weights_free(m.weights);
    m.weights = NULL;
    f = tmpfile();
    assert_true(snn_model_show(&m, f, &err));
    fclose(f);
    f = fopen("/dev/full", "w");
    setvbuf(f, NULL, _IONBF, 0);
    assert_false(snn_model_show(&m, f, &err));
    fclose(f);
    snn_model_free(&m);
    assert_false(snn_model_show(&m, stdout, &err));
    m = model_of(5, 6, true);
    m.weights->tensor[1].scale[2] = 4;
    f = tmpfile();
    assert_true(snn_model_show(&m, f, &err));
    text = text_of(f);
    assert_has(text, "..2^2 ");
    free(text);
    snn_model_free(&m);
}

/* Text of the comparison; *same as snn_model_diff says. */
static char *diff_of(const snn_model *a, const snn_model *b, bool *same) {
    snn_error err;
    FILE *f = tmpfile();
    assert_true(snn_model_diff(a, b, f, same, &err));
    return text_of(f);
}

static void expect_diff(const snn_model *a, const snn_model *b, const char *part) {
    bool same = true;
    char *text = diff_of(a, b, &same);
    assert_false(same);
    assert_has(text, part);
    free(text);
}

static void diffs(void **state) {
    (void)state;
    bool same = false;
    snn_model a = model_of(5, 8, true), b = model_of(5, 8, true);
    char *text = diff_of(&a, &b, &same);
    assert_true(same);
    assert_string_equal(text, "the models are the same\n");
    free(text);
    snn_tensor *t = &b.weights->tensor[0], *u = &b.weights->tensor[1];
    t->code8[23] = 0x03;
    a.weights->tensor[0].code8[23] = 0x83;
    t->encoding = a.weights->tensor[0].encoding = SNN_SIGN_MAGNITUDE;
    text = diff_of(&a, &b, &same);
    assert_false(same);
    assert_string_equal(text, "conv: 1 of 24 weights differ, in 1 bits:\n"
                              "  conv[2][1][1][1]: code 0x83 (q = -3) against 0x03 (q = 3), bits 0\n");
    free(text);
    for (int i = 0; i < 7; i++)
        u->code8[i * 8] ^= 0x81;
    expect_diff(&a, &b, "fc: 7 of 60 weights differ, in 14 bits; the first:\n  fc[0][0]: code ");
    expect_diff(&a, &b, "  fc[2][8]: code ");
    text = diff_of(&a, &b, &same);
    assert_null(strstr(text, "fc[3][4]")); /* the sixth is not listed */
    assert_has(text, ", bits 0 7\n");
    free(text);
    u->scale[3] *= 2;
    u->scale[4] *= 2;
    expect_diff(&a, &b, "fc: 2 of 5 scales differ, first: ");
    u->bits = 7;
    expect_diff(&a, &b, "fc: 8 bits offset_binary against 7 bits offset_binary\n");
    b.net->steps = 8;
    expect_diff(&a, &b, "time: 9 steps of 0 us against 8 of 0 us\n");
    b.net->layer[0].bias[2] = 1;
    expect_diff(&a, &b, "conv: 1 of 3 biases differ\n");
    strcpy(b.net->layer[1].name, "p");
    expect_diff(&a, &b, "layer 2: named 'pool' against 'p'\n");
    b.net->layer[0].neuron.decay = 0.5f;
    expect_diff(&a, &b, "networks differ in layer 1 ('conv'): decay 0.300000012 against 0.5\n");
    snn_model_free(&b);
    b = model_of(5, 8, false);
    expect_diff(&a, &b, "fc: 5 scales against 1\n");
    snn_model_free(&b);
    b = (snn_model){.net = snn_net_copy(a.net, NULL), .weights = snn_weights_copy(a.weights, NULL)};
    b.weights->tensor[1].scales = 1; /* nothing else differs */
    expect_diff(&a, &b, "fc: 5 scales against 1\n");
    b.weights->tensor[1].scales = 5;
    b.weights->tensor[1].scale[4] = 77;
    expect_diff(&a, &b, "fc: 1 of 5 scales differ, first: ");
    snn_model_free(&b);
    b = model_of(5, 0, false);
    expect_diff(&a, &b, "fc: 8 bits offset_binary against float32\n");
    snn_model c = model_of(5, 0, false);
    c.weights->tensor[1].value[13] = -7;
    expect_diff(&b, &c, "fc: 1 of 60 weights differ:\n  fc[1][1]: ");
    snn_error err;
    snn_weights_free(b.weights);
    b.weights = NULL;
    assert_false(snn_model_diff(&a, &b, stdout, &same, &err));
    assert_string_equal(err.text, "the second model has no weights to compare");
    c.weights->tensor[1].dims = 1;
    assert_false(snn_model_diff(&c, &a, stdout, &same, &err));
    snn_model_free(&a);
    assert_false(snn_model_diff(&a, &b, stdout, &same, &err));
    snn_model_free(&b);
    snn_model_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(wide_codes_and_minus_zero),
        cmocka_unit_test(compression_saves_space),
        cmocka_unit_test(same_content_same_bytes),
        cmocka_unit_test(bare_names_are_looked_up),
        cmocka_unit_test(refuses_to_save),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(truncated),
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(without_block),
        cmocka_unit_test(hostile_structure),
        cmocka_unit_test(hostile_attributes),
        cmocka_unit_test(hostile_tensors),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(shows),
        cmocka_unit_test(diffs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
