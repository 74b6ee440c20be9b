/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Import of .net files: what becomes of each kind of layer and of each way in which h5py stores a number; timings; every refusal with its sentence. Files are made with libhdf5, one
 * detail at a time unlike a good one.
 */
#include "published_test.h"

#include <hdf5.h>

static char folder[64], file[96];

/* ---- making files ---- */

/* One change to the good file: object `path` is left out (value NULL), or holds `n` numbers, or a text. */
typedef struct {
    const char *path, *text;
    int dims;
    hsize_t shape[5];
    const double *value;
} change;

static hid_t out;
static const change *changed;

static void write_numbers(const char *path, int dims, const hsize_t *shape, hid_t type, const double *value) {
    hid_t create = H5Pcreate(H5P_LINK_CREATE),
          space = dims ? H5Screate_simple(dims, shape, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(create, 1);
    hid_t d = H5Dcreate2(out, path, type, space, create, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(create);
}

/* As h5py does: variable = a Python string, otherwise 'S10' of one element. */
static void write_text(const char *path, const char *text, bool variable) {
    char fixed[10] = {0};
    hid_t create = H5Pcreate(H5P_LINK_CREATE),
          space = variable ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, (hsize_t[]){1}, NULL);
    H5Pset_create_intermediate_group(create, 1);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, variable ? H5T_VARIABLE : sizeof fixed);
    memcpy(fixed, text, strlen(text) < sizeof fixed ? strlen(text) : sizeof fixed);
    hid_t d = H5Dcreate2(out, path, type, space, create, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                   variable ? (const void *)&text : fixed) >= 0);
    H5Dclose(d);
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(create);
}

static bool replaced(const char *path) {
    if (changed == NULL || strcmp(changed->path, path) != 0)
        return false;
    if (changed->text != NULL)
        write_text(path, changed->text, false);
    else if (changed->value != NULL)
        write_numbers(path, changed->dims, changed->shape, H5T_NATIVE_DOUBLE, changed->value);
    return true;
}

static void put(const char *path, int dims, const hsize_t *shape, const double *value) {
    if (!replaced(path))
        write_numbers(path, dims, shape, H5T_NATIVE_FLOAT, value);
}

static void put_int(const char *path, double value) {
    if (!replaced(path))
        write_numbers(path, 0, NULL, H5T_NATIVE_INT64, &value);
}

static void put_type(const char *path, const char *text, bool variable) {
    if (!replaced(path))
        write_text(path, text, variable);
}

static void put_list(const char *path, hsize_t n, const double *value) {
    if (!replaced(path))
        write_numbers(path, 1, &n, H5T_NATIVE_INT64, value);
}

static void put_neuron(const char *layer, const char *type) {
    char path[64];
#define AT(name) (snprintf(path, sizeof path, "layer/%s/neuron/" name, layer), path)
    put_type(AT("type"), type, true);
    put_int(AT("iDecay"), 1024);
    put_int(AT("vDecay"), 128);
    put_int(AT("vThMant"), 80);
    put_int(AT("refDelay"), 1);
    put_int(AT("wgtExp"), 0);
    put_int(AT("theta"), 5120);
    put_int(AT("tauRho"), 1);
#undef AT
}

static double ramp[256];

