/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Export as NIR: nodes, fields, edges and values as the Python package `nir` reads them; what NIR cannot say is refused. tests/golden/check_nir.py
 * simulates such files on its own. */
#include <snnsim/model.h>

#include <hdf5.h>
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

static char folder[64];

static const char *at(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/snnsim_nir_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static snn_model model_of(const char *layers, const char *dataset, snn_shape input) {
    char text[4096];
    snn_error err;
    snprintf(text, sizeof text, "dataset = { name = \"nmnist\"; %s };\nnetwork = { layers = ( %s ); };\n",
             dataset, layers);
    snn_config *c = snn_config_parse(text, "t.cfg", &err);
    if (c == NULL)
        fail_msg("%s", err.text);
    snn_model m = {.net = snn_net_from_config(c, input, &err)};
    snn_config_free(c);
    if (m.net == NULL)
        fail_msg("%s", err.text);
    snn_weights *w = snn_weights_new(m.net, &err);
    assert_non_null(w);
    for (int i = 0; i < w->tensors; i++)
        for (uint64_t k = 0; k < w->tensor[i].count; k++)
            w->tensor[i].value[k] = (float)((int)(k * 37 % 101) - 50) / 64;
    snn_quantisation q = {.bits = 8, .per_channel = true};
    m.weights = snn_weights_quantise(w, &q, NULL, &err);
    snn_weights_free(w);
    assert_non_null(m.weights);
    return m;
}

/* ---- reading back ---- */

static void text_is(hid_t file, const char *path, const char *expected) {
    hid_t d = H5Dopen2(file, path, H5P_DEFAULT), type = H5Dget_type(d);
    char *text = NULL;
    assert_true(d >= 0 && H5Tis_variable_str(type) > 0);
    assert_true(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) >= 0);
    assert_string_equal(text, expected);
    H5free_memory(text);
    H5Tclose(type);
    H5Dclose(d);
}

/* Opens a data set of `items` numbers in `dims` dimensions. */
static hid_t open_numbers(hid_t file, const char *path, int dims, uint64_t items, H5T_class_t class) {
    hid_t d = H5Dopen2(file, path, H5P_DEFAULT);
    if (d < 0)
        fail_msg("no %s", path);
    hid_t space = H5Dget_space(d), type = H5Dget_type(d);
    assert_int_equal(H5Tget_class(type), class);
    assert_int_equal(H5Tget_size(type), class == H5T_FLOAT ? 4 : 8);
    assert_int_equal(H5Sget_simple_extent_ndims(space), dims);
    assert_int_equal(H5Sget_simple_extent_npoints(space), items);
    H5Tclose(type);
    H5Sclose(space);
    return d;
}

static void ints_are(hid_t file, const char *path, int dims, uint64_t items, const int64_t *expected) {
    int64_t value[8];
    hid_t d = open_numbers(file, path, dims, items, H5T_INTEGER);
    H5Dread(d, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    assert_memory_equal(value, expected, items * sizeof *expected);
    H5Dclose(d);
}

/* Every item equals. */
static void floats_are(hid_t file, const char *path, int dims, uint64_t items, float expected) {
    float *value = malloc(items * sizeof *value);
    assert_non_null(value);
    hid_t d = open_numbers(file, path, dims, items, H5T_FLOAT);
    H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    for (uint64_t i = 0; i < items; i++)
        assert_true(value[i] == expected);
    free(value);
    H5Dclose(d);
}

static void weights_are(hid_t file, const char *path, const snn_tensor *t) {
    float *value = malloc(t->count * sizeof *value);
    assert_non_null(value);
    hid_t d = open_numbers(file, path, t->dims, t->count, H5T_FLOAT);
    H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    for (uint64_t i = 0; i < t->count; i++)
        assert_true(value[i] == snn_weight_value(t, i));
    free(value);
    H5Dclose(d);
}

/* Number of members of a node, its type among them. */
static void members_are(hid_t file, const char *path, int n) {
    H5G_info_t info;
    assert_true(H5Gget_info_by_name(file, path, &info, H5P_DEFAULT) >= 0);
    assert_int_equal(info.nlinks, n);
}

static void chain_is(hid_t file, int nodes, const char *const *name) {
    hid_t d = H5Dopen2(file, "/node/edges", H5P_DEFAULT), type = H5Dget_type(d), space = H5Dget_space(d);
    hsize_t shape[2];
    char *edge[64];
    assert_int_equal(H5Sget_simple_extent_dims(space, shape, NULL), 2);
    assert_int_equal(shape[0], nodes - 1);
    assert_int_equal(shape[1], 2);
    assert_true(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, edge) >= 0);
    for (int i = 0; i + 1 < nodes; i++) {
        assert_string_equal(edge[2 * i], name[i]);
        assert_string_equal(edge[2 * i + 1], name[i + 1]);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, edge);
    members_are(file, "/node/nodes", nodes);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(d);
}

/* ---- tests ---- */

#define N "/node/nodes/"