/* Input 1x4x4, conv 2 of 3x3 with biases, pool of 2, flatten, recurrent 3, dense 2. */
static void put_layers(const char *neuron) {
    put_type("layer/0/type", "input", false);
    put_list("layer/0/shape", 3, (double[]){1, 4, 4});
    put_type("layer/1/type", "conv", false);
    put_list("layer/1/shape", 3, (double[]){2, 4, 4});
    put_int("layer/1/inChannels", 1);
    put_int("layer/1/outChannels", 2);
    put_list("layer/1/kernelSize", 2, (double[]){3, 3});
    put_int("layer/1/stride", 1);
    put_list("layer/1/padding", 2, (double[]){1, 1});
    put_list("layer/1/dilation", 2, (double[]){1, 1});
    put_int("layer/1/groups", 1);
    put("layer/1/weight", 4, (hsize_t[]){2, 3, 3, 1}, ramp); /* squeezed: one input channel */
    put("layer/1/bias", 1, (hsize_t[]){2}, (double[]){5, -6});
    put_neuron("1", neuron);
    put_type("layer/2/type", "pool", false);
    put_list("layer/2/shape", 3, (double[]){2, 2, 2});
    put_list("layer/2/kernelSize", 2, (double[]){2, 2});
    put_list("layer/2/stride", 2, (double[]){2, 2});
    put_list("layer/2/padding", 2, (double[]){0, 0});
    put_int("layer/2/dilation", 1);
    put("layer/2/weight", 4, (hsize_t[]){1, 1, 2, 2}, ramp);
    put_neuron("2", neuron);
    put_type("layer/3/type", "flatten", false);
    put_list("layer/3/shape", 3, (double[]){8, 1, 1});
    put_type("layer/4/type", "dense", false);
    put_list("layer/4/shape", 3, (double[]){3, 1, 1});
    put_int("layer/4/inFeatures", 8);
    put_int("layer/4/outFeatures", 3);
    put("layer/4/weight", 1, (hsize_t[]){24}, ramp); /* flat, as old files have it */
    put_list("layer/4/delay", 3, (double[]){2, 2, 2});
    put_neuron("4", neuron);
    put_type("layer/5/type", "dense", false);
    put_list("layer/5/shape", 1, (double[]){2});
    put_int("layer/5/outFeatures", 2);
    put("layer/5/weight", 2, (hsize_t[]){2, 3}, ramp);
    put_neuron("5", neuron);
    put_int("simulation/Ts", 2);
    put_int("simulation/tSample", 9);
}

static void create(void) {
    for (int i = 0; i < 256; i++)
        ramp[i] = i % 2 ? -i : i + 1;
    out = H5Fcreate(file, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(out >= 0);
}

static void make(const change *c, const char *neuron) {
    changed = c;
    create();
    put_layers(neuron);
    H5Fclose(out);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_lava_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(file, sizeof file, "%s/a.net", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    return rmdir(folder);
}

/* ---- what becomes of it ---- */

static int32_t q(const snn_model *m, int tensor, uint64_t i) {
    return snn_weight_q(&m->weights->tensor[tensor], i);
}

static void becomes(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    make(NULL, "LOIHI");
    need(snn_import(&m, file, NULL, &err), &err);
    const snn_layer *l = m.net->layer;
    assert_true(m.net->fixed && m.net->layers == 5 && m.net->steps == 4 && m.net->step_us == 2000);
    assert_true(l[0].type == SNN_LAYER_CONV2D && l[0].kernel == 3 && l[0].stride == 1 && l[0].padding == 1);
    assert_true(l[0].bias[0] == 5 && l[0].bias[1] == -6 && l[0].neuron.membrane_bias);
    assert_true(l[1].type == SNN_LAYER_CONV2D && l[1].kernel == 2 && l[1].stride == 2 && l[1].bias == NULL);
    assert_int_equal(l[2].type, SNN_LAYER_FLATTEN);
    assert_true(l[3].type == SNN_LAYER_LINEAR && !l[3].recurrent && l[4].out.channels == 2);
    /* SLAYER's timing, as the input has no neurons; layer 4 has 2 steps of its own. */
    static const uint32_t delay[5] = {1, 1, 0, 3, 1};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(l[i].delay, delay[i]);
        assert_int_equal(l[i].start, i != 2);
    }
    assert_true(l[4].neuron.type == SNN_NEURON_CUBA && l[4].neuron.decay == 3968 / 4096.0f &&
                l[4].neuron.threshold == 80);
    for (uint64_t i = 0; i < 18; i++)
        assert_int_equal(q(&m, 0, i), ramp[i]);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(q(&m, 1, i), i < 4 ? ramp[i] : i < 12 ? 0 : ramp[i - 12]);
    for (uint64_t i = 0; i < 24; i++)
        assert_int_equal(q(&m, 2, i), ramp[i]);
    assert_int_equal(m.weights->tensor[3].bits, 9);
    snn_model_free(&m);
}

static void check_timing(const char *wanted, uint32_t delay, uint32_t output, uint32_t start) {
    snn_model m;
    snn_error err = {0};
    const snn_import_options o = {.timing = wanted};
    need(snn_import_net(&m, file, wanted ? &o : NULL, &err), &err);
    assert_int_equal(m.net->layer[0].delay, delay);
    assert_int_equal(m.net->layer[0].start, start);
    assert_int_equal(m.net->layer[m.net->layers - 1].delay, output);
    assert_int_equal(m.net->layer[m.net->layers - 1].start, start);
    snn_model_free(&m);
}

static void timings(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    make(NULL, "LOIHI");
    check_timing(NULL, 1, 1, 1);
    check_timing("slayer", 1, 1, 1);
    check_timing("netx", 0, 0, 1);
    check_timing("lava-dl", 1, 1, 0);
    check_timing("loihi", 1, 0, 0);
    const snn_import_options o = {.timing = "chip", .dt = 0.5};
    assert_false(snn_import_net(&m, file, &o, &err));
    assert_int_equal(err.code, SNN_ERR_USAGE);
    make(NULL, "CUBA");
    check_timing(NULL, 1, 1, 0);
    /* Inputs with neurons: netx's. */
    changed = NULL;
    create();
    put_layers("LOIHI");
    put_neuron("0", "LOIHI");
    put("layer/0/weight", 1, (hsize_t[]){1}, (double[]){36});
    H5Fclose(out);
    check_timing(NULL, 0, 0, 1);
    const snn_import_options half = {.dt = 0.5};
    need(snn_import_net(&m, file, &half, &err), &err);
    assert_true(m.net->step_us == 500000 && m.net->steps == 4);
    snn_model_free(&m);
}

static void recurrent(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    const change c = {.path = "layer/4/type", .text = "recurrent"};
    changed = &c;
    create();
    put_layers("LOIHI");
    put("layer/4/recWeight", 2, (hsize_t[]){3, 3}, ramp + 3);
    H5Fclose(out);
    need(snn_import_net(&m, file, NULL, &err), &err);
    assert_true(m.net->layer[3].recurrent && m.net->tensors == 5 && m.net->layer[3].start == 0);
    assert_int_equal(m.net->layer[4].delay, 0); /* outputs count when they fire */
    assert_int_equal(m.net->layer[0].delay, 1);
    assert_string_equal(m.weights->tensor[3].name, "recurrent4_rec");
    for (uint64_t i = 0; i < 9; i++)
        assert_int_equal(q(&m, 3, i), ramp[3 + i]);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(q(&m, 4, i), ramp[i]);
    snn_model_free(&m);
}

/* ---- refusals ---- */

static void refuse_file(const char *message) {
    snn_model m;
    snn_error err = {0};
    assert_false(snn_import_net(&m, file, NULL, &err));
    assert_true(m.net == NULL && m.weights == NULL);
    assert_int_equal(err.code, SNN_ERR_DATA);
    if (strstr(err.text, message) == NULL)
        fail_msg("expected '%s' in '%s'", message, err.text);
    assert_non_null(strstr(err.text, file));
}

static void refused(change c, const char *message) {
    make(&c, "LOIHI");
    refuse_file(message);
}

#define NUMBER(path_, x) ((change){.path = (path_), .value = (const double[]){(x)}})
#define LIST(path_, n, ...)                                                                                  \
    ((change){.path = (path_), .dims = 1, .shape = {(n)}, .value = (const double[]){__VA_ARGS__}})
#define TEXT(path_, text_) ((change){.path = (path_), .text = (text_)})
#define MISSING(path_) ((change){.path = (path_)})

static void neurons_refused(void **state) {
    (void)state;
    refused(TEXT("layer/1/neuron/type", "SDNN"),
            "layer/1/neuron/type: is 'SDNN': only neurons of type LOIHI and CUBA");
    refused(MISSING("layer/1/neuron/type"), "layer/1/neuron/type: is missing");
    refused(MISSING("layer/1/neuron/iDecay"), "layer/1/neuron/iDecay: is missing");
    refused(NUMBER("layer/1/neuron/iDecay", 4097), "layer/1/neuron: iDecay is 4097, expected 0 to 4096");
    refused(NUMBER("layer/1/neuron/vDecay", -1), "vDecay is -1, expected 0 to 4096");
    refused(NUMBER("layer/1/neuron/vDecay", 0.5), "layer/1/neuron/vDecay: holds 0.5, expected whole numbers");
    refused(NUMBER("layer/1/neuron/vDecay", 1e10), "layer/1/neuron/vDecay: holds 1e+10");
    refused(NUMBER("layer/1/neuron/refDelay", 2), "refDelay is 2");
    refused(NUMBER("layer/1/neuron/wgtExp", 1), "wgtExp is 1");
    refused(NUMBER("layer/1/neuron/theta", 5000), "layer/1/neuron/theta: is not 64 times vThMant");
    refused(LIST("layer/1/neuron/vDecay", 2, 1, 2), "layer/1/neuron/vDecay: differs between neurons");
    refused(TEXT("layer/1/neuron/vDecay", "128"), "layer/1/neuron/vDecay: does not hold numbers");
    static const char *const extra[][2] = {{"gradedSpike", "graded spikes"},
                                           {"messageBits", "graded spikes"},
                                           {"weight_exp", "a weight exponent"},
                                           {"sinDecay", "is not known"}};
    for (int i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "layer/1/neuron/%s", extra[i][0]);
        changed = NULL;
        create();
        put_layers("LOIHI");
        put_int(path, 1);
        H5Fclose(out);
        refuse_file(extra[i][1]);
    }
}