static void convolutional(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(
        "{ name = \"input\"; type = \"conv2d\"; channels = 3; kernel = 3; stride = 2; padding = 1; bias = "
        "true;"
        " neuron = { decay = 0.75; gain = 0.5; at_threshold = true; }; },"
        "{ name = \"mp\"; type = \"pool_max\"; kernel = 2; stride = 1; },"
        "{ name = \"ap\"; type = \"pool_average\"; kernel = 2; },"
        "{ name = \"sp\"; type = \"pool_sum\"; kernel = 2; stride = 1; },"
        "{ name = \"fc\"; type = \"linear\"; outputs = 4; bias = true; neuron = { type = \"if\"; gain = 2.0; "
        "}; },"
        "{ name = \"out\"; type = \"linear\"; outputs = 5; neuron = { type = \"li\"; decay = 0.5; }; }",
        "bin_us = 1000;", (snn_shape){2, 9, 11});
    m.net->layer[0].bias[1] = 0.25f;
    for (int i = 0; i < 4; i++)
        m.net->layer[4].bias[i] = -1.5f;
    if (!snn_model_export_nir(&m, at("a.nir"), &err))
        fail_msg("%s", err.text);
    hid_t f = H5Fopen(at("a.nir"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(f >= 0);
    text_is(f, "/version", "1.0");
    text_is(f, "/node/type", "NIRGraph");
    double dt = 0;
    hid_t a = H5Aopen_by_name(f, "/node", "dt", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Aread(a, H5T_NATIVE_DOUBLE, &dt) >= 0 && dt == 1000 * 1e-6);
    H5Aclose(a);
    const char *const chain[] = {"input", "layer.input", "input.neuron", "mp", "mp.threshold",
                                 "ap",    "sp",          "fc.flatten",   "fc", "fc.neuron",
                                 "out",   "out.neuron",  "output"};
    chain_is(f, 13, chain);
    ints_are(f, N "input/shape", 1, 3, (int64_t[]){2, 9, 11});
    ints_are(f, N "output/shape", 1, 1, (int64_t[]){5});
    text_is(f, N "layer.input/type", "Conv2d");
    members_are(f, N "layer.input", 8);
    weights_are(f, N "layer.input/weight", &m.weights->tensor[0]);
    ints_are(f, N "layer.input/stride", 1, 2, (int64_t[]){2, 2});
    ints_are(f, N "layer.input/padding", 1, 2, (int64_t[]){1, 1});
    ints_are(f, N "layer.input/dilation", 1, 2, (int64_t[]){1, 1});
    ints_are(f, N "layer.input/groups", 0, 1, (int64_t[]){1});
    ints_are(f, N "layer.input/input_shape", 1, 2, (int64_t[]){9, 11});
    float bias[3];
    hid_t d = open_numbers(f, N "layer.input/bias", 1, 3, H5T_FLOAT);
    H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bias);
    assert_true(bias[0] == 0 && bias[1] == 0.25f);
    H5Dclose(d);
    /* dt = 1 ms, decay 3/4: tau = 4 ms, r = 0.5 / 0.25. */
    text_is(f, N "input.neuron/type", "LIF");
    members_are(f, N "input.neuron", 6);
    floats_are(f, N "input.neuron/tau", 3, 3 * 5 * 6, 0.004f);
    floats_are(f, N "input.neuron/r", 3, 3 * 5 * 6, 2);
    floats_are(f, N "input.neuron/v_leak", 3, 3 * 5 * 6, 0);
    floats_are(f, N "input.neuron/v_reset", 3, 3 * 5 * 6, 0);
    floats_are(f, N "input.neuron/v_threshold", 3, 3 * 5 * 6,
               nextafterf(0.3f, 0)); /* v >= 0.3 is v > the float before */
    text_is(f, N "mp/type", "SumPool2d");
    ints_are(f, N "mp/kernel_size", 1, 2, (int64_t[]){2, 2});
    ints_are(f, N "mp/stride", 1, 2, (int64_t[]){1, 1});
    ints_are(f, N "mp/padding", 1, 2, (int64_t[]){0, 0});
    text_is(f, N "mp.threshold/type", "Threshold");
    floats_are(f, N "mp.threshold/threshold", 3, 3 * 4 * 5, 0.5f);
    text_is(f, N "ap/type", "AvgPool2d");
    text_is(f, N "sp/type", "SumPool2d");
    text_is(f, N "fc.flatten/type", "Flatten");
    ints_are(f, N "fc.flatten/input_type", 1, 3, (int64_t[]){3, 1, 1});
    ints_are(f, N "fc.flatten/start_dim", 0, 1, (int64_t[]){0});
    ints_are(f, N "fc.flatten/end_dim", 0, 1, (int64_t[]){-1});
    text_is(f, N "fc/type", "Affine");
    floats_are(f, N "fc/bias", 1, 4, -1.5f);
    weights_are(f, N "fc/weight", &m.weights->tensor[1]);
    text_is(f, N "fc.neuron/type", "IF");
    members_are(f, N "fc.neuron", 4);
    floats_are(f, N "fc.neuron/r", 1, 4, 2);
    floats_are(f, N "fc.neuron/v_threshold", 1, 4, 0.3f);
    text_is(f, N "out/type", "Linear");
    members_are(f, N "out", 2);
    text_is(f, N "out.neuron/type", "LI");
    members_are(f, N "out.neuron", 4);
    floats_are(f, N "out.neuron/tau", 1, 5, 0.002f);
    floats_are(f, N "out.neuron/r", 1, 5, 2);
    H5Fclose(f);
    /* The same file is a model of ours. */
    snn_model back;
    if (!snn_model_load(&back, at("a.nir"), &err))
        fail_msg("%s", err.text);
    assert_true(snn_net_equal(m.net, back.net, &err));
    char digest[65];
    snn_weights_digest(m.weights, digest);
    assert_string_equal(digest, back.digest);
    snn_model_free(&back);
    snn_model_free(&m);
}

static void flat(void **state) {
    (void)state;
    snn_error err;
    snn_model m = model_of(
        "{ name = \"a\"; type = \"linear\"; outputs = 4; neuron = { decay = 0.0; }; },"
        "{ name = \"f\"; type = \"flatten\"; },"
        "{ name = \"output\"; type = \"linear\"; outputs = 3; neuron = { type = \"li\"; decay = 1.0; }; }",
        "", (snn_shape){6, 1, 1});
    if (!snn_model_export_nir(&m, at("b.nir"), &err))
        fail_msg("%s", err.text);
    hid_t f = H5Fopen(at("b.nir"), H5F_ACC_RDONLY, H5P_DEFAULT);
    const char *const chain[] = {"input", "a", "a.neuron", "layer.output", "output.neuron", "output"};
    chain_is(f, 6, chain);
    ints_are(f, N "input/shape", 1, 1, (int64_t[]){6});
    text_is(f, N "output.neuron/type", "I");
    members_are(f, N "output.neuron", 2);
    floats_are(f, N "a.neuron/tau", 1, 4, 1e-4f); /* no step is known: NIR's usual 0.1 ms */
    floats_are(f, N "a.neuron/r", 1, 4, 1);
    H5Fclose(f);
    snn_model_free(&m);
    m = model_of("{ name = \"f\"; type = \"flatten\"; }, { name = \"a\"; type = \"linear\"; outputs = 4; }",
                 "", (snn_shape){2, 3, 4});
    assert_true(snn_model_export_nir(&m, at("b.nir"), &err));
    f = H5Fopen(at("b.nir"), H5F_ACC_RDONLY, H5P_DEFAULT);
    chain_is(f, 5, (const char *const[]){"input", "f", "a", "a.neuron", "output"});
    ints_are(f, N "f/input_type", 1, 3, (int64_t[]){2, 3, 4});
    H5Fclose(f);
    snn_model_free(&m);
}

static void refused(const char *layers, snn_shape input, const char *sentence) {
    snn_error err = {0};
    snn_model m = model_of(layers, "", input);
    assert_false(snn_model_export_nir(&m, at("no.nir"), &err));
    if (strstr(err.text, sentence) == NULL)
        fail_msg("expected '%s' in '%s'", sentence, err.text);
    assert_int_equal(err.code, SNN_ERR_DATA);
    assert_int_not_equal(access(at("no.nir"), F_OK), 0);
    snn_model_free(&m);
}

#define FC "{ name = \"fc\"; type = \"linear\"; outputs = 3; }"
#define POOL "{ name = \"p\"; type = \"pool_max\"; kernel = 2; },"

static void refusals(void **state) {
    (void)state;
    const snn_shape in = {2, 8, 8};
    refused(POOL FC, in, "no.nir: layer 'p' (pool_max) takes the largest of counts, which NIR cannot say");
    refused("{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; }, { name = \"s\"; type = "
            "\"pool_sum\"; kernel = 2; }," POOL FC,
            in, "takes the largest of counts");
    refused("{ name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 3; neuron = { reset = \"subtract\"; "
            "}; }," FC,
            in, "layer 'c' resets by subtraction, which NIR cannot say");
    refused(FC ", { name = \"c\"; type = \"conv2d\"; channels = 2; kernel = 1; }", in,
            "layer 'c' (conv2d) stands behind a flat one");
    refused(FC ", { name = \"p\"; type = \"pool_sum\"; kernel = 1; }, { name = \"g\"; type = \"linear\"; "
               "outputs = 2; }",
            in, "layer 'p' (pool_sum) stands behind a flat one");
    snn_error err;
    snn_model none = {0};
    assert_false(snn_model_export_nir(&none, at("no.nir"), &err));
    assert_non_null(strstr(err.text, "a model without a network"));
    snn_model m = model_of(FC, "", in);
    assert_false(snn_model_export_nir(&m, "/nonexistent/x.nir", &err));
    assert_int_equal(err.code, SNN_ERR_RUNTIME);
    m.net->layer[0].bias = calloc(3, sizeof(float));
    assert_non_null(m.net->layer[0].bias);
    m.net->layer[0].bias[0] = NAN;
    assert_false(snn_model_export_nir(&m, at("no.nir"), &err));
    assert_non_null(strstr(err.text, "bias 0 is nan"));
    snn_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutional),
        cmocka_unit_test(flat),
        cmocka_unit_test(refusals),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