static void layers_refused(void **state) {
    (void)state;
    refused(TEXT("layer/0/type", "conv"), "layer/0/type: is not 'input'");
    refused(LIST("layer/0/shape", 3, 1, 4, 0), "layer/0/shape: is not positive");
    refused(LIST("layer/0/shape", 4, 1, 4, 4, 1), "layer/0/shape: has more values than it may have");
    refused(MISSING("layer/0/shape"), "layer/0/shape: is missing");
    refused(TEXT("layer/3/type", "average"),
            "layer/3/type: is 'average', a kind of layer that cannot be carried over");
    refused(TEXT("layer/3/type", "convT"), "is 'convT'");
    refused(TEXT("layer/3/type", "a\tb"), "layer/3/type: is not plain text");
    refused(NUMBER("layer/3/type", 3), "layer/3/type: is not a text");
    refused(LIST("layer/3/shape", 3, 4, 1, 1),
            "layer/3/shape: is 4x1x1, but the layer makes 8x1x1 of its input");
    refused(LIST("layer/1/shape", 3, 2, 4, 5), "layer/1/shape: is 2x4x5, but the layer makes 2x4x4");
    refused(MISSING("layer/1/weight"), "layer/1/weight: is missing");
    refused(LIST("layer/1/weight", 3, 1, 2, 3), "layer/1/weight: has 3 weights in 1 dimensions, expected 18");
    refused((change){.path = "layer/1/weight", .dims = 3, .shape = {3, 2, 3}, .value = ramp},
            "layer/1/weight: has 18 weights in 3 dimensions, expected 18 of another shape");
    refused((change){.path = "layer/1/weight", .dims = 2, .shape = {18, 1}, .value = ramp},
            "of another shape");
    refused(LIST("layer/1/bias", 3, 1, 2, 3), "layer/1/bias: has not one value for each channel");
    refused(LIST("layer/1/bias", 2, 1.5, 2), "layer/1/bias: holds 1.5");
    refused(NUMBER("layer/1/inChannels", 2), "layer/1/inChannels: is not the number of channels");
    refused(NUMBER("layer/1/outChannels", 0), "layer/1/outChannels: is not positive");
    refused(LIST("layer/1/kernelSize", 2, 3, 1), "layer/1/kernelSize: differs between the two axes");
    refused(LIST("layer/1/dilation", 2, 2, 2), "layer/1/dilation: other than 1");
    refused(NUMBER("layer/1/groups", 2), "layer/1/groups: other than 1");
    refused(NUMBER("layer/1/stride", 0), "kernelSize, stride or padding is out of range");
    refused(NUMBER("layer/1/kernelSize", 1025), "kernelSize, stride or padding is out of range");
    refused(NUMBER("layer/1/padding", -1), "kernelSize, stride or padding is out of range");
    refused(NUMBER("layer/1/kernelSize", 7), "layer/1");
    refused(NUMBER("layer/4/inFeatures", 9), "layer/4/inFeatures: is not the size of the layer before it");
    refused(LIST("layer/4/delay", 3, 2, 2, 3), "layer/4/delay: differs between neurons");
    refused(NUMBER("layer/4/delay", 256), "layer/4/delay: is out of range");
    refused(NUMBER("layer/4/delay", 255), "delay is 256");
    refused(TEXT("layer/4/type", "recurrent"), "layer/4/recWeight: is missing");
    refused(LIST("layer/5/weight", 6, 1, 2, 3, 4, 5, 32768),
            "layer 'fc5': a weight is outside -32768..32767");
    refused(LIST("layer/5/weight", 6, 1, 2, 3, 4, 5, 2.5),
            "layer/5/weight: holds 2.5, expected whole numbers");
    refused(NUMBER("simulation/tSample", 1), "simulation: Ts and tSample are not 1 to 65535 steps");
    refused(NUMBER("simulation/Ts", 0), "simulation: Ts and tSample are not 1 to 65535 steps");
    refused(MISSING("simulation/Ts"), "simulation/Ts: is missing");
}

static void structure_refused(void **state) {
    (void)state;
    snn_model m;
    snn_error err = {0};
    changed = NULL;
    create(); /* no group */
    H5Fclose(out);
    refuse_file("layer: is missing");
    create();
    put_type("layer/0/type", "input", false);
    H5Fclose(out);
    refuse_file("layer: does not hold an input and 1 to 1023 layers");
    create();
    put_layers("LOIHI");
    put_int("layer/7/x", 1); /* 6 is missing */
    H5Fclose(out);
    refuse_file("layer/6: is missing");
    create();
    put_layers("LOIHI");
    put_int("layer/4/recWeight", 1);
    H5Fclose(out);
    refuse_file("layer/4/recWeight: belongs to no dense layer");
    create();
    put_layers("LOIHI");
    put_int("layer/4/mask", 1);
    H5Fclose(out);
    refuse_file("layer/4/mask: is not known, so it cannot be carried over");
    create();
    put_layers("LOIHI");
    H5Ldelete(out, "layer/2/weight", H5P_DEFAULT);
    H5Lcreate_soft("/layer/1/weight", out, "layer/2/weight", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(out);
    refuse_file("layer/2/weight: is a soft or external link");
    create();
    put_layers("LOIHI");
    H5Ldelete(out, "layer/2/weight", H5P_DEFAULT);
    write_numbers("layer/2/weight/real", 0, NULL, H5T_NATIVE_FLOAT, ramp);
    H5Fclose(out);
    refuse_file("layer/2/weight: is not a data set");
    assert_false(snn_import_net(&m, "/nonexistent.net", NULL, &err));
    assert_int_equal(err.code, SNN_ERR_DATA);
}

/* Every file cut off is refused or, when nothing that counts was lost, read; nothing crashes. */
static void cut(void **state) {
    (void)state;
    make(NULL, "LOIHI");
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    uint8_t *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    size_t n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    for (size_t k = 0; k < n; k += n / 40 + 1) {
        snn_model m;
        snn_error err = {0};
        f = fopen(file, "wb");
        assert_true(f != NULL && fwrite(bytes, 1, k, f) == k && fclose(f) == 0);
        assert_false(snn_import_net(&m, file, NULL, &err));
        assert_int_equal(err.code, SNN_ERR_DATA);
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes),
        cmocka_unit_test(timings),
        cmocka_unit_test(recurrent),
        cmocka_unit_test(neurons_refused),
        cmocka_unit_test(layers_refused),
        cmocka_unit_test(structure_refused),
        cmocka_unit_test(cut),
    };
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
